/* frame/parquet_convert.c -- stored values to lathe's.
 *
 * Stored numbers are little-endian and lie at any address.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/parquet_convert.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MAX_EXACT_SCALE = 22, DECIMAL_MAX = 32, DIGITS_MAX = 80 };

static const int64_t DAY_US = INT64_C(86400000000);

static inline int32_t
load_i32(const uint8_t *p)
{
    int32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline int64_t
load_i64(const uint8_t *p)
{
    int64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* ---- decimals ---- */

/* Digits of a magnitude in base 2^32, the highest first, which is used up. */
static size_t
digits_of(uint32_t *word, size_t n, char *out)
{
    char reversed[DIGITS_MAX];
    size_t len = 0;

    for (bool zero = false; !zero && len < DIGITS_MAX;) {
        uint64_t rest = 0;

        zero = true;
        for (size_t i = 0; i < n; i++) {
            uint64_t v = rest << 32 | word[i];

            word[i] = (uint32_t)(v / 10);
            rest = v % 10;
            zero &= word[i] == 0;
        }
        reversed[len++] = (char)('0' + rest);
    }
    for (size_t i = 0; i < len; i++)
        out[i] = reversed[len - 1 - i];
    return len;
}

/* As text, which str.c reads correctly rounded. */
static double
exact_decimal(const uint8_t *p, size_t n, int scale)
{
    uint32_t word[DECIMAL_MAX / 4];
    bool negative = p[0] & 0x80;
    uint8_t wide[DECIMAL_MAX];
    unsigned carry = negative;
    struct buf b;
    char digits[DIGITS_MAX];
    double x = 0;

    memset(wide, negative ? 0xff : 0, sizeof wide);
    memcpy(wide + sizeof wide - n, p, n);
    for (size_t i = sizeof wide; negative && i-- > 0;) {
        unsigned v = (uint8_t)~wide[i] + carry;

        wide[i] = (uint8_t)v;
        carry = v >> 8;
    }
    for (size_t i = 0; i < DECIMAL_MAX / 4; i++)
        word[i] = (uint32_t)wide[4 * i] << 24 |
                  (uint32_t)wide[4 * i + 1] << 16 |
                  (uint32_t)wide[4 * i + 2] << 8 | wide[4 * i + 3];
    buf_init(&b);
    if (negative)
        buf_putc(&b, '-');
    buf_add(&b, digits, digits_of(word, DECIMAL_MAX / 4, digits));
    buf_printf(&b, "e%d", -scale);
    if (b.failed || !str_to_f64((struct str){b.data, b.len}, &x))
        x = NAN;
    buf_fini(&b);
    return x;
}

