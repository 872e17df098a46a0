/* engine/neural/loss.c -- what a net is to make small.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/loss.h"

#include <math.h>
#include <string.h>

#include "base/fmath.h"
#include "base/str.h"

static const struct {
    const char *word;
    bool classes;
} kinds[] = {[NET_LOSS_LOGLOSS] = {"logloss", true},
             [NET_LOSS_FOCAL] = {"focal", true},
             [NET_LOSS_BRIER] = {"brier", true},
             [NET_LOSS_SQUARED] = {"squared", false},
             [NET_LOSS_ABSOLUTE] = {"absolute", false},
             [NET_LOSS_HUBER] = {"huber", false},
             [NET_LOSS_QUANTILE] = {"quantile", false}};
enum { N_KINDS = sizeof kinds / sizeof *kinds };
/* Below this no probability goes in a logarithm. */
#define LEAST 1e-15

/* ---- from text ---- */

static bool
term_kind(struct str word, bool classes, struct loss_term *t, struct error *err)
{
    for (unsigned k = 0; k < N_KINDS; k++) {
        struct str rest = word;
        size_t n = strlen(kinds[k].word);

        if (kinds[k].classes != classes || !str_starts(word, kinds[k].word))
            continue;
        rest = (struct str){word.p + n, word.n - n};
        t->kind = (enum loss_kind)k;
        t->share = 0.5;
        if (k != NET_LOSS_QUANTILE
                ? rest.n == 0
                : rest.n == 0 || (str_to_f64(rest, &t->share) && t->share > 0 &&
                                  t->share < 1))
            return true;
    }
    return error_set(err, ERR_RANGE, "loss '%.*s', expected one of %s",
                     (int)(word.n < 32 ? word.n : 32), word.p,
                     classes ? "logloss, focal, brier"
                             : "squared, absolute, huber, quantile0.9");
}

/* "0.3 absolute" */
static bool
term_parse(struct str s, bool classes, struct loss_term *t, struct error *err)
{
    size_t n = 0;

    t->weight = 1;
    while (n < s.n && s.p[n] != ' ')
        n++;
    if (n < s.n) {
        if (!str_to_f64((struct str){s.p, n}, &t->weight) || !(t->weight > 0) ||
            t->weight > 1e6)
            return error_set(err, ERR_RANGE,
                             "loss '%.*s', expected a weight over 0 and a "
                             "name: 0.3 absolute",
                             (int)(s.n < 32 ? s.n : 32), s.p);
        s = str_trim((struct str){s.p + n, s.n - n});
    }
    return term_kind(s, classes, t, err);
}

bool
loss_init(struct loss *l, const char *text, enum problem problem, size_t k,
          double smooth, struct error *err)
{
    bool classes = problem != PROBLEM_REGRESSION;
    struct str s = str_trim(str_of(text));

    *l = (struct loss){.problem = problem, .k = k, .smooth = smooth};
    if (str_is(s, "auto"))
        s = classes ? STR("logloss") : STR("squared");
    while (true) {
        const char *plus = s.n ? memchr(s.p, '+', s.n) : NULL;
        size_t n = plus ? (size_t)(plus - s.p) : s.n;

        if (l->n_terms == NET_LOSS_MAX_TERMS)
            return error_set(err, ERR_RANGE, "loss: over %d terms",
                             NET_LOSS_MAX_TERMS);
        if (!term_parse(str_trim((struct str){s.p, n}), classes,
                        &l->term[l->n_terms++], err))
            return false;
        if (!plus)
            return true;
        s = (struct str){plus + 1, s.n - n - 1};
    }
}

const char *
loss_metric(const struct loss *l)
{
    if (l->n_terms != 1 || l->smooth > 0)
        return NULL;
    return l->term[0].kind == NET_LOSS_LOGLOSS   ? "logloss"
           : l->term[0].kind == NET_LOSS_SQUARED ? "rmse"
                                                 : NULL;
}

/* ---- answers ---- */

