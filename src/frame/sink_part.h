/* frame/sink_part.h -- where the bytes of written tables go.  Private to
 * sink*.c and the writers of the formats.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SINK_PART_H
#define LATHE_FRAME_SINK_PART_H

#include "base/file.h"

/* A file that appears whole or not at all. */
struct sink_bytes {
    struct file_out file;
};

bool sink_bytes_open(struct sink_bytes *b, const char *path,
                     struct error *err) MUST_USE;
bool sink_bytes_put(struct sink_bytes *b, const void *p, size_t len,
                    struct error *err) MUST_USE;
/* Bytes that were written once more, from byte `at` on. */
bool sink_bytes_change(struct sink_bytes *b, size_t at, const void *p,
                       size_t len, struct error *err) MUST_USE;
bool sink_bytes_commit(struct sink_bytes *b, unsigned mode,
                       struct error *err) MUST_USE;
void sink_bytes_drop(struct sink_bytes *b);
#endif
