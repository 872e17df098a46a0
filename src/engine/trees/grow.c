/* engine/trees/grow.c -- grow one tree, best leaf first.
 *
 * Two things go on at different paces.  The tree takes leaves in their turn, the
 * one that gains most first, and each that is taken becomes a node.  The work of
 * parting rows, counting and searching is done before, in waves of several
 * leaves: those whose turn is next, as it looks now.  Of these nearly all are
 * taken in the end; what they cost when the leaves run out first is lost, so
 * waves become narrow as the end comes near.  The tree is the same either way.
 *
 * A wave does two kinds of leaves.  Large ones are shared by all threads, step
 * by step; small ones are the work of one thread each, from parting to search,
 * with nothing to wait for and everything in its cache:
 *
 *   part     the rows of a leaf into two lists; counts decide whether it stands
 *   count    the histogram of the smaller child
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

/* A wave is at most this part of the leaves that are still to come. */
enum { WAVE_SHARE = 8 };

/* ---- making ---- */

/* Sets of long slots are kilobytes, so that leaves have room for them only
 * where there are any; pages that are not written to cost nothing. */
static bool
make_long(struct grower *g, struct error *err)
{
    const struct binned *b = g->b;

    g->n_units = b->n_words + b->n_slots - b->n_narrow;
    for (size_t s = b->n_narrow; s < b->n_slots; s++)
        if (binned_set_words(b, s) > g->long_words)
            g->long_words = binned_set_words(b, s);
    g->long_set = mem_try_array((4 * g->o.leaves + 1) * g->long_words,
                                sizeof *g->long_set, err);
    return g->long_set != NULL;
}

/* One block, so that all but its end lies in large pages. */
static bool
make_rows(struct grower *g, struct error *err)
{
    size_t n = g->b->n_rows;
    size_t row = sizeof *g->q + 2 * sizeof *g->rows[0] + sizeof *g->number;

    g->q = room_init_paged(&g->room, n, row, g->o.left, err);
    if (!g->q)
        return false;
    g->rows[0] = (uint32_t *)(void *)(g->q + n);
    g->rows[1] = g->rows[0] + n;
    g->number = (uint16_t *)(void *)(g->rows[1] + n);
    return true;
}

