/* engine/metric_score.c -- scores of rows that count so many times each.
 *
 * One pass over the rows in blocks: what a row counts is its number of draws
 * times its weight, and all sums of a block are taken while it is at hand.
 * Areas and distances of two classes want to know how many rows there are of
 * each beforehand, so that theirs is a second pass.  Sums of whole numbers are
 * exact up to 2^53.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/metric_part.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { BLOCK = 1024 };

/* Rows of each class: truly of it, said to be, and both. */
struct tally {
    double truth[METRIC_MAX_CLASSES], guessed[METRIC_MAX_CLASSES];
    double right[METRIC_MAX_CLASSES];
};

struct sums {
    double all, term[METRIC_MAX];
    double y, squares; /* of the centred target */
    double gap[METRIC_BINS];
    double positive;
    struct tally tally; /* cleared for n_classes only */
};

/* What rows begin..end count. */
static void
weigh(const struct scorer *s, const uint32_t *row, const uint8_t *count,
      size_t begin, size_t end, double *w)
{
    for (size_t i = begin; i < end; i++) {
        size_t r = row ? row[i] : i;

        w[i - begin] = count ? (double)count[r] : 1;
    }
    if (s->weight)
        for (size_t i = begin; i < end; i++)
            w[i - begin] *= s->weight[row ? row[i] : i];
}

/* Sums in four parts, in a fixed order; written out, since the compiler keeps
 * an array of four in memory. */
static double
product(const double *w, const double *x, size_t n)
{
    double a = 0, b = 0, c = 0, d = 0;
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        a += w[i] * x[i];
        b += w[i + 1] * x[i + 1];
        c += w[i + 2] * x[i + 2];
        d += w[i + 3] * x[i + 3];
    }
    for (; i < n; i++)
        a += w[i] * x[i];
    return (a + b) + (c + d);
}

static double
total(const double *w, size_t n)
{
    double a = 0, b = 0, c = 0, d = 0;
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        a += w[i];
        b += w[i + 1];
        c += w[i + 2];
        d += w[i + 3];
    }
    for (; i < n; i++)
        a += w[i];
    return (a + b) + (c + d);
}

static double
marked(const double *w, const uint8_t *mark, size_t n)
{
    static const double is[2] = {0, 1};
    double a = 0, b = 0;
    size_t i = 0;

    for (; i + 2 <= n; i += 2) {
        a += w[i] * is[mark[i] & 1];
        b += w[i + 1] * is[mark[i + 1] & 1];
    }
    for (; i < n; i++)
        a += w[i] * is[mark[i] & 1];
    return a + b;
}

/* Rows of a bin that stand together are summed together: so do all of two
 * classes, which are in the order of their scores. */
static void
gap_block(const struct scorer *s, const double *w, size_t begin, size_t end,
          double *gap)
{
    for (size_t i = begin, next; i < end; i = next) {
        for (next = i + 1; next < end && s->bin[next] == s->bin[i]; next++)
            ;
        gap[s->bin[i]] += product(w + (i - begin), s->gap + i, next - i);
    }
}

static void
tally_block(const struct scorer *s, const double *w, size_t begin, size_t end,
            struct tally *t)
{
    for (size_t i = begin; i < end; i++) {
        uint16_t y = s->truth[i], g = s->guess[i];

        t->truth[y] += w[i - begin];
        t->guessed[g] += w[i - begin];
        t->right[y] += y == g ? w[i - begin] : 0;
    }
}

/* Two classes in the order of their scores: above a place all are said to be
 * positive, below it none.  A block lies on one side of it. */
static void
tally_ranked(double positive, double all, bool above, struct tally *t)
{
    t->truth[1] += positive;
    t->truth[0] += all - positive;
    t->guessed[above] += all;
    t->right[above] += above ? positive : all - positive;
}

static void
sum_block(const struct scorer *s, const double *w, size_t begin, size_t end,
          struct sums *t)
{
    bool ranked = s->n_ranks && s->of.k == 1;
    double all = total(w, end - begin);

