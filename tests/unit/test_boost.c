/* tests/unit/test_boost.c -- rounds that see some of the rows, or leave trees
 * out.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/gbdt.h"
#include "tests/lib/close.h"

enum { COLS = 4 };

struct table {
    double *x;
    struct design_column column[COLS];
    struct design *d;
    struct target t;
};

/* Numbers, one column with gaps, a category; a class or a number that follows
 * them with noise. */
static struct table *
made(size_t n, enum problem problem, uint64_t seed)
{
    struct table *s = mem_new(sizeof *s);
    struct error err;

    s->x = mem_new((n * COLS + 1) * sizeof *s->x);
    s->t = (struct target){.problem = problem,
                           .n = n,
                           .y = mem_new((n + 1) * sizeof(double)),
                           .n_classes = problem == PROBLEM_REGRESSION ? 0
                                        : problem == PROBLEM_BINARY   ? 2
                                                                      : 3};
    for (size_t c = 0; c < COLS; c++)
        s->column[c] = (struct design_column){"x", c == 3 ? 5 : 0};
    for (size_t i = 0; i < n; i++) {
        double v;

        for (size_t c = 0; c < 3; c++)
            s->x[c * n + i] = rng_normal(seed, c, i);
        s->x[3 * n + i] = (double)rng_below(seed, 9, i, 5);
        if (i % 9 == 4)
            s->x[n + i] = NAN;
        v = s->x[i] + (isnan(s->x[n + i]) ? 1 : s->x[n + i] * s->x[n + i] - 1) +
            (s->x[3 * n + i] < 2) + 0.7 * rng_normal(seed, 5, i);
        s->t.y[i] = problem == PROBLEM_REGRESSION ? v
                    : problem == PROBLEM_BINARY   ? v > 0.3
                                                  : (v > 0) + (v > 1);
    }
    s->d = design_dense(s->x, n, COLS, s->column, &err);
    assert_ok(s->d, err);
    return s;
}

static void
drop(struct table *s)
{
    design_free(s->d);
    free(s->x);
    free(s->t.y);
    free(s);
}

struct told {
    struct progress *progress;
    int64_t stop_at;
    double best;
    int64_t best_step, first_step, last_step;
};

static const struct checkpoint *checkpoint; /* of the fits to come */
static const void *init;
static unsigned long fault; /* the allocation that fails; 0: none */

static void
keep_event(void *ctx, const struct event *e)
{
    struct told *t = ctx;

    if (t->stop_at > 0 && e->step >= t->stop_at)
        progress_stop(t->progress);
    if (strncmp(e->name, "valid.", 6) != 0)
        return;
    if (t->best_step == 0 || e->value < t->best) {
        t->best = e->value;
        t->best_step = e->step;
    }
    if (t->first_step == 0)
        t->first_step = e->step;
    t->last_step = e->step;
}

static void *
fit(const struct table *s, const struct table *valid, const char *const *set,
    const struct train *ctx, struct error *err)
{
    struct params *p = params_new(gbdt_family.params);
    struct table *none = made(0, s->t.problem, 1);
    const struct metric *metric = metric_default(s->t.problem);
    struct fit_data d = {.train = s->d,
                         .valid = valid ? valid->d : none->d,
                         .y = &s->t,
                         .y_valid = valid ? &valid->t : &none->t,
                         .metrics = &metric,
                         .n_metrics = 1,
                         .patience = 15,
                         .checkpoint = checkpoint,
                         .init = init};
    void *m;

    for (; *set; set++)
        assert_ok(params_set_pair(p, *set, err), *err);
    if (fault)
        mem_fault_arm(fault, false);
    m = gbdt_family.fit(&d, p, ctx, NULL, err);
    if (fault)
        mem_fault_arm(0, false);
    params_free(p);
    drop(none);
    return m;
}

static void *
fit_ok(const struct table *s, const struct table *valid, const char *const *set,
       const struct train *ctx)
{
    struct error err;
    void *m = fit(s, valid, set, ctx, &err);

    assert_ok(m, err);
    return m;
}

