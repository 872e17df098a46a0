/* Rows of a stream beside those of a frame, or of another stream.
 *
 * A right side that does not fit is dealt out to files by the hash of its keys,
 * and so is the left one, with the numbers of its rows.  Rows of equal keys are
 * then in files of one number, each pair of which is joined in memory; sorting
 * by the number of the left row gives the order back.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/keyset.h"
#include "frame/stream_verbs_part.h"

struct joining {
    struct frame *right;
    struct join_options o;
    const char **by; /* owned texts, NULL-ended */
    char *suffix;
    struct join_right *ready; /* NULL until rows come */
};

static void
release_joining(void *ctx)
{
    struct joining *j = ctx;

    frame_unref(j->right);
    for (size_t i = 0; j->by && j->by[i]; i++)
        free((void *)(uintptr_t)j->by[i]);
    free(j->by);
    free(j->suffix);
    join_right_free(j->ready);
    free(j);
}

static struct joining *
joining_new(const struct frame *right, const struct join_options *o,
            struct error *err)
{
    struct joining *j = mem_try_array(1, sizeof *j, err);
    size_t n = names_count(o->by);
    bool ok = j && (j->by = mem_try_array(n + 1, sizeof *j->by, err));

    for (size_t i = 0; ok && i < n; i++)
        ok = (j->by[i] = mem_try_text(o->by[i], strlen(o->by[i]), err));
    if (ok && o->suffix)
        ok = (j->suffix = mem_try_text(o->suffix, strlen(o->suffix), err));
    if (!ok) {
        if (j)
            release_joining(j);
        return NULL;
    }
    j->o = *o;
    j->o.by = j->by;
    j->o.suffix = j->suffix;
    j->right = frame_ref(right);
    return j;
}

static struct frame *
apply_join(void *ctx, const struct frame *f, struct pool *pool,
           struct error *err)
{
    struct joining *j = ctx;
    struct frame *head;

    if (frame_rows(f) == 0)
        return join_frames(f, j->right, &j->o, pool, NULL, err);
    if (!j->ready) {
        if (!(head = frame_slice(f, 0, 0, err)))
            return NULL;
        j->ready = join_right_new(head, j->right, &j->o, pool, NULL, err);
        frame_unref(head);
    }
    return j->ready ? join_right_to(j->ready, f, err) : NULL;
}

struct stream *
stream_join(struct stream *s, const struct frame *right,
            const struct join_options *o, struct error *err)
{
    struct joining *j = joining_new(right, o, err);

    if (j)
        return stream_map(s, apply_join, j, release_joining, err);
    stream_close(s);
    return NULL;
}

/* ---- a right side on the disk ---------------------------------------- */

struct split {
    struct stream *right; /* owned */
    struct joining *j;    /* its options; the frame is the head */
    struct frame *head;   /* of the result */
    size_t *by[2], n_by;
};

static void
release_split(void *ctx)
{
    struct split *p = ctx;

    stream_close(p->right);
    if (p->j)
        release_joining(p->j);
    frame_unref(p->head);
    free(p->by[0]);
    free(p->by[1]);
    free(p);
}

/* The keys of one side, in the type that both are compared as. */
static struct frame *
keys_of(const struct split *p, const struct frame *const head[2], int side,
        const struct frame *f, struct error *err)
{
    struct frame *keys = frame_select(f, p->by[side], p->n_by, err);
    size_t lost;

    for (size_t i = 0; keys && i < p->n_by; i++) {
        enum col_type a = column_type(frame_column(head[0], p->by[0][i]));
        enum col_type b = column_type(frame_column(head[1], p->by[1][i]));
        struct frame *next;
        struct column *c;

        if (a == b)
            continue;
        c = column_cast(frame_column(keys, i), a > b ? a : b, &lost, err);
        next = c ? frame_with(keys, frame_name(keys, i), c, err) : NULL;
        frame_unref(keys);
        keys = next;
    }
    return keys;
}

static bool
has_keys(const struct frame *keys, size_t row)
{
    for (size_t i = 0; i < frame_cols(keys); i++)
        if (!column_is_valid(frame_column(keys, i), row))
            return false;
    return true;
}

/* Right rows without a key have no partner and are left out. */
static bool
deal_out(const struct split *p, const struct frame *const head[2], int side,
         const struct frame *f, unsigned depth, struct stream_parts *to,
         struct error *err)
{
    size_t n = frame_rows(f), m = 0;
    struct frame *keys = keys_of(p, head, side, f, err);
    size_t *all = keys ? mem_try_array(p->n_by, sizeof *all, err) : NULL;
    uint32_t *rows = all ? mem_try_unset(n, sizeof *rows, err) : NULL;
    uint8_t *part = rows ? mem_try_unset(n, 1, err) : NULL;
    struct key128 *key = NULL;
    bool ok = part;

    for (size_t i = 0; ok && i < p->n_by; i++)
        all[i] = i;
    ok = ok &&
         (key = key128_rows(keys, all, p->n_by, NULL, n, p->right->pool, err));
    for (size_t i = 0; ok && i < n; i++) {
        if (side == 1 && !has_keys(keys, i))
            continue;
        part[m] = (uint8_t)(key[i].high >> (60 - 4 * depth) & 15);
        rows[m++] = (uint32_t)i;
    }
    ok = ok && stream_parts_add(to, f, rows, part, m, err);
    frame_unref(keys);
    free(all);
    free(rows);
    free(part);
    free(key);
    return ok;
}

static struct stream_parts *
parts_of(const struct split *p, const struct frame *const head[2], int side,
         struct stream *s, unsigned depth, struct error *err)
{
    struct stream_parts *out = stream_parts_new(s->head, s, err);
    struct frame *f = NULL;
    bool ok = out;

