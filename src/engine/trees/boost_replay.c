/* engine/trees/boost_replay.c -- a tree that was grown before, on coded rows.
 *
 * A forest keeps thresholds, not codes: a threshold is a cut, so that the codes
 * left of it are those below the cut's own.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trees/boost.h"

struct replay_node {
    uint64_t set[TREE_SET_WORDS]; /* codes that go left */
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

static void
set_numbers(const struct forest *f, size_t node, const struct binner *binner,
            uint64_t *set)
{
    uint8_t above;

    binner_apply(binner, &f->threshold[node], 1, &above);
    memset(set, 0, TREE_SET_WORDS * sizeof *set);
    for (unsigned k = 1; k < above; k++)
        set[k / 64] |= UINT64_C(1) << (k % 64);
    if (f->flags[node] & TREE_MISSING_LEFT)
        set[0] |= 1;
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
        size_t at = start + i, col = f->feature[at];

        n->slot = s->slot_of[col];
        n->left = f->left[at];
        n->right = f->right[at];
        assert(n->slot != SIZE_MAX);
        if (f->flags[at] & TREE_CATEGORY)
            memcpy(n->set, f->set + (size_t)f->threshold[at] * TREE_SET_WORDS,
                   sizeof n->set);
        else
            set_numbers(f, at, s->train->binner[col], n->set);
    }
    return true;
}

static void
replay_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct replay *r = ctx;

    (void)chunk;
    for (size_t row = begin; row < end; row++) {
        const uint8_t *code = binned_row(r->b, row);
        int32_t at = r->n_nodes > 0 ? 0 : -1;

        while (at >= 0) {
            const struct replay_node *n = &r->node[at];
            unsigned k = code[n->slot];

            at = n->set[k / 64] >> (k % 64) & 1 ? n->left : n->right;
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
