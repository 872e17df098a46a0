/* Tables and parameters that mean no good, put before every family: each gives
 * a clear error, or a model whose answers are numbers.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/pool.h"
#include "engine/cv.h"
#include "engine/family.h"
#include "tests/lib/any_family.h"
#include "tests/lib/close.h"

enum { ROWS = 80, WIDE = 100000, WIDE_ROWS = 12, LOOKS = 300 };

/* Ends what would take for ever, after so many looks. */
struct leash {
    atomic_uint_least64_t looks;
    struct progress progress;
    struct train ctx;
};

static void
leash_init(struct leash *l)
{
    atomic_init(&l->looks, LOOKS);
    progress_init(&l->progress);
    l->progress.looks = &l->looks;
    l->ctx = (struct train){.pool = pool_lend(NULL, &l->progress),
                            .progress = &l->progress,
                            .seed = 1};
}

static void
error_must_be_clear(const struct family *family, const char *what,
                    const struct error *err)
{
    if (err->code == ERR_NONE || !err->message[0] || strchr(err->message, '\n'))
        fail_msg("%s, %s: no clear error", family->name, what);
}

/* Numbers all of them, and probabilities where they are such. */
static void
answers_must_be_numbers(const struct model *m, const struct frame *f,
                        const char *what)
{
    const char *name = model_family(m)->name;
    bool shares = model_problem(m) == PROBLEM_BINARY;
    struct prediction p;
    struct error err = {0};

    if (!model_predict(m, f, NULL, &p, &err)) {
        error_must_be_clear(model_family(m), what, &err);
        return;
    }
    for (size_t i = 0; i < p.n * p.k; i++)
        if (isnan(p.value[i]) ||
            (shares && !(p.value[i] >= 0 && p.value[i] <= 1)))
            fail_msg("%s, %s: answers %g", name, what, p.value[i]);
    prediction_fini(&p);
}

/* The model, when there is one. */
static struct model *
try_fit(const struct family *family, const struct frame *f,
        const char *const *set, const struct model_options *o, const char *what)
{
    struct error err = {0};
    struct leash l;
    struct model *m;

    leash_init(&l);
    m = any_fit(family, f, set, o, &l.ctx, &err);
    if (m)
        answers_must_be_numbers(m, f, what);
    else
        error_must_be_clear(family, what, &err);
    pool_free(l.ctx.pool);
    return m;
}

static struct frame *
usual_frame(const struct family *family, size_t rows)
{
    struct error err;
    struct frame *f = any_frame(any_of_classes(family), rows, ANY_COLS, &err);

    assert_non_null(f);
    return f;
}

/* Columns of f from `first` on, all but the target, made others. */
static struct frame *
change_all(struct frame *f, double (*change)(size_t row, double value))
{
    struct error err;

    for (size_t j = 0; j < ANY_COLS; j++) {
        struct frame *next = any_change(f, frame_name(f, j), change, &err);

        assert_non_null(next);
        frame_unref(f);
        f = next;
    }
    return f;
}

static double
infinite(size_t row, double value)
{
    return row % 7 == 3   ? (double)INFINITY
           : row % 7 == 5 ? -(double)INFINITY
                          : value;
}

static double
huge(size_t row, double value)
{
    return row % 2 ? 1e308 : value;
}

static double
constant(size_t row, double value)
{
    (void)row;
    (void)value;
    return 1;
}

static double
not_a_number(size_t row, double value)
{
    return row == 3 ? (double)NAN : fabs(value);
}

static double
negative(size_t row, double value)
{
    return row == 3 ? -1 : fabs(value);
}

static double
nothing(size_t row, double value)
{
    (void)row;
    (void)value;
    return 0;
}

static struct frame *
with_missing(struct frame *f, const char *name)
{
    size_t n = frame_rows(f);
    struct error err;
    double *x = mem_try_aligned(n + !n, sizeof *x, &err);
    uint64_t *valid = mem_try_array(n / 64 + 1, sizeof *valid, &err);
    struct frame *next;

    assert_true(x && valid);
    memset(x, 0, n * sizeof *x);
    next = frame_with(f, name, column_new(COL_FLOAT64, n, x, valid, NULL, &err),
                      &err);
    assert_non_null(next);
    frame_unref(f);
    return next;
}

typedef struct frame *make_fn(const struct family *family);

static struct frame *
make_no_rows(const struct family *family)
{
    return usual_frame(family, 0);
}

static struct frame *
make_one_row(const struct family *family)
{
    return usual_frame(family, 1);
}

