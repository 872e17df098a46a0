/* engine/classic/knn.h -- the k nearest rows decide.
 *
 * Distances are Euclidean over scaled columns, exact, and of equal ones the
 * earlier row is nearer, so that k-d tree and brute force give the same
 * answers.  A number is the mean of the k, a class has its share of them;
 * weights = distance counts each by 1 / distance, and where some are at
 * distance 0 those alone.
 *
 * The model holds the training rows: (columns + 2) x 8 bytes each.
 * Source:  Bentley, "Multidimensional binary search trees", CACM 18, 1975;
 *          Arya & Mount, "Algorithms for fast vector quantization", DCC 1993
 *          (distances to cells from parent to child).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_KNN_H
#define LATHE_ENGINE_CLASSIC_KNN_H

#include "engine/model.h"

extern const struct family knn_family;

/* A fitted learner, borrowed: the rows, and y of each in the same order. */
struct neighbours;
struct knn_parts {
    size_t k;
    bool by_distance;
    const struct neighbours *rows;
    const double *y;
};
struct knn_parts knn_parts(const void *learner);
#endif
