/* Columns to 8-bit codes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/binned.h"
#include "tests/lib/close.h"

static struct binner *
fit(const double *x, size_t n, unsigned max_bins)
{
    struct error err;
    struct binner *b = binner_fit(x, n, max_bins, &err);

    assert_ok(b, err);
    return b;
}

/* Code 1 must mean "the smallest values", however heavy the first one is. */
static void
test_heavy_value_leaves_no_empty_bin(void **state)
{
    const double x[] = {7, 7, 7, 7, 9, 9, 11, NAN};
    const uint8_t want[] = {1, 1, 1, 1, 2, 2, 3, 0};
    uint8_t got[8];
    struct binner *b = fit(x, 8, 4);

    (void)state;
    binner_apply(b, x, 8, got);
    assert_memory_equal(got, want, sizeof want);
    assert_int_equal(binner_bins(b), 3);
    assert_close(binner_cut(b, 1), 8, 0);
    assert_close(binner_cut(b, 2), 10, 0);
    binner_free(b);
}

static void
test_few_values_have_a_bin_each(void **state)
{
    double x[2550];
    struct binner *b;

    (void)state;
    for (size_t i = 0; i < 2550; i++)
        x[i] = (double)(i % 255) - 100;
    b = fit(x, 2550, 255);
    assert_int_equal(binner_bins(b), 255);
    for (unsigned k = 1; k < 255; k++)
        assert_close(binner_cut(b, k), (double)k - 100.5, 0);
    binner_free(b);
}

/* Quantiles of distinct values: each bin holds n / bins rows, give or take one
 * (the definition of a quantile). */
static void
test_many_values_are_cut_at_quantiles(void **state)
{
    enum { N = 10000, BINS = 64 };
    static double x[N];
    static uint8_t code[N];
    size_t count[BINS + 1] = {0};
    struct binner *b;

    (void)state;
    for (size_t i = 0; i < N; i++)
        x[i] = rng_normal(1, 2, i);
    b = fit(x, N, BINS);
    assert_int_equal(binner_bins(b), BINS);
    binner_apply(b, x, N, code);
    for (size_t i = 0; i < N; i++)
        count[code[i]]++;
    assert_int_equal(count[0], 0);
    for (size_t k = 1; k <= BINS; k++)
        assert_in_range(count[k], N / BINS - 2, N / BINS + 2);
    binner_free(b);
}

/* Half of the rows are one value: the other bins share the rest. */
static void
test_heavy_value_does_not_starve_the_others(void **state)
{
    enum { N = 8000, BINS = 17 };
    static double x[N];
    static uint8_t code[N];
    size_t count[BINS + 1] = {0};
    struct binner *b;

    (void)state;
    for (size_t i = 0; i < N; i++)
        x[i] = i % 2 ? 0 : rng_unit(1, 1, i) - 0.5;
    b = fit(x, N, BINS);
    binner_apply(b, x, N, code);
    for (size_t i = 0; i < N; i++)
        count[code[i]]++;
    for (size_t k = 1; k <= binner_bins(b); k++)
        assert_in_range(count[k], 100, 4500);
    assert_in_range(binner_bins(b), 15, 17);
    binner_free(b);
}

/* "code <= k" and "x < cut" agree on every value, the cuts themselves and their
 * neighbours, infinities and both zeros included. */
static void
test_code_and_cut_agree_on_every_value(void **state)
{
    double x[3000], probe[10];
    uint8_t code[10];
    struct binner *b;

    (void)state;
    for (size_t i = 0; i < 3000; i++)
        x[i] = i % 7 == 0    ? INFINITY
               : i % 11 == 0 ? -INFINITY
               : i % 5 == 0  ? -0.0
                             : rng_normal(3, 1, i);
    b = fit(x, 3000, 100);
    for (unsigned k = 1; k < binner_bins(b); k++) {
        double cut = binner_cut(b, k);

        probe[0] = cut;
        probe[1] = nextafter(cut, -INFINITY);
        probe[2] = nextafter(cut, INFINITY);
        probe[3] = -INFINITY;
        probe[4] = INFINITY;
        probe[5] = 0.0;
        probe[6] = -0.0;
        probe[7] = x[k];
        probe[8] = -1e308;
        probe[9] = 1e308;
        binner_apply(b, probe, 10, code);
        for (size_t i = 0; i < 10; i++)
            assert_int_equal(code[i] <= k, probe[i] < cut);
    }
    binner_free(b);
}

static void
test_neighbouring_doubles_are_told_apart(void **state)
{
    const double x[] = {1, 1 + 0x1p-52, -1e308, 1e308, -INFINITY, INFINITY};
    const uint8_t want[] = {3, 4, 2, 5, 1, 6};
    uint8_t got[6];
    struct binner *b = fit(x, 6, 255);

    (void)state;
    binner_apply(b, x, 6, got);
    assert_memory_equal(got, want, sizeof want);
    binner_free(b);
}

static void
test_missing_column_has_no_bins(void **state)
{
    const double x[] = {NAN, NAN, NAN};
    uint8_t got[3] = {9, 9, 9};
    struct binner *b = fit(x, 3, 255);

    (void)state;
    binner_apply(b, x, 3, got);
    assert_int_equal(binner_bins(b), 0);
    assert_int_equal(got[0] + got[1] + got[2], 0);
    binner_free(b);
    b = fit(x, 0, 255);
    assert_int_equal(binner_bins(b), 0);
    binner_free(b);
}

