/* engine/port/portable_of.c -- what a model of lathe is made of.
 *
 * The one place that looks into the fitted state of other wings.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/als.h"
#include "engine/classic/bayes.h"
#include "engine/classic/ets.h"
#include "engine/classic/isolation.h"
#include "engine/classic/kmeans.h"
#include "engine/classic/knn.h"
#include "engine/classic/linear.h"
#include "engine/classic/path.h"
#include "engine/classic/pca.h"
#include "engine/classic/sgd.h"
#include "engine/neural/cnn.h"
#include "engine/neural/mlp.h"
#include "engine/port/boosted.h"
#include "engine/port/imported.h"
#include "engine/port/portable_of.h"
#include "engine/trees/forest.h"
#include "engine/trees/gbdt.h"
#include "engine/trees/lags.h"
#include "engine/trees/objective.h"
#include "engine/trees/tree.h"

/* ---- inputs ---- */

void
portable_date(struct portable *p, size_t i, enum col_type type)
{
    p->input[i].dated = type;
    if (type == COL_DATE || type == COL_TIMESTAMP)
        buf_printf(&p->notes,
                   "input '%s' is a number there: %s since 1970-01-01\n",
                   p->input[i].name, type == COL_DATE ? "days" : "seconds");
}

static bool
inputs_take(struct portable *p, const struct prepare *from, struct error *err)
{
    for (size_t i = 0; i < p->graph->n_cols; i++) {
        struct prepare_feature f;
        const char **levels;

        prepare_feature_get(from, i, &f);
        if (!portable_name(p, i, str_of(f.as.name), err))
            return false;
        if (f.derived)
            buf_printf(&p->notes,
                       "input '%s' is to be computed before: it is a derived "
                       "column\n",
                       f.as.name);
        p->input[i].derived = f.derived;
        portable_date(p, i, f.as.type);
        if (f.as.type != COL_TEXT)
            continue;
        if (!(levels =
                  arena_try(&p->arena, f.as.n_levels, sizeof *levels, err)))
            return false;
        for (size_t k = 0; k < f.as.n_levels; k++)
            if (!(levels[k] = arena_text(&p->arena, f.as.levels[k],
                                         strlen(f.as.levels[k]), err)))
                return false;
        p->input[i].levels = levels;
        p->input[i].n_levels = f.as.n_levels;
        p->input[i].rest = f.rest;
        p->input[i].blank = f.rest > 0; /* learnt by ONNX */
    }
    return true;
}

static bool
target_take_names(struct portable *p, const struct model *m, struct error *err)
{
    const char *const *names, *target = model_target(m);
    size_t n = model_classes(m, &names);

    for (size_t c = 0; model_problem(m) == PROBLEM_NONE && c < model_width(m);
         c++)
        if ((c == 0 && !portable_answers(p, model_width(m), err)) ||
            !model_answer(m, c, &p->answer[c]))
            return false;
    target = target ? target : "";
    p->target = arena_text(&p->arena, target, strlen(target), err);
    return p->target && (n == 0 || portable_classes(p, names, n, err));
}

/* ---- learners ---- */

/* Levels whose code is in set `at`, as members; bit 0 is for the missing. */
static bool
set_take(struct ensemble *e, const struct forest *f, size_t at, uint32_t col,
         double *member, uint32_t *number, struct error *err)
{
    const uint64_t *set = f->set + at * TREE_SET_WORDS;
    uint32_t first = f->level_start[col], end = f->level_start[col + 1];
    size_t n = 0;

    for (uint32_t l = first; l < end; l++) {
        unsigned code = f->level_code[l];

        if (set[code / 64] >> code % 64 & 1)
            member[n++] = (double)(l - first);
    }
    return ensemble_add_set(e, member, n, number, err);
}

static bool
node_take(struct ensemble *e, const struct forest *f, size_t i, double *member,
          struct ensemble_node *to, struct error *err)
{
    bool category = f->flags[i] & TREE_CATEGORY;
    uint32_t number;

    to->feature = tree_feature(f, i);
    to->kind = category ? ENSEMBLE_SET : ENSEMBLE_LT;
    to->threshold = f->threshold[i];
    if (!category) {
        to->kind |= f->flags[i] & TREE_MISSING_LEFT ? ENSEMBLE_MISSING_YES : 0;
        return true;
    }
    if (!set_take(e, f, (size_t)f->threshold[i], to->feature, member, &number,
                  err))
        return false;
    if (f->set[(size_t)f->threshold[i] * TREE_SET_WORDS] & 1)
        to->kind |= ENSEMBLE_MISSING_YES;
    to->threshold = number;
    return true;
}

