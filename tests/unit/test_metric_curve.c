/* tests/unit/test_metric_curve.c -- curves, slices, silhouettes.
 *
 * Expected numbers: scikit-learn 1.2.1 (roc_curve, precision_recall_curve,
 * calibration_curve, silhouette_score) on the rows below.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/metric_curve.h"
#include "engine/metric_silhouette.h"
#include "engine/metric_slice.h"
#include "frame/builder.h"

enum { N = 40, N_NUMBERS = 20 };

static const double y_binary[] = {1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1,
                                  1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0,
                                  0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1};
static const double p_binary[] = {
    0.17, 0.59, 0.56, 0,    0.71, 0.19, 0.62, 0.03, 0.04, 0.24,
    0.38, 0.51, 0.45, 0.34, 0.82, 0.42, 0.47, 0.56, 0.09, 0.38,
    0.09, 0.69, 0.47, 0.54, 0.83, 0.02, 0.25, 0.1,  0.6,  0.1,
    0.15, 0.31, 0.08, 0.52, 0.38, 0.46, 0.3,  0.47, 0.37, 0.3};
static const double y_numbers[] = {120.9, 86.4, 96.3, 102.7, 30.5,  105.7, 69.1,
                                   79.1,  55.8, 54.5, 71.7,  124.8, 150,   99.2,
                                   132.8, 92.1, 42.6, 104.5, 113.4, 87.1};
static const double p_numbers[] = {
    124.5, 93.3,  85.9,  85,    27.8,  103.2, 64.9, 90.9,  76.5, 49.5,
    80.1,  136.1, 158.6, 111.8, 128.1, 101,   66.9, 114.1, 106,  94.4};
static const double want_fpr[] = {0,
                                  0,
                                  0,
                                  0,
                                  0,
                                  0,
                                  0.043478260869565216,
                                  0.086956521739130432,
                                  0.17391304347826086,
                                  0.21739130434782608,
                                  0.2608695652173913,
                                  0.30434782608695654,
                                  0.39130434782608697,
                                  0.39130434782608697,
                                  0.43478260869565216,
                                  0.47826086956521741,
                                  0.56521739130434778,
                                  0.60869565217391308,
                                  0.60869565217391308,
                                  0.60869565217391308,
                                  0.65217391304347827,
                                  0.65217391304347827,
                                  0.69565217391304346,
                                  0.73913043478260865,
                                  0.73913043478260865,
                                  0.78260869565217395,
                                  0.82608695652173914,
                                  0.91304347826086951,
                                  0.91304347826086951,
                                  0.95652173913043481,
                                  0.95652173913043481,
                                  1,
                                  1};
static const double want_tpr[] = {0,
                                  0.058823529411764705,
                                  0.11764705882352941,
                                  0.17647058823529413,
                                  0.23529411764705882,
                                  0.29411764705882354,
                                  0.29411764705882354,
                                  0.29411764705882354,
                                  0.29411764705882354,
                                  0.29411764705882354,
                                  0.29411764705882354,
                                  0.29411764705882354,
                                  0.35294117647058826,
                                  0.41176470588235292,
                                  0.41176470588235292,
                                  0.41176470588235292,
                                  0.47058823529411764,
                                  0.47058823529411764,
                                  0.52941176470588236,
                                  0.58823529411764708,
                                  0.6470588235294118,
                                  0.70588235294117652,
                                  0.70588235294117652,
                                  0.70588235294117652,
                                  0.76470588235294112,
                                  0.76470588235294112,
                                  0.82352941176470584,
                                  0.82352941176470584,
                                  0.88235294117647056,
                                  0.88235294117647056,
                                  0.94117647058823528,
                                  0.94117647058823528,
                                  1};
static const double want_precision[] = {1,
                                        1,
                                        1,
                                        1,
                                        1,
                                        1,
                                        0.83333333333333337,
                                        0.7142857142857143,
                                        0.55555555555555558,
                                        0.5,
                                        0.45454545454545453,
                                        0.41666666666666669,
                                        0.40000000000000002,
                                        0.4375,
                                        0.41176470588235292,
                                        0.3888888888888889,
                                        0.38095238095238093,
                                        0.36363636363636365,
                                        0.39130434782608697,
                                        0.41666666666666669,
                                        0.42307692307692307,
                                        0.44444444444444442,
                                        0.42857142857142855,
                                        0.41379310344827586,
                                        0.43333333333333335,
                                        0.41935483870967744,
                                        0.42424242424242425,
                                        0.40000000000000002,
                                        0.41666666666666669,
                                        0.40540540540540543,
                                        0.42105263157894735,
                                        0.41025641025641024,
                                        0.42499999999999999};
static const double want_recall[] = {0,
                                     0.058823529411764705,
                                     0.11764705882352941,
                                     0.17647058823529413,
                                     0.23529411764705882,
                                     0.29411764705882354,
                                     0.29411764705882354,
                                     0.29411764705882354,
                                     0.29411764705882354,
                                     0.29411764705882354,
                                     0.29411764705882354,
                                     0.29411764705882354,
                                     0.35294117647058826,
                                     0.41176470588235292,
                                     0.41176470588235292,
                                     0.41176470588235292,
                                     0.47058823529411764,
                                     0.47058823529411764,
                                     0.52941176470588236,
                                     0.58823529411764708,
                                     0.6470588235294118,
                                     0.70588235294117652,
                                     0.70588235294117652,
                                     0.70588235294117652,
                                     0.76470588235294112,
                                     0.76470588235294112,
                                     0.82352941176470584,
                                     0.82352941176470584,
                                     0.88235294117647056,
                                     0.88235294117647056,
                                     0.94117647058823528,
                                     0.94117647058823528,
                                     1};
static const double want_observed[] = {0.44444444444444442,
                                       0.33333333333333331,
                                       0.5,
                                       0.5,
                                       0.33333333333333331,
                                       0,
                                       1,
                                       1,
                                       1};
static const double want_predicted[] = {
    0.061111111111111102, 0.17000000000000001, 0.27250000000000002,
    0.36000000000000004,  0.45666666666666672, 0.55428571428571427,
    0.65500000000000003,  0.70999999999999996, 0.82499999999999996};

static const struct metric_rows binary = {
    .problem = PROBLEM_BINARY, .n = N, .k = 1, .y = y_binary, .p = p_binary};
static char *const classes[] = {"no", "yes", "perhaps"};

static void
expect_column(const struct frame *f, const char *name, const double *want,
              size_t n)
{
    const struct column *c = frame_column(f, (size_t)frame_find(f, name));

    assert_int_equal(frame_rows(f), n);
    for (size_t i = 0; i < n; i++) {
        double got = column_number(c, i);

        if (!(fabs(got - want[i]) < 1e-12))
            print_message("# %s %zu: got %.17g, want %.17g\n", name, i, got,
                          want[i]);
        assert_true(fabs(got - want[i]) < 1e-12);
    }
}

static struct frame *
curve_of(enum curve_kind kind, const struct metric_rows *rows)
{
    struct error err;
    struct frame *f = metric_curve(kind, rows, classes, &err);

    assert_non_null(f);
    return f;
}

static void
test_roc_agrees_with_scikit_learn(void **state)
{
    struct frame *f = curve_of(CURVE_ROC, &binary);
    size_t n = sizeof want_fpr / sizeof *want_fpr;

    (void)state;
    expect_column(f, "false_positives", want_fpr, n);
    expect_column(f, "true_positives", want_tpr, n);
    frame_unref(f);
}

static void
test_precision_and_recall_agree_with_scikit_learn(void **state)
{
    struct frame *f = curve_of(CURVE_PR, &binary);
    size_t n = sizeof want_recall / sizeof *want_recall;

    (void)state;
    expect_column(f, "recall", want_recall, n);
    expect_column(f, "precision", want_precision, n);
    frame_unref(f);
}

static void
test_reliability_agrees_with_scikit_learn(void **state)
{
    struct frame *f = curve_of(CURVE_RELIABILITY, &binary);
    size_t n = sizeof want_observed / sizeof *want_observed;

    (void)state;
    expect_column(f, "observed", want_observed, n);
    expect_column(f, "predicted", want_predicted, n);
    frame_unref(f);
}

/* The scores at a row of the curve are those of a model that says yes from
 * there up. */
