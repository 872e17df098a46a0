/* engine/classic/tridiagonal.c -- to tridiagonal form, and vectors back.
 *
 * a is brought to its form by reflections, row by row from the last, of which
 * only the lower half is worked on.  The change that a reflection makes waits
 * until the next one is known, so that one pass over the half makes it and
 * multiplies by the next: the pass is bound by memory.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/tridiagonal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/classic/block.h"
#include "engine/classic/panels.h"

enum {
    GRAIN = 64,   /* rows a chunk: each has sums of its own */
    TOGETHER = 8, /* vectors that are brought back at once */
    MAX_TURNS = 8 /* of inverse iteration for a vector */
};

struct reducing {
    size_t n, step;
    double *a;
    double *v, *w; /* n: a -= v w' + w v' is still to be done */
    double *next;  /* n: what is multiplied by, `step` long */
    double *part;  /* (chunks, n): sums */
    const struct block_kernels *kernels;
};

/* The change, and the product with next, of the rows' lower half. */
static void
pass_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct reducing *g = ctx;
    double *sum = g->part + chunk * g->n;

    memset(sum, 0, end * sizeof *sum);
    for (size_t r = begin; r < end; r++) {
        struct block_change c = {.row = g->a + r * g->n,
                                 .v = g->v,
                                 .w = g->w,
                                 .by_v = g->v[r],
                                 .by_w = g->w[r],
                                 .next = g->next,
                                 .by_next = g->next[r],
                                 .sum = sum,
                                 .n = r};
        double own = c.row[r] -= 2 * g->v[r] * g->w[r];

        sum[r] += g->kernels->change(&c) + own * g->next[r];
    }
}

/* What waits, in row i alone. */
static void
change_row(const struct reducing *g, size_t i)
{
    double *row = g->a + i * g->n;

    for (size_t j = 0; j <= i; j++)
        row[j] -= g->v[i] * g->w[j] + g->w[i] * g->v[j];
}

/* The reflection of row i that leaves of its first i entries only the last;
 * false: none is needed. */
static bool
reflection(struct reducing *g, size_t i, double *beside, double *tau)
{
    const double *row = g->a + i * g->n;
    double scale = 0, norm, alpha;

    for (size_t j = 0; j + 1 < i; j++)
        scale = fmax(scale, fabs(row[j]));
    *beside = row[i - 1];
    *tau = 0;
    if (scale == 0)
        return false;
    scale = fmax(scale, fabs(row[i - 1]));
    for (size_t j = 0; j < i; j++)
        g->next[j] = row[j] / scale;
    norm = sqrt(dense_dot(g->next, g->next, i));
    alpha = g->next[i - 1] > 0 ? -norm : norm;
    g->next[i - 1] -= alpha;
    *tau = 2 / dense_dot(g->next, g->next, i);
    *beside = alpha * scale;
    return true;
}

/* w = tau (p - (tau / 2) (p'v) v), where p = a v is what the chunks summed. */
static void
take_sums(struct reducing *g, size_t i, double tau)
{
    double share;

    memset(g->w, 0, i * sizeof *g->w);
    for (size_t c = 0; c * GRAIN < i; c++) {
        const double *sum = g->part + c * g->n;
        size_t end = (c + 1) * GRAIN < i ? (c + 1) * GRAIN : i;

        for (size_t j = 0; j < end; j++)
            g->w[j] += sum[j];
    }
    for (size_t j = 0; j < i; j++)
        g->w[j] *= tau;
    share = tau / 2 * dense_dot(g->w, g->next, i);
    for (size_t j = 0; j < i; j++)
        g->w[j] -= share * g->next[j];
}

static void
reduce_row(struct reducing *g, struct tridiagonal *t, size_t i,
           struct pool *pool)
{
    bool any;

    change_row(g, i);
    t->d[i] = g->a[i * g->n + i];
    any = reflection(g, i, &t->e[i - 1], &t->tau[i]);
    if (!any)
        memset(g->next, 0, i * sizeof *g->next);
    g->step = i;
    pool_for(pool, i, GRAIN, pass_chunk, g);
    if (any)
        take_sums(g, i, t->tau[i]);
    else
        memset(g->w, 0, i * sizeof *g->w);
    memcpy(g->v, g->next, i * sizeof *g->v);
    memcpy(g->a + i * g->n, g->next, i * sizeof *g->v);
}

