/* frame/sketch_heavy.c -- the keys that occur most often.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/sketch_heavy.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool
sketch_heavy_init(struct sketch_heavy *h, size_t most, struct error *err)
{
    size_t slots = 16;

    *h = (struct sketch_heavy){.most = most};
    while (slots < 2 * most)
        slots *= 2;
    h->n_slots = slots;
    return (h->slot = mem_try_array(slots, sizeof *h->slot, err));
}

void
sketch_heavy_fini(struct sketch_heavy *h)
{
    for (size_t i = 0; h->slot && i < h->n_slots; i++)
        if (h->slot[i].count)
            free(h->slot[i].held);
    free(h->slot);
    *h = (struct sketch_heavy){0};
}

static struct sketch_heavy_item *
place_of(const struct sketch_heavy *h, uint64_t key)
{
    size_t mask = h->n_slots - 1, i = sketch_mix(key) & mask;

    while (h->slot[i].count && h->slot[i].key != key)
        i = (i + 1) & mask;
    return &h->slot[i];
}

struct sketch_heavy_item *
sketch_heavy_find(const struct sketch_heavy *h, uint64_t key)
{
    struct sketch_heavy_item *at = place_of(h, key);

    return at->count ? at : NULL;
}

/* ---- more than there is room for ---- */

static void
swap(uint64_t *a, uint64_t *b)
{
    uint64_t x = *a;

    *a = *b;
    *b = x;
}

/* The value at place k of n when they are in descending order. */
static uint64_t
select_count(uint64_t *x, size_t n, size_t k)
{
    size_t low = 0, high = n;

    while (high - low > 1) {
        uint64_t pivot = x[low + (high - low) / 2];
        size_t more = low, at = low, end = high;

        /* [more.. pivot.. less] */
        while (at < end) {
            if (x[at] > pivot)
                swap(&x[at++], &x[more++]);
            else if (x[at] < pivot)
                swap(&x[at], &x[--end]);
            else
                at++;
        }
        if (k < more)
            high = more;
        else if (k >= end)
            low = end;
        else
            return pivot;
    }
    return x[low];
}

/* The count above `lost` of the (most + 1)-th of all. */
static uint64_t
surplus(const struct sketch_heavy *h, size_t n_fresh,
        struct sketch_heavy_scratch *s)
{
    size_t n = 0, several = 0;

    for (size_t i = 0; i < h->n_slots; i++)
        if (h->slot[i].count)
            s->count[n++] = h->slot[i].count - h->lost;
    for (size_t i = 0; i < n_fresh; i++)
        s->count[n++] = s->fresh[i].count - h->lost;
    /* Of many values most are there once. */
    for (size_t i = 0; i < n; i++)
        several += s->count[i] > 1;
    return several <= h->most ? 1 : select_count(s->count, n, h->most);
}

/* Leave out of both what has no more than is lost. */
static void
drop(struct sketch_heavy *h, size_t *n_fresh, struct sketch_heavy_scratch *s)
{
    struct sketch_heavy_item *stay = s->fresh + *n_fresh;
    size_t n = 0, m = 0;

    for (size_t i = 0; i < h->n_slots; i++) {
        if (!h->slot[i].count)
            continue;
        if (h->slot[i].count > h->lost)
            stay[n++] = h->slot[i];
        else
            free(h->slot[i].held);
    }
    if (n < h->n) {
        memset(h->slot, 0, h->n_slots * sizeof *h->slot);
        for (size_t i = 0; i < n; i++)
            *place_of(h, stay[i].key) = stay[i];
        h->n = n;
    }
    for (size_t i = 0; i < *n_fresh; i++) {
        if (s->fresh[i].count > h->lost)
            s->fresh[m++] = s->fresh[i];
        else
            free(s->fresh[i].held);
    }
    *n_fresh = m;
}

static void
join(struct sketch_heavy *h, size_t n_fresh, struct sketch_heavy_scratch *s)
{
    if (h->n + n_fresh > h->most) {
        h->lost += surplus(h, n_fresh, s);
        drop(h, &n_fresh, s);
    }
    for (size_t i = 0; i < n_fresh; i++)
        *place_of(h, s->fresh[i].key) = s->fresh[i];
    h->n += n_fresh;
}

void
sketch_heavy_add(struct sketch_heavy *h, const struct sketch_point *p,
                 const uint64_t *tag, size_t n, struct sketch_heavy_scratch *s)
{
    size_t n_fresh = 0;

    for (size_t i = 0; i < n; i++) {
        struct sketch_heavy_item *at = place_of(h, p[i].key);

        if (at->count)
            at->count += p[i].weight;
        else
            s->fresh[n_fresh++] =
                (struct sketch_heavy_item){p[i].key, p[i].weight + h->lost,
                                           h->lost, tag ? tag[i] : 0, NULL};
    }
    join(h, n_fresh, s);
}

static int
more_frequent(const void *x, const void *y)
{
    const struct sketch_heavy_item *a = *(struct sketch_heavy_item *const *)x;
    const struct sketch_heavy_item *b = *(struct sketch_heavy_item *const *)y;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return (a->key > b->key) - (a->key < b->key);
}

const struct sketch_heavy_item **
sketch_heavy_list(const struct sketch_heavy *h, struct error *err)
{
    const struct sketch_heavy_item **list =
        mem_try_array(h->n, sizeof *list, err);
    size_t n = 0;

    for (size_t i = 0; list && i < h->n_slots; i++)
        if (h->slot[i].count)
            list[n++] = &h->slot[i];
    if (list)
        qsort(list, n, sizeof *list, more_frequent);
    return list;
}
