/* engine/port/imported.h -- the family of models that were learnt by other
 * programs: opened, saved, asked like any other, not learnt.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_IMPORTED_H
#define LATHE_ENGINE_PORT_IMPORTED_H

#include "engine/model.h"

extern const struct family imported_family; /* fit is NULL */

struct graph;
/* A learner; takes the reference, also when it fails.  What the numbers of the
 * last node are called where there is no target, n of them; else n is 0. */
void *imported_new(struct graph *g, const struct answer *answers, size_t n,
                   struct error *err) MUST_USE;
const struct graph *imported_graph(const void *learner);
#endif
