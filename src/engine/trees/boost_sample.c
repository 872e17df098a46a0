/* engine/trees/boost_sample.c -- the rows and columns that a tree sees.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/boost.h"

/* Rows of no weight are in no sample, so that a table is learnt as if they
 * were not there. */
static bool
has_idle_rows(const struct boost *s)
{
    for (size_t i = 0; s->objective.weight && i < s->n; i++)
        if (s->objective.weight[i] == 0)
            return true;
    return false;
}

bool
boost_make_sampling(struct boost *s, struct error *err)
{
    s->draws = s->rule.row_share < 1;
    if ((s->draws || has_idle_rows(s)) &&
        !(s->sample = mem_try_array(s->n, sizeof *s->sample, err)))
        return false;
    if (s->rule.col_share >= 1)
        return true;
    s->order = mem_try_array(s->train->n_slots, sizeof *s->order, err);
    s->active = mem_try_array(s->train->n_slots, sizeof *s->active, err);
    return s->order && s->active;
}

void
boost_choose_rows(struct boost *s)
{
    s->n_sample = s->n;
    if (!s->sample)
        return;
    s->n_sample = 0;
    for (size_t i = 0; i < s->n; i++)
        if ((!s->draws ||
             rng_unit(s->ctx->seed, BOOST_STREAM_ROWS + (s->rounds << 32), i) <
                 s->rule.row_share) &&
            (!s->objective.weight || s->objective.weight[i] > 0))
            s->sample[s->n_sample++] = (uint32_t)i;
}

void
boost_choose_columns(struct boost *s)
{
    size_t n = s->train->n_slots;
    size_t keep = (size_t)ceil(s->rule.col_share * (double)n);

    if (!s->active)
        return;
    for (size_t i = 0; i < n; i++)
        s->order[i] = (uint32_t)i;
    rng_shuffle(s->ctx->seed, BOOST_STREAM_COLS + (s->forest->n_trees << 32),
                s->order, n);
    for (size_t i = 0; i < n; i++)
        s->active[s->order[i]] = i < keep;
}
