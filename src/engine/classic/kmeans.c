/* engine/classic/kmeans.c -- the family: how many clusters, and the nearest.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/kmeans.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/block.h"
#include "engine/classic/kmeans_run.h"
#include "frame/builder.h"

enum { MAX_CHOICES = 100, CHOICE_COLS = 3 };

struct kmeans {
    size_t p, k;
    double *centre; /* (k, p) */
    double *size;   /* k: training rows */
    double *share;  /* p: importance */
    double inertia;
    /* of each k that was tried: k, inertia, silhouette */
    double choice[MAX_CHOICES * CHOICE_COLS];
    size_t n_choices;
    const struct block_kernels *kernels;
};

static void
learner_free(void *learner)
{
    struct kmeans *m = learner;

    if (!m)
        return;
    free(m->centre);
    free(m->size);
    free(m->share);
    free(m);
}

/* ---- how many ---- */

struct choosing {
    struct kmeans_how how;
    const struct train *ctx;
    const char *rule;
    struct silhouette s;
    struct kmeans *m;
    struct kmeans_found best;
    double best_silhouette;
};

static void
choice_add(struct kmeans *m, size_t k, double inertia, double silhouette)
{
    double *row = m->choice + m->n_choices++ * CHOICE_COLS;

    row[0] = (double)k;
    row[1] = inertia;
    row[2] = isnan(silhouette) ? -1 : silhouette;
}

/* The k whose inertia lies farthest below the straight line from the first to
 * the last: where the curve bends. */
static size_t
elbow(const struct kmeans *m)
{
    const double *first = m->choice,
                 *last = m->choice + (m->n_choices - 1) * CHOICE_COLS;
    double most = -INFINITY;
    size_t at = 0;

    for (size_t i = 0; i < m->n_choices; i++) {
        const double *row = m->choice + i * CHOICE_COLS;
        double t =
            last[0] > first[0] ? (row[0] - first[0]) / (last[0] - first[0]) : 0;
        double below = first[1] + t * (last[1] - first[1]) - row[1];

        if (below > most) {
            most = below;
            at = i;
        }
    }
    return at;
}

static bool
try_k(struct choosing *c, size_t k, struct error *err)
{
    struct kmeans_found f;
    double silhouette;

    c->how.k = k;
    if (!kmeans_run(&c->how, &f, err))
        return false;
    silhouette = silhouette_of(&c->s, f.label, f.k);
    choice_add(c->m, k, f.inertia, silhouette);
    event_emit(&c->ctx->sink, "k.inertia", (int64_t)k, f.inertia);
    if (!isnan(silhouette))
        event_emit(&c->ctx->sink, "k.silhouette", (int64_t)k, silhouette);
    if (strcmp(c->rule, "silhouette") == 0 &&
        (c->best.k == 0 || silhouette > c->best_silhouette)) {
        kmeans_found_fini(&c->best);
        c->best = f;
        c->best_silhouette = silhouette;
        return true;
    }
    kmeans_found_fini(&f);
    return true;
}

static bool
choose_k(struct choosing *c, size_t max_k, struct error *err)
{
    size_t from = strcmp(c->rule, "elbow") == 0 ? 1 : 2;
    struct progress *progress = c->how.progress;

    if (max_k > c->how.x->n)
        max_k = c->how.x->n;
    if (max_k < from)
        from = max_k;
    progress_begin(progress, "choosing k", (max_k + 1 - from) * c->how.starts);
    if (!silhouette_init(&c->s, c->how.x, max_k, c->how.seed, c->how.pool, err))
        return false;
    for (size_t k = from; k <= max_k; k++) {
        if (progress_stopped(progress) && c->best.k)
            return true; /* what is finished is kept */
        if (!try_k(c, k, err))
            return false;
    }
    if (c->best.k)
        return true;
    c->how.k = (size_t)c->m->choice[elbow(c->m) * CHOICE_COLS];
    return kmeans_run(&c->how, &c->best, err);
}

/* k as it was asked for. */
static bool
given_k(struct choosing *c, size_t k, struct error *err)
{
    double silhouette = (double)NAN;
    struct error why;

    if (k > c->how.x->n)
        return error_set(err, ERR_RANGE, "k is %zu, and there are %zu rows", k,
                         c->how.x->n);
    c->how.k = k;
    progress_begin(c->how.progress, "clustering", c->how.starts);
    if (!kmeans_run(&c->how, &c->best, err))
        return false;
    if (silhouette_init(&c->s, c->how.x, k, c->how.seed, c->how.pool, &why))
        silhouette = silhouette_of(&c->s, c->best.label, c->best.k);
    else if (why.code != ERR_CANCELLED) {
        *err = why;
        return false;
    }
    choice_add(c->m, k, c->best.inertia, silhouette);
    return true;
}

