/* engine/metric_silhouette.h -- how well rows lie in their clusters.
 *
 * Of a row: (b - a) / max(a, b), a the mean distance to the others of its
 * cluster and b the least mean distance to another cluster; 0 alone.  Between
 * -1 and 1; the score is the mean over rows.  Euclidean distances.
 * Source: Rousseeuw 1987.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_METRIC_SILHOUETTE_H
#define LATHE_ENGINE_METRIC_SILHOUETTE_H

#include "engine/metric.h"

enum { SILHOUETTE_ROWS = 10000 }; /* above, so many are drawn by the seed */

struct silhouette {
    double value, low, high; /* the mean, and its 95 % interval by bootstrap */
    size_t n;                /* rows it was measured on */
};
/* Rows and their clusters. */
struct labelled {
    const double *x; /* (n, d) row-major, without NaN */
    size_t n, d;
    const uint32_t *label; /* n: 0..n_labels - 1 */
    size_t n_labels;
};
/* Where n is over SILHOUETTE_ROWS a sample is measured, O(n^2 d) else.
 * ERR_RANGE: under two clusters that have rows, or as many clusters as rows.
 * ERR_CANCELLED. */
bool metric_silhouette(const struct labelled *rows, uint64_t seed,
                       struct pool *pool, const struct progress *progress,
                       struct silhouette *out, struct error *err) MUST_USE;
#endif
