/* engine/prepare_select.c -- keep the columns that tell something.
 *
 *   select variance 0.01  numbers whose variance is above it
 *   select 20 f           the 20 numbers with the largest F of their means by
 *                         class, or of their correlation with a number
 *   select 20 mi          the 20 columns with the most mutual information with
 *                         the target, numbers in tenths
 * What is learnt is the columns that go.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "frame/order.h"

enum { TENTHS = 10, MOST_LEVELS = 1 << 16 };

static const struct step_rule rule = {
    .words = " variance f mi # ", .pairs = "", .high = 1e9};

static bool
number_of(const struct step *s, double *out)
{
    for (size_t i = 0; i < s->words.n_words; i++)
        if (str_to_f64(s->words.word[i], out))
            return true;
    return false;
}

static bool
select_check(const struct step *s, struct error *err)
{
    double n;

    if (!step_words_check(s, &rule, err))
        return false;
    if (s->words.n_words != 2 || !number_of(s, &n) ||
        (!step_has(s, "variance") && !(n >= 1 && n == floor(n))))
        return error_set(err, ERR_PARSE,
                         "step 'select': expected 'variance NUMBER', 'COUNT f' "
                         "or 'COUNT mi'");
    return true;
}

/* ---- scores ---- */

/* Population variance of what is there; 0 where nothing is. */
static double
variance_of(const double *x, size_t n)
{
    double sum = 0, squares = 0, m = 0;

    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) {
            sum += x[i];
            m++;
        }
    for (size_t i = 0; i < n && m > 0; i++)
        if (isfinite(x[i]))
            squares += (x[i] - sum / m) * (x[i] - sum / m);
    return m > 0 ? squares / m : 0;
}

/* F of the correlation with a number. */
static double
f_number(const double *x, const struct target *y)
{
    double n = 0, mx = 0, my = 0, xx = 0, yy = 0, xy = 0, r2;

    for (size_t i = 0; i < y->n; i++)
        if (isfinite(x[i])) {
            n++;
            mx += x[i];
            my += y->y[i];
        }
    for (size_t i = 0; i < y->n; i++)
        if (isfinite(x[i])) {
            double dx = x[i] - mx / n, dy = y->y[i] - my / n;

            xx += dx * dx;
            yy += dy * dy;
            xy += dx * dy;
        }
    if (!(xx > 0) || !(yy > 0))
        return 0;
    r2 = xy * xy / (xx * yy);
    return r2 < 1 ? r2 / (1 - r2) * (n - 2) : HUGE_VAL;
}

/* One-way analysis of variance by class. */
static double
f_classes(const double *x, const struct target *y)
{
    double sum[TARGET_MAX_CLASSES] = {0}, rows[TARGET_MAX_CLASSES] = {0};
    double all = 0, n = 0, between = 0, within = 0, k = 0;

    for (size_t i = 0; i < y->n; i++)
        if (isfinite(x[i])) {
            sum[(size_t)y->y[i]] += x[i];
            rows[(size_t)y->y[i]]++;
            all += x[i];
            n++;
        }
    for (size_t c = 0; c < y->n_classes; c++)
        if (rows[c] > 0) {
            double d = sum[c] / rows[c] - all / n;

            between += rows[c] * d * d;
            k++;
        }
    for (size_t i = 0; i < y->n; i++)
        if (isfinite(x[i])) {
            size_t c = (size_t)y->y[i];
            double d = x[i] - sum[c] / rows[c];

            within += d * d;
        }
    if (k < 2 || n <= k || !(between > 0))
        return 0;
    return within > 0 ? between / (k - 1) / (within / (n - k)) : HUGE_VAL;
}

/* Parts of numbers by their tenths; the last one is what is not there. */
static bool
cut_tenths(const double *x, size_t n, uint32_t *part, size_t *parts,
           struct pool *alone, struct error *err)
{
    double *sorted = mem_try_array(n, sizeof *sorted, err), cut[TENTHS];
    size_t m = 0, k = 0;

    if (!sorted)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            sorted[m++] = x[i];
    if (!order_numbers(sorted, m, alone, err)) {
        free(sorted);
        return false;
    }
    for (size_t q = 1; q < TENTHS && m > 0; q++) {
        double v = sorted[m * q / TENTHS];

        if (v > sorted[0] && (k == 0 || v > cut[k - 1]))
            cut[k++] = v;
    }
    for (size_t i = 0; i < n; i++) {
        part[i] = 0;
        while (part[i] < k && x[i] >= cut[part[i]])
            part[i]++;
        if (isnan(x[i]))
            part[i] = (uint32_t)k + 1;
    }
    *parts = k + 2;
    free(sorted);
    return true;
}

/* In nats. */
static bool
mutual(const uint32_t *a, size_t k, const uint32_t *b, size_t l, size_t n,
       double *out, struct error *err)
{
    double *both, *x = mem_try_array(k, sizeof *x, err);
    double *y = mem_try_array(l, sizeof *y, err);

    both = mem_try_array(k * l, sizeof *both, err);
    *out = 0;
    for (size_t i = 0; x && y && both && i < n; i++) {
        both[a[i] * l + b[i]]++;
        x[a[i]]++;
        y[b[i]]++;
    }
    for (size_t i = 0; x && y && both && i < k * l; i++)
        if (both[i] > 0)
            *out += both[i] / (double)n *
                    fm_log(both[i] * (double)n / (x[i / l] * y[i % l]));
    free(x);
    free(y);
    free(both);
    return x && y && both;
}

static bool
parts_of(const struct frame *f, const char *name, uint32_t *part, size_t *parts,
         struct pool *alone, struct error *err)
{
    const struct column *c;
    size_t col;
    double *x;
    bool ok;

