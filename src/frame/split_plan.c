/* frame/split_plan.c -- splits by groups and by time.
 *
 * Groups are dealt out greedily: the largest first, each to the fold where it
 * adds least to the sum of squared shares of the classes, which is least when
 * all folds have the same share of each.  With one class that is the smallest
 * fold.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/split_part.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/rowgroup.h"

/* ---- groups ---- */

static bool
groups_find(const struct frame *f, const char *name, struct rowgroup *g,
            struct error *err)
{
    size_t col;

    return frame_need(f, name, &col, err) &&
           rowgroup_find(f, &col, 1, NULL, NULL, g, err);
}

struct grouped {
    double heavy;   /* sum of its squared shares of the classes */
    uint32_t place; /* in the order of the seed */
    uint32_t group;
};

static int
by_weight(const void *a, const void *b)
{
    const struct grouped *x = a, *y = b;

    if (x->heavy != y->heavy)
        return x->heavy > y->heavy ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

struct dealing {
    struct rowgroup groups;
    struct strata strata;
    double *share;         /* (n_groups, classes): of the class's rows */
    struct grouped *order; /* n_groups */
    double *held;          /* (k, classes) */
    double *rows;          /* k: of all */
    uint8_t *to;           /* fold of each group */
};

static void
dealing_fini(struct dealing *d)
{
    rowgroup_fini(&d->groups);
    strata_fini(&d->strata);
    free(d->share);
    free(d->order);
    free(d->held);
    free(d->rows);
    free(d->to);
}

static bool
dealing_init(struct dealing *d, const struct frame *f, unsigned k,
             const struct split_by *by, struct error *err)
{
    uint32_t *shuffled;
    size_t n, classes, cells;

    if (!groups_find(f, by->group, &d->groups, err) ||
        !strata_init(&d->strata, f, by->stratify, err))
        return false;
    n = d->groups.n_groups;
    classes = d->strata.n;
    if (n < k)
        return error_set(err, ERR_RANGE, "%zu groups by '%s' for %u folds", n,
                         by->group, k);
    if (!mem_mul(n, classes, &cells))
        return error_set(err, ERR_NOMEM, "%zu groups of %zu classes", n,
                         classes);
    shuffled = mem_try_array(n, sizeof *shuffled, err);
    if (!shuffled ||
        !(d->share = mem_try_array(cells, sizeof *d->share, err)) ||
        !(d->order = mem_try_array(n, sizeof *d->order, err)) ||
        !(d->held = mem_try_array(k * classes, sizeof *d->held, err)) ||
        !(d->rows = mem_try_array(k, sizeof *d->rows, err)) ||
        !(d->to = mem_try_array(n, 1, err))) {
        free(shuffled);
        return false;
    }
    for (size_t i = 0; i < frame_rows(f); i++) {
        uint32_t c = d->strata.of[i];

        d->share[d->groups.group[i] * classes + c] +=
            1 / (double)d->strata.n_rows[c];
    }
    for (uint32_t i = 0; i < n; i++)
        shuffled[i] = i;
    rng_shuffle(by->seed, STREAM_SPLIT, shuffled, n);
    for (uint32_t i = 0; i < n; i++) {
        const double *s = d->share + (size_t)shuffled[i] * classes;

        d->order[i] = (struct grouped){0, i, shuffled[i]};
        for (size_t c = 0; c < classes; c++)
            d->order[i].heavy += s[c] * s[c];
    }
    qsort(d->order, n, sizeof *d->order, by_weight);
    free(shuffled);
    return true;
}

/* Where a group adds least; of equal folds the one with fewer rows so far. */
static unsigned
fold_for(const struct dealing *d, const double *share, unsigned k)
{
    double best = HUGE_VAL;
    unsigned to = 0;

    for (unsigned j = 0; j < k; j++) {
        const double *held = d->held + j * d->strata.n;
        double sum = 0;

        for (size_t c = 0; c < d->strata.n; c++)
            sum += held[c] * share[c];
        if (sum < best || (sum == best && d->rows[j] < d->rows[to])) {
            best = sum;
            to = j;
        }
    }
    return to;
}

static void
deal(struct dealing *d, unsigned k)
{
    size_t classes = d->strata.n;

    for (size_t i = 0; i < d->groups.n_groups; i++) {
        uint32_t g = d->order[i].group;
        const double *share = d->share + (size_t)g * classes;
        unsigned to = fold_for(d, share, k);

        d->to[g] = (uint8_t)to;
        for (size_t c = 0; c < classes; c++) {
            d->held[to * classes + c] += share[c];
            d->rows[to] += share[c] * (double)d->strata.n_rows[c];
        }
    }
}

static bool
plan_groups(const struct frame *f, unsigned k, const struct split_by *by,
            struct split_plan *p, struct error *err)
{
    struct dealing d = {0};
    bool ok = dealing_init(&d, f, k, by, err);

    if (ok) {
        deal(&d, k);
        for (size_t i = 0; i < p->n; i++)
            p->fold[i] = d.to[d.groups.group[i]];
    }
    dealing_fini(&d);
    return ok;
}

/* ---- time ---- */

struct moment {
    double at;
    uint32_t row;
};

static int
by_moment(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static struct moment *
moments_in_order(size_t n, struct error *err)
{
    struct moment *m = mem_try_array(n, sizeof *m, err);

    for (size_t i = 0; i < n && m; i++)
        m[i] = (struct moment){(double)i, (uint32_t)i};
    return m;
}

/* All rows by time; equal times as they stand. */
static struct moment *
moments_of(const struct frame *f, const struct split_by *by, struct error *err)
{
    const char *name = by->time;
    size_t n = frame_rows(f), col;
    const struct column *c;
    struct moment *m;

    if (by->in_order)
        return moments_in_order(n, err);
    if (!frame_need(f, name, &col, err))
        return NULL;
    c = frame_column(f, col);
    if (column_type(c) == COL_TEXT || column_type(c) == COL_BOOL) {
        error_set(err, ERR_TYPE,
                  "cannot order rows by '%s': it is %s, expected a number, "
                  "date or timestamp",
                  name, column_type_word(column_type(c)));
        return NULL;
    }
    if (!(m = mem_try_array(n, sizeof *m, err)))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        m[i] = (struct moment){column_number(c, i), (uint32_t)i};
        if (isnan(m[i].at)) {
            error_set(err, ERR_RANGE, "time '%s' is missing in row %zu", name,
                      i + 1);
            free(m);
            return NULL;
        }
    }
    qsort(m, n, sizeof *m, by_moment);
    return m;
}

/* ---- cuts between moments ---- */

/* Places where one moment ends and the next begins, ascending; owned. */
static size_t *
borders_of(const struct moment *m, size_t n, size_t *n_borders,
           struct error *err)
{
    size_t *border = mem_try_array(n, sizeof *border, err);

    *n_borders = 0;
    for (size_t i = 1; i < n && border; i++)
        if (m[i].at != m[i - 1].at)
            border[(*n_borders)++] = i;
    return border;
}

/* Which border is nearest to the place, the earlier one of two. */
static size_t
nearest_border(const size_t *border, size_t n, size_t place)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (border[mid] < place)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == n || (lo > 0 && place - border[lo - 1] <= border[lo] - place))
        return lo - 1;
    return lo;
}

