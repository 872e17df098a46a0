/* engine/port/xgboost_out.c -- write JSON that XGBoost loads.
 *
 * Thresholds become the 32-bit floats that give the same answer to every
 * 32-bit input.  What the sums begin with goes into a first round of trees that
 * are one leaf: base_score would be rounded twice on its way through a
 * probability, and is one number for all classes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/boosted.h"
#include "engine/port/xgboost.h"

struct writing {
    const struct portable *p;
    struct boosted b;
    size_t *order; /* n_rounds x n_outputs: trees; SIZE_MAX: a leaf of 0 */
    size_t n_rounds;
    double *gain; /* of a split of each column */
    bool bases;   /* a first round with the bases */
    struct json_writer w;
    struct error *err;
};

/* ---- lists of a tree ---- */

enum list_kind {
    LIST_LEFT,
    LIST_RIGHT,
    LIST_PARENT,
    LIST_FEATURE,
    LIST_CUT,
    LIST_TYPE,
    LIST_DEFAULT,
    LIST_GAIN,
    LIST_COVER,
    LIST_ZERO
};

static void
put_float(struct json_writer *w, double x)
{
    char text[40];
    float f = (float)x;
    int n;

    /* No infinity in JSON; a threshold there is as good at the end. */
    f = f > FLT_MAX ? FLT_MAX : f < -FLT_MAX ? -FLT_MAX : f;
    n = snprintf(text, 32, "%.9g", (double)f);
    /* XGBoost takes 1 for an integer where it wants a number. */
    if (!strchr(text, 'e'))
        memcpy(text + n, "E0", 3);
    json_put_raw(w, text);
}

static void
put_element(struct writing *s, const struct boosted_node *n,
            enum list_kind kind)
{
    const struct ensemble *e = s->b.e;
    unsigned bits = e->kind[n->node], is = bits & ENSEMBLE_KIND;
    bool leaf = is == ENSEMBLE_LEAF, set = is == ENSEMBLE_SET;
    bool missing_yes = bits & ENSEMBLE_MISSING_YES;

    switch (kind) {
    case LIST_LEFT:
        json_put_i64(&s->w, leaf ? -1 : (int64_t)(set ? n->no : n->yes));
        break;
    case LIST_RIGHT:
        json_put_i64(&s->w, leaf ? -1 : (int64_t)(set ? n->yes : n->no));
        break;
    case LIST_PARENT:
        json_put_i64(&s->w,
                     n->parent == UINT32_MAX ? INT32_MAX : (int64_t)n->parent);
        break;
    case LIST_FEATURE:
        json_put_i64(&s->w, leaf ? 0 : s->b.column[e->feature[n->node]]);
        break;
    case LIST_CUT:
        if (set)
            json_put_raw(&s->w, "NaN");
        else
            put_float(&s->w, leaf ? ensemble_leaf(e, n->node)
                                  : ensemble_cut((enum ensemble_kind)is,
                                                 e->threshold[n->node],
                                                 s->b.rounded, CUT_FLOAT_LT));
        break;
    case LIST_TYPE:
        json_put_i64(&s->w, set);
        break;
    case LIST_DEFAULT:
        json_put_i64(&s->w, !leaf && missing_yes != set);
        break;
    case LIST_GAIN:
        put_float(&s->w, leaf ? 0 : s->gain[e->feature[n->node]]);
        break;
    case LIST_COVER:
        put_float(&s->w, e->cover ? e->cover[n->node] : 0);
        break;
    case LIST_ZERO:
        json_put_raw(&s->w, "0E0");
    }
}

static void
put_list(struct writing *s, const char *name, const struct boosted_node *node,
         size_t n, enum list_kind kind)
{
    json_name(&s->w, name);
    json_open(&s->w, '[');
    for (size_t i = 0; i < n; i++)
        put_element(s, &node[i], kind);
    json_close(&s->w, ']');
}

static bool
is_set(const struct ensemble *e, const struct boosted_node *n)
{
    return (e->kind[n->node] & ENSEMBLE_KIND) == ENSEMBLE_SET;
}

static size_t
set_bits(const struct ensemble *e, uint32_t node)
{
    uint32_t set = (uint32_t)e->threshold[node];

    return (size_t)(e->set_start[set + 1] - e->set_start[set]) * 64;
}

