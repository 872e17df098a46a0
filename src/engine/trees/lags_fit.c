/* engine/trees/lags_fit.c -- learning what follows from a past.
 *
 * The last rows in time are held out.  For each way to see the values
 * (as they are, less the one before, less the one a season ago) trees are grown
 * on the others until they foretell the held out ones no better; the way that
 * does best when it goes on step by step, from several places among those rows
 * to the end, is learnt from all rows, by as many trees.  What it erred by on
 * the rows held out is kept, for intervals.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/lags_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "engine/trees/gbdt.h"
#include "frame/order.h"

enum {
    LEAST_HELD_OUT = 10,
    PATIENCE = 50,
    ROUNDS = 200,
    ORIGINS = 4,
    MOST_SEEN = 1 << 22, /* rows times the distances they are seen from */
    STREAM_HORIZONS = 0x61686561,
    STREAM_JUDGED = 0x6a756467,
    GRAIN = 1024
};

/* Parameters of gbdt_family, by name. */
static const char *const handed_on[] = {
    "loss",     "trees", "learning_rate", "leaves",    "max_depth",
    "min_rows", "l2",    "row_share",     "col_share", NULL};

/* ---- the table that trees learn from ---- */

/* LEARNT: those of all that errors are kept of where none are held out. */
enum part { BEFORE, HELD_OUT, ALL, LEARNT };

/* Some of the rows, as features and what is to be answered. */
struct table {
    const struct lags_fit *g;
    size_t n;
    uint32_t *at;      /* places in g->row */
    uint16_t *horizon; /* from how many steps before */
    size_t *series_at; /* where each series begins, and the end */
    double *x;
    struct design_column *column;
    struct design *d;
    struct target y;
};

static void
table_fini(struct table *t)
{
    design_free(t->d);
    free(t->at);
    free(t->horizon);
    free(t->series_at);
    free(t->x);
    free(t->column);
    free(t->y.y);
}

static double
position(const struct lags_fit *g, size_t i)
{
    const struct lags_series *s = &g->m->series[g->row[i].series];

    return s->clock.timed ? g->row[i].time
                          : (double)(i - s->begin) - (double)s->clock.n;
}

/* The first step that can be seen from h steps before. */
static size_t
first_step(const struct lags_rule *r, size_t h)
{
    size_t back = lags_back(r, h);

    return back > h - 1 ? back : h - 1;
}

static size_t
most_ahead(const struct lags_rule *r)
{
    return r->ahead ? r->ahead : 1;
}

static bool
is_of(const struct lags_fit *g, size_t i, enum part part)
{
    const struct lags_rule *r = &g->m->rule;
    bool late = position(g, i) >= g->cut;
    size_t step = i - g->m->series[g->row[i].series].begin;

    if (part == BEFORE || part == ALL)
        return step >= first_step(r, 1) && (part == ALL || !late);
    /* Those that are judged are so from every distance, that all have as many
     * errors. */
    return step >= first_step(r, most_ahead(r)) &&
           rng_below(g->ctx->seed, STREAM_JUDGED, i, g->every) == 0 &&
           (part == LEARNT || late);
}

/* Row i from the k-th of the distances it is seen from; 0: it cannot be. */
static size_t
horizon_of(const struct lags_fit *g, size_t i, enum part part, size_t k)
{
    const struct lags_rule *r = &g->m->rule;
    size_t most = most_ahead(r), h = k + 1;
    size_t step = i - g->m->series[g->row[i].series].begin;

    if (part == HELD_OUT || part == LEARNT)
        return h;
    if (g->horizons < most)
        h = 1 + rng_below(g->ctx->seed, STREAM_HORIZONS,
                          (uint64_t)i * g->horizons + k, most);
    return step >= first_step(r, h) ? h : 0;
}

static size_t
horizons_of(const struct lags_fit *g, enum part part)
{
    return part == HELD_OUT || part == LEARNT ? most_ahead(&g->m->rule)
                                              : g->horizons;
}

/* Rows as they are seen, counted; listed where there is room. */
static size_t
list_rows(const struct lags_fit *g, enum part part, struct table *t)
{
    size_t n = 0, each = horizons_of(g, part);

    for (size_t i = 0; i < g->m->n; i++)
        for (size_t k = 0; is_of(g, i, part) && k < each; k++) {
            size_t h = horizon_of(g, i, part, k);

            if (h == 0)
                continue;
            if (t->horizon) {
                t->at[n] = (uint32_t)i;
                t->horizon[n] = (uint16_t)h;
            }
            n++;
        }
    return n;
}

