/* engine/trees/objective.c -- losses and their gradients.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/objective.h"

#include <float.h>
#include <math.h>

#include "base/fmath.h"

enum { BLOCK = 1024 }; /* probabilities found together */

/* Hessians never vanish: a leaf of rows that are all certain still divides. */
static const double MIN_HESSIAN = 1e-16;
/* As scikit-learn and others clip log loss: 36 nats at most. */
static const double MIN_PROBABILITY = DBL_EPSILON;

struct objective
objective_of(const struct target *t)
{
    return (struct objective){
        .problem = t->problem,
        .n = t->n,
        .k = t->problem == PROBLEM_MULTICLASS ? t->n_classes : 1,
        .y = t->y,
        .weight = t->weight};
}

static double
weight_of(const struct objective *o, size_t i)
{
    return o->weight ? o->weight[i] : 1;
}

static double
weighted_mean(const struct objective *o)
{
    double sum = 0, rows = 0;

    for (size_t i = 0; i < o->n; i++) {
        sum += weight_of(o, i) * o->y[i];
        rows += weight_of(o, i);
    }
    return rows > 0 ? sum / rows : 0;
}

/* Log of the share of a class; half a row stands in for none. */
static double
log_share(const struct objective *o, double class)
{
    double rows = 0, all = 0;

    for (size_t i = 0; i < o->n; i++) {
        rows += o->y[i] == class ? weight_of(o, i) : 0;
        all += weight_of(o, i);
    }
    return fm_log(fmax(rows / all, 0.5 / (double)o->n));
}

void
objective_base(const struct objective *o, double *base)
{
    if (o->n == 0) {
        for (size_t c = 0; c < o->k; c++)
            base[c] = 0;
        return;
    }
    switch (o->problem) {
    case PROBLEM_REGRESSION:
        base[0] = weighted_mean(o);
        break;
    case PROBLEM_BINARY:
        base[0] = log_share(o, 1) - log_share(o, 0);
        break;
    case PROBLEM_MULTICLASS:
        for (size_t c = 0; c < o->k; c++)
            base[c] = log_share(o, (double)c);
        break;
    }
}

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
            weight_of(o, at + i) *
            fm_log(fmax(p[i * o->k + (size_t)o->y[at + i]], MIN_PROBABILITY));
    return sum;
}

static double
regression_gradients(const struct objective *o, const double *score,
                     size_t begin, size_t end, struct gradient *g)
{
    double loss = 0;

    for (size_t i = begin; i < end; i++) {
        double d = score[i] - o->y[i];

        g[i] = (struct gradient){(float)d, 1};
        loss += weight_of(o, i) * (d * d);
    }
    return loss;
}

static double
binary_gradients(const struct objective *o, const double *score, size_t begin,
                 size_t end, struct gradient *g, bool want_loss)
{
    double p[BLOCK], loss = 0;

    for (size_t at = begin; at < end; at += BLOCK) {
        size_t n = end - at < BLOCK ? end - at : BLOCK;

        fm_sigmoid_all(score + at, n, p);
        for (size_t i = 0; i < n; i++) {
            double h = p[i] * (1 - p[i]);

            g[at + i].g = (float)(p[i] - o->y[at + i]);
            g[at + i].h = (float)(h > MIN_HESSIAN ? h : MIN_HESSIAN);
        }
        for (size_t i = 0; want_loss && i < n; i++)
            loss += weight_of(o, at + i) * binary_loss(p[i], o->y[at + i]);
    }
    return loss;
}

static double
multiclass_gradients(const struct objective *o, const double *score,
                     size_t begin, size_t end, struct gradient *g,
                     bool want_loss)
{
    double p[BLOCK], loss = 0;
    double factor = (double)o->k / (double)(o->k - 1);
    size_t rows = BLOCK / o->k;

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

void
objective_gradients(const struct objective *o, const double *score,
                    size_t begin, size_t end, struct gradient *g, double *loss)
{
    double sum = 0;

    switch (o->problem) {
    case PROBLEM_REGRESSION:
        sum = regression_gradients(o, score, begin, end, g);
        break;
    case PROBLEM_BINARY:
        sum = binary_gradients(o, score, begin, end, g, loss != NULL);
        break;
    case PROBLEM_MULTICLASS:
        sum = multiclass_gradients(o, score, begin, end, g, loss != NULL);
        break;
    }
    if (loss)
        *loss = sum;
    for (size_t c = 0; o->weight && c < o->k; c++)
        for (size_t i = begin; i < end; i++) {
            struct gradient *to = &g[c * o->n + i];

            to->g = (float)(o->weight[i] * (double)to->g);
            to->h = (float)(o->weight[i] * (double)to->h);
        }
}

double
objective_loss(const struct objective *o, const double *score, size_t begin,
               size_t end)
{
    double p[BLOCK], sum = 0;
    size_t rows = BLOCK / o->k;

    for (size_t at = begin; at < end; at += rows) {
        size_t m = end - at < rows ? end - at : rows;

        if (o->problem == PROBLEM_MULTICLASS) {
            softmax(score + at * o->k, m, o->k, p);
            sum += class_loss(o, p, at, m);
            continue;
        }
        if (o->problem == PROBLEM_BINARY)
            fm_sigmoid_all(score + at, m, p);
        for (size_t i = 0; i < m; i++) {
            double d = score[at + i] - o->y[at + i];

            sum +=
                weight_of(o, at + i) * (o->problem == PROBLEM_REGRESSION
                                            ? d * d
                                            : binary_loss(p[i], o->y[at + i]));
        }
    }
    return sum;
}

void
objective_transform(enum problem problem, double *score, size_t n, size_t k)
{
    if (problem == PROBLEM_BINARY)
        fm_sigmoid_all(score, n, score);
    else if (problem == PROBLEM_MULTICLASS)
        softmax(score, n, k, score);
}
