/* engine/trees/grow_rows.c -- the rows of leaves: part them, sum their
 * gradients, add the values of their leaves.
 *
 * The rows of a leaf are a stretch of one of two lists, in ascending order; its
 * children get the same stretch of the other list, the left one's first.
 *
 * A tree that is grown leaves the number of its leaf with every row.  Sums and
 * scores then go over all rows in order: by leaf, each row of a small leaf would
 * fetch a line of memory for one number.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/grow_state.h"

#include <math.h>
#include <string.h>

enum {
    LANES = 8,
    SCORE_GRAIN = 16384,
    SPARSE = 48,   /* one row in so many, and lines of codes hold one each */
    BY_ROW = 8192, /* rows whose codes a core's cache holds */
};

/* ---- part ---- */

/* A set of the codes of a bundled slot, as stored: codes of others say that it
 * is at its usual one. */
static const uint64_t *
stored_set(const struct binned_slot *s, const uint64_t *set, uint64_t *out)
{
    bool rest_left = set[s->rest / 64] >> (s->rest % 64) & 1;

    memset(out, rest_left ? 0xff : 0, PART_SET_WORDS * sizeof *out);
    for (unsigned k = 1; k <= s->n_bins; k++) {
        unsigned at = binned_stored(s, k);
        bool left = set[k / 64] >> (k % 64) & 1;

        if (k != s->rest && left != rest_left)
            out[at / 64] ^= UINT64_C(1) << (at % 64);
    }
    return out;
}

/* Which of a leaf's rows go left.  Codes are read by column; but where each is
 * in a line of memory of its own and the leaf is small, by row: the histogram
 * of the smaller child then finds its rows in the cache. */
static size_t
mark_rows(const struct grower *g, const struct grow_leaf *l, size_t begin,
          size_t end, uint64_t *bits)
{
    const uint32_t *rows = g->rows[l->list] + begin;
    const struct tree_split *s = &l->best.split;
    size_t n = end - begin, span = rows[n - 1] - rows[0];
    bool sparse = span / SPARSE >= n;
    uint64_t stored[PART_SET_WORDS];
    const uint64_t *set;
    const uint8_t *code;
    size_t place;

    if (s->slot >= g->b->n_narrow)
        return part_mark_long(binned_long(g->b, s->slot), rows, n,
                              grow_long_set(g, l), bits);
    set = g->b->slot[s->slot].bundled
              ? stored_set(&g->b->slot[s->slot], s->set, stored)
              : s->set;
    place = g->b->slot[s->slot].place;
    code = g->b->col + place * g->b->n_rows;
    if (span == n - 1)
        return g->part_fn->mark(code + rows[0], n, set, bits);
    if (sparse && l->n <= BY_ROW)
        return part_mark_list(g->part_fn, binned_row(g->b, 0) + place,
                              g->b->n_words * BINNED_WORD, rows, n, true, set,
                              bits);
    return part_mark_list(g->part_fn, code, 1, rows, n, sparse, set, bits);
}

static bool
split_stands(const struct grower *g, size_t n, size_t n_left)
{
    size_t right = n - n_left;

    return n_left > 0 && right > 0 && (double)n_left >= g->o.split.min_rows &&
           (double)right >= g->o.split.min_rows;
}

/* The children of a split that stands. */
static void
make_children(struct grower *g, struct grow_part *p)
{
    struct grow_leaf *l = &g->leaf[p->leaf], *left = &g->leaf[l->child];

    left[0] = (struct grow_leaf){.begin = l->begin,
                                 .n = p->n_left,
                                 .list = !l->list,
                                 .is_left = true,
                                 .depth = l->depth + 1,
                                 .hist = -1,
                                 .g = l->best.left_g,
                                 .h = l->best.left_h};
    left[1] = (struct grow_leaf){.begin = l->begin + p->n_left,
                                 .n = l->n - p->n_left,
                                 .list = !l->list,
                                 .depth = l->depth + 1,
                                 .hist = -1,
                                 .g = l->g - l->best.left_g,
                                 .h = l->h - l->best.left_h};
    grow_take_after(g, l->child, p->leaf, true);
    grow_take_after(g, l->child + 1, p->leaf, false);
    p->small = left[0].n <= left[1].n ? l->child : l->child + 1;
    p->large = left[0].n <= left[1].n ? l->child + 1 : l->child;
    p->search = p->more && grow_may_split(g, &g->leaf[p->large]);
}

