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
#endif
