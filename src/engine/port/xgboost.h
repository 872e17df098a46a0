/* engine/port/xgboost.h -- models of XGBoost, as JSON and UBJSON.
 *
 * XGBoost compares in 32-bit floats, keeps base_score as a probability where
 * the objective has a logit, sends members of a category's set to the right,
 * and writes NaN where JSON has none.
 * Source: the format as XGBoost 1.7.4 writes it; 2.x and 3.x differ in
 *         base_score, which may be a list, and in members that are new.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_XGBOOST_H
#define LATHE_ENGINE_PORT_XGBOOST_H

#include "engine/port/portable.h"

bool xgboost_is(struct str bytes); /* by the first bytes */
/* gbtree, dart and gblinear.  ERR_PARSE, ERR_TYPE, ERR_LIMIT. */
struct portable *xgboost_read(struct str bytes, const struct progress *stop,
                              struct error *err) MUST_USE;
/* JSON that XGBoost from 1.7 on loads. */
bool xgboost_write(const struct portable *p, struct buf *out,
                   struct error *err) MUST_USE;
#endif