void
grow_part_small(struct grower *g, struct grow_part *p)
{
    const struct grow_leaf *l = &g->leaf[p->leaf];
    uint64_t bits[GROW_SMALL_ROWS / 64];
    uint32_t *to = g->rows[!l->list] + l->begin;

    p->n_left = mark_rows(g, l, l->begin, l->begin + l->n, bits);
    p->stands = split_stands(g, l->n, p->n_left);
    if (!p->stands)
        return;
    g->part_fn->move(grow_rows_of(g, l), l->n, bits, to, to + p->n_left);
    make_children(g, p);
}

static void
list_chunks(struct grower *g)
{
    g->n_chunks = 0;
    for (size_t i = 0; i < g->n_large; i++) {
        struct grow_part *p = &g->part[g->large[i]];
        const struct grow_leaf *l = &g->leaf[p->leaf];

        p->first_chunk = g->n_chunks;
        for (size_t at = 0; at < l->n; at += GROW_PART_GRAIN) {
            size_t n =
                l->n - at < GROW_PART_GRAIN ? l->n - at : GROW_PART_GRAIN;

            g->chunk[g->n_chunks++] =
                (struct grow_chunk){.part = g->large[i],
                                    .begin = l->begin + at,
                                    .end = l->begin + at + n};
        }
    }
}

static void
mark_chunks(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct grower *g = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        struct grow_chunk *c = &g->chunk[i];

        c->left = mark_rows(g, &g->leaf[g->part[c->part].leaf], c->begin,
                            c->end, g->bits + i * GROW_BITS);
    }
}

/* Where the chunks of a split go, now that all are counted. */
static void
place_chunks(struct grower *g, struct grow_part *p)
{
    const struct grow_leaf *l = &g->leaf[p->leaf];
    size_t end = p->first_chunk + pool_chunks(l->n, GROW_PART_GRAIN);
    size_t left = l->begin, right;

    p->n_left = 0;
    for (size_t i = p->first_chunk; i < end; i++)
        p->n_left += g->chunk[i].left;
    right = l->begin + p->n_left;
    for (size_t i = p->first_chunk; i < end; i++) {
        struct grow_chunk *c = &g->chunk[i];

        c->to_left = left;
        c->to_right = right;
        left += c->left;
        right += c->end - c->begin - c->left;
    }
    p->stands = split_stands(g, l->n, p->n_left);
    if (p->stands)
        make_children(g, p);
}

static void
move_chunks(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct grower *g = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct grow_chunk *c = &g->chunk[i];
        const struct grow_part *p = &g->part[c->part];
        uint8_t list = g->leaf[p->leaf].list;
        uint32_t *to = g->rows[!list];

        if (p->stands)
            g->part_fn->move(g->rows[list] + c->begin, c->end - c->begin,
                             g->bits + i * GROW_BITS, to + c->to_left,
                             to + c->to_right);
    }
}

void
grow_part_large(struct grower *g)
{
    list_chunks(g);
    pool_for(g->pool, g->n_chunks, 1, mark_chunks, g);
    for (size_t i = 0; i < g->n_large; i++)
        place_chunks(g, &g->part[g->large[i]]);
    pool_for(g->pool, g->n_chunks, 1, move_chunks, g);
}

/* ---- values ---- */

static double
leaf_value(const struct grower *grower, size_t leaf, double g, double h)
{
    const struct grow_options *o = &grower->o;
    double v = split_value(&o->split, g, h, -INFINITY, INFINITY);

    v = grower_bound(grower, leaf, v);
    if (o->max_delta > 0)
        v = fmin(fmax(v, -o->max_delta), o->max_delta);
    return v * o->rate;
}

static void
number_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct grower *g = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct grow_leaf *l = &g->leaf[g->at[i]];
        const uint32_t *rows = grow_rows_of(g, l);

        for (size_t k = 0; k < l->n; k++)
            g->number[rows[k]] = (uint16_t)i;
    }
}

static size_t
sum_grain(const struct grower *g)
{
    size_t grain = g->b->n_rows / GROW_SUM_CHUNKS + 1;

    return grain > SCORE_GRAIN ? grain : SCORE_GRAIN;
}

