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

#define WINDOW "auto_pad dilations kernel_shape pads strides"
#define NODES                                                         \
    "base_values nodes_falsenodeids nodes_featureids nodes_hitrates " \
    "nodes_missing_value_tracks_true nodes_modes nodes_nodeids "      \
    "nodes_treeids nodes_truenodeids nodes_values post_transform"

static const struct op {
    const char *name;
    bool (*read)(struct onnx_reading *r, const struct onnx_node *n);
    const char *attributes; /* that may be there; NULL: none */
} ops[] = {
    {"Add", onnx_take_arithmetic, "broadcast"},
    {"ArrayFeatureExtractor", onnx_take_pick, NULL},
    {"AveragePool", onnx_take_pool, WINDOW " ceil_mode count_include_pad"},
    {"BatchNormalization", onnx_take_batch_norm,
     "epsilon momentum spatial training_mode"},
    {"Cast", onnx_take_cast, "saturate to"},
    {"Clip", onnx_take_clip, "max min"},
    {"Concat", onnx_take_join, "axis"},
    {"Conv", onnx_take_conv, WINDOW " group"},
    {"Div", onnx_take_arithmetic, "broadcast"},
    {"Dropout", onnx_take_same, "ratio seed"},
    {"Elu", onnx_take_elu, "alpha"},
    {"Exp", onnx_take_function, NULL},
    {"FeatureVectorizer", onnx_take_join, "inputdimensions"},
    {"Flatten", onnx_take_reshape, "axis"},
    {"Floor", onnx_take_function, NULL},
    {"Gather", onnx_take_pick, "axis"},
    {"GlobalAveragePool", onnx_take_pool, NULL},
    {"GlobalMaxPool", onnx_take_pool, NULL},
    {"Greater", onnx_take_greater, NULL},
    {"Identity", onnx_take_same, NULL},
    {"IsInf", onnx_take_missing, "detect_negative detect_positive"},
    {"IsNaN", onnx_take_missing, NULL},
    {"LabelEncoder", onnx_take_label,
     "classes_strings default_float default_int64 default_string "
     "default_tensor keys_floats keys_int64s keys_strings keys_tensor "
     "values_floats values_int64s values_strings values_tensor"},
    {"LeakyRelu", onnx_take_leaky, "alpha"},
    {"Log", onnx_take_function, NULL},
    {"MaxPool", onnx_take_pool, WINDOW " ceil_mode storage_order"},
    {"Mod", onnx_take_arithmetic, "fmod"},
    {"Mul", onnx_take_square, "broadcast"},
    {"OneHotEncoder", onnx_take_onehot, "cats_int64s cats_strings zeros"},
    {"Or", onnx_take_arithmetic, "broadcast"},
    {"Pow", onnx_take_arithmetic, NULL},
    {"ReduceSum", onnx_take_reduce, "axes keepdims noop_with_empty_axes"},
    {"Relu", onnx_take_function, NULL},
    {"Reshape", onnx_take_reshape, "allowzero"},
    {"Round", onnx_take_function, NULL},
    {"Sigmoid", onnx_take_function, NULL},
    {"Softmax", onnx_take_softmax, "axis"},
    {"Softplus", onnx_take_function, NULL},
    {"Sqrt", onnx_take_function, NULL},
    {"Squeeze", onnx_take_reshape, "axes"},
    {"Sub", onnx_take_apart, "broadcast"},
    {"Tanh", onnx_take_function, NULL},
    {"TopK", onnx_take_nearest, "axis largest sorted"},
    {"Transpose", onnx_take_transpose, "perm"},
    {"Unsqueeze", onnx_take_raise, "axes"},
    {"Where", onnx_take_where, NULL},
    {"ZipMap", onnx_take_same, "classlabels_int64s classlabels_strings"},
};

