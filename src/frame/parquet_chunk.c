/* frame/parquet_chunk.c -- one column of one row group, written.
 *
 * Values that are missing are left out.  A dictionary is tried first; where
 * its entries and codes together are no smaller than the values, these are
 * written plainly.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/parquet_chunk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/parquet_thrift.h"

enum {
    PAGE_ROWS = 1 << 17,
    PAGE_LEN = 1 << 20, /* plain texts of a page, about */
    BOUND_LEN = 64,     /* longer texts are cut, or not told */
    GROUP = 8
};
#define NO_CODE UINT32_MAX

void
pq_out_init(struct pq_out *o, const struct column *c, size_t begin, size_t end,
            const struct parquet_write_options *options)
{
    *o = (struct pq_out){.c = c,
                         .begin = begin,
                         .end = end,
                         .options = options,
                         .levels = column_validity(c) != NULL};
    buf_init(&o->bytes);
    buf_init(&o->min);
    buf_init(&o->max);
}

void
pq_out_fini(struct pq_out *o)
{
    buf_fini(&o->bytes);
    buf_fini(&o->min);
    buf_fini(&o->max);
}

/* ---- runs ---- */

static void
put_packed(struct buf *b, const uint32_t *v, size_t n, unsigned width)
{
    size_t groups = (n + GROUP - 1) / GROUP;
    uint64_t word = 0;
    unsigned held = 0;

    if (n == 0)
        return;
    thrift_put_varint(b, (uint64_t)groups << 1 | 1);
    for (size_t i = 0; i < groups * GROUP; i++) {
        word |= (uint64_t)(i < n ? v[i] : 0) << held;
        for (held += width; held >= 8; held -= 8, word >>= 8)
            buf_putc(b, (char)(word & 0xff));
    }
}

static size_t
run_length(const uint32_t *v, size_t n)
{
    size_t k = 1;

    while (k < n && v[k] == v[0])
        k++;
    return k;
}

void
pq_put_runs(struct buf *b, const uint32_t *v, size_t n, unsigned width)
{
    size_t pending = 0; /* values before i that are to be packed */

    for (size_t i = 0; i < n;) {
        size_t run = run_length(v + i, n - i), fill;

        /* Packed values come in groups, which a run may have to fill. */
        fill = (GROUP - pending % GROUP) % GROUP;
        if (run < fill + GROUP) {
            pending += run;
            i += run;
            continue;
        }
        put_packed(b, v + i - pending, pending + fill, width);
        i += fill;
        run -= fill;
        pending = 0;
        thrift_put_varint(b, (uint64_t)run << 1);
        for (unsigned k = 0; k < width; k += 8)
            buf_putc(b, (char)(v[i] >> k & 0xff));
        i += run;
    }
    put_packed(b, v + n - pending, pending, width);
}

/* ---- pages ---- */

static bool
put_page(struct pq_out *o, enum pq_page_type type, size_t n,
         enum pq_encoding encoding, const struct buf *plain, struct error *err)
{
    size_t before = o->bytes.len;
    int last = 0, inner = 0;
    struct buf packed;

    buf_init(&packed);
    if (!buf_check(plain, err) ||
        !codec_compress(
            o->options->codec, o->options->level,
            (struct str){plain->data ? plain->data : "", plain->len}, &packed,
            err)) {
        buf_fini(&packed);
        return false;
    }
    if (plain->len > INT32_MAX || packed.len > INT32_MAX) {
        buf_fini(&packed);
        return error_set(err, ERR_LIMIT, "a page of over 2 GiB");
    }
    thrift_put_int(&o->bytes, &last, 1, THRIFT_I32, type);
    thrift_put_int(&o->bytes, &last, 2, THRIFT_I32, (int64_t)plain->len);
    thrift_put_int(&o->bytes, &last, 3, THRIFT_I32, (int64_t)packed.len);
    thrift_put_int(&o->bytes, &last, 4, THRIFT_I32,
                   (int32_t)codec_crc32((struct str){
                       packed.data ? packed.data : "", packed.len}));
    thrift_put_struct(&o->bytes, &last, type == PQ_PAGE_DICTIONARY ? 7 : 5);
    thrift_put_int(&o->bytes, &inner, 1, THRIFT_I32, (int64_t)n);
    thrift_put_int(&o->bytes, &inner, 2, THRIFT_I32, encoding);
    if (type == PQ_PAGE_DATA) {
        thrift_put_int(&o->bytes, &inner, 3, THRIFT_I32, PQ_RLE);
        thrift_put_int(&o->bytes, &inner, 4, THRIFT_I32, PQ_RLE);
    }
    thrift_put_stop(&o->bytes);
    thrift_put_stop(&o->bytes);
    o->plain_len += o->bytes.len - before + plain->len;
    buf_add(&o->bytes, packed.data, packed.len);
    if (type == PQ_PAGE_DICTIONARY) {
        o->has_dictionary = true;
        o->dictionary_len = o->bytes.len - before;
    }
    buf_fini(&packed);
    return buf_check(&o->bytes, err);
}