static void
save(const void *m, struct buf *out)
{
    struct st_writer *w = st_writer_new();
    struct error err;

    buf_init(out);
    gbdt_family.save(m, w, NULL);
    assert_ok(st_write(w, out, &err), err);
    st_writer_free(w);
}

static void
assert_same_model(const void *a, const void *b)
{
    struct buf x, y;

    save(a, &x);
    save(b, &y);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    buf_fini(&x);
    buf_fini(&y);
}

static double
loss_of(const void *m, const struct table *s)
{
    size_t k = s->t.problem == PROBLEM_MULTICLASS ? 3 : 1;
    double *p = mem_new(s->t.n * k * sizeof *p), v;
    struct error err;

    assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
    v = metric_score(metric_default(s->t.problem)->kind, s->t.problem, s->t.y,
                     p, s->t.n, k);
    free(p);
    return v;
}

/* ---- rows by their gradients ---- */

/* When those of large gradients and those that stand for the others are all
 * rows, nobody stands for anybody. */
static void
test_all_rows_by_gradient_are_all_rows(void **state)
{
    const char *plain[] = {"trees=20", "row_share=1", "learning_rate=0.5",
                           "min_rows=1", NULL};
    const char *goss[] = {"trees=20",
                          "goss=true",
                          "top_share=0.3",
                          "other_share=0.7",
                          "learning_rate=0.5",
                          "min_rows=1",
                          NULL};
    struct table *s = made(700, PROBLEM_REGRESSION, 1);
    struct train ctx = {.seed = 1};
    void *m = fit_ok(s, NULL, plain, &ctx), *n = fit_ok(s, NULL, goss, &ctx);

    (void)state;
    assert_same_model(m, n);
    gbdt_family.free(m);
    gbdt_family.free(n);
    drop(s);
}

static void
test_rows_by_gradient_learn_nearly_as_much(void **state)
{
    static const enum problem problems[] = {PROBLEM_REGRESSION, PROBLEM_BINARY,
                                            PROBLEM_MULTICLASS};
    const char *plain[] = {"trees=60", "row_share=1", "learning_rate=0.2",
                           NULL};
    const char *goss[] = {"trees=60", "goss=true", "learning_rate=0.2", NULL};
    const char *few[] = {"trees=60", "row_share=0.3", "learning_rate=0.2",
                         NULL};
    struct train ctx = {.seed = 1};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct table *s = made(3000, problems[i], 1);
        struct table *other = made(3000, problems[i], 2);
        void *m = fit_ok(s, NULL, plain, &ctx),
             *n = fit_ok(s, NULL, goss, &ctx), *o = fit_ok(s, NULL, few, &ctx);

        assert_true(loss_of(n, other) < 1.1 * loss_of(m, other));
        assert_true(loss_of(n, other) < 1.05 * loss_of(o, other));
        gbdt_family.free(m);
        gbdt_family.free(n);
        gbdt_family.free(o);
        drop(s);
        drop(other);
    }
}

