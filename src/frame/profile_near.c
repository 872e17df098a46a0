/* Rows that repeat an earlier one but for case, blanks at the ends of texts
 * and about the seventh digit of numbers.  Numbers are rounded, so that two on
 * both sides of a half stay apart however near they are.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"
#include "frame/profile_part.h"

enum { GRAIN = 4096 };

struct rows {
    const struct frame *f;
    uint64_t *exact, *near; /* a hash of each row */
};

/* Of splitmix64 (Steele, Lea & Flood 2014). */
static uint64_t
mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) + 0x9e3779b97f4a7c15;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
    h = (h ^ (h >> 27)) * 0x94d049bb133111eb;
    return h ^ (h >> 31);
}

/* A word of eight bytes at a time, of ASCII in lower case. */
static uint64_t
hash_text(struct str s)
{
    uint64_t h = s.n, word = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        word = word << 8 | (c >= 'A' && c <= 'Z' ? c | 0x20u : c);
        if (i % 8 == 7)
            h = mix(h, word);
    }
    return mix(h, word);
}

/* Twenty bits of the mantissa: one part in a million. */
static uint64_t
round_float(double x)
{
    uint64_t bits = order_of_float(x);

    return bits > UINT64_MAX - (1u << 31) ? bits >> 32
                                          : (bits + (1u << 31)) >> 32;
}

static void
hash_column(const struct rows *r, size_t col, size_t begin, size_t end)
{
    const struct column *c = frame_column(r->f, col);
    enum col_type type = column_type(c);
    uint64_t key[GRAIN];

    order_keys(c, begin, end, NULL, key);
    for (size_t i = begin; i < end; i++) {
        uint64_t exact = key[i - begin], near = exact;

        if (!column_is_valid(c, i))
            exact = near = 0x6d697373;
        else if (type == COL_TEXT)
            near = hash_text(str_trim(column_text(c, i)));
        else if (type == COL_FLOAT64)
            near = round_float(column_float64s(c)[i]);
        r->exact[i] = mix(r->exact[i], exact);
        r->near[i] = mix(r->near[i], near);
    }
}

static void
hash_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct rows *r = ctx;

    (void)chunk;
    for (size_t col = 0; col < frame_cols(r->f); col++)
        hash_column(r, col, begin, end);
}

static size_t
count_repeats(uint64_t *key, uint64_t *scratch, size_t n)
{
    const uint64_t *sorted = order_sort(key, scratch, n);
    size_t repeats = 0;

    for (size_t i = 1; i < n; i++)
        repeats += sorted[i] == sorted[i - 1];
    return repeats;
}

/* Whole numbers and times that all differ differ still when rounded. */
static bool
has_exact_key(const struct profile *p)
{
    for (size_t i = 0; i < p->n_cols; i++) {
        const struct profile_column *c = &p->column[i];

        if (c->n_distinct == c->n && c->numeric && c->type != COL_FLOAT64)
            return true;
    }
    return false;
}

bool
profile_near(struct profile *p, struct pool *pool, struct error *err)
{
    size_t n = frame_rows(p->frame), exact, near;
    struct rows r = {.f = p->frame};
    uint64_t *scratch = NULL;
    bool ok = false;

    p->n_near_rows = n = n < PROFILE_NEAR ? n : PROFILE_NEAR;
    if (n == 0 || has_exact_key(p))
        return true;
    if (!(r.exact = mem_try_array(n, sizeof *r.exact, err)) ||
        !(r.near = mem_try_array(n, sizeof *r.near, err)) ||
        !(scratch = mem_try_array(n, sizeof *scratch, err)))
        goto out;
    pool_for(pool, n, GRAIN, hash_rows, &r);
    exact = count_repeats(r.exact, scratch, n);
    near = count_repeats(r.near, scratch, n);
    p->n_near = near > exact ? near - exact : 0;
    ok = true;
out:
    free(r.exact);
    free(r.near);
    free(scratch);
    return ok;
}
