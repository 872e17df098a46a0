/* engine/trees/grow.c -- grow one tree, best leaf first.
 *
 * The rows of a leaf are a stretch of one list; splitting a leaf parts its
 * stretch in two, keeping the order, so row numbers ascend within a leaf and
 * memory is walked forwards.  A wave of splits goes through four steps, each
 * shared by the threads:
 *
 *   part     every chunk of rows into scratch, left ones from its front, right
 *            ones from its back; counts decide whether the split stands
 *   gather   from scratch to the final place in the list
 *   count    the histogram of the smaller child, in chunks
 *   search   parent - smaller = larger, then the best split of both children,
 *            a word of slots at a time while they are in the cache
 *
 * A leaf keeps its histogram only while it may still be split.  When the memory
 * for histograms runs out, the leaf that gains least loses its own; should its
 * turn come, both of its children are counted instead of one.
 *
 * min_rows is estimated from the hessian during the search (a histogram holds
 * no counts) and checked when the rows are parted.  A split that fails is
 * searched again with the rows of every bin counted, which is rare.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/grow.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    MAX_WAVE = 256,     /* splits made together */
    PART_GRAIN = 16384, /* rows parted at a time */
    COUNT_GRAIN = 8192, /* rows counted at a time, at least */
    COUNT_BUFFERS = 16, /* histograms of chunks before they are folded */
    FOLD_GRAIN = 4096,  /* bins folded at a time */
    /* Work below these is not shared: on a busy machine a thread that was
     * woken for it, then lost its turn, costs more than it brings. */
    INLINE_ROWS = 16384,
    INLINE_UPDATES = 1 << 18, /* rows counted times their slots */
    INLINE_BINS = 1 << 14,    /* bins searched */
    LANES = 8
};

struct leaf {
    size_t begin, n; /* its stretch of rows */
    unsigned depth;
    int16_t parent; /* node, -1 for the root */
    bool is_left;
    int32_t hist; /* slot of memory, -1: none */
    bool wide;
    int64_t g, h; /* quantised sums */
    struct split_found best;
};

/* One split of a wave. */
struct part {
    size_t leaf;         /* becomes the left child */
    size_t right;        /* the new leaf */
    size_t first_chunk;  /* of PART_GRAIN rows, in the list of chunks */
    size_t n_left;       /* rows */
    size_t small, large; /* leaves */
    bool stands;
    bool search;   /* children may be split again */
    bool subtract; /* the large one from its parent */
    int32_t hist;  /* of the parent before the split */
    bool hist_wide;
};

struct chunk {
    size_t part;       /* of which split */
    size_t begin, end; /* rows */
    size_t left;       /* how many of them go left */
    size_t to_left, to_right;
};

/* A node of the tree just grown, for coded rows. */
struct coded_node {
    uint64_t set[TREE_SET_WORDS];
    uint32_t slot;
    int16_t left, right;
};

struct grower {
    const struct binned *b;
    struct grow_options o;
    struct pool *pool;
    struct progress *progress;
    split_scan_fn *scan;

    struct hist_row *rows, *scratch;
    struct leaf *leaf;
    size_t n_leaves;
    uint32_t *heap; /* leaves that may be split, best first */
    size_t n_heap;
    struct coded_node *node;
    float *value;

    int64_t *hist; /* n_hist of hist_words each */
    size_t n_hist, hist_words;
    int32_t *free_hist;
    size_t n_free;
    int64_t *buffer;  /* COUNT_BUFFERS narrow ones */
    uint32_t *counts; /* n_bins */

    struct part *part;
    size_t n_parts, max_wave;
    struct chunk *chunk;
    size_t n_chunks;
    struct split_found *found; /* (part, child, word) */

    /* of the tree under growth */
    const struct hist_scale *scale;
    const struct gradient *gradient;
    const bool *active;
    struct forest *forest;
};

/* ---- making ---- */

