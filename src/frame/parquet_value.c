/* frame/parquet_value.c -- the values of one page, by encoding.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/parquet_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Bytes that a batch of texts with shared starts may unfold to. */
enum { BATCH_MAX_LEN = 1 << 28 };

static bool
damaged(struct error *err)
{
    return error_set(err, ERR_PARSE, "damaged values");
}

static size_t
left(const struct pq_values *v)
{
    return (size_t)(v->end - v->p);
}

void
pq_values_init(struct pq_values *v, const struct pq_leaf *l)
{
    *v = (struct pq_values){.leaf = l};
    buf_init(&v->last);
    buf_init(&v->texts);
}

void
pq_values_fini(struct pq_values *v)
{
    buf_fini(&v->last);
    buf_fini(&v->texts);
    free(v->raw);
}

/* ---- what suits what ---- */

static bool
suits(enum pq_encoding encoding, const struct pq_leaf *l)
{
    enum pq_type t = l->element->type;

    switch (encoding) {
    case PQ_PLAIN:
        return true;
    case PQ_PLAIN_DICTIONARY:
    case PQ_RLE_DICTIONARY:
        return t != PQ_BOOLEAN;
    case PQ_RLE:
        return t == PQ_BOOLEAN;
    case PQ_DELTA_BINARY_PACKED:
        return t == PQ_INT32 || t == PQ_INT64;
    case PQ_DELTA_LENGTH_BYTE_ARRAY:
        return t == PQ_BYTE_ARRAY;
    case PQ_DELTA_BYTE_ARRAY:
        return t == PQ_BYTE_ARRAY || t == PQ_FIXED;
    case PQ_BYTE_STREAM_SPLIT:
        return l->width > 0 && t != PQ_INT96;
    default:
        return false;
    }
}

/* Room for a batch where values have to be put together. */
static bool
make_room(struct pq_values *v, struct error *err)
{
    size_t width = v->leaf->width > 8 ? v->leaf->width : 8;

    return v->raw || (v->raw = mem_try_array(PQ_BATCH, width, err));
}

/* Runs of bools have their length before them. */
static bool
begin_bools(struct pq_values *v, struct str bytes)
{
    uint32_t n;

    if (bytes.n < 4)
        return false;
    memcpy(&n, bytes.p, sizeof n);
    if (n > bytes.n - 4)
        return false;
    return pq_runs_init(&v->runs, (struct str){bytes.p + 4, n}, 1);
}

static bool
begin_prefixed(struct pq_values *v, struct str bytes)
{
    struct str suffixes, rest;

    buf_clear(&v->last);
    if (!pq_delta_init(&v->prefix, bytes) ||
        !pq_delta_rest(&v->prefix, &suffixes) ||
        !pq_delta_init(&v->delta, suffixes) || !pq_delta_rest(&v->delta, &rest))
        return false;
    v->p = (const uint8_t *)rest.p;
    return true;
}

static bool
begin_lengths(struct pq_values *v, struct str bytes)
{
    struct str rest;

    if (!pq_delta_init(&v->delta, bytes) || !pq_delta_rest(&v->delta, &rest))
        return false;
    v->p = (const uint8_t *)rest.p;
    return true;
}

static bool
begin_split(struct pq_values *v, size_t n)
{
    v->stride = left(v) / v->leaf->width;
    v->at = 0;
    return v->stride >= n;
}

/* The bit width of the codes, then their runs. */
static bool
begin_codes(struct pq_values *v, struct str bytes)
{
    if (bytes.n == 0)
        return false;
    return pq_runs_init(&v->runs, (struct str){bytes.p + 1, bytes.n - 1},
                        (unsigned char)bytes.p[0]);
}

static bool
begin(struct pq_values *v, struct str bytes, size_t n)
{
    switch (v->encoding) {
    case PQ_PLAIN_DICTIONARY:
    case PQ_RLE_DICTIONARY:
        return begin_codes(v, bytes);
    case PQ_RLE:
        return begin_bools(v, bytes);
    case PQ_DELTA_BINARY_PACKED:
        return pq_delta_init(&v->delta, bytes);
    case PQ_DELTA_LENGTH_BYTE_ARRAY:
        return begin_lengths(v, bytes);
    case PQ_DELTA_BYTE_ARRAY:
        return begin_prefixed(v, bytes);
    case PQ_BYTE_STREAM_SPLIT:
        return begin_split(v, n);
    default:
        return true;
    }
}

