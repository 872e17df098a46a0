/* tests/unit/test_finish.c -- models that calibrate, decide and answer in
 * ranges: learnt on rows kept aside, frozen into the file.
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
#include "base/rng.h"
#include "engine/family.h"
#include "engine/judged.h"
#include "frame/builder.h"

/* a and b tell a number y, two classes and three. */
static struct frame *
table(size_t n, uint64_t seed)
{
    static const char *const names[] = {"a", "b", "y", "two", "three"};
    static const enum col_type types[] = {COL_FLOAT64, COL_FLOAT64, COL_FLOAT64,
                                          COL_TEXT, COL_TEXT};
    static const char *const three[] = {"red", "green", "blue"};
    struct error err;
    struct builder *t = builder_new(5, names, types, &err);
    struct frame *f;

    for (size_t i = 0; i < n; i++) {
        double a = rng_normal(seed, 0, i), b = rng_normal(seed, 1, i);
        double y = a - b + rng_normal(seed, 2, i);
        size_t class = (a > 0) + (rng_normal(seed, 3, i) < b);

        assert_true(builder_f64(t, 0, a, &err) && builder_f64(t, 1, b, &err) &&
                    builder_f64(t, 2, y, &err) &&
                    builder_text(t, 3, y > 1 ? STR("yes") : STR("no"), &err) &&
                    builder_text(t, 4, str_of(three[class]), &err) &&
                    builder_end_row(t, &err));
    }
    f = builder_finish(t, &err);
    assert_non_null(f);
    return f;
}

static struct model *
fitted(const struct frame *f, const char *family, const char *target,
       struct finish_options finish, struct pool *pool)
{
    static const char *const all[] = {"y", "two", "three"};
    const char *drop[3] = {NULL};
    struct params *p = params_new(family_find(family)->params);
    struct model_options o = {.problem = -1, .patience = -1, .finish = finish};
    struct train ctx = {.seed = 5, .pool = pool};
    struct error err;
    struct model *m;
    size_t n = 0;

    for (size_t i = 0; i < 3; i++)
        if (strcmp(all[i], target) != 0)
            drop[n++] = all[i];
    o.drop = (const char *const[]){drop[0], drop[1], NULL};
    if (strcmp(family, "gbdt") == 0)
        assert_true(params_set(p, "trees", "30", &err));
    m = model_fit(family_find(family), p, f, target, &o, &ctx, &err);
    if (!m)
        fail_msg("%s", err.message);
    params_free(p);
    return m;
}

static void
expect_same_answers(const struct model *a, const struct model *b,
                    const struct frame *f)
{
    struct error err;
    struct frame *x = model_predict_frame(a, f, NULL, &err);
    struct frame *y = model_predict_frame(b, f, NULL, &err);
    char one[33], other[33];

    assert_true(x && y);
    assert_true(frame_fingerprint(x, one, &err) &&
                frame_fingerprint(y, other, &err));
    assert_string_equal(one, other);
    frame_unref(x);
    frame_unref(y);
}

static const char *const profit[] = {"red:red=1", "green:green=1",
                                     "blue:blue=1", "red:blue=-5", NULL};
