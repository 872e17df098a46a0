/* tests/unit/test_path_wide.c -- ridge, lasso and elastic net of more columns
 * than there is a matrix of products for.
 *
 * Weights and errors: scikit-learn 1.2.1 on the same formulae, Ridge(alpha =
 * weight of the rows x lambda, solver = "cholesky"), Lasso and ElasticNet to
 * tolerances of 1e-15; errors leave out each row in turn, so that no drawing of
 * folds has a part in them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/classic/path.h"
#include "engine/classic/path_choose.h"
#include "engine/classic/path_wide.h"
#include "tests/lib/lesson.h"

enum { N = 24, P = 40, STEPS = 4, SHOWN = 6, MANY = 4200 };

/* Numbers of which no few make up another. */
static double
number(size_t i, size_t j)
{
    return cos(0.37 * (double)((j + 1) * i * i) + (double)j);
}

static struct lesson
table(const struct family *family, const char *const *set, size_t n, size_t p)
{
    struct lesson l = lesson_new(family, PROBLEM_REGRESSION, n, p);

    l.set = set;
    for (size_t i = 0; i < n; i++) {
        l.y[i] = 3 + 2 * number(i, 0) - number(i, 1) +
                 0.5 * number(i, 2) * number(i, 3) + (double)(i * 11 % 13) / 13;
        for (size_t j = 0; j < p; j++)
            l.x[j * n + i] = number(i, j);
    }
    return l;
}

/* A path of STEPS: the first lambda, the errors, weights of the third. */
struct case_of {
    double l1_ratio, reach;
    bool weighted;
    double lambda, rmse[STEPS], weight[SHOWN];
};

static const struct case_of cases[] = {
    {0,
     1e-6,
     false,
     482.06316431319783,
     {1.8213737919268524, 1.6592608539412737, 1.2280640182174147,
      1.2176604142836938},
     {1.1350583838383579, -0.31342114769291207, -0.47202876487663037,
      0.32723130163735314, -0.043432329145612486, -0.10534237223782808}},
    {0,
     1e-6,
     true,
     481.1595085075008,
     {1.8239509883544678, 1.666092287250121, 1.2412733987742925,
      1.2175597045179936},
     {1.1505928058485486, -0.32051041445381967, -0.48406673655154175,
      0.3318745663533984, -0.041080207586898426, -0.12447103732118392}},
    {1,
     1e-3,
     false,
     1.2408164866735236,
     {1.8180784735639903, 0.5376085522169666, 0.4901433676457733,
      0.6224140913211573},
     {1.9508073963857462, -0.7558788262993391, -0.14517602910804286,
      0.013248437878075085, 0, 0}},
    {1,
     1e-3,
     true,
     1.2578018801945208,
     {1.821298498767127, 0.5579778890961021, 0.48689739938527177,
      0.6120783104232055},
     {1.9292503910112577, -0.7702155185876769, -0.16557906685434634,
      0.039565611876366646, 0, 0}},
    {0.5,
     1e-3,
     false,
     2.4816329733470472,
     {1.821780275627892, 0.8735872272326191, 0.5697578432678867,
      0.5756294923824805},
     {1.7219230779642571, -0.590707731828602, -0.33133365504920803,
      0.12110983991238981, 0, 0}},
    {0.5,
     1e-3,
     true,
     2.5156037603890415,
     {1.8245816595426054, 0.8779377720813422, 0.5703569487060177,
      0.5646344392236232},
     {1.707865368928642, -0.6018613386676323, -0.33674364232671816,
      0.15693984692163404, 0, 0}},
};

/* few: as wide.few. */
static void
expect_case(const struct case_of *c, size_t few)
{
    struct lesson l = table(&ridge_family, NULL, N, P);
    double weight[N], lambda[STEPS], error[N * STEPS] = {0};
    double got[STEPS * P] = {0}, path[STEPS * 4];
    struct target y = {.problem = PROBLEM_REGRESSION,
                       .n = N,
                       .y = l.y,
                       .weight = c->weighted ? weight : NULL};
    struct fit_data d = {.train = l.d, .y = &y};
    struct train ctx = {0};
    struct error err;
    uint8_t *fold = path_folds(N, N, 3, &err);
    struct wide w = {.d = &d,
                     .ctx = &ctx,
                     .fold = fold,
                     .n_folds = N,
                     .n_steps = STEPS,
                     .l1_ratio = c->l1_ratio,
                     .tolerance = 1e-12,
                     .max_iter = 1000000,
                     .few = few,
                     .lambda = lambda,
                     .error = error,
                     .weight = got};

    assert_non_null(fold);
    for (size_t i = 0; i < N; i++)
        weight[i] = 1 + (double)(i % 3);
    path_lambdas(c->lambda, c->reach, STEPS, lambda);
    if (!wide_init(&w, &err) || !wide_run(&w, &err))
        fail_msg("%s", err.message);
    path_sum(error, N, STEPS, path);
    for (size_t i = 0; i < STEPS; i++)
        lesson_expect("rmse", &(double){sqrt(path[4 * i + PATH_LOSS])},
                      c->rmse + i, 1, 1e-5);
    lesson_expect("weight", got + 2 * P, c->weight, SHOWN, 1e-9);
    wide_fini(&w);
    free(fold);
    lesson_free(&l);
}

