/* tests/unit/test_loss.c -- boosted trees by every loss.
 *
 * Leaf values and coefficients: xgboost 1.7.4 (exact, depth 1, eta 1, lambda
 * 1) and statsmodels 0.13.5 (PHReg, Breslow) on the same formulae for x and y.
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

enum { MAX_ROWS = 4000, MAX_COLS = 3, ROWS = 24 };

struct table {
    double x[MAX_COLS * MAX_ROWS], y[MAX_ROWS], weight[MAX_ROWS];
    uint32_t group[MAX_ROWS];
    struct design_column column[MAX_COLS];
    struct design *d;
    struct target t;
};

static struct table *
table_new(size_t n, size_t cols, enum problem problem, size_t n_classes)
{
    struct table *s = mem_new(sizeof *s);
    struct error err;

    for (size_t c = 0; c < cols; c++)
        s->column[c] = (struct design_column){"x", 0};
    s->d = design_dense(s->x, n, cols, s->column, &err);
    assert_ok(s->d, err);
    s->t = (struct target){
        .problem = problem, .n = n, .y = s->y, .n_classes = n_classes};
    return s;
}

static void
table_free(struct table *s)
{
    design_free(s->d);
    free(s);
}

/* The table of the references. */
static struct table *
small(void)
{
    struct table *s = table_new(ROWS, 1, PROBLEM_REGRESSION, 0);

    for (size_t i = 0; i < ROWS; i++) {
        s->x[i] = i * 7 % 24 >= 10;
        s->y[i] = 0.25 + (double)(i * 5 % 11) / 4 + (s->x[i] > 0 ? 1.5 : 0);
        s->weight[i] = 0.5 + (double)(i % 4);
    }
    return s;
}

struct told {
    size_t n;
    char first[32], last[32];
    double best;
    int64_t steps;
};

static void
keep_event(void *ctx, const struct event *e)
{
    struct told *t = ctx;

    if (strncmp(e->name, "valid.", 6) == 0 && t->n++ == 0)
        snprintf(t->first, sizeof t->first, "%s", e->name);
    if (strcmp(e->name, t->first) == 0) {
        t->best = e->value;
        t->steps = e->step;
    }
    snprintf(t->last, sizeof t->last, "%s", e->name);
}

/* set: NULL-ended. */
static void *
fit(const struct table *s, const struct table *valid, const char *const *set,
    const struct train *ctx, struct error *err)
{
    struct params *p = params_new(gbdt_family.params);
    struct table *none = table_new(0, 1, s->t.problem, s->t.n_classes);
    const struct metric *metric = metric_default(s->t.problem);
    struct fit_data d = {.train = s->d,
                         .valid = valid ? valid->d : none->d,
                         .y = &s->t,
                         .y_valid = valid ? &valid->t : &none->t,
                         .metrics = &metric,
                         .n_metrics = 1,
                         .usual_metrics = true,
                         .patience = 10};
    void *m;

    for (; *set; set++)
        assert_ok(params_set_pair(p, *set, err), *err);
    m = gbdt_family.fit(&d, p, ctx, NULL, err);
    params_free(p);
    table_free(none);
    return m;
}

/* One stump by `loss`, weights of the table or none: the scores of x = 0 and
 * x = 1. */
static void
stump(struct table *s, bool weighs, const char *loss, const char *number,
      double *out)
{
    const char *set[] = {loss,       "trees=1",     "learning_rate=1",
                         "l2=1",     "min_rows=1",  "max_delta=0",
                         "leaves=2", "row_share=1", "min_hessian=0",
                         number,     NULL};
    struct train ctx = {.seed = 1};
    struct error err;
    double all[MAX_ROWS];
    void *m;

    s->t.weight = weighs ? s->weight : NULL;
    m = fit(s, NULL, set, &ctx, &err);
    assert_ok(m, err);
    assert_int_equal(gbdt_trees(m), 1);
    assert_ok(gbdt_family.score(m, s->d, NULL, all, &err), err);
    for (size_t i = 0; i < s->t.n; i++)
        out[s->x[i] > 0] = all[i];
    gbdt_family.free(m);
}

