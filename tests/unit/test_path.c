/* tests/unit/test_path.c -- ridge, lasso and elastic net along their path.
 *
 * Weights and errors: scikit-learn 1.2.1 on the same formulae, run to
 * tolerances of 1e-14: Ridge(alpha = n lambda), Lasso, ElasticNet, LassoCV and
 * cross_val_score of Ridge(alpha = (n - 1) lambda), both by LeaveOneOut(): as
 * many folds as rows, so that no drawing of folds has a part in it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/classic/linear.h"
#include "engine/classic/path.h"
#include "tests/lib/lesson.h"

enum { N = 90, P = 6 };

static struct lesson
table(const struct family *family, const char *const *set, size_t n, size_t p)
{
    struct lesson l = lesson_new(family, PROBLEM_REGRESSION, n, p);

    l.set = set;
    for (size_t i = 0; i < n; i++) {
        l.y[i] = 3 + 2 * lesson_number(i, 0) - lesson_number(i, 1) +
                 0.5 * lesson_number(i, 2) * lesson_number(i, 3) +
                 (double)(i * 11 % 13) / 13;
        for (size_t j = 0; j < p; j++)
            l.x[j * n + i] = lesson_number(i, j);
    }
    return l;
}

static void
expect_weights(const struct family *family, const char *const *set,
               const double *weight, const double *want)
{
    struct lesson l = table(family, set, N, P);
    void *learner;
    double got[P + 1];

    l.weight = (double *)(uintptr_t)weight;
    learner = lesson_must_learn(&l);
    lesson_tensor(&l, learner, "linear.weight", got, P);
    lesson_tensor(&l, learner, "linear.bias", got + P, 1);
    lesson_expect("weight", got, want, P + 1, 1e-8);
    family->free(learner);
    lesson_free(&l);
}

static const char *const ridge_set[] = {"lambda=0.3", NULL},
                         *const lasso_set[] = {"lambda=0.2", NULL},
                         *const net_set[] = {"lambda=0.2", "l1_ratio=0.3",
                                             NULL};

static void
test_given_penalties_agree_with_scikit_learn(void **state)
{
    static const double ridge[] = {1.368212078937603,     -0.8402731163371805,
                                   0.6712927527163232,    0.3328816742203267,
                                   -0.006956641896180039, -0.012947434173234231,
                                   3.0427175428290845};
    static const double lasso[] = {1.5926154926413802,
                                   -0.8488240259488118,
                                   0.672223406898548,
                                   0.32828612474787433,
                                   0,
                                   0,
                                   2.9966544086223195};
    static const double net[] = {1.5182791167638954,
                                 -0.8695591260295624,
                                 0.6923877749914478,
                                 0.3492885435368966,
                                 0,
                                 -0.0055364494322001885,
                                 2.9768529014857075};

    (void)state;
    expect_weights(&ridge_family, ridge_set, NULL, ridge);
    expect_weights(&lasso_family, lasso_set, NULL, lasso);
    expect_weights(&elastic_net_family, net_set, NULL, net);
}

static void
test_weighted_rows_agree_with_scikit_learn(void **state)
{
    static const double lasso[] = {1.613225563091419,
                                   -0.8465537339753646,
                                   0.6903946419139001,
                                   0.2843469971594331,
                                   0,
                                   0,
                                   3.0398371277659706};
    static const double ridge[] = {
        1.379504386224039,   -0.8264576451931116,   0.692368728790715,
        0.29151792263489995, -0.004209488125979458, -0.0038118462877495705,
        3.0417013974150953};
    double weight[N];

    (void)state;
    for (size_t i = 0; i < N; i++)
        weight[i] = 1 + (double)(i % 3);
    expect_weights(&lasso_family, lasso_set, weight, lasso);
    expect_weights(&ridge_family, ridge_set, weight, ridge);
}

/* lambda, rmse, ..., weights not 0 of steps 0, 3, 6, 9 of ten. */
static void
expect_path(const struct family *family, const char *const *set,
            const double *lambda, const double *rmse, const double *count)
{
    struct lesson l = table(family, set, N, P);
    void *learner = lesson_must_learn(&l);
    double path[10 * 4];

    lesson_tensor(&l, learner, "path.steps", path, 10 * 4);
    for (size_t i = 0; i < 4; i++) {
        const double *row = path + 3 * i * 4;

        lesson_expect("rmse", row + 1, rmse + i, 1, 1e-8);
        lesson_expect("count", row + 3, count + i, 1, 0);
    }
    lesson_expect("lambda", path, lambda, 1, 1e-9);
    lesson_expect("lambda", path + 9 * 4, lambda + 1, 1, 1e-9);
    family->free(learner);
    lesson_free(&l);
}

