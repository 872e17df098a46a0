/* engine/model.h -- one interface for every family: fit, predict, explain,
 * save, open.
 *
 * A model is immutable once fitted, shared by reference count, and may predict
 * from many threads at once.  It carries what it needs to be trusted: schema,
 * preparation, parameters, seed, fingerprint of the training data, baseline of
 * every input for drift, metrics.  Its file holds no time, host or path, so
 * that same input gives same bytes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_MODEL_H
#define LATHE_ENGINE_MODEL_H

#include "engine/checkpoint.h"
#include "engine/finish.h"
#include "engine/metric.h"
#include "engine/params.h"
#include "engine/prepare.h"
#include "engine/safetensors.h"
#include "engine/train.h"

/* Rows beyond memory, in parts that are there one at a time. */
struct design_feed {
    size_t n_rows; /* of all parts */
    /* *out: the next part, freed by the caller; NULL behind the last. */
    bool (*next)(void *ctx, struct design **out, struct error *err);
    /* Begin again with the first part: the same rows in the same order. */
    bool (*rewind)(void *ctx, struct error *err);
    void *ctx;
    size_t *left; /* memory for what the family makes of them: room_init() */
};

/* Data a family learns from; valid may have 0 rows. */
struct fit_data {
    const struct design *train, *valid;
    const struct target *y, *y_valid;
    const struct metric *const *metrics; /* reported each round on valid (and
                                            the first also on train) */
    size_t n_metrics;
    unsigned patience; /* rounds without gain before stopping; 0: never */
    /* The training rows; NULL: they are those of train.  Else train is a
     * sample of them, y has room for all and is filled as they are fed. */
    const struct design_feed *feed;
    bool usual_metrics; /* nobody has named them */
    size_t stop; /* which of the metrics stops early; FIT_STOP_LOSS: the loss
                    that is learnt by, told as "loss" */
    const struct checkpoint *checkpoint; /* NULL: none */
    const void *init; /* a learner of this family to go on from; NULL: none */
};
#define FIT_STOP_LOSS SIZE_MAX

/* What is asked of family.attribute(): the shares that features have in the
 * margins of rows (engine/explain.h), which add up to the margin with the base
 * behind them. */
struct attribution {
    const struct design *rows;
    /* Where a feature that is left out has its values from; NULL: from what the
     * learner knows of its training rows. */
    const struct design *background;
    const uint32_t *feature; /* of each column of the design */
    size_t n_features;
    bool pairs; /* shares of pairs, too */
    struct pool *pool;
    struct progress *progress; /* counts rows x n_outputs */
    /* (rows, outputs, n_features + 1), the base last; with pairs (rows,
     * outputs, n_features + 1, n_features + 1): the shares of a feature are its
     * row, the base is the last of the last; zeroed by the caller. */
    double *out;
};

/* A column of the answers of a family without a target. */
struct answer {
    char name[32];
    bool whole; /* numbers without decimals */
};

/* A table that a learner tells of itself. */
struct family_table {
    const char *name; /* "centres" */
    const char *help; /* one line */
};

/* What may be asked of a model besides rows. */
struct recommend {
    const char *user; /* as text */
    int64_t n;        /* of the best items, at least 1; all where it is more */
    bool seen;        /* those too that the user has rated */
};
struct forecast {
    size_t horizon;            /* steps behind the last row */
    double level;              /* of the interval: 0.95 */
    struct pool *pool;         /* NULL: this thread alone */
    struct progress *progress; /* NULL: nobody looks */
};

/* The problems of a family that learns any target there is. */
#define FAMILY_ANY_TARGET \
    (1u << PROBLEM_BINARY | 1u << PROBLEM_MULTICLASS | 1u << PROBLEM_REGRESSION)

