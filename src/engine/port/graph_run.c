/* engine/port/graph_run.c -- run a graph.
 *
 * Rows go through in blocks, node after node, each node's numbers in a part of
 * one workspace; blocks are as many rows as make the workspace fit a cache,
 * and do not depend on the number of threads.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "engine/port/graph_state.h"

enum {
    WORKSPACE = 1 << 17, /* doubles */
    BLOCK_ROWS = 256,
    GRAIN = 1024
};

/* ---- running ---- */

struct run {
    const struct graph *g;
    const struct design *d;
    const struct pool *pool;
    double *out;
    size_t last;  /* node, whose numbers are wanted */
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
        size_t width = graph_width_in(g, n, k);
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
    size_t width = graph_width_in(g, n, 0);

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
    size_t width = graph_width_in(g, n, 0);
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

static void
run_embed(const struct graph *g, const struct graph_node *n,
          const struct work *w, double *out)
{
    const double *x = input_of(w, n, 0);
    size_t columns = graph_width_in(g, n, 0), width = n->width / columns;
    double rows = (double)(n->n_a / width);

    for (size_t i = 0; i < w->n * columns; i++) {
        size_t row = x[i] >= 0 && x[i] < rows ? (size_t)x[i] : 0;

        memcpy(out + i * width, n->a + row * width, width * sizeof *out);
    }
}

/* ---- neighbours ---- */

static void
run_distance(const struct graph *g, const struct graph_node *n,
             const struct work *w, double *out)
{
    size_t p = graph_width_in(g, n, 0);
    const double *x = input_of(w, n, 0);

    for (size_t r = 0; r < w->n; r++, x += p)
        for (size_t i = 0; i < n->width; i++) {
            const double *a = n->a + i * p;
            double sum = 0;

            for (size_t j = 0; j < p; j++)
                sum += (x[j] - a[j]) * (x[j] - a[j]);
            *out++ = sum;
        }
}

/* The k smallest of x, by insertion. */
static void
nearest_of(const double *x, size_t n, size_t k, double *place, double *least)
{
    size_t have = 0;

    for (size_t i = 0; i < n; i++) {
        size_t at = have;

        if (have == k && !(x[i] < least[k - 1]))
            continue;
        have += have < k;
        at -= at == k;
        for (; at > 0 && x[i] < least[at - 1]; at--) {
            least[at] = least[at - 1];
            place[at] = place[at - 1];
        }
        least[at] = x[i];
        place[at] = (double)i + 1;
    }
}

static void
run_nearest(const struct graph *g, const struct graph_node *n,
            const struct work *w, double *out)
{
    size_t width = graph_width_in(g, n, 0), k = n->width / 2;
    const double *x = input_of(w, n, 0);

    for (size_t r = 0; r < w->n; r++, x += width, out += n->width)
        nearest_of(x, width, k, out, out + k);
}

/* ---- images ---- */

static void
add_lanes(double *sum, const double *f, double x)
{
    for (size_t l = 0; l < GRAPH_LANES; l++)
        sum[l] += f[l] * x;
}

/* Which of `side` places of a window at `at` lie within `size`. */
static void
within(size_t at, size_t before, size_t size, size_t side, size_t *first,
       size_t *end)
{
    *first = at < before ? before - at : 0;
    *end = size + before > at ? size + before - at : 0;
    *end = *end < side ? *end : side;
}

/* The window at (y, k), for as many outputs as there are lanes. */
static void
conv_at(const struct graph_node *n, const double *kernel, const double *x,
        const size_t at[2], double *sum)
{
    const uint32_t *i = n->index;
    size_t y = at[0] * i[WINDOW_STRIDE], k = at[1] * i[WINDOW_STRIDE];
    size_t top, bottom, left, right;

    within(y, i[WINDOW_TOP], i[WINDOW_H], i[WINDOW_SIDE_H], &top, &bottom);
    within(k, i[WINDOW_LEFT], i[WINDOW_W], i[WINDOW_SIDE_W], &left, &right);
    for (size_t c = 0; c < i[WINDOW_C]; c++)
        for (size_t v = top; v < bottom; v++) {
            size_t line = c * i[WINDOW_H] + y + v - i[WINDOW_TOP];
            size_t row = c * i[WINDOW_SIDE_H] + v;
            const double *z = x + line * i[WINDOW_W];
            const double *f = kernel + row * i[WINDOW_SIDE_W] * GRAPH_LANES;

            for (size_t u = left; u < right; u++)
                add_lanes(sum, f + u * GRAPH_LANES, z[k + u - i[WINDOW_LEFT]]);
        }
}

static void
run_conv(const struct graph_node *n, const double *kernel, const double *x,
         double *out)
{
    const uint32_t *i = n->index;
    size_t h = i[WINDOW_OUT_H], w = i[WINDOW_OUT_W], places = n->n_a / n->n_b;

    for (size_t o = 0; o < n->n_b; o += GRAPH_LANES) {
        size_t lanes = n->n_b - o < GRAPH_LANES ? n->n_b - o : GRAPH_LANES;

        for (size_t k = 0; k < h * w; k++) {
            const size_t at[2] = {k / w, k % w};
            double sum[GRAPH_LANES] = {0};

            memcpy(sum, n->b + o, lanes * sizeof *sum);
            conv_at(n, kernel, x, at, sum);
            for (size_t l = 0; l < lanes; l++)
                out[(o + l) * h * w + k] = sum[l];
        }
        kernel += places * GRAPH_LANES;
    }
}

/* The largest, or the mean, of the window at (y, k), as far as it is within
 * the channel x. */
static double
pool_window(const struct graph_node *n, const double *x, size_t y, size_t k)
{
    const uint32_t *i = n->index;
    double top = -HUGE_VAL, sum = 0;

    for (size_t v = 0; v < i[WINDOW_SIDE_H]; v++)
        for (size_t u = 0; u < i[WINDOW_SIDE_W]; u++) {
            size_t r = y * i[WINDOW_STRIDE] + v - i[WINDOW_TOP];
            size_t c = k * i[WINDOW_STRIDE] + u - i[WINDOW_LEFT];
            double z;

            if (r >= i[WINDOW_H] || c >= i[WINDOW_W])
                continue;
            z = x[r * i[WINDOW_W] + c];
            sum += z;
            top = z > top || isnan(z) ? z : top;
        }
    return n->op == GRAPH_MAXPOOL
               ? top
               : sum / ((double)i[WINDOW_SIDE_H] * i[WINDOW_SIDE_W]);
}

static void
run_pool(const struct graph_node *n, const double *x, double *out)
{
    const uint32_t *i = n->index;
    size_t in = (size_t)i[WINDOW_H] * i[WINDOW_W];

    for (size_t c = 0; c < i[WINDOW_C]; c++, x += in)
        for (size_t y = 0; y < i[WINDOW_OUT_H]; y++)
            for (size_t k = 0; k < i[WINDOW_OUT_W]; k++)
                *out++ = pool_window(n, x, y, k);
}

static void
run_images(const struct graph *g, size_t id, const struct work *w, double *out)
{
    const struct graph_state *state = g->state;
    const struct graph_node *n = &g->node[id];
    const double *x = input_of(w, n, 0);
    size_t in = graph_width_in(g, n, 0);

    for (size_t r = 0; r < w->n; r++)
        if (n->op == GRAPH_CONV)
            run_conv(n, state->turned[id], x + r * in, out + r * n->width);
        else
            run_pool(n, x + r * in, out + r * n->width);
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
    case GRAPH_POW:
        return pow(x, y);
    case GRAPH_MOD:
        return fmod(x, y);
    default:
        return x != 0 || y != 0;
    }
}