static size_t
no_level(const struct writing *s, uint32_t node)
{
    size_t column = s->b.column[s->b.e->feature[node]];
    size_t n = s->p->input[column].n_levels, bits = set_bits(s->b.e, node);

    return n ? n : bits;
}

/* what: 0 members, 1 nodes, 2 where each set begins, 3 how large it is. */
static void
put_sets(struct writing *s, const char *name, const struct boosted_node *node,
         size_t n, unsigned what)
{
    const struct ensemble *e = s->b.e;
    size_t begin = 0;

    json_name(&s->w, name);
    json_open(&s->w, '[');
    for (size_t i = 0; i < n; i++) {
        size_t size = 0;

        if (!is_set(e, &node[i]))
            continue;
        for (size_t v = 0; v < set_bits(e, node[i].node); v++)
            if (ensemble_has(e, (uint32_t)e->threshold[node[i].node],
                             (double)v)) {
                size++;
                if (what == 0)
                    json_put_i64(&s->w, (int64_t)v);
            }
        /* No set is empty there: a number that no level has. */
        if (size == 0 && what == 0)
            json_put_i64(&s->w, (int64_t)no_level(s, node[i].node));
        size += size == 0;
        if (what > 0)
            json_put_i64(&s->w, (int64_t)(what == 1   ? i
                                          : what == 2 ? begin
                                                      : size));
        begin += size;
    }
    json_close(&s->w, ']');
}

static void
put_param(struct json_writer *w, const char *name, size_t n)
{
    char text[24];

    snprintf(text, sizeof text, "%zu", n);
    json_name(w, name);
    json_put_string(w, text);
}

static void
put_tree_end(struct writing *s, size_t id, size_t n)
{
    json_name(&s->w, "id");
    json_put_i64(&s->w, (int64_t)id);
    json_name(&s->w, "tree_param");
    json_open(&s->w, '{');
    put_param(&s->w, "num_deleted", 0);
    put_param(&s->w, "num_feature", s->p->graph->n_cols);
    put_param(&s->w, "num_nodes", n);
    put_param(&s->w, "size_leaf_vector", 0);
    json_close(&s->w, '}');
}

static bool
put_tree(struct writing *s, size_t t, size_t id)
{
    struct boosted_node *node;
    size_t n;

    if (!progress_check(s->p->arena.stop, s->err) ||
        !boosted_tree(s->b.e, t, &node, &n, s->err))
        return false;
    json_open(&s->w, '{');
    put_list(s, "base_weights", node, n, LIST_ZERO);
    put_sets(s, "categories", node, n, 0);
    put_sets(s, "categories_nodes", node, n, 1);
    put_sets(s, "categories_segments", node, n, 2);
    put_sets(s, "categories_sizes", node, n, 3);
    put_list(s, "default_left", node, n, LIST_DEFAULT);
    put_list(s, "left_children", node, n, LIST_LEFT);
    put_list(s, "loss_changes", node, n, LIST_GAIN);
    put_list(s, "parents", node, n, LIST_PARENT);
    put_list(s, "right_children", node, n, LIST_RIGHT);
    put_list(s, "split_conditions", node, n, LIST_CUT);
    put_list(s, "split_indices", node, n, LIST_FEATURE);
    put_list(s, "split_type", node, n, LIST_TYPE);
    put_list(s, "sum_hessian", node, n, LIST_COVER);
    put_tree_end(s, id, n);
    json_close(&s->w, '}');
    free(node);
    return true;
}