/* Values of leaves that are found anew know nothing of their neighbours. */
static void
test_a_trend_is_refused_where_leaves_are_renewed(void **state)
{
    const char *renewed[] = {"loss=absolute", "monotone=x+", NULL};
    const char *plain[] = {"monotone=x+", "trees=2", NULL};
    struct table *s = made(100, PROBLEM_REGRESSION, 1);
    struct train ctx = {.seed = 1};
    struct error err;
    void *m;

    (void)state;
    assert_null(fit(s, NULL, renewed, &ctx, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_non_null(strstr(err.message, "monotone: absolute, quantile and"));
    m = fit(s, NULL, plain, &ctx, &err);
    assert_non_null(m);
    gbdt_family.free(m);
    drop(s);
}

static void
test_shares_past_all_rows_are_refused(void **state)
{
    const char *much[] = {"goss=true", "top_share=0.6", "other_share=0.5",
                          NULL};
    const char *both[] = {"goss=true", "row_share=0.5", NULL};
    struct table *s = made(100, PROBLEM_REGRESSION, 1);
    struct train ctx = {.seed = 1};
    struct error err;

    (void)state;
    assert_null(fit(s, NULL, much, &ctx, &err));
    assert_string_equal(err.message,
                        "top_share 0.6 and other_share 0.5 are more than all");
    assert_null(fit(s, NULL, both, &ctx, &err));
    assert_string_equal(err.message,
                        "goss chooses the rows by itself: leave out row_share");
    drop(s);
}

/* ---- trees left out ---- */

/* All k trees before are left out each round, so that each learns the whole
 * difference D of two groups: of it the sum has
 * S(k + 1) = (k S(k) + rate) / (k + rate), S(1) = rate. */
static void
test_weights_of_trees_left_out_keep_the_sum(void **state)
{
    const char *set[] = {"trees=9",    "row_share=1",  "learning_rate=0.25",
                         "l2=0",       "drop_rate=1",  "skip_drop=0",
                         "min_rows=1", "max_drop=100", NULL};
    struct table *s = made(40, PROBLEM_REGRESSION, 1);
    struct train ctx = {.seed = 1};
    struct error err;
    double p[40], sum = 0.25;
    void *m;

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        for (size_t c = 0; c < COLS; c++)
            s->x[c * 40 + i] = c == 0 ? (double)(i < 20) : 0;
        s->t.y[i] = i < 20 ? 3 : -1;
    }
    for (size_t k = 1; k < 9; k++)
        sum = ((double)k * sum + 0.25) / ((double)k + 0.25);
    m = fit_ok(s, NULL, set, &ctx);
    assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
    assert_close(p[0], 1 + 2 * sum, 1e-6);
    assert_close(p[39], 1 - 2 * sum, 1e-6);
    gbdt_family.free(m);
    drop(s);
}

/* Rounds after the best one have changed its leaves; the model has them as
 * they were. */
static void
test_the_best_round_comes_back_with_its_leaves(void **state)
{
    static const enum problem problems[] = {PROBLEM_REGRESSION, PROBLEM_BINARY,
                                            PROBLEM_MULTICLASS};
    const char *set[] = {"drop_rate=0.2", "skip_drop=0.3", "trees=200",
                         "learning_rate=0.3", NULL};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct table *s = made(1500, problems[i], 1);
        struct table *valid = made(600, problems[i], 2);
        struct told told = {.best_step = 0};
        struct train ctx = {.seed = 1, .sink = {keep_event, &told}};
        void *m = fit_ok(s, valid, set, &ctx);

        assert_int_equal(gbdt_family.rounds(m), told.best_step);
        assert_int_equal(told.last_step, told.best_step + 15);
        assert_close(loss_of(m, valid), told.best, 1e-7);
        gbdt_family.free(m);
        drop(s);
        drop(valid);
    }
}

static void
test_stopped_among_trees_left_out_leaves_are_sound(void **state)
{
    const char *set[] = {"drop_rate=0.5", "skip_drop=0", "trees=100000", NULL};
    struct table *s = made(1500, PROBLEM_BINARY, 1);
    struct table *valid = made(600, PROBLEM_BINARY, 2);
    struct progress progress;
    struct told told = {.progress = &progress, .stop_at = 12};
    struct train ctx = {
        .seed = 1, .progress = &progress, .sink = {keep_event, &told}};
    void *m;

    (void)state;
    progress_init(&progress);
    m = fit_ok(s, valid, set, &ctx);
    assert_true(gbdt_family.rounds(m) >= 1 && gbdt_family.rounds(m) <= 13);
    assert_close(loss_of(m, valid), told.best, 0.02);
    gbdt_family.free(m);
    drop(s);
    drop(valid);
}

/* ---- going on ---- */

static const char PATH[] = "test_boost.point";

static const struct {
    enum problem problem;
    const char *set[8];
} going_on[] = {
    {PROBLEM_REGRESSION, {"trees=40", "row_share=0.7", "col_share=0.6"}},
    {PROBLEM_MULTICLASS, {"trees=40", "row_share=0.7"}},
    {PROBLEM_BINARY,
     {"trees=40", "drop_rate=0.3", "skip_drop=0.2", "learning_rate=0.4"}},
    {PROBLEM_BINARY, {"trees=40", "goss=true", "learning_rate=0.3"}},
    {PROBLEM_REGRESSION, {"trees=40", "loss=huber"}},
};
enum { GOING_ON = sizeof going_on / sizeof *going_on };

