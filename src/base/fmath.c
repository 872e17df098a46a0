/* base/fmath.c -- exp, log, log1p and the logistic function in plain IEEE
 * arithmetic.
 *
 * Only + - * / and integer operations on doubles, compiled without contraction
 * to FMA: every CPU gives the same bits.  No tables: the reductions leave
 * arguments small enough for the Taylor series, whose coefficients need no
 * source, and a low part is carried where one rounding would cost the bound.
 *
 *   exp      x = k ln 2 + r, |r| <= 0.347, series to r^13 (truncation 2^-58)
 *   log      x = 2^k (1 + f), s = f / (2 + f), 2 atanh(s) to s^23
 *   log1p    the same f from the rounded 1 + x, and the rounding as a low part
 *   sigmoid  quotient of two sums, with one correction step from the exact
 *            remainder (products split after Dekker, 1971)
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/fmath.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/pool.h"

/* ln 2 = LN2_HI + LN2_LO; LN2_HI ends in 21 zero bits, so that k * LN2_HI is
 * exact for every exponent k. */
static const double LN2_HI = 0x1.62e42feep-1;
static const double LN2_LO = 0x1.a39ef35793c76p-33;
static const double INV_LN2 = 0x1.71547652b82fep0;
/* Adding it rounds to an integer, which then stands in the low bits. */
static const double ROUNDER = 0x1.8p52;

static uint64_t
bits_of(double x)
{
    uint64_t u;

    memcpy(&u, &x, sizeof u);
    return u;
}

static double
double_of(uint64_t u)
{
    double x;

    memcpy(&x, &u, sizeof x);
    return x;
}

/* 2^k for -1022 <= k <= 1023. */
static double
power_of_two(int64_t k)
{
    return double_of((uint64_t)(k + 1023) << 52);
}

struct scaled {
    double hi, lo; /* hi + lo in [0.70, 1.42] */
    int64_t k;     /* value is (hi + lo) * 2^k */
};

/* exp(x) for |x| < 1000. */
static struct scaled
exp_parts(double x)
{
    double shifted = x * INV_LN2 + ROUNDER;
    double k = shifted - ROUNDER;
    double high = x - k * LN2_HI;
    double low = k * LN2_LO;
    double r = high - low;
    double c = (high - r) - low; /* what r lost */
    double r2 = r * r, r4 = r2 * r2;
    double a = 1.0 / 2 + r * (1.0 / 6) + r2 * (1.0 / 24 + r * (1.0 / 120));
    double b =
        1.0 / 720 + r * (1.0 / 5040) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
    double d = 1.0 / 3628800 + r * (1.0 / 39916800) +
               r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));
    double t = r2 * (a + r4 * (b + r4 * d)) + c;
    double s = r + t;
    double s_low = (r - s) + t;
    double e = 1.0 + s;

    return (struct scaled){e, ((1.0 - e) + s) + s_low, (int64_t)k};
}

double
fm_exp(double x)
{
    if (!(x > -745.2))
        return x != x ? x : 0.0;
    if (x > 709.8)
        return INFINITY;

    struct scaled e = exp_parts(x);
    double v = e.hi + e.lo;

    /* Two steps: the last may overflow or leave the normal range. */
    if (e.k > 1000)
        return v * 0x1p1000 * power_of_two(e.k - 1000);
    if (e.k < -1000)
        return v * power_of_two(e.k + 1000) * 0x1p-1000;
    return v * power_of_two(e.k);
}

/* log(1 + f + low) + k ln 2, f from sqrt(1/2) - 1 to sqrt(2) - 1. */
static double
log_from(double f, double low, double k)
{
    double s = f / (2.0 + f);
    double z = s * s;
    double r =
        z *
        (2.0 / 3 +
         z * (2.0 / 5 +
              z * (2.0 / 7 +
                   z * (2.0 / 9 +
                        z * (2.0 / 11 +
                             z * (2.0 / 13 +
                                  z * (2.0 / 15 +
                                       z * (2.0 / 17 +
                                            z * (2.0 / 19 +
                                                 z * (2.0 / 21 +
                                                      z * (2.0 / 23)))))))))));
    double half = 0.5 * f * f;

    /* 2 atanh(s) = f - s f + s r and s f = half - s half. */
    return k * LN2_HI - ((half - (s * (half + r) + (k * LN2_LO + low))) - f);
}

