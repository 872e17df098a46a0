/* tests/unit/test_mlp.c -- nets for tables: losses, steps, epochs, the file.
 *
 * Adam's and Nesterov's steps: torch.optim of PyTorch 1.13 on the same
 * gradients, in double.  Losses: their definitions, gradients by differences.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/family.h"
#include "engine/neural/loss.h"
#include "engine/neural/mlp.h"
#include "engine/neural/optimiser.h"
#include "tests/lib/small_model.h"

/* ---- losses ---- */

static double
loss_of(const char *text, enum problem problem, size_t k, double smooth,
        const float *answer, double y, float *grad)
{
    struct error err;
    struct loss l;

    assert_ok(loss_init(&l, text, problem, k, smooth, &err), err);
    return loss_row(&l, answer, y, 1, grad);
}

static void
test_losses_are_what_their_names_say(void **state)
{
    float none[4], low[] = {-2}, high[] = {0.5f}, three[] = {1, 2, 0};
    double p = 1 / (1 + exp(2)), sum = exp(1) + exp(2) + 1;
    double q[] = {exp(1) / sum, exp(2) / sum, 1 / sum};
    enum problem number = PROBLEM_REGRESSION, two = PROBLEM_BINARY;
    enum problem many = PROBLEM_MULTICLASS;

    (void)state;
    assert_close(loss_of("squared", number, 1, 0, low, 1, none), 4.5, 1e-12);
    assert_close(loss_of("absolute", number, 1, 0, low, 1, none), 3, 1e-12);
    assert_close(loss_of("huber", number, 1, 0, low, 1, none), 2.5, 1e-12);
    assert_close(loss_of("huber", number, 1, 0, high, 1, none), 0.125, 1e-12);
    assert_close(loss_of("quantile0.9", number, 1, 0, low, 1, none), 2.7,
                 1e-12);
    assert_close(loss_of("quantile0.9", number, 1, 0, high, 0, none), 0.05,
                 1e-12);
    assert_close(loss_of("squared + 0.3 absolute", number, 1, 0, low, 1, none),
                 5.4, 1e-12);
    assert_close(loss_of("auto", two, 1, 0, low, 1, none), -log(p), 1e-9);
    assert_close(loss_of("logloss", two, 1, 0, low, 0, none), -log(1 - p),
                 1e-9);
    assert_close(loss_of("brier", two, 1, 0, low, 1, none),
                 2 * (1 - p) * (1 - p), 1e-9);
    assert_close(loss_of("focal", two, 1, 0, low, 1, none),
                 -(1 - p) * (1 - p) * log(p), 1e-9);
    assert_close(loss_of("logloss", many, 3, 0, three, 2, none), -log(q[2]),
                 1e-9);
    assert_close(loss_of("logloss", many, 3, 0.3, three, 1, none),
                 -0.8 * log(q[1]) - 0.1 * log(q[0]) - 0.1 * log(q[2]), 1e-9);
    assert_close(loss_of("2 brier+logloss", many, 3, 0, three, 0, none),
                 2 * ((1 - q[0]) * (1 - q[0]) + q[1] * q[1] + q[2] * q[2]) -
                     log(q[0]),
                 1e-9);
}

static void
test_gradients_of_losses_are_their_slopes(void **state)
{
    static const struct {
        const char *text;
        enum problem problem;
        size_t k;
        double smooth;
    } cases[] = {{"squared", PROBLEM_REGRESSION, 1, 0},
                 {"absolute + 2 huber", PROBLEM_REGRESSION, 1, 0},
                 {"quantile0.2", PROBLEM_REGRESSION, 1, 0},
                 {"logloss", PROBLEM_BINARY, 1, 0.2},
                 {"focal", PROBLEM_BINARY, 1, 0},
                 {"brier + 0.5 logloss", PROBLEM_BINARY, 1, 0.1},
                 {"logloss", PROBLEM_MULTICLASS, 4, 0.1},
                 {"focal + brier", PROBLEM_MULTICLASS, 4, 0},
                 {"focal", PROBLEM_MULTICLASS, 4, 0.2}};
    const double h = 1e-3;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases * 8; i++) {
        size_t c = i / 8, k = cases[c].k;
        double y = cases[c].problem == PROBLEM_REGRESSION
                       ? rng_normal(1, 1, i)
                       : (double)(i % (k == 1 ? 2 : k));
        float a[4], grad[4], none[4];

        for (size_t j = 0; j < k; j++)
            a[j] = (float)(2 * rng_normal(1, 2 + j, i));
        (void)loss_of(cases[c].text, cases[c].problem, k, cases[c].smooth, a, y,
                      grad);
        for (size_t j = 0; j < k; j++) {
            float was = a[j], up = (float)((double)was + h);
            float down = (float)((double)was - h);
            double high, low;

            a[j] = up;
            high = loss_of(cases[c].text, cases[c].problem, k, cases[c].smooth,
                           a, y, none);
            a[j] = down;
            low = loss_of(cases[c].text, cases[c].problem, k, cases[c].smooth,
                          a, y, none);
            a[j] = was;
            assert_close((double)grad[j],
                         (high - low) / ((double)up - (double)down), 2e-3);
        }
    }
}

