/* engine/trees/boost.c -- the rounds of boosting.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/boost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

/* ---- state ---- */

void
boost_fini(struct boost *s)
{
    grower_free(s->grower);
    binned_free(s->valid);
    binned_free(s->train);
    tree_forest_free(s->forest);
    room_fini(&s->scores);
    room_fini(&s->gradients);
    free(s->valid_score);
    free(s->valid_out);
    free(s->extent);
    free(s->loss);
    free(s->power);
    boost_lines_free(s->lines);
    free(s->sample);
    free(s->order);
    free(s->active);
    free(s->lifted);
    free(s->size);
    free(s->count);
    free(s->slot_of);
    free(s->dropped);
    free(s->best_value);
    free(s->leaf);
    free(s->residual);
    free(s->leaf_start);
    objective_fini(&s->objective);
    objective_fini(&s->valid_objective);
}

/* Every row starts at the base scores. */
static void
put_base(double *score, const double *base, size_t n, size_t k)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < k; c++)
            score[i * k + c] = base[c];
}

/* Or beyond them, where the rows say so. */
static void
add_offset(double *score, const struct design *d, size_t n, size_t k)
{
    const double *offset = design_offset(d);

    for (size_t i = 0; offset && i < n * k; i++)
        score[i] += offset[i / k];
}

static bool
make_valid(struct boost *s, const double *base, struct error *err)
{
    size_t n = design_rows(s->d->valid), total;

    if (n == 0)
        return true;
    if (!mem_mul(n, s->k, &total))
        return error_set(err, ERR_NOMEM, "%zu rows of %zu scores do not fit", n,
                         s->k);
    s->valid = binned_apply(s->train, s->d->valid, s->ctx->pool,
                            s->ctx->progress, err);
    s->valid_score = mem_try_aligned(total, sizeof *s->valid_score, err);
    s->valid_out = mem_try_aligned(total, sizeof *s->valid_out, err);
    if (!s->valid || !s->valid_score || !s->valid_out)
        return false;
    put_base(s->valid_score, base, n, s->k);
    add_offset(s->valid_score, s->d->valid, n, s->k);
    return true;
}

/* Code the parts as they are fed. */
static bool
take_feed(struct boost *s, struct error *err)
{
    const struct design_feed *feed = s->d->feed;
    struct design *part;
    size_t at = 0;
    bool ok = true;

    while (ok && (ok = feed->next(feed->ctx, &part, err)) && part) {
        ok =
            binned_put(s->train, part, at, s->ctx->pool, s->ctx->progress, err);
        at += design_rows(part);
        design_free(part);
    }
    if (ok && at != s->n)
        ok = error_set(err, ERR_STATE, "%zu rows were fed, expected %zu", at,
                       s->n);
    return ok;
}

static bool
code_train(struct boost *s, struct error *err)
{
    const struct design_feed *feed = s->d->feed;
    struct pool *pool = s->ctx->pool;
    struct progress *progress = s->ctx->progress;
    struct binned_rule rule = {s->rule.bins, BINNER_MAX_BINS,
                               (size_t)s->rule.grow.split.level_rows,
                               s->ctx->seed, s->rule.bundle};

    if (s->init) {
        struct binned_levels levels = {s->init->level_start,
                                       s->init->level_code};

        s->train =
            binned_continue(s->d->train, &levels, &rule, pool, progress, err);
        return s->train != NULL;
    }
    if (!feed) {
        s->train = binned_fit(s->d->train, &rule, pool, progress, err);
        return s->train != NULL;
    }
    s->train =
        binned_begin(s->d->train, s->n, &rule, feed->left, pool, progress, err);
    return s->train && take_feed(s, err);
}

