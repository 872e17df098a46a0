/* tests/unit/test_linear.c -- linear and logistic regression.
 *
 * Weights: scikit-learn 1.2.1 on the same formulae for x and y, run to
 * tolerances of 1e-15 (LinearRegression, Ridge(alpha = n lambda), ElasticNet,
 * Lasso, LogisticRegression(C = 1 / (n lambda)) by newton-cg and, with an L1
 * part, saga).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/classic/linear.h"

enum {
    N = 90,
    P = 4,
    MAX_K = 3,
    WIDE = 5000 /* columns, more than there is a matrix of products for */
};

static const struct design_column columns[P] = {
    {"a", 0}, {"b", 0}, {"c", 0}, {"d", 0}};

struct data {
    double x[P * N], y[N], weight[N];
    struct design *d;
    struct target t;
};

static void
data_make(struct data *s, enum problem problem)
{
    static char *classes[] = {"0", "1", "2"};
    struct error err;

    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < N; i++) {
        double x[P], noise = (double)(i * 13 % 17) / 17;

        for (size_t j = 0; j < P; j++) {
            x[j] =
                (double)((i * (7 + 3 * j) + 5 * j * j) % (23 + 6 * j)) / 7.0 -
                1.5;
            s->x[j * N + i] = x[j];
        }
        if (problem == PROBLEM_REGRESSION) {
            s->y[i] = 3 + 2 * x[0] - x[1] + 0.5 * x[2] * x[3] +
                      (double)(i * 11 % 13) / 13;
        } else if (problem == PROBLEM_BINARY) {
            s->y[i] = x[0] - 0.7 * x[1] + noise * 6 - 3 > 0;
        } else {
            double v = x[0] + 0.4 * x[2] + noise * 3;

            s->y[i] = (v >= 1.5) + (v >= 3);
        }
    }
    for (size_t i = 0; i < N; i++)
        s->weight[i] = (double)(i * 5 % 4);
    s->d = design_dense(s->x, N, P, columns, &err);
    assert_non_null(s->d);
    s->t = (struct target){.problem = problem,
                           .n = N,
                           .y = s->y,
                           .classes = classes,
                           .n_classes = problem == PROBLEM_REGRESSION ? 0
                                        : problem == PROBLEM_BINARY   ? 2
                                                                      : 3};
}

static void *
learn(struct data *s, const char *const *set, struct pool *pool,
      struct error *err)
{
    const struct family *f =
        s->t.problem == PROBLEM_REGRESSION ? &linear_family : &logistic_family;
    struct params *p = params_new(f->params);
    struct fit_data d = {.train = s->d, .y = &s->t};
    struct train ctx = {.pool = pool, .seed = 1};
    struct json_writer w;
    struct buf chosen;
    void *learner;

    for (; set && *set; set++)
        assert_true(params_set_pair(p, *set, err));
    buf_init(&chosen);
    json_writer_init(&w, &chosen);
    json_open(&w, '{');
    learner = f->fit(&d, p, &ctx, &w, err);
    if (learner && !buf_check(&chosen, err)) {
        f->free(learner);
        learner = NULL;
    }
    buf_fini(&chosen);
    params_free(p);
    return learner;
}

/* Weights (k, P) then k biases, through the file, the way a reader in another
 * language would see them. */
static void
weights_of_columns(const void *learner, size_t k, size_t p, double *out)
{
    struct st_writer *w = st_writer_new();
    struct st_file *f;
    struct st_tensor t;
    struct json_writer m;
    struct error err;
    struct buf file, manifest;

    buf_init(&file);
    buf_init(&manifest);
    json_writer_init(&m, &manifest);
    linear_family.save(learner, w, &m);
    assert_true(st_write(w, &file, &err));
    f = st_parse((struct str){file.data, file.len}, &err);
    assert_non_null(f);
    assert_true(
        st_need(f, "linear.weight", ST_F64, (int64_t)(k * p), &t, &err));
    for (size_t c = 0; c < k; c++)
        memcpy(out + c * P, (const double *)t.data + c * p, P * sizeof *out);
    assert_true(st_need(f, "linear.bias", ST_F64, (int64_t)k, &t, &err));
    memcpy(out + k * P, t.data, k * sizeof *out);
    st_free(f);
    st_writer_free(w);
    buf_fini(&file);
    buf_fini(&manifest);
}

static void
weights_of(const void *learner, size_t k, double *out)
{
    weights_of_columns(learner, k, P, out);
}

