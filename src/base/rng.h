/* base/rng.h -- counter-based random streams.
 *
 * rng_at(seed, stream, index) is a pure function, so that what a row, a tree
 * or a fold draws depends neither on thread count nor on order.
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 *         SC 2011 (the idea); mixing by two rounds of a 128-bit multiply.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_RNG_H
#define LATHE_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

uint64_t rng_at(uint64_t seed, uint64_t stream, uint64_t index);
/* Uniform in [0, 1) with 53 bits. */
double rng_unit(uint64_t seed, uint64_t stream, uint64_t index);
/* Uniform in 0..n-1 without bias worth speaking of; n > 0. */
uint64_t rng_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t n);
/* Standard normal. */
double rng_normal(uint64_t seed, uint64_t stream, uint64_t index);
/* Fisher-Yates over n row ids. */
void rng_shuffle(uint64_t seed, uint64_t stream, uint32_t *ids, size_t n);
#endif
