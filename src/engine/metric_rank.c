/* engine/metric_rank.c -- rows by their scores.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/metric_part.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FEW_ROWS = 64 };

/* What is sorted: the upper half of a score's bits, then its row. */
struct sorting {
    const double *p; /* scores, `stride` apart */
    size_t stride;
    const struct pool *pool;
    uint64_t *a, *b; /* n each */
};

/* An unsigned number in the falling order of the doubles; -0 equals 0. */
static uint64_t
double_key(double x)
{
    uint64_t u;

    x += 0.0;
    memcpy(&u, &x, sizeof u);
    return u >> 63 ? u : ~(u | UINT64_C(1) << 63);
}

static uint64_t
key_of(const struct sorting *s, uint64_t entry)
{
    return double_key(s->p[(entry & UINT32_MAX) * s->stride]);
}

/* Stable radix sort of a[from..to) by the upper half (or, among rows where
 * that is equal, the lower half) of the keys, 11 bits a pass. */
static void
radix_sort(struct sorting *s, size_t from, size_t to, bool lower)
{
    for (unsigned shift = 0; shift < 33; shift += 11) {
        size_t at[2048] = {0}, sum = from;

        if (pool_stopped(s->pool))
            return;
        for (size_t i = from; i < to; i++) {
            uint64_t v = lower ? key_of(s, s->a[i]) : s->a[i] >> 32;

            at[v >> shift & 2047]++;
        }
        for (size_t v = 0; v < 2048; v++) {
            size_t count = at[v];

            at[v] = sum;
            sum += count;
        }
        for (size_t i = from; i < to; i++) {
            uint64_t v = lower ? key_of(s, s->a[i]) : s->a[i] >> 32;

            s->b[at[v >> shift & 2047]++] = s->a[i];
        }
        memcpy(s->a + from, s->b + from, (to - from) * sizeof *s->a);
    }
}

/* As radix_sort() on whole keys, for a few. */
static void
insertion_sort(struct sorting *s, size_t from, size_t to)
{
    for (size_t i = from + 1; i < to; i++) {
        uint64_t entry = s->a[i], key = key_of(s, entry);
        size_t j = i;

        for (; j > from && key_of(s, s->a[j - 1]) > key; j--)
            s->a[j] = s->a[j - 1];
        s->a[j] = entry;
    }
}

/* Few scores share their upper half without being equal: they are sorted
 * again among themselves. */
static void
sort_rows(struct sorting *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->a[i] = double_key(s->p[i * s->stride]) >> 32 << 32 | i;
    radix_sort(s, 0, n, false);
    for (size_t i = 0, end; i < n; i = end) {
        bool equal = true;

        for (end = i + 1; end < n && s->a[end] >> 32 == s->a[i] >> 32; end++)
            equal = equal && key_of(s, s->a[end]) == key_of(s, s->a[i]);
        if (!equal && end - i <= FEW_ROWS)
            insertion_sort(s, i, end);
        else if (!equal)
            radix_sort(s, i, end, true);
    }
}

bool
metric_order(const double *p, size_t stride, size_t n, const struct pool *pool,
             uint32_t *row, struct error *err)
{
    struct sorting o = {p, stride, pool, NULL, NULL};
    bool ok = (o.a = mem_try_array(n, sizeof *o.a, err)) &&
              (o.b = mem_try_array(n, sizeof *o.b, err));

    if (ok) {
        sort_rows(&o, n);
        for (size_t i = 0; i < n; i++)
            row[i] = (uint32_t)o.a[i];
        ok = pool_check(pool, err);
    }
    free(o.a);
    free(o.b);
    return ok;
}

/* Rank the rows by the score of class c (of the positive one when k = 1). */
static bool
rank_init(const struct scorer *s, size_t c, struct ranking *r,
          struct error *err)
{
    size_t n = s->of.n, k = s->of.k;
    const double *p = s->of.p + (k > 1 ? c : 0);

    if (!(r->row = mem_try_array(n, sizeof *r->row, err)) ||
        !(r->mark = mem_try_array(n, 1, err)) ||
        !metric_order(p, k, n, s->pool, r->row, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n || p[r->row[i] * k] != p[r->row[i + 1] * k];

        r->mark[i] = (uint8_t)((s->of.y[r->row[i]] == (double)c) | last << 1);
    }
    return true;
}

bool
scorer_ranks(struct scorer *s, struct error *err)
{
    const struct metric_rows *r = &s->of;
    size_t n = r->k == 1 ? 1 : s->n_classes;

    if (!(s->rank = mem_try_array(n, sizeof *s->rank, err)))
        return false;
    s->n_ranks = n;
    for (size_t c = 0; c < n; c++)
        if (!rank_init(s, r->k == 1 ? 1 : c, &s->rank[c], err))
            return false;
    if (r->k > 1)
        return true;
    s->row = s->rank[0].row;
    s->rank[0].row = NULL;
    while (s->n_above < r->n && r->p[s->row[s->n_above]] > metric_threshold(r))
        s->n_above++;
    return true;
}
