/* engine/conformal.h -- answers that hold the truth as often as they promise.
 *
 * Split conformal prediction: how far the answers were off on rows that the
 * model has not learnt from says how wide they must be, whatever the model.
 *   number    prediction -+ width, by |y - prediction|
 *   local     the same with a width for each range of predictions, of as many
 *             rows each: where answers are off by more, ranges are wider, and
 *             the promise holds in each of them
 *   quantiles low - width to high + width, by max(low - y, y - high)
 *   classes   all with probability at least 1 - width, by 1 - P(truth); the
 *             likeliest is always among them
 * Rows count by their weights. On rows like those kept, the truth lies within
 * in at least `level` of the cases, on average over the choice of those rows.
 * Sources: Lei et al. 2018; Bostroem & Johansson, "Mondrian conformal
 * regressors", COPA 2020 (local); Romano, Patterson & Candes 2019 (quantiles);
 * Sadinle, Lei & Wasserman 2019 (classes).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CONFORMAL_H
#define LATHE_ENGINE_CONFORMAL_H

#include "engine/metric.h"

/* Ranges of predictions, at most, and the rows of each, at least: with 100 of
 * them the share that holds the truth at 0.9 is off by 0.03, as a standard
 * deviation (Vovk 2012, section 3: it is a beta distribution). */
enum { CONFORMAL_BINS = 20, CONFORMAL_BIN_ROWS = 100 };

struct conformal {
    double level; /* 0.9; 0: none was learnt */
    double width;
    size_t n; /* rows it was learnt on */
    /* Local: predictions with i cuts at or below them have width at[i]; width
     * is then what all would have. */
    size_t n_cuts; /* 0: one width */
    double cut[CONFORMAL_BINS - 1], at[CONFORMAL_BINS];
};

/* Is it a level, and are n rows that all count alike enough for it?  SIZE_MAX:
 * nobody knows yet how many there are. */
bool conformal_check(double level, size_t n, struct error *err) MUST_USE;
/* level in (0, 1).  ERR_RANGE where there are too few rows for it: below
 * level / (1 - level). */
bool conformal_fit(double level, const struct metric_rows *rows,
                   struct conformal *out, struct error *err) MUST_USE;
/* Of a regression: local; one width where there are too few rows for two. */
bool conformal_fit_local(double level, const struct metric_rows *rows,
                         struct conformal *out, struct error *err) MUST_USE;
/* Of a number that is predicted. */
double conformal_width(const struct conformal *c, double prediction);
/* From a model of several quantiles, the k of each row ascending. */
bool conformal_fit_quantiles(double level, const struct metric_rows *rows,
                             struct conformal *out, struct error *err) MUST_USE;
/* Is class c in the set of a row of predictions? */
bool conformal_has(const struct conformal *c, const double *p, size_t cols,
                   size_t class);
/* Into an open object: cuts and widths. */
void conformal_json_local(const struct conformal *c, struct json_writer *w);
void conformal_save(const struct conformal *c, struct json_writer *w);
bool conformal_load(const struct json *o, struct conformal *out,
                    struct error *err) MUST_USE;
#endif
