/* engine/trees/forest_draw.c -- cuts at random, of extremely randomised trees.
 *
 * A cut lies anywhere between the least and the largest value of a node's rows,
 * as Geurts has it: of numbers any value is as likely as another.  Levels of a
 * category are put in the order of their means over the rows of the tree, and
 * any place in that order is as likely as another.  For classes codes and sets of
 * levels are drawn evenly instead, which ranks rows better: on two tables of
 * 4,000 and 7,000 rows by 0.009 and 0.002 of AUC.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trees/forest_state.h"

static uint16_t *
rank_of(const struct growth *g, size_t slot)
{
    return g->rank + (size_t)g->rank_at[slot] * CODES;
}

/* Codes of a number, or ranks, brought together, and their range: all that a
 * cut at random needs. */
static struct forest_range
find_range(struct growth *g, const struct item *it, size_t slot)
{
    const uint8_t *narrow = g->b->col + slot * g->b->n_rows;
    const struct forest_row *r = g->rows + it->begin;

    if (g->rank && g->b->slot[slot].category) {
        const uint16_t *rank = rank_of(g, slot);

        for (size_t i = 0; i < it->n; i++)
            g->code[i] = rank[narrow[r[i].row]];
    } else if (slot < g->b->n_narrow) {
        for (size_t i = 0; i < it->n; i++)
            g->code[i] = narrow[r[i].row];
    } else {
        const uint16_t *code = binned_long(g->b, slot);

        for (size_t i = 0; i < it->n; i++)
            g->code[i] = code[r[i].row];
    }
    return g->kernels->range(g->code, it->n);
}

/* Is there nothing to tell apart? */
static bool
is_alone(const struct forest_range *r)
{
    return r->high == 0 || (r->low == r->high && r->missing == 0);
}

/* Sums over the rows whose code, of those brought together, goes left. */
static void
count_left(struct growth *g, const struct item *it, struct forest_cut cut)
{
    const struct forest_row *r = g->rows + it->begin;
    double weight = 0, *sum = g->left.sum;
    size_t n = 0;

    if (g->r->k == 1) {
        struct forest_sum s = g->kernels->sum_left(r, g->code, it->n, cut);

        g->left.n = s.n;
        g->left.weight = s.weight;
        sum[0] = s.sum;
        return;
    }
    forest_side_clear(&g->left, g->r->k);
    for (size_t i = 0; i < it->n; i++) {
        bool left = forest_goes_left(cut, g->code[i]);
        double w = (double)r[i].weight * left;

        n += left;
        weight += w;
        sum[(size_t)r[i].y] += w;
    }
    g->left.n = (double)n;
    g->left.weight = weight;
}

/* The middle of what has code c, of n; the outer ones are as wide as their
 * neighbours. */
static double
middle(const struct binner *b, size_t c, size_t n)
{
    double low = binner_cut(b, (unsigned)(c > 1 ? c - 1 : 1));
    double high = binner_cut(b, (unsigned)(c < n ? c : n - 1));

    if (n > 2 && c == 1)
        return low - (binner_cut(b, 2) - low) / 2;
    if (n > 2 && c == n)
        return high + (high - binner_cut(b, (unsigned)n - 2)) / 2;
    return n > 2 ? low / 2 + high / 2 : c == 1 ? low - 1 : high + 1;
}

/* A cut between the least and the largest code: any rank is as likely as
 * another, and of numbers any value. */
static size_t
draw_between(struct growth *g, size_t slot, const struct forest_range *r)
{
    const struct binned_slot *s = &g->b->slot[slot];
    const struct binner *b = g->b->binner[s->col];
    size_t low = r->low, high = r->high - 1, n = s->n_bins;
    double from, wide, at;

    if (s->category || low == high || !g->r->numbers)
        return low + forest_draw(g, r->high - low);
    from = middle(b, r->low, n);
    wide = middle(b, r->high, n) - from;
    if (!(wide > 0) || !isfinite(wide))
        return low + forest_draw(g, r->high - low);
    at = from + wide * ((double)forest_draw(g, UINT64_C(1) << 32) * 0x1p-32);
    /* The last of low..high whose middle it has reached. */
    while (low < high) {
        size_t mid = (low + high + 1) / 2;

        if (middle(b, mid, n) <= at)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

/* Levels up to rank `cut` go left; those the tree has not seen with the larger
 * side. */
static void
keep_ranks(const struct growth *g, size_t slot, size_t cut, struct best *best)
{
    const uint16_t *rank = rank_of(g, slot);
    struct tree_split *t = &best->split;
    bool rest_left = 2 * g->left.n >= g->all.n;

    memset(t->set, 0, sizeof t->set);
    for (size_t c = 0; c < CODES; c++) {
        bool left = rank[c] > 0 ? rank[c] <= cut : rest_left;

        t->set[c / 64] |= (uint64_t)left << (c % 64);
    }
    t->slot = (uint32_t)slot;
    t->code = 0;
    t->missing_left = t->set[0] & 1;
}

/* The missing go to a side at random; where all values are alike, they are told
 * from them. */
bool
forest_draw_cut(struct growth *g, const struct item *it, size_t slot,
                double parent, struct best *best)
{
    bool missing_left, alike;
    struct forest_range range;
    size_t cut;

    range = find_range(g, it, slot);
    if (is_alone(&range))
        return false;
    alike = range.low == range.high;
    missing_left = range.missing > 0 && forest_draw(g, 2) == 1;
    cut = !alike         ? draw_between(g, slot, &range)
          : missing_left ? 0
                         : g->b->slot[slot].n_bins;
    count_left(g, it, forest_cut_of(cut, missing_left));
    if (!forest_consider(g, parent, best))
        return true;
    if (g->b->slot[slot].category)
        keep_ranks(g, slot, cut, best);
    else
        forest_keep_cut(g, slot, cut, missing_left, range.missing, best);
    return true;
}

/* Levels get an order, so that a cut at random has something to hold on to: a
 * set drawn from all that there are tells next to nothing of numbers. */
bool
forest_rank_levels(struct growth *g, size_t n, struct error *err)
{
    const struct item all = {0, n, 0, -1, false};
    size_t n_slots = g->b->n_slots, categories = 0;

    if (!g->r->extra || !g->r->numbers)
        return true;
    g->rank_at = mem_try_array(n_slots, sizeof *g->rank_at, err);
    for (size_t s = 0; g->rank_at && s < n_slots; s++)
        if (g->b->slot[s].category)
            g->rank_at[s] = (uint32_t)categories++;
    g->rank = mem_try_array(categories, CODES * sizeof *g->rank, err);
    if (!g->rank || !g->rank_at)
        return false;
    for (size_t s = 0; s < n_slots; s++) {
        uint16_t *rank = rank_of(g, s);
        size_t m;

        if (!g->b->slot[s].category)
            continue;
        forest_count_column(g, &all, s);
        m = forest_list_codes(g);
        if (g->c.n[0] > 0)
            g->order[m++] = 0;
        for (size_t i = 0; i < m; i++)
            g->key[g->order[i]] =
                g->c.sum[g->order[i]] / g->c.weight[g->order[i]];
        forest_sort_codes(g, m);
        for (size_t i = 0; i < m; i++)
            rank[g->order[i]] = (uint16_t)(i + 1);
    }
    return true;
}
