/* engine/port/onnx_in_net.c -- read the operators of nets: images, tables.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/onnx_in.h"

/* ---- shapes ---- */

static const struct onnx_value *
first_in(struct onnx_reading *r, const struct onnx_node *n)
{
    return n->n_in ? onnx_value_find(r, n->in[0]) : NULL;
}

static bool
is_image(const struct onnx_value *v)
{
    return v && v->kind == VALUE_NUMBERS && v->image[0] > 0;
}

/* The first output, which is numbers, is an image of c x h x w. */
static bool
set_image(struct onnx_reading *r, const struct onnx_node *n,
          const uint32_t image[3])
{
    struct onnx_value *v = n->n_out ? onnx_value_find(r, n->out[0]) : NULL;

    if (v && v->kind == VALUE_NUMBERS)
        memcpy(v->image, image, sizeof v->image);
    return true;
}

bool
onnx_keep_image(struct onnx_reading *r, const struct onnx_node *n, size_t k)
{
    const struct onnx_value *v = onnx_value_find(r, n->in[k]);

    return !is_image(v) || set_image(r, n, v->image);
}

static bool
to_table(struct onnx_reading *r, const struct onnx_node *n)
{
    static const uint32_t none[3];
    struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL, same;

    if (!v || n->n_out == 0)
        return onnx_unknown(r, n);
    same = *v;
    return onnx_value_set(r, n->out[0], &same) && set_image(r, n, none);
}

/* A shape of rows x c x h x w, in which one may be left to be found. */
static bool
to_image(struct onnx_reading *r, const struct onnx_node *n, size_t width,
         const double *shape)
{
    double known = 1;
    size_t open = 3;
    uint32_t image[3];

    for (size_t k = 0; k < 3; k++) {
        double v = shape[k + 1];

        if (v == -1 && open == 3) {
            open = k;
            continue;
        }
        if (!(v >= 1 && v <= (double)width) || v != floor(v))
            return onnx_refuse(r, n, "a shape that is not known");
        image[k] = (uint32_t)v;
        known *= v;
    }
    if (open < 3)
        image[open] = (uint32_t)((double)width / known);
    if (open < 3)
        known *= image[open];
    if (known != (double)width)
        return onnx_refuse(r, n, "sizes do not fit");
    return to_table(r, n) && set_image(r, n, image);
}

bool
onnx_take_reshape(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_tensor *shape = onnx_constant_in(r, n, 1);
    const struct onnx_value *v = first_in(r, n);
    uint32_t id;
    bool known, numbers = v && v->kind == VALUE_NUMBERS;

    if (!onnx_number_in(r, n, 0, &id, &known))
        return false;
    if (str_is(n->op, "Reshape") && known && shape && shape->n > 0) {
        double last = shape->x[shape->n - 1];
        size_t width = r->g->node[id].width;

        if (shape->n == 4)
            return to_image(r, n, width, shape->x);
        if (shape->n > 2 || (shape->n == 1 && width > 1) ||
            (shape->n == 2 && last != -1 && last != (double)width))
            return onnx_refuse(r, n, "neither a table of rows nor images");
        return to_table(r, n);
    }
    /* Places that are one of a kind may be left out. */
    if (numbers && is_image(v) && str_is(n->op, "Squeeze") &&
        v->image[1] * v->image[2] != 1)
        return onnx_refuse(r, n, "neither a table of rows nor images");
    if (numbers && str_is(n->op, "Flatten") && onnx_int(n, "axis", 1) != 1)
        return onnx_refuse(r, n, "at another axis than the columns");
    return to_table(r, n);
}

