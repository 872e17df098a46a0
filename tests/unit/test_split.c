/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "frame/builder.h"
#include "frame/split.h"

/* n rows: "label" is yes for every 4th row and missing for every 100th,
 * "group" an int 0..6, "x" a float; row n - 1 has the label "rare". */
static struct frame *
table(size_t n)
{
    static const char *const names[] = {"label", "group", "x"};
    static const enum col_type types[] = {COL_TEXT, COL_INT64, COL_FLOAT64};
    struct error err;
    struct builder *b = builder_new(3, names, types, &err);
    struct frame *f;

    for (size_t i = 0; i < n; i++) {
        struct str s = i % 4 ? STR("no") : STR("yes");

        if (i + 1 == n)
            s = STR("rare");
        if (i % 100 != 99 || i + 1 == n)
            assert_true(builder_text(b, 0, s, &err));
        assert_true(builder_i64(b, 1, (int64_t)(i % 7), &err));
        assert_true(builder_f64(b, 2, (double)i, &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static size_t
count_text(const struct frame *f, const uint32_t *rows, size_t n, struct str s)
{
    const struct column *c = frame_column(f, 0);
    size_t hits = 0;

    for (size_t i = 0; i < n; i++)
        hits +=
            column_is_valid(c, rows[i]) && str_eq(column_text(c, rows[i]), s);
    return hits;
}

/* Every row exactly once, each part ascending. */
static void
assert_partition(const struct split *s, size_t n)
{
    size_t a = 0, b = 0;

    assert_int_equal(s->n_train + s->n_test, n);
    for (uint32_t i = 0; i < n; i++)
        if (a < s->n_train && s->train[a] == i)
            a++;
        else if (b < s->n_test && s->test[b] == i)
            b++;
        else
            fail_msg("row %u is on neither side", i);
}

static void
a_holdout_has_the_nearest_number_of_rows(void **state)
{
    struct error err;
    struct frame *f = table(1003);
    struct split s;

    (void)state;
    assert_true(split_holdout(f, 0.2, NULL, 7, &s, &err));
    assert_partition(&s, 1003);
    assert_int_equal(s.n_test, 201); /* 200.6 */
    split_fini(&s);
    frame_unref(f);
}

static void
the_seed_alone_decides(void **state)
{
    struct error err;
    struct frame *f = table(500);
    struct split a, b, c;

    (void)state;
    assert_true(split_holdout(f, 0.3, "label", 7, &a, &err));
    assert_true(split_holdout(f, 0.3, "label", 7, &b, &err));
    assert_true(split_holdout(f, 0.3, "label", 8, &c, &err));
    assert_memory_equal(a.test, b.test, a.n_test * sizeof *a.test);
    assert_memory_not_equal(a.test, c.test, a.n_test * sizeof *a.test);
    split_fini(&a);
    split_fini(&b);
    split_fini(&c);
    frame_unref(f);
}

static void
strata_keep_their_shares(void **state)
{
    struct error err;
    struct frame *f = table(1000);
    struct split s;

    (void)state;
    /* 250 yes, 740 no less one for "rare", 9 missing and one "rare" */
    assert_true(split_holdout(f, 0.2, "label", 1, &s, &err));
    assert_partition(&s, 1000);
    assert_int_equal(count_text(f, s.test, s.n_test, STR("yes")), 50);
    assert_int_equal(count_text(f, s.test, s.n_test, STR("no")), 148);
    assert_int_equal(s.n_test, 200);
    split_fini(&s);
    frame_unref(f);
}

static void
a_level_with_two_rows_has_one_on_each_side(void **state)
{
    static const char *const names[] = {"y"};
    static const enum col_type types[] = {COL_BOOL};
    struct error err;
    struct builder *b = builder_new(1, names, types, &err);
    struct frame *f;

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_true(builder_i64(b, 0, i % 50 == 0, &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct split s;
        size_t ones = 0;

        assert_true(split_holdout(f, 0.1, "y", seed, &s, &err));
        assert_partition(&s, 100);
        for (size_t i = 0; i < s.n_test; i++)
            ones += s.test[i] % 50 == 0;
        assert_int_equal(ones, 1);
        split_fini(&s);
    }
    frame_unref(f);
}

static void
folds_are_even_in_size_and_in_levels(void **state)
{
    enum { N = 1001, K = 5 };
    struct error err;
    struct frame *f = table(N);
    uint8_t fold[N];
    size_t rows[K] = {0}, group[K][7] = {{0}};

    (void)state;
    assert_true(split_folds(f, K, "group", 3, fold, &err));
    for (size_t i = 0; i < N; i++) {
        rows[fold[i]]++;
        group[fold[i]][i % 7]++;
    }
    for (size_t k = 0; k < K; k++) {
        assert_in_range(rows[k], 200, 201);
        for (size_t g = 0; g < 7; g++) /* 143 rows of each */
            assert_in_range(group[k][g], 28, 29);
    }
    frame_unref(f);
}

static void
folds_partition_the_rows(void **state)
{
    enum { N = 97, K = 10 };
    struct error err;
    struct frame *f = table(N);
    uint8_t fold[N];
    size_t tested = 0;

    (void)state;
    assert_true(split_folds(f, K, NULL, 3, fold, &err));
    for (unsigned k = 0; k < K; k++) {
        struct split s;

        assert_true(split_fold(fold, N, k, &s, &err));
        assert_partition(&s, N);
        tested += s.n_test;
        split_fini(&s);
    }
    assert_int_equal(tested, N);
    frame_unref(f);
}

static void
levels_do_not_depend_on_how_the_frame_was_made(void **state)
{
    static const uint32_t head[] = {1, 0, 2, 3, 4, 5, 6, 7, 8, 9};
    struct error err;
    struct frame *f = table(10), *g = frame_take(f, head, 10, &err),
                 *h = frame_take(g, head, 10, &err);
    struct split a, b;

    (void)state;
    assert_true(split_holdout(f, 0.4, "label", 7, &a, &err));
    assert_true(split_holdout(h, 0.4, "label", 7, &b, &err));
    assert_int_equal(a.n_test, b.n_test);
    assert_memory_equal(a.test, b.test, a.n_test * sizeof *a.test);
    split_fini(&a);
    split_fini(&b);
    frame_unref(h);
    frame_unref(g);
    frame_unref(f);
}

static void
bad_requests_say_what_was_expected(void **state)
{
    struct error err;
    struct frame *f = table(10);
    uint8_t fold[10];
    struct split s;

    (void)state;
    assert_false(split_holdout(f, 1.0, NULL, 7, &s, &err));
    assert_string_equal(err.message,
                        "test share is 1, expected between 0 and 1");
    assert_false(split_holdout(f, 0.5, "x", 7, &s, &err));
    assert_string_equal(err.message, "cannot stratify by 'x': it is float, "
                                     "expected text, bool or int");
    assert_false(split_holdout(f, 0.5, "labl", 7, &s, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_false(split_folds(f, 11, NULL, 7, fold, &err));
    assert_string_equal(err.message, "11 folds of 10 rows, expected 2..10");
    frame_unref(f);
}

static void
every_failing_allocation_is_reported(void **state)
{
    struct error err;
    struct frame *f = table(10);
    struct split s;
    bool ok = false;

    (void)state;
    for (unsigned long n = 1; !ok; n++) {
        mem_fault_arm(n, false);
        if (!(ok = split_holdout(f, 0.4, "group", 7, &s, &err)))
            assert_int_equal(err.code, ERR_NOMEM);
    }
    mem_fault_arm(0, false);
    assert_partition(&s, 10);
    split_fini(&s);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_holdout_has_the_nearest_number_of_rows),
        cmocka_unit_test(the_seed_alone_decides),
        cmocka_unit_test(strata_keep_their_shares),
        cmocka_unit_test(a_level_with_two_rows_has_one_on_each_side),
        cmocka_unit_test(folds_are_even_in_size_and_in_levels),
        cmocka_unit_test(folds_partition_the_rows),
        cmocka_unit_test(levels_do_not_depend_on_how_the_frame_was_made),
        cmocka_unit_test(bad_requests_say_what_was_expected),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
