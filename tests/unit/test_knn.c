/* tests/unit/test_knn.c -- nearest neighbours.
 *
 * Answers: scikit-learn 1.2.1 on the same formulae, KNeighborsRegressor(7) and
 * KNeighborsClassifier(7) asked about the training rows + 0.11.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/classic/knn.h"
#include "engine/classic/neighbours.h"
#include "tests/lib/lesson.h"

enum { N = 90, P = 3, N_ROWS = 5 };
static const size_t rows[N_ROWS] = {0, 1, 2, 45, 89};

static struct lesson
table(enum problem problem, size_t n, size_t p, const char *const *set)
{
    struct lesson l = lesson_new(&knn_family, problem, n, p);

    l.set = set;
    l.n_classes = problem == PROBLEM_MULTICLASS ? 3 : l.n_classes;
    for (size_t i = 0; i < n; i++) {
        double noise = (double)(i * 13 % 17) / 17;
        double v = lesson_number(i, 0) + 0.4 * lesson_number(i, 2) + noise * 3;

        l.y[i] = problem == PROBLEM_REGRESSION
                     ? 3 + 2 * lesson_number(i, 0) - lesson_number(i, 1) + noise
                 : problem == PROBLEM_BINARY ? v >= 2
                                             : (v >= 1.5) + (v >= 3);
        for (size_t j = 0; j < p; j++)
            l.x[j * n + i] = lesson_number(i, j);
    }
    return l;
}

static void
expect_answers(enum problem problem, const char *const *set, const double *want)
{
    struct lesson l = table(problem, N, P, set);
    void *learner = lesson_must_learn(&l);
    size_t k = lesson_width(&l, learner);
    double *out;

    for (size_t i = 0; i < N * P; i++)
        l.x[i] += 0.11;
    out = lesson_answers(&l, learner);
    for (size_t r = 0; r < N_ROWS; r++)
        lesson_expect("answer", out + rows[r] * k, want + r * k, k, 1e-9);
    free(out);
    knn_family.free(learner);
    lesson_free(&l);
}

static const char *const uniform[] = {"k=7", NULL},
                         *const by_distance[] = {"k=7", "weights=distance",
                                                 NULL},
                         *const by_tree[] = {"k=7", "weights=distance",
                                             "search=tree", NULL};

static void
test_means_agree_with_scikit_learn(void **state)
{
    static const double want[] = {1.8313325330132053, 1.6464585834333734,
                                  2.000600240096038, 4.105042016806722,
                                  0.11464585834333726};

    (void)state;
    expect_answers(PROBLEM_REGRESSION, uniform, want);
}

static void
test_weighted_means_agree_with_scikit_learn(void **state)
{
    static const double want[] = {1.4672228318537368, 1.9056455562294814,
                                  2.2538838086207025, 3.865442593375519,
                                  -0.45751392421080517};

    (void)state;
    expect_answers(PROBLEM_REGRESSION, by_distance, want);
    expect_answers(PROBLEM_REGRESSION, by_tree, want);
}

static void
test_shares_agree_with_scikit_learn(void **state)
{
    static const double want[] = {
        0.42857142857142855, 0.5714285714285714,  0,
        0.42857142857142855, 0.42857142857142855, 0.14285714285714285,
        0.42857142857142855, 0.5714285714285714,  0,
        0.14285714285714285, 0.7142857142857143,  0.14285714285714285,
        0.42857142857142855, 0.42857142857142855, 0.14285714285714285};

    (void)state;
    expect_answers(PROBLEM_MULTICLASS, uniform, want);
}

static void
test_weighted_shares_agree_with_scikit_learn(void **state)
{
    static const double want[] = {
        0.6517568733103726,  0.3482431266896275,  0,
        0.2361359734901627,  0.2708975943277729,  0.4929664321820644,
        0.21927009802987704, 0.780729901970123,   0,
        0.10511619029624394, 0.8088689119904484,  0.08601489771330764,
        0.6066500119298028,  0.31714765713766063, 0.07620233093253659};

    (void)state;
    expect_answers(PROBLEM_MULTICLASS, by_distance, want);
}

static int
by_far(const void *a, const void *b)
{
    const struct neighbour *x = a, *y = b;

    return x->distance != y->distance ? (x->distance > y->distance ? 1 : -1)
                                      : (x->id > y->id) - (x->id < y->id);
}

/* Distances from a small grid, so that most are equal to others: the tree, the
 * brute force and a sort of everything must agree on which rows. */
