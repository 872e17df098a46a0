/* engine/port/portable_isolation.c -- an isolation forest as a graph.
 *
 * Its trees are an ensemble whose leaves are the lengths of their paths.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/isolation.h"
#include "engine/port/portable_of.h"

#define LN2 0.69314718055994530942

static bool
is_under(const struct design_source *s, double x, double cut)
{
    return (x - s->shift) * s->scale < cut;
}

/* The least value that is not under the cut once it is scaled: what is compared
 * before it is scaled falls as it fell. */
static double
cut_before(const struct design_source *s, double cut)
{
    double x = s->shift + cut / s->scale, low = x, high = x;
    double far = (fabs(x) + fabs(s->shift)) * 1e-15 + 1e-300;

    if (s->kind != DESIGN_NUMBER || (s->shift == 0 && s->scale == 1))
        return cut;
    for (double e = far; !is_under(s, low, cut) && e < HUGE_VAL; e *= 2)
        low = x - e;
    for (double e = far; is_under(s, high, cut) && e < HUGE_VAL; e *= 2)
        high = x + e;
    for (;;) {
        x = low + (high - low) / 2;
        if (!(x > low && x < high))
            return high;
        if (is_under(s, x, cut))
            low = x;
        else
            high = x;
    }
}

static bool
tree_take(struct ensemble *e, const struct isolation_parts *m, size_t t,
          const struct prepare *from, struct error *err)
{
    size_t first = m->first[t], n = m->first[t + 1] - first;
    struct ensemble_node *node = mem_try_array(n, sizeof *node, err);
    double *depth = mem_try_array(n, sizeof *depth, err);
    bool ok = node && depth;

    for (size_t i = 0; i < n && ok; i++) {
        uint32_t child = m->child[first + i], column = m->column[first + i];
        double cut = m->cut[first + i];

        if (child == 0) {
            node[i].feature = (uint32_t)e->n_values;
            node[i].yes = (uint32_t)e->n_values + 1;
            ok = ensemble_add_value(e, 0, depth[i] + cut, err);
            continue;
        }
        depth[child] = depth[child + 1] = depth[i] + 1;
        node[i].kind = ENSEMBLE_LT;
        node[i].feature = column;
        node[i].threshold = cut_before(prepare_source(from, column), cut);
        node[i].yes = child;
        node[i].no = child + 1;
    }
    ok = ok && ensemble_add_tree(e, node, n, 0, err);
    free(node);
    free(depth);
    return ok;
}

static struct ensemble *
trees_take(const struct isolation_parts *m, const struct prepare *from,
           struct error *err)
{
    struct ensemble *e = ensemble_new(m->p, 1, err);
    bool ok = e != NULL;

    if (ok)
        memcpy(e->gain, m->share, m->p * sizeof *e->gain);
    for (size_t t = 0; t < m->n_trees && ok; t++)
        ok = tree_take(e, m, t, from, err);
    if (ok)
        return e;
    ensemble_free(e);
    return NULL;
}

bool
portable_take_isolation(struct portable *p, const struct portable_from *f,
                        struct error *err)
{
    struct isolation_parts m = isolation_parts(f->learner);
    struct graph *g = p->graph;
    uint32_t in = f->in, two[2];
    /* 2^-(sum / mean); where there is no mean the sum is 0, the score 1/2. */
    double a = m.mean > 0 ? 0 : 1, b = m.mean > 0 ? -LN2 / m.mean : LN2;
    struct graph_node trees = {
        .op = GRAPH_TREES, .width = 1, .n_in = 1, .in = &in};
    struct graph_node scale = {.op = GRAPH_SCALE,
                               .width = 1,
                               .n_in = 1,
                               .in = &in,
                               .n_a = 1,
                               .a = &a,
                               .n_b = 1,
                               .b = &b};
    struct graph_node over = {
        .op = GRAPH_STEP, .width = 1, .n_in = 1, .in = two, .c = m.threshold};
    struct graph_node join = {
        .op = GRAPH_JOIN, .width = 2, .n_in = 2, .in = two};

    return (trees.trees = trees_take(&m, f->prepare, err)) &&
           graph_add(g, &trees, &in, err) && graph_add(g, &scale, &in, err) &&
           graph_add_simple(g, GRAPH_EXP, in, &two[0], err) &&
           graph_add(g, &over, &two[1], err) && graph_add(g, &join, NULL, err);
}
