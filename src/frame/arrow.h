/* frame/arrow.h -- Arrow IPC files and streams to a frame and back.
 *
 * Read: the file format (".arrow", ".feather" version 2) and the stream
 * format, metadata versions 4 and 5, both byte orders, bodies plain or
 * compressed with LZ4 or zstd, several record batches, dictionaries with
 * deltas and replacements.  A file is mapped; of a table in one plain batch
 * the columns whose layout is the frame's stay there uncopied: 64-bit ints and
 * floats, dates in days, timestamps in microseconds, codes of 32 bits into a
 * dictionary of different texts.  The file must not be changed in place while
 * the frame lives; replacing or removing it does no harm.
 *
 *   bool                              bool
 *   ints of every width               int; float where a uint64 is beyond it
 *   floats, decimals, durations (s)   float
 *   dates; timestamps of all units    date; timestamp, UTC, to the microsecond
 *   text and bytes of every layout    text
 *   dictionaries                      as their values
 *   null                              text, all missing
 *   times, intervals                  text: "08:30:00.25", "1 month 2 days"
 *   fixed-size bytes                  text, as hex digits
 *   lists, maps                       text: [1, 2], {"a": 1}
 *   structs                           a column "a.b" for each field
 * Unions and run-end encoding are refused by the name of the column.
 *
 * Written: version 5, little-endian, buffers aligned to 64 bytes, text as a
 * dictionary of utf8 (of bytes where it is not UTF-8), timestamps without a
 * zone.  What was written reads back with the same fingerprint.
 *
 * Source: the Arrow columnar format, versions 1.0 to 1.4.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ARROW_H
#define LATHE_FRAME_ARROW_H

#include "base/pool.h"
#include "base/progress.h"
#include "frame/codec.h"
#include "frame/frame.h"

/* Are these the first bytes of an Arrow file or stream? */
bool arrow_starts(struct str head);

/* "-" is standard input.  Errors name the file: ERR_NOTFOUND, ERR_IO,
 * ERR_PARSE for what does not follow the format, ERR_LIMIT. */
bool arrow_read(const char *path, struct pool *pool, struct progress *progress,
                struct frame **out, struct error *err) MUST_USE;
/* The same of a file that is open; takes m over, also when it fails. */
bool arrow_read_map(struct file_map *m, const char *name, struct pool *pool,
                    struct progress *progress, struct frame **out,
                    struct error *err) MUST_USE;
/* Nothing of the frame lies in `bytes`. */
bool arrow_parse(struct str bytes, const char *name, struct pool *pool,
                 struct progress *progress, struct frame **out,
                 struct error *err) MUST_USE;

struct arrow_options {
    bool stream;       /* the stream format, not the file format */
    size_t batch_rows; /* 0: one batch, which is mapped uncopied when read */
    enum codec codec;  /* CODEC_NONE, CODEC_LZ4_FRAME or CODEC_ZSTD */
    struct pool *pool; /* for compressing; may be NULL */
    struct progress *progress;
};
/* Replaces the file whole or not at all; o may be NULL. */
bool arrow_write(const struct frame *f, const char *path,
                 const struct arrow_options *o, struct error *err) MUST_USE;

/* The same batch by batch, each frame with the columns of head; in a stream
 * texts are dictionaries that replace each other, in a file they are written
 * out.  batch_rows is not for it.  For frame/sink.h, which see. */
struct sink_bytes;
struct arrow_out;
struct arrow_out *
arrow_out_begin(struct sink_bytes *out, const struct frame *head,
                const struct arrow_options *o, struct error *err) MUST_USE;
bool arrow_out_put(struct arrow_out *w, const struct frame *f,
                   struct error *err) MUST_USE;
bool arrow_out_end(struct arrow_out *w, struct error *err) MUST_USE;
void arrow_out_free(struct arrow_out *w);

/* A frame with notes on it, for cache.c: written so that opening takes no time
 * that grows with the values, save a look at codes and offsets.  Metadata and
 * the file's length are under a checksum: arrow_recall() is ERR_CORRUPT for a
 * file that is cut short, was not written by arrow_keep(), or points outside
 * itself.  *note, a text ended by a zero byte, is freed by the caller. */
bool arrow_keep(const struct frame *f, const char *note, const char *path,
                struct error *err) MUST_USE;
bool arrow_recall(const char *path, struct pool *pool, struct frame **out,
                  char **note, struct error *err) MUST_USE;
#endif
