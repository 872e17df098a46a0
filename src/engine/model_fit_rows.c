/* engine/model_fit_rows.c -- which rows are learnt from, and which ones tell when
 * to stop.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "engine/model_fit.h"
#include "frame/gather.h"
#include "frame/split.h"

enum { MIN_HOLDOUT = 20 }; /* fewer rows: none is held out */

static bool
one_time(const struct frame *f, const char *name)
{
    long col = frame_find(f, name);
    const struct column *c = col < 0 ? NULL : frame_column(f, (size_t)col);

    for (size_t i = 1; c && i < frame_rows(f); i++)
        if (column_type(c) == COL_TEXT ||
            column_number(c, i) != column_number(c, 0))
            return false;
    return c != NULL;
}

bool
model_fit_split(const struct fit *f, const struct frame *all, double share,
                struct split *s, struct error *err)
{
    struct split_by how = {.group = f->o->split_group,
                           .time = f->o->split_time,
                           .gap = f->o->split_gap,
                           .seed = f->ctx->seed};
    bool classes = problem_has_classes(f->all.problem);
    struct frame *by;
    bool ok;

    if (how.group || how.time)
        return split_holdout_by(all, share, &how, s, err) ||
               /* All at one time: none of them comes before another. */
               (how.time && !how.group && err->code == ERR_RANGE &&
                one_time(all, how.time) &&
                split_holdout_by(all, share,
                                 &(struct split_by){.seed = how.seed}, s, err));
    if (f->all.group)
        return target_split(&f->all, share, f->ctx->seed, s, err);
    by = classes ? target_frame(&f->all, err) : frame_ref(all);
    how.stratify = classes ? "y" : NULL;
    ok = by && split_holdout_by(by, share, &how, s, err);
    frame_unref(by);
    return ok;
}

static bool
holdout(struct fit *f, const struct frame *all, double share, struct error *err)
{
    struct pool *pool = f->ctx->pool;
    struct split s = {0};
    bool ok = false;

    if (model_fit_split(f, all, share, &s, err))
        ok = (f->train = gather_frame(all, s.train, s.n_train, pool, err)) &&
             (f->valid = gather_frame(all, s.test, s.n_test, pool, err)) &&
             target_take(&f->all, s.train, s.n_train, &f->y, err) &&
             target_take(&f->all, s.test, s.n_test, &f->y_valid, err);
    split_fini(&s);
    return ok;
}

bool
model_fit_all_rows(struct fit *f, const struct frame *all, struct error *err)
{
    f->train = frame_ref(all);
    if (!target_take(&f->all, NULL, 0, &f->y_valid, err) ||
        !(f->valid = frame_slice(all, 0, 0, err)))
        return false;
    f->y = f->all;
    memset(&f->all, 0, sizeof f->all);
    return true;
}

bool
model_fit_share(const struct fit *f, double *share, struct error *err)
{
    *share = f->o->valid_share;
    if (*share >= 1)
        return error_set(err, ERR_RANGE,
                         "a validation share of %g, expected below 1", *share);
    if (*share == 0 && f->family->iterative)
        *share = MODEL_FIT_VALID_SHARE;
    if (*share < 0)
        *share = 0;
    return true;
}

bool
model_fit_rows(struct fit *f, const struct frame *all, struct error *err)
{
    double share;

    if (f->o->valid) {
        f->train = frame_ref(all);
        f->valid = frame_ref(f->o->valid);
        if (!target_apply(&f->all, f->valid, f->target, &f->y_valid, err) ||
            !model_fit_weigh(f, &f->y_valid, f->valid, err))
            return error_prefix(err, "validation rows: ");
        f->y = f->all;
        memset(&f->all, 0, sizeof f->all);
        return true;
    }
    if (!model_fit_share(f, &share, err))
        return false;
    if (share > 0 && f->all.n >= MIN_HOLDOUT)
        return holdout(f, all, share, err);
    return model_fit_all_rows(f, all, err);
}
