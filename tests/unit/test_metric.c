/* tests/unit/test_metric.c -- scores, intervals, evaluations.
 *
 * Values of scores: scikit-learn 1.2.1 (roc_auc_score, log_loss, f1_score,
 * precision_score, recall_score, brier_score_loss, accuracy_score, and
 * mean_squared_error, mean_absolute_error, r2_score) on the very numbers
 * below; the Brier score of several classes from numpy by its definition.
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
#include "engine/metric.h"

enum { N_BINARY = 40, N_MULTI = 30, N_NUMBERS = 20 };

static const double y_binary[] = {1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1,
                                  1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0,
                                  0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1};
static const double p_binary[] = {
    0.17, 0.59, 0.56, 0,    0.71, 0.19, 0.62, 0.03, 0.04, 0.24,
    0.38, 0.51, 0.45, 0.34, 0.82, 0.42, 0.47, 0.56, 0.09, 0.38,
    0.09, 0.69, 0.47, 0.54, 0.83, 0.02, 0.25, 0.1,  0.6,  0.1,
    0.15, 0.31, 0.08, 0.52, 0.38, 0.46, 0.3,  0.47, 0.37, 0.3};
static const double y_multi[] = {0, 0, 1, 0, 2, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0,
                                 0, 0, 0, 2, 1, 0, 2, 1, 0, 0, 0, 2, 1, 2, 2};
static const double p_multi[] = {
    0.65, 0.32, 0.03, 0.61, 0.32, 0.07, 0.26, 0.3,  0.44, 0.44, 0.29, 0.27,
    0.15, 0.44, 0.41, 0.09, 0.58, 0.33, 0.39, 0.3,  0.31, 0.14, 0.65, 0.21,
    0.53, 0.12, 0.35, 0.43, 0.26, 0.31, 0.23, 0.34, 0.43, 0.07, 0.56, 0.37,
    0.36, 0.1,  0.54, 0.28, 0.4,  0.32, 0.57, 0.14, 0.29, 0.43, 0.38, 0.19,
    0.29, 0.39, 0.32, 0.48, 0.22, 0.3,  0.28, 0.36, 0.36, 0.22, 0.51, 0.27,
    0.49, 0.19, 0.32, 0.06, 0.47, 0.47, 0.05, 0.67, 0.28, 0.48, 0.44, 0.08,
    0.54, 0.2,  0.26, 0.61, 0.08, 0.31, 0.56, 0.11, 0.33, 0.03, 0.48, 0.49,
    0.02, 0.48, 0.5,  0.1,  0.34, 0.56};
static const double y_numbers[] = {120.9, 86.4, 96.3, 102.7, 30.5,  105.7, 69.1,
                                   79.1,  55.8, 54.5, 71.7,  124.8, 150,   99.2,
                                   132.8, 92.1, 42.6, 104.5, 113.4, 87.1};
static const double p_numbers[] = {
    124.5, 93.3,  85.9,  85,    27.8,  103.2, 64.9, 90.9,  76.5, 49.5,
    80.1,  136.1, 158.6, 111.8, 128.1, 101,   66.9, 114.1, 106,  94.4};

struct want {
    enum metric_kind kind;
    double value;
};

static const struct want want_binary[] = {
    {METRIC_LOGLOSS, 1.6482432824856184},
    {METRIC_AUC, 0.5191815856777493},
    {METRIC_ACCURACY, 0.525},
    {METRIC_F1, 0.34482758620689657},
    {METRIC_PRECISION, 0.41666666666666669},
    {METRIC_RECALL, 0.29411764705882354},
    {METRIC_BRIER, 0.280785},
};
static const struct want want_multi[] = {
    {METRIC_LOGLOSS, 0.75786650981842052},
    {METRIC_AUC, 0.91414682539682546},
    {METRIC_ACCURACY, 0.7},
    {METRIC_F1, 0.62048800161322848},
    {METRIC_PRECISION, 0.62063492063492054},
    {METRIC_RECALL, 0.62222222222222212},
    {METRIC_BRIER, 0.45268666666666668},
};
static const struct want want_numbers[] = {
    {METRIC_RMSE, 11.020208709457368},
    {METRIC_MAE, 9.43},
    {METRIC_R2, 0.86507886073654305},
};

/* Borrows everything. */
static struct target
target_of(enum problem problem, const double *y, size_t n)
{
    static char *classes[] = {"no", "yes", "perhaps"};
    struct target t = {.problem = problem, .n = n, .y = malloc(n * sizeof *y)};

    assert_non_null(t.y);
    memcpy(t.y, y, n * sizeof *y);
    t.classes = classes;
    t.n_classes = problem == PROBLEM_BINARY       ? 2
                  : problem == PROBLEM_MULTICLASS ? 3
                                                  : 0;
    return t;
}

