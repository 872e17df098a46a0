/* engine/trees/bundle.c -- which columns share one code.
 *
 * The rows where a column is off its usual value are listed, some columns at a
 * time; then column after column goes into the first bundle that has room and
 * none of its rows.  A set of rows is kept for each of the bundles that are
 * open; when there are too many the oldest takes no more.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    BLOCK = 4096,
    SPARSE = 4, /* off its value in one row of so many, at most */
    OPEN = 32,  /* bundles that may still take columns */
    BATCH = 64,
    BATCH_ROWS = 1 << 24 /* listed at a time */
};

/* The rows where a slot is off its usual code, and those codes are not kept:
 * that there are none tells that it cannot be bundled. */
struct listed {
    uint32_t *row; /* room for `most` */
    size_t n;
    uint8_t rest;
    bool fits;
};

struct listing {
    const struct design *d;
    const struct binned *b;
    struct progress *progress;
    size_t first, most; /* slot of listed[0]; rows it may have */
    struct listed *listed;
};

static uint8_t
usual_code(const uint8_t *code, size_t n)
{
    size_t count[256] = {0}, best = 0;

    for (size_t i = 0; i < n; i++)
        count[code[i]]++;
    for (size_t k = 1; k < 256; k++)
        best = count[k] > count[best] ? k : best;
    return (uint8_t)best;
}

static bool
list_slot(const struct listing *j, size_t slot, struct listed *l)
{
    const struct binned_slot *s = &j->b->slot[slot];
    size_t rows = design_rows(j->d);
    double x[BLOCK];
    uint8_t code[BLOCK];

    l->n = 0;
    if (s->n_bins < 2)
        return false;
    for (size_t at = 0; at < rows; at += BLOCK) {
        size_t n = rows - at < BLOCK ? rows - at : BLOCK;

        design_pull(j->d, s->col, at, at + n, x);
        binner_apply(j->b->binner[s->col], x, n, code);
        if (at == 0)
            l->rest = usual_code(code, n);
        for (size_t i = 0; i < n; i++) {
            if (code[i] == l->rest)
                continue;
            if (code[i] == 0 || l->n == j->most)
                return false;
            l->row[l->n++] = (uint32_t)(at + i);
        }
        if (progress_stopped(j->progress))
            return false;
    }
    return l->rest > 0;
}

static void
list_slots(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct listing *j = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        j->listed[i].fits = list_slot(j, j->first + i, &j->listed[i]);
}

/* ---- bundles ---- */

struct open {
    uint64_t *taken; /* rows, as bits */
    uint32_t bundle;
};

struct packing {
    struct bundle_plan *plan;
    size_t words;
    struct open open[OPEN];
    size_t n_open, oldest;
};

static bool
has_room(const struct packing *k, const struct open *o, size_t n_codes,
         const struct listed *l)
{
    if (k->plan->codes[o->bundle] + n_codes > BINNER_NARROW)
        return false;
    for (size_t i = 0; i < l->n; i++)
        if (o->taken[l->row[i] / 64] >> (l->row[i] % 64) & 1)
            return false;
    return true;
}

static bool
open_one(struct packing *k, struct open **out, struct error *err)
{
    struct open *o = &k->open[k->n_open < OPEN ? k->n_open : k->oldest];

    if (k->n_open < OPEN) {
        o->taken = mem_try_array(k->words, sizeof *o->taken, err);
        if (!o->taken)
            return false;
        k->n_open++;
    } else {
        memset(o->taken, 0, k->words * sizeof *o->taken);
        k->oldest = (k->oldest + 1) % OPEN;
    }
    o->bundle = (uint32_t)k->plan->n++;
    *out = o;
    return true;
}

static bool
pack(struct packing *k, size_t slot, size_t n_codes, const struct listed *l,
     struct error *err)
{
    struct bundle_plan *p = k->plan;
    struct open *to = NULL;

