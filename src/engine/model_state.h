/* engine/model_state.h -- what fitting, printing and loading a model share.
 * Private to model*.c and explain*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_MODEL_STATE_H
#define LATHE_ENGINE_MODEL_STATE_H

#include <stdatomic.h>

#include "base/file.h"
#include "base/json.h"
#include "engine/model.h"

struct model {
    atomic_size_t refs;
    const struct family *family;
    void *learner;
    struct prepare *prepare;
    struct target like; /* problem and classes; no rows */
    char *target;       /* NULL: none */
    char *params;
    char *weight, *group, *offset; /* columns, or NULL */
    char *metrics;                 /* JSON text, or NULL */
    struct finish finish;          /* n = 0: nothing */
    uint64_t seed;
    size_t n_train, n_valid; /* rows */
    size_t n_scored; /* refit: rows that the model was learnt from whose scores
                        there are; 0: this one's */
    size_t rounds_most; /* of a fit that came to the end of its rounds before
                           patience ended it: how many; not saved */
    char fingerprint[33];
    struct baseline *baseline; /* one an input */
    double *cuts, *share;      /* those of all baselines, one after another */
    size_t n_cuts, n_shares;
    /* a loaded model */
    struct st_file *file;
    struct file_map map;
    bool mapped;
};

/* No learner yet; released by model_unref(). */
struct model *
model_new(const struct family *family, struct error *err) MUST_USE;
/* How many values a row has, and which of them is judged. */
size_t model_outputs(const struct model *m, size_t *middle);
/* Measure the inputs on the training rows. */
bool model_baselines_fit(struct model *m, const struct frame *train,
                         struct pool *pool, struct error *err) MUST_USE;
/* Room for the baselines of the inputs: cuts and shares in all, and the
 * baselines' names and kinds. */
bool model_baselines_init(struct model *m, size_t n_cuts, size_t n_shares,
                          struct error *err) MUST_USE;
/* Can it be evaluated?  Otherwise its error. */
bool model_judge_check(const struct model *m, struct error *err) MUST_USE;
/* The inputs of rows, with the offset where f has its column. */
struct design *model_design(const struct model *m, const struct frame *f,
                            struct pool *pool, struct error *err) MUST_USE;
/* d, which is taken over and may be NULL, with that offset. */
struct design *model_put_offset(const struct model *m, const struct frame *f,
                                struct design *d, struct error *err) MUST_USE;
/* What is predicted for the rows of d, (rows, model_width()): of several values
 * the one that is judged. */
bool model_score(const struct model *m, const struct design *d,
                 struct pool *pool, double *out, struct error *err) MUST_USE;
/* The next rows that can be answered by themselves, as stream_next(). */
struct stream;
bool model_next_rows(const struct model *m, struct stream *s,
                     struct frame **out, struct error *err) MUST_USE;
/* Into an open object: params, seed, fingerprint, rows, valid_metrics. */
void model_put_lineage(const struct model *m, struct json_writer *w);
#endif
