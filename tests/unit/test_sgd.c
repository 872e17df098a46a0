/* tests/unit/test_sgd.c -- linear models by stochastic gradients.
 *
 * What they go to is known: the minimum that linear.h finds in closed form or
 * by Newton's steps, which tests/unit/test_linear.c checks against others.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fmath.h"
#include "engine/classic/linear.h"
#include "engine/classic/sgd.h"
#include "engine/family.h"
#include "frame/builder.h"
#include "frame/stream_verbs.h"
#include "tests/lib/lesson.h"
#include "tests/lib/scratch.h"

enum { P = 5, CLASSES = 3 };
static const double slope[CLASSES][P] = {
    {2, -1, 0.5, 0, 0}, {-1, 1, 0, 1, 0}, {0, 0.5, -1, 0, 1}};

/* Columns that lean on each other, of deviation about 1. */
static struct lesson
rows(const struct family *family, enum problem problem, size_t n,
     const char *const *set)
{
    struct lesson l = lesson_new(family, problem, n, P);

    l.set = set;
    if (problem == PROBLEM_MULTICLASS)
        l.n_classes = CLASSES;
    for (size_t i = 0; i < n; i++) {
        double z[CLASSES] = {0.3, 0, -0.3}, common = rng_normal(1, 50, i);
        size_t best = 0;

        for (size_t j = 0; j < P; j++) {
            double x = 0.8 * rng_normal(1, j, i) + 0.6 * common;

            l.x[j * n + i] = x;
            for (size_t c = 0; c < CLASSES; c++)
                z[c] += slope[c][j] * x;
        }
        for (size_t c = 0; c < CLASSES; c++)
            z[c] -= fm_log(-fm_log(rng_unit(1, 60 + c, i) + 1e-12));
        for (size_t c = 1; c < CLASSES; c++)
            best = z[c] > z[best] ? c : best;
        l.y[i] = problem == PROBLEM_REGRESSION
                     ? 40 + 3 * l.x[i] - 2 * l.x[n + i] + rng_normal(1, 70, i)
                 : problem == PROBLEM_BINARY ? z[0] > z[1]
                                             : (double)best;
    }
    return l;
}

static void
compare(const struct family *best, enum problem problem, const char *const *set,
        double within)
{
    static const char *const lambda[] = {"lambda=0.001", NULL};
    struct lesson l = rows(&sgd_family, problem, 20000, set);
    void *got = lesson_must_learn(&l), *want;
    struct linear_weights a, b;

    l.family = best;
    l.set = lambda;
    want = lesson_must_learn(&l);
    a = linear_weights_of(got);
    b = linear_weights_of(want);
    lesson_expect("weight", a.weight, b.weight, a.n_cols * a.n_outputs, within);
    lesson_expect("bias", a.bias, b.bias, a.n_outputs, within);
    best->free(got);
    best->free(want);
    lesson_free(&l);
}

static void
test_it_goes_where_the_exact_solutions_lie(void **state)
{
    static const char *const far[] = {"lambda=0.001", "epochs=60",
                                      "tolerance=0", NULL};

    (void)state;
    compare(&linear_family, PROBLEM_REGRESSION, far, 2e-3);
    compare(&logistic_family, PROBLEM_BINARY, far, 5e-3);
    compare(&logistic_family, PROBLEM_MULTICLASS, far, 1e-2);
}

/* As many turns as it wants: within a tenth of a standard error of a weight,
 * which is about 1 / sqrt(n). */
static void
test_the_usual_turns_are_near_the_closed_form(void **state)
{
    static const char *const usual[] = {"lambda=0.001", NULL};

    (void)state;
    compare(&linear_family, PROBLEM_REGRESSION, usual, 7e-3);
}

static void
test_every_schedule_goes_there(void **state)
{
    static const char *const sets[][5] = {
        {"lambda=0.001", "schedule=constant", "epochs=60", "rate=0.002", NULL},
        {"lambda=0.001", "schedule=optimal", "epochs=60", NULL},
        {"lambda=0.001", "average=false", "epochs=60", "power=1.2", NULL},
        {"lambda=0.001", "rate=1000", "epochs=60", NULL}, /* implicit steps */
    };

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        compare(&linear_family, PROBLEM_REGRESSION, sets[i],
                i == 3 ? 0.3 : 0.05);
}

/* A tenth of the rows lie. */
static void
test_huber_is_not_led_by_outliers(void **state)
{
    static const char *const sets[][3] = {{"loss=squared", NULL},
                                          {"loss=huber", "delta=1", NULL}};
    double off[2];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lesson l = rows(&sgd_family, PROBLEM_REGRESSION, 5000, sets[i]);
        struct linear_weights w;
        void *learner;

        for (size_t r = 0; r < l.n; r += 10)
            l.y[r] -= 60 * (l.x[r] > 0);
        learner = lesson_must_learn(&l);
        w = linear_weights_of(learner);
        off[i] = fabs(w.weight[0] - 3);
        linear_family.free(learner);
        lesson_free(&l);
    }
    if (!(off[1] < 0.2 && off[0] > 1))
        fail_msg("off by %g and %g", off[0], off[1]);
}

