/* frame/arrow_value.c -- single values of an Arrow array.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "frame/arrow_part.h"

enum { LIMBS = 4, DIGITS_MAX = 80 };
#define EXACT_INT (UINT64_C(1) << 53)

int64_t
arrow_unit(int unit)
{
    static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};

    return per_second[unit];
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* ---- numbers ---- */

static double
half_to_double(uint16_t h)
{
    int exponent = h >> 10 & 31;
    double x = h & 1023;

    if (exponent == 31)
        x = x != 0 ? NAN : INFINITY;
    else
        x = exponent == 0 ? ldexp(x, -24) : ldexp(x + 1024, exponent - 25);
    return h & 0x8000 ? -x : x;
}

/* Divide a number of four limbs, the lowest first, by d; the remainder. */
static uint32_t
divide(uint64_t limb[LIMBS], uint32_t d)
{
    uint64_t rest = 0;

    for (int i = LIMBS - 1; i >= 0; i--) {
        uint64_t high = rest << 32 | limb[i] >> 32, low;

        rest = high % d;
        low = rest << 32 | (limb[i] & UINT32_MAX);
        rest = low % d;
        limb[i] = high / d << 32 | low / d;
    }
    return (uint32_t)rest;
}

/* The magnitude of a two's complement number of `width` bytes. */
static bool
magnitude(const char *p, size_t width, uint64_t limb[LIMBS])
{
    bool negative = (unsigned char)p[width - 1] >> 7;
    unsigned carry = negative;

    memset(limb, negative ? 0xff : 0, LIMBS * sizeof *limb);
    memcpy(limb, p, width);
    for (int i = 0; negative && i < LIMBS; i++) {
        limb[i] = ~limb[i] + carry;
        carry = carry && limb[i] == 0;
    }
    return negative;
}

/* "-123e-2", to be rounded correctly by who reads it. */
static double
decimal_by_text(uint64_t limb[LIMBS], bool negative, int scale)
{
    char text[DIGITS_MAX + 16], digits[DIGITS_MAX];
    size_t n = 0, at = 0;
    double x = NAN;

    do
        digits[n++] = (char)('0' + divide(limb, 10));
    while (limb[0] || limb[1] || limb[2] || limb[3]);
    if (negative)
        text[at++] = '-';
    while (n > 0)
        text[at++] = digits[--n];
    at += (size_t)snprintf(text + at, sizeof text - at, "e%d", -scale);
    return str_to_f64((struct str){text, at}, &x) ? x : NAN;
}

static double
decimal(const struct arrow_field *f, const char *p)
{
    uint64_t limb[LIMBS];
    bool negative = magnitude(p, f->bits / 8, limb);
    double x;

    /* Two exact numbers: their quotient is rounded once. */
    if (limb[0] > EXACT_INT || limb[1] || limb[2] || limb[3] || f->scale < 0 ||
        f->scale > 22)
        return decimal_by_text(limb, negative, f->scale);
    x = 1;
    for (int i = 0; i < f->scale; i++)
        x *= 10;
    x = (double)limb[0] / x;
    return negative ? -x : x;
}

double
arrow_float(const struct arrow_field *f, const struct arrow_array *x, size_t i)
{
    const char *p = x->buf[ARROW_DATA].s.p + i * (f->bits / 8);
    uint16_t half;
    float single;
    double v;

    if (f->kind == ARROW_DECIMAL)
        return decimal(f, p);
    if (f->kind == ARROW_DURATION)
        return (double)arrow_int(f, x, i) / (double)arrow_unit(f->unit);
    switch (f->bits) {
    case 16:
        memcpy(&half, p, sizeof half);
        return half_to_double(half);
    case 32:
        memcpy(&single, p, sizeof single);
        return single;
    default:
        memcpy(&v, p, sizeof v);
        return v;
    }
}

/* ---- times ---- */

static int64_t
signed_int(const struct arrow_field *f, const struct arrow_array *x, size_t i)
{
    struct arrow_field plain = {.bits = f->bits, .is_signed = true};

    return arrow_int(&plain, x, i);
}

bool
arrow_microseconds(const struct arrow_field *f, const struct arrow_array *x,
                   size_t i, int64_t *us)
{
    int64_t v = signed_int(f, x, i), unit = arrow_unit(f->unit);

    if (unit > 1000000) {
        *us = floor_div(v, unit / 1000000);
        return true;
    }
    unit = 1000000 / unit;
    if (v > INT64_MAX / unit || v < INT64_MIN / unit)
        return false;
    *us = v * unit;
    return true;
}

