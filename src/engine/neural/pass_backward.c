/* engine/neural/pass_backward.c -- a step's gradient.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "engine/neural/kernel.h"
#include "engine/neural/pass.h"

enum {
    BAND = 24,   /* rows of a dense layer's weights for one task */
    BLOCK = 512, /* places whose gradient stays in cache */
    FOLD = 2048
};
#define NORM_EPSILON 1e-5
/* What a norm forgets of its measures with each step. */
#define NORM_MOMENTUM 0.1

struct learning {
    struct net_pass *p;
    const struct net_ready *r;
    net_loss_fn *loss;
    void *ctx;
    const struct progress *stop;
    size_t first, last; /* layers of a stretch */
    bool meets;         /* at a norm, at its end */
};

/* ---- there ---- */

static void
there_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct learning *g = ctx;
    struct net_pass *p = g->p;
    const struct net *n = p->net;

    if (progress_stopped(g->stop))
        return;
    if (g->first == 0)
        pass_tables(p, begin, end);
    for (size_t l = g->first; l < g->last && !progress_stopped(g->stop); l++) {
        size_t at = n->layer[l].state / 2;

        pass_forward(p, g->r, l,
                     (struct pass_norm){p->factor + at, p->shift + at}, chunk,
                     begin, end);
    }
    if (g->meets) {
        const struct net_layer *l = &n->layer[g->last];
        const float *x = pass_source(p, l->from) + begin * net_numbers(l->in);

        p->kernels->sums(
            &(struct kernel_sums){.x = x,
                                  .y = x,
                                  .places = (end - begin) * l->out.h * l->out.w,
                                  .n = l->out.c,
                                  .sum = p->sums + chunk * p->sums_len});
    } else {
        g->loss(g->ctx, chunk, begin, end, p->answer + begin * n->n_outputs,
                p->grad[n->n_layers - 1] + begin * n->n_outputs);
    }
}

/* The chunks' sums of channel c, and behind them those of products. */
static double
fold_sum(const struct net_pass *p, size_t c)
{
    double s = 0;

    for (size_t k = 0; k < pool_chunks(p->n, p->grain); k++)
        s += p->sums[k * p->sums_len + c];
    return s;
}

static double
places_of(const struct net_pass *p, const struct net_layer *l)
{
    return (double)p->n * l->out.h * l->out.w;
}

static void
measure_norm(struct net_pass *p, const struct net_layer *l)
{
    double n = places_of(p, l);
    size_t at = l->state / 2, k = l->out.c;

    for (size_t c = 0; c < k; c++) {
        double mean = fold_sum(p, c) / n;
        double var = fold_sum(p, k + c) / n - mean * mean;
        double inverse = 1 / sqrt((var > 0 ? var : 0) + NORM_EPSILON);
        double factor = (double)p->net->param[l->weight + c] * inverse;

        p->mean[at + c] = mean;
        p->scatter[at + c] = inverse;
        p->factor[at + c] = (float)factor;
        p->shift[at + c] =
            (float)((double)p->net->param[l->bias + c] - mean * factor);
    }
}

static void
go_there(struct learning *g, struct pool *pool)
{
    struct net_pass *p = g->p;
    const struct net *n = p->net;

    for (g->first = 0; g->first < n->n_layers; g->first = g->last) {
        g->last = g->first + 1;
        while (g->last < n->n_layers && n->layer[g->last].kind != NET_NORM)
            g->last++;
        g->meets = g->last < n->n_layers;
        pool_for(pool, p->n, p->grain, there_chunk, g);
        if (progress_stopped(g->stop))
            return;
        if (g->meets)
            measure_norm(p, &n->layer[g->last]);
    }
}

/* ---- and back ---- */

static void
back_act(const struct kernels *k, enum net_act act, const float *y, size_t n,
         float *d)
{
    switch (act) {
    case ACT_NONE:
        break;
    case ACT_RELU:
        k->uncut(y, n, d);
        break;
    case ACT_LEAKY:
        for (size_t i = 0; i < n; i++)
            d[i] = y[i] > 0 ? d[i] : NET_LEAK * d[i];
        break;
    case ACT_ELU:
        for (size_t i = 0; i < n; i++)
            d[i] = y[i] > 0 ? d[i] : d[i] * (y[i] + 1);
        break;
    case ACT_TANH:
        for (size_t i = 0; i < n; i++)
            d[i] *= 1 - y[i] * y[i];
    }
}

