/* engine/classic/sgd.c -- linear models by stochastic gradients: parameters,
 * and turns over the rows.
 *
 * The first block says what a target is measured in and, where no rate is
 * given, which of some does best on its first rows.  A turn's loss is the mean
 * over its rows, each before its own step; the fit ends when it rests, or that
 * of rows held out, where there are any.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/sgd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/coefficients.h"
#include "engine/classic/sgd_state.h"
#include "engine/classic/tell.h"

enum {
    TRY_ROWS = 8192, /* that a rate is tried on */
    N_RATES = 8,
    STALE_TURNS = 3
};

static const struct param params[] = {
    {"loss", PARAM_CHOICE, 0, 0, NULL, "squared|huber|logistic|softmax|hinge",
     "what is made small; auto: squared, logistic or softmax"},
    {"lambda", PARAM_FLOAT, 0, 1e6, NULL, NULL,
     "penalty on the weights of scaled columns; auto: 1 / rows"},
    {"l1_ratio", PARAM_FLOAT, 0, 1, "0", NULL,
     "share of the penalty that is L1: 0 ridge, 1 lasso"},
    {"rate", PARAM_FLOAT, 1e-12, 1e6, NULL, NULL,
     "length of the first steps; auto: what does best on the first rows"},
    {"schedule", PARAM_CHOICE, 0, 0, "inverse", "constant|inverse|optimal",
     "how steps shrink: not, by (1 + turns)^power, or by lambda and steps"},
    {"power", PARAM_FLOAT, 0, 2, "0.75", NULL, "schedule=inverse: its power"},
    {"average", PARAM_BOOL, 0, 0, "true", NULL,
     "answer by the mean of the weights along the way"},
    {"delta", PARAM_FLOAT, 1e-12, 1e12, NULL, NULL,
     "loss=huber: residuals beyond it count by their size; auto: 1.35 "
     "deviations of the target"},
    {"epochs", PARAM_INT, 1, 100000, "50", NULL,
     "turns over the rows, at most"},
    {"tolerance", PARAM_FLOAT, 0, 1, "0.001", NULL,
     "stop when three turns bring the loss down by no such share"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

static int
sgd_problem(const struct params *p)
{
    const char *loss = params_text(p, "loss");

    return loss && (strcmp(loss, "squared") == 0 || strcmp(loss, "huber") == 0)
               ? PROBLEM_REGRESSION
               : -1;
}

/* ---- what is asked for ---- */

static bool
choose_loss(struct sgd *s, const struct params *p, struct error *err)
{
    static const char *const words[] = {"squared", "huber", "logistic",
                                        "softmax", "hinge"};
    const char *word = params_text(p, "loss");
    enum sgd_loss loss = s->problem == PROBLEM_REGRESSION ? SGD_SQUARED
                         : s->problem == PROBLEM_BINARY   ? SGD_LOGISTIC
                                                          : SGD_SOFTMAX;

    for (unsigned i = 0; word && i < 5; i++)
        if (strcmp(words[i], word) == 0)
            loss = (enum sgd_loss)i;
    s->rule.loss = loss;
    if ((loss == SGD_LOGISTIC && s->problem != PROBLEM_BINARY) ||
        (loss == SGD_SOFTMAX && s->problem != PROBLEM_MULTICLASS) ||
        (loss <= SGD_HUBER) != (s->problem == PROBLEM_REGRESSION))
        return error_set(err, ERR_RANGE, "loss=%s does not learn a %s target",
                         words[loss], problem_word(s->problem));
    return true;
}

static bool
choose_rule(struct sgd *s, const struct params *p, struct error *err)
{
    const char *schedule = params_text(p, "schedule");
    double lambda = params_is_set(p, "lambda") ? params_float(p, "lambda")
                                               : 1 / (double)s->n;
    struct sgd_rule *r = &s->rule;

    if (!choose_loss(s, p, err))
        return false;
    r->l1 = lambda * params_float(p, "l1_ratio");
    r->l2 = lambda - r->l1;
    r->schedule = strcmp(schedule, "constant") == 0  ? SGD_CONSTANT
                  : strcmp(schedule, "inverse") == 0 ? SGD_INVERSE
                                                     : SGD_OPTIMAL;
    r->power = params_float(p, "power");
    r->averages = params_bool(p, "average");
    r->rate = params_is_set(p, "rate") ? params_float(p, "rate") : 0;
    r->delta = params_is_set(p, "delta") ? params_float(p, "delta") : 0;
    s->epochs = (size_t)params_int(p, "epochs");
    s->tolerance = params_float(p, "tolerance");
    return true;
}

/* ---- the first block ---- */

static bool
measure_target(struct sgd *s, struct error *err)
{
    const struct target *y = s->d->y;
    size_t from = s->block.first, to = from + s->block.n;
    double sum = 0, total = 0, squares = 0;

    for (size_t i = from; i < to; i++) {
        double w = y->weight ? y->weight[i] : 1;

        sum += w * y->y[i];
        total += w;
    }
    s->unit = total > 0 ? total / (double)s->block.n : 1;
    if (s->problem != PROBLEM_REGRESSION)
        return true;
    s->y_mean = total > 0 ? sum / total : 0;
    for (size_t i = from; i < to; i++)
        squares += (y->weight ? y->weight[i] : 1) * (y->y[i] - s->y_mean) *
                   (y->y[i] - s->y_mean);
    s->y_sd = total > 0 ? sqrt(squares / total) : 0;
    if (!isfinite(s->y_sd))
        return error_set(err, ERR_RANGE,
                         "the target's values are too far apart");
    if (!(s->y_sd > 0))
        s->y_sd = 1;
    return true;
}

static void
measure_columns(struct sgd *s)
{
    const double *x = s->block.x;

    for (size_t j = 0; j < s->p; j++) {
        double sum = 0, squares = 0, mean;

        for (size_t i = 0; i < s->block.n; i++)
            sum += x[i * s->width + j];
        mean = sum / (double)s->block.n;
        for (size_t i = 0; i < s->block.n; i++)
            squares +=
                (x[i * s->width + j] - mean) * (x[i * s->width + j] - mean);
        s->spread[j] = sqrt(squares / (double)s->block.n);
    }
}

/* The rate whose second half of some rows is the best. */
static void
choose_rate(struct sgd *s)
{
    size_t n = s->block.n < TRY_ROWS ? s->block.n : TRY_ROWS;
    size_t room = s->k * (3 * s->width + 2);
    double best = INFINITY, rate = 1.0 / 64;

    for (unsigned i = 0; i < N_RATES; i++) {
        struct sgd_place at = {.w = s->tried};
        double loss;

        at.b = at.w + s->k * s->width;
        at.mean_w = at.b + s->k;
        at.mean_b = at.mean_w + s->k * s->width;
        at.paid = at.mean_b + s->k;
        memset(s->tried, 0, room * sizeof *s->tried);
        s->rule.rate = ldexp(1, 2 - 2 * (int)i);
        (void)sgd_learn(s, &at, 0, n / 2);
        loss = sgd_learn(s, &at, n / 2, n);
        if (loss < best) {
            best = loss;
            rate = s->rule.rate;
        }
    }
    s->rule.rate = rate;
}

/* Weights of a model to go on from, as they are learnt. */
static bool
begin_at(struct sgd *s, struct error *err)
{
    const struct linear *l = s->d->init;

    if (!l)
        return true;
    if (l->p != s->p || l->k != s->k)
        return error_set(err, ERR_STATE,
                         "the model to go on from has %zu "
                         "columns, not %zu",
                         l->p, s->p);
    for (size_t c = 0; c < s->k; c++)
        for (size_t j = 0; j < s->p; j++)
            s->at.w[c * s->width + j] = s->at.mean_w[c * s->width + j] =
                l->weight[c * s->p + j] / s->y_sd;
    for (size_t c = 0; c < s->k; c++)
        s->at.b[c] = s->at.mean_b[c] = (l->bias[c] - s->y_mean) / s->y_sd;
    return true;
}

static bool
look_at_first(struct sgd *s, struct error *err)
{
    if (!measure_target(s, err))
        return false;
    measure_columns(s);
    s->rule.l1 /= s->y_sd;
    s->rule.delta = s->rule.delta > 0 ? s->rule.delta / s->y_sd : 1.35;
    if (!(s->rule.rate > 0))
        choose_rate(s);
    return begin_at(s, err);
}

/* ---- turns ---- */

/* The weights as a model. */
static void
put_learner(const struct sgd *s, struct linear *l)
{
    const double *w = s->rule.averages ? s->at.mean_w : s->at.w;
    const double *b = s->rule.averages ? s->at.mean_b : s->at.b;

    /* A mean is never 0: what the last step left at 0 is meant. */
    for (size_t c = 0; c < s->k; c++)
        for (size_t j = 0; j < s->p; j++) {
            size_t at = c * s->width + j;
            bool out = s->rule.l1 > 0 && s->at.w[at] == 0;

            l->weight[c * s->p + j] = out ? 0 : w[at] * s->y_sd;
        }
    for (size_t c = 0; c < s->k; c++)
        l->bias[c] = b[c] * s->y_sd + s->y_mean;
    memcpy(l->spread, s->spread, s->p * sizeof *l->spread);
}

/* The mean loss of the rows held out, by the model at hand. */
static bool
valid_loss(const struct sgd *s, const struct linear *l, double *out,
           struct error *err)
{
    const struct target *y = s->d->y_valid;
    double *z = mem_try_array(y->n * s->k, sizeof *z, err), sum = 0, total = 0;

    if (!z || !linear_margin(l, s->d->valid, s->ctx->pool, z, err)) {
        free(z);
        return false;
    }
    for (size_t i = 0; i < y->n; i++) {
        double w = y->weight ? y->weight[i] : 1;

        for (size_t c = 0; c < s->k; c++)
            z[i * s->k + c] = (z[i * s->k + c] - s->y_mean) / s->y_sd;
        sum += w * sgd_loss(s, z + i * s->k, (y->y[i] - s->y_mean) / s->y_sd);
        total += w;
    }
    *out = sum / total;
    free(z);
    return true;
}

/* Tell of a turn, and see whether it was worth it. */
static bool
end_turn(struct sgd *s, struct linear *l, struct error *err)
{
    double loss = s->weight > 0 ? s->loss / s->weight : 0;
    bool squared = s->rule.loss == SGD_SQUARED;

    s->epoch++;
    s->loss = s->weight = 0;
    put_learner(s, l);
    event_emit(&s->ctx->sink, squared ? "train.rmse" : "train.loss",
               (int64_t)s->epoch, squared ? sqrt(2 * loss) * s->y_sd : loss);
    if (!tell_scores(&sgd_family, l, s->d, s->ctx, false, err))
        return false;
    if (s->d->valid && design_rows(s->d->valid) > 0 &&
        !valid_loss(s, l, &loss, err))
        return false;
    if (loss < s->best - s->tolerance * fabs(s->best) || s->epoch == 1) {
        s->best = loss;
        s->stale = 0;
    } else {
        s->stale++;
    }
    return true;
}

static bool
rests(const struct sgd *s)
{
    size_t most = STALE_TURNS;

    if (s->d->valid && design_rows(s->d->valid) > 0)
        most = s->d->patience == 0     ? SIZE_MAX
               : s->d->patience < most ? s->d->patience
                                       : most;
    return s->stale >= most;
}

/* False when it is cancelled. */
static bool
learn_block(struct sgd *s)
{
    const struct sgd_block *b = &s->block;
    size_t chunks = (b->n + SGD_CHUNK - 1) / SGD_CHUNK;

    for (size_t i = 0; i < chunks; i++) {
        size_t begin = (size_t)b->chunk[i] * SGD_CHUNK;
        size_t end = begin + SGD_CHUNK < b->n ? begin + SGD_CHUNK : b->n;

        if (progress_stopped(s->ctx->progress))
            return false;
        s->loss += sgd_learn(s, &s->at, begin, end);
    }
    for (size_t i = 0; i < b->n; i++)
        s->weight += b->weight ? b->weight[i] / s->unit : 1;
    progress_add(s->ctx->progress, b->n);
    return true;
}

/* *on: it may go on. */
static bool
turn(struct sgd *s, struct linear *l, bool *on, struct error *err)
{
    bool more, first = s->at.t == 0;

    *on = true;
    while (sgd_next(s, &more, err)) {
        if (!more)
            return end_turn(s, l, err);
        if (first && !look_at_first(s, err))
            return false;
        first = false;
        if (!learn_block(s)) {
            *on = false;
            return s->epoch > 0 || progress_check(s->ctx->progress, err);
        }
        if (s->next_row < s->n && !sgd_checkpoint(s, err))
            return false;
    }
    return false;
}

static bool
run(struct sgd *s, struct linear *l, struct error *err)
{
    bool on = true;

    progress_begin(s->ctx->progress, "fitting",
                   (uint64_t)s->n * (s->epochs - s->epoch));
    while (s->epoch < s->epochs && !rests(s) && on) {
        if (s->at.t > 0 && s->next_row == s->n && !sgd_rewind(s, err))
            return false;
        if (!turn(s, l, &on, err) || (on && !sgd_checkpoint(s, err)))
            return false;
    }
    put_learner(s, l);
    for (size_t j = 0; j < s->p * s->k; j++)
        if (!isfinite(l->weight[j]))
            return error_set(err, ERR_RANGE, "the fit did not converge");
    return true;
}

/* ---- the family ---- */

static void
sgd_fini(struct sgd *s)
{
    sgd_rows_fini(s);
    free(s->at.w);
    free(s->at.b);
    free(s->at.mean_w);
    free(s->at.mean_b);
    free(s->at.paid);
    free(s->margin);
    free(s->tried);
    free(s->spread);
}

static bool
sgd_init(struct sgd *s, struct error *err)
{
    if (s->p == 0 || s->p > LINEAR_MAX_COLS)
        return error_set(err, ERR_LIMIT,
                         "%zu columns after encoding, a linear model takes "
                         "1..%d",
                         s->p, LINEAR_MAX_COLS);
    if (s->n == 0 || s->n >= UINT32_MAX)
        return error_set(err, ERR_RANGE, "%zu rows to learn from", s->n);
    s->y_sd = s->unit = 1;
    s->width = (s->p + SGD_LANE - 1) / SGD_LANE * SGD_LANE;
    return sgd_rows_init(s, err) && dense_try(&s->at.w, s->width, s->k, err) &&
           dense_try(&s->at.b, s->k, 1, err) &&
           dense_try(&s->at.mean_w, s->width, s->k, err) &&
           dense_try(&s->at.mean_b, s->k, 1, err) &&
           dense_try(&s->at.paid, s->width, s->k, err) &&
           dense_try(&s->margin, s->k, 1, err) &&
           dense_try(&s->spread, s->p, 1, err) &&
           dense_try(&s->tried, s->k, 3 * s->width + 2, err);
}

static void
write_chosen(const struct sgd *s, struct json_writer *w)
{
    static const char *const words[] = {"squared", "huber", "logistic",
                                        "softmax", "hinge"};

    json_name(w, "loss");
    json_put_string(w, words[s->rule.loss]);
    json_name(w, "lambda");
    json_put_double(w, s->rule.l1 * s->y_sd + s->rule.l2);
    json_name(w, "rate");
    json_put_double(w, s->rule.rate);
    json_name(w, "turns");
    json_put_i64(w, (int64_t)s->epoch);
}

static void *
sgd_fit(const struct fit_data *d, const struct params *p,
        const struct train *ctx, struct json_writer *chosen, struct error *err)
{
    struct sgd s = {.d = d,
                    .ctx = ctx,
                    .problem = d->y->problem,
                    .n = d->feed ? d->feed->n_rows : design_rows(d->train),
                    .p = design_cols(d->train),
                    .k = d->y->problem == PROBLEM_MULTICLASS ? d->y->n_classes
                                                             : 1};
    struct linear *l = NULL;
    bool ok = sgd_init(&s, err) && choose_rule(&s, p, err) &&
              (l = linear_learner_new(s.problem, s.p, s.k, err)) &&
              sgd_resume(&s, err) && run(&s, l, err);

    if (ok)
        write_chosen(&s, chosen);
    sgd_fini(&s);
    if (ok)
        return l;
    linear_learner_free(l);
    return NULL;
}

const struct family sgd_family = {
    .name = "sgd",
    .title = "linear model by stochastic gradients",
    .params = params,
    .style = PREPARE_DENSE,
    .problems = FAMILY_ANY_TARGET,
    .feeds = true,
    .weighs = true,
    .checkpoints = true,
    .continues = true,
    .problem = sgd_problem,
    .fit = sgd_fit,
    .free = linear_learner_free,
    .score = linear_score,
    .importance = linear_importance,
    .tables = coefficient_tables,
    .table = coefficients_table,
    .save = linear_save,
    .load = linear_load,
    .margin = linear_margin,
    .attribute = linear_attribute,
};
