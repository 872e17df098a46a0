/* The first row of each.  Keys are kept as hashes; once they fill the memory
 * there is, rows of other keys wait on the disk, dealt out by their hash, and
 * are looked at part by part behind all others.  They come after the rows that
 * were given, so that sorting them by their number is all that is left.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/gather.h"
#include "frame/keyset.h"
#include "frame/rowgroup.h"
#include "frame/stream_verbs_part.h"

struct distinct {
    struct stream stream;
    size_t *by, n_by;
    unsigned depth;
    struct keyset *set;
    bool closed; /* the set takes no more */
    struct stream_parts *parts;
    struct stream *rest; /* what the parts give */
};

static struct stream *
distinct_new(struct stream *of, const size_t *by, size_t n_by, unsigned depth,
             struct error *err);

static void
forget(struct distinct *d)
{
    keyset_free(d->set);
    stream_parts_free(d->parts);
    stream_close(d->rest);
    d->set = NULL;
    d->parts = NULL;
    d->rest = NULL;
    d->closed = false;
}

/* Rows of the batch, one for each key it has, by what the set says: those that
 * are new stay at the front of rows, those it does not take are put aside. */
static bool
sift(struct distinct *d, const struct frame *f, uint32_t *rows, size_t *n,
     struct error *err)
{
    size_t known = keyset_count(d->set), n_new = 0, n_aside = 0;
    struct key128 *key =
        key128_rows(f, d->by, d->n_by, rows, *n, d->stream.pool, err);
    uint32_t *id = key ? mem_try_unset(*n, sizeof *id, err) : NULL;
    uint32_t *aside = id ? mem_try_unset(*n, sizeof *aside, err) : NULL;
    uint8_t *part = aside ? mem_try_unset(*n, 1, err) : NULL;
    bool ok = part && keyset_number(d->set, key, *n, d->closed, id, err);

    for (size_t i = 0; ok && i < *n; i++) {
        if (id[i] == KEYSET_NONE) {
            part[n_aside] = (uint8_t)(key[i].high >> (60 - 4 * d->depth) & 15);
            aside[n_aside++] = rows[i];
        } else if (id[i] >= known) {
            rows[n_new++] = rows[i];
        }
    }
    *n = n_new;
    if (ok && n_aside && !d->parts)
        ok = (d->parts = stream_parts_new(d->stream.head, &d->stream, err));
    if (ok && n_aside)
        ok = stream_parts_add(d->parts, f, aside, part, n_aside, err);
    free(key);
    free(id);
    free(aside);
    free(part);
    return ok;
}

static bool
look_at(struct distinct *d, const struct frame *f, struct frame **out,
        struct error *err)
{
    struct rowgroup g = {0};
    size_t n;

    if (rowgroup_find(f, d->by, d->n_by, d->stream.pool, d->stream.progress, &g,
                      err)) {
        n = g.n_groups;
        if (sift(d, f, g.first, &n, err))
            *out = gather_frame(f, g.first, n, d->stream.pool, err);
    }
    rowgroup_fini(&g);
    d->closed = d->closed || (d->depth < STREAM_MAX_DEPTH &&
                              keyset_bytes(d->set) > stream_work(&d->stream));
    return *out;
}

static bool
add_part(struct distinct *d, struct stream *part, struct stream_sorter *to,
         struct error *err)
{
    struct stream *s = distinct_new(part, d->by, d->n_by, d->depth + 1, err);
    bool ok = s && stream_sorter_add_all(to, s, err);

    stream_close(s);
    return ok;
}

/* The rows of all parts, in their order. */
static bool
open_rest(struct distinct *d, struct error *err)
{
    struct query_key key = {frame_cols(d->stream.head) - 1, false};
    struct stream_sorter *s =
        stream_sorter_new(d->stream.head, &key, 1, &d->stream, err);
    bool ok = s;

    keyset_free(d->set);
    d->set = NULL;
    for (size_t i = 0; ok && i < STREAM_PARTS; i++) {
        struct stream *part;

        ok = stream_parts_take(d->parts, i, &part, err) &&
             (!part || add_part(d, part, s, err));
    }
    if (ok)
        return (d->rest = stream_sorter_finish(s, err));
    stream_sorter_free(s);
    return false;
}

static bool
distinct_next(struct stream *s, struct frame **out, struct error *err)
{
    struct distinct *d = (struct distinct *)s;
    struct frame *f;
    bool ok;

    if (d->rest)
        return stream_next(d->rest, out, err);
    if (!d->set && !(d->set = keyset_new(err)))
        return false;
    if (!stream_next(s->of, &f, err))
        return false;
    if (f) {
        ok = look_at(d, f, out, err);
        frame_unref(f);
        return ok;
    }
    return !d->parts || (open_rest(d, err) && stream_next(d->rest, out, err));
}

static bool
distinct_rewind(struct stream *s, struct error *err)
{
    forget((struct distinct *)s);
    return stream_rewind(s->of, err);
}

static void
distinct_close(struct stream *s)
{
    struct distinct *d = (struct distinct *)s;

    forget(d);
    free(d->by);
    free(d);
}

static const struct stream_class distinct_class = {
    .next = distinct_next, .rewind = distinct_rewind, .close = distinct_close};

/* The last column of `of` is the number of the row. */
static struct stream *
distinct_new(struct stream *of, const size_t *by, size_t n_by, unsigned depth,
             struct error *err)
{
    struct distinct *d = mem_try_array(1, sizeof *d, err);

    if (!d || !(d->by = mem_try_array(n_by, sizeof *d->by, err))) {
        free(d);
        stream_close(of);
        return NULL;
    }
    for (size_t i = 0; i < n_by; i++)
        d->by[i] = by[i];
    d->n_by = n_by;
    d->depth = depth;
    stream_init(&d->stream, &distinct_class, frame_ref(of->head), of);
    return &d->stream;
}

struct stream *
stream_distinct(struct stream *s, const char *const *names, struct error *err)
{
    struct frame *head = frame_ref(s->head);
    size_t n = names_count(names), all = frame_cols(head);
    size_t *by = mem_try_array(n ? n : all, sizeof *by, err);
    bool ok = by;

    for (size_t i = 0; ok && i < n; i++)
        ok = frame_need(head, names[i], &by[i], err);
    for (size_t i = 0; ok && !n && i < all; i++)
        by[i] = i;
    if (!ok) {
        stream_close(s);
        s = NULL;
    }
    if (s)
        s = stream_numbered(s, STREAM_ROW, err);
    if (s)
        s = distinct_new(s, by, n ? n : all, 0, err);
    if (s)
        s = stream_only(s, head, err);
    frame_unref(head);
    free(by);
    return s;
}
