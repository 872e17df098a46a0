/* engine/classic/kmeans_run.h -- one clustering of rows in memory, for
 * kmeans*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_KMEANS_RUN_H
#define LATHE_ENGINE_CLASSIC_KMEANS_RUN_H

#include "base/pool.h"
#include "base/progress.h"
#include "engine/classic/panels.h"

enum {
    KMEANS_MAX_K = 10000,
    KMEANS_SAMPLE = 2048 /* rows that a silhouette is measured on */
};

struct kmeans_how {
    const struct panels *x;
    size_t k;
    unsigned max_iter, starts;
    double tolerance; /* share of the mean variance; 0: until no row moves */
    uint64_t seed;
    struct pool *pool;
    struct progress *progress;
};

struct kmeans_found {
    size_t k;        /* of those asked for, clusters with rows */
    double *centre;  /* (k, p), owned */
    double *size;    /* k, owned: rows of each */
    uint32_t *label; /* of each row, owned */
    double inertia;  /* sum of squared distances */
    unsigned turns;
};

/* The best of `starts`.  Stopped after a finished turn: what there is; before
 * it ERR_CANCELLED. */
bool kmeans_run(const struct kmeans_how *how, struct kmeans_found *out,
                struct error *err) MUST_USE;
void kmeans_found_fini(struct kmeans_found *f);

/* Distances between the rows of a sample, once for all k. */
struct silhouette {
    size_t m;
    uint32_t *row;    /* the rows */
    double *distance; /* (m, m) */
    double *sum;      /* scratch, (m, k) a time */
    size_t max_k;
};
bool
silhouette_init(struct silhouette *s, const struct panels *x, size_t max_k,
                uint64_t seed, struct pool *pool, struct error *err) MUST_USE;
/* Mean over the sample, -1..1; NaN where there is one cluster only. */
double
silhouette_of(const struct silhouette *s, const uint32_t *label, size_t k);
void silhouette_fini(struct silhouette *s);
#endif