bool
arrow_days(const struct arrow_field *f, const struct arrow_array *x, size_t i,
           int64_t *days)
{
    int64_t v = signed_int(f, x, i);

    *days = f->bits == 32 ? v : floor_div(v, INT64_C(86400000));
    return *days >= INT32_MIN && *days <= INT32_MAX;
}

/* ".25": what is left of a second, without zeros at its end. */
static void
print_fraction(int64_t part, int64_t unit, struct buf *out)
{
    char text[24];
    int n = 0;

    if (part == 0)
        return;
    for (; unit > 1; unit /= 10)
        text[n++] = (char)('0' + part / (unit / 10) % 10);
    while (text[n - 1] == '0')
        n--;
    buf_putc(out, '.');
    buf_add(out, text, (size_t)n);
}

static void
print_time(int64_t v, int64_t unit, struct buf *out)
{
    int64_t seconds = floor_div(v, unit);

    if (seconds < 0) {
        buf_putc(out, '-');
        v = v == INT64_MIN ? INT64_MAX : -v;
        seconds = v / unit;
    }
    buf_printf(out, "%02lld:%02d:%02d", (long long)(seconds / 3600),
               (int)(seconds / 60 % 60), (int)(seconds % 60));
    print_fraction(v % unit, unit, out);
}

static void
print_part(int64_t n, const char *word, struct buf *out)
{
    if (n == 0)
        return;
    if (out->len > 0)
        buf_putc(out, ' ');
    buf_printf(out, "%lld %s%s", (long long)n, word, n == 1 ? "" : "s");
}

static void
print_interval(const struct arrow_field *f, const struct arrow_array *x,
               size_t i, struct buf *out)
{
    const char *p = x->buf[ARROW_DATA].s.p + i * (f->bits / 8);
    int32_t part[2] = {0, 0};
    int64_t nano = 0;
    size_t before = out->len;
    struct buf text;

    memcpy(part, p, f->bits == 32 ? 4 : 8);
    buf_init(&text);
    if (f->unit == ARROW_MONTH_DAY_NANO)
        memcpy(&nano, p + 8, 8);
    if (f->unit == ARROW_DAY_TIME) {
        print_part(part[0], "day", &text);
        nano = (int64_t)part[1] * 1000000;
    } else {
        print_part(part[0] / 12, "year", &text);
        print_part(part[0] % 12, "month", &text);
        print_part(part[1], "day", &text);
    }
    if (nano != 0) {
        if (text.len > 0)
            buf_putc(&text, ' ');
        print_time(nano, 1000000000, &text);
    }
    buf_add(out, text.data, text.len);
    out->failed |= text.failed;
    if (out->len == before)
        buf_puts(out, "0 days");
    buf_fini(&text);
}

/* ---- any value ---- */

static void
print_text(struct str s, bool quoted, struct buf *out)
{
    if (quoted)
        buf_json(out, s.p, s.n);
    else
        buf_add(out, s.p, s.n);
}

static void
print_hex(struct str s, struct buf *out)
{
    static const char digit[] = "0123456789abcdef";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        buf_putc(out, digit[c >> 4]);
        buf_putc(out, digit[c & 15]);
    }
}

static void
print_list(const struct arrow_field *f, const struct arrow_array *x, size_t i,
           struct buf *out)
{
    size_t begin, end;

    arrow_range(f, x, i, &begin, &end);
    buf_putc(out, '[');
    for (size_t k = begin; k < end && !out->failed; k++) {
        if (k > begin)
            buf_puts(out, ", ");
        arrow_print(&f->child[0], &x->child[0], k, true, out);
    }
    buf_putc(out, ']');
}

static void
print_map(const struct arrow_field *f, const struct arrow_array *x, size_t i,
          struct buf *out)
{
    const struct arrow_field *pair = &f->child[0];
    const struct arrow_array *pairs = &x->child[0];
    size_t begin, end;

    arrow_range(f, x, i, &begin, &end);
    buf_putc(out, '{');
    for (size_t k = begin; k < end && !out->failed; k++) {
        if (k > begin)
            buf_puts(out, ", ");
        arrow_print(&pair->child[0], &pairs->child[0], k, true, out);
        buf_puts(out, ": ");
        arrow_print(&pair->child[1], &pairs->child[1], k, true, out);
    }
    buf_putc(out, '}');
}

