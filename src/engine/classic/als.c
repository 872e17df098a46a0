/* engine/classic/als.c -- the family: who and what, and the best for someone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/als.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "engine/classic/als_solve.h"
#include "engine/classic/panels.h"
#include "engine/classic/tell.h"
#include "frame/builder.h"
#include "frame/order.h"

#define MOST 9e15 /* numbers that name someone are whole in a double */
enum {
    MAX_FACTORS = 512,
    STREAM_FACTORS = 0x616c73,
    ROWS = 1 << 14, /* of a piece */
    DRAWS = 512     /* items whose factors are drawn at once */
};

/* One side: who there is, in order of their values in the design (codes of a
 * text, numbers), and their factors. */
struct known {
    size_t n;
    double *value;  /* n, ascending */
    double *factor; /* (n, f + 1) */
};

struct als {
    size_t f, columns[2]; /* of the design: of users, of items */
    bool implicit;
    double mean;
    struct known side[2];
    uint64_t *first; /* of each user: what was rated */
    uint32_t *seen;
};

static void
learner_free(void *learner)
{
    struct als *m = learner;

    if (!m)
        return;
    for (size_t s = 0; s < 2; s++) {
        free(m->side[s].value);
        free(m->side[s].factor);
    }
    free(m->first);
    free(m->seen);
    free(m);
}

/* The place of a value, or n. */
static size_t
find(const struct known *k, double value)
{
    size_t at = sort_below(k->value, k->n, value);

    return at < k->n && k->value[at] == value ? at : k->n;
}

/* ---- fitting ---- */

struct fitting {
    struct als *m;
    const struct fit_data *d;
    const struct params *params;
    const struct train *ctx;
    size_t n; /* rows whose user and item are there */
    double *value[2];
    uint32_t *place[2];
    double *rating;
    struct ratings by[2]; /* of users, of items */
    double *room, *term;
    size_t side; /* the one at hand */
};

static void
fitting_fini(struct fitting *f)
{
    for (size_t s = 0; s < 2; s++) {
        free(f->value[s]);
        free(f->place[s]);
        ratings_fini(&f->by[s]);
    }
    free(f->rating);
    free(f->room);
    free(f->term);
}

static bool
columns_find(struct fitting *f, struct error *err)
{
    static const char *const names[] = {"user", "item"};

    for (size_t s = 0; s < 2; s++) {
        const char *want = params_text(f->params, names[s]);
        size_t j = 0, p = design_cols(f->d->train);

        while (j < p && strcmp(design_column(f->d->train, j)->name, want) != 0)
            j++;
        if (j == p)
            return error_set(err, ERR_RANGE, "column '%s' has no values", want);
        f->m->columns[s] = j;
    }
    return f->m->columns[0] != f->m->columns[1] ||
           error_set(err, ERR_RANGE, "user and item are the same column");
}

/* What a double does not hold names someone else. */
static bool
names_check(const struct fitting *f, size_t i, struct error *err)
{
    for (size_t s = 0; s < 2; s++) {
        const char *name = design_column(f->d->train, f->m->columns[s])->name;

        if (fabs(f->value[s][i]) > MOST)
            return error_set(err, ERR_RANGE,
                             "column '%s' has the number %.0f: so large ones "
                             "are not told apart, read them as text (types "
                             "%s=text)",
                             name, f->value[s][i], name);
    }
    return true;
}

/* Rows that tell of no one, or of nothing, are left out. */
static bool
rows_read(struct fitting *f, struct error *err)
{
    size_t n = f->d->y->n;

    if (!dense_try(&f->rating, n, 1, err))
        return false;
    for (size_t s = 0; s < 2; s++) {
        if (!dense_try(&f->value[s], n, 1, err))
            return false;
        design_pull(f->d->train, f->m->columns[s], 0, n, f->value[s]);
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(f->value[0][i]) || !isfinite(f->value[1][i]))
            continue;
        if (!names_check(f, i, err))
            return false;
        f->value[0][f->n] = f->value[0][i];
        f->value[1][f->n] = f->value[1][i];
        f->rating[f->n++] = f->d->y->y[i];
    }
    return f->n > 0 || error_set(err, ERR_RANGE,
                                 "no row has a user and an "
                                 "item");
}

static void
place_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct fitting *f = ctx;
    size_t s = f->side;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        f->place[s][i] = (uint32_t)find(&f->m->side[s], f->value[s][i]);
}

