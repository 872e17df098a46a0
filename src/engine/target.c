/* engine/target.c -- what is learnt.
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

const char *
problem_word(enum problem p)
{
    switch (p) {
    case PROBLEM_BINARY:
        return "binary";
    case PROBLEM_MULTICLASS:
        return "multiclass";
    case PROBLEM_REGRESSION:
        return "regression";
    case PROBLEM_NONE:
        return "none";
    }
    return "?";
}

bool
problem_has_classes(enum problem p)
{
    return p == PROBLEM_BINARY || p == PROBLEM_MULTICLASS;
}

/* Distinct values of a numeric column, ascending, up to `max` of them; one
 * more is counted and ends the search. */
static size_t
distinct_numbers(const double *y, size_t n, double *out, size_t max)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        size_t low = 0, high = k;

        while (low < high) {
            size_t mid = (low + high) / 2;

            if (out[mid] < y[i])
                low = mid + 1;
            else
                high = mid;
        }
        if (low < k && out[low] == y[i])
            continue;
        if (k == max)
            return max + 1;
        memmove(out + low + 1, out + low, (k - low) * sizeof *out);
        out[low] = y[i];
        k++;
    }
    return k;
}

static int
by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Distinct texts that occur in the rows, in bytewise order; caller frees.
 * *n is TARGET_MAX_CLASSES + 1 when there are more than that. */
static struct str *
distinct_texts(const struct column *c, size_t *n, struct error *err)
{
    const uint32_t *codes = column_codes(c);
    const uint64_t *valid = column_validity(c);
    size_t n_codes = dict_count(column_dict(c)), k = 0;
    uint8_t *seen = mem_try_array(n_codes, 1, err);
    struct str *out = mem_try_array(TARGET_MAX_CLASSES + 1, sizeof *out, err);

    if (!seen || !out) {
        free(seen);
        free(out);
        return NULL;
    }
    for (size_t i = 0; i < column_rows(c) && k <= TARGET_MAX_CLASSES; i++)
        if (column_bit(valid, i) && !seen[codes[i]]) {
            seen[codes[i]] = 1;
            out[k++] = dict_text(column_dict(c), codes[i]);
        }
    qsort(out, k, sizeof *out, by_text);
    free(seen);
    *n = k;
    return out;
}

/* Rows without a target cannot be learnt from, nor judged. */
static bool
target_column(const struct frame *f, const char *name,
              const struct column **out, struct error *err)
{
    size_t col, n_missing = 0;
    const struct column *c;

    if (!frame_need(f, name, &col, err))
        return error_prefix(err, "target: ");
    c = frame_column(f, col);
    if (column_type(c) == COL_DATE || column_type(c) == COL_TIMESTAMP)
        return error_set(err, ERR_TYPE,
                         "target '%s' is a %s, expected a number, text or bool",
                         name, column_type_word(column_type(c)));
    if (column_rows(c) == 0)
        return error_set(err, ERR_RANGE, "target '%s' has no rows", name);
    n_missing = column_missing(c);
    if (column_type(c) == COL_FLOAT64) {
        const double *x = column_float64s(c);

        for (size_t i = 0; i < column_rows(c); i++) {
            if (isinf(x[i]))
                return error_set(err, ERR_RANGE,
                                 "target '%s' is infinite in row %zu", name,
                                 i + 1);
            n_missing += isnan(x[i]) != 0;
        }
    }
    if (n_missing)
        return error_set(err, ERR_RANGE,
                         "target '%s' is missing in %zu of %zu rows: keep "
                         "those where %s is not null",
                         name, n_missing, column_rows(c), name);
    *out = c;
    return true;
}

static bool
classes_add(struct target *t, const char *p, size_t len, struct error *err)
{
    char *text = mem_try_text(p, len, err);

    if (text)
        t->classes[t->n_classes++] = text;
    return text != NULL;
}

static bool
classes_check(const struct target *t, const char *name, size_t k,
              struct error *err)
{
    if (k < 2)
        return error_set(err, ERR_RANGE,
                         "target '%s' has one value only: nothing to learn",
                         name);
    if (k > TARGET_MAX_CLASSES)
        return error_set(err, ERR_RANGE,
                         "target '%s' has over %d classes: not a class", name,
                         TARGET_MAX_CLASSES);
    if (t->problem == PROBLEM_BINARY && k != 2)
        return error_set(err, ERR_RANGE,
                         "target '%s' has %zu classes, expected 2", name, k);
    return true;
}

static bool
fit_texts(const struct column *c, const char *name, int problem,
          struct target *t, struct error *err)
{
    size_t k = 0, n_codes = dict_count(column_dict(c));
    struct str *texts = NULL;
    uint32_t *map = NULL;
    bool ok = false;

