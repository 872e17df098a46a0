/* frame/stream.h -- a table as a stream of batches, for tables beyond memory.
 *
 * A stream has columns with names and types that are known once it is open,
 * and gives its rows as frames of these columns, one after the other: the rows
 * that source_read() would give, in their order, with the same types, since
 * text is looked at twice, first for its types alone.  Texts have a dict of
 * their own in each batch.  At no time is more in memory than a few batches.
 *
 * Verbs over streams (frame/stream_verbs.h) make streams of streams, so that a
 * query is a chain that is pulled at its end; a profile reads one
 * (frame/profile_stream.h), a sink writes one (frame/sink.h).
 *
 * Threads: a stream is one thread's at a time; it uses the pool.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_STREAM_H
#define LATHE_FRAME_STREAM_H

#include "frame/source.h"

struct stream;

/* Would the table, read whole and worked with, take more memory than
 * budget_bytes()?  Judged by the size of the file and its format; false for
 * what is no regular file. */
bool stream_wanted(const char *path, const struct source_options *o);

/* Any file that source_read() reads, by size of batch:
 *   delimited text, JSON lines, packed or not    stretches of whole rows
 *   Parquet                                      row groups
 *   Arrow                                        its batches, cut where large
 * A list of JSON objects, and a format or shape that can be read only whole,
 * is ERR_LIMIT.  o may be NULL; progress counts bytes, a stage for each time
 * the file is gone through, one of which is expected when it is open.  Errors
 * as of source_read(). */
struct stream *
stream_open(const char *path, const struct source_options *o, struct pool *pool,
            struct progress *progress, struct error *err) MUST_USE;
/* Slices of n_rows rows (0: what a batch holds) of a frame, of which it takes
 * a reference. */
struct stream *
stream_of_frame(const struct frame *f, size_t n_rows, struct pool *pool,
                struct progress *progress, struct error *err) MUST_USE;
/* Also the streams it was made of.  NULL is allowed. */
void stream_close(struct stream *s);

size_t stream_cols(const struct stream *s);
const char *stream_name(const struct stream *s, size_t col);
enum col_type stream_type(const struct stream *s, size_t col);
/* As frame_find() and frame_need(). */
long stream_find(const struct stream *s, const char *name);
bool stream_need(const struct stream *s, const char *name, size_t *col,
                 struct error *err) MUST_USE;
/* A frame of no rows with its columns: to bind expressions to. */
const struct frame *stream_head(const struct stream *s); /* borrowed */
/* How many rows there are; false while that is not known: then an estimate,
 * 0 for none. */
bool stream_rows(const struct stream *s, uint64_t *n);

/* The next rows, at least one, as a frame the caller unrefs; *out is NULL
 * behind the last. */
bool
stream_next(struct stream *s, struct frame **out, struct error *err) MUST_USE;
/* Begin again with the first row: the same rows in the same order. */
bool stream_rewind(struct stream *s, struct error *err) MUST_USE;
/* Its progress is to expect one more pass over its file, or work of the length
 * of one. */
void stream_expect(const struct stream *s);

/* Rows that were set aside until now: as csv_table's; NULL: none.  Borrowed. */
const struct frame *stream_rejects(const struct stream *s, size_t *n_rejected);
/* What csv_table tells of the file besides: bytes that are not UTF-8,
 * delimiter, header; its rejects as of now, borrowed, and no frame. */
void stream_told(const struct stream *s, struct csv_table *out);
/* The pool and the progress it was opened with; may be NULL. */
struct pool *stream_pool(const struct stream *s);
struct progress *stream_progress(const struct stream *s);
/* Bytes that a batch is meant to take in memory: a sixteenth of the budget,
 * from 1 to 64 MiB. */
size_t stream_batch_bytes(void);
#endif