/* Images in another order of their sides. */
bool
onnx_take_transpose(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_value *v = first_in(r, n);
    struct graph_node pick = {.op = GRAPH_PICK, .n_in = 1};
    size_t count, step[3], at[3], i = 0;
    const double *perm = onnx_numbers(n, "perm", &count);
    uint32_t in, id, from[3], to[3];

    if (!is_image(v) || count != 4 || perm[0] != 0)
        return onnx_unknown(r, n);
    memcpy(from, v->image, sizeof from);
    in = v->node;
    for (size_t k = 0; k < 3; k++) {
        double p = perm[k + 1];

        if (p != 1 && p != 2 && p != 3)
            return onnx_refuse(r, n, "no permutation");
        to[k] = from[(size_t)p - 1];
        step[k] = p == 1 ? (size_t)from[1] * from[2] : p == 2 ? from[2] : 1;
    }
    pick.in = &in;
    pick.width = pick.n_index = (size_t)to[0] * to[1] * to[2];
    if (pick.width != r->g->node[in].width)
        return onnx_refuse(r, n, "no permutation");
    if (!graph_add(r->g, &pick, &id, r->err))
        return false;
    for (at[0] = 0; at[0] < to[0]; at[0]++)
        for (at[1] = 0; at[1] < to[1]; at[1]++)
            for (at[2] = 0; at[2] < to[2]; at[2]++)
                r->g->node[id].index[i++] =
                    (uint32_t)(at[0] * step[0] + at[1] * step[1] +
                               at[2] * step[2]);
    return onnx_value_put(r, n, id, v->whole) && set_image(r, n, to);
}

/* ---- windows ---- */

/* Attributes of a pair, for both sides; all `fallback` where there is none. */
static bool
pair_of(struct onnx_reading *r, const struct onnx_node *n, const char *name,
        uint32_t fallback, uint32_t out[2])
{
    size_t count;
    const double *x = onnx_numbers(n, name, &count);

    out[0] = out[1] = fallback;
    if (count == 0)
        return true;
    for (size_t k = 0; k < 2 && count == 2; k++) {
        if (!(x[k] >= 1 && x[k] <= GRAPH_MAX_WIDTH))
            return onnx_refuse(r, n, "a size that is out of range");
        out[k] = (uint32_t)x[k];
    }
    return count == 2 || onnx_refuse(r, n, "not of two sides");
}

/* Where a window begins and how often it fits, along side k. */
static bool
side_of(struct onnx_reading *r, const struct onnx_node *n, size_t k,
        uint32_t *index)
{
    struct str pad = onnx_text(n, "auto_pad");
    uint32_t size = index[WINDOW_H + k], side = index[WINDOW_SIDE_H + k];
    uint32_t stride = index[WINDOW_STRIDE], count;
    size_t n_pads;
    const double *pads = onnx_numbers(n, "pads", &n_pads);
    double begin = 0, end = 0, fits;

    if (str_starts(pad, "SAME_")) {
        count = (size + stride - 1) / stride;
        end = ((double)count - 1) * stride + side - size;
        end = end > 0 ? end : 0;
        begin = str_is(pad, "SAME_LOWER") ? ceil(end / 2) : floor(end / 2);
        end -= begin;
    } else if (n_pads == 4) {
        begin = pads[k];
        end = pads[k + 2];
    } else if (n_pads != 0) {
        return onnx_refuse(r, n, "pads are not four");
    }
    if (!(begin >= 0 && begin < side && end >= 0 && end < side))
        return onnx_refuse(r, n, "edges as wide as the window");
    fits = floor((size + begin + end - side) / stride) + 1;
    if (!(fits >= 1 && fits <= GRAPH_MAX_WIDTH))
        return onnx_refuse(r, n, "a window larger than its image");
    index[WINDOW_TOP + k] = (uint32_t)begin;
    index[WINDOW_OUT_H + k] = (uint32_t)fits;
    /* What is looked at beyond the edge is zeros, or left out: only a mean
     * would count it. */
    return (begin == 0 && end == 0) || !str_is(n->op, "AveragePool") ||
           onnx_refuse(r, n, "edges around a mean");
}

