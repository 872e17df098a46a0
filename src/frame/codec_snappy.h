/* frame/codec_snappy.h -- the raw snappy format.  Internal to codec.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CODEC_SNAPPY_H
#define LATHE_FRAME_CODEC_SNAPPY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

/* All of `in` to exactly len bytes at out; false when that is not what it
 * holds. */
bool snappy_decode(struct str in, void *out, size_t len) MUST_USE;
/* Appends to out; its failure is seen by buf_check().  At most 4 GiB - 1. */
void snappy_encode(struct str in, struct buf *out);
#endif
