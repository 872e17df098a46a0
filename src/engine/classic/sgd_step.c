/* engine/classic/sgd_step.c -- a row, and where it moves the weights.
 *
 * One loop over the columns finds the margin, another moves weight and mean.
 * The step of a row is rate g / (1 + rate c |x|^2): with c the curvature of the
 * loss that is what the row would ask for after the step, exactly so for the
 * squared one.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/sgd_state.h"

#include <math.h>

#include "base/fmath.h"

enum { MEAN_WEIGHS = 3 };

static double
rate_of(const struct sgd *s, uint64_t t)
{
    const struct sgd_rule *r = &s->rule;
    double turns = (double)t / (double)s->n;

    switch (r->schedule) {
    case SGD_INVERSE:
        return r->rate * fm_exp(-r->power * fm_log(1 + turns));
    case SGD_OPTIMAL:
        return 1 / (1 / r->rate + r->l2 * (double)t);
    case SGD_CONSTANT:
        break;
    }
    return r->rate;
}

static double
huber(double e, double delta)
{
    double a = fabs(e);

    return a <= delta ? e * e / 2 : delta * (a - delta / 2);
}

/* Is class c the row's? */
static double
side(const struct sgd *s, double y, size_t c)
{
    return (s->k == 1 ? y > 0 : (size_t)y == c) ? 1 : -1;
}

static double
logistic(double *z, double y)
{
    double e = fm_exp(-fabs(*z)), loss;

    loss = fm_log1p(e) + fmax(*z, 0) - y * *z;
    *z = (*z > 0 ? 1 : e) / (1 + e) - y;
    return loss;
}

static double
hinge(const struct sgd *s, double *z, double y)
{
    double sum = 0;

    for (size_t c = 0; c < s->k; c++) {
        double of = side(s, y, c), short_of = 1 - of * z[c];

        sum += fmax(0, short_of);
        z[c] = short_of > 0 ? -of : 0;
    }
    return sum;
}

static double
softmax(const struct sgd *s, double *z, double y)
{
    double sum = 0, top = z[0], of = z[(size_t)y];

    for (size_t c = 1; c < s->k; c++)
        top = fmax(top, z[c]);
    for (size_t c = 0; c < s->k; c++)
        sum += z[c] = fm_exp(z[c] - top);
    for (size_t c = 0; c < s->k; c++)
        z[c] = z[c] / sum - ((size_t)y == c);
    return top + fm_log(sum) - of;
}

double
sgd_loss(const struct sgd *s, double *z, double y)
{
    double d = s->rule.delta, loss;

    switch (s->rule.loss) {
    case SGD_LOGISTIC:
        return logistic(z, y);
    case SGD_HINGE:
        return hinge(s, z, y);
    case SGD_SOFTMAX:
        return softmax(s, z, y);
    case SGD_HUBER:
        loss = huber(z[0] - y, d);
        z[0] = fmin(fmax(z[0] - y, -d), d);
        return loss;
    case SGD_SQUARED:
        break;
    }
    z[0] -= y;
    return z[0] * z[0] / 2;
}

/* What the second derivative of the loss is at most. */
static double
curvature(enum sgd_loss loss)
{
    return loss == SGD_LOGISTIC  ? 0.25
           : loss == SGD_SOFTMAX ? 0.5
           : loss == SGD_HINGE   ? 0
                                 : 1;
}

/* w and its mean after a step of `by` along -x. */
struct move {
    double by, keep, share;
};

/* Lane by lane, which the compiler makes vectors of; width is a multiple. */
static double
dot(const double *w, const double *x, size_t width)
{
    double sum[SGD_LANE] = {0};

    for (size_t j = 0; j < width; j += SGD_LANE)
        for (size_t i = 0; i < SGD_LANE; i++)
            sum[i] += w[j + i] * x[j + i];
    return (sum[0] + sum[4] + (sum[1] + sum[5])) +
           (sum[2] + sum[6] + (sum[3] + sum[7]));
}

static void
move_weights(const double *restrict x, size_t width, const struct move *m,
             double *restrict w, double *restrict mean)
{
    double by = m->by, keep = m->keep, share = m->share;

    for (size_t j = 0; j < width; j += SGD_LANE)
        for (size_t i = 0; i < SGD_LANE; i++) {
            double v = keep * w[j + i] - by * x[j + i];

            w[j + i] = v;
            mean[j + i] += share * (v - mean[j + i]);
        }
}

/* The same with an L1 part.  What it could not take off a weight that came to
 * 0 is owed, and taken when that leaves 0 again: or the noise of the steps
 * would hide the zeros. */
static void
move_and_cut(const double *x, size_t p, const struct move *m, double owed,
             double *w, double *mean, double *paid)
{
    for (size_t j = 0; j < p; j++) {
        double v = m->keep * w[j] - m->by * x[j], before = v;

        if (v > 0)
            v = fmax(0, v - (owed + paid[j]));
        else if (v < 0)
            v = fmin(0, v + (owed - paid[j]));
        paid[j] += v - before;
        w[j] = v;
        mean[j] += m->share * (v - mean[j]);
    }
}

static double
learn_row(struct sgd *s, struct sgd_place *at, size_t i, double rate)
{
    const double *x = s->block.x + i * s->width;
    double weight = s->block.weight ? s->block.weight[i] / s->unit : 1;
    double y = (s->block.y[i] - s->y_mean) / s->y_sd, loss, *z = s->margin;
    double bend = curvature(s->rule.loss) * s->block.norm[i];
    double step = rate * weight / (1 + rate * weight * bend);
    double plain = rate / (1 + rate * bend); /* of a row that weighs 1 */
    struct move m;

    m.keep = 1 / (1 + plain * s->rule.l2);
    at->owed += plain * s->rule.l1;
    m.share = (MEAN_WEIGHS + 1.0) / (MEAN_WEIGHS + 1.0 + (double)at->t);
    for (size_t c = 0; c < s->k; c++)
        z[c] = at->b[c] + dot(at->w + c * s->width, x, s->width);
    loss = weight * sgd_loss(s, z, y);
    for (size_t c = 0; c < s->k; c++) {
        double *w = at->w + c * s->width, *mean = at->mean_w + c * s->width;

        m.by = step * z[c];
        if (s->rule.l1 > 0)
            move_and_cut(x, s->width, &m, at->owed, w, mean,
                         at->paid + c * s->width);
        else
            move_weights(x, s->width, &m, w, mean);
        at->b[c] -= m.by;
        at->mean_b[c] += m.share * (at->b[c] - at->mean_b[c]);
    }
    at->t++;
    return loss;
}

double
sgd_learn(struct sgd *s, struct sgd_place *at, size_t begin, size_t end)
{
    double rate = rate_of(s, at->t), sum = 0;

    for (size_t r = begin; r < end; r++)
        sum += learn_row(s, at, r, rate);
    return sum;
}
