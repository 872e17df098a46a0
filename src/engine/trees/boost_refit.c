/* engine/trees/boost_refit.c -- the trees of a model with values from other
 * rows.
 *
 * Round by round, as they were grown: gradients at the scores so far say what
 * each leaf should add for the rows that fall into it now, and a share of what
 * it added before is kept.  Splits stay.  Rows are walked by their values, for
 * thresholds are cuts of the rows that were learnt from then, not of these.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trees/boost.h"
#include "engine/trees/tree_state.h"

struct sums {
    double g, h;
};

struct refit {
    struct boost *s;
    double *x;        /* n_cols x n; those that a tree looks at */
    bool *used;       /* n_cols */
    uint16_t *leaf;   /* by row, of the tree at hand */
    struct sums *sum; /* (chunk, leaf) */
    size_t tree, n_leaves;
};

static void
refit_fini(struct refit *r)
{
    free(r->x);
    free(r->used);
    free(r->leaf);
    free(r->sum);
}

static void
pull_columns(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct refit *r = ctx;
    size_t n = r->s->n;

    (void)chunk;
    for (size_t c = begin; c < end; c++)
        if (r->used[c] && !progress_stopped(r->s->ctx->progress))
            design_pull(r->s->d->train, c, 0, n, r->x + c * n);
}

static bool
refit_init(struct refit *r, struct error *err)
{
    const struct forest *f = r->s->forest;
    size_t chunks = pool_chunks(r->s->n, BOOST_GRAIN), cells;

    if (!mem_mul(r->s->n, f->n_cols, &cells))
        return error_set(err, ERR_NOMEM, "%zu rows of %zu columns do not fit",
                         r->s->n, f->n_cols);
    r->x = mem_try_array(cells, sizeof *r->x, err);
    r->used = mem_try_array(f->n_cols, sizeof *r->used, err);
    r->leaf = mem_try_array(r->s->n, sizeof *r->leaf, err);
    r->sum = mem_try_array(chunks * boost_most_leaves(f), sizeof *r->sum, err);
    if (!r->x || !r->used || !r->leaf || !r->sum)
        return false;
    for (size_t i = 0; i < f->n_nodes; i++)
        r->used[tree_feature(f, i)] = true;
    pool_for(r->s->ctx->pool, f->n_cols, 1, pull_columns, r);
    return progress_check(r->s->ctx->progress, err);
}

/* ---- a tree ---- */

static uint16_t
leaf_of(const struct refit *r, size_t row)
{
    const struct forest *f = r->s->forest;
    size_t start = f->node_start[r->tree];
    int32_t at = f->node_start[r->tree + 1] > start ? 0 : -1;

    while (at >= 0) {
        size_t node = start + (size_t)at;
        double x = r->x[tree_feature(f, node) * r->s->n + row];

        at = tree_goes_left(f, node, x) ? f->left[node] : f->right[node];
    }
    return (uint16_t)~at;
}

static void
sum_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct refit *r = ctx;
    const struct gradient *g = r->s->gradient + r->tree % r->s->k * r->s->n;
    struct sums *sum = r->sum + chunk * r->n_leaves;

    memset(sum, 0, r->n_leaves * sizeof *sum);
    for (size_t i = begin; i < end; i++) {
        r->leaf[i] = leaf_of(r, i);
        sum[r->leaf[i]].g += (double)g[i].g;
        sum[r->leaf[i]].h += (double)g[i].h;
    }
}

/* As the grower's: a Newton step. */
static double
newton_step(const struct grow_options *o, double g, double h)
{
    double t = fabs(g) - o->split.l1, d = h + o->split.l2, v;

    if (!(t > 0) || !(d > 0))
        return 0;
    v = (g > 0 ? -t : t) / d;
    if (o->max_delta > 0)
        v = fmin(fmax(v, -o->max_delta), o->max_delta);
    return v * o->rate;
}