static const struct {
    const char *family, *target;
    struct finish_options finish;
} cases[] = {
    {"gbdt", "two", {.calibrate = "isotonic", .threshold = "f1"}},
    {"logistic", "two", {.calibrate = "platt", .threshold = "0.3"}},
    {"gbdt", "three", {.calibrate = "temperature", .interval = 0.9}},
    {"logistic", "three", {.calibrate = "isotonic", .profit = profit}},
    {"linear", "y", {.interval = 0.8}},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static void
test_a_saved_model_answers_the_same(void **state)
{
    struct frame *f = table(800, 1);

    (void)state;
    for (size_t i = 0; i < N_CASES; i++) {
        struct model *m = fitted(f, cases[i].family, cases[i].target,
                                 cases[i].finish, NULL),
                     *back;
        struct buf file;
        struct error err;

        buf_init(&file);
        assert_true(model_save(m, &file, &err));
        back =
            model_parse((struct str){file.data, file.len}, family_find, &err);
        assert_non_null(back);
        assert_non_null(model_finish(back));
        expect_same_answers(m, back, f);
        model_unref(back);
        model_unref(m);
        buf_fini(&file);
    }
    frame_unref(f);
}

static void
test_threads_do_not_change_the_file(void **state)
{
    struct frame *f = table(800, 1);

    (void)state;
    for (size_t i = 0; i < N_CASES; i++) {
        struct buf one, many;
        struct error err;

        buf_init(&one);
        buf_init(&many);
        for (unsigned threads = 0; threads < 4; threads += 3) {
            struct pool *pool = threads ? pool_new(threads) : NULL;
            struct model *m = fitted(f, cases[i].family, cases[i].target,
                                     cases[i].finish, pool);

            assert_true(model_save(m, threads ? &many : &one, &err));
            model_unref(m);
            pool_free(pool);
        }
        assert_int_equal(one.len, many.len);
        assert_memory_equal(one.data, many.data, one.len);
        buf_fini(&one);
        buf_fini(&many);
    }
    frame_unref(f);
}

/* The file without a finish is as it was before there were any. */
static void
test_no_finish_leaves_no_trace(void **state)
{
    struct frame *f = table(300, 1);
    struct model *m =
        fitted(f, "linear", "y", (struct finish_options){0}, NULL);
    struct buf file;
    struct error err;

    (void)state;
    buf_init(&file);
    assert_true(model_save(m, &file, &err));
    assert_null(model_finish(m));
    assert_null(memmem(file.data, file.len, "finish", 6));
    buf_fini(&file);
    model_unref(m);
    frame_unref(f);
}

static void
test_scores_are_of_the_class_that_is_said(void **state)
{
    struct frame *f = table(2000, 1), *fresh = table(2000, 2), *answers;
    struct model *m = fitted(f, "logistic", "two",
                             (struct finish_options){.threshold = "0.2"}, NULL);
    struct evaluation e;
    struct error err;
    size_t right = 0, said = 0;

    (void)state;
    assert_true(model_evaluate(m, fresh, 1, NULL, &e, &err));
    answers = model_predict_frame(m, fresh, NULL, &err);
    for (size_t i = 0; i < 2000; i++) {
        struct str is = column_text(frame_column(fresh, 3), i);
        bool yes = str_is(column_text(frame_column(answers, 1), i), "yes");

        assert_int_equal(yes, column_number(frame_column(answers, 0), i) > 0.2);
        right += yes == str_is(is, "yes");
        said += yes;
    }
    assert_true(fabs(evaluation_find(&e, "accuracy")->value -
                     (double)right / 2000) < 1e-12);
    assert_int_equal(e.confusion[1] + e.confusion[3], said);
    assert_true(e.threshold == 0.2);
    evaluation_fini(&e);
    frame_unref(answers);
    frame_unref(fresh);
    frame_unref(f);
    model_unref(m);
}

/* 40 models, each asked about 500 rows: 20,000 answers at 0.9. */
static void
test_ranges_of_a_model_hold_the_truth(void **state)
{
    size_t held = 0, set = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct frame *f = table(400, seed), *fresh = table(500, seed + 1000);
        struct finish_options o = {.interval = 0.9};
        struct model *m = fitted(f, "linear", "y", o, NULL);
        struct model *c = fitted(f, "logistic", "three", o, NULL);
        struct error err;
        struct frame *a = model_predict_frame(m, fresh, NULL, &err);
        struct frame *s = model_predict_frame(c, fresh, NULL, &err);
        size_t last = frame_cols(s) - 1;

        assert_string_equal(frame_name(a, 1), "low");
        assert_string_equal(frame_name(s, last), "set");
        for (size_t i = 0; i < 500; i++) {
            double y = column_number(frame_column(fresh, 2), i);
            struct str is = column_text(frame_column(fresh, 4), i);
            struct str all = column_text(frame_column(s, last), i);

            held += y >= column_number(frame_column(a, 1), i) &&
                    y <= column_number(frame_column(a, 2), i);
            set += memmem(all.p, all.n, is.p, is.n) != NULL;
        }
        frame_unref(a);
        frame_unref(s);
        frame_unref(f);
        frame_unref(fresh);
        model_unref(m);
        model_unref(c);
    }
    assert_in_range(held, 17700, 18500);
    assert_in_range(set, 17700, 18500);
}

/* A card says what low and high are: so far outside of the quantiles. */
static void
expect_said_range(const struct model *m, const struct frame *a)
{
    double q = column_number(frame_column(a, (size_t)frame_find(a, "q0.3")), 0);
    double low =
        column_number(frame_column(a, (size_t)frame_find(a, "low")), 0);
    char want[96];
    struct buf card;

    snprintf(want, sizeof want,
             "ranges      80 %% between the quantiles 0.3 and 0.7, widened by "
             "%.5g\n",
             q - low);
    buf_init(&card);
    model_print(m, &card);
    if (!strstr(card.data, want))
        fail_msg("no '%s' in\n%s", want, card.data);
    buf_fini(&card);
}

