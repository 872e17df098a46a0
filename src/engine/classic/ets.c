/* engine/classic/ets.c -- the families: which form, and what comes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/ets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/classic/ets_run.h"
#include "engine/classic/panels.h"
#include "engine/series.h"
#include "frame/builder.h"

enum {
    MAX_ROWS = 10000000,
    PATHS = 5000,
    MIN_PATHS = 200,
    MAX_CELLS = 20000000, /* of the paths */
    PATH_STEPS = 100000,  /* drawn by one thread, about */
    RANGE_STEPS = 4,      /* whose intervals one thread finds */
    STREAM_PATHS = 0x657473
};

struct ets {
    struct ets_form form;
    bool naive; /* seasonal_naive: the state is that of a season ago */
    struct clock clock;
    struct ets_state state; /* behind the last row */
    double *fitted;         /* clock.n: one step ahead */
    double llf, sse;
};

static void
learner_free(void *learner)
{
    struct ets *m = learner;

    if (!m)
        return;
    ets_state_fini(&m->state);
    free(m->fitted);
    free(m);
}

/* ---- which form ---- */

struct choosing {
    const struct params *p;
    const struct train *ctx;
    const double *y;
    size_t n;
    bool positive; /* all values are */
    struct ets_form form;
    struct ets_state first;
    double llf, score;
    bool found;
};

static double
aicc(double llf, size_t k, size_t n)
{
    double rest = (double)n - (double)k - 1;

    return rest > 0 ? 2 * (double)k - 2 * llf +
                          2 * (double)k * ((double)k + 1) / rest
                    : INFINITY;
}

static bool
form_try(struct choosing *c, const struct ets_form *f, struct error *err)
{
    struct ets_state first;
    double llf, score;

    if (!ets_fit(f, c->y, c->n, c->ctx->pool, c->ctx->progress, &first, &llf,
                 err))
        return false;
    score = aicc(llf, ets_count(f), c->n);
    if (!isfinite(llf) || (c->found && !(score < c->score))) {
        ets_state_fini(&first);
        return true;
    }
    ets_state_fini(&c->first);
    c->first = first;
    c->form = *f;
    c->llf = llf;
    c->score = score;
    c->found = true;
    return true;
}

/* Does the parameter allow it?  What is allowed by "auto" is not all: errors
 * that add to seasons that multiply, and trends that multiply, are left to
 * those who ask for them. */
static bool
is_allowed(const struct choosing *c, const char *name, enum ets_part part)
{
    static const char *const words[] = {"none", "additive", "multiplicative"};
    const char *want = params_text(c->p, name);

    return strcmp(want, "auto") == 0 || strcmp(want, words[part]) == 0;
}

static bool
is_auto(const struct choosing *c, const char *name)
{
    return strcmp(params_text(c->p, name), "auto") == 0;
}

static bool
form_allowed(const struct choosing *c, const struct ets_form *f)
{
    const char *damped = params_text(c->p, "damped");
    bool multiplies =
        f->error == ETS_MUL || f->trend == ETS_MUL || f->season == ETS_MUL;

    if (!is_allowed(c, "error", f->error) ||
        !is_allowed(c, "trend", f->trend) ||
        !is_allowed(c, "season", f->season) || (multiplies && !c->positive) ||
        (f->damped && f->trend == ETS_NONE) ||
        (strcmp(damped, "yes") == 0 && !f->damped) ||
        (f->damped && strcmp(damped, "no") == 0))
        return false;
    if (f->trend == ETS_MUL && is_auto(c, "trend"))
        return false;
    return !(f->season == ETS_MUL && f->error == ETS_ADD &&
             (is_auto(c, "season") || is_auto(c, "error")));
}

