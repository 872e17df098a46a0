/* engine/trees/lags.h -- series in time by gradient boosting on what came
 * before.
 *
 * Each row of a series is learnt from its own past: the values of some steps
 * ago, means of the last few, where it lies in the calendar and in the season,
 * which series it is of, and columns that are known beforehand.  One model
 * learns all series.  What comes is found step by step, each answer being the
 * past of the next; or, `ahead` steps at a time, directly: trees learn each row
 * from every distance up to that, see what was known so long before, the value
 * at the same place of the last known season, and how far ahead they look.
 * Behind `ahead` steps their answers are the past of as many more.
 *
 * Trees answer no value beyond those they have seen.  A series that grows is
 * learnt by its differences to the step before, or to a season ago; which of
 * them, if any, is chosen by how the last rows, which are held out, are
 * foretold.  The errors of those rows are what intervals are drawn from.
 *
 * An answer to a row is the forecast of its time: from the true past for a row
 * that was learnt from, behind the last one from the answers before it; NaN for
 * a series that is not known.  Rows without a time come after their series, in
 * order.
 * Source: Taieb, Bontempi, Atiya, Sorjamaa, "A review and comparison of
 *         strategies for multi-step ahead time series forecasting", Expert
 *         Systems with Applications 39(8), 2012.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_LAGS_H
#define LATHE_ENGINE_TREES_LAGS_H

#include "engine/model.h"

extern const struct family gbdt_lags_family;
/* The gbdt inside, borrowed: what a row of its features is, lags first, then
 * means, tells the table "features". */
const void *lags_trees(const void *learner);
#endif
