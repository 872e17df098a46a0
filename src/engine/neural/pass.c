/* engine/neural/pass.c -- room for a batch, and weights made ready.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/pass.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/neural/kernel.h"

enum {
    CHUNKS = 16, /* of a batch of images */
    TABLE_CHUNKS = 8,
    TABLE_ROWS = 12 /* a tile of the kernel */
};
/* Added to a variance: as usual elsewhere. */
#define NORM_EPSILON 1e-5

/* ---- weights ---- */

bool
net_ready_init(struct net_ready *r, const struct net *n, bool back,
               struct error *err)
{
    *r = (struct net_ready){.net = n};
    r->panel = mem_try_aligned(n->n_panels, sizeof *r->panel, err);
    if (back)
        r->back = mem_try_aligned(n->n_back, sizeof *r->back, err);
    r->factor = mem_try_aligned(n->n_state / 2, sizeof *r->factor, err);
    r->shift = mem_try_aligned(n->n_state / 2, sizeof *r->shift, err);
    if (r->panel && (r->back || !back) && r->factor && r->shift)
        return true;
    net_ready_fini(r);
    return false;
}

void
net_ready_fini(struct net_ready *r)
{
    free(r->panel);
    free(r->back);
    free(r->factor);
    free(r->shift);
    *r = (struct net_ready){.net = NULL};
}

static void
make_forward(struct net_ready *r, const struct net_layer *l)
{
    size_t rows = l->n_weight / l->out.c;

    kernel_pack(&(struct kernel_pack){.b = r->net->param + l->weight,
                                      .rows = rows,
                                      .cols = l->out.c,
                                      .row = l->out.c,
                                      .col = 1,
                                      .out = r->panel + l->panel,
                                      .total = rows});
}

/* The windows are gone through backwards. */
static void
make_back(struct net_ready *r, const struct net_layer *l)
{
    size_t windows = (size_t)l->side_h * l->side_w;
    size_t c = l->kind == NET_DENSE ? net_numbers(l->in) : l->in.c;

    for (size_t w = 0; w < windows; w++)
        kernel_pack(&(struct kernel_pack){.b = r->net->param + l->weight +
                                               (windows - 1 - w) * c * l->out.c,
                                          .rows = l->out.c,
                                          .cols = c,
                                          .row = 1,
                                          .col = l->out.c,
                                          .out = r->back + l->back,
                                          .skip = w * l->out.c,
                                          .total = windows * l->out.c});
}

static void
make_norm(struct net_ready *r, const struct net_layer *l)
{
    const float *mean = r->net->state + l->state, *factor;
    const float *var = mean + l->out.c, *shift;
    float *f = r->factor + l->state / 2, *s = r->shift + l->state / 2;

    factor = r->net->param + l->weight;
    shift = r->net->param + l->bias;
    for (size_t c = 0; c < l->out.c; c++) {
        f[c] = (float)((double)factor[c] / sqrt((double)var[c] + NORM_EPSILON));
        s[c] = (float)((double)shift[c] - (double)mean[c] * (double)f[c]);
    }
}

static void
make_layer(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct net_ready *r = ctx;
    size_t n = r->net->n_layers;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct net_layer *l = &r->net->layer[i % n];
        bool weighs = l->kind == NET_DENSE || l->kind == NET_CONV;

        if (l->kind == NET_NORM && i < n)
            make_norm(r, l);
        else if (weighs && i < n)
            make_forward(r, l);
        else if (weighs && r->back)
            make_back(r, l);
    }
}

void
net_ready_make(struct net_ready *r, struct pool *pool)
{
    pool_for(pool, 2 * r->net->n_layers, 1, make_layer, r);
}

/* ---- room ---- */

static size_t
widest(const struct net *n)
{
    size_t c = n->input.c;

    for (size_t i = 0; i < n->n_layers; i++)
        c = n->layer[i].out.c > c ? n->layer[i].out.c : c;
    return c;
}

struct pass_frame
pass_edges(const struct net_layer *l)
{
    return (struct pass_frame){(l->out.h - 1) * l->stride + l->side_h,
                               (l->out.w - 1) * l->stride + l->side_w,
                               (l->side_h - 1) / 2, 1};
}

/* The largest image with edges, on the way there and back. */
static size_t
pad_len(const struct net *n)
{
    size_t most = 0;

    for (size_t i = 0; i < n->n_layers; i++) {
        const struct net_layer *l = &n->layer[i];
        struct pass_frame f = pass_edges(l);
        size_t there = (size_t)f.h * f.w * l->in.c;
        size_t back = (size_t)(l->in.h + l->side_h - 1) *
                      (l->in.w + l->side_w - 1) * l->out.c;

        if (l->kind != NET_CONV || (l->side_h == 1 && l->stride == 1))
            continue;
        most = there > most ? there : most;
        most = back > most ? back : most;
    }
    return most;
}

static size_t
grain_of(const struct net *n, size_t rows)
{
    size_t g = rows / TABLE_CHUNKS + (rows % TABLE_CHUNKS != 0);

    if ((size_t)n->input.h * n->input.w > 1)
        return rows / CHUNKS + (rows % CHUNKS != 0);
    return (g + TABLE_ROWS - 1) / TABLE_ROWS * TABLE_ROWS;
}

static float *
floats(size_t a, size_t b, struct error *err)
{
    size_t n;

    if (mem_mul(a, b, &n))
        return mem_try_aligned(n, sizeof(float), err);
    error_set(err, ERR_NOMEM, "%zu x %zu numbers are too many", a, b);
    return NULL;
}