/* Others that want numbers as their first input. */
static const struct number_op {
    const char *name;
    onnx_of_numbers *read;
    const char *attributes;
} number_ops[] = {
    {"Binarizer", onnx_take_binarizer, "threshold"},
    {"Gemm", onnx_take_gemm, "alpha beta broadcast transA transB"},
    {"Imputer", onnx_take_imputer,
     "imputed_value_floats imputed_value_int64s replaced_value_float "
     "replaced_value_int64"},
    {"LinearClassifier", onnx_take_linear_classifier,
     "classlabels_ints classlabels_strings coefficients intercepts "
     "multi_class post_transform"},
    {"LinearRegressor", onnx_take_linear_regressor,
     "coefficients intercepts post_transform targets"},
    {"MatMul", onnx_take_gemm, NULL},
    {"Normalizer", onnx_take_normalizer, "norm"},
    {"Scaler", onnx_take_scaler, "offset scale"},
    {"TreeEnsemble", onnx_take_tree_regressor,
     "aggregate_function leaf_targetids leaf_weights membership_values "
     "n_targets nodes_falseleafs nodes_falsenodeids nodes_featureids "
     "nodes_hitrates nodes_missing_value_tracks_true nodes_modes "
     "nodes_splits nodes_trueleafs nodes_truenodeids post_transform "
     "tree_roots"},
    {"TreeEnsembleClassifier", onnx_take_tree_classifier,
     "class_ids class_nodeids class_treeids class_weights "
     "classlabels_int64s classlabels_strings " NODES},
    {"TreeEnsembleRegressor", onnx_take_tree_regressor,
     "aggregate_function n_targets target_ids target_nodeids "
     "target_treeids target_weights " NODES},
};

/* Is it one of the words, or its twin that is a tensor? */
static bool
is_among(struct str name, const char *words)
{
    static const struct str twin = {"_as_tensor", 10};

    if (name.n > twin.n &&
        memcmp(name.p + name.n - twin.n, twin.p, twin.n) == 0)
        name.n -= twin.n;
    return words && str_is_among(name, words);
}

/* What is said of an operator and not understood may change its answers. */
static bool
attributes_check(struct onnx_reading *r, const struct onnx_node *n,
                 const char *known)
{
    for (size_t i = 0; i < n->n_attributes; i++) {
        struct str name = n->attribute[i].name;

        if (!is_among(name, known))
            return error_set(r->err, ERR_TYPE,
                             "%.*s: attribute '%.*s' is not read", (int)n->op.n,
                             n->op.p, (int)(name.n < 64 ? name.n : 64), name.p);
    }
    return true;
}

static bool
numbers_read(struct onnx_reading *r, const struct onnx_node *n,
             onnx_of_numbers *read)
{
    uint32_t in;
    bool known;

    if (!onnx_number_in(r, n, 0, &in, &known))
        return false;
    return known ? read(r, n, in) : onnx_unknown(r, n);
}

/* Others have operators of the same names that do other things. */
static bool
is_of_onnx(struct str domain)
{
    return domain.n == 0 || str_is(domain, "ai.onnx") ||
           str_is(domain, "ai.onnx.ml");
}

/* The value of a Constant: a tensor, or numbers without one; *out NULL for
 * what is neither. */
static bool
constant_value(struct onnx_reading *r, const struct onnx_node *n,
               const struct onnx_tensor **out)
{
    const struct onnx_attribute *a =
        n->n_attributes == 1 ? &n->attribute[0] : NULL;
    bool whole, one, list;
    struct onnx_tensor *t;

    *out = a && str_is(a->name, "value") ? a->t : NULL;
    whole = a && str_is(a->name, "value_int");
    one = whole || (a && str_is(a->name, "value_float"));
    list =
        a && (str_is(a->name, "value_ints") || str_is(a->name, "value_floats"));
    if (!one && !list)
        return true;
    if (!(t = arena_try(&r->arena, 1, sizeof *t, r->err)) ||
        !(t->x = arena_try(&r->arena, one ? 1 : a->n, sizeof *t->x, r->err)))
        return false;
    t->n = t->dim[0] = one ? 1 : a->n;
    t->n_dims = list;
    for (size_t i = 0; i < t->n; i++)
        t->x[i] = list ? a->x[i] : whole ? a->i : a->f;
    *out = t;
    return true;
}

