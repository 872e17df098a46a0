/* Random forests and extra trees as families.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/forest.h"
#include "engine/trees/tree.h"
#include "tests/lib/close.h"

enum { COLS = 5 };

struct table {
    size_t n;
    double *x;
    struct design *d;
    struct target y;
};

static const struct design_column COLUMN[COLS] = {
    {"a", 0}, {"b", 0}, {"c", 6}, {"d", 0}, {"e", 0}};

/* Numbers with missing values and a category; the target is a step in each. */
static struct table
make(size_t n, enum problem problem, uint64_t seed)
{
    struct table t = {.n = n,
                      .x = calloc(n * COLS + 1, sizeof *t.x),
                      .y = {.problem = problem,
                            .n = n,
                            .n_classes = problem == PROBLEM_REGRESSION ? 0
                                         : problem == PROBLEM_BINARY   ? 2
                                                                       : 3}};
    struct error err;

    t.y.y = calloc(n + 1, sizeof *t.y.y);
    assert_true(t.x && t.y.y);
    for (size_t i = 0; i < n; i++) {
        double s;

        for (size_t c = 0; c < COLS; c++)
            t.x[c * n + i] = rng_normal(seed, c, i);
        t.x[2 * n + i] = (double)rng_below(seed, 50, i, 6);
        if (rng_below(seed, 51, i, 8) == 0)
            t.x[n + i] = NAN;
        s = (t.x[i] > 0) + (isnan(t.x[n + i]) ? 1 : t.x[n + i] > 0.5) -
            (t.x[2 * n + i] < 3) + 0.3 * rng_normal(seed, 52, i);
        t.y.y[i] = problem == PROBLEM_REGRESSION ? s
                   : problem == PROBLEM_BINARY   ? s > 0.4
                                                 : (s > 0.5) + (s > 1.5);
    }
    t.d = design_dense(t.x, n, COLS, COLUMN, &err);
    assert_ok(t.d, err);
    return t;
}

static void
drop(struct table *t)
{
    design_free(t->d);
    free(t->x);
    free(t->y.y);
    free(t->y.weight);
}

static const struct family *const FAMILIES[] = {&forest_family,
                                                &extra_trees_family};

static void *
try_fit(const struct family *f, const struct table *t, const char *set,
        const struct train *ctx, struct buf *chosen, struct error *err)
{
    struct params *p = params_new(f->params);
    const struct metric *metric = metric_default(t->y.problem);
    struct design *none = design_dense(NULL, 0, COLS, COLUMN, err);
    struct fit_data d = {.train = t->d,
                         .valid = none,
                         .y = &t->y,
                         .metrics = &metric,
                         .n_metrics = 1};
    struct json_writer w;
    void *m = NULL;

    assert_true(params_set(p, "trees", "40", err));
    if (!set || params_set_pair(p, set, err)) {
        if (chosen) {
            json_writer_init(&w, chosen);
            json_open(&w, '{');
        }
        m = f->fit(&d, p, ctx, chosen ? &w : NULL, err);
        if (chosen)
            json_close(&w, '}');
    }
    design_free(none);
    params_free(p);
    return m;
}

static void *
fit(const struct family *f, const struct table *t, const char *set,
    struct pool *pool)
{
    const struct train ctx = {.seed = 3, .pool = pool};
    struct error err;
    void *m = try_fit(f, t, set, &ctx, NULL, &err);

    assert_ok(m, err);
    return m;
}

static double *
score(const struct family *f, const void *m, const struct table *t)
{
    size_t k = t->y.problem == PROBLEM_MULTICLASS ? 3 : 1;
    double *out = calloc(t->n * k + 1, sizeof *out);
    struct error err;

    assert_non_null(out);
    assert_ok(f->score(m, t->d, NULL, out, &err), err);
    return out;
}

static void
save(const struct family *f, const void *m, struct buf *out)
{
    struct st_writer *w = st_writer_new();
    struct error err;

    buf_init(out);
    f->save(m, w, NULL);
    st_manifest(w, "{}");
    assert_ok(st_write(w, out, &err), err);
    st_writer_free(w);
}

