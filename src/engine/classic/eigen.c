/* engine/classic/eigen.c -- symmetric eigenvalues, Cholesky.
 *
 * a is brought to tridiagonal form by reflections, row by row from the last;
 * the QL iteration turns that into a diagonal while the same rotations turn the
 * rows of z.  Vectors are rows throughout, so that each rotation works on two
 * rows that lie in memory one after the other: the rotations of a sweep are
 * collected and applied to column blocks of z on all threads.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/eigen.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/panels.h"

enum {
    MAX_SWEEPS = 60, /* for each eigenvalue */
    GRAIN = 32,      /* rows of a matrix a chunk */
    BLOCK = 64       /* columns of z that a thread turns */
};

struct eigen {
    size_t n;
    double *a;       /* (n, n) */
    double *d, *e;   /* n: diagonal, and what is beside it */
    double *tau;     /* n: 2 / v'v of each reflection, 0: none */
    double *v, *w;   /* n */
    double *z;       /* (n, n): vectors, one a row */
    double *c, *s;   /* n: rotations of a sweep */
    size_t from, to; /* they turn rows i and i + 1, i = to - 1 down to from */
    size_t step;
    struct pool *pool;
};

/* ---- to tridiagonal form ---- */

/* w = a v over the leading `step` rows. */
static void
times_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct eigen *g = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        g->w[i] = dense_dot(g->a + i * g->n, g->v, g->step);
}

/* a -= v w' + w v' */
static void
update_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct eigen *g = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        double *row = g->a + i * g->n, v = g->v[i], w = g->w[i];

        for (size_t j = 0; j < g->step; j++)
            row[j] -= v * g->w[j] + w * g->v[j];
    }
}

/* Reflect row i, so that of a[i, 0..i-1] only the last is left. */
static void
reflect(struct eigen *g, size_t i)
{
    double *row = g->a + i * g->n, scale = 0, norm, alpha, share;

    g->step = i;
    g->tau[i] = 0;
    for (size_t j = 0; j + 1 < i; j++)
        scale = fmax(scale, fabs(row[j]));
    g->e[i] = row[i - 1];
    if (scale == 0)
        return;
    scale = fmax(scale, fabs(row[i - 1]));
    for (size_t j = 0; j < i; j++)
        g->v[j] = row[j] / scale;
    norm = sqrt(dense_dot(g->v, g->v, i));
    alpha = g->v[i - 1] > 0 ? -norm : norm;
    g->v[i - 1] -= alpha;
    g->tau[i] = 2 / dense_dot(g->v, g->v, i);
    g->e[i] = alpha * scale;
    pool_for(g->pool, i, GRAIN, times_chunk, g);
    for (size_t j = 0; j < i; j++)
        g->w[j] *= g->tau[i];
    share = g->tau[i] / 2 * dense_dot(g->w, g->v, i);
    for (size_t j = 0; j < i; j++)
        g->w[j] -= share * g->v[j];
    pool_for(g->pool, i, GRAIN, update_chunk, g);
    memcpy(row, g->v, i * sizeof *row); /* kept for z */
}

/* z = the reflections' product, as rows: start from the identity and apply
 * them from the first. */
static void
back_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct eigen *g = ctx;
    const double *v = g->a + g->step * g->n;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        double *row = g->z + i * g->n;
        double by = g->tau[g->step] * dense_dot(row, v, g->step);

        for (size_t j = 0; j < g->step; j++)
            row[j] -= by * v[j];
    }
}

static bool
stopped(struct progress *progress, struct error *err)
{
    return progress && !progress_check(progress, err);
}

static bool
tridiagonalise(struct eigen *g, struct progress *progress, struct error *err)
{
    for (size_t i = g->n; i-- > 1;) {
        if (stopped(progress, err))
            return false;
        reflect(g, i);
    }
    for (size_t i = 0; i < g->n; i++) {
        g->d[i] = g->a[i * g->n + i];
        g->z[i * g->n + i] = 1;
    }
    /* z h: row r of z times each reflection, of which the first acts on the
     * fewest columns. */
    for (size_t i = 1; i < g->n; i++) {
        if (g->tau[i] == 0)
            continue;
        if (stopped(progress, err))
            return false;
        g->step = i;
        pool_for(g->pool, i, GRAIN, back_chunk, g);
    }
    return true;
}

/* ---- to a diagonal ---- */

static void
turn_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct eigen *g = ctx;

    (void)chunk;
    for (size_t i = g->to; i-- > g->from;) {
        double *x = g->z + i * g->n, *y = x + g->n, c = g->c[i], s = g->s[i];

        for (size_t j = begin; j < end; j++) {
            double f = y[j];

            y[j] = s * x[j] + c * f;
            x[j] = c * x[j] - s * f;
        }
    }
}

/* sqrt(a^2 + b^2), no overflow; libm's differs from CPU to CPU. */
static double
length(double a, double b)
{
    double big = fmax(fabs(a), fabs(b)), small = fmin(fabs(a), fabs(b));

    return big == 0 ? 0 : big * sqrt(1 + small / big * (small / big));
}

