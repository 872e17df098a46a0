/* engine/port/onnx_out.c -- write a graph as ONNX.
 *
 * Each node of ours becomes one operator or a few.  Trees or a linear model
 * before the last sigmoid or softmax become one classifier, which gives label
 * and probabilities; else these are put together of plain operators.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/boosted.h"
#include "engine/port/onnx.h"
#include "engine/port/onnx_out.h"

enum { IR_3 = 8, IR_5 = 10, OPSET_3 = 17, OPSET_5 = 21 };
#define ROUNDING 1e-6 /* of a score by 32-bit sums */

/* ---- steps ---- */

static void
put_dense(struct onnx_writing *w, const char *in, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    enum onnx_type type = onnx_type_of(w, id);
    const char *out = w->name[id];
    char weight[ONNX_NAME], bias[ONNX_NAME];

    onnx_constant(w, type, n->a, n->n_a / n->width, n->width, weight);
    onnx_op_begin(w, in);
    onnx_put_in(&w->node, weight);
    if (n->n_b) {
        onnx_constant(w, type, n->b, n->width, 0, bias);
        onnx_put_in(&w->node, bias);
    }
    onnx_op_end(w, out, "Gemm", false);
}

/* Levels of the columns that trees look at. */
static size_t *
tree_levels(struct onnx_writing *w, const struct graph_node *n)
{
    size_t *levels = mem_try_array(n->trees->n_cols, sizeof *levels, w->err);
    const struct graph_node *in = &w->g->node[n->in[0]];

    while (in->op == GRAPH_ROUND)
        in = &w->g->node[in->in[0]];
    for (size_t c = 0; levels && in->op == GRAPH_INPUT && c < in->width; c++)
        levels[c] = w->p->input[in->index[c]].n_levels;
    return levels;
}

static bool
put_trees(struct onnx_writing *w, const char *in, const struct graph_node *n,
          const char *out)
{
    const struct ensemble *e = n->trees;
    size_t *levels;
    char sums[ONNX_NAME], base[ONNX_NAME];
    bool ok;

    if (w->ml == 5) {
        onnx_op_begin(w, in);
        if (!onnx_put_trees_five(e, &w->node, w->err))
            return false;
        onnx_more_name(w, sums);
        onnx_op_end(w, sums, "TreeEnsemble", true);
        onnx_constant(w, ONNX_FLOAT, e->base, 1, e->n_outputs, base);
        onnx_op_two(w, sums, base, "Add", out);
        return true;
    }
    if (!(levels = tree_levels(w, n)))
        return false;
    onnx_op_begin(w, in);
    ok = onnx_put_trees(w, e, levels, false);
    free(levels);
    onnx_put_int(&w->node, "n_targets", (int64_t)e->n_outputs);
    onnx_put_text(&w->node, "post_transform", "NONE");
    if (ok)
        onnx_op_end(w, out, "TreeEnsembleRegressor", true);
    return ok;
}

static void
put_where(struct onnx_writing *w, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    enum onnx_type type = onnx_type_of(w, id);
    char flag[ONNX_NAME];

    onnx_more_name(w, flag);
    onnx_op_cast(w, onnx_flat(w, n->in[0]), ONNX_BOOL, flag);
    onnx_op_begin(w, flag);
    onnx_put_in(&w->node, onnx_as(w, n->in[1], type));
    onnx_put_in(&w->node, onnx_as(w, n->in[2], type));
    onnx_op_end(w, w->name[id], "Where", false);
}

static void
put_or(struct onnx_writing *w, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    char flag[2][ONNX_NAME], both[ONNX_NAME];

    for (size_t k = 0; k < 2; k++) {
        onnx_more_name(w, flag[k]);
        onnx_op_cast(w, onnx_flat(w, n->in[k]), ONNX_BOOL, flag[k]);
    }
    onnx_more_name(w, both);
    onnx_op_two(w, flag[0], flag[1], "Or", both);
    onnx_op_cast(w, both, onnx_type_of(w, id), w->name[id]);
}

static void
put_join(struct onnx_writing *w, size_t id)
{
    const struct graph_node *n = &w->g->node[id];

    buf_clear(&w->node);
    for (size_t k = 0; k < n->n_in; k++)
        onnx_put_in(&w->node, onnx_as(w, n->in[k], onnx_type_of(w, id)));
    onnx_put_int(&w->node, "axis", 1);
    onnx_op_end(w, w->name[id], "Concat", false);
}

