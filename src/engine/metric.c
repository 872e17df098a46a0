/* engine/metric.c -- scores with intervals.
 *
 * A resample of n rows is n draws with replacement, that is a count for each
 * row.  So everything that depends on the rows alone (losses, predicted
 * classes, the order by score) is computed once, and a resample is one pass
 * of weighted sums: no sorting, no copies.
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
metric_default(enum problem p)
{
    return &metrics[p == PROBLEM_REGRESSION ? METRIC_RMSE : METRIC_LOGLOSS];
}

/* ---- what depends on the rows alone ---- */

/* Rows by rising score of one class. */
struct ranking {
    uint32_t *row;
    uint8_t *mark; /* bit 0: the row is of the class; bit 1: last of a tie */
};

struct scorer {
    enum problem problem;
    size_t n, k, n_classes;
    const double *y, *p;
    double *term[METRIC_N]; /* per-row losses of the metrics that have them */
    double *centred;        /* y less its mean, for R2 */
    uint16_t *guess;        /* predicted class */
    struct ranking *rank;   /* one for two classes, else one a class */
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
    free(s->centred);
    free(s->guess);
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
        t[i] = row_term(s, kind, i);
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
static bool
guess_init(struct scorer *s, struct error *err)
{
    if (!(s->guess = mem_try_array(s->n, sizeof *s->guess, err)))
        return false;
    for (size_t i = 0; i < s->n; i++) {
        size_t best = 0;

        if (s->k == 1)
            best = s->p[i] > 0.5;
        for (size_t c = 1; c < s->k; c++)
            if (s->p[i * s->k + c] > s->p[i * s->k + best])
                best = c;
        s->guess[i] = (uint16_t)best;
    }
    return true;
}

struct keyed {
    uint64_t key;
    uint32_t row;
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

/* Radix sort by bytes from the lowest: stable, so that ties stay in row
 * order; a byte that is the same everywhere costs only its count. */
static struct keyed *
radix_sort(struct keyed *a, struct keyed *b, size_t n)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t at[256] = {0}, sum = 0;
        struct keyed *swap;

        for (size_t i = 0; i < n; i++)
            at[a[i].key >> shift & 255]++;
        if (n == 0 || at[a[0].key >> shift & 255] == n)
            continue;
        for (size_t v = 0; v < 256; v++) {
            size_t count = at[v];

            at[v] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            b[at[a[i].key >> shift & 255]++] = a[i];
        swap = a;
        a = b;
        b = swap;
    }
    return a;
}

/* Rank the rows by the score of class c (of the positive one when k = 1). */
static bool
rank_init(const struct scorer *s, size_t c, struct ranking *r,
          struct error *err)
{
    struct keyed *a = mem_try_array(s->n, sizeof *a, err);
    struct keyed *b = mem_try_array(s->n, sizeof *b, err), *sorted;
    bool ok = false;

    if (!a || !b || !(r->row = mem_try_array(s->n, sizeof *r->row, err)) ||
        !(r->mark = mem_try_array(s->n, 1, err)))
        goto out;
    for (size_t i = 0; i < s->n; i++) {
        a[i].key = double_key(s->p[i * s->k + (s->k > 1 ? c : 0)]);
        a[i].row = (uint32_t)i;
    }
    sorted = radix_sort(a, b, s->n);
    for (size_t i = 0; i < s->n; i++) {
        bool last = i + 1 == s->n || sorted[i].key != sorted[i + 1].key;

        r->row[i] = sorted[i].row;
        r->mark[i] = (uint8_t)((s->y[sorted[i].row] == (double)c) | last << 1);
    }
    ok = true;
out:
    free(a);
    free(b);
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
    return true;
}

/* Prepare for the metrics whose bit is in `kinds`. */
static bool
scorer_init(struct scorer *s, unsigned kinds, struct error *err)
{
    const unsigned by_class = 1u << METRIC_ACCURACY | 1u << METRIC_F1 |
                              1u << METRIC_PRECISION | 1u << METRIC_RECALL;
    const unsigned by_term = 1u << METRIC_LOGLOSS | 1u << METRIC_BRIER |
                             1u << METRIC_RMSE | 1u << METRIC_MAE |
                             1u << METRIC_R2;

    for (unsigned m = 0; m < METRIC_N; m++)
        if (kinds & by_term & 1u << m &&
            !terms_init(s, (enum metric_kind)m, err))
            return false;
    return (!(kinds & 1u << METRIC_R2) || centred_init(s, err)) &&
           (!(kinds & by_class) || guess_init(s, err)) &&
           (!(kinds & 1u << METRIC_AUC) || ranks_init(s, err));
}

/* ---- one weighted pass; w NULL: every row once ---- */

static double
weight(const uint32_t *w, size_t i)
{
    return w ? (double)w[i] : 1.0;
}

static double
mean_of(const double *x, const uint32_t *w, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += weight(w, i) * x[i];
    return sum / (double)n;
}

/* Area by ranks: pairs in the right order, ties at half. */
static double
rank_auc(const struct scorer *s, const struct ranking *r, const uint32_t *w,
         double *share)
{
    double area = 0, below = 0, positive = 0, tie_pos = 0, tie_neg = 0;

    for (size_t i = 0; i < s->n; i++) {
        double v = weight(w, r->row[i]);

        if (r->mark[i] & 1)
            tie_pos += v;
        else
            tie_neg += v;
        if (!(r->mark[i] & 2))
            continue;
        area += tie_pos * (below + 0.5 * tie_neg);
        below += tie_neg;
        positive += tie_pos;
        tie_pos = tie_neg = 0;
    }
    *share = positive;
    return area / (positive * below);
}

static double
score_auc(const struct scorer *s, const uint32_t *w)
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

/* Rows right, predicted and true of each class. */
struct tally {
    double right[METRIC_MAX_CLASSES], guessed[METRIC_MAX_CLASSES];
    double truth[METRIC_MAX_CLASSES], n_right;
};

static void
tally_fill(const struct scorer *s, const uint32_t *w, struct tally *t)
{
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < s->n; i++) {
        size_t y = (size_t)s->y[i], g = s->guess[i];
        double v = weight(w, i);

        t->truth[y] += v;
        t->guessed[g] += v;
        if (y == g) {
            t->right[y] += v;
            t->n_right += v;
        }
    }
}

