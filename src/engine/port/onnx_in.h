/* engine/port/onnx_in.h -- the trees of an ONNX operator, for onnx_in*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_ONNX_IN_H
#define LATHE_ENGINE_PORT_ONNX_IN_H

#include "engine/port/ensemble.h"
#include "engine/port/onnx_proto.h"

/* The ensemble of a TreeEnsembleClassifier, TreeEnsembleRegressor or
 * TreeEnsemble, base values included.
 *   n_outputs  what the operator's outputs are numbered to; 1 with `merge`: all
 *              values are added up, whatever output they name */
struct ensemble *
onnx_trees(const struct onnx_node *n, size_t n_cols, size_t n_outputs,
           bool merge, struct error *err) MUST_USE;
/* The highest column that a tree operator asks for, plus 1. */
size_t onnx_trees_columns(const struct onnx_node *n);
#endif
