/* engine/classic/block.h -- small dense kernels: sums over the columns of a few
 * rows with many.
 *
 * Every result is one sum from the first column to the last, whatever the
 * instruction set and however the work is cut, so that all twins give the same
 * bits, and a row alone gives what it gives among others.
 *
 * The many stand in columns, so that the inner loop runs along them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_BLOCK_H
#define LATHE_ENGINE_CLASSIC_BLOCK_H

#include <stddef.h>

struct block {
    const double *a; /* (n_a, p): a[i * a_row + j * a_col] */
    size_t a_row, a_col, n_a;
    const double *b; /* (p, n_b): b[j * b_row + c] */
    size_t b_row, n_b;
    size_t p;
    double *out; /* (n_a, n_b): out[i * out_row + c] */
    size_t out_row;
};

/* A row of a symmetric matrix changed by v w' + w v', and multiplied. */
struct block_change {
    double *row;         /* n: row -= by_v w + by_w v */
    const double *v, *w; /* n */
    double by_v, by_w;
    const double *next; /* n */
    double by_next;
    double *sum; /* n: += by_next row */
    size_t n;
};

struct block_kernels {
    /* out = sum over j of (a - b)^2 */
    void (*distance)(const struct block *b);
    /* out += sum over j of a b */
    void (*product)(const struct block *b);
    /* The changed row times next: eight sums side by side, added up by halves,
     * then what is left over. */
    double (*change)(const struct block_change *c);
};

/* The fastest here. */
const struct block_kernels *block_kernels(void);
extern const struct block_kernels block_plain;
extern const struct block_kernels block_avx2;   /* where cpu_has_avx2() */
extern const struct block_kernels block_avx512; /* where cpu_has_avx512() */

/* Results first..n_b - 1 of each row by the plain kernels: what is left over. */
void block_rest(const struct block *b, size_t first, int product);
/* Entries first..n - 1 of a row; their part of the product. */
double block_change_rest(const struct block_change *c, size_t first);
#endif
