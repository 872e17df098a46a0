/* tests/unit/test_ets.c -- exponential smoothing, the value of a season ago.
 *
 * The series is Box & Jenkins' airline passengers.  Likelihoods, parameters
 * and intervals: statsmodels 0.13.5, ETSModel(...).fit(maxiter = 10000) and
 * get_prediction().
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/classic/ets.h"
#include "engine/classic/ets_run.h"
#include "engine/family.h"
#include "engine/series.h"
#include "frame/builder.h"
#include "tests/lib/lesson.h"

enum { N = 144 };
static const double passengers[N] = {
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141,
    135, 125, 149, 170, 170, 158, 133, 114, 140, 145, 150, 178, 163, 172, 178,
    199, 199, 184, 162, 146, 166, 171, 180, 193, 181, 183, 218, 230, 242, 209,
    191, 172, 194, 196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201,
    204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229, 242, 233, 267,
    269, 270, 315, 364, 347, 312, 274, 237, 278, 284, 277, 317, 313, 318, 374,
    413, 405, 355, 306, 271, 306, 315, 301, 356, 348, 355, 422, 465, 467, 404,
    347, 305, 336, 340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337,
    360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405, 417, 391, 419,
    461, 472, 535, 622, 606, 508, 461, 390, 432};

/* A time column of the first days of months since 1949. */
static struct lesson
series(const struct family *family, const char *const *set, size_t n,
       bool timed)
{
    struct lesson l = lesson_new(family, PROBLEM_REGRESSION, n, timed);

    l.set = set;
    for (size_t i = 0; i < n; i++) {
        l.y[i] = passengers[i % N] + (double)(i / N);
        if (timed)
            l.x[i] = str_days(1949 + (int)i / 12, (int)i % 12 + 1, 1);
    }
    return l;
}

struct known {
    struct ets_form form;
    double alpha, beta, gamma, phi, level, trend, season[12], llf;
};
static const struct known at_their_optimum[] = {
    {{ETS_ADD, ETS_ADD, ETS_NONE, true, 1},
     0.9999,
     9.999000000000001e-05,
     0.0,
     0.98,
     118.091483851665,
     3.95416715321601,
     {0.0},
     -710.2543201847781},
    {{ETS_ADD, ETS_ADD, ETS_ADD, false, 12},
     0.2525556008338804,
     2.5255560083388042e-05,
     0.747369654726203,
     1.0,
     109.39871175876948,
     2.5948573975365706,
     {0.0, 5.573526287558162, 18.00745705984868, 12.904003558863264,
      4.030963804504014, 18.210878976123396, 30.396816736715547,
      27.88117906956629, 13.665385563205769, -5.270954297836424,
      -19.868436153275805, -3.4681571628647636},
     -564.9838386014172},
    {{ETS_MUL, ETS_ADD, ETS_MUL, true, 12},
     0.7612603934953946,
     0.019143945049641883,
     2.3873960650460537e-05,
     0.98,
     111.37866500742872,
     1.8449528566220061,
     {1.0, 0.9803073907445695, 1.117082598597991, 1.0834743951816714,
      1.0822677034128483, 1.2246717152535491, 1.3588429099313277,
      1.3459713134643299, 1.1663901913125718, 1.0151912734030555,
      0.8793236767853987, 0.9859339501998047},
     -525.6172411796503},
    {{ETS_MUL, ETS_MUL, ETS_MUL, false, 12},
     0.7188376516881992,
     7.188376516881992e-05,
     2.811623483118008e-05,
     1.0,
     112.53385931931386,
     1.0098767794004142,
     {1.0, 0.9814744676280496, 1.1184931514561811, 1.0847137338828963,
      1.0833078176294235, 1.2256746913551408, 1.3598888307476515,
      1.346822801066394, 1.1671698027205, 1.0155451294471627,
      0.8794626229740833, 0.985917022105829},
     -522.3555425769534},
};
enum { N_KNOWN = sizeof at_their_optimum / sizeof *at_their_optimum };

static void
test_likelihoods_agree_with_statsmodels(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_KNOWN; i++) {
        const struct known *k = &at_their_optimum[i];
        double season[12], sse, llf;
        struct ets_state s = {k->alpha, k->beta,  k->gamma, k->phi,
                              k->level, k->trend, season};

        memcpy(season, k->season, sizeof season);
        llf = ets_run(&k->form, &s, passengers, N, NULL, &sse);
        lesson_expect("likelihood", &llf, &k->llf, 1, 1e-4);
    }
}