/* 0 for a class that is never predicted (precision) or never there (recall),
 * as scikit-learn has it. */
static double
class_score(enum metric_kind kind, const struct tally *t, size_t c)
{
    double below = kind == METRIC_PRECISION ? t->guessed[c]
                   : kind == METRIC_RECALL  ? t->truth[c]
                                            : (t->guessed[c] + t->truth[c]) / 2;

    return below > 0 ? t->right[c] / below : 0;
}

static double
score_classes(const struct scorer *s, enum metric_kind kind, const uint32_t *w)
{
    struct tally t;
    double sum = 0;
    size_t n = 0;

    tally_fill(s, w, &t);
    if (kind == METRIC_ACCURACY)
        return t.n_right / (double)s->n;
    if (s->problem == PROBLEM_BINARY)
        return class_score(kind, &t, 1);
    for (size_t c = 0; c < s->n_classes; c++)
        if (t.truth[c] > 0 || t.guessed[c] > 0) {
            sum += class_score(kind, &t, c);
            n++;
        }
    return sum / (double)n;
}

static double
score_r2(const struct scorer *s, const uint32_t *w)
{
    double sum = 0, squares = 0, rest = 0, spread;

    for (size_t i = 0; i < s->n; i++) {
        double v = weight(w, i), y = s->centred[i];

        sum += v * y;
        squares += v * y * y;
        rest += v * s->term[METRIC_R2][i];
    }
    spread = squares - sum * sum / (double)s->n;
    return spread > 0 ? 1 - rest / spread : (double)NAN;
}

static double
score_kind(const struct scorer *s, enum metric_kind kind, const uint32_t *w)
{
    switch (kind) {
    case METRIC_LOGLOSS:
    case METRIC_BRIER:
    case METRIC_MAE:
        return mean_of(s->term[kind], w, s->n);
    case METRIC_RMSE:
        return sqrt(mean_of(s->term[kind], w, s->n));
    case METRIC_R2:
        return score_r2(s, w);
    case METRIC_AUC:
        return score_auc(s, w);
    case METRIC_ACCURACY:
    case METRIC_F1:
    case METRIC_PRECISION:
    case METRIC_RECALL:
        return score_classes(s, kind, w);
    }
    return (double)NAN;
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
    double v = (double)NAN;
    struct error err;

    if (n > 0 && scorer_init(&s, 1u << kind, &err))
        v = score_kind(&s, kind, NULL);
    scorer_fini(&s);
    return v;
}

/* ---- bootstrap ---- */

enum { MAX_SCRATCH = 64 << 20, MAX_CHUNKS = 16 };

struct bootstrap {
    const struct scorer *s;
    const struct evaluation *e;
    uint64_t seed;
    unsigned resamples;
    uint32_t *weight; /* n a chunk */
    double *value;    /* (n_scores, resamples) */
};