static bool
make_histograms(struct grower *g, struct error *err)
{
    size_t bytes = g->o.hist_bytes ? g->o.hist_bytes : (size_t)256 << 20;
    size_t per;

    g->hist_words = g->b->n_bins * (g->b->n_rows > HIST_NARROW_ROWS ? 2 : 1);
    per = g->hist_words * sizeof(int64_t) + 1;
    g->n_hist = bytes / per < 4 ? 4 : bytes / per;
    if (g->n_hist > g->o.leaves + 1)
        g->n_hist = g->o.leaves + 1;
    g->max_wave = g->n_hist / 2 < MAX_WAVE ? g->n_hist / 2 : MAX_WAVE;
    if (g->max_wave == 0)
        g->max_wave = 1;
    g->hist = mem_try_aligned(g->n_hist * g->hist_words, sizeof *g->hist, err);
    g->free_hist = mem_try_array(g->n_hist, sizeof *g->free_hist, err);
    g->buffer =
        mem_try_aligned(COUNT_BUFFERS * g->b->n_bins, sizeof *g->buffer, err);
    g->counts = mem_try_array(g->b->n_bins, sizeof *g->counts, err);
    return g->hist && g->free_hist && g->buffer && g->counts;
}

static bool
make_lists(struct grower *g, struct error *err)
{
    size_t n = g->b->n_rows + HIST_AHEAD, leaves = g->o.leaves;
    size_t max_chunks = g->b->n_rows / PART_GRAIN + g->max_wave + 1;
    size_t max_found = g->max_wave * 2 * (g->b->n_words + 1);

    g->rows = mem_try_aligned(n, sizeof *g->rows, err);
    g->scratch = mem_try_aligned(n, sizeof *g->scratch, err);
    g->leaf = mem_try_array(leaves, sizeof *g->leaf, err);
    g->heap = mem_try_array(leaves, sizeof *g->heap, err);
    g->node = mem_try_array(leaves, sizeof *g->node, err);
    g->value = mem_try_array(leaves, sizeof *g->value, err);
    g->part = mem_try_array(g->max_wave, sizeof *g->part, err);
    g->chunk = mem_try_array(max_chunks, sizeof *g->chunk, err);
    g->found = mem_try_array(max_found, sizeof *g->found, err);
    return g->rows && g->scratch && g->leaf && g->heap && g->node && g->value &&
           g->part && g->chunk && g->found;
}

struct grower *
grower_new(const struct binned *b, const struct grow_options *o,
           struct pool *pool, struct progress *progress, struct error *err)
{
    struct grower *g = mem_try_array(1, sizeof *g, err);

    if (!g)
        return NULL;
    assert(o->leaves >= 1 && o->leaves <= TREE_MAX_LEAVES);
    g->b = b;
    g->o = *o;
    g->pool = pool;
    g->progress = progress;
    g->scan = split_scan_choose();
    if (!make_histograms(g, err) || !make_lists(g, err)) {
        grower_free(g);
        return NULL;
    }
    return g;
}

void
grower_free(struct grower *g)
{
    if (!g)
        return;
    free(g->rows);
    free(g->scratch);
    free(g->leaf);
    free(g->heap);
    free(g->node);
    free(g->value);
    free(g->part);
    free(g->chunk);
    free(g->found);
    free(g->hist);
    free(g->free_hist);
    free(g->buffer);
    free(g->counts);
    free(g);
}

struct hist_row *
grower_rows(struct grower *g)
{
    return g->rows;
}

size_t
grower_leaves(const struct grower *g)
{
    return g->n_leaves;
}

/* ---- the queue of leaves ---- */

static bool
goes_before(const struct grower *g, uint32_t a, uint32_t b)
{
    double x = g->leaf[a].best.split.gain, y = g->leaf[b].best.split.gain;

    return x != y ? x > y : a < b;
}

static void
heap_push(struct grower *g, size_t leaf)
{
    size_t i = g->n_heap++;

    while (i > 0 && goes_before(g, (uint32_t)leaf, g->heap[(i - 1) / 2])) {
        g->heap[i] = g->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    g->heap[i] = (uint32_t)leaf;
}

static size_t
heap_pop(struct grower *g)
{
    uint32_t top = g->heap[0], last = g->heap[--g->n_heap];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= g->n_heap)
            break;
        if (child + 1 < g->n_heap &&
            goes_before(g, g->heap[child + 1], g->heap[child]))
            child++;
        if (!goes_before(g, g->heap[child], last))
            break;
        g->heap[i] = g->heap[child];
        i = child;
    }
    g->heap[i] = last;
    return top;
}