static void
draw_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct fitting *f = ctx;
    const struct known *k = &f->m->side[f->side];

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        for (size_t j = 0; j < f->m->f; j++)
            k->factor[i * (f->m->f + 1) + j] =
                rng_normal(f->ctx->seed, STREAM_FACTORS, i * f->m->f + j) /
                sqrt((double)f->m->f) / 10;
}

static bool
known_make(struct fitting *f, size_t s, struct error *err)
{
    struct known *k = &f->m->side[s];

    f->side = s;
    if (!dense_try(&k->value, f->n, 1, err) ||
        !(f->place[s] = mem_try_array(f->n, sizeof **f->place, err)))
        return false;
    memcpy(k->value, f->value[s], f->n * sizeof *k->value);
    if (!order_numbers(k->value, f->n, f->ctx->pool, err))
        return false;
    for (size_t i = 0; i < f->n; i++)
        if (k->n == 0 || k->value[i] != k->value[k->n - 1])
            k->value[k->n++] = k->value[i];
    return pool_try(f->ctx->pool, f->n, ROWS, place_chunk, f, err) &&
           dense_try(&k->factor, k->n, f->m->f + 1, err) &&
           (s == 0 || pool_try(f->ctx->pool, k->n, DRAWS, draw_chunk, f, err));
}

static bool
ratings_make(struct fitting *f, struct error *err)
{
    const struct known *side = f->m->side;
    const struct rated list = {f->place[0], f->place[1], f->rating, f->n};
    const struct progress *stop = f->ctx->progress;
    uint64_t *last;

    if (!ratings_init(&f->by[0], side[0].n, f->n, err) ||
        !ratings_init(&f->by[1], side[1].n, f->n, err) ||
        !(last = mem_try_array(side[1].n, sizeof *last, err)))
        return false;
    ratings_sort(&f->by[0], &list, stop);
    if (f->m->implicit && !progress_stopped(stop))
        ratings_merge(&f->by[0], last, stop);
    free(last);
    if (!progress_check(stop, err))
        return false;
    ratings_turn(&f->by[1], &f->by[0], stop);
    return progress_check(stop, err);
}

static bool
counts_check(const struct fitting *f, struct error *err)
{
    for (size_t i = 0; i < f->n && f->m->implicit; i++)
        if (f->rating[i] < 0)
            return error_set(err, ERR_RANGE,
                             "implicit learns from counts, and one is %g",
                             f->rating[i]);
    return true;
}

static struct als_side
side_of(struct fitting *f, size_t s)
{
    struct als *m = f->m;

    return (struct als_side){.by = &f->by[s],
                             .f = m->f,
                             .own = m->side[s].factor,
                             .other = m->side[!s].factor,
                             .n_other = m->side[!s].n,
                             .mean = m->mean,
                             .lambda = params_float(f->params, "lambda"),
                             .implicit = m->implicit,
                             .alpha = params_float(f->params, "alpha"),
                             .pool = f->ctx->pool,
                             .progress = f->ctx->progress,
                             .room = f->room};
}

/* Turns until the loss rests.  Stopped after a finished one: what there is. */
static bool
turns_run(struct fitting *f, struct error *err)
{
    struct als_side users = side_of(f, 0), items = side_of(f, 1);
    size_t turns = (size_t)params_int(f->params, "max_iter");
    double tolerance = params_float(f->params, "tolerance"), last = INFINITY;

    progress_begin(f->ctx->progress, "fitting", turns);
    for (size_t t = 1; t <= turns; t++) {
        double loss;

        als_solve(&users);
        als_solve(&items);
        if (progress_stopped(f->ctx->progress))
            return t > 1 || progress_check(f->ctx->progress, err);
        loss = als_loss(&users, f->term);
        if (progress_stopped(f->ctx->progress))
            return true; /* the turn is a whole one, its loss is not told */
        if (!isfinite(loss))
            return error_set(err, ERR_RANGE,
                             "the target's values are too far apart");
        event_emit(&f->ctx->sink, "train.loss", (int64_t)t, loss);
        if (f->ctx->progress)
            progress_set(f->ctx->progress, t);
        if (last - loss <= tolerance * loss)
            return true;
        last = loss;
    }
    return true;
}

