/* engine/port/lightgbm_out.c -- write text that LightGBM loads.
 *
 * "x < t" becomes "x <= the double before t", which is the same for every
 * double.  What the sums begin with is added to the leaves of the first trees,
 * as LightGBM itself does; sums are then the same to the last bit.  Counts are of
 * training rows, which stand for weights (sums of hessians) too: lathe keeps none.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <ctype.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/boosted.h"
#include "engine/port/lightgbm.h"

struct writing {
    const struct portable *p;
    struct boosted b;
    size_t *order, n_rounds;
    double *gain;
    struct buf tree, trees, sizes;
    struct error *err;
};

/* A tree as LightGBM numbers it: inner nodes and leaves, both by themselves. */
struct numbered {
    struct boosted_node *node;
    int64_t *number; /* of each place: inner, or ~leaf */
    double *mean;    /* of each place: of the leaves below, by training rows */
    size_t n, n_inner, n_sets;
};

static void
put_number(struct buf *out, double x)
{
    char text[STR_F64_MAX];

    /* No infinity: its own reader does not know it everywhere. */
    (void)str_from_f64(fmax(fmin(x, DBL_MAX), -DBL_MAX), text);
    buf_puts(out, text);
}

/* ---- sets ---- */

/* Do the missing go with the members?  There they go right, with the others:
 * the set is turned around. */
static bool
is_turned(const struct ensemble *e, uint32_t i)
{
    return (e->kind[i] & ENSEMBLE_KIND) == ENSEMBLE_SET &&
           e->kind[i] & ENSEMBLE_MISSING_YES;
}

static size_t
set_words(const struct writing *s, uint32_t i)
{
    const struct ensemble *e = s->b.e;
    uint32_t set = (uint32_t)e->threshold[i];
    size_t levels = s->p->input[s->b.column[e->feature[i]]].n_levels;
    size_t n = (size_t)(e->set_start[set + 1] - e->set_start[set]) * 2;

    return is_turned(e, i) ? (levels + 31) / 32 : n;
}

static void
put_set(struct writing *s, uint32_t i, struct buf *out)
{
    const struct ensemble *e = s->b.e;
    size_t levels = s->p->input[s->b.column[e->feature[i]]].n_levels;

    for (size_t w = 0; w < set_words(s, i); w++) {
        uint32_t word = 0;

        for (size_t bit = 0; bit < 32; bit++) {
            size_t v = w * 32 + bit;
            bool in = ensemble_has(e, (uint32_t)e->threshold[i], (double)v);

            if (is_turned(e, i) ? v < levels && !in : in)
                word |= UINT32_C(1) << bit;
        }
        buf_printf(out, "%s%lu",
                   out->len && out->data[out->len - 1] != '=' ? " " : "",
                   (unsigned long)word);
    }
}

static void
put_sets(struct writing *s, const struct numbered *t)
{
    size_t at = 0;

    if (t->n_sets == 0)
        return;
    buf_puts(&s->tree, "cat_boundaries=0");
    for (size_t i = 0; i < t->n; i++)
        if ((s->b.e->kind[t->node[i].node] & ENSEMBLE_KIND) == ENSEMBLE_SET) {
            at += set_words(s, t->node[i].node);
            buf_printf(&s->tree, " %zu", at);
        }
    buf_puts(&s->tree, "\ncat_threshold=");
    for (size_t i = 0; i < t->n; i++)
        if ((s->b.e->kind[t->node[i].node] & ENSEMBLE_KIND) == ENSEMBLE_SET)
            put_set(s, t->node[i].node, &s->tree);
    buf_putc(&s->tree, '\n');
}

/* ---- a tree ---- */

enum list_kind {
    LIST_FEATURE,
    LIST_GAIN,
    LIST_THRESHOLD,
    LIST_KIND,
    LIST_LEFT,
    LIST_RIGHT,
    LIST_MEAN,
    LIST_WEIGHT,
    LIST_COUNT
};

/* Training rows, as LightGBM's int; those that are not known are 0. */
static long
count_at(const struct ensemble *e, uint32_t node)
{
    return e->cover ? (long)fmin(floor(e->cover[node] + 0.5), INT_MAX) : 0;
}

/* What the mean answer of an inner node is, from the leaves up. */
static void
find_means(const struct ensemble *e, struct numbered *t, double base)
{
    for (size_t i = t->n; i-- > 0;) {
        const struct boosted_node *n = &t->node[i];
        double yes, no;

        if (t->number[i] < 0) {
            t->mean[i] = base + ensemble_leaf(e, n->node);
            continue;
        }
        yes = (double)count_at(e, t->node[n->yes].node);
        no = (double)count_at(e, t->node[n->no].node);
        t->mean[i] =
            yes + no > 0
                ? (t->mean[n->yes] * yes + t->mean[n->no] * no) / (yes + no)
                : 0;
    }
}

