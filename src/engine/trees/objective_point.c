/* engine/trees/objective_point.c -- losses of numbers that look at each row
 * alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/objective_part.h"

#include <math.h>
#include <stdlib.h>

#include "base/fmath.h"
#include "base/mem.h"

enum { MAX_STEPS = 100 };

static const double MIN_HESSIAN = 1e-16;
/* exp() of more is past any float. */
static const double MAX_LOG = 80;

/* ---- gradients ---- */

/* A block of rows: scores f, targets y; l NULL: no losses. */
struct block {
    size_t n;
    double f[OBJECTIVE_BLOCK], y[OBJECTIVE_BLOCK], g[OBJECTIVE_BLOCK],
        h[OBJECTIVE_BLOCK], l[OBJECTIVE_BLOCK];
};

static void
absolute(struct block *b)
{
    for (size_t i = 0; i < b->n; i++) {
        double d = b->f[i] - b->y[i];

        b->g[i] = (d > 0) - (d < 0);
        b->h[i] = 1;
        b->l[i] = fabs(d);
    }
}

static void
huber(struct block *b, double delta)
{
    for (size_t i = 0; i < b->n; i++) {
        double d = b->f[i] - b->y[i], a = fabs(d);

        b->g[i] = fmin(fmax(d, -delta), delta);
        b->h[i] = 1;
        b->l[i] = a <= delta ? d * d / 2 : delta * (a - delta / 2);
    }
}

static void
quantile(struct block *b, double q)
{
    for (size_t i = 0; i < b->n; i++) {
        double d = b->f[i] - b->y[i];

        b->g[i] = d > 0 ? 1 - q : d < 0 ? -q : 0;
        b->h[i] = 1;
        b->l[i] = d > 0 ? (1 - q) * d : -q * d;
    }
}

static void
exps(struct block *b, double factor, double *out)
{
    for (size_t i = 0; i < b->n; i++)
        out[i] = factor * fmin(fmax(b->f[i], -MAX_LOG), MAX_LOG);
    fm_exp_all(out, b->n, out);
}

static double
log_or_0(double y)
{
    return y > 0 ? fm_log(y) : 0;
}

static void
poisson(struct block *b, bool want_loss)
{
    exps(b, 1, b->h);
    for (size_t i = 0; i < b->n; i++)
        b->g[i] = b->h[i] - b->y[i];
    for (size_t i = 0; want_loss && i < b->n; i++)
        b->l[i] = 2 * (b->y[i] * (log_or_0(b->y[i]) - b->f[i]) + b->g[i]);
}

static void
gamma_loss(struct block *b, bool want_loss)
{
    exps(b, -1, b->h);
    for (size_t i = 0; i < b->n; i++) {
        b->h[i] *= b->y[i];
        b->g[i] = 1 - b->h[i];
    }
    for (size_t i = 0; want_loss && i < b->n; i++)
        b->l[i] = 2 * (-b->g[i] - fm_log(b->y[i]) + b->f[i]);
}

static void
tweedie(struct block *b, double p, bool want_loss)
{
    double q = 2 - p;

    exps(b, 1 - p, b->h);
    exps(b, q, b->g);
    for (size_t i = 0; i < b->n; i++) {
        double low = b->y[i] * b->h[i], high = b->g[i];

        if (want_loss)
            b->l[i] = 2 * ((b->y[i] > 0 ? fm_exp(q * fm_log(b->y[i])) : 0) /
                               ((1 - p) * q) -
                           low / (1 - p) + high / q);
        b->g[i] = high - low;
        b->h[i] = q * high - (1 - p) * low;
    }
}

/* Used to find where scores begin alone: all else is objective.c's. */
static void
logistic(struct block *b)
{
    fm_sigmoid_all(b->f, b->n, b->g);
    for (size_t i = 0; i < b->n; i++) {
        b->h[i] = b->g[i] * (1 - b->g[i]);
        b->g[i] -= b->y[i];
    }
}

static void
derive(const struct loss_rule *r, size_t output, struct block *b,
       bool want_loss)
{
    switch (r->loss) {
    case LOSS_ABSOLUTE:
        absolute(b);
        break;
    case LOSS_HUBER:
        huber(b, r->delta);
        break;
    case LOSS_QUANTILE:
        quantile(b, r->quantile[output]);
        break;
    case LOSS_POISSON:
        poisson(b, want_loss);
        break;
    case LOSS_GAMMA:
        gamma_loss(b, want_loss);
        break;
    case LOSS_TWEEDIE:
        tweedie(b, r->power, want_loss);
        break;
    default:
        logistic(b);
        break;
    }
}