/* Which of the rows are there, as runs with their length before them; nothing
 * where no row of the file lacks a value. */
static bool
put_levels(const struct pq_out *o, size_t begin, size_t end, struct buf *b,
           struct error *err)
{
    const uint64_t *valid = column_validity(o->c);
    size_t at = b->len;
    uint32_t *level, len;

    if (!o->levels)
        return true;
    if (!(level = mem_try_array(end - begin, sizeof *level, err)))
        return false;
    for (size_t i = begin; i < end; i++)
        level[i - begin] = column_bit(valid, i);
    buf_add(b, "\0\0\0", sizeof len);
    pq_put_runs(b, level, end - begin, 1);
    free(level);
    if (!buf_check(b, err))
        return false;
    len = (uint32_t)(b->len - at - sizeof len);
    memcpy(b->data + at, &len, sizeof len);
    return true;
}

static void
put_bools(const struct pq_out *o, size_t begin, size_t end, struct buf *b)
{
    const uint64_t *valid = column_validity(o->c);
    const uint8_t *v = column_bools(o->c);
    unsigned byte = 0, held = 0;

    for (size_t i = begin; i < end; i++) {
        if (!column_bit(valid, i))
            continue;
        byte |= (unsigned)v[i] << held;
        if (++held == 8) {
            buf_putc(b, (char)byte);
            byte = held = 0;
        }
    }
    if (held > 0)
        buf_putc(b, (char)byte);
}

static bool
put_text(struct str s, struct buf *b, struct error *err)
{
    uint32_t len = (uint32_t)s.n;

    if (s.n > INT32_MAX)
        return error_set(err, ERR_LIMIT, "a text of over 2 GiB");
    buf_add(b, &len, sizeof len);
    buf_add(b, s.p, s.n);
    return true;
}

/* Stretches of rows that are there at a time. */
static void
put_fixed(const struct pq_out *o, size_t begin, size_t end, struct buf *b)
{
    const uint64_t *valid = column_validity(o->c);
    size_t width = column_width(column_type(o->c));
    const char *v = column_data(o->c);

    for (size_t i = begin, k; i < end; i = k + 1) {
        for (k = i; k < end && column_bit(valid, k); k++)
            ;
        buf_add(b, v + i * width, (k - i) * width);
    }
}

/* How far a page from `begin` goes. */
static size_t
page_end(const struct pq_out *o, size_t begin)
{
    size_t most = o->end - begin < PAGE_ROWS ? o->end : begin + PAGE_ROWS;
    size_t len = 0, i = begin;

    if (column_type(o->c) != COL_TEXT)
        return most;
    for (; i < most && len < PAGE_LEN; i++)
        if (column_is_valid(o->c, i))
            len += 4 + column_text(o->c, i).n;
    return i;
}

static bool
plain_page(struct pq_out *o, size_t begin, size_t end, struct error *err)
{
    struct buf b;
    bool ok;

    buf_init(&b);
    ok = put_levels(o, begin, end, &b, err);
    if (column_type(o->c) == COL_BOOL)
        put_bools(o, begin, end, &b);
    else if (column_type(o->c) != COL_TEXT)
        put_fixed(o, begin, end, &b);
    else
        for (size_t i = begin; ok && i < end; i++)
            ok = !column_is_valid(o->c, i) ||
                 put_text(column_text(o->c, i), &b, err);
    ok = ok && put_page(o, PQ_PAGE_DATA, end - begin, PQ_PLAIN, &b, err);
    buf_fini(&b);
    return ok;
}