/* What a family is. The learner is its private fitted state. */
struct family {
    const char *name;  /* "gbdt", "linear", "mlp" */
    const char *title; /* "gradient boosting" */
    const struct param *params;
    enum prepare_style style;
    unsigned problems;        /* bits 1 << enum problem */
    bool iterative;           /* has rounds to stop early */
    bool feeds;               /* learns from rows that are fed, too */
    bool weighs;              /* heeds the weights of rows */
    bool own_losses;          /* learns by a train_loss */
    bool offsets;             /* heeds design_offset() */
    bool checkpoints;         /* can go on where it was ended */
    bool continues;           /* can go on from another learner */
    const char *rounds_param; /* the parameter that sets how many; or NULL */
    /* How many rounds a fitted learner kept: what rounds_param would be to
     * fit the same again without early stopping.  NULL: no rounds. */
    size_t (*rounds)(const void *learner);
    /* Writes what the auto rules chose into *chosen, which stands inside an
     * open object: json_name() and a value for each, for the run's
     * parameters. NULL on failure.  Cancelled while it has finished rounds:
     * returns what there is (the caller sees progress_stopped). */
    void *(*fit)(const struct fit_data *d, const struct params *p,
                 const struct train *ctx, struct json_writer *chosen,
                 struct error *err);
    void (*free)(void *learner);
    /* Of PROBLEM_NONE: how many numbers answer a row, and what column c of them
     * is called.  NULL: others. */
    size_t (*width)(const void *learner);
    void (*answer)(const void *learner, size_t c, struct answer *out);
    /* The kind of target that the parameters ask for, or -1.  NULL: none. */
    int (*problem)(const struct params *p);
    /* How many numbers a learner predicts for a row of a regression, and which
     * of them is judged.  NULL: one. */
    size_t (*outputs)(const void *learner, size_t *middle);
    void (*output_name)(const void *learner, size_t i, char *out); /* 32 */
    /* out: shape (rows of d, k), row-major; k = n_classes for several classes,
     * width() without a target, else outputs(). */
    bool (*score)(const void *learner, const struct design *d,
                  struct pool *pool, double *out, struct error *err);
    /* Importance by column of the design, summing to 1. */
    void (*importance)(const void *learner, double *out);
    /* What its card says of it, as members of an open object: numbers, and
     * lists of numbers.  NULL: nothing. */
    void (*facts)(const void *learner, struct json_writer *w);
    /* What else it tells: tables, ended by a NULL name, and the one at `which`,
     * in units of the columns as they were; NULL: nothing. */
    const struct family_table *tables;
    struct frame *(*table)(const void *learner, size_t which,
                           const struct prepare *prepare, struct error *err);
    /* Parameters that name the only columns it learns from, ended by NULL: one
     * each, or several with commas between; one that is unset names none.
     * NULL: it learns from all. */
    const char *const *columns;
    /* Columns item (as the table has it) and score, best first; ERR_NOTFOUND
     * for a user that is not known.  NULL: it does not recommend. */
    struct frame *(*recommend)(const void *learner,
                               const struct prepare *prepare,
                               const struct recommend *ask, struct error *err);
    /* Columns step, the time where there is one, forecast, low and high.
     * NULL: it does not forecast. */
    struct frame *(*forecast)(const void *learner,
                              const struct prepare *prepare,
                              const struct forecast *ask, struct error *err);
    /* m stands inside an open object of the learner's own.  Tensors are
     * borrowed by w and are named "FAMILY.what". */
    void (*save)(const void *learner, struct st_writer *w,
                 struct json_writer *m);
    /* manifest: the object that save filled.  f stays mapped while the learner
     * lives: tensors may be borrowed.  Everything is checked against n_cols
     * and classes, so that no file makes score() read or write out of bounds
     * or run for ever. */
    void *(*load)(const struct st_file *f, const struct json *manifest,
                  size_t n_cols, enum problem problem, size_t n_classes,
                  struct error *err);
    /* Scores before they are made probabilities, where shares add up, as many
     * as score() has; NULL: those. */
    bool (*margin)(const void *learner, const struct design *d,
                   struct pool *pool, double *out, struct error *err);
    /* Exact shares in the margins; NULL: kernel SHAP alone (engine/explain.h).
     */
    bool (*attribute)(const void *learner, const struct attribution *a,
                      struct error *err);
    /* Are those known of this learner?  NULL: of all. */
    bool (*exact)(const void *learner);
    /* Does attribute() need background rows?  NULL: always. */
    bool (*needs_background)(const void *learner);
    /* What trees that have not seen a training row say of it, (*n, outputs),
     * NaN where all have; NULL when it was not kept.  NULL: nothing such. */
    const double *(*out_of_bag)(const void *learner, size_t *n);
};

