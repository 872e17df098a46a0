/* frame/arrow_in.h -- an Arrow file or stream batch by batch.  Internal to
 * arrow and stream*.c.
 *
 * Of the dictionaries of a stream those in force are kept, of a file all, of
 * the batches one.  Columns whose layout is the frame's lie in the file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ARROW_IN_H
#define LATHE_FRAME_ARROW_IN_H

#include "frame/arrow.h"

struct arrow_in;

/* Takes m over, also when it fails.  Goes through the messages, not the values,
 * but for columns of uint64 whose type these decide.  Errors as of
 * arrow_read(), without the name. */
struct arrow_in *arrow_in_open(struct file_map *m, struct pool *pool,
                               struct error *err) MUST_USE;
void arrow_in_close(struct arrow_in *a);
/* Names and types of all batches, no rows; a new reference.  A batch may have
 * ints where the head has floats. */
struct frame *arrow_in_head(struct arrow_in *a);
/* The next batch; NULL in *out behind the last. */
bool arrow_in_next(struct arrow_in *a, struct frame **out,
                   struct error *err) MUST_USE;
void arrow_in_rewind(struct arrow_in *a);
uint64_t arrow_in_rows(const struct arrow_in *a);
/* How far it is, of how much: bytes of a stream, batches of a file. */
size_t arrow_in_at(const struct arrow_in *a);
size_t arrow_in_len(const struct arrow_in *a);
/* Give back the memory of mapped pages; they come again when they are needed. */
void arrow_in_cool(const struct arrow_in *a);
#endif
