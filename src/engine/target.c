/* engine/target.c -- what is learnt.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/target.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "frame/order.h"

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

/* A value that is not text, of which `row` is the first. */
struct value {
    uint64_t key; /* order.h: integers of any size are told apart */
    size_t row, number;
};

/* Where a key is among n values, or belongs. */
static size_t
value_place(const struct value *v, size_t n, uint64_t key)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (v[mid].key < key)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void
value_insert(struct value *v, size_t n, size_t at, const struct value *new)
{
    memmove(v + at + 1, v + at, (n - at) * sizeof *v);
    v[at] = *new;
}

/* Distinct values of a column that is not text, ascending, up to `max` of them;
 * one more is counted and ends the search. */
static size_t
distinct_values(const struct column *c, struct value *out, size_t max)
{
    size_t k = 0;

    for (size_t i = 0; i < column_rows(c); i++) {
        struct value new = {.row = i};
        size_t at;

        order_keys(c, i, i + 1, NULL, &new.key);
        at = value_place(out, k, new.key);
        if (at < k && out[at].key == new.key)
            continue;
        if (k == max)
            return max + 1;
        value_insert(out, k++, at, &new);
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

int
target_asked(const char *word)
{
    return !word                             ? TARGET_AUTO
           : strcmp(word, "regression") == 0 ? PROBLEM_REGRESSION
           : strcmp(word, "classes") == 0    ? TARGET_CLASSES
                                             : TARGET_AUTO;
}

static enum problem
problem_guess(enum col_type type, size_t k, int asked)
{
    if (asked >= 0)
        return (enum problem)asked;
    if (type == COL_BOOL || k == 2)
        return PROBLEM_BINARY;
    return asked == TARGET_CLASSES || (type == COL_INT64 && k <= TARGET_INTS)
               ? PROBLEM_MULTICLASS
               : PROBLEM_REGRESSION;
}

/* Is a double the very number?  2^63 is none of 64 bits. */
static bool
int_is_double(int64_t v)
{
    double d = (double)v;

    return d < 9223372036854775808.0 && (int64_t)d == v;
}

/* Whole numbers that a double holds are written as one is, so that a class is
 * the same however its column is read. */
static bool
class_name(const struct column *c, size_t row, struct buf *b, struct error *err)
{
    double v = column_number(c, row);

    buf_clear(b);
    if (column_type(c) == COL_BOOL)
        buf_puts(b, v != 0 ? "true" : "false");
    else if (column_type(c) == COL_INT64 &&
             !int_is_double(column_int64s(c)[row]))
        buf_printf(b, "%" PRId64, column_int64s(c)[row]);
    else
        buf_double(b, v);
    return buf_check(b, err);
}

/* Turn values into class indices where it is classes. */
static bool
fit_values(const struct column *c, const char *name, int problem,
           struct target *t, struct error *err)
{
    struct value *v = mem_try_array(TARGET_MAX_CLASSES + 1, sizeof *v, err);
    struct buf b;
    bool ok = false;
    size_t k;

    buf_init(&b);
    if (!v)
        goto out;
    column_numbers(c, 0, t->n, t->y);
    k = distinct_values(c, v, TARGET_MAX_CLASSES);
    t->problem = problem_guess(column_type(c), k, problem);
    if (t->problem == PROBLEM_REGRESSION) {
        ok = k >= 2 || classes_check(t, name, k, err);
        goto out;
    }
    if (!classes_check(t, name, k, err) ||
        !(t->classes = mem_try_array(k, sizeof *t->classes, err)))
        goto out;
    for (size_t i = 0; i < k; i++)
        if (!class_name(c, v[i].row, &b, err) ||
            !classes_add(t, b.data, b.len, err))
            goto out;
    for (size_t i = 0; i < t->n; i++) {
        uint64_t key;

        order_keys(c, i, i + 1, NULL, &key);
        t->y[i] = (double)value_place(v, k, key);
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
                                    : fit_values(c, name, problem, &t, err);
    if (ok)
        *out = t;
    else
        target_fini(&t);
    return ok;
}

/* A class as a person names it: "1.0" is the number 1, and "TRUE" is true. */
static bool
is_named(const char *class, struct str name)
{
    double a, b;

    if (strcmp(class, "true") == 0 || strcmp(class, "false") == 0)
        return str_eq_nocase(str_of(class), name);
    return str_to_f64(str_of(class), &a) && str_to_f64(name, &b) && a == b;
}

size_t
target_class_named(const char *const *classes, size_t n, struct str name)
{
    size_t c = 0, found = n;

    while (c < n && !str_is(name, classes[c]))
        c++;
    if (c < n)
        return c;
    for (c = 0; c < n; c++)
        if (is_named(classes[c], name)) {
            if (found < n)
                return n;
            found = c;
        }
    return found;
}

bool
target_set_positive(struct target *t, const char *name, const char *positive,
                    struct error *err)
{
    char *second;
    size_t at;

    if (!positive)
        return true;
    if (t->problem != PROBLEM_BINARY)
        return error_set(err, ERR_RANGE,
                         "a positive class is one of two, and the target '%s' "
                         "is %s",
                         name, problem_word(t->problem));
    at = target_class_named((const char *const *)t->classes, 2,
                            str_of(positive));
    if (at == 1)
        return true;
    if (at == 2)
        return error_set(err, ERR_RANGE,
                         "the target '%s' has no class '%.64s' that could be "
                         "the positive one: its classes are '%.64s' and "
                         "'%.64s'",
                         name, positive, t->classes[0], t->classes[1]);
    second = t->classes[0];
    t->classes[0] = t->classes[1];
    t->classes[1] = second;
    for (size_t i = 0; i < t->n; i++)
        t->y[i] = 1 - t->y[i];
    return true;
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

/* The class of that very text, or n_classes. */
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

/* Values that were met are known by their keys; a new one is looked up by its
 * text, which happens once for each class at most. */
static bool
apply_values(const struct column *c, const char *name, struct target *t,
             struct error *err)
{
    struct value *v = mem_try_array(t->n_classes + 1, sizeof *v, err);
    struct buf b;
    size_t n = 0;
    bool ok = v != NULL;

    buf_init(&b);
    for (size_t i = 0; i < t->n && ok; i++) {
        struct value new = {.row = i};
        size_t at;

        order_keys(c, i, i + 1, NULL, &new.key);
        at = value_place(v, n, new.key);
        if (at == n || v[at].key != new.key) {
            if (!(ok = class_name(c, i, &b, err)))
                break;
            new.number = class_find(t, (struct str){b.data, b.len});
            if (new.number == t->n_classes || n == t->n_classes) {
                ok = class_unknown(name, (struct str){b.data, b.len}, i, err);
                break;
            }
            value_insert(v, n++, at, &new);
        }
        t->y[i] = (double)v[at].number;
    }
    buf_fini(&b);
    free(v);
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
