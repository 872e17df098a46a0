/* tests/unit/test_calibrate.c -- calibration, thresholds, conformal answers.
 *
 * Expected numbers: IsotonicRegression of scikit-learn 1.2.1 (one-vs-rest,
 * rows made to sum to one), Newton's method and minimize_scalar of numpy and
 * scipy for the sigmoid and the temperature, a search through all thresholds
 * with f1_score, matthews_corrcoef and balanced_accuracy_score.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/rng.h"
#include "engine/calibrate.h"
#include "engine/conformal.h"
#include "engine/threshold.h"
#include "tests/lib/close.h"

enum { N = 40, N_MULTI = 30, N_ASKED = 6 };

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
static const double want_iso[] = {0,
                                  0,
                                  1,
                                  0.78571428571428581,
                                  0.2142857142857143,
                                  0,
                                  0.81818181818181812,
                                  0.1818181818181818,
                                  0,
                                  0,
                                  1,
                                  0,
                                  0.62264150943396224,
                                  0.15094339622641509,
                                  0.22641509433962265,
                                  1,
                                  0,
                                  0};
static const double want_iso_weighted[] = {0,
                                           0,
                                           1,
                                           0.79449441264649767,
                                           0.2055055873535023,
                                           0,
                                           0.80882352941176472,
                                           0.19117647058823531,
                                           0,
                                           0,
                                           1,
                                           0,
                                           0.59589111103539916,
                                           0.15413444175666927,
                                           0.24997444720793158,
                                           1,
                                           0,
                                           0};
static const double asked[] = {.1,  .2, .7,  .3,  .4,  .3,  .62, .3,   .08,
                               .05, .9, .05, .33, .33, .34, .99, .005, .005};

static const struct metric_rows binary = {
    .problem = PROBLEM_BINARY, .n = N, .k = 1, .y = y_binary, .p = p_binary};
static const struct metric_rows multi = {.problem = PROBLEM_MULTICLASS,
                                         .n = N_MULTI,
                                         .k = 3,
                                         .y = y_multi,
                                         .p = p_multi};
static char *const two[] = {"no", "yes"};
static char *const three[] = {"a", "b:c", "d"};

static struct calibration
calibrated(enum calibrate_kind kind, const struct metric_rows *rows)
{
    struct calibration c;
    struct error err;

    assert_true(calibration_fit(kind, rows, &c, &err));
    return c;
}

static void
expect_near(double got, double want, double within)
{
    if (!(fabs(got - want) <= within))
        print_message("# got %.17g, want %.17g\n", got, want);
    assert_true(fabs(got - want) <= within);
}

static void
expect_isotonic(const struct metric_rows *rows, const double *want)
{
    struct calibration c = calibrated(CALIBRATE_ISOTONIC, rows);
    double p[3 * N_ASKED];
    struct error err;

    memcpy(p, asked, sizeof p);
    assert_true(calibration_apply(&c, p, N_ASKED, NULL, &err));
    for (size_t i = 0; i < 3 * N_ASKED; i++)
        expect_near(p[i], want[i], 1e-12);
    calibration_fini(&c);
}

static void
test_isotonic_agrees_with_scikit_learn(void **state)
{
    double weight[N_MULTI];
    struct metric_rows weighed = multi;

    (void)state;
    for (size_t i = 0; i < N_MULTI; i++)
        weight[i] = 0.25 + (double)(i * 7 % 5) * 0.5;
    weighed.weight = weight;
    expect_isotonic(&multi, want_iso);
    expect_isotonic(&weighed, want_iso_weighted);
}

static void
test_platt_is_where_newton_ends(void **state)
{
    struct calibration c = calibrated(CALIBRATE_PLATT, &binary);

    (void)state;
    expect_near(c.slope[0], -0.058799867888459291, 1e-9);
    expect_near(c.offset[0], -0.38641176794488735, 1e-9);
    calibration_fini(&c);
}

static void
test_temperature_is_the_best_one(void **state)
{
    double y[N];
    struct metric_rows rows = binary;
    struct calibration c = calibrated(CALIBRATE_TEMPERATURE, &multi);

    (void)state;
    expect_near(c.slope[0], 3.867717137532213, 1e-6);
    calibration_fini(&c);
    for (size_t i = 0; i < N; i++)
        y[i] = (p_binary[i] > 0.35) != (i % 5 == 0);
    rows.y = y;
    c = calibrated(CALIBRATE_TEMPERATURE, &rows);
    expect_near(c.slope[0], 0.41739728945136712, 1e-6);
    calibration_fini(&c);
}

/* n rows whose log-odds are twice what they should be. */
static void
boastful(size_t n, uint64_t seed, double *y, double *p)
{
    for (size_t i = 0; i < n; i++) {
        double z = 1.5 * rng_normal(seed, 0, i);

        y[i] = rng_unit(seed, 1, i) < 1 / (1 + exp(-z));
        p[i] = 1 / (1 + exp(-2 * z));
    }
}

