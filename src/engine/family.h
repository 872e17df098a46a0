/* engine/family.h -- the table of model families: the one place that knows
 * all wings.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_FAMILY_H
#define LATHE_ENGINE_FAMILY_H

#include "engine/model.h"

const struct family *family_find(const char *name); /* or NULL */
/* As family_find with an error that lists the names. */
const struct family *family_need(const char *name, struct error *err);
const struct family *const *family_table(size_t *n);
#endif
