/* engine/trees/lags_ahead.c -- answers from what came before: the true past,
 * and behind it the answers themselves, those of each step or, where steps are
 * answered directly, those before the last such stretch.
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
    BLOCK = 16384,  /* rows that are answered at once */
    ASK_ROWS = 128, /* by one thread */
    MOST_PATHS = 1000,
    LEAST_PATHS = 200,
    PATH_STEPS = 200000,   /* of all paths of a series, about */
    AHEAD_ROWS = 16384,    /* paths that are gone on together */
    AHEAD_CELLS = 4 << 20, /* of their values */
    RANGE_STEPS = 4,       /* whose intervals one thread finds */
    OWN_ERRORS = 20,       /* so many, or those of all series are drawn from */
    STREAM_ERRORS = 0x6c616773
};

/* Features of so many rows, and what the trees say of them: some rows at a
 * time, each by one thread from its past to its answer. */
struct asked {
    const struct lags *m;
    struct design_column *column;
    double *x, *out;
    /* What row i of those that are asked looks like, every `stride` doubles. */
    void (*fill)(const void *ctx, size_t i, double *x, size_t stride);
    const void *ctx;
    size_t n; /* are asked */
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

    *a = (struct asked){.m = m};
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
ask_some(void *ctx, size_t k, struct pool *alone, struct error *err)
{
    struct asked *a = ctx;
    size_t f = lags_features(&a->m->rule), begin = k * ASK_ROWS;
    size_t n = a->n - begin < ASK_ROWS ? a->n - begin : ASK_ROWS;
    double *x = a->x + begin * f;
    struct design *d;
    bool ok;

    for (size_t i = 0; i < n; i++)
        a->fill(a->ctx, begin + i, x + i, n);
    d = design_dense(x, n, f, a->column, err);
    ok = d && gbdt_family.score(a->m->trees, d, alone, a->out + begin, err);
    design_free(d);
    return ok;
}

static bool
ask(struct asked *a, size_t n, struct pool *pool, struct error *err)
{
    a->n = n;
    return pool_each(pool, pool_chunks(n, ASK_ROWS), ask_some, a, err);
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

/* Step h of a path from 0, as it is answered. */
static struct lags_step
step_of(const struct lags_rule *r, const struct lags_path *p, size_t h)
{
    return (struct lags_step){p->from + h, r->ahead ? h % r->ahead + 1 : 1};
}

/* The series that error `at` of all is of, where each has as many for every
 * step that is answered directly. */
static const struct lags_series *
error_series(const struct lags *m, size_t at)
{
    size_t low = 0, high = m->n_series - 1;

    while (low < high) {
        size_t mid = (low + high + 1) / 2;

        if (m->series[mid].errors_begin <= at)
            low = mid;
        else
            high = mid - 1;
    }
    return &m->series[low];
}

static double
draw(const struct lags *m, const struct lags_path *p, size_t h)
{
    const struct lags_series *s = p->series;
    size_t each = m->rule.ahead ? m->rule.ahead : 1;
    bool own = s->n_errors / each >= OWN_ERRORS;
    size_t n = (own ? s->n_errors : m->n_errors) / each, at;

    if (p->stream == 0 || n == 0)
        return 0;
    at = rng_below(1, STREAM_ERRORS + p->stream, h, n);
    if (!own) {
        s = error_series(m, at * each);
        at -= s->errors_begin / each;
    }
    return m->error[s->errors_begin + h % each * (s->n_errors / each) + at];
}

/* The value that a step of a path is a difference to. */
static double
before(const struct lags_rule *r, const struct lags_path *p,
       struct lags_step step)
{
    size_t back = lags_back(r, step.h);

    if (back == 0)
        return 0;
    return step.t >= back + p->first ? p->y[step.t - back - p->first]
                                     : (double)NAN;
}

struct stepping {
    const struct lags_rule *r;
    const struct lags_path *path;
    size_t h;
    uint32_t *which; /* of them */
};

static void
fill_step(const void *ctx, size_t i, double *x, size_t stride)
{
    const struct stepping *s = ctx;
    const struct lags_path *p = &s->path[s->which[i]];
    struct lags_past past = {p->series, p->y, p->first};

    lags_row(s->r, &past, step_of(s->r, p, s->h),
             p->inputs ? p->inputs + s->h * s->r->n_inputs : NULL, x, stride);
}

/* One step of all paths that are not at their end. */
static bool
walk_step(struct asked *a, struct lags_walk *w, struct stepping *s,
          struct error *err)
{
    size_t n = 0;

    for (size_t k = 0; k < w->n; k++)
        if (s->h < w->path[k].n)
            s->which[n++] = (uint32_t)k;
    if (!ask(a, n, w->pool, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct lags_path *p = &w->path[s->which[i]];

        lags_path_out(p)[s->h] = a->out[i] +
                                 before(s->r, p, step_of(s->r, p, s->h)) +
                                 draw(a->m, p, s->h);
    }
    progress_add(w->progress, n);
    return true;
}

bool
lags_run(const struct lags *m, struct lags_walk *w, struct error *err)
{
    struct stepping s = {.r = &m->rule, .path = w->path};
    size_t most = 0;
    struct asked a;
    bool ok;

    for (size_t i = 0; i < w->n; i++)
        most = w->path[i].n > most ? w->path[i].n : most;
    if (!asked_init(&a, m, w->n, err))
        return false;
    a.fill = fill_step;
    a.ctx = &s;
    ok = (s.which = mem_try_array(w->n, sizeof *s.which, err)) &&
         paths_init(m, w->path, w->n, &w->room, err);
    for (; s.h < most && ok; s.h++)
        ok = walk_step(&a, w, &s, err);
    asked_fini(&a);
    free(s.which);
    return ok;
}

void
lags_walk_fini(struct lags_walk *w)
{
    free(w->path);
    free(w->room);
}

/* ---- answers to rows ---- */

struct answering {
    const struct lags *m;
    const struct design *d;
    struct moment *row;    /* by series and step */
    size_t n;              /* of known series, at no step before the first */
    struct lags_walk walk; /* a path for each series that is gone on from */
    double *inputs;
    double *out;
    const size_t *which; /* places in row that are asked about */
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

static void
fill_known(const void *ctx, size_t i, double *x, size_t stride)
{
    const struct answering *q = ctx;
    const struct lags_rule *r = &q->m->rule;
    const struct moment *at = &q->row[q->which[i]];
    const struct lags_series *s = &q->m->series[at->series];
    struct lags_past past = {s, q->m->y + s->begin, 0};

    lags_row(r, &past, (struct lags_step){(size_t)at->time, 1}, NULL, x,
             stride);
    lags_inputs(r, q->d, at->row, x + (lags_features(r) - r->n_inputs) * stride,
                stride);
}

/* Rows that were learnt from, some at a time; the first ones, which have
 * nothing to be a difference to, are what they were. */
static bool
answer_block(struct answering *q, struct asked *a, size_t n, struct error *err)
{
    const struct lags_rule *r = &q->m->rule;

    if (!ask(a, n, q->walk.pool, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct moment *at = &q->row[q->which[i]];
        const double *y = q->m->y + q->m->series[at->series].begin;
        size_t t = (size_t)at->time;

        q->out[at->row] = t < r->gap ? y[t]
                          : r->gap   ? a->out[i] + y[t - r->gap]
                                     : a->out[i];
    }
    return true;
}

static bool
answer_known(struct answering *q, struct error *err)
{
    size_t cap = q->n < BLOCK ? q->n : BLOCK, n = 0;
    size_t *which = mem_try_array(cap, sizeof *which, err);
    struct asked a;
    bool ok = which != NULL;

    if (!ok || !asked_init(&a, q->m, cap, err)) {
        free(which);
        return false;
    }
    q->which = which;
    a.fill = fill_known;
    a.ctx = q;
    for (size_t i = 0; i < q->n && ok; i++) {
        if (is_known(q, i))
            which[n++] = i;
        if (n == cap) {
            ok = answer_block(q, &a, n, err);
            n = 0;
        }
    }
    ok = ok && (n == 0 || answer_block(q, &a, n, err));
    asked_fini(&a);
    free(which);
    return ok;
}

/* A path for each series that has rows behind it, as long as they reach. */
static bool
make_paths(struct answering *q, struct error *err)
{
    struct lags_walk *w = &q->walk;
    size_t steps = 0, cells;

    if (!(w->path = mem_try_array(q->m->n_series, sizeof *w->path, err)))
        return false;
    for (size_t i = 0; i < q->n; i++) {
        const struct lags_series *s = &q->m->series[q->row[i].series];

        if (is_known(q, i))
            continue;
        if (w->n == 0 || w->path[w->n - 1].series != s)
            w->path[w->n++] =
                (struct lags_path){.series = s, .from = s->clock.n};
        /* Rows are in order: the last one is the farthest. */
        w->path[w->n - 1].n = (size_t)q->row[i].time - s->clock.n + 1;
    }
    for (size_t k = 0; k < w->n; k++)
        steps += w->path[k].n;
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
    struct lags_path *path = q->walk.path;
    double *at = q->inputs;

    if (!at)
        return;
    for (size_t i = 0; i < q->n; i++) {
        const struct lags_series *s = &q->m->series[q->row[i].series];

        if (is_known(q, i))
            continue;
        for (; path[k].series != s; k++)
            at += path[k].n * width;
        path[k].inputs = at;
        lags_inputs(&q->m->rule, q->d, q->row[i].row,
                    at + ((size_t)q->row[i].time - s->clock.n) * width, 1);
    }
}

static bool
answer_ahead(struct answering *q, struct error *err)
{
    const struct lags_path *path;
    size_t k = 0;

    if (!make_paths(q, err))
        return false;
    if (q->walk.n == 0)
        return true;
    fill_inputs(q);
    if (!lags_run(q->m, &q->walk, err))
        return false;
    path = q->walk.path;
    for (size_t i = 0; i < q->n; i++) {
        const struct lags_series *s = &q->m->series[q->row[i].series];

        if (is_known(q, i))
            continue;
        while (path[k].series != s)
            k++;
        q->out[q->row[i].row] =
            lags_path_out(&path[k])[(size_t)q->row[i].time - s->clock.n];
    }
    return true;
}

bool
lags_score(const void *learner, const struct design *d, struct pool *pool,
           double *out, struct error *err)
{
    struct answering q = {
        .m = learner, .d = d, .walk = {.pool = pool}, .out = out};
    bool ok =
        design_rows(d) == 0 || (place_rows(&q, pool, err) &&
                                answer_known(&q, err) && answer_ahead(&q, err));

    free(q.row);
    lags_walk_fini(&q.walk);
    free(q.inputs);
    return ok;
}

/* ---- forecasts ---- */

/* Some series, and for each the mean path and n_paths others. */
struct ahead {
    const struct lags *m;
    const struct forecast *ask;
    size_t n_paths, first; /* first: of these series */
    struct lags_walk walk;
    double *out; /* (3, horizon) of each series: mean, low, high */
};

/* How many paths a series has: as many as make a good interval, fewer where
 * they are long. */
static size_t
paths_of(size_t n)
{
    size_t n_paths = PATH_STEPS / n;

    return n_paths > MOST_PATHS    ? MOST_PATHS
           : n_paths < LEAST_PATHS ? LEAST_PATHS
                                   : n_paths;
}

/* How many series are gone on from together: as many as fit. */
static size_t
series_at_once(const struct ahead *a)
{
    size_t each =
        (a->n_paths + 1) * (a->ask->horizon + lags_reach(&a->m->rule));
    size_t n = AHEAD_CELLS / each, rows = AHEAD_ROWS / (a->n_paths + 1);

    n = n < rows ? n : rows;
    return n > 1 ? n : 1;
}

/* Steps of series, as one row of them: the mean path, and quantiles of the
 * others. */
static void
range_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct ahead *a = ctx;
    size_t n = a->ask->horizon;
    double at[MOST_PATHS];

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        size_t k = i / n, h = i % n;
        const struct lags_path *p = a->walk.path + k * (a->n_paths + 1);
        double *out = a->out + 3 * n * (a->first + k) + h;

        for (size_t j = 0; j < a->n_paths; j++)
            at[j] = lags_path_out(&p[j + 1])[h];
        out[0] = lags_path_out(&p[0])[h];
        series_range(at, a->n_paths, a->ask->level, &out[n], &out[2 * n]);
    }
}

static bool
forecast_some(struct ahead *a, size_t n_series, struct error *err)
{
    size_t each = a->n_paths + 1, n = a->ask->horizon;
    struct lags_walk *w = &a->walk;
    bool ok;

    *w = (struct lags_walk){.n = n_series * each,
                            .pool = a->ask->pool,
                            .progress = a->ask->progress};
    if (!(w->path = mem_try_array(w->n, sizeof *w->path, err)))
        return false;
    for (size_t i = 0; i < w->n; i++) {
        const struct lags_series *s = &a->m->series[a->first + i / each];

        w->path[i] = (struct lags_path){
            .series = s, .from = s->clock.n, .n = n, .stream = i % each};
    }
    ok = lags_run(a->m, w, err) &&
         pool_try(w->pool, n_series * n, RANGE_STEPS, range_chunk, a, err);
    lags_walk_fini(w);
    return ok;
}

static bool
forecast_all(struct ahead *a, struct error *err)
{
    size_t n = a->m->n_series, some = series_at_once(a), many;

    progress_begin(a->ask->progress, "forecasting",
                   (uint64_t)n * (a->n_paths + 1) * a->ask->horizon);
    for (; a->first < n; a->first += many) {
        many = n - a->first < some ? n - a->first : some;
        if (!forecast_some(a, many, err))
            return false;
    }
    return true;
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
    struct ahead a = {
        .m = m, .ask = ask_for, .n_paths = paths_of(ask_for->horizon)};
    struct series_path *path = NULL;
    struct frame *f = NULL;
    size_t n = of.n, cells;
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
    ok = ok && (a.out = mem_try_array(cells, sizeof *a.out, err)) &&
         (path = mem_try_array(m->n_series, sizeof *path, err)) &&
         forecast_all(&a, err);
    for (size_t i = 0; i < m->n_series && ok; i++) {
        double *at = a.out + 3 * n * i;

        path[i] = (struct series_path){&m->series[i].clock, m->series[i].key,
                                       at, at + n, at + 2 * n};
    }
    if (ok)
        f = series_frame(&of, path, m->n_series, err);
    free(a.out);
    free(path);
    return f;
}
