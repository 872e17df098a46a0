/* frame/sketch_distinct.c -- how many values differ.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/sketch_distinct.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_SLOTS = 256, WORD = 8, AHEAD = 8 };

uint64_t
sketch_hash_text(struct str s)
{
    uint64_t h = sketch_mix(s.n), word;
    size_t i = 0;

    for (; i + WORD <= s.n; i += WORD) {
        memcpy(&word, s.p + i, WORD);
        h = sketch_fold(h, word);
    }
    if (i == s.n)
        return h;
    word = 0;
    memcpy(&word, s.p + i, s.n - i);
    return sketch_fold(h, word);
}

/* ---- the table ---- */

static bool
make_slots(struct sketch_distinct *d, size_t n, struct error *err)
{
    struct sketch_point *slot = mem_try_array(n, sizeof *slot, err);
    struct sketch_text *text = NULL;

    if (!slot || (d->texts && !(text = mem_try_array(n, sizeof *text, err)))) {
        free(slot);
        return false;
    }
    d->slot = slot;
    d->text = text;
    d->n_slots = n;
    return true;
}

bool
sketch_distinct_init(struct sketch_distinct *d, size_t most, bool texts,
                     struct error *err)
{
    *d = (struct sketch_distinct){.most = most, .texts = texts};
    return make_slots(d, FIRST_SLOTS, err);
}

void
sketch_distinct_fini(struct sketch_distinct *d)
{
    free(d->slot);
    free(d->text);
    free(d->bytes);
    *d = (struct sketch_distinct){0};
}

/* The slot of a key, or the free one that it would take. */
static size_t
place_of(const struct sketch_distinct *d, uint64_t key, uint64_t hash)
{
    size_t mask = d->n_slots - 1, i = hash & mask;

    while (d->slot[i].weight && d->slot[i].key != key)
        i = (i + 1) & mask;
    return i;
}

/* Move all that the level wants into n slots and, where some go, the texts
 * that stay together. */
static bool
rebuild(struct sketch_distinct *d, size_t n, struct error *err)
{
    struct sketch_distinct old = *d;
    char *bytes = NULL;

    if (!make_slots(d, n, err))
        return false;
    if (d->texts && old.n_bytes &&
        !(bytes = mem_try_resize(NULL, old.n_bytes, 1, err))) {
        free(d->slot);
        free(d->text);
        *d = old;
        return false;
    }
    d->n = d->n_bytes = 0;
    for (size_t i = 0; i < old.n_slots; i++) {
        uint64_t hash = sketch_mix(old.slot[i].key);
        size_t to;

        if (!old.slot[i].weight || !sketch_distinct_wants(d, hash))
            continue;
        to = place_of(d, old.slot[i].key, hash);
        d->slot[to] = old.slot[i];
        d->n++;
        if (!bytes)
            continue;
        d->text[to] =
            (struct sketch_text){(uint32_t)d->n_bytes, old.text[i].len};
        memcpy(bytes + d->n_bytes, old.bytes + old.text[i].at, old.text[i].len);
        d->n_bytes += old.text[i].len;
    }
    if (bytes) {
        d->bytes = bytes;
        d->cap_bytes = old.n_bytes;
        free(old.bytes);
    }
    free(old.slot);
    free(old.text);
    return true;
}

static bool
is_over(const struct sketch_distinct *d)
{
    return d->n > d->most || (d->n_bytes > SKETCH_TEXTS && d->n > d->most / 8);
}

static bool
keep_text(struct sketch_distinct *d, size_t slot, struct str s,
          struct error *err)
{
    size_t len = s.n < SKETCH_TEXT ? s.n : SKETCH_TEXT;

    /* Not within a character. */
    if (len < s.n)
        while (len > 0 && ((unsigned char)s.p[len] & 0xc0) == 0x80)
            len--;
    if (d->n_bytes + len > d->cap_bytes) {
        size_t cap = 2 * d->cap_bytes + SKETCH_TEXT;
        char *more = mem_try_resize(d->bytes, cap, 1, err);

        if (!more)
            return false;
        d->bytes = more;
        d->cap_bytes = cap;
    }
    if (len)
        memcpy(d->bytes + d->n_bytes, s.p, len);
    d->text[slot] = (struct sketch_text){(uint32_t)d->n_bytes, (uint32_t)len};
    d->n_bytes += len;
    return true;
}

