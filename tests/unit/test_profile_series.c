/* Columns over time.  Numbers marked (statsmodels) and (pandas) came from
 * statsmodels 0.13.5, adfuller(x), and pandas 1.5.3, Series.autocorr, on the
 * same series, which both sides make by the same formulas.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "frame/builder.h"
#include "tests/lib/profile_table.h"

enum { ROWS = 500, DAY_COL = 0, U, WALK, BACK, WAVE, COLS };

/* 500 days in a scrambled order.  u is noise: the fractional part of 0.618 i +
 * 0.0029 i^2; walk adds it up; back halves itself and adds it; wave is a sine
 * of 12 days with noise and a trend.  Without days 100, 101, 102 and 300 when
 * gaps. */
static struct frame *
series(bool gaps)
{
    static const char *const names[] = {"day", "u", "walk", "back", "wave"};
    static const enum col_type types[] = {COL_DATE, COL_FLOAT64, COL_FLOAT64,
                                          COL_FLOAT64, COL_FLOAT64};
    double u[ROWS], walk[ROWS], back[ROWS], sum = 0, whole;
    struct error err = {0};
    struct builder *b = builder_new(COLS, names, types, &err);

    assert_non_null(b);
    for (int i = 0; i < ROWS; i++) {
        u[i] =
            modf(i * 0.6180339887498949 + i * i * 0.4142135623730951e-3 * 7.0,
                 &whole) -
            0.5;
        walk[i] = sum += u[i];
        back[i] = i ? 0.5 * back[i - 1] + u[i] : 0;
    }
    for (int k = 0; k < ROWS; k++) {
        int i = k * 7 % ROWS;
        double wave =
            sin(2 * 3.141592653589793 * i / 12) + 0.3 * u[i] + 0.01 * i;

        if (gaps && ((i >= 100 && i <= 102) || i == 300))
            continue;
        assert_true(builder_i64(b, DAY_COL, 19000 + i, &err) &&
                    builder_f64(b, U, u[i], &err) &&
                    builder_f64(b, WALK, walk[i], &err) &&
                    builder_f64(b, BACK, back[i], &err) &&
                    builder_f64(b, WAVE, wave, &err) &&
                    builder_end_row(b, &err));
    }
    return builder_finish(b, &err);
}

static struct profile *
followed(struct frame *f, const char *time)
{
    struct error err = {0};
    struct profile *p = profile_new(f, &(struct profile_options){.time = time},
                                    NULL, NULL, &err);

    if (!p)
        fail_msg("%s", err.message);
    frame_unref(f);
    return p;
}

static const char *
alert_text(const struct profile *p, enum alert_kind kind, long col)
{
    for (size_t i = 0; i < p->n_alerts; i++)
        if (p->alert[i].kind == kind && p->alert[i].col == col)
            return p->alert[i].text;
    return NULL;
}

static void
test_dickey_fuller_agrees_with_statsmodels(void **state)
{
    static const struct {
        size_t col, lags;
        double adf, p;
    } cases[] = {
        {U, 0, -22.63235517372786, 0},
        {WALK, 0, -1.8202002954508874, 0.37047992287203757},
        {BACK, 0, -13.544454832469059, 2.4770030048961373e-25},
        {WAVE, 16, 0.0390355312228336, 0.9616436817722958},
    };
    struct profile *p = followed(series(false), "day");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct profile_series *s = p->column[cases[i].col].series;

        assert_non_null(s);
        assert_int_equal(s->n, ROWS);
        assert_int_equal(s->adf_lags, cases[i].lags);
        expect_near("adf", s->adf, cases[i].adf);
        expect_near("p", s->adf_p, cases[i].p);
    }
    assert_null(p->column[DAY_COL].series);
    assert_non_null(alert_text(p, ALERT_NON_STATIONARY, WALK));
    assert_null(alert_text(p, ALERT_NON_STATIONARY, BACK));
    profile_free(p);
}

static void
test_autocorrelation_agrees_with_pandas(void **state)
{
    struct profile *p = followed(series(false), "day");
    const double *wave = p->column[WAVE].series->autocorrelation;
    const double *back = p->column[BACK].series->autocorrelation;

    (void)state;
    expect_near("wave 1", wave[0], 0.9714867885059201);
    expect_near("wave 7", wave[1], 0.6353811385345364);
    expect_near("wave 30", wave[4], 0.5802475490297302);
    expect_near("back 1", back[0], 0.4607463866095958);
    expect_near("back 30", back[4], -0.08905603250205732);
    profile_free(p);
}

