/* frame/recipe.h -- groups, pivots and joins in one line, as people type them.
 *
 *     country, `unit price`: total = sum(price), count()      a group
 *     country / status: sum(price)                             a pivot
 *     left by id, day = date                                    a join
 *
 * A name stands as it is, without its commas, colons and slashes; in backticks
 * with them.  Aggregates left out are count().
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_RECIPE_H
#define LATHE_FRAME_RECIPE_H

#include "frame/join.h"

struct recipe {
    char **by; /* NULL-ended */
    size_t n_by;
    char *across;     /* of a pivot; NULL: a group */
    char **aggregate; /* NULL-ended */
    size_t n_aggregates;
    enum join_how how;
};

/* ERR_PARSE says what is expected.  The caller calls recipe_fini, also after a
 * failure. */
bool
recipe_parse(const char *text, struct recipe *out, struct error *err) MUST_USE;
bool recipe_parse_join(const char *text, struct recipe *out,
                       struct error *err) MUST_USE;
void recipe_fini(struct recipe *r);
/* verb_group() or verb_pivot(). */
struct frame *
recipe_make(const struct recipe *r, const struct frame *f, struct pool *pool,
            const struct progress *progress, struct error *err) MUST_USE;
/* Of a pivot: the values that its columns are of, in their order, as the first
 * column of a frame. */
struct frame *
recipe_values(const struct recipe *r, const struct frame *f, struct pool *pool,
              const struct progress *progress, struct error *err) MUST_USE;
/* What a join of the two is likely to be by: "left by id", the columns that
 * have name and type in common, at most three; "inner by " when there are
 * none. */
void recipe_propose_join(const struct frame *left, const struct frame *right,
                         struct buf *out);
#endif
