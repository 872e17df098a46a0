/* Losses and their gradients.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>

#include "base/rng.h"
#include "engine/trees/objective.h"
#include "tests/lib/close.h"

enum { N = 40, K = 4 };

static struct objective
rows_of(enum problem p, const double *y, size_t n, size_t k)
{
    return (struct objective){.problem = p, .n = n, .k = k, .y = y};
}

/* The loss whose half derivative, for squared error, or derivative is g. */
static double
loss_at(const struct objective *o, double *score, size_t i, size_t c,
        double delta)
{
    double old = score[i * o->k + c], v;

    score[i * o->k + c] = old + delta;
    v = objective_loss(o, score, i, i + 1);
    score[i * o->k + c] = old;
    return o->problem == PROBLEM_REGRESSION ? v / 2 : v;
}

/* g against (l(+d) - l(-d)) / 2d, h against (l(+d) - 2 l + l(-d)) / d^2. */
static void
check_gradients(enum problem p, size_t k, double h_factor, bool weighs)
{
    double score[N * K], y[N], weight[N];
    struct objective o = rows_of(p, y, N, k);
    struct gradient g[N * K];
    const double d = 1e-4;

    if (weighs)
        o.weight = weight;

    for (size_t i = 0; i < N * k; i++)
        score[i] = 2 * rng_normal(1, k, i);
    for (size_t i = 0; i < N; i++)
        weight[i] = 3 * rng_unit(4, 4, i);
    for (size_t i = 0; i < N; i++)
        y[i] = p == PROBLEM_REGRESSION
                   ? rng_normal(2, 2, i)
                   : (double)rng_below(3, 3, i, p == PROBLEM_BINARY ? 2 : k);
    objective_gradients(&o, score, 0, N, g, NULL);
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < k; c++) {
            double up = loss_at(&o, score, i, c, d);
            double down = loss_at(&o, score, i, c, -d);
            double here = loss_at(&o, score, i, c, 0);

            assert_close((double)g[c * N + i].g, (up - down) / (2 * d), 1e-6);
            assert_close((double)g[c * N + i].h,
                         h_factor * (up - 2 * here + down) / (d * d), 1e-5);
        }
}

static void
test_gradients_match_finite_differences(void **state)
{
    (void)state;
    for (int weighs = 0; weighs < 2; weighs++) {
        check_gradients(PROBLEM_REGRESSION, 1, 1, weighs);
        check_gradients(PROBLEM_BINARY, 1, 1, weighs);
        check_gradients(PROBLEM_MULTICLASS, 4, 4.0 / 3, weighs);
        check_gradients(PROBLEM_MULTICLASS, 3, 3.0 / 2, weighs);
    }
}

/* Two classes by softmax are the logistic function of the difference. */
static void
test_two_class_softmax_is_logistic(void **state)
{
    const double y[] = {1, 0};
    double two[] = {0.3, 1.5, -2, 0.25}, one[] = {1.2, 2.25};
    struct objective many = rows_of(PROBLEM_MULTICLASS, y, 2, 2),
                     pair = rows_of(PROBLEM_BINARY, y, 2, 1);

    (void)state;
    assert_close(objective_loss(&many, two, 0, 2),
                 objective_loss(&pair, one, 0, 2), 1e-15);
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
    const double weight[] = {3, 0, 1};
    struct objective numbers = rows_of(PROBLEM_REGRESSION, number, 3, 1),
                     pair = rows_of(PROBLEM_BINARY, two, 4, 1),
                     many = rows_of(PROBLEM_MULTICLASS, three, 4, 3);
    double base[3];

    (void)state;
    objective_base(&numbers, base);
    assert_close(base[0], 3, 1e-15);
    numbers.weight = weight;
    objective_base(&numbers, base);
    assert_close(base[0], 9.0 / 4, 1e-15);
    objective_base(&pair, base);
    assert_close(base[0], log(3), 1e-15);
    objective_base(&many, base);
    assert_close(base[0], log(0.25), 1e-15);
    assert_close(base[1], log(0.125), 1e-15); /* half a row for none */
    assert_close(base[2], log(0.75), 1e-15);
}

/* At its base score a sample has no gradient left. */
static void
test_base_scores_leave_no_gradient(void **state)
{
    const double y[] = {1, 1, 1, 0, 0};
    const double weight[] = {0.5, 2, 1, 1, 4};
    struct objective o = rows_of(PROBLEM_BINARY, y, 5, 1);
    double base, score[5], sum = 0;
    struct gradient g[5];

    (void)state;
    o.weight = weight;
    objective_base(&o, &base);
    for (size_t i = 0; i < 5; i++)
        score[i] = base;
    objective_gradients(&o, score, 0, 5, g, NULL);
    for (size_t i = 0; i < 5; i++)
        sum += (double)g[i].g;
    assert_close(sum, 0, 1e-6);
}

static void
test_certain_scores_stay_finite(void **state)
{
    const double y[] = {0, 1, 0, 1};
    double score[] = {1e300, -1e300, INFINITY, 800}, loss;
    struct objective o = rows_of(PROBLEM_BINARY, y, 4, 1);
    struct gradient g[4];

    (void)state;
    objective_gradients(&o, score, 0, 4, g, &loss);
    for (size_t i = 0; i < 4; i++)
        assert_true(isfinite(g[i].g) && g[i].h > 0);
    /* three rows at the clip of 2^-52, one right */
    assert_close(loss, 3 * 52 * log(2), 1e-12);
}

static void
test_loss_comes_with_the_gradients(void **state)
{
    double score[N * K], y[N], loss;
    struct objective o = rows_of(PROBLEM_MULTICLASS, y, N, K);
    struct gradient g[N * K];

    (void)state;
    for (size_t i = 0; i < N * K; i++)
        score[i] = rng_normal(5, 5, i);
    for (size_t i = 0; i < N; i++)
        y[i] = (double)(i % 4);
    objective_gradients(&o, score, 0, N, g, &loss);
    assert_close(loss, objective_loss(&o, score, 0, N), 0);
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
