/* Stopping: whatever takes long, of every family, at some of its looks.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/pool.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cv.h"
#include "engine/explain.h"
#include "engine/family.h"
#include "engine/judged.h"
#include "engine/metric_curve.h"
#include "engine/port/port.h"
#include "tests/lib/any_family.h"
#include "tests/lib/close.h"

enum { ROWS = 150, MANY_ROWS = 20000, POINTS = 8, MANY = 1 << 30 };

struct stopping {
    const struct family *family;
    struct frame *f;
    struct model *m; /* of the whole fit */
    struct buf file; /* m, as others write it */
};

struct work {
    const char *name;
    bool (*run)(struct stopping *s, const struct train *ctx, struct error *err);
    bool keeps; /* the model so far, which is no failure */
};

/* What there is after a fit that was stopped is a model like any other. */
static void
answers_must_be_there(const struct model *m, const struct frame *f)
{
    struct error err;
    struct frame *out = model_predict_frame(m, f, NULL, &err);
    struct buf b;

    if (!out)
        fail_msg("%s: %s", model_family(m)->name, err.message);
    assert_int_equal(frame_rows(out), frame_rows(f));
    frame_unref(out);
    buf_init(&b);
    assert_ok(model_save(m, &b, &err), err);
    buf_fini(&b);
}

static bool
run_fit(struct stopping *s, const struct train *ctx, struct error *err)
{
    struct model *m = any_fit(s->family, s->f, NULL, NULL, ctx, err);
    bool ok = m != NULL;

    if (m)
        answers_must_be_there(m, s->f);
    if (m && !s->m)
        s->m = m;
    else
        model_unref(m);
    return ok;
}

static bool
run_refit(struct stopping *s, const struct train *ctx, struct error *err)
{
    const struct model_options o = {
        .problem = -1, .patience = 2, .valid_share = 0.3, .refit = true};
    struct model *m = any_fit(s->family, s->f, NULL, &o, ctx, err);
    bool ok = m != NULL;

    if (m)
        answers_must_be_there(m, s->f);
    model_unref(m);
    return ok;
}

/* What is done to answers, learnt on rows kept aside. */
static bool
run_finish(struct stopping *s, const struct train *ctx, struct error *err)
{
    const bool classes = any_of_classes(s->family);
    const struct model_options o = {
        .problem = -1,
        .patience = -1,
        .finish = {.calibrate = classes ? "platt" : NULL,
                   .threshold = classes ? "f1" : NULL,
                   .interval = 0.8}};
    struct model *m = any_fit(s->family, s->f, NULL, &o, ctx, err);
    bool ok = m != NULL;

    if (m)
        answers_must_be_there(m, s->f);
    model_unref(m);
    return ok;
}

static bool
run_curve(struct stopping *s, const struct train *ctx, struct error *err)
{
    struct metric_rows rows;
    struct frame *f = NULL;
    struct judged j;

    if (!judged_take(s->m, s->f, NULL, ctx->pool, &j, err))
        return false;
    rows = judged_rows(&j);
    rows.pool = ctx->pool;
    f = metric_curve(CURVE_ROC, &rows, j.truth.classes, err);
    judged_fini(&j);
    frame_unref(f);
    return f != NULL;
}

static bool
run_cv(struct stopping *s, const struct train *ctx, struct error *err)
{
    const struct cv_options o = {.k = 3};
    struct params *p = params_new(s->family->params);
    struct cv_result r;
    bool ok = true;

    for (const char *const *t = any_settings(s->family); ok && *t; t++)
        ok = params_set_pair(p, *t, err);
    ok = ok &&
         cv_run(s->family, p, s->f, any_target(s->family), &o, ctx, &r, err);
    if (ok)
        cv_result_fini(&r);
    params_free(p);
    return ok;
}

static bool
run_predict(struct stopping *s, const struct train *ctx, struct error *err)
{
    struct frame *f = model_predict_frame(s->m, s->f, ctx->pool, err);

    frame_unref(f);
    return f != NULL;
}

static bool
run_evaluate(struct stopping *s, const struct train *ctx, struct error *err)
{
    struct evaluation e;
    bool ok = model_evaluate(s->m, s->f, 1, ctx->pool, &e, err);

    if (ok)
        evaluation_fini(&e);
    return ok;
}

