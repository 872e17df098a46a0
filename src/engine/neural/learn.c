/* engine/neural/learn.c -- epochs: batches, metrics, when to stop; answers.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/learn_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/mem.h"
#include "base/rng.h"

enum {
    STREAM_ORDER = 0x6f726465,
    ANSWER_ROWS = 192,        /* of a chunk, of a table */
    ANSWER_NUMBERS = 1 << 19, /* of all layers, for a chunk of images */
    REACH_ROWS = 512
};

/* ---- answers ---- */

struct answering {
    const struct net_question *q;
    const struct progress *stop;
    double *out;
    atomic_bool failed;
    struct error err; /* of the first to fail */
};

static size_t
answer_grain(const struct net *n)
{
    double a_row = net_pass_bytes(n, 1, false) - net_pass_bytes(n, 0, false);
    double rows = ANSWER_NUMBERS * sizeof(float) / a_row;

    return rows > ANSWER_ROWS ? ANSWER_ROWS : rows < 1 ? 1 : (size_t)rows;
}

static void
put_answers(const struct net_question *q, const float *answer, size_t n,
            double *out)
{
    const struct net_scale *s = q->scale;

    for (size_t i = 0; i < n; i++, answer += s->k, out += s->k) {
        if (q->want == NET_PREDICTIONS)
            loss_answer(s->problem, answer, s->k, out);
        for (size_t c = 0; q->want == NET_MARGINS && c < s->k; c++)
            out[c] = (double)answer[c];
        if (s->problem == PROBLEM_REGRESSION)
            out[0] = out[0] * s->sd + s->mean;
    }
}

static bool
answer_some(struct answering *a, size_t begin, size_t end, struct error *err)
{
    const struct net_question *q = a->q;
    const struct net *n = q->ready->net;
    struct net_pass *p = net_pass_new(n, end - begin, false, false, err);
    bool ok;

    if (!p)
        return false;
    p->n = end - begin;
    ok = q->rows->take(q->rows->ctx,
                       &(struct net_wanted){.first = begin,
                                            .n = p->n,
                                            .numbers = p->input,
                                            .stride = net_numbers(n->input),
                                            .code = p->code},
                       err);
    if (ok) {
        if (net_pass_answer(p, q->ready, a->stop))
            put_answers(q, p->answer, p->n, a->out + begin * q->scale->k);
    }
    net_pass_free(p);
    return ok;
}

static void
answer_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct answering *a = ctx;
    struct error err;

    (void)chunk;
    if (progress_stopped(a->stop) || atomic_load(&a->failed))
        return;
    if (!answer_some(a, begin, end, &err) && !atomic_exchange(&a->failed, true))
        a->err = err;
}

bool
net_answer(const struct net_question *q, struct pool *pool,
           const struct progress *stop, double *out, struct error *err)
{
    struct answering a = {
        .q = q, .stop = stop ? stop : pool_stop(pool), .out = out};

    if (!pool_try(pool, q->rows->n, answer_grain(q->ready->net), answer_chunk,
                  &a, err))
        return false;
    if (atomic_load(&a.failed))
        *err = a.err;
    return !atomic_load(&a.failed) && progress_check(stop, err);
}

/* ---- state ---- */

static void
epochs_fini(struct epochs *e)
{
    net_ready_fini(&e->ready);
    net_pass_free(e->pass);
    opt_free(e->opt);
    free(e->order);
    free(e->loss);
    free(e->y);
    free(e->weight);
    free(e->answer);
    free(e->best);
    free(e->best_state);
}

static bool
scale_weights(struct epochs *e, struct error *err)
{
    const struct target *t = e->l->d->y;
    double mean;

    if (!t->weight)
        return true;
    mean = target_total(t) / (double)t->n;
    if (!target_counts(t, err) ||
        !(e->weight = mem_try_array(t->n, sizeof *e->weight, err)))
        return false;
    for (size_t i = 0; i < t->n; i++)
        e->weight[i] = t->weight[i] / mean;
    return true;
}

static double
weight_of(const struct epochs *e, size_t row)
{
    return e->weight ? e->weight[row] : 1;
}

