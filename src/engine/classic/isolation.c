/* engine/classic/isolation.c -- isolation forest.
 *
 * A tree is a list of nodes, parents before children, the right child behind
 * the left one.  A leaf has child 0 and in `cut` the path that is left in it on
 * average.  Rows, columns and cuts of a tree are drawn by its number, so that
 * trees grow on any thread.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/isolation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/classic/panels.h"
#include "frame/order.h"

#define SLACK 1e-12 /* of sums that should be equal */
#define EULER 0.57721566490153286061
#define LN2 0.69314718055994530942
enum {
    MAX_TREES = 10000,
    MAX_SAMPLE = 1 << 16,
    STREAM_ROWS = 0x69736f72,
    STREAM_CUTS = 0x69736f63
};

struct node {
    double cut;      /* leaf: what is left of the path */
    uint32_t column; /* value < cut goes left */
    uint32_t child;  /* the left one's place in the tree; 0: a leaf */
};

struct isolation {
    size_t p, n_trees, sample;
    double threshold;
    uint64_t *first; /* n_trees + 1: where each tree's nodes begin */
    double *cut;
    uint32_t *column, *child;
    double *share; /* p: importance */
    struct node *node;
};

static void
learner_free(void *learner)
{
    struct isolation *m = learner;

    if (!m)
        return;
    free(m->first);
    free(m->cut);
    free(m->column);
    free(m->child);
    free(m->share);
    free(m->node);
    free(m);
}

/* Mean path length of an unsuccessful search among n rows. */
static double
mean_path(size_t n)
{
    double m = (double)n;

    if (n < 2)
        return 0;
    if (n == 2)
        return 1;
    return 2 * (fm_log(m - 1) + EULER) - 2 * (m - 1) / m;
}

/* ---- growing ---- */

struct growing {
    struct isolation *m;
    const struct design *d;
    const struct train *ctx;
    size_t n;
    unsigned max_depth;
    struct node *node; /* each tree: 2 sample - 1 */
    size_t *n_nodes;   /* of each tree */
    double *used;      /* each tree: (p) how often a column cut, by depth */
    double *room;      /* each chunk: (p, sample) */
    uint32_t *rows;    /* each chunk: 2 sample */
    size_t grain;
};

struct tree {
    const struct growing *g;
    size_t t;
    double *x;     /* (p, sample): the rows drawn */
    uint32_t *row; /* places in the sample, by node */
    struct node *node;
    size_t n_nodes;
    double *used;
    uint64_t draw;
};

/* Distinct rows, by Floyd's algorithm with a sorted list. */
static void
draw_rows(const struct tree *t, size_t m, uint32_t *out)
{
    uint64_t seed = t->g->ctx->seed;
    size_t n = t->g->n, have = 0;

    for (size_t j = n - m; j < n; j++) {
        uint32_t r = (uint32_t)rng_below(seed, STREAM_ROWS + t->t, j, j + 1);
        size_t low = 0, high = have;

        while (low < high) {
            size_t mid = (low + high) / 2;

            if (out[mid] < r)
                low = mid + 1;
            else
                high = mid;
        }
        if (low < have && out[low] == r) {
            r = (uint32_t)j; /* more than all before */
            low = have;
        }
        memmove(out + low + 1, out + low, (have - low) * sizeof *out);
        out[low] = r;
        have++;
    }
}

static double
unit(struct tree *t)
{
    return rng_unit(t->g->ctx->seed, STREAM_CUTS + t->t, t->draw++);
}

/* A column at random among those that vary over the rows, and a value between
 * its ends; false where none does. */
static bool
choose_cut(struct tree *t, size_t begin, size_t end, struct node *out)
{
    size_t p = t->g->m->p, from = (size_t)(unit(t) * (double)p);

    /* From a random column on, the first that varies: constant ones are rare
     * in samples. */
    for (size_t k = 0; k < p; k++) {
        size_t j = from + k < p ? from + k : from + k - p;
        const double *x = t->x + j * t->g->m->sample;
        double low = INFINITY, high = -INFINITY;

        for (size_t i = begin; i < end; i++) {
            low = fmin(low, x[t->row[i]]);
            high = fmax(high, x[t->row[i]]);
        }
        if (!(low < high))
            continue;
        out->column = (uint32_t)j;
        out->cut = low + unit(t) * (high - low);
        if (!(out->cut > low))
            out->cut = high;
        return true;
    }
    return false;
}

static size_t
part_rows(struct tree *t, size_t begin, size_t end, const struct node *by)
{
    const double *x = t->x + by->column * t->g->m->sample;
    size_t i = begin, j = end;

    while (i < j) {
        uint32_t r = t->row[i];

        if (x[r] < by->cut) {
            i++;
        } else {
            t->row[i] = t->row[--j];
            t->row[j] = r;
        }
    }
    return i;
}

