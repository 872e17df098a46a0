/* frame/csv_cells.c -- a run of fields of one column to values, fast.
 *
 * Dates are looked at eight bytes at a time: "2024-05-" and "23:59:59" are a
 * word each, whose digits and other bytes are checked by one comparison.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv_cells.h"

#include <string.h>

#include "base/pool.h"
#include "base/str.h"
#include "frame/csv_value.h"

/* ---- numbers ---- */

static size_t
ints_plain(const struct csv_cells *c, size_t i, size_t n, int64_t *out)
{
    for (; i < n; i++)
        if (!csv_fast_i64(c->text, c->base + c->from[i], c->base + c->to[i],
                          &out[i]))
            break;
    return i;
}

static size_t
floats_plain(const struct csv_cells *c, size_t i, size_t n, double *out)
{
    for (; i < n; i++)
        if (!csv_fast_f64(c->text, c->base + c->from[i], c->base + c->to[i],
                          &out[i]))
            break;
    return i;
}

const struct csv_cell_kernels csv_cells_plain = {ints_plain, floats_plain};

const struct csv_cell_kernels *
csv_cells_best(void)
{
    return cpu_has_avx512() ? &csv_cells_avx512
           : cpu_has_avx2() ? &csv_cells_avx2
                            : &csv_cells_plain;
}

/* ---- dates ---- */

enum { DATE = 10, MOMENT = 19, WORD = 8 };

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))
/* The byte that stands at place i of a word, the first one the lowest. */
#define AT(i, b) ((uint64_t)(unsigned char)(b) << 8 * (i))

static uint64_t
load_word(const char *p)
{
    uint64_t w = 0;

    for (unsigned i = 0; i < WORD; i++)
        w |= AT(i, p[i]);
    return w;
}

/* The bytes less `base`, which has '0' where a digit stands: are those digits
 * and all others 0? */
static bool
take_base(uint64_t w, uint64_t base, uint64_t digits, uint64_t *out)
{
    w ^= base;
    *out = w;
    return ((w | (w + EACH_BYTE(0x76))) & EACH_BYTE(0x80)) == 0 &&
           (w & ~digits) == 0;
}

/* Tens at place i and ones behind it. */
static int
pair(uint64_t w, unsigned i)
{
    return (int)((w >> 8 * i & 0xf) * 10 + (w >> (8 * i + 8) & 0xf));
}

static bool
date_at(const char *p, int32_t *days)
{
    static const uint64_t base = AT(0, '0') | AT(1, '0') | AT(2, '0') |
                                 AT(3, '0') | AT(4, '-') | AT(5, '0') |
                                 AT(6, '0') | AT(7, '-');
    static const uint64_t digits = ~(AT(4, 0xff) | AT(7, 0xff));
    static const unsigned char most[] = {0,  31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};
    unsigned tens = (unsigned char)p[8] - '0', ones = (unsigned char)p[9] - '0';
    int year, month, day = (int)(tens * 10 + ones);
    uint64_t w;

    if (!take_base(load_word(p), base, digits, &w) || tens > 3 || ones > 9)
        return false;
    month = pair(w, 5);
    year = pair(w, 0) * 100 + pair(w, 2);
    /* The 29th of February is for those who know leap years. */
    if (month < 1 || month > 12 || day < 1 || day > most[month])
        return false;
    *days = str_days(year, month, day);
    return true;
}

static bool
clock_at(const char *p, int *seconds)
{
    static const uint64_t base = AT(0, '0') | AT(1, '0') | AT(2, ':') |
                                 AT(3, '0') | AT(4, '0') | AT(5, ':') |
                                 AT(6, '0') | AT(7, '0');
    static const uint64_t digits = ~(AT(2, 0xff) | AT(5, 0xff));
    int hour, minute, second;
    uint64_t w;

    if (!take_base(load_word(p), base, digits, &w))
        return false;
    hour = pair(w, 0);
    minute = pair(w, 3);
    second = pair(w, 6);
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second < 60;
}

size_t
csv_cells_dates(const struct csv_cells *c, size_t i, size_t n, int32_t *out)
{
    for (; i < n; i++)
        if (c->to[i] - c->from[i] != DATE ||
            !date_at(c->base + c->from[i], &out[i]))
            break;
    return i;
}

size_t
csv_cells_timestamps(const struct csv_cells *c, size_t i, size_t n,
                     int64_t *out)
{
    for (; i < n; i++) {
        const char *p = c->base + c->from[i];
        int seconds;
        int32_t days;

        if (c->to[i] - c->from[i] != MOMENT ||
            (p[DATE] != ' ' && p[DATE] != 'T') || !date_at(p, &days) ||
            !clock_at(p + DATE + 1, &seconds))
            break;
        out[i] = ((int64_t)days * 86400 + seconds) * 1000000;
    }
    return i;
}

/* ---- bools ---- */

size_t
csv_cells_bools(const struct csv_cells *c, size_t i, size_t n, uint8_t *out)
{
    for (; i < n; i++) {
        const char *p = c->base + c->from[i];
        size_t len = c->to[i] - c->from[i];

        if (len == 4 && memcmp(p, "true", 4) == 0)
            out[i] = 1;
        else if (len == 5 && memcmp(p, "false", 5) == 0)
            out[i] = 0;
        else
            break;
    }
    return i;
}