void
loss_answer(enum problem problem, const float *answer, size_t k, double *out)
{
    double top = (double)answer[0], sum = 0;

    if (problem == PROBLEM_REGRESSION) {
        out[0] = (double)answer[0];
        return;
    }
    if (problem == PROBLEM_BINARY) {
        out[0] = fm_sigmoid((double)answer[0]);
        return;
    }
    for (size_t c = 1; c < k; c++)
        top = (double)answer[c] > top ? (double)answer[c] : top;
    for (size_t c = 0; c < k; c++)
        out[c] = (double)answer[c] - top;
    fm_exp_all(out, k, out);
    for (size_t c = 0; c < k; c++)
        sum += out[c];
    for (size_t c = 0; c < k; c++)
        out[c] /= sum;
}

/* ---- losses ---- */

static double
number_term(const struct loss_term *t, double error, double *slope)
{
    double size = fabs(error), sign = error > 0 ? 1 : error < 0 ? -1 : 0;

    switch (t->kind) {
    case NET_LOSS_ABSOLUTE:
        *slope = sign;
        return size;
    case NET_LOSS_HUBER:
        *slope = size < 1 ? error : sign;
        return size < 1 ? 0.5 * error * error : size - 0.5;
    case NET_LOSS_QUANTILE:
        *slope = error > 0 ? 1 - t->share : -t->share;
        return *slope * error;
    default:
        *slope = error;
        return 0.5 * error * error;
    }
}

static double
number_row(const struct loss *l, double error, double scale, float *grad)
{
    double sum = 0, d = 0;

    for (size_t i = 0; i < l->n_terms; i++) {
        double slope, v = number_term(&l->term[i], error, &slope);

        sum += l->term[i].weight * v;
        d += l->term[i].weight * slope;
    }
    grad[0] = (float)(d * scale);
    return sum;
}

static double
safe_log(double p)
{
    return fm_log(p > LEAST ? p : LEAST);
}

/* The gradient by the scores: that by the probabilities, v, through softmax
 * is p_c (v_c - sum over k of p_k v_k); of logloss it is p - truth, which
 * holds where a probability is 0, too. */
static void
through_softmax(const double *p, const double *v, size_t n, double weight,
                double *d)
{
    double mean = 0;

    for (size_t c = 0; c < n; c++)
        mean += p[c] * v[c];
    for (size_t c = 0; c < n; c++)
        d[c] += weight * p[c] * (v[c] - mean);
}

static double
class_term(const struct loss_term *t, const double *p, const double *truth,
           size_t n, double *d)
{
    double v[TARGET_MAX_CLASSES], sum = 0;

    for (size_t c = 0; c < n; c++) {
        double rest = 1 - p[c], log_p, error = p[c] - truth[c];

        switch (t->kind) {
        case NET_LOSS_LOGLOSS:
            if (truth[c] > 0)
                sum -= truth[c] * safe_log(p[c]);
            d[c] += t->weight * error;
            break;
        case NET_LOSS_FOCAL:
            log_p = truth[c] > 0 ? safe_log(p[c]) : 0;
            sum -= truth[c] * rest * rest * log_p;
            v[c] = truth[c] * (2 * rest * log_p -
                               rest * rest / (p[c] > LEAST ? p[c] : LEAST));
            break;
        default:
            sum += error * error;
            v[c] = 2 * error;
        }
    }
    if (t->kind != NET_LOSS_LOGLOSS)
        through_softmax(p, v, n, t->weight, d);
    return sum;
}

double
loss_row(const struct loss *l, const float *answer, double y, double scale,
         float *grad)
{
    double p[TARGET_MAX_CLASSES], truth[TARGET_MAX_CLASSES];
    double d[TARGET_MAX_CLASSES], sum = 0;
    bool two = l->problem == PROBLEM_BINARY;
    size_t n = two ? 2 : l->k;

    if (l->problem == PROBLEM_REGRESSION)
        return number_row(l, (double)answer[0] - y, scale, grad);
    loss_answer(l->problem, answer, l->k, p);
    /* Two classes are a softmax of 0 and the one score. */
    if (two) {
        p[1] = p[0];
        p[0] = fm_sigmoid(-(double)answer[0]);
    }
    for (size_t c = 0; c < n; c++) {
        truth[c] = l->smooth / (double)n + (c == (size_t)y ? 1 - l->smooth : 0);
        d[c] = 0;
    }
    for (size_t i = 0; i < l->n_terms; i++)
        sum += l->term[i].weight * class_term(&l->term[i], p, truth, n, d);
    for (size_t c = 0; c < l->k; c++)
        grad[c] = (float)(d[two ? 1 : c] * scale);
    return sum;
}
