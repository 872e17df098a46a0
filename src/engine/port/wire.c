/* engine/port/wire.c -- protocol buffers on the wire.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/wire.h"

#include <string.h>

/* ---- in ---- */

bool
wire_varint(struct str *rest, uint64_t *out, struct error *err)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64 && rest->n; shift += 7) {
        unsigned char c = (unsigned char)*rest->p;

        rest->p++;
        rest->n--;
        v |= (uint64_t)(c & 127) << shift;
        if (c < 128) {
            *out = v;
            return true;
        }
    }
    return error_set(err, ERR_PARSE, "cut off, or no protocol buffer");
}

static bool
fixed(struct str *rest, size_t width, uint64_t *out, struct error *err)
{
    uint64_t v = 0;

    if (rest->n < width)
        return error_set(err, ERR_PARSE, "cut off in a number");
    for (size_t i = 0; i < width; i++)
        v |= (uint64_t)(unsigned char)rest->p[i] << 8 * i;
    rest->p += width;
    rest->n -= width;
    *out = v;
    return true;
}

bool
wire_next(struct str *rest, struct wire_field *out, bool *more,
          struct error *err)
{
    uint64_t tag, len;

    *more = rest->n > 0;
    *out = (struct wire_field){0};
    if (!*more)
        return true;
    if (!wire_varint(rest, &tag, err))
        return false;
    if (tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
        return error_set(err, ERR_PARSE, "field 0: no protocol buffer");
    out->number = (uint32_t)(tag >> 3);
    out->type = (enum wire_type)(tag & 7);
    switch (tag & 7) {
    case WIRE_VARINT:
        return wire_varint(rest, &out->u, err);
    case WIRE_64:
        return fixed(rest, 8, &out->u, err);
    case WIRE_32:
        return fixed(rest, 4, &out->u, err);
    case WIRE_BYTES:
        if (!wire_varint(rest, &len, err))
            return false;
        if (len > rest->n)
            return error_set(err, ERR_PARSE, "cut off in field %u",
                             (unsigned)out->number);
        out->bytes = (struct str){rest->p, (size_t)len};
        rest->p += len;
        rest->n -= (size_t)len;
        return true;
    default:
        return error_set(err, ERR_PARSE, "wire type %u: no protocol buffer",
                         (unsigned)(tag & 7));
    }
}

float
wire_float(uint64_t u)
{
    uint32_t low = (uint32_t)u;
    float f;

    memcpy(&f, &low, sizeof f);
    return f;
}

double
wire_double(uint64_t u)
{
    double d;

    memcpy(&d, &u, sizeof d);
    return d;
}

/* ---- out ---- */

void
wire_put_varint(struct buf *b, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        buf_putc(b, (char)(v | 128));
    buf_putc(b, (char)v);
}

static void
tag(struct buf *b, uint32_t field, enum wire_type type)
{
    wire_put_varint(b, (uint64_t)field << 3 | type);
}

void
wire_put_int(struct buf *b, uint32_t field, uint64_t v)
{
    tag(b, field, WIRE_VARINT);
    wire_put_varint(b, v);
}

void
wire_put_float(struct buf *b, uint32_t field, float v)
{
    uint32_t u;
    char le[4];

    memcpy(&u, &v, sizeof u);
    for (size_t i = 0; i < 4; i++)
        le[i] = (char)(u >> 8 * i);
    tag(b, field, WIRE_32);
    buf_add(b, le, sizeof le);
}

void
wire_put_bytes(struct buf *b, uint32_t field, const void *p, size_t len)
{
    tag(b, field, WIRE_BYTES);
    wire_put_varint(b, len);
    buf_add(b, p, len);
}

void
wire_put_text(struct buf *b, uint32_t field, const char *s)
{
    wire_put_bytes(b, field, s, strlen(s));
}

void
wire_put_message(struct buf *b, uint32_t field, const struct buf *m)
{
    wire_put_bytes(b, field, m->data, m->len);
    b->failed |= m->failed;
}
