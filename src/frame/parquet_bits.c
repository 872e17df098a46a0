/* frame/parquet_bits.c -- numbers packed into few bits.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/parquet_bits.h"

#include <string.h>

static inline uint64_t
load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* As load64, with zeros for what lies at `end` and beyond. */
static uint64_t
load64_before(const uint8_t *p, const uint8_t *end)
{
    uint64_t v = 0;

    if (p < end)
        memcpy(&v, p, end - p < 8 ? (size_t)(end - p) : 8);
    return v;
}

void
pq_unpack(const uint8_t *p, const uint8_t *end, uint64_t at, unsigned width,
          size_t n, uint32_t *out)
{
    uint32_t mask = width < 32 ? (UINT32_C(1) << width) - 1 : UINT32_MAX;
    size_t i = 0;

    p += at / 8;
    at %= 8;
    if ((size_t)(end - p) >= 8) {
        /* As many as leave eight bytes to read for each. */
        uint64_t bits = (uint64_t)(end - p - 8) * 8 + 1;
        uint64_t whole = width > 0 ? (bits > at ? (bits - at) / width : 0) : n;
        size_t m = whole < n ? (size_t)whole : n;

        for (; i < m; i++, at += width)
            out[i] = (uint32_t)(load64(p + at / 8) >> (at % 8)) & mask;
    }
    for (; i < n; i++, at += width)
        out[i] = (uint32_t)(load64_before(p + at / 8, end) >> (at % 8)) & mask;
}

static bool
varint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && *p < end; shift += 7) {
        uint8_t b = *(*p)++;

        *out |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return true;
    }
    return false;
}

/* ---- runs ---- */

bool
pq_runs_init(struct pq_runs *r, struct str bytes, unsigned width)
{
    const uint8_t *p = (const uint8_t *)bytes.p;

    *r = (struct pq_runs){.p = p, .end = p + bytes.n, .width = width};
    return width <= 32;
}

/* The next stretch. */
static bool
begin_run(struct pq_runs *r)
{
    size_t bytes = (r->width + 7) / 8;
    uint64_t head;

    if (!varint(&r->p, r->end, &head) || head >> 1 == 0)
        return false;
    r->packed = head & 1;
    if (r->packed) {
        uint64_t groups = head >> 1, room = (uint64_t)(r->end - r->p);

        /* The last group is cut off by some writers. */
        if (groups > UINT32_MAX)
            return false;
        r->left = groups * 8;
        r->base = r->p;
        r->at = 0;
        r->p += groups * r->width < room ? groups * r->width : room;
        r->base_end = r->p;
        return true;
    }
    if ((size_t)(r->end - r->p) < bytes)
        return false;
    r->left = head >> 1;
    r->value = 0;
    memcpy(&r->value, r->p, bytes);
    r->p += bytes;
    return r->width == 32 || r->value >> r->width == 0;
}

/* May n more values be unpacked, or do they lie beyond the bytes? */
static bool
has_packed(const struct pq_runs *r, size_t n)
{
    uint64_t bits = (uint64_t)(r->base_end - r->base) * 8;

    return r->at + (uint64_t)n * r->width <= bits;
}

bool
pq_runs_next(struct pq_runs *r, size_t n, uint32_t *out)
{
    /* Nothing need be written to say 0 in no bits. */
    if (r->width == 0) {
        memset(out, 0, n * sizeof *out);
        return true;
    }
    while (n > 0) {
        size_t m;

        if (r->left == 0 && !begin_run(r))
            return false;
        m = r->left < n ? (size_t)r->left : n;
        if (r->packed) {
            if (!has_packed(r, m))
                return false;
            pq_unpack(r->base, r->base_end, r->at, r->width, m, out);
            r->at += (uint64_t)m * r->width;
        } else {
            for (size_t i = 0; i < m; i++)
                out[i] = r->value;
        }
        r->left -= m;
        out += m;
        n -= m;
    }
    return true;
}

