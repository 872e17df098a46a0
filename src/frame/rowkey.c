/* A row's key is built field by field: key = key * span + value, where a
 * field's value counts from the smallest of its column.  Where the product of
 * the spans would leave 64 bits, what there is so far is replaced by the
 * number of the row that first had it, and, if need be, so is the field.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/rowkey.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/keytable.h"
#include "frame/order.h"

enum { CHUNK = 65536, WORDS = ROWKEY_BATCH / 64 };

#define DAY_US INT64_C(86400000000)

struct field {
    const struct column *c[2];
    enum col_type type;      /* as which they are compared */
    uint64_t min, range;     /* values are min..min + range */
    uint32_t *map;           /* codes of a side as codes of the other */
    int mapped;              /* that side */
    bool gap;                /* 0 is missing, values begin at 1 */
    uint64_t span;           /* 0: anything */
    struct keytable *before; /* numbers the key in front of this field */
    struct keytable *own;    /* numbers the values of this field */
};

struct rowkey {
    const struct frame *f[2];
    int base; /* the side whose values count */
    bool pair;
    struct field *field;
    size_t n_fields;
    uint64_t span;
    bool *packs; /* while it is made: where to say no, instead of numbering */
};

/* ---- values ---------------------------------------------------------- */

#define EACH(type, get, formula)        \
    do {                                \
        const type *x = get(c) + begin; \
                                        \
        for (size_t i = 0; i < n; i++)  \
            out[i] = (formula)-f->min;  \
    } while (0)

static uint64_t
midnight(int32_t days)
{
    int64_t limit = INT64_MAX / DAY_US;

    if (days > limit || days < -limit)
        return days > 0 ? UINT64_MAX : 0;
    return order_of_int(days * DAY_US);
}

static void
values_as_float(const struct field *f, const struct column *c, size_t begin,
                size_t n, uint64_t *out)
{
    if (column_type(c) == COL_BOOL)
        EACH(uint8_t, column_bools, order_of_float(x[i]));
    else if (column_type(c) == COL_INT64)
        EACH(int64_t, column_int64s, order_of_float((double)x[i]));
    else
        EACH(double, column_float64s, order_of_float(x[i]));
}

/* Values of a side, from the smallest on; of missing ones anything. */
static void
values(const struct field *f, int side, size_t begin, size_t n, uint64_t *out)
{
    const struct column *c = f->c[side];

    switch (f->type) {
    case COL_BOOL:
        EACH(uint8_t, column_bools, x[i]);
        break;
    case COL_INT64:
        if (column_type(c) == COL_BOOL)
            EACH(uint8_t, column_bools, order_of_int(x[i]));
        else
            EACH(int64_t, column_int64s, order_of_int(x[i]));
        break;
    case COL_FLOAT64:
        values_as_float(f, c, begin, n, out);
        break;
    case COL_TEXT:
        if (f->map && side == f->mapped)
            EACH(uint32_t, column_codes, f->map[x[i]]);
        else
            EACH(uint32_t, column_codes, x[i]);
        break;
    case COL_DATE:
        EACH(int32_t, column_dates, order_of_int(x[i]));
        break;
    case COL_TIMESTAMP:
        if (column_type(c) == COL_DATE)
            EACH(int32_t, column_dates, midnight(x[i]));
        else
            EACH(int64_t, column_int64s, order_of_int(x[i]));
        break;
    }
}

static void
load_valid(const struct column *c, size_t begin, size_t n, uint64_t *valid)
{
    size_t words = (n + 63) / 64;

    if (column_validity(c))
        memcpy(valid, column_validity(c) + begin / 64, words * sizeof *valid);
    else
        memset(valid, 0xff, words * sizeof *valid);
}

/* Values beyond the range are none: the other side does not have them. */
static void
keep_in_range(const struct field *f, const uint64_t *value, size_t n,
              uint64_t *valid)
{
    for (size_t at = 0; at < n; at += 64) {
        size_t m = n - at < 64 ? n - at : 64;
        uint64_t in = 0;

        for (size_t i = 0; i < m; i++)
            in |= (uint64_t)(value[at + i] <= f->range) << i;
        valid[at / 64] &= in;
    }
}

static void
clear_invalid(const uint64_t *valid, size_t n, uint64_t *value)
{
    for (size_t i = 0; i < n; i++)
        value[i] &= (uint64_t)0 - (valid[i / 64] >> (i % 64) & 1);
}

