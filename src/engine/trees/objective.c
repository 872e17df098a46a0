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

/* -log p of the right class over n rows. */
static double
class_loss(const double *p, const double *y, size_t n, size_t k)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum -= fm_log(fmax(p[i * k + (size_t)y[i]], MIN_PROBABILITY));
    return sum;
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
    double p[BLOCK], loss = 0;

    for (size_t at = begin; at < end; at += BLOCK) {
        size_t n = end - at < BLOCK ? end - at : BLOCK;

        fm_sigmoid_all(score + at, n, p);
        for (size_t i = 0; i < n; i++) {
            double h = p[i] * (1 - p[i]);

            g[at + i].g = (float)(p[i] - y[at + i]);
            g[at + i].h = (float)(h > MIN_HESSIAN ? h : MIN_HESSIAN);
        }
        for (size_t i = 0; want_loss && i < n; i++)
            loss += binary_loss(p[i], y[at + i]);
    }
    return loss;
}

static double
multiclass_gradients(const double *score, const double *y, size_t n, size_t k,
                     size_t begin, size_t end, struct gradient *g,
                     bool want_loss)
{
    double p[BLOCK], loss = 0;
    double factor = (double)k / (double)(k - 1);
    size_t rows = BLOCK / k;

    for (size_t at = begin; at < end; at += rows) {
        size_t m = end - at < rows ? end - at : rows;

        softmax(score + at * k, m, k, p);
        for (size_t i = 0; i < m * k; i++) {
            size_t row = at + i / k, c = i % k;
            double hit = y[row] == (double)c;
            double h = factor * p[i] * (1 - p[i]);

            g[c * n + row].g = (float)(p[i] - hit);
            g[c * n + row].h = (float)(h > MIN_HESSIAN ? h : MIN_HESSIAN);
        }
        if (want_loss)
            loss += class_loss(p, y + at, m, k);
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
    double p[BLOCK], sum = 0;
    size_t rows = BLOCK / k;

    for (size_t at = begin; at < end; at += rows) {
        size_t m = end - at < rows ? end - at : rows;

        if (problem == PROBLEM_MULTICLASS) {
            softmax(score + at * k, m, k, p);
            sum += class_loss(p, y + at, m, k);
            continue;
        }
        if (problem == PROBLEM_BINARY)
            fm_sigmoid_all(score + at, m, p);
        for (size_t i = 0; i < m; i++) {
            double d = score[at + i] - y[at + i];

            sum += problem == PROBLEM_REGRESSION ? d * d
                                                 : binary_loss(p[i], y[at + i]);
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