static void
put_element(struct writing *s, const struct numbered *t, size_t i,
            enum list_kind kind, size_t *set)
{
    const struct ensemble *e = s->b.e;
    uint32_t node = t->node[i].node;
    unsigned bits = e->kind[node], is = bits & ENSEMBLE_KIND;
    bool turned = is_turned(e, node);
    struct buf *out = &s->tree;

    switch (kind) {
    case LIST_FEATURE:
        buf_printf(out, "%lu", (unsigned long)s->b.column[e->feature[node]]);
        break;
    case LIST_GAIN:
        put_number(out, s->gain[e->feature[node]]);
        break;
    case LIST_THRESHOLD:
        if (is == ENSEMBLE_SET)
            buf_printf(out, "%zu", (*set)++);
        else
            put_number(out,
                       ensemble_cut((enum ensemble_kind)is, e->threshold[node],
                                    s->b.rounded, CUT_DOUBLE_LE));
        break;
    case LIST_KIND:
        buf_printf(out, "%u",
                   is == ENSEMBLE_SET
                       ? 9
                       : (bits & ENSEMBLE_ZERO_MISSING ? 4u : 8u) |
                             (bits & ENSEMBLE_MISSING_YES ? 2u : 0u));
        break;
    case LIST_LEFT:
        buf_printf(
            out, "%lld",
            (long long)t->number[turned ? t->node[i].no : t->node[i].yes]);
        break;
    case LIST_RIGHT:
        buf_printf(
            out, "%lld",
            (long long)t->number[turned ? t->node[i].yes : t->node[i].no]);
        break;
    case LIST_MEAN:
        put_number(out, t->mean[i]);
        break;
    case LIST_WEIGHT:
    case LIST_COUNT:
        buf_printf(out, "%ld", count_at(e, node));
    }
}

static void
put_inner(struct writing *s, const char *name, const struct numbered *t,
          enum list_kind kind)
{
    size_t set = 0, n = 0;

    buf_printf(&s->tree, "%s=", name);
    for (size_t i = 0; i < t->n; i++)
        if (t->number[i] >= 0) {
            buf_puts(&s->tree, n++ ? " " : "");
            put_element(s, t, i, kind, &set);
        }
    buf_putc(&s->tree, '\n');
}

static void
put_leaves(struct writing *s, const char *name, const struct numbered *t,
           enum list_kind kind)
{
    size_t n = 0, set = 0;

    buf_printf(&s->tree, "%s=", name);
    for (size_t i = 0; i < t->n; i++)
        if (t->number[i] < 0) {
            buf_puts(&s->tree, n++ ? " " : "");
            put_element(s, t, i, kind, &set);
        }
    buf_putc(&s->tree, '\n');
}

static void
put_lists(struct writing *s, const struct numbered *t, bool lines)
{
    if (t->n_inner || lines) {
        put_inner(s, "split_feature", t, LIST_FEATURE);
        put_inner(s, "split_gain", t, LIST_GAIN);
        put_inner(s, "threshold", t, LIST_THRESHOLD);
        put_inner(s, "decision_type", t, LIST_KIND);
        put_inner(s, "left_child", t, LIST_LEFT);
        put_inner(s, "right_child", t, LIST_RIGHT);
    }
    put_leaves(s, "leaf_value", t, LIST_MEAN);
    if (t->n_inner) {
        put_leaves(s, "leaf_weight", t, LIST_WEIGHT);
        put_leaves(s, "leaf_count", t, LIST_COUNT);
        put_inner(s, "internal_value", t, LIST_MEAN);
        put_inner(s, "internal_weight", t, LIST_WEIGHT);
        put_inner(s, "internal_count", t, LIST_COUNT);
    }
    put_sets(s, t);
}

/* ---- leaves that are lines ---- */

enum line_list { LINE_BASE, LINE_COUNT, LINE_COLUMN, LINE_TERM };

static void
put_line(struct writing *s, uint32_t leaf, enum line_list kind, double base)
{
    const struct ensemble *e = s->b.e;
    uint32_t v = e->feature[leaf], t = 0, end = 0;

    if (v < e->yes[leaf])
        t = ensemble_line(e, v, &end);
    if (kind == LINE_BASE)
        put_number(&s->tree,
                   base + (t < end ? e->line_base[v] : ensemble_leaf(e, leaf)));
    if (kind == LINE_COUNT)
        buf_printf(&s->tree, "%lu", (unsigned long)(end - t));
    if (kind == LINE_BASE || kind == LINE_COUNT) {
        buf_putc(&s->tree, ' ');
        return;
    }
    for (; t < end; t++) {
        if (kind == LINE_TERM)
            put_number(&s->tree, e->line[t]);
        else
            buf_printf(&s->tree, "%lu",
                       (unsigned long)s->b.column[e->line_col[t]]);
        buf_putc(&s->tree, ' ');
    }
}