/* The share of right answers, or 1 - squared error over variance. */
static double
quality(const struct table *t, const double *p)
{
    double good = 0, mean = 0, var = 0, error = 0;

    for (size_t i = 0; i < t->n; i++)
        mean += t->y.y[i] / (double)t->n;
    for (size_t i = 0; i < t->n; i++) {
        double y = t->y.y[i];
        size_t c = 0;

        if (t->y.problem == PROBLEM_BINARY)
            c = p[i] > 0.5;
        for (size_t k = 1; t->y.problem == PROBLEM_MULTICLASS && k < 3; k++)
            if (p[3 * i + k] > p[3 * i + c])
                c = k;
        good += (double)c == y;
        error += (p[i] - y) * (p[i] - y);
        var += (y - mean) * (y - mean);
    }
    return t->y.problem == PROBLEM_REGRESSION ? 1 - error / var
                                              : good / (double)t->n;
}

static void
test_unseen_rows_are_predicted(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++)
        for (enum problem k = PROBLEM_BINARY; k <= PROBLEM_REGRESSION; k++) {
            struct table train = make(1500, k, 1), test = make(700, k, 2);
            void *m = fit(FAMILIES[f], &train, NULL, NULL);
            double *p = score(FAMILIES[f], m, &test);

            assert_int_equal(forest_trees(m), 40);
            if (quality(&test, p) < (k == PROBLEM_MULTICLASS ? 0.78 : 0.85))
                fail_msg("%s, problem %d: %g", FAMILIES[f]->name, (int)k,
                         quality(&test, p));
            for (size_t i = 0; k == PROBLEM_MULTICLASS && i < test.n; i++)
                assert_close(p[3 * i] + p[3 * i + 1] + p[3 * i + 2], 1, 1e-12);
            free(p);
            FAMILIES[f]->free(m);
            drop(&train);
            drop(&test);
        }
}

/* Without bootstrap and with all columns a single tree of any depth knows its
 * rows by heart. */
static void
test_a_full_tree_repeats_its_rows(void **state)
{
    struct table t = make(200, PROBLEM_REGRESSION, 4);
    struct params *p = params_new(forest_family.params);
    struct design *none;
    struct error err;
    struct fit_data d = {.train = t.d, .y = &t.y};
    const struct train ctx = {.seed = 3};
    double *out;
    void *m;

    (void)state;
    none = design_dense(NULL, 0, COLS, COLUMN, &err);
    d.valid = none;
    assert_true(params_set_pair(p, "trees=1", &err) &&
                params_set_pair(p, "bootstrap=false", &err) &&
                params_set_pair(p, "features=all", &err) &&
                params_set_pair(p, "min_rows=1", &err));
    m = forest_family.fit(&d, p, &ctx, NULL, &err);
    assert_ok(m, err);
    out = score(&forest_family, m, &t);
    for (size_t i = 0; i < t.n; i++)
        assert_close(out[i], t.y.y[i], 1e-6);
    free(out);
    forest_family.free(m);
    design_free(none);
    params_free(p);
    drop(&t);
}

/* One cut at 1.5, each side a leaf: means 2 and 8 by weights 1 and 3. */
static void
test_a_stump_has_weighted_means(void **state)
{
    static const double y[] = {1, 3, 6, 8.6666666666666666};
    static const double w[] = {1, 1, 1, 3};
    struct table t = make(4, PROBLEM_REGRESSION, 4);
    const struct train ctx = {.seed = 3};
    struct error err;
    double *out;
    void *m;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t c = 0; c < COLS; c++)
            t.x[c * 4 + i] = c == 0 ? (double)(i / 2) : 0;
    memcpy(t.y.y, y, sizeof y);
    t.y.weight = calloc(4, sizeof *t.y.weight);
    memcpy(t.y.weight, w, sizeof w);
    m = try_fit(&extra_trees_family, &t, "min_rows=2", &ctx, NULL, &err);
    assert_ok(m, err);
    out = score(&extra_trees_family, m, &t);
    assert_close(out[0], 2, 1e-6);
    assert_close(out[3], 8, 1e-6);
    free(out);
    extra_trees_family.free(m);
    drop(&t);
}

