/* engine/port/imported.c -- the family of models that were learnt elsewhere.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/imported.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/boosted.h"
#include "engine/port/ensemble_shap.h"
#include "engine/port/graph.h"

struct imported {
    struct graph *graph;
    double *share; /* importance: n_cols, sums to 1 */
    struct answer *answer;
    size_t n_answers;
    struct boosted boosted; /* where it is trees and a link */
    bool exact;             /* and these know how training rows went */
};

static void
imported_free(void *learner)
{
    struct imported *m = learner;

    if (!m)
        return;
    graph_unref(m->graph);
    free(m->share);
    free(m->answer);
    free(m);
}

static bool
shares_make(struct imported *m, struct error *err)
{
    size_t n = m->graph->n_cols;
    double sum = 0;

    if (!(m->share = mem_try_array(n, sizeof *m->share, err)) ||
        !graph_weigh(m->graph, m->share, err))
        return false;
    for (size_t i = 0; i < n; i++)
        sum += m->share[i];
    for (size_t i = 0; i < n; i++)
        m->share[i] =
            sum > 0 && isfinite(sum) ? m->share[i] / sum : 1 / (double)n;
    return true;
}

void *
imported_new(struct graph *g, const struct answer *answers, size_t n,
             struct error *err)
{
    struct imported *m = mem_try_array(1, sizeof *m, err);

    if (!m) {
        graph_unref(g);
        return NULL;
    }
    m->graph = g;
    m->n_answers = n;
    m->exact = n == 0 && boosted_find_in(g, &m->boosted) &&
               m->boosted.link != GRAPH_STEP && !m->boosted.e->line_start &&
               ensemble_has_covers(m->boosted.e);
    if (shares_make(m, err) &&
        (m->answer = mem_try_array(n, sizeof *m->answer, err))) {
        if (n)
            memcpy(m->answer, answers, n * sizeof *m->answer);
        return m;
    }
    imported_free(m);
    return NULL;
}

const struct graph *
imported_graph(const void *learner)
{
    return ((const struct imported *)learner)->graph;
}

static bool
imported_score(const void *learner, const struct design *d, struct pool *pool,
               double *out, struct error *err)
{
    return graph_score(imported_graph(learner), d, pool, out, err);
}

/* ---- explaining ---- */

/* The sums of the trees, where a link makes other numbers of them than shares
 * of classes. */
static bool
imported_margin(const void *learner, const struct design *d, struct pool *pool,
                double *out, struct error *err)
{
    const struct imported *m = learner;
    bool sums = m->exact && m->boosted.link != GRAPH_CLIP &&
                m->boosted.link != GRAPH_NORMALIZE;

    return graph_score_at(m->graph, sums ? m->boosted.node : m->graph->n - 1, d,
                          pool, out, err);
}

static bool
imported_exact(const void *learner)
{
    return ((const struct imported *)learner)->exact;
}

static bool
imported_needs_background(const void *learner)
{
    return !imported_exact(learner);
}

/* What the trees look at; NULL on failure. */
static double *
rows_seen(const struct imported *m, const struct design *d, struct pool *pool,
          struct error *err)
{
    uint32_t from = m->graph->node[m->boosted.node].in[0];
    size_t width = m->boosted.e->n_cols * sizeof(double);
    double *x = mem_try_array(design_rows(d), width, err);

    if (x && graph_score_at(m->graph, from, d, pool, x, err))
        return x;
    free(x);
    return NULL;
}

static bool
imported_attribute(const void *learner, const struct attribution *a,
                   struct error *err)
{
    const struct imported *m = learner;
    size_t n_cols = m->boosted.e->n_cols;
    struct ensemble_rows rows = {.n = design_rows(a->rows)};
    uint32_t *feature;
    double *x = NULL, *back = NULL;
    bool ok;