/* The loss on both parts, once the targets are there. */
static bool
make_objectives(struct boost *s, struct error *err)
{
    const struct fit_data *d = s->d;

    if (!target_counts(d->y, err) ||
        !objective_init(&s->objective, &s->rule.loss, d->y, s->ctx, false, err))
        return false;
    s->n = s->objective.n;
    s->k = s->objective.k;
    if (design_rows(d->valid) == 0)
        return true;
    return objective_init(&s->valid_objective, &s->rule.loss, d->y_valid,
                          s->ctx, true, err) ||
           error_prefix(err, "validation rows: ");
}

static bool
make_scores(struct boost *s, double *base, struct error *err)
{
    size_t *left = s->d->feed ? s->d->feed->left : NULL;
    size_t chunks = pool_chunks(s->n, BOOST_GRAIN) + 1;
    size_t valid_chunks =
        pool_chunks(design_rows(s->d->valid), BOOST_GRAIN) + 1;
    size_t planes;

    if (!mem_mul(s->n, s->k, &planes))
        return error_set(err, ERR_NOMEM, "%zu rows of %zu outputs do not fit",
                         s->n, s->k);
    if (!objective_base(&s->objective, design_offset(s->d->train), base, err))
        return false;
    if (s->init)
        memcpy(base, s->init->base, s->k * sizeof *base);
    s->valid_objective.rule = s->objective.rule; /* with what was chosen */
    s->score = room_init(&s->scores, planes, sizeof *s->score, left, err);
    s->gradient =
        room_init(&s->gradients, planes, sizeof *s->gradient, left, err);
    if (s->score)
        put_base(s->score, base, s->n, s->k);
    if (s->score)
        add_offset(s->score, s->d->train, s->n, s->k);
    s->extent = mem_try_array(chunks * s->k, sizeof *s->extent, err);
    s->loss = mem_try_array(chunks > valid_chunks ? chunks : valid_chunks,
                            sizeof *s->loss, err);
    return s->score && s->gradient && s->extent && s->loss &&
           make_valid(s, base, err);
}

/* Its trees come first, and rows begin at what they say. */
static bool
take_init(struct boost *s, struct error *err)
{
    const struct fit_data *d = s->d;
    struct forest *f = s->forest;

    if (!tree_same_levels(f, s->init))
        return error_set(err, ERR_STATE,
                         "the model to go on from has other columns");
    if (!tree_append(f, s->init, err) ||
        !tree_score(s->init, d->train, s->ctx->pool, s->score, err) ||
        (s->valid &&
         !tree_score(s->init, d->valid, s->ctx->pool, s->valid_score, err)))
        return false;
    add_offset(s->score, d->train, s->n, s->k);
    if (s->valid)
        add_offset(s->valid_score, d->valid, s->valid_objective.n, s->k);
    /* Of nodes that are inherited only what their columns gained is known, at
     * least of a model that was loaded. */
    if (f->n_nodes > 0)
        memset(f->node_gain, 0, f->n_nodes * sizeof *f->node_gain);
    memcpy(f->gain, s->init->gain, f->n_cols * sizeof *f->gain);
    s->rounds = s->told = s->inherited = s->init->n_trees / s->k;
    return true;
}

/* Only the sets of levels want to know of noise. */
static bool
make_power(struct boost *s, struct error *err)
{
    bool wanted = false;

    for (size_t i = 0; i < s->train->n_slots; i++)
        wanted |= s->train->slot[i].category;
    if (!wanted || s->rule.grow.split.level_noise == 0)
        return true;
    s->power = mem_try_array(pool_chunks(s->n, BOOST_GRAIN) + 1,
                             sizeof *s->power, err);
    return s->power != NULL;
}

static bool
boost_init(struct boost *s, struct error *err)
{
    double base[TARGET_MAX_CLASSES];

    s->problem = s->d->y->problem;
    s->n = s->d->feed ? s->d->feed->n_rows : design_rows(s->d->train);
    if (!code_train(s, err))
        return false;
    mem_give_back(); /* what finding the cuts took */
    if (!make_objectives(s, err) || !make_scores(s, base, err) ||
        !boost_make_sampling(s, err) || !boost_make_leaves(s, err) ||
        !make_power(s, err) || !boost_make_lines(s, err) ||
        !boost_make_drops(s, err))
        return false;
    s->forest = tree_forest_new(s->train, base, s->k, err);
    if (!s->forest || (s->init && !take_init(s, err)) || !boost_resume(s, err))
        return false;
    s->rule.grow.left = s->d->feed ? s->d->feed->left : NULL;
    s->grower = grower_new(s->train, &s->rule.grow, s->ctx->pool,
                           s->ctx->progress, err);
    return s->grower != NULL;
}

