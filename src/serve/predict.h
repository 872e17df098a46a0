/* serve/predict.h -- request bodies to rows, rows to answers.
 *
 * Everything passes through model_predict() on a frame: the same evaluator as
 * `lathe predict`, hence the same last bit.
 *
 * Fields that are no input of the model are ignored, but every input must be
 * there: what is forgotten or misspelt must not pass for missing.  A client
 * that means it says so with "params": {"allow_missing": true}; then a row
 * that lacks inputs may have no other fields, one of which may be a misspelt
 * input, unless "allow_extra": true says that this is meant, too.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_PREDICT_H
#define LATHE_SERVE_PREDICT_H

#include "base/buf.h"
#include "engine/model.h"
#include "serve/rows.h"

/* A body in one of MLflow's four JSON forms, as a frame in the model's input
 * columns:
 *   dataframe_split    {"columns": [..], "data": [[..], ..]}
 *   dataframe_records  [{..}, ..]
 *   instances          rows: objects, or arrays in the order of the inputs
 *   inputs             columns: {"name": [..], ..}; or rows as in instances
 * or CSV with a header.  ERR_PARSE: not JSON or CSV; ERR_TYPE, ERR_RANGE,
 * ERR_NOTFOUND: a value, a field. */
struct frame *predict_parse_json(const struct rows_form *form, struct str body,
                                 struct error *err) MUST_USE;
struct frame *predict_parse_csv(const struct rows_form *form, struct str body,
                                struct error *err) MUST_USE;
/* {"predictions": [...]}: P(positive) for binary, {"class": p} objects for
 * multiclass, numbers for regression, {"cluster": 1, ...} objects without a
 * target; what is not finite is null.  Where a model says more of a row, an
 * object: {"prediction": 3, "q0.1": 2, "low": 1, ...} with the names of
 * model_predict_frame(), {"probability": 0.6 or {"class": p}, "prediction":
 * "Yes", "set": ["No", "Yes"]} where a threshold or a profit says the class, or
 * sets of classes were learnt; "set" only there. */
void predict_answer_json(const struct model *m, const struct prediction *p,
                         struct buf *out);
/* A line a row, no header; multiclass: the probabilities in class order.  What
 * a model says beside that stands behind it: the class that a threshold or a
 * profit says, then the set. */
void predict_answer_csv(const struct model *m, const struct prediction *p,
                        struct buf *out);
/* Does it say a set of classes of a row? */
bool predict_sets(const struct model *m);
/* The class that the model says of a row; "" of a number. */
const char *
predict_class(const struct model *m, const struct prediction *p, size_t row);
#endif