static void
test_quantiles_are_widened_until_they_hold(void **state)
{
    struct frame *f = table(2000, 1), *fresh = table(4000, 2), *a;
    struct params *p = params_new(family_find("gbdt")->params);
    static const char *const drop[] = {"two", "three", NULL};
    struct model_options o = {.problem = -1,
                              .patience = -1,
                              .drop = drop,
                              .finish = {.interval = 0.8}};
    struct train ctx = {.seed = 5};
    struct error err;
    struct model *m;
    size_t held = 0, cols;

    (void)state;
    assert_true(params_set(p, "loss", "quantile", &err) &&
                params_set(p, "alpha", "0.3,0.5,0.7", &err) &&
                params_set(p, "trees", "50", &err));
    m = model_fit(family_find("gbdt"), p, f, "y", &o, &ctx, &err);
    if (!m)
        fail_msg("%s", err.message);
    a = model_predict_frame(m, fresh, NULL, &err);
    cols = frame_cols(a);
    assert_string_equal(frame_name(a, cols - 1), "high");
    for (size_t i = 0; i < 4000; i++) {
        double y = column_number(frame_column(fresh, 2), i);

        held += y >= column_number(frame_column(a, cols - 2), i) &&
                y <= column_number(frame_column(a, cols - 1), i);
    }
    assert_in_range(held, 3000, 3400);
    expect_said_range(m, a);
    frame_unref(a);
    frame_unref(f);
    frame_unref(fresh);
    model_unref(m);
    params_free(p);
}

static void
test_what_cannot_be_finished_is_told(void **state)
{
    static const struct {
        const char *family, *target, *message;
        struct finish_options finish;
    } bad[] = {
        {"linear", "y", "the target is a number", {.calibrate = "platt"}},
        {"linear", "y", "the target is a number", {.threshold = "f1"}},
        {"logistic", "two", "no calibration 'plat'", {.calibrate = "plat"}},
        {"logistic", "three", "give a profit", {.threshold = "f1"}},
        {"linear", "y", "a level of 0.99 wants 99", {.interval = 0.99}},
        {"linear", "y", "a level of 2", {.interval = 2}},
    };
    struct frame *f = table(200, 1);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct family *family = family_find(bad[i].family);
        struct params *p = params_new(family->params);
        struct model_options o = {
            .problem = -1, .patience = -1, .finish = bad[i].finish};
        struct train ctx = {.seed = 5};
        struct error err;

        assert_null(model_fit(family, p, f, bad[i].target, &o, &ctx, &err));
        if (!strstr(err.message, bad[i].message))
            fail_msg("%s", err.message);
        params_free(p);
    }
    frame_unref(f);
}

/* A file that has `from` where it says `to` instead, of the same length. */
static void
expect_refused(const struct buf *file, const char *from, const char *to)
{
    char *copy = malloc(file->len), *at;
    struct error err;

    assert_non_null(copy);
    memcpy(copy, file->data, file->len);
    at = memmem(copy, file->len, from, strlen(from));
    assert_non_null(at);
    memcpy(at, to, strlen(to));
    assert_null(model_parse((struct str){copy, file->len}, family_find, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    free(copy);
}

static void
test_a_damaged_finish_is_refused(void **state)
{
    struct frame *f = table(800, 1);
    struct finish_options o = {
        .calibrate = "isotonic", .threshold = "0.25", .interval = 0.75};
    struct model *m = fitted(f, "logistic", "two", o, NULL);
    struct buf file;
    struct error err;

    (void)state;
    buf_init(&file);
    assert_true(model_save(m, &file, &err));
    expect_refused(&file, "\\\"threshold\\\":0.25", "\\\"threshold\\\":9.25");
    expect_refused(&file, "\\\"level\\\":0.75", "\\\"level\\\":1.75");
    expect_refused(&file, "\\\"kind\\\":\\\"isotonic",
                   "\\\"kind\\\":\\\"esotonic");
    expect_refused(&file, "\\\"knots\\\":", "\\\"knits\\\":");
    expect_refused(&file, "calibrate.x", "calibrate.z");
    buf_fini(&file);
    model_unref(m);
    frame_unref(f);
}

static void
test_no_memory_ends_in_an_error_not_a_leak(void **state)
{
    struct frame *f = table(200, 1);
    struct finish_options o = {
        .calibrate = "isotonic", .threshold = "f1", .interval = 0.8};
    struct model *m = fitted(f, "logistic", "two", o, NULL), *back = NULL;
    struct buf file;
    struct error err;
    unsigned long n;

    (void)state;
    buf_init(&file);
    assert_true(model_save(m, &file, &err));
    for (n = 1; n < 5000 && !back; n++) {
        struct frame *answers = NULL;

        mem_fault_arm(n, false);
        back =
            model_parse((struct str){file.data, file.len}, family_find, &err);
        if (back && !(answers = model_predict_frame(back, f, NULL, &err))) {
            model_unref(back);
            back = NULL;
        }
        mem_fault_arm(0, false);
        frame_unref(answers);
        if (!back)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 20, 4999);
    model_unref(back);
    model_unref(m);
    buf_fini(&file);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_saved_model_answers_the_same),
        cmocka_unit_test(test_threads_do_not_change_the_file),
        cmocka_unit_test(test_no_finish_leaves_no_trace),
        cmocka_unit_test(test_scores_are_of_the_class_that_is_said),
        cmocka_unit_test(test_ranges_of_a_model_hold_the_truth),
        cmocka_unit_test(test_quantiles_are_widened_until_they_hold),
        cmocka_unit_test(test_what_cannot_be_finished_is_told),
        cmocka_unit_test(test_a_damaged_finish_is_refused),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