static void
test_each_calibration_lessens_the_error(void **state)
{
    enum { ROWS = 20000 };
    double *y = malloc(2 * ROWS * sizeof *y), *p = malloc(2 * ROWS * sizeof *p);
    struct metric_rows learnt = {
        .problem = PROBLEM_BINARY, .n = ROWS, .k = 1, .y = y, .p = p};
    struct metric_rows fresh = learnt;
    struct error err;
    const struct metric *ece = metric_find("ece", PROBLEM_BINARY, &err);
    double before;

    (void)state;
    assert_true(y && p);
    boastful(2 * ROWS, 3, y, p);
    fresh.y += ROWS;
    fresh.p += ROWS;
    before = metric_measure(ece, &fresh);
    assert_true(before > 0.05);
    for (int k = 0; k < CALIBRATE_KINDS; k++) {
        struct calibration c = calibrated((enum calibrate_kind)k, &learnt);
        double *q = malloc(ROWS * sizeof *q);

        assert_non_null(q);
        memcpy(q, fresh.p, ROWS * sizeof *q);
        assert_true(calibration_apply(&c, q, ROWS, NULL, &err));
        fresh.p = q;
        assert_true(metric_measure(ece, &fresh) < 0.015);
        fresh.p = p + ROWS;
        if (k != CALIBRATE_ISOTONIC)
            expect_near(c.slope[0], 0.5, 0.02);
        free(q);
        calibration_fini(&c);
    }
    free(y);
    free(p);
}

static void
test_one_class_cannot_be_calibrated(void **state)
{
    const double y[] = {1, 1, 1}, p[] = {.2, .5, .9};
    struct metric_rows rows = {
        .problem = PROBLEM_BINARY, .n = 3, .k = 1, .y = y, .p = p};
    struct calibration c;
    struct error err;

    (void)state;
    for (int k = 0; k < CALIBRATE_KINDS; k++)
        assert_false(calibration_fit((enum calibrate_kind)k, &rows, &c, &err));
    assert_int_equal(err.code, ERR_RANGE);
}

/* Certain and wrong, and all alike: nothing that is not a number. */
static void
test_extreme_rows_give_finite_answers(void **state)
{
    const double y[] = {1, 0, 1, 0}, sure[] = {0, 1, 0, 1};
    const double flat[] = {.5, .5, .5, .5};
    const double *const all[] = {sure, flat};

    (void)state;
    for (size_t j = 0; j < 2; j++)
        for (int k = 0; k < CALIBRATE_KINDS; k++) {
            struct metric_rows rows = {
                .problem = PROBLEM_BINARY, .n = 4, .k = 1, .y = y, .p = all[j]};
            struct calibration c = calibrated((enum calibrate_kind)k, &rows);
            double p[] = {0, 0.25, 0.5, 1};
            struct error err;

            assert_true(calibration_apply(&c, p, 4, NULL, &err));
            for (size_t i = 0; i < 4; i++)
                assert_true(p[i] >= 0 && p[i] <= 1);
            calibration_fini(&c);
        }
}