/* Every form that is allowed; stopped after the first: the best so far. */
static bool
forms_try(struct choosing *c, size_t period, struct error *err)
{
    for (unsigned i = 0; i < 36; i++) {
        struct ets_form f = {.error = 1 + i % 2,
                             .trend = i / 2 % 3,
                             .damped = i / 6 % 2,
                             .season = i / 12,
                             .period = i / 12 ? period : 1};

        if ((f.season && period < 2) || !form_allowed(c, &f) ||
            ets_count(&f) + 1 >= c->n)
            continue;
        if (progress_stopped(c->ctx->progress))
            return c->found || progress_check(c->ctx->progress, err);
        if (!form_try(c, &f, err))
            return false;
        if (c->ctx->progress)
            progress_add(c->ctx->progress, 1);
    }
    return c->found ||
           error_set(err, ERR_RANGE, "no form fits %zu rows%s", c->n,
                     c->positive ? ""
                                 : ", of which some are not positive: parts "
                                   "that multiply need positive values");
}

/* ---- fitting ---- */

/* As asked for, else as the clock has it where there are two seasons of it. */
static bool
period_settle(const struct params *p, const struct clock *c, size_t *out,
              struct error *err)
{
    *out = params_is_set(p, "period") ? (size_t)params_int(p, "period")
                                      : clock_period(c);
    if (2 * *out > c->n && params_is_set(p, "period"))
        return error_set(err, ERR_RANGE,
                         "a period of %zu needs %zu rows, and there are %zu",
                         *out, 2 * *out, c->n);
    if (2 * *out > c->n)
        *out = 1;
    return true;
}

static double *
read_rows(struct ets *m, const struct fit_data *d, const struct params *p,
          struct pool *pool, struct error *err)
{
    const char *time = params_is_set(p, "time") ? params_text(p, "time") : NULL;
    double *y;

    if (d->y->n < 3 || d->y->n > MAX_ROWS) {
        error_set(err, ERR_RANGE, "a series of %zu rows, expected 3 to %d",
                  d->y->n, MAX_ROWS);
        return NULL;
    }
    if (!(y = series_read(d, time, pool, &m->clock, err)))
        return NULL;
    for (size_t i = 0; i < d->y->n; i++)
        if (!(fabs(y[i]) < 1e100)) {
            error_set(err, ERR_RANGE, "the values are too far apart");
            free(y);
            return NULL;
        }
    return y;
}

static void
tell(const struct ets *m, const struct train *ctx, struct json_writer *w)
{
    static const char *const words[] = {"none", "additive", "multiplicative"};

    json_name(w, "period");
    json_put_i64(w, (int64_t)m->form.period);
    if (m->naive)
        return;
    json_name(w, "error");
    json_put_string(w, words[m->form.error]);
    json_name(w, "trend");
    json_put_string(w, words[m->form.trend]);
    json_name(w, "damped");
    json_put_string(w, m->form.damped ? "yes" : "no");
    json_name(w, "season");
    json_put_string(w, words[m->form.season]);
    event_emit(&ctx->sink, "train.loglik", 1, m->llf);
    event_emit(&ctx->sink, "train.aicc", 1,
               aicc(m->llf, ets_count(&m->form), m->clock.n));
}

static bool
ets_learn(struct ets *m, const double *y, const struct params *p,
          const struct train *ctx, struct error *err)
{
    struct choosing c = {
        .p = p, .ctx = ctx, .y = y, .n = m->clock.n, .positive = true};
    size_t period;
    bool ok;

    for (size_t i = 0; i < c.n; i++)
        c.positive = c.positive && y[i] > 0;
    if (!period_settle(p, &m->clock, &period, err))
        return false;
    if (period < 2 && !is_auto(&c, "season") &&
        strcmp(params_text(p, "season"), "none") != 0)
        return error_set(err, ERR_RANGE,
                         "a season needs a period, and two of it in the rows");
    if (strcmp(params_text(p, "trend"), "none") == 0 &&
        strcmp(params_text(p, "damped"), "yes") == 0)
        return error_set(err, ERR_RANGE,
                         "damped is yes, and trend is none: there is no trend "
                         "to fade out");
    progress_begin(ctx->progress, "fitting", 0);
    if (ctx->progress && !progress_check(ctx->progress, err))
        return false;
    ok =
        forms_try(&c, period, err) && dense_try(&m->fitted, m->clock.n, 1, err);
    if (ok) {
        m->form = c.form;
        m->state = c.first;
        m->llf = ets_run(&m->form, &m->state, y, c.n, m->fitted, &m->sse);
    } else {
        ets_state_fini(&c.first);
    }
    return ok;
}

