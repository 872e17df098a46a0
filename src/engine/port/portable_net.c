/* engine/port/portable_net.c -- nets as graphs.
 *
 * A net's images have the numbers of a place side by side, a graph's the places
 * of a channel: pixels are put in that order once, and the weights of a dense
 * layer behind an image are read in it.  A norm right behind a layer that has
 * weights becomes part of them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/neural/cnn.h"
#include "engine/neural/fitted.h"
#include "engine/port/portable_of.h"

struct taking {
    struct portable *p;
    struct graph *g;
    const struct net_fitted *f;
    const struct net *net;
    uint32_t input, *node; /* of each layer */
    struct error *err;
};

static uint32_t
source(const struct taking *t, int at)
{
    return at == NET_INPUT ? t->input : t->node[at];
}

/* Where a number of an image stands in a graph: place (y, x), channel c. */
static size_t
place_of(struct net_shape s, size_t at)
{
    size_t c = at % s.c, place = at / s.c;

    return c * s.h * s.w + place;
}

/* The norm that follows layer i and nothing else does, or NULL. */
static const struct net_layer *
norm_behind(const struct net *n, size_t i)
{
    const struct net_layer *norm = &n->layer[i + 1];

    if (i + 1 >= n->n_layers || norm->kind != NET_NORM ||
        norm->from != (int)i || n->layer[i].act != ACT_NONE)
        return NULL;
    for (size_t k = i + 2; k < n->n_layers; k++)
        if (n->layer[k].from == (int)i ||
            (n->layer[k].kind == NET_ADD && n->layer[k].with == (int)i))
            return NULL;
    return norm;
}

/* factor and shift of channel c of a norm; NULL: 1 and 0. */
static double
factor_of(const struct taking *t, const struct net_layer *norm, size_t c)
{
    return norm ? (double)t->f->ready.factor[norm->state / 2 + c] : 1;
}

static double
shift_of(const struct taking *t, const struct net_layer *norm, size_t c)
{
    return norm ? (double)t->f->ready.shift[norm->state / 2 + c] : 0;
}

static double
bias_of(const struct taking *t, const struct net_layer *l,
        const struct net_layer *norm, size_t c)
{
    double b = l->n_bias ? (double)t->net->param[l->bias + c] : 0;

    return b * factor_of(t, norm, c) + shift_of(t, norm, c);
}

static bool
put_dense(struct taking *t, const struct net_layer *l,
          const struct net_layer *norm, uint32_t *id)
{
    size_t n = net_numbers(l->in), k = l->out.c;
    uint32_t in = source(t, l->from);
    const float *weight = t->net->param + l->weight;
    struct graph_node node = {.op = GRAPH_DENSE,
                              .width = k,
                              .n_in = 1,
                              .in = &in,
                              .n_a = n * k,
                              .n_b = k};

    if (!graph_add(t->g, &node, id, t->err))
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k; j++)
            t->g->node[*id].a[place_of(l->in, i) * k + j] =
                (double)weight[i * k + j] * factor_of(t, norm, j);
    for (size_t j = 0; j < k; j++)
        t->g->node[*id].b[j] = bias_of(t, l, norm, j);
    return true;
}

/* What a window's step has in index. */
static void
window_of(const struct net_layer *l, uint32_t *index)
{
    bool edges = l->kind == NET_CONV;
    const uint32_t values[WINDOW_N] = {
        [WINDOW_C] = l->in.c,
        [WINDOW_H] = l->in.h,
        [WINDOW_W] = l->in.w,
        [WINDOW_SIDE_H] = l->side_h,
        [WINDOW_SIDE_W] = l->side_w,
        [WINDOW_STRIDE] = l->stride,
        [WINDOW_TOP] = edges ? (l->side_h - 1) / 2 : 0,
        [WINDOW_LEFT] = edges ? (l->side_h - 1) / 2 : 0,
        [WINDOW_OUT_H] = l->out.h,
        [WINDOW_OUT_W] = l->out.w};

    for (size_t i = 0; i < WINDOW_N; i++)
        index[i] = values[i];
}

/* Weights there: (window, inputs, outputs). */
static void
fill_conv(const struct taking *t, const struct net_layer *l,
          const struct net_layer *norm, struct graph_node *to)
{
    size_t windows = (size_t)l->side_h * l->side_w, in = l->in.c, k = l->out.c;
    const float *weight = t->net->param + l->weight;

    for (size_t v = 0; v < windows; v++)
        for (size_t c = 0; c < in; c++)
            for (size_t o = 0; o < k; o++)
                to->a[(o * in + c) * windows + v] =
                    (double)weight[(v * in + c) * k + o] *
                    factor_of(t, norm, o);
    for (size_t o = 0; o < k; o++)
        to->b[o] = bias_of(t, l, norm, o);
}

