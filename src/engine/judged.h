/* engine/judged.h -- what a model says of rows whose target is known: what
 * scores, slices and curves are taken from.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_JUDGED_H
#define LATHE_ENGINE_JUDGED_H

#include "engine/model.h"

struct judged {
    struct target truth; /* with weights and groups */
    double *p;           /* (truth.n, k); owned */
    size_t k;
    double threshold; /* two classes; 0: 0.5 */
    uint16_t *guess;  /* what is said where that is not the likeliest class;
                         owned, or NULL */
    struct outcomes outcomes; /* of models that decide by profit or answer in
                                 ranges, by judged_take() and judged_stream(),
                                 and of calibrated ones by the former */
};
/* Columns in place of those that the model was learnt with, which count where
 * f has them.  NULL: those. */
struct judged_options {
    const char *weight; /* what a row counts */
    const char *group;  /* rows that are ranked together */
};

/* Outcomes, rows as they weigh:
 *   profit, profit_total      what the answers bring, a row and in all
 *   profit_at_half            a row, were the positive class said above 0.5
 *   profit_all_positive, profit_all_negative
 *                             a row, were one class said of all rows
 *   profit_likeliest, profit_one_class
 *                             of several classes: the likeliest; the best one
 *   coverage                  the share of rows whose truth lies within
 *   logloss_uncalibrated      what the log loss was without the calibration
 *   mean_width, mean_set      how wide ranges are; how many classes sets hold
 */

/* f holds the target.  o may be NULL. */
bool judged_take(const struct model *m, const struct frame *f,
                 const struct judged_options *o, struct pool *pool,
                 struct judged *out, struct error *err) MUST_USE;
/* The rest of a stream, without groups: 16 bytes a row, 8 more for each class
 * beyond two, and 8 for a weight. */
bool judged_stream(const struct model *m, struct stream *s, struct judged *out,
                   struct error *err) MUST_USE;
/* Fill in what m says of p. */
bool judged_decide(const struct model *m, struct judged *j,
                   struct error *err) MUST_USE;
bool judged_evaluate(const struct judged *j, const struct evaluation_options *o,
                     struct pool *pool, struct evaluation *out,
                     struct error *err) MUST_USE;
/* Borrowed from j; its outcomes are no part of an evaluation of them. */
struct metric_rows judged_rows(const struct judged *j);
void judged_fini(struct judged *j);
#endif