    for (size_t i = 0; i < k->n_open && !to; i++)
        if (has_room(k, &k->open[i], n_codes, l))
            to = &k->open[i];
    if (!to && !open_one(k, &to, err))
        return false;
    for (size_t i = 0; i < l->n; i++)
        to->taken[l->row[i] / 64] |= UINT64_C(1) << (l->row[i] % 64);
    p->bundle[slot] = to->bundle;
    p->rest[slot] = l->rest;
    p->offset[slot] = (uint8_t)p->codes[to->bundle];
    p->codes[to->bundle] = (uint16_t)(p->codes[to->bundle] + n_codes);
    return true;
}

/* A bundle of one column is none; the others are numbered anew. */
static bool
drop_single(struct bundle_plan *p, size_t n_slots, struct error *err)
{
    uint32_t *size = mem_try_array(p->n, sizeof *size, err), n = 0;

    if (!size)
        return false;
    for (size_t s = 0; s < n_slots; s++)
        if (p->bundle[s] != BUNDLE_NONE)
            size[p->bundle[s]]++;
    for (size_t i = 0; i < p->n; i++) {
        p->codes[n] = p->codes[i];
        size[i] = size[i] > 1 ? n++ : BUNDLE_NONE;
    }
    for (size_t s = 0; s < n_slots; s++)
        if (p->bundle[s] != BUNDLE_NONE)
            p->bundle[s] = size[p->bundle[s]];
    p->n = n;
    free(size);
    return true;
}

static bool
make_plan(struct bundle_plan *p, size_t n_slots, struct error *err)
{
    *p = (struct bundle_plan){0};
    p->bundle = mem_try_array(n_slots, sizeof *p->bundle, err);
    p->rest = mem_try_array(n_slots, 1, err);
    p->offset = mem_try_array(n_slots, 1, err);
    p->codes = mem_try_array(n_slots, sizeof *p->codes, err);
    for (size_t s = 0; p->bundle && s < n_slots; s++)
        p->bundle[s] = BUNDLE_NONE;
    return p->bundle && p->rest && p->offset && p->codes;
}

static bool
make_lists(struct listing *j, size_t batch, struct error *err)
{
    j->listed = mem_try_array(batch, sizeof *j->listed, err);
    for (size_t i = 0; j->listed && i < batch; i++)
        if (!(j->listed[i].row =
                  mem_try_array(j->most, sizeof *j->listed[i].row, err)))
            return false;
    return j->listed != NULL;
}

static bool
pack_all(struct listing *j, struct packing *k, size_t batch, struct pool *pool,
         struct error *err)
{
    for (; j->first < j->b->n_narrow; j->first += batch) {
        size_t left = j->b->n_narrow - j->first;
        size_t n = left < batch ? left : batch;

        pool_for(pool, n, 1, list_slots, j);
        if (!progress_check(j->progress, err))
            return false;
        for (size_t i = 0; i < n; i++)
            if (j->listed[i].fits &&
                !pack(k, j->first + i, j->b->slot[j->first + i].n_bins - 1u,
                      &j->listed[i], err))
                return false;
    }
    return drop_single(k->plan, j->b->n_narrow, err);
}

bool
bundle_find(const struct design *d, const struct binned *b, size_t first,
            struct pool *pool, struct progress *progress,
            struct bundle_plan *out, struct error *err)
{
    size_t rows = design_rows(d), batch;
    struct listing j = {d, b, progress, first, rows / SPARSE, NULL};
    struct packing k = {.plan = out, .words = (rows + 63) / 64};
    bool ok;

    batch = BATCH_ROWS / (j.most + 1);
    batch = batch < 1 ? 1 : batch < BATCH ? batch : BATCH;
    ok = make_plan(out, b->n_narrow, err) && make_lists(&j, batch, err) &&
         pack_all(&j, &k, batch, pool, err);
    for (size_t i = 0; j.listed && i < batch; i++)
        free(j.listed[i].row);
    free(j.listed);
    for (size_t i = 0; i < k.n_open; i++)
        free(k.open[i].taken);
    if (!ok)
        bundle_fini(out);
    return ok;
}

void
bundle_fini(struct bundle_plan *p)
{
    free(p->bundle);
    free(p->rest);
    free(p->offset);
    free(p->codes);
    *p = (struct bundle_plan){0};
}
