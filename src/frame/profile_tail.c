/* Tails of distributions.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>

#include "base/fmath.h"
#include "frame/profile_part.h"

enum { STEPS = 10000 };

/* The lower incomplete gamma function over gamma(a), by its series. */
static double
gamma_series(double a, double x)
{
    double term = 1 / a, sum = term;

    for (int i = 1; i < STEPS && term > sum * 1e-17; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum * fm_exp(a * fm_log(x) - x - lgamma(a));
}

/* The upper one, by its continued fraction (Lentz's way). */
static double
gamma_fraction(double a, double x)
{
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;

    for (int i = 1; i < STEPS; i++) {
        double an = -i * (i - a), step;

        b += 2;
        d = an * d + b;
        d = 1 / (d == 0 ? 1e-300 : d);
        c = b + an / c;
        c = c == 0 ? 1e-300 : c;
        step = d * c;
        h *= step;
        if (fabs(step - 1) < 1e-16)
            break;
    }
    return h * fm_exp(a * fm_log(x) - x - lgamma(a));
}

double
profile_chi2_tail(double x, double dof)
{
    double a = dof / 2, half = x / 2;

    if (!(dof > 0) || isnan(x))
        return NAN;
    if (x <= 0)
        return 1;
    return half < a + 1 ? 1 - gamma_series(a, half) : gamma_fraction(a, half);
}
