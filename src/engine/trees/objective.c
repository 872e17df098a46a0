/* engine/trees/objective.c -- losses and their gradients.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/objective.h"

#include <float.h>
#include <math.h>

#include "base/fmath.h"

/* Hessians never vanish: a leaf of rows that are all certain still divides. */
static const double MIN_HESSIAN = 1e-16;
/* As scikit-learn and others clip log loss: 36 nats at most. */
static const double MIN_PROBABILITY = DBL_EPSILON;

static double
mean(const double *y, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += y[i];
    return n > 0 ? sum / (double)n : 0;
}

/* Log of the share of a class; half a row stands in for none. */
static double
log_share(const double *y, size_t n, double class)
{
    double rows = 0;

    for (size_t i = 0; i < n; i++)
        rows += y[i] == class;
    return fm_log(fmax(rows, 0.5) / (double)n);
}

void
objective_base(enum problem problem, const double *y, size_t n, size_t k,
               double *base)
{
    if (n == 0) {
        for (size_t c = 0; c < k; c++)
            base[c] = 0;
        return;
    }
    switch (problem) {
    case PROBLEM_REGRESSION:
        base[0] = mean(y, n);
        break;
    case PROBLEM_BINARY:
        base[0] = log_share(y, n, 1) - log_share(y, n, 0);
        break;
    case PROBLEM_MULTICLASS:
        for (size_t c = 0; c < k; c++)
            base[c] = log_share(y, n, (double)c);
        break;
    }
}

/* -log p(y) for y in {0, 1}, from p = sigmoid(f) and f. */
static double
binary_loss(double p, double y)
{
    return -fm_log(fmax(y > 0.5 ? p : 1 - p, MIN_PROBABILITY));
}

static void
softmax(const double *score, size_t k, double *p)
{
    double most = score[0], sum = 0;

    for (size_t c = 1; c < k; c++)
        most = fmax(most, score[c]);
    for (size_t c = 0; c < k; c++)
        sum += p[c] = fm_exp(score[c] - most);
    for (size_t c = 0; c < k; c++)
        p[c] /= sum;
}

static double
regression_gradients(const double *score, const double *y, size_t begin,
                     size_t end, struct gradient *g)
{
    double loss = 0;

    for (size_t i = begin; i < end; i++) {
        double d = score[i] - y[i];

        g[i] = (struct gradient){(float)d, 1};
        loss += d * d;
    }
    return loss;
}

static double
binary_gradients(const double *score, const double *y, size_t begin, size_t end,
                 struct gradient *g, bool want_loss)
{
    double loss = 0;

    for (size_t i = begin; i < end; i++) {
        double p = fm_sigmoid(score[i]);

        g[i].g = (float)(p - y[i]);
        g[i].h = (float)fmax(p * (1 - p), MIN_HESSIAN);
        if (want_loss)
            loss += binary_loss(p, y[i]);
    }
    return loss;
}

static double
multiclass_gradients(const double *score, const double *y, size_t n, size_t k,
                     size_t begin, size_t end, struct gradient *g,
                     bool want_loss)
{
    double p[TARGET_MAX_CLASSES], loss = 0;
    double factor = (double)k / (double)(k - 1);

    for (size_t i = begin; i < end; i++) {
        softmax(score + i * k, k, p);
        for (size_t c = 0; c < k; c++) {
            double hit = y[i] == (double)c;

            g[c * n + i].g = (float)(p[c] - hit);
            g[c * n + i].h =
                (float)fmax(factor * p[c] * (1 - p[c]), MIN_HESSIAN);
        }
        if (want_loss)
            loss -= fm_log(fmax(p[(size_t)y[i]], MIN_PROBABILITY));
    }
    return loss;
}

void
objective_gradients(enum problem problem, const double *score, const double *y,
                    size_t n, size_t k, size_t begin, size_t end,
                    struct gradient *g, double *loss)
{
    double sum = 0;

    switch (problem) {
    case PROBLEM_REGRESSION:
        sum = regression_gradients(score, y, begin, end, g);
        break;
    case PROBLEM_BINARY:
        sum = binary_gradients(score, y, begin, end, g, loss != NULL);
        break;
    case PROBLEM_MULTICLASS:
        sum = multiclass_gradients(score, y, n, k, begin, end, g, loss != NULL);
        break;
    }
    if (loss)
        *loss = sum;
}

double
objective_loss(enum problem problem, const double *score, const double *y,
               size_t k, size_t begin, size_t end)
{
    double p[TARGET_MAX_CLASSES], sum = 0;

    for (size_t i = begin; i < end; i++) {
        double d = score[i * k] - y[i];

        if (problem == PROBLEM_REGRESSION) {
            sum += d * d;
        } else if (problem == PROBLEM_BINARY) {
            sum += binary_loss(fm_sigmoid(score[i]), y[i]);
        } else {
            softmax(score + i * k, k, p);
            sum -= fm_log(fmax(p[(size_t)y[i]], MIN_PROBABILITY));
        }
    }
    return sum;
}

void
objective_transform(enum problem problem, double *score, size_t n, size_t k)
{
    if (problem == PROBLEM_BINARY)
        for (size_t i = 0; i < n; i++)
            score[i] = fm_sigmoid(score[i]);
    else if (problem == PROBLEM_MULTICLASS)
        for (size_t i = 0; i < n; i++)
            softmax(score + i * k, k, score + i * k);
}