static void
test_bins_out_of_range_are_refused(void **state)
{
    const double x = 1;
    struct error err;

    (void)state;
    assert_null(binner_fit(&x, 1, 1, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_null(binner_fit(&x, 1, 65536, &err));
    assert_string_equal(err.message, "max_bins is 65536, expected 2..65535");
}

static void
test_frequent_levels_have_codes_of_their_own(void **state)
{
    /* level 0: 3 rows, 1: none, 2: 1, 3: 2; room for two */
    const double x[] = {0, 0, 0, 2, 3, 3, NAN, 7, -1};
    const uint8_t want[] = {1, 1, 1, 0, 2, 2, 0, 0, 0};
    const uint16_t code[] = {1, 0, 0, 2};
    uint8_t got[9];
    unsigned n;
    struct error err;
    struct binner *b = binner_fit_levels(x, 9, 4, 2, 0, &err);

    (void)state;
    assert_non_null(b);
    binner_apply(b, x, 9, got);
    assert_memory_equal(got, want, sizeof want);
    assert_memory_equal(binner_codes(b, &n), code, sizeof code);
    assert_int_equal(n, 4);
    binner_free(b);
}

static const struct binned_rule usual = {255, 255, 0, 1, false};

static struct design *
dense(const double *x, size_t n, size_t cols,
      const struct design_column *columns)
{
    struct error err;
    struct design *d = design_dense(x, n, cols, columns, &err);

    assert_ok(d, err);
    return d;
}

/* Rows, columns and slots hold the same codes; what cannot split has no slot. */
static void
test_table_is_the_same_by_row_and_by_column(void **state)
{
    enum { N = 9000, COLS = 20 };
    static double x[N * COLS];
    struct design_column column[COLS];
    struct design *d;
    struct binned *b, *again;
    struct error err;
    uint8_t code;

    (void)state;
    for (size_t c = 0; c < COLS; c++) {
        column[c] = (struct design_column){"x", c == 4 ? 5 : 0};
        for (size_t i = 0; i < N; i++)
            x[c * N + i] = c == 0   ? 3 /* constant */
                           : c == 1 ? NAN
                           : c == 2 ? (i % 9 ? 1 : NAN)
                           : c == 4 ? (double)(i % 5)
                           : c == 5 ? (double)(i % 40)
                                    : rng_normal(1, c, i);
    }
    d = dense(x, N, COLS, column);
    b = binned_fit(d, &usual, NULL, NULL, &err);
    assert_ok(b, err);
    assert_int_equal(b->n_slots, 18); /* not the constant, not the missing */
    assert_int_equal(b->n_wide, 1);   /* 15 wide slots: one full word */
    assert_int_equal(b->n_words, 3);
    again = binned_apply(b, d, NULL, NULL, &err);
    assert_ok(again, err);
    assert_memory_equal(again->row, b->row, N * b->n_words * 8);
    for (size_t s = 0; s < b->n_slots; s++)
        for (size_t i = 0; i < N; i += 7) {
            size_t c = b->slot[s].col;

            binner_apply(b->binner[c], &x[c * N + i], 1, &code);
            assert_int_equal(binned_row(b, i)[s], code);
            assert_int_equal(b->col[s * N + i], code);
        }
    binned_free(again);
    binned_free(b);
    design_free(d);
}

/* Cuts of many rows come from a sample of them. */
static void
test_sampled_cuts_are_quantiles_too(void **state)
{
    const struct binned_rule rule = {100, 255, 0, 5, false};
    size_t n = 3 * (size_t)BINNED_SAMPLE;
    const struct design_column column = {"x", 0};
    struct error err;
    double *x = malloc(n * sizeof *x);
    struct design *d;
    struct binned *b;

    (void)state;
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = rng_unit(1, 1, i);
    d = dense(x, n, 1, &column);
    b = binned_fit(d, &rule, NULL, NULL, &err);
    assert_ok(b, err);
    assert_int_equal(binner_bins(b->binner[0]), 100);
    for (unsigned k = 1; k < 100; k++)
        assert_true(fabs(binner_cut(b->binner[0], k) - k / 100.0) < 0.003);
    binned_free(b);
    design_free(d);
    free(x);
}

static void
test_no_memory_is_an_error_at_every_allocation(void **state)
{
    double x[60];
    const struct design_column column[3] = {{"a", 0}, {"b", 0}, {"c", 4}};
    struct design *d;
    struct error err;
    struct binned *b = NULL;

    (void)state;
    for (size_t i = 0; i < 60; i++)
        x[i] = (double)(i % 4);
    d = dense(x, 20, 3, column);
    for (unsigned long n = 1; !b; n++) {
        mem_fault_arm(n, true);
        b = binned_fit(d, &usual, NULL, NULL, &err);
        mem_fault_arm(0, false);
        if (!b)
            assert_int_equal(err.code, ERR_NOMEM);
        assert_true(n < 100);
    }
    binned_free(b);
    design_free(d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heavy_value_leaves_no_empty_bin),
        cmocka_unit_test(test_few_values_have_a_bin_each),
        cmocka_unit_test(test_many_values_are_cut_at_quantiles),
        cmocka_unit_test(test_heavy_value_does_not_starve_the_others),
        cmocka_unit_test(test_code_and_cut_agree_on_every_value),
        cmocka_unit_test(test_neighbouring_doubles_are_told_apart),
        cmocka_unit_test(test_missing_column_has_no_bins),
        cmocka_unit_test(test_bins_out_of_range_are_refused),
        cmocka_unit_test(test_frequent_levels_have_codes_of_their_own),
        cmocka_unit_test(test_table_is_the_same_by_row_and_by_column),
        cmocka_unit_test(test_sampled_cuts_are_quantiles_too),
        cmocka_unit_test(test_no_memory_is_an_error_at_every_allocation),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
