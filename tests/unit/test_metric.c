/* tests/unit/test_metric.c -- scores, intervals, evaluations.
 *
 * Values of scores: scikit-learn 1.2.1 (roc_auc_score, log_loss, f1_score and
 * so on, with and without sample_weight) on the very numbers below; the Brier
 * score of several classes, the calibration error, KS (from roc_curve) and gains
 * from numpy by their definitions.
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
    const char *name;
    double value, weighted; /* by weight_of() */
};

static const struct want want_binary[] = {
    {"logloss", 1.6482432824856184, 1.4057983721511902},
    {"auc", 0.5191815856777493, 0.48301240044359312},
    {"prauc", 0.58907293051693377, 0.61916288181814727},
    {"accuracy", 0.52500000000000002, 0.51500000000000001},
    {"balanced", 0.49488491048593353, 0.50060489968746857},
    {"f1", 0.34482758620689657, 0.38993710691823896},
    {"precision", 0.41666666666666669, 0.45588235294117646},
    {"recall", 0.29411764705882354, 0.34065934065934067},
    {"mcc", -0.011035753058718368, 0.0012717621017700792},
    {"brier", 0.28078500000000001, 0.30406899999999998},
    {"ece", 0.29099999999999998, 0.32740000000000002},
    {"ks", 0.29411764705882354, 0.34065934065934067},
    {"fbeta@2", 0.3125, 0.35879629629629634},
    {"fbeta@0.5", 0.38461538461538464, 0.4269972451790634},
    {"kappa", -0.010638297872340496, 0.0012355848434926209},
    {"f1_macro", 0.48613928329952671, 0.4937237401811112},
    {"f1_weighted", 0.5073360378634213, 0.50306453717476973},
    {"recall_micro", 0.52500000000000002, 0.51500000000000001},
    {"gain@0.25", 0.29411764705882354, 0.34065934065934067},
    {"lift@0.25", 1.1764705882352942, 1.3626373626373627},
};
static const struct want want_multi[] = {
    {"logloss", 0.75786650981842041, 0.7603184143484264},
    {"auc", 0.91414682539682557, 0.91266302667715526},
    {"prauc", 0.83639457764457759, 0.83590199035249779},
    {"accuracy", 0.69999999999999996, 0.64666666666666661},
    {"balanced", 0.62222222222222212, 0.5886291811383334},
    {"f1", 0.62048800161322848, 0.59254388858347073},
    {"precision", 0.62063492063492054, 0.60219354260491587},
    {"recall", 0.62222222222222212, 0.5886291811383334},
    {"mcc", 0.5222230814913722, 0.45827672444011247},
    {"brier", 0.45268666666666668, 0.45559333333333335},
    {"ece", 0.19333333333333336, 0.13333333333333333},
    {"fbeta_weighted@2", 0.70150802976889937, 0.65219361014168564},
    {"fbeta_macro@0.5", 0.62035706301299864, 0.59766105345546106},
    {"precision_weighted", 0.710952380952381, 0.68326163429006748},
    {"f1_micro", 0.69999999999999996, 0.64666666666666661},
    {"kappa", 0.52127659574468088, 0.45592663564193814},
    {"auc_macro", 0.90119708994709002, 0.89791450159657904},
    {"prauc_macro", 0.79214405964405954, 0.79262304084039537},
};
static const struct want want_numbers[] = {
    {"rmse", 11.020208709457368, 10.689901776910769},
    {"mae", 9.4300000000000015, 9.3359999999999985},
    {"mape", 0.1255129056402291, 0.12235684205000982},
    {"r2", 0.86507886073654305, 0.89518452191007269},
    {"pinball@0.9", 3.1270000000000002, 3.1671999999999998},
    {"pinball", 4.7150000000000007, 4.6679999999999993},
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

static double
weight_of(size_t i)
{
    return 0.25 + (double)(i * 7 % 5) * 0.5;
}

static void
expect_score(const char *name, double got, double want)
{
    if (!(fabs(got - want) < 1e-12))
        print_message("# %s: got %.17g, want %.17g\n", name, got, want);
    assert_true(fabs(got - want) < 1e-12);
}

static void
expect_measured(const struct want *want, size_t n, struct metric_rows rows)
{
    double weight[N_BINARY];

    for (size_t i = 0; i < rows.n; i++)
        weight[i] = weight_of(i);
    for (size_t i = 0; i < n; i++) {
        struct metric m;
        struct error err;

        assert_true(metric_parse(want[i].name, rows.problem, &m, &err));
        rows.weight = NULL;
        expect_score(want[i].name, metric_measure(&m, &rows), want[i].value);
        rows.weight = weight;
        expect_score(want[i].name, metric_measure(&m, &rows), want[i].weighted);
    }
}

static void
expect_scores(const struct want *want, size_t n, size_t n_usual,
              enum problem problem, const double *y, const double *p,
              size_t rows, size_t k)
{
    struct target t = target_of(problem, y, rows);
    struct metric_rows judged = {
        .problem = problem, .n = rows, .k = k, .y = y, .p = p};
    const char *names[32] = {0};
    struct evaluation_options o = {names, 100, 1};
    struct evaluation e;
    struct error err;

    expect_measured(want, n, judged);
    for (size_t i = 0; i < n; i++)
        names[i] = want[i].name;
    assert_true(evaluation_make(&t, p, k, 100, 1, NULL, &e, &err));
    assert_int_equal(e.n_scores, n_usual);
    evaluation_fini(&e);
    assert_true(evaluation_of(&judged, t.classes, &o, NULL, &e, &err));
    assert_int_equal(e.n_scores, n);
    for (size_t i = 0; i < n; i++) {
        const struct scored *s = &e.score[i];

        assert_string_equal(s->metric->name, want[i].name);
        expect_score(want[i].name, s->value, want[i].value);
        assert_true(s->low <= s->value && s->value <= s->high);
    }
    evaluation_fini(&e);
    free(t.y);
}

enum { N_WANT = sizeof want_binary / sizeof *want_binary };

static void
test_binary_scores_agree_with_scikit_learn(void **state)
{
    (void)state;
    expect_scores(want_binary, N_WANT, 12, PROBLEM_BINARY, y_binary, p_binary,
                  N_BINARY, 1);
}

static void
test_multiclass_scores_agree_with_scikit_learn(void **state)
{
    (void)state;
    expect_scores(want_multi, sizeof want_multi / sizeof *want_multi, 11,
                  PROBLEM_MULTICLASS, y_multi, p_multi, N_MULTI, 3);
}

static void
test_regression_scores_agree_with_scikit_learn(void **state)
{
    (void)state;
    expect_scores(want_numbers, sizeof want_numbers / sizeof *want_numbers, 4,
                  PROBLEM_REGRESSION, y_numbers, p_numbers, N_NUMBERS, 1);
}

/* Weights that are whole are rows that come so often. */
static void
test_a_weight_of_two_is_a_row_twice(void **state)
{
    double y[2 * N_BINARY], p[2 * N_BINARY], weight[N_BINARY];
    size_t n = 0, n_metrics;
    const struct metric *table = metric_table(&n_metrics);
    struct metric_rows once = {.problem = PROBLEM_BINARY,
                               .n = N_BINARY,
                               .k = 1,
                               .y = y_binary,
                               .p = p_binary,
                               .weight = weight};
    struct metric_rows twice = {
        .problem = PROBLEM_BINARY, .k = 1, .y = y, .p = p};

    (void)state;
    for (size_t i = 0; i < N_BINARY; i++) {
        weight[i] = 1 + (double)(i % 2);
        for (size_t j = 0; j <= i % 2; j++, n++) {
            y[n] = y_binary[i];
            p[n] = p_binary[i];
        }
    }
    twice.n = n;
    for (size_t m = 0; m < n_metrics; m++)
        if (table[m].problems & 1u << PROBLEM_BINARY && !table[m].grouped)
            expect_score(table[m].name, metric_measure(&table[m], &once),
                         metric_measure(&table[m], &twice));
}

/* ndcg_score of scikit-learn 1.2.1 with gains 2^y - 1, average_precision_score;
 * the mean over the groups. */
static void
test_ranks_within_groups_agree_with_scikit_learn(void **state)
{
    static const struct {
        const char *name;
        double value;
    } want[] = {{"ndcg", 0.71428498429451992},
                {"ndcg@3", 0.42396062458407141},
                {"ndcg@10", 0.71428498429451992},
                {"map", 0.82603174603174612}};
    double y[N_BINARY], p[N_BINARY];
    uint32_t group[N_BINARY];
    struct metric_rows rows = {.problem = PROBLEM_REGRESSION,
                               .n = N_BINARY,
                               .k = 1,
                               .y = y,
                               .p = p,
                               .group = group};
    struct evaluation_options o = {.resamples = 200, .seed = 1};
    const struct scored *s;
    struct evaluation e;
    struct error err;

    (void)state;
    for (uint32_t i = 0; i < N_BINARY; i++) {
        y[i] = i * 17 % 4;
        group[i] = i * 11 % 5;
        p[i] = p_binary[i];
    }
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct metric m;

        if (i == 3)
            for (size_t j = 0; j < N_BINARY; j++)
                p[j] += (double)j * 1e-6;
        assert_true(metric_parse(want[i].name, rows.problem, &m, &err));
        expect_score(want[i].name, metric_measure(&m, &rows), want[i].value);
    }
    assert_true(evaluation_of(&rows, NULL, &o, NULL, &e, &err));
    s = evaluation_find(&e, "map");
    assert_true(s && s->low < s->value && s->value < s->high);
    evaluation_fini(&e);
    rows.group = NULL;
    assert_true(
        isnan(metric_measure(metric_find("ndcg", rows.problem, &err), &rows)));
}

