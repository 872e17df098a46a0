/* engine/port/onnx_in_math.c -- read the operators of functions and arithmetic.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "engine/port/onnx_in.h"

/* ---- plain functions ---- */

bool
onnx_take_same(struct onnx_reading *r, const struct onnx_node *n)
{
    struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL, same;

    if (!v || n->n_out == 0)
        return onnx_unknown(r, n);
    same = *v;
    return onnx_value_set(r, n->out[0], &same);
}

/* Towards 0, as a cast to whole numbers does. */
static bool
put_whole(struct onnx_reading *r, const struct onnx_node *n, uint32_t in)
{
    size_t width = r->g->node[in].width;
    uint32_t three[3], minus;
    struct graph_node flip = {.op = GRAPH_SCALE,
                              .width = width,
                              .n_in = 1,
                              .in = &in,
                              .n_a = width,
                              .n_b = width};
    struct graph_node where = {
        .op = GRAPH_WHERE, .width = width, .n_in = 3, .in = three};

    if (!graph_add_simple(r->g, GRAPH_STEP, in, &three[0], r->err) ||
        !graph_add_simple(r->g, GRAPH_FLOOR, in, &three[1], r->err) ||
        !graph_add(r->g, &flip, &minus, r->err))
        return false;
    for (size_t j = 0; j < width; j++)
        r->g->node[minus].b[j] = -1;
    if (!graph_add_simple(r->g, GRAPH_FLOOR, minus, &in, r->err) ||
        !graph_add(r->g, &flip, &three[2], r->err))
        return false;
    for (size_t j = 0; j < width; j++)
        r->g->node[three[2]].b[j] = -1;
    return graph_add(r->g, &where, &in, r->err) &&
           onnx_value_put(r, n, in, true) && onnx_keep_image(r, n, 0);
}

/* 1 for all but 0. */
static bool
put_truth(struct onnx_reading *r, const struct onnx_node *n, uint32_t in)
{
    uint32_t two[2] = {in, in}, id;
    struct graph_node either = {
        .op = GRAPH_OR, .width = r->g->node[in].width, .n_in = 2, .in = two};

    return graph_add(r->g, &either, &id, r->err) &&
           onnx_value_put(r, n, id, true) && onnx_keep_image(r, n, 0);
}