static bool
fit_run(struct fitting *f, struct error *err)
{
    struct als *m = f->m;
    size_t users, items;

    if (!columns_find(f, err) || !rows_read(f, err) || !counts_check(f, err) ||
        !known_make(f, 0, err) || !known_make(f, 1, err) ||
        !ratings_make(f, err))
        return false;
    users = als_room(m->side[0].n, m->f);
    items = als_room(m->side[1].n, m->f);
    if (!dense_try(&f->room, users > items ? users : items, 1, err) ||
        !dense_try(&f->term, als_terms(&f->by[0], m->f), 1, err))
        return false;
    m->mean = m->implicit ? 0 : dense_sum(f->rating, f->n) / (double)f->n;
    if (!isfinite(m->mean))
        return error_set(err, ERR_RANGE,
                         "the target's values are too far apart");
    if (!turns_run(f, err))
        return false;
    m->first = f->by[0].first;
    m->seen = f->by[0].other;
    f->by[0].first = NULL;
    f->by[0].other = NULL;
    return true;
}

static void *
als_fit(const struct fit_data *d, const struct params *p,
        const struct train *ctx, struct json_writer *chosen, struct error *err)
{
    struct fitting f = {.m = mem_try_array(1, sizeof *f.m, err),
                        .d = d,
                        .params = p,
                        .ctx = ctx};
    bool ok = false;

    (void)chosen;
    if (f.m) {
        f.m->f = (size_t)params_int(p, "factors");
        f.m->implicit = params_bool(p, "implicit");
        ok = fit_run(&f, err) &&
             tell_scores(&als_family, f.m, d, ctx, true, err);
    }
    fitting_fini(&f);
    if (ok)
        return f.m;
    learner_free(f.m);
    return NULL;
}

/* ---- the fitted model ---- */

/* u or v may be past the last: not seen. */
static double
rate(const struct als *m, size_t u, size_t v)
{
    const struct known *user = &m->side[0], *item = &m->side[1];
    const double *x = u < user->n ? user->factor + u * (m->f + 1) : NULL;
    const double *y = v < item->n ? item->factor + v * (m->f + 1) : NULL;

    return m->mean + (x ? x[m->f] : 0) + (y ? y[m->f] : 0) +
           (x && y ? dense_dot(x, y, m->f) : 0);
}

struct scoring {
    const struct als *m;
    double *out;
};

static void
score_panel(void *ctx, size_t first, size_t n, const double *x, double *scratch)
{
    const struct scoring *s = ctx;
    const struct als *m = s->m;

    (void)scratch;
    for (size_t i = 0; i < n; i++)
        s->out[first + i] =
            rate(m, find(&m->side[0], x[m->columns[0] * PANEL + i]),
                 find(&m->side[1], x[m->columns[1] * PANEL + i]));
}

static bool
als_score(const void *learner, const struct design *d, struct pool *pool,
          double *out, struct error *err)
{
    struct scoring s = {learner, out};

    return panels_each(d, pool, 0, score_panel, &s, err);
}

static void
als_importance(const void *learner, double *out)
{
    (void)learner;
    out[0] = out[1] = 0.5;
}

/* ---- recommending ---- */

struct offer {
    double score;
    size_t item;
};

static int
best_first(const void *a, const void *b)
{
    const struct offer *x = a, *y = b;

    return x->score != y->score ? (x->score < y->score ? 1 : -1)
                                : (x->item > y->item) - (x->item < y->item);
}

/* The input that a column of the design is. */
static const struct input *
input_of(const struct prepare *prepare, size_t column)
{
    const char *name = prepare_feature(prepare, column);
    size_t n;
    const struct input *in = prepare_inputs(prepare, &n);

    while (n > 0 && strcmp(in->name, name) != 0) {
        in++;
        n--;
    }
    return n ? in : NULL;
}

/* A user's value in the design from its text. */
static bool
user_value(const struct input *in, const char *text, double *out)
{
    if (in->type != COL_TEXT)
        return str_to_f64(str_of(text), out);
    for (size_t i = 0; i < in->n_levels; i++)
        if (strcmp(in->levels[i], text) == 0) {
            *out = (double)i;
            return true;
        }
    return false;
}

static size_t
offers_make(const struct als *m, size_t u, bool seen, struct offer *out)
{
    size_t n = 0;

    for (size_t v = 0; v < m->side[1].n; v++)
        out[v] = (struct offer){rate(m, u, v), v};
    for (size_t k = (size_t)m->first[u]; k < m->first[u + 1] && !seen; k++)
        out[m->seen[k]].item = SIZE_MAX;
    for (size_t v = 0; v < m->side[1].n; v++)
        if (out[v].item != SIZE_MAX)
            out[n++] = out[v];
    qsort(out, n, sizeof *out, best_first);
    return n;
}

