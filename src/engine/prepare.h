/* engine/prepare.h -- steps learnt on training rows and frozen into the model.
 *
 * prepare_fit() looks at training rows only; prepare_apply() is the one way
 * from a frame to a design, in training, evaluation and serving alike, so they
 * cannot disagree.  Styles:
 *   PREPARE_TREES  numbers as they are (missing NaN), text as category codes
 *                  in bytewise order of the levels
 *   PREPARE_DENSE  numbers imputed by the median and scaled to mean 0, sd 1
 *                  (with a 0/1 column where values were missing in training),
 *                  text one-hot, rare levels (under 0.5 % of rows, past 50
 *                  levels) grouped; a level not seen is all zeros
 *   PREPARE_CODES  numbers as in PREPARE_DENSE, text as in PREPARE_TREES
 *   PREPARE_PIXELS every number as it is, constant ones too, in the order of
 *                  the table, and no text; or, where there is a text column
 *                  of the name PREPARE_IMAGE, that one alone, as it is:
 *                  with pictures it is neither the target nor dropped
 *   PREPARE_IDS    as trees, but nothing is left out: texts keep all their
 *                  levels, identifiers and constants stay; no column will do
 * Text columns that look like identifiers (over half of the rows distinct and
 * more than 50) and constant columns are dropped; prepare_notes() says so.
 * Columns are matched by name; order does not matter; a column absent at
 * prediction is ERR_NOTFOUND, one of another kind ERR_TYPE (int and float and
 * bool are one kind; text of numbers is parsed; a column without any value fits
 * every kind).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PREPARE_H
#define LATHE_ENGINE_PREPARE_H

#include "base/json.h"
#include "base/pool.h"
#include "engine/encode.h"
#include "engine/target.h"

/* Levels kept of a text column, the most frequent ones; the rest count as not
 * seen.  Trees tell more of them apart than columns and tables of weights. */
enum { PREPARE_MAX_LEVELS = 1000, PREPARE_TREE_LEVELS = 65535 };
enum prepare_style {
    PREPARE_TREES,
    PREPARE_DENSE,
    PREPARE_CODES,
    PREPARE_PIXELS,
    PREPARE_IDS
};
#define PREPARE_IMAGE "image"

/* An input column as the model wants it. */
struct input {
    const char *name;
    enum col_type type;        /* of the training frame */
    size_t n_levels;           /* COL_TEXT: levels known */
    const char *const *levels; /* in code order */
    bool is_image;             /* a path, or a picture's bytes as text */
};

struct prepare;

/* `target` may be NULL: none.
 * `drop`: columns to leave out besides the target (NULL-ended, may be NULL).
 * `derive`: "name = expression" columns computed first, kept as text and
 * checked against the schema on load (NULL-ended, may be NULL). */
/* Everything that a fit may be told; y: the target of the rows of f, for steps
 * that look at it.  steps: lines as in prepare_step.h, of which lathe-lua(7)
 * tells (NULL-ended, may be NULL). */
struct prepare_options {
    const char *const *drop, *const *derive, *const *steps;
    const struct target *y;
    uint64_t seed;
};
struct prepare *
prepare_fit_steps(const struct frame *f, const char *target,
                  enum prepare_style style, const struct prepare_options *o,
                  struct pool *pool, struct error *err) MUST_USE;
/* The design of the very rows that were fitted, once: steps that look at the
 * target give each row what the others say. */
struct design *prepare_train(struct prepare *p, const struct frame *f,
                             struct pool *pool, struct error *err) MUST_USE;
/* Can these steps be learnt from a sample of rows? */
bool prepare_steps_stream(const char *const *steps, struct error *err) MUST_USE;
/* Did a step look at the target, so that rows that were learnt from want
 * prepare_train()? */
bool prepare_by_target(const struct prepare *p);
/* The design as a table, for people. */
struct frame *prepare_frame(const struct prepare *p, const struct frame *f,
                            struct pool *pool, struct error *err) MUST_USE;
/* No steps, no target. */
struct prepare *
prepare_fit(const struct frame *f, const char *target, enum prepare_style style,
            const char *const *drop, const char *const *derive,
            struct pool *pool, struct error *err) MUST_USE;
void prepare_free(struct prepare *p);
/* The design holds references: f may be released, p must outlive it. */
struct design *prepare_apply(const struct prepare *p, const struct frame *f,
                             struct pool *pool, struct error *err) MUST_USE;
/* Rows of f, by input, whose text is none of the levels that are known, added
 * to rows[].  Of texts that a step changes nothing is known; what f lacks, or
 * has of another type, is passed over. */
bool prepare_unseen(const struct prepare *p, const struct frame *f,
                    uint64_t *rows, struct error *err) MUST_USE;
const struct input *prepare_inputs(const struct prepare *p, size_t *n);
/* The feature that a column of the design is made from: an input's name, or a
 * derived column's. */
const char *prepare_feature(const struct prepare *p, size_t col);
/* How that column is made of the feature `ref`, which is below
 * prepare_features(). */
const struct design_source *prepare_source(const struct prepare *p, size_t col);
size_t prepare_features(const struct prepare *p);
/* A feature: what it looks like as an input, whether it is one or computed,
 * and of a one-hot text the group of each level (n_groups 0: codes). */
struct prepare_feature {
    struct input as;
    bool derived;
    const uint32_t *group;
    size_t n_groups;
    size_t rest; /* the level, from 1 on, of texts that are none of the others;
                    0: these are missing */
};
void prepare_feature_get(const struct prepare *p, size_t ref,
                         struct prepare_feature *out);
size_t prepare_cols(const struct prepare *p); /* of its designs */
/* Column `col` of its designs: a value v of it was v / scale + shift. */
struct prepared {
    const char *name;
    double shift, scale;
};
void prepare_column(const struct prepare *p, size_t col, struct prepared *out);
/* Sentences on what was dropped and why; newline-ended. */
const char *prepare_notes(const struct prepare *p);
void prepare_json(const struct prepare *p, struct json_writer *w);
struct prepare *
prepare_from_json(const struct json *v, struct error *err) MUST_USE;
#endif
