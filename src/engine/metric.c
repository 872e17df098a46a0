/* engine/metric.c -- scores with intervals.
 *
 * A resample of n rows is n draws with replacement, that is a count for each
 * row.  So everything that depends on the rows alone (losses, predicted
 * classes, the order by score) is computed once, and a resample is a few
 * passes of weighted sums: no sorting, no copies.  Rows of two classes are
 * laid out in the order of their scores, so that the pass of the AUC, too,
 * reads memory from front to back.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/metric.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"

enum {
    CLASSES = 1 << PROBLEM_BINARY | 1 << PROBLEM_MULTICLASS,
    NUMBERS = 1 << PROBLEM_REGRESSION
};

static const struct metric metrics[METRIC_N] = {
    {"logloss", "log loss", METRIC_LOGLOSS, false, CLASSES},
    {"auc", "AUC", METRIC_AUC, true, CLASSES},
    {"accuracy", "accuracy", METRIC_ACCURACY, true, CLASSES},
    {"f1", "F1", METRIC_F1, true, CLASSES},
    {"precision", "precision", METRIC_PRECISION, true, CLASSES},
    {"recall", "recall", METRIC_RECALL, true, CLASSES},
    {"brier", "Brier score", METRIC_BRIER, false, CLASSES},
    {"rmse", "RMSE", METRIC_RMSE, false, NUMBERS},
    {"mae", "MAE", METRIC_MAE, false, NUMBERS},
    {"r2", "R2", METRIC_R2, true, NUMBERS},
};

const struct metric *
metric_table(size_t *n)
{
    *n = METRIC_N;
    return metrics;
}

static void
metric_refuse(const char *name, enum problem t, struct error *err)
{
    const char *names[METRIC_N], *near;
    struct buf list;
    size_t n = 0;

    buf_init(&list);
    for (size_t i = 0; i < METRIC_N; i++)
        if (metrics[i].problems & 1u << t) {
            buf_printf(&list, "%s%s", n ? ", " : "", metrics[i].name);
            names[n++] = metrics[i].name;
        }
    near = str_nearest(str_of(name), names, n);
    error_set(err, ERR_NOTFOUND, "no metric '%s' for %s targets%s%s%s", name,
              problem_word(t), near ? " (did you mean '" : ", there are ",
              near ? near : list.data, near ? "'?)" : "");
    buf_fini(&list);
}

const struct metric *
metric_find(const char *name, enum problem t, struct error *err)
{
    for (size_t i = 0; i < METRIC_N; i++)
        if (metrics[i].problems & 1u << t && strcmp(metrics[i].name, name) == 0)
            return &metrics[i];
    metric_refuse(name, t, err);
    return NULL;
}

const struct metric *
metric_named(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; i < METRIC_N; i++)
        if (strcmp(metrics[i].name, dot ? dot + 1 : name) == 0)
            return &metrics[i];
    return NULL;
}

bool
metric_better(const char *name, double a, double b)
{
    const struct metric *m = metric_named(name);

    return m && m->larger_is_better ? a > b : a < b;
}

const struct metric *
metric_default(enum problem p)
{
    return &metrics[p == PROBLEM_REGRESSION ? METRIC_RMSE : METRIC_LOGLOSS];
}

/* ---- what depends on the rows alone ---- */

/* Rows by rising score of one class. */
struct ranking {
    uint32_t *row; /* NULL: the scorer's own order */
    uint8_t *mark; /* bit 0: the row is of the class; bit 1: last of a tie */
};

struct scorer {
    enum problem problem;
    size_t n, k, n_classes;
    const double *y, *p;
    uint32_t *row; /* which row lies where; NULL: as they come */
    /* in that order: */
    double *term[METRIC_N];  /* losses of the metrics that have them */
    double *centred;         /* y less its mean, for R2 */
    uint16_t *truth, *guess; /* classes */
    struct ranking *rank;    /* one for two classes, else one a class */
    size_t n_ranks;
};