static bool
put_item(struct builder *b, const struct input *in, double value,
         struct error *err)
{
    if (in->type == COL_TEXT)
        return builder_text(b, 0, str_of(in->levels[(size_t)value]), err);
    if (in->type == COL_FLOAT64)
        return builder_f64(b, 0, value, err);
    return builder_i64(b, 0, (int64_t)value, err);
}

static struct frame *
offers_frame(const struct als *m, const struct input *in,
             const struct offer *offer, size_t n, struct error *err)
{
    const char *names[] = {in->name, "score"};
    const enum col_type types[] = {in->type, COL_FLOAT64};
    struct builder *b = builder_new(2, names, types, err);
    bool ok = b != NULL;

    for (size_t i = 0; i < n && ok; i++) {
        double value = m->side[1].value[offer[i].item];

        /* A file may know of items that its columns do not. */
        if (in->type == COL_TEXT &&
            !(value >= 0 && value < (double)in->n_levels))
            continue;
        ok = put_item(b, in, value, err) &&
             builder_f64(b, 1, offer[i].score, err) && builder_end_row(b, err);
    }
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

static struct frame *
als_recommend(const void *learner, const struct prepare *prepare,
              const struct recommend *ask, struct error *err)
{
    const struct als *m = learner;
    const struct input *user = input_of(prepare, m->columns[0]);
    const struct input *item = input_of(prepare, m->columns[1]);
    struct offer *offer = mem_try_array(m->side[1].n, sizeof *offer, err);
    struct frame *out = NULL;
    double value = NAN;
    size_t u = m->side[0].n, n;

    if (user && user_value(user, ask->user, &value))
        u = find(&m->side[0], value);
    if (!user || !item || u == m->side[0].n) {
        error_set(err, ERR_NOTFOUND, "user '%.64s' is not known", ask->user);
    } else if (offer) {
        n = offers_make(m, u, ask->seen, offer);
        out = offers_frame(m, item, offer,
                           (int64_t)n < ask->n ? n : (size_t)ask->n, err);
    }
    free(offer);
    return out;
}

/* ---- the file ---- */

static void
als_save(const void *learner, struct st_writer *w, struct json_writer *j)
{
    const struct als *m = learner;
    const uint64_t users[] = {m->side[0].n, m->f + 1};
    const uint64_t items[] = {m->side[1].n, m->f + 1};

    json_name(j, "factors");
    json_put_i64(j, (int64_t)m->f);
    json_name(j, "users");
    json_put_i64(j, (int64_t)m->side[0].n);
    json_name(j, "items");
    json_put_i64(j, (int64_t)m->side[1].n);
    json_name(j, "user_column");
    json_put_i64(j, (int64_t)m->columns[0]);
    json_name(j, "implicit");
    json_put_bool(j, m->implicit);
    json_name(j, "mean");
    json_put_double(j, m->mean);
    st_add1(w, "als.user", ST_F64, m->side[0].n, m->side[0].value);
    st_add1(w, "als.item", ST_F64, m->side[1].n, m->side[1].value);
    st_add(w, "als.user_factor", ST_F64, users, 2, m->side[0].factor);
    st_add(w, "als.item_factor", ST_F64, items, 2, m->side[1].factor);
    st_add1(w, "als.first", ST_U64, m->side[0].n + 1, m->first);
    st_add1(w, "als.seen", ST_U32, m->first[m->side[0].n], m->seen);
}

static bool
seen_read(struct als *m, const struct st_file *f, struct error *err)
{
    size_t n = m->side[0].n;
    struct st_tensor first, seen;

    if (!st_need(f, "als.first", ST_U64, (int64_t)n + 1, &first, err) ||
        !st_need(f, "als.seen", ST_U32, -1, &seen, err) ||
        !(m->first = mem_try_array(n + 1, sizeof *m->first, err)) ||
        !(m->seen = mem_try_array(seen.n, sizeof *m->seen, err)))
        return false;
    memcpy(m->first, first.data, (n + 1) * sizeof *m->first);
    if (seen.n)
        memcpy(m->seen, seen.data, seen.n * sizeof *m->seen);
    for (size_t i = 0; i < n; i++)
        if (m->first[i] > m->first[i + 1])
            return error_set(err, ERR_CORRUPT, "the ratings of user %zu", i);
    if (m->first[0] != 0 || m->first[n] != seen.n)
        return error_set(err, ERR_CORRUPT, "%llu ratings",
                         (unsigned long long)seen.n);
    for (size_t k = 0; k < seen.n; k++)
        if (m->seen[k] >= m->side[1].n)
            return error_set(err, ERR_CORRUPT, "item %u of %zu", m->seen[k],
                             m->side[1].n);
    return true;
}

static bool
values_check(const struct als *m, struct error *err)
{
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < m->side[s].n; i++)
            if (fabs(m->side[s].value[i]) > MOST ||
                (i && m->side[s].value[i - 1] >= m->side[s].value[i]))
                return error_set(err, ERR_CORRUPT, "%s are out of order",
                                 s ? "items" : "users");
    return true;
}

