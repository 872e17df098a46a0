/* engine/target_weight.c -- how much rows count, and which are of one query.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/target.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "frame/rowgroup.h"

enum { STREAM_QUERIES = 0x71756572 };

/* A column of numbers, or NULL. */
static const struct column *
number_column(const struct frame *f, const char *name, const char *role,
              struct error *err)
{
    const struct column *c;
    size_t col;

    if (!frame_need(f, name, &col, err)) {
        error_prefix(err, "%s: ", role);
        return NULL;
    }
    c = frame_column(f, col);
    if (column_type(c) == COL_FLOAT64 || column_type(c) == COL_INT64 ||
        column_type(c) == COL_BOOL)
        return c;
    error_set(err, ERR_TYPE, "%s '%s' is a %s, expected numbers", role, name,
              column_type_word(column_type(c)));
    return NULL;
}

/* Sums of gradients are of 32 and 64 bits. */
#define WEIGHT_LEAST 1e-30
#define WEIGHT_MOST 1e30

static bool
weights_check(const struct column *c, const char *name, const double *w,
              size_t n, struct error *err)
{
    char text[STR_F64_MAX];

    for (size_t i = 0; i < n; i++) {
        if (!column_is_valid(c, i) || isnan(w[i]))
            return error_set(err, ERR_RANGE,
                             "weight '%s' is missing in row %zu", name, i + 1);
        if (isinf(w[i]) || w[i] < 0) {
            str_from_f64(w[i], text);
            return error_set(err, ERR_RANGE,
                             "weight '%s' is %s in row %zu, expected 0 or more",
                             name, text, i + 1);
        }
        if (w[i] > 0 && !(w[i] >= WEIGHT_LEAST && w[i] <= WEIGHT_MOST)) {
            str_from_f64(w[i], text);
            return error_set(err, ERR_RANGE,
                             "weight '%s' is %s in row %zu, expected 0 or %g "
                             "to %g: what counts is their ratio",
                             name, text, i + 1, WEIGHT_LEAST, WEIGHT_MOST);
        }
    }
    return true;
}

/* Take w over, multiplied by the weights that are there. */
static void
weights_put(struct target *t, double *w)
{
    for (size_t i = 0; t->weight && i < t->n; i++)
        w[i] *= t->weight[i];
    free(t->weight);
    t->weight = w;
}

bool
target_weigh(struct target *t, const struct frame *f, const char *name,
             struct error *err)
{
    const struct column *c = number_column(f, name, "weight", err);
    double *w = c ? mem_try_array(t->n, sizeof *w, err) : NULL;

    if (!w)
        return false;
    column_numbers(c, 0, t->n, w);
    if (!weights_check(c, name, w, t->n, err)) {
        free(w);
        return false;
    }
    weights_put(t, w);
    return true;
}

double *
offset_column(const struct frame *f, const char *name, struct error *err)
{
    const struct column *c = number_column(f, name, "offset", err);
    size_t n = frame_rows(f);
    double *x = c ? mem_try_array(n, sizeof *x, err) : NULL;

    if (!x)
        return NULL;
    column_numbers(c, 0, n, x);
    for (size_t i = 0; i < n; i++)
        if (!column_is_valid(c, i) || !isfinite(x[i])) {
            error_set(err, ERR_RANGE,
                      "offset '%s' is missing or not finite in row %zu", name,
                      i + 1);
            free(x);
            return NULL;
        }
    return x;
}

bool
target_group(struct target *t, const struct frame *f, const char *name,
             struct error *err)
{
    struct rowgroup rows = {0};
    const struct column *c;
    size_t col;

    if (!frame_need(f, name, &col, err))
        return error_prefix(err, "group: ");
    c = frame_column(f, col);
    if (column_type(c) == COL_FLOAT64)
        return error_set(err, ERR_TYPE,
                         "group '%s' is a float, expected whole numbers, "
                         "texts or dates",
                         name);
    assert(column_rows(c) == t->n);
    for (size_t i = 0; i < t->n; i++)
        if (!column_is_valid(c, i))
            return error_set(err, ERR_RANGE, "group '%s' is missing in row %zu",
                             name, i + 1);
    if (!rowgroup_find(f, &col, 1, NULL, NULL, &rows, err)) {
        rowgroup_fini(&rows);
        return false;
    }
    free(t->group);
    t->group = rows.group;
    rows.group = NULL;
    rowgroup_fini(&rows);
    return true;
}

size_t
target_groups(const struct target *t)
{
    uint32_t most = 0;

    for (size_t i = 0; t->group && i < t->n; i++)
        most = t->group[i] >= most ? t->group[i] + 1 : most;
    return most;
}

