/* engine/trees/objective.c -- losses and their gradients.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/objective_part.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "base/str.h"

/* Hessians never vanish: a leaf of rows that are all certain still divides. */
static const double MIN_HESSIAN = 1e-16;
/* As scikit-learn and others clip log loss: 36 nats at most. */
static const double MIN_PROBABILITY = DBL_EPSILON;

/* ---- the table of losses ---- */

static const struct {
    const char *word;
    int problem;
    bool log;
} LOSSES[LOSS_OWN + 1] = {
    [LOSS_SQUARED] = {"squared", PROBLEM_REGRESSION, false},
    [LOSS_ABSOLUTE] = {"absolute", PROBLEM_REGRESSION, false},
    [LOSS_HUBER] = {"huber", PROBLEM_REGRESSION, false},
    [LOSS_QUANTILE] = {"quantile", PROBLEM_REGRESSION, false},
    [LOSS_POISSON] = {"poisson", PROBLEM_REGRESSION, true},
    [LOSS_GAMMA] = {"gamma", PROBLEM_REGRESSION, true},
    [LOSS_TWEEDIE] = {"tweedie", PROBLEM_REGRESSION, true},
    [LOSS_LOGISTIC] = {"logistic", PROBLEM_BINARY, false},
    [LOSS_SOFTMAX] = {"softmax", PROBLEM_MULTICLASS, false},
    [LOSS_OVA] = {"ova", PROBLEM_MULTICLASS, false},
    [LOSS_COX] = {"cox", PROBLEM_REGRESSION, true},
    [LOSS_RANK] = {"rank", PROBLEM_REGRESSION, false},
    [LOSS_OWN] = {"own", -1, false},
};

const char *
loss_word(enum loss l)
{
    return LOSSES[l].word;
}

bool
loss_find(const char *word, enum loss *out)
{
    for (int l = 0; l <= LOSS_OWN; l++)
        if (strcmp(LOSSES[l].word, word) == 0) {
            *out = (enum loss)l;
            return true;
        }
    return false;
}

enum loss
loss_usual(enum problem p)
{
    switch (p) {
    case PROBLEM_BINARY:
        return LOSS_LOGISTIC;
    case PROBLEM_MULTICLASS:
        return LOSS_SOFTMAX;
    case PROBLEM_REGRESSION:
    case PROBLEM_NONE:
        break;
    }
    return LOSS_SQUARED;
}

int
loss_problem(enum loss l)
{
    return LOSSES[l].problem;
}

bool
loss_is_log(enum loss l)
{
    return LOSSES[l].log;
}

bool
loss_quantiles(struct loss_rule *r, const char *text, struct error *err)
{
    struct str rest = str_of(text);

    r->n_quantiles = 0;
    while (rest.n > 0) {
        size_t n = 0;
        double q;

        while (n < rest.n && rest.p[n] != ',')
            n++;
        if (!str_to_f64(str_trim((struct str){rest.p, n}), &q) || !(q > 0) ||
            !(q < 1) ||
            (r->n_quantiles > 0 && !(q > r->quantile[r->n_quantiles - 1])))
            return error_set(err, ERR_RANGE,
                             "alpha is '%.64s', expected numbers between 0 and "
                             "1, ascending, with commas between them",
                             text);
        if (r->n_quantiles == LOSS_MAX_QUANTILES)
            return error_set(err, ERR_RANGE, "alpha has over %d numbers",
                             LOSS_MAX_QUANTILES);
        r->quantile[r->n_quantiles++] = q;
        n += n < rest.n;
        rest = (struct str){rest.p + n, rest.n - n};
    }
    return r->n_quantiles > 0 ||
           error_set(err, ERR_RANGE, "alpha is empty, expected a number");
}

size_t
loss_middle(const struct loss_rule *r)
{
    size_t best = 0;

    for (size_t i = 1; i < r->n_quantiles; i++)
        if (fabs(r->quantile[i] - 0.5) < fabs(r->quantile[best] - 0.5))
            best = i;
    return best;
}

/* ---- life ---- */

static bool
found_init(struct objective *o, struct error *err)
{
    return (o->found_g = mem_try_array(o->n, sizeof *o->found_g, err)) &&
           (o->found_h = mem_try_array(o->n, sizeof *o->found_h, err)) &&
           (o->found = mem_try_array(o->n, sizeof *o->found, err));
}

static bool
parts_init(struct objective *o, const struct target *y, struct error *err)
{
    switch (o->rule.loss) {
    case LOSS_COX:
        return found_init(o, err) && objective_cox_init(o, err);
    case LOSS_RANK:
        return found_init(o, err) && objective_rank_init(o, err);
    case LOSS_OWN:
        return found_init(o, err);
    default:
        return objective_point_check(o, y, err);
    }
}

