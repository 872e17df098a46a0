/* engine/family.h -- the table of model families: the one place that knows
 * all wings.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_FAMILY_H
#define LATHE_ENGINE_FAMILY_H

#include "engine/model.h"

/* NULL: none.  Also finds what is opened but not learnt, whose fit is NULL and
 * which is not in the table. */
const struct family *family_find(const char *name);
/* As family_find with an error that lists the names. */
const struct family *family_need(const char *name, struct error *err);
const struct family *const *family_table(size_t *n);
#endif
