/* engine/series.c -- rows as a series in time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "base/str.h"
#include "frame/builder.h"
#include "frame/order.h"

#define DAY 86400.0
#define MOST_MONTHS 5e6 /* ahead: what a date holds */
enum { MAX_AHEAD = 100000 };

/* ---- months ---- */

struct civil {
    int64_t month; /* since year 0: 12 year + month - 1 */
    int64_t day;   /* 1..31 */
};

static struct civil
civil_of(int64_t days)
{
    int year, month, day;

    str_civil((int32_t)days, &year, &month, &day);
    return (struct civil){(int64_t)year * 12 + month - 1, day};
}

static int64_t
days_of(int64_t month, int64_t day)
{
    int64_t year = (month >= 0 ? month : month - 11) / 12;

    return str_days((int)year, (int)(month - year * 12) + 1, (int)day);
}

static int64_t
last_day(int64_t month)
{
    return civil_of(days_of(month + 1, 1) - 1).day;
}

/* ---- reading ---- */

/* By keys, stably: order_sort_ids() twice. */
struct sorting {
    uint64_t *key, *key_to;
    uint32_t *id, *id_to;
    struct moment *copy;
};

static bool
sorting_init(struct sorting *s, size_t n, struct error *err)
{
    *s = (struct sorting){NULL};
    return (s->key = mem_try_array(n, sizeof *s->key, err)) &&
           (s->key_to = mem_try_array(n, sizeof *s->key_to, err)) &&
           (s->id = mem_try_array(n, sizeof *s->id, err)) &&
           (s->id_to = mem_try_array(n, sizeof *s->id_to, err)) &&
           (s->copy = mem_try_array(n, sizeof *s->copy, err));
}

static void
sorting_fini(struct sorting *s)
{
    free(s->key);
    free(s->key_to);
    free(s->id);
    free(s->id_to);
    free(s->copy);
}

/* By time, what is missing first, which is told of; then by series. */
bool
moments_sort(struct moment *m, size_t n, struct pool *pool, struct error *err)
{
    const struct progress *stop = pool_stop(pool);
    struct sorting s;
    bool ok = sorting_init(&s, n, err);

    for (size_t i = 0; i < n && ok; i++) {
        s.id[i] = (uint32_t)i;
        s.key[i] = isnan(m[i].time) ? 0 : order_of_float(m[i].time);
        s.copy[i] = m[i];
    }
    if (ok)
        order_sort_ids(&s.key, &s.id, &s.key_to, &s.id_to, n, stop);
    for (size_t i = 0; i < n && ok; i++)
        s.key[i] = s.copy[s.id[i]].series;
    if (ok)
        order_sort_ids(&s.key, &s.id, &s.key_to, &s.id_to, n, stop);
    ok = ok && pool_check(pool, err);
    for (size_t i = 0; i < n && ok; i++)
        m[i] = s.copy[s.id[i]];
    sorting_fini(&s);
    return ok;
}

/* Is the distance the same throughout? */
static bool
steps_even(const struct moment *s, size_t n, struct clock *out)
{
    out->step = n > 1 ? (s[n - 1].time - s[0].time) / (double)(n - 1) : 1;
    for (size_t i = 1; i < n; i++)
        if (fabs(s[i].time - s[i - 1].time - out->step) > 1e-6 * out->step)
            return false;
    return true;
}

static bool
months_even(const struct moment *s, size_t n, bool seconds, struct clock *out)
{
    struct civil before = {0, 0};
    bool ends = true, same = true;

    for (size_t i = 0; i < n; i++) {
        double days = floor(s[i].time / (seconds ? DAY : 1));
        struct civil c;

        if (fabs(days) > 1e7 || (!seconds && days != s[i].time) ||
            (seconds && fmod(s[i].time - s[0].time, DAY) != 0))
            return false;
        c = civil_of((int64_t)days);
        ends = ends && c.day == last_day(c.month);
        same = same && (i == 0 || c.day == out->day);
        if (i == 0)
            out->day = c.day;
        else if (i == 1)
            out->step = (double)(c.month - before.month);
        if (i && (double)(c.month - before.month) != out->step)
            return false;
        before = c;
    }
    if (!same)
        out->day = 31;
    out->months = out->step >= 1 && (same || ends);
    out->seconds = seconds;
    return out->months;
}

bool
clock_read(const struct moment *s, size_t n, const char *name,
           struct clock *out, struct error *err)
{
    struct clock c = {.timed = true, .first = s[0].time, .n = n};

