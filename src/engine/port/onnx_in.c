/* engine/port/onnx_in.c -- read an ONNX graph.
 *
 * Operators are taken in the order of the file, which is one that has inputs
 * before what uses them.  Each value is numbers (a node of ours), texts (input
 * columns), a constant, or nothing that we know; only when an answer needs the
 * latter it is an error, so that labels, of which we make our own, are passed
 * over.
 *
 * The levels of a text input are whatever encoders look for in it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/boosted.h"
#include "engine/port/onnx.h"
#include "engine/port/onnx_in.h"
#include "engine/port/portable.h"
#include "frame/dict.h"

/* ---- values ---- */

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

static bool
is_a(const struct onnx_reading *r, uint32_t id, size_t *width)
{
    *width = r->g->node[id].width;
    return *width > 0;
}

static struct onnx_value
numbers(uint32_t node)
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
    struct onnx_value v = numbers(id);

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

/* ---- plain functions ---- */

static bool
op_same(struct onnx_reading *r, const struct onnx_node *n)
{
    struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL, same;

    if (!v || n->n_out == 0)
        return onnx_unknown(r, n);
    same = *v;
    return onnx_value_set(r, n->out[0], &same);
}

/* To another type: numbers are numbers, unless they would lose a part. */
static bool
op_cast(struct onnx_reading *r, const struct onnx_node *n)
{
    double to = onnx_int(n, "to", 0);
    struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;

    if (str_is(n->domain, "ai.onnx.ml"))
        return onnx_unknown(r, n); /* CastMap */
    if (v && v->kind == VALUE_NUMBERS && to != ONNX_FLOAT &&
        to != ONNX_DOUBLE && !v->whole)
        return onnx_unknown(r, n);
    return to == ONNX_STRING ? onnx_unknown(r, n) : op_same(r, n);
}

bool
onnx_simple(struct onnx_reading *r, const struct onnx_node *n, enum graph_op op,
            double c)
{
    struct graph_node node = {.op = op, .n_in = 1, .c = c};
    uint32_t in, id;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    if (!known)
        return onnx_unknown(r, n);
    node.in = &in;
    node.width = r->g->node[in].width;
    return graph_add(r->g, &node, &id, r->err) &&
           onnx_value_put(r, n, id, op == GRAPH_MISSING || op == GRAPH_STEP) &&
           onnx_keep_image(r, n, 0);
}

