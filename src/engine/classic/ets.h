/* engine/classic/ets.h -- series in time: exponential smoothing, and the value
 * of a season ago.
 *
 * ets: a level, perhaps a trend (additive or multiplicative, damped or not) and
 * a season (likewise), and errors that are additive or multiplicative.  Parts
 * that are not given are chosen by the corrected information criterion.
 * seasonal_naive: the value of a season ago.
 *
 * An answer to a row is the forecast of its time: one step ahead for a row that
 * was learnt from, behind the last one as many as it takes; rows without a time
 * come after the series, in order.  Intervals are normal where there is a
 * formula, else of paths that are drawn.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_ETS_H
#define LATHE_ENGINE_CLASSIC_ETS_H

#include "engine/model.h"

extern const struct family ets_family;
extern const struct family seasonal_naive_family;
#endif