/* Numbers are learnt in units of their deviation. */
static bool
scale_target(struct epochs *e, struct error *err)
{
    const struct target *t = e->l->d->y;
    struct net_scale *s = &e->l->scale;
    double sum = 0, squares = 0;

    *s = (struct net_scale){
        t->problem, t->problem == PROBLEM_MULTICLASS ? t->n_classes : 1, 0, 1};
    if (!(e->y = mem_try_array(t->n, sizeof *e->y, err)))
        return false;
    memcpy(e->y, t->y, t->n * sizeof *e->y);
    if (t->problem != PROBLEM_REGRESSION)
        return true;
    for (size_t i = 0; i < t->n; i++)
        sum += weight_of(e, i) * t->y[i];
    s->mean = sum / (double)t->n;
    for (size_t i = 0; i < t->n; i++)
        squares += weight_of(e, i) * (t->y[i] - s->mean) * (t->y[i] - s->mean);
    s->sd = sqrt(squares / (double)t->n);
    /* One value in these rows, others elsewhere. */
    if (s->sd == 0)
        s->sd = 1;
    if (!isfinite(s->mean) || !isfinite(s->sd) || !isfinite(1 / s->sd))
        return error_set(err, ERR_RANGE,
                         "the target's values are too far apart");
    for (size_t i = 0; i < t->n; i++)
        e->y[i] = (t->y[i] - s->mean) / s->sd;
    return true;
}

/* From the weights of another fit, where there are some. */
static bool
take_init(struct net *n, const struct net *init, struct error *err)
{
    if (!init)
        return true;
    if (n->n_params != init->n_params || n->n_state != init->n_state)
        return error_set(err, ERR_RANGE,
                         "the model to go on from has %zu numbers that are "
                         "learnt, this one %zu: its layers are others",
                         init->n_params, n->n_params);
    memcpy(n->param, init->param, n->n_params * sizeof *n->param);
    memcpy(n->state, init->state, n->n_state * sizeof *n->state);
    return true;
}

/* What nobody has named is not what stops a loss that is another. */
static void
choose_stop(struct epochs *e)
{
    const struct fit_data *d = e->l->d;
    const char *own = loss_metric(&e->l->loss);

    e->stop = d->stop;
    if (d->usual_metrics &&
        (d->n_metrics == 0 || !own || strcmp(own, d->metrics[0]->name) != 0))
        e->stop = FIT_STOP_LOSS;
}

static bool
epochs_init(struct epochs *e, struct error *err)
{
    struct net_learning *l = e->l;
    size_t n = l->rows->n, batch = l->batch < n ? l->batch : n;
    size_t n_answers;

    if (net_pass_bytes(l->net, batch, true) > (double)budget_bytes())
        return error_set(err, ERR_LIMIT,
                         "batches of %zu rows take %.0f MiB, and there are "
                         "%.0f: a smaller batch or smaller layers take less",
                         batch, net_pass_bytes(l->net, batch, true) / (1 << 20),
                         (double)budget_bytes() / (1 << 20));
    e->n_steps = pool_chunks(n, batch);
    l->rule.n_steps = e->n_steps * l->epochs;
    choose_stop(e);
    if (!take_init(l->net, l->init, err) || !scale_weights(e, err) ||
        !scale_target(e, err) ||
        !(mem_mul(l->valid ? l->valid->n : 0, l->scale.k, &n_answers) ||
          error_set(err, ERR_NOMEM, "%zu answers for each of the rows held out",
                    l->scale.k)))
        return false;
    return (e->pass = net_pass_new(l->net, batch, true, false, err)) &&
           net_ready_init(&e->ready, l->net, true, err) &&
           (e->opt = opt_new(&l->rule, l->net, err)) &&
           (e->order = mem_try_array(n, sizeof *e->order, err)) &&
           (e->loss = mem_try_array(e->pass->n_chunks, sizeof *e->loss, err)) &&
           (e->answer = mem_try_array(n_answers, sizeof *e->answer, err)) &&
           (e->best = mem_try_array(l->net->n_params, sizeof *e->best, err)) &&
           (e->best_state =
                mem_try_array(l->net->n_state, sizeof *e->best_state, err));
}

