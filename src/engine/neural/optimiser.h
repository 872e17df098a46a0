/* engine/neural/optimiser.h -- steps down the gradient.
 *
 * Sources: Kingma & Ba, "Adam", ICLR 2015; Loshchilov & Hutter, "Decoupled
 * weight decay regularization" (AdamW), ICLR 2019, and "SGDR" (cosine), ICLR
 * 2017; Smith & Topin, "Super-convergence" (one cycle), 2018.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_OPTIMISER_H
#define LATHE_ENGINE_NEURAL_OPTIMISER_H

#include "engine/neural/net.h"

enum opt_kind { OPT_ADAMW, OPT_ADAM, OPT_SGD };
enum opt_schedule { RATE_CONSTANT, RATE_COSINE, RATE_STEP, RATE_ONE_CYCLE };

struct opt_rule {
    enum opt_kind kind;
    enum opt_schedule schedule;
    double rate;
    double momentum;      /* of SGD (Nesterov's); Adam's first decay */
    double decay;         /* of weights; not of biases, norms, tables */
    double clip;          /* longest gradient; 0: any */
    double warm;          /* share of all steps at the beginning, linear */
    double every, factor; /* RATE_STEP: each such share of all steps the rate
                             is taken times factor */
    uint64_t n_steps;     /* in all */
};

/* The rate of step 0 <= step < n_steps. */
double opt_rate(const struct opt_rule *r, uint64_t step);

struct optimiser;
struct optimiser *opt_new(const struct opt_rule *r, const struct net *n,
                          struct error *err) MUST_USE;
void opt_free(struct optimiser *o);
/* What it remembers, a number for each that is learnt; how many second ones
 * each has: 0 or 1.  Borrowed. */
size_t opt_memory(struct optimiser *o, float **first, float **second);
/* ... as it was after so many steps. */
void opt_go_on(struct optimiser *o, uint64_t step);
/* One step on n->param, whose gradient it is.  Returns the gradient's length
 * before clipping; not finite: nothing was changed. */
double opt_step(struct optimiser *o, struct net *n, float *gradient,
                struct pool *pool);
#endif
