/* Histograms of quantised gradients.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/trees/hist.h"
#include "tests/lib/close.h"

enum { MAX_COLS = 40 };

static const struct binned_rule usual = {255, 255, 0, 1, false};

struct fixture {
    double *x;
    struct design_column *column;
    struct design *d;
    struct binned *b;
    uint32_t *rows; /* from the last to the first */
    struct hist_quantum *q;
    size_t n;
};

/* `wide` columns of many values, then `narrow` ones of a few. */
static struct fixture
make(size_t n, size_t wide, size_t narrow)
{
    struct fixture f = {.n = n};
    struct error err;
    size_t cols = wide + narrow;

    f.x = malloc(n * cols * sizeof *f.x);
    f.rows = calloc(n, sizeof *f.rows);
    f.q = calloc(n, sizeof *f.q);
    f.column = calloc(MAX_COLS, sizeof *f.column);
    assert_true(f.x && f.rows && f.q && f.column);
    for (size_t c = 0; c < cols; c++) {
        f.column[c] = (struct design_column){"x", 0};
        for (size_t i = 0; i < n; i++)
            f.x[c * n + i] = c < wide ? rng_normal(1, c, i)
                                      : (double)rng_below(1, c, i, 3 + c);
    }
    f.d = design_dense(f.x, n, cols, f.column, &err);
    assert_ok(f.d, err);
    f.b = binned_fit(f.d, &usual, NULL, NULL, &err);
    assert_ok(f.b, err);
    for (size_t i = 0; i < n; i++) {
        f.rows[i] = (uint32_t)(n - 1 - i);
        f.q[i].g = (int16_t)((int64_t)rng_below(2, 1, i, 65535) - 32767);
        f.q[i].h = (uint16_t)(1 + rng_below(2, 2, i, 65535));
    }
    return f;
}

static void
drop(struct fixture *f)
{
    binned_free(f->b);
    design_free(f->d);
    free(f->column);
    free(f->rows);
    free(f->q);
    free(f->x);
}

/* The plain version: one slot and one row at a time, from the column codes. */
static void
count_plainly(const struct fixture *f, const uint32_t *rows, size_t n,
              int64_t *g, int64_t *h)
{
    memset(g, 0, f->b->n_bins * sizeof *g);
    memset(h, 0, f->b->n_bins * sizeof *h);
    for (size_t s = 0; s < f->b->n_slots; s++)
        for (size_t i = 0; i < n; i++) {
            size_t at =
                f->b->slot[s].first + f->b->col[s * f->b->n_rows + rows[i]];

            g[at] += f->q[rows[i]].g;
            h[at] += f->q[rows[i]].h;
        }
}

static void
check_counts(size_t n, size_t wide, size_t narrow)
{
    struct fixture f = make(n, wide, narrow);
    size_t bins = f.b->n_bins;
    int64_t *hist = calloc(bins, sizeof *hist);
    int64_t *g = malloc(bins * sizeof *g), *h = malloc(bins * sizeof *h);

    assert_true(hist && g && h);
    count_plainly(&f, f.rows, n, g, h);
    for (int way = 0; way < 2; way++) {
        memset(hist, 0, bins * sizeof *hist);
        if (way == 0)
            hist_add(f.b, f.rows, n, f.q, hist);
        else
            hist_add_range(f.b, 0, n, f.q, hist);
        for (size_t k = 0; k < bins; k++) {
            assert_true(hist_g(hist[k]) == g[k]);
            assert_true(hist_h(hist[k]) == h[k]);
        }
    }
    free(hist);
    free(g);
    free(h);
    drop(&f);
}

static void
test_sums_match_a_plain_count(void **state)
{
    (void)state;
    check_counts(5000, 20, 0);
    check_counts(2000, 33, 6);
    check_counts(5000, 8, 0);
    check_counts(3000, 16, 9);
    check_counts(3000, 3, 13);
    check_counts(2000, 0, 16);
    check_counts(700, 0, 1);
    check_counts(1, 0, 0 + 1);
}

/* At the limit of a narrow histogram every row has the largest values and all
 * fall into one bin: nothing may leak from h into g. */