/* ---- a batch ---- */

static void
take_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct epochs *e = ctx;
    const struct net_rows *rows = e->l->rows;
    const struct net *n = e->l->net;
    size_t stride = net_numbers(n->input);
    struct error err;

    (void)chunk;
    if (!rows->take(
            rows->ctx,
            &(struct net_wanted){.row = e->row + begin,
                                 .n = end - begin,
                                 .draw = e->epoch + 1,
                                 .numbers = e->pass->input + begin * stride,
                                 .stride = stride,
                                 .code = e->pass->code + begin * n->n_tables},
            &err) &&
        !atomic_exchange(&e->failed, true))
        e->err = err;
}

static void
loss_chunk(void *ctx, size_t chunk, size_t begin, size_t end,
           const float *answer, float *grad)
{
    struct epochs *e = ctx;
    size_t k = e->l->scale.k;
    double sum = 0, scale = 1 / (double)e->pass->n;

    for (size_t i = begin; i < end; i++, answer += k, grad += k) {
        double w = weight_of(e, e->row[i]);

        sum +=
            w * loss_row(&e->l->loss, answer, e->y[e->row[i]], scale * w, grad);
    }
    e->loss[chunk] = sum;
}

/* false: stopped, diverged (*loss is not finite) or failed (err). */
static bool
run_batch(struct epochs *e, size_t begin, size_t end, double *loss,
          struct error *err)
{
    const struct train *ctx = e->l->ctx;
    struct net_pass *p = e->pass;
    double length;

    p->n = end - begin;
    p->seed = ctx->seed;
    p->step = e->step;
    e->row = e->order + begin;
    pool_for(ctx->pool, p->n, p->grain, take_chunk, e);
    if (atomic_load(&e->failed)) {
        *err = e->err;
        return false;
    }
    if (!net_pass_learn(p, &e->ready, e->l->net, loss_chunk, e, ctx->pool,
                        ctx->progress))
        return progress_check(ctx->progress, err);
    for (size_t c = 0; c < pool_chunks(p->n, p->grain); c++)
        *loss += e->loss[c];
    length = opt_step(e->opt, e->l->net, p->gradient, ctx->pool);
    if (!isfinite(length) || !isfinite(*loss))
        return error_set(err, ERR_RANGE,
                         "the fit diverged in epoch %zu: a smaller "
                         "learning_rate, or clip, may help",
                         e->epoch + 1);
    net_ready_make(&e->ready, ctx->pool);
    e->step++;
    progress_set(ctx->progress, e->step);
    return true;
}

/* ---- an epoch ---- */

static void
emit(const struct epochs *e, const char *part, const char *name, double value)
{
    char text[64];

    snprintf(text, sizeof text, "%s.%s", part, name);
    event_emit(&e->l->ctx->sink, text, (int64_t)e->epoch, value);
}

/* The loss in training, as the metric it is, where it is one. */
static void
emit_loss(const struct epochs *e, double loss)
{
    const char *name = loss_metric(&e->l->loss);

    if (name && strcmp(name, "rmse") == 0)
        emit(e, "train", name, sqrt(2 * loss) * e->l->scale.sd);
    else
        emit(e, "train", name ? name : "loss", loss);
}

static void
keep_best(struct epochs *e)
{
    const struct net *n = e->l->net;

    memcpy(e->best, n->param, n->n_params * sizeof *e->best);
    memcpy(e->best_state, n->state, n->n_state * sizeof *e->best_state);
    e->best_epoch = e->epoch;
}

