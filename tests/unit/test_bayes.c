/* tests/unit/test_bayes.c -- naive Bayes.
 *
 * Probabilities: scikit-learn 1.2.1 on the same formulae, GaussianNB() for the
 * numbers and CategoricalNB() for the categories.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/classic/bayes.h"
#include "tests/lib/lesson.h"

enum { N = 90, P = 4, N_ROWS = 5 };
static const size_t rows[N_ROWS] = {0, 1, 2, 45, 89};

static double
score_of(size_t i)
{
    return lesson_number(i, 0) + 0.4 * lesson_number(i, 2) +
           (double)(i * 13 % 17) / 17 * 3;
}

static struct lesson
classes(enum problem problem, size_t n, size_t p)
{
    struct lesson l = lesson_new(&naive_bayes_family, problem, n, p);

    l.n_classes = problem == PROBLEM_BINARY ? 2 : 3;
    for (size_t i = 0; i < n; i++) {
        double v = score_of(i);

        l.y[i] = problem == PROBLEM_BINARY ? v >= 2 : (v >= 1.5) + (v >= 3);
        for (size_t j = 0; j < p; j++)
            l.x[j * n + i] = lesson_number(i, j);
    }
    return l;
}

static void
expect_answers(const struct lesson *l, const double *want)
{
    void *learner = lesson_must_learn(l);
    double *out = lesson_answers(l, learner);
    size_t k = lesson_width(l, learner);

    for (size_t r = 0; r < N_ROWS; r++)
        lesson_expect("probability", out + rows[r] * k, want + r * k, k, 1e-9);
    free(out);
    l->family->free(learner);
}

static void
test_numbers_agree_with_scikit_learn(void **state)
{
    static const double want[] = {
        0.7355254690279817, 0.2636895027311613,  0.0007850282408566355,
        0.3386090017164445, 0.5795623126442405,  0.08182868563931481,
        0.5251163097348424, 0.4543379598663271,  0.02054573039883027,
        0.3014532034044384, 0.503732155939502,   0.19481464065605966,
        0.821897476758502,  0.17786541765040415, 0.00023710559109351402};
    struct lesson l = classes(PROBLEM_MULTICLASS, N, P);

    (void)state;
    expect_answers(&l, want);
    lesson_free(&l);
}

static void
test_two_classes_agree_with_scikit_learn(void **state)
{
    static const double want[] = {0.11674268288404516, 0.5459625984175287,
                                  0.20192263953442036, 0.43012080015433096,
                                  0.038529778686682115};
    struct lesson l = classes(PROBLEM_BINARY, N, P);

    (void)state;
    expect_answers(&l, want);
    lesson_free(&l);
}

static void
test_categories_agree_with_scikit_learn(void **state)
{
    static const double want[] = {
        0.4793535641049934,  0.30375502926727,    0.2168914066277365,
        0.3621933385471606,  0.34795028662394273, 0.2898563748288965,
        0.3293801654710916,  0.5227691649024024,  0.1478506696265058,
        0.4793535641049934,  0.30375502926727,    0.2168914066277365,
        0.43304270520899685, 0.4157711091487265,  0.15118618564227668};
    struct lesson l = classes(PROBLEM_MULTICLASS, N, 2);

    (void)state;
    l.column[0].n_levels = 3;
    l.column[1].n_levels = 5;
    for (size_t i = 0; i < N; i++) {
        l.x[i] = (double)(i % 3);
        l.x[N + i] = (double)(i * 7 % 5);
    }
    expect_answers(&l, want);
    lesson_free(&l);
}

/* A row that counts twice is two rows, one that counts nothing is none. */
static void
test_weights_are_rows(void **state)
{
    struct lesson l = classes(PROBLEM_MULTICLASS, N, P),
                  more = classes(PROBLEM_MULTICLASS, N, P);
    double weight[N], *want, *got;
    void *learner, *other;

    (void)state;
    for (size_t i = 0; i < N; i++)
        weight[i] = i < 30 ? 2 : i < 60;
    for (size_t i = 60; i < N; i++) {
        more.y[i] = more.y[i - 60];
        for (size_t j = 0; j < P; j++)
            more.x[j * N + i] = more.x[j * N + i - 60];
    }
    l.weight = weight;
    learner = lesson_must_learn(&l);
    other = lesson_must_learn(&more);
    want = lesson_answers(&more, other);
    got = lesson_answers(&more, learner);
    lesson_expect("probability", got, want, 3 * N, 1e-12);
    free(want);
    free(got);
    naive_bayes_family.free(learner);
    naive_bayes_family.free(other);
    lesson_free(&l);
    lesson_free(&more);
}

