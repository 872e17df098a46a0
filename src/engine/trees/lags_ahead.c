/* engine/trees/lags_ahead.c -- answers from what came before: the true past,
 * and behind it the answers themselves.
 *
 * Intervals are quantiles of paths, each of which goes on from its own values:
 * a step's answer and an error drawn from those of the rows held out.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/gbdt.h"
#include "engine/trees/lags_state.h"

enum {
    BLOCK = 16384, /* rows that are answered at once */
    MOST_PATHS = 1000,
    LEAST_PATHS = 200,
    PATH_STEPS = 200000, /* of all paths of a series, about */
    OWN_ERRORS = 20,     /* so many, or those of all series are drawn from */
    STREAM_ERRORS = 0x6c616773
};

/* Features of so many rows, and what the trees say of them. */
struct asked {
    const struct lags *m;
    struct design_column *column;
    double *x, *out;
    size_t cap;
};

static void
asked_fini(struct asked *a)
{
    free(a->column);
    free(a->x);
    free(a->out);
}

static bool
asked_init(struct asked *a, const struct lags *m, size_t n, struct error *err)
{
    size_t cells, f = lags_features(&m->rule);

    *a = (struct asked){.m = m, .cap = n};
    if (!mem_mul(n, f, &cells))
        return error_set(err, ERR_NOMEM, "%zu rows of %zu lags do not fit", n,
                         f);
    a->column = mem_try_array(f, sizeof *a->column, err);
    a->x = mem_try_array(cells, sizeof *a->x, err);
    a->out = mem_try_array(n, sizeof *a->out, err);
    if (a->column && a->x && a->out)
        return true;
    asked_fini(a);
    return false;
}

static bool
ask(struct asked *a, size_t n, struct pool *pool, struct error *err)
{
    struct design *d =
        design_dense(a->x, n, lags_features(&a->m->rule), a->column, err);
    bool ok = d && gbdt_family.score(a->m->trees, d, pool, a->out, err);

    design_free(d);
    return ok;
}

/* ---- going on ---- */

static bool
paths_init(const struct lags *m, struct lags_path *p, size_t n_paths,
           double **room, struct error *err)
{
    size_t reach = lags_reach(&m->rule), total = 0;
    double *at;

    for (size_t i = 0; i < n_paths; i++) {
        size_t n = p[i].from;

        p[i].first = n > reach ? n - reach : 0;
        total += n - p[i].first + p[i].n;
    }
    if (!(at = *room = mem_try_array(total, sizeof *at, err)))
        return false;
    for (size_t i = 0; i < n_paths; i++) {
        const struct lags_series *s = p[i].series;
        size_t known = p[i].from - p[i].first;

        p[i].y = at;
        memcpy(at, m->y + s->begin + p[i].first, known * sizeof *at);
        at += known + p[i].n;
    }
    return true;
}

static double
draw(const struct lags *m, const struct lags_path *p, size_t h)
{
    const struct lags_series *s = p->series;
    bool own = s->n_errors >= OWN_ERRORS;
    size_t n = own ? s->n_errors : m->n_errors;

    if (p->stream == 0 || n == 0)
        return 0;
    return m->error[(own ? s->errors_begin : 0) +
                    rng_below(1, STREAM_ERRORS + p->stream, h, n)];
}

/* The value that step t of a path is a difference to. */
static double
before(const struct lags_rule *r, const struct lags_path *p, size_t t)
{
    if (r->gap == 0)
        return 0;
    return t >= r->gap + p->first ? p->y[t - r->gap - p->first] : (double)NAN;
}

/* One step of all paths that are not at their end. */
static bool
paths_step(struct asked *a, struct lags_path *p, size_t n_paths, size_t h,
           struct pool *pool, struct error *err)
{
    const struct lags_rule *r = &a->m->rule;
    size_t n = 0, i = 0;

