/* tests/unit/test_lags.c -- series by gradient boosting on lags.
 *
 * Series are drawn from processes whose best forecast has a formula: an error
 * that keeps 0.7 of itself from step to step, around a season of seven.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/classic/ets.h"
#include "engine/family.h"
#include "engine/trees/gbdt.h"
#include "engine/trees/lags.h"
#include "frame/builder.h"
#include "tests/lib/close.h"
#include "tests/lib/lesson.h"

enum { SEASON = 7, KEEPS_TENTHS = 7, FIRST_DAY = 19000 };

static double
season_at(size_t t)
{
    return 5 * sin(2 * 3.14159265358979 * (double)(t % SEASON) / SEASON);
}

/* y[t] = level + season + x[t], x[t] = 0.7 x[t - 1] + noise. */
static void
draw(double *y, size_t n, double level, uint64_t stream)
{
    double x = 0;

    for (size_t t = 0; t < n; t++) {
        x = x * KEEPS_TENTHS / 10 + rng_normal(3, stream, t);
        y[t] = level + season_at(t) + x;
    }
}

static struct lesson
lesson_of(const struct family *family, const char *const *set, const double *y,
          size_t n, bool timed)
{
    struct lesson l = lesson_new(family, PROBLEM_REGRESSION, n, timed);

    l.set = set;
    memcpy(l.y, y, n * sizeof *y);
    for (size_t i = 0; i < n && timed; i++)
        l.x[i] = FIRST_DAY + (double)i;
    return l;
}

static void
forecast(const struct family *family, const char *const *set, const double *y,
         size_t n, size_t horizon, double *mean)
{
    struct lesson l = lesson_of(family, set, y, n, false);
    void *learner = lesson_must_learn(&l);
    struct error err;
    struct frame *f = family->forecast(
        learner, NULL, &(struct forecast){.horizon = horizon, .level = 0.8},
        &err);

    if (!f)
        fail_msg("%s", err.message);
    for (size_t h = 0; h < horizon; h++)
        mean[h] = column_number(frame_column(f, 1), h);
    frame_unref(f);
    family->free(learner);
    lesson_free(&l);
}

/* From five origins a fortnight ahead, against the value of a season ago and
 * the forecast of someone who knows the process. */
static void
expect_near_the_best(const char *const *lags)
{
    static const char *const naive[] = {"period=7", NULL};
    enum { N = 1500, H = 14 };
    double y[N], got[H], ago[H];
    double of_lags = 0, of_naive = 0, of_best = 0;

    draw(y, N, 20, 1);
    for (size_t n = N - 5 * H; n < N; n += H) {
        double x = y[n - 1] - 20 - season_at(n - 1);

        forecast(&gbdt_lags_family, lags, y, n, H, got);
        forecast(&seasonal_naive_family, naive, y, n, H, ago);
        for (size_t h = 0; h < H; h++) {
            double best = 20 + season_at(n + h) + x * pow(0.7, (double)h + 1);

            of_lags += pow(got[h] - y[n + h], 2);
            of_naive += pow(ago[h] - y[n + h], 2);
            of_best += pow(best - y[n + h], 2);
        }
    }
    if (!(of_lags < 1.2 * of_best && of_lags < 0.75 * of_naive))
        fail_msg("squares: %g, best %g, a season ago %g", of_lags, of_best,
                 of_naive);
}

static void
test_forecasts_come_near_the_best_there_is(void **state)
{
    static const char *const lags[] = {"period=7", NULL};
    static const char *const direct[] = {"period=7", "ahead=14", NULL};

    (void)state;
    expect_near_the_best(lags);
    expect_near_the_best(direct);
}

/* The same trees, asked by hand: lags 1, 2, 7, the mean of 3, the place in the
 * season, all of differences to the step before. */