double
objective_point(const struct objective *o, const double *score, size_t begin,
                size_t end, struct gradient *g, bool want_loss)
{
    struct block b;
    double loss = 0;

    for (size_t at = begin; at < end; at += OBJECTIVE_BLOCK)
        for (size_t c = 0; c < o->k; c++) {
            b.n = end - at < OBJECTIVE_BLOCK ? end - at : OBJECTIVE_BLOCK;
            for (size_t i = 0; i < b.n; i++) {
                b.f[i] = score[(at + i) * o->k + c];
                b.y[i] = o->y[at + i];
            }
            derive(&o->rule, c, &b, want_loss);
            for (size_t i = 0; g && i < b.n; i++)
                g[c * o->n + at + i] = (struct gradient){
                    (float)b.g[i], (float)fmax(b.h[i], MIN_HESSIAN)};
            for (size_t i = 0; want_loss && i < b.n; i++)
                loss += objective_weight(o, at + i) * b.l[i];
        }
    return loss;
}

/* ---- targets ---- */

bool
objective_point_check(const struct objective *o, const struct target *y,
                      struct error *err)
{
    enum loss l = o->rule.loss;
    double sum = 0;

    if (l != LOSS_POISSON && l != LOSS_GAMMA && l != LOSS_TWEEDIE)
        return true;
    for (size_t i = 0; i < y->n; i++) {
        if (!(l == LOSS_GAMMA ? y->y[i] > 0 : y->y[i] >= 0))
            return error_set(err, ERR_RANGE,
                             "the target is %g in row %zu, loss=%s expects %s",
                             y->y[i], i + 1, loss_word(l),
                             l == LOSS_GAMMA ? "more than 0" : "0 or more");
        sum += objective_weight(o, i) * y->y[i];
    }
    return y->n == 0 || sum > 0 ||
           error_set(err, ERR_RANGE, "the target is 0 in every row");
}

/* ---- quantiles by selection ---- */

static void
swap(struct residual *a, struct residual *b)
{
    struct residual t = *a;

    *a = *b;
    *b = t;
}