/* Replace keys by the rows that first had them. */
static void
renumber(const struct keytable *t, uint64_t *key, size_t n, uint64_t *valid)
{
    uint32_t first[ROWKEY_BATCH];

    keytable_find(t, key, valid, n, first);
    for (size_t at = 0; at < n; at += 64) {
        size_t m = n - at < 64 ? n - at : 64;
        uint64_t in = 0;

        for (size_t i = at; i < at + m; i++) {
            bool there = first[i] != KEYTABLE_NONE;

            in |= (uint64_t)there << (i - at);
            key[i] = there ? first[i] : 0;
        }
        valid[at / 64] &= in;
    }
}

static void
field_fill(const struct rowkey *k, const struct field *f, int side,
           size_t begin, size_t n, uint64_t *out, uint64_t *valid)
{
    values(f, side, begin, n, out);
    load_valid(f->c[side], begin, n, valid);
    if (side != k->base || (f->map && side == f->mapped))
        keep_in_range(f, out, n, valid);
    clear_invalid(valid, n, out);
    if (f->own)
        renumber(f->own, out, n, valid);
    if (!f->gap)
        return;
    for (size_t i = 0; i < n; i++)
        out[i] += valid[i / 64] >> (i % 64) & 1;
    memset(valid, 0xff, (n + 63) / 64 * sizeof *valid);
}

void
rowkey_fill(const struct rowkey *k, int side, size_t begin, size_t n,
            uint64_t *key, uint64_t *valid)
{
    uint64_t value[ROWKEY_BATCH], there[WORDS];
    size_t words = (n + 63) / 64;

    if (k->n_fields == 0) {
        memset(key, 0, n * sizeof *key);
        memset(valid, 0xff, words * sizeof *valid);
        return;
    }
    field_fill(k, &k->field[0], side, begin, n, key, valid);
    for (size_t j = 1; j < k->n_fields; j++) {
        const struct field *f = &k->field[j];

        if (f->before)
            renumber(f->before, key, n, valid);
        field_fill(k, f, side, begin, n, value, there);
        for (size_t i = 0; i < n; i++)
            key[i] = key[i] * f->span + value[i];
        for (size_t w = 0; w < words; w++)
            valid[w] &= there[w];
    }
    if (k->n_fields > 1)
        clear_invalid(valid, n, key);
}

struct filling {
    const struct rowkey *k;
    int side;
    uint64_t *key, *valid;
};

static void
fill_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct filling *f = ctx;

    (void)chunk;
    for (size_t at = begin; at < end; at += ROWKEY_BATCH) {
        size_t n = end - at < ROWKEY_BATCH ? end - at : ROWKEY_BATCH;

        rowkey_fill(f->k, f->side, at, n, f->key + at, f->valid + at / 64);
    }
}

static bool
all_set(const uint64_t *valid, size_t n)
{
    for (size_t w = 0; w < n / 64; w++)
        if (~valid[w])
            return false;
    return n % 64 == 0 || !(~valid[n / 64] & (((uint64_t)1 << n % 64) - 1));
}

bool
rowkey_all(const struct rowkey *k, int side, struct pool *pool, uint64_t **key,
           uint64_t **valid, struct error *err)
{
    size_t n = frame_rows(k->f[side]);
    struct filling f = {.k = k, .side = side};

    if (!(f.key = mem_try_unset(n, sizeof *f.key, err)) ||
        !(f.valid = mem_try_unset((n + 63) / 64, sizeof *f.valid, err))) {
        free(f.key);
        return false;
    }
    pool_for(pool, n, CHUNK, fill_chunk, &f);
    *key = f.key;
    *valid = f.valid;
    if (all_set(f.valid, n)) {
        free(f.valid);
        *valid = NULL;
    }
    return true;
}

/* ---- ranges ---------------------------------------------------------- */

struct ranging {
    const struct field *f;
    int side;
    uint64_t *low, *high; /* of each chunk */
};

static void
range_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct ranging *r = ctx;
    uint64_t value[ROWKEY_BATCH], valid[WORDS], low = UINT64_MAX, high = 0;

    for (size_t at = begin; at < end; at += ROWKEY_BATCH) {
        size_t n = end - at < ROWKEY_BATCH ? end - at : ROWKEY_BATCH;

        values(r->f, r->side, at, n, value);
        load_valid(r->f->c[r->side], at, n, valid);
        for (size_t i = 0; i < n; i++) {
            bool there = valid[i / 64] >> (i % 64) & 1;
            uint64_t l = there ? value[i] : UINT64_MAX;
            uint64_t h = there ? value[i] : 0;

            low = l < low ? l : low;
            high = h > high ? h : high;
        }
    }
    r->low[chunk] = low;
    r->high[chunk] = high;
}

