/* tests/unit/test_net_kernel.c -- the products nets are made of.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "engine/neural/kernel.h"

enum { MOST = 4096 };

static float
number(uint64_t stream, size_t i)
{
    return (float)(2 * rng_unit(1, stream, i) - 1);
}

static void
fill(float *p, size_t n, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        p[i] = number(stream, i);
}

/* The twins that this machine runs, the plain one first. */
static size_t
twins(const struct kernels *out[3])
{
    size_t n = 0;

    out[n++] = &kernels_plain;
    if (cpu_has_avx2())
        out[n++] = &kernels_avx2;
    if (cpu_has_avx512())
        out[n++] = &kernels_avx512;
    return n;
}

struct shape {
    size_t m, n, n_runs, run, step, jump;
};
static const struct shape shapes[] = {
    {1, 1, 1, 1, 1, 0},     {12, 32, 1, 7, 7, 0},   {13, 33, 1, 40, 40, 0},
    {25, 17, 1, 9, 9, 0},   {7, 16, 3, 6, 2, 20},   {31, 8, 3, 15, 3, 40},
    {6, 64, 2, 11, 4, 50},  {11, 63, 1, 5, 5, 0},   {47, 10, 5, 5, 1, 60},
    {3, 100, 1, 100, 3, 0}, {24, 24, 1, 24, 24, 0}, {2, 15, 1, 3, 3, 0}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static void
run_rows(const struct kernels *twin, const struct shape *s, const float *a,
         const float *b, const float *bias, bool add, float *out)
{
    size_t depth = s->n_runs * s->run;
    float *panel = mem_new(kernel_panel_len(depth, s->n) * sizeof *panel);

    kernel_pack(&(struct kernel_pack){.b = b,
                                      .rows = depth,
                                      .cols = s->n,
                                      .row = s->n,
                                      .col = 1,
                                      .out = panel,
                                      .total = depth});
    twin->rows(&(struct kernel_rows){.a = a,
                                     .step = s->step,
                                     .n_runs = s->n_runs,
                                     .run = s->run,
                                     .jump = s->jump,
                                     .b = panel,
                                     .bias = bias,
                                     .add = add,
                                     .out = out,
                                     .stride = s->n + 1,
                                     .m = s->m,
                                     .n = s->n});
    free(panel);
}

static void
test_rows_are_the_product_on_every_twin(void **state)
{
    static float a[MOST], b[MOST * 4], bias[128], want[MOST * 2], got[MOST * 2];
    const struct kernels *twin[3];
    size_t n_twins = twins(twin);

    (void)state;
    fill(a, MOST, 1);
    fill(b, MOST * 4, 2);
    fill(bias, 128, 3);
    for (size_t k = 0; k < N_SHAPES * 3; k++) {
        const struct shape *s = &shapes[k / 3];
        const float *start = k % 3 == 1 ? bias : NULL;
        size_t len = s->m * (s->n + 1);

        fill(want, len, 4);
        run_rows(twin[0], s, a, b, start, k % 3 == 2, want);
        for (size_t i = 0; i < s->m; i++)
            for (size_t j = 0; j < s->n; j++) {
                double sum = k % 3 == 1 ? (double)bias[j]
                             : k % 3 == 2
                                 ? (double)number(4, i * (s->n + 1) + j)
                                 : 0;

                for (size_t t = 0; t < s->n_runs * s->run; t++)
                    sum +=
                        (double)
                            a[i * s->step + t / s->run * s->jump + t % s->run] *
                        (double)b[t * s->n + j];
                assert_true(fabs(sum - (double)want[i * (s->n + 1) + j]) <
                            1e-4);
            }
        /* What lies between the rows is nobody's. */
        assert_true(want[s->n] == number(4, s->n));
        for (size_t v = 1; v < n_twins; v++) {
            fill(got, len, 4);
            run_rows(twin[v], s, a, b, start, k % 3 == 2, got);
            assert_memory_equal(got, want, len * sizeof *got);
        }
    }
}

static void
test_a_row_does_not_depend_on_the_rows_beside_it(void **state)
{
    static float a[MOST], b[MOST * 4], all[MOST * 2], one[MOST];
    struct shape s = {29, 45, 1, 60, 60, 0}, alone = {1, 45, 1, 60, 60, 0};

    (void)state;
    fill(a, MOST, 1);
    fill(b, MOST * 4, 2);
    run_rows(kernels_best(), &s, a, b, NULL, false, all);
    for (size_t i = 0; i < s.m; i++) {
        run_rows(kernels_best(), &alone, a + i * 60, b, NULL, false, one);
        assert_memory_equal(one, all + i * (s.n + 1), s.n * sizeof *one);
    }
}

static void
test_outer_is_the_product_on_every_twin(void **state)
{
    static const struct {
        size_t lines, m, n_a, n_d;
    } cases[] = {{1, 5, 1, 1},    {2, 7, 12, 32}, {3, 4, 13, 33},
                 {1, 64, 27, 16}, {4, 3, 9, 15},  {2, 9, 25, 100},
                 {1, 1, 6, 48}};
    static float a[MOST], d[MOST * 2], want[MOST], got[MOST];
    const struct kernels *twin[3];
    size_t n_twins = twins(twin);

    (void)state;
    fill(a, MOST, 1);
    fill(d, MOST * 2, 2);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct kernel_outer k = {.a = a,
                                 .n_lines = cases[c].lines,
                                 .line = 300,
                                 .m = cases[c].m,
                                 .step = 3,
                                 .n_a = cases[c].n_a,
                                 .d = d,
                                 .d_step = cases[c].n_d,
                                 .n_d = cases[c].n_d,
                                 .out = want,
                                 .stride = cases[c].n_d};
        size_t len = k.n_a * k.n_d;

        fill(want, len, 4);
        twin[0]->outer(&k);
        for (size_t u = 0; u < k.n_a; u++)
            for (size_t j = 0; j < k.n_d; j++) {
                double sum = (double)number(4, u * k.n_d + j);

                for (size_t i = 0; i < k.n_lines * k.m; i++)
                    sum += (double)a[i / k.m * 300 + i % k.m * 3 + u] *
                           (double)d[i * k.n_d + j];
                assert_true(fabs(sum - (double)want[u * k.n_d + j]) < 1e-4);
            }
        for (size_t v = 1; v < n_twins; v++) {
            fill(got, len, 4);
            k.out = got;
            twin[v]->outer(&k);
            assert_memory_equal(got, want, len * sizeof *got);
        }
    }
}

