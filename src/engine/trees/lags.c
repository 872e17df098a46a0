/* engine/trees/lags.c -- series by gradient boosting: parameters and files.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/lags.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/trees/gbdt.h"
#include "engine/trees/lags_state.h"
#include "frame/builder.h"

enum { MAX_PERIOD = 10000 };

/* Those of gbdt_family that lags_fit.c hands on have its names. */
static const struct param lags_params[] = {
    {"time", PARAM_TEXT, 0, 0, NULL, NULL,
     "the column of times; else the only one of dates or times; none: the "
     "rows are in order"},
    {"series", PARAM_TEXT, 0, 0, NULL, NULL,
     "the column that tells which series a row is of; none: there is one"},
    {"inputs", PARAM_TEXT, 0, 0, NULL, NULL,
     "columns that are known beforehand: price,holiday"},
    {"period", PARAM_INT, 1, MAX_PERIOD, NULL, NULL,
     "steps of a season; auto: 12 of months, 4 of quarters, 7 of days, 24 of "
     "hours"},
    {"lags", PARAM_TEXT, 0, 0, NULL, NULL,
     "which steps ago are looked at: 1-7,14; auto: by the period"},
    {"means", PARAM_TEXT, 0, 0, NULL, NULL,
     "means of so many last steps: 7,28; 0: none; auto: of a period"},
    {"calendar", PARAM_BOOL, 0, 0, "true", NULL,
     "hour, weekday, day and month of the time, where it is one"},
    {"difference", PARAM_CHOICE, 0, 0, "auto", "auto|none|step|season",
     "learn what changes, since the step before or a season ago; auto: what "
     "foretells the rows held out best"},
    {"ahead", PARAM_INT, 0, LAGS_MAX_DIRECT, "0", NULL,
     "steps that are answered directly, by trees that know how far ahead they "
     "look; 0: each from the answers before it"},
    {"holdout", PARAM_FLOAT, 0, 0.5, "0.2", NULL,
     "share of the rows, the last ones, that stop the trees and tell their "
     "errors"},
    {"loss", PARAM_CHOICE, 0, 0, "squared", "squared|absolute|huber",
     "what is made small"},
    {"trees", PARAM_INT, 1, 100000, "1000", NULL,
     "rounds of boosting, at most; fewer when the rows held out say so"},
    {"learning_rate", PARAM_FLOAT, 0.0001, 1, "0.05", NULL,
     "share of each step that is taken"},
    {"leaves", PARAM_INT, 2, 32768, NULL, NULL, "leaves of a tree, at most"},
    {"max_depth", PARAM_INT, 0, 64, "0", NULL,
     "splits from the root to a leaf, at most; 0: any"},
    {"min_rows", PARAM_INT, 1, 1e9, NULL, NULL, "rows of a leaf, at least"},
    {"l2", PARAM_FLOAT, 0, 1e9, "1", NULL,
     "added to the second derivative of a leaf"},
    {"row_share", PARAM_FLOAT, 0.01, 1, NULL, NULL,
     "share of the rows that a tree learns from"},
    {"col_share", PARAM_FLOAT, 0.01, 1, NULL, NULL,
     "share of the lags and inputs that a tree may use"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};
void
lags_free(void *learner)
{
    struct lags *m = learner;

    if (!m)
        return;
    if (m->trees)
        gbdt_family.free(m->trees);
    free(m->gain);
    free(m->series);
    free(m->y);
    free(m->error);
    free(m->key);
    free(m->first);
    free(m->rows);
    free(m->errors);
    free(m);
}

/* ---- importance ---- */

const void *
lags_trees(const void *learner)
{
    return ((const struct lags *)learner)->trees;
}

bool
lags_weigh(struct lags *m, struct error *err)
{
    if (!(m->gain =
              mem_try_array(lags_features(&m->rule), sizeof *m->gain, err)))
        return false;
    gbdt_family.importance(m->trees, m->gain);
    return true;
}

/* What comes of the past of the target alone is the time's, which brings it
 * about; else it is shared by all columns. */
static void
lags_importance(const void *learner, double *out)
{
    const struct lags *m = learner;
    const struct lags_rule *r = &m->rule;
    size_t n = lags_features(r);
    double past = 0;

    for (size_t c = 0; c < r->n_cols; c++)
        out[c] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t col = lags_feature_column(r, i);

        col = col == LAGS_NO_COLUMN ? r->time : col;
        if (col == LAGS_NO_COLUMN)
            past += m->gain[i];
        else
            out[col] += m->gain[i];
    }
    for (size_t c = 0; c < r->n_cols; c++)
        out[c] += past / (double)r->n_cols;
}

