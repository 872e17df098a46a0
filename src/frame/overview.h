/* frame/overview.h -- tables about a table: what a column holds, what is
 * missing, what occurs twice, what goes together; and the way back from a row
 * of theirs to the rows it stands for.
 *
 * Missing means a value that is not there; NaN is one.  ERR_CANCELLED when the
 * progress is stopped.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_OVERVIEW_H
#define LATHE_FRAME_OVERVIEW_H

#include "frame/profile.h"

/* bins = 0: query_frequency().  Else from, to, count and share of about so many
 * ranges (frame/bins.h), in their order, and a last row for what is in none. */
struct frame *
overview_frequency(const struct frame *f, const char *name, size_t bins,
                   struct pool *pool, const struct progress *progress,
                   struct error *err) MUST_USE;
/* A row for each column of the profile's table: column, type, rows, missing,
 * missing_share, distinct; mean, sd, min, q25, median, q75, max, skew, zeros
 * of numbers; low, high: the values at the ends as text, of dates too; top,
 * top_share: the most frequent value; alone: the score against the target when
 * there is one; alerts: their words. */
struct frame *
overview_describe(const struct profile *p, struct error *err) MUST_USE;
/* column, then a column for each with the relation to it; 1 with itself,
 * nothing where the two have no rows in common; of numbers that vary and of
 * what else has any, of all where none has. */
struct frame *overview_relations(const struct profile *p, enum relation r,
                                 struct error *err) MUST_USE;
/* A row for each column: column, missing, share, only: rows that miss nothing
 * else. */
struct frame *
overview_missing(const struct frame *f, struct pool *pool,
                 const struct progress *progress, struct error *err) MUST_USE;
/* A row for each set of columns that are missing together, most rows first:
 * missing (names with ", " between; missing itself where none is), columns,
 * rows, share. */
struct frame *
overview_patterns(const struct frame *f, struct pool *pool,
                  const struct progress *progress, struct error *err) MUST_USE;
/* Rows that occur more than once, each once, most copies first: a column with
 * the number of copies (named so, or copies_2 where that is taken), then the
 * columns `names`, or all when it is NULL. */
struct frame *
overview_duplicates(const struct frame *f, const char *const *names,
                    struct pool *pool, const struct progress *progress,
                    struct error *err) MUST_USE;

/* ---- as expressions ---- */
/* "name = value" for what row `row` of c holds, "name is null" when nothing. */
void overview_put_equals(struct buf *out, const char *name,
                         const struct column *c, size_t row);
/* "name >= a and name < b" for a row of overview_frequency() with bins. */
void overview_put_range(struct buf *out, const char *name,
                        const struct frame *bins, size_t row);
/* The rows of f with a missing value. */
void overview_put_any_missing(struct buf *out, const struct frame *f);
#endif
