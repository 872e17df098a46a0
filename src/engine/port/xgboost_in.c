/* engine/port/xgboost_in.c -- read models of XGBoost.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "base/progress.h"
#include "engine/port/boosted.h"
#include "engine/port/doc.h"
#include "engine/port/xgboost.h"

/* How an objective's base_score is kept. */
enum base_kind { BASE_MARGIN, BASE_LOGIT, BASE_LOG };

static const struct objective {
    const char *name;
    enum graph_op link; /* GRAPH_INPUT: none */
    enum base_kind base;
    bool classes; /* learns classes */
} objectives[] = {
    {"binary:logistic", GRAPH_SIGMOID, BASE_LOGIT, true},
    {"binary:hinge", GRAPH_STEP, BASE_MARGIN, true},
    {"binary:logitraw", GRAPH_INPUT, BASE_LOGIT, false},
    {"count:poisson", GRAPH_EXP, BASE_LOG, false},
    {"multi:softmax", GRAPH_SOFTMAX, BASE_MARGIN, true},
    {"multi:softprob", GRAPH_SOFTMAX, BASE_MARGIN, true},
    {"rank:map", GRAPH_INPUT, BASE_MARGIN, false},
    {"rank:ndcg", GRAPH_INPUT, BASE_MARGIN, false},
    {"rank:pairwise", GRAPH_INPUT, BASE_MARGIN, false},
    {"reg:absoluteerror", GRAPH_INPUT, BASE_MARGIN, false},
    {"reg:gamma", GRAPH_EXP, BASE_LOG, false},
    {"reg:linear", GRAPH_INPUT, BASE_MARGIN, false},
    {"reg:logistic", GRAPH_SIGMOID, BASE_LOGIT, false},
    {"reg:pseudohubererror", GRAPH_INPUT, BASE_MARGIN, false},
    {"reg:quantileerror", GRAPH_INPUT, BASE_MARGIN, false},
    {"reg:squarederror", GRAPH_INPUT, BASE_MARGIN, false},
    {"reg:squaredlogerror", GRAPH_INPUT, BASE_MARGIN, false},
    {"reg:tweedie", GRAPH_EXP, BASE_LOG, false},
    {"survival:aft", GRAPH_EXP, BASE_LOG, false},
    {"survival:cox", GRAPH_EXP, BASE_LOG, false},
};
enum { N_OBJECTIVES = sizeof objectives / sizeof objectives[0] };

struct reading {
    const struct doc *learner, *params;
    const struct objective *objective;
    size_t n_cols, n_outputs;
    bool shares;
    double base[TARGET_MAX_CLASSES];
    const double **category; /* of each column: the numbers that stand for its
                                codes, or NULL */
    size_t *n_categories;
    bool coded; /* some are not their codes */
    struct portable *p;
    const struct progress *stop;
    struct error *err;
};

static float
as_float(double x)
{
    return (float)x;
}

/* ---- head ---- */

static bool
objective_find(struct reading *r)
{
    const struct doc *o = doc_find(r->learner, "objective");
    const struct doc *name = doc_find(o, "name");

    for (size_t i = 0; name && i < N_OBJECTIVES; i++)
        if (str_is(name->text, objectives[i].name)) {
            r->objective = &objectives[i];
            return true;
        }
    return error_set(r->err, ERR_TYPE,
                     "objective '%.64s' is not known: where its answers are "
                     "the sums of the trees, write reg:squarederror in its "
                     "place",
                     name && name->text.p ? name->text.p : "");
}

/* Of classes, whose shares lathe wrote as the targets of a regression. */
static bool
shares_read(struct reading *r)
{
    const struct doc *lathe =
        doc_find(doc_find(r->learner, "attributes"), "lathe");

    return r->objective->link != GRAPH_INPUT || !lathe ||
           lathe->type != DOC_TEXT ||
           portable_schema_shares(lathe->text, &r->shares, r->err);
}

