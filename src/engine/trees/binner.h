/* engine/trees/binner.h -- turn a column into codes of 8 or 16 bits.
 *
 * A binner is learnt once from training rows.  Code 0 is a missing value.
 * Of a number, code k >= 1 is the interval [cut[k-2], cut[k-1]), open to -inf
 * on the left and closed at +inf on the right: "code <= k" and "x < cut[k-1]"
 * say the same of every double, so that a tree found on codes and one applied
 * to values cannot disagree.  Of a category, the most frequent levels have a
 * code each; the others share code 0 and follow the missing values.
 *
 * Codes fit 8 bits where there are at most BINNER_NARROW bins, else 16.
 *
 * Threads: immutable after binner_fit(), so it may be shared without a lock.
 * Source:  Ke et al., "LightGBM", NIPS 2017, section 2.1 (histogram splits).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_BINNER_H
#define LATHE_ENGINE_TREES_BINNER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Code 0 is taken by "missing". */
enum { BINNER_NARROW = 255, BINNER_MAX_BINS = 65535 };
struct binner;

/* Learn at most max_bins - 1 cuts: between every two neighbours when there are
 * at most max_bins distinct values, else at the quantiles of x.
 *   x         n values; NaN means missing, infinities are values
 *   max_bins  2..BINNER_MAX_BINS
 * Returns a binner the caller frees, or NULL with err set: ERR_RANGE for a
 * bad max_bins, ERR_NOMEM.  An all-missing column yields no bins; that is
 * not an error.  O(n) time and scratch (radix sort). */
struct binner *binner_fit(const double *x, size_t n, unsigned max_bins,
                          struct error *err) MUST_USE;
/* The same for codes 0..n_levels-1 of a category.  A level without a row, or
 * less frequent than max_bins others, gets code 0; so does one of fewer than
 * min_rows where more than BINNER_NARROW levels have rows. */
struct binner *binner_fit_levels(const double *x, size_t n, unsigned n_levels,
                                 unsigned max_bins, size_t min_rows,
                                 struct error *err) MUST_USE;
/* Levels that have their codes already: n_levels of them. */
struct binner *binner_of_codes(const uint16_t *code, unsigned n_levels,
                               struct error *err) MUST_USE;
void binner_free(struct binner *b);

/* Of at most BINNER_NARROW bins. */
void
binner_apply(const struct binner *b, const double *x, size_t n, uint8_t *out);
/* Of any. */
void binner_apply_long(const struct binner *b, const double *x, size_t n,
                       uint16_t *out);
unsigned binner_bins(const struct binner *b); /* codes 1..bins are in use */
/* The cut between codes <= k and > k, k = 1..bins-1. */
double binner_cut(const struct binner *b, unsigned k);
/* Codes of the levels, n_levels of them; NULL for a number. */
const uint16_t *binner_codes(const struct binner *b, unsigned *n_levels);
#endif
