/* engine/threshold.h -- which class is said, given the probabilities.
 *
 * Of two classes the positive one where its probability is above a threshold:
 * a number, or the one that makes the most of a metric (f1, fbeta@2, mcc,
 * kappa, accuracy, balanced) or of a profit on rows kept for it.  Of several
 * the one that promises the largest profit, of those that promise as much, to
 * rounding, the likeliest; without a profit the likeliest.
 *
 * A profit is a list of texts, what an answer brings: "tp=10", "fp=-3",
 * "fn=-20", "tn=0", or by the names of the classes, "TRUTH:SAID=VALUE".  What
 * is not told brings nothing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_THRESHOLD_H
#define LATHE_ENGINE_THRESHOLD_H

#include "engine/metric.h"

struct decision {
    double threshold; /* two classes */
    size_t k;         /* classes; 0: nothing was decided */
    double *profit;   /* (k, k), row = truth, column = said; NULL: none */
    double dearest;   /* the most that an answer wins or costs */
    double reached;   /* the metric there, or the profit a row; NaN: given */
    char how[METRIC_NAME]; /* "f1", "profit", "given" */
};

/* by: a number, a metric or NULL; profit: NULL-ended or NULL; not both.
 * classes: n_classes texts.  ERR_RANGE for a regression, a metric that no
 * threshold can make the most of, or a bad profit. */
bool decision_fit(const char *by, const char *const *profit,
                  const struct metric_rows *rows, char *const *classes,
                  struct decision *out, struct error *err) MUST_USE;
/* What is wrong with them can be told before there are rows: by and profit
 * against the k classes of the target, 0 for a regression. */
bool decision_check(const char *by, const char *const *profit,
                    char *const *classes, size_t k, struct error *err) MUST_USE;
void decision_fini(struct decision *d);
/* p: a row of predictions, of 1 (two classes) or n_classes columns. */
size_t decision_class(const struct decision *d, const double *p, size_t cols);
void decision_save(const struct decision *d, struct json_writer *w);
bool decision_load(const struct json *o, size_t n_classes, struct decision *out,
                   struct error *err) MUST_USE;
#endif
