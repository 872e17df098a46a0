/* frame/window.h -- values that look at other rows: aggregates of the group of
 * a row, ranks, neighbours, running sums.
 *
 * Groups are as in frame/rowgroup.h.  Within a group rows run in the order of
 * some columns (stable, missing last), or as they stand.  Results are in the
 * order of the rows of the frame, one each, and do not depend on the number of
 * threads: groups are shared out, a group is one thread's.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_WINDOW_H
#define LATHE_FRAME_WINDOW_H

#include "frame/aggregate.h"
#include "frame/frame.h"
#include "frame/query.h"

enum window_kind {
    WINDOW_ROW_NUMBER, /* 1, 2, ... */
    WINDOW_RANK,       /* place of the value from below; ties share the least */
    WINDOW_DENSE_RANK, /* the same, counting different values */
    WINDOW_LAG,        /* the value `shift` rows before (after: negative) */
    WINDOW_CUMSUM,     /* of numbers; from an overflow on missing */
    WINDOW_CUMMIN,     /* of any type */
    WINDOW_CUMMAX,
    WINDOW_CUMMEAN
};

struct window_over {
    size_t n_rows;
    const struct frame *by;       /* NULL: one group */
    const struct frame *order;    /* NULL: as they stand; not for ranks */
    const struct query_key *keys; /* its columns, n_keys of them */
    size_t n_keys;
};

/* Does it go with values of this type, and what does it give? */
bool window_type(enum window_kind kind, enum col_type values,
                 enum col_type *out, struct error *err) MUST_USE;
/* values: of each row; NULL for row_number.  A missing value has no rank and
 * no running value, and does not count for those of others. */
struct column *window_values(const struct window_over *o, enum window_kind kind,
                             const struct column *values, int64_t shift,
                             struct pool *pool, struct error *err) MUST_USE;
struct column *
window_aggregate(const struct window_over *o, const struct aggregate *a,
                 struct pool *pool, struct error *err) MUST_USE;
#endif