static bool
make_lists(struct grower *g, struct error *err)
{
    size_t leaves = g->o.leaves, known = 4 * leaves + 1;
    size_t max_chunks = g->b->n_rows / GROW_PART_GRAIN + g->max_wave + 1;
    size_t max_found = g->max_wave * 2 * (g->n_units + 1);

    g->leaf = mem_try_array(known, sizeof *g->leaf, err);
    g->at = mem_try_array(leaves, sizeof *g->at, err);
    g->turns.leaf = mem_try_array(leaves + 1, sizeof *g->turns.leaf, err);
    g->waiting.leaf = mem_try_array(leaves + 1, sizeof *g->waiting.leaf, err);
    g->node = mem_try_array(leaves, sizeof *g->node, err);
    g->value = mem_try_array(leaves + 1, sizeof *g->value, err);
    g->sum = mem_try_array((GROW_SUM_CHUNKS + 1) * (leaves + 1), sizeof *g->sum,
                           err);
    g->part = mem_try_array(g->max_wave, sizeof *g->part, err);
    g->large = mem_try_array(2 * g->max_wave, sizeof *g->large, err);
    g->chunk = mem_try_array(max_chunks, sizeof *g->chunk, err);
    g->bits = mem_try_array(max_chunks, GROW_BITS * sizeof *g->bits, err);
    g->found = mem_try_array(max_found, sizeof *g->found, err);
    g->small = g->large ? g->large + g->max_wave : NULL;
    return g->leaf && g->at && g->turns.leaf && g->waiting.leaf && g->node &&
           g->value && g->sum && g->part && g->large && g->chunk && g->bits &&
           g->found;
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
    g->split_fn = split_choose();
    g->part_fn = part_choose();
    if (!grow_make_stores(g, err) || !make_rows(g, err) || !make_long(g, err) ||
        !make_lists(g, err) || !grow_make_choice(g, err) ||
        !grow_make_levels(g, err)) {
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
    room_fini(&g->room);
    free(g->leaf);
    free(g->at);
    free(g->turns.leaf);
    free(g->waiting.leaf);
    free(g->node);
    free(g->value);
    free(g->sum);
    free(g->part);
    free(g->large);
    free(g->chunk);
    free(g->bits);
    free(g->found);
    free(g->long_set);
    grow_free_stores(g);
    grow_free_choice(g);
    grow_free_levels(g);
    free(g);
}

uint32_t *
grower_rows(struct grower *g)
{
    return g->rows[0];
}

struct hist_quantum *
grower_quanta(struct grower *g)
{
    return g->q;
}

size_t
grower_leaves(const struct grower *g)
{
    return g->n_leaves;
}

bool
grow_may_split(const struct grower *g, const struct grow_leaf *l)
{
    return (g->o.max_depth == 0 || l->depth < g->o.max_depth) && l->n >= 2 &&
           (double)l->n >= 2 * g->o.split.min_rows;
}

/* ---- turns ---- */

bool
grow_goes_before(const struct grower *g, uint32_t a, uint32_t b)
{
    const struct grow_leaf *la = &g->leaf[a], *lb = &g->leaf[b];
    double x = la->best.split.gain, y = lb->best.split.gain;

    if (g->o.by_level && la->depth != lb->depth)
        return la->depth < lb->depth;
    if (!g->o.by_level && x != y)
        return x > y;
    return la->number != lb->number ? la->number < lb->number : a < b;
}

static void
queue_push(const struct grower *g, struct grow_queue *q, uint32_t leaf)
{
    size_t i = q->n++;

    while (i > 0 && grow_goes_before(g, leaf, q->leaf[(i - 1) / 2])) {
        q->leaf[i] = q->leaf[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    q->leaf[i] = leaf;
}

static uint32_t
queue_pop(const struct grower *g, struct grow_queue *q)
{
    uint32_t top = q->leaf[0], last = q->leaf[--q->n];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= q->n)
            break;
        if (child + 1 < q->n &&
            grow_goes_before(g, q->leaf[child + 1], q->leaf[child]))
            child++;
        if (!grow_goes_before(g, q->leaf[child], last))
            break;
        q->leaf[i] = q->leaf[child];
        i = child;
    }
    q->leaf[i] = last;
    return top;
}

/* A leaf of the tree waits for its turn, if it gains. */
static void
enqueue(struct grower *g, uint32_t leaf)
{
    if (!(g->leaf[leaf].best.split.gain > 0))
        return;
    queue_push(g, &g->turns, leaf);
    if (g->leaf[leaf].stage == GROW_WAITS)
        queue_push(g, &g->waiting, leaf);
}

/* A leaf that has no split needs no histogram. */
static void
settle(struct grower *g, struct grow_leaf *l)
{
    if (!(l->best.split.gain > 0)) {
        grow_release_hist(g, l->hist);
        l->hist = -1;
    }
}

/* ---- a wave ---- */

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

/* How many leaves are parted together: as many as can be where the leaves
 * cannot run out, else a share of those to come. */
static size_t
wave_width(const struct grower *g)
{
    size_t left = g->o.leaves - g->n_leaves, most = 0;
    size_t width = left / WAVE_SHARE;

    for (size_t i = 0; i < g->turns.n && most <= left; i++)
        most += most_splits(g, &g->leaf[g->turns.leaf[i]]);
    /* By level, no leaf to come goes before one that waits. */
    if (most <= left || width > g->max_wave)
        return g->max_wave;
    if (g->o.by_level)
        return left < g->max_wave ? left : g->max_wave;
    return width > 1 ? width : 1;
}

/* Is there one more leaf for a wave of this width?  Threads that have nothing
 * else to do take small ones. */
static bool
is_open(const struct grower *g, size_t width)
{
    size_t left = g->o.leaves - g->n_leaves;

    if (g->waiting.n == 0 || g->n_parts >= g->max_wave)
        return false;
    return g->n_parts < width ||
           (g->n_parts < left && g->n_small < pool_threads(g->pool) &&
            g->n_large == 0 &&
            g->leaf[g->waiting.leaf[0]].n <= GROW_SMALL_ROWS);
}

static void
choose_wave(struct grower *g)
{
    size_t width = wave_width(g);
    bool more = g->n_leaves + 1 < g->o.leaves;

    g->n_parts = g->n_large = g->n_small = 0;
    while (is_open(g, width)) {
        size_t leaf = queue_pop(g, &g->waiting);
        struct grow_leaf *l = &g->leaf[leaf];

        l->stage = GROW_PARTED;
        if (l->child == 0) { /* else from when it failed */
            assert(g->n_known + 2 <= 4 * g->o.leaves + 1);
            l->child = (uint32_t)g->n_known;
            g->n_known += 2;
        }
        for (size_t i = 0; i < 2; i++)
            g->leaf[l->child + i] = (struct grow_leaf){.hist = -1};
        if (l->n > GROW_SMALL_ROWS)
            g->large[g->n_large++] = g->n_parts;
        else
            g->small[g->n_small++] = g->n_parts;
        g->part[g->n_parts++] = (struct grow_part){
            .leaf = leaf, .spare = {-1, -1}, .hist = l->hist, .more = more};
    }
}

/* The largest first: no thread is left with a large one in the end. */
static void
sort_small(struct grower *g)
{
    for (size_t i = 1; i < g->n_small; i++) {
        size_t part = g->small[i], k = i;
        size_t n = g->leaf[g->part[part].leaf].n;

        for (; k > 0 && g->leaf[g->part[g->small[k - 1]].leaf].n < n; k--)
            g->small[k] = g->small[k - 1];
        g->small[k] = part;
    }
}

/* Memory for the children of a small leaf, if they may be split: one more
 * histogram where the parent has one, else two. */
static void
assign_spare(struct grower *g, struct grow_part *p)
{
    const struct grow_leaf *l = &g->leaf[p->leaf];
    struct grow_leaf largest = {.n = l->n - 1, .depth = l->depth + 1};

    if (!p->more || g->thin || !grow_may_split(g, &largest))
        return;
    p->spare[0] = grow_acquire_hist(g, 1);
    if (p->hist < 0)
        p->spare[1] = grow_acquire_hist(g, 1);
}

/* The larger child takes over what its parent had. */
static void
give_memory(struct grower *g, const struct grow_part *p)
{
    struct grow_leaf *parent = &g->leaf[p->leaf];
    struct grow_leaf *small = &g->leaf[p->small], *large = &g->leaf[p->large];

    small->hist = p->spare[0];
    large->hist = p->hist >= 0 ? p->hist : p->spare[1];
    large->wide = parent->wide;
    parent->hist = -1;
}

static void
run_large(struct grower *g)
{
    if (g->n_large == 0)
        return;
    grow_part_large(g);
    for (size_t i = 0; i < g->n_large; i++) {
        struct grow_part *p = &g->part[g->large[i]];

        if (!p->stands || !p->search)
            continue;
        p->spare[0] = grow_acquire_hist(g, g->leaf[p->small].n);
        if (p->hist < 0)
            p->spare[1] = grow_acquire_hist(g, g->leaf[p->large].n);
        give_memory(g, p);
        grow_count(g, &g->leaf[p->small]);
        if (p->hist < 0)
            grow_count(g, &g->leaf[p->large]);
        if (progress_stopped(g->progress))
            return;
    }
    grow_search_parts(g, g->large, g->n_large);
}

static void
run_small(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct grower *g = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        struct grow_part *p = &g->part[g->small[i]];

        if (progress_stopped(g->progress))
            return;
        grow_part_small(g, p);
        if (!p->stands || !p->search || g->thin)
            continue;
        give_memory(g, p);
        grow_count_small(g, &g->leaf[p->small]);
        if (p->hist < 0)
            grow_count_small(g, &g->leaf[p->large]);
        grow_search_small(g, p);
    }
}

