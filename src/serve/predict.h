/* serve/predict.h -- request bodies to rows, rows to answers.
 *
 * Everything passes through model_predict() on a frame: the same evaluator as
 * `lathe predict`, hence the same last bit.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_PREDICT_H
#define LATHE_SERVE_PREDICT_H

#include "base/buf.h"
#include "engine/model.h"

/* A body in one of MLflow's four JSON forms (dataframe_split,
 * dataframe_records, instances, inputs), or CSV with a header, as a frame in
 * the model's input columns (others are ignored).  Errors say what is wrong
 * with which field of which row. */
struct frame *predict_parse_json(const struct model *m, struct str body,
                                 struct error *err) MUST_USE;
struct frame *predict_parse_csv(const struct model *m, struct str body,
                                struct error *err) MUST_USE;
/* {"predictions": [...]}: P(positive) for binary, {"class": p} objects for
 * multiclass, numbers for regression. */
void predict_answer_json(const struct model *m, const struct prediction *p, struct buf *out);
void predict_answer_csv(const struct model *m, const struct prediction *p, struct buf *out);
#endif
