/* By address: slot[key] is the lowest row with the key, found by all threads
 * at once, since the lowest of rows does not depend on their order.
 *
 * By hashing: rows are put in order of the upper bits of their hash, which
 * name a part, in two passes (count, then move, both by chunks of rows, so
 * that rows stay ascending within a part); then each part fills its own run of
 * slots by open addressing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/keytable.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    CHUNK = 65536,
    PART_ROWS = 16384, /* 16 bytes a slot: half a megabyte */
    MAX_PARTS = 2048,
    LOOK_AHEAD = 64
};

struct slot {
    uint64_t key;
    uint32_t row; /* and 1; 0: free */
};

struct part {
    size_t slot; /* its first one */
    size_t mask;
    size_t row; /* its first one in the order of parts */
    size_t n_rows;
};

struct keytable {
    uint32_t *first;
    size_t n, count;
    uint64_t span; /* by address: of slots; else 0 */
    _Atomic uint32_t *direct;
    struct slot *slot;
    struct part *part;
    size_t n_parts;
    unsigned shift; /* of a hash, to its part */
};

struct build {
    struct keytable *t;
    const struct keytable_in *in;
    const struct progress *progress;
    size_t *place; /* [chunk][part] */
    uint64_t *key;
    uint32_t *row;
    size_t *count; /* new keys, of each chunk or part */
};

static inline uint64_t
hash_key(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0x9e3779b97f4a7c15);
    return x ^ x >> 29;
}

static inline bool
has_key(const uint64_t *valid, size_t i)
{
    return !valid || (valid[i / 64] >> (i % 64) & 1);
}

/* ---- by address ------------------------------------------------------ */

static void
clear_slots(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct keytable *t = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        atomic_init(&t->direct[i], KEYTABLE_NONE);
}

static void
put_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct build *b = ctx;

    (void)chunk;
    if (progress_stopped(b->progress))
        return;
    for (size_t i = begin; i < end; i++) {
        _Atomic uint32_t *slot;
        uint32_t lowest;

        if (!has_key(b->in->valid, i))
            continue;
        slot = &b->t->direct[b->in->key[i]];
        lowest = atomic_load_explicit(slot, memory_order_relaxed);
        while (lowest > i && !atomic_compare_exchange_weak_explicit(
                                 slot, &lowest, (uint32_t)i,
                                 memory_order_relaxed, memory_order_relaxed))
            ;
    }
}

static void
get_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct build *b = ctx;
    size_t count = 0;

    for (size_t i = begin; i < end; i++) {
        uint32_t row = KEYTABLE_NONE;

        if (has_key(b->in->valid, i))
            row = atomic_load_explicit(&b->t->direct[b->in->key[i]],
                                       memory_order_relaxed);
        b->t->first[i] = row;
        count += row == i;
    }
    b->count[chunk] = count;
}

static bool
build_direct(struct build *b, struct pool *pool, struct error *err)
{
    struct keytable *t = b->t;
    size_t chunks = pool_chunks(t->n, CHUNK);

    t->span = b->in->span;
    if (!(b->count = mem_try_array(chunks, sizeof *b->count, err)) ||
        !(t->direct = mem_try_unset(t->span, sizeof *t->direct, err)))
        return false;
    pool_for(pool, t->span, CHUNK, clear_slots, t);
    pool_for(pool, t->n, CHUNK, put_rows, b);
    if (!progress_check(b->progress, err))
        return false;
    pool_for(pool, t->n, CHUNK, get_rows, b);
    for (size_t i = 0; i < chunks; i++)
        t->count += b->count[i];
    return true;
}

/* ---- by hashing ------------------------------------------------------ */

static void
count_parts(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct build *b = ctx;
    size_t *count = b->place + chunk * b->t->n_parts;

    for (size_t i = begin; i < end; i++)
        if (has_key(b->in->valid, i))
            count[hash_key(b->in->key[i]) >> b->t->shift]++;
}

static void
move_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct build *b = ctx;
    size_t *place = b->place + chunk * b->t->n_parts;

    if (progress_stopped(b->progress))
        return;
    for (size_t i = begin; i < end; i++) {
        size_t to;

        if (!has_key(b->in->valid, i)) {
            b->t->first[i] = KEYTABLE_NONE;
            continue;
        }
        to = place[hash_key(b->in->key[i]) >> b->t->shift]++;
        b->key[to] = b->in->key[i];
        b->row[to] = (uint32_t)i;
    }
}

static void
fill_part(struct build *b, size_t p)
{
    struct keytable *t = b->t;
    const struct part *part = &t->part[p];
    struct slot *slot = t->slot + part->slot;
    size_t count = 0;

    memset(slot, 0, (part->mask + 1) * sizeof *slot);
    for (size_t i = part->row; i < part->row + part->n_rows; i++) {
        size_t at = (size_t)hash_key(b->key[i]) & part->mask;

        while (slot[at].row && slot[at].key != b->key[i])
            at = (at + 1) & part->mask;
        if (!slot[at].row) {
            slot[at].key = b->key[i];
            slot[at].row = b->row[i] + 1;
            count++;
        }
        t->first[b->row[i]] = slot[at].row - 1;
    }
    b->count[p] = count;
}

static void
fill_parts(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct build *b = ctx;

    (void)chunk;
    for (size_t p = begin; p < end && !progress_stopped(b->progress); p++)
        fill_part(b, p);
}

