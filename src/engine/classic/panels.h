/* engine/classic/panels.h -- rows of a design, sixteen at a time.
 *
 * A panel is (p, PANEL): the values of one column of sixteen rows lie side by
 * side, which is how the kernels of block.h want the many.  Rows past the last
 * are zeros.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_PANELS_H
#define LATHE_ENGINE_CLASSIC_PANELS_H

#include "base/pool.h"
#include "engine/encode.h"
#include "engine/safetensors.h"

enum { PANEL = 16 };

/* All rows in memory. */
struct panels {
    size_t n, p;
    double *x; /* row i, column j: x[i / PANEL * PANEL * p + j * PANEL + i %
                  PANEL]; owned */
};
bool panels_init(struct panels *x, const struct design *d, struct pool *pool,
                 struct error *err) MUST_USE;
void panels_fini(struct panels *x);
static inline size_t
panels_at(const struct panels *x, size_t row)
{
    return row / PANEL * PANEL * x->p + row % PANEL;
}
/* One row, side by side. */
void panels_row(const struct panels *x, size_t row, double *out);

/* Call fn for each panel of d in turn, on all threads: rows first..first + n
 * - 1, n <= PANEL.  scratch: so many doubles for its own use. */
typedef void
panel_fn(void *ctx, size_t first, size_t n, const double *x, double *scratch);
bool panels_each(const struct design *d, struct pool *pool, size_t scratch,
                 panel_fn *fn, void *ctx, struct error *err) MUST_USE;

/* ---- what learners in memory and files need ---- */

/* Sums in a fixed order. */
double dense_dot(const double *a, const double *b, size_t n);
double dense_sum(const double *x, size_t n);
/* x nearer to 0 by `by`, and no further: where an L1 penalty leaves it. */
static inline double
dense_shrink(double x, double by)
{
    return x > by ? x - by : x < -by ? x + by : 0;
}
/* *out: a b zeroed doubles. */
bool dense_try(double **out, size_t a, size_t b, struct error *err) MUST_USE;
/* *out: a copy of a tensor of a b doubles, looked up before memory is taken
 * for it; all finite. */
bool dense_take(const struct st_file *f, const char *name, double **out,
                size_t a, size_t b, struct error *err) MUST_USE;
/* Copy a tensor of n doubles, all finite, else ERR_CORRUPT. */
bool dense_load(const struct st_file *f, const char *name, double *out,
                size_t n, struct error *err) MUST_USE;
#endif
