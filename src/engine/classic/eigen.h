/* engine/classic/eigen.h -- eigenvalues and vectors of symmetric matrices, and
 * solving with positive definite ones.
 *
 * Source: Golub & Van Loan, "Matrix Computations", 4th ed., 8.3 (Householder
 *         tridiagonalisation, implicit QL with Wilkinson's shift).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_EIGEN_H
#define LATHE_ENGINE_CLASSIC_EIGEN_H

#include "base/pool.h"
#include "base/progress.h"

/* a: (n, n) symmetric, n > 0, of which the lower half is read; it is worked in and
 * must outlive what is made of it.  Finite input only.  ERR_CANCELLED,
 * ERR_NOMEM, ERR_RANGE; release with eigen_free().  O(n^3). */
struct eigen *eigen_new(double *a, size_t n, struct pool *pool,
                        struct progress *progress, struct error *err) MUST_USE;
/* n: they fall.  g's, as long as it lasts. */
const double *eigen_values(const struct eigen *g);
/* out: (k, n), the vectors of the first k values, one a row, of length one and
 * turned by eigen_turn().  O(k n^2) up to a quarter of n, else O(n^3).
 * ERR_CANCELLED, ERR_NOMEM, ERR_RANGE. */
bool eigen_vectors(const struct eigen *g, size_t k, double *out,
                   struct error *err) MUST_USE;
void eigen_free(struct eigen *g);
/* All at once: a becomes the vectors. */
bool eigen_symmetric(double *a, size_t n, double *value, struct pool *pool,
                     struct progress *progress, struct error *err) MUST_USE;
/* Turn v so that its largest entry in magnitude, the first of equal ones, is
 * positive. */
void eigen_turn(double *v, size_t n);
/* Factor a = l l' in its lower half; false where it is not positive
 * definite to working precision, and where the work was stopped. */
bool cholesky(double *a, size_t n, const struct progress *progress);
/* x := the solution of l l' x = x. */
void cholesky_solve(const double *l, size_t n, double *x);
#endif
