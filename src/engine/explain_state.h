/* engine/explain_state.h -- what the files of explaining share; for explain*.c
 * alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_EXPLAIN_STATE_H
#define LATHE_ENGINE_EXPLAIN_STATE_H

#include "engine/explain.h"
#include "engine/model_state.h"

/* Kernel SHAP; the note says what was asked. */
bool explain_kernel(const struct model *m, const struct attribution *a,
                    size_t samples, uint64_t seed, size_t n_outputs, char *note,
                    size_t note_len, struct error *err) MUST_USE;

/* ---- frames ---- */

/* A list of columns that becomes a frame; no two names alike. */
struct explain_columns {
    struct dict *taken;
    char **name;
    struct column **column;
    size_t n, cap, n_rows;
    bool failed;
};
/* After a failure the end may be called, and need not. */
bool explain_columns_init(struct explain_columns *c, size_t n_rows, size_t cap,
                          struct error *err) MUST_USE;
/* Takes the column, which may be NULL after a failure that err tells. */
void explain_columns_add(struct explain_columns *c, const char *name,
                         struct column *column, struct error *err);
/* Numbers at first, first + stride, ...: n_rows of them. */
void
explain_columns_numbers(struct explain_columns *c, const char *name,
                        const double *first, size_t stride, struct error *err);
/* Releases all; NULL when anything failed. */
struct frame *
explain_columns_end(struct explain_columns *c, struct error *err) MUST_USE;
/* Texts text[code], `each` rows alike, the n codes over and over, for n_rows
 * rows. */
struct column *explain_texts(const char *const *text, size_t n, size_t each,
                             size_t n_rows, struct error *err) MUST_USE;

/* A frame of column and importance (and more), the largest of the first
 * array first: value[c][i] is the i-th row of column c.  NaN is last. */
struct frame *
explain_ranking(const char *const *name, size_t n, const char *const *title,
                const double *const *value, size_t n_values,
                struct error *err) MUST_USE;

/* model_predict() in parts, between which it can be stopped.  out: (rows, k),
 * where k is explain_outputs() or explain_judged(). */
bool explain_predict(const struct model *m, const struct frame *f,
                     const struct train *ctx, size_t k, double *out,
                     struct error *err) MUST_USE;
/* Numbers that are explained of a row: 1 of a model without a target, the
 * first of its answers that is no code (score, distance, pc1); of several
 * quantiles all, of which one is judged. */
size_t explain_outputs(const struct model *m);
size_t explain_judged(const struct model *m);
/* Their margins of the rows of d, (rows, explain_outputs()); the scores of a
 * family without margins. */
bool explain_margin(const struct model *m, const struct design *d,
                    struct pool *pool, double *out, struct error *err) MUST_USE;
/* What a prediction is called: "value", "probability", "score". */
void explain_answer_name(const struct model *m, char *out, size_t len);
#endif