/* All of index but the channels, for an image and a window. */
static bool
window_read(struct onnx_reading *r, const struct onnx_node *n,
            const uint32_t image[3], const uint32_t side[2], uint32_t *index)
{
    uint32_t strides[2], apart[2];

    if (!pair_of(r, n, "strides", 1, strides) ||
        !pair_of(r, n, "dilations", 1, apart))
        return false;
    if (strides[0] != strides[1])
        return onnx_refuse(r, n, "strides that differ");
    if (apart[0] != 1 || apart[1] != 1)
        return onnx_refuse(r, n, "dilations");
    if (onnx_int(n, "ceil_mode", 0) != 0)
        return onnx_refuse(r, n, "ceil_mode");
    memcpy(index, image, 3 * sizeof *index);
    memcpy(index + WINDOW_SIDE_H, side, 2 * sizeof *index);
    index[WINDOW_STRIDE] = strides[0];
    return side_of(r, n, 0, index) && side_of(r, n, 1, index);
}

static bool
window_put(struct onnx_reading *r, const struct onnx_node *n,
           struct graph_node *node, uint32_t channels)
{
    const uint32_t *i = node->index;
    const uint32_t image[3] = {channels, i[WINDOW_OUT_H], i[WINDOW_OUT_W]};
    double width = (double)channels * i[WINDOW_OUT_H] * i[WINDOW_OUT_W];
    uint32_t id;

    if (width > GRAPH_MAX_WIDTH)
        return onnx_refuse(r, n, "images too large");
    node->width = (size_t)width;
    return graph_add(r->g, node, &id, r->err) &&
           onnx_value_put(r, n, id, false) && set_image(r, n, image);
}

bool
onnx_take_conv(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_value *v = first_in(r, n);
    const struct onnx_tensor *w = onnx_constant_in(r, n, 1);
    const struct onnx_tensor *b = onnx_constant_in(r, n, 2);
    uint32_t index[WINDOW_N], in, side[2];
    struct graph_node node = {
        .op = GRAPH_CONV, .n_in = 1, .in = &in, .n_index = WINDOW_N};

    if (!is_image(v) || !w || (n->n_in > 2 && n->in[2].n && !b))
        return onnx_unknown(r, n);
    if (onnx_int(n, "group", 1) != 1)
        return onnx_refuse(r, n, "channels in groups");
    if (w->n_dims != 4 || w->n == 0 || w->dim[1] != v->image[0] ||
        w->dim[0] > GRAPH_MAX_WIDTH || w->dim[2] > GRAPH_MAX_WIDTH ||
        w->dim[3] > GRAPH_MAX_WIDTH || (b && b->n != w->dim[0]))
        return onnx_refuse(r, n, "sizes do not fit");
    in = v->node;
    side[0] = (uint32_t)w->dim[2];
    side[1] = (uint32_t)w->dim[3];
    node.index = index;
    node.n_a = w->n;
    node.a = w->x;
    node.n_b = w->dim[0];
    node.b = b ? b->x : NULL;
    return window_read(r, n, v->image, side, index) &&
           window_put(r, n, &node, (uint32_t)w->dim[0]);
}

bool
onnx_take_pool(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_value *v = first_in(r, n);
    uint32_t index[WINDOW_N], in, side[2];
    bool all = str_starts(n->op, "Global");
    struct graph_node node = {.n_in = 1, .in = &in, .n_index = WINDOW_N};

    if (!is_image(v))
        return onnx_unknown(r, n);
    in = v->node;
    node.op = str_is(n->op, "MaxPool") || str_is(n->op, "GlobalMaxPool")
                  ? GRAPH_MAXPOOL
                  : GRAPH_MEANPOOL;
    node.index = index;
    memcpy(side, v->image + 1, sizeof side);
    return (all || pair_of(r, n, "kernel_shape", 1, side)) &&
           window_read(r, n, v->image, side, index) &&
           window_put(r, n, &node, v->image[0]);
}

/* ---- single numbers ---- */

bool
onnx_take_elu(struct onnx_reading *r, const struct onnx_node *n)
{
    return onnx_float(n, "alpha", 1) == 1
               ? onnx_simple(r, n, GRAPH_ELU, 0)
               : onnx_refuse(r, n, "an alpha other than 1");
}

