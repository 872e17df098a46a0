/* engine/port/onnx_in_near.c -- read distances to rows, and the nearest.
 *
 * Four operators are one step: Unsqueeze puts a place between rows and columns,
 * Sub takes each row of a constant away, Mul squares, ReduceSum adds up.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>

#include "engine/port/onnx_in.h"

/* Is `axis` all that an operator names, as an input or an attribute? */
static bool
is_axis(struct onnx_reading *r, const struct onnx_node *n, double axis,
        double from_end)
{
    const struct onnx_tensor *t = onnx_constant_in(r, n, 1);
    size_t count = 0;
    const double *list = onnx_numbers(n, "axes", &count);

    if (t) {
        list = t->x;
        count = t->n;
    }
    return count == 1 && (list[0] == axis || list[0] == from_end);
}

bool
onnx_take_raise(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;
    bool table = v && v->kind == VALUE_NUMBERS && !v->image[0];

    if (!onnx_take_reshape(r, n))
        return false;
    if (table && n->n_out && is_axis(r, n, 1, -2))
        onnx_value_find(r, n->out[0])->raised = true;
    return true;
}

bool
onnx_take_apart(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;
    const struct onnx_tensor *t = onnx_constant_in(r, n, 1);
    struct onnx_value apart = {.kind = VALUE_APART, .tensor = t};
    bool known;

    if (!v || !v->raised || !t || t->n_dims < 2 || n->n_out == 0)
        return onnx_take_arithmetic(r, n);
    if (!onnx_number_in(r, n, 0, &apart.node, &known))
        return false;
    if (!known || t->n == 0 ||
        t->dim[t->n_dims - 1] != r->g->node[apart.node].width ||
        t->n != t->dim[t->n_dims - 1] * t->dim[t->n_dims - 2])
        return onnx_take_arithmetic(r, n);
    return onnx_value_set(r, n->out[0], &apart);
}

bool
onnx_take_square(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;
    struct onnx_value square;

    if (!v || v->kind != VALUE_APART || v->squared || n->n_in != 2 ||
        !str_eq(n->in[0], n->in[1]) || n->n_out == 0)
        return onnx_take_arithmetic(r, n);
    square = *v;
    square.squared = true;
    return onnx_value_set(r, n->out[0], &square);
}

bool
onnx_take_reduce(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;
    struct graph_node apart = {.op = GRAPH_DISTANCE, .n_in = 1};
    uint32_t in, id;

    if (!v || v->kind != VALUE_APART || !v->squared || !is_axis(r, n, 2, -1) ||
        onnx_int(n, "keepdims", 1) != 0)
        return onnx_unknown(r, n);
    in = v->node;
    apart.in = &in;
    apart.a = v->tensor->x;
    apart.n_a = v->tensor->n;
    apart.width = apart.n_a / r->g->node[in].width;
    return graph_add(r->g, &apart, &id, r->err) &&
           onnx_value_put(r, n, id, false);
}

/* The smallest, and their places from 0. */
bool
onnx_take_nearest(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_tensor *k = onnx_constant_in(r, n, 1);
    double axis = onnx_int(n, "axis", -1);
    uint32_t in, near, half[2];
    struct graph_node nearest = {.op = GRAPH_NEAREST, .n_in = 1, .in = &in};
    struct graph_node pick = {.op = GRAPH_PICK, .n_in = 1, .in = &near};
    struct onnx_value v;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    if (!known || !k || k->n != 1 || !(k->x[0] >= 1) ||
        !(k->x[0] <= (double)r->g->node[in].width) || k->x[0] != floor(k->x[0]))
        return onnx_unknown(r, n);
    if ((axis != 1 && axis != -1) || onnx_int(n, "largest", 1) != 0 ||
        onnx_int(n, "sorted", 1) != 1)
        return onnx_refuse(r, n, "not the smallest of a row, in order");
    pick.width = pick.n_index = (size_t)k->x[0];
    nearest.width = 2 * pick.width;
    if (!graph_add(r->g, &nearest, &near, r->err))
        return false;
    for (size_t h = 0; h < 2; h++) {
        if (!graph_add(r->g, &pick, &half[h], r->err))
            return false;
        for (size_t i = 0; i < pick.width; i++)
            r->g->node[half[h]].index[i] =
                (uint32_t)(i + (h == 0 ? pick.width : 0));
    }
    v = onnx_value_numbers(half[0]);
    if (n->n_out > 0 && !onnx_value_set(r, n->out[0], &v))
        return false;
    if (n->n_out < 2)
        return true;
    near = half[1];
    nearest = (struct graph_node){.op = GRAPH_SCALE,
                                  .width = pick.width,
                                  .n_in = 1,
                                  .in = &near,
                                  .n_a = pick.width,
                                  .n_b = pick.width};
    if (!graph_add(r->g, &nearest, &near, r->err))
        return false;
    for (size_t i = 0; i < pick.width; i++)
        r->g->node[near].a[i] = r->g->node[near].b[i] = 1;
    v = onnx_value_numbers(near);
    v.whole = true;
    return onnx_value_set(r, n->out[1], &v);
}
