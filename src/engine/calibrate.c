/* engine/calibrate.c -- probabilities that come true as often as they say.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/calibrate.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "engine/metric_part.h"

enum {
    NEWTON_STEPS = 100,
    HALVINGS = 20,
    BISECTIONS = 80,
    LOOK_ROWS = 1024, /* between looks whether to stop */
    APPLY_ROWS = 4096 /* of a piece */
};

static const char *const words[CALIBRATE_KINDS] = {"platt", "isotonic",
                                                   "temperature"};

const char *
calibrate_word(enum calibrate_kind kind)
{
    return words[kind];
}

bool
calibrate_kind_of(const char *word, enum calibrate_kind *out, struct error *err)
{
    for (unsigned k = 0; k < CALIBRATE_KINDS; k++)
        if (strcmp(word, words[k]) == 0) {
            *out = (enum calibrate_kind)k;
            return true;
        }
    return error_set(err, ERR_NOTFOUND,
                     "no calibration '%.32s', there are platt, isotonic and "
                     "temperature",
                     word);
}

void
calibration_fini(struct calibration *c)
{
    free(c->slope);
    free(c->offset);
    free(c->n_knots);
    free(c->x);
    free(c->y);
    *c = (struct calibration){0};
}

static double
clipped(double p)
{
    return p < CALIBRATE_LEAST       ? CALIBRATE_LEAST
           : p > 1 - CALIBRATE_LEAST ? 1 - CALIBRATE_LEAST
                                     : p;
}

static double
log_odds(double p)
{
    p = clipped(p);
    return fm_log(p) - fm_log1p(-p);
}

/* ---- one curve ---- */

/* Rows of one class against all others. */
struct curve_data {
    const double *x; /* scores */
    const uint8_t *is;
    const double *weight; /* NULL: all 1 */
    size_t n;
    const struct pool *pool;
};

/* Once it is, sums are of no meaning. */
static bool
is_stopped(const struct pool *pool, size_t row)
{
    return row % LOOK_ROWS == 0 && pool_stopped(pool);
}

static double
weight_at(const struct curve_data *d, size_t i)
{
    return d->weight ? d->weight[i] : 1;
}

/* ---- platt ---- */

struct sigmoid {
    double a, b; /* of a f + b */
};

/* log(1 + exp(-|z|)) and so on, without overflow: the loss of a row whose
 * target is t. */
static double
row_loss(double z, double t)
{
    return z >= 0 ? (1 - t) * z + fm_log1p(fm_exp(-z))
                  : -t * z + fm_log1p(fm_exp(z));
}

static double
loss_of(const struct curve_data *d, struct sigmoid s, double high, double low)
{
    double sum = 0;

    for (size_t i = 0; i < d->n && !is_stopped(d->pool, i); i++)
        sum += weight_at(d, i) *
               row_loss(s.a * d->x[i] + s.b, d->is[i] ? high : low);
    return sum;
}

struct slopes {
    double a, b, aa, ab, bb;
};

static struct slopes
slopes_of(const struct curve_data *d, struct sigmoid s, double high, double low)
{
    /* The ridge keeps the step finite where all scores are one. */
    struct slopes g = {.aa = 1e-12, .bb = 1e-12};

    for (size_t i = 0; i < d->n && !is_stopped(d->pool, i); i++) {
        double f = d->x[i], w = weight_at(d, i);
        double p = fm_sigmoid(s.a * f + s.b), h = w * p * (1 - p);
        double r = w * (p - (d->is[i] ? high : low));

        g.a += r * f;
        g.b += r;
        g.aa += h * f * f;
        g.ab += h * f;
        g.bb += h;
    }
    return g;
}

static struct sigmoid
platt_fit(const struct curve_data *d)
{
    double positive = 0, all = 0, high, low, loss;
    struct sigmoid s = {0};

    for (size_t i = 0; i < d->n; i++) {
        all += weight_at(d, i);
        positive += d->is[i] ? weight_at(d, i) : 0;
    }
    high = (positive + 1) / (positive + 2);
    low = 1 / (all - positive + 2);
    s.b = fm_log((positive + 1) / (all - positive + 1));
    loss = loss_of(d, s, high, low);
    for (unsigned step = 0; step < NEWTON_STEPS; step++) {
        struct slopes g = slopes_of(d, s, high, low);
        double det = g.aa * g.bb - g.ab * g.ab, size = 1, next = loss;
        double da = -(g.bb * g.a - g.ab * g.b) / det;
        double db = -(g.aa * g.b - g.ab * g.a) / det;
        struct sigmoid t = s;
        unsigned i = 0;

        if (pool_stopped(d->pool) || !isfinite(da) || !isfinite(db) ||
            (fabs(g.a) < 1e-10 * all && fabs(g.b) < 1e-10 * all))
            break;
        for (; i < HALVINGS; i++, size /= 2) {
            t = (struct sigmoid){s.a + size * da, s.b + size * db};
            next = loss_of(d, t, high, low);
            if (next < loss)
                break;
        }
        if (i == HALVINGS)
            break;
        s = t;
        loss = next;
    }
    return s;
}

