/* engine/port/onnx_in.h -- an ONNX graph that is read, for onnx_in*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_ONNX_IN_H
#define LATHE_ENGINE_PORT_ONNX_IN_H

#include "engine/port/ensemble.h"
#include "engine/port/onnx_proto.h"
#include "engine/port/portable.h"
#include "frame/dict.h"

enum onnx_value_kind {
    VALUE_UNKNOWN,
    VALUE_NUMBERS,
    VALUE_TEXTS,
    VALUE_CONSTANT,
    VALUE_APART /* numbers less each row of a constant; onnx_in_near.c */
};

struct onnx_value {
    enum onnx_value_kind kind;
    struct str why; /* unknown: the operator */
    /* numbers */
    uint32_t node;
    uint32_t image[3];              /* channels, height, width; 0: a table */
    bool whole;                     /* integers or truths */
    bool raised;                    /* (rows, 1, columns) */
    bool squared;                   /* VALUE_APART */
    bool pair;                      /* two columns 1 - p and p, of which `node`
                                       is p; the columns are made when asked for */
    const struct onnx_node *labels; /* whose classes they are; NULL */
    /* texts */
    const uint32_t *column;
    size_t n_columns;
    const struct onnx_tensor *tensor; /* constant */
};

struct onnx_reading {
    struct onnx_model m;
    struct arena arena;
    struct dict *names; /* of values: code = place in value */
    struct onnx_value *value;
    size_t n_values;
    struct portable *p;
    struct graph *g;
    struct dict **levels; /* of each input column; NULL: a number */
    struct error *err;
};

/* ---- values ---- */

struct onnx_value *onnx_value_find(struct onnx_reading *r, struct str name);
bool onnx_value_set(struct onnx_reading *r, struct str name,
                    const struct onnx_value *v) MUST_USE;
/* Input k of an operator as a node of numbers; *known: it is that. */
bool onnx_number_in(struct onnx_reading *r, const struct onnx_node *n, size_t k,
                    uint32_t *id, bool *known) MUST_USE;
/* Input k where it is a constant, else NULL. */
const struct onnx_tensor *
onnx_constant_in(struct onnx_reading *r, const struct onnx_node *n, size_t k);
/* Operators of input 0, which is numbers: node `in`. */
typedef bool
onnx_of_numbers(struct onnx_reading *r, const struct onnx_node *n, uint32_t in);
/* A value that is node `node`. */
struct onnx_value onnx_value_numbers(uint32_t node);
/* The first output is that node. */
bool onnx_value_put(struct onnx_reading *r, const struct onnx_node *n,
                    uint32_t id, bool whole) MUST_USE;
/* All outputs are something that we do not know. */
bool onnx_unknown(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool onnx_refuse(struct onnx_reading *r, const struct onnx_node *n,
                 const char *what);

/* ---- inputs ---- */

/* All inputs of the file that are no constants: the portable, its inputs by
 * name, the graph. */
bool onnx_inputs_read(struct onnx_reading *r) MUST_USE;
/* What the encoders have looked for in texts becomes their levels. */
bool onnx_levels_take(struct onnx_reading *r) MUST_USE;

/* ---- functions, arithmetic ---- */

/* An operator that is one of our steps, of one input. */
bool onnx_simple(struct onnx_reading *r, const struct onnx_node *n,
                 enum graph_op op, double c) MUST_USE;
/* (x - a) * b with lists of one number or one for each column. */
bool onnx_put_scaled(struct onnx_reading *r, const struct onnx_node *n,
                     uint32_t in, const double *a, size_t n_a, const double *b,
                     size_t n_b) MUST_USE;

bool onnx_take_arithmetic(struct onnx_reading *r,
                          const struct onnx_node *n) MUST_USE;
bool onnx_take_cast(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_function(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_greater(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
onnx_of_numbers onnx_take_binarizer;
onnx_of_numbers onnx_take_imputer;
bool
onnx_take_leaky(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_missing(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
onnx_of_numbers onnx_take_normalizer;
bool onnx_take_same(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
onnx_of_numbers onnx_take_scaler;
bool
onnx_take_softmax(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_where(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;

/* ---- columns ---- */

bool onnx_take_join(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_label(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_onehot(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool onnx_take_pick(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;

/* ---- models ---- */

onnx_of_numbers onnx_take_gemm;
onnx_of_numbers onnx_take_linear_classifier;
onnx_of_numbers onnx_take_linear_regressor;
onnx_of_numbers onnx_take_tree_classifier;
onnx_of_numbers onnx_take_tree_regressor;
/* How many classes a classifier names. */
size_t onnx_label_count(const struct onnx_node *n);

/* ---- distances ---- */

/* What of (x - rows)^2, added up, is not one of these is left to others. */
bool
onnx_take_raise(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_apart(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_square(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_reduce(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_nearest(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;

/* ---- nets ---- */

/* Where input k is an image, so is the first output. */
bool onnx_keep_image(struct onnx_reading *r, const struct onnx_node *n,
                     size_t k) MUST_USE;
bool onnx_take_batch_norm(struct onnx_reading *r,
                          const struct onnx_node *n) MUST_USE;
bool onnx_take_clip(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool onnx_take_conv(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool onnx_take_elu(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool onnx_take_pool(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_reshape(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
bool
onnx_take_transpose(struct onnx_reading *r, const struct onnx_node *n) MUST_USE;
/* A Gather from a constant. */
bool onnx_take_embed(struct onnx_reading *r, const struct onnx_node *n,
                     const struct onnx_tensor *table) MUST_USE;

/* ---- trees ---- */

/* The ensemble of a TreeEnsembleClassifier, TreeEnsembleRegressor or
 * TreeEnsemble, base values included.
 *   n_outputs  what the operator's outputs are numbered to; 1 with `merge`: all
 *              values are added up, whatever output they name */
struct ensemble *
onnx_trees(struct onnx_reading *r, const struct onnx_node *n, size_t n_cols,
           size_t n_outputs, bool merge) MUST_USE;
/* The highest column that a tree operator asks for, plus 1. */
size_t onnx_trees_columns(const struct onnx_node *n);
#endif
