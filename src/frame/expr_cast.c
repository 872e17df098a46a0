/* From one type to another, and the parts of dates.  What cannot be read as
 * the other type is missing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "frame/expr_plan.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

/* One value; false: missing.  in and out point at what a vector of the type
 * holds. */
typedef bool cast_fn(const void *in, void *out, struct arena *mem,
                     struct error *err, bool *failed);

static int64_t
floor_div(int64_t x, int64_t y)
{
    return x / y - (x % y < 0);
}

static bool
put_int(double x, int64_t *out)
{
    /* 2^63 is the first double beyond the range. */
    if (!(x >= -9223372036854775808.0 && x < 9223372036854775808.0))
        return false;
    *out = (int64_t)x;
    return true;
}

static bool
put_text(const char *p, size_t n, struct str *out, struct arena *mem,
         struct error *err, bool *failed)
{
    char *copy = arena_text(mem, p, n, err);

    *failed = !copy;
    *out = (struct str){copy, n};
    return copy;
}

#define CAST(name)                                                 \
    static bool name(const void *in, void *out, struct arena *mem, \
                     struct error *err, bool *failed)
#define UNUSED \
    (void)mem; \
    (void)err; \
    (void)failed

CAST(bool_to_int)
{
    UNUSED;
    *(int64_t *)out = *(const uint8_t *)in;
    return true;
}

CAST(bool_to_float)
{
    UNUSED;
    *(double *)out = *(const uint8_t *)in;
    return true;
}

CAST(bool_to_text)
{
    UNUSED;
    *(struct str *)out = *(const uint8_t *)in ? STR("true") : STR("false");
    return true;
}

CAST(int_to_bool)
{
    UNUSED;
    *(uint8_t *)out = *(const int64_t *)in != 0;
    return true;
}

CAST(int_to_float)
{
    UNUSED;
    *(double *)out = (double)*(const int64_t *)in;
    return true;
}

CAST(int_to_text)
{
    char text[24];
    int n =
        snprintf(text, sizeof text, "%lld", (long long)*(const int64_t *)in);

    return put_text(text, (size_t)n, out, mem, err, failed);
}

/* Days, or seconds, since 1970-01-01. */
CAST(int_to_date)
{
    int64_t days = *(const int64_t *)in;

    UNUSED;
    *(int64_t *)out = days;
    return days >= INT32_MIN && days <= INT32_MAX;
}

CAST(int_to_timestamp)
{
    int64_t seconds = *(const int64_t *)in;

    UNUSED;
    if (seconds > INT64_MAX / SECOND || seconds < INT64_MIN / SECOND)
        return false;
    *(int64_t *)out = seconds * SECOND;
    return true;
}

CAST(float_to_bool)
{
    double x = *(const double *)in;

    UNUSED;
    *(uint8_t *)out = x != 0;
    return !isnan(x);
}

CAST(float_to_int)
{
    UNUSED;
    return put_int(*(const double *)in, out);
}

CAST(float_to_text)
{
    char text[STR_F64_MAX];

    return put_text(text, str_from_f64(*(const double *)in, text), out, mem,
                    err, failed);
}

CAST(float_to_timestamp)
{
    UNUSED;
    return put_int(rint(*(const double *)in * (double)SECOND), out);
}

CAST(text_to_bool)
{
    bool b;

    UNUSED;
    if (!str_to_bool(str_trim(*(const struct str *)in), &b))
        return false;
    *(uint8_t *)out = b;
    return true;
}

CAST(text_to_float)
{
    UNUSED;
    return str_to_f64(str_trim(*(const struct str *)in), out);
}

/* "12.0" is an integer; "12.5" is not. */
CAST(text_to_int)
{
    struct str s = str_trim(*(const struct str *)in);
    double x;

    UNUSED;
    return str_to_i64(s, out) ||
           (str_to_f64(s, &x) && x == trunc(x) && put_int(x, out));
}

CAST(text_to_timestamp)
{
    struct str s = str_trim(*(const struct str *)in);
    int32_t days;

    UNUSED;
    if (str_to_timestamp(s, out))
        return true;
    if (!str_to_date(s, &days))
        return false;
    *(int64_t *)out = days * DAY;
    return true;
}

CAST(text_to_date)
{
    int64_t us;

    if (!text_to_timestamp(in, &us, mem, err, failed))
        return false;
    *(int64_t *)out = floor_div(us, DAY);
    return true;
}

CAST(date_to_float)
{
    UNUSED;
    *(double *)out = (double)*(const int64_t *)in;
    return true;
}

CAST(date_to_int)
{
    UNUSED;
    *(int64_t *)out = *(const int64_t *)in;
    return true;
}

CAST(date_to_text)
{
    char text[STR_F64_MAX];
    int64_t days = *(const int64_t *)in;

    if (days < INT32_MIN || days > INT32_MAX)
        return false;
    return put_text(text, str_from_date((int32_t)days, text), out, mem, err,
                    failed);
}

CAST(date_to_timestamp)
{
    int64_t days = *(const int64_t *)in;

    UNUSED;
    if (days > INT64_MAX / DAY || days < INT64_MIN / DAY)
        return false;
    *(int64_t *)out = days * DAY;
    return true;
}

CAST(timestamp_to_int)
{
    UNUSED;
    *(int64_t *)out = floor_div(*(const int64_t *)in, SECOND);
    return true;
}

CAST(timestamp_to_float)
{
    UNUSED;
    *(double *)out = (double)*(const int64_t *)in / (double)SECOND;
    return true;
}

CAST(timestamp_to_text)
{
    char text[STR_F64_MAX + 8];

    return put_text(text, str_from_timestamp(*(const int64_t *)in, text), out,
                    mem, err, failed);
}

