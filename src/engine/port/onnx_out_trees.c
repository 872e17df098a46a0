/* engine/port/onnx_out_trees.c -- trees as ONNX operators have them.
 *
 * Version 3 has no sets: one becomes a chain of nodes that ask for equality,
 * all with the same child where it is true, over its members or, where that is
 * shorter, over the other levels of the column.
 *
 *      x == a --no--> x == b --no--> x == c --no--> other
 *        `--yes---------'--yes---------'--yes-----> child
 *
 * A missing value equals nothing and takes the way that the first node of the
 * chain has for it, or the last "no".
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/onnx_out.h"

enum { MAX_NODES = 1 << 24 };

/* ---- lists that grow ---- */

enum list {
    TREE,
    ID,
    FEATURE,
    MODE, /* as TreeEnsemble numbers them; 7: leaf */
    YES,
    NO,
    MISSING,
    LEAF_TREE,
    LEAF_ID,
    LEAF_TARGET,
    N_COLUMNS
};
enum { LEQ = 0, LT = 1, EQ = 4, MEMBER = 6, LEAF = 7 };

struct out {
    const struct ensemble *e;
    const size_t *n_levels;
    int64_t *column[N_COLUMNS];
    double *value, *weight;
    size_t n, n_leaves, cap, cap_leaves;
    struct error *err;
};

static void
out_fini(struct out *o)
{
    for (size_t i = 0; i < N_COLUMNS; i++)
        free(o->column[i]);
    free(o->value);
    free(o->weight);
}

static bool
widen(struct out *o, unsigned first, unsigned last, double **x, size_t n,
      size_t *cap)
{
    size_t more = *cap ? 2 * *cap : 256;
    double *grown;

    if (n < *cap)
        return true;
    for (unsigned k = first; k <= last; k++) {
        int64_t *list =
            mem_try_resize(o->column[k], more, sizeof *list, o->err);

        if (!list)
            return false;
        o->column[k] = list;
    }
    if (!(grown = mem_try_resize(*x, more, sizeof *grown, o->err)))
        return false;
    *x = grown;
    *cap = more;
    return true;
}

/* A node; its place, or SIZE_MAX. */
static size_t
put_node(struct out *o, int64_t tree, int64_t id, unsigned mode)
{
    size_t i = o->n;

    if (i >= MAX_NODES) {
        error_set(o->err, ERR_LIMIT,
                  "more than %d nodes: write --onnx-ml 5, which has sets",
                  MAX_NODES);
        return SIZE_MAX;
    }
    if (!widen(o, TREE, MISSING, &o->value, o->n, &o->cap))
        return SIZE_MAX;
    o->column[TREE][i] = tree;
    o->column[ID][i] = id;
    o->column[FEATURE][i] = 0;
    o->column[MODE][i] = mode;
    o->column[YES][i] = o->column[NO][i] = 0;
    o->column[MISSING][i] = 0;
    o->value[i] = 0;
    return o->n++;
}

static bool
put_leaf(struct out *o, int64_t tree, int64_t id, uint32_t node)
{
    const struct ensemble *e = o->e;

    for (uint32_t v = e->feature[node]; v < e->yes[node]; v++) {
        if (!widen(o, LEAF_TREE, LEAF_TARGET, &o->weight, o->n_leaves,
                   &o->cap_leaves))
            return false;
        o->column[LEAF_TREE][o->n_leaves] = tree;
        o->column[LEAF_ID][o->n_leaves] = id;
        o->column[LEAF_TARGET][o->n_leaves] = e->target[v];
        o->weight[o->n_leaves++] = e->value[v];
    }
    return true;
}

/* What a node asks in 32-bit floats. */
static unsigned
question(const struct ensemble *e, uint32_t i, double *value)
{
    enum ensemble_kind kind = (enum ensemble_kind)(e->kind[i] & ENSEMBLE_KIND);
    double t = e->threshold[i];

    if (kind == ENSEMBLE_EQ) {
        *value = t;
        return EQ;
    }
    *value = ensemble_cut(kind, t, false,
                          kind == ENSEMBLE_LT ? CUT_FLOAT_LT : CUT_FLOAT_LE);
    *value = fmin(fmax(*value, -(double)FLT_MAX), (double)FLT_MAX);
    return kind == ENSEMBLE_LT ? LT : LEQ;
}

