/* engine/port/graph.c -- build a graph, check it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/graph_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MAX_WIDTHS = 1 << 22 };

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
    [GRAPH_CLIP] = {"clip", 1, true, true, false},
    [GRAPH_EMBED] = {"embed", 1, true, false, false},
    [GRAPH_DISTANCE] = {"distance", 1, true, false, false},
    [GRAPH_NEAREST] = {"nearest", 1, false, false, false},
    [GRAPH_CONV] = {"conv", 1, true, true, true},
    [GRAPH_MAXPOOL] = {"maxpool", 1, false, false, true},
    [GRAPH_MEANPOOL] = {"meanpool", 1, false, false, true},
    [GRAPH_DENSE] = {"dense", 1, true, true, false},
    [GRAPH_TREES] = {"trees", 1, false, false, false},
    [GRAPH_ADD] = {"add", 2, false, false, false},
    [GRAPH_SUB] = {"sub", 2, false, false, false},
    [GRAPH_MUL] = {"mul", 2, false, false, false},
    [GRAPH_DIV] = {"div", 2, false, false, false},
    [GRAPH_OR] = {"or", 2, false, false, false},
    [GRAPH_POW] = {"pow", 2, false, false, false},
    [GRAPH_MOD] = {"mod", 2, false, false, false},
    [GRAPH_WHERE] = {"where", 3, false, false, false},
    [GRAPH_RELU] = {"relu", 1, false, false, false},
    [GRAPH_LEAKY] = {"leaky", 1, false, false, false},
    [GRAPH_ELU] = {"elu", 1, false, false, false},
    [GRAPH_SIGMOID] = {"sigmoid", 1, false, false, false},
    [GRAPH_TANH] = {"tanh", 1, false, false, false},
    [GRAPH_EXP] = {"exp", 1, false, false, false},
    [GRAPH_LOG] = {"log", 1, false, false, false},
    [GRAPH_SQRT] = {"sqrt", 1, false, false, false},
    [GRAPH_FLOOR] = {"floor", 1, false, false, false},
    [GRAPH_WHOLE] = {"whole", 1, false, false, false},
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
graph_add_clip(struct graph *g, uint32_t in, double low, double high,
               uint32_t *id, struct error *err)
{
    struct graph_node n = {.op = GRAPH_CLIP,
                           .width = g->node[in].width,
                           .n_in = 1,
                           .in = &in,
                           .n_a = 1,
                           .a = &low,
                           .n_b = 1,
                           .b = &high};

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

/* A window within its image, or with edges not larger than itself. */
static bool
window_is_sound(const struct graph_node *n, size_t in_width)
{
    const uint32_t *i = n->index;
    bool conv = n->op == GRAPH_CONV;
    uint64_t down, across, out = conv ? n->n_b : 0;

    if (n->n_index != WINDOW_N)
        return false;
    for (size_t k = 0; k < WINDOW_N; k++)
        if (i[k] > GRAPH_MAX_WIDTH ||
            (i[k] == 0 && k != WINDOW_TOP && k != WINDOW_LEFT))
            return false;
    if (!conv)
        out = i[WINDOW_C];
    down = (uint64_t)(i[WINDOW_OUT_H] - 1) * i[WINDOW_STRIDE];
    across = (uint64_t)(i[WINDOW_OUT_W] - 1) * i[WINDOW_STRIDE];
    if (n->op != GRAPH_MEANPOOL
            ? i[WINDOW_TOP] >= i[WINDOW_SIDE_H] ||
                  i[WINDOW_LEFT] >= i[WINDOW_SIDE_W] ||
                  down >= (uint64_t)i[WINDOW_H] + i[WINDOW_TOP] ||
                  across >= (uint64_t)i[WINDOW_W] + i[WINDOW_LEFT]
            : i[WINDOW_TOP] || i[WINDOW_LEFT] ||
                  down + i[WINDOW_SIDE_H] > i[WINDOW_H] ||
                  across + i[WINDOW_SIDE_W] > i[WINDOW_W])
        return false;
    /* Each factor is below 2^21. */
    return (uint64_t)i[WINDOW_H] * i[WINDOW_W] <= GRAPH_MAX_WIDTH &&
           (uint64_t)i[WINDOW_H] * i[WINDOW_W] * i[WINDOW_C] == in_width &&
           (uint64_t)i[WINDOW_OUT_H] * i[WINDOW_OUT_W] <= GRAPH_MAX_WIDTH &&
           (uint64_t)i[WINDOW_OUT_H] * i[WINDOW_OUT_W] * out == n->width &&
           (uint64_t)i[WINDOW_SIDE_H] * i[WINDOW_SIDE_W] <= GRAPH_MAX_WIDTH &&
           (!conv ||
            ((uint64_t)i[WINDOW_SIDE_H] * i[WINDOW_SIDE_W] * i[WINDOW_C] <=
                 UINT32_MAX &&
             n->n_a / out ==
                 (uint64_t)i[WINDOW_SIDE_H] * i[WINDOW_SIDE_W] * i[WINDOW_C] &&
             n->n_a % out == 0 && all_finite(n->a, n->n_a) &&
             all_finite(n->b, n->n_b)));
}

