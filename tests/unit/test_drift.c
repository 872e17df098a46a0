/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/drift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frame/distance.h"
#include "tests/lib/small_model.h"

/* (1/4 - 1/2) ln(1/2) + (3/4 - 1/2) ln(3/2) = ln(3) / 4. */
static void
test_psi_of_two_bins_has_its_closed_form(void **state)
{
    const double p[] = {0.5, 0.5}, q[] = {0.25, 0.75};

    (void)state;
    assert_close(distance_psi(p, q, 2, 0.0001), log(3) / 4, 1e-15);
    assert_close(distance_psi(q, p, 2, 0.0001), log(3) / 4, 1e-15);
    assert_true(distance_psi(p, p, 2, 0.0001) == 0);
}

/* With 0.0001 for the empty share: 0.5 ln 2 + 0.4999 ln 5000. */
static void
test_an_empty_share_counts_as_a_ten_thousandth(void **state)
{
    const double p[] = {1, 0}, q[] = {0.5, 0.5}, none[] = {1, 0};

    (void)state;
    assert_close(distance_psi(p, q, 2, 0.0001), 4.60431846666895, 1e-14);
    assert_true(distance_psi(p, none, 2, 0.0001) == 0);
}

/* The 0.999 quantiles of chi-square in any table: 10.828, 13.816, 29.588,
 * 45.315 at 1, 2, 10 and 20 degrees of freedom. */
static void
test_noise_is_the_quantile_of_chi_square(void **state)
{
    (void)state;
    assert_close(drift_noise(2, 1, UINT64_MAX), 10.828, 0.04);
    assert_close(drift_noise(3, 1, UINT64_MAX), 13.816, 0.03);
    assert_close(drift_noise(11, 1, UINT64_MAX), 29.588, 0.01);
    assert_close(drift_noise(21, 2000, 2000), 0.045315, 0.0005);
}

static const struct drift_score *
named(const struct drift_score *s, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(s[i].name, name))
            return &s[i];
    fail_msg("no score of %s", name);
    return NULL;
}

static void
test_rows_like_the_training_rows_do_not_drift(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct error err;
    size_t n = 0;

    (void)state;
    for (uint64_t seed = 100; seed < 130; seed++) {
        struct frame *f = small_frame(SMALL_BINARY, 300, seed);
        struct drift_score *s = drift_frame(m, f, &n, &err);

        assert_ok(s != NULL, err);
        assert_int_equal(n, 5);
        for (size_t i = 0; i < n; i++) {
            if (!strcmp(s[i].name, "joined"))
                continue; /* the first 300 days of 900: it does drift */
            if (s[i].level != DRIFT_OK)
                fail_msg("seed %d: %s has psi %g", (int)seed, s[i].name,
                         s[i].psi);
            assert_int_equal(s[i].n, 300);
        }
        assert_int_equal(named(s, n, "joined")->level, DRIFT_MAJOR);
        free(s);
        frame_unref(f);
    }
    model_unref(m);
}

/* One row, `n` times. */
static struct frame *
same_row(size_t n, const char *contract, bool charges)
{
    const char *names[] = {"tenure", "charges", "senior", "contract", "joined"};
    const enum col_type types[] = {COL_INT64, COL_FLOAT64, COL_BOOL, COL_TEXT,
                                   COL_DATE};
    struct error err;
    struct builder *b = builder_new(5, names, types, &err);

    for (size_t i = 0; i < n; i++)
        assert_ok(builder_i64(b, 0, (int64_t)i % 72, &err) &&
                      (!charges || builder_f64(b, 1, 70, &err)) &&
                      builder_text(b, 3, str_of(contract), &err) &&
                      builder_i64(b, 4, 18000, &err) &&
                      builder_end_row(b, &err),
                  err);
    return builder_finish(b, &err);
}

/* Share of a level, of missing values: PSI from the baseline's own numbers. */
static void
test_a_new_level_and_new_missing_values_are_drift(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct frame *f = same_row(200, "Three years", false);
    struct error err;
    size_t n = 0, n_base;
    const struct baseline *b = model_baselines(m, &n_base);
    struct drift_score *s = drift_frame(m, f, &n, &err);
    double p[5], q[5] = {0, 0, 0, 1, 0}, miss = 0;

    (void)state;
    assert_ok(s != NULL, err);
    for (size_t i = 0; i < n_base; i++) {
        if (!strcmp(b[i].name, "contract")) {
            assert_int_equal(b[i].n_bins, 4);
            memcpy(p, b[i].share, 4 * sizeof *p);
            p[4] = 0;
        }
        if (!strcmp(b[i].name, "charges"))
            miss = b[i].missing;
    }
    assert_close(miss, 0.1, 0.05);
    assert_close(named(s, n, "contract")->psi, distance_psi(p, q, 5, 0.0001),
                 1e-12);
    assert_int_equal(named(s, n, "contract")->level, DRIFT_MAJOR);
    assert_int_equal(named(s, n, "charges")->level, DRIFT_MAJOR);
    free(s);
    frame_unref(f);
    model_unref(m);
}