bool
tridiagonal_make(struct tridiagonal *t, double *a, size_t n, struct pool *pool,
                 struct progress *progress, struct error *err)
{
    size_t chunks = pool_chunks(n, GRAIN);
    struct reducing g = {.n = n, .a = a, .kernels = block_kernels()};
    bool ok;

    *t = (struct tridiagonal){.n = n, .a = a};
    ok = dense_try(&t->d, 3, n, err) && dense_try(&g.v, 3 + chunks, n, err);
    if (ok) {
        t->e = t->d + n;
        t->tau = t->e + n;
        g.w = g.v + n;
        g.next = g.w + n;
        g.part = g.next + n;
    }
    for (size_t i = n; i-- > 1 && ok;) {
        ok = !progress || progress_check(progress, err);
        if (ok)
            reduce_row(&g, t, i, pool);
    }
    if (ok && n > 0) {
        change_row(&g, 0);
        t->d[0] = a[0];
    }
    free(g.v);
    if (!ok)
        tridiagonal_fini(t);
    return ok;
}

void
tridiagonal_fini(struct tridiagonal *t)
{
    free(t->d);
    *t = (struct tridiagonal){0};
}

/* ---- back ---- */

struct going_back {
    const struct tridiagonal *t;
    double *z;
    struct progress *progress;
};

/* z h: each row times the reflections from the first, which acts on the fewest
 * entries. */
static void
back_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct going_back *g = ctx;
    size_t n = g->t->n;

    (void)chunk;
    for (size_t i = 1; i < n; i++) {
        const double *v = g->t->a + i * n;

        if (g->t->tau[i] == 0)
            continue;
        if (progress_stopped(g->progress))
            return;
        for (size_t r = begin; r < end; r++) {
            double *row = g->z + r * n;
            double by = g->t->tau[i] * dense_dot(row, v, i);

            for (size_t j = 0; j < i; j++)
                row[j] -= by * v[j];
        }
    }
}

void
tridiagonal_back(const struct tridiagonal *t, double *z, size_t k,
                 struct pool *pool, struct progress *progress)
{
    struct going_back g = {t, z, progress};

    pool_for(pool, k, TOGETHER, back_chunk, &g);
}

/* ---- inverse iteration ---- */

/* t - value as l u with rows exchanged: u has two diagonals above its own. */
struct factors {
    size_t n;
    double *u, *u1, *u2, *l;
    unsigned char *swapped;
};

static void
factor(const struct tridiagonal *t, double value, double least,
       const struct factors *f)
{
    size_t n = t->n;

    for (size_t i = 0; i < n; i++) {
        f->u[i] = t->d[i] - value;
        f->u1[i] = i + 1 < n ? t->e[i] : 0;
        f->u2[i] = 0;
    }
    for (size_t i = 0; i + 1 < n; i++) {
        double below = t->e[i];

        f->swapped[i] = fabs(f->u[i]) < fabs(below);
        if (f->swapped[i]) {
            double above = f->u1[i];

            f->l[i] = f->u[i] / below;
            f->u[i] = below;
            f->u1[i] = f->u[i + 1];
            f->u[i + 1] = above - f->l[i] * f->u1[i];
            f->u2[i] = f->u1[i + 1];
            f->u1[i + 1] *= -f->l[i];
        } else {
            f->l[i] = f->u[i] != 0 ? below / f->u[i] : 0;
            f->u[i + 1] -= f->l[i] * f->u1[i];
        }
    }
    for (size_t i = 0; i < n; i++)
        if (fabs(f->u[i]) < least)
            f->u[i] = f->u[i] < 0 ? -least : least;
}