static void
test_a_loss_that_is_none_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "logloss",
        "square",
        "squared +",
        "0 squared",
        "-1 squared",
        "nan squared",
        "quantile1",
        "quantilex",
        "squared+squared+squared+squared+squared"};
    struct error err;
    struct loss l;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(loss_init(&l, bad[i], PROBLEM_REGRESSION, 1, 0, &err));
        assert_int_equal(err.code, ERR_RANGE);
    }
    assert_false(loss_init(&l, "huber", PROBLEM_BINARY, 1, 0, &err));
    assert_string_equal(err.message, "loss 'huber', expected one of logloss, "
                                     "focal, brier");
}

/* ---- steps ---- */

static void
test_schedules_rise_and_fall_as_they_should(void **state)
{
    struct opt_rule r = {.schedule = RATE_CONSTANT, .rate = 2, .n_steps = 100};

    (void)state;
    assert_close(opt_rate(&r, 99), 2, 1e-12);
    r.warm = 0.1;
    assert_true(opt_rate(&r, 0) < 0.2 && opt_rate(&r, 9) < 2);
    assert_close(opt_rate(&r, 10), 2, 1e-12);
    r.warm = 0;
    r.schedule = RATE_COSINE;
    for (uint64_t i = 0; i < 100; i += 7)
        assert_close(opt_rate(&r, i),
                     1 + cos(3.14159265358979323846 * (double)i / 100), 1e-7);
    r.schedule = RATE_STEP;
    r.every = 0.25;
    r.factor = 0.5;
    assert_close(opt_rate(&r, 24), 2, 1e-12);
    assert_close(opt_rate(&r, 25), 1, 1e-12);
    assert_close(opt_rate(&r, 80), 0.25, 1e-12);
    r.schedule = RATE_ONE_CYCLE;
    assert_close(opt_rate(&r, 0), 2.0 / 25, 1e-7);
    assert_close(opt_rate(&r, 30), 2, 1e-7);
    assert_true(opt_rate(&r, 99) < 0.01 && opt_rate(&r, 60) < 2);
}

/* Five steps on two weights and a bias, gradients (t, -0.5 t, 1 / t). */
static void
expect_steps(enum opt_kind kind, double decay, double clip, const double *want)
{
    struct net_plan plan = {.input = {1, 1, 2}, .n_outputs = 1, .layers = ""};
    struct opt_rule r = {.kind = kind,
                         .rate = 0.1,
                         .momentum = 0.9,
                         .decay = decay,
                         .clip = clip,
                         .n_steps = 10};
    struct error err;
    struct net *n = net_new(&plan, &err);
    struct optimiser *o;

    assert_ok(n && net_begin(n, 1, &err), err);
    o = opt_new(&r, n, &err);
    n->param[0] = 1;
    n->param[1] = -2;
    n->param[2] = 0.5f;
    for (int t = 1; t <= 5; t++) {
        float g[] = {(float)t, -0.5f * (float)t, 1 / (float)t};

        (void)opt_step(o, n, g, NULL);
    }
    for (size_t i = 0; i < 3; i++)
        assert_close((double)n->param[i], want[i], 1e-5);
    opt_free(o);
    net_free(n);
}

