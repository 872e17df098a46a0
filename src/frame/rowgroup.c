/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/rowgroup.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/order.h"

enum { CHUNK = 16384, BATCH = 1024, FIRST_SLOTS = 1024, CHECK_EVERY = 65536 };

struct finder {
    const struct frame *f;
    const size_t *by;
    size_t n_by;
    uint64_t *hash; /* of each row */
    uint64_t *slot; /* 0: free; else high half of the hash, group + 1 */
    size_t n_slots; /* a power of two, at least twice the groups */
    const struct progress *progress;
};

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

static bool
grow(struct finder *s, const struct rowgroup *g, struct error *err)
{
    size_t n = s->n_slots ? s->n_slots * 2 : FIRST_SLOTS;
    uint64_t *slot = mem_try_array(n, sizeof *slot, err);

    if (!slot)
        return false;
    free(s->slot);
    s->slot = slot;
    s->n_slots = n;
    for (size_t i = 0; i < g->n_groups; i++) {
        uint64_t hash = s->hash[g->first[i]];
        size_t at = (size_t)hash & (n - 1);

        while (slot[at])
            at = (at + 1) & (n - 1);
        slot[at] = hash >> 32 << 32 | (i + 1);
    }
    return true;
}

/* The slot of the group that row belongs to, or the free one for a new. */
static uint64_t *
probe(const struct finder *s, const struct rowgroup *g, size_t row)
{
    uint64_t hash = s->hash[row];
    size_t at = (size_t)hash & (s->n_slots - 1);

    for (;; at = (at + 1) & (s->n_slots - 1)) {
        uint64_t v = s->slot[at];

        if (!v || (v >> 32 == hash >> 32 &&
                   rows_equal(s, g->first[(uint32_t)v - 1], row)))
            return &s->slot[at];
    }
}

static bool
number_rows(struct finder *s, struct rowgroup *g, struct error *err)
{
    size_t n = frame_rows(s->f);

    for (size_t i = 0; i < n; i++) {
        uint64_t *slot;

        if (i % CHECK_EVERY == 0 && !progress_check(s->progress, err))
            return false;
        if (2 * g->n_groups >= s->n_slots && !grow(s, g, err))
            return false;
        slot = probe(s, g, i);
        if (!*slot) {
            g->first[g->n_groups++] = (uint32_t)i;
            *slot = s->hash[i] >> 32 << 32 | g->n_groups;
        }
        g->group[i] = (uint32_t)*slot - 1;
    }
    return true;
}

bool
rowgroup_find(const struct frame *f, const size_t *by, size_t n_by,
              struct pool *pool, const struct progress *progress,
              struct rowgroup *out, struct error *err)
{
    struct finder s = {.f = f, .by = by, .n_by = n_by, .progress = progress};
    size_t n = frame_rows(f);
    bool ok = false;

    *out = (struct rowgroup){0};
    if (!(out->group = mem_try_array(n, sizeof *out->group, err)) ||
        !(out->first = mem_try_array(n, sizeof *out->first, err)) ||
        !(s.hash = mem_try_array(n, sizeof *s.hash, err)))
        goto out;
    pool_for(pool, n, CHUNK, hash_rows, &s);
    ok = progress_check(progress, err) && number_rows(&s, out, err);
out:
    free(s.hash);
    free(s.slot);
    return ok;
}

void
rowgroup_fini(struct rowgroup *g)
{
    free(g->group);
    free(g->first);
    *g = (struct rowgroup){0};
}
