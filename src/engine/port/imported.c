/* engine/port/imported.c -- the family of models that were learnt elsewhere.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/imported.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/graph.h"

struct imported {
    struct graph *graph;
    double *share; /* importance: n_cols, sums to 1 */
    struct answer *answer;
    size_t n_answers;
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
};