/* order and test: n queries each. */
static void
split_queries(const struct target *t, size_t n, size_t n_test, uint64_t seed,
              uint32_t *order, bool *test, struct split *s)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    rng_shuffle(seed, STREAM_QUERIES, order, n);
    for (size_t i = 0; i < n_test; i++)
        test[order[i]] = true;
    for (size_t i = 0; i < t->n; i++)
        if (test[t->group[i]])
            s->test[s->n_test++] = (uint32_t)i;
        else
            s->train[s->n_train++] = (uint32_t)i;
}

bool
target_split(const struct target *t, double share, uint64_t seed,
             struct split *out, struct error *err)
{
    size_t n = target_groups(t), n_test = (size_t)(share * (double)n + 0.5);
    struct split s = {0};
    uint32_t *order = NULL;
    bool *test = NULL, ok = false;

    if (n < 2)
        return error_set(err, ERR_RANGE,
                         "all rows are of one group: none can be held out");
    n_test = n_test < 1 ? 1 : n_test < n ? n_test : n - 1;
    if ((order = mem_try_array(n, sizeof *order, err)) &&
        (test = mem_try_array(n, sizeof *test, err)) &&
        (s.train = mem_try_array(t->n, sizeof *s.train, err)) &&
        (s.test = mem_try_array(t->n, sizeof *s.test, err))) {
        split_queries(t, n, n_test, seed, order, test, &s);
        ok = true;
    }
    free(order);
    free(test);
    if (ok)
        *out = s;
    else
        split_fini(&s);
    return ok;
}

static void
balanced_factors(const struct target *t, double *factor)
{
    double all = 0;

    for (size_t i = 0; i < t->n; i++)
        factor[(size_t)t->y[i]] += t->weight ? t->weight[i] : 1;
    for (size_t c = 0; c < t->n_classes; c++)
        all += factor[c];
    for (size_t c = 0; c < t->n_classes; c++)
        factor[c] =
            factor[c] > 0 ? all / ((double)t->n_classes * factor[c]) : 0;
}

/* "CLASS=FACTOR"; a class may hold a '=' itself. */
static bool
class_factor(const struct target *t, const char *spec, double *factor,
             struct error *err)
{
    const char *eq = strrchr(spec, '=');
    size_t c;
    double v;

    if (!eq)
        return error_set(err, ERR_RANGE,
                         "class weight '%s', expected balanced or CLASS=WEIGHT",
                         spec);
    c = target_class_named((const char *const *)t->classes, t->n_classes,
                           (struct str){spec, (size_t)(eq - spec)});
    if (c == t->n_classes)
        return error_set(
            err, ERR_RANGE, "class weight '%s': the target has no such class%s",
            spec,
            strchr(spec, '=') == eq ? "" : "; each is told by itself, as No=1");
    if (!str_to_f64(str_of(eq + 1), &v) || !(v >= 0 && v <= 1e100))
        return error_set(err, ERR_RANGE,
                         "class weight '%s', expected a number from 0 to 1e100",
                         spec);
    factor[c] = v;
    return true;
}

bool
target_class_factors(const struct target *t, const char *const *spec,
                     double *factor, struct error *err)
{
    bool balanced = spec[0] && !spec[1] && strcmp(spec[0], "balanced") == 0;
    double most = 0;

    if (t->problem == PROBLEM_REGRESSION)
        return error_set(err, ERR_RANGE,
                         "class weights, but the target has no classes");
    for (size_t c = 0; c < t->n_classes; c++)
        factor[c] = !balanced;
    if (balanced)
        balanced_factors(t, factor);
    for (; !balanced && *spec; spec++)
        if (!class_factor(t, *spec, factor, err))
            return false;
    for (size_t c = 0; c < t->n_classes; c++)
        most = fmax(most, factor[c]);
    return most > 0 ||
           error_set(err, ERR_RANGE, "the weight of every class is 0");
}

bool
target_weigh_classes(struct target *t, const double *factor, struct error *err)
{
    double *w = mem_try_array(t->n, sizeof *w, err);

    if (!w)
        return false;
    for (size_t i = 0; i < t->n; i++)
        w[i] = factor[(size_t)t->y[i]];
    weights_put(t, w);
    return true;
}

bool
target_counts(const struct target *t, struct error *err)
{
    return t->n == 0 || target_total(t) > 0 ||
           error_set(err, ERR_RANGE, "the weight of every row is 0");
}

double
target_total(const struct target *t)
{
    double sum = 0;

    if (!t->weight)
        return (double)t->n;
    for (size_t i = 0; i < t->n; i++)
        sum += t->weight[i];
    return sum;
}
