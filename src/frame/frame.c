/* frame/frame.c -- named columns of one length.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/frame.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

/* A table of up to a few dozen columns is searched by comparing names; above
 * that through a dict, whose codes are the columns' places. */
enum { FEW_COLUMNS = 32 };

struct frame {
    atomic_size_t refs;
    size_t n_rows, n_cols;
    struct column **columns;
    char **names;
    struct dict *index; /* NULL when there are few */
};

static void
frame_free(struct frame *f)
{
    for (size_t i = 0; f->columns && i < f->n_cols; i++)
        column_unref(f->columns[i]);
    for (size_t i = 0; f->names && i < f->n_cols; i++)
        free(f->names[i]);
    free(f->columns);
    free(f->names);
    dict_unref(f->index);
    free(f);
}

static bool
check_unique(const struct frame *f, size_t col, struct error *err)
{
    for (size_t i = 0; i < col; i++)
        if (strcmp(f->names[i], f->names[col]) == 0)
            return error_set(err, ERR_EXISTS, "there are two columns '%s'",
                             f->names[col]);
    return true;
}

static bool
index_name(struct frame *f, size_t col, struct error *err)
{
    uint32_t code;

    if (!dict_add(f->index, str_of(f->names[col]), &code, err))
        return false;
    return code == col ||
           error_set(err, ERR_EXISTS, "there are two columns '%s'",
                     f->names[col]);
}

static bool
set_names(struct frame *f, const char *const *names, struct error *err)
{
    if (f->n_cols > FEW_COLUMNS && !(f->index = dict_new(err)))
        return false;
    for (size_t i = 0; i < f->n_cols; i++) {
        if (!names[i] || !*names[i])
            return error_set(err, ERR_RANGE, "column %zu has no name", i + 1);
        f->names[i] = mem_try_text(names[i], strlen(names[i]), err);
        if (!f->names[i] ||
            !(f->index ? index_name(f, i, err) : check_unique(f, i, err)))
            return false;
    }
    return true;
}

struct frame *
frame_new(size_t n_rows, size_t n_cols, const char *const *names,
          struct column *const *columns, struct error *err)
{
    struct frame *f = mem_try_array(1, sizeof *f, err);

    if (f) {
        atomic_init(&f->refs, 1);
        f->n_rows = n_rows;
        f->n_cols = n_cols;
        f->columns = mem_try_array(n_cols, sizeof *f->columns, err);
    }
    if (!f || !f->columns) {
        for (size_t i = 0; i < n_cols; i++)
            column_unref(columns[i]);
        free(f);
        return NULL;
    }
    for (size_t i = 0; i < n_cols; i++) {
        assert(column_rows(columns[i]) == n_rows);
        f->columns[i] = columns[i];
    }
    f->names = mem_try_array(n_cols, sizeof *f->names, err);
    if (f->names && n_rows > UINT32_MAX)
        error_set(err, ERR_LIMIT, "%zu rows, the limit is %lu", n_rows,
                  (unsigned long)UINT32_MAX);
    else if (f->names && set_names(f, names, err))
        return f;
    frame_free(f);
    return NULL;
}

struct frame *
frame_ref(const struct frame *f)
{
    struct frame *mine = (struct frame *)(uintptr_t)f;

    atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
    return mine;
}

void
frame_unref(struct frame *f)
{
    if (f && atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1)
        frame_free(f);
}

size_t
frame_rows(const struct frame *f)
{
    return f->n_rows;
}

size_t
frame_cols(const struct frame *f)
{
    return f->n_cols;
}

const char *
frame_name(const struct frame *f, size_t col)
{
    assert(col < f->n_cols);
    return f->names[col];
}

const struct column *
frame_column(const struct frame *f, size_t col)
{
    assert(col < f->n_cols);
    return f->columns[col];
}

long
frame_find(const struct frame *f, const char *name)
{
    if (f->index) {
        uint32_t code = dict_find(f->index, str_of(name));

        return code == DICT_NONE ? -1 : (long)code;
    }
    for (size_t i = 0; i < f->n_cols; i++)
        if (strcmp(f->names[i], name) == 0)
            return (long)i;
    return -1;
}

/* "auc" is the last part of "valid.auc". */
static bool
is_last_part(const char *part, const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && dot != name && strcmp(dot + 1, part) == 0;
}

const char *
frame_nearest(const struct frame *f, const char *name)
{
    const char *near =
        str_nearest(str_of(name), (const char *const *)f->names, f->n_cols);
    const char *part = NULL; /* the shortest, of which there may be several */

    for (size_t c = 0; !near && c < f->n_cols; c++)
        if (is_last_part(name, f->names[c]) &&
            (!part || strlen(f->names[c]) < strlen(part)))
            part = f->names[c];
    return near ? near : part;
}

bool
frame_need(const struct frame *f, const char *name, size_t *col,
           struct error *err)
{
    long at = frame_find(f, name);
    const char *near;

