/* engine/metric_scorer.c -- what depends on the rows alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/metric_part.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/fmath.h"
#include "base/mem.h"

enum { LOOK_ROWS = 1 << 16 }; /* between two looks whether to go on */

void
scorer_fini(struct scorer *s)
{
    for (size_t m = 0; m < s->n_metrics; m++) {
        if (s->shares[m] == m)
            free(s->term[m]);
        free(s->value[m]);
    }
    for (size_t i = 0; i < s->n_ranks; i++) {
        free(s->rank[i].row);
        free(s->rank[i].mark);
    }
    free(s->rank);
    free(s->row);
    free(s->weight);
    free(s->centred);
    free(s->truth);
    free(s->guess);
    free(s->bin);
    free(s->gap);
    free(s->group_weight);
}

size_t
metric_row_at(const struct scorer *s, size_t place)
{
    return s->row ? s->row[place] : place;
}

/* ---- losses ---- */

static double
row_logloss(const struct metric_rows *r, size_t i)
{
    size_t c = (size_t)r->y[i];
    double p = r->k > 1 ? r->p[i * r->k + c] : c ? r->p[i] : 1 - r->p[i];

    /* The clip of scikit-learn: a certain and wrong answer costs 36, not
     * infinity. */
    if (p < DBL_EPSILON)
        p = DBL_EPSILON;
    if (p > 1 - DBL_EPSILON)
        p = 1 - DBL_EPSILON;
    return -fm_log(p);
}

static double
row_brier(const struct metric_rows *r, size_t i)
{
    double sum = 0;

    if (r->k == 1)
        return (r->p[i] - r->y[i]) * (r->p[i] - r->y[i]);
    for (size_t c = 0; c < r->k; c++) {
        double d = r->p[i * r->k + c] - (c == (size_t)r->y[i]);

        sum += d * d;
    }
    return sum;
}

static double
row_term(const struct metric *m, const struct metric_rows *r, size_t i)
{
    double d;

    if (m->kind == METRIC_LOGLOSS)
        return row_logloss(r, i);
    if (m->kind == METRIC_BRIER)
        return row_brier(r, i);
    d = r->y[i] - r->p[i];
    switch (m->kind) {
    case METRIC_MAE:
        return fabs(d);
    case METRIC_MAPE: /* by 0: as scikit-learn, very large */
        return fabs(d) / fmax(fabs(r->y[i]), DBL_EPSILON);
    case METRIC_PINBALL:
        return d > 0 ? m->at * d : (m->at - 1) * d;
    default: /* squared error: RMSE and R2 */
        return d * d;
    }
}

static bool
has_terms(enum metric_kind kind)
{
    return kind == METRIC_LOGLOSS || kind == METRIC_BRIER ||
           kind == METRIC_RMSE || kind == METRIC_R2 || kind == METRIC_MAE ||
           kind == METRIC_MAPE || kind == METRIC_PINBALL;
}

static bool
squares(enum metric_kind kind)
{
    return kind == METRIC_RMSE || kind == METRIC_R2;
}

static bool
terms_init(struct scorer *s, size_t m, struct error *err)
{
    const struct metric *metric = s->metric[m];
    double *t;

    for (size_t i = 0; i < m && squares(metric->kind); i++)
        if (squares(s->metric[i]->kind)) {
            s->shares[m] = i;
            s->term[m] = s->term[i];
            return true;
        }
    if (!(t = mem_try_array(s->of.n, sizeof *t, err)))
        return false;
    s->term[m] = t;
    for (size_t i = 0; i < s->of.n; i++) {
        if (i % LOOK_ROWS == 0 && !pool_check(s->pool, err))
            return false;
        t[i] = row_term(metric, &s->of, metric_row_at(s, i));
    }
    return true;
}

static bool
centred_init(struct scorer *s, struct error *err)
{
    double sum = 0;

    if (!(s->centred = mem_try_array(s->of.n, sizeof *s->centred, err)))
        return false;
    for (size_t i = 0; i < s->of.n; i++)
        sum += s->of.y[i];
    for (size_t i = 0; i < s->of.n; i++)
        s->centred[i] = s->of.y[i] - sum / (double)s->of.n;
    return true;
}