/* To another type: numbers are numbers, unless they would lose a part. */
bool
onnx_take_cast(struct onnx_reading *r, const struct onnx_node *n)
{
    double to = onnx_int(n, "to", 0);
    struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;

    if (str_is(n->domain, "ai.onnx.ml"))
        return onnx_unknown(r, n); /* CastMap */
    if (v && v->kind == VALUE_NUMBERS && !v->pair && n->n_out && !v->whole &&
        (to == ONNX_INT64 || to == ONNX_INT32 || to == ONNX_BOOL))
        return to == ONNX_BOOL ? put_truth(r, n, v->node)
                               : put_whole(r, n, v->node);
    if (v && v->kind == VALUE_NUMBERS && to != ONNX_FLOAT &&
        to != ONNX_DOUBLE && !v->whole)
        return onnx_unknown(r, n);
    return to == ONNX_STRING ? onnx_unknown(r, n) : onnx_take_same(r, n);
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

bool
onnx_take_function(struct onnx_reading *r, const struct onnx_node *n)
{
    static const struct {
        const char *name;
        enum graph_op op;
    } table[] = {
        {"Exp", GRAPH_EXP},           {"Floor", GRAPH_FLOOR},
        {"Log", GRAPH_LOG},           {"Relu", GRAPH_RELU},
        {"Round", GRAPH_WHOLE},       {"Sigmoid", GRAPH_SIGMOID},
        {"Softplus", GRAPH_SOFTPLUS}, {"Sqrt", GRAPH_SQRT},
        {"Tanh", GRAPH_TANH},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (str_is(n->op, table[i].name))
            return onnx_simple(r, n, table[i].op, 0);
    return onnx_unknown(r, n);
}

bool
onnx_take_leaky(struct onnx_reading *r, const struct onnx_node *n)
{
    return onnx_simple(r, n, GRAPH_LEAKY, onnx_float(n, "alpha", 0.01));
}

bool
onnx_take_softmax(struct onnx_reading *r, const struct onnx_node *n)
{
    double axis = onnx_int(n, "axis", -1);
    const struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;

    return (axis == 1 || axis == -1) && !(v && v->image[0])
               ? onnx_simple(r, n, GRAPH_SOFTMAX, 0)
               : onnx_refuse(r, n, "over another axis than the columns");
}

bool
onnx_take_missing(struct onnx_reading *r, const struct onnx_node *n)
{
    if (onnx_int(n, "detect_negative", 1) == 0 ||
        onnx_int(n, "detect_positive", 1) == 0)
        return onnx_refuse(r, n, "of one sign only");
    return onnx_simple(r, n, GRAPH_MISSING, str_is(n->op, "IsNaN") ? 0 : 2);
}

/* At what is missing other programs stop: it has no answer here. */
bool
onnx_take_binarizer(struct onnx_reading *r, const struct onnx_node *n,
                    uint32_t in)
{
    struct graph_node step = {
        .op = GRAPH_STEP, .n_in = 1, .c = onnx_float(n, "threshold", 0)};
    struct graph_node where = {.op = GRAPH_WHERE, .n_in = 3};
    uint32_t three[3] = {0, in, 0};

    step.in = &in;
    where.in = three;
    step.width = where.width = r->g->node[in].width;
    return graph_add_simple(r->g, GRAPH_MISSING, in, &three[0], r->err) &&
           graph_add(r->g, &step, &three[2], r->err) &&
           graph_add(r->g, &where, &in, r->err) &&
           onnx_value_put(r, n, in, true) && onnx_keep_image(r, n, 0);
}

/* A number that columns are compared with. */
bool
onnx_take_greater(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_tensor *t = onnx_constant_in(r, n, 1);

    return t && t->n == 1 ? onnx_simple(r, n, GRAPH_STEP, t->x[0])
                          : onnx_unknown(r, n);
}

static bool
trees_rise(const struct ensemble *e)
{
    bool rise = true;

    for (size_t k = 0; k < e->n_outputs; k++)
        rise &= e->base[k] >= 0;
    for (size_t v = 0; v < e->n_values; v++)
        rise &= e->value[v] >= 0;
    return rise && !e->line_start;
}

/* Is a node made of shares, or of sums of what is not negative? */
static bool
is_never_negative(const struct graph *g, uint32_t id)
{
    const struct graph_node *n = &g->node[id];
    bool all = n->n_in > 0;

    switch (n->op) {
    case GRAPH_SIGMOID:
    case GRAPH_SOFTMAX:
    case GRAPH_NORMALIZE:
    case GRAPH_EXP:
    case GRAPH_RELU:
    case GRAPH_SOFTPLUS:
    case GRAPH_STEP:
    case GRAPH_ONEHOT:
        return true;
    case GRAPH_CLIP:
        return n->a[0] >= 0;
    case GRAPH_TREES:
        return trees_rise(n->trees);
    case GRAPH_SCALE: /* 1 - p */
        return g->node[n->in[0]].op == GRAPH_SIGMOID && n->width == 1 &&
               n->a[0] == 1 && n->b[0] == -1;
    case GRAPH_PICK:
        return is_never_negative(g, n->in[0]);
    case GRAPH_WHERE: /* of what is not missing */
        return g->node[n->in[0]].op == GRAPH_MISSING &&
               g->node[n->in[0]].in[0] == n->in[1] &&
               is_never_negative(g, n->in[2]);
    case GRAPH_JOIN:
    case GRAPH_ADD:
    case GRAPH_MUL:
        for (size_t k = 0; k < n->n_in; k++)
            all &= is_never_negative(g, n->in[k]);
        return all;
    default:
        return false;
    }
}

/* By the sum of the sizes, which is the plain sum of what has no sign. */
bool
onnx_take_normalizer(struct onnx_reading *r, const struct onnx_node *n,
                     uint32_t in)
{
    if (!str_is(onnx_text(n, "norm"), "L1"))
        return onnx_refuse(r, n, "a norm other than L1");
    if (!is_never_negative(r->g, in))
        return onnx_refuse(r, n, "of numbers that may be negative");
    return onnx_simple(r, n, GRAPH_NORMALIZE, 0);
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

bool
onnx_take_scaler(struct onnx_reading *r, const struct onnx_node *n, uint32_t in)
{
    static const double zero = 0, one = 1;
    size_t n_a, n_b;
    const double *a = onnx_numbers(n, "offset", &n_a);
    const double *b = onnx_numbers(n, "scale", &n_b);

    return onnx_put_scaled(r, n, in, n_a ? a : &zero, n_a ? n_a : 1,
                           n_b ? b : &one, n_b ? n_b : 1);
}

bool
onnx_take_imputer(struct onnx_reading *r, const struct onnx_node *n,
                  uint32_t in)
{
    size_t n_a, width;
    const double *a = onnx_numbers(n, "imputed_value_floats", &n_a);
    struct graph_node node = {.op = GRAPH_FILL, .n_in = 1};
    uint32_t id;

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

bool
onnx_take_arithmetic(struct onnx_reading *r, const struct onnx_node *n)
{
    static const struct {
        const char *name;
        enum graph_op op;
    } table[] = {{"Add", GRAPH_ADD}, {"Div", GRAPH_DIV}, {"Mod", GRAPH_MOD},
                 {"Mul", GRAPH_MUL}, {"Or", GRAPH_OR},   {"Pow", GRAPH_POW},
                 {"Sub", GRAPH_SUB}};
    const struct onnx_tensor *a = onnx_constant_in(r, n, 0),
                             *b = onnx_constant_in(r, n, 1);
    struct graph_node node = {.n_in = 2};
    bool ordered = str_is(n->op, "Pow") || str_is(n->op, "Mod"), known[2];
    uint32_t in[2], id, swap;

    if (str_is(n->op, "Mod") && onnx_int(n, "fmod", 0) != 1)
        return onnx_refuse(r, n, "with the sign of the divisor");
    if (!onnx_number_in(r, n, 0, &in[0], &known[0]) ||
        !onnx_number_in(r, n, 1, &in[1], &known[1]))
        return false;
    if (ordered &&
        ((known[0] && b && !spread_in(r, n, 1, in[0], &in[1], &known[1])) ||
         (known[1] && a && !spread_in(r, n, 0, in[1], &in[0], &known[0]))))
        return false;
    if (ordered)
        a = b = NULL;
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
        node.op != GRAPH_DIV && !ordered) {
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

bool
onnx_take_where(struct onnx_reading *r, const struct onnx_node *n)
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