/* ---- histogram memory ---- */

static int64_t *
hist_at(const struct grower *g, int32_t slot)
{
    return g->hist + (size_t)slot * g->hist_words;
}

static void
release_hist(struct grower *g, struct leaf *l)
{
    if (l->hist >= 0)
        g->free_hist[g->n_free++] = l->hist;
    l->hist = -1;
}

/* A free one, or that of the waiting leaf which gains least. */
static int32_t
acquire_hist(struct grower *g)
{
    struct leaf *victim = NULL;
    int32_t slot;

    if (g->n_free > 0)
        return g->free_hist[--g->n_free];
    for (size_t i = 0; i < g->n_heap; i++) {
        struct leaf *l = &g->leaf[g->heap[i]];

        if (l->hist >= 0 &&
            (!victim || goes_before(g, (uint32_t)(victim - g->leaf),
                                    (uint32_t)(l - g->leaf))))
            victim = l;
    }
    assert(victim); /* n_hist >= 2 for each split of a wave */
    slot = victim->hist;
    victim->hist = -1;
    return slot;
}

/* ---- part and gather ---- */

static void
list_chunks(struct grower *g)
{
    g->n_chunks = 0;
    for (size_t p = 0; p < g->n_parts; p++) {
        const struct leaf *l = &g->leaf[g->part[p].leaf];

        g->part[p].first_chunk = g->n_chunks;
        for (size_t at = 0; at < l->n; at += PART_GRAIN) {
            size_t n = l->n - at < PART_GRAIN ? l->n - at : PART_GRAIN;

            g->chunk[g->n_chunks++] = (struct chunk){
                .part = p, .begin = l->begin + at, .end = l->begin + at + n};
        }
    }
}

/* Rows as words: a struct would be moved member by member. */
static void
part_chunk(const struct hist_row *rows, size_t n, const uint8_t *code,
           const uint8_t *goes_left, struct hist_row *scratch, size_t *n_left)
{
    size_t low = 0, high = n - 1;

    for (size_t r = 0; r < n; r++) {
        size_t left = goes_left[code[rows[r].row]];
        uint64_t word;

        /* Both places are free; the wrong one is written again. */
        memcpy(&word, &rows[r], sizeof word);
        memcpy(&scratch[low], &word, sizeof word);
        memcpy(&scratch[high], &word, sizeof word);
        low += left;
        high -= 1 - left;
    }
    *n_left = low;
}

static void
part_chunks(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct grower *g = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        struct chunk *c = &g->chunk[i];
        const struct tree_split *s = &g->leaf[g->part[c->part].leaf].best.split;
        uint8_t goes_left[BINNED_WIDE];

        for (size_t k = 0; k < BINNED_WIDE; k++)
            goes_left[k] = s->set[k / 64] >> (k % 64) & 1;
        part_chunk(g->rows + c->begin, c->end - c->begin,
                   g->b->col + s->slot * g->b->n_rows, goes_left,
                   g->scratch + c->begin, &c->left);
    }
}

/* Where the chunks of a split go, now that all are counted. */
static void
place_chunks(struct grower *g, struct part *p)
{
    const struct leaf *l = &g->leaf[p->leaf];
    size_t end = p->first_chunk + pool_chunks(l->n, PART_GRAIN), left, right;

    p->n_left = 0;
    for (size_t i = p->first_chunk; i < end; i++)
        p->n_left += g->chunk[i].left;
    left = l->begin;
    right = l->begin + p->n_left;
    for (size_t i = p->first_chunk; i < end; i++) {
        struct chunk *c = &g->chunk[i];

        c->to_left = left;
        c->to_right = right;
        left += c->left;
        right += c->end - c->begin - c->left;
    }
}

