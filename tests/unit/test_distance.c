/* Distances of distributions.  Numbers marked (scipy) came from scipy 1.10.1.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/distance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/lib/close.h"

static const double p[] = {0.1, 0.2, 0.3, 0.4}, q[] = {0.4, 0.3, 0.2, 0.1};
static const double z[] = {0, 0.3, 0.3, 0.4};

/* (scipy) jensenshannon, entropy; Hellinger by numpy. */
static void
test_distances_of_shares_agree_with_scipy(void **state)
{
    (void)state;
    assert_close(distance_js(p, q, 4), 0.39186816064715513, 1e-14);
    assert_close(distance_js(p, z, 4), 0.23929553148007765, 1e-14);
    assert_close(distance_kl(p, q, 4, 0.0001), 0.45643481914678347, 1e-14);
    assert_close(distance_hellinger(p, q, 4), 0.3318162917087773, 1e-14);
    assert_close(distance_total(p, q, 4), 0.4, 1e-15);
    assert_close(distance_most(p, z, 4), 0.1, 1e-15);
    assert_true(distance_js(p, p, 4) == 0);
}

static void
test_an_empty_share_is_small_beside_the_smallest(void **state)
{
    const double tiny[] = {0.00005, 0.99995}, none[] = {0, 1};

    (void)state;
    assert_true(distance_floor(p, z, 4) == 0.0001);
    assert_close(distance_floor(tiny, none, 2), 5e-11, 1e-25);
}

/* (scipy) chi2_contingency. */
static void
test_chi_square_leaves_out_what_neither_has(void **state)
{
    const size_t a[] = {10, 20, 0, 30}, b[] = {20, 20, 0, 25};
    size_t kinds;

    (void)state;
    assert_close(distance_chi2(a, b, 4, &kinds), 3.5936285936285945, 1e-13);
    assert_int_equal(kinds, 3);
    assert_close(distance_chi2_tail(3.5936285936285945, 2), 0.16582632109261258,
                 1e-14);
}

/* (scipy) ks_2samp with method="exact", wasserstein_distance. */
static void
test_distances_of_samples_agree_with_scipy(void **state)
{
    const double a[] = {1, 2, 2, 3, 5, 8, 13};
    const double b[] = {2, 3, 3, 4, 4, 9, 20, 21, 30};
    struct error err;

    (void)state;
    assert_close(distance_ks(a, 7, b, 9), 0.3333333333333333, 1e-15);
    assert_close(distance_ks_tail(1 / 3.0, 7, 9, &err), 0.6475524475524476,
                 1e-12);
    assert_close(distance_wasserstein(a, 7, b, 9), 5.80952380952381, 1e-13);
    assert_close(distance_ks_tail(0.08666666666666667, 300, 300, &err),
                 0.21005749381264038, 1e-11);
    assert_true(distance_ks(a, 7, a, 7) == 0);
    assert_true(distance_ks_tail(0, 7, 7, &err) == 1);
}

/* (scipy) special.kolmogorov of d sqrt(nm / (n + m)). */
static void
test_large_samples_go_by_the_series(void **state)
{
    struct error err;

    (void)state;
    assert_close(distance_ks_tail(0.03, 2000, 3000, &err), 0.23029647548844775,
                 1e-13);
    assert_close(distance_ks_tail(0.05, 2000, 3000, &err), 0.004957504277830013,
                 1e-15);
}

static void
test_no_memory_for_the_exact_tail_is_an_error(void **state)
{
    struct error err = {0};

    (void)state;
    mem_fault_arm(1, false);
    assert_true(isnan(distance_ks_tail(0.5, 7, 9, &err)));
    mem_fault_arm(0, false);
    assert_int_equal(err.code, ERR_NOMEM);
}

static void
test_chi_square_tail_agrees_with_scipy(void **state)
{
    static const struct {
        double x, dof, want;
    } cases[] = {{10.5, 3, 0.014760897143990665},
                 {0.3, 49, 1},
                 {60, 49, 0.1348643465253207},
                 {2000, 1999, 0.4894866615843932},
                 {1e-8, 1, 0.9999202115440526},
                 {400, 100, 1.6927979958857254e-37},
                 {0, 4, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double got = distance_chi2_tail(cases[i].x, cases[i].dof);

        if (!(fabs(got / cases[i].want - 1) < 1e-10))
            fail_msg("%g of %g: got %.17g, want %.17g", cases[i].x,
                     cases[i].dof, got, cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances_of_shares_agree_with_scipy),
        cmocka_unit_test(test_an_empty_share_is_small_beside_the_smallest),
        cmocka_unit_test(test_chi_square_leaves_out_what_neither_has),
        cmocka_unit_test(test_distances_of_samples_agree_with_scipy),
        cmocka_unit_test(test_large_samples_go_by_the_series),
        cmocka_unit_test(test_no_memory_for_the_exact_tail_is_an_error),
        cmocka_unit_test(test_chi_square_tail_agrees_with_scipy),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
