/* engine/finish.h -- what is done to a model's answers, learnt on rows that the
 * model has not learnt from: calibrated probabilities, then which class is said
 * and how wide an answer is.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_FINISH_H
#define LATHE_ENGINE_FINISH_H

#include "engine/calibrate.h"
#include "engine/conformal.h"
#include "engine/threshold.h"

#define FINISH_SHARE 0.2

struct finish_options {
    const char *calibrate;          /* CALIBRATE_CHOICES; NULL: not */
    const char *threshold;          /* as decision_fit; NULL: not */
    const char *const *profit;      /* as decision_fit; NULL: not */
    double interval;                /* a level in (0, 1); 0: not */
    bool local;                     /* of numbers: wider where the model is off
                                       by more */
    double share;                   /* of the rows kept aside for it; 0:
                                   FINISH_SHARE */
    const struct metric_rows *rows; /* or answers to rows not learnt from, as of
                                       a cross-validation; NULL: rows are kept */
};
bool finish_wanted(const struct finish_options *o);
/* What is wrong with them can be told before anything is learnt. */
bool finish_check(const struct finish_options *o, const struct target *t,
                  struct error *err) MUST_USE;

struct finish {
    size_t n; /* rows it was learnt on; 0: nothing is done */
    bool calibrated, decided, ranged;
    struct calibration calibration;
    struct decision decision;
    struct conformal conformal;
};

/* rows: answers as the learner gives them. */
bool finish_fit(const struct finish_options *o, const struct metric_rows *rows,
                char *const *classes, struct finish *out,
                struct error *err) MUST_USE;
void finish_fini(struct finish *f);
void finish_save(const struct finish *f, struct st_writer *st,
                 struct json_writer *w);
/* k columns of predictions. */
bool
finish_load(const struct json *o, const struct st_file *f, size_t k,
            size_t n_classes, struct finish *out, struct error *err) MUST_USE;
/* Into an open object, what there is: "calibrated": "isotonic", "threshold",
 * "decided_by", "level", "width". */
void finish_json(const struct finish *f, struct json_writer *w);
/* A line each: "calibrated  by isotonic, on 1,409 rows not learnt
 * from".  quantile: what ranges go out from, the least and the largest as
 * texts; NULL: from the prediction. */
void finish_print(const struct finish *f, enum problem problem,
                  const char *const *quantile, struct buf *out);
#endif