    t->all += all;
    for (size_t m = 0; m < s->n_metrics; m++)
        if (s->term[m] && s->shares[m] == m)
            t->term[m] += product(w, s->term[m] + begin, end - begin);
    if (s->centred)
        for (size_t i = begin; i < end; i++) {
            double y = w[i - begin] * s->centred[i];

            t->y += y;
            t->squares += y * s->centred[i];
        }
    if (s->bin)
        gap_block(s, w, begin, end, t->gap);
    if (s->truth)
        tally_block(s, w, begin, end, &t->tally);
    if (ranked) {
        double positive = marked(w, s->rank[0].mark + begin, end - begin);

        t->positive += positive;
        tally_ranked(positive, all, begin < s->n_above, &t->tally);
    }
}

static void
sum_all(const struct scorer *s, const uint8_t *count, struct sums *t)
{
    size_t n = s->of.n;
    double w[BLOCK];

    memset(t, 0, offsetof(struct sums, tally));
    for (size_t c = 0; c < s->n_classes; c++)
        t->tally.truth[c] = t->tally.guessed[c] = t->tally.right[c] = 0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = n - begin < BLOCK ? n : begin + BLOCK;
        if (begin < s->n_above && end > s->n_above)
            end = s->n_above;
        if (pool_stopped(s->pool))
            return;
        weigh(s, NULL, count, begin, end, w);
        sum_block(s, w, begin, end, t);
    }
}

/* ---- areas and distances ---- */

struct area {
    double positive, negative; /* in all */
    double roc, pr, ks;
    double tp, fp, tie_pos, tie_neg;
};

/* Pairs in the right order, ties at half; precision at every step of recall;
 * the largest distance between the shares found of either class.  Without
 * branches but for ties, on a copy: counts are random, and stores through a
 * pointer would be waited for. */
static void
area_block(struct area *area, const double *w, const uint8_t *mark, size_t n)
{
    static const double is[2] = {0, 1};
    struct area a = *area;

    for (size_t i = 0; i < n; i++) {
        double of = w[i] * is[mark[i] & 1], d;

        a.tie_pos += of;
        a.tie_neg += w[i] - of;
        if (!(mark[i] & 2))
            continue;
        a.roc += a.tie_neg * (a.tp + a.tie_pos / 2);
        a.tp += a.tie_pos;
        a.fp += a.tie_neg;
        /* The least number keeps the first rows, when none is drawn, at 0. */
        a.pr += a.tie_pos * (a.tp / (a.tp + a.fp + DBL_MIN));
        d = fabs(a.tp * a.negative - a.fp * a.positive);
        a.ks = d > a.ks ? d : a.ks;
        a.tie_pos = a.tie_neg = 0;
    }
    *area = a;
}

static void
area_end(struct area *a)
{
    a->roc /= a->positive * a->negative;
    a->ks /= a->positive * a->negative;
    a->pr /= a->positive;
}

static void
area_of(const struct scorer *s, const struct ranking *r, const uint8_t *count,
        struct area *a)
{
    size_t n = s->of.n;
    double w[BLOCK];

    for (size_t begin = 0, end; begin < n; begin = end) {
        end = n - begin < BLOCK ? n : begin + BLOCK;
        if (pool_stopped(s->pool))
            return;
        weigh(s, r->row, count, begin, end, w);
        area_block(a, w, r->mark + begin, end - begin);
    }
    area_end(a);
}

/* The positive rows among the first `share` of all, by score; of rows of equal
 * score their share. */
static double
found_within(const struct scorer *s, const uint8_t *count, double share,
             const struct sums *t)
{
    const uint8_t *mark = s->rank[0].mark;
    double left = share * t->all, found = 0, tie = 0, tie_pos = 0;

    for (size_t i = 0; i < s->of.n; i++) {
        double w =
            (count ? (double)count[i] : 1) * (s->weight ? s->weight[i] : 1);

        tie += w;
        tie_pos += mark[i] & 1 ? w : 0;
        if (!(mark[i] & 2))
            continue;
        if (tie >= left)
            return tie > 0 ? found + tie_pos * (left / tie) : found;
        left -= tie;
        found += tie_pos;
        tie = tie_pos = 0;
    }
    return found;
}

