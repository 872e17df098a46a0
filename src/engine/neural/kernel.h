/* engine/neural/kernel.h -- the loops that nets spend their time in.
 *
 * Two are products of matrices whose rows may overlap, so that a convolution
 * is one of them without a copy of its windows.  Every number of a result is
 * one chain of fused multiply-adds in the order given here, on every
 * processor: neither the other rows of a call nor the machine change its bits.
 * That is why this is not BLAS, whose order follows the processor; and on the
 * shapes of nets (32 to 512 columns) it is the faster one: 200 against 157 to
 * 174 GFLOP/s of one core with AVX-512, a convolution 214.
 *
 * Threads: any.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_KERNEL_H
#define LATHE_ENGINE_NEURAL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum { KERNEL_PANEL = 32 };
#define KERNEL_ADAM_LEAST 1e-8f

/* out[i][j] = start + sum over s, t of a[i * step + s * jump + t]
 *                                       * b[s * run + t][j]
 * with s < n_runs, t < run, s outside; start is bias[j], out[i][j] where
 * `add`, else 0.  b is in panels: the first KERNEL_PANEL columns of all its
 * rows, then the next; the last one is filled up with zeros. */
struct kernel_rows {
    const float *a;
    size_t step, n_runs, run, jump;
    const float *b;
    const float *bias; /* n, or NULL */
    bool add;
    float *out;
    size_t stride; /* of out's rows */
    size_t m, n;
};

/* out[u][j] += sum over y, x of a[y * line + x * step + u]
 *                               * d[(y * m + x) * d_step + j]
 * with y < n_lines, x < m, y outside; u < n_a, j < n_d. */
struct kernel_outer {
    const float *a;
    size_t n_lines, line, m, step, n_a;
    const float *d;
    size_t d_step, n_d;
    float *out;
    size_t stride;
};

/* A step of Adam on n numbers, none of it fused:
 *   g' = g scale + pull w,  m = keep_m m + (1 - keep_m) g',
 *   v = keep_v v + (1 - keep_v) g' g',
 *   w = w - shrink w - rate m / (sqrt(v by_v) + 1e-8) */
struct kernel_adam {
    float *w, *m, *v;
    const float *g;
    size_t n;
    float scale, pull, shrink, keep_m, keep_v, rate, by_v;
};

/* The loops below go over `places` of n numbers each; none is fused. */

/* out = x factor + shift, by the number of the place; then what is below 0
 * becomes 0 where `cut`. */
struct kernel_scale {
    const float *x, *factor, *shift;
    size_t places, n;
    bool cut;
    float *out;
};
/* sum[c] of x and sum[n + c] of x y, in doubles, in the order of places. */
struct kernel_sums {
    const float *x, *y;
    size_t places, n;
    double *sum;
};
/* out = slope d + (bend z + level), added to what is there where `add`. */
struct kernel_unscale {
    const float *d, *z, *slope, *bend, *level;
    size_t places, n;
    bool add;
    float *out;
};
/* The largest of a window of places, `line` numbers from one line to the next;
 * and d added to where the first of the largest is. */
struct kernel_window {
    const float *x;
    size_t line, h, w, n;
    float *out;         /* max */
    const float *y, *d; /* unmax: what max gave, and its gradient */
    float *to;
};

struct kernels {
    void (*scale)(const struct kernel_scale *k);
    void (*sums)(const struct kernel_sums *k);
    void (*unscale)(const struct kernel_unscale *k);
    void (*max)(const struct kernel_window *k);
    void (*unmax)(const struct kernel_window *k);
    /* d[i] = 0 where y[i] is not over 0; x[i] = 0 where it is below. */
    void (*uncut)(const float *y, size_t n, float *d);
    void (*cut)(float *x, size_t n);
    void (*add)(const float *x, const float *y, size_t n, float *out);
    void (*rows)(const struct kernel_rows *k);
    void (*outer)(const struct kernel_outer *k);
    void (*adam)(const struct kernel_adam *k);
};

const struct kernels *kernels_best(void);
extern const struct kernels kernels_plain;
/* Only where cpu_has_avx2() and cpu_has_avx512(). */
extern const struct kernels kernels_avx2, kernels_avx512;

/* Floats that n rows of `cols` columns take in panels. */
size_t kernel_panel_len(size_t rows, size_t cols);
/* (rows, cols), element (r, c) at b[r * row + c * col], into panels; what the
 * last one has to spare is not written and must be 0. */
struct kernel_pack {
    const float *b;
    size_t rows, cols, row, col;
    float *out;
    size_t skip, total; /* rows before these, rows in all, of each panel */
};
void kernel_pack(const struct kernel_pack *p);
#endif
