/* engine/trees/objective_part.h -- what the files of the losses share:
 * objective.c has classes and squares and knows all others, objective_point.c
 * those that look at a row alone, objective_set.c those that compare rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_OBJECTIVE_PART_H
#define LATHE_ENGINE_TREES_OBJECTIVE_PART_H

#include "engine/trees/objective.h"

enum {
    OBJECTIVE_BLOCK = 1024,  /* rows or scores looked at together */
    OBJECTIVE_LOOK = 1 << 16 /* rows between looks whether to stop */
};

static inline double
objective_weight(const struct objective *o, size_t i)
{
    return o->weight ? o->weight[i] : 1;
}

/* ---- objective_point.c: absolute to tweedie ---- */

/* As objective_gradients(); g NULL: the losses alone. */
double
objective_point(const struct objective *o, const double *score, size_t begin,
                size_t end, struct gradient *g, bool want_loss);
/* Are the targets such that the loss is defined? */
bool objective_point_check(const struct objective *o, const struct target *y,
                           struct error *err) MUST_USE;
bool objective_point_base(struct objective *o, const double *offset,
                          double *base, struct error *err) MUST_USE;

/* ---- objective_set.c: cox, rank ---- */

bool objective_cox_init(struct objective *o, struct error *err) MUST_USE;
bool objective_rank_init(struct objective *o, struct error *err) MUST_USE;
/* Fill found_g, found_h and found. */
bool objective_cox(struct objective *o, const double *score,
                   struct error *err) MUST_USE;
bool objective_rank(struct objective *o, const double *score,
                    struct error *err) MUST_USE;
#endif
