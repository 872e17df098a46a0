/* The best split of one slot.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/trees/split.h"
#include "tests/lib/close.h"

static const struct split_rule RULE = {.l2 = 1, .min_rows = 1};

/* One column whose codes are given by its values 1, 2, ... (NaN is code 0), and
 * its histogram over all rows, with g and h equal to their integers. */
static const struct binned_rule usual = {255, 255, 0, 1, false};

struct fixture {
    struct design_column *column;
    struct design *d;
    struct binned *b;
    int64_t *hist;
    struct split_leaf leaf;
    struct hist_scale scale;
};

static struct fixture
make(const double *x, const int *g, const int *h, size_t n, unsigned levels)
{
    struct fixture f = {.column = calloc(1, sizeof *f.column),
                        .scale = {.g_unit = 1, .h_unit = 1}};
    struct hist_quantum *q = calloc(n + 1, sizeof *q);
    struct error err;

    assert_true(q && f.column);
    *f.column = (struct design_column){"x", levels};
    f.d = design_dense(x, n, 1, f.column, &err);
    assert_ok(f.d, err);
    f.b = binned_fit(f.d, &usual, NULL, NULL, &err);
    assert_ok(f.b, err);
    f.hist = calloc(f.b->n_bins + 1, sizeof *f.hist);
    assert_non_null(f.hist);
    for (size_t i = 0; i < n; i++) {
        q[i] = (struct hist_quantum){(int16_t)g[i], (uint16_t)h[i]};
        f.leaf.g += g[i];
        f.leaf.h += h[i];
    }
    hist_add_range(f.b, 0, n, q, f.hist);
    f.leaf.hist = f.hist;
    f.leaf.n_rows = n;
    free(q);
    return f;
}

static void
drop(struct fixture *f)
{
    free(f->hist);
    binned_free(f->b);
    design_free(f->d);
    free(f->column);
}

static struct split_found
best(struct fixture *f, const struct split_rule *rule)
{
    const struct split_search search = {f->b, &f->leaf,     &f->scale,
                                        rule, &split_plain, NULL};
    struct split_found found;

    memset(&found, 0, sizeof found);
    split_slot(&search, 0, &found);
    split_finish(&search, &found);
    return found;
}

static bool
goes_left(const struct tree_split *s, unsigned code)
{
    return s->set[code / 64] >> (code % 64) & 1;
}

static double
term(double g, double h)
{
    return g * g / (h + RULE.l2);
}

/* By hand: G = {-3, -2, 4}, H = 1 each, l2 = 1.  Cut after 2:
 * 1/2 [25/3 + 16/2 - 1/4] = 8.0416..., after 1: 1/2 [9/2 + 4/3 - 1/4]. */
static void
test_cut_and_gain_match_the_formula(void **state)
{
    const double x[] = {1, 2, 3};
    const int g[] = {-3, -2, 4}, h[] = {1, 1, 1};
    struct fixture f = make(x, g, h, 3, 0);
    struct split_found s = best(&f, &RULE);

    (void)state;
    assert_int_equal(s.split.code, 2);
    assert_close(s.split.gain, 0.5 * (25.0 / 3 + 8 - 0.25), 1e-12);
    assert_int_equal(s.left_g, -5);
    assert_int_equal(s.left_h, 2);
    assert_true(goes_left(&s.split, 1) && goes_left(&s.split, 2));
    assert_false(goes_left(&s.split, 3));
    /* nothing was missing: later ones go with the larger side */
    assert_true(s.split.missing_left && goes_left(&s.split, 0));
    drop(&f);
}

static void
test_l1_takes_its_share_off_the_gradient(void **state)
{
    const double x[] = {1, 2};
    const int g[] = {-5, 3}, h[] = {1, 1};
    struct split_rule rule = RULE;
    struct fixture f = make(x, g, h, 2, 0);

    (void)state;
    rule.l1 = 1;
    /* (5-1)^2/2 + (3-1)^2/2 - (2-1)^2/3 */
    assert_close(best(&f, &rule).split.gain, 0.5 * (8 + 2 - 1.0 / 3), 1e-12);
    rule.gamma = 2;
    assert_close(best(&f, &rule).split.gain, 0.5 * (8 + 2 - 1.0 / 3) - 2,
                 1e-12);
    rule.gamma = 5;
    assert_true(best(&f, &rule).split.gain <= 0);
    drop(&f);
}

