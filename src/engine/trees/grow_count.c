/* engine/trees/grow_count.c -- histograms of leaves: memory, and counting them
 * from rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/grow_state.h"

#include <assert.h>
#include <string.h>

enum {
    COUNT_GRAIN = 8192,      /* rows counted at a time, at least */
    FOLD_GRAIN = 4096,       /* bins folded at a time */
    INLINE_UPDATES = 1 << 18 /* rows times slots; as GROW_INLINE_ROWS */
};

/* ---- histogram memory ---- */

int64_t *
grow_hist_at(const struct grower *g, int32_t slot)
{
    return g->hist + (size_t)slot * g->hist_words;
}

void
grow_free_hists(struct grower *g)
{
    g->n_free = 0;
    for (size_t i = g->n_hist; i > 0; i--)
        g->free_hist[g->n_free++] = (int32_t)(i - 1);
}

void
grow_release_hist(struct grower *g, int32_t slot)
{
    if (slot >= 0)
        g->free_hist[g->n_free++] = slot;
}

int32_t
grow_acquire_hist(struct grower *g)
{
    struct grow_leaf *victim = NULL;
    int32_t slot;

    if (g->n_free > 0)
        return g->free_hist[--g->n_free];
    for (size_t i = 0; i < g->n_heap; i++) {
        struct grow_leaf *l = &g->leaf[g->heap[i]];

        if (l->hist >= 0 &&
            (!victim || grow_goes_before(g, (uint32_t)(victim - g->leaf),
                                         (uint32_t)(l - g->leaf))))
            victim = l;
    }
    assert(victim); /* n_hist >= 2 for each split of a wave */
    slot = victim->hist;
    victim->hist = -1;
    return slot;
}

/* ---- count ---- */

/* A leaf whose histogram is to be counted from its rows. */
struct count_job {
    struct grower *g;
    size_t *leaf;           /* direct ones */
    size_t begin, n, grain; /* rows of the one in chunks */
    size_t base;            /* first chunk of this batch */
    int64_t *to;
    size_t n_buffers;
    bool wide;
};

static size_t
count_grain(size_t n)
{
    size_t grain = (n + GROW_BUFFERS / 2 - 1) / (GROW_BUFFERS / 2);

    if (grain < COUNT_GRAIN)
        return COUNT_GRAIN;
    return grain < HIST_NARROW_ROWS ? grain : HIST_NARROW_ROWS;
}

static void
count_direct(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct count_job *j = ctx;
    struct grower *g = j->g;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct grow_leaf *l = &g->leaf[j->leaf[i]];
        int64_t *to = grow_hist_at(g, l->hist);

        memset(to, 0, g->b->n_bins * sizeof *to);
        hist_add(g->b, g->rows + l->begin, l->n, to);
    }
}

static void
count_chunks(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct count_job *j = ctx;
    struct grower *g = j->g;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        size_t at = (j->base + i) * j->grain;
        size_t n = j->n - at < j->grain ? j->n - at : j->grain;
        int64_t *to = g->buffer + i * g->b->n_bins;

        if (progress_stopped(g->progress))
            return;
        memset(to, 0, g->b->n_bins * sizeof *to);
        hist_add(g->b, g->rows + j->begin + at, n, to);
    }
}

static void
fold_bins(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct count_job *j = ctx;

    (void)chunk;
    if (j->base == 0)
        memset(j->to + begin * (j->wide ? 2 : 1), 0,
               (end - begin) * (j->wide ? 2 : 1) * sizeof *j->to);
    for (size_t i = 0; i < j->n_buffers; i++) {
        const int64_t *from = j->g->buffer + i * j->g->b->n_bins;

        if (j->wide)
            hist_fold_wide(j->to, from, begin, end);
        else
            hist_fold(j->to, from, begin, end);
    }
}

static void
count_in_chunks(struct grower *g, const struct grow_leaf *l)
{
    struct count_job j = {.g = g,
                          .begin = l->begin,
                          .n = l->n,
                          .grain = count_grain(l->n),
                          .to = grow_hist_at(g, l->hist),
                          .wide = l->wide};
    size_t n_chunks = pool_chunks(l->n, j.grain);

    for (; j.base < n_chunks; j.base += GROW_BUFFERS) {
        size_t left = n_chunks - j.base;

        j.n_buffers = left < GROW_BUFFERS ? left : GROW_BUFFERS;
        pool_for(g->pool, j.n_buffers, 1, count_chunks, &j);
        if (progress_stopped(g->progress))
            return;
        pool_for(g->pool, g->b->n_bins, FOLD_GRAIN, fold_bins, &j);
    }
}

void
grow_count_leaves(struct grower *g, const size_t *leaf, size_t n)
{
    size_t direct[2 * GROW_MAX_WAVE], n_direct = 0, rows = 0;
    struct count_job j = {.g = g, .leaf = direct};

    for (size_t i = 0; i < n; i++) {
        struct grow_leaf *l = &g->leaf[leaf[i]];

        l->wide = l->n > HIST_NARROW_ROWS;
        if (l->n > COUNT_GRAIN) {
            count_in_chunks(g, l);
        } else {
            direct[n_direct++] = leaf[i];
            rows += l->n;
        }
    }
    pool_for(rows * g->b->n_slots >= INLINE_UPDATES ? g->pool : NULL, n_direct,
             1, count_direct, &j);
}
