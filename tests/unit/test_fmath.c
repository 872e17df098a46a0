/* exp, log, log1p and sigmoid against x87 or software long double.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fmath.h"
#include "base/pool.h"
#include "base/rng.h"

/* Distance in units of the last place of the double nearest to `want`. */
static double
ulps(double got, long double want)
{
    double near = fabs((double)want);
    double next = nextafter(near, INFINITY);

    return (double)(fabsl((long double)got - want) /
                    ((long double)next - (long double)near));
}

static double
worst(double (*f)(double), long double (*exact)(long double), double low,
      double high, size_t n)
{
    double most = 0;

    for (size_t i = 0; i < n; i++) {
        double x = low + (high - low) * rng_unit(7, (uint64_t)n, i);
        double u = ulps(f(x), exact(x));

        if (!(u <= most))
            most = u;
    }
    return most;
}

static long double
sigmoidl(long double x)
{
    return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

#define WITHIN_ONE(call)                         \
    do {                                         \
        double u_ = (call);                      \
        if (!(u_ < 1.0))                         \
            fail_msg("%s: %.3f ulp", #call, u_); \
    } while (0)

static void
test_exp_is_within_one_ulp(void **state)
{
    (void)state;
    WITHIN_ONE(worst(fm_exp, expl, -1, 1, 200000));
    WITHIN_ONE(worst(fm_exp, expl, -40, 40, 200001));
    WITHIN_ONE(worst(fm_exp, expl, -745, 709.7, 200002));
    WITHIN_ONE(worst(fm_exp, expl, -1e-8, 1e-8, 20000));
}

static void
test_log_is_within_one_ulp(void **state)
{
    (void)state;
    WITHIN_ONE(worst(fm_log, logl, 0, 2, 200000));
    WITHIN_ONE(worst(fm_log, logl, 0.99, 1.01, 200001));
    WITHIN_ONE(worst(fm_log, logl, 0, 1e300, 200002));
    WITHIN_ONE(worst(fm_log, logl, 0, 1e-300, 20000));
    WITHIN_ONE(worst(fm_log, logl, 0, 1e-310, 20001));
}

static void
test_log1p_is_within_one_ulp(void **state)
{
    (void)state;
    WITHIN_ONE(worst(fm_log1p, log1pl, -1, 1, 200000));
    WITHIN_ONE(worst(fm_log1p, log1pl, -1e-5, 1e-5, 200001));
    WITHIN_ONE(worst(fm_log1p, log1pl, -0.3, -0.28, 200002));
    WITHIN_ONE(worst(fm_log1p, log1pl, 0.4, 0.42, 200003));
    WITHIN_ONE(worst(fm_log1p, log1pl, 0, 100, 200004));
    WITHIN_ONE(worst(fm_log1p, log1pl, 0, 1e18, 20000));
}

static void
test_sigmoid_is_within_one_ulp(void **state)
{
    (void)state;
    WITHIN_ONE(worst(fm_sigmoid, sigmoidl, -1, 1, 200000));
    WITHIN_ONE(worst(fm_sigmoid, sigmoidl, -45, 45, 200001));
    WITHIN_ONE(worst(fm_sigmoid, sigmoidl, -740, -35, 200002));
}

static void
test_ends_of_the_range_are_exact(void **state)
{
    (void)state;
    assert_true(fm_exp(0) == 1 && fm_exp(-INFINITY) == 0);
    assert_true(isinf(fm_exp(710)) && isinf(fm_exp(INFINITY)));
    assert_true(fm_exp(-746) == 0 && fm_exp(-745) > 0);
    assert_true(isnan(fm_exp(NAN)) && isnan(fm_log(NAN)));
    assert_true(fm_log(1) == 0 && isinf(fm_log(0)) && fm_log(0) < 0);
    assert_true(isnan(fm_log(-1)) && isinf(fm_log(INFINITY)));
    assert_true(fm_log1p(0) == 0 && fm_log1p(-1) == -INFINITY);
    assert_true(isnan(fm_log1p(-1.5)) && isnan(fm_log1p(NAN)));
    assert_true(fm_log1p(INFINITY) == INFINITY && fm_log1p(-1e-300) == -1e-300);
    assert_true(fm_sigmoid(0) == 0.5 && fm_sigmoid(INFINITY) == 1);
    assert_true(fm_sigmoid(-INFINITY) == 0 && isnan(fm_sigmoid(NAN)));
    assert_true(fm_sigmoid(-740) > 0 && fm_sigmoid(38) == 1);
}

/* The bits of one build, so that another CPU, compiler or FMA contraction that
 * changes them is seen: a digest of 40,000 results, folded in order. */
static uint64_t
digest(void)
{
    uint64_t h = 1469598103934665603u;

    for (size_t i = 0; i < 10000; i++) {
        double x = 60 * (rng_unit(11, 1, i) - 0.5);
        double v[4] = {fm_exp(x), fm_log(fabs(x)), fm_log1p(fabs(x) / 30 - 1),
                       fm_sigmoid(x)};

        for (size_t k = 0; k < 4; k++) {
            uint64_t u;

            memcpy(&u, &v[k], sizeof u);
            h = (h ^ u) * 1099511628211u;
        }
    }
    return h;
}

static void
test_bits_are_the_same_on_every_build(void **state)
{
    (void)state;
    assert_true(digest() == UINT64_C(0x73c59cedc0f568d2));
}

typedef void many_fn(const double *x, size_t n, double *out);

static void
check_twins(double (*one)(double), many_fn *plain, many_fn *twin, many_fn *all,
            double range)
{
    double x[1003], got[1003], want[1003];

    for (size_t i = 0; i < 1003; i++)
        x[i] = (i % 7 ? range / 4 : 2.5 * range) * (rng_unit(5, 5, i) - 0.5);
    x[3] = NAN;
    x[10] = -INFINITY;
    x[11] = INFINITY;
    x[20] = 0.0;
    x[21] = -0.0;
    x[22] = range;
    x[23] = -range;
    for (size_t n = 990; n <= 1003; n++) {
        plain(x, n, want);
        twin(x, n, got);
        assert_memory_equal(got, want, n * sizeof *got);
        assert_true(got[n - 1] == one(x[n - 1]));
    }
    memcpy(got, x, sizeof x);
    all(got, 1003, got);
    assert_memory_equal(got, want, sizeof got);
}

/* The twins give the same bits, in their range, beyond it, at any length. */
static void
test_many_at_once_are_the_same_as_each(void **state)
{
    (void)state;
    if (!cpu_has_avx2())
        skip();
    check_twins(fm_sigmoid, fm_sigmoid_all_plain, fm_sigmoid_all_avx2,
                fm_sigmoid_all, 40);
    check_twins(fm_exp, fm_exp_all_plain, fm_exp_all_avx2, fm_exp_all, 690);
    if (!cpu_has_avx512())
        return;
    check_twins(fm_sigmoid, fm_sigmoid_all_plain, fm_sigmoid_all_avx512,
                fm_sigmoid_all, 40);
    check_twins(fm_exp, fm_exp_all_plain, fm_exp_all_avx512, fm_exp_all, 690);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp_is_within_one_ulp),
        cmocka_unit_test(test_log_is_within_one_ulp),
        cmocka_unit_test(test_log1p_is_within_one_ulp),
        cmocka_unit_test(test_sigmoid_is_within_one_ulp),
        cmocka_unit_test(test_many_at_once_are_the_same_as_each),
        cmocka_unit_test(test_ends_of_the_range_are_exact),
        cmocka_unit_test(test_bits_are_the_same_on_every_build),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
