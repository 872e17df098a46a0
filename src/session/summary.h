/* session/summary.h -- runs, versions and importances as text; the shell and
 * notebooks print the same.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_SUMMARY_H
#define LATHE_SESSION_SUMMARY_H

#include "engine/metric.h"
#include "session/listing.h"
#include "store/registry.h"
#include "store/run.h"

/* What a run was asked for besides parameters (fit.h), to be freed; NULL: as
 * usual. */
struct json *summary_options(const struct run *r);
/* Columns of a list of runs: run, name, state, family, target, started, >time,
 * metrics. */
extern const char *const summary_run_titles[];
void summary_run_row(const struct run *r, struct listing *l);
/* What it learnt, its curves, and where it came from. */
void summary_run(const struct run *r, const struct series_list *series,
                 size_t width, bool plain, struct buf *out);
/* "valid.auc  ▁▃▅▇  last 0.8412 @55  best 0.8459 @42", a line a series. */
void summary_curves(const struct series_list *series, size_t width, bool plain,
                    struct buf *out);

/* version, stage, aliases, model, metrics, run, created */
extern const char *const summary_version_titles[];
void summary_version_row(const struct version *v, struct listing *l);
void summary_version(const struct version *v, struct buf *out);

/* "auc 0.8459, logloss 0.4127": at most max numbers of a metrics object. */
void summary_metrics(const char *metrics, size_t max, struct buf *out);
/* Likewise those of rows that were not learnt from: of a test, or where there
 * are none of folds, or of rows that stopped early. */
void summary_aside(const char *metrics, size_t max, struct buf *out);
/* A flat object of an evaluation: {"auc": 0.84, ..., "intervals": {"auc":
 * [0.82, 0.86], ...}}, as the registry keeps it. */
void summary_flat(const struct evaluation *e, struct buf *out);
/* The same of evaluation_json() text; NULL gives {}. */
void summary_flat_text(const char *evaluation, struct buf *out);
/* model_importance() as bars. */
void summary_importance(const struct frame *f, size_t width, bool plain,
                        struct buf *out);
#endif