static bool
sizes_read(struct reading *r)
{
    size_t n_class, n_target;

    if (!doc_count(r->params, "num_feature", UINT32_MAX, &r->n_cols, r->err) ||
        !doc_count(r->params, "num_class", TARGET_MAX_CLASSES, &n_class,
                   r->err) ||
        !doc_count(r->params, "num_target", UINT32_MAX, &n_target, r->err))
        return false;
    if (!shares_read(r))
        return false;
    if (r->shares && n_target <= TARGET_MAX_CLASSES)
        n_class = n_target;
    else if (n_target > 1)
        return error_set(r->err, ERR_TYPE,
                         "a model of %zu targets, lathe's have one", n_target);
    r->n_outputs = n_class > 1 ? n_class : 1;
    if (!r->shares &&
        (r->objective->link == GRAPH_SOFTMAX) != (r->n_outputs > 1))
        return error_set(r->err, ERR_PARSE, "%zu classes with objective %s",
                         n_class, r->objective->name);
    return true;
}

/* In the margin, as XGBoost computes it: in 32 bits. */
static bool
base_to_margin(struct reading *r, double *x)
{
    float f = as_float(*x);

    if (r->objective->base == BASE_LOGIT) {
        if (!(f > 0 && f < 1))
            return error_set(r->err, ERR_PARSE,
                             "base_score is %g, expected a probability", *x);
        *x = -fm_log(1 / (double)f - 1);
    } else if (r->objective->base == BASE_LOG) {
        if (!(f > 0))
            return error_set(r->err, ERR_PARSE, "base_score is %g", *x);
        *x = fm_log((double)f);
    } else {
        *x = (double)f;
    }
    return isfinite(*x) || error_set(r->err, ERR_PARSE, "base_score is %g", *x);
}

/* "5E-1", or from 3.x on "[5E-1]" and "[1E0,2E0]". */
static bool
base_read(struct reading *r)
{
    const struct doc *v = doc_find(r->params, "base_score");
    struct str rest = v ? v->text : STR("5E-1");
    size_t n = 0;

    if (v && v->type == DOC_NUMBER) {
        r->base[0] = v->number;
        n = 1;
    } else if (v && v->type != DOC_TEXT) {
        return error_set(r->err, ERR_PARSE, "base_score is no number");
    }
    if (rest.n && rest.p[0] == '[')
        rest = (struct str){rest.p + 1, rest.n - 1};
    if (rest.n && rest.p[rest.n - 1] == ']')
        rest.n--;
    while (rest.n && n < r->n_outputs) {
        const char *comma = memchr(rest.p, ',', rest.n);
        size_t len = comma ? (size_t)(comma - rest.p) : rest.n;

        if (!str_to_f64(str_trim((struct str){rest.p, len}), &r->base[n++]))
            return error_set(r->err, ERR_PARSE, "base_score is '%.64s'",
                             v ? v->text.p : "");
        len += comma != NULL;
        rest = (struct str){rest.p + len, rest.n - len};
    }
    if (rest.n || n == 0)
        return error_set(r->err, ERR_PARSE,
                         "base_score does not fit %zu outputs", r->n_outputs);
    for (size_t k = n; k < r->n_outputs; k++)
        r->base[k] = r->base[0];
    for (size_t k = 0; k < r->n_outputs; k++)
        if (!base_to_margin(r, &r->base[k]))
            return false;
    return true;
}

static bool
names_read(struct reading *r)
{
    const struct doc *names = doc_find(r->learner, "feature_names");

    if (names && names->type == DOC_LIST && names->n == r->n_cols)
        for (size_t i = 0; i < r->n_cols; i++)
            if (names->item[i].type == DOC_TEXT && names->item[i].text.n &&
                !portable_name(r->p, i, names->item[i].text, r->err))
                return false;
    return portable_name_rest(r->p, "f", r->err);
}

/* ---- categories by name ---- */