static void
test_threads_give_the_same_bytes(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++)
        for (enum problem k = PROBLEM_BINARY; k <= PROBLEM_REGRESSION; k++) {
            struct table t = make(800, k, 1);
            void *m = fit(FAMILIES[f], &t, "keep_oob=true", NULL);
            struct buf want, got;

            save(FAMILIES[f], m, &want);
            FAMILIES[f]->free(m);
            for (unsigned threads = 2; threads < 8; threads += threads - 1) {
                struct pool *pool = pool_new(threads);

                m = fit(FAMILIES[f], &t, "keep_oob=true", pool);
                save(FAMILIES[f], m, &got);
                assert_int_equal(got.len, want.len);
                assert_memory_equal(got.data, want.data, want.len);
                buf_fini(&got);
                FAMILIES[f]->free(m);
                pool_free(pool);
            }
            buf_fini(&want);
            drop(&t);
        }
}

/* A single column, learnt by one tree of all rows; answers for the same. */
static void
learn_one(const struct family *f, double *x, unsigned n_levels, double *y,
          size_t n, double *out)
{
    const struct design_column column = {"x", n_levels};
    struct params *p = params_new(f->params);
    const struct train ctx = {.seed = 3};
    struct error err;
    struct design *d = design_dense(x, n, 1, &column, &err);
    struct target t = {.problem = PROBLEM_REGRESSION, .n = n, .y = y};
    struct fit_data data = {.train = d, .y = &t};
    void *m;

    assert_ok(d, err);
    assert_true(params_set(p, "trees", "1", &err) &&
                params_set(p, "bootstrap", "false", &err) &&
                params_set(p, "min_rows", "1", &err));
    m = f->fit(&data, p, &ctx, NULL, &err);
    assert_ok(m, err);
    assert_ok(f->score(m, d, NULL, out, &err), err);
    f->free(m);
    params_free(p);
    design_free(d);
}

/* Even where there are more than 8 bits tell apart. */
static void
test_drawn_cuts_tell_all_numbers_apart(void **state)
{
    enum { N = 1000 };
    double x[N], y[N], out[N];

    (void)state;
    for (size_t i = 0; i < N; i++) {
        x[i] = (double)i * (double)i;
        y[i] = rng_normal(5, 0, i);
    }
    learn_one(&extra_trees_family, x, 0, y, N, out);
    for (size_t i = 0; i < N; i++)
        assert_close(out[i], y[i], 1e-5);
}

/* Two values, and the missing against both. */
static void
test_missing_is_told_from_two_values(void **state)
{
    double x[] = {-2, -1, NAN, -2, -1, NAN, -2, -1}, out[8];
    double y[] = {1, 1, 5, 1, 1, 5, 1, 1};

    (void)state;
    for (size_t f = 0; f < 2; f++) {
        learn_one(FAMILIES[f], x, 0, y, 8, out);
        for (size_t i = 0; i < 8; i++)
            assert_close(out[i], y[i], 1e-6);
    }
}

/* Sets drawn of so many levels would tell next to nothing. */
static void
test_drawn_cuts_find_what_levels_say(void **state)
{
    enum { ROWS = 2000, LEVELS = 60 };
    struct table t = make(ROWS, PROBLEM_REGRESSION, 6);
    struct table test = make(ROWS, PROBLEM_REGRESSION, 7);
    struct design_column column[COLS];
    struct error err;
    double *p;
    void *m;

    (void)state;
    memcpy(column, COLUMN, sizeof column);
    column[2].n_levels = LEVELS;
    for (size_t side = 0; side < 2; side++) {
        struct table *s = side ? &test : &t;

        for (size_t i = 0; i < ROWS; i++) {
            size_t level = rng_below(8, side, i, LEVELS);

            s->x[2 * ROWS + i] = (double)level;
            s->y.y[i] += 3 * rng_normal(9, 0, level);
        }
        design_free(s->d);
        s->d = design_dense(s->x, ROWS, COLS, column, &err);
        assert_ok(s->d, err);
    }
    m = fit(&extra_trees_family, &t, "features=2", NULL);
    p = score(&extra_trees_family, m, &test);
    print_message("# %g of the variance is told\n", quality(&test, p));
    assert_true(quality(&test, p) > 0.8);
    free(p);
    extra_trees_family.free(m);
    drop(&t);
    drop(&test);
}

