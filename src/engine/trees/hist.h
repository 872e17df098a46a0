/* engine/trees/hist.h -- histograms of quantised gradients.
 *
 * A row's gradient is two integers: g of 16 bits with sign, h of 16 without.
 * A histogram sums them by code of every slot, so the order of rows, and with
 * it the number of threads, cannot matter.  Two widths, by rows of the leaf:
 *
 *   narrow  one word a bin: g in the upper 32 bits, h in the lower.  65,536
 *           rows of 32,767 stay below 2^31, of 65,535 below 2^32.
 *   wide    two words a bin, g and h.  2^32 rows stay below 2^48.
 *
 * A word is added, and a sibling found by subtraction, with one instruction;
 * wide ones are summed from narrow ones of at most 65,536 rows.
 *
 * Threads: functions touch only what they are given.
 * Source: Ke et al., "LightGBM", NIPS 2017 (subtraction); Shi et al.,
 *         "Quantized training of GBDT", NeurIPS 2022 (integers).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_HIST_H
#define LATHE_ENGINE_TREES_HIST_H

#include "engine/trees/binned.h"
#include "engine/trees/objective.h"

enum {
    HIST_NARROW_ROWS = 65536, /* rows a narrow histogram may hold */
    HIST_MAX_G = 32767,
    HIST_MAX_H = 65535
};

/* The quantised gradient of a row. */
struct hist_quantum {
    int16_t g;
    uint16_t h;
};

/* How gradients became integers: g = q.g * g_unit, h = q.h * h_unit. */
struct hist_scale {
    double g_unit, h_unit;
    double g_inverse, h_inverse;
    bool same_h;  /* all rows have one hessian: q.h is 1 and h counts rows */
    double noise; /* what g^2 is to h over all rows; 0: not known */
};
/* From the largest |g|, and the smallest and largest h. */
struct hist_scale hist_scale(float max_g, float min_h, float max_h);
/* Rounded up or down by a low-discrepancy sequence over the rows, so that sums
 * are unbiased even where most gradients are far below the largest. */
struct hist_quantum hist_quantise(const struct hist_scale *s, struct gradient g,
                                  uint32_t row, uint32_t salt);

/* The same for the rows begin..end-1 of a plane of gradients: q by row. */
typedef void
hist_quantise_fn(const struct hist_scale *s, const struct gradient *g,
                 size_t begin, size_t end, uint32_t salt,
                 struct hist_quantum *q);
hist_quantise_fn hist_quantise_plain;
hist_quantise_fn hist_quantise_avx2;   /* only where cpu_has_avx2() */
hist_quantise_fn hist_quantise_avx512; /* only where cpu_has_avx512() */
hist_quantise_fn *hist_quantise_choose(void);

static inline int64_t
hist_pack(struct hist_quantum q)
{
    return (int64_t)((uint64_t)(int64_t)q.g << 32) + q.h;
}
static inline int64_t
hist_g(int64_t packed)
{
    return packed >> 32;
}
static inline int64_t
hist_h(int64_t packed)
{
    return (int64_t)(packed & 0xffffffff);
}

/* Add at most HIST_NARROW_ROWS rows to a narrow histogram, by the codes of all
 * slots.  q: by row number. */
void hist_add(const struct binned *b, const uint32_t *rows, size_t n,
              const struct hist_quantum *q, int64_t *narrow);
/* The same for the rows begin..end-1. */
void hist_add_range(const struct binned *b, size_t begin, size_t end,
                    const struct hist_quantum *q, int64_t *narrow);
/* Bins begin..end-1: to += from. */
void hist_fold(int64_t *to, const int64_t *from, size_t begin, size_t end);
void
hist_fold_wide(int64_t *to, const int64_t *narrow, size_t begin, size_t end);
/* Bins begin..end-1: parent -= child, which leaves the sibling. */
void hist_subtract(int64_t *parent, bool parent_wide, const int64_t *child,
                   bool child_wide, size_t begin, size_t end);

/* to += from, to -= from: what those two are made of. */
typedef void hist_words_fn(int64_t *to, const int64_t *from, size_t n);
hist_words_fn hist_add_words_plain, hist_take_words_plain;
/* Only where cpu_has_avx2(). */
hist_words_fn hist_add_words_avx2, hist_take_words_avx2;
#endif
