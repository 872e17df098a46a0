/* frame/sketch_moments.h -- mean, variance, skewness and kurtosis of values
 * that come in blocks.
 *
 * Of each block the mean and the powers of the distance from it are summed;
 * blocks are joined two by two, those with two, and so on, as digits carry in
 * a binary number, so that the error grows with the logarithm of the number of
 * blocks.  The sum itself is compensated.
 * Source: Pebay, "Formulas for robust, one-pass parallel computation of
 *         covariances and arbitrary-order statistical moments", 2008;
 *         Neumaier, 1974 (the sum).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SKETCH_MOMENTS_H
#define LATHE_FRAME_SKETCH_MOMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "frame/sketch.h"

/* n values, and sums of powers of their distance from the mean. */
struct moments {
    double n, mean, m2, m3, m4;
};

enum { SKETCH_CARRIES = 48 };
struct sketch_moments {
    struct moments carry[SKETCH_CARRIES]; /* 2^i blocks; n 0: none */
    struct sketch_sum sum;
    uint64_t n;
};

/* A block of finite values, by value how often (NULL: once each). */
void sketch_moments_add(struct sketch_moments *s, const double *x,
                        const uint64_t *weight, size_t n);
/* Of all: the moments, and the sum. */
struct moments sketch_moments_get(const struct sketch_moments *s, double *sum);
#endif