static bool
has_lines(const struct ensemble *e, const struct numbered *t)
{
    for (size_t i = 0; i < t->n && e->line_start; i++) {
        uint32_t leaf = t->node[i].node, end;

        if (t->number[i] < 0 && e->feature[leaf] < e->yes[leaf] &&
            ensemble_line(e, e->feature[leaf], &end) < end)
            return true;
    }
    return false;
}

static void
put_lines(struct writing *s, const struct numbered *t, double base)
{
    static const char *const names[] = {"leaf_const", "num_features",
                                        "leaf_features", "leaf_coeff"};

    for (size_t k = LINE_BASE; k <= LINE_TERM; k++) {
        buf_printf(&s->tree, "%s=", names[k]);
        for (size_t i = 0; i < t->n; i++)
            if (t->number[i] < 0)
                put_line(s, t->node[i].node, (enum line_list)k, base);
        buf_putc(&s->tree, '\n');
    }
}

/* ---- a tree, all of it ---- */

static bool
number_nodes(const struct ensemble *e, struct numbered *t, struct error *err)
{
    int64_t leaves = 0;

    if (!(t->number = mem_try_array(t->n, sizeof *t->number, err)) ||
        !(t->mean = mem_try_array(t->n, sizeof *t->mean, err)))
        return false;
    for (size_t i = 0; i < t->n; i++) {
        unsigned kind = e->kind[t->node[i].node] & ENSEMBLE_KIND;

        t->n_sets += kind == ENSEMBLE_SET;
        t->number[i] =
            kind == ENSEMBLE_LEAF ? ~leaves++ : (int64_t)t->n_inner++;
    }
    return true;
}

/* The next tree; SIZE_MAX: a single leaf of value 0. */
static bool
put_tree(struct writing *s, size_t id, size_t tree, double base)
{
    struct numbered t = {0};
    bool ok = true, lines = false;

    buf_clear(&s->tree);
    buf_printf(&s->tree, "Tree=%zu\n", id);
    if (tree == SIZE_MAX) {
        buf_puts(&s->tree, "num_leaves=1\nnum_cat=0\nleaf_value=");
        put_number(&s->tree, base);
        buf_putc(&s->tree, '\n');
    } else if ((ok = boosted_tree(s->b.e, tree, &t.node, &t.n, s->err) &&
                     number_nodes(s->b.e, &t, s->err))) {
        buf_printf(&s->tree, "num_leaves=%zu\nnum_cat=%zu\n", t.n - t.n_inner,
                   t.n_sets);
        lines = has_lines(s->b.e, &t);
        find_means(s->b.e, &t, base);
        put_lists(s, &t, lines);
    }
    buf_printf(&s->tree, "is_linear=%d\n", lines);
    if (lines)
        put_lines(s, &t, base);
    buf_puts(&s->tree, "shrinkage=1\n\n\n");
    buf_printf(&s->sizes, "%s%zu", id ? " " : "", s->tree.len);
    buf_add(&s->trees, s->tree.data, s->tree.len);
    free(t.node);
    free(t.number);
    free(t.mean);
    return ok;
}

/* At least one round, which holds what the sums begin with. */
static bool
put_trees(struct writing *s)
{
    size_t k = s->b.e->n_outputs, n = s->n_rounds ? s->n_rounds : 1;

    for (size_t i = 0; i < n * k; i++)
        if (!progress_check(s->p->arena.stop, s->err) ||
            !put_tree(s, i, s->n_rounds ? s->order[i] : SIZE_MAX,
                      i < k ? s->b.e->base[i] : 0))
            return false;
    return buf_check(&s->tree, s->err) && buf_check(&s->trees, s->err) &&
           buf_check(&s->sizes, s->err);
}

/* ---- head and tail ---- */

static bool
put_objective(struct writing *s, struct buf *out)
{
    bool classes = s->p->problem != PROBLEM_REGRESSION;

    switch (s->b.link) {
    case GRAPH_SIGMOID:
        if (s->p->problem == PROBLEM_MULTICLASS)
            buf_printf(out, "objective=multiclassova num_class:%zu sigmoid:1\n",
                       s->p->n_classes);
        else
            buf_puts(out, classes ? "objective=binary sigmoid:1\n"
                                  : "objective=cross_entropy\n");
        return true;
    case GRAPH_SOFTMAX:
        buf_printf(out, "objective=multiclass num_class:%zu\n",
                   s->p->n_classes);
        return true;
    case GRAPH_EXP:
        buf_puts(out, "objective=poisson\n");
        return true;
    case GRAPH_SOFTPLUS:
        buf_puts(out, "objective=cross_entropy_lambda\n");
        return true;
    case GRAPH_SQUARE:
        buf_puts(out, "objective=regression sqrt\n");
        return true;
    case GRAPH_CLIP:
    case GRAPH_NORMALIZE:
        /* Without an objective the sums are the answers. */
        return true;
    case GRAPH_INPUT:
        buf_puts(out, "objective=regression\n");
        return !classes || error_set(s->err, ERR_TYPE,
                                     "LightGBM has no objective for scores of "
                                     "classes as they are: write --c");
    default:
        return error_set(s->err, ERR_TYPE,
                         "LightGBM has no objective whose answers are made by "
                         "'%s': write this model as --onnx or --c",
                         graph_op_word(s->b.link));
    }
}

