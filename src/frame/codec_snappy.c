/* frame/codec_snappy.c -- the raw snappy format.
 *
 * The length as a varint, then elements.  The low two bits of the first byte
 * of an element: 0, bytes as they are (1 + the upper six bits, or a length of
 * 1 to 4 bytes for 60..63); 1, 2, 3, a copy of what was written `offset`
 * bytes before, with an offset of 11, 16, 32 bits.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/codec_snappy.h"

#include <stdint.h>
#include <string.h>

/* Bytes that a short copy may write beyond its end while there is room. */
enum { SLACK = 64 };

static inline uint32_t
load32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline void
copy8(uint8_t *to, const uint8_t *from)
{
    uint64_t v;

    memcpy(&v, from, sizeof v);
    memcpy(to, &v, sizeof v);
}

static inline void
copy16(uint8_t *to, const uint8_t *from)
{
    uint64_t v[2];

    memcpy(v, from, sizeof v);
    memcpy(to, v, sizeof v);
}

/* ---- decoding ---- */

/* n bytes from `offset` before to; the two may overlap, and then repeat.  At
 * least SLACK bytes more than n may be written. */
static inline void
copy_back_roomy(uint8_t *to, size_t offset, size_t n)
{
    const uint8_t *from = to - offset;
    uint8_t *end = to + n;

    if (offset >= 16) {
        do {
            copy16(to, from);
            to += 16;
            from += 16;
        } while (to < end);
        return;
    }
    /* Each step doubles the stretch that repeats, until it spans a word. */
    while (to - from < 8 && to < end) {
        ptrdiff_t step = to - from;

        copy8(to, from);
        to += step;
    }
    for (; to < end; to += 8, from += 8)
        copy8(to, from);
}

static void
copy_back_exact(uint8_t *to, size_t offset, size_t n)
{
    for (; n > 0; n--, to++)
        *to = *(to - offset);
}

/* The length that a literal's tag and up to 4 more bytes tell; 0: damaged. */
static size_t
literal_length(const uint8_t **ip, const uint8_t *in_end, unsigned tag)
{
    size_t n = (tag >> 2) + 1, extra;
    uint32_t v = 0;

    if (n <= 60)
        return n;
    extra = n - 60;
    if ((size_t)(in_end - *ip) < extra)
        return 0;
    for (size_t i = 0; i < extra; i++)
        v |= (uint32_t)(*ip)[i] << (8 * i);
    *ip += extra;
    return (size_t)v + 1;
}

/* Offset of a copy; 0: damaged. */
static inline size_t
copy_offset(const uint8_t **ip, const uint8_t *in_end, unsigned tag)
{
    static const uint8_t width[] = {0, 1, 2, 4};
    size_t w = width[tag & 3], offset = 0;

    if ((size_t)(in_end - *ip) < w)
        return 0;
    if (w == 1)
        offset = (size_t)(tag >> 5) << 8 | **ip;
    else if (w == 2)
        offset = (size_t)(*ip)[0] | (size_t)(*ip)[1] << 8;
    else
        offset = load32(*ip);
    *ip += w;
    return offset;
}

/* Where decoding is. */
struct decoding {
    const uint8_t *ip, *in_end;
    uint8_t *op, *out, *end;
};

/* Up to 64 bytes in one go or four: those beyond n mean nothing. */
static inline void
copy_ahead(uint8_t *to, const uint8_t *from, size_t n)
{
    copy16(to, from);
    if (n <= 16)
        return;
    copy16(to + 16, from + 16);
    copy16(to + 32, from + 32);
    copy16(to + 48, from + 48);
}

/* Elements while there is room to read and write beyond them.  Lengths and
 * offsets come without a branch on the kind of the copy, which no one could
 * foretell.  Stops before a long literal; false when the data is damaged. */
static bool
decode_roomy(struct decoding *d)
{
    static const uint32_t mask[] = {0, 0xff, 0xffff, 0xffffffff};
    static const uint32_t is_short[] = {0, 0xffffffff, 0, 0};
    static const uint8_t width[] = {0, 1, 2, 4};
    const uint8_t *ip = d->ip;
    uint8_t *op = d->op;

    while (d->in_end - ip > 1 + SLACK && d->end - op >= 2 * SLACK) {
        uint32_t tag = *ip, kind = tag & 3, n = (tag >> 2) + 1, offset;

        if (kind == 0) {
            if (n > 60)
                break;
            copy_ahead(op, ip + 1, n);
            ip += n + 1;
            op += n;
            continue;
        }
        n += (3 - (tag >> 5 << 3)) & is_short[kind];
        offset = (load32(ip + 1) & mask[kind]) |
                 ((tag & 0xe0) << 3 & is_short[kind]);
        if (offset == 0 || offset > (size_t)(op - d->out))
            return false;
        if (offset >= 16)
            copy_ahead(op, op - offset, n);
        else
            copy_back_roomy(op, offset, n);
        ip += 1 + width[kind];
        op += n;
    }
    d->ip = ip;
    d->op = op;
    return true;
}

static bool
decode_literal(struct decoding *d, unsigned tag)
{
    size_t n = literal_length(&d->ip, d->in_end, tag);

    if (n == 0 || n > (size_t)(d->in_end - d->ip) ||
        n > (size_t)(d->end - d->op))
        return false;
    memcpy(d->op, d->ip, n);
    d->ip += n;
    d->op += n;
    return true;
}

