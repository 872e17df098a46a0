/* tests/unit/test_isolation.c -- isolation forest.
 *
 * Small tables have expected path lengths in closed form; the mean path of a
 * sample is 2 (ln(n - 1) + 0.5772156649) - 2 (n - 1) / n, as the paper and
 * scikit-learn have it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/classic/isolation.h"
#include "tests/lib/lesson.h"

static struct lesson
table(const char *const *set, size_t n, size_t p)
{
    struct lesson l = lesson_new(&isolation_forest_family, PROBLEM_NONE, n, p);

    l.set = set;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            l.x[j * n + i] = rng_normal(3, j, i) + (i < 5 ? 8 : 0);
    return l;
}

/* 0, 1 and 10: a cut falls below 1 in one of ten cases and sets 0 apart, else
 * 10; the other two need one more. */
static void
test_paths_of_three_rows_are_those_of_theory(void **state)
{
    static const char *const set[] = {"trees=4000", NULL};
    static const double length[] = {0.1 * 1 + 0.9 * 2, 2, 0.9 * 1 + 0.1 * 2};
    double c = 2 * (log(2) + 0.57721566490153286) - 4.0 / 3;
    struct lesson l = table(set, 3, 1);
    void *learner;
    double *out;

    (void)state;
    l.x[0] = 0;
    l.x[1] = 1;
    l.x[2] = 10;
    learner = lesson_must_learn(&l);
    out = lesson_answers(&l, learner);
    for (size_t i = 0; i < 3; i++) {
        double want = pow(2, -length[i] / c);

        lesson_expect("score", out + 2 * i, &want, 1, 0.004);
    }
    free(out);
    isolation_forest_family.free(learner);
    lesson_free(&l);
}

/* Two rows are always one cut apart: c is 1, so the score is a half. */
static void
test_two_rows_score_a_half(void **state)
{
    struct lesson l = table(NULL, 2, 3);
    void *learner = lesson_must_learn(&l);
    double *out = lesson_answers(&l, learner);
    const double want = 0.5;

    (void)state;
    lesson_expect("score", out, &want, 1, 1e-15);
    lesson_expect("score", out + 2, &want, 1, 1e-15);
    free(out);
    isolation_forest_family.free(learner);
    lesson_free(&l);
}

static void
test_rows_far_out_score_highest(void **state)
{
    struct lesson l = table(NULL, 1000, 4);
    void *learner = lesson_must_learn(&l);
    double *out = lesson_answers(&l, learner);

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_true(out[2 * i + 1] == 1);
        for (size_t o = 5; o < l.n; o++)
            assert_true(out[2 * i] > out[2 * o]);
    }
    free(out);
    isolation_forest_family.free(learner);
    lesson_free(&l);
}

static void
test_contamination_is_the_share_above_the_threshold(void **state)
{
    static const char *const set[] = {"contamination=0.03", NULL};
    struct lesson l = table(set, 1000, 4);
    void *learner = lesson_must_learn(&l);
    double *out = lesson_answers(&l, learner), n = 0;

    (void)state;
    for (size_t i = 0; i < l.n; i++)
        n += out[2 * i + 1];
    assert_true(n == 30);
    free(out);
    isolation_forest_family.free(learner);
    lesson_free(&l);
}

/* No cut parts them: all are as ordinary as can be. */
static void
test_equal_rows_score_the_same(void **state)
{
    struct lesson l = table(NULL, 300, 2);
    void *learner;
    double *out;

    (void)state;
    for (size_t i = 0; i < 600; i++)
        l.x[i] = 4;
    learner = lesson_must_learn(&l);
    out = lesson_answers(&l, learner);
    for (size_t i = 0; i < l.n; i++)
        assert_true(fabs(out[2 * i] - 0.5) < 1e-12 && out[2 * i + 1] == 0);
    free(out);
    isolation_forest_family.free(learner);
    lesson_free(&l);
}

static void
test_it_keeps_what_every_family_promises(void **state)
{
    static const char *const set[] = {"trees=40", "contamination=0.1", NULL};
    struct lesson l = table(set, 900, 5);

    (void)state;
    lesson_same_for_any_threads(&l);
    lesson_same_from_file(&l);
    lesson_cancelled_is_an_error(&l);
    lesson_no_memory_is_an_error(&l);
    lesson_damage_is_harmless(&l);
    lesson_free(&l);
    l = table(set, 1, 2);
    lesson_same_from_file(&l);
    lesson_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_of_three_rows_are_those_of_theory),
        cmocka_unit_test(test_two_rows_score_a_half),
        cmocka_unit_test(test_rows_far_out_score_highest),
        cmocka_unit_test(test_contamination_is_the_share_above_the_threshold),
        cmocka_unit_test(test_equal_rows_score_the_same),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