bool
pq_values_begin(struct pq_values *v, enum pq_encoding encoding,
                struct str bytes, size_t n, struct error *err)
{
    if (!suits(encoding, v->leaf))
        return error_set(err, ERR_PARSE,
                         "encoding %d, which does not suit the type",
                         (int)encoding);
    v->encoding = encoding;
    v->has_codes =
        encoding == PQ_PLAIN_DICTIONARY || encoding == PQ_RLE_DICTIONARY;
    v->p = (const uint8_t *)bytes.p;
    v->end = v->p + bytes.n;
    v->bit = 0;
    if (encoding != PQ_PLAIN || v->leaf->kind == PQ_KIND_BOOL)
        if (!make_room(v, err))
            return false;
    return n == 0 || begin(v, bytes, n) || damaged(err);
}

bool
pq_values_codes(struct pq_values *v, size_t n, uint32_t *out, struct error *err)
{
    return pq_runs_next(&v->runs, n, out) || damaged(err);
}

/* ---- fixed width ---- */

static bool
fixed_plain(struct pq_values *v, size_t n, const uint8_t **out)
{
    size_t len = n * v->leaf->width;

    if (len > left(v))
        return false;
    *out = v->p;
    v->p += len;
    return true;
}

static bool
bools_plain(struct pq_values *v, size_t n, const uint8_t **out)
{
    if (n > (uint64_t)left(v) * 8 - v->bit)
        return false;
    for (size_t i = 0; i < n; i++, v->bit++)
        v->raw[i] = v->p[v->bit / 8] >> (v->bit % 8) & 1;
    *out = v->raw;
    return true;
}

static bool
bools_runs(struct pq_values *v, size_t n, const uint8_t **out)
{
    uint32_t one[PQ_BATCH];

    if (!pq_runs_next(&v->runs, n, one))
        return false;
    for (size_t i = 0; i < n; i++)
        v->raw[i] = (uint8_t)one[i];
    *out = v->raw;
    return true;
}

static bool
fixed_delta(struct pq_values *v, size_t n, const uint8_t **out)
{
    int64_t wide[PQ_BATCH];

    if (!pq_delta_next(&v->delta, n, wide))
        return false;
    if (v->leaf->width == 8)
        memcpy(v->raw, wide, n * 8);
    else
        for (size_t i = 0; i < n; i++) {
            uint32_t low = (uint32_t)wide[i];

            memcpy(v->raw + 4 * i, &low, sizeof low);
        }
    *out = v->raw;
    return true;
}

/* Byte j of value i lies at i of stretch j. */
static bool
fixed_split(struct pq_values *v, size_t n, const uint8_t **out)
{
    size_t width = v->leaf->width;

    if (n > v->stride - v->at)
        return false;
    for (size_t j = 0; j < width; j++) {
        const uint8_t *from = v->p + j * v->stride + v->at;
        uint8_t *to = v->raw + j;

        for (size_t i = 0; i < n; i++)
            to[i * width] = from[i];
    }
    v->at += n;
    *out = v->raw;
    return true;
}

static bool
fixed_prefixed(struct pq_values *v, size_t n, const uint8_t **out,
               struct error *err)
{
    struct str text[PQ_BATCH];

    if (!pq_values_texts(v, n, text, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i].n != v->leaf->width)
            return damaged(err);
        memcpy(v->raw + i * v->leaf->width, text[i].p, text[i].n);
    }
    *out = v->raw;
    return true;
}

bool
pq_values_fixed(struct pq_values *v, size_t n, const uint8_t **out,
                struct error *err)
{
    bool is_bool = v->leaf->kind == PQ_KIND_BOOL, ok;

    switch (v->encoding) {
    case PQ_PLAIN:
        ok = is_bool ? bools_plain(v, n, out) : fixed_plain(v, n, out);
        break;
    case PQ_RLE:
        ok = bools_runs(v, n, out);
        break;
    case PQ_DELTA_BINARY_PACKED:
        ok = fixed_delta(v, n, out);
        break;
    case PQ_BYTE_STREAM_SPLIT:
        ok = fixed_split(v, n, out);
        break;
    case PQ_DELTA_BYTE_ARRAY:
        return fixed_prefixed(v, n, out, err);
    default:
        ok = false;
    }
    return ok || damaged(err);
}