static void
test_paths_agree_with_scikit_learn(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_case(&cases[i], WIDE_FEW_ROWS);
}

static void
test_conjugate_gradients_agree_with_scikit_learn(void **state)
{
    (void)state;
    expect_case(&cases[0], 0);
    expect_case(&cases[1], 0);
}

/* Hastie, Tibshirani & Wainwright, "Statistical Learning with Sparsity", 2.4:
 * slopes of weights that are not 0 are the penalty, of others no more. */
static void
expect_conditions(const struct family *family, const char *const *set,
                  double l1, double l2)
{
    struct lesson l = table(family, set, N, MANY);
    void *learner = lesson_must_learn(&l);
    double *w = calloc(MANY + 1, sizeof *w), *rest;
    size_t on = 0;

    assert_non_null(w);
    rest = lesson_answers(&l, learner);
    lesson_tensor(&l, learner, "linear.weight", w, MANY);
    for (size_t i = 0; i < N; i++)
        rest[i] = l.y[i] - rest[i];
    for (size_t j = 0; j < MANY; j++) {
        const double *x = l.x + j * N;
        double mean = 0, slope = 0;

        for (size_t i = 0; i < N; i++)
            mean += x[i] / N;
        for (size_t i = 0; i < N; i++)
            slope += (x[i] - mean) * rest[i] / N;
        slope -= l2 * w[j];
        if (w[j] != 0 && l1 > 0)
            slope -= copysign(l1, w[j]);
        if (w[j] != 0 || l1 == 0)
            assert_true(fabs(slope) < 1e-6);
        else
            assert_true(fabs(slope) < l1 + 1e-6);
        on += w[j] != 0;
    }
    assert_true(l1 > 0 ? on > 0 && on < 200 : on == MANY);
    family->free(learner);
    free(w);
    free(rest);
    lesson_free(&l);
}

static void
test_a_lambda_alone_is_where_the_slopes_say(void **state)
{
    static const char *const ridge[] = {"lambda=3", NULL};
    static const char *const lasso[] = {"lambda=0.2", NULL};
    static const char *const net[] = {"lambda=0.2", "l1_ratio=0.5", NULL};

    (void)state;
    expect_conditions(&ridge_family, ridge, 0, 3);
    expect_conditions(&lasso_family, lasso, 0.2, 0);
    expect_conditions(&elastic_net_family, net, 0.1, 0.1);
}

/* Without a penalty the shortest of all solutions goes through every row. */
static void
test_ridge_without_a_penalty_goes_through_the_rows(void **state)
{
    static const char *const none[] = {"lambda=0", NULL};
    struct lesson l = table(&ridge_family, none, 8, MANY);
    void *learner = lesson_must_learn(&l);
    double *out = lesson_answers(&l, learner);

    (void)state;
    lesson_expect("answer", out, l.y, 8, 1e-7);
    free(out);
    ridge_family.free(learner);
    lesson_free(&l);
}

/* Stopped at each of its looks in turn. */
static void
expect_stop_anywhere(const struct lesson *l)
{
    atomic_uint_least64_t looks;
    struct progress progress;
    uint64_t at = 1;
    void *learner = NULL;

    while (!learner) {
        struct error err;

        atomic_init(&looks, at);
        progress_init(&progress);
        progress.looks = &looks;
        learner = lesson_learn(l, NULL, &progress, &err);
        if (!learner)
            assert_int_equal(err.code, ERR_CANCELLED);
        at = at * 5 / 4 + 1;
    }
    l->family->free(learner);
}

static void
test_it_keeps_what_every_family_promises(void **state)
{
    static const struct family *const families[] = {
        &ridge_family, &lasso_family, &elastic_net_family};
    static const char *const set[] = {"steps=5", "folds=3", "reach=0.1", NULL};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct lesson l = table(families[i], set, 40, MANY);

        lesson_same_for_any_threads(&l);
        lesson_same_from_file(&l);
        lesson_cancelled_is_an_error(&l);
        lesson_no_memory_is_an_error(&l);
        expect_stop_anywhere(&l);
        lesson_free(&l);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_agree_with_scikit_learn),
        cmocka_unit_test(test_conjugate_gradients_agree_with_scikit_learn),
        cmocka_unit_test(test_a_lambda_alone_is_where_the_slopes_say),
        cmocka_unit_test(test_ridge_without_a_penalty_goes_through_the_rows),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