/* A tree that is one leaf. */
static void
put_single(struct writing *s, double value, size_t id)
{
    static const char *const empty[] = {"categories", "categories_nodes",
                                        "categories_segments",
                                        "categories_sizes"};
    static const char *const zero[] = {"base_weights", "loss_changes",
                                       "sum_hessian"};
    static const char *const none[] = {"default_left", "split_indices",
                                       "split_type"};

    json_open(&s->w, '{');
    for (size_t i = 0; i < 4; i++) {
        json_name(&s->w, empty[i]);
        json_put_raw(&s->w, "[]");
    }
    for (size_t i = 0; i < 3; i++) {
        json_name(&s->w, zero[i]);
        json_put_raw(&s->w, "[0E0]");
        json_name(&s->w, none[i]);
        json_put_raw(&s->w, "[0]");
    }
    json_name(&s->w, "left_children");
    json_put_raw(&s->w, "[-1]");
    json_name(&s->w, "right_children");
    json_put_raw(&s->w, "[-1]");
    json_name(&s->w, "parents");
    json_put_raw(&s->w, "[2147483647]");
    json_name(&s->w, "split_conditions");
    json_open(&s->w, '[');
    put_float(&s->w, value);
    json_close(&s->w, ']');
    put_tree_end(s, id, 1);
    json_close(&s->w, '}');
}

/* ---- the booster ---- */

static bool
put_booster(struct writing *s)
{
    size_t k = s->b.e->n_outputs, id = 0, n = (s->n_rounds + s->bases) * k;

    json_name(&s->w, "gradient_booster");
    json_open(&s->w, '{');
    json_name(&s->w, "model");
    json_open(&s->w, '{');
    json_name(&s->w, "gbtree_model_param");
    json_open(&s->w, '{');
    put_param(&s->w, "num_parallel_tree", 1);
    put_param(&s->w, "num_trees", n);
    put_param(&s->w, "size_leaf_vector", 0);
    json_close(&s->w, '}');
    json_name(&s->w, "tree_info");
    json_open(&s->w, '[');
    for (size_t i = 0; i < n; i++)
        json_put_i64(&s->w, (int64_t)(i % k));
    json_close(&s->w, ']');
    json_name(&s->w, "trees");
    json_open(&s->w, '[');
    for (size_t i = 0; i < k && s->bases; i++)
        put_single(s, s->b.e->base[i], id++);
    for (size_t i = 0; i < s->n_rounds * k; i++)
        if (s->order[i] == SIZE_MAX)
            put_single(s, 0, id++);
        else if (!put_tree(s, s->order[i], id++))
            return false;
    json_close(&s->w, ']');
    json_close(&s->w, '}');
    json_name(&s->w, "name");
    json_put_string(&s->w, "gbtree");
    json_close(&s->w, '}');
    return true;
}

/* ---- head and end ---- */

/* Sums that are the shares of classes: a regression with a target for each. */
static bool
is_shares(const struct writing *s)
{
    return s->b.link == GRAPH_CLIP || s->b.link == GRAPH_NORMALIZE;
}

static bool
put_objective(struct writing *s)
{
    const char *name, *param = NULL, *key = NULL, *value = NULL;
    char classes[24];

    snprintf(classes, sizeof classes, "%zu", s->b.e->n_outputs);
    if (s->p->problem == PROBLEM_MULTICLASS && s->b.link == GRAPH_SOFTMAX) {
        name = "multi:softprob";
        param = "softmax_multiclass_param";
        key = "num_class";
        value = classes;
    } else if (s->p->problem != PROBLEM_MULTICLASS &&
               s->b.link == GRAPH_SIGMOID) {
        name = s->p->problem == PROBLEM_BINARY ? "binary:logistic"
                                               : "reg:logistic";
        param = "reg_loss_param";
        key = "scale_pos_weight";
        value = "1";
    } else if (s->b.link == GRAPH_EXP) {
        name = "count:poisson";
        param = "poisson_regression_param";
        key = "max_delta_step";
        value = "0.7";
    } else if (is_shares(s) || (s->b.link == GRAPH_INPUT &&
                                s->p->problem == PROBLEM_REGRESSION)) {
        name = "reg:squarederror";
        param = "reg_loss_param";
        key = "scale_pos_weight";
        value = "1";
    } else if (s->b.link == GRAPH_STEP && s->p->problem == PROBLEM_BINARY) {
        name = "binary:hinge";
    } else {
        return error_set(s->err, ERR_TYPE,
                         "XGBoost has no objective whose answers are made by "
                         "'%s': write this model as --onnx or --c",
                         graph_op_word(s->b.link));
    }
    json_name(&s->w, "objective");
    json_open(&s->w, '{');
    json_name(&s->w, "name");
    json_put_string(&s->w, name);
    if (param) {
        json_name(&s->w, param);
        json_open(&s->w, '{');
        json_name(&s->w, key);
        json_put_string(&s->w, value);
        json_close(&s->w, '}');
    }
    json_close(&s->w, '}');
    return true;
}