/* Whole numbers below the limit, for what indexes. */
static bool
is_index(double x, size_t limit)
{
    return x >= 0 && x < (double)limit && x == floor(x);
}

/* Texts are a list of bytes, those of code k at offsets k .. k + 1.  *n: how
 * many codes there are; 0 for a column of numbers. */
static bool
texts_read(struct reading *r, size_t col, const struct doc *d, size_t *n)
{
    const double *offset, *byte;
    const char **level;
    size_t n_bytes;
    char *to;

    if (!doc_numbers(d, "offsets", SIZE_MAX, &offset, n, r->err) ||
        !doc_numbers(d, "values", SIZE_MAX, &byte, &n_bytes, r->err))
        return false;
    *n -= *n > 0;
    if (*n == 0)
        return true;
    level = arena_try(&r->p->arena, *n, sizeof *level, r->err);
    to = arena_try(&r->p->arena, n_bytes + *n, 1, r->err);
    if (!level || !to)
        return false;
    for (size_t k = 0; k < *n; k++) {
        if (!is_index(offset[k + 1], n_bytes + 1) ||
            !is_index(offset[k], (size_t)offset[k + 1] + 1) ||
            (k > 0 && offset[k] < offset[k - 1]))
            return error_set(r->err, ERR_PARSE, "offsets do not ascend");
        level[k] = to;
        for (size_t i = (size_t)offset[k]; i < (size_t)offset[k + 1]; i++) {
            if (!is_index(byte[i] + 128, 384) || byte[i] == 0)
                return error_set(r->err, ERR_PARSE, "a byte is %g", byte[i]);
            *to++ = (char)(unsigned char)(int)byte[i];
        }
        *to++ = '\0';
        if (!str_utf8_valid(str_of(level[k])))
            return error_set(r->err, ERR_PARSE, "category %zu is no UTF-8", k);
    }
    r->p->input[col].levels = level;
    r->p->input[col].n_levels = *n;
    return true;
}

/* Whole numbers; 64-bit ones that are no double exactly stay apart as well as
 * a table's do. */
static bool
numbers_read(struct reading *r, size_t col, const struct doc *d, size_t *n)
{
    /* Kinds of numbers whose top half UBJSON has as negative ones. */
    static const struct {
        double type, span;
    } unsigned_types[] = {{12, 65536}, {14, 4294967296.0}};
    const double *value;
    double type, *code;

    if (!doc_number(d, "type", 0, &type, r->err) ||
        !doc_numbers(d, "values", SIZE_MAX, &value, n, r->err))
        return false;
    if (!(code = arena_try(&r->p->arena, *n, sizeof *code, r->err)))
        return false;
    for (size_t k = 0; k < *n; k++) {
        code[k] = value[k];
        for (size_t t = 0; t < 2; t++)
            if (type == unsigned_types[t].type && code[k] < 0)
                code[k] += unsigned_types[t].span;
        r->coded |= code[k] != (double)k;
    }
    r->category[col] = code;
    r->n_categories[col] = *n;
    return true;
}

/* What a data frame called the categories whose numbers the trees ask for;
 * without one there are none. */
static bool
categories_read(struct reading *r, const struct doc *model)
{
    const struct doc *enc = doc_find(doc_find(model, "cats"), "enc");
    struct arena *arena = &r->p->arena;

    if (!enc || enc->n == 0)
        return true;
    if (enc->type != DOC_LIST || enc->n != r->n_cols)
        return error_set(r->err, ERR_PARSE,
                         "cats: %zu columns have categories, expected %zu",
                         enc->n, r->n_cols);
    r->category = arena_try(arena, r->n_cols, sizeof *r->category, r->err);
    r->n_categories =
        arena_try(arena, r->n_cols, sizeof *r->n_categories, r->err);
    if (!r->category || !r->n_categories)
        return false;
    for (size_t i = 0; i < r->n_cols; i++) {
        bool texts = doc_find(&enc->item[i], "offsets") != NULL;
        size_t n = 0;

        if (!(texts ? texts_read : numbers_read)(r, i, &enc->item[i], &n))
            return error_prefix(r->err, "cats: column %zu: ", i + 1);
    }
    return true;
}

