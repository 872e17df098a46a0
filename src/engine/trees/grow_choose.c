/* engine/trees/grow_choose.c -- which columns a leaf may be split by, and between
 * which bounds its value stays.
 *
 * A split by a column with a trend halves the range its children's values may
 * lie in: the middle of their two values is the upper bound of one side and the
 * lower bound of the other, and of all leaves below them.
 *
 * Source: Chen & Guestrin, "XGBoost", KDD 2016, section 2.3 (columns by level
 *         and node); XGBoost's documentation of both kinds of constraints.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/grow_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { STREAM_LEVEL = 0x6c65766c, STREAM_NODE = 0x6e6f6465 };

static bool
make_trend(struct grower *g, struct error *err)
{
    if (!g->o.trend)
        return true;
    g->trend = mem_try_array(g->b->n_slots, sizeof *g->trend, err);
    if (!g->trend)
        return false;
    for (size_t s = 0; s < g->b->n_slots; s++)
        g->trend[s] = g->o.trend[g->b->slot[s].col];
    g->o.split.trend = g->trend;
    return true;
}

static bool
make_groups(struct grower *g, struct error *err)
{
    size_t from = GROW_SET_WORDS(g->b->n_cols);

    g->set_words = GROW_SET_WORDS(g->b->n_slots);
    if (g->o.n_groups == 0)
        return true;
    g->group =
        mem_try_array(g->o.n_groups * g->set_words, sizeof *g->group, err);
    g->way = mem_try_array((4 * g->o.leaves + 1) * g->set_words, sizeof *g->way,
                           err);
    g->allowed =
        mem_try_array(g->max_wave * 2 * g->set_words, sizeof *g->allowed, err);
    if (!g->group || !g->way || !g->allowed)
        return false;
    for (size_t k = 0; k < g->o.n_groups; k++)
        for (size_t s = 0; s < g->b->n_slots; s++) {
            size_t col = g->b->slot[s].col;
            uint64_t in = g->o.group[k * from + col / 64] >> (col % 64) & 1;

            g->group[k * g->set_words + s / 64] |= in << (s % 64);
        }
    return true;
}

static bool
draws(double share)
{
    return share > 0 && share < 1;
}

bool
grow_make_choice(struct grower *g, struct error *err)
{
    size_t n = g->max_wave * 2 * g->b->n_slots;

    if (!make_trend(g, err) || !make_groups(g, err))
        return false;
    g->chooses =
        draws(g->o.level_share) || draws(g->o.node_share) || g->o.n_groups > 0;
    if (!g->chooses)
        return true;
    g->choice = mem_try_array(n, sizeof *g->choice, err);
    g->order = mem_try_array(n, sizeof *g->order, err);
    return g->choice && g->order;
}

void
grow_free_choice(struct grower *g)
{
    free(g->trend);
    free(g->group);
    free(g->way);
    free(g->allowed);
    free(g->choice);
    free(g->order);
}

/* Of n slots in order, keep a share, at least one. */
static size_t
draw(const struct grower *g, uint32_t *order, size_t n, double share,
     uint64_t stream)
{
    size_t keep = (size_t)ceil(share * (double)n);

    if (!draws(share))
        return n;
    rng_shuffle(g->o.seed, stream, order, n);
    return keep;
}

/* Is all of a in b? */
static bool
is_within(const uint64_t *a, const uint64_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] & ~b[i])
            return false;
    return true;
}

/* The slots that may come after those on the way of a leaf: any after none;
 * else the same again, and those of the groups that hold them all. */
static void
find_allowed(const struct grower *g, size_t leaf, uint64_t *out)
{
    const uint64_t *way = g->way + leaf * g->set_words;
    bool at_root = true;

    for (size_t i = 0; i < g->set_words; i++)
        at_root &= way[i] == 0;
    memcpy(out, way, g->set_words * sizeof *out);
    if (at_root)
        memset(out, 0xff, g->set_words * sizeof *out);
    for (size_t k = 0; k < g->o.n_groups && !at_root; k++) {
        const uint64_t *group = g->group + k * g->set_words;

        if (!is_within(way, group, g->set_words))
            continue;
        for (size_t i = 0; i < g->set_words; i++)
            out[i] |= group[i];
    }
}

const bool *
grow_chosen(const struct grower *g, size_t part, size_t child)
{
    return g->chooses ? g->choice + (part * 2 + child) * g->b->n_slots
                      : g->active;
}

const bool *
grow_choose(struct grower *g, size_t leaf, size_t part, size_t child)
{
    size_t n_slots = g->b->n_slots, at = (part * 2 + child) * n_slots, n = 0;
    const struct grow_leaf *l = &g->leaf[leaf];
    uint64_t tree, *allowed = NULL;
    uint32_t *order;
    bool *choice;

    if (!g->chooses)
        return g->active;
    order = g->order + at;
    choice = g->choice + at;
    if (g->way) {
        allowed = g->allowed + (part * 2 + child) * g->set_words;
        find_allowed(g, leaf, allowed);
    }
    for (size_t s = 0; s < n_slots; s++)
        if ((!g->active || g->active[s]) &&
            (!allowed || allowed[s / 64] >> (s % 64) & 1))
            order[n++] = (uint32_t)s;
    tree = rng_at(g->o.seed, STREAM_LEVEL, g->n_tree);
    n = draw(g, order, n, g->o.level_share, tree + l->depth);
    n = draw(g, order, n, g->o.node_share, rng_at(tree, STREAM_NODE, l->way));
    memset(choice, 0, n_slots * sizeof *choice);
    for (size_t i = 0; i < n; i++)
        choice[order[i]] = true;
    return choice;
}

/* The values of both sides of a split, before they are bounded by it. */
static void
bound_sides(const struct grower *g, const struct grow_leaf *p, double *mid)
{
    const struct split_found *s = &p->best;
    double value[2];

    for (int k = 0; k < 2; k++) {
        int64_t sum_g = k == 0 ? s->left_g : p->g - s->left_g;
        int64_t sum_h = k == 0 ? s->left_h : p->h - s->left_h;

        value[k] =
            split_value(&g->o.split, (double)sum_g * g->scale->g_unit,
                        (double)sum_h * g->scale->h_unit, p->low, p->high);
    }
    *mid = value[0] / 2 + value[1] / 2;
}

void
grow_take_after(struct grower *g, size_t child, size_t parent, bool left)
{
    const struct grow_leaf *p = &g->leaf[parent];
    struct grow_leaf *c = &g->leaf[child];
    uint32_t slot = p->best.split.slot;
    double mid;

    c->way = rng_at(p->way, left, p->depth);
    c->low = p->low;
    c->high = p->high;
    if (g->way) {
        uint64_t *way = g->way + child * g->set_words;

        memcpy(way, g->way + parent * g->set_words, g->set_words * sizeof *way);
        way[slot / 64] |= UINT64_C(1) << (slot % 64);
    }
    if (!g->trend || g->trend[slot] == 0)
        return;
    bound_sides(g, p, &mid);
    if ((g->trend[slot] > 0) == left)
        c->high = mid;
    else
        c->low = mid;
}

double
grower_bound(const struct grower *g, size_t leaf, double v)
{
    const struct grow_leaf *l = &g->leaf[g->at[leaf]];

    return g->trend ? fmin(fmax(v, l->low), l->high) : v;
}
