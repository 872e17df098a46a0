/* engine/port/graph.c -- build a graph, check it, run it.
 *
 * Rows go through in blocks, node after node, each node's numbers in a part of
 * one workspace; blocks are as many rows as make the workspace fit a cache,
 * and do not depend on the number of threads.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/graph_state.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"

enum {
    MAX_WIDTHS = 1 << 22,
    WORKSPACE = 1 << 17, /* doubles */
    BLOCK_ROWS = 256,
    GRAIN = 1024
};

/* What a node is made of: inputs, and which arrays. */
static const struct {
    const char *word;
    int8_t n_in; /* -1: one or more */
    bool a, b, index;
} ops[GRAPH_N_OPS] = {
    [GRAPH_INPUT] = {"input", 0, false, false, true},
    [GRAPH_JOIN] = {"join", -1, false, false, false},
    [GRAPH_PICK] = {"pick", 1, false, false, true},
    [GRAPH_ROUND] = {"round", 1, false, false, false},
    [GRAPH_FILL] = {"fill", 1, true, false, false},
    [GRAPH_MISSING] = {"missing", 1, false, false, false},
    [GRAPH_SCALE] = {"scale", 1, true, true, false},
    [GRAPH_ONEHOT] = {"onehot", 1, true, false, true},
    [GRAPH_MAP] = {"map", 1, true, true, false},
    [GRAPH_DENSE] = {"dense", 1, true, true, false},
    [GRAPH_TREES] = {"trees", 1, false, false, false},
    [GRAPH_ADD] = {"add", 2, false, false, false},
    [GRAPH_SUB] = {"sub", 2, false, false, false},
    [GRAPH_MUL] = {"mul", 2, false, false, false},
    [GRAPH_DIV] = {"div", 2, false, false, false},
    [GRAPH_OR] = {"or", 2, false, false, false},
    [GRAPH_WHERE] = {"where", 3, false, false, false},
    [GRAPH_RELU] = {"relu", 1, false, false, false},
    [GRAPH_LEAKY] = {"leaky", 1, false, false, false},
    [GRAPH_SIGMOID] = {"sigmoid", 1, false, false, false},
    [GRAPH_TANH] = {"tanh", 1, false, false, false},
    [GRAPH_EXP] = {"exp", 1, false, false, false},
    [GRAPH_SOFTPLUS] = {"softplus", 1, false, false, false},
    [GRAPH_SQUARE] = {"square", 1, false, false, false},
    [GRAPH_STEP] = {"step", 1, false, false, false},
    [GRAPH_SOFTMAX] = {"softmax", 1, false, false, false},
    [GRAPH_NORMALIZE] = {"normalize", 1, false, false, false},
};

const char *
graph_op_word(enum graph_op op)
{
    return ops[op].word;
}

/* ---- life ---- */

struct graph *
graph_new(size_t n_cols, struct error *err)
{
    struct graph *g = mem_try_array(1, sizeof *g, err);
    struct graph_state *s = g ? mem_try_array(1, sizeof *s, err) : NULL;

    if (!s) {
        free(g);
        return NULL;
    }
    arena_init(&s->arena);
    atomic_init(&s->refs, 1);
    g->state = s;
    g->n_cols = n_cols;
    return g;
}

struct graph *
graph_ref(const struct graph *g)
{
    struct graph_state *s = g->state;

    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return (struct graph *)(uintptr_t)g;
}

void
graph_unref(struct graph *g)
{
    struct graph_state *s = g ? g->state : NULL;

    if (!g || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < g->n; i++)
        ensemble_free(g->node[i].trees);
    arena_fini(&s->arena);
    free(s);
    free(g->node);
    free(g);
}

/* ---- building ---- */

static void *
copy(struct graph *g, const void *from, size_t n, size_t size,
     struct error *err)
{
    struct graph_state *s = g->state;
    void *to = arena_try(&s->arena, n, size, err);

    if (to && from && n)
        memcpy(to, from, n * size);
    return to;
}