struct model;

struct model_options {
    double valid_share;         /* part of the rows held out to stop early,
                                   stratified; 0: the family's default (0.2
                                   for iterative ones, none for others);
                                   negative: none */
    const struct frame *valid;  /* or rows of their own; NULL */
    int problem;                /* enum problem, TARGET_AUTO, TARGET_CLASSES */
    const char *positive;       /* of two classes: the one that probabilities,
                                   thresholds and scores are of; NULL: the
                                   second of target_fit() */
    const char *const *metrics; /* NULL-ended names; NULL: the task's usual */
    const char *stop;           /* the metric that stops early, or "loss", what
                                   is learnt by; NULL: the first of metrics,
                                   or the loss where that is not among the
                                   usual ones */
    int patience;               /* -1: 50 */
    const char *const *drop;    /* as prepare_fit */
    const char *const *derive;  /* as prepare_fit */
    const char *const *prepare; /* steps, as prepare_fit_steps */
    const char *split_group;    /* rows held out are whole groups by this */
    const char *split_time;     /* column, or the latest by this one */
    size_t split_gap;           /* by time: rows left out before those */
    struct finish_options finish; /* calibration, threshold, ranges: learnt on
                                     rows kept aside before all else */
    bool refit;                   /* after early stopping, fit all rows with the
                                   rounds found; default off */
    /* Columns that are no inputs: how much each row counts, in learning and in
     * scores; which rows belong to one query, and so to one side of a split.
     * NULL: none. */
    const char *weight, *group;
    /* A column of numbers that scores begin with, to which what is learnt is
     * added; no input.  Predictions add it where the table has it.  NULL: none.
     */
    const char *offset;
    /* As target_class_factors(), by the training rows; in learning and in what
     * stops it early, not in scores.  NULL: all alike. */
    const char *const *class_weight;
    /* Written now and then, at least every so many rounds (0: half a minute);
     * with resume the fit goes on from it, if it is there, to the same model
     * byte for byte.  ERR_STATE when it is of another fit.  NULL: none. */
    const char *checkpoint;
    size_t checkpoint_every;
    bool resume;
    /* A model to go on from, of the same family, target and classes, whose
     * preparation is kept; borrowed.  NULL: none. */
    const struct model *init;
    /* That of the rows, where the caller has it: finding it is a pass over all
     * of them.  NULL: it is found. */
    const char *fingerprint;
};

/* `target`: NULL for a family without one, and only for that.
 * `o` may be NULL: problem -1, patience -1, nothing else.  ERR_RANGE when the
 * family does not learn such a target, or not from weights; the errors of
 * target_fit() and prepare_fit(); ERR_CANCELLED when it was stopped before the
 * first round. */
struct model *model_fit(const struct family *family, const struct params *p,
                        const struct frame *f, const char *target,
                        const struct model_options *o, const struct train *ctx,
                        struct error *err) MUST_USE;
/* The same on a table that streams (frame/stream.h), gone through twice, in
 * memory bounded by budget_bytes() but for what the family needs for each row,
 * which goes to a file where it does not fit.
 *
 * Preparation, cuts and baselines are learnt from at most 2^18 rows, drawn by
 * the seed; rows to stop early by are drawn too, not by class, and no more than
 * fit in memory.  Where no row is left out of either the model is the one that
 * model_fit() gives, byte for byte.  ERR_LIMIT for a family that cannot, and
 * for o->refit, o->group, o->offset, o->class_weight and o->init. */
struct stream;
struct model *
model_fit_stream(const struct family *family, const struct params *p,
                 struct stream *s, const char *target,
                 const struct model_options *o, const struct train *ctx,
                 struct error *err) MUST_USE;
/* What is wrong with a fit that the target and the options alone tell: its
 * errors before any learning, at the price of reading the target.  Nothing is
 * checked without a target. */