bool
objective_init(struct objective *o, const struct loss_rule *rule,
               const struct target *y, const struct train *ctx, bool valid,
               struct error *err)
{
    *o = (struct objective){.rule = *rule,
                            .problem = y->problem,
                            .n = y->n,
                            .k = y->problem == PROBLEM_MULTICLASS ? y->n_classes
                                 : rule->loss == LOSS_QUANTILE
                                     ? rule->n_quantiles
                                     : 1,
                            .y = y->y,
                            .weight = y->weight,
                            .group = y->group,
                            .ctx = ctx,
                            .valid = valid,
                            .total = target_total(y)};
    if (parts_init(o, y, err))
        return true;
    objective_fini(o);
    return false;
}

void
objective_fini(struct objective *o)
{
    free(o->found_g);
    free(o->found_h);
    free(o->found);
    free(o->order);
    free(o->start);
    free(o->best);
    free(o->discount);
    free(o->ranked);
    *o = (struct objective){.n = 0};
}

/* What the caller's function says, as long as it says numbers. */
static bool
look_own(struct objective *o, const double *score, struct error *err)
{
    const struct train_loss *own = o->ctx->loss;

    if (!own->find(own->ctx, score, o->y, o->n, o->valid, o->found_g,
                   o->found_h, o->found, err))
        return false;
    for (size_t i = 0; i < o->n; i++)
        if (!isfinite(o->found_g[i]) || !isfinite(o->found_h[i]) ||
            isnan(o->found[i]))
            return error_set(err, ERR_RANGE,
                             "the loss is no number in row %zu, whose score is "
                             "%g and target %g",
                             i + 1, score[i], o->y[i]);
    return true;
}

bool
objective_look(struct objective *o, const double *score, struct error *err)
{
    switch (o->rule.loss) {
    case LOSS_COX:
        return objective_cox(o, score, err);
    case LOSS_RANK:
        return objective_rank(o, score, err);
    case LOSS_OWN:
        return look_own(o, score, err);
    default:
        return true;
    }
}

/* ---- where scores begin ---- */

static double
weighted_mean(const struct objective *o, const double *offset)
{
    double sum = 0, rows = 0;

    for (size_t i = 0; i < o->n; i++) {
        sum += objective_weight(o, i) * (o->y[i] - (offset ? offset[i] : 0));
        rows += objective_weight(o, i);
    }
    return rows > 0 ? sum / rows : 0;
}

/* Logs of the shares of k classes; half a row stands in for none. */
static void
log_shares(const struct objective *o, size_t k, double *out)
{
    double all = 0;

    for (size_t c = 0; c < k; c++)
        out[c] = 0;
    for (size_t i = 0; i < o->n; i++) {
        out[(size_t)o->y[i]] += objective_weight(o, i);
        all += objective_weight(o, i);
    }
    for (size_t c = 0; c < k; c++)
        out[c] = fm_log(fmax(out[c] / all, 0.5 / (double)o->n));
}

static double
log_odds(double log_p)
{
    return log_p - fm_log1p(-fm_exp(log_p));
}

bool
objective_base(struct objective *o, const double *offset, double *base,
               struct error *err)
{
    double share[2];

    for (size_t c = 0; c < o->k; c++)
        base[c] = 0;
    if (o->n == 0)
        return true;
    switch (o->rule.loss) {
    case LOSS_SQUARED:
        base[0] = weighted_mean(o, offset);
        return true;
    case LOSS_LOGISTIC:
        if (offset)
            return objective_point_base(o, offset, base, err);
        log_shares(o, 2, share);
        base[0] = share[1] - share[0];
        return true;
    case LOSS_SOFTMAX:
        log_shares(o, o->k, base);
        return true;
    case LOSS_OVA:
        log_shares(o, o->k, base);
        for (size_t c = 0; c < o->k; c++)
            base[c] = log_odds(base[c]);
        return true;
    case LOSS_COX: /* a shift changes nothing */
    case LOSS_RANK:
    case LOSS_OWN:
        return true;
    default:
        return objective_point_base(o, offset, base, err);
    }
}

/* ---- classes and squares ---- */

/* -log p(y) for y in {0, 1}, from p = sigmoid(f) and f. */
static double
binary_loss(double p, double y)
{
    return -fm_log(fmax(y > 0.5 ? p : 1 - p, MIN_PROBABILITY));
}