/* The same rows with columns of zeros behind their own, which have no weight:
 * the solution stays what it was. */
static double *
widen(struct data *s)
{
    static struct design_column many[WIDE];
    double *x = calloc((size_t)WIDE * N, sizeof *x);
    struct error err;

    assert_non_null(x);
    memcpy(x, s->x, sizeof s->x);
    for (size_t j = 0; j < WIDE; j++)
        many[j] = j < P ? columns[j] : (struct design_column){"zero", 0};
    design_free(s->d);
    s->d = design_dense(x, N, WIDE, many, &err);
    assert_non_null(s->d);
    return x;
}

static void
expect_of(enum problem problem, bool weighs, bool wide, const char *const *set,
          const double *want, size_t k)
{
    double *x = NULL;
    double got[MAX_K * P + MAX_K];
    struct data s;
    struct error err;
    void *learner;

    data_make(&s, problem);
    if (weighs)
        s.t.weight = s.weight;
    if (wide)
        x = widen(&s);
    learner = learn(&s, set, NULL, &err);
    assert_non_null(learner);
    weights_of_columns(learner, k, wide ? WIDE : P, got);
    for (size_t i = 0; i < k * P + k; i++)
        if (!(fabs(got[i] - want[i]) < 1e-6)) {
            print_message("# %s weight %zu: got %.12g, want %.12g\n",
                          wide ? "wide" : "narrow", i, got[i], want[i]);
            fail();
        }
    linear_family.free(learner);
    design_free(s.d);
    free(x);
}

static void
expect(enum problem problem, bool weighs, const char *const *set,
       const double *want, size_t k)
{
    expect_of(problem, weighs, false, set, want, k);
    expect_of(problem, weighs, true, set, want, k);
}

static void
expect_weights(enum problem problem, const char *const *set, const double *want,
               size_t k)
{
    expect(problem, false, set, want, k);
}

static void
test_without_penalty_it_is_least_squares(void **state)
{
    const char *const set[] = {"lambda=0", NULL};
    const double want[] = {1.8312158121851203, -0.95121722819978893,
                           0.76531375173090599, 0.4247962404914129,
                           2.8147607605031824};

    (void)state;
    expect_weights(PROBLEM_REGRESSION, set, want, 1);
}

static void
test_ridge_agrees_with_scikit_learn(void **state)
{
    const char *const set[] = {"lambda=0.1", NULL};
    const double want[] = {1.6436324632308623, -0.91365607271596971,
                           0.73072686469054493, 0.38888829585134216,
                           2.8892485067117204};

    (void)state;
    expect_weights(PROBLEM_REGRESSION, set, want, 1);
}

static void
test_elastic_net_agrees_with_scikit_learn(void **state)
{
    const char *const set[] = {"lambda=0.1", "l1_ratio=0.5", NULL};
    const double want[] = {1.6758616847212051, -0.90730019452752941,
                           0.72486615070425475, 0.38257576284034678,
                           2.8979136554667004};

    (void)state;
    expect_weights(PROBLEM_REGRESSION, set, want, 1);
}

static void
test_lasso_agrees_with_scikit_learn(void **state)
{
    const char *const set[] = {"lambda=0.8", "l1_ratio=1", NULL};
    const double want[] = {0.87681453401016229, -0.5416444191958778,
                           0.3929523724014749, 0.038755777517259261,
                           3.5423353529797286};

    (void)state;
    expect_weights(PROBLEM_REGRESSION, set, want, 1);
}

static void
test_logistic_ridge_agrees_with_scikit_learn(void **state)
{
    const char *const set[] = {"lambda=0.01", NULL};
    const double want[] = {0.78755556847144781, -0.51778880759875578,
                           0.22962284539230685, -0.00099161077601048371,
                           -0.45978646899332831};

    (void)state;
    expect_weights(PROBLEM_BINARY, set, want, 1);
}

static void
test_logistic_elastic_net_agrees_with_scikit_learn(void **state)
{
    const char *const set[] = {"lambda=0.05", "l1_ratio=0.5", NULL};
    const double want[] = {0.59289162343704149, -0.40239611501205313,
                           0.15167529122128159, 0, -0.39524381889366234};

    (void)state;
    expect_weights(PROBLEM_BINARY, set, want, 1);
}

