/* engine/port/onnx_out_net.c -- pieces of an ONNX graph, and steps of nets.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/onnx_out.h"

/* ---- pieces ---- */

void
onnx_more_name(struct onnx_writing *w, char out[ONNX_NAME])
{
    snprintf(out, ONNX_NAME, "lathe_t%u", w->n_more++);
}

void
onnx_op_begin(struct onnx_writing *w, const char *in)
{
    buf_clear(&w->node);
    onnx_put_in(&w->node, in);
}

void
onnx_op_end(struct onnx_writing *w, const char *out, const char *op, bool ml)
{
    onnx_put_out(&w->node, out);
    onnx_end_node(&w->node, op, ml, &w->graph);
}

void
onnx_op_plain(struct onnx_writing *w, const char *in, const char *op,
              const char *out)
{
    onnx_op_begin(w, in);
    onnx_op_end(w, out, op, false);
}

void
onnx_op_cast(struct onnx_writing *w, const char *in, enum onnx_type to,
             const char *out)
{
    onnx_op_begin(w, in);
    onnx_put_int(&w->node, "to", to);
    onnx_op_end(w, out, "Cast", false);
}

void
onnx_op_two(struct onnx_writing *w, const char *a, const char *b,
            const char *op, const char *out)
{
    onnx_op_begin(w, a);
    onnx_put_in(&w->node, b);
    onnx_op_end(w, out, op, false);
}

void
onnx_constant(struct onnx_writing *w, enum onnx_type type, const double *v,
              size_t rows, size_t cols, char out[ONNX_NAME])
{
    onnx_more_name(w, out);
    onnx_put_initializer(&w->graph, out, type, v, rows, cols);
}

void
onnx_scalar(struct onnx_writing *w, enum onnx_type type, double v,
            char out[ONNX_NAME])
{
    onnx_more_name(w, out);
    onnx_put_scalar(&w->graph, out, type, v);
}

/* ---- types ---- */

/* Operators of ai.onnx.ml, and some others, have floats only. */
static bool
is_wide(const struct onnx_writing *w, const struct graph_node *n)
{
    bool wide = false;

    switch (n->op) {
    case GRAPH_INPUT:
    case GRAPH_EMBED:
    case GRAPH_DISTANCE:
    case GRAPH_NEAREST:
    case GRAPH_FLOOR:
    case GRAPH_POW:
    case GRAPH_MOD:
    case GRAPH_WHOLE:
        return w->wide;
    case GRAPH_ONEHOT:
    case GRAPH_MAP:
    case GRAPH_TREES:
    case GRAPH_NORMALIZE:
    case GRAPH_SOFTMAX:
    case GRAPH_SOFTPLUS:
    case GRAPH_LEAKY:
    case GRAPH_ELU:
    case GRAPH_CONV:
    case GRAPH_MAXPOOL:
    case GRAPH_MEANPOOL:
        return false;
    default:
        for (size_t k = 0; k < n->n_in; k++)
            wide = wide || w->is_wide[n->in[k]];
        return wide;
    }
}

void
onnx_types_find(struct onnx_writing *w)
{
    for (size_t i = 0; i < w->g->n; i++)
        w->is_wide[i] = is_wide(w, &w->g->node[i]);
}

enum onnx_type
onnx_type_of(const struct onnx_writing *w, size_t id)
{
    return w->is_wide[id] ? ONNX_DOUBLE : ONNX_FLOAT;
}

const char *
onnx_as(struct onnx_writing *w, uint32_t id, enum onnx_type type)
{
    const char *in = onnx_flat(w, id);

    if (onnx_type_of(w, id) == type)
        return in;
    if (!w->cast[id][0]) {
        struct buf node = w->node;

        /* Another operator may be under construction. */
        buf_init(&w->node);
        snprintf(w->cast[id], ONNX_NAME, "lathe_%u_cast", (unsigned)id);
        onnx_op_cast(w, in, type, w->cast[id]);
        buf_fini(&w->node);
        w->node = node;
    }
    return w->cast[id];
}

/* ---- single numbers ---- */

