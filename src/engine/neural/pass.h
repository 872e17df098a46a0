/* engine/neural/pass.h -- a batch through a net, and the gradient back.
 *
 * The rows of a batch are cut into chunks by its size alone.  A chunk goes
 * through layer after layer while its numbers are in cache; where a norm
 * measures the whole batch, all chunks meet.  On the way back likewise.  The
 * gradient of a convolution's weights is summed by chunks and folded in their
 * order; that of a dense layer, which has many weights and short rows, is
 * computed by bands of weights over the whole batch at the end.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_PASS_H
#define LATHE_ENGINE_NEURAL_PASS_H

#include "base/progress.h"
#include "engine/neural/kernel.h"
#include "engine/neural/net.h"

/* A net's weights as the kernels want them; to be made anew when they change.
 * Threads: immutable between two net_ready_make(). */
struct net_ready {
    const struct net *net;
    float *panel;
    float *back;           /* NULL: for answers alone */
    float *factor, *shift; /* of norms, as what they measured has it; where
                              layer.state / 2 says */
};
bool net_ready_init(struct net_ready *r, const struct net *n, bool back,
                    struct error *err) MUST_USE;
void net_ready_make(struct net_ready *r, struct pool *pool);
void net_ready_fini(struct net_ready *r);

/* Room for a batch. */
struct net_pass {
    const struct net *net;
    const struct kernels *kernels;
    size_t cap, n; /* rows: room, at hand */
    size_t grain, n_chunks;
    float *input;   /* (cap, numbers of the input): the caller puts n_numbers
                       into each row, the pass those of tables behind them */
    uint32_t *code; /* (cap, n_tables): 0 unknown, else level + 1 */
    float **out;    /* of each layer */
    float *answer;  /* that of the last */
    float *pad;     /* an image with its edges, for each chunk */
    size_t pad_len;
    /* learning */
    float **grad;      /* of each layer's output */
    float *grad_input; /* NULL where nobody needs it */
    bool *adds;        /* for each layer two: is there something in the
                         gradient of its input (of `with`) already? */
    float *part;       /* (chunks, n_part): convolutions' gradients */
    size_t n_part, *part_at;
    double *sums; /* (chunks, 2 x widest place) */
    size_t sums_len;
    float *factor, *shift, *slope, *bend, *level; /* of norms in this batch */
    double *mean, *scatter;
    float *gradient;     /* of net->param */
    uint64_t seed, step; /* what is dropped */
};
/* wants_input: the gradient of the input, too. */
struct net_pass *net_pass_new(const struct net *n, size_t rows, bool learns,
                              bool wants_input, struct error *err) MUST_USE;
void net_pass_free(struct net_pass *p);
/* Bytes that it takes, nearly. */
double net_pass_bytes(const struct net *n, size_t rows, bool learns);

/* Answers for the n rows in input and code, on this thread; false when it was
 * stopped, at one of the layers. */
bool net_pass_answer(struct net_pass *p, const struct net_ready *r,
                     const struct progress *stop) MUST_USE;

/* The loss of rows begin..end and its gradient by the answers. */
typedef void net_loss_fn(void *ctx, size_t chunk, size_t begin, size_t end,
                         const float *answer, float *grad);
/* gradient of the n rows at hand, and what norms measured into the net's
 * state.  false, with nothing changed, when it was stopped. */
bool net_pass_learn(struct net_pass *p, const struct net_ready *r,
                    struct net *state, net_loss_fn *loss, void *ctx,
                    struct pool *pool, const struct progress *stop) MUST_USE;

/* ---- for pass*.c alone ---- */

const float *pass_source(const struct net_pass *p, int at);
/* Rows begin..end through layer l.  factor, shift: of a norm. */
struct pass_norm {
    const float *factor, *shift;
};
void
pass_forward(struct net_pass *p, const struct net_ready *r, size_t l,
             struct pass_norm norm, size_t chunk, size_t begin, size_t end);
void pass_tables(struct net_pass *p, size_t begin, size_t end);
void pass_drop(struct net_pass *p, const struct net_layer *l, size_t begin,
               size_t end, const float *x, float *out, bool add);
/* Image x of shape s into p->pad's part of the chunk: at (top, top), places
 * `apart`, in one of h x w places, zeros elsewhere. */
struct pass_frame {
    uint32_t h, w, top, apart;
};
float *pass_pad(struct net_pass *p, size_t chunk, const float *x,
                struct net_shape s, struct pass_frame f);
/* The size of a convolution's input with its edges. */
struct pass_frame pass_edges(const struct net_layer *l);

/* Rows that a pass is to begin with. */
struct net_wanted {
    const uint32_t *row; /* n of them; NULL: first..first + n - 1 */
    size_t first, n;
    uint64_t draw; /* which of the endless variants of a row in training; 0: the
                      row as it is */
    float *numbers;
    size_t stride;  /* of the numbers of a row and the next */
    uint32_t *code; /* those of a row and the next side by side */
};
#endif