static void
test_the_lasso_path_agrees_with_scikit_learn(void **state)
{
    static const char *const set[] = {"steps=10", "folds=90", NULL};
    static const double lambda[] = {1.7595532132266827, 0.0017595532132266831};
    static const double rmse[] = {2.8202690438080875, 1.3419435706019416,
                                  1.3382668996284035, 1.342271951254242};
    static const double count[] = {0, 4, 6, 6};

    (void)state;
    expect_path(&lasso_family, set, lambda, rmse, count);
}

static void
test_the_ridge_path_agrees_with_scikit_learn(void **state)
{
    static const char *const set[] = {"steps=10", "folds=90", NULL};
    static const double lambda[] = {2623.174603174603, 2.6231746031746077e-05};
    static const double rmse[] = {2.8119904549851817, 2.425207766516235,
                                  1.341893917566486, 1.3427623580570685};
    static const double count[] = {6, 6, 6, 6};

    (void)state;
    expect_path(&ridge_family, set, lambda, rmse, count);
}

/* The weights at the lambda that was chosen are those of that lambda alone:
 * 0.08167122546660456 is what LassoCV chooses. */
static void
test_the_best_lambda_is_chosen(void **state)
{
    static const char *const searched[] = {"steps=10", "folds=90", NULL};
    static const char *const given[] = {"lambda=0.08167122546660456", NULL};
    struct lesson a = table(&lasso_family, searched, N, P),
                  b = table(&lasso_family, given, N, P);
    void *x = lesson_must_learn(&a), *y = lesson_must_learn(&b);
    double got[P], want[P];

    (void)state;
    lesson_tensor(&a, x, "linear.weight", got, P);
    lesson_tensor(&b, y, "linear.weight", want, P);
    lesson_expect("weight", got, want, P, 1e-8);
    lasso_family.free(x);
    lasso_family.free(y);
    lesson_free(&a);
    lesson_free(&b);
}

/* With choose = simple fewer weights are left, and the error is within one of
 * its own errors of the best. */
static void
test_the_simple_choice_has_fewer_weights(void **state)
{
    static const char *const best[] = {NULL};
    static const char *const simple[] = {"choose=simple", NULL};
    struct lesson a = table(&lasso_family, best, N, P),
                  b = table(&lasso_family, simple, N, P);
    void *x = lesson_must_learn(&a), *y = lesson_must_learn(&b);
    double more[P], fewer[P], sum = 0, less = 0;

    (void)state;
    lesson_tensor(&a, x, "linear.weight", more, P);
    lesson_tensor(&b, y, "linear.weight", fewer, P);
    for (size_t j = 0; j < P; j++) {
        sum += fabs(more[j]);
        less += fabs(fewer[j]);
    }
    assert_true(less < sum);
    lasso_family.free(x);
    lasso_family.free(y);
    lesson_free(&a);
    lesson_free(&b);
}

/* More columns than rows, equal columns, constant ones: ridge has one
 * solution, and without a penalty it is the shortest. */
static void
test_columns_without_an_inverse_are_solved(void **state)
{
    static const char *const none[] = {"lambda=0", NULL};
    struct lesson l = table(&ridge_family, none, 8, 20);
    void *learner = lesson_must_learn(&l);
    double *out = lesson_answers(&l, learner), w[20];

    (void)state;
    lesson_expect("answer", out, l.y, 8, 1e-7);
    free(out);
    ridge_family.free(learner);
    lesson_free(&l);

    l = table(&ridge_family, none, 40, 3);
    for (size_t i = 0; i < 40; i++) {
        l.x[40 + i] = l.x[i];
        l.x[80 + i] = 5;
        l.y[i] = 6 * l.x[i] + 1;
    }
    learner = lesson_must_learn(&l);
    lesson_tensor(&l, learner, "linear.weight", w, 3);
    assert_true(fabs(w[0] - 3) < 1e-9 && fabs(w[1] - 3) < 1e-9);
    assert_true(w[2] == 0);
    ridge_family.free(learner);
    lesson_free(&l);
}

static void
test_fewer_rows_than_folds_is_an_error(void **state)
{
    struct lesson l = table(&lasso_family, NULL, 3, 2);
    struct error err;

    (void)state;
    assert_null(lesson_learn(&l, NULL, NULL, &err));
    assert_string_equal(err.message,
                        "5 folds of 3 rows; set lambda, or fewer folds");
    lesson_free(&l);
}