static void
fill_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct table *t = ctx;
    const struct lags *m = t->g->m;
    const struct lags_rule *r = &m->rule;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct moment *row = &t->g->row[t->at[i]];
        const struct lags_series *s = &m->series[row->series];
        struct lags_past past = {s, m->y + s->begin, 0};
        size_t at = lags_features(r) - r->n_inputs;
        struct lags_step step = {t->at[i] - s->begin, t->horizon[i]};
        size_t back = lags_back(r, step.h);

        lags_row(r, &past, step, NULL, t->x + i, t->n);
        lags_inputs(r, t->g->d->train, row->row, t->x + at * t->n + i, t->n);
        t->y.y[i] = past.y[step.t] - (back ? past.y[step.t - back] : 0);
    }
}

static void
name_columns(struct table *t)
{
    const struct lags_rule *r = &t->g->m->rule;

    for (size_t i = 0; i < lags_features(r); i++) {
        size_t col = lags_feature_column(r, i);

        t->column[i].name = "";
        if (col != LAGS_NO_COLUMN && col != r->time)
            t->column[i] = *design_column(t->g->d->train, col);
    }
}

static bool
table_make(struct table *t, const struct lags_fit *g, enum part part,
           struct error *err)
{
    size_t f = lags_features(&g->m->rule), cells;

    *t = (struct table){.g = g, .y = {.problem = PROBLEM_REGRESSION}};
    t->n = list_rows(g, part, t);
    if (t->n > UINT32_MAX)
        return error_set(err, ERR_LIMIT,
                         "%zu rows, each as often as it is seen, the limit is "
                         "%lu",
                         t->n, (unsigned long)UINT32_MAX);
    if (!mem_mul(t->n, f, &cells))
        return error_set(err, ERR_NOMEM, "%zu rows of %zu lags do not fit",
                         t->n, f);
    t->y.n = t->n;
    if (!(t->at = mem_try_array(t->n, sizeof *t->at, err)) ||
        !(t->horizon = mem_try_array(t->n, sizeof *t->horizon, err)) ||
        !(t->series_at =
              mem_try_array(g->m->n_series + 1, sizeof *t->series_at, err)) ||
        !(t->x = mem_try_array(cells, sizeof *t->x, err)) ||
        !(t->column = mem_try_array(f, sizeof *t->column, err)) ||
        !(t->y.y = mem_try_array(t->n, sizeof *t->y.y, err)))
        return false;
    (void)list_rows(g, part, t);
    for (size_t i = 0; i < t->n; i++)
        t->series_at[g->row[t->at[i]].series + 1] = i + 1;
    for (size_t k = 0; k < g->m->n_series; k++)
        if (t->series_at[k + 1] < t->series_at[k])
            t->series_at[k + 1] = t->series_at[k];
    name_columns(t);
    if (!pool_try(g->ctx->pool, t->n, GRAIN, fill_rows, t, err))
        return false;
    return (t->d = design_dense(t->x, t->n, f, t->column, err)) != NULL;
}

/* ---- learning ---- */

static bool
hand_on(const struct params *from, struct params *to, size_t trees,
        struct error *err)
{
    struct json_writer w;
    struct json *all = NULL;
    struct buf text;
    bool ok;

    buf_init(&text);
    json_writer_init(&w, &text);
    params_json(from, &w);
    ok = buf_check(&text, err) &&
         (all = json_parse((struct str){text.data, text.len}, err));
    for (const char *const *name = handed_on; *name && ok; name++) {
        const struct json *v = json_find(all, *name);
        bool is_text = json_type(v) == JSON_STRING;

        buf_clear(&text);
        if (strcmp(*name, "trees") == 0 && trees > 0)
            buf_printf(&text, "%zu", trees);
        else if (is_text)
            buf_puts(&text, json_string(v));
        else
            json_print(&text, v);
        if (is_text && strcmp(text.data, "auto") == 0)
            continue;
        ok = buf_check(&text, err) && params_set(to, *name, text.data, err);
    }
    json_free(all);
    buf_fini(&text);
    return ok;
}

