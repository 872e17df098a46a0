/* engine/trees/objective_set.c -- losses that compare rows: proportional
 * hazards, and the order of the rows of a query.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/objective_part.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "base/sort.h"

enum { MAX_LABEL = 31 };

/* A hazard of less beside the largest one counts as much. */
static const double LEAST_LOG = -80;

/* ---- proportional hazards ---- */

struct timed {
    double time;
    uint32_t row;
};

static int
latest_first(const void *a, const void *b)
{
    const struct timed *x = a, *y = b;

    if (x->time != y->time)
        return x->time > y->time ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

bool
objective_cox_init(struct objective *o, struct error *err)
{
    struct timed *t = mem_try_array(o->n, sizeof *t, err);
    bool ok;

    o->order = mem_try_array(o->n, sizeof *o->order, err);
    if (!t || !o->order) {
        free(t);
        return false;
    }
    o->total = 0;
    for (size_t i = 0; i < o->n; i++) {
        t[i] = (struct timed){fabs(o->y[i]), (uint32_t)i};
        o->total += o->y[i] > 0 ? objective_weight(o, i) : 0;
    }
    ok = sort_items(t, o->n, sizeof *t, latest_first, o->ctx->progress, err);
    for (size_t i = 0; i < o->n; i++)
        o->order[i] = t[i].row;
    free(t);
    if (!ok)
        return false;
    return o->n == 0 || o->total > 0 ||
           error_set(err, ERR_RANGE,
                     "no row has a positive target: loss=cox has no event to "
                     "learn from");
}

/* Rows begin..end-1 in order have one time. */
static size_t
end_of_tie(const struct objective *o, size_t begin)
{
    double time = fabs(o->y[o->order[begin]]);
    size_t end = begin + 1;

    while (end < o->n && fabs(o->y[o->order[end]]) == time)
        end++;
    return end;
}

/* At a row of a pass over all, of which some are looked at together: is it time
 * to look whether to stop, and is it so? */
static bool
is_stopped(const struct objective *o, size_t done, size_t *look)
{
    if (done < *look)
        return false;
    *look = done + OBJECTIVE_LOOK;
    return progress_stopped(o->ctx->progress);
}

/* found_g: the hazard of a row times its weight; found: of all rows still at
 * risk at its time. */
static void
sum_risks(struct objective *o)
{
    double risk = 0;
    size_t look = 0;

    for (size_t at = 0, end; at < o->n && !is_stopped(o, at, &look); at = end) {
        end = end_of_tie(o, at);
        for (size_t i = at; i < end; i++)
            risk += o->found_g[o->order[i]];
        for (size_t i = at; i < end; i++)
            o->found[o->order[i]] = risk;
    }
}

static bool
is_event(const struct objective *o, size_t row)
{
    return o->y[row] > 0 && objective_weight(o, row) > 0;
}

/* From the earliest time on; the events up to a time are in the gradients of
 * all rows that were at risk then. */
static void
derive_hazards(struct objective *o, const double *score, double most)
{
    double r = 0, s = 0;
    size_t at = o->n, look = 0;

    while (at > 0 && !is_stopped(o, o->n - at, &look)) {
        double time = fabs(o->y[o->order[at - 1]]);
        size_t first = at;

        for (; first > 0 && fabs(o->y[o->order[first - 1]]) == time; first--) {
            size_t row = o->order[first - 1];

            if (is_event(o, row)) {
                r += objective_weight(o, row) / o->found[row];
                s += objective_weight(o, row) / (o->found[row] * o->found[row]);
            }
        }
        for (size_t i = first; i < at; i++) {
            size_t row = o->order[i];
            double a = o->found_g[row], w = objective_weight(o, row);
            bool event = is_event(o, row);

            o->found_g[row] = a * r - (event ? w : 0);
            o->found_h[row] = w > 0 ? fmax(a * r - a * a * s, w * 1e-16) : 0;
            o->found[row] =
                event ? w * (fm_log(o->found[row]) + most - score[row]) : 0;
        }
        at = first;
    }
}

bool
objective_cox(struct objective *o, const double *score, struct error *err)
{
    double most = -(double)INFINITY;

    for (size_t i = 0; i < o->n; i++)
        most = score[i] > most ? score[i] : most;
    for (size_t i = 0; i < o->n; i++)
        o->found_g[i] = fmax(score[i] - most, LEAST_LOG);
    fm_exp_all(o->found_g, o->n, o->found_g);
    for (size_t i = 0; o->weight && i < o->n; i++)
        o->found_g[i] *= o->weight[i];
    sum_risks(o);
    derive_hazards(o, score, most);
    return progress_check(o->ctx->progress, err);
}

/* ---- the order within queries ---- */

static double
gain(double label)
{
    return ldexp(1, (int)label) - 1;
}

static bool
labels_check(const struct objective *o, struct error *err)
{
    if (!o->group)
        return error_set(
            err, ERR_USAGE,
            "loss=rank orders the rows of a query: name the column "
            "that tells which by group");
    for (size_t i = 0; i < o->n; i++)
        if (!(o->y[i] >= 0 && o->y[i] <= MAX_LABEL) ||
            o->y[i] != floor(o->y[i]))
            return error_set(err, ERR_RANGE,
                             "the target is %g in row %zu, loss=rank expects "
                             "whole numbers from 0 to %d",
                             o->y[i], i + 1, MAX_LABEL);
    return true;
}

/* Rows of some weight, query by query, in their order. */
static bool
order_queries(struct objective *o, struct error *err)
{
    size_t *start;

    for (size_t i = 0; i < o->n; i++)
        if (o->group[i] >= o->n_queries)
            o->n_queries = o->group[i] + 1;
    start = o->start = mem_try_array(o->n_queries + 2, sizeof *start, err);
    o->order = mem_try_array(o->n, sizeof *o->order, err);
    if (!start || !o->order)
        return false;
    for (size_t i = 0; i < o->n; i++)
        if (objective_weight(o, i) > 0)
            start[o->group[i] + 2]++;
    for (size_t q = 0; q < o->n_queries; q++)
        start[q + 2] += start[q + 1];
    for (size_t i = 0; i < o->n; i++)
        if (objective_weight(o, i) > 0)
            o->order[start[o->group[i] + 1]++] = (uint32_t)i;
    return true;
}

static double
discount(const struct objective *o, size_t place)
{
    return o->discount[place];
}

/* The mean weight of a query's rows. */
static double
query_weight(const struct objective *o, size_t q)
{
    size_t n = o->start[q + 1] - o->start[q];
    double sum = 0;

    for (size_t i = o->start[q]; i < o->start[q + 1]; i++)
        sum += objective_weight(o, o->order[i]);
    return n > 0 ? sum / (double)n : 0;
}

bool
objective_rank_init(struct objective *o, struct error *err)
{
    size_t longest = 0;
    double *label = NULL;
    bool ok = true;

    if (!labels_check(o, err) || !order_queries(o, err))
        return false;
    for (size_t q = 0; q < o->n_queries; q++)
        if (o->start[q + 1] - o->start[q] > longest)
            longest = o->start[q + 1] - o->start[q];
    o->discount = mem_try_array(longest, sizeof *o->discount, err);
    o->best = mem_try_array(o->n_queries, sizeof *o->best, err);
    o->ranked = mem_try_array(o->n, sizeof *o->ranked, err);
    label = mem_try_array(longest, sizeof *label, err);
    if (!o->discount || !o->best || !o->ranked || !label) {
        free(label);
        return false;
    }
    for (size_t i = 0; i < longest; i++)
        o->discount[i] = fm_log(2) / fm_log((double)i + 2);
    o->total = 0;
    for (size_t q = 0; q < o->n_queries; q++) {
        size_t n = o->start[q + 1] - o->start[q];
        double sum = 0;

        for (size_t i = 0; i < n; i++)
            label[i] = o->y[o->order[o->start[q] + i]];
        if (!(ok = sort_items(label, n, sizeof *label, sort_falling,
                              o->ctx->progress, err)))
            break;
        for (size_t i = 0; i < n && i < o->rule.rank_at; i++)
            sum += gain(label[i]) * discount(o, i);
        o->best[q] = sum > 0 ? 1 / sum : 0;
        o->total += query_weight(o, q);
    }
    free(label);
    return ok;
}

static int
by_score(const void *a, const void *b)
{
    const struct objective_ranked *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

struct rank_job {
    struct objective *o;
    const double *score;
};

/* What swapping two rows would change of NDCG, pulled apart by how sure their
 * order is; the change counts more where scores are close. */
static double
pull_apart(struct objective *o, const struct objective_ranked *r, size_t n,
           size_t i, size_t j, double best)
{
    bool first = o->y[r[i].row] > o->y[r[j].row];
    size_t high = first ? i : j, low = first ? j : i;
    double apart = r[high].score - r[low].score;
    double change = (gain(o->y[r[high].row]) - gain(o->y[r[low].row])) *
                    fabs(discount(o, high) - discount(o, low)) * best;
    double p = fm_sigmoid(-apart), g, h;

    if (r[0].score != r[n - 1].score)
        change /= 0.01 + fabs(apart);
    g = p * change;
    h = p * (1 - p) * change;
    o->found_g[r[high].row] -= g;
    o->found_g[r[low].row] += g;
    o->found_h[r[high].row] += h;
    o->found_h[r[low].row] += h;
    return 2 * g;
}

static double
ndcg(const struct objective *o, const struct objective_ranked *r, size_t n,
     double best)
{
    double sum = 0;

    for (size_t i = 0; i < n && i < o->rule.rank_at; i++)
        sum += gain(o->y[r[i].row]) * discount(o, i);
    return best > 0 ? sum * best : 1;
}

static bool
rank_query(struct objective *o, size_t q, const double *score,
           struct error *err)
{
    struct objective_ranked *r = o->ranked + o->start[q];
    size_t n = o->start[q + 1] - o->start[q];
    double pulls = 0, norm;

    for (size_t i = 0; i < n; i++) {
        uint32_t row = o->order[o->start[q] + i];

        r[i] = (struct objective_ranked){score[row], row};
        o->found_g[row] = o->found_h[row] = o->found[row] = 0;
    }
    if (n == 0)
        return true;
    if (!sort_items(r, n, sizeof *r, by_score, o->ctx->progress, err))
        return false;
    for (size_t i = 0; o->best[q] > 0 && i + 1 < n && i < o->rule.rank_at;
         i++) {
        if (n > OBJECTIVE_BLOCK && !progress_check(o->ctx->progress, err))
            return false;
        for (size_t j = i + 1; j < n; j++)
            if (o->y[r[i].row] != o->y[r[j].row])
                pulls += pull_apart(o, r, n, i, j, o->best[q]);
    }
    norm = pulls > 0 ? fm_log1p(pulls) / fm_log(2) / pulls : 1;
    for (size_t i = 0; i < n; i++) {
        double w = norm * objective_weight(o, r[i].row);

        o->found_g[r[i].row] *= w;
        o->found_h[r[i].row] *= w;
    }
    o->found[o->order[o->start[q]]] =
        query_weight(o, q) * (1 - ndcg(o, r, n, o->best[q]));
    return true;
}

static bool
rank_one(void *ctx, size_t q, struct pool *alone, struct error *err)
{
    const struct rank_job *j = ctx;

    (void)alone;
    return rank_query(j->o, q, j->score, err);
}

bool
objective_rank(struct objective *o, const double *score, struct error *err)
{
    struct rank_job j = {.o = o, .score = score};

    return pool_each(o->ctx->pool, o->n_queries, rank_one, &j, err);
}