    if (problem == PROBLEM_REGRESSION)
        return error_set(err, ERR_TYPE,
                         "target '%s' is text: a regression needs numbers",
                         name);
    if (!(texts = distinct_texts(c, &k, err)) ||
        !(map = mem_try_array(n_codes, sizeof *map, err)))
        goto out;
    t->problem = problem >= 0 ? (enum problem)problem
                 : k == 2     ? PROBLEM_BINARY
                              : PROBLEM_MULTICLASS;
    if (!classes_check(t, name, k, err) ||
        !(t->classes = mem_try_array(k, sizeof *t->classes, err)))
        goto out;
    for (size_t i = 0; i < k; i++) {
        /* A model file is JSON: what it cannot say cannot come back. */
        if (!str_utf8_valid(texts[i])) {
            error_set(err, ERR_PARSE,
                      "target '%s' holds text that is not UTF-8", name);
            goto out;
        }
        if (!classes_add(t, texts[i].p, texts[i].n, err))
            goto out;
        map[dict_find(column_dict(c), texts[i])] = (uint32_t)i;
    }
    for (size_t i = 0; i < t->n; i++)
        t->y[i] = map[column_codes(c)[i]];
    ok = true;
out:
    free(texts);
    free(map);
    return ok;
}

static enum problem
problem_guess(enum col_type type, size_t k)
{
    if (type == COL_BOOL || k == 2)
        return PROBLEM_BINARY;
    return type == COL_INT64 && k <= 20 ? PROBLEM_MULTICLASS
                                        : PROBLEM_REGRESSION;
}

static bool
class_name(enum col_type type, double v, struct buf *b, struct error *err)
{
    buf_clear(b);
    if (type == COL_BOOL)
        buf_puts(b, v != 0 ? "true" : "false");
    else
        buf_double(b, v);
    return buf_check(b, err);
}

/* y holds the numbers: turn them into class indices where it is classes. */
static bool
fit_numbers(const struct column *c, const char *name, int problem,
            struct target *t, struct error *err)
{
    double *v = mem_try_array(TARGET_MAX_CLASSES + 1, sizeof *v, err);
    enum col_type type = column_type(c);
    struct buf b;
    bool ok = false;
    size_t k;

    buf_init(&b);
    if (!v)
        goto out;
    column_numbers(c, 0, t->n, t->y);
    k = distinct_numbers(t->y, t->n, v, TARGET_MAX_CLASSES);
    t->problem = problem >= 0 ? (enum problem)problem : problem_guess(type, k);
    if (t->problem == PROBLEM_REGRESSION) {
        ok = k >= 2 || classes_check(t, name, k, err);
        goto out;
    }
    if (!classes_check(t, name, k, err) ||
        !(t->classes = mem_try_array(k, sizeof *t->classes, err)))
        goto out;
    for (size_t i = 0; i < k; i++)
        if (!class_name(type, v[i], &b, err) ||
            !classes_add(t, b.data, b.len, err))
            goto out;
    for (size_t i = 0; i < t->n; i++) {
        size_t j = 0;

        while (v[j] != t->y[i])
            j++;
        t->y[i] = (double)j;
    }
    ok = true;
out:
    buf_fini(&b);
    free(v);
    return ok;
}

static bool
target_begin(struct target *t, size_t n, struct error *err)
{
    memset(t, 0, sizeof *t);
    t->n = n;
    t->y = mem_try_array(n, sizeof *t->y, err);
    return t->y != NULL;
}

bool
target_fit(const struct frame *f, const char *name, int problem,
           struct target *out, struct error *err)
{
    const struct column *c;
    struct target t;
    bool ok;

    if (!target_column(f, name, &c, err) ||
        !target_begin(&t, column_rows(c), err))
        return false;
    ok = column_type(c) == COL_TEXT ? fit_texts(c, name, problem, &t, err)
                                    : fit_numbers(c, name, problem, &t, err);
    if (ok)
        *out = t;
    else
        target_fini(&t);
    return ok;
}

bool
target_none(size_t n, struct target *out, struct error *err)
{
    struct target t;

    if (!target_begin(&t, n, err))
        return false;
    t.problem = PROBLEM_NONE;
    *out = t;
    return true;
}

static bool
classes_copy(const struct target *like, struct target *t, struct error *err)
{
    t->problem = like->problem;
    if (like->n_classes == 0)
        return true;
    if (!(t->classes = mem_try_array(like->n_classes, sizeof *t->classes, err)))
        return false;
    for (size_t i = 0; i < like->n_classes; i++)
        if (!classes_add(t, like->classes[i], strlen(like->classes[i]), err))
            return false;
    return true;
}

static size_t
class_find(const struct target *t, struct str s)
{
    size_t i = 0;

    while (i < t->n_classes && !str_is(s, t->classes[i]))
        i++;
    return i;
}

static bool
class_unknown(const char *name, struct str s, size_t row, struct error *err)
{
    return error_set(err, ERR_RANGE,
                     "target '%s' is '%.*s' in row %zu: not a class the model "
                     "knows",
                     name, (int)(s.n < 64 ? s.n : 64), s.p, row + 1);
}