/* ---- isotonic ---- */

struct block {
    double y, w;
    size_t first; /* knot */
};

/* Rows of equal score are one knot: its mean. */
static size_t
knots_make(const struct curve_data *d, const uint32_t *order, double *x,
           double *y, double *w)
{
    size_t n = 0;

    for (size_t i = d->n, end; i > 0; i = end) {
        double sum = 0, all = 0;

        for (end = i; end > 0 && d->x[order[end - 1]] == d->x[order[i - 1]];
             end--) {
            double one = weight_at(d, order[end - 1]);

            all += one;
            sum += d->is[order[end - 1]] ? one : 0;
        }
        if (!(all > 0))
            continue;
        x[n] = d->x[order[i - 1]];
        y[n] = sum / all;
        w[n++] = all;
    }
    return n;
}

/* Neighbours that fall are pooled until none does. */
static void
pool_falling(double *y, const double *w, size_t n, struct block *b)
{
    size_t m = 0;

    for (size_t i = 0; i < n; i++) {
        b[m++] = (struct block){y[i], w[i], i};
        while (m > 1 && b[m - 2].y >= b[m - 1].y) {
            struct block *to = &b[m - 2], *from = &b[m - 1];

            to->y = (to->y * to->w + from->y * from->w) / (to->w + from->w);
            to->w += from->w;
            m--;
        }
    }
    for (size_t j = 0; j < m; j++)
        for (size_t i = b[j].first; i < (j + 1 < m ? b[j + 1].first : n); i++)
            y[i] = b[j].y;
}

/* Knots inside a level say nothing. */
static size_t
knots_thin(double *x, double *y, size_t n)
{
    size_t kept = 0;
    double before = 0;

    for (size_t i = 0; i < n; i++) {
        bool inner = i > 0 && i + 1 < n && y[i] == before && y[i] == y[i + 1];

        before = y[i];
        if (inner)
            continue;
        x[kept] = x[i];
        y[kept++] = y[i];
    }
    return kept;
}

static bool
isotonic_fit(struct calibration *c, const struct curve_data *d, size_t curve,
             struct error *err)
{
    double *x = mem_try_array(d->n, sizeof *x, err), *w = NULL, *more;
    double *y = mem_try_array(d->n, sizeof *y, err);
    uint32_t *order = mem_try_array(d->n, sizeof *order, err);
    struct block *b = mem_try_array(d->n, sizeof *b, err);
    bool ok = x && y && order && b &&
              (w = mem_try_array(d->n, sizeof *w, err)) &&
              metric_order(d->x, 1, d->n, d->pool, order, err);
    size_t n = 0;

    if (ok) {
        n = knots_make(d, order, x, y, w);
        pool_falling(y, w, n, b);
        n = knots_thin(x, y, n);
    }
    if (ok &&
        (ok = (more = mem_try_resize(c->x, c->n_all + n, sizeof *more, err))))
        c->x = more;
    if (ok &&
        (ok = (more = mem_try_resize(c->y, c->n_all + n, sizeof *more, err))))
        c->y = more;
    if (ok) {
        memcpy(c->x + c->n_all, x, n * sizeof *x);
        memcpy(c->y + c->n_all, y, n * sizeof *y);
        c->n_knots[curve] = n;
        c->n_all += n;
    }
    free(x);
    free(y);
    free(w);
    free(order);
    free(b);
    return ok;
}

static double
isotonic_at(const double *x, const double *y, size_t n, double v)
{
    size_t low = 0, high = n - 1;

    if (v <= x[0])
        return y[0];
    if (v >= x[n - 1])
        return y[n - 1];
    while (high - low > 1) {
        size_t mid = (low + high) / 2;

        if (x[mid] <= v)
            low = mid;
        else
            high = mid;
    }
    return y[low] + (y[high] - y[low]) * ((v - x[low]) / (x[high] - x[low]));
}

/* ---- temperature ---- */

/* The slope of the loss in 1 / T: how far the mean log-probability is from that
 * of the true class.  It rises with 1 / T. */
static double
heat_slope(const struct metric_rows *r, double beta)
{
    double sum = 0;

    for (size_t i = 0; i < r->n && !is_stopped(r->pool, i); i++) {
        double w = r->weight ? r->weight[i] : 1, top = -DBL_MAX, all = 0;
        double mean = 0;
        size_t y = (size_t)r->y[i];

        if (r->k == 1) {
            double z = log_odds(r->p[i]);

            sum += w * z * (fm_sigmoid(beta * z) - r->y[i]);
            continue;
        }
        for (size_t c = 0; c < r->k; c++)
            top = fmax(top, fm_log(clipped(r->p[i * r->k + c])));
        for (size_t c = 0; c < r->k; c++) {
            double z = fm_log(clipped(r->p[i * r->k + c]));
            double e = fm_exp(beta * (z - top));

            all += e;
            mean += e * z;
        }
        sum += w * (mean / all - fm_log(clipped(r->p[i * r->k + y])));
    }
    return sum;
}