bool
pq_runs_holes(struct pq_runs *r, size_t n, uint64_t *bits, size_t at,
              size_t *n_ones)
{
    *n_ones = 0;
    while (n > 0) {
        size_t m;

        if (r->left == 0 && !begin_run(r))
            return false;
        m = r->left < n ? (size_t)r->left : n;
        if (r->packed && !has_packed(r, m))
            return false;
        r->left -= m;
        n -= m;
        if (!r->packed && r->value) {
            *n_ones += m;
            at += m;
            continue;
        }
        for (size_t k; m > 0; m -= k, at += k) {
            uint64_t word = 0;

            k = m < 56 ? m : 56; /* what a load gives whatever its shift */
            if (r->packed) {
                word = load64_before(r->base + r->at / 8, r->base_end) >>
                           (r->at % 8) &
                       ((UINT64_C(1) << k) - 1);
                r->at += k;
            }
            *n_ones += (size_t)__builtin_popcountll(word);
            pq_put_bits(bits, at, ~word, k);
        }
    }
    return true;
}

/* ---- differences ---- */

static uint64_t
unzigzag(uint64_t v)
{
    return v >> 1 ^ (0 - (v & 1));
}

bool
pq_delta_init(struct pq_delta *d, struct str bytes)
{
    uint64_t block, first;

    *d = (struct pq_delta){.p = (const uint8_t *)bytes.p};
    d->end = d->p + bytes.n;
    if (!varint(&d->p, d->end, &block) || !varint(&d->p, d->end, &d->n_minis) ||
        !varint(&d->p, d->end, &d->left) || !varint(&d->p, d->end, &first))
        return false;
    if (d->n_minis == 0 || block > UINT32_MAX || block % d->n_minis)
        return false;
    d->per_mini = block / d->n_minis;
    d->value = unzigzag(first);
    d->first = true;
    return d->per_mini > 0 && d->per_mini % 32 == 0;
}

/* The next miniblock, and before it the next block when one is done. */
static bool
begin_mini(struct pq_delta *d)
{
    uint64_t bytes;

    if (d->mini == 0) {
        uint64_t v;

        if (!varint(&d->p, d->end, &v) ||
            (uint64_t)(d->end - d->p) < d->n_minis)
            return false;
        d->min_delta = unzigzag(v);
        d->width = d->p;
        d->p += d->n_minis;
        d->mini = d->n_minis;
    }
    d->mini--;
    d->bits = *d->width++;
    if (d->bits > 64)
        return false;
    /* The last miniblock may be cut off behind its last value. */
    bytes = d->per_mini / 8 * d->bits;
    if (bytes > (uint64_t)(d->end - d->p)) {
        if (((d->left < d->per_mini ? d->left : d->per_mini) * d->bits + 7) /
                8 >
            (uint64_t)(d->end - d->p))
            return false;
        bytes = (uint64_t)(d->end - d->p);
    }
    d->base = d->p;
    d->at = 0;
    d->p += bytes;
    d->in_mini = d->per_mini;
    return true;
}

/* One value of up to 64 bits, which may begin anywhere in its first byte. */
static inline uint64_t
unpack_one(const struct pq_delta *d)
{
    const uint8_t *p = d->base + d->at / 8;
    unsigned shift = d->at % 8;
    uint64_t v;

    if (d->bits == 0)
        return 0;
    v = (d->p - p >= 8 ? load64(p) : load64_before(p, d->p)) >> shift;
    if (shift + d->bits > 64)
        v |= (uint64_t)p[8] << (64 - shift);
    return d->bits < 64 ? v & ((UINT64_C(1) << d->bits) - 1) : v;
}

bool
pq_delta_next(struct pq_delta *d, size_t n, int64_t *out)
{
    if (n > d->left)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (d->first) {
            d->first = false;
        } else {
            if (d->in_mini == 0 && !begin_mini(d))
                return false;
            d->value += d->min_delta + unpack_one(d);
            d->at += d->bits;
            d->in_mini--;
        }
        d->left--;
        out[i] = (int64_t)d->value;
    }
    return true;
}

bool
pq_delta_rest(const struct pq_delta *d, struct str *rest)
{
    struct pq_delta x = *d;
    uint64_t left = x.left > 0 ? x.left - 1 : 0; /* the first is in the head */

    while (left > 0) {
        uint64_t m = left < x.per_mini ? left : x.per_mini;

        x.left = left;
        if (!begin_mini(&x))
            return false;
        left -= m;
    }
    *rest = (struct str){(const char *)x.p, (size_t)(x.end - x.p)};
    return true;
}