/* Margins become predictions; returns the mean loss. */
static double
settle_answers(struct epochs *e)
{
    const struct target *t = e->l->d->y_valid;
    const struct net_scale *s = &e->l->scale;
    double sum = 0, total = 0;
    float answer[TARGET_MAX_CLASSES], none[TARGET_MAX_CLASSES];

    for (size_t i = 0; i < t->n; i++) {
        double *out = e->answer + i * s->k, w = t->weight ? t->weight[i] : 1;

        for (size_t c = 0; c < s->k; c++)
            answer[c] = (float)((out[c] - s->mean) / s->sd);
        sum += w * loss_row(&e->l->loss, answer, (t->y[i] - s->mean) / s->sd, 0,
                            none);
        total += w;
        if (s->problem != PROBLEM_REGRESSION)
            loss_answer(s->problem, answer, s->k, out);
    }
    return sum / total;
}

static void
weigh_in(struct epochs *e, bool larger_is_better, double v)
{
    bool better = larger_is_better ? v > e->best_value : v < e->best_value;

    if (e->best_epoch > 0 && !better && !isnan(e->best_value))
        return;
    e->best_value = v;
    keep_best(e);
}

static double
tell_metric(const struct epochs *e, const struct metric *m,
            const struct metric_rows *rows)
{
    double v = metric_measure(m, rows);

    emit(e, "valid", m->name, v);
    return v;
}

static bool
check_valid(struct epochs *e, struct error *err)
{
    const struct fit_data *d = e->l->d;
    const struct target *t = d->y_valid;
    struct metric_rows rows = {.problem = t->problem,
                               .n = t->n,
                               .k = e->l->scale.k,
                               .y = t->y,
                               .p = e->answer,
                               .weight = t->weight,
                               .group = t->group};
    struct net_question q = {&e->ready, &e->l->scale, e->l->valid, NET_MARGINS};
    double loss;

    if (!net_answer(&q, e->l->ctx->pool, e->l->ctx->progress, e->answer, err))
        return false;
    loss = settle_answers(e);
    if (e->stop == FIT_STOP_LOSS) {
        emit(e, "valid", "loss", loss);
        weigh_in(e, false, loss);
    }
    /* What stops comes first: whoever listens takes the first for the one that
     * decides. */
    for (size_t i = 0; i < d->n_metrics; i++)
        if (i == e->stop)
            weigh_in(e, d->metrics[i]->larger_is_better,
                     tell_metric(e, d->metrics[i], &rows));
    for (size_t i = 0; i < d->n_metrics; i++)
        if (i != e->stop)
            tell_metric(e, d->metrics[i], &rows);
    return true;
}

static bool
run_epoch(struct epochs *e, struct error *err)
{
    size_t n = e->l->rows->n;
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        e->order[i] = (uint32_t)i;
    rng_shuffle(e->l->ctx->seed, STREAM_ORDER + ((uint64_t)e->epoch << 32),
                e->order, n);
    /* Batches of one size, but for a row: a small one at the end would be all
     * noise. */
    for (uint64_t s = 0; s < e->n_steps; s++)
        if (!run_batch(e, n * s / e->n_steps, n * (s + 1) / e->n_steps, &sum,
                       err))
            return false;
    e->epoch++;
    emit_loss(e, sum / (double)n);
    return !e->l->valid || check_valid(e, err);
}

static bool
is_late(const struct epochs *e)
{
    unsigned patience = e->l->d->patience;

    return patience > 0 && e->best_epoch > 0 &&
           e->epoch - e->best_epoch >= patience;
}

/* The weights of the best epoch, where rows tell which it was. */
static void
settle(struct epochs *e)
{
    struct net *n = e->l->net;

    e->l->kept = e->epoch;
    if (e->best_epoch == 0 || e->l->d->patience == 0)
        return;
    memcpy(n->param, e->best, n->n_params * sizeof *e->best);
    memcpy(n->state, e->best_state, n->n_state * sizeof *e->best_state);
    e->l->kept = e->best_epoch;
}

static bool
weights_check(const struct net *n, struct error *err)
{
    for (size_t i = 0; i < n->n_params; i++)
        if (!isfinite(n->param[i]))
            return error_set(err, ERR_RANGE, "the fit diverged");
    for (size_t i = 0; i < n->n_state; i++)
        if (!isfinite(n->state[i]))
            return error_set(err, ERR_RANGE, "the fit diverged");
    return true;
}