    for (size_t k = 0; k < n_paths; k++)
        n += h < p[k].n;
    for (size_t k = 0; k < n_paths; k++) {
        struct lags_past past = {p[k].series, p[k].y, p[k].first};

        if (h < p[k].n)
            lags_row(r, &past, p[k].from + h,
                     p[k].inputs ? p[k].inputs + h * r->n_inputs : NULL,
                     a->x + i++, n);
    }
    if (!ask(a, n, pool, err))
        return false;
    i = 0;
    for (size_t k = 0; k < n_paths; k++)
        if (h < p[k].n)
            lags_path_out(&p[k])[h] = a->out[i++] +
                                      before(r, &p[k], p[k].from + h) +
                                      draw(a->m, &p[k], h);
    return true;
}

bool
lags_run(const struct lags *m, struct lags_path *p, size_t n_paths,
         struct pool *pool, double **room, struct error *err)
{
    size_t most = 0;
    struct asked a;
    bool ok = true;

    *room = NULL;
    for (size_t i = 0; i < n_paths; i++)
        most = p[i].n > most ? p[i].n : most;
    if (!asked_init(&a, m, n_paths, err))
        return false;
    ok = paths_init(m, p, n_paths, room, err);
    for (size_t h = 0; h < most && ok; h++)
        ok = paths_step(&a, p, n_paths, h, pool, err);
    asked_fini(&a);
    return ok;
}

/* ---- answers to rows ---- */

struct answering {
    const struct lags *m;
    const struct design *d;
    struct moment *row;     /* by series and step */
    size_t n;               /* of known series, at no step before the first */
    struct lags_path *path; /* one a series that is gone on from */
    size_t n_paths;
    double *inputs, *room;
    double *out;
};

/* Where each row lies. */
static bool
place_rows(struct answering *q, struct pool *pool, struct error *err)
{
    const struct lags_rule *r = &q->m->rule;
    size_t n = design_rows(q->d);
    size_t *count = mem_try_array(q->m->n_series, sizeof *count, err);

    if (!count || !(q->row = mem_try_array(n, sizeof *q->row, err))) {
        free(count);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct lags_series *s;
        double key = 0, step;

        q->out[i] = (double)NAN;
        if (r->series != LAGS_NO_COLUMN)
            design_pull(q->d, r->series, i, i + 1, &key);
        if (!(s = lags_find(q->m, key)))
            continue;
        if (r->time == LAGS_NO_COLUMN) {
            step = (double)(s->clock.n + count[s - q->m->series]++);
        } else {
            design_pull(q->d, r->time, i, i + 1, &step);
            step = clock_step(&s->clock, step);
        }
        if (step >= 0 && step < (double)s->clock.n + LAGS_MAX_AHEAD)
            q->row[q->n++] = (struct moment){step, (uint32_t)i,
                                             (uint32_t)(s - q->m->series)};
    }
    free(count);
    return moments_sort(q->row, q->n, pool, err);
}

static bool
is_known(const struct answering *q, size_t i)
{
    const struct moment *at = &q->row[i];

    return at->time < (double)q->m->series[at->series].clock.n;
}

/* Rows that were learnt from, some at a time; the first ones, which have
 * nothing to be a difference to, are what they were. */
static bool
answer_block(struct answering *q, struct asked *a, const size_t *which,
             size_t n, struct pool *pool, struct error *err)
{
    const struct lags_rule *r = &q->m->rule;
    double inputs[256], *in = inputs;

    if (r->n_inputs > 256 &&
        !(in = mem_try_array(r->n_inputs, sizeof *in, err)))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct moment *at = &q->row[which[i]];
        const struct lags_series *s = &q->m->series[at->series];
        struct lags_past past = {s, q->m->y + s->begin, 0};

        lags_inputs(r, q->d, at->row, in);
        lags_row(r, &past, (size_t)at->time, in, a->x + i, n);
    }
    if (in != inputs)
        free(in);
    if (!ask(a, n, pool, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct moment *at = &q->row[which[i]];
        const double *y = q->m->y + q->m->series[at->series].begin;
        size_t t = (size_t)at->time;

        q->out[at->row] = t < r->gap ? y[t]
                          : r->gap   ? a->out[i] + y[t - r->gap]
                                     : a->out[i];
    }
    return true;
}