/* What rows get from trees that have not seen them is as good as what unseen
 * rows get, and worse than what all trees say. */
static void
test_out_of_bag_is_honest(void **state)
{
    struct table t = make(1500, PROBLEM_BINARY, 1),
                 test = make(1500, PROBLEM_BINARY, 2);
    const struct train ctx = {.seed = 3};
    struct error err;
    struct buf chosen;
    size_t n;
    double *p, *seen;
    const double *oob;
    void *m;

    (void)state;
    buf_init(&chosen);
    m = try_fit(&forest_family, &t, "keep_oob=true", &ctx, &chosen, &err);
    assert_ok(m, err);
    assert_non_null(strstr(chosen.data, "\"oob_logloss\":"));
    oob = forest_family.out_of_bag(m, &n);
    assert_int_equal(n, 1500);
    p = score(&forest_family, m, &test);
    seen = score(&forest_family, m, &t);
    assert_close(quality(&t, oob), quality(&test, p), 0.04);
    assert_true(quality(&t, seen) > quality(&t, oob));
    free(p);
    free(seen);
    buf_fini(&chosen);
    forest_family.free(m);
    drop(&t);
    drop(&test);
}

static void
test_a_saved_forest_scores_the_same(void **state)
{
    (void)state;
    for (enum problem k = PROBLEM_BINARY; k <= PROBLEM_REGRESSION; k++) {
        struct table t = make(400, k, 1);
        void *m = fit(&forest_family, &t, "keep_oob=true", NULL), *again;
        double *a = score(&forest_family, m, &t), *b;
        struct st_file *file;
        struct buf bytes, twice;
        struct error err;
        size_t n;

        save(&forest_family, m, &bytes);
        file = st_parse((struct str){bytes.data, bytes.len}, &err);
        assert_ok(file, err);
        again = forest_family.load(file, NULL, COLS, k, t.y.n_classes, &err);
        assert_ok(again, err);
        b = score(&forest_family, again, &t);
        assert_memory_equal(a, b, t.n * sizeof *a);
        assert_non_null(forest_family.out_of_bag(again, &n));
        assert_int_equal(n, 400);
        save(&forest_family, again, &twice);
        assert_int_equal(twice.len, bytes.len);
        assert_memory_equal(twice.data, bytes.data, bytes.len);
        buf_fini(&twice);
        free(a);
        free(b);
        forest_family.free(again);
        st_free(file);
        buf_fini(&bytes);
        forest_family.free(m);
        drop(&t);
    }
}

/* A forest of three classes as it is saved. */
struct saved {
    struct buf bytes;
    struct st_file *file;
    float *value;
    uint8_t *code;
    size_t n_values;
};

static struct saved
save_classes(struct table *t, const char *set)
{
    void *m = fit(&forest_family, t, set, NULL);
    struct st_tensor value, code;
    struct saved s;
    struct error err;

    save(&forest_family, m, &s.bytes);
    forest_family.free(m);
    s.file = st_parse((struct str){s.bytes.data, s.bytes.len}, &err);
    assert_ok(s.file, err);
    assert_ok(st_need(s.file, "tree.value", ST_F32, -1, &value, &err), err);
    assert_ok(st_need(s.file, "tree.value_code", ST_U8, -1, &code, &err), err);
    memcpy(&s.value, &value.data, sizeof s.value);
    memcpy(&s.code, &code.data, sizeof s.code);
    s.n_values = value.n;
    return s;
}

static void
saved_fini(struct saved *s)
{
    st_free(s->file);
    buf_fini(&s->bytes);
}

static void *
load_classes(const struct saved *s, struct error *err)
{
    return forest_family.load(s->file, NULL, COLS, PROBLEM_MULTICLASS, 3, err);
}

