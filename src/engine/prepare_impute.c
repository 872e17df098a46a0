/* engine/prepare_impute.c -- fill in what is missing.
 *
 * By a value of the column itself, or round by round from the other columns:
 * each column is regressed on the others in turn, those with the fewest gaps
 * first, until nothing moves; applying goes through the same regressions.
 * Source: van Buuren & Groothuis-Oudshoorn 2011, with the least squares of
 * scikit-learn's IterativeImputer(LinearRegression()).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"

enum { ROUNDS = 10, MOST_COLUMNS = 100 };
#define STILL 1e-3 /* of the largest value: nothing moves */

static const char ways[] = " mean median mode iterative indicator ";

static bool
impute_check(const struct step *s, struct error *err)
{
    struct str constant = step_value(s, "constant");
    size_t n = s->words.n_words - step_has(s, "indicator");

    for (size_t i = 0; i < s->words.n_words; i++) {
        struct step one = *s;

        one.words.n_pairs = 0;
        if (!step_words_check(
                &one, &(struct step_rule){.words = ways, .pairs = ""}, err))
            return false;
    }
    if (s->words.n_pairs > (constant.n > 0))
        return error_set(err, ERR_PARSE,
                         "step 'impute': expected constant=VALUE");
    if (n + s->words.n_pairs > 1)
        return error_set(err, ERR_PARSE, "step 'impute' has more than one way");
    return true;
}

static bool
is_text(const struct frame *f, const char *name)
{
    size_t col = (size_t)frame_find(f, name);

    return column_type(frame_column(f, col)) == COL_TEXT;
}

/* ---- by the column itself ---- */

/* The most frequent of sorted values, the least of those. */
static double
mode_of(const double *x, size_t m)
{
    size_t best = 0, most = 0;

    for (size_t i = 0, end; i < m; i = end) {
        for (end = i; end < m && x[end] == x[i];)
            end++;
        if (end - i > most) {
            most = end - i;
            best = i;
        }
    }
    return x[best];
}

static bool
fill_of(const struct step *s, double *x, size_t m, double *out,
        struct error *err)
{
    double sum = 0;

    if (str_to_f64(step_value(s, "constant"), out))
        return true;
    if (step_has(s, "mean") || step_has(s, "iterative")) {
        for (size_t i = 0; i < m; i++)
            sum += x[i];
        *out = sum / (double)m;
        return true;
    }
    if (!order_numbers(x, m, NULL, err))
        return false;
    *out = step_has(s, "mode") ? mode_of(x, m)
           : m % 2             ? x[m / 2]
                               : x[m / 2 - 1] / 2 + x[m / 2] / 2;
    return true;
}

/* number[0] the value, number[1] whether there were gaps. */
static bool
fit_number(struct step_fit *f, struct learnt *l, struct error *err)
{
    size_t n = frame_rows(f->in), m = 0;
    double *x = step_numbers(f->in, l->name, err), v;
    struct str constant = step_value(f->s, "constant");
    bool ok = x && step_room(f, l, 2, 0, err);

    for (size_t i = 0; i < n && ok; i++)
        if (!isnan(x[i]))
            x[m++] = x[i];
    if (ok && constant.n > 0 && !str_to_f64(constant, &v))
        ok = error_set(err, ERR_TYPE,
                       "column '%s' is a number, and the constant is '%.*s'",
                       l->name, (int)(constant.n < 32 ? constant.n : 32),
                       constant.p);
    if (ok && m == 0)
        l->name = NULL; /* nothing to learn: it is left out later */
    else if (ok) {
        l->number[1] = m < n;
        ok = fill_of(f->s, x, m, &l->number[0], err);
        if (ok && !isfinite(l->number[0]))
            ok = error_set(err, ERR_RANGE, "column '%s' has no finite %s",
                           l->name, "value to fill in");
    }
    free(x);
    return ok;
}

/* text[0] the value, number[0] whether there were gaps. */
static bool
fit_text(struct step_fit *f, struct learnt *l, struct error *err)
{
    const struct column *c = step_texts(f->in, l->name, err);
    struct str fill = step_value(f->s, "constant");
    struct step_level *level;
    size_t n, best = 0;

    if (!c || !(level = step_levels(c, &n, err)))
        return false;
    for (size_t i = 1; i < n; i++)
        best = level[i].rows > level[best].rows ? i : best;
    if (fill.n == 0 && n > 0)
        fill = level[best].text;
    free(level);
    if (fill.n == 0) {
        l->name = NULL;
        return true;
    }
    if (!step_room(f, l, 1, 1, err))
        return false;
    l->number[0] = column_missing(c) > 0;
    l->text[0] = arena_text(&f->p->arena, fill.p, fill.n, err);
    return l->text[0] != NULL;
}

