/* engine/classic/linear.h -- linear and logistic regression with elastic net.
 *
 * Dense designs, column-wise coordinate descent on IRLS (logistic, softmax one
 * against the rest normalised... see linear.c) or directly (squared loss).
 * Source: Friedman, Hastie, Tibshirani, "Regularization paths for generalized
 *         linear models via coordinate descent", JSS 33(1), 2010.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_LINEAR_H
#define LATHE_ENGINE_CLASSIC_LINEAR_H

#include "engine/model.h"

extern const struct family linear_family;   /* regression */
extern const struct family logistic_family; /* binary and multiclass */

/* The weights of a fitted learner, borrowed: n_outputs rows of n_cols. */
struct linear_weights {
    size_t n_cols, n_outputs;
    const double *weight, *bias;
};
struct linear_weights linear_weights_of(const void *learner);
#endif
