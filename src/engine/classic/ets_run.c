/* engine/classic/ets_run.c -- the recursion, and its likelihood climbed.
 *
 * The climb is BFGS over parameters mapped to the whole line, so that bounds
 * hold by themselves, and first states in units of the series; derivatives are
 * central differences, a parameter each thread.  It starts from the best of a
 * small grid with states from a classical decomposition.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/ets_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "engine/classic/panels.h"

#define LOG_2PI 1.8378770664093454836
#define LEAST 1e-4 /* of alpha, beta, gamma, and from 1 */
#define PHI_LEAST 0.8
#define PHI_MOST 0.98
enum { MAX_TURNS = 400, MAX_HALVINGS = 40, STARTS = 3, GRID = 27 };

bool
ets_state_init(struct ets_state *s, size_t period, struct error *err)
{
    *s = (struct ets_state){.phi = 1};
    return dense_try(&s->season, period, 1, err);
}

void
ets_state_fini(struct ets_state *s)
{
    free(s->season);
    *s = (struct ets_state){0};
}

/* ---- the recursion ---- */

/* b^phi */
static double
power(double b, double phi)
{
    return phi == 1 ? b : b > 0 ? fm_exp(phi * fm_log(b)) : (double)NAN;
}

/* Level and trend one step on, without error. */
static double
base_of(const struct ets_form *f, const struct ets_state *s, double *trend)
{
    switch (f->trend) {
    case ETS_ADD:
        *trend = s->phi * s->trend;
        return s->level + *trend;
    case ETS_MUL:
        *trend = power(s->trend, s->phi);
        return s->level * *trend;
    case ETS_NONE:
        break;
    }
    *trend = 0;
    return s->level;
}

static double
with_season(const struct ets_form *f, double base, double season)
{
    return f->season == ETS_ADD   ? base + season
           : f->season == ETS_MUL ? base * season
                                  : base;
}

/* Take in the error e = y - forecast. */
static void
move_on(const struct ets_form *f, struct ets_state *s, double base,
        double trend, double *season, double e)
{
    double part = f->season == ETS_MUL ? e / *season : e;

    if (f->trend == ETS_ADD)
        s->trend = trend + s->beta * part;
    else if (f->trend == ETS_MUL)
        s->trend = trend + s->beta * part / s->level;
    s->level = base + s->alpha * part;
    if (f->season == ETS_ADD)
        *season += s->gamma * e;
    else if (f->season == ETS_MUL)
        *season += s->gamma * e / base;
}

static bool
must_be_positive(const struct ets_form *f)
{
    return f->error == ETS_MUL || f->trend == ETS_MUL || f->season == ETS_MUL;
}

double
ets_run(const struct ets_form *f, struct ets_state *s, const double *y,
        size_t n, double *fitted, double *sse)
{
    bool positive = must_be_positive(f);
    double logs = 0, m = (double)n;

    *sse = 0;
    for (size_t t = 0; t < n; t++) {
        double *season = s->season + t % f->period, trend, e;
        double base = base_of(f, s, &trend);
        double ahead = with_season(f, base, *season);

        if (!isfinite(ahead) || (positive && !(ahead > 0 && base > 0)))
            return -(double)INFINITY;
        if (fitted)
            fitted[t] = ahead;
        e = y[t] - ahead;
        if (f->error == ETS_MUL) {
            *sse += e / ahead * (e / ahead);
            logs += fm_log(ahead);
        } else {
            *sse += e * e;
        }
        move_on(f, s, base, trend, season, e);
    }
    if (!(*sse > 0)) /* without error: as likely as can be told */
        *sse = 1e-300;
    return -m / 2 * (LOG_2PI + fm_log(*sse / m) + 1) - logs;
}

size_t
ets_count(const struct ets_form *f)
{
    return 3 + (f->trend ? 2 : 0) + f->damped + (f->season ? f->period : 0);
}

void
ets_ahead(const struct ets_form *f, const struct ets_state *s, size_t t,
          size_t n, double *out)
{
    struct ets_state go = *s; /* the seasons are only read */

    for (size_t h = 0; h < n; h++) {
        double trend, base = base_of(f, &go, &trend);

        out[h] = with_season(f, base, s->season[(t + h) % f->period]);
        go.level = base;
        go.trend = trend;
    }
}

double
ets_step(const struct ets_form *f, struct ets_state *s, size_t t, double error)
{
    double *season = s->season + t % f->period, trend;
    double base = base_of(f, s, &trend);
    double ahead = with_season(f, base, *season);
    double e = f->error == ETS_MUL ? ahead * error : error;

    move_on(f, s, base, trend, season, e);
    return ahead + e;
}