static void
test_a_margin_parts_what_can_be_parted(void **state)
{
    static const char *const set[] = {"loss=hinge", "lambda=1e-4", NULL};
    struct lesson l = rows(&sgd_family, PROBLEM_BINARY, 2000, set);
    double *p;
    size_t wrong = 0;
    void *learner;

    (void)state;
    for (size_t i = 0; i < l.n; i++)
        l.y[i] = l.x[i] - l.x[l.n + i] > 0;
    learner = lesson_must_learn(&l);
    p = lesson_answers(&l, learner);
    for (size_t i = 0; i < l.n; i++)
        wrong += (p[i] > 0.5) != (l.y[i] > 0);
    assert_true(wrong < l.n / 100);
    free(p);
    linear_family.free(learner);
    lesson_free(&l);
}

static void
test_an_l1_part_leaves_useless_columns_out(void **state)
{
    static const char *const set[] = {"lambda=0.1", "l1_ratio=1", NULL};
    struct lesson l = rows(&sgd_family, PROBLEM_REGRESSION, 5000, set);
    void *learner = lesson_must_learn(&l);
    struct linear_weights w = linear_weights_of(learner);

    (void)state;
    assert_true(w.weight[0] > 2 && w.weight[1] < -1);
    for (size_t j = 2; j < P; j++)
        assert_true(w.weight[j] == 0);
    linear_family.free(learner);
    lesson_free(&l);
}

/* Rows that weigh nothing are not there: half of them say the opposite. */
static void
test_rows_count_as_they_weigh(void **state)
{
    static const char *const set[] = {"lambda=0", NULL};
    struct lesson l = rows(&sgd_family, PROBLEM_REGRESSION, 8000, set);
    double *weight = calloc(l.n, sizeof *weight);
    struct linear_weights w;
    void *learner;

    (void)state;
    assert_non_null(weight);
    for (size_t i = 0; i < l.n; i++) {
        weight[i] = i % 2 ? 0 : 7;
        if (i % 2)
            l.y[i] = -l.y[i];
    }
    l.weight = weight;
    learner = lesson_must_learn(&l);
    w = linear_weights_of(learner);
    assert_true(fabs(w.weight[0] - 3) < 0.1 && fabs(w.bias[0] - 40) < 0.1);
    linear_family.free(learner);
    lesson_free(&l);
    free(weight);
}

/* ---- streams ---- */

static struct frame *
table(size_t n)
{
    static const char *const names[] = {"a", "b", "y"};
    static const enum col_type types[] = {COL_FLOAT64, COL_TEXT, COL_FLOAT64};
    struct error err;
    struct builder *b = builder_new(3, names, types, &err);

    for (size_t i = 0; i < n; i++) {
        double a = rng_normal(2, 1, i);
        bool on = rng_unit(2, 2, i) < 0.5;

        assert_true(builder_f64(b, 0, a, &err) &&
                    builder_text(b, 1, str_of(on ? "on" : "off"), &err) &&
                    builder_f64(b, 2, a + 5 * on + rng_normal(2, 3, i), &err) &&
                    builder_end_row(b, &err));
    }
    return builder_finish(b, &err);
}

/* batch 0: in memory.  keep: a checkpoint. */
static struct model *
fit(const struct frame *f, size_t batch, const struct model_options *keep,
    const struct train *ctx, struct error *err)
{
    struct params *p = params_new(sgd_family.params);
    struct model_options o = {.problem = -1, .patience = -1};
    struct stream *s;
    struct model *m;

    if (keep)
        o = *keep;
    assert_true(params_set(p, "epochs", "5", err));
    assert_true(params_set(p, "tolerance", "0", err));
    if (batch == 0) {
        m = model_fit(&sgd_family, p, f, "y", &o, ctx, err);
    } else {
        s = stream_of_frame(f, batch, NULL, NULL, err);
        m = model_fit_stream(&sgd_family, p, s, "y", &o, ctx, err);
        stream_close(s);
    }
    params_free(p);
    return m;
}

static void
expect_same(const struct model *a, const struct model *b)
{
    struct buf x, y;
    struct error err;

    buf_init(&x);
    buf_init(&y);
    assert_true(model_save(a, &x, &err) && model_save(b, &y, &err));
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    buf_fini(&x);
    buf_fini(&y);
}

static void
test_a_stream_gives_the_model_of_the_whole_table(void **state)
{
    struct frame *f = table(3000);
    struct train ctx = {.seed = 4};
    struct error err;
    struct model *want = fit(f, 0, NULL, &ctx, &err);

    (void)state;
    if (!want)
        fail_msg("%s", err.message);
    for (size_t batch = 70; batch < 5000; batch *= 9) {
        struct model *got = fit(f, batch, NULL, &ctx, &err);

        if (!got)
            fail_msg("%s", err.message);
        expect_same(got, want);
        model_unref(got);
    }
    model_unref(want);
    frame_unref(f);
}

