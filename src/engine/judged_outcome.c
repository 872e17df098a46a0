/* engine/judged_outcome.c -- what profits, ranges and calibrations came to.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/judged_outcome.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/model_state.h"

enum { LOOK_ROWS = 1024 }; /* between two looks whether to stop */

static void
tell(struct judged *j, const char *name, double value)
{
    assert(j->outcomes.n < OUTCOME_MAX);
    j->outcomes.at[j->outcomes.n++] = (struct outcome){name, value};
}

/* ---- ranges ---- */

bool
ranged_add(struct ranged *r, const struct model *m, const struct target *truth,
           const struct prediction *p, const struct pool *pool,
           struct error *err)
{
    const struct finish *f = model_finish(m);

    for (size_t i = 0; i < p->n && f && f->ranged; i++) {
        double w = truth->weight ? truth->weight[i] : 1, y = truth->y[i];

        if (i % LOOK_ROWS == 0 && !pool_check(pool, err))
            return false;
        r->weight += w;
        if (truth->problem == PROBLEM_REGRESSION) {
            const double *end = p->more + (i + 1) * p->n_more; /* low, high */

            r->within += y >= end[-2] && y <= end[-1] ? w : 0;
            r->width += w * (end[-1] - end[-2]);
            continue;
        }
        for (size_t c = 0; c < truth->n_classes; c++)
            if (model_in_set(m, p->value + i * p->k, c)) {
                r->within += (size_t)y == c ? w : 0;
                r->width += w;
            }
    }
    return true;
}

/* ---- calibrations ---- */

bool
judged_uncalibrated(const struct model *m, const struct frame *f,
                    const struct judged *j, struct pool *pool, double *out,
                    struct error *err)
{
    struct metric_rows rows = judged_rows(j);
    struct design *d = NULL;
    struct metric logloss;
    double *p = NULL;
    bool ok = false;

    *out = NAN;
    if (!m->finish.calibrated)
        return true;
    if (metric_parse("logloss", j->truth.problem, &logloss, err) &&
        (d = model_design(m, f, pool, err)) &&
        (p = mem_try_array(j->truth.n * j->k, sizeof *p, err)) &&
        m->family->score(m->learner, d, pool, p, err)) {
        rows.p = p;
        *out = metric_measure(&logloss, &rows);
        ok = true;
    }
    free(p);
    design_free(d);
    return ok;
}

/* ---- profits ---- */

/* Sums over rows: as the model says, as it would without a profit, and as if
 * one class were said of all. */
struct earned {
    double weight, said, likeliest;
    double all[TARGET_MAX_CLASSES];
};

static void
earn(const struct model *m, const struct decision *d, const struct judged *j,
     struct earned *e)
{
    const struct target *t = &j->truth;
    const struct decision none = {.k = 0};
    double of[TARGET_MAX_CLASSES] = {0}; /* weights, by true class */

    for (size_t i = 0; i < t->n; i++) {
        const double *row = j->p + i * j->k;
        const double *brings = d->profit + (size_t)t->y[i] * d->k;
        double w = t->weight ? t->weight[i] : 1;

        e->weight += w;
        e->said += w * brings[model_decide(m, row)];
        e->likeliest += w * brings[decision_class(&none, row, j->k)];
        of[(size_t)t->y[i]] += w;
    }
    for (size_t y = 0; y < d->k; y++)
        for (size_t c = 0; c < d->k; c++)
            e->all[c] += of[y] * d->profit[y * d->k + c];
}

static void
tell_profit(const struct model *m, const struct decision *d, struct judged *j)
{
    struct earned e = {.weight = 0};
    double best = -INFINITY;

    earn(m, d, j, &e);
    tell(j, "profit", e.said / e.weight);
    tell(j, "profit_total", e.said);
    if (d->k == 2) {
        tell(j, "profit_at_half", e.likeliest / e.weight);
        tell(j, "profit_all_positive", e.all[1] / e.weight);
        tell(j, "profit_all_negative", e.all[0] / e.weight);
        return;
    }
    for (size_t c = 0; c < d->k; c++)
        best = fmax(best, e.all[c]);
    tell(j, "profit_likeliest", e.likeliest / e.weight);
    tell(j, "profit_one_class", best / e.weight);
}

void
judged_outcomes(const struct model *m, const struct ranged *r,
                double uncalibrated, struct judged *j)
{
    const struct finish *f = model_finish(m);

    if (!f || j->truth.n == 0)
        return;
    if (isfinite(uncalibrated))
        tell(j, OUTCOME_UNCALIBRATED, uncalibrated);
    if (f->decided && f->decision.profit)
        tell_profit(m, &f->decision, j);
    if (!f->ranged)
        return;
    tell(j, "coverage", r->within / r->weight);
    tell(j, j->truth.problem == PROBLEM_REGRESSION ? "mean_width" : "mean_set",
         r->width / r->weight);
}