static void
test_scores_by_threshold_are_the_metrics_there(void **state)
{
    struct frame *f = curve_of(CURVE_THRESHOLD, &binary);
    const char *const names[] = {"precision", "recall", "f1", "accuracy"};
    struct metric_rows rows = binary;
    struct error err;

    (void)state;
    for (size_t i = 0; i + 1 < frame_rows(f); i++) {
        rows.threshold = column_number(frame_column(f, 0), i) - 1e-9;
        for (size_t m = 0; m < 4; m++) {
            double want = metric_measure(
                metric_find(names[m], PROBLEM_BINARY, &err), &rows);

            assert_true(fabs(column_number(frame_column(f, m + 1), i) - want) <
                        1e-12);
        }
    }
    frame_unref(f);
}

static void
test_gains_end_at_everything(void **state)
{
    struct frame *f = curve_of(CURVE_LIFT, &binary);
    size_t last = frame_rows(f) - 1;

    (void)state;
    assert_true(column_number(frame_column(f, 0), last) == 1);
    assert_true(column_number(frame_column(f, 1), last) == 1);
    assert_true(column_number(frame_column(f, 2), last) == 1);
    assert_true(column_number(frame_column(f, 1), 0) == 0);
    frame_unref(f);
}

static void
test_long_curves_are_thinned_and_keep_their_ends(void **state)
{
    enum { ROWS = 50000 };
    double *y = malloc(ROWS * sizeof *y), *p = malloc(ROWS * sizeof *p);
    struct metric_rows rows = {
        .problem = PROBLEM_BINARY, .n = ROWS, .k = 1, .y = y, .p = p};
    struct frame *f;
    size_t n;

    (void)state;
    assert_true(y && p);
    for (size_t i = 0; i < ROWS; i++) {
        p[i] = rng_unit(1, 0, i);
        y[i] = rng_unit(1, 1, i) < p[i];
    }
    f = curve_of(CURVE_ROC, &rows);
    n = frame_rows(f);
    assert_in_range(n, CURVE_POINTS, CURVE_POINTS + 2);
    assert_true(column_number(frame_column(f, 1), 0) == 0);
    assert_true(column_number(frame_column(f, 1), n - 1) == 1);
    assert_true(column_number(frame_column(f, 2), n - 1) == 1);
    frame_unref(f);
    free(y);
    free(p);
}