static bool
leaf_take(struct ensemble *e, const struct forest *f, size_t leaf,
          size_t output, struct error *err)
{
    uint32_t col[UINT8_MAX], at;
    size_t n;

    if (!ensemble_add_value(e, output, (double)f->value[leaf], err))
        return false;
    if (!f->line_start || f->line_start[leaf] == f->line_start[leaf + 1])
        return true;
    at = f->line_start[leaf];
    n = f->line_start[leaf + 1] - at;
    if (n > sizeof col / sizeof *col)
        return error_set(err, ERR_LIMIT, "a line of %zu columns", n);
    for (size_t k = 0; k < n; k++)
        col[k] = f->line_col[at + k];
    return ensemble_add_line(e, f->line_base[leaf], col, f->line + at, n, err);
}

/* Inner nodes first, then leaves, as a forest numbers them. */
static bool
tree_take(struct ensemble *e, const struct forest *f, size_t t, double *member,
          struct error *err)
{
    size_t start = f->node_start[t], n = f->node_start[t + 1] - start;
    struct ensemble_node *node = mem_try_array(2 * n + 1, sizeof *node, err);
    bool ok = node != NULL;

    for (size_t i = 0; i < n && ok; i++) {
        int16_t left = f->left[start + i], right = f->right[start + i];

        ok = node_take(e, f, start + i, member, &node[i], err);
        node[i].yes = (uint32_t)(left >= 0 ? left : (int)n + ~left);
        node[i].no = (uint32_t)(right >= 0 ? right : (int)n + ~right);
    }
    for (size_t i = 0; i <= n && ok; i++) {
        node[n + i].feature = (uint32_t)e->n_values;
        node[n + i].yes = (uint32_t)e->n_values + 1;
        node[n + i].cover =
            f->cover ? (double)f->cover[f->leaf_start[t] + i] : 0;
        ok = leaf_take(e, f, f->leaf_start[t] + i, t % f->n_outputs, err);
    }
    /* Children stand behind their parents. */
    for (size_t i = n; i-- > 0 && ok;)
        node[i].cover = node[node[i].yes].cover + node[node[i].no].cover;
    ok = ok && ensemble_add_tree(e, node, 2 * n + 1, 0, err);
    free(node);
    return ok;
}

static struct ensemble *
forest_take(const struct forest *f, const struct progress *stop,
            struct error *err)
{
    struct ensemble *e = ensemble_new(f->n_cols, f->n_outputs, err);
    double *member =
        mem_try_array(f->level_start[f->n_cols] + 1, sizeof *member, err);
    bool ok = e && member;

    if (ok) {
        memcpy(e->base, f->base, f->n_outputs * sizeof *e->base);
        memcpy(e->gain, f->gain, f->n_cols * sizeof *e->gain);
    }
    for (size_t t = 0; t < f->n_trees && ok; t++)
        ok = progress_check(stop, err) && tree_take(e, f, t, member, err);
    free(member);
    if (ok)
        return e;
    ensemble_free(e);
    return NULL;
}

/* What makes answers of sums. */
static bool
link_put(struct graph *g, enum graph_op op, uint32_t in, struct error *err)
{
    return graph_add_simple(g, op, in, NULL, err);
}

static bool
gbdt_link(struct portable *p, const struct loss_rule *loss, uint32_t in,
          struct error *err)
{
    struct graph *g = p->graph;

    /* They are answered in ascending order, which sums need not be. */
    if (loss->loss == LOSS_QUANTILE && loss->n_quantiles > 1)
        return error_set(err, ERR_TYPE,
                         "a model of %zu quantiles has no other format: learn "
                         "one for each",
                         loss->n_quantiles);
    if (loss_is_log(loss->loss))
        return link_put(g, GRAPH_EXP, in, err);
    if (loss->loss == LOSS_OVA)
        return graph_add_simple(g, GRAPH_SIGMOID, in, &in, err) &&
               link_put(g, GRAPH_NORMALIZE, in, err);
    return p->problem == PROBLEM_REGRESSION ||
           link_put(
               g, p->problem == PROBLEM_BINARY ? GRAPH_SIGMOID : GRAPH_SOFTMAX,
               in, err);
}

static bool
gbdt_take(struct portable *p, const struct portable_from *from,
          struct error *err)
{
    const void *learner = from->learner;
    uint32_t in = from->in;
    struct graph_node n = {.op = GRAPH_TREES, .n_in = 1, .in = &in};
    uint32_t id;

