/* engine/trees/gbdt.c -- gradient boosting: rounds, defaults, early stopping.
 *
 * Defaults.  What is not set follows from the n training rows (those held out
 * to stop early are not among them), the number of columns and the kind of
 * target; what was chosen is written into the run.
 *
 *   trees          1,000 when validation rows stop early, else 200
 *   learning_rate  0.05 with early stopping below 100,000 rows, else 0.1
 *   leaves         sqrt(n) / 8, at least 8 and at most 127; with max_depth set,
 *                  all that the depth has room for
 *   min_rows       20 for classes, 5 for numbers
 *   max_delta      4 for classes, which bounds what a class of few rows, whose
 *                  hessian is next to nothing, can do in one step; none for
 *                  numbers
 *   row_share      0.7 below 10,000 rows, else 1
 *   col_share      0.5 below 10,000 rows where there are 10 columns, else 1
 *
 * The defaults of other libraries (31 leaves or depth 6 at rate 0.1 to 0.3 on
 * any table) fit noise in tables of some thousand rows.  A leaf carries about
 * as much noise as 1 / sqrt(its rows), and what a tree gains by one more leaf
 * falls as leaves are added, so the best number grows slower than the rows:
 * between 3,000 and 60,000 rows of six tables, real and made, it was near
 * sqrt(n) / 8.  Sampling halves of the columns and 0.7 of the rows decorrelates
 * the trees, which pays only while variance is what errs.  Numbers carry more
 * per row than classes do, so their leaves may be smaller.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/gbdt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/grow.h"
#include "engine/trees/shap.h"

static const struct param GBDT_PARAMS[] = {
    {"trees", PARAM_INT, 1, 100000, NULL, NULL,
     "rounds of boosting, at most; fewer when early stopping finds them"},
    {"learning_rate", PARAM_FLOAT, 0.0001, 1, NULL, NULL,
     "share of each step that is taken"},
    {"leaves", PARAM_INT, 2, TREE_MAX_LEAVES, NULL, NULL,
     "leaves of a tree, at most"},
    {"max_depth", PARAM_INT, 0, 64, "0", NULL,
     "splits from the root to a leaf, at most; 0: any"},
    {"min_rows", PARAM_INT, 1, 1e9, NULL, NULL, "rows of a leaf, at least"},
    {"min_hessian", PARAM_FLOAT, 0, 1e9, "0.001", NULL,
     "sum of second derivatives of a leaf, at least"},
    {"l1", PARAM_FLOAT, 0, 1e9, "0", NULL,
     "taken off the gradient of a leaf before its value is found"},
    {"l2", PARAM_FLOAT, 0, 1e9, "1", NULL,
     "added to the second derivative of a leaf"},
    {"gamma", PARAM_FLOAT, 0, 1e12, "0", NULL, "gain a split must exceed"},
    {"max_delta", PARAM_FLOAT, 0, 1e12, NULL, NULL,
     "largest value of a leaf before learning_rate; 0: any"},
    {"row_share", PARAM_FLOAT, 0.01, 1, NULL, NULL,
     "share of the rows that a tree learns from"},
    {"col_share", PARAM_FLOAT, 0.01, 1, NULL, NULL,
     "share of the columns that a tree may use"},
    {"bins", PARAM_INT, 2, BINNER_MAX_BINS, "255", NULL,
     "codes that a column is cut into, at most"},
    {"level_rows", PARAM_INT, 1, 1e9, "10", NULL,
     "rows a category needs in a leaf to be told from the missing ones"},
    {"level_smooth", PARAM_FLOAT, 0, 1e9, "10", NULL,
     "rows without gradient added to a category before ordering"},
    {"level_l2", PARAM_FLOAT, 0, 1e9, "10", NULL,
     "added to l2 for splits by more than four categories"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

struct gbdt {
    struct forest *forest;
    enum problem problem;
};

/* Streams of random numbers; the index says which tree or round. */
enum { STREAM_ROWS = 0x726f7773, STREAM_COLS = 0x636f6c73, STREAM_DITHER };

enum { GRAIN = 8192 };

struct rule {
    struct grow_options grow;
    size_t trees;
    double row_share, col_share;
    unsigned bins;
};

