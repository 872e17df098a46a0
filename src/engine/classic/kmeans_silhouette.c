/* engine/classic/kmeans_silhouette.c -- how well clusters are apart.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/classic/block.h"
#include "engine/classic/kmeans_run.h"

enum { STREAM_SAMPLE = 0x6b6d7364 };

struct pairing {
    struct silhouette *s;
    struct panels sample; /* the rows of s, in their order */
    const struct block_kernels *kernels;
    const struct pool *pool;
};

/* Distances between the rows of two panels, both ways. */
static void
pair_panels(const struct pairing *a, size_t first, size_t second)
{
    struct silhouette *s = a->s;
    size_t p = a->sample.p, m = s->m;
    double out[PANEL * PANEL];
    const struct block b = {.a = a->sample.x + first * PANEL * p,
                            .a_row = 1,
                            .a_col = PANEL,
                            .n_a = PANEL,
                            .b = a->sample.x + second * PANEL * p,
                            .b_row = PANEL,
                            .n_b = PANEL,
                            .p = p,
                            .out = out,
                            .out_row = PANEL};

    a->kernels->distance(&b);
    for (size_t i = 0; i < PANEL && first * PANEL + i < m; i++)
        for (size_t o = 0; o < PANEL && second * PANEL + o < m; o++) {
            size_t from = first * PANEL + i, to = second * PANEL + o;

            s->distance[from * m + to] = s->distance[to * m + from] =
                sqrt(out[i * PANEL + o]);
        }
}

static void
pair_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct pairing *a = ctx;
    size_t n = (a->s->m + PANEL - 1) / PANEL;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        for (size_t o = i; o < n && !pool_stopped(a->pool); o++)
            pair_panels(a, i, o);
}

/* Rows of another order side by side. */
static bool
take_rows(struct panels *to, const struct panels *from, const uint32_t *row,
          size_t m, struct error *err)
{
    *to = (struct panels){.n = m, .p = from->p};
    if (!dense_try(&to->x, (m + PANEL - 1) / PANEL * PANEL, from->p, err))
        return false;
    for (size_t i = 0; i < m; i++) {
        const double *x = from->x + panels_at(from, row[i]);
        double *out = to->x + panels_at(to, i);

        for (size_t j = 0; j < from->p; j++)
            out[j * PANEL] = x[j * PANEL];
    }
    return true;
}

bool
silhouette_init(struct silhouette *s, const struct panels *x, size_t max_k,
                uint64_t seed, struct pool *pool, struct error *err)
{
    struct pairing a = {.s = s, .kernels = block_kernels(), .pool = pool};
    uint32_t *all = mem_try_array(x->n, sizeof *all, err);
    bool ok;

    *s = (struct silhouette){.m = x->n < KMEANS_SAMPLE ? x->n : KMEANS_SAMPLE,
                             .max_k = max_k};
    if (!all)
        return false;
    for (size_t i = 0; i < x->n; i++)
        all[i] = (uint32_t)i;
    if (x->n > s->m)
        rng_shuffle(seed, STREAM_SAMPLE, all, x->n);
    s->row = all;
    ok = dense_try(&s->distance, s->m, s->m, err) &&
         dense_try(&s->sum, 2, max_k, err) &&
         take_rows(&a.sample, x, all, s->m, err) &&
         pool_try(pool, (s->m + PANEL - 1) / PANEL, 1, pair_chunk, &a, err);
    panels_fini(&a.sample);
    if (!ok)
        silhouette_fini(s);
    return ok;
}

/* (b - a) / max(a, b) of a row: a is its mean distance to its own cluster, b
 * the least mean distance to another.  0 for the only row of a cluster. */
static double
width_of(const double *sum, const double *count, size_t own, size_t k)
{
    double a, b = INFINITY;

    if (count[own] < 2)
        return 0;
    a = sum[own] / (count[own] - 1);
    for (size_t c = 0; c < k; c++)
        if (c != own && count[c] > 0)
            b = fmin(b, sum[c] / count[c]);
    return a == b || isinf(b) ? 0 : (b - a) / fmax(a, b);
}

double
silhouette_of(const struct silhouette *s, const uint32_t *label, size_t k)
{
    double *count = s->sum, total = 0;
    size_t used = 0;

    /* The first row of sum counts; the second takes one row at a time. */
    if (k < 2 || s->m < 2)
        return (double)NAN;
    memset(count, 0, k * sizeof *count);
    for (size_t i = 0; i < s->m; i++)
        count[label[s->row[i]]] += 1;
    for (size_t c = 0; c < k; c++)
        used += count[c] > 0;
    if (used < 2)
        return (double)NAN;
    for (size_t i = 0; i < s->m; i++) {
        double *sum = s->sum + s->max_k;

        memset(sum, 0, k * sizeof *sum);
        for (size_t o = 0; o < s->m; o++)
            sum[label[s->row[o]]] += s->distance[i * s->m + o];
        total += width_of(sum, count, label[s->row[i]], k);
    }
    return total / (double)s->m;
}

void
silhouette_fini(struct silhouette *s)
{
    free(s->row);
    free(s->distance);
    free(s->sum);
    *s = (struct silhouette){0};
}
