/* engine/trees/walk.c -- rows down the trees of a sealed forest.
 *
 * A walk is a chain of dependent loads, so one alone leaves the processor
 * idle.  Eight go side by side: eight rows down one tree, or, for a single
 * row, one row down eight trees.  Values are added tree after tree either way,
 * so that a row scores the same alone and in a batch, to the last bit.
 *
 * A value is looked at through its rank among the thresholds of its column, of
 * which there are few: 32 bits in place of 64, found once for all trees.  Ranks
 * come twice, with the missing below all others and above, and a node looks at
 * the one whose missing go its way.  Those of eight rows stand side by side:
 *
 *     code | column 0, missing below: 8 rows | above: 8 rows | column 1 ...
 *
 * A node is eight bytes.  Its children are neighbours, so one number tells of
 * both; a leaf is a node that leads to itself.  Nodes go level by level, and a
 * step is four loads and no branch:
 *
 *     at = next - (rank < key)
 *
 * Where there are many levels most rows have arrived long before the last: once
 * in four steps it is asked whether all have.
 *
 * There is no twin that gathers: AVX2 and AVX-512 take as many loads to gather
 * as the rows that they would stand for.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/walk.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "base/sort.h"
#include "engine/trees/tree_state.h"

enum {
    LANES = 8,
    STEPS = 4,           /* between looks whether all have arrived */
    STACK_CODES = 16384, /* of a block of rows on the stack */
    BLOCK_ROWS = 256,
    GROUP_NODES = 4096, /* of trees that a block of rows goes down in turn */
    SCORE_GRAIN = 1024
};

static const uint32_t CATEGORY = UINT32_C(1) << 31; /* in a key */

struct walk_node {
    uint32_t key;  /* 0: a leaf; or rank + 2; or a set and CATEGORY */
    uint16_t at;   /* which code of a row, times the walk's `scale` */
    uint16_t next; /* the right child, one after the left one */
};

struct walk_tree {
    uint32_t first; /* its nodes and values */
    uint16_t depth; /* steps to the deepest leaf */
    bool mixed;     /* has categories */
};

struct walk {
    struct walk_node *node; /* inner ones and leaves of all trees */
    float *value;           /* of leaves, by node */
    struct walk_tree *tree;
    double *cut; /* of each used column, ascending */
    uint32_t *cut_start;
    uint16_t scale; /* LANES, which saves a shift, where that fits; else 1 */
    uint16_t *high; /* by node: bits of `at` from 16 on; NULL: all are 0 */
};

/* ---- packing ---- */

/* The columns that nodes look at, each once, ascending; place[col] = where. */
static bool
find_used(struct forest *f, uint32_t *place, struct error *err)
{
    memset(place, 0, f->n_cols * sizeof *place);
    for (size_t i = 0; i < f->n_nodes; i++)
        place[tree_feature(f, i)] = 1;
    for (size_t t = 0; t < f->n_terms; t++)
        place[tree_line_col(f, t)] = 1;
    for (size_t c = 0; c < f->n_cols; c++)
        f->n_used += place[c];
    f->used = mem_try_array(f->n_used, sizeof *f->used, err);
    if (!f->used)
        return false;
    for (size_t c = 0, n = 0; c < f->n_cols; c++)
        if (place[c]) {
            place[c] = (uint32_t)n;
            f->used[n++] = (uint32_t)c;
        }
    return true;
}

static bool
is_number(const struct forest *f, size_t node)
{
    return !(f->flags[node] & TREE_CATEGORY);
}

/* A key that no number has. */
static const uint64_t FREE = UINT64_MAX;
enum { PROBES = 32 };

/* Where the key is, or may be put.  NULL where all places that it may have are
 * taken: of a few, for a file may hold numbers that all want the same. */
static uint64_t *
place_of(uint64_t *table, size_t mask, uint64_t key)
{
    size_t at = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);

    for (size_t i = 0; i < PROBES; i++) {
        uint64_t *p = &table[(at + i) & mask];

        if (*p == FREE || *p == key)
            return p;
    }
    return NULL;
}

/* Twice the room, or the first. */
static bool
grow_table(uint64_t **table, size_t *room, struct error *err)
{
    size_t old = *table ? *room : 0, n = old ? 2 * old : 1024;
    uint64_t *grown = mem_try_array(n, sizeof *grown, err);

    if (!grown)
        return false;
    memset(grown, 0xff, n * sizeof *grown);
    for (size_t i = 0; i < old; i++) {
        uint64_t key = (*table)[i];
        uint64_t *p = key == FREE ? NULL : place_of(grown, n - 1, key);

        if (p)
            *p = key;
    }
    free(*table);
    *table = grown;
    *room = n;
    return true;
}

