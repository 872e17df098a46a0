/* serve/drift.h -- what was asked against what was trained on.
 *
 * Counts per bin of the artifact's baseline, with a bin of its own for missing
 * values; PSI = sum (q - p) ln(q / p), an empty share replaced by 0.0001.
 * Rule of thumb: 0.1 moderate, 0.25 major.  A verdict also asks that the PSI
 * is beyond what the numbers of rows explain: without any drift it spreads
 * like chi-square with bins - 1 degrees of freedom, times 1/asked + 1/trained,
 * which at 100 rows asked and 20 bins is 0.2 on average.
 *
 * A server scores what was asked lately: at least the last hour and 10,000
 * rows, or all since the start where that is less.
 * Threads: all but drift_free() from any thread; rows are counted by many at
 * once, scores wait until these are done.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_DRIFT_H
#define LATHE_SERVE_DRIFT_H

#include "base/json.h"
#include "engine/model.h"

enum drift_level { DRIFT_FEW, DRIFT_OK, DRIFT_MODERATE, DRIFT_MAJOR };
enum { DRIFT_MIN_ROWS = 100 }; /* fewer: DRIFT_FEW, no verdict */
const char *drift_level_word(enum drift_level l); /* "few", "ok", ... */
bool drift_level_parse(const char *word, enum drift_level *out) MUST_USE;

struct drift;

/* Holds a reference of m.  An artifact without a baseline: ERR_NOTFOUND. */
struct drift *drift_new(const struct model *m, struct error *err) MUST_USE;
void drift_free(struct drift *d);
/* Columns are found by name; one that is absent is not counted. */
void drift_count(struct drift *d, const struct frame *asked);
/* The same in two steps, so that an answer need not wait for it and whoever has
 * it finds it in the scores: before it goes out, and after that drift_settle()
 * with what drift_put() gave.  Scores that are asked for between the two count
 * such rows themselves. */
struct drift_asked;
struct drift_asked *drift_put(struct drift *d, const struct frame *asked);
void drift_settle(struct drift *d, struct drift_asked *a);
/* Close a slice of the window when it is due; now and then, by one thread.
 * now_ms: loop_now_ms(). */
void drift_tick(struct drift *d, int64_t now_ms);
struct drift_score {
    const char *name; /* the model's */
    double psi;       /* NaN without rows */
    uint64_t n;       /* rows counted */
    enum drift_level level;
};
/* Scores of all inputs, in the model's order; caller frees. */
struct drift_score *
drift_scores(struct drift *d, size_t *n, struct error *err) MUST_USE;
/* The PSI that one sample of n rows in a thousand passes without any drift
 * (Wilson and Hilferty's approximation of chi-square; some per cent too high
 * below 10 bins). */
double drift_noise(size_t n_bins, uint64_t n, uint64_t n_train);
/* One table against a model's baseline, without a server. */
struct drift_score *drift_frame(const struct model *m, const struct frame *f,
                                size_t *n, struct error *err) MUST_USE;
#endif
