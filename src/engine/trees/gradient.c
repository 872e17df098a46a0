/* engine/trees/gradient.c -- what is done to every gradient, plainly.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/gradient.h"

#include <math.h>

#include "base/pool.h"

static void
binary_plain(const double *p, const double *y, size_t n, double least_h,
             struct gradient *to)
{
    for (size_t i = 0; i < n; i++) {
        double h = p[i] * (1 - p[i]);

        to[i].g = (float)(p[i] - y[i]);
        to[i].h = (float)(h > least_h ? h : least_h);
    }
}

static struct gradient_extent
measure_plain(const struct gradient *g, size_t n)
{
    struct gradient_extent e = {0, INFINITY, 0};

    for (size_t i = 0; i < n; i++) {
        float size = fabsf(g[i].g);

        if (g[i].h == 0)
            continue;
        e.max_g = size > e.max_g ? size : e.max_g;
        e.min_h = g[i].h < e.min_h ? g[i].h : e.min_h;
        e.max_h = g[i].h > e.max_h ? g[i].h : e.max_h;
    }
    return e;
}

const struct gradient_kernels gradient_plain = {binary_plain, measure_plain};

const struct gradient_kernels *
gradient_choose(void)
{
    return cpu_has_avx2() ? &gradient_avx2 : &gradient_plain;
}