static void
test_tree_and_brute_force_find_the_same_rows(void **state)
{
    enum { ROWS = 3000, K = 12 };
    double *x = calloc(ROWS * 4, sizeof *x), q[4 * PANEL], scratch[1000];
    struct design_column columns[4] = {{"x", 0}, {"x", 0}, {"x", 0}, {"x", 0}};
    struct design *d;
    struct error err;

    (void)state;
    for (size_t p = 1; p <= 4; p++) {
        struct panels a, b;
        struct neighbours tree, all;
        struct neighbour found[PANEL * K], brute[PANEL * K], *sorted;

        for (size_t i = 0; i < ROWS * p; i++)
            x[i] = (double)rng_below(1, p, i, 12);
        d = design_dense(x, ROWS, p, columns, &err);
        assert_true(panels_init(&a, d, NULL, &err) &&
                    panels_init(&b, d, NULL, &err));
        assert_true(neighbours_build(&tree, &a, true, NULL, &err) &&
                    neighbours_build(&all, &b, false, NULL, &err));
        sorted = calloc(ROWS, sizeof *sorted);
        for (uint64_t turn = 0; turn < 10; turn++) {
            for (size_t i = 0; i < PANEL * p; i++)
                q[i] = (double)rng_below(2, turn, i, 27) / 2;
            neighbours_find(&tree, NULL, q, PANEL, K, scratch, found);
            neighbours_find(&all, NULL, q, PANEL, K, scratch, brute);
            for (size_t v = 0; v < PANEL; v++) {
                for (uint32_t i = 0; i < ROWS; i++) {
                    sorted[i] = (struct neighbour){0, i, i};
                    for (size_t j = 0; j < p; j++) {
                        double o = q[j * PANEL + v] - x[j * ROWS + i];

                        sorted[i].distance += o * o;
                    }
                }
                qsort(sorted, ROWS, sizeof *sorted, by_far);
                for (size_t i = 0; i < K; i++) {
                    assert_int_equal(found[v * K + i].id, sorted[i].id);
                    assert_int_equal(brute[v * K + i].id, sorted[i].id);
                    assert_true(found[v * K + i].distance ==
                                brute[v * K + i].distance);
                }
            }
        }
        free(sorted);
        neighbours_fini(&tree);
        neighbours_fini(&all);
        design_free(d);
    }
    free(x);
}

static void
test_a_row_at_distance_zero_decides_alone(void **state)
{
    struct lesson l = table(PROBLEM_REGRESSION, N, P, by_distance);
    void *learner;
    double *out;

    (void)state;
    for (size_t i = 0; i < N; i++)
        l.x[i] = (double)i; /* no row twice */
    learner = lesson_must_learn(&l);
    out = lesson_answers(&l, learner);
    lesson_expect("answer", out, l.y, N, 0);
    free(out);
    knn_family.free(learner);
    lesson_free(&l);
}

/* 1e200 squared is beyond a double: all are as far. */
static void
test_rows_beyond_measure_count_alike(void **state)
{
    struct lesson l = table(PROBLEM_REGRESSION, N, P, by_distance);
    struct lesson far = table(PROBLEM_REGRESSION, 1, P, by_distance);
    void *learner;
    double *out;

    (void)state;
    for (size_t j = 0; j < P; j++)
        far.x[j] = 1e200;
    learner = lesson_must_learn(&l);
    out = lesson_answers(&far, learner);
    assert_true(isfinite(out[0]));
    free(out);
    knn_family.free(learner);
    lesson_free(&far);
    lesson_free(&l);
}

static void
test_more_neighbours_than_rows_is_an_error(void **state)
{
    struct lesson l = table(PROBLEM_REGRESSION, 6, P, uniform);
    struct error err;

    (void)state;
    assert_null(lesson_learn(&l, NULL, NULL, &err));
    assert_string_equal(err.message, "k is 7, and there are 6 rows");
    lesson_free(&l);
}

static void
test_it_keeps_what_every_family_promises(void **state)
{
    struct lesson l = table(PROBLEM_MULTICLASS, 700, P, by_tree);

    (void)state;
    lesson_same_for_any_threads(&l);
    lesson_same_from_file(&l);
    lesson_cancelled_is_an_error(&l);
    lesson_no_memory_is_an_error(&l);
    lesson_damage_is_harmless(&l);
    l.set = uniform;
    lesson_same_from_file(&l);
    lesson_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means_agree_with_scikit_learn),
        cmocka_unit_test(test_weighted_means_agree_with_scikit_learn),
        cmocka_unit_test(test_shares_agree_with_scikit_learn),
        cmocka_unit_test(test_weighted_shares_agree_with_scikit_learn),
        cmocka_unit_test(test_tree_and_brute_force_find_the_same_rows),
        cmocka_unit_test(test_a_row_at_distance_zero_decides_alone),
        cmocka_unit_test(test_rows_beyond_measure_count_alike),
        cmocka_unit_test(test_more_neighbours_than_rows_is_an_error),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