static void
expect_scores(const struct want *want, size_t n, enum problem problem,
              const double *y, const double *p, size_t rows, size_t k)
{
    struct target t = target_of(problem, y, rows);
    struct evaluation e;
    struct error err;

    assert_true(evaluation_make(&t, p, k, 100, 1, NULL, &e, &err));
    assert_int_equal(e.n_scores, n);
    for (size_t i = 0; i < n; i++) {
        double got = metric_score(want[i].kind, problem, y, p, rows, k);

        if (!(fabs(got - want[i].value) < 1e-12))
            print_message("# %s: got %.17g, want %.17g\n",
                          e.score[i].metric->name, got, want[i].value);
        assert_true(fabs(got - want[i].value) < 1e-12);
        assert_int_equal(e.score[i].metric->kind, want[i].kind);
        assert_true(fabs(e.score[i].value - want[i].value) < 1e-12);
        assert_true(e.score[i].low <= got && got <= e.score[i].high);
    }
    evaluation_fini(&e);
    free(t.y);
}

static void
test_binary_scores_agree_with_scikit_learn(void **state)
{
    (void)state;
    expect_scores(want_binary, 7, PROBLEM_BINARY, y_binary, p_binary, N_BINARY,
                  1);
}

static void
test_multiclass_scores_agree_with_scikit_learn(void **state)
{
    (void)state;
    expect_scores(want_multi, 7, PROBLEM_MULTICLASS, y_multi, p_multi, N_MULTI,
                  3);
}

static void
test_regression_scores_agree_with_scikit_learn(void **state)
{
    (void)state;
    expect_scores(want_numbers, 3, PROBLEM_REGRESSION, y_numbers, p_numbers,
                  N_NUMBERS, 1);
}

static void
test_confusion_counts_truth_by_prediction(void **state)
{
    struct target t = target_of(PROBLEM_MULTICLASS, y_multi, N_MULTI);
    const uint64_t want[] = {13, 1, 1, 0, 6, 3, 1, 3, 2};
    struct evaluation e;
    struct error err;

    (void)state;
    assert_true(evaluation_make(&t, p_multi, 3, 10, 1, NULL, &e, &err));
    assert_memory_equal(e.confusion, want, sizeof want);
    evaluation_fini(&e);
    free(t.y);
}

/* Every pair of a positive and a negative row: the definition. */
static void
test_auc_is_the_share_of_pairs_in_order(void **state)
{
    enum { N = 500 };
    double y[N], p[N], pairs = 0, right = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        y[i] = rng_unit(3, 0, i) < 0.3;
        /* Eleven values, both signs and both zeros: many ties. */
        p[i] = (double)((int)rng_below(3, 1, i, 11) - 5) / 5;
        if (p[i] == 0 && i % 2)
            p[i] = -0.0;
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            if (y[i] == 1 && y[j] == 0) {
                pairs++;
                right += p[i] > p[j] ? 1 : p[i] == p[j] ? 0.5 : 0;
            }
    assert_true(fabs(metric_score(METRIC_AUC, PROBLEM_BINARY, y, p, N, 1) -
                     right / pairs) < 1e-12);
}

/* Scores that differ in their last bits only, in runs short and long: the
 * sort looks at the upper half first. */
static void
test_auc_sees_the_last_bits(void **state)
{
    enum { N = 1200 };
    double y[N], p[N], pairs = 0, right = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        size_t group = i < 1000 ? 0 : i / 10;

        y[i] = rng_unit(5, 0, i) < 0.5;
        p[i] = 0.25 + (double)group * 1e-3 +
               (double)rng_below(5, 1, i, 100) * 0x1p-50;
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            if (y[i] == 1 && y[j] == 0) {
                pairs++;
                right += p[i] > p[j] ? 1 : p[i] == p[j] ? 0.5 : 0;
            }
    assert_true(fabs(metric_score(METRIC_AUC, PROBLEM_BINARY, y, p, N, 1) -
                     right / pairs) < 1e-12);
}

