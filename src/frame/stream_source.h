/* frame/stream_source.h -- the streams that files are opened as.  Private to
 * stream*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_STREAM_SOURCE_H
#define LATHE_FRAME_STREAM_SOURCE_H

#include "frame/stream_part.h"

/* What all of them are opened with. */
struct stream_source {
    const char *path;
    const struct source_options *o;
    struct pool *pool;
    struct progress *progress;
};

/* Take m over, also when they fail; errors without the path. */
struct stream *
stream_open_arrow(const struct stream_source *from, struct file_map *m,
                  struct error *err) MUST_USE;
struct stream *
stream_open_parquet(const struct stream_source *from, struct file_map *m,
                    struct error *err) MUST_USE;
struct stream_text;
/* Take t over, likewise. */
struct stream *
stream_open_csv(const struct stream_source *from, struct stream_text *t,
                struct error *err) MUST_USE;
struct stream *
stream_open_jsonl(const struct stream_source *from, struct stream_text *t,
                  struct error *err) MUST_USE;
/* Another with the types of the options, and with those of `of`'s head where a
 * batch has others; large batches are cut, to n_rows (0: what a batch holds).
 * Takes `of`, which may be NULL: then so is this. */
struct stream *stream_shape(struct stream *of, const struct stream_source *from,
                            size_t n_rows, struct error *err) MUST_USE;
/* Bytes of text to look at, or to make a batch of, at a time. */
size_t stream_window(const struct source_options *o);
#endif