static void
test_steps_agree_with_torch(void **state)
{
    static const double adam[] = {0.5129817208647888, -1.5087716882089164,
                                  0.05985391634062011};
    static const double adamw[] = {0.4755808761448951, -1.4265709286707409,
                                   0.05985391634062011};
    static const double sgd[] = {-3.3960526732644896, 0.44036519165149307,
                                 -0.3936973333333334};
    static const double clipped[] = {-1.6193178412733087, -0.6903410793633458,
                                     -0.2591408421187764};

    (void)state;
    expect_steps(OPT_ADAM, 0.1, 0, adam);
    expect_steps(OPT_ADAMW, 0.1, 0, adamw);
    expect_steps(OPT_SGD, 0.1, 0, sgd);
    expect_steps(OPT_SGD, 0, 2, clipped);
}

/* ---- the family ---- */

static struct model *
fit_small(enum small_kind kind, const char *const *set, unsigned threads,
          struct progress *progress, struct error *err)
{
    static const char *const targets[] = {"churn", "plan", "spend"};
    struct frame *f = small_frame(kind, 400, 7);
    struct params *p = params_new(mlp_family.params);
    struct model_options o = {.problem = -1, .patience = -1};
    struct pool *pool = pool_new(threads);
    struct train ctx = {.pool = pool, .progress = progress, .seed = 7};
    struct model *m = NULL;
    bool ok = true;

    for (; ok && set && *set; set++)
        ok = params_set_pair(p, *set, err);
    if (ok)
        m = model_fit(&mlp_family, p, f, targets[kind], &o, &ctx, err);
    pool_free(pool);
    params_free(p);
    frame_unref(f);
    return m;
}

static void
bytes_of(const struct model *m, struct buf *out)
{
    struct error err;

    assert_ok(model_save(m, out, &err), err);
}

static void
test_threads_do_not_change_a_byte(void **state)
{
    static const char *const set[] = {"epochs=4", "layers=24, drop0.2, 12",
                                      NULL};
    static const unsigned threads[] = {1, 2, 3, 7};
    struct error err;
    struct buf want;

    (void)state;
    for (enum small_kind k = SMALL_BINARY; k <= SMALL_REGRESSION; k++) {
        buf_init(&want);
        for (unsigned i = 0; i < 4; i++) {
            struct model *m = fit_small(k, set, threads[i], NULL, &err);
            struct buf got;

            if (!m)
                fail_msg("%s", err.message);
            buf_init(&got);
            bytes_of(m, i ? &got : &want);
            if (i > 0) {
                assert_int_equal(got.len, want.len);
                assert_memory_equal(got.data, want.data, want.len);
            }
            buf_fini(&got);
            model_unref(m);
        }
        buf_fini(&want);
    }
}

/* Logistic regression cannot learn that two signs differ. */
static void
test_it_learns_what_no_line_parts(void **state)
{
    enum { N = 600 };
    const char *names[] = {"a", "b", "same"};
    const enum col_type types[] = {COL_FLOAT64, COL_FLOAT64, COL_BOOL};
    struct error err;
    struct builder *b = builder_new(3, names, types, &err);
    struct params *p = params_new(mlp_family.params);
    struct train ctx = {.seed = 1};
    struct evaluation e;
    struct frame *f;
    struct model *m;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        double x = rng_normal(1, 1, i), y = rng_normal(1, 2, i);

        assert_true(builder_f64(b, 0, x, &err) && builder_f64(b, 1, y, &err) &&
                    builder_i64(b, 2, x * y > 0, &err) &&
                    builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    m = model_fit(&mlp_family, p, f, "same", NULL, &ctx, &err);
    assert_ok(m != NULL, err);
    assert_ok(model_evaluate(m, f, 1, NULL, &e, &err), err);
    assert_true(evaluation_find(&e, "auc")->value > 0.98);
    evaluation_fini(&e);
    model_unref(m);
    params_free(p);
    frame_unref(f);
}

static void
test_every_loss_and_optimizer_learns(void **state)
{
    static const char *const sets[][3] = {
        {"optimizer=adam", "loss=huber", "r2"},
        {"optimizer=sgd", "learning_rate=0.03", "r2"},
        {"loss=absolute + 0.5 squared", "schedule=cosine", "r2"},
        {"loss=quantile0.5", "schedule=step", "r2"},
        {"schedule=constant", "clip=1", "r2"},
        {"activation=elu", "warm_up=0.2", "r2"},
        {"activation=tanh", "batch_norm=false", "r2"}};
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const char *set[] = {sets[i][0], sets[i][1], "layers=32", "epochs=25",
                             NULL};
        struct model *m = fit_small(SMALL_REGRESSION, set, 1, NULL, &err);
        struct frame *f = small_frame(SMALL_REGRESSION, 300, 8);
        struct evaluation e;

        if (!m)
            fail_msg("%s %s: %s", set[0], set[1], err.message);
        assert_ok(model_evaluate(m, f, 1, NULL, &e, &err), err);
        /* The noise's variance is 1 of about 2.9: 0.65 is what there is. */
        if (!(evaluation_find(&e, sets[i][2])->value > 0.4))
            fail_msg("%s %s: r2 is %g", set[0], set[1],
                     evaluation_find(&e, "r2")->value);
        evaluation_fini(&e);
        frame_unref(f);
        model_unref(m);
    }
}

