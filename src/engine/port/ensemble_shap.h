/* engine/port/ensemble_shap.h -- exact Shapley values of trees of others.
 *
 * As engine/trees/shap.h says: by how training rows went (the nodes' covers),
 * or against background rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_ENSEMBLE_SHAP_H
#define LATHE_ENGINE_PORT_ENSEMBLE_SHAP_H

#include "engine/model.h"
#include "engine/port/ensemble.h"

/* The rows as the trees look at them: (n, n_cols), and those of the background
 * or none. */
struct ensemble_rows {
    const double *x, *background;
    size_t n, n_background;  /* 0: by the ways of training rows */
    const uint32_t *feature; /* of a column of the trees */
};

/* Shares of the sums, into a->out.  ensemble_has_covers(), no lines, no pairs.
 * ERR_NOMEM, ERR_CANCELLED. */
bool ensemble_shap(const struct ensemble *e, const struct ensemble_rows *rows,
                   const struct attribution *a, struct error *err) MUST_USE;
#endif
