/* Boosted trees as a family: fit, stop, score, save, load.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/gbdt.h"
#include "tests/lib/close.h"

enum { MAX_COLS = 16, MAX_EVENTS = 8000 };

/* ---- tables made by hand ---- */

struct table {
    size_t n, cols;
    double *x;
    struct design_column *column;
    struct design *d;
    struct target y;
};

static struct table
table_new(size_t n, size_t cols, enum problem problem, size_t n_classes)
{
    struct table t = {.n = n, .cols = cols};
    struct error err;

    t.x = calloc(n * cols + 1, sizeof *t.x);
    t.y = (struct target){.problem = problem, .n = n, .n_classes = n_classes};
    t.y.y = calloc(n + 1, sizeof *t.y.y);
    t.column = calloc(MAX_COLS, sizeof *t.column);
    assert_true(t.x && t.y.y && t.column);
    for (size_t c = 0; c < cols; c++)
        t.column[c] = (struct design_column){"x", 0};
    t.d = design_dense(t.x, n, cols, t.column, &err);
    assert_ok(t.d, err);
    return t;
}

static void
table_free(struct table *t)
{
    design_free(t->d);
    free(t->column);
    free(t->x);
    free(t->y.y);
    free(t->y.weight);
    free(t->y.group);
}

/* Numbers, a category of 6, missing values, infinities; a target that follows
 * them with noise. */
static struct table
mixed(size_t n, enum problem problem, size_t n_classes, uint64_t seed)
{
    struct table t = table_new(n, 12, problem, n_classes);

    t.column[3].n_levels = 6;
    for (size_t i = 0; i < n; i++) {
        double *x = t.x + i, s;

        for (size_t c = 0; c < t.cols; c++)
            x[c * n] = rng_normal(seed, c, i);
        x[3 * n] = (double)rng_below(seed, 100, i, 6);
        if (rng_below(seed, 101, i, 10) == 0)
            x[n] = NAN;
        if (rng_below(seed, 102, i, 50) == 0)
            x[2 * n] = i % 2 ? INFINITY : -INFINITY;
        x[5 * n] = round(x[5 * n]);
        s = x[0] + (isnan(x[n]) ? 1 : x[n] * x[n] - 1) +
            (x[3 * n] < 2 ? 1 : -0.5) + 0.5 * rng_normal(seed, 103, i);
        if (problem == PROBLEM_REGRESSION)
            t.y.y[i] = 10 * s + 100;
        else if (problem == PROBLEM_BINARY)
            t.y.y[i] = s > 0.3;
        else
            t.y.y[i] = s < -1 ? 0 : s < 1 ? 1 : (double)n_classes - 1;
    }
    return t;
}

/* ---- fitting ---- */

struct log {
    struct progress *progress;
    int64_t stop_at; /* round after which the user stops; 0: never */
    size_t n;
    char name[MAX_EVENTS][24];
    int64_t step[MAX_EVENTS];
    double value[MAX_EVENTS];
};

static void
keep_event(void *ctx, const struct event *e)
{
    struct log *l = ctx;

    assert_true(l->n < MAX_EVENTS);
    snprintf(l->name[l->n], sizeof l->name[0], "%s", e->name);
    l->step[l->n] = e->step;
    l->value[l->n++] = e->value;
    if (l->stop_at > 0 && e->step >= l->stop_at)
        progress_stop(l->progress);
}

struct fitting {
    const char *set[10]; /* "name=value" */
    unsigned patience;
    const struct metric *metric[3];
    size_t n_metrics;
    struct train ctx;
    struct buf chosen;
    struct error err;
};

static void *
fit(const struct table *t, const struct table *valid, struct fitting *f)
{
    struct error err;
    struct table none = {.d = NULL};
    struct params *p = params_new(gbdt_family.params);
    struct fit_data d = {.train = t->d,
                         .y = &t->y,
                         .patience = f->patience,
                         .metrics = f->metric,
                         .n_metrics = f->n_metrics};
    struct json_writer w;
    void *m;

    for (size_t i = 0; i < 10 && f->set[i]; i++)
        assert_ok(params_set_pair(p, f->set[i], &err), err);
    if (!valid)
        none = table_new(0, t->cols, t->y.problem, t->y.n_classes);
    d.valid = valid ? valid->d : none.d;
    d.y_valid = valid ? &valid->y : &none.y;
    buf_init(&f->chosen);
    json_writer_init(&w, &f->chosen);
    json_open(&w, '{');
    m = gbdt_family.fit(&d, p, &f->ctx, &w, &f->err);
    json_close(&w, '}');
    if (!valid)
        table_free(&none);
    params_free(p);
    return m;
}

static void *
fit_ok(const struct table *t, const struct table *valid, struct fitting *f)
{
    void *m = fit(t, valid, f);

    assert_ok(m, f->err);
    buf_fini(&f->chosen);
    return m;
}

/* All rows, no validation, nothing sampled. */
static struct fitting
plain_fit(const char *trees)
{
    return (struct fitting){.set = {trees, "row_share=1", "col_share=1"},
                            .ctx = {.seed = 3}};
}

static double *
score(const void *m, const struct table *t, struct pool *pool)
{
    size_t k = t->y.problem == PROBLEM_MULTICLASS ? t->y.n_classes : (size_t)1;
    double *out = calloc(t->n * k + 1, sizeof *out);
    struct error err;

    assert_non_null(out);
    assert_ok(gbdt_family.score(m, t->d, pool, out, &err), err);
    return out;
}

/* What each column adds to the margin of each row, then the base; pairs too,
 * against the rows themselves. */