static void
test_narrow_sums_do_not_overflow_at_the_limit(void **state)
{
    struct hist_quantum least = {-HIST_MAX_G, HIST_MAX_H};
    struct hist_quantum most = {HIST_MAX_G, HIST_MAX_H};
    int64_t low = 0, high = 0;

    (void)state;
    for (size_t i = 0; i < HIST_NARROW_ROWS; i++) {
        low += hist_pack(least);
        high += hist_pack(most);
    }
    assert_true(hist_g(low) == -(int64_t)HIST_MAX_G * HIST_NARROW_ROWS);
    assert_true(hist_g(high) == (int64_t)HIST_MAX_G * HIST_NARROW_ROWS);
    assert_true(hist_h(low) == (int64_t)HIST_MAX_H * HIST_NARROW_ROWS);
    assert_true(hist_h(high) == (int64_t)HIST_MAX_H * HIST_NARROW_ROWS);
}

static void
test_wide_sums_hold_what_narrow_ones_cannot(void **state)
{
    int64_t narrow = 0, wide[2] = {0, 0};

    (void)state;
    for (size_t i = 0; i < HIST_NARROW_ROWS; i++)
        narrow += hist_pack((struct hist_quantum){-HIST_MAX_G, HIST_MAX_H});
    for (size_t i = 0; i < 65536; i++)
        hist_fold_wide(wide, &narrow, 0, 1);
    assert_true(wide[0] == -(int64_t)HIST_MAX_G * (INT64_C(1) << 32));
    assert_true(wide[1] == (int64_t)HIST_MAX_H << 32);
}

/* parent - child = sibling, bin by bin, in every pair of widths. */
static void
test_subtraction_leaves_the_sibling(void **state)
{
    enum { N = 4000, CUT = 1500 };
    struct fixture f = make(N, 5, 4);
    size_t bins = f.b->n_bins;
    int64_t *parent = calloc(bins, 8), *left = calloc(bins, 8);
    int64_t *right = calloc(bins, 8), *wide = calloc(bins, 16);
    int64_t *wide_left = calloc(bins, 16);

    (void)state;
    assert_true(parent && left && right && wide && wide_left);
    hist_add(f.b, f.rows, N, f.q, parent);
    hist_add(f.b, f.rows, CUT, f.q, left);
    hist_add(f.b, f.rows + CUT, N - CUT, f.q, right);
    hist_fold_wide(wide, parent, 0, bins);
    hist_fold_wide(wide_left, left, 0, bins);
    hist_subtract(wide, true, left, false, 0, bins);
    for (size_t k = 0; k < bins; k++) {
        assert_true(wide[2 * k] == hist_g(right[k]));
        assert_true(wide[2 * k + 1] == hist_h(right[k]));
    }
    hist_subtract(wide, true, wide_left, true, 3, bins);
    assert_true(wide[0] == hist_g(right[0]));
    assert_true(wide[6] == hist_g(right[3]) - hist_g(left[3]));
    hist_subtract(parent, false, left, false, 0, bins);
    assert_memory_equal(parent, right, bins * 8);
    free(parent);
    free(left);
    free(right);
    free(wide);
    free(wide_left);
    drop(&f);
}

/* Gradients a thousandth of a step: rounding to the nearest would lose them
 * all, the sum over many rows must not. */
static void
test_quantised_sums_are_unbiased(void **state)
{
    enum { N = 100000 };
    struct hist_scale s = hist_scale(1, 0.001f, 0.25f);
    struct gradient small = {(float)(s.g_unit * 0.001), 0.1f};
    int64_t g = 0, h = 0;

    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        struct hist_quantum q = hist_quantise(&s, small, i, 12345);

        g += q.g;
        h += q.h;
    }
    assert_true(llabs(g - N / 1000) <= 2);
    assert_close((double)h * s.h_unit / N, 0.1, 1e-7);
}

