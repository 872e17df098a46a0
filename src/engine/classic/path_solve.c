/* engine/classic/path_solve.c -- products of columns by fold, and solutions.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/path_solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/eigen.h"
#include "engine/classic/gram.h"

enum {
    MAX_CHUNKS = 64,
    MAX_PARTIAL = 128 << 20, /* bytes of the chunks' products, at most */
    MIN_CHUNK = 2048,        /* rows */
    TILE = 256,
    TILE_VALUES = 1 << 15,
    LEAP_EVERY = 10, /* turns */
    LEAP_MOST = 512  /* weights */
};

/* ---- products ---- */

struct summing {
    const struct moments *m;
    const struct fit_data *d;
    const uint8_t *of; /* fold of each row, or NULL */
    struct progress *progress;
    size_t tile, each;
    double *room; /* a chunk each: a tile by fold, then products of each fold */
};

static double
weight_of(const struct fit_data *d, size_t i)
{
    return d->y->weight ? d->y->weight[i] : 1;
}

/* Rows r..r + n - 1 into the tile of each fold; fill counts them. */
static void
tile_fill(const struct summing *s, size_t r, size_t n, double *tile,
          size_t *fill)
{
    const struct moments *m = s->m;
    double v[TILE], scale[TILE];
    size_t at[TILE];

    memset(fill, 0, m->n_folds * sizeof *fill);
    for (size_t i = 0; i < n; i++) {
        size_t f = s->of ? s->of[r + i] : 0;
        double *row = tile + (f * s->tile + fill[f]++) * m->q;

        at[i] = (size_t)(row - tile);
        scale[i] = sqrt(weight_of(s->d, r + i));
        row[m->p] = scale[i] * (s->d->y->y[r + i] - m->mean[m->p]);
        row[m->p + 1] = scale[i];
    }
    for (size_t j = 0; j < m->p; j++) {
        design_pull(s->d->train, j, r, r + n, v);
        for (size_t i = 0; i < n; i++)
            tile[at[i] + j] = scale[i] * (v[i] - m->mean[j]);
    }
}

static void
sum_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct summing *s = ctx;
    const struct moments *m = s->m;
    double *tile = s->room + chunk * s->each;
    double *out = tile + m->n_folds * s->tile * m->q;
    size_t fill[UINT8_MAX + 1];

    for (size_t r = begin; r < end; r += s->tile) {
        size_t n = end - r < s->tile ? end - r : s->tile;

        if (progress_stopped(s->progress))
            return;
        tile_fill(s, r, n, tile, fill);
        for (size_t f = 0; f < m->n_folds; f++)
            gram_add(tile + f * s->tile * m->q, fill[f], m->q,
                     out + f * m->q * m->q);
    }
}

static bool
means_make(struct moments *m, const struct fit_data *d, struct pool *pool,
           struct error *err)
{
    double sum = 0, total = 0;

    if (!gram_means(d->train, pool, m->mean, err))
        return false;
    for (size_t i = 0; i < d->y->n; i++) {
        sum += weight_of(d, i) * d->y->y[i];
        total += weight_of(d, i);
    }
    m->mean[m->p] = total > 0 ? sum / total : 0;
    return true;
}

bool
moments_make(struct moments *m, const struct fit_data *d, const uint8_t *fold,
             size_t n_folds, const struct train *ctx, struct error *err)
{
    size_t n = d->y->n, p = design_cols(d->train), q = p + 2, grain, chunks;
    size_t most = MAX_PARTIAL / (n_folds * q * q * sizeof(double)), cells;
    struct summing s = {.m = m, .d = d, .of = fold, .progress = ctx->progress};

    *m = (struct moments){.p = p, .q = q, .n_folds = n_folds};
    s.tile = TILE_VALUES / q;
    s.tile = s.tile < PANEL ? PANEL : s.tile > TILE ? TILE : s.tile;
    s.each = n_folds * (s.tile * q + q * q);
    most = most < 1 ? 1 : most > MAX_CHUNKS ? MAX_CHUNKS : most;
    grain = (n + most - 1) / most;
    grain = grain < MIN_CHUNK ? MIN_CHUNK : grain;
    chunks = pool_chunks(n, grain);
    if (!mem_mul(n_folds * q, q, &cells) ||
        !dense_try(&m->mean, p + 1, 1, err) ||
        !dense_try(&m->fold, cells, 1, err) ||
        !means_make(m, d, ctx->pool, err) ||
        !dense_try(&s.room, chunks, s.each, err))
        return false;
    pool_for(ctx->pool, n, grain, sum_chunk, &s);
    for (size_t c = 0; c < chunks && !progress_stopped(ctx->progress); c++) {
        const double *part = s.room + c * s.each + n_folds * s.tile * q;

        for (size_t i = 0; i < cells; i++)
            m->fold[i] += part[i];
    }
    free(s.room);
    for (size_t f = 0; f < n_folds && !progress_stopped(ctx->progress); f++)
        gram_mirror(m->fold + f * q * q, q);
    return !ctx->progress || progress_check(ctx->progress, err);
}

