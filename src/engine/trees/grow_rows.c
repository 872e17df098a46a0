/* engine/trees/grow_rows.c -- the rows of leaves: part them, sum their
 * gradients, add the values of their leaves.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/grow_state.h"

#include <math.h>
#include <string.h>

enum { LANES = 8 };

/* ---- part and gather ---- */

static void
list_chunks(struct grower *g)
{
    g->n_chunks = 0;
    for (size_t p = 0; p < g->n_parts; p++) {
        const struct grow_leaf *l = &g->leaf[g->part[p].leaf];

        g->part[p].first_chunk = g->n_chunks;
        for (size_t at = 0; at < l->n; at += GROW_PART_GRAIN) {
            size_t n =
                l->n - at < GROW_PART_GRAIN ? l->n - at : GROW_PART_GRAIN;

            g->chunk[g->n_chunks++] = (struct grow_chunk){
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
        struct grow_chunk *c = &g->chunk[i];
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
place_chunks(struct grower *g, struct grow_part *p)
{
    const struct grow_leaf *l = &g->leaf[p->leaf];
    size_t end = p->first_chunk + pool_chunks(l->n, GROW_PART_GRAIN), left,
           right;

    p->n_left = 0;
    for (size_t i = p->first_chunk; i < end; i++)
        p->n_left += g->chunk[i].left;
    left = l->begin;
    right = l->begin + p->n_left;
    for (size_t i = p->first_chunk; i < end; i++) {
        struct grow_chunk *c = &g->chunk[i];

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
        const struct grow_chunk *c = &g->chunk[i];
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

static bool
split_stands(const struct grower *g, const struct grow_part *p)
{
    size_t n = g->leaf[p->leaf].n, right = n - p->n_left;

    return p->n_left > 0 && right > 0 &&
           (double)p->n_left >= g->o.split.min_rows &&
           (double)right >= g->o.split.min_rows;
}

void
grow_part_rows(struct grower *g)
{
    size_t rows = 0;

    for (size_t p = 0; p < g->n_parts; p++)
        rows += g->leaf[g->part[p].leaf].n;

    struct pool *pool = rows >= GROW_INLINE_ROWS ? g->pool : NULL;

    list_chunks(g);
    pool_for(pool, g->n_chunks, 1, part_chunks, g);
    for (size_t p = 0; p < g->n_parts; p++) {
        place_chunks(g, &g->part[p]);
        g->part[p].stands = split_stands(g, &g->part[p]);
    }
    pool_for(pool, g->n_chunks, 1, gather_chunks, g);
}

/* ---- values ---- */

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
        const struct grow_leaf *l = &g->leaf[i];
        const struct hist_row *r = g->rows + l->begin;
        double sum_g = 0, sum_h = 0;

        for (size_t k = 0; k < l->n; k++) {
            sum_g += (double)g->gradient[r[k].row].g;
            sum_h += (double)g->gradient[r[k].row].h;
        }
        g->value[i] = (float)leaf_value(&g->o, sum_g, sum_h);
    }
}

void
grow_set_values(struct grower *g, size_t n_rows)
{
    pool_for(n_rows >= GROW_INLINE_ROWS ? g->pool : NULL, g->n_leaves, 1,
             set_values, g);
}

/* ---- what the tree says ---- */

void
grower_leaf_of(const struct grower *g, uint16_t *leaf)
{
    for (size_t i = 0; i < g->n_leaves; i++) {
        const struct grow_leaf *l = &g->leaf[i];

        for (size_t k = l->begin; k < l->begin + l->n; k++)
            leaf[g->rows[k].row] = (uint16_t)i;
    }
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
add_leaves(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct add_job *j = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct grow_leaf *l = &j->g->leaf[i];
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
    pool_for(n >= GROW_INLINE_ROWS ? g->pool : NULL, g->n_leaves, 1, add_leaves,
             &j);
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