struct stopping {
    struct progress *progress;
    int64_t at;
};

static void
stop_at(void *ctx, const struct event *e)
{
    struct stopping *s = ctx;

    if (e->step == s->at && strncmp(e->name, "valid.", 6) == 0)
        progress_stop(s->progress);
}

static void
test_stopped_it_keeps_the_best_so_far(void **state)
{
    struct params *p = params_new(mlp_family.params);
    struct frame *f = small_frame(SMALL_BINARY, 400, 7);
    struct progress progress;
    struct stopping stop = {&progress, 3};
    struct train ctx = {
        .progress = &progress, .sink = {stop_at, &stop}, .seed = 7};
    struct error err;
    struct model *m;

    (void)state;
    progress_init(&progress);
    m = model_fit(&mlp_family, p, f, "churn", NULL, &ctx, &err);
    assert_ok(m != NULL, err);
    assert_non_null(strstr(model_params(m), "\"kept\":"));
    model_unref(m);
    /* Before the first epoch's end there is nothing to keep. */
    m = model_fit(&mlp_family, p, f, "churn", NULL, &ctx, &err);
    assert_null(m);
    assert_int_equal(err.code, ERR_CANCELLED);
    params_free(p);
    frame_unref(f);
}

static void
test_hostile_parameters_are_told(void **state)
{
    static const struct {
        const char *set, *why;
    } cases[] = {{"layers=0", "layer '0'"},
                 {"layers=64 conv", "conv32"},
                 {"layers=60000 60000", "too large"},
                 {"loss=auc", "expected one of logloss"},
                 {"dropout=1", "dropout"},
                 {"batch=0", "batch"},
                 {"learning_rate=inf", "learning_rate"},
                 {"optimizer=newton", "optimizer"},
                 {"learning_rate=10", "diverged"}};
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *set[] = {cases[i].set,        "batch_norm=false",
                             "optimizer=sgd",     "layers=64 64 64 64",
                             "schedule=constant", NULL};
        struct model *m;

        if (strncmp(cases[i].set, "learning_rate=10", 16) != 0)
            set[1] = NULL;
        m = fit_small(SMALL_BINARY, set, 1, NULL, &err);
        if (m)
            fail_msg("%s was taken", cases[i].set);
        if (!strstr(err.message, cases[i].why))
            fail_msg("%s: '%s'", cases[i].set, err.message);
    }
}

static void
test_every_failing_allocation_is_told(void **state)
{
    struct params *p = params_new(mlp_family.params);
    struct frame *f = small_frame(SMALL_BINARY, 100, 7);
    struct train ctx = {.seed = 7};
    struct error err;
    struct model *m = NULL;
    unsigned long n = 1;

    (void)state;
    assert_true(params_set_pair(p, "epochs=2", &err) &&
                params_set_pair(p, "layers=8", &err));
    for (; n < 3000 && !m; n++) {
        mem_fault_arm(n, false);
        m = model_fit(&mlp_family, p, f, "churn", NULL, &ctx, &err);
        mem_fault_arm(0, false);
        if (!m)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 60, 2999);
    model_unref(m);
    params_free(p);
    frame_unref(f);
}