static bool
answer_known(struct answering *q, struct pool *pool, struct error *err)
{
    size_t cap = q->n < BLOCK ? q->n : BLOCK, n = 0;
    size_t *which = mem_try_array(cap, sizeof *which, err);
    struct asked a;
    bool ok = which != NULL;

    if (!ok || !asked_init(&a, q->m, cap, err)) {
        free(which);
        return false;
    }
    for (size_t i = 0; i < q->n && ok; i++) {
        if (is_known(q, i))
            which[n++] = i;
        if (n == cap) {
            ok = answer_block(q, &a, which, n, pool, err);
            n = 0;
        }
    }
    ok = ok && (n == 0 || answer_block(q, &a, which, n, pool, err));
    asked_fini(&a);
    free(which);
    return ok;
}

/* A path for each series that has rows behind it, as long as they reach. */
static bool
make_paths(struct answering *q, struct error *err)
{
    size_t steps = 0, cells;

    if (!(q->path = mem_try_array(q->m->n_series, sizeof *q->path, err)))
        return false;
    for (size_t i = 0; i < q->n; i++) {
        const struct lags_series *s = &q->m->series[q->row[i].series];

        if (is_known(q, i))
            continue;
        if (q->n_paths == 0 || q->path[q->n_paths - 1].series != s)
            q->path[q->n_paths++] =
                (struct lags_path){.series = s, .from = s->clock.n};
        /* Rows are in order: the last one is the farthest. */
        q->path[q->n_paths - 1].n = (size_t)q->row[i].time - s->clock.n + 1;
    }
    for (size_t k = 0; k < q->n_paths; k++)
        steps += q->path[k].n;
    if (q->m->rule.n_inputs == 0)
        return true;
    if (!mem_mul(steps, q->m->rule.n_inputs, &cells))
        return error_set(err, ERR_NOMEM, "%zu steps do not fit", steps);
    if (!(q->inputs = mem_try_array(cells, sizeof *q->inputs, err)))
        return false;
    for (size_t i = 0; i < cells; i++)
        q->inputs[i] = (double)NAN;
    return true;
}

/* What is known beforehand comes from the rows themselves. */
static void
fill_inputs(struct answering *q)
{
    size_t k = 0, width = q->m->rule.n_inputs;
    double *at = q->inputs;

    if (!at)
        return;
    for (size_t i = 0; i < q->n; i++) {
        const struct lags_series *s = &q->m->series[q->row[i].series];

        if (is_known(q, i))
            continue;
        for (; q->path[k].series != s; k++)
            at += q->path[k].n * width;
        q->path[k].inputs = at;
        lags_inputs(&q->m->rule, q->d, q->row[i].row,
                    at + ((size_t)q->row[i].time - s->clock.n) * width);
    }
}

static bool
answer_ahead(struct answering *q, struct pool *pool, struct error *err)
{
    size_t k = 0;

    if (!make_paths(q, err))
        return false;
    if (q->n_paths == 0)
        return true;
    fill_inputs(q);
    if (!lags_run(q->m, q->path, q->n_paths, pool, &q->room, err))
        return false;
    for (size_t i = 0; i < q->n; i++) {
        const struct lags_series *s = &q->m->series[q->row[i].series];

        if (is_known(q, i))
            continue;
        while (q->path[k].series != s)
            k++;
        q->out[q->row[i].row] =
            lags_path_out(&q->path[k])[(size_t)q->row[i].time - s->clock.n];
    }
    return true;
}