static bool
outs_new(struct net_pass *p, bool learns, struct error *err)
{
    const struct net *n = p->net;

    if (!(p->out = mem_try_array(n->n_layers, sizeof *p->out, err)))
        return false;
    for (size_t i = 0; i < n->n_layers; i++) {
        const struct net_layer *l = &n->layer[i];

        /* Nothing is dropped from answers. */
        if (!learns && l->kind == NET_DROP)
            continue;
        if (!(p->out[i] = floats(p->cap, net_numbers(l->out), err)))
            return false;
    }
    p->answer = p->out[n->n_layers - 1];
    return true;
}

static bool
grads_new(struct net_pass *p, bool wants_input, struct error *err)
{
    const struct net *n = p->net;

    if (!(p->grad = mem_try_array(n->n_layers, sizeof *p->grad, err)))
        return false;
    for (size_t i = 0; i < n->n_layers; i++)
        if (!(p->grad[i] = floats(p->cap, net_numbers(n->layer[i].out), err)))
            return false;
    return (!wants_input && n->n_tables == 0) ||
           (p->grad_input = floats(p->cap, net_numbers(n->input), err));
}

/* The way back goes from the last layer to the first: whoever comes first to a
 * gradient writes it, others add. */
static bool
adds_new(struct net_pass *p, struct error *err)
{
    const struct net *n = p->net;
    bool *seen = mem_try_array(n->n_layers + 1, sizeof *seen, err);

    p->adds = mem_try_array(2 * n->n_layers, sizeof *p->adds, err);
    for (size_t i = n->n_layers; seen && p->adds && i-- > 0;) {
        const struct net_layer *l = &n->layer[i];

        p->adds[2 * i] = seen[l->from + 1];
        seen[l->from + 1] = true;
        if (l->kind != NET_ADD)
            continue;
        p->adds[2 * i + 1] = seen[l->with + 1];
        seen[l->with + 1] = true;
    }
    free(seen);
    return seen && p->adds;
}

static bool
norms_new(struct net_pass *p, struct error *err)
{
    size_t n = p->net->n_state / 2;

    return (p->factor = floats(n, 1, err)) && (p->shift = floats(n, 1, err)) &&
           (p->slope = floats(n, 1, err)) && (p->bend = floats(n, 1, err)) &&
           (p->level = floats(n, 1, err)) &&
           (p->mean = mem_try_array(n, sizeof *p->mean, err)) &&
           (p->scatter = mem_try_array(n, sizeof *p->scatter, err));
}

static bool
learning_new(struct net_pass *p, bool wants_input, struct error *err)
{
    const struct net *n = p->net;
    size_t sums;

    p->part_at = mem_try_array(n->n_layers, sizeof *p->part_at, err);
    if (!p->part_at)
        return false;
    for (size_t i = 0; i < n->n_layers; i++) {
        p->part_at[i] = p->n_part;
        if (n->layer[i].kind == NET_CONV)
            p->n_part += n->layer[i].n_weight + n->layer[i].n_bias;
    }
    p->sums_len = 2 * widest(n);
    return mem_mul(p->n_chunks, p->sums_len, &sums) &&
           (p->sums = mem_try_aligned(sums, sizeof *p->sums, err)) &&
           (p->part = floats(p->n_chunks, p->n_part, err)) &&
           (p->gradient = floats(n->n_params, 1, err)) &&
           grads_new(p, wants_input, err) && adds_new(p, err) &&
           norms_new(p, err);
}

struct net_pass *
net_pass_new(const struct net *n, size_t rows, bool learns, bool wants_input,
             struct error *err)
{
    struct net_pass *p = mem_try_array(1, sizeof *p, err);
    size_t codes;

    if (!p)
        return NULL;
    p->net = n;
    p->kernels = kernels_best();
    p->cap = rows;
    p->grain = learns ? grain_of(n, rows) : rows;
    p->n_chunks = pool_chunks(rows, p->grain);
    p->pad_len = pad_len(n);
    if (mem_mul(rows, n->n_tables, &codes) &&
        (p->input = floats(rows, net_numbers(n->input), err)) &&
        (p->code = mem_try_aligned(codes, sizeof *p->code, err)) &&
        (p->pad = floats(p->n_chunks, p->pad_len, err)) &&
        outs_new(p, learns, err) &&
        (!learns || learning_new(p, wants_input, err)))
        return p;
    net_pass_free(p);
    return NULL;
}

void
net_pass_free(struct net_pass *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->net->n_layers; i++) {
        if (p->out)
            free(p->out[i]);
        if (p->grad)
            free(p->grad[i]);
    }
    free(p->input);
    free(p->code);
    free(p->out);
    free(p->pad);
    free(p->grad);
    free(p->grad_input);
    free(p->adds);
    free(p->part);
    free(p->part_at);
    free(p->sums);
    free(p->factor);
    free(p->shift);
    free(p->slope);
    free(p->bend);
    free(p->level);
    free(p->mean);
    free(p->scatter);
    free(p->gradient);
    free(p);
}

double
net_pass_bytes(const struct net *n, size_t rows, bool learns)
{
    double a_row = (double)net_numbers(n->input), once = 0, chunks;

    for (size_t i = 0; i < n->n_layers; i++)
        a_row += (double)net_numbers(n->layer[i].out) * (learns ? 2 : 1);
    if (learns && rows > 0) {
        chunks = (double)pool_chunks(rows, grain_of(n, rows));
        for (size_t i = 0; i < n->n_layers; i++)
            if (n->layer[i].kind == NET_CONV)
                once += chunks * (double)n->layer[i].n_weight;
        once += chunks * (double)pad_len(n);
        /* Turned around and in panels, the gradient, two of Adam's, the best
         * so far, and what is learnt. */
        once +=
            (double)n->n_panels + (double)n->n_back + 5 * (double)n->n_params;
    }
    return (a_row * (double)rows + once) * sizeof(float);
}