static bool
node_copy(struct graph *g, const struct graph_node *like, struct graph_node *to,
          struct error *err)
{
    *to = *like;
    return (to->in = copy(g, like->in, like->n_in, sizeof *to->in, err)) &&
           (to->a = copy(g, like->a, like->n_a, sizeof *to->a, err)) &&
           (to->b = copy(g, like->b, like->n_b, sizeof *to->b, err)) &&
           (to->index =
                copy(g, like->index, like->n_index, sizeof *to->index, err));
}

bool
graph_add(struct graph *g, const struct graph_node *like, uint32_t *id,
          struct error *err)
{
    struct graph_node *more =
        g->n < GRAPH_MAX_NODES
            ? mem_try_grow(g->node, g->n, &g->cap, sizeof *more, err)
            : NULL;

    if (g->n >= GRAPH_MAX_NODES)
        error_set(err, ERR_LIMIT, "more than %d steps", GRAPH_MAX_NODES);
    if (more)
        g->node = more;
    if (!more || !node_copy(g, like, &more[g->n], err)) {
        ensemble_free(like->trees);
        return false;
    }
    if (id)
        *id = (uint32_t)g->n;
    g->n++;
    return true;
}

bool
graph_add_simple(struct graph *g, enum graph_op op, uint32_t in, uint32_t *id,
                 struct error *err)
{
    struct graph_node n = {
        .op = op, .width = g->node[in].width, .n_in = 1, .in = &in};

    return graph_add(g, &n, id, err);
}

bool
graph_add_input(struct graph *g, size_t first, size_t n, uint32_t *id,
                struct error *err)
{
    struct graph_node node = {.op = GRAPH_INPUT, .width = n, .n_index = n};
    uint32_t at;

    if (n > GRAPH_MAX_WIDTH)
        return error_set(err, ERR_LIMIT, "%zu columns, at most %d", n,
                         GRAPH_MAX_WIDTH);
    if (!graph_add(g, &node, &at, err))
        return false;
    for (size_t i = 0; i < n; i++)
        g->node[at].index[i] = (uint32_t)(first + i);
    if (id)
        *id = at;
    return true;
}

/* ---- checking ---- */

static size_t
width_in(const struct graph *g, const struct graph_node *n, size_t k)
{
    return g->node[n->in[k]].width;
}

static bool
indices_below(const struct graph_node *n, size_t limit)
{
    for (size_t i = 0; i < n->n_index; i++)
        if (n->index[i] >= limit)
            return false;
    return true;
}

