/* frame/distance.h -- how far apart two distributions are.
 *
 * Of shares p (what was expected) and q (what came), n of each, that add up to
 * one; or of two sorted samples.  Zero shares count as `floor` where a
 * logarithm is taken.
 * Source: names and defaults as in Evidently and scipy.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_DISTANCE_H
#define LATHE_FRAME_DISTANCE_H

#include <stddef.h>

#include "base/error.h"

/* 0.0001, or a millionth of the smallest share where that is no more. */
double distance_floor(const double *p, const double *q, size_t n);
/* Population stability: sum (q - p) ln(q / p). */
double distance_psi(const double *p, const double *q, size_t n, double floor);
/* Kullback-Leibler: sum p ln(p / q). */
double distance_kl(const double *p, const double *q, size_t n, double floor);
/* Jensen-Shannon distance, base 2: 0 to 1. */
double distance_js(const double *p, const double *q, size_t n);
double distance_hellinger(const double *p, const double *q, size_t n);
double distance_total(const double *p, const double *q, size_t n);
double distance_most(const double *p, const double *q, size_t n);
/* Pearson's chi-square of the two lists of counts, and how many of them are
 * not empty. */
double distance_chi2(const size_t *a, const size_t *b, size_t n, size_t *kinds);

/* Samples in ascending order, finite.  Kolmogorov-Smirnov: the greatest
 * difference of the two distribution functions. */
double distance_ks(const double *a, size_t n, const double *b, size_t m);
/* Chance of a distance of at least d between samples of one distribution:
 * exact for n * m up to a million, else Kolmogorov's series; NaN with err set
 * without memory. */
double distance_ks_tail(double d, size_t n, size_t m, struct error *err);
/* Wasserstein-1: the area between the two. */
double
distance_wasserstein(const double *a, size_t n, const double *b, size_t m);
/* 1 - F(x) of chi-square. */
double distance_chi2_tail(double x, double dof);
#endif
