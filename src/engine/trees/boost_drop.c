/* engine/trees/boost_drop.c -- trees left out for a round.
 *
 * A tree learns what the sum of all before it has missed, so that late ones
 * correct trifles.  Leaving some out while it is grown gives it more to learn.
 * It then says again what k trees said that were left out; so that the sum
 * keeps its size, it is weighed 1 / (k + rate), and they k / (k + rate).
 *
 * Later rounds change the leaves of earlier ones: to come back to the best
 * round takes the leaves as they were then.
 * Source: Rashmi & Gilad-Bachrach, "DART", AISTATS 2015; weights as XGBoost's
 *         normalize_type=tree.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/boost.h"

bool
boost_make_drops(struct boost *s, struct error *err)
{
    size_t n = s->train->n_cols;

    if (s->rule.drop_rate == 0)
        return true;
    s->slot_of = mem_try_array(n, sizeof *s->slot_of, err);
    s->dropped = mem_try_array(s->rule.max_drop, sizeof *s->dropped, err);
    if (!s->slot_of || !s->dropped)
        return false;
    for (size_t c = 0; c < n; c++)
        s->slot_of[c] = SIZE_MAX;
    for (size_t i = 0; i < s->train->n_slots; i++)
        s->slot_of[s->train->slot[i].col] = i;
    return true;
}

static void
choose(struct boost *s)
{
    uint64_t seed = s->ctx->seed;
    uint64_t stream = BOOST_STREAM_DROP + ((uint64_t)s->rounds << 32);

    s->n_dropped = 0;
    if (rng_unit(seed, stream, s->rounds) < s->rule.skip_drop)
        return;
    for (size_t r = s->inherited; r < s->rounds; r++)
        if (s->n_dropped < s->rule.max_drop &&
            rng_unit(seed, stream, r) < s->rule.drop_rate)
            s->dropped[s->n_dropped++] = r;
}

/* Add factor times the trees left out to scores of rows coded by b. */
static bool
add_dropped(struct boost *s, const struct binned *b, double factor,
            double *score, struct error *err)
{
    for (size_t i = 0; i < s->n_dropped; i++)
        for (size_t c = 0; c < s->k; c++)
            if (!boost_replay(s, s->dropped[i] * s->k + c, b, factor, score,
                              err))
                return false;
    return true;
}

bool
boost_drop(struct boost *s, struct error *err)
{
    if (!s->dropped)
        return true;
    choose(s);
    return add_dropped(s, s->train, -1, s->score, err);
}

static double
weight_of_grown(const struct boost *s)
{
    return 1 / ((double)s->n_dropped + s->rule.grow.rate);
}

void
boost_scale_grown(struct boost *s)
{
    const struct forest *f = s->forest;
    const float *value = f->value + f->leaf_start[f->n_trees - 1];

    if (s->n_dropped == 0)
        return;
    for (size_t l = 0; l < grower_leaves(s->grower); l++)
        grower_set_leaf(s->grower, s->forest, l,
                        (float)((double)value[l] * weight_of_grown(s)));
}

bool
boost_bring_back(struct boost *s, struct error *err)
{
    double share = (double)s->n_dropped * weight_of_grown(s);
    struct forest *f = s->forest;
    bool ok;

    if (s->n_dropped == 0)
        return true;
    /* Stopped in between, scores are of no more use, but leaves are. */
    ok = !s->valid || add_dropped(s, s->valid, -1, s->valid_score, err);
    for (size_t i = 0; i < s->n_dropped; i++) {
        size_t first = f->leaf_start[s->dropped[i] * s->k];
        size_t last = f->leaf_start[(s->dropped[i] + 1) * s->k];

        for (size_t l = first; l < last; l++)
            f->value[l] = (float)((double)f->value[l] * share);
    }
    return ok && add_dropped(s, s->train, 1, s->score, err) &&
           (!s->valid || add_dropped(s, s->valid, 1, s->valid_score, err));
}

bool
boost_keep_best(struct boost *s, struct error *err)
{
    size_t n = s->forest->leaf_start[s->rounds * s->k];
    float *more;

    if (!s->dropped || s->d->patience == 0)
        return true;
    if (!(more = mem_try_resize(s->best_value, n, sizeof *more, err)))
        return false;
    s->best_value = more;
    memcpy(more, s->forest->value, n * sizeof *more);
    return true;
}

void
boost_restore_best(struct boost *s)
{
    if (s->best_value)
        memcpy(s->forest->value, s->best_value,
               s->forest->leaf_start[s->best_round * s->k] *
                   sizeof *s->best_value);
}