static void
test_steps_of_log_losses_agree_with_xgboost(void **state)
{
    struct table *s = small();
    double got[2];

    (void)state;
    stump(s, false, "loss=gamma", NULL, got);
    assert_close(log(got[0]), 0.8428235799922824 - 0.614878237, 1e-6);
    assert_close(log(got[1]), 0.8428235799922824 + 0.218275279, 1e-6);
    stump(s, true, "loss=gamma", NULL, got);
    assert_close(log(got[0]), 0.8461811656871284 - 0.824226022, 1e-6);
    assert_close(log(got[1]), 0.8461811656871284 + 0.246523604, 1e-6);
    stump(s, false, "loss=tweedie", "power=1.3", got);
    assert_close(log(got[0]), 0.8428235799922824 - 0.450463951, 1e-6);
    assert_close(log(got[1]), 0.8428235799922824 + 0.264903039, 1e-6);
    stump(s, true, "loss=tweedie", "power=1.3", got);
    assert_close(log(got[0]), 0.8461811656871284 - 0.535861731, 1e-6);
    assert_close(log(got[1]), 0.8461811656871284 + 0.3021788, 1e-6);
    for (size_t i = 0; i < ROWS; i++)
        s->y[i] = (1 + (double)(i * 11 % 24)) * (i % 3 ? 1 : -1);
    stump(s, false, "loss=cox", NULL, got);
    assert_close(log(got[0]), 0.094736, 1e-6);
    assert_close(log(got[1]), -0.060484, 1e-6);
    table_free(s);
}

/* Without penalty many rounds of stumps are the maximum of the partial
 * likelihood. */
static void
test_hazards_agree_with_statsmodels(void **state)
{
    const char *set[] = {"loss=cox",   "trees=200", "learning_rate=0.3", "l2=0",
                         "min_rows=1", "leaves=2",  "row_share=1",       NULL};
    struct table *s = small();
    struct train ctx = {.seed = 1};
    struct error err;
    double p[ROWS], low = 0, high = 0;
    void *m;

    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        s->y[i] = (1 + (double)(i * 11 % 13)) * (i % 3 ? 1 : -1);
    m = fit(s, NULL, set, &ctx, &err);
    assert_ok(m, err);
    assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
    for (size_t i = 0; i < ROWS; i++)
        *(s->x[i] > 0 ? &high : &low) = log(p[i]);
    assert_close(high - low, 0.74761007, 1e-5);
    gbdt_family.free(m);
    table_free(s);
}

/* Rows of a group, sorted: the value at a place. */
static double
group_at(const struct table *s, double x, size_t place)
{
    double v[ROWS];
    size_t n = 0;

    for (size_t i = 0; i < ROWS; i++)
        if (s->x[i] == x) {
            size_t at = n++;

            for (; at > 0 && v[at - 1] > s->y[i]; at--)
                v[at] = v[at - 1];
            v[at] = s->y[i];
        }
    assert_true(place < n);
    return v[place];
}

/* A step goes to the quantile of the group itself, whatever the gradient says;
 * 10 rows of x = 0, 14 of x = 1. */
static void
test_leaves_are_quantiles_of_their_rows(void **state)
{
    struct table *s = small();
    double got[2];

    (void)state;
    stump(s, false, "loss=absolute", NULL, got);
    assert_close(got[0], group_at(s, 0, 4) / 2 + group_at(s, 0, 5) / 2, 1e-6);
    assert_close(got[1], group_at(s, 1, 6) / 2 + group_at(s, 1, 7) / 2, 1e-6);
    stump(s, false, "loss=quantile", "alpha=0.25", got);
    assert_close(got[0], group_at(s, 0, 2), 1e-6);
    assert_close(got[1], group_at(s, 1, 3), 1e-6);
    table_free(s);
}

/* A line with noise of known quantiles: each output holds its share of other
 * rows below it. */
