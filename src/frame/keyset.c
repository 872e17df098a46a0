/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/keyset.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/order.h"

enum { CHUNK = 16384, BATCH = 256, FIRST_SLOTS = 1024, LOOK_AHEAD = 16 };

/* ---- hashing --------------------------------------------------------- */

static inline uint64_t
mix(uint64_t h, uint64_t x, uint64_t by)
{
    h = (h ^ x) * by;
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 29;
}

/* Each half sees the whole value through a multiplier of its own. */
static inline void
mix_key(struct key128 *k, uint64_t high, uint64_t low)
{
    k->high = mix(k->high ^ (low << 1 | low >> 63), high,
                  UINT64_C(0x9e3779b97f4a7c15));
    k->low = mix(k->low, low, UINT64_C(0xff51afd7ed558ccd));
    k->high ^= k->low >> 31;
}

struct hashing {
    const struct column *c;
    const uint32_t *rows;
    struct key128 *out;  /* of each row */
    struct key128 *text; /* of each entry of the dict; NULL: hash each row */
};

static struct key128
hash_text(struct str s)
{
    uint64_t h[2];

    file_hash_words(s.p, s.n, h);
    return (struct key128){h[0], h[1]};
}

static void
hash_entries(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct hashing *h = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        h->text[i] = hash_text(dict_text(column_dict(h->c), (uint32_t)i));
}

static void
hash_texts(struct hashing *h, size_t begin, size_t end)
{
    const uint32_t *codes = column_codes(h->c);

    for (size_t i = begin; i < end; i++) {
        size_t row = h->rows ? h->rows[i] : i;
        struct key128 k = {0x6d697373, 0};

        if (column_is_valid(h->c, row))
            k = h->text ? h->text[codes[row]]
                        : hash_text(column_text(h->c, row));
        mix_key(&h->out[i], k.high, k.low);
    }
}

static void
hash_numbers(struct hashing *h, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        size_t row = h->rows ? h->rows[i] : i;
        uint64_t key;

        order_keys(h->c, row, row + 1, NULL, &key);
        mix_key(&h->out[i], column_is_valid(h->c, row), key);
    }
}

static void
hash_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct hashing *h = ctx;

    (void)chunk;
    if (column_type(h->c) == COL_TEXT)
        hash_texts(h, begin, end);
    else
        hash_numbers(h, begin, end);
}

static bool
hash_column(const struct column *c, const uint32_t *rows, size_t n,
            struct key128 *out, struct pool *pool, struct error *err)
{
    struct hashing h = {.c = c, .rows = rows, .out = out};
    size_t n_texts = column_dict(c) ? dict_count(column_dict(c)) : 0;

    if (n_texts > 0 && n_texts <= 2 * n) {
        if (!(h.text = mem_try_unset(n_texts, sizeof *h.text, err)))
            return false;
        pool_for(pool, n_texts, CHUNK, hash_entries, &h);
    }
    pool_for(pool, n, CHUNK, hash_rows, &h);
    free(h.text);
    return true;
}

struct key128 *
key128_rows(const struct frame *f, const size_t *by, size_t n_by,
            const uint32_t *rows, size_t n, struct pool *pool,
            struct error *err)
{
    struct key128 *out = mem_try_array(n, sizeof *out, err);

    for (size_t i = 0; out && i < n_by; i++)
        if (!hash_column(frame_column(f, by[i]), rows, n, out, pool, err)) {
            free(out);
            return NULL;
        }
    return out;
}

bool
key128_column(const struct column *c, struct key128 *out, struct pool *pool,
              struct error *err)
{
    for (size_t i = 0; i < column_rows(c); i++)
        out[i] = (struct key128){0, 0};
    return hash_column(c, NULL, column_rows(c), out, pool, err);
}

/* ---- the set --------------------------------------------------------- */

struct slot {
    struct key128 key;
    uint32_t id; /* and 1; 0: free */
};

struct keyset {
    struct slot *slot;
    size_t mask, n;
};

struct keyset *
keyset_new(struct error *err)
{
    struct keyset *k = mem_try_array(1, sizeof *k, err);

    if (k && !(k->slot = mem_try_array(FIRST_SLOTS, sizeof *k->slot, err))) {
        free(k);
        return NULL;
    }
    if (k)
        k->mask = FIRST_SLOTS - 1;
    return k;
}

void
keyset_free(struct keyset *k)
{
    if (!k)
        return;
    free(k->slot);
    free(k);
}

size_t
keyset_count(const struct keyset *k)
{
    return k->n;
}

size_t
keyset_bytes(const struct keyset *k)
{
    return (k->mask + 1) * sizeof *k->slot;
}

static inline struct slot *
find_slot(const struct keyset *k, struct key128 key)
{
    size_t at = (size_t)key.low & k->mask;

    while (k->slot[at].id &&
           (k->slot[at].key.high != key.high || k->slot[at].key.low != key.low))
        at = (at + 1) & k->mask;
    return &k->slot[at];
}

static bool
grow(struct keyset *k, struct error *err)
{
    size_t n = k->mask + 1;
    struct slot *old = k->slot, *more = mem_try_array(2 * n, sizeof *more, err);

    if (!more)
        return false;
    k->slot = more;
    k->mask = 2 * n - 1;
    for (size_t i = 0; i < n; i++)
        if (old[i].id)
            *find_slot(k, old[i].key) = old[i];
    free(old);
    return true;
}

bool
keyset_number(struct keyset *k, const struct key128 *key, size_t n, bool closed,
              uint32_t *id, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct slot *s;

        if (i + LOOK_AHEAD < n)
            PREFETCH(&k->slot[key[i + LOOK_AHEAD].low & k->mask]);
        s = find_slot(k, key[i]);
        if (!s->id && !closed) {
            if (k->n >= KEYSET_NONE - 1)
                return error_set(err, ERR_LIMIT, "more than %lu groups",
                                 (unsigned long)KEYSET_NONE - 1);
            *s = (struct slot){key[i], (uint32_t)++k->n};
            id[i] = s->id - 1;
            if (k->n > k->mask / 3 * 2 && !grow(k, err))
                return false;
            continue;
        }
        id[i] = s->id - 1; /* 0 becomes KEYSET_NONE */
    }
    return true;
}
