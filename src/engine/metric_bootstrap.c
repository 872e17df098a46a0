/* engine/metric_bootstrap.c -- evaluations: scores and how sure they are.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/metric_part.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"

enum {
    MAX_SCRATCH = 64 << 20,
    MAX_CHUNKS = 16,
    MANY_ROWS = 20000,
    /* Far from the streams of rows, which are the resamples' numbers. */
    STREAM_GROUPS = 0x67727073
};

struct bootstrap {
    const struct scorer *s;
    uint64_t seed;
    unsigned resamples;
    uint8_t *count; /* n + n_groups a chunk */
    double *value;  /* (n_metrics, resamples) */
};

/* A byte a row keeps a million rows in cache; that one row is drawn 256 times
 * has a chance of 1 in 10^500. */
static void
draw(uint64_t seed, uint64_t stream, size_t n, const struct pool *stop,
     uint8_t *count)
{
    memset(count, 0, n * sizeof *count);
    for (size_t i = 0; i < n; i++) {
        if (i % MANY_ROWS == 0 && pool_stopped(stop))
            return;
        uint8_t *v = &count[rng_below(seed, stream, i, n)];

        *v = (uint8_t)(*v + (*v < UINT8_MAX));
    }
}

static void
bootstrap_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct bootstrap *b = ctx;
    size_t n = b->s->of.n, groups = b->s->n_groups;
    uint8_t *count = b->count + chunk * (n + groups);
    double all[METRIC_MAX];

    for (size_t r = begin; r < end; r++) {
        if (pool_stopped(b->s->pool))
            return;
        draw(b->seed, r, n, b->s->pool, count);
        draw(b->seed ^ STREAM_GROUPS, r, groups, b->s->pool, count + n);
        scorer_score(b->s, count, count + n, all);
        for (size_t m = 0; m < b->s->n_metrics; m++)
            b->value[m * b->resamples + r] = all[m];
    }
}

/* What scatters by chance counts as error, and in a resample once more. */
static void
bias_subtract(struct scored *s, const double *x, size_t n)
{
    double sum = 0, bias;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    bias = sum / (double)n - s->value;
    s->low = fmin(fmax(s->low - bias, 0), s->value);
    s->high = fmax(s->high - bias, s->value);
}

static void
interval_set(struct scored *s, double *x, size_t n)
{
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            x[m++] = x[i];
    s->low = s->high = (double)NAN;
    if (m == 0 || isnan(s->value))
        return;
    qsort(x, m, sizeof *x, sort_rising);
    s->low = sort_quantile(x, m, 0.025);
    s->high = sort_quantile(x, m, 0.975);
    if (s->metric->kind == METRIC_ECE)
        bias_subtract(s, x, m);
}

static bool
bootstrap_run(struct bootstrap *b, struct pool *pool, struct evaluation *e,
              struct error *err)
{
    size_t n = b->s->of.n + b->s->n_groups, grain;
    size_t chunks = MAX_SCRATCH / n;
    bool ok = false;

    chunks = chunks < 1 ? 1 : chunks > MAX_CHUNKS ? MAX_CHUNKS : chunks;
    grain = (b->resamples + chunks - 1) / chunks;
    if (!(b->count = mem_try_array(chunks * n, sizeof *b->count, err)) ||
        !(b->value =
              mem_try_array(e->n_scores * b->resamples, sizeof *b->value, err)))
        goto out;
    if (!pool_try(pool, b->resamples, grain, bootstrap_chunk, b, err))
        goto out;
    for (size_t m = 0; m < e->n_scores; m++)
        interval_set(&e->score[m], b->value + m * b->resamples, b->resamples);
    ok = true;
out:
    free(b->count);
    free(b->value);
    return ok;
}

/* ---- evaluation ---- */

static bool
confusion_make(const struct metric_rows *rows, char *const *classes,
               struct evaluation *e, struct error *err)
{
    size_t k = metric_classes(rows);