    if (!frame_need(f, name, &col, err))
        return false;
    c = frame_column(f, col);
    if (column_type(c) != COL_TEXT) {
        x = step_numbers(f, name, err);
        ok = x && cut_tenths(x, frame_rows(f), part, parts, alone, err);
        free(x);
        return ok;
    }
    *parts = dict_count(column_dict(c)) + 1;
    if (*parts > MOST_LEVELS)
        return error_set(err, ERR_LIMIT, "column '%s' has over %d levels", name,
                         MOST_LEVELS);
    for (size_t i = 0; i < frame_rows(f); i++)
        part[i] =
            column_is_valid(c, i) ? column_codes(c)[i] : (uint32_t)*parts - 1;
    return true;
}

/* The target in parts: its classes, or tenths. */
static bool
target_parts(const struct target *y, uint32_t *part, size_t *parts,
             struct pool *pool, struct error *err)
{
    *parts = y->n_classes;
    if (y->problem == PROBLEM_REGRESSION)
        return cut_tenths(y->y, y->n, part, parts, pool, err);
    for (size_t i = 0; i < y->n; i++)
        part[i] = (uint32_t)y->y[i];
    return true;
}

/* Columns to be judged against the target. */
struct scoring {
    const struct step_fit *f;
    const uint32_t *of_y; /* the target in parts, for mi */
    size_t parts_y;
    double *score; /* of each column, 0 where it is not judged */
};

static bool
score_parts(const struct scoring *g, size_t i, struct pool *alone,
            struct error *err)
{
    size_t n = frame_rows(g->f->in), parts;
    uint32_t *part = mem_try_array(n, sizeof *part, err);
    bool ok =
        part &&
        parts_of(g->f->in, g->f->s->column[i].name, part, &parts, alone, err) &&
        mutual(part, parts, g->of_y, g->parts_y, n, &g->score[i], err);

    free(part);
    return ok;
}

static bool
score_column(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    const struct scoring *g = ctx;
    const struct step_fit *f = g->f;
    const char *name = f->s->column[i].name;
    size_t col;
    double *x;

    if (step_has(f->s, "mi"))
        return score_parts(g, i, alone, err);
    if (!frame_need(f->in, name, &col, err))
        return false;
    if (column_type(frame_column(f->in, col)) == COL_TEXT)
        return true;
    if (!(x = step_numbers(f->in, name, err)))
        return false;
    g->score[i] = step_has(f->s, "variance") ? variance_of(x, frame_rows(f->in))
                  : f->y->problem == PROBLEM_REGRESSION ? f_number(x, f->y)
                                                        : f_classes(x, f->y);
    free(x);
    return true;
}

/* ---- choosing ---- */

struct scored_column {
    double score;
    size_t at;
};

static int
best_first(const void *a, const void *b)
{
    const struct scored_column *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Of the columns in s those that stay lose their name. */
static void
let_stay(struct step *s, struct scored_column *c, size_t n)
{
    double least = 0;

    (void)number_of(s, &least);
    qsort(c, n, sizeof *c, best_first);
    for (size_t i = 0; i < n; i++)
        if (step_has(s, "variance") ? c[i].score > least : (double)i < least)
            s->column[c[i].at].name = NULL;
}

static bool
scores_make(struct step_fit *f, double *score, struct error *err)
{
    struct scoring g = {.f = f, .score = score};
    size_t n = frame_rows(f->in);
    uint32_t *of_y = mem_try_array(n, sizeof *of_y, err);
    bool ok = of_y && (!step_has(f->s, "mi") ||
                       target_parts(f->y, of_y, &g.parts_y, f->pool, err));

    g.of_y = of_y;
    ok = ok && pool_each(f->pool, f->s->n, score_column, &g, err);
    free(of_y);
    return ok;
}

static bool
select_fit(struct step_fit *f, struct error *err)
{
    struct step *s = f->s;
    size_t k = 0;
    struct scored_column *c = NULL;
    double *score = NULL;
    bool ok;

    if (!step_has(s, "variance") && !f->y)
        return error_set(err, ERR_STATE, "it wants a target");
    ok = (c = mem_try_array(s->n, sizeof *c, err)) &&
         (score = mem_try_array(s->n, sizeof *score, err)) &&
         scores_make(f, score, err);
    for (size_t i = 0; i < s->n && ok; i++) {
        size_t col = (size_t)frame_find(f->in, s->column[i].name);

        if (!step_has(s, "mi") &&
            column_type(frame_column(f->in, col)) == COL_TEXT) {
            s->column[i].name = NULL; /* not judged: it stays */
            continue;
        }
        c[k].at = i;
        c[k++].score = score[i];
    }
    if (ok)
        let_stay(s, c, k);
    free(c);
    free(score);
    return ok;
}

static bool
select_sound(const struct step *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->column[i].n_numbers || s->column[i].n_texts)
            return false;
    return true;
}

static bool
select_apply(const struct step *s, struct frame **f, struct pool *pool,
             struct error *err)
{
    const char **names = mem_try_array(s->n, sizeof *names, err);
    struct frame *next;
    size_t n = 0;

    (void)pool;
    for (size_t i = 0; i < s->n && names; i++)
        if (frame_find(*f, s->column[i].name) >= 0)
            names[n++] = s->column[i].name;
    next = names ? frame_drop(*f, names, n, err) : NULL;
    free(names);
    if (!next)
        return false;
    frame_unref(*f);
    *f = next;
    return true;
}

const struct step_kind step_select = {.name = "select",
                                      .suits = STEP_NUMBERS | STEP_TEXTS,
                                      .check = select_check,
                                      .fit = select_fit,
                                      .sound = select_sound,
                                      .apply = select_apply};
