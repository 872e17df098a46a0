/* engine/classic/sgd.h -- linear models by stochastic gradients, for tables of
 * any size.
 *
 * Rows are gone through in turn, each moving the weights a little; several
 * times, until the loss rests.  Rows beyond memory are read again for each
 * turn, a block at a time, and drawn at random within a block, so that memory
 * is bounded by the block.  What answers is the mean of the weights along the
 * way, later ones counting more.
 *
 * The model minimises mean loss + lambda (l1_ratio |w| + (1 - l1_ratio) w^2 /
 * 2), as those of linear.h do, to the accuracy that so many turns give.
 * Steps are implicit: bounded by what the curvature allows, so that no rate and
 * no row makes them run away.
 *
 * The learner is that of linear.h: it is scored, explained, saved and exported
 * as one.
 * Source: Tsuruoka et al., "Stochastic gradient descent training for
 *         L1-regularized log-linear models", ACL 2009; Robbins & Monro 1951; Toulis & Airoldi, "Asymptotic and finite-sample
 *         properties of estimators based on stochastic gradients", 2017
 *         (implicit steps); Shamir & Zhang, "Stochastic gradient descent for
 *         non-smooth optimization", ICML 2013 (the mean).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_SGD_H
#define LATHE_ENGINE_CLASSIC_SGD_H

#include "engine/model.h"

extern const struct family sgd_family;
#endif