static bool
all_finite(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* Do the arrays have the lengths that the widths ask for? */
static bool
shape_is_sound(const struct graph *g, const struct graph_node *n)
{
    size_t w = n->n_in ? width_in(g, n, 0) : 0, sum = 0, all;

    switch (n->op) {
    case GRAPH_INPUT:
        return n->n_index == n->width && indices_below(n, g->n_cols);
    case GRAPH_JOIN:
        for (size_t k = 0; k < n->n_in; k++)
            sum += width_in(g, n, k);
        return n->width == sum;
    case GRAPH_PICK:
        return n->n_index == n->width && indices_below(n, w);
    case GRAPH_FILL:
        return n->width == w && n->n_a == w && all_finite(n->a, n->n_a);
    case GRAPH_SCALE:
        return n->width == w && n->n_a == w && n->n_b == w &&
               all_finite(n->a, n->n_a) && all_finite(n->b, n->n_b);
    case GRAPH_ONEHOT:
        return w == 1 && n->n_index == n->n_a && indices_below(n, n->width);
    case GRAPH_MAP:
        return w == 1 && n->width == 1 && n->n_a == n->n_b;
    case GRAPH_DENSE:
        return mem_mul(w, n->width, &all) && n->n_a == all &&
               (n->n_b == n->width || n->n_b == 0) &&
               all_finite(n->a, n->n_a) && all_finite(n->b, n->n_b);
    case GRAPH_TREES:
        return n->trees && n->trees->n_cols == w &&
               n->trees->n_outputs == n->width;
    case GRAPH_ADD:
    case GRAPH_SUB:
    case GRAPH_MUL:
    case GRAPH_DIV:
    case GRAPH_OR:
        return n->width == w &&
               (width_in(g, n, 1) == w || width_in(g, n, 1) == 1);
    case GRAPH_WHERE:
        return n->width == w && width_in(g, n, 1) == w &&
               width_in(g, n, 2) == w;
    default:
        return n->width == w;
    }
}

static bool
node_check(const struct graph *g, size_t i, struct error *err)
{
    const struct graph_node *n = &g->node[i];

    if ((unsigned)n->op >= GRAPH_N_OPS || n->width == 0 ||
        n->width > GRAPH_MAX_WIDTH)
        return error_set(err, ERR_LIMIT, "step %zu is %zu wide, at most %d", i,
                         n->width, GRAPH_MAX_WIDTH);
    if (ops[n->op].n_in < 0 ? n->n_in == 0 : n->n_in != (size_t)ops[n->op].n_in)
        return error_set(err, ERR_PARSE, "step %zu: '%s' of %zu inputs", i,
                         ops[n->op].word, n->n_in);
    for (size_t k = 0; k < n->n_in; k++)
        if (n->in[k] >= i)
            return error_set(err, ERR_PARSE, "step %zu follows its input %u", i,
                             (unsigned)n->in[k]);
    if ((n->n_a && !ops[n->op].a) || (n->n_b && !ops[n->op].b) ||
        (n->n_index && !ops[n->op].index) || !shape_is_sound(g, n))
        return error_set(err, ERR_PARSE,
                         "step %zu: the shape of '%s' does not fit", i,
                         ops[n->op].word);
    return true;
}

/* All arrays in two, as they are saved. */
static bool
seal(struct graph *g, struct error *err)
{
    struct graph_state *s = g->state;
    double *x;
    uint32_t *k;

    if (s->number)
        return true;
    for (size_t i = 0; i < g->n; i++) {
        s->n_numbers += g->node[i].n_a + g->node[i].n_b;
        s->n_indices += g->node[i].n_index;
    }
    x = arena_try(&s->arena, s->n_numbers, sizeof *x, err);
    k = arena_try(&s->arena, s->n_indices, sizeof *k, err);
    if (!x || !k)
        return false;
    s->number = x;
    s->index = k;
    for (size_t i = 0; i < g->n; i++) {
        struct graph_node *n = &g->node[i];

        if (n->n_a)
            memcpy(x, n->a, n->n_a * sizeof *x);
        n->a = x;
        x += n->n_a;
        if (n->n_b)
            memcpy(x, n->b, n->n_b * sizeof *x);
        n->b = x;
        x += n->n_b;
        if (n->n_index)
            memcpy(k, n->index, n->n_index * sizeof *k);
        n->index = k;
        k += n->n_index;
    }
    return true;
}

bool
graph_check(struct graph *g, size_t width, struct error *err)
{
    g->widths = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (!node_check(g, i, err))
            return false;
        g->widths += g->node[i].width;
        if (g->widths > MAX_WIDTHS)
            return error_set(err, ERR_LIMIT,
                             "all steps together are wider than %d",
                             MAX_WIDTHS);
    }
    if (g->n == 0 || g->node[g->n - 1].width != width)
        return error_set(err, ERR_PARSE,
                         "the last step has %zu outputs, expected %zu",
                         g->n ? g->node[g->n - 1].width : 0, width);
    return seal(g, err);
}

/* ---- running ---- */

struct run {
    const struct graph *g;
    const struct design *d;
    const struct pool *pool;
    double *out;
    size_t block; /* rows */
    atomic_bool no_memory;
};

/* The numbers of the nodes of one block: those of node i begin at start[i]. */
struct work {
    double *x;
    size_t *start;
    size_t n; /* rows */
};