static void
test_forecasts_are_the_recursion_written_by_hand(void **state)
{
    static const char *const set[] = {"period=7", "lags=1-2,7", "means=3",
                                      "difference=step", NULL};
    static const size_t lag[] = {1, 2, 7};
    enum { N = 200, H = 20, F = 5 };
    double y[N + H];
    struct design_column column[F] = {{"a", 0}, {"b", 0}, {"c", 0}};
    struct lesson l;
    struct error err;
    struct frame *f;
    void *learner;

    (void)state;
    draw(y, N, 20, 2);
    l = lesson_of(&gbdt_lags_family, set, y, N, false);
    learner = lesson_must_learn(&l);
    f = gbdt_lags_family.forecast(
        learner, NULL, &(struct forecast){.horizon = H, .level = 0.9}, &err);
    assert_non_null(f);
    for (size_t t = N; t < N + H; t++) {
        double x[F] = {0}, step;
        struct design *d;

        for (size_t i = 0; i < 3; i++)
            x[i] = y[t - lag[i]] - y[t - lag[i] - 1];
        for (size_t ago = 1; ago <= 3; ago++)
            x[3] += y[t - ago] - y[t - ago - 1];
        x[3] /= 3;
        x[4] = (double)(t % 7);
        d = design_dense(x, 1, F, column, &err);
        assert_non_null(d);
        assert_true(
            gbdt_family.score(lags_trees(learner), d, NULL, &step, &err));
        y[t] = step + y[t - 1];
        design_free(d);
        assert_true(column_number(frame_column(f, 1), t - N) == y[t]);
    }
    frame_unref(f);
    gbdt_lags_family.free(learner);
    lesson_free(&l);
}

/* Five steps at a time, differences to the last known value of the same place
 * in the season: lags 1, 2 and the mean of 3 are those of the first step that
 * is not known, then the last known difference of that place, how far ahead,
 * the place. */
static void
test_direct_forecasts_are_those_of_each_distance(void **state)
{
    static const char *const set[] = {"period=3", "lags=1-2",
                                      "means=3",  "difference=season",
                                      "ahead=5",  NULL};
    enum { N = 200, H = 12, F = 6, AHEAD = 5, P = 3 };
    double y[N + H];
    struct design_column column[F] = {{"a", 0}, {"b", 0}, {"c", 0},
                                      {"d", 0}, {"e", 0}, {"f", 0}};
    struct lesson l;
    struct error err;
    struct frame *f;
    void *learner;

    (void)state;
    draw(y, N, 20, 2);
    l = lesson_of(&gbdt_lags_family, set, y, N, false);
    learner = lesson_must_learn(&l);
    f = gbdt_lags_family.forecast(
        learner, NULL, &(struct forecast){.horizon = H, .level = 0.9}, &err);
    assert_non_null(f);
    for (size_t i = 0; i < H; i++) {
        size_t t = N + i, first = N + i / AHEAD * AHEAD, h = t - first + 1;
        size_t back = (h + P - 1) / P * P;
        double x[F] = {0}, change;
        struct design *d;

        for (size_t ago = 1; ago <= 3; ago++) {
            double seen = y[first - ago] - y[first - ago - P];

            if (ago < 3)
                x[ago - 1] = seen;
            x[2] += seen;
        }
        x[2] /= 3;
        x[3] = y[t - back] - y[t - back - back];
        x[4] = (double)h;
        x[5] = (double)(t % P);
        d = design_dense(x, 1, F, column, &err);
        assert_non_null(d);
        assert_true(
            gbdt_family.score(lags_trees(learner), d, NULL, &change, &err));
        y[t] = change + y[t - back];
        design_free(d);
        assert_true(column_number(frame_column(f, 1), i) == y[t]);
    }
    frame_unref(f);
    gbdt_lags_family.free(learner);
    lesson_free(&l);
}

/* Trees do not reach beyond what they have seen: it takes differences. */
static void
test_a_series_that_grows_goes_on_growing(void **state)
{
    static const char *const set[] = {"period=7", NULL};
    enum { N = 300, H = 28 };
    double y[N + H], got[H];

    (void)state;
    draw(y, N + H, 20, 3);
    for (size_t t = 0; t < N + H; t++)
        y[t] += 2 * (double)t;
    forecast(&gbdt_lags_family, set, y, N, H, got);
    for (size_t h = 0; h < H; h++)
        if (!(fabs(got[h] - y[N + h]) < 12))
            fail_msg("step %zu: got %g, want about %g", h, got[h], y[N + h]);
}

