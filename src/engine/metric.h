/* engine/metric.h -- scores with intervals.
 *
 * Predictions are shape (n, k), row-major: for k classes the probability of
 * each, for binary k = 1: P(positive); for regression k = 1: the value.
 * Intervals: percentile bootstrap over rows, 95 %, by seed.
 * Sources: AUC by ranks with ties at half (Hanley & McNeil 1982); multiclass
 * AUC is one-vs-rest, weighted by class share; F1 macro.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_METRIC_H
#define LATHE_ENGINE_METRIC_H

#include "base/json.h"
#include "base/pool.h"
#include "engine/encode.h"

enum metric_kind {
    METRIC_LOGLOSS,
    METRIC_AUC,
    METRIC_ACCURACY,
    METRIC_F1,
    METRIC_PRECISION,
    METRIC_RECALL,
    METRIC_BRIER,
    METRIC_RMSE,
    METRIC_MAE,
    METRIC_R2
};
enum { METRIC_N = METRIC_R2 + 1, METRIC_MAX_CLASSES = 256 };

struct metric {
    const char *name; /* "logloss" */
    const char *title;
    enum metric_kind kind;
    bool larger_is_better;
    unsigned problems; /* bit 1 << enum problem */
};

const struct metric *
metric_find(const char *name, enum problem t, struct error *err);
const struct metric *metric_table(size_t *n);
/* Of a name as runs write it: "auc", "valid.auc"; NULL: not one of ours. */
const struct metric *metric_named(const char *name);
/* Is a better than b?  What is not one of ours is taken for a loss. */
bool metric_better(const char *name, double a, double b);
const struct metric *metric_default(enum problem p); /* logloss or rmse */
/* NaN where it is not defined (AUC of one class). */
double metric_score(enum metric_kind kind, enum problem problem,
                    const double *y, const double *p, size_t n, size_t k);

struct scored {
    const struct metric *metric;
    double value, low, high; /* 95 % interval */
};

struct evaluation {
    enum problem problem;
    size_t n, n_classes;
    struct scored score[METRIC_N]; /* those of the task */
    size_t n_scores;
    uint64_t *confusion; /* n_classes^2, row = truth, column = predicted;
                            binary at threshold 0.5; NULL for regression */
    char **classes;      /* owned copies */
};

/* resamples = 0: 1,000 (200 above 20,000 rows). */
bool evaluation_make(const struct target *truth, const double *p, size_t k,
                     unsigned resamples, uint64_t seed, struct pool *pool,
                     struct evaluation *out, struct error *err) MUST_USE;
void evaluation_fini(struct evaluation *e);
const struct scored *
evaluation_find(const struct evaluation *e, const char *name);
void evaluation_print(const struct evaluation *e, struct buf *out);
void evaluation_json(const struct evaluation *e, struct json_writer *w);
#endif
