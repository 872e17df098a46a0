/* engine/trees/grow.h -- grow one tree, best leaf first.
 *
 * The leaf whose best split gains most is split next, until there are enough
 * leaves or nothing gains.
 *
 * Integers choose the splits; the value of a leaf is the Newton step over the
 * gradients themselves:  -T(G) / (H + l2), at most max_delta, times rate.
 *
 * Threads: one owner; works on the pool it is given.  Memory is had once, in
 * grower_new(): nothing is allocated while a tree grows, but for the forest.
 * Source: Shi, "Best-first decision tree learning", 2007; LightGBM.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_GROW_H
#define LATHE_ENGINE_TREES_GROW_H

#include "base/progress.h"
#include "engine/trees/hist.h"
#include "engine/trees/split.h"
#include "engine/trees/tree.h"

/* Leaves keep their histograms, so that of two siblings only one is counted.
 * Where rows are few and columns many these take more than the table: then a
 * leaf is counted while it is searched, some columns at a time, and nothing is
 * kept.  The trees are the same. */
enum grow_hists { GROW_HISTS_USUAL, GROW_HISTS_KEPT, GROW_HISTS_NONE };

struct grow_options {
    size_t leaves;      /* at most, 1..TREE_MAX_LEAVES */
    unsigned max_depth; /* 0: any */
    struct split_rule split;
    double max_delta; /* of a leaf before `rate`; 0: any */
    double rate;
    size_t hist_bytes; /* memory for histograms; 0: a quarter of what the
                          codes take, from 6 to 256 MiB */
    enum grow_hists hists;
    size_t *left;  /* bounds what lists of rows take: room_init() */
    bool by_level; /* leaves nearest to the root first, not the best */
    /* Share of the columns that the nodes of a level of a tree, and of those a
     * node, may use; 0: all.  What is drawn follows from seed. */
    double level_share, node_share;
    uint64_t seed;
    /* By column of the design: 1 where the value never falls as the column
     * rises, -1 where it never rises; not for categories.  NULL: any. */
    const int8_t *trend;
    /* Groups of columns: those on a way from the root are all in one, or are
     * one column.  n_groups sets of GROW_SET_WORDS(columns) words. */
    const uint64_t *group;
    size_t n_groups;
};
#define GROW_SET_WORDS(n) (((n) + 63) / 64)

struct grower;
/* b is borrowed. */
struct grower *grower_new(const struct binned *b, const struct grow_options *o,
                          struct pool *pool, struct progress *progress,
                          struct error *err) MUST_USE;
void grower_free(struct grower *g);

/* Where the caller puts the numbers of the rows to learn from, ascending, and
 * their quantised gradients by row number, before each tree: the first is lost
 * as a tree grows. */
uint32_t *grower_rows(struct grower *g);
struct hist_quantum *grower_quanta(struct grower *g);
/* Grow a tree on the first n of grower_rows() and append it to f.
 *   gradient  by row number
 *   active    by slot: may it split?  NULL: all may
 * False with ERR_NOMEM or ERR_CANCELLED, f as before. */
bool grow_tree(struct grower *g, size_t n, const struct hist_scale *scale,
               const struct gradient *gradient, const bool *active,
               struct forest *f, struct error *err) MUST_USE;

/* Of the last tree grown: */
size_t grower_leaves(const struct grower *g);
/* v, or the nearest value that keeps to the trends; before `rate`. */
double grower_bound(const struct grower *g, size_t leaf, double v);
/* leaf[row] = its leaf, for the rows it was grown on. */
void grower_leaf_of(const struct grower *g, uint16_t *leaf);
/* Another value for a leaf, here and in f, whose last tree it is.  Leaves may
 * be set by many threads. */
void grower_set_leaf(struct grower *g, struct forest *f, size_t leaf, float v);
/* leaf[row] = its leaf, for rows begin..end-1 of a table coded by the same
 * cuts. */
void grower_leaf_coded(const struct grower *g, const struct binned *b,
                       size_t begin, size_t end, uint16_t *leaf);
/* score[row * stride] += value of its leaf, for the rows it was grown on. */
void grower_add_grown(const struct grower *g, double *score, size_t stride);
/* The same for rows begin..end-1 of a table coded by the same cuts. */
void grower_add_coded(const struct grower *g, const struct binned *b,
                      size_t begin, size_t end, double *score, size_t stride);
#endif
