/* engine/metric_part.h -- what preparing, summing and resampling share.
 *
 * A resample of n rows is n draws with replacement, that is a count for each
 * row.  So everything that depends on the rows alone (losses, predicted
 * classes, the order by score) is computed once, and a resample is a few
 * passes of weighted sums: no sorting, no copies.  Rows of two classes are
 * laid out from the highest score down, so that the pass of the areas, too,
 * reads memory from front to back.
 *
 * Private to metric*.c and to those who learn from judged rows: calibrate.c,
 * threshold.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_METRIC_PART_H
#define LATHE_ENGINE_METRIC_PART_H

#include "engine/metric.h"

/* Rows by falling score of one class. */
struct ranking {
    uint32_t *row; /* NULL: the scorer's own order */
    uint8_t *mark; /* bit 0: the row is of the class; bit 1: last of a tie */
};

struct scorer {
    struct metric_rows of;
    size_t n_classes;
    const struct metric *const *metric; /* n_metrics of them, borrowed */
    size_t n_metrics;
    const struct pool *pool; /* that may be stopped; or NULL */
    uint32_t *row;           /* which row lies where; NULL: as they come */
    /* in that order: */
    double *weight;            /* NULL: all 1 */
    double *term[METRIC_MAX];  /* losses of the metrics that have them */
    size_t shares[METRIC_MAX]; /* the first metric of the same losses */
    double *centred;           /* y less its mean, for R2 */
    uint16_t *truth, *guess;   /* classes */
    uint8_t *bin;              /* of calibration, and how far off the row is */
    double *gap;
    struct ranking *rank; /* one for two classes, else one a class */
    size_t n_ranks;
    size_t n_above; /* two classes, ranked: places that are said positive */
    /* by group: */
    size_t n_groups;
    double *value[METRIC_MAX]; /* NaN: not defined there */
    double *group_weight;
};

/* `s` holds rows and metrics, the rest is zero.  Released by scorer_fini, also
 * after a failure. */
bool scorer_init(struct scorer *s, struct error *err) MUST_USE;
void scorer_fini(struct scorer *s);
bool scorer_ranks(struct scorer *s, struct error *err) MUST_USE;
bool scorer_groups(struct scorer *s, struct error *err) MUST_USE;
/* The scores of rows that count so many times each (in the scorer's order), and
 * of groups that do; NULL: once.  Of no meaning once the pool was stopped. */
void scorer_score(const struct scorer *s, const uint8_t *count,
                  const uint8_t *groups, double *out);

size_t metric_row_at(const struct scorer *s, size_t place);
/* Rows from the highest of the scores p, `stride` apart, down; equal ones as
 * they stand.  n < 2^32. */
bool
metric_order(const double *p, size_t stride, size_t n, const struct pool *pool,
             uint32_t *row, struct error *err) MUST_USE;
/* Bin of a probability: the k-th is (k/10, (k + 1)/10], the first [0, 0.1]. */
unsigned metric_bin(double p);
/* Of two classes, by how many of either are said positive: a metric of classes. */
double metric_of_counts(const struct metric *m, double tp, double fp,
                        double positive, double negative);
double metric_threshold(const struct metric_rows *rows);
/* What is said of a row. */
size_t metric_guess(const struct metric_rows *rows, size_t row);
size_t metric_classes(const struct metric_rows *rows);
#endif
