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
#endif