static bool
apply_texts(const struct column *c, const char *name, struct target *t,
            struct error *err)
{
    size_t n_codes = dict_count(column_dict(c));
    uint32_t *map = mem_try_array(n_codes, sizeof *map, err);
    bool ok = true;

    if (!map)
        return false;
    for (size_t i = 0; i < n_codes; i++)
        map[i] =
            (uint32_t)class_find(t, dict_text(column_dict(c), (uint32_t)i));
    for (size_t i = 0; i < t->n && ok; i++) {
        t->y[i] = map[column_codes(c)[i]];
        if (t->y[i] >= (double)t->n_classes)
            ok = class_unknown(name, column_text(c, i), i, err);
    }
    free(map);
    return ok;
}

static bool
apply_values(const struct column *c, const char *name, struct target *t,
             struct error *err)
{
    struct buf b;
    bool ok = true;

    buf_init(&b);
    column_numbers(c, 0, t->n, t->y);
    for (size_t i = 0; i < t->n && ok; i++) {
        size_t k;

        if (!class_name(column_type(c), t->y[i], &b, err)) {
            ok = false;
            break;
        }
        k = class_find(t, (struct str){b.data, b.len});
        if (k == t->n_classes)
            ok = class_unknown(name, (struct str){b.data, b.len}, i, err);
        t->y[i] = (double)k;
    }
    buf_fini(&b);
    return ok;
}

static bool
apply_regression(const struct column *c, const char *name, struct target *t,
                 struct error *err)
{
    if (column_type(c) == COL_TEXT)
        return error_set(err, ERR_TYPE, "target '%s' is text, expected numbers",
                         name);
    column_numbers(c, 0, t->n, t->y);
    return true;
}

bool
target_apply(const struct target *like, const struct frame *f, const char *name,
             struct target *out, struct error *err)
{
    const struct column *c;
    struct target t;
    bool ok;

    if (!target_column(f, name, &c, err) ||
        !target_begin(&t, column_rows(c), err))
        return false;
    ok = classes_copy(like, &t, err);
    if (ok && like->problem == PROBLEM_REGRESSION)
        ok = apply_regression(c, name, &t, err);
    else if (ok && column_type(c) == COL_TEXT)
        ok = apply_texts(c, name, &t, err);
    else if (ok)
        ok = apply_values(c, name, &t, err);
    if (ok)
        *out = t;
    else
        target_fini(&t);
    return ok;
}

/* Numbered anew by first appearance among the rows taken. */
static bool
take_groups(const struct target *t, const uint32_t *rows, struct target *part,
            struct error *err)
{
    size_t n = target_groups(t), next = 0;
    uint32_t *number = mem_try_array(n, sizeof *number, err);

    if (!number)
        return false;
    for (size_t i = 0; i < part->n; i++) {
        uint32_t *of = &number[t->group[rows[i]]];

        if (*of == 0)
            *of = (uint32_t)++next;
        part->group[i] = *of - 1;
    }
    free(number);
    return true;
}

bool
target_take(const struct target *t, const uint32_t *rows, size_t n,
            struct target *out, struct error *err)
{
    struct target part;

    if (!target_begin(&part, n, err))
        return false;
    if (!classes_copy(t, &part, err)) {
        target_fini(&part);
        return false;
    }
    if ((t->weight &&
         !(part.weight = mem_try_array(n, sizeof *part.weight, err))) ||
        (t->group &&
         !(part.group = mem_try_array(n, sizeof *part.group, err)))) {
        target_fini(&part);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        part.y[i] = t->y[rows[i]];
    for (size_t i = 0; t->weight && i < n; i++)
        part.weight[i] = t->weight[rows[i]];
    if (t->group && !take_groups(t, rows, &part, err)) {
        target_fini(&part);
        return false;
    }
    *out = part;
    return true;
}

struct frame *
target_frame(const struct target *t, struct error *err)
{
    int64_t *y = mem_try_aligned(t->n, sizeof *y, err);
    const char *name = "y";
    struct column *c;

    if (!y)
        return NULL;
    for (size_t i = 0; i < t->n; i++)
        y[i] = (int64_t)t->y[i];
    c = column_new(COL_INT64, t->n, y, NULL, NULL, err);
    return c ? frame_new(t->n, 1, &name, &c, err) : NULL;
}

/* ---- weights and queries ---- */

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
    c = class_find(t, (struct str){spec, (size_t)(eq - spec)});
    if (c == t->n_classes)
        return error_set(err, ERR_RANGE,
                         "class weight '%s': the target has no such class",
                         spec);
    if (!str_to_f64(str_of(eq + 1), &v) || !isfinite(v) || v < 0)
        return error_set(err, ERR_RANGE,
                         "class weight '%s', expected a number of 0 or more",
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

void
target_fini(struct target *t)
{
    free(t->y);
    free(t->weight);
    free(t->group);
    for (size_t i = 0; i < t->n_classes; i++)
        free(t->classes[i]);
    free(t->classes);
    memset(t, 0, sizeof *t);
}
