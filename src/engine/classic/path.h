/* engine/classic/path.h -- ridge, lasso and elastic net along their path.
 *
 * The objective is that of `linear`: mean squared error over 2 and lambda
 * (l1_ratio |w| + (1 - l1_ratio) |w|^2 / 2), over scaled columns; alpha of
 * scikit-learn's Lasso and ElasticNet is lambda, that of its Ridge rows x
 * lambda.  lambda unset: the one of a falling sequence that predicts best in
 * cross-validation, or the largest one within a standard error of it.
 *
 * Everything follows from the products of the columns, those of each fold
 * apart: the rows are gone through once.  Ridge is solved in the eigenvectors
 * of the products, so that all of its path costs what one solution does; the
 * others by coordinate descent, each from the one before, with a step of Newton's
 * in the weights that are not 0 now and then.  Of more than LINEAR_GRAM_COLS
 * columns, up to LINEAR_MAX_COLS, no such products are made: path_wide.h.
 *
 * Source: Friedman, Hastie, Tibshirani, "Regularization paths for generalized
 *         linear models via coordinate descent", JSS 33(1), 2010.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_PATH_H
#define LATHE_ENGINE_CLASSIC_PATH_H

#include "engine/model.h"

extern const struct family ridge_family;
extern const struct family lasso_family;
extern const struct family elastic_net_family;
#endif