/* Where the slope is 0, between a temperature of 100 and one of 1/100. */
static double
heat_fit(const struct metric_rows *r)
{
    double low = 0.01, high = 100;

    for (unsigned i = 0;
         i < BISECTIONS && high / low > 1 + 1e-14 && !pool_stopped(r->pool);
         i++) {
        double mid = sqrt(low * high);

        if (heat_slope(r, mid) > 0)
            high = mid;
        else
            low = mid;
    }
    return sqrt(low * high);
}

static void
heat_apply(double beta, double *p, size_t k)
{
    double top = -DBL_MAX, sum = 0;

    if (k == 1) {
        p[0] = fm_sigmoid(beta * log_odds(p[0]));
        return;
    }
    for (size_t c = 0; c < k; c++) {
        p[c] = beta * fm_log(clipped(p[c]));
        top = fmax(top, p[c]);
    }
    for (size_t c = 0; c < k; c++)
        sum += p[c] = fm_exp(p[c] - top);
    for (size_t c = 0; c < k; c++)
        p[c] /= sum;
}

/* ---- all curves ---- */

static bool
curve_fit(struct calibration *c, const struct metric_rows *r, size_t curve,
          double *x, uint8_t *is, struct error *err)
{
    struct curve_data d = {x, is, r->weight, r->n, r->pool};
    double class = r->k == 1 ? 1 : (double)curve;
    struct sigmoid s;

    for (size_t i = 0; i < r->n; i++) {
        double p = r->p[i * r->k + curve];

        is[i] = r->y[i] == class;
        x[i] = c->kind == CALIBRATE_PLATT ? log_odds(p) : p;
    }
    if (c->kind == CALIBRATE_ISOTONIC)
        return isotonic_fit(c, &d, curve, err);
    s = platt_fit(&d);
    c->slope[curve] = s.a;
    c->offset[curve] = s.b;
    return true;
}

static bool
curves_init(struct calibration *c, struct error *err)
{
    return (c->slope = mem_try_array(c->n_curves, sizeof *c->slope, err)) &&
           (c->offset = mem_try_array(c->n_curves, sizeof *c->offset, err)) &&
           (c->n_knots = mem_try_array(c->n_curves, sizeof *c->n_knots, err));
}

bool
calibration_check(enum problem problem, struct error *err)
{
    return problem != PROBLEM_REGRESSION ||
           error_set(err, ERR_RANGE,
                     "probabilities are calibrated, and the target is a "
                     "number");
}

static bool
rows_check(const struct metric_rows *r, struct error *err)
{
    if (!calibration_check(r->problem, err))
        return false;
    for (size_t i = 1; i < r->n; i++)
        if (r->y[i] != r->y[0])
            return true;
    return error_set(err, ERR_RANGE,
                     "calibration wants rows of two classes or more, and %zu "
                     "rows of one were kept for it",
                     r->n);
}

bool
calibration_fit(enum calibrate_kind kind, const struct metric_rows *rows,
                struct calibration *out, struct error *err)
{
    struct calibration c = {.kind = kind, .k = rows->k};
    double *x = NULL;
    uint8_t *is = NULL;
    bool ok;

    c.n_curves = kind == CALIBRATE_TEMPERATURE ? 1 : rows->k;
    ok = rows_check(rows, err) && curves_init(&c, err) &&
         (x = mem_try_array(rows->n, sizeof *x, err)) &&
         (is = mem_try_array(rows->n, 1, err));
    if (ok && kind == CALIBRATE_TEMPERATURE)
        c.slope[0] = heat_fit(rows);
    for (size_t i = 0; i < c.n_curves && ok && kind != CALIBRATE_TEMPERATURE;
         i++)
        ok = curve_fit(&c, rows, i, x, is, err);
    ok = ok && pool_check(rows->pool, err);
    free(x);
    free(is);
    if (ok)
        *out = c;
    else
        calibration_fini(&c);
    return ok;
}

static void
row_apply(const struct calibration *c, double *p)
{
    const double *x = c->x, *y = c->y;
    double sum = 0;

    for (size_t j = 0; j < c->k; j++) {
        if (c->kind == CALIBRATE_PLATT) {
            p[j] = fm_sigmoid(c->slope[j] * log_odds(p[j]) + c->offset[j]);
        } else {
            p[j] = isotonic_at(x, y, c->n_knots[j], p[j]);
            x += c->n_knots[j];
            y += c->n_knots[j];
        }
        sum += p[j];
    }
    for (size_t j = 0; j < c->k && c->k > 1; j++)
        p[j] = sum > 0 ? p[j] / sum : 1 / (double)c->k;
}