/* ---- the family ---- */

/* What the centres explain of the spread of each column. */
static void
shares_measure(struct kmeans *m, const struct panels *x)
{
    double n = (double)x->n, all = 0;

    for (size_t j = 0; j < m->p; j++) {
        double mean = 0, between = 0;

        for (size_t c = 0; c < m->k; c++)
            mean += m->size[c] / n * m->centre[c * m->p + j];
        for (size_t c = 0; c < m->k; c++) {
            double d = m->centre[c * m->p + j] - mean;

            between += m->size[c] / n * d * d;
        }
        all += m->share[j] = between;
    }
    for (size_t j = 0; j < m->p; j++)
        m->share[j] = all > 0 ? m->share[j] / all : 1 / (double)m->p;
}

/* NaN: of one cluster, or not measured. */
static double
silhouette_kept(const struct kmeans *m)
{
    /* Of more clusters than distinct rows some were dropped. */
    for (size_t i = 0; i < m->n_choices && m->k > 1; i++) {
        const double *row = m->choice + i * CHOICE_COLS;

        if (row[0] >= (double)m->k && row[1] == m->inertia)
            return row[2];
    }
    return (double)NAN;
}

/* What was chosen, into the run's parameters and metrics. */
static void
tell(const struct choosing *c, struct json_writer *w)
{
    const struct kmeans *m = c->m;
    double silhouette = silhouette_kept(m);

    json_name(w, "k");
    json_put_i64(w, (int64_t)m->k);
    json_name(w, "turns");
    json_put_i64(w, c->best.turns);
    event_emit(&c->ctx->sink, "train.inertia", 1, m->inertia);
    if (!isnan(silhouette))
        event_emit(&c->ctx->sink, "train.silhouette", 1, silhouette);
}

static struct kmeans *
learner_take(struct choosing *c, struct error *err)
{
    struct kmeans *m = c->m;

    m->k = c->best.k;
    m->inertia = c->best.inertia;
    m->centre = c->best.centre;
    m->size = c->best.size;
    c->best.centre = c->best.size = NULL;
    if (!dense_try(&m->share, m->p, 1, err))
        return NULL;
    shares_measure(m, c->how.x);
    return m;
}

static void *
kmeans_fit(const struct fit_data *d, const struct params *p,
           const struct train *ctx, struct json_writer *chosen,
           struct error *err)
{
    struct panels x = {0};
    struct choosing c = {
        .how = {.x = &x,
                .max_iter = (unsigned)params_int(p, "max_iter"),
                .starts = (unsigned)params_int(p, "starts"),
                .tolerance = params_float(p, "tolerance"),
                .seed = ctx->seed,
                .pool = ctx->pool,
                .progress = ctx->progress},
        .ctx = ctx,
        .rule = params_text(p, "choose")};
    struct kmeans *m = mem_try_array(1, sizeof *m, err);
    bool ok;

    if (!m || !panels_init(&x, d->train, ctx->pool, err)) {
        free(m);
        return NULL;
    }
    c.m = m;
    m->p = x.p;
    m->kernels = block_kernels();
    ok = (params_is_set(p, "k")
              ? given_k(&c, (size_t)params_int(p, "k"), err)
              : choose_k(&c, (size_t)params_int(p, "k_max"), err)) &&
         learner_take(&c, err);
    if (ok)
        tell(&c, chosen);
    silhouette_fini(&c.s);
    kmeans_found_fini(&c.best);
    panels_fini(&x);
    if (ok)
        return m;
    learner_free(m);
    return NULL;
}

const double *
kmeans_centres(const void *learner, size_t *k)
{
    const struct kmeans *m = learner;

    *k = m->k;
    return m->centre;
}

static size_t
kmeans_width(const void *learner)
{
    (void)learner;
    return 2;
}

static void
kmeans_answer(const void *learner, size_t c, struct answer *out)
{
    (void)learner;
    snprintf(out->name, sizeof out->name, "%s", c ? "distance" : "cluster");
    out->whole = c == 0;
}

struct scoring {
    const struct kmeans *m;
    double *out;
};