/* Trees of `train`, which `valid` stops; trees 0: as many as are asked for. */
static void *
grow_trees(const struct lags_fit *g, const struct table *train,
           const struct table *valid, size_t trees, const struct train *ctx,
           struct json_writer *chosen, struct error *err)
{
    struct params *p = params_new(gbdt_family.params);
    struct target none = {.problem = PROBLEM_REGRESSION};
    struct design *empty = design_dense(train->x, 0, lags_features(&g->m->rule),
                                        train->column, err);
    struct fit_data d = {.train = train->d,
                         .valid = valid ? valid->d : empty,
                         .y = &train->y,
                         .y_valid = valid ? &valid->y : &none,
                         .patience = valid ? PATIENCE : 0,
                         .stop = FIT_STOP_LOSS};
    void *out = NULL;

    if (empty && hand_on(g->p, p, trees, err))
        out = gbdt_family.fit(&d, p, ctx, chosen, err);
    design_free(empty);
    params_free(p);
    return out;
}

/* A way to see the values, by the rows held out. */
struct trial {
    size_t gap, rounds;
    double mse;    /* a step ahead */
    double far;    /* that of going on */
    double *error; /* of each row, a step ahead */
    void *trees;   /* that have not seen them */
};

static void
trial_fini(struct trial *t)
{
    free(t->error);
    if (t->trees)
        gbdt_family.free(t->trees);
    *t = (struct trial){0};
}

/* Rows of a table lie by series and row, a line for each distance; errors by
 * series and distance. */
static size_t
error_place(const struct table *t, size_t i)
{
    const struct moment *row = t->g->row;
    size_t each = most_ahead(&t->g->m->rule);
    uint32_t series = row[t->at[i]].series;
    size_t first = t->series_at[series], end = t->series_at[series + 1];

    return first + (t->horizon[i] - 1u) * ((end - first) / each) +
           (i - first) / each;
}

static bool
keep_errors(const struct table *valid, struct trial *t, struct error *err)
{
    double *p = mem_try_array(valid->n, sizeof *p, err), sum = 0;

    t->error = mem_try_array(valid->n, sizeof *t->error, err);
    if (!p || !t->error ||
        !gbdt_family.score(t->trees, valid->d, valid->g->ctx->pool, p, err)) {
        free(p);
        return false;
    }
    for (size_t i = 0; i < valid->n; i++) {
        double e = valid->y.y[i] - p[i];

        t->error[error_place(valid, i)] = e;
        sum += e * e;
    }
    t->mse = sum / (double)valid->n;
    free(p);
    return true;
}

/* Where going on begins: places among the rows held out. */
static void
make_path(const struct lags_fit *g, const struct lags_series *s, size_t which,
          struct lags_path *p)
{
    size_t n = s->clock.n, begin = 0, late;

    while (begin < n && position(g, s->begin + begin) < g->cut)
        begin++;
    late = n - begin;
    begin += late * which / ORIGINS;
    *p = (struct lags_path){.series = s, .from = begin, .n = n - begin};
}

/* Values that are known beforehand, (steps, inputs), of all paths. */
static double *
path_inputs(const struct lags_fit *g, struct lags_path *p, size_t n_paths,
            struct error *err)
{
    size_t width = g->m->rule.n_inputs, steps = 0, cells;
    double *out, *at;

    for (size_t k = 0; k < n_paths; k++)
        steps += p[k].n;
    if (!mem_mul(steps, width, &cells)) {
        error_set(err, ERR_NOMEM, "%zu steps do not fit", steps);
        return NULL;
    }
    if (!(out = at = mem_try_array(cells, sizeof *out, err)))
        return NULL;
    for (size_t k = 0; k < n_paths; k++) {
        p[k].inputs = at;
        for (size_t h = 0; h < p[k].n; h++, at += width)
            lags_inputs(&g->m->rule, g->d->train,
                        g->row[p[k].series->begin + p[k].from + h].row, at, 1);
    }
    return out;
}

static double
mean_square(const struct lags *m, const struct lags_path *p, size_t n_paths)
{
    double sum = 0, n = 0;

    for (size_t k = 0; k < n_paths; k++)
        for (size_t h = 0; h < p[k].n; h++) {
            double e = lags_path_out(&p[k])[h] -
                       m->y[p[k].series->begin + p[k].from + h];

            sum += isnan(e) ? 0 : e * e;
            n += !isnan(e);
        }
    return n > 0 ? sum / n : INFINITY;
}

