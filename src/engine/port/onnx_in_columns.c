/* engine/port/onnx_in_columns.c -- read the operators that join, pick and
 * encode columns.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "engine/port/onnx_in.h"
#include "frame/dict.h"

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

bool
onnx_take_join(struct onnx_reading *r, const struct onnx_node *n)
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

bool
onnx_take_pick(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_tensor *t = onnx_constant_in(r, n, 1);
    const struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;
    struct graph_node node = {.op = GRAPH_PICK, .n_in = 1};
    uint32_t in, id;
    bool known;

    if (str_is(n->op, "Gather") && onnx_int(n, "axis", 0) == 0 &&
        onnx_constant_in(r, n, 0))
        return onnx_take_embed(r, n, onnx_constant_in(r, n, 0));
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

static bool
is_text(struct onnx_reading *r, const struct onnx_node *n)
{
    const struct onnx_value *v = n->n_in ? onnx_value_find(r, n->in[0]) : NULL;

    return v && v->kind == VALUE_TEXTS && v->n_columns == 1;
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

    if (is_text(r, n)) {
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

bool
onnx_take_onehot(struct onnx_reading *r, const struct onnx_node *n)
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

/* An encoder that knows the empty text tells a missing one from those that it
 * does not know: the level of that is theirs, under a text that
 * onnx_levels_take() finds, and NaN is what is missing or empty. */
static void
part_missing(struct onnx_reading *r, const struct onnx_node *n, uint32_t id)
{
    struct graph_node *map = &r->g->node[id];
    size_t count;
    const struct str *key = onnx_texts(n, "keys_strings", &count);
    uint32_t column = r->g->node[map->in[0]].index[0];

    for (size_t i = 0; i < count; i++)
        if (key[i].n == 0) {
            double others = map->c;

            map->c = map->b[i];
            map->b[i] = others;
            r->p->input[column].rest = (size_t)map->a[i] + 1;
            r->p->input[column].blank = true;
            return;
        }
}

bool
onnx_take_label(struct onnx_reading *r, const struct onnx_node *n)
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
    if (!graph_add(r->g, &node, &id, r->err))
        return false;
    if (r->g->node[in].op == GRAPH_INPUT && is_text(r, n))
        part_missing(r, n, id);
    return onnx_value_put(r, n, id, whole);
}
