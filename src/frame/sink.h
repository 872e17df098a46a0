/* frame/sink.h -- a table file that is written batch by batch.
 *
 * The format is known by the ending, as in source_write(), which writes a
 * frame as a sink of one batch would.  Each batch is
 *   delimited text, JSON lines   rows behind the rows; packed, a member (gzip)
 *                                or frame (zstd, lz4) of its own every few MiB
 *   Parquet                      row groups, with dictionaries and bounds
 *   Arrow file                   a record batch, texts written out
 *   Arrow stream                 a record batch, dictionaries that replace
 *                                those before, unless the dict is the same one
 * At no time is more than a batch in memory.
 *
 * A file appears whole at the commit, or not at all.
 * Threads: one thread's at a time; it uses the pool.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SINK_H
#define LATHE_FRAME_SINK_H

#include "frame/stream.h"

struct sink;

/* head: a frame, of any number of rows, with the columns to come.  Errors name
 * the file: ERR_NOTFOUND, ERR_IO, ERR_USAGE for an ending that cannot be. */
struct sink *
sink_open(const char *path, const struct frame *head, struct pool *pool,
          struct progress *progress, struct error *err) MUST_USE;
/* The columns have the names and types of the head.  After an error there is
 * only sink_drop(). */
bool
sink_put(struct sink *s, const struct frame *f, struct error *err) MUST_USE;
/* All that is left in a stream. */
bool
sink_put_all(struct sink *s, struct stream *from, struct error *err) MUST_USE;
uint64_t sink_rows(const struct sink *s); /* put until now */
/* End the file; releases s, also when it fails. */
bool sink_commit(struct sink *s, struct error *err) MUST_USE;
/* Give it up; NULL is allowed. */
void sink_drop(struct sink *s);

/* What is left in a stream to a file, on its pool; n_rows, which may be NULL:
 * how many rows. */
bool sink_write_stream(struct stream *from, const char *path, uint64_t *n_rows,
                       struct error *err) MUST_USE;
/* A whole frame to a file, as source_write(), on all threads. */
bool sink_write(const struct frame *f, const char *path, struct pool *pool,
                struct progress *progress, struct error *err) MUST_USE;
#endif