static void
put_tuned(struct onnx_writing *w, const char *in, const char *op, bool ml,
          const char *attribute, double v, const char *out)
{
    onnx_op_begin(w, in);
    onnx_put_float(&w->node, attribute, v);
    onnx_op_end(w, out, op, ml);
}

/* An answer that is a score on the very threshold of a training row is still
 * on it after 32-bit sums.  Binarizer would do, but for what is missing, at
 * which onnxruntime stops. */
static void
put_step(struct onnx_writing *w, const char *in, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    enum onnx_type type = onnx_type_of(w, id);
    bool near = !w->is_wide[id] && w->p->n_answers;
    char over[ONNX_NAME], flag[ONNX_NAME];

    onnx_scalar(w, type, n->c + (near ? ROUNDING : 0), over);
    onnx_more_name(w, flag);
    onnx_op_two(w, in, over, "Greater", flag);
    onnx_op_cast(w, flag, type, w->name[id]);
}

/* By the sum; a row of nothing but 0 has all alike.  Curves may come to that:
 * what is that near to 0 is not told from it. */
static void
put_normalize(struct onnx_writing *w, size_t id, const char *in)
{
    const double least = 1e-30;
    char low[ONNX_NAME], some[ONNX_NAME];

    if (w->g->node[w->g->node[id].in[0]].op == GRAPH_JOIN) {
        onnx_scalar(w, ONNX_FLOAT, least, low);
        onnx_more_name(w, some);
        onnx_op_two(w, in, low, "Clip", some);
        in = some;
    }
    onnx_op_begin(w, in);
    onnx_put_text(&w->node, "norm", "L1");
    onnx_op_end(w, w->name[id], "Normalizer", true);
}

static bool
put_function(struct onnx_writing *w, size_t id, const char *in)
{
    const struct graph_node *n = &w->g->node[id];
    const char *out = w->name[id];
    static const char *const names[GRAPH_N_OPS] = {
        [GRAPH_RELU] = "Relu",         [GRAPH_ELU] = "Elu",
        [GRAPH_SIGMOID] = "Sigmoid",   [GRAPH_TANH] = "Tanh",
        [GRAPH_EXP] = "Exp",           [GRAPH_LOG] = "Log",
        [GRAPH_SQRT] = "Sqrt",         [GRAPH_FLOOR] = "Floor",
        [GRAPH_SOFTPLUS] = "Softplus", [GRAPH_ADD] = "Add",
        [GRAPH_SUB] = "Sub",           [GRAPH_MUL] = "Mul",
        [GRAPH_DIV] = "Div",           [GRAPH_POW] = "Pow",
        [GRAPH_MOD] = "Mod",           [GRAPH_WHOLE] = "Round"};

    if (n->op == GRAPH_LEAKY)
        put_tuned(w, in, "LeakyRelu", false, "alpha", n->c, out);
    else if (n->op == GRAPH_SOFTMAX) {
        onnx_op_begin(w, in);
        onnx_put_int(&w->node, "axis", 1);
        onnx_op_end(w, out, "Softmax", false);
    } else if (n->op == GRAPH_NORMALIZE) {
        put_normalize(w, id, in);
    } else if (n->op == GRAPH_SQUARE) {
        return error_set(w->err, ERR_TYPE,
                         "the step '%s' is not written as ONNX: write this "
                         "model as --c",
                         graph_op_word(n->op));
    } else if (n->op == GRAPH_MOD) {
        onnx_op_begin(w, in);
        onnx_put_in(&w->node, onnx_as(w, n->in[1], onnx_type_of(w, id)));
        onnx_put_int(&w->node, "fmod", 1);
        onnx_op_end(w, out, "Mod", false);
    } else if (n->n_in == 2) {
        onnx_op_two(w, in, onnx_as(w, n->in[1], onnx_type_of(w, id)),
                    names[n->op], out);
    } else {
        onnx_op_plain(w, in, names[n->op], out);
    }
    return true;
}

/* Does a step ask for its inputs itself? */
static bool
takes_its_own(enum graph_op op)
{
    return op == GRAPH_INPUT || op == GRAPH_JOIN || op == GRAPH_ONEHOT ||
           op == GRAPH_MAP || op == GRAPH_OR || op == GRAPH_WHERE;
}