void
moments_fini(struct moments *m)
{
    free(m->mean);
    free(m->fold);
    *m = (struct moments){0};
}

/* ---- a problem ---- */

bool
problem_make(struct problem_of *o, const struct moments *m, size_t left_out,
             bool eigen, struct progress *progress, struct error *err)
{
    size_t p = m->p, q = m->q;
    double *all, n;
    bool ok;

    *o = (struct problem_of){.p = p, .most = p < LEAP_MOST ? p : LEAP_MOST};
    if (!dense_try(&all, q, q, err))
        return false;
    ok = dense_try(&o->a, p, p, err) && dense_try(&o->b, p, 1, err) &&
         dense_try(&o->mean, p + 1, 1, err) && dense_try(&o->pull, p, 1, err) &&
         (o->active = mem_try_array(p, 1, err)) &&
         (eigen || ((o->on = mem_try_array(o->most, sizeof *o->on, err)) &&
                    dense_try(&o->leap, o->most + 1, o->most, err))) &&
         (!eigen ||
          (dense_try(&o->vector, p, p, err) &&
           dense_try(&o->value, p, 1, err) && dense_try(&o->along, p, 1, err)));
    for (size_t f = 0; f < m->n_folds && ok; f++)
        for (size_t i = 0; i < q * q && f != left_out; i++)
            all[i] += m->fold[f * q * q + i];
    n = all[q * q - 1];
    for (size_t i = 0; i <= p && ok; i++)
        o->mean[i] = n > 0 ? all[i * q + p + 1] / n : 0;
    for (size_t i = 0; i < p && ok && n > 0; i++) {
        for (size_t j = 0; j < p; j++)
            o->a[i * p + j] = all[i * q + j] / n - o->mean[i] * o->mean[j];
        o->b[i] = all[i * q + p] / n - o->mean[i] * o->mean[p];
    }
    o->spread =
        n > 0 ? sqrt(fmax(all[p * q + p] / n - o->mean[p] * o->mean[p], 0)) : 0;
    free(all);
    if (ok && eigen) {
        memcpy(o->vector, o->a, p * p * sizeof *o->a);
        ok = eigen_symmetric(o->vector, p, o->value, NULL, progress, err);
        for (size_t c = 0; c < p && ok; c++)
            o->along[c] = dense_dot(o->vector + c * p, o->b, p);
    }
    if (!ok)
        problem_fini(o);
    return ok;
}

void
problem_fini(struct problem_of *o)
{
    free(o->a);
    free(o->b);
    free(o->mean);
    free(o->vector);
    free(o->value);
    free(o->along);
    free(o->pull);
    free(o->active);
    free(o->leap);
    free(o->on);
    *o = (struct problem_of){0};
}

/* ---- solutions ---- */

/* Without a penalty, directions without spread have no weight: the shortest of
 * all solutions. */
static void
solve_ridge(const struct problem_of *o, double l2, double *w)
{
    double least = o->p ? o->value[0] * 1e-13 * (double)o->p : 0;

    memset(w, 0, o->p * sizeof *w);
    for (size_t c = 0; c < o->p; c++) {
        double value = fmax(o->value[c], 0), by;

        if (value + l2 <= least)
            continue;
        by = o->along[c] / (value + l2);
        for (size_t j = 0; j < o->p; j++)
            w[j] += by * o->vector[c * o->p + j];
    }
}