static void
test_a_fit_that_was_stopped_goes_on_to_the_same_model(void **state)
{
    struct checkpoint write = {.path = PATH, .key = "k", .every_rounds = 5};
    struct checkpoint resume = {
        .path = PATH, .key = "k", .every_rounds = 1000, .resume = true};

    (void)state;
    for (size_t i = 0; i < GOING_ON; i++) {
        struct table *s = made(900, going_on[i].problem, 1);
        struct table *valid = made(300, going_on[i].problem, 2);
        struct progress progress;
        struct told stopped = {.progress = &progress, .stop_at = 13};
        struct told told = {.stop_at = 0};
        struct train whole = {.seed = 3},
                     cut = {.seed = 3,
                            .progress = &progress,
                            .sink = {keep_event, &stopped}},
                     rest = {.seed = 3, .sink = {keep_event, &told}};
        void *m, *n;

        m = fit_ok(s, valid, going_on[i].set, &whole);
        progress_init(&progress);
        checkpoint = &write;
        gbdt_family.free(fit_ok(s, valid, going_on[i].set, &cut));
        checkpoint = &resume;
        n = fit_ok(s, valid, going_on[i].set, &rest);
        assert_int_equal(told.first_step, 11); /* 10 were kept */
        assert_same_model(m, n);
        checkpoint = NULL;
        gbdt_family.free(m);
        gbdt_family.free(n);
        remove(PATH);
        drop(s);
        drop(valid);
    }
}

/* Every failing allocation, read and write is told; what was there is whole
 * or not there. */
static void
test_failures_to_keep_a_checkpoint_are_told(void **state)
{
    struct table *s = made(120, PROBLEM_BINARY, 1);
    struct checkpoint c = {
        .path = PATH, .key = "k", .every_rounds = 1, .resume = true};
    const char *set[] = {"trees=2", "drop_rate=0.9", "skip_drop=0", NULL};
    struct train ctx = {.seed = 1};
    struct table *none = made(0, PROBLEM_BINARY, 1);
    struct fit_data d = {.train = s->d,
                         .valid = none->d,
                         .y = &s->t,
                         .y_valid = &none->t,
                         .checkpoint = &c};
    void *m = NULL;

    (void)state;
    remove(PATH);
    for (unsigned long n = 1; !m; n++) {
        struct params *p = params_new(gbdt_family.params);
        struct error err;

        for (size_t i = 0; set[i]; i++)
            assert_ok(params_set_pair(p, set[i], &err), err);
        mem_fault_arm(n, true);
        m = gbdt_family.fit(&d, p, &ctx, NULL, &err);
        mem_fault_arm(0, false);
        if (!m)
            assert_true(err.code == ERR_NOMEM || err.code == ERR_IO);
        params_free(p);
        assert_true(n < 5000);
    }
    gbdt_family.free(m);
    remove(PATH);
    drop(s);
    drop(none);
}

static void
test_a_damaged_checkpoint_is_refused_or_harmless(void **state)
{
    struct table *s = made(60, PROBLEM_BINARY, 1);
    struct checkpoint c = {
        .path = PATH, .key = "k", .every_rounds = 2, .resume = true};
    const char *set[] = {"trees=4", "drop_rate=0.9", "skip_drop=0", NULL};
    struct train ctx = {.seed = 1};
    struct error err;
    struct buf b;
    size_t refused = 0;

    (void)state;
    remove(PATH);
    checkpoint = &c;
    gbdt_family.free(fit_ok(s, NULL, set, &ctx));
    buf_init(&b);
    assert_ok(file_read(PATH, 1 << 20, &b, &err), err);
    c.every_rounds = 1000;
    for (size_t i = 0; i < b.len; i += 3) {
        char old = b.data[i];
        void *m;

        b.data[i] = (char)(old ^ 0x81);
        assert_ok(file_replace(PATH, b.data, b.len, 0644, &err), err);
        m = fit(s, NULL, set, &ctx, &err);
        refused += !m;
        gbdt_family.free(m);
        b.data[i] = old;
    }
    assert_true(refused > 100);
    for (size_t len = 0; len < b.len; len += 37) {
        assert_ok(file_replace(PATH, b.data, len, 0644, &err), err);
        assert_null(fit(s, NULL, set, &ctx, &err));
    }
    checkpoint = NULL;
    remove(PATH);
    buf_fini(&b);
    drop(s);
}