static bool
mix(struct refit *r, size_t leaf, double fresh, struct error *err)
{
    struct forest *f = r->s->forest;
    float *value = &f->value[f->leaf_start[r->tree] + leaf];
    double keep = r->s->rule.refit_keep;

    *value = (float)(keep * (double)*value + (1 - keep) * fresh);
    return isfinite(*value) || boost_refuse_size(err);
}

static bool
set_newton(struct refit *r, struct error *err)
{
    size_t chunks = pool_chunks(r->s->n, BOOST_GRAIN);

    for (size_t l = 0; l < r->n_leaves; l++) {
        struct sums all = {0, 0};

        for (size_t c = 0; c < chunks; c++) {
            all.g += r->sum[c * r->n_leaves + l].g;
            all.h += r->sum[c * r->n_leaves + l].h;
        }
        if (!isfinite(all.g) || !isfinite(all.h))
            return boost_refuse_size(err);
        if (all.h > 0 && /* else no row says anything */
            !mix(r, l, newton_step(&r->s->rule.grow, all.g, all.h), err))
            return false;
    }
    return true;
}

/* For losses whose leaves take quantiles of residuals. */
static bool
set_quantiles(struct refit *r, struct error *err)
{
    struct boost *s = r->s;
    size_t output = r->tree % s->k;
    double most = s->rule.grow.max_delta;

    memcpy(s->leaf, r->leaf, s->n * sizeof *s->leaf);
    boost_sort_residuals(s, output, r->n_leaves);
    for (size_t l = 0; l < r->n_leaves; l++) {
        size_t at = s->leaf_start[l], n = s->leaf_start[l + 1] - at;
        double v;

        if (n == 0)
            continue;
        v = objective_step(&s->objective, output, s->residual + at, n);
        if (most > 0)
            v = fmin(fmax(v, -most), most);
        if (!mix(r, l, v * s->rule.grow.rate, err))
            return false;
    }
    return true;
}

static void
add_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct refit *r = ctx;
    const struct forest *f = r->s->forest;
    const float *value = f->value + f->leaf_start[r->tree];
    double *score = r->s->score + r->tree % r->s->k;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        score[i * r->s->k] += (double)value[r->leaf[i]];
}

static bool
refit_tree(struct refit *r, struct error *err)
{
    const struct forest *f = r->s->forest;
    struct pool *pool = r->s->ctx->pool;

    r->n_leaves = f->leaf_start[r->tree + 1] - f->leaf_start[r->tree];
    pool_for(pool, r->s->n, BOOST_GRAIN, sum_rows, r);
    if (!(r->s->leaf ? set_quantiles(r, err) : set_newton(r, err)))
        return false;
    pool_for(pool, r->s->n, BOOST_GRAIN, add_rows, r);
    return true;
}

static void
gradient_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct boost *s = ctx;

    (void)chunk;
    objective_gradients(&s->objective, s->score, begin, end, s->gradient, NULL);
}

bool
boost_refit(struct boost *s, struct error *err)
{
    struct refit r = {.s = s};
    size_t rounds = s->forest->n_trees / s->k;
    bool ok = refit_init(&r, err);

    free(s->sample); /* all rows, whatever they weigh */
    s->sample = NULL;
    s->n_sample = s->n;
    progress_begin(s->ctx->progress, "refitting", rounds);
    for (size_t i = 0; ok && i < rounds; i++) {
        ok = progress_check(s->ctx->progress, err) &&
             objective_look(&s->objective, s->score, err);
        if (!ok)
            break;
        pool_for(s->ctx->pool, s->n, BOOST_GRAIN, gradient_rows, s);
        for (size_t c = 0; ok && c < s->k; c++) {
            r.tree = i * s->k + c;
            ok = refit_tree(&r, err);
        }
        progress_set(s->ctx->progress, i + 1);
    }
    refit_fini(&r);
    return ok;
}