static void
test_a_row_alone_is_answered_as_among_others(void **state)
{
    static const char *const set[] = {"epochs=2", NULL};
    struct frame *f = small_frame(SMALL_MULTICLASS, 300, 9);
    struct prediction all, one;
    struct error err;
    struct model *m = fit_small(SMALL_MULTICLASS, set, 2, NULL, &err);

    (void)state;
    assert_ok(m && model_predict(m, f, NULL, &all, &err), err);
    for (size_t i = 0; i < 300; i += 17) {
        struct frame *row = frame_slice(f, i, i + 1, &err);

        assert_ok(row && model_predict(m, row, NULL, &one, &err), err);
        assert_memory_equal(one.value, all.value + i * 3,
                            3 * sizeof *one.value);
        prediction_fini(&one);
        frame_unref(row);
    }
    prediction_fini(&all);
    frame_unref(f);
    model_unref(m);
}

/* Half of the rows say the contrary, and weigh nothing. */
static void
test_rows_without_weight_do_not_count(void **state)
{
    enum { N = 400 };
    const char *names[] = {"x", "w", "up"};
    const enum col_type types[] = {COL_FLOAT64, COL_FLOAT64, COL_BOOL};
    struct error err;
    struct builder *b = builder_new(3, names, types, &err);
    struct params *p = params_new(mlp_family.params);
    struct model_options o = {.problem = -1, .patience = -1, .weight = "w"};
    struct train ctx = {.seed = 1};
    struct evaluation e;
    struct frame *f;
    struct model *m;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        double x = rng_normal(1, 1, i);
        bool lies = rng_below(1, 2, i, 2) == 1;

        assert_true(builder_f64(b, 0, x, &err) &&
                    builder_f64(b, 1, lies ? 0 : 2.5, &err) &&
                    builder_i64(b, 2, (x > 0) != lies, &err) &&
                    builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    m = model_fit(&mlp_family, p, f, "up", &o, &ctx, &err);
    assert_ok(m != NULL, err);
    /* Weighted, as the model was learnt. */
    assert_ok(model_evaluate(m, f, 1, NULL, &e, &err), err);
    assert_non_null(strstr(model_valid_metrics(m), "\"auc\":"));
    assert_true(evaluation_find(&e, "auc")->value > 0.98);
    evaluation_fini(&e);
    model_unref(m);
    params_free(p);
    frame_unref(f);
}

static struct model *
fit_from(const struct frame *f, const char *const *set,
         const struct model_options *o, struct event_sink sink,
         struct error *err)
{
    struct params *p = params_new(mlp_family.params);
    struct train ctx = {.sink = sink, .seed = 3};
    struct model *m;

    for (; *set; set++)
        assert_true(params_set_pair(p, *set, err));
    m = model_fit(&mlp_family, p, f, "churn", o, &ctx, err);
    params_free(p);
    return m;
}

static void
test_it_goes_on_from_another_net(void **state)
{
    static const char *const first[] = {"epochs=8", "layers=12", NULL};
    static const char *const next[] = {"epochs=1", "layers=12",
                                       "learning_rate=1e-8", NULL};
    static const char *const other[] = {"epochs=1", "layers=13", NULL};
    struct frame *f = small_frame(SMALL_BINARY, 300, 7);
    struct model_options o = {.problem = -1, .patience = 0};
    struct event_sink none = {NULL, NULL};
    struct prediction a, b;
    struct error err;
    struct model *m = fit_from(f, first, &o, none, &err), *more;

    (void)state;
    assert_ok(m != NULL, err);
    o.init = m;
    more = fit_from(f, next, &o, none, &err);
    assert_ok(more != NULL, err);
    assert_ok(model_predict(m, f, NULL, &a, &err), err);
    assert_ok(model_predict(more, f, NULL, &b, &err), err);
    /* Norms have measured ten batches more. */
    for (size_t i = 0; i < a.n; i++)
        assert_close(b.value[i], a.value[i], 0.1);
    prediction_fini(&a);
    prediction_fini(&b);
    model_unref(more);
    assert_null(fit_from(f, other, &o, none, &err));
    assert_non_null(strstr(err.message, "its layers are others"));
    model_unref(m);
    frame_unref(f);
}

/* Stopped after three epochs, and gone on with: the bytes of a fit that was
 * not. */
static void
test_a_fit_that_was_ended_goes_on_to_the_same_bytes(void **state)
{
    static const char *const opts[] = {"optimizer=adamw", "optimizer=sgd"};
    char path[] = "/tmp/lathe-net-XXXXXX";
    struct frame *f = small_frame(SMALL_BINARY, 300, 7);
    struct error err;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (unsigned i = 0; i < 2; i++) {
        const char *set[] = {"epochs=6", "layers=8 drop0.2", opts[i], NULL};
        const char *other[] = {"epochs=6", "layers=9", NULL};
        struct model_options o = {.problem = -1, .patience = -1};
        struct progress progress;
        struct stopping stop = {&progress, 3};
        struct params *p = params_new(mlp_family.params);
        struct train ctx = {
            .progress = &progress, .sink = {stop_at, &stop}, .seed = 3};
        struct event_sink none = {NULL, NULL};
        struct buf want, got;
        struct model *m = fit_from(f, set, &o, none, &err);

        assert_ok(m != NULL, err);
        buf_init(&want);
        buf_init(&got);
        bytes_of(m, &want);
        model_unref(m);
        o.checkpoint = path;
        o.checkpoint_every = 1;
        progress_init(&progress);
        for (const char **s = set; *s; s++)
            assert_true(params_set_pair(p, *s, &err));
        m = model_fit(&mlp_family, p, f, "churn", &o, &ctx, &err);
        assert_ok(m != NULL, err);
        model_unref(m);
        o.resume = true;
        m = fit_from(f, set, &o, none, &err);
        assert_ok(m != NULL, err);
        bytes_of(m, &got);
        assert_int_equal(got.len, want.len);
        assert_memory_equal(got.data, want.data, want.len);
        model_unref(m);
        assert_null(fit_from(f, other, &o, none, &err));
        assert_int_equal(err.code, ERR_STATE);
        params_free(p);
        buf_fini(&want);
        buf_fini(&got);
    }
    unlink(path);
    frame_unref(f);
}

static void
count_loss(void *ctx, const struct event *e)
{
    *(unsigned *)ctx += strcmp(e->name, "valid.loss") == 0;
}

static void
test_what_it_learns_by_may_stop_it(void **state)
{
    static const char *const focal[] = {"epochs=3", "layers=6", "loss=focal",
                                        NULL};
    static const char *const usual[] = {"epochs=3", "layers=6", NULL};
    struct frame *f = small_frame(SMALL_BINARY, 300, 7);
    struct model_options o = {.problem = -1, .patience = -1};
    unsigned n = 0;
    struct event_sink sink = {count_loss, &n};
    struct error err;
    struct model *m = fit_from(f, usual, &o, sink, &err);

    (void)state;
    assert_ok(m != NULL, err);
    assert_int_equal(n, 0);
    model_unref(m);
    /* Of the usual metrics none is the focal loss. */
    m = fit_from(f, focal, &o, sink, &err);
    assert_ok(m != NULL, err);
    assert_int_equal(n, 3);
    model_unref(m);
    o.stop = "loss";
    m = fit_from(f, usual, &o, sink, &err);
    assert_ok(m != NULL, err);
    assert_int_equal(n, 6);
    model_unref(m);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_losses_are_what_their_names_say),
        cmocka_unit_test(test_gradients_of_losses_are_their_slopes),
        cmocka_unit_test(test_a_loss_that_is_none_is_refused),
        cmocka_unit_test(test_schedules_rise_and_fall_as_they_should),
        cmocka_unit_test(test_steps_agree_with_torch),
        cmocka_unit_test(test_threads_do_not_change_a_byte),
        cmocka_unit_test(test_it_learns_what_no_line_parts),
        cmocka_unit_test(test_every_loss_and_optimizer_learns),
        cmocka_unit_test(test_stopped_it_keeps_the_best_so_far),
        cmocka_unit_test(test_hostile_parameters_are_told),
        cmocka_unit_test(test_every_failing_allocation_is_told),
        cmocka_unit_test(test_a_row_alone_is_answered_as_among_others),
        cmocka_unit_test(test_rows_without_weight_do_not_count),
        cmocka_unit_test(test_it_goes_on_from_another_net),
        cmocka_unit_test(test_a_fit_that_was_ended_goes_on_to_the_same_bytes),
        cmocka_unit_test(test_what_it_learns_by_may_stop_it),
    };

    (void)cmocka_run_group_tests_name("mlp", tests, NULL, NULL);
    return 0;
}