/* ---- parameters as points ---- */

struct climb {
    const struct ets_form *f;
    const double *y;
    size_t n, dims;
    double unit, middle; /* deviation and mean of y */
    struct pool *pool;
    struct progress *progress;
    double *season; /* a period for each dimension */
    double *point;  /* dims for each dimension */
    double *slope;  /* of the dimension at hand */
    const double *at;
};

static double
to_unit(double x, double low, double high)
{
    return low + (high - low) * fm_sigmoid(x);
}

static double
from_unit(double v, double low, double high)
{
    double share = (v - low) / (high - low);

    share = share < 1e-6 ? 1e-6 : share > 1 - 1e-6 ? 1 - 1e-6 : share;
    return fm_log(share / (1 - share));
}

/* Level and additive parts are in units of the series, trends of it finer; the
 * last season follows from the others. */
static void
state_of(const struct climb *c, const double *x, struct ets_state *s)
{
    const struct ets_form *f = c->f;
    double sum = 0;

    s->alpha = to_unit(*x++, LEAST, 1 - LEAST);
    s->beta = f->trend ? to_unit(*x++, LEAST * s->alpha, s->alpha) : 0;
    s->gamma =
        f->season ? to_unit(*x++, LEAST * (1 - s->alpha), 1 - s->alpha) : 0;
    s->phi = f->damped ? to_unit(*x++, PHI_LEAST, PHI_MOST) : 1;
    s->level = c->middle + c->unit * *x++;
    s->trend = f->trend == ETS_ADD   ? c->unit / 10 * *x++
               : f->trend == ETS_MUL ? 1 + *x++ / 10
                                     : 0;
    for (size_t i = 0; i + 1 < f->period && f->season; i++) {
        s->season[i] = f->season == ETS_ADD ? c->unit * *x++ : 1 + *x++;
        sum += s->season[i];
    }
    if (f->season)
        s->season[f->period - 1] =
            f->season == ETS_ADD ? -sum : (double)f->period - sum;
}

static void
point_of(const struct climb *c, const struct ets_state *s, double *x)
{
    const struct ets_form *f = c->f;

    *x++ = from_unit(s->alpha, LEAST, 1 - LEAST);
    if (f->trend)
        *x++ = from_unit(s->beta, LEAST * s->alpha, s->alpha);
    if (f->season)
        *x++ = from_unit(s->gamma, LEAST * (1 - s->alpha), 1 - s->alpha);
    if (f->damped)
        *x++ = from_unit(s->phi, PHI_LEAST, PHI_MOST);
    *x++ = (s->level - c->middle) / c->unit;
    if (f->trend)
        *x++ =
            f->trend == ETS_ADD ? s->trend / c->unit * 10 : (s->trend - 1) * 10;
    for (size_t i = 0; i + 1 < f->period && f->season; i++)
        *x++ = f->season == ETS_ADD ? s->season[i] / c->unit : s->season[i] - 1;
}

/* Minus the likelihood, a number of 1 each value. */
static double
height(const struct climb *c, const double *x, double *season)
{
    struct ets_state s = {.season = season};
    double sse;

    state_of(c, x, &s);
    return -ets_run(c->f, &s, c->y, c->n, NULL, &sse) / (double)c->n;
}

static void
slope_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct climb *c = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        double *x = c->point + i * c->dims, up, down;
        double *season = c->season + i * c->f->period;
        double h = 1e-5 * (1 + fabs(c->at[i]));

        if (progress_stopped(c->progress))
            return;
        memcpy(x, c->at, c->dims * sizeof *x);
        x[i] = c->at[i] + h;
        up = height(c, x, season);
        x[i] = c->at[i] - h;
        down = height(c, x, season);
        c->slope[i] =
            isfinite(up) && isfinite(down) ? (up - down) / (2 * h) : 0;
    }
}

static void
slope_take(struct climb *c, const double *x, double *out)
{
    c->at = x;
    c->slope = out;
    pool_for(c->pool, c->dims, 1, slope_chunk, c);
}

/* ---- BFGS ---- */

struct bfgs {
    size_t n;
    double *h; /* (n, n): the inverse of the curvature */
    double *x, *g, *step, *next, *g_next, *hy;
};

static bool
bfgs_init(struct bfgs *b, size_t n, struct error *err)
{
    *b = (struct bfgs){.n = n};
    if (!dense_try(&b->h, n, n, err) || !dense_try(&b->x, 6, n, err))
        return false;
    b->g = b->x + n;
    b->step = b->g + n;
    b->next = b->step + n;
    b->g_next = b->next + n;
    b->hy = b->g_next + n;
    return true;
}

