/* engine/port/onnx_out_near.c -- distances to rows as ONNX, and the nearest.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/onnx_out.h"

/* (rows, 1, columns) - (n, columns) is (rows, n, columns): squared, and added
 * up over the columns. */
void
onnx_put_distance(struct onnx_writing *w, const char *in, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    const double middle = 1, last = 2;
    char axis[ONNX_NAME], rows[ONNX_NAME], raised[ONNX_NAME];
    char apart[ONNX_NAME], square[ONNX_NAME];

    onnx_constant(w, ONNX_INT64, &middle, 1, 0, axis);
    onnx_more_name(w, raised);
    onnx_op_two(w, in, axis, "Unsqueeze", raised);
    onnx_constant(w, ONNX_DOUBLE, n->a, n->width, n->n_a / n->width, rows);
    onnx_more_name(w, apart);
    onnx_op_two(w, raised, rows, "Sub", apart);
    onnx_more_name(w, square);
    onnx_op_two(w, apart, apart, "Mul", square);
    onnx_constant(w, ONNX_INT64, &last, 1, 0, axis);
    onnx_op_begin(w, square);
    onnx_put_in(&w->node, axis);
    onnx_put_int(&w->node, "keepdims", 0);
    onnx_op_end(w, w->name[id], "ReduceSum", false);
}

void
onnx_put_nearest(struct onnx_writing *w, const char *in, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    const double k = (double)(n->width / 2), one = 1;
    char count[ONNX_NAME], least[ONNX_NAME], index[ONNX_NAME];
    char from_0[ONNX_NAME], from_1[ONNX_NAME], step[ONNX_NAME];

    onnx_constant(w, ONNX_INT64, &k, 1, 0, count);
    onnx_more_name(w, least);
    onnx_more_name(w, index);
    onnx_op_begin(w, in);
    onnx_put_in(&w->node, count);
    onnx_put_int(&w->node, "axis", 1);
    onnx_put_int(&w->node, "largest", 0);
    onnx_put_int(&w->node, "sorted", 1);
    onnx_put_out(&w->node, least);
    onnx_op_end(w, index, "TopK", false);
    onnx_more_name(w, from_0);
    onnx_op_cast(w, index, ONNX_DOUBLE, from_0);
    onnx_constant(w, ONNX_DOUBLE, &one, 1, 0, step);
    onnx_more_name(w, from_1);
    onnx_op_two(w, from_0, step, "Add", from_1);
    onnx_op_begin(w, from_1);
    onnx_put_in(&w->node, least);
    onnx_put_int(&w->node, "axis", 1);
    onnx_op_end(w, w->name[id], "Concat", false);
}
