/* tests/unit/test_encode.c -- the target as numbers, designs over numbers.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/encode.h"
#include "engine/target.h"
#include "frame/builder.h"

/* One column "y" from texts; "" is missing. */
static struct frame *
column_of(enum col_type type, size_t n, const char *const *cells)
{
    const char *name = "y";
    struct error err;
    struct builder *b = builder_new(1, &name, &type, &err);
    struct frame *f;

    assert_non_null(b);
    for (size_t i = 0; i < n; i++) {
        if (*cells[i])
            assert_true(builder_parse(b, 0, str_of(cells[i]), &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static void
expect_target(enum col_type type, size_t n, const char *const *cells,
              enum problem problem, size_t n_classes, const char *first,
              const double *y)
{
    struct frame *f = column_of(type, n, cells);
    struct target t;
    struct error err = {0};

    if (!target_fit(f, "y", -1, &t, &err))
        print_message("# %s\n", err.message);
    assert_int_equal(t.problem, problem);
    assert_int_equal(t.n_classes, n_classes);
    if (first)
        assert_string_equal(t.classes[0], first);
    for (size_t i = 0; i < n; i++)
        assert_true(t.y[i] == y[i]);
    target_fini(&t);
    frame_unref(f);
}

static void
expect_refused(enum col_type type, size_t n, const char *const *cells,
               int problem, enum error_code code, const char *message)
{
    struct frame *f = column_of(type, n, cells);
    struct target t;
    struct error err = {0};

    assert_false(target_fit(f, "y", problem, &t, &err));
    if (strcmp(err.message, message) != 0)
        print_message("# got '%s', want '%s'\n", err.message, message);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, code);
    frame_unref(f);
}

static void
test_the_problem_follows_from_the_values(void **state)
{
    const char *const words[] = {"yes", "no", "yes"};
    const char *const three[] = {"b", "c", "a"};
    const char *const bools[] = {"true", "false", "true"};
    const char *const ints[] = {"10", "9", "2"};
    const char *const two[] = {"7", "-1", "7"};
    const char *const floats[] = {"0.5", "2.5", "1.5"};
    const double y_words[] = {1, 0, 1}, y_three[] = {1, 2, 0};
    const double y_ints[] = {2, 1, 0}, y_floats[] = {0.5, 2.5, 1.5};

    (void)state;
    expect_target(COL_TEXT, 3, words, PROBLEM_BINARY, 2, "no", y_words);
    expect_target(COL_TEXT, 3, three, PROBLEM_MULTICLASS, 3, "a", y_three);
    expect_target(COL_BOOL, 3, bools, PROBLEM_BINARY, 2, "false", y_words);
    /* numbers in numeric order, not "10" before "2" */
    expect_target(COL_INT64, 3, ints, PROBLEM_MULTICLASS, 3, "2", y_ints);
    expect_target(COL_INT64, 3, two, PROBLEM_BINARY, 2, "-1", y_words);
    expect_target(COL_FLOAT64, 3, floats, PROBLEM_REGRESSION, 0, NULL,
                  y_floats);
}

/* 2^53 + 1 is no double: it is 2^53 there.  What doubles hold is named as one
 * is, in any column. */
static void
test_large_ids_are_classes_of_their_own(void **state)
{
    static const char *const ids[] = {
        "9007199254740993", "9007199254740992", "9007199254740993",
        "-9223372036854775807", "100000000000000000"};
    static const char *const want[] = {"-9223372036854775807",
                                       "9007199254740992", "9007199254740993",
                                       "1e+17"};
    static const double y[] = {2, 1, 2, 0, 3};
    static const char *const more[] = {"9007199254740994"};
    struct frame *f = column_of(COL_INT64, 5, ids);
    struct frame *g = column_of(COL_INT64, 1, more);
    struct target t, u;
    struct error err;

    (void)state;
    assert_true(target_fit(f, "y", -1, &t, &err));
    assert_int_equal(t.n_classes, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(t.classes[i], want[i]);
    assert_true(target_apply(&t, f, "y", &u, &err));
    for (size_t i = 0; i < 5; i++)
        assert_true(t.y[i] == y[i] && u.y[i] == y[i]);
    target_fini(&u);
    assert_false(target_apply(&t, g, "y", &u, &err));
    assert_string_equal(err.message,
                        "target 'y' is '9007199254740994' in row 1: "
                        "not a class the model knows");
    target_fini(&t);
    frame_unref(f);
    frame_unref(g);
}

static void
test_a_target_that_cannot_be_learnt_is_refused(void **state)
{
    const char *const gaps[] = {"1", "", "2", ""};
    const char *const same[] = {"a", "a"};
    const char *const dates[] = {"2020-01-01", "2020-01-02"};
    const char *const three[] = {"a", "b", "c"};
    const char *const inf[] = {"1.5", "inf", "2.5"};

    (void)state;
    expect_refused(COL_INT64, 4, gaps, -1, ERR_RANGE,
                   "target 'y' is missing in 2 of 4 rows: keep those where y "
                   "is not null");
    expect_refused(COL_TEXT, 2, same, -1, ERR_RANGE,
                   "target 'y' has one value only: nothing to learn");
    expect_refused(COL_TEXT, 0, same, -1, ERR_RANGE, "target 'y' has no rows");
    expect_refused(COL_DATE, 2, dates, -1, ERR_TYPE,
                   "target 'y' is a date, expected a number, text or bool");
    expect_refused(COL_TEXT, 3, three, PROBLEM_REGRESSION, ERR_TYPE,
                   "target 'y' is text: a regression needs numbers");
    expect_refused(COL_TEXT, 3, three, PROBLEM_BINARY, ERR_RANGE,
                   "target 'y' has 3 classes, expected 2");
    expect_refused(COL_FLOAT64, 3, inf, -1, ERR_RANGE,
                   "target 'y' is infinite in row 2");
}

static void
test_over_256_classes_are_no_classes(void **state)
{
    enum { N = 300 };
    char text[N][8];
    const char *cells[N];

    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "c%d", i);
        cells[i] = text[i];
    }
    expect_refused(COL_TEXT, N, cells, -1, ERR_RANGE,
                   "target 'y' has over 256 classes: not a class");
}

static void
test_other_rows_get_the_same_classes(void **state)
{
    const char *const learnt[] = {"no", "yes", "no"};
    const char *const later[] = {"yes", "yes"};
    const char *const strange[] = {"yes", "maybe"};
    struct frame *f = column_of(COL_TEXT, 3, learnt);
    struct frame *g = column_of(COL_TEXT, 2, later);
    struct frame *h = column_of(COL_TEXT, 2, strange);
    struct target t, u;
    struct error err;

    (void)state;
    assert_true(target_fit(f, "y", -1, &t, &err));
    assert_true(target_apply(&t, g, "y", &u, &err));
    assert_true(u.y[0] == 1 && u.y[1] == 1);
    assert_string_equal(u.classes[0], "no");
    target_fini(&u);
    assert_false(target_apply(&t, h, "y", &u, &err));
    assert_string_equal(err.message, "target 'y' is 'maybe' in row 2: not a "
                                     "class the model knows");
    target_fini(&t);
    frame_unref(f);
    frame_unref(g);
    frame_unref(h);
}

/* A file read again may have its numbers as floats. */
static void
test_classes_that_are_numbers_match_by_value(void **state)
{
    const char *const learnt[] = {"3", "1", "2"};
    const char *const later[] = {"2", "3.0"};
    struct frame *f = column_of(COL_INT64, 3, learnt);
    struct frame *g = column_of(COL_FLOAT64, 2, later);
    struct target t, u;
    struct error err;

    (void)state;
    assert_true(target_fit(f, "y", -1, &t, &err));
    assert_true(target_apply(&t, g, "y", &u, &err));
    assert_true(u.y[0] == 1 && u.y[1] == 2);
    target_fini(&u);
    target_fini(&t);
    frame_unref(f);
    frame_unref(g);
}

static void
test_a_dense_design_hands_out_ranges(void **state)
{
    const double x[] = {1, 2, 3, 4, 5, 6};
    const struct design_column columns[] = {{"a", 0}, {"b", 3}};
    struct error err;
    struct design *d = design_dense(x, 3, 2, columns, &err);
    double got[2];

    (void)state;
    assert_int_equal(design_rows(d), 3);
    assert_int_equal(design_cols(d), 2);
    assert_int_equal(design_column(d, 1)->n_levels, 3);
    design_pull(d, 1, 1, 3, got);
    assert_true(got[0] == 5 && got[1] == 6);
    design_free(d);
}

/* A target a, b, a, b beside a column "w" of texts of `type`. */
static struct frame *
beside(enum col_type type, const char *const *cells)
{
    static const char *const y[] = {"a", "b", "a", "b"};
    struct frame *f = column_of(COL_TEXT, 4, y), *w = column_of(type, 4, cells);
    struct error err;
    struct frame *both =
        frame_with(f, "w", column_ref(frame_column(w, 0)), &err);

    assert_non_null(both);
    frame_unref(f);
    frame_unref(w);
    return both;
}

static void
expect_weight_refused(enum col_type type, const char *const *cells,
                      const char *message)
{
    struct frame *f = beside(type, cells);
    struct target t;
    struct error err = {0};

    assert_true(target_fit(f, "y", -1, &t, &err));
    assert_false(target_weigh(&t, f, "w", &err));
    assert_string_equal(err.message, message);
    target_fini(&t);
    frame_unref(f);
}

static void
test_weights_that_are_none_are_refused(void **state)
{
    const char *const missing[] = {"1", "", "1", "1"};
    const char *const negative[] = {"1", "2", "-0.5", "1"};
    const char *const infinite[] = {"1", "2", "inf", "1"};
    const char *const words[] = {"a", "b", "c", "d"};
    const char *const huge[] = {"1", "1", "1e300", "1"};

    (void)state;
    expect_weight_refused(COL_INT64, missing, "weight 'w' is missing in row 2");
    expect_weight_refused(COL_FLOAT64, negative,
                          "weight 'w' is -0.5 in row 3, expected 0 or more");
    expect_weight_refused(COL_FLOAT64, infinite,
                          "weight 'w' is inf in row 3, expected 0 or more");
    expect_weight_refused(COL_FLOAT64, huge,
                          "weight 'w' is 1e+300 in row 3, expected 0 or 1e-30 "
                          "to 1e+30: what counts is their ratio");
    expect_weight_refused(COL_TEXT, words,
                          "weight 'w' is a text, expected numbers");
}

static void
test_weights_multiply_and_go_with_their_rows(void **state)
{
    const char *const cells[] = {"1", "0.5", "0", "4"};
    const uint32_t rows[] = {3, 1};
    const char *const uneven[] = {"b=3", NULL};
    struct frame *f = beside(COL_FLOAT64, cells);
    double factor[2];
    struct target t, part;
    struct error err;

    (void)state;
    assert_true(target_fit(f, "y", -1, &t, &err));
    assert_true(target_total(&t) == 4);
    assert_true(target_weigh(&t, f, "w", &err));
    assert_true(target_total(&t) == 5.5);
    assert_true(target_class_factors(&t, uneven, factor, &err));
    assert_true(target_weigh_classes(&t, factor, &err));
    assert_true(t.weight[0] == 1 && t.weight[3] == 12);
    assert_true(target_take(&t, rows, 2, &part, &err));
    assert_true(part.weight[0] == 12 && part.weight[1] == 1.5);
    target_fini(&part);
    target_fini(&t);
    frame_unref(f);
}

/* scikit-learn's compute_class_weight("balanced") of 3 rows against 1. */
static void
test_balanced_classes_weigh_the_same(void **state)
{
    const char *const cells[] = {"2", "0", "1", "1"};
    const char *const balanced[] = {"balanced", NULL};
    struct frame *f = beside(COL_INT64, cells);
    double factor[2];
    struct target t;
    struct error err;

    (void)state;
    assert_true(target_fit(f, "y", -1, &t, &err));
    assert_true(target_weigh(&t, f, "w", &err));
    assert_true(target_class_factors(&t, balanced, factor, &err));
    assert_true(fabs(factor[0] - 4.0 / 6) < 1e-15 && factor[1] == 2);
    target_fini(&t);
    frame_unref(f);
}

static void
test_class_weights_that_make_no_sense_are_refused(void **state)
{
    const char *const cells[] = {"1", "1", "1", "1"};
    static const char *const bad[][3] = {
        {"c=1"}, {"a"}, {"a=-1"}, {"a=x"}, {"a=0", "b=0"}};
    static const char *const message[] = {
        "class weight 'c=1': the target has no such class",
        "class weight 'a', expected balanced or CLASS=WEIGHT",
        "class weight 'a=-1', expected a number from 0 to 1e100",
        "class weight 'a=x', expected a number from 0 to 1e100",
        "the weight of every class is 0"};
    struct frame *f = beside(COL_INT64, cells);
    double factor[2];
    struct target t;
    struct error err;

    (void)state;
    assert_true(target_fit(f, "y", -1, &t, &err));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(target_class_factors(&t, bad[i], factor, &err));
        assert_string_equal(err.message, message[i]);
    }
    target_fini(&t);
    frame_unref(f);
}

static void
test_queries_are_numbered_by_first_appearance(void **state)
{
    const char *const cells[] = {"9", "7", "9", "8"};
    const char *const gap[] = {"9", "7", "", "8"};
    const uint32_t rows[] = {3, 1, 3};
    struct frame *f = beside(COL_INT64, cells), *g = beside(COL_INT64, gap);
    struct target t, part;
    struct error err;

    (void)state;
    assert_true(target_fit(f, "y", -1, &t, &err));
    assert_int_equal(target_groups(&t), 0);
    assert_true(target_group(&t, f, "w", &err));
    assert_int_equal(target_groups(&t), 3);
    assert_true(t.group[0] == 0 && t.group[1] == 1 && t.group[2] == 0 &&
                t.group[3] == 2);
    assert_true(target_take(&t, rows, 3, &part, &err));
    assert_true(part.group[0] == 0 && part.group[1] == 1 && part.group[2] == 0);
    assert_false(target_group(&t, g, "w", &err));
    assert_string_equal(err.message, "group 'w' is missing in row 3");
    target_fini(&part);
    target_fini(&t);
    frame_unref(f);
    frame_unref(g);
}

static void
test_no_memory_ends_in_an_error_not_a_leak(void **state)
{
    const char *const cells[] = {"b", "a", "c"};
    struct frame *f = column_of(COL_TEXT, 3, cells);
    struct error err;
    struct target t, u;
    unsigned long n;
    bool ok = false;

    (void)state;
    for (n = 1; n < 100 && !ok; n++) {
        mem_fault_arm(n, false);
        ok = target_fit(f, "y", -1, &t, &err);
        mem_fault_arm(0, false);
        if (!ok)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    for (n = 1, ok = false; n < 100 && !ok; n++) {
        mem_fault_arm(n, false);
        ok = target_apply(&t, f, "y", &u, &err);
        mem_fault_arm(0, false);
        if (!ok)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_true(ok);
    target_fini(&t);
    target_fini(&u);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_problem_follows_from_the_values),
        cmocka_unit_test(test_large_ids_are_classes_of_their_own),
        cmocka_unit_test(test_a_target_that_cannot_be_learnt_is_refused),
        cmocka_unit_test(test_over_256_classes_are_no_classes),
        cmocka_unit_test(test_other_rows_get_the_same_classes),
        cmocka_unit_test(test_classes_that_are_numbers_match_by_value),
        cmocka_unit_test(test_a_dense_design_hands_out_ranges),
        cmocka_unit_test(test_weights_that_are_none_are_refused),
        cmocka_unit_test(test_weights_multiply_and_go_with_their_rows),
        cmocka_unit_test(test_balanced_classes_weigh_the_same),
        cmocka_unit_test(test_class_weights_that_make_no_sense_are_refused),
        cmocka_unit_test(test_queries_are_numbered_by_first_appearance),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