/* The columns, where categories are the numbers of their codes. */
static bool
columns_put(struct reading *r, uint32_t *id)
{
    struct graph *g = r->p->graph;
    struct graph_node join = {.op = GRAPH_JOIN, .width = r->n_cols};
    size_t at = 0;

    if (!r->coded)
        return graph_add_input(g, 0, r->n_cols, id, r->err);
    if (!(join.in =
              arena_try(&r->p->arena, r->n_cols, sizeof *join.in, r->err)))
        return false;
    while (at < r->n_cols) {
        size_t n = r->n_categories[at], wide = 1;
        uint32_t in;
        struct graph_node map = {.op = GRAPH_MAP,
                                 .width = 1,
                                 .n_in = 1,
                                 .in = &in,
                                 .n_a = n,
                                 .n_b = n,
                                 .a = (double *)(uintptr_t)r->category[at],
                                 .c = (double)NAN};

        while (n == 0 && at + wide < r->n_cols &&
               r->n_categories[at + wide] == 0)
            wide++;
        if (!graph_add_input(g, at, wide, &in, r->err) ||
            (n && !graph_add(g, &map, &in, r->err)))
            return false;
        for (size_t k = 0; k < n; k++)
            g->node[in].b[k] = (double)k;
        join.in[join.n_in++] = in;
        at += wide;
    }
    *id = join.in[0];
    return join.n_in == 1 || graph_add(g, &join, id, r->err);
}

/* ---- trees ---- */

struct tree {
    size_t n;
    const double *left, *right, *feature, *cut, *default_left, *type;
    const double *gain, *cover; /* or NULL */
    size_t output;
    double weight;
    double *set; /* of a category's node: its set's number; owned */
};

static bool
optional(const struct doc *t, const char *key, size_t n, const double **out,
         struct error *err)
{
    const struct doc *v = doc_find(t, key);

    *out = NULL;
    return !v || v->n == 0 || doc_numbers(t, key, n, out, NULL, err);
}

static bool
sets_read(struct ensemble *e, const struct doc *t, struct tree *tree,
          struct error *err)
{
    const double *members, *node, *segment, *size;
    size_t n_members, n = 0;

    if (!doc_find(t, "categories_nodes"))
        return true;
    if (!doc_numbers(t, "categories", SIZE_MAX, &members, &n_members, err) ||
        !doc_numbers(t, "categories_nodes", SIZE_MAX, &node, &n, err) ||
        !doc_numbers(t, "categories_segments", n, &segment, NULL, err) ||
        !doc_numbers(t, "categories_sizes", n, &size, NULL, err))
        return false;
    for (size_t k = 0; k < n; k++) {
        uint32_t number;

        if (!is_index(node[k], tree->n) ||
            !is_index(segment[k], n_members + 1) ||
            !is_index(size[k], n_members - (size_t)segment[k] + 1))
            return error_set(err, ERR_PARSE, "categories do not fit");
        if (!ensemble_add_set(e, members + (size_t)segment[k], (size_t)size[k],
                              &number, err))
            return false;
        tree->set[(size_t)node[k]] = number;
    }
    return true;
}