static void
grow_node(struct tree *t, size_t at, size_t begin, size_t end, unsigned depth)
{
    struct node *node = &t->node[at];
    size_t mid;

    node->child = 0;
    if (depth == t->g->max_depth || end - begin < 2 ||
        !choose_cut(t, begin, end, node)) {
        node->column = 0;
        node->cut = mean_path(end - begin);
        return;
    }
    /* A cut near the root sets more apart. */
    t->used[node->column] += 1.0 / (double)(1u << depth);
    mid = part_rows(t, begin, end, node);
    node->child = (uint32_t)t->n_nodes;
    t->n_nodes += 2;
    grow_node(t, node->child, begin, mid, depth + 1);
    grow_node(t, t->node[at].child + 1, mid, end, depth + 1);
}

static void
grow_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct growing *g = ctx;
    size_t p = g->m->p, m = g->m->sample;
    struct tree t = {.g = g, .x = g->room + chunk * p * m};
    uint32_t *drawn = g->rows + chunk * 2 * m;

    t.row = drawn + m;
    for (t.t = begin; t.t < end; t.t++) {
        if (progress_stopped(g->ctx->progress))
            return;
        draw_rows(&t, m, drawn);
        for (size_t j = 0; j < p; j++)
            for (size_t i = 0; i < m; i++)
                design_pull(g->d, j, drawn[i], drawn[i] + 1, t.x + j * m + i);
        for (size_t i = 0; i < m; i++)
            t.row[i] = (uint32_t)i;
        t.node = g->node + t.t * (2 * m);
        t.used = g->used + t.t * p;
        t.n_nodes = 1;
        t.draw = 0;
        grow_node(&t, 0, 0, m, 0);
        g->n_nodes[t.t] = t.n_nodes;
        if (g->ctx->progress)
            progress_add(g->ctx->progress, 1);
    }
}

/* Shares of the columns, all trees together. */
static void
shares_sum(struct growing *g, size_t n_trees)
{
    struct isolation *m = g->m;
    double all = 0;

    for (size_t t = 0; t < n_trees; t++)
        for (size_t j = 0; j < m->p; j++)
            m->share[j] += g->used[t * m->p + j];
    for (size_t j = 0; j < m->p; j++)
        all += m->share[j];
    for (size_t j = 0; j < m->p; j++)
        m->share[j] = all > 0 ? m->share[j] / all : 1 / (double)m->p;
}

/* Finished trees, one after another. */
static bool
trees_take(struct growing *g, size_t n_trees, struct error *err)
{
    struct isolation *m = g->m;
    size_t all = 0;

    for (size_t t = 0; t < n_trees; t++)
        all += g->n_nodes[t];
    if (!(m->first = mem_try_array(n_trees + 1, sizeof *m->first, err)) ||
        !(m->cut = mem_try_array(all, sizeof *m->cut, err)) ||
        !(m->column = mem_try_array(all, sizeof *m->column, err)) ||
        !(m->child = mem_try_array(all, sizeof *m->child, err)) ||
        !(m->node = mem_try_array(all, sizeof *m->node, err)))
        return false;
    all = 0;
    for (size_t t = 0; t < n_trees; t++) {
        const struct node *from = g->node + t * 2 * m->sample;

        m->first[t] = all;
        for (size_t i = 0; i < g->n_nodes[t]; i++, all++) {
            m->node[all] = from[i];
            m->cut[all] = from[i].cut;
            m->column[all] = from[i].column;
            m->child[all] = from[i].child;
        }
    }
    m->first[n_trees] = all;
    m->n_trees = n_trees;
    return true;
}

static bool
grow_all(struct growing *g, struct error *err)
{
    struct isolation *m = g->m;
    size_t n_trees = m->n_trees, chunks, done = 0;

    g->grain = (n_trees + 31) / 32;
    chunks = pool_chunks(n_trees, g->grain);
    while (1u << g->max_depth < m->sample)
        g->max_depth++;
    if (!(g->node =
              mem_try_array(n_trees * 2 * m->sample, sizeof *g->node, err)) ||
        !(g->n_nodes = mem_try_array(n_trees, sizeof *g->n_nodes, err)) ||
        !(g->rows =
              mem_try_array(chunks * 2, m->sample * sizeof *g->rows, err)) ||
        !dense_try(&g->used, n_trees, m->p, err) ||
        !dense_try(&g->room, chunks * m->sample, m->p, err))
        return false;
    progress_begin(g->ctx->progress, "growing", n_trees);
    pool_for(g->ctx->pool, n_trees, g->grain, grow_chunk, g);
    /* Stopped: the trees before the first unfinished one are kept. */
    while (done < n_trees && g->n_nodes[done])
        done++;
    if (done == 0)
        return progress_check(g->ctx->progress, err);
    shares_sum(g, done);
    return trees_take(g, done, err);
}