    for (size_t i = 0; i < n; i++) {
        if (!isfinite(s[i].time))
            return error_set(err, ERR_RANGE, "time '%s' is missing in row %zu",
                             name, s[i].row + (size_t)1);
        if (fabs(s[i].time) > 0x1p53)
            return error_set(err, ERR_RANGE,
                             "time '%s' is %.0f in row %zu: beyond 2^53 whole "
                             "numbers are not told apart; read it as a "
                             "timestamp, or count in larger units",
                             name, s[i].time, s[i].row + (size_t)1);
        if (i && s[i].time == s[i - 1].time)
            return error_set(err, ERR_RANGE,
                             "time '%s' is the same in rows %zu and %zu", name,
                             s[i - 1].row + (size_t)1, s[i].row + (size_t)1);
    }
    *out = c;
    if (steps_even(s, n, out))
        return true;
    *out = c;
    if (months_even(s, n, false, out))
        return true;
    *out = c;
    if (months_even(s, n, true, out))
        return true;
    return error_set(err, ERR_RANGE,
                     "the rows are not evenly spaced in '%s': rows that are "
                     "missing must be added, or rows put together by day, "
                     "week or month",
                     name);
}

double *
series_read(const struct fit_data *d, const char *time, struct pool *pool,
            struct clock *out, struct error *err)
{
    size_t n = d->y->n;
    struct moment *s = mem_try_array(n, sizeof *s, err);
    double *y = mem_try_array(n, sizeof *y, err);
    bool ok = s && y;

    *out = (struct clock){.n = n};
    if (ok && time && design_cols(d->train) == 0)
        ok = error_set(err, ERR_RANGE, "time '%s' has no values", time);
    for (size_t i = 0; i < n && ok; i++) {
        s[i].row = (uint32_t)i;
        if (time)
            design_pull(d->train, 0, i, i + 1, &s[i].time);
    }
    ok = ok && (!time || (moments_sort(s, n, pool, err) &&
                          clock_read(s, n, time, out, err)));
    for (size_t i = 0; i < n && ok; i++)
        y[i] = d->y->y[s[i].row];
    free(s);
    if (ok)
        return y;
    free(y);
    return NULL;
}

/* ---- steps and times ---- */

double
clock_step(const struct clock *c, double time)
{
    double scale = c->seconds ? DAY : 1;

    if (!isfinite(time))
        return (double)NAN;
    if (!c->months)
        return round((time - c->first) / c->step);
    if (fabs(time / scale) > 1e7)
        return (double)NAN;
    return round((double)(civil_of((int64_t)floor(time / scale)).month -
                          civil_of((int64_t)floor(c->first / scale)).month) /
                 c->step);
}

double
clock_time(const struct clock *c, size_t step)
{
    double scale = c->seconds ? DAY : 1, day;
    int64_t month, last;

    if (!c->months)
        return c->first + (double)step * c->step;
    day = floor(c->first / scale);
    month = civil_of((int64_t)day).month +
            (int64_t)fmin(c->step * (double)step, MOST_MONTHS);
    last = last_day(month);
    return (double)days_of(month, c->day < last ? c->day : last) * scale +
           (c->first - day * scale);
}

size_t
clock_period(const struct clock *c)
{
    if (!c->timed)
        return 1;
    if (c->months)
        return c->step <= 12 && fmod(12, c->step) == 0 ? (size_t)(12 / c->step)
                                                       : 1;
    return c->step == 1 || c->step == DAY ? 7 : c->step == 3600 ? 24 : 1;
}

void
clock_save(const struct clock *c, struct json_writer *w)
{
    json_name(w, "rows");
    json_put_i64(w, (int64_t)c->n);
    json_name(w, "timed");
    json_put_bool(w, c->timed);
    json_name(w, "months");
    json_put_bool(w, c->months);
    json_name(w, "seconds");
    json_put_bool(w, c->seconds);
    json_name(w, "day");
    json_put_i64(w, c->day);
    json_name(w, "first");
    json_put_double(w, c->first);
    json_name(w, "step");
    json_put_double(w, c->step);
}

bool
clock_load(struct clock *c, const struct json *o, size_t n_cols,
           struct error *err)
{
    int64_t n;

    if (!json_get_i64(o, "rows", &n, err) ||
        !json_get_bool(o, "timed", &c->timed, err) ||
        !json_get_bool(o, "months", &c->months, err) ||
        !json_get_bool(o, "seconds", &c->seconds, err) ||
        !json_get_i64(o, "day", &c->day, err) ||
        !json_get_double(o, "first", &c->first, err) ||
        !json_get_double(o, "step", &c->step, err))
        return false;
    if (n < 1 || n > UINT32_MAX || c->day < 0 || c->day > 31 ||
        c->timed != (n_cols > 0) || fabs(c->first) > 1e15 ||
        (c->timed && !(c->step > 0 && c->step < 1e12)) ||
        (c->months &&
         (c->step > 1e4 || fabs(c->first) > 1e7 * (c->seconds ? DAY : 1))))
        return error_set(err, ERR_CORRUPT,
                         "a series of %lld rows from %g by %g", (long long)n,
                         c->first, c->step);
    c->n = (size_t)n;
    return true;
}