    if (a->pairs)
        return error_set(err, ERR_RANGE,
                         "pairs are told of lathe's own trees and of linear "
                         "models alone");
    feature = mem_try_array(n_cols, sizeof *feature, err);
    ok = feature && (x = rows_seen(m, a->rows, a->pool, err)) &&
         (!a->background || (back = rows_seen(m, a->background, a->pool, err)));
    if (ok) {
        for (size_t c = 0; c < n_cols; c++)
            feature[c] = a->feature[m->boosted.column[c]];
        rows.x = x;
        rows.background = back;
        rows.n_background = back ? design_rows(a->background) : 0;
        rows.feature = feature;
        ok = ensemble_shap(m->boosted.e, &rows, a, err);
    }
    free(feature);
    free(x);
    free(back);
    return ok;
}

static size_t
imported_width(const void *learner)
{
    return ((const struct imported *)learner)->n_answers;
}

static void
imported_answer(const void *learner, size_t c, struct answer *out)
{
    *out = ((const struct imported *)learner)->answer[c];
}

static void
imported_importance(const void *learner, double *out)
{
    const struct imported *m = learner;

    for (size_t i = 0; i < m->graph->n_cols; i++)
        out[i] = m->share[i];
}

static void
imported_save(const void *learner, struct st_writer *w, struct json_writer *m)
{
    const struct imported *i = learner;

    graph_save(i->graph, w, m);
    if (i->n_answers == 0)
        return;
    json_name(m, "answers");
    json_open(m, '[');
    for (size_t c = 0; c < i->n_answers; c++) {
        json_open(m, '{');
        json_name(m, "name");
        json_put_string(m, i->answer[c].name);
        json_name(m, "whole");
        json_put_bool(m, i->answer[c].whole);
        json_close(m, '}');
    }
    json_close(m, ']');
}

/* *out: caller frees. */
static bool
answers_read(const struct json *manifest, struct answer **out, size_t *n,
             struct error *err)
{
    const struct json *a;
    size_t c = 0;

    if (!json_get_array(manifest, "answers", &a, err))
        return false;
    *n = json_len(a);
    if (*n == 0 || *n > GRAPH_MAX_WIDTH)
        return error_set(err, ERR_CORRUPT, "%zu answers", *n);
    if (!(*out = mem_try_array(*n, sizeof **out, err)))
        return false;
    for (const struct json *v = json_first(a); v; v = json_next(v), c++) {
        const char *name;

        if (!json_get_string(v, "name", &name, err) ||
            !json_get_bool(v, "whole", &(*out)[c].whole, err))
            return false;
        if (!*name || strlen(name) >= sizeof(*out)[c].name)
            return error_set(err, ERR_CORRUPT, "an answer's name is '%.64s'",
                             name);
        strcpy((*out)[c].name, name);
    }
    return true;
}

static void *
imported_load(const struct st_file *f, const struct json *manifest,
              size_t n_cols, enum problem problem, size_t n_classes,
              struct error *err)
{
    size_t width = problem == PROBLEM_MULTICLASS ? n_classes : 1, n = 0;
    struct answer *answer = NULL;
    struct graph *g = NULL;
    void *m = NULL;

    if (problem != PROBLEM_NONE || answers_read(manifest, &answer, &n, err))
        g = graph_load(f, manifest, n_cols, n ? n : width, err);
    if (g)
        m = imported_new(g, answer, n, err);
    free(answer);
    return m;
}

static const struct param params[] = {
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

const struct family imported_family = {
    .name = "imported",
    .title = "a model of another program",
    .params = params,
    .style = PREPARE_TREES,
    .problems = FAMILY_ANY_TARGET | 1u << PROBLEM_NONE,
    .free = imported_free,
    .width = imported_width,
    .answer = imported_answer,
    .score = imported_score,
    .importance = imported_importance,
    .save = imported_save,
    .load = imported_load,
    .margin = imported_margin,
    .attribute = imported_attribute,
    .exact = imported_exact,
    .needs_background = imported_needs_background,
};
