/* engine/port/onnx_in_trees.c -- the trees of ONNX operators.
 *
 * Versions 1 and 3 list all nodes of all trees with the numbers of their tree
 * and within it, and the values of leaves apart, by the same numbers: both are
 * sorted by them and put together.  Version 5 numbers inner nodes through, and
 * leaves of their own.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "engine/port/onnx_in.h"

static bool
parse_error(struct error *err, const char *what)
{
    return error_set(err, ERR_PARSE, "trees: %s", what);
}

/* ---- lists of an operator ---- */

struct lists {
    const double *tree, *id, *feature, *value, *yes, *no, *missing;
    const struct str *mode;
    size_t n, n_missing;
    const double *leaf_tree, *leaf_id, *leaf_target, *leaf_value;
    size_t n_leaves;
};

static bool
is_number(double x)
{
    return x >= 0 && x < 4294967295.0 && x == floor(x);
}

static bool
numbers_of(const struct onnx_node *n, const char *name, size_t want,
           const double **out, struct error *err)
{
    size_t got;

    *out = onnx_numbers(n, name, &got);
    if (got == want)
        return true;
    return error_set(err, ERR_PARSE, "'%s' has %zu elements, expected %zu",
                     name, got, want);
}

static bool
lists_take(const struct onnx_node *n, struct lists *l, struct error *err)
{
    bool classes = str_is(n->op, "TreeEnsembleClassifier");
    size_t n_modes;

    l->tree = onnx_numbers(n, "nodes_treeids", &l->n);
    l->mode = onnx_texts(n, "nodes_modes", &n_modes);
    l->missing =
        onnx_numbers(n, "nodes_missing_value_tracks_true", &l->n_missing);
    l->leaf_tree = onnx_numbers(n, classes ? "class_treeids" : "target_treeids",
                                &l->n_leaves);
    if (l->n == 0 || n_modes != l->n || (l->n_missing && l->n_missing != l->n))
        return parse_error(err, "lists of nodes do not fit");
    return numbers_of(n, "nodes_nodeids", l->n, &l->id, err) &&
           numbers_of(n, "nodes_featureids", l->n, &l->feature, err) &&
           numbers_of(n, "nodes_values", l->n, &l->value, err) &&
           numbers_of(n, "nodes_truenodeids", l->n, &l->yes, err) &&
           numbers_of(n, "nodes_falsenodeids", l->n, &l->no, err) &&
           numbers_of(n, classes ? "class_nodeids" : "target_nodeids",
                      l->n_leaves, &l->leaf_id, err) &&
           numbers_of(n, classes ? "class_ids" : "target_ids", l->n_leaves,
                      &l->leaf_target, err) &&
           numbers_of(n, classes ? "class_weights" : "target_weights",
                      l->n_leaves, &l->leaf_value, err);
}

/* Tree and node in one key, sorted, with the place in the list. */
struct keyed {
    uint64_t key;
    uint32_t at;
};

static int
by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static struct keyed *
sort_keys(struct onnx_reading *r, const double *tree, const double *id,
          size_t n)
{
    struct keyed *k = mem_try_array(n, sizeof *k, r->err);

    for (size_t i = 0; i < n && k; i++) {
        if (!is_number(tree[i]) || !is_number(id[i])) {
            parse_error(r->err, "a bad number of a node");
            free(k);
            return NULL;
        }
        k[i].key = (uint64_t)tree[i] << 32 | (uint64_t)id[i];
        k[i].at = (uint32_t)i;
    }
    if (k && !sort_items(k, n, sizeof *k, by_key, r->arena.stop, r->err)) {
        free(k);
        return NULL;
    }
    return k;
}

/* The first of n with that key or a higher one. */
static size_t
key_at(const struct keyed *k, size_t n, uint64_t key)
{
    size_t low = 0;

    while (low < n) {
        size_t mid = low + (n - low) / 2;

        if (k[mid].key < key)
            low = mid + 1;
        else
            n = mid;
    }
    return low;
}

/* ---- nodes ---- */

/* What a mode asks; *swap: its answer is turned around. */
static bool
mode_parse(struct str mode, enum ensemble_kind *kind, bool *swap)
{
    static const struct {
        const char *name;
        enum ensemble_kind kind;
        bool swap;
    } modes[] = {
        {"BRANCH_LEQ", ENSEMBLE_LE, false}, {"BRANCH_LT", ENSEMBLE_LT, false},
        {"BRANCH_GTE", ENSEMBLE_LT, true},  {"BRANCH_GT", ENSEMBLE_LE, true},
        {"BRANCH_EQ", ENSEMBLE_EQ, false},  {"BRANCH_NEQ", ENSEMBLE_EQ, true},
        {"LEAF", ENSEMBLE_LEAF, false},
    };

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (str_is(mode, modes[i].name)) {
            *kind = modes[i].kind;
            *swap = modes[i].swap;
            return true;
        }
    return false;
}

