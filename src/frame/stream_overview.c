/* frame/stream_overview.c -- tables about a table beyond memory.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/stream_overview.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "frame/overview.h"
#include "frame/stack.h"
#include "frame/stream_verbs.h"
#include "frame/verbs.h"

/* ---- of one column ---- */

/* Takes s, which may be NULL after an error. */
static struct frame *
collect(struct stream *s, struct error *err)
{
    struct frame *f = s ? stream_collect(s, err) : NULL;

    stream_close(s);
    return f;
}

struct frame *
stream_frequency(struct stream *s, const char *name, size_t bins,
                 struct error *err)
{
    const char *const one[] = {name, NULL};
    struct pool *pool = stream_pool(s);
    struct progress *progress = stream_progress(s);
    struct frame *f = collect(stream_select(s, one, err), err), *out;

    out = f ? overview_frequency(f, name, bins, pool, progress, err) : NULL;
    frame_unref(f);
    return out;
}

struct frame *
stream_values(struct stream *s, const char *name, struct error *err)
{
    const char *const one[] = {name, NULL};

    s = stream_select(s, one, err);
    return collect(s ? stream_distinct(s, NULL, err) : NULL, err);
}

/* ---- what is missing: batch by batch, then summed ---- */

typedef struct frame *
about_fn(const struct frame *f, struct pool *pool,
         const struct progress *progress, struct error *err);

/* What is said of each batch, one below the other. */
static struct frame *
of_batches(struct stream *s, about_fn *about, uint64_t *n_rows,
           struct error *err)
{
    struct frame_list l = {0};
    struct frame *f, *one, *out = NULL;
    bool ok;

    *n_rows = 0;
    while ((ok = stream_next(s, &f, err)) && f) {
        *n_rows += frame_rows(f);
        one = about(f, stream_pool(s), NULL, err);
        frame_unref(f);
        if (!one || !(ok = frame_list_add(&l, one, err)))
            goto out;
    }
    one = ok ? about(stream_head(s), NULL, NULL, err) : NULL;
    if (one)
        out = frame_list_stack(&l, one, stream_pool(s), err);
    frame_unref(one);
out:
    frame_list_clear(&l);
    return out;
}

/* Sums of `parts` by group, with the share of all rows that `share` tells. */
static struct frame *
summed(const struct frame *parts, const char *const *by,
       const char *const *sums, const char *share, struct error *err)
{
    struct frame *f = verb_group(parts, by, sums, NULL, NULL, err), *out;

    out = f ? verb_with(f, "share", share, NULL, err) : NULL;
    frame_unref(f);
    return out;
}

/* "float(missing) / 1200.0" */
static void
put_share(char *out, size_t size, const char *what, uint64_t n_rows)
{
    snprintf(out, size, "float(%s) / %llu.0", what,
             (unsigned long long)(n_rows ? n_rows : 1));
}

struct frame *
stream_missing(struct stream *s, struct error *err)
{
    static const char *const by[] = {"column", NULL};
    static const char *const sums[] = {"missing = sum(missing)",
                                       "only = sum(only)", NULL};
    static const char *const order[] = {"column", "missing", "share", "only",
                                        NULL};
    uint64_t n;
    struct frame *parts = of_batches(s, overview_missing, &n, err);
    struct frame *f = NULL, *out = NULL;
    char share[64];

    put_share(share, sizeof share, "missing", n);
    if (parts && (f = summed(parts, by, sums, share, err)))
        out = verb_select(f, order, err);
    frame_unref(parts);
    frame_unref(f);
    stream_close(s);
    return out;
}

struct frame *
stream_patterns(struct stream *s, struct error *err)
{
    static const char *const by[] = {"missing", "columns", NULL};
    static const char *const sums[] = {"rows = sum(rows)", NULL};
    static const char *const most[] = {"-rows", NULL};
    uint64_t n;
    struct frame *parts = of_batches(s, overview_patterns, &n, err);
    struct frame *f = NULL, *out = NULL;
    char share[64];

    put_share(share, sizeof share, "rows", n);
    if (parts && (f = summed(parts, by, sums, share, err)))
        out = verb_sort(f, most, NULL, err);
    frame_unref(parts);
    frame_unref(f);
    stream_close(s);
    return out;
}

/* ---- what occurs twice ---- */

/* Groups of all columns, those of more than one row. */
static struct stream *
repeated(struct stream *s, const char *copies, struct error *err)
{
    const struct frame *head = stream_head(s);
    size_t n = frame_cols(head);
    const char **names = mem_new((n + 1) * sizeof *names);
    char aggregate[64], more[48];
    const char *const aggregates[] = {aggregate, NULL};

    for (size_t i = 0; i < n; i++)
        names[i] = frame_name(head, i);
    snprintf(aggregate, sizeof aggregate, "%s = count()", copies);
    snprintf(more, sizeof more, "%s > 1", copies);
    s = stream_group(s, names, aggregates, err);
    free(names);
    return s ? stream_where(s, more, err) : NULL;
}

/* The copies first. */
static struct frame *
copies_first(const struct frame *f, struct error *err)
{
    size_t n = frame_cols(f);
    size_t *col = mem_new(n * sizeof *col);
    struct frame *out;

    for (size_t i = 0; i < n; i++)
        col[i] = i ? i - 1 : n - 1;
    out = frame_select(f, col, n, err);
    free(col);
    return out;
}

struct frame *
stream_duplicates(struct stream *s, struct error *err)
{
    char copies[32] = "copies", most[33];
    const char *const sort[] = {most, NULL};
    struct frame *f, *sorted = NULL, *out = NULL;

    for (unsigned i = 2; stream_find(s, copies) >= 0; i++)
        snprintf(copies, sizeof copies, "copies_%u", i);
    snprintf(most, sizeof most, "-%s", copies);
    f = collect(repeated(s, copies, err), err);
    if (f && (sorted = verb_sort(f, sort, NULL, err)))
        out = copies_first(sorted, err);
    frame_unref(f);
    frame_unref(sorted);
    return out;
}
