/* engine/port/portable_near.c -- the nearest centre, and the nearest rows, as a
 * graph.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/kmeans.h"
#include "engine/classic/knn.h"
#include "engine/classic/neighbours.h"
#include "engine/port/portable_of.h"

enum { MAX_NUMBERS = 1 << 18 }; /* of rows that a file carries */

/* Columns first..first + n - 1 of a node; each `times` times. */
struct some {
    uint32_t in;
    size_t first, n, times;
};

static bool
put_some(struct graph *g, const struct some *s, uint32_t *id, struct error *err)
{
    uint32_t in = s->in;
    size_t n = s->n * s->times;
    struct graph_node pick = {
        .op = GRAPH_PICK, .width = n, .n_in = 1, .in = &in, .n_index = n};

    if (!graph_add(g, &pick, id, err))
        return false;
    for (size_t i = 0; i < n; i++)
        g->node[*id].index[i] = (uint32_t)(s->first + i / s->times);
    return true;
}

/* The k nearest of n rows: their places, then their distances squared. */
struct rows {
    const double *x;
    size_t n, k;
};

static bool
put_nearest(struct graph *g, uint32_t in, const struct rows *r, uint32_t *id,
            struct error *err)
{
    struct graph_node apart = {.op = GRAPH_DISTANCE,
                               .width = r->n,
                               .n_in = 1,
                               .in = &in,
                               .n_a = r->n * g->node[in].width,
                               .a = (double *)(uintptr_t)r->x};
    struct graph_node nearest = {
        .op = GRAPH_NEAREST, .width = 2 * r->k, .n_in = 1, .in = id};

    return graph_add(g, &apart, id, err) && graph_add(g, &nearest, id, err);
}

bool
portable_take_kmeans(struct portable *p, const struct portable_from *f,
                     struct error *err)
{
    size_t k;
    const double *centre = kmeans_centres(f->learner, &k);

    return portable_put_clusters(p->graph, f->in, centre, k, true, err);
}

bool
portable_put_clusters(struct graph *g, uint32_t in, const double *centre,
                      size_t k, bool root, struct error *err)
{
    uint32_t nearest, two[2];
    struct graph_node join = {
        .op = GRAPH_JOIN, .width = 2, .n_in = 2, .in = two};

    return put_nearest(g, in, &(struct rows){centre, k, 1}, &nearest, err) &&
           put_some(g, &(struct some){nearest, 0, 1, 1}, &two[0], err) &&
           put_some(g, &(struct some){nearest, 1, 1, 1}, &two[1], err) &&
           (!root || graph_add_simple(g, GRAPH_SQRT, two[1], &two[1], err)) &&
           graph_add(g, &join, NULL, err);
}

/* ---- rows ---- */

struct near {
    struct graph *g;
    size_t k, w;               /* neighbours; classes, or 1 */
    uint32_t values, distance; /* (k w), of each neighbour; (k), squared */
    struct error *err;
};

/* Columns of which each w are one of the sums, times f. */
static bool
put_sums(struct near *t, uint32_t in, size_t w, double f, uint32_t *id)
{
    size_t n = t->g->node[in].width;
    struct graph_node dense = {
        .op = GRAPH_DENSE, .width = w, .n_in = 1, .in = &in, .n_a = n * w};

    if (!graph_add(t->g, &dense, id, t->err))
        return false;
    for (size_t i = 0; i < n; i++)
        t->g->node[*id].a[i * w + i % w] = f;
    return true;
}

/* 1 / distance, or where some are at distance 0 those alone. */
static bool
put_weights(struct near *t, uint32_t *id)
{
    struct graph *g = t->g;
    uint32_t in, far, touch, three[3];
    struct graph_node scale = {.op = GRAPH_SCALE,
                               .width = t->k,
                               .n_in = 1,
                               .in = &in,
                               .n_a = t->k,
                               .n_b = t->k};
    struct graph_node where = {
        .op = GRAPH_WHERE, .width = t->k, .n_in = 3, .in = three};

    if (!graph_add_simple(g, GRAPH_LOG, t->distance, &in, t->err) ||
        !graph_add(g, &scale, &in, t->err))
        return false;
    for (size_t i = 0; i < t->k; i++)
        g->node[in].b[i] = -0.5;
    if (!graph_add_simple(g, GRAPH_EXP, in, &three[1], t->err) ||
        !graph_add_simple(g, GRAPH_STEP, t->distance, &far, t->err) ||
        !put_some(g, &(struct some){far, 0, 1, t->k}, &three[0], t->err))
        return false;
    in = far;
    if (!graph_add(g, &scale, &touch, t->err))
        return false;
    for (size_t i = 0; i < t->k; i++) {
        g->node[touch].a[i] = 1;
        g->node[touch].b[i] = -1;
    }
    three[2] = touch;
    return graph_add(g, &where, id, t->err);
}

