/* engine/classic/als_solve.c -- ratings, and one side of them solved for.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/als_solve.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/eigen.h"
#include "engine/classic/gram.h"
#include "engine/classic/panels.h"

enum {
    MAX_CHUNKS = 64,
    MIN_CHUNK = 16,    /* users or items */
    TILE = 64,         /* ratings whose factors lie side by side */
    STRETCH = 1 << 20, /* ratings between looks whether to stop */
    OTHERS = 256,      /* rows of factors that stay in cache */
    SHARED_ROWS = 8,   /* of the shared matrix */
    TERMS = 1 << 16,   /* of the loss, found at once */
    LOSS_USERS = 64
};

/* ---- ratings ---- */

bool
ratings_init(struct ratings *r, size_t n, size_t n_ratings, struct error *err)
{
    *r = (struct ratings){.n = n};
    return (r->first = mem_try_array(n + 1, sizeof *r->first, err)) &&
           (r->other = mem_try_array(n_ratings, sizeof *r->other, err)) &&
           (r->value = mem_try_array(n_ratings, sizeof *r->value, err));
}

void
ratings_fini(struct ratings *r)
{
    free(r->first);
    free(r->other);
    free(r->value);
    *r = (struct ratings){0};
}

/* first[] holds counts one place further on: make them places. */
static void
places(struct ratings *r)
{
    for (size_t i = 0; i < r->n; i++)
        r->first[i + 1] += r->first[i];
}

/* first[] was moved on by filling: back. */
static void
places_back(struct ratings *r)
{
    memmove(r->first + 1, r->first, r->n * sizeof *r->first);
    r->first[0] = 0;
}

/* The end of a stretch of n ratings from `at` on, behind which it is time to
 * look; or `at` where the work is stopped. */
static size_t
stretch_end(size_t at, size_t n, const struct progress *stop)
{
    if (progress_stopped(stop))
        return at;
    return n - at < STRETCH ? n : at + STRETCH;
}

/* How many there are of each. */
static void
count(struct ratings *r, const uint32_t *who, size_t n,
      const struct progress *stop)
{
    memset(r->first, 0, (r->n + 1) * sizeof *r->first);
    for (size_t i = 0, end; (end = stretch_end(i, n, stop)) > i;)
        for (; i < end; i++)
            r->first[who[i] + 1]++;
}

void
ratings_sort(struct ratings *r, const struct rated *list,
             const struct progress *stop)
{
    count(r, list->own, list->n, stop);
    places(r);
    for (size_t i = 0, end; (end = stretch_end(i, list->n, stop)) > i;)
        for (; i < end; i++) {
            size_t at = (size_t)r->first[list->own[i]]++;

            r->other[at] = list->other[i];
            r->value[at] = list->value[i];
        }
    places_back(r);
}

void
ratings_turn(struct ratings *to, const struct ratings *from,
             const struct progress *stop)
{
    size_t n = (size_t)from->first[from->n], own = 0;

    count(to, from->other, n, stop);
    places(to);
    for (size_t k = 0, end; (end = stretch_end(k, n, stop)) > k;)
        for (; k < end; k++) {
            size_t at = (size_t)to->first[from->other[k]]++;

            while (k >= from->first[own + 1])
                own++;
            to->other[at] = (uint32_t)own;
            to->value[at] = from->value[k];
        }
    places_back(to);
}

void
ratings_merge(struct ratings *r, uint64_t *last, const struct progress *stop)
{
    size_t to = 0, from = 0;

    for (size_t i = 0; i < r->n && !progress_stopped(stop); i++) {
        size_t begin = to, end = (size_t)r->first[i + 1];

        for (; from < end; from++) {
            uint64_t *place = &last[r->other[from]]; /* counted from 1 */

            if (*place > begin) {
                r->value[*place - 1] += r->value[from];
                continue;
            }
            r->other[to] = r->other[from];
            r->value[to++] = r->value[from];
            *place = to;
        }
        r->first[i + 1] = to;
    }
}

/* ---- a side ---- */

/* Of each chunk: the matrix, the right side, two tiles of factors. */
static size_t
room_each(size_t f)
{
    size_t q = f + 1;

    return q * q + q + 2 * TILE * q;
}

static size_t
grain_of(size_t n)
{
    size_t grain = (n + MAX_CHUNKS - 1) / MAX_CHUNKS;

    return grain < MIN_CHUNK ? MIN_CHUNK : grain;
}

/* Behind the chunks' stands the matrix that all share where implicit. */
size_t
als_room(size_t n, size_t f)
{
    return (pool_chunks(n, grain_of(n)) + 1) * room_each(f);
}