/* ---- the dictionary ---- */

/* Codes for the values of the rows in order of first appearance. */
struct coder {
    uint32_t *code; /* of the rows that are there, one after the other */
    size_t n_codes;
    uint32_t *entry; /* the first row of each entry */
    size_t n, most;  /* entries; how many would still pay */
    uint32_t *table; /* by dict code, or by hash of the value: entry + 1 */
    size_t n_table;
};

static uint64_t
value_bits(const struct column *c, size_t i)
{
    uint64_t v = 0;
    size_t width = column_width(column_type(c));

    memcpy(&v, (const char *)column_data(c) + i * width, width);
    return v;
}

/* Where the value of row i is noted, or is to be. */
static uint32_t *
look_up(const struct pq_out *o, struct coder *k, size_t i)
{
    uint64_t v;
    size_t at;

    if (column_type(o->c) == COL_TEXT)
        return &k->table[column_codes(o->c)[i]];
    v = value_bits(o->c, i);
    at = (size_t)((v * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % k->n_table;
    while (k->table[at] && value_bits(o->c, k->entry[k->table[at] - 1]) != v)
        at = at + 1 < k->n_table ? at + 1 : 0;
    return &k->table[at];
}

/* False when a dictionary does not pay. */
static bool
code_rows(const struct pq_out *o, struct coder *k)
{
    const uint64_t *valid = column_validity(o->c);

    for (size_t i = o->begin; i < o->end; i++) {
        uint32_t *note;

        if (!column_bit(valid, i))
            continue;
        note = look_up(o, k, i);
        if (!*note) {
            if (k->n == k->most)
                return false;
            k->entry[k->n++] = (uint32_t)i;
            *note = (uint32_t)k->n;
        }
        k->code[k->n_codes++] = *note - 1;
    }
    return k->n_codes > 0;
}

static bool
make_coder(const struct pq_out *o, struct coder *k, struct error *err)
{
    size_t n = o->end - o->begin;

    *k = (struct coder){.most = n / 2};
    k->n_table = column_type(o->c) == COL_TEXT ? dict_count(column_dict(o->c))
                                               : 2 * n + 1;
    return (k->code = mem_try_array(n, sizeof *k->code, err)) &&
           (k->entry = mem_try_array(n, sizeof *k->entry, err)) &&
           (k->table = mem_try_array(k->n_table, sizeof *k->table, err));
}

static unsigned
bits_for(size_t n_entries)
{
    unsigned width = 0;

    while (n_entries > 1 && (n_entries - 1) >> width)
        width++;
    return width;
}

static bool
dictionary_page(struct pq_out *o, const struct coder *k, struct error *err)
{
    struct buf b;
    bool ok = true;

    buf_init(&b);
    for (size_t i = 0; ok && i < k->n; i++)
        if (column_type(o->c) == COL_TEXT)
            ok = put_text(column_text(o->c, k->entry[i]), &b, err);
        else
            put_fixed(o, k->entry[i], k->entry[i] + 1, &b);
    ok = ok && put_page(o, PQ_PAGE_DICTIONARY, k->n, PQ_PLAIN, &b, err);
    buf_fini(&b);
    return ok;
}

static bool
coded_page(struct pq_out *o, const struct coder *k, size_t begin, size_t end,
           size_t *done, struct error *err)
{
    const uint64_t *valid = column_validity(o->c);
    unsigned width = bits_for(k->n);
    size_t n = 0;
    struct buf b;
    bool ok;

    for (size_t i = begin; i < end; i++)
        n += column_bit(valid, i);
    buf_init(&b);
    ok = put_levels(o, begin, end, &b, err);
    buf_putc(&b, (char)width);
    pq_put_runs(&b, k->code + *done, n, width);
    *done += n;
    ok = ok &&
         put_page(o, PQ_PAGE_DATA, end - begin, PQ_RLE_DICTIONARY, &b, err);
    buf_fini(&b);
    return ok;
}

/* Bytes of the values by themselves, and of the entries. */
static bool
pays(const struct pq_out *o, const struct coder *k)
{
    size_t width = column_width(column_type(o->c));
    size_t plain = k->n_codes * width, entries = k->n * width;

    if (column_type(o->c) == COL_TEXT) {
        plain = entries = 0;
        for (size_t i = 0; i < k->n_codes; i++)
            plain += 4 + column_text(o->c, k->entry[k->code[i]]).n;
        for (size_t i = 0; i < k->n; i++)
            entries += 4 + column_text(o->c, k->entry[i]).n;
    }
    return entries + k->n_codes * bits_for(k->n) / 8 < plain;
}

/* *done tells whether the chunk was written so. */
static bool
write_coded(struct pq_out *o, bool *done, struct error *err)
{
    struct coder k;
    size_t n_done = 0;
    bool ok;

    *done = false;
    if (o->options->no_dictionary || column_type(o->c) == COL_BOOL)
        return true;
    ok = make_coder(o, &k, err);
    if (ok && code_rows(o, &k) && pays(o, &k)) {
        *done = true;
        ok = dictionary_page(o, &k, err);
        for (size_t i = o->begin, e; ok && i < o->end; i = e) {
            e = o->end - i < PAGE_ROWS ? o->end : i + PAGE_ROWS;
            ok = coded_page(o, &k, i, e, &n_done, err);
        }
    }
    free(k.code);
    free(k.entry);
    free(k.table);
    return ok;
}

/* ---- bounds ---- */

static void
text_bounds(struct pq_out *o)
{
    struct str min = {0}, max = {0};
    bool any = false;

    for (size_t i = o->begin; i < o->end; i++) {
        struct str s;

        if (!column_is_valid(o->c, i))
            continue;
        s = column_text(o->c, i);
        if (!any || str_cmp(s, min) < 0)
            min = s;
        if (!any || str_cmp(s, max) > 0)
            max = s;
        any = true;
    }
    if (!any || min.n > BOUND_LEN || max.n > BOUND_LEN)
        return;
    o->has_bounds = true;
    buf_add(&o->min, min.p, min.n);
    buf_add(&o->max, max.p, max.n);
}

/* NaN is in no bounds, and a zero stands for both. */
static void
float_bounds(struct pq_out *o)
{
    const double *v = column_float64s(o->c);
    double min = INFINITY, max = -INFINITY;

    for (size_t i = o->begin; i < o->end; i++) {
        if (!column_is_valid(o->c, i) || isnan(v[i]))
            continue;
        o->has_bounds = true;
        min = v[i] < min ? v[i] : min;
        max = v[i] > max ? v[i] : max;
    }
    if (!o->has_bounds)
        return;
    min = min == 0 ? -0.0 : min;
    max = max == 0 ? 0.0 : max;
    buf_add(&o->min, &min, sizeof min);
    buf_add(&o->max, &max, sizeof max);
}

static int64_t
int_value(const struct column *c, size_t i)
{
    switch (column_type(c)) {
    case COL_BOOL:
        return column_bools(c)[i];
    case COL_DATE:
        return column_dates(c)[i];
    default:
        return column_int64s(c)[i];
    }
}

static void
int_bounds(struct pq_out *o)
{
    size_t width = column_width(column_type(o->c));
    int64_t min = INT64_MAX, max = INT64_MIN;

    for (size_t i = o->begin; i < o->end; i++) {
        int64_t v;

        if (!column_is_valid(o->c, i))
            continue;
        v = int_value(o->c, i);
        o->has_bounds = true;
        min = v < min ? v : min;
        max = v > max ? v : max;
    }
    if (!o->has_bounds)
        return;
    buf_add(&o->min, &min, width); /* little-endian, as all numbers here */
    buf_add(&o->max, &max, width);
}

bool
pq_out_write(struct pq_out *o, struct error *err)
{
    bool done;

    for (size_t i = o->begin; i < o->end; i++)
        o->n_missing += !column_is_valid(o->c, i);
    if (column_type(o->c) == COL_TEXT)
        text_bounds(o);
    else if (column_type(o->c) == COL_FLOAT64)
        float_bounds(o);
    else
        int_bounds(o);
    if (!write_coded(o, &done, err))
        return false;
    for (size_t i = o->begin, e; !done && i < o->end; i = e) {
        e = page_end(o, i);
        if (!plain_page(o, i, e, err))
            return false;
    }
    return buf_check(&o->min, err) && buf_check(&o->max, err);
}
