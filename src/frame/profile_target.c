/* How well does one column alone tell the target?
 *
 * Two readings, the better counts: the values as they are ordered, and the
 * mean of the target in each category or bin.  Those means are learnt on one
 * half of the rows and scored on the other: learnt on the row itself, an
 * identifier would look like a perfect predictor.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/order.h"
#include "frame/profile_part.h"

enum { BINS = 50, STREAM_HALVES = 0x68616c66 };

struct scoring {
    struct profile *p;
    const struct feature *feature;
    const struct progress *progress;
    size_t target;
    size_t n_classes; /* 0: a number */
    uint32_t *class;  /* of each row, from 1; 0: missing */
    size_t *count;    /* rows of each class */
    atomic_bool failed;
};

/* What one column needs; the arrays have a value a row of the sample. */
struct scratch {
    const struct feature *x;
    double *y;     /* the target: 0/1 or a number; NaN: missing */
    double *score; /* what the column says about it; NaN: nothing */
    uint32_t *bin; /* category or bin of the row */
    size_t n_bins;
    double *sum;    /* 2 x n_bins: of y by half */
    double *weight; /* 2 x n_bins: rows by half */
    uint64_t *key, *key2;
    uint32_t *id, *id2;
};

/* Share of pairs, one row of each class, that x puts in the right order: the
 * area under the ROC curve, ties counting half.  Never under 0.5. */
static double
auc(struct scratch *s, const double *x)
{
    size_t m = 0, n1 = 0;
    double rank_sum = 0, n0;

    for (size_t i = 0; i < s->x->n; i++)
        if (!isnan(s->y[i]) && !isnan(x[i])) {
            s->key[m] = order_of_float(x[i]);
            s->id[m++] = (uint32_t)i;
            n1 += s->y[i] > 0;
        }
    n0 = (double)(m - n1);
    if (n1 == 0 || n1 == m)
        return NAN;
    order_sort_ids(&s->key, &s->id, &s->key2, &s->id2, m, NULL);
    for (size_t i = 0, j; i < m; i = j) {
        size_t ones = 0;

        for (j = i; j < m && s->key[j] == s->key[i]; j++)
            ones += s->y[s->id[j]] > 0;
        rank_sum += (double)ones * ((double)i + 1 + (double)j) / 2;
    }

    double area =
        (rank_sum - (double)n1 * ((double)n1 + 1) / 2) / ((double)n1 * n0);

    return area < 0.5 ? 1 - area : area;
}

static double
pearson(const double *x, const double *y, size_t n)
{
    double m = 0, mx = 0, my = 0, xx = 0, yy = 0, xy = 0;

    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i]) && isfinite(y[i])) {
            m++;
            mx += (x[i] - mx) / m;
            my += (y[i] - my) / m;
        }
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i]) && isfinite(y[i])) {
            xx += (x[i] - mx) * (x[i] - mx);
            yy += (y[i] - my) * (y[i] - my);
            xy += (x[i] - mx) * (y[i] - my);
        }
    return xx > 0 && yy > 0 ? fabs(xy / sqrt(xx * yy)) : NAN;
}

/* Share of the spread of y that score explains, as a correlation. */
static double
explained(const double *score, const double *y, size_t n)
{
    double m = 0, mean = 0, left = 0, all = 0;

    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i]))
            mean += (y[i] - mean) / ++m;
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i])) {
            left += (y[i] - score[i]) * (y[i] - score[i]);
            all += (y[i] - mean) * (y[i] - mean);
        }
    return all > 0 && left < all ? sqrt(1 - left / all) : 0;
}

/* ---- category and bin means ------------------------------------------ */

/* Numbers: as many in each bin as ties allow; bin 0 is "missing". */
static void
set_bins(struct scratch *s)
{
    const struct feature *x = s->x;
    uint32_t bin = 0;

    memset(s->bin, 0, x->n * sizeof *s->bin);
    for (size_t k = 0; k < x->n_here; k++) {
        if (k == 0 || x->x[x->order[k]] != x->x[x->order[k - 1]])
            bin = 1 + (uint32_t)(k * BINS / x->n_here);
        s->bin[x->order[k]] = bin;
    }
}

static unsigned
half_of(size_t row)
{
    return rng_at(0, STREAM_HALVES, row) & 1;
}

/* The mean of y over the other half's rows of the same bin, drawn a little to
 * the overall mean. */
static void
set_means(struct scratch *s)
{
    size_t n = s->x->n;
    double m = 0, mean = 0;

    memset(s->sum, 0, 2 * s->n_bins * sizeof *s->sum);
    memset(s->weight, 0, 2 * s->n_bins * sizeof *s->weight);
    for (size_t i = 0; i < n; i++)
        if (isfinite(s->y[i])) {
            size_t at = half_of(i) * s->n_bins + s->bin[i];

            s->sum[at] += s->y[i];
            s->weight[at]++;
            mean += (s->y[i] - mean) / ++m;
        }
    for (size_t i = 0; i < n; i++) {
        size_t at = !half_of(i) * s->n_bins + s->bin[i];

        s->score[i] = (s->sum[at] + mean) / (s->weight[at] + 1);
    }
}

