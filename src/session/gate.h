/* session/gate.h -- "auc >= 0.83" over the metrics of a model.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_GATE_H
#define LATHE_SESSION_GATE_H

#include "base/error.h"

/* metrics: a JSON object, flat or evaluation_json(); numbers in it, and objects
 * that hold a "value", are the names of the gate, which is an expression (frame/expr.h).  True when it
 * is met; ERR_GATE with the values when it is not, or when one of them is
 * missing; ERR_USAGE when the gate names no metric or is no condition. */
bool
gate_check(const char *metrics, const char *gate, struct error *err) MUST_USE;
#endif
