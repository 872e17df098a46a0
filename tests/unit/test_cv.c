/* tests/unit/test_cv.c -- cross-validation by groups, by time, and nested.
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

#include "base/rng.h"
#include "engine/cv.h"
#include "engine/family.h"
#include "frame/builder.h"

enum { N = 400, GROUPS = 40 };

/* y is x and a level of its own for each who, which x cannot know. */
static struct frame *
table(void)
{
    static const char *const names[] = {"x", "who", "day", "y"};
    static const enum col_type types[] = {COL_FLOAT64, COL_TEXT, COL_DATE,
                                          COL_FLOAT64};
    struct error err;
    struct builder *b = builder_new(4, names, types, &err);
    struct frame *f;
    char who[16];

    for (size_t i = 0; i < N; i++) {
        size_t g = rng_below(1, 0, i, GROUPS);
        double x = rng_normal(1, 1, i);

        snprintf(who, sizeof who, "w%zu", g);
        assert_true(
            builder_f64(b, 0, x, &err) &&
            builder_text(b, 1, str_of(who), &err) &&
            builder_i64(b, 2, (int64_t)i / 2, &err) &&
            builder_f64(b, 3,
                        x + 5 * rng_normal(1, 2, g) + 0.1 * rng_normal(1, 3, i),
                        &err) &&
            builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static struct cv_result
cross(const struct frame *f, const struct cv_options *o)
{
    struct params *p = params_new(family_find("linear")->params);
    struct train ctx = {.seed = 3};
    struct cv_result r;
    struct error err;

    if (!cv_run(family_find("linear"), p, f, "y", o, &ctx, &r, &err))
        fail_msg("%s", err.message);
    params_free(p);
    return r;
}

static double
mean_of(const struct cv_result *r, const char *name)
{
    for (size_t m = 0; m < r->metrics.n; m++)
        if (strcmp(r->metrics.metric[m]->name, name) == 0)
            return r->mean[m];
    fail_msg("no metric '%s'", name);
    return 0;
}

/* Rows of a known who are easy, those of a new one are not: a split that lets
 * groups lie in two folds promises too much. */
static void
test_groups_tell_how_new_ones_will_do(void **state)
{
    struct frame *f = table();
    struct cv_result apart = cross(f, &(struct cv_options){.k = 5});
    struct cv_result whole =
        cross(f, &(struct cv_options){.k = 5, .group = "who"});

    (void)state;
    assert_true(mean_of(&apart, "r2") > 0.9);
    assert_true(mean_of(&whole, "r2") < 0.3);
    cv_result_fini(&apart);
    cv_result_fini(&whole);
    frame_unref(f);
}

static void
test_by_time_the_first_rows_are_not_tested(void **state)
{
    struct frame *f = table(), *answers;
    struct cv_result r = cross(f, &(struct cv_options){.k = 3, .time = "day"});
    struct error err;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(r.row_fold[i],
                         i < N / 4 ? SPLIT_UNTESTED : 4 * i / N - 1);
        assert_int_equal(isnan(r.out.value[i]) != 0, i < N / 4);
    }
    answers = cv_frame(&r, &err);
    assert_int_equal(frame_rows(answers), N - N / 4);
    assert_true(column_number(frame_column(answers, 0), 0) == N / 4 + 1);
    frame_unref(answers);
    cv_result_fini(&r);
    frame_unref(f);
}

static void
test_metrics_that_are_asked_for_are_scored_too(void **state)
{
    static const char *const metrics[] = {"pinball@0.9", NULL};
    struct frame *f = table();
    struct model_options o = {
        .problem = -1, .patience = -1, .metrics = metrics};
    struct cv_result r = cross(f, &(struct cv_options){.k = 4, .model = &o});

    (void)state;
    assert_true(mean_of(&r, "pinball@0.9") > 0);
    cv_result_fini(&r);
    frame_unref(f);
}

static void
expect_told(const struct cv_result *r, const char *line)
{
    struct buf out;

    buf_init(&out);
    cv_print(r, &out);
    if (!strstr(out.data, line))
        fail_msg("no '%s' in:\n%s", line, out.data);
    buf_fini(&out);
}

/* It is measured even when it is not told. */
static void
test_nested_chooses_by_a_metric_that_is_not_told(void **state)
{
    static const char *const told[] = {"mae", NULL};
    struct frame *f = table();
    const struct family *family = family_find("linear");
    struct params *grid[2];
    struct model_options m = {.problem = -1, .patience = -1, .metrics = told};
    struct cv_options o = {.k = 4,
                           .candidates = grid,
                           .n_candidates = 2,
                           .by = "pinball@0.9",
                           .model = &m};
    struct error err;
    struct cv_result r;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        grid[i] = params_new(family->params);
        assert_true(
            params_set(grid[i], "lambda", i ? "1000000" : "0.001", &err));
    }
    r = cross(f, &o);
    for (unsigned k = 0; k < 4; k++)
        assert_int_equal(r.chosen[k], 0);
    expect_told(&r, "  candidate 1  in folds 1, 2, 3, 4: lambda=0.001\n");
    cv_result_fini(&r);
    for (size_t i = 0; i < 2; i++)
        params_free(grid[i]);
    frame_unref(f);
}

/* The choice of the first fold, made by hand. */
static void
test_nested_chooses_on_the_training_rows_alone(void **state)
{
    struct frame *f = table(), *train, *test;
    const struct family *family = family_find("linear");
    struct params *grid[3];
    const char *const lambda[] = {"1000", "0.001", "10"};
    struct cv_options o = {.k = 4, .candidates = grid, .n_candidates = 3};
    struct cv_options inner = {.k = CV_INNER};
    struct train ctx = {.seed = 3};
    struct split_plan plan;
    struct prediction p;
    struct cv_result r;
    struct model *m;
    struct error err;
    struct split s;
    double best = HUGE_VAL;
    unsigned chosen = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        grid[i] = params_new(family->params);
        assert_true(params_set(grid[i], "lambda", lambda[i], &err));
    }
    r = cross(f, &o);
    assert_true(
        split_plan_make(f, 4, &(struct split_by){.seed = 3}, &plan, &err) &&
        split_plan_part(&plan, 0, &s, &err));
    assert_memory_equal(plan.fold, r.row_fold, N);
    train = frame_take(f, s.train, s.n_train, &err);
    test = frame_take(f, s.test, s.n_test, &err);
    for (unsigned i = 0; i < 3; i++) {
        struct cv_result c;

        assert_true(
            cv_run(family, grid[i], train, "y", &inner, &ctx, &c, &err));
        if (mean_of(&c, "rmse") < best) {
            best = mean_of(&c, "rmse");
            chosen = i;
        }
        cv_result_fini(&c);
    }
    assert_int_equal(r.chosen[0], chosen);
    assert_int_not_equal(chosen, 0);
    m = model_fit(family, grid[chosen], train, "y", NULL, &ctx, &err);
    assert_non_null(m);
    assert_true(model_predict(m, test, NULL, &p, &err));
    for (size_t i = 0; i < s.n_test; i++)
        assert_true(p.value[i] == r.out.value[s.test[i]]);
    prediction_fini(&p);
    model_unref(m);
    frame_unref(train);
    frame_unref(test);
    split_fini(&s);
    split_plan_fini(&plan);
    cv_result_fini(&r);
    for (size_t i = 0; i < 3; i++)
        params_free(grid[i]);
    frame_unref(f);
}

static void
test_what_cannot_be_crossed_is_an_error(void **state)
{
    struct frame *f = table();
    const struct family *family = family_find("linear");
    struct params *p = params_new(family->params);
    const struct cv_options bad[] = {
        {.k = 1},
        {.k = CV_MAX_FOLDS + 1},
        {.k = 50, .group = "who"},
        {.k = 3, .group = "whom"},
        {.k = 3, .time = "day", .gap = N},
        {.k = 3, .time = "who"},
    };
    struct train ctx = {.seed = 3};
    struct cv_result r;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cv_run(family, p, f, "y", &bad[i], &ctx, &r, &err));
    params_free(p);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_tell_how_new_ones_will_do),
        cmocka_unit_test(test_by_time_the_first_rows_are_not_tested),
        cmocka_unit_test(test_metrics_that_are_asked_for_are_scored_too),
        cmocka_unit_test(test_nested_chooses_by_a_metric_that_is_not_told),
        cmocka_unit_test(test_nested_chooses_on_the_training_rows_alone),
        cmocka_unit_test(test_what_cannot_be_crossed_is_an_error),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