/* x = 2^*k (1 + f); x is normal and positive. */
static double
split_exponent(double x, double *k)
{
    uint64_t u = bits_of(x);
    /* The mantissa bits of sqrt(2), so that 1 + f stays around 1. */
    uint64_t carry = ((u & 0xfffffffffffffu) + 0x95f619980c433u) >> 52 & 1;
    uint64_t exponent = (u >> 52) + carry;

    *k = (double)((int64_t)exponent - 1023);
    return double_of((u & 0xfffffffffffffu) | (uint64_t)(1023 - carry) << 52) -
           1.0;
}

double
fm_log(double x)
{
    double scale = 0, k;

    if (!(x > 0.0))
        return x == 0.0 ? -INFINITY : NAN;
    if (x == INFINITY)
        return x;
    if (x < 0x1p-1022) { /* subnormal */
        x *= 0x1p54;
        scale = -54.0;
    }

    double f = split_exponent(x, &k);

    return log_from(f, 0.0, k + scale);
}

double
fm_log1p(double x)
{
    double k;

    if (!(x > -1.0))
        return x == -1.0 ? -INFINITY : NAN;
    if (fabs(x) < 0x1p-54 || x == INFINITY)
        return x;
    if (x > -0.29 && x < 0.41)
        return log_from(x, 0.0, 0.0);

    double u = 1.0 + x;
    double lost = x > 1.0 ? 1.0 - (u - x) : x - (u - 1.0);
    double f = split_exponent(u, &k);

    return log_from(f, lost / u, k);
}

/* The upper 26 bits: the product of two such parts is exact. */
static double
upper(double x)
{
    return double_of(bits_of(x) & ~UINT64_C(0x7ffffff));
}

double
fm_sigmoid(double x)
{
    if (!(x > -745.2))
        return x != x ? x : 0.0;
    if (x > 40.0)
        return 1.0;
    if (x < -40.0)
        return fm_exp(x); /* 1 + exp(x) rounds to 1 */

    /* e = exp(-|x|), so that nothing overflows and 1 + e is at most 2. */
    struct scaled parts = exp_parts(x < 0 ? x : -x);
    double scale = power_of_two(parts.k);
    double e = parts.hi * scale, e_low = parts.lo * scale;
    double s = 1.0 + e;
    double s_low = (e - (s - 1.0)) + e_low;
    double n = x < 0 ? e : 1.0, n_low = x < 0 ? e_low : 0.0;
    double q = n / s;
    double qh = upper(q), ql = q - qh, sh = upper(s), sl = s - sh;
    double rest = ((n - qh * sh) - qh * sl - ql * sh) - ql * sl;

    return q + (rest + (n_low - q * s_low)) / s;
}

void
fm_exp_all_plain(const double *x, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = fm_exp(x[i]);
}

void
fm_exp_all(const double *x, size_t n, double *out)
{
    if (n >= 8 && cpu_has_avx512())
        fm_exp_all_avx512(x, n, out);
    else if (n >= 4 && cpu_has_avx2())
        fm_exp_all_avx2(x, n, out);
    else
        fm_exp_all_plain(x, n, out);
}

void
fm_sigmoid_all_plain(const double *x, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = fm_sigmoid(x[i]);
}

void
fm_sigmoid_all(const double *x, size_t n, double *out)
{
    if (n >= 8 && cpu_has_avx512())
        fm_sigmoid_all_avx512(x, n, out);
    else if (n >= 4 && cpu_has_avx2())
        fm_sigmoid_all_avx2(x, n, out);
    else
        fm_sigmoid_all_plain(x, n, out);
}
