/* store/trouble.c -- see trouble.h.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/trouble.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"

char *
trouble_folder(const char *path)
{
    char *dir = mem_text(path);
    char *slash = strrchr(dir, '/');

    slash[slash == dir] = '\0';
    return dir;
}

static char *
beside(const char *path, const char *suffix)
{
    size_t n = strlen(path) + strlen(suffix) + 1;
    char *out = mem_new(n);

    snprintf(out, n, "%s%s", path, suffix);
    return out;
}

long long
trouble_size(const char *path, const char *suffix)
{
    char *file = beside(path, suffix);
    struct stat st;
    long long size = stat(file, &st) == 0 ? (long long)st.st_size : 0;

    free(file);
    return size;
}

/* With the rights that opening a file has: the effective ids'. */
static bool
may(const char *path, int how)
{
    return faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0;
}

static bool
may_write(const char *path, struct error *err)
{
    if (may(path, W_OK))
        return true;
    if (errno == EROFS)
        return error_set(err, ERR_IO,
                         "%s: the file system is read-only: mount it for "
                         "writing, or work in a copy of the project",
                         path);
    return error_set(err, ERR_IO,
                     "%s: no permission to write it: ask its owner, or work "
                     "in a copy of the project",
                     path);
}

static bool
folder_is_good(const char *dir, bool writing, struct error *err)
{
    struct stat st;

    if (stat(dir, &st) != 0)
        return error_errno(err, errno, "%s", dir);
    if (!S_ISDIR(st.st_mode))
        return error_set(err, ERR_IO,
                         "%s: is a file, expected a folder: move it away, or "
                         "name another project with LATHE_PROJECT",
                         dir);
    if (!may(dir, X_OK))
        return error_set(err, ERR_IO,
                         "%s: no permission to open this folder: ask its "
                         "owner, or name another project with LATHE_PROJECT",
                         dir);
    return !writing || may_write(dir, err);
}

static bool
file_is_good(const char *path, bool writing, struct error *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return errno == ENOENT || error_errno(err, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_IO,
                         "%s: is %s, expected lathe's database: move it away",
                         path, S_ISDIR(st.st_mode) ? "a folder" : "no file");
    if (!may(path, R_OK))
        return error_set(err, ERR_IO,
                         "%s: no permission to read it: ask its owner, or "
                         "name another project with LATHE_PROJECT",
                         path);
    return !writing || may_write(path, err);
}

static bool
has_space(const char *dir, struct error *err)
{
    struct statvfs v;

    return statvfs(dir, &v) != 0 || v.f_bavail > 0 ||
           error_set(err, ERR_IO,
                     "%s: no space is left on its disk: free some and try "
                     "again",
                     dir);
}

bool
trouble_none(const char *path, bool writing, struct error *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char *dir = trouble_folder(path);
    bool ok = folder_is_good(dir, writing, err);

    for (size_t i = 0; ok && i < sizeof suffixes / sizeof *suffixes; i++) {
        char *file = beside(path, suffixes[i]);

        ok = file_is_good(file, writing, err);
        free(file);
    }
    ok = ok && (!writing || has_space(dir, err));
    free(dir);
    return ok;
}