static void
scorer_fini(struct scorer *s)
{
    for (size_t i = 0; i < METRIC_N; i++)
        free(s->term[i]);
    for (size_t i = 0; i < s->n_ranks; i++) {
        free(s->rank[i].row);
        free(s->rank[i].mark);
    }
    free(s->rank);
    free(s->row);
    free(s->centred);
    free(s->truth);
    free(s->guess);
}

static size_t
row_at(const struct scorer *s, size_t place)
{
    return s->row ? s->row[place] : place;
}

static double
row_logloss(const struct scorer *s, size_t i)
{
    size_t c = (size_t)s->y[i];
    double p = s->k > 1 ? s->p[i * s->k + c] : c ? s->p[i] : 1 - s->p[i];

    /* The clip of scikit-learn: a certain and wrong answer costs 36, not
     * infinity. */
    if (p < DBL_EPSILON)
        p = DBL_EPSILON;
    if (p > 1 - DBL_EPSILON)
        p = 1 - DBL_EPSILON;
    return -fm_log(p);
}

static double
row_brier(const struct scorer *s, size_t i)
{
    double sum = 0;

    if (s->k == 1)
        return (s->p[i] - s->y[i]) * (s->p[i] - s->y[i]);
    for (size_t c = 0; c < s->k; c++) {
        double d = s->p[i * s->k + c] - (c == (size_t)s->y[i]);

        sum += d * d;
    }
    return sum;
}

static double
row_term(const struct scorer *s, enum metric_kind kind, size_t i)
{
    double d;

    switch (kind) {
    case METRIC_LOGLOSS:
        return row_logloss(s, i);
    case METRIC_BRIER:
        return row_brier(s, i);
    case METRIC_MAE:
        return fabs(s->p[i] - s->y[i]);
    default: /* squared error: RMSE and R2 */
        d = s->p[i] - s->y[i];
        return d * d;
    }
}

static bool
terms_init(struct scorer *s, enum metric_kind kind, struct error *err)
{
    double *t = mem_try_array(s->n, sizeof *t, err);

    if (!t)
        return false;
    for (size_t i = 0; i < s->n; i++)
        t[i] = row_term(s, kind, row_at(s, i));
    s->term[kind] = t;
    return true;
}

static bool
centred_init(struct scorer *s, struct error *err)
{
    double sum = 0;

    if (!(s->centred = mem_try_array(s->n, sizeof *s->centred, err)))
        return false;
    for (size_t i = 0; i < s->n; i++)
        sum += s->y[i];
    for (size_t i = 0; i < s->n; i++)
        s->centred[i] = s->y[i] - sum / (double)s->n;
    return true;
}

/* The most probable class, the first of equal ones. */
static size_t
guess_row(const struct scorer *s, size_t i)
{
    size_t best = 0;

    if (s->k == 1)
        return s->p[i] > 0.5;
    for (size_t c = 1; c < s->k; c++)
        if (s->p[i * s->k + c] > s->p[i * s->k + best])
            best = c;
    return best;
}

static bool
guesses_init(struct scorer *s, struct error *err)
{
    if (!(s->truth = mem_try_array(s->n, sizeof *s->truth, err)) ||
        !(s->guess = mem_try_array(s->n, sizeof *s->guess, err)))
        return false;
    for (size_t i = 0; i < s->n; i++) {
        size_t row = row_at(s, i);

        s->truth[i] = (uint16_t)s->y[row];
        s->guess[i] = (uint16_t)guess_row(s, row);
    }
    return true;
}

/* ---- ranking ---- */

enum { FEW_ROWS = 64 };

/* What is sorted: the upper half of a score's bits, then its row. */
struct sorting {
    const double *p; /* scores, `stride` apart */
    size_t stride;
    uint64_t *a, *b; /* n each */
};

