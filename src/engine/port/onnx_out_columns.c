/* engine/port/onnx_out_columns.c -- inputs of an ONNX graph, and what makes
 * columns of them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/onnx_out.h"

/* ---- inputs ---- */

static const char *
column_name(const struct onnx_writing *w, uint32_t column)
{
    return w->p->input[column].name;
}

/* Texts to numbers, what is missing and all others to c; or where these are
 * told apart the empty one, as which a text is missing there, to c. */
static bool
op_levels(struct onnx_writing *w, uint32_t column, const double *value,
          double c, const char *out)
{
    const struct portable_input *in = &w->p->input[column];
    size_t n = in->n_levels, rest = in->rest ? in->rest - 1 : n;
    const char **text = mem_try_array(n, sizeof *text, w->err);
    double *v = mem_try_array(n, sizeof *v, w->err);

    for (size_t i = 0; i < n && text && v; i++) {
        text[i] = i == rest ? "" : in->levels[i];
        v[i] = i == rest ? c : value[i];
    }
    if (text && v) {
        onnx_op_begin(w, in->name);
        onnx_put_texts(&w->node, "keys_strings", text, n);
        onnx_put_floats(&w->node, "values_floats", v, n);
        onnx_put_float(&w->node, "default_float", in->rest ? value[rest] : c);
        onnx_op_end(w, out, "LabelEncoder", true);
    }
    free(text);
    free(v);
    return text && v;
}

/* One column as floats, in a value whose name is put into out. */
static bool
column_value(struct onnx_writing *w, uint32_t column, char out[ONNX_NAME],
             const char **name)
{
    size_t n = w->p->input[column].n_levels;
    double *code;
    bool ok;

    *name = column_name(w, column);
    if (n == 0)
        return true;
    if (!(code = mem_try_array(n, sizeof *code, w->err)))
        return false;
    for (size_t i = 0; i < n; i++)
        code[i] = (double)i;
    onnx_more_name(w, out);
    ok = op_levels(w, column, code, (double)NAN, out);
    if (w->wide) {
        char codes[ONNX_NAME];

        memcpy(codes, out, ONNX_NAME);
        onnx_more_name(w, out);
        onnx_op_cast(w, codes, ONNX_DOUBLE, out);
    }
    *name = out;
    free(code);
    return ok;
}

/* Columns of inputs side by side. */
static bool
put_columns(struct onnx_writing *w, const struct graph_node *n, const char *out)
{
    struct buf join;
    bool ok = true;

    buf_init(&join);
    for (size_t i = 0; i < n->width && ok; i++) {
        char between[ONNX_NAME];
        const char *name = NULL;

        if ((ok = column_value(w, n->index[i], between, &name)))
            onnx_put_in(&join, name);
    }
    if (n->width > 1)
        onnx_put_int(&join, "axis", 1);
    onnx_put_out(&join, out);
    if (ok)
        onnx_end_node(&join, n->width > 1 ? "Concat" : "Identity", false,
                      &w->graph);
    buf_fini(&join);
    return ok;
}

bool
onnx_put_pick(struct onnx_writing *w, const char *in, const uint32_t *index,
              size_t n, const char *out)
{
    double *k = mem_try_array(n, sizeof *k, w->err);
    char list[ONNX_NAME];

    if (!k)
        return false;
    for (size_t i = 0; i < n; i++)
        k[i] = index[i];
    onnx_constant(w, ONNX_INT64, k, n, 0, list);
    onnx_op_begin(w, in);
    onnx_put_in(&w->node, list);
    onnx_put_int(&w->node, "axis", 1);
    onnx_op_end(w, out, "Gather", false);
    free(k);
    return true;
}

/* Does an encoder look at every level of a text column? */
static bool
reads_texts(const struct onnx_writing *w, const struct graph_node *n)
{
    const struct graph_node *in = &w->g->node[n->in[0]];
    size_t levels = in->op == GRAPH_INPUT && in->width == 1
                        ? w->p->input[in->index[0]].n_levels
                        : 0;

    if ((n->op != GRAPH_ONEHOT && n->op != GRAPH_MAP) || levels == 0 ||
        n->n_a != levels)
        return false;
    for (size_t i = 0; i < levels; i++)
        if (n->a[i] != (double)i)
            return false;
    return true;
}

/* Is a column's number asked for by none but encoders, which take the text? */
static bool
is_passed_over(const struct onnx_writing *w, size_t id)
{
    for (size_t i = id + 1; i < w->g->n; i++)
        for (size_t k = 0; k < w->g->node[i].n_in; k++)
            if (w->g->node[i].in[k] == id && !reads_texts(w, &w->g->node[i]))
                return false;
    return true;
}

/* What an input tensor is: level codes are made of texts. */
enum onnx_type
onnx_input_type(const struct onnx_writing *w, size_t column)
{
    return w->p->input[column].n_levels ? ONNX_STRING
           : w->wide                    ? ONNX_DOUBLE
                                        : ONNX_FLOAT;
}

