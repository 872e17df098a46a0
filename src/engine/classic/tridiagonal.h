/* engine/classic/tridiagonal.h -- symmetric matrices in tridiagonal form.
 *
 * Source: Golub & Van Loan, "Matrix Computations", 4th ed., 8.3.1 (Householder
 *         tridiagonalisation), 8.2.2 (inverse iteration); Dhillon, "Current
 *         inverse iteration software can fail", BIT 38 (1998): what to look at.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_TRIDIAGONAL_H
#define LATHE_ENGINE_CLASSIC_TRIDIAGONAL_H

#include "base/pool.h"
#include "base/progress.h"

struct tridiagonal {
    size_t n;
    double *d, *e; /* n: the diagonal; e[i] stands between i and i + 1 */
    double *a;   /* (n, n): row i holds the reflection of its first i entries */
    double *tau; /* n: 2 / v'v of each reflection, 0: none */
};

/* a: (n, n) symmetric, of which the lower half is read; it becomes t->a and stays
 * the caller's.  Finite input only.  ERR_CANCELLED, ERR_NOMEM: nothing to
 * release. */
bool
tridiagonal_make(struct tridiagonal *t, double *a, size_t n, struct pool *pool,
                 struct progress *progress, struct error *err) MUST_USE;
void tridiagonal_fini(struct tridiagonal *t);
/* z: k vectors of the tridiagonal matrix, one a row, become vectors of a.
 * Stops early when progress is to stop. */
void tridiagonal_back(const struct tridiagonal *t, double *z, size_t k,
                      struct pool *pool, struct progress *progress);
/* The vectors of the first k of the values, which fall, one a row of out.
 * False when one is not found to working precision (then there is another way
 * to find them), when progress is to stop, or for want of memory. */
bool
tridiagonal_vectors(const struct tridiagonal *t, const double *value, size_t k,
                    double *out, struct progress *progress) MUST_USE;
#endif
