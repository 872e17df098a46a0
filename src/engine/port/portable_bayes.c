/* engine/port/portable_bayes.c -- naive Bayes as a graph.
 *
 * Of each number and class a term: offset - precision (x - mean)^2, and 0 where
 * x is missing; of each category a row of a table.  The sum of all is the
 * logarithm of a share.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/classic/bayes.h"
#include "engine/port/portable_of.h"

#define FARTHEST (-1e30) /* a 32-bit number, and so are sums of it */

bool
portable_put_table(struct graph *g, const struct portable_features *features,
                   size_t ref, const struct portable_table *table, uint32_t *id,
                   struct error *err)
{
    size_t n = table->n_levels;
    struct graph_node map = {
        .op = GRAPH_MAP, .width = 1, .n_in = 1, .n_a = n, .n_b = n};
    struct graph_node embed = {.op = GRAPH_EMBED,
                               .width = table->width,
                               .n_in = 1,
                               .n_a = (n + 1) * table->width,
                               .a = (double *)(uintptr_t)table->rows};
    uint32_t in, place;

    map.in = &in;
    embed.in = &place;
    if (!portable_features_put(g, features, &ref, 1, &in, err) ||
        !graph_add(g, &map, &place, err) || !graph_add(g, &embed, id, err))
        return false;
    for (size_t k = 0; k < n; k++) {
        g->node[place].a[k] = (double)k;
        g->node[place].b[k] = (double)k + 1;
    }
    return true;
}

struct taking {
    struct graph *g;
    const struct prepare *from;
    const struct portable_features *features;
    struct bayes_parts b;
    struct error *err;
};

/* The terms of a number, by class. */
static bool
put_number(struct taking *t, size_t j, uint32_t *id)
{
    size_t k = t->b.k, ref = prepare_source(t->from, j)->ref;
    const double *v = t->b.part + t->b.at[j];
    uint32_t in, two[2];
    struct graph_node pick = {
        .op = GRAPH_PICK, .width = k, .n_in = 1, .in = &in, .n_index = k};
    struct graph_node scale = {.op = GRAPH_SCALE,
                               .width = k,
                               .n_in = 1,
                               .in = two,
                               .n_a = k,
                               .n_b = k};
    struct graph_node square = {
        .op = GRAPH_MUL, .width = k, .n_in = 2, .in = two};
    struct graph_node fill = {
        .op = GRAPH_FILL, .width = k, .n_in = 1, .in = id, .n_a = k};
    uint32_t apart, term;

    if (!portable_features_put(t->g, t->features, &ref, 1, &in, t->err) ||
        !graph_add(t->g, &pick, &two[0], t->err) ||
        !graph_add(t->g, &scale, &apart, t->err))
        return false;
    two[0] = two[1] = apart;
    if (!graph_add(t->g, &square, &two[0], t->err) ||
        !graph_add(t->g, &scale, &term, t->err) ||
        !graph_add_clip(t->g, term, FARTHEST, HUGE_VAL, id, t->err) ||
        !graph_add(t->g, &fill, id, t->err))
        return false;
    for (size_t c = 0; c < k; c++) {
        t->g->node[apart].a[c] = v[c];
        t->g->node[apart].b[c] = sqrt(v[k + c]);
        t->g->node[term].a[c] = v[2 * k + c];
        t->g->node[term].b[c] = -1;
    }
    return true;
}

/* The rows of a category: its shares, behind a row of zeros. */
static bool
put_category(struct taking *t, size_t j, uint32_t *id)
{
    size_t k = t->b.k, n = t->b.levels[j];
    double *rows = mem_try_array((n + 1) * k, sizeof *rows, t->err);
    struct portable_table table = {n, k, rows};
    bool ok;

    for (size_t i = 0; rows && i < n * k; i++)
        rows[k + i] = t->b.part[t->b.at[j] + i];
    ok = rows &&
         portable_put_table(t->g, t->features, prepare_source(t->from, j)->ref,
                            &table, id, t->err);
    free(rows);
    return ok;
}

/* The sums of all terms by class, or of two classes the second's less the
 * first's. */
static bool
put_sums(struct taking *t, uint32_t in, bool two, uint32_t *id)
{
    size_t p = t->b.p, k = t->b.k, width = two ? 1 : k;
    struct graph_node n = {.op = GRAPH_DENSE,
                           .width = width,
                           .n_in = 1,
                           .in = &in,
                           .n_a = p * k * width,
                           .n_b = width};

    if (!graph_add(t->g, &n, id, t->err))
        return false;
    for (size_t j = 0; j < p; j++)
        for (size_t c = 0; c < k; c++) {
            if (two)
                t->g->node[*id].a[j * k + c] = c == 0 ? -1 : 1;
            else
                t->g->node[*id].a[(j * k + c) * k + c] = 1;
        }
    for (size_t c = 0; c < width; c++)
        t->g->node[*id].b[c] =
            two ? t->b.prior[1] - t->b.prior[0] : t->b.prior[c];
    return true;
}

bool
portable_take_bayes(struct portable *p, const struct prepare *from,
                    const struct portable_features *features,
                    const void *learner, struct error *err)
{
    struct taking t = {p->graph, from, features, bayes_parts(learner), err};
    uint32_t *part = mem_try_array(t.b.p, sizeof *part, err), id;
    struct graph_node join = {
        .op = GRAPH_JOIN, .width = t.b.p * t.b.k, .n_in = t.b.p, .in = part};
    bool two = p->problem == PROBLEM_BINARY, ok = part != NULL;

    /* Far from all means the terms are large, and their difference decides. */
    p->slack = 1e-4;
    for (size_t j = 0; j < t.b.p && ok; j++)
        ok = t.b.levels[j] ? put_category(&t, j, &part[j])
                           : put_number(&t, j, &part[j]);
    ok = ok && graph_add(t.g, &join, &id, err) && put_sums(&t, id, two, &id) &&
         graph_add_simple(t.g, two ? GRAPH_SIGMOID : GRAPH_SOFTMAX, id, NULL,
                          err);
    free(part);
    return ok;
}