/* ---- answers ---- */

static bool
put_value(struct builder *b, size_t col, const struct input *in, double value,
          struct error *err)
{
    if (in->type == COL_FLOAT64 || in->type == COL_TEXT || in->type == COL_BOOL)
        return builder_f64(b, col, value, err);
    if (in->type == COL_TIMESTAMP)
        value *= 1e6; /* microseconds */
    if (!(fabs(value) < 9e18))
        return builder_i64(b, col, 0, err);
    return builder_i64(b, col, (int64_t)floor(value + 0.5), err);
}

/* Which of the series: a level of a text, else as a time is. */
static bool
put_key(struct builder *b, const struct input *in, double key,
        struct error *err)
{
    if (in->type != COL_TEXT)
        return put_value(b, 0, in, key, err);
    if (!(key >= 0 && key < (double)in->n_levels))
        return builder_text(b, 0, str_of(""), err);
    return builder_text(b, 0, str_of(in->levels[(size_t)key]), err);
}

static struct builder *
path_builder(const struct input *series, const struct input *time,
             struct error *err)
{
    static const char *const told[] = {"forecast", "low", "high"};
    const char *names[6];
    enum col_type types[6];
    size_t n = 0;

    if (series) {
        names[n] = series->name;
        types[n++] = series->type == COL_BOOL ? COL_FLOAT64 : series->type;
    }
    names[n] = "step";
    types[n++] = COL_INT64;
    if (time) {
        bool plain = time->type == COL_TEXT || time->type == COL_BOOL;

        names[n] = time->name;
        types[n++] = plain ? COL_FLOAT64 : time->type;
    }
    for (size_t i = 0; i < 3; i++) {
        names[n] = told[i];
        types[n++] = COL_FLOAT64;
    }
    return builder_new(n, names, types, err);
}

static bool
put_path(struct builder *b, const struct series_frame_of *o,
         const struct series_path *p, struct error *err)
{
    bool ok = true;

    for (size_t h = 0; h < o->n && ok; h++) {
        size_t c = o->series != NULL;
        double when = o->time ? clock_time(p->clock, p->clock->n + h) : 0;

        ok = (!o->series || put_key(b, o->series, p->key, err)) &&
             builder_i64(b, c++, (int64_t)h + 1, err) &&
             (!o->time || put_value(b, c++, o->time, when, err)) &&
             builder_f64(b, c, p->mean[h], err) &&
             builder_f64(b, c + 1, p->low[h], err) &&
             builder_f64(b, c + 2, p->high[h], err) && builder_end_row(b, err);
    }
    return ok;
}

struct frame *
series_frame(const struct series_frame_of *o, const struct series_path *paths,
             size_t n_paths, struct error *err)
{
    struct builder *b = path_builder(o->series, o->time, err);
    bool ok = b != NULL;

    for (size_t i = 0; i < n_paths && ok; i++)
        ok = put_path(b, o, &paths[i], err);
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

bool
series_score(const struct series_answers *a, const struct design *d,
             double *out, struct error *err)
{
    const struct clock *c = a->clock;
    size_t n = design_rows(d), most = 0;
    double *ahead;

    if (c->timed)
        design_pull(d, 0, 0, n, out);
    for (size_t i = 0; i < n; i++) {
        out[i] = c->timed ? clock_step(c, out[i]) : (double)(c->n + i);
        if (out[i] >= (double)c->n && out[i] < (double)(c->n + MAX_AHEAD) &&
            (size_t)out[i] - c->n + 1 > most)
            most = (size_t)out[i] - c->n + 1;
    }
    if (!(ahead = mem_try_array(most, sizeof *ahead, err)))
        return false;
    a->ahead(a->learner, most, ahead);
    for (size_t i = 0; i < n; i++)
        out[i] = !(out[i] >= 0)                   ? (double)NAN
                 : out[i] < (double)c->n          ? a->fitted[(size_t)out[i]]
                 : out[i] < (double)(c->n + most) ? ahead[(size_t)out[i] - c->n]
                                                  : (double)NAN;
    free(ahead);
    return true;
}

void
series_range(double *x, size_t n, double level, double *low, double *high)
{
    qsort(x, n, sizeof *x, sort_rising);
    *low = sort_quantile(x, n, (1 - level) / 2);
    *high = sort_quantile(x, n, (1 + level) / 2);
}

double
normal_quantile(double p)
{
    double low = -40, high = 40;

    for (unsigned i = 0; i < 80; i++) {
        double mid = (low + high) / 2;

        if (0.5 * erfc(-mid / sqrt(2)) < p)
            low = mid;
        else
            high = mid;
    }
    return (low + high) / 2;
}
