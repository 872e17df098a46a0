/* engine/classic/pca.c -- principal components.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/pca.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/block.h"
#include "engine/classic/eigen.h"
#include "engine/classic/gram.h"
#include "engine/classic/panels.h"
#include "frame/builder.h"

enum {
    MAX_SIDE = 4096,
    MAX_COLS = 1 << 20,
    TILE_COLS = 64,   /* of the product over them: they stay in cache */
    PRODUCT_ROWS = 32 /* of it, in a piece */
};

struct pca {
    size_t p, k;
    bool whiten;
    double *mean;     /* p */
    double *loading;  /* (k, p) */
    double *variance; /* k */
    double total;     /* variance of all columns */
    const struct block_kernels *kernels;
};

static void
learner_free(void *learner)
{
    struct pca *m = learner;

    if (!m)
        return;
    free(m->mean);
    free(m->loading);
    free(m->variance);
    free(m);
}

/* ---- fitting ---- */

struct fitting {
    struct pca *m;
    const struct fit_data *d;
    const struct train *ctx;
    size_t n, p, side; /* side: of the matrix, the lesser of n and p */
    double *matrix;    /* (side, side) */
    double *vector;    /* (k, side) */
    double *value;     /* side */
    double *x;         /* (p, n), centred: where there are fewer rows */
    size_t first;      /* of the tile at hand: columns TILE_COLS, or fewer */
};

static bool
from_columns(struct fitting *f, struct error *err)
{
    struct gram g = {.d = f->d->train,
                     .mean = f->m->mean,
                     .out = f->matrix,
                     .pool = f->ctx->pool,
                     .progress = f->ctx->progress};

    return gram_make(&g, err);
}

static void
pull_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct fitting *f = ctx;

    (void)chunk;
    for (size_t j = begin; j < end; j++) {
        double *x = f->x + j * f->n;

        design_pull(f->d->train, j, 0, f->n, x);
        for (size_t i = 0; i < f->n; i++)
            x[i] -= f->m->mean[j];
    }
}

static size_t
tile_cols(const struct fitting *f)
{
    return f->p - f->first < TILE_COLS ? f->p - f->first : TILE_COLS;
}

static void
product_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct fitting *f = ctx;
    const double *x = f->x + f->first * f->n;

    (void)chunk;
    gram_add_rows(
        &(struct gram_product){x, x, tile_cols(f), f->n, f->n, f->matrix},
        begin, end);
}

static bool
from_rows(struct fitting *f, struct error *err)
{
    struct pool *pool = f->ctx->pool;

    if (!dense_try(&f->x, f->p, f->n, err) ||
        !pool_try(pool, f->p, 1, pull_chunk, f, err))
        return false;
    for (f->first = 0; f->first < f->p; f->first += TILE_COLS)
        if (!pool_try(pool, f->n, PRODUCT_ROWS, product_chunk, f, err))
            return false;
    gram_mirror(f->matrix, f->n);
    return true;
}

/* A vector over the rows says how the rows mix to a direction. */
static void
loading_of_rows(const struct fitting *f, size_t c, double *out)
{
    const double *u = f->vector + c * f->n;
    double length;

    for (size_t j = 0; j < f->p; j++)
        out[j] = dense_dot(f->x + j * f->n, u, f->n);
    length = sqrt(dense_dot(out, out, f->p));
    for (size_t j = 0; j < f->p && length > 0; j++)
        out[j] /= length;
}

static void
loading_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct fitting *f = ctx;

    (void)chunk;
    for (size_t c = begin; c < end; c++) {
        double *row = f->m->loading + c * f->p;

        if (f->x)
            loading_of_rows(f, c, row);
        else
            memcpy(row, f->vector + c * f->p, f->p * sizeof *row);
        eigen_turn(row, f->p);
    }
}

static size_t
how_many(const struct fitting *f, const struct params *p)
{
    double share = params_float(p, "share"), sum = 0;
    size_t k = 0;

    if (params_is_set(p, "components"))
        return (size_t)params_int(p, "components");
    while (k < f->side && (k == 0 || sum < share * f->m->total))
        sum += f->value[k++];
    return k;
}

/* What each direction holds, and how many are kept. */
static bool
variances_take(struct fitting *f, const struct params *p, const double *value,
               struct error *err)
{
    struct pca *m = f->m;

