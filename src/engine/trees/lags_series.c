/* engine/trees/lags_series.c -- rows as series, and what is looked at in them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/lags_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "frame/order.h"

#define DAY 86400.0
enum { MAX_ROWS = 100000000 };

/* ---- the rows as series ---- */

static bool
find_column(const struct lags_fit *g, const char *param, size_t *out,
            struct error *err)
{
    const char *name =
        params_is_set(g->p, param) ? params_text(g->p, param) : NULL;

    *out = LAGS_NO_COLUMN;
    for (size_t c = 0; name && c < design_cols(g->d->train); c++)
        if (strcmp(design_column(g->d->train, c)->name, name) == 0)
            *out = c;
    return !name || *out != LAGS_NO_COLUMN ||
           error_set(err, ERR_RANGE, "%s '%s' has no values", param, name);
}

static bool
find_columns(struct lags_fit *g, struct error *err)
{
    struct lags_rule *r = &g->m->rule;

    if (!find_column(g, "time", &r->time, err) ||
        !find_column(g, "series", &r->series, err))
        return false;
    if (r->time != LAGS_NO_COLUMN && r->time == r->series)
        return error_set(err, ERR_RANGE,
                         "'%s' tells the time of a row, and cannot tell its "
                         "series as well",
                         params_text(g->p, "time"));
    r->n_cols = design_cols(g->d->train);
    r->n_inputs =
        r->n_cols - (r->time != LAGS_NO_COLUMN) - (r->series != LAGS_NO_COLUMN);
    return true;
}