/* The answer turned around.  x != c is true of what is missing, whatever else
 * is said of that. */
static void
turn(struct ensemble_node *d)
{
    uint32_t yes = d->yes;

    if ((d->kind & ENSEMBLE_KIND) == ENSEMBLE_EQ)
        d->kind |= ENSEMBLE_MISSING_YES;

    d->yes = d->no;
    d->no = yes;
    d->kind ^= ENSEMBLE_MISSING_YES;
}

struct build {
    struct ensemble *e;
    const struct lists *l;
    const struct keyed *node, *leaf; /* sorted */
    bool merge;
    const struct progress *stop;
    struct error *err;
};

static bool
leaf_take(struct build *b, uint64_t key, struct ensemble_node *to)
{
    const struct lists *l = b->l;
    size_t k = key_at(b->leaf, l->n_leaves, key);

    to->kind = ENSEMBLE_LEAF;
    to->feature = (uint32_t)b->e->n_values;
    for (; k < l->n_leaves && b->leaf[k].key == key; k++) {
        uint32_t at = b->leaf[k].at;
        double target = b->merge ? 0 : l->leaf_target[at];

        if (!is_number(target))
            return parse_error(b->err, "a bad number of an output");
        if (!ensemble_add_value(b->e, (size_t)target, l->leaf_value[at],
                                b->err))
            return false;
    }
    to->yes = (uint32_t)b->e->n_values;
    return true;
}

/* The place among first..first + n - 1 of the node with that number. */
static bool
child_place(const struct build *b, size_t first, size_t n, uint64_t tree,
            double id, uint32_t *out)
{
    uint64_t key = is_number(id) ? tree << 32 | (uint64_t)id : UINT64_MAX;
    size_t at = key_at(b->node + first, n, key);

    if (at == n || b->node[first + at].key != key)
        return parse_error(b->err, "a child is not there");
    *out = (uint32_t)at;
    return true;
}

static bool
node_take(struct build *b, size_t first, size_t n, size_t k,
          struct ensemble_node *to)
{
    const struct lists *l = b->l;
    uint64_t key = b->node[first + k].key, tree = key >> 32;
    uint32_t i = b->node[first + k].at;
    enum ensemble_kind kind;
    bool swap;

    if (k > 0 && b->node[first + k - 1].key == key)
        return parse_error(b->err, "a node is there twice");
    if (!mode_parse(l->mode[i], &kind, &swap))
        return parse_error(b->err, "a mode that is not known");
    if (kind == ENSEMBLE_LEAF)
        return leaf_take(b, key, to);
    to->kind = (uint8_t)kind;
    if (l->n_missing && l->missing[i] != 0)
        to->kind |= ENSEMBLE_MISSING_YES;
    to->threshold = l->value[i];
    if (!is_number(l->feature[i]))
        return parse_error(b->err, "a bad number of a column");
    to->feature = (uint32_t)l->feature[i];
    if (!child_place(b, first, n, tree, l->yes[i], &to->yes) ||
        !child_place(b, first, n, tree, l->no[i], &to->no))
        return false;
    if (swap)
        turn(to);
    return true;
}

static bool
trees_take(struct build *b)
{
    const struct lists *l = b->l;

    for (size_t first = 0, n; first < l->n; first += n) {
        uint64_t tree = b->node[first].key >> 32;
        struct ensemble_node *node;
        size_t root = 0;
        bool ok;

        for (n = 0; first + n < l->n && b->node[first + n].key >> 32 == tree;
             n++)
            if (b->node[first + n].at < b->node[first + root].at)
                root = n;
        if (!progress_check(b->stop, b->err) ||
            !(node = mem_try_array(n, sizeof *node, b->err)))
            return false;
        ok = true;
        for (size_t k = 0; k < n && ok; k++)
            ok = node_take(b, first, n, k, &node[k]);
        ok = ok && ensemble_add_tree(b->e, node, n, root, b->err);
        free(node);
        if (!ok)
            return false;
    }
    return true;
}

static bool
bases_take(const struct onnx_node *n, struct ensemble *e, struct error *err)
{
    size_t count;
    const double *base = onnx_numbers(n, "base_values", &count);

    if (count == 0)
        return true;
    /* Two classes whose score is one number: the second's counts. */
    if (e->n_outputs == 1 && count == 2)
        base++;
    else if (count != e->n_outputs && count != 1)
        return parse_error(err, "base values do not fit the outputs");
    for (size_t k = 0; k < e->n_outputs; k++) {
        e->base[k] = count == 1 ? base[0] : base[k];
        if (!isfinite(e->base[k]))
            return parse_error(err, "a base value is not finite");
    }
    return true;
}

