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
};
/* Columns in place of those that the model was learnt with, which count where
 * f has them.  NULL: those. */
struct judged_options {
    const char *weight; /* what a row counts */
    const char *group;  /* rows that are ranked together */
};

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
/* Borrowed from j. */
struct metric_rows judged_rows(const struct judged *j);
void judged_fini(struct judged *j);
#endif