/* Probabilities of n rows; p may be score. */
static void
softmax(const double *score, size_t n, size_t k, double *p)
{
    for (size_t i = 0; i < n * k; i += k) {
        double most = score[i];

        for (size_t c = 1; c < k; c++)
            most = score[i + c] > most ? score[i + c] : most;
        for (size_t c = 0; c < k; c++)
            p[i + c] = score[i + c] - most;
    }
    fm_exp_all(p, n * k, p);
    for (size_t i = 0; i < n * k; i += k) {
        double sum = 0;

        for (size_t c = 0; c < k; c++)
            sum += p[i + c];
        for (size_t c = 0; c < k; c++)
            p[i + c] /= sum;
    }
}

/* -log p of the right class over rows at..at + n - 1. */
static double
class_loss(const struct objective *o, const double *p, size_t at, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum -=
            objective_weight(o, at + i) *
            fm_log(fmax(p[i * o->k + (size_t)o->y[at + i]], MIN_PROBABILITY));
    return sum;
}

static double
squared_gradients(const struct objective *o, const double *score, size_t begin,
                  size_t end, struct gradient *g)
{
    double loss = 0;

    for (size_t i = begin; i < end; i++) {
        double d = score[i] - o->y[i];

        g[i] = (struct gradient){(float)d, 1};
        loss += objective_weight(o, i) * (d * d);
    }
    return loss;
}

static double
binary_gradients(const struct objective *o, const double *score, size_t begin,
                 size_t end, struct gradient *g, bool want_loss)
{
    double p[OBJECTIVE_BLOCK], loss = 0;

    for (size_t at = begin; at < end; at += OBJECTIVE_BLOCK) {
        size_t n = end - at < OBJECTIVE_BLOCK ? end - at : OBJECTIVE_BLOCK;

        fm_sigmoid_all(score + at, n, p);
        gradient_choose()->binary(p, o->y + at, n, MIN_HESSIAN, g + at);
        for (size_t i = 0; want_loss && i < n; i++)
            loss +=
                objective_weight(o, at + i) * binary_loss(p[i], o->y[at + i]);
    }
    return loss;
}

static double
multiclass_gradients(const struct objective *o, const double *score,
                     size_t begin, size_t end, struct gradient *g,
                     bool want_loss)
{
    double p[OBJECTIVE_BLOCK], loss = 0;
    double factor = (double)o->k / (double)(o->k - 1);
    size_t rows = OBJECTIVE_BLOCK / o->k;

    for (size_t at = begin; at < end; at += rows) {
        size_t m = end - at < rows ? end - at : rows;

        softmax(score + at * o->k, m, o->k, p);
        for (size_t i = 0; i < m * o->k; i++) {
            size_t row = at + i / o->k, c = i % o->k;
            double hit = o->y[row] == (double)c;
            double h = factor * p[i] * (1 - p[i]);

            g[c * o->n + row].g = (float)(p[i] - hit);
            g[c * o->n + row].h = (float)(h > MIN_HESSIAN ? h : MIN_HESSIAN);
        }
        if (want_loss)
            loss += class_loss(o, p, at, m);
    }
    return loss;
}

/* Each class against the others; p of a block at a time. */
static double
ova_gradients(const struct objective *o, const double *score, size_t begin,
              size_t end, struct gradient *g, bool want_loss)
{
    double p[OBJECTIVE_BLOCK], loss = 0;
    size_t rows = OBJECTIVE_BLOCK / o->k;

    for (size_t at = begin; at < end; at += rows) {
        size_t m = end - at < rows ? end - at : rows;

        fm_sigmoid_all(score + at * o->k, m * o->k, p);
        for (size_t i = 0; i < m * o->k; i++) {
            size_t row = at + i / o->k, c = i % o->k;
            double hit = o->y[row] == (double)c, h = p[i] * (1 - p[i]);

            if (g)
                g[c * o->n + row] = (struct gradient){
                    (float)(p[i] - hit),
                    (float)(h > MIN_HESSIAN ? h : MIN_HESSIAN)};
            if (want_loss)
                loss += objective_weight(o, row) * binary_loss(p[i], hit);
        }
    }
    return loss;
}

/* What objective_look() has found; without weights only where it is the
 * caller's own. */
static double
found_gradients(const struct objective *o, size_t begin, size_t end,
                struct gradient *g)
{
    double loss = 0;

    for (size_t i = begin; i < end; i++) {
        double w = o->rule.loss == LOSS_OWN ? objective_weight(o, i) : 1;

        loss += w * o->found[i];
        if (g)
            g[i] = (struct gradient){
                (float)(w * o->found_g[i]),
                (float)(w * fmax(o->found_h[i], MIN_HESSIAN))};
    }
    return loss;
}

static void
weigh(const struct objective *o, size_t begin, size_t end, struct gradient *g)
{
    for (size_t c = 0; o->weight && c < o->k; c++)
        for (size_t i = begin; i < end; i++) {
            struct gradient *to = &g[c * o->n + i];

            to->g = (float)(o->weight[i] * (double)to->g);
            to->h = (float)(o->weight[i] * (double)to->h);
        }
}

