/* tests/unit/test_prepare_step.c -- steps of preparation.
 *
 * Expected numbers: scikit-learn 1.2.1 (SimpleImputer, IterativeImputer with
 * LinearRegression, StandardScaler, RobustScaler, MinMaxScaler,
 * QuantileTransformer, PolynomialFeatures, TfidfVectorizer, CountVectorizer with
 * char_wb) on the table below.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/progress.h"
#include "base/rng.h"
#include "engine/prepare.h"
#include "frame/builder.h"

enum { N = 30 };

static const double want_mean[] = {
    -5.5, 8.5,  -0.5, 5.0384615384615383, 4.5,  -4.5, 9.5,
    0.5,  14.5, 5.5,  5.0384615384615383, 10.5, 1.5,  15.5,
    6.5,  -2.5, 11.5, 5.0384615384615383, 16.5, 7.5,  -1.5,
    12.5, 3.5,  -5.5, 5.0384615384615383, -0.5, 13.5, 4.5,
    -4.5, 9.5};
static const double want_median[] = {
    -5.5, 8.5,  -0.5, 5,    4.5, -4.5, 9.5,  0.5, 14.5, 5.5,
    5,    10.5, 1.5,  15.5, 6.5, -2.5, 11.5, 5,   16.5, 7.5,
    -1.5, 12.5, 3.5,  -5.5, 5,   -0.5, 13.5, 4.5, -4.5, 9.5};
static const double want_mode[] = {
    -5.5, 8.5,  -0.5, -5.5, 4.5,  -4.5, 9.5,  0.5,  14.5, 5.5,
    -5.5, 10.5, 1.5,  15.5, 6.5,  -2.5, 11.5, -5.5, 16.5, 7.5,
    -1.5, 12.5, 3.5,  -5.5, -5.5, -0.5, 13.5, 4.5,  -4.5, 9.5};
static const double want_iterative_x[] = {
    -5.5, 8.5,  -0.5, 13.449217218940504,  4.5,  -4.5, 9.5,
    0.5,  14.5, 5.5,  -3.6577096599523351, 10.5, 1.5,  15.5,
    6.5,  -2.5, 11.5, 2.0047098888246868,  16.5, 7.5,  -1.5,
    12.5, 3.5,  -5.5, 4.906145130279608,   -0.5, 13.5, 4.5,
    -4.5, 9.5};
static const double want_iterative_z[] = {-11,
                                          20.666666666666668,
                                          2,
                                          29.333333333333332,
                                          11.083762181493736,
                                          -8,
                                          19.333333333333332,
                                          5,
                                          32.333333333333336,
                                          13.445045303245475,
                                          -5,
                                          22.333333333333332,
                                          3.6666666666666665,
                                          31,
                                          15.59315144564607,
                                          -2,
                                          25.333333333333332,
                                          6.666666666666667,
                                          34,
                                          17.528080608695518,
                                          1,
                                          28.333333333333332,
                                          9.6666666666666661,
                                          -9,
                                          12.142752772133878,
                                          -0.33333333333333337,
                                          27,
                                          12.666666666666666,
                                          -6,
                                          20.758407996740967};
static const double want_iterative_new[] = {
    -9.4166851374969269, 12.28294189379495,  20.886314184351658,
    13.445045303245475,  5.6626932551774596, -2.4607419598523923,
    34.558724513308469,  27.074820236332062, 12.142752772133878,
    11.083762181493736};
static const double want_standard[] = {-1.5574216387237771,
                                       0.51156185213554728,
                                       -0.81849896341687556,
                                       NAN,
                                       -0.079576288109973997,
                                       -1.4096371036623969,
                                       0.65934638719692762,
                                       -0.67071442835549522,
                                       1.3982690625038292,
                                       0.068208246951406315,
                                       NAN,
                                       0.80713092225830785,
                                       -0.52292989329411499,
                                       1.5460535975652094,
                                       0.21599278201278663,
                                       -1.1140680335396362,
                                       0.95491545731968819,
                                       NAN,
                                       1.6938381326265897,
                                       0.36377731707416694,
                                       -0.9662834984782559,
                                       1.1026999923810685,
                                       -0.22736082317135431,
                                       -1.5574216387237771,
                                       NAN,
                                       -0.81849896341687556,
                                       1.2504845274424488,
                                       -0.079576288109973997,
                                       -1.4096371036623969,
                                       0.65934638719692762};
static const double want_robust[] = {-0.97674418604651159,
                                     0.32558139534883723,
                                     -0.51162790697674421,
                                     NAN,
                                     -0.046511627906976744,
                                     -0.88372093023255816,
                                     0.41860465116279072,
                                     -0.41860465116279072,
                                     0.88372093023255816,
                                     0.046511627906976744,
                                     NAN,
                                     0.51162790697674421,
                                     -0.32558139534883723,
                                     0.97674418604651159,
                                     0.13953488372093023,
                                     -0.69767441860465118,
                                     0.60465116279069764,
                                     NAN,
                                     1.069767441860465,
                                     0.23255813953488372,
                                     -0.60465116279069764,
                                     0.69767441860465118,
                                     -0.13953488372093023,
                                     -0.97674418604651159,
                                     NAN,
                                     -0.51162790697674421,
                                     0.79069767441860461,
                                     -0.046511627906976744,
                                     -0.88372093023255816,
                                     0.41860465116279072};
static const double want_minmax[] = {0,
                                     0.63636363636363635,
                                     0.22727272727272727,
                                     NAN,
                                     0.45454545454545459,
                                     0.045454545454545442,
                                     0.68181818181818188,
                                     0.27272727272727271,
                                     0.90909090909090906,
                                     0.5,
                                     NAN,
                                     0.72727272727272729,
                                     0.31818181818181818,
                                     0.95454545454545459,
                                     0.54545454545454541,
                                     0.13636363636363635,
                                     0.77272727272727271,
                                     NAN,
                                     1,
                                     0.59090909090909094,
                                     0.18181818181818182,
                                     0.81818181818181823,
                                     0.40909090909090906,
                                     0,
                                     NAN,
                                     0.22727272727272727,
                                     0.86363636363636365,
                                     0.45454545454545459,
                                     0.045454545454545442,
                                     0.68181818181818188};
static const double want_quantile[] = {0,
                                       0.64000000000000001,
                                       0.25862068965517238,
                                       NAN,
                                       0.44827586206896552,
                                       0.10344827586206896,
                                       0.68965517241379315,
                                       0.32000000000000001,
                                       0.92000000000000004,
                                       0.52000000000000002,
                                       NAN,
                                       0.76000000000000001,
                                       0.35455349248452694,
                                       0.95999999999999996,
                                       0.56000000000000005,
                                       0.16484440706476031,
                                       0.80000000000000004,
                                       NAN,
                                       1,
                                       0.59999999999999998,
                                       0.19999999999999998,
                                       0.83999999999999997,
                                       0.40517241379310343,
                                       0,
                                       NAN,
                                       0.25862068965517238,
                                       0.88,
                                       0.44827586206896552,
                                       0.10344827586206896,
                                       0.68965517241379315};
static const double want_quantile_new[] = {0,
                                           0.72600000000000009,
                                           0.28722570532915359,
                                           NAN,
                                           0.51000000000000001,
                                           0.084698275862068961,
                                           0.77000000000000013,
                                           0.33400000000000002,
                                           0.98999999999999999,
                                           0.55400000000000005,
                                           NAN,
                                           0.81400000000000006,
                                           0.3660919540229885,
                                           1,
                                           0.59800000000000009,
                                           0.16606391925988226,
                                           0.8580000000000001,
                                           NAN,
                                           1,
                                           0.64200000000000002,
                                           0.20599999999999999,
                                           0.90200000000000002,
                                           0.42985480943738658,
                                           0,
                                           NAN,
                                           0.28722570532915359,
                                           0.94600000000000006,
                                           0.51000000000000001,
                                           0.084698275862068961,
                                           0.77000000000000013};
static const double want_product[] = {
    -0,    25.5,  -6,   364.5, 76.5,  -58.5, 142.5, 11.5, 87,     143,
    -73.5, 231,   43.5, 170.5, 195,   -60,   276,   75,   181.5,  217.5,
    -33,   262.5, 91,   -33,   195.5, -7.5,  175.5, 76.5, -121.5, 114};
static const double want_tfidf_7[] = {0.19552930814236597, 0.40036822419229851,
                                      0.40036822419229851, 0.80073644838459701};
static const double want_tfidf_11[] = {0.25485423564240961, 0.52184267781351978,
                                       0.52184267781351978,
                                       0.62482778251287219};
static const double want_chars_7[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
                                      2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2};

static double
x_at(size_t i)
{
    return (double)(i * 37 % 23) - 5.5;
}

static const char *const city_names[] = {"ab", "c", "d", "ee", "f"};

static const char *
city_at(size_t i)
{
    return city_names[(i * i + i / 4) % 5];
}

static void
add_note(struct builder *b, size_t i, struct error *err)
{
    static const char *const small[] = {"red", "blue", "green", "old", "new"};
    static const char *const large[] = {"RED", "BLUE", "GREEN", "OLD", "NEW"};
    char note[64];

    snprintf(note, sizeof note, "%s %s %s", small[i % 5], large[i * i % 5],
             small[(i * 3 + 1) % 5]);
    assert_true(builder_text(b, 6, str_of(note), err));
}

/* x and z with gaps, full (x without), w, a city, days, a note, y. */
static struct frame *
table(void)
{
    static const char *const names[] = {"x",    "z",   "full", "w",
                                        "city", "day", "note", "y"};
    static const enum col_type types[] = {COL_FLOAT64, COL_FLOAT64, COL_FLOAT64,
                                          COL_FLOAT64, COL_TEXT,    COL_DATE,
                                          COL_TEXT,    COL_INT64};
    struct error err;
    struct builder *b = builder_new(8, names, types, &err);
    struct frame *f;

    for (size_t i = 0; i < N; i++) {
        double x = x_at(i), z = 2 * x + (double)(i * 11 % 13) / 3;

        if (i % 7 != 3)
            assert_true(builder_f64(b, 0, x, &err));
        if (i % 5 != 4)
            assert_true(builder_f64(b, 1, z, &err));
        assert_true(builder_f64(b, 2, x, &err) &&
                    builder_f64(b, 3, (double)(i * i * 3 % 31), &err) &&
                    builder_text(b, 4, str_of(city_at(i)), &err) &&
                    builder_i64(b, 5, 19000 + 40 * (int64_t)i, &err) &&
                    builder_i64(b, 7, i * 13 % 7 < 3, &err));
        add_note(b, i, &err);
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static struct prepare *
learnt(const struct frame *f, const char *const *steps)
{
    struct prepare_options o = {.steps = steps, .seed = 3};
    struct error err;
    struct target y;
    struct prepare *p;

    assert_true(target_fit(f, "y", PROBLEM_BINARY, &y, &err));
    o.y = &y;
    p = prepare_fit_steps(f, "y", PREPARE_TREES, &o, NULL, &err);
    if (!p)
        fail_msg("%s", err.message);
    target_fini(&y);
    return p;
}

/* The same through a file and back. */
static struct prepare *
reloaded(struct prepare *p)
{
    struct json_writer w;
    struct error err;
    struct json *v;
    struct buf b;

    buf_init(&b);
    json_writer_init(&w, &b);
    prepare_json(p, &w);
    prepare_free(p);
    v = json_parse((struct str){b.data, b.len}, &err);
    p = prepare_from_json(v, &err);
    if (!p)
        fail_msg("%s", err.message);
    json_free(v);
    buf_fini(&b);
    return p;
}

static struct frame *
prepared(const struct frame *train, const struct frame *f,
         const char *const *steps)
{
    struct prepare *p = reloaded(learnt(train, steps));
    struct error err;
    struct frame *out = prepare_frame(p, f, NULL, &err);

    if (!out)
        fail_msg("%s", err.message);
    prepare_free(p);
    return out;
}

static const struct column *
column(const struct frame *f, const char *name)
{
    long col = frame_find(f, name);

    if (col < 0)
        fail_msg("no column '%s'", name);
    return frame_column(f, (size_t)col);
}

static void
expect_column(const struct frame *f, const char *name, const double *want,
              size_t n, double within)
{
    assert_int_equal(frame_rows(f), n);
    for (size_t i = 0; i < n; i++) {
        double got = column_number(column(f, name), i);

        if (isnan(want[i]) ? !isnan(got) : !(fabs(got - want[i]) <= within))
            fail_msg("%s %zu: got %.17g, want %.17g", name, i, got, want[i]);
    }
}

static void
expect(const char *step, const char *name, const double *want, double within)
{
    const char *const steps[] = {step, NULL};
    struct frame *f = table(), *out = prepared(f, f, steps);

    expect_column(out, name, want, N, within);
    frame_unref(out);
    frame_unref(f);
}

static void
test_imputing_agrees_with_scikit_learn(void **state)
{
    (void)state;
    expect("impute mean", "x", want_mean, 1e-12);
    expect("impute median on x", "x", want_median, 1e-12);
    expect("impute", "x", want_median, 1e-12);
    expect("impute mode on x", "x", want_mode, 1e-12);
}

static void
test_imputing_round_by_round_agrees_with_scikit_learn(void **state)
{
    static const char *const steps[] = {"impute iterative on x, z, w", NULL};
    struct frame *f = table(), *rows, *gap, *out;
    struct error err;
    uint32_t third[10];
    double *none = calloc(10, sizeof *none);
    uint64_t *valid = calloc(1, sizeof *valid);
    void *data = NULL;

    (void)state;
    expect(steps[0], "x", want_iterative_x, 1e-10);
    expect(steps[0], "z", want_iterative_z, 1e-10);
    for (uint32_t i = 0; i < 10; i++)
        third[i] = 3 * i;
    rows = frame_take(f, third, 10, &err);
    assert_true(none && valid && (data = mem_try_aligned(10, 8, &err)));
    gap = frame_with(
        rows, "z", column_new(COL_FLOAT64, 10, data, valid, NULL, &err), &err);
    out = prepared(f, gap, steps);
    expect_column(out, "z", want_iterative_new, 10, 1e-10);
    free(none);
    frame_unref(out);
    frame_unref(gap);
    frame_unref(rows);
    frame_unref(f);
}

static void
test_scaling_agrees_with_scikit_learn(void **state)
{
    (void)state;
    expect("scale", "x", want_standard, 1e-12);
    expect("scale robust on x", "x", want_robust, 1e-12);
    expect("scale minmax", "x", want_minmax, 1e-12);
    expect("scale quantile", "x", want_quantile, 1e-12);
}

static void
test_quantiles_of_new_rows_agree_with_scikit_learn(void **state)
{
    static const char *const steps[] = {"scale quantile", NULL};
    struct frame *f = table(), *moved, *out;
    struct error err;
    double *x = mem_try_aligned(N, sizeof *x, &err);

    (void)state;
    for (size_t i = 0; i < N; i++)
        x[i] = i % 7 == 3 ? (double)NAN : x_at(i) * 1.1 + 0.3;
    moved = frame_with(f, "x", column_new(COL_FLOAT64, N, x, NULL, NULL, &err),
                       &err);
    out = prepared(f, moved, steps);
    expect_column(out, "x", want_quantile_new, N, 1e-12);
    frame_unref(out);
    frame_unref(moved);
    frame_unref(f);
}

static void
test_products_agree_with_scikit_learn(void **state)
{
    (void)state;
    expect("polynomial 2 on full, w", "full*w", want_product, 1e-12);
    expect("polynomial interactions on full, w", "full*w", want_product, 1e-12);
}

/* The values of a row that are not 0, in order: which bucket is ours alone. */
static void
expect_row(const char *step, size_t row, const double *want, size_t n)
{
    const char *const steps[] = {step, "select variance 0 on x, z, full, w",
                                 NULL};
    struct frame *f = table(), *out = prepared(f, f, steps);
    double got[64];
    size_t m = 0;

    for (size_t c = 0; c < frame_cols(out); c++)
        if (strncmp(frame_name(out, c), "note#", 5) == 0) {
            double v = column_number(frame_column(out, c), row);
            size_t at = m;

            if (v == 0)
                continue;
            for (; at > 0 && got[at - 1] > v; at--)
                got[at] = got[at - 1];
            got[at] = v;
            m++;
        }
    assert_int_equal(m, n);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(got[i] - want[i]) < 1e-12);
    frame_unref(out);
    frame_unref(f);
}

static void
test_words_agree_with_scikit_learn(void **state)
{
    (void)state;
    expect_row("words to=2 size=4096 tfidf on note", 7, want_tfidf_7,
               sizeof want_tfidf_7 / sizeof *want_tfidf_7);
    expect_row("words to=2 size=4096 tfidf on note", 11, want_tfidf_11,
               sizeof want_tfidf_11 / sizeof *want_tfidf_11);
    expect_row("chars from=2 to=4 size=4096 on note", 7, want_chars_7,
               sizeof want_chars_7 / sizeof *want_chars_7);
}

static void
test_levels_become_columns_places_or_one(void **state)
{
    static const char *const hot[] = {"onehot on city", NULL};
    static const char *const place[] = {"ordinal f|ee|d|c|ab on city", NULL};
    static const char *const rare[] = {"rare 6 on city", "ordinal on city",
                                       NULL};
    struct frame *f = table(), *a = prepared(f, f, hot);
    struct frame *b = prepared(f, f, place), *c = prepared(f, f, rare);
    size_t count[5] = {0};

    (void)state;
    for (size_t i = 0; i < N; i++)
        count[(i * i + i / 4) % 5]++;
    for (size_t i = 0; i < N; i++) {
        size_t own = (i * i + i / 4) % 5, kept = 0;

        for (size_t j = 0; j < own; j++)
            kept += count[j] >= 6;
        assert_true(column_number(column(a, "city=ee"), i) == (own == 3));
        assert_true(column_number(column(b, "city"), i) == 4 - (double)own);
        /* "(rare)" comes before all letters */
        assert_true(column_number(column(c, "city"), i) ==
                    (count[own] < 6 ? 0 : 1 + (double)kept));
    }
    assert_true(frame_find(a, "city") < 0);
    frame_unref(a);
    frame_unref(b);
    frame_unref(c);
    frame_unref(f);
}

/* 2022-01-08 was a Saturday. */
static void
test_dates_become_parts(void **state)
{
    static const char *const steps[] = {
        "date year month day weekday yearday on day", NULL};
    struct frame *f = table(), *out = prepared(f, f, steps);

    (void)state;
    assert_true(column_number(column(out, "day year"), 0) == 2022);
    assert_true(column_number(column(out, "day month"), 0) == 1);
    assert_true(column_number(column(out, "day day"), 0) == 8);
    assert_true(column_number(column(out, "day weekday"), 0) == 6);
    assert_true(column_number(column(out, "day yearday"), 0) == 8);
    for (size_t i = 1; i < N; i++)
        assert_true(column_number(column(out, "day weekday"), i) ==
                    (double)((5 + 40 * i) % 7 + 1));
    frame_unref(out);
    frame_unref(f);
}

/* ---- the target ---- */

static void
test_targets_by_level_are_smoothed_means(void **state)
{
    static const char *const steps[] = {"target smooth=3 on city", NULL};
    struct frame *f = table(), *out = prepared(f, f, steps);
    double sum[5] = {0}, rows[5] = {0}, all = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        double y = i * 13 % 7 < 3;

        sum[(i * i + i / 4) % 5] += y;
        rows[(i * i + i / 4) % 5]++;
        all += y / N;
    }
    for (size_t i = 0; i < N; i++) {
        size_t c = (i * i + i / 4) % 5;

        assert_true(fabs(column_number(column(out, "city"), i) -
                         (sum[c] + 3 * all) / (rows[c] + 3)) < 1e-12);
    }
    frame_unref(out);
    frame_unref(f);
}

