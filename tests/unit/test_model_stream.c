/* Fitting on a stream: the model that the whole table gives, and what is said
 * where that cannot be.
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
#include "frame/builder.h"
#include "frame/stream_verbs.h"
#include "tests/lib/any_family.h"

static const char *const plans[] = {"none", "monthly", "yearly", "trial"};

/* Three classes or a number to learn, from gaps, texts and numbers; the class
 * "trial" comes in the last row alone. */
static struct frame *
customers(size_t n)
{
    static const char *const names[] = {"age", "spend", "city", "plan",
                                        "value"};
    static const enum col_type types[] = {COL_INT64, COL_FLOAT64, COL_TEXT,
                                          COL_TEXT, COL_FLOAT64};
    struct error err;
    struct builder *b = builder_new(5, names, types, &err);
    struct frame *f;
    char city[] = "city 0";

    assert_non_null(b);
    for (size_t i = 0; i < n; i++) {
        int64_t age = (int64_t)rng_below(5, 0, i, 80);
        double spend = 100 * rng_unit(5, 1, i);
        size_t plan = age < 25 ? 0 : spend > 50 ? 1 : 2;

        city[5] = (char)('0' + rng_below(5, 2, i, 9));
        assert_true(builder_i64(b, 0, age, &err));
        if (i % 7 != 2)
            assert_true(builder_f64(b, 1, spend, &err));
        assert_true(builder_text(b, 2, str_of(city), &err));
        assert_true(
            builder_text(b, 3, str_of(plans[i + 1 == n ? 3 : plan]), &err));
        assert_true(builder_f64(
            b, 4, (double)age + spend / 10 + rng_normal(5, 3, i), &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

/* One of the two is given. */
struct rows {
    const struct frame *frame;
    size_t batch;
};

static struct model *
fit(const struct rows *r, const char *family, const char *target,
    const struct model_options *o, struct pool *pool, struct error *err)
{
    const struct family *fam = family_need(family, err);
    struct params *p = params_new(fam->params);
    struct train ctx = {.pool = pool, .seed = 7};
    struct stream *s = NULL;
    struct model *m = NULL;

    if (strcmp(family, "gbdt") == 0)
        assert_true(params_set(p, "trees", "12", err));
    if (r->batch == 0)
        m = model_fit(fam, p, r->frame, target, o, &ctx, err);
    else if ((s = stream_of_frame(r->frame, r->batch, pool, NULL, err)))
        m = model_fit_stream(fam, p, s, target, o, &ctx, err);
    stream_close(s);
    params_free(p);
    return m;
}

static void
save(struct model *m, struct buf *out, const struct error *why)
{
    struct error err;

    buf_init(out);
    if (!m)
        fail_msg("%s", why->message);
    assert_true(model_save(m, out, &err));
    model_unref(m);
}

static void
expect_same_bytes(const struct frame *f, const char *target,
                  const struct model_options *o)
{
    static const size_t batches[] = {1, 100, 333, 5000};
    struct rows whole = {f, 0};
    struct error err;
    struct buf want, got;

    save(fit(&whole, "gbdt", target, o, NULL, &err), &want, &err);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        struct pool *pool = pool_new(1 + (unsigned)i);
        struct rows part = {f, batches[i]};

        save(fit(&part, "gbdt", target, o, pool, &err), &got, &err);
        assert_int_equal(got.len, want.len);
        assert_memory_equal(got.data, want.data, want.len);
        buf_fini(&got);
        pool_free(pool);
    }
    buf_fini(&want);
}

static void
without_a_holdout_the_bytes_are_those_of_the_whole_table(void **state)
{
    const struct model_options o = {
        .problem = -1, .patience = -1, .valid_share = -1};
    struct frame *f = customers(1500);

    (void)state;
    expect_same_bytes(f, "plan", &o);
    expect_same_bytes(f, "value", &o);
    expect_same_bytes(f, "age", &o);
    frame_unref(f);
}

/* A number that tells who stays, mostly. */
static struct frame *
leavers(size_t n)
{
    static const char *const names[] = {"spend", "left"};
    static const enum col_type types[] = {COL_FLOAT64, COL_TEXT};
    struct error err;
    struct builder *b = builder_new(2, names, types, &err);
    struct frame *f;

    assert_non_null(b);
    for (size_t i = 0; i < n; i++) {
        double spend = rng_normal(6, 0, i);
        bool left = spend + rng_normal(6, 1, i) < 0;

        assert_true(builder_f64(b, 0, spend, &err) &&
                    builder_text(b, 1, left ? STR("yes") : STR("no"), &err) &&
                    builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

/* P(no) + P(yes) = 1 of models that are the same but for the class that they
 * are of: logistic loss does not tell which of them is which. */
static void
the_positive_class_is_chosen_for_a_stream_too(void **state)
{
    struct model_options o = {
        .problem = -1, .patience = -1, .valid_share = -1, .positive = "no"};
    struct frame *f = leavers(1500);
    struct rows part = {f, 100};
    const char *const *classes;
    struct prediction no, yes;
    struct model *m[2];
    struct error err;

    (void)state;
    expect_same_bytes(f, "left", &o);
    m[0] = fit(&part, "gbdt", "left", &o, NULL, &err);
    o.positive = NULL;
    m[1] = fit(&part, "gbdt", "left", &o, NULL, &err);
    assert_true(m[0] && m[1] && model_predict(m[0], f, NULL, &no, &err) &&
                model_predict(m[1], f, NULL, &yes, &err));
    assert_int_equal(model_classes(m[0], &classes), 2);
    assert_string_equal(classes[1], "no");
    for (size_t i = 0; i < no.n; i++)
        assert_true(fabs(no.value[i] + yes.value[i] - 1) < 1e-6);
    prediction_fini(&no);
    prediction_fini(&yes);
    model_unref(m[0]);
    model_unref(m[1]);
    o.positive = "maybe";
    assert_null(fit(&part, "gbdt", "left", &o, NULL, &err));
    assert_string_equal(err.message,
                        "the target 'left' has no class 'maybe' that could be "
                        "the positive one: its classes are 'no' and 'yes'");
    frame_unref(f);
}

static void
so_they_are_with_validation_rows_and_derived_columns(void **state)
{
    static const char *const derive[] = {"rate = spend / (age + 1)", NULL};
    static const char *const drop[] = {"plan", NULL};
    struct frame *f = customers(1500), *valid;
    struct error err;

    (void)state;
    valid = frame_slice(f, 0, 300, &err);
    assert_non_null(valid);
    expect_same_bytes(f, "value",
                      &(struct model_options){.problem = -1,
                                              .patience = 3,
                                              .valid = valid,
                                              .drop = drop,
                                              .derive = derive});
    frame_unref(valid);
    frame_unref(f);
}

static void
so_they_are_with_weights(void **state)
{
    struct frame *f = customers(1500), *valid;
    struct error err;

    (void)state;
    valid = frame_slice(f, 0, 300, &err);
    assert_non_null(valid);
    expect_same_bytes(
        f, "value",
        &(struct model_options){
            .problem = -1, .patience = 3, .valid = valid, .weight = "age"});
    frame_unref(valid);
    frame_unref(f);
}

/* 64 MiB is the least budget, of which half is for what is made of the rows:
 * codes of 64 columns, twice, scores, gradients and two lists are 176 bytes a
 * row, so that some of it lies on a file. */
static void
rows_beyond_memory_lie_on_a_file_and_change_nothing(void **state)
{
    enum { ROWS = 220000, DERIVED = 60 };
    char text[DERIVED][48];
    const char *derive[DERIVED + 1] = {NULL};
    const struct model_options o = {
        .problem = -1, .patience = -1, .valid_share = -1, .derive = derive};
    struct frame *f = customers(ROWS);
    struct rows whole = {f, 0}, part = {f, 30000};
    struct error err;
    struct buf want, got;

    (void)state;
    for (size_t i = 0; i < DERIVED; i++) {
        snprintf(text[i], sizeof text[i], "d%zu = spend * %zu - age", i, i);
        derive[i] = text[i];
    }
    save(fit(&whole, "gbdt", "value", &o, NULL, &err), &want, &err);
    setenv("LATHE_MEMORY", "64M", 1);
    save(fit(&part, "gbdt", "value", &o, NULL, &err), &got, &err);
    /* A folder that is not there shows that a file was asked for. */
    setenv("LATHE_SPILL", "/nowhere", 1);
    assert_null(fit(&part, "gbdt", "value", &o, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "/nowhere"));
    unsetenv("LATHE_SPILL");
    unsetenv("LATHE_MEMORY");
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
    buf_fini(&want);
    buf_fini(&got);
    frame_unref(f);
}

static void
held_out_rows_stop_early_and_do_not_depend_on_batches(void **state)
{
    const struct model_options o = {
        .problem = -1, .patience = 3, .valid_share = 0.25};
    struct frame *f = customers(4000);
    struct rows a = {f, 4000}, b = {f, 77};
    struct error err;
    struct model *x = fit(&a, "gbdt", "value", &o, NULL, &err);
    struct buf one, two;

    (void)state;
    assert_non_null(x);
    /* A quarter, within five deviations of a binomial. */
    assert_true(fabs((double)model_train_rows(x) - 3000) < 5 * 27.4);
    assert_non_null(strstr(model_valid_metrics(x), "rmse"));
    save(x, &one, &err);
    save(fit(&b, "gbdt", "value", &o, NULL, &err), &two, &err);
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);
    buf_fini(&one);
    buf_fini(&two);
    frame_unref(f);
}

static void
what_cannot_be_learnt_is_said_as_for_a_table(void **state)
{
    static const struct {
        const char *family, *target, *word;
    } bad[] = {
        {"logistic", "plan", "sample the rows"},
        {"gbdt", "vlaue", "did you mean 'value'"},
        {"gbdt", "spend",
         "target 'spend' is missing in 143 of 1000 rows: keep those where "
         "spend is not null"},
    };
    const struct model_options o = {.problem = -1, .patience = -1};
    struct frame *f = customers(1000);
    struct rows r = {f, 64};
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(fit(&r, bad[i].family, bad[i].target, &o, NULL, &err));
        if (!strstr(err.message, bad[i].word))
            fail_msg("'%s' does not say '%s'", err.message, bad[i].word);
    }
    frame_unref(f);
}

static void
expect_same_scores(const struct model *m, const struct frame *f, size_t batch)
{
    struct stream *s;
    struct evaluation a, b;
    struct json_writer w;
    struct error err;
    struct buf x, y;

    assert_non_null(s = stream_of_frame(f, batch, NULL, NULL, &err));
    assert_true(model_evaluate(m, f, 3, NULL, &a, &err));
    assert_true(model_evaluate_stream(m, s, 3, &b, &err));
    buf_init(&x);
    buf_init(&y);
    json_writer_init(&w, &x);
    evaluation_json(&a, &w);
    json_writer_init(&w, &y);
    evaluation_json(&b, &w);
    assert_string_equal(x.data, y.data);
    evaluation_fini(&a);
    evaluation_fini(&b);
    buf_fini(&x);
    buf_fini(&y);
    stream_close(s);
}

/* The answers for batches, one below the other, are those for the table. */
static void
predictions_and_scores_of_batches_are_those_of_the_whole(void **state)
{
    static const char *const targets[] = {"plan", "value"};
    const struct model_options o = {.problem = -1, .patience = 3};
    struct frame *f = customers(1000);
    struct rows r = {f, 0};
    struct error err;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct model *m = fit(&r, "gbdt", targets[i], &o, NULL, &err);
        struct stream *s = stream_of_frame(f, 77, NULL, NULL, &err);
        struct frame *want = model_predict_frame(m, f, NULL, &err), *got;
        char one[33], two[33];

        expect_same_scores(m, f, 77);
        assert_non_null(s = model_predict_stream(m, s, false, &err));
        got = stream_collect(s, &err);
        assert_true(frame_fingerprint(want, one, &err) &&
                    frame_fingerprint(got, two, &err));
        assert_string_equal(one, two);
        stream_close(s);
        frame_unref(got);
        frame_unref(want);
        model_unref(m);
    }
    frame_unref(f);
}

/* A family that forecasts counts the rows behind its series. */
static void
so_are_those_of_every_family(void **state)
{
    const struct family *const *table;
    size_t n;

    (void)state;
    table = family_table(&n);
    for (size_t i = 0; i < n; i++) {
        struct error err;
        struct frame *f =
            any_frame(any_of_classes(table[i]), 60, ANY_COLS, &err);
        struct model *m =
            any_fit(table[i], f, NULL, NULL, &(struct train){.seed = 1}, &err);
        struct stream *s = stream_of_frame(f, 7, NULL, NULL, &err);
        struct frame *want, *got;
        char one[33], two[33];

        if (!m)
            fail_msg("%s: %s", table[i]->name, err.message);
        assert_non_null(want = model_predict_frame(m, f, NULL, &err));
        assert_non_null(s = model_predict_stream(m, s, false, &err));
        assert_non_null(got = stream_collect(s, &err));
        assert_true(frame_fingerprint(want, one, &err) &&
                    frame_fingerprint(got, two, &err));
        if (strcmp(one, two) != 0)
            fail_msg("%s answers otherwise in batches", table[i]->name);
        stream_close(s);
        if (any_target(table[i]))
            expect_same_scores(m, f, 7);
        frame_unref(got);
        frame_unref(want);
        model_unref(m);
        frame_unref(f);
    }
}

static void
answers_stand_behind_the_inputs_where_they_are_wanted(void **state)
{
    const struct model_options o = {.problem = -1, .patience = 3};
    struct frame *f = customers(300);
    struct rows r = {f, 0};
    struct error err;
    struct model *m = fit(&r, "gbdt", "value", &o, NULL, &err);
    struct stream *s = stream_of_frame(f, 50, NULL, NULL, &err);

    (void)state;
    assert_non_null(s = model_predict_stream(m, s, true, &err));
    assert_int_equal(stream_cols(s), 6);
    assert_string_equal(stream_name(s, 0), "age");
    assert_string_equal(stream_name(s, 5), "prediction");
    stream_close(s);
    model_unref(m);
    frame_unref(f);
}

static void
every_failing_call_is_an_error_not_a_leak(void **state)
{
    const struct model_options o = {
        .problem = -1, .patience = 2, .valid_share = 0.25};
    struct frame *f = customers(120);
    struct rows r = {f, 50};
    struct model *m = NULL;
    struct error err;

    (void)state;
    for (unsigned long n = 1; !m; n++) {
        mem_fault_arm(n, true);
        m = fit(&r, "gbdt", "plan", &o, NULL, &err);
        mem_fault_arm(0, false);
        assert_true(n < 20000);
    }
    model_unref(m);
    frame_unref(f);
}

/* The answers, to the end. */
static bool
predict_all(const struct model *m, const struct frame *f, struct error *err)
{
    struct stream *s = stream_of_frame(f, 50, NULL, NULL, err);
    struct frame *answers = NULL;
    bool ok = s && (s = model_predict_stream(m, s, true, err));

    while (ok && (ok = stream_next(s, &answers, err)) && answers)
        frame_unref(answers);
    stream_close(s);
    return ok;
}

static void
predicting_reports_every_failing_call(void **state)
{
    const struct model_options o = {.problem = -1, .patience = 0};
    struct frame *f = customers(120);
    struct rows r = {f, 0};
    struct error err;
    struct model *m = fit(&r, "gbdt", "plan", &o, NULL, &err);
    bool ok = false;

    (void)state;
    assert_non_null(m);
    for (unsigned long n = 1; !ok; n++) {
        mem_fault_arm(n, false);
        ok = predict_all(m, f, &err);
        mem_fault_arm(0, false);
        assert_true(ok || err.code == ERR_NOMEM);
    }
    model_unref(m);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            without_a_holdout_the_bytes_are_those_of_the_whole_table),
        cmocka_unit_test(the_positive_class_is_chosen_for_a_stream_too),
        cmocka_unit_test(so_they_are_with_validation_rows_and_derived_columns),
        cmocka_unit_test(so_they_are_with_weights),
        cmocka_unit_test(rows_beyond_memory_lie_on_a_file_and_change_nothing),
        cmocka_unit_test(held_out_rows_stop_early_and_do_not_depend_on_batches),
        cmocka_unit_test(what_cannot_be_learnt_is_said_as_for_a_table),
        cmocka_unit_test(
            predictions_and_scores_of_batches_are_those_of_the_whole),
        cmocka_unit_test(so_are_those_of_every_family),
        cmocka_unit_test(answers_stand_behind_the_inputs_where_they_are_wanted),
        cmocka_unit_test(every_failing_call_is_an_error_not_a_leak),
        cmocka_unit_test(predicting_reports_every_failing_call),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