bool model_fit_check(const struct family *family, const struct params *p,
                     const struct frame *f, const char *target,
                     const struct model_options *o, struct error *err) MUST_USE;
/* Is there a target where the family wants one, and none where it learns
 * without?  Otherwise ERR_USAGE. */
bool model_fit_target_check(const struct family *family, const char *target,
                            const struct model_options *o,
                            struct error *err) MUST_USE;
/* The kind of target to fit: `wanted`, or when that is TARGET_AUTO the one that
 * the parameters ask for, or that. */
int model_fit_problem(const struct family *family, const struct params *p,
                      int wanted);
/* The column of times that the parameters of a family that forecasts name; NULL:
 * none, or it does not forecast. */
const char *model_fit_time(const struct family *family, const struct params *p);
/* May it be tried on a stream at all?  Otherwise its error. */
bool
model_fit_streams(const struct family *family, const struct model_options *o,
                  struct error *err) MUST_USE;
struct model *model_ref(const struct model *m);
void model_unref(struct model *m);

struct prediction {
    size_t n, k;   /* model_width(); of several values the one that is
                      judged */
    double *value; /* owned, (n, k) row-major */
    size_t n_more; /* model_more(), by model_predict_all() alone; else 0 */
    double *more;  /* owned, (n, n_more) row-major; or NULL */
};
/* Numbers that answer a row: 1, P(positive) or the value; one a class; or what
 * model_answer() names. */
size_t model_width(const struct model *m);
/* Column c < model_width() of a model without a target; false for others. */
bool model_answer(const struct model *m, size_t c, struct answer *out);
bool
model_predict(const struct model *m, const struct frame *f, struct pool *pool,
              struct prediction *out, struct error *err) MUST_USE;
/* And what stands beside the answer of a regression: each of several values
 * ("q0.1"...), then "low" and "high" where ranges were learnt. */
bool model_predict_all(const struct model *m, const struct frame *f,
                       struct pool *pool, struct prediction *out,
                       struct error *err) MUST_USE;
size_t model_more(const struct model *m);
void model_more_name(const struct model *m, size_t i, char *out); /* 32 */
void prediction_fini(struct prediction *p);
/* The class that is said of a row of a prediction. */
size_t model_decide(const struct model *m, const double *row);
/* Of a model with ranges: is class c among those that may be meant? */
bool model_in_set(const struct model *m, const double *row, size_t c);
/* Their names with commas between, behind what is in *out. */
void model_set_text(const struct model *m, const double *row, struct buf *out);
/* What is done to the learner's answers, or NULL: nothing. */
const struct finish *model_finish(const struct model *m);
/* As a frame: binary "probability", "prediction"; multiclass "p_CLASS"...,
 * "prediction"; regression "prediction", and behind it each of several
 * values: "q0.1"...  Where ranges were learnt also "low" and "high", or "set",
 * the names of classes with commas between. Without a target a column for
 * each answer. */
struct frame *
model_predict_frame(const struct model *m, const struct frame *f,
                    struct pool *pool, struct error *err) MUST_USE;
/* The same for a stream, which it takes over, also when it fails: a stream of
 * answers, behind the columns of s where `inputs`.  A family that forecasts
 * answers a row by those before it: its rows are read whole, and ERR_LIMIT when
 * they do not fit in memory. */
struct stream *model_predict_stream(const struct model *m, struct stream *s,
                                    bool inputs, struct error *err) MUST_USE;
/* f must hold the target; ERR_RANGE for a model without one.  Where it holds
 * the columns of weights and queries that were learnt with, they count. */
bool model_evaluate(const struct model *m, const struct frame *f, uint64_t seed,
                    struct pool *pool, struct evaluation *out,
                    struct error *err) MUST_USE;
/* The rest of a stream: its predictions and targets are kept, 16 bytes a row
 * and 8 more for each class beyond two. */
bool
model_evaluate_stream(const struct model *m, struct stream *s, uint64_t seed,
                      struct evaluation *out, struct error *err) MUST_USE;
/* What the learner is given, as a table: numbers, and codes of categories. */
struct frame *model_prepared(const struct model *m, const struct frame *f,
                             struct pool *pool, struct error *err) MUST_USE;