/* What became of a part: memory that is not used goes back. */
static void
finish_part(struct grower *g, struct grow_part *p)
{
    struct grow_leaf *l = &g->leaf[p->leaf];

    if (p->stands && p->search) {
        settle(g, &g->leaf[p->small]);
        settle(g, &g->leaf[p->large]);
        return;
    }
    grow_release_hist(g, p->spare[0]);
    grow_release_hist(g, p->spare[1]);
    if (p->stands) {
        grow_release_hist(g, l->hist);
        l->hist = -1;
    } else {
        l->stage = GROW_FAILED;
    }
}

static void
run_wave(struct grower *g)
{
    size_t rows = 0;

    choose_wave(g);
    sort_small(g);
    run_large(g);
    for (size_t i = 0; i < g->n_small; i++) {
        struct grow_part *p = &g->part[g->small[i]];

        assign_spare(g, p);
        rows += g->leaf[p->leaf].n;
    }
    pool_for(rows >= GROW_INLINE_ROWS ? g->pool : NULL, g->n_small, 1,
             run_small, g);
    if (g->thin)
        grow_search_parts(g, g->small, g->n_small);
    if (progress_stopped(g->progress))
        return;
    for (size_t i = 0; i < g->n_parts; i++)
        finish_part(g, &g->part[i]);
}

/* ---- a tree ---- */