/* ---- defaults ---- */

static double
pick_float(const struct params *p, const char *name, double otherwise)
{
    return params_is_set(p, name) ? params_float(p, name) : otherwise;
}

static size_t
pick_int(const struct params *p, const char *name, double otherwise)
{
    return params_is_set(p, name) ? (size_t)params_int(p, name)
                                  : (size_t)otherwise;
}

/* Leaves that a tree of this depth has room for. */
static double
leaves_of_depth(size_t depth)
{
    return depth < 15 ? ldexp(1, (int)depth) : TREE_MAX_LEAVES;
}

static size_t
train_rows(const struct fit_data *d)
{
    return d->feed ? d->feed->n_rows : design_rows(d->train);
}

static struct rule
choose_rule(const struct fit_data *d, const struct params *p)
{
    double n = (double)train_rows(d);
    bool stops = d->patience > 0 && design_rows(d->valid) > 0;
    bool classes = d->y->problem != PROBLEM_REGRESSION;
    bool small = n < 10000, many = design_cols(d->train) >= 10;
    double leaves = fmin(fmax(floor(sqrt(n) / 8), 8), 127);
    struct rule r = {.bins = (unsigned)params_int(p, "bins")};
    struct split_rule *s = &r.grow.split;
    size_t depth = (size_t)params_int(p, "max_depth");

    if (depth > 0)
        leaves = leaves_of_depth(depth);
    r.trees = pick_int(p, "trees", stops ? 1000 : 200);
    r.grow.rate =
        pick_float(p, "learning_rate", stops && n < 100000 ? 0.05 : 0.1);
    r.grow.leaves = pick_int(p, "leaves", leaves);
    r.grow.max_depth = (unsigned)depth;
    r.grow.max_delta = pick_float(p, "max_delta", classes ? 4 : 0);
    r.row_share = pick_float(p, "row_share", small ? 0.7 : 1);
    r.col_share = pick_float(p, "col_share", small && many ? 0.5 : 1);
    s->l1 = params_float(p, "l1");
    s->l2 = params_float(p, "l2");
    s->gamma = params_float(p, "gamma");
    s->min_hessian = params_float(p, "min_hessian");
    s->min_rows = (double)pick_int(p, "min_rows", classes ? 20 : 5);
    s->level_rows = (double)params_int(p, "level_rows");
    s->level_smooth = params_float(p, "level_smooth");
    s->level_l2 = params_float(p, "level_l2");
    return r;
}

/* What the rule chose, and the rounds that were kept. */
static void
write_rule(struct json_writer *w, const struct rule *r, size_t rounds)
{
    const struct {
        const char *name;
        double value;
    } chosen[] = {
        {"trees", (double)r->trees},
        {"learning_rate", r->grow.rate},
        {"leaves", (double)r->grow.leaves},
        {"min_rows", r->grow.split.min_rows},
        {"max_delta", r->grow.max_delta},
        {"row_share", r->row_share},
        {"col_share", r->col_share},
        {"rounds", (double)rounds},
    };

    for (size_t i = 0; w && i < sizeof chosen / sizeof *chosen; i++) {
        json_name(w, chosen[i].name);
        json_put_double(w, chosen[i].value);
    }
}

/* ---- state ---- */

/* What a chunk of rows has seen of an output's gradients. */
struct extent {
    float max_g, min_h, max_h;
};

struct boost {
    const struct fit_data *d;
    const struct train *ctx;
    struct rule rule;
    enum problem problem;
    size_t n, k; /* training rows, outputs */
    struct objective objective, valid_objective;
    double total, valid_total; /* weights of those rows */

    struct binned *train, *valid; /* valid: NULL without rows */
    struct grower *grower;
    struct forest *forest;
    struct room scores, gradients;
    double *score, *valid_score; /* (rows, k) */
    double *valid_out;           /* probabilities or values */
    struct gradient *gradient;   /* k planes of n */
    struct extent *extent;       /* (chunks, k) */
    double *loss;                /* a sum per chunk */
    uint32_t *sample;            /* rows of this round; NULL: all */
    size_t n_sample;
    bool draws;      /* another sample each round */
    uint32_t *order; /* slots, for column sampling */
    bool *active;