/* An unsigned number in the order of the doubles; -0 equals 0. */
static uint64_t
double_key(double x)
{
    uint64_t u;

    x += 0.0;
    memcpy(&u, &x, sizeof u);
    return u >> 63 ? ~u : u | UINT64_C(1) << 63;
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

/* Rank the rows by the score of class c (of the positive one when k = 1). */
static bool
rank_init(const struct scorer *s, size_t c, struct ranking *r,
          struct error *err)
{
    struct sorting o = {s->p + (s->k > 1 ? c : 0), s->k, NULL, NULL};
    bool ok = false;

    if (!(o.a = mem_try_array(s->n, sizeof *o.a, err)) ||
        !(o.b = mem_try_array(s->n, sizeof *o.b, err)) ||
        !(r->row = mem_try_array(s->n, sizeof *r->row, err)) ||
        !(r->mark = mem_try_array(s->n, 1, err)))
        goto out;
    sort_rows(&o, s->n);
    for (size_t i = 0; i < s->n; i++) {
        bool last =
            i + 1 == s->n || key_of(&o, o.a[i]) != key_of(&o, o.a[i + 1]);

        r->row[i] = (uint32_t)o.a[i];
        r->mark[i] = (uint8_t)((s->y[r->row[i]] == (double)c) | last << 1);
    }
    ok = true;
out:
    free(o.a);
    free(o.b);
    return ok;
}

static bool
ranks_init(struct scorer *s, struct error *err)
{
    size_t n = s->k == 1 ? 1 : s->n_classes;

    if (!(s->rank = mem_try_array(n, sizeof *s->rank, err)))
        return false;
    s->n_ranks = n;
    for (size_t c = 0; c < n; c++)
        if (!rank_init(s, s->k == 1 ? 1 : c, &s->rank[c], err))
            return false;
    if (s->k == 1) {
        s->row = s->rank[0].row;
        s->rank[0].row = NULL;
    }
    return true;
}

enum {
    BY_TERM = 1 << METRIC_LOGLOSS | 1 << METRIC_BRIER | 1 << METRIC_RMSE |
              1 << METRIC_MAE | 1 << METRIC_R2,
    BY_CLASS = 1 << METRIC_ACCURACY | 1 << METRIC_F1 | 1 << METRIC_PRECISION |
               1 << METRIC_RECALL
};

/* Prepare for the metrics whose bit is in `kinds`. */
static bool
scorer_init(struct scorer *s, unsigned kinds, struct error *err)
{
    if (kinds & 1u << METRIC_AUC && !ranks_init(s, err))
        return false;
    for (unsigned m = 0; m < METRIC_N; m++)
        if (kinds & BY_TERM & 1u << m &&
            !terms_init(s, (enum metric_kind)m, err))
            return false;
    return (!(kinds & 1u << METRIC_R2) || centred_init(s, err)) &&
           (!(kinds & BY_CLASS) || guesses_init(s, err));
}

/* ---- scores of rows that count w times each ---- */

/* Four running sums, in a fixed order. */
static double
mean_of(const double *x, const uint8_t *w, size_t n)
{
    double s[4] = {0};
    size_t i = 0;

    for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; j++)
            s[j] += (double)w[i + j] * x[i + j];
    for (; i < n; i++)
        s[0] += (double)w[i] * x[i];
    return ((s[0] + s[1]) + (s[2] + s[3])) / (double)n;
}

/* Area by ranks: pairs in the right order, ties at half.  Counted in halves
 * of a pair, of which 2^32 rows have at most 2^63. */
static double
rank_auc(const struct scorer *s, const struct ranking *r, const uint8_t *w,
         double *positives)
{
    uint64_t halves = 0, below = 0, positive = 0, tie_pos = 0, tie_neg = 0;

    for (size_t i = 0; i < s->n; i++) {
        uint32_t v = w[r->row ? r->row[i] : i];
        uint32_t mask = -(uint32_t)(r->mark[i] & 1);

        tie_pos += v & mask;
        tie_neg += v & ~mask;
        if (!(r->mark[i] & 2))
            continue;
        halves += tie_pos * (2 * below + tie_neg);
        below += tie_neg;
        positive += tie_pos;
        tie_pos = tie_neg = 0;
    }
    *positives = (double)positive;
    return (double)halves / 2 / ((double)positive * (double)below);
}

