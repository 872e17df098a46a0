/* engine/port/onnx_in_value.c -- the values between the operators
 * of a graph that is read.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/onnx_in.h"
#include "frame/dict.h"

struct onnx_value *
onnx_value_find(struct onnx_reading *r, struct str name)
{
    uint32_t code = name.n ? dict_find(r->names, name) : DICT_NONE;

    return code == DICT_NONE ? NULL : &r->value[code];
}

bool
onnx_value_set(struct onnx_reading *r, struct str name,
               const struct onnx_value *v)
{
    uint32_t code;

    if (name.n == 0)
        return true; /* an output that is left out */
    if (!dict_add(r->names, name, &code, r->err))
        return false;
    if (code >= r->n_values)
        return error_set(r->err, ERR_PARSE, "more values than there are");
    r->value[code] = *v;
    return true;
}

struct onnx_value
onnx_value_numbers(uint32_t node)
{
    return (struct onnx_value){.kind = VALUE_NUMBERS, .node = node};
}

/* The two columns of a pair, when somebody wants them. */
static bool
pair_make(struct onnx_reading *r, struct onnx_value *v)
{
    double one = 1, minus = -1;
    struct graph_node flip = {.op = GRAPH_SCALE,
                              .width = 1,
                              .n_in = 1,
                              .in = &v->node,
                              .n_a = 1,
                              .a = &one,
                              .n_b = 1,
                              .b = &minus};
    uint32_t both[2] = {0, v->node};
    struct graph_node join = {
        .op = GRAPH_JOIN, .width = 2, .n_in = 2, .in = both};

    if (!graph_add(r->g, &flip, &both[0], r->err) ||
        !graph_add(r->g, &join, &v->node, r->err))
        return false;
    v->pair = false;
    return true;
}

/* Input k of an operator as a node of numbers.  False without an error set:
 * it is none (*known false). */
bool
onnx_number_in(struct onnx_reading *r, const struct onnx_node *n, size_t k,
               uint32_t *id, bool *known)
{
    struct onnx_value *v = k < n->n_in ? onnx_value_find(r, n->in[k]) : NULL;

    *known = v && v->kind == VALUE_NUMBERS;
    if (!*known)
        return true;
    if (v->pair && !pair_make(r, v))
        return false;
    *id = v->node;
    return true;
}

const struct onnx_tensor *
onnx_constant_in(struct onnx_reading *r, const struct onnx_node *n, size_t k)
{
    struct onnx_value *v = k < n->n_in ? onnx_value_find(r, n->in[k]) : NULL;

    return v && v->kind == VALUE_CONSTANT && v->tensor->x ? v->tensor : NULL;
}

bool
onnx_value_put(struct onnx_reading *r, const struct onnx_node *n, uint32_t id,
               bool whole)
{
    struct onnx_value v = onnx_value_numbers(id);

    v.whole = whole;
    return n->n_out == 0 || onnx_value_set(r, n->out[0], &v);
}

/* All outputs are something that we do not know. */
bool
onnx_unknown(struct onnx_reading *r, const struct onnx_node *n)
{
    struct onnx_value v = {.kind = VALUE_UNKNOWN, .why = n->op};

    for (size_t k = 0; k < n->n_out; k++)
        if (!onnx_value_set(r, n->out[k], &v))
            return false;
    return true;
}

bool
onnx_refuse(struct onnx_reading *r, const struct onnx_node *n, const char *what)
{
    return error_set(r->err, ERR_TYPE, "%.*s: %s",
                     (int)(n->op.n < 64 ? n->op.n : 64), n->op.p, what);
}