static void
test_auc_of_one_class_is_undefined(void **state)
{
    const double y[] = {1, 1, 1}, p[] = {0.2, 0.5, 0.9};
    struct target t = target_of(PROBLEM_BINARY, y, 3);
    struct evaluation e;
    struct error err;

    (void)state;
    assert_true(isnan(metric_score(METRIC_AUC, PROBLEM_BINARY, y, p, 3, 1)));
    assert_true(evaluation_make(&t, p, 1, 50, 1, NULL, &e, &err));
    assert_true(isnan(evaluation_find(&e, "auc")->low));
    assert_false(isnan(evaluation_find(&e, "logloss")->low));
    evaluation_fini(&e);
    free(t.y);
}

static void
test_r2_of_a_constant_is_undefined(void **state)
{
    const double y[] = {2, 2, 2}, p[] = {1, 2, 3};

    (void)state;
    assert_true(isnan(metric_score(METRIC_R2, PROBLEM_REGRESSION, y, p, 3, 1)));
}

static void
scores_at(unsigned threads, struct evaluation *e)
{
    struct target t = target_of(PROBLEM_BINARY, y_binary, N_BINARY);
    struct pool *pool = threads ? pool_new(threads) : NULL;
    struct error err;

    assert_true(evaluation_make(&t, p_binary, 1, 0, 42, pool, e, &err));
    pool_free(pool);
    free(t.y);
}

static void
test_intervals_do_not_depend_on_threads(void **state)
{
    struct evaluation one, many;

    (void)state;
    scores_at(0, &one);
    for (unsigned threads = 1; threads <= 7; threads += 3) {
        scores_at(threads, &many);
        for (size_t m = 0; m < one.n_scores; m++) {
            assert_true(one.score[m].low == many.score[m].low);
            assert_true(one.score[m].high == many.score[m].high);
        }
        evaluation_fini(&many);
    }
    evaluation_fini(&one);
}

static void
coin_rows(uint64_t seed, size_t n, double *y, double *p)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = rng_unit(seed, 0, i) < 0.5;
        p[i] = (rng_unit(seed, 1, i) < 0.8) == (y[i] == 1) ? 0.9 : 0.1;
    }
}

static struct scored
accuracy_of(uint64_t seed, size_t n)
{
    double *y = malloc(n * sizeof *y), *p = malloc(n * sizeof *p);
    struct evaluation e;
    struct error err;
    struct target t;
    struct scored s;

    assert_true(y && p);
    coin_rows(seed, n, y, p);
    t = target_of(PROBLEM_BINARY, y, n);
    assert_true(
        evaluation_make(&t, p, 1, n < 1000 ? 200 : 2000, seed, NULL, &e, &err));
    s = *evaluation_find(&e, "accuracy");
    evaluation_fini(&e);
    free(t.y);
    free(y);
    free(p);
    return s;
}

/* The bootstrap of a mean has deviation sqrt(v (1 - v) / n). */
static void
test_accuracy_interval_has_the_closed_form_width(void **state)
{
    struct scored s = accuracy_of(9, 2000);
    double half = 1.959964 * sqrt(s.value * (1 - s.value) / 2000);

    (void)state;
    assert_true(fabs(s.low - (s.value - half)) < 0.1 * half);
    assert_true(fabs(s.high - (s.value + half)) < 0.1 * half);
}

/* 400 tables whose true accuracy is 0.8: the interval should hold it in about
 * 95 % of them; 400 draws at 0.94 have a deviation of 1.2 %. */
static void
test_accuracy_interval_covers_the_truth(void **state)
{
    unsigned covered = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct scored s = accuracy_of(100 + seed, 200);

        covered += s.low <= 0.8 && 0.8 <= s.high;
    }
    assert_in_range(covered, 362, 392);
}