/* ---- a round ---- */

static void
gradient_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct boost *s = ctx;
    bool want_loss = s->ctx->sink.emit != NULL;

    if (progress_stopped(s->ctx->progress))
        return; /* and the tree that would see it is not grown */

    objective_gradients(&s->objective, s->score, begin, end, s->gradient,
                        want_loss ? &s->loss[chunk] : NULL);
    boost_measure_rows(s, chunk, begin, end);
}

/* Gradients at the scores as they are.  The loss comes with them, so the
 * training curve of a round is told when the next one begins. */
static bool
compute_gradients(struct boost *s, struct error *err)
{
    if (!objective_look(&s->objective, s->score, err))
        return false;
    pool_for(s->ctx->pool, s->n, BOOST_GRAIN, gradient_rows, s);
    if (boost_tells_train(s) && !progress_stopped(s->ctx->progress))
        boost_emit_train(s);
    return true;
}

static void
sum_power(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct boost *s = ctx;
    double g = 0, h = 0;

    for (size_t i = begin; i < end; i++) {
        const struct gradient *at = &s->plane[s->sample ? s->sample[i] : i];

        g += (double)at->g * (double)at->g;
        h += (double)at->h;
    }
    s->power[chunk][0] = g;
    s->power[chunk][1] = h;
}

static double
measure_noise(struct boost *s)
{
    double g = 0, h = 0;

    if (!s->power)
        return 0;
    pool_for(s->ctx->pool, s->n_sample, BOOST_GRAIN, sum_power, s);
    for (size_t c = 0; c < pool_chunks(s->n_sample, BOOST_GRAIN); c++) {
        g += s->power[c][0];
        h += s->power[c][1];
    }
    return h > 0 ? g / h : 0;
}

static void
quantise_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct boost *s = ctx;
    uint32_t *rows = grower_rows(s->grower);
    struct hist_quantum *q = grower_quanta(s->grower);

    (void)chunk;
    if (!s->sample)
        hist_quantise_choose()(&s->scale, s->plane, begin, end, s->salt, q);
    for (size_t i = begin; i < end; i++) {
        uint32_t row = s->sample ? s->sample[i] : (uint32_t)i;

        rows[i] = row;
        if (s->sample)
            q[row] = hist_quantise(&s->scale, s->plane[row], row, s->salt);
    }
}

bool
boost_refuse_size(struct error *err)
{
    return error_set(err, ERR_RANGE,
                     "gradients are past any number: the target's values or "
                     "the weights are too large");
}

static bool
quantise(struct boost *s, size_t output, struct error *err)
{
    struct gradient_extent all = {0, INFINITY, 0};

    for (size_t c = 0; c < pool_chunks(s->n, BOOST_GRAIN); c++) {
        const struct gradient_extent *e = &s->extent[c * s->k + output];

        all.max_g = e->max_g > all.max_g ? e->max_g : all.max_g;
        all.min_h = e->min_h < all.min_h ? e->min_h : all.min_h;
        all.max_h = e->max_h > all.max_h ? e->max_h : all.max_h;
    }
    if (!isfinite(all.max_g) || !isfinite(all.max_h))
        return boost_refuse_size(err);
    s->plane = s->gradient + output * s->n;
    s->scale = hist_scale(all.max_g, all.min_h, all.max_h);
    s->scale.noise = measure_noise(s);
    s->salt =
        (uint32_t)rng_at(s->ctx->seed, BOOST_STREAM_DITHER, s->forest->n_trees);
    pool_for(s->ctx->pool, s->n_sample, BOOST_GRAIN, quantise_rows, s);
    return true;
}

