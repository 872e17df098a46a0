/* phi-k: the correlation that a normal distribution of two variables, cut
 * into as many cells, would need for the same chi-square.  It sees what is not
 * monotone, and goes from 0 to 1 for categories too.
 *
 * Source: Baak, Koopman, Snoek & Klous, "A new correlation coefficient between
 * categorical, ordinal and interval variables with Pearson characteristics",
 * 2018: cells of equal width over -5..5 and none beyond, as its authors'
 * program has them, chi-square less the degrees of freedom that chance alone
 * would give, scaled to its greatest value.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frame/profile_part.h"

enum { NODES = 8, PANELS = 12, CELLS = PROFILE_MANY + 1, HALVINGS = 40 };

static const double REACH = 5; /* of the cells, in deviations */
static const double PI = 3.14159265358979323846;

/* Gauss-Legendre of order 16 on (-1, 1), one half (Abramowitz & Stegun 25.4.30).
 */
static const double node[NODES] = {0.0950125098376374, 0.2816035507792589,
                                   0.4580167776572274, 0.6178762444026438,
                                   0.7554044083550030, 0.8656312023878318,
                                   0.9445750230732326, 0.9894009349916499};
static const double weight[NODES] = {0.1894506104550685, 0.1826034150449236,
                                     0.1691565193950025, 0.1495959888165767,
                                     0.1246289712555339, 0.0951585116824928,
                                     0.0622535239386479, 0.0271524594117541};

static double
normal(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

static double
density(double h, double k, double angle)
{
    double s = sin(angle), c = cos(angle);

    return exp(-(h * h + k * k - 2 * h * k * s) / (2 * c * c));
}

/* P(X < h, Y < k): the product of the two, and the integral of the density at
 * (h, k) over the correlation (Plackett 1954), whose sine is the angle. */
static double
both_below(double h, double k, double rho)
{
    double width = asin(rho) / PANELS, sum = 0;

    for (size_t p = 0; p < PANELS; p++) {
        double middle = ((double)p + 0.5) * width;

        for (size_t i = 0; i < NODES; i++)
            sum += weight[i] * (density(h, k, middle - node[i] * width / 2) +
                                density(h, k, middle + node[i] * width / 2));
    }
    return normal(h) * normal(k) + sum * width / 2 / (2 * PI);
}

static double
edge(size_t i, size_t n)
{
    return -REACH + 2 * REACH * (double)i / (double)n;
}

static double
share(size_t i, size_t n)
{
    return normal(edge(i + 1, n)) - normal(edge(i, n));
}

static double
below(double h, double k, double rho)
{
    return rho < 1 ? both_below(h, k, rho) : normal(h < k ? h : k);
}

/* Chi-square over n of the normal distribution with that correlation. */
static double
chi2_of(double rho, size_t rows, size_t cols)
{
    double above[CELLS + 1], here[CELLS + 1], sum = 0;

    for (size_t c = 0; c <= cols; c++)
        above[c] = below(edge(0, rows), edge(c, cols), rho);
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c <= cols; c++)
            here[c] = below(edge(r + 1, rows), edge(c, cols), rho);
        for (size_t c = 0; c < cols; c++) {
            double want = share(r, rows) * share(c, cols);
            double got = here[c + 1] - here[c] - above[c + 1] + above[c];

            sum += (got - want) * (got - want) / want;
        }
        memcpy(above, here, sizeof here);
    }
    return sum;
}

double
profile_phik(double chi2, double n, size_t rows, size_t cols)
{
    double least = (double)(rows - 1) * (double)(cols - 1);
    double most = n * (double)((rows < cols ? rows : cols) - 1);
    double scale, low = 0, high = 1;

    if (rows < 2 || cols < 2 || rows > CELLS || cols > CELLS)
        return NAN;
    if (chi2 <= least)
        return 0;
    if (chi2 >= most || least >= most)
        return 1;
    scale = (most - least) / chi2_of(1, rows, cols);
    for (size_t i = 0; i < HALVINGS; i++) {
        double rho = (low + high) / 2;

        if (least + scale * chi2_of(rho, rows, cols) < chi2)
            low = rho;
        else
            high = rho;
    }
    return (low + high) / 2;
}
