/* The augmented Dickey-Fuller test: does a series drift without end (a unit
 * root), or come back to its mean?
 *
 * Steps are regressed on a constant, the value before, and as many steps
 * before as Akaike's criterion likes, up to Schwert's 12 (n / 100)^(1/4); the
 * statistic is the t of the value before.  The constant is taken out by
 * centring, and what is left is solved by Cholesky: lags are nested, so that
 * one factorisation tells the residuals of all of them.
 *
 * Source: Dickey & Fuller 1979; p-values by MacKinnon's response surface
 * (1994), case "c".
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/profile_part.h"

enum { MAX_LAG = 64, MAX_COLS = MAX_LAG + 2 };

/* A regression of the steps first..n-1 (step t is x[t + 1] - x[t]) on the value
 * before and `lags` steps before. */
struct fit {
    const double *x;
    size_t first, n; /* of the steps */
    size_t lags;
    bool level_last;
    double cross[MAX_COLS][MAX_COLS]; /* of centred columns; y is the last */
};

static double
step(const struct fit *f, size_t t)
{
    return f->x[t + 1] - f->x[t];
}

static size_t
columns(const struct fit *f)
{
    return f->lags + 1;
}

/* Regressor k at step t; the last one is the step itself. */
static double
regressor(const struct fit *f, size_t k, size_t t)
{
    size_t level = f->level_last ? f->lags : 0;

    if (k == columns(f))
        return step(f, t);
    if (k == level)
        return f->x[t];
    return step(f, t - (f->level_last ? k + 1 : k));
}

static void
fill(struct fit *f)
{
    size_t k = columns(f) + 1;
    double mean[MAX_COLS] = {0}, row[MAX_COLS], n = (double)(f->n - f->first);

    memset(f->cross, 0, sizeof f->cross);
    for (size_t t = f->first; t < f->n; t++)
        for (size_t i = 0; i < k; i++)
            mean[i] += regressor(f, i, t) / n;
    for (size_t t = f->first; t < f->n; t++) {
        for (size_t i = 0; i < k; i++)
            row[i] = regressor(f, i, t) - mean[i];
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j <= i; j++)
                f->cross[i][j] += row[i] * row[j];
    }
}

/* In place; false when a column is a mix of those before. */
static bool
factor(struct fit *f)
{
    size_t k = columns(f) + 1;

    for (size_t i = 0; i < k; i++) {
        double whole = f->cross[i][i];

        for (size_t j = 0; j <= i; j++) {
            double sum = f->cross[i][j];

            for (size_t m = 0; m < j; m++)
                sum -= f->cross[i][m] * f->cross[j][m];
            if (i > j)
                f->cross[i][j] = sum / f->cross[j][j];
            else if (sum > whole * 1e-14)
                f->cross[i][i] = sqrt(sum);
            else
                return false;
        }
    }
    return true;
}

/* Akaike's choice among the fits with 0..max lags, on the same steps. */
static size_t
choose_lags(struct fit *f, size_t max)
{
    size_t n = f->n - max, best = 0;
    double least = INFINITY, residual;

    f->lags = max;
    f->first = max;
    f->level_last = false;
    fill(f);
    residual = f->cross[columns(f)][columns(f)];
    if (!factor(f))
        return 0;
    for (size_t k = 0; k <= max; k++) {
        double z = f->cross[columns(f)][k], aic;

        residual -= z * z;
        aic = (double)n * log(residual / (double)n) + 2 * ((double)k + 2);
        if (aic < least) {
            least = aic;
            best = k;
        }
    }
    return best;
}

static double
p_value(double t)
{
    static const double small[] = {2.1659, 1.4412, 0.038269};
    static const double large[] = {1.7339, 0.93202, -0.12745, -0.010368};
    double z;

    if (t > 2.74)
        return 1;
    if (t < -18.83)
        return 0;
    if (t <= -1.61)
        z = small[0] + t * (small[1] + t * small[2]);
    else
        z = large[0] + t * (large[1] + t * (large[2] + t * large[3]));
    return erfc(-z / sqrt(2)) / 2;
}

bool
profile_adf(const double *x, size_t n, struct profile_series *out,
            struct error *err)
{
    struct fit *f = mem_try_array(1, sizeof *f, err);
    size_t max = (size_t)ceil(12 * pow((double)n / 100, 0.25)), k;
    double level, residual;

    if (!f)
        return false;
    max = max < MAX_LAG ? max : MAX_LAG;
    if (n < 10)
        max = 0;
    else if (max > n / 2 - 2)
        max = n / 2 - 2;
    f->x = x;
    f->n = n > 0 ? n - 1 : 0;
    if (n >= 10) {
        f->lags = out->adf_lags = choose_lags(f, max);
        f->first = f->lags;
        f->level_last = true;
        fill(f);
        k = columns(f);
        if (factor(f)) {
            level = f->cross[k][k - 1];
            residual = f->cross[k][k];
            out->adf = level / residual *
                       sqrt((double)(f->n - f->first) - (double)k - 1);
            out->adf_p = p_value(out->adf);
        }
    }
    free(f);
    return true;
}
