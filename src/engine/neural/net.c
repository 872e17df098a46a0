/* engine/neural/net.c -- nets from their plans.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/neural/kernel.h"

enum { STREAM_INIT = 0x6e657430 };

/* A net that grows. */
struct making {
    struct net *net;
    const struct net_plan *plan;
    struct str word;        /* the layer at hand, for errors */
    uint64_t work, numbers; /* of one example, so far */
};

static const char *const act_words[] = {"none", "relu", "leaky_relu", "elu",
                                        "tanh"};

bool
net_act_parse(const char *word, enum net_act *out)
{
    for (unsigned a = 0; a < sizeof act_words / sizeof *act_words; a++)
        if (strcmp(word, act_words[a]) == 0) {
            *out = (enum net_act)a;
            return true;
        }
    return false;
}

const char *
net_act_word(enum net_act a)
{
    return act_words[a];
}

void
net_free(struct net *n)
{
    if (!n)
        return;
    free(n->table);
    free(n->layer);
    free(n->param);
    free(n->state);
    free(n);
}

/* ---- layers ---- */

static bool
refuse(const struct making *m, const char *why, struct error *err)
{
    return error_set(err, ERR_RANGE, "layer '%.*s': %s",
                     (int)(m->word.n < 32 ? m->word.n : 32), m->word.p, why);
}

static struct net_shape
shape_of(const struct net *n, int at)
{
    return at == NET_INPUT ? n->input : n->layer[at].out;
}

static int
last(const struct net *n)
{
    return (int)n->n_layers - 1;
}

static size_t
panels_of(const struct net_layer *l, bool back)
{
    size_t windows = (size_t)l->side_h * l->side_w;

    if (l->kind == NET_DENSE)
        return back ? kernel_panel_len(l->out.c, net_numbers(l->in))
                    : kernel_panel_len(net_numbers(l->in), l->out.c);
    return back ? kernel_panel_len(windows * l->out.c, l->in.c)
                : kernel_panel_len(windows * l->in.c, l->out.c);
}

/* Room for what layer l learns. */
static bool
take_numbers(struct making *m, struct net_layer *l, struct error *err)
{
    struct net *n = m->net;

    l->weight = n->n_params;
    l->bias = n->n_params + l->n_weight;
    n->n_params = l->bias + l->n_bias;
    if (l->kind == NET_DENSE || l->kind == NET_CONV) {
        l->panel = n->n_panels;
        n->n_panels += panels_of(l, false);
        l->back = n->n_back;
        n->n_back += panels_of(l, true);
        m->work += (uint64_t)l->out.h * l->out.w * l->n_weight;
    }
    m->numbers += net_numbers(l->out);
    if (n->n_params > NET_MAX_PARAMS || m->work > NET_MAX_WORK ||
        m->numbers > NET_MAX_NUMBERS)
        return error_set(err, ERR_LIMIT,
                         "layer '%.*s' makes the net too large: it takes at "
                         "most %d numbers to learn and gives %d of an example",
                         (int)(m->word.n < 32 ? m->word.n : 32), m->word.p,
                         NET_MAX_PARAMS, NET_MAX_NUMBERS);
    return true;
}

static struct net_layer *
layer_add(struct making *m, enum net_kind kind, int from, struct error *err)
{
    struct net *n = m->net;
    struct net_layer *l;

    if (n->n_layers == NET_MAX_LAYERS) {
        error_set(err, ERR_LIMIT, "over %d layers", NET_MAX_LAYERS);
        return NULL;
    }
    l = &n->layer[n->n_layers++];
    l->kind = kind;
    l->from = from;
    l->with = NET_INPUT;
    l->in = l->out = shape_of(n, from);
    l->side_h = l->side_w = l->stride = 1;
    return l;
}

