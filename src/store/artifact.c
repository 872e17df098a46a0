/* store/artifact.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/artifact.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static bool
check_digest(const char *digest, struct error *err)
{
    if (strlen(digest) == DIGEST_HEX - 1 &&
        strspn(digest, "0123456789abcdef") == DIGEST_HEX - 1)
        return true;
    return error_set(err, ERR_RANGE,
                     "'%.80s' is no artifact's digest, expected 64 digits",
                     digest);
}

static char *
path_of(const struct store *s, const char *digest)
{
    return store_path(s, "objects/%.2s/%s", digest, digest + 2);
}

/* The new folders' names must be as lasting as the file within. */
static bool
make_folder(const struct store *s, const char *digest, struct error *err)
{
    char *objects = store_path(s, "objects");
    char *dir = store_path(s, "objects/%.2s", digest);
    bool ok = file_exists(dir);

    if (!ok) {
        ok = file_make_dirs(dir, 0777, err) &&
             store_sync_folder(store_dir(s), err) &&
             store_sync_folder(objects, err);
    }
    free(dir);
    free(objects);
    return ok;
}

bool
artifact_put(struct store *s, const void *p, size_t len,
             char digest[DIGEST_HEX], struct error *err)
{
    char there[DIGEST_HEX] = "";
    struct error ignored;
    char *path;
    bool ok;

    digest_bytes(p, len, digest);
    path = path_of(s, digest);
    ok = file_exists(path) && digest_file(path, there, &ignored) &&
         strcmp(there, digest) == 0;
    if (!ok)
        ok = make_folder(s, digest, err) &&
             file_replace(path, p, len, 0444, err);
    free(path);
    return ok;
}

char *
artifact_path(struct store *s, const char *digest, struct error *err)
{
    char *path;

    if (!check_digest(digest, err))
        return NULL;
    path = path_of(s, digest);
    if (file_exists(path))
        return path;
    error_set(err, ERR_NOTFOUND, "%s: the artifact is missing", path);
    free(path);
    return NULL;
}

bool
artifact_verify(struct store *s, const char *digest, struct error *err)
{
    char *path = artifact_path(s, digest, err);
    char found[DIGEST_HEX];
    bool ok;

    if (!path)
        return false;
    ok = digest_file(path, found, err);
    if (ok && strcmp(found, digest) != 0)
        ok = error_set(err, ERR_CORRUPT,
                       "%s: its content has the digest %.12s..., expected "
                       "%.12s...",
                       path, found, digest);
    free(path);
    return ok;
}
