/* engine/classic/path_solve.h -- products of columns by fold, and solutions
 * along a path, for path*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_PATH_SOLVE_H
#define LATHE_ENGINE_CLASSIC_PATH_SOLVE_H

#include "engine/classic/panels.h"
#include "engine/model.h"

/* Products of the columns, the target and 1 over the rows of each fold, in this
 * order: (p + 2, p + 2), both halves.  Columns and target are less their means
 * over all rows. */
struct moments {
    size_t p, q, n_folds; /* q = p + 2 */
    double *mean;         /* p + 1: of columns and target; owned */
    double *fold;         /* (n_folds, q, q); owned */
};
/* fold: of each row; NULL: all 0. */
bool moments_make(struct moments *m, const struct fit_data *d,
                  const uint8_t *fold, size_t n_folds, const struct train *ctx,
                  struct error *err) MUST_USE;
void moments_fini(struct moments *m);

/* A least squares problem in products: minimise w'a w / 2 - b'w + penalty. */
struct problem_of {
    size_t p;
    double *a;      /* (p, p), owned */
    double *b;      /* p, owned */
    double *mean;   /* p + 1: what centres columns and target, owned */
    double *vector; /* ridge: (p, p) eigenvectors of a, else NULL; owned */
    double *value;  /* p: their eigenvalues; owned */
    double *along;  /* p: b along them; owned */
    double *pull;   /* p: a w; owned */
    uint8_t *active;
    size_t most;   /* weights that a leap takes, at most */
    double *leap;  /* (most + 1, most); owned */
    size_t *on;    /* most: which they are; owned */
    double spread; /* deviation of the target */
};
/* On all folds but `left_out` (n_folds: on all). */
bool
problem_make(struct problem_of *o, const struct moments *m, size_t left_out,
             bool eigen, struct progress *progress, struct error *err) MUST_USE;
void problem_fini(struct problem_of *o);
struct penalty {
    double l1, l2;
    double tolerance; /* of a move, in deviations of the target */
    unsigned max_iter;
};
/* How much of a step, step[i] of weight w[on[i]], may be taken before one of the
 * n is 0: which one, *first, or SIZE_MAX where it is all. */
double path_reach(const double *w, const size_t *on, const double *step,
                  size_t n, size_t *first);
/* w: from there, to the solution. */
void problem_solve(struct problem_of *o, const struct penalty *by,
                   struct progress *progress, double *w);
/* Sum of squared errors of w over the rows of a fold; v: q numbers. */
double moments_error(const struct moments *m, const struct problem_of *o,
                     size_t fold, const double *w, double *v);
#endif