/* fmaf() is the C library's, correctly rounded. */
static void
test_sums_round_once(void **state)
{
    static float a[MOST], b[MOST];
    struct shape s = {1, 1, 1, 1, 1, 0};
    float got[2];

    (void)state;
    for (size_t i = 0; i < 200000; i++) {
        /* Exponents far apart, so that sums come to lie half way. */
        a[0] = ldexpf(number(1, i), (int)rng_below(2, 3, i, 60) - 30);
        b[0] = ldexpf(1 + 0x1p-11f * (float)rng_below(2, 4, i, 3), -3);
        got[0] = ldexpf(number(2, i), (int)rng_below(2, 5, i, 60) - 30);
        if (i % 7 == 0) {
            a[0] = ldexpf(1, -(int)(i % 150));
            got[0] = 1;
        }
        {
            float want = fmaf(a[0], b[0], got[0]);

            run_rows(&kernels_plain, &s, a, b, NULL, true, got);
            assert_memory_equal(got, &want, sizeof want);
        }
    }
}

static void
test_adam_steps_alike_on_every_twin(void **state)
{
    enum { N = 37 };
    float w[3][N], m[3][N], v[3][N], g[N];
    const struct kernels *twin[3];
    size_t n_twins = twins(twin);

    (void)state;
    fill(g, N, 1);
    for (size_t t = 0; t < n_twins; t++) {
        fill(w[t], N, 2);
        fill(m[t], N, 3);
        for (size_t i = 0; i < N; i++)
            v[t][i] = fabsf(number(4, i));
        twin[t]->adam(&(struct kernel_adam){w[t], m[t], v[t], g, N, 0.5f, 0.1f,
                                            0.01f, 0.9f, 0.999f, 0.2f, 1.5f});
        assert_memory_equal(w[t], w[0], sizeof w[0]);
        assert_memory_equal(m[t], m[0], sizeof m[0]);
        assert_memory_equal(v[t], v[0], sizeof v[0]);
    }
    for (size_t i = 0; i < N; i++) {
        double x = (double)number(2, i);
        double grad = 0.5 * (double)g[i] + 0.1 * x;
        double mm = 0.9 * (double)number(3, i) + 0.1 * grad;
        double vv = 0.999 * fabs((double)number(4, i)) + 0.001 * grad * grad;

        x = x - 0.01 * x - 0.2 * mm / (sqrt(vv * 1.5) + 1e-8);
        assert_true(fabs(x - (double)w[0][i]) < 1e-5);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_the_product_on_every_twin),
        cmocka_unit_test(test_a_row_does_not_depend_on_the_rows_beside_it),
        cmocka_unit_test(test_outer_is_the_product_on_every_twin),
        cmocka_unit_test(test_sums_round_once),
        cmocka_unit_test(test_adam_steps_alike_on_every_twin),
    };

    (void)cmocka_run_group_tests_name("net_kernel", tests, NULL, NULL);
    return 0;
}