/* An end of the range: an attribute before version 11, then an input. */
static double
clip_end(struct onnx_reading *r, const struct onnx_node *n, size_t k,
         const char *name, double none)
{
    const struct onnx_tensor *t = onnx_constant_in(r, n, k);

    return t && t->n == 1 ? t->x[0] : onnx_float(n, name, none);
}

bool
onnx_take_clip(struct onnx_reading *r, const struct onnx_node *n)
{
    double low = clip_end(r, n, 1, "min", -HUGE_VAL);
    double high = clip_end(r, n, 2, "max", HUGE_VAL);
    uint32_t in, id;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    for (size_t k = 1; k < n->n_in && k < 3; k++)
        known = known && (n->in[k].n == 0 || onnx_constant_in(r, n, k));
    if (!known)
        return onnx_unknown(r, n);
    return graph_add_clip(r->g, in, low, high, &id, r->err) &&
           onnx_value_put(r, n, id, false) && onnx_keep_image(r, n, 0);
}

/* ---- norms ---- */

/* y = (x - mean) / sqrt(var + epsilon) * scale + bias */
bool
onnx_take_batch_norm(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_tensor *scale = onnx_constant_in(r, n, 1);
    const struct onnx_tensor *bias = onnx_constant_in(r, n, 2);
    const struct onnx_tensor *mean = onnx_constant_in(r, n, 3);
    const struct onnx_tensor *var = onnx_constant_in(r, n, 4);
    double epsilon = onnx_float(n, "epsilon", 1e-5), *a, *b;
    size_t width, places;
    uint32_t in;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    if (!known || !scale || !bias || !mean || !var)
        return onnx_unknown(r, n);
    if (onnx_int(n, "training_mode", 0) != 0 || onnx_int(n, "spatial", 1) != 1)
        return onnx_refuse(r, n, "in training_mode, or not by channel");
    width = r->g->node[in].width;
    places = is_image(first_in(r, n)) ? width / first_in(r, n)->image[0] : 1;
    if (scale->n != width / places || bias->n != scale->n ||
        mean->n != scale->n || var->n != scale->n)
        return onnx_refuse(r, n, "as many numbers as columns are expected");
    a = arena_try(&r->arena, width, sizeof *a, r->err);
    b = arena_try(&r->arena, width, sizeof *b, r->err);
    for (size_t j = 0; j < width && a && b; j++) {
        size_t k = j / places;

        b[j] = scale->x[k] / sqrt(var->x[k] + epsilon);
        if (b[j] == 0)
            return onnx_refuse(r, n, "a scale of 0");
        a[j] = mean->x[k] - bias->x[k] / b[j];
    }
    return a && b && onnx_put_scaled(r, n, in, a, width, b, width);
}

/* ---- tables ---- */

/* Rows of a constant table, by whole numbers: as many as there are columns. */
bool
onnx_take_embed(struct onnx_reading *r, const struct onnx_node *n,
                const struct onnx_tensor *table)
{
    const struct onnx_value *v =
        n->n_in > 1 ? onnx_value_find(r, n->in[1]) : NULL;
    uint32_t in, id;
    size_t k;
    struct graph_node embed = {.op = GRAPH_EMBED, .n_in = 1, .in = &in};
    bool known;

    if (!onnx_number_in(r, n, 1, &in, &known))
        return false;
    if (!known || !v->whole || table->n_dims != 2 || table->n == 0)
        return onnx_unknown(r, n);
    k = r->g->node[in].width;
    embed.width = table->dim[1];
    embed.n_a = table->n;
    embed.a = table->x;
    if (embed.width > GRAPH_MAX_WIDTH / k)
        return onnx_refuse(r, n, "too many columns");
    embed.width *= k;
    return graph_add(r->g, &embed, &id, r->err) &&
           onnx_value_put(r, n, id, false);
}
