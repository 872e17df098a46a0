/* engine/port/onnx_out.h -- the trees of an ONNX operator, written, for
 * onnx_out*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_ONNX_OUT_H
#define LATHE_ENGINE_PORT_ONNX_OUT_H

#include "engine/port/onnx_put.h"
#include "engine/port/portable.h"

/* Attributes of a TreeEnsembleRegressor, or where `classes` of a
 * TreeEnsembleClassifier, into node.  n_levels: of each column; 0: not
 * known. */
bool onnx_put_trees(const struct ensemble *e, const size_t *n_levels,
                    bool classes, struct buf *node, struct error *err) MUST_USE;
/* Those of a TreeEnsemble of ai.onnx.ml 5, which has no base values. */
bool onnx_put_trees_five(const struct ensemble *e, struct buf *node,
                         struct error *err) MUST_USE;
#endif
