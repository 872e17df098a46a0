/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/bins.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { CHUNK = 65536, BATCH = 1024, DAY = 86400 };

/* ---- the range ------------------------------------------------------- */

struct range {
    double low, high;
};

struct survey {
    const struct column *c;
    bool positive;       /* only what is above 0 */
    struct range *range; /* of each chunk */
};

static void
survey_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct survey *s = ctx;
    struct range r = {INFINITY, -INFINITY};
    double v[BATCH];

    for (size_t at = begin; at < end; at += BATCH) {
        size_t n = end - at < BATCH ? end - at : BATCH;

        column_numbers(s->c, at, at + n, v);
        for (size_t i = 0; i < n; i++) {
            if (!isfinite(v[i]) || (s->positive && v[i] <= 0))
                continue;
            r.low = v[i] < r.low ? v[i] : r.low;
            r.high = v[i] > r.high ? v[i] : r.high;
        }
    }
    s->range[chunk] = r;
}

/* low > high when there is no value. */
static bool
find_range(const struct column *c, bool positive, struct pool *pool,
           struct range *out, struct error *err)
{
    size_t n = column_rows(c), chunks = (n + CHUNK - 1) / CHUNK;
    struct survey s = {c, positive,
                       mem_try_array(chunks, sizeof *s.range, err)};

    if (!s.range)
        return false;
    pool_for(pool, n, CHUNK, survey_rows, &s);
    *out = (struct range){INFINITY, -INFINITY};
    for (size_t i = 0; i < chunks; i++) {
        out->low = fmin(out->low, s.range[i].low);
        out->high = fmax(out->high, s.range[i].high);
    }
    free(s.range);
    return true;
}

/* ---- edges ----------------------------------------------------------- */

/* A width: so many units, which are 1, DAY (seconds) or months. */
struct step {
    double unit;
    int months; /* not 0: of the calendar */
    const char *word;
};

/* Seconds; for dates those of a day and more. */
static const struct step times[] = {
    {1e-6, 0, "microsecond"},
    {1e-5, 0, "10 microseconds"},
    {1e-4, 0, "100 microseconds"},
    {1e-3, 0, "millisecond"},
    {1e-2, 0, "10 milliseconds"},
    {1e-1, 0, "100 milliseconds"},
    {1, 0, "second"},
    {5, 0, "5 seconds"},
    {15, 0, "15 seconds"},
    {30, 0, "30 seconds"},
    {60, 0, "minute"},
    {300, 0, "5 minutes"},
    {900, 0, "15 minutes"},
    {1800, 0, "30 minutes"},
    {3600, 0, "hour"},
    {3 * 3600, 0, "3 hours"},
    {6 * 3600, 0, "6 hours"},
    {12 * 3600, 0, "12 hours"},
    {DAY, 0, "day"},
    {7 * DAY, 0, "week"},
    {30.4 * DAY, 1, "month"},
    {91.3 * DAY, 3, "quarter"},
    {365.2 * DAY, 12, "year"},
    {1826.0 * DAY, 60, "5 years"},
    {3652.0 * DAY, 120, "decade"},
    {36524.0 * DAY, 1200, "century"},
    {365242.0 * DAY, 12000, "1,000 years"},
};

static double
month_start(long month, double day)
{
    long year = month >= 0 ? month / 12 : -((11 - month) / 12);

    return day * str_days((int)year, (int)(month - year * 12) + 1, 1);
}

/* Edges from a multiple of the step at or below low to one above high. */
static bool
edges_by_month(const struct range *r, int months, double day, struct bins *b)
{
    int year, month, d;
    long at;

    str_civil((int32_t)floor(r->low / day), &year, &month, &d);
    at = (long)year * 12 + month - 1;
    at = (long)floor((double)at / months) * months;
    while (b->n <= BINS_MAX) {
        b->edge[b->n] = month_start(at, day);
        if (b->edge[b->n] > r->high)
            return true;
        b->n++;
        at += months;
    }
    return false;
}

/* The edge is its number times the step, or divided by a whole reciprocal: a
 * power of ten below one is not exact. */
static bool
edges_by_width(const struct range *r, double width, double offset,
               struct bins *b)
{
    double per = width < 1 ? rint(1 / width) : 1;
    double first = width < 1 ? floor((r->low - offset) * per)
                             : floor((r->low - offset) / width);

    for (; b->n <= BINS_MAX; b->n++, first++) {
        double e = offset + (width < 1 ? first / per : first * width);

        b->edge[b->n] = e;
        if (e > r->high)
            return true;
        if (b->n > 0 && e <= b->edge[b->n - 1])
            return false; /* the values are too near each other */
    }
    return false;
}

static void
edges_of_time(const struct range *r, size_t wanted, bool dates, struct bins *b)
{
    double day = dates ? 1 : DAY;
    size_t n = sizeof times / sizeof *times, i = 0;

    while (i + 1 < n && (times[i].unit * day / DAY < (dates ? 1 : 1e-6) ||
                         (r->high - r->low) / (times[i].unit * day / DAY) >
                             (double)wanted + 1))
        i++;
    for (; i < n; i++) {
        const struct step *s = &times[i];
        double width = s->unit * day / DAY;
        /* 1970-01-05 was a Monday. */
        double offset = s->unit == 7 * DAY ? 4 * day : 0;

        b->n = 0;
        if (s->months ? edges_by_month(r, s->months, day, b)
                      : edges_by_width(r, width, offset, b)) {
            snprintf(b->step, sizeof b->step, "%s", s->word);
            b->width = width;
            return;
        }
    }
    b->n = 0;
}