/* One coordinate; how far it moved, in deviations of the target. */
static double
descend(struct problem_of *o, const struct penalty *by, size_t j, double *w)
{
    const double *row = o->a + j * o->p;
    double h = row[j], v, move;

    if (!(h + by->l2 > 0))
        return 0;
    v = dense_shrink(o->b[j] - o->pull[j] + h * w[j], by->l1) / (h + by->l2);
    move = v - w[j];
    if (move == 0)
        return 0;
    for (size_t k = 0; k < o->p; k++)
        o->pull[k] += move * row[k];
    w[j] = v;
    return fabs(move) * sqrt(h);
}

static double
turn(struct problem_of *o, const struct penalty *by, bool all, double *w)
{
    double most = 0;

    for (size_t j = 0; j < o->p; j++) {
        if (!all && !o->active[j])
            continue;
        most = fmax(most, descend(o, by, j, w));
        if (all)
            o->active[j] = w[j] != 0;
    }
    return most;
}

double
path_reach(const double *w, const size_t *on, const double *step, size_t n,
           size_t *first)
{
    double share = 1;

    *first = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        double to_zero = -w[on[i]] / step[i];

        if (to_zero > 0 && to_zero < share) {
            share = to_zero;
            *first = on[i];
        }
    }
    return share;
}

/* The weights that are not 0 to where they rest while they keep their signs:
 * Newton's step, or as much of it as brings the first of them to 0.  Where
 * columns are nearly alike turns would take thousands to get there.  Nothing is
 * done where there are too many, or no step. */
static void
leap(struct problem_of *o, const struct penalty *by, double *w)
{
    double *step = o->leap + o->most * o->most, share;
    size_t n = 0, first;

    for (size_t j = 0; j < o->p; j++)
        if (w[j] != 0 && n == o->most)
            return;
        else if (w[j] != 0)
            o->on[n++] = j;
    for (size_t i = 0; i < n; i++) {
        size_t j = o->on[i];

        for (size_t k = 0; k < n; k++)
            o->leap[i * n + k] = o->a[j * o->p + o->on[k]];
        o->leap[i * n + i] += by->l2;
        step[i] = o->b[j] - o->pull[j] - by->l2 * w[j] - copysign(by->l1, w[j]);
    }
    if (n == 0 || !cholesky(o->leap, n, NULL))
        return;
    cholesky_solve(o->leap, n, step);
    share = path_reach(w, o->on, step, n, &first);
    for (size_t i = 0; i < n; i++) {
        size_t j = o->on[i];
        double move = j == first ? -w[j] : share * step[i];

        for (size_t k = 0; k < o->p; k++)
            o->pull[k] += move * o->a[j * o->p + k];
        w[j] = j == first ? 0 : w[j] + move;
    }
}

/* Through the weights that are not 0 until they rest, then through all; rest
 * these too, it is done. */
static void
solve_descent(struct problem_of *o, const struct penalty *by,
              struct progress *progress, double *w)
{
    double rest = by->tolerance * o->spread;

    for (size_t j = 0; j < o->p; j++)
        o->pull[j] = dense_dot(o->a + j * o->p, w, o->p);
    for (unsigned i = 0; i < by->max_iter; i++) {
        if (turn(o, by, true, w) <= rest)
            return;
        while (i++ < by->max_iter && turn(o, by, false, w) > rest) {
            if (progress_stopped(progress))
                return;
            if (i % LEAP_EVERY == 0)
                leap(o, by, w);
        }
        if (progress_stopped(progress))
            return;
    }
}

void
problem_solve(struct problem_of *o, const struct penalty *by,
              struct progress *progress, double *w)
{
    if (o->vector && by->l1 == 0)
        solve_ridge(o, by->l2, w);
    else
        solve_descent(o, by, progress, w);
}

double
moments_error(const struct moments *m, const struct problem_of *o, size_t fold,
              const double *w, double *v)
{
    const double *of = m->fold + fold * m->q * m->q;
    double sum = 0;

    for (size_t j = 0; j < m->p; j++)
        v[j] = -w[j];
    v[m->p] = 1;
    v[m->p + 1] = dense_dot(w, o->mean, m->p) - o->mean[m->p];
    for (size_t i = 0; i < m->q; i++)
        if (v[i] != 0)
            sum += v[i] * dense_dot(of + i * m->q, v, m->q);
    return fmax(sum, 0);
}
