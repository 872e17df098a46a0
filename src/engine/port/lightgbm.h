/* engine/port/lightgbm.h -- models of LightGBM, as its text.
 *
 * LightGBM compares doubles by <=, sends members of a category's set to the
 * left and what is missing to the right, and says for each split whether 0 or
 * NaN is missing.
 * Source: the text of versions v2 to v4; lathe writes v4.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_LIGHTGBM_H
#define LATHE_ENGINE_PORT_LIGHTGBM_H

#include "engine/port/portable.h"

bool lightgbm_is(struct str bytes); /* by the first line */
/* ERR_TYPE for linear leaves and objectives with several targets. */
struct portable *lightgbm_read(struct str bytes, const struct progress *stop,
                               struct error *err) MUST_USE;
bool lightgbm_write(const struct portable *p, struct buf *out,
                    struct error *err) MUST_USE;
#endif
