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

/* a: (n, n) symmetric, both halves; becomes the vectors, one a row, by falling
 * eigenvalue.  Each is turned by eigen_turn().  Finite input only.  ERR_CANCELLED,
 * ERR_NOMEM. */
bool eigen_symmetric(double *a, size_t n, double *value, struct pool *pool,
                     struct progress *progress, struct error *err) MUST_USE;
/* Turn v so that its largest entry in magnitude, the first of equal ones, is
 * positive. */
void eigen_turn(double *v, size_t n);
/* Factor a = l l' in its lower half; false where it is not positive
 * definite to working precision. */
bool cholesky(double *a, size_t n);
/* x := the solution of l l' x = x. */
void cholesky_solve(const double *l, size_t n, double *x);
#endif
