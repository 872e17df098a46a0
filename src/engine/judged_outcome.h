/* engine/judged_outcome.h -- what profits, ranges and calibrations came to on
 * rows whose target is known.  Private to judged*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_JUDGED_OUTCOME_H
#define LATHE_ENGINE_JUDGED_OUTCOME_H

#include "engine/judged.h"

/* Sums over rows, batch by batch. */
struct ranged {
    double weight, within, width;
};
/* p: of model_predict_all(), a row for each of truth.  Nothing for a model
 * without ranges.  False when the pool's work is stopped. */
bool ranged_add(struct ranged *r, const struct model *m,
                const struct target *truth, const struct prediction *p,
                const struct pool *pool, struct error *err) MUST_USE;
/* What the log loss of rows is before a calibration; NaN for a model without.
 * They are asked once more. */
bool judged_uncalibrated(const struct model *m, const struct frame *f,
                         const struct judged *j, struct pool *pool, double *out,
                         struct error *err) MUST_USE;
/* Fill in j->outcomes, of all its rows. */
void judged_outcomes(const struct model *m, const struct ranged *r,
                     double uncalibrated, struct judged *j);
#endif