static void
score_panel(void *ctx, size_t first, size_t n, const double *x, double *d)
{
    const struct scoring *s = ctx;
    const struct kmeans *m = s->m;

    m->kernels->distance(&(struct block){.a = m->centre,
                                         .a_row = m->p,
                                         .a_col = 1,
                                         .n_a = m->k,
                                         .b = x,
                                         .b_row = PANEL,
                                         .n_b = PANEL,
                                         .p = m->p,
                                         .out = d,
                                         .out_row = PANEL});
    for (size_t i = 0; i < n; i++) {
        double *out = s->out + 2 * (first + i);
        size_t best = 0;

        for (size_t c = 1; c < m->k; c++)
            if (d[c * PANEL + i] < d[best * PANEL + i])
                best = c;
        out[0] = (double)(best + 1);
        out[1] = sqrt(d[best * PANEL + i]);
    }
}

static bool
kmeans_score(const void *learner, const struct design *d, struct pool *pool,
             double *out, struct error *err)
{
    const struct kmeans *m = learner;
    struct scoring s = {m, out};

    return panels_each(d, pool, m->k * PANEL, score_panel, &s, err);
}

static void
kmeans_importance(const void *learner, double *out)
{
    const struct kmeans *m = learner;

    memcpy(out, m->share, m->p * sizeof *out);
}

static void
kmeans_facts(const void *learner, struct json_writer *w)
{
    const struct kmeans *m = learner;
    double silhouette = silhouette_kept(m);

    json_name(w, "sizes");
    json_open(w, '[');
    for (size_t c = 0; c < m->k; c++)
        json_put_i64(w, (int64_t)m->size[c]);
    json_close(w, ']');
    json_name(w, "inertia");
    json_put_double(w, m->inertia);
    if (!isnan(silhouette)) {
        json_name(w, "silhouette");
        json_put_double(w, silhouette);
    }
}

/* ---- tables ---- */

enum { TABLE_CENTRES, TABLE_CHOICE };
#define ROUNDED 1e-12 /* of a value: no more than the rounding of it */
static const struct family_table tables[] = {
    {"centres",
     "a row for each cluster: its rows, and the mean of each column"},
    {"choice", "a row for each k that was tried: inertia and silhouette"},
    {NULL, NULL},
};

static struct frame *
centres_table(const struct kmeans *m, const struct prepare *prepare,
              struct error *err)
{
    size_t n = m->p + 2;
    const char **names = mem_try_array(n, sizeof *names, err);
    enum col_type *types = mem_try_array(n, sizeof *types, err);
    struct builder *b = NULL;
    bool ok = false;

    if (names && types) {
        names[0] = "cluster";
        names[1] = "rows";
        types[0] = types[1] = COL_INT64;
        for (size_t j = 0; j < m->p; j++) {
            struct prepared c;

            prepare_column(prepare, j, &c);
            names[j + 2] = c.name;
            types[j + 2] = COL_FLOAT64;
        }
        ok = (b = builder_new(n, names, types, err)) != NULL;
    }
    for (size_t c = 0; c < m->k && ok; c++) {
        ok = builder_i64(b, 0, (int64_t)c + 1, err) &&
             builder_i64(b, 1, (int64_t)m->size[c], err);
        for (size_t j = 0; j < m->p && ok; j++) {
            struct prepared v;
            double x;

            prepare_column(prepare, j, &v);
            x = m->centre[c * m->p + j] / v.scale + v.shift;
            /* The mean of zeros is what rounding has left of the shift. */
            if (fabs(x) < ROUNDED * fabs(v.shift))
                x = 0;
            ok = builder_f64(b, j + 2, x, err);
        }
        ok = ok && builder_end_row(b, err);
    }
    free(names);
    free(types);
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

static struct frame *
choice_table(const struct kmeans *m, struct error *err)
{
    static const char *const names[] = {"k", "inertia", "silhouette"};
    static const enum col_type types[] = {COL_INT64, COL_FLOAT64, COL_FLOAT64};
    struct builder *b = builder_new(CHOICE_COLS, names, types, err);
    bool ok = b != NULL;

    for (size_t i = 0; i < m->n_choices && ok; i++) {
        const double *row = m->choice + i * CHOICE_COLS;

        ok = builder_i64(b, 0, (int64_t)row[0], err) &&
             builder_f64(b, 1, row[1], err) &&
             (row[0] < 2 || builder_f64(b, 2, row[2], err)) &&
             builder_end_row(b, err);
    }
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

static struct frame *
kmeans_table(const void *learner, size_t which, const struct prepare *prepare,
             struct error *err)
{
    return which == TABLE_CENTRES ? centres_table(learner, prepare, err)
                                  : choice_table(learner, err);
}

/* ---- the file ---- */

static void
kmeans_save(const void *learner, struct st_writer *w, struct json_writer *j)
{
    const struct kmeans *m = learner;
    const uint64_t shape[] = {m->k, m->p};
    const uint64_t choices[] = {m->n_choices, CHOICE_COLS};

    json_name(j, "k");
    json_put_i64(j, (int64_t)m->k);
    json_name(j, "choices");
    json_put_i64(j, (int64_t)m->n_choices);
    json_name(j, "inertia");
    json_put_double(j, m->inertia);
    st_add(w, "kmeans.centre", ST_F64, shape, 2, m->centre);
    st_add1(w, "kmeans.size", ST_F64, m->k, m->size);
    st_add1(w, "kmeans.share", ST_F64, m->p, m->share);
    st_add(w, "kmeans.choice", ST_F64, choices, 2, m->choice);
}

static bool
loaded_check(const struct kmeans *m, struct error *err)
{
    for (size_t c = 0; c < m->k; c++)
        if (!(m->size[c] >= 0 && m->size[c] <= UINT32_MAX))
            return error_set(err, ERR_CORRUPT, "a cluster of %g rows",
                             m->size[c]);
    for (size_t j = 0; j < m->p; j++)
        if (!(m->share[j] >= 0 && m->share[j] <= 1 + 1e-9))
            return error_set(err, ERR_CORRUPT, "a column's share is %g",
                             m->share[j]);
    for (size_t i = 0; i < m->n_choices; i++)
        if (!(fabs(m->choice[i * CHOICE_COLS]) <= KMEANS_MAX_K))
            return error_set(err, ERR_CORRUPT, "a choice of %g clusters",
                             m->choice[i * CHOICE_COLS]);
    return true;
}

static void *
kmeans_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
            enum problem problem, size_t n_classes, struct error *err)
{
    struct kmeans *m;
    int64_t k, choices;