static bool
numbers_only(const struct step *s)
{
    return step_has(s, "mean") || step_has(s, "median") ||
           step_has(s, "iterative");
}

static bool fit_rounds(struct step_fit *f, struct error *err);

static bool
impute_fit(struct step_fit *f, struct error *err)
{
    struct step *s = f->s;
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        struct learnt *l = &s->column[i];
        bool text = is_text(f->in, l->name);

        if (text && numbers_only(s)) {
            if (s->words.columns.n > 0)
                return error_set(err, ERR_TYPE,
                                 "column '%s' is text: impute mode or "
                                 "constant=TEXT",
                                 l->name);
            continue;
        }
        if (!(text ? fit_text(f, l, err) : fit_number(f, l, err)))
            return false;
        if (l->name)
            s->column[n++] = *l;
    }
    s->n = n;
    return !step_has(s, "iterative") || fit_rounds(f, err);
}

static bool
impute_sound(const struct step *s)
{
    bool rounds = step_has(s, "iterative");

    for (size_t i = 0; i < s->n; i++) {
        const struct learnt *l = &s->column[i];

        if (rounds) {
            if (l->n_texts || l->n_numbers < 3 ||
                l->n_numbers != s->column[0].n_numbers ||
                (l->n_numbers - 3) % s->n || s->n > MOST_COLUMNS ||
                (l->n_numbers - 3) / s->n > ROUNDS ||
                !(l->number[2] >= 0 && l->number[2] < (double)s->n))
                return false;
        } else if (l->n_texts ? l->n_texts != 1 || l->n_numbers != 1
                              : l->n_numbers != 2) {
            return false;
        }
    }
    return true;
}

static bool
put_text(const struct learnt *l, struct frame **f, struct error *err)
{
    const struct column *c = step_texts(*f, l->name, err);
    size_t n = frame_rows(*f);
    uint32_t *codes = c ? mem_try_aligned(n, sizeof *codes, err) : NULL;
    struct dict *dict = codes ? dict_new(err) : NULL;
    uint32_t *map = NULL, fill;
    bool ok =
        dict &&
        (map = mem_try_array(dict_count(column_dict(c)), sizeof *map, err)) &&
        dict_add_all(dict, column_dict(c), map, err) &&
        dict_add(dict, str_of(l->text[0]), &fill, err);

    for (size_t i = 0; i < n && ok; i++)
        codes[i] = column_is_valid(c, i) ? map[column_codes(c)[i]] : fill;
    free(map);
    if (ok)
        return step_put(f, l->name,
                        column_new(COL_TEXT, n, codes, NULL, dict, err), err);
    dict_unref(dict);
    free(codes);
    return false;
}

/* A 0/1 column beside one that had gaps. */
static bool
put_indicator(const struct learnt *l, struct frame **f, struct error *err)
{
    size_t n = frame_rows(*f), col;
    double *is = mem_try_array(n, sizeof *is, err);
    struct buf name;
    bool ok = is && frame_need(*f, l->name, &col, err);

    buf_init(&name);
    for (size_t i = 0; i < n && ok; i++)
        is[i] = !column_is_valid(frame_column(*f, col), i) ||
                (!l->n_texts && isnan(column_number(frame_column(*f, col), i)));
    step_name(&name, l->name, " ", "was missing");
    if ((ok = ok && buf_check(&name, err)))
        ok = step_put_numbers(f, name.data, is, err);
    else
        free(is);
    buf_fini(&name);
    return ok;
}

static bool
apply_rounds(const struct step *s, struct frame **f, struct error *err);

static bool
impute_apply(const struct step *s, struct frame **f, struct pool *pool,
             struct error *err)
{
    (void)pool;
    for (size_t i = 0; i < s->n && step_has(s, "indicator"); i++) {
        const struct learnt *l = &s->column[i];

        if (l->number[l->n_texts ? 0 : 1] > 0 && !put_indicator(l, f, err))
            return false;
    }
    if (step_has(s, "iterative"))
        return apply_rounds(s, f, err);
    for (size_t i = 0; i < s->n; i++) {
        const struct learnt *l = &s->column[i];
        double *x;

        if (l->n_texts) {
            if (!put_text(l, f, err))
                return false;
            continue;
        }
        if (!(x = step_numbers(*f, l->name, err)))
            return false;
        for (size_t r = 0; r < frame_rows(*f); r++)
            if (isnan(x[r]))
                x[r] = l->number[0];
        if (!step_put_numbers(f, l->name, x, err))
            return false;
    }
    return true;
}

/* ---- round by round ---- */