    if (at >= 0) {
        *col = (size_t)at;
        return true;
    }
    if ((near = frame_nearest(f, name)))
        return error_set(err, ERR_NOTFOUND,
                         "no column '%s' (did you mean '%s'?)", name, near);
    return error_set(err, ERR_NOTFOUND, "no column '%s'", name);
}

struct settling {
    const struct frame *f;
    const struct progress *progress;
};

static void
settle_columns(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct settling *s = ctx;
    struct error stopped; /* as the caller finds, too */

    (void)chunk;
    while (begin < end &&
           column_settle(frame_column(s->f, begin), s->progress, &stopped))
        begin++;
}

bool
frame_settle(const struct frame *f, struct pool *pool,
             const struct progress *progress, struct error *err)
{
    struct settling s = {f, progress};

    pool_for(pool, f->n_cols, 1, settle_columns, &s);
    return progress_check(progress, err);
}

bool
frame_whole(const struct frame *f, struct error *err)
{
    for (size_t i = 0; i < f->n_cols; i++)
        if (!column_whole(f->columns[i], err))
            return false;
    return true;
}

size_t
frame_bytes(const struct frame *f)
{
    size_t bytes = sizeof *f;

    for (size_t i = 0; i < f->n_cols; i++)
        bytes += column_bytes(f->columns[i]) + strlen(f->names[i]) + 1 +
                 2 * sizeof(char *);
    return bytes;
}

/* ---- frames from frames ---- */

static void
unref_all(struct column **columns, size_t n)
{
    for (size_t i = 0; columns && i < n; i++)
        column_unref(columns[i]);
    free(columns);
}

struct frame *
frame_take(const struct frame *f, const uint32_t *rows, size_t n,
           struct error *err)
{
    struct column **c = mem_try_array(f->n_cols, sizeof(struct column *), err);
    struct frame *out;

    if (!c)
        return NULL;
    for (size_t i = 0; i < f->n_cols; i++)
        if (!(c[i] = column_take(f->columns[i], rows, n, err))) {
            unref_all(c, i);
            return NULL;
        }
    out = frame_new(n, f->n_cols, (const char *const *)f->names, c, err);
    free(c);
    return out;
}

struct frame *
frame_slice(const struct frame *f, size_t begin, size_t end, struct error *err)
{
    uint32_t *rows;
    struct frame *out;

    assert(begin <= end && end <= f->n_rows);
    if (!(rows = mem_try_array(end - begin, sizeof *rows, err)))
        return NULL;
    for (size_t i = 0; i < end - begin; i++)
        rows[i] = (uint32_t)(begin + i);
    out = frame_take(f, rows, end - begin, err);
    free(rows);
    return out;
}

struct frame *
frame_select(const struct frame *f, const size_t *cols, size_t n,
             struct error *err)
{
    struct column **c = mem_try_array(n, sizeof(struct column *), err);
    const char **names = mem_try_array(n, sizeof *names, err);
    struct frame *out = NULL;

    if (!c || !names)
        goto out;
    for (size_t i = 0; i < n; i++) {
        assert(cols[i] < f->n_cols);
        c[i] = column_ref(f->columns[cols[i]]);
        names[i] = f->names[cols[i]];
    }
    out = frame_new(f->n_rows, n, names, c, err);
out:
    free(c);
    free(names);
    return out;
}

struct frame *
frame_with(const struct frame *f, const char *name, struct column *c,
           struct error *err)
{
    long at = frame_find(f, name);
    size_t n = f->n_cols + (at < 0);
    struct column **all = mem_try_array(n, sizeof(struct column *), err);
    const char **names = mem_try_array(n, sizeof *names, err);
    struct frame *out = NULL;

    if (f->n_cols + f->n_rows > 0 && column_rows(c) != f->n_rows) {
        error_set(err, ERR_RANGE, "column '%s' has %zu rows, expected %zu",
                  name, column_rows(c), f->n_rows);
        at = -2;
    }
    if (!all || !names || at == -2) {
        column_unref(c);
        goto out;
    }
    for (size_t i = 0; i < f->n_cols; i++) {
        names[i] = f->names[i];
        all[i] = (long)i == at ? c : column_ref(f->columns[i]);
    }
    if (at < 0) {
        names[n - 1] = name;
        all[n - 1] = c;
    }
    out = frame_new(column_rows(c), n, names, all, err);
out:
    free(all);
    free(names);
    return out;
}

struct frame *
frame_drop(const struct frame *f, const char *const *names, size_t n,
           struct error *err)
{
    size_t *keep = mem_try_array(f->n_cols, sizeof *keep, err);
    bool *gone = mem_try_array(f->n_cols, sizeof *gone, err);
    struct frame *out = NULL;
    size_t n_keep = 0, col;

    if (!keep || !gone)
        goto out;
    for (size_t i = 0; i < n; i++) {
        if (!frame_need(f, names[i], &col, err))
            goto out;
        gone[col] = true;
    }
    for (size_t i = 0; i < f->n_cols; i++)
        if (!gone[i])
            keep[n_keep++] = i;
    out = frame_select(f, keep, n_keep, err);
out:
    free(keep);
    free(gone);
    return out;
}
