/* Columns as series over time: autocorrelation, stationarity, seasons; and the
 * times themselves: steps and gaps.
 *
 * Rows are put in the order of the time column.  Of a long table the last
 * PROFILE_SAMPLE rows are looked at, as they follow each other.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "frame/order.h"
#include "frame/profile_part.h"

const size_t profile_lags[PROFILE_LAGS] = {1, 7, 12, 24, 30};

enum { PERIOD_MAX = 400, LEAST = 20 };
static const double GAP = 1.5; /* of the median step */
/* Height of a peak of the autocorrelation, how deep it falls before, and what
 * must come back at twice the lag. */
static const double PEAK = 0.3, VALLEY = 0.2, AGAIN = 0.5;

struct ordering {
    struct profile *p;
    uint32_t *row; /* by time */
    size_t n;
    size_t time; /* the column */
    const struct progress *progress;
    struct error *error; /* one a column */
};

/* ---- the times ------------------------------------------------------- */

/* Rows that have a time, in its order. */
static bool
sort_rows(struct ordering *o, struct error *err)
{
    const struct column *c = frame_column(o->p->frame, o->time);
    size_t n = column_rows(c);
    uint64_t *key = mem_try_array(n, sizeof *key, err), *key2 = NULL;
    uint32_t *row2 = NULL;
    bool ok = false;

    if (!key || !(key2 = mem_try_array(n, sizeof *key2, err)) ||
        !(row2 = mem_try_array(n, sizeof *row2, err)) ||
        !(o->row = mem_try_array(n, sizeof *o->row, err)))
        goto out;
    for (size_t i = 0; i < n; i++) {
        double t = column_number(c, i);

        key[o->n] = order_of_float(t);
        o->row[o->n] = (uint32_t)i;
        o->n += !isnan(t);
    }
    order_sort_ids(&key, &o->row, &key2, &row2, o->n, NULL);
    ok = true;
out:
    free(key);
    free(key2);
    free(row2);
    return ok;
}

/* Median step, and steps well beyond it. */
static bool
measure_steps(struct ordering *o, struct error *err)
{
    const struct column *c = frame_column(o->p->frame, o->time);
    struct profile_times *t = o->p->times;
    double *step = mem_try_array(o->n, sizeof *step, err);
    size_t n = 0;

    t->n = o->n;
    t->step = t->longest = NAN;
    for (size_t i = 1; step && i < o->n; i++) {
        double d =
            column_number(c, o->row[i]) - column_number(c, o->row[i - 1]);

        t->n_repeats += d == 0;
        if (d > 0)
            step[n++] = d;
    }
    if (step && n > 0) {
        qsort(step, n, sizeof *step, sort_rising);
        t->step = (step[(n - 1) / 2] + step[n / 2]) / 2;
        t->longest = step[n - 1];
        for (size_t i = n; i > 0 && step[i - 1] > GAP * t->step; i--)
            t->n_gaps++;
    }
    free(step);
    return step;
}

/* ---- one series ------------------------------------------------------ */

/* As Series.autocorr of pandas: Pearson's r of the series and itself later. */
static double
autocorrelation(const double *x, size_t n, size_t lag)
{
    double m = 0, ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;

    for (size_t i = lag; i < n; i++)
        if (!isnan(x[i]) && !isnan(x[i - lag])) {
            m++;
            ma += x[i];
            mb += x[i - lag];
        }
    for (size_t i = lag; i < n; i++)
        if (!isnan(x[i]) && !isnan(x[i - lag])) {
            double a = x[i] - ma / m, b = x[i - lag] - mb / m;

            aa += a * a;
            bb += b * b;
            ab += a * b;
        }
    return m > 2 && aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : NAN;
}

/* Takes the straight line out of x. */
static void
detrend(double *x, size_t n)
{
    double mean = 0, tt = 0, tx = 0, middle = ((double)n - 1) / 2;

    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        tt += ((double)i - middle) * ((double)i - middle);
        tx += ((double)i - middle) * (x[i] - mean);
    }
    for (size_t i = 0; i < n; i++)
        x[i] -= mean + tx / tt * ((double)i - middle);
}