/* A leaf that was parted becomes a node. */
static void
take_split(struct grower *g, uint32_t leaf)
{
    const struct grow_leaf *l = &g->leaf[leaf];
    struct grow_leaf *left = &g->leaf[l->child], *right = left + 1;
    const struct tree_split *s = &l->best.split;
    struct grow_node *node = &g->node[g->n_leaves - 1];
    int16_t a = (int16_t)~l->number, b = (int16_t)~g->n_leaves;
    bool is_long = s->slot >= g->b->n_narrow;
    const uint64_t *long_set = is_long ? grow_long_set(g, l) : NULL;
    int16_t id = tree_add_node(g->forest, g->b, s, long_set, a, b);

    assert((size_t)id == g->n_leaves - 1);
    memcpy(node->set, s->set, sizeof node->set);
    node->long_set = long_set;
    node->slot = s->slot;
    node->left = a;
    node->right = b;
    if (l->parent >= 0) {
        tree_link(g->forest, l->parent, l->is_left, id);
        if (l->is_left)
            g->node[l->parent].left = id;
        else
            g->node[l->parent].right = id;
    }
    left->parent = right->parent = id;
    left->number = l->number;
    right->number = (uint16_t)g->n_leaves++;
    g->at[left->number] = l->child;
    g->at[right->number] = l->child + 1;
    enqueue(g, l->child);
    enqueue(g, l->child + 1);
}

static void
count_rows(struct grower *g, struct grow_leaf *l)
{
    const struct binned *b = g->b;
    const uint32_t *rows = grow_rows_of(g, l);

    if (l->hist < 0) {
        l->hist = grow_acquire_hist(g, l->n);
        grow_count(g, l);
    }
    memset(g->counts, 0, b->n_bins * sizeof *g->counts);
    for (size_t i = 0; i < l->n; i++) {
        const uint8_t *code = binned_row(b, rows[i]);

        for (size_t p = 0; p < b->n_places; p++)
            g->counts[b->place[p].first + code[p]]++;
        for (size_t s = b->n_narrow; s < b->n_slots; s++)
            g->counts[b->slot[s].first + binned_long(b, s)[rows[i]]]++;
    }
}

/* The estimate of rows was wrong: search once more with rows counted. */
static void
search_counted(struct grower *g, uint32_t leaf)
{
    struct grow_leaf *l = &g->leaf[leaf];

    if (!g->thin)
        count_rows(g, l);
    grow_search(g, leaf, true);
    l->stage = GROW_WAITS;
    settle(g, l);
    enqueue(g, leaf);
}

static void
sum_root(const struct grower *g, struct grow_leaf *root)
{
    const struct binned_slot *first =
        g->b->n_places > 0 ? &g->b->place[0] : &g->b->slot[0];
    const int64_t *hist;

    for (size_t i = 0; i < root->n && g->thin; i++) {
        const struct hist_quantum *q = &g->q[grow_rows_of(g, root)[i]];

        root->g += q->g;
        root->h += q->h;
    }
    if (g->thin)
        return;
    hist = grow_hist_of(g, root);
    for (size_t k = first->first; k <= first->first + first->n_bins; k++) {
        root->g += root->wide ? hist[2 * k] : hist_g(hist[k]);
        root->h += root->wide ? hist[2 * k + 1] : hist_h(hist[k]);
    }
}

static void
start_tree(struct grower *g, size_t n)
{
    struct grow_leaf *root = &g->leaf[0];

    g->n_rows = n;
    g->n_leaves = g->n_known = 1;
    g->at[0] = 0;
    g->turns.n = g->waiting.n = 0;
    grow_reset_stores(g);
    g->n_tree = g->forest->n_trees;
    *root = (struct grow_leaf){
        .n = n, .parent = -1, .hist = -1, .low = -INFINITY, .high = INFINITY};
    if (g->way)
        memset(g->way, 0, g->set_words * sizeof *g->way);
    if (g->b->n_slots == 0 || g->o.leaves < 2 || !grow_may_split(g, root))
        return;
    if (!g->thin) {
        root->hist = grow_acquire_hist(g, n);
        grow_count(g, root);
    }
    if (progress_stopped(g->progress))
        return;
    sum_root(g, root);
    grow_search(g, 0, false);
    settle(g, root);
    enqueue(g, 0);
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
    while (g->turns.n > 0 && g->n_leaves < g->o.leaves &&
           !progress_stopped(g->progress)) {
        uint32_t next = g->turns.leaf[0];

        if (g->leaf[next].stage == GROW_WAITS) {
            run_wave(g);
            continue;
        }
        queue_pop(g, &g->turns);
        if (g->leaf[next].stage == GROW_PARTED)
            take_split(g, next);
        else
            search_counted(g, next);
    }
    if (!progress_check(g->progress, err)) {
        f->n_sets = n_sets;
        return false;
    }
    grow_set_values(g);
    tree_end(f, g->value, g->n_leaves);
    for (size_t i = 0; i < g->n_leaves; i++)
        tree_cover(f)[i] = (uint32_t)g->leaf[g->at[i]].n;
    return true;
}