static bool
go_on(struct lags_fit *g, struct trial *t, struct error *err)
{
    struct lags *m = g->m;
    struct lags_walk w = {
        .path = mem_try_array(m->n_series, ORIGINS * sizeof *w.path, err),
        .pool = g->ctx->pool};
    double *inputs = NULL;
    bool ok = w.path != NULL;

    for (size_t k = 0; k < m->n_series && ok; k++)
        for (size_t i = 0; i < ORIGINS; i++)
            make_path(g, &m->series[k], i, &w.path[w.n++]);
    m->trees = t->trees;
    ok = ok && (inputs = path_inputs(g, w.path, w.n, err)) &&
         lags_run(m, &w, err);
    m->trees = NULL;
    if (ok)
        t->far = mean_square(m, w.path, w.n);
    lags_walk_fini(&w);
    free(inputs);
    return ok;
}

static bool
try_gap(struct lags_fit *g, size_t gap, struct trial *t, struct error *err)
{
    struct table train, valid = {0};
    struct train quiet = *g->ctx;
    bool ok;

    quiet.sink = (struct event_sink){0};
    *t = (struct trial){.gap = gap};
    g->m->rule.gap = gap;
    ok = table_make(&train, g, BEFORE, err) &&
         table_make(&valid, g, HELD_OUT, err);
    if (ok && train.n > 0 && valid.n > 0)
        ok = (t->trees = grow_trees(g, &train, &valid, 0, &quiet, NULL, err)) &&
             keep_errors(&valid, t, err) && go_on(g, t, err);
    if (ok && t->trees)
        t->rounds = gbdt_family.rounds(t->trees);
    table_fini(&train);
    table_fini(&valid);
    return ok;
}

/* The ways that `difference` allows. */
static size_t
list_gaps(const struct lags_fit *g, size_t gaps[3])
{
    const char *word = params_text(g->p, "difference");
    bool any = strcmp(word, "auto") == 0;
    size_t n = 0;

    if (any || strcmp(word, "none") == 0)
        gaps[n++] = 0;
    if (any || strcmp(word, "step") == 0)
        gaps[n++] = 1;
    if (strcmp(word, "season") == 0 || (any && g->m->rule.period > 1))
        gaps[n++] = g->m->rule.period;
    return n;
}

static bool
choose_gap(struct lags_fit *g, struct trial *best, struct error *err)
{
    size_t gaps[3], n = list_gaps(g, gaps);

    for (size_t i = 0; i < n; i++) {
        struct trial t;

        if (!try_gap(g, gaps[i], &t, err)) {
            trial_fini(&t);
            return false;
        }
        if (t.trees && (!best->trees || t.far < best->far)) {
            trial_fini(best);
            *best = t;
        } else {
            trial_fini(&t);
        }
        if (best->trees && progress_stopped(g->ctx->progress))
            break;
    }
    return true;
}

/* Where the rows that are held out begin; too few of them: nowhere. */
static bool
choose_cut(struct lags_fit *g, struct error *err)
{
    double share = params_float(g->p, "holdout");
    size_t n = g->m->n, keep = n - (size_t)floor((double)n * share);
    double *at = mem_try_array(n, sizeof *at, err);

    if (!at)
        return false;
    for (size_t i = 0; i < n; i++)
        at[i] = position(g, i);
    if (!order_numbers(at, n, g->ctx->pool, err)) {
        free(at);
        return false;
    }
    g->cut = keep < n && keep > 0 ? at[keep] : INFINITY;
    for (size_t i = 0; i < n; i++)
        g->n_held_out += at[i] >= g->cut;
    if (g->n_held_out < LEAST_HELD_OUT || g->n_held_out == n) {
        g->cut = INFINITY;
        g->n_held_out = 0;
    }
    free(at);
    return true;
}

/* All rows, by what was found; without rows held out the errors are those of
 * the rows that were learnt from. */
static bool
learn_all(struct lags_fit *g, struct trial *t, struct json_writer *chosen,
          struct error *err)
{
    struct lags *m = g->m;
    struct table all, judged;
    bool ok;

    m->rule.gap = t->gap;
    ok = table_make(&all, g, ALL, err) &&
         (all.n > 0 ||
          error_set(err, ERR_RANGE, "no row has a value %zu steps before it",
                    t->gap)) &&
         (m->trees = grow_trees(g, &all, NULL, t->trees ? t->rounds : ROUNDS,
                                g->ctx, chosen, err));
    table_fini(&all);
    if (ok && !t->error) {
        t->trees = m->trees;
        ok =
            table_make(&judged, g, LEARNT, err) && keep_errors(&judged, t, err);
        t->trees = NULL;
        table_fini(&judged);
    }
    return ok;
}