struct stopper {
    struct progress *progress;
    int64_t at;
};

static void
stop_then(void *ctx, const struct event *e)
{
    const struct stopper *s = ctx;

    if (e->step == s->at)
        progress_stop(s->progress);
}

/* Ended after three turns, gone on with: as if it had not been. */
static void
test_a_fit_that_was_ended_goes_on_to_the_same_model(void **state)
{
    struct frame *f = table(3000);
    struct error err;
    char folder[SCRATCH_PATH];
    struct train plain = {.seed = 4};
    struct model *want = fit(f, 0, NULL, &plain, &err);

    (void)state;
    assert_non_null(want);
    assert_true(scratch_make(folder));
    for (size_t batch = 0; batch < 200; batch += 100) {
        char path[SCRATCH_PATH + 8];
        struct progress progress;
        struct stopper stopper = {&progress, 3};
        struct train ended = {
            .seed = 4, .progress = &progress, .sink = {stop_then, &stopper}};
        struct model_options o = {.problem = -1,
                                  .patience = -1,
                                  .checkpoint = path,
                                  .checkpoint_every = 1};
        struct model *m;

        snprintf(path, sizeof path, "%s/%zu", folder, batch);
        progress_init(&progress);
        model_unref(fit(f, batch, &o, &ended, &err));
        assert_true(progress_stopped(&progress));
        o.resume = true;
        m = fit(f, batch, &o, &plain, &err);
        if (!m)
            fail_msg("%s", err.message);
        expect_same(m, want);
        model_unref(m);
        plain.seed = 5;
        assert_null(fit(f, batch, &o, &plain, &err));
        assert_int_equal(err.code, ERR_STATE);
        plain.seed = 4;
    }
    model_unref(want);
    frame_unref(f);
    scratch_remove(folder);
}

static void
test_a_model_goes_on_with_other_rows(void **state)
{
    struct frame *f = table(3000);
    struct error err;
    struct train ctx = {.seed = 4};
    struct model *m = fit(f, 0, NULL, &ctx, &err), *more;
    struct model_options o = {.problem = -1, .patience = -1, .init = m};
    struct linear_weights w;

    (void)state;
    more = fit(f, 0, &o, &ctx, &err);
    if (!more)
        fail_msg("%s", err.message);
    w = linear_weights_of(model_learner(more));
    /* Columns are scaled: a has deviation 1, and 5 is what "on" adds. */
    assert_true(fabs(w.weight[0] - 1) < 0.06);
    model_unref(more);
    model_unref(m);
    frame_unref(f);
}

/* ---- what holds for all ---- */

static void
test_it_keeps_what_every_family_promises(void **state)
{
    static const char *const set[] = {"epochs=3", NULL};
    static const enum problem problems[] = {PROBLEM_REGRESSION, PROBLEM_BINARY,
                                            PROBLEM_MULTICLASS};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct lesson l = rows(&sgd_family, problems[i], 300, set);

        lesson_same_for_any_threads(&l);
        lesson_same_from_file(&l);
        lesson_no_memory_is_an_error(&l);
        lesson_cancelled_is_an_error(&l);
        lesson_damage_is_harmless(&l);
        lesson_free(&l);
    }
}

static void
test_what_it_cannot_learn_is_told(void **state)
{
    static const char *const logistic[] = {"loss=logistic", NULL};
    static const char *const softmax[] = {"loss=softmax", NULL};
    struct lesson l = rows(&sgd_family, PROBLEM_REGRESSION, 50, logistic);
    struct error err;
    void *learner;

    (void)state;
    assert_null(lesson_learn(&l, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    lesson_free(&l);
    l = rows(&sgd_family, PROBLEM_BINARY, 50, softmax);
    assert_null(lesson_learn(&l, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    l.set = NULL;
    l.problem = PROBLEM_REGRESSION;
    for (size_t i = 0; i < l.n; i++)
        l.y[i] = 7;
    learner = lesson_must_learn(&l);
    assert_non_null(learner);
    l.family->free(learner);
    lesson_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_goes_where_the_exact_solutions_lie),
        cmocka_unit_test(test_the_usual_turns_are_near_the_closed_form),
        cmocka_unit_test(test_every_schedule_goes_there),
        cmocka_unit_test(test_huber_is_not_led_by_outliers),
        cmocka_unit_test(test_a_margin_parts_what_can_be_parted),
        cmocka_unit_test(test_an_l1_part_leaves_useless_columns_out),
        cmocka_unit_test(test_rows_count_as_they_weigh),
        cmocka_unit_test(test_a_stream_gives_the_model_of_the_whole_table),
        cmocka_unit_test(test_a_fit_that_was_ended_goes_on_to_the_same_model),
        cmocka_unit_test(test_a_model_goes_on_with_other_rows),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
        cmocka_unit_test(test_what_it_cannot_learn_is_told),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
