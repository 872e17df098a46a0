/* engine/classic/kmeans.h -- clusters around k centres.
 *
 * Lloyd's algorithm from k-means++ seeds, with bounds that leave out most
 * distances once the centres are nearly at rest; the best of several starts.
 * An answer is the nearest centre, counted from 1, and the distance to it, in
 * units of the scaled columns.
 *
 * k unset: the k of 2..k_max with the best silhouette, or at the elbow.
 * A cluster that has lost its rows takes the row farthest from its centre, as
 * scikit-learn does.  Rows that are equal to a given k < k distinct ones leave
 * clusters empty; those are dropped.
 *
 * Sources: Arthur & Vassilvitskii, "k-means++", SODA 2007 (greedy, with 2 + log
 *          k candidates); Hamerly, "Making k-means even faster", SDM 2010 (the
 *          bounds); Rousseeuw, J. Comp. Appl. Math. 20, 1987 (silhouettes).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_KMEANS_H
#define LATHE_ENGINE_CLASSIC_KMEANS_H

#include "engine/model.h"

extern const struct family kmeans_family;

/* The centres of a fitted learner, (k, p), borrowed. */
const double *kmeans_centres(const void *learner, size_t *k);
#endif
