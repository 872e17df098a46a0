/* engine/classic/coefficients.h -- what a linear model has learnt, as a table in
 * the units of the columns as they were.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_COEFFICIENTS_H
#define LATHE_ENGINE_CLASSIC_COEFFICIENTS_H

#include "engine/model.h"

extern const struct family_table coefficient_tables[];
#define COEFFICIENTS_TABLE                                                          \
    {                                                                               \
        "coefficients",                                                             \
            "the intercept, and what one more of each column adds to the value or " \
            "the log odds"                                                          \
    }

/* learner: a struct linear. A row "(intercept)", then one for each column:
 * column, coefficient; of several classes, or outputs, those of each one after
 * the other, with `class` before them, from 1 in the order of the classes. */
struct frame *
coefficients_table(const void *learner, size_t which,
                   const struct prepare *prepare, struct error *err) MUST_USE;
#endif
