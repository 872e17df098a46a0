/* engine/trees/objective.h -- losses and their gradients.
 *
 *   squared    (f - y)^2: g = f - y, h = 1
 *   absolute   |f - y|: g = sign(f - y), h = 1
 *   huber      squared / 2 up to delta, then linear: g = f - y within +-delta
 *   quantile   (y - f) (a - [y < f]): g = [y < f] - a, h = 1; an output each a
 *   poisson    deviance of mu = exp(f): g = mu - y, h = mu
 *   gamma      deviance: g = 1 - y / mu, h = y / mu
 *   tweedie    deviance of power p: g = mu^(2 - p) - y mu^(1 - p)
 *   logistic   log loss of p = 1 / (1 + exp(-f)): g = p - y, h = p (1 - p)
 *   softmax    log loss of p = softmax(f): g = p_c - [y = c],
 *              h = K / (K - 1) p_c (1 - p_c)
 *   ova        logistic for each class against the others
 *   cox        partial likelihood of hazards exp(f): |y| is a time, y > 0 says
 *              that the event came then, y < 0 that it was not seen until then;
 *              ties as Breslow
 *   rank       LambdaRank for NDCG@rank_at within queries, gain 2^y - 1
 *   own        what the caller's function says
 *
 * Deviances, like squared error, have g as half of their derivative.  The loss
 * of rank is 1 - NDCG.
 *
 * Scores f are raw: shape (n, k), row-major, k = 1 or the number of classes or
 * of quantiles.  Gradients are one plane of n pairs per output.  Everything
 * passes through base/fmath, so that all CPUs agree on every bit.
 * Source: Friedman, "Greedy function approximation", 2001 (K / (K - 1), huber);
 *         Chen & Guestrin, "XGBoost", KDD 2016 (second order); Burges, "From
 *         RankNet to LambdaRank to LambdaMART", 2010.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_OBJECTIVE_H
#define LATHE_ENGINE_TREES_OBJECTIVE_H

#include <stddef.h>

#include "engine/target.h"
#include "engine/train.h"
#include "engine/trees/gradient.h"

enum loss {
    LOSS_SQUARED,
    LOSS_ABSOLUTE,
    LOSS_HUBER,
    LOSS_QUANTILE,
    LOSS_POISSON,
    LOSS_GAMMA,
    LOSS_TWEEDIE,
    LOSS_LOGISTIC,
    LOSS_SOFTMAX,
    LOSS_OVA,
    LOSS_COX,
    LOSS_RANK,
    LOSS_OWN
};
enum { LOSS_MAX_QUANTILES = 32 };

const char *loss_word(enum loss l); /* "squared" */
bool loss_find(const char *word, enum loss *out);
enum loss loss_usual(enum problem p); /* squared, logistic, softmax */
/* The kind of target that it is a loss of; own: -1. */
int loss_problem(enum loss l);
/* Is the prediction exp(f)? */
bool loss_is_log(enum loss l);

/* A loss with its numbers. */
struct loss_rule {
    enum loss loss;
    double delta; /* huber; 0: the 0.9 quantile of |y - median| */
    double power; /* tweedie: 1 < p < 2 */
    size_t n_quantiles;
    double quantile[LOSS_MAX_QUANTILES]; /* ascending, within (0, 1) */
    size_t rank_at;                      /* places that count */
};
/* "0.1,0.5,0.9" */
bool loss_quantiles(struct loss_rule *r, const char *text,
                    struct error *err) MUST_USE;
/* The quantile nearest to a half: the one that is judged. */
size_t loss_middle(const struct loss_rule *r);

struct objective_ranked {
    double score;
    uint32_t row;
};

/* A loss over rows. */
struct objective {
    struct loss_rule rule;
    enum problem problem;
    size_t n, k;              /* rows, outputs */
    const double *y, *weight; /* borrowed; weight NULL: all 1 */
    const uint32_t *group;    /* borrowed; NULL: none */
    const struct train *ctx;  /* borrowed; own: its loss */
    bool valid;               /* rows held out, for own */
    double total;             /* what a sum of losses is divided by */
    double *found_g, *found_h,
        *found;      /* n each: of cox, rank and own, gradients
                                          and losses at the scores at hand */
    uint32_t *order; /* cox: latest first; rank: query by query */
    size_t *start;   /* rank: n_queries + 1, in order */
    size_t n_queries;
    double *best;     /* rank: of each query, 1 / the best DCG; 0: none */
    double *discount; /* rank: by place */
    struct objective_ranked *ranked; /* rank: n, rows by score */
};

/* y and ctx are borrowed.  ERR_RANGE with the row when its targets are none of
 * this loss; ERR_USAGE when rank has no queries; ERR_CANCELLED.  valid: for
 * rows held out. */
bool objective_init(struct objective *o, const struct loss_rule *rule,
                    const struct target *y, const struct train *ctx, bool valid,
                    struct error *err) MUST_USE;
void objective_fini(struct objective *o); /* {0} is allowed */

/* The constant scores that minimise the loss: k of them.  Where scores begin
 * elsewhere, at `offset` (n; or NULL), what is best to add to them.
 * ERR_CANCELLED. */
bool objective_base(struct objective *o, const double *offset, double *base,
                    struct error *err) MUST_USE;
/* Before gradients or losses at other scores. */
bool objective_look(struct objective *o, const double *score,
                    struct error *err) MUST_USE;
/* Gradients of rows begin..end-1, times their weights; plane c of g starts at
 * g + c * n.  h is 0 only for a row without weight.  When `loss` is not NULL,
 * the weighted sum of the rows' losses goes there. */
void
objective_gradients(const struct objective *o, const double *score,
                    size_t begin, size_t end, struct gradient *g, double *loss);
/* Weighted sum of the losses of rows begin..end-1. */
double objective_loss(const struct objective *o, const double *score,
                      size_t begin, size_t end);
/* Is the value of a leaf to be found anew from its residuals? */
bool objective_renews(const struct objective *o);
/* A residual y - f and the weight of its row. */
struct residual {
    double r, w;
};
/* The best step for n residuals of an output, which are put in another order. */
double objective_step(const struct objective *o, size_t output,
                      struct residual *r, size_t n);
/* Scores of n rows to probabilities or values, in place. */
void objective_transform(const struct loss_rule *rule, enum problem problem,
                         double *score, size_t n, size_t k);
#endif
