/* frame/parquet_bits.h -- numbers packed into few bits.  Internal to parquet.
 *
 * Readers work in batches that the caller sizes, so that a header that
 * promises much costs nothing until the values are there.  All of them check
 * what they read against the end of their bytes and return false when it is
 * damaged.
 * Source:  the Parquet format's Encodings.md.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PARQUET_BITS_H
#define LATHE_FRAME_PARQUET_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/* n values of `width` bits (0..32), the lowest bit of a byte first, from bit
 * `at` of p on.  Reads up to `end`, beyond which bits are 0. */
void pq_unpack(const uint8_t *p, const uint8_t *end, uint64_t at,
               unsigned width, size_t n, uint32_t *out);

/* Runs: stretches of one value and stretches of packed ones in turn. */
struct pq_runs {
    const uint8_t *p, *end;
    unsigned width; /* bits of a value, 0..32 */
    uint64_t left;  /* values left of the stretch at hand */
    bool packed;
    uint32_t value;                 /* not packed */
    const uint8_t *base, *base_end; /* packed: the stretch, and */
    uint64_t at;                    /* the next bit of it */
};

bool pq_runs_init(struct pq_runs *r, struct str bytes, unsigned width) MUST_USE;
bool pq_runs_next(struct pq_runs *r, size_t n, uint32_t *out) MUST_USE;
/* Runs of one bit: append n of them, turned round, to `bits` from bit `at` on,
 * where all is 0; *n_ones is how many were 1. */
bool pq_runs_holes(struct pq_runs *r, size_t n, uint64_t *bits, size_t at,
                   size_t *n_ones) MUST_USE;

/* Or `word`, of which n bits (1..64) count, into the bits from `at` on. */
static inline void
pq_put_bits(uint64_t *bits, size_t at, uint64_t word, size_t n)
{
    size_t w = at / 64, shift = at % 64;

    if (n < 64)
        word &= (UINT64_C(1) << n) - 1;
    bits[w] |= word << shift;
    if (shift + n > 64)
        bits[w + 1] |= word >> (64 - shift);
}

/* Differences to the value before, in blocks of packed miniblocks. */
struct pq_delta {
    const uint8_t *p, *end;
    uint64_t left; /* values yet to come, the first one included */
    uint64_t value;
    uint64_t per_mini, n_minis;
    uint64_t mini, in_mini; /* miniblocks left; values left of this one */
    uint64_t min_delta;
    const uint8_t *width; /* of the miniblocks left of the block */
    unsigned bits;
    const uint8_t *base;
    uint64_t at;
    bool first;
};

bool pq_delta_init(struct pq_delta *d, struct str bytes) MUST_USE;
bool pq_delta_next(struct pq_delta *d, size_t n, int64_t *out) MUST_USE;
/* What follows the packed numbers of d, of which none was read yet. */
bool pq_delta_rest(const struct pq_delta *d, struct str *rest) MUST_USE;
#endif
