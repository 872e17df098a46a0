/* Where the ranges of the columns fit into 64 bits together, a row is its key
 * (frame/rowkey) and a table over keys says which rows are equal.  Else rows
 * are hashed to 64 bits, and each is compared with the first of its hash;
 * should two different rows ever share one, keys are made after all, which
 * then takes a table for each column that does not fit.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/rowgroup.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "frame/keytable.h"
#include "frame/order.h"
#include "frame/rowkey.h"

enum { CHUNK = 65536, BATCH = 1024 };

struct finder {
    const struct frame *f;
    const size_t *by;
    size_t n_by;
    const struct progress *progress;
    uint64_t *hash;        /* of each row */
    const uint32_t *first; /* row of each that has its key */
    atomic_bool differ;    /* two rows of one hash */
    struct rowgroup *out;
    size_t *n_first; /* of each chunk, then where its numbers begin */
};

/* ---- hashing --------------------------------------------------------- */

static uint64_t
mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 29;
}

/* A missing value must not hash as the value 0. */
static void
hash_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct finder *s = ctx;
    uint64_t key[BATCH];

    (void)chunk;
    for (size_t k = 0; k < s->n_by && !progress_stopped(s->progress); k++) {
        const struct column *c = frame_column(s->f, s->by[k]);
        const uint64_t *valid = column_validity(c);

        for (size_t at = begin; at < end; at += BATCH) {
            size_t n = end - at < BATCH ? end - at : BATCH;

            order_keys(c, at, at + n, NULL, key);
            for (size_t i = 0; i < n; i++)
                s->hash[at + i] =
                    mix(s->hash[at + i], key[i] + !column_bit(valid, at + i));
        }
    }
}

static bool
rows_equal(const struct finder *s, size_t a, size_t b)
{
    for (size_t k = 0; k < s->n_by; k++) {
        const struct column *c = frame_column(s->f, s->by[k]);
        uint64_t x, y;

        if (column_is_valid(c, a) != column_is_valid(c, b))
            return false;
        order_keys(c, a, a + 1, NULL, &x);
        order_keys(c, b, b + 1, NULL, &y);
        if (x != y)
            return false;
    }
    return true;
}

static void
compare_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct finder *s = ctx;

    (void)chunk;
    for (size_t i = begin; i < end && !progress_stopped(s->progress); i++)
        if (s->first[i] != i && !rows_equal(s, s->first[i], i)) {
            atomic_store(&s->differ, true);
            return;
        }
}

static struct keytable *
table_by_hash(struct finder *s, struct pool *pool, struct error *err)
{
    struct keytable_in in = {.n = frame_rows(s->f)};
    struct keytable *t = NULL;

    if (!(s->hash = mem_try_array(in.n, sizeof *s->hash, err)))
        return NULL;
    pool_for(pool, in.n, CHUNK, hash_rows, s);
    in.key = s->hash;
    if ((t = keytable_new(&in, pool, s->progress, err))) {
        s->first = keytable_first(t);
        pool_for(pool, in.n, CHUNK, compare_rows, s);
    }
    free(s->hash);
    return t;
}

/* ---- keys ------------------------------------------------------------ */

/* NULL without an error when packs says no; k is freed. */
static struct keytable *
table_by_key(struct finder *s, struct pool *pool, bool *packs,
             struct error *err)
{
    struct rowkey *k = rowkey_new(s->f, s->by, s->n_by, pool, packs, err);
    struct keytable_in in = {.n = frame_rows(s->f)};
    struct keytable *t = NULL;
    uint64_t *key, *valid;

    if (k && rowkey_all(k, 0, pool, &key, &valid, err)) {
        in.key = key;
        in.valid = valid;
        in.span = rowkey_span(k);
        t = keytable_new(&in, pool, s->progress, err);
        free(key);
        free(valid);
    }
    rowkey_free(k);
    return t;
}

static struct keytable *
find_first(struct finder *s, struct pool *pool, struct error *err)
{
    bool packs;
    struct keytable *t = table_by_key(s, pool, &packs, err);

    if (t || packs)
        return t;
    t = table_by_hash(s, pool, err);
    if (!t || !atomic_load(&s->differ))
        return t;
    keytable_free(t);
    return table_by_key(s, pool, NULL, err);
}

/* ---- numbers --------------------------------------------------------- */

static void
count_first(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct finder *s = ctx;

    for (size_t i = begin; i < end; i++)
        s->n_first[chunk] += s->first[i] == i;
}

static void
number_first(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct finder *s = ctx;
    size_t at = s->n_first[chunk];

    for (size_t i = begin; i < end; i++)
        if (s->first[i] == i) {
            s->out->group[i] = (uint32_t)at;
            s->out->first[at++] = (uint32_t)i;
        }
}

/* The others, once all firsts have theirs. */
static void
number_rest(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct finder *s = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        if (s->first[i] != i)
            s->out->group[i] = s->out->group[s->first[i]];
}

static bool
number_rows(struct finder *s, size_t n_groups, struct pool *pool,
            struct error *err)
{
    size_t n = frame_rows(s->f), chunks = pool_chunks(n, CHUNK), at = 0;

    if (!(s->out->group = mem_try_unset(n, sizeof *s->out->group, err)) ||
        !(s->out->first =
              mem_try_unset(n_groups, sizeof *s->out->first, err)) ||
        !(s->n_first = mem_try_array(chunks, sizeof *s->n_first, err)))
        return false;
    pool_for(pool, n, CHUNK, count_first, s);
    for (size_t c = 0; c < chunks; c++) {
        size_t count = s->n_first[c];

        s->n_first[c] = at;
        at += count;
    }
    pool_for(pool, n, CHUNK, number_first, s);
    pool_for(pool, n, CHUNK, number_rest, s);
    s->out->n_groups = n_groups;
    free(s->n_first);
    return true;
}

bool
rowgroup_find(const struct frame *f, const size_t *by, size_t n_by,
              struct pool *pool, const struct progress *progress,
              struct rowgroup *out, struct error *err)
{
    struct finder s = {
        .f = f, .by = by, .n_by = n_by, .progress = progress, .out = out};
    struct keytable *t;
    bool ok = false;

    *out = (struct rowgroup){0};
    atomic_init(&s.differ, false);
    if ((t = find_first(&s, pool, err)) && progress_check(progress, err)) {
        s.first = keytable_first(t);
        ok = number_rows(&s, keytable_count(t), pool, err);
    }
    keytable_free(t);
    return ok;
}

void
rowgroup_fini(struct rowgroup *g)
{
    free(g->group);
    free(g->first);
    *g = (struct rowgroup){0};
}