    if (!(n.trees = forest_take(gbdt_forest(learner), p->arena.stop, err)))
        return false;
    n.width = n.trees->n_outputs;
    return graph_add(p->graph, &n, &id, err) &&
           gbdt_link(p, gbdt_loss(learner), id, err);
}

/* Means of shares, which are shares but for rounding. */
static bool
random_forest_take(struct portable *p, const struct portable_from *from,
                   struct error *err)
{
    uint32_t in = from->in;
    struct graph_node n = {.op = GRAPH_TREES, .n_in = 1, .in = &in};
    uint32_t id;

    if (!(n.trees =
              forest_take(forest_forest(from->learner), p->arena.stop, err)))
        return false;
    n.width = n.trees->n_outputs;
    return graph_add(p->graph, &n, &id, err) &&
           (p->problem == PROBLEM_REGRESSION ||
            boosted_put_link(p, n.width > 1 ? GRAPH_NORMALIZE : GRAPH_CLIP, id,
                             err));
}

static bool
linear_take(struct portable *p, const struct portable_from *from,
            struct error *err)
{
    struct linear_weights w = linear_weights_of(from->learner);
    uint32_t in = from->in;
    struct graph_node n = {.op = GRAPH_DENSE,
                           .width = w.n_outputs,
                           .n_in = 1,
                           .in = &in,
                           .n_a = w.n_cols * w.n_outputs,
                           .n_b = w.n_outputs};
    struct graph *g = p->graph;
    uint32_t id;

    if (!graph_add(g, &n, &id, err))
        return false;
    for (size_t k = 0; k < w.n_outputs; k++) {
        for (size_t j = 0; j < w.n_cols; j++)
            g->node[id].a[j * w.n_outputs + k] = w.weight[k * w.n_cols + j];
        g->node[id].b[k] = w.bias[k];
    }
    return p->problem == PROBLEM_REGRESSION ||
           link_put(
               g, p->problem == PROBLEM_BINARY ? GRAPH_SIGMOID : GRAPH_SOFTMAX,
               id, err);
}

/* The rows less their means along the components. */
static bool
pca_take(struct portable *p, const struct portable_from *from,
         struct error *err)
{
    struct pca_parts m = pca_parts(from->learner);
    uint32_t in = from->in, id;
    struct graph_node scale = {.op = GRAPH_SCALE,
                               .width = m.p,
                               .n_in = 1,
                               .in = &in,
                               .n_a = m.p,
                               .n_b = m.p};
    struct graph_node along = {.op = GRAPH_DENSE,
                               .width = m.k,
                               .n_in = 1,
                               .in = &id,
                               .n_a = m.p * m.k};
    struct graph *g = p->graph;
    double *a;

    if (!graph_add(g, &scale, &id, err))
        return false;
    for (size_t j = 0; j < m.p; j++) {
        g->node[id].a[j] = m.mean[j];
        g->node[id].b[j] = 1;
    }
    if (!graph_add(g, &along, &id, err))
        return false;
    a = g->node[id].a;
    for (size_t c = 0; c < m.k; c++) {
        double sd = m.whiten ? sqrt(m.variance[c]) : 1;

        for (size_t j = 0; j < m.p; j++)
            a[j * m.k + c] = sd > 0 ? m.loading[c * m.p + j] / sd : 0;
    }
    return true;
}

static const struct taker {
    const struct family *family;
    bool (*take)(struct portable *p, const struct portable_from *from,
                 struct error *err);
    unsigned how; /* portable_columns() */
} takers[] = {
    {&elastic_net_family, linear_take, PORTABLE_CODES},
    {&extra_trees_family, random_forest_take, PORTABLE_CODES},
    {&forest_family, random_forest_take, PORTABLE_CODES},
    {&gbdt_family, gbdt_take, PORTABLE_CODES},
    {&isolation_forest_family, portable_take_isolation,
     PORTABLE_CODES | PORTABLE_UNSCALED},
    {&kmeans_family, portable_take_kmeans, PORTABLE_CODES},
    {&knn_family, portable_take_knn, PORTABLE_CODES},
    {&lasso_family, linear_take, PORTABLE_CODES},
    {&linear_family, linear_take, PORTABLE_CODES},
    {&logistic_family, linear_take, PORTABLE_CODES},
    {&pca_family, pca_take, PORTABLE_CODES},
    {&ridge_family, linear_take, PORTABLE_CODES},
    {&sgd_family, linear_take, PORTABLE_CODES},
};