static void
test_better_is_larger_or_smaller_as_the_metric_counts(void **state)
{
    (void)state;
    assert_true(metric_better("auc", 0.9, 0.8));
    assert_true(metric_better("valid.auc", 0.9, 0.8));
    assert_true(metric_better("test.logloss", 0.3, 0.4));
    assert_false(metric_better("logloss", 0.4, 0.3));
    assert_false(metric_better("r2", 0.4, 0.4));
    assert_true(metric_better("loss of ours", 1, 2));
    assert_null(metric_named("loss of ours"));
    assert_string_equal(metric_named("valid.brier")->name, "brier");
}

static void
test_an_unknown_metric_names_the_nearest(void **state)
{
    struct error err;

    (void)state;
    assert_null(metric_find("acuracy", PROBLEM_BINARY, &err));
    assert_string_equal(err.message, "no metric 'acuracy' for binary targets "
                                     "(did you mean 'accuracy'?)");
    assert_null(metric_find("auc", PROBLEM_REGRESSION, &err));
    assert_string_equal(err.message, "no metric 'auc' for regression targets, "
                                     "there are rmse, mae, r2");
    assert_string_equal(metric_find("auc", PROBLEM_BINARY, &err)->title, "AUC");
}

static void
test_the_print_shows_scores_and_confusion(void **state)
{
    struct target t = target_of(PROBLEM_BINARY, y_binary, N_BINARY);
    struct evaluation e;
    struct error err;
    struct buf b;

    (void)state;
    buf_init(&b);
    assert_true(evaluation_make(&t, p_binary, 1, 10, 1, NULL, &e, &err));
    /* Intervals have tests of their own. */
    for (size_t m = 0; m < e.n_scores; m++) {
        e.score[m].low = 0.25;
        e.score[m].high = (double)NAN;
    }
    evaluation_print(&e, &b);
    assert_string_equal(b.data,
                        "40 rows, binary, positive class yes\n"
                        "\n"
                        "metric            value   95 % interval\n"
                        "log loss         1.6482   0.2500 to -\n"
                        "AUC              0.5192   0.2500 to -\n"
                        "accuracy         0.5250   0.2500 to -\n"
                        "F1               0.3448   0.2500 to -\n"
                        "precision        0.4167   0.2500 to -\n"
                        "recall           0.2941   0.2500 to -\n"
                        "Brier score      0.2808   0.2500 to -\n"
                        "\n"
                        "rows are the truth, columns what was predicted\n"
                        "                no      yes   recall\n"
                        "no              16        7    69.6%\n"
                        "yes             12        5    29.4%\n"
                        "precision    57.1%    41.7%    52.5%\n");
    evaluation_fini(&e);
    free(t.y);
    buf_fini(&b);
}

static void
test_no_memory_ends_in_an_error_not_a_leak(void **state)
{
    struct target t = target_of(PROBLEM_MULTICLASS, y_multi, N_MULTI);
    struct evaluation e;
    struct error err;
    unsigned long n;
    bool ok = false;

    (void)state;
    for (n = 1; n < 1000 && !ok; n++) {
        mem_fault_arm(n, false);
        ok = evaluation_make(&t, p_multi, 3, 5, 1, NULL, &e, &err);
        mem_fault_arm(0, false);
        if (!ok)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 5, 999);
    evaluation_fini(&e);
    free(t.y);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binary_scores_agree_with_scikit_learn),
        cmocka_unit_test(test_multiclass_scores_agree_with_scikit_learn),
        cmocka_unit_test(test_regression_scores_agree_with_scikit_learn),
        cmocka_unit_test(test_confusion_counts_truth_by_prediction),
        cmocka_unit_test(test_auc_is_the_share_of_pairs_in_order),
        cmocka_unit_test(test_auc_sees_the_last_bits),
        cmocka_unit_test(test_auc_of_one_class_is_undefined),
        cmocka_unit_test(test_r2_of_a_constant_is_undefined),
        cmocka_unit_test(test_intervals_do_not_depend_on_threads),
        cmocka_unit_test(test_accuracy_interval_has_the_closed_form_width),
        cmocka_unit_test(test_accuracy_interval_covers_the_truth),
        cmocka_unit_test(test_better_is_larger_or_smaller_as_the_metric_counts),
        cmocka_unit_test(test_an_unknown_metric_names_the_nearest),
        cmocka_unit_test(test_the_print_shows_scores_and_confusion),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