static void
test_extreme_gradients_stay_in_range(void **state)
{
    struct hist_scale s = hist_scale(1e30f, 1e-16f, 3e20f);
    struct hist_scale none = hist_scale(0, 1, 1);

    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        struct hist_quantum high =
            hist_quantise(&s, (struct gradient){1e30f, 3e20f}, i, i * 77);
        struct hist_quantum low =
            hist_quantise(&s, (struct gradient){-1e30f, 1e-16f}, i, i * 99);

        assert_in_range(high.g, HIST_MAX_G - 1, HIST_MAX_G);
        assert_in_range(high.h, HIST_MAX_H - 1, HIST_MAX_H);
        assert_in_range(-low.g, HIST_MAX_G - 1, HIST_MAX_G);
        assert_int_equal(low.h, 1); /* never 0, which means no row */
        /* one hessian for all: it counts rows */
        assert_int_equal(hist_quantise(&none, (struct gradient){0, 1}, i, i).h,
                         1);
        assert_int_equal(hist_quantise(&none, (struct gradient){0, 1}, i, i).g,
                         0);
    }
    assert_true(none.same_h && none.h_unit == 1);
}

/* All rows at once, row by row, and by the twins. */
static void
test_rows_are_quantised_alike_alone_and_together(void **state)
{
    enum { N = 1003 };
    struct gradient g[N];
    struct hist_quantum plain[N], fast[N];
    hist_quantise_fn *twin[] = {hist_quantise_choose(),
                                cpu_has_avx2() ? hist_quantise_avx2 : NULL};

    (void)state;
    for (int k = 0; k < 4; k++) {
        struct hist_scale s = k < 2 ? hist_scale(3, 1e-9f, k ? 2 : 1)
                                    : hist_scale(k == 2 ? 0 : 1e30f, 1, 1);

        for (uint32_t i = 0; i < N; i++) {
            g[i].g = (float)(rng_unit(1, 1, i) - 0.5) * (k == 3 ? 2e30f : 6);
            g[i].h = k < 2 ? (float)pow(rng_unit(2, 2, i), 9) : 1;
        }
        memset(plain, 0, sizeof plain);
        hist_quantise_plain(&s, g, 2, N, 0x80000000u + k, plain);
        for (uint32_t i = 2; i < N; i++) {
            struct hist_quantum q = hist_quantise(&s, g[i], i, 0x80000000u + k);

            assert_memory_equal(&q, &plain[i], sizeof q);
        }
        for (size_t t = 0; t < 2 && twin[t]; t++) {
            memset(fast, 0, sizeof fast);
            twin[t](&s, g, 2, N, 0x80000000u + k, fast);
            assert_memory_equal(fast, plain, sizeof fast);
        }
    }
}

/* Any number of words; nothing behind them is touched. */
static void
test_words_are_added_alike_one_by_one_and_together(void **state)
{
    enum { N = 70 };
    int64_t from[N], plain[N], fast[N];

    (void)state;
    if (!cpu_has_avx2())
        skip();
    for (size_t n = 0; n < N; n++) {
        for (size_t i = 0; i < N; i++) {
            from[i] = (int64_t)rng_at(1, n, i);
            plain[i] = fast[i] = (int64_t)rng_at(2, n, i) >> 1;
            from[i] >>= 1;
        }
        hist_add_words_plain(plain, from, n);
        hist_add_words_avx2(fast, from, n);
        assert_memory_equal(fast, plain, sizeof fast);
        hist_take_words_plain(plain, from, n / 2);
        hist_take_words_avx2(fast, from, n / 2);
        assert_memory_equal(fast, plain, sizeof fast);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_match_a_plain_count),
        cmocka_unit_test(test_narrow_sums_do_not_overflow_at_the_limit),
        cmocka_unit_test(test_wide_sums_hold_what_narrow_ones_cannot),
        cmocka_unit_test(test_subtraction_leaves_the_sibling),
        cmocka_unit_test(test_quantised_sums_are_unbiased),
        cmocka_unit_test(test_extreme_gradients_stay_in_range),
        cmocka_unit_test(test_rows_are_quantised_alike_alone_and_together),
        cmocka_unit_test(test_words_are_added_alike_one_by_one_and_together),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
