/* engine/classic/isolation.h -- isolation forest: rows that few random cuts set
 * apart.
 *
 * An answer is `score`, 2^(-h / c), of the mean path length h of a row over the
 * trees and its mean c over the rows of a sample: near 1 for outliers, under
 * 0.5 for the ordinary; and `outlier`, 1 where the score is over the threshold:
 * 0.5, or what leaves `contamination` of the training rows above it.  The
 * score is scikit-learn's score_samples() with the sign turned.
 *
 * Source: Liu, Ting, Zhou, "Isolation forest", ICDM 2008.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_ISOLATION_H
#define LATHE_ENGINE_CLASSIC_ISOLATION_H

#include "engine/model.h"

extern const struct family isolation_forest_family;

/* A fitted learner, borrowed.  The nodes of tree t are first[t]..first[t + 1] -
 * 1, parents before children: a value of column[i] under cut[i] goes to node
 * child[i] of the tree, others to the one behind it; of a leaf child is 0 and
 * cut what is left of the path.  The score is 2^-(sum of the paths / mean). */
struct isolation_parts {
    size_t p, n_trees;
    const uint64_t *first;
    const double *cut, *share;
    const uint32_t *column, *child;
    double mean;      /* of the sums of paths; 0: every score is 0.5 */
    double threshold; /* outliers are over it */
};
struct isolation_parts isolation_parts(const void *learner);
#endif