bool
sketch_distinct_add(struct sketch_distinct *d, uint64_t key, uint64_t weight,
                    struct str s, struct error *err)
{
    size_t i = place_of(d, key, sketch_mix(key));

    if (d->slot[i].weight) {
        d->slot[i].weight += weight;
        return true;
    }
    if (d->texts && !keep_text(d, i, s, err))
        return false;
    d->slot[i] = (struct sketch_point){key, weight};
    d->n++;
    while (is_over(d)) {
        d->level++;
        if (!rebuild(d, d->n_slots, err)) {
            d->level--;
            return false;
        }
    }
    return d->n <= d->n_slots / 2 || rebuild(d, 2 * d->n_slots, err);
}

bool
sketch_distinct_is_full(const struct sketch_distinct *d)
{
    return d->n >= d->most ||
           (d->n_bytes + SKETCH_TEXT > SKETCH_TEXTS && d->n >= d->most / 8);
}

static bool
count_one(struct sketch_distinct *d, uint64_t key, uint64_t hash, bool *full,
          struct error *err)
{
    struct sketch_point *p = &d->slot[hash & (d->n_slots - 1)];

    if (p->weight && p->key == key) {
        p->weight++;
        return true;
    }
    p = &d->slot[place_of(d, key, hash)];
    if (p->weight) {
        p->weight++;
        return true;
    }
    *full = sketch_distinct_is_full(d);
    return *full || sketch_distinct_add(d, key, 1, (struct str){0}, err);
}

bool
sketch_distinct_count(struct sketch_distinct *d, const uint64_t *key, size_t n,
                      size_t *done, struct error *err)
{
    uint64_t hash[AHEAD];
    bool full = false;

    for (size_t i = 0; i < n; i += AHEAD) {
        size_t m = n - i < AHEAD ? n - i : AHEAD;

        for (size_t k = 0; k < m; k++)
            hash[k] = sketch_mix(key[i + k]);
        for (size_t k = 0; k < m; k++) {
            if (!count_one(d, key[i + k], hash[k], &full, err))
                return false;
            if (full) {
                *done = i + k;
                return true;
            }
        }
    }
    *done = n;
    return true;
}

/* ---- what it tells ---- */

const struct sketch_point *
sketch_distinct_find(const struct sketch_distinct *d, uint64_t key)
{
    size_t i = place_of(d, key, sketch_mix(key));

    return d->slot[i].weight ? &d->slot[i] : NULL;
}

struct str
sketch_distinct_text(const struct sketch_distinct *d,
                     const struct sketch_point *p)
{
    const struct sketch_text *t = d->texts ? &d->text[p - d->slot] : NULL;

    return t && t->len ? (struct str){d->bytes + t->at, t->len}
                       : (struct str){"", 0};
}

static int
by_key(const void *x, const void *y)
{
    const struct sketch_point *a = x, *b = y;

    return (a->key > b->key) - (a->key < b->key);
}

struct sketch_point *
sketch_distinct_points(const struct sketch_distinct *d, struct error *err)
{
    struct sketch_point *p = mem_try_array(d->n, sizeof *p, err);
    size_t n = 0;

    for (size_t i = 0; p && i < d->n_slots; i++)
        if (d->slot[i].weight)
            p[n++] = d->slot[i];
    if (p)
        qsort(p, n, sizeof *p, by_key);
    return p;
}

double
sketch_distinct_estimate(const struct sketch_distinct *d)
{
    return ldexp((double)d->n, (int)d->level);
}

double
sketch_distinct_error(const struct sketch_distinct *d)
{
    if (d->level == 0)
        return 0;
    return d->n > 9 ? 3 / sqrt((double)d->n) : 1;
}