/* One bin for what cannot be cut finer. */
static void
one_bin(const struct range *r, struct bins *b)
{
    b->n = 1;
    b->edge[0] = r->low;
    b->edge[1] = nextafter(r->high, INFINITY);
    b->step[0] = '\0';
}

static void
edges_of_number(const struct range *r, size_t wanted, bool whole,
                struct bins *b)
{
    static const int parts[] = {1, 2, 5};
    double span = r->high - r->low;
    int exponent = 0;

    if (!isfinite(span)) {
        one_bin(r, b);
        return;
    }
    if (span > 0)
        exponent = (int)floor(log10(span / (double)wanted));
    if (whole && exponent < 0)
        exponent = 0;
    for (int e = exponent; e < exponent + 3; e++)
        for (int i = 0; i < 3; i++) {
            double width =
                e < 0 ? parts[i] / pow(10, -e) : parts[i] * pow(10, e);

            b->n = 0;
            if (span / width > (double)wanted + 1e-9 ||
                !edges_by_width(r, width, 0, b))
                continue;
            snprintf(b->step, sizeof b->step, "%.10g", width);
            b->width = width;
            return;
        }
    one_bin(r, b);
}

static void
edges_of_log(const struct range *r, size_t wanted, struct bins *b)
{
    double low = log10(r->low), high = log10(r->high);

    if (!(high > low)) {
        one_bin(r, b);
        return;
    }
    for (size_t i = 0; i <= wanted; i++)
        b->edge[i] = pow(10, low + (high - low) * (double)i / (double)wanted);
    b->edge[0] = r->low;
    b->edge[wanted] = nextafter(r->high, INFINITY);
    b->n = wanted;
}

bool
bins_suit(enum col_type t)
{
    return t != COL_TEXT && t != COL_BOOL;
}

/* Takes what is in out->edge as room. */
static void
cut_range(const struct range *r, size_t wanted, enum col_type t,
          struct bins *out)
{
    if (t == COL_DATE || t == COL_TIMESTAMP)
        edges_of_time(r, wanted, t == COL_DATE, out);
    else
        edges_of_number(r, wanted, t == COL_INT64, out);
}

static bool
bins_init(struct bins *out, size_t wanted, struct error *err)
{
    *out = (struct bins){0};
    if (wanted == 0 || wanted > BINS_MAX)
        return error_set(err, ERR_RANGE, "%zu bins, expected 1..%d", wanted,
                         BINS_MAX);
    out->edge = mem_try_array(BINS_MAX + 2, sizeof *out->edge, err);
    return out->edge;
}

bool
bins_of(const struct column *c, size_t wanted, bool logarithmic,
        struct pool *pool, struct bins *out, struct error *err)
{
    enum col_type t = column_type(c);
    struct range r;

    *out = (struct bins){0};
    if (!bins_suit(t))
        return error_set(err, ERR_TYPE, "%s is not cut into bins",
                         column_type_word(t));
    if (!bins_init(out, wanted, err) ||
        !find_range(c, logarithmic, pool, &r, err))
        return false;
    if (r.low > r.high)
        return true;
    if (logarithmic)
        edges_of_log(&r, wanted, out);
    else
        cut_range(&r, wanted, t, out);
    return true;
}

bool
bins_of_range(double low, double high, size_t wanted, enum col_type t,
              struct bins *out, struct error *err)
{
    if (!bins_init(out, wanted, err))
        return false;
    cut_range(&(struct range){low, high}, wanted, t, out);
    return true;
}

void
bins_fini(struct bins *b)
{
    free(b->edge);
    *b = (struct bins){0};
}

/* ---- counting -------------------------------------------------------- */

size_t
bins_find(const struct bins *b, double v)
{
    size_t low = 0, high = b->n;

    if (b->n == 0 || !(v >= b->edge[0] && v < b->edge[b->n]))
        return b->n;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (v < b->edge[middle])
            high = middle;
        else
            low = middle;
    }
    return low;
}

struct counter {
    const struct column *c;
    const struct bins *b;
    const uint32_t *group;
    size_t n_groups, cells;
    size_t *count; /* cells of each chunk */
};

static void
count_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct counter *s = ctx;
    size_t *count = s->count + chunk * s->cells;
    double v[BATCH];

    for (size_t at = begin; at < end; at += BATCH) {
        size_t n = end - at < BATCH ? end - at : BATCH;

        column_numbers(s->c, at, at + n, v);
        for (size_t i = 0; i < n; i++) {
            size_t g = s->group ? s->group[at + i] : 0;

            if (g < s->n_groups)
                count[g * (s->b->n + 1) + bins_find(s->b, v[i])]++;
        }
    }
}

bool
bins_count(const struct column *c, const struct bins *b, const uint32_t *group,
           size_t n_groups, struct pool *pool, size_t *count, struct error *err)
{
    struct counter s = {c, b, group, n_groups, n_groups * (b->n + 1), NULL};
    size_t n = column_rows(c), grain = n / 32 + 1;
    size_t chunks;

    grain = grain < CHUNK ? CHUNK : grain;
    chunks = (n + grain - 1) / grain;
    if (!(s.count = mem_try_array(chunks * s.cells, sizeof *s.count, err)))
        return false;
    pool_for(pool, n, grain, count_rows, &s);
    memset(count, 0, s.cells * sizeof *count);
    for (size_t i = 0; i < chunks * s.cells; i++)
        count[i % s.cells] += s.count[i];
    free(s.count);
    return true;
}