static void *
ets_fit_family(const struct fit_data *d, const struct params *p,
               const struct train *ctx, struct json_writer *chosen,
               struct error *err)
{
    struct ets *m = mem_try_array(1, sizeof *m, err);
    double *y = m ? read_rows(m, d, p, ctx->pool, err) : NULL;
    bool ok = y && ets_learn(m, y, p, ctx, err);

    free(y);
    if (!ok) {
        learner_free(m);
        return NULL;
    }
    tell(m, ctx, chosen);
    return m;
}

/* The last season is the state; the first has no forecast but itself. */
static bool
naive_learn(struct ets *m, const double *y, const struct params *p,
            struct error *err)
{
    size_t n = m->clock.n, period;

    if (!period_settle(p, &m->clock, &period, err) ||
        !ets_state_init(&m->state, period, err) ||
        !dense_try(&m->fitted, n, 1, err))
        return false;
    m->naive = true;
    m->form = (struct ets_form){ETS_ADD, ETS_NONE, ETS_ADD, false, period};
    m->state.gamma = 1;
    for (size_t t = 0; t < n; t++) {
        double e = y[t] - (t < period ? y[t] : m->state.season[t % period]);

        m->fitted[t] = y[t] - e;
        m->sse += e * e;
        m->state.season[t % period] = y[t];
    }
    return true;
}

static void *
naive_fit(const struct fit_data *d, const struct params *p,
          const struct train *ctx, struct json_writer *chosen,
          struct error *err)
{
    struct ets *m = mem_try_array(1, sizeof *m, err);
    double *y = m && (!ctx->progress || progress_check(ctx->progress, err))
                    ? read_rows(m, d, p, ctx->pool, err)
                    : NULL;
    bool ok = y && naive_learn(m, y, p, err);

    free(y);
    if (!ok) {
        learner_free(m);
        return NULL;
    }
    tell(m, ctx, chosen);
    return m;
}

/* ---- what comes ---- */

static void
ahead(const void *learner, size_t n, double *out)
{
    const struct ets *m = learner;

    ets_ahead(&m->form, &m->state, m->clock.n, n, out);
}

static bool
ets_score(const void *learner, const struct design *d, struct pool *pool,
          double *out, struct error *err)
{
    const struct ets *m = learner;
    struct series_answers a = {&m->clock, m->fitted, ahead, m};

    (void)pool;
    return series_score(&a, d, out, err);
}

static void
ets_importance(const void *learner, double *out)
{
    if (((const struct ets *)learner)->clock.timed)
        out[0] = 1;
}

/* Deviation of an error, from as many as there are. */
static double
deviation(const struct ets *m)
{
    size_t n = m->clock.n - (m->naive ? m->form.period : 0);

    return n ? sqrt(m->sse / (double)n) : 0;
}

/* Hyndman et al., table 6.1, class 1: all is additive. */
static void
interval_exact(const struct ets *m, const double *mean, size_t n, double z,
               double *low, double *high)
{
    const struct ets_state *s = &m->state;
    double variance = 0, damp = 0, power = 1, sd = deviation(m);

    for (size_t h = 0; h < n; h++) {
        double by = z * sd * sqrt(1 + variance), c;

        low[h] = mean[h] - by;
        high[h] = mean[h] + by;
        power *= s->phi;
        damp += m->form.trend ? power : 0;
        c = s->alpha + s->beta * damp +
            ((h + 1) % m->form.period == 0 && m->form.season ? s->gamma : 0);
        variance += c * c;
    }
}