/* Options that the program did not have when the checkpoint was written differ
 * where they are set. */
static void
test_what_is_not_set_is_no_difference_of_a_checkpoint(void **state)
{
    struct table *s = made(60, PROBLEM_BINARY, 1);
    struct checkpoint c = {.path = PATH,
                           .key = "k",
                           .of = "{\"seed\":1,\"stop\":\"\"}",
                           .every_rounds = 2,
                           .resume = true};
    const char *set[] = {"trees=4", NULL};
    struct train ctx = {.seed = 1};
    struct error err;

    (void)state;
    remove(PATH);
    checkpoint = &c;
    gbdt_family.free(fit_ok(s, NULL, set, &ctx));
    c.key = "another";
    c.of = "{\"seed\":2,\"stop\":null,\"drop\":[],\"weight\":null}";
    assert_null(fit(s, NULL, set, &ctx, &err));
    assert_string_equal(err.message,
                        "test_boost.point: it is of another fit: seed is 1 "
                        "there, 2 here");
    checkpoint = NULL;
    remove(PATH);
    drop(s);
}

static void
test_a_checkpoint_of_another_fit_is_refused(void **state)
{
    struct table *s = made(60, PROBLEM_BINARY, 1);
    struct checkpoint c = {
        .path = PATH, .key = "k", .every_rounds = 2, .resume = true};
    const char *set[] = {"trees=4", NULL};
    struct train ctx = {.seed = 1};
    struct error err;

    (void)state;
    remove(PATH);
    checkpoint = &c;
    gbdt_family.free(fit_ok(s, NULL, set, &ctx));
    c.key = "another";
    assert_null(fit(s, NULL, set, &ctx, &err));
    assert_int_equal(err.code, ERR_STATE);
    assert_string_equal(err.message,
                        "test_boost.point: it is of another fit: other rows, "
                        "parameters or seed");
    checkpoint = NULL;
    remove(PATH);
    drop(s);
}

/* With nothing drawn, 20 rounds and then 15 are 35, to rounding: what went
 * before is added up in another order. */
static void
test_rounds_go_on_from_a_model(void **state)
{
    const char *first[] = {"trees=20", "row_share=1", NULL};
    const char *more[] = {"trees=15", "row_share=1", NULL};
    const char *whole[] = {"trees=35", "row_share=1", NULL};
    static const enum problem problems[] = {PROBLEM_REGRESSION, PROBLEM_BINARY,
                                            PROBLEM_MULTICLASS};
    struct train ctx = {.seed = 1};
    struct error err;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct table *s = made(800, problems[i], 1);
        size_t k = i == 2 ? 3 : 1;
        double *p = mem_new(800 * k * sizeof *p),
               *q = mem_new(800 * k * sizeof *q), a[COLS], b[COLS];
        void *m = fit_ok(s, NULL, whole, &ctx), *half, *n;

        half = fit_ok(s, NULL, first, &ctx);
        init = half;
        n = fit_ok(s, NULL, more, &ctx);
        init = NULL;
        assert_int_equal(gbdt_trees(n), 35 * k);
        assert_int_equal(gbdt_family.rounds(n), 15);
        assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
        assert_ok(gbdt_family.score(n, s->d, NULL, q, &err), err);
        for (size_t r = 0; r < 800 * k; r++)
            assert_close(p[r], q[r], 1e-9);
        gbdt_family.importance(m, a);
        gbdt_family.importance(n, b);
        for (size_t c = 0; c < COLS; c++)
            assert_close(a[c], b[c], 1e-6);
        gbdt_family.free(half);
        gbdt_family.free(m);
        gbdt_family.free(n);
        free(p);
        free(q);
        drop(s);
    }
}

