/* frame/sketch_moments.c -- moments of values that come in blocks.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/sketch_moments.h"

#include <math.h>

enum { LANES = 4 };

static void
moments_join(struct moments *a, const struct moments *b)
{
    double n = a->n + b->n, d = b->mean - a->mean, dn = d / n;
    double ab = a->n * b->n;
    double m2 = a->m2 + b->m2 + d * dn * ab;
    double m3 = a->m3 + b->m3 + d * dn * dn * ab * (a->n - b->n) +
                3 * dn * (a->n * b->m2 - b->n * a->m2);
    double m4 = a->m4 + b->m4 +
                d * dn * dn * dn * ab * (a->n * a->n - ab + b->n * b->n) +
                6 * dn * dn * (a->n * a->n * b->m2 + b->n * b->n * a->m2) +
                4 * dn * (a->n * b->m3 - b->n * a->m3);

    if (b->n == 0)
        return;
    if (a->n == 0) {
        *a = *b;
        return;
    }
    *a = (struct moments){n, a->mean + b->n * dn, m2, m3, m4};
}

/* In LANES that run side by side. */
static double
sum_plain(const double *x, size_t n)
{
    double lane[LANES] = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += x[i + k];
    for (; i < n; i++)
        lane[0] += x[i];
    return lane[0] + lane[1] + (lane[2] + lane[3]);
}

static void
powers_plain(const double *x, size_t n, struct moments *m)
{
    double one[LANES] = {0}, two[LANES] = {0}, three[LANES] = {0},
           four[LANES] = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            double d = x[i + k] - m->mean, square = d * d;

            one[k] += d;
            two[k] += square;
            three[k] += square * d;
            four[k] += square * square;
        }
    for (; i < n; i++) {
        double d = x[i] - m->mean, square = d * d;

        one[0] += d;
        two[0] += square;
        three[0] += square * d;
        four[0] += square * square;
    }
    m->m2 = two[0] + two[1] + (two[2] + two[3]);
    m->m3 = three[0] + three[1] + (three[2] + three[3]);
    m->m4 = four[0] + four[1] + (four[2] + four[3]);
}

/* Compensated: there are few, and they stand for many. */
static double
sum_weighted(const double *x, const uint64_t *weight, size_t n, double mean,
             int power)
{
    struct sketch_sum s = {0};

    for (size_t i = 0; i < n; i++) {
        double d = x[i] - mean, y = (double)weight[i];

        for (int k = 0; k < power; k++)
            y *= d;
        sketch_sum_add(&s, y);
    }
    return sketch_sum_get(&s);
}

void
sketch_moments_add(struct sketch_moments *s, const double *x,
                   const uint64_t *weight, size_t n)
{
    struct moments m = {.n = (double)n};
    double sum;

    if (n == 0)
        return;
    if (weight) {
        uint64_t all = 0;

        for (size_t i = 0; i < n; i++)
            all += weight[i];
        m.n = (double)all;
        sum = sum_weighted(x, weight, n, 0, 1);
        m.mean = sum / m.n;
        m.m2 = sum_weighted(x, weight, n, m.mean, 2);
        m.m3 = sum_weighted(x, weight, n, m.mean, 3);
        m.m4 = sum_weighted(x, weight, n, m.mean, 4);
        s->n += all;
    } else {
        sum = sum_plain(x, n);
        m.mean = sum / m.n;
        powers_plain(x, n, &m);
        s->n += n;
    }
    sketch_sum_add(&s->sum, sum);
    for (size_t i = 0; i < SKETCH_CARRIES; i++) {
        struct moments first = s->carry[i];

        if (first.n == 0) {
            s->carry[i] = m;
            return;
        }
        moments_join(&first, &m);
        m = first;
        s->carry[i].n = 0;
    }
    s->carry[SKETCH_CARRIES - 1] = m;
}

struct moments
sketch_moments_get(const struct sketch_moments *s, double *sum)
{
    struct moments m = {0};

    for (size_t i = SKETCH_CARRIES; i-- > 0;)
        if (s->carry[i].n > 0)
            moments_join(&m, &s->carry[i]);
    *sum = sketch_sum_get(&s->sum);
    return m;
}