static bool
run_epochs(struct epochs *e, struct error *err)
{
    const struct train *ctx = e->l->ctx;
    struct error why;
    bool ok = true;

    if (!epochs_resume(e, err))
        return false;
    net_ready_make(&e->ready, ctx->pool);
    if (ctx->progress) {
        progress_begin(ctx->progress, "epochs", e->l->rule.n_steps);
        progress_set(ctx->progress, e->step);
    }
    while (ok && e->epoch < e->l->epochs && !is_late(e))
        ok = run_epoch(e, &why) && epochs_checkpoint(e, &why);
    /* Stopped, or diverged with something to fall back to: what there is. */
    if (!ok && !(why.code == ERR_CANCELLED && e->epoch > 0) &&
        !(why.code == ERR_RANGE && e->best_epoch > 0)) {
        *err = why;
        return false;
    }
    settle(e);
    return weights_check(e->l->net, err);
}

bool
net_learn(struct net_learning *l, struct error *err)
{
    struct epochs e = {.l = l};
    bool ok = epochs_init(&e, err) && run_epochs(&e, err);

    epochs_fini(&e);
    return ok;
}

/* ---- how far inputs reach ---- */

struct reaching {
    const struct net_learning *l;
    const uint32_t *row;
};

/* The derivative of the score that is right. */
static void
reach_chunk(void *ctx, size_t chunk, size_t begin, size_t end,
            const float *answer, float *grad)
{
    const struct reaching *g = ctx;
    size_t k = g->l->scale.k;

    (void)chunk;
    (void)answer;
    for (size_t i = begin; i < end; i++, grad += k) {
        memset(grad, 0, k * sizeof *grad);
        grad[k > 1 ? (size_t)g->l->d->y->y[g->row[i]] : 0] = 1;
    }
}

static void
put_reach(const struct net_pass *p, double *numbers, double *tables)
{
    const struct net *n = p->net;
    size_t all = net_numbers(n->input);

    for (size_t i = 0; i < p->n; i++) {
        const float *x = p->input + i * all, *d = p->grad_input + i * all;

        for (size_t c = 0; c < n->n_numbers; c++)
            numbers[c] += fabs((double)d[c]);
        x += n->n_numbers;
        d += n->n_numbers;
        for (size_t t = 0; t < n->n_tables; t++) {
            double s = 0;

            for (size_t c = 0; c < n->table[t].width; c++)
                s += (double)*x++ * (double)*d++;
            tables[t] += fabs(s);
        }
    }
}

bool
net_reach(const struct net_learning *l, double *numbers, double *tables,
          struct error *err)
{
    size_t rows = l->rows->n < REACH_ROWS ? l->rows->n : REACH_ROWS;
    size_t batch = l->batch < rows ? l->batch : rows;
    uint32_t *row = mem_try_array(rows, sizeof *row, err);
    struct net_pass *p = net_pass_new(l->net, batch, true, true, err);
    struct net_ready r = {0};
    struct reaching g = {.l = l};
    bool ok = row && p && net_ready_init(&r, l->net, true, err);

    /* Who stopped it does not want to wait for this: all the same then. */
    if (progress_stopped(l->ctx->progress))
        rows = 0;
    if (ok)
        net_ready_make(&r, l->ctx->pool);
    for (size_t i = 0; ok && i < rows; i++)
        row[i] = (uint32_t)(l->rows->n * i / rows);
    for (size_t at = 0; ok && at < rows; at += p->n) {
        p->n = rows - at < batch ? rows - at : batch;
        g.row = row + at;
        ok = l->rows->take(
            l->rows->ctx,
            &(struct net_wanted){.row = g.row,
                                 .n = p->n,
                                 .numbers = p->input,
                                 .stride = net_numbers(l->net->input),
                                 .code = p->code},
            err);
        if (ok &&
            net_pass_learn(p, &r, NULL, reach_chunk, &g, l->ctx->pool, NULL))
            put_reach(p, numbers, tables);
    }
    net_ready_fini(&r);
    net_pass_free(p);
    free(row);
    return ok;
}