/* The columns, filled so far, and where they had gaps. */
struct filling {
    size_t n, k;
    double **x;    /* k of n */
    uint8_t **gap; /* k of n */
    size_t *order; /* which column comes when */
    double *a, *b; /* k x k and k: normal equations, scratch */
    double *mean;  /* k, scratch */
    double *moved; /* n: how far a row has moved in a round */
};

static void
filling_fini(struct filling *g)
{
    for (size_t j = 0; j < g->k; j++) {
        if (g->x)
            free(g->x[j]);
        if (g->gap)
            free(g->gap[j]);
    }
    free(g->x);
    free(g->gap);
    free(g->order);
    free(g->a);
    free(g->b);
    free(g->mean);
    free(g->moved);
}

static bool
filling_init(struct filling *g, const struct step *s, const struct frame *f,
             struct error *err)
{
    size_t k = s->n;

    g->n = frame_rows(f);
    if (!(g->x = mem_try_array(k, sizeof *g->x, err)) ||
        !(g->gap = mem_try_array(k, sizeof *g->gap, err)) ||
        !(g->order = mem_try_array(k, sizeof *g->order, err)) ||
        !(g->a = mem_try_array(k * k, sizeof *g->a, err)) ||
        !(g->b = mem_try_array(k, sizeof *g->b, err)) ||
        !(g->mean = mem_try_array(k, sizeof *g->mean, err)) ||
        !(g->moved = mem_try_array(g->n, sizeof *g->moved, err)))
        return false;
    for (size_t j = 0; j < k; j++) {
        g->k = j + 1;
        if (!(g->x[j] = step_numbers(f, s->column[j].name, err)) ||
            !(g->gap[j] = mem_try_array(g->n, 1, err)))
            return false;
        for (size_t i = 0; i < g->n; i++)
            if (!isfinite(g->x[j][i])) {
                g->gap[j][i] = 1;
                g->x[j][i] = s->column[j].number[0];
            }
    }
    return true;
}

/* Means of all columns and the sums of products about them, over the rows
 * where column j is there; its own place holds its products with the others. */
static void
equations(struct filling *g, size_t j)
{
    size_t k = g->k, n = 0;

    memset(g->a, 0, k * k * sizeof *g->a);
    memset(g->mean, 0, k * sizeof *g->mean);
    for (size_t i = 0; i < g->n; i++)
        n += !g->gap[j][i];
    for (size_t c = 0; c < k; c++) {
        for (size_t i = 0; i < g->n; i++)
            g->mean[c] += g->gap[j][i] ? 0 : g->x[c][i];
        g->mean[c] /= (double)n;
    }
    for (size_t c = 0; c < k; c++)
        for (size_t d = 0; d <= c; d++) {
            double sum = 0;

            for (size_t i = 0; i < g->n; i++)
                if (!g->gap[j][i])
                    sum +=
                        (g->x[c][i] - g->mean[c]) * (g->x[d][i] - g->mean[d]);
            g->a[c * k + d] = g->a[d * k + c] = sum;
        }
}

/* Cholesky over the columns but j; a column that the others give has no part.
 * coef[c] becomes its slope, coef[j] the intercept. */
static void
solve(struct filling *g, size_t j, double *coef)
{
    size_t k = g->k;
    double *a = g->a;

    for (size_t c = 0; c < k; c++)
        g->b[c] = a[c * k + j];
    for (size_t c = 0; c < k; c++) {
        double own = a[c * k + c], left = own;

        for (size_t d = 0; d < c; d++)
            left -= d == j ? 0 : a[c * k + d] * a[c * k + d];
        a[c * k + c] =
            c != j && left > 1e-12 * own && left > 0 ? sqrt(left) : 0;
        for (size_t e = c + 1; e < k; e++) {
            double sum = a[e * k + c];

            for (size_t d = 0; d < c; d++)
                sum -= d == j ? 0 : a[e * k + d] * a[c * k + d];
            a[e * k + c] = a[c * k + c] > 0 ? sum / a[c * k + c] : 0;
        }
    }
    for (size_t c = 0; c < k; c++) {
        for (size_t d = 0; d < c; d++)
            g->b[c] -= d == j ? 0 : a[c * k + d] * g->b[d];
        g->b[c] = a[c * k + c] > 0 ? g->b[c] / a[c * k + c] : 0;
    }
    for (size_t c = k; c-- > 0;) {
        for (size_t e = c + 1; e < k; e++)
            g->b[c] -= e == j ? 0 : a[e * k + c] * g->b[e];
        g->b[c] = a[c * k + c] > 0 ? g->b[c] / a[c * k + c] : 0;
    }
    coef[j] = g->mean[j];
    for (size_t c = 0; c < k; c++)
        if (c != j) {
            coef[c] = g->b[c];
            coef[j] -= coef[c] * g->mean[c];
        }
}