static bool
put_node(struct onnx_writing *w, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    const char *in, *out = w->name[id];

    if (onnx_put_image(w, id))
        return true;
    in = takes_its_own(n->op)     ? ""
         : n->op == GRAPH_MISSING ? onnx_flat(w, n->in[0])
                                  : onnx_as(w, n->in[0], onnx_type_of(w, id));
    switch (n->op) {
    case GRAPH_INPUT:
        return onnx_put_input(w, id, n);
    case GRAPH_ROUND: /* they are */
        memcpy(w->name[id], in, ONNX_NAME);
        return true;
    case GRAPH_JOIN:
        put_join(w, id);
        return true;
    case GRAPH_PICK:
        return onnx_put_pick(w, in, n->index, n->width, out);
    case GRAPH_FILL:
        onnx_put_fill(w, in, id);
        return true;
    case GRAPH_MISSING:
        onnx_put_missing(w, in, id);
        return true;
    case GRAPH_SCALE:
        onnx_put_scale(w, in, id);
        return true;
    case GRAPH_ONEHOT:
        return onnx_put_onehot(w, n, out);
    case GRAPH_MAP:
        return onnx_put_map(w, n, n->b, n->c, out);
    case GRAPH_CLIP:
        onnx_put_clip(w, in, id);
        return true;
    case GRAPH_EMBED:
        return onnx_put_embed(w, in, id);
    case GRAPH_DISTANCE:
        onnx_put_distance(w, in, id);
        return true;
    case GRAPH_NEAREST:
        onnx_put_nearest(w, in, id);
        return true;
    case GRAPH_STEP:
        put_step(w, in, id);
        return true;
    case GRAPH_DENSE:
        put_dense(w, in, id);
        return true;
    case GRAPH_TREES:
        return put_trees(w, in, n, out);
    case GRAPH_OR:
        put_or(w, id);
        return true;
    case GRAPH_WHERE:
        put_where(w, id);
        return true;
    default:
        return put_function(w, id, in);
    }
}

/* ---- answers ---- */

/* Before the last sigmoid or softmax: what one classifier can say with it. */
static bool
is_classifier(const struct onnx_writing *w)
{
    const struct graph_node *last = &w->g->node[w->g->n - 1], *sum;

    if (w->p->n_classes == 0 || w->ml == 5 ||
        last->op != (w->p->n_classes > 2 ? GRAPH_SOFTMAX : GRAPH_SIGMOID))
        return false;
    sum = &w->g->node[last->in[0]];
    return (sum->op == GRAPH_TREES || sum->op == GRAPH_DENSE) &&
           last->in[0] + 2 == w->g->n;
}

/* Weights by class; of two classes the first has the opposite ones. */
static bool
put_linear_classifier(struct onnx_writing *w, const struct graph_node *n)
{
    size_t k = w->p->n_classes, p = n->n_a / n->width;
    double *a = mem_try_array(k * p, sizeof *a, w->err);
    double *b = mem_try_array(k, sizeof *b, w->err);

    for (size_t c = 0; c < k && a && b; c++) {
        size_t from = n->width == 1 ? 0 : c;
        double sign = n->width == 1 && c == 0 ? -1 : 1;

        for (size_t j = 0; j < p; j++)
            a[c * p + j] = sign * n->a[j * n->width + from];
        b[c] = n->n_b ? sign * n->b[from] : 0;
    }
    if (a && b) {
        onnx_put_floats(&w->node, "coefficients", a, k * p);
        onnx_put_floats(&w->node, "intercepts", b, k);
        onnx_put_int(&w->node, "multi_class", 0);
    }
    free(a);
    free(b);
    return a && b;
}