static bool
add_dense(struct making *m, uint32_t units, bool bias, struct error *err)
{
    struct net_layer *l = layer_add(m, NET_DENSE, last(m->net), err);

    if (!l)
        return false;
    if (net_numbers(l->in) > NET_MAX_PARAMS / units)
        return error_set(err, ERR_LIMIT,
                         "a dense layer of %u units behind %zu numbers is too "
                         "large: max or mean before it makes them fewer",
                         units, net_numbers(l->in));
    l->out = (struct net_shape){1, 1, units};
    l->n_weight = net_numbers(l->in) * units;
    l->n_bias = bias ? units : 0;
    return take_numbers(m, l, err);
}

static bool
add_norm(struct making *m, enum net_act act, struct error *err)
{
    struct net_layer *l = layer_add(m, NET_NORM, last(m->net), err);

    if (!l)
        return false;
    l->act = act;
    l->n_weight = l->n_bias = l->out.c;
    l->state = m->net->n_state;
    m->net->n_state += 2 * (size_t)l->out.c;
    return take_numbers(m, l, err);
}

/* A norm with the function, or the function alone, on the last layer. */
static bool
finish_block(struct making *m, enum net_act act, struct error *err)
{
    if (m->plan->norm)
        return add_norm(m, act, err);
    m->net->layer[last(m->net)].act = act;
    return true;
}

static bool
add_drop(struct making *m, double rate, struct error *err)
{
    struct net_layer *l = layer_add(m, NET_DROP, last(m->net), err);

    if (!l)
        return false;
    l->rate = (float)rate;
    return take_numbers(m, l, err);
}

static bool
dense_block(struct making *m, uint32_t units, struct error *err)
{
    return add_dense(m, units, !m->plan->norm, err) &&
           finish_block(m, m->plan->act, err) &&
           (m->plan->drop <= 0 || add_drop(m, m->plan->drop, err));
}

struct window {
    uint32_t units, side, stride;
};

static bool
add_conv(struct making *m, int from, struct window v, enum net_act act,
         struct error *err)
{
    struct net_layer *l = layer_add(m, NET_CONV, from, err);

    if (!l)
        return false;
    l->side_h = l->side_w = v.side;
    l->stride = v.stride;
    l->out = (struct net_shape){(l->in.h + v.stride - 1) / v.stride,
                                (l->in.w + v.stride - 1) / v.stride, v.units};
    l->n_weight = (size_t)v.side * v.side * l->in.c * v.units;
    l->n_bias = m->plan->norm ? 0 : v.units;
    return take_numbers(m, l, err) && finish_block(m, act, err);
}

/* He et al., "Deep residual learning", CVPR 2016: two convolutions and a way
 * around them, which is one of 1 x 1 where shapes differ. */
static bool
add_residual(struct making *m, struct window v, struct error *err)
{
    struct net *n = m->net;
    int in = last(n), side = in, main;
    struct net_shape s = shape_of(n, in);
    struct window first = {v.units, v.side, v.stride};
    struct window second = {v.units, v.side, 1};
    struct window direct = {v.units, 1, v.stride};
    struct net_layer *l;

    if (!add_conv(m, in, first, m->plan->act, err) ||
        !add_conv(m, last(n), second, ACT_NONE, err))
        return false;
    main = last(n);
    if (s.c != v.units || v.stride > 1) {
        if (!add_conv(m, in, direct, ACT_NONE, err))
            return false;
        side = last(n);
    }
    if (!(l = layer_add(m, NET_ADD, main, err)))
        return false;
    l->with = side;
    l->act = m->plan->act;
    return take_numbers(m, l, err);
}

/* side 0: all places. */
static bool
add_pool(struct making *m, enum net_kind kind, uint32_t side, struct error *err)
{
    struct net_layer *l = layer_add(m, kind, last(m->net), err);

    if (!l)
        return false;
    if (side > l->in.h || side > l->in.w)
        return error_set(err, ERR_RANGE,
                         "layer '%.*s': only %u x %u places are left",
                         (int)m->word.n, m->word.p, l->in.h, l->in.w);
    l->side_h = side ? side : l->in.h;
    l->side_w = side ? side : l->in.w;
    l->stride = side ? side : 1;
    l->out.h = side ? l->in.h / side : 1;
    l->out.w = side ? l->in.w / side : 1;
    return take_numbers(m, l, err);
}

/* ---- text ---- */

