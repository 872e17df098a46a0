/* frame/stream_spill.h -- batches that wait on the disk.
 *
 * Private to stream*.c.  One nameless file (base/spill.h) of batches of the
 * same columns, as they lie in memory: values, validity, and of texts those
 * that occur.  The index is kept: 40 bytes a batch and 24 for each column.
 * Threads: one at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_STREAM_SPILL_H
#define LATHE_FRAME_STREAM_SPILL_H

#include "frame/frame.h"

struct spilled;

/* Of frames with the columns of head, of which it takes a reference. */
struct spilled *
spilled_new(const struct frame *head, struct error *err) MUST_USE;
void spilled_free(struct spilled *s);
bool spilled_put(struct spilled *s, const struct frame *f,
                 struct error *err) MUST_USE;
size_t spilled_count(const struct spilled *s); /* batches */
uint64_t spilled_rows(const struct spilled *s);
struct frame *
spilled_get(const struct spilled *s, size_t batch, struct error *err) MUST_USE;
#endif