static struct frame *
make_two_rows(const struct family *family)
{
    return usual_frame(family, 2);
}

static struct frame *
change_one(const struct family *family, const char *name,
           double (*change)(size_t row, double value))
{
    struct frame *f = usual_frame(family, ROWS), *out;
    struct error err;

    out = any_change(f, name, change, &err);
    assert_non_null(out);
    frame_unref(f);
    return out;
}

static struct frame *
make_constant_target(const struct family *family)
{
    return change_one(family, "y", constant);
}

static struct frame *
make_infinite_target(const struct family *family)
{
    return change_one(family, "y", infinite);
}

static struct frame *
make_huge_target(const struct family *family)
{
    return change_one(family, "y", huge);
}

static struct frame *
make_constant_columns(const struct family *family)
{
    return change_all(usual_frame(family, ROWS), constant);
}

static struct frame *
make_infinite_columns(const struct family *family)
{
    return change_all(usual_frame(family, ROWS), infinite);
}

static struct frame *
make_huge_columns(const struct family *family)
{
    return change_all(usual_frame(family, ROWS), huge);
}

static struct frame *
make_missing_target(const struct family *family)
{
    return with_missing(usual_frame(family, ROWS), "y");
}

static struct frame *
make_missing_columns(const struct family *family)
{
    struct frame *f = usual_frame(family, ROWS);

    for (size_t j = 0; j < ANY_COLS; j++)
        f = with_missing(f, frame_name(f, j));
    return f;
}

static struct frame *
make_missing_all(const struct family *family)
{
    return with_missing(make_missing_columns(family), "y");
}

static struct frame *
make_wide(const struct family *family)
{
    struct error err;
    struct frame *f = any_frame(any_of_classes(family), WIDE_ROWS, WIDE, &err);

    assert_non_null(f);
    return f;
}

static const struct {
    const char *what;
    make_fn *make;
    bool never; /* no family that has a target learns it */
} tables[] = {
    {"no rows", make_no_rows, true},
    {"one row", make_one_row, false},
    {"two rows", make_two_rows, false},
    {"a constant target", make_constant_target, false},
    {"an infinite target", make_infinite_target, true},
    {"a huge target", make_huge_target, false},
    {"a missing target", make_missing_target, true},
    {"constant columns", make_constant_columns, false},
    {"infinite columns", make_infinite_columns, false},
    {"huge columns", make_huge_columns, false},
    {"missing columns", make_missing_columns, false},
    {"missing everything", make_missing_all, true},
    {"100,000 features", make_wide, false},
};

static void
test_hostile_tables_are_refused_or_learnt_from_by_every_family(void **state)
{
    size_t n;
    const struct family *const *family = family_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
            struct frame *f = tables[t].make(family[i]);
            struct model *m = try_fit(family[i], f, NULL, NULL, tables[t].what);

            if (m && tables[t].never && any_target(family[i]))
                fail_msg("%s learns from %s", family[i]->name, tables[t].what);
            model_unref(m);
            frame_unref(f);
        }
}

static void
test_weights_that_are_no_weights_are_refused_by_every_family(void **state)
{
    static double (*const changes[])(size_t row, double value) = {
        not_a_number, infinite, negative, nothing};
    size_t n;
    const struct family *const *family = family_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < sizeof changes / sizeof *changes; c++) {
            struct frame *f = change_one(family[i], "x5", changes[c]);
            const struct model_options o = {
                .problem = -1, .patience = -1, .weight = "x5"};
            struct model *m = try_fit(family[i], f, NULL, &o, "weights");

            if (m)
                fail_msg("%s takes weights of kind %zu", family[i]->name, c);
            frame_unref(f);
        }
}

/* One row of the other class: folds that have it in training, and not. */
static double
lonely(size_t row, double value)
{
    (void)value;
    return row == 9;
}

static void
test_a_fold_of_one_class_is_survived_by_every_family(void **state)
{
    const struct cv_options o = {.k = 5};
    size_t n;
    const struct family *const *family = family_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct frame *f;
        struct params *p;
        struct cv_result r;
        struct error err = {0};
        struct leash l;

        if (!any_of_classes(family[i]))
            continue;
        f = change_one(family[i], "y", lonely);
        p = params_new(family[i]->params);
        for (const char *const *s = any_settings(family[i]); *s; s++)
            assert_true(params_set_pair(p, *s, &err));
        leash_init(&l);
        if (cv_run(family[i], p, f, "y", &o, &l.ctx, &r, &err))
            cv_result_fini(&r);
        else
            error_must_be_clear(family[i], "a fold of one class", &err);
        pool_free(l.ctx.pool);
        params_free(p);
        frame_unref(f);
    }
}

