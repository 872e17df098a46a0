/* engine/trees/shap_rule.c -- the rule of Gauss and Legendre.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/shap_rule.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { LANES = 4 }; /* points come in fours */

/* cos(x), 0 <= x <= pi / 2: only a guess is wanted, but the same everywhere. */
static double
cosine(double x)
{
    double term = 1, sum = 1;

    for (int k = 1; k <= 12; k++) {
        term *= -x * x / (double)((2 * k - 1) * (2 * k));
        sum += term;
    }
    return sum;
}

/* The polynomial of degree n at x, and its slope. */
static double
legendre(size_t n, double x, double *slope)
{
    double before = 1, p = x;

    for (size_t k = 2; k <= n; k++) {
        double next = ((double)(2 * k - 1) * x * p - (double)(k - 1) * before) /
                      (double)k;

        before = p;
        p = next;
    }
    *slope = (double)n * (x * p - before) / (x * x - 1);
    return p;
}

static void
place_point(struct shap_rule *r, size_t i)
{
    static const double pi = 3.14159265358979323846;
    double x = cosine(pi * ((double)i + 0.75) / ((double)r->n + 0.5)), slope;
    double weight;

    for (int turn = 0; turn < 10; turn++) {
        double step = legendre(r->n, x, &slope) / slope;

        x -= step;
        if (fabs(step) < 1e-15)
            break;
    }
    (void)legendre(r->n, x, &slope);
    weight = 1 / ((1 - x * x) * slope * slope);
    r->t[i] = (1 - x) / 2;
    r->t[r->n - 1 - i] = (1 + x) / 2;
    r->w[i] = r->w[r->n - 1 - i] = weight;
}

bool
shap_rule_init(struct shap_rule *r, size_t n, struct error *err)
{
    r->n = n;
    r->t = mem_try_aligned(4 * n, sizeof *r->t, err);
    if (!r->t)
        return false;
    r->rest = r->t + n;
    r->over = r->rest + n;
    r->w = r->over + n;
    for (size_t i = 0; i < n / 2; i++)
        place_point(r, i);
    for (size_t i = 0; i < n; i++) {
        r->rest[i] = r->t[n - 1 - i];
        r->over[i] = 1 / r->rest[i];
    }
    return true;
}

size_t
shap_rule_points(size_t features)
{
    size_t n = (features + 1) / 2;

    return n <= LANES ? LANES : (n + LANES - 1) / LANES * LANES;
}

void
shap_rule_fini(struct shap_rule *r)
{
    free(r->t);
    *r = (struct shap_rule){0};
}