static void
gather_chunks(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct grower *g = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct chunk *c = &g->chunk[i];
        const struct hist_row *from = g->scratch + c->begin;
        size_t n_right = c->end - c->begin - c->left;

        if (!g->part[c->part].stands)
            continue;
        memcpy(g->rows + c->to_left, from, c->left * sizeof *from);
        from = g->scratch + c->end - 1;
        for (size_t k = 0; k < n_right; k++)
            g->rows[c->to_right + k] = *(from - k);
    }
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
    size_t grain = (n + COUNT_BUFFERS / 2 - 1) / (COUNT_BUFFERS / 2);

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
        const struct leaf *l = &g->leaf[j->leaf[i]];
        int64_t *to = hist_at(g, l->hist);

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
count_in_chunks(struct grower *g, const struct leaf *l)
{
    struct count_job j = {.g = g,
                          .begin = l->begin,
                          .n = l->n,
                          .grain = count_grain(l->n),
                          .to = hist_at(g, l->hist),
                          .wide = l->wide};
    size_t n_chunks = pool_chunks(l->n, j.grain);

    for (; j.base < n_chunks; j.base += COUNT_BUFFERS) {
        size_t left = n_chunks - j.base;

        j.n_buffers = left < COUNT_BUFFERS ? left : COUNT_BUFFERS;
        pool_for(g->pool, j.n_buffers, 1, count_chunks, &j);
        if (progress_stopped(g->progress))
            return;
        pool_for(g->pool, g->b->n_bins, FOLD_GRAIN, fold_bins, &j);
    }
}