static double *
shares(const void *m, const struct table *t, bool pairs)
{
    uint32_t feature[MAX_COLS];
    size_t width = (t->cols + 1) * (pairs ? t->cols + 1 : 1);
    struct attribution a = {.rows = t->d,
                            .background = pairs ? t->d : NULL,
                            .feature = feature,
                            .n_features = t->cols,
                            .pairs = pairs};
    struct error err;

    for (uint32_t c = 0; c < t->cols; c++)
        feature[c] = c;
    a.out = calloc(t->n * width + 1, sizeof *a.out);
    assert_non_null(a.out);
    if (!gbdt_family.needs_background(m) || pairs)
        assert_ok(gbdt_family.attribute(m, &a, &err), err);
    return a.out;
}

/* What a model of t's rows says about them; release() frees all three. */
static double *
fit_and_score(const struct table *t, struct fitting *f, void **m)
{
    *m = fit_ok(t, NULL, f);
    return score(*m, t, NULL);
}

static void
release(double *p, void *m, struct table *t)
{
    free(p);
    gbdt_family.free(m);
    table_free(t);
}

static void
save(const void *m, struct buf *out)
{
    struct st_writer *w = st_writer_new();
    struct json_writer j;
    struct buf manifest;
    struct error err;

    buf_init(&manifest);
    buf_init(out);
    json_writer_init(&j, &manifest);
    gbdt_family.save(m, w, &j);
    st_manifest(w, "{}");
    assert_ok(st_write(w, out, &err), err);
    st_writer_free(w);
    buf_fini(&manifest);
}

