/* frame/query.h -- sort, group, frequency over frames.
 *
 * Order of values: false, true; numbers and days by value, -0 equal to 0, NaN
 * (one value) after +inf; texts bytewise.  Rows are equal when all values are;
 * missing equals missing.  Results do not depend on the number of threads.
 * Cost: O(n) a key (radix sort, hashing) and up to 24 bytes of scratch a row.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_QUERY_H
#define LATHE_FRAME_QUERY_H

#include "base/pool.h"
#include "base/progress.h"
#include "frame/aggregate.h"
#include "frame/frame.h"

struct query_key {
    size_t col;
    bool descending;
};

/* "name", or "-name" downwards; a column whose own name begins with a hyphen is
 * found by it where there is none of the rest.  Errors as of frame_need(). */
bool query_key_find(const struct frame *f, const char *name,
                    struct query_key *out, struct error *err) MUST_USE;
/* Row ids in the order of the keys, the first key first; stable; missing
 * values last, descending or not.  The caller frees the ids. */
uint32_t *
query_sort(const struct frame *f, const struct query_key *keys, size_t n_keys,
           struct pool *pool, const struct progress *progress,
           struct error *err) MUST_USE;
/* As query_sort, of which only the first n ids (at most as many as there are
 * rows) mean something: only what the first key leaves in question is sorted. */
uint32_t *
query_top(const struct frame *f, const struct query_key *keys, size_t n_keys,
          size_t n, struct pool *pool, struct error *err) MUST_USE;
/* Frequency table of a column: value (of its type), count int, share float;
 * most frequent first, ties in value order; a last row for missing when there
 * are any. */
struct frame *
query_frequency(const struct frame *f, size_t col, struct pool *pool,
                const struct progress *progress, struct error *err) MUST_USE;
/* Group by the columns `by` (none: all rows are one group) and aggregate:
 * "name = function(value)", where the value is an expression and the name may
 * be left out.  Functions: count() of rows, count(x) of what is there, sum
 * (of ints an int; missing when it leaves the range), mean, min, max (of any
 * type), sd (divisor n - 1), median, distinct, missing, share (of true among
 * what is there), first, last (of what is there, in the order of rows).
 * Missing values are left out; of none, mean and its like are missing.  Groups
 * in order of first appearance.  Errors name the aggregate and the column of
 * its text: ERR_PARSE, ERR_NOTFOUND, ERR_TYPE. */
struct frame *query_group(const struct frame *f, const size_t *by, size_t n_by,
                          const char *const *aggregates, size_t n_aggregates,
                          struct pool *pool, const struct progress *progress,
                          struct error *err) MUST_USE;
/* One such text, taken apart: {0}, then the caller calls aggregate_text_fini,
 * also after a failure. */
struct aggregate_text {
    char *name;
    enum aggregate_kind kind;
    char *value; /* an expression behind blanks, so that errors count from the
                    start of the text; NULL: of rows */
};
bool aggregate_text_read(const char *text, struct aggregate_text *a,
                         struct error *err) MUST_USE;
void aggregate_text_fini(struct aggregate_text *a);
#endif
