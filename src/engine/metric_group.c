/* engine/metric_group.c -- how well rows are ranked within their groups.
 *
 * A group's value depends on its rows alone; a score is the mean over groups.
 * A group without anything relevant has no order that is better than another:
 * it is left out.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/metric_part.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sort.h"

struct placed {
    double p;
    uint32_t row;
};

/* Rows of the groups, one group after another. */
struct grouping {
    size_t n, *begin; /* n + 1 */
    uint32_t *row;
    double *gain; /* scratch, as long as the largest group */
    struct placed *scored;
};

static bool
grouping_init(const struct metric_rows *r, struct grouping *g,
              struct error *err)
{
    size_t longest = 0;

    for (size_t i = 0; i < r->n; i++)
        if (r->group[i] >= g->n)
            g->n = (size_t)r->group[i] + 1;
    if (!(g->begin = mem_try_array(g->n + 2, sizeof *g->begin, err)) ||
        !(g->row = mem_try_array(r->n, sizeof *g->row, err)))
        return false;
    for (size_t i = 0; i < r->n; i++)
        g->begin[r->group[i] + 2]++;
    for (size_t j = 2; j < g->n + 2; j++) {
        longest = g->begin[j] > longest ? g->begin[j] : longest;
        g->begin[j] += g->begin[j - 1];
    }
    for (size_t i = 0; i < r->n; i++)
        g->row[g->begin[r->group[i] + 1]++] = (uint32_t)i;
    return (g->gain = mem_try_array(longest, sizeof *g->gain, err)) &&
           (g->scored = mem_try_array(longest, sizeof *g->scored, err));
}

static void
grouping_fini(struct grouping *g)
{
    free(g->begin);
    free(g->row);
    free(g->gain);
    free(g->scored);
}

/* Highest score first; equal ones as they stand. */
static int
best_first(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->p != y->p)
        return x->p > y->p ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static bool
sort_group(const struct scorer *s, const struct grouping *g, uint32_t *row,
           size_t n, struct error *err)
{
    struct placed *to = g->scored;

    for (size_t i = 0; i < n; i++)
        to[i] = (struct placed){s->of.p[row[i]], row[i]};
    if (!sort_items(to, n, sizeof *to, best_first, pool_stop(s->pool), err))
        return false;
    for (size_t i = 0; i < n; i++)
        row[i] = to[i].row;
    return true;
}

static double
discount(size_t place, double depth)
{
    return (double)place < depth ? 1 / log2((double)place + 2) : 0;
}

/* Rows of equal score have the mean of their gains. */
static double
group_dcg(const struct metric_rows *r, const uint32_t *row, size_t n,
          double depth, double *gain)
{
    double sum = 0;

    for (size_t i = 0, end; i < n; i = end) {
        double gains = 0, discounts = 0;

        for (end = i; end < n && r->p[row[end]] == r->p[row[i]]; end++) {
            gain[end] = exp2(r->y[row[end]]) - 1;
            gains += gain[end];
            discounts += discount(end, depth);
        }
        sum += gains / (double)(end - i) * discounts;
    }
    return sum;
}

static bool
group_ndcg(const struct scorer *s, const struct grouping *g, size_t j,
           double depth, double *out, struct error *err)
{
    size_t n = g->begin[j + 1] - g->begin[j];
    double sum = group_dcg(&s->of, g->row + g->begin[j], n, depth, g->gain);
    double best = 0;

    if (!sort_items(g->gain, n, sizeof *g->gain, sort_falling,
                    pool_stop(s->pool), err))
        return false;
    for (size_t i = 0; i < n; i++)
        best += g->gain[i] * discount(i, depth);
    *out = best > 0 ? sum / best : (double)NAN;
    return true;
}

/* The mean of the precisions at the relevant rows, down to a depth. */
static double
group_map(const struct metric_rows *r, const uint32_t *row, size_t n,
          double depth)
{
    double sum = 0, relevant = 0, found = 0;

    for (size_t i = 0; i < n; i++) {
        if (!(r->y[row[i]] > 0))
            continue;
        relevant++;
        if ((double)i < depth)
            sum += ++found / (double)(i + 1);
    }
    return relevant > 0 ? sum / fmin(relevant, depth) : (double)NAN;
}

static double
group_weight(const struct metric_rows *r, const uint32_t *row, size_t n)
{
    double sum = 0;

    if (!r->weight)
        return 1;
    for (size_t i = 0; i < n; i++)
        sum += r->weight[row[i]];
    return n ? sum / (double)n : 0;
}

static bool
group_value(struct scorer *s, const struct grouping *g, size_t j,
            struct error *err)
{
    uint32_t *row = g->row + g->begin[j];
    size_t n = g->begin[j + 1] - g->begin[j];

    s->group_weight[j] = group_weight(&s->of, row, n);
    if (!sort_group(s, g, row, n, err))
        return false;
    for (size_t m = 0; m < s->n_metrics; m++) {
        const struct metric *metric = s->metric[m];
        double depth = isnan(metric->at) ? HUGE_VAL : metric->at;

        if (!s->value[m])
            continue;
        if (metric->kind != METRIC_NDCG)
            s->value[m][j] = group_map(&s->of, row, n, depth);
        else if (!group_ndcg(s, g, j, depth, &s->value[m][j], err))
            return false;
    }
    return true;
}

bool
scorer_groups(struct scorer *s, struct error *err)
{
    struct grouping g = {0};
    bool ok =
        grouping_init(&s->of, &g, err) &&
        (s->group_weight = mem_try_array(g.n, sizeof *s->group_weight, err));

    s->n_groups = g.n;
    for (size_t m = 0; m < s->n_metrics && ok; m++)
        if (s->metric[m]->grouped)
            ok = (s->value[m] = mem_try_array(g.n, sizeof *s->value[m], err));
    for (size_t j = 0; j < g.n && ok; j++)
        ok = group_value(s, &g, j, err); /* which looks */
    grouping_fini(&g);
    return ok;
}
