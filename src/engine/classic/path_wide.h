/* engine/classic/path_wide.h -- paths over more columns than there is a matrix
 * of products for, for path*.c alone.
 *
 * Rows are sorted by fold, so that those of a fold lie together.  There is a
 * problem for each fold, of all rows but its own, and one of all rows: the
 * last.  All go along the path side by side, so that a pass over the columns
 * serves them all.
 *
 * Ridge of few rows is solved by the products of the rows (path_dual.c), of
 * many by conjugate gradients, which need the same products of vectors for
 * every lambda (path_shift.c).  With an L1 part coordinates are descended along
 * the residuals (path_descend.c).
 *
 * Threads: what is made by wide_init() is read by all; each writes its own
 * problems, columns or rows.  Errors: ERR_NOMEM, ERR_CANCELLED, and ERR_RANGE
 * where values are too far apart for their squares.
 * Sources: Saunders, Gammerman, Vovk, "Ridge regression learning algorithm in
 *          dual variables", ICML 1998; Jegerlehner, "Krylov space solvers for
 *          shifted linear systems", hep-lat/9612014; Tibshirani et al., "Strong
 *          rules for discarding predictors in lasso-type problems", JRSS B
 *          74(2), 2012.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_PATH_WIDE_H
#define LATHE_ENGINE_CLASSIC_PATH_WIDE_H

#include "engine/model.h"

enum {
    WIDE_FEW_ROWS = 4096, /* of `few`, at most */
    WIDE_SIDE = 8,        /* several problems are padded to a multiple of it */
    WIDE_COLS = 64,       /* columns of a chunk */
    WIDE_ROWS = 1024      /* rows of a tile */
};
/* Of the weights of folds, at least.  Where columns outnumber rows a looser one
 * leaves errors at the small lambdas that are a hundredth off. */
#define WIDE_FOLD_TOLERANCE 1e-8

struct wide {
    const struct fit_data *d;
    const struct train *ctx;
    const uint8_t *fold; /* of each row; NULL: one problem, of all rows */
    size_t n_folds, n_steps;
    double l1_ratio, tolerance;
    unsigned max_iter;
    size_t few;     /* ridge: up to so many rows their products are made */
    double *lambda; /* n_steps, falling; borrowed */
    /* What comes of it, borrowed, zeroed: mean squared errors (n_folds,
     * n_steps) where there are folds, and weights (n_steps, p). */
    double *error, *weight;
    /* Made by wide_init(), owned. */
    size_t n, p, k, q; /* rows, columns, problems; these padded */
    size_t *start;     /* k: first row of each fold, then n */
    uint32_t *place;   /* n: where a row of the design lies here */
    double *root;      /* n: square roots of the weights */
    double *y;         /* n: target less its mean, times root */
    double *mean;      /* p + 1: of columns and target */
    double *spread;    /* p: deviations */
    double *pull;      /* p: products with y over the total weight */
    double *total;     /* k: weight of the rows of a problem */
    double *y_mean;    /* k: of y among them */
    double *x;         /* (p, n): as y is, or NULL: see wide_column() */
};
bool wide_init(struct wide *w, struct error *err) MUST_USE;
void wide_fini(struct wide *w);
/* Along the path, after lambda is filled. */
bool wide_run(struct wide *w, struct error *err) MUST_USE;

/* ---- for path_*.c ---- */

/* Rows from..to - 1 are left out by problem k. */
struct wide_rows {
    size_t from, to;
};
struct wide_rows wide_left_out(const struct wide *w, size_t k);
/* Of rows that problem k learns from; of those it leaves out. */
double
wide_dot(const struct wide *w, size_t k, const double *a, const double *b);
double
wide_dot_out(const struct wide *w, size_t k, const double *a, const double *b);
/* A column, less its mean, times root: n numbers. */
void wide_column(const struct wide *w, size_t j, double *out);
/* Means of columns over the rows of each problem, (p, q); NULL or squares of
 * their deviations, (p, q).  Needs x. */
bool wide_means(const struct wide *w, double *mean, double *square,
                struct error *err) MUST_USE;
/* out (p, q) = x' u, u (n, q); out (n, q) = x v, v (p, q).  Need x.  What is
 * there is wrong after progress was stopped. */
void wide_back(const struct wide *w, const double *u, double *out);
void wide_forward(const struct wide *w, const double *v, double *out);
bool wide_stopped(const struct wide *w);
double wide_tolerance(const struct wide *w, size_t k);
/* Deviation of the target in problem k. */
double wide_target(const struct wide *w, size_t k);
/* Sum of squares of the errors of the rows that k leaves out, at a step. */
void wide_judge(const struct wide *w, size_t k, size_t step, double squares);

bool wide_dual(struct wide *w, struct error *err) MUST_USE;
bool wide_shift(struct wide *w, struct error *err) MUST_USE;
bool wide_descend(struct wide *w, struct error *err) MUST_USE;
#endif