/* Count the histograms of the leaves listed; their memory is there. */
static void
count_leaves(struct grower *g, const size_t *leaf, size_t n)
{
    size_t direct[2 * MAX_WAVE], n_direct = 0, rows = 0;
    struct count_job j = {.g = g, .leaf = direct};

    for (size_t i = 0; i < n; i++) {
        struct leaf *l = &g->leaf[leaf[i]];

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

/* ---- search ---- */

static struct split_leaf
leaf_view(const struct grower *g, const struct leaf *l)
{
    return (struct split_leaf){
        hist_at(g, l->hist), l->wide, l->g, l->h, l->n, NULL};
}

static void
search_word(struct grower *g, const struct leaf *l, size_t word,
            const uint32_t *counts, struct split_found *best)
{
    struct split_leaf view = leaf_view(g, l);
    size_t end = (word + 1) * BINNED_WORD;

    view.counts = counts;
    best->split.gain = 0;
    for (size_t s = word * BINNED_WORD; s < end && s < g->b->n_slots; s++)
        if (!g->active || g->active[s])
            split_slot(g->b, s, &view, g->scale, &g->o.split, g->scan, best);
}

static struct split_found *
found_at(const struct grower *g, size_t part, size_t child, size_t word)
{
    return g->found + (part * 2 + child) * g->b->n_words + word;
}

static bool
may_split(const struct grower *g, const struct leaf *l)
{
    return (g->o.max_depth == 0 || l->depth < g->o.max_depth) && l->n >= 2 &&
           (double)l->n >= 2 * g->o.split.min_rows;
}

/* Bins of the slots of a word: begin..end-1. */
static void
bins_of(const struct binned *b, size_t word, size_t *begin, size_t *end)
{
    size_t next = (word + 1) * BINNED_WORD;

    *begin = b->slot[word * BINNED_WORD].first;
    *end = next < b->n_slots ? b->slot[next].first : b->n_bins;
}

static void
search_words(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct grower *g = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        size_t p = i / g->b->n_words, word = i % g->b->n_words, first, last;
        const struct part *part = &g->part[p];
        const struct leaf *child[2];

        if (!part->stands || !part->search)
            continue;
        child[0] = &g->leaf[part->small];
        child[1] = &g->leaf[part->large];
        if (part->subtract) {
            bins_of(g->b, word, &first, &last);
            hist_subtract(hist_at(g, child[1]->hist), child[1]->wide,
                          hist_at(g, child[0]->hist), child[0]->wide, first,
                          last);
        }
        for (size_t k = 0; k < 2; k++) {
            struct split_found *to = found_at(g, p, k, word);

            to->split.gain = 0;
            if (may_split(g, child[k]))
                search_word(g, child[k], word, NULL, to);
        }
    }
}

static void
keep_best(struct grower *g, struct leaf *l, const struct split_found *found)
{
    struct split_leaf view;

    l->best.split.gain = 0;
    for (size_t w = 0; w < g->b->n_words; w++)
        if (split_better(g->b, &found[w], &l->best))
            l->best = found[w];
    view = leaf_view(g, l);
    split_finish(g->b, &view, &l->best);
}

/* Queue a leaf that has a split; one that has none needs no histogram. */
static void
settle(struct grower *g, size_t leaf)
{
    struct leaf *l = &g->leaf[leaf];

    if (l->best.split.gain > 0)
        heap_push(g, leaf);
    else
        release_hist(g, l);
}

/* The estimate was wrong: search once more with rows counted. */
static void
search_counted(struct grower *g, size_t leaf)
{
    struct leaf *l = &g->leaf[leaf];
    const struct binned *b = g->b;

    if (l->hist < 0) {
        l->hist = acquire_hist(g);
        count_leaves(g, &leaf, 1);
    }
    memset(g->counts, 0, b->n_bins * sizeof *g->counts);
    for (size_t i = l->begin; i < l->begin + l->n; i++) {
        const uint8_t *code = binned_row(b, g->rows[i].row);

        for (size_t s = 0; s < b->n_slots; s++)
            g->counts[b->slot[s].first + code[s]]++;
    }
    for (size_t w = 0; w < b->n_words; w++)
        search_word(g, l, w, g->counts, found_at(g, 0, 0, w));
    keep_best(g, l, found_at(g, 0, 0, 0));
    settle(g, leaf);
}

/* ---- a wave ---- */

/* The two children of a split that stands; the left one takes the place of its
 * parent. */
static void
make_children(struct grower *g, struct part *p)
{
    struct leaf *l = &g->leaf[p->leaf], *r = &g->leaf[p->right];
    const struct split_found s = l->best;
    struct coded_node *node = &g->node[p->right - 1];
    int16_t id = tree_add_node(g->forest, g->b, &s.split, (int16_t)~p->leaf,
                               (int16_t)~p->right);

    assert((size_t)id == p->right - 1);
    memcpy(node->set, s.split.set, sizeof node->set);
    node->slot = s.split.slot;
    node->left = (int16_t)~p->leaf;
    node->right = (int16_t)~p->right;
    if (l->parent >= 0) {
        tree_link(g->forest, l->parent, l->is_left, id);
        if (l->is_left)
            g->node[l->parent].left = id;
        else
            g->node[l->parent].right = id;
    }
    p->hist = l->hist;
    p->hist_wide = l->wide;
    *r = (struct leaf){.begin = l->begin + p->n_left,
                       .n = l->n - p->n_left,
                       .depth = l->depth + 1,
                       .parent = id,
                       .is_left = false,
                       .hist = -1,
                       .g = l->g - s.left_g,
                       .h = l->h - s.left_h};
    *l = (struct leaf){.begin = l->begin,
                       .n = p->n_left,
                       .depth = l->depth + 1,
                       .parent = id,
                       .is_left = true,
                       .hist = -1,
                       .g = s.left_g,
                       .h = s.left_h};
    p->small = l->n <= r->n ? p->leaf : p->right;
    p->large = l->n <= r->n ? p->right : p->leaf;
}

/* Which histograms the children need, and where they go. */
static void
assign_memory(struct grower *g, struct part *p, bool more)
{
    struct leaf *small = &g->leaf[p->small], *large = &g->leaf[p->large];

    p->search = more && may_split(g, large);
    p->subtract = p->search && p->hist >= 0;
    if (!p->search) {
        if (p->hist >= 0)
            g->free_hist[g->n_free++] = p->hist;
        return;
    }
    small->hist = acquire_hist(g);
    large->hist = p->subtract ? p->hist : acquire_hist(g);
    large->wide = p->hist_wide;
}

static bool
split_stands(const struct grower *g, const struct part *p)
{
    size_t n = g->leaf[p->leaf].n, right = n - p->n_left;

    return p->n_left > 0 && right > 0 &&
           (double)p->n_left >= g->o.split.min_rows &&
           (double)right >= g->o.split.min_rows;
}

/* Part the rows of every split of the wave. */
static void
part_rows(struct grower *g)
{
    size_t rows = 0;

    for (size_t p = 0; p < g->n_parts; p++)
        rows += g->leaf[g->part[p].leaf].n;

    struct pool *pool = rows >= INLINE_ROWS ? g->pool : NULL;

    list_chunks(g);
    pool_for(pool, g->n_chunks, 1, part_chunks, g);
    for (size_t p = 0; p < g->n_parts; p++) {
        place_chunks(g, &g->part[p]);
        g->part[p].stands = split_stands(g, &g->part[p]);
    }
    pool_for(pool, g->n_chunks, 1, gather_chunks, g);
}

static void
count_children(struct grower *g)
{
    size_t todo[2 * MAX_WAVE], n = 0;

    for (size_t p = 0; p < g->n_parts; p++) {
        const struct part *part = &g->part[p];

        if (!part->stands || !part->search)
            continue;
        todo[n++] = part->small;
        if (!part->subtract)
            todo[n++] = part->large;
    }
    count_leaves(g, todo, n);
}

static void
search_children(struct grower *g)
{
    size_t n = g->n_parts * g->b->n_words;
    size_t bins = 2 * g->n_parts * g->b->n_bins;

    pool_for(bins >= INLINE_BINS ? g->pool : NULL, n, 1, search_words, g);
    for (size_t p = 0; p < g->n_parts; p++) {
        const struct part *part = &g->part[p];

        if (!part->stands || !part->search)
            continue;
        keep_best(g, &g->leaf[part->small], found_at(g, p, 0, 0));
        keep_best(g, &g->leaf[part->large], found_at(g, p, 1, 0));
        settle(g, part->small);
        settle(g, part->large);
    }
}

/* The most splits that may follow in a leaf, itself included. */
static size_t
most_splits(const struct grower *g, const struct leaf *l)
{
    double least = g->o.split.min_rows > 1 ? g->o.split.min_rows : 1;
    double by_rows = floor((double)l->n / least) - 1;
    unsigned levels = g->o.max_depth > 0 ? g->o.max_depth - l->depth : 32;
    double by_depth = ldexp(1, levels < 32 ? (int)levels : 32) - 1;

    return (size_t)(by_rows < by_depth ? by_rows : by_depth);
}

/* Take from the queue what is certain to be split: all, when leaves cannot run
 * out, else the first. */
static void
choose_wave(struct grower *g)
{
    size_t left = g->o.leaves - g->n_leaves, most = 0;

    for (size_t i = 0; i < g->n_heap && most <= left; i++)
        most += most_splits(g, &g->leaf[g->heap[i]]);
    g->n_parts = 0;
    do {
        g->part[g->n_parts] = (struct part){.leaf = heap_pop(g)};
        g->n_parts++;
    } while (most <= left && g->n_heap > 0 && g->n_parts < g->max_wave);
}

static void
run_wave(struct grower *g)
{
    choose_wave(g);
    part_rows(g);
    for (size_t p = 0; p < g->n_parts; p++)
        if (g->part[p].stands) {
            g->part[p].right = g->n_leaves++;
            make_children(g, &g->part[p]);
        }

    bool more = g->n_leaves < g->o.leaves;

    for (size_t p = 0; p < g->n_parts; p++)
        if (g->part[p].stands)
            assign_memory(g, &g->part[p], more);
    count_children(g);
    if (progress_stopped(g->progress))
        return;
    search_children(g);
    for (size_t p = 0; p < g->n_parts; p++)
        if (!g->part[p].stands)
            search_counted(g, g->part[p].leaf);
}

/* ---- a tree ---- */

static void
start_tree(struct grower *g, size_t n)
{
    struct leaf *root = &g->leaf[0];
    const struct binned_slot *first = &g->b->slot[0];
    size_t zero = 0;

    g->n_leaves = 1;
    g->n_heap = 0;
    g->n_free = 0;
    for (size_t i = g->n_hist; i > 0; i--)
        g->free_hist[g->n_free++] = (int32_t)(i - 1);
    memset(g->rows + n, 0, HIST_AHEAD * sizeof *g->rows);
    *root = (struct leaf){.n = n, .parent = -1, .hist = -1};
    if (g->b->n_slots == 0 || g->o.leaves < 2 || !may_split(g, root))
        return;
    root->hist = acquire_hist(g);
    count_leaves(g, &zero, 1);
    if (progress_stopped(g->progress))
        return;

    const int64_t *hist = hist_at(g, root->hist);

    for (size_t k = first->first; k <= first->first + first->n_bins; k++) {
        root->g += root->wide ? hist[2 * k] : hist_g(hist[k]);
        root->h += root->wide ? hist[2 * k + 1] : hist_h(hist[k]);
    }
    /* The search of a wave whose only "large child" is the root. */
    for (size_t w = 0; w < g->b->n_words; w++)
        search_word(g, root, w, NULL, found_at(g, 0, 0, w));
    keep_best(g, root, found_at(g, 0, 0, 0));
    settle(g, 0);
}

static double
leaf_value(const struct grow_options *o, double g, double h)
{
    double t = fabs(g) - o->split.l1, d = h + o->split.l2, v;

    if (!(t > 0) || !(d > 0))
        return 0;
    v = (g > 0 ? -t : t) / d;
    if (o->max_delta > 0)
        v = fmin(fmax(v, -o->max_delta), o->max_delta);
    return v * o->rate;
}

static void
set_values(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct grower *g = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct leaf *l = &g->leaf[i];
        const struct hist_row *r = g->rows + l->begin;
        double sum_g = 0, sum_h = 0;

        for (size_t k = 0; k < l->n; k++) {
            sum_g += (double)g->gradient[r[k].row].g;
            sum_h += (double)g->gradient[r[k].row].h;
        }
        g->value[i] = (float)leaf_value(&g->o, sum_g, sum_h);
    }
}