static double
score_auc(const struct scorer *s, const uint8_t *w)
{
    double sum = 0, total = 0, share;

    if (s->k == 1)
        return rank_auc(s, &s->rank[0], w, &share);
    for (size_t c = 0; c < s->n_ranks; c++) {
        double auc = rank_auc(s, &s->rank[c], w, &share);

        if (share == 0)
            continue;
        sum += share * auc;
        total += share;
    }
    return sum / total;
}

/* Rows of each class: truly of it, predicted so, and both. */
struct tally {
    uint64_t truth[METRIC_MAX_CLASSES], guessed[METRIC_MAX_CLASSES];
    uint64_t right[METRIC_MAX_CLASSES];
};

/* Two classes need no table: the sums stay in registers. */
static void
tally_binary(const struct scorer *s, const uint8_t *w, struct tally *t)
{
    uint64_t truth = 0, guessed = 0, right = 0;

    for (size_t i = 0; i < s->n; i++) {
        uint32_t y = -(uint32_t)s->truth[i], g = -(uint32_t)s->guess[i];

        truth += w[i] & y;
        guessed += w[i] & g;
        right += w[i] & y & g;
    }
    t->truth[1] = truth;
    t->guessed[1] = guessed;
    t->right[1] = right;
    t->truth[0] = s->n - truth;
    t->guessed[0] = s->n - guessed;
    t->right[0] = s->n - truth - guessed + right;
}

static void
tally_fill(const struct scorer *s, const uint8_t *w, struct tally *t)
{
    if (s->n_classes == 2) {
        tally_binary(s, w, t);
        return;
    }
    for (size_t c = 0; c < s->n_classes; c++)
        t->truth[c] = t->guessed[c] = t->right[c] = 0;
    for (size_t i = 0; i < s->n; i++) {
        uint16_t y = s->truth[i], g = s->guess[i];

        t->truth[y] += w[i];
        t->guessed[g] += w[i];
        t->right[y] += y == g ? w[i] : 0;
    }
}

/* 0 for a class that is never predicted (precision) or never there (recall),
 * as scikit-learn has it. */
static double
class_score(enum metric_kind kind, const struct tally *t, size_t c)
{
    double truth = (double)t->truth[c], guessed = (double)t->guessed[c];
    double below = kind == METRIC_PRECISION ? guessed
                   : kind == METRIC_RECALL  ? truth
                                            : (guessed + truth) / 2;

    return below > 0 ? (double)t->right[c] / below : 0;
}

static double
score_classes(const struct scorer *s, enum metric_kind kind,
              const struct tally *t)
{
    double sum = 0;
    size_t n = 0;

    if (kind == METRIC_ACCURACY) {
        for (size_t c = 0; c < s->n_classes; c++)
            sum += (double)t->right[c];
        return sum / (double)s->n;
    }
    if (s->problem == PROBLEM_BINARY)
        return class_score(kind, t, 1);
    for (size_t c = 0; c < s->n_classes; c++)
        if (t->truth[c] > 0 || t->guessed[c] > 0) {
            sum += class_score(kind, t, c);
            n++;
        }
    return sum / (double)n;
}

static double
score_r2(const struct scorer *s, const uint8_t *w)
{
    double sum = 0, squares = 0, n = (double)s->n, spread;

    for (size_t i = 0; i < s->n; i++) {
        double y = s->centred[i];

        sum += (double)w[i] * y;
        squares += (double)w[i] * y * y;
    }
    spread = squares - sum * sum / n;
    return spread > 0 ? 1 - mean_of(s->term[METRIC_R2], w, s->n) * n / spread
                      : (double)NAN;
}

