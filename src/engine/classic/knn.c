/* engine/classic/knn.c -- the k nearest rows decide.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/knn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/neighbours.h"
#include "engine/classic/tell.h"

enum {
    MAX_K = 10000,
    TREE_COLS = 12,  /* more: a tree looks at most rows anyway */
    TREE_ROWS = 2000 /* fewer: brute force is as fast */
};

struct knn {
    enum problem problem;
    size_t n_classes, k;
    bool by_distance;
    struct neighbours t;
    double *y; /* n, in the order of t.x */
};

static void
learner_free(void *learner)
{
    struct knn *m = learner;

    if (!m)
        return;
    neighbours_fini(&m->t);
    free(m->y);
    free(m);
}

static bool
wants_tree(const struct params *p, const struct panels *x)
{
    const char *how = params_text(p, "search");

    return strcmp(how, "tree") == 0 ||
           (strcmp(how, "auto") == 0 && x->p <= TREE_COLS && x->n >= TREE_ROWS);
}

static void *
knn_fit(const struct fit_data *d, const struct params *p,
        const struct train *ctx, struct json_writer *chosen, struct error *err)
{
    struct knn *m = mem_try_array(1, sizeof *m, err);
    struct panels x = {0};
    bool tree = false, ok;

    if (!m)
        return NULL;
    m->problem = d->y->problem;
    m->n_classes = d->y->n_classes;
    m->k = (size_t)params_int(p, "k");
    m->by_distance = strcmp(params_text(p, "weights"), "distance") == 0;
    progress_begin(ctx->progress, "fitting", 1);
    ok = !ctx->progress || progress_check(ctx->progress, err);
    if (ok && m->k > d->y->n)
        ok = error_set(err, ERR_RANGE, "k is %zu, and there are %zu rows", m->k,
                       d->y->n);
    if (ok && (ok = panels_init(&x, d->train, ctx->pool, err))) {
        tree = wants_tree(p, &x);
        ok = neighbours_build(&m->t, &x, tree, ctx->progress, err) &&
             dense_try(&m->y, d->y->n, 1, err);
    }
    for (size_t i = 0; ok && i < d->y->n; i++)
        m->y[i] = d->y->y[m->t.id[i]];
    json_name(chosen, "search");
    json_put_string(chosen, tree ? "tree" : "all");
    ok = ok && tell_scores(&knn_family, m, d, ctx, false, err);
    panels_fini(&x);
    if (ok)
        return m;
    learner_free(m);
    return NULL;
}

/* ---- the fitted model ---- */

struct knn_parts
knn_parts(const void *learner)
{
    const struct knn *m = learner;

    return (struct knn_parts){m->k, m->by_distance, &m->t, m->y};
}

/* What each neighbour counts. */
static void
weigh(const struct knn *m, const struct neighbour *found, double *weight)
{
    bool touches = found[0].distance == 0;
    bool beyond = isinf(found[0].distance); /* all of them: none is nearer */

    for (size_t i = 0; i < m->k; i++)
        weight[i] = !m->by_distance || beyond ? 1
                    : touches                 ? found[i].distance == 0
                                              : 1 / sqrt(found[i].distance);
}

static void
answer(const struct knn *m, const struct neighbour *found, const double *weight,
       double *out)
{
    double all = 0, sum = 0;

    for (size_t i = 0; i < m->k; i++)
        all += weight[i];
    if (m->problem != PROBLEM_MULTICLASS) {
        for (size_t i = 0; i < m->k; i++)
            sum += weight[i] * m->y[found[i].at];
        *out = sum / all;
        return;
    }
    memset(out, 0, m->n_classes * sizeof *out);
    for (size_t i = 0; i < m->k; i++)
        out[(size_t)m->y[found[i].at]] += weight[i] / all;
}

struct scoring {
    const struct knn *m;
    const struct pool *pool;
    double *out;
};

/* The scratch: what a search needs, weights, then neighbours of sixteen. */
static size_t
scratch_len(const struct knn *m)
{
    return neighbours_scratch(&m->t) + m->k +
           PANEL * m->k * sizeof(struct neighbour) / sizeof(double);
}

static void
score_panel(void *ctx, size_t first, size_t n, const double *x, double *scratch)
{
    const struct scoring *s = ctx;
    const struct knn *m = s->m;
    size_t width = m->problem == PROBLEM_MULTICLASS ? m->n_classes : 1;
    double *weight = scratch + neighbours_scratch(&m->t);
    struct neighbour *found = (struct neighbour *)(void *)(weight + m->k);

    neighbours_find(&m->t, s->pool, x, n, m->k, scratch, found);
    for (size_t i = 0; i < n; i++) {
        weigh(m, found + i * m->k, weight);
        answer(m, found + i * m->k, weight, s->out + (first + i) * width);
    }
}

static bool
knn_score(const void *learner, const struct design *d, struct pool *pool,
          double *out, struct error *err)
{
    const struct knn *m = learner;
    struct scoring s = {m, pool, out};

    return panels_each(d, pool, scratch_len(m), score_panel, &s, err);
}