/* The series there are, and of which one each row is. */
static bool
number_series(struct lags_fit *g, struct error *err)
{
    struct lags *m = g->m;
    size_t n = m->n, col = m->rule.series;
    double *key = mem_try_array(n, sizeof *key, err);

    if (!key)
        return false;
    if (col != LAGS_NO_COLUMN)
        design_pull(g->d->train, col, 0, n, key);
    for (size_t i = 0; i < n; i++)
        if (isnan(key[i])) {
            free(key);
            return error_set(err, ERR_RANGE,
                             "series '%s' is missing in row %zu",
                             params_text(g->p, "series"), i + 1);
        }
    if (!order_numbers(key, n, g->ctx->pool, err)) {
        free(key);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        m->n_series += i == 0 || key[i] != key[i - 1];
    m->series = mem_try_array(m->n_series, sizeof *m->series, err);
    if (m->series) {
        struct lags_series *s = m->series;

        for (size_t i = 0; i < n; i++)
            if (i == 0 || key[i] != key[i - 1])
                *s++ = (struct lags_series){.key = key[i]};
    }
    free(key);
    return m->series != NULL;
}

static bool
sort_rows(struct lags_fit *g, struct error *err)
{
    struct lags *m = g->m;
    const struct lags_rule *r = &m->rule;

    g->row = mem_try_array(m->n, sizeof *g->row, err);
    m->y = mem_try_array(m->n, sizeof *m->y, err);
    if (!g->row || !m->y)
        return false;
    for (size_t i = 0; i < m->n; i++) {
        double key = 0;

        g->row[i].row = (uint32_t)i;
        if (r->time != LAGS_NO_COLUMN)
            design_pull(g->d->train, r->time, i, i + 1, &g->row[i].time);
        if (r->series != LAGS_NO_COLUMN)
            design_pull(g->d->train, r->series, i, i + 1, &key);
        g->row[i].series = (uint32_t)(lags_find(m, key) - m->series);
    }
    if (!moments_sort(g->row, m->n, g->ctx->pool, err))
        return false;
    for (size_t i = 0; i < m->n; i++) {
        m->y[i] = g->d->y->y[g->row[i].row];
        if (!(fabs(m->y[i]) < 1e100))
            return error_set(err, ERR_RANGE, "the values are too far apart");
    }
    return true;
}

/* The step of all series is that of the longest; one of a single row has none
 * of its own. */
static bool
share_clock(struct lags *m, const char *name, struct error *err)
{
    const struct clock *longest = &m->series[0].clock;

    for (size_t k = 1; k < m->n_series; k++)
        if (m->series[k].clock.n > longest->n)
            longest = &m->series[k].clock;
    for (size_t k = 0; k < m->n_series; k++) {
        struct clock *c = &m->series[k].clock, own = *c;

        if (!c->timed)
            continue;
        *c = *longest;
        c->first = own.first;
        c->n = own.n;
        if (own.n > 1 && (own.months != c->months || own.day != c->day ||
                          fabs(own.step - c->step) > 1e-6 * c->step))
            return error_set(err, ERR_RANGE,
                             "series step differently in '%s': one by %g, "
                             "another by %g",
                             name, c->step, own.step);
    }
    return true;
}

static bool
read_clocks(struct lags_fit *g, struct error *err)
{
    struct lags *m = g->m;
    bool timed = m->rule.time != LAGS_NO_COLUMN;
    const char *name = timed ? params_text(g->p, "time") : "";

    for (size_t i = 0, end; i < m->n; i = end) {
        struct lags_series *s = &m->series[g->row[i].series];

        for (end = i; end < m->n && g->row[end].series == g->row[i].series;)
            end++;
        s->begin = i;
        s->clock = (struct clock){.n = end - i};
        if (timed && !clock_read(g->row + i, end - i, name, &s->clock, err))
            return false;
    }
    return share_clock(m, name, err);
}

bool
lags_read(struct lags_fit *g, struct error *err)
{
    g->m->n = g->d->y->n;
    if (g->m->n < 3 || g->m->n > MAX_ROWS)
        return error_set(err, ERR_RANGE, "series of %zu rows, expected 3..%d",
                         g->m->n, MAX_ROWS);
    return find_columns(g, err) && number_series(g, err) && sort_rows(g, err) &&
           read_clocks(g, err);
}

/* ---- what is looked at ---- */

/* "1-7,14" in rising order; every number once. */
static bool
read_steps(const char *param, const char *text, uint32_t *out, size_t *n,
           struct error *err)
{
    bool *there = mem_try_array(LAGS_MAX_STEP + 1, sizeof *there, err);
    bool ok = there != NULL;

    *n = 0;
    for (const char *at = text; ok && *at; at += *at == ',') {
        size_t len = strcspn(at, ",");
        struct str part = str_trim((struct str){at, len});
        const char *dash = memchr(part.p, '-', part.n);
        struct str from = part, to = part;
        int64_t a, b;

        if (dash) {
            from.n = (size_t)(dash - part.p);
            to = (struct str){dash + 1, part.n - from.n - 1};
        }
        ok = str_to_i64(str_trim(from), &a) && str_to_i64(str_trim(to), &b) &&
             a >= 1 && b >= a && b <= LAGS_MAX_STEP;
        if (!ok)
            error_set(err, ERR_RANGE,
                      "%s: '%.*s' is no number or range of steps from 1 to %d",
                      param, (int)part.n, part.p, LAGS_MAX_STEP);
        for (; ok && a <= b; a++)
            there[a] = true;
        at += len;
    }
    for (uint32_t i = 1; ok && i <= LAGS_MAX_STEP; i++) {
        if (!there[i])
            continue;
        if (*n == LAGS_MOST)
            ok = error_set(err, ERR_LIMIT, "%s: over %d of them", param,
                           LAGS_MOST);
        else
            out[(*n)++] = i;
    }
    free(there);
    return ok;
}

/* A season and the step before it, and the season before; of long ones the
 * last week of steps. */
static void
usual_lags(struct lags_rule *r, size_t longest)
{
    size_t p = r->period, last = p == 1 ? 8 : p <= 31 ? p + 1 : 8;
    const size_t more[] = {p, p + 1, 2 * p};

    for (size_t i = 1; i <= last && (i == 1 || i < longest / 2); i++)
        r->lag[r->n_lags++] = (uint32_t)i;
    for (size_t i = 0; p > 1 && i < 3; i++)
        if (more[i] > last && more[i] < longest / 2)
            r->lag[r->n_lags++] = (uint32_t)more[i];
}

static bool
choose_steps(struct lags_fit *g, size_t longest, struct error *err)
{
    struct lags_rule *r = &g->m->rule;
    const char *means =
        params_is_set(g->p, "means") ? params_text(g->p, "means") : NULL;

    if (!params_is_set(g->p, "lags"))
        usual_lags(r, longest);
    else if (!read_steps("lags", params_text(g->p, "lags"), r->lag, &r->n_lags,
                         err))
        return false;
    if (!means)
        r->mean[r->n_means++] = r->period > 1 ? (uint32_t)r->period : 4;
    else if (strcmp(means, "0") != 0 &&
             !read_steps("means", means, r->mean, &r->n_means, err))
        return false;
    return r->n_lags + r->n_means > 0 ||
           error_set(err, ERR_RANGE, "lags: none are looked at");
}

/* The parts of a date that change from step to step. */
static void
choose_calendar(struct lags_fit *g)
{
    struct lags_rule *r = &g->m->rule;
    const struct clock *c = &g->m->series[0].clock;
    enum col_type type = r->time == LAGS_NO_COLUMN
                             ? COL_FLOAT64
                             : design_type(g->d->train, r->time);
    double days;

    r->in_seconds = type == COL_TIMESTAMP;
    if ((type != COL_DATE && type != COL_TIMESTAMP) ||
        !params_bool(g->p, "calendar"))
        return;
    days = c->step / (r->in_seconds ? DAY : 1);
    if (!c->months && days < 1)
        r->parts |= 1u << LAGS_HOUR;
    if (!c->months && fmod(days, 7) != 0)
        r->parts |= 1u << LAGS_WEEKDAY;
    if (!c->months && days < 28)
        r->parts |= 1u << LAGS_DAY;
    if (!c->months || c->step < 12)
        r->parts |= 1u << LAGS_MONTH;
}

bool
lags_choose(struct lags_fit *g, struct error *err)
{
    struct lags_rule *r = &g->m->rule;
    size_t longest = 0;

    for (size_t k = 0; k < g->m->n_series; k++)
        if (g->m->series[k].clock.n > longest)
            longest = g->m->series[k].clock.n;
    r->period = params_is_set(g->p, "period")
                    ? (size_t)params_int(g->p, "period")
                    : clock_period(&g->m->series[0].clock);
    if (2 * r->period > longest) {
        if (params_is_set(g->p, "period"))
            return error_set(err, ERR_RANGE,
                             "a period of %zu needs %zu rows, and there are "
                             "%zu",
                             r->period, 2 * r->period, longest);
        r->period = 1;
    }
    r->ahead = (size_t)params_int(g->p, "ahead");
    if (r->ahead > 0 && r->ahead + r->period >= longest)
        return error_set(err, ERR_RANGE,
                         "%zu steps ahead and a period of %zu need %zu rows, "
                         "and there are %zu",
                         r->ahead, r->period, r->ahead + r->period + 1,
                         longest);
    choose_calendar(g);
    return choose_steps(g, longest, err);
}
