/* engine/neural/fitted.h -- a net that has learnt, and its file.
 *
 * The manifest says how the net is built, from which follows how many numbers
 * there are; the tensors are "FAMILY.param" and "FAMILY.state" (float) and
 * "FAMILY.importance" (double, one a column of the design).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_FITTED_H
#define LATHE_ENGINE_NEURAL_FITTED_H

#include "engine/neural/learn.h"

struct net_fitted {
    char *layers; /* as of a plan; owned */
    enum net_act act;
    bool norm;
    double drop;
    struct net_shape input;
    uint32_t *levels, *widths; /* of tables; owned */
    size_t n_tables;
    struct net *net;
    struct net_ready ready;
    struct net_scale scale;
    double *importance; /* of the columns of the design; owned */
    size_t n_cols;
    size_t epochs; /* that were kept */
};

/* As the plan says, its net begun; what else there is, is to be filled in. */
struct net_fitted *net_fitted_new(const struct net_plan *plan, size_t n_cols,
                                  uint64_t seed, struct error *err) MUST_USE;
void net_fitted_free(struct net_fitted *f);
/* Ready to answer. */
bool net_fitted_seal(struct net_fitted *f, struct pool *pool,
                     struct error *err) MUST_USE;
/* Into the open object m. */
void net_fitted_save(const struct net_fitted *f, const char *family,
                     struct st_writer *w, struct json_writer *m);
struct net_fitted *
net_fitted_load(const struct st_file *f, const char *family,
                const struct json *m, size_t n_cols, enum problem problem,
                size_t n_classes, struct error *err) MUST_USE;
/* Shares of 1. */
void net_fitted_importance(const struct net_fitted *f, double *out);
#endif