static bool
node_check(const struct ensemble *e, struct error *err)
{
    if (!ensemble_no_lines(e, "ONNX", err))
        return false;
    for (size_t i = 0; i < e->n_nodes; i++) {
        if (e->kind[i] & ENSEMBLE_ZERO_MISSING)
            return error_set(err, ERR_TYPE,
                             "a split that takes 0 as missing is not in ONNX: "
                             "write this model as --c");
        if ((e->kind[i] & ENSEMBLE_KIND) == ENSEMBLE_EQ &&
            (double)(float)e->threshold[i] != e->threshold[i])
            return error_set(err, ERR_TYPE,
                             "a split asks for %.17g, which no 32-bit input "
                             "can be: write this model as --c",
                             e->threshold[i]);
    }
    return true;
}

/* ---- version 3 ---- */

/* The numbers that a chain asks for; *turned: they are those not in the set. */
static bool
chain_members(const struct out *o, uint32_t i, double **member, size_t *n,
              bool *turned)
{
    const struct ensemble *e = o->e;
    uint32_t set = (uint32_t)e->threshold[i];
    size_t levels = o->n_levels[e->feature[i]], in = 0;
    size_t bits = (size_t)(e->set_start[set + 1] - e->set_start[set]) * 64;
    size_t end = levels ? levels : bits; /* no input is a level beyond */

    for (size_t v = 0; v < end; v++)
        in += ensemble_has(e, set, (double)v);
    *turned = levels > 0 && levels < 2 * in;
    if (!(*member = mem_try_array(end + 1, sizeof **member, o->err)))
        return false;
    *n = 0;
    for (size_t v = 0; v < end; v++)
        if (ensemble_has(e, set, (double)v) != *turned)
            (*member)[(*n)++] = (double)v;
    if (*n == 0)
        (*member)[(*n)++] = -1; /* what no level is */
    return true;
}

/* *next: the number of the next node that a chain needs in this tree. */
static bool
put_chain(struct out *o, int64_t tree, uint32_t i, uint32_t root, int64_t *next)
{
    const struct ensemble *e = o->e;
    int64_t yes = e->yes[i] - root, no = e->no[i] - root, id = i - root;
    bool missing = e->kind[i] & ENSEMBLE_MISSING_YES, turned, ok = true;
    double *member;
    size_t n;

    if (!chain_members(o, i, &member, &n, &turned))
        return false;
    for (size_t k = 0; k < n && ok; k++) {
        size_t at = put_node(o, tree, id, EQ);

        if (!(ok = at < SIZE_MAX))
            break;
        id = (*next)++;
        o->column[FEATURE][at] = e->feature[i];
        o->column[YES][at] = turned ? no : yes;
        o->column[NO][at] = k + 1 < n ? id : turned ? yes : no;
        o->column[MISSING][at] = missing != turned;
        o->value[at] = member[k];
    }
    *next -= 1;
    free(member);
    return ok;
}

static bool
put_tree(struct out *o, size_t t)
{
    const struct ensemble *e = o->e;
    uint32_t root = e->root[t];
    size_t end = t + 1 < e->n_trees ? e->root[t + 1] : e->n_nodes;
    int64_t next = (int64_t)(end - root);

    for (uint32_t i = root; i < end; i++) {
        unsigned kind = e->kind[i] & ENSEMBLE_KIND;
        size_t at;

        if (kind == ENSEMBLE_SET) {
            if (!put_chain(o, (int64_t)t, i, root, &next))
                return false;
            continue;
        }
        at = put_node(o, (int64_t)t, i - root, LEAF);
        if (at == SIZE_MAX)
            return false;
        if (kind == ENSEMBLE_LEAF) {
            if (!put_leaf(o, (int64_t)t, i - root, i))
                return false;
            continue;
        }
        o->column[MODE][at] = question(e, i, &o->value[at]);
        o->column[FEATURE][at] = e->feature[i];
        o->column[YES][at] = e->yes[i] - root;
        o->column[NO][at] = e->no[i] - root;
        o->column[MISSING][at] = (e->kind[i] & ENSEMBLE_MISSING_YES) != 0;
    }
    return true;
}

static bool
put_modes(struct out *o, struct buf *node)
{
    static const char *const names[] = {[LEQ] = "BRANCH_LEQ",
                                        [LT] = "BRANCH_LT",
                                        [EQ] = "BRANCH_EQ",
                                        [LEAF] = "LEAF"};
    const char **mode = mem_try_array(o->n, sizeof *mode, o->err);

    if (!mode)
        return false;
    for (size_t i = 0; i < o->n; i++)
        mode[i] = names[o->column[MODE][i]];
    onnx_put_texts(node, "nodes_modes", mode, o->n);
    free(mode);
    return true;
}