static void
test_missing_values_take_the_better_side(void **state)
{
    const double x[] = {1, 1, 2, 2, NAN, NAN};
    const int h[] = {1, 1, 1, 1, 1, 1};
    const int like_low[] = {-4, -4, 4, 4, -4, -4};
    const int like_high[] = {-4, -4, 4, 4, 4, 4};
    const int unlike[] = {0, 0, 0, 0, 9, 9};
    struct fixture f = make(x, like_low, h, 6, 0);
    struct split_found s = best(&f, &RULE);

    (void)state;
    assert_true(s.split.code == 1 && s.split.missing_left);
    assert_int_equal(s.left_g, -16);
    drop(&f);
    f = make(x, like_high, h, 6, 0);
    s = best(&f, &RULE);
    assert_true(s.split.code == 1 && !s.split.missing_left);
    assert_int_equal(s.left_g, -8);
    drop(&f);
    /* missing against present: only code 0 goes left */
    f = make(x, unlike, h, 6, 0);
    s = best(&f, &RULE);
    assert_true(s.split.code == 0 && s.split.missing_left);
    assert_true(goes_left(&s.split, 0) && !goes_left(&s.split, 1));
    assert_int_equal(s.left_g, 18);
    drop(&f);
}

/* Bins of no row between two groups: the cut is in the middle of the gap. */
static void
test_cut_lies_in_the_middle_of_a_gap(void **state)
{
    double x[12];
    int g[12], h[12];
    struct fixture f;
    struct split_found s;

    (void)state;
    for (int i = 0; i < 12; i++) {
        x[i] = i + 1;
        g[i] = i < 3 ? -5 : i > 8 ? 5 : 0;
        h[i] = 1;
    }
    f = make(x, g, h, 12, 0);
    for (int k = 4; k <= 9; k++) { /* take the rows of codes 4..9 away */
        f.leaf.h -= hist_h(f.hist[k]);
        f.hist[k] = 0;
    }
    f.leaf.n_rows = 6;
    s = best(&f, &RULE);
    assert_int_equal(s.split.code, 6);
    assert_int_equal(s.left_h, 3);
    drop(&f);
}

static void
test_small_sides_are_refused(void **state)
{
    const double x[] = {1, 2, 3, 4, 5, 6};
    const int g[] = {-90, 1, 1, 1, 1, 1}, h[] = {1, 1, 1, 1, 1, 1};
    struct fixture f = make(x, g, h, 6, 0);
    struct split_rule rule = RULE;

    (void)state;
    assert_int_equal(best(&f, &rule).split.code, 1);
    rule.min_rows = 2;
    assert_int_equal(best(&f, &rule).split.code, 2);
    rule.min_rows = 1;
    rule.min_hessian = 2.5;
    assert_int_equal(best(&f, &rule).split.code, 3);
    rule.min_hessian = 3.5;
    assert_true(best(&f, &rule).split.gain <= 0);
    drop(&f);
}

/* Hessians say little about rows here; counted, min_rows is exact. */
static void
test_counts_replace_the_estimate(void **state)
{
    const double x[] = {1, 2, 2, 2, 2, 3};
    const int g[] = {-90, 1, 1, 1, 1, 90}, h[] = {50, 1, 1, 1, 1, 50};
    const uint32_t counts[] = {0, 1, 4, 1};
    struct fixture f = make(x, g, h, 6, 0);
    struct split_rule rule = RULE;

    (void)state;
    rule.min_rows = 2;
    assert_true(best(&f, &rule).split.gain > 0); /* estimated 2.9 rows */
    f.leaf.counts = counts;
    assert_true(best(&f, &rule).split.gain <= 0); /* 1 row on either side */
    rule.min_rows = 1;
    assert_true(best(&f, &rule).split.gain > 0);
    drop(&f);
}

