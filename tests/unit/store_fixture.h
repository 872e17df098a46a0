/* tests/unit/store_fixture.h -- a store in a folder of its own, per group.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_TESTS_STORE_FIXTURE_H
#define LATHE_TESTS_STORE_FIXTURE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"
#include "tests/lib/close.h"

static struct pool *pool;
static struct store *store;
static char project[64], lathe_dir[80];
static struct error err;

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int
remove_tree(const char *path)
{
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
open_store(void **state)
{
    (void)state;
    strcpy(project, "/tmp/lathe-store.XXXXXX");
    if (!mkdtemp(project))
        return -1;
    char *real = realpath(project, NULL); /* /tmp may be a link */

    snprintf(project, sizeof project, "%s", real);
    free(real);
    snprintf(lathe_dir, sizeof lathe_dir, "%s/.lathe", project);
    pool = pool_new(1);
    store = store_open(lathe_dir, true, pool, &err);
    return store ? 0 : -1;
}

static int
close_store(void **state)
{
    (void)state;
    store_close(store);
    pool_free(pool);
    return remove_tree(project);
}
#endif
