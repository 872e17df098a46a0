/* engine/port/onnx_put.c -- messages of an ONNX file under construction.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/onnx_put.h"

#include <string.h>

/* What an attribute holds, as AttributeProto numbers it. */
enum {
    KIND_FLOAT = 1,
    KIND_INT,
    KIND_TEXT,
    KIND_TENSOR,
    KIND_FLOATS = 6,
    KIND_INTS,
    KIND_TEXTS
};

void
onnx_put_in(struct buf *node, const char *name)
{
    wire_put_text(node, 1, name);
}

void
onnx_put_out(struct buf *node, const char *name)
{
    wire_put_text(node, 2, name);
}

static void
begin(struct buf *a, const char *name)
{
    buf_init(a);
    wire_put_text(a, 1, name);
}

static void
end(struct buf *a, unsigned kind, struct buf *node)
{
    wire_put_int(a, 20, kind);
    wire_put_message(node, 5, a);
    buf_fini(a);
}

void
onnx_put_int(struct buf *node, const char *name, int64_t v)
{
    struct buf a;

    begin(&a, name);
    wire_put_int(&a, 3, (uint64_t)v);
    end(&a, KIND_INT, node);
}

void
onnx_put_float(struct buf *node, const char *name, double v)
{
    struct buf a;

    begin(&a, name);
    wire_put_float(&a, 2, (float)v);
    end(&a, KIND_FLOAT, node);
}

void
onnx_put_text(struct buf *node, const char *name, const char *v)
{
    struct buf a;

    begin(&a, name);
    wire_put_text(&a, 4, v);
    end(&a, KIND_TEXT, node);
}

/* Little-endian bytes of v in that type. */
static void
put_raw(struct buf *b, enum onnx_type type, double v)
{
    float f = (float)v;
    uint64_t u = 0;
    uint32_t low;
    size_t width = 8;
    char le[8];

    if (type == ONNX_FLOAT) {
        memcpy(&low, &f, sizeof low);
        u = low;
        width = 4;
    } else if (type == ONNX_DOUBLE) {
        memcpy(&u, &v, sizeof u);
    } else {
        u = (uint64_t)(int64_t)v;
        width = type == ONNX_UINT8 ? 1 : 8;
    }
    for (size_t i = 0; i < width; i++)
        le[i] = (char)(u >> 8 * i);
    buf_add(b, le, width);
}

void
onnx_put_floats(struct buf *node, const char *name, const double *v, size_t n)
{
    struct buf a, packed;

    begin(&a, name);
    buf_init(&packed);
    for (size_t i = 0; i < n; i++)
        put_raw(&packed, ONNX_FLOAT, v[i]);
    wire_put_message(&a, 7, &packed);
    buf_fini(&packed);
    end(&a, KIND_FLOATS, node);
}

void
onnx_put_ints(struct buf *node, const char *name, const int64_t *v, size_t n)
{
    struct buf a, packed;

    begin(&a, name);
    buf_init(&packed);
    for (size_t i = 0; i < n; i++)
        wire_put_varint(&packed, (uint64_t)v[i]);
    wire_put_message(&a, 8, &packed);
    buf_fini(&packed);
    end(&a, KIND_INTS, node);
}

void
onnx_put_texts(struct buf *node, const char *name, const char *const *v,
               size_t n)
{
    struct buf a;

    begin(&a, name);
    for (size_t i = 0; i < n; i++)
        wire_put_text(&a, 9, v[i]);
    end(&a, KIND_TEXTS, node);
}

static void
put_tensor(struct buf *t, const char *name, enum onnx_type type,
           const double *v, size_t rows, size_t cols)
{
    size_t n = cols ? rows * cols : rows;
    struct buf raw;

    buf_init(&raw);
    for (size_t i = 0; i < n; i++)
        put_raw(&raw, type, v[i]);
    wire_put_int(t, 1, rows);
    if (cols)
        wire_put_int(t, 1, cols);
    wire_put_int(t, 2, type);
    wire_put_text(t, 8, name);
    wire_put_message(t, 9, &raw);
    buf_fini(&raw);
}

void
onnx_put_tensor(struct buf *node, const char *name, enum onnx_type type,
                const double *v, size_t n)
{
    struct buf a, t;

    begin(&a, name);
    buf_init(&t);
    put_tensor(&t, name, type, v, n, 0);
    wire_put_message(&a, 5, &t);
    buf_fini(&t);
    end(&a, KIND_TENSOR, node);
}

void
onnx_end_node(struct buf *node, const char *op, bool ml, struct buf *graph)
{
    wire_put_text(node, 4, op);
    if (ml)
        wire_put_text(node, 7, "ai.onnx.ml");
    wire_put_message(graph, 1, node);
    buf_clear(node);
}

void
onnx_put_initializer(struct buf *graph, const char *name, enum onnx_type type,
                     const double *v, size_t rows, size_t cols)
{
    struct buf t;

    buf_init(&t);
    put_tensor(&t, name, type, v, rows, cols);
    wire_put_message(graph, 5, &t);
    buf_fini(&t);
}

static void
put_block(struct buf *graph, const char *name, enum onnx_type type,
          const double *v, const size_t *dim, size_t n_dims)
{
    struct buf raw, t;
    size_t n = 1;

    for (size_t i = 0; i < n_dims; i++)
        n *= dim[i];

    buf_init(&raw);
    buf_init(&t);
    for (size_t i = 0; i < n; i++)
        put_raw(&raw, type, v[i]);
    for (size_t i = 0; i < n_dims; i++)
        wire_put_int(&t, 1, dim[i]);
    wire_put_int(&t, 2, type);
    wire_put_text(&t, 8, name);
    wire_put_message(&t, 9, &raw);
    wire_put_message(graph, 5, &t);
    buf_fini(&raw);
    buf_fini(&t);
}

void
onnx_put_block(struct buf *graph, const char *name, const double *v,
               const size_t dim[4])
{
    put_block(graph, name, ONNX_FLOAT, v, dim, 4);
}

void
onnx_put_scalar(struct buf *graph, const char *name, enum onnx_type type,
                double v)
{
    put_block(graph, name, type, &v, NULL, 0);
}

static void
put_dim(struct buf *shape, size_t n)
{
    struct buf dim;

    buf_init(&dim);
    if (n)
        wire_put_int(&dim, 1, n);
    else
        wire_put_text(&dim, 2, "rows");
    wire_put_message(shape, 1, &dim);
    buf_fini(&dim);
}

void
onnx_put_value(struct buf *graph, uint32_t field, const char *name,
               enum onnx_type type, size_t cols)
{
    struct buf shape, tensor, wrapped, value;

    buf_init(&shape);
    buf_init(&tensor);
    buf_init(&wrapped);
    buf_init(&value);
    put_dim(&shape, 0);
    if (cols)
        put_dim(&shape, cols);
    wire_put_int(&tensor, 1, type);
    wire_put_message(&tensor, 2, &shape);
    wire_put_message(&wrapped, 1, &tensor);
    wire_put_text(&value, 1, name);
    wire_put_message(&value, 2, &wrapped);
    wire_put_message(graph, field, &value);
    buf_fini(&shape);
    buf_fini(&tensor);
    buf_fini(&wrapped);
    buf_fini(&value);
}
