/* engine/port/pmml.h -- trees, regressions and clusters as PMML 4.4.
 *
 * Trees are a chain: for each output a sum of tree models, then a regression
 * over these sums, which holds what they begin with and makes the answer.
 * Missing values follow defaultChild; a level that is not known is missing.
 * Read is what lathe writes, to compare it.
 * Source: the PMML 4.4 schema and documents of the Data Mining Group.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_PMML_H
#define LATHE_ENGINE_PORT_PMML_H

#include "engine/port/portable.h"

bool pmml_is(struct str bytes); /* by the first bytes */
struct portable *pmml_read(struct str bytes, const struct progress *stop,
                           struct error *err) MUST_USE;
bool pmml_write(const struct portable *p, struct buf *out,
                struct error *err) MUST_USE;
#endif