/* n rows, each level three times, and a coin for the target: there is nothing
 * to learn, but a row that hears of itself finds something. */
static struct frame *
coins(size_t n)
{
    static const char *const names[] = {"who", "x", "y"};
    static const enum col_type types[] = {COL_TEXT, COL_FLOAT64, COL_INT64};
    struct error err;
    struct builder *b = builder_new(3, names, types, &err);
    struct frame *f;
    char who[16];

    for (size_t i = 0; i < n; i++) {
        snprintf(who, sizeof who, "w%zu", i / 3);
        assert_true(builder_text(b, 0, str_of(who), &err) &&
                    builder_f64(b, 1, rng_unit(1, 1, i), &err) &&
                    builder_i64(b, 2, rng_unit(1, 2, i) < 0.5, &err) &&
                    builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static double
correlation(const double *x, const double *y, size_t n)
{
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;

    for (size_t i = 0; i < n; i++) {
        mx += x[i] / (double)n;
        my += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    return xy / sqrt(xx * yy);
}

static void
test_no_row_hears_of_its_own_target(void **state)
{
    enum { ROWS = 6000 };
    static const char *const steps[] = {"target smooth=1 on who", NULL};
    struct frame *f = coins(ROWS), *all;
    struct prepare_options o = {.steps = steps, .seed = 3};
    double *x = malloc(ROWS * sizeof *x), *y = malloc(ROWS * sizeof *y);
    struct prepare *p;
    struct design *d;
    struct target t;
    struct error err;

    (void)state;
    assert_true(x && y && target_fit(f, "y", PROBLEM_BINARY, &t, &err));
    o.y = &t;
    p = prepare_fit_steps(f, "y", PREPARE_TREES, &o, NULL, &err);
    d = prepare_train(p, f, NULL, &err);
    design_pull(d, 0, 0, ROWS, x);
    /* Twice as far as chance goes once in twenty. */
    assert_true(correlation(x, t.y, ROWS) < 4 / sqrt(ROWS));
    design_free(d);
    all = prepare_frame(p, f, NULL, &err);
    column_numbers(column(all, "who"), 0, ROWS, y);
    assert_true(correlation(y, t.y, ROWS) > 0.4);
    frame_unref(all);
    prepare_free(p);
    target_fini(&t);
    frame_unref(f);
    free(x);
    free(y);
}

static void
test_selection_keeps_what_tells_most(void **state)
{
    static const char *const f_test[] = {"select 1 f on full, w", NULL};
    static const char *const variance[] = {"select variance 50 on full, w",
                                           NULL};
    static const char *const mi[] = {"select 1 mi on x, full, w, copy", NULL};
    struct frame *f = table(), *a, *b, *c, *g;
    struct error err;
    size_t y;

    (void)state;
    a = prepared(f, f, f_test);
    assert_true(frame_find(a, "full") >= 0 && frame_find(a, "w") < 0 &&
                frame_find(a, "x") >= 0);
    b = prepared(f, f, variance);
    assert_true(frame_find(b, "w") >= 0 && frame_find(b, "full") < 0);
    assert_true(frame_need(f, "y", &y, &err));
    g = frame_with(f, "copy", column_ref(frame_column(f, y)), &err);
    c = prepared(g, g, mi);
    assert_true(frame_find(c, "copy") >= 0 && frame_find(c, "w") < 0);
    frame_unref(a);
    frame_unref(b);
    frame_unref(c);
    frame_unref(g);
    frame_unref(f);
}

/* The one value is the least, and so 0. */
static void
test_quantiles_of_a_single_row_are_its_value(void **state)
{
    static const char *const steps[] = {"scale quantile on w", NULL};
    struct prepare_options o = {.steps = steps};
    struct frame *f = table(), *row, *out;
    struct prepare *p;
    struct error err;

    (void)state;
    assert_non_null(row = frame_slice(f, 4, 5, &err));
    assert_non_null(
        p = prepare_fit_steps(row, NULL, PREPARE_IDS, &o, NULL, &err));
    assert_non_null(out = prepare_frame(p, row, NULL, &err));
    assert_true(column_number(column(out, "w"), 0) == 0);
    frame_unref(out);
    frame_unref(row);
    frame_unref(f);
    prepare_free(p);
}

static void
test_what_is_new_at_prediction_is_met(void **state)
{
    static const char *const steps[] = {"impute constant=none on note",
                                        "rare 6 on city", "target on city",
                                        "onehot on note", NULL};
    static const char *const names[] = {"x", "z", "full", "w", "city", "note"};
    static const enum col_type types[] = {COL_FLOAT64, COL_FLOAT64, COL_FLOAT64,
                                          COL_FLOAT64, COL_TEXT,    COL_TEXT};
    struct frame *f = table(), *some, *row, *out;
    struct error err;
    struct builder *b = builder_new(6, names, types, &err);

    (void)state;
    for (size_t i = 0; i < N; i++)
        assert_true(builder_text(b, 4, STR("nowhere"), &err) &&
                    builder_end_row(b, &err));
    some = builder_finish(b, &err);
    /* The day is an input although no step reads it. */
    row = frame_with(some, "day", column_ref(frame_column(f, 5)), &err);
    frame_unref(some);
    out = prepared(f, row, steps);
    assert_true(isfinite(column_number(column(out, "city"), 0)));
    assert_true(isnan(column_number(column(out, "x"), 0)));
    frame_unref(out);
    frame_unref(row);
    frame_unref(f);
}

static void
test_wrong_lines_are_told(void **state)
{
    static const char *const bad[][2] = {
        {"", "no step ''"},
        {"scal", "did you mean 'scale'"},
        {"scale robust minmax", "more than one way"},
        {"scale on city", "column 'city' is text"},
        {"scale on nowhere", "no column 'nowhere'"},
        {"scale on x, x", "there twice"},
        {"scale on", "on no column"},
        {"target on y", "is the target"},
        {"target smooth=-1", "from 0 to"},
        {"polynomial 9", "from 2 to 3"},
        {"words size=99999", "from 1 to 4096"},
        {"words from=3 to=2", "from 3 to 2"},
        {"select 3", "expected"},
        {"select 2.5 f", "expected"},
        {"impute mean on city", "text"},
        {"impute constant=many on x", "is a number"},
        {"rare 0.1 0.2", "one share"},
        {"ordinal S", "in order"},
        {"onehot 3", "not known"},
        {"rare #", "'#' is not known"},
        {"polynomial #", "'#' is not known"},
        {"polynomial 2.5", "a whole number from 2 to 3"},
        {"polynomial 2 3", "two numbers"},
        {"select 20 30", "two numbers"},
        {"select # f", "'#' is not known"},
        {"words size=10.5", "a whole number from 1 to 4096"},
    };
    struct frame *f = table();
    struct target y;
    struct error err;

    (void)state;
    assert_true(target_fit(f, "y", PROBLEM_BINARY, &y, &err));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const steps[] = {bad[i][0], NULL};
        struct prepare_options o = {.steps = steps, .y = &y};

        assert_null(prepare_fit_steps(f, "y", PREPARE_TREES, &o, NULL, &err));
        if (!strstr(err.message, bad[i][1]))
            fail_msg("'%s': %s", bad[i][0], err.message);
    }
    target_fini(&y);
    frame_unref(f);
}

static const char *const all_steps[] = {"impute iterative indicator on x, z",
                                        "impute mode on city",
                                        "scale quantile on w",
                                        "rare 3 on city",
                                        "target on city",
                                        "date on day",
                                        "words size=8 tfidf on note",
                                        "polynomial 2 on x, z",
                                        "select 20 f",
                                        NULL};

/* Every number and text of the file in turn becomes another. */
static void
test_a_damaged_file_is_refused_or_bounded(void **state)
{
    static const char *const wrong[] = {"-1",   "1e300", "null", "\"q\"",
                                        "[[]]", "{}",    "99"};
    struct frame *f = table();
    struct prepare *p = learnt(f, all_steps);
    struct json_writer w;
    struct error err;
    struct buf file, copy;
    size_t refused = 0;

    (void)state;
    buf_init(&file);
    buf_init(&copy);
    json_writer_init(&w, &file);
    prepare_json(p, &w);
    prepare_free(p);
    for (size_t at = 0, i = 0; at < file.len; at++) {
        size_t n = strspn(file.data + at, "0123456789.-e");
        struct json *v;

        if (n == 0 || (file.data[at - 1] != ',' && file.data[at - 1] != '['))
            continue;
        buf_clear(&copy);
        buf_add(&copy, file.data, at);
        buf_puts(&copy, wrong[i++ % 7]);
        buf_add(&copy, file.data + at + n, file.len - at - n);
        at += n;
        v = json_parse((struct str){copy.data, copy.len}, &err);
        if (!v)
            continue;
        p = prepare_from_json(v, &err);
        refused += !p;
        if (p)
            frame_unref(prepare_frame(p, f, NULL, &err));
        prepare_free(p);
        json_free(v);
    }
    assert_true(refused > 20);
    buf_fini(&file);
    buf_fini(&copy);
    frame_unref(f);
}

/* More rows than a block of any step: x, z with gaps in 7 of 10 rows, and y. */
enum { BLOCKS_ROWS = 20000 };

static struct frame *
long_table(void)
{
    static const char *const names[] = {"x", "z", "city", "y"};
    static const enum col_type types[] = {COL_FLOAT64, COL_FLOAT64, COL_TEXT,
                                          COL_INT64};
    struct error err;
    struct builder *b = builder_new(4, names, types, &err);

    for (size_t i = 0; i < BLOCKS_ROWS; i++) {
        double x = rng_normal(1, 2, i);

        if (i % 10 > 6)
            assert_true(
                builder_f64(b, 1, 3 * x - 2 + rng_normal(1, 3, i), &err));
        assert_true(builder_f64(b, 0, x, &err) &&
                    builder_text(b, 2, str_of(city_at(i)), &err) &&
                    builder_i64(b, 3, i * 13 % 7 < 3, &err) &&
                    builder_end_row(b, &err));
    }
    return builder_finish(b, &err);
}

/* The line through the rows where z is there, by the normal equations. */
static void
test_gaps_are_filled_by_the_line_through_the_rest(void **state)
{
    static const char *const steps[] = {"impute iterative on x, z", NULL};
    struct frame *f = long_table(), *out = prepared(f, f, steps);
    const struct column *x = column(f, "x"), *z = column(f, "z");
    double n = 0, sx = 0, sz = 0, xx = 0, xz = 0, slope;

    (void)state;
    for (size_t i = 0; i < BLOCKS_ROWS; i++)
        if (column_is_valid(z, i)) {
            double v = column_number(x, i), w = column_number(z, i);

            n++;
            sx += v;
            sz += w;
            xx += v * v;
            xz += v * w;
        }
    slope = (xz - sx * sz / n) / (xx - sx * sx / n);
    for (size_t i = 0; i < BLOCKS_ROWS; i++) {
        double got = column_number(column(out, "z"), i);
        double by = sz / n + slope * (column_number(x, i) - sx / n);
        double want = column_is_valid(z, i) ? column_number(z, i) : by;

        if (!(fabs(got - want) < 1e-11))
            fail_msg("%zu: got %.17g, want %.17g", i, got, want);
    }
    frame_unref(out);
    frame_unref(f);
}

static const char *const long_steps[] = {"impute iterative indicator on x, z",
                                         "scale quantile on x",
                                         "scale standard on z",
                                         "polynomial 2 on x, z",
                                         "target on city",
                                         NULL};
static const char *const text_steps[] = {
    "rare 100 on city", "words size=8 tfidf on city", "select 5 f", NULL};

/* What is learnt, and what is made of the rows, as text. */
static void
learnt_text(const struct frame *f, const char *const *steps, struct pool *pool,
            struct buf *out)
{
    struct prepare_options o = {.steps = steps, .seed = 3};
    struct json_writer w;
    struct frame *made;
    struct prepare *p;
    struct target y;
    struct error err;
    char hash[33];

    assert_true(target_fit(f, "y", PROBLEM_BINARY, &y, &err));
    o.y = &y;
    p = prepare_fit_steps(f, "y", PREPARE_DENSE, &o, pool, &err);
    assert_non_null(p);
    json_writer_init(&w, out);
    prepare_json(p, &w);
    made = prepare_frame(p, f, pool, &err);
    assert_true(made && frame_fingerprint(made, hash, &err));
    buf_puts(out, hash);
    frame_unref(made);
    prepare_free(p);
    target_fini(&y);
}

static void
test_threads_learn_and_make_the_same(void **state)
{
    const char *const *const lists[] = {long_steps, text_steps};
    struct frame *f = long_table();
    struct pool *pool = pool_new(3);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct buf one, three;

        buf_init(&one);
        buf_init(&three);
        learnt_text(f, lists[i], NULL, &one);
        learnt_text(f, lists[i], pool, &three);
        assert_string_equal(one.data, three.data);
        buf_fini(&one);
        buf_fini(&three);
    }
    pool_free(pool);
    frame_unref(f);
}

/* Learn and apply, stopped at look n; returns whether it came to its end. */
static bool
stopped_at(const struct frame *f, const struct target *y,
           const char *const *steps, uint64_t n, uint64_t *left)
{
    struct prepare_options o = {.steps = steps, .y = y};
    atomic_uint_least64_t looks;
    struct progress progress;
    struct frame *out = NULL;
    struct prepare *p;
    struct error err;
    struct pool *pool;
    bool ok;

    atomic_init(&looks, n);
    progress_init(&progress);
    progress.looks = &looks;
    pool = pool_lend(NULL, &progress);
    p = prepare_fit_steps(f, "y", PREPARE_TREES, &o, pool, &err);
    ok = p && (out = prepare_frame(p, f, pool, &err));
    if (!ok)
        assert_int_equal(err.code, ERR_CANCELLED);
    *left = atomic_load(&looks);
    frame_unref(out);
    prepare_free(p);
    pool_free(pool);
    return ok;
}

/* A look a column and block of rows at least, where there are many. */
static void
test_steps_look_whether_to_stop(void **state)
{
    const char *const *const lists[] = {long_steps, text_steps};
    const uint64_t least[] = {100, 400}, many = 1 << 20;
    struct frame *f = long_table();
    struct target y;
    struct error err;
    uint64_t left;

    (void)state;
    assert_true(target_fit(f, "y", PROBLEM_BINARY, &y, &err));
    for (size_t i = 0; i < 2; i++) {
        uint64_t looks;

        assert_true(stopped_at(f, &y, lists[i], many, &left));
        looks = many - left;
        if (looks < least[i])
            fail_msg("list %zu: %d looks", i, (int)looks);
        for (uint64_t n = 1; n < looks; n += looks / 8)
            assert_false(stopped_at(f, &y, lists[i], n, &left));
    }
    target_fini(&y);
    frame_unref(f);
}

/* Of up to 1,000 rows the quantiles are the values: the share of a value is its
 * place among them, equal ones sharing the middle of theirs. */
static void
test_equal_values_share_the_middle_of_their_quantiles(void **state)
{
    static const char *const steps[] = {"scale quantile on w", NULL};
    struct frame *f = table(), *out = prepared(f, f, steps);
    const struct column *w = column(f, "w");

    (void)state;
    for (size_t i = 0; i < N; i++) {
        double v = column_number(w, i), below = 0, same = 0, above = 0, want;
        double got = column_number(column(out, "w"), i);

        for (size_t j = 0; j < N; j++) {
            below += column_number(w, j) < v;
            same += column_number(w, j) == v;
            above += column_number(w, j) > v;
        }
        want = below == 0   ? 0
               : above == 0 ? 1
                            : (below + (same - 1) / 2) / (N - 1);
        if (!(fabs(got - want) < 1e-12))
            fail_msg("%zu: got %.17g, want %.17g", i, got, want);
    }
    frame_unref(out);
    frame_unref(f);
}

/* n columns c0, c1, ... of a row each, and y. */
static struct frame *
wide_table(size_t n, enum col_type type, const double *value)
{
    char(*name)[24] = calloc(n + 1, sizeof *name);
    const char **names = calloc(n + 1, sizeof *names);
    enum col_type *types = calloc(n + 1, sizeof *types);
    struct error err;
    struct builder *b;
    struct frame *f;

    for (size_t i = 0; i < n; i++) {
        snprintf(name[i], sizeof name[i], "c%zu", i);
        names[i] = name[i];
        types[i] = type;
    }
    names[n] = "y";
    types[n] = COL_INT64;
    assert_non_null(b = builder_new(n + 1, names, types, &err));
    for (size_t r = 0; r < 4; r++) {
        for (size_t i = 0; i < n; i++)
            assert_true(type == COL_TEXT
                            ? builder_text(b, i, str_of(city_names[r]), &err)
                            : builder_f64(b, i, value[r], &err));
        assert_true(builder_i64(b, n, r % 2, &err) && builder_end_row(b, &err));
    }
    assert_non_null(f = builder_finish(b, &err));
    free(name);
    free(names);
    free(types);
    return f;
}

/* A file holds what was learnt of so many columns. */
static void
test_many_columns_are_learnt_and_read_again(void **state)
{
    static const double value[] = {1, 4, 2, 8};
    static const char *const scale[] = {"impute", "scale", NULL};
    static const char *const words[] = {"words size=4096", NULL};
    struct frame *f = wide_table(20000, COL_FLOAT64, value), *out;

    (void)state;
    out = prepared(f, f, scale);
    assert_int_equal(frame_cols(out), 20000);
    frame_unref(out);
    frame_unref(f);
    f = wide_table(5, COL_TEXT, NULL);
    out = prepared(f, f, words);
    /* Four texts of a word each are in four buckets of every column, at most:
     * the others are constant, and left out. */
    assert_in_range(frame_cols(out), 5, 20);
    frame_unref(out);
    frame_unref(f);
}

static void
test_what_no_file_can_hold_is_not_learnt(void **state)
{
    static const double far[] = {-1.7e308, 1.7e308, 0, 1};
    static const char *const bad[][2] = {
        {"scale minmax", "too far apart"},
        {"scale", "too far apart"},
        {"words size=4096", "more than 1048576 columns of 300"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const steps[] = {bad[i][0], NULL};
        struct prepare_options o = {.steps = steps};
        struct frame *f =
            wide_table(300, *bad[i][0] == 'w' ? COL_TEXT : COL_FLOAT64, far);
        struct error err;

        assert_null(prepare_fit_steps(f, "y", PREPARE_TREES, &o, NULL, &err));
        if (!strstr(err.message, bad[i][1]))
            fail_msg("'%s': %s", bad[i][0], err.message);
        frame_unref(f);
    }
}

/* It has the name that onehot gives to a level, which there is none of. */
static void
test_a_column_named_as_a_made_one_is_scaled(void **state)
{
    static const char *const steps[] = {"onehot on city", NULL};
    struct prepare_options o = {.steps = steps};
    struct frame *f = table(), *g, *out;
    struct prepare *p;
    struct error err;
    double sum = 0;

    (void)state;
    assert_non_null(
        g = frame_with(f, "city=none", column_ref(column(f, "w")), &err));
    assert_non_null(
        p = prepare_fit_steps(g, "y", PREPARE_DENSE, &o, NULL, &err));
    assert_non_null(out = prepare_frame(p, g, NULL, &err));
    for (size_t i = 0; i < N; i++)
        sum += column_number(column(out, "city=none"), i);
    assert_true(fabs(sum) < 1e-9);
    for (size_t i = 0; i < N; i++)
        assert_true(column_number(column(out, "city=ab"), i) ==
                    (strcmp(city_at(i), "ab") == 0));
    frame_unref(out);
    frame_unref(g);
    frame_unref(f);
    prepare_free(p);
}

static void
test_no_memory_ends_in_an_error_not_a_leak(void **state)
{
    struct frame *f = table();
    struct target y;
    struct error err;
    bool ok = false;
    unsigned long n;

    (void)state;
    assert_true(target_fit(f, "y", PROBLEM_BINARY, &y, &err));
    for (n = 1; n < 20000 && !ok; n++) {
        struct prepare_options o = {.steps = all_steps, .y = &y};
        struct prepare *p;
        struct design *d = NULL;
        struct frame *out = NULL;

        mem_fault_arm(n, false);
        p = prepare_fit_steps(f, "y", PREPARE_DENSE, &o, NULL, &err);
        ok = p && (d = prepare_train(p, f, NULL, &err)) &&
             (out = prepare_frame(p, f, NULL, &err));
        mem_fault_arm(0, false);
        if (!ok)
            assert_int_equal(err.code, ERR_NOMEM);
        design_free(d);
        frame_unref(out);
        prepare_free(p);
    }
    assert_in_range(n, 200, 19999);
    target_fini(&y);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_imputing_agrees_with_scikit_learn),
        cmocka_unit_test(test_imputing_round_by_round_agrees_with_scikit_learn),
        cmocka_unit_test(test_scaling_agrees_with_scikit_learn),
        cmocka_unit_test(test_quantiles_of_new_rows_agree_with_scikit_learn),
        cmocka_unit_test(test_products_agree_with_scikit_learn),
        cmocka_unit_test(test_words_agree_with_scikit_learn),
        cmocka_unit_test(test_levels_become_columns_places_or_one),
        cmocka_unit_test(test_dates_become_parts),
        cmocka_unit_test(test_targets_by_level_are_smoothed_means),
        cmocka_unit_test(test_no_row_hears_of_its_own_target),
        cmocka_unit_test(test_selection_keeps_what_tells_most),
        cmocka_unit_test(test_quantiles_of_a_single_row_are_its_value),
        cmocka_unit_test(test_what_is_new_at_prediction_is_met),
        cmocka_unit_test(test_wrong_lines_are_told),
        cmocka_unit_test(test_a_damaged_file_is_refused_or_bounded),
        cmocka_unit_test(test_gaps_are_filled_by_the_line_through_the_rest),
        cmocka_unit_test(test_threads_learn_and_make_the_same),
        cmocka_unit_test(test_steps_look_whether_to_stop),
        cmocka_unit_test(test_equal_values_share_the_middle_of_their_quantiles),
        cmocka_unit_test(test_many_columns_are_learnt_and_read_again),
        cmocka_unit_test(test_what_no_file_can_hold_is_not_learnt),
        cmocka_unit_test(test_a_column_named_as_a_made_one_is_scaled),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
