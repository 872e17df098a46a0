/* frame/column_cast.c -- columns from one type to another.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/column.h"

static const int64_t us_per_second = 1000000;
static const int64_t us_per_day = INT64_C(86400000000);

/* A value between two types. */
struct value {
    int64_t i; /* bool, int, date, timestamp */
    double x;  /* float */
};

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

bool
column_parse(enum col_type t, struct str s, int64_t *i, double *x)
{
    int32_t days;
    bool b;

    switch (t) {
    case COL_BOOL:
        if (!str_to_bool(s, &b))
            return false;
        *i = b;
        return true;
    case COL_INT64:
        return str_to_i64(s, i);
    case COL_FLOAT64:
        return str_to_f64(s, x);
    case COL_DATE:
        if (!str_to_date(s, &days))
            return false;
        *i = days;
        return true;
    case COL_TIMESTAMP:
        if (str_to_date(s, &days)) {
            *i = days * us_per_day;
            return true;
        }
        return str_to_timestamp(s, i);
    case COL_TEXT:
        break;
    }
    return false;
}

static struct value
value_at(const struct column *c, size_t i)
{
    struct value v = {0, 0};

    switch (column_type(c)) {
    case COL_BOOL:
        v.i = column_bools(c)[i];
        break;
    case COL_FLOAT64:
        v.x = column_float64s(c)[i];
        break;
    case COL_DATE:
        v.i = column_dates(c)[i];
        break;
    case COL_INT64:
    case COL_TIMESTAMP:
        v.i = column_int64s(c)[i];
        break;
    case COL_TEXT:
        break;
    }
    return v;
}

/* Both ends are exact doubles; 2^63 itself is out. */
static bool
to_int(double x, int64_t *out)
{
    x = trunc(x);
    if (!(x >= -0x1p63 && x < 0x1p63))
        return false;
    *out = (int64_t)x;
    return true;
}

/* The plain number behind a value: days for a date, seconds for a timestamp. */
static bool
convert(enum col_type from, enum col_type to, struct value *v)
{
    if (from == to)
        return true;
    if (from == COL_DATE && to == COL_TIMESTAMP) {
        v->i *= us_per_day;
        return true;
    }
    if (from == COL_TIMESTAMP && to == COL_DATE) {
        v->i = floor_div(v->i, us_per_day);
        return true;
    }
    if (to == COL_FLOAT64) {
        v->x = from == COL_TIMESTAMP ? (double)v->i / 1e6 : (double)v->i;
        return true;
    }
    if (from == COL_FLOAT64) {
        if (to == COL_TIMESTAMP)
            return to_int(v->x * 1e6, &v->i);
        if (to == COL_BOOL && v->x != 0 && v->x != 1)
            return false;
        if (!to_int(v->x, &v->i))
            return false;
    } else if (from == COL_TIMESTAMP) {
        v->i = floor_div(v->i, us_per_second);
    }
    switch (to) {
    case COL_BOOL:
        return v->i == 0 || v->i == 1;
    case COL_DATE:
        return from != COL_BOOL && v->i >= INT32_MIN && v->i <= INT32_MAX;
    case COL_TIMESTAMP:
        return from != COL_BOOL &&
               !__builtin_mul_overflow(v->i, us_per_second, &v->i);
    default:
        return true;
    }
}

static void
store(void *data, enum col_type t, size_t i, struct value v)
{
    switch (t) {
    case COL_BOOL:
        ((uint8_t *)data)[i] = (uint8_t)v.i;
        break;
    case COL_FLOAT64:
        ((double *)data)[i] = v.x;
        break;
    case COL_DATE:
        ((int32_t *)data)[i] = (int32_t)v.i;
        break;
    default:
        ((int64_t *)data)[i] = v.i;
    }
}

/* Each different text is read once, not each row. */
struct parsed {
    struct value v;
    bool ok;
};

static struct parsed *
parse_dict(const struct column *c, enum col_type to, struct error *err)
{
    const struct dict *d = column_dict(c);
    struct parsed *p = mem_try_array(dict_count(d), sizeof *p, err);

    for (size_t k = 0; p && k < dict_count(d); k++)
        p[k].ok = column_parse(to, str_trim(dict_text(d, (uint32_t)k)),
                               &p[k].v.i, &p[k].v.x);
    return p;
}

static bool
cast_value(const struct column *c, size_t i, const struct parsed *texts,
           enum col_type to, struct value *v)
{
    if (texts) {
        const struct parsed *p = &texts[column_codes(c)[i]];

        *v = p->v;
        return p->ok;
    }
    *v = value_at(c, i);
    return convert(column_type(c), to, v);
}

static struct column *
cast_to_text(const struct column *c, struct error *err)
{
    size_t n = column_rows(c);
    uint32_t *codes = mem_try_aligned(n, sizeof *codes, err);
    size_t words = n / 64 + 1;
    uint64_t *valid = mem_try_array(words, sizeof *valid, err);
    struct dict *dict = dict_new(err);
    struct buf b;
    bool ok = codes && valid && dict;

    buf_init(&b);
    for (size_t i = 0; ok && i < n; i++) {
        if (!column_is_valid(c, i))
            continue;
        valid[i / 64] |= UINT64_C(1) << (i % 64);
        buf_clear(&b);
        column_print(c, i, &b);
        ok = buf_check(&b, err) &&
             dict_add(dict, (struct str){b.data, b.len}, &codes[i], err);
    }
    buf_fini(&b);
    if (ok)
        return column_new(COL_TEXT, n, codes, valid, dict, err);
    free(codes);
    free(valid);
    dict_unref(dict);
    return NULL;
}

struct column *
column_cast(const struct column *c, enum col_type to, size_t *lost,
            struct error *err)
{
    bool from_text = column_type(c) == COL_TEXT;
    size_t n = column_rows(c);
    struct parsed *texts = NULL;
    uint64_t *valid = NULL;
    void *data = NULL;

    *lost = 0;
    if (to == column_type(c))
        return column_ref(c);
    if (to == COL_TEXT)
        return cast_to_text(c, err);
    if ((from_text && !(texts = parse_dict(c, to, err))) ||
        !(data = mem_try_aligned(n, column_width(to), err)) ||
        !(valid = mem_try_array(n / 64 + 1, sizeof *valid, err)))
        goto fail;
    for (size_t i = 0; i < n; i++) {
        struct value v;

        if (!column_is_valid(c, i))
            continue;
        if (!cast_value(c, i, texts, to, &v)) {
            ++*lost;
            continue;
        }
        store(data, to, i, v);
        valid[i / 64] |= UINT64_C(1) << (i % 64);
    }
    free(texts);
    return column_new(to, n, data, valid, NULL, err);
fail:
    free(texts);
    free(data);
    return NULL;
}