static double
middle_of(double a, double b, double c)
{
    return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* Where the weights up to a value pass the share q of all; halfway between two
 * values where a share ends exactly at one.  Any order of rows gives the same
 * value as long as the weights are summed exactly, and the order is that of the
 * rows. */
static double
quantile_of(struct residual *r, size_t n, double q)
{
    size_t low = 0, high = n;
    double total = 0, aim, below = 0, value, before;

    for (size_t i = 0; i < n; i++)
        total += r[i].w;
    aim = q * total;
    for (;;) {
        double pivot =
            middle_of(r[low].r, r[low + (high - low) / 2].r, r[high - 1].r);
        double less = 0, equal = 0;
        size_t at = low, i = low, end = high;

        while (i < end) {
            if (r[i].r < pivot) {
                less += r[i].w;
                swap(&r[i++], &r[at++]);
            } else if (r[i].r > pivot) {
                swap(&r[i], &r[--end]);
            } else {
                equal += r[i++].w;
            }
        }
        if (at > low && aim < below + less) {
            high = at;
        } else if (end < high && aim >= below + less + equal) {
            below += less + equal;
            low = end;
        } else {
            below += less;
            value = pivot;
            break;
        }
    }
    if (aim != below)
        return value;
    before = -(double)INFINITY;
    for (size_t i = 0; i < n; i++)
        if (r[i].w > 0 && r[i].r < value && r[i].r > before)
            before = r[i].r;
    return isfinite(before) ? before / 2 + value / 2 : value;
}

/* The constant c with the least Huber loss of r - c: steps by the mean of what
 * is clipped, from the median. */
static double
huber_centre(const struct objective *o, struct residual *r)
{
    double delta = o->rule.delta, c = quantile_of(r, o->n, 0.5), total = 0;
    size_t n = o->n;

    for (size_t i = 0; i < n; i++)
        total += r[i].w;
    for (unsigned step = 0;
         step < MAX_STEPS && total > 0 && !progress_stopped(o->ctx->progress);
         step++) {
        double g = 0, h = 0;

        for (size_t i = 0; i < n; i++) {
            double d = r[i].r - c;

            g += r[i].w * fmin(fmax(d, -delta), delta);
            h += fabs(d) <= delta ? r[i].w : 0;
        }
        /* Newton's step where enough rows are within delta to trust it. */
        g /= h > total / 2 ? h : total;
        c += g;
        if (!(fabs(g) > 1e-9 * delta))
            break;
    }
    return c;
}

bool
objective_renews(const struct objective *o)
{
    return o->rule.loss == LOSS_ABSOLUTE || o->rule.loss == LOSS_QUANTILE ||
           o->rule.loss == LOSS_HUBER;
}

/* For Huber one step from the median, as Friedman: deviations beyond delta
 * count as delta. */
double
objective_step(const struct objective *o, size_t output, struct residual *r,
               size_t n)
{
    double c, sum = 0, total = 0;

    if (o->rule.loss == LOSS_QUANTILE)
        return quantile_of(r, n, o->rule.quantile[output]);
    c = quantile_of(r, n, 0.5);
    if (o->rule.loss == LOSS_ABSOLUTE)
        return c;
    for (size_t i = 0; i < n; i++) {
        sum += r[i].w * fmin(fmax(r[i].r - c, -o->rule.delta), o->rule.delta);
        total += r[i].w;
    }
    return total > 0 ? c + sum / total : c;
}

/* ---- where scores begin ---- */

static void
residuals(const struct objective *o, const double *offset, struct residual *r)
{
    for (size_t i = 0; i < o->n; i++)
        r[i] = (struct residual){o->y[i] - (offset ? offset[i] : 0),
                                 objective_weight(o, i)};
}

/* delta from the deviations of the target itself. */
static void
choose_delta(struct objective *o, struct residual *r)
{
    double c = quantile_of(r, o->n, 0.5);

    for (size_t i = 0; i < o->n; i++)
        r[i].r = fabs(r[i].r - c);
    o->rule.delta = quantile_of(r, o->n, 0.9);
    if (!(o->rule.delta > 0))
        o->rule.delta = 1;
}

static bool
base_by_rows(struct objective *o, const double *offset, double *base,
             struct error *err)
{
    struct residual *r = mem_try_array(o->n, sizeof *r, err);
    bool ok = true;

    if (!r)
        return false;
    if (o->rule.loss == LOSS_HUBER && o->rule.delta == 0) {
        residuals(o, offset, r);
        choose_delta(o, r);
    }
    residuals(o, offset, r);
    for (size_t c = 0; c < o->k && (ok = progress_check(o->ctx->progress, err));
         c++)
        base[c] = o->rule.loss == LOSS_HUBER ? huber_centre(o, r)
                                             : objective_step(o, c, r, o->n);
    free(r);
    return ok && progress_check(o->ctx->progress, err);
}

/* Sums of g and h over all rows at offset + c. */
static void
sum_derivatives(const struct objective *o, const double *offset, double c,
                double *g, double *h)
{
    struct block b;

    *g = *h = 0;
    for (size_t at = 0; at < o->n; at += OBJECTIVE_BLOCK) {
        b.n = o->n - at < OBJECTIVE_BLOCK ? o->n - at : OBJECTIVE_BLOCK;
        for (size_t i = 0; i < b.n; i++) {
            b.f[i] = c + (offset ? offset[at + i] : 0);
            b.y[i] = o->y[at + i];
        }
        derive(&o->rule, 0, &b, false);
        for (size_t i = 0; i < b.n; i++) {
            *g += objective_weight(o, at + i) * b.g[i];
            *h += objective_weight(o, at + i) * b.h[i];
        }
    }
}

/* By Newton's method, no step over 2: from an exponent that is far off it
 * would overshoot. */
static double
newton(const struct objective *o, const double *offset, double c)
{
    for (unsigned step = 0;
         step < MAX_STEPS && !progress_stopped(o->ctx->progress); step++) {
        double g, h, by;

        sum_derivatives(o, offset, c, &g, &h);
        by = h > 0 ? fmin(fmax(-g / h, -2), 2) : 0;
        c += by;
        if (!(fabs(by) > 1e-12 * (1 + fabs(c))))
            break;
    }
    return c;
}

bool
objective_point_base(struct objective *o, const double *offset, double *base,
                     struct error *err)
{
    double sum = 0, rows = 0;

    if (objective_renews(o))
        return base_by_rows(o, offset, base, err);
    for (size_t i = 0; i < o->n; i++) {
        sum += objective_weight(o, i) * o->y[i];
        rows += objective_weight(o, i);
    }
    if (!offset) /* the mean, whatever the power */
        base[0] = fm_log(sum / rows);
    else
        base[0] = newton(o, offset, 0);
    return progress_check(o->ctx->progress, err);
}
