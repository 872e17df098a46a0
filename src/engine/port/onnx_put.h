/* engine/port/onnx_put.h -- messages of an ONNX file under construction, for
 * onnx*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_ONNX_PUT_H
#define LATHE_ENGINE_PORT_ONNX_PUT_H

#include "engine/port/onnx_proto.h"
#include "engine/port/wire.h"

/* A NodeProto: inputs and outputs first, then attributes, then its end. */
void onnx_put_in(struct buf *node, const char *name);
void onnx_put_out(struct buf *node, const char *name);
void onnx_put_int(struct buf *node, const char *name, int64_t v);
void onnx_put_float(struct buf *node, const char *name, double v);
void onnx_put_text(struct buf *node, const char *name, const char *v);
void
onnx_put_floats(struct buf *node, const char *name, const double *v, size_t n);
void
onnx_put_ints(struct buf *node, const char *name, const int64_t *v, size_t n);
void onnx_put_texts(struct buf *node, const char *name, const char *const *v,
                    size_t n);
/* A tensor of n numbers as an attribute. */
void onnx_put_tensor(struct buf *node, const char *name, enum onnx_type type,
                     const double *v, size_t n);
/* Op type and domain (ml: ai.onnx.ml), and into the graph; node is empty
 * again. */
void
onnx_end_node(struct buf *node, const char *op, bool ml, struct buf *graph);
/* An initializer of the graph; dims of one or two, cols 0: one. */
void
onnx_put_initializer(struct buf *graph, const char *name, enum onnx_type type,
                     const double *v, size_t rows, size_t cols);
/* One number, of no dims. */
void onnx_put_scalar(struct buf *graph, const char *name, enum onnx_type type,
                     double v);
/* The same of four dims. */
void onnx_put_block(struct buf *graph, const char *name, const double *v,
                    const size_t dim[4]);
/* An input (11) or output (12) of the graph: (rows, cols), cols 0: (rows). */
void onnx_put_value(struct buf *graph, uint32_t field, const char *name,
                    enum onnx_type type, size_t cols);
#endif