struct applying {
    const struct calibration *of;
    double *p;
};

static void
apply_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct applying *a = ctx;
    const struct calibration *c = a->of;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        if (c->kind == CALIBRATE_TEMPERATURE)
            heat_apply(c->slope[0], a->p + i * c->k, c->k);
        else
            row_apply(c, a->p + i * c->k);
}

bool
calibration_apply(const struct calibration *c, double *p, size_t n,
                  struct pool *pool, struct error *err)
{
    struct applying a = {c, p};

    return pool_try(pool, n, APPLY_ROWS, apply_rows, &a, err);
}

/* ---- saving and loading ---- */

void
calibration_save(const struct calibration *c, struct st_writer *st,
                 struct json_writer *w)
{
    json_name(w, "kind");
    json_put_string(w, words[c->kind]);
    json_name(w, "curves");
    json_open(w, '[');
    for (size_t i = 0; i < c->n_curves; i++) {
        json_open(w, '{');
        json_name(w, "slope");
        json_put_double(w, c->slope[i]);
        json_name(w, "offset");
        json_put_double(w, c->offset[i]);
        json_name(w, "knots");
        json_put_i64(w, (int64_t)c->n_knots[i]);
        json_close(w, '}');
    }
    json_close(w, ']');
    if (c->kind == CALIBRATE_ISOTONIC) {
        st_add1(st, "calibrate.x", ST_F64, c->n_all, c->x);
        st_add1(st, "calibrate.y", ST_F64, c->n_all, c->y);
    }
}

static bool
curve_load(const struct json *v, struct calibration *c, size_t i,
           struct error *err)
{
    int64_t knots;

    if (json_type(v) != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "a curve is %s", json_type_word(v));
    if (!json_get_double(v, "slope", &c->slope[i], err) ||
        !json_get_double(v, "offset", &c->offset[i], err) ||
        !json_get_i64(v, "knots", &knots, err))
        return false;
    if (!isfinite(c->slope[i]) || !isfinite(c->offset[i]) || knots < 0 ||
        knots > UINT32_MAX || (knots > 0) != (c->kind == CALIBRATE_ISOTONIC))
        return error_set(err, ERR_CORRUPT, "a bad curve of calibration");
    c->n_knots[i] = (size_t)knots;
    c->n_all += (size_t)knots;
    return true;
}

static bool
knots_load(const struct st_file *f, struct calibration *c, struct error *err)
{
    struct st_tensor x, y;
    size_t at = 0;

    if (!st_need(f, "calibrate.x", ST_F64, (int64_t)c->n_all, &x, err) ||
        !st_need(f, "calibrate.y", ST_F64, (int64_t)c->n_all, &y, err) ||
        !(c->x = mem_try_array(c->n_all, sizeof *c->x, err)) ||
        !(c->y = mem_try_array(c->n_all, sizeof *c->y, err)))
        return false;
    memcpy(c->x, x.data, c->n_all * sizeof *c->x);
    memcpy(c->y, y.data, c->n_all * sizeof *c->y);
    for (size_t j = 0; j < c->n_curves; at += c->n_knots[j++])
        for (size_t i = at; i < at + c->n_knots[j]; i++)
            if (!isfinite(c->x[i]) || !(c->y[i] >= 0 && c->y[i] <= 1) ||
                (i > at && !(c->x[i - 1] < c->x[i] && c->y[i - 1] <= c->y[i])))
                return error_set(err, ERR_CORRUPT, "bad knots of calibration");
    return true;
}

bool
calibration_load(const struct json *o, const struct st_file *f, size_t k,
                 struct calibration *out, struct error *err)
{
    struct calibration c = {.k = k};
    const struct json *a;
    const char *word;
    size_t i = 0;
    bool ok;

    if (!json_get_string(o, "kind", &word, err) ||
        !calibrate_kind_of(word, &c.kind, err) ||
        !json_get_array(o, "curves", &a, err))
        return false;
    c.n_curves = c.kind == CALIBRATE_TEMPERATURE ? 1 : k;
    if (json_len(a) != c.n_curves)
        return error_set(err, ERR_CORRUPT, "%zu curves of calibration for %zu",
                         json_len(a), c.n_curves);
    ok = curves_init(&c, err);
    for (const struct json *v = json_first(a); v && ok; v = json_next(v))
        ok = curve_load(v, &c, i++, err);
    ok = ok && (c.kind != CALIBRATE_ISOTONIC || knots_load(f, &c, err));
    if (ok)
        *out = c;
    else
        calibration_fini(&c);
    return ok;
}