static bool
find_range(const struct rowkey *k, struct field *f, struct pool *pool,
           struct error *err)
{
    size_t n = frame_rows(k->f[k->base]), chunks = pool_chunks(n, CHUNK);
    struct ranging r = {.f = f, .side = k->base};
    uint64_t low = UINT64_MAX, high = 0;

    if (f->type == COL_BOOL) {
        f->range = 1;
        return true;
    }
    if (f->type == COL_TEXT) {
        size_t count =
            dict_count(column_dict(f->c[f->map ? 1 - f->mapped : k->base]));

        f->range = count ? count - 1 : 0;
        return true;
    }
    if ((r.low = mem_try_array(chunks, sizeof *r.low, err)) &&
        (r.high = mem_try_array(chunks, sizeof *r.high, err))) {
        pool_for(pool, n, CHUNK, range_chunk, &r);
        for (size_t i = 0; i < chunks; i++) {
            low = r.low[i] < low ? r.low[i] : low;
            high = r.high[i] > high ? r.high[i] : high;
        }
        f->min = low <= high ? low : 0;
        f->range = low <= high ? high - low : 0;
    }
    free(r.low);
    free(r.high);
    return r.high;
}

/* ---- texts of two dictionaries --------------------------------------- */

struct mapping {
    const struct dict *from, *to;
    uint32_t *map;
};

static void
map_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct mapping *m = ctx;

    (void)chunk;
    dict_find_range(m->to, m->from, begin, end, m->map);
}

/* The smaller dictionary is looked up in the larger one; where the values of
 * side 1 are fixed, those of side 0 in theirs. */
static bool
map_texts(struct field *f, bool fixed, struct pool *pool, struct error *err)
{
    enum { TEXTS = 8192 };
    struct mapping m = {column_dict(f->c[0]), column_dict(f->c[1]), NULL};

    free(f->map);
    f->map = NULL;
    if (m.from == m.to)
        return true;
    f->mapped = !fixed && dict_count(m.from) > dict_count(m.to);
    if (f->mapped) {
        m.from = column_dict(f->c[1]);
        m.to = column_dict(f->c[0]);
    }
    f->map = m.map = mem_try_unset(dict_count(m.from) + 1, sizeof *m.map, err);
    if (!m.map)
        return false;
    m.map[0] = 0; /* what a missing value looks up */
    pool_for(pool, dict_count(m.from), TEXTS, map_chunk, &m);
    return true;
}

/* ---- fields ---------------------------------------------------------- */

static bool
is_number(enum col_type t)
{
    return t == COL_BOOL || t == COL_INT64 || t == COL_FLOAT64;
}

static bool
is_day(enum col_type t)
{
    return t == COL_DATE || t == COL_TIMESTAMP;
}

static bool
compared_type(const struct rowkey *k, size_t a, size_t b, enum col_type *out,
              struct error *err)
{
    enum col_type x = column_type(frame_column(k->f[0], a));
    enum col_type y = column_type(frame_column(k->f[1], b));

    *out = x > y ? x : y; /* bool < int < float, date < timestamp */
    if (x == y || (is_number(x) && is_number(y)) || (is_day(x) && is_day(y)))
        return true;
    return error_set(err, ERR_TYPE,
                     "%s is %s here and %s is %s there: convert "
                     "one of them",
                     frame_name(k->f[0], a), column_type_word(x),
                     frame_name(k->f[1], b), column_type_word(y));
}

/* A table over the keys that the first n_fields fields give. */
static struct keytable *
number_keys(struct rowkey *k, struct pool *pool, struct error *err)
{
    struct keytable_in in = {.n = frame_rows(k->f[k->base]), .span = k->span};
    struct keytable *t = NULL;
    uint64_t *key, *valid;

    if (rowkey_all(k, k->base, pool, &key, &valid, err)) {
        in.key = key;
        in.valid = valid;
        t = keytable_new(&in, pool, NULL, err);
        free(key);
        free(valid);
    }
    return t;
}

/* How many values a field may have; 0 when that leaves 64 bits. */
static uint64_t
field_span(const struct field *f)
{
    return f->range <= UINT64_MAX - 1 - f->gap ? f->range + 1 + f->gap : 0;
}

