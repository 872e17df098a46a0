/* engine/port/tensors.c -- networks in a safetensors file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/tensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MAX_LAYERS = 4096 };
#define EPSILON 1e-5

/* A layer by the part of its tensors' names before the last dot. */
struct layer {
    struct str name;
    struct st_tensor weight, bias, mean, var;
    bool has_weight, has_bias, has_mean, has_var;
};

struct reading {
    struct st_file *f;
    struct layer *layer;
    size_t n, cap;
    enum graph_op act;
    struct portable *p;
    uint32_t at; /* the node so far */
    const struct progress *stop;
    struct error *err;
};

/* ---- numbers ---- */

static double
half(uint16_t u)
{
    int exponent = u >> 10 & 31;
    double m = (u & 1023) / 1024.0, x;

    if (exponent == 31)
        x = m != 0 ? (double)NAN : (double)INFINITY;
    else
        x = exponent ? ldexp(1 + m, exponent - 15) : ldexp(m, -14);
    return u >> 15 ? -x : x;
}

static double
element(const struct st_tensor *t, size_t i)
{
    const char *p = t->data;
    uint16_t u;
    uint32_t bits;
    float f;
    double d;

    switch (t->type) {
    case ST_F64:
        memcpy(&d, p + i * sizeof d, sizeof d);
        return d;
    case ST_F32:
        memcpy(&f, p + i * sizeof f, sizeof f);
        return (double)f;
    default: /* ST_F16, ST_BF16 */
        memcpy(&u, p + i * sizeof u, sizeof u);
        if (t->type == ST_F16)
            return half(u);
        bits = (uint32_t)u << 16;
        memcpy(&f, &bits, sizeof f);
        return (double)f;
    }
}

/* ---- names ---- */

/* Numbers in names count as numbers. */
static int
by_name(const void *a, const void *b)
{
    struct str x = ((const struct layer *)a)->name;
    struct str y = ((const struct layer *)b)->name;
    size_t i = 0, j = 0;

    while (i < x.n && j < y.n) {
        size_t m = i, n = j;

        while (m < x.n && x.p[m] >= '0' && x.p[m] <= '9')
            m++;
        while (n < y.n && y.p[n] >= '0' && y.p[n] <= '9')
            n++;
        if (m > i && n > j) {
            if (m - i != n - j)
                return m - i < n - j ? -1 : 1;
            if (memcmp(x.p + i, y.p + j, m - i) != 0)
                return memcmp(x.p + i, y.p + j, m - i);
            i = m;
            j = n;
        } else if (x.p[i] != y.p[j]) {
            return (unsigned char)x.p[i] < (unsigned char)y.p[j] ? -1 : 1;
        } else {
            i++;
            j++;
        }
    }
    return (x.n - i > y.n - j) - (x.n - i < y.n - j);
}

static struct layer *
layer_named(struct reading *r, struct str name)
{
    struct layer *more;

    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->layer[i].name, name))
            return &r->layer[i];
    if (r->n == MAX_LAYERS) {
        error_set(r->err, ERR_LIMIT, "more than %d layers", MAX_LAYERS);
        return NULL;
    }
    more = mem_try_grow(r->layer, r->n, &r->cap, sizeof *more, r->err);
    if (!more)
        return NULL;
    r->layer = more;
    memset(&more[r->n], 0, sizeof *more);
    more[r->n].name = name;
    return &more[r->n++];
}

static bool
tensor_take(struct reading *r, const char *name, const struct st_tensor *t)
{
    const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
    struct layer *l =
        layer_named(r, (struct str){name, dot ? (size_t)(dot - name) : 0});

    if (!l)
        return false;
    if (t->type != ST_F16 && t->type != ST_BF16 && t->type != ST_F32 &&
        t->type != ST_F64)
        return strcmp(last, "num_batches_tracked") == 0 ||
               error_set(r->err, ERR_TYPE,
                         "tensor '%.64s' is of whole numbers or of 8 bits, "
                         "expected floats of 16, 32 or 64 bits",
                         name);
    if (strcmp(last, "weight") == 0 && (l->has_weight = true))
        l->weight = *t;
    else if (strcmp(last, "bias") == 0 && (l->has_bias = true))
        l->bias = *t;
    else if (strcmp(last, "running_mean") == 0 && (l->has_mean = true))
        l->mean = *t;
    else if (strcmp(last, "running_var") == 0 && (l->has_var = true))
        l->var = *t;
    else
        return error_set(r->err, ERR_TYPE,
                         "tensor '%.64s' is of no dense layer and no batch "
                         "norm",
                         name);
    return true;
}

/* ---- layers ---- */

static bool
refuse(struct reading *r, const struct layer *l, const char *what)
{
    return error_set(r->err, ERR_TYPE, "layer '%.*s': %s",
                     (int)(l->name.n < 64 ? l->name.n : 64), l->name.p, what);
}

/* The first layer says how many inputs there are. */
static bool
begin(struct reading *r, size_t n_inputs)
{
    return (r->p = portable_new(n_inputs, r->err)) &&
           portable_name_rest(r->p, "x", r->err) &&
           graph_add_input(r->p->graph, 0, n_inputs, &r->at, r->err) &&
           graph_add_simple(r->p->graph, GRAPH_ROUND, r->at, &r->at, r->err);
}