/* Leave each of *n numbers once, but for a few that find no place: forests ask
 * for the same few thresholds again and again, and sorting all of them took a
 * tenth of their learning. */
static bool
drop_repeats(double *x, size_t *n, struct error *err)
{
    uint64_t *table = NULL, *p, key;
    size_t room = 0, m = 0;
    bool ok = true;

    for (size_t i = 0; ok && i < *n; i++) {
        if (2 * (m + 1) > room && !(ok = grow_table(&table, &room, err)))
            break;
        memcpy(&key, &x[i], sizeof key);
        p = place_of(table, room - 1, key);
        if (p && *p == key)
            continue;
        if (p)
            *p = key;
        x[m++] = x[i];
    }
    free(table);
    *n = m;
    return ok;
}

/* The different thresholds of every used column. */
static bool
find_cuts(const struct forest *f, struct walk *w, const uint32_t *place,
          const bool *same, struct error *err)
{
    size_t n = 0, *end = mem_try_array(f->n_used + 1, sizeof *end, err);

    w->cut = mem_try_array(f->n_nodes, sizeof *w->cut, err);
    w->cut_start = mem_try_array(f->n_used + 1, sizeof *w->cut_start, err);
    if (!end || !w->cut || !w->cut_start) {
        free(end);
        return false;
    }
    for (size_t t = 0; t < f->n_trees; t++)
        for (size_t i = f->node_start[t]; i < f->node_start[t + 1]; i++)
            end[place[tree_feature(f, i)] + 1] += is_number(f, i) && !same[t];
    for (size_t u = 0; u < f->n_used; u++)
        end[u + 1] += end[u];
    for (size_t t = 0; t < f->n_trees; t++)
        for (size_t i = f->node_start[t]; i < f->node_start[t + 1]; i++)
            if (is_number(f, i) && !same[t])
                w->cut[end[place[tree_feature(f, i)]]++] = f->threshold[i];
    /* end[u] has become where column u ends. */
    for (size_t u = 0, from = 0; u < f->n_used; from = end[u++]) {
        double *cut = w->cut + from;
        size_t m = end[u] - from;

        w->cut_start[u] = (uint32_t)n;
        if (!drop_repeats(cut, &m, err)) {
            free(end);
            return false;
        }
        qsort(cut, m, sizeof *cut, sort_rising);
        for (size_t i = 0; i < m; i++)
            if (i == 0 || cut[i] > w->cut[n - 1])
                w->cut[n++] = cut[i];
    }
    w->cut_start[f->n_used] = (uint32_t)n;
    free(end);
    return true;
}

/* How many of n ascending cuts x has reached; of no NaN. */
static INLINE_ALWAYS uint32_t
rank_of(const double *cut, size_t n, double x)
{
    const double *at = cut;

    if (n == 0)
        return 0;
    while (n > 1) {
        size_t half = n / 2;

        /* No branch: it would be mispredicted every other time. */
        at += half & (0 - (size_t)(at[half - 1] <= x));
        n -= half;
    }
    return (uint32_t)(at - cut) + (*at <= x);
}

static void
pack_node(const struct forest *f, const uint32_t *place, size_t i,
          struct walk_node *to)
{
    const struct walk *w = f->walk;
    size_t u = place[tree_feature(f, i)], first = w->cut_start[u];
    double threshold = f->threshold[i];

    to->at = (uint16_t)(2 * u * w->scale);
    if (w->high)
        w->high[to - w->node] = (uint16_t)(2 * u >> 16);
    if (!is_number(f, i)) {
        to->key = (uint32_t)threshold | CATEGORY;
        return;
    }
    /* Ranks of values begin at 1; its own threshold is below that many. */
    to->key =
        1 + rank_of(w->cut + first, w->cut_start[u + 1] - first, threshold);
    if (!(f->flags[i] & TREE_MISSING_LEFT))
        to->at = (uint16_t)(to->at + w->scale);
}

/* A node or leaf of a tree, and where it goes. */
struct spot {
    int16_t child; /* as of its parent; the root is node 0 */
    uint16_t depth;
};