    /* of the output whose tree is being grown */
    const struct gradient *plane;
    struct hist_scale scale;
    uint32_t salt;

    size_t rounds, best_round;
    const struct metric *loss_metric; /* among d->metrics, or NULL */
    size_t told;                      /* rounds on the training curve */
    double best;
};

static void
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
    free(s->sample);
    free(s->order);
    free(s->active);
}

/* Every row starts at the base scores. */
static void
put_base(double *score, const double *base, size_t n, size_t k)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < k; c++)
            score[i * k + c] = base[c];
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
    return true;
}

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

static bool
make_sampling(struct boost *s, struct error *err)
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

    if (!feed) {
        s->train = binned_fit(s->d->train, s->rule.bins, s->ctx->seed, pool,
                              progress, err);
        return s->train != NULL;
    }
    s->train = binned_begin(s->d->train, s->n, s->rule.bins, s->ctx->seed,
                            feed->left, pool, progress, err);
    return s->train && take_feed(s, err);
}

static bool
boost_init(struct boost *s, struct error *err)
{
    double base[TARGET_MAX_CLASSES];
    size_t *left = s->d->feed ? s->d->feed->left : NULL;
    size_t chunks = pool_chunks(s->n, GRAIN) + 1;
    size_t valid_chunks = pool_chunks(design_rows(s->d->valid), GRAIN) + 1;
    size_t planes;

    if (!mem_mul(s->n, s->k, &planes))
        return error_set(err, ERR_NOMEM, "%zu rows of %zu classes do not fit",
                         s->n, s->k);
    if (!code_train(s, err) || !target_counts(s->d->y, err))
        return false;
    s->total = target_total(s->d->y);
    s->valid_total = target_total(s->d->y_valid);
    objective_base(&s->objective, base);
    s->score = room_init(&s->scores, planes, sizeof *s->score, left, err);
    s->gradient =
        room_init(&s->gradients, planes, sizeof *s->gradient, left, err);
    if (s->score)
        put_base(s->score, base, s->n, s->k);
    s->extent = mem_try_array(chunks * s->k, sizeof *s->extent, err);
    s->loss = mem_try_array(chunks > valid_chunks ? chunks : valid_chunks,
                            sizeof *s->loss, err);
    if (!s->score || !s->gradient || !s->extent || !s->loss ||
        !make_valid(s, base, err) || !make_sampling(s, err))
        return false;
    s->forest = tree_forest_new(s->train, base, s->k, err);
    if (!s->forest)
        return false;
    s->rule.grow.left = left;
    s->grower = grower_new(s->train, &s->rule.grow, s->ctx->pool,
                           s->ctx->progress, err);
    return s->grower != NULL;
}

/* ---- metrics ---- */

static bool
is_own_loss(const struct boost *s, const struct metric *m)
{
    return m->kind ==
           (s->problem == PROBLEM_REGRESSION ? METRIC_RMSE : METRIC_LOGLOSS);
}

/* The metric from a sum of losses over rows of so much weight. */
static double
metric_of_loss(const struct boost *s, double sum, double total)
{
    double mean = sum / total;

    return s->problem == PROBLEM_REGRESSION ? sqrt(mean) : mean;
}

static double
sum_losses(const struct boost *s, size_t n)
{
    double sum = 0;

    for (size_t c = 0; c < pool_chunks(n, GRAIN); c++)
        sum += s->loss[c];
    return sum;
}

struct loss_job {
    struct boost *s;
    const struct objective *o;
    const double *score;
};

static void
loss_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct loss_job *j = ctx;

    j->s->loss[chunk] = objective_loss(j->o, j->score, begin, end);
}

static double
loss_over(struct boost *s, const struct objective *o, const double *score,
          double total)
{
    struct loss_job j = {s, o, score};

    pool_for(s->ctx->pool, o->n, GRAIN, loss_rows, &j);
    return metric_of_loss(s, sum_losses(s, o->n), total);
}

static void
emit(const struct boost *s, const char *part, const struct metric *m,
     double value, size_t round)
{
    char name[64];

    snprintf(name, sizeof name, "%s.%s", part, m->name);
    event_emit(&s->ctx->sink, name, (int64_t)round, value);
}

