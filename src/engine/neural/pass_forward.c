/* engine/neural/pass_forward.c -- rows through the layers.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/fmath.h"
#include "base/rng.h"
#include "engine/neural/kernel.h"
#include "engine/neural/pass.h"

enum { STREAM_DROP = 0x64726f70, TILE = 256 };

const float *
pass_source(const struct net_pass *p, int at)
{
    /* What answers do not drop has no room of its own. */
    while (at != NET_INPUT && !p->out[at])
        at = p->net->layer[at].from;
    return at == NET_INPUT ? p->input : p->out[at];
}

/* ---- functions ---- */

/* exp(x) of a tile, through doubles: the same on every processor. */
static void
exp_tile(const float *x, size_t n, double factor, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = factor * (double)x[i];
    fm_exp_all(out, n, out);
}

static void
elu(float *x, size_t n)
{
    double e[TILE];

    for (size_t at = 0; at < n; at += TILE) {
        size_t m = n - at < TILE ? n - at : TILE;

        exp_tile(x + at, m, 1, e);
        for (size_t i = 0; i < m; i++)
            if (x[at + i] < 0)
                x[at + i] = (float)(e[i] - 1);
    }
}

static void
hyperbolic(float *x, size_t n)
{
    double e[TILE];

    for (size_t at = 0; at < n; at += TILE) {
        size_t m = n - at < TILE ? n - at : TILE;

        exp_tile(x + at, m, 2, e);
        for (size_t i = 0; i < m; i++)
            x[at + i] = (float)(1 - 2 / (e[i] + 1));
    }
}

static void
put_act(const struct kernels *k, enum net_act act, float *x, size_t n)
{
    switch (act) {
    case ACT_NONE:
        break;
    case ACT_RELU:
        k->cut(x, n);
        break;
    case ACT_LEAKY:
        for (size_t i = 0; i < n; i++)
            x[i] = x[i] > 0 ? x[i] : NET_LEAK * x[i];
        break;
    case ACT_ELU:
        elu(x, n);
        break;
    case ACT_TANH:
        hyperbolic(x, n);
        break;
    }
}

/* ---- layers ---- */

static void
rows_dense(struct net_pass *p, const struct net_ready *r,
           const struct net_layer *l, size_t begin, size_t end, float *out)
{
    size_t in = l->n_weight / l->out.c;
    size_t places = l->kind == NET_DENSE ? 1 : (size_t)l->out.h * l->out.w;

    p->kernels->rows(&(struct kernel_rows){
        .a = pass_source(p, l->from) + begin * places * in,
        .step = in,
        .n_runs = 1,
        .run = in,
        .b = r->panel + l->panel,
        .bias = l->n_bias ? p->net->param + l->bias : NULL,
        .out = out,
        .stride = l->out.c,
        .m = (end - begin) * places,
        .n = l->out.c});
}

/* A line into one of f.w places: edges are zeros. */
static void
pad_line(const float *line, struct net_shape s, struct pass_frame f, float *to)
{
    size_t room = f.w - f.top, n = s.w < room ? s.w : room;

    memset(to, 0, f.top * s.c * sizeof *to);
    memcpy(to + f.top * s.c, line, n * s.c * sizeof *to);
    memset(to + (f.top + n) * s.c, 0, (room - n) * s.c * sizeof *to);
}

static void
spread_line(const float *line, struct net_shape s, struct pass_frame f,
            float *to)
{
    memset(to, 0, (size_t)f.w * s.c * sizeof *to);
    for (size_t i = 0; i < s.w && f.top + i * f.apart < f.w; i++)
        memcpy(to + (f.top + i * f.apart) * s.c, line + i * s.c,
               s.c * sizeof *to);
}

float *
pass_pad(struct net_pass *p, size_t chunk, const float *x, struct net_shape s,
         struct pass_frame f)
{
    float *pad = p->pad + chunk * p->pad_len, *to = pad;

    for (uint32_t v = 0; v < f.h; v++, to += (size_t)f.w * s.c) {
        uint32_t y = v < f.top ? s.h : (v - f.top) / f.apart;

        if (y >= s.h || (v - f.top) % f.apart != 0)
            memset(to, 0, (size_t)f.w * s.c * sizeof *to);
        else if (f.apart == 1)
            pad_line(x + (size_t)y * s.w * s.c, s, f, to);
        else
            spread_line(x + (size_t)y * s.w * s.c, s, f, to);
    }
    return pad;
}

static void
image_conv(struct net_pass *p, const struct net_ready *r,
           const struct net_layer *l, const float *pad, float *out)
{
    struct pass_frame f = pass_edges(l);
    size_t line = (size_t)f.w * l->in.c;

    for (uint32_t y = 0; y < l->out.h; y++)
        p->kernels->rows(&(struct kernel_rows){
            .a = pad + (size_t)y * l->stride * line,
            .step = (size_t)l->stride * l->in.c,
            .n_runs = l->side_h,
            .run = (size_t)l->side_w * l->in.c,
            .jump = line,
            .b = r->panel + l->panel,
            .bias = l->n_bias ? p->net->param + l->bias : NULL,
            .out = out + (size_t)y * l->out.w * l->out.c,
            .stride = l->out.c,
            .m = l->out.w,
            .n = l->out.c});
}

