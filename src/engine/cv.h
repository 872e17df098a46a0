/* engine/cv.h -- k-fold cross-validation by seed.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CV_H
#define LATHE_ENGINE_CV_H

#include "engine/model.h"

struct cv_result {
    unsigned k;
    const struct metric *metric[METRIC_N];
    size_t n_metrics;
    double *fold; /* (k, n_metrics) */
    double mean[METRIC_N], sd[METRIC_N];
    uint8_t *row_fold;     /* of each row: the fold that it was tested in */
    struct prediction out; /* out-of-fold predictions, in row order */
};

/* All metrics of the problem on each fold, told as events "cv.NAME" with the
 * fold as step.  Stratified for classification. Early stopping inside each fold uses a part
 * of the fold's own training rows. */
bool cv_run(const struct family *family, const struct params *p,
            const struct frame *f, const char *target, unsigned k,
            const struct model_options *o, const struct train *ctx,
            struct cv_result *out, struct error *err) MUST_USE;
void cv_result_fini(struct cv_result *r);
#endif
