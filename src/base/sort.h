/* base/sort.h -- qsort() that can be stopped, and what numbers in order are
 * asked.
 *
 * Runs of items that a thread sorts in a moment, merged two by two; the
 * progress is looked at before each run and now and then within a merge.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_SORT_H
#define LATHE_BASE_SORT_H

#include <stddef.h>

#include "base/error.h"
#include "base/progress.h"

/* Sort n items of `size` bytes in place, as qsort() does.  False with
 * ERR_CANCELLED when the work is stopped, or with ERR_NOMEM: more than a run
 * takes as much memory again; then the items are in any order, and some may be
 * there twice.  O(n log n). */
bool sort_items(void *item, size_t n, size_t size,
                int (*compare)(const void *, const void *),
                const struct progress *progress, struct error *err) MUST_USE;

/* Doubles for qsort() and its like, from the least up or from the largest down;
 * what is no number comes first. */
int sort_rising(const void *a, const void *b);
int sort_falling(const void *a, const void *b);
/* Of n > 0 numbers, rising: where 0 <= q <= 1 of them lie below, linearly
 * between two of them, as numpy's default. */
double sort_quantile(const double *x, size_t n, double q);
/* How many of n numbers, rising, are less than v; how many are v or less.  None
 * where v is no number.  O(log n). */
size_t sort_below(const double *x, size_t n, double v);
size_t sort_up_to(const double *x, size_t n, double v);
#endif