static void
test_several_quantiles_cover_their_shares(void **state)
{
    const char *set[] = {"loss=quantile", "alpha=0.1,0.5,0.9", "trees=80",
                         "row_share=1",   "min_rows=40",       NULL};
    struct table *s = table_new(MAX_ROWS, 1, PROBLEM_REGRESSION, 0);
    struct table *other = table_new(MAX_ROWS, 1, PROBLEM_REGRESSION, 0);
    double *p = mem_new(3 * MAX_ROWS * sizeof *p);
    const double want[] = {0.1, 0.5, 0.9};
    struct train ctx = {.seed = 1};
    struct error err;
    size_t middle;
    char name[32];
    void *m;

    (void)state;
    for (size_t i = 0; i < MAX_ROWS; i++) {
        s->x[i] = rng_unit(1, 1, i);
        s->y[i] = 3 * s->x[i] + (1 + s->x[i]) * rng_normal(1, 2, i);
        other->x[i] = rng_unit(2, 1, i);
        other->y[i] = 3 * other->x[i] + (1 + other->x[i]) * rng_normal(2, 2, i);
    }
    m = fit(s, NULL, set, &ctx, &err);
    assert_ok(m, err);
    assert_int_equal(gbdt_family.outputs(m, &middle), 3);
    assert_int_equal(middle, 1);
    gbdt_family.output_name(m, 2, name);
    assert_string_equal(name, "q0.9");
    assert_ok(gbdt_family.score(m, other->d, NULL, p, &err), err);
    for (size_t c = 0; c < 3; c++) {
        double below = 0;

        for (size_t i = 0; i < MAX_ROWS; i++)
            below += other->y[i] < p[3 * i + c];
        assert_close(below / MAX_ROWS, want[c], 0.02);
    }
    gbdt_family.free(m);
    free(p);
    table_free(other);
    table_free(s);
}

/* One target in twenty is a hundred times too large. */
static void
test_outliers_do_not_pull_robust_losses(void **state)
{
    static const char *const losses[] = {"loss=absolute", "loss=huber",
                                         "loss=squared"};
    double worst[3] = {0};
    struct train ctx = {.seed = 1};

    (void)state;
    for (size_t l = 0; l < 3; l++) {
        const char *set[] = {losses[l], "trees=60", "leaves=4", "row_share=1",
                             NULL};
        struct table *s = table_new(600, 1, PROBLEM_REGRESSION, 0);
        double p[600];
        struct error err;
        void *m;

        for (size_t i = 0; i < 600; i++) {
            s->x[i] = (double)(i % 4);
            s->y[i] = s->x[i] * 10 + (double)(i % 7) / 7;
            if (rng_below(1, 1, i, 20) == 0)
                s->y[i] = 1000;
        }
        m = fit(s, NULL, set, &ctx, &err);
        assert_ok(m, err);
        assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
        for (size_t i = 0; i < 600; i++)
            worst[l] = fmax(worst[l], fabs(p[i] - s->x[i] * 10 - 0.43));
        gbdt_family.free(m);
        table_free(s);
    }
    assert_true(worst[0] < 0.5);
    assert_true(worst[1] < 2);
    assert_true(worst[2] > 10);
}

/* Counts: each group's own mean, and their sum kept. */
static void
test_counts_converge_to_their_means(void **state)
{
    const char *set[] = {"loss=poisson", "trees=300",   "leaves=4",
                         "l2=0",         "row_share=1", NULL};
    struct table *s = table_new(400, 1, PROBLEM_REGRESSION, 0);
    double p[400], sum[4] = {0};
    struct train ctx = {.seed = 1};
    struct error err;
    void *m;

    (void)state;
    for (size_t i = 0; i < 400; i++) {
        s->x[i] = (double)(i % 4);
        s->y[i] = (double)rng_below(1, 1, i, 1 + (i % 4) * 20);
        sum[i % 4] += s->y[i];
    }
    sum[0] = 0.01; /* a group without any count falls, but never to 0 */
    m = fit(s, NULL, set, &ctx, &err);
    assert_ok(m, err);
    assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
    for (size_t i = 1; i < 4; i++)
        assert_close(p[i], sum[i] / 100, 1e-4 * sum[i] / 100);
    assert_true(p[0] > 0 && p[0] < 1e-3);
    gbdt_family.free(m);
    table_free(s);
}