/* cut[j] of k is what was wanted there, moved to the nearest border that leaves
 * one for each of the others: rows of one time stay together. */
static bool
cut_between(const struct moment *m, size_t n, const struct split_by *by,
            size_t *cut, size_t k, struct error *err)
{
    size_t n_borders, least = 0;
    size_t *border = borders_of(m, n, &n_borders, err);
    bool ok = border;

    if (ok && n_borders < k)
        ok = error_set(err, ERR_RANGE,
                       "%zu time%s by '%s' in %zu rows, expected %zu or more: "
                       "one to train on before each of %zu to test on",
                       n_borders + 1, n_borders ? "s" : "",
                       by->time ? by->time : "order", n, k + 1, k);
    for (size_t j = 0; j < k && ok; j++) {
        size_t at = nearest_border(border, n_borders, cut[j]);
        size_t most = n_borders - (k - j);

        at = at < least ? least : at > most ? most : at;
        cut[j] = border[at];
        least = at + 1;
    }
    free(border);
    return ok;
}

static bool
nothing_before(const struct split_by *by, unsigned which, size_t n,
               struct error *err)
{
    return error_set(err, ERR_RANGE,
                     "no row of %zu is left to train on before part %u by "
                     "'%s', with a gap of %zu",
                     n, which + 1, by->time ? by->time : "order", by->gap);
}