static const double pow10_exact[MAX_EXACT_SCALE + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Both operands of the division are exact, so that it rounds once. */
static double
small_decimal(int64_t v, int scale)
{
    static const int64_t exact = INT64_C(1) << 53;
    uint8_t big[8];

    if (v >= -exact && v <= exact && scale >= 0 && scale <= MAX_EXACT_SCALE)
        return (double)v / pow10_exact[scale];
    for (size_t i = 0; i < 8; i++)
        big[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
    return exact_decimal(big, 8, scale);
}

double
pq_decimal(const uint8_t *p, size_t n, int scale)
{
    uint64_t v;

    if (n == 0)
        return 0;
    if (n > 8)
        return n <= DECIMAL_MAX ? exact_decimal(p, n, scale) : NAN;
    v = p[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return small_decimal((int64_t)v, scale);
}

/* ---- numbers ---- */

static double
half_float(const uint8_t *p)
{
    unsigned h = (unsigned)p[0] | (unsigned)p[1] << 8;
    int exponent = (int)(h >> 10 & 31);
    double m = (double)(h & 1023), x;

    if (exponent == 31)
        x = m != 0 ? NAN : INFINITY;
    else if (exponent == 0)
        x = ldexp(m, -24);
    else
        x = ldexp(1024 + m, exponent - 25);
    return h & 0x8000 ? -x : x;
}

/* What does not fit is as near as can be. */
static int64_t
micros_of_millis(int64_t ms)
{
    if (ms > INT64_MAX / 1000)
        return INT64_MAX;
    return ms < INT64_MIN / 1000 ? INT64_MIN : ms * 1000;
}

static int64_t
micros_of_nanos(int64_t ns)
{
    return ns / 1000 - (ns % 1000 < 0);
}

/* Nanoseconds of the day, then the Julian day. */
static int64_t
micros_of_int96(const uint8_t *p)
{
    enum { JULIAN_1970 = 2440588 };
    int64_t days = (int64_t)(uint32_t)load_i32(p + 8) - JULIAN_1970;
    int64_t us = micros_of_nanos(load_i64(p));

    /* Days are at most 2^32, but the rest of a day may be any number. */
    if (days > INT64_MAX / DAY_US / 2 || days < INT64_MIN / DAY_US / 2)
        return days > 0 ? INT64_MAX : INT64_MIN;
    return days * DAY_US + us;
}

static void
convert_ints(const struct pq_leaf *l, const uint8_t *raw, size_t n,
             int64_t *out, bool *beyond)
{
    int64_t all = 0;

    switch (l->kind) {
    case PQ_KIND_I32:
        for (size_t i = 0; i < n; i++)
            out[i] = load_i32(raw + 4 * i);
        return;
    case PQ_KIND_U32:
        for (size_t i = 0; i < n; i++)
            out[i] = (uint32_t)load_i32(raw + 4 * i);
        return;
    case PQ_KIND_STAMP_MILLIS:
        for (size_t i = 0; i < n; i++)
            out[i] = micros_of_millis(load_i64(raw + 8 * i));
        return;
    case PQ_KIND_STAMP_NANOS:
        for (size_t i = 0; i < n; i++)
            out[i] = micros_of_nanos(load_i64(raw + 8 * i));
        return;
    case PQ_KIND_INT96:
        for (size_t i = 0; i < n; i++)
            out[i] = micros_of_int96(raw + 12 * i);
        return;
    default:
        memcpy(out, raw, n * sizeof *out);
    }
    for (size_t i = 0; l->kind == PQ_KIND_U64 && i < n; i++)
        all |= out[i];
    *beyond |= all < 0;
}

static void
convert_floats(const struct pq_leaf *l, const uint8_t *raw, size_t n,
               double *out)
{
    int scale = l->element->scale;

    switch (l->kind) {
    case PQ_KIND_F16:
        for (size_t i = 0; i < n; i++)
            out[i] = half_float(raw + 2 * i);
        break;
    case PQ_KIND_F32:
        for (size_t i = 0; i < n; i++) {
            float v;

            memcpy(&v, raw + 4 * i, sizeof v);
            out[i] = v;
        }
        break;
    case PQ_KIND_DECIMAL32:
        for (size_t i = 0; i < n; i++)
            out[i] = small_decimal(load_i32(raw + 4 * i), scale);
        break;
    case PQ_KIND_DECIMAL64:
        for (size_t i = 0; i < n; i++)
            out[i] = small_decimal(load_i64(raw + 8 * i), scale);
        break;
    case PQ_KIND_DECIMAL_BYTES:
        for (size_t i = 0; i < n; i++)
            out[i] = pq_decimal(raw + l->width * i, l->width, scale);
        break;
    default:
        memcpy(out, raw, n * sizeof *out);
    }
}

void
pq_convert(const struct pq_leaf *l, const uint8_t *raw, size_t n, void *out,
           bool *beyond)
{
    switch (l->type) {
    case COL_INT64:
    case COL_TIMESTAMP:
        convert_ints(l, raw, n, out, beyond);
        break;
    case COL_FLOAT64:
        convert_floats(l, raw, n, out);
        break;
    default: /* bools and dates are stored as they are */
        memcpy(out, raw, n * column_width(l->type));
    }
}

/* ---- texts ---- */

static void
put_hex(const uint8_t *p, size_t n, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        buf_putc(out, digits[p[i] >> 4]);
        buf_putc(out, digits[p[i] & 15]);
    }
}

static void
put_uuid(const uint8_t *p, struct buf *out)
{
    static const uint8_t groups[] = {4, 2, 2, 2, 6};

    for (size_t g = 0; g < sizeof groups; p += groups[g++]) {
        if (g > 0)
            buf_putc(out, '-');
        put_hex(p, groups[g], out);
    }
}

/* v units of 10^-digits seconds since midnight: "12:34:56.789", without a
 * fraction that is 0. */
static void
put_time(int64_t v, unsigned digits, struct buf *out)
{
    int64_t per_second = digits == 3   ? 1000
                         : digits == 6 ? 1000000
                                       : 1000000000;
    int64_t second = v / per_second, part = v % per_second;

    if (v < 0 || second > 86400) {
        buf_printf(out, "%" PRId64, v);
        return;
    }
    buf_printf(out, "%02d:%02d:%02d", (int)(second / 3600),
               (int)(second / 60 % 60), (int)(second % 60));
    if (part == 0)
        return;
    for (; part % 10 == 0; part /= 10)
        digits--;
    buf_printf(out, ".%0*" PRId64, (int)digits, part);
}

/* Months, days and milliseconds in the form of ISO 8601. */
static void
put_interval(const uint8_t *p, struct buf *out)
{
    uint32_t months = (uint32_t)load_i32(p), days = (uint32_t)load_i32(p + 4);
    uint32_t ms = (uint32_t)load_i32(p + 8);

    buf_printf(out, "P%" PRIu32 "M%" PRIu32 "DT%" PRIu32 ".%03" PRIu32 "S",
               months, days, ms / 1000, ms % 1000);
}

void
pq_convert_text(const struct pq_leaf *l, const uint8_t *raw, size_t len,
                struct buf *out)
{
    static const unsigned digits[] = {
        0, [PQ_MILLIS] = 3, [PQ_MICROS] = 6, [PQ_NANOS] = 9};

    switch (l->kind) {
    case PQ_KIND_TIME32:
        put_time(load_i32(raw), 3, out);
        break;
    case PQ_KIND_TIME64:
        put_time(load_i64(raw), l->element->unit ? digits[l->element->unit] : 6,
                 out);
        break;
    case PQ_KIND_UUID:
        put_uuid(raw, out);
        break;
    case PQ_KIND_INTERVAL:
        put_interval(raw, out);
        break;
    case PQ_KIND_HEX:
        put_hex(raw, len, out);
        break;
    default:
        buf_add(out, raw, len);
    }
}