static const double *
input_of(const struct work *w, const struct graph_node *n, size_t k)
{
    return w->x + w->start[n->in[k]];
}

static void
run_input(const struct graph_node *n, const struct design *d, size_t begin,
          const struct work *w, double *out)
{
    double v[BLOCK_ROWS];

    for (size_t j = 0; j < n->width; j++) {
        design_pull(d, n->index[j], begin, begin + w->n, v);
        for (size_t r = 0; r < w->n; r++)
            out[r * n->width + j] = v[r];
    }
}

static void
run_join(const struct graph *g, const struct graph_node *n,
         const struct work *w, double *out)
{
    size_t at = 0;

    for (size_t k = 0; k < n->n_in; k++) {
        size_t width = width_in(g, n, k);
        const double *x = input_of(w, n, k);

        for (size_t r = 0; r < w->n; r++)
            memcpy(out + r * n->width + at, x + r * width, width * sizeof *out);
        at += width;
    }
}

static void
run_columns(const struct graph *g, const struct graph_node *n,
            const struct work *w, double *out)
{
    const double *x = input_of(w, n, 0);
    size_t width = width_in(g, n, 0);

    for (size_t r = 0; r < w->n; r++)
        for (size_t j = 0; j < n->width; j++) {
            double *to = out + r * n->width + j;
            double v = x[r * width + (n->op == GRAPH_PICK ? n->index[j] : j)];

            if (n->op == GRAPH_FILL)
                v = isnan(v) || (n->c != 0 && isinf(v)) ? n->a[j] : v;
            else if (n->op == GRAPH_SCALE)
                v = (v - n->a[j]) * n->b[j];
            *to = v;
        }
}

/* The place of v among the keys, or n. */
static size_t
key_find(const struct graph_node *n, double v)
{
    size_t i = 0;

    /* Codes are often their own place. */
    if (v >= 0 && v < (double)n->n_a && n->a[(size_t)v] == v)
        return (size_t)v;
    while (i < n->n_a && n->a[i] != v)
        i++;
    return i;
}

static void
run_keys(const struct graph_node *n, const struct work *w, double *out)
{
    const double *x = input_of(w, n, 0);

    if (n->op == GRAPH_ONEHOT)
        memset(out, 0, w->n * n->width * sizeof *out);
    for (size_t r = 0; r < w->n; r++) {
        size_t i = key_find(n, x[r]);

        if (n->op == GRAPH_MAP)
            out[r] = i < n->n_a ? n->b[i] : n->c;
        else if (i < n->n_a)
            out[r * n->width + n->index[i]] = 1;
    }
}

/* Summed over the inputs in their order, as lathe's own linear models do. */
static void
run_dense(const struct graph *g, const struct graph_node *n,
          const struct work *w, double *out)
{
    size_t width = width_in(g, n, 0);
    const double *x = input_of(w, n, 0);

    for (size_t r = 0; r < w->n; r++) {
        double *to = out + r * n->width;

        for (size_t j = 0; j < n->width; j++)
            to[j] = n->n_b ? n->b[j] : 0;
        for (size_t i = 0; i < width; i++) {
            const double *a = n->a + i * n->width;
            double v = x[r * width + i];

            for (size_t j = 0; j < n->width; j++)
                to[j] += a[j] * v;
        }
    }
}

static double
of_two(enum graph_op op, double x, double y)
{
    switch (op) {
    case GRAPH_ADD:
        return x + y;
    case GRAPH_SUB:
        return x - y;
    case GRAPH_MUL:
        return x * y;
    case GRAPH_DIV:
        return x / y;
    default:
        return x != 0 || y != 0;
    }
}

static void
run_two(const struct graph *g, const struct graph_node *n, const struct work *w,
        double *out)
{
    const double *x = input_of(w, n, 0), *y = input_of(w, n, 1);
    bool one = width_in(g, n, 1) == 1;

    for (size_t r = 0; r < w->n; r++)
        for (size_t j = 0; j < n->width; j++) {
            size_t i = r * n->width + j;

            out[i] = of_two(n->op, x[i], y[one ? r : i]);
        }
}