static bool
put_windows(struct taking *t, const struct net_layer *l,
            const struct net_layer *norm, uint32_t *id)
{
    uint32_t in = source(t, l->from), index[WINDOW_N];
    bool conv = l->kind == NET_CONV;
    struct graph_node node = {.op = conv                 ? GRAPH_CONV
                                    : l->kind == NET_MAX ? GRAPH_MAXPOOL
                                                         : GRAPH_MEANPOOL,
                              .width = net_numbers(l->out),
                              .n_in = 1,
                              .in = &in,
                              .n_a = conv ? l->n_weight : 0,
                              .n_b = conv ? l->out.c : 0,
                              .n_index = WINDOW_N,
                              .index = index};

    window_of(l, index);
    if (!graph_add(t->g, &node, id, t->err))
        return false;
    if (conv)
        fill_conv(t, l, norm, &t->g->node[*id]);
    return true;
}

/* x f + s, by places of the graph's order. */
static bool
put_norm(struct taking *t, const struct net_layer *l, uint32_t *id)
{
    size_t n = net_numbers(l->out), places = n / l->out.c;
    uint32_t in = source(t, l->from);
    struct graph_node node = {.op = GRAPH_SCALE,
                              .width = n,
                              .n_in = 1,
                              .in = &in,
                              .n_a = n,
                              .n_b = n};
    uint32_t times;

    if (!graph_add(t->g, &node, &times, t->err))
        return false;
    node.in = &times;
    if (!graph_add(t->g, &node, id, t->err))
        return false;
    for (size_t i = 0; i < n; i++) {
        t->g->node[times].b[i] = factor_of(t, l, i / places);
        t->g->node[*id].a[i] = -shift_of(t, l, i / places);
        t->g->node[*id].b[i] = 1;
    }
    return true;
}

static bool
put_act(struct taking *t, enum net_act act, uint32_t *id)
{
    static const enum graph_op ops[] = {[ACT_RELU] = GRAPH_RELU,
                                        [ACT_LEAKY] = GRAPH_LEAKY,
                                        [ACT_ELU] = GRAPH_ELU,
                                        [ACT_TANH] = GRAPH_TANH};

    if (act == ACT_NONE)
        return true;
    if (!graph_add_simple(t->g, ops[act], *id, id, t->err))
        return false;
    if (act == ACT_LEAKY)
        t->g->node[*id].c = (double)NET_LEAK;
    return true;
}

static bool
put_sum(struct taking *t, const struct net_layer *l, uint32_t *id)
{
    uint32_t in[2] = {source(t, l->from), source(t, l->with)};
    struct graph_node node = {
        .op = GRAPH_ADD, .width = net_numbers(l->out), .n_in = 2, .in = in};

    return graph_add(t->g, &node, id, t->err);
}

static bool
put_layer(struct taking *t, size_t i)
{
    const struct net_layer *l = &t->net->layer[i];
    const struct net_layer *norm = norm_behind(t->net, i);
    uint32_t *id = &t->node[i];
    bool ok = true;

    switch (l->kind) {
    case NET_DENSE:
        ok = put_dense(t, l, norm, id);
        break;
    case NET_CONV:
    case NET_MAX:
    case NET_MEAN:
        ok = put_windows(t, l, norm, id);
        break;
    case NET_NORM:
        *id = source(t, l->from);
        if (l->from + 1 != (int)i || !norm_behind(t->net, i - 1))
            ok = put_norm(t, l, id);
        break;
    case NET_DROP: /* nothing is, from answers */
        *id = source(t, l->from);
        break;
    case NET_ADD:
        ok = put_sum(t, l, id);
        break;
    }
    return ok && put_act(t, l->act, id);
}

/* What makes answers of the last layer. */
static bool
put_answer(struct taking *t, uint32_t id)
{
    double a = -t->f->scale.mean / t->f->scale.sd, b = t->f->scale.sd;
    struct graph_node node = {.op = GRAPH_SCALE,
                              .width = 1,
                              .n_in = 1,
                              .in = &id,
                              .n_a = 1,
                              .a = &a,
                              .n_b = 1,
                              .b = &b};

    if (t->p->problem == PROBLEM_REGRESSION)
        return graph_add(t->g, &node, NULL, t->err);
    return graph_add_simple(
        t->g, t->p->problem == PROBLEM_BINARY ? GRAPH_SIGMOID : GRAPH_SOFTMAX,
        id, NULL, t->err);
}

static bool
take_net(struct taking *t)
{
    size_t n = t->net->n_layers;
    bool ok;

    t->p->single = true;
    ok = (t->node = mem_try_array(n, sizeof *t->node, t->err));
    for (size_t i = 0; i < n && ok; i++)
        ok = put_layer(t, i);
    ok = ok && put_answer(t, t->node[n - 1]);
    free(t->node);
    return ok;
}

