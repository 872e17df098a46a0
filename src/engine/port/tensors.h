/* engine/port/tensors.h -- networks in a safetensors file.
 *
 * The file says names and numbers, not what they do: layers are taken as
 * torch.nn.Sequential names them ("0.weight", "0.bias", "2.weight"...), in the
 * order of their names with numbers as numbers; a weight of two dimensions,
 * (outputs, inputs), is a dense layer, one with running_mean and running_var a
 * batch norm of epsilon 1e-5.  Before every dense layer but the first stands
 * the activation; several outputs end in a softmax, one with two classes in a
 * sigmoid.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_TENSORS_H
#define LATHE_ENGINE_PORT_TENSORS_H

#include "engine/port/portable.h"

bool tensors_is(struct str bytes); /* by the first bytes */
/* activation: "relu" (NULL), "tanh", "sigmoid".  two_classes: of one output. */
struct portable *
tensors_read(struct str bytes, const char *activation, bool two_classes,
             const struct progress *stop, struct error *err) MUST_USE;
#endif