CAST(timestamp_to_date)
{
    UNUSED;
    *(int64_t *)out = floor_div(*(const int64_t *)in, DAY);
    return true;
}

/* Rows: from; columns: to. NULL: there is no sense in it. */
static cast_fn *const casts[COL_N_TYPES][COL_N_TYPES] = {
    [COL_BOOL] = {NULL, bool_to_int, bool_to_float, bool_to_text, NULL, NULL},
    [COL_INT64] = {int_to_bool, NULL, int_to_float, int_to_text, int_to_date,
                   int_to_timestamp},
    [COL_FLOAT64] = {float_to_bool, float_to_int, NULL, float_to_text, NULL,
                     float_to_timestamp},
    [COL_TEXT] = {text_to_bool, text_to_int, text_to_float, NULL, text_to_date,
                  text_to_timestamp},
    [COL_DATE] = {NULL, date_to_int, date_to_float, date_to_text, NULL,
                  date_to_timestamp},
    [COL_TIMESTAMP] = {NULL, timestamp_to_int, timestamp_to_float,
                       timestamp_to_text, timestamp_to_date, NULL},
};

/* The call through a pointer a value costs little beside the reading and
 * printing most of them do; the three that arithmetic inserts by itself have
 * loops of their own below. */
static bool
cast_values(const struct step *s, const struct vec *const *a, size_t n,
            struct vec *out, struct arena *mem, struct error *err)
{
    enum col_type from = s->arg[0]->type;
    size_t in_width = vec_width(vec_kind_of(from));
    size_t out_width = vec_width(vec_kind_of(s->type));
    cast_fn *fn = casts[from][s->type];
    const char *in = a[0]->p;
    char *o = out->own;

    memset(o, 0, n * out_width);
    memcpy(out->valid, a[0]->valid, sizeof out->valid);
    for (size_t i = 0; i < n; i++) {
        bool failed = false;

        if (!(out->valid[i / 64] >> (i % 64) & 1))
            continue;
        if (fn(in + i * in_width, o + i * out_width, mem, err, &failed))
            continue;
        if (failed)
            return false;
        out->valid[i / 64] &= ~((uint64_t)1 << (i % 64));
    }
    return true;
}

#define WIDEN(name, get, result)                                       \
    static bool name(const struct step *s, const struct vec *const *a, \
                     size_t n, struct vec *out, struct arena *mem,     \
                     struct error *err)                                \
    {                                                                  \
        result *o = out->own;                                          \
                                                                       \
        (void)s;                                                       \
        (void)mem;                                                     \
        (void)err;                                                     \
        memcpy(out->valid, a[0]->valid, sizeof out->valid);            \
        for (size_t i = 0; i < n; i++)                                 \
            o[i] = (result)get(a[0])[i];                               \
        return true;                                                   \
    }

WIDEN(bools_to_ints, v_bool, int64_t)
WIDEN(bools_to_floats, v_bool, double)
WIDEN(ints_to_floats, v_int, double)

kernel_fn *
kernel_cast(enum col_type from, enum col_type to)
{
    if (!casts[from][to])
        return NULL;
    if (from == COL_BOOL && to == COL_INT64)
        return bools_to_ints;
    if (from == COL_BOOL && to == COL_FLOAT64)
        return bools_to_floats;
    if (from == COL_INT64 && to == COL_FLOAT64)
        return ints_to_floats;
    return cast_values;
}

/* ---- dates ----------------------------------------------------------- */

/* ISO 8601: Monday is 1, Sunday 7; day 0 of 1970 was a Thursday. */
static int64_t
weekday(int64_t days)
{
    return ((days + 3) % 7 + 7) % 7 + 1;
}

/* ISO 8601: week 1 has the year's first Thursday. */
static int64_t
week(int64_t days)
{
    int64_t thursday = days - weekday(days) + 4;
    int year, month, day;

    if (thursday < INT32_MIN || thursday > INT32_MAX)
        return 0;
    str_civil((int32_t)thursday, &year, &month, &day);
    return (thursday - str_days(year, 1, 1)) / 7 + 1;
}

static int64_t
part_of(int64_t days, int64_t us, enum date_part part)
{
    int year, month, day;

    str_civil((int32_t)days, &year, &month, &day);
    switch (part) {
    case PART_YEAR:
        return year;
    case PART_QUARTER:
        return (month - 1) / 3 + 1;
    case PART_MONTH:
        return month;
    case PART_WEEK:
        return week(days);
    case PART_DAY:
        break;
    case PART_WEEKDAY:
        return weekday(days);
    case PART_YEARDAY:
        return days - str_days(year, 1, 1) + 1;
    case PART_HOUR:
        return us / (3600 * SECOND);
    case PART_MINUTE:
        return us / (60 * SECOND) % 60;
    case PART_SECOND:
        return us / SECOND % 60;
    }
    return day;
}

bool
k_date_part(const struct step *s, const struct vec *const *a, size_t n,
            struct vec *out, struct arena *mem, struct error *err)
{
    bool stamp = s->arg[0]->type == COL_TIMESTAMP;
    const int64_t *x = v_int(a[0]);
    int64_t *o = out->own;

    (void)mem;
    (void)err;
    memcpy(out->valid, a[0]->valid, sizeof out->valid);
    for (size_t i = 0; i < n; i++) {
        int64_t days = stamp ? floor_div(x[i], DAY) : x[i];
        bool set = out->valid[i / 64] >> (i % 64) & 1;

        o[i] = 0;
        if (set && days >= INT32_MIN && days <= INT32_MAX)
            o[i] = part_of(days, stamp ? x[i] - days * DAY : 0,
                           (enum date_part)s->option);
        else if (set)
            out->valid[i / 64] &= ~((uint64_t)1 << (i % 64));
    }
    return true;
}
