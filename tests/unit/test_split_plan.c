/* tests/unit/test_split_plan.c -- splits by groups and by time.
 *
 * Parts by time: TimeSeriesSplit of scikit-learn 1.2.1 over 23 rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/builder.h"
#include "frame/split.h"

/* n rows: "who", one of `groups`, small numbers more often; "class", that
 * leans on who; "when", in an order of its own, each time `repeat` times. */
static struct frame *
table(size_t n, size_t groups, size_t repeat)
{
    static const char *const names[] = {"who", "class", "when"};
    static const enum col_type types[] = {COL_INT64, COL_TEXT, COL_DATE};
    uint32_t *time = malloc(n * sizeof *time);
    struct error err;
    struct builder *b = builder_new(3, names, types, &err);
    struct frame *f;

    assert_true(time && b);
    for (uint32_t i = 0; i < n; i++)
        time[i] = i;
    rng_shuffle(5, 0, time, n);
    for (size_t i = 0; i < n; i++) {
        double u = rng_unit(1, 0, i);
        size_t who = (size_t)(u * u * (double)groups);

        assert_true(builder_i64(b, 0, (int64_t)who, &err) &&
                    builder_text(b, 1,
                                 rng_unit(1, 1, i) < (who % 3 ? 0.1 : 0.4)
                                     ? STR("yes")
                                     : STR("no"),
                                 &err) &&
                    builder_i64(b, 2, (int64_t)(time[i] / repeat), &err) &&
                    builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    free(time);
    return f;
}

static struct split_plan
plan(const struct frame *f, unsigned k, struct split_by by)
{
    struct split_plan p;
    struct error err;

    assert_true(split_plan_make(f, k, &by, &p, &err));
    return p;
}

static void
assert_no_group_in_two(const struct frame *f, const uint8_t *fold)
{
    const struct column *who = frame_column(f, 0);

    for (size_t i = 0; i < frame_rows(f); i++)
        for (size_t j = 0; j < i; j++)
            if (column_number(who, i) == column_number(who, j))
                assert_int_equal(fold[i], fold[j]);
}

static void
test_a_group_lies_in_one_fold(void **state)
{
    struct frame *f = table(1000, 60, 1);
    struct split_plan p = plan(f, 5, (struct split_by){.group = "who"});
    size_t rows[5] = {0};

    (void)state;
    assert_no_group_in_two(f, p.fold);
    for (size_t i = 0; i < 1000; i++)
        rows[p.fold[i]]++;
    for (size_t k = 0; k < 5; k++)
        assert_in_range(rows[k], 190, 210);
    split_plan_fini(&p);
    frame_unref(f);
}

static void
test_groups_and_strata_go_together(void **state)
{
    struct frame *f = table(3000, 200, 1);
    struct split_plan p =
        plan(f, 5, (struct split_by){.group = "who", .stratify = "class"});
    const struct column *class = frame_column(f, 1);
    double yes[5] = {0}, rows[5] = {0}, all = 0;

    (void)state;
    assert_no_group_in_two(f, p.fold);
    for (size_t i = 0; i < 3000; i++) {
        bool is = str_is(column_text(class, i), "yes");

        rows[p.fold[i]]++;
        yes[p.fold[i]] += is;
        all += is;
    }
    for (size_t k = 0; k < 5; k++)
        assert_true(fabs(yes[k] / rows[k] - all / 3000) < 0.01);
    split_plan_fini(&p);
    frame_unref(f);
}

static void
test_the_seed_deals_groups_of_one_size(void **state)
{
    struct frame *f = table(300, 300, 1);
    struct split_plan a, b, c;

    (void)state;
    a = plan(f, 3, (struct split_by){.group = "when", .seed = 1});
    b = plan(f, 3, (struct split_by){.group = "when", .seed = 1});
    c = plan(f, 3, (struct split_by){.group = "when", .seed = 2});
    assert_memory_equal(a.fold, b.fold, 300);
    assert_memory_not_equal(a.fold, c.fold, 300);
    split_plan_fini(&a);
    split_plan_fini(&b);
    split_plan_fini(&c);
    frame_unref(f);
}

static void
test_too_few_groups_are_an_error(void **state)
{
    struct frame *f = table(100, 3, 1);
    struct split_plan p;
    struct error err;

    (void)state;
    assert_false(
        split_plan_make(f, 5, &(struct split_by){.group = "who"}, &p, &err));
    assert_string_equal(err.message, "3 groups by 'who' for 5 folds");
    frame_unref(f);
}

/* Where training begins and ends and testing begins and ends, by time. */
static void
expect_times(const struct frame *f, const struct split_plan *p,
             const int (*want)[4])
{
    const struct column *when = frame_column(f, 2);

    for (unsigned k = 0; k < p->k; k++) {
        struct split s;
        struct error err;
        double edge[4] = {1e9, -1, 1e9, -1};

        assert_true(split_plan_part(p, k, &s, &err));
        for (size_t i = 0; i < s.n_train; i++) {
            edge[0] = fmin(edge[0], column_number(when, s.train[i]));
            edge[1] = fmax(edge[1], column_number(when, s.train[i]) + 1);
            assert_true(i == 0 || s.train[i - 1] < s.train[i]);
        }
        for (size_t i = 0; i < s.n_test; i++) {
            edge[2] = fmin(edge[2], column_number(when, s.test[i]));
            edge[3] = fmax(edge[3], column_number(when, s.test[i]) + 1);
            assert_int_equal(p->fold[s.test[i]], k);
        }
        for (size_t i = 0; i < 4; i++)
            assert_int_equal((int)edge[i], want[k][i]);
        assert_int_equal(s.n_train, want[k][1] - want[k][0]);
        split_fini(&s);
    }
}

static void
test_parts_by_time_are_those_of_scikit_learn(void **state)
{
    static const int wide[4][4] = {
        {0, 7, 7, 11}, {0, 11, 11, 15}, {0, 15, 15, 19}, {0, 19, 19, 23}};
    static const int gap[4][4] = {
        {0, 5, 7, 11}, {0, 9, 11, 15}, {0, 13, 15, 19}, {0, 17, 19, 23}};
    static const int rolling[3][4] = {
        {0, 7, 8, 13}, {5, 12, 13, 18}, {10, 17, 18, 23}};
    struct frame *f = table(23, 5, 1);
    struct split_plan p;

    (void)state;
    p = plan(f, 4, (struct split_by){.time = "when"});
    expect_times(f, &p, wide);
    split_plan_fini(&p);
    p = plan(f, 4, (struct split_by){.time = "when", .gap = 2});
    expect_times(f, &p, gap);
    split_plan_fini(&p);
    p = plan(f, 3, (struct split_by){.time = "when", .gap = 1, .window = 7});
    expect_times(f, &p, rolling);
    split_plan_fini(&p);
    frame_unref(f);
}

/* Ten rows as they stand: two folds of two test 6, 7 and 8, 9. */
static void
test_rows_in_order_need_no_column(void **state)
{
    struct split_by by = {.in_order = true, .each = 2};
    static const char *const names[] = {"x"};
    static const enum col_type types[] = {COL_INT64};
    struct split_plan plan;
    struct split s;
    struct error err;
    struct builder *b = builder_new(1, names, types, &err);
    struct frame *f;

    (void)state;
    for (size_t i = 0; i < 10; i++)
        assert_true(builder_i64(b, 0, 0, &err) && builder_end_row(b, &err));
    f = builder_finish(b, &err);
    assert_true(split_plan_make(f, 2, &by, &plan, &err));
    for (unsigned k = 0; k < 2; k++) {
        assert_true(split_plan_part(&plan, k, &s, &err));
        assert_int_equal(s.n_train, 6 + 2 * k);
        assert_int_equal(s.n_test, 2);
        assert_int_equal(s.test[0], 6 + 2 * k);
        split_fini(&s);
    }
    split_plan_fini(&plan);
    by.each = 5;
    assert_false(split_plan_make(f, 2, &by, &plan, &err));
    assert_int_equal(err.code, ERR_RANGE);
    frame_unref(f);
}

static void
test_a_moment_does_not_train_where_it_is_tested(void **state)
{
    struct frame *f = table(100, 5, 7);
    struct split_plan p = plan(f, 4, (struct split_by){.time = "when"});
    const struct column *when = frame_column(f, 2);
    static const size_t begin[] = {21, 42, 63, 77, 100};

    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        double last = -1, first = 1e9;
        struct error err;
        struct split s;

        /* Fourteen weeks of 7 rows, and 2: what is wanted at 20, 40, 60 and
         * 80 begins at 21, 42, 63 and 77. */
        assert_true(split_plan_part(&p, k, &s, &err));
        assert_int_equal(s.n_train, begin[k]);
        assert_int_equal(s.n_test, begin[k + 1] - begin[k]);
        for (size_t i = 0; i < s.n_train; i++)
            last = fmax(last, column_number(when, s.train[i]));
        for (size_t i = 0; i < s.n_test; i++)
            first = fmin(first, column_number(when, s.test[i]));
        assert_true(last < first);
        split_fini(&s);
    }
    split_plan_fini(&p);
    frame_unref(f);
}

/* Five years of 625, 694, 622, 648 and 341 sales, as in the houses of Ames. */
static void
test_no_row_vanishes_where_times_are_few(void **state)
{
    static const size_t sales[] = {625, 694, 622, 648, 341};
    static const char *const names[] = {"year"};
    static const enum col_type types[] = {COL_INT64};
    const struct split_by by = {.time = "year"};
    struct split_plan p;
    struct error err;
    struct split s;
    struct builder *b = builder_new(1, names, types, &err);
    struct frame *f;
    size_t before = 0;

    (void)state;
    for (size_t y = 0; y < 5; y++)
        for (size_t i = 0; i < sales[y]; i++)
            assert_true(builder_i64(b, 0, 2006 + (int64_t)y, &err) &&
                        builder_end_row(b, &err));
    f = builder_finish(b, &err);
    /* 586 rows were asked for: 341 of 2010 are nearer than 989 of two years. */
    assert_true(split_holdout_by(f, 0.2, &by, &s, &err));
    assert_int_equal(s.n_train, 2589);
    assert_int_equal(s.n_test, 341);
    split_fini(&s);
    assert_true(split_plan_make(f, 4, &by, &p, &err));
    for (unsigned k = 0; k < 4; k++) {
        assert_true(split_plan_part(&p, k, &s, &err));
        before += sales[k];
        assert_int_equal(s.n_train, before);
        assert_int_equal(s.n_test, sales[k + 1]);
        split_fini(&s);
    }
    split_plan_fini(&p);
    assert_false(split_plan_make(f, 5, &by, &p, &err));
    assert_string_equal(err.message,
                        "5 times by 'year' in 2930 rows, expected 6 or more: "
                        "one to train on before each of 5 to test on");
    frame_unref(f);
}

static void
test_time_with_groups_or_nothing_before_is_an_error(void **state)
{
    struct frame *f = table(50, 5, 50);
    struct split_plan p;
    struct error err;

    (void)state;
    assert_false(split_plan_make(
        f, 3, &(struct split_by){.time = "when", .group = "who"}, &p, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(
        split_plan_make(f, 3, &(struct split_by){.time = "when"}, &p, &err));
    assert_non_null(strstr(err.message, "1 time by 'when' in 50 rows"));
    assert_false(
        split_plan_make(f, 3, &(struct split_by){.time = "class"}, &p, &err));
    assert_int_equal(err.code, ERR_TYPE);
    assert_false(split_plan_make(f, 3, &(struct split_by){.gap = 3}, &p, &err));
    frame_unref(f);
}

static void
test_a_holdout_takes_whole_groups_or_the_latest_rows(void **state)
{
    struct frame *f = table(1000, 60, 3);
    const struct column *who = frame_column(f, 0), *when = frame_column(f, 2);
    uint8_t side[60] = {0};
    double last = -1, first = 1e9;
    struct error err;
    struct split s;

    (void)state;
    assert_true(
        split_holdout_by(f, 0.2, &(struct split_by){.group = "who"}, &s, &err));
    assert_in_range(s.n_test, 190, 210);
    assert_int_equal(s.n_test + s.n_train, 1000);
    for (size_t i = 0; i < s.n_test; i++)
        side[(size_t)column_number(who, s.test[i])] = 1;
    for (size_t i = 0; i < s.n_train; i++)
        assert_false(side[(size_t)column_number(who, s.train[i])]);
    split_fini(&s);
    assert_true(split_holdout_by(
        f, 0.2, &(struct split_by){.time = "when", .gap = 10}, &s, &err));
    assert_int_equal(s.n_test, 199); /* 333 times of 3, and 1: from 801 on */
    for (size_t i = 0; i < s.n_train; i++)
        last = fmax(last, column_number(when, s.train[i]));
    for (size_t i = 0; i < s.n_test; i++)
        first = fmin(first, column_number(when, s.test[i]));
    assert_true(last < first);
    assert_int_equal(s.n_train, 791);
    split_fini(&s);
    frame_unref(f);
}

static void
test_no_memory_ends_in_an_error_not_a_leak(void **state)
{
    struct frame *f = table(60, 20, 1);
    const struct split_by by[] = {{.group = "who", .stratify = "class"},
                                  {.time = "when"}};
    struct error err;

    (void)state;
    for (size_t j = 0; j < 2; j++) {
        bool ok = false;
        unsigned long n;

        for (n = 1; n < 500 && !ok; n++) {
            struct split_plan p;
            struct split s = {0}, h = {0};

            mem_fault_arm(n, false);
            ok = split_plan_make(f, 3, &by[j], &p, &err) &&
                 split_plan_part(&p, 1, &s, &err) &&
                 split_holdout_by(f, 0.3, &by[j], &h, &err);
            mem_fault_arm(0, false);
            if (!ok)
                assert_int_equal(err.code, ERR_NOMEM);
            split_fini(&s);
            split_fini(&h);
            split_plan_fini(&p);
        }
        assert_in_range(n, 8, 499);
    }
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_group_lies_in_one_fold),
        cmocka_unit_test(test_groups_and_strata_go_together),
        cmocka_unit_test(test_the_seed_deals_groups_of_one_size),
        cmocka_unit_test(test_too_few_groups_are_an_error),
        cmocka_unit_test(test_parts_by_time_are_those_of_scikit_learn),
        cmocka_unit_test(test_rows_in_order_need_no_column),
        cmocka_unit_test(test_a_moment_does_not_train_where_it_is_tested),
        cmocka_unit_test(test_no_row_vanishes_where_times_are_few),
        cmocka_unit_test(test_time_with_groups_or_nothing_before_is_an_error),
        cmocka_unit_test(test_a_holdout_takes_whole_groups_or_the_latest_rows),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