static struct frame *
with_words(const struct frame *f, const char *name)
{
    size_t n = frame_rows(f);
    struct error err;
    uint32_t *codes = mem_try_aligned(n + !n, sizeof *codes, &err), code;
    struct dict *d = dict_new(&err);

    assert_true(codes && d && dict_add(d, STR("red"), &code, &err));
    memset(codes, 0, n * sizeof *codes);
    return frame_with(f, name, column_new(COL_TEXT, n, codes, NULL, d, &err),
                      &err);
}

static void
prediction_must_fail(const struct model *m, const struct frame *f,
                     const char *column)
{
    struct error err = {0};
    struct prediction p;

    assert_non_null(f);
    if (model_predict(m, f, NULL, &p, &err))
        fail_msg("%s: answers without %s", model_family(m)->name, column);
    if (!strstr(err.message, column))
        fail_msg("%s: '%s' does not name column %s", model_family(m)->name,
                 err.message, column);
}

static void
test_columns_absent_or_retyped_are_named_by_every_family(void **state)
{
    size_t n;
    const struct family *const *family = family_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct error err;
        struct frame *f = usual_frame(family[i], ROWS), *other;
        struct model *m =
            any_fit(family[i], f, NULL, NULL, &(struct train){.seed = 1}, &err);
        const struct input *in;
        size_t k;

        if (!m)
            fail_msg("%s: %s", family[i]->name, err.message);
        in = model_inputs(m, &k);
        if (k > 0) {
            const char *name = in[k - 1].name;

            other = frame_drop(f, &name, 1, &err);
            prediction_must_fail(m, other, name);
            frame_unref(other);
            other = with_words(f, name);
            /* Identities are words as well as numbers. */
            if (!family[i]->recommend)
                prediction_must_fail(m, other, name);
            frame_unref(other);
        }
        model_unref(m);
        frame_unref(f);
    }
}

/* ---- parameters ---- */

static void
limit_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    struct rlimit most = {(rlim_t)3 << 30, (rlim_t)3 << 30};

    (void)setrlimit(RLIMIT_AS, &most);
#endif
}

static void
try_value(const struct family *family, const struct frame *f,
          const struct param *p, const char *value)
{
    const char *const *quick = any_settings(family);
    char pair[200], what[250];
    const char *set[4] = {NULL};
    size_t n = 0;

    snprintf(pair, sizeof pair, "%s=%s", p->name, value);
    snprintf(what, sizeof what, "%s", pair);
    for (; *quick; quick++)
        if (strncmp(*quick, p->name, strlen(p->name)) != 0)
            set[n++] = *quick;
    set[n] = pair;
    model_unref(try_fit(family, f, set, NULL, what));
}

static void
test_extreme_parameters_are_refused_or_learnt_by_in_every_family(void **state)
{
    static const char *const odd[] = {
        "nan",    "inf",          "-inf", "1e308",      "-1e308",
        "0",      "-1",           "",     "2147483648", "9223372036854775807",
        "1e-308", "none of these"};
    size_t n;
    const struct family *const *family = family_table(&n);

    (void)state;
    limit_memory();
    for (size_t i = 0; i < n; i++) {
        struct frame *f = usual_frame(family[i], ROWS);

        for (const struct param *p = family[i]->params; p->name; p++) {
            char edge[32];

            for (size_t v = 0; v < sizeof odd / sizeof *odd; v++)
                try_value(family[i], f, p, odd[v]);
            if (p->type != PARAM_INT && p->type != PARAM_FLOAT)
                continue;
            snprintf(edge, sizeof edge, "%.17g", p->min);
            try_value(family[i], f, p, edge);
            snprintf(edge, sizeof edge, "%.17g", p->max);
            try_value(family[i], f, p, edge);
        }
        frame_unref(f);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_hostile_tables_are_refused_or_learnt_from_by_every_family),
        cmocka_unit_test(
            test_weights_that_are_no_weights_are_refused_by_every_family),
        cmocka_unit_test(test_a_fold_of_one_class_is_survived_by_every_family),
        cmocka_unit_test(
            test_columns_absent_or_retyped_are_named_by_every_family),
        cmocka_unit_test(
            test_extreme_parameters_are_refused_or_learnt_by_in_every_family),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
