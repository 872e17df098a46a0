/* engine/metric_silhouette.c -- how well rows lie in their clusters.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/metric_silhouette.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"

enum {
    GRAIN = 64,
    RESAMPLES = 1000,
    STREAM_ROWS = 0x73696c68,
    STREAM_BOOT = 0x73696c62
};

struct measuring {
    const struct labelled *of;
    const uint32_t *row; /* n of them */
    size_t n;
    const size_t *size;  /* rows of each cluster among them */
    double *value, *sum; /* n; n_labels a chunk */
    const struct progress *progress;
};

static double
distance(const double *a, const double *b, size_t d)
{
    double sum = 0;

    for (size_t j = 0; j < d; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sqrt(sum);
}

static double
row_value(const struct measuring *m, size_t i, double *sum)
{
    const struct labelled *of = m->of;
    const double *x = of->x + m->row[i] * of->d;
    uint32_t own = of->label[m->row[i]];
    double a, b = HUGE_VAL;

    if (m->size[own] < 2)
        return 0;
    memset(sum, 0, of->n_labels * sizeof *sum);
    for (size_t j = 0; j < m->n; j++)
        sum[of->label[m->row[j]]] +=
            distance(x, of->x + m->row[j] * of->d, of->d);
    a = sum[own] / (double)(m->size[own] - 1);
    for (size_t k = 0; k < of->n_labels; k++)
        if (k != own && m->size[k] > 0)
            b = fmin(b, sum[k] / (double)m->size[k]);
    return fmax(a, b) > 0 ? (b - a) / fmax(a, b) : 0;
}

static void
measure_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct measuring *m = ctx;

    for (size_t i = begin; i < end && !progress_stopped(m->progress); i++)
        m->value[i] = row_value(m, i, m->sum + chunk * m->of->n_labels);
}

static bool
interval(const double *value, uint64_t seed, struct silhouette *out,
         struct error *err)
{
    double *mean = mem_try_array(RESAMPLES, sizeof *mean, err);

    if (!mean)
        return false;
    for (size_t r = 0; r < RESAMPLES; r++) {
        for (size_t i = 0; i < out->n; i++)
            mean[r] += value[rng_below(seed ^ STREAM_BOOT, r, i, out->n)];
        mean[r] /= (double)out->n;
    }
    qsort(mean, RESAMPLES, sizeof *mean, sort_rising);
    out->low = mean[RESAMPLES / 40];
    out->high = mean[RESAMPLES - 1 - RESAMPLES / 40];
    free(mean);
    return true;
}

/* The rows that are measured, and how many of each cluster. */
static bool
choose_rows(const struct labelled *of, uint64_t seed, uint32_t *row, size_t m,
            size_t *size, struct error *err)
{
    size_t clusters = 0;

    for (size_t i = 0; i < of->n; i++)
        row[i] = (uint32_t)i;
    if (m < of->n)
        rng_shuffle(seed, STREAM_ROWS, row, of->n);
    for (size_t i = 0; i < m; i++)
        size[of->label[row[i]]]++;
    for (size_t k = 0; k < of->n_labels; k++)
        clusters += size[k] > 0;
    return (clusters >= 2 && clusters < m) ||
           error_set(err, ERR_RANGE,
                     "%zu clusters of %zu rows, expected 2 or more, and fewer "
                     "than rows",
                     clusters, m);
}

bool
metric_silhouette(const struct labelled *rows, uint64_t seed, struct pool *pool,
                  const struct progress *progress, struct silhouette *out,
                  struct error *err)
{
    size_t m = rows->n > SILHOUETTE_ROWS ? SILHOUETTE_ROWS : rows->n;
    uint32_t *row = mem_try_array(rows->n, sizeof *row, err);
    size_t *size = mem_try_array(rows->n_labels, sizeof *size, err);
    double *value = mem_try_array(m, sizeof *value, err);
    double *sum =
        mem_try_array(pool_chunks(m, GRAIN) * rows->n_labels, sizeof *sum, err);
    struct measuring g = {rows, row, m, size, value, sum, progress};
    bool ok = row && size && value && sum &&
              choose_rows(rows, seed, row, m, size, err);

    if (ok) {
        pool_for(pool, m, GRAIN, measure_chunk, &g);
        ok = progress_check(progress, err);
    }
    if (ok) {
        *out = (struct silhouette){.n = m};
        for (size_t i = 0; i < m; i++)
            out->value += value[i] / (double)m;
        ok = interval(value, seed, out, err);
    }
    free(row);
    free(size);
    free(value);
    free(sum);
    return ok;
}