static void
test_it_keeps_what_every_family_promises(void **state)
{
    static const struct family *const families[] = {
        &ridge_family, &lasso_family, &elastic_net_family};
    static const char *const set[] = {"steps=12", NULL};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct lesson l = table(families[i], set, 6000, 7);

        lesson_same_for_any_threads(&l);
        lesson_free(&l);
        l = table(families[i], set, 60, 7);
        lesson_same_from_file(&l);
        lesson_cancelled_is_an_error(&l);
        lesson_no_memory_is_an_error(&l);
        lesson_damage_is_harmless(&l);
        lesson_free(&l);
    }
}

/* ---- classes ---- */

/* Two classes, or three. */
static struct lesson
classes(const char *const *set, bool three)
{
    struct lesson l = lesson_new(
        &logistic_family, three ? PROBLEM_MULTICLASS : PROBLEM_BINARY, N, 4);

    l.set = set;
    l.n_classes = three ? 3 : 2;
    for (size_t i = 0; i < N; i++) {
        double noise = (double)(i * 13 % 17) / 17;
        double v = lesson_number(i, 0) + 0.4 * lesson_number(i, 2) + noise * 3;

        for (size_t j = 0; j < 4; j++)
            l.x[j * N + i] = lesson_number(i, j);
        l.y[i] = three ? (v >= 1.5) + (v >= 3)
                       : lesson_number(i, 0) - 0.7 * lesson_number(i, 1) +
                                 noise * 6 - 3 >
                             0;
    }
    return l;
}

/* LogisticRegression(penalty = "elasticnet", l1_ratio = 0.5, solver = "saga",
 * tol = 1e-13, C = 1 / (n lambda)), with lambda a tenth of the least that has
 * no weights, which is twice the steepest slope of the loss. */
static void
test_a_path_of_classes_agrees_with_scikit_learn(void **state)
{
    static const char *const set[] = {"folds=3",         "steps=3",
                                      "reach=0.01",      "l1_ratio=0.5",
                                      "tolerance=1e-12", NULL};
    static const double want[] = {0.6479051202361242, -0.43373038269312114,
                                  0.17200787176732582, 0};
    struct lesson l = classes(set, false);
    void *learner = lesson_must_learn(&l);
    double path[12], weight[12];

    (void)state;
    lesson_tensor(&l, learner, "path.steps", path, 12);
    lesson_tensor(&l, learner, "path.weight", weight, 12);
    lesson_expect("lambda", path, &(double){0.36582010582010577}, 1, 1e-12);
    assert_true(path[3] == 0 && path[7] == 3);
    lesson_expect("weight", weight + 4, want, 4, 1e-7);
    logistic_family.free(learner);
    lesson_free(&l);
}

/* Of as many folds as rows: the mean loss of each row by
 * LogisticRegression(C = 1 / ((n - 1) lambda)) of all others. */
static void
test_losses_of_a_path_agree_with_leaving_out_each_row(void **state)
{
    static const char *const set[] = {"folds=90", "steps=3", "reach=0.0001",
                                      NULL};
    static const double want[] = {0.6882490418783844, 0.6642438713134431,
                                  0.6125552913213484};
    struct lesson l = classes(set, false);
    void *learner = lesson_must_learn(&l);
    double path[12];

    (void)state;
    lesson_tensor(&l, learner, "path.steps", path, 12);
    for (size_t i = 0; i < 3; i++)
        lesson_expect("loss", path + 4 * i + 1, want + i, 1, 1e-6);
    logistic_family.free(learner);
    lesson_free(&l);
}

/* What the path has at a lambda is what that lambda alone gives. */
static void
test_several_classes_end_where_the_lambda_alone_does(void **state)
{
    static const char *const set[] = {"folds=4", "steps=8", "l1_ratio=0.7",
                                      "tolerance=1e-11", NULL};
    char lambda[40];
    const char *alone[] = {lambda, "l1_ratio=0.7", "tolerance=1e-11", NULL};
    struct lesson l = classes(set, true);
    void *learner = lesson_must_learn(&l);
    double path[32], weight[96], got[12], want[12];
    size_t best = 0;

    (void)state;
    lesson_tensor(&l, learner, "path.steps", path, 32);
    lesson_tensor(&l, learner, "path.weight", weight, 96);
    lesson_tensor(&l, learner, "linear.weight", got, 12);
    for (size_t i = 1; i < 8; i++)
        if (path[4 * i + 1] < path[4 * best + 1])
            best = i;
    assert_true(best > 0 && path[3] == 0);
    assert_memory_equal(got, weight + 12 * best, sizeof got);
    logistic_family.free(learner);
    snprintf(lambda, sizeof lambda, "lambda=%.17g", path[4 * best]);
    l.set = alone;
    learner = lesson_must_learn(&l);
    lesson_tensor(&l, learner, "linear.weight", want, 12);
    lesson_expect("weight", got, want, 12, 1e-7);
    logistic_family.free(learner);
    lesson_free(&l);
}

