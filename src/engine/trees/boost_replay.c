/* engine/trees/boost_replay.c -- a tree that was grown before, on coded rows.
 *
 * A forest keeps thresholds, not codes: a threshold is a cut, so that the codes
 * left of it are those below the cut's own.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/trees/boost.h"

struct replay_node {
    const uint64_t *set; /* codes that go left; NULL: those below `above` */
    unsigned above;
    bool missing_left;
    size_t slot;
    int16_t left, right;
};

struct replay {
    const struct binned *b;
    struct replay_node *node;
    const float *value;
    size_t n_nodes, stride;
    double factor;
    double *score;
};

static unsigned
code_above(const struct binner *binner, double threshold)
{
    uint16_t above;

    binner_apply_long(binner, &threshold, 1, &above);
    return above;
}

static bool
make_nodes(const struct boost *s, size_t tree, struct replay *r,
           struct error *err)
{
    const struct forest *f = s->forest;
    size_t start = f->node_start[tree];

    r->n_nodes = f->node_start[tree + 1] - start;
    r->value = f->value + f->leaf_start[tree];
    if (!(r->node = mem_try_array(r->n_nodes, sizeof *r->node, err)))
        return false;
    for (size_t i = 0; i < r->n_nodes; i++) {
        struct replay_node *n = &r->node[i];
        size_t at = start + i, col = tree_feature(f, at);

        n->slot = s->slot_of[col];
        n->left = f->left[at];
        n->right = f->right[at];
        assert(n->slot != SIZE_MAX);
        n->missing_left = f->flags[at] & TREE_MISSING_LEFT;
        if (f->flags[at] & TREE_CATEGORY)
            n->set = f->set + (size_t)f->threshold[at] * TREE_SET_WORDS;
        else
            n->above = code_above(s->train->binner[col], f->threshold[at]);
    }
    return true;
}

static bool
goes_left(const struct replay_node *n, unsigned code)
{
    if (n->set)
        return n->set[code / 64] >> (code % 64) & 1;
    return code > 0 ? code < n->above : n->missing_left;
}

static void
replay_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct replay *r = ctx;

    (void)chunk;
    for (size_t row = begin; row < end; row++) {
        int32_t at = r->n_nodes > 0 ? 0 : -1;

        while (at >= 0) {
            const struct replay_node *n = &r->node[at];

            at = goes_left(n, binned_code(r->b, n->slot, row)) ? n->left
                                                               : n->right;
        }
        r->score[row * r->stride] += r->factor * (double)r->value[~at];
    }
}

bool
boost_replay(const struct boost *s, size_t tree, const struct binned *b,
             double factor, double *score, struct error *err)
{
    struct replay r = {
        .b = b, .stride = s->k, .factor = factor, .score = score + tree % s->k};

    if (!progress_check(s->ctx->progress, err) || !make_nodes(s, tree, &r, err))
        return false;
    pool_for(s->ctx->pool, b->n_rows, BOOST_GRAIN, replay_rows, &r);
    free(r.node);
    return true;
}