/* What each part trains on, and whom it tests, from where tests begin. */
static bool
plan_parts(const struct split_by *by, struct split_plan *p, struct error *err)
{
    for (unsigned j = 0; j < p->k; j++) {
        if (p->test[j] <= by->gap)
            return nothing_before(by, j, p->n, err);
        p->end[j] = p->test[j] - by->gap;
        p->begin[j] =
            by->window && by->window < p->end[j] ? p->end[j] - by->window : 0;
        for (size_t i = p->test[j]; i < p->test[j + 1]; i++)
            p->fold[p->order[i]] = (uint8_t)j;
    }
    return true;
}

static bool
plan_time(const struct frame *f, unsigned k, const struct split_by *by,
          struct split_plan *p, struct error *err)
{
    size_t n = p->n, size = by->each ? by->each : n / (k + 1);
    struct moment *m;
    bool ok;

    if (size >= n || size * k >= n)
        return error_set(err, ERR_RANGE,
                         "%u parts of %zu rows leave none of %zu to train on",
                         k, size, n);
    m = moments_of(f, by, err);
    ok = m && (p->order = mem_try_array(n, sizeof *p->order, err)) &&
         (p->begin = mem_try_array(k, sizeof *p->begin, err)) &&
         (p->end = mem_try_array(k, sizeof *p->end, err)) &&
         (p->test = mem_try_array(k + 1, sizeof *p->test, err));
    if (ok) {
        for (size_t i = 0; i < n; i++) {
            p->order[i] = m[i].row;
            p->fold[i] = SPLIT_UNTESTED;
        }
        for (size_t j = 0; j <= k; j++)
            p->test[j] = n - (k - j) * size;
        ok = cut_between(m, n, by, p->test, k, err) && plan_parts(by, p, err);
    }
    free(m);
    return ok;
}

/* ---- plans ---- */

static bool
is_timed(const struct split_by *by)
{
    return by->time || by->in_order;
}

static bool
by_check(const struct split_by *by, struct error *err)
{
    if (is_timed(by) && by->group)
        return error_set(err, ERR_RANGE,
                         "rows are split by time ('%s') or by groups ('%s'), "
                         "not by both",
                         by->time ? by->time : "their order", by->group);
    if (!is_timed(by) && (by->gap || by->window || by->each))
        return error_set(err, ERR_RANGE,
                         "a gap, a window or the rows of a fold are of rows "
                         "by time");
    return true;
}

bool
split_plan_make(const struct frame *f, unsigned k, const struct split_by *by,
                struct split_plan *out, struct error *err)
{
    struct split_plan p = {.k = k, .n = frame_rows(f)};
    bool ok;

    *out = (struct split_plan){0};
    if (!by_check(by, err))
        return false;
    if (k < (is_timed(by) ? 1u : 2u) || k >= UINT8_MAX ||
        k + is_timed(by) > p.n)
        return error_set(err, ERR_RANGE,
                         "%u folds of %zu rows, expected 2..%zu", k, p.n,
                         p.n < UINT8_MAX ? p.n : (size_t)UINT8_MAX - 1);
    if (!(p.fold = mem_try_array(p.n, 1, err)))
        return false;
    ok = is_timed(by) ? plan_time(f, k, by, &p, err)
         : by->group  ? plan_groups(f, k, by, &p, err)
                      : split_folds(f, k, by->stratify, by->seed, p.fold, err);
    if (ok)
        *out = p;
    else
        split_plan_fini(&p);
    return ok;
}