/* Names are separated by blanks, and what JSON is made of is refused. */
static void
put_name(const char *name, size_t i, struct buf *out)
{
    bool changed = false;

    for (const char *c = name; *c; c++) {
        bool bad = isspace((unsigned char)*c) || strchr("\"[]{}:,=", *c);

        buf_putc(out, bad ? '_' : *c);
        changed |= bad;
    }
    if (changed)
        buf_printf(out, "_%zu", i);
}

static void
put_inputs(struct writing *s, struct buf *out)
{
    size_t n = s->p->graph->n_cols;

    buf_puts(out, "feature_names=");
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i ? " " : "");
        put_name(s->p->input[i].name, i, out);
    }
    buf_puts(out, "\nfeature_infos=");
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i ? " " : "");
        if (s->p->input[i].n_levels == 0)
            buf_puts(out, "[-1e+308:1e+308]");
        for (size_t k = 0; k < s->p->input[i].n_levels; k++)
            buf_printf(out, "%s%zu", k ? ":" : "", k);
    }
    buf_putc(out, '\n');
}

/* In a line of its own, which LightGBM passes over; "=" is for keys alone. */
static bool
put_schema(struct writing *s, struct buf *out)
{
    struct buf schema;
    struct json_writer w;
    bool ok;

    buf_init(&schema);
    json_writer_init(&w, &schema);
    portable_schema_json(s->p, &w);
    buf_puts(out, "lathe=");
    for (size_t i = 0; i < schema.len; i++)
        if (schema.data[i] == '=')
            buf_puts(out, "\\u003d");
        else
            buf_putc(out, schema.data[i]);
    buf_putc(out, '\n');
    ok = buf_check(&schema, s->err);
    buf_fini(&schema);
    return ok;
}

static bool
put_all(struct writing *s, struct buf *out)
{
    size_t k = s->b.e->n_outputs;

    buf_printf(out,
               "tree\nversion=v4\nnum_class=%zu\nnum_tree_per_iteration=%zu\n"
               "label_index=0\nmax_feature_idx=%zu\n",
               k, k, s->p->graph->n_cols - 1);
    if (!put_objective(s, out))
        return false;
    put_inputs(s, out);
    if (!put_schema(s, out) || !put_trees(s))
        return false;
    buf_puts(out, "tree_sizes=");
    buf_add(out, s->sizes.data, s->sizes.len);
    buf_puts(out, "\n\n");
    buf_add(out, s->trees.data, s->trees.len);
    buf_printf(out,
               "end of trees\n\nfeature_importances:\n\nparameters:\n%s\n"
               "end of parameters\n\npandas_categorical:null\n",
               s->b.e->line_start ? "[linear_tree: 1]\n" : "");
    return buf_check(out, s->err);
}

static bool
nodes_check(const struct writing *s)
{
    const struct ensemble *e = s->b.e;

    for (uint32_t i = 0; i < e->n_nodes; i++) {
        if ((e->kind[i] & ENSEMBLE_KIND) == ENSEMBLE_EQ)
            return error_set(s->err, ERR_TYPE,
                             "a split by equality is not in LightGBM: write "
                             "this model as --onnx or --c");
        if (is_turned(e, i) &&
            s->p->input[s->b.column[e->feature[i]]].n_levels == 0)
            return error_set(s->err, ERR_TYPE,
                             "LightGBM sends missing categories to those that "
                             "are not in the set: write this model as --onnx "
                             "or --c");
    }
    return true;
}

bool
lightgbm_write(const struct portable *p, struct buf *out, struct error *err)
{
    struct writing s = {.p = p, .err = err};
    bool ok;

    buf_init(&s.tree);
    buf_init(&s.trees);
    buf_init(&s.sizes);
    ok = boosted_find(p, "LightGBM's format", &s.b, err) && nodes_check(&s) &&
         (s.gain = boosted_gains(s.b.e, err)) &&
         boosted_rounds(s.b.e, "LightGBM", &s.order, &s.n_rounds, err) &&
         put_all(&s, out);
    free(s.order);
    free(s.gain);
    buf_fini(&s.tree);
    buf_fini(&s.trees);
    buf_fini(&s.sizes);
    return ok;
}