/* ---- one number from the sums ---- */

/* 0 for a class that is never said (precision) or never there (recall), as
 * scikit-learn has it. */
static double
class_score(const struct metric *m, double truth, double guessed, double right)
{
    double b = m->kind == METRIC_FBETA ? m->at * m->at : 1;
    double below = m->kind == METRIC_PRECISION ? guessed
                   : m->kind == METRIC_RECALL  ? truth
                                              : (b * truth + guessed) / (1 + b);

    return below > 0 ? right / below : 0;
}

static double
mean_over_classes(const struct metric *m, const struct tally *t, size_t k)
{
    bool weighted = m->average == METRIC_WEIGHTED;
    double sum = 0, n = 0;

    for (size_t c = 0; c < k; c++)
        if (t->truth[c] > 0 || t->guessed[c] > 0) {
            double w = weighted ? t->truth[c] : 1;

            sum += w * class_score(m, t->truth[c], t->guessed[c], t->right[c]);
            n += w;
        }
    return sum / n;
}

static double
balanced(const struct tally *t, size_t k)
{
    double sum = 0, n = 0;

    for (size_t c = 0; c < k; c++)
        if (t->truth[c] > 0) {
            sum += t->right[c] / t->truth[c];
            n++;
        }
    return sum / n;
}

/* MCC and Cohen's kappa: how much better than chance. */
static double
beyond_chance(enum metric_kind kind, const struct tally *t, size_t k,
              double all)
{
    double right = 0, both = 0, truth = 0, guessed = 0, below;

    for (size_t c = 0; c < k; c++) {
        right += t->right[c] / all;
        both += t->truth[c] / all * (t->guessed[c] / all);
        truth += t->truth[c] / all * (t->truth[c] / all);
        guessed += t->guessed[c] / all * (t->guessed[c] / all);
    }
    if (kind == METRIC_KAPPA)
        return (right - both) / (1 - both);
    below = (1 - truth) * (1 - guessed);
    return below > 0 ? (right - both) / sqrt(below) : 0;
}

static double
of_classes(const struct scorer *s, const struct metric *m, const struct sums *t)
{
    size_t k = s->n_classes;
    double right = 0;

    if (m->kind == METRIC_BALANCED)
        return balanced(&t->tally, k);
    if (m->kind == METRIC_MCC || m->kind == METRIC_KAPPA)
        return beyond_chance(m->kind, &t->tally, k, t->all);
    if (m->kind != METRIC_ACCURACY && m->average != METRIC_MICRO) {
        if (s->of.problem == PROBLEM_BINARY && m->average == METRIC_PLAIN)
            return class_score(m, t->tally.truth[1], t->tally.guessed[1],
                               t->tally.right[1]);
        return mean_over_classes(m, &t->tally, k);
    }
    /* Pooled over the classes every wrong answer is one too many and one too
     * few: all of them are the accuracy. */
    for (size_t c = 0; c < k; c++)
        right += t->tally.right[c];
    return right / t->all;
}

double
metric_of_counts(const struct metric *m, double tp, double fp, double positive,
                 double negative)
{
    struct scorer s = {.of = {.problem = PROBLEM_BINARY, .k = 1},
                       .n_classes = 2};
    struct sums t;

    t.all = positive + negative;
    t.tally.truth[1] = positive;
    t.tally.truth[0] = negative;
    t.tally.guessed[1] = tp + fp;
    t.tally.guessed[0] = t.all - tp - fp;
    t.tally.right[1] = tp;
    t.tally.right[0] = negative - fp;
    return of_classes(&s, m, &t);
}

static double
calibration_error(const struct sums *t)
{
    double sum = 0;

    for (size_t b = 0; b < METRIC_BINS; b++)
        sum += fabs(t->gap[b]);
    return sum / t->all;
}