static bool
tree_open(const struct doc *t, struct tree *tree, struct error *err)
{
    size_t leaf_size;

    if (!doc_count(doc_find(t, "tree_param"), "size_leaf_vector", UINT32_MAX,
                   &leaf_size, err))
        return false;
    if (leaf_size > 1)
        return error_set(err, ERR_TYPE, "leaves of %zu values are not read",
                         leaf_size);
    if (!doc_numbers(t, "left_children", SIZE_MAX, &tree->left, &tree->n,
                     err) ||
        !doc_numbers(t, "right_children", tree->n, &tree->right, NULL, err) ||
        !doc_numbers(t, "split_indices", tree->n, &tree->feature, NULL, err) ||
        !doc_numbers(t, "split_conditions", tree->n, &tree->cut, NULL, err) ||
        !doc_numbers(t, "default_left", tree->n, &tree->default_left, NULL,
                     err) ||
        !optional(t, "split_type", tree->n, &tree->type, err) ||
        !optional(t, "loss_changes", tree->n, &tree->gain, err) ||
        !optional(t, "sum_hessian", tree->n, &tree->cover, err))
        return false;
    if (!(tree->set = mem_try_array(tree->n, sizeof *tree->set, err)))
        return false;
    for (size_t i = 0; i < tree->n; i++)
        tree->set[i] = -1;
    return true;
}

/* A member of the set goes right; all else, also what is negative or beyond,
 * goes left. */
static bool
category_take(const struct tree *t, size_t i, struct ensemble_node *to,
              struct error *err)
{
    uint32_t left = to->yes;

    if (t->set[i] < 0)
        return error_set(err, ERR_PARSE, "node %zu has no categories", i);
    to->kind = ENSEMBLE_SET;
    to->threshold = t->set[i];
    to->yes = to->no;
    to->no = left;
    if (t->default_left[i] == 0)
        to->kind |= ENSEMBLE_MISSING_YES;
    return true;
}

static bool
node_take(struct ensemble *e, const struct tree *t, size_t i,
          struct ensemble_node *to, struct error *err)
{
    to->cover = t->cover ? t->cover[i] : 0;
    if (t->left[i] == -1) {
        to->kind = ENSEMBLE_LEAF;
        to->feature = (uint32_t)e->n_values;
        to->yes = to->feature + 1;
        return ensemble_add_value(e, t->output,
                                  (double)as_float(t->cut[i]) * t->weight, err);
    }
    if (!is_index(t->left[i], t->n) || !is_index(t->right[i], t->n) ||
        !is_index(t->feature[i], e->n_cols)) {
        /* Deleted nodes hold anything; where this is reached it is refused. */
        to->kind = ENSEMBLE_LT;
        to->feature = UINT32_MAX;
        return true;
    }
    to->feature = (uint32_t)t->feature[i];
    to->yes = (uint32_t)t->left[i];
    to->no = (uint32_t)t->right[i];
    if (t->gain && t->gain[i] > 0 && isfinite(t->gain[i]))
        e->gain[to->feature] += t->gain[i];
    if (t->type && t->type[i] == 1)
        return category_take(t, i, to, err);
    to->kind = ENSEMBLE_LT;
    to->threshold = (double)as_float(t->cut[i]);
    if (t->default_left[i] != 0)
        to->kind |= ENSEMBLE_MISSING_YES;
    return true;
}

static bool
tree_read(struct ensemble *e, const struct doc *d, size_t output, double weight,
          struct error *err)
{
    struct tree t = {.output = output, .weight = weight};
    struct ensemble_node *node = NULL;
    bool ok = tree_open(d, &t, err) && sets_read(e, d, &t, err) &&
              (node = mem_try_array(t.n, sizeof *node, err));

    for (size_t i = 0; i < t.n && ok; i++)
        ok = node_take(e, &t, i, &node[i], err);
    ok = ok && ensemble_add_tree(e, node, t.n, 0, err);
    free(t.set);
    free(node);
    return ok;
}

