/* engine/neural/optimiser.c -- steps down the gradient.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/optimiser.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/neural/kernel.h"

enum { GRAIN = 16384 };
#define SECOND_DECAY 0.999
/* One cycle: where the rate is highest, and what it begins and ends at. */
#define CYCLE_TOP 0.3
#define CYCLE_BEGIN (1.0 / 25)
#define CYCLE_END 1e-4

/* At most GRAIN numbers of one kind. */
struct part {
    size_t begin, end;
    bool decays;
};

struct optimiser {
    struct opt_rule rule;
    const struct kernels *kernels;
    uint64_t step;
    float *first, *second; /* second: Adam's */
    struct part *part;
    size_t n_parts;
    double *sum; /* squares, of each part */
    /* of the step at hand */
    struct net *net;
    const float *gradient;
    double rate, scale, first_left, second_left;
};

/* (1 + cos(pi t)) / 2 for 0 <= t <= 1, by the series of the sine around the
 * middle, which needs no library's cosine: its bits follow the processor. */
static double
half_wave(double t)
{
    double x = 3.14159265358979323846 * (t - 0.5), y = x * x, s;

    s = x * (1 + y * (-1.0 / 6 +
                      y * (1.0 / 120 +
                           y * (-1.0 / 5040 +
                                y * (1.0 / 362880 + y * (-1.0 / 39916800))))));
    s = (1 - s) / 2;
    return s < 0 ? 0 : s > 1 ? 1 : s;
}

static double
one_cycle(double t)
{
    if (t < CYCLE_TOP)
        return 1 - (1 - CYCLE_BEGIN) * half_wave(t / CYCLE_TOP);
    return CYCLE_END +
           (1 - CYCLE_END) * half_wave((t - CYCLE_TOP) / (1 - CYCLE_TOP));
}

static double
stairs(const struct opt_rule *r, double t)
{
    double f = 1;

    for (double at = r->every; at <= t + 1e-12; at += r->every)
        f *= r->factor;
    return f;
}

double
opt_rate(const struct opt_rule *r, uint64_t step)
{
    double t = (double)step / (double)r->n_steps, rate = r->rate;

    switch (r->schedule) {
    case RATE_CONSTANT:
        break;
    case RATE_COSINE:
        rate *= half_wave(t);
        break;
    case RATE_STEP:
        rate *= stairs(r, t);
        break;
    case RATE_ONE_CYCLE:
        rate *= one_cycle(t);
    }
    if (t < r->warm)
        rate *= ((double)step + 1) / (r->warm * (double)r->n_steps + 1);
    return rate;
}

static void
add_parts(struct optimiser *o, size_t begin, size_t end, bool decays)
{
    for (size_t at = begin; at < end; at += GRAIN)
        o->part[o->n_parts++] =
            (struct part){at, end - at < GRAIN ? end : at + GRAIN, decays};
}

static bool
parts_new(struct optimiser *o, const struct net *n, struct error *err)
{
    size_t most = n->n_params / GRAIN + 2 * n->n_layers + n->n_tables + 1;

    o->part = mem_try_array(most, sizeof *o->part, err);
    o->sum = mem_try_array(most, sizeof *o->sum, err);
    if (!o->part || !o->sum)
        return false;
    for (size_t i = 0; i < n->n_tables; i++) {
        const struct net_table *t = &n->table[i];

        add_parts(o, t->weight,
                  t->weight + (t->n_levels + (size_t)1) * t->width, false);
    }
    for (size_t i = 0; i < n->n_layers; i++) {
        const struct net_layer *l = &n->layer[i];

        add_parts(o, l->weight, l->weight + l->n_weight, l->kind != NET_NORM);
        add_parts(o, l->bias, l->bias + l->n_bias, false);
    }
    return true;
}