/* Multiplications of one row. */
static uint64_t
node_work(const struct graph_node *n)
{
    uint64_t side = 1;

    if (n->op == GRAPH_CONV)
        return n->width / n->n_b * (uint64_t)n->n_a;
    if (n->op == GRAPH_MAXPOOL || n->op == GRAPH_MEANPOOL)
        side = (uint64_t)n->index[WINDOW_SIDE_H] * n->index[WINDOW_SIDE_W];
    return n->op == GRAPH_DENSE || n->op == GRAPH_DISTANCE ? n->n_a
                                                           : n->width * side;
}

uint64_t
graph_work(const struct graph *g)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < g->n && sum <= GRAPH_MAX_WORK; i++)
        sum += node_work(&g->node[i]);
    return sum;
}

bool *
graph_live(const struct graph *g, struct error *err)
{
    bool *live = mem_try_array(g->n, sizeof *live, err);

    if (live)
        live[g->n - 1] = true;
    for (size_t i = g->n; live && i-- > 0;)
        for (size_t k = 0; live[i] && k < g->node[i].n_in; k++)
            live[g->node[i].in[k]] = true;
    return live;
}

/* Do the arrays have the lengths that the widths ask for? */
static bool
shape_is_sound(const struct graph *g, const struct graph_node *n)
{
    size_t w = n->n_in ? graph_width_in(g, n, 0) : 0, sum = 0, all;

    switch (n->op) {
    case GRAPH_INPUT:
        return n->n_index == n->width && indices_below(n, g->n_cols);
    case GRAPH_JOIN:
        for (size_t k = 0; k < n->n_in; k++)
            sum += graph_width_in(g, n, k);
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
    case GRAPH_CLIP:
        return n->width == w && n->n_a == 1 && n->n_b == 1 &&
               n->a[0] <= n->b[0];
    case GRAPH_EMBED:
        return n->width % w == 0 && n->n_a >= n->width / w &&
               n->n_a % (n->width / w) == 0 && all_finite(n->a, n->n_a);
    case GRAPH_DISTANCE:
        return mem_mul(w, n->width, &all) && n->n_a == all &&
               all_finite(n->a, n->n_a);
    case GRAPH_NEAREST:
        return n->width % 2 == 0 && n->width / 2 <= w;
    case GRAPH_CONV:
    case GRAPH_MAXPOOL:
    case GRAPH_MEANPOOL:
        return window_is_sound(n, w);
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
    case GRAPH_POW:
    case GRAPH_MOD:
        return n->width == w &&
               (graph_width_in(g, n, 1) == w || graph_width_in(g, n, 1) == 1);
    case GRAPH_WHERE:
        return n->width == w && graph_width_in(g, n, 1) == w &&
               graph_width_in(g, n, 2) == w;
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

static bool
turn_kernels(struct graph *g, struct error *err)
{
    struct graph_state *s = g->state;

    if (s->n_turned < g->n) {
        if (!(s->turned = arena_try(&s->arena, g->n, sizeof *s->turned, err)))
            return false;
        s->n_turned = g->n;
    }
    for (size_t i = 0; i < g->n; i++) {
        const struct graph_node *n = &g->node[i];
        size_t lanes = GRAPH_LANES, places = n->n_b ? n->n_a / n->n_b : 0;
        size_t blocks = (n->n_b + lanes - 1) / lanes;
        double *to = s->turned[i];

        if (n->op != GRAPH_CONV)
            continue;
        if (!to && !(to = s->turned[i] = arena_try(&s->arena, blocks * places,
                                                   lanes * sizeof *to, err)))
            return false;
        for (size_t o = 0; o < n->n_b; o++)
            for (size_t k = 0; k < places; k++)
                to[(o / lanes * places + k) * lanes + o % lanes] =
                    n->a[o * places + k];
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
    if (graph_work(g) > GRAPH_MAX_WORK)
        return error_set(err, ERR_LIMIT,
                         "an answer takes too many multiplications");
    if (g->n == 0 || g->node[g->n - 1].width != width)
        return error_set(err, ERR_PARSE,
                         "the last step has %zu outputs, expected %zu",
                         g->n ? g->node[g->n - 1].width : 0, width);
    return seal(g, err) && turn_kernels(g, err);
}
