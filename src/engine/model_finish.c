/* engine/model_finish.c -- learn what is done to a model's answers, on rows
 * that it has not learnt from.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/model_fit.h"
#include "frame/gather.h"
#include "frame/split.h"

enum { LEAST_ROWS = 20 };

/* ---- keeping rows ---- */

bool
model_fit_keep(struct fit *f, const struct frame *all, struct error *err)
{
    const struct finish_options *o = &f->o->finish;
    double share = o->share > 0 ? o->share : FINISH_SHARE;
    struct split s = {0};
    struct target rest;
    bool ok;

    f->rest = frame_ref(all);
    if (finish_wanted(o) && !f->target)
        return error_set(err, ERR_RANGE,
                         "%s learns without a target: there is nothing to "
                         "calibrate, decide or bound",
                         f->family->name);
    if (!finish_wanted(o) || o->rows)
        return true;
    if (f->family->forecast)
        return error_set(err, ERR_RANGE,
                         "rows kept aside would leave gaps in a series: learn "
                         "ranges by cross-validation (cv), or take those that "
                         "a forecast has");
    if (f->all.n < LEAST_ROWS)
        return error_set(err, ERR_RANGE,
                         "%zu rows are too few to keep some for calibration, "
                         "thresholds or ranges, expected %d or more",
                         f->all.n, LEAST_ROWS);
    if (!model_fit_split(f, all, share, &s, err))
        return false;
    if (o->interval != 0 &&
        !conformal_check(o->interval, f->all.weight ? SIZE_MAX : s.n_test,
                         err)) {
        split_fini(&s);
        return false;
    }
    frame_unref(f->rest);
    ok = (f->rest = gather_frame(all, s.train, s.n_train, f->ctx->pool, err)) &&
         (f->kept = gather_frame(all, s.test, s.n_test, f->ctx->pool, err)) &&
         target_take(&f->all, s.train, s.n_train, &rest, err);
    split_fini(&s);
    if (!ok)
        return false;
    target_fini(&f->all);
    f->all = rest;
    return true;
}

/* ---- learning ---- */

/* Of a model of several quantiles: from the lowest to the highest. */
static bool
fit_quantiles(struct model *m, const struct finish_options *o,
              const struct design *d, const struct target *truth, size_t k,
              struct pool *pool, struct error *err)
{
    double *all = mem_try_array(truth->n * k, sizeof *all, err);
    struct metric_rows rows = {.problem = truth->problem,
                               .n = truth->n,
                               .k = k,
                               .y = truth->y,
                               .p = all,
                               .weight = truth->weight,
                               .pool = pool};
    bool ok =
        all && m->family->score(m->learner, d, pool, all, err) &&
        conformal_fit_quantiles(o->interval, &rows, &m->finish.conformal, err);

    m->finish.n = rows.n;
    m->finish.ranged = ok;
    free(all);
    return ok;
}

static bool
fit_on(struct fit *f, const struct design *d, const struct target *truth,
       struct error *err)
{
    struct model *m = f->m;
    const struct finish_options *o = &f->o->finish;
    size_t k = model_width(m), middle, values = model_outputs(m, &middle);
    struct metric_rows rows = {.problem = truth->problem,
                               .n = truth->n,
                               .k = k,
                               .y = truth->y,
                               .weight = truth->weight,
                               .pool = f->ctx->pool};
    double *p;
    bool ok;

    if (values > k && o->local)
        return error_set(err, ERR_RANGE,
                         "ranges between quantiles are local by themselves");
    if (values > k && !o->calibrate && !o->threshold && !o->profit)
        return fit_quantiles(m, o, d, truth, values, f->ctx->pool, err);
    p = mem_try_array(truth->n * k, sizeof *p, err);
    rows.p = p;
    ok = p && model_score(m, d, f->ctx->pool, p, err) &&
         finish_fit(o, &rows, m->like.classes, &m->finish, err);
    free(p);
    return ok;
}

bool
model_fit_finish(struct fit *f, struct error *err)
{
    struct model *m = f->m;
    const struct finish_options *o = &f->o->finish;
    struct target truth = {0};
    struct design *d = NULL;
    struct error why;
    size_t middle;
    bool ok;

    finish_fini(&m->finish);
    if (!finish_wanted(o))
        return true;
    if (o->rows && model_outputs(m, &middle) > model_width(m))
        return error_set(err, ERR_RANGE,
                         "ranges between quantiles are learnt on rows kept "
                         "aside, not by cross-validation");
    if (o->rows) {
        struct metric_rows rows = *o->rows;

        rows.pool = f->ctx->pool;
        return finish_fit(o, &rows, m->like.classes, &m->finish, &why) ||
               model_fit_kept(f, &why, err);
    }
    ok = model_truth(m, f->kept, &truth, &why) &&
         (d = model_design(m, f->kept, f->ctx->pool, &why)) &&
         fit_on(f, d, &truth, &why);
    design_free(d);
    target_fini(&truth);
    if (ok)
        return true;
    finish_fini(&m->finish);
    return model_fit_kept(f, &why, err) ||
           error_prefix(err, "rows kept aside: ");
}
