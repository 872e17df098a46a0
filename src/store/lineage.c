/* store/lineage.c
 *
 *   .git/HEAD            "ref: refs/heads/main" or a commit
 *   .git                 a file in a work tree: "gitdir: /repo/.git/worktrees/w"
 *   GITDIR/commondir     there: where the references are, relative to GITDIR
 *   refs/heads/main      a commit, or once more "ref: ..."
 *   packed-refs          "commit name" lines; loose references go before them
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/lineage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

enum { LINE_BYTES = 4096, REFERENCE_DEPTH = 5 };

static bool
is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A file of one line, without its blanks. */
static bool
read_line(const char *path, struct buf *out, struct error *err)
{
    buf_clear(out);
    if (!file_read(path, LINE_BYTES, out, err))
        return false;
    while (out->len > 0 && strchr("\r\n \t", out->data[out->len - 1]))
        out->data[--out->len] = '\0';
    return true;
}

static char *
below(const char *dir, const char *path)
{
    return path[0] == '/' ? mem_text(path) : file_join(dir, path);
}

/* What ".git" stands for: itself, or the folder that the file names. */
static char *
git_folder_of(const char *dir, const char *dot_git, struct error *err)
{
    struct buf line;
    char *out = NULL;

    if (is_folder(dot_git))
        return mem_text(dot_git);
    buf_init(&line);
    if (read_line(dot_git, &line, err)) {
        if (strncmp(line.data, "gitdir: ", 8) == 0)
            out = below(dir, line.data + 8);
        else
            error_set(err, ERR_PARSE, "%s: expected 'gitdir: PATH'", dot_git);
    }
    buf_fini(&line);
    return out;
}

static char *
find_git(const char *dir, struct error *err)
{
    char *at = realpath(dir, NULL), *out = NULL;
    bool found = false;

    while (at && !found) {
        char *dot_git = file_join(at, ".git");
        char *slash = strrchr(at, '/');

        found = file_exists(dot_git);
        if (found)
            out = git_folder_of(at, dot_git, err);
        free(dot_git);
        if (!slash || !at[1])
            break;
        slash[slash == at ? 1 : 0] = '\0';
    }
    free(at);
    if (!found)
        error_set(err, ERR_NOTFOUND, "%s: not in a git repository", dir);
    return out;
}

/* Where the references are that all work trees share. */
static char *
common_folder(const char *git)
{
    char *path = file_join(git, "commondir"), *out;
    struct buf line;
    struct error ignored;

    buf_init(&line);
    if (read_line(path, &line, &ignored) && line.len > 0)
        out = below(git, line.data);
    else
        out = mem_text(git);
    buf_fini(&line);
    free(path);
    return out;
}

static bool
is_commit(const char *text)
{
    size_t n = strlen(text);

    return (n == 40 || n == 64) && strspn(text, "0123456789abcdef") == n;
}

/* A name that stays inside the folder, whatever HEAD says. */
static bool
is_reference(const char *name)
{
    return strncmp(name, "refs/", 5) == 0 && !strstr(name, "..");
}

static bool
find_packed(const char *common, const char *name, char commit[LINEAGE_COMMIT],
            struct error *err)
{
    char *path = file_join(common, "packed-refs");
    size_t len = strlen(name);
    struct file_map m;
    bool found = false;

    if (!file_map_open(&m, path, NULL, err)) {
        free(path);
        return false;
    }
    for (const char *p = m.data, *end = m.data + m.len; p < end && !found;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((stop ? stop : end) - p);
        size_t hex = n > len + 1 ? n - len - 1 : 0;

        if ((hex == 40 || hex == 64) && p[hex] == ' ' &&
            memcmp(p + hex + 1, name, len) == 0) {
            memcpy(commit, p, hex);
            commit[hex] = '\0';
            found = is_commit(commit);
        }
        p += n + 1;
    }
    file_map_close(&m);
    free(path);
    return found || error_set(err, ERR_NOTFOUND, "%s: no commit yet", name);
}

/* One step: the commit, or in line the next "ref: ...". */
static bool
read_reference(const char *git, const char *common, const char *name,
               struct buf *line, struct error *err)
{
    char *path = file_join(git, name);
    bool ok = read_line(path, line, err);

    free(path);
    if (!ok && strcmp(git, common) != 0) {
        path = file_join(common, name);
        ok = read_line(path, line, err);
        free(path);
    }
    return ok;
}

static bool
follow(const char *git, const char *common, char commit[LINEAGE_COMMIT],
       struct error *err)
{
    char *name = mem_text("HEAD");
    struct buf line;
    bool ok = false, more = true;

    buf_init(&line);
    for (int depth = 0; more; depth++) {
        more = false;
        if (!read_reference(git, common, name, &line, err)) {
            ok = err->code == ERR_NOTFOUND && is_reference(name) &&
                 find_packed(common, name, commit, err);
        } else if (is_commit(line.data)) {
            memcpy(commit, line.data, line.len + 1);
            ok = true;
        } else if (strncmp(line.data, "ref: ", 5) == 0 &&
                   is_reference(line.data + 5) && depth < REFERENCE_DEPTH) {
            free(name);
            name = mem_text(line.data + 5);
            more = true;
        } else {
            error_set(err, ERR_PARSE, "%s/%s: neither a commit nor a reference",
                      git, name);
        }
    }
    buf_fini(&line);
    free(name);
    return ok;
}

bool
lineage_commit(const char *dir, char commit[LINEAGE_COMMIT], struct error *err)
{
    char *git = find_git(dir, err), *common;
    bool ok;

    if (!git)
        return false;
    common = common_folder(git);
    ok = follow(git, common, commit, err);
    free(common);
    free(git);
    return ok;
}