static bool
run_forecast(struct stopping *s, const struct train *ctx, struct error *err)
{
    const struct forecast ask = {.horizon = 20,
                                 .level = 0.9,
                                 .pool = ctx->pool,
                                 .progress = ctx->progress};
    struct frame *f = model_forecast(s->m, &ask, err);

    frame_unref(f);
    return f != NULL;
}

static bool
run_shares(struct stopping *s, const struct train *ctx, struct error *err)
{
    const struct explain_options o = {.background_rows = 5, .samples = 60};
    struct frame *few = frame_slice(s->f, 0, 4, err);
    struct shares out;
    bool ok = few && explain_shares(s->m, few, &o, ctx, &out, err);

    if (ok)
        shares_fini(&out);
    frame_unref(few);
    return ok;
}

static bool
run_shuffle(struct stopping *s, const struct train *ctx, struct error *err)
{
    const struct shuffle_options o = {.repeats = 1};
    double whole;
    struct frame *f = explain_shuffle(s->m, s->f, &o, ctx, &whole, err);

    frame_unref(f);
    return f != NULL;
}

static bool
run_effect(struct stopping *s, const struct train *ctx, struct error *err)
{
    const struct effect_options o = {.column = "x2", .points = 4, .rows = 50};
    struct effect e;
    bool ok = explain_effect(s->m, s->f, &o, ctx, &e, err);

    if (ok)
        effect_fini(&e);
    return ok;
}

static bool
run_export(struct stopping *s, const struct train *ctx, struct error *err)
{
    const struct port_export o = {.format = PORT_ONNX};
    struct port_report r = {0};
    struct buf out;
    bool ok;

    buf_init(&out);
    ok = port_write(s->m, &o, ctx->pool, &out, &r, err);
    port_report_fini(&r);
    buf_fini(&out);
    return ok;
}

static bool
run_import(struct stopping *s, const struct train *ctx, struct error *err)
{
    const struct port_import o = {.stop = ctx->progress};
    struct model *m =
        port_read((struct str){s->file.data, s->file.len}, &o, err);

    model_unref(m);
    return m != NULL;
}

/* The fit comes first: it gives the model of the others. */
static const struct work works[] = {
    {"fit", run_fit, true},          {"refit", run_refit, true},
    {"finish", run_finish, true},    {"cv", run_cv, false},
    {"predict", run_predict, false}, {"evaluate", run_evaluate, false},
    {"curve", run_curve, false},     {"forecast", run_forecast, false},
    {"shares", run_shares, false},   {"shuffle", run_shuffle, false},
    {"effect", run_effect, false},   {"export", run_export, false},
};
enum { N_WORKS = sizeof works / sizeof *works };

/* Stopped at look n: what it says, and how many looks it has left. */
static bool
run_to(struct stopping *s, const struct work *w, uint64_t n, uint64_t *left,
       struct error *err)
{
    atomic_uint_least64_t looks;
    struct progress progress;
    struct train ctx = {.progress = &progress, .seed = 1};
    bool ok;

    atomic_init(&looks, n);
    progress_init(&progress);
    progress.looks = &looks;
    ctx.pool = pool_lend(NULL, &progress);
    memset(err, 0, sizeof *err);
    ok = w->run(s, &ctx, err);
    *left = atomic_load(&looks);
    pool_free(ctx.pool);
    return ok;
}