static void *
open_bytes(struct buf *bytes, size_t cols, enum problem problem,
           size_t n_classes, struct st_file **file, struct error *err)
{
    void *m = NULL;

    *file = st_parse((struct str){bytes->data, bytes->len}, err);
    if (*file)
        m = gbdt_family.load(*file, NULL, cols, problem, n_classes, err);
    return m;
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

/* ---- closed forms ---- */

/* Two values of x, squared error, rate r, l2 = 0: after t rounds a group's
 * prediction is mean + (group mean - mean) (1 - (1 - r)^t). */
static void
test_squared_error_converges_geometrically(void **state)
{
    struct table t = table_new(40, 1, PROBLEM_REGRESSION, 0);
    struct fitting f = plain_fit("trees=7");
    double *p;
    void *m;

    (void)state;
    f.set[3] = "learning_rate=0.25";
    f.set[4] = "l2=0";
    for (size_t i = 0; i < 40; i++) {
        t.x[i] = i < 30;
        t.y.y[i] = i < 30 ? 4 + (double)(i % 3) : -8;
    }
    p = fit_and_score(&t, &f, &m);
    assert_int_equal(gbdt_trees(m), 7);
    assert_close(p[0], 1.75 + 3.25 * (1 - pow(0.75, 7)), 1e-6);
    assert_close(p[39], 1.75 - 9.75 * (1 - pow(0.75, 7)), 1e-6);
    release(p, m, &t);
}

/* One Newton step on log loss from the base rate: 20 rows of x = 0 with 5
 * positives, 20 of x = 1 with 15; p = 1/2, g = p - y, h = 1/4:
 * value = -(G)/(H + l2), G = 20/2 - 5 = 5, H = 5. */
static void
test_log_loss_takes_a_newton_step(void **state)
{
    struct table t = table_new(40, 1, PROBLEM_BINARY, 2);
    struct fitting f = plain_fit("trees=1");
    double *p;
    void *m;

    (void)state;
    f.set[3] = "learning_rate=1";
    f.set[4] = "l2=3";
    for (size_t i = 0; i < 40; i++) {
        t.x[i] = i >= 20;
        t.y.y[i] = i < 20 ? i < 5 : i < 35;
    }
    p = fit_and_score(&t, &f, &m);
    assert_close(p[0], 1 / (1 + exp(5.0 / 8)), 1e-7);
    assert_close(p[20], 1 / (1 + exp(-5.0 / 8)), 1e-7);
    release(p, m, &t);
}

/* 30 rows of 1 and 10 of -1 are 1/2 on average. */
static void
test_shares_know_how_training_rows_went(void **state)
{
    struct table t = table_new(40, 1, PROBLEM_REGRESSION, 0);
    struct fitting f = plain_fit("trees=1");
    struct st_file *file;
    struct buf bytes;
    struct error err;
    double *phi;
    void *m, *again;

    (void)state;
    f.set[3] = "learning_rate=1";
    f.set[4] = "l2=0";
    for (size_t i = 0; i < 40; i++) {
        t.x[i] = i >= 30;
        t.y.y[i] = i < 30 ? 1 : -1;
    }
    m = fit_ok(&t, NULL, &f);
    save(m, &bytes);
    again = open_bytes(&bytes, 1, PROBLEM_REGRESSION, 0, &file, &err);
    assert_ok(again, err);
    phi = shares(again, &t, false);
    assert_close(phi[0], 0.5, 1e-7);
    assert_close(phi[1], 0.5, 1e-7);
    assert_close(phi[2 * 39], -1.5, 1e-7);
    assert_close(phi[2 * 39 + 1], 0.5, 1e-7);
    free(phi);
    gbdt_family.free(again);
    st_free(file);
    buf_fini(&bytes);
    gbdt_family.free(m);
    table_free(&t);
}

static void
test_classes_are_learnt(void **state)
{
    struct table t = table_new(300, 2, PROBLEM_MULTICLASS, 3);
    struct fitting f = plain_fit("trees=40");
    double *p;
    void *m;

    (void)state;
    for (size_t i = 0; i < 300; i++) {
        t.x[i] = (double)(i % 3 == 0);
        t.x[300 + i] = (double)(i % 3 == 1);
        t.y.y[i] = (double)(i % 3);
    }
    m = fit_ok(&t, NULL, &f);
    assert_int_equal(gbdt_trees(m), 120);
    p = score(m, &t, NULL);
    for (size_t i = 0; i < 300; i++) {
        assert_close(p[3 * i] + p[3 * i + 1] + p[3 * i + 2], 1, 1e-15);
        assert_true(p[3 * i + i % 3] > 0.95);
    }
    release(p, m, &t);
}

/* ---- weights ---- */

/* As the Newton step above, the positives of x = 0 weighing 3 and all rows of
 * x = 1 weighing 1/2: p = 22.5 / 40, G = 30 p - 15 and 10 p - 7.5. */
static void
test_weights_are_in_base_and_step(void **state)
{
    struct table t = table_new(40, 1, PROBLEM_BINARY, 2);
    struct fitting f = plain_fit("trees=1");
    double *p, base = log(22.5 / 17.5), share = 22.5 / 40, h;
    void *m;

    (void)state;
    f.set[3] = "learning_rate=1";
    f.set[4] = "l2=3";
    t.y.weight = calloc(40, sizeof *t.y.weight);
    assert_non_null(t.y.weight);
    for (size_t i = 0; i < 40; i++) {
        t.x[i] = i >= 20;
        t.y.y[i] = i < 20 ? i < 5 : i < 35;
        t.y.weight[i] = i < 5 ? 3 : i < 20 ? 1 : 0.5;
    }
    p = fit_and_score(&t, &f, &m);
    h = share * (1 - share);
    assert_close(p[0], 1 / (1 + exp(-base + (30 * share - 15) / (30 * h + 3))),
                 1e-7);
    assert_close(
        p[20], 1 / (1 + exp(-base + (10 * share - 7.5) / (10 * h + 3))), 1e-7);
    release(p, m, &t);
}

/* Rows of no weight decide on cuts, and on nothing else: their targets and
 * the validation rows' are nonsense. */
static void
test_rows_of_no_weight_teach_nothing(void **state)
{
    struct table a = mixed(900, PROBLEM_REGRESSION, 0, 4), b;
    struct table va = mixed(300, PROBLEM_REGRESSION, 0, 5), vb;
    struct fitting f = {.set = {"trees=12", "row_share=0.8"},
                        .patience = 3,
                        .metric = {metric_default(PROBLEM_REGRESSION)},
                        .n_metrics = 1,
                        .ctx = {.seed = 3}};
    void *m, *n;

    (void)state;
    b = mixed(900, PROBLEM_REGRESSION, 0, 4);
    vb = mixed(300, PROBLEM_REGRESSION, 0, 5);
    a.y.weight = calloc(900, sizeof *a.y.weight);
    b.y.weight = calloc(900, sizeof *b.y.weight);
    va.y.weight = calloc(300, sizeof *va.y.weight);
    vb.y.weight = calloc(300, sizeof *vb.y.weight);
    for (size_t i = 0; i < 900; i++) {
        a.y.weight[i] = b.y.weight[i] = (double)(i % 3);
        if (i % 3 == 0)
            b.y.y[i] = 1e9;
    }
    for (size_t i = 0; i < 300; i++) {
        va.y.weight[i] = vb.y.weight[i] = i % 2 ? 1.5 : 0;
        if (i % 2 == 0)
            vb.y.y[i] = -1e9;
    }
    m = fit_ok(&a, &va, &f);
    n = fit_ok(&b, &vb, &f);
    assert_true(gbdt_trees(m) > 3);
    assert_same_model(m, n);
    gbdt_family.free(m);
    gbdt_family.free(n);
    table_free(&a);
    table_free(&b);
    table_free(&va);
    table_free(&vb);
}

/* A row of weight 2 is a row that is there twice. */
static void
test_a_weight_is_a_number_of_rows(void **state)
{
    struct table a = table_new(600, 1, PROBLEM_MULTICLASS, 3),
                 b = table_new(900, 1, PROBLEM_MULTICLASS, 3);
    struct fitting f = plain_fit("trees=20");
    double *p, *q;
    void *m, *n;

    (void)state;
    f.set[3] = "leaves=4";
    a.y.weight = calloc(600, sizeof *a.y.weight);
    for (size_t i = 0; i < 900; i++) {
        size_t at = i < 600 ? i : 2 * (i - 600);
        double x = (double)(at % 6), y = (double)(rng_below(1, 1, at, 6) % 3);

        b.x[i] = x;
        b.y.y[i] = x > 3 ? y : x > 1;
    }
    for (size_t i = 0; i < 600; i++) {
        a.x[i] = b.x[i];
        a.y.y[i] = b.y.y[i];
        a.y.weight[i] = i % 2 ? 1 : 2;
    }
    p = fit_and_score(&a, &f, &m);
    q = fit_and_score(&b, &f, &n);
    for (size_t i = 0; i < 1800; i++)
        assert_close(p[i], q[i], 1e-5);
    release(p, m, &a);
    release(q, n, &b);
}

static void
test_weights_and_targets_past_any_number_are_refused(void **state)
{
    struct table t = mixed(100, PROBLEM_REGRESSION, 0, 1);
    struct fitting f = plain_fit("trees=3");

    (void)state;
    t.y.weight = calloc(100, sizeof *t.y.weight);
    assert_null(fit(&t, NULL, &f));
    assert_string_equal(f.err.message, "the weight of every row is 0");
    buf_fini(&f.chosen);
    for (size_t i = 0; i < 100; i++)
        t.y.weight[i] = 1e300;
    assert_null(fit(&t, NULL, &f));
    assert_int_equal(f.err.code, ERR_RANGE);
    buf_fini(&f.chosen);
    for (size_t i = 0; i < 100; i++) {
        t.y.weight[i] = 1;
        t.y.y[i] = i % 2 ? 1e300 : -1e300;
    }
    assert_null(fit(&t, NULL, &f));
    assert_int_equal(f.err.code, ERR_RANGE);
    buf_fini(&f.chosen);
    table_free(&t);
}

/* ---- odd tables ---- */

static void
check_constant(enum problem problem, double y, double want)
{
    struct table t = table_new(50, 2, problem, problem ? 0 : 2);
    struct fitting f = plain_fit("trees=10");
    double *p, importance[2];
    void *m;

    for (size_t i = 0; i < 100; i++)
        t.x[i] = (double)(i % 7);
    for (size_t i = 0; i < 50; i++)
        t.y.y[i] = y;
    m = fit_ok(&t, NULL, &f);
    assert_int_equal(gbdt_trees(m), 0); /* nothing to learn: no rounds */
    p = score(m, &t, NULL);
    for (size_t i = 0; i < 50; i++)
        assert_close(p[i], want, 1e-12);
    gbdt_family.importance(m, importance);
    assert_close(importance[0] + importance[1], 1, 1e-15);
    release(p, m, &t);
}

static void
test_constant_target_is_its_own_prediction(void **state)
{
    (void)state;
    check_constant(PROBLEM_REGRESSION, 42.1, 42.1);
    /* log odds of 50 rows against half a row */
    check_constant(PROBLEM_BINARY, 1, 50 / 50.5);
}

static void
test_one_row_and_missing_columns_are_no_trouble(void **state)
{
    struct table t = table_new(1, 3, PROBLEM_REGRESSION, 0);
    struct fitting f = plain_fit("trees=5");
    double *p;
    void *m;

    (void)state;
    t.x[0] = NAN;
    t.x[1] = INFINITY;
    t.x[2] = 5;
    t.y.y[0] = 9;
    p = fit_and_score(&t, &f, &m);
    assert_close(p[0], 9, 0);
    release(p, m, &t);
    /* every column missing in every row */
    t = table_new(60, 2, PROBLEM_BINARY, 2);
    for (size_t i = 0; i < 120; i++)
        t.x[i] = NAN;
    for (size_t i = 0; i < 60; i++)
        t.y.y[i] = i < 15;
    p = fit_and_score(&t, &f, &m);
    assert_close(p[0], 0.25, 1e-12);
    release(p, m, &t);
}

/* x is missing or an infinity: four groups, each with its own answer. */
static void
test_infinities_and_missing_values_are_told_apart(void **state)
{
    const double kind[] = {-INFINITY, 0, INFINITY, NAN};
    const double want[] = {1, 5, -3, 20};
    struct table t = table_new(400, 1, PROBLEM_REGRESSION, 0);
    struct fitting f = plain_fit("trees=300");
    double *p;
    void *m;

    (void)state;
    f.set[3] = "leaves=4";
    for (size_t i = 0; i < 400; i++) {
        t.x[i] = kind[i % 4];
        t.y.y[i] = want[i % 4];
    }
    p = fit_and_score(&t, &f, &m);
    for (size_t i = 0; i < 400; i++)
        assert_close(p[i], want[i % 4], 1e-4);
    release(p, m, &t);
}

/* Missing rows look like the low ones: they learn to go there; a level never
 * seen goes where the missing went. */
static void
test_unseen_level_follows_the_missing(void **state)
{
    struct table t = table_new(400, 1, PROBLEM_REGRESSION, 0);
    struct table ask = table_new(4, 1, PROBLEM_REGRESSION, 0);
    struct fitting f = plain_fit("trees=100");
    double *p;
    void *m;

    (void)state;
    t.column[0].n_levels = 4; /* level 3 has no row */
    ask.column[0].n_levels = 4;
    for (size_t i = 0; i < 400; i++) {
        t.x[i] = i % 4 == 3 ? NAN : (double)(i % 4);
        t.y.y[i] = i % 4 == 0 ? 10 : i % 4 == 3 ? 30 : -10;
    }
    m = fit_ok(&t, NULL, &f);
    ask.x[0] = NAN;
    ask.x[1] = 3;
    ask.x[2] = 0;
    ask.x[3] = 2;
    p = score(m, &ask, NULL);
    assert_close(p[0], 30, 0.05);
    assert_true(p[1] == p[0]);
    assert_close(p[2], 10, 0.05);
    assert_close(p[3], -10, 0.05);
    free(p);
    gbdt_family.free(m);
    table_free(&ask);
    table_free(&t);
}

/* 600 levels, of which 255 have codes: the rare ones share one side. */
static void
test_more_levels_than_codes(void **state)
{
    enum { N = 6000 };
    struct table t = table_new(N, 1, PROBLEM_REGRESSION, 0);
    struct fitting f = plain_fit("trees=60");
    double *p, worst = 0;
    void *m;

    (void)state;
    t.column[0].n_levels = 600;
    for (size_t i = 0; i < N; i++) {
        uint64_t level = rng_below(1, 1, i, i % 3 ? 100 : 600);

        t.x[i] = (double)level;
        t.y.y[i] = level < 100 ? (double)(level % 2) : 5;
    }
    p = fit_and_score(&t, &f, &m);
    for (size_t i = 0; i < N; i++)
        worst = fmax(worst, fabs(p[i] - t.y.y[i]));
    assert_true(worst < 0.3);
    release(p, m, &t);
}

/* A class of nine rows among 20,000: without a bound on the step its hessian
 * of next to nothing sends scores to infinity. */
static void
test_rare_class_does_not_diverge(void **state)
{
    enum { N = 20000 };
    struct table t = table_new(N, 4, PROBLEM_MULTICLASS, 3);
    struct fitting f = plain_fit("trees=60");
    double *p, loss = 0;
    void *m;

    (void)state;
    f.set[3] = "l2=0";
    f.set[4] = "learning_rate=0.3";
    for (size_t i = 0; i < N; i++) {
        t.y.y[i] = i < 9 ? 2 : (double)(i % 2);
        for (size_t c = 0; c < 4; c++)
            t.x[c * N + i] = t.y.y[i] * (c == 0) + rng_normal(1, c, i);
    }
    p = fit_and_score(&t, &f, &m);
    for (size_t i = 0; i < N; i++)
        loss -= log(p[3 * i + (size_t)t.y.y[i]]) / N;
    assert_true(loss < 0.62); /* always guessing the two halves: 0.69 */
    release(p, m, &t);
}

/* ---- the same bytes ---- */

static void
check_threads(enum problem problem, size_t n_classes, const char *extra)
{
    static const unsigned threads[] = {2, 7};
    struct table t = mixed(9000, problem, n_classes, 1);
    struct table valid = mixed(1500, problem, n_classes, 2);
    struct fitting f = {.set = {"trees=12", extra},
                        .patience = 5,
                        .metric = {metric_default(problem)},
                        .n_metrics = 1,
                        .ctx = {.seed = 11}};
    void *one = fit_ok(&t, &valid, &f), *other;
    double *p = score(one, &valid, NULL), *q;

    for (size_t i = 0; i < 2; i++) {
        f.ctx.pool = pool_new(threads[i]);
        other = fit_ok(&t, &valid, &f);
        assert_same_model(one, other);
        q = score(other, &valid, f.ctx.pool);
        assert_memory_equal(p, q,
                            valid.n * (n_classes > 2 ? n_classes : 1) * 8);
        free(q);
        pool_free(f.ctx.pool);
        gbdt_family.free(other);
    }
    f.ctx.pool = NULL;
    setenv("LATHE_NO_AVX2", "1", 1);
    other = fit_ok(&t, &valid, &f);
    unsetenv("LATHE_NO_AVX2");
    assert_same_model(one, other);
    gbdt_family.free(other);
    gbdt_family.free(one);
    free(p);
    table_free(&t);
    table_free(&valid);
}

static void
test_threads_and_kernels_give_the_same_bytes(void **state)
{
    (void)state;
    check_threads(PROBLEM_BINARY, 2, "row_share=0.6");
    check_threads(PROBLEM_BINARY, 2, "max_depth=4");
    check_threads(PROBLEM_MULTICLASS, 4, "col_share=0.5");
    check_threads(PROBLEM_REGRESSION, 0, "row_share=1");
}

static void
test_seed_changes_what_is_sampled(void **state)
{
    struct table t = mixed(3000, PROBLEM_BINARY, 2, 1);
    struct fitting f = {.set = {"trees=5"}, .ctx = {.seed = 1}};
    void *a = fit_ok(&t, NULL, &f), *b;
    double *p = score(a, &t, NULL), *q;

    (void)state;
    f.ctx.seed = 2;
    b = fit_ok(&t, NULL, &f);
    q = score(b, &t, NULL);
    assert_memory_not_equal(p, q, t.n * sizeof *p);
    free(p);
    free(q);
    gbdt_family.free(a);
    gbdt_family.free(b);
    table_free(&t);
}

/* A row alone, in a small batch, in a large one: the same bits. */
static void
test_rows_score_alone_as_in_a_batch(void **state)
{
    struct table t = mixed(2500, PROBLEM_MULTICLASS, 3, 4);
    struct fitting f = plain_fit("trees=21");
    void *m = fit_ok(&t, NULL, &f);
    double *all = score(m, &t, NULL);

    (void)state;
    for (size_t n = 1; n <= 19; n += 6)
        for (size_t from = 0; from + n < t.n; from += 501) {
            struct table part = table_new(n, t.cols, t.y.problem, 3);
            double *p;

            memcpy(part.column, t.column, MAX_COLS * sizeof *t.column);
            for (size_t c = 0; c < t.cols; c++)
                memcpy(part.x + c * n, t.x + c * t.n + from, n * 8);
            p = score(m, &part, NULL);
            assert_memory_equal(p, all + 3 * from, 3 * n * sizeof *p);
            free(p);
            table_free(&part);
        }
    free(all);
    gbdt_family.free(m);
    table_free(&t);
}

/* The engine has no memory but by what can be made to fail. */
static void
test_a_row_alone_takes_no_memory(void **state)
{
    struct table t = mixed(2000, PROBLEM_BINARY, 2, 4);
    struct fitting f = plain_fit("trees=200");
    struct pool *pool = pool_new(2);
    struct table row;
    double p = -1, *all;
    struct error err;
    bool ok, untouched;
    void *m;

    (void)state;
    f.set[1] = "max_depth=6";
    f.set[2] = "leaves=64";
    m = fit_ok(&t, NULL, &f);
    all = score(m, &t, pool);
    row = table_new(1, t.cols, t.y.problem, 2);
    memcpy(row.column, t.column, MAX_COLS * sizeof *t.column);
    for (size_t c = 0; c < t.cols; c++)
        row.x[c] = t.x[c * t.n];
    mem_fault_arm(1, true);
    ok = gbdt_family.score(m, row.d, pool, &p, &err);
    untouched = mem_fault_armed();
    mem_fault_arm(0, false);
    assert_ok(ok, err);
    assert_true(untouched);
    assert_true(p == all[0]);
    free(all);
    gbdt_family.free(m);
    table_free(&row);
    table_free(&t);
    pool_free(pool);
}

/* ---- stopping ---- */

/* Noise: the best round is an early one, and only its trees are kept. */
static void
test_early_stopping_keeps_the_best_round(void **state)
{
    struct table t = mixed(1200, PROBLEM_BINARY, 2, 5);
    struct table valid = mixed(600, PROBLEM_BINARY, 2, 6);
    struct log *log = calloc(1, sizeof *log);
    struct fitting f = {.set = {"trees=500", "learning_rate=0.3", "leaves=31"},
                        .patience = 20,
                        .metric = {metric_default(PROBLEM_BINARY)},
                        .n_metrics = 1,
                        .ctx = {.seed = 1, .sink = {keep_event, log}}};
    size_t best = 0, last = 0;
    double least = INFINITY, *p, loss = 0;
    void *m;

    (void)state;
    assert_non_null(log);
    m = fit_ok(&t, &valid, &f);
    for (size_t i = 0; i < log->n; i++)
        if (strcmp(log->name[i], "valid.logloss") == 0) {
            last = (size_t)log->step[i];
            if (log->value[i] < least) {
                least = log->value[i];
                best = last;
            }
        }
    assert_int_equal(gbdt_trees(m), best);
    assert_int_equal(last, best + 20);
    /* the score of the model is the one that was told */
    p = score(m, &valid, NULL);
    for (size_t i = 0; i < valid.n; i++)
        loss -= log1p((valid.y.y[i] > 0.5 ? p[i] : 1 - p[i]) - 1);
    assert_close(loss / (double)valid.n, least, 1e-12);
    free(p);
    free(log);
    gbdt_family.free(m);
    table_free(&t);
    table_free(&valid);
}

static void
test_stopping_by_a_metric_that_grows(void **state)
{
    struct table t = mixed(1500, PROBLEM_BINARY, 2, 5);
    struct table valid = mixed(800, PROBLEM_BINARY, 2, 6);
    struct log *log = calloc(1, sizeof *log);
    struct error err;
    struct fitting f = {.set = {"trees=300", "learning_rate=0.3"},
                        .patience = 10,
                        .n_metrics = 2,
                        .ctx = {.seed = 1, .sink = {keep_event, log}}};
    double most = 0;
    size_t best = 0;
    void *m;

    (void)state;
    assert_non_null(log);
    f.metric[0] = metric_find("auc", PROBLEM_BINARY, &err);
    f.metric[1] = metric_find("logloss", PROBLEM_BINARY, &err);
    m = fit_ok(&t, &valid, &f);
    for (size_t i = 0; i < log->n; i++)
        if (strcmp(log->name[i], "valid.auc") == 0 && log->value[i] > most) {
            most = log->value[i];
            best = (size_t)log->step[i];
        }
    assert_true(most > 0.8);
    assert_int_equal(gbdt_trees(m), best);
    free(log);
    gbdt_family.free(m);
    table_free(&t);
    table_free(&valid);
}

/* One event a round and metric, rounds from 1, and the training loss is that
 * of the trees so far. */
static void
test_curves_have_a_point_for_every_round(void **state)
{
    struct table t = mixed(1000, PROBLEM_REGRESSION, 0, 5);
    struct table valid = mixed(500, PROBLEM_REGRESSION, 0, 6);
    struct log *log = calloc(1, sizeof *log);
    struct fitting f = {.set = {"trees=9"},
                        .metric = {metric_default(PROBLEM_REGRESSION)},
                        .n_metrics = 1,
                        .ctx = {.seed = 1, .sink = {keep_event, log}}};
    size_t trains = 0, valids = 0;
    double last = INFINITY, *p, sum = 0;
    void *m;

    (void)state;
    assert_non_null(log);
    m = fit_ok(&t, &valid, &f);
    for (size_t i = 0; i < log->n; i++) {
        if (strcmp(log->name[i], "train.rmse") == 0) {
            assert_int_equal(log->step[i], ++trains);
            assert_true(log->value[i] < last);
            last = log->value[i];
        } else {
            assert_string_equal(log->name[i], "valid.rmse");
            assert_int_equal(log->step[i], ++valids);
        }
    }
    assert_int_equal(trains, 9);
    assert_int_equal(valids, 9);
    p = score(m, &t, NULL);
    for (size_t i = 0; i < t.n; i++)
        sum += (p[i] - t.y.y[i]) * (p[i] - t.y.y[i]);
    assert_close(last, sqrt(sum / (double)t.n), 1e-12);
    free(p);
    free(log);
    gbdt_family.free(m);
    table_free(&t);
    table_free(&valid);
}

static void
test_cancelling_keeps_what_is_finished(void **state)
{
    struct table t = mixed(2000, PROBLEM_BINARY, 2, 5);
    struct log *log = calloc(1, sizeof *log);
    struct progress progress;
    struct fitting f = plain_fit("trees=100"), short_fit = plain_fit("trees=4");
    void *m, *want;

    (void)state;
    assert_non_null(log);
    progress_init(&progress);
    f.metric[0] = metric_default(PROBLEM_BINARY);
    f.n_metrics = 1;
    log->progress = &progress;
    log->stop_at = 4; /* told while the fifth round begins */
    f.ctx.progress = &progress;
    f.ctx.sink = (struct event_sink){keep_event, log};
    m = fit_ok(&t, NULL, &f);
    assert_int_equal(gbdt_trees(m), 4);
    assert_int_equal(log->n, 4); /* rounds 1 to 4, each once */
    want = fit_ok(&t, NULL, &short_fit);
    assert_same_model(m, want);
    gbdt_family.free(m);
    gbdt_family.free(want);
    /* nothing finished: cancelled */
    m = fit(&t, NULL, &f);
    assert_null(m);
    assert_int_equal(f.err.code, ERR_CANCELLED);
    buf_fini(&f.chosen);
    free(log);
    table_free(&t);
}

static void
test_progress_tells_rounds(void **state)
{
    struct table t = mixed(500, PROBLEM_BINARY, 2, 5);
    struct progress progress;
    struct fitting f = plain_fit("trees=6");
    void *m;

    (void)state;
    progress_init(&progress);
    f.ctx.progress = &progress;
    m = fit_ok(&t, NULL, &f);
    assert_int_equal(atomic_load(&progress.done), 6);
    assert_int_equal(atomic_load(&progress.total), 6);
    gbdt_family.free(m);
    table_free(&t);
}

/* ---- defaults ---- */

static double
chosen(size_t n, size_t cols, enum problem problem, const char *set,
       const char *name)
{
    struct table t = table_new(n, cols, problem, problem ? 0 : 2);
    struct fitting f = {.set = {"trees=1", set}, .ctx = {.seed = 1}};
    struct error err;
    struct json *j;
    double v;
    void *m;

    for (size_t i = 0; i < n; i++) {
        t.x[i] = (double)(i % 3);
        t.y.y[i] = (double)(i % 2);
    }
    m = fit(&t, NULL, &f);
    assert_ok(m, f.err);
    j = json_parse((struct str){f.chosen.data, f.chosen.len}, &err);
    assert_ok(j, err);
    assert_ok(json_get_double(j, name, &v, &err), err);
    json_free(j);
    buf_fini(&f.chosen);
    gbdt_family.free(m);
    table_free(&t);
    return v;
}

static void
test_defaults_follow_from_rows_and_columns(void **state)
{
    enum problem b = PROBLEM_BINARY, r = PROBLEM_REGRESSION;

    (void)state;
    assert_close(chosen(1000, 12, b, NULL, "leaves"), 8, 0);
    assert_close(chosen(40000, 2, b, NULL, "leaves"), 25, 0);
    assert_close(chosen(40000, 2, b, "leaves=99", "leaves"), 99, 0);
    assert_close(chosen(1000, 2, b, "max_depth=6", "leaves"), 64, 0);
    assert_close(chosen(1000, 12, b, NULL, "min_rows"), 20, 0);
    assert_close(chosen(1000, 12, r, NULL, "min_rows"), 5, 0);
    assert_close(chosen(1000, 12, b, NULL, "col_share"), 0.5, 0);
    assert_close(chosen(1000, 9, b, NULL, "col_share"), 1, 0);
    assert_close(chosen(1000, 9, b, NULL, "row_share"), 0.7, 0);
    assert_close(chosen(10000, 12, b, NULL, "row_share"), 1, 0);
    assert_close(chosen(1000, 2, b, NULL, "max_delta"), 4, 0);
    assert_close(chosen(1000, 2, r, NULL, "max_delta"), 0, 0);
    assert_close(chosen(1000, 2, r, NULL, "rounds"), 1, 0);
}

static void
test_importance_finds_the_column_that_matters(void **state)
{
    struct table t = table_new(1000, 3, PROBLEM_REGRESSION, 0);
    struct fitting f = plain_fit("trees=20");
    double share[3];
    void *m;

    (void)state;
    for (size_t i = 0; i < 3000; i++)
        t.x[i] = rng_normal(1, 1, i);
    for (size_t i = 0; i < 1000; i++)
        t.y.y[i] = 3 * t.x[1000 + i] + 0.1 * rng_normal(2, 2, i);
    m = fit_ok(&t, NULL, &f);
    gbdt_family.importance(m, share);
    assert_close(share[0] + share[1] + share[2], 1, 1e-12);
    assert_true(share[1] > 0.99);
    gbdt_family.free(m);
    table_free(&t);
}

/* ---- files ---- */

struct opened {
    struct buf bytes;
    struct st_file *file;
    void *m;
};

static void
check_round_trip(enum problem problem, size_t n_classes)
{
    struct table t = mixed(1500, problem, n_classes, 9);
    struct fitting f = {.set = {"trees=15"}, .ctx = {.seed = 4}};
    void *m = fit_ok(&t, NULL, &f), *again;
    double *p = score(m, &t, NULL), *q, a[MAX_COLS], b[MAX_COLS];
    struct st_file *file;
    struct error err;
    struct buf bytes;

    save(m, &bytes);
    again = open_bytes(&bytes, t.cols, problem, n_classes, &file, &err);
    assert_ok(again, err);
    q = score(again, &t, NULL);
    assert_memory_equal(p, q, t.n * (n_classes > 2 ? n_classes : 1) * 8);
    assert_same_model(m, again);
    gbdt_family.importance(m, a);
    gbdt_family.importance(again, b);
    assert_memory_equal(a, b, t.cols * sizeof *a);
    gbdt_family.free(again);
    st_free(file);
    buf_fini(&bytes);
    free(p);
    free(q);
    gbdt_family.free(m);
    table_free(&t);
}

static void
test_saved_model_scores_the_same(void **state)
{
    (void)state;
    check_round_trip(PROBLEM_BINARY, 2);
    check_round_trip(PROBLEM_MULTICLASS, 3);
    check_round_trip(PROBLEM_REGRESSION, 0);
}

static void
test_file_of_another_shape_is_refused(void **state)
{
    struct table t = mixed(600, PROBLEM_MULTICLASS, 3, 9);
    struct fitting f = {.set = {"trees=3"}, .ctx = {.seed = 4}};
    void *m = fit_ok(&t, NULL, &f);
    struct st_file *file;
    struct error err;
    struct buf bytes;

    (void)state;
    save(m, &bytes);
    assert_null(
        open_bytes(&bytes, t.cols + 1, PROBLEM_MULTICLASS, 3, &file, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    st_free(file);
    assert_null(open_bytes(&bytes, t.cols, PROBLEM_MULTICLASS, 4, &file, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    st_free(file);
    buf_fini(&bytes);
    gbdt_family.free(m);
    table_free(&t);
}

/* Every byte of every tensor, turned over one way and another: the file is
 * refused, or it opens and answers without touching what is not its own (the
 * sanitizers see that). */
static void
test_damaged_file_is_refused_or_harmless(void **state)
{
    struct table t = mixed(400, PROBLEM_BINARY, 2, 9);
    struct fitting f = {.set = {"trees=3"}, .ctx = {.seed = 4}};
    void *m = fit_ok(&t, NULL, &f);
    struct buf bytes;
    size_t header = 8, refused = 0;
    uint64_t len;

    (void)state;
    t.n = 3;
    design_free(t.d);
    save(m, &bytes);
    memcpy(&len, bytes.data, sizeof len);
    header += (size_t)len;
    for (size_t i = header; i < bytes.len; i++) {
        static const uint8_t turn[] = {0xff, 0x80, 0x01};

        for (size_t k = 0; k < sizeof turn; k++) {
            struct error err;
            struct st_file *file;
            void *again;

            bytes.data[i] = (char)(bytes.data[i] ^ turn[k]);
            again = open_bytes(&bytes, t.cols, PROBLEM_BINARY, 2, &file, &err);
            if (again) {
                t.d = design_dense(t.x, t.n, t.cols, t.column, &err);
                assert_ok(t.d, err);
                free(score(again, &t, NULL));
                free(shares(again, &t, false));
                free(shares(again, &t, true));
                design_free(t.d);
            } else {
                assert_int_equal(err.code, ERR_CORRUPT);
                refused++;
            }
            gbdt_family.free(again);
            st_free(file);
            bytes.data[i] = (char)(bytes.data[i] ^ turn[k]);
        }
    }
    t.d = NULL;
    assert_true(refused > 500);
    buf_fini(&bytes);
    gbdt_family.free(m);
    table_free(&t);
}

static void
test_no_memory_is_an_error_at_every_allocation(void **state)
{
    struct table t = mixed(200, PROBLEM_MULTICLASS, 3, 9);
    struct table valid = mixed(100, PROBLEM_MULTICLASS, 3, 8);
    struct fitting f = {.set = {"trees=2"},
                        .patience = 1,
                        .metric = {metric_default(PROBLEM_MULTICLASS)},
                        .n_metrics = 1,
                        .ctx = {.seed = 4}};
    void *m = NULL;

    (void)state;
    for (unsigned long n = 1; !m; n++) {
        struct error err;
        struct params *p = params_new(gbdt_family.params);
        struct fit_data d = {.train = t.d,
                             .valid = valid.d,
                             .y = &t.y,
                             .y_valid = &valid.y,
                             .metrics = f.metric,
                             .n_metrics = 1,
                             .patience = 1};

        assert_ok(params_set_pair(p, "trees=2", &err), err);
        mem_fault_arm(n, true);
        m = gbdt_family.fit(&d, p, &f.ctx, NULL, &err);
        mem_fault_arm(0, false);
        if (!m)
            assert_int_equal(err.code, ERR_NOMEM);
        params_free(p);
        assert_true(n < 2000);
    }
    gbdt_family.free(m);
    table_free(&t);
    table_free(&valid);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_squared_error_converges_geometrically),
        cmocka_unit_test(test_log_loss_takes_a_newton_step),
        cmocka_unit_test(test_shares_know_how_training_rows_went),
        cmocka_unit_test(test_classes_are_learnt),
        cmocka_unit_test(test_weights_are_in_base_and_step),
        cmocka_unit_test(test_rows_of_no_weight_teach_nothing),
        cmocka_unit_test(test_a_weight_is_a_number_of_rows),
        cmocka_unit_test(test_weights_and_targets_past_any_number_are_refused),
        cmocka_unit_test(test_constant_target_is_its_own_prediction),
        cmocka_unit_test(test_one_row_and_missing_columns_are_no_trouble),
        cmocka_unit_test(test_infinities_and_missing_values_are_told_apart),
        cmocka_unit_test(test_unseen_level_follows_the_missing),
        cmocka_unit_test(test_more_levels_than_codes),
        cmocka_unit_test(test_rare_class_does_not_diverge),
        cmocka_unit_test(test_threads_and_kernels_give_the_same_bytes),
        cmocka_unit_test(test_seed_changes_what_is_sampled),
        cmocka_unit_test(test_rows_score_alone_as_in_a_batch),
        cmocka_unit_test(test_a_row_alone_takes_no_memory),
        cmocka_unit_test(test_early_stopping_keeps_the_best_round),
        cmocka_unit_test(test_stopping_by_a_metric_that_grows),
        cmocka_unit_test(test_curves_have_a_point_for_every_round),
        cmocka_unit_test(test_cancelling_keeps_what_is_finished),
        cmocka_unit_test(test_progress_tells_rounds),
        cmocka_unit_test(test_defaults_follow_from_rows_and_columns),
        cmocka_unit_test(test_importance_finds_the_column_that_matters),
        cmocka_unit_test(test_saved_model_scores_the_same),
        cmocka_unit_test(test_file_of_another_shape_is_refused),
        cmocka_unit_test(test_damaged_file_is_refused_or_harmless),
        cmocka_unit_test(test_no_memory_is_an_error_at_every_allocation),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