static bool
put_classifier(struct onnx_writing *w)
{
    const struct graph_node *last = &w->g->node[w->g->n - 1];
    const struct graph_node *n = &w->g->node[last->in[0]];
    bool trees = n->op == GRAPH_TREES, ok;
    size_t *levels = trees ? tree_levels(w, n) : NULL;

    if (trees && !levels)
        return false;
    onnx_op_begin(w, onnx_as(w, n->in[0], ONNX_FLOAT));
    ok = trees ? onnx_put_trees(w, n->trees, levels, true)
               : put_linear_classifier(w, n);
    free(levels);
    onnx_put_texts(&w->node, "classlabels_strings", w->p->classes,
                   w->p->n_classes);
    onnx_put_text(&w->node, "post_transform",
                  last->op == GRAPH_SOFTMAX ? "SOFTMAX" : "LOGISTIC");
    onnx_put_out(&w->node, "label");
    onnx_put_out(&w->node, "probabilities");
    if (ok)
        onnx_end_node(&w->node,
                      trees ? "TreeEnsembleClassifier" : "LinearClassifier",
                      true, &w->graph);
    return ok;
}

/* The largest probability's class. */
static bool
put_label(struct onnx_writing *w)
{
    size_t k = w->p->n_classes;
    int64_t *key = mem_try_array(k, sizeof *key, w->err);
    char at[ONNX_NAME];

    if (!key)
        return false;
    for (size_t c = 0; c < k; c++)
        key[c] = (int64_t)c;
    onnx_more_name(w, at);
    onnx_op_begin(w, "probabilities");
    onnx_put_int(&w->node, "axis", 1);
    onnx_put_int(&w->node, "keepdims", 0);
    onnx_op_end(w, at, "ArgMax", false);
    onnx_op_begin(w, at);
    onnx_put_ints(&w->node, "keys_int64s", key, k);
    onnx_put_texts(&w->node, "values_strings", w->p->classes, k);
    onnx_op_end(w, "label", "LabelEncoder", true);
    free(key);
    return true;
}

/* An output for each answer. */
static bool
put_answers(struct onnx_writing *w)
{
    uint32_t last = (uint32_t)w->g->n - 1;
    char one[ONNX_NAME];

    for (uint32_t c = 0; c < w->p->n_answers; c++) {
        const struct answer *a = &w->p->answer[c];

        onnx_more_name(w, one);
        if (!onnx_put_pick(w, onnx_flat(w, last), &c, 1, one))
            return false;
        onnx_op_cast(w, one, a->whole ? ONNX_INT64 : ONNX_FLOAT, a->name);
    }
    return true;
}

static bool
put_answer(struct onnx_writing *w)
{
    const char *last = onnx_as(w, (uint32_t)w->g->n - 1, ONNX_FLOAT);
    const double one = 1;
    char whole[ONNX_NAME], other[ONNX_NAME];

    if (w->p->n_classes == 0) {
        onnx_op_plain(w, last, "Identity", "prediction");
        return true;
    }
    if (w->p->n_classes > 2) {
        onnx_op_plain(w, last, "Identity", "probabilities");
        return put_label(w);
    }
    onnx_constant(w, ONNX_FLOAT, &one, 1, 0, whole);
    onnx_more_name(w, other);
    onnx_op_two(w, whole, last, "Sub", other);
    onnx_op_begin(w, other);
    onnx_put_in(&w->node, last);
    onnx_put_int(&w->node, "axis", 1);
    onnx_op_end(w, "probabilities", "Concat", false);
    return put_label(w);
}

/* ---- the model ---- */

static bool
put_steps(struct onnx_writing *w)
{
    size_t n = w->g->n - (is_classifier(w) ? 2 : 0);
    bool *live = graph_live(w->g, w->err), ok = live != NULL;

    for (size_t i = 0; i < n && ok; i++)
        ok = !live[i] || put_node(w, i);
    free(live);
    if (!ok)
        return false;
    return is_classifier(w)  ? put_classifier(w)
           : w->p->n_answers ? put_answers(w)
                             : put_answer(w);
}

static void
put_ends(struct onnx_writing *w)
{
    if (!w->texts)
        onnx_put_value(&w->graph, 11, "features", onnx_input_type(w, 0),
                       w->g->n_cols);
    for (size_t c = 0; c < w->g->n_cols && w->texts; c++)
        onnx_put_value(&w->graph, 11, w->p->input[c].name,
                       onnx_input_type(w, c), 1);
    for (size_t c = 0; c < w->p->n_answers; c++)
        onnx_put_value(&w->graph, 12, w->p->answer[c].name,
                       w->p->answer[c].whole ? ONNX_INT64 : ONNX_FLOAT, 1);
    if (w->p->n_classes) {
        onnx_put_value(&w->graph, 12, "label", ONNX_STRING, 0);
        onnx_put_value(&w->graph, 12, "probabilities", ONNX_FLOAT,
                       w->p->n_classes);
    } else if (w->p->n_answers == 0) {
        onnx_put_value(&w->graph, 12, "prediction", ONNX_FLOAT, 1);
    }
    wire_put_text(&w->graph, 2, "lathe");
}