/* An end that is none is left out. */
void
onnx_put_clip(struct onnx_writing *w, const char *in, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    char low[ONNX_NAME] = "", high[ONNX_NAME] = "";

    if (isfinite(n->a[0]))
        onnx_scalar(w, onnx_type_of(w, id), n->a[0], low);
    if (isfinite(n->b[0]))
        onnx_scalar(w, onnx_type_of(w, id), n->b[0], high);
    onnx_op_begin(w, in);
    onnx_put_in(&w->node, low);
    onnx_put_in(&w->node, high);
    onnx_op_end(w, w->name[id], "Clip", false);
}

/* Numbers of rows, 0 for those that there are not. */
static bool
put_rows(struct onnx_writing *w, const char *in, size_t n, const char *out)
{
    double *row = mem_try_array(n, sizeof *row, w->err);

    if (!row)
        return false;
    for (size_t i = 0; i < n; i++)
        row[i] = (double)i;
    onnx_op_begin(w, in);
    onnx_put_floats(&w->node, "keys_floats", row, n);
    onnx_put_floats(&w->node, "values_floats", row, n);
    onnx_put_float(&w->node, "default_float", 0);
    onnx_op_end(w, out, "LabelEncoder", true);
    free(row);
    return true;
}

/* Are the numbers of a node rows of a table for sure? */
static bool
are_rows(const struct graph *g, uint32_t id, size_t rows)
{
    const struct graph_node *n = &g->node[id];
    bool sure = n->op == GRAPH_MAP && n->c >= 0 && n->c < (double)rows;

    for (size_t i = 0; sure && i < n->n_b; i++)
        sure = n->b[i] >= 0 && n->b[i] < (double)rows;
    if (n->op == GRAPH_PICK && g->node[n->in[0]].op == GRAPH_NEAREST) {
        n = &g->node[n->in[0]];
        sure = g->node[n->in[0]].width < rows;
        n = &g->node[id];
        for (size_t i = 0; i < n->width; i++)
            sure = sure && n->index[i] < g->node[n->in[0]].width / 2;
    }
    return sure;
}

bool
onnx_put_embed(struct onnx_writing *w, const char *in, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    const size_t width = n->width / w->g->node[n->in[0]].width;
    const size_t rows = n->n_a / width;
    const double wide[2] = {-1, (double)n->width};
    const char *out = w->name[id];
    char table[ONNX_NAME], row[ONNX_NAME], taken[ONNX_NAME], size[ONNX_NAME];
    char kept[ONNX_NAME];
    bool sure = are_rows(w->g, n->in[0], rows);

    onnx_more_name(w, kept);
    if (!sure && !put_rows(w, onnx_as(w, n->in[0], ONNX_FLOAT), rows, kept))
        return false;
    onnx_more_name(w, row);
    onnx_op_cast(w, sure ? in : kept, ONNX_INT64, row);
    onnx_constant(w, onnx_type_of(w, id), n->a, rows, width, table);
    onnx_more_name(w, taken);
    onnx_op_begin(w, table);
    onnx_put_in(&w->node, row);
    onnx_put_int(&w->node, "axis", 0);
    onnx_op_end(w, taken, "Gather", false);
    onnx_constant(w, ONNX_INT64, wide, 2, 0, size);
    onnx_op_two(w, taken, size, "Reshape", out);
    return true;
}

/* ---- images ---- */

const char *
onnx_flat(struct onnx_writing *w, uint32_t id)
{
    if (w->shape[id].c == 0)
        return w->name[id];
    if (!w->flat[id][0]) {
        struct buf node = w->node;

        /* Another operator may be under construction. */
        buf_init(&w->node);
        snprintf(w->flat[id], ONNX_NAME, "lathe_%u_flat", (unsigned)id);
        onnx_op_begin(w, w->name[id]);
        onnx_put_int(&w->node, "axis", 1);
        onnx_op_end(w, w->flat[id], "Flatten", false);
        buf_fini(&w->node);
        w->node = node;
    }
    return w->flat[id];
}

/* The value of a node as an image of that shape. */
static void
image_of(struct onnx_writing *w, uint32_t id, struct onnx_shape s,
         char out[ONNX_NAME])
{
    const struct onnx_shape *has = &w->shape[id];
    const double dims[4] = {-1, s.c, s.h, s.w};
    char size[ONNX_NAME];

    if (has->c == s.c && has->h == s.h && has->w == s.w) {
        memcpy(out, w->name[id], ONNX_NAME);
        return;
    }
    onnx_constant(w, ONNX_INT64, dims, 4, 0, size);
    onnx_more_name(w, out);
    onnx_op_two(w, onnx_flat(w, id), size, "Reshape", out);
}

