/* base/cgroup.h -- the limits a container or a batch system sets (version 2).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_CGROUP_H
#define LATHE_BASE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"

/* Our group's folder below /sys/fs/cgroup, then its parents up to the root
 * (""); none where there are no such groups. */
void cgroup_walk(void (*fn)(void *ctx, const char *folder), void *ctx);
/* A file of such a folder for reading, or NULL; the caller closes it. */
FILE *cgroup_open(const char *folder, const char *file);
/* Its number, or the one behind `key` in a file of keys and numbers.  False
 * where there is none: "max". */
bool cgroup_number(const char *folder, const char *file, const char *key,
                   uint64_t *out) MUST_USE;
#endif