static void
run_where(const struct graph_node *n, const struct work *w, double *out)
{
    const double *x = input_of(w, n, 0), *yes = input_of(w, n, 1);
    const double *no = input_of(w, n, 2);

    for (size_t i = 0; i < w->n * n->width; i++)
        out[i] = x[i] != 0 ? yes[i] : no[i];
}

static double
of_one(const struct graph_node *n, double x)
{
    switch (n->op) {
    case GRAPH_ROUND:
        return (double)(float)x;
    case GRAPH_MISSING:
        return (n->c < 2 && isnan(x)) || (n->c > 0 && isinf(x));
    case GRAPH_RELU:
        return x < 0 ? 0 : x;
    case GRAPH_LEAKY:
        return x < 0 ? n->c * x : x;
    case GRAPH_SIGMOID:
        return fm_sigmoid(x);
    case GRAPH_TANH:
        return tanh(x);
    case GRAPH_EXP:
        return fm_exp(x);
    case GRAPH_SOFTPLUS:
        return x > 0 ? x + fm_log1p(fm_exp(-x)) : fm_log1p(fm_exp(x));
    case GRAPH_SQUARE:
        return x * fabs(x);
    default: /* GRAPH_STEP */
        return x > n->c;
    }
}

static void
run_row(const struct graph_node *n, const double *x, double *out)
{
    double top = x[0], sum = 0;

    for (size_t j = 1; j < n->width && n->op == GRAPH_SOFTMAX; j++)
        top = x[j] > top ? x[j] : top;
    for (size_t j = 0; j < n->width; j++)
        sum += out[j] = n->op == GRAPH_SOFTMAX ? fm_exp(x[j] - top) : x[j];
    for (size_t j = 0; j < n->width; j++)
        out[j] = sum != 0 ? out[j] / sum : 1 / (double)n->width;
}

static void
run_node(const struct run *run, size_t i, size_t begin, const struct work *w)
{
    const struct graph_node *n = &run->g->node[i];
    double *out = w->x + w->start[i];

    switch (n->op) {
    case GRAPH_INPUT:
        run_input(n, run->d, begin, w, out);
        return;
    case GRAPH_JOIN:
        run_join(run->g, n, w, out);
        return;
    case GRAPH_PICK:
    case GRAPH_FILL:
    case GRAPH_SCALE:
        run_columns(run->g, n, w, out);
        return;
    case GRAPH_ONEHOT:
    case GRAPH_MAP:
        run_keys(n, w, out);
        return;
    case GRAPH_DENSE:
        run_dense(run->g, n, w, out);
        return;
    case GRAPH_TREES:
        ensemble_score(n->trees, input_of(w, n, 0), w->n, out);
        return;
    case GRAPH_ADD:
    case GRAPH_SUB:
    case GRAPH_MUL:
    case GRAPH_DIV:
    case GRAPH_OR:
        run_two(run->g, n, w, out);
        return;
    case GRAPH_WHERE:
        run_where(n, w, out);
        return;
    case GRAPH_SOFTMAX:
    case GRAPH_NORMALIZE:
        for (size_t r = 0; r < w->n; r++)
            run_row(n, input_of(w, n, 0) + r * n->width, out + r * n->width);
        return;
    default:
        for (size_t k = 0; k < w->n * n->width; k++)
            out[k] = of_one(n, input_of(w, n, 0)[k]);
    }
}

