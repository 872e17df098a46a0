/* serve/oip.h -- Open Inference Protocol v2: tensors to rows, rows to tensors.
 *
 * Every input of the model is a tensor of its own, named as the column, of
 * shape [n] or [n, 1]: FP64 for numbers, BOOL, BYTES for texts, dates and
 * times; any numeric datatype is taken for a number.  A model whose inputs are
 * all numeric also takes one tensor of any name of shape [n, inputs].  Data is
 * JSON, flat or nested, with null for a missing value; or the binary tensor
 * extension (`binary_tensor_data`), where NaN is a missing value.
 * Outputs: of a model without a target "prediction" FP64 [n, answers];
 * else "probability" FP64 (binary [n], multiclass [n, classes]) with
 * "prediction" BYTES [n], the class; regression: "prediction" FP64 [n].  Where
 * the model says more of a row (engine/model.h): "set" BYTES [n], or "q0.1",
 * "low", "high" ... FP64 [n].
 * Source: github.com/kserve/open-inference-protocol, specification/protocol.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_OIP_H
#define LATHE_SERVE_OIP_H

#include "base/buf.h"
#include "base/json.h"
#include "engine/model.h"
#include "serve/rows.h"

enum { OIP_MAX_OUTPUTS = 64 };

/* A request, read. Holds what the answer needs. */
struct oip_request {
    struct frame *rows; /* in the model's input columns */
    char *id;           /* NULL: none given */
    size_t n_outputs;   /* wanted, in this order */
    struct {
        size_t which; /* of those the model has */
        bool binary;
    } output[OIP_MAX_OUTPUTS];
};

/* header: the value of Inference-Header-Content-Length, or NULL when the body
 * is JSON alone.  Errors say what is wrong with which input of which row. */
bool
oip_parse(const struct rows_form *form, struct str body, const char *header,
          struct oip_request *out, struct error *err) MUST_USE;
void oip_request_fini(struct oip_request *q);
/* *json_len: bytes of JSON before the raw tensors, 0 when there are none. */
void oip_answer(const struct model *m, const char *name, const char *version,
                const struct oip_request *q, const struct prediction *p,
                struct buf *out, size_t *json_len);
void oip_metadata(const struct model *m, const char *name, const char *version,
                  struct buf *out);
#endif