static const struct family_table tables[] = {
    {"features", "lags, means, calendar and inputs, and what splits by each "
                 "have gained"},
    {NULL, NULL},
};

struct gained {
    size_t feature;
    double gain;
};

static int
by_gain(const void *a, const void *b)
{
    const struct gained *x = a, *y = b;

    if (x->gain != y->gain)
        return x->gain > y->gain ? -1 : 1;
    return (x->feature > y->feature) - (x->feature < y->feature);
}

static struct frame *
lags_table(const void *learner, size_t which, const struct prepare *prepare,
           struct error *err)
{
    static const char *const names[] = {"feature", "importance"};
    static const enum col_type types[] = {COL_TEXT, COL_FLOAT64};
    const struct lags *m = learner;
    size_t n = lags_features(&m->rule);
    struct gained *list = mem_try_array(n, sizeof *list, err);
    struct builder *b = list ? builder_new(2, names, types, err) : NULL;
    bool ok = b != NULL;
    char name[256];

    (void)which;
    for (size_t i = 0; i < n && ok; i++)
        list[i] = (struct gained){i, m->gain[i]};
    if (ok)
        qsort(list, n, sizeof *list, by_gain);
    for (size_t i = 0; i < n && ok; i++) {
        lags_feature_name(&m->rule, list[i].feature, prepare, name,
                          sizeof name);
        ok = builder_text(b, 0, str_of(name), err) &&
             builder_f64(b, 1, list[i].gain, err) && builder_end_row(b, err);
    }
    free(list);
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

/* ---- the file ---- */

static void
lags_save(const void *learner, struct st_writer *w, struct json_writer *j)
{
    const struct lags *m = learner;
    const struct lags_rule *r = &m->rule;
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"period", (int64_t)r->period},
        {"gap", (int64_t)r->gap},
        {"ahead", (int64_t)r->ahead},
        {"parts", (int64_t)r->parts},
        {"time", r->time == LAGS_NO_COLUMN ? -1 : (int64_t)r->time},
        {"series", r->series == LAGS_NO_COLUMN ? -1 : (int64_t)r->series},
        {"n_series", (int64_t)m->n_series},
        {"n_lags", (int64_t)r->n_lags},
        {"n_means", (int64_t)r->n_means},
        {"n_errors", (int64_t)m->n_errors},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        json_name(j, numbers[i].name);
        json_put_i64(j, numbers[i].value);
    }
    json_name(j, "in_seconds");
    json_put_bool(j, r->in_seconds);
    json_name(j, "clock");
    json_open(j, '{');
    clock_save(&m->series[0].clock, j);
    json_close(j, '}');
    st_add1(w, "lags.lag", ST_U32, r->n_lags, r->lag);
    st_add1(w, "lags.mean", ST_U32, r->n_means, r->mean);
    st_add1(w, "lags.key", ST_F64, m->n_series, m->key);
    st_add1(w, "lags.first", ST_F64, m->n_series, m->first);
    st_add1(w, "lags.rows", ST_U64, m->n_series, m->rows);
    st_add1(w, "lags.errors", ST_U64, m->n_series, m->errors);
    st_add1(w, "lags.y", ST_F64, m->n, m->y);
    st_add1(w, "lags.error", ST_F64, m->n_errors, m->error);
    json_name(j, "trees");
    json_open(j, '{');
    gbdt_family.save(m->trees, w, j);
    json_close(j, '}');
}

