/* frame/sketch_quantile.c -- any quantile of many keys.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/sketch_quantile.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/order.h"

bool
sketch_quantile_init(struct sketch_quantile *q, size_t width, uint64_t seed,
                     struct error *err)
{
    *q = (struct sketch_quantile){.width = width, .seed = seed};
    return (q->scratch = mem_try_array(width, sizeof *q->scratch, err));
}

void
sketch_quantile_fini(struct sketch_quantile *q)
{
    for (size_t h = 0; h < SKETCH_LEVELS; h++)
        free(q->level[h].key);
    free(q->scratch);
    *q = (struct sketch_quantile){0};
}

/* ---- one level up ---- */

static void
merge_runs(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b,
           uint64_t *out)
{
    size_t i = 0, j = 0;

    while (i < n_a && j < n_b) {
        bool left = a[i] <= b[j];

        *out++ = left ? a[i] : b[j];
        i += left;
        j += !left;
    }
    memcpy(out, a + i, (n_a - i) * sizeof *out);
    memcpy(out + (n_a - i), b + j, (n_b - j) * sizeof *out);
}

/* The keys of a level in order: its own buffer or the scratch. */
static uint64_t *
in_order(const struct sketch_quantile *q, struct sketch_level *l)
{
    if (l->mixed)
        return order_sort(l->key, q->scratch, l->n);
    if (l->run == l->n)
        return l->key;
    merge_runs(l->key, l->run, l->key + l->run, l->n - l->run, q->scratch);
    return q->scratch;
}

static bool
has_room(struct sketch_quantile *q, size_t h, size_t n, struct error *err);

/* Hands every other one of m sorted keys, an even number, from level h to the
 * next, which has room. */
static void
promote(struct sketch_quantile *q, size_t h, const uint64_t *key, size_t m)
{
    struct sketch_level *up = &q->level[h + 1];
    size_t odd = rng_at(q->seed, 0, q->coins++) & 1;

    if (up->n == 0)
        up->run = m / 2;
    else if (up->n != up->run)
        up->mixed = true;
    for (size_t i = odd; i < m; i += 2)
        up->key[up->n++] = key[i];
    q->moved += (uint64_t)1 << h;
}

static bool
empty_level(struct sketch_quantile *q, size_t h, struct error *err)
{
    struct sketch_level *l = &q->level[h];
    size_t m = l->n & ~(size_t)1;
    uint64_t *key, last;

    if (!has_room(q, h + 1, m / 2, err))
        return false;
    key = in_order(q, l);
    last = key[l->n - 1];
    promote(q, h, key, m);
    l->n -= m;
    l->run = l->n;
    l->mixed = false;
    if (l->n)
        l->key[0] = last;
    return true;
}

/* Is there, or can there be, room for n more keys on level h?  n <= width / 2,
 * so that emptying it once is enough. */
static bool
has_room(struct sketch_quantile *q, size_t h, size_t n, struct error *err)
{
    struct sketch_level *l;

    if (h >= SKETCH_LEVELS)
        return error_set(err, ERR_LIMIT, "too many values for a quantile");
    l = &q->level[h];
    if (!l->key && !(l->key = mem_try_array(q->width, sizeof *l->key, err)))
        return false;
    return l->n + n <= q->width || empty_level(q, h, err);
}

/* ---- values ---- */

bool
sketch_quantile_add_sorted(struct sketch_quantile *q, const uint64_t *key,
                           size_t n, struct error *err)
{
    struct sketch_level *l = &q->level[0];

    if (n == 0)
        return true;
    /* A full buffer need not be kept. */
    if (n == q->width && q->n >= q->width) {
        if (!has_room(q, 1, n / 2, err))
            return false;
        promote(q, 0, key, n);
        q->n += n;
        return true;
    }
    if (!l->key && !has_room(q, 0, 0, err))
        return false;
    if (l->n + n > q->width && !empty_level(q, 0, err))
        return false;
    if (l->n + n > q->width) {
        /* One key is left of an odd number, and all of the block is new. */
        if (!sketch_quantile_add(q, key[n - 1], 1, err))
            return false;
        return sketch_quantile_add_sorted(q, key, n - 1, err);
    }
    if (l->n == 0)
        l->run = n;
    else if (l->n != l->run)
        l->mixed = true;
    memcpy(l->key + l->n, key, n * sizeof *key);
    l->n += n;
    q->n += n;
    return true;
}

bool
sketch_quantile_add(struct sketch_quantile *q, uint64_t key, uint64_t weight,
                    struct error *err)
{
    for (size_t h = 0; weight >> h; h++) {
        struct sketch_level *l;

        if (!(weight >> h & 1))
            continue;
        if (!has_room(q, h, 1, err))
            return false;
        l = &q->level[h];
        l->mixed = true;
        l->key[l->n++] = key;
        q->n += (uint64_t)1 << h;
    }
    return true;
}

/* ---- what it tells ---- */

static int
by_key(const void *x, const void *y)
{
    const struct sketch_point *a = x, *b = y;

    return (a->key > b->key) - (a->key < b->key);
}

struct sketch_point *
sketch_quantile_points(const struct sketch_quantile *q, size_t *n_points,
                       struct error *err)
{
    struct sketch_point *p;
    size_t n = 0;

    for (size_t h = 0; h < SKETCH_LEVELS; h++)
        n += q->level[h].n;
    p = mem_try_array(n, sizeof *p, err);
    *n_points = n;
    n = 0;
    for (size_t h = 0; p && h < SKETCH_LEVELS; h++)
        for (size_t i = 0; i < q->level[h].n; i++)
            p[n++] =
                (struct sketch_point){q->level[h].key[i], (uint64_t)1 << h};
    if (p)
        qsort(p, n, sizeof *p, by_key);
    return p;
}

double
sketch_quantile_error(const struct sketch_quantile *q)
{
    return q->n ? (double)q->moved / (double)q->n : 0;
}
