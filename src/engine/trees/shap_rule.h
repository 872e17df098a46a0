/* engine/trees/shap_rule.h -- points and weights for polynomials on [0, 1].
 *
 * The weights of a Shapley value are integrals of polynomials (shap.h), which
 * the rule of Gauss and Legendre gives exactly.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_SHAP_RULE_H
#define LATHE_ENGINE_TREES_SHAP_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct shap_rule {
    size_t n;     /* points */
    double *t;    /* where, ascending; then the three others, n of each */
    double *rest; /* 1 - t */
    double *over; /* 1 / (1 - t) */
    double *w;
};

/* n: a multiple of 4; ERR_NOMEM, and nothing is to be freed. */
bool shap_rule_init(struct shap_rule *r, size_t n, struct error *err) MUST_USE;
void shap_rule_fini(struct shap_rule *r);
/* Points for paths of so many features. */
size_t shap_rule_points(size_t features);
#endif
