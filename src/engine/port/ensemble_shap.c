/* engine/port/ensemble_shap.c -- exact Shapley values of trees of others.
 *
 * A leaf at a time: the features that are asked for on its way, each with
 * whether the row goes that way (o) and the share of training rows that do (z),
 * give its part of every share by one integral (engine/trees/shap.h).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/ensemble_shap.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "engine/trees/shap_rule.h"

enum { GRAIN = 8 };

struct job {
    const struct ensemble *e;
    const struct ensemble_rows *rows;
    const struct attribution *a;
    uint32_t *parent; /* of a node; a root's is UINT32_MAX */
    size_t deepest;   /* edges of a way */
    size_t largest;   /* nodes of a tree */
    struct shap_rule rule;
    atomic_int failure;
};

/* A feature on the way to a leaf. */
struct asked {
    uint32_t feature;
    bool row; /* does the row go that way */
    double z;
};

struct work {
    const struct job *j;
    struct asked *asked; /* deepest */
    uint32_t *slot;      /* by feature: its place in asked + 1; 0: none */
    double *product;     /* at the points of the rule */
    uint8_t *yes;        /* by node of a tree: does the row say it */
    uint8_t *back;       /* and a row of the background */
    double *out;         /* of the row */
    double scale;        /* of a row of the background: 1 / how many */
};

/* ---- ways ---- */

/* Of the features on the way to a leaf; 0 where neither the row nor what stands
 * for it goes there. */
static bool
find_way(struct work *w, size_t first, uint32_t leaf, size_t *n)
{
    const struct job *j = w->j;
    const struct ensemble *e = j->e;
    uint32_t child = leaf;
    bool open = true;

    *n = 0;
    for (uint32_t i = j->parent[leaf]; i != UINT32_MAX;
         child = i, i = j->parent[i]) {
        uint32_t f = j->rows->feature[e->feature[i]];
        bool yes = e->yes[i] == child;
        struct asked *a;

        if (w->slot[f] == 0) {
            w->asked[*n] = (struct asked){f, true, 1};
            w->slot[f] = (uint32_t)++ * n;
        }
        a = &w->asked[w->slot[f] - 1];
        a->row &= (w->yes[i - first] != 0) == yes;
        if (w->back)
            a->z *= (w->back[i - first] != 0) == yes;
        else
            a->z *= e->cover[i] > 0 ? e->cover[child] / e->cover[i] : 0;
    }
    for (size_t k = 0; k < *n; k++) {
        w->slot[w->asked[k].feature] = 0;
        open &= w->asked[k].row || w->asked[k].z > 0;
    }
    return open;
}

/* ---- leaves ---- */

static void
add_share(struct work *w, uint32_t leaf, size_t feature, double share)
{
    const struct ensemble *e = w->j->e;
    size_t width = w->j->a->n_features + 1;

    for (uint32_t v = e->feature[leaf]; v < e->yes[leaf]; v++)
        w->out[e->target[v] * width + feature] +=
            e->value[v] * share * w->scale;
}

static double
factor(const struct shap_rule *r, const struct asked *a, size_t point)
{
    return (a->row ? r->t[point] : 0) + r->rest[point] * a->z;
}

static void
explain_leaf(struct work *w, size_t first, uint32_t leaf)
{
    const struct shap_rule *r = &w->j->rule;
    double base = 1;
    size_t n;

    if (!find_way(w, first, leaf, &n))
        return;
    memcpy(w->product, r->w, r->n * sizeof *w->product);
    for (size_t k = 0; k < n; k++) {
        base *= w->asked[k].z;
        for (size_t p = 0; p < r->n; p++)
            w->product[p] *= factor(r, &w->asked[k], p);
    }
    add_share(w, leaf, w->j->a->n_features, base);
    for (size_t k = 0; k < n; k++) {
        const struct asked *a = &w->asked[k];
        double sum = 0;

        for (size_t p = 0; p < r->n; p++)
            sum += w->product[p] / factor(r, a, p);
        add_share(w, leaf, a->feature, sum * ((a->row ? 1 : 0) - a->z));
    }
}

static void
answer_nodes(const struct ensemble *e, size_t t, const double *x, uint8_t *yes)
{
    size_t first = e->root[t], end = ensemble_tree_end(e, t);

    for (size_t i = first; i < end; i++)
        if ((e->kind[i] & ENSEMBLE_KIND) != ENSEMBLE_LEAF)
            yes[i - first] = ensemble_yes(e, (uint32_t)i, x[e->feature[i]]);
}