static void
test_several_classes_have_a_curve_each(void **state)
{
    const double y[] = {0, 1, 2, 1};
    const double p[] = {.7, .2, .1, .1, .8, .1, .2, .2, .6, .5, .3, .2};
    struct metric_rows rows = {
        .problem = PROBLEM_MULTICLASS, .n = 4, .k = 3, .y = y, .p = p};
    struct frame *f = curve_of(CURVE_ROC, &rows);
    const struct column *class = frame_column(f, 0);

    (void)state;
    assert_true(str_is(column_text(class, 0), "no"));
    assert_true(str_is(column_text(class, frame_rows(f) - 1), "perhaps"));
    frame_unref(f);
}

static void
test_numbers_have_no_curve(void **state)
{
    struct metric_rows rows = {.problem = PROBLEM_REGRESSION,
                               .n = N_NUMBERS,
                               .k = 1,
                               .y = y_numbers,
                               .p = p_numbers};
    enum curve_kind kind;
    struct error err;

    (void)state;
    assert_null(metric_curve(CURVE_ROC, &rows, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(curve_kind_of("rock", &kind, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
}

/* ---- slices ---- */

/* region a, b, missing in turn; x the row's number; ok: x < 10. */
static struct frame *
table(void)
{
    static const char *const names[] = {"region", "x", "ok"};
    static const enum col_type types[] = {COL_TEXT, COL_FLOAT64, COL_BOOL};
    struct error err;
    struct builder *b = builder_new(3, names, types, &err);
    struct frame *f;

    for (size_t i = 0; i < N; i++) {
        if (i % 3 < 2)
            assert_true(builder_text(b, 0, i % 3 ? STR("b") : STR("a"), &err));
        assert_true(builder_f64(b, 1, (double)i, &err) &&
                    builder_i64(b, 2, i < 10, &err) &&
                    builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static const struct slice *
find(const struct slices *s, const char *part)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->slice[i].part, part) == 0)
            return &s->slice[i];
    fail_msg("no part '%s'", part);
    return NULL;
}

static void
test_slices_score_their_own_rows(void **state)
{
    static const char *const by[] = {"region", "x < 10", "x", NULL};
    struct frame *f = table(), *t;
    struct evaluation_options o = {.resamples = 20, .seed = 1};
    struct metric_rows first = binary;
    struct slices s;
    struct error err;
    size_t rows = 0;

    (void)state;
    assert_true(slices_make(f, by, &binary, classes, &o, NULL, &s, &err));
    assert_int_equal(s.n, 3 + 2 + 4);
    for (size_t i = 0; i < s.n; i++)
        rows += s.slice[i].of.n;
    assert_int_equal(rows, 3 * N);
    assert_int_equal(find(&s, "a")->of.n, 14);
    assert_int_equal(find(&s, "(missing)")->of.n, 13);
    assert_int_equal(find(&s, "10 to below 20")->of.n, 10);
    first.n = 10;
    assert_true(fabs(evaluation_find(&find(&s, "true")->of, "logloss")->value -
                     metric_measure(metric_default(PROBLEM_BINARY), &first)) <
                1e-12);
    t = slices_frame(&s, &err);
    assert_int_equal(frame_rows(t), s.n);
    assert_int_equal(frame_cols(t), 3 + 3 * 12);
    frame_unref(t);
    slices_fini(&s);
    frame_unref(f);
}

static void
test_a_wrong_slice_is_told_by_its_text(void **state)
{
    static const char *const by[] = {"regio", NULL};
    struct frame *f = table();
    struct evaluation_options o = {.resamples = 20, .seed = 1};
    struct slices s;
    struct error err;

    (void)state;
    assert_false(slices_make(f, by, &binary, classes, &o, NULL, &s, &err));
    assert_non_null(strstr(err.message, "slice 'regio': "));
    assert_non_null(strstr(err.message, "region"));
    slices_fini(&s);
    frame_unref(f);
}

static void
test_no_memory_ends_in_an_error_not_a_leak(void **state)
{
    static const char *const by[] = {"region", "x", NULL};
    struct frame *f = table();
    struct evaluation_options o = {.resamples = 5, .seed = 1};
    struct error err;
    bool ok = false;
    unsigned long n;

    (void)state;
    for (n = 1; n < 2000 && !ok; n++) {
        struct slices s;
        struct frame *c = NULL;

        mem_fault_arm(n, false);
        ok = slices_make(f, by, &binary, classes, &o, NULL, &s, &err) &&
             (c = metric_curve(CURVE_ROC, &binary, classes, &err));
        mem_fault_arm(0, false);
        if (!ok)
            assert_int_equal(err.code, ERR_NOMEM);
        frame_unref(c);
        slices_fini(&s);
    }
    assert_in_range(n, 50, 1999);
    frame_unref(f);
}

/* ---- silhouettes ---- */

static void
test_silhouette_agrees_with_scikit_learn(void **state)
{
    double x[2 * N_NUMBERS];
    uint32_t label[N_NUMBERS];
    const struct labelled rows = {x, N_NUMBERS, 2, label, 3};
    struct silhouette s;
    struct error err;

    (void)state;
    for (uint32_t i = 0; i < N_NUMBERS; i++) {
        x[2 * i] = y_numbers[i];
        x[2 * i + 1] = p_numbers[i];
        label[i] = i % 3;
    }
    assert_true(metric_silhouette(&rows, 1, NULL, NULL, &s, &err));
    assert_true(fabs(s.value - -0.075202163263262678) < 1e-12);
    assert_true(s.low < s.value && s.value < s.high);
    memset(label, 0, sizeof label);
    assert_false(metric_silhouette(&rows, 1, NULL, NULL, &s, &err));
    assert_int_equal(err.code, ERR_RANGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roc_agrees_with_scikit_learn),
        cmocka_unit_test(test_precision_and_recall_agree_with_scikit_learn),
        cmocka_unit_test(test_reliability_agrees_with_scikit_learn),
        cmocka_unit_test(test_scores_by_threshold_are_the_metrics_there),
        cmocka_unit_test(test_gains_end_at_everything),
        cmocka_unit_test(test_long_curves_are_thinned_and_keep_their_ends),
        cmocka_unit_test(test_several_classes_have_a_curve_each),
        cmocka_unit_test(test_numbers_have_no_curve),
        cmocka_unit_test(test_slices_score_their_own_rows),
        cmocka_unit_test(test_a_wrong_slice_is_told_by_its_text),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
        cmocka_unit_test(test_silhouette_agrees_with_scikit_learn),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