/* Digits at *s, of which it takes them off; false when there are none or the
 * number is not in 1..max. */
static bool
take_count(struct str *s, uint32_t max, uint32_t *out)
{
    uint64_t v = 0;
    size_t i = 0;

    for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9' && v <= max; i++)
        v = v * 10 + (uint64_t)(s->p[i] - '0');
    if (i == 0 || v == 0 || v > max)
        return false;
    *s = (struct str){s->p + i, s->n - i};
    *out = (uint32_t)v;
    return true;
}

static bool
take_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = (struct str){s->p + 1, s->n - 1};
    return true;
}

static bool
take_word(struct str *s, const char *word)
{
    size_t n = strlen(word);

    if (!str_starts(*s, word))
        return false;
    *s = (struct str){s->p + n, s->n - n};
    return true;
}

/* UNITS [xSIDE] [/STRIDE] */
static bool
take_window(struct str *s, struct window *v)
{
    v->side = 3;
    v->stride = 1;
    return take_count(s, NET_MAX_WIDTH, &v->units) &&
           (!take_char(s, 'x') || take_count(s, 31, &v->side)) &&
           (!take_char(s, '/') || take_count(s, 8, &v->stride)) && s->n == 0;
}

static bool
pool_word(struct making *m, enum net_kind kind, struct str s, struct error *err)
{
    uint32_t side = 0;

    if (s.n > 0 && (!take_count(&s, 64, &side) || s.n > 0))
        return refuse(m, "expected max, mean, max2 or mean2", err);
    return add_pool(m, kind, side, err);
}

static bool
window_word(struct making *m, bool residual, struct str s, struct error *err)
{
    struct window v;

    if (!take_window(&s, &v) || v.side % 2 == 0)
        return refuse(m,
                      "expected units, an odd side and a stride as in "
                      "conv32, res64x5, conv32/2",
                      err);
    return residual ? add_residual(m, v, err)
                    : add_conv(m, last(m->net), v, m->plan->act, err);
}

static bool
drop_word(struct making *m, struct str s, struct error *err)
{
    double rate;

    if (!str_to_f64(s, &rate) || !(rate > 0 && rate < 1))
        return refuse(m, "expected a share between 0 and 1 as in drop0.5", err);
    return add_drop(m, rate, err);
}

static bool
layer_word(struct making *m, struct error *err)
{
    struct str s = m->word;
    uint32_t units;

    if (take_word(&s, "conv"))
        return window_word(m, false, s, err);
    if (take_word(&s, "res"))
        return window_word(m, true, s, err);
    if (take_word(&s, "max"))
        return pool_word(m, NET_MAX, s, err);
    if (take_word(&s, "mean"))
        return pool_word(m, NET_MEAN, s, err);
    if (take_word(&s, "drop"))
        return drop_word(m, s, err);
    if (!take_count(&s, NET_MAX_WIDTH, &units) || s.n > 0)
        return refuse(m,
                      "expected a number of units, conv32, res32, max2, mean2, "
                      "max, mean or drop0.5",
                      err);
    return dense_block(m, units, err);
}

static bool
is_between(char c)
{
    return c == ' ' || c == ',' || c == '\t';
}

static bool
add_layers(struct making *m, struct error *err)
{
    struct str s = str_of(m->plan->layers);

    for (size_t i = 0; i < s.n;) {
        size_t begin = i;

        if (is_between(s.p[i])) {
            i++;
            continue;
        }
        while (i < s.n && !is_between(s.p[i]))
            i++;
        m->word = (struct str){s.p + begin, i - begin};
        if (!layer_word(m, err))
            return false;
    }
    m->word = STR("outputs");
    return add_dense(m, (uint32_t)m->plan->n_outputs, true, err);
}

/* ---- the whole ---- */

