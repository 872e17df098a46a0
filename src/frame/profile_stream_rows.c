/* Rows of a stream that repeat an earlier one, nearly repeat one, or are in
 * another table.
 *
 * Each row is a 64-bit hash of its values; a lot (profile_stream_lot.c) counts
 * those that come again.  Two different rows share a hash with a chance of 1 to
 * 3,700 in a hundred million rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"
#include "frame/profile_stream_part.h"

enum { MISSING = 0x6d697373 };

/* Rows of the other table. */
struct wanted {
    uint64_t hash;
    uint32_t rows; /* 0: free */
    atomic_bool found;
};

struct repeats {
    struct lot *lot;
    uint64_t *hash; /* of the batch at hand */
    size_t cap;
    uint64_t *as_is, *loose; /* of the first PROFILE_NEAR rows */
    size_t n_near, cap_near;
    struct wanted *want;
    size_t n_want; /* slots */
    size_t *common, n_common;
};

/* ---- another table ---- */

static struct wanted *
slot_of(const struct repeats *r, uint64_t hash)
{
    size_t mask = r->n_want - 1, i = sketch_mix(hash) & mask;

    while (r->want[i].rows && r->want[i].hash != hash)
        i = (i + 1) & mask;
    return &r->want[i];
}

static bool
want_rows(struct repeats *r, const struct frame *other, const size_t *cols,
          struct pool *pool, struct error *err)
{
    struct rowhash h = {.frame = other,
                        .cols = cols,
                        .n_cols = r->n_common,
                        .n = frame_rows(other)};

    for (r->n_want = 16; r->n_want < 2 * h.n;)
        r->n_want *= 2;
    if (!(r->want = mem_try_array(r->n_want, sizeof *r->want, err)) ||
        !rowhash_fill(&h, pool, err))
        return false;
    for (size_t i = 0; i < h.n; i++) {
        struct wanted *w = slot_of(r, h.hash[i]);

        w->hash = h.hash[i];
        w->rows++;
    }
    free(h.hash);
    return true;
}

static bool
want_table(struct repeats *r, const struct frame *head,
           const struct frame *other, struct pool *pool, struct error *err)
{
    size_t n = frame_cols(head);
    size_t *there = mem_try_array(n, sizeof *there, err);
    bool ok = there && (r->common = mem_try_array(n, sizeof *there, err));

    if (ok)
        r->n_common = profile_common(head, other, r->common, there);
    if (ok && r->n_common > 0)
        ok = want_rows(r, other, there, pool, err);
    free(there);
    return ok;
}

struct repeats *
repeats_new(const struct frame *head, const struct frame *against,
            struct pool *pool, struct error *err)
{
    struct repeats *r = mem_try_array(1, sizeof *r, err);

    if (!r)
        return NULL;
    if (!(r->lot = lot_new(err)) ||
        (against && !want_table(r, head, against, pool, err))) {
        repeats_free(r);
        return NULL;
    }
    return r;
}

void
repeats_free(struct repeats *r)
{
    if (!r)
        return;
    lot_free(r->lot);
    free(r->hash);
    free(r->as_is);
    free(r->loose);
    free(r->want);
    free(r->common);
    free(r);
}

/* ---- a batch ---- */

struct hashing {
    struct repeats *r;
    const struct gather *g;
    const struct frame *frame;
    const uint64_t *other; /* hashes of the common columns */
};

static void
hash_column(const struct hashing *h, size_t col, size_t begin, size_t end)
{
    const struct column *c = frame_column(h->frame, col);
    const uint64_t *valid = column_validity(c);
    const struct gather *g = &h->g[col];
    uint64_t *hash = h->r->hash;
    uint64_t key[GATHER_GRAIN];

    if (g->type == COL_TEXT)
        for (size_t i = begin; i < end; i++)
            key[i - begin] =
                column_bit(valid, i) ? g->hash[column_codes(c)[i]] : MISSING;
    else
        order_keys(c, begin, end, NULL, key);
    if (valid && g->type != COL_TEXT)
        for (size_t i = begin; i < end; i++)
            key[i - begin] =
                column_bit(valid, i) ? key[i - begin] : (uint64_t)MISSING;
    if (g->type == COL_FLOAT64)
        for (size_t i = 0; i < end - begin; i++)
            key[i] = key[i] == UINT64_MAX ? (uint64_t)MISSING : key[i];
    for (size_t i = begin; i < end; i++)
        hash[i] = sketch_fold(hash[i], key[i - begin]);
}