static bool
number_field(struct rowkey *k, struct field *f, struct pool *pool,
             struct error *err)
{
    struct field alone = *f;
    struct rowkey one = *k;

    if (k->packs)
        return *k->packs = false;
    alone.gap = false;
    one.field = &alone;
    one.n_fields = 1;
    one.span = field_span(&alone);
    if (!(f->own = number_keys(&one, pool, err)))
        return false;
    f->span = frame_rows(k->f[k->base]) + f->gap;
    return true;
}

/* Put a field behind those there are; what is full is numbered first. */
static bool
append(struct rowkey *k, struct field *f, struct pool *pool, struct error *err)
{
    size_t rows = frame_rows(k->f[k->base]);
    size_t span;

    f->span = field_span(f);
    if (!f->span && (f->gap || k->n_fields) && !number_field(k, f, pool, err))
        return false;
    if (k->n_fields == 0) {
        k->span = f->span;
        return true;
    }
    if (!k->span || !mem_mul(k->span, f->span, &span)) {
        if (k->packs)
            return *k->packs = false;
        if (!(f->before = number_keys(k, pool, err)))
            return false;
        k->span = rows ? rows : 1;
    }
    if (!mem_mul(k->span, f->span, &span)) {
        if (!number_field(k, f, pool, err))
            return false;
        span = k->span * f->span;
    }
    k->span = span;
    return true;
}

static bool
field_init(struct rowkey *k, struct field *f, struct pool *pool,
           struct error *err)
{
    f->gap = !k->pair && column_missing(f->c[0]) > 0;
    if (k->pair && f->type == COL_TEXT &&
        !map_texts(f, frame_rows(k->f[0]) == 0, pool, err))
        return false;
    if (!find_range(k, f, pool, err) || !append(k, f, pool, err))
        return false;
    k->n_fields++;
    return true;
}

static struct rowkey *
allocate(size_t n_by, struct error *err)
{
    struct rowkey *k = mem_try_array(1, sizeof *k, err);

    if (k && !(k->field = mem_try_array(n_by, sizeof *k->field, err))) {
        free(k);
        return NULL;
    }
    if (k)
        k->span = 1;
    return k;
}

struct rowkey *
rowkey_new(const struct frame *f, const size_t *by, size_t n_by,
           struct pool *pool, bool *packs, struct error *err)
{
    struct rowkey *k = allocate(n_by, err);

    if (packs)
        *packs = true;
    if (!k)
        return NULL;
    k->f[0] = f;
    k->packs = packs;
    for (size_t i = 0; i < n_by; i++) {
        struct field *field = &k->field[i];

        field->c[0] = frame_column(f, by[i]);
        field->type = column_type(field->c[0]);
        if (!field_init(k, field, pool, err)) {
            k->n_fields = i + 1;
            rowkey_free(k);
            return NULL;
        }
    }
    return k;
}

struct rowkey *
rowkey_pair(const struct frame *const f[2], const size_t *const by[2],
            size_t n_by, struct pool *pool, struct error *err)
{
    struct rowkey *k = allocate(n_by, err);

    if (!k)
        return NULL;
    k->f[0] = f[0];
    k->f[1] = f[1];
    k->pair = true;
    k->base = 1;
    for (size_t i = 0; i < n_by; i++) {
        struct field *field = &k->field[i];

        field->c[0] = frame_column(f[0], by[0][i]);
        field->c[1] = frame_column(f[1], by[1][i]);
        if (!compared_type(k, by[0][i], by[1][i], &field->type, err) ||
            !field_init(k, field, pool, err)) {
            k->n_fields = i + 1;
            rowkey_free(k);
            return NULL;
        }
    }
    return k;
}

bool
rowkey_turn(struct rowkey *k, const struct frame *f, const size_t *by,
            struct pool *pool, struct error *err)
{
    k->f[0] = f;
    for (size_t i = 0; i < k->n_fields; i++) {
        struct field *field = &k->field[i];

        field->c[0] = frame_column(f, by[i]);
        if (field->type == COL_TEXT && !map_texts(field, true, pool, err))
            return false;
    }
    return true;
}

void
rowkey_free(struct rowkey *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->n_fields; i++) {
        free(k->field[i].map);
        keytable_free(k->field[i].before);
        keytable_free(k->field[i].own);
    }
    free(k->field);
    free(k);
}

uint64_t
rowkey_span(const struct rowkey *k)
{
    return k->span;
}