static void
run_two(const struct graph *g, const struct graph_node *n, const struct work *w,
        double *out)
{
    const double *x = input_of(w, n, 0), *y = input_of(w, n, 1);
    bool one = graph_width_in(g, n, 1) == 1;

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
    case GRAPH_ELU:
        return x < 0 ? fm_exp(x) - 1 : x;
    case GRAPH_CLIP:
        return x < n->a[0] ? n->a[0] : x > n->b[0] ? n->b[0] : x;
    case GRAPH_SIGMOID:
        return fm_sigmoid(x);
    case GRAPH_TANH:
        return tanh(x);
    case GRAPH_EXP:
        return fm_exp(x);
    case GRAPH_LOG:
        return fm_log(x);
    case GRAPH_SQRT:
        return sqrt(x);
    case GRAPH_FLOOR:
        return floor(x);
    case GRAPH_WHOLE:
        return rint(x);
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
    case GRAPH_EMBED:
        run_embed(run->g, n, w, out);
        return;
    case GRAPH_DISTANCE:
        run_distance(run->g, n, w, out);
        return;
    case GRAPH_NEAREST:
        run_nearest(run->g, n, w, out);
        return;
    case GRAPH_CONV:
    case GRAPH_MAXPOOL:
    case GRAPH_MEANPOOL:
        run_images(run->g, i, w, out);
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
    case GRAPH_POW:
    case GRAPH_MOD:
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
    size_t width = g->node[run->last].width;
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
        for (size_t i = 0; i <= run->last; i++)
            run_node(run, i, at, &w);
        memcpy(run->out + at * width, w.x + w.start[run->last],
               w.n * width * sizeof *run->out);
    }
    free(w.x);
    free(w.start);
}

bool
graph_score(const struct graph *g, const struct design *d, struct pool *pool,
            double *out, struct error *err)
{
    return graph_score_at(g, g->n - 1, d, pool, out, err);
}

bool
graph_score_at(const struct graph *g, size_t node, const struct design *d,
               struct pool *pool, double *out, struct error *err)
{
    struct run run = {.g = g,
                      .d = d,
                      .pool = pool,
                      .out = out,
                      .last = node,
                      .block = BLOCK_ROWS};
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

/* Every place of an image is worth the same; so is every column of a
 * distance. */
static void
all_back(const struct graph_node *n, size_t width, const double *own,
         double *in)
{
    double sum = 0;

    for (size_t j = 0; j < n->width; j++)
        sum += own[j];
    for (size_t j = 0; j < width; j++)
        in[j] += sum / (double)width;
}

/* What the outputs of node i are worth goes to its inputs. */
static void
pass_back(const struct graph *g, size_t i, const size_t *start, double *worth)
{
    const struct graph_node *n = &g->node[i];
    double *own = worth + start[i], *in = n->n_in ? worth + start[n->in[0]] : 0;
    size_t width = n->n_in ? graph_width_in(g, n, 0) : 0, at = 0;

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
    case GRAPH_EMBED:
        for (size_t j = 0; j < n->width; j++)
            in[j / (n->width / width)] += own[j] / (double)n->width;
        return;
    case GRAPH_CONV:
    case GRAPH_MAXPOOL:
    case GRAPH_MEANPOOL:
    case GRAPH_DISTANCE:
    case GRAPH_NEAREST:
        all_back(n, width, own, in);
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
        width = graph_width_in(g, n, k);
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
