/* frame/arrow_flat.c -- flatbuffers.
 *
 *   reference:  uint32, bytes from itself forward to its target
 *   table:      int32 back to its vtable, then the fields
 *   vtable:     uint16 its size, uint16 the table's, uint16 a field: bytes from
 *               the table's start, 0 when absent
 *   vector:     uint32 count, elements;   text: the same, then a zero byte
 *
 * Library writers fill a buffer from its end, since references only point
 * forward; here tables come first and their references are filled in later.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/arrow_flat.h"

#include <assert.h>
#include <string.h>

enum { MAX_FIELDS = 16 };

/* ---- reading ---- */

/* The little-endian number of `width` bytes at `at`. */
static uint64_t
number(struct flat *f, size_t at, size_t width)
{
    uint64_t v = 0;

    if (at > f->s.n || width > f->s.n - at) {
        f->bad = true;
        return 0;
    }
    for (size_t i = 0; i < width; i++)
        v |= (uint64_t)(unsigned char)f->s.p[at + i] << (8 * i);
    return v;
}

int64_t
flat_i64(struct flat *f, size_t at)
{
    return (int64_t)number(f, at, 8);
}

int32_t
flat_i32(struct flat *f, size_t at)
{
    return (int32_t)(uint32_t)number(f, at, 4);
}

/* What the reference at `at` points to. */
static size_t
follow(struct flat *f, size_t at)
{
    uint64_t step = number(f, at, 4);

    if (step == 0 || step > f->s.n - at)
        f->bad = true;
    return f->bad ? 0 : at + (size_t)step;
}

size_t
flat_root(struct flat *f)
{
    return follow(f, 0);
}

/* Where field `id` lies, 0 when it is absent. */
static size_t
field(struct flat *f, size_t table, unsigned id)
{
    int64_t vtable;
    uint64_t size, offset;

    if (table == 0 || f->bad)
        return 0;
    vtable = (int64_t)table - flat_i32(f, table);
    if (f->bad || vtable < 0) {
        f->bad = true;
        return 0;
    }
    size = number(f, (size_t)vtable, 2);
    if (4 + 2 * (uint64_t)id + 2 > size)
        return 0;
    offset = number(f, (size_t)vtable + 4 + 2 * (size_t)id, 2);
    return f->bad || offset == 0 ? 0 : table + (size_t)offset;
}

int64_t
flat_int(struct flat *f, size_t table, unsigned id, size_t width,
         int64_t absent)
{
    size_t at = field(f, table, id);
    unsigned drop = 64 - 8 * (unsigned)width;

    if (at == 0)
        return absent;
    return (int64_t)(number(f, at, width) << drop) >> drop;
}

size_t
flat_table(struct flat *f, size_t table, unsigned id)
{
    size_t at = field(f, table, id);

    return at ? follow(f, at) : 0;
}

size_t
flat_vector(struct flat *f, size_t table, unsigned id, size_t width, size_t *n)
{
    size_t at = flat_table(f, table, id);

    *n = 0;
    if (at == 0)
        return 0;
    *n = (size_t)number(f, at, 4);
    at += 4;
    if (f->bad || *n > (f->s.n - at) / width) {
        f->bad = true;
        *n = 0;
    }
    return f->bad ? 0 : at;
}

struct str
flat_text(struct flat *f, size_t table, unsigned id)
{
    size_t n, at = flat_vector(f, table, id, 1, &n);

    return at ? (struct str){f->s.p + at, n} : STR("");
}

size_t
flat_element(struct flat *f, size_t at, size_t i)
{
    return follow(f, at + i * 4);
}

/* ---- writing ---- */

static void
pad(struct buf *b, size_t align, size_t offset)
{
    buf_fill(b, '\0', (align - (b->len + offset) % align) % align);
}

static void
put(struct buf *b, uint64_t v, size_t width)
{
    char bytes[8];

    for (size_t i = 0; i < width; i++)
        bytes[i] = (char)(unsigned char)(v >> (8 * i));
    buf_add(b, bytes, width);
}

void
flat_put_i64(struct buf *b, int64_t v)
{
    put(b, (uint64_t)v, 8);
}

void
flat_point(struct buf *b, size_t at, size_t target)
{
    size_t step = target - at;

    if (b->failed)
        return;
    for (size_t i = 0; i < 4; i++)
        b->data[at + i] = (char)(unsigned char)(step >> (8 * i));
}

size_t
flat_put_root(struct buf *b)
{
    put(b, 0, 4);
    return 0;
}

size_t
flat_put_table(struct buf *b, struct flat_slot *slot, size_t n)
{
    uint16_t offset[MAX_FIELDS] = {0};
    size_t at, n_fields = 0, size = 4;

    for (size_t i = 0; i < n; i++) {
        assert(slot[i].id < MAX_FIELDS);
        if (n_fields <= slot[i].id)
            n_fields = slot[i].id + 1;
        offset[slot[i].id] = (uint16_t)size;
        size += slot[i].width ? slot[i].width : 4;
    }
    /* So that the fields, which follow 4 bytes, begin on a multiple of 8. */
    pad(b, 8, 4 + 2 * n_fields + 4);
    at = b->len + 4 + 2 * n_fields;
    put(b, 4 + 2 * n_fields, 2);
    put(b, size, 2);
    for (size_t i = 0; i < n_fields; i++)
        put(b, offset[i], 2);
    put(b, 4 + 2 * n_fields, 4);
    for (size_t i = 0; i < n; i++) {
        slot[i].at = b->len;
        put(b, slot[i].value, slot[i].width ? slot[i].width : 4);
    }
    return at;
}

size_t
flat_put_text(struct buf *b, struct str s)
{
    size_t at;

    pad(b, 4, 0);
    at = b->len;
    put(b, s.n, 4);
    buf_add(b, s.p, s.n);
    buf_putc(b, '\0');
    return at;
}

size_t
flat_put_vector(struct buf *b, size_t n, size_t align)
{
    size_t at;

    pad(b, align, 4);
    at = b->len;
    put(b, n, 4);
    return at;
}

size_t
flat_put_references(struct buf *b, size_t n)
{
    size_t at = b->len;

    buf_fill(b, '\0', n * 4);
    return at;
}