bool
grow_tree(struct grower *g, size_t n, const struct hist_scale *scale,
          const struct gradient *gradient, const bool *active, struct forest *f,
          struct error *err)
{
    size_t n_sets = f->n_sets;

    g->scale = scale;
    g->gradient = gradient;
    g->active = active;
    g->forest = f;
    if (!tree_begin(f, g->o.leaves, err))
        return false;
    start_tree(g, n);
    while (g->n_heap > 0 && g->n_leaves < g->o.leaves &&
           !progress_stopped(g->progress))
        run_wave(g);
    if (!progress_check(g->progress, err)) {
        f->n_sets = n_sets;
        return false;
    }
    pool_for(n >= INLINE_ROWS ? g->pool : NULL, g->n_leaves, 1, set_values, g);
    tree_end(f, g->value, g->n_leaves);
    return true;
}

/* ---- what the tree says ---- */

struct add_job {
    const struct grower *g;
    double *score;
    size_t stride;
};

static void
add_leaves(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct add_job *j = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct leaf *l = &j->g->leaf[i];
        const struct hist_row *r = j->g->rows + l->begin;
        double v = (double)j->g->value[i];

        for (size_t k = 0; k < l->n; k++)
            j->score[r[k].row * j->stride] += v;
    }
}

void
grower_add_grown(const struct grower *g, double *score, size_t stride)
{
    struct add_job j = {g, score, stride};
    size_t n = 0;

    for (size_t i = 0; i < g->n_leaves; i++)
        n += g->leaf[i].n;
    pool_for(n >= INLINE_ROWS ? g->pool : NULL, g->n_leaves, 1, add_leaves, &j);
}

