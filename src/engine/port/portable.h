/* engine/port/portable.h -- a model as what every format can be made from: a
 * graph, its inputs by name, the target.
 *
 *   another program's file  ->  portable  ->  a model of family "imported"
 *   any model of lathe      ->  portable  ->  another program's file
 *
 * The columns of the graph's design are the inputs: numbers, NaN where missing,
 * and of a text its level's number, NaN where it is missing or none of them; or
 * where these two are answered differently, a level's of its own for the latter.
 * A model without a target, PROBLEM_NONE, has answers by name.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_PORTABLE_H
#define LATHE_ENGINE_PORT_PORTABLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "engine/model.h"
#include "engine/port/graph.h"

struct dict;

struct portable_input {
    const char *name;
    const char *const *levels; /* of a text */
    size_t n_levels;           /* 0: a number */
    bool truth;                /* 0 or 1 */
    bool derived;              /* of the others, by an expression */
    bool open;                 /* any text: its levels are made up, to compare
                                  by */
    size_t rest;               /* the level, from 1 on, that stands for texts
                                  that are none of the others, and NaN for what
                                  is missing; 0: NaN stands for both */
    bool blank;                /* an empty text is missing, too */
    enum col_type dated;       /* a number that stands for a date or a time:
                                  COL_DATE, COL_TIMESTAMP; else COL_BOOL */
};

/* A step that counts n-grams of an open input: the node is a table of what it
 * makes of the levels, and a format that can count puts this in its place. */
struct portable_grams {
    const char *written; /* the step */
    uint32_t node, input;
    const char *fill; /* in place of a missing text; or NULL */
    bool chars;       /* of words; else words */
    size_t from, to, size;
    const double *weight; /* size; or NULL: counts */
    const struct portable_grams *next;
};

struct portable {
    struct arena arena; /* names; its `stop` is that of the work p is for */
    struct graph *graph;
    struct portable_input *input; /* as many as the graph has columns */
    enum problem problem;
    const char **classes; /* n_classes; 0 for a regression */
    size_t n_classes;
    bool named;            /* the file says what they are called */
    struct answer *answer; /* n_answers; of PROBLEM_NONE */
    size_t n_answers;
    const char *target;   /* NULL: the file does not say */
    bool single;          /* its answers are computed in 32 bits */
    bool wide;            /* columns are computed of others, in 64 bits */
    double slope, offset; /* its sums are stretched as a calibration does to the
                             log-odds of shares; slope 0: they are not */
    const char *curves;   /* the calibration, where it is not but a stretch of
                             the sums; else NULL */
    double slack;         /* what 32 bits may change of an answer, where that is
                           more than a format's usual; or 0 */
    const struct portable_grams *grams;
    struct buf about; /* members of a JSON object, for the card */
    struct buf notes; /* lines */
};

/* With a graph over n_inputs columns that has no node yet, and room for as
 * many inputs, whose names are NULL. */
struct portable *portable_new(size_t n_inputs, struct error *err) MUST_USE;
void portable_free(struct portable *p);
/* Copies: of input i, of the classes ("0", "1", ... where names is NULL, which
 * are not named then). */
bool portable_name(struct portable *p, size_t i, struct str name,
                   struct error *err) MUST_USE;
/* "PREFIXi" for all inputs without a name. */
bool portable_name_rest(struct portable *p, const char *prefix,
                        struct error *err) MUST_USE;
/* A text that is none of those: what stands for all others. */
bool portable_rest_text(const struct dict *levels, struct buf *text,
                        struct error *err) MUST_USE;
bool portable_classes(struct portable *p, const char *const *names, size_t n,
                      struct error *err) MUST_USE;
/* It has no target but n answers, which are the caller's to fill in. */
bool portable_answers(struct portable *p, size_t n, struct error *err) MUST_USE;
/* A member of about: "objective": "binary:logistic". */
void portable_tell(struct portable *p, const char *name, const char *text);
void portable_tell_count(struct portable *p, const char *name, size_t n);
/* How wide answers are: 1, or the number of classes, or of answers. */
size_t portable_width(const struct portable *p);
/* Names, problem, classes, graph: all that must be so before it is used. */
bool portable_check(struct portable *p, struct error *err) MUST_USE;

/* Does its graph want 64-bit numbers: distances, dates, expressions? */
bool portable_wide(const struct portable *p);
/* The n-grams that a node stands for, or NULL. */
const struct portable_grams *
portable_grams_at(const struct portable *p, size_t node);
/* Do trees look at what it computes?  Where they have 32-bit numbers, one on a
 * threshold may fall on its other side. */
bool portable_rounds(const struct portable *p);
/* The column that an input is: text, date, timestamp or float. */
enum col_type portable_type(const struct portable_input *in);
/* A model of family "imported"; the target is "target" where nobody says. */
struct model *
portable_model(const struct portable *p, struct error *err) MUST_USE;
/* What a model is made of.  exprs: derived columns that can be said are
 * computed; else they are inputs, as are all others.  ERR_TYPE for a family,
 * and for a step of its preparation, that no format can say; ERR_CANCELLED. */
struct portable *
portable_of(const struct model *m, bool exprs, const struct progress *stop,
            struct error *err) MUST_USE;
#endif
