/* engine/neural/net.h -- a net: layers, their shapes, their numbers.
 *
 * An example is an image of h x w places with c numbers each, the numbers of a
 * place side by side ("NHWC"); a row of a table is an image of one place.  So
 * a dense layer, a convolution and a norm all see rows of c numbers.
 *
 * Layers stand in order; each takes the output of an earlier one, `from`, or
 * the net's input, and NET_ADD of a second one, `with`.  All that is learnt
 * lies in one array, `param`, which optimiser, clipping and files see as such;
 * what norms measure in training lies in `state`.  A net's text (net_text())
 * says all about its layers, so that a file needs no more than that and the
 * two arrays.
 *
 * Numbers are float; sums over a batch are double, in the order of chunks that
 * the size of the batch alone decides.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_NET_H
#define LATHE_ENGINE_NEURAL_NET_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/pool.h"
#include "base/str.h"

enum {
    NET_MAX_LAYERS = 128,
    NET_MAX_TABLES = 1024,
    NET_MAX_WIDTH = 65536,     /* numbers of a place; units of a layer */
    NET_MAX_SIDE = 4096,       /* places of a side */
    NET_MAX_NUMBERS = 1 << 26, /* of all layers' outputs, of one example */
    NET_MAX_PARAMS = 1 << 28,
    NET_INPUT = -1
};
/* Multiplications of one example: a file cannot make an answer take minutes. */
#define NET_MAX_WORK (UINT64_C(1) << 33)

struct net_shape {
    uint32_t h, w, c;
};

enum net_kind {
    NET_DENSE,
    NET_CONV, /* edges are filled up with zeros */
    NET_NORM, /* batch norm */
    NET_DROP,
    NET_MAX,
    NET_MEAN,
    NET_ADD
};
enum net_act { ACT_NONE, ACT_RELU, ACT_LEAKY, ACT_ELU, ACT_TANH };
#define NET_LEAK 0.01f /* the slope of ACT_LEAKY below 0 */

struct net_layer {
    enum net_kind kind;
    enum net_act act; /* put on the output */
    struct net_shape in, out;
    int from, with;
    uint32_t side_h, side_w, stride; /* of a window */
    float rate;                      /* dropped */
    size_t weight, n_weight;         /* in param; a norm's factors */
    size_t bias, n_bias;
    size_t state;       /* a norm's means, then variances, c each */
    size_t panel, back; /* where its weights begin in panels; back: turned
                            around, for the gradient of the input */
};

/* A category of the input: each level has a row of numbers of its own, row 0
 * is that of what is missing or unknown. */
struct net_table {
    uint32_t n_levels, width;
    size_t weight; /* in param, (n_levels + 1, width) */
};

struct net {
    struct net_shape input; /* with the tables' numbers behind the others */
    size_t n_numbers;
    struct net_table *table; /* owned */
    size_t n_tables;
    struct net_layer *layer; /* owned */
    size_t n_layers;
    size_t n_params, n_state, n_panels, n_back;
    size_t n_outputs;
    float *param, *state; /* owned; NULL until net_begin() */
};

/* What a net is made for. */
struct net_plan {
    struct net_shape input;   /* without tables */
    const uint32_t *n_levels; /* of each table */
    const uint32_t *widths;   /* of its rows */
    size_t n_tables;
    size_t n_outputs;
    /* Layers, separated by commas or blanks:
     *   64         dense layer of 64 units
     *   conv32     convolution to 32 numbers, 3 x 3; conv32x5: 5 x 5;
     *              conv32/2, conv32x5/2: every second place
     *   res64      two convolutions, what came in added; res64/2
     *   max2 mean2 the largest, the mean of 2 x 2 places; max, mean: of all
     *   drop0.5    half of the numbers left out, in training
     * and at the end, unwritten, a dense layer of n_outputs. */
    const char *layers;
    enum net_act act;
    bool norm;   /* behind dense layers and convolutions */
    double drop; /* behind dense layers */
};

/* ERR_RANGE: a layer that is none, or does not fit its input; ERR_LIMIT: too
 * large.  No numbers yet. */
struct net *net_new(const struct net_plan *plan, struct error *err) MUST_USE;
void net_free(struct net *n);
/* Numbers to begin with: uniform, of variance 2 / fan-in (He et al., 2015). */
bool net_begin(struct net *n, uint64_t seed, struct error *err) MUST_USE;

bool net_act_parse(const char *word, enum net_act *out) MUST_USE;
const char *net_act_word(enum net_act a);
static inline size_t
net_numbers(struct net_shape s)
{
    return (size_t)s.h * s.w * s.c;
}
#endif
