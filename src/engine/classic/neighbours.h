/* engine/classic/neighbours.h -- rows in memory, searched for the nearest.
 *
 * A k-d tree over panels: a node halves its panels, the rows of the first half
 * being those on one side of a cut.  Its shape follows from the number of rows
 * alone, so a file holds the cuts and nothing that could lead astray.
 *
 * Threads: immutable once built.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_NEIGHBOURS_H
#define LATHE_ENGINE_CLASSIC_NEIGHBOURS_H

#include "base/progress.h"
#include "engine/classic/block.h"
#include "engine/classic/panels.h"

struct neighbours {
    struct panels x; /* in the order of the tree */
    uint32_t *id;    /* n: which row of the table each is */
    /* Of each node, in heap order from 1; n_nodes is 0 without a tree. */
    size_t n_nodes;
    uint32_t *column;
    double *cut;
    const struct block_kernels *kernels;
};

/* Takes x.  ERR_CANCELLED when stopped. */
bool neighbours_build(struct neighbours *t, struct panels *x, bool tree,
                      struct progress *progress, struct error *err) MUST_USE;
void neighbours_fini(struct neighbours *t);
/* Nodes of a tree over n rows. */
size_t neighbours_nodes(size_t n);

/* The k nearest of one row, nearest first; k <= n. */
struct neighbour {
    double distance; /* squared */
    uint32_t id;     /* row of the table */
    uint32_t at;     /* row of x */
};
/* Doubles of scratch that a search needs. */
size_t neighbours_scratch(const struct neighbours *t);
/* For n <= PANEL rows of a panel q: out holds k for each, or anything once the
 * pool was stopped. */
void neighbours_find(const struct neighbours *t, const struct pool *pool,
                     const double *q, size_t n, size_t k, double *scratch,
                     struct neighbour *out);
#endif
