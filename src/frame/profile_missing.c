/* Where values are missing: in which parts of the rows, in which columns
 * together.  A bit a row and column, so that pairs of columns are compared 64
 * rows at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"
#include "frame/profile_part.h"
#include "frame/sketch.h"

struct holes {
    struct profile *p;
    size_t n_words;
    uint64_t **bit; /* of each column; set where missing; NULL: complete */
    const struct progress *progress;
    atomic_bool failed;
};

static void
find_holes(void *ctx, size_t col, size_t begin, size_t end)
{
    struct holes *h = ctx;
    const struct column *c = frame_column(h->p->frame, col);
    const uint64_t *valid = column_validity(c);
    size_t n = column_rows(c);
    struct error err;
    uint64_t *bit;

    (void)begin;
    (void)end;
    if (h->p->column[col].n_missing == 0)
        return;
    if (!(bit = h->bit[col] = mem_try_array(h->n_words, sizeof *bit, &err))) {
        atomic_store(&h->failed, true);
        return;
    }
    for (size_t w = 0; valid && w < h->n_words; w++)
        bit[w] = ~valid[w];
    if (n % 64)
        bit[h->n_words - 1] &= ((uint64_t)1 << n % 64) - 1;
    if (column_type(c) != COL_FLOAT64)
        return;
    for (size_t i = 0; i < n; i++)
        bit[i / 64] |= (uint64_t)(isnan(column_float64s(c)[i]) != 0) << i % 64;
}

/* ---- parts of the rows ----------------------------------------------- */

static bool
set_bands(const struct holes *h, struct error *err)
{
    struct profile *p = h->p;
    size_t n = frame_rows(p->frame);

    p->n_bands = n < PROFILE_BANDS ? n : PROFILE_BANDS;
    if (!(p->band =
              mem_try_array(p->n_cols, p->n_bands * sizeof *p->band, err)))
        return false;
    for (size_t col = 0; col < p->n_cols; col++)
        for (size_t w = 0; h->bit[col] && w < h->n_words; w++)
            for (uint64_t b = h->bit[col][w]; b; b &= b - 1) {
                size_t row = w * 64 + profile_ones((b & (~b + 1)) - 1);

                p->band[col * p->n_bands + profile_band(p, row)]++;
            }
    return true;
}

size_t
profile_band(const struct profile *p, size_t row)
{
    return (size_t)((double)row * (double)p->n_bands / (double)p->n_rows);
}

/* ---- pairs of columns ------------------------------------------------ */

/* Pearson's r of two bits a row. */
static double
nullity(const struct holes *h, size_t a, size_t b)
{
    double n = (double)frame_rows(h->p->frame), both = 0;
    double na = (double)h->p->column[a].n_missing;
    double nb = (double)h->p->column[b].n_missing;
    size_t sum = 0;

    for (size_t w = 0; w < h->n_words; w++)
        sum += profile_ones(h->bit[a][w] & h->bit[b][w]);
    both = (double)sum;
    return (n * both - na * nb) / (sqrt(na * (n - na)) * sqrt(nb * (n - nb)));
}

static void
compare_row(void *ctx, size_t a, size_t begin, size_t end)
{
    struct holes *h = ctx;
    struct profile *p = h->p;
    size_t n = frame_rows(p->frame);

    (void)begin;
    (void)end;
    for (size_t b = a + 1; b < p->n_cols; b++) {
        bool some = h->bit[a] && h->bit[b] && p->column[a].n_missing < n &&
                    p->column[b].n_missing < n;

        p->nullity[a * p->n_cols + b] =
            some && !progress_stopped(h->progress) ? nullity(h, a, b) : NAN;
    }
}

static bool
set_nullity(struct holes *h, struct pool *pool, struct error *err)
{
    struct profile *p = h->p;

    if (p->n_cols > PROFILE_MAX_PAIRED)
        return true;
    if (!(p->nullity =
              mem_try_array(p->n_cols * p->n_cols, sizeof *p->nullity, err)))
        return false;
    pool_for(pool, p->n_cols, 1, compare_row, h);
    return true;
}

/* ---- patterns -------------------------------------------------------- */