struct drawing {
    const struct ets *m;
    const struct forecast *ask;
    size_t paths;
    double *x; /* (horizon, paths) */
    double *low, *high;
};

static void
path_draw(const struct drawing *q, size_t i, struct ets_state *s)
{
    const struct ets *m = q->m;
    double *season = s->season, sd = deviation(m);

    *s = m->state;
    s->season = season;
    memcpy(season, m->state.season, m->form.period * sizeof *season);
    for (size_t h = 0; h < q->ask->horizon; h++)
        q->x[h * q->paths + i] =
            ets_step(&m->form, s, m->clock.n + h,
                     sd * rng_normal(1, STREAM_PATHS + i, h));
}

static size_t
paths_at_once(const struct drawing *q)
{
    return 1 + PATH_STEPS / q->ask->horizon;
}

static bool
draw_some(void *ctx, size_t k, struct pool *alone, struct error *err)
{
    struct drawing *q = ctx;
    size_t some = paths_at_once(q), begin = k * some;
    size_t n = q->paths - begin < some ? q->paths - begin : some;
    struct ets_state s;

    (void)alone;
    if (!ets_state_init(&s, q->m->form.period, err))
        return false;
    for (size_t i = 0; i < n; i++)
        path_draw(q, begin + i, &s);
    ets_state_fini(&s);
    progress_add(q->ask->progress, n * q->ask->horizon);
    return true;
}

static void
range_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct drawing *q = ctx;

    (void)chunk;
    for (size_t h = begin; h < end; h++)
        series_range(q->x + h * q->paths, q->paths, q->ask->level, &q->low[h],
                     &q->high[h]);
}

/* Quantiles of paths. */
static bool
interval_drawn(const struct ets *m, const struct forecast *ask, double *low,
               double *high, struct error *err)
{
    size_t n = ask->horizon, paths = MAX_CELLS / n;
    struct drawing q = {.m = m, .ask = ask, .low = low, .high = high};
    bool ok;

    paths = paths > PATHS ? PATHS : paths < MIN_PATHS ? MIN_PATHS : paths;
    q.paths = paths;
    if (!dense_try(&q.x, n, paths, err))
        return false;
    progress_begin(ask->progress, "forecasting", (uint64_t)n * paths);
    ok = pool_each(ask->pool, pool_chunks(paths, paths_at_once(&q)), draw_some,
                   &q, err) &&
         pool_try(ask->pool, n, RANGE_STEPS, range_chunk, &q, err);
    free(q.x);
    return ok;
}

static struct frame *
ets_forecast(const void *learner, const struct prepare *prepare,
             const struct forecast *ask, struct error *err)
{
    const struct ets *m = learner;
    size_t n = ask->horizon, n_inputs = 0;
    struct series_frame_of of = {.n = n};
    struct series_path path;
    double *mean, *low, *high;
    struct frame *f = NULL;
    bool exact = m->form.error == ETS_ADD && m->form.trend != ETS_MUL &&
                 m->form.season != ETS_MUL,
         ok = true;

    if (!dense_try(&mean, 3, n, err))
        return NULL;
    low = mean + n;
    high = low + n;
    path = (struct series_path){&m->clock, 0, mean, low, high};
    ahead(m, n, mean);
    if (exact)
        interval_exact(m, mean, n, normal_quantile((1 + ask->level) / 2), low,
                       high);
    else
        ok = interval_drawn(m, ask, low, high, err);
    if (m->clock.timed)
        of.time = prepare_inputs(prepare, &n_inputs);
    if (ok && m->clock.timed && n_inputs == 0)
        ok = error_set(err, ERR_CORRUPT, "a series in time without a time");
    if (ok)
        f = series_frame(&of, &path, 1, err);
    free(mean);
    return f;
}

/* ---- tables ---- */

static const struct family_table tables[] = {
    {"parameters", "smoothing, the last state, likelihood and criteria"},
    {NULL, NULL},
};