static void
test_under_a_hundred_rows_there_is_no_verdict(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct frame *f = same_row(99, "Two year", true);
    struct error err;
    size_t n = 0;
    struct drift *d = drift_new(m, &err);
    struct drift_score *s;

    (void)state;
    assert_ok(d != NULL, err);
    s = drift_scores(d, &n, &err);
    assert_true(isnan(s[0].psi) && s[0].n == 0);
    free(s);
    drift_count(d, f);
    s = drift_scores(d, &n, &err);
    assert_int_equal(named(s, n, "contract")->level, DRIFT_FEW);
    free(s);
    drift_count(d, f);
    s = drift_scores(d, &n, &err);
    assert_int_equal(named(s, n, "contract")->n, 198);
    assert_int_equal(named(s, n, "contract")->level, DRIFT_MAJOR);
    free(s);
    drift_free(d);
    frame_unref(f);
    model_unref(m);
}

/* Drifted rows leave the window once four slices of 2,500 rows and a quarter
 * of an hour each have passed. */
static void
test_a_server_forgets_what_was_asked_long_ago(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct frame *bad = same_row(2500, "Two year", true);
    struct frame *good = small_frame(SMALL_BINARY, 2500, 3);
    struct error err;
    size_t n = 0;
    struct drift *d = drift_new(m, &err);
    struct drift_score *s;
    int64_t now = 1000;

    (void)state;
    drift_tick(d, now);
    drift_count(d, bad);
    drift_tick(d, now + 1000); /* too early for a slice */
    for (int i = 0; i < 5; i++) {
        drift_tick(d, now += 15 * 60 * 1000);
        s = drift_scores(d, &n, &err);
        if (i < 4 && named(s, n, "contract")->level == DRIFT_OK)
            fail_msg("forgotten after %d slices", i);
        if (i == 4) {
            assert_int_equal(named(s, n, "contract")->level, DRIFT_OK);
            assert_int_equal(named(s, n, "contract")->n, 10000);
        }
        free(s);
        drift_count(d, good);
    }
    drift_free(d);
    frame_unref(good);
    frame_unref(bad);
    model_unref(m);
}

/* Whoever has an answer finds it in the scores, and once. */
static void
test_rows_put_are_in_the_scores_before_they_are_settled(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct frame *f = same_row(150, "Two year", true);
    struct drift_asked *a, *b, *left;
    struct drift_score *s;
    struct error err;
    struct drift *d = drift_new(m, &err);
    size_t n;

    (void)state;
    assert_ok(d != NULL, err);
    a = drift_put(d, f);
    b = drift_put(d, f);
    drift_settle(d, b);
    for (int i = 0; i < 2; i++) {
        s = drift_scores(d, &n, &err);
        assert_ok(s != NULL, err);
        assert_int_equal(s[0].n, 300);
        free(s);
    }
    drift_settle(d, a);
    left = drift_put(d, f);
    s = drift_scores(d, &n, &err);
    assert_ok(s != NULL, err);
    assert_int_equal(s[0].n, 450);
    free(s);
    drift_settle(d, left);
    drift_settle(d, NULL);
    drift_settle(d, drift_put(d, f));
    (void)drift_put(d, f);
    drift_free(d);
    frame_unref(f);
    model_unref(m);
}

static void
test_levels_have_words_both_ways(void **state)
{
    enum drift_level l;

    (void)state;
    for (int i = DRIFT_FEW; i <= DRIFT_MAJOR; i++) {
        assert_true(
            drift_level_parse(drift_level_word((enum drift_level)i), &l));
        assert_int_equal(l, i);
    }
    assert_false(drift_level_parse("huge", &l));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_psi_of_two_bins_has_its_closed_form),
        cmocka_unit_test(test_an_empty_share_counts_as_a_ten_thousandth),
        cmocka_unit_test(test_noise_is_the_quantile_of_chi_square),
        cmocka_unit_test(test_rows_like_the_training_rows_do_not_drift),
        cmocka_unit_test(test_a_new_level_and_new_missing_values_are_drift),
        cmocka_unit_test(test_under_a_hundred_rows_there_is_no_verdict),
        cmocka_unit_test(test_a_server_forgets_what_was_asked_long_ago),
        cmocka_unit_test(
            test_rows_put_are_in_the_scores_before_they_are_settled),
        cmocka_unit_test(test_levels_have_words_both_ways),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