static void
test_seasons_are_found_where_there_are_some(void **state)
{
    struct profile *p = followed(series(false), "day");

    (void)state;
    assert_int_equal(p->column[WAVE].series->period, 12);
    assert_int_equal(p->column[U].series->period, 0);
    assert_int_equal(p->column[WALK].series->period, 0);
    assert_int_equal(p->column[BACK].series->period, 0);
    assert_non_null(alert_text(p, ALERT_SEASONAL, WAVE));
    assert_null(alert_text(p, ALERT_GAPS, DAY_COL));
    assert_int_equal(p->times->n_gaps, 0);
    profile_free(p);
}

static void
test_gaps_are_told_in_the_unit_of_time(void **state)
{
    struct profile *p = followed(series(true), "day");
    struct buf b;

    (void)state;
    assert_int_equal(p->times->n, ROWS - 4);
    assert_int_equal(p->times->n_gaps, 2);
    assert_true(p->times->step == 1);
    assert_true(p->times->longest == 4);
    assert_string_equal(alert_text(p, ALERT_GAPS, DAY_COL),
                        "2 gaps of up to 4 days, between steps of 1 day");
    expect_widths(p);
    buf_init(&b);
    profile_print(p, 100, false, &b);
    assert_non_null(strstr(b.data, "over day: 496 rows, mostly 1 day apart, "
                                   "2 gaps of up to 4 days"));
    buf_clear(&b);
    profile_markdown(p, &b);
    assert_non_null(strstr(b.data, "## Over day\n\n496 rows, 2 gaps"));
    buf_fini(&b);
    profile_free(p);
}

static void
test_short_and_constant_series_have_no_test(void **state)
{
    static const char *const names[] = {"t", "c", "few"};
    static const enum col_type types[] = {COL_INT64, COL_FLOAT64, COL_FLOAT64};
    struct error err = {0};

    (void)state;
    for (int64_t n = 0; n < 40; n += 3) {
        struct builder *b = builder_new(3, names, types, &err);
        struct profile *p;

        for (int64_t i = 0; i < n; i++)
            assert_true(builder_i64(b, 0, i, &err) &&
                        builder_f64(b, 1, 7, &err) &&
                        builder_f64(b, 2, (double)(i * i % 13), &err) &&
                        builder_end_row(b, &err));
        p = followed(builder_finish(b, &err), "t");
        assert_true(!p->column[1].series || isnan(p->column[1].series->adf));
        if (n < 10 && p->column[2].series)
            assert_true(isnan(p->column[2].series->adf));
        profile_free(p);
    }
}

static void
test_time_must_be_a_number_or_a_date(void **state)
{
    struct error err = {0};
    struct frame *f = table();

    (void)state;
    assert_null(profile_new(f, &(struct profile_options){.time = "word"}, NULL,
                            NULL, &err));
    assert_int_equal(err.code, ERR_TYPE);
    assert_null(profile_new(f, &(struct profile_options){.time = "wort"}, NULL,
                            NULL, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    frame_unref(f);
}

static void
test_no_memory_to_follow_is_an_error(void **state)
{
    struct error err = {0};
    struct frame *all = series(true), *f = frame_slice(all, 0, 60, &err);

    (void)state;
    for (unsigned long n = 1;; n++) {
        struct profile *p;

        mem_fault_arm(n, false);
        p = profile_new(f, &(struct profile_options){.time = "day"}, NULL, NULL,
                        &err);
        mem_fault_arm(0, false);
        if (p) {
            profile_free(p);
            break;
        }
        assert_int_equal(err.code, ERR_NOMEM);
        assert_true(n < 10000);
    }
    frame_unref(f);
    frame_unref(all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dickey_fuller_agrees_with_statsmodels),
        cmocka_unit_test(test_autocorrelation_agrees_with_pandas),
        cmocka_unit_test(test_seasons_are_found_where_there_are_some),
        cmocka_unit_test(test_gaps_are_told_in_the_unit_of_time),
        cmocka_unit_test(test_short_and_constant_series_have_no_test),
        cmocka_unit_test(test_time_must_be_a_number_or_a_date),
        cmocka_unit_test(test_no_memory_to_follow_is_an_error),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
