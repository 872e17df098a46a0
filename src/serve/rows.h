/* serve/rows.h -- rows under construction, from any form of request.
 *
 * A value must suit its input: a number (or its text, or true and false) for
 * a numeric one, true, false, 0 or 1 for a bool, a text for a text,
 * "YYYY-MM-DD" for a date, "YYYY-MM-DD HH:MM:SS" with what ISO 8601 allows for
 * a timestamp, a picture's bytes as "data:image/png;base64,..." for a picture,
 * never a path; null is a missing value everywhere.  Errors say what is wrong
 * with which field of which row; rows count from 1.
 *
 * Where scores begin with an offset, its column is one more input, the last.
 *
 * A form is what the rows of a model have in common, made once.  It knows the
 * texts that an input can have, so that a request of known texts needs no
 * dictionary of its own: that halves the time of a single row.
 * Threads: a form is immutable, rows belong to one thread.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_ROWS_H
#define LATHE_SERVE_ROWS_H

#include "base/json.h"
#include "engine/model.h"

struct rows_form;

/* Holds a reference of m. */
struct rows_form *
rows_form_new(const struct model *m, struct error *err) MUST_USE;
void rows_form_free(struct rows_form *f);
const struct model *rows_form_model(const struct rows_form *f);

enum cell_kind { CELL_MISSING, CELL_NUMBER, CELL_TRUTH, CELL_TEXT };
struct cell {
    enum cell_kind kind;
    double number; /* CELL_NUMBER; CELL_TRUTH: 0 or 1 */
    struct str text;
};

struct rows;

struct rows *rows_new(const struct rows_form *f, struct error *err) MUST_USE;
void rows_free(struct rows *r);
/* Inputs that were not put are missing, not an error. */
void rows_allow_missing(struct rows *r, bool allow);
bool rows_allows_missing(const struct rows *r);
/* Names that are no input pass beside inputs that were not put, too. */
void rows_allow_extra(struct rows *r, bool allow);
/* A name came that is no input; complete: every input came.  Where missing
 * ones are allowed it may be a slip beside one that is missing: ERR_NOTFOUND
 * with the nearest input.  So it is where the model has no inputs. */
bool rows_check_extra(const struct rows *r, const char *name, bool complete,
                      struct error *err) MUST_USE;
/* Room for n rows in all; once, before the first. */
bool rows_reserve(struct rows *r, size_t n, struct error *err) MUST_USE;

const struct input *rows_inputs(const struct rows *r, size_t *n);
/* Index of an input by name, or -1; quick when asked in order. */
long rows_find(struct rows *r, const char *name);
size_t rows_number(const struct rows *r); /* of the row at hand, from 1 */
bool rows_has(const struct rows *r, size_t input); /* put in this row */

/* A value of the row at hand; one not put is missing. */
bool rows_put(struct rows *r, size_t input, const struct cell *c,
              struct error *err) MUST_USE;
bool rows_put_json(struct rows *r, size_t input, const struct json *v,
                   struct error *err) MUST_USE;
bool rows_end(struct rows *r, struct error *err) MUST_USE;
/* The rows that were ended.  Consumes r, also on failure. */
struct frame *rows_finish(struct rows *r, struct error *err) MUST_USE;
#endif
