/* engine/trees/gradient.h -- what is done to every gradient of every round.
 *
 * Threads: functions touch only what they are given.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_GRADIENT_H
#define LATHE_ENGINE_TREES_GRADIENT_H

#include <stddef.h>

struct gradient {
    float g, h;
};

/* Of rows that have a hessian, which are those of some weight. */
struct gradient_extent {
    float max_g, min_h, max_h; /* the largest |g|; none: 0, INFINITY, 0 */
};

struct gradient_kernels {
    /* The log loss of n rows at probabilities p: g = p - y, h = p (1 - p), but
     * not less than least_h. */
    void (*binary)(const double *p, const double *y, size_t n, double least_h,
                   struct gradient *to);
    struct gradient_extent (*measure)(const struct gradient *g, size_t n);
};

extern const struct gradient_kernels gradient_plain;
extern const struct gradient_kernels gradient_avx2; /* cpu_has_avx2() */
const struct gradient_kernels *gradient_choose(void);
#endif