static bool
counts_read(struct als *m, const struct json *o, struct error *err)
{
    int64_t factors, users, items, column;

    if (!json_get_i64(o, "factors", &factors, err) ||
        !json_get_i64(o, "users", &users, err) ||
        !json_get_i64(o, "items", &items, err) ||
        !json_get_i64(o, "user_column", &column, err) ||
        !json_get_bool(o, "implicit", &m->implicit, err) ||
        !json_get_double(o, "mean", &m->mean, err))
        return false;
    if (factors < 1 || factors > MAX_FACTORS || users < 1 || items < 1 ||
        users > UINT32_MAX || items > UINT32_MAX || column < 0 || column > 1)
        return error_set(
            err, ERR_CORRUPT, "%lld factors of %lld users and %lld items",
            (long long)factors, (long long)users, (long long)items);
    m->f = (size_t)factors;
    m->side[0].n = (size_t)users;
    m->side[1].n = (size_t)items;
    m->columns[0] = (size_t)column;
    m->columns[1] = (size_t)!column;
    return true;
}

static void *
als_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
         enum problem problem, size_t n_classes, struct error *err)
{
    struct als *m;

    (void)problem;
    (void)n_classes;
    if (n_cols != 2) {
        error_set(err, ERR_CORRUPT, "%zu columns, expected 2", n_cols);
        return NULL;
    }
    if (!(m = mem_try_array(1, sizeof *m, err)))
        return NULL;
    if (counts_read(m, manifest, err) &&
        dense_take(f, "als.user", &m->side[0].value, m->side[0].n, 1, err) &&
        dense_take(f, "als.item", &m->side[1].value, m->side[1].n, 1, err) &&
        dense_take(f, "als.user_factor", &m->side[0].factor, m->side[0].n,
                   m->f + 1, err) &&
        dense_take(f, "als.item_factor", &m->side[1].factor, m->side[1].n,
                   m->f + 1, err) &&
        values_check(m, err) && seen_read(m, f, err))
        return m;
    learner_free(m);
    return NULL;
}

static const char *const columns[] = {"user", "item", NULL};

static const struct param params[] = {
    {"user", PARAM_TEXT, 0, 0, "user", NULL, "the column of users"},
    {"item", PARAM_TEXT, 0, 0, "item", NULL, "the column of items"},
    {"factors", PARAM_INT, 1, MAX_FACTORS, "32", NULL,
     "numbers that tell users and items apart"},
    {"lambda", PARAM_FLOAT, 1e-12, 1e6, "0.05", NULL,
     "penalty on factors, for each rating; implicit: on factors as they are"},
    {"implicit", PARAM_BOOL, 0, 0, "false", NULL,
     "the target counts how often, and does not rate"},
    {"alpha", PARAM_FLOAT, 0, 1e6, "1", NULL,
     "implicit: confidence that a count adds"},
    {"max_iter", PARAM_INT, 1, 10000, "30", NULL,
     "stop after this many turns at the latest"},
    {"tolerance", PARAM_FLOAT, 0, 1, "0.0001", NULL,
     "stop when the loss falls by a smaller share of it"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

const struct family als_family = {
    .name = "als",
    .title = "factors of users and items",
    .params = params,
    .style = PREPARE_IDS,
    .columns = columns,
    .problems = 1u << PROBLEM_REGRESSION,
    .fit = als_fit,
    .free = learner_free,
    .score = als_score,
    .importance = als_importance,
    .recommend = als_recommend,
    .save = als_save,
    .load = als_load,
};