static void
test_weights_beyond_measure_are_an_error(void **state)
{
    struct lesson l = classes(PROBLEM_MULTICLASS, N, P);
    double weight[N];
    struct error err;

    (void)state;
    for (size_t i = 0; i < N; i++)
        weight[i] = 1e308;
    l.weight = weight;
    assert_null(lesson_learn(&l, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    lesson_free(&l);
}

/* What is missing must say nothing: the answer is that of a table without the
 * column. */
static void
test_a_missing_value_says_nothing(void **state)
{
    struct lesson l = classes(PROBLEM_BINARY, N, 2),
                  narrow = classes(PROBLEM_BINARY, N, 1);
    void *learner = lesson_must_learn(&l), *other = lesson_must_learn(&narrow);
    double *want = lesson_answers(&narrow, other), *got;

    (void)state;
    for (size_t i = 0; i < N; i++)
        l.x[N + i] = i % 2 ? (double)NAN : INFINITY;
    got = lesson_answers(&l, learner);
    lesson_expect("probability", got, want, N, 1e-8);
    free(want);
    free(got);
    naive_bayes_family.free(learner);
    naive_bayes_family.free(other);
    lesson_free(&l);
    lesson_free(&narrow);
}

/* A column that is constant in one class, one that is missing in one, and
 * numbers whose squares are beyond any double. */
static void
test_odd_columns_give_finite_probabilities(void **state)
{
    struct lesson l = classes(PROBLEM_BINARY, N, 3);
    double *out;
    void *learner;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        if (l.y[i] != 0)
            l.x[i] = 7;
        if (l.y[i] == 0)
            l.x[N + i] = NAN;
        l.x[2 * N + i] = (double)i;
    }
    learner = lesson_must_learn(&l);
    for (size_t i = 0; i < N; i++)
        l.x[2 * N + i] = i % 2 ? 1e300 : -1e300;
    out = lesson_answers(&l, learner);
    for (size_t i = 0; i < N; i++)
        assert_true(out[i] >= 0 && out[i] <= 1);
    free(out);
    naive_bayes_family.free(learner);
    lesson_free(&l);
}

static void
test_it_keeps_what_every_family_promises(void **state)
{
    struct lesson l = classes(PROBLEM_MULTICLASS, 5000, 6);

    (void)state;
    l.column[4].n_levels = 40;
    for (size_t i = 0; i < l.n; i++)
        l.x[4 * l.n + i] = (double)(i % 40);
    lesson_same_for_any_threads(&l);
    lesson_same_from_file(&l);
    lesson_cancelled_is_an_error(&l);
    lesson_no_memory_is_an_error(&l);
    lesson_damage_is_harmless(&l);
    lesson_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_agree_with_scikit_learn),
        cmocka_unit_test(test_two_classes_agree_with_scikit_learn),
        cmocka_unit_test(test_categories_agree_with_scikit_learn),
        cmocka_unit_test(test_weights_are_rows),
        cmocka_unit_test(test_weights_beyond_measure_are_an_error),
        cmocka_unit_test(test_a_missing_value_says_nothing),
        cmocka_unit_test(test_odd_columns_give_finite_probabilities),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
