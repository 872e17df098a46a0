/* A project folder of the test's own, gone when it ends.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_TESTS_SCRATCH_H
#define LATHE_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_PATH = 64 };

/* Makes the folder and points LATHE_PROJECT at it. */
static inline bool
scratch_make(char dir[SCRATCH_PATH])
{
    snprintf(dir, SCRATCH_PATH, "/tmp/lathe-test.XXXXXX");
    return mkdtemp(dir) && setenv("LATHE_PROJECT", dir, 1) == 0;
}

static inline int
scratch_remove_one(const char *path, const struct stat *st, int type,
                   struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void
scratch_remove(const char *dir)
{
    if (nftw(dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        perror(dir);
}
#endif