static void
explain_leaves(struct work *w, size_t t)
{
    const struct ensemble *e = w->j->e;

    for (size_t i = e->root[t]; i < ensemble_tree_end(e, t); i++)
        if ((e->kind[i] & ENSEMBLE_KIND) == ENSEMBLE_LEAF)
            explain_leaf(w, e->root[t], (uint32_t)i);
}

static void
explain_row(struct work *w, size_t row)
{
    const struct job *j = w->j;
    const struct ensemble *e = j->e;
    size_t width = j->a->n_features + 1, n = j->rows->n_background;

    w->out = j->a->out + row * e->n_outputs * width;
    w->scale = n ? 1 / (double)n : 1;
    for (size_t k = 0; k < e->n_outputs; k++)
        w->out[k * width + width - 1] += e->base[k];
    for (size_t t = 0; t < e->n_trees; t++) {
        answer_nodes(e, t, j->rows->x + row * e->n_cols, w->yes);
        if (n == 0)
            explain_leaves(w, t);
        for (size_t b = 0; b < n; b++) {
            answer_nodes(e, t, j->rows->background + b * e->n_cols, w->back);
            explain_leaves(w, t);
        }
    }
    progress_add(j->a->progress, e->n_outputs);
}

/* ---- rows ---- */

static bool
work_init(struct work *w, const struct job *j)
{
    struct error ignored;

    *w = (struct work){.j = j};
    w->asked = mem_try_array(j->deepest, sizeof *w->asked, &ignored);
    w->slot = mem_try_array(j->a->n_features, sizeof *w->slot, &ignored);
    w->product = mem_try_array(j->rule.n, sizeof *w->product, &ignored);
    w->yes = mem_try_array(j->largest, 1, &ignored);
    if (j->rows->n_background)
        w->back = mem_try_array(j->largest, 1, &ignored);
    return w->asked && w->slot && w->product && w->yes &&
           (w->back || !j->rows->n_background);
}

static void
explain_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct job *j = ctx;
    struct work w;

    (void)chunk;
    if (!work_init(&w, j))
        atomic_store(&j->failure, ERR_NOMEM);
    else
        for (size_t i = begin; i < end && !progress_stopped(j->a->progress);
             i++)
            explain_row(&w, i);
    free(w.asked);
    free(w.slot);
    free(w.product);
    free(w.yes);
    free(w.back);
}

/* Who is above whom, and how far the farthest leaf is. */
static bool
find_parents(struct job *j, struct error *err)
{
    const struct ensemble *e = j->e;
    uint32_t *depth = mem_try_array(e->n_nodes, sizeof *depth, err);

    j->parent = mem_try_array(e->n_nodes, sizeof *j->parent, err);
    if (!depth || !j->parent) {
        free(depth);
        return false;
    }
    for (size_t t = 0; t < e->n_trees; t++) {
        size_t n = ensemble_tree_end(e, t) - e->root[t];

        j->parent[e->root[t]] = UINT32_MAX;
        j->largest = n > j->largest ? n : j->largest;
    }
    for (size_t i = 0; i < e->n_nodes; i++) {
        j->deepest = depth[i] > j->deepest ? depth[i] : j->deepest;
        if ((e->kind[i] & ENSEMBLE_KIND) == ENSEMBLE_LEAF)
            continue;
        j->parent[e->yes[i]] = j->parent[e->no[i]] = (uint32_t)i;
        depth[e->yes[i]] = depth[e->no[i]] = depth[i] + 1;
    }
    free(depth);
    return true;
}

bool
ensemble_shap(const struct ensemble *e, const struct ensemble_rows *rows,
              const struct attribution *a, struct error *err)
{
    struct job j = {.e = e, .rows = rows, .a = a};
    size_t most;
    bool ok = find_parents(&j, err);

    most = j.deepest < a->n_features ? j.deepest : a->n_features;
    atomic_init(&j.failure, 0);
    ok = ok && shap_rule_init(&j.rule, shap_rule_points(most), err);
    if (ok) {
        pool_for(a->pool, rows->n, GRAIN, explain_chunk, &j);
        ok = progress_check(a->progress, err);
        if (ok && atomic_load(&j.failure))
            ok = error_set(err, ERR_NOMEM, "no memory to explain %zu rows",
                           rows->n);
    }
    shap_rule_fini(&j.rule);
    free(j.parent);
    return ok;
}