    if (!(e->confusion = mem_try_array(k * k, sizeof *e->confusion, err)) ||
        !(e->classes = mem_try_array(k, sizeof *e->classes, err)))
        return false;
    for (size_t i = 0; i < rows->n; i++)
        e->confusion[(size_t)rows->y[i] * k + metric_guess(rows, i)]++;
    for (size_t c = 0; c < k; c++) {
        if (!(e->classes[c] =
                  mem_try_text(classes[c], strlen(classes[c]), err)))
            return false;
        e->n_classes++;
    }
    return true;
}

static bool
evaluation_fill(const struct metric_rows *rows,
                const struct evaluation_options *o, struct pool *pool,
                struct evaluation *e, struct error *err)
{
    const struct metric *metric[METRIC_MAX];
    double all[METRIC_MAX];
    struct scorer s = {.of = *rows, .metric = metric, .pool = pool};
    struct bootstrap b = {.s = &s, .seed = o->seed, .resamples = o->resamples};
    bool ok;

    s.n_classes = metric_classes(rows);
    s.n_metrics = e->n_scores;
    for (size_t m = 0; m < e->n_scores; m++)
        metric[m] = e->score[m].metric;
    if (b.resamples == 0)
        b.resamples = rows->n > MANY_ROWS ? 200 : 1000;
    if ((ok = scorer_init(&s, err))) {
        scorer_score(&s, NULL, NULL, all);
        for (size_t m = 0; m < e->n_scores; m++)
            e->score[m].value = all[m];
        ok = bootstrap_run(&b, pool, e, err);
    }
    scorer_fini(&s);
    return ok;
}

static bool
choose(struct evaluation *e, const struct metric_rows *rows,
       const char *const *names, struct error *err)
{
    struct metric_list l;

    if (!metric_list_make(rows->problem, rows->group != NULL, names, &l, err))
        return false;
    e->asked = l.asked;
    e->n_scores = l.n;
    for (size_t m = 0; m < l.n; m++)
        e->score[m].metric = l.metric[m];
    return true;
}

bool
evaluation_of(const struct metric_rows *rows, char *const *classes,
              const struct evaluation_options *o, struct pool *pool,
              struct evaluation *out, struct error *err)
{
    struct evaluation e = {.problem = rows->problem,
                           .n = rows->n,
                           .threshold = metric_threshold(rows)};
    bool ok;

    if (rows->n == 0)
        return error_set(err, ERR_RANGE, "no rows to evaluate");
    ok = choose(&e, rows, o->metrics, err) &&
         evaluation_fill(rows, o, pool, &e, err) &&
         (rows->problem == PROBLEM_REGRESSION ||
          confusion_make(rows, classes, &e, err));
    if (ok)
        *out = e;
    else
        evaluation_fini(&e);
    return ok;
}

bool
evaluation_make(const struct target *truth, const double *p, size_t k,
                unsigned resamples, uint64_t seed, struct pool *pool,
                struct evaluation *out, struct error *err)
{
    return evaluation_of(
        &(struct metric_rows){.problem = truth->problem,
                              .n = truth->n,
                              .k = k,
                              .y = truth->y,
                              .p = p,
                              .weight = truth->weight,
                              .group = truth->group},
        truth->classes,
        &(struct evaluation_options){.resamples = resamples, .seed = seed},
        pool, out, err);
}

void
evaluation_fini(struct evaluation *e)
{
    for (size_t c = 0; c < e->n_classes; c++)
        free(e->classes[c]);
    free(e->classes);
    free(e->confusion);
    free(e->asked);
    memset(e, 0, sizeof *e);
}

const struct scored *
evaluation_find(const struct evaluation *e, const char *name)
{
    for (size_t m = 0; m < e->n_scores; m++)
        if (strcmp(e->score[m].metric->name, name) == 0)
            return &e->score[m];
    return NULL;
}
