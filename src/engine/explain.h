/* engine/explain.h -- why a model answers as it does.
 *
 *   shares       what each feature adds to the margin of a row, as Shapley
 *                values: with the base they add up to the margin
 *   importance   what the model loses where the values of an input are
 *                shuffled among the rows
 *   effect       what the model answers, on average and row by row, when one
 *                input is set to each of some values
 *
 * A margin is what a family's scores are before they are made probabilities
 * (log odds); where a family has none, the probability or the value itself; of
 * a model without a target its first answer that is no code (score, distance).
 * A feature is an input or a derived column; all columns of the design that are
 * made from it count as one.  Importance and effect go by input, so that what
 * is derived from it follows.
 *
 * Shares are exact for trees and linear models.  Any other family is asked:
 * kernel SHAP, a weighted least squares fit over coalitions of features, all of
 * them where they are few, else the outer sizes whole and the others drawn by
 * seed together with their complements.
 *
 * Everything can be stopped (ERR_CANCELLED), tells its progress, and is the
 * same for any number of threads.
 * Source: Lundberg & Lee, "A unified approach to interpreting model
 *         predictions", NIPS 2017; Breiman, "Random forests", 2001 (shuffling);
 *         Friedman 2001 (partial dependence); Goldstein et al. 2015 (ICE).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_EXPLAIN_H
#define LATHE_ENGINE_EXPLAIN_H

#include "engine/model.h"

/* ---- shares ---- */

enum explain_way {
    EXPLAIN_AUTO,       /* by what follows, the first that can be */
    EXPLAIN_PATH,       /* as the training rows went; trees */
    EXPLAIN_BACKGROUND, /* exactly, against background rows */
    EXPLAIN_KERNEL      /* by asking the model */
};
enum {
    EXPLAIN_BACKGROUND_ROWS = 100,
    EXPLAIN_REPEATS = 5,
    EXPLAIN_CURVES = 50,
    /* Rows that are drawn, unless told: */
    EXPLAIN_ASKED = 100,   /* of a model that is asked about coalitions */
    EXPLAIN_PAIRED = 1000, /* for what features do together */
    EXPLAIN_RANKED = 10000 /* for an importance: shares or shuffling */
};

struct explain_options {
    enum explain_way way;
    const struct frame *background; /* NULL: the rows that are explained */
    size_t background_rows;         /* of these, drawn by seed; 0: all for
                                       linear models, else 100 */
    size_t samples;                 /* coalitions; 0: 2 x features + 2,048 */
    bool pairs;                     /* and what two features do together */
    /* ctx: pool, progress, seed */
};

/* What the numbers that are explained of a row are called. */
struct explain_names {
    size_t n;          /* 0: there is one */
    const char *word;  /* "class"; "quantile" of several quantiles */
    const char *words; /* "classes"; "quantiles" */
    const char **name; /* owned list: classes borrowed from the model, or those
                          made: "q0.1" */
    char (*made)[32];  /* owned */
};
bool explain_names_init(struct explain_names *out, const struct model *m,
                        struct error *err) MUST_USE;
void explain_names_fini(struct explain_names *names);

struct shares {
    struct model *model; /* whose names these are */
    struct explain_names names;
    size_t n, k, n_features;
    const char **feature; /* owned list of borrowed names */
    bool pairs;
    double *value;  /* as struct attribution says */
    char scale[32]; /* "log odds", "probability", "value", "margin" where that
                       is the value before a link; without a target the answer
                       that is explained: "score" */
    char note[256]; /* how they were found */
};

/* Rows of f, at most n, drawn by seed, ascending; *out is the caller's. */
bool explain_draw(size_t n_rows, size_t n, uint64_t seed, uint32_t **out,
                  size_t *n_out, struct error *err) MUST_USE;
/* Are the shares of this way against background rows? */
bool explain_wants_background(const struct model *m, enum explain_way way);
/* Is the model asked about coalitions, which is dear? */
bool explain_asks(const struct model *m);
/* `o` may be NULL.  ERR_RANGE: a way or pairs that the family has not; the
 * errors of prepare_apply(); ERR_LIMIT, ERR_NOMEM, ERR_CANCELLED. */
bool explain_shares(const struct model *m, const struct frame *f,
                    const struct explain_options *o, const struct train *ctx,
                    struct shares *out, struct error *err) MUST_USE;
void shares_fini(struct shares *s);
/* The shares of a row in an output, and the sum of all with the base. */
const double *shares_at(const struct shares *s, size_t row, size_t output);
double shares_margin(const struct shares *s, size_t row, size_t output);
/* A row for each row: a column for each feature, then "base".  Of several
 * classes or quantiles that of number `output`, or of all (output < 0), with
 * "row" (from 1) and "class" or "quantile" before them.  Pairs: "row", "class"
 * or "quantile" of several, "feature", and a column for each feature. */
struct frame *
shares_frame(const struct shares *s, long output, struct error *err) MUST_USE;
/* The mean of |share| by feature, largest first: column, importance; of
 * several classes their sum.  mean[] by feature, and the order. */
struct frame *
shares_importance(const struct shares *s, struct error *err) MUST_USE;
void shares_mean(const struct shares *s, long output, double *mean);

/* ---- importance by shuffling ---- */

struct shuffle_options {
    const struct metric *metric; /* NULL: the task's usual */
    size_t repeats;              /* 0: 5 */
};
/* f holds the target, and rows count as in an evaluation.  column, importance
 * (the mean of what is lost over the repeats, positive where the input helps),
 * sd (of the repeats, as of a population), largest first. */
struct frame *
explain_shuffle(const struct model *m, const struct frame *f,
                const struct shuffle_options *o, const struct train *ctx,
                double *whole, struct error *err) MUST_USE;

/* ---- effects ---- */

struct effect_options {
    const char *column;
    size_t points; /* 0: 40.  Numbers of more values than this: so many at
                      equal steps from the 5th to the 95th percentile; else
                      each value; texts: the most frequent */
    size_t rows;   /* drawn by seed; 0: 10,000 */
};

struct effect {
    struct model *model;
    struct explain_names names;
    char *column;
    enum col_type type;
    size_t n_points, n_rows, k;
    struct column *grid; /* the values set */
    uint32_t *row;       /* which rows were asked about, ascending */
    double *value;       /* (points, rows, k): predictions */
    char scale[32];      /* "value", "probability", or the answer's name */
};
/* ERR_NOTFOUND: no such input; ERR_RANGE: no value of it. */
bool explain_effect(const struct model *m, const struct frame *f,
                    const struct effect_options *o, const struct train *ctx,
                    struct effect *out, struct error *err) MUST_USE;
void effect_fini(struct effect *e);
double effect_mean(const struct effect *e, size_t point, size_t output);
/* Partial dependence: the column, "class" or "quantile" of several, mean, and
 * the 10th and 90th percentile over the rows, low and high. */
struct frame *
effect_frame(const struct effect *e, long output, struct error *err) MUST_USE;
/* Row by row (ICE): row, from 1, the column, "class" or "quantile" of several,
 * prediction. */
struct frame *
effect_curves(const struct effect *e, long output, struct error *err) MUST_USE;

/* ---- for families ---- */

/* family.attribute() of margins that are weight x + bias, against the mean of
 * the background.  weight: (outputs, columns). */
bool explain_linear(const struct attribution *a, const double *weight,
                    const double *bias, size_t n_outputs,
                    struct error *err) MUST_USE;
#endif