static double *
shared_matrix(const struct als_side *s)
{
    return s->room +
           pool_chunks(s->by->n, grain_of(s->by->n)) * room_each(s->f);
}

/* The sums of one user or item. */
struct sums {
    double *a, *b;    /* the matrix, the right side */
    double *tile, *y; /* TILE rows each */
};

/* a += z' z and b += z' r over the ratings of one, z being the others' factors
 * with 1 behind them.  False when the work is stopped. */
static bool
explicit_sums(const struct als_side *s, size_t i, const struct sums *to)
{
    size_t q = s->f + 1, end = (size_t)s->by->first[i + 1], n = 0;

    for (size_t k = (size_t)s->by->first[i]; k < end; k++) {
        const double *v = s->other + s->by->other[k] * q;
        double *z = to->tile + n * q, r = s->by->value[k] - s->mean - v[s->f];

        memcpy(z, v, s->f * sizeof *z);
        z[s->f] = 1;
        for (size_t j = 0; j < q; j++)
            to->b[j] += z[j] * r;
        if (++n < TILE)
            continue;
        gram_add(to->tile, n, q, to->a);
        n = 0;
        if (progress_stopped(s->progress))
            return false;
    }
    gram_add(to->tile, n, q, to->a);
    return true;
}

static void
explicit_one(const struct als_side *s, size_t i, const struct sums *to)
{
    size_t q = s->f + 1;
    double rows = (double)(s->by->first[i + 1] - s->by->first[i]);
    double *a = to->a, *b = to->b;

    memset(a, 0, q * q * sizeof *a);
    memset(b, 0, q * sizeof *b);
    if (!explicit_sums(s, i, to))
        return;
    for (size_t j = 0; j < q; j++)
        a[j * q + j] += s->lambda * rows;
    gram_mirror(a, q);
    if (rows > 0 && cholesky(a, q, NULL)) {
        cholesky_solve(a, q, b);
        memcpy(s->own + i * q, b, q * sizeof *b);
    }
}

static void
implicit_tile(const struct als_side *s, const struct sums *to, size_t n)
{
    gram_add_rows(&(struct gram_product){to->tile, to->y, n, s->f, s->f, to->a},
                  0, s->f);
}

/* a += v'(c - 1) v, b += v' c p: those without a count are in v'v.  False when
 * the work is stopped. */
static bool
implicit_sums(const struct als_side *s, size_t i, const struct sums *to)
{
    size_t f = s->f, end = (size_t)s->by->first[i + 1], n = 0;

    for (size_t k = (size_t)s->by->first[i]; k < end; k++) {
        const double *v = s->other + s->by->other[k] * (f + 1);
        double *t = to->tile + n * f, *y = to->y + n * f;
        double more = s->alpha * s->by->value[k];

        memcpy(y, v, f * sizeof *y);
        for (size_t j = 0; j < f; j++) {
            t[j] = more * v[j];
            to->b[j] += s->by->value[k] > 0 ? v[j] + t[j] : 0;
        }
        if (++n < TILE)
            continue;
        implicit_tile(s, to, n);
        n = 0;
        if (progress_stopped(s->progress))
            return false;
    }
    implicit_tile(s, to, n);
    return true;
}

/* (v'v + v'(c - 1) v + lambda) x = v' c p */
static void
implicit_one(const struct als_side *s, size_t i, const struct sums *to)
{
    size_t f = s->f;
    double *a = to->a, *b = to->b;

    memcpy(a, shared_matrix(s), f * f * sizeof *a);
    memset(b, 0, f * sizeof *b);
    if (!implicit_sums(s, i, to))
        return;
    for (size_t j = 0; j < f; j++)
        a[j * f + j] += s->lambda;
    gram_mirror(a, f);
    if (cholesky(a, f, NULL)) {
        cholesky_solve(a, f, b);
        memcpy(s->own + i * (f + 1), b, f * sizeof *b);
    }
}

static void
solve_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct als_side *s = ctx;
    size_t q = s->f + 1;
    double *a = s->room + chunk * room_each(s->f), *b = a + q * q;
    const struct sums to = {a, b, b + q, b + q + TILE * q};

    for (size_t i = begin; i < end; i++) {
        if (progress_stopped(s->progress))
            return;
        if (s->implicit)
            implicit_one(s, i, &to);
        else
            explicit_one(s, i, &to);
    }
}

