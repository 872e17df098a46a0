/* engine/trees/forest_state.h -- what the files of the grower of forests share:
 * forest_grow.c looks for the best split and grows the tree, forest_draw.c draws
 * cuts at random.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_FOREST_STATE_H
#define LATHE_ENGINE_TREES_FOREST_STATE_H

#include "base/rng.h"
#include "engine/trees/forest_grow.h"
#include "engine/trees/forest_kernel.h"

enum {
    STREAM_NODES = 0x6e6f6465,
    CODES = 256,
    WORDS = CODES / 64,
    FEW_ROWS = 128 /* fewer than it pays to look at all codes for */
};

/* Gains below this share of what they are a difference of are rounding. */
static const double NOISE = 1e-10;

/* A leaf that may be split, in the order of their coming. */
struct item {
    size_t begin, n;
    unsigned depth;
    int32_t parent; /* node, -1: the root */
    bool is_left;
};

/* What is counted of a code: rows, weight, and the sum of weight times target,
 * or the weight by class, in sum[code * k]. */
struct column_sums {
    uint32_t n[CODES];
    double weight[CODES];
    double *sum;
    uint64_t seen[WORDS];
};

struct side {
    double n, weight;
    double *sum; /* k */
};

struct best {
    struct tree_split split;
    double gain;
};

struct growth {
    const struct binned *b;
    const struct forest_rule *r;
    const struct forest_kernels *kernels;
    struct progress *progress;
    uint64_t stream, drawn; /* of random numbers */
    struct forest_row *rows, *scratch;
    struct item *queue;
    size_t head, tail;
    uint32_t *slot; /* in an order drawn anew for each node */
    struct column_sums c;
    struct side all, left; /* of the node; of a scan */
    uint8_t order[CODES];  /* of a category's codes */
    double *key;           /* CODES */
    uint16_t *code;        /* of an item's rows, one after the other */
    uint16_t *rank;    /* by code of each category, 1.. in the order of means of
                          the tree's rows, 0 where there are none; or NULL */
    uint32_t *rank_at; /* by slot: which of them */
    struct forest_tree *out;
    size_t cap;
};

static inline uint64_t
forest_draw(struct growth *g, uint64_t n)
{
    return rng_below(g->r->seed, g->stream, g->drawn++, n);
}

/* Sum of squares over weight of both sides. */
static inline double
score_of(const struct growth *g, const struct side *left)
{
    double l = 0, r = 0;

    for (size_t i = 0; i < g->r->k; i++) {
        double a = left->sum[i], b = g->all.sum[i] - a;

        l += a * a;
        r += b * b;
    }
    return l / left->weight + r / (g->all.weight - left->weight);
}

static inline bool
is_enough(const struct growth *g, const struct side *left)
{
    double least = (double)g->r->min_rows;

    return left->n >= least && g->all.n - left->n >= least;
}

/* Keep the split of `left` when it is better than the best. */
static inline bool
forest_consider(const struct growth *g, double parent, struct best *best)
{
    double score, gain;

    if (!is_enough(g, &g->left))
        return false;
    score = score_of(g, &g->left);
    gain = score - parent;
    if (!(gain > NOISE * score && gain > best->gain))
        return false;
    best->gain = best->split.gain = gain;
    return true;
}

void forest_side_clear(struct side *s, size_t k);
/* Sums of an item's rows by the codes of a slot. */
void forest_count_column(struct growth *g, const struct item *it, size_t slot);
/* Codes that occur, but for the missing, ascending; how many. */
size_t forest_list_codes(struct growth *g);
/* The first n of them by key, ties by code. */
void forest_sort_codes(struct growth *g, size_t n);
/* Codes 1..code of a number go left, as g->left says. */
void forest_keep_cut(struct growth *g, size_t slot, size_t code,
                     bool missing_left, size_t missing, struct best *best);

/* ---- cuts at random ---- */

/* The order of levels, where they have one: g->rank. */
bool forest_rank_levels(struct growth *g, size_t n, struct error *err) MUST_USE;
/* Draw one cut of a slot and keep it when it is better than the best; false
 * when there is nothing to tell apart. */
bool forest_draw_cut(struct growth *g, const struct item *it, size_t slot,
                     double parent, struct best *best);
#endif