/* Counts become places, and parts get their slots; returns how many slots. */
static size_t
lay_out(struct build *b, size_t chunks)
{
    struct keytable *t = b->t;
    size_t row = 0, slots = 0;

    for (size_t p = 0; p < t->n_parts; p++) {
        struct part *part = &t->part[p];
        size_t n_slots = 8;

        part->row = row;
        for (size_t c = 0; c < chunks; c++) {
            size_t *place = &b->place[c * t->n_parts + p], n = *place;

            *place = row;
            row += n;
        }
        part->n_rows = row - part->row;
        while (n_slots / 4 * 3 <= part->n_rows)
            n_slots *= 2;
        part->slot = slots;
        part->mask = n_slots - 1;
        slots += n_slots;
    }
    return slots;
}

static bool
build_hashed(struct build *b, struct pool *pool, struct error *err)
{
    struct keytable *t = b->t;
    size_t chunks = pool_chunks(t->n, CHUNK), cells;

    t->n_parts = 2;
    t->shift = 63;
    while (t->n_parts < t->n / PART_ROWS && t->n_parts < MAX_PARTS) {
        t->n_parts *= 2;
        t->shift--;
    }
    if (!mem_mul(chunks, t->n_parts, &cells))
        return error_set(err, ERR_LIMIT, "too many rows");
    if (!(t->part = mem_try_array(t->n_parts, sizeof *t->part, err)) ||
        !(b->count = mem_try_array(t->n_parts, sizeof *b->count, err)) ||
        !(b->place = mem_try_array(cells, sizeof *b->place, err)) ||
        !(b->key = mem_try_unset(t->n, sizeof *b->key, err)) ||
        !(b->row = mem_try_unset(t->n, sizeof *b->row, err)))
        return false;
    pool_for(pool, t->n, CHUNK, count_parts, b);
    if (!(t->slot = mem_try_unset(lay_out(b, chunks), sizeof *t->slot, err)))
        return false;
    pool_for(pool, t->n, CHUNK, move_rows, b);
    pool_for(pool, t->n_parts, 1, fill_parts, b);
    for (size_t p = 0; p < t->n_parts; p++)
        t->count += b->count[p];
    return progress_check(b->progress, err);
}

/* ---- the table ------------------------------------------------------- */

struct keytable *
keytable_new(const struct keytable_in *in, struct pool *pool,
             const struct progress *progress, struct error *err)
{
    struct keytable *t = mem_try_array(1, sizeof *t, err);
    struct build b = {.t = t, .in = in, .progress = progress};
    bool small = in->span && in->span / 4 <= in->n + CHUNK / 4;
    bool ok;

    if (!t)
        return NULL;
    t->n = in->n;
    ok = (t->first = mem_try_unset(in->n, sizeof *t->first, err)) &&
         (small ? build_direct(&b, pool, err) : build_hashed(&b, pool, err));
    free(b.place);
    free(b.key);
    free(b.row);
    free(b.count);
    if (ok)
        return t;
    keytable_free(t);
    return NULL;
}

void
keytable_free(struct keytable *t)
{
    if (!t)
        return;
    free(t->first);
    free((void *)(uintptr_t)t->direct);
    free(t->slot);
    free(t->part);
    free(t);
}

const uint32_t *
keytable_first(const struct keytable *t)
{
    return t->first;
}

size_t
keytable_count(const struct keytable *t)
{
    return t->count;
}

static void
find_direct(const struct keytable *t, const uint64_t *key,
            const uint64_t *valid, size_t n, uint32_t *first)
{
    for (size_t i = 0; i < n; i++)
        first[i] =
            has_key(valid, i) && key[i] < t->span
                ? atomic_load_explicit(&t->direct[key[i]], memory_order_relaxed)
                : KEYTABLE_NONE;
}

/* A few keys at a time, so that waiting for their slots overlaps. */
static void
find_hashed(const struct keytable *t, const uint64_t *key, size_t n,
            uint32_t *first)
{
    size_t at[LOOK_AHEAD];
    const struct part *part[LOOK_AHEAD];

    for (size_t i = 0; i < n; i++) {
        uint64_t hash = hash_key(key[i]);

        part[i] = &t->part[hash >> t->shift];
        at[i] = (size_t)hash & part[i]->mask;
        PREFETCH(&t->slot[part[i]->slot + at[i]]);
    }
    for (size_t i = 0; i < n; i++) {
        const struct slot *slot = t->slot + part[i]->slot;

        while (slot[at[i]].row && slot[at[i]].key != key[i])
            at[i] = (at[i] + 1) & part[i]->mask;
        first[i] = slot[at[i]].row - 1; /* 0 becomes KEYTABLE_NONE */
    }
}

void
keytable_find(const struct keytable *t, const uint64_t *key,
              const uint64_t *valid, size_t n, uint32_t *first)
{
    if (t->direct) {
        find_direct(t, key, valid, n, first);
        return;
    }
    for (size_t i = 0; i < n; i += LOOK_AHEAD)
        find_hashed(t, key + i, n - i < LOOK_AHEAD ? n - i : LOOK_AHEAD,
                    first + i);
    for (size_t i = 0; valid && i < n; i++)
        if (!has_key(valid, i))
            first[i] = KEYTABLE_NONE;
}