bool
onnx_put_trees(struct onnx_writing *w, const struct ensemble *e,
               const size_t *n_levels, bool classes)
{
    struct error *err = w->err;
    struct buf *node = &w->node;
    struct out o = {.e = e, .n_levels = n_levels, .err = err};
    bool ok = node_check(e, err);

    for (size_t t = 0; t < e->n_trees && ok; t++)
        ok = progress_check(w->p->arena.stop, err) && put_tree(&o, t);
    /* An operator wants a tree. */
    if (ok && e->n_trees == 0)
        ok = put_node(&o, 0, 0, LEAF) < SIZE_MAX;
    if (ok && (ok = put_modes(&o, node))) {
        onnx_put_ints(node, "nodes_treeids", o.column[TREE], o.n);
        onnx_put_ints(node, "nodes_nodeids", o.column[ID], o.n);
        onnx_put_ints(node, "nodes_featureids", o.column[FEATURE], o.n);
        onnx_put_floats(node, "nodes_values", o.value, o.n);
        onnx_put_ints(node, "nodes_truenodeids", o.column[YES], o.n);
        onnx_put_ints(node, "nodes_falsenodeids", o.column[NO], o.n);
        onnx_put_ints(node, "nodes_missing_value_tracks_true",
                      o.column[MISSING], o.n);
        onnx_put_ints(node, classes ? "class_treeids" : "target_treeids",
                      o.column[LEAF_TREE], o.n_leaves);
        onnx_put_ints(node, classes ? "class_nodeids" : "target_nodeids",
                      o.column[LEAF_ID], o.n_leaves);
        onnx_put_ints(node, classes ? "class_ids" : "target_ids",
                      o.column[LEAF_TARGET], o.n_leaves);
        onnx_put_floats(node, classes ? "class_weights" : "target_weights",
                        o.weight, o.n_leaves);
        onnx_put_floats(node, "base_values", e->base, e->n_outputs);
    }
    out_fini(&o);
    return ok;
}

/* ---- version 5 ---- */

struct five {
    const struct ensemble *e;
    int64_t *place; /* of a node: among inner nodes, or among leaves */
    size_t n_inner, n_leaves;
    double *split, *weight, *mode, *member;
    int64_t *feature, *yes, *no, *yes_leaf, *no_leaf, *missing, *target, *root;
    size_t n_members;
};

static bool
is_leaf(const struct ensemble *e, size_t i)
{
    return (e->kind[i] & ENSEMBLE_KIND) == ENSEMBLE_LEAF;
}

/* Leaves of one value; a tree that is one leaf has a node above it. */
static bool
five_places(struct five *f, struct error *err)
{
    const struct ensemble *e = f->e;
    size_t bits = 0;

    if (!(f->place = mem_try_array(e->n_nodes, sizeof *f->place, err)))
        return false;
    for (size_t i = 0, t = 0; i < e->n_nodes; i++) {
        if (t < e->n_trees && e->root[t] == i) {
            f->n_inner += is_leaf(e, i);
            t++;
        }
        if (is_leaf(e, i) && e->yes[i] - e->feature[i] > 1)
            return error_set(err, ERR_TYPE,
                             "leaves of several values are not in ai.onnx.ml "
                             "5: write --onnx-ml 3");
        f->place[i] = (int64_t)(is_leaf(e, i) ? f->n_leaves++ : f->n_inner++);
        if ((e->kind[i] & ENSEMBLE_KIND) == ENSEMBLE_SET) {
            uint32_t set = (uint32_t)e->threshold[i];

            bits +=
                (size_t)(e->set_start[set + 1] - e->set_start[set]) * 64 + 1;
        }
    }
    f->member = mem_try_array(bits, sizeof *f->member, err);
    return f->member != NULL;
}

static bool
five_room(struct five *f, struct error *err)
{
    size_t n = f->n_inner, m = f->n_leaves;

    return (f->split = mem_try_array(n, sizeof *f->split, err)) &&
           (f->mode = mem_try_array(n, sizeof *f->mode, err)) &&
           (f->feature = mem_try_array(n, sizeof *f->feature, err)) &&
           (f->yes = mem_try_array(n, sizeof *f->yes, err)) &&
           (f->no = mem_try_array(n, sizeof *f->no, err)) &&
           (f->yes_leaf = mem_try_array(n, sizeof *f->yes_leaf, err)) &&
           (f->no_leaf = mem_try_array(n, sizeof *f->no_leaf, err)) &&
           (f->missing = mem_try_array(n, sizeof *f->missing, err)) &&
           (f->weight = mem_try_array(m, sizeof *f->weight, err)) &&
           (f->target = mem_try_array(m, sizeof *f->target, err)) &&
           (f->root = mem_try_array(f->e->n_trees, sizeof *f->root, err));
}

