/* frame/folder.c -- a folder of pictures as a table.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/builder.h"

/* Names within a folder, sorted; owned. */
struct names {
    char **name;
    size_t n, cap;
};

static void
names_fini(struct names *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->name[i]);
    free(l->name);
}

static bool
names_add(struct names *l, const char *name, struct error *err)
{
    char **more = mem_try_grow(l->name, l->n, &l->cap, sizeof *more, err);

    if (!more)
        return false;
    l->name = more;
    if (!(l->name[l->n] = mem_try_text(name, strlen(name), err)))
        return false;
    l->n++;
    return true;
}

static int
by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
names_read(struct names *l, const char *path, struct error *err)
{
    DIR *d = opendir(path);
    const struct dirent *e;
    bool ok = true;

    *l = (struct names){0};
    if (!d)
        return error_errno(err, errno, "%s", path);
    while (ok && (e = readdir(d)))
        if (e->d_name[0] != '.')
            ok = names_add(l, e->d_name, err);
    closedir(d);
    if (l->n > 0)
        qsort(l->name, l->n, sizeof *l->name, by_bytes);
    return ok;
}

bool
folder_is_picture(struct str s)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        struct str e = str_of(endings[i]);

        if (s.n > e.n && str_eq_nocase((struct str){s.p + s.n - e.n, e.n}, e))
            return true;
    }
    return false;
}

static bool
put_picture(struct builder *b, const char *path, const char *class, off_t bytes,
            struct error *err)
{
    if (!str_utf8_valid(str_of(path)))
        return error_set(err, ERR_PARSE, "%s: the name is not UTF-8", path);
    return builder_text(b, 0, str_of(path), err) &&
           (!class || builder_text(b, 1, str_of(class), err)) &&
           builder_i64(b, 2, bytes, err) && builder_end_row(b, err);
}

/* Pictures in a folder; class NULL: and those in its subfolders. */
static bool
look_into(struct builder *b, const char *path, const char *class,
          const struct progress *stop, struct error *err)
{
    struct names l;
    bool ok = names_read(&l, path, err);

    for (size_t i = 0; ok && i < l.n; i++) {
        char *below = file_join(path, l.name[i]);
        struct stat st;

        ok = progress_check(stop, err);
        if (ok && stat(below, &st) == 0) {
            if (S_ISDIR(st.st_mode) && !class)
                ok = look_into(b, below, l.name[i], stop, err);
            else if (S_ISREG(st.st_mode) &&
                     folder_is_picture(str_of(l.name[i])))
                ok = put_picture(b, below, class, st.st_size, err);
        }
        free(below);
    }
    names_fini(&l);
    return ok;
}

bool
folder_is(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const char *const columns[] = {"image", "class", "bytes"};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

bool
folder_has_column(const char *name)
{
    for (size_t i = 0; i < N_COLUMNS; i++)
        if (strcmp(columns[i], name) == 0)
            return true;
    return false;
}

struct frame *
folder_read(const char *path, const struct progress *stop, struct error *err)
{
    static const enum col_type types[] = {COL_TEXT, COL_TEXT, COL_INT64};
    struct builder *b = builder_new(N_COLUMNS, columns, types, err);
    struct frame *f;

    if (!b)
        return NULL;
    if (!look_into(b, path, NULL, stop, err)) {
        builder_free(b);
        return NULL;
    }
    if (!(f = builder_finish(b, err)) || frame_rows(f) > 0)
        return f;
    frame_unref(f);
    error_set(err, ERR_NOTFOUND,
              "%s: a folder without pictures: .png, .jpg or .jpeg, a subfolder "
              "for each class",
              path);
    return NULL;
}
