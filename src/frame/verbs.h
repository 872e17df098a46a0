/* frame/verbs.h -- what is done to a table, told in texts: one mechanism
 * behind the methods of Lua, `lathe query` and the Data view.
 *
 * Each gives a new frame and leaves f as it is.  Lists of names are NULL-ended.
 * Errors are those of what they call and point at the character of an
 * expression; ERR_NOTFOUND names the nearest column; ERR_CANCELLED when the
 * progress is stopped.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_VERBS_H
#define LATHE_FRAME_VERBS_H

#include "base/pool.h"
#include "base/progress.h"
#include "frame/frame.h"

enum { VERB_MAX_PIVOT = 10000 }; /* columns of a pivot */

/* Rows for which the expression is true. */
struct frame *verb_where(const struct frame *f, const char *expression,
                         struct pool *pool, struct error *err) MUST_USE;
/* With a column added or replaced; verb_derive takes "name = expression". */
struct frame *
verb_with(const struct frame *f, const char *name, const char *expression,
          struct pool *pool, struct error *err) MUST_USE;
struct frame *verb_derive(const struct frame *f, const char *text,
                          struct pool *pool, struct error *err) MUST_USE;
struct frame *verb_select(const struct frame *f, const char *const *names,
                          struct error *err) MUST_USE;
/* With another name for a column; in its place. */
struct frame *verb_rename(const struct frame *f, const char *from,
                          const char *to, struct error *err) MUST_USE;
/* By these columns, "-name" downwards; stable, missing values last. */
struct frame *verb_sort(const struct frame *f, const char *const *names,
                        struct pool *pool, struct error *err) MUST_USE;
/* The first n of them, or all. */
struct frame *verb_top(const struct frame *f, const char *const *names,
                       size_t n, struct pool *pool, struct error *err) MUST_USE;
/* query_group() by names. */
struct frame *
verb_group(const struct frame *f, const char *const *by,
           const char *const *aggregates, struct pool *pool,
           const struct progress *progress, struct error *err) MUST_USE;
/* The first row of each that differ in these columns; none: in all. */
struct frame *verb_distinct(const struct frame *f, const char *const *names,
                            struct pool *pool, struct error *err) MUST_USE;
/* So many rows, or below 1 a share of them (rounded), drawn without putting
 * back and left in their order. */
struct frame *verb_sample(const struct frame *f, double amount, uint64_t seed,
                          struct pool *pool, struct error *err) MUST_USE;
/* Groups by `by` as rows, and for each value of the column `across`, in order,
 * a column of each aggregate: named by the value, and "value name" where there
 * are several.  What does not occur is missing.  ERR_LIMIT over
 * VERB_MAX_PIVOT columns. */
struct frame *
verb_pivot(const struct frame *f, const char *const *by, const char *across,
           const char *const *aggregates, struct pool *pool,
           const struct progress *progress, struct error *err) MUST_USE;
/* The same of what verb_group() by `by` and across gave: n_by columns, across,
 * n_aggregates. */
struct frame *
verb_spread(const struct frame *groups, size_t n_by, size_t n_aggregates,
            struct pool *pool, struct error *err) MUST_USE;
#endif
