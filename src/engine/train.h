/* engine/train.h -- what a fit is given besides data and parameters.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TRAIN_H
#define LATHE_ENGINE_TRAIN_H

#include "base/pool.h"
#include "base/progress.h"
#include "engine/event.h"

/* A loss of the caller's own, for one score a row.  The model that is learnt by
 * it predicts the scores of a regression, and of two classes the logistic
 * function of them. */
struct train_loss {
    /* Called on the thread of the fit, for the training rows (valid: for those
     * held out, whose gradients nobody wants).  Fills n values each: first and
     * second derivative of the loss in the score, both before weights, and the
     * loss.  False ends the fit with err. */
    bool (*find)(void *ctx, const double *score, const double *y, size_t n,
                 bool valid, double *g, double *h, double *loss,
                 struct error *err);
    void *ctx;
};

struct train {
    struct pool *pool;         /* NULL: this thread alone */
    struct progress *progress; /* NULL: nobody looks, nobody cancels */
    struct event_sink sink;
    uint64_t seed;
    const struct train_loss *loss; /* NULL: one that the family has */
};
#endif
