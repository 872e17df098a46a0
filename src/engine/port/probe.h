/* engine/port/probe.h -- made-up rows on which two forms of a model must agree.
 *
 * They lie where answers change: at the thresholds of trees and one step to
 * each side of them, around the middle of what is scaled, at every level and
 * key, missing here and there.  Near thresholds only where trees look at
 * columns that are computed, rounded to 32 bits.  Drawn by a fixed seed.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_PROBE_H
#define LATHE_ENGINE_PORT_PROBE_H

#include "engine/port/portable.h"

enum { PROBE_ROWS = 2000 };

struct probe {
    size_t n, n_cols;
    double *x; /* shape (n, n_cols), column-major; owned */
};

struct probe_kind {
    size_t n;          /* rows */
    bool floats;       /* values are 32-bit floats */
    const bool *whole; /* columns (n_cols flags, or NULL) of whole numbers */
};
bool
probe_make(const struct portable *p, const struct probe_kind *kind,
           struct pool *pool, struct probe *out, struct error *err) MUST_USE;
void probe_fini(struct probe *q);
/* Answers to rows that were made for `like`, whose inputs are p's, too, in
 * that order; levels are told by their texts where both have them.  *out: shape
 * (n, width of p), caller frees. */
bool probe_score(const struct portable *p, const struct portable *like,
                 const struct probe *q, struct pool *pool, double **out,
                 struct error *err) MUST_USE;
/* The same rows put to a model.  *asked false: its inputs are not all features
 * (it computes some), nothing was done. */
bool probe_ask(const struct model *m, const struct portable *like,
               const struct probe *q, struct pool *pool, double **out,
               bool *asked, struct error *err) MUST_USE;
/* The largest difference, relative where values are large; ERR_STATE with the
 * worst row when it is over the tolerance.  Of answers that are whole numbers,
 * or of trees that look at what was rounded, so many rows may differ that the
 * question is decided by rounding in. */
struct probe_judge {
    const struct portable *p;
    double tolerance;
    size_t spare; /* rows */
    bool shares;  /* a is made of shares where b is made of stretched sums */
    const double *doubt; /* of each answer, more than the tolerance; or NULL */
};
/* What constants of 32 bits may change of each answer, as where large numbers
 * are taken from one another: *out, shape of want, which the caller frees, also
 * after a failure; NULL where there are trees. */
bool
probe_doubt(const struct portable *p, const struct probe *q, struct pool *pool,
            const double *want, double **out, struct error *err) MUST_USE;
bool probe_compare(const struct probe *q, const double *a, const double *b,
                   const struct probe_judge *how, double *worst,
                   struct error *err) MUST_USE;
#endif
