/* engine/trees/boost_metric.c -- how the rounds do, and when to stop.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/trees/boost.h"

/* Is the metric a function of the sum of the losses? */
static bool
is_own_loss(const struct boost *s, const struct metric *m)
{
    switch (s->rule.loss.loss) {
    case LOSS_SQUARED:
        return m->kind == METRIC_RMSE;
    case LOSS_ABSOLUTE:
        return m->kind == METRIC_MAE;
    case LOSS_LOGISTIC:
    case LOSS_SOFTMAX:
        return m->kind == METRIC_LOGLOSS;
    default:
        return false;
    }
}

/* Scores that are no predictions of the target. */
static bool
is_relative(const struct boost *s)
{
    return s->rule.loss.loss == LOSS_COX || s->rule.loss.loss == LOSS_RANK;
}

void
boost_choose_metrics(struct boost *s)
{
    const struct fit_data *d = s->d;

    for (size_t i = 0; i < d->n_metrics; i++)
        if (is_own_loss(s, d->metrics[i]))
            s->loss_metric = d->metrics[i];
    s->stop = d->stop;
    /* What nobody has named is not what stops a loss that is another. */
    if (d->usual_metrics &&
        (d->n_metrics == 0 || !is_own_loss(s, d->metrics[0])))
        s->stop = FIT_STOP_LOSS;
}

/* What is told of a sum of losses: the root of the mean square, else the
 * mean. */
static double
mean_loss(const struct boost *s, const struct objective *o)
{
    double sum = 0, mean;

    for (size_t c = 0; c < pool_chunks(o->n, BOOST_GRAIN); c++)
        sum += s->loss[c];
    mean = sum / o->total;
    return s->rule.loss.loss == LOSS_SQUARED ? sqrt(mean) : mean;
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

static bool
loss_over(struct boost *s, struct objective *o, const double *score,
          double *out, struct error *err)
{
    struct loss_job j = {s, o, score};

    if (!objective_look(o, score, err))
        return false;
    pool_for(s->ctx->pool, o->n, BOOST_GRAIN, loss_rows, &j);
    *out = mean_loss(s, o);
    return true;
}

static void
emit(const struct boost *s, const char *part, const char *metric, double value)
{
    char name[64];

    snprintf(name, sizeof name, "%s.%s", part, metric);
    event_emit(&s->ctx->sink, name, (int64_t)s->rounds, value);
}

/* ---- validation rows ---- */

/* The predictions that are judged: (n, k), of several quantiles the middle
 * one. */
static const double *
predict_valid(struct boost *s, size_t *k)
{
    size_t n = s->valid_objective.n, middle = loss_middle(&s->rule.loss);
    double *out = s->valid_out;

    memcpy(out, s->valid_score, n * s->k * sizeof *out);
    objective_transform(&s->objective.rule, s->problem, out, n, s->k);
    *k = s->k;
    if (s->rule.loss.loss != LOSS_QUANTILE || s->k == 1)
        return out;
    for (size_t i = 0; i < n; i++)
        out[i] = out[i * s->k + middle];
    *k = 1;
    return out;
}

static double
measure(struct boost *s, const struct metric *m)
{
    const struct objective *o = &s->valid_objective;
    struct metric_rows rows = {.problem = s->problem,
                               .n = o->n,
                               .y = o->y,
                               .weight = o->weight,
                               .group = o->group};

    rows.p = predict_valid(s, &rows.k);
    return metric_measure(m, &rows);
}

/* Metric i, or the loss. */
static bool
check(struct boost *s, size_t i, struct error *err)
{
    const struct metric *m = i == FIT_STOP_LOSS ? NULL : s->d->metrics[i];
    double v;

    if (!m || is_own_loss(s, m)) {
        if (!loss_over(s, &s->valid_objective, s->valid_score, &v, err))
            return false;
    } else {
        v = measure(s, m);
    }
    if (i == s->stop && isnan(v) && s->d->patience > 0)
        return error_set(err, ERR_RANGE,
                         "%s, which stops the training, is not defined on the "
                         "validation rows: hold out others, or name another "
                         "metric",
                         m ? m->name : "the loss");
    emit(s, "valid", m ? m->name : "loss", v);
    if (i == s->stop &&
        (s->best_round == 0 ||
         (m && m->larger_is_better ? v > s->best : v < s->best))) {
        s->best = v;
        s->best_round = s->rounds;
        return boost_keep_best(s, err);
    }
    return true;
}

/* What stops comes first: whoever listens takes the first for the one that
 * decides. */
bool
boost_check_valid(struct boost *s, struct error *err)
{
    bool usual = s->d->usual_metrics && is_relative(s);

    if ((s->stop == FIT_STOP_LOSS || s->stop < s->d->n_metrics) &&
        !check(s, s->stop, err))
        return false;
    for (size_t i = 0; s->ctx->sink.emit && !usual && i < s->d->n_metrics; i++)
        if (i != s->stop && !check(s, i, err))
            return false;
    return true;
}

bool
boost_should_stop(const struct boost *s)
{
    return s->d->patience > 0 && s->best_round > 0 &&
           s->rounds - s->best_round >= s->d->patience;
}

/* ---- training rows ---- */

bool
boost_tells_train(const struct boost *s)
{
    return s->ctx->sink.emit && (s->loss_metric || s->stop == FIT_STOP_LOSS);
}

void
boost_emit_train(struct boost *s)
{
    if (s->told == s->rounds)
        return;
    s->told = s->rounds;
    emit(s, "train", s->loss_metric ? s->loss_metric->name : "loss",
         mean_loss(s, &s->objective));
}

bool
boost_emit_last(struct boost *s, struct error *err)
{
    struct error stopped;
    double ignored;

    /* Stopped while trees were left out, the scores are not those of all. */
    if (!boost_tells_train(s) || s->told == s->rounds ||
        (s->dropped && progress_stopped(s->ctx->progress)))
        return true;
    if (loss_over(s, &s->objective, s->score, &ignored, &stopped)) {
        boost_emit_train(s);
        return true;
    }
    if (stopped.code == ERR_CANCELLED)
        return true; /* the rounds are there, their last loss is not told */
    *err = stopped;
    return false;
}