static double
of_terms(const struct scorer *s, size_t m, const struct sums *t)
{
    double mean = t->term[s->shares[m]] / t->all, spread;

    if (s->metric[m]->kind == METRIC_RMSE)
        return sqrt(mean);
    if (s->metric[m]->kind != METRIC_R2)
        return mean;
    spread = t->squares - t->y * t->y / t->all;
    return spread > 0 ? 1 - mean * t->all / spread : (double)NAN;
}

static double
of_groups(const struct scorer *s, const double *value, const uint8_t *count)
{
    double sum = 0, n = 0;

    for (size_t j = 0; value && j < s->n_groups; j++)
        if (!isnan(value[j])) {
            double w = s->group_weight[j] * (count ? (double)count[j] : 1);

            sum += w * value[j];
            n += w;
        }
    return n > 0 ? sum / n : (double)NAN;
}

/* The areas one-vs-rest, each class by its share unless all alike. */
struct areas {
    bool known;
    double roc[2], pr[2]; /* by share, alike */
    double ks;
};

static double
rows_of(const struct scorer *s, const uint8_t *count, size_t c)
{
    double sum = 0;

    for (size_t i = 0; i < s->of.n; i++)
        if (s->of.y[i] == (double)c)
            sum +=
                (count ? (double)count[i] : 1) * (s->weight ? s->weight[i] : 1);
    return sum;
}

static void
areas_fill(const struct scorer *s, const uint8_t *count, const struct sums *t,
           struct areas *out)
{
    double by[2] = {0};

    memset(out, 0, sizeof *out);
    out->known = true;
    for (size_t c = 0; c < s->n_ranks; c++) {
        struct area a = {0};

        a.positive = s->of.k == 1 ? t->positive
                     : s->truth   ? t->tally.truth[c]
                                  : rows_of(s, count, c);
        a.negative = t->all - a.positive;
        if (s->of.k > 1 && a.positive == 0)
            continue;
        area_of(s, &s->rank[c], count, &a);
        for (unsigned v = 0; v < 2; v++) {
            double w = v ? 1 : a.positive;

            out->roc[v] += w * a.roc;
            out->pr[v] += w * a.pr;
            by[v] += w;
        }
        out->ks = a.ks;
    }
    for (unsigned v = 0; v < 2; v++) {
        out->roc[v] /= by[v];
        out->pr[v] /= by[v];
    }
}

static double
of_ranks(const struct scorer *s, const struct metric *m, const uint8_t *count,
         const struct sums *t, struct areas *a)
{
    bool alike = m->average == METRIC_MACRO;
    double found;

    if (m->kind == METRIC_GAIN || m->kind == METRIC_LIFT) {
        found = found_within(s, count, m->at, t) / t->positive;
        return m->kind == METRIC_GAIN ? found : found / m->at;
    }
    if (!a->known)
        areas_fill(s, count, t, a);
    return m->kind == METRIC_KS    ? a->ks
           : m->kind == METRIC_AUC ? a->roc[alike]
                                   : a->pr[alike];
}

static double
score_one(const struct scorer *s, size_t m, const uint8_t *count,
          const uint8_t *groups, const struct sums *t, struct areas *a)
{
    const struct metric *metric = s->metric[m];

    switch (metric->kind) {
    case METRIC_AUC:
    case METRIC_PRAUC:
    case METRIC_KS:
    case METRIC_GAIN:
    case METRIC_LIFT:
        return of_ranks(s, metric, count, t, a);
    case METRIC_NDCG:
    case METRIC_MAP:
        return of_groups(s, s->value[m], groups);
    case METRIC_ECE:
        return calibration_error(t);
    default:
        return s->term[m] ? of_terms(s, m, t) : of_classes(s, metric, t);
    }
}

void
scorer_score(const struct scorer *s, const uint8_t *count,
             const uint8_t *groups, double *out)
{
    struct areas a = {0};
    struct sums t;

    sum_all(s, count, &t);
    for (size_t m = 0; m < s->n_metrics; m++)
        out[m] =
            t.all > 0 ? score_one(s, m, count, groups, &t, &a) : (double)NAN;
}
