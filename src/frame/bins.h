/* frame/bins.h -- a column cut into ranges that people like to read.
 *
 * Bins are [edge[i], edge[i + 1]) in the unit of column_number(): numbers by
 * their value, dates in days, timestamps in seconds.  Widths of numbers are 1,
 * 2 or 5 times a power of ten, of whole numbers at least 1; those of dates and
 * times are of the calendar: minutes, hours, days, weeks (from Monday), months,
 * quarters, years.  Every finite value lies in a bin.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_BINS_H
#define LATHE_FRAME_BINS_H

#include "base/pool.h"
#include "frame/column.h"

enum { BINS_MAX = 1000, BINS_MANY = 20 }; /* as many as when nobody says */

struct bins {
    double *edge;  /* n + 1, rising */
    size_t n;      /* 0: the column has no finite value, or none above 0 */
    char step[32]; /* the width in words: "0.5", "month"; "": logarithmic */
    double width;  /* about; 0: logarithmic */
};

/* About `wanted` bins, never over BINS_MAX; logarithmic: of equal width on a
 * logarithmic axis, for what is above 0.  ERR_TYPE for text and bool, ERR_RANGE
 * for wanted = 0.  The caller calls bins_fini, also after a failure. */
bool bins_of(const struct column *c, size_t wanted, bool logarithmic,
             struct pool *pool, struct bins *out, struct error *err) MUST_USE;
/* The same for values of type t from low to high. */
bool bins_of_range(double low, double high, size_t wanted, enum col_type t,
                   struct bins *out, struct error *err) MUST_USE;
void bins_fini(struct bins *b);
/* Can a column of this type be cut? */
bool bins_suit(enum col_type t);
/* The bin of v, or b->n when it is in none. */
size_t bins_find(const struct bins *b, double v);
/* count[g * (n + 1) + i] becomes the rows of group g in bin i, i = n: in none.
 * group: of each row, NULL for one group; a group of n_groups and above counts
 * nowhere. */
bool bins_count(const struct column *c, const struct bins *b,
                const uint32_t *group, size_t n_groups, struct pool *pool,
                size_t *count, struct error *err) MUST_USE;
#endif