static void
curvature_reset(struct bfgs *b)
{
    memset(b->h, 0, b->n * b->n * sizeof *b->h);
    for (size_t i = 0; i < b->n; i++)
        b->h[i * b->n + i] = 1;
}

/* From step x - next and slopes; what curves the wrong way is left out. */
static void
curvature_learn(struct bfgs *b, bool first)
{
    size_t n = b->n;
    double sy = 0, yhy = 0, yy = 0;

    for (size_t i = 0; i < n; i++) {
        b->step[i] = b->next[i] - b->x[i];
        b->g[i] = b->g_next[i] - b->g[i];
        sy += b->step[i] * b->g[i];
        yy += b->g[i] * b->g[i];
    }
    if (!(sy > 1e-12 * sqrt(yy) * sqrt(dense_dot(b->step, b->step, n))))
        return;
    for (size_t i = 0; i < n && first; i++)
        b->h[i * n + i] = sy / yy;
    for (size_t i = 0; i < n; i++) {
        b->hy[i] = dense_dot(b->h + i * n, b->g, n);
        yhy += b->hy[i] * b->g[i];
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            b->h[i * n + j] +=
                (1 + yhy / sy) * b->step[i] * b->step[j] / sy -
                (b->hy[i] * b->step[j] + b->step[i] * b->hy[j]) / sy;
}

/* One step downhill; how much it gained. */
static double
bfgs_step(struct climb *c, struct bfgs *b, double *value, bool first)
{
    size_t n = b->n;
    double slope = 0, t = 1, longest = 0, next = INFINITY, was = *value;

    for (size_t i = 0; i < n; i++) {
        b->step[i] = -dense_dot(b->h + i * n, b->g, n);
        slope += b->step[i] * b->g[i];
        longest = fmax(longest, fabs(b->step[i]));
    }
    if (!(slope < 0))
        return 0;
    if (longest > 2)
        t = 2 / longest;
    for (unsigned k = 0; k < MAX_HALVINGS; k++, t /= 2) {
        for (size_t i = 0; i < n; i++)
            b->next[i] = b->x[i] + t * b->step[i];
        next = height(c, b->next, c->season);
        if (next <= was + 1e-4 * t * slope)
            break;
    }
    if (!(next < was))
        return 0;
    slope_take(c, b->next, b->g_next);
    curvature_learn(b, first);
    memcpy(b->x, b->next, n * sizeof *b->x);
    memcpy(b->g, b->g_next, n * sizeof *b->g);
    *value = next;
    return was - next;
}

/* Downhill until nothing is gained; once more with the curvature forgotten. */
static double
descend(struct climb *c, struct bfgs *b)
{
    double value = height(c, b->x, c->season);
    unsigned idle = 0;

    slope_take(c, b->x, b->g);
    curvature_reset(b);
    for (unsigned turn = 0; turn < MAX_TURNS && idle < 3; turn++) {
        double gain = bfgs_step(c, b, &value, turn == 0);

        if (progress_stopped(c->progress))
            break;
        if (gain > 1e-9 / (double)c->n) {
            idle = 0;
            continue;
        }
        idle++;
        curvature_reset(b);
        slope_take(c, b->x, b->g);
    }
    return value;
}

/* ---- where it starts ---- */

/* A value without its season. */
static double
adjusted(const struct ets_form *f, double y, double season)
{
    return f->season == ETS_ADD   ? y - season
           : f->season == ETS_MUL ? y / season
                                  : y;
}

/* Seasons from the distance to a moving mean over a period, on the first
 * cycles. */
static void
seasons_guess(const struct climb *c, double *season)
{
    size_t m = c->f->period, most = c->n < 5 * m ? c->n : 5 * m;
    double sum = 0;

    for (size_t i = 0; i < m; i++) {
        double part = 0, count = 0;

        for (size_t t = i; t < most; t += m) {
            size_t from = t < m / 2 ? 0 : t - m / 2;
            double mean = 0;

            from = from + m > c->n ? c->n - m : from;
            for (size_t k = from; k < from + m; k++)
                mean += c->y[k] / (double)m;
            part += c->f->season == ETS_ADD ? c->y[t] - mean : c->y[t] / mean;
            count += 1;
        }
        season[i] = part / count;
        sum += season[i];
    }
    for (size_t i = 0; i < m; i++)
        season[i] = c->f->season == ETS_ADD ? season[i] - sum / (double)m
                                            : season[i] * (double)m / sum;
}

/* Level and trend by least squares through the first adjusted values. */
static void
state_guess(const struct climb *c, struct ets_state *s)
{
    size_t m = c->f->period, most = c->f->season ? 2 * m : 10;
    double st = 0, sy = 0, stt = 0, sty = 0, n, slope;

    if (c->f->season)
        seasons_guess(c, s->season);
    most = most > c->n ? c->n : most < 4 ? 4 : most;
    most = most > c->n ? c->n : most;
    n = (double)most;
    for (size_t t = 0; t < most; t++) {
        double x = (double)t + 1;
        double y = adjusted(c->f, c->y[t], s->season[t % m]);

        st += x;
        sy += y;
        stt += x * x;
        sty += x * y;
    }
    slope = most > 1 ? (n * sty - st * sy) / (n * stt - st * st) : 0;
    s->level = (sy - slope * st) / n;
    s->trend = slope;
    if (c->f->trend == ETS_NONE)
        s->level = sy / n;
    if (c->f->trend == ETS_MUL) {
        s->level = fmax(s->level, 1e-3 * fabs(sy / n));
        s->trend = fmin(fmax(1 + slope / s->level, 0.5), 1.5);
    }
    if (must_be_positive(c->f) && !(s->level > 0))
        s->level = sy / n;
    for (size_t i = 0; i < m && c->f->season == ETS_MUL; i++)
        s->season[i] = fmax(s->season[i], 1e-2);
}

struct start {
    double alpha, beta, gamma, value;
};

static int
by_value(const void *a, const void *b)
{
    const struct start *x = a, *y = b;

    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->alpha > y->alpha) - (x->alpha < y->alpha);
}