static bool
take(const struct st_file *f, const char *name, enum st_type type, size_t n,
     void *out, size_t size, struct error *err)
{
    struct st_tensor t;
    void **to = out;

    if (!st_need(f, name, type, (int64_t)n, &t, err) ||
        !(*to = mem_try_array(n, size, err)))
        return false;
    if (n > 0)
        memcpy(*to, t.data, n * size);
    return true;
}

static bool
take_steps(const struct st_file *f, const char *name, int64_t n, uint32_t *out,
           struct error *err)
{
    struct st_tensor t;

    if (!st_need(f, name, ST_U32, n, &t, err))
        return false;
    for (int64_t i = 0; i < n; i++) {
        out[i] = ((const uint32_t *)t.data)[i];
        if (out[i] < 1 || out[i] > LAGS_MAX_STEP)
            return error_set(err, ERR_CORRUPT, "%s: %u steps", name,
                             (unsigned)out[i]);
    }
    return true;
}

struct numbers {
    int64_t period, gap, ahead, parts, time, series, n_series, n_lags, n_means;
    int64_t n_errors;
};

static bool
numbers_read(const struct json *o, struct numbers *v, size_t n_cols,
             struct error *err)
{
    int64_t cols = (int64_t)n_cols;

    if (!json_get_i64(o, "period", &v->period, err) ||
        !json_get_i64(o, "gap", &v->gap, err) ||
        (json_find(o, "ahead") && !json_get_i64(o, "ahead", &v->ahead, err)) ||
        !json_get_i64(o, "parts", &v->parts, err) ||
        !json_get_i64(o, "time", &v->time, err) ||
        !json_get_i64(o, "series", &v->series, err) ||
        !json_get_i64(o, "n_series", &v->n_series, err) ||
        !json_get_i64(o, "n_lags", &v->n_lags, err) ||
        !json_get_i64(o, "n_means", &v->n_means, err) ||
        !json_get_i64(o, "n_errors", &v->n_errors, err))
        return false;
    return (v->period >= 1 && v->period <= MAX_PERIOD && v->gap >= 0 &&
            v->gap <= MAX_PERIOD && v->ahead >= 0 &&
            v->ahead <= LAGS_MAX_DIRECT && v->parts >= 0 &&
            v->parts < 1 << LAGS_N_PARTS && v->time >= -1 && v->time < cols &&
            v->series >= -1 && v->series < cols &&
            (v->time < 0 || v->time != v->series) && v->n_series >= 1 &&
            v->n_series <= UINT32_MAX && v->n_lags >= 0 &&
            v->n_lags <= LAGS_MOST && v->n_means >= 0 &&
            v->n_means <= LAGS_MOST && v->n_errors >= 0 &&
            (v->series >= 0 || v->n_series == 1) &&
            (v->time >= 0 || v->parts == 0)) ||
           error_set(err, ERR_CORRUPT, "lags: the numbers are damaged");
}

static bool
rule_load(struct lags *m, const struct st_file *f, const struct json *o,
          size_t n_cols, struct error *err)
{
    struct lags_rule *r = &m->rule;
    struct numbers v = {0}; /* no `ahead` in old files */

    if (!numbers_read(o, &v, n_cols, err) ||
        !json_get_bool(o, "in_seconds", &r->in_seconds, err) ||
        !take_steps(f, "lags.lag", v.n_lags, r->lag, err) ||
        !take_steps(f, "lags.mean", v.n_means, r->mean, err))
        return false;
    r->period = (size_t)v.period;
    r->gap = (size_t)v.gap;
    r->ahead = (size_t)v.ahead;
    r->parts = (unsigned)v.parts;
    r->time = v.time < 0 ? LAGS_NO_COLUMN : (size_t)v.time;
    r->series = v.series < 0 ? LAGS_NO_COLUMN : (size_t)v.series;
    r->n_lags = (size_t)v.n_lags;
    r->n_means = (size_t)v.n_means;
    r->n_cols = n_cols;
    r->n_inputs = n_cols - (v.time >= 0) - (v.series >= 0);
    m->n_series = (size_t)v.n_series;
    m->n_errors = (size_t)v.n_errors;
    return true;
}

