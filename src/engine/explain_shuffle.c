/* engine/explain_shuffle.c -- importance by shuffling.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/explain_state.h"

enum { STREAM_SHUFFLE = 0x73687566, MAX_REPEATS = 1000 };

struct shuffle {
    const struct model *m;
    const struct frame *f;
    const struct train *ctx;
    const struct metric *metric;
    size_t repeats;
    struct target y;
    double threshold; /* as struct metric_rows has it */
    double *p;        /* predictions */
    uint32_t *id;     /* rows in another order */
    double *loss;     /* by repeat */
};

static bool
score(const struct shuffle *s, const struct frame *f, double *out,
      struct error *err)
{
    if (!explain_predict(s->m, f, s->ctx, explain_judged(s->m), s->p, err))
        return false;
    *out = metric_measure(s->metric,
                          &(struct metric_rows){.problem = s->y.problem,
                                                .n = s->y.n,
                                                .k = explain_judged(s->m),
                                                .y = s->y.y,
                                                .p = s->p,
                                                .weight = s->y.weight,
                                                .group = s->y.group,
                                                .threshold = s->threshold});
    return true;
}

/* The metric with one column in another order. */
static bool
score_shuffled(const struct shuffle *s, size_t col, size_t draw, double *out,
               struct error *err)
{
    struct frame *f = NULL;
    struct column *c;
    bool ok;

    for (size_t i = 0; i < s->y.n; i++)
        s->id[i] = (uint32_t)i;
    rng_shuffle(s->ctx->seed, STREAM_SHUFFLE + draw, s->id, s->y.n);
    c = column_take(frame_column(s->f, col), s->id, s->y.n, err);
    if (c)
        f = frame_with(s->f, frame_name(s->f, col), c, err);
    ok = f && score(s, f, out, err);
    frame_unref(f);
    return ok;
}

static bool
shuffle_input(const struct shuffle *s, const char *name, size_t input,
              double whole, double *mean, double *sd, struct error *err)
{
    double sum = 0, squares = 0;
    size_t col;

    if (!frame_need(s->f, name, &col, err))
        return false;
    for (size_t i = 0; i < s->repeats; i++) {
        double v;

        if (!score_shuffled(s, col, input * s->repeats + i, &v, err))
            return false;
        s->loss[i] = s->metric->larger_is_better ? whole - v : v - whole;
        sum += s->loss[i];
        progress_add(s->ctx->progress, 1);
    }
    *mean = sum / (double)s->repeats;
    for (size_t i = 0; i < s->repeats; i++)
        squares += (s->loss[i] - *mean) * (s->loss[i] - *mean);
    *sd = sqrt(squares / (double)s->repeats);
    return true;
}

static struct frame *
shuffle_all(const struct shuffle *s, double *whole, struct error *err)
{
    static const char *const title[] = {"importance", "sd"};
    size_t n;
    const struct input *in = model_inputs(s->m, &n);
    const char **name = mem_try_array(n, sizeof *name, err);
    double *mean = mem_try_array(n, sizeof *mean, err);
    double *sd = mem_try_array(n, sizeof *sd, err);
    const double *value[] = {mean, sd};
    struct frame *out = NULL;
    bool ok = name && mean && sd;

    progress_begin(s->ctx->progress, "shuffling", n * s->repeats + 1);
    ok = ok && score(s, s->f, whole, err);
    progress_add(s->ctx->progress, 1);
    for (size_t i = 0; ok && i < n; i++) {
        name[i] = in[i].name;
        ok = shuffle_input(s, name[i], i, *whole, &mean[i], &sd[i], err);
    }
    if (ok)
        out = explain_ranking(name, n, title, value, 2, err);
    free(name);
    free(mean);
    free(sd);
    return out;
}

static bool
shuffle_init(struct shuffle *s, struct error *err)
{
    size_t n = frame_rows(s->f), k = explain_judged(s->m);

    if (s->repeats > MAX_REPEATS)
        return error_set(err, ERR_RANGE, "%zu repeats, expected 1..%d",
                         s->repeats, MAX_REPEATS);
    if (!(s->metric->problems >> s->m->like.problem & 1))
        return error_set(err, ERR_RANGE, "metric %s is not for %s models",
                         s->metric->name, problem_word(s->m->like.problem));
    if (!model_truth(s->m, s->f, &s->y, err))
        return false;
    if (s->m->finish.decided && k == 1)
        s->threshold = s->m->finish.decision.threshold;
    s->p = mem_try_array(n, k * sizeof *s->p, err);
    s->id = mem_try_array(n, sizeof *s->id, err);
    s->loss = mem_try_array(s->repeats, sizeof *s->loss, err);
    return s->p && s->id && s->loss;
}

struct frame *
explain_shuffle(const struct model *m, const struct frame *f,
                const struct shuffle_options *o, const struct train *ctx,
                double *whole, struct error *err)
{
    struct shuffle s = {
        .m = m,
        .f = f,
        .ctx = ctx,
        .metric = o && o->metric ? o->metric : metric_default(m->like.problem),
        .repeats = o && o->repeats ? o->repeats : EXPLAIN_REPEATS};
    struct frame *out = NULL;

    if (shuffle_init(&s, err))
        out = shuffle_all(&s, whole, err);
    target_fini(&s.y);
    free(s.p);
    free(s.id);
    free(s.loss);
    return out;
}