/* What is said positive starts above the threshold. */
static void
test_a_threshold_moves_what_is_said(void **state)
{
    struct metric_rows rows = {.problem = PROBLEM_BINARY,
                               .n = N_BINARY,
                               .k = 1,
                               .y = y_binary,
                               .p = p_binary,
                               .threshold = 0.3};
    struct error err;
    double said = 0, right = 0;

    (void)state;
    for (size_t i = 0; i < N_BINARY; i++) {
        said += p_binary[i] > 0.3;
        right += p_binary[i] > 0.3 && y_binary[i] == 1;
    }
    expect_score(
        "precision",
        metric_measure(metric_find("precision", PROBLEM_BINARY, &err), &rows),
        right / said);
}

static void
test_names_of_metrics_have_parts(void **state)
{
    struct metric m;
    struct error err;

    (void)state;
    assert_true(metric_parse("fbeta_macro@0.5", PROBLEM_BINARY, &m, &err));
    assert_int_equal(m.kind, METRIC_FBETA);
    assert_int_equal(m.average, METRIC_MACRO);
    assert_true(m.at == 0.5);
    assert_string_equal(metric_named("valid.fbeta_macro@0.5")->name, "fbeta");
    assert_true(metric_better("valid.pinball@0.9", 1, 2));
    assert_false(metric_parse("auc_micro", PROBLEM_BINARY, &m, &err));
    assert_string_equal(err.message, "metric 'auc_micro' has no such average");
    assert_false(metric_parse("auc@3", PROBLEM_BINARY, &m, &err));
    assert_string_equal(err.message, "metric 'AUC' takes no number");
    assert_false(metric_parse("pinball@1.5", PROBLEM_REGRESSION, &m, &err));
    assert_string_equal(
        err.message,
        "metric 'pinball loss' with '1.5', expected 0.0001..0.9999");
    assert_false(metric_parse("ndcg@2.5", PROBLEM_REGRESSION, &m, &err));
    assert_false(metric_parse("ndcg@", PROBLEM_REGRESSION, &m, &err));
    assert_false(metric_parse("", PROBLEM_REGRESSION, &m, &err));
    assert_false(metric_parse("_macro", PROBLEM_REGRESSION, &m, &err));
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

/* The calibration error of rows that are positive with a chance of `chance`
 * where `said` is said; NaN: with the chance that is said, which varies. */
static struct scored
ece_of(double said, double chance, uint64_t seed, size_t n)
{
    double *y = malloc(n * sizeof *y), *p = malloc(n * sizeof *p);
    struct evaluation e;
    struct error err;
    struct target t;
    struct scored s;

    assert_true(y && p);
    for (size_t i = 0; i < n; i++) {
        p[i] = isnan(said) ? rng_unit(seed, 1, i) : said;
        y[i] = rng_unit(seed, 2, i) < (isnan(said) ? p[i] : chance);
    }
    t = target_of(PROBLEM_BINARY, y, n);
    assert_true(evaluation_make(&t, p, 1, 400, seed, NULL, &e, &err));
    s = *evaluation_find(&e, "ece");
    evaluation_fini(&e);
    free(t.y);
    free(y);
    free(p);
    return s;
}

/* Where probabilities are right all error is chance, and each resample has
 * more of it. */
static void
test_a_calibration_error_lies_in_its_interval(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct scored s = ece_of((double)NAN, 0, seed, 500);

        assert_true(s.low >= 0 && s.low <= s.value && s.value <= s.high);
        assert_true(s.low < s.high);
    }
}

