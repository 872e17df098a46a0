/* engine/trees/forest_grow.h -- grow one tree of a random forest.
 *
 * A tree is grown by one thread, breadth first, until its leaves are pure or
 * too small.  Every node looks at some columns drawn at random: each is counted
 * by code, the codes that occur are gone through in their order, and the cut
 * that lowers the squared error most is taken.  For two classes, whose target
 * is 0 or 1, that is the cut that lowers Gini's impurity most; for more the sum
 * over classes is.  Extremely randomised trees draw one cut a column instead.
 *
 * Threads: functions touch only what they are given.
 * Source: Breiman, "Random forests", 2001; Geurts et al., "Extremely randomized
 *         trees", 2006.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_FOREST_GROW_H
#define LATHE_ENGINE_TREES_FOREST_GROW_H

#include "base/progress.h"
#include "engine/trees/tree.h"

struct forest_rule {
    size_t leaves;      /* at most, up to TREE_MAX_LEAVES */
    unsigned max_depth; /* 0: any */
    size_t min_rows;    /* of a leaf, at least 1 */
    size_t features;    /* columns that a node looks at */
    bool extra;         /* a cut at random */
    bool numbers;       /* not classes */
    size_t k;           /* classes told apart by vectors; 1: numbers */
    uint64_t seed;
};

/* A row to learn from, drawn as often as its weight says. */
struct forest_row {
    uint32_t row;
    float weight; /* above 0 */
    double y;     /* number or class */
};

/* A grown tree, before it is appended to a forest. */
struct forest_tree {
    size_t n_nodes, n_leaves;
    struct tree_split *split; /* n_nodes */
    int16_t *left, *right;    /* as in struct forest */
    float *value;             /* (k, n_leaves) */
    uint32_t *cover;          /* n_leaves: rows */
};

/* Grow tree number `tree` on n rows, which come out in another order.
 * ERR_NOMEM, ERR_CANCELLED; then *out needs no release. */
bool
forest_grow(const struct binned *b, const struct forest_rule *r, size_t tree,
            struct forest_row *rows, size_t n, struct progress *progress,
            struct forest_tree *out, struct error *err) MUST_USE;
void forest_tree_fini(struct forest_tree *t);
/* The leaf of a row coded by b. */
size_t
forest_leaf(const struct forest_tree *t, const struct binned *b, size_t row);
#endif