bool
lags_score(const void *learner, const struct design *d, struct pool *pool,
           double *out, struct error *err)
{
    struct answering q = {.m = learner, .d = d, .out = out};
    bool ok = design_rows(d) == 0 ||
              (place_rows(&q, pool, err) && answer_known(&q, pool, err) &&
               answer_ahead(&q, pool, err));

    free(q.row);
    free(q.path);
    free(q.inputs);
    free(q.room);
    return ok;
}

/* ---- forecasts ---- */

/* The mean path, and quantiles of the others: (3, n). */
static bool
forecast_series(const struct lags *m, const struct lags_series *s, size_t n,
                double level, double *out, struct error *err)
{
    size_t n_paths = PATH_STEPS / n;
    struct lags_path *p;
    double *room = NULL, *at = NULL;
    bool ok;

    n_paths = n_paths > MOST_PATHS    ? MOST_PATHS
              : n_paths < LEAST_PATHS ? LEAST_PATHS
                                      : n_paths;
    p = mem_try_array(n_paths + 1, sizeof *p, err);
    at = mem_try_array(n_paths, sizeof *at, err);
    for (size_t i = 0; p && i <= n_paths; i++)
        p[i] = (struct lags_path){
            .series = s, .from = s->clock.n, .n = n, .stream = i};
    ok = p && at && lags_run(m, p, n_paths + 1, NULL, &room, err);
    for (size_t h = 0; h < n && ok; h++) {
        for (size_t i = 0; i < n_paths; i++)
            at[i] = lags_path_out(&p[i + 1])[h];
        out[h] = lags_path_out(&p[0])[h];
        series_range(at, n_paths, level, &out[n + h], &out[2 * n + h]);
    }
    free(p);
    free(at);
    free(room);
    return ok;
}

/* The columns that a model in time needs its names from. */
static bool
find_columns(const struct lags_rule *r, const struct prepare *prepare,
             struct series_frame_of *of, struct error *err)
{
    size_t n = 0;
    const struct input *in = prepare ? prepare_inputs(prepare, &n) : NULL;
    const size_t at[] = {r->time, r->series};

    for (size_t i = 0; i < 2; i++) {
        if (at[i] == LAGS_NO_COLUMN)
            continue;
        for (size_t c = 0; c < n; c++)
            if (at[i] < prepare_cols(prepare) &&
                strcmp(in[c].name, prepare_feature(prepare, at[i])) == 0)
                *(i ? &of->series : &of->time) = &in[c];
        if (!(i ? of->series : of->time))
            return error_set(err, ERR_CORRUPT,
                             "a series without the column of its %s",
                             i ? "name" : "time");
    }
    return true;
}

struct frame *
lags_forecast(const void *learner, const struct prepare *prepare,
              const struct forecast *ask_for, struct error *err)
{
    const struct lags *m = learner;
    struct series_frame_of of = {.n = ask_for->horizon};
    struct series_path *path = NULL;
    struct frame *f = NULL;
    size_t n = of.n, cells;
    double *out = NULL;
    bool ok;

    if (m->rule.n_inputs > 0) {
        error_set(err, ERR_USAGE,
                  "it has learnt from columns that must be known beforehand: "
                  "predict a table of the rows to come, which has them");
        return NULL;
    }
    ok = find_columns(&m->rule, prepare, &of, err);
    if (ok && (!mem_mul(m->n_series, 3, &cells) || !mem_mul(cells, n, &cells)))
        ok = error_set(err, ERR_NOMEM, "%zu series of %zu steps do not fit",
                       m->n_series, n);
    ok = ok && (out = mem_try_array(cells, sizeof *out, err)) &&
         (path = mem_try_array(m->n_series, sizeof *path, err));
    for (size_t i = 0; i < m->n_series && ok; i++) {
        double *at = out + 3 * n * i;

        ok = forecast_series(m, &m->series[i], n, ask_for->level, at, err);
        path[i] = (struct series_path){&m->series[i].clock, m->series[i].key,
                                       at, at + n, at + 2 * n};
    }
    if (ok)
        f = series_frame(&of, path, m->n_series, err);
    free(out);
    free(path);
    return f;
}
