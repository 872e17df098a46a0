/* engine/port/ensemble.h -- trees of any program.
 *
 * Where engine/trees/ has one rule for all nodes, this has what the formats of
 * others need: a comparison of its own for each node, sets of any size, leaves
 * that give several outputs, nodes that two parents share.
 *
 *   LT, LE   x < threshold, x <= threshold
 *   EQ       x == threshold
 *   SET      the whole part of x, from 0 on, is in the set; what is negative
 *            or beyond its bits is not
 * is "yes" or "no"; NaN goes to "yes" where ENSEMBLE_MISSING_YES is set, and so
 * does |x| <= 1e-35 where ENSEMBLE_ZERO_MISSING is, too.
 *
 * Children stand behind their parents, so that every walk ends.
 *
 * A value may be a line over the columns; where that is not finite, as where a
 * column of it is missing, the plain value counts.  (LightGBM lets an infinite
 * column make an infinite sum.)
 *
 * Threads: immutable once built.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_ENSEMBLE_H
#define LATHE_ENGINE_PORT_ENSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "engine/safetensors.h"

enum ensemble_kind {
    ENSEMBLE_LEAF,
    ENSEMBLE_LT,
    ENSEMBLE_LE,
    ENSEMBLE_EQ,
    ENSEMBLE_SET
};
enum {
    ENSEMBLE_KIND = 7, /* the bits of the kind */
    ENSEMBLE_MISSING_YES = 8,
    ENSEMBLE_ZERO_MISSING = 16,
    ENSEMBLE_MAX_OUTPUTS = 4096
};

struct ensemble {
    size_t n_cols, n_outputs;
    size_t n_trees, n_nodes, n_sets, n_values;
    uint32_t *root;      /* n_trees: a node */
    uint8_t *kind;       /* n_nodes: kind and flags */
    uint32_t *feature;   /* column; leaf: the first of its values */
    uint32_t *yes, *no;  /* nodes; leaf: yes is the end of its values */
    double *threshold;   /* SET: the number of the set */
    uint32_t *set_start; /* n_sets + 1: words */
    uint64_t *word;
    uint32_t *target; /* n_values: the output that a value is added to */
    double *value;
    /* Lines, or NULL: value v has the terms line_start[v] .. line_start[v + 1]
     * - 1, and with any it is line_base[v] + the sum of line[t] * column
     * line_col[t]. */
    uint32_t *line_start; /* n_values + 1 */
    double *line_base;    /* n_values */
    uint32_t *line_col;   /* n_terms */
    double *line;
    size_t n_terms;
    double *base; /* n_outputs: what the sum begins with */
    double *gain; /* n_cols: for importance; sums of any unit */
    /* n_nodes: how many training rows came to a node, or what they weighed; 0
     * where that is not known.  NULL: of none. */
    double *cover;
    bool borrowed;
    size_t cap_trees, cap_nodes, cap_sets, cap_words, cap_values, cap_terms;
};

/* A node of a tree under construction. */
struct ensemble_node {
    uint8_t kind;     /* and flags */
    uint32_t feature; /* leaf: first value */
    uint32_t yes, no; /* places in the array; leaf: yes = end of the values */
    double threshold; /* SET: a set's number */
    double cover;     /* 0: not known */
};

struct ensemble *
ensemble_new(size_t n_cols, size_t n_outputs, struct error *err) MUST_USE;
void ensemble_free(struct ensemble *e);
/* The next value of a leaf; its number is n_values before. */
bool ensemble_add_value(struct ensemble *e, size_t output, double value,
                        struct error *err) MUST_USE;
/* The value added last is a line of n terms, n > 0.  ERR_PARSE for a column
 * that is not there and for what is not finite. */
bool
ensemble_add_line(struct ensemble *e, double base, const uint32_t *col,
                  const double *term, size_t n, struct error *err) MUST_USE;
/* A set of n members, each below 2^24; *number for a threshold. */
bool ensemble_add_set(struct ensemble *e, const double *member, size_t n,
                      uint32_t *number, struct error *err) MUST_USE;
/* A tree whose root is node[root].  Nodes may stand in any order and be
 * shared; what cannot be reached is left out.  ERR_PARSE for a circle and for
 * what is out of range. */
bool ensemble_add_tree(struct ensemble *e, const struct ensemble_node *node,
                       size_t n, size_t root, struct error *err) MUST_USE;

bool ensemble_has(const struct ensemble *e, uint32_t set, double x);
/* x: shape (n, n_cols) row-major; out: shape (n, n_outputs). */
void ensemble_score(const struct ensemble *e, const double *x, size_t n,
                    double *out);
/* The one output that tree t adds to: n_outputs when it has several, or a leaf
 * with more than one value. */
size_t ensemble_output(const struct ensemble *e, size_t t);
/* Is it known how training rows went, and is each node below one other: what
 * ensemble_shap() wants. */
bool ensemble_has_covers(const struct ensemble *e);
/* Does node i say yes to x? */
bool ensemble_yes(const struct ensemble *e, uint32_t i, double x);
/* Where tree t's nodes end. */
size_t ensemble_tree_end(const struct ensemble *e, size_t t);
/* The value of a leaf that has one at most; of a line the plain one. */
double ensemble_leaf(const struct ensemble *e, uint32_t node);
/* Value v where the columns are x. */
double ensemble_value(const struct ensemble *e, uint32_t v, const double *x);
/* The terms of value v: the first, and the end. */
uint32_t ensemble_line(const struct ensemble *e, uint32_t v, uint32_t *end);
/* All values, lines included, times f, and then divided. */
void ensemble_scale(struct ensemble *e, double f, double by);
/* ERR_TYPE where there are lines, which `format` cannot say. */
bool ensemble_no_lines(const struct ensemble *e, const char *format,
                       struct error *err) MUST_USE;

/* How to ask "x < t" or "x <= t" in the numbers of others.  `rounded`: our x is
 * rounded to 32 bits before.  For all x that are 32-bit numbers, and for all
 * doubles where the other's numbers are doubles, the answers are the same. */
enum ensemble_cut { CUT_FLOAT_LT, CUT_FLOAT_LE, CUT_DOUBLE_LE, CUT_DOUBLE_LT };
double ensemble_cut(enum ensemble_kind kind, double t, bool rounded,
                    enum ensemble_cut as);

/* Tensors "PREFIX.what", borrowed by w; `name` must outlive it and has room
 * for nothing else. */
void
ensemble_save(const struct ensemble *e, unsigned number, struct st_writer *w);
/* Borrows the tensors; checks every index. */
struct ensemble *
ensemble_load(const struct st_file *f, unsigned number, size_t n_cols,
              size_t n_outputs, struct error *err) MUST_USE;
#endif