/* Where the gradient of a layer's source belongs; NULL: nobody wants it. */
static float *
gradient_of(const struct net_pass *p, int at)
{
    return at == NET_INPUT ? p->grad_input : p->grad[at];
}

static void
back_dense(struct net_pass *p, const struct net_ready *r,
           const struct net_layer *l, size_t begin, size_t end, bool add)
{
    size_t in = l->n_weight / l->out.c;
    size_t places = l->kind == NET_DENSE ? 1 : (size_t)l->out.h * l->out.w;
    const float *d = p->grad[l - p->net->layer];
    float *to = gradient_of(p, l->from);

    if (to)
        p->kernels->rows(
            &(struct kernel_rows){.a = d + begin * places * l->out.c,
                                  .step = l->out.c,
                                  .n_runs = 1,
                                  .run = l->out.c,
                                  .b = r->back + l->back,
                                  .add = add,
                                  .out = to + begin * places * in,
                                  .stride = in,
                                  .m = (end - begin) * places,
                                  .n = in});
}

/* The gradient of an image: the output's, with its places as far apart as they
 * stood, under the windows turned around. */
static void
back_image(struct net_pass *p, const struct net_ready *r,
           const struct net_layer *l, size_t chunk, const float *d, float *to,
           bool add)
{
    struct pass_frame f = {l->in.h + l->side_h - 1, l->in.w + l->side_w - 1,
                           (l->side_h - 1) / 2, l->stride};
    const float *pad = pass_pad(p, chunk, d, l->out, f);
    size_t line = (size_t)f.w * l->out.c;

    for (uint32_t y = 0; y < l->in.h; y++)
        p->kernels->rows(
            &(struct kernel_rows){.a = pad + y * line,
                                  .step = l->out.c,
                                  .n_runs = l->side_h,
                                  .run = (size_t)l->side_w * l->out.c,
                                  .jump = line,
                                  .b = r->back + l->back,
                                  .add = add,
                                  .out = to + (size_t)y * l->in.w * l->in.c,
                                  .stride = l->in.c,
                                  .m = l->in.w,
                                  .n = l->in.c});
}

/* The gradient of the windows, of one image. */
static void
back_windows(const struct net_pass *p, const struct net_layer *l,
             const float *pad, struct pass_frame f, const float *d, float *part)
{
    size_t line = (size_t)f.w * l->in.c;
    uint32_t lines = BLOCK / l->out.w ? BLOCK / l->out.w : 1;

    for (uint32_t y = 0; y < l->out.h; y += lines) {
        uint32_t m = l->out.h - y < lines ? l->out.h - y : lines;

        for (uint32_t v = 0; v < l->side_h; v++)
            p->kernels->outer(&(struct kernel_outer){
                .a = pad + ((size_t)y * l->stride + v) * line,
                .n_lines = m,
                .line = l->stride * line,
                .m = l->out.w,
                .step = (size_t)l->stride * l->in.c,
                .n_a = (size_t)l->side_w * l->in.c,
                .d = d + (size_t)y * l->out.w * l->out.c,
                .d_step = l->out.c,
                .n_d = l->out.c,
                .out = part + (size_t)v * l->side_w * l->in.c * l->out.c,
                .stride = l->out.c});
    }
}

static void
add_columns(const float *d, size_t rows, size_t n, double *sum, float *out)
{
    memset(sum, 0, n * sizeof *sum);
    for (size_t i = 0; i < rows; i++, d += n)
        for (size_t c = 0; c < n; c++)
            sum[c] += (double)d[c];
    for (size_t c = 0; c < n; c++)
        out[c] = (float)sum[c];
}

static void
back_conv(struct net_pass *p, const struct net_ready *r,
          const struct net_layer *l, size_t chunk, size_t begin, size_t end,
          bool add)
{
    size_t at = (size_t)(l - p->net->layer);
    size_t in = net_numbers(l->in), n = net_numbers(l->out);
    const float *x = pass_source(p, l->from), *d = p->grad[at];
    float *part = p->part + chunk * p->n_part + p->part_at[at];
    float *to = gradient_of(p, l->from);
    struct pass_frame f = pass_edges(l);
    bool plain = l->side_h == 1 && l->stride == 1;

    memset(part, 0, l->n_weight * sizeof *part);
    for (size_t i = begin; i < end; i++) {
        const float *image = x + i * in;

        back_windows(p, l, plain ? image : pass_pad(p, chunk, image, l->in, f),
                     f, d + i * n, part);
        if (to && !plain)
            back_image(p, r, l, chunk, d + i * n, to + i * in, add);
    }
    if (plain)
        back_dense(p, r, l, begin, end, add);
    if (l->n_bias)
        add_columns(d + begin * n, (end - begin) * l->out.h * l->out.w,
                    l->out.c, p->sums + chunk * p->sums_len,
                    part + l->n_weight);
}

