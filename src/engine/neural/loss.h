/* engine/neural/loss.h -- what a net is to make small.
 *
 * A text of terms with weights: "logloss", "squared + 0.3 absolute".  Of
 * classes the answers are scores, from which probabilities come by the
 * logistic function or softmax; of numbers they are in units of the target's
 * deviation around its mean, so that a loss means the same for any unit.
 *   logloss         - log of the probability of the truth
 *   focal           the same, times (1 - that probability)^2 (Lin et al.,
 *                   "Focal loss", ICCV 2017): rows that are clear weigh less
 *   brier           squares of probability less truth, summed over classes
 *   squared         half of the square of the error
 *   absolute        its size
 *   huber           squared below 1, absolute above
 *   quantile0.9     the error's size, times 0.9 where the answer is too low,
 *                   0.1 where it is too high
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_LOSS_H
#define LATHE_ENGINE_NEURAL_LOSS_H

#include "engine/target.h"

enum loss_kind {
    NET_LOSS_LOGLOSS,
    NET_LOSS_FOCAL,
    NET_LOSS_BRIER,
    NET_LOSS_SQUARED,
    NET_LOSS_ABSOLUTE,
    NET_LOSS_HUBER,
    NET_LOSS_QUANTILE
};
enum { NET_LOSS_MAX_TERMS = 4 };

struct loss_term {
    enum loss_kind kind;
    double weight, share; /* share: of a quantile */
};

struct loss {
    enum problem problem;
    size_t k;      /* answers of a row */
    double smooth; /* share of a class's truth spread over all classes */
    struct loss_term term[NET_LOSS_MAX_TERMS];
    size_t n_terms;
};

/* text "auto": logloss or squared.  ERR_RANGE for what is no such loss, or
 * none of the problem's. */
bool loss_init(struct loss *l, const char *text, enum problem problem, size_t k,
               double smooth, struct error *err) MUST_USE;
/* One row: y is its class or its number; the gradient times `scale` into grad.
 * Returns the loss. */
double loss_row(const struct loss *l, const float *answer, double y,
                double scale, float *grad);
/* Probabilities, or numbers as they are. */
void
loss_answer(enum problem problem, const float *answer, size_t k, double *out);
/* Is it the metric of that name, and nothing else? */
const char *loss_metric(const struct loss *l);
#endif
