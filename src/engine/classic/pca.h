/* engine/classic/pca.h -- principal components.
 *
 * Directions of falling variance through the scaled columns, from the
 * covariance of the columns or, where there are fewer rows, from the products
 * of the rows.  A direction's largest loading is positive.  Answers are pc1,
 * pc2, ...: the rows along them.
 *
 * components unset: as many as explain `share` of the variance.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_PCA_H
#define LATHE_ENGINE_CLASSIC_PCA_H

#include "engine/model.h"

extern const struct family pca_family;

/* A fitted learner, borrowed: mean (p), loading (k, p), variance (k). */
struct pca_parts {
    size_t p, k;
    bool whiten;
    const double *mean, *loading, *variance;
};
struct pca_parts pca_parts(const void *learner);
#endif
