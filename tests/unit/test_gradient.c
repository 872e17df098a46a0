/* What is done to every gradient, by each twin.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "base/rng.h"
#include "engine/trees/gradient.h"
#include "tests/lib/close.h"

enum { N = 1003 };

static void
test_gradients_of_log_loss_are_its_derivatives(void **state)
{
    static const double p[] = {0.25, 0.5, 1, 0}, y[] = {1, 0, 1, 1};
    struct gradient g[4];

    (void)state;
    gradient_plain.binary(p, y, 4, 0x1p-20, g);
    assert_true(g[0].g == -0.75f && g[0].h == 0.1875f);
    assert_true(g[1].g == 0.5f && g[1].h == 0.25f);
    assert_true(g[2].g == 0 && g[2].h == 0x1p-20f);
    assert_true(g[3].g == -1 && g[3].h == 0x1p-20f);
}

static void
test_rows_without_weight_are_not_measured(void **state)
{
    static const struct gradient g[] = {{-3, 0.5f}, {9, 0}, {2, 0.125f}};
    struct gradient_extent e = gradient_plain.measure(g, 3);

    (void)state;
    assert_true(e.max_g == 3 && e.min_h == 0.125f && e.max_h == 0.5f);
    e = gradient_plain.measure(g + 1, 1);
    assert_true(e.max_g == 0 && isinf(e.min_h) && e.max_h == 0);
}

/* NaN, infinities, no weight and every tail. */
static void
test_avx2_twin_does_the_same(void **state)
{
    static struct gradient g[N], got[N + 1], want[N + 1];
    static double p[N], y[N];

    (void)state;
    if (!cpu_has_avx2())
        skip();
    for (size_t i = 0; i < N; i++) {
        p[i] = i % 50 == 7 ? (double)(i % 2) : rng_unit(1, 1, i);
        y[i] = (double)(i % 3 == 0);
        g[i].g = (float)rng_normal(2, 1, i);
        g[i].h = i % 5 ? (float)rng_unit(2, 2, i) : 0;
    }
    p[100] = NAN;
    g[201].g = NAN;
    g[202].g = -INFINITY;
    for (size_t n = 0; n <= N; n++) {
        struct gradient_extent a = gradient_plain.measure(g + N - n, n);
        struct gradient_extent b = gradient_avx2.measure(g + N - n, n);

        assert_memory_equal(&a, &b, sizeof a);
        memset(got, 0x5c, sizeof got);
        memset(want, 0x5c, sizeof want);
        gradient_plain.binary(p, y, n, 1e-16, want);
        gradient_avx2.binary(p, y, n, 1e-16, got);
        assert_memory_equal(got, want, sizeof got);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_of_log_loss_are_its_derivatives),
        cmocka_unit_test(test_rows_without_weight_are_not_measured),
        cmocka_unit_test(test_avx2_twin_does_the_same),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