static void
back_norm(struct net_pass *p, const struct net_layer *l, size_t begin,
          size_t end, bool add)
{
    size_t n = l->out.c, at = l->state / 2, numbers = net_numbers(l->out);
    const float *z = pass_source(p, l->from) + begin * numbers;
    const float *d = p->grad[l - p->net->layer] + begin * numbers;
    float *to = gradient_of(p, l->from);

    if (to)
        p->kernels->unscale(
            &(struct kernel_unscale){.d = d,
                                     .z = z,
                                     .slope = p->slope + at,
                                     .bend = p->bend + at,
                                     .level = p->level + at,
                                     .places = (end - begin) * numbers / n,
                                     .n = n,
                                     .add = add,
                                     .out = to + begin * numbers});
}

static void
copy_or_add(const struct net_pass *p, const float *d, size_t n, float *to,
            bool add)
{
    if (add)
        p->kernels->add(to, d, n, to);
    else
        memcpy(to, d, n * sizeof *to);
}

static void
back_mean(const struct net_layer *l, const float *d, float *to)
{
    size_t n = l->in.c, line = (size_t)l->in.w * n;
    float share = 1 / (float)(l->side_h * l->side_w);

    for (size_t v = 0; v < l->side_h; v++)
        for (size_t w = 0; w < l->side_w; w++)
            for (size_t c = 0; c < n; c++)
                to[v * line + w * n + c] += share * d[c];
}

static void
back_pool(struct net_pass *p, const struct net_layer *l, size_t begin,
          size_t end, bool add)
{
    size_t at = (size_t)(l - p->net->layer), in = net_numbers(l->in);
    const float *x = pass_source(p, l->from) + begin * in;
    const float *y = p->out[at] + begin * net_numbers(l->out);
    const float *d = p->grad[at] + begin * net_numbers(l->out);
    float *to = gradient_of(p, l->from);

    if (!to)
        return;
    to += begin * in;
    if (!add)
        memset(to, 0, (end - begin) * in * sizeof *to);
    for (size_t i = begin; i < end; i++, x += in, to += in)
        for (size_t v = 0; v < l->out.h; v++)
            for (size_t w = 0; w < l->out.w; w++) {
                size_t place =
                    (v * l->stride * l->in.w + w * l->stride) * l->in.c;

                if (l->kind == NET_MAX)
                    p->kernels->unmax(&(struct kernel_window){
                        .x = x + place,
                        .line = (size_t)l->in.w * l->in.c,
                        .h = l->side_h,
                        .w = l->side_w,
                        .n = l->in.c,
                        .y = y,
                        .d = d,
                        .to = to + place});
                else
                    back_mean(l, d, to + place);
                y += l->out.c;
                d += l->out.c;
            }
}

static void
back_layer(struct learning *g, size_t at, size_t chunk, size_t begin,
           size_t end)
{
    struct net_pass *p = g->p;
    const struct net_layer *l = &p->net->layer[at];
    size_t n = net_numbers(l->out), total = (end - begin) * n;
    float *d = p->grad[at] + begin * n, *to;
    bool add = p->adds[2 * at];

    switch (l->kind) {
    case NET_DENSE:
        back_dense(p, g->r, l, begin, end, add);
        break;
    case NET_CONV:
        back_conv(p, g->r, l, chunk, begin, end, add);
        break;
    case NET_NORM:
        back_norm(p, l, begin, end, add);
        break;
    case NET_DROP:
        if ((to = gradient_of(p, l->from)))
            pass_drop(p, l, begin, end, d, to + begin * n, add);
        break;
    case NET_MAX:
    case NET_MEAN:
        back_pool(p, l, begin, end, add);
        break;
    case NET_ADD:
        if ((to = gradient_of(p, l->from)))
            copy_or_add(p, d, total, to + begin * n, add);
        if ((to = gradient_of(p, l->with)))
            copy_or_add(p, d, total, to + begin * n, p->adds[2 * at + 1]);
    }
}

