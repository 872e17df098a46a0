/* engine/neural/learn_state.h -- epochs at work, for learn*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_LEARN_STATE_H
#define LATHE_ENGINE_NEURAL_LEARN_STATE_H

#include <stdatomic.h>

#include "engine/neural/learn.h"

struct epochs {
    struct net_learning *l;
    struct net_ready ready;
    struct net_pass *pass;
    struct optimiser *opt;
    uint32_t *order;
    double *loss;   /* of each chunk of a batch */
    double *y;      /* scaled, of the training rows */
    double *weight; /* of them, 1 on average; NULL: all 1 */
    double *answer; /* of the validation rows */
    float *best, *best_state;
    size_t stop; /* as fit_data.stop */
    double best_value;
    size_t epoch, best_epoch; /* done */
    uint64_t n_steps, step;   /* of an epoch; done in all */
    struct checkpoint_mark saved;
    /* of the batch at hand */
    const uint32_t *row;
    atomic_bool failed;
    struct error err;
};

/* At the end of an epoch: write a checkpoint where it is time for one. */
bool epochs_checkpoint(struct epochs *e, struct error *err) MUST_USE;
/* Go on from the one that is there, where that is wanted. */
bool epochs_resume(struct epochs *e, struct error *err) MUST_USE;
#endif
