/* base/rng.c -- counter-based random streams.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/rng.h"

#include <math.h>

__extension__ typedef unsigned __int128 wide; /* pedantic C17 has no name */

/* Fold the 128-bit product of two odd-ended words: every bit of both inputs
 * reaches every bit of the result. */
static uint64_t
fold(uint64_t a, uint64_t b)
{
    wide m = (wide)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t
rng_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint64_t a = fold(seed ^ 0xa0761d6478bd642fu, stream ^ 0xe7037ed1a0b428dbu);
    uint64_t b = fold(a ^ index, 0x8ebc6af09c88c6e3u);

    return fold(b ^ 0x589965cc75374cc3u, a ^ (index + 0x1d8e4e27c47d124fu));
}

double
rng_unit(uint64_t seed, uint64_t stream, uint64_t index)
{
    return (double)(rng_at(seed, stream, index) >> 11) * 0x1p-53;
}

uint64_t
rng_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t n)
{
    return (uint64_t)((wide)rng_at(seed, stream, index) * n >> 64);
}

double
rng_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint64_t bits = rng_at(seed, stream, index);
    /* Box-Muller: two uniforms of 32 and 31 bits from one word. */
    double u = ((double)(bits >> 33) + 0.5) * 0x1p-31;
    double v = (double)(uint32_t)bits * 0x1p-32;

    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void
rng_shuffle(uint64_t seed, uint64_t stream, uint32_t *ids, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)rng_below(seed, stream, i, i);
        uint32_t t = ids[i - 1];

        ids[i - 1] = ids[j];
        ids[j] = t;
    }
}
