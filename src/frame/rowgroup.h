/* frame/rowgroup.h -- which rows are equal in some columns.
 *
 * Missing equals missing, NaN equals NaN, -0 equals 0.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ROWGROUP_H
#define LATHE_FRAME_ROWGROUP_H

#include "base/pool.h"
#include "base/progress.h"
#include "frame/frame.h"

struct rowgroup {
    uint32_t *group; /* of each row; numbered by first appearance */
    uint32_t *first; /* the first row of each group, ascending */
    size_t n_groups;
};

/* The caller calls rowgroup_fini, also after a failure.  With n_by = 0 all
 * rows are equal.  progress: only asked whether to stop. */
bool rowgroup_find(const struct frame *f, const size_t *by, size_t n_by,
                   struct pool *pool, const struct progress *progress,
                   struct rowgroup *out, struct error *err) MUST_USE;
void rowgroup_fini(struct rowgroup *g);
#endif
