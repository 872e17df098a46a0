/* tests/unit/test_forest_kernel.c -- the twins of what drawn cuts do to rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"
#include "base/rng.h"
#include "engine/trees/forest_kernel.h"

enum { ROWS = 100 };

/* Codes 0..most, 0 among them; weights and targets of quarters, whose sums are
 * exact in any order. */
static void
make(uint64_t seed, unsigned most, uint16_t *code, struct forest_row *rows)
{
    for (size_t i = 0; i < ROWS; i++) {
        code[i] = (uint16_t)rng_below(seed, 1, i, most + 1);
        rows[i] = (struct forest_row){
            (uint32_t)i, (float)(1 + rng_below(seed, 2, i, 5)) / 4,
            (double)rng_below(seed, 3, i, 100) / 4 - 10};
    }
}

static void
expect_range(const struct forest_kernels *k, const uint16_t *code, size_t n)
{
    struct forest_range want = {UINT32_MAX, 0, 0}, got = k->range(code, n);

    for (size_t i = 0; i < n; i++) {
        if (code[i] > 0 && code[i] < want.low)
            want.low = code[i];
        if (code[i] > want.high)
            want.high = code[i];
        want.missing += code[i] == 0;
    }
    assert_int_equal(got.low, want.low);
    assert_int_equal(got.high, want.high);
    assert_int_equal(got.missing, want.missing);
}

static void
expect_sums(const struct forest_kernels *k, const struct forest_row *rows,
            const uint16_t *code, size_t n, unsigned cut, bool missing_left)
{
    struct forest_cut c = forest_cut_of(cut, missing_left);
    struct forest_sum want = {0, 0, 0}, got = k->sum_left(rows, code, n, c);

    for (size_t i = 0; i < n; i++)
        if (code[i] ? code[i] <= cut : missing_left) {
            want.n++;
            want.weight += (double)rows[i].weight;
            want.sum += (double)rows[i].weight * rows[i].y;
        }
    assert_true(got.n == want.n && got.weight == want.weight &&
                got.sum == want.sum);
}

static void
expect_right(const struct forest_kernels *k)
{
    static const unsigned most[] = {1, 3, 255, 65535};

    for (size_t m = 0; m < 4; m++)
        for (size_t n = 0; n <= ROWS; n++) {
            struct forest_row rows[ROWS];
            uint16_t code[ROWS];

            make(n + 7 * m, most[m], code, rows);
            expect_range(k, code, n);
            for (unsigned cut = most[m] / 3; cut <= most[m];
                 cut += most[m] / 3 + 1) {
                if (cut > 0)
                    expect_sums(k, rows, code, n, cut, false);
                if (cut < UINT16_MAX)
                    expect_sums(k, rows, code, n, cut, true);
            }
        }
}

static void
test_plain_sums_are_those_of_the_left_rows(void **state)
{
    (void)state;
    expect_right(&forest_plain);
}

static void
test_the_avx2_twin_is_right_too(void **state)
{
    (void)state;
    if (!cpu_has_avx2())
        skip();
    expect_right(&forest_avx2);
}

/* Of numbers whose sums depend on the order. */
static void
test_twins_give_the_same_bits(void **state)
{
    struct forest_row rows[ROWS];
    uint16_t code[ROWS];

    (void)state;
    if (!cpu_has_avx2())
        skip();
    make(1, 9, code, rows);
    for (size_t i = 0; i < ROWS; i++)
        rows[i].y = rng_normal(2, 0, i) * 1e3;
    for (size_t n = 0; n <= ROWS; n++) {
        struct forest_cut cut = forest_cut_of(4, n % 2);
        struct forest_sum a = forest_plain.sum_left(rows, code, n, cut);
        struct forest_sum b = forest_avx2.sum_left(rows, code, n, cut);

        assert_memory_equal(&a, &b, sizeof a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_sums_are_those_of_the_left_rows),
        cmocka_unit_test(test_the_avx2_twin_is_right_too),
        cmocka_unit_test(test_twins_give_the_same_bits),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
