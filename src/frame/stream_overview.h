/* frame/stream_overview.h -- tables about a table beyond memory: what
 * frame/overview.h gives for a frame.
 *
 * Each takes a stream at its beginning over, also when it fails, and reads it
 * to its end.  Errors as of stream_next() and the functions of overview.h;
 * ERR_LIMIT where the result, or one column for frequencies, takes more than
 * memory.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_STREAM_OVERVIEW_H
#define LATHE_FRAME_STREAM_OVERVIEW_H

#include "frame/stream.h"

/* Keeps this column alone. */
struct frame *stream_frequency(struct stream *s, const char *name, size_t bins,
                               struct error *err) MUST_USE;
struct frame *stream_missing(struct stream *s, struct error *err) MUST_USE;
struct frame *stream_patterns(struct stream *s, struct error *err) MUST_USE;
/* Rows wait on the disk where they do not fit. */
struct frame *stream_duplicates(struct stream *s, struct error *err) MUST_USE;
/* The different values of a column as a frame of it, in no order that counts. */
struct frame *
stream_values(struct stream *s, const char *name, struct error *err) MUST_USE;
#endif
