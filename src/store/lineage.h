/* store/lineage.h -- where a run's code stood: the commit of its project.
 *
 * Read from .git itself, so that no git need be installed and nothing runs:
 * HEAD, loose and packed references, work trees whose .git is a file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_LINEAGE_H
#define LATHE_STORE_LINEAGE_H

#include "base/error.h"

enum { LINEAGE_COMMIT = 65 }; /* up to 64 hex digits and a zero */

/* The commit that is checked out in the repository that `dir` is in.
 * ERR_NOTFOUND when there is no repository at or above it, or no commit yet;
 * ERR_PARSE when .git is not as git makes it. */
bool lineage_commit(const char *dir, char commit[LINEAGE_COMMIT],
                    struct error *err) MUST_USE;
#endif