static struct frame *
ets_table(const void *learner, size_t which, const struct prepare *prepare,
          struct error *err)
{
    static const char *const names[] = {"name", "value"};
    static const enum col_type types[] = {COL_TEXT, COL_FLOAT64};
    const struct ets *m = learner;
    double k = (double)ets_count(&m->form), n = (double)m->clock.n;
    const struct {
        const char *name;
        double value;
    } rows[] = {
        {"alpha", m->state.alpha},
        {"beta", m->state.beta},
        {"gamma", m->state.gamma},
        {"phi", m->state.phi},
        {"level", m->state.level},
        {"trend", m->state.trend},
        {"sigma", deviation(m)},
        {"sse", m->sse},
        {"loglik", m->llf},
        {"aic", 2 * k - 2 * m->llf},
        {"aicc", aicc(m->llf, ets_count(&m->form), m->clock.n)},
        {"bic", fm_log(n) * k - 2 * m->llf},
    };
    struct builder *b = builder_new(2, names, types, err);
    bool ok = b != NULL;

    (void)which;
    (void)prepare;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && ok; i++)
        ok = builder_text(b, 0, str_of(rows[i].name), err) &&
             builder_f64(b, 1, rows[i].value, err) && builder_end_row(b, err);
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

/* ---- the file ---- */

static void
ets_save(const void *learner, struct st_writer *w, struct json_writer *j)
{
    const struct ets *m = learner;

    json_name(j, "form");
    json_open(j, '{');
    json_name(j, "error");
    json_put_i64(j, m->form.error);
    json_name(j, "trend");
    json_put_i64(j, m->form.trend);
    json_name(j, "season");
    json_put_i64(j, m->form.season);
    json_name(j, "damped");
    json_put_bool(j, m->form.damped);
    json_name(j, "period");
    json_put_i64(j, (int64_t)m->form.period);
    json_name(j, "naive");
    json_put_bool(j, m->naive);
    json_close(j, '}');
    json_name(j, "state");
    json_open(j, '{');
    json_name(j, "alpha");
    json_put_double(j, m->state.alpha);
    json_name(j, "beta");
    json_put_double(j, m->state.beta);
    json_name(j, "gamma");
    json_put_double(j, m->state.gamma);
    json_name(j, "phi");
    json_put_double(j, m->state.phi);
    json_name(j, "level");
    json_put_double(j, m->state.level);
    json_name(j, "trend");
    json_put_double(j, m->state.trend);
    json_name(j, "sse");
    json_put_double(j, m->sse);
    json_name(j, "loglik");
    json_put_double(j, m->llf);
    json_close(j, '}');
    clock_save(&m->clock, j);
    st_add1(w, "ets.season", ST_F64, m->form.period, m->state.season);
    st_add1(w, "ets.fitted", ST_F64, m->clock.n, m->fitted);
}

static bool
form_load(struct ets *m, const struct json *manifest, struct error *err)
{
    const struct json *o;
    int64_t error, trend, season, period;

    if (!json_get_object(manifest, "form", &o, err) ||
        !json_get_i64(o, "error", &error, err) ||
        !json_get_i64(o, "trend", &trend, err) ||
        !json_get_i64(o, "season", &season, err) ||
        !json_get_i64(o, "period", &period, err) ||
        !json_get_bool(o, "damped", &m->form.damped, err) ||
        !json_get_bool(o, "naive", &m->naive, err))
        return false;
    if (error < ETS_ADD || error > ETS_MUL || trend < 0 || trend > ETS_MUL ||
        season < 0 || season > ETS_MUL || period < 1 || period > ETS_MAX_PERIOD)
        return error_set(err, ERR_CORRUPT, "a period of %lld",
                         (long long)period);
    m->form.error = (enum ets_part)error;
    m->form.trend = (enum ets_part)trend;
    m->form.season = (enum ets_part)season;
    m->form.period = (size_t)period;
    return true;
}

