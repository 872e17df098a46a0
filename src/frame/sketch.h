/* frame/sketch.h -- what all sketches share: weighted values, a hash, and a
 * compensated sum.
 *
 * Sketches tell of more values than fit in memory.  A value is a 64-bit key
 * (frame/order.h, or the hash of a text).  What each tells is exact while it is
 * not full, and from then on within an error that it states itself; what it
 * tells depends on the values and at most on their order, never on threads.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SKETCH_H
#define LATHE_FRAME_SKETCH_H

#include <math.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* So many values of one key. */
struct sketch_point {
    uint64_t key, weight;
};

/* Of splitmix64 (Steele, Lea & Flood 2014). */
static inline uint64_t
sketch_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/* Goes on with one more word. */
static inline uint64_t
sketch_fold(uint64_t h, uint64_t word)
{
    return sketch_mix(h ^ word);
}

uint64_t sketch_hash_text(struct str s);

/* A sum whose error does not grow with the number of values (Neumaier 1974). */
struct sketch_sum {
    double total, rest;
};

static inline void
sketch_sum_add(struct sketch_sum *s, double x)
{
    double t = s->total + x;

    s->rest +=
        fabs(s->total) >= fabs(x) ? (s->total - t) + x : (x - t) + s->total;
    s->total = t;
}

static inline double
sketch_sum_get(const struct sketch_sum *s)
{
    return isfinite(s->total) ? s->total + s->rest : s->total;
}
#endif
