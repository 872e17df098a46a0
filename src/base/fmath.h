/* base/fmath.h -- exp, log, log1p, tanh and friends, the same on every CPU.
 *
 * glibc's double versions give other last bits with and without FMA; what
 * reaches a model file passes through these instead: no FMA, no table lookup
 * that depends on the CPU, error under 1 ulp (tested against long double).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_FMATH_H
#define LATHE_BASE_FMATH_H

double fm_exp(double x);
double fm_log(double x);
double fm_log1p(double x);
double fm_sigmoid(double x); /* 1 / (1 + exp(-x)), no overflow */
#endif