static bool
add_tables(struct making *m, struct error *err)
{
    const struct net_plan *p = m->plan;
    struct net *n = m->net;
    uint64_t width = p->input.c;

    if (p->n_tables > NET_MAX_TABLES || (p->n_tables > 0 && p->input.h > 1))
        return error_set(err, ERR_LIMIT, "%zu categories, at most %d",
                         p->n_tables, NET_MAX_TABLES);
    if (!(n->table = mem_try_array(p->n_tables, sizeof *n->table, err)))
        return false;
    n->n_tables = p->n_tables;
    for (size_t i = 0; i < p->n_tables; i++) {
        struct net_table *t = &n->table[i];

        *t = (struct net_table){p->n_levels[i], p->widths[i], n->n_params};
        width += t->width;
        if (t->width == 0 || width > NET_MAX_WIDTH ||
            (uint64_t)t->width * ((uint64_t)t->n_levels + 1) >
                NET_MAX_PARAMS - n->n_params)
            return error_set(err, ERR_LIMIT,
                             "categories of %u levels and %u "
                             "numbers each are too many",
                             t->n_levels, t->width);
        n->n_params += (size_t)t->width * (t->n_levels + 1);
    }
    n->input.c = (uint32_t)width;
    return true;
}

static bool
input_check(const struct net_plan *p, struct error *err)
{
    struct net_shape s = p->input;

    if (s.h == 0 || s.w == 0 || s.h > NET_MAX_SIDE || s.w > NET_MAX_SIDE ||
        s.c > NET_MAX_WIDTH || (s.c == 0 && p->n_tables == 0) ||
        net_numbers(s) > NET_MAX_NUMBERS)
        return error_set(err, ERR_LIMIT,
                         "an input of %u x %u x %u numbers, expected at most "
                         "%d x %d x %d",
                         s.h, s.w, s.c, NET_MAX_SIDE, NET_MAX_SIDE,
                         NET_MAX_WIDTH);
    if (p->n_outputs == 0 || p->n_outputs > NET_MAX_WIDTH)
        return error_set(err, ERR_LIMIT, "%zu outputs", p->n_outputs);
    return true;
}

struct net *
net_new(const struct net_plan *plan, struct error *err)
{
    struct net *n;
    struct making m = {.plan = plan};

    if (!input_check(plan, err) || !(n = mem_try_array(1, sizeof *n, err)))
        return NULL;
    m.net = n;
    n->input = plan->input;
    n->n_numbers = net_numbers(plan->input);
    n->n_outputs = plan->n_outputs;
    if ((n->layer = mem_try_array(NET_MAX_LAYERS, sizeof *n->layer, err)) &&
        add_tables(&m, err) && add_layers(&m, err))
        return n;
    net_free(n);
    return NULL;
}

/* ---- numbers to begin with ---- */

static void
fill(float *p, size_t n, double reach, uint64_t seed, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (float)((2 * rng_unit(seed, stream, i) - 1) * reach);
}

static void
begin_layer(struct net *n, const struct net_layer *l, uint64_t seed)
{
    uint64_t stream = STREAM_INIT + (uint64_t)(l - n->layer);
    bool final = l - n->layer == last(n);
    double fan = (double)l->n_weight / l->out.c;

    if (l->kind == NET_NORM) {
        for (size_t c = 0; c < l->out.c; c++) {
            n->param[l->weight + c] = 1;
            n->state[l->state + l->out.c + c] = 1;
        }
        return;
    }
    /* The last layer begins small: all answers near the mean. */
    if (l->n_weight > 0)
        fill(n->param + l->weight, l->n_weight, sqrt((final ? 0.3 : 6) / fan),
             seed, stream);
}

bool
net_begin(struct net *n, uint64_t seed, struct error *err)
{
    n->param = mem_try_aligned(n->n_params, sizeof *n->param, err);
    n->state = mem_try_aligned(n->n_state, sizeof *n->state, err);
    if (!n->param || !n->state)
        return false;
    for (size_t i = 0; i < n->n_tables; i++) {
        const struct net_table *t = &n->table[i];

        /* The row of the unknown begins as the mean of the others: 0. */
        fill(n->param + t->weight + t->width, (size_t)t->n_levels * t->width,
             0.5, seed, STREAM_INIT - 1 - i);
    }
    for (size_t i = 0; i < n->n_layers; i++)
        begin_layer(n, &n->layer[i], seed);
    return true;
}