/* Fill the gaps of column j, and add up how far each row has moved. */
static void
fill_gaps(struct filling *g, size_t j, const double *coef)
{
    for (size_t i = 0; i < g->n; i++) {
        double v = coef[j];

        if (!g->gap[j][i])
            continue;
        for (size_t c = 0; c < g->k; c++)
            v += c == j ? 0 : coef[c] * g->x[c][i];
        g->moved[i] += fabs(v - g->x[j][i]);
        g->x[j][i] = v;
    }
}

static double
most_moved(const struct filling *g)
{
    double most = 0;

    for (size_t i = 0; i < g->n; i++)
        most = fmax(most, g->moved[i]);
    return most;
}

/* Columns by their gaps, fewest first; the earlier one on a tie. */
static void
order_columns(struct filling *g)
{
    for (size_t j = 0; j < g->k; j++) {
        size_t gaps = 0, at = j;

        for (size_t i = 0; i < g->n; i++)
            gaps += g->gap[j][i];
        g->b[j] = (double)gaps;
        for (; at > 0 && g->b[g->order[at - 1]] > g->b[j]; at--)
            g->order[at] = g->order[at - 1];
        g->order[at] = j;
    }
}

/* number: the value to begin with, whether there were gaps, the place in the
 * order, then k coefficients a round. */
static bool
fit_rounds(struct step_fit *f, struct error *err)
{
    struct step *s = f->s;
    struct filling g = {0};
    double largest = 0, moved = HUGE_VAL;
    size_t rounds = 0;
    bool ok;

    if (s->n > MOST_COLUMNS)
        return error_set(err, ERR_LIMIT,
                         "%zu columns to impute from each other, expected at "
                         "most %d: name them with 'on'",
                         s->n, MOST_COLUMNS);
    ok = filling_init(&g, s, f->in, err);
    for (size_t j = 0; j < s->n && ok; j++) {
        double fill = s->column[j].number[0], gaps = s->column[j].number[1];

        for (size_t i = 0; i < g.n; i++)
            if (!g.gap[j][i])
                largest = fmax(largest, fabs(g.x[j][i]));
        ok = step_room(f, &s->column[j], 3 + ROUNDS * s->n, 0, err);
        if (ok) {
            s->column[j].number[0] = fill;
            s->column[j].number[1] = gaps;
        }
    }
    if (ok)
        order_columns(&g);
    for (; ok && s->n > 1 && rounds < ROUNDS && moved >= STILL * largest;
         rounds++) {
        memset(g.moved, 0, g.n * sizeof *g.moved);
        for (size_t o = 0; o < s->n; o++) {
            size_t j = g.order[o];
            double *coef = s->column[j].number + 3 + rounds * s->n;

            s->column[j].number[2] = (double)o;
            equations(&g, j);
            solve(&g, j, coef);
            fill_gaps(&g, j, coef);
        }
        moved = most_moved(&g);
    }
    for (size_t j = 0; j < s->n && ok; j++) {
        s->column[j].n_numbers = 3 + rounds * s->n;
        for (size_t i = 0; i < s->column[j].n_numbers; i++)
            if (!isfinite(s->column[j].number[i]))
                ok = error_set(err, ERR_RANGE,
                               "column '%s' cannot be told from the others",
                               s->column[j].name);
    }
    filling_fini(&g);
    return ok;
}

static bool
apply_rounds(const struct step *s, struct frame **f, struct error *err)
{
    struct filling g = {0};
    bool ok = s->n == 0 || filling_init(&g, s, *f, err);
    size_t rounds = s->n ? (s->column[0].n_numbers - 3) / s->n : 0;

    for (size_t j = 0; j < s->n && ok; j++)
        g.order[(size_t)s->column[j].number[2]] = j;
    for (size_t r = 0; r < rounds && ok; r++)
        for (size_t o = 0; o < s->n; o++) {
            size_t j = g.order[o];

            fill_gaps(&g, j, s->column[j].number + 3 + r * s->n);
        }
    for (size_t j = 0; j < s->n && ok; j++) {
        ok = step_put_numbers(f, s->column[j].name, g.x[j], err);
        g.x[j] = NULL;
    }
    filling_fini(&g);
    return ok;
}

const struct step_kind step_impute = {.name = "impute",
                                      .suits = STEP_NUMBERS | STEP_TEXTS,
                                      .check = impute_check,
                                      .fit = impute_fit,
                                      .sound = impute_sound,
                                      .apply = impute_apply};
