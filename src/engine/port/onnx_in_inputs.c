/* engine/port/onnx_in_inputs.c -- the inputs of a graph that is read.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "base/mem.h"
#include "engine/port/onnx_in.h"
#include "frame/dict.h"

/* How wide an input is whose size is not told: what the first that uses it
 * asks for. */
static size_t
width_wanted(const struct onnx_reading *r, struct str name)
{
    for (size_t i = 0; i < r->m.n_nodes; i++) {
        const struct onnx_node *n = &r->m.node[i];
        size_t count = 0, k = onnx_label_count(n);

        if (n->n_in == 0 || !str_eq(n->in[0], name))
            continue;
        if (onnx_attribute(n, "nodes_featureids"))
            return onnx_trees_columns(n);
        if (onnx_numbers(n, "coefficients", &count) && count)
            return count / (k > 1 && count % k == 0 ? k : 1);
        if ((onnx_numbers(n, "offset", &count) && count) ||
            (onnx_numbers(n, "imputed_value_floats", &count) && count))
            return count;
        for (size_t t = 0; t < r->m.n_tensors && n->n_in > 1; t++)
            if (str_eq(r->m.tensor[t].name, n->in[1]) &&
                r->m.tensor[t].n_dims == 2)
                return r->m.tensor[t]
                    .dim[onnx_int(n, "transB", 0) != 0 ? 1 : 0];
    }
    return 1;
}

static bool
is_constant(const struct onnx_reading *r, struct str name)
{
    for (size_t t = 0; t < r->m.n_tensors; t++)
        if (str_eq(r->m.tensor[t].name, name))
            return true;
    return false;
}

/* Rows of images, whose size is told? */
static bool
is_picture(const struct onnx_input *in)
{
    if (in->n_dims != 4 || in->type == ONNX_STRING)
        return false;
    for (size_t k = 1; k < 4; k++)
        if (in->dim[k] == 0 || in->dim[k] > GRAPH_MAX_WIDTH)
            return false;
    return in->dim[1] * in->dim[2] <= GRAPH_MAX_WIDTH;
}

static size_t
input_width(const struct onnx_reading *r, const struct onnx_input *in)
{
    if (in->n_dims < 2)
        return 1;
    if (in->n_dims == 4)
        return in->dim[1] * in->dim[2] * in->dim[3];
    return in->dim[1] ? in->dim[1] : width_wanted(r, in->name);
}

static bool
input_name(struct onnx_reading *r, size_t at, const struct onnx_input *in,
           size_t k, size_t width)
{
    struct buf name;
    bool ok;

    if (width == 1)
        return portable_name(r->p, at, in->name, r->err);
    buf_init(&name);
    buf_printf(&name, "%.*s_%zu", (int)(in->name.n < 200 ? in->name.n : 200),
               in->name.p, k);
    ok = buf_check(&name, r->err) &&
         portable_name(r->p, at, str_of(name.data), r->err);
    buf_fini(&name);
    return ok;
}

static bool
input_take(struct onnx_reading *r, const struct onnx_input *in, size_t at,
           size_t width)
{
    struct onnx_value v = {.kind = VALUE_TEXTS, .n_columns = width};
    uint32_t *column, id;

    for (size_t k = 0; k < width; k++)
        if (!input_name(r, at + k, in, k, width))
            return false;
    if (in->type == ONNX_STRING) {
        column = arena_try(&r->arena, width, sizeof *column, r->err);
        for (size_t k = 0; k < width && column; k++) {
            column[k] = (uint32_t)(at + k);
            if (!(r->levels[at + k] = dict_new(r->err)))
                return false;
        }
        v.column = column;
        return column && onnx_value_set(r, in->name, &v);
    }
    if (!graph_add_input(r->g, at, width, &id, r->err) ||
        (in->type == ONNX_FLOAT &&
         !graph_add_simple(r->g, GRAPH_ROUND, id, &id, r->err)))
        return false;
    v = onnx_value_numbers(id);
    for (size_t k = 0; k < 3 && in->n_dims == 4; k++)
        v.image[k] = (uint32_t)in->dim[k + 1];
    v.whole = in->type != ONNX_FLOAT && in->type != ONNX_DOUBLE;
    return onnx_value_set(r, in->name, &v);
}

bool
onnx_inputs_read(struct onnx_reading *r)
{
    size_t n = 0, at = 0;

    for (size_t i = 0; i < r->m.n_inputs; i++) {
        const struct onnx_input *in = &r->m.input[i];

        if (is_constant(r, in->name))
            continue;
        if (in->n_dims > 2 && !is_picture(in))
            return error_set(r->err, ERR_TYPE,
                             "input '%.*s' has %zu dimensions, expected rows "
                             "and columns, or images of a size that is told",
                             (int)(in->name.n < 64 ? in->name.n : 64),
                             in->name.p, in->n_dims);
        n += input_width(r, in);
        if (n > GRAPH_MAX_WIDTH)
            return error_set(r->err, ERR_LIMIT, "more than %d inputs",
                             GRAPH_MAX_WIDTH);
    }
    if (!(r->p = portable_new(n, r->err)) ||
        !(r->levels = mem_try_array(n, sizeof(struct dict *), r->err)))
        return false;
    r->g = r->p->graph;
    for (size_t i = 0; i < r->m.n_inputs; i++) {
        const struct onnx_input *in = &r->m.input[i];

        if (is_constant(r, in->name))
            continue;
        if (!input_take(r, in, at, input_width(r, in)))
            return false;
        at += input_width(r, in);
    }
    return true;
}

/* Does a column of its own stand for the empty text, which another encoder tells
 * from what is not known? */
static bool
parts_check(const struct onnx_reading *r)
{
    for (size_t i = 0; i < r->g->n; i++) {
        const struct graph_node *n = &r->g->node[i];
        const struct graph_node *in = &r->g->node[n->n_in ? n->in[0] : 0];
        size_t rest = n->op == GRAPH_ONEHOT && in->op == GRAPH_INPUT
                          ? r->p->input[in->index[0]].rest
                          : 0;

        for (size_t k = 0; rest && k < n->n_a; k++)
            if (n->a[k] + 1 == (double)rest)
                return error_set(r->err, ERR_TYPE,
                                 "input '%s': encoders differ in what they "
                                 "make of an empty text",
                                 r->p->input[in->index[0]].name);
    }
    return true;
}

static bool
levels_take(struct onnx_reading *r, size_t i, struct buf *rest)
{
    const struct dict *d = r->levels[i];
    struct portable_input *in = &r->p->input[i];
    size_t n = d ? dict_count(d) : 0;
    const char **level = arena_try(&r->p->arena, n, sizeof *level, r->err);

    if (!level || (in->rest && !portable_rest_text(d, rest, r->err)))
        return false;
    for (size_t k = 0; k < n; k++) {
        struct str t = k + 1 == in->rest ? (struct str){rest->data, rest->len}
                                         : dict_text(d, (uint32_t)k);

        if (!(level[k] = arena_text(&r->p->arena, t.p, t.n, r->err)))
            return false;
    }
    in->levels = n ? level : NULL;
    in->n_levels = n;
    return true;
}

bool
onnx_levels_take(struct onnx_reading *r)
{
    struct buf rest;
    bool ok = true;

    buf_init(&rest);
    for (size_t i = 0; i < r->g->n_cols && ok; i++)
        ok = levels_take(r, i, &rest);
    buf_fini(&rest);
    return ok && parts_check(r);
}