/* The mean of the neighbours by their weights. */
static bool
put_weighed(struct near *t)
{
    struct graph *g = t->g;
    uint32_t two[2] = {t->values, 0}, weight;
    struct graph_node times = {
        .op = GRAPH_MUL, .width = t->k * t->w, .n_in = 2, .in = two};
    struct graph_node share = {
        .op = GRAPH_DIV, .width = t->w, .n_in = 2, .in = two};

    if (!put_weights(t, &weight) ||
        !put_some(g, &(struct some){weight, 0, t->k, t->w}, &two[1], t->err) ||
        !graph_add(g, &times, &two[0], t->err) ||
        !put_sums(t, two[0], t->w, 1, &two[0]))
        return false;
    return put_sums(t, weight, 1, 1, &two[1]) &&
           graph_add(g, &share, NULL, t->err);
}

/* Rows as the table had them, (n, p), and what each stands for, (n + 1, w),
 * from row 1 on. */
static void
rows_copy(const struct knn_parts *m, size_t w, double *row, double *value)
{
    const struct panels *x = &m->rows->x;

    for (size_t i = 0; i < x->n; i++) {
        size_t id = m->rows->id[i];

        panels_row(x, i, row + id * x->p);
        if (w == 1)
            value[id + 1] = m->y[i];
        else
            value[(id + 1) * w + (size_t)m->y[i]] = 1;
    }
}

static bool
put_rows(struct near *t, const struct knn_parts *m, uint32_t in)
{
    const struct panels *x = &m->rows->x;
    double *row = mem_try_array(x->n * x->p, sizeof *row, t->err);
    double *value = mem_try_array((x->n + 1) * t->w, sizeof *value, t->err);
    uint32_t nearest, place;
    struct graph_node embed = {.op = GRAPH_EMBED,
                               .width = t->k * t->w,
                               .n_in = 1,
                               .in = &place,
                               .n_a = (x->n + 1) * t->w,
                               .a = value};
    bool ok = row && value;

    if (ok)
        rows_copy(m, t->w, row, value);
    ok = ok &&
         put_nearest(t->g, in, &(struct rows){row, x->n, t->k}, &nearest,
                     t->err) &&
         put_some(t->g, &(struct some){nearest, 0, t->k, 1}, &place, t->err) &&
         (!m->by_distance ||
          put_some(t->g, &(struct some){nearest, t->k, t->k, 1}, &t->distance,
                   t->err)) &&
         graph_add(t->g, &embed, &t->values, t->err);
    free(row);
    free(value);
    return ok;
}

bool
portable_take_knn(struct portable *p, const struct portable_from *f,
                  struct error *err)
{
    struct knn_parts m = knn_parts(f->learner);
    const struct panels *x = &m.rows->x;
    struct near t = {
        .g = p->graph, .k = m.k, .w = portable_width(p), .err = err};
    uint32_t id;

    if (x->n * x->p > MAX_NUMBERS)
        return error_set(err, ERR_LIMIT,
                         "nearest neighbours of %zu rows of %zu columns: other "
                         "formats carry the rows, and %d numbers at most; "
                         "learn from fewer rows",
                         x->n, x->p, MAX_NUMBERS);
    buf_puts(&p->notes, "of rows that are equally near but for rounding "
                        "another may be taken there\n");
    if (!put_rows(&t, &m, f->in))
        return false;
    return m.by_distance ? put_weighed(&t)
                         : put_sums(&t, t.values, t.w, 1 / (double)m.k, &id);
}