/* ---- thresholds ---- */

static void
test_thresholds_are_the_best_there_are(void **state)
{
    static const struct {
        const char *by;
        double threshold, reached;
    } want[] = {
        {"f1", 0.025000000000000001, 0.58181818181818179},
        {"mcc", 0.60999999999999999, 0.43963315494212868},
        {"balanced", 0.60999999999999999, 0.6470588235294118},
        {"fbeta@2", 0.025000000000000001, 0.7547169811320753},
    };

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct decision d;
        struct error err;

        assert_true(decision_fit(want[i].by, NULL, &binary, two, &d, &err));
        expect_near(d.threshold, want[i].threshold, 1e-12);
        expect_near(d.reached, want[i].reached, 1e-12);
        decision_fini(&d);
    }
}

static void
test_a_profit_chooses_a_threshold(void **state)
{
    static const char *const profit[] = {"tp=10, fp=-3", "yes:no=-8", NULL};
    struct decision d;
    struct error err;

    (void)state;
    assert_true(decision_fit(NULL, profit, &binary, two, &d, &err));
    expect_near(d.threshold, 0.025000000000000001, 1e-12);
    expect_near(d.reached, 2.1499999999999999, 1e-12);
    assert_int_equal(decision_class(&d, (double[]){0.03}, 1), 1);
    assert_int_equal(decision_class(&d, (double[]){0.02}, 1), 0);
    decision_fini(&d);
}

/* Saying "d" for an "a" costs: a likely "d" is said only when very likely. */
static void
test_of_several_classes_the_most_profitable_is_said(void **state)
{
    static const char *const profit[] = {"a:a=1", "b:c:b:c=1", "d:d=1",
                                         "a:d=-10", NULL};
    struct decision d;
    struct error err;

    (void)state;
    assert_true(decision_fit(NULL, profit, &multi, three, &d, &err));
    assert_int_equal(decision_class(&d, (double[]){.2, .2, .6}, 3), 0);
    assert_int_equal(decision_class(&d, (double[]){.01, .09, .9}, 3), 2);
    decision_fini(&d);
}

/* One mistake costs, all else brings nothing: what costs nothing is alike, and
 * the likeliest of it is said.  So with .1 + .2 and .3, which are alike to
 * rounding. */
static void
test_of_equal_profits_the_likeliest_class_is_said(void **state)
{
    static const char *const one[] = {"d:a=-5", NULL};
    static const char *const sum[] = {"a:a=1,b:c:a=1", "d:b:c=1", NULL};
    struct decision d;
    struct error err;

    (void)state;
    assert_true(decision_fit(NULL, one, &multi, three, &d, &err));
    assert_int_equal(decision_class(&d, (double[]){.1, .3, .6}, 3), 2);
    assert_int_equal(decision_class(&d, (double[]){.1, .6, .3}, 3), 1);
    assert_int_equal(decision_class(&d, (double[]){.7, .2, .1}, 3), 1);
    assert_int_equal(decision_class(&d, (double[]){.9, .1, 0}, 3), 0);
    decision_fini(&d);
    assert_true(decision_fit(NULL, sum, &multi, three, &d, &err));
    assert_int_equal(decision_class(&d, (double[]){.1, .2, .3}, 3), 1);
    decision_fini(&d);
}

static void
test_a_profit_is_told_once_and_can_be_won(void **state)
{
    static const struct {
        const char *profit, *want;
    } bad[] = {
        {"tp=1, tp=2", "profit 'tp=2' is told twice"},
        {"yes:yes=10, tp=3", "profit 'tp=3' is told twice"},
        {"tp=1e308, fp=-1e308", "profit 'tp=1e308', expected"},
        {"", "nothing to win"},
        {"tp=0", "nothing to win"},
        {"tp=2, fn=2", "nothing to win"},
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const profit[] = {bad[i].profit, NULL};

        assert_false(decision_check(NULL, profit, two, 2, &err));
        if (!strstr(err.message, bad[i].want))
            fail_msg("%s: %s", bad[i].profit, err.message);
    }
}