static void
print_struct(const struct arrow_field *f, const struct arrow_array *x, size_t i,
             struct buf *out)
{
    buf_putc(out, '{');
    for (size_t k = 0; k < f->n_children; k++) {
        if (k > 0)
            buf_puts(out, ", ");
        print_text(f->child[k].name, true, out);
        buf_puts(out, ": ");
        arrow_print(&f->child[k], &x->child[k], i, true, out);
    }
    buf_putc(out, '}');
}

static void
print_code(const struct arrow_field *f, const struct arrow_array *x, size_t i,
           bool quoted, struct buf *out)
{
    const struct arrow_version *v = &f->dict->version[x->version];
    uint64_t code = (uint64_t)arrow_int(f->index, x, i);

    if (code >= x->known)
        buf_puts(out, "null");
    else if (v->texts)
        print_text(dict_text(v->texts, (uint32_t)code), quoted, out);
    else if (!v->values || !column_is_valid(v->values, code))
        buf_puts(out, "null");
    else if (column_type(v->values) == COL_TEXT)
        print_text(column_text(v->values, code), quoted, out);
    else
        column_print(v->values, code, out);
}

/* Dates and times, which are quoted within lists. */
static void
print_moment(const struct arrow_field *f, const struct arrow_array *x, size_t i,
             struct buf *out)
{
    char text[STR_F64_MAX + 8];
    int64_t v = 0;

    switch (f->kind) {
    case ARROW_DATE:
        if (arrow_days(f, x, i, &v))
            buf_add(out, text, str_from_date((int32_t)v, text));
        break;
    case ARROW_TIMESTAMP:
        if (arrow_microseconds(f, x, i, &v))
            buf_add(out, text, str_from_timestamp(v, text));
        break;
    case ARROW_TIME:
        print_time(signed_int(f, x, i), arrow_unit(f->unit), out);
        break;
    default:
        print_interval(f, x, i, out);
    }
}

static void
print_quoted_moment(const struct arrow_field *f, const struct arrow_array *x,
                    size_t i, bool quoted, struct buf *out)
{
    if (quoted)
        buf_putc(out, '"');
    print_moment(f, x, i, out);
    if (quoted)
        buf_putc(out, '"');
}

void
arrow_print(const struct arrow_field *f, const struct arrow_array *x, size_t i,
            bool quoted, struct buf *out)
{
    if (!arrow_bit(x, i) || (f->kind == ARROW_NULL && !f->dict)) {
        buf_puts(out, "null");
        return;
    }
    if (f->dict) {
        print_code(f, x, i, quoted, out);
        return;
    }
    switch (f->kind) {
    case ARROW_BOOL:
        buf_puts(out,
                 (unsigned char)x->buf[ARROW_DATA].s.p[i / 8] >> (i % 8) & 1
                     ? "true"
                     : "false");
        break;
    case ARROW_INT:
        buf_printf(out, !f->is_signed && f->bits == 64 ? "%llu" : "%lld",
                   (unsigned long long)arrow_int(f, x, i));
        break;
    case ARROW_FLOAT:
    case ARROW_DECIMAL:
    case ARROW_DURATION:
        buf_double(out, arrow_float(f, x, i));
        break;
    case ARROW_DATE:
    case ARROW_TIMESTAMP:
    case ARROW_TIME:
    case ARROW_INTERVAL:
        print_quoted_moment(f, x, i, quoted, out);
        break;
    case ARROW_FIXED_BINARY:
        if (quoted)
            buf_putc(out, '"');
        print_hex(arrow_bytes(f, x, i), out);
        if (quoted)
            buf_putc(out, '"');
        break;
    case ARROW_STRUCT:
        print_struct(f, x, i, out);
        break;
    case ARROW_MAP:
        print_map(f, x, i, out);
        break;
    case ARROW_LIST:
    case ARROW_LARGE_LIST:
    case ARROW_FIXED_LIST:
    case ARROW_LIST_VIEW:
    case ARROW_LARGE_LIST_VIEW:
        print_list(f, x, i, out);
        break;
    default:
        print_text(arrow_bytes(f, x, i), quoted, out);
    }
}