/* Events in half, one and two years: what is learnt is a rate for a year. */
static void
test_exposures_are_offsets(void **state)
{
    const char *set[] = {"loss=poisson", "trees=300",  "leaves=4", "l2=0",
                         "row_share=1",  "min_rows=1", NULL};
    struct table *s = table_new(400, 1, PROBLEM_REGRESSION, 0);
    double p[400], events[4] = {0}, years[4] = {0};
    double *offset = mem_new(400 * sizeof *offset);
    struct train ctx = {.seed = 1};
    struct error err;
    void *m;

    (void)state;
    for (size_t i = 0; i < 400; i++) {
        double year = ldexp(0.5, (int)(i / 4 % 3));

        s->x[i] = (double)(i % 4);
        s->y[i] = (double)rng_below(1, 1, i, 2 + (i % 4) * 10) * year;
        events[i % 4] += s->y[i];
        years[i % 4] += year;
        offset[i] = log(year);
    }
    design_put_offset(s->d, offset);
    m = fit(s, NULL, set, &ctx, &err);
    assert_ok(m, err);
    assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
    for (size_t i = 0; i < 400; i++)
        assert_close(p[i], events[i % 4] / years[i % 4] * exp(offset[i]),
                     1e-4 * p[i]);
    design_put_offset(s->d, NULL); /* a year */
    assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
    for (size_t i = 0; i < 400; i++)
        assert_close(p[i], events[i % 4] / years[i % 4], 1e-4 * p[i]);
    gbdt_family.free(m);
    table_free(s);
}

static void
test_queries_are_put_in_order(void **state)
{
    const char *set[] = {"loss=rank", "trees=60", "leaves=6", NULL};
    struct table *s = table_new(1200, 2, PROBLEM_REGRESSION, 0);
    struct told told = {.n = 0};
    struct train ctx = {.seed = 1, .sink = {keep_event, &told}};
    struct error err;
    double p[1200];
    size_t wrong = 0, pairs = 0;
    void *m;

    (void)state;
    s->t.group = s->group;
    for (size_t i = 0; i < 1200; i++) {
        s->group[i] = (uint32_t)(i / 12);
        s->x[i] = rng_unit(1, 1, i);
        s->x[1200 + i] = (double)(i / 12); /* a query's own level */
        s->y[i] = floor(s->x[i] * 4);
    }
    m = fit(s, s, set, &ctx, &err);
    assert_ok(m, err);
    assert_string_equal(told.first, "valid.loss");
    assert_true(told.best < 0.02);
    assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
    for (size_t q = 0; q < 100; q++)
        for (size_t i = q * 12; i < q * 12 + 12; i++)
            for (size_t j = q * 12; j < q * 12 + 12; j++)
                if (s->y[i] > s->y[j]) {
                    pairs++;
                    wrong += p[i] <= p[j];
                }
    assert_true((double)wrong < 0.02 * (double)pairs);
    gbdt_family.free(m);
    table_free(s);
}

static void
test_classes_are_learnt_one_against_all(void **state)
{
    const char *set[] = {"loss=ova", "trees=40", "row_share=1", NULL};
    struct table *s = table_new(300, 1, PROBLEM_MULTICLASS, 3);
    double p[900];
    struct train ctx = {.seed = 1};
    struct error err;
    void *m;

    (void)state;
    for (size_t i = 0; i < 300; i++) {
        s->x[i] = (double)(i % 3);
        s->y[i] = (double)(i % 3);
    }
    m = fit(s, NULL, set, &ctx, &err);
    assert_ok(m, err);
    assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
    for (size_t i = 0; i < 300; i++) {
        assert_true(p[3 * i + i % 3] > 0.9);
        assert_close(p[3 * i] + p[3 * i + 1] + p[3 * i + 2], 1, 1e-14);
    }
    gbdt_family.free(m);
    table_free(s);
}