static void
test_softmax_ridge_agrees_with_scikit_learn(void **state)
{
    const char *const set[] = {"lambda=0.01", NULL};
    const double want[] = {
        -1.3689241135754961,   0.08143966379258627,  -0.5955222153951818,
        0.088861530579461265,  -0.13875131660969534, -0.0093834806169570545,
        0.026043870735622511,  -0.05667999201046367, 1.5076754301851911,
        -0.072056183175629063, 0.56947834465955904,  -0.032181538568997151,
        0.85969161966442431,   0.75015952162572841,  -1.6098511412901508};

    (void)state;
    expect_weights(PROBLEM_MULTICLASS, set, want, 3);
}

/* Rows of weights 0, 1, 2, 3; alpha and C by the sum of the weights. */
static void
test_weighted_rows_agree_with_scikit_learn(void **state)
{
    const char *const ridge[] = {"lambda=0.1", NULL};
    const char *const elastic[] = {"lambda=0.1", "l1_ratio=0.5", NULL};
    const char *const classes[] = {"lambda=0.01", NULL};
    const double by_ridge[] = {1.5674877461344068, -0.9137502147095206,
                               0.7689837550948174, 0.34028404633788234,
                               3.0761669373171703};
    const double by_elastic[] = {1.5947089288387066, -0.9079218288994083,
                                 0.7663424946702494, 0.3324351571025849,
                                 3.084401215042555};
    const double by_two[] = {1.0638697406709188, -0.8344283108304751,
                             0.12668681376934646, 0.07341675590637964,
                             -0.2924733225232703};
    const double by_three[] = {
        -1.2143023073938042,  0.07979632018886135,  -0.4228721663133231,
        0.03392777632794927,  -0.5192268207101006,  -0.009230546321254973,
        0.027965273984188934, -0.09276350734627077, 1.733529128103905,
        -0.07056577386760512, 0.39490689232913495,  0.05883573101832051,
        0.8658208220774313,   0.7813827398891445,   -1.6472035619665748};

    (void)state;
    expect(PROBLEM_REGRESSION, true, ridge, by_ridge, 1);
    expect(PROBLEM_REGRESSION, true, elastic, by_elastic, 1);
    expect(PROBLEM_BINARY, true, classes, by_two, 1);
    expect(PROBLEM_MULTICLASS, true, classes, by_three, 3);
}

static void
test_softmax_elastic_net_agrees_with_scikit_learn(void **state)
{
    const char *const set[] = {"lambda=0.02", "l1_ratio=0.5", NULL};
    const double want[] = {-1.1348225386915181,
                           0.055506680520823873,
                           -0.56619251262673276,
                           0.10980227237506102,
                           0,
                           0,
                           0,
                           -0.0090506434289178723,
                           1.415237619680501,
                           -0.021131106610666923,
                           0.45473235873226614,
                           0,
                           0.78640343218074538,
                           0.62769393166227272,
                           -1.4140973638429468};

    (void)state;
    expect_weights(PROBLEM_MULTICLASS, set, want, 3);
}

/* At the minimum of a smooth objective every difference quotient is 0: a
 * check of the gradient that no other program takes part in. */
static void
test_the_objective_is_flat_at_the_solution(void **state)
{
    const char *const set[] = {"lambda=0.03", NULL};
    double w[P + 1], value[2];
    struct data s;
    struct error err;
    void *learner;

    (void)state;
    data_make(&s, PROBLEM_BINARY);
    learner = learn(&s, set, NULL, &err);
    weights_of(learner, 1, w);
    for (size_t k = 0; k <= P; k++) {
        for (int side = 0; side < 2; side++) {
            double v[P + 1], sum = 0;

            memcpy(v, w, sizeof v);
            v[k] += side ? 1e-5 : -1e-5;
            for (size_t i = 0; i < N; i++) {
                double eta = v[P];

                for (size_t j = 0; j < P; j++)
                    eta += v[j] * s.x[j * N + i];
                sum += log1p(exp(s.y[i] != 0 ? -eta : eta));
            }
            sum /= N;
            for (size_t j = 0; j < P; j++)
                sum += 0.5 * 0.03 * v[j] * v[j];
            value[side] = sum;
        }
        assert_true(fabs(value[1] - value[0]) / 2e-5 < 1e-8);
    }
    linear_family.free(learner);
    design_free(s.d);
}

/* The second column is the first one again: no inverse, many solutions, one
 * prediction. */