struct add_job {
    const struct grower *grower;
    const struct binned *b;
    double *score;
    size_t stride;
};

static void
add_coded(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct add_job *j = ctx;

    (void)chunk;
    grower_add_coded(j->grower, j->b, begin, end, j->score, j->stride);
}

static void
add_tree(struct boost *s, size_t output)
{
    struct add_job j = {s->grower, s->train, s->score + output, s->k};

    if (s->sample)
        pool_for(s->ctx->pool, s->n, BOOST_GRAIN, add_coded, &j);
    else
        grower_add_grown(s->grower, s->score + output, s->k);
    if (!s->valid)
        return;
    j.b = s->valid;
    j.score = s->valid_score + output;
    pool_for(s->ctx->pool, s->valid->n_rows, BOOST_GRAIN, add_coded, &j);
}

/* One tree for each output.  *grew: did any of them split? */
static bool
run_round(struct boost *s, bool *grew, struct error *err)
{
    *grew = false;
    if (!boost_drop(s, err) || !compute_gradients(s, err))
        return false;
    boost_choose_rows(s);
    for (size_t c = 0; c < s->k; c++) {
        boost_choose_columns(s);
        if (!quantise(s, c, err) ||
            !grow_tree(s->grower, s->n_sample, &s->scale, s->plane, s->active,
                       s->forest, err))
            return false;
        *grew |= grower_leaves(s->grower) > 1;
        boost_renew_leaves(s, c);
        boost_scale_grown(s);
        if (!boost_fit_lines(s, err))
            return false;
        if (s->lines)
            boost_add_lines(s, c);
        else
            add_tree(s, c);
    }
    s->rounds++;
    return boost_bring_back(s, err);
}

/* Would the next round see the same as the last? */
static bool
repeats(const struct boost *s)
{
    return !s->draws && !s->active && !s->dropped;
}

/* Stopped by the user: what is finished is kept. */
static bool
keeps_rounds(const struct boost *s, const struct error *why, struct error *err)
{
    if (why->code == ERR_CANCELLED && s->rounds > s->inherited)
        return true;
    *err = *why;
    return false;
}

/* Rounds until there are enough, or nothing is gained. */
static bool
run_rounds(struct boost *s, struct error *err)
{
    struct error why;
    bool grew = true;

    progress_begin(s->ctx->progress, "boosting", s->rule.trees);
    while (s->rounds - s->inherited < s->rule.trees && !boost_should_stop(s)) {
        if (!run_round(s, &grew, &why))
            return keeps_rounds(s, &why, err);
        /* A round that finds nothing is the last. */
        if (!grew && repeats(s)) {
            s->rounds--;
            break;
        }
        if (s->valid && !boost_check_valid(s, &why))
            return keeps_rounds(s, &why, err);
        progress_set(s->ctx->progress, s->rounds - s->inherited);
        if (!boost_checkpoint(s, err))
            return false;
    }
    return true;
}

/* From before all trees. */
static bool
refit_leaves(struct boost *s, struct error *err)
{
    put_base(s->score, s->init->base, s->n, s->k);
    add_offset(s->score, s->d->train, s->n, s->k);
    return boost_refit(s, err) && tree_seal(s->forest, err);
}

bool
boost_run(struct boost *s, struct error *err)
{
    boost_choose_metrics(s);
    if (!boost_init(s, err))
        return false;
    if (s->rule.refits)
        return refit_leaves(s, err);
    if (!run_rounds(s, err) || !boost_emit_last(s, err))
        return false;
    if (s->best_round > 0 && s->d->patience > 0) {
        boost_restore_best(s);
        s->rounds = s->best_round;
    }
    tree_cut(s->forest, s->rounds * s->k);
    grower_free(s->grower); /* packing the trees takes room, too */
    s->grower = NULL;
    return tree_seal(s->forest, err);
}
