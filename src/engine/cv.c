/* engine/cv.c -- k-fold cross-validation by seed.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/cv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/split.h"

struct crossing {
    const struct family *family;
    const struct params *params;
    const struct frame *frame;
    const char *target;
    struct model_options options;
    const struct train *ctx;
    struct target truth;
    struct cv_result *out;
};

static bool
folds_make(struct crossing *c, unsigned k, struct error *err)
{
    bool classes = c->truth.problem != PROBLEM_REGRESSION;
    struct frame *by =
        classes ? target_frame(&c->truth, err) : frame_ref(c->frame);
    bool ok;

    c->out->row_fold = mem_try_array(c->truth.n, 1, err);
    ok = by && c->out->row_fold &&
         split_folds(by, k, classes ? "y" : NULL, c->ctx->seed,
                     c->out->row_fold, err);
    frame_unref(by);
    return ok;
}

static size_t
class_at(const struct model *m, const char *name)
{
    const char *const *names;
    size_t n = model_classes(m, &names), i = 0;

    while (i < n && strcmp(names[i], name) != 0)
        i++;
    return i;
}

/* Put a fold's predictions where the rows are.  A class that the fold's
 * training rows lack has probability 0. */
static void
scatter(struct crossing *c, const struct model *m, const struct prediction *p,
        const uint32_t *rows)
{
    size_t k = c->out->out.k;

    for (size_t j = 0; j < k; j++) {
        size_t from = k == 1 ? 0 : class_at(m, c->truth.classes[j]);

        for (size_t i = 0; i < p->n; i++)
            c->out->out.value[rows[i] * k + j] =
                from < p->k ? p->value[i * p->k + from] : 0;
    }
}

static bool
score_fold(struct crossing *c, unsigned fold, const struct split *s,
           struct error *err)
{
    struct cv_result *r = c->out;
    size_t k = r->out.k;
    double *p = mem_try_array(s->n_test * k, sizeof *p, err);
    struct target y;

    if (!p || !target_take(&c->truth, s->test, s->n_test, &y, err)) {
        free(p);
        return false;
    }
    for (size_t i = 0; i < s->n_test; i++)
        memcpy(p + i * k, r->out.value + s->test[i] * k, k * sizeof *p);
    for (size_t m = 0; m < r->n_metrics; m++) {
        char name[64];
        double v = metric_score(r->metric[m]->kind, y.problem, y.y, p, y.n, k);

        r->fold[fold * r->n_metrics + m] = v;
        snprintf(name, sizeof name, "cv.%s", r->metric[m]->name);
        event_emit(&c->ctx->sink, name, fold + 1, v);
    }
    target_fini(&y);
    free(p);
    return true;
}

static bool
run_fold(struct crossing *c, unsigned fold, struct error *err)
{
    /* Curves of k models under one name would be a knot: only the folds'
     * scores are told. */
    struct train ctx = {.pool = c->ctx->pool,
                        .progress = c->ctx->progress,
                        .seed = c->ctx->seed};
    struct frame *train = NULL, *test = NULL;
    struct split s = {0};
    struct prediction p;
    struct model *m = NULL;
    bool ok = false;

    if (split_fold(c->out->row_fold, c->truth.n, fold, &s, err) &&
        (train = frame_take(c->frame, s.train, s.n_train, err)) &&
        (test = frame_take(c->frame, s.test, s.n_test, err)) &&
        (m = model_fit(c->family, c->params, train, c->target, &c->options,
                       &ctx, err)) &&
        (!c->ctx->progress || progress_check(c->ctx->progress, err)) &&
        model_predict(m, test, c->ctx->pool, &p, err)) {
        scatter(c, m, &p, s.test);
        prediction_fini(&p);
        ok = score_fold(c, fold, &s, err);
    }
    model_unref(m);
    frame_unref(train);
    frame_unref(test);
    split_fini(&s);
    return ok || error_prefix(err, "fold %u: ", fold + 1);
}

static void
summarise(struct cv_result *r)
{
    for (size_t m = 0; m < r->n_metrics; m++) {
        double sum = 0, squares = 0;

        for (unsigned i = 0; i < r->k; i++)
            sum += r->fold[i * r->n_metrics + m];
        r->mean[m] = sum / r->k;
        for (unsigned i = 0; i < r->k; i++) {
            double d = r->fold[i * r->n_metrics + m] - r->mean[m];

            squares += d * d;
        }
        r->sd[m] = sqrt(squares / (r->k - 1));
    }
}

static bool
result_init(struct crossing *c, unsigned k, struct error *err)
{
    struct cv_result *r = c->out;
    const struct metric *table;
    size_t n, cells;

    table = metric_table(&n);
    r->k = k;
    for (size_t i = 0; i < n; i++)
        if (table[i].usual && !table[i].grouped &&
            table[i].problems & 1u << c->truth.problem)
            r->metric[r->n_metrics++] = &table[i];
    r->out.n = c->truth.n;
    r->out.k = c->truth.problem == PROBLEM_MULTICLASS ? c->truth.n_classes : 1;
    return (r->fold = mem_try_array(k * r->n_metrics, sizeof *r->fold, err)) &&
           mem_mul(r->out.n, r->out.k, &cells) &&
           (r->out.value = mem_try_array(cells, sizeof *r->out.value, err));
}

bool
cv_run(const struct family *family, const struct params *p,
       const struct frame *f, const char *target, unsigned k,
       const struct model_options *o, const struct train *ctx,
       struct cv_result *out, struct error *err)
{
    struct cv_result r = {0};
    struct crossing c = {.family = family,
                         .params = p,
                         .frame = f,
                         .target = target,
                         .options = {.problem = -1, .patience = -1},
                         .ctx = ctx,
                         .out = &r};
    bool ok;

    if (k < 2)
        return error_set(err, ERR_RANGE, "%u folds, expected 2 or more", k);
    if (o)
        c.options = *o;
    if (c.options.checkpoint)
        return error_set(err, ERR_USAGE,
                         "cross-validation keeps no checkpoint");
    if (c.options.valid)
        return error_set(err, ERR_USAGE,
                         "cross-validation takes no validation rows");
    c.options.problem = model_fit_problem(family, p, c.options.problem);
    if (!target_fit(f, target, c.options.problem, &c.truth, err))
        return false;
    c.options.problem = (int)c.truth.problem;
    ok = result_init(&c, k, err) && folds_make(&c, k, err);
    for (unsigned i = 0; i < k && ok; i++)
        ok = run_fold(&c, i, err);
    target_fini(&c.truth);
    if (ok) {
        summarise(&r);
        *out = r;
    } else {
        cv_result_fini(&r);
    }
    return ok;
}

void
cv_result_fini(struct cv_result *r)
{
    free(r->fold);
    free(r->row_fold);
    prediction_fini(&r->out);
    r->fold = NULL;
    r->row_fold = NULL;
}