static void
hash_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct hashing *h = ctx;

    (void)chunk;
    memset(h->r->hash + begin, 0, (end - begin) * sizeof *h->r->hash);
    for (size_t col = 0; col < frame_cols(h->frame); col++)
        hash_column(h, col, begin, end);
}

static void
look_for_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct hashing *h = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        struct wanted *w = slot_of(h->r, h->other[i]);

        if (w->rows)
            atomic_store_explicit(&w->found, true, memory_order_relaxed);
    }
}

static bool
meet_other(struct repeats *r, const struct frame *f, struct pool *pool,
           struct error *err)
{
    struct rowhash h = {.frame = f,
                        .cols = r->common,
                        .n_cols = r->n_common,
                        .n = frame_rows(f)};
    struct hashing look = {.r = r};

    if (!rowhash_fill(&h, pool, err))
        return false;
    look.other = h.hash;
    pool_for(pool, h.n, GATHER_GRAIN, look_for_rows, &look);
    free(h.hash);
    return true;
}

static bool
grow_near(struct repeats *r, size_t n, struct error *err)
{
    size_t cap = n > PROFILE_NEAR / 2 ? PROFILE_NEAR : 2 * n;
    uint64_t *more;

    if (n <= r->cap_near)
        return true;
    if (!(more = mem_try_resize(r->as_is, cap, sizeof *more, err)))
        return false;
    r->as_is = more;
    if (!(more = mem_try_resize(r->loose, cap, sizeof *more, err)))
        return false;
    r->loose = more;
    r->cap_near = cap;
    return true;
}

static bool
keep_near(struct repeats *r, const struct frame *f, struct pool *pool,
          struct error *err)
{
    size_t room = PROFILE_NEAR - r->n_near;
    size_t n = frame_rows(f) < room ? frame_rows(f) : room;

    if (n == 0)
        return true;
    if (!grow_near(r, r->n_near + n, err))
        return false;
    for (int loose = 0; loose < 2; loose++) {
        struct rowhash h = {
            .frame = f, .n_cols = frame_cols(f), .n = n, .loose = loose};

        if (!rowhash_fill(&h, pool, err))
            return false;
        memcpy((loose ? r->loose : r->as_is) + r->n_near, h.hash,
               n * sizeof *h.hash);
        free(h.hash);
    }
    r->n_near += n;
    return true;
}

bool
repeats_add(struct repeats *r, const struct gather *g, const struct frame *f,
            struct pool *pool, struct error *err)
{
    size_t n = frame_rows(f);
    struct hashing h = {.r = r, .g = g, .frame = f};

    if (n > r->cap || !r->hash) {
        free(r->hash);
        r->cap = 0;
        if (!(r->hash = mem_try_unset(n, sizeof *r->hash, err)))
            return false;
        r->cap = n;
    }
    pool_for(pool, n, GATHER_GRAIN, hash_rows, &h);
    return lot_add(r->lot, r->hash, n, err) && keep_near(r, f, pool, err) &&
           (!r->n_common || meet_other(r, f, pool, err));
}

/* ---- in the end ---- */

bool
repeats_end(struct repeats *r, struct profile *p,
            struct profile_overlap *overlap, struct pool *pool,
            struct progress *progress, struct error *err)
{
    progress_begin(progress, "looking for repeated rows", 0);
    overlap->n_common = r->n_common;
    for (size_t i = 0; i < r->n_want; i++)
        if (atomic_load(&r->want[i].found))
            overlap->n += r->want[i].rows;
    return (p->n_cols == 0 ||
            lot_repeats(r->lot, pool, progress, &p->n_duplicates, err)) &&
           (r->n_near == 0 ||
            profile_near_count(p, r->as_is, r->loose, r->n_near, err));
}