/* All columns count alike in a distance. */
static void
knn_importance(const void *learner, double *out)
{
    const struct knn *m = learner;

    for (size_t j = 0; j < m->t.x.p; j++)
        out[j] = 1 / (double)m->t.x.p;
}

static void
knn_save(const void *learner, struct st_writer *w, struct json_writer *j)
{
    const struct knn *m = learner;
    const struct panels *x = &m->t.x;
    const uint64_t shape[] = {(x->n + PANEL - 1) / PANEL, x->p, PANEL};

    json_name(j, "k");
    json_put_i64(j, (int64_t)m->k);
    json_name(j, "weights");
    json_put_string(j, m->by_distance ? "distance" : "uniform");
    json_name(j, "rows");
    json_put_i64(j, (int64_t)x->n);
    json_name(j, "tree");
    json_put_bool(j, m->t.n_nodes > 0);
    st_add(w, "knn.x", ST_F64, shape, 3, x->x);
    st_add1(w, "knn.row", ST_U32, x->n, m->t.id);
    st_add1(w, "knn.y", ST_F64, x->n, m->y);
    st_add1(w, "knn.column", ST_U32, m->t.n_nodes, m->t.column);
    st_add1(w, "knn.cut", ST_F64, m->t.n_nodes, m->t.cut);
}

static bool
take_u32(const struct st_file *f, const char *name, uint32_t **out, size_t n,
         size_t below, struct error *err)
{
    struct st_tensor t;

    if (!st_need(f, name, ST_U32, (int64_t)n, &t, err) ||
        !(*out = mem_try_array(n, sizeof **out, err)))
        return false;
    if (n)
        memcpy(*out, t.data, n * sizeof **out);
    for (size_t i = 0; i < n; i++)
        if ((*out)[i] >= below)
            return error_set(err, ERR_CORRUPT,
                             "%s holds %u, expected under "
                             "%zu",
                             name, (*out)[i], below);
    return true;
}

static bool
targets_check(const struct knn *m, struct error *err)
{
    for (size_t i = 0; i < m->t.x.n && m->problem != PROBLEM_REGRESSION; i++)
        if (!(m->y[i] >= 0 && m->y[i] < (double)m->n_classes &&
              m->y[i] == floor(m->y[i])))
            return error_set(err, ERR_CORRUPT, "class %g of %zu", m->y[i],
                             m->n_classes);
    return true;
}

static bool
load_rows(struct knn *m, const struct st_file *f, bool tree, struct error *err)
{
    struct panels *x = &m->t.x;
    size_t padded = (x->n + PANEL - 1) / PANEL * PANEL;
    size_t nodes = tree ? neighbours_nodes(x->n) : 0;

    m->t.kernels = block_kernels();
    m->t.n_nodes = nodes;
    return dense_take(f, "knn.x", &x->x, padded, x->p, err) &&
           dense_take(f, "knn.y", &m->y, x->n, 1, err) &&
           take_u32(f, "knn.row", &m->t.id, x->n, x->n, err) &&
           take_u32(f, "knn.column", &m->t.column, nodes, x->p, err) &&
           dense_take(f, "knn.cut", &m->t.cut, nodes, 1, err) &&
           targets_check(m, err);
}

static void *
knn_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
         enum problem problem, size_t n_classes, struct error *err)
{
    const char *weights;
    int64_t k, n;
    struct knn *m;
    bool tree;

    if (!json_get_i64(manifest, "k", &k, err) ||
        !json_get_i64(manifest, "rows", &n, err) ||
        !json_get_bool(manifest, "tree", &tree, err) ||
        !json_get_string(manifest, "weights", &weights, err))
        return NULL;
    if (n < 1 || n >= UINT32_MAX || k < 1 || k > MAX_K || k > n ||
        n_cols == 0) {
        error_set(err, ERR_CORRUPT, "%lld neighbours of %lld rows",
                  (long long)k, (long long)n);
        return NULL;
    }
    if (!(m = mem_try_array(1, sizeof *m, err)))
        return NULL;
    m->problem = problem;
    m->n_classes = n_classes;
    m->k = (size_t)k;
    m->by_distance = strcmp(weights, "distance") == 0;
    m->t.x.n = (size_t)n;
    m->t.x.p = n_cols;
    if (load_rows(m, f, tree, err))
        return m;
    learner_free(m);
    return NULL;
}

static const struct param params[] = {
    {"k", PARAM_INT, 1, MAX_K, "5", NULL, "neighbours that decide"},
    {"weights", PARAM_CHOICE, 0, 0, "uniform", "uniform|distance",
     "all alike, or each by 1 / distance"},
    {"search", PARAM_CHOICE, 0, 0, "auto", "auto|tree|all",
     "by a k-d tree or through all rows; auto: a tree from 2,000 rows on, up to "
     "12 columns"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

const struct family knn_family = {
    .name = "knn",
    .title = "nearest neighbours",
    .params = params,
    .style = PREPARE_DENSE,
    .problems = FAMILY_ANY_TARGET,
    .fit = knn_fit,
    .free = learner_free,
    .score = knn_score,
    .importance = knn_importance,
    .save = knn_save,
    .load = knn_load,
};
