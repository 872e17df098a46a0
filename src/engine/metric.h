/* engine/metric.h -- scores with intervals.
 *
 * Predictions are shape (n, k), row-major: for k classes the probability of
 * each, for binary k = 1: P(positive); for regression k = 1: the value.
 * Rows may weigh differently; rows may belong to groups (queries), for the
 * metrics that rank within them.
 *
 * A metric is named BASE[_AVERAGE][@NUMBER]: "f1", "f1_macro", "fbeta@2",
 * "pinball@0.9", "ndcg@10".  Averages over classes: macro (all alike), micro
 * (all decisions pooled), weighted (by rows of the class).  Without one, two
 * classes are judged by the positive one, several by the macro average, and
 * areas (auc, prauc) one-vs-rest by class share.
 *
 * Intervals: percentile bootstrap, 95 %, by seed; over rows, or over groups for
 * metrics that rank within them.  Of the calibration error, which is larger in
 * a resample than in its rows, as what scatters at random counts as error
 * there, the quantiles are moved by the bias that the resamples show (Efron &
 * Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 10), not below
 * 0, and hold the value itself.
 * Sources: AUC by ranks with ties at half (Hanley & McNeil 1982); area under
 * precision and recall without interpolation; MCC of several classes (Gorodkin
 * 2004); calibration error over ten bins of equal width (Naeini et al. 2015);
 * NDCG with gain 2^y - 1, mean over ties (McSherry & Najork 2008).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_METRIC_H
#define LATHE_ENGINE_METRIC_H

#include "base/json.h"
#include "base/pool.h"
#include "engine/target.h"

enum metric_kind {
    METRIC_LOGLOSS,
    METRIC_AUC,
    METRIC_PRAUC,
    METRIC_ACCURACY,
    METRIC_BALANCED,
    METRIC_F1,
    METRIC_FBETA,
    METRIC_PRECISION,
    METRIC_RECALL,
    METRIC_MCC,
    METRIC_KAPPA,
    METRIC_BRIER,
    METRIC_ECE,
    METRIC_KS,
    METRIC_GAIN,
    METRIC_LIFT,
    METRIC_RMSE,
    METRIC_MAE,
    METRIC_MAPE,
    METRIC_R2,
    METRIC_PINBALL,
    METRIC_NDCG,
    METRIC_MAP
};
enum {
    METRIC_N = METRIC_MAP + 1, /* in the table */
    METRIC_MAX = 32,           /* of one evaluation */
    METRIC_NAME = 32,          /* bytes of a name, its zero included */
    METRIC_MAX_CLASSES = 256,
    METRIC_BINS = 10 /* of calibration */
};
enum metric_average {
    METRIC_PLAIN, /* as the metric has it */
    METRIC_MACRO,
    METRIC_MICRO,
    METRIC_WEIGHTED
};

struct metric {
    const char *name; /* "logloss" */
    const char *title;
    enum metric_kind kind;
    bool larger_is_better;
    unsigned problems; /* bit 1 << enum problem */
    bool usual;        /* in every evaluation; others when asked for */
    bool grouped;      /* ranks within groups */
    unsigned averages; /* bit 1 << enum metric_average */
    double at;         /* its number; NaN: takes none, or all */
    double low, high;  /* what the number may be; low > high: takes none */
    enum metric_average average;
};

const struct metric *metric_table(size_t *n);
/* A row of the table by its plain name. */
const struct metric *
metric_find(const char *name, enum problem t, struct error *err);
/* Any name.  out->name is `name` itself, out->title the row's. */
bool metric_parse(const char *name, enum problem t, struct metric *out,
                  struct error *err) MUST_USE;
/* What it is called on paper: its title, or its name where that says more. */
const char *metric_label(const struct metric *m);
/* How many decimals tell a value of it and its interval: four of what lies
 * between 0 and 1, else by its size; see str_decimals(). */
