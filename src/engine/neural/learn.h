/* engine/neural/learn.h -- epochs: batches, metrics, when to stop; answers.
 *
 * The same data, rule and seed give the same numbers on any number of threads
 * and any processor.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_LEARN_H
#define LATHE_ENGINE_NEURAL_LEARN_H

#include "engine/model.h"
#include "engine/neural/loss.h"
#include "engine/neural/optimiser.h"
#include "engine/neural/pass.h"

/* Rows as a net's inputs. */
struct net_rows {
    size_t n;
    /* Fills what is wanted; called from many threads. */
    bool (*take)(const void *ctx, const struct net_wanted *w,
                 struct error *err);
    const void *ctx;
};

/* From a net's scores to a prediction. */
struct net_scale {
    enum problem problem;
    size_t k;
    double mean, sd; /* of a regression's target */
};

/* (n, k) predictions, or of classes the scores before they are made
 * probabilities.  ERR_CANCELLED when it was stopped. */
enum net_answers { NET_PREDICTIONS, NET_MARGINS };
struct net_question {
    const struct net_ready *ready;
    const struct net_scale *scale;
    const struct net_rows *rows;
    enum net_answers want;
};
bool net_answer(const struct net_question *q, struct pool *pool,
                const struct progress *stop, double *out,
                struct error *err) MUST_USE;

struct net_learning {
    const struct fit_data *d;
    const struct train *ctx;
    struct net *net;        /* begun */
    const struct net *init; /* to go on from, of the same plan; NULL: none */
    const struct net_rows *rows, *valid;
    struct loss loss;
    struct opt_rule rule;
    size_t epochs, batch;
    /* found */
    struct net_scale scale;
    size_t kept; /* the epoch whose weights were kept */
};
/* ERR_CANCELLED when it was stopped before the first epoch's end; later what
 * was best is kept.  ERR_RANGE when it diverged at once. */
bool net_learn(struct net_learning *l, struct error *err) MUST_USE;
/* How far each number of the input moves the answer: the mean of the size of
 * the derivative over some rows, (numbers of the input); and its square with
 * a table's row, (n_tables). */
bool net_reach(const struct net_learning *l, double *numbers, double *tables,
               struct error *err) MUST_USE;
#endif
