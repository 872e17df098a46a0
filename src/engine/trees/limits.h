/* engine/trees/limits.h -- what trees are held to, as a user writes it.
 *
 *   monotone  "age+,debt-": with age the answer never falls, with debt it
 *             never rises
 *   interact  "age,income;income,debt": on a way from the root there are
 *             columns of one group, or one column only
 *
 * Blanks around names do not count.
 *
 * Threads: immutable once read.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_LIMITS_H
#define LATHE_ENGINE_TREES_LIMITS_H

#include "engine/encode.h"
#include "engine/trees/grow.h"

struct limits {
    int8_t *trend;   /* by column, or NULL */
    uint64_t *group; /* n_groups sets of columns */
    size_t n_groups;
};

/* The texts may be NULL.  ERR_RANGE for a name that is no column of d, a
 * category with a trend, a group that is empty; ERR_NOMEM. */
bool
limits_read(const struct design *d, const char *monotone, const char *interact,
            struct limits *out, struct error *err) MUST_USE;
void limits_fini(struct limits *l);
#endif
