/* engine/trees/lags_fit.c -- learning what follows from a past.
 *
 * The last rows in time are held out.  For each way to see the values
 * (as they are, less the one before, less the one a season ago) trees are grown
 * on the others until they foretell the held out ones no better; the way that
 * does best when it goes on step by step, from several places among those rows
 * to the end, is learnt from all rows, by as many trees.  What it erred by on the
 * rows held out is kept, for intervals.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/lags_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/trees/gbdt.h"
#include "frame/order.h"

enum {
    LEAST_HELD_OUT = 10,
    PATIENCE = 50,
    ROUNDS = 200,
    ORIGINS = 4,
    GRAIN = 1024
};

/* Parameters of gbdt_family, by name. */
static const char *const handed_on[] = {
    "loss",     "trees", "learning_rate", "leaves",    "max_depth",
    "min_rows", "l2",    "row_share",     "col_share", NULL};

/* ---- the table that trees learn from ---- */

enum part { BEFORE, HELD_OUT, ALL };

/* Some of the rows, as features and what is to be answered. */
struct table {
    const struct lags_fit *g;
    size_t n;
    uint32_t *at; /* places in g->row */
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

static bool
is_of(const struct lags_fit *g, size_t i, enum part part)
{
    bool late = position(g, i) >= g->cut;

    return i - g->m->series[g->row[i].series].begin >= g->m->rule.gap &&
           (part == ALL || late == (part == HELD_OUT));
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
        size_t step = t->at[i] - s->begin, at = lags_features(r) - r->n_inputs;

        lags_row(r, &past, step, NULL, t->x + i, t->n);
        lags_inputs(r, t->g->d->train, row->row, t->x + at * t->n + i, t->n);
        t->y.y[i] = past.y[step] - (r->gap ? past.y[step - r->gap] : 0);
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
    size_t f = lags_features(&g->m->rule), cells, n = 0;

    *t = (struct table){.g = g, .y = {.problem = PROBLEM_REGRESSION}};
    for (size_t i = 0; i < g->m->n; i++)
        t->n += is_of(g, i, part);
    if (!mem_mul(t->n, f, &cells))
        return error_set(err, ERR_NOMEM, "%zu rows of %zu lags do not fit",
                         t->n, f);
    t->y.n = t->n;
    if (!(t->at = mem_try_array(t->n, sizeof *t->at, err)) ||
        !(t->x = mem_try_array(cells, sizeof *t->x, err)) ||
        !(t->column = mem_try_array(f, sizeof *t->column, err)) ||
        !(t->y.y = mem_try_array(t->n, sizeof *t->y.y, err)))
        return false;
    for (size_t i = 0; i < g->m->n; i++)
        if (is_of(g, i, part))
            t->at[n++] = (uint32_t)i;
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
        t->error[i] = valid->y.y[i] - p[i];
        sum += t->error[i] * t->error[i];
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
    struct table all;
    bool ok;

    m->rule.gap = t->gap;
    ok = table_make(&all, g, ALL, err) &&
         (all.n > 0 ||
          error_set(err, ERR_RANGE, "no row has a value %zu steps before it",
                    t->gap)) &&
         (m->trees = grow_trees(g, &all, NULL, t->trees ? t->rounds : ROUNDS,
                                g->ctx, chosen, err));
    if (ok && !t->error) {
        t->trees = m->trees;
        ok = keep_errors(&all, t, err);
        t->trees = NULL;
    }
    table_fini(&all);
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
            m->series[g->row[i].series].n_errors++;
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

static bool
learn(struct lags_fit *g, struct json_writer *chosen, struct trial *t,
      struct error *err)
{
    struct lags *m = g->m;
    enum part judged = ALL;
    size_t gaps[3];

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