/* What nobody has named is not what stops: the loss itself is. */
static void
test_a_loss_stops_by_itself(void **state)
{
    static const struct {
        const char *loss, *first;
    } check[] = {{"loss=squared", "valid.rmse"},
                 {"loss=poisson", "valid.loss"},
                 {"loss=huber", "valid.loss"},
                 {"loss=cox", "valid.loss"}};
    struct table *s = table_new(900, 1, PROBLEM_REGRESSION, 0);
    struct table *v = table_new(300, 1, PROBLEM_REGRESSION, 0);

    (void)state;
    for (size_t i = 0; i < 900; i++) {
        s->x[i] = rng_unit(1, 1, i);
        s->y[i] = floor(4 * s->x[i] + 3 * rng_unit(1, 2, i));
        v->x[i % 300] = rng_unit(2, 1, i);
        v->y[i % 300] = floor(4 * v->x[i % 300] + 3 * rng_unit(2, 2, i));
    }
    for (size_t i = 0; i < sizeof check / sizeof *check; i++) {
        const char *set[] = {check[i].loss, NULL};
        struct told told = {.n = 0};
        struct train ctx = {.seed = 1, .sink = {keep_event, &told}};
        struct error err;
        void *m = fit(s, v, set, &ctx, &err);

        assert_ok(m, err);
        assert_string_equal(told.first, check[i].first);
        assert_true(told.steps >= 10 && told.steps < 1000);
        assert_int_equal(gbdt_trees(m), told.steps - 10);
        gbdt_family.free(m);
    }
    table_free(s);
    table_free(v);
}

/* ---- a loss of one's own ---- */

struct own {
    size_t calls, valid_calls;
    size_t fail_at; /* call; 0: never */
};

/* Squared error, said by the caller. */
static bool
own_squares(void *ctx, const double *score, const double *y, size_t n,
            bool valid, double *g, double *h, double *loss, struct error *err)
{
    struct own *o = ctx;

    o->valid_calls += valid;
    if (++o->calls == o->fail_at)
        return error_set(err, ERR_PARSE, "the function failed");
    for (size_t i = 0; i < n; i++) {
        g[i] = score[i] - y[i];
        h[i] = 1;
        loss[i] = g[i] * g[i];
    }
    return true;
}

static void
test_a_loss_of_ones_own_is_learnt_by(void **state)
{
    const char *set[] = {"trees=30", "row_share=1", NULL};
    struct table *s = table_new(500, 1, PROBLEM_REGRESSION, 0);
    struct own own = {0};
    struct train_loss loss = {own_squares, &own};
    struct train usual = {.seed = 1}, mine = {.seed = 1, .loss = &loss};
    double p[500], q[500], mean = 0;
    struct error err;
    void *m, *n;

    (void)state;
    for (size_t i = 0; i < 500; i++) {
        s->x[i] = rng_unit(1, 1, i);
        s->y[i] = s->x[i] * s->x[i] + rng_normal(1, 2, i);
        mean += s->y[i] / 500;
    }
    for (size_t i = 0; i < 500; i++)
        s->y[i] -= mean; /* scores of one's own begin at 0 */
    m = fit(s, s, set, &usual, &err);
    assert_ok(m, err);
    n = fit(s, s, set, &mine, &err);
    assert_ok(n, err);
    assert_int_equal(gbdt_trees(n), 30);
    assert_true(own.calls >= 60 && own.valid_calls == 30);
    assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
    assert_ok(gbdt_family.score(n, s->d, NULL, q, &err), err);
    for (size_t i = 0; i < 500; i++)
        assert_close(p[i], q[i], 1e-6);
    own = (struct own){.fail_at = 5};
    assert_null(fit(s, NULL, set, &mine, &err));
    assert_string_equal(err.message, "the function failed");
    gbdt_family.free(m);
    gbdt_family.free(n);
    table_free(s);
}