static bool
improves(const struct metric *m, double value, double best)
{
    return m->larger_is_better ? value > best : value < best;
}

/* Score the validation rows after a round. */
static void
check_valid(struct boost *s)
{
    const struct fit_data *d = s->d;
    size_t n = d->y_valid->n, scores = n * s->k;
    bool transformed = false;

    for (size_t i = 0; i < d->n_metrics; i++) {
        const struct metric *m = d->metrics[i];
        double v;

        if (i > 0 && !s->ctx->sink.emit)
            break; /* nobody listens */
        if (is_own_loss(s, m)) {
            v = loss_over(s, &s->valid_objective, s->valid_score,
                          s->valid_total);
        } else {
            if (!transformed) {
                memcpy(s->valid_out, s->valid_score,
                       scores * sizeof *s->valid_out);
                objective_transform(s->problem, s->valid_out, n, s->k);
                transformed = true;
            }
            v = metric_measure(m, &(struct metric_rows){.problem = s->problem,
                                                        .n = n,
                                                        .k = s->k,
                                                        .y = d->y_valid->y,
                                                        .p = s->valid_out});
        }
        emit(s, "valid", m, v, s->rounds);
        if (i == 0 && (s->best_round == 0 || improves(m, v, s->best))) {
            s->best = v;
            s->best_round = s->rounds;
        }
    }
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
    for (size_t c = 0; c < s->k; c++) {
        const struct gradient *g = s->gradient + c * s->n;
        struct extent e = {0, INFINITY, 0};

        for (size_t i = begin; i < end; i++) {
            float size = fabsf(g[i].g);

            if (g[i].h == 0)
                continue; /* no weight */
            e.max_g = size > e.max_g ? size : e.max_g;
            e.min_h = g[i].h < e.min_h ? g[i].h : e.min_h;
            e.max_h = g[i].h > e.max_h ? g[i].h : e.max_h;
        }
        s->extent[chunk * s->k + c] = e;
    }
}

/* The training curve's point of the rounds so far, once. */
static void
emit_train(struct boost *s, double loss)
{
    if (s->told == s->rounds)
        return;
    s->told = s->rounds;
    emit(s, "train", s->loss_metric, loss, s->rounds);
}

/* The curve on the training rows is that of the loss, which costs nothing; is
 * it asked for, and does anybody listen? */
static bool
tells_train(const struct boost *s)
{
    return s->ctx->sink.emit && s->loss_metric;
}

/* Gradients at the scores as they are.  The loss comes with them, so the
 * training curve of a round is told when the next one begins. */
static void
compute_gradients(struct boost *s)
{
    pool_for(s->ctx->pool, s->n, GRAIN, gradient_rows, s);
    if (tells_train(s) && !progress_stopped(s->ctx->progress))
        emit_train(s, metric_of_loss(s, sum_losses(s, s->n), s->total));
}

static void
choose_rows(struct boost *s)
{
    s->n_sample = s->n;
    if (!s->sample)
        return;
    s->n_sample = 0;
    for (size_t i = 0; i < s->n; i++)
        if ((!s->draws ||
             rng_unit(s->ctx->seed, STREAM_ROWS + (s->rounds << 32), i) <
                 s->rule.row_share) &&
            (!s->objective.weight || s->objective.weight[i] > 0))
            s->sample[s->n_sample++] = (uint32_t)i;
}

static void
choose_columns(struct boost *s)
{
    size_t n = s->train->n_slots;
    size_t keep = (size_t)ceil(s->rule.col_share * (double)n);

    if (!s->active)
        return;
    for (size_t i = 0; i < n; i++)
        s->order[i] = (uint32_t)i;
    rng_shuffle(s->ctx->seed, STREAM_COLS + (s->forest->n_trees << 32),
                s->order, n);
    for (size_t i = 0; i < n; i++)
        s->active[s->order[i]] = i < keep;
}

static void
quantise_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct boost *s = ctx;
    struct hist_row *out = grower_rows(s->grower);

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        uint32_t row = s->sample ? s->sample[i] : (uint32_t)i;

        out[i] = hist_quantise(&s->scale, s->plane[row], row, s->salt);
    }
}