static int
by_row(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static uint32_t *
rows_sorted(const uint32_t *order, size_t n, struct error *err)
{
    uint32_t *rows = mem_try_array(n, sizeof *rows, err);

    if (rows && n) {
        memcpy(rows, order, n * sizeof *rows);
        qsort(rows, n, sizeof *rows, by_row);
    }
    return rows;
}

bool
split_plan_part(const struct split_plan *p, unsigned which, struct split *out,
                struct error *err)
{
    size_t begin, end;

    if (!p->order)
        return split_fold(p->fold, p->n, which, out, err);
    *out = (struct split){0};
    begin = p->begin[which];
    end = p->end[which];
    out->n_train = end - begin;
    out->n_test = p->test[which + 1] - p->test[which];
    out->train = rows_sorted(p->order + begin, out->n_train, err);
    if (out->train)
        out->test = rows_sorted(p->order + p->test[which], out->n_test, err);
    if (out->test)
        return true;
    split_fini(out);
    return false;
}

void
split_plan_fini(struct split_plan *p)
{
    free(p->fold);
    free(p->order);
    free(p->begin);
    free(p->end);
    free(p->test);
    *p = (struct split_plan){0};
}

/* ---- holdout ---- */

/* Whole groups, as long as they bring the rows nearer to what is wanted; where
 * none does, the smallest. */
static void
choose_groups(const uint32_t *order, const size_t *size, size_t n, double want,
              uint8_t *held)
{
    double taken = 0;
    size_t least = 0;

    for (size_t i = 0; i < n; i++) {
        double with = taken + (double)size[order[i]];

        least = size[order[i]] < size[order[least]] ? i : least;
        if (fabs(with - want) >= fabs(taken - want))
            continue;
        taken = with;
        held[order[i]] = 1;
    }
    if (taken == 0)
        held[order[least]] = 1;
}

static bool
hold_groups(const struct frame *f, double share, const struct split_by *by,
            uint8_t *mark, struct error *err)
{
    size_t n = frame_rows(f), *size = NULL;
    struct rowgroup g = {0};
    uint32_t *order = NULL;
    uint8_t *held = NULL;
    bool ok = groups_find(f, by->group, &g, err) &&
              (order = mem_try_array(g.n_groups, sizeof *order, err)) &&
              (size = mem_try_array(g.n_groups, sizeof *size, err)) &&
              (held = mem_try_array(g.n_groups, 1, err));

    if (ok && g.n_groups < 2)
        ok = error_set(err, ERR_RANGE, "one group by '%s' cannot be split",
                       by->group);
    if (ok) {
        for (size_t i = 0; i < n; i++)
            size[g.group[i]]++;
        for (uint32_t i = 0; i < g.n_groups; i++)
            order[i] = i;
        rng_shuffle(by->seed, STREAM_SPLIT, order, g.n_groups);
        choose_groups(order, size, g.n_groups, share * (double)n, held);
        for (size_t i = 0; i < n; i++)
            mark[i] = held[g.group[i]];
    }
    rowgroup_fini(&g);
    free(order);
    free(size);
    free(held);
    return ok;
}

/* The latest rows; a moment lies on one side. */
static bool
hold_latest(const struct frame *f, double share, const struct split_by *by,
            struct split *out, struct error *err)
{
    size_t n = frame_rows(f), end;
    struct moment *m = moments_of(f, by, err);
    struct split_plan p = {.k = 1, .n = n};
    size_t cut[2];
    bool ok = m && (p.order = mem_try_array(n, sizeof *p.order, err));

    if (ok) {
        for (size_t i = 0; i < n; i++)
            p.order[i] = m[i].row;
        cut[0] = n - (size_t)fmax(1, floor((double)n * share + 0.5));
        cut[1] = n;
        ok = cut_between(m, n, by, cut, 1, err);
    }
    if (ok) {
        end = cut[0] > by->gap ? cut[0] - by->gap : 0;
        p.test = cut;
        p.end = &end;
        p.begin =
            &(size_t){by->window && by->window < end ? end - by->window : 0};
        ok = end > 0 ? split_plan_part(&p, 0, out, err)
                     : nothing_before(by, 0, n, err);
    }
    free(m);
    free(p.order);
    return ok;
}

bool
split_holdout_by(const struct frame *f, double test_share,
                 const struct split_by *by, struct split *out,
                 struct error *err)
{
    size_t n = frame_rows(f);
    uint8_t *mark;
    bool ok;

    *out = (struct split){0};
    if (!by_check(by, err))
        return false;
    if (!by->group && !is_timed(by))
        return split_holdout(f, test_share, by->stratify, by->seed, out, err);
    if (!(test_share > 0 && test_share < 1))
        return error_set(err, ERR_RANGE,
                         "test share is %g, expected between 0 and 1",
                         test_share);
    if (n < 2)
        return error_set(err, ERR_RANGE, "cannot split %zu rows", n);
    if (is_timed(by))
        return hold_latest(f, test_share, by, out, err);
    if (!(mark = mem_try_array(n, 1, err)))
        return false;
    ok = hold_groups(f, test_share, by, mark, err) &&
         split_fold(mark, n, 1, out, err);
    free(mark);
    return ok;
}