static void
rows_conv(struct net_pass *p, const struct net_ready *r,
          const struct net_layer *l, size_t chunk, size_t begin, size_t end,
          float *out)
{
    const float *x = pass_source(p, l->from);
    size_t in = net_numbers(l->in), n = net_numbers(l->out);

    if (l->side_h == 1 && l->stride == 1) {
        rows_dense(p, r, l, begin, end, out);
        return;
    }
    for (size_t i = begin; i < end; i++, out += n)
        image_conv(p, r, l,
                   pass_pad(p, chunk, x + i * in, l->in, pass_edges(l)), out);
}

/* Of every number a coin of 16 bits, four from a draw. */
void
pass_drop(struct net_pass *p, const struct net_layer *l, size_t begin,
          size_t end, const float *x, float *out, bool add)
{
    size_t n = net_numbers(l->out), at = begin * n;
    uint64_t stream = STREAM_DROP + ((uint64_t)(l - p->net->layer) << 32);
    uint32_t cut = (uint32_t)(l->rate * 65536);
    float keep = 65536.0f / (float)(65536 - cut);
    uint64_t coins = 0;

    for (size_t i = 0; i < (end - begin) * n; i++) {
        uint32_t coin;
        float v;

        if (i == 0 || (at + i) % 4 == 0)
            coins = rng_at(p->seed ^ p->step << 20, stream, (at + i) / 4);
        coin = (uint32_t)(coins >> (at + i) % 4 * 16) & 0xffff;
        v = coin < cut ? 0 : x[i] * keep;
        out[i] = add ? out[i] + v : v;
    }
}

static void
place_mean(const struct net_layer *l, const float *x, float *out)
{
    size_t n = l->in.c, line = (size_t)l->in.w * n;
    float share = 1 / (float)(l->side_h * l->side_w);

    for (size_t c = 0; c < n; c++)
        out[c] = 0;
    for (size_t y = 0; y < l->side_h; y++)
        for (size_t w = 0; w < l->side_w; w++)
            for (size_t c = 0; c < n; c++)
                out[c] += x[y * line + w * n + c];
    for (size_t c = 0; c < n; c++)
        out[c] *= share;
}

static void
rows_pool(const struct kernels *k, const struct net_layer *l, const float *x,
          size_t n, float *out)
{
    struct kernel_window max = {.line = (size_t)l->in.w * l->in.c,
                                .h = l->side_h,
                                .w = l->side_w,
                                .n = l->in.c};

    for (size_t i = 0; i < n; i++, x += net_numbers(l->in))
        for (size_t y = 0; y < l->out.h; y++)
            for (size_t w = 0; w < l->out.w; w++, out += l->out.c) {
                max.x = x + (y * l->stride * l->in.w + w * l->stride) * l->in.c;
                max.out = out;
                if (l->kind == NET_MAX)
                    k->max(&max);
                else
                    place_mean(l, max.x, out);
            }
}

void
pass_forward(struct net_pass *p, const struct net_ready *r, size_t at,
             struct pass_norm norm, size_t chunk, size_t begin, size_t end)
{
    const struct net_layer *l = &p->net->layer[at];
    size_t n = net_numbers(l->out), total = (end - begin) * n;
    const float *x = pass_source(p, l->from) + begin * net_numbers(l->in);
    float *out = p->out[at];

    if (!out)
        return;
    out += begin * n;
    switch (l->kind) {
    case NET_DENSE:
        rows_dense(p, r, l, begin, end, out);
        break;
    case NET_CONV:
        rows_conv(p, r, l, chunk, begin, end, out);
        break;
    case NET_NORM:
        p->kernels->scale(&(struct kernel_scale){.x = x,
                                                 .factor = norm.factor,
                                                 .shift = norm.shift,
                                                 .places = total / l->out.c,
                                                 .n = l->out.c,
                                                 .cut = l->act == ACT_RELU,
                                                 .out = out});
        if (l->act == ACT_RELU)
            return;
        break;
    case NET_DROP:
        pass_drop(p, l, begin, end, x, out, false);
        break;
    case NET_MAX:
    case NET_MEAN:
        rows_pool(p->kernels, l, x, end - begin, out);
        break;
    case NET_ADD:
        p->kernels->add(x, pass_source(p, l->with) + begin * n, total, out);
    }
    put_act(p->kernels, l->act, out, total);
}

void
pass_tables(struct net_pass *p, size_t begin, size_t end)
{
    const struct net *n = p->net;

    for (size_t i = begin; i < end; i++) {
        float *to = p->input + i * n->input.c + n->n_numbers;
        const uint32_t *code = p->code + i * n->n_tables;

        for (size_t t = 0; t < n->n_tables; t++) {
            size_t w = n->table[t].width;

            memcpy(to, n->param + n->table[t].weight + code[t] * w,
                   w * sizeof *to);
            to += w;
        }
    }
}

bool
net_pass_answer(struct net_pass *p, const struct net_ready *r,
                const struct progress *stop)
{
    pass_tables(p, 0, p->n);
    for (size_t l = 0; l < p->net->n_layers; l++) {
        size_t at = p->net->layer[l].state / 2;

        if (progress_stopped(stop))
            return false;
        pass_forward(p, r, l, (struct pass_norm){r->factor + at, r->shift + at},
                     0, 0, p->n);
    }
    return true;
}
