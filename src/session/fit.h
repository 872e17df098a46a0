/* session/fit.h -- a fit as a recorded run: begin, stream, end, artifact.
 *
 * What `lathe train`, model:fit{} and the UI call.  Runs on a pool job.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_FIT_H
#define LATHE_SESSION_FIT_H

#include "engine/cv.h"
#include "engine/family.h"
#include "session/task.h"

struct fit_request {
    const struct family *family;
    const struct params *params;
    const struct frame *frame;
    struct stream *stream; /* instead of frame: a table beyond memory */
    const char *data;      /* name or path, for lineage */
    const char *target;    /* NULL: none */
    struct model_options options;
    const struct cv_options *cv; /* cross-validate first; NULL: do not */
    struct cv_result *cv_out;    /* filled where cv is not NULL and worked */
    uint64_t seed;
    const struct train_loss *loss; /* of the caller's own, or NULL */
    const char *name;              /* of the run; NULL: numbered */
    const char *source;            /* "churn.lua [4]" */
    /* The fingerprint of the table that the rows are of, where others of it are
     * set aside for a test; NULL: none are. */
    const char *table;
    const char *init_name; /* what options.init was named by, for lineage */
};
/* *run_id is filled also when the fit fails (the run is then marked failed or
 * cancelled).  A cancelled fit that has finished rounds returns its model. */
struct model *
session_fit(struct session *s, struct task *t, const struct fit_request *r,
            run_id id, struct error *err) MUST_USE;
/* A family of one kind of target learns that kind: 1, 2, 3 are numbers to
 * linear regression; and so do parameters.  -1: as the target is. */
int fit_problem(const struct family *family, const struct params *p);
/* The column of times of a family that forecasts: the one that its parameter
 * `time` names; where it is not set, the only column of dates or times among
 * those that are not dropped, unless it misses a row or, where there is one
 * series, tells two the same.  NULL: none, and rows are as they stand; also where
 * the family does not forecast, or time is "none". */
const char *fit_time(const struct family *family, const struct params *p,
                     const struct frame *f, const char *const *drop);
/* Set it among the parameters; what nobody has said is told as a message and in
 * the log of the task.  session_fit() does so itself. */
void fit_put_time(struct task *t, const struct family *family, struct params *p,
                  const struct frame *f, const char *const *drop);
/* What a fit is asked for besides its parameters, as a JSON object under the names
 * of Lua's options; nothing that is as usual.  The run keeps it. */
#define FIT_OPTIONS "options" /* the tag */
void fit_options_json(const struct fit_request *r, struct json_writer *w);
/* "NAME=VALUE" into p, the parameters of a family; where there is no such name
 * the error says what lists them. */
bool fit_set_pair(const struct family *family, struct params *p,
                  const char *pair, struct error *err) MUST_USE;
bool fit_set(const struct family *family, struct params *p, const char *name,
             const char *text, struct error *err) MUST_USE;
/* "lathe 0.1.0 (gcc 12.2.0 x86_64)" */
const char *session_build(void);
#endif