/* A norm's own function and what the batch is to sum for it. */
static void
back_measure(struct net_pass *p, size_t at, size_t chunk, size_t begin,
             size_t end)
{
    const struct net_layer *l = &p->net->layer[at];
    size_t n = net_numbers(l->out);

    p->kernels->sums(
        &(struct kernel_sums){.x = p->grad[at] + begin * n,
                              .y = pass_source(p, l->from) + begin * n,
                              .places = (end - begin) * l->out.h * l->out.w,
                              .n = l->out.c,
                              .sum = p->sums + chunk * p->sums_len});
}

static void
back_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct learning *g = ctx;
    struct net_pass *p = g->p;

    if (progress_stopped(g->stop))
        return;
    for (size_t l = g->first; l-- > g->last && !progress_stopped(g->stop);) {
        const struct net_layer *layer = &p->net->layer[l];
        size_t n = net_numbers(layer->out);
        bool met = l + 1 == g->first && layer->kind == NET_NORM;

        if (!met)
            back_act(p->kernels, layer->act, p->out[l] + begin * n,
                     (end - begin) * n, p->grad[l] + begin * n);
        if (layer->kind == NET_NORM && !met)
            back_measure(p, l, chunk, begin, end);
        else
            back_layer(g, l, chunk, begin, end);
    }
}

/* With y = f * (z - mean) * s + b and the sums over the batch of the gradient
 * d and of d * z: the gradients of f and b, and that of z as
 * slope * d + bend * z + level. */
static void
turn_norm(struct net_pass *p, const struct net_layer *l)
{
    size_t at = l->state / 2, k = l->out.c;
    double n = places_of(p, l);

    for (size_t c = 0; c < k; c++) {
        double s = p->scatter[at + c], mean = p->mean[at + c];
        double sum = fold_sum(p, c), product = fold_sum(p, k + c);
        double by_factor = (product - mean * sum) * s;
        double f = (double)p->net->param[l->weight + c] * s;

        p->gradient[l->weight + c] = (float)by_factor;
        p->gradient[l->bias + c] = (float)sum;
        p->slope[at + c] = (float)f;
        p->bend[at + c] = (float)(-f * s * by_factor / n);
        p->level[at + c] = (float)(f * (mean * s * by_factor - sum) / n);
    }
}

/* From the layer behind `first` down to a norm, which then knows its sums. */
static void
go_back(struct learning *g, struct pool *pool)
{
    struct net_pass *p = g->p;
    const struct net *n = p->net;

    for (g->first = n->n_layers; g->first > 0;) {
        size_t l = g->first;

        /* The norm that was met is the first to go on. */
        if (l < n->n_layers)
            l--;
        while (l > 0 && n->layer[l - 1].kind != NET_NORM)
            l--;
        g->last = l > 0 ? l - 1 : 0;
        g->meets = l > 0;
        pool_for(pool, p->n, p->grain, back_chunk, g);
        if (progress_stopped(g->stop))
            return;
        if (!g->meets)
            break;
        turn_norm(p, &n->layer[g->last]);
        g->first = g->last + 1;
    }
}

/* ---- weights over the whole batch ---- */

/* Numbers begin..end of the chunks' parts, FOLD of them at most. */
static void
fold_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct net_pass *p = ctx;
    size_t chunks = pool_chunks(p->n, p->grain);
    double sum[FOLD];

    (void)chunk;
    memset(sum, 0, sizeof sum);
    for (size_t c = 0; c < chunks; c++) {
        const float *part = p->part + c * p->n_part + begin;

        for (size_t i = 0; i < end - begin; i++)
            sum[i] += (double)part[i];
    }
    for (size_t l = 0; l < p->net->n_layers; l++) {
        const struct net_layer *layer = &p->net->layer[l];
        size_t at = p->part_at[l], n = layer->n_weight + layer->n_bias;
        size_t from = begin > at ? begin : at;
        size_t to = end < at + n ? end : at + n;

        for (size_t i = from; layer->kind == NET_CONV && i < to; i++)
            p->gradient[layer->weight + i - at] = (float)sum[i - begin];
    }
}

