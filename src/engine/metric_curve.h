/* engine/metric_curve.h -- curves behind the scores, as frames.
 *
 *   roc          threshold, false_positives, true_positives (shares)
 *   pr           threshold, recall, precision
 *   reliability  low, high (of the bin), rows, predicted, observed
 *   lift         share, gain, lift
 *   threshold    threshold, precision, recall, f1, accuracy
 *
 * Of several classes each has curves of its own, one-vs-rest, told by a first
 * column "class".  A row of a curve counts all rows from its threshold up, equal
 * scores together; a curve of over CURVE_POINTS is thinned evenly, its ends
 * stay.  Weighted where rows are.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_METRIC_CURVE_H
#define LATHE_ENGINE_METRIC_CURVE_H

#include "engine/metric.h"

enum curve_kind {
    CURVE_ROC,
    CURVE_PR,
    CURVE_RELIABILITY,
    CURVE_LIFT,
    CURVE_THRESHOLD
};
enum { CURVE_POINTS = 1000, CURVE_KINDS = CURVE_THRESHOLD + 1 };
#define CURVE_CHOICES "roc|pr|reliability|lift|threshold"

/* ERR_NOTFOUND names those there are. */
bool curve_kind_of(const char *word, enum curve_kind *out,
                   struct error *err) MUST_USE;
/* What a plot of it is about: titles, columns of x and y. */
struct curve_look {
    const char *name, *title, *x, *y;
};
const struct curve_look *curve_look(enum curve_kind kind);
/* ERR_RANGE for regression, and when there are no rows. */
struct frame *metric_curve(enum curve_kind kind, const struct metric_rows *rows,
                           char *const *classes, struct error *err) MUST_USE;
#endif