/* The likeliest of a grid, best first. */
static size_t
starts_rank(struct climb *c, const struct ets_state *guess, struct start *out,
            double *x)
{
    static const double alpha[] = {0.1, 0.4, 0.85}, beta[] = {0.01, 0.1, 0.5},
                        gamma[] = {0.01, 0.15, 0.6};
    size_t n = 0;

    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < (c->f->trend ? 3 : 1); j++)
            for (size_t k = 0; k < (c->f->season ? 3 : 1); k++) {
                struct ets_state s = *guess;

                s.alpha = alpha[i];
                s.beta = beta[j] * s.alpha;
                s.gamma = gamma[k] * (1 - s.alpha);
                s.phi = 0.93;
                point_of(c, &s, x);
                out[n++] = (struct start){s.alpha, s.beta, s.gamma,
                                          height(c, x, c->season)};
            }
    qsort(out, n, sizeof *out, by_value);
    return n;
}

static bool
climb_run(struct climb *c, struct bfgs *b, struct ets_state *first, double *llf,
          struct error *err)
{
    struct start start[GRID];
    struct ets_state guess;
    size_t n;
    double best = INFINITY;

    if (!ets_state_init(&guess, c->f->period, err))
        return false;
    state_guess(c, &guess);
    n = starts_rank(c, &guess, start, b->x);
    for (size_t i = 0; i < n && i < STARTS; i++) {
        double value;

        if (!isfinite(start[i].value))
            break;
        guess.alpha = start[i].alpha;
        guess.beta = start[i].beta;
        guess.gamma = start[i].gamma;
        guess.phi = 0.93;
        point_of(c, &guess, b->x);
        value = descend(c, b);
        if (value < best) {
            best = value;
            state_of(c, b->x, first);
        }
        if (progress_stopped(c->progress))
            break;
    }
    ets_state_fini(&guess);
    *llf = -best * (double)c->n;
    return true;
}

static void
units_take(struct climb *c)
{
    double squares = 0;

    for (size_t t = 0; t < c->n; t++)
        c->middle += c->y[t] / (double)c->n;
    for (size_t t = 0; t < c->n; t++)
        squares += (c->y[t] - c->middle) * (c->y[t] - c->middle);
    c->unit = sqrt(squares / (double)c->n);
    if (!(c->unit > 0))
        c->unit = fabs(c->middle) > 0 ? fabs(c->middle) : 1;
}

bool
ets_fit(const struct ets_form *f, const double *y, size_t n, struct pool *pool,
        struct progress *progress, struct ets_state *first, double *llf,
        struct error *err)
{
    struct climb c = {
        .f = f, .y = y, .n = n, .pool = pool, .progress = progress};
    struct bfgs b = {0};
    bool ok;

    /* The variance is none of the point's. */
    c.dims = ets_count(f) - 1;
    units_take(&c);
    ok = ets_state_init(first, f->period, err) &&
         dense_try(&c.season, c.dims, f->period, err) &&
         dense_try(&c.point, c.dims, c.dims, err) &&
         bfgs_init(&b, c.dims, err) && climb_run(&c, &b, first, llf, err);
    free(c.season);
    free(c.point);
    free(b.h);
    free(b.x);
    if (!ok)
        ets_state_fini(first);
    return ok;
}