/* Eight rows down the tree side by side. */
static void
walk_coded(const struct grower *g, const uint8_t *const *row, int32_t *at)
{
    int32_t busy;

    for (size_t i = 0; i < LANES; i++)
        at[i] = 0;
    do {
        busy = -1;
        for (size_t i = 0; i < LANES; i++) {
            const struct coded_node *n = &g->node[at[i] < 0 ? 0 : at[i]];
            unsigned k = row[i][n->slot];
            bool left = n->set[k / 64] >> (k % 64) & 1;
            int32_t next = left ? n->left : n->right;

            at[i] = at[i] < 0 ? at[i] : next;
            busy &= at[i];
        }
    } while (busy >= 0);
}

void
grower_add_coded(const struct grower *g, const struct binned *b, size_t begin,
                 size_t end, double *score, size_t stride)
{
    if (g->n_leaves == 1) {
        for (size_t r = begin; r < end; r++)
            score[r * stride] += (double)g->value[0];
        return;
    }
    for (size_t r = begin; r < end; r += LANES) {
        const uint8_t *row[LANES];
        int32_t at[LANES];

        for (size_t i = 0; i < LANES; i++)
            row[i] = binned_row(b, r + i < end ? r + i : r);
        walk_coded(g, row, at);
        for (size_t i = 0; i < LANES && r + i < end; i++)
            score[(r + i) * stride] += (double)g->value[~at[i]];
    }
}