    for (size_t i = 0; i < f->side; i++) {
        f->value[i] = fmax(value[i] / (double)(f->n - 1), 0);
        m->total += f->value[i];
    }
    if (!(m->total > 0) || !isfinite(m->total))
        return error_set(err, ERR_RANGE,
                         m->total > 0 ? "the values are too far apart"
                                      : "all rows are equal");
    m->k = how_many(f, p);
    if (m->k > f->side)
        return error_set(err, ERR_RANGE,
                         "%zu components, and there are %zu rows of %zu "
                         "columns",
                         m->k, f->n, f->p);
    if (!dense_try(&m->variance, m->k, 1, err))
        return false;
    memcpy(m->variance, f->value, m->k * sizeof *m->variance);
    return true;
}

/* Rows have no direction where there is no variance: what is at right angles to
 * the loadings before. */
static void
loading_of_none(const struct pca *m, size_t c)
{
    double *row = m->loading + c * m->p, left = -1, length;
    size_t at = 0;

    for (size_t j = 0; j < m->p; j++) {
        double own = 1;

        for (size_t b = 0; b < c; b++)
            own -= m->loading[b * m->p + j] * m->loading[b * m->p + j];
        if (own > left) {
            left = own;
            at = j;
        }
    }
    memset(row, 0, m->p * sizeof *row);
    row[at] = 1;
    for (size_t twice = 0; twice < 2 * c; twice++) {
        const double *other = m->loading + twice % c * m->p;
        double by = dense_dot(row, other, m->p);

        for (size_t j = 0; j < m->p; j++)
            row[j] -= by * other[j];
    }
    length = sqrt(dense_dot(row, row, m->p));
    for (size_t j = 0; j < m->p; j++)
        row[j] /= length;
    eigen_turn(row, m->p);
}

static bool
loadings_take(struct fitting *f, struct error *err)
{
    struct pca *m = f->m;
    /* What rounding leaves of none. */
    double least = m->variance[0] * DBL_EPSILON * (double)(f->n + f->p);

    if (!dense_try(&m->loading, m->k, f->p, err))
        return false;
    if (!pool_try(f->ctx->pool, m->k, 1, loading_chunk, f, err))
        return false;
    for (size_t c = 0; c < m->k && f->x; c++) {
        if (m->variance[c] > least)
            continue;
        m->variance[c] = 0;
        loading_of_none(m, c);
    }
    return true;
}

static bool
components_find(struct fitting *f, const struct params *p, struct error *err)
{
    struct eigen *g =
        eigen_new(f->matrix, f->side, f->ctx->pool, f->ctx->progress, err);
    bool ok = g && variances_take(f, p, eigen_values(g), err) &&
              dense_try(&f->vector, f->m->k, f->side, err) &&
              eigen_vectors(g, f->m->k, f->vector, err);

    eigen_free(g);
    return ok && loadings_take(f, err);
}

static bool
fit_run(struct fitting *f, const struct params *p, struct error *err)
{
    if (f->n < 2)
        return error_set(err, ERR_RANGE, "%zu rows have no variance", f->n);
    if (f->side > MAX_SIDE)
        return error_set(err, ERR_LIMIT,
                         "%zu rows of %zu columns after encoding: components "
                         "are found up to %d of one or the other",
                         f->n, f->p, MAX_SIDE);
    if (!dense_try(&f->m->mean, f->p, 1, err) ||
        !dense_try(&f->matrix, f->side, f->side, err) ||
        !dense_try(&f->value, f->side, 1, err))
        return false;
    progress_begin(f->ctx->progress, "finding components", 1);
    if (!gram_means(f->d->train, f->ctx->pool, f->m->mean, err))
        return false;
    for (size_t j = 0; j < f->p; j++)
        if (!isfinite(f->m->mean[j]))
            return error_set(err, ERR_RANGE, "the values are too far apart");
    if (!(f->n < f->p ? from_rows(f, err) : from_columns(f, err)))
        return false;
    for (size_t i = 0; i < f->side * f->side; i++)
        if (!isfinite(f->matrix[i]))
            return error_set(err, ERR_RANGE, "the values are too far apart");
    return components_find(f, p, err);
}

static void
tell(const struct fitting *f, struct json_writer *w)
{
    const struct pca *m = f->m;
    double sum = 0;

    for (size_t c = 0; c < m->k; c++)
        sum += m->variance[c];
    json_name(w, "components");
    json_put_i64(w, (int64_t)m->k);
    event_emit(&f->ctx->sink, "train.explained", 1, sum / m->total);
}