/* Why others cannot be written: a file answers a row by itself. */
static const struct {
    const struct family *family;
    const char *why;
} kept[] = {
    {&als_family, "it knows users and items by their ratings"},
    {&ets_family, "it goes on with a series"},
    {&gbdt_lags_family, "it answers a row by the rows before it"},
    {&seasonal_naive_family, "it goes on with a series"},
};

static const struct taker *
taker_find(const struct model *m, struct error *err)
{
    const char *why = "no format has it";

    for (size_t i = 0; i < sizeof takers / sizeof takers[0]; i++)
        if (takers[i].family == model_family(m))
            return &takers[i];
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (kept[i].family == model_family(m))
            why = kept[i].why;
    error_set(err, ERR_TYPE,
              "a model of kind '%s' can be written in lathe's own format "
              "only, and %s: ask it by lathe predict or an endpoint",
              model_family(m)->name, why);
    return NULL;
}

/* Every feature is an input. */
static bool
features_plain(struct portable *p, const struct prepare *from,
               struct portable_features *f, struct error *err)
{
    f->n = prepare_features(from);
    f->column = arena_try(&p->arena, f->n, sizeof *f->column, err);
    f->node = arena_try(&p->arena, f->n, sizeof *f->node, err);
    for (size_t i = 0; i < f->n && f->column && f->node; i++) {
        f->column[i] = (uint32_t)i;
        f->node[i] = UINT32_MAX;
    }
    return f->column && f->node;
}

/* Is it taken by a function of its own? */
static bool
is_taken_apart(const struct family *f)
{
    return f == &cnn_family || f == &imported_family || f == &mlp_family ||
           f == &naive_bayes_family;
}

static bool
learner_take(struct portable *p, const struct model *m,
             const struct portable_sources *sources, struct error *err)
{
    const struct prepare *from = model_prepare(m);
    const void *learner = model_learner(m);
    bool mlp = model_family(m) == &mlp_family;
    bool bayes = model_family(m) == &naive_bayes_family;
    struct portable_features features;
    const struct taker *t = NULL;
    uint32_t id;

    if (!is_taken_apart(model_family(m)) && !(t = taker_find(m, err)))
        return false;
    if (!(sources->computed
              ? portable_steps_put(p, from, sources, &features, err)
              : features_plain(p, from, &features, err)))
        return false;
    if (bayes)
        return portable_take_bayes(p, from, &features, learner, err);
    if (!portable_columns(p->graph, from, &features,
                          t     ? t->how
                          : mlp ? 0
                                : PORTABLE_CODES,
                          &id, err))
        return false;
    if (mlp)
        return portable_take_mlp(p, from, &features, learner, id, err);
    if (t)
        return t->take(p, &(struct portable_from){from, learner, id}, err);
    return portable_take_cnn(p, learner, id, err);
}

/* What is in p->graph before anything is done to answers. */
static bool
model_take(struct portable *p, const struct model *m, size_t pixels,
           const struct portable_sources *sources, struct error *err)
{
    if (!(pixels || sources->computed ||
          inputs_take(p, model_prepare(m), err)) ||
        !target_take_names(p, m, err))
        return false;
    if (pixels)
        return portable_take_pictures(p, model_learner(m), err);
    if (model_family(m) != &imported_family)
        return learner_take(p, m, sources, err);
    graph_unref(p->graph);
    p->graph = graph_ref(imported_graph(model_learner(m)));
    return true;
}

struct portable *
portable_of(const struct model *m, bool exprs, const struct progress *stop,
            struct error *err)
{
    const struct prepare *from = model_prepare(m);
    struct portable_sources sources;
    struct portable *p = NULL;
    size_t pixels = 0;
    bool ok;

    if (!is_taken_apart(model_family(m)) && !taker_find(m, err))
        return NULL;
    if (model_family(m) == &cnn_family)
        pixels = portable_pixels(model_learner(m));
    ok = portable_sources_find(from, exprs, &sources, err) &&
         (p = portable_new(pixels             ? pixels
                           : sources.computed ? sources.n
                                              : prepare_features(from),
                           err));
    if (ok)
        p->arena.stop = stop;
    ok = ok && model_take(p, m, pixels, &sources, err) &&
         portable_finish(p, m, err);
    portable_sources_fini(&sources);
    if (ok && portable_check(p, err))
        return p;
    portable_free(p);
    return NULL;
}