/* ---- classes ---- */

static bool
guesses_init(struct scorer *s, struct error *err)
{
    if (!(s->truth = mem_try_array(s->of.n, sizeof *s->truth, err)) ||
        !(s->guess = mem_try_array(s->of.n, sizeof *s->guess, err)))
        return false;
    for (size_t i = 0; i < s->of.n; i++) {
        size_t row = metric_row_at(s, i);

        if (i % LOOK_ROWS == 0 && !pool_check(s->pool, err))
            return false;
        s->truth[i] = (uint16_t)s->of.y[row];
        s->guess[i] = (uint16_t)metric_guess(&s->of, row);
    }
    return true;
}

/* Of two classes the positive one's probability is to be the share of its rows;
 * of several the likeliest one's the share of right guesses. */
static bool
gaps_init(struct scorer *s, struct error *err)
{
    const struct metric_rows *r = &s->of;

    if (!(s->bin = mem_try_array(r->n, sizeof *s->bin, err)) ||
        !(s->gap = mem_try_array(r->n, sizeof *s->gap, err)))
        return false;
    for (size_t i = 0; i < r->n; i++) {
        size_t row = metric_row_at(s, i), best = 0;
        const double *p = r->p + row * r->k;

        if (i % LOOK_ROWS == 0 && !pool_check(s->pool, err))
            return false;
        for (size_t c = 1; c < r->k; c++)
            if (p[c] > p[best])
                best = c;
        s->bin[i] = (uint8_t)metric_bin(p[best]);
        s->gap[i] =
            (r->k == 1 ? r->y[row] : (double)(best == (size_t)r->y[row])) -
            p[best];
    }
    return true;
}

static bool
weights_init(struct scorer *s, struct error *err)
{
    if (!s->of.weight)
        return true;
    if (!(s->weight = mem_try_array(s->of.n, sizeof *s->weight, err)))
        return false;
    for (size_t i = 0; i < s->of.n; i++)
        s->weight[i] = s->of.weight[metric_row_at(s, i)];
    return true;
}

static bool
is_ranked(enum metric_kind kind)
{
    return kind == METRIC_AUC || kind == METRIC_PRAUC || kind == METRIC_KS ||
           kind == METRIC_GAIN || kind == METRIC_LIFT;
}

static bool
is_by_class(enum metric_kind kind)
{
    return kind == METRIC_ACCURACY || kind == METRIC_BALANCED ||
           kind == METRIC_F1 || kind == METRIC_FBETA ||
           kind == METRIC_PRECISION || kind == METRIC_RECALL ||
           kind == METRIC_MCC || kind == METRIC_KAPPA;
}

static bool
any(const struct scorer *s, bool (*is)(enum metric_kind kind))
{
    for (size_t m = 0; m < s->n_metrics; m++)
        if (is(s->metric[m]->kind))
            return true;
    return false;
}

static bool
is_grouped(enum metric_kind kind)
{
    return kind == METRIC_NDCG || kind == METRIC_MAP;
}

static bool
is_r2(enum metric_kind kind)
{
    return kind == METRIC_R2;
}

static bool
is_ece(enum metric_kind kind)
{
    return kind == METRIC_ECE;
}

bool
scorer_init(struct scorer *s, struct error *err)
{
    bool by_class = any(s, is_by_class);

    for (size_t m = 0; m < s->n_metrics; m++)
        s->shares[m] = m;
    if ((any(s, is_ranked) && !scorer_ranks(s, err)) || !weights_init(s, err))
        return false;
    for (size_t m = 0; m < s->n_metrics; m++)
        if (has_terms(s->metric[m]->kind) && !terms_init(s, m, err))
            return false;
    /* Ranked rows of two classes tell what is said of them by their place. */
    if (by_class && !(s->n_ranks && s->of.k == 1) && !guesses_init(s, err))
        return false;
    return (!any(s, is_r2) || centred_init(s, err)) &&
           (!any(s, is_ece) || gaps_init(s, err)) &&
           (!s->of.group || !any(s, is_grouped) || scorer_groups(s, err));
}