    (void)problem;
    (void)n_classes;
    if (!json_get_i64(manifest, "k", &k, err) ||
        !json_get_i64(manifest, "choices", &choices, err))
        return NULL;
    if (k < 1 || k > KMEANS_MAX_K || choices < 0 || choices > MAX_CHOICES) {
        error_set(err, ERR_CORRUPT, "%lld clusters, %lld choices", (long long)k,
                  (long long)choices);
        return NULL;
    }
    if (!(m = mem_try_array(1, sizeof *m, err)))
        return NULL;
    m->p = n_cols;
    m->k = (size_t)k;
    m->n_choices = (size_t)choices;
    m->kernels = block_kernels();
    if (json_get_double(manifest, "inertia", &m->inertia, err) &&
        dense_take(f, "kmeans.centre", &m->centre, m->k, m->p, err) &&
        dense_take(f, "kmeans.size", &m->size, m->k, 1, err) &&
        dense_take(f, "kmeans.share", &m->share, m->p, 1, err) &&
        dense_load(f, "kmeans.choice", m->choice, m->n_choices * CHOICE_COLS,
                   err) &&
        loaded_check(m, err))
        return m;
    learner_free(m);
    return NULL;
}

static const struct param params[] = {
    {"k", PARAM_INT, 1, KMEANS_MAX_K, NULL, NULL,
     "clusters; auto: of 2..k_max as many as `choose` says"},
    {"k_max", PARAM_INT, 2, MAX_CHOICES, "10", NULL,
     "the most that are tried where k is not given"},
    {"choose", PARAM_CHOICE, 0, 0, "silhouette", "silhouette|elbow",
     "what decides on k: the best silhouette, or the bend of the inertia"},
    {"starts", PARAM_INT, 1, 1000, "4", NULL,
     "seedings, of which the best is kept"},
    {"max_iter", PARAM_INT, 1, 100000, "300", NULL,
     "stop after this many turns at the latest"},
    {"tolerance", PARAM_FLOAT, 0, 1, "0.0001", NULL,
     "stop when the centres' squared moves are under this share of the mean "
     "variance"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

const struct family kmeans_family = {
    .name = "kmeans",
    .title = "k-means clusters",
    .params = params,
    .style = PREPARE_DENSE,
    .problems = 1u << PROBLEM_NONE,
    .fit = kmeans_fit,
    .free = learner_free,
    .width = kmeans_width,
    .answer = kmeans_answer,
    .score = kmeans_score,
    .importance = kmeans_importance,
    .facts = kmeans_facts,
    .tables = tables,
    .table = kmeans_table,
    .save = kmeans_save,
    .load = kmeans_load,
};