/* Where each series has its errors, and what a file tells of it. */
static bool
index_series(struct lags_fit *g, enum part part, struct error *err)
{
    struct lags *m = g->m;
    size_t n = m->n_series;

    if (!(m->key = mem_try_array(n, sizeof *m->key, err)) ||
        !(m->first = mem_try_array(n, sizeof *m->first, err)) ||
        !(m->rows = mem_try_array(n, sizeof *m->rows, err)) ||
        !(m->errors = mem_try_array(n, sizeof *m->errors, err)))
        return false;
    for (size_t i = 0; i < m->n; i++)
        if (is_of(g, i, part))
            m->series[g->row[i].series].n_errors += most_ahead(&m->rule);
    for (size_t k = 0; k < n; k++) {
        struct lags_series *s = &m->series[k];

        s->errors_begin = m->n_errors;
        m->n_errors += s->n_errors;
        m->key[k] = s->key;
        m->first[k] = s->clock.first;
        m->rows[k] = s->clock.n;
        m->errors[k] = s->n_errors;
    }
    return true;
}

/* How many of the distances each row is learnt from: all, where not too many
 * come of it; likewise of the rows that are judged. */
static void
choose_horizons(struct lags_fit *g)
{
    size_t most = most_ahead(&g->m->rule), n = g->m->n;

    g->horizons = most;
    g->every = 1;
    if (g->m->rule.ahead == 0 || n <= MOST_SEEN / most)
        return;
    g->horizons = MOST_SEEN / n > 1 ? MOST_SEEN / n : 1;
    g->every = n / (MOST_SEEN / most) + 1;
}

static bool
learn(struct lags_fit *g, struct json_writer *chosen, struct trial *t,
      struct error *err)
{
    struct lags *m = g->m;
    enum part judged = LEARNT;
    size_t gaps[3];

    choose_horizons(g);
    if (!choose_cut(g, err))
        return false;
    if (g->n_held_out > 0 && !choose_gap(g, t, err))
        return false;
    g->judged = t->trees != NULL;
    if (g->judged)
        judged = HELD_OUT;
    if (t->trees && progress_stopped(g->ctx->progress)) {
        m->rule.gap = t->gap; /* what there is */
        m->trees = t->trees;
        t->trees = NULL;
    } else {
        if (!t->trees) {
            list_gaps(g, gaps);
            t->gap = gaps[0];
        }
        if (!learn_all(g, t, chosen, err))
            return false;
    }
    m->error = t->error;
    t->error = NULL;
    return index_series(g, judged, err);
}

/* ---- telling ---- */

static void
put_steps(struct json_writer *w, const char *name, const uint32_t *x, size_t n)
{
    struct buf text;

    buf_init(&text);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && x[end] == x[end - 1] + 1;)
            end++;
        buf_printf(&text, "%s%u", i ? "," : "", (unsigned)x[i]);
        if (end > i + 1)
            buf_printf(&text, "-%u", (unsigned)x[end - 1]);
    }
    json_name(w, name);
    json_put_string(w, n ? text.data : "0");
    buf_fini(&text);
}

static void
tell(const struct lags_fit *g, const struct trial *t, struct json_writer *w)
{
    const struct lags_rule *r = &g->m->rule;

    json_name(w, "period");
    json_put_i64(w, (int64_t)r->period);
    put_steps(w, "lags", r->lag, r->n_lags);
    put_steps(w, "means", r->mean, r->n_means);
    json_name(w, "difference");
    json_put_string(w, r->gap == 0 ? "none" : r->gap == 1 ? "step" : "season");
    json_name(w, "held_out");
    json_put_i64(w, (int64_t)g->n_held_out);
    if (!g->judged)
        return;
    json_name(w, "held_out_rmse");
    json_put_double(w, sqrt(t->mse));
    event_emit(&g->ctx->sink, "valid.rmse", (int64_t)t->rounds, sqrt(t->mse));
}

void *
lags_fit(const struct fit_data *d, const struct params *p,
         const struct train *ctx, struct json_writer *chosen, struct error *err)
{
    struct lags_fit g = {.d = d, .p = p, .ctx = ctx};
    struct trial best = {0};
    bool ok = (!ctx->progress || progress_check(ctx->progress, err)) &&
              (g.m = mem_try_array(1, sizeof *g.m, err)) &&
              lags_read(&g, err) && lags_choose(&g, err) &&
              learn(&g, chosen, &best, err) && lags_weigh(g.m, err);

    if (ok)
        tell(&g, &best, chosen);
    trial_fini(&best);
    free(g.row);
    if (ok)
        return g.m;
    lags_free(g.m);
    return NULL;
}