int metric_decimals(const struct metric *m, double value);
/* The row of a name as runs write it: "auc", "valid.fbeta@2"; NULL: not one of
 * ours. */
const struct metric *metric_named(const char *name);
/* Is it known which of two values of that name is the better one?  Of metrics,
 * the profit and widths of ranges it is; of coverage it is not, nor of what
 * other ways to answer would bring. */
bool metric_ranked(const char *name);
/* Is a better than b?  What is not one of ours is taken for a loss. */
bool metric_better(const char *name, double a, double b);
const struct metric *metric_default(enum problem p); /* logloss or rmse */

/* Those of an evaluation: the usual ones of a problem, then what is asked for
 * (NULL-ended, may be NULL), each once. */
struct metric_list {
    const struct metric *metric[METRIC_MAX]; /* of the table, or asked */
    size_t n;
    struct metric *asked; /* owned, with their names */
};
bool metric_list_make(enum problem t, bool grouped, const char *const *names,
                      struct metric_list *out, struct error *err) MUST_USE;
void metric_list_fini(struct metric_list *l);

/* What is judged; all borrowed. */
struct metric_rows {
    enum problem problem;
    size_t n, k;
    const double *y, *p;
    const double *weight;  /* n, none negative; NULL: all 1 */
    const uint32_t *group; /* n, 0..n_groups - 1; NULL: none */
    double threshold;      /* two classes: above it the positive one is said;
                              0: 0.5 */
    const uint16_t *guess; /* several: what is said; NULL: the likeliest */
    struct pool *pool;     /* what is learnt or drawn from them is stopped as
                              its work is; may be NULL */
};
/* NaN where it is not defined (AUC of one class, NDCG without groups). */
double metric_measure(const struct metric *m, const struct metric_rows *rows);
/* The same with the table's own number, every row alike. */
double metric_score(enum metric_kind kind, enum problem problem,
                    const double *y, const double *p, size_t n, size_t k);

struct scored {
    const struct metric *metric; /* of the evaluation, or of the table */
    double value, low, high;     /* 95 % interval */
};

/* What profits, ranges and calibrations of answers came to, beside the scores:
 * engine/judged.h tells which. */
enum { OUTCOME_MAX = 8 };
#define OUTCOME_UNCALIBRATED "logloss_uncalibrated"
struct outcome {
    const char *name; /* a literal: "profit", "coverage" */
    double value;
};
struct outcomes {
    struct outcome at[OUTCOME_MAX];
    size_t n;
};

struct evaluation {
    enum problem problem;
    size_t n, n_classes;
    struct scored score[METRIC_MAX];
    size_t n_scores;
    struct metric *asked; /* those beyond the table, with their names */
    uint64_t *confusion;  /* n_classes^2 rows, row = truth, column = said;
                             NULL for regression */
    char **classes;       /* owned copies */
    double threshold;     /* two classes */
    struct outcomes outcomes;
};

struct evaluation_options {
    const char *const *metrics; /* beyond the usual; NULL-ended, may be NULL */
    unsigned resamples;         /* 0: 1,000 (200 above 20,000 rows) */
    uint64_t seed;
};
/* rows holds no more than truth does; classes: truth's, n_classes texts. */
bool evaluation_of(const struct metric_rows *rows, char *const *classes,
                   const struct evaluation_options *o, struct pool *pool,
                   struct evaluation *out, struct error *err) MUST_USE;
/* Of rows as they weigh. */
bool evaluation_make(const struct target *truth, const double *p, size_t k,
                     unsigned resamples, uint64_t seed, struct pool *pool,
                     struct evaluation *out, struct error *err) MUST_USE;
void evaluation_fini(struct evaluation *e);
const struct scored *
evaluation_find(const struct evaluation *e, const char *name);
void evaluation_print(const struct evaluation *e, struct buf *out);
void evaluation_json(const struct evaluation *e, struct json_writer *w);
/* The same into an open object. */
void evaluation_json_members(const struct evaluation *e, struct json_writer *w);
#endif