/* Autocorrelation of what has no mean, at lags 0..most. */
static void
correlate(const double *x, size_t n, size_t most, double *r)
{
    for (size_t lag = 0; lag <= most; lag++) {
        r[lag] = 0;
        for (size_t i = lag; i < n; i++)
            r[lag] += x[i] * x[i - lag];
    }
    for (size_t lag = most + 1; lag-- > 0;)
        r[lag] /= r[0];
}

/* The lag of the highest peak that stands for a season, or 0. */
static size_t
find_period(const double *r, size_t most)
{
    double low = 1;
    size_t best = 0;

    for (size_t lag = 2; lag < most; lag++) {
        low = fmin(low, r[lag - 1]);
        if (r[lag] <= r[lag - 1] || r[lag] < r[lag + 1] || r[lag] < PEAK ||
            r[lag] - low < VALLEY)
            continue;
        if (2 * lag < most &&
            fmax(r[2 * lag], fmax(r[2 * lag - 1], r[2 * lag + 1])) <
                AGAIN * r[lag])
            continue;
        /* A multiple of the season is as high, but for chance. */
        if (best == 0 || r[lag] > r[best] / 0.9)
            best = lag;
    }
    return best;
}

static bool
find_season(double *x, size_t n, struct profile_series *out, struct error *err)
{
    size_t most = n / 3 < PERIOD_MAX ? n / 3 : PERIOD_MAX;
    double *r = mem_try_array(most + 1, sizeof *r, err);

    if (r && n >= LEAST) {
        detrend(x, n);
        correlate(x, n, most, r);
        out->period = find_period(r, most);
        out->season = out->period ? r[out->period] : NAN;
    }
    free(r);
    return r;
}

static bool
measure_series(const double *x, size_t n, double *scratch,
               struct profile_series *out, struct error *err)
{
    size_t here = 0;

    for (size_t k = 0; k < PROFILE_LAGS; k++)
        out->autocorrelation[k] = n > profile_lags[k] + 2
                                      ? autocorrelation(x, n, profile_lags[k])
                                      : NAN;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i]))
            scratch[here++] = x[i];
    out->n = here;
    return profile_adf(scratch, here, out, err) &&
           find_season(scratch, here, out, err);
}

static bool
is_series(const struct profile_column *c)
{
    return (c->type == COL_INT64 || c->type == COL_FLOAT64) &&
           !profile_is_category(c);
}

static void
measure_column(void *ctx, size_t col, size_t begin, size_t end)
{
    struct ordering *o = ctx;
    struct profile_column *out = &o->p->column[col];
    const struct column *c = frame_column(o->p->frame, col);
    size_t n = o->n < PROFILE_SAMPLE ? o->n : PROFILE_SAMPLE;
    struct error *err = &o->error[col];
    double *x = NULL, *scratch = NULL;

    (void)begin;
    (void)end;
    if (col == o->time || !is_series(out) || !progress_check(o->progress, err))
        return;
    if ((x = mem_try_array(n, sizeof *x, err)) &&
        (scratch = mem_try_array(n, sizeof *scratch, err)) &&
        (out->series = mem_try_array(1, sizeof *out->series, err))) {
        out->series->adf = out->series->adf_p = out->series->season = NAN;
        for (size_t i = 0; i < n; i++)
            x[i] = column_number(c, o->row[o->n - n + i]);
        /* A failure is in err, which is looked at when all are done. */
        (void)!measure_series(x, n, scratch, out->series, err);
    }
    free(x);
    free(scratch);
}

bool
profile_follow(struct profile *p, size_t time, struct pool *pool,
               const struct progress *progress, struct error *err)
{
    struct ordering o = {.p = p, .time = time, .progress = progress};
    bool ok;

    if (!p->column[time].numeric)
        return error_set(
            err, ERR_TYPE, "%s is %s: time is a date, a timestamp or a number",
            p->column[time].name, column_type_word(p->column[time].type));
    ok = (p->times = mem_try_array(1, sizeof *p->times, err)) &&
         (o.error = mem_try_array(p->n_cols, sizeof *o.error, err)) &&
         sort_rows(&o, err) && measure_steps(&o, err);
    if (ok) {
        p->times->col = time;
        pool_for(pool, p->n_cols, 1, measure_column, &o);
    }
    for (size_t i = 0; ok && i < p->n_cols; i++)
        if (o.error[i].code != ERR_NONE) {
            *err = o.error[i];
            ok = false;
        }
    free(o.row);
    free(o.error);
    return ok;
}