/* Some rows of v'v; of the others so many at a time as stay in cache. */
static void
shared_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct als_side *s = ctx;
    size_t q = s->f + 1;

    (void)chunk;
    for (size_t i = 0; i < s->n_other; i += OTHERS) {
        size_t n = s->n_other - i < OTHERS ? s->n_other - i : OTHERS;
        const double *v = s->other + i * q;

        if (progress_stopped(s->progress))
            return;
        gram_add_rows(
            &(struct gram_product){v, v, n, s->f, q, shared_matrix(s)}, begin,
            end);
    }
}

static void
shared_make(const struct als_side *s)
{
    memset(shared_matrix(s), 0, s->f * s->f * sizeof(double));
    pool_for(s->pool, s->f, SHARED_ROWS, shared_chunk, (void *)(uintptr_t)s);
}

void
als_solve(const struct als_side *s)
{
    if (s->implicit)
        shared_make(s);
    pool_for(s->pool, s->by->n, grain_of(s->by->n), solve_chunk,
             (void *)(uintptr_t)s);
}

/* ---- the loss ---- */

/* The terms of some users, found by all threads, are added up in their order:
 * of each user those of his own, then one a rating. */
struct losing {
    const struct als_side *s;
    size_t first, end; /* users */
    double *term;
};

static double
squares(const double *x, size_t n)
{
    return dense_dot(x, x, n);
}

static size_t
own_terms(const struct als_side *s)
{
    return s->implicit ? s->f + 1 : 0;
}

/* Of users first..i - 1. */
static size_t
terms_before(const struct losing *l, size_t i)
{
    const struct als_side *s = l->s;

    return (i - l->first) * own_terms(s) +
           (size_t)(s->by->first[i] - s->by->first[l->first]);
}

static void
explicit_terms(const struct als_side *s, size_t i, double *term)
{
    size_t q = s->f + 1;
    const double *u = s->own + i * q;
    double own = squares(u, q);

    for (size_t k = (size_t)s->by->first[i]; k < s->by->first[i + 1]; k++) {
        const double *v = s->other + s->by->other[k] * q;
        double e = s->by->value[k] - s->mean - u[s->f] - v[s->f] -
                   dense_dot(u, v, s->f);

        *term++ = e * e + s->lambda * (own + squares(v, q));
    }
}

/* All pairs as if nothing was done, then what those that were done change. */
static void
implicit_terms(const struct als_side *s, size_t i, double *term)
{
    size_t f = s->f, q = f + 1;
    const double *a = shared_matrix(s), *u = s->own + i * q;

    for (size_t j = 0; j < f; j++)
        *term++ = u[j] * dense_dot(a + j * f, u, f);
    *term++ = s->lambda * squares(u, f);
    for (size_t k = (size_t)s->by->first[i]; k < s->by->first[i + 1]; k++) {
        double x = dense_dot(u, s->other + s->by->other[k] * q, f);
        double p = s->by->value[k] > 0;

        *term++ = (1 + s->alpha * s->by->value[k]) * (p - x) * (p - x) - x * x;
    }
}

static void
term_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct losing *l = ctx;

    (void)chunk;
    for (size_t i = l->first + begin; i < l->first + end; i++) {
        double *term = l->term + terms_before(l, i);

        if (progress_stopped(l->s->progress))
            return;
        if (l->s->implicit)
            implicit_terms(l->s, i, term);
        else
            explicit_terms(l->s, i, term);
    }
}

size_t
als_terms(const struct ratings *by_user, size_t f)
{
    size_t most = 0;

    for (size_t i = 0; i < by_user->n; i++) {
        size_t n = (size_t)(by_user->first[i + 1] - by_user->first[i]);

        most = n > most ? n : most;
    }
    return most + f + 1 > TERMS ? most + f + 1 : TERMS;
}

double
als_loss(const struct als_side *users, double *term)
{
    const struct als_side *s = users;
    struct losing l = {.s = s, .term = term};
    double sum = 0;

    if (s->implicit) {
        shared_make(s);
        gram_mirror(shared_matrix(s), s->f);
    }
    for (; l.first < s->by->n && !progress_stopped(s->progress);
         l.first = l.end) {
        for (l.end = l.first + 1;
             l.end < s->by->n && terms_before(&l, l.end + 1) <= TERMS;)
            l.end++;
        pool_for(s->pool, l.end - l.first, LOSS_USERS, term_chunk, &l);
        for (size_t i = 0; i < terms_before(&l, l.end); i++)
            sum += term[i];
    }
    for (size_t i = 0; i < s->n_other && s->implicit; i++)
        sum += s->lambda * squares(s->other + i * (s->f + 1), s->f);
    return sum;
}