static void
run_range(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct run *run = ctx;
    const struct graph *g = run->g;
    struct error ignored;
    size_t width = g->node[g->n - 1].width;
    struct work w = {
        .x = mem_try_array(g->widths, run->block * sizeof *w.x, &ignored),
        .start = mem_try_array(g->n, sizeof *w.start, &ignored)};

    (void)chunk;
    if (!w.x || !w.start)
        atomic_store(&run->no_memory, true);
    for (size_t i = 1; i < g->n && w.start; i++)
        w.start[i] = w.start[i - 1] + g->node[i - 1].width * run->block;
    for (size_t at = begin;
         at < end && w.x && w.start && !pool_stopped(run->pool);
         at += run->block) {
        w.n = end - at < run->block ? end - at : run->block;
        for (size_t i = 0; i < g->n; i++)
            run_node(run, i, at, &w);
        memcpy(run->out + at * width, w.x + w.start[g->n - 1],
               w.n * width * sizeof *run->out);
    }
    free(w.x);
    free(w.start);
}

bool
graph_score(const struct graph *g, const struct design *d, struct pool *pool,
            double *out, struct error *err)
{
    struct run run = {
        .g = g, .d = d, .pool = pool, .out = out, .block = BLOCK_ROWS};
    size_t n = design_rows(d);

    if (design_cols(d) != g->n_cols)
        return error_set(err, ERR_RANGE, "%zu columns, expected %zu",
                         design_cols(d), g->n_cols);
    while (run.block > 1 && g->widths * run.block > WORKSPACE)
        run.block /= 2;
    if (n < run.block)
        run.block = n > 0 ? n : 1;
    if (!pool_try(pool, n, GRAIN, run_range, &run, err))
        return false;
    if (atomic_load(&run.no_memory))
        return error_set(err, ERR_NOMEM, "no memory for %zu numbers a row",
                         g->widths);
    return true;
}

/* ---- importance ---- */

/* What the outputs of node i are worth goes to its inputs. */
static void
pass_back(const struct graph *g, size_t i, const size_t *start, double *worth)
{
    const struct graph_node *n = &g->node[i];
    double *own = worth + start[i], *in = n->n_in ? worth + start[n->in[0]] : 0;
    size_t width = n->n_in ? width_in(g, n, 0) : 0, at = 0;

    switch (n->op) {
    case GRAPH_INPUT:
        return;
    case GRAPH_TREES:
        for (size_t j = 0; j < width; j++)
            in[j] += n->trees->gain[j];
        return;
    case GRAPH_DENSE:
        for (size_t k = 0; k < width; k++)
            for (size_t j = 0; j < n->width; j++)
                in[k] += fabs(n->a[k * n->width + j]) * own[j];
        return;
    case GRAPH_PICK:
        for (size_t j = 0; j < n->width; j++)
            in[n->index[j]] += own[j];
        return;
    case GRAPH_ONEHOT:
        for (size_t j = 0; j < n->width; j++)
            in[0] += own[j] / (double)n->width;
        return;
    case GRAPH_SCALE:
        for (size_t j = 0; j < n->width; j++)
            in[j] += own[j] * fabs(n->b[j]);
        return;
    default:
        break;
    }
    for (size_t k = 0; k < n->n_in; k++) {
        width = width_in(g, n, k);
        in = worth + start[n->in[k]];
        for (size_t j = 0; j < n->width && j < width; j++)
            in[j] += own[at + j < n->width ? at + j : j];
        at += n->op == GRAPH_JOIN ? width : 0;
    }
}

bool
graph_weigh(const struct graph *g, double *out, struct error *err)
{
    size_t *start = mem_try_array(g->n, sizeof *start, err);
    double *worth = mem_try_array(g->widths, sizeof *worth, err);

    if (!start || !worth) {
        free(start);
        free(worth);
        return false;
    }
    for (size_t i = 1; i < g->n; i++)
        start[i] = start[i - 1] + g->node[i - 1].width;
    for (size_t j = 0; j < g->node[g->n - 1].width; j++)
        worth[start[g->n - 1] + j] = 1;
    for (size_t i = g->n; i-- > 0;)
        pass_back(g, i, start, worth);
    memset(out, 0, g->n_cols * sizeof *out);
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; g->node[i].op == GRAPH_INPUT && j < g->node[i].width;
             j++)
            out[g->node[i].index[j]] += worth[start[i] + j];
    free(start);
    free(worth);
    return true;
}