/* ---- one column ------------------------------------------------------ */

static double
best(double a, double b)
{
    return isnan(a) || b > a ? b : a;
}

static double
score_number(const struct scoring *s, struct scratch *c)
{
    const struct feature *y = &s->feature[s->target];
    double score;

    memcpy(c->y, y->x, y->n * sizeof *c->y);
    set_means(c);
    score = explained(c->score, c->y, y->n);
    return c->x->number ? best(score, pearson(c->x->x, c->y, y->n)) : score;
}

static double
score_class(const struct scoring *s, struct scratch *c, uint32_t class)
{
    double score;

    for (size_t i = 0; i < c->x->n; i++)
        c->y[i] = s->class[i] ? s->class[i] == class : NAN;
    set_means(c);
    score = auc(c, c->score);
    return c->x->number ? best(score, auc(c, c->x->x)) : score;
}

/* Over the classes by their share; for two classes one tells both. */
static double
score_classes(const struct scoring *s, struct scratch *c)
{
    double total = 0, weight = 0;

    if (s->n_classes == 2)
        return score_class(s, c, 2);
    for (size_t k = 1; k <= s->n_classes; k++) {
        double score = score_class(s, c, (uint32_t)k);

        if (isnan(score))
            continue;
        total += score * (double)s->count[k];
        weight += (double)s->count[k];
    }
    return weight > 0 ? total / weight : NAN;
}

static bool
scratch_init(struct scratch *c, const struct feature *x, struct error *err)
{
    size_t n = x->n;

    *c = (struct scratch){.x = x};
    c->n_bins = x->number ? BINS + 1 : x->n_codes;
    if (!(c->y = mem_try_array(n, sizeof *c->y, err)) ||
        !(c->score = mem_try_array(n, sizeof *c->score, err)) ||
        !(c->bin = mem_try_array(n, sizeof *c->bin, err)) ||
        !(c->sum = mem_try_array(c->n_bins, 2 * sizeof *c->sum, err)) ||
        !(c->weight = mem_try_array(c->n_bins, 2 * sizeof *c->weight, err)) ||
        !(c->key = mem_try_array(n, sizeof *c->key, err)) ||
        !(c->key2 = mem_try_array(n, sizeof *c->key2, err)) ||
        !(c->id = mem_try_array(n, sizeof *c->id, err)) ||
        !(c->id2 = mem_try_array(n, sizeof *c->id2, err)))
        return false;
    if (x->number)
        set_bins(c);
    else
        memcpy(c->bin, x->code, n * sizeof *c->bin);
    return true;
}

static void
scratch_fini(struct scratch *c)
{
    free(c->y);
    free(c->score);
    free(c->bin);
    free(c->sum);
    free(c->weight);
    free(c->key);
    free(c->key2);
    free(c->id);
    free(c->id2);
}

static void
score_column(void *ctx, size_t col, size_t begin, size_t end)
{
    struct scoring *s = ctx;
    struct scratch c;
    struct error err;

    (void)begin;
    (void)end;
    if (col == s->target || s->p->column[col].n_distinct == 0 ||
        progress_stopped(s->progress))
        return;
    if (!scratch_init(&c, &s->feature[col], &err))
        atomic_store(&s->failed, true);
    else
        s->p->column[col].target_score =
            s->n_classes ? score_classes(s, &c) : score_number(s, &c);
    scratch_fini(&c);
}

/* ---- the target ------------------------------------------------------ */

static bool
has_classes(const struct profile_column *y)
{
    return y->type == COL_TEXT || y->type == COL_BOOL || y->n_distinct == 2 ||
           (y->type == COL_INT64 && y->n_distinct <= PROFILE_MAX_CLASSES);
}

static bool
set_classes(struct scoring *s, struct error *err)
{
    const struct feature *y = &s->feature[s->target];

    if (!(s->class = mem_try_array(y->n, sizeof *s->class, err)))
        return false;
    s->n_classes = feature_values(y, s->class) - 1;
    if (!(s->count = mem_try_array(s->n_classes + 1, sizeof *s->count, err)))
        return false;
    for (size_t i = 0; i < y->n; i++)
        s->count[s->class[i]]++;
    return true;
}

bool
profile_score(struct profile *p, const struct feature *features, size_t target,
              struct pool *pool, const struct progress *progress,
              struct error *err)
{
    const struct profile_column *y = &p->column[target];
    struct scoring s = {
        .p = p, .feature = features, .progress = progress, .target = target};
    bool ok = true;

    p->target_classes = has_classes(y);
    if (y->n_distinct < 2 || features[target].n_here == 0 ||
        (p->target_classes && y->n_distinct > PROFILE_MANY))
        return true;
    if (p->target_classes)
        ok = set_classes(&s, err);
    if (ok && (!p->target_classes || s.n_classes > 1)) {
        pool_for(pool, p->n_cols, 1, score_column, &s);
        ok = progress_check(progress, err);
        if (atomic_load(&s.failed))
            ok = error_set(err, ERR_NOMEM, "no memory to score columns");
        ok = ok && profile_classes(p, features, target, s.class, s.n_classes,
                                   pool, err);
    }
    free(s.class);
    free(s.count);
    return ok;
}