static void
test_bad_thresholds_are_told(void **state)
{
    static const char *const bad[] = {"tp", NULL}, *const no[] = {"a:x=1",
                                                                  NULL};
    struct decision d;
    struct error err;

    (void)state;
    assert_false(decision_fit("auc", NULL, &binary, two, &d, &err));
    assert_non_null(strstr(err.message, "no threshold makes the most of AUC"));
    assert_false(decision_fit("1.5", NULL, &binary, two, &d, &err));
    assert_false(decision_fit("f1", NULL, &multi, three, &d, &err));
    assert_false(decision_fit(NULL, bad, &binary, two, &d, &err));
    assert_false(decision_fit(NULL, no, &multi, three, &d, &err));
    assert_false(decision_fit("f1", bad, &binary, two, &d, &err));
}

/* ---- conformal ---- */

/* y is x with noise that grows; the model knows x. */
static void
numbers(uint64_t seed, size_t n, double *y, double *p)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = rng_normal(seed, 0, i);
        y[i] = p[i] + exp(p[i] / 2) * rng_normal(seed, 1, i);
    }
}

/* Coverage over 2,000 draws of 99 rows to learn from and one to answer is
 * (n + 1) level / (n + 1) = 0.9; its deviation is 0.7 %. */
static void
test_intervals_cover_what_they_promise(void **state)
{
    enum { ROWS = 99, DRAWS = 2000 };
    double y[ROWS + 1], p[ROWS + 1], low[ROWS + 1], high[ROWS + 1];
    unsigned covered = 0, between = 0;

    (void)state;
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        struct metric_rows rows = {
            .problem = PROBLEM_REGRESSION, .n = ROWS, .k = 1, .y = y, .p = p};
        double both[2 * ROWS];
        struct metric_rows ends = {.problem = PROBLEM_REGRESSION,
                                   .n = ROWS,
                                   .k = 2,
                                   .y = y,
                                   .p = both};
        struct conformal c, q;
        struct error err;

        numbers(seed, ROWS + 1, y, p);
        for (size_t i = 0; i <= ROWS; i++) {
            low[i] = p[i] - 0.5;
            high[i] = p[i] + 2;
        }
        for (size_t i = 0; i < ROWS; i++) {
            both[2 * i] = low[i];
            both[2 * i + 1] = high[i];
        }
        assert_true(conformal_fit(0.9, &rows, &c, &err));
        assert_true(conformal_fit_quantiles(0.9, &ends, &q, &err));
        covered += fabs(y[ROWS] - p[ROWS]) <= c.width;
        between +=
            y[ROWS] >= low[ROWS] - q.width && y[ROWS] <= high[ROWS] + q.width;
    }
    assert_in_range(covered, 1758, 1842);
    assert_in_range(between, 1758, 1842);
}

/* Noise grows with x: one width covers too much of the small ones and too
 * little of the large ones, a local one 0.9 of each; its deviation, of 200 rows
 * a bin and 7 bins above 0.4, is below 1 %. */