/* A key of the columns that each row misses; 0 where it is complete. */
static void
set_keys(const struct holes *h, uint64_t *key)
{
    for (size_t col = 0; col < h->p->n_cols; col++)
        for (size_t w = 0; h->bit[col] && w < h->n_words; w++)
            for (uint64_t b = h->bit[col][w]; b; b &= b - 1)
                key[w * 64 + profile_ones((b & (~b + 1)) - 1)] ^=
                    sketch_mix(col);
}

/* Keep a pattern as one of the most frequent. */
static void
keep_pattern(struct profile *p, uint64_t key, size_t rows)
{
    size_t at = p->n_patterns;

    while (at > 0 && p->pattern[at - 1].rows < rows)
        at--;
    if (at == PROFILE_TOP)
        return;
    if (p->n_patterns == PROFILE_TOP)
        p->n_patterns--;
    memmove(&p->pattern[at + 1], &p->pattern[at],
            (p->n_patterns - at) * sizeof *p->pattern);
    p->pattern[at] = (struct profile_pattern){rows, key};
    p->n_patterns++;
}

/* The key of a pattern becomes the first row that has it. */
static void
find_first_rows(struct profile *p, const uint64_t *key, size_t n)
{
    bool found[PROFILE_TOP] = {false};
    size_t left = p->n_patterns;

    for (size_t i = 0; i < n && left > 0; i++)
        for (size_t k = 0; k < p->n_patterns; k++)
            if (!found[k] && p->pattern[k].row == key[i]) {
                p->pattern[k].row = i;
                found[k] = true;
                left--;
                break;
            }
}

static bool
set_patterns(const struct holes *h, struct error *err)
{
    struct profile *p = h->p;
    size_t n = frame_rows(p->frame);
    uint64_t *key = mem_try_array(n, sizeof *key, err);
    uint64_t *copy = key ? mem_try_array(n, sizeof *copy, err) : NULL;
    uint64_t *scratch = copy ? mem_try_array(n, sizeof *scratch, err) : NULL;
    const uint64_t *sorted;
    bool ok = scratch;

    p->n_complete = 0;
    if (ok) {
        set_keys(h, key);
        memcpy(copy, key, n * sizeof *copy);
        sorted = order_sort(copy, scratch, n);
        for (size_t i = 0, j; i < n; i = j) {
            for (j = i + 1; j < n && sorted[j] == sorted[i]; j++)
                ;
            if (sorted[i])
                keep_pattern(p, sorted[i], j - i);
            else
                p->n_complete = j - i;
        }
        find_first_rows(p, key, n);
    }
    free(key);
    free(copy);
    free(scratch);
    return ok;
}

bool
profile_pattern_has(const struct profile *p, size_t k, size_t col)
{
    const struct column *c = frame_column(p->frame, col);
    size_t row = (size_t)p->pattern[k].row, words = (p->n_cols + 63) / 64;

    if (p->pattern_bits)
        return p->pattern_bits[k * words + col / 64] >> col % 64 & 1;
    return !column_is_valid(c, row) ||
           (column_type(c) == COL_FLOAT64 && isnan(column_float64s(c)[row]));
}

/* ---- the whole ------------------------------------------------------- */

static bool
any_missing(const struct profile *p)
{
    for (size_t i = 0; i < p->n_cols; i++)
        if (p->column[i].n_missing)
            return true;
    return false;
}

bool
profile_missing(struct profile *p, struct pool *pool,
                const struct progress *progress, struct error *err)
{
    size_t n = frame_rows(p->frame);
    struct holes h = {.p = p, .n_words = (n + 63) / 64, .progress = progress};
    bool ok = true;

    p->n_complete = n;
    if (!any_missing(p))
        return true;
    if (!(h.bit = mem_try_array(p->n_cols, sizeof *h.bit, err)))
        return false;
    pool_for(pool, p->n_cols, 1, find_holes, &h);
    if (atomic_load(&h.failed))
        ok = error_set(err, ERR_NOMEM, "no memory to compare what is missing");
    ok = ok && set_bands(&h, err) && set_nullity(&h, pool, err) &&
         set_patterns(&h, err) && progress_check(progress, err);
    for (size_t i = 0; i < p->n_cols; i++)
        free(h.bit[i]);
    free(h.bit);
    return ok;
}
