/* base/fmath.h -- exp, log, log1p, tanh and friends, the same on every CPU.
 *
 * glibc's double versions give other last bits with and without FMA; what
 * reaches a model file passes through these instead: no FMA, no table lookup
 * that depends on the CPU, error under 1 ulp (tested against long double).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_FMATH_H
#define LATHE_BASE_FMATH_H

#include <stddef.h>

double fm_exp(double x);
double fm_log(double x);
double fm_log1p(double x);
double fm_sigmoid(double x); /* 1 / (1 + exp(-x)), no overflow */

/* The same of n numbers, to the bit; faster than one by one where there is
 * AVX2.  out may be x. */
void fm_exp_all(const double *x, size_t n, double *out);
void fm_sigmoid_all(const double *x, size_t n, double *out);
/* Their twins; only where cpu_has_avx2() and cpu_has_avx512(). */
void fm_exp_all_plain(const double *x, size_t n, double *out);
void fm_exp_all_avx2(const double *x, size_t n, double *out);
void fm_exp_all_avx512(const double *x, size_t n, double *out);
void fm_sigmoid_all_plain(const double *x, size_t n, double *out);
void fm_sigmoid_all_avx2(const double *x, size_t n, double *out);
void fm_sigmoid_all_avx512(const double *x, size_t n, double *out);
#endif