static void
test_local_intervals_cover_large_and_small_alike(void **state)
{
    enum { ROWS = 4000, MORE = 20000 };
    double *y = mem_new(MORE * sizeof *y), *p = mem_new(MORE * sizeof *p);
    struct metric_rows rows = {
        .problem = PROBLEM_REGRESSION, .n = ROWS, .k = 1, .y = y, .p = p};
    size_t n[2] = {0}, local[2] = {0}, same[2] = {0};
    struct conformal c, back;
    struct json_writer w;
    struct error err;
    struct json *v;
    struct buf b;

    (void)state;
    numbers(1, ROWS, y, p);
    assert_true(conformal_fit_local(0.9, &rows, &c, &err));
    assert_int_equal(c.n_cuts, 19);
    numbers(2, MORE, y, p);
    for (size_t i = 0; i < MORE; i++) {
        bool large = p[i] > 0.4;

        n[large]++;
        local[large] += fabs(y[i] - p[i]) <= conformal_width(&c, p[i]);
        same[large] += fabs(y[i] - p[i]) <= c.width;
    }
    for (int l = 0; l < 2; l++)
        assert_close((double)local[l] / (double)n[l], 0.9, 0.025);
    assert_true((double)same[0] / (double)n[0] > 0.95);
    assert_true((double)same[1] / (double)n[1] < 0.82);

    buf_init(&b);
    json_writer_init(&w, &b);
    json_open(&w, '{');
    conformal_save(&c, &w);
    json_close(&w, '}');
    v = json_parse((struct str){b.data, b.len}, &err);
    assert_non_null(v);
    assert_true(conformal_load(v, &back, &err));
    for (size_t i = 0; i < 100; i++)
        assert_true(conformal_width(&c, p[i]) == conformal_width(&back, p[i]));
    json_free(v);
    buf_clear(&b);
    c.at[3] = -1; /* and no file is believed */
    json_writer_init(&w, &b);
    json_open(&w, '{');
    conformal_save(&c, &w);
    json_close(&w, '}');
    v = json_parse((struct str){b.data, b.len}, &err);
    assert_non_null(v);
    assert_false(conformal_load(v, &back, &err));
    assert_string_equal(err.message, "bad widths of ranges");
    json_free(v);
    buf_fini(&b);
    rows.n = 199; /* two bins want 200 */
    assert_true(conformal_fit_local(0.9, &rows, &c, &err));
    assert_int_equal(c.n_cuts, 0);
    free(y);
    free(p);
}

static void
test_sets_of_classes_cover_what_they_promise(void **state)
{
    enum { ROWS = 199, DRAWS = 1500 };
    double y[ROWS + 1], p[3 * (ROWS + 1)];
    unsigned covered = 0, members = 0;

    (void)state;
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        struct metric_rows rows = {
            .problem = PROBLEM_MULTICLASS, .n = ROWS, .k = 3, .y = y, .p = p};
        const double *last = p + 3 * (size_t)ROWS;
        struct conformal c;
        struct error err;

        for (size_t i = 0; i <= ROWS; i++) {
            double e[3], sum = 0, u = rng_unit(seed, 9, i);

            for (size_t j = 0; j < 3; j++)
                sum += e[j] = exp(1.5 * rng_normal(seed, j, i));
            for (size_t j = 0; j < 3; j++)
                p[3 * i + j] = e[j] / sum;
            y[i] = u < p[3 * i] ? 0 : u < p[3 * i] + p[3 * i + 1] ? 1 : 2;
        }
        assert_true(conformal_fit(0.9, &rows, &c, &err));
        covered += conformal_has(&c, last, 3, (size_t)y[ROWS]);
        for (size_t j = 0; j < 3; j++)
            members += conformal_has(&c, last, 3, j);
    }
    assert_in_range(covered, 1315, 1390);
    assert_true(members > covered && members < 3 * DRAWS);
}

static void
test_a_set_holds_the_likeliest_class(void **state)
{
    struct conformal c = {.level = 0.5, .width = 0.1};

    (void)state;
    assert_true(conformal_has(&c, (double[]){.3, .4, .3}, 3, 1));
    assert_false(conformal_has(&c, (double[]){.3, .4, .3}, 3, 0));
    assert_true(conformal_has(&c, (double[]){.5}, 1, 0));
    assert_false(conformal_has(&c, (double[]){.5}, 1, 1));
}

