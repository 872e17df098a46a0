/* engine/classic/path_file.h -- a path as a table, and in a file: parts of the
 * families of path.c and linear.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_PATH_FILE_H
#define LATHE_ENGINE_CLASSIC_PATH_FILE_H

#include "engine/model.h"

extern const struct family_table path_tables[];
/* ERR_STATE for a learner without a path. */
struct frame *path_table(const void *learner, size_t which,
                         const struct prepare *prepare, struct error *err);
void path_save(const void *learner, struct st_writer *w, struct json_writer *j);
void *
path_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
          enum problem problem, size_t n_classes, struct error *err);
#endif