/* Where each series lies in what was loaded. */
static bool
series_load(struct lags *m, const struct clock *clock, struct error *err)
{
    double most = clock->months ? 1e7 * (clock->seconds ? 86400.0 : 1) : 1e15;
    size_t errors = 0;

    m->series = mem_try_array(m->n_series, sizeof *m->series, err);
    for (size_t k = 0; m->series && k < m->n_series; k++) {
        struct lags_series *s = &m->series[k];

        *s = (struct lags_series){.clock = *clock,
                                  .key = m->key[k],
                                  .begin = m->n,
                                  .errors_begin = errors};
        if (m->rows[k] < 1 || m->rows[k] > UINT32_MAX ||
            m->errors[k] > m->n_errors - errors ||
            (m->rule.ahead && m->errors[k] % m->rule.ahead) ||
            !(fabs(m->first[k]) <= most) ||
            !(k == 0 ? m->key[k] == m->key[k] : m->key[k] > m->key[k - 1]))
            return error_set(err, ERR_CORRUPT, "lags: series %zu is damaged",
                             k + 1);
        s->clock.first = m->first[k];
        s->clock.n = (size_t)m->rows[k];
        s->n_errors = (size_t)m->errors[k];
        m->n += s->clock.n;
        errors += s->n_errors;
    }
    return m->series != NULL;
}

static void *
lags_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
          enum problem problem, size_t n_classes, struct error *err)
{
    struct lags *m = mem_try_array(1, sizeof *m, err);
    const struct json *o;
    struct clock clock;
    size_t s;
    bool ok = m && rule_load(m, f, manifest, n_cols, err) &&
              json_get_object(manifest, "clock", &o, err) &&
              clock_load(&clock, o, m->rule.time != LAGS_NO_COLUMN, err);

    (void)n_classes;
    s = ok ? m->n_series : 0;
    ok =
        ok && take(f, "lags.key", ST_F64, s, &m->key, sizeof *m->key, err) &&
        take(f, "lags.first", ST_F64, s, &m->first, sizeof *m->first, err) &&
        take(f, "lags.rows", ST_U64, s, &m->rows, sizeof *m->rows, err) &&
        take(f, "lags.errors", ST_U64, s, &m->errors, sizeof *m->errors, err) &&
        series_load(m, &clock, err) &&
        take(f, "lags.y", ST_F64, m->n, &m->y, sizeof *m->y, err) &&
        take(f, "lags.error", ST_F64, m->n_errors, &m->error, sizeof *m->error,
             err) &&
        json_get_object(manifest, "trees", &o, err) &&
        (m->trees = gbdt_family.load(f, o, lags_features(&m->rule), problem, 0,
                                     err)) &&
        lags_weigh(m, err);
    if (ok)
        return m;
    lags_free(m);
    return NULL;
}

static const char *const columns[] = {"time", "series", "inputs", NULL};

const struct family gbdt_lags_family = {
    .name = "gbdt_lags",
    .title = "gradient boosting on lags",
    .params = lags_params,
    .style = PREPARE_IDS,
    .columns = columns,
    .problems = 1u << PROBLEM_REGRESSION,
    .fit = lags_fit,
    .free = lags_free,
    .score = lags_score,
    .importance = lags_importance,
    .forecast = lags_forecast,
    .tables = tables,
    .table = lags_table,
    .save = lags_save,
    .load = lags_load,
};
