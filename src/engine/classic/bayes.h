/* engine/classic/bayes.h -- naive Bayes: each column on its own, given the
 * class.
 *
 * Numbers are normal in each class; the variance is that of the class's rows
 * plus var_smoothing times the largest variance of a column.  Texts have in
 * each class their share of the rows, `alpha` rows of each level being added.
 * A missing value, and a level that was not seen, says nothing of the class.
 *
 * Equal to scikit-learn's GaussianNB on numbers and to its CategoricalNB on
 * texts.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_BAYES_H
#define LATHE_ENGINE_CLASSIC_BAYES_H

#include "engine/model.h"

extern const struct family naive_bayes_family;

/* A fitted learner, borrowed.  Of column j, part[at[j]..]: of a number mean,
 * precision and offset of each of the k classes, of which the answer is offset -
 * precision (x - mean)^2; of a category the log share of each of its levels[j]
 * in each class.  What is missing or unknown adds nothing to the prior. */
struct bayes_parts {
    size_t p, k;
    const double *prior, *part; /* logarithms */
    const size_t *at;
    const uint32_t *levels; /* 0: a number */
};
struct bayes_parts bayes_parts(const void *learner);
#endif
