/* frame/stream_verbs.h -- what is done to a table, over streams: the verbs of
 * frame/verbs.h, frame/query.h and frame/join.h for tables beyond memory.
 *
 * Each takes a stream over, also when it fails, and gives a stream of the rows
 * that the verb of the same name gives for the whole table: the same columns,
 * types and values in the same order, and the same errors, found before a row
 * is read.  Rows are read when the result is asked for its first ones.  What
 * is kept meanwhile is bounded by a quarter of budget_bytes() for each verb;
 * beyond that it waits on the disk (base/spill.h), but for what is said below.
 * All can be rewound.
 *
 * Sums, means and deviations of floats are added in another order than those
 * of a frame: relative differences are some 1e-12 at most where values have
 * one sign.  All else is equal to the last bit.
 *
 * Threads: as for a stream.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_STREAM_VERBS_H
#define LATHE_FRAME_STREAM_VERBS_H

#include "frame/join.h"
#include "frame/stream.h"

/* Expressions may look at other rows: aggregates over all rows or the groups
 * of a column, what runs along the table, and whatever is over groups or
 * ordered, by sorting.  ERR_LIMIT where one group does not fit into memory. */
struct stream *stream_where(struct stream *s, const char *expression,
                            struct error *err) MUST_USE;
struct stream *stream_with(struct stream *s, const char *name,
                           const char *expression, struct error *err) MUST_USE;
struct stream *
stream_derive(struct stream *s, const char *text, struct error *err) MUST_USE;
/* Names are NULL-ended, as in verbs.h. */
struct stream *stream_select(struct stream *s, const char *const *names,
                             struct error *err) MUST_USE;
struct stream *stream_drop(struct stream *s, const char *const *names,
                           struct error *err) MUST_USE;
struct stream *stream_rename(struct stream *s, const char *from, const char *to,
                             struct error *err) MUST_USE;
/* The first n rows; no more is read than that. */
struct stream *
stream_limit(struct stream *s, uint64_t n, struct error *err) MUST_USE;
/* As verb_sample(), the same rows, as long as 4 bytes for each row there is
 * fit; beyond that others, by selection (Knuth, algorithm S), as many.  Where
 * the number of rows is not known the stream is gone through once more. */
struct stream *stream_sample(struct stream *s, double amount, uint64_t seed,
                             struct error *err) MUST_USE;
struct stream *stream_sort(struct stream *s, const char *const *names,
                           struct error *err) MUST_USE;
struct stream *stream_top(struct stream *s, const char *const *names,
                          uint64_t n, struct error *err) MUST_USE;
struct stream *stream_distinct(struct stream *s, const char *const *names,
                               struct error *err) MUST_USE;
struct stream *
stream_group(struct stream *s, const char *const *by,
             const char *const *aggregates, struct error *err) MUST_USE;
/* Reads the stream, for its columns are not known before; its groups must fit
 * into memory. */
struct stream *
stream_pivot(struct stream *s, const char *const *by, const char *across,
             const char *const *aggregates, struct error *err) MUST_USE;
/* Looks up each batch in the right frame, of which it takes a reference. */
struct stream *
stream_join(struct stream *s, const struct frame *right,
            const struct join_options *o, struct error *err) MUST_USE;
/* The same where the right side is a stream, taken over too: read into memory
 * where it fits, else both are parted by their keys and the parts joined one by
 * one.  ERR_LIMIT for an as-of join whose right side does not fit. */
struct stream *
stream_join_stream(struct stream *s, struct stream *right,
                   const struct join_options *o, struct error *err) MUST_USE;

/* The rows of a stream at its beginning, counted where they are not known;
 * then it is at its beginning again. */
bool stream_count(struct stream *s, uint64_t *n, struct error *err) MUST_USE;
/* The rest of the stream as a frame, which the caller unrefs.  ERR_LIMIT when
 * it takes more than budget_bytes(), or has too many rows. */
struct frame *stream_collect(struct stream *s, struct error *err) MUST_USE;
#endif