void
objective_gradients(const struct objective *o, const double *score,
                    size_t begin, size_t end, struct gradient *g, double *loss)
{
    double sum = 0;

    switch (o->rule.loss) {
    case LOSS_SQUARED:
        sum = squared_gradients(o, score, begin, end, g);
        break;
    case LOSS_LOGISTIC:
        sum = binary_gradients(o, score, begin, end, g, loss != NULL);
        break;
    case LOSS_SOFTMAX:
        sum = multiclass_gradients(o, score, begin, end, g, loss != NULL);
        break;
    case LOSS_OVA:
        sum = ova_gradients(o, score, begin, end, g, loss != NULL);
        break;
    case LOSS_COX:
    case LOSS_RANK:
    case LOSS_OWN:
        sum = found_gradients(o, begin, end, g);
        break;
    default:
        sum = objective_point(o, score, begin, end, g, loss != NULL);
        break;
    }
    if (loss)
        *loss = sum;
    if (!o->found)
        weigh(o, begin, end, g);
}

static double
class_losses(const struct objective *o, const double *score, size_t begin,
             size_t end)
{
    double p[OBJECTIVE_BLOCK], sum = 0;
    size_t rows = OBJECTIVE_BLOCK / o->k;

    for (size_t at = begin; at < end; at += rows) {
        size_t m = end - at < rows ? end - at : rows;

        softmax(score + at * o->k, m, o->k, p);
        sum += class_loss(o, p, at, m);
    }
    return sum;
}

static double
binary_losses(const struct objective *o, const double *score, size_t begin,
              size_t end)
{
    double p[OBJECTIVE_BLOCK], sum = 0;

    for (size_t at = begin; at < end; at += OBJECTIVE_BLOCK) {
        size_t m = end - at < OBJECTIVE_BLOCK ? end - at : OBJECTIVE_BLOCK;

        fm_sigmoid_all(score + at, m, p);
        for (size_t i = 0; i < m; i++)
            sum +=
                objective_weight(o, at + i) * binary_loss(p[i], o->y[at + i]);
    }
    return sum;
}

static double
squares(const struct objective *o, const double *score, size_t begin,
        size_t end)
{
    double sum = 0;

    for (size_t i = begin; i < end; i++) {
        double d = score[i] - o->y[i];

        sum += objective_weight(o, i) * (d * d);
    }
    return sum;
}

double
objective_loss(const struct objective *o, const double *score, size_t begin,
               size_t end)
{
    switch (o->rule.loss) {
    case LOSS_SQUARED:
        return squares(o, score, begin, end);
    case LOSS_LOGISTIC:
        return binary_losses(o, score, begin, end);
    case LOSS_SOFTMAX:
        return class_losses(o, score, begin, end);
    case LOSS_OVA:
        return ova_gradients(o, score, begin, end, NULL, true);
    case LOSS_COX:
    case LOSS_RANK:
    case LOSS_OWN:
        return found_gradients(o, begin, end, NULL);
    default:
        return objective_point(o, score, begin, end, NULL, true);
    }
}

/* ---- scores to predictions ---- */

/* Each class by itself, made to sum to 1. */
static void
ova_transform(double *score, size_t n, size_t k)
{
    fm_sigmoid_all(score, n * k, score);
    for (size_t i = 0; i < n * k; i += k) {
        double sum = 0;

        for (size_t c = 0; c < k; c++)
            sum += score[i + c];
        for (size_t c = 0; c < k; c++)
            score[i + c] = sum > 0 ? score[i + c] / sum : 1 / (double)k;
    }
}

/* Quantiles of one row do not cross: the outputs are put in order, which errs
 * no more than they do (Chernozhukov, Fernandez-Val, Galichon 2010). */
static void
order_quantiles(double *score, size_t n, size_t k)
{
    for (size_t i = 0; i < n * k; i += k)
        for (size_t c = 1; c < k; c++) {
            double v = score[i + c];
            size_t at = c;

            for (; at > 0 && score[i + at - 1] > v; at--)
                score[i + at] = score[i + at - 1];
            score[i + at] = v;
        }
}

void
objective_transform(const struct loss_rule *rule, enum problem problem,
                    double *score, size_t n, size_t k)
{
    if (rule->loss == LOSS_OVA)
        ova_transform(score, n, k);
    else if (rule->loss == LOSS_QUANTILE)
        order_quantiles(score, n, k);
    else if (loss_is_log(rule->loss))
        fm_exp_all(score, n * k, score);
    else if (problem == PROBLEM_BINARY)
        fm_sigmoid_all(score, n, score);
    else if (problem == PROBLEM_MULTICLASS)
        softmax(score, n, k, score);
}