/* Importance by input column, largest first: column text, importance float. */
struct frame *
model_importance(const struct model *m, struct error *err) MUST_USE;

/* A table that the model tells of itself, by the names of model_tables();
 * ERR_NOTFOUND with those that there are. */
struct frame *model_table(const struct model *m, const char *name,
                          struct error *err) MUST_USE;
const struct family_table *model_tables(const struct model *m, size_t *n);
/* ERR_RANGE for a family that cannot. */
struct frame *
model_recommend(const struct model *m, const struct recommend *ask,
                struct error *err) MUST_USE;
/* ERR_CANCELLED, too. */
struct frame *model_forecast(const struct model *m, const struct forecast *ask,
                             struct error *err) MUST_USE;
/* A model that was not learnt here: no training rows, no fingerprint and no
 * baselines, so that drift cannot be told. */
struct model_parts {
    const struct family *family;
    void *learner;       /* taken over, also when it fails */
    const char *prepare; /* JSON text, as prepare_json() writes it */
    const char *params;  /* JSON object text: where it comes from */
    const char *target;  /* NULL of PROBLEM_NONE */
    enum problem problem;
    const char *const *classes;
    size_t n_classes;
};
struct model *
model_of_parts(const struct model_parts *p, struct error *err) MUST_USE;

/* The out-of-bag predictions of the training rows, in their order:
 * "probability", "p_CLASS"... or "prediction", missing where no tree has left a
 * row out.  ERR_STATE when the model has none. */
struct frame *
model_out_of_bag(const struct model *m, struct error *err) MUST_USE;

const struct family *model_family(const struct model *m);
const void *model_learner(const struct model *m);
const struct prepare *model_prepare(const struct model *m);
enum problem model_problem(const struct model *m);
const char *model_target(const struct model *m); /* or NULL */
size_t model_classes(const struct model *m, const char *const **names);
/* The columns of weights and of queries it was learnt with, or NULL. */
const char *model_weight(const struct model *m);
const char *model_group(const struct model *m);
const char *model_offset(const struct model *m); /* or NULL */
/* The target of rows, with the weights and queries whose columns f has. */
bool model_truth(const struct model *m, const struct frame *f,
                 struct target *out, struct error *err) MUST_USE;
const struct input *model_inputs(const struct model *m, size_t *n);
const char *model_fingerprint(const struct model *m); /* of the training data */
/* JSON object text: all parameters, with what the auto rules chose. */
const char *model_params(const struct model *m);
/* evaluation_json() text of the validation rows, or NULL; its "asked" are the
 * metrics that the fit was told to follow. */
const char *model_valid_metrics(const struct model *m);
const char *model_notes(const struct model *m); /* prepare_notes */
uint64_t model_seed(const struct model *m);
size_t model_train_rows(const struct model *m);

/* The share of training rows in each bin of each input, for drift: numeric
 * columns at their training deciles, others by level. */
struct baseline {
    const char *name;
    bool category;
    size_t n_bins;       /* numeric: n_cuts + 1; category: levels + 1 (other) */
    const double *cuts;  /* numeric: n_bins - 1, ascending; bin = number of
                            cuts <= x; none of them the least value */
    const double *share; /* n_bins, sums to 1 over present values */
    double missing;      /* share of missing values among all */
};
/* *n = 0 when there are none: it was not learnt here. */
const struct baseline *model_baselines(const struct model *m, size_t *n);

bool
model_save(const struct model *m, struct buf *out, struct error *err) MUST_USE;
/* `find` looks a family up by name (engine/family.h). */
typedef const struct family *family_find_fn(const char *name);
/* ERR_CORRUPT for a damaged file, ERR_NOTFOUND for a family that is not
 * here. */
struct model *
model_open(const char *path, family_find_fn *find, struct error *err) MUST_USE;
struct model *model_parse(struct str bytes, family_find_fn *find,
                          struct error *err) MUST_USE; /* bytes outlive it */
/* A card for people. */
void model_print(const struct model *m, struct buf *out);
void model_card_json(const struct model *m, struct json_writer *w);
#endif
