/* frame/join.h -- rows of two frames side by side.
 *
 * The rows of the left frame stay in their order; where several rows of the
 * right one match, they follow in theirs.  Keys are equal as in
 * frame/rowkey.h: a missing value matches nothing, -0 equals 0, NaN equals
 * NaN, numbers of two types compare as the wider one.
 *
 *   inner   pairs of rows whose keys are equal
 *   left    the same, and left rows without a partner, missing on the right
 *   semi    left rows that have a partner, once each
 *   anti    left rows that have none
 *   asof    every left row beside the one right row that, with the other keys
 *           equal, has the greatest value of the last key at or below the left
 *           one's; of equal values the last row.  Missing and NaN match
 *           nothing.  Neither frame need be sorted.
 *
 * Columns: those of the left frame, then those of the right one without its
 * keys (as-of keeps the last one, which tells how far back it lies, unless it
 * has the same name); a name that is taken gets the suffix.
 *
 * Errors: ERR_NOTFOUND for a column, ERR_TYPE for keys that do not compare,
 * ERR_LIMIT when there would be over 2^32 - 1 rows, counted before memory is
 * taken, ERR_NOMEM, ERR_CANCELLED.  The result does not depend on the number
 * of threads.  Cost: O(left + right + result); scratch of 8 bytes a left row
 * and up to 90 a right row.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_JOIN_H
#define LATHE_FRAME_JOIN_H

#include "base/pool.h"
#include "base/progress.h"
#include "frame/frame.h"

enum join_how { JOIN_INNER, JOIN_LEFT, JOIN_SEMI, JOIN_ANTI, JOIN_ASOF };
#define JOIN_HOW_CHOICES "inner|left|semi|anti|asof"

struct join_options {
    enum join_how how;
    const char *const *by; /* NULL-ended: "name", or "left=right" */
    const char *suffix;    /* NULL: "_right" */
    bool bounded;          /* asof: at most that far back, in the key's own */
    double tolerance;      /* unit, days of a date, seconds of a timestamp */
};

/* "inner", ... */
bool join_how_parse(const char *word, enum join_how *out,
                    struct error *err) MUST_USE;
/* The columns of the n keys of `by` on either side, for which there is room. */
bool join_keys(const struct frame *left, const struct frame *right,
               const char *const *by, size_t *left_col, size_t *right_col,
               struct error *err) MUST_USE;
struct frame *
join_frames(const struct frame *left, const struct frame *right,
            const struct join_options *o, struct pool *pool,
            const struct progress *progress, struct error *err) MUST_USE;

/* The same for left frames that come one after the other: what is looked up is
 * made of the right one once.  head: a left frame without rows; o must stay.
 * Threads: one at a time. */
struct join_right;
struct join_right *
join_right_new(const struct frame *head, const struct frame *right,
               const struct join_options *o, struct pool *pool,
               const struct progress *progress, struct error *err) MUST_USE;
void join_right_free(struct join_right *r);
struct frame *join_right_to(struct join_right *r, const struct frame *left,
                            struct error *err) MUST_USE;
#endif