static bool
op_function(struct onnx_reading *r, const struct onnx_node *n)
{
    static const struct {
        const char *name;
        enum graph_op op;
    } table[] = {
        {"Exp", GRAPH_EXP},           {"Relu", GRAPH_RELU},
        {"Log", GRAPH_LOG},           {"Sigmoid", GRAPH_SIGMOID},
        {"Softplus", GRAPH_SOFTPLUS}, {"Tanh", GRAPH_TANH},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (str_is(n->op, table[i].name))
            return onnx_simple(r, n, table[i].op, 0);
    return onnx_unknown(r, n);
}

static bool
op_leaky(struct onnx_reading *r, const struct onnx_node *n)
{
    return onnx_simple(r, n, GRAPH_LEAKY, onnx_float(n, "alpha", 0.01));
}

static bool
op_softmax(struct onnx_reading *r, const struct onnx_node *n)
{
    double axis = onnx_int(n, "axis", -1);
    const struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;

    return (axis == 1 || axis == -1) && !(v && v->image[0])
               ? onnx_simple(r, n, GRAPH_SOFTMAX, 0)
               : onnx_refuse(r, n, "over another axis than the columns");
}

static bool
op_missing(struct onnx_reading *r, const struct onnx_node *n)
{
    return onnx_simple(r, n, GRAPH_MISSING, str_is(n->op, "IsNaN") ? 0 : 2);
}

static bool
op_binarizer(struct onnx_reading *r, const struct onnx_node *n)
{
    return onnx_simple(r, n, GRAPH_STEP, onnx_float(n, "threshold", 0));
}

static bool
op_normalizer(struct onnx_reading *r, const struct onnx_node *n)
{
    return str_is(onnx_text(n, "norm"), "L1")
               ? onnx_simple(r, n, GRAPH_NORMALIZE, 0)
               : onnx_refuse(r, n, "a norm other than L1");
}

/* ---- scaling, imputing ---- */

/* (x - a) * b with lists of one number or one for each column. */
bool
onnx_put_scaled(struct onnx_reading *r, const struct onnx_node *n, uint32_t in,
                const double *a, size_t n_a, const double *b, size_t n_b)
{
    size_t width = r->g->node[in].width;
    struct graph_node node = {.op = GRAPH_SCALE,
                              .width = width,
                              .n_in = 1,
                              .in = &in,
                              .n_a = width,
                              .n_b = width};
    uint32_t id;

    if ((n_a != 1 && n_a != width) || (n_b != 1 && n_b != width))
        return onnx_refuse(r, n, "as many numbers as columns are expected");
    if (!graph_add(r->g, &node, &id, r->err))
        return false;
    for (size_t j = 0; j < width; j++) {
        r->g->node[id].a[j] = a[n_a == 1 ? 0 : j];
        r->g->node[id].b[j] = b[n_b == 1 ? 0 : j];
    }
    return onnx_value_put(r, n, id, false) && onnx_keep_image(r, n, 0);
}

static bool
op_scaler(struct onnx_reading *r, const struct onnx_node *n)
{
    static const double zero = 0, one = 1;
    size_t n_a, n_b;
    const double *a = onnx_numbers(n, "offset", &n_a);
    const double *b = onnx_numbers(n, "scale", &n_b);
    uint32_t in;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    return known ? onnx_put_scaled(r, n, in, n_a ? a : &zero, n_a ? n_a : 1,
                                   n_b ? b : &one, n_b ? n_b : 1)
                 : onnx_unknown(r, n);
}

static bool
op_imputer(struct onnx_reading *r, const struct onnx_node *n)
{
    size_t n_a, width;
    const double *a = onnx_numbers(n, "imputed_value_floats", &n_a);
    struct graph_node node = {.op = GRAPH_FILL, .n_in = 1};
    uint32_t in, id;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    if (!known)
        return onnx_unknown(r, n);
    if (n_a == 0 || !isnan(onnx_float(n, "replaced_value_float", 0)))
        return onnx_refuse(r, n, "replaces something else than NaN in floats");
    node.in = &in;
    node.width = node.n_a = width = r->g->node[in].width;
    if (n_a != 1 && n_a != width)
        return onnx_refuse(r, n, "as many numbers as columns are expected");
    if (!graph_add(r->g, &node, &id, r->err))
        return false;
    for (size_t j = 0; j < width; j++)
        r->g->node[id].a[j] = a[n_a == 1 ? 0 : j];
    return onnx_value_put(r, n, id, false);
}

/* ---- arithmetic ---- */

/* With a constant: (x - a) * b. */
static bool
with_constant(struct onnx_reading *r, const struct onnx_node *n, uint32_t in,
              const struct onnx_tensor *c, bool first)
{
    static const double zero = 0, one = 1, minus = -1;
    const struct onnx_value *x = onnx_value_find(r, n->in[first]);
    size_t width = r->g->node[in].width, places = 1, count = c->n;
    char op = n->op.p[0];
    double *v;

    /* A number for each channel. */
    if (x->image[0] && count == x->image[0] && count < width) {
        places = width / count;
        count = width;
    }
    if (!(v = arena_try(&r->arena, count, sizeof *v, r->err)))
        return false;
    for (size_t i = 0; i < count; i++) {
        double y = c->x[i / places];

        v[i] = op == 'A' ? -y : op == 'D' ? 1 / y : y;
    }
    if (op == 'D' && first)
        return onnx_refuse(r, n, "a constant divided by columns");
    if (op == 'A' || op == 'S')
        return onnx_put_scaled(r, n, in, v, count,
                               op == 'S' && first ? &minus : &one, 1) &&
               onnx_keep_image(r, n, first);
    return onnx_put_scaled(r, n, in, &zero, 1, v, count) &&
           onnx_keep_image(r, n, first);
}

static bool
op_arithmetic(struct onnx_reading *r, const struct onnx_node *n)
{
    static const struct {
        const char *name;
        enum graph_op op;
    } table[] = {{"Add", GRAPH_ADD},
                 {"Div", GRAPH_DIV},
                 {"Mul", GRAPH_MUL},
                 {"Or", GRAPH_OR},
                 {"Sub", GRAPH_SUB}};
    const struct onnx_tensor *a = onnx_constant_in(r, n, 0),
                             *b = onnx_constant_in(r, n, 1);
    struct graph_node node = {.n_in = 2};
    uint32_t in[2], id, swap;
    bool known[2];

    if (!onnx_number_in(r, n, 0, &in[0], &known[0]) ||
        !onnx_number_in(r, n, 1, &in[1], &known[1]))
        return false;
    if (known[0] && b && !str_is(n->op, "Or"))
        return with_constant(r, n, in[0], b, false);
    if (known[1] && a && !str_is(n->op, "Or"))
        return with_constant(r, n, in[1], a, true);
    if (!known[0] || !known[1])
        return onnx_unknown(r, n);
    if (memcmp(onnx_value_find(r, n->in[0])->image,
               onnx_value_find(r, n->in[1])->image, sizeof(uint32_t[3])) != 0)
        return onnx_refuse(r, n, "images that differ in size");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (str_is(n->op, table[i].name))
            node.op = table[i].op;
    if (r->g->node[in[0]].width == 1 && node.op != GRAPH_SUB &&
        node.op != GRAPH_DIV) {
        swap = in[0];
        in[0] = in[1];
        in[1] = swap;
    }
    node.in = in;
    node.width = r->g->node[in[0]].width;
    return graph_add(r->g, &node, &id, r->err) &&
           onnx_value_put(r, n, id, node.op == GRAPH_OR) &&
           onnx_keep_image(r, n, 0);
}

/* Numbers, or a constant as numbers as wide as `like`. */
static bool
spread_in(struct onnx_reading *r, const struct onnx_node *n, size_t k,
          uint32_t like, uint32_t *id, bool *known)
{
    const struct onnx_tensor *c = onnx_constant_in(r, n, k);
    size_t width = r->g->node[like].width;
    struct graph_node none = {.op = GRAPH_SCALE,
                              .width = width,
                              .n_in = 1,
                              .in = &like,
                              .n_a = width,
                              .n_b = width};
    struct graph_node fill = {
        .op = GRAPH_FILL, .width = width, .n_in = 1, .n_a = width, .c = 1};

    if (!c)
        return onnx_number_in(r, n, k, id, known);
    *known = true;
    if (c->n != 1 && c->n != width)
        return onnx_refuse(r, n, "as many numbers as columns are expected");
    /* 0 x is 0 or NaN; + c, with c where it is NaN, is c. */
    if (!graph_add(r->g, &none, id, r->err))
        return false;
    fill.in = id;
    if (!graph_add(r->g, &fill, id, r->err))
        return false;
    none.in = id;
    if (!graph_add(r->g, &none, id, r->err))
        return false;
    for (size_t j = 0; j < width; j++) {
        r->g->node[*id].a[j] = -c->x[c->n == 1 ? 0 : j];
        r->g->node[*id].b[j] = 1;
    }
    return true;
}

static bool
op_where(struct onnx_reading *r, const struct onnx_node *n)
{
    struct graph_node node = {.op = GRAPH_WHERE, .n_in = 3};
    uint32_t in[3], id;
    bool known[3];

    if (!onnx_number_in(r, n, 0, &in[0], &known[0]))
        return false;
    if (!known[0])
        return onnx_unknown(r, n);
    if (!spread_in(r, n, 1, in[0], &in[1], &known[1]) ||
        !spread_in(r, n, 2, in[0], &in[2], &known[2]))
        return false;
    if (!known[1] || !known[2])
        return onnx_unknown(r, n);
    node.in = in;
    node.width = r->g->node[in[0]].width;
    return graph_add(r->g, &node, &id, r->err) &&
           onnx_value_put(r, n, id, false);
}

/* ---- columns ---- */

static bool
join_texts(struct onnx_reading *r, const struct onnx_node *n)
{
    struct onnx_value all = {.kind = VALUE_TEXTS};
    uint32_t *column;
    size_t at = 0;

    for (size_t k = 0; k < n->n_in; k++) {
        const struct onnx_value *v = onnx_value_find(r, n->in[k]);

        if (!v || v->kind != VALUE_TEXTS)
            return onnx_unknown(r, n);
        all.n_columns += v->n_columns;
    }
    if (all.n_columns > GRAPH_MAX_WIDTH)
        return onnx_refuse(r, n, "too many columns");
    if (!(column = arena_try(&r->arena, all.n_columns, sizeof *column, r->err)))
        return false;
    for (size_t k = 0; k < n->n_in; k++) {
        const struct onnx_value *v = onnx_value_find(r, n->in[k]);

        for (size_t c = 0; c < v->n_columns; c++)
            column[at++] = v->column[c];
    }
    all.column = column;
    return n->n_out == 0 || onnx_value_set(r, n->out[0], &all);
}

/* Channels of images of the same size; 0 where they differ, or are none. */
static bool
join_images(struct onnx_reading *r, const struct onnx_node *n,
            uint32_t image[3])
{
    for (size_t k = 0; k < n->n_in; k++) {
        const struct onnx_value *v = onnx_value_find(r, n->in[k]);

        if (k > 0 && (v->image[0] > 0) != (image[0] > 0))
            return false;
        if (k > 0 && image[0] &&
            (v->image[1] != image[1] || v->image[2] != image[2]))
            return false;
        image[0] += v->image[0];
        image[1] = v->image[1];
        image[2] = v->image[2];
    }
    return true;
}

static bool
op_join(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_value *first =
        n->n_in ? onnx_value_find(r, n->in[0]) : NULL;
    double axis = onnx_int(n, "axis", 1);
    struct graph_node node = {.op = GRAPH_JOIN, .n_in = n->n_in};
    uint32_t id, image[3] = {0, 0, 0};
    bool known;

    if (axis != 1 && axis != -1)
        return onnx_refuse(r, n, "along another axis than the columns");
    if (first && first->kind == VALUE_TEXTS)
        return join_texts(r, n);
    if (!(node.in = arena_try(&r->arena, n->n_in, sizeof *node.in, r->err)))
        return false;
    for (size_t k = 0; k < n->n_in; k++) {
        if (!onnx_number_in(r, n, k, &node.in[k], &known))
            return false;
        if (!known)
            return onnx_unknown(r, n);
        node.width += r->g->node[node.in[k]].width;
    }
    if (node.width > GRAPH_MAX_WIDTH)
        return onnx_refuse(r, n, "too many columns");
    if (!join_images(r, n, image))
        return onnx_refuse(r, n, "images that differ in size");
    if (!graph_add(r->g, &node, &id, r->err) ||
        !onnx_value_put(r, n, id, false))
        return false;
    if (n->n_out)
        memcpy(onnx_value_find(r, n->out[0])->image, image, sizeof image);
    return true;
}

/* Column numbers, negative from the end. */
static bool
pick_index(struct onnx_reading *r, const struct onnx_node *n,
           const struct onnx_tensor *t, size_t width, uint32_t **out)
{
    if (!(*out = arena_try(&r->arena, t->n, sizeof **out, r->err)))
        return false;
    for (size_t i = 0; i < t->n; i++) {
        double k = t->x[i] < 0 ? t->x[i] + (double)width : t->x[i];

        if (!(k >= 0 && k < (double)width) || k != floor(k))
            return onnx_refuse(r, n, "a column that is not there");
        (*out)[i] = (uint32_t)k;
    }
    return true;
}

static bool
pick_texts(struct onnx_reading *r, const struct onnx_node *n,
           const struct onnx_value *v, const struct onnx_tensor *t)
{
    struct onnx_value some = {.kind = VALUE_TEXTS, .n_columns = t->n};
    uint32_t *index;

    if (!pick_index(r, n, t, v->n_columns, &index))
        return false;
    for (size_t i = 0; i < t->n; i++)
        index[i] = v->column[index[i]];
    some.column = index;
    return n->n_out == 0 || onnx_value_set(r, n->out[0], &some);
}

static bool
op_pick(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_tensor *t = onnx_constant_in(r, n, 1);
    const struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;
    struct graph_node node = {.op = GRAPH_PICK, .n_in = 1};
    uint32_t in, id;
    bool known;

    if (str_is(n->op, "Gather") && onnx_int(n, "axis", 0) == 0 &&
        onnx_constant_in(r, n, 0))
        return onnx_op_embed(r, n, onnx_constant_in(r, n, 0));
    if (!t || (str_is(n->op, "Gather") && onnx_int(n, "axis", 0) != 1) ||
        (v && v->image[0]))
        return onnx_unknown(r, n);
    if (v && v->kind == VALUE_TEXTS)
        return pick_texts(r, n, v, t);
    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    if (!known)
        return onnx_unknown(r, n);
    node.in = &in;
    node.width = node.n_index = t->n;
    if (!pick_index(r, n, t, r->g->node[in].width, &node.index))
        return false;
    return graph_add(r->g, &node, &id, r->err) &&
           onnx_value_put(r, n, id, false);
}

/* ---- encoders ---- */

/* The keys of an encoder as numbers: the codes of levels for a text column,
 * which gets those that it has not yet. */
static bool
keys_of_texts(struct onnx_reading *r, uint32_t column, const struct str *key,
              size_t n, double **out)
{
    if (!(*out = arena_try(&r->arena, n, sizeof **out, r->err)))
        return false;
    for (size_t i = 0; i < n; i++) {
        uint32_t code;

        if (!str_utf8_valid(key[i]) ||
            (key[i].n && memchr(key[i].p, '\0', key[i].n)))
            return error_set(r->err, ERR_PARSE, "a level is no UTF-8");
        if (!dict_add(r->levels[column], key[i], &code, r->err))
            return false;
        (*out)[i] = code;
    }
    return true;
}

/* What an encoder looks at: a node of width 1, and its keys. */
static bool
encoder_in(struct onnx_reading *r, const struct onnx_node *n, const char *texts,
           const char *const *lists, uint32_t *in, const double **key,
           size_t *n_keys, bool *known)
{
    const struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;
    const struct str *text;
    double *codes;

    if (v && v->kind == VALUE_TEXTS && v->n_columns == 1) {
        *known = true;
        text = onnx_texts(n, texts, n_keys);
        if (!keys_of_texts(r, v->column[0], text, *n_keys, &codes))
            return false;
        *key = codes;
        return graph_add_input(r->g, v->column[0], 1, in, r->err);
    }
    if (!onnx_number_in(r, n, 0, in, known))
        return false;
    *n_keys = 0;
    for (; *known && *lists && *n_keys == 0; lists++)
        *key = onnx_numbers(n, *lists, n_keys);
    *known = *known && r->g->node[*in].width == 1 && *n_keys > 0;
    return true;
}

static bool
op_onehot(struct onnx_reading *r, const struct onnx_node *n)
{
    static const char *const lists[] = {"cats_int64s", NULL};
    struct graph_node node = {.op = GRAPH_ONEHOT, .n_in = 1};
    const double *key = NULL;
    uint32_t in, id;
    size_t k;
    bool known;

    if (!encoder_in(r, n, "cats_strings", lists, &in, &key, &k, &known))
        return false;
    if (!known || k == 0)
        return onnx_unknown(r, n);
    node.in = &in;
    node.a = (double *)(uintptr_t)key;
    node.width = node.n_a = node.n_index = k;
    if (!graph_add(r->g, &node, &id, r->err))
        return false;
    for (size_t i = 0; i < k; i++)
        r->g->node[id].index[i] = (uint32_t)i;
    return onnx_value_put(r, n, id, true);
}

static bool
op_label(struct onnx_reading *r, const struct onnx_node *n)
{
    static const char *const lists[] = {"keys_floats", "keys_int64s",
                                        "keys_tensor", NULL};
    struct graph_node node = {.op = GRAPH_MAP, .width = 1, .n_in = 1};
    const double *key = NULL, *value;
    bool known, floats = onnx_attribute(n, "values_floats") != NULL, whole;
    size_t n_keys, n_values;
    uint32_t in, id;

    value =
        onnx_numbers(n, floats ? "values_floats" : "values_int64s", &n_values);
    if (n_values == 0)
        return onnx_unknown(r, n); /* to texts: labels */
    if (!encoder_in(r, n, "keys_strings", lists, &in, &key, &n_keys, &known))
        return false;
    if (!known || n_keys != n_values)
        return onnx_unknown(r, n);
    node.in = &in;
    node.n_a = node.n_b = n_keys;
    node.a = (double *)(uintptr_t)key;
    node.b = (double *)(uintptr_t)value;
    node.c = floats ? onnx_float(n, "default_float", 0)
                    : onnx_int(n, "default_int64", -1);
    whole = node.c == floor(node.c);
    for (size_t i = 0; i < n_values; i++)
        whole = whole && value[i] == floor(value[i]);
    return graph_add(r->g, &node, &id, r->err) &&
           onnx_value_put(r, n, id, whole);
}

/* ---- linear ---- */

/* weight: (outputs, inputs) row-major, as Linear* have it, or, `across`,
 * (inputs, outputs). */
static bool
put_dense(struct onnx_reading *r, const struct onnx_node *n, uint32_t in,
          const double *weight, bool across, size_t k, const double *bias,
          size_t n_bias, uint32_t *id)
{
    size_t width = r->g->node[in].width, all;
    struct graph_node node = {
        .op = GRAPH_DENSE, .width = k, .n_in = 1, .in = &in, .n_b = k};

    if (k == 0 || k > GRAPH_MAX_WIDTH || !mem_mul(width, k, &all) ||
        (n_bias != 0 && n_bias != 1 && n_bias != k))
        return onnx_refuse(r, n, "sizes do not fit");
    node.n_a = all;
    if (!graph_add(r->g, &node, id, r->err))
        return false;
    for (size_t j = 0; j < k; j++) {
        for (size_t i = 0; i < width; i++)
            r->g->node[*id].a[i * k + j] =
                weight[across ? i * k + j : j * width + i];
        if (n_bias)
            r->g->node[*id].b[j] = bias[n_bias == 1 ? 0 : j];
    }
    return true;
}

static bool
op_gemm(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_tensor *w = onnx_constant_in(r, n, 1),
                             *b = onnx_constant_in(r, n, 2);
    bool gemm = str_is(n->op, "Gemm");
    bool turned = gemm && onnx_int(n, "transB", 0) != 0;
    double alpha = gemm ? onnx_float(n, "alpha", 1) : 1;
    double beta = gemm ? onnx_float(n, "beta", 1) : 1;
    uint32_t in, id;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    if (!known || !w || (gemm && n->n_in > 2 && !b))
        return onnx_unknown(r, n);
    if (alpha != 1 || beta != 1 || onnx_int(n, "transA", 0) != 0 ||
        w->n_dims != 2 || w->dim[turned ? 1 : 0] != r->g->node[in].width)
        return onnx_refuse(r, n, "sizes do not fit");
    return put_dense(r, n, in, w->x, !turned, w->dim[turned ? 0 : 1],
                     b ? b->x : NULL, b ? b->n : 0, &id) &&
           onnx_value_put(r, n, id, false);
}

static bool
post_transform(struct onnx_reading *r, const struct onnx_node *n,
               struct str post, uint32_t *id)
{
    if (post.n == 0 || str_is(post, "NONE"))
        return true;
    if (str_is(post, "LOGISTIC"))
        return graph_add_simple(r->g, GRAPH_SIGMOID, *id, id, r->err);
    if (str_is(post, "SOFTMAX"))
        return graph_add_simple(r->g, GRAPH_SOFTMAX, *id, id, r->err);
    return onnx_refuse(r, n, "a post_transform that is not known");
}

static bool
op_linear_regressor(struct onnx_reading *r, const struct onnx_node *n)
{
    size_t n_w, n_b, k = (size_t)onnx_int(n, "targets", 1);
    const double *w = onnx_numbers(n, "coefficients", &n_w);
    const double *b = onnx_numbers(n, "intercepts", &n_b);
    uint32_t in, id;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    if (!known)
        return onnx_unknown(r, n);
    if (k == 0 || n_w / k != r->g->node[in].width || n_w % k != 0)
        return onnx_refuse(r, n, "sizes do not fit");
    return put_dense(r, n, in, w, false, k, b, n_b, &id) &&
           post_transform(r, n, onnx_text(n, "post_transform"), &id) &&
           onnx_value_put(r, n, id, false);
}

/* ---- classifiers ---- */

static size_t
label_count(const struct onnx_node *n)
{
    static const char *const lists[] = {"classlabels_int64s",
                                        "classlabels_ints", NULL};
    size_t count;

    (void)onnx_texts(n, "classlabels_strings", &count);
    for (size_t i = 0; lists[i] && count == 0; i++)
        (void)onnx_numbers(n, lists[i], &count);
    return count;
}

/* Output 0 is labels, output 1 the scores, as wide as there are classes; or
 * one score for two classes. */
static bool
put_classifier(struct onnx_reading *r, const struct onnx_node *n, uint32_t id)
{
    struct onnx_value v = {.kind = VALUE_UNKNOWN, .why = n->op};
    size_t width, k = label_count(n);
    struct str post = onnx_text(n, "post_transform");

    if (k < 2 || k > TARGET_MAX_CLASSES || !is_a(r, id, &width) ||
        (width != k && !(width == 1 && k == 2)))
        return onnx_refuse(r, n, "scores do not fit the classes");
    if (!post_transform(r, n,
                        width == 1 && str_is(post, "SOFTMAX")
                            ? STR("SOFTMAX_OF_ONE")
                            : post,
                        &id) ||
        (n->n_out > 0 && !onnx_value_set(r, n->out[0], &v)))
        return false;
    v = numbers(id);
    v.pair = width == 1;
    v.labels = n;
    return n->n_out < 2 || onnx_value_set(r, n->out[1], &v);
}

static bool
op_linear_classifier(struct onnx_reading *r, const struct onnx_node *n)
{
    size_t n_w, n_b, k;
    const double *w = onnx_numbers(n, "coefficients", &n_w);
    const double *b = onnx_numbers(n, "intercepts", &n_b);
    uint32_t in, id;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    if (!known)
        return onnx_unknown(r, n);
    k = n_w / r->g->node[in].width;
    if (n_w == 0 || n_w % r->g->node[in].width != 0)
        return onnx_refuse(r, n, "sizes do not fit");
    return put_dense(r, n, in, w, false, k, b, n_b, &id) &&
           put_classifier(r, n, id);
}

static bool
put_trees(struct onnx_reading *r, const struct onnx_node *n, uint32_t in,
          size_t k, bool merge, uint32_t *id)
{
    struct graph_node node = {
        .op = GRAPH_TREES, .width = k, .n_in = 1, .in = &in};

    node.trees = onnx_trees(n, r->g->node[in].width, k, merge, r->err);
    return node.trees && graph_add(r->g, &node, id, r->err);
}

static bool
op_tree_regressor(struct onnx_reading *r, const struct onnx_node *n)
{
    static const char *const posts[] = {"NONE", "SOFTMAX", "LOGISTIC",
                                        "SOFTMAX_ZERO", "PROBIT"};
    double k = onnx_int(n, "n_targets", 1), code;
    struct str post = onnx_text(n, "post_transform");
    uint32_t in, id;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    if (!known)
        return onnx_unknown(r, n);
    if (str_is(n->op, "TreeEnsemble")) {
        code = onnx_int(n, "post_transform", 0);
        post = str_of(posts[code >= 0 && code < 5 ? (size_t)code : 4]);
    }
    if (!(k >= 1 && k <= ENSEMBLE_MAX_OUTPUTS))
        return onnx_refuse(r, n, "too many outputs");
    return put_trees(r, n, in, (size_t)k, false, &id) &&
           post_transform(r, n, post, &id) && onnx_value_put(r, n, id, false);
}

/* Two classes, but the trees speak of one only. */
static bool
speaks_of_one(const struct onnx_node *n, size_t n_labels)
{
    size_t count;
    const double *id = onnx_numbers(n, "class_ids", &count);

    for (size_t i = 1; i < count; i++)
        if (id[i] != id[0])
            return false;
    return n_labels == 2;
}

/* Without a post_transform one score is the probability only where all values
 * are positive, as onnxruntime has it. */
static bool
score_is_probability(const struct onnx_node *n)
{
    size_t count;
    const double *w = onnx_numbers(n, "class_weights", &count);
    struct str post = onnx_text(n, "post_transform");

    for (size_t i = 0; i < count; i++)
        if (w[i] < 0 && (post.n == 0 || str_is(post, "NONE")))
            return false;
    return true;
}

static bool
op_tree_classifier(struct onnx_reading *r, const struct onnx_node *n)
{
    size_t k = label_count(n);
    bool one = speaks_of_one(n, k);
    uint32_t in, id;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    if (!known)
        return onnx_unknown(r, n);
    if (k < 2 || k > TARGET_MAX_CLASSES)
        return onnx_refuse(r, n, "classes are missing, or too many");
    if (one && !score_is_probability(n))
        return onnx_refuse(r, n,
                           "scores of two classes without a post_transform");
    return put_trees(r, n, in, one ? 1 : k, one, &id) &&
           put_classifier(r, n, id);
}

/* ---- the table ---- */

static const struct {
    const char *name;
    bool (*read)(struct onnx_reading *r, const struct onnx_node *n);
} ops[] = {
    {"Add", op_arithmetic},
    {"ArrayFeatureExtractor", op_pick},
    {"AveragePool", onnx_op_pool},
    {"BatchNormalization", onnx_op_batch_norm},
    {"Binarizer", op_binarizer},
    {"Cast", op_cast},
    {"Clip", onnx_op_clip},
    {"Concat", op_join},
    {"Conv", onnx_op_conv},
    {"Div", op_arithmetic},
    {"Dropout", op_same},
    {"Elu", onnx_op_elu},
    {"Exp", op_function},
    {"FeatureVectorizer", op_join},
    {"Flatten", onnx_op_reshape},
    {"Gather", op_pick},
    {"Gemm", op_gemm},
    {"GlobalAveragePool", onnx_op_pool},
    {"GlobalMaxPool", onnx_op_pool},
    {"Identity", op_same},
    {"Imputer", op_imputer},
    {"IsInf", op_missing},
    {"IsNaN", op_missing},
    {"LabelEncoder", op_label},
    {"LeakyRelu", op_leaky},
    {"LinearClassifier", op_linear_classifier},
    {"LinearRegressor", op_linear_regressor},
    {"Log", op_function},
    {"MatMul", op_gemm},
    {"MaxPool", onnx_op_pool},
    {"Mul", op_arithmetic},
    {"Normalizer", op_normalizer},
    {"OneHotEncoder", op_onehot},
    {"Or", op_arithmetic},
    {"Relu", op_function},
    {"Reshape", onnx_op_reshape},
    {"Scaler", op_scaler},
    {"Sigmoid", op_function},
    {"Softmax", op_softmax},
    {"Softplus", op_function},
    {"Squeeze", onnx_op_reshape},
    {"Sub", op_arithmetic},
    {"Tanh", op_function},
    {"Transpose", onnx_op_transpose},
    {"TreeEnsemble", op_tree_regressor},
    {"TreeEnsembleClassifier", op_tree_classifier},
    {"TreeEnsembleRegressor", op_tree_regressor},
    {"Unsqueeze", onnx_op_reshape},
    {"Where", op_where},
    {"ZipMap", op_same},
};

static bool
node_read(struct onnx_reading *r, const struct onnx_node *n)
{
    struct onnx_value c = {.kind = VALUE_CONSTANT};
    const struct onnx_attribute *a;

    if (str_is(n->op, "Constant") && n->n_out &&
        (a = onnx_attribute(n, "value")) && a->t) {
        c.tensor = a->t;
        return onnx_value_set(r, n->out[0], &c);
    }
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (str_is(n->op, ops[i].name))
            return ops[i].read(r, n);
    return onnx_unknown(r, n);
}

/* ---- inputs ---- */

/* How wide an input is whose size is not told: what the first that uses it
 * asks for. */
static size_t
width_wanted(const struct onnx_reading *r, struct str name)
{
    for (size_t i = 0; i < r->m.n_nodes; i++) {
        const struct onnx_node *n = &r->m.node[i];
        size_t count = 0, k = label_count(n);

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
    v = numbers(id);
    for (size_t k = 0; k < 3 && in->n_dims == 4; k++)
        v.image[k] = (uint32_t)in->dim[k + 1];
    v.whole = in->type != ONNX_FLOAT && in->type != ONNX_DOUBLE;
    return onnx_value_set(r, in->name, &v);
}

static bool
inputs_read(struct onnx_reading *r)
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

static bool
levels_take(struct onnx_reading *r)
{
    for (size_t i = 0; i < r->g->n_cols; i++) {
        const struct dict *d = r->levels[i];
        size_t n = d ? dict_count(d) : 0;
        const char **level = arena_try(&r->p->arena, n, sizeof *level, r->err);

        if (!level)
            return false;
        for (size_t k = 0; k < n; k++) {
            struct str t = dict_text(d, (uint32_t)k);

            if (!(level[k] = arena_text(&r->p->arena, t.p, t.n, r->err)))
                return false;
        }
        r->p->input[i].levels = n ? level : NULL;
        r->p->input[i].n_levels = n;
    }
    return true;
}

/* ---- answers ---- */

/* The output that is a model's answer: probabilities before other numbers. */
static bool
answer_find(struct onnx_reading *r, struct onnx_value **out)
{
    struct onnx_value *best = NULL, *v = NULL;

    for (size_t i = 0; i < r->m.n_outputs; i++) {
        v = onnx_value_find(r, r->m.output[i]);
        if (v && v->kind == VALUE_NUMBERS && (!best || v->labels) &&
            !(best && best->labels))
            best = v;
    }
    *out = best;
    if (best)
        return true;
    if (v && v->why.n)
        return error_set(r->err, ERR_TYPE, "operator '%.*s' is not read",
                         (int)(v->why.n < 64 ? v->why.n : 64), v->why.p);
    return error_set(r->err, ERR_TYPE, "no output that is numbers");
}

static bool
classes_take(struct onnx_reading *r, const struct onnx_node *n)
{
    const char *name[TARGET_MAX_CLASSES];
    size_t k, n_numbers;
    const struct str *text = onnx_texts(n, "classlabels_strings", &k);
    const double *number = onnx_numbers(n, "classlabels_int64s", &n_numbers);
    char *copy;

    if (n_numbers == 0)
        number = onnx_numbers(n, "classlabels_ints", &n_numbers);
    if (k == 0)
        k = n_numbers;
    for (size_t i = 0; i < k; i++) {
        char digits[STR_F64_MAX];
        struct str t =
            text && n_numbers == 0 ? text[i] : (struct str){digits, 0};

        if (!t.n)
            t.n = n_numbers ? str_from_f64(number[i], digits) : 0;
        if (t.n && memchr(t.p, '\0', t.n))
            return error_set(r->err, ERR_PARSE, "a class holds a zero byte");
        if (!(copy = arena_text(&r->arena, t.p, t.n, r->err)))
            return false;
        name[i] = copy;
    }
    return portable_classes(r->p, name, k, r->err);
}

/* How many classes lathe said there are, when it wrote the file. */
static bool
schema_classes(struct onnx_reading *r, size_t *out)
{
    struct error why = {0};
    struct json *v = r->m.schema.n ? json_parse(r->m.schema, &why) : NULL;
    const struct json *a =
        v && json_type(v) == JSON_OBJECT ? json_find(v, "classes") : NULL;

    *out = a && json_type(a) == JSON_ARRAY ? json_len(a) : 0;
    if (*out > TARGET_MAX_CLASSES)
        *out = 0;
    json_free(v);
    return why.code != ERR_NOMEM ||
           error_set(r->err, ERR_NOMEM, "%s", why.message);
}

static bool
makes_shares(enum graph_op op)
{
    return op == GRAPH_SOFTMAX || op == GRAPH_NORMALIZE || op == GRAPH_SIGMOID;
}

/* The last node must be the answer: of two classes the second's share. */
static bool
answer_last(struct onnx_reading *r, uint32_t id, uint32_t column)
{
    struct graph_node pick = {.op = GRAPH_PICK,
                              .width = 1,
                              .n_in = 1,
                              .in = &id,
                              .n_index = 1,
                              .index = &column};
    const struct graph_node *n = &r->g->node[id];

    if (n->width == 1 && id + 1 == r->g->n)
        return true;
    /* 1 - p beside p */
    if (n->op == GRAPH_JOIN && n->n_in == 2 && n->width == 2 &&
        r->g->node[n->in[1]].width == 1) {
        id = n->in[1];
        column = 0;
    }
    return graph_add(r->g, &pick, NULL, r->err);
}

static bool
answer_take(struct onnx_reading *r)
{
    struct onnx_value *v;
    size_t width, k;

    if (!answer_find(r, &v) || !is_a(r, v->node, &width))
        return false;
    if (v->labels)
        k = label_count(v->labels);
    else if (!schema_classes(r, &k))
        return false;
    if (v->labels && !classes_take(r, v->labels))
        return false;
    if (!v->labels && k < 2 && width > 1) {
        if (!makes_shares(r->g->node[v->node].op))
            return error_set(r->err, ERR_TYPE,
                             "%zu outputs that are no classes: lathe's models "
                             "have one target",
                             width);
        k = width;
    }
    if (!v->labels && k >= 2 && !portable_classes(r->p, NULL, k, r->err))
        return false;
    if (k == 2 || width == 1)
        return answer_last(r, v->node, k == 2 && width == 2);
    return v->node + 1 == r->g->n ||
           error_set(r->err, ERR_TYPE, "the answer is not the last step");
}

static void
about(struct onnx_reading *r)
{
    char producer[200];

    snprintf(producer, sizeof producer, "%.*s %.*s",
             (int)(r->m.producer.n < 64 ? r->m.producer.n : 64),
             r->m.producer.n ? r->m.producer.p : "",
             (int)(r->m.producer_version.n < 64 ? r->m.producer_version.n : 64),
             r->m.producer_version.n ? r->m.producer_version.p : "");
    portable_tell(r->p, "format", "ONNX");
    if (producer[0] != ' ')
        portable_tell(r->p, "producer", producer);
    portable_tell_count(r->p, "steps", r->g->n);
}

static bool
constants_read(struct onnx_reading *r)
{
    struct onnx_value c = {.kind = VALUE_CONSTANT};

    for (size_t t = 0; t < r->m.n_tensors; t++) {
        c.tensor = &r->m.tensor[t];
        if (!onnx_value_set(r, c.tensor->name, &c))
            return false;
    }
    return true;
}

/* How many values can there be at most? */
static size_t
values_bound(const struct onnx_model *m)
{
    size_t n = m->n_inputs + m->n_tensors + 1;

    for (size_t i = 0; i < m->n_nodes; i++)
        n += m->node[i].n_out;
    return n;
}

static bool
model_read(struct onnx_reading *r, struct str bytes)
{
    if (!onnx_parse(bytes, &r->arena, &r->m, r->err))
        return false;
    r->n_values = values_bound(&r->m);
    if (!(r->names = dict_new(r->err)) ||
        !(r->value =
              arena_try(&r->arena, r->n_values, sizeof *r->value, r->err)) ||
        !constants_read(r) || !inputs_read(r))
        return false;
    for (size_t i = 0; i < r->m.n_nodes; i++)
        if (!node_read(r, &r->m.node[i]))
            return error_prefix(r->err, "step %zu: ", i + 1);
    if (!answer_take(r) || !levels_take(r))
        return false;
    about(r);
    return (!r->m.schema.n ||
            portable_schema_read(r->p, r->m.schema, false, r->err)) &&
           portable_check(r->p, r->err);
}

bool
onnx_is(struct str bytes)
{
    /* ir_version, a varint in field 1, comes first. */
    return bytes.n > 4 && bytes.p[0] == 8 && (unsigned char)bytes.p[1] < 32;
}

struct portable *
onnx_read(struct str bytes, struct error *err)
{
    struct onnx_reading r = {.err = err};
    bool ok;

    arena_init(&r.arena);
    ok = model_read(&r, bytes);
    for (size_t i = 0; r.levels && i < r.p->graph->n_cols; i++)
        dict_unref(r.levels[i]);
    free(r.levels);
    dict_unref(r.names);
    arena_fini(&r.arena);
    if (ok)
        return r.p;
    portable_free(r.p);
    return NULL;
}
