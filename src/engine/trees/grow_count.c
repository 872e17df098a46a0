/* engine/trees/grow_count.c -- histograms of leaves: memory, and counting them
 * from rows.
 *
 * A large leaf is counted by all threads.  Each takes stretches of rows as it
 * comes to them and adds them to a buffer of its own; integers make the sums the
 * same whoever takes which.  A buffer is narrow: one that is full is left for
 * the next, and all are folded when a batch of them is done.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/grow_state.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    COUNT_GRAIN = 4096, /* rows counted at a time */
    FULL_BUFFERS = 16,  /* those of a batch, besides one for each thread */
    FOLD_GRAIN = 2048,  /* bins folded at a time */
    LEAST_SLOTS = 6,    /* a wave of one leaf needs four */
    LEAST_BYTES = 6 << 20,
    MOST_BYTES = 256 << 20,
    THIN_BYTES = 64 << 20,
    THIN_FOUND = 16 << 20,
    /* Leaves of more rows have wide histograms, in a store of their own. */
    WIDE_BIT = 1 << 30
};

/* ---- memory ---- */

static bool
make_store(struct grow_store *s, size_t n, size_t size, struct error *err)
{
    s->n = n;
    s->size = size;
    s->words = mem_try_paged(n, size * sizeof *s->words, err);
    s->free = mem_try_array(n, sizeof *s->free, err);
    return s->words && s->free;
}

/* A quarter of what the codes take, within bounds. */
static size_t
default_bytes(const struct binned *b)
{
    size_t bytes = b->n_rows * b->n_slots / 4;

    if (bytes < LEAST_BYTES)
        return LEAST_BYTES;
    return bytes < MOST_BYTES ? bytes : MOST_BYTES;
}

/* Would the fewest histograms there can be take more than the table does, and
 * more than anyone cares about? */
static bool
is_thin(const struct grower *g)
{
    const struct binned *b = g->b;
    double least = LEAST_SLOTS * (double)b->n_bins * sizeof(int64_t);
    double table = (double)b->n_rows * (double)b->n_slots * sizeof(double);

    if (g->o.hists == GROW_HISTS_KEPT || b->n_rows > GROW_SMALL_ROWS ||
        b->n_slots > b->n_narrow || !b->col)
        return false;
    return g->o.hists == GROW_HISTS_NONE ||
           (g->o.hist_bytes == 0 && least > table && least > THIN_BYTES);
}

/* As wide as what is found in it is small. */
static size_t
thin_wave(const struct grower *g)
{
    size_t each = 2 * (g->b->n_words + 1) * sizeof *g->found;
    size_t n = THIN_FOUND / each;

    return n < 1 ? 1 : n < GROW_MAX_WAVE ? n : GROW_MAX_WAVE;
}

bool
grow_make_stores(struct grower *g, struct error *err)
{
    size_t bins = g->b->n_bins ? g->b->n_bins : 1;
    size_t bytes = g->o.hist_bytes ? g->o.hist_bytes : default_bytes(g->b);
    size_t n = bytes / (bins * sizeof(int64_t));
    /* Wide leaves that are waiting share the rows among them, and a histogram
     * is wide only if that of an ancestor's smaller child was so. */
    size_t wide = g->b->n_rows / (HIST_NARROW_ROWS + 1);

    if ((g->thin = is_thin(g))) {
        g->max_wave = thin_wave(g);
        return true;
    }
    n = n < LEAST_SLOTS ? LEAST_SLOTS : n;
    n = n < 2 * g->o.leaves + 2 ? n : 2 * g->o.leaves + 2;
    g->max_wave = (n - 2) / 3 < GROW_MAX_WAVE ? (n - 2) / 3 : GROW_MAX_WAVE;
    if (g->max_wave == 0)
        g->max_wave = 1;
    g->n_full = g->b->n_rows / HIST_NARROW_ROWS + 1;
    g->n_full = g->n_full < FULL_BUFFERS ? g->n_full : FULL_BUFFERS;
    g->n_buffers = g->n_full + pool_threads(g->pool);
    g->buffer = mem_try_aligned(g->n_buffers * bins, sizeof *g->buffer, err);
    g->counts = mem_try_array(bins, sizeof *g->counts, err);
    return g->buffer && g->counts && make_store(&g->narrow, n, bins, err) &&
           make_store(&g->wide, wide > 0 ? wide + 1 : 0, 2 * bins, err);
}

void
grow_free_stores(struct grower *g)
{
    free(g->narrow.words);
    free(g->narrow.free);
    free(g->wide.words);
    free(g->wide.free);
    free(g->buffer);
    free(g->counts);
}

static struct grow_store *
store_of(struct grower *g, int32_t slot)
{
    return slot & WIDE_BIT ? &g->wide : &g->narrow;
}

int64_t *
grow_hist_of(const struct grower *g, const struct grow_leaf *l)
{
    const struct grow_store *s = l->hist & WIDE_BIT ? &g->wide : &g->narrow;

    return s->words + (size_t)(l->hist & ~WIDE_BIT) * s->size;
}

static void
reset(struct grow_store *s, int32_t bit)
{
    s->n_free = 0;
    for (size_t i = s->n; i > 0; i--)
        s->free[s->n_free++] = (int32_t)(i - 1) | bit;
}

void
grow_reset_stores(struct grower *g)
{
    reset(&g->narrow, 0);
    reset(&g->wide, WIDE_BIT);
}

void
grow_release_hist(struct grower *g, int32_t slot)
{
    if (slot >= 0) {
        struct grow_store *s = store_of(g, slot);

        s->free[s->n_free++] = slot;
    }
}

/* The leaf that gains least among those that wait, or will, with a histogram of
 * the store.  Those of the wave at hand wait no longer. */