static void
test_nothing_to_gain_is_no_split(void **state)
{
    const double x[] = {1, 2, 3, NAN};
    const int same[] = {7, 7, 7, 7}, zero[] = {0, 0, 0, 0};
    const int h[] = {3, 3, 3, 3};
    struct split_rule rule = {.min_rows = 1};
    struct fixture f = make(x, same, h, 4, 0);

    (void)state;
    assert_true(best(&f, &rule).split.gain <= 0);
    drop(&f);
    f = make(x, zero, h, 4, 0);
    assert_true(best(&f, &RULE).split.gain <= 0);
    drop(&f);
}

/* Of all 2^(k-1) - 1 partitions the prefix of the order is the best (Fisher
 * 1958; exact for equal l2 = 0). */
static void
test_category_set_is_the_best_of_all_sets(void **state)
{
    enum { K = 8 };
    const struct split_rule rule = {.min_rows = 0};
    double x[K + 1];
    int g[K + 1], h[K + 1];

    (void)state;
    for (uint64_t trial = 0; trial < 200; trial++) {
        double most = 0, total_g = 0, total_h = 0;
        struct fixture f;
        struct split_found s;

        for (unsigned k = 0; k <= K; k++) {
            x[k] = k == K ? (double)NAN : (double)k;
            g[k] = (int)rng_below(trial, 1, k, 200) - 100;
            h[k] = 1 + (int)rng_below(trial, 2, k, 50);
            total_g += g[k];
            total_h += h[k];
        }
        for (unsigned set = 1; set < 1u << K; set++) {
            double a = 0, b = 0;

            for (unsigned k = 0; k <= K; k++)
                if (set >> k & 1) {
                    a += g[k];
                    b += h[k];
                }
            most = fmax(most,
                        0.5 * (a * a / b +
                               (total_g - a) * (total_g - a) / (total_h - b) -
                               total_g * total_g / total_h));
        }
        f = make(x, g, h, K + 1, K);
        s = best(&f, &rule);
        assert_close(s.split.gain, most, 1e-9);
        assert_true(goes_left(&s.split, 0) == s.split.missing_left);
        drop(&f);
    }
}

/* Levels with too few rows go with the missing, and so does a level that is
 * not in the leaf. */
static void
test_rare_levels_follow_the_missing(void **state)
{
    enum { N = 42 };
    double x[N];
    int g[N], h[N];
    struct split_rule rule = RULE;
    struct fixture f;
    struct split_found s;

    (void)state;
    for (int i = 0; i < N; i++) {
        x[i] = i < 20 ? 0 : i < 39 ? 1 : i < 40 ? 2 : i < 41 ? 3 : NAN;
        g[i] = i < 20 ? -1 : 1;
        h[i] = 1;
    }
    g[39] = -9; /* level 2 looks like level 0, but it is one row */
    g[41] = 5;
    rule.level_rows = 5;
    f = make(x, g, h, N, 4);
    f.leaf.g -= hist_g(f.hist[4]); /* level 3 does not occur in the leaf */
    f.leaf.h -= hist_h(f.hist[4]);
    f.hist[4] = 0;
    s = best(&f, &rule);
    assert_true(s.split.gain > 0);
    assert_true(goes_left(&s.split, 1) != goes_left(&s.split, 2));
    assert_true(goes_left(&s.split, 3) == goes_left(&s.split, 0));
    assert_true(goes_left(&s.split, 4) == goes_left(&s.split, 0));
    drop(&f);
}

/* Any range and any tail, to the last bit and the same place. */
static void
check_scan(const struct split_kernels *k)
{
    double g[256], h[256];

    for (uint64_t trial = 0; trial < 20000; trial++) {
        size_t first = (size_t)rng_below(trial, 1, 0, 100);
        size_t last = first + (size_t)rng_below(trial, 1, 1, 150);
        struct split_scan s = {.g = g,
                               .h = h,
                               .add_g = trial % 3 ? rng_normal(trial, 3, 1) : 0,
                               .add_h = trial % 3 ? 0.5 : 0,
                               .total_g = rng_normal(trial, 3, 0) * 20,
                               .total_h = 3000,
                               .l1 = trial % 2 ? 1.5 : 0,
                               .l2 = (double)(trial % 5),
                               .first = first,
                               .last = last};
        struct split_peak a, b;

        for (size_t i = 0; i < 256; i++) {
            g[i] = rng_normal(trial, 4, i / (1 + trial % 4)); /* with ties */
            h[i] = 1 + (double)(i / (1 + trial % 4));
        }
        a = split_plain.scan(&s);
        b = k->scan(&s);
        assert_memory_equal(&a.value, &b.value, sizeof a.value);
        assert_int_equal(a.at, b.at);
    }
}

