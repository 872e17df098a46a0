/* tests/unit/test_line.c -- leaves that are lines.
 *
 * Of one column the ridge is in closed form: with z = (x - mean) / deviation,
 * the slope in z is -sum(z g) / (sum(z^2) + penalty), as h is 1.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/trees/gbdt.h"
#include "tests/lib/lesson.h"

static const char *const one_tree[] = {
    "linear_leaves=true", "trees=1",     "leaves=2",
    "learning_rate=1",    "l2=0",        "linear_l2=7",
    "min_rows=1",         "row_share=1", "col_share=1",
    "bins=2000",          NULL};
static const char *const exact[] = {
    "linear_leaves=true", "trees=1",     "leaves=4",
    "learning_rate=1",    "l2=0",        "linear_l2=0",
    "min_rows=1",         "row_share=1", "col_share=1",
    "bins=2000",          NULL};

/* Two lines with a step between, and a column of noise that is not asked. */
static struct lesson
two_lines(size_t n, const char *const *set)
{
    struct lesson l = lesson_new(&gbdt_family, PROBLEM_REGRESSION, n, 2);

    l.set = set;
    for (size_t i = 0; i < n; i++) {
        double x = rng_normal(1, 1, i);

        l.x[i] = x;
        l.x[n + i] = 1;
        l.y[i] = x < 0 ? 3 * x + 100 : -2 * x - 50;
    }
    return l;
}

static void
test_one_column_is_the_ridge_of_theory(void **state)
{
    struct lesson l = two_lines(500, one_tree);
    void *learner = lesson_must_learn(&l);
    double *got = lesson_answers(&l, learner), base = 0;

    (void)state;
    for (size_t i = 0; i < l.n; i++)
        base += l.y[i] / (double)l.n;
    for (int side = 0; side < 2; side++) {
        double n = 0, mean = 0, y = 0, zz = 0, zg = 0;

        for (size_t i = 0; i < l.n; i++)
            if ((l.x[i] < 0) == side) {
                n++;
                mean += l.x[i];
                y += l.y[i];
            }
        mean /= n;
        y /= n;
        for (size_t i = 0; i < l.n; i++)
            if ((l.x[i] < 0) == side) {
                zz += (l.x[i] - mean) * (l.x[i] - mean);
                zg += (l.x[i] - mean) * (base - l.y[i]);
            }
        for (size_t i = 0; i < l.n; i++)
            if ((l.x[i] < 0) == side) {
                double sd = sqrt(zz / n);
                double want =
                    y - zg / sd / (zz / sd / sd + 7) * (l.x[i] - mean) / sd;

                if (!(fabs(got[i] - want) < 1e-4))
                    fail_msg("row %zu: got %.9g, want %.9g", i, got[i], want);
            }
    }
    free(got);
    gbdt_family.free(learner);
    lesson_free(&l);
}

/* Without a penalty what is linear in the columns of a way is found. */
static void
test_planes_are_found(void **state)
{
    struct lesson l = lesson_new(&gbdt_family, PROBLEM_REGRESSION, 800, 2);
    double *got;
    void *learner;

    (void)state;
    l.set = exact;
    for (size_t i = 0; i < l.n; i++) {
        double a = rng_normal(2, 1, i), b = rng_normal(2, 2, i);

        l.x[i] = a;
        l.x[l.n + i] = b;
        l.y[i] = (a < 0 ? 1000 : 0) + (b < 0 ? 300 : 0) + 2 * a - 5 * b;
    }
    learner = lesson_must_learn(&l);
    got = lesson_answers(&l, learner);
    for (size_t i = 0; i < l.n; i++)
        if (!(fabs(got[i] - l.y[i]) < 1e-2))
            fail_msg("row %zu: got %.9g, want %.9g", i, got[i], l.y[i]);
    free(got);
    gbdt_family.free(learner);
    lesson_free(&l);
}

/* A row that misses a column gets the constant of its leaf. */
static void
test_missing_values_get_the_constant(void **state)
{
    struct lesson l = two_lines(500, one_tree);
    static const char *const constant[] = {
        "trees=1",     "leaves=2",    "learning_rate=1", "l2=0", "min_rows=1",
        "row_share=1", "col_share=1", "bins=2000",       NULL};
    double *got, *want;
    void *lines, *numbers;

    (void)state;
    lines = lesson_must_learn(&l);
    l.set = constant;
    numbers = lesson_must_learn(&l);
    l.x[3] = NAN;
    l.x[4] = INFINITY;
    got = lesson_answers(&l, lines);
    want = lesson_answers(&l, numbers);
    assert_true(got[3] == want[3] && got[4] == want[4]);
    assert_true(fabs(got[5] - want[5]) > 1e-3);
    free(got);
    free(want);
    gbdt_family.free(lines);
    gbdt_family.free(numbers);
    lesson_free(&l);
}

static void
test_lines_go_with_what_they_can(void **state)
{
    static const char *const bad[][3] = {
        {"linear_leaves=true", "drop_rate=0.5", NULL},
        {"linear_leaves=true", "loss=absolute", NULL},
        {"linear_leaves=true", "monotone=x+", NULL}};
    struct lesson l = two_lines(200, NULL);
    struct error err;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        l.set = bad[i];
        assert_null(lesson_learn(&l, NULL, NULL, &err));
        assert_int_equal(err.code, ERR_RANGE);
        assert_non_null(strstr(err.message, "linear_leaves does not go with"));
    }
    lesson_free(&l);
}

static void
test_it_keeps_what_every_family_promises(void **state)
{
    static const char *const set[] = {"linear_leaves=true", "trees=8",
                                      "row_share=0.8",      "leaves=12",
                                      "min_rows=3",         NULL};
    static const char *const brief[] = {"linear_leaves=true", "trees=2",
                                        "min_rows=3", NULL};
    struct lesson l = lesson_new(&gbdt_family, PROBLEM_BINARY, 1200, 4);

    (void)state;
    l.column[3].n_levels = 9;
    for (size_t i = 0; i < l.n; i++) {
        for (size_t j = 0; j < 3; j++)
            l.x[j * l.n + i] = rng_normal(6, j, i);
        l.x[3 * l.n + i] = (double)rng_below(6, 5, i, 9);
        l.y[i] = l.x[i] + l.x[l.n + i] * (l.x[3 * l.n + i] < 4 ? 1 : -1) +
                     rng_normal(6, 7, i) >
                 0;
        if (i % 9 == 0)
            l.x[(i % 3) * l.n + i] = NAN;
    }
    l.set = set;
    lesson_same_for_any_threads(&l);
    lesson_same_from_file(&l);
    lesson_cancelled_is_an_error(&l);
    lesson_damage_is_harmless(&l);
    l.set = brief;
    lesson_no_memory_is_an_error(&l);
    lesson_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_column_is_the_ridge_of_theory),
        cmocka_unit_test(test_planes_are_found),
        cmocka_unit_test(test_missing_values_get_the_constant),
        cmocka_unit_test(test_lines_go_with_what_they_can),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