/* Near the ends, where nothing may be read or written beyond. */
static bool
decode_element(struct decoding *d)
{
    unsigned tag = *d->ip++;
    size_t n, offset;

    if ((tag & 3) == 0)
        return decode_literal(d, tag);
    n = (tag & 3) == 1 ? 4 + (tag >> 2 & 7) : (tag >> 2) + 1;
    offset = copy_offset(&d->ip, d->in_end, tag);
    if (offset == 0 || offset > (size_t)(d->op - d->out) ||
        n > (size_t)(d->end - d->op))
        return false;
    if ((size_t)(d->end - d->op) - n >= SLACK)
        copy_back_roomy(d->op, offset, n);
    else
        copy_back_exact(d->op, offset, n);
    d->op += n;
    return true;
}

static bool
decode_elements(const uint8_t *ip, const uint8_t *in_end, uint8_t *out,
                size_t len)
{
    struct decoding d = {ip, in_end, out, out, out + len};

    while (decode_roomy(&d)) {
        if (d.ip == d.in_end)
            return d.op == d.end;
        if (!decode_element(&d))
            break;
    }
    return false;
}

bool
snappy_decode(struct str in, void *out, size_t len)
{
    const uint8_t *ip = (const uint8_t *)in.p, *end = ip + in.n;
    uint64_t told = 0;
    unsigned shift = 0;

    do {
        if (ip == end || shift > 28)
            return false;
        told |= (uint64_t)(*ip & 0x7f) << shift;
        shift += 7;
    } while (*ip++ & 0x80);
    return told == len && decode_elements(ip, end, out, len);
}

/* ---- encoding ---- */

enum {
    BLOCK = 1 << 16, /* copies reach back within one block */
    HASH_BITS = 14,
    MARGIN = 15 /* no match begins so near to the end of a block */
};

static uint32_t
hash4(uint32_t v)
{
    return (v * UINT32_C(0x1e35a7bd)) >> (32 - HASH_BITS);
}

static uint8_t *
put_literal(uint8_t *op, const uint8_t *p, size_t n)
{
    size_t m = n - 1;

    if (m < 60) {
        *op++ = (uint8_t)(m << 2);
    } else if (m < 256) {
        *op++ = 60 << 2;
        *op++ = (uint8_t)m;
    } else { /* a block has 2^16 bytes at most */
        *op++ = 61 << 2;
        *op++ = (uint8_t)m;
        *op++ = (uint8_t)(m >> 8);
    }
    memcpy(op, p, n);
    return op + n;
}

static uint8_t *
put_copy2(uint8_t *op, size_t offset, size_t n)
{
    *op++ = (uint8_t)((n - 1) << 2 | 2);
    *op++ = (uint8_t)offset;
    *op++ = (uint8_t)(offset >> 8);
    return op;
}

static uint8_t *
put_copy(uint8_t *op, size_t offset, size_t n)
{
    /* What remains is never under 4, the least that a short copy holds. */
    for (; n >= 68; n -= 64)
        op = put_copy2(op, offset, 64);
    if (n > 64) {
        op = put_copy2(op, offset, 60);
        n -= 60;
    }
    if (n >= 12 || offset >= 2048)
        return put_copy2(op, offset, n);
    *op++ = (uint8_t)((offset >> 8) << 5 | (n - 4) << 2 | 1);
    *op++ = (uint8_t)offset;
    return op;
}

static size_t
common(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
    const uint8_t *from = b;

    while (b < end && *a == *b) {
        a++;
        b++;
    }
    return (size_t)(b - from);
}

/* One block of at most BLOCK bytes; op has room for n + n / 6 + 32. */
static uint8_t *
encode_block(const uint8_t *in, size_t n, uint16_t *table, uint8_t *op)
{
    const uint8_t *ip = in, *end = in + n, *pending = in;
    size_t misses = 32;

    memset(table, 0, sizeof *table << HASH_BITS);
    for (ip++; n > MARGIN && ip + MARGIN < end;) {
        uint32_t h = hash4(load32(ip));
        const uint8_t *seen = in + table[h];
        size_t len;

        table[h] = (uint16_t)(ip - in);
        if (load32(seen) != load32(ip)) {
            ip += misses++ >> 5; /* hurry through what does not repeat */
            continue;
        }
        if (ip > pending)
            op = put_literal(op, pending, (size_t)(ip - pending));
        len = 4 + common(seen + 4, ip + 4, end);
        op = put_copy(op, (size_t)(ip - seen), len);
        ip += len;
        pending = ip;
        misses = 32;
    }
    if (pending < end)
        op = put_literal(op, pending, (size_t)(end - pending));
    return op;
}

void
snappy_encode(struct str in, struct buf *out)
{
    uint16_t table[1 << HASH_BITS];
    uint8_t room[BLOCK + BLOCK / 6 + 32];
    uint64_t len = in.n;

    for (; len >= 0x80; len >>= 7)
        buf_putc(out, (char)(len | 0x80));
    buf_putc(out, (char)len);
    while (in.n > 0 && !out->failed) {
        size_t n = in.n < BLOCK ? in.n : BLOCK;
        uint8_t *end = encode_block((const uint8_t *)in.p, n, table, room);

        buf_add(out, room, (size_t)(end - room));
        in.p += n;
        in.n -= n;
    }
}