/* As far as sums of a narrow histogram may go, and not a word further. */
static void
check_sum(const struct split_kernels *k)
{
    static const struct hist_scale scale = {.g_unit = 0.3, .h_unit = 0.7};
    double g[260], h[260];
    int64_t hist[256];

    for (size_t n = 0; n <= 256; n++)
        for (int sign = -1; sign <= 1; sign++) {
            int64_t sum_g = 0, sum_h = 0;

            for (size_t i = 0; i < n; i++) {
                int64_t most = 65536 / (int64_t)n;
                int64_t q = (int64_t)rng_below(n, 1, i, 32768) * most;

                q *= sign ? sign : i % 2 ? 1 : -1;
                hist[i] = q * INT64_C(0x100000000) +
                          (int64_t)rng_below(n, 2, i, 65536) * most;
            }
            g[n] = h[n] = -7;
            k->sum(hist, n, &scale, g, h);
            for (size_t i = 0; i < n; i++) {
                sum_g += hist[i] >> 32;
                sum_h += hist[i] & 0xffffffff;
                assert_true(g[i] == (double)sum_g * 0.3);
                assert_true(h[i] == (double)sum_h * 0.7);
            }
            assert_true(g[n] == -7 && h[n] == -7);
        }
}

static void
test_sums_are_those_of_the_bins_before(void **state)
{
    (void)state;
    check_sum(&split_plain);
}

static void
test_avx2_twin_finds_the_same(void **state)
{
    (void)state;
    if (!cpu_has_avx2())
        skip();
    check_scan(&split_avx2);
    check_sum(&split_avx2);
}

static void
test_avx512_twin_finds_the_same(void **state)
{
    (void)state;
    if (!cpu_has_avx512())
        skip();
    check_scan(&split_avx512);
    check_sum(&split_avx512);
}

/* A value computed here: of a wide histogram as of a narrow one. */
static void
test_wide_histogram_gives_the_same_split(void **state)
{
    enum { N = 500 };
    double x[N];
    int g[N], h[N];
    struct fixture f;
    struct split_found narrow, wide;
    int64_t *both;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        x[i] = i % 9 == 0 ? NAN : (double)(i % 50);
        g[i] = (int)rng_below(1, 1, i, 2000) - 1000;
        h[i] = 1 + (int)rng_below(1, 2, i, 900);
    }
    f = make(x, g, h, N, 0);
    narrow = best(&f, &RULE);
    both = calloc(f.b->n_bins, 16);
    assert_non_null(both);
    hist_fold_wide(both, f.hist, 0, f.b->n_bins);
    f.leaf.hist = both;
    f.leaf.wide = true;
    wide = best(&f, &RULE);
    assert_memory_equal(&narrow, &wide, sizeof wide);
    assert_close(narrow.split.gain,
                 0.5 * (term((double)narrow.left_g, (double)narrow.left_h) +
                        term((double)(f.leaf.g - narrow.left_g),
                             (double)(f.leaf.h - narrow.left_h)) -
                        term((double)f.leaf.g, (double)f.leaf.h)),
                 1e-9);
    free(both);
    drop(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_and_gain_match_the_formula),
        cmocka_unit_test(test_l1_takes_its_share_off_the_gradient),
        cmocka_unit_test(test_missing_values_take_the_better_side),
        cmocka_unit_test(test_cut_lies_in_the_middle_of_a_gap),
        cmocka_unit_test(test_small_sides_are_refused),
        cmocka_unit_test(test_counts_replace_the_estimate),
        cmocka_unit_test(test_nothing_to_gain_is_no_split),
        cmocka_unit_test(test_category_set_is_the_best_of_all_sets),
        cmocka_unit_test(test_rare_levels_follow_the_missing),
        cmocka_unit_test(test_sums_are_those_of_the_bins_before),
        cmocka_unit_test(test_avx2_twin_finds_the_same),
        cmocka_unit_test(test_avx512_twin_finds_the_same),
        cmocka_unit_test(test_wide_histogram_gives_the_same_split),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