static void
test_equal_columns_do_not_break_the_fit(void **state)
{
    const char *const set[] = {"lambda=0", NULL};
    double out[N];
    struct data s;
    struct error err;
    void *learner;

    (void)state;
    data_make(&s, PROBLEM_REGRESSION);
    memcpy(s.x + N, s.x, N * sizeof *s.x);
    for (size_t i = 0; i < N; i++)
        s.y[i] = 4 * s.x[i] + 1;
    learner = learn(&s, set, NULL, &err);
    assert_non_null(learner);
    assert_true(linear_family.score(learner, s.d, NULL, out, &err));
    for (size_t i = 0; i < N; i++)
        assert_true(fabs(out[i] - s.y[i]) < 1e-6);
    linear_family.free(learner);
    design_free(s.d);
}

/* Without a penalty the weights of separable classes grow for ever. */
static void
test_separable_classes_end(void **state)
{
    const char *const set[] = {"lambda=0", NULL};
    double out[N];
    struct data s;
    struct error err;
    void *learner;

    (void)state;
    data_make(&s, PROBLEM_BINARY);
    for (size_t i = 0; i < N; i++)
        s.y[i] = s.x[i] > 0;
    learner = learn(&s, set, NULL, &err);
    assert_non_null(learner);
    assert_true(logistic_family.score(learner, s.d, NULL, out, &err));
    for (size_t i = 0; i < N; i++)
        assert_true(s.y[i] != 0 ? out[i] > 0.99 : out[i] < 0.01);
    linear_family.free(learner);
    design_free(s.d);
}

static void
test_threads_do_not_change_a_bit(void **state)
{
    enum { ROWS = 20000 };
    double *x = malloc(ROWS * P * sizeof *x), *y = malloc(ROWS * sizeof *y);
    double one[P + 1], many[P + 1];
    struct data s;
    struct error err;

    (void)state;
    assert_true(x && y);
    data_make(&s, PROBLEM_BINARY);
    design_free(s.d);
    for (size_t i = 0; i < ROWS * P; i++)
        x[i] = rng_normal(4, 0, i);
    for (size_t i = 0; i < ROWS; i++)
        y[i] = x[i] - x[ROWS + i] + rng_normal(4, 1, i) > 0;
    s.d = design_dense(x, ROWS, P, columns, &err);
    s.t.n = ROWS;
    s.t.y = y;
    for (unsigned threads = 0; threads <= 7; threads += 1 + threads * 5) {
        struct pool *pool = threads ? pool_new(threads) : NULL;
        void *learner = learn(&s, NULL, pool, &err);

        assert_non_null(learner);
        weights_of(learner, 1, threads ? many : one);
        if (threads)
            assert_memory_equal(one, many, sizeof one);
        linear_family.free(learner);
        pool_free(pool);
    }
    design_free(s.d);
    free(x);
    free(y);
}

static void
test_importance_is_weight_times_deviation(void **state)
{
    const char *const set[] = {"lambda=0", NULL};
    double got[P], w[P + 1], want[P], sum = 0;
    struct data s;
    struct error err;
    void *learner;

    (void)state;
    data_make(&s, PROBLEM_REGRESSION);
    learner = learn(&s, set, NULL, &err);
    weights_of(learner, 1, w);
    linear_family.importance(learner, got);
    for (size_t j = 0; j < P; j++) {
        double mean = 0, squares = 0;

        for (size_t i = 0; i < N; i++)
            mean += s.x[j * N + i] / N;
        for (size_t i = 0; i < N; i++)
            squares += (s.x[j * N + i] - mean) * (s.x[j * N + i] - mean);
        sum += want[j] = fabs(w[j]) * sqrt(squares / N);
    }
    for (size_t j = 0; j < P; j++)
        assert_true(fabs(got[j] - want[j] / sum) < 1e-12);
    linear_family.free(learner);
    design_free(s.d);
}