static void
put_window(struct onnx_writing *w, const struct graph_node *n)
{
    const uint32_t *i = n->index;
    int64_t side[2] = {i[WINDOW_SIDE_H], i[WINDOW_SIDE_W]};
    int64_t stride[2] = {i[WINDOW_STRIDE], i[WINDOW_STRIDE]};
    int64_t down = (int64_t)(i[WINDOW_OUT_H] - 1) * i[WINDOW_STRIDE] +
                   i[WINDOW_SIDE_H] - i[WINDOW_TOP] - i[WINDOW_H];
    int64_t across = (int64_t)(i[WINDOW_OUT_W] - 1) * i[WINDOW_STRIDE] +
                     i[WINDOW_SIDE_W] - i[WINDOW_LEFT] - i[WINDOW_W];
    int64_t pads[4] = {i[WINDOW_TOP], i[WINDOW_LEFT], down, across};

    /* Less than there is may be looked at. */
    for (size_t k = 0; k < 4; k++)
        pads[k] = pads[k] > 0 ? pads[k] : 0;
    onnx_put_ints(&w->node, "kernel_shape", side, 2);
    onnx_put_ints(&w->node, "strides", stride, 2);
    onnx_put_ints(&w->node, "pads", pads, 4);
}

static void
put_windows(struct onnx_writing *w, size_t id, const struct graph_node *n)
{
    const uint32_t *i = n->index;
    struct onnx_shape s = {i[WINDOW_C], i[WINDOW_H], i[WINDOW_W]};
    bool conv = n->op == GRAPH_CONV;
    size_t dim[4] = {n->n_b, s.c, i[WINDOW_SIDE_H], i[WINDOW_SIDE_W]};
    char in[ONNX_NAME], weight[ONNX_NAME], bias[ONNX_NAME];

    image_of(w, n->in[0], s, in);
    onnx_op_begin(w, in);
    if (conv) {
        onnx_more_name(w, weight);
        onnx_put_block(&w->graph, weight, n->a, dim);
        onnx_constant(w, ONNX_FLOAT, n->b, n->n_b, 0, bias);
        onnx_put_in(&w->node, weight);
        onnx_put_in(&w->node, bias);
    }
    put_window(w, n);
    onnx_op_end(w, w->name[id],
                conv                     ? "Conv"
                : n->op == GRAPH_MAXPOOL ? "MaxPool"
                                         : "AveragePool",
                false);
    w->shape[id] = (struct onnx_shape){conv ? (uint32_t)n->n_b : s.c,
                                       i[WINDOW_OUT_H], i[WINDOW_OUT_W]};
}

/* Functions of single numbers leave images what they are. */
static const char *
function_of(enum graph_op op)
{
    switch (op) {
    case GRAPH_ADD:
        return "Add";
    case GRAPH_RELU:
        return "Relu";
    case GRAPH_LEAKY:
        return "LeakyRelu";
    case GRAPH_ELU:
        return "Elu";
    case GRAPH_TANH:
        return "Tanh";
    case GRAPH_SIGMOID:
        return "Sigmoid";
    default:
        return NULL;
    }
}

bool
onnx_put_image(struct onnx_writing *w, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    const char *word = function_of(n->op);

    if (n->op == GRAPH_CONV || n->op == GRAPH_MAXPOOL ||
        n->op == GRAPH_MEANPOOL) {
        put_windows(w, id, n);
        return true;
    }
    if (!word || w->shape[n->in[0]].c == 0 ||
        (n->op == GRAPH_ADD && memcmp(&w->shape[n->in[0]], &w->shape[n->in[1]],
                                      sizeof *w->shape) != 0))
        return false;
    onnx_op_begin(w, w->name[n->in[0]]);
    if (n->op == GRAPH_ADD)
        onnx_put_in(&w->node, w->name[n->in[1]]);
    if (n->op == GRAPH_LEAKY)
        onnx_put_float(&w->node, "alpha", n->c);
    onnx_op_end(w, w->name[id], word, false);
    w->shape[id] = w->shape[n->in[0]];
    return true;
}
