/* frame/parquet_thrift.c -- Thrift's compact protocol.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/parquet_thrift.h"

/* ---- reading ---- */

static uint64_t
varint(struct thrift_in *in)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64 && in->p < in->end; shift += 7) {
        uint8_t b = *in->p++;

        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
    in->bad = true;
    return 0;
}

static int64_t
zigzag(struct thrift_in *in)
{
    uint64_t v = varint(in);

    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

static uint8_t
byte(struct thrift_in *in)
{
    if (in->p < in->end)
        return *in->p++;
    in->bad = true;
    return 0;
}

bool
thrift_field(struct thrift_in *in, int *id, enum thrift_type *type)
{
    uint8_t head = in->bad ? THRIFT_STOP : byte(in);

    if ((head & 15) == THRIFT_STOP)
        return false;
    if ((head & 15) > THRIFT_STRUCT) {
        in->bad = true;
        return false;
    }
    *type = (enum thrift_type)(head & 15);
    if (head >> 4) {
        *id += head >> 4;
    } else {
        int64_t v = zigzag(in);

        in->bad |= v < 0 || v > INT16_MAX;
        *id = in->bad ? 0 : (int)v;
    }
    in->bad |= *id > INT16_MAX;
    return !in->bad;
}

int64_t
thrift_int(struct thrift_in *in, enum thrift_type type)
{
    if (type == THRIFT_I8)
        return (int8_t)byte(in);
    if (type == THRIFT_I16 || type == THRIFT_I32 || type == THRIFT_I64)
        return zigzag(in);
    in->bad = true;
    return 0;
}

bool
thrift_bool(struct thrift_in *in, enum thrift_type type)
{
    in->bad |= type != THRIFT_TRUE && type != THRIFT_FALSE;
    return type == THRIFT_TRUE;
}

struct str
thrift_binary(struct thrift_in *in, enum thrift_type type)
{
    uint64_t n = type == THRIFT_BINARY ? varint(in) : UINT64_MAX;
    struct str s = {(const char *)in->p, (size_t)n};

    if (in->bad || n > (uint64_t)(in->end - in->p)) {
        in->bad = true;
        return STR("");
    }
    in->p += n;
    return s;
}

size_t
thrift_list(struct thrift_in *in, enum thrift_type type, enum thrift_type *item)
{
    uint8_t head = byte(in);
    uint64_t n = head >> 4;

    *item = (enum thrift_type)(head & 15);
    if (n == 15)
        n = varint(in);
    /* Each item is a byte at least. */
    in->bad |= (type != THRIFT_LIST && type != THRIFT_SET) ||
               *item > THRIFT_STRUCT || *item == THRIFT_STOP ||
               n > (uint64_t)(in->end - in->p);
    return in->bad ? 0 : (size_t)n;
}

bool
thrift_struct(struct thrift_in *in, enum thrift_type type)
{
    in->bad |= type != THRIFT_STRUCT;
    return !in->bad;
}

static void
skip_bytes(struct thrift_in *in, uint64_t n)
{
    if (n > (uint64_t)(in->end - in->p))
        in->bad = true;
    else
        in->p += n;
}

static void
skip_value(struct thrift_in *in, enum thrift_type type, unsigned depth);

/* Within lists and maps a bool is a byte; in a struct the field's head says
 * which it is. */
static void
skip_item(struct thrift_in *in, enum thrift_type type, unsigned depth)
{
    if (type == THRIFT_TRUE || type == THRIFT_FALSE)
        skip_bytes(in, 1);
    else
        skip_value(in, type, depth + 1);
}

static void
skip_items(struct thrift_in *in, enum thrift_type type, unsigned depth)
{
    enum thrift_type item;
    size_t n = thrift_list(in, type, &item);

    for (; n > 0 && !in->bad; n--)
        skip_item(in, item, depth);
}

/* Each key and each value is a byte at least. */
static void
skip_pairs(struct thrift_in *in, unsigned depth)
{
    uint64_t n = varint(in);
    uint8_t types = n > 0 ? byte(in) : 0;

    in->bad |= n > (uint64_t)(in->end - in->p) / 2;
    for (; n > 0 && !in->bad; n--) {
        skip_item(in, (enum thrift_type)(types >> 4), depth);
        skip_item(in, (enum thrift_type)(types & 15), depth);
    }
}

static void
skip_fields(struct thrift_in *in, unsigned depth)
{
    enum thrift_type type;
    int id = 0;

    while (thrift_field(in, &id, &type))
        skip_value(in, type, depth + 1);
}

static void
skip_value(struct thrift_in *in, enum thrift_type type, unsigned depth)
{
    if (depth > THRIFT_MAX_DEPTH)
        in->bad = true;
    if (in->bad)
        return;
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        break;
    case THRIFT_I8:
        skip_bytes(in, 1);
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        (void)varint(in);
        break;
    case THRIFT_DOUBLE:
        skip_bytes(in, 8);
        break;
    case THRIFT_BINARY:
        skip_bytes(in, varint(in));
        break;
    case THRIFT_LIST:
    case THRIFT_SET:
        skip_items(in, type, depth);
        break;
    case THRIFT_MAP:
        skip_pairs(in, depth);
        break;
    case THRIFT_STRUCT:
        skip_fields(in, depth);
        break;
    default:
        in->bad = true;
    }
}

void
thrift_skip(struct thrift_in *in, enum thrift_type type)
{
    skip_value(in, type, 0);
}

/* ---- writing ---- */

void
thrift_put_varint(struct buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_putc(b, (char)(v | 0x80));
    buf_putc(b, (char)v);
}

void
thrift_put_zigzag(struct buf *b, int64_t v)
{
    thrift_put_varint(b, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

/* Ids rise by less than 16 in all the structs that we write. */
static void
put_header(struct buf *b, int *last, int id, enum thrift_type type)
{
    buf_putc(b, (char)((unsigned)(id - *last) << 4 | type));
    *last = id;
}

void
thrift_put_int(struct buf *b, int *last, int id, enum thrift_type type,
               int64_t v)
{
    put_header(b, last, id, type);
    if (type == THRIFT_I8)
        buf_putc(b, (char)v);
    else
        thrift_put_zigzag(b, v);
}

void
thrift_put_bool(struct buf *b, int *last, int id, bool v)
{
    put_header(b, last, id, v ? THRIFT_TRUE : THRIFT_FALSE);
}

void
thrift_put_binary(struct buf *b, int *last, int id, struct str s)
{
    put_header(b, last, id, THRIFT_BINARY);
    thrift_put_varint(b, s.n);
    buf_add(b, s.p, s.n);
}

void
thrift_put_struct(struct buf *b, int *last, int id)
{
    put_header(b, last, id, THRIFT_STRUCT);
}

void
thrift_put_list(struct buf *b, int *last, int id, enum thrift_type item,
                size_t n)
{
    put_header(b, last, id, THRIFT_LIST);
    buf_putc(b, (char)((n < 15 ? n : 15) << 4 | item));
    if (n >= 15)
        thrift_put_varint(b, n);
}

void
thrift_put_stop(struct buf *b)
{
    buf_putc(b, THRIFT_STOP);
}