bool
onnx_put_input(struct onnx_writing *w, size_t id, const struct graph_node *n)
{
    bool all = n->width == w->g->n_cols;

    if (is_passed_over(w, id))
        return true;
    if (w->texts && n->width == 1 && w->p->input[n->index[0]].n_levels == 0) {
        /* What the input is called; NAME may be too short for it. */
        onnx_op_plain(w, column_name(w, n->index[0]), "Identity", w->name[id]);
        return true;
    }
    if (w->texts)
        return put_columns(w, n, w->name[id]);
    for (size_t i = 0; i < n->width; i++)
        all = all && n->index[i] == i;
    if (!all)
        return onnx_put_pick(w, "features", n->index, n->width, w->name[id]);
    snprintf(w->name[id], ONNX_NAME, "features");
    return true;
}

/* ---- preparation ---- */

static void
missing_flag(struct onnx_writing *w, const char *in, double c, const char *out)
{
    char nan[ONNX_NAME], inf[ONNX_NAME];

    onnx_more_name(w, nan);
    onnx_more_name(w, inf);
    if (c != 2)
        onnx_op_plain(w, in, "IsNaN", c == 0 ? out : nan);
    if (c != 0)
        onnx_op_plain(w, in, "IsInf", c == 2 ? out : inf);
    if (c == 1)
        onnx_op_two(w, nan, inf, "Or", out);
}

void
onnx_put_fill(struct onnx_writing *w, const char *in, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    const char *out = w->name[id];
    char flag[ONNX_NAME], fill[ONNX_NAME];

    if (n->c == 0 && !w->is_wide[id]) {
        onnx_op_begin(w, in);
        onnx_put_floats(&w->node, "imputed_value_floats", n->a, n->n_a);
        onnx_put_float(&w->node, "replaced_value_float", (double)NAN);
        onnx_op_end(w, out, "Imputer", true);
        return;
    }
    onnx_more_name(w, flag);
    missing_flag(w, in, n->c, flag);
    onnx_constant(w, onnx_type_of(w, id), n->a, 1, n->n_a, fill);
    onnx_op_begin(w, flag);
    onnx_put_in(&w->node, fill);
    onnx_put_in(&w->node, in);
    onnx_op_end(w, out, "Where", false);
}

void
onnx_put_missing(struct onnx_writing *w, const char *in, size_t id)
{
    char flag[ONNX_NAME];

    onnx_more_name(w, flag);
    missing_flag(w, in, w->g->node[id].c, flag);
    onnx_op_cast(w, flag, onnx_type_of(w, id), w->name[id]);
}

void
onnx_put_scale(struct onnx_writing *w, const char *in, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    const char *out = w->name[id];
    char shift[ONNX_NAME], scale[ONNX_NAME], apart[ONNX_NAME];

    if (w->is_wide[id]) {
        onnx_constant(w, ONNX_DOUBLE, n->a, 1, n->n_a, shift);
        onnx_constant(w, ONNX_DOUBLE, n->b, 1, n->n_b, scale);
        onnx_more_name(w, apart);
        onnx_op_two(w, in, shift, "Sub", apart);
        onnx_op_two(w, apart, scale, "Mul", out);
        return;
    }
    onnx_op_begin(w, in);
    onnx_put_floats(&w->node, "offset", n->a, n->n_a);
    onnx_put_floats(&w->node, "scale", n->b, n->n_b);
    onnx_op_end(w, out, "Scaler", true);
}

/* Numbers to numbers: from the texts of an input, or from keys. */
bool
onnx_put_map(struct onnx_writing *w, const struct graph_node *n,
             const double *value, double c, const char *out)
{
    if (reads_texts(w, n))
        return op_levels(w, w->g->node[n->in[0]].index[0], value, c, out);
    onnx_op_begin(w, onnx_as(w, n->in[0], ONNX_FLOAT));
    onnx_put_floats(&w->node, "keys_floats", n->a, n->n_a);
    onnx_put_floats(&w->node, "values_floats", value, n->n_a);
    onnx_put_float(&w->node, "default_float", c);
    onnx_op_end(w, out, "LabelEncoder", true);
    return true;
}

/* A group for each key, then a column for each group. */
bool
onnx_put_onehot(struct onnx_writing *w, const struct graph_node *n,
                const char *out)
{
    double *group = mem_try_array(n->n_a, sizeof *group, w->err);
    int64_t *cats = mem_try_array(n->width, sizeof *cats, w->err);
    double shape[2] = {-1, (double)n->width};
    char coded[ONNX_NAME], hot[ONNX_NAME], size[ONNX_NAME];
    bool ok = group && cats;

    if (ok) {
        for (size_t i = 0; i < n->n_a; i++)
            group[i] = n->index[i];
        for (size_t i = 0; i < n->width; i++)
            cats[i] = (int64_t)i;
        onnx_more_name(w, coded);
        ok = onnx_put_map(w, n, group, -1, coded);
        onnx_more_name(w, hot);
        onnx_op_begin(w, coded);
        onnx_put_ints(&w->node, "cats_int64s", cats, n->width);
        onnx_put_int(&w->node, "zeros", 1);
        onnx_op_end(w, hot, "OneHotEncoder", true);
        onnx_constant(w, ONNX_INT64, shape, 2, 0, size);
        onnx_op_two(w, hot, size, "Reshape", out);
    }
    free(group);
    free(cats);
    return ok;
}