/* Rows of which a level is gone: the trees that know it keep it. */
static void
test_other_rows_do_not_change_what_was_learnt(void **state)
{
    const char *first[] = {"trees=20", NULL},
               *none[] = {"trees=1", "gamma=1e9", NULL};
    struct table *s = made(800, PROBLEM_BINARY, 1);
    struct table *other = made(500, PROBLEM_BINARY, 2);
    struct train ctx = {.seed = 1};
    struct error err;
    double p[800], q[800];
    void *m = fit_ok(s, NULL, first, &ctx), *n;

    (void)state;
    for (size_t i = 0; i < 500; i++)
        if (other->x[3 * 500 + i] > 2)
            other->x[3 * 500 + i] = NAN;
    init = m;
    n = fit_ok(other, NULL, none, &ctx);
    init = NULL;
    /* a round that adds one number to all */
    assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
    assert_ok(gbdt_family.score(n, s->d, NULL, q, &err), err);
    for (size_t i = 1; i < 800; i++)
        assert_close(log(p[i] / (1 - p[i])) - log(q[i] / (1 - q[i])),
                     log(p[0] / (1 - p[0])) - log(q[0] / (1 - q[0])), 1e-9);
    gbdt_family.free(m);
    gbdt_family.free(n);
    drop(s);
    drop(other);
}

/* The rows that were learnt from say again what they said, whatever share is
 * kept; other rows change values, and no split. */
static void
test_leaves_take_values_of_other_rows(void **state)
{
    static const struct {
        enum problem problem;
        const char *loss;
    } check[] = {{PROBLEM_REGRESSION, "loss=squared"},
                 {PROBLEM_REGRESSION, "loss=absolute"},
                 {PROBLEM_BINARY, "loss=logistic"},
                 {PROBLEM_MULTICLASS, "loss=softmax"}};
    struct train ctx = {.seed = 1};
    struct error err;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const char *first[] = {"trees=25", "row_share=1", "col_share=1",
                               check[i].loss, NULL};
        const char *anew[] = {"refit_keep=0", NULL};
        const char *half[] = {"refit_keep=0.5", NULL};
        const char *kept[] = {"refit_keep=1", NULL};
        struct table *s = made(900, check[i].problem, 1);
        struct table *other = made(900, check[i].problem, 7);
        size_t k = i == 3 ? 3 : 1;
        double *p = mem_new(900 * k * sizeof *p),
               *q = mem_new(900 * k * sizeof *q);
        void *m = fit_ok(s, NULL, first, &ctx), *n, *o;

        for (size_t r = 0; r < 900; r++) /* all is different */
            other->t.y[r] = i < 2    ? other->t.y[r] + 5
                            : i == 2 ? 1 - other->t.y[r]
                                     : fmod(other->t.y[r] + 1, 3);
        init = m;
        for (size_t share = 0; share < 3; share++) {
            n = fit_ok(s, NULL,
                       share == 0   ? anew
                       : share == 1 ? half
                                    : kept,
                       &ctx);
            assert_int_equal(gbdt_trees(n), 25 * k);
            assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
            assert_ok(gbdt_family.score(n, s->d, NULL, q, &err), err);
            for (size_t r = 0; r < 900 * k; r++)
                assert_close(q[r], p[r], 1e-5);
            gbdt_family.free(n);
        }
        n = fit_ok(other, NULL, anew, &ctx);
        o = fit_ok(other, NULL, kept, &ctx);
        assert_true(loss_of(n, other) < 0.6 * loss_of(o, other));
        init = NULL;
        gbdt_family.free(n);
        gbdt_family.free(o);
        gbdt_family.free(m);
        free(p);
        free(q);
        drop(s);
        drop(other);
    }
}

/* Gradients, and values of leaves, are kept in 32 bits. */
static void
test_targets_past_any_number_are_refused_by_leaves(void **state)
{
    static const char *const loss[] = {"loss=squared", "loss=absolute"};
    const char *anew[] = {"refit_keep=0", NULL};
    struct table *s = made(300, PROBLEM_REGRESSION, 1);
    struct table *other = made(300, PROBLEM_REGRESSION, 2);
    struct train ctx = {.seed = 1};
    struct error err;

    (void)state;
    for (size_t r = 0; r < 300; r++)
        other->t.y[r] = other->t.y[r] * 1e45;
    for (size_t i = 0; i < 2; i++) {
        const char *first[] = {"trees=5", loss[i], NULL};
        void *m = fit_ok(s, NULL, first, &ctx);

        init = m;
        assert_null(fit(other, NULL, anew, &ctx, &err));
        init = NULL;
        assert_int_equal(err.code, ERR_RANGE);
        assert_string_equal(err.message,
                            "gradients are past any number: the target's "
                            "values or the weights are too large");
        gbdt_family.free(m);
    }
    drop(s);
    drop(other);
}

