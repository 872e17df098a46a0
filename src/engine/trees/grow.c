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

#include "engine/trees/grow_state.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { INLINE_BINS = 1 << 14 }; /* bins searched; as GROW_INLINE_ROWS */

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
    g->max_wave = g->n_hist / 2 < GROW_MAX_WAVE ? g->n_hist / 2 : GROW_MAX_WAVE;
    if (g->max_wave == 0)
        g->max_wave = 1;
    g->hist = mem_try_aligned(g->n_hist * g->hist_words, sizeof *g->hist, err);
    g->free_hist = mem_try_array(g->n_hist, sizeof *g->free_hist, err);
    g->buffer =
        mem_try_aligned(GROW_BUFFERS * g->b->n_bins, sizeof *g->buffer, err);
    g->counts = mem_try_array(g->b->n_bins, sizeof *g->counts, err);
    return g->hist && g->free_hist && g->buffer && g->counts;
}

static bool
make_lists(struct grower *g, struct error *err)
{
    size_t n = g->b->n_rows + HIST_AHEAD, leaves = g->o.leaves;
    size_t max_chunks = g->b->n_rows / GROW_PART_GRAIN + g->max_wave + 1;
    size_t max_found = g->max_wave * 2 * (g->b->n_words + 1);

    g->rows = room_init(&g->lists[0], n, sizeof *g->rows, g->o.left, err);
    g->scratch = room_init(&g->lists[1], n, sizeof *g->scratch, g->o.left, err);
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
    room_fini(&g->lists[0]);
    room_fini(&g->lists[1]);
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

bool
grow_goes_before(const struct grower *g, uint32_t a, uint32_t b)
{
    double x = g->leaf[a].best.split.gain, y = g->leaf[b].best.split.gain;

    return x != y ? x > y : a < b;
}

static void
heap_push(struct grower *g, size_t leaf)
{
    size_t i = g->n_heap++;

    while (i > 0 && grow_goes_before(g, (uint32_t)leaf, g->heap[(i - 1) / 2])) {
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
            grow_goes_before(g, g->heap[child + 1], g->heap[child]))
            child++;
        if (!grow_goes_before(g, g->heap[child], last))
            break;
        g->heap[i] = g->heap[child];
        i = child;
    }
    g->heap[i] = last;
    return top;
}

/* ---- search ---- */

static struct split_leaf
leaf_view(const struct grower *g, const struct grow_leaf *l)
{
    return (struct split_leaf){
        grow_hist_at(g, l->hist), l->wide, l->g, l->h, l->n, NULL};
}

static void
search_word(struct grower *g, const struct grow_leaf *l, size_t word,
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
may_split(const struct grower *g, const struct grow_leaf *l)
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
        const struct grow_part *part = &g->part[p];
        const struct grow_leaf *child[2];

        if (!part->stands || !part->search)
            continue;
        child[0] = &g->leaf[part->small];
        child[1] = &g->leaf[part->large];
        if (part->subtract) {
            bins_of(g->b, word, &first, &last);
            hist_subtract(grow_hist_at(g, child[1]->hist), child[1]->wide,
                          grow_hist_at(g, child[0]->hist), child[0]->wide,
                          first, last);
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
keep_best(struct grower *g, struct grow_leaf *l,
          const struct split_found *found)
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
    struct grow_leaf *l = &g->leaf[leaf];

    if (l->best.split.gain > 0) {
        heap_push(g, leaf);
    } else {
        grow_release_hist(g, l->hist);
        l->hist = -1;
    }
}

/* The estimate was wrong: search once more with rows counted. */
static void
search_counted(struct grower *g, size_t leaf)
{
    struct grow_leaf *l = &g->leaf[leaf];
    const struct binned *b = g->b;

    if (l->hist < 0) {
        l->hist = grow_acquire_hist(g);
        grow_count_leaves(g, &leaf, 1);
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
make_children(struct grower *g, struct grow_part *p)
{
    struct grow_leaf *l = &g->leaf[p->leaf], *r = &g->leaf[p->right];
    const struct split_found s = l->best;
    struct grow_node *node = &g->node[p->right - 1];
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
    *r = (struct grow_leaf){.begin = l->begin + p->n_left,
                            .n = l->n - p->n_left,
                            .depth = l->depth + 1,
                            .parent = id,
                            .is_left = false,
                            .hist = -1,
                            .g = l->g - s.left_g,
                            .h = l->h - s.left_h};
    *l = (struct grow_leaf){.begin = l->begin,
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
assign_memory(struct grower *g, struct grow_part *p, bool more)
{
    struct grow_leaf *small = &g->leaf[p->small], *large = &g->leaf[p->large];

    p->search = more && may_split(g, large);
    p->subtract = p->search && p->hist >= 0;
    if (!p->search) {
        grow_release_hist(g, p->hist);
        return;
    }
    small->hist = grow_acquire_hist(g);
    large->hist = p->subtract ? p->hist : grow_acquire_hist(g);
    large->wide = p->hist_wide;
}

static void
count_children(struct grower *g)
{
    size_t todo[2 * GROW_MAX_WAVE], n = 0;

    for (size_t p = 0; p < g->n_parts; p++) {
        const struct grow_part *part = &g->part[p];

        if (!part->stands || !part->search)
            continue;
        todo[n++] = part->small;
        if (!part->subtract)
            todo[n++] = part->large;
    }
    grow_count_leaves(g, todo, n);
}

static void
search_children(struct grower *g)
{
    size_t n = g->n_parts * g->b->n_words;
    size_t bins = 2 * g->n_parts * g->b->n_bins;

    pool_for(bins >= INLINE_BINS ? g->pool : NULL, n, 1, search_words, g);
    for (size_t p = 0; p < g->n_parts; p++) {
        const struct grow_part *part = &g->part[p];

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
most_splits(const struct grower *g, const struct grow_leaf *l)
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
        g->part[g->n_parts] = (struct grow_part){.leaf = heap_pop(g)};
        g->n_parts++;
    } while (most <= left && g->n_heap > 0 && g->n_parts < g->max_wave);
}

static void
run_wave(struct grower *g)
{
    choose_wave(g);
    grow_part_rows(g);
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
    struct grow_leaf *root = &g->leaf[0];
    const struct binned_slot *first = &g->b->slot[0];
    size_t zero = 0;

    g->n_leaves = 1;
    g->n_heap = 0;
    grow_free_hists(g);
    memset(g->rows + n, 0, HIST_AHEAD * sizeof *g->rows);
    *root = (struct grow_leaf){.n = n, .parent = -1, .hist = -1};
    if (g->b->n_slots == 0 || g->o.leaves < 2 || !may_split(g, root))
        return;
    root->hist = grow_acquire_hist(g);
    grow_count_leaves(g, &zero, 1);
    if (progress_stopped(g->progress))
        return;

    const int64_t *hist = grow_hist_at(g, root->hist);

    for (size_t k = first->first; k <= first->first + first->n_bins; k++) {
        root->g += root->wide ? hist[2 * k] : hist_g(hist[k]);
        root->h += root->wide ? hist[2 * k + 1] : hist_h(hist[k]);
    }
    for (size_t w = 0; w < g->b->n_words; w++)
        search_word(g, root, w, NULL, found_at(g, 0, 0, w));
    keep_best(g, root, found_at(g, 0, 0, 0));
    settle(g, 0);
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
    grow_set_values(g, n);
    tree_end(f, g->value, g->n_leaves);
    for (size_t i = 0; i < g->n_leaves; i++)
        tree_cover(f)[i] = (uint32_t)g->leaf[i].n;
    return true;
}