/* ---- scoring ---- */

struct isolation_parts
isolation_parts(const void *learner)
{
    const struct isolation *m = learner;

    return (struct isolation_parts){m->p,
                                    m->n_trees,
                                    m->first,
                                    m->cut,
                                    m->share,
                                    m->column,
                                    m->child,
                                    mean_path(m->sample) * (double)m->n_trees,
                                    m->threshold + SLACK};
}

struct scoring {
    const struct isolation *m;
    double *out;
};

static double
path_length(const struct node *tree, const double *x, size_t lane)
{
    uint32_t at = 0;
    double steps = 0;

    while (tree[at].child) {
        at = tree[at].child +
             !(x[tree[at].column * PANEL + lane] < tree[at].cut);
        steps += 1;
    }
    return steps + tree[at].cut;
}

static void
score_panel(void *ctx, size_t first, size_t n, const double *x, double *sum)
{
    const struct scoring *s = ctx;
    const struct isolation *m = s->m;
    struct isolation_parts parts = isolation_parts(m);
    double c = parts.mean;

    memset(sum, 0, PANEL * sizeof *sum);
    for (size_t t = 0; t < m->n_trees; t++)
        for (size_t i = 0; i < n; i++)
            sum[i] += path_length(m->node + m->first[t], x, i);
    for (size_t i = 0; i < n; i++) {
        double score = c > 0 ? fm_exp(-LN2 * sum[i] / c) : 0.5;

        s->out[2 * (first + i)] = score;
        s->out[2 * (first + i) + 1] = score > parts.threshold;
    }
}

static bool
isolation_score(const void *learner, const struct design *d, struct pool *pool,
                double *out, struct error *err)
{
    const struct isolation *m = learner;
    struct scoring s = {m, out};

    return panels_each(d, pool, PANEL, score_panel, &s, err);
}

/* The score that `share` of the training rows are above. */
static bool
threshold_learn(struct growing *g, double share, struct error *err)
{
    double *out;
    size_t k = (size_t)(share * (double)g->n);
    bool ok;

    g->m->threshold = 0.5;
    if (!dense_try(&out, g->n, 2, err))
        return false;
    ok = isolation_score(g->m, g->d, g->ctx->pool, out, err);
    for (size_t i = 1; i < g->n && ok; i++)
        out[i] = out[2 * i];
    if (ok && (ok = order_numbers(out, g->n, g->ctx->pool, err)))
        g->m->threshold = out[k < g->n ? g->n - 1 - k : 0];
    free(out);
    return ok;
}

/* ---- the family ---- */

static void *
isolation_fit(const struct fit_data *d, const struct params *p,
              const struct train *ctx, struct json_writer *chosen,
              struct error *err)
{
    struct growing g = {.d = d->train,
                        .ctx = ctx,
                        .n = design_rows(d->train),
                        .m = mem_try_array(1, sizeof *g.m, err)};
    bool ok = false;

    if (g.m) {
        g.m->p = design_cols(d->train);
        g.m->n_trees = (size_t)params_int(p, "trees");
        g.m->sample = (size_t)params_int(p, "sample");
        g.m->threshold = 0.5;
        if (g.m->sample > g.n)
            g.m->sample = g.n;
        ok = dense_try(&g.m->share, g.m->p, 1, err) && grow_all(&g, err);
    }
    if (ok && params_is_set(p, "contamination"))
        ok = threshold_learn(&g, params_float(p, "contamination"), err);
    free(g.node);
    free(g.n_nodes);
    free(g.used);
    free(g.room);
    free(g.rows);
    if (!ok) {
        learner_free(g.m);
        return NULL;
    }
    json_name(chosen, "sample");
    json_put_i64(chosen, (int64_t)g.m->sample);
    json_name(chosen, "threshold");
    json_put_double(chosen, g.m->threshold);
    return g.m;
}

static size_t
isolation_width(const void *learner)
{
    (void)learner;
    return 2;
}

static void
isolation_answer(const void *learner, size_t c, struct answer *out)
{
    (void)learner;
    snprintf(out->name, sizeof out->name, "%s", c ? "outlier" : "score");
    out->whole = c == 1;
}

static void
isolation_importance(const void *learner, double *out)
{
    const struct isolation *m = learner;

    memcpy(out, m->share, m->p * sizeof *out);
}

