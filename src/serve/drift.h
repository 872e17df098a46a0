/* serve/drift.h -- what was asked against what was trained on.
 *
 * Counts per bin of the artifact's baseline; PSI = sum (q - p) ln(q / p), an
 * empty share replaced by 0.0001.  Rule of thumb: 0.1 moderate, 0.25 major.
 * Threads: drift_count() from any thread (relaxed atomics, no lock).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_DRIFT_H
#define LATHE_SERVE_DRIFT_H

#include "base/json.h"
#include "engine/model.h"

enum drift_level { DRIFT_FEW, DRIFT_OK, DRIFT_MODERATE, DRIFT_MAJOR };
enum { DRIFT_MIN_ROWS = 100 }; /* fewer: DRIFT_FEW, no verdict */

struct drift;

struct drift *drift_new(const struct model *m, struct error *err) MUST_USE;
void drift_free(struct drift *d);
void drift_count(struct drift *d, const struct frame *asked);
struct drift_score { const char *name; double psi; uint64_t n; enum drift_level level; };
/* Scores of all inputs, in the model's order; caller frees. */
struct drift_score *drift_scores(const struct drift *d, size_t *n, struct error *err) MUST_USE;
double drift_psi(const double *p, const double *q, size_t n);
/* One table against a model's baseline, without a server. */
struct drift_score *drift_frame(const struct model *m, const struct frame *f, size_t *n,
                                struct error *err) MUST_USE;
#endif