/* The scores of all metrics whose bit is in `kinds`; the weights sum to n. */
static void
score_all(const struct scorer *s, unsigned kinds, const uint8_t *w,
          double out[METRIC_N])
{
    struct tally t;

    if (kinds & BY_CLASS)
        tally_fill(s, w, &t);
    for (unsigned m = 0; m < METRIC_N; m++) {
        if (!(kinds & 1u << m))
            continue;
        if (m == METRIC_AUC)
            out[m] = score_auc(s, w);
        else if (m == METRIC_R2)
            out[m] = score_r2(s, w);
        else if (BY_CLASS & 1u << m)
            out[m] = score_classes(s, (enum metric_kind)m, &t);
        else
            out[m] = mean_of(s->term[m], w, s->n);
        if (m == METRIC_RMSE)
            out[m] = sqrt(out[m]);
    }
}

/* Every row once. */
static bool
score_plain(struct scorer *s, unsigned kinds, double out[METRIC_N],
            struct error *err)
{
    uint8_t *w;

    if (!scorer_init(s, kinds, err) ||
        !(w = mem_try_array(s->n, sizeof *w, err)))
        return false;
    for (size_t i = 0; i < s->n; i++)
        w[i] = 1;
    score_all(s, kinds, w, out);
    free(w);
    return true;
}

static size_t
classes_of(enum problem problem, size_t k)
{
    return problem == PROBLEM_REGRESSION ? 0 : k == 1 ? 2 : k;
}

double
metric_score(enum metric_kind kind, enum problem problem, const double *y,
             const double *p, size_t n, size_t k)
{
    struct scorer s = {.problem = problem,
                       .n = n,
                       .k = k,
                       .n_classes = classes_of(problem, k),
                       .y = y,
                       .p = p};
    double out[METRIC_N];
    struct error err;
    bool ok = n > 0 && score_plain(&s, 1u << kind, out, &err);

    scorer_fini(&s);
    return ok ? out[kind] : (double)NAN;
}

/* ---- bootstrap ---- */

enum { MAX_SCRATCH = 64 << 20, MAX_CHUNKS = 16 };

struct bootstrap {
    const struct scorer *s;
    const struct evaluation *e;
    uint64_t seed;
    unsigned kinds, resamples;
    uint8_t *weight; /* n a chunk */
    double *value;   /* (n_scores, resamples) */
};

static void
bootstrap_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct bootstrap *b = ctx;
    size_t n = b->s->n;
    uint8_t *w = b->weight + chunk * n;
    double all[METRIC_N];

    for (size_t r = begin; r < end; r++) {
        memset(w, 0, n * sizeof *w);
        /* A byte a row keeps a million rows in cache; that one row is drawn
         * 256 times has a chance of 1 in 10^500. */
        for (size_t i = 0; i < n; i++) {
            uint8_t *v = &w[rng_below(b->seed, r, i, n)];

            *v = (uint8_t)(*v + (*v < UINT8_MAX));
        }
        score_all(b->s, b->kinds, w, all);
        for (size_t m = 0; m < b->e->n_scores; m++)
            b->value[m * b->resamples + r] = all[b->e->score[m].metric->kind];
    }
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Linearly interpolated, as numpy's default; x is sorted. */
static double
quantile(const double *x, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;

    if (i + 1 >= n)
        return x[n - 1];
    return x[i] + (at - (double)i) * (x[i + 1] - x[i]);
}

static void
interval_set(struct scored *s, double *x, size_t n)
{
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            x[m++] = x[i];
    s->low = s->high = (double)NAN;
    if (m == 0 || isnan(s->value))
        return;
    qsort(x, m, sizeof *x, by_value);
    s->low = quantile(x, m, 0.025);
    s->high = quantile(x, m, 0.975);
}

