/* engine/prepare_state.h -- what fitting, applying and loading share.
 *
 *   input    a column that a frame must have, by name
 *   derived  a column computed from inputs and earlier derived ones
 *   feature  an input or a derived column that is learnt from
 *   column   of the design: one a feature, or several when one-hot
 *
 * Private to prepare*.c.  Fitting and loading fill derived, input and feature
 * in that order and end in prepare_finish(), so that both have one meaning.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PREPARE_STATE_H
#define LATHE_ENGINE_PREPARE_STATE_H

#include "base/arena.h"
#include "engine/prepare.h"
#include "frame/expr.h"

/* Of a model; also of what steps make of a table. */
enum { PREPARE_MAX_FEATURES = 1 << 20 };

struct derived {
    const char *name, *text; /* text: "name = expression" */
    struct expr *expr;       /* owned */
};

struct feature {
    const char *name;
    enum col_type type;
    size_t input; /* SIZE_MAX: derived */
    /* numbers, PREPARE_DENSE */
    double fill, mean, sd;
    bool missing; /* has a 0/1 column for missing */
    /* text */
    size_t n_levels, n_groups; /* n_groups 0: codes, not one-hot */
    const char **level;
    uint32_t *group;   /* of each level */
    bool rare;         /* the last group gathers the rare levels */
    size_t rest;       /* of imported models: as in struct prepare_feature */
    struct dict *dict; /* owned; code = level */
};

struct step;

struct prepare {
    struct step *step; /* after what is derived; prepare_step.h */
    size_t n_steps;
    struct frame *trained;    /* training rows after the steps, until taken */
    struct arena arena;       /* names, levels, tables */
    struct dict *scaled;      /* in fitting: made by steps that scale */
    enum prepare_style style; /* not PREPARE_IDS: it is applied as trees are */
    bool images;    /* PREPARE_PIXELS, in fitting: there is a column of them */
    bool keeps_all; /* in fitting: PREPARE_IDS */
    struct derived *derived;
    size_t n_derived;
    struct input *input;
    size_t n_inputs;
    struct dict *names; /* of the inputs, in their order */
    struct feature *feature;
    size_t n_features;
    struct design_column *column;
    struct design_source *source;
    size_t n_cols;
    struct buf notes;
};

/* Are numbers imputed and scaled?  Has text a column for each level? */
static inline bool
prepare_scales(enum prepare_style style)
{
    return style == PREPARE_DENSE || style == PREPARE_CODES;
}
static inline bool
prepare_one_hot(enum prepare_style style)
{
    return style == PREPARE_DENSE;
}

struct prepare *
prepare_new(enum prepare_style style, struct error *err) MUST_USE;
/* Room for n derived columns. */
bool
prepare_derived_init(struct prepare *p, size_t n, struct error *err) MUST_USE;
/* Parse "name = expression" as the next derived column. */
bool prepare_derived_add(struct prepare *p, const char *text,
                         struct error *err) MUST_USE;
/* The derived column of that name among the first n, or n. */
size_t
prepare_derived_find(const struct prepare *p, const char *name, size_t n);
/* One more input, whose name is not among them; p->input has room for it. */
bool prepare_input_add(struct prepare *p, const char *name, enum col_type type,
                       struct error *err) MUST_USE;
/* The input of that name, or n_inputs. */
size_t prepare_input_find(const struct prepare *p, const char *name);
/* Give every level of f a group, those of rare[] the last one together. */
bool prepare_groups(struct prepare *p, struct feature *f, const bool *rare,
                    struct error *err) MUST_USE;
/* Compute the derived columns: f with them, a new reference. */
struct frame *prepare_derive(const struct prepare *p, const struct frame *f,
                             struct pool *pool, struct error *err) MUST_USE;
/* Lay out the design and index the levels. */
bool prepare_finish(struct prepare *p, struct error *err) MUST_USE;
#endif