static bool
node_read(struct onnx_reading *r, const struct onnx_node *n)
{
    struct onnx_value c = {.kind = VALUE_CONSTANT};

    if (str_is(n->op, "Constant") && is_of_onnx(n->domain)) {
        if (!constant_value(r, n, &c.tensor))
            return false;
        return c.tensor && n->n_out ? onnx_value_set(r, n->out[0], &c)
                                    : onnx_unknown(r, n);
    }
    if (!is_of_onnx(n->domain))
        return onnx_unknown(r, n);
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (str_is(n->op, ops[i].name))
            return attributes_check(r, n, ops[i].attributes) &&
                   ops[i].read(r, n);
    for (size_t i = 0; i < sizeof number_ops / sizeof *number_ops; i++)
        if (str_is(n->op, number_ops[i].name))
            return attributes_check(r, n, number_ops[i].attributes) &&
                   numbers_read(r, n, number_ops[i].read);
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

/* What lathe said that a model without a target answers, output by output. */
static bool
outputs_take(struct onnx_reading *r, const struct json *list)
{
    struct graph_node join = {.op = GRAPH_JOIN, .n_in = json_len(list)};
    size_t c = 0;

    if (!portable_answers(r->p, join.n_in, r->err) ||
        !(join.in = arena_try(&r->arena, join.n_in, sizeof *join.in, r->err)))
        return false;
    for (const struct json *o = json_first(list); o; o = json_next(o), c++) {
        struct answer *a = &r->p->answer[c];
        const struct onnx_value *v;
        const char *name;

        if (!json_get_string(o, "name", &name, r->err) ||
            !json_get_bool(o, "whole", &a->whole, r->err))
            return false;
        v = onnx_value_find(r, str_of(name));
        if (!v || v->kind != VALUE_NUMBERS || strlen(name) >= sizeof a->name)
            return error_set(r->err, ERR_TYPE, "no output '%.64s' of numbers",
                             name);
        strcpy(a->name, name);
        join.in[c] = v->node;
        join.width += r->g->node[v->node].width;
    }
    if (join.width != join.n_in)
        return error_set(r->err, ERR_TYPE, "outputs of more than a column");
    return graph_add(r->g, &join, NULL, r->err);
}

/* *found: its outputs are those of a model without a target. */
static bool
answers_take(struct onnx_reading *r, bool *found)
{
    struct error why = {0};
    struct json *v = r->m.schema.n ? json_parse(r->m.schema, &why) : NULL;
    const struct json *a =
        v && json_type(v) == JSON_OBJECT ? json_find(v, "outputs") : NULL;
    bool ok = true;

    *found = a && json_type(a) == JSON_ARRAY;
    if (why.code == ERR_NOMEM)
        ok = error_set(r->err, ERR_NOMEM, "%s", why.message);
    else if (*found)
        ok = outputs_take(r, a);
    json_free(v);
    return ok;
}

static bool
answer_take(struct onnx_reading *r)
{
    struct onnx_value *v;
    size_t width, k;
    bool found;

    if (!answers_take(r, &found))
        return false;
    if (found)
        return true;
    if (!answer_find(r, &v))
        return false;
    width = r->g->node[v->node].width;
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
        if (!progress_check(r->arena.stop, r->err) ||
            !node_read(r, &r->m.node[i]))
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
onnx_read(struct str bytes, const struct progress *stop, struct error *err)
{
    struct onnx_reading r = {.err = err};
    bool ok;

    arena_init(&r.arena);
    r.arena.stop = stop;
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