static void *
pca_fit(const struct fit_data *d, const struct params *p,
        const struct train *ctx, struct json_writer *chosen, struct error *err)
{
    struct fitting f = {.m = mem_try_array(1, sizeof *f.m, err),
                        .d = d,
                        .ctx = ctx,
                        .n = design_rows(d->train),
                        .p = design_cols(d->train)};
    bool ok = false;

    f.side = f.n < f.p ? f.n : f.p;
    if (f.m) {
        f.m->p = f.p;
        f.m->whiten = params_bool(p, "whiten");
        f.m->kernels = block_kernels();
        ok = fit_run(&f, p, err);
    }
    if (ok)
        tell(&f, chosen);
    free(f.matrix);
    free(f.vector);
    free(f.value);
    free(f.x);
    if (ok)
        return f.m;
    learner_free(f.m);
    return NULL;
}

/* ---- the fitted model ---- */

static size_t
pca_width(const void *learner)
{
    return ((const struct pca *)learner)->k;
}

struct pca_parts
pca_parts(const void *learner)
{
    const struct pca *m = learner;

    return (struct pca_parts){m->p,    m->k,       m->whiten,
                              m->mean, m->loading, m->variance};
}

static void
pca_answer(const void *learner, size_t c, struct answer *out)
{
    (void)learner;
    snprintf(out->name, sizeof out->name, "pc%zu", c + 1);
}

struct scoring {
    const struct pca *m;
    double *out;
};

/* The scratch: the panel less the means, then (k, PANEL). */
static void
score_panel(void *ctx, size_t first, size_t n, const double *x, double *scratch)
{
    const struct scoring *s = ctx;
    const struct pca *m = s->m;
    double *along = scratch + m->p * PANEL;

    for (size_t j = 0; j < m->p; j++)
        for (size_t i = 0; i < PANEL; i++)
            scratch[j * PANEL + i] = x[j * PANEL + i] - m->mean[j];
    memset(along, 0, m->k * PANEL * sizeof *along);
    m->kernels->product(&(struct block){.a = m->loading,
                                        .a_row = m->p,
                                        .a_col = 1,
                                        .n_a = m->k,
                                        .b = scratch,
                                        .b_row = PANEL,
                                        .n_b = PANEL,
                                        .p = m->p,
                                        .out = along,
                                        .out_row = PANEL});
    for (size_t c = 0; c < m->k; c++) {
        double sd = sqrt(m->variance[c]);

        for (size_t i = 0; i < n; i++) {
            double v = along[c * PANEL + i];

            s->out[(first + i) * m->k + c] = !m->whiten ? v
                                             : sd > 0   ? v / sd
                                                        : 0;
        }
    }
}

static bool
pca_score(const void *learner, const struct design *d, struct pool *pool,
          double *out, struct error *err)
{
    const struct pca *m = learner;
    struct scoring s = {m, out};

    return panels_each(d, pool, (m->p + m->k) * PANEL, score_panel, &s, err);
}

/* What the components hold of each column's variance. */
static void
pca_importance(const void *learner, double *out)
{
    const struct pca *m = learner;
    double all = 0;

    for (size_t j = 0; j < m->p; j++) {
        out[j] = 0;
        for (size_t c = 0; c < m->k; c++)
            out[j] += m->variance[c] * m->loading[c * m->p + j] *
                      m->loading[c * m->p + j];
        all += out[j];
    }
    for (size_t j = 0; j < m->p; j++)
        out[j] = all > 0 && isfinite(all) ? out[j] / all : 1 / (double)m->p;
}

/* ---- tables ---- */

enum { TABLE_VARIANCE };
static const struct family_table tables[] = {
    {"variance", "a row for each component: its variance, share, and the sum"},
    {"loadings", "a row for each column: its part in each component"},
    {NULL, NULL},
};