static struct grow_leaf *
find_victim(struct grower *g, const struct grow_store *s)
{
    struct grow_leaf *victim = NULL;

    for (size_t i = 0; i < g->n_known; i++) {
        struct grow_leaf *l = &g->leaf[i];

        if (l->hist >= 0 && l->stage == GROW_WAITS &&
            store_of(g, l->hist) == s && l->best.split.gain > 0 &&
            (!victim ||
             grow_goes_before(g, (uint32_t)(victim - g->leaf), (uint32_t)i)))
            victim = l;
    }
    return victim;
}

int32_t
grow_acquire_hist(struct grower *g, size_t n)
{
    struct grow_store *s = n > HIST_NARROW_ROWS ? &g->wide : &g->narrow;
    struct grow_leaf *victim;
    int32_t slot;

    if (s->n_free > 0)
        return s->free[--s->n_free];
    victim = find_victim(g, s);
    assert(victim); /* see max_wave */
    slot = victim->hist;
    victim->hist = -1;
    return slot;
}

/* ---- count ---- */

void
grow_count_small(const struct grower *g, struct grow_leaf *l)
{
    int64_t *to = grow_hist_of(g, l);

    l->wide = false;
    memset(to, 0, g->b->n_bins * sizeof *to);
    hist_add(g->b, grow_rows_of(g, l), l->n, g->q, to);
}

void
grow_count_unit(const struct grower *g, const struct grow_leaf *l, size_t unit,
                bool counted, struct grow_unit *out)
{
    const struct binned *b = g->b;
    const uint32_t *rows = grow_rows_of(g, l);
    size_t first = unit * BINNED_WORD, end = first + BINNED_WORD, n;

    end = end < b->n_places ? end : b->n_places;
    out->first = b->place[first].first;
    n = (end < b->n_places ? b->place[end].first : b->n_bins) - out->first;
    memset(out->hist, 0, (n + 8) * sizeof *out->hist);
    memset(out->counts, 0, counted ? n * sizeof *out->counts : 0);
    for (size_t p = first; p < end; p++) {
        const uint8_t *code = b->col + p * b->n_rows;
        int64_t *hist = out->hist + (b->place[p].first - out->first);
        uint32_t *counts = out->counts + (b->place[p].first - out->first);

        for (size_t i = 0; i < l->n; i++)
            hist[code[rows[i]]] += hist_pack(g->q[rows[i]]);
        for (size_t i = 0; counted && i < l->n; i++)
            counts[code[rows[i]]]++;
    }
}

struct count_job {
    struct grower *g;
    const uint32_t *rows;
    bool range; /* do their numbers follow each other? */
    size_t n;   /* rows of the batch */
    atomic_size_t taken, n_used;
    int64_t *to;
    bool wide, first;
};

static void
count_stretch(struct count_job *j, size_t begin, size_t end, int64_t *to)
{
    const struct grower *g = j->g;

    if (j->range)
        hist_add_range(g->b, j->rows[0] + begin, j->rows[0] + end, g->q, to);
    else
        hist_add(g->b, j->rows + begin, end - begin, g->q, to);
}

/* A thread's share: stretches as long as there are any. */
static void
count_share(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct count_job *j = ctx;
    struct grower *g = j->g;
    size_t held = HIST_NARROW_ROWS, at;
    int64_t *to = NULL;

    (void)chunk;
    (void)begin;
    (void)end;
    while ((at = atomic_fetch_add_explicit(&j->taken, COUNT_GRAIN,
                                           memory_order_relaxed)) < j->n &&
           !progress_stopped(g->progress)) {
        size_t n = j->n - at < COUNT_GRAIN ? j->n - at : COUNT_GRAIN;

        if (held + n > HIST_NARROW_ROWS) {
            size_t k =
                atomic_fetch_add_explicit(&j->n_used, 1, memory_order_relaxed);

            assert(k < g->n_buffers);
            to = g->buffer + k * g->b->n_bins;
            memset(to, 0, g->b->n_bins * sizeof *to);
            held = 0;
        }
        count_stretch(j, at, at + n, to);
        held += n;
    }
}

static void
fold_bins(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct count_job *j = ctx;
    size_t used = atomic_load_explicit(&j->n_used, memory_order_relaxed);

    (void)chunk;
    if (j->first)
        memset(j->to + begin * (j->wide ? 2 : 1), 0,
               (end - begin) * (j->wide ? 2 : 1) * sizeof *j->to);
    for (size_t i = 0; i < used; i++) {
        const int64_t *from = j->g->buffer + i * j->g->b->n_bins;

        if (j->wide)
            hist_fold_wide(j->to, from, begin, end);
        else
            hist_fold(j->to, from, begin, end);
    }
}

void
grow_count(struct grower *g, struct grow_leaf *l)
{
    const size_t batch = g->n_full * HIST_NARROW_ROWS;
    const uint32_t *rows = grow_rows_of(g, l);
    struct count_job j = {.g = g,
                          .range = rows[l->n - 1] - rows[0] == l->n - 1,
                          .to = grow_hist_of(g, l),
                          .wide = l->n > HIST_NARROW_ROWS};

    l->wide = j.wide;
    for (size_t at = 0; at < l->n; at += batch) {
        j.rows = rows + at;
        j.n = l->n - at < batch ? l->n - at : batch;
        j.first = at == 0;
        atomic_store_explicit(&j.taken, 0, memory_order_relaxed);
        atomic_store_explicit(&j.n_used, 0, memory_order_relaxed);
        pool_for(g->pool, pool_threads(g->pool), 1, count_share, &j);
        if (progress_stopped(g->progress))
            return;
        pool_for(j.wide ? g->pool : NULL, g->b->n_bins, FOLD_GRAIN, fold_bins,
                 &j);
    }
}