static void
expect_intervals(const char *const *set)
{
    enum { N = 600, H = 10, ORIGINS = 20 };
    double y[N + H * ORIGINS];
    size_t in = 0;

    draw(y, N + H * ORIGINS, 20, 4);
    for (size_t k = 0; k < ORIGINS; k++) {
        size_t n = N + k * H;
        struct lesson l = lesson_of(&gbdt_lags_family, set, y, n, false);
        void *learner = lesson_must_learn(&l);
        struct error err;
        struct frame *f = gbdt_lags_family.forecast(
            learner, NULL, &(struct forecast){.horizon = H, .level = 0.8},
            &err);

        assert_non_null(f);
        for (size_t h = 0; h < H; h++)
            in += column_number(frame_column(f, 2), h) <= y[n + h] &&
                  y[n + h] <= column_number(frame_column(f, 3), h);
        frame_unref(f);
        gbdt_lags_family.free(learner);
        lesson_free(&l);
    }
    assert_in_range(in, H * ORIGINS * 70 / 100, H * ORIGINS * 90 / 100);
}

static void
test_intervals_hold_as_much_as_they_say(void **state)
{
    static const char *const steps[] = {"period=7", NULL};
    static const char *const direct[] = {"period=7", "ahead=10", NULL};

    (void)state;
    expect_intervals(steps);
    expect_intervals(direct);
}

/* ---- several series ---- */

enum { SHOPS = 3, DAYS = 210, HELD = 14 };
static const char *const shop_names[] = {"east", "north", "west"};

/* Rows of a shop that opened later than the one before; a price that halves
 * what is sold while it is high. */
static struct frame *
shops(bool last_days, bool with_stranger, bool sold)
{
    static const char *const names[] = {"day", "shop", "price", "noise",
                                        "sold"};
    static const enum col_type types[] = {COL_DATE, COL_TEXT, COL_INT64,
                                          COL_FLOAT64, COL_FLOAT64};
    struct error err;
    struct builder *b = builder_new(4 + sold, names, types, &err);

    for (size_t t = 0; t < DAYS; t++)
        for (size_t s = 0; s < (size_t)SHOPS + with_stranger; s++) {
            int64_t price = (int64_t)(rng_at(5, s, t) % 2);
            bool known = s < SHOPS;
            double y = 100 * (double)(s + 1) + 10 * season_at(t) -
                       40 * (double)price + rng_normal(5, 10 + s, t);

            if (t < 20 * s || last_days != (t >= DAYS - HELD))
                continue;
            assert_true(builder_i64(b, 0, FIRST_DAY + (int64_t)t, &err) &&
                        builder_text(b, 1,
                                     str_of(known ? shop_names[s] : "south"),
                                     &err) &&
                        builder_i64(b, 2, price, &err) &&
                        builder_f64(b, 3, rng_unit(5, 20, t), &err) &&
                        (!sold || builder_f64(b, 4, y, &err)) &&
                        builder_end_row(b, &err));
        }
    return builder_finish(b, &err);
}

static struct model *
fit(const struct frame *f, const char *const *set, struct error *err)
{
    struct params *p = params_new(gbdt_lags_family.params);
    struct model_options o = {.problem = PROBLEM_REGRESSION, .patience = -1};
    struct train ctx = {.seed = 1};
    struct model *m;

    for (; *set; set++)
        assert_true(params_set_pair(p, *set, err));
    m = model_fit(&gbdt_lags_family, p, f, "sold", &o, &ctx, err);
    params_free(p);
    return m;
}

static const char *const by_shop[] = {"time=day", "series=shop", "inputs=price",
                                      NULL};

static void
test_rows_to_come_are_answered_by_what_is_known_of_them(void **state)
{
    struct error err;
    struct frame *before = shops(false, false, true);
    struct frame *after = shops(true, true, false);
    struct frame *truth = shops(true, true, true);
    struct model *m = fit(before, by_shop, &err);
    double squares = 0;
    struct prediction p;

    (void)state;
    if (!m)
        fail_msg("%s", err.message);
    assert_true(model_predict(m, after, NULL, &p, &err));
    for (size_t i = 0; i < p.n; i++) {
        struct str shop = column_text(frame_column(after, 1), i);
        double y = column_number(frame_column(truth, 4), i);

        if (str_is(shop, "south")) {
            assert_true(isnan(p.value[i]));
            continue;
        }
        squares += pow(p.value[i] - y, 2);
    }
    /* Without the price it would be 20. */
    squares = sqrt(squares / (SHOPS * HELD));
    if (!(squares < 10))
        fail_msg("off by %g", squares);
    assert_null(model_forecast(
        m, &(struct forecast){.horizon = 3, .level = 0.9}, &err));
    assert_non_null(strstr(err.message, "known beforehand"));
    prediction_fini(&p);
    model_unref(m);
    frame_unref(before);
    frame_unref(after);
    frame_unref(truth);
}

