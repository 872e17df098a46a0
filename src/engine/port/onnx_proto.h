/* engine/port/onnx_proto.h -- the messages of an ONNX file, for onnx*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_ONNX_PROTO_H
#define LATHE_ENGINE_PORT_ONNX_PROTO_H

#include "base/arena.h"
#include "base/str.h"

enum onnx_type {
    ONNX_FLOAT = 1,
    ONNX_UINT8 = 2,
    ONNX_INT8 = 3,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_STRING = 8,
    ONNX_BOOL = 9,
    ONNX_DOUBLE = 11
};
enum { ONNX_MAX_DIMS = 8 };

struct onnx_tensor {
    struct str name;
    enum onnx_type type;
    size_t n_dims, n;
    size_t dim[ONNX_MAX_DIMS];
    double *x;        /* n numbers; NULL: texts */
    struct str *text; /* ONNX_STRING */
};

struct onnx_attribute {
    struct str name;
    double f, i;
    struct str s;
    struct onnx_tensor *t; /* or NULL */
    double *x;             /* floats or ints: n of them */
    struct str *text;      /* strings */
    size_t n, n_texts;
};

struct onnx_node {
    struct str op, domain;
    struct str *in, *out;
    size_t n_in, n_out;
    struct onnx_attribute *attribute;
    size_t n_attributes;
};

struct onnx_input {
    struct str name;
    enum onnx_type type;
    size_t n_dims;
    size_t dim[ONNX_MAX_DIMS]; /* 0: not told */
};

struct onnx_model {
    struct onnx_node *node;
    struct onnx_tensor *tensor; /* initializers */
    struct onnx_input *input;
    struct str *output; /* names */
    size_t n_nodes, n_tensors, n_inputs, n_outputs;
    struct str producer, producer_version, schema; /* schema: lathe's own */
};

/* Everything lies in the arena or in the bytes. */
bool onnx_parse(struct str bytes, struct arena *arena, struct onnx_model *out,
                struct error *err) MUST_USE;

/* ---- attributes ---- */
const struct onnx_attribute *
onnx_attribute(const struct onnx_node *n, const char *name); /* or NULL */
double onnx_int(const struct onnx_node *n, const char *name, double fallback);
double onnx_float(const struct onnx_node *n, const char *name, double fallback);
struct str onnx_text(const struct onnx_node *n, const char *name);
/* Numbers of a list, or of a tensor of that name (or NAME_as_tensor); *n = 0
 * where there is none.  Borrowed. */
const double *
onnx_numbers(const struct onnx_node *n, const char *name, size_t *count);
const struct str *
onnx_texts(const struct onnx_node *n, const char *name, size_t *count);
#endif
