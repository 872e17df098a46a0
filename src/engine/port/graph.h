/* engine/port/graph.h -- a model as a few steps from columns to answers: what
 * every format is read into and written from.
 *
 * A node makes `width` numbers of each row out of those of nodes before it;
 * the last node is the answer.  Numbers are doubles, missing is NaN.
 *
 *   INPUT    columns `index` of the design
 *   JOIN     all inputs side by side
 *   PICK     columns `index` of the input
 *   ROUND    to 32 bits, as programs do whose tables are floats
 *   FILL     a[j] where it is missing (c = 1: or infinite)
 *   MISSING  1 where it is missing (c = 1: or infinite; c = 2: infinite
 *            only), else 0
 *   SCALE    (x - a[j]) * b[j]
 *   ONEHOT   of one column: 1 at index[i] where it equals a[i], else 0
 *   MAP      of one column: b[i] where it equals a[i], c where none does
 *   DENSE    sum of x[i] a[i * width + j], plus b[j]
 *   CLIP     within a[0]..b[0]
 *   EMBED    of each column: row (whole part of x) of the table a; row 0 where
 *            there is none
 *   DISTANCE squared, to each row of a
 *   NEAREST  the places, from 1, of the width / 2 smallest numbers, then these;
 *            the smallest first, of equal ones the earlier
 *   CONV     an image, channel by channel, with the kernels a (outputs, inputs,
 *            height, width), plus b; index: enum graph_window
 *   MAXPOOL, MEANPOOL  of the windows of each channel; those of a mean lie
 *            within it
 *   TREES    the sums of an ensemble
 *   ADD ...  of two inputs of one width, or the second one of width 1
 *   WHERE    the second input where the first is not 0, else the third
 *
 * and functions of single numbers or, SOFTMAX and NORMALIZE, of a row.
 *
 * Threads: shared by reference count, immutable once checked.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_GRAPH_H
#define LATHE_ENGINE_PORT_GRAPH_H

#include "base/json.h"
#include "base/pool.h"
#include "engine/encode.h"
#include "engine/port/ensemble.h"

enum graph_op {
    GRAPH_INPUT,
    GRAPH_JOIN,
    GRAPH_PICK,
    GRAPH_ROUND,
    GRAPH_FILL,
    GRAPH_MISSING,
    GRAPH_SCALE,
    GRAPH_ONEHOT,
    GRAPH_MAP,
    GRAPH_CLIP,
    GRAPH_EMBED,
    GRAPH_DISTANCE,
    GRAPH_NEAREST,
    GRAPH_CONV,
    GRAPH_MAXPOOL,
    GRAPH_MEANPOOL,
    GRAPH_DENSE,
    GRAPH_TREES,
    GRAPH_ADD,
    GRAPH_SUB,
    GRAPH_MUL,
    GRAPH_DIV,
    GRAPH_OR,
    GRAPH_POW,
    GRAPH_MOD, /* with the sign of the first */
    GRAPH_WHERE,
    GRAPH_RELU,
    GRAPH_LEAKY, /* x < 0: c x */
    GRAPH_ELU,   /* x < 0: exp(x) - 1 */
    GRAPH_SIGMOID,
    GRAPH_TANH,
    GRAPH_EXP,
    GRAPH_LOG,
    GRAPH_SQRT,
    GRAPH_FLOOR,
    GRAPH_WHOLE, /* the nearest whole number, halves to even */
    GRAPH_SOFTPLUS,
    GRAPH_SQUARE, /* x |x| */
    GRAPH_STEP,   /* 1 where x > c, else 0 */
    GRAPH_SOFTMAX,
    GRAPH_NORMALIZE /* by the sum of the row */
};
enum {
    GRAPH_N_OPS = GRAPH_NORMALIZE + 1,
    GRAPH_MAX_NODES = 65536,
    GRAPH_MAX_WIDTH = 1 << 20 /* of all nodes together: 1 << 22 */
};

/* What a window's node has in `index`: channels, height and width of the
 * image, the window, how far it moves, the edges of zeros above and left, and
 * how often it fits. */
enum graph_window {
    WINDOW_C,
    WINDOW_H,
    WINDOW_W,
    WINDOW_SIDE_H,
    WINDOW_SIDE_W,
    WINDOW_STRIDE,
    WINDOW_TOP,
    WINDOW_LEFT,
    WINDOW_OUT_H,
    WINDOW_OUT_W,
    WINDOW_N
};
/* Multiplications of a row: a file cannot make an answer take minutes. */
#define GRAPH_MAX_WORK (UINT64_C(1) << 33)

struct graph_node {
    enum graph_op op;
    size_t width;
    size_t n_in, n_a, n_b, n_index;
    uint32_t *in;
    double *a, *b, c;
    uint32_t *index;
    struct ensemble *trees; /* owned */
};

struct graph {
    size_t n, n_cols; /* nodes; columns of the design */
    struct graph_node *node;
    size_t widths; /* of all nodes together */
    /* private */
    size_t cap;
    void *state;
};

struct graph *graph_new(size_t n_cols, struct error *err) MUST_USE;
struct graph *graph_ref(const struct graph *g);
void graph_unref(struct graph *g);

/* Append a node whose arrays are copies of those of `like` (in, a, b, index;
 * NULL with a count: zeros, to be filled by the caller) and whose trees are
 * taken over, also when it fails.  *id: its number; may be NULL. */
bool graph_add(struct graph *g, const struct graph_node *like, uint32_t *id,
               struct error *err) MUST_USE;
/* The same for a node of one input and nothing else, as wide as it. */
bool graph_add_simple(struct graph *g, enum graph_op op, uint32_t in,
                      uint32_t *id, struct error *err) MUST_USE;
bool graph_add_clip(struct graph *g, uint32_t in, double low, double high,
                    uint32_t *id, struct error *err) MUST_USE;
/* INPUT of columns first..first + n - 1. */
bool graph_add_input(struct graph *g, size_t first, size_t n, uint32_t *id,
                     struct error *err) MUST_USE;
/* Does everything fit together?  Once, before the first graph_score(). The
 * last node must be `width` wide.  ERR_PARSE, ERR_LIMIT. */
bool graph_check(struct graph *g, size_t width, struct error *err) MUST_USE;

/* out: shape (rows of d, width of the last node). */
bool graph_score(const struct graph *g, const struct design *d,
                 struct pool *pool, double *out, struct error *err) MUST_USE;
/* The same of another node. */
bool graph_score_at(const struct graph *g, size_t node, const struct design *d,
                    struct pool *pool, double *out, struct error *err) MUST_USE;
/* What columns contribute, not scaled: gains of trees and sizes of weights,
 * traced back through the nodes. */
bool
graph_weigh(const struct graph *g, double *out, struct error *err) MUST_USE;

/* Does the answer depend on a node?  A flag for each; caller frees. */
bool *graph_live(const struct graph *g, struct error *err) MUST_USE;
/* Multiplications that a row takes, nearly. */
uint64_t graph_work(const struct graph *g);

const char *graph_op_word(enum graph_op op);
/* Into the open object of a learner: "nodes", and tensors "imported.*". */
void
graph_save(const struct graph *g, struct st_writer *w, struct json_writer *m);
struct graph *
graph_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
           size_t width, struct error *err) MUST_USE;
#endif