/* Pack tree t, level by level; spot has room for its nodes and leaves. */
static void
pack_tree(struct forest *f, size_t t, const uint32_t *place, struct spot *spot)
{
    size_t start = f->node_start[t], n = f->node_start[t + 1] - start;
    struct walk_tree *w = &f->walk->tree[t];
    struct walk_node *to;
    size_t end = 1;

    *w = (struct walk_tree){f->node_start[t] + f->leaf_start[t], 0, false};
    to = f->walk->node + w->first;
    spot[0] = (struct spot){n > 0 ? 0 : ~0, 0};
    for (size_t p = 0; p < end; p++) {
        int16_t child = spot[p].child;
        uint16_t depth = spot[p].depth;

        w->depth = depth;
        if (child < 0) {
            /* No rank is below 0: it leads to itself. */
            to[p] = (struct walk_node){0, 0, (uint16_t)p};
            f->walk->value[w->first + p] =
                f->value[f->leaf_start[t] + (size_t)~child];
            continue;
        }
        pack_node(f, place, start + (size_t)child, &to[p]);
        to[p].next = (uint16_t)(end + 1);
        w->mixed |= (to[p].key & CATEGORY) != 0;
        spot[end++] = (struct spot){f->left[start + (size_t)child],
                                    (uint16_t)(depth + 1)};
        spot[end++] = (struct spot){f->right[start + (size_t)child],
                                    (uint16_t)(depth + 1)};
    }
}

/* As the tree before it, of which spot still tells, but for its values. */
static void
pack_again(struct forest *f, size_t t, const struct spot *spot)
{
    const struct walk *w = f->walk;
    const struct walk_tree *before = &w->tree[t - 1];
    size_t first = f->node_start[t] + f->leaf_start[t];
    size_t n = first - before->first;

    w->tree[t] = *before;
    w->tree[t].first = (uint32_t)first;
    memcpy(w->node + first, w->node + before->first, n * sizeof *w->node);
    if (w->high)
        memcpy(w->high + first, w->high + before->first, n * sizeof *w->high);
    for (size_t p = 0; p < n; p++)
        if (spot[p].child < 0)
            w->value[first + p] =
                f->value[f->leaf_start[t] + (size_t)~spot[p].child];
}

bool
walk_pack(struct forest *f, struct error *err)
{
    uint32_t *place = mem_try_array(f->n_cols, sizeof *place, err);
    struct spot *spot = mem_try_array(2 * TREE_MAX_LEAVES, sizeof *spot, err);
    struct walk *w = mem_try_array(1, sizeof *w, err);
    bool ok = false, *same = mem_try_array(f->n_trees, sizeof *same, err);

    f->walk = w;
    if (!place || !spot || !w || !same || !find_used(f, place, err))
        goto out;
    for (size_t t = 0; t < f->n_trees; t++)
        same[t] = tree_asks_the_same(f, t);
    if (!find_cuts(f, w, place, same, err))
        goto out;
    w->scale = 2 * f->n_used * LANES <= UINT16_MAX ? LANES : 1;
    w->node = mem_try_aligned(f->n_nodes + f->n_leaves, sizeof *w->node, err);
    w->value = mem_try_array(f->n_nodes + f->n_leaves, sizeof *w->value, err);
    w->tree = mem_try_array(f->n_trees, sizeof *w->tree, err);
    if (2 * f->n_used > UINT16_MAX &&
        !(w->high =
              mem_try_array(f->n_nodes + f->n_leaves, sizeof *w->high, err)))
        goto out;
    if (!w->node || !w->value || !w->tree)
        goto out;
    for (size_t t = 0; t < f->n_trees; t++)
        if (same[t])
            pack_again(f, t, spot);
        else
            pack_tree(f, t, place, spot);
    ok = true;
out:
    free(same);
    free(place);
    free(spot);
    return ok;
}

void
walk_free(struct walk *w)
{
    if (!w)
        return;
    free(w->node);
    free(w->value);
    free(w->high);
    free(w->tree);
    free(w->cut);
    free(w->cut_start);
    free(w);
}

/* ---- walking ---- */

/* Where lanes begin: a tree for each, or one; and a row for each, or one. */
struct start {
    const struct walk_node *root[LANES];
    const uint32_t *x;
    size_t lane; /* from a lane's code to the next lane's: 1 or 0 */
};

static INLINE_ALWAYS uint32_t
step(const struct walk_node *n, const uint32_t *x)
{
    return n->next - (uint32_t)(x[n->at] < n->key);
}

/* Eight rows side by side, at most `depth` steps down one tree.  Written out,
 * for the places to stay in registers. */