static void
isolation_save(const void *learner, struct st_writer *w, struct json_writer *j)
{
    const struct isolation *m = learner;
    uint64_t n = m->first[m->n_trees];

    json_name(j, "trees");
    json_put_i64(j, (int64_t)m->n_trees);
    json_name(j, "sample");
    json_put_i64(j, (int64_t)m->sample);
    json_name(j, "threshold");
    json_put_double(j, m->threshold);
    st_add1(w, "isolation_forest.first", ST_U64, m->n_trees + 1, m->first);
    st_add1(w, "isolation_forest.cut", ST_F64, n, m->cut);
    st_add1(w, "isolation_forest.column", ST_U32, n, m->column);
    st_add1(w, "isolation_forest.child", ST_U32, n, m->child);
    st_add1(w, "isolation_forest.share", ST_F64, m->p, m->share);
}

static bool
take(const struct st_file *f, const char *name, enum st_type type, size_t size,
     size_t n, void **out, struct error *err)
{
    struct st_tensor t;

    if (!st_need(f, name, type, (int64_t)n, &t, err) ||
        !(*out = mem_try_array(n, size, err)))
        return false;
    if (n)
        memcpy(*out, t.data, n * size);
    return true;
}

/* Children stand behind their parents and within the tree, so that every walk
 * ends. */
static bool
nodes_check(const struct isolation *m, struct error *err)
{
    for (size_t t = 0; t < m->n_trees; t++) {
        size_t n = (size_t)(m->first[t + 1] - m->first[t]);

        for (size_t i = 0; i < n; i++) {
            size_t at = (size_t)m->first[t] + i;

            if (m->column[at] >= m->p ||
                (m->child[at] && (m->child[at] <= i || m->child[at] >= n - 1)))
                return error_set(err, ERR_CORRUPT,
                                 "node %zu of tree %zu leads astray", i, t);
        }
    }
    return true;
}

static bool
load_trees(struct isolation *m, const struct st_file *f, struct error *err)
{
    size_t n = 0;

    if (!take(f, "isolation_forest.first", ST_U64, sizeof *m->first,
              m->n_trees + 1, (void **)&m->first, err))
        return false;
    for (size_t t = 0; t < m->n_trees; t++)
        if (m->first[t] >= m->first[t + 1] ||
            m->first[t + 1] - m->first[t] > 2 * MAX_SAMPLE ||
            (t == 0 && m->first[0]))
            return error_set(err, ERR_CORRUPT, "tree %zu has no nodes", t);
    n = (size_t)m->first[m->n_trees];
    if (!dense_take(f, "isolation_forest.cut", &m->cut, n, 1, err) ||
        !take(f, "isolation_forest.column", ST_U32, sizeof *m->column, n,
              (void **)&m->column, err) ||
        !take(f, "isolation_forest.child", ST_U32, sizeof *m->child, n,
              (void **)&m->child, err) ||
        !dense_take(f, "isolation_forest.share", &m->share, m->p, 1, err) ||
        !nodes_check(m, err) ||
        !(m->node = mem_try_array(n, sizeof *m->node, err)))
        return false;
    for (size_t i = 0; i < n; i++)
        m->node[i] = (struct node){m->cut[i], m->column[i], m->child[i]};
    return true;
}

static void *
isolation_load(const struct st_file *f, const struct json *manifest,
               size_t n_cols, enum problem problem, size_t n_classes,
               struct error *err)
{
    int64_t trees, sample;
    double threshold;
    struct isolation *m;

    (void)problem;
    (void)n_classes;
    if (!json_get_i64(manifest, "trees", &trees, err) ||
        !json_get_i64(manifest, "sample", &sample, err) ||
        !json_get_double(manifest, "threshold", &threshold, err))
        return NULL;
    if (trees < 1 || trees > MAX_TREES || sample < 1 || sample > MAX_SAMPLE) {
        error_set(err, ERR_CORRUPT, "%lld trees of %lld rows", (long long)trees,
                  (long long)sample);
        return NULL;
    }
    if (!(m = mem_try_array(1, sizeof *m, err)))
        return NULL;
    m->p = n_cols;
    m->n_trees = (size_t)trees;
    m->sample = (size_t)sample;
    m->threshold = threshold;
    if (load_trees(m, f, err))
        return m;
    learner_free(m);
    return NULL;
}

static const struct param params[] = {
    {"trees", PARAM_INT, 1, MAX_TREES, "100", NULL, "how many"},
    {"sample", PARAM_INT, 1, MAX_SAMPLE, "256", NULL,
     "rows that a tree is grown on, drawn without replacement"},
    {"contamination", PARAM_FLOAT, 0, 0.5, NULL, NULL,
     "share of the training rows that are outliers; auto: a score over 0.5"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

const struct family isolation_forest_family = {
    .name = "isolation_forest",
    .title = "isolation forest",
    .params = params,
    .style = PREPARE_DENSE,
    .problems = 1u << PROBLEM_NONE,
    .fit = isolation_fit,
    .free = learner_free,
    .width = isolation_width,
    .answer = isolation_answer,
    .score = isolation_score,
    .importance = isolation_importance,
    .save = isolation_save,
    .load = isolation_load,
};
