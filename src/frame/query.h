/* frame/query.h -- sort, group, frequency, distinct over frames.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_QUERY_H
#define LATHE_FRAME_QUERY_H

#include "base/pool.h"
#include "frame/frame.h"

struct query_key {
    size_t col;
    bool descending;
};

/* Row ids in the order of the keys; stable; missing values last.  The caller
 * frees the ids. */
uint32_t *
query_sort(const struct frame *f, const struct query_key *keys, size_t n_keys,
           struct pool *pool, struct error *err) MUST_USE;
/* Frequency table of a column: value (text), count int, share float; most
 * frequent first, ties in value order; a row for missing when there are any. */
struct frame *query_frequency(const struct frame *f, size_t col,
                              struct pool *pool, struct error *err) MUST_USE;
/* group by `by`, aggregates as "name = sum(col)" with count(), sum, mean,
 * min, max, sd, median, distinct, missing, share (of a bool).  Groups in order
 * of first appearance. */
struct frame *query_group(const struct frame *f, const size_t *by, size_t n_by,
                          const char *const *aggregates, size_t n_aggregates,
                          struct pool *pool, struct error *err) MUST_USE;
/* First row of each distinct row; ids ascending; the caller frees. */
bool query_distinct(const struct frame *f, struct pool *pool, uint32_t **rows,
                    size_t *n, struct error *err) MUST_USE;
#endif