static void
five_fini(struct five *f)
{
    free(f->place);
    free(f->split);
    free(f->mode);
    free(f->member);
    free(f->feature);
    free(f->yes);
    free(f->no);
    free(f->yes_leaf);
    free(f->no_leaf);
    free(f->missing);
    free(f->weight);
    free(f->target);
    free(f->root);
}

static void
five_set(struct five *f, uint32_t i)
{
    const struct ensemble *e = f->e;
    uint32_t set = (uint32_t)e->threshold[i];
    size_t bits = (size_t)(e->set_start[set + 1] - e->set_start[set]) * 64;

    for (size_t v = 0; v < bits; v++)
        if (ensemble_has(e, set, (double)v))
            f->member[f->n_members++] = (double)v;
    f->member[f->n_members++] = (double)NAN;
}

static void
five_node(struct five *f, uint32_t i, size_t at)
{
    const struct ensemble *e = f->e;
    bool set = (e->kind[i] & ENSEMBLE_KIND) == ENSEMBLE_SET;

    f->feature[at] = e->feature[i];
    f->mode[at] = set ? MEMBER : question(e, i, &f->split[at]);
    if (set)
        five_set(f, i);
    f->yes[at] = f->place[e->yes[i]];
    f->no[at] = f->place[e->no[i]];
    f->yes_leaf[at] = is_leaf(e, e->yes[i]);
    f->no_leaf[at] = is_leaf(e, e->no[i]);
    f->missing[at] = (e->kind[i] & ENSEMBLE_MISSING_YES) != 0;
}

static void
five_fill(struct five *f)
{
    const struct ensemble *e = f->e;

    for (size_t i = 0, t = 0; i < e->n_nodes; i++) {
        bool root = t < e->n_trees && e->root[t] == i;
        size_t place = (size_t)f->place[i];

        if (is_leaf(e, i)) {
            f->weight[place] = ensemble_leaf(e, (uint32_t)i);
            if (e->feature[i] < e->yes[i])
                f->target[place] = e->target[e->feature[i]];
        } else {
            five_node(f, (uint32_t)i, place);
        }
        if (root && is_leaf(e, i)) {
            /* The inner node that five_places() left room for: both ways lead
             * to the leaf. */
            size_t at = t > 0 ? (size_t)f->root[t - 1] : 0;

            while (t > 0 && at < f->n_inner && f->mode[at] >= 0)
                at++;
            f->root[t] = (int64_t)at;
            f->mode[at] = LEQ;
            f->yes[at] = f->no[at] = (int64_t)place;
            f->yes_leaf[at] = f->no_leaf[at] = 1;
        } else if (root) {
            f->root[t] = (int64_t)place;
        }
        t += root;
    }
}

bool
onnx_put_trees_five(const struct ensemble *e, struct buf *node,
                    struct error *err)
{
    struct five f = {.e = e};
    bool ok = node_check(e, err) && five_places(&f, err) && five_room(&f, err);

    if (ok) {
        for (size_t i = 0; i < f.n_inner; i++)
            f.mode[i] = -1;
        five_fill(&f);
        onnx_put_ints(node, "tree_roots", f.root, e->n_trees);
        onnx_put_ints(node, "nodes_featureids", f.feature, f.n_inner);
        onnx_put_tensor(node, "nodes_modes", ONNX_UINT8, f.mode, f.n_inner);
        onnx_put_tensor(node, "nodes_splits", ONNX_FLOAT, f.split, f.n_inner);
        onnx_put_ints(node, "nodes_truenodeids", f.yes, f.n_inner);
        onnx_put_ints(node, "nodes_trueleafs", f.yes_leaf, f.n_inner);
        onnx_put_ints(node, "nodes_falsenodeids", f.no, f.n_inner);
        onnx_put_ints(node, "nodes_falseleafs", f.no_leaf, f.n_inner);
        onnx_put_ints(node, "nodes_missing_value_tracks_true", f.missing,
                      f.n_inner);
        onnx_put_ints(node, "leaf_targetids", f.target, f.n_leaves);
        onnx_put_tensor(node, "leaf_weights", ONNX_FLOAT, f.weight, f.n_leaves);
        if (f.n_members)
            onnx_put_tensor(node, "membership_values", ONNX_FLOAT, f.member,
                            f.n_members);
        onnx_put_int(node, "n_targets", (int64_t)e->n_outputs);
        onnx_put_int(node, "aggregate_function", 1);
        onnx_put_int(node, "post_transform", 0);
    }
    five_fini(&f);
    return ok;
}
