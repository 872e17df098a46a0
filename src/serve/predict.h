/* serve/predict.h -- request bodies to rows, rows to answers.
 *
 * Everything passes through model_predict() on a frame: the same evaluator as
 * `lathe predict`, hence the same last bit.
 *
 * A value must suit its input: a number (or its text, or true and false) for
 * a numeric one, true, false, 0 or 1 for a bool, a text for a text,
 * "YYYY-MM-DD" for a date, "YYYY-MM-DD HH:MM:SS" with what ISO 8601 allows for
 * a timestamp; null is a missing value everywhere.  Fields that are no input
 * of the model are ignored, but every input must be there: what is forgotten
 * or misspelt must not pass for missing.  A client that means it says so with
 * "params": {"allow_missing": true}.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_PREDICT_H
#define LATHE_SERVE_PREDICT_H

#include "base/buf.h"
#include "base/json.h"
#include "engine/model.h"

/* A body in one of MLflow's four JSON forms, as a frame in the model's input
 * columns:
 *   dataframe_split    {"columns": [..], "data": [[..], ..]}
 *   dataframe_records  [{..}, ..]
 *   instances          rows: objects, or arrays in the order of the inputs
 *   inputs             columns: {"name": [..], ..}; or rows as in instances
 * or CSV with a header.  Errors (ERR_PARSE: not JSON or CSV; ERR_TYPE,
 * ERR_RANGE, ERR_NOTFOUND: a value, a field) say what is wrong with which
 * field of which row; rows count from 1. */
struct frame *predict_parse_json(const struct model *m, struct str body,
                                 struct error *err) MUST_USE;
struct frame *predict_parse_csv(const struct model *m, struct str body,
                                struct error *err) MUST_USE;
/* {"predictions": [...]}: P(positive) for binary, {"class": p} objects for
 * multiclass, numbers for regression; what is not finite is null. */
void predict_answer_json(const struct model *m, const struct prediction *p,
                         struct buf *out);
/* A line a row, no header; multiclass: the probabilities in class order. */
void predict_answer_csv(const struct model *m, const struct prediction *p,
                        struct buf *out);
/* The class of a row: the positive one from 0.5 on, or the likeliest. */
const char *
predict_class(const struct model *m, const struct prediction *p, size_t row);

/* Rows under construction, for readers of other forms. */
struct predict_rows;
enum cell_kind { CELL_MISSING, CELL_NUMBER, CELL_TRUTH, CELL_TEXT };
struct cell {
    enum cell_kind kind;
    double number; /* CELL_NUMBER; CELL_TRUTH: 0 or 1 */
    struct str text;
};
struct predict_rows *
predict_rows_new(const struct model *m, struct error *err) MUST_USE;
void predict_rows_free(struct predict_rows *r);
/* Inputs that were not put are missing, not an error. */
void predict_rows_allow_missing(struct predict_rows *r, bool allow);
/* Index of an input by name, or -1; quick when asked in order. */
long predict_rows_find(struct predict_rows *r, const char *name);
/* A value of the row at hand; one not put is missing. */
bool predict_rows_put(struct predict_rows *r, size_t input,
                      const struct cell *c, struct error *err) MUST_USE;
bool predict_rows_put_json(struct predict_rows *r, size_t input,
                           const struct json *v, struct error *err) MUST_USE;
bool predict_rows_end(struct predict_rows *r, struct error *err) MUST_USE;
/* Consumes r, also on failure. */
struct frame *
predict_rows_finish(struct predict_rows *r, struct error *err) MUST_USE;
#endif
