/* frame/aggregate.h -- one value for each group of rows.
 *
 * Missing values are left out; of none, a mean and its like are missing, while
 * counts and sums are 0.  Sums of whole numbers are whole and exact, missing
 * when they leave 64 bits.  NaN is a value, the largest.
 *
 * Rows are cut into blocks by their number and that of the groups alone, and
 * what blocks give is added in their order: the same for any number of
 * threads.  Cost: a pass over the values (two for sd; median and distinct sort
 * within groups); 16 bytes a group and block.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_AGGREGATE_H
#define LATHE_FRAME_AGGREGATE_H

#include "base/pool.h"
#include "frame/column.h"

enum aggregate_kind {
    AGG_COUNT, /* of rows, or of what is there */
    AGG_SUM,
    AGG_MEAN,
    AGG_MIN, /* of any type */
    AGG_MAX,
    AGG_SD, /* divisor n - 1 */
    AGG_MEDIAN,
    AGG_DISTINCT,
    AGG_MISSING,
    AGG_SHARE, /* of true */
    AGG_FIRST, /* of any type, by the order of rows */
    AGG_LAST
};

struct aggregate {
    enum aggregate_kind kind;
    const struct column *values; /* NULL: count() of rows */
};

struct aggregate_groups {
    const uint32_t *group; /* of each row */
    size_t n_rows, n_groups;
};

/* ERR_NOTFOUND with the nearest word. */
bool aggregate_find(struct str word, enum aggregate_kind *out,
                    struct error *err) MUST_USE;
const char *aggregate_word(enum aggregate_kind kind);
/* Does it go with values of this type, and what does it give? */
bool aggregate_type(enum aggregate_kind kind, enum col_type values,
                    enum col_type *out, struct error *err) MUST_USE;
/* A column of n_groups values for each; out takes n references.  Nothing is
 * kept on failure: ERR_NOMEM. */
bool aggregate_columns(const struct aggregate_groups *g,
                       const struct aggregate *a, size_t n, struct pool *pool,
                       struct column **out, struct error *err) MUST_USE;
/* How many groups make a piece of work: about as many rows in each. */
size_t aggregate_grain(size_t n_rows, size_t n_groups);
#endif