/* ---- tables ---- */

static bool
put_table(struct taking *t, const struct portable_features *features,
          size_t ref, const struct net_table *table, uint32_t *id)
{
    size_t n = ((size_t)table->n_levels + 1) * table->width;
    double *rows = mem_try_array(n, sizeof *rows, t->err);
    struct portable_table own = {table->n_levels, table->width, rows};
    bool ok;

    for (size_t i = 0; rows && i < n; i++)
        rows[i] = (double)t->net->param[table->weight + i];
    ok = rows && portable_put_table(t->g, features, ref, &own, id, t->err);
    free(rows);
    return ok;
}

bool
portable_take_mlp(struct portable *p, const struct prepare *from,
                  const struct portable_features *features, const void *learner,
                  uint32_t numbers, struct error *err)
{
    const struct net_fitted *net = learner;
    struct taking t = {
        .p = p, .g = p->graph, .f = net, .net = net->net, .err = err};
    uint32_t *part = mem_try_array(t.net->n_tables + 1, sizeof *part, err);
    struct graph_node join = {
        .op = GRAPH_JOIN, .width = net_numbers(t.net->input), .in = part};
    size_t n = 0;
    bool ok = part != NULL;

    if (ok && numbers < UINT32_MAX)
        part[join.n_in++] = numbers;
    for (size_t c = 0; c < prepare_cols(from) && ok; c++) {
        const struct design_source *s = prepare_source(from, c);

        if (s->kind == DESIGN_CODE && n < t.net->n_tables)
            ok = put_table(&t, features, s->ref, &t.net->table[n++],
                           &part[join.n_in++]);
    }
    ok = ok && graph_add(t.g, &join, &t.input, err) && take_net(&t);
    free(part);
    return ok;
}

/* ---- images ---- */

/* Filled with the mean where missing, scaled, channel by channel. */
static bool
put_pixels(struct taking *t, const struct cnn_parts *cnn, uint32_t in)
{
    struct net_shape s = t->net->input;
    size_t n = net_numbers(s);
    struct graph_node fill = {
        .op = GRAPH_FILL, .width = n, .n_in = 1, .in = &in, .n_a = n, .c = 1};
    struct graph_node scale = {
        .op = GRAPH_SCALE, .width = n, .n_in = 1, .n_a = n, .n_b = n};
    struct graph_node pick = {
        .op = GRAPH_PICK, .width = n, .n_in = 1, .n_index = n};
    uint32_t filled, scaled;

    scale.in = &filled;
    pick.in = &scaled;
    if (!graph_add(t->g, &fill, &filled, t->err) ||
        !graph_add(t->g, &scale, &scaled, t->err))
        return false;
    for (size_t i = 0; i < n; i++) {
        t->g->node[filled].a[i] = (double)cnn->scale[i % s.c];
        t->g->node[scaled].a[i] = (double)cnn->scale[i % s.c];
        t->g->node[scaled].b[i] = (double)cnn->scale[s.c + i % s.c];
    }
    t->input = scaled;
    if (s.c == 1)
        return true;
    if (!graph_add(t->g, &pick, &t->input, t->err))
        return false;
    for (size_t i = 0; i < n; i++)
        t->g->node[t->input].index[place_of(s, i)] = (uint32_t)i;
    return true;
}

bool
portable_take_cnn(struct portable *p, const void *learner, uint32_t in,
                  struct error *err)
{
    struct cnn_parts cnn = cnn_parts(learner);
    struct taking t = {
        .p = p, .g = p->graph, .f = cnn.net, .net = cnn.net->net, .err = err};

    return put_pixels(&t, &cnn, in) && take_net(&t);
}

size_t
portable_pixels(const void *learner)
{
    struct cnn_parts cnn = cnn_parts(learner);

    return cnn.files ? net_numbers(cnn.net->input) : 0;
}

bool
portable_take_pictures(struct portable *p, const void *learner,
                       struct error *err)
{
    struct net_shape s = cnn_parts(learner).net->input;
    char name[32];
    uint32_t id;

    for (size_t i = 0; i < p->graph->n_cols; i++) {
        snprintf(name, sizeof name, "pixel_%zu", i);
        if (!portable_name(p, i, str_of(name), err))
            return false;
    }
    buf_printf(&p->notes,
               "inputs are the bytes of a picture of %u x %u pixels, line by "
               "line, %s\n",
               (unsigned)s.w, (unsigned)s.h,
               s.c == 1 ? "grey" : "the colours of a pixel side by side");
    return graph_add_input(p->graph, 0, p->graph->n_cols, &id, err) &&
           portable_take_cnn(p, learner, id, err);
}
