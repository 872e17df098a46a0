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

/* row - (v' w + w' v), its part of the sums, and eight lanes of its product. */
static void
expect_change(const struct block_kernels *k, size_t n)
{
    double row[MAX_B], sum[MAX_B], lane[8] = {0}, rest = 0, want;
    struct block_change job = {.row = row,
                               .v = b,
                               .w = b + MAX_B,
                               .by_v = 0.3,
                               .by_w = -1.7,
                               .next = b + 2 * MAX_B,
                               .by_next = 0.9,
                               .sum = sum,
                               .n = n};

    for (size_t j = 0; j < MAX_B; j++)
        row[j] = sum[j] = b[3 * MAX_B + j];
    want = k->change(&job);
    for (size_t j = 0; j < MAX_B; j++) {
        double x = b[3 * MAX_B + j], s = x;

        if (j < n) {
            x -= 0.3 * job.w[j] + -1.7 * job.v[j];
            s += 0.9 * x;
            *(j < n / 8 * 8 ? &lane[j % 8] : &rest) += x * job.next[j];
        }
        assert_memory_equal(&row[j], &x, sizeof x);
        assert_memory_equal(&sum[j], &s, sizeof s);
    }
    for (size_t half = 4; half > 0; half /= 2)
        for (size_t j = 0; j < half; j++)
            lane[j] += lane[j + half];
    rest += lane[0];
    assert_memory_equal(&want, &rest, sizeof want);
}

static void
expect_all_sizes(const struct block_kernels *k)
{
    fill();
    for (size_t n = 0; n <= MAX_B; n++)
        expect_change(k, n);
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
