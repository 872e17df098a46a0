/* engine/trees/forest_kernel.h -- what extremely randomised trees do to all
 * rows of a node for each column they look at.
 *
 * Sums are taken in FOREST_LANES lanes, row i of the node in lane i %
 * FOREST_LANES, and the lanes are added up in one order: every twin gives the
 * same bits.
 *
 * Threads: functions touch only what they are given.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_FOREST_KERNEL_H
#define LATHE_ENGINE_TREES_FOREST_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/trees/forest_grow.h"

enum { FOREST_LANES = 8 };

/* Of the codes of a column, 0 being missing. */
struct forest_range {
    uint32_t low, high; /* high 0: none */
    size_t missing;     /* rows */
};

/* Codes 1..code go left, and the missing too or not: code - skip < n, with
 * 1 <= n <= 65535. */
struct forest_cut {
    uint32_t skip, n;
};

static inline struct forest_cut
forest_cut_of(size_t code, bool missing_left)
{
    return (struct forest_cut){!missing_left, (uint32_t)code + missing_left};
}

static inline bool
forest_goes_left(struct forest_cut c, uint32_t code)
{
    return code - c.skip < c.n;
}

/* Of some rows: how many, their weight, the sum of weight times y. */
struct forest_sum {
    double n, weight, sum;
};

struct forest_kernels {
    struct forest_range (*range)(const uint16_t *code, size_t n);
    /* Of the rows whose code goes left. */
    struct forest_sum (*sum_left)(const struct forest_row *rows,
                                  const uint16_t *code, size_t n,
                                  struct forest_cut cut);
};

extern const struct forest_kernels forest_plain;
extern const struct forest_kernels forest_avx2; /* where cpu_has_avx2() */
const struct forest_kernels *forest_choose(void);

/* ---- for twins ---- */

struct forest_lanes {
    size_t n;
    double weight[FOREST_LANES], sum[FOREST_LANES];
};

struct forest_range
forest_range_from(struct forest_range r, const uint16_t *code, size_t n);
/* Rows begin..n-1, then all lanes added up. */
struct forest_sum
forest_sum_from(struct forest_lanes *lanes, const struct forest_row *rows,
                const uint16_t *code, size_t begin, size_t n,
                struct forest_cut cut);
#endif