static void
test_cancelled_before_the_first_turn_is_an_error(void **state)
{
    struct params *p = params_new(logistic_family.params);
    struct progress progress;
    struct json_writer w;
    struct buf chosen;
    struct data s;
    struct error err;

    (void)state;
    data_make(&s, PROBLEM_BINARY);
    progress_init(&progress);
    progress_stop(&progress);

    struct fit_data d = {.train = s.d, .y = &s.t};
    struct train ctx = {.progress = &progress};

    buf_init(&chosen);
    json_writer_init(&w, &chosen);
    assert_null(logistic_family.fit(&d, p, &ctx, &w, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    buf_fini(&chosen);
    params_free(p);
    design_free(s.d);
}

/* The weights and intercepts after so many turns, or when it was stopped at a
 * look before; false: there are none. */
static bool
weights_after(const struct data *s, size_t turns, uint64_t *looks,
              double out[(P + 1) * MAX_K])
{
    struct params *p = params_new(logistic_family.params);
    atomic_uint_least64_t left;
    struct progress progress;
    const struct train ctx = {.progress = &progress};
    const struct fit_data d = {.train = s->d, .y = &s->t};
    struct json_writer w;
    struct buf chosen;
    struct error err;
    struct linear_weights l;
    char text[40];
    void *learner;

    snprintf(text, sizeof text, "max_iter=%zu", turns);
    assert_true(params_set_pair(p, text, &err));
    assert_true(params_set_pair(p, "lambda=0.001", &err));
    progress_init(&progress);
    atomic_init(&left, *looks);
    progress.looks = &left;
    buf_init(&chosen);
    json_writer_init(&w, &chosen);
    json_open(&w, '{');
    learner = logistic_family.fit(&d, p, &ctx, &w, &err);
    if (learner) {
        l = linear_weights_of(learner);
        memset(out, 0, (P + 1) * MAX_K * sizeof *out);
        memcpy(out, l.weight, l.n_cols * l.n_outputs * sizeof *out);
        memcpy(out + P * MAX_K, l.bias, l.n_outputs * sizeof *out);
        logistic_family.free(learner);
    } else {
        assert_int_equal(err.code, ERR_CANCELLED);
    }
    *looks -= atomic_load(&left);
    buf_fini(&chosen);
    params_free(p);
    return learner != NULL;
}

/* Whatever a step was at, its weights are not moved by half of it. */
static void
test_stopped_within_a_turn_it_has_the_weights_of_those_before(void **state)
{
    enum { TURNS = 5, MANY = 1 << 30, CELLS = (P + 1) * MAX_K };
    static const enum problem problems[] = {PROBLEM_BINARY, PROBLEM_MULTICLASS};

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        double want[TURNS][CELLS], got[CELLS];
        uint64_t all = MANY, ended = 0;
        struct data s;

        data_make(&s, problems[k]);
        for (size_t t = 0; t < TURNS; t++) {
            all = MANY;
            assert_true(weights_after(&s, t + 1, &all, want[t]));
        }
        assert_true(all > 4 * TURNS); /* more than one a turn */
        for (uint64_t n = 0; n < all; n++) {
            uint64_t looks = n;
            bool one = false;

            if (!weights_after(&s, TURNS, &looks, got))
                continue;
            ended++;
            for (size_t t = 0; t < TURNS; t++)
                one |= memcmp(got, want[t], sizeof got) == 0;
            if (!one)
                fail_msg("stopped at look %d of %d it has moved half a step",
                         (int)n, (int)all);
        }
        assert_true(ended > TURNS);
        design_free(s.d);
    }
}

static void
test_no_memory_ends_in_an_error_not_a_leak(void **state)
{
    struct data s;
    struct error err;
    void *learner = NULL;
    unsigned long n;

    (void)state;
    data_make(&s, PROBLEM_MULTICLASS);
    for (n = 1; n < 1000 && !learner; n++) {
        mem_fault_arm(n, false);
        learner = learn(&s, NULL, NULL, &err);
        mem_fault_arm(0, false);
        if (!learner)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 5, 999);
    linear_family.free(learner);
    design_free(s.d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_penalty_it_is_least_squares),
        cmocka_unit_test(test_ridge_agrees_with_scikit_learn),
        cmocka_unit_test(test_elastic_net_agrees_with_scikit_learn),
        cmocka_unit_test(test_lasso_agrees_with_scikit_learn),
        cmocka_unit_test(test_logistic_ridge_agrees_with_scikit_learn),
        cmocka_unit_test(test_logistic_elastic_net_agrees_with_scikit_learn),
        cmocka_unit_test(test_softmax_ridge_agrees_with_scikit_learn),
        cmocka_unit_test(test_weighted_rows_agree_with_scikit_learn),
        cmocka_unit_test(test_softmax_elastic_net_agrees_with_scikit_learn),
        cmocka_unit_test(test_the_objective_is_flat_at_the_solution),
        cmocka_unit_test(test_equal_columns_do_not_break_the_fit),
        cmocka_unit_test(test_separable_classes_end),
        cmocka_unit_test(test_threads_do_not_change_a_bit),
        cmocka_unit_test(test_importance_is_weight_times_deviation),
        cmocka_unit_test(test_cancelled_before_the_first_turn_is_an_error),
        cmocka_unit_test(
            test_stopped_within_a_turn_it_has_the_weights_of_those_before),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