static void
test_no_memory_for_new_values_is_an_error(void **state)
{
    static const char *const loss[] = {"loss=squared", "loss=absolute"};
    const char *anew[] = {"refit_keep=0.5", NULL};
    struct table *s = made(100, PROBLEM_REGRESSION, 1);
    struct train ctx = {.seed = 1};
    struct error err;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *first[] = {"trees=3", loss[i], NULL};
        void *m = fit_ok(s, NULL, first, &ctx), *n = NULL;

        init = m;
        for (fault = 1; !n; fault++) {
            n = fit(s, NULL, anew, &ctx, &err);
            if (!n)
                assert_int_equal(err.code, ERR_NOMEM);
            assert_true(fault < 5000);
        }
        fault = 0;
        init = NULL;
        gbdt_family.free(n);
        gbdt_family.free(m);
    }
    drop(s);
}

/* Gains grow with the square of what is learnt, and a model file with one that
 * is infinite cannot be read back. */
static void
test_gains_past_any_number_are_the_largest(void **state)
{
    const char *set[] = {"trees=5", NULL};
    struct table *s = made(300, PROBLEM_REGRESSION, 1);
    struct train ctx = {.seed = 1};
    double *gain = mem_new(design_cols(s->d) * sizeof *gain);
    void *m;

    (void)state;
    for (size_t r = 0; r < 300; r++)
        s->t.y[r] *= 1e30;
    m = fit_ok(s, NULL, set, &ctx);
    gbdt_family.importance(m, gain);
    for (size_t c = 0; c < design_cols(s->d); c++)
        assert_true(isfinite(gain[c]));
    free(gain);
    gbdt_family.free(m);
    drop(s);
}

static void
test_values_alone_want_a_model(void **state)
{
    const char *set[] = {"refit_keep=0.9", NULL};
    struct table *s = made(100, PROBLEM_BINARY, 1);
    struct train ctx = {.seed = 1};
    struct error err;

    (void)state;
    assert_null(fit(s, NULL, set, &ctx, &err));
    assert_string_equal(err.message, "refit_keep gives other values to the "
                                     "leaves of a model: name it by init");
    drop(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_rows_by_gradient_are_all_rows),
        cmocka_unit_test(test_rows_by_gradient_learn_nearly_as_much),
        cmocka_unit_test(test_a_trend_is_refused_where_leaves_are_renewed),
        cmocka_unit_test(test_shares_past_all_rows_are_refused),
        cmocka_unit_test(test_weights_of_trees_left_out_keep_the_sum),
        cmocka_unit_test(test_the_best_round_comes_back_with_its_leaves),
        cmocka_unit_test(test_stopped_among_trees_left_out_leaves_are_sound),
        cmocka_unit_test(test_a_fit_that_was_stopped_goes_on_to_the_same_model),
        cmocka_unit_test(test_failures_to_keep_a_checkpoint_are_told),
        cmocka_unit_test(test_a_damaged_checkpoint_is_refused_or_harmless),
        cmocka_unit_test(test_a_checkpoint_of_another_fit_is_refused),
        cmocka_unit_test(test_what_is_not_set_is_no_difference_of_a_checkpoint),
        cmocka_unit_test(test_rounds_go_on_from_a_model),
        cmocka_unit_test(test_other_rows_do_not_change_what_was_learnt),
        cmocka_unit_test(test_leaves_take_values_of_other_rows),
        cmocka_unit_test(test_targets_past_any_number_are_refused_by_leaves),
        cmocka_unit_test(test_no_memory_for_new_values_is_an_error),
        cmocka_unit_test(test_gains_past_any_number_are_the_largest),
        cmocka_unit_test(test_values_alone_want_a_model),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