static bool
trees_read(struct reading *r, const struct doc *model, const double *weight,
           size_t n_weights, struct ensemble *e)
{
    const struct doc *trees;
    const double *info;

    if (!doc_need(model, "trees", DOC_LIST, &trees, r->err) ||
        !doc_numbers(model, "tree_info", trees->n, &info, NULL, r->err))
        return false;
    if (n_weights > trees->n)
        return error_set(r->err, ERR_PARSE, "%zu weights for %zu trees",
                         n_weights, trees->n);
    for (size_t t = 0; t < trees->n; t++) {
        if (!is_index(info[t], r->n_outputs))
            return error_set(r->err, ERR_PARSE, "tree %zu is for class %g", t,
                             info[t]);
        if (!progress_check(r->stop, r->err) ||
            !tree_read(e, &trees->item[t], (size_t)info[t],
                       t < n_weights ? (double)as_float(weight[t]) : 1, r->err))
            return error_prefix(r->err, "tree %zu: ", t);
    }
    portable_tell_count(r->p, "trees", trees->n);
    return true;
}

/* Training that stopped early leaves trees behind its best round, which
 * scikit-learn's predict() leaves out and Booster.predict() does not. */
static bool
early_stop_tell(struct reading *r, const struct doc *model, size_t n_trees)
{
    const struct doc *attributes = doc_find(r->learner, "attributes");
    size_t best, parallel;

    if (!doc_find(attributes, "best_iteration"))
        return true;
    if (!doc_count(attributes, "best_iteration", UINT32_MAX, &best, r->err) ||
        !doc_count(doc_find(model, "gbtree_model_param"), "num_parallel_tree",
                   UINT32_MAX, &parallel, r->err))
        return false;
    parallel += parallel == 0;
    if (n_trees / r->n_outputs / parallel > best + 1)
        buf_printf(&r->p->notes,
                   "training stopped early, and round %zu was the best: all "
                   "rounds count here, as in Booster.predict; predict() of "
                   "XGBClassifier and XGBRegressor leaves out those behind it, "
                   "and so does a model saved from booster[:%zu]\n",
                   best, best + 1);
    return true;
}

static bool
booster_read(struct reading *r, const struct doc *booster)
{
    const struct doc *dart = doc_find(booster, "gbtree"), *model, *inside,
                     *trees;
    struct ensemble *e;
    const double *weight = NULL;
    size_t n_weights = 0;
    uint32_t in;

    if (!doc_need(dart ? dart : booster, "model", DOC_OBJECT, &model, r->err))
        return false;
    trees = doc_find(model, "trees");
    /* From 3.5 on within the model, and trees behind the last weight have 1. */
    inside = doc_find(model, "weight_drop");
    if ((inside || dart) &&
        !doc_numbers(inside ? model : booster, "weight_drop",
                     inside || !trees ? SIZE_MAX : trees->n, &weight,
                     &n_weights, r->err))
        return false;
    if (!categories_read(r, model) || !columns_put(r, &in) ||
        !(e = ensemble_new(r->n_cols, r->n_outputs, r->err)))
        return false;
    memcpy(e->base, r->base, r->n_outputs * sizeof *e->base);
    if (!trees_read(r, model, weight, n_weights, e) ||
        !early_stop_tell(r, model, trees->n)) {
        ensemble_free(e);
        return false;
    }
    return boosted_put_at(r->p, in, e, true,
                          !r->shares         ? r->objective->link
                          : r->n_outputs > 1 ? GRAPH_NORMALIZE
                                             : GRAPH_CLIP,
                          r->err);
}

/* Weights of (features + 1) x outputs, the last row the bias; missing counts
 * as 0. */