static void
walk_rows(const struct walk_node *n, const uint32_t *x, size_t depth,
          uint32_t *at)
{
    uint32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;

    for (; depth > 0; depth--) {
        a = step(n + a, x);
        b = step(n + b, x + 1);
        c = step(n + c, x + 2);
        d = step(n + d, x + 3);
        e = step(n + e, x + 4);
        f = step(n + f, x + 5);
        g = step(n + g, x + 6);
        h = step(n + h, x + 7);
        if (depth % STEPS == 0 &&
            (n[a].key | n[b].key | n[c].key | n[d].key | n[e].key | n[f].key |
             n[g].key | n[h].key) == 0)
            break;
    }
    at[0] = a;
    at[1] = b;
    at[2] = c;
    at[3] = d;
    at[4] = e;
    at[5] = f;
    at[6] = g;
    at[7] = h;
}

/* One row down eight trees. */
static void
walk_trees(const struct walk_node *const *r, const uint32_t *x, size_t depth,
           uint32_t *at)
{
    uint32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;

    for (; depth > 0; depth--) {
        a = step(r[0] + a, x);
        b = step(r[1] + b, x);
        c = step(r[2] + c, x);
        d = step(r[3] + d, x);
        e = step(r[4] + e, x);
        f = step(r[5] + f, x);
        g = step(r[6] + g, x);
        h = step(r[7] + h, x);
    }
    at[0] = a;
    at[1] = b;
    at[2] = c;
    at[3] = d;
    at[4] = e;
    at[5] = f;
    at[6] = g;
    at[7] = h;
}

/* high: NULL, or the walk's. */
static INLINE_ALWAYS void
walk_each(const struct forest *f, const struct start *s, size_t depth,
          const uint16_t *high, uint32_t *at)
{
    size_t stride = LANES / f->walk->scale;

    memset(at, 0, LANES * sizeof *at);
    for (; depth > 0; depth--)
        for (size_t i = 0; i < LANES; i++) {
            const struct walk_node *n = s->root[i] + at[i];
            size_t above = high ? high[n - f->walk->node] : 0;
            size_t place = above << 16 | n->at;
            uint32_t code = s->x[place * stride + i * s->lane];
            bool category = n->key & CATEGORY, left = code < n->key;

            if (category) {
                const uint64_t *set =
                    f->set + (size_t)(n->key & ~CATEGORY) * TREE_SET_WORDS;

                left = set[code / 64] >> (code % 64) & 1;
            }
            at[i] = n->next - (uint32_t)left;
        }
}

/* The same with categories, whose code is looked up in a set, and with more
 * columns than have a place in 16 bits. */
static void
walk_any(const struct forest *f, const struct start *s, size_t depth,
         uint32_t *at)
{
    if (f->walk->high)
        walk_each(f, s, depth, f->walk->high, at);
    else
        walk_each(f, s, depth, NULL, at);
}

static bool
is_plain(const struct forest *f, const struct walk_tree *w)
{
    return !w->mixed && f->walk->scale == LANES;
}

/* Trees first..last-1 for n neighbouring rows, n <= LANES. */
static void
score_rows(const struct forest *f, size_t first, size_t last, const uint32_t *x,
           size_t n, double *out)
{
    struct start s = {.x = x, .lane = 1};
    uint32_t at[LANES];

    for (size_t t = first; t < last; t++) {
        const struct walk_tree *w = &f->walk->tree[t];
        const float *value = f->walk->value + w->first;

        if (is_plain(f, w)) {
            walk_rows(f->walk->node + w->first, x, w->depth, at);
        } else {
            for (size_t i = 0; i < LANES; i++)
                s.root[i] = f->walk->node + w->first;
            walk_any(f, &s, w->depth, at);
        }
        for (size_t i = 0; i < n; i++)
            out[i * f->n_outputs + t % f->n_outputs] += (double)value[at[i]];
    }
}

/* All trees for one row, eight trees at a time. */
static void
score_row(const struct forest *f, const uint32_t *x, double *out)
{
    struct start s = {.x = x, .lane = 0};
    uint32_t at[LANES];

    for (size_t first = 0; first < f->n_trees; first += LANES) {
        const struct walk_tree *w = f->walk->tree + first;
        struct walk_tree deepest = {0, 0, false};
        size_t left = f->n_trees - first;

        for (size_t i = 0; i < LANES; i++) {
            const struct walk_tree *tree = &w[i < left ? i : 0];

            s.root[i] = f->walk->node + tree->first;
            if (tree->depth > deepest.depth)
                deepest.depth = tree->depth;
            deepest.mixed |= tree->mixed;
        }
        if (is_plain(f, &deepest))
            walk_trees(s.root, x, deepest.depth, at);
        else
            walk_any(f, &s, deepest.depth, at);
        for (size_t i = 0; i < LANES && i < left; i++)
            out[(first + i) % f->n_outputs] +=
                (double)f->walk->value[w[i].first + at[i]];
    }
}