/* Tasks: bands of dense layers' weights, then tables. */
static size_t
bands_of(const struct net_layer *l)
{
    return l->kind == NET_DENSE ? pool_chunks(l->n_weight / l->out.c, BAND) : 0;
}

static void
band_weights(struct net_pass *p, const struct net_layer *l, size_t band)
{
    size_t in = l->n_weight / l->out.c, begin = band * BAND, n = l->out.c;
    size_t end = in - begin < BAND ? in : begin + BAND;
    const float *d = p->grad[l - p->net->layer];
    float *out = p->gradient + l->weight + begin * n;

    memset(out, 0, (end - begin) * n * sizeof *out);
    p->kernels->outer(
        &(struct kernel_outer){.a = pass_source(p, l->from) + begin,
                               .n_lines = 1,
                               .m = p->n,
                               .step = in,
                               .n_a = end - begin,
                               .d = d,
                               .d_step = n,
                               .n_d = n,
                               .out = out,
                               .stride = n});
    if (band > 0 || l->n_bias == 0)
        return;
    for (size_t c = 0; c < n; c++) {
        double s = 0;

        for (size_t i = 0; i < p->n; i++)
            s += (double)d[i * n + c];
        p->gradient[l->bias + c] = (float)s;
    }
}

static void
table_rows(struct net_pass *p, size_t t)
{
    const struct net *n = p->net;
    const struct net_table *table = &n->table[t];
    size_t w = table->width, at = n->n_numbers;
    float *out = p->gradient + table->weight;

    for (size_t i = 0; i < t; i++)
        at += n->table[i].width;
    memset(out, 0, (table->n_levels + (size_t)1) * w * sizeof *out);
    for (size_t i = 0; i < p->n; i++) {
        const float *d = p->grad_input + i * n->input.c + at;
        float *row = out + p->code[i * n->n_tables + t] * w;

        for (size_t c = 0; c < w; c++)
            row[c] += d[c];
    }
}

static void
band_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct learning *g = ctx;
    struct net_pass *p = g->p;
    const struct net *n = p->net;

    (void)chunk;
    for (size_t i = begin; i < end && !progress_stopped(g->stop); i++) {
        size_t at = i, l = 0;

        while (l < n->n_layers && at >= bands_of(&n->layer[l]))
            at -= bands_of(&n->layer[l++]);
        if (l < n->n_layers)
            band_weights(p, &n->layer[l], at);
        else
            table_rows(p, at);
    }
}

static size_t
n_bands(const struct net *n)
{
    size_t k = n->n_tables;

    for (size_t l = 0; l < n->n_layers; l++)
        k += bands_of(&n->layer[l]);
    return k;
}

/* ---- a step ---- */

/* Bessel's correction for what answers will use, as is usual. */
static void
remember_norms(const struct net_pass *p, struct net *state)
{
    for (size_t i = 0; i < p->net->n_layers; i++) {
        const struct net_layer *l = &p->net->layer[i];
        double n = places_of(p, l), correct = n > 1 ? n / (n - 1) : 1;
        size_t at = l->state / 2, k = l->out.c;
        float *mean = state->state + l->state, *var = mean + k;

        for (size_t c = 0; l->kind == NET_NORM && c < k; c++) {
            double s = p->scatter[at + c];
            double v = (1 / (s * s) - NORM_EPSILON) * correct;

            mean[c] +=
                (float)(NORM_MOMENTUM * (p->mean[at + c] - (double)mean[c]));
            var[c] +=
                (float)(NORM_MOMENTUM * ((v > 0 ? v : 0) - (double)var[c]));
        }
    }
}

bool
net_pass_learn(struct net_pass *p, const struct net_ready *r, struct net *state,
               net_loss_fn *loss, void *ctx, struct pool *pool,
               const struct progress *stop)
{
    struct learning g = {
        .p = p, .r = r, .loss = loss, .ctx = ctx, .stop = stop};

    go_there(&g, pool);
    if (progress_stopped(stop))
        return false;
    go_back(&g, pool);
    if (progress_stopped(stop))
        return false;
    pool_for(pool, n_bands(p->net), 1, band_chunk, &g);
    pool_for(pool, p->n_part, FOLD, fold_chunk, p);
    if (progress_stopped(stop))
        return false;
    if (state)
        remember_norms(p, state);
    return true;
}
