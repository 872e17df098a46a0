/* engine/trees/boost_leaf.c -- values of leaves from residuals.
 *
 * Where a gradient says only on which side of a target a score is, the mean of
 * gradients says little of how far to go: the value of a leaf is then the
 * quantile of the residuals of its rows.
 * Source: Friedman, "Greedy function approximation", 2001, algorithms 3 and 4.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>

#include "base/mem.h"
#include "engine/trees/boost.h"

bool
boost_make_leaves(struct boost *s, struct error *err)
{
    size_t most = s->rule.grow.leaves;

    if (!objective_renews(&s->objective))
        return true;
    s->leaf = mem_try_array(s->n, sizeof *s->leaf, err);
    s->residual = mem_try_array(s->n, sizeof *s->residual, err);
    if (s->init && boost_most_leaves(s->init) > most)
        most = boost_most_leaves(s->init);
    s->leaf_start = mem_try_array(most + 2, sizeof *s->leaf_start, err);
    return s->leaf && s->residual && s->leaf_start;
}

static size_t
row_at(const struct boost *s, size_t i)
{
    return s->sample ? s->sample[i] : i;
}

size_t
boost_most_leaves(const struct forest *f)
{
    size_t most = 1;

    for (size_t t = 0; t < f->n_trees; t++)
        if (f->leaf_start[t + 1] - f->leaf_start[t] > most)
            most = f->leaf_start[t + 1] - f->leaf_start[t];
    return most;
}

/* The rows of each leaf in their order. */
void
boost_sort_residuals(struct boost *s, size_t output, size_t n_leaves)
{
    size_t *start = s->leaf_start;

    for (size_t l = 0; l <= n_leaves + 1; l++)
        start[l] = 0;
    for (size_t i = 0; i < s->n_sample; i++)
        start[s->leaf[row_at(s, i)] + 2]++;
    for (size_t l = 0; l < n_leaves; l++)
        start[l + 2] += start[l + 1];
    for (size_t i = 0; i < s->n_sample; i++) {
        size_t row = row_at(s, i);

        s->residual[start[s->leaf[row] + 1]++] = (struct residual){
            s->objective.y[row] - s->score[row * s->k + output],
            s->objective.weight ? s->objective.weight[row] : 1};
    }
}

struct renew_job {
    struct boost *s;
    size_t output;
};

static void
renew_leaves(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct renew_job *j = ctx;
    struct boost *s = j->s;
    double most = s->rule.grow.max_delta;

    (void)chunk;
    for (size_t l = begin; l < end; l++) {
        size_t at = s->leaf_start[l], n = s->leaf_start[l + 1] - at;
        double v = n > 0 ? objective_step(&s->objective, j->output,
                                          s->residual + at, n)
                         : 0;

        v = grower_bound(s->grower, l, v);
        if (most > 0)
            v = fmin(fmax(v, -most), most);
        grower_set_leaf(s->grower, s->forest, l,
                        (float)(v * s->rule.grow.rate));
    }
}

void
boost_renew_leaves(struct boost *s, size_t output)
{
    struct renew_job j = {s, output};
    size_t n_leaves = grower_leaves(s->grower);

    if (!s->leaf)
        return;
    grower_leaf_of(s->grower, s->leaf);
    boost_sort_residuals(s, output, n_leaves);
    pool_for(s->ctx->pool, n_leaves, 1, renew_leaves, &j);
}
