/* tests/unit/test_block.c -- the twins of the dense kernels.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/pool.h"
#include "base/rng.h"
#include "engine/classic/block.h"

enum { MAX_A = 11, MAX_B = 70, MAX_P = 9, OUT_ROW = MAX_B + 3 };

static double a[MAX_A * MAX_P], b[MAX_P * MAX_B];

static void
fill(void)
{
    for (size_t i = 0; i < MAX_A * MAX_P; i++)
        a[i] = rng_normal(1, 1, i);
    for (size_t i = 0; i < MAX_P * MAX_B; i++)
        b[i] = rng_normal(1, 2, i);
}

/* The sums as they are written in a book, in the order of the columns. */
static double
by_hand(const struct block *k, size_t i, size_t c, double from, int product)
{
    double sum = from;

    for (size_t j = 0; j < k->p; j++) {
        double x = k->a[i * k->a_row + j * k->a_col],
               y = k->b[j * k->b_row + c];

        sum += product ? x * y : (x - y) * (x - y);
    }
    return sum;
}

static void
expect_twin(const struct block_kernels *k, size_t n_a, size_t n_b, size_t p,
            bool turned)
{
    double out[MAX_A * OUT_ROW];
    struct block job = {.a = a,
                        .a_row = turned ? 1 : MAX_P,
                        .a_col = turned ? MAX_A : 1,
                        .n_a = n_a,
                        .b = b,
                        .b_row = MAX_B,
                        .n_b = n_b,
                        .p = p,
                        .out = out,
                        .out_row = OUT_ROW};

    for (int product = 0; product < 2; product++) {
        for (size_t i = 0; i < MAX_A * OUT_ROW; i++)
            out[i] = (double)i;
        if (product)
            k->product(&job);
        else
            k->distance(&job);
        for (size_t i = 0; i < MAX_A; i++)
            for (size_t c = 0; c < OUT_ROW; c++) {
                double want = (double)(i * OUT_ROW + c);

                if (i < n_a && c < n_b)
                    want = by_hand(&job, i, c, product ? want : 0, product);
                assert_memory_equal(&out[i * OUT_ROW + c], &want, sizeof want);
            }
    }
}

static void
expect_all_sizes(const struct block_kernels *k)
{
    fill();
    for (size_t n_a = 0; n_a <= MAX_A; n_a++)
        for (size_t n_b = 0; n_b <= MAX_B; n_b += n_b < 18 ? 1 : 13)
            for (size_t p = 0; p <= MAX_P; p += 3) {
                expect_twin(k, n_a, n_b, p, false);
                expect_twin(k, n_a, n_b, p, true);
            }
}

static void
test_the_plain_kernels_sum_column_by_column(void **state)
{
    (void)state;
    expect_all_sizes(&block_plain);
}

static void
test_the_avx2_twins_give_the_same_bits(void **state)
{
    (void)state;
#if HAVE_AVX2_TWIN
    if (cpu_has_avx2()) {
        expect_all_sizes(&block_avx2);
        return;
    }
#endif
    skip();
}

static void
test_the_avx512_twins_give_the_same_bits(void **state)
{
    (void)state;
#if HAVE_AVX512_TWIN
    if (cpu_has_avx512()) {
        expect_all_sizes(&block_avx512);
        return;
    }
#endif
    skip();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_plain_kernels_sum_column_by_column),
        cmocka_unit_test(test_the_avx2_twins_give_the_same_bits),
        cmocka_unit_test(test_the_avx512_twins_give_the_same_bits),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
