/* engine/trees/grow_search.c -- the best split of a leaf, from its histogram.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/grow_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { UNITS = 16 /* of a leaf, searched by one thread */ };

/* ---- room for the levels of long categories ---- */

bool
grow_make_levels(struct grower *g, struct error *err)
{
    const struct binned *b = g->b;
    size_t cells;

    for (size_t s = b->n_narrow; s < b->n_slots; s++)
        if (b->slot[s].category && b->slot[s].n_bins + 1u > g->level_room)
            g->level_room = b->slot[s].n_bins + 1u;
    if (g->level_room == 0)
        return true;
    g->n_rooms = pool_threads(g->pool);
    if (!mem_mul(g->n_rooms, g->level_room, &cells))
        return error_set(err, ERR_NOMEM, "%zu levels do not fit",
                         g->level_room);
    g->level = mem_try_array(cells, sizeof *g->level, err);
    g->busy = mem_try_array(g->n_rooms, sizeof *g->busy, err);
    return g->level && g->busy;
}

void
grow_free_levels(struct grower *g)
{
    free(g->level);
    free(g->busy);
}

/* One that no other thread has; there are as many as threads. */
static size_t
take_room(const struct grower *g)
{
    size_t i = 0;

    while (g->n_rooms > 0 && atomic_exchange(&g->busy[i], true))
        i = (i + 1) % g->n_rooms;
    return i;
}

static void
give_room(const struct grower *g, size_t i)
{
    if (g->n_rooms > 0)
        atomic_store(&g->busy[i], false);
}

static struct split_search
search_of(const struct grower *g, const struct split_leaf *view, size_t room)
{
    return (struct split_search){
        .b = g->b,
        .leaf = view,
        .scale = g->scale,
        .rule = &g->o.split,
        .kernels = g->split_fn,
        .level = g->n_rooms > 0 ? g->level + room * g->level_room : NULL};
}

/* ---- views ---- */

/* room: where the unit is counted, of a leaf that keeps no histogram. */
static struct split_leaf
leaf_view(const struct grower *g, const struct grow_leaf *l, size_t unit,
          bool counted, struct grow_unit *room)
{
    struct split_leaf view = {.wide = l->wide,
                              .counts = counted ? g->counts : NULL,
                              .g = l->g,
                              .h = l->h,
                              .n_rows = l->n,
                              .low = l->low,
                              .high = l->high};

    if (!g->thin) {
        view.hist = grow_hist_of(g, l);
        return view;
    }
    grow_count_unit(g, l, unit, counted, room);
    view.hist = room->hist;
    view.first = room->first;
    view.counts = counted ? room->counts : NULL;
    return view;
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
search_places(const struct split_search *search, size_t begin, size_t end,
              const bool *may, struct split_found *best)
{
    for (size_t i = begin; i < end; i++) {
        size_t s = binned_at(search->b, i);
        struct split_found one;

        one.split.gain = 0;
        if (may && !may[s])
            continue;
        split_slot(search, s, &one);
        if (split_better(&one, best))
            *best = one;
    }
}

static bool
may_any(const struct grower *g, size_t begin, size_t end, const bool *may)
{
    for (size_t i = begin; i < end && may; i++)
        if (may[binned_at(g->b, i)])
            return true;
    return !may;
}

static void
search_unit(const struct grower *g, const struct grow_leaf *l, size_t unit,
            const bool *may, bool counted, struct split_found *best)
{
    bool is_long = unit >= g->b->n_words;
    size_t begin, end, room = is_long ? take_room(g) : 0;
    struct split_search search;
    struct split_leaf view;
    struct grow_unit own;

    best->split.gain = 0;
    slots_of(g->b, unit, &begin, &end);
    if (g->thin && !may_any(g, begin, end, may))
        return;
    view = leaf_view(g, l, unit, counted, &own);
    search = search_of(g, &view, room);
    if (g->b->by_place && !is_long)
        search_places(&search, begin, end, may, best);
    else
        for (size_t s = begin; s < end; s++)
            if (!may || may[s])
                split_slot(&search, s, best);
    if (is_long)
        give_room(g, room);
}

static void
keep_best(const struct grower *g, struct grow_leaf *l, bool counted,
          const struct split_found *found)
{
    struct split_leaf view;
    struct split_search search;
    struct grow_unit own;
    size_t room, unit = 0;

    l->best.split.gain = 0;
    for (size_t u = 0; u < g->n_units; u++)
        if (split_better(&found[u], &l->best)) {
            l->best = found[u];
            unit = u;
        }
    if (!(l->best.split.gain > 0))
        return;
    room = take_room(g);
    view = leaf_view(g, l, unit, counted, &own);
    view.long_set = grow_long_set(g, l);
    search = search_of(g, &view, room);
    split_finish(&search, &l->best);
    give_room(g, room);
}

struct search_job {
    struct grower *g;
    size_t leaf;
    const bool *may;
    bool counted;
    const size_t *part; /* of those, or of the leaf */
};

static void
search_units(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct search_job *j = ctx;
    struct grower *g = j->g;

    (void)chunk;
    for (size_t u = begin; u < end && !progress_stopped(g->progress); u++)
        search_unit(g, &g->leaf[j->leaf], u, j->may, j->counted, &g->found[u]);
}

void
grow_search(struct grower *g, size_t leaf, bool counted)
{
    struct search_job j = {.g = g,
                           .leaf = leaf,
                           .may = grow_choose(g, leaf, 0, 0),
                           .counted = counted};

    pool_for(g->pool, g->n_units, UNITS, search_units, &j);
    g->leaf[leaf].best.split.gain = 0;
    if (progress_stopped(g->progress))
        return;
    keep_best(g, &g->leaf[leaf], counted, g->found);
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

    if (p->hist >= 0 && !g->thin) {
        bins_of(g->b, unit, &first, &last);
        hist_subtract(grow_hist_of(g, child[1]), child[1]->wide,
                      grow_hist_of(g, child[0]), child[0]->wide, first, last);
    }
    for (size_t k = 0; k < 2; k++) {
        struct split_found *to = found_of(g, p, k) + unit;

        to->split.gain = 0;
        if (grow_may_split(g, child[k]))
            search_unit(g, child[k], unit,
                        grow_chosen(g, (size_t)(p - g->part), k), false, to);
    }
}

static void
keep_pair(struct grower *g, struct grow_part *p)
{
    keep_best(g, &g->leaf[p->small], false, found_of(g, p, 0));
    keep_best(g, &g->leaf[p->large], false, found_of(g, p, 1));
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
    const struct search_job *j = ctx;
    struct grower *g = j->g;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct grow_part *p = &g->part[j->part[i / g->n_units]];

        if (progress_stopped(g->progress))
            return;
        if (p->stands && p->search)
            search_pair(g, p, i % g->n_units);
    }
}

void
grow_search_parts(struct grower *g, const size_t *part, size_t n)
{
    struct search_job j = {.g = g, .part = part};

    for (size_t i = 0; i < n; i++) {
        const struct grow_part *p = &g->part[part[i]];

        if (p->stands && p->search)
            choose_pair(g, p);
    }
    pool_for(g->pool, n * g->n_units, 1, search_words, &j);
    if (progress_stopped(g->progress))
        return;
    for (size_t i = 0; i < n; i++) {
        struct grow_part *p = &g->part[part[i]];

        if (p->stands && p->search)
            keep_pair(g, p);
    }
}