static void
stop_everywhere(struct stopping *s, const struct work *w)
{
    uint64_t left, all;
    struct error err;

    if (w->run == run_refit && !s->family->iterative)
        return;
    /* What the family cannot do, it says. */
    if (!run_to(s, w, MANY, &left, &err)) {
        if (err.code != ERR_RANGE && err.code != ERR_TYPE &&
            err.code != ERR_NOTFOUND && err.code != ERR_LIMIT)
            fail_msg("%s, %s: %s", s->family->name, w->name, err.message);
        return;
    }
    all = MANY - left;
    if (all == 0)
        fail_msg("%s, %s: nobody looks whether to stop", s->family->name,
                 w->name);
    for (uint64_t i = 0; i < POINTS; i++) {
        uint64_t n = i < 2 ? i : all * (i - 1) / (POINTS - 1);
        bool ok;

        if (n >= all)
            continue;
        ok = run_to(s, w, n, &left, &err);
        if (left != 0)
            fail_msg("%s, %s: stopped at %llu of %llu, and did not look",
                     s->family->name, w->name, (unsigned long long)n,
                     (unsigned long long)all);
        if (ok ? !w->keeps : err.code != ERR_CANCELLED)
            fail_msg("%s, %s, stopped at look %llu of %llu: %s",
                     s->family->name, w->name, (unsigned long long)n,
                     (unsigned long long)all,
                     ok ? "went on to its end" : err.message);
    }
}

static void
test_all_work_of_every_family_can_be_stopped_at_each_look(void **state)
{
    size_t n;
    const struct family *const *table = family_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct stopping s = {.family = table[i]};
        struct error err;

        s.f = any_frame(any_of_classes(s.family), ROWS, ANY_COLS, &err);
        assert_non_null(s.f);
        for (size_t w = 0; w < N_WORKS; w++)
            if (w == 0 || s.m)
                stop_everywhere(&s, &works[w]);
        assert_non_null(s.m);
        model_unref(s.m);
        frame_unref(s.f);
    }
}

/* Answers for many rows are given in pieces, with a look before each. */
static void
test_answers_for_many_rows_are_given_in_pieces(void **state)
{
    const struct work predict = {"predict", run_predict, false};
    size_t n;
    const struct family *const *table = family_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct stopping s = {.family = table[i]};
        uint64_t left;
        struct error err;

        s.f = any_frame(any_of_classes(s.family), ROWS, ANY_COLS, &err);
        assert_non_null(s.f);
        s.m = any_fit(s.family, s.f, NULL, NULL, &(struct train){.seed = 1},
                      &err);
        frame_unref(s.f);
        s.f = any_frame(any_of_classes(s.family), MANY_ROWS, ANY_COLS, &err);
        assert_non_null(s.f);
        assert_non_null(s.m);
        assert_ok(run_to(&s, &predict, MANY, &left, &err), err);
        /* What a series says of a step is looked up. */
        if (MANY - left < 4 && !s.family->forecast)
            fail_msg("%s: %d looks at %d rows", s.family->name,
                     (int)(MANY - left), MANY_ROWS);
        model_unref(s.m);
        frame_unref(s.f);
    }
}

static void
test_reading_models_of_others_can_be_stopped_at_each_look(void **state)
{
    const struct {
        enum port_format format;
        struct work work;
    } cases[] = {
        {PORT_LIGHTGBM, {"import of LightGBM", run_import, false}},
        {PORT_ONNX, {"import of ONNX", run_import, false}},
        {PORT_PMML, {"import of PMML", run_import, false}},
        {PORT_XGBOOST, {"import of XGBoost", run_import, false}},
    };
    struct stopping s = {.family = family_find("gbdt")};
    struct error err;

    (void)state;
    s.f = any_frame(true, ROWS, ANY_COLS, &err);
    assert_non_null(s.f);
    s.m = any_fit(s.family, s.f, NULL, NULL, &(struct train){.seed = 1}, &err);
    assert_non_null(s.m);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct port_export o = {.format = cases[i].format};
        struct port_report r = {0};
        uint64_t left;

        buf_init(&s.file);
        assert_ok(port_write(s.m, &o, NULL, &s.file, &r, &err), err);
        assert_ok(run_to(&s, &cases[i].work, MANY, &left, &err), err);
        if (MANY - left < 20) /* there are so many trees */
            fail_msg("%s: %d looks", cases[i].work.name, (int)(MANY - left));
        stop_everywhere(&s, &cases[i].work);
        port_report_fini(&r);
        buf_fini(&s.file);
    }
    model_unref(s.m);
    frame_unref(s.f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_all_work_of_every_family_can_be_stopped_at_each_look),
        cmocka_unit_test(test_answers_for_many_rows_are_given_in_pieces),
        cmocka_unit_test(
            test_reading_models_of_others_can_be_stopped_at_each_look),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
