/* session/curve.h -- the curves of a run as one chart: what the notebook shows
 * below a fit, and what an export holds.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_CURVE_H
#define LATHE_SESSION_CURVE_H

#include "session/plot.h"
#include "store/series.h"

/* valid and train of the first metric there is; ink 1 is what is judged by. */
struct curve {
    struct plot_series series[2];
    char label[2][48];
    size_t n; /* of the two; 0: no run has begun to draw */
};

void curve_init(struct curve *c, const struct series_list *l);
void curve_fini(struct curve *c);
/* The spec of it in width x height cells; borrows from c. */
struct plot_spec curve_spec(struct curve *c, int width, int height);
#endif