/* Rows that the tree was not grown on have a number past those of leaves. */
static void
sum_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct grower *g = ctx;
    double(*sum)[2] = g->sum + chunk * (g->n_leaves + 1);

    memset(sum, 0, (g->n_leaves + 1) * sizeof *sum);
    for (size_t i = begin; i < end; i++) {
        double *s = sum[g->number[i]];

        s[0] += (double)g->gradient[i].g;
        s[1] += (double)g->gradient[i].h;
    }
}

void
grow_set_values(struct grower *g)
{
    size_t n = g->b->n_rows, grain = sum_grain(g);
    struct pool *pool = n >= GROW_INLINE_ROWS ? g->pool : NULL;

    if (g->n_rows < n)
        for (size_t i = 0; i < n; i++)
            g->number[i] = (uint16_t)g->n_leaves;
    pool_for(pool, g->n_leaves, 1, number_rows, g);
    pool_for(pool, n, grain, sum_rows, g);
    for (size_t i = 0; i < g->n_leaves; i++) {
        double sum_g = 0, sum_h = 0;

        for (size_t c = 0; c < pool_chunks(n, grain); c++) {
            sum_g += g->sum[c * (g->n_leaves + 1) + i][0];
            sum_h += g->sum[c * (g->n_leaves + 1) + i][1];
        }
        g->value[i] = (float)leaf_value(g, i, sum_g, sum_h);
    }
    g->value[g->n_leaves] = 0;
}

/* ---- what the tree says ---- */

void
grower_leaf_of(const struct grower *g, uint16_t *leaf)
{
    for (size_t i = 0; i < g->b->n_rows; i++)
        if (g->number[i] < g->n_leaves)
            leaf[i] = g->number[i];
}

void
grower_set_leaf(struct grower *g, struct forest *f, size_t leaf, float v)
{
    g->value[leaf] = v;
    f->value[f->leaf_start[f->n_trees - 1] + leaf] = v;
}

struct add_job {
    const struct grower *g;
    double *score;
    size_t stride;
};

static void
add_values(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct add_job *j = ctx;
    const struct grower *g = j->g;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        j->score[i * j->stride] += (double)g->value[g->number[i]];
}

void
grower_add_grown(const struct grower *g, double *score, size_t stride)
{
    struct add_job j = {g, score, stride};
    size_t n = g->b->n_rows;

    pool_for(n >= GROW_INLINE_ROWS ? g->pool : NULL, n, SCORE_GRAIN, add_values,
             &j);
}

/* One row, where slots may be long or bundled. */
static int32_t
walk_any(const struct grower *g, const struct binned *b, size_t row)
{
    int32_t at = 0;

    while (at >= 0) {
        const struct grow_node *n = &g->node[at];
        const uint64_t *set = n->long_set ? n->long_set : n->set;
        unsigned k = binned_code(b, n->slot, row);

        at = set[k / 64] >> (k % 64) & 1 ? n->left : n->right;
    }
    return at;
}

void
grower_leaf_coded(const struct grower *g, const struct binned *b, size_t begin,
                  size_t end, uint16_t *leaf)
{
    for (size_t r = begin; r < end; r++)
        leaf[r] = g->n_leaves > 1 ? (uint16_t)~walk_any(g, b, r) : 0;
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
            const struct grow_node *n = &g->node[at[i] < 0 ? 0 : at[i]];
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
    bool plain = !g->long_words && !b->by_place;

    if (g->n_leaves == 1) {
        for (size_t r = begin; r < end; r++)
            score[r * stride] += (double)g->value[0];
        return;
    }
    for (size_t r = begin; r < end && !plain; r++)
        score[r * stride] += (double)g->value[~walk_any(g, b, r)];
    for (size_t r = begin; r < end && plain; r += LANES) {
        const uint8_t *row[LANES];
        int32_t at[LANES];

        for (size_t i = 0; i < LANES; i++)
            row[i] = binned_row(b, r + i < end ? r + i : r);
        walk_coded(g, row, at);
        for (size_t i = 0; i < LANES && r + i < end; i++)
            score[(r + i) * stride] += (double)g->value[~at[i]];
    }
}
