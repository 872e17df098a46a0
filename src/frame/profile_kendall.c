/* Kendall's tau-b: of all pairs of rows, those in one order less those in the
 * other, over what ties leave (Kendall 1945).  Discordant pairs are counted
 * after Knight (1966), with a tree of counts (Fenwick 1994) in place of the
 * merge: O(n log n).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"
#include "frame/profile_part.h"

struct tau {
    uint64_t *key, *scratch; /* place of x above, of y below, for each row */
    uint32_t *place[2];      /* of each row from 1, equal values alike */
    size_t *tree;            /* counts by place of y */
    size_t n;
};

static size_t
count_up_to(const size_t *tree, size_t at)
{
    size_t sum = 0;

    for (; at > 0; at &= at - 1)
        sum += tree[at];
    return sum;
}

/* Rows before in the order of x that are above in y. */
static double
discordant(const struct tau *t, const uint64_t *sorted, size_t places)
{
    double sum = 0;

    for (size_t i = 0; i < t->n; i++) {
        size_t y = (uint32_t)sorted[i];

        sum += (double)(i - count_up_to(t->tree, y));
        for (size_t at = y; at <= places; at += at & (~at + 1))
            t->tree[at]++;
    }
    return sum;
}

static double
pairs_of(double n)
{
    return n * (n - 1) / 2;
}

/* Pairs that are tied in the upper bits of sorted keys. */
static double
tied(const uint64_t *sorted, size_t n, unsigned shift)
{
    double sum = 0;

    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && sorted[j] >> shift == sorted[i] >> shift; j++)
            ;
        sum += pairs_of((double)(j - i));
    }
    return sum;
}

static double
tau_b(struct tau *t, size_t y_places)
{
    const uint64_t *sorted = order_sort(t->key, t->scratch, t->n);
    double all = pairs_of((double)t->n);
    double tied_x = tied(sorted, t->n, 32), both = tied(sorted, t->n, 0);
    double against = discordant(t, sorted, y_places), tied_y = 0;

    for (size_t i = 1, last = 0; i <= y_places; i++) {
        size_t up_to = count_up_to(t->tree, i);

        tied_y += pairs_of((double)(up_to - last));
        last = up_to;
    }
    if (tied_x >= all || tied_y >= all)
        return NAN;
    return (all - tied_x - tied_y + both - 2 * against) /
           (sqrt(all - tied_x) * sqrt(all - tied_y));
}

bool
profile_kendall(const struct feature *a, const struct feature *b, double *out,
                struct error *err)
{
    struct tau t = {0};
    size_t y_places;
    bool ok = false;

    *out = NAN;
    if (!(t.key = mem_try_array(a->n, sizeof *t.key, err)) ||
        !(t.scratch = mem_try_array(a->n, sizeof *t.scratch, err)) ||
        !(t.place[0] = mem_try_array(a->n, sizeof *t.place[0], err)) ||
        !(t.place[1] = mem_try_array(a->n, sizeof *t.place[1], err)) ||
        !(t.tree = mem_try_array(a->n + 1, sizeof *t.tree, err)))
        goto out;
    y_places = feature_values(b, t.place[1]) - 1;
    (void)feature_values(a, t.place[0]);

    for (size_t i = 0; i < a->n; i++)
        if (t.place[0][i] && t.place[1][i])
            t.key[t.n++] = (uint64_t)t.place[0][i] << 32 | t.place[1][i];
    if (t.n > 2)
        *out = tau_b(&t, y_places);
    ok = true;
out:
    free(t.key);
    free(t.scratch);
    free(t.place[0]);
    free(t.place[1]);
    free(t.tree);
    return ok;
}
