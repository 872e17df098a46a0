/* engine/port/imported.c -- the family of models that were learnt elsewhere.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/imported.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/port/graph.h"

struct imported {
    struct graph *graph;
    double *share; /* importance: n_cols, sums to 1 */
};

static void
imported_free(void *learner)
{
    struct imported *m = learner;

    if (!m)
        return;
    graph_unref(m->graph);
    free(m->share);
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
imported_new(struct graph *g, struct error *err)
{
    struct imported *m = mem_try_array(1, sizeof *m, err);

    if (!m) {
        graph_unref(g);
        return NULL;
    }
    m->graph = g;
    if (shares_make(m, err))
        return m;
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
    graph_save(imported_graph(learner), w, m);
}

static void *
imported_load(const struct st_file *f, const struct json *manifest,
              size_t n_cols, enum problem problem, size_t n_classes,
              struct error *err)
{
    size_t width = problem == PROBLEM_MULTICLASS ? n_classes : 1;
    struct graph *g = graph_load(f, manifest, n_cols, width, err);

    return g ? imported_new(g, err) : NULL;
}

static const struct param params[] = {
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

const struct family imported_family = {
    .name = "imported",
    .title = "a model of another program",
    .params = params,
    .style = PREPARE_TREES,
    .problems = 1u << PROBLEM_BINARY | 1u << PROBLEM_MULTICLASS |
                1u << PROBLEM_REGRESSION,
    .free = imported_free,
    .score = imported_score,
    .importance = imported_importance,
    .save = imported_save,
    .load = imported_load,
};