static void
test_losses_of_other_targets_are_refused(void **state)
{
    static const struct {
        enum problem problem;
        size_t n_classes;
        const char *set, *message;
    } check[] = {
        {PROBLEM_BINARY, 2, "loss=poisson",
         "loss=poisson learns a regression target, and this one is binary"},
        {PROBLEM_REGRESSION, 0, "loss=softmax",
         "loss=softmax learns a multiclass target, and this one is regression"},
        {PROBLEM_REGRESSION, 0, "loss=rank",
         "loss=rank orders the rows of a query: name the column that tells "
         "which by group"},
    };
    struct train ctx = {.seed = 1};

    (void)state;
    for (size_t i = 0; i < sizeof check / sizeof *check; i++) {
        const char *set[] = {check[i].set, NULL};
        struct table *s =
            table_new(50, 1, check[i].problem, check[i].n_classes);
        struct error err;

        for (size_t r = 0; r < 50; r++)
            s->y[r] = (double)(r % 2);
        assert_null(fit(s, NULL, set, &ctx, &err));
        assert_string_equal(err.message, check[i].message);
        table_free(s);
    }
}

static void
test_a_saved_loss_predicts_the_same(void **state)
{
    static const char *const losses[] = {"loss=poisson", "loss=quantile",
                                         "loss=ova"};
    struct train ctx = {.seed = 1};

    (void)state;
    for (size_t l = 0; l < 3; l++) {
        const char *set[] = {losses[l], "alpha=0.2,0.9", "trees=5", NULL};
        enum problem problem = l == 2 ? PROBLEM_MULTICLASS : PROBLEM_REGRESSION;
        struct table *s = table_new(200, 1, problem, l == 2 ? 3 : 0);
        struct st_writer *w = st_writer_new();
        double p[600], q[600];
        struct json_writer j;
        struct json *o;
        struct st_file *f;
        struct buf manifest, file;
        struct error err;
        void *m, *back;
        size_t k = l + 1;

        for (size_t i = 0; i < 200; i++) {
            s->x[i] = (double)(i % 17);
            s->y[i] = (double)(i % 3);
        }
        m = fit(s, NULL, set, &ctx, &err);
        assert_ok(m, err);
        buf_init(&manifest);
        buf_init(&file);
        json_writer_init(&j, &manifest);
        json_open(&j, '{');
        gbdt_family.save(m, w, &j);
        json_close(&j, '}');
        st_manifest(w, manifest.data);
        assert_ok(st_write(w, &file, &err), err);
        f = st_parse((struct str){file.data, file.len}, &err);
        o = json_parse((struct str){manifest.data, manifest.len}, &err);
        assert_true(f && o);
        back = gbdt_family.load(f, o, 1, problem, s->t.n_classes, &err);
        assert_ok(back, err);
        assert_ok(gbdt_family.score(m, s->d, NULL, p, &err), err);
        assert_ok(gbdt_family.score(back, s->d, NULL, q, &err), err);
        assert_memory_equal(p, q, 200 * k * sizeof *p);
        gbdt_family.free(back);
        gbdt_family.free(m);
        json_free(o);
        st_free(f);
        st_writer_free(w);
        buf_fini(&manifest);
        buf_fini(&file);
        table_free(s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_of_log_losses_agree_with_xgboost),
        cmocka_unit_test(test_hazards_agree_with_statsmodels),
        cmocka_unit_test(test_leaves_are_quantiles_of_their_rows),
        cmocka_unit_test(test_several_quantiles_cover_their_shares),
        cmocka_unit_test(test_outliers_do_not_pull_robust_losses),
        cmocka_unit_test(test_counts_converge_to_their_means),
        cmocka_unit_test(test_exposures_are_offsets),
        cmocka_unit_test(test_queries_are_put_in_order),
        cmocka_unit_test(test_classes_are_learnt_one_against_all),
        cmocka_unit_test(test_a_loss_stops_by_itself),
        cmocka_unit_test(test_a_loss_of_ones_own_is_learnt_by),
        cmocka_unit_test(test_losses_of_other_targets_are_refused),
        cmocka_unit_test(test_a_saved_loss_predicts_the_same),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
