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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/boosted.h"
#include "engine/port/onnx.h"
#include "engine/port/onnx_in.h"
#include "engine/port/portable.h"
#include "frame/dict.h"

/* ---- the table ---- */

static const struct {
    const char *name;
    bool (*read)(struct onnx_reading *r, const struct onnx_node *n);
} ops[] = {
    {"Add", onnx_take_arithmetic},
    {"ArrayFeatureExtractor", onnx_take_pick},
    {"AveragePool", onnx_take_pool},
    {"BatchNormalization", onnx_take_batch_norm},
    {"Binarizer", onnx_take_binarizer},
    {"Cast", onnx_take_cast},
    {"Clip", onnx_take_clip},
    {"Concat", onnx_take_join},
    {"Conv", onnx_take_conv},
    {"Div", onnx_take_arithmetic},
    {"Dropout", onnx_take_same},
    {"Elu", onnx_take_elu},
    {"Exp", onnx_take_function},
    {"FeatureVectorizer", onnx_take_join},
    {"Flatten", onnx_take_reshape},
    {"Gather", onnx_take_pick},
    {"Gemm", onnx_take_gemm},
    {"GlobalAveragePool", onnx_take_pool},
    {"GlobalMaxPool", onnx_take_pool},
    {"Identity", onnx_take_same},
    {"Imputer", onnx_take_imputer},
    {"IsInf", onnx_take_missing},
    {"IsNaN", onnx_take_missing},
    {"LabelEncoder", onnx_take_label},
    {"LeakyRelu", onnx_take_leaky},
    {"LinearClassifier", onnx_take_linear_classifier},
    {"LinearRegressor", onnx_take_linear_regressor},
    {"Log", onnx_take_function},
    {"MatMul", onnx_take_gemm},
    {"MaxPool", onnx_take_pool},
    {"Mul", onnx_take_arithmetic},
    {"Normalizer", onnx_take_normalizer},
    {"OneHotEncoder", onnx_take_onehot},
    {"Or", onnx_take_arithmetic},
    {"Relu", onnx_take_function},
    {"Reshape", onnx_take_reshape},
    {"Scaler", onnx_take_scaler},
    {"Sigmoid", onnx_take_function},
    {"Softmax", onnx_take_softmax},
    {"Softplus", onnx_take_function},
    {"Squeeze", onnx_take_reshape},
    {"Sub", onnx_take_arithmetic},
    {"Tanh", onnx_take_function},
    {"Transpose", onnx_take_transpose},
    {"TreeEnsemble", onnx_take_tree_regressor},
    {"TreeEnsembleClassifier", onnx_take_tree_classifier},
    {"TreeEnsembleRegressor", onnx_take_tree_regressor},
    {"Unsqueeze", onnx_take_reshape},
    {"Where", onnx_take_where},
    {"ZipMap", onnx_take_same},
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
is_a(const struct onnx_reading *r, uint32_t id, size_t *width)
{
    *width = r->g->node[id].width;
    return *width > 0;
}

static bool
answer_take(struct onnx_reading *r)
{
    struct onnx_value *v;
    size_t width, k;

    if (!answer_find(r, &v) || !is_a(r, v->node, &width))
        return false;
    if (v->labels)
        k = onnx_label_count(v->labels);
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
        !constants_read(r) || !onnx_inputs_read(r))
        return false;
    for (size_t i = 0; i < r->m.n_nodes; i++)
        if (!node_read(r, &r->m.node[i]))
            return error_prefix(r->err, "step %zu: ", i + 1);
    if (!answer_take(r) || !onnx_levels_take(r))
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
