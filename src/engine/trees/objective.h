/* engine/trees/objective.h -- losses and their gradients.
 *
 *   regression  squared error / 2: g = f - y, h = 1
 *   binary      log loss of p = 1 / (1 + exp(-f)): g = p - y, h = p (1 - p)
 *   multiclass  log loss of p = softmax(f): g = p_c - [y = c],
 *               h = K / (K - 1) p_c (1 - p_c)
 *
 * Scores f are raw: shape (n, k), row-major, k = 1 or the number of classes.
 * Gradients are one plane of n pairs per output.  Everything passes through
 * base/fmath, so that all CPUs agree on every bit.
 * Source: Friedman, "Greedy function approximation", 2001 (K / (K - 1));
 *         Chen & Guestrin, "XGBoost", KDD 2016 (second order).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_OBJECTIVE_H
#define LATHE_ENGINE_TREES_OBJECTIVE_H

#include <stddef.h>

#include "engine/encode.h"

struct gradient {
    float g, h;
};

/* A loss over rows; all borrowed. */
struct objective {
    enum problem problem;
    size_t n, k; /* rows, outputs */
    const double *y;
    const double *weight; /* NULL: all 1 */
};
struct objective objective_of(const struct target *t);

/* The constant scores that minimise the loss: k of them. */
void objective_base(const struct objective *o, double *base);
/* Gradients of rows begin..end-1, times their weights; plane c of g starts at
 * g + c * n.  h is 0 only for a row without weight.  When `loss` is not NULL,
 * the weighted sum of the rows' losses (squared error, log loss) goes there. */
void
objective_gradients(const struct objective *o, const double *score,
                    size_t begin, size_t end, struct gradient *g, double *loss);
/* Weighted sum of the losses of rows begin..end-1. */
double objective_loss(const struct objective *o, const double *score,
                      size_t begin, size_t end);
/* Scores of n rows to probabilities or values, in place. */
void
objective_transform(enum problem problem, double *score, size_t n, size_t k);
#endif
