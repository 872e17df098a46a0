/* frame/arrow_flat.h -- flatbuffers, read with every offset checked, and
 * written front to back.  Private to the arrow files.
 *
 * Positions are bytes from the start of the buffer; 0 means "absent", which no
 * table, text or vector can be.  A reader remembers the first offset that led
 * astray in `bad` and gives zeros from then on, so that the caller checks once.
 *
 * Source: FlatBuffers internals (binary layout).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ARROW_FLAT_H
#define LATHE_FRAME_ARROW_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct flat {
    struct str s;
    bool bad;
};

size_t flat_root(struct flat *f);
/* Plain bytes at a position. */
int64_t flat_i64(struct flat *f, size_t at);
int32_t flat_i32(struct flat *f, size_t at);
/* Field `id` of a table, `absent` when it is not there. */
int64_t flat_int(struct flat *f, size_t table, unsigned id, size_t width,
                 int64_t absent);
size_t flat_table(struct flat *f, size_t table, unsigned id);
struct str flat_text(struct flat *f, size_t table, unsigned id);
/* Position of the first of *n elements of `width` bytes. */
size_t
flat_vector(struct flat *f, size_t table, unsigned id, size_t width, size_t *n);
/* The table that element i of a vector of tables at `at` points to. */
size_t flat_element(struct flat *f, size_t at, size_t i);

/* A field of a table that is written: a plain value, or width 0 for a
 * reference, whose place comes back in `at` for flat_point().  Widest first;
 * width 0 counts as 4. */
struct flat_slot {
    unsigned id;
    size_t width;
    uint64_t value;
    size_t at;
};
size_t flat_put_root(struct buf *b); /* the place of the root's reference */
size_t flat_put_table(struct buf *b, struct flat_slot *slot, size_t n);
size_t flat_put_text(struct buf *b, struct str s);
/* The elements follow; `align` 8 when they hold 64-bit numbers, else 4. */
size_t flat_put_vector(struct buf *b, size_t n, size_t align);
/* n references that are to be pointed; the place of the first. */
size_t flat_put_references(struct buf *b, size_t n);
void flat_put_i64(struct buf *b, int64_t v);
void flat_point(struct buf *b, size_t at, size_t target);
#endif