/* 0.8 is said where 0.5 is right: |mean - 0.8| of 400 rows, whose deviation is
 * 0.5 / sqrt(400). */
static void
test_a_large_calibration_error_has_the_interval_of_a_mean(void **state)
{
    struct scored s = ece_of(0.8, 0.5, 7, 400);
    double half = 1.959964 * 0.5 / 20;

    (void)state;
    assert_true(fabs(s.low - (s.value - half)) < 0.15 * half);
    assert_true(fabs(s.high - (s.value + half)) < 0.15 * half);
}

static void
test_better_is_larger_or_smaller_as_the_metric_counts(void **state)
{
    (void)state;
    assert_true(metric_better("auc", 0.9, 0.8));
    assert_true(metric_ranked("test.auc"));
    assert_true(metric_ranked("test.profit_total"));
    assert_true(metric_better("test.profit", 3, -3));
    assert_true(metric_ranked("mean_width"));
    assert_true(metric_better("mean_width", 1, 2));
    assert_false(metric_ranked("coverage"));
    assert_false(metric_ranked("test.profit_all_positive"));
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
    assert_null(metric_find("roc_auc", PROBLEM_BINARY, &err));
    assert_string_equal(err.message, "no metric 'roc_auc' for binary targets "
                                     "(did you mean 'auc'?)");
    assert_null(metric_find("auc", PROBLEM_REGRESSION, &err));
    assert_string_equal(err.message, "no metric 'auc' for regression targets, "
                                     "there are rmse, mae, mape, r2, pinball, "
                                     "ndcg, map");
    assert_string_equal(metric_find("auc", PROBLEM_BINARY, &err)->title, "AUC");
    assert_null(metric_find("coverage", PROBLEM_BINARY, &err));
    assert_string_equal(err.message,
                        "'coverage' is no metric to ask for: it is told of "
                        "models that were learnt with --interval (in Lua "
                        "interval)");
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
                        "metric                 value   95 % interval\n"
                        "log loss              1.6482   0.2500 to -\n"
                        "AUC                   0.5192   0.2500 to -\n"
                        "PR AUC                0.5891   0.2500 to -\n"
                        "accuracy              0.5250   0.2500 to -\n"
                        "balanced accuracy     0.4949   0.2500 to -\n"
                        "F1                    0.3448   0.2500 to -\n"
                        "precision             0.4167   0.2500 to -\n"
                        "recall                0.2941   0.2500 to -\n"
                        "MCC                  -0.0110   0.2500 to -\n"
                        "Brier score           0.2808   0.2500 to -\n"
                        "calibration error     0.2910   0.2500 to -\n"
                        "KS                    0.2941   0.2500 to -\n"
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
        cmocka_unit_test(test_a_weight_of_two_is_a_row_twice),
        cmocka_unit_test(test_ranks_within_groups_agree_with_scikit_learn),
        cmocka_unit_test(test_a_threshold_moves_what_is_said),
        cmocka_unit_test(test_names_of_metrics_have_parts),
        cmocka_unit_test(test_confusion_counts_truth_by_prediction),
        cmocka_unit_test(test_auc_is_the_share_of_pairs_in_order),
        cmocka_unit_test(test_auc_sees_the_last_bits),
        cmocka_unit_test(test_auc_of_one_class_is_undefined),
        cmocka_unit_test(test_r2_of_a_constant_is_undefined),
        cmocka_unit_test(test_intervals_do_not_depend_on_threads),
        cmocka_unit_test(test_accuracy_interval_has_the_closed_form_width),
        cmocka_unit_test(test_accuracy_interval_covers_the_truth),
        cmocka_unit_test(test_a_calibration_error_lies_in_its_interval),
        cmocka_unit_test(
            test_a_large_calibration_error_has_the_interval_of_a_mean),
        cmocka_unit_test(test_better_is_larger_or_smaller_as_the_metric_counts),
        cmocka_unit_test(test_an_unknown_metric_names_the_nearest),
        cmocka_unit_test(test_the_print_shows_scores_and_confusion),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
