/* engine/classic/kmeans_silhouette.c -- how well clusters are apart.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/classic/kmeans_run.h"

enum { STREAM_SAMPLE = 0x6b6d7364 };

struct pairing {
    struct silhouette *s;
    const struct panels *x;
};

static void
pair_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct pairing *a = ctx;
    struct silhouette *s = a->s;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const double *x = a->x->x + panels_at(a->x, s->row[i]);

        for (size_t o = 0; o < s->m; o++) {
            const double *y = a->x->x + panels_at(a->x, s->row[o]);
            double sum = 0;

            for (size_t j = 0; j < a->x->p; j++) {
                double d = x[j * PANEL] - y[j * PANEL];

                sum += d * d;
            }
            s->distance[i * s->m + o] = sqrt(sum);
        }
    }
}

bool
silhouette_init(struct silhouette *s, const struct panels *x, size_t max_k,
                uint64_t seed, struct pool *pool, struct error *err)
{
    struct pairing a = {s, x};
    uint32_t *all = mem_try_array(x->n, sizeof *all, err);

    *s = (struct silhouette){.m = x->n < KMEANS_SAMPLE ? x->n : KMEANS_SAMPLE,
                             .max_k = max_k};
    if (!all)
        return false;
    for (size_t i = 0; i < x->n; i++)
        all[i] = (uint32_t)i;
    if (x->n > s->m)
        rng_shuffle(seed, STREAM_SAMPLE, all, x->n);
    s->row = all;
    if (!dense_try(&s->distance, s->m, s->m, err) ||
        !dense_try(&s->sum, 2, max_k, err)) {
        silhouette_fini(s);
        return false;
    }
    if (pool_try(pool, s->m, 16, pair_chunk, &a, err))
        return true;
    silhouette_fini(s);
    return false;
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
