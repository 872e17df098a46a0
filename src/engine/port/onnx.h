/* engine/port/onnx.h -- models as ONNX.
 *
 * Read: tree ensembles (ai.onnx.ml 1, 3 and 5), linear models, networks of
 * Gemm, MatMul, Conv, pools, norms, tables (Gather from a constant) and
 * activations, scaler, imputer, one-hot and label encoders,
 * and what joins them.  Labels are not computed: answers are probabilities.
 * Written: the whole model, preparation included, with 32-bit inputs.  Numbers
 * alone are one input "features"; with texts each column is an input of its
 * own, of shape (rows, 1), and an empty text is missing.
 * Source: the ONNX operator documents; onnxruntime for what these leave open.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_ONNX_H
#define LATHE_ENGINE_PORT_ONNX_H

#include "engine/port/portable.h"

bool onnx_is(struct str bytes); /* by the first bytes */
struct portable *onnx_read(struct str bytes, const struct progress *stop,
                           struct error *err) MUST_USE;
/* ml: 3 or 5, the version of ai.onnx.ml. */
bool onnx_write(const struct portable *p, int ml, struct buf *out,
                struct error *err) MUST_USE;
#endif