static bool
quantise(struct boost *s, size_t output, struct error *err)
{
    struct extent all = {0, INFINITY, 0};

    for (size_t c = 0; c < pool_chunks(s->n, GRAIN); c++) {
        const struct extent *e = &s->extent[c * s->k + output];

        all.max_g = e->max_g > all.max_g ? e->max_g : all.max_g;
        all.min_h = e->min_h < all.min_h ? e->min_h : all.min_h;
        all.max_h = e->max_h > all.max_h ? e->max_h : all.max_h;
    }
    if (!isfinite(all.max_g) || !isfinite(all.max_h))
        return error_set(err, ERR_RANGE,
                         "gradients are past any number: the target's values "
                         "or the weights are too large");
    s->plane = s->gradient + output * s->n;
    s->scale = hist_scale(all.max_g, all.min_h, all.max_h);
    s->salt = (uint32_t)rng_at(s->ctx->seed, STREAM_DITHER, s->forest->n_trees);
    pool_for(s->ctx->pool, s->n_sample, GRAIN, quantise_rows, s);
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
        pool_for(s->ctx->pool, s->n, GRAIN, add_coded, &j);
    else
        grower_add_grown(s->grower, s->score + output, s->k);
    if (!s->valid)
        return;
    j.b = s->valid;
    j.score = s->valid_score + output;
    pool_for(s->ctx->pool, s->valid->n_rows, GRAIN, add_coded, &j);
}

/* One tree for each output.  *grew: did any of them split? */
static bool
run_round(struct boost *s, bool *grew, struct error *err)
{
    *grew = false;
    compute_gradients(s);
    choose_rows(s);
    for (size_t c = 0; c < s->k; c++) {
        choose_columns(s);
        if (!quantise(s, c, err) ||
            !grow_tree(s->grower, s->n_sample, &s->scale, s->plane, s->active,
                       s->forest, err))
            return false;
        *grew |= grower_leaves(s->grower) > 1;
        add_tree(s, c);
    }
    s->rounds++;
    return true;
}

static bool
should_stop(const struct boost *s)
{
    return s->d->patience > 0 && s->best_round > 0 &&
           s->rounds - s->best_round >= s->d->patience;
}

static bool
boost_run(struct boost *s, struct error *err)
{
    struct error stopped;
    bool grew = true;

    for (size_t i = 0; i < s->d->n_metrics; i++)
        if (is_own_loss(s, s->d->metrics[i]))
            s->loss_metric = s->d->metrics[i];
    progress_begin(s->ctx->progress, "boosting", s->rule.trees);
    while (s->rounds < s->rule.trees && !should_stop(s)) {
        if (!run_round(s, &grew, &stopped)) {
            if (stopped.code != ERR_CANCELLED || s->rounds == 0) {
                *err = stopped;
                return false;
            }
            break; /* what is finished is kept */
        }
        /* Without sampling, a round that finds nothing is the last: the next
         * would see the same. */
        if (!grew && !s->draws && !s->active) {
            s->rounds--;
            break;
        }
        if (s->valid)
            check_valid(s);
        progress_set(s->ctx->progress, s->rounds);
    }
    if (tells_train(s))
        emit_train(s, loss_over(s, &s->objective, s->score, s->total));
    if (s->best_round > 0 && s->d->patience > 0)
        s->rounds = s->best_round;
    tree_cut(s->forest, s->rounds * s->k);
    return tree_seal(s->forest, err);
}

/* ---- the family ---- */

static bool
check_data(const struct fit_data *d, struct error *err)
{
    size_t cols = design_cols(d->train);

    if (cols == 0 || cols > TREE_MAX_COLS)
        return error_set(err, ERR_LIMIT, "%zu columns, expected 1..%d", cols,
                         TREE_MAX_COLS);
    if (train_rows(d) == 0)
        return error_set(err, ERR_RANGE, "no rows to learn from");
    if (train_rows(d) >= UINT32_MAX)
        return error_set(err, ERR_LIMIT, "more than 2^32 - 2 rows");
    return true;
}