static void
bootstrap_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct bootstrap *b = ctx;
    size_t n = b->s->n;
    uint32_t *w = b->weight + chunk * n;

    for (size_t r = begin; r < end; r++) {
        memset(w, 0, n * sizeof *w);
        for (size_t i = 0; i < n; i++)
            w[rng_below(b->seed, r, i, n)]++;
        for (size_t m = 0; m < b->e->n_scores; m++)
            b->value[m * b->resamples + r] =
                score_kind(b->s, b->e->score[m].metric->kind, w);
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
bootstrap_run(const struct scorer *s, unsigned resamples, uint64_t seed,
              struct pool *pool, struct evaluation *e, struct error *err)
{
    size_t chunks = MAX_SCRATCH / sizeof(uint32_t) / s->n, grain;
    struct bootstrap b = {.s = s, .e = e, .seed = seed, .resamples = resamples};
    bool ok = false;

    chunks = chunks < 1 ? 1 : chunks > MAX_CHUNKS ? MAX_CHUNKS : chunks;
    grain = (resamples + chunks - 1) / chunks;
    if (!(b.weight = mem_try_array(chunks * s->n, sizeof *b.weight, err)) ||
        !(b.value =
              mem_try_array(e->n_scores * resamples, sizeof *b.value, err)))
        goto out;
    pool_for(pool, resamples, grain, bootstrap_chunk, &b);
    for (size_t m = 0; m < e->n_scores; m++)
        interval_set(&e->score[m], b.value + m * resamples, resamples);
    ok = true;
out:
    free(b.weight);
    free(b.value);
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
        e->confusion[(size_t)s->y[i] * k + s->guess[i]]++;
    for (size_t c = 0; c < k; c++) {
        const char *name = truth->classes[c];

        if (!(e->classes[c] = mem_try_text(name, strlen(name), err)))
            return false;
        e->n_classes++;
    }
    return true;
}

static bool
evaluation_fill(const struct target *truth, struct scorer *s,
                unsigned resamples, uint64_t seed, struct pool *pool,
                struct evaluation *e, struct error *err)
{
    unsigned kinds = 0;

    e->problem = s->problem;
    e->n = s->n;
    for (unsigned m = 0; m < METRIC_N; m++)
        if (metrics[m].problems & 1u << s->problem) {
            e->score[e->n_scores++].metric = &metrics[m];
            kinds |= 1u << m;
        }
    if (!scorer_init(s, kinds, err))
        return false;
    for (size_t m = 0; m < e->n_scores; m++)
        e->score[m].value = score_kind(s, e->score[m].metric->kind, NULL);
    return bootstrap_run(s, resamples, seed, pool, e, err) &&
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
    bool ok;

    if (truth->n == 0)
        return error_set(err, ERR_RANGE, "no rows to evaluate");
    if (resamples == 0)
        resamples = truth->n > 100000 ? 200 : 1000;
    ok = evaluation_fill(truth, &s, resamples, seed, pool, &e, err);
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

/* ---- for people ---- */

enum { NAME_CELLS = 16, FEW = 6, MAX_PRINTED = 12, MAX_PAIRS = 10 };

/* Text in `cells` cells, cut with ".." when longer. */
static void
cell_text(struct buf *out, const char *text, size_t cells, bool right)
{
    struct str s = str_of(text);
    size_t used, n = str_fit(s, cells, &used);
    bool cut = n < s.n;

    if (cut)
        n = str_fit(s, cells - 2, &used);
    if (right)
        buf_fill(out, ' ', cells - used - (cut ? 2 : 0));
    buf_add(out, s.p, n);
    buf_puts(out, cut ? ".." : "");
    if (!right)
        buf_fill(out, ' ', cells - used - (cut ? 2 : 0));
}

static void
score_text(double v, bool number, char out[STR_F64_MAX])
{
    if (isnan(v))
        snprintf(out, STR_F64_MAX, "-");
    else if (!number)
        snprintf(out, STR_F64_MAX, "%.4f", v);
    else
        snprintf(out, STR_F64_MAX, "%.6g", v);
}

static void
scores_print(const struct evaluation *e, struct buf *out)
{
    buf_printf(out, "%-12s %10s   %s\n", "metric", "value", "95 % interval");
    for (size_t m = 0; m < e->n_scores; m++) {
        const struct scored *s = &e->score[m];
        bool number =
            e->problem == PROBLEM_REGRESSION && s->metric->kind != METRIC_R2;
        char v[STR_F64_MAX], low[STR_F64_MAX], high[STR_F64_MAX];

        score_text(s->value, number, v);
        score_text(s->low, number, low);
        score_text(s->high, number, high);
        buf_printf(out, "%-12s %10s   %s to %s\n", s->metric->title, v, low,
                   high);
    }
}

static void
share_print(struct buf *out, uint64_t part, uint64_t all, size_t cells,
            int decimals)
{
    if (all)
        buf_printf(out, "%*.*f%%", (int)cells - 1, decimals,
                   100.0 * (double)part / (double)all);
    else
        buf_printf(out, "%*s", (int)cells, "-");
}

/* The table of truth by prediction; above FEW classes in narrow columns, so
 * that ten still fit 80 cells. */
static void
confusion_print(const struct evaluation *e, struct buf *out)
{
    size_t k = e->n_classes, first = 9, cells = k > FEW ? 6 : 9;
    int decimals = k > FEW ? 0 : 1;
    uint64_t n_right = 0;

    for (size_t c = 0; c < k; c++) {
        size_t w = str_width(str_of(e->classes[c]));

        w = w > NAME_CELLS ? NAME_CELLS : w;
        first = w > first ? w : first;
        cells = w + 2 > cells ? w + 2 : cells;
    }
    buf_fill(out, ' ', first);
    for (size_t c = 0; c < k; c++)
        cell_text(out, e->classes[c], cells, true);
    buf_printf(out, "%9s\n", "recall");
    for (size_t y = 0; y < k; y++) {
        uint64_t all = 0;

        cell_text(out, e->classes[y], first, false);
        for (size_t g = 0; g < k; g++) {
            char text[STR_F64_MAX];

            str_from_count(e->confusion[y * k + g], text);
            cell_text(out, text, cells, true);
            all += e->confusion[y * k + g];
        }
        share_print(out, e->confusion[y * k + y], all, 9, 1);
        buf_putc(out, '\n');
        n_right += e->confusion[y * k + y];
    }
    cell_text(out, "precision", first, false);
    for (size_t g = 0; g < k; g++) {
        uint64_t all = 0;

        for (size_t y = 0; y < k; y++)
            all += e->confusion[y * k + g];
        share_print(out, e->confusion[g * k + g], all, cells, decimals);
    }
    share_print(out, n_right, e->n, 9, 1);
    buf_putc(out, '\n');
}

/* Many classes: the pairs most often taken for each other. */
static void
pairs_print(const struct evaluation *e, struct buf *out)
{
    uint64_t last = UINT64_MAX;
    size_t k = e->n_classes, last_at = 0;

    buf_puts(out, "most often confused\n");
    for (unsigned i = 0; i < MAX_PAIRS; i++) {
        size_t best = SIZE_MAX;

        for (size_t j = 0; j < k * k; j++) {
            uint64_t v = e->confusion[j];
            bool after = v < last || (v == last && j > last_at);

            if (j / k != j % k && v && after &&
                (best == SIZE_MAX || v > e->confusion[best]))
                best = j;
        }
        if (best == SIZE_MAX)
            break;
        last = e->confusion[best];
        last_at = best;
        buf_printf(out, "%8llu  %s taken for %s\n", (unsigned long long)last,
                   e->classes[best / k], e->classes[best % k]);
    }
}

void
evaluation_print(const struct evaluation *e, struct buf *out)
{
    char rows[STR_F64_MAX];

    str_from_count(e->n, rows);
    buf_printf(out, "%s row%s, %s", rows, e->n == 1 ? "" : "s",
               problem_word(e->problem));
    if (e->problem == PROBLEM_BINARY)
        buf_printf(out, ", positive class %s", e->classes[1]);
    else if (e->problem == PROBLEM_MULTICLASS)
        buf_printf(out, ", %zu classes", e->n_classes);
    buf_puts(out, "\n\n");
    scores_print(e, out);
    if (!e->n_classes)
        return;
    buf_puts(out, "\nrows are the truth, columns what was predicted\n");
    if (e->n_classes <= MAX_PRINTED)
        confusion_print(e, out);
    else
        pairs_print(e, out);
}

void
evaluation_json(const struct evaluation *e, struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "problem");
    json_put_string(w, problem_word(e->problem));
    json_name(w, "rows");
    json_put_i64(w, (int64_t)e->n);
    json_name(w, "metrics");
    json_open(w, '{');
    for (size_t m = 0; m < e->n_scores; m++) {
        json_name(w, e->score[m].metric->name);
        json_open(w, '{');
        json_name(w, "value");
        json_put_double(w, e->score[m].value);
        json_name(w, "low");
        json_put_double(w, e->score[m].low);
        json_name(w, "high");
        json_put_double(w, e->score[m].high);
        json_close(w, '}');
    }
    json_close(w, '}');
    if (e->n_classes) {
        json_name(w, "classes");
        json_open(w, '[');
        for (size_t c = 0; c < e->n_classes; c++)
            json_put_string(w, e->classes[c]);
        json_close(w, ']');
        json_name(w, "confusion");
        json_open(w, '[');
        for (size_t y = 0; y < e->n_classes; y++) {
            json_open(w, '[');
            for (size_t g = 0; g < e->n_classes; g++)
                json_put_i64(w, (int64_t)e->confusion[y * e->n_classes + g]);
            json_close(w, ']');
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}
