/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/order.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
    DIGITS = 8,
    VALUES = 256,
    CHUNK = 1 << 18,
    FEW = 48,
    STOP_EVERY = 1 << 20
};

static uint64_t
key_at(const struct column *c, size_t i, const uint32_t *rank)
{
    switch (column_type(c)) {
    case COL_BOOL:
        return column_bools(c)[i];
    case COL_FLOAT64:
        return order_of_float(column_float64s(c)[i]);
    case COL_TEXT:
        return rank ? rank[column_codes(c)[i]] : column_codes(c)[i];
    case COL_DATE:
        return order_of_int(column_dates(c)[i]);
    case COL_INT64:
    case COL_TIMESTAMP:
        break;
    }
    return order_of_int(column_int64s(c)[i]);
}

void
order_keys(const struct column *c, size_t begin, size_t end,
           const uint32_t *rank, uint64_t *key)
{
    const uint64_t *valid = column_validity(c);

    for (size_t i = begin; i < end; i++)
        key[i - begin] = column_bit(valid, i) ? key_at(c, i, rank) : 0;
}

/* How often each value of each byte occurs. */
static void
count_digits(const uint64_t *key, size_t n, size_t count[DIGITS][VALUES])
{
    memset(count, 0, sizeof(size_t[DIGITS][VALUES]));
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < DIGITS; d++)
            count[d][key[i] >> (8 * d) & 0xff]++;
}

/* Counts become the places where each value begins; false when all keys have
 * the same value and there is nothing to do. */
static bool
begin_places(size_t count[VALUES], size_t n)
{
    size_t at = 0;

    for (size_t v = 0; v < VALUES; v++) {
        size_t c = count[v];

        if (c == n)
            return false;
        count[v] = at;
        at += c;
    }
    return true;
}

/* By insertion: counting digits would cost more than so few keys do. */
static void
sort_few(uint64_t *key, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t k = key[i];
        size_t at = i;

        for (; at > 0 && key[at - 1] > k; at--)
            key[at] = key[at - 1];
        key[at] = k;
    }
}

uint64_t *
order_sort(uint64_t *key, uint64_t *scratch, size_t n)
{
    size_t place[DIGITS][VALUES];

    if (n <= FEW) {
        sort_few(key, n);
        return key;
    }
    count_digits(key, n, place);
    for (size_t d = 0; d < DIGITS; d++) {
        uint64_t *from = key;

        if (!begin_places(place[d], n))
            continue;
        for (size_t i = 0; i < n; i++)
            scratch[place[d][from[i] >> (8 * d) & 0xff]++] = from[i];
        key = scratch;
        scratch = from;
    }
    return key;
}

/* ---- many keys ------------------------------------------------------- */

struct wide {
    uint64_t *from, *to;
    size_t n, run; /* runs of that length are in order in from */
    const struct progress *progress;
};

static void
sort_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct wide *w = ctx;
    size_t n = end - begin;
    uint64_t *key = w->from + begin;

    (void)chunk;
    if (progress_stopped(w->progress))
        return;
    if (order_sort(key, w->to + begin, n) != key)
        memcpy(key, w->to + begin, n * sizeof *key);
}

/* How many of the first `at` keys of the merged a and b come from a: the
 * merge path (Odeh et al. 2012). */
static size_t
path(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b, size_t at)
{
    size_t low = at > n_b ? at - n_b : 0, high = at < n_a ? at : n_a;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (a[mid] <= b[at - mid - 1])
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Places begin..end of the merged runs; all of one chunk lie in one pair of
 * runs, for a run is a whole number of chunks. */
static void
merge_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct wide *w = ctx;
    size_t base = begin / (2 * w->run) * (2 * w->run), left = w->n - base;
    size_t n_a = left < w->run ? left : w->run;
    size_t n_b = left < 2 * w->run ? left - n_a : w->run;
    const uint64_t *a = w->from + base, *b = a + n_a;
    size_t i, j;

    (void)chunk;
    if (progress_stopped(w->progress))
        return;
    i = path(a, n_a, b, n_b, begin - base);
    j = begin - base - i;
    for (size_t at = begin; at < end; at++)
        w->to[at] = j >= n_b || (i < n_a && a[i] <= b[j]) ? a[i++] : b[j++];
}

uint64_t *
order_sort_wide(uint64_t *key, uint64_t *scratch, size_t n, struct pool *pool,
                const struct progress *progress)
{
    struct wide w = {.from = key, .to = scratch, .n = n, .progress = progress};

    pool_for(pool, n, CHUNK, sort_chunk, &w);
    for (w.run = CHUNK; w.run < n; w.run *= 2) {
        uint64_t *from = w.from;

        pool_for(pool, n, CHUNK, merge_chunk, &w);
        w.from = w.to;
        w.to = from;
    }
    return w.from;
}

bool
order_numbers(double *x, size_t n, struct pool *pool, struct error *err)
{
    uint64_t *key = mem_try_array(n, sizeof *key, err), *sorted;
    uint64_t *scratch = mem_try_array(n, sizeof *scratch, err);
    bool ok = key && scratch;

    for (size_t i = 0; i < n && ok; i++)
        key[i] = order_of_float(x[i]);
    if (ok) {
        sorted = order_sort_wide(key, scratch, n, pool, pool_stop(pool));
        ok = pool_check(pool, err);
        for (size_t i = 0; i < n && ok; i++)
            x[i] = order_to_float(sorted[i]);
    }
    free(key);
    free(scratch);
    return ok;
}

/* ---- keys with row ids ----------------------------------------------- */

void
order_sort_ids(uint64_t **key, uint32_t **id, uint64_t **key_scratch,
               uint32_t **id_scratch, size_t n, const struct progress *progress)
{
    size_t place[DIGITS][VALUES];

    count_digits(*key, n, place);
    for (size_t d = 0; d < DIGITS; d++) {
        uint64_t *k = *key, *k2 = *key_scratch;
        uint32_t *r = *id, *r2 = *id_scratch;

        if (!begin_places(place[d], n))
            continue;
        for (size_t at = 0; at < n; at += STOP_EVERY) {
            size_t len = n - at < STOP_EVERY ? n - at : STOP_EVERY;

            if (progress_stopped(progress))
                return;
            for (size_t i = at; i < at + len; i++) {
                size_t to = place[d][k[i] >> (8 * d) & 0xff]++;

                k2[to] = k[i];
                r2[to] = r[i];
            }
        }
        *key = k2;
        *key_scratch = k;
        *id = r2;
        *id_scratch = r;
    }
}