static void *
gbdt_fit(const struct fit_data *d, const struct params *p,
         const struct train *ctx, struct json_writer *chosen, struct error *err)
{
    struct boost s = {.d = d, .ctx = ctx, .problem = d->y->problem};
    struct gbdt *m = NULL;

    if (!check_data(d, err))
        return NULL;
    s.rule = choose_rule(d, p);
    s.objective = objective_of(d->y);
    s.valid_objective = objective_of(d->y_valid);
    s.n = train_rows(d);
    s.k = s.objective.k;
    if (boost_init(&s, err) && boost_run(&s, err) &&
        (m = mem_try_array(1, sizeof *m, err))) {
        m->forest = s.forest;
        m->problem = s.problem;
        s.forest = NULL;
        write_rule(chosen, &s.rule, s.rounds);
    }
    boost_fini(&s);
    return m;
}

static void
gbdt_free(void *learner)
{
    struct gbdt *m = learner;

    if (!m)
        return;
    tree_forest_free(m->forest);
    free(m);
}

static bool
gbdt_score(const void *learner, const struct design *d, struct pool *pool,
           double *out, struct error *err)
{
    const struct gbdt *m = learner;

    if (!tree_score(m->forest, d, pool, out, err))
        return false;
    objective_transform(m->problem, out, design_rows(d), m->forest->n_outputs);
    return true;
}

static bool
gbdt_margin(const void *learner, const struct design *d, struct pool *pool,
            double *out, struct error *err)
{
    return tree_score(((const struct gbdt *)learner)->forest, d, pool, out,
                      err);
}

static bool
gbdt_attribute(const void *learner, const struct attribution *a,
               struct error *err)
{
    return tree_shap(((const struct gbdt *)learner)->forest, a, err);
}

static bool
gbdt_needs_background(const void *learner)
{
    return !((const struct gbdt *)learner)->forest->cover;
}

/* Share of the gain; all the same where nothing was split. */
static void
gbdt_importance(const void *learner, double *out)
{
    const struct forest *f = ((const struct gbdt *)learner)->forest;
    double sum = 0;

    for (size_t c = 0; c < f->n_cols; c++)
        sum += f->gain[c];
    for (size_t c = 0; c < f->n_cols; c++)
        out[c] = sum > 0 && isfinite(sum) ? f->gain[c] / sum
                                          : 1.0 / (double)f->n_cols;
}

static void
gbdt_save(const void *learner, struct st_writer *w, struct json_writer *m)
{
    (void)m; /* the tensors say it all */
    tree_save(((const struct gbdt *)learner)->forest, w);
}

static void *
gbdt_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
          enum problem problem, size_t n_classes, struct error *err)
{
    struct gbdt *m = mem_try_array(1, sizeof *m, err);

    (void)manifest;
    if (!m)
        return NULL;
    m->problem = problem;
    m->forest = tree_load(f, n_cols,
                          problem == PROBLEM_MULTICLASS ? n_classes : 1, err);
    if (!m->forest) {
        free(m);
        return NULL;
    }
    return m;
}

size_t
gbdt_trees(const void *learner)
{
    return ((const struct gbdt *)learner)->forest->n_trees;
}

static size_t
gbdt_rounds(const void *learner)
{
    const struct forest *f = ((const struct gbdt *)learner)->forest;

    return f->n_trees / f->n_outputs;
}

const struct family gbdt_family = {
    .name = "gbdt",
    .title = "gradient boosting",
    .params = GBDT_PARAMS,
    .style = PREPARE_TREES,
    .problems = 1u << PROBLEM_BINARY | 1u << PROBLEM_MULTICLASS |
                1u << PROBLEM_REGRESSION,
    .iterative = true,
    .feeds = true,
    .weighs = true,
    .rounds_param = "trees",
    .rounds = gbdt_rounds,
    .fit = gbdt_fit,
    .free = gbdt_free,
    .score = gbdt_score,
    .importance = gbdt_importance,
    .save = gbdt_save,
    .load = gbdt_load,
    .margin = gbdt_margin,
    .attribute = gbdt_attribute,
    .needs_background = gbdt_needs_background,
};
