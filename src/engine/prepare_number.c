/* engine/prepare_number.c -- steps for numbers: scale and polynomial.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "frame/order.h"

enum { QUANTILES = 1000, MAX_PRODUCTS = 5000, MAX_FACTORS = 3 };

/* The finite values of a column, sorted; caller frees. */
static double *
sorted_values(const struct frame *f, const char *name, size_t *m,
              struct pool *alone, struct error *err)
{
    double *x = step_numbers(f, name, err);

    *m = 0;
    for (size_t i = 0; x && i < frame_rows(f); i++)
        if (isfinite(x[i]))
            x[(*m)++] = x[i];
    if (x && order_numbers(x, *m, alone, err))
        return x;
    free(x);
    return NULL;
}

/* As numpy's percentile: linear, from the nearer end.  A place that is a row's
 * but for rounding is that row's value, not one beside it. */
static double
quantile(const double *x, size_t n, double q)
{
    double at = q * (double)(n - 1), t;
    size_t i;

    if (fabs(at - nearbyint(at)) < 1e-12 * (double)n)
        at = nearbyint(at);
    i = (size_t)at;
    if (i + 1 >= n)
        return x[n - 1];
    t = at - (double)i;
    return t < 0.5 ? x[i] + (x[i + 1] - x[i]) * t
                   : x[i + 1] - (x[i + 1] - x[i]) * (1 - t);
}

/* ---- scale ---- */

static const struct step_rule scale_rule = {
    .words = " standard robust minmax quantile ", .pairs = ""};

static bool
scale_check(const struct step *s, struct error *err)
{
    if (s->words.n_words > 1)
        return error_set(err, ERR_PARSE, "step 'scale' has more than one way");
    return step_words_check(s, &scale_rule, err);
}

/* Numbers of a column by another way than quantiles: shift and width. */
static void
scale_measure(const struct step *s, const double *x, size_t m, double *out)
{
    double sum = 0, squares = 0;

    if (step_has(s, "robust")) {
        out[0] = quantile(x, m, 0.5);
        out[1] = quantile(x, m, 0.75) - quantile(x, m, 0.25);
    } else if (step_has(s, "minmax")) {
        out[0] = x[0];
        out[1] = x[m - 1] - x[0];
    } else {
        for (size_t i = 0; i < m; i++)
            sum += x[i];
        out[0] = sum / (double)m;
        for (size_t i = 0; i < m; i++)
            squares += (x[i] - out[0]) * (x[i] - out[0]);
        out[1] = sqrt(squares / (double)m);
    }
    if (!(out[1] > 0) || !isfinite(1 / out[1]))
        out[1] = 1;
}

static bool
scale_measure_column(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    const struct step_fit *f = ctx;
    struct learnt *l = &f->s->column[i];
    size_t m, n = l->n_numbers;
    double *x = sorted_values(f->in, l->name, &m, alone, err);

    if (!x)
        return false;
    if (m == 0)
        l->name = NULL; /* it has no values, and is left out later */
    else if (!step_has(f->s, "quantile"))
        scale_measure(f->s, x, m, l->number);
    for (size_t q = 0; m > 0 && step_has(f->s, "quantile") && q < n; q++)
        l->number[q] = /* never falls, whatever is rounded */
            q > 0 ? fmax(l->number[q - 1],
                         quantile(x, m, (double)q / (double)(n - 1)))
                  : x[0];
    free(x);
    return true;
}

static bool
scale_fit(struct step_fit *f, struct error *err)
{
    size_t n = frame_rows(f->in) < QUANTILES ? frame_rows(f->in) : QUANTILES;

    n = step_has(f->s, "quantile") ? n : 2;
    for (size_t i = 0; i < f->s->n; i++)
        if (!step_room(f, &f->s->column[i], n, 0, err))
            return false;
    return pool_each(f->pool, f->s->n, scale_measure_column, f, err);
}

static bool
scale_sound(const struct step *s)
{
    bool quantiles = step_has(s, "quantile");

    for (size_t i = 0; i < s->n; i++) {
        const struct learnt *l = &s->column[i];

        if (l->n_texts || (quantiles ? l->n_numbers < 1 : l->n_numbers != 2) ||
            (!quantiles && !(l->number[1] > 0 && isfinite(1 / l->number[1]))))
            return false;
        for (size_t q = 1; quantiles && q < l->n_numbers; q++)
            if (l->number[q - 1] > l->number[q])
                return false;
    }
    return true;
}

/* Where v lies among the quantiles: 0 to the least, 1 from the largest on, equal
 * ones at their middle. */
static double
share_below(const double *q, size_t n, double v)
{
    double below = 0, above = 0;
    size_t low, high;

    if (v <= q[0])
        return 0;
    if (v >= q[n - 1])
        return 1;
    low = sort_below(q, n, v);
    high = sort_up_to(q, n, v);
    if (high > low) { /* on some of them */
        below = (double)low / (double)(n - 1);
        above = (double)(high - 1) / (double)(n - 1);
        return (below + above) / 2;
    }
    return ((double)(low - 1) + (v - q[low - 1]) / (q[low] - q[low - 1])) /
           (double)(n - 1);
}

static bool
scale_column(void *ctx, const struct learnt *l, const struct step_from *from,
             struct step_made *out, struct error *err)
{
    bool quantiles = step_has(from->step, "quantile");
    double *x = step_column_numbers(from->column, l->name, err);
    size_t n = column_rows(from->column);

