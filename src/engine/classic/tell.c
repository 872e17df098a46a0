/* engine/classic/tell.c -- how a learner scores, told as events.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/tell.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/classic/panels.h"

struct telling {
    const struct family *family;
    const void *learner;
    const struct fit_data *d;
    const struct train *ctx;
    size_t k;
};

static bool
tell_part(const struct telling *t, const char *part, const struct design *x,
          const struct target *y, size_t n_metrics, struct error *err)
{
    double *p;
    bool ok;

    if (!dense_try(&p, design_rows(x), t->k, err))
        return false;
    ok = t->family->score(t->learner, x, t->ctx->pool, p, err);
    for (size_t m = 0; m < n_metrics && ok; m++) {
        const struct metric *metric = t->d->metrics[m];
        char name[64];

        snprintf(name, sizeof name, "%s.%s", part, metric->name);
        event_emit(
            &t->ctx->sink, name, 1,
            metric_measure(metric, &(struct metric_rows){.problem = y->problem,
                                                         .n = y->n,
                                                         .k = t->k,
                                                         .y = y->y,
                                                         .p = p,
                                                         .weight = y->weight,
                                                         .group = y->group}));
    }
    free(p);
    return ok;
}

bool
tell_scores(const struct family *family, const void *learner,
            const struct fit_data *d, const struct train *ctx, bool train,
            struct error *err)
{
    struct telling t = {family, learner, d, ctx,
                        d->y->problem == PROBLEM_MULTICLASS ? d->y->n_classes
                                                            : 1};

    if (!ctx->sink.emit || d->n_metrics == 0)
        return true;
    if (train && !tell_part(&t, "train", d->train, d->y, 1, err))
        return false;
    return !d->valid || design_rows(d->valid) == 0 ||
           tell_part(&t, "valid", d->valid, d->y_valid, d->n_metrics, err);
}
