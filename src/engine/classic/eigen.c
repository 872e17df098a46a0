/* engine/classic/eigen.c -- symmetric eigenvalues, Cholesky.
 *
 * The QL iteration turns the tridiagonal form into a diagonal; where most vectors
 * are wanted the same rotations turn the rows of z, which begin as the identity.
 * Vectors are rows throughout, so that each rotation works on two rows that lie
 * in memory one after the other: the rotations of a sweep are collected and
 * applied to column blocks of z on all threads.  A few vectors come by inverse
 * iteration, which costs a hundredth of that.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/eigen.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/panels.h"
#include "engine/classic/tridiagonal.h"

enum {
    MAX_SWEEPS = 60, /* for each eigenvalue */
    BLOCK = 64,      /* columns of z that a thread turns */
    FEW = 4          /* inverse iteration up to n / FEW vectors */
};

struct eigen {
    struct tridiagonal t;
    size_t *rank;  /* n: which place of the diagonal has the largest value */
    double *value; /* n: they fall */
    struct pool *pool;
    struct progress *progress;
};

struct turning {
    size_t n;
    double *d, *e;   /* n: diagonal, and what is beside it */
    double *z;       /* (n, n): vectors, one a row, or NULL */
    double *c, *s;   /* n: rotations of a sweep */
    size_t from, to; /* they turn rows i and i + 1, i = to - 1 down to from */
};

/* ---- to a diagonal ---- */

static void
turn_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct turning *g = ctx;

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
sweep(struct turning *g, size_t l, size_t m, struct pool *pool)
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
    if (g->z)
        pool_for(pool, g->n, BLOCK, turn_chunk, g);
}

static bool
diagonalise(struct turning *g, struct pool *pool, struct progress *progress,
            struct error *err)
{
    double *d = g->d, *e = g->e;

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
            if (progress && !progress_check(progress, err))
                return false;
            sweep(g, l, m, pool);
        }
    return true;
}

/* The diagonal that t turns into, its vectors of the tridiagonal matrix in z
 * where that is not NULL. */
static bool
turn(const struct eigen *g, double *d, double *z, struct error *err)
{
    size_t n = g->t.n;
    struct turning turning = {.n = n, .d = d, .z = z};
    bool ok = dense_try(&turning.e, 3, n, err);

    if (ok) {
        turning.c = turning.e + n;
        turning.s = turning.c + n;
        memcpy(d, g->t.d, n * sizeof *d);
        memcpy(turning.e, g->t.e, n * sizeof *d);
        turning.e[n - 1] = 0;
        ok = diagonalise(&turning, g->pool, g->progress, err);
    }
    free(turning.e);
    return ok;
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
put_in_order(struct eigen *g, const double *d, struct error *err)
{
    size_t n = g->t.n;
    struct ranked *rank = mem_try_array(n, sizeof *rank, err);

    if (!rank)
        return false;
    for (size_t i = 0; i < n; i++)
        rank[i] = (struct ranked){d[i], i};
    qsort(rank, n, sizeof *rank, by_value);
    for (size_t i = 0; i < n; i++) {
        g->value[i] = rank[i].value;
        g->rank[i] = rank[i].at;
    }
    free(rank);
    return true;
}

/* ---- what is asked for ---- */

struct eigen *
eigen_new(double *a, size_t n, struct pool *pool, struct progress *progress,
          struct error *err)
{
    struct eigen *g = mem_try_array(1, sizeof *g, err);
    double *d = NULL;
    bool ok = g && (g->rank = mem_try_array(n, sizeof *g->rank, err)) &&
              dense_try(&g->value, n, 1, err) && dense_try(&d, n, 1, err) &&
              tridiagonal_make(&g->t, a, n, pool, progress, err);

    if (ok) {
        g->pool = pool;
        g->progress = progress;
        ok = turn(g, d, NULL, err) && put_in_order(g, d, err);
    }
    free(d);
    if (ok)
        return g;
    eigen_free(g);
    return NULL;
}

const double *
eigen_values(const struct eigen *g)
{
    return g->value;
}

/* All vectors, of which the first k are kept. */
static bool
vectors_by_turning(const struct eigen *g, size_t k, double *out,
                   struct error *err)
{
    size_t n = g->t.n;
    double *d = NULL, *z = NULL;
    bool ok = dense_try(&d, n, 1, err) && dense_try(&z, n, n, err);

    for (size_t i = 0; i < n && ok; i++)
        z[i * n + i] = 1;
    ok = ok && turn(g, d, z, err);
    for (size_t c = 0; c < k && ok; c++)
        memcpy(out + c * n, z + g->rank[c] * n, n * sizeof *out);
    free(d);
    free(z);
    return ok;
}

bool
eigen_vectors(const struct eigen *g, size_t k, double *out, struct error *err)
{
    size_t n = g->t.n;
    bool few = k <= n / FEW &&
               tridiagonal_vectors(&g->t, g->value, k, out, g->progress);

    if (g->progress && !progress_check(g->progress, err))
        return false;
    if (!few && !vectors_by_turning(g, k, out, err))
        return false;
    tridiagonal_back(&g->t, out, k, g->pool, g->progress);
    for (size_t c = 0; c < k; c++)
        eigen_turn(out + c * n, n);
    return !g->progress || progress_check(g->progress, err);
}

void
eigen_free(struct eigen *g)
{
    if (!g)
        return;
    tridiagonal_fini(&g->t);
    free(g->rank);
    free(g->value);
    free(g);
}

bool
eigen_symmetric(double *a, size_t n, double *value, struct pool *pool,
                struct progress *progress, struct error *err)
{
    struct eigen *g = NULL;
    double *z = NULL;
    bool ok = n == 0 || (dense_try(&z, n, n, err) &&
                         (g = eigen_new(a, n, pool, progress, err)) &&
                         eigen_vectors(g, n, z, err));

    if (ok && n > 0) {
        memcpy(value, g->value, n * sizeof *value);
        memcpy(a, z, n * n * sizeof *a);
    }
    eigen_free(g);
    free(z);
    return ok;
}

/* ---- Cholesky ---- */

bool
cholesky(double *a, size_t n, const struct progress *progress)
{
    for (size_t j = 0; j < n; j++) {
        double *row = a + j * n, own = row[j], left;

        if (progress_stopped(progress))
            return false;
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