    (void)ctx;
    for (size_t r = 0; x && r < n; r++) {
        if (r % STEP_LOOK == 0 && !pool_check(from->alone, err)) {
            free(x);
            return false;
        }
        if (!isnan(x[r]))
            x[r] = quantiles ? share_below(l->number, l->n_numbers, x[r])
                             : (x[r] - l->number[0]) / l->number[1];
    }
    return x && step_make(out, l->name, x, n, err);
}

static bool
scale_apply(const struct step *s, struct frame **f, struct pool *pool,
            struct error *err)
{
    return step_remake(s, f, pool, scale_column, NULL, err);
}

const struct step_kind step_scale = {.name = "scale",
                                     .suits = STEP_NUMBERS,
                                     .as_is = true,
                                     .check = scale_check,
                                     .fit = scale_fit,
                                     .sound = scale_sound,
                                     .apply = scale_apply};

/* ---- polynomial ---- */

static const struct step_rule polynomial_rule = {" # interactions ", "", 2,
                                                 MAX_FACTORS, true};

static bool
polynomial_check(const struct step *s, struct error *err)
{
    return step_words_check(s, &polynomial_rule, err);
}

static size_t
degree_of(const struct step *s)
{
    double v;

    for (size_t i = 0; i < s->words.n_words; i++)
        if (str_to_f64(s->words.word[i], &v))
            return (size_t)v;
    return 2;
}

/* The next choice of `d` columns out of n, that never falls: false behind the
 * last. */
static bool
next_choice(size_t *at, size_t d, size_t n, bool apart)
{
    for (size_t i = d; i > 0; i--) {
        size_t most = apart ? n - 1 - (d - i) : n - 1;

        if (at[i - 1] >= most)
            continue;
        at[i - 1]++;
        for (size_t j = i; j < d; j++)
            at[j] = at[j - 1] + apart;
        return true;
    }
    return false;
}

static bool
first_choice(size_t *at, size_t d, size_t n, bool apart)
{
    for (size_t j = 0; j < d; j++)
        at[j] = apart ? j : 0;
    return n > 0 && (!apart || d <= n);
}

static bool
polynomial_fit(struct step_fit *f, struct error *err)
{
    size_t d = degree_of(f->s), n = f->s->n, count = 0, at[MAX_FACTORS];
    bool apart = step_has(f->s, "interactions");

    for (size_t k = 2; k <= d; k++)
        for (bool more = first_choice(at, k, n, apart);
             more && count <= MAX_PRODUCTS; more = next_choice(at, k, n, apart))
            count++;
    return count <= MAX_PRODUCTS ||
           error_set(err, ERR_LIMIT,
                     "over %d products of %zu columns: name fewer with 'on'",
                     MAX_PRODUCTS, n);
}

static bool
nothing_learnt(const struct step *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->column[i].n_numbers || s->column[i].n_texts)
            return false;
    return s->n <= STEP_COLUMNS;
}

/* "a*b", "a^2", "a^2*b" */
static void
product_name(const struct step *s, const size_t *at, size_t d, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0, end; i < d; i = end) {
        for (end = i; end < d && at[end] == at[i];)
            end++;
        buf_printf(out, "%s%s", i ? "*" : "", s->column[at[i]].name);
        if (end - i > 1)
            buf_printf(out, "^%zu", end - i);
    }
}

bool
step_each_product(const struct step *s, step_product_fn *put, void *ctx,
                  struct error *err)
{
    size_t degree = degree_of(s), at[MAX_FACTORS], count = 0;
    bool apart = step_has(s, "interactions"), ok = true;
    struct buf name;

    buf_init(&name);
    for (size_t d = 2; d <= degree && ok; d++)
        for (bool more = first_choice(at, d, s->n, apart);
             more && ok && count++ < MAX_PRODUCTS;
             more = next_choice(at, d, s->n, apart)) {
            product_name(s, at, d, &name);
            ok = buf_check(&name, err) && put(ctx, at, d, name.data);
        }
    buf_fini(&name);
    return ok;
}

/* The columns that products are made of, and the products. */
struct multiplying {
    struct pool *pool;
    double **x;
    size_t n;
    struct step_made made;
    struct error *err;
};

static bool
put_product(void *ctx, const size_t *at, size_t d, const char *name)
{
    struct multiplying *m = ctx;
    double *v = pool_check(m->pool, m->err)
                    ? mem_try_array(m->n, sizeof *v, m->err)
                    : NULL;

    for (size_t r = 0; v && r < m->n; r++) {
        v[r] = m->x[at[0]][r];
        for (size_t i = 1; i < d; i++)
            v[r] *= m->x[at[i]][r];
    }
    return v && step_make(&m->made, name, v, m->n, m->err);
}

static bool
polynomial_apply(const struct step *s, struct frame **f, struct pool *pool,
                 struct error *err)
{
    struct multiplying m = {.pool = pool,
                            .x = mem_try_array(s->n, sizeof *m.x, err),
                            .n = frame_rows(*f),
                            .err = err};
    bool ok = m.x != NULL;

    for (size_t i = 0; i < s->n && ok; i++)
        ok = (m.x[i] = step_numbers(*f, s->column[i].name, err));
    ok = ok && step_each_product(s, put_product, &m, err) &&
         step_made_end(&m.made, f, NULL, err);
    step_made_fini(&m.made);
    for (size_t i = 0; m.x && i < s->n; i++)
        free(m.x[i]);
    free(m.x);
    return ok;
}

const struct step_kind step_polynomial = {.name = "polynomial",
                                          .suits = STEP_NUMBERS,
                                          .check = polynomial_check,
                                          .fit = polynomial_fit,
                                          .sound = nothing_learnt,
                                          .apply = polynomial_apply};