static bool
bootstrap_run(struct bootstrap *b, struct pool *pool, struct evaluation *e,
              struct error *err)
{
    size_t n = b->s->n, grain;
    size_t chunks = MAX_SCRATCH / n;
    bool ok = false;

    chunks = chunks < 1 ? 1 : chunks > MAX_CHUNKS ? MAX_CHUNKS : chunks;
    grain = (b->resamples + chunks - 1) / chunks;
    if (!(b->weight = mem_try_array(chunks * n, sizeof *b->weight, err)) ||
        !(b->value =
              mem_try_array(e->n_scores * b->resamples, sizeof *b->value, err)))
        goto out;
    pool_for(pool, b->resamples, grain, bootstrap_chunk, b);
    for (size_t m = 0; m < e->n_scores; m++)
        interval_set(&e->score[m], b->value + m * b->resamples, b->resamples);
    ok = true;
out:
    free(b->weight);
    free(b->value);
    return ok;
}

/* ---- evaluation ---- */

static bool
confusion_make(const struct scorer *s, const struct target *truth,
               struct evaluation *e, struct error *err)
{
    size_t k = s->n_classes;

    if (!(e->confusion = mem_try_array(k * k, sizeof *e->confusion, err)) ||
        !(e->classes = mem_try_array(k, sizeof *e->classes, err)))
        return false;
    for (size_t i = 0; i < s->n; i++)
        e->confusion[s->truth[i] * k + s->guess[i]]++;
    for (size_t c = 0; c < k; c++) {
        const char *name = truth->classes[c];

        if (!(e->classes[c] = mem_try_text(name, strlen(name), err)))
            return false;
        e->n_classes++;
    }
    return true;
}

static bool
evaluation_fill(const struct target *truth, struct bootstrap *b,
                struct scorer *s, struct pool *pool, struct evaluation *e,
                struct error *err)
{
    double all[METRIC_N];

    e->problem = s->problem;
    e->n = s->n;
    for (unsigned m = 0; m < METRIC_N; m++)
        if (metrics[m].problems & 1u << s->problem) {
            e->score[e->n_scores++].metric = &metrics[m];
            b->kinds |= 1u << m;
        }
    if (!score_plain(s, b->kinds, all, err))
        return false;
    for (size_t m = 0; m < e->n_scores; m++)
        e->score[m].value = all[e->score[m].metric->kind];
    return bootstrap_run(b, pool, e, err) &&
           (!s->n_classes || confusion_make(s, truth, e, err));
}

bool
evaluation_make(const struct target *truth, const double *p, size_t k,
                unsigned resamples, uint64_t seed, struct pool *pool,
                struct evaluation *out, struct error *err)
{
    struct scorer s = {.problem = truth->problem,
                       .n = truth->n,
                       .k = k,
                       .n_classes = classes_of(truth->problem, k),
                       .y = truth->y,
                       .p = p};
    struct evaluation e = {0};
    struct bootstrap b = {.s = &s, .e = &e, .seed = seed};
    bool ok;

    if (truth->n == 0)
        return error_set(err, ERR_RANGE, "no rows to evaluate");
    b.resamples = resamples ? resamples : truth->n > 20000 ? 200 : 1000;
    ok = evaluation_fill(truth, &b, &s, pool, &e, err);
    scorer_fini(&s);
    if (ok)
        *out = e;
    else
        evaluation_fini(&e);
    return ok;
}

void
evaluation_fini(struct evaluation *e)
{
    for (size_t c = 0; c < e->n_classes; c++)
        free(e->classes[c]);
    free(e->classes);
    free(e->confusion);
    memset(e, 0, sizeof *e);
}

const struct scored *
evaluation_find(const struct evaluation *e, const char *name)
{
    for (size_t m = 0; m < e->n_scores; m++)
        if (strcmp(e->score[m].metric->name, name) == 0)
            return &e->score[m];
    return NULL;
}
