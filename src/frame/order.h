/* frame/order.h -- values as 64-bit keys that sort as the values do.
 *
 * Integers, dates and timestamps by value; floats with -0 equal to 0 and NaN
 * (all of them one) after +inf; false before true; texts bytewise, by their
 * rank in the dictionary.  Sorting is a radix sort: O(n) for each byte in
 * which the keys differ, stable, the same on every machine.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ORDER_H
#define LATHE_FRAME_ORDER_H

#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "base/progress.h"
#include "frame/column.h"

#define ORDER_SIGN ((uint64_t)1 << 63)

static inline uint64_t
order_of_int(int64_t x)
{
    return (uint64_t)x ^ ORDER_SIGN;
}

static inline int64_t
order_to_int(uint64_t key)
{
    return (int64_t)(key ^ ORDER_SIGN);
}

static inline uint64_t
order_of_float(double x)
{
    uint64_t bits;

    if (isnan(x))
        return UINT64_MAX;
    x += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &x, sizeof bits);
    return bits & ORDER_SIGN ? ~bits : bits | ORDER_SIGN;
}

static inline double
order_to_float(uint64_t key)
{
    uint64_t bits = key & ORDER_SIGN ? key ^ ORDER_SIGN : ~key;
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The keys of rows begin..end of c; 0 for a missing value.  rank: of its
 * dictionary, from dict_ranks(), where c is text; NULL takes codes as they
 * are, which tells equal from different. */
void order_keys(const struct column *c, size_t begin, size_t end,
                const uint32_t *rank, uint64_t *key);
/* Sort n keys; returns the one of the two buffers that holds the result. */
uint64_t *order_sort(uint64_t *key, uint64_t *scratch, size_t n);
/* As order_sort, over the pool in chunks cut by n alone: chunks are sorted by
 * radix and then merged two by two.  Stops early, with what it has, when
 * progress says so. */
uint64_t *order_sort_wide(uint64_t *key, uint64_t *scratch, size_t n,
                          struct pool *pool, const struct progress *progress);
/* Sort numbers, as keys of floats do: what is missing comes last.  Stopped as
 * the work is that the pool was lent for: then ERR_CANCELLED. */
bool order_numbers(double *x, size_t n, struct pool *pool,
                   struct error *err) MUST_USE;
/* Sort n pairs by key, stably; what is in scratch may be swapped with what is
 * in key and id, so all four are in and out.  Stops early, with all pairs
 * in some order, when progress says so. */
void order_sort_ids(uint64_t **key, uint32_t **id, uint64_t **key_scratch,
                    uint32_t **id_scratch, size_t n,
                    const struct progress *progress);
#endif