static bool
put_dense(struct reading *r, const struct layer *l, bool first)
{
    size_t k, n;
    struct graph_node node = {.op = GRAPH_DENSE, .n_in = 1};

    if (l->weight.n_dims != 2 || l->weight.shape[0] == 0 ||
        l->weight.shape[1] == 0)
        return refuse(r, l, "a weight of two dimensions is expected");
    k = (size_t)l->weight.shape[0];
    n = (size_t)l->weight.shape[1];
    if (k > GRAPH_MAX_WIDTH || (l->has_bias && l->bias.n != k))
        return refuse(r, l, "weight and bias do not fit");
    if (first && !begin(r, n))
        return false;
    if (!first && !graph_add_simple(r->p->graph, r->act, r->at, &r->at, r->err))
        return false;
    if (r->p->graph->node[r->at].width != n)
        return refuse(r, l, "its inputs are not the outputs before");
    node.in = &r->at;
    node.width = node.n_b = k;
    node.n_a = n * k;
    if (!graph_add(r->p->graph, &node, &r->at, r->err))
        return false;
    for (size_t j = 0; j < k; j++) {
        struct graph_node *to = &r->p->graph->node[r->at];

        for (size_t i = 0; i < n; i++)
            to->a[i * k + j] = element(&l->weight, j * n + i);
        to->b[j] = l->has_bias ? element(&l->bias, j) : 0;
    }
    return true;
}

/* (x - mean) / sqrt(var + epsilon) * weight + bias */
static bool
put_norm(struct reading *r, const struct layer *l)
{
    size_t n = r->p ? r->p->graph->node[r->at].width : 0;
    struct graph_node node = {
        .op = GRAPH_SCALE, .width = n, .n_in = 1, .n_a = n, .n_b = n};

    if (n == 0 || !l->has_mean || !l->has_var || !l->has_weight ||
        !l->has_bias || l->mean.n != n || l->var.n != n || l->weight.n != n ||
        l->bias.n != n)
        return refuse(r, l, "a batch norm that does not fit");
    node.in = &r->at;
    if (!graph_add(r->p->graph, &node, &r->at, r->err))
        return false;
    for (size_t j = 0; j < n; j++) {
        struct graph_node *to = &r->p->graph->node[r->at];
        double b = element(&l->weight, j) / sqrt(element(&l->var, j) + EPSILON);

        if (b == 0)
            return refuse(r, l, "a factor of 0");
        to->a[j] = element(&l->mean, j) - element(&l->bias, j) / b;
        to->b[j] = b;
    }
    return true;
}

static bool
put_end(struct reading *r, bool two_classes)
{
    struct graph *g = r->p->graph;
    size_t k = g->node[r->at].width;
    uint32_t second = 1;
    struct graph_node pick = {.op = GRAPH_PICK,
                              .width = 1,
                              .n_in = 1,
                              .in = &r->at,
                              .n_index = 1,
                              .index = &second};

    if (k == 1 && !two_classes)
        return true;
    if (!portable_classes(r->p, NULL, k == 1 ? 2 : k, r->err) ||
        !graph_add_simple(g, k == 1 ? GRAPH_SIGMOID : GRAPH_SOFTMAX, r->at,
                          &r->at, r->err))
        return false;
    buf_printf(&r->p->notes, "the file does not say how it ends: %s\n",
               k == 1 ? "a sigmoid is taken" : "a softmax is taken");
    return k != 2 || graph_add(g, &pick, NULL, r->err);
}

static bool
layers_put(struct reading *r, bool two_classes)
{
    bool first = true;

    for (size_t i = 0; i < r->n; i++) {
        const struct layer *l = &r->layer[i];

        if (!l->has_weight && !l->has_bias && !l->has_mean && !l->has_var)
            continue; /* a counter alone */
        if (l->has_mean || l->has_var ? !put_norm(r, l)
                                      : !put_dense(r, l, first))
            return false;
        first = false;
    }
    if (!r->p)
        return error_set(r->err, ERR_TYPE, "no layers: no network");
    portable_tell(r->p, "format", "safetensors");
    portable_tell(r->p, "activation", graph_op_word(r->act));
    portable_tell_count(r->p, "layers", r->n);
    return put_end(r, two_classes) && portable_check(r->p, r->err);
}

static bool
activation_parse(const char *word, enum graph_op *out, struct error *err)
{
    static const enum graph_op known[] = {GRAPH_RELU, GRAPH_TANH,
                                          GRAPH_SIGMOID};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(word, graph_op_word(known[i])) == 0) {
            *out = known[i];
            return true;
        }
    return error_set(err, ERR_RANGE,
                     "activation '%.32s', expected relu, tanh or sigmoid",
                     word);
}

bool
tensors_is(struct str bytes)
{
    uint64_t n = 0;

    for (size_t i = 0; i < 8 && bytes.n > 10; i++)
        n |= (uint64_t)(unsigned char)bytes.p[i] << 8 * i;
    return bytes.n > 10 && bytes.p[8] == '{' && n >= 2 && n <= bytes.n - 8;
}

static bool
read_all(struct reading *r, struct str bytes, bool two_classes)
{
    if (!(r->f = st_parse(bytes, r->err)))
        return false;
    if (st_get_manifest(r->f))
        return error_set(r->err, ERR_TYPE,
                         "this is a model of lathe's already");
    for (size_t i = 0; i < st_count(r->f); i++) {
        struct st_tensor t;
        const char *name = st_item(r->f, i, &t);

        if (!progress_check(r->stop, r->err) || !tensor_take(r, name, &t))
            return false;
    }
    if (r->n)
        qsort(r->layer, r->n, sizeof *r->layer, by_name);
    return layers_put(r, two_classes);
}

struct portable *
tensors_read(struct str bytes, const char *activation, bool two_classes,
             const struct progress *stop, struct error *err)
{
    struct reading r = {.stop = stop, .err = err};
    bool ok = activation_parse(activation ? activation : "relu", &r.act, err) &&
              read_all(&r, bytes, two_classes);

    free(r.layer);
    st_free(r.f);
    if (ok)
        return r.p;
    portable_free(r.p);
    return NULL;
}