/* ---- texts ---- */

static bool
texts_plain(struct pq_values *v, size_t n, struct str *out)
{
    const uint8_t *p = v->p, *end = v->end;

    for (size_t i = 0; i < n; i++) {
        uint32_t len;

        if ((size_t)(end - p) < sizeof len)
            return false;
        memcpy(&len, p, sizeof len);
        p += sizeof len;
        if (len > (size_t)(end - p))
            return false;
        out[i] = (struct str){(const char *)p, len};
        p += len;
    }
    v->p = p;
    return true;
}

static bool
take(struct pq_values *v, int64_t len, struct str *out)
{
    if (len < 0 || (uint64_t)len > left(v))
        return false;
    *out = (struct str){(const char *)v->p, (size_t)len};
    v->p += len;
    return true;
}

static bool
texts_lengths(struct pq_values *v, size_t n, struct str *out)
{
    int64_t len[PQ_BATCH];

    if (!pq_delta_next(&v->delta, n, len))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!take(v, len[i], &out[i]))
            return false;
    return true;
}

/* Each begins as the one before it, which may be of the batch before.  They
 * are put end to end; as that may move them, their places are found last. */
static bool
texts_prefixed(struct pq_values *v, size_t n, struct str *out,
               struct error *err)
{
    int64_t prefix[PQ_BATCH], suffix[PQ_BATCH];
    size_t before = 0, at = 0;

    if (!pq_delta_next(&v->prefix, n, prefix) ||
        !pq_delta_next(&v->delta, n, suffix))
        return damaged(err);
    buf_clear(&v->texts);
    buf_add(&v->texts, v->last.data ? v->last.data : "", v->last.len);
    for (size_t i = 0; i < n; i++) {
        size_t from = before, begin_at = v->texts.len;
        struct str tail;

        if (prefix[i] < 0 || (uint64_t)prefix[i] > begin_at - from ||
            !take(v, suffix[i], &tail))
            return damaged(err);
        if ((size_t)prefix[i] + tail.n > BATCH_MAX_LEN - v->texts.len)
            return error_set(err, ERR_LIMIT, "texts of over %d bytes",
                             BATCH_MAX_LEN / PQ_BATCH);
        /* Room first: what is copied lies in the same bytes. */
        buf_fill(&v->texts, '\0', (size_t)prefix[i] + tail.n);
        if (!buf_check(&v->texts, err))
            return false;
        if (prefix[i] > 0)
            memcpy(v->texts.data + begin_at, v->texts.data + from,
                   (size_t)prefix[i]);
        if (tail.n > 0)
            memcpy(v->texts.data + begin_at + prefix[i], tail.p, tail.n);
        before = begin_at;
        out[i].n = (size_t)prefix[i] + tail.n;
    }
    at = v->last.len;
    for (size_t i = 0; i < n; at += out[i++].n)
        out[i].p = v->texts.data + at;
    if (n > 0) {
        buf_clear(&v->last);
        buf_add(&v->last, out[n - 1].p, out[n - 1].n);
    }
    return buf_check(&v->last, err);
}

bool
pq_values_texts(struct pq_values *v, size_t n, struct str *out,
                struct error *err)
{
    switch (v->encoding) {
    case PQ_PLAIN:
        return texts_plain(v, n, out) || damaged(err);
    case PQ_DELTA_LENGTH_BYTE_ARRAY:
        return texts_lengths(v, n, out) || damaged(err);
    case PQ_DELTA_BYTE_ARRAY:
        return texts_prefixed(v, n, out, err);
    default:
        return damaged(err);
    }
}

bool
pq_values_places(struct pq_values *v, size_t n, const char *block,
                 uint32_t *out, struct error *err)
{
    const uint8_t *p = v->p, *end = v->end, *from = (const uint8_t *)block;

    for (size_t i = 0; i < n; i++) {
        uint32_t len;

        if ((size_t)(end - p) < sizeof len)
            return damaged(err);
        memcpy(&len, p, sizeof len);
        p += sizeof len;
        if (len > (size_t)(end - p))
            return damaged(err);
        out[i] = (uint32_t)(p - from);
        p += len;
    }
    v->p = p;
    return true;
}