static void
test_paths_of_classes_keep_what_every_family_promises(void **state)
{
    static const char *const set[] = {"folds=2", "steps=3", "l1_ratio=0.5",
                                      NULL};
    static const char *const both[] = {"folds=2", "lambda=1", NULL};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lesson l = classes(set, i == 1);
        struct error err;

        lesson_same_for_any_threads(&l);
        lesson_same_from_file(&l);
        lesson_cancelled_is_an_error(&l);
        lesson_no_memory_is_an_error(&l);
        lesson_damage_is_harmless(&l);
        l.set = both;
        assert_null(lesson_learn(&l, NULL, NULL, &err));
        assert_int_equal(err.code, ERR_USAGE);
        lesson_free(&l);
    }
}

/* Hardly more rows than columns: without a leap, coordinate after coordinate
 * would take tens of thousands of turns.  The conditions of a least penalised
 * sum of squares hold: Hastie, Tibshirani & Wainwright, "Statistical Learning
 * with Sparsity", 2.4. */
static void
test_few_turns_lead_there_where_columns_are_nearly_alike(void **state)
{
    static const char *const set[] = {"lambda=0.001", "l1_ratio=0.5", NULL};
    enum { ROWS = 70, COLS = 64, MOST_LOOKS = 1000 };
    struct lesson l =
        lesson_new(&elastic_net_family, PROBLEM_REGRESSION, ROWS, COLS);
    double w[COLS], b, rest[ROWS];
    atomic_uint_least64_t looks;
    struct progress progress;
    struct error err;
    void *learner;

    (void)state;
    l.set = set;
    for (size_t i = 0; i < ROWS; i++) {
        l.y[i] = rng_normal(8, 0, i);
        for (size_t j = 0; j < COLS; j++)
            l.x[j * ROWS + i] = rng_normal(8, 1 + j, i);
    }
    atomic_init(&looks, MOST_LOOKS);
    progress_init(&progress);
    progress.looks = &looks;
    if (!(learner = lesson_learn(&l, NULL, &progress, &err)))
        fail_msg("%s in %d looks", err.message, MOST_LOOKS);
    lesson_tensor(&l, learner, "linear.weight", w, COLS);
    lesson_tensor(&l, learner, "linear.bias", &b, 1);
    for (size_t i = 0; i < ROWS; i++) {
        rest[i] = l.y[i] - b;
        for (size_t j = 0; j < COLS; j++)
            rest[i] -= w[j] * l.x[j * ROWS + i];
    }
    for (size_t j = 0; j < COLS; j++) {
        double pull = -0.0005 * w[j];

        for (size_t i = 0; i < ROWS; i++)
            pull += l.x[j * ROWS + i] * rest[i] / ROWS;
        assert_true(w[j] == 0 ? fabs(pull) < 0.0005 + 1e-6
                              : fabs(pull - copysign(0.0005, w[j])) < 1e-6);
    }
    elastic_net_family.free(learner);
    lesson_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_given_penalties_agree_with_scikit_learn),
        cmocka_unit_test(test_weighted_rows_agree_with_scikit_learn),
        cmocka_unit_test(test_the_lasso_path_agrees_with_scikit_learn),
        cmocka_unit_test(test_the_ridge_path_agrees_with_scikit_learn),
        cmocka_unit_test(test_the_best_lambda_is_chosen),
        cmocka_unit_test(test_the_simple_choice_has_fewer_weights),
        cmocka_unit_test(test_columns_without_an_inverse_are_solved),
        cmocka_unit_test(
            test_few_turns_lead_there_where_columns_are_nearly_alike),
        cmocka_unit_test(test_fewer_rows_than_folds_is_an_error),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
        cmocka_unit_test(test_a_path_of_classes_agrees_with_scikit_learn),
        cmocka_unit_test(test_losses_of_a_path_agree_with_leaving_out_each_row),
        cmocka_unit_test(test_several_classes_end_where_the_lambda_alone_does),
        cmocka_unit_test(test_paths_of_classes_keep_what_every_family_promises),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