/* Values become means where sums of trees do. */
static bool
fold_apply(struct ensemble *e, struct str fold, struct error *err)
{
    double n = (double)(e->n_trees ? e->n_trees : 1);

    if (fold.n == 0 || str_is(fold, "SUM"))
        return true;
    if (!str_is(fold, "AVERAGE"))
        return error_set(err, ERR_TYPE,
                         "trees that are put together by %.*s are not read",
                         (int)(fold.n < 16 ? fold.n : 16), fold.p);
    ensemble_scale(e, 1, n);
    return true;
}

static struct ensemble *
trees_listed(struct onnx_reading *r, const struct onnx_node *n, size_t n_cols,
             size_t n_outputs, bool merge)
{
    struct lists l = {0};
    struct build b = {
        .l = &l, .merge = merge, .stop = r->arena.stop, .err = r->err};
    struct keyed *node = NULL, *leaf = NULL;
    bool ok = false;

    if (lists_take(n, &l, r->err) && (node = sort_keys(r, l.tree, l.id, l.n)) &&
        (leaf = sort_keys(r, l.leaf_tree, l.leaf_id, l.n_leaves)) &&
        (b.e = ensemble_new(n_cols, n_outputs, r->err))) {
        b.node = node;
        b.leaf = leaf;
        ok = trees_take(&b) &&
             fold_apply(b.e, onnx_text(n, "aggregate_function"), r->err) &&
             bases_take(n, b.e, r->err);
    }
    free(node);
    free(leaf);
    if (ok)
        return b.e;
    ensemble_free(b.e);
    return NULL;
}

/* ---- version 5 ---- */

struct five {
    const double *root, *feature, *mode, *split, *yes, *no, *yes_leaf, *no_leaf;
    const double *missing, *target, *weight, *member;
    size_t n_roots, n, n_missing, n_leaves, n_members;
    double *set; /* of a node: its set's number, or -1; owned */
};

static bool
five_take(const struct onnx_node *n, struct five *f, struct error *err)
{
    f->root = onnx_numbers(n, "tree_roots", &f->n_roots);
    f->feature = onnx_numbers(n, "nodes_featureids", &f->n);
    f->missing =
        onnx_numbers(n, "nodes_missing_value_tracks_true", &f->n_missing);
    f->target = onnx_numbers(n, "leaf_targetids", &f->n_leaves);
    f->member = onnx_numbers(n, "membership_values", &f->n_members);
    if (f->n == 0 || f->n_roots == 0 || (f->n_missing && f->n_missing != f->n))
        return parse_error(err, "lists of nodes do not fit");
    return numbers_of(n, "nodes_modes", f->n, &f->mode, err) &&
           numbers_of(n, "nodes_splits", f->n, &f->split, err) &&
           numbers_of(n, "nodes_truenodeids", f->n, &f->yes, err) &&
           numbers_of(n, "nodes_falsenodeids", f->n, &f->no, err) &&
           numbers_of(n, "nodes_trueleafs", f->n, &f->yes_leaf, err) &&
           numbers_of(n, "nodes_falseleafs", f->n, &f->no_leaf, err) &&
           numbers_of(n, "leaf_weights", f->n_leaves, &f->weight, err);
}

/* The sets of all nodes of mode 6, in their order, each ended by NaN. */
static bool
five_sets(struct five *f, struct ensemble *e, struct error *err)
{
    size_t at = 0;

    if (!(f->set = mem_try_array(f->n, sizeof *f->set, err)))
        return false;
    for (size_t i = 0; i < f->n; i++) {
        size_t from = at;
        uint32_t number;

        f->set[i] = -1;
        if (f->mode[i] != 6)
            continue;
        while (at < f->n_members && !isnan(f->member[at]))
            at++;
        if (!ensemble_add_set(e, f->member + from, at - from, &number, err))
            return false;
        f->set[i] = number;
        at++;
        if (at > f->n_members)
            at = f->n_members;
    }
    return true;
}

/* A tree under construction: the nodes first..first + n - 1, and behind them
 * the leaves. */
struct five_tree {
    const struct five *f;
    struct ensemble *e;
    size_t first, n, n_nodes;
    struct ensemble_node *node; /* n_nodes so far */
    struct error *err;
};

/* A child of a node: a place among these, or, for a leaf, behind them, where it
 * is put. */
