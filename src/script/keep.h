/* script/keep.h -- outputs of cells on disk: .lathe/outputs/NOTEBOOK/KEY.json.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_KEEP_H
#define LATHE_SCRIPT_KEEP_H

#include "script/notebook.h"

struct keep; /* what is to be written: a copy, for any thread */

struct keep *keep_new(const char *lathe_dir, const char *notebook,
                      const char *key, const struct cell *c);
bool keep_write(struct keep *k, struct error *err) MUST_USE;
void keep_free(struct keep *k);
/* Fills state, order, times, error and outputs; false when there are none. */
bool keep_load(const char *lathe_dir, const char *notebook, const char *key,
               struct cell *c);
#endif
