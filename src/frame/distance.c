/* Distances between distributions, and the tails of what chance makes of them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/distance.h"

#include <math.h>
#include <stdlib.h>

#include "base/fmath.h"
#include "base/mem.h"

enum { STEPS = 10000, EXACT_CELLS = 1000000 };

/* ---- shares ---------------------------------------------------------- */

static double
at_least(double x, double floor)
{
    return x > 0 ? x : floor;
}

double
distance_floor(const double *p, const double *q, size_t n)
{
    double least = 1;

    for (size_t i = 0; i < n; i++) {
        least = p[i] > 0 && p[i] < least ? p[i] : least;
        least = q[i] > 0 && q[i] < least ? q[i] : least;
    }
    return least <= 0.0001 ? least / 1e6 : 0.0001;
}

double
distance_psi(const double *p, const double *q, size_t n, double floor)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double a = at_least(p[i], floor), b = at_least(q[i], floor);

        sum += (b - a) * log(b / a);
    }
    return sum;
}

double
distance_kl(const double *p, const double *q, size_t n, double floor)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double a = at_least(p[i], floor), b = at_least(q[i], floor);

        sum += a * log(a / b);
    }
    return sum;
}

double
distance_js(const double *p, const double *q, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double m = (p[i] + q[i]) / 2;

        sum += p[i] > 0 ? p[i] * log(p[i] / m) : 0;
        sum += q[i] > 0 ? q[i] * log(q[i] / m) : 0;
    }
    return sum > 0 ? sqrt(sum / 2 / log(2)) : 0;
}

double
distance_hellinger(const double *p, const double *q, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double d = sqrt(p[i]) - sqrt(q[i]);

        sum += d * d;
    }
    return sqrt(sum / 2);
}

double
distance_total(const double *p, const double *q, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += fabs(p[i] - q[i]);
    return sum / 2;
}

double
distance_most(const double *p, const double *q, size_t n)
{
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(p[i] - q[i]));
    return most;
}

double
distance_chi2(const size_t *a, const size_t *b, size_t n, size_t *kinds)
{
    double na = 0, nb = 0, sum = 0;

    *kinds = 0;
    for (size_t i = 0; i < n; i++) {
        na += (double)a[i];
        nb += (double)b[i];
    }
    for (size_t i = 0; i < n; i++) {
        double both = (double)a[i] + (double)b[i];
        double want = both * na / (na + nb), off = (double)a[i] - want;

        if (both == 0)
            continue;
        ++*kinds;
        if (want > 0 && want < both)
            sum += off * off * (1 / want + 1 / (both - want));
    }
    return sum;
}

/* ---- sorted samples -------------------------------------------------- */

double
distance_ks(const double *a, size_t n, const double *b, size_t m)
{
    size_t i = 0, j = 0;
    double most = 0;

    while (i < n && j < m) {
        double x = a[i] < b[j] ? a[i] : b[j];

        while (i < n && a[i] <= x)
            i++;
        while (j < m && b[j] <= x)
            j++;
        most = fmax(most, fabs((double)i / (double)n - (double)j / (double)m));
    }
    return most;
}

/* Of the ways to mix the samples, the share in which the two functions never
 * are d apart: paths on a grid that stay near its diagonal, counted row by
 * row. */
static double
exact_ks_tail(double d, size_t n, size_t m, struct error *err)
{
    double *way = mem_try_array(m + 1, sizeof *way, err);
    double nn = (double)n, mm = (double)m, stays;
    double near = (0.5 + floor(d * nn * mm - 1e-7)) / (nn * mm);

    if (!way)
        return NAN;
    for (size_t j = 0; j <= m; j++)
        way[j] = (double)j / mm <= near;
    for (size_t i = 1; i <= n; i++) {
        double w = (double)i / ((double)i + mm), at = (double)i / nn;

        way[0] = at <= near ? w * way[0] : 0;
        for (size_t j = 1; j <= m; j++)
            way[j] =
                fabs(at - (double)j / mm) <= near ? w * way[j] + way[j - 1] : 0;
    }
    stays = way[m];
    free(way);
    return stays < 1 ? 1 - stays : 0;
}

double
distance_ks_tail(double d, size_t n, size_t m, struct error *err)
{
    double size = (double)n * (double)m, x = d * sqrt(size / (double)(n + m));
    double sum = 0, sign = 1;

    if (n == 0 || m == 0 || d <= 0)
        return 1;
    if (size <= EXACT_CELLS)
        return exact_ks_tail(d, n, m, err);
    if (x < 0.2)
        return 1;
    for (int k = 1; k < 100; k++, sign = -sign)
        sum += sign * exp(-2 * k * k * x * x);
    return fmin(1, 2 * sum);
}

double
distance_wasserstein(const double *a, size_t n, const double *b, size_t m)
{
    size_t i = 0, j = 0;
    double sum = 0, last = 0;

    while (i < n || j < m) {
        double x = j >= m || (i < n && a[i] < b[j]) ? a[i] : b[j];

        if (i + j > 0)
            sum += fabs((double)i / (double)n - (double)j / (double)m) *
                   (x - last);
        while (i < n && a[i] <= x)
            i++;
        while (j < m && b[j] <= x)
            j++;
        last = x;
    }
    return sum;
}

/* ---- chi-square ------------------------------------------------------ */

/* log gamma(a) of a > 0, without the global that lgamma() leaves a sign in. */
static double
log_gamma(double a)
{
    int sign;

    return lgamma_r(a, &sign);
}

/* The lower incomplete gamma function over gamma(a), by its series. */
static double
gamma_series(double a, double x)
{
    double term = 1 / a, sum = term;

    for (int i = 1; i < STEPS && term > sum * 1e-17; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum * fm_exp(a * fm_log(x) - x - log_gamma(a));
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
    return h * fm_exp(a * fm_log(x) - x - log_gamma(a));
}

double
distance_chi2_tail(double x, double dof)
{
    double a = dof / 2, half = x / 2;

    if (!(dof > 0) || isnan(x))
        return NAN;
    if (x <= 0)
        return 1;
    return half < a + 1 ? 1 - gamma_series(a, half) : gamma_fraction(a, half);
}