static bool
linear_read(struct reading *r, const struct doc *booster)
{
    const struct doc *model;
    struct graph *g = r->p->graph;
    size_t k = r->n_outputs, n = r->n_cols;
    struct graph_node fill = {
        .op = GRAPH_FILL, .width = n, .n_in = 1, .n_a = n};
    struct graph_node dense = {
        .op = GRAPH_DENSE, .width = k, .n_in = 1, .n_a = n * k, .n_b = k};
    const double *w;
    uint32_t in, id;

    if (!doc_need(booster, "model", DOC_OBJECT, &model, r->err) ||
        !doc_numbers(model, "weights", (n + 1) * k, &w, NULL, r->err))
        return false;
    dense.a = (double *)(uintptr_t)w;
    dense.b = (double *)(uintptr_t)(w + n * k);
    fill.in = dense.in = &in;
    if (!graph_add_input(g, 0, n, &in, r->err) ||
        !graph_add_simple(g, GRAPH_ROUND, in, &in, r->err) ||
        !graph_add(g, &fill, &in, r->err) || !graph_add(g, &dense, &id, r->err))
        return false;
    for (size_t i = 0; i < k; i++)
        g->node[id].b[i] += r->base[i];
    return r->objective->link == GRAPH_INPUT ||
           graph_add_simple(g, r->objective->link, id, NULL, r->err);
}

/* ---- the whole ---- */

static void
about(struct reading *r, const struct doc *root, bool binary)
{
    const struct doc *v = doc_find(root, "version");
    char version[64] = "XGBoost";

    if (v && v->type == DOC_NUMBERS && v->n == 3)
        snprintf(version, sizeof version, "XGBoost %.0f.%.0f.%.0f",
                 v->numbers[0], v->numbers[1], v->numbers[2]);
    portable_tell(r->p, "format", binary ? "XGBoost UBJSON" : "XGBoost JSON");
    portable_tell(r->p, "producer", version);
    portable_tell(r->p, "objective", r->objective->name);
    buf_puts(&r->p->notes, "inputs are rounded to 32 bits, as XGBoost does\n");
}

static bool
learner_read(struct reading *r)
{
    const struct doc *booster, *name, *lathe;

    if (!doc_need(r->learner, "gradient_booster", DOC_OBJECT, &booster,
                  r->err) ||
        !doc_need(booster, "name", DOC_TEXT, &name, r->err) || !base_read(r) ||
        !names_read(r))
        return false;
    if ((r->objective->classes || r->shares) &&
        !portable_classes(r->p, NULL, r->n_outputs > 1 ? r->n_outputs : 2,
                          r->err))
        return false;
    lathe = doc_find(doc_find(r->learner, "attributes"), "lathe");
    if (lathe && lathe->type == DOC_TEXT &&
        !portable_schema_read(r->p, lathe->text, true, r->err))
        return false;
    if (str_is(name->text, "gblinear"))
        return linear_read(r, booster);
    if (str_is(name->text, "gbtree") || str_is(name->text, "dart"))
        return booster_read(r, booster);
    return error_set(r->err, ERR_TYPE, "booster '%.32s' is not known",
                     name->text.p);
}

static bool
is_binary(struct str bytes)
{
    return bytes.n > 1 && bytes.p[0] == '{' && strchr("LlIiU$#", bytes.p[1]) &&
           bytes.p[1];
}

bool
xgboost_is(struct str bytes)
{
    struct str t = str_trim(bytes);

    return is_binary(bytes) || (t.n && t.p[0] == '{');
}

struct portable *
xgboost_read(struct str bytes, const struct progress *stop, struct error *err)
{
    struct reading r = {.stop = stop, .err = err};
    struct arena arena;
    struct doc root;
    bool ok, binary = is_binary(bytes);

    arena_init(&arena);
    arena.stop = stop;
    ok = binary ? doc_parse_ubjson(bytes, &arena, &root, err)
                : doc_parse_json(bytes, &arena, &root, err);
    ok = ok && doc_need(&root, "learner", DOC_OBJECT, &r.learner, err) &&
         doc_need(r.learner, "learner_model_param", DOC_OBJECT, &r.params,
                  err) &&
         objective_find(&r) && sizes_read(&r) &&
         (r.p = portable_new(r.n_cols, err));
    if (ok) {
        about(&r, &root, binary);
        ok = learner_read(&r) && portable_check(r.p, err);
    }
    arena_fini(&arena);
    if (ok)
        return r.p;
    portable_free(r.p);
    return NULL;
}
