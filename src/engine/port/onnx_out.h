/* engine/port/onnx_out.h -- an ONNX graph under construction, for onnx_out*.c
 * alone.
 *
 * Values between operators are tables of floats, or of doubles where distances
 * and the like want them (portable_wide()); images, which windows look at,
 * stay (rows, channels, height, width) from one such step to the next, and are
 * made flat when another step asks for them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_ONNX_OUT_H
#define LATHE_ENGINE_PORT_ONNX_OUT_H

#include "engine/port/onnx_put.h"
#include "engine/port/portable.h"

enum { ONNX_NAME = 48 };

struct onnx_shape {
    uint32_t c, h, w; /* c 0: a table */
};

struct onnx_writing {
    const struct portable *p;
    const struct graph *g;
    int ml;
    bool texts;              /* an input for each column */
    bool wide;               /* inputs are doubles */
    bool *is_wide;           /* nodes are */
    char (*name)[ONNX_NAME]; /* of the value of each node */
    char (*flat)[ONNX_NAME]; /* of an image made flat; "": not so far */
    char (*cast)[ONNX_NAME]; /* of a node in the other type; "": not so far */
    struct onnx_shape *shape;
    unsigned n_more; /* values between */
    struct buf graph, node;
    struct error *err;
};

/* A name for a value between two operators. */
void onnx_more_name(struct onnx_writing *w, char out[ONNX_NAME]);
/* A constant of the graph. */
void onnx_constant(struct onnx_writing *w, enum onnx_type type, const double *v,
                   size_t rows, size_t cols, char out[ONNX_NAME]);
void onnx_scalar(struct onnx_writing *w, enum onnx_type type, double v,
                 char out[ONNX_NAME]);
/* The value of a node as a table. */
const char *onnx_flat(struct onnx_writing *w, uint32_t id);
/* The same as floats, or as doubles. */
const char *onnx_as(struct onnx_writing *w, uint32_t id, enum onnx_type type);
enum onnx_type onnx_type_of(const struct onnx_writing *w, size_t id);
/* is_wide of all nodes. */
void onnx_types_find(struct onnx_writing *w);

void onnx_op_begin(struct onnx_writing *w, const char *in);
void
onnx_op_end(struct onnx_writing *w, const char *out, const char *op, bool ml);
/* Operators of one input, or two, and nothing else. */
void onnx_op_plain(struct onnx_writing *w, const char *in, const char *op,
                   const char *out);
void onnx_op_two(struct onnx_writing *w, const char *a, const char *b,
                 const char *op, const char *out);
void onnx_op_cast(struct onnx_writing *w, const char *in, enum onnx_type to,
                  const char *out);

/* Inputs, and columns of them; `in`, the value of the node before, is as wide
 * and of the type that node `id` is. */
enum onnx_type onnx_input_type(const struct onnx_writing *w, size_t column);
bool onnx_put_input(struct onnx_writing *w, size_t id,
                    const struct graph_node *n) MUST_USE;
bool onnx_put_pick(struct onnx_writing *w, const char *in,
                   const uint32_t *index, size_t n, const char *out) MUST_USE;
void onnx_put_fill(struct onnx_writing *w, const char *in, size_t id);
void onnx_put_missing(struct onnx_writing *w, const char *in, size_t id);
void onnx_put_scale(struct onnx_writing *w, const char *in, size_t id);
bool onnx_put_map(struct onnx_writing *w, const struct graph_node *n,
                  const double *value, double c, const char *out) MUST_USE;
bool onnx_put_onehot(struct onnx_writing *w, const struct graph_node *n,
                     const char *out) MUST_USE;

/* Steps of nets.  onnx_put_image() writes node `id` where it sees images, and
 * says whether. */
bool onnx_put_image(struct onnx_writing *w, size_t id) MUST_USE;
void onnx_put_clip(struct onnx_writing *w, const char *in, size_t id);
bool onnx_put_embed(struct onnx_writing *w, const char *in, size_t id) MUST_USE;

/* Distances, and the nearest of them. */
void onnx_put_distance(struct onnx_writing *w, const char *in, size_t id);
void onnx_put_nearest(struct onnx_writing *w, const char *in, size_t id);

/* Attributes of a TreeEnsembleRegressor, or where `classes` of a
 * TreeEnsembleClassifier, into w->node.  n_levels: of each column; 0: not
 * known. */
bool onnx_put_trees(struct onnx_writing *w, const struct ensemble *e,
                    const size_t *n_levels, bool classes) MUST_USE;
/* Those of a TreeEnsemble of ai.onnx.ml 5, which has no base values. */
bool onnx_put_trees_five(const struct ensemble *e, struct buf *node,
                         struct error *err) MUST_USE;
#endif