static void
test_each_series_goes_on_from_its_own_end(void **state)
{
    static const char *const set[] = {"time=day", "series=shop", NULL};
    struct error err;
    struct frame *before = shops(false, false, true), *f;
    struct model *m = fit(before, set, &err);

    (void)state;
    if (!m)
        fail_msg("%s", err.message);
    f = model_forecast(m, &(struct forecast){.horizon = HELD, .level = 0.9},
                       &err);
    assert_non_null(f);
    assert_int_equal(frame_rows(f), SHOPS * HELD);
    assert_string_equal(frame_name(f, 0), "shop");
    assert_int_equal(column_type(frame_column(f, 2)), COL_DATE);
    for (size_t i = 0; i < SHOPS * HELD; i++) {
        double level = 100 * (double)(i / HELD + 1) - 20;

        assert_true(
            str_is(column_text(frame_column(f, 0), i), shop_names[i / HELD]));
        assert_true(column_number(frame_column(f, 2), i) ==
                    (double)(FIRST_DAY + DAYS - HELD) + (double)(i % HELD));
        assert_true(fabs(column_number(frame_column(f, 3), i) - level) < 90);
    }
    frame_unref(f);
    model_unref(m);
    frame_unref(before);
}

/* Some series are gone on from together, and some paths of them by each
 * thread. */
static void
test_forecasts_are_those_of_any_threads_and_tell_how_far_they_are(void **state)
{
    static const char *const set[] = {"time=day", "series=shop", NULL};
    struct forecast ask = {.horizon = HELD, .level = 0.9};
    struct error err;
    struct frame *before = shops(false, false, true), *alone, *shared;
    struct model *m = fit(before, set, &err);
    struct progress progress;
    struct pool *pool = pool_new(3);

    (void)state;
    assert_non_null(m);
    alone = model_forecast(m, &ask, &err);
    assert_non_null(alone);
    progress_init(&progress);
    ask.pool = pool_lend(pool, &progress);
    ask.progress = &progress;
    shared = model_forecast(m, &ask, &err);
    assert_non_null(shared);
    for (size_t c = 3; c < 6; c++)
        for (size_t i = 0; i < SHOPS * HELD; i++)
            assert_close(column_number(frame_column(shared, c), i),
                         column_number(frame_column(alone, c), i), 0);
    assert_true(atomic_load(&progress.done) >= SHOPS * HELD);
    assert_int_equal(atomic_load(&progress.done), atomic_load(&progress.total));
    progress_stop(&progress);
    assert_null(model_forecast(m, &ask, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    frame_unref(alone);
    frame_unref(shared);
    model_unref(m);
    frame_unref(before);
    pool_free(ask.pool);
    pool_free(pool);
}

static void
test_columns_that_are_not_there_are_told(void **state)
{
    static const char *const sets[][4] = {
        {"time=day", "series=shop", "inputs=price,prise", NULL},
        {"time=day", "series=shop", "lags=0", NULL},
        {"time=day", "series=shop", "lags=5-3", NULL},
        {"time=day", "series=shop", "lags=1,x", NULL},
        {"time=day", "series=shop", "means=200000", NULL},
        {"time=day", "series=price", NULL, NULL}, /* of several shops */
    };
    static const char *const told[] = {"inputs: ", "lags: '0'", "'5-3'",
                                       "'x'",      "means: ",   "day"};
    struct error err;
    struct frame *f = shops(false, false, true);

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        assert_null(fit(f, sets[i], &err));
        if (!strstr(err.message, told[i]))
            fail_msg("%s: %s", sets[i][1], err.message);
    }
    frame_unref(f);
}

static void
test_the_table_tells_lags_and_inputs_apart(void **state)
{
    struct error err;
    struct frame *before = shops(false, false, true), *f;
    struct model *m = fit(before, by_shop, &err);
    double sum = 0;
    bool price = false;

    (void)state;
    assert_non_null(m);
    f = model_table(m, "features", &err);
    assert_non_null(f);
    for (size_t i = 0; i < frame_rows(f); i++) {
        sum += column_number(frame_column(f, 1), i);
        price = price || str_is(column_text(frame_column(f, 0), i), "price");
    }
    assert_true(price);
    assert_true(fabs(sum - 1) < 1e-9);
    frame_unref(f);
    model_unref(m);
    frame_unref(before);
}

/* ---- what holds for all ---- */

static struct lesson
small(bool direct)
{
    static const char *const steps[] = {"time=x", "trees=20", "period=7", NULL};
    static const char *const ahead[] = {"time=x", "trees=20", "period=7",
                                        "ahead=4", NULL};
    double y[90];

    draw(y, 90, 20, 6);
    return lesson_of(&gbdt_lags_family, direct ? ahead : steps, y, 90, true);
}

static void
test_any_number_of_threads_learns_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lesson l = small(i == 1);

        lesson_same_for_any_threads(&l);
        lesson_free(&l);
    }
}