static bool
state_load(struct ets *m, const struct json *manifest, struct error *err)
{
    struct ets_state *s = &m->state;
    const struct json *o;

    return json_get_object(manifest, "state", &o, err) &&
           json_get_double(o, "alpha", &s->alpha, err) &&
           json_get_double(o, "beta", &s->beta, err) &&
           json_get_double(o, "gamma", &s->gamma, err) &&
           json_get_double(o, "phi", &s->phi, err) &&
           json_get_double(o, "level", &s->level, err) &&
           json_get_double(o, "trend", &s->trend, err) &&
           json_get_double(o, "sse", &m->sse, err) &&
           json_get_double(o, "loglik", &m->llf, err);
}

static void *
ets_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
         enum problem problem, size_t n_classes, struct error *err)
{
    struct ets *m;

    (void)problem;
    (void)n_classes;
    if (n_cols > 1) {
        error_set(err, ERR_CORRUPT, "%zu columns, expected a time at most",
                  n_cols);
        return NULL;
    }
    if (!(m = mem_try_array(1, sizeof *m, err)))
        return NULL;
    if (form_load(m, manifest, err) && state_load(m, manifest, err) &&
        clock_load(&m->clock, manifest, n_cols, err) &&
        (m->clock.n > (m->naive ? m->form.period - 1 : 0) ||
         error_set(err, ERR_CORRUPT, "%zu steps of a season of %zu", m->clock.n,
                   (size_t)m->form.period)) &&
        dense_take(f, "ets.season", &m->state.season, m->form.period, 1, err) &&
        dense_take(f, "ets.fitted", &m->fitted, m->clock.n, 1, err))
        return m;
    learner_free(m);
    return NULL;
}

static const char *const columns[] = {"time", NULL};

static const struct param ets_params[] = {
    {"time", PARAM_TEXT, 0, 0, NULL, NULL,
     "the column of times; else the only one of dates or times; none: the "
     "rows are in order"},
    {"period", PARAM_INT, 1, ETS_MAX_PERIOD, NULL, NULL,
     "steps of a season; auto: 12 of months, 4 of quarters, 7 of days, 24 of "
     "hours"},
    {"error", PARAM_CHOICE, 0, 0, "auto", "auto|additive|multiplicative",
     "how errors come in"},
    {"trend", PARAM_CHOICE, 0, 0, "auto", "auto|none|additive|multiplicative",
     "how the level goes on; auto: none or additive"},
    {"damped", PARAM_CHOICE, 0, 0, "auto", "auto|yes|no",
     "does the trend fade out? yes: there is one, and it does"},
    {"season", PARAM_CHOICE, 0, 0, "auto", "auto|none|additive|multiplicative",
     "how seasons come in"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

static const struct param naive_params[] = {
    {"time", PARAM_TEXT, 0, 0, NULL, NULL,
     "the column of times; else the only one of dates or times; none: the "
     "rows are in order"},
    {"period", PARAM_INT, 1, ETS_MAX_PERIOD, NULL, NULL,
     "steps of a season; auto: 12 of months, 4 of quarters, 7 of days, 24 of "
     "hours"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

#define SERIES_FAMILY                                               \
    .style = PREPARE_IDS, .columns = columns,                       \
    .problems = 1u << PROBLEM_REGRESSION, .free = learner_free,     \
    .score = ets_score, .importance = ets_importance,               \
    .forecast = ets_forecast, .tables = tables, .table = ets_table, \
    .save = ets_save, .load = ets_load

const struct family ets_family = {
    .name = "ets",
    .title = "exponential smoothing",
    .params = ets_params,
    .fit = ets_fit_family,
    SERIES_FAMILY,
};

const struct family seasonal_naive_family = {
    .name = "seasonal_naive",
    .title = "the value of a season ago",
    .params = naive_params,
    .fit = naive_fit,
    SERIES_FAMILY,
};