    while (ok && (ok = stream_next(s, &f, err)) && f) {
        ok = deal_out(p, head, side, f, depth, out, err);
        frame_unref(f);
    }
    if (ok)
        return out;
    stream_parts_free(out);
    return NULL;
}

/* All of s where it fits; NULL in *out where it does not, and then s is at its
 * beginning. */
static bool
fit(struct stream *s, struct frame **out, struct error *err)
{
    struct frame_list l = {0};
    struct frame *f = NULL;
    bool ok, fits = true;

    *out = NULL;
    while ((ok = stream_next(s, &f, err)) && f) {
        if (!(ok = frame_list_add(&l, f, err)) ||
            !(fits = l.bytes <= stream_work(s)))
            break;
    }
    if (ok && fits)
        ok = (*out = frame_list_stack(&l, s->head, s->pool, err));
    frame_list_clear(&l);
    if (ok && !fits)
        stream_expect(s);
    return ok && (fits || stream_rewind(s, err));
}

static bool
join_parts(const struct split *p, struct stream *left, struct stream *right,
           unsigned depth, struct stream_sorter *to, struct error *err);

/* Takes left over. */
static bool
join_one(const struct split *p, struct stream *left, const struct frame *right,
         struct stream_sorter *to, struct error *err)
{
    struct stream *s = stream_join(left, right, &p->j->o, err);
    bool ok = s && stream_sorter_add_all(to, s, err);

    stream_close(s);
    return ok;
}

/* One pair of files; left, which it takes over, has rows. */
static bool
join_pair(const struct split *p, struct stream *left, struct stream *right,
          unsigned depth, struct stream_sorter *to, struct error *err)
{
    struct frame *f = frame_ref(p->right->head);
    bool ok = true;

    if (right) {
        frame_unref(f);
        ok = fit(right, &f, err);
    }
    if (ok && f) {
        ok = join_one(p, left, f, to, err);
        left = NULL;
    } else if (ok && depth == STREAM_MAX_DEPTH) {
        ok = error_set(err, ERR_LIMIT,
                       "the rows of the right table that have one key do not "
                       "fit into memory (LATHE_MEMORY)");
    } else if (ok) {
        ok = join_parts(p, left, right, depth + 1, to, err);
    }
    stream_close(left);
    frame_unref(f);
    return ok;
}

static bool
join_parts(const struct split *p, struct stream *left, struct stream *right,
           unsigned depth, struct stream_sorter *to, struct error *err)
{
    const struct frame *const head[2] = {left->head, right->head};
    struct stream_parts *a = NULL, *b = NULL;
    bool ok = (a = parts_of(p, head, 0, left, depth, err)) &&
              (b = parts_of(p, head, 1, right, depth, err));

    for (size_t i = 0; ok && i < STREAM_PARTS; i++) {
        struct stream *l = NULL, *r = NULL;

        ok = stream_parts_take(a, i, &l, err) &&
             stream_parts_take(b, i, &r, err);
        if (ok && l) {
            ok = join_pair(p, l, r, depth, to, err);
            l = NULL;
        }
        stream_close(l);
        stream_close(r);
    }
    stream_parts_free(a);
    stream_parts_free(b);
    return ok;
}

static struct stream *
make_join(void *ctx, struct stream *left, struct error *err)
{
    const struct split *p = ctx;
    struct query_key key = {frame_cols(left->head) - 1, false};
    struct frame *head =
        join_frames(left->head, p->right->head, &p->j->o, NULL, NULL, err);
    struct stream_sorter *s =
        head ? stream_sorter_new(head, &key, 1, left, err) : NULL;
    struct stream *out = NULL;

    frame_unref(head);
    if (!s)
        return NULL;
    if (!stream_rewind(p->right, err) ||
        !join_parts(p, left, p->right, 0, s, err)) {
        stream_sorter_free(s);
        return NULL;
    }
    out = stream_sorter_finish(s, err);
    return out ? stream_only(out, p->head, err) : NULL;
}

/* Takes right over; the keys are known to be good. */
static struct split *
split_new(const struct stream *left, struct stream *right,
          const struct join_options *o, struct error *err)
{
    struct split *p = mem_try_array(1, sizeof *p, err);

    if (!p) {
        stream_close(right);
        return NULL;
    }
    p->right = right;
    p->n_by = names_count(o->by);
    if ((p->j = joining_new(right->head, o, err)) &&
        (p->head = join_frames(left->head, right->head, o, NULL, NULL, err)) &&
        (p->by[0] = mem_try_array(p->n_by, sizeof *p->by[0], err)) &&
        (p->by[1] = mem_try_array(p->n_by, sizeof *p->by[1], err)) &&
        join_keys(left->head, right->head, o->by, p->by[0], p->by[1], err))
        return p;
    release_split(p);
    return NULL;
}

struct stream *
stream_join_stream(struct stream *s, struct stream *right,
                   const struct join_options *o, struct error *err)
{
    struct frame *f = join_frames(s->head, right->head, o, NULL, NULL, err);
    struct split *p = NULL;
    bool ok = f;

    frame_unref(f);
    f = NULL;
    ok = ok && fit(right, &f, err);
    if (ok && !f && o->how == JOIN_ASOF)
        ok = error_set(err, ERR_LIMIT,
                       "the right table of an as-of join must fit into memory "
                       "(LATHE_MEMORY)");
    if (!ok || f) {
        stream_close(right);
        if (f) {
            s = stream_join(s, f, o, err);
            frame_unref(f);
            return s;
        }
    } else if ((p = split_new(s, right, o, err))) {
        if ((s = stream_numbered(s, STREAM_ROW, err)))
            return stream_made(s, p->head, make_join, p, release_split, err);
        release_split(p);
        return NULL;
    }
    stream_close(s);
    return NULL;
}
