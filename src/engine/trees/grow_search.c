/* engine/trees/grow_search.c -- the best split of a leaf, from its histogram.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/grow_state.h"

#include <string.h>

static struct split_leaf
leaf_view(const struct grower *g, const struct grow_leaf *l)
{
    return (struct split_leaf){.hist = grow_hist_of(g, l),
                               .wide = l->wide,
                               .g = l->g,
                               .h = l->h,
                               .n_rows = l->n,
                               .low = l->low,
                               .high = l->high};
}

/* The slots of a unit: binned_at() of begin..end-1; or a long slot. */
static void
slots_of(const struct binned *b, size_t unit, size_t *begin, size_t *end)
{
    size_t first = unit * BINNED_WORD, next = first + BINNED_WORD;

    if (unit >= b->n_words) {
        *begin = b->n_narrow + unit - b->n_words;
        *end = *begin + 1;
        return;
    }
    *begin = binned_place_start(b, first);
    *end = binned_place_start(b, next < b->n_places ? next : b->n_places);
}

/* Slots in the order of places, where the first of equals need not be the
 * lowest. */
static void
search_places(const struct grower *g, const struct split_leaf *view,
              size_t begin, size_t end, const bool *may,
              struct split_found *best)
{
    for (size_t i = begin; i < end; i++) {
        size_t s = binned_at(g->b, i);
        struct split_found one;

        one.split.gain = 0;
        if (may && !may[s])
            continue;
        split_slot(g->b, s, view, g->scale, &g->o.split, g->split_fn, &one);
        if (split_better(&one, best))
            *best = one;
    }
}

static void
search_unit(const struct grower *g, const struct grow_leaf *l, size_t unit,
            const bool *may, const uint32_t *counts, struct split_found *best)
{
    struct split_leaf view = leaf_view(g, l);
    size_t begin, end;

    view.counts = counts;
    best->split.gain = 0;
    slots_of(g->b, unit, &begin, &end);
    if (g->b->by_place && unit < g->b->n_words) {
        search_places(g, &view, begin, end, may, best);
        return;
    }
    for (size_t s = begin; s < end; s++)
        if (!may || may[s])
            split_slot(g->b, s, &view, g->scale, &g->o.split, g->split_fn,
                       best);
}

static void
keep_best(const struct grower *g, struct grow_leaf *l, const uint32_t *counts,
          const struct split_found *found)
{
    struct split_leaf view;

    l->best.split.gain = 0;
    for (size_t u = 0; u < g->n_units; u++)
        if (split_better(&found[u], &l->best))
            l->best = found[u];
    view = leaf_view(g, l);
    view.counts = counts;
    view.long_set = grow_long_set(g, l);
    split_finish(g->b, &view, g->scale, &g->o.split, &l->best);
}

void
grow_search(struct grower *g, size_t leaf, const uint32_t *counts,
            struct split_found *found)
{
    const bool *may = grow_choose(g, leaf, 0, 0);
    struct grow_leaf *l = &g->leaf[leaf];

    for (size_t u = 0; u < g->n_units; u++)
        search_unit(g, l, u, may, counts, &found[u]);
    keep_best(g, l, counts, found);
}

/* Bins of the slots of a unit: begin..end-1. */
static void
bins_of(const struct binned *b, size_t unit, size_t *begin, size_t *end)
{
    size_t first = unit * BINNED_WORD, next = first + BINNED_WORD;
    size_t slot = b->n_narrow;

    if (unit >= b->n_words) {
        slot += unit - b->n_words;
        *begin = b->slot[slot++].first;
    } else {
        *begin = b->place[first].first;
    }
    *end = slot < b->n_slots ? b->slot[slot].first : b->n_bins;
    if (unit < b->n_words && next < b->n_places)
        *end = b->place[next].first;
}

static struct split_found *
found_of(const struct grower *g, const struct grow_part *p, size_t child)
{
    return g->found + ((size_t)(p - g->part) * 2 + child) * g->n_units;
}

/* Of both children of a part, the slots of one unit. */
static void
search_pair(struct grower *g, const struct grow_part *p, size_t unit)
{
    const struct grow_leaf *child[2] = {&g->leaf[p->small], &g->leaf[p->large]};
    size_t first, last;

    if (p->hist >= 0) {
        bins_of(g->b, unit, &first, &last);
        hist_subtract(grow_hist_of(g, child[1]), child[1]->wide,
                      grow_hist_of(g, child[0]), child[0]->wide, first, last);
    }
    for (size_t k = 0; k < 2; k++) {
        struct split_found *to = found_of(g, p, k) + unit;

        to->split.gain = 0;
        if (grow_may_split(g, child[k]))
            search_unit(g, child[k], unit,
                        grow_chosen(g, (size_t)(p - g->part), k), NULL, to);
    }
}

static void
keep_pair(struct grower *g, struct grow_part *p)
{
    keep_best(g, &g->leaf[p->small], NULL, found_of(g, p, 0));
    keep_best(g, &g->leaf[p->large], NULL, found_of(g, p, 1));
}

static void
choose_pair(struct grower *g, const struct grow_part *p)
{
    size_t part = (size_t)(p - g->part);

    (void)grow_choose(g, p->small, part, 0);
    (void)grow_choose(g, p->large, part, 1);
}

void
grow_search_small(struct grower *g, struct grow_part *p)
{
    choose_pair(g, p);
    for (size_t u = 0; u < g->n_units; u++)
        search_pair(g, p, u);
    keep_pair(g, p);
}

static void
search_words(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct grower *g = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct grow_part *p = &g->part[g->large[i / g->n_units]];

        if (p->stands && p->search)
            search_pair(g, p, i % g->n_units);
    }
}

void
grow_search_large(struct grower *g)
{
    for (size_t i = 0; i < g->n_large; i++) {
        const struct grow_part *p = &g->part[g->large[i]];

        if (p->stands && p->search)
            choose_pair(g, p);
    }
    pool_for(g->pool, g->n_large * g->n_units, 1, search_words, g);
    for (size_t i = 0; i < g->n_large; i++) {
        struct grow_part *p = &g->part[g->large[i]];

        if (p->stands && p->search)
            keep_pair(g, p);
    }
}