static void
put_opset(struct buf *out, const char *domain, uint64_t version)
{
    struct buf set;

    buf_init(&set);
    wire_put_text(&set, 1, domain);
    wire_put_int(&set, 2, version);
    wire_put_message(out, 8, &set);
    buf_fini(&set);
}

static void
put_metadata(const struct onnx_writing *w, struct buf *out)
{
    struct buf schema, entry;
    struct json_writer j;

    buf_init(&schema);
    buf_init(&entry);
    json_writer_init(&j, &schema);
    portable_schema_json(w->p, &j);
    wire_put_text(&entry, 1, "lathe");
    wire_put_message(&entry, 2, &schema);
    wire_put_message(out, 14, &entry);
    buf_fini(&schema);
    buf_fini(&entry);
}

static bool
is_taken(const struct onnx_writing *w, const char *name)
{
    for (size_t c = 0; c < w->p->n_answers; c++)
        if (strcmp(name, w->p->answer[c].name) == 0)
            return true;
    return strncmp(name, "lathe_", 6) == 0 || strcmp(name, "label") == 0 ||
           strcmp(name, "probabilities") == 0 ||
           strcmp(name, "prediction") == 0;
}

/* Where a missing text is an empty one, no other may be. */
static bool
has_empty(const struct portable_input *in)
{
    for (size_t k = 0; in->rest && k < in->n_levels; k++)
        if (k + 1 != in->rest && !*in->levels[k])
            return true;
    return false;
}

static bool
names_check(const struct onnx_writing *w)
{
    for (size_t c = 0; c < w->g->n_cols && w->texts; c++) {
        const char *name = w->p->input[c].name;

        if (has_empty(&w->p->input[c]))
            return error_set(w->err, ERR_TYPE,
                             "ONNX does not tell the missing texts of '%s' "
                             "from empty ones: write this model as --c",
                             name);
        if (is_taken(w, name))
            return error_set(w->err, ERR_RANGE,
                             "the name of input '%s' is taken in the ONNX "
                             "graph: rename the column",
                             name);
    }
    return true;
}

bool
onnx_write(const struct portable *p, int ml, struct buf *out, struct error *err)
{
    struct onnx_writing w = {.p = p, .g = p->graph, .ml = ml, .err = err};
    bool ok;

    buf_init(&w.graph);
    buf_init(&w.node);
    for (size_t c = 0; c < w.g->n_cols; c++)
        w.texts |= p->input[c].n_levels > 0;
    w.wide = portable_wide(p);
    ok = names_check(&w) &&
         (w.is_wide = mem_try_array(w.g->n, sizeof *w.is_wide, err)) &&
         (w.cast = mem_try_array(w.g->n, sizeof *w.cast, err)) &&
         (w.name = mem_try_array(w.g->n, sizeof *w.name, err)) &&
         (w.flat = mem_try_array(w.g->n, sizeof *w.flat, err)) &&
         (w.shape = mem_try_array(w.g->n, sizeof *w.shape, err));
    for (size_t i = 0; i < w.g->n && ok; i++)
        snprintf(w.name[i], ONNX_NAME, "lathe_%zu", i);
    if (ok)
        onnx_types_find(&w);
    if ((ok = ok && put_steps(&w))) {
        put_ends(&w);
        wire_put_int(out, 1, ml == 5 ? IR_5 : IR_3);
        wire_put_text(out, 2, "lathe");
        wire_put_text(out, 3, PACKAGE_VERSION);
        wire_put_message(out, 7, &w.graph);
        put_opset(out, "", ml == 5 ? OPSET_5 : OPSET_3);
        put_opset(out, "ai.onnx.ml", ml == 5 ? 5 : 3);
        put_metadata(&w, out);
        ok = buf_check(&w.graph, err) && buf_check(out, err);
    }
    free(w.is_wide);
    free(w.cast);
    free(w.name);
    free(w.flat);
    free(w.shape);
    buf_fini(&w.graph);
    buf_fini(&w.node);
    return ok;
}