/* A row that counts twice is two rows, one that counts nothing is none. */
static void
test_ranges_heed_the_weights(void **state)
{
    double y[40], p[40] = {0}, weight[40], twice[40];
    struct metric_rows rows = {.problem = PROBLEM_REGRESSION,
                               .n = 40,
                               .k = 1,
                               .y = y,
                               .p = p,
                               .weight = weight};
    struct metric_rows plain = {
        .problem = PROBLEM_REGRESSION, .n = 20, .k = 1, .y = twice, .p = p};
    struct conformal a, b;
    struct error err;

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        y[i] = i < 20 ? (double)(i * 7 % 20) : 1000;
        weight[i] = i < 20 ? 3 : 0;
        twice[i] = y[i];
    }
    assert_true(conformal_fit(0.8, &rows, &a, &err));
    assert_true(conformal_fit(0.8, &plain, &b, &err));
    assert_true(a.width == b.width);
    assert_int_equal(a.n, 20);
    memset(weight, 0, sizeof weight);
    assert_false(conformal_fit(0.8, &rows, &a, &err));
    assert_int_equal(err.code, ERR_RANGE);
}

static void
test_too_few_rows_for_a_level_are_an_error(void **state)
{
    struct metric_rows rows = binary;
    struct conformal c;
    struct error err;

    (void)state;
    rows.n = 18;
    assert_false(conformal_fit(0.95, &rows, &c, &err));
    assert_string_equal(err.message,
                        "18 rows were kept, and a level of 0.95 wants 19");
    rows.n = 19;
    assert_true(conformal_fit(0.95, &rows, &c, &err));
    assert_false(conformal_fit(1, &rows, &c, &err));
    /* Below what rows can tell it is the least error. */
    assert_true(conformal_fit(1e-12, &rows, &c, &err));
    for (size_t i = 0; i < rows.n; i++) {
        double p = rows.p[i];

        assert_true(c.width <= (rows.y[i] == 1 ? 1 - p : p));
    }
}

static void
test_no_memory_ends_in_an_error_not_a_leak(void **state)
{
    static const char *const profit[] = {"tp=1", NULL};
    struct error err;
    bool ok = false;
    unsigned long n;

    (void)state;
    for (n = 1; n < 500 && !ok; n++) {
        struct calibration c = {0};
        struct decision d = {0};
        struct conformal f;

        mem_fault_arm(n, false);
        ok = calibration_fit(CALIBRATE_ISOTONIC, &multi, &c, &err) &&
             decision_fit(NULL, profit, &binary, two, &d, &err) &&
             conformal_fit(0.8, &multi, &f, &err) &&
             conformal_fit_local(0.8, &binary, &f, &err);
        mem_fault_arm(0, false);
        if (!ok)
            assert_int_equal(err.code, ERR_NOMEM);
        calibration_fini(&c);
        decision_fini(&d);
    }
    assert_in_range(n, 20, 499);
}

/* ---- stopping ---- */

enum { MANY = 20000, MOST_LOOKS = 1 << 30 };

/* All that is learnt from rows, stopped at look n; how many it took. */
static uint64_t
looks_of(enum calibrate_kind kind, const struct metric_rows *of, uint64_t n,
         bool *ok, struct error *err)
{
    struct metric_rows rows = *of;
    struct calibration c = {0};
    struct decision d = {0};
    struct conformal f;
    struct progress progress;
    atomic_uint_least64_t looks;

    atomic_init(&looks, n);
    progress_init(&progress);
    progress.looks = &looks;
    rows.pool = pool_lend(NULL, &progress);
    *ok = calibration_fit(kind, &rows, &c, err) &&
          decision_fit("f1", NULL, &rows, two, &d, err) &&
          conformal_fit(0.8, &rows, &f, err);
    pool_free(rows.pool);
    calibration_fini(&c);
    decision_fini(&d);
    return n - atomic_load(&looks);
}

