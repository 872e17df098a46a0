/* Losses and their gradients.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>

#include "base/rng.h"
#include "engine/trees/objective.h"
#include "tests/lib/close.h"

enum { N = 40, K = 4 };

/* The loss whose half derivative, for squared error, or derivative is g. */
static double
loss_at(enum problem p, double *score, const double *y, size_t k, size_t i,
        size_t c, double delta)
{
    double old = score[i * k + c], v;

    score[i * k + c] = old + delta;
    v = objective_loss(p, score, y, k, i, i + 1);
    score[i * k + c] = old;
    return p == PROBLEM_REGRESSION ? v / 2 : v;
}

/* g against (l(+d) - l(-d)) / 2d, h against (l(+d) - 2 l + l(-d)) / d^2. */
static void
check_gradients(enum problem p, size_t k, double h_factor)
{
    double score[N * K], y[N];
    struct gradient g[N * K];
    const double d = 1e-4;

    for (size_t i = 0; i < N * k; i++)
        score[i] = 2 * rng_normal(1, k, i);
    for (size_t i = 0; i < N; i++)
        y[i] = p == PROBLEM_REGRESSION
                   ? rng_normal(2, 2, i)
                   : (double)rng_below(3, 3, i, p == PROBLEM_BINARY ? 2 : k);
    objective_gradients(p, score, y, N, k, 0, N, g, NULL);
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < k; c++) {
            double up = loss_at(p, score, y, k, i, c, d);
            double down = loss_at(p, score, y, k, i, c, -d);
            double here = loss_at(p, score, y, k, i, c, 0);

            assert_close((double)g[c * N + i].g, (up - down) / (2 * d), 1e-6);
            assert_close((double)g[c * N + i].h,
                         h_factor * (up - 2 * here + down) / (d * d), 1e-5);
        }
}

static void
test_gradients_match_finite_differences(void **state)
{
    (void)state;
    check_gradients(PROBLEM_REGRESSION, 1, 1);
    check_gradients(PROBLEM_BINARY, 1, 1);
    check_gradients(PROBLEM_MULTICLASS, 4, 4.0 / 3);
    check_gradients(PROBLEM_MULTICLASS, 3, 3.0 / 2);
}

/* Two classes by softmax are the logistic function of the difference. */
static void
test_two_class_softmax_is_logistic(void **state)
{
    const double y[] = {1, 0};
    double two[] = {0.3, 1.5, -2, 0.25}, one[] = {1.2, 2.25};

    (void)state;
    assert_close(objective_loss(PROBLEM_MULTICLASS, two, y, 2, 0, 2),
                 objective_loss(PROBLEM_BINARY, one, y, 1, 0, 2), 1e-15);
    objective_transform(PROBLEM_MULTICLASS, two, 2, 2);
    objective_transform(PROBLEM_BINARY, one, 2, 1);
    assert_close(two[1], one[0], 1e-15);
    assert_close(two[2] + two[3], 1, 1e-15);
    assert_close(one[0], 1 / (1 + exp(-1.2)), 1e-15);
}

static void
test_base_scores_are_mean_and_log_odds(void **state)
{
    const double number[] = {1, 2, 6}, two[] = {1, 1, 1, 0},
                 three[] = {0, 2, 2, 2};
    double base[3];

    (void)state;
    objective_base(PROBLEM_REGRESSION, number, 3, 1, base);
    assert_close(base[0], 3, 1e-15);
    objective_base(PROBLEM_BINARY, two, 4, 1, base);
    assert_close(base[0], log(3), 1e-15);
    objective_base(PROBLEM_MULTICLASS, three, 4, 3, base);
    assert_close(base[0], log(0.25), 1e-15);
    assert_close(base[1], log(0.125), 1e-15); /* half a row for none */
    assert_close(base[2], log(0.75), 1e-15);
}

/* At its base score a sample has no gradient left. */
static void
test_base_scores_leave_no_gradient(void **state)
{
    const double y[] = {1, 1, 1, 0, 0};
    double base, score[5], sum = 0;
    struct gradient g[5];

    (void)state;
    objective_base(PROBLEM_BINARY, y, 5, 1, &base);
    for (size_t i = 0; i < 5; i++)
        score[i] = base;
    objective_gradients(PROBLEM_BINARY, score, y, 5, 1, 0, 5, g, NULL);
    for (size_t i = 0; i < 5; i++)
        sum += (double)g[i].g;
    assert_close(sum, 0, 1e-6);
}

static void
test_certain_scores_stay_finite(void **state)
{
    const double y[] = {0, 1, 0, 1};
    double score[] = {1e300, -1e300, INFINITY, 800}, loss;
    struct gradient g[4];

    (void)state;
    objective_gradients(PROBLEM_BINARY, score, y, 4, 1, 0, 4, g, &loss);
    for (size_t i = 0; i < 4; i++)
        assert_true(isfinite(g[i].g) && g[i].h > 0);
    /* three rows at the clip of 2^-52, one right */
    assert_close(loss, 3 * 52 * log(2), 1e-12);
}

static void
test_loss_comes_with_the_gradients(void **state)
{
    double score[N * K], y[N], loss;
    struct gradient g[N * K];

    (void)state;
    for (size_t i = 0; i < N * K; i++)
        score[i] = rng_normal(5, 5, i);
    for (size_t i = 0; i < N; i++)
        y[i] = (double)(i % 4);
    objective_gradients(PROBLEM_MULTICLASS, score, y, N, K, 0, N, g, &loss);
    assert_close(loss, objective_loss(PROBLEM_MULTICLASS, score, y, K, 0, N),
                 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_match_finite_differences),
        cmocka_unit_test(test_two_class_softmax_is_logistic),
        cmocka_unit_test(test_base_scores_are_mean_and_log_odds),
        cmocka_unit_test(test_base_scores_leave_no_gradient),
        cmocka_unit_test(test_certain_scores_stay_finite),
        cmocka_unit_test(test_loss_comes_with_the_gradients),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