struct optimiser *
opt_new(const struct opt_rule *r, const struct net *n, struct error *err)
{
    struct optimiser *o = mem_try_array(1, sizeof *o, err);

    if (!o)
        return NULL;
    o->rule = *r;
    o->kernels = kernels_best();
    o->first = mem_try_aligned(n->n_params, sizeof *o->first, err);
    if (r->kind != OPT_SGD)
        o->second = mem_try_aligned(n->n_params, sizeof *o->second, err);
    if (o->first && (r->kind == OPT_SGD || o->second) && parts_new(o, n, err))
        return o;
    opt_free(o);
    return NULL;
}

void
opt_free(struct optimiser *o)
{
    if (!o)
        return;
    free(o->first);
    free(o->second);
    free(o->part);
    free(o->sum);
    free(o);
}

/* Of SGD there is no second: 0 of them. */
size_t
opt_memory(struct optimiser *o, float **first, float **second)
{
    *first = o->first;
    *second = o->second;
    return o->second != NULL;
}

void
opt_go_on(struct optimiser *o, uint64_t step)
{
    o->step = step;
}

static void
square_part(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct optimiser *o = ctx;
    double s = 0;

    (void)begin;
    (void)end;
    for (size_t i = o->part[chunk].begin; i < o->part[chunk].end; i++)
        s += (double)o->gradient[i] * (double)o->gradient[i];
    o->sum[chunk] = s;
}

static void
sgd_part(struct optimiser *o, const struct part *p)
{
    float *w = o->net->param, *v = o->first;
    float rate = (float)o->rate, momentum = (float)o->rule.momentum;
    float scale = (float)o->scale;
    float decay = p->decays ? (float)o->rule.decay : 0;

    for (size_t i = p->begin; i < p->end; i++) {
        float g = o->gradient[i] * scale + decay * w[i];

        v[i] = momentum * v[i] + g;
        w[i] -= rate * (g + momentum * v[i]);
    }
}

static void
adam_part(struct optimiser *o, const struct part *p)
{
    bool apart = o->rule.kind == OPT_ADAMW;
    double decay = p->decays ? o->rule.decay : 0;

    o->kernels->adam(
        &(struct kernel_adam){.w = o->net->param + p->begin,
                              .m = o->first + p->begin,
                              .v = o->second + p->begin,
                              .g = o->gradient + p->begin,
                              .n = p->end - p->begin,
                              .scale = (float)o->scale,
                              .pull = apart ? 0 : (float)decay,
                              .shrink = apart ? (float)(o->rate * decay) : 0,
                              .keep_m = (float)o->rule.momentum,
                              .keep_v = (float)SECOND_DECAY,
                              .rate = (float)(o->rate / o->first_left),
                              .by_v = (float)(1 / o->second_left)});
}

static void
step_part(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct optimiser *o = ctx;

    (void)begin;
    (void)end;
    if (o->rule.kind == OPT_SGD)
        sgd_part(o, &o->part[chunk]);
    else
        adam_part(o, &o->part[chunk]);
}

/* b to the n by squaring: pow() follows the processor. */
static double
power(double b, uint64_t n)
{
    double p = 1;

    for (; n > 0; n >>= 1, b *= b)
        if (n & 1)
            p *= b;
    return p;
}

double
opt_step(struct optimiser *o, struct net *n, float *gradient, struct pool *pool)
{
    double length = 0;

    o->net = n;
    o->gradient = gradient;
    pool_for(pool, o->n_parts, 1, square_part, o);
    for (size_t c = 0; c < o->n_parts; c++)
        length += o->sum[c];
    length = sqrt(length);
    if (!isfinite(length))
        return length;
    o->scale =
        o->rule.clip > 0 && length > o->rule.clip ? o->rule.clip / length : 1;
    o->rate = opt_rate(&o->rule, o->step++);
    o->first_left = 1 - power(o->rule.momentum, o->step);
    o->second_left = 1 - power(SECOND_DECAY, o->step);
    pool_for(pool, o->n_parts, 1, step_part, o);
    return length;
}
