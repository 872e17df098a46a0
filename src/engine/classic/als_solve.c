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
    MIN_CHUNK = 16, /* users or items */
    TILE = 64       /* ratings whose factors lie side by side */
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

void
ratings_sort(struct ratings *r, const uint32_t *own, const uint32_t *other,
             const double *value, size_t n)
{
    memset(r->first, 0, (r->n + 1) * sizeof *r->first);
    for (size_t i = 0; i < n; i++)
        r->first[own[i] + 1]++;
    places(r);
    for (size_t i = 0; i < n; i++) {
        size_t at = (size_t)r->first[own[i]]++;

        r->other[at] = other[i];
        r->value[at] = value[i];
    }
    places_back(r);
}

void
ratings_turn(struct ratings *to, const struct ratings *from)
{
    memset(to->first, 0, (to->n + 1) * sizeof *to->first);
    for (size_t k = 0; k < from->first[from->n]; k++)
        to->first[from->other[k] + 1]++;
    places(to);
    for (size_t i = 0; i < from->n; i++)
        for (size_t k = (size_t)from->first[i]; k < from->first[i + 1]; k++) {
            size_t at = (size_t)to->first[from->other[k]]++;

            to->other[at] = (uint32_t)i;
            to->value[at] = from->value[k];
        }
    places_back(to);
}

void
ratings_merge(struct ratings *r, uint64_t *last)
{
    size_t to = 0, from = 0;

    for (size_t i = 0; i < r->n; i++) {
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

/* Of each chunk: the matrix, the right side, a tile of factors. */
static size_t
room_each(size_t f)
{
    size_t q = f + 1;

    return q * q + q + TILE * q;
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

/* a += z' z and b += z' r over the ratings of one, z being the others' factors
 * with 1 behind them. */
static void
explicit_sums(const struct als_side *s, size_t i, double *a, double *b,
              double *tile)
{
    size_t q = s->f + 1, end = (size_t)s->by->first[i + 1], n = 0;

    for (size_t k = (size_t)s->by->first[i]; k < end; k++) {
        const double *v = s->other + s->by->other[k] * q;
        double *z = tile + n * q, r = s->by->value[k] - s->mean - v[s->f];

        memcpy(z, v, s->f * sizeof *z);
        z[s->f] = 1;
        for (size_t j = 0; j < q; j++)
            b[j] += z[j] * r;
        if (++n == TILE) {
            gram_add(tile, n, q, a);
            n = 0;
        }
    }
    gram_add(tile, n, q, a);
}

static void
explicit_one(const struct als_side *s, size_t i, double *a, double *b,
             double *tile)
{
    size_t q = s->f + 1;
    double rows = (double)(s->by->first[i + 1] - s->by->first[i]);

    memset(a, 0, q * q * sizeof *a);
    memset(b, 0, q * sizeof *b);
    explicit_sums(s, i, a, b, tile);
    for (size_t j = 0; j < q; j++)
        a[j * q + j] += s->lambda * rows;
    gram_mirror(a, q);
    if (rows > 0 && cholesky(a, q)) {
        cholesky_solve(a, q, b);
        memcpy(s->own + i * q, b, q * sizeof *b);
    }
}

/* (v'v + v'(c - 1) v + lambda) x = v' c p: those without a count are in v'v. */
static void
implicit_one(const struct als_side *s, size_t i, double *a, double *b)
{
    size_t f = s->f, q = f + 1;

    memcpy(a, shared_matrix(s), f * f * sizeof *a);
    memset(b, 0, f * sizeof *b);
    for (size_t k = (size_t)s->by->first[i]; k < s->by->first[i + 1]; k++) {
        const double *v = s->other + s->by->other[k] * q;
        double more = s->alpha * s->by->value[k];

        for (size_t j = 0; j < f; j++) {
            double t = more * v[j];

            b[j] += s->by->value[k] > 0 ? v[j] + t : 0;
            for (size_t l = j; l < f; l++)
                a[j * f + l] += t * v[l];
        }
    }
    for (size_t j = 0; j < f; j++)
        a[j * f + j] += s->lambda;
    gram_mirror(a, f);
    if (cholesky(a, f)) {
        cholesky_solve(a, f, b);
        memcpy(s->own + i * q, b, f * sizeof *b);
    }
}

static void
solve_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct als_side *s = ctx;
    size_t q = s->f + 1;
    double *a = s->room + chunk * room_each(s->f), *b = a + q * q;

    for (size_t i = begin; i < end; i++) {
        if (progress_stopped(s->progress))
            return;
        if (s->implicit)
            implicit_one(s, i, a, b);
        else
            explicit_one(s, i, a, b, b + q);
    }
}

static void
shared_make(const struct als_side *s)
{
    double *a = shared_matrix(s);
    size_t f = s->f;

    memset(a, 0, f * f * sizeof *a);
    for (size_t i = 0; i < s->n_other; i++)
        gram_add(s->other + i * (f + 1), 1, f, a);
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

static double
squares(const double *x, size_t n)
{
    return dense_dot(x, x, n);
}

static double
explicit_loss(const struct als_side *s)
{
    size_t q = s->f + 1;
    double sum = 0;

    for (size_t i = 0; i < s->by->n; i++) {
        const double *u = s->own + i * q;

        for (size_t k = (size_t)s->by->first[i]; k < s->by->first[i + 1]; k++) {
            const double *v = s->other + s->by->other[k] * q;
            double e = s->by->value[k] - s->mean - u[s->f] - v[s->f] -
                       dense_dot(u, v, s->f);

            sum += e * e + s->lambda * (squares(u, q) + squares(v, q));
        }
    }
    return sum;
}

/* All pairs as if nothing was done, then what those that were done change. */
static double
implicit_loss(const struct als_side *s)
{
    size_t f = s->f, q = f + 1;
    double *a = shared_matrix(s), sum = 0;

    shared_make(s);
    gram_mirror(a, f);
    for (size_t i = 0; i < s->by->n; i++) {
        const double *u = s->own + i * q;

        for (size_t j = 0; j < f; j++)
            sum += u[j] * dense_dot(a + j * f, u, f);
        sum += s->lambda * squares(u, f);
        for (size_t k = (size_t)s->by->first[i]; k < s->by->first[i + 1]; k++) {
            double x = dense_dot(u, s->other + s->by->other[k] * q, f);
            double p = s->by->value[k] > 0;

            sum += (1 + s->alpha * s->by->value[k]) * (p - x) * (p - x) - x * x;
        }
    }
    for (size_t i = 0; i < s->n_other; i++)
        sum += s->lambda * squares(s->other + i * q, f);
    return sum;
}

double
als_loss(const struct als_side *users)
{
    return users->implicit ? implicit_loss(users) : explicit_loss(users);
}