/* As likely as theirs to 1e-4, or likelier: theirs stop early at times. */
static void
test_fits_are_as_likely_as_those_of_statsmodels(void **state)
{
    static const struct {
        const char *set[7];
        double llf;
    } fits[] = {
        {{"time=x", "error=additive", "trend=none", "season=none", NULL},
         -710.3939571401394},
        {{"time=x", "error=additive", "trend=additive", "season=none",
          "damped=yes", NULL},
         -710.2543201847781},
        {{"time=x", "error=additive", "trend=additive", "season=additive",
          "damped=no", NULL},
         -564.9838386014172},
        {{"time=x", "error=additive", "trend=none", "season=additive", NULL},
         -586.0410615460321},
        {{"time=x", "error=multiplicative", "trend=additive",
          "season=multiplicative", "damped=no", NULL},
         -522.4899437533485},
        {{"time=x", "error=multiplicative", "trend=additive",
          "season=multiplicative", "damped=yes", NULL},
         -525.6172411796503},
        {{"time=x", "error=multiplicative", "trend=multiplicative",
          "season=multiplicative", "damped=no", NULL},
         -522.3555425769534},
    };

    (void)state;
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++) {
        struct lesson l = series(&ets_family, fits[i].set, N, true);
        void *learner = lesson_must_learn(&l);
        struct error err;
        struct frame *f = ets_family.table(learner, 0, NULL, &err);
        double got = column_number(frame_column(f, 1), 8);

        assert_true(str_is(column_text(frame_column(f, 0), 8), "loglik"));
        if (!(got >= fits[i].llf - 1e-4) || got > fits[i].llf + 0.1)
            fail_msg("fit %zu: got %.9g, want %.9g", i, got, fits[i].llf);
        frame_unref(f);
        ets_family.free(learner);
        lesson_free(&l);
    }
}