static bool
five_child(struct five_tree *t, bool leaf, double id, uint32_t *out)
{
    const struct five *f = t->f;
    struct ensemble_node *to = &t->node[t->n_nodes];

    if (!leaf) {
        if (!(id >= (double)t->first && id < (double)(t->first + t->n)))
            return parse_error(t->err, "a child that belongs to another tree");
        *out = (uint32_t)(id - (double)t->first);
        return true;
    }
    if (!is_number(id) || id >= (double)f->n_leaves ||
        !is_number(f->target[(size_t)id]))
        return parse_error(t->err, "a leaf is not there");
    to->kind = ENSEMBLE_LEAF;
    to->feature = (uint32_t)t->e->n_values;
    to->yes = to->feature + 1;
    *out = (uint32_t)t->n_nodes++;
    return ensemble_add_value(t->e, (size_t)f->target[(size_t)id],
                              f->weight[(size_t)id], t->err);
}

static bool
five_node(struct five_tree *t, size_t i)
{
    static const struct str modes[] = {{"BRANCH_LEQ", 10}, {"BRANCH_LT", 9},
                                       {"BRANCH_GTE", 10}, {"BRANCH_GT", 9},
                                       {"BRANCH_EQ", 9},   {"BRANCH_NEQ", 10}};
    const struct five *f = t->f;
    struct ensemble_node *to = &t->node[i - t->first];
    enum ensemble_kind kind = ENSEMBLE_SET;
    bool swap = false;

    if (!is_number(f->mode[i]) || f->mode[i] > 6 || !is_number(f->feature[i]))
        return parse_error(t->err, "a bad node");
    if (f->mode[i] < 6)
        (void)mode_parse(modes[(size_t)f->mode[i]], &kind, &swap);
    to->kind = (uint8_t)kind;
    if (f->n_missing && f->missing[i] != 0)
        to->kind |= ENSEMBLE_MISSING_YES;
    to->feature = (uint32_t)f->feature[i];
    to->threshold = kind == ENSEMBLE_SET ? f->set[i] : f->split[i];
    if (!five_child(t, f->yes_leaf[i] != 0, f->yes[i], &to->yes) ||
        !five_child(t, f->no_leaf[i] != 0, f->no[i], &to->no))
        return false;
    if (swap)
        turn(to);
    return true;
}

/* A tree is the nodes from its root to the next one. */
static bool
five_tree(const struct five *f, struct ensemble *e, size_t at,
          struct error *err)
{
    double end = at + 1 < f->n_roots ? f->root[at + 1] : (double)f->n;
    struct five_tree t = {.f = f, .e = e, .err = err};
    bool ok = true;

    if (!is_number(f->root[at]) || !(f->root[at] < end) || end > (double)f->n)
        return parse_error(err, "roots do not ascend");
    t.first = (size_t)f->root[at];
    t.n = t.n_nodes = (size_t)end - t.first;
    if (!(t.node = mem_try_array(t.n, 3 * sizeof *t.node, err)))
        return false;
    for (size_t i = t.first; i < t.first + t.n && ok; i++)
        ok = five_node(&t, i);
    ok = ok && ensemble_add_tree(e, t.node, t.n_nodes, 0, err);
    free(t.node);
    return ok;
}

static struct ensemble *
trees_five(struct onnx_reading *r, const struct onnx_node *n, size_t n_cols,
           size_t n_outputs)
{
    struct error *err = r->err;
    struct five f = {0};
    struct ensemble *e = NULL;
    double fold = onnx_int(n, "aggregate_function", 1);
    bool ok = five_take(n, &f, err) &&
              (e = ensemble_new(n_cols, n_outputs, err)) &&
              five_sets(&f, e, err);

    for (size_t t = 0; t < f.n_roots && ok; t++)
        ok = progress_check(r->arena.stop, err) && five_tree(&f, e, t, err);
    ok = ok && fold_apply(e,
                          fold == 0   ? STR("AVERAGE")
                          : fold == 1 ? STR("SUM")
                          : fold == 2 ? STR("MIN")
                                      : STR("MAX"),
                          err);
    free(f.set);
    if (ok)
        return e;
    ensemble_free(e);
    return NULL;
}

struct ensemble *
onnx_trees(struct onnx_reading *r, const struct onnx_node *n, size_t n_cols,
           size_t n_outputs, bool merge)
{
    if (str_is(n->op, "TreeEnsemble"))
        return trees_five(r, n, n_cols, n_outputs);
    return trees_listed(r, n, n_cols, n_outputs, merge);
}

size_t
onnx_trees_columns(const struct onnx_node *n)
{
    size_t count;
    const double *x = onnx_numbers(n, "nodes_featureids", &count);
    double top = 0;

    for (size_t i = 0; i < count; i++)
        if (x[i] > top)
            top = x[i];
    return top < 1e6 ? (size_t)top + 1 : 1;
}
