/* engine/cv.h -- cross-validation by seed: by strata, groups or time, and
 * nested.
 *
 * Early stopping inside each fold uses a part of the fold's own training rows,
 * split the same way.  Nested: in each fold the candidate that does best in a
 * cross-validation of its training rows alone is fitted, so that the score is
 * one of the choice, too.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CV_H
#define LATHE_ENGINE_CV_H

#include "engine/judged.h"
#include "frame/split.h"

enum { CV_MAX_FOLDS = 100, CV_INNER = 3 };

struct cv_options {
    unsigned k;               /* folds, 2..CV_MAX_FOLDS; by time from 1 on */
    const char *group, *time; /* as split_by; NULL: by class, or at random */
    size_t gap, window, each;
    const struct model_options *model; /* may be NULL */
    /* nested: */
    struct params *const *candidates; /* to choose from */
    size_t n_candidates;              /* 0: not nested */
    unsigned inner;                   /* folds; 0: CV_INNER */
    const char *by; /* the metric that chooses; NULL: the problem's own */
};

struct cv_result {
    unsigned k;
    size_t gap; /* rows left out before those that a fold tests */
    struct metric_list
        metrics;  /* usual ones, and those the model is asked for */
    double *fold; /* (k, n_metrics) */
    double mean[METRIC_MAX], sd[METRIC_MAX];
    unsigned *chosen; /* nested: candidate of each fold; else NULL */
    char **candidate; /* nested: what tells each of them from the others:
                         "leaves=31, bins=63"; else NULL */
    size_t n_candidates;
    uint8_t *row_fold;     /* of each row: the fold that it was tested in, or
                              SPLIT_UNTESTED */
    struct prediction out; /* out-of-fold predictions, in row order; NaN where
                              untested */
    struct target truth;
};

/* What forecasts is always tested on what comes after: by o->time, else by the
 * column of times that its parameters name, else by the order of the rows.
 * Told as events "cv.NAME" with the fold as step.  Group and time columns stay
 * among the inputs, unless the model's options drop them. */
bool cv_run(const struct family *family, const struct params *p,
            const struct frame *f, const char *target,
            const struct cv_options *o, const struct train *ctx,
            struct cv_result *out, struct error *err) MUST_USE;
void cv_result_fini(struct cv_result *r);
/* Mean and deviation of each metric, then its folds. */
void cv_print(const struct cv_result *r, struct buf *out);
/* The rows that were tested, in order: row (from 1), fold, truth, and
 * prediction, probability or p_CLASS... */
struct frame *cv_frame(const struct cv_result *r, struct error *err) MUST_USE;
/* The same as judged rows. */
bool cv_judged(const struct cv_result *r, struct judged *out,
               struct error *err) MUST_USE;
void cv_json(const struct cv_result *r, struct json_writer *w);
#endif