static struct frame *
variance_table(const struct pca *m, struct error *err)
{
    static const char *const names[] = {"component", "variance", "share",
                                        "cumulative"};
    static const enum col_type types[] = {COL_TEXT, COL_FLOAT64, COL_FLOAT64,
                                          COL_FLOAT64};
    struct builder *b = builder_new(4, names, types, err);
    bool ok = b != NULL;
    double sum = 0;

    for (size_t c = 0; c < m->k && ok; c++) {
        struct answer a;

        pca_answer(m, c, &a);
        sum += m->variance[c];
        ok = builder_text(b, 0, str_of(a.name), err) &&
             builder_f64(b, 1, m->variance[c], err) &&
             builder_f64(b, 2, m->variance[c] / m->total, err) &&
             builder_f64(b, 3, sum / m->total, err) && builder_end_row(b, err);
    }
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

static bool
loading_rows(const struct pca *m, const struct prepare *prepare,
             struct builder *b, struct error *err)
{
    for (size_t j = 0; j < m->p; j++) {
        struct prepared column;

        prepare_column(prepare, j, &column);
        if (!builder_text(b, 0, str_of(column.name), err))
            return false;
        for (size_t c = 0; c < m->k; c++)
            if (!builder_f64(b, c + 1, m->loading[c * m->p + j], err))
                return false;
        if (!builder_end_row(b, err))
            return false;
    }
    return true;
}

static struct frame *
loadings_table(const struct pca *m, const struct prepare *prepare,
               struct error *err)
{
    struct answer *a = mem_try_array(m->k, sizeof *a, err);
    const char **names = mem_try_array(m->k + 1, sizeof *names, err);
    enum col_type *types = mem_try_array(m->k + 1, sizeof *types, err);
    struct builder *b = NULL;
    bool ok = a && names && types;

    if (ok) {
        names[0] = "column";
        types[0] = COL_TEXT;
    }
    for (size_t c = 0; c < m->k && ok; c++) {
        pca_answer(m, c, &a[c]);
        names[c + 1] = a[c].name;
        types[c + 1] = COL_FLOAT64;
    }
    ok = ok && (b = builder_new(m->k + 1, names, types, err)) &&
         loading_rows(m, prepare, b, err);
    free(a);
    free(names);
    free(types);
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

static struct frame *
pca_table(const void *learner, size_t which, const struct prepare *prepare,
          struct error *err)
{
    return which == TABLE_VARIANCE ? variance_table(learner, err)
                                   : loadings_table(learner, prepare, err);
}

/* ---- the file ---- */

static void
pca_save(const void *learner, struct st_writer *w, struct json_writer *j)
{
    const struct pca *m = learner;
    const uint64_t shape[] = {m->k, m->p};

    json_name(j, "components");
    json_put_i64(j, (int64_t)m->k);
    json_name(j, "whiten");
    json_put_bool(j, m->whiten);
    json_name(j, "total");
    json_put_double(j, m->total);
    st_add1(w, "pca.mean", ST_F64, m->p, m->mean);
    st_add(w, "pca.loading", ST_F64, shape, 2, m->loading);
    st_add1(w, "pca.variance", ST_F64, m->k, m->variance);
}

static bool
variance_check(const struct pca *m, struct error *err)
{
    for (size_t c = 0; c < m->k; c++)
        if (m->variance[c] < 0)
            return error_set(err, ERR_CORRUPT, "a variance of %g",
                             m->variance[c]);
    return true;
}

static void *
pca_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
         enum problem problem, size_t n_classes, struct error *err)
{
    struct pca *m;
    int64_t k;

    (void)problem;
    (void)n_classes;
    if (!json_get_i64(manifest, "components", &k, err))
        return NULL;
    if (k < 1 || k > MAX_SIDE || n_cols > MAX_COLS || (size_t)k > n_cols) {
        error_set(err, ERR_CORRUPT, "%lld components of %zu columns",
                  (long long)k, n_cols);
        return NULL;
    }
    if (!(m = mem_try_array(1, sizeof *m, err)))
        return NULL;
    m->p = n_cols;
    m->k = (size_t)k;
    m->kernels = block_kernels();
    if (json_get_bool(manifest, "whiten", &m->whiten, err) &&
        json_get_double(manifest, "total", &m->total, err) &&
        dense_take(f, "pca.mean", &m->mean, m->p, 1, err) &&
        dense_take(f, "pca.loading", &m->loading, m->k, m->p, err) &&
        dense_take(f, "pca.variance", &m->variance, m->k, 1, err) &&
        variance_check(m, err))
        return m;
    learner_free(m);
    return NULL;
}

static const struct param params[] = {
    {"components", PARAM_INT, 1, MAX_SIDE, NULL, NULL,
     "directions; auto: as many as explain `share` of the variance"},
    {"share", PARAM_FLOAT, 0, 1, "0.95", NULL,
     "of the variance, explained where components is not given"},
    {"whiten", PARAM_BOOL, 0, 0, "false", NULL,
     "divide each answer by its deviation"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

const struct family pca_family = {
    .name = "pca",
    .title = "principal components",
    .params = params,
    .style = PREPARE_DENSE,
    .problems = 1u << PROBLEM_NONE,
    .fit = pca_fit,
    .free = learner_free,
    .width = pca_width,
    .answer = pca_answer,
    .score = pca_score,
    .importance = pca_importance,
    .tables = tables,
    .table = pca_table,
    .save = pca_save,
    .load = pca_load,
};