static void
test_a_file_gives_the_same_answers_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lesson l = small(i == 1);

        lesson_same_from_file(&l);
        lesson_free(&l);
    }
}

static void
test_damaged_files_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lesson l = small(i == 1);

        lesson_damage_is_harmless(&l);
        lesson_free(&l);
    }
}

static void
test_no_memory_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lesson l = small(i == 1);

        lesson_no_memory_is_an_error(&l);
        lesson_free(&l);
    }
}

static void
test_cancelled_before_the_first_tree_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lesson l = small(i == 1);

        lesson_cancelled_is_an_error(&l);
        lesson_free(&l);
    }
}

static void
test_few_rows_and_odd_ones_are_met(void **state)
{
    static const char *const far[] = {"ahead=11", NULL};
    double y[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    double got[3];
    struct lesson l;
    struct error err;

    (void)state;
    forecast(&gbdt_lags_family, NULL, y, 12, 3, got);
    assert_true(got[0] == 1 && got[2] == 1);
    l = lesson_of(&gbdt_lags_family, NULL, y, 2, false);
    assert_null(lesson_learn(&l, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    lesson_free(&l);
    l = lesson_of(&gbdt_lags_family, far, y, 12, false);
    assert_null(lesson_learn(&l, NULL, NULL, &err));
    assert_string_equal(
        err.message,
        "11 steps ahead and a period of 1 need 13 rows, and there are 12");
    lesson_free(&l);
    y[3] = 1e200;
    l = lesson_of(&gbdt_lags_family, NULL, y, 12, false);
    assert_null(lesson_learn(&l, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    lesson_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forecasts_come_near_the_best_there_is),
        cmocka_unit_test(test_forecasts_are_the_recursion_written_by_hand),
        cmocka_unit_test(test_direct_forecasts_are_those_of_each_distance),
        cmocka_unit_test(test_a_series_that_grows_goes_on_growing),
        cmocka_unit_test(test_intervals_hold_as_much_as_they_say),
        cmocka_unit_test(
            test_rows_to_come_are_answered_by_what_is_known_of_them),
        cmocka_unit_test(test_each_series_goes_on_from_its_own_end),
        cmocka_unit_test(
            test_forecasts_are_those_of_any_threads_and_tell_how_far_they_are),
        cmocka_unit_test(test_columns_that_are_not_there_are_told),
        cmocka_unit_test(test_the_table_tells_lags_and_inputs_apart),
        cmocka_unit_test(test_any_number_of_threads_learns_the_same),
        cmocka_unit_test(test_a_file_gives_the_same_answers_back),
        cmocka_unit_test(test_damaged_files_do_no_harm),
        cmocka_unit_test(test_no_memory_is_an_error),
        cmocka_unit_test(test_cancelled_before_the_first_tree_is_an_error),
        cmocka_unit_test(test_few_rows_and_odd_ones_are_met),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
