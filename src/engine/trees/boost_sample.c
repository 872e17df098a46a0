/* engine/trees/boost_sample.c -- the rows and columns that a tree sees.
 * Source: Ke et al., "LightGBM", NIPS 2017, algorithm 2 (rows by gradient).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

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
    s->draws = s->rule.row_share < 1 || s->rule.goss;
    if ((s->draws || has_idle_rows(s)) &&
        !(s->sample = mem_try_array(s->n, sizeof *s->sample, err)))
        return false;
    if (s->rule.goss &&
        (!(s->lifted = mem_try_array(s->n, 1, err)) ||
         !(s->size = mem_try_array(s->n, sizeof *s->size, err)) ||
         !(s->count = mem_try_array(UINT16_MAX + 1, sizeof *s->count, err))))
        return false;
    if (s->rule.col_share >= 1)
        return true;
    s->order = mem_try_array(s->train->n_slots, sizeof *s->order, err);
    s->active = mem_try_array(s->train->n_slots, sizeof *s->active, err);
    return s->order && s->active;
}

void
boost_measure_rows(struct boost *s, size_t chunk, size_t begin, size_t end)
{
    for (size_t c = 0; c < s->k; c++)
        s->extent[chunk * s->k + c] = gradient_choose()->measure(
            s->gradient + c * s->n + begin, end - begin);
}

/* ---- by the size of gradients ---- */

/* Before this round all rows are learnt from: at first gradients tell of the
 * base scores alone. */
static size_t
first_chosen(const struct boost *s)
{
    return (size_t)(1 / s->rule.grow.rate);
}

static bool
counts(const struct boost *s, size_t row)
{
    return !s->objective.weight || s->objective.weight[row] > 0;
}

/* Floats that are not negative are in the order of their bits. */
static void
size_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct boost *s = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        float sum = 0;

        for (size_t c = 0; c < s->k; c++) {
            const struct gradient *g = &s->gradient[c * s->n + i];

            sum += fabsf(g->g * g->h);
        }
        memcpy(&s->size[i], &sum, sizeof sum);
        if (!counts(s, i))
            s->size[i] = 0;
    }
}

/* The least size of the n largest ones, and how many of them are larger. */
static uint32_t
nth_size(const struct boost *s, size_t n, size_t *larger)
{
    size_t *count = s->count;
    uint32_t high = UINT16_MAX, low = UINT16_MAX;

    *larger = 0;
    memset(count, 0, (UINT16_MAX + 1) * sizeof *count);
    for (size_t i = 0; i < s->n; i++)
        count[s->size[i] >> 16]++;
    for (; high > 0 && *larger + count[high] < n; high--)
        *larger += count[high];
    memset(count, 0, (UINT16_MAX + 1) * sizeof *count);
    for (size_t i = 0; i < s->n; i++)
        if (s->size[i] >> 16 == high)
            count[s->size[i] & UINT16_MAX]++;
    for (; low > 0 && *larger + count[low] < n; low--)
        *larger += count[low];
    return high << 16 | low;
}

static void
lift_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct boost *s = ctx;
    float by = (float)((1 - s->rule.top_share) / s->rule.other_share);

    for (size_t c = 0; c < s->k; c++)
        for (size_t i = begin; i < end; i++)
            if (s->lifted[i]) {
                s->gradient[c * s->n + i].g *= by;
                s->gradient[c * s->n + i].h *= by;
            }
    boost_measure_rows(s, chunk, begin, end);
}

/* Rows of large gradients, and of the others a few which stand for all. */
static void
choose_by_gradient(struct boost *s)
{
    size_t n_top, larger;
    double share = s->rule.other_share / (1 - s->rule.top_share);
    uint64_t stream = BOOST_STREAM_ROWS + (s->rounds << 32);
    uint32_t least;

    pool_for(s->ctx->pool, s->n, BOOST_GRAIN, size_rows, s);
    n_top = (size_t)ceil(s->rule.top_share * (double)s->n);
    least = nth_size(s, n_top, &larger);
    s->n_sample = 0;
    for (size_t i = 0, equal = larger; i < s->n; i++) {
        bool top =
            s->size[i] > least || (s->size[i] == least && equal++ < n_top);

        s->lifted[i] = !top && rng_unit(s->ctx->seed, stream, i) < share;
        if ((top || s->lifted[i]) && counts(s, i))
            s->sample[s->n_sample++] = (uint32_t)i;
    }
    pool_for(s->ctx->pool, s->n, BOOST_GRAIN, lift_rows, s);
}

void
boost_choose_rows(struct boost *s)
{
    uint64_t stream = BOOST_STREAM_ROWS + (s->rounds << 32);
    bool some = s->rule.row_share < 1;

    s->n_sample = s->n;
    if (!s->sample)
        return;
    if (s->rule.goss && s->rounds >= first_chosen(s)) {
        choose_by_gradient(s);
        return;
    }
    s->n_sample = 0;
    for (size_t i = 0; i < s->n; i++)
        if (counts(s, i) &&
            (!some || rng_unit(s->ctx->seed, stream, i) < s->rule.row_share))
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