static void
solve(const struct factors *f, double *x)
{
    size_t n = f->n;

    for (size_t i = 0; i + 1 < n; i++) {
        double below = x[i + 1];

        if (f->swapped[i]) {
            x[i + 1] = x[i] - f->l[i] * below;
            x[i] = below;
        } else {
            x[i + 1] = below - f->l[i] * x[i];
        }
    }
    for (size_t i = n; i-- > 0;) {
        double v = x[i];

        if (i + 1 < n)
            v -= f->u1[i] * x[i + 1];
        if (i + 2 < n)
            v -= f->u2[i] * x[i + 2];
        x[i] = v / f->u[i];
    }
}

/* Length one; false where that cannot be. */
static bool
normalise(double *x, size_t n)
{
    double most = 0, size;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(x[i]));
    if (!(most > 0) || !isfinite(most))
        return false;
    for (size_t i = 0; i < n; i++)
        x[i] /= most;
    size = sqrt(dense_dot(x, x, n));
    for (size_t i = 0; i < n; i++)
        x[i] /= size;
    return true;
}

/* At right angles to the n_near rows before it; false: nothing is left. */
static bool
straighten(double *x, size_t n, size_t n_near)
{
    for (unsigned twice = 0; twice < 2; twice++) {
        for (size_t c = n_near; c > 0; c--) {
            const double *other = x - c * n;
            double by = dense_dot(x, other, n);

            for (size_t i = 0; i < n; i++)
                x[i] -= by * other[i];
        }
        if (!normalise(x, n))
            return false;
    }
    return true;
}

/* The largest entry of t x - value x. */
static double
residual(const struct tridiagonal *t, double value, const double *x)
{
    double most = 0;

    for (size_t i = 0; i < t->n; i++) {
        double v = (t->d[i] - value) * x[i];

        if (i > 0)
            v += t->e[i - 1] * x[i - 1];
        if (i + 1 < t->n)
            v += t->e[i] * x[i + 1];
        most = fmax(most, fabs(v));
    }
    return most;
}

static double
size_of(const struct tridiagonal *t)
{
    double most = 0;

    for (size_t i = 0; i < t->n; i++)
        most = fmax(most, fabs(t->d[i]) + (i > 0 ? fabs(t->e[i - 1]) : 0) +
                              (i + 1 < t->n ? fabs(t->e[i]) : 0));
    return most;
}

struct iterating {
    const struct tridiagonal *t;
    struct factors f;
    double size; /* of t */
};

/* Row c of the vectors, x; the n_near before it have values that are near. */
static bool
vector(const struct iterating *g, double value, size_t c, size_t n_near,
       double *x)
{
    size_t n = g->t->n;
    /* As far as the value itself is known. */
    double good = 2 * DBL_EPSILON * g->size * sqrt((double)n);

    factor(g->t, value, DBL_EPSILON * g->size, &g->f);
    for (size_t i = 0; i < n; i++)
        x[i] = rng_unit(c, 0, i) - 0.5;
    for (unsigned turn = 0, fine = 0; turn < MAX_TURNS; turn++) {
        solve(&g->f, x);
        if (!normalise(x, n) || !straighten(x, n, n_near))
            return false;
        fine = residual(g->t, value, x) <= good ? fine + 1 : 0;
        if (fine == 2)
            return true;
    }
    return false;
}

bool
tridiagonal_vectors(const struct tridiagonal *t, const double *value, size_t k,
                    double *out, struct progress *progress)
{
    size_t n = t->n, first = 0;
    struct error ignored;
    double *room = mem_try_array(4 * n, sizeof *room, &ignored);
    struct iterating g = {
        .t = t,
        .f = {.n = n, .u = room, .swapped = mem_try_array(n, 1, &ignored)},
        .size = size_of(t)};
    bool ok = room && g.f.swapped && g.size > 0;

    if (ok) {
        g.f.u1 = room + n;
        g.f.u2 = g.f.u1 + n;
        g.f.l = g.f.u2 + n;
    }
    for (size_t c = 0; c < k && ok; c++) {
        if (c > 0 && value[c - 1] - value[c] > 1e-3 * g.size)
            first = c;
        ok = !progress_stopped(progress) &&
             vector(&g, value[c], c, c - first, out + c * n);
    }
    free(room);
    free(g.f.swapped);
    return ok;
}