static void
test_trees_of_classes_are_saved_once(void **state)
{
    struct table t = make(400, PROBLEM_MULTICLASS, 1);
    struct saved s = save_classes(&t, "trees=7");
    struct st_tensor start, leaf;
    struct error err;
    void *m;

    (void)state;
    assert_ok(st_need(s.file, "tree.node_start", ST_U32, 8, &start, &err), err);
    assert_ok(st_need(s.file, "tree.leaf_start", ST_U32, 8, &leaf, &err), err);
    /* Leaves of one class have one value, not three. */
    assert_in_range(s.n_values, ((const uint32_t *)leaf.data)[7],
                    2 * ((const uint32_t *)leaf.data)[7]);
    m = load_classes(&s, &err);
    assert_ok(m, err);
    assert_int_equal(forest_trees(m), 7);
    assert_int_equal(forest_forest(m)->n_trees, 21);
    forest_family.free(m);
    saved_fini(&s);
    drop(&t);
}

static void
expect_corrupt(const struct saved *s)
{
    struct error err;

    assert_null(load_classes(s, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void
test_damaged_values_of_classes_are_refused(void **state)
{
    struct table t = make(200, PROBLEM_MULTICLASS, 1);
    struct saved s = save_classes(&t, "trees=3");
    float kept = s.value[5];

    (void)state;
    s.code[4] ^= 2; /* a value too many, or too few */
    expect_corrupt(&s);
    s.code[4] ^= 2 | 4;
    expect_corrupt(&s);
    s.code[4] ^= 4;
    s.value[5] = NAN;
    expect_corrupt(&s);
    s.value[5] = kept;
    saved_fini(&s);
    drop(&t);
}

static void
test_no_memory_to_load_is_an_error(void **state)
{
    struct table t = make(60, PROBLEM_MULTICLASS, 1);
    struct saved s = save_classes(&t, "trees=3");
    void *m = NULL;

    (void)state;
    for (unsigned long n = 1; !m; n++) {
        struct error err;

        mem_fault_arm(n, false);
        m = load_classes(&s, &err);
        if (!mem_fault_armed() && !m)
            assert_int_equal(err.code, ERR_NOMEM);
        mem_fault_arm(0, false);
    }
    forest_family.free(m);
    saved_fini(&s);
    drop(&t);
}

/* Shares follow the nodes of each tree, answers what these are packed into. */
static void
expect_shares_add_up(const struct table *t)
{
    static const uint32_t feature[] = {0, 1, 2, 3, 4};
    void *m = fit(&forest_family, t, NULL, NULL);
    double *p = score(&forest_family, m, t);
    struct attribution a = {.rows = t->d,
                            .feature = feature,
                            .n_features = COLS,
                            .out = calloc(300 * 3 * 6, sizeof *a.out)};
    struct error err;

    assert_non_null(a.out);
    assert_ok(forest_family.attribute(m, &a, &err), err);
    for (size_t i = 0; i < 900; i++) {
        double sum = 0;

        for (size_t j = 0; j < 6; j++)
            sum += a.out[i * 6 + j];
        assert_close(sum, p[i], 1e-5);
    }
    free(a.out);
    free(p);
    forest_family.free(m);
}

static void
test_shares_of_a_forest_add_up(void **state)
{
    struct table t = make(300, PROBLEM_MULTICLASS, 1);

    (void)state;
    expect_shares_add_up(&t);
    drop(&t);
}

/* Without levels a tree's copies for the classes differ by their values alone. */
static void
test_classes_share_the_questions_of_a_tree(void **state)
{
    static const struct design_column numbers[COLS] = {
        {"a", 0}, {"b", 0}, {"c", 0}, {"d", 0}, {"e", 0}};
    struct table t = make(300, PROBLEM_MULTICLASS, 1);
    struct error err;

    (void)state;
    design_free(t.d);
    t.d = design_dense(t.x, t.n, COLS, numbers, &err);
    assert_ok(t.d, err);
    expect_shares_add_up(&t);
    drop(&t);
}

static void
test_odd_tables_are_no_trouble(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++)
        for (size_t n = 1; n < 4; n++) {
            struct table t = make(n, PROBLEM_REGRESSION, 1);
            double *p;
            void *m;

            for (size_t i = 0; i < n; i++)
                t.y.y[i] = 7;
            for (size_t i = 0; i < n * COLS; i++)
                if (n == 2)
                    t.x[i] = NAN;
            m = fit(FAMILIES[f], &t, NULL, NULL);
            p = score(FAMILIES[f], m, &t);
            assert_close(p[0], 7, 1e-6);
            free(p);
            FAMILIES[f]->free(m);
            drop(&t);
        }
}

static void
test_wrong_features_are_told(void **state)
{
    static const char *const wrong[] = {"features=half", "features=-1",
                                        "features=1.5", "features=0"};
    struct table t = make(50, PROBLEM_BINARY, 1);
    const struct train ctx = {.seed = 3};
    struct error err;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_null(try_fit(&forest_family, &t, wrong[i], &ctx, NULL, &err));
        assert_int_equal(err.code, ERR_RANGE);
    }
    forest_family.free(fit(&forest_family, &t, "features=0.5", NULL));
    forest_family.free(fit(&forest_family, &t, "features=3", NULL));
    drop(&t);
}

struct stopping {
    struct progress progress;
    size_t told;
};

static void
stop_after_a_wave(void *ctx, const struct event *e)
{
    struct stopping *s = ctx;

    assert_string_equal(e->name, "oob.rmse");
    s->told++;
    progress_stop(&s->progress);
}

static void
test_stopping_keeps_what_is_finished(void **state)
{
    struct table t = make(300, PROBLEM_REGRESSION, 1);
    struct stopping s = {.told = 0};
    struct train ctx = {
        .seed = 3, .progress = &s.progress, .sink = {stop_after_a_wave, &s}};
    struct error err;
    double *p;
    void *m;

    (void)state;
    progress_init(&s.progress);
    m = try_fit(&forest_family, &t, NULL, &ctx, NULL, &err);
    assert_ok(m, err);
    assert_int_equal(s.told, 1);
    assert_int_equal(forest_trees(m), 32);
    p = score(&forest_family, m, &t);
    assert_true(quality(&t, p) > 0.8);
    free(p);
    forest_family.free(m);
    assert_null(try_fit(&forest_family, &t, NULL, &ctx, NULL, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    drop(&t);
}

static void
test_no_memory_is_an_error_at_every_allocation(void **state)
{
    struct table t = make(60, PROBLEM_MULTICLASS, 1);
    const struct train ctx = {.seed = 3};
    void *m = NULL;

    (void)state;
    for (unsigned long n = 1; !m; n += n < 60 ? 1 : 7) {
        struct error err;

        mem_fault_arm(n, false);
        m = try_fit(&forest_family, &t, "keep_oob=true", &ctx, NULL, &err);
        if (!mem_fault_armed() && !m)
            assert_int_equal(err.code, ERR_NOMEM);
        mem_fault_arm(0, false);
    }
    forest_family.free(m);
    drop(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unseen_rows_are_predicted),
        cmocka_unit_test(test_a_full_tree_repeats_its_rows),
        cmocka_unit_test(test_a_stump_has_weighted_means),
        cmocka_unit_test(test_threads_give_the_same_bytes),
        cmocka_unit_test(test_drawn_cuts_tell_all_numbers_apart),
        cmocka_unit_test(test_missing_is_told_from_two_values),
        cmocka_unit_test(test_drawn_cuts_find_what_levels_say),
        cmocka_unit_test(test_out_of_bag_is_honest),
        cmocka_unit_test(test_a_saved_forest_scores_the_same),
        cmocka_unit_test(test_trees_of_classes_are_saved_once),
        cmocka_unit_test(test_damaged_values_of_classes_are_refused),
        cmocka_unit_test(test_no_memory_to_load_is_an_error),
        cmocka_unit_test(test_shares_of_a_forest_add_up),
        cmocka_unit_test(test_classes_share_the_questions_of_a_tree),
        cmocka_unit_test(test_odd_tables_are_no_trouble),
        cmocka_unit_test(test_wrong_features_are_told),
        cmocka_unit_test(test_stopping_keeps_what_is_finished),
        cmocka_unit_test(test_no_memory_is_an_error_at_every_allocation),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