/* XGBoost refuses names with [, ] and <. */
static void
put_names(struct writing *s)
{
    struct buf name;

    buf_init(&name);
    json_name(&s->w, "feature_names");
    json_open(&s->w, '[');
    for (size_t i = 0; i < s->p->graph->n_cols; i++) {
        buf_clear(&name);
        buf_puts(&name, s->p->input[i].name);
        for (size_t k = 0; k < name.len; k++)
            if (strchr("[]<", name.data[k]))
                name.data[k] = '_';
        json_put_string(&s->w, name.data);
    }
    json_close(&s->w, ']');
    json_name(&s->w, "feature_types");
    json_open(&s->w, '[');
    for (size_t i = 0; i < s->p->graph->n_cols; i++)
        json_put_string(&s->w, s->p->input[i].n_levels ? "c" : "float");
    json_close(&s->w, ']');
    buf_fini(&name);
}

static void
put_params(struct writing *s)
{
    size_t k = s->b.e->n_outputs;
    /* 0 in the margin. */
    const char *base = s->b.link == GRAPH_SIGMOID ? "5E-1"
                       : s->b.link == GRAPH_EXP   ? "1E0"
                                                  : "0E0";

    json_name(&s->w, "learner_model_param");
    json_open(&s->w, '{');
    json_name(&s->w, "base_score");
    json_put_string(&s->w, base);
    json_name(&s->w, "boost_from_average");
    json_put_string(&s->w, "1");
    put_param(&s->w, "num_class", k > 1 && !is_shares(s) ? k : 0);
    put_param(&s->w, "num_feature", s->p->graph->n_cols);
    put_param(&s->w, "num_target", is_shares(s) ? k : 1);
    json_close(&s->w, '}');
}

static bool
put_attributes(struct writing *s)
{
    struct buf schema;
    struct json_writer w;
    bool ok;

    buf_init(&schema);
    json_writer_init(&w, &schema);
    portable_schema_json(s->p, &w);
    json_name(&s->w, "attributes");
    json_open(&s->w, '{');
    json_name(&s->w, "lathe");
    json_put_string(&s->w, schema.data);
    json_close(&s->w, '}');
    ok = buf_check(&schema, s->err);
    buf_fini(&schema);
    return ok;
}

static bool
nodes_check(const struct ensemble *e, struct error *err)
{
    for (size_t i = 0; i < e->n_nodes; i++)
        if ((e->kind[i] & ENSEMBLE_KIND) == ENSEMBLE_EQ ||
            e->kind[i] & ENSEMBLE_ZERO_MISSING)
            return error_set(err, ERR_TYPE,
                             "a split by equality, or one that takes 0 as "
                             "missing, is not in XGBoost: write this model as "
                             "--onnx or --c");
    return true;
}

bool
xgboost_write(const struct portable *p, struct buf *out, struct error *err)
{
    struct writing s = {.p = p, .err = err};
    bool ok;

    if (!boosted_find(p, "XGBoost's format", &s.b, err) ||
        !ensemble_no_lines(s.b.e, "XGBoost", err) || !nodes_check(s.b.e, err) ||
        !(s.gain = boosted_gains(s.b.e, err)))
        return false;
    if (!boosted_rounds(s.b.e, "XGBoost", &s.order, &s.n_rounds, err)) {
        free(s.gain);
        return false;
    }
    for (size_t k = 0; k < s.b.e->n_outputs; k++)
        s.bases |= s.b.e->base[k] != 0;
    json_writer_init(&s.w, out);
    json_open(&s.w, '{');
    json_name(&s.w, "learner");
    json_open(&s.w, '{');
    ok = put_attributes(&s);
    put_names(&s);
    ok = ok && put_booster(&s);
    put_params(&s);
    ok = ok && put_objective(&s);
    json_close(&s.w, '}');
    json_name(&s.w, "version");
    json_put_raw(&s.w, "[1,7,4]");
    json_close(&s.w, '}');
    free(s.order);
    free(s.gain);
    return ok && buf_check(out, err);
}
