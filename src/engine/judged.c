/* engine/judged.c -- what a model says of rows whose target is known.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/judged.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/judged_outcome.h"
#include "engine/model_state.h"
#include "frame/stream.h"

void
judged_fini(struct judged *j)
{
    target_fini(&j->truth);
    free(j->p);
    free(j->guess);
    *j = (struct judged){0};
}

struct metric_rows
judged_rows(const struct judged *j)
{
    return (struct metric_rows){.problem = j->truth.problem,
                                .n = j->truth.n,
                                .k = j->k,
                                .y = j->truth.y,
                                .p = j->p,
                                .weight = j->truth.weight,
                                .group = j->truth.group,
                                .threshold = j->threshold,
                                .guess = j->guess};
}

bool
judged_decide(const struct model *m, struct judged *j, struct error *err)
{
    const struct finish *f = model_finish(m);

    if (!f || !f->decided)
        return true;
    if (j->k == 1) {
        j->threshold = f->decision.threshold;
        return true;
    }
    if (!(j->guess = mem_try_array(j->truth.n, sizeof *j->guess, err)))
        return false;
    for (size_t i = 0; i < j->truth.n; i++)
        j->guess[i] = (uint16_t)model_decide(m, j->p + i * j->k);
    return true;
}

bool
judged_evaluate(const struct judged *j, const struct evaluation_options *o,
                struct pool *pool, struct evaluation *out, struct error *err)
{
    struct metric_rows rows = judged_rows(j);

    if (!evaluation_of(&rows, j->truth.classes, o, pool, out, err))
        return false;
    out->outcomes = j->outcomes;
    return true;
}

/* ---- a table ---- */

static bool
weigh_by(struct target *t, const struct frame *f, const char *name,
         struct error *err)
{
    free(t->weight);
    t->weight = NULL;
    return target_weigh(t, f, name, err) && target_counts(t, err);
}

static bool
group_by(struct target *t, const struct frame *f, const char *name,
         struct error *err)
{
    free(t->group);
    t->group = NULL;
    return target_group(t, f, name, err);
}

bool
judged_take(const struct model *m, const struct frame *f,
            const struct judged_options *o, struct pool *pool,
            struct judged *out, struct error *err)
{
    struct judged j = {0};
    struct ranged r = {0};
    struct prediction p;
    double before;

    if (!model_judge_check(m, err) || !model_truth(m, f, &j.truth, err))
        return false;
    if ((!o || !o->weight || weigh_by(&j.truth, f, o->weight, err)) &&
        (!o || !o->group || group_by(&j.truth, f, o->group, err)) &&
        model_predict_all(m, f, pool, &p, err)) {
        bool ok = ranged_add(&r, m, &j.truth, &p, pool, err);

        j.p = p.value;
        j.k = p.k;
        free(p.more);
        if (ok && judged_decide(m, &j, err) &&
            judged_uncalibrated(m, f, &j, pool, &before, err)) {
            judged_outcomes(m, &r, before, &j);
            *out = j;
            return true;
        }
    }
    judged_fini(&j);
    return false;
}

/* ---- a stream ---- */

struct judging {
    const struct model *model;
    struct judged all;
    struct ranged ranged;
    size_t cap;
    bool weighs;
};

static bool
numbers_grow(double **x, size_t n, struct error *err)
{
    double *more = mem_try_resize(*x, n, sizeof *more, err);

    if (more)
        *x = more;
    return more != NULL;
}

static bool
make_room(struct judging *g, size_t more, struct error *err)
{
    struct target *t = &g->all.truth;
    size_t want = g->cap ? g->cap : 4096, values;

    while (want < t->n + more)
        want *= 2;
    if (want == g->cap)
        return true;
    if (!mem_mul(want, g->all.k, &values))
        return error_set(err, ERR_NOMEM, "%zu rows of %zu classes do not fit",
                         want, g->all.k);
    if (!numbers_grow(&t->y, want, err) ||
        (g->weighs && !numbers_grow(&t->weight, want, err)) ||
        !numbers_grow(&g->all.p, values, err))
        return false;
    g->cap = want;
    return true;
}

static bool
add_batch(struct judging *g, const struct frame *f, struct pool *pool,
          struct error *err)
{
    const struct model *m = g->model;
    struct target *t = &g->all.truth, truth;
    struct prediction p;
    bool ok = false;

    if (!target_apply(&m->like, f, m->target, &truth, err))
        return false;
    if ((!g->weighs || target_weigh(&truth, f, m->weight, err)) &&
        model_predict_all(m, f, pool, &p, err)) {
        ok = make_room(g, p.n, err) &&
             ranged_add(&g->ranged, m, &truth, &p, pool, err);
        if (ok) {
            memcpy(t->y + t->n, truth.y, p.n * sizeof *truth.y);
            if (g->weighs)
                memcpy(t->weight + t->n, truth.weight,
                       p.n * sizeof *truth.weight);
            memcpy(g->all.p + t->n * p.k, p.value, p.n * p.k * sizeof *p.value);
            t->n += p.n;
        }
        prediction_fini(&p);
    }
    target_fini(&truth);
    return ok;
}

bool
judged_stream(const struct model *m, struct stream *s, struct judged *out,
              struct error *err)
{
    struct judging g = {.model = m};
    struct frame *f = NULL;
    bool ok = model_judge_check(m, err) &&
              target_take(&m->like, NULL, 0, &g.all.truth, err);

    g.all.k = m->like.problem == PROBLEM_MULTICLASS ? m->like.n_classes : 1;
    g.weighs = m->weight && frame_find(stream_head(s), m->weight) >= 0;
    while (ok && (ok = model_next_rows(m, s, &f, err)) && f) {
        ok = add_batch(&g, f, stream_pool(s), err);
        frame_unref(f);
    }
    if (ok && target_counts(&g.all.truth, err) &&
        judged_decide(m, &g.all, err)) {
        judged_outcomes(m, &g.ranged, NAN, &g.all);
        *out = g.all;
        return true;
    }
    judged_fini(&g.all);
    return false;
}

/* ---- evaluations ---- */

static bool
judge(struct judged *j, uint64_t seed, struct pool *pool,
      struct evaluation *out, struct error *err)
{
    struct evaluation_options o = {.seed = seed};
    bool ok = judged_evaluate(j, &o, pool, out, err);

    judged_fini(j);
    return ok;
}

bool
model_evaluate(const struct model *m, const struct frame *f, uint64_t seed,
               struct pool *pool, struct evaluation *out, struct error *err)
{
    struct judged j;

    return judged_take(m, f, NULL, pool, &j, err) &&
           judge(&j, seed, pool, out, err);
}

bool
model_evaluate_stream(const struct model *m, struct stream *s, uint64_t seed,
                      struct evaluation *out, struct error *err)
{
    struct judged j;

    return judged_stream(m, s, &j, err) &&
           judge(&j, seed, stream_pool(s), out, err);
}