static struct model *
model_of(const struct family *family, enum col_type type, size_t step,
         const char *const *set, struct buf *file)
{
    static const char *const names[] = {"when", "y"};
    const enum col_type types[] = {type, COL_FLOAT64};
    struct error err;
    struct builder *b = builder_new(2, names, types, &err);
    struct params *p = params_new(family->params);
    struct model_options o = {.problem = PROBLEM_REGRESSION, .patience = -1};
    struct train ctx = {.seed = 1};
    struct model *m, *back;
    struct frame *f;

    for (size_t k = 0; k < 60; k++) {
        size_t i = k * 7 % 60; /* not in order */
        int month = (int)(i * step);

        assert_true(
            builder_i64(b, 0,
                        type == COL_DATE
                            ? str_days(2020 + month / 12, month % 12 + 2, 1) - 1
                            : 1000000 * (1000000 + 3600 * (int64_t)i),
                        &err) &&
            builder_f64(b, 1, passengers[i], &err) && builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_true(params_set(p, "time", "when", &err));
    for (; set && *set; set++)
        assert_true(params_set_pair(p, *set, &err));
    m = model_fit(family, p, f, "y", &o, &ctx, &err);
    if (!m)
        fail_msg("%s", err.message);
    buf_init(file);
    assert_true(model_save(m, file, &err));
    back = model_parse((struct str){file->data, file->len}, family_find, &err);
    if (!back)
        fail_msg("%s", err.message);
    model_unref(m);
    params_free(p);
    frame_unref(f);
    return back;
}

/* Ends of months go on with ends of months. */
static void
test_times_go_on_by_the_calendar(void **state)
{
    struct buf file;
    struct error err;
    struct model *m =
        model_of(&seasonal_naive_family, COL_DATE, 1, NULL, &file);
    struct frame *f = model_forecast(
        m, &(struct forecast){.horizon = 14, .level = 0.95}, &err);
    const int64_t want[] = {str_days(2025, 1, 31), str_days(2025, 2, 28),
                            str_days(2025, 3, 31)};

    (void)state;
    assert_non_null(f);
    assert_string_equal(frame_name(f, 1), "when");
    assert_int_equal(column_type(frame_column(f, 1)), COL_DATE);
    for (size_t h = 0; h < 3; h++) {
        assert_true(column_number(frame_column(f, 1), h) == (double)want[h]);
        /* A year ago: 48, 49, ... of the series in its order. */
        assert_true(column_number(frame_column(f, 2), h) == passengers[48 + h]);
    }
    assert_true(column_number(frame_column(f, 2), 12) == passengers[48]);
    frame_unref(f);
    model_unref(m);
    buf_fini(&file);

    m = model_of(&seasonal_naive_family, COL_TIMESTAMP, 1, NULL, &file);
    f = model_forecast(m, &(struct forecast){.horizon = 2, .level = 0.95},
                       &err);
    assert_true(column_number(frame_column(f, 1), 1) == 1000000 + 3600 * 61);
    assert_true(column_number(frame_column(f, 2), 1) ==
                passengers[60 + 1 - 24]);
    frame_unref(f);
    model_unref(m);
    buf_fini(&file);
}

static double
width_at(const struct frame *f, size_t h)
{
    size_t n = frame_cols(f);

    return column_number(frame_column(f, n - 1), h) -
           column_number(frame_column(f, n - 2), h);
}

/* sd sqrt(k + 1) with the value of k seasons ago, and the widths statsmodels
 * has for the additive season. */
static void
test_intervals_widen_as_theory_has_it(void **state)
{
    static const char *const set[] = {"error=additive",  "trend=additive",
                                      "season=additive", "damped=no",
                                      "period=12",       NULL};
    struct buf file;
    struct error err;
    struct model *m =
        model_of(&seasonal_naive_family, COL_DATE, 1, NULL, &file);
    struct frame *f = model_forecast(
        m, &(struct forecast){.horizon = 25, .level = 0.9}, &err);
    double squares = 0, want;
    struct lesson l;
    void *learner;

    (void)state;
    for (size_t i = 12; i < 60; i++)
        squares += pow(passengers[i] - passengers[i - 12], 2);
    want = 2 * 1.6448536269514722 * sqrt(squares / 48);
    assert_true(fabs(width_at(f, 11) - want) < 1e-9 * want);
    assert_true(fabs(width_at(f, 12) - want * sqrt(2)) < 1e-9 * want);
    assert_true(fabs(width_at(f, 24) - want * sqrt(3)) < 1e-9 * want);
    frame_unref(f);
    model_unref(m);
    buf_fini(&file);

    l = series(&ets_family, set, N, false);
    learner = lesson_must_learn(&l);
    f = ets_family.forecast(
        learner, NULL, &(struct forecast){.horizon = 15, .level = 0.95}, &err);
    if (!f)
        fail_msg("%s", err.message);
    static const double theirs[] = {47.97277317101407, 49.47937706591847,
                                    62.59426562643239, 80.71467130625581};
    static const size_t at[] = {0, 1, 11, 14};

    for (size_t i = 0; i < 4; i++)
        assert_true(fabs(width_at(f, at[i]) / theirs[i] - 1) < 0.02);
    frame_unref(f);
    ets_family.free(learner);
    lesson_free(&l);
}

/* What is drawn has the width of the formula where both are known: errors
 * that multiply a level near 1000 are nearly additive. */
static void
test_drawn_intervals_are_near_the_formula(void **state)
{
    static const char *const drawn[] = {"error=multiplicative", "trend=none",
                                        "season=none", NULL};
    static const char *const exact[] = {"error=additive", "trend=none",
                                        "season=none", NULL};
    double width[2];
    struct error err;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lesson l = series(&ets_family, i ? exact : drawn, 120, false);
        void *learner;
        struct frame *f;

        for (size_t t = 0; t < l.n; t++)
            l.y[t] = 1000 + 5 * rng_normal(3, 1, t);
        learner = lesson_must_learn(&l);
        f = ets_family.forecast(learner, NULL,
                                &(struct forecast){.horizon = 6, .level = 0.8},
                                &err);
        width[i] = width_at(f, 5);
        frame_unref(f);
        ets_family.free(learner);
        lesson_free(&l);
    }
    assert_true(fabs(width[0] / width[1] - 1) < 0.06);
}

static void
test_rows_are_answered_by_their_time(void **state)
{
    struct lesson l = series(&seasonal_naive_family, NULL, 48, true);
    static const char *const set[] = {"time=x", NULL};
    double *out;
    void *learner;

    (void)state;
    l.set = set;
    learner = lesson_must_learn(&l);
    l.x[0] = str_days(1953, 2, 1);  /* behind: the February before */
    l.x[1] = str_days(1950, 3, 1);  /* learnt from: a year before it */
    l.x[2] = str_days(1948, 12, 1); /* before all */
    l.x[3] = NAN;
    out = lesson_answers(&l, learner);
    assert_true(out[0] == passengers[37]);
    assert_true(out[1] == passengers[2]);
    assert_true(isnan(out[2]) && isnan(out[3]));
    free(out);
    seasonal_naive_family.free(learner);
    lesson_free(&l);
}

static void
expect_refusal(struct lesson *l, const char *message)
{
    struct error err;

    assert_null(lesson_learn(l, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_string_equal(err.message, message);
    lesson_free(l);
}

static void
test_series_with_gaps_are_refused(void **state)
{
    static const char *const set[] = {"time=x", NULL};
    static const char *const seasonal[] = {"season=additive", NULL};
    static const char *const product[] = {"error=multiplicative", NULL};
    static const char *const long_period[] = {"period=30", NULL};
    static const char *const flat[] = {"damped=yes", "trend=none", NULL};
    struct lesson l = series(&ets_family, set, 48, true);

    (void)state;
    l.x[30] = NAN;
    expect_refusal(&l, "time 'x' is missing in row 31");
    l = series(&ets_family, set, 48, true);
    l.x[30] = l.x[29];
    expect_refusal(&l, "time 'x' is the same in rows 30 and 31");
    l = series(&ets_family, set, 48, true);
    l.x[47] += 40;
    expect_refusal(&l, "the rows are not evenly spaced in 'x': rows that are "
                       "missing must be added, or rows put together by day, "
                       "week or month");
    l = series(&ets_family, NULL, 2, false);
    expect_refusal(&l, "a series of 2 rows, expected 3 to 10000000");
    l = series(&ets_family, seasonal, 20, false);
    expect_refusal(&l, "a season needs a period, and two of it in the rows");
    l = series(&ets_family, long_period, 48, false);
    expect_refusal(&l, "a period of 30 needs 60 rows, and there are 48");
    l = series(&ets_family, flat, 48, false);
    expect_refusal(&l, "damped is yes, and trend is none: there is no trend to "
                       "fade out");
    l = series(&ets_family, product, 48, false);
    l.y[5] = 0;
    expect_refusal(&l, "no form fits 48 rows, of which some are not positive: "
                       "parts that multiply need positive values");
}

/* Noise around a level has no trend where one is free to choose, and no phi. */
static void
test_what_is_to_be_damped_has_a_trend(void **state)
{
    static const char *const set[2][3] = {{"season=none", NULL},
                                          {"season=none", "damped=yes", NULL}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lesson l = series(&ets_family, set[i], 60, false);
        struct error err;
        struct frame *f;
        void *learner;
        double phi;

        for (size_t r = 0; r < l.n; r++)
            l.y[r] = 100 + rng_normal(11, 0, r);
        learner = lesson_must_learn(&l);
        f = ets_family.table(learner, 0, NULL, &err);
        assert_true(str_is(column_text(frame_column(f, 0), 3), "phi"));
        phi = column_number(frame_column(f, 1), 3);
        assert_true(i ? phi < 1 : phi == 1);
        frame_unref(f);
        ets_family.free(learner);
        lesson_free(&l);
    }
}

static void
test_a_constant_series_is_forecast(void **state)
{
    struct lesson l = series(&ets_family, NULL, 30, false);
    void *learner;
    double *out;

    (void)state;
    for (size_t i = 0; i < l.n; i++)
        l.y[i] = 7;
    learner = lesson_must_learn(&l);
    out = lesson_answers(&l, learner);
    for (size_t i = 0; i < l.n; i++)
        assert_true(fabs(out[i] - 7) < 1e-6);
    free(out);
    ets_family.free(learner);
    lesson_free(&l);
}

static void
test_it_keeps_what_every_family_promises(void **state)
{
    static const char *const set[] = {"time=x", "error=multiplicative",
                                      "trend=additive", "damped=no", NULL};
    struct lesson l = series(&ets_family, set, 60, true);

    (void)state;
    lesson_same_for_any_threads(&l);
    lesson_same_from_file(&l);
    lesson_cancelled_is_an_error(&l);
    lesson_no_memory_is_an_error(&l);
    lesson_damage_is_harmless(&l);
    lesson_free(&l);
    l = series(&seasonal_naive_family, NULL, 60, false);
    lesson_cancelled_is_an_error(&l);
    lesson_no_memory_is_an_error(&l);
    lesson_damage_is_harmless(&l);
    lesson_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_likelihoods_agree_with_statsmodels),
        cmocka_unit_test(test_fits_are_as_likely_as_those_of_statsmodels),
        cmocka_unit_test(test_times_go_on_by_the_calendar),
        cmocka_unit_test(test_intervals_widen_as_theory_has_it),
        cmocka_unit_test(test_drawn_intervals_are_near_the_formula),
        cmocka_unit_test(test_rows_are_answered_by_their_time),
        cmocka_unit_test(test_series_with_gaps_are_refused),
        cmocka_unit_test(test_what_is_to_be_damped_has_a_trend),
        cmocka_unit_test(test_a_constant_series_is_forecast),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