/* ---- codes ---- */

/* The code of a level, 0 for one that has none. */
static uint32_t
level_code(const struct forest *f, uint32_t col, double v)
{
    uint32_t first = f->level_start[col];
    uint32_t n_levels = f->level_start[col + 1] - first;

    return v >= 0 && v < n_levels ? f->level_code[first + (uint32_t)v] : 0;
}

/* Both codes of the used columns, rows begin..end-1, LANES side by side. */
static void
pull_block(const struct forest *f, const struct design *d, size_t begin,
           size_t end, uint32_t *x)
{
    size_t width = 2 * f->n_used * LANES, n = end - begin;
    double v[BLOCK_ROWS];

    for (size_t u = 0; u < f->n_used; u++) {
        const double *cut = f->walk->cut + f->walk->cut_start[u];
        size_t n_cuts = f->walk->cut_start[u + 1] - f->walk->cut_start[u];
        uint32_t c = f->used[u];
        bool category = f->level_start[c] < f->level_start[c + 1];

        design_pull(d, c, begin, end, v);
        for (size_t i = 0; i < n; i++) {
            uint32_t *to = x + i / LANES * width + 2 * u * LANES + i % LANES;
            uint32_t code = category       ? level_code(f, c, v[i])
                            : v[i] != v[i] ? 0
                                           : 1 + rank_of(cut, n_cuts, v[i]);

            to[0] = code;
            to[LANES] = code > 0 ? code : UINT32_MAX;
        }
    }
}

/* Trees from t on that a block of rows goes down in turn: they stay in the
 * nearest cache. */
static size_t
group_end(const struct forest *f, size_t t)
{
    const struct walk_tree *w = f->walk->tree;
    size_t first = w[t].first;

    while (++t < f->n_trees && w[t].first - first < GROUP_NODES)
        ;
    return t;
}

static void
score_block(const struct forest *f, const uint32_t *x, size_t n, double *out)
{
    size_t k = f->n_outputs;

    for (size_t r = 0; r < n; r++)
        memcpy(out + r * k, f->base, k * sizeof *out);
    if (n == 1) {
        score_row(f, x, out);
        return;
    }
    for (size_t t = 0, end; t < f->n_trees; t = end) {
        end = group_end(f, t);
        for (size_t i = 0; i < n; i += LANES)
            score_rows(f, t, end, x + i * 2 * f->n_used,
                       n - i < LANES ? n - i : LANES, out + i * k);
    }
}

struct score_job {
    const struct forest *f;
    const struct design *d;
    const struct pool *pool;
    double *out;
    size_t block; /* rows, in whole lanes */
    atomic_bool no_memory;
};

static void
score_range(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct score_job *j = ctx;
    size_t codes = 2 * j->f->n_used * j->block;
    uint32_t stack[STACK_CODES], *x = stack, *heap = NULL;
    struct error ignored;

    (void)chunk;
    if (codes > STACK_CODES) {
        x = heap = mem_try_array(codes, sizeof *x, &ignored);
        if (!heap) {
            atomic_store(&j->no_memory, true);
            return;
        }
    }
    /* Lanes without a row, and trees without nodes, look for nothing. */
    memset(x, 0, (codes > 0 ? codes : 1) * sizeof *x);
    for (size_t at = begin; at < end && !pool_stopped(j->pool);
         at += j->block) {
        size_t n = end - at < j->block ? end - at : j->block;

        pull_block(j->f, j->d, at, at + n, x);
        score_block(j->f, x, n, j->out + at * j->f->n_outputs);
    }
    free(heap);
}

bool
tree_score(const struct forest *f, const struct design *d, struct pool *pool,
           double *out, struct error *err)
{
    struct score_job j = {
        .f = f, .d = d, .pool = pool, .out = out, .block = BLOCK_ROWS};
    size_t n = design_rows(d);

    if (design_cols(d) != f->n_cols)
        return error_set(err, ERR_RANGE, "%zu columns, expected %zu",
                         design_cols(d), f->n_cols);
    if (f->line_start)
        return tree_score_lines(f, d, pool, out, err);
    while (j.block > LANES && 2 * f->n_used * j.block > STACK_CODES)
        j.block /= 2;
    if (n < j.block)
        j.block = n > 0 ? (n + LANES - 1) / LANES * LANES : LANES;
    if (!pool_try(pool, n, SCORE_GRAIN, score_range, &j, err))
        return false;
    if (atomic_load(&j.no_memory))
        return error_set(err, ERR_NOMEM, "no memory for %zu columns",
                         f->n_used);
    return true;
}
