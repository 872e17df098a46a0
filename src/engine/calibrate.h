/* engine/calibrate.h -- probabilities that come true as often as they say.
 *
 * Learnt on rows that the model has not learnt from, then frozen into it.
 *   platt        a sigmoid of the log-odds, with Platt's smoothed targets
 *   isotonic     a rising step curve, linear between its knots
 *   temperature  all log-odds divided by one number; of several classes the
 *                logarithms of their probabilities
 * Of several classes platt and isotonic have a curve each, one-vs-rest, after
 * which a row is made to sum to one.
 * Sources: Platt 1999 with the Newton steps of Lin, Lin & Weng 2007; Zadrozny &
 * Elkan 2002 (isotonic); Guo et al. 2017 (temperature).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CALIBRATE_H
#define LATHE_ENGINE_CALIBRATE_H

#include "engine/metric.h"
#include "engine/safetensors.h"

enum calibrate_kind {
    CALIBRATE_PLATT,
    CALIBRATE_ISOTONIC,
    CALIBRATE_TEMPERATURE
};
/* Below so many rows a step curve follows their chance, and a sigmoid is
 * better: Niculescu-Mizil & Caruana 2005, and the manual of scikit-learn. */
enum { CALIBRATE_ISOTONIC_ROWS = 1000 };
enum { CALIBRATE_KINDS = CALIBRATE_TEMPERATURE + 1 };
/* Probabilities are taken as no nearer than this to 0 and 1. */
#define CALIBRATE_LEAST 1e-15
#define CALIBRATE_CHOICES "platt|isotonic|temperature"

struct calibration {
    enum calibrate_kind kind;
    size_t k;               /* columns of the predictions */
    size_t n_curves;        /* k, or 1 for a temperature */
    double *slope, *offset; /* of each curve; temperature: 1 / T and 0 */
    size_t *n_knots;        /* isotonic: of each curve */
    double *x, *y;          /* of all curves, one after another; rising */
    size_t n_all;
};

const char *calibrate_word(enum calibrate_kind kind);
/* ERR_NOTFOUND names those there are. */
bool calibrate_kind_of(const char *word, enum calibrate_kind *out,
                       struct error *err) MUST_USE;
/* ERR_RANGE for a regression. */
bool calibration_check(enum problem problem, struct error *err) MUST_USE;
/* ERR_RANGE for a regression, and where rows of one class only are there. */
bool calibration_fit(enum calibrate_kind kind, const struct metric_rows *rows,
                     struct calibration *out, struct error *err) MUST_USE;
void calibration_fini(struct calibration *c);
/* In place: p is (n, k).  False where it was stopped. */
bool calibration_apply(const struct calibration *c, double *p, size_t n,
                       struct pool *pool, struct error *err) MUST_USE;
/* Into an open object; knots are tensors "calibrate.x" and "calibrate.y", lent
 * until the file is written. */
void calibration_save(const struct calibration *c, struct st_writer *st,
                      struct json_writer *w);
bool calibration_load(const struct json *o, const struct st_file *f, size_t k,
                      struct calibration *out, struct error *err) MUST_USE;
#endif