static void
test_what_is_learnt_from_many_rows_can_be_stopped_among_them(void **state)
{
    double *y = calloc(MANY, sizeof *y), *p = calloc(MANY, sizeof *p);
    const struct metric_rows rows = {
        .problem = PROBLEM_BINARY, .n = MANY, .k = 1, .y = y, .p = p};

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        p[i] = rng_unit(1, 0, i);
        y[i] = rng_unit(1, 1, i) < p[i] * p[i];
    }
    for (unsigned k = 0; k < CALIBRATE_KINDS; k++) {
        struct error err;
        bool ok;
        uint64_t all =
            looks_of((enum calibrate_kind)k, &rows, MOST_LOOKS, &ok, &err);

        assert_true(ok);
        /* Isotonic is a sort and a walk; others go through the rows often. */
        if (all < (k == CALIBRATE_ISOTONIC ? 8 : 40))
            fail_msg("%s: %d looks", calibrate_word(k), (int)all);
        for (uint64_t n = 0; n < all; n += 1 + all / 10) {
            looks_of((enum calibrate_kind)k, &rows, n, &ok, &err);
            if (ok || err.code != ERR_CANCELLED)
                fail_msg("%s went on after look %d of %d", calibrate_word(k),
                         (int)n, (int)all);
        }
    }
    free(y);
    free(p);
}

/* Ranges from rows of any weights, as from rows that count alike. */
static void
test_ranges_by_weight_can_be_stopped_while_rows_are_ordered(void **state)
{
    double *y = calloc(MANY, sizeof *y), *p = calloc(MANY, 2 * sizeof *p),
           *weight = calloc(MANY, sizeof *weight);
    atomic_uint_least64_t looks;
    struct progress progress;
    struct metric_rows rows = {.problem = PROBLEM_REGRESSION,
                               .n = MANY,
                               .k = 2,
                               .y = y,
                               .p = p,
                               .weight = weight};
    struct conformal c;
    struct error err;
    uint64_t all;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        y[i] = rng_normal(2, 0, i);
        p[2 * i] = -1;
        p[2 * i + 1] = 1;
        weight[i] = 0.5 + rng_unit(2, 1, i);
    }
    progress_init(&progress);
    progress.looks = &looks;
    rows.pool = pool_lend(NULL, &progress);
    atomic_init(&looks, MOST_LOOKS);
    assert_true(conformal_fit_quantiles(0.8, &rows, &c, &err));
    all = MOST_LOOKS - atomic_load(&looks);
    assert_true(all > 1);
    for (uint64_t n = 0; n < all; n++) {
        atomic_store(&looks, n);
        assert_false(conformal_fit_quantiles(0.8, &rows, &c, &err));
        assert_int_equal(err.code, ERR_CANCELLED);
    }
    pool_free(rows.pool);
    free(y);
    free(p);
    free(weight);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_what_is_learnt_from_many_rows_can_be_stopped_among_them),
        cmocka_unit_test(
            test_ranges_by_weight_can_be_stopped_while_rows_are_ordered),
        cmocka_unit_test(test_isotonic_agrees_with_scikit_learn),
        cmocka_unit_test(test_platt_is_where_newton_ends),
        cmocka_unit_test(test_temperature_is_the_best_one),
        cmocka_unit_test(test_each_calibration_lessens_the_error),
        cmocka_unit_test(test_one_class_cannot_be_calibrated),
        cmocka_unit_test(test_extreme_rows_give_finite_answers),
        cmocka_unit_test(test_thresholds_are_the_best_there_are),
        cmocka_unit_test(test_a_profit_chooses_a_threshold),
        cmocka_unit_test(test_of_several_classes_the_most_profitable_is_said),
        cmocka_unit_test(test_a_profit_is_told_once_and_can_be_won),
        cmocka_unit_test(test_of_equal_profits_the_likeliest_class_is_said),
        cmocka_unit_test(test_bad_thresholds_are_told),
        cmocka_unit_test(test_intervals_cover_what_they_promise),
        cmocka_unit_test(test_local_intervals_cover_large_and_small_alike),
        cmocka_unit_test(test_sets_of_classes_cover_what_they_promise),
        cmocka_unit_test(test_a_set_holds_the_likeliest_class),
        cmocka_unit_test(test_ranges_heed_the_weights),
        cmocka_unit_test(test_too_few_rows_for_a_level_are_an_error),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
