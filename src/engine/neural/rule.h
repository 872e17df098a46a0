/* engine/neural/rule.h -- the parameters that all nets have.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_RULE_H
#define LATHE_ENGINE_NEURAL_RULE_H

#include "engine/neural/learn.h"

/* Rows of a family's table of parameters. */
#define NET_RULE_PARAMS                                                     \
    {"activation",                                                          \
     PARAM_CHOICE,                                                          \
     0,                                                                     \
     0,                                                                     \
     "relu",                                                                \
     "relu|leaky_relu|elu|tanh",                                            \
     "function behind each layer"},                                         \
        {"batch_norm",                                                      \
         PARAM_BOOL,                                                        \
         0,                                                                 \
         0,                                                                 \
         "true",                                                            \
         NULL,                                                              \
         "scale each layer's numbers by what they are in a batch"},         \
        {"optimizer",                                                       \
         PARAM_CHOICE,                                                      \
         0,                                                                 \
         0,                                                                 \
         "adamw",                                                           \
         "adamw|adam|sgd",                                                  \
         "how steps are made of gradients"},                                \
        {"learning_rate",                                                   \
         PARAM_FLOAT,                                                       \
         1e-8,                                                              \
         10,                                                                \
         NULL,                                                              \
         NULL,                                                              \
         "length of a step, at most"},                                      \
        {"momentum",                                                        \
         PARAM_FLOAT,                                                       \
         0,                                                                 \
         0.9999,                                                            \
         "0.9",                                                             \
         NULL,                                                              \
         "share of the last steps in the next; Adam's first decay"},        \
        {"schedule",                                                        \
         PARAM_CHOICE,                                                      \
         0,                                                                 \
         0,                                                                 \
         NULL,                                                              \
         "constant|cosine|step|one_cycle",                                  \
         "how the rate falls: evenly, as a cosine, in steps, up and down"}, \
        {"step_epochs",                                                     \
         PARAM_INT,                                                         \
         1,                                                                 \
         100000,                                                            \
         "30",                                                              \
         NULL,                                                              \
         "schedule step: epochs between two steps"},                        \
        {"step_factor",                                                     \
         PARAM_FLOAT,                                                       \
         0,                                                                 \
         1,                                                                 \
         "0.1",                                                             \
         NULL,                                                              \
         "schedule step: what the rate is multiplied by"},                  \
        {"warm_up",                                                         \
         PARAM_FLOAT,                                                       \
         0,                                                                 \
         1,                                                                 \
         "0",                                                               \
         NULL,                                                              \
         "share of the epochs over which the rate rises from 0"},           \
        {"weight_decay",                                                    \
         PARAM_FLOAT,                                                       \
         0,                                                                 \
         100,                                                               \
         NULL,                                                              \
         NULL,                                                              \
         "pull of the weights towards 0"},                                  \
        {"clip",                                                            \
         PARAM_FLOAT,                                                       \
         0,                                                                 \
         1e9,                                                               \
         "0",                                                               \
         NULL,                                                              \
         "longest gradient, longer ones are cut; 0: any"},                  \
        {"loss",                                                            \
         PARAM_TEXT,                                                        \
         0,                                                                 \
         0,                                                                 \
         "auto",                                                            \
         NULL,                                                              \
         "what is made small: logloss, focal, brier; squared, absolute, "   \
         "huber, quantile0.9; or a sum: squared + 0.3 absolute"},           \
        {"label_smoothing",                                                 \
         PARAM_FLOAT,                                                       \
         0,                                                                 \
         0.9,                                                               \
         "0",                                                               \
         NULL,                                                              \
         "share of each class's truth that is spread over all classes"},    \
        {"epochs",                                                          \
         PARAM_INT,                                                         \
         1,                                                                 \
         100000,                                                            \
         NULL,                                                              \
         NULL,                                                              \
         "times through the rows, at most"},                                \
    {                                                                       \
        "batch", PARAM_INT, 1, 65536, NULL, NULL, "rows of a step"          \
    }

/* What is chosen where nothing is set. */
struct net_usual {
    double rate, decay;
    enum opt_schedule schedule;
    size_t epochs, batch;
};
/* Fills loss, rule, epochs and batch of l, whose d and scale.k are set. */
bool net_rule(struct net_learning *l, const struct params *p,
              const struct net_usual *usual, struct error *err) MUST_USE;
/* What was chosen, for the run. */
void net_rule_json(const struct net_learning *l, struct json_writer *w);
double
net_pick_float(const struct params *p, const char *name, double otherwise);
size_t net_pick_int(const struct params *p, const char *name, size_t otherwise);
#endif