/* One sweep over the unreduced block l..m. */
static void
sweep(struct eigen *g, size_t l, size_t m)
{
    double *d = g->d, *e = g->e;
    double gap = (d[l + 1] - d[l]) / (2 * e[l]), r = length(gap, 1);
    double shift = d[m] - d[l] + e[l] / (gap + copysign(r, gap));
    double s = 1, c = 1, p = 0;

    g->to = m;
    g->from = l;
    for (size_t i = m; i-- > l;) {
        double f = s * e[i], b = c * e[i], t;

        e[i + 1] = r = length(f, shift);
        if (r == 0) { /* the block falls apart here */
            d[i + 1] -= p;
            g->from = i + 1;
            break;
        }
        s = f / r;
        c = shift / r;
        t = d[i + 1] - p;
        r = (d[i] - t) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = t + p;
        shift = c * r - b;
        g->c[i] = c;
        g->s[i] = s;
    }
    e[m] = 0;
    if (g->from == l) {
        d[l] -= p;
        e[l] = shift;
    }
    pool_for(g->pool, g->n, BLOCK, turn_chunk, g);
}

static bool
diagonalise(struct eigen *g, struct progress *progress, struct error *err)
{
    double *d = g->d, *e = g->e;

    for (size_t i = 1; i < g->n; i++)
        e[i - 1] = e[i];
    e[g->n - 1] = 0;
    for (size_t l = 0; l < g->n; l++)
        for (unsigned turn = 0;; turn++) {
            size_t m = l;

            while (m + 1 < g->n &&
                   fabs(e[m]) > DBL_EPSILON * (fabs(d[m]) + fabs(d[m + 1])))
                m++;
            if (m == l)
                break;
            if (turn == MAX_SWEEPS)
                return error_set(err, ERR_RANGE,
                                 "the eigenvalues do not converge");
            if (stopped(progress, err))
                return false;
            sweep(g, l, m);
        }
    return true;
}

/* ---- in order ---- */

struct ranked {
    double value;
    size_t at;
};

static int
by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    return x->value != y->value ? (x->value < y->value ? 1 : -1)
                                : (x->at > y->at) - (x->at < y->at);
}

void
eigen_turn(double *v, size_t n)
{
    size_t most = 0;

    for (size_t j = 1; j < n; j++)
        if (fabs(v[j]) > fabs(v[most]))
            most = j;
    if (n == 0 || v[most] >= 0)
        return;
    for (size_t j = 0; j < n; j++)
        v[j] = -v[j];
}

static bool
put_in_order(struct eigen *g, double *value, struct error *err)
{
    struct ranked *rank = mem_try_array(g->n, sizeof *rank, err);

    if (!rank)
        return false;
    for (size_t i = 0; i < g->n; i++)
        rank[i] = (struct ranked){g->d[i], i};
    qsort(rank, g->n, sizeof *rank, by_value);
    for (size_t i = 0; i < g->n; i++) {
        value[i] = rank[i].value;
        memcpy(g->a + i * g->n, g->z + rank[i].at * g->n, g->n * sizeof *g->a);
        eigen_turn(g->a + i * g->n, g->n);
    }
    free(rank);
    return true;
}

bool
eigen_symmetric(double *a, size_t n, double *value, struct pool *pool,
                struct progress *progress, struct error *err)
{
    struct eigen g = {.n = n, .a = a, .pool = pool};
    size_t cells;
    bool ok = false;

    if (n == 0)
        return true;
    if (mem_mul(n, n, &cells) &&
        (g.z = mem_try_array(cells, sizeof *g.z, err)) &&
        (g.d = mem_try_array(7 * n, sizeof *g.d, err))) {
        g.e = g.d + n;
        g.tau = g.e + n;
        g.v = g.tau + n;
        g.w = g.v + n;
        g.c = g.w + n;
        g.s = g.c + n;
        ok = tridiagonalise(&g, progress, err) &&
             diagonalise(&g, progress, err) && put_in_order(&g, value, err);
    }
    free(g.z);
    free(g.d);
    return ok;
}

/* ---- Cholesky ---- */

bool
cholesky(double *a, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        double *row = a + j * n, own = row[j], left;

        for (size_t k = 0; k < j; k++)
            row[k] = (row[k] - dense_dot(row, a + k * n, k)) / a[k * n + k];
        left = own - dense_dot(row, row, j);
        if (!(left > 1e-13 * own))
            return false;
        row[j] = sqrt(left);
    }
    return true;
}

void
cholesky_solve(const double *l, size_t n, double *x)
{
    for (size_t j = 0; j < n; j++)
        x[j] = (x[j] - dense_dot(l + j * n, x, j)) / l[j * n + j];
    for (size_t j = n; j-- > 0;) {
        x[j] /= l[j * n + j];
        for (size_t k = 0; k < j; k++)
            x[k] -= l[j * n + k] * x[j];
    }
}
