/* engine/port/onnx_in_learner.c -- read the operators that are models:
 * linear ones, trees, classifiers.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/mem.h"
#include "engine/port/onnx_in.h"

/* ---- linear ---- */

/* k sums over the inputs. */
struct sums {
    const double *weight; /* (k, inputs) row-major, as Linear* have it */
    bool across;          /* or (inputs, k) */
    size_t k;
    const double *bias;
    size_t n_bias; /* 0, 1: of all, or k */
};

static bool
put_dense(struct onnx_reading *r, const struct onnx_node *n, uint32_t in,
          const struct sums *s, uint32_t *id)
{
    size_t width = r->g->node[in].width, k = s->k, all;
    struct graph_node node = {
        .op = GRAPH_DENSE, .width = k, .n_in = 1, .in = &in, .n_b = k};

    if (k == 0 || k > GRAPH_MAX_WIDTH || !mem_mul(width, k, &all) ||
        (s->n_bias != 0 && s->n_bias != 1 && s->n_bias != k))
        return onnx_refuse(r, n, "sizes do not fit");
    node.n_a = all;
    if (!graph_add(r->g, &node, id, r->err))
        return false;
    for (size_t j = 0; j < k; j++) {
        for (size_t i = 0; i < width; i++)
            r->g->node[*id].a[i * k + j] =
                s->weight[s->across ? i * k + j : j * width + i];
        if (s->n_bias)
            r->g->node[*id].b[j] = s->bias[s->n_bias == 1 ? 0 : j];
    }
    return true;
}

bool
onnx_take_gemm(struct onnx_reading *r, const struct onnx_node *n, uint32_t in)
{
    const struct onnx_tensor *w = onnx_constant_in(r, n, 1),
                             *b = onnx_constant_in(r, n, 2);
    bool gemm = str_is(n->op, "Gemm");
    bool turned = gemm && onnx_int(n, "transB", 0) != 0;
    double alpha = gemm ? onnx_float(n, "alpha", 1) : 1;
    double beta = gemm ? onnx_float(n, "beta", 1) : 1;
    struct sums sums = {.across = !turned};
    uint32_t id;

    if (!w || (gemm && n->n_in > 2 && !b))
        return onnx_unknown(r, n);
    if (onnx_int(n, "transA", 0) != 0)
        return onnx_refuse(r, n, "transA: rows as columns");
    if (w->n_dims != 2 || w->dim[turned ? 1 : 0] != r->g->node[in].width)
        return onnx_refuse(r, n, "sizes do not fit");
    sums.weight = w->x;
    sums.k = w->dim[turned ? 0 : 1];
    sums.bias = b ? b->x : NULL;
    sums.n_bias = b ? b->n : 0;
    if (!put_dense(r, n, in, &sums, &id))
        return false;
    for (size_t i = 0; i < r->g->node[id].n_a; i++)
        r->g->node[id].a[i] *= alpha;
    for (size_t j = 0; j < r->g->node[id].n_b; j++)
        r->g->node[id].b[j] *= beta;
    return onnx_value_put(r, n, id, false);
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

bool
onnx_take_linear_regressor(struct onnx_reading *r, const struct onnx_node *n,
                           uint32_t in)
{
    size_t n_w, n_b, k = (size_t)onnx_int(n, "targets", 1);
    const double *w = onnx_numbers(n, "coefficients", &n_w);
    const double *b = onnx_numbers(n, "intercepts", &n_b);
    uint32_t id;

    if (k == 0 || n_w / k != r->g->node[in].width || n_w % k != 0)
        return onnx_refuse(r, n, "sizes do not fit");
    return put_dense(r, n, in, &(struct sums){w, false, k, b, n_b}, &id) &&
           post_transform(r, n, onnx_text(n, "post_transform"), &id) &&
           onnx_value_put(r, n, id, false);
}

/* ---- classifiers ---- */

size_t
onnx_label_count(const struct onnx_node *n)
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
    size_t width = r->g->node[id].width, k = onnx_label_count(n);
    struct str post = onnx_text(n, "post_transform");

    if (k < 2 || k > TARGET_MAX_CLASSES ||
        (width != k && !(width == 1 && k == 2)))
        return onnx_refuse(r, n, "scores do not fit the classes");
    if (!post_transform(r, n,
                        width == 1 && str_is(post, "SOFTMAX")
                            ? STR("SOFTMAX_OF_ONE")
                            : post,
                        &id) ||
        (n->n_out > 0 && !onnx_value_set(r, n->out[0], &v)))
        return false;
    v = onnx_value_numbers(id);
    v.pair = width == 1;
    v.labels = n;
    return n->n_out < 2 || onnx_value_set(r, n->out[1], &v);
}

bool
onnx_take_linear_classifier(struct onnx_reading *r, const struct onnx_node *n,
                            uint32_t in)
{
    size_t n_w, n_b, k;
    const double *w = onnx_numbers(n, "coefficients", &n_w);
    const double *b = onnx_numbers(n, "intercepts", &n_b);
    uint32_t id;

    k = n_w / r->g->node[in].width;
    if (n_w == 0 || n_w % r->g->node[in].width != 0)
        return onnx_refuse(r, n, "sizes do not fit");
    return put_dense(r, n, in, &(struct sums){w, false, k, b, n_b}, &id) &&
           put_classifier(r, n, id);
}

static bool
put_trees(struct onnx_reading *r, const struct onnx_node *n, uint32_t in,
          size_t k, bool merge, uint32_t *id)
{
    struct graph_node node = {
        .op = GRAPH_TREES, .width = k, .n_in = 1, .in = &in};

    node.trees = onnx_trees(r, n, r->g->node[in].width, k, merge);
    return node.trees && graph_add(r->g, &node, id, r->err);
}

bool
onnx_take_tree_regressor(struct onnx_reading *r, const struct onnx_node *n,
                         uint32_t in)
{
    static const char *const posts[] = {"NONE", "SOFTMAX", "LOGISTIC",
                                        "SOFTMAX_ZERO", "PROBIT"};
    double k = onnx_int(n, "n_targets", 1), code;
    struct str post = onnx_text(n, "post_transform");
    uint32_t id;

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

bool
onnx_take_tree_classifier(struct onnx_reading *r, const struct onnx_node *n,
                          uint32_t in)
{
    size_t k = onnx_label_count(n);
    bool one = speaks_of_one(n, k);
    uint32_t id;

    if (k < 2 || k > TARGET_MAX_CLASSES)
        return onnx_refuse(r, n, "classes are missing, or too many");
    if (one && !score_is_probability(n))
        return onnx_refuse(r, n,
                           "scores of two classes without a post_transform");
    return put_trees(r, n, in, one ? 1 : k, one, &id) &&
           put_classifier(r, n, id);
}
