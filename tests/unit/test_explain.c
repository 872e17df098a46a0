/* Why a model answers as it does.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/isolation.h"
#include "engine/classic/kmeans.h"
#include "engine/classic/pca.h"
#include "engine/explain.h"
#include "engine/judged.h"
#include "engine/trees/gbdt.h"
#include "tests/lib/small_model.h"

enum { ROWS = 60 };

static const struct train QUIET = {.seed = 7};
static const char *const TARGETS[] = {"churn", "plan", "spend"};

static struct model *
trees(enum small_kind kind)
{
    struct frame *f = small_frame(kind, 600, 7);
    struct params *p = params_new(gbdt_family.params);
    struct model_options o = {.problem = -1, .valid_share = -1, .patience = -1};
    struct error err;
    struct model *m;

    assert_ok(params_set(p, "trees", "20", &err), err);
    m = model_fit(&gbdt_family, p, f, TARGETS[kind], &o, &QUIET, &err);
    assert_ok(m, err);
    params_free(p);
    frame_unref(f);
    return m;
}

static struct shares
explain(const struct model *m, const struct frame *f,
        const struct explain_options *o)
{
    struct error err;
    struct shares s;

    assert_ok(explain_shares(m, f, o, &QUIET, &s, &err), err);
    return s;
}

static double
log_odds(double p)
{
    return log(p / (1 - p));
}

/* Margins as the model's own answers tell them. */
static void
check_sums(struct model *m, enum small_kind kind)
{
    static const struct explain_options ways[] = {
        {.way = EXPLAIN_AUTO},
        {.way = EXPLAIN_BACKGROUND, .background_rows = 20},
        {.way = EXPLAIN_KERNEL, .background_rows = 10},
        {.way = EXPLAIN_AUTO, .pairs = true},
        {.way = EXPLAIN_BACKGROUND, .pairs = true, .background_rows = 20},
    };
    struct frame *f = small_frame(kind, ROWS, 9);
    struct prediction p;
    struct error err;

    assert_ok(model_predict(m, f, NULL, &p, &err), err);
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        struct shares s = explain(m, f, &ways[w]);

        assert_int_equal(s.n_features, 5);
        for (size_t r = 0; r < ROWS; r++) {
            const double *v = p.value + r * p.k;

            if (kind == SMALL_REGRESSION)
                assert_close(shares_margin(&s, r, 0), v[0], 1e-9);
            else if (kind == SMALL_BINARY)
                assert_close(shares_margin(&s, r, 0), log_odds(v[0]), 1e-9);
            else
                assert_close(shares_margin(&s, r, 2) - shares_margin(&s, r, 0),
                             log(v[2] / v[0]), 1e-9);
        }
        shares_fini(&s);
    }
    prediction_fini(&p);
    frame_unref(f);
    model_unref(m);
}

static void
test_shares_add_up_to_the_margin_in_every_way(void **state)
{
    (void)state;
    for (enum small_kind k = SMALL_BINARY; k <= SMALL_REGRESSION; k++) {
        check_sums(trees(k), k);
        check_sums(small_model(k), k);
    }
}

/* Without a target the first answer that is no code is explained. */
static void
check_answer(const struct family *family, const char *name, size_t at)
{
    const struct explain_options o = {.background_rows = 10};
    struct frame *f = small_frame(SMALL_REGRESSION, 60, 9);
    struct params *p = params_new(family->params);
    struct model_options mo = {
        .problem = -1, .valid_share = -1, .patience = -1};
    struct error err;
    struct model *m = model_fit(family, p, f, NULL, &mo, &QUIET, &err);
    struct effect e;
    struct prediction v;
    struct shares s;

    assert_ok(m, err);
    s = explain(m, f, &o);
    assert_string_equal(s.scale, name);
    assert_int_equal(s.k, 1);
    assert_ok(model_predict(m, f, NULL, &v, &err), err);
    for (size_t r = 0; r < v.n; r++)
        assert_close(shares_margin(&s, r, 0), v.value[r * v.k + at], 1e-9);
    assert_ok(explain_effect(m, f, &(struct effect_options){.column = "tenure"},
                             &QUIET, &e, &err),
              err);
    assert_string_equal(e.scale, name);
    effect_fini(&e);
    shares_fini(&s);
    prediction_fini(&v);
    params_free(p);
    frame_unref(f);
    model_unref(m);
}

static void
test_without_a_target_shares_add_up_to_the_answer(void **state)
{
    (void)state;
    check_answer(&kmeans_family, "distance", 1);
    check_answer(&isolation_forest_family, "score", 0);
    check_answer(&pca_family, "pc1", 0);
}

/* Where a column is set to what it is, an effect is the mean prediction. */
static void
check_effect(const struct model *m, const struct frame *all,
             const struct prediction *v, size_t k)
{
    const struct effect_options o = {.column = "tenure"};
    struct error err;
    struct frame *f = frame_slice(all, 0, 1, &err);
    struct effect e;

    assert_ok(f, err);
    assert_ok(explain_effect(m, f, &o, &QUIET, &e, &err), err);
    assert_int_equal(e.k, k);
    for (size_t i = 0; i < k; i++)
        assert_close(effect_mean(&e, 0, i), k > 1 ? v->more[i] : v->value[0],
                     1e-9);
    effect_fini(&e);
    frame_unref(f);
}

/* Each of several quantiles, and leaves that are lines by asking: shares add up
 * to what is predicted. */
static void
check_setting(const char *const *set, const char *const *names, size_t k)
{
    struct frame *f = small_frame(SMALL_REGRESSION, ROWS, 9);
    struct params *p = params_new(gbdt_family.params);
    struct model_options o = {.problem = -1, .valid_share = -1, .patience = -1};
    const struct explain_options way[] = {
        {.background_rows = 10},
        {.way = EXPLAIN_KERNEL, .background_rows = 10}};
    struct error err;
    struct prediction v;
    struct model *m;

    assert_ok(params_set(p, "trees", "8", &err), err);
    for (; *set; set += 2)
        assert_ok(params_set(p, set[0], set[1], &err), err);
    m = model_fit(&gbdt_family, p, f, "spend", &o, &QUIET, &err);
    assert_ok(m, err);
    assert_ok(model_predict_all(m, f, NULL, &v, &err), err);
    for (size_t w = 0; w < 2; w++) {
        struct shares s = explain(m, f, &way[w]);
        const double *want = k > 1 ? v.more : v.value;

        assert_string_equal(s.scale, "value");
        assert_int_equal(s.k, k);
        assert_int_equal(s.names.n, k > 1 ? k : 0);
        for (size_t i = 0; i < s.names.n; i++)
            assert_string_equal(s.names.name[i], names[i]);
        for (size_t i = 0; i < ROWS * k; i++)
            assert_close(shares_margin(&s, i / k, i % k), want[i], 1e-9);
        shares_fini(&s);
    }
    check_effect(m, f, &v, k);
    prediction_fini(&v);
    params_free(p);
    frame_unref(f);
    model_unref(m);
}

/* Rows begin where the column says: so do their bases. */
static void
test_bases_hold_the_offset(void **state)
{
    struct frame *f = small_frame(SMALL_REGRESSION, ROWS, 9);
    struct params *p = params_new(gbdt_family.params);
    struct model_options o = {
        .problem = -1, .valid_share = -1, .patience = -1, .offset = "tenure"};
    struct error err;
    struct prediction v;
    struct shares s;
    struct model *m;

    (void)state;
    assert_ok(params_set(p, "trees", "8", &err), err);
    m = model_fit(&gbdt_family, p, f, "spend", &o, &QUIET, &err);
    assert_ok(m, err);
    assert_ok(model_predict(m, f, NULL, &v, &err), err);
    s = explain(m, f, NULL);
    for (size_t r = 0; r < ROWS; r++)
        assert_close(shares_margin(&s, r, 0), v.value[r], 1e-9);
    shares_fini(&s);
    prediction_fini(&v);
    params_free(p);
    frame_unref(f);
    model_unref(m);
}

static void
test_quantiles_and_lines_have_shares_that_add_up(void **state)
{
    static const char *const quantiles[] = {"loss", "quantile", "alpha",
                                            "0.1,0.5,0.9", NULL};
    static const char *const names[] = {"q0.1", "q0.5", "q0.9"};
    static const char *const lines[] = {"linear_leaves", "true", NULL};

    (void)state;
    check_setting(quantiles, names, 3);
    check_setting(lines, NULL, 1);
}

static void
compare(const struct shares *a, const struct shares *b, double tolerance)
{
    for (size_t i = 0; i < a->n * a->k * (a->n_features + 1); i++)
        assert_close(a->value[i], b->value[i], tolerance);
}

/* All coalitions are few: the fit is no approximation. */
static void
test_kernel_over_all_coalitions_is_exact(void **state)
{
    const struct explain_options exact = {.way = EXPLAIN_BACKGROUND,
                                          .background_rows = 15};
    const struct explain_options asked = {.way = EXPLAIN_KERNEL,
                                          .background_rows = 15};
    struct model *m[] = {trees(SMALL_BINARY), trees(SMALL_MULTICLASS),
                         small_model(SMALL_BINARY)};
    enum small_kind kind[] = {SMALL_BINARY, SMALL_MULTICLASS, SMALL_BINARY};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct frame *f = small_frame(kind[i], ROWS, 9);
        struct shares a = explain(m[i], f, &exact);
        struct shares b = explain(m[i], f, &asked);

        assert_non_null(strstr(b.note, "all 30 coalitions"));
        compare(&a, &b, 1e-10);
        shares_fini(&a);
        shares_fini(&b);
        frame_unref(f);
        model_unref(m[i]);
    }
}

/* Where features only add up, any coalitions tell them apart. */
static void
test_kernel_over_few_coalitions_is_exact_for_sums(void **state)
{
    const struct explain_options exact = {.way = EXPLAIN_BACKGROUND,
                                          .background_rows = 15};
    const struct explain_options asked = {
        .way = EXPLAIN_KERNEL, .background_rows = 15, .samples = 24};
    struct model *m = small_model(SMALL_REGRESSION);
    struct frame *f = small_frame(SMALL_REGRESSION, ROWS, 9);
    struct shares a = explain(m, f, &exact), b = explain(m, f, &asked);

    (void)state;
    assert_non_null(strstr(b.note, "24 coalitions of 5 features"));
    compare(&a, &b, 1e-10);
    shares_fini(&a);
    shares_fini(&b);
    frame_unref(f);
    model_unref(m);
}

static void
test_frames_have_a_column_for_each_feature(void **state)
{
    static const char *const names[] = {"tenure",   "charges", "senior",
                                        "contract", "joined",  "base"};
    struct model *m = small_model(SMALL_MULTICLASS);
    struct frame *f = small_frame(SMALL_MULTICLASS, ROWS, 9);
    struct shares s = explain(m, f, NULL);
    struct error err;
    struct frame *all = shares_frame(&s, -1, &err);
    struct frame *one = shares_frame(&s, 2, &err);
    struct frame *rank = shares_importance(&s, &err);
    double sum = 0;

    (void)state;
    assert_true(all && one && rank);
    assert_int_equal(frame_rows(all), 3 * ROWS);
    assert_int_equal(frame_cols(one), 6);
    assert_string_equal(frame_name(all, 1), "class");
    for (size_t c = 0; c < 6; c++) {
        assert_string_equal(frame_name(one, c), names[c]);
        for (size_t r = 0; r < ROWS; r++) {
            assert_true(column_number(frame_column(one, c), r) ==
                        shares_at(&s, r, 2)[c]);
            assert_true(column_number(frame_column(all, c + 2), 3 * r + 2) ==
                        shares_at(&s, r, 2)[c]);
        }
    }
    for (size_t r = 0; r < ROWS; r++)
        for (size_t k = 0; k < 3; k++)
            sum += fabs(shares_at(&s, r, k)[3]) / ROWS;
    for (size_t r = 0; r < 5; r++)
        if (str_eq(column_text(frame_column(rank, 0), r), STR("contract")))
            assert_close(column_number(frame_column(rank, 1), r), sum, 1e-12);
    frame_unref(all);
    frame_unref(one);
    frame_unref(rank);
    shares_fini(&s);
    frame_unref(f);
    model_unref(m);
}

static void
test_pairs_have_a_row_for_each_feature(void **state)
{
    const struct explain_options o = {.pairs = true};
    struct model *m = trees(SMALL_BINARY);
    struct frame *f = small_frame(SMALL_BINARY, 3, 9);
    struct shares s = explain(m, f, &o);
    struct error err;
    struct frame *p = shares_frame(&s, -1, &err);

    (void)state;
    assert_ok(p, err);
    assert_int_equal(frame_rows(p), 15);
    assert_int_equal(frame_cols(p), 7);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++)
            assert_true(column_number(frame_column(p, 2 + j), 5 + i) ==
                        shares_at(&s, 1, 0)[i * 6 + j]);
    frame_unref(p);
    shares_fini(&s);
    frame_unref(f);
    model_unref(m);
}

/* A column that the model hardly looks at loses nothing; one row decides the
 * scale: the loss is the metric's difference. */
static void
test_shuffling_ranks_what_matters_first(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct frame *f = small_frame(SMALL_BINARY, 500, 9);
    struct evaluation e;
    struct error err;
    double whole;
    struct frame *rank;

    (void)state;
    rank = explain_shuffle(
        m, f,
        &(struct shuffle_options){metric_find("auc", PROBLEM_BINARY, &err), 4},
        &QUIET, &whole, &err);
    assert_ok(rank, err);
    assert_ok(model_evaluate(m, f, 1, NULL, &e, &err), err);
    assert_close(whole, evaluation_find(&e, "auc")->value, 1e-12);
    assert_int_equal(frame_rows(rank), 5);
    assert_true(column_number(frame_column(rank, 1), 0) > 0.03);
    assert_true(fabs(column_number(frame_column(rank, 1), 4)) < 0.02);
    assert_true(column_number(frame_column(rank, 2), 0) > 0);
    evaluation_fini(&e);
    frame_unref(rank);
    frame_unref(f);
    model_unref(m);
}

static double
only_early(size_t row)
{
    return row < 100 ? 3 : 0;
}

/* Rows count by their weights, and the metric has the number of its name. */
static void
test_shuffling_measures_as_an_evaluation_does(void **state)
{
    enum { N = 400 };
    struct frame *f = small_frame(SMALL_BINARY, N, 7), *rows, *rank;
    struct params *p = params_new(logistic_family.params);
    struct model_options o = {.problem = -1, .patience = -1, .weight = "w"};
    struct metric by;
    struct evaluation e;
    struct error err;
    double whole, *w = mem_try_aligned(N, sizeof *w, &err);
    struct model *m;
    struct judged j;

    (void)state;
    assert_non_null(w);
    for (size_t i = 0; i < N; i++)
        w[i] = only_early(i);
    rows = frame_with(f, "w", column_new(COL_FLOAT64, N, w, NULL, NULL, &err),
                      &err);
    assert_non_null(rows);
    m = model_fit(&logistic_family, p, rows, "churn", &o,
                  &(struct train){.seed = 7}, &err);
    assert_ok(m, err);
    assert_ok(metric_parse("fbeta@2", PROBLEM_BINARY, &by, &err), err);
    rank = explain_shuffle(m, rows, &(struct shuffle_options){&by, 1}, &QUIET,
                           &whole, &err);
    assert_ok(rank, err);
    assert_ok(judged_take(m, rows, NULL, NULL, &j, &err), err);
    assert_ok(
        judged_evaluate(&j,
                        &(struct evaluation_options){
                            .metrics = (const char *const[]){"fbeta@2", NULL}},
                        NULL, &e, &err),
        err);
    assert_close(whole, evaluation_find(&e, "fbeta@2")->value, 1e-12);
    evaluation_fini(&e);
    judged_fini(&j);
    frame_unref(rank);
    params_free(p);
    model_unref(m);
    frame_unref(rows);
    frame_unref(f);
}

static void
test_an_effect_is_the_mean_over_rows(void **state)
{
    struct model *m = trees(SMALL_BINARY);
    struct frame *f = small_frame(SMALL_BINARY, ROWS, 9);
    struct effect_options o = {.column = "contract"};
    struct effect e;
    struct error err;
    struct frame *pdp, *ice;

    (void)state;
    assert_ok(explain_effect(m, f, &o, &QUIET, &e, &err), err);
    assert_int_equal(e.n_points, 3);
    for (size_t p = 0; p < 3; p++) {
        uint32_t same[ROWS];
        struct column *c;
        struct frame *set;
        struct prediction got;
        double sum = 0;

        for (size_t r = 0; r < ROWS; r++)
            same[r] = (uint32_t)p;
        c = column_take(e.grid, same, ROWS, &err);
        set = frame_with(f, "contract", c, &err);
        assert_ok(model_predict(m, set, NULL, &got, &err), err);
        for (size_t r = 0; r < ROWS; r++)
            sum += got.value[r];
        assert_close(effect_mean(&e, p, 0), sum / ROWS, 1e-12);
        prediction_fini(&got);
        frame_unref(set);
    }
    pdp = effect_frame(&e, -1, &err);
    ice = effect_curves(&e, -1, &err);
    assert_true(pdp && ice);
    assert_int_equal(frame_rows(pdp), 3);
    assert_int_equal(frame_rows(ice), 3 * ROWS);
    assert_true(column_number(frame_column(ice, 2), 3 * 5 + 1) ==
                e.value[ROWS + 5]);
    frame_unref(pdp);
    frame_unref(ice);
    effect_fini(&e);
    frame_unref(f);
    model_unref(m);
}

static void
test_grids_are_values_or_equal_steps(void **state)
{
    struct model *m = trees(SMALL_REGRESSION);
    struct frame *f = small_frame(SMALL_REGRESSION, 3000, 9);
    struct effect_options o = {.column = "charges", .points = 11, .rows = 20};
    struct effect e;
    struct error err;

    (void)state;
    assert_ok(explain_effect(m, f, &o, &QUIET, &e, &err), err);
    assert_int_equal(e.n_points, 11);
    assert_int_equal(e.n_rows, 20);
    for (size_t i = 1; i < 11; i++)
        assert_close(column_number(e.grid, i) - column_number(e.grid, i - 1),
                     column_number(e.grid, 1) - column_number(e.grid, 0), 1e-9);
    effect_fini(&e);
    o = (struct effect_options){.column = "tenure", .points = 100};
    assert_ok(explain_effect(m, f, &o, &QUIET, &e, &err), err);
    assert_int_equal(e.n_points, 72);
    assert_close(column_number(e.grid, 71), 71, 0);
    effect_fini(&e);
    o.column = "joined";
    assert_ok(explain_effect(m, f, &o, &QUIET, &e, &err), err);
    assert_int_equal(column_type(e.grid), COL_DATE);
    effect_fini(&e);
    frame_unref(f);
    model_unref(m);
}

static void
test_wrong_questions_are_told(void **state)
{
    const struct explain_options pairs = {.way = EXPLAIN_KERNEL, .pairs = true};
    const struct explain_options path = {.way = EXPLAIN_PATH};
    const struct explain_options few = {.way = EXPLAIN_KERNEL, .samples = 3};
    const struct effect_options o = {.column = "tenur"};
    struct model *m = small_model(SMALL_BINARY);
    struct frame *f = small_frame(SMALL_BINARY, ROWS, 9);
    struct frame *none = frame_slice(f, 0, 0, &(struct error){0});
    struct shuffle_options by = {.metric = NULL};
    struct shares s;
    struct effect e;
    struct error err;
    double whole;

    (void)state;
    assert_false(explain_shares(m, f, &pairs, &QUIET, &s, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(explain_shares(m, f, &path, &QUIET, &s, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(explain_shares(m, f, &few, &QUIET, &s, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(explain_shares(m, none, NULL, &QUIET, &s, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(explain_effect(m, f, &o, &QUIET, &e, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    by.metric = metric_find("rmse", PROBLEM_REGRESSION, &err);
    assert_null(explain_shuffle(m, f, &by, &QUIET, &whole, &err));
    assert_int_equal(err.code, ERR_RANGE);
    frame_unref(none);
    frame_unref(f);
    model_unref(m);
}

static void
test_stopping_is_heard(void **state)
{
    static const struct explain_options ways[] = {
        {.way = EXPLAIN_AUTO},
        {.way = EXPLAIN_BACKGROUND},
        {.way = EXPLAIN_KERNEL},
    };
    struct effect_options o = {.column = "tenure"};
    struct model *m = trees(SMALL_BINARY);
    struct frame *f = small_frame(SMALL_BINARY, ROWS, 9);
    struct progress progress;
    struct train ctx = {.seed = 7, .progress = &progress};
    struct error err;
    struct shares s;
    struct effect e;
    double whole;

    (void)state;
    progress_init(&progress);
    progress_stop(&progress);
    for (size_t w = 0; w < 3; w++) {
        assert_false(explain_shares(m, f, &ways[w], &ctx, &s, &err));
        assert_int_equal(err.code, ERR_CANCELLED);
    }
    assert_false(explain_effect(m, f, &o, &ctx, &e, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_null(explain_shuffle(m, f, NULL, &ctx, &whole, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    frame_unref(f);
    model_unref(m);
}

static void
test_threads_give_the_same_numbers(void **state)
{
    static const struct explain_options ways[] = {
        {.way = EXPLAIN_AUTO},
        {.way = EXPLAIN_BACKGROUND},
        {.way = EXPLAIN_KERNEL, .samples = 20},
    };
    struct model *m = trees(SMALL_MULTICLASS);
    struct frame *f = small_frame(SMALL_MULTICLASS, 200, 9);
    struct pool *pool = pool_new(3);
    struct train ctx = {.seed = 7, .pool = pool};
    struct error err;

    (void)state;
    for (size_t w = 0; w < 3; w++) {
        struct shares a = explain(m, f, &ways[w]), b;

        assert_ok(explain_shares(m, f, &ways[w], &ctx, &b, &err), err);
        assert_memory_equal(a.value, b.value,
                            a.n * a.k * (a.n_features + 1) * sizeof *a.value);
        shares_fini(&a);
        shares_fini(&b);
    }
    pool_free(pool);
    frame_unref(f);
    model_unref(m);
}

/* Each call once, with the frames that are made of it. */
static bool
ask(int what, const struct model *m, const struct frame *f, struct error *err)
{
    const struct explain_options o = {
        .way = what == 1 ? EXPLAIN_KERNEL : EXPLAIN_AUTO, .pairs = what == 2};
    const struct effect_options at = {.column = "contract"};
    struct frame *out = NULL, *more = NULL;
    struct shares s;
    struct effect e;
    double whole;
    bool ok;

    if (what < 3) {
        if (!explain_shares(m, f, &o, &QUIET, &s, err))
            return false;
        ok = (out = shares_frame(&s, -1, err)) &&
             (more = shares_importance(&s, err));
        shares_fini(&s);
    } else if (what == 3) {
        if (!explain_effect(m, f, &at, &QUIET, &e, err))
            return false;
        ok = (out = effect_frame(&e, -1, err)) &&
             (more = effect_curves(&e, -1, err));
        effect_fini(&e);
    } else {
        ok = (out = explain_shuffle(m, f, NULL, &QUIET, &whole, err));
    }
    frame_unref(out);
    frame_unref(more);
    return ok;
}

static void
test_a_failed_allocation_is_told(void **state)
{
    struct model *m = trees(SMALL_MULTICLASS);
    struct frame *f = small_frame(SMALL_MULTICLASS, 8, 9);

    (void)state;
    for (int what = 0; what < 5; what++) {
        bool ok = false;

        for (unsigned long n = 1; !ok; n++) {
            struct error err;

            mem_fault_arm(n, false);
            ok = ask(what, m, f, &err);
            if (mem_fault_armed())
                assert_ok(ok, err);
            mem_fault_arm(0, false);
            if (!ok)
                assert_int_equal(err.code, ERR_NOMEM);
        }
    }
    frame_unref(f);
    model_unref(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_add_up_to_the_margin_in_every_way),
        cmocka_unit_test(test_without_a_target_shares_add_up_to_the_answer),
        cmocka_unit_test(test_bases_hold_the_offset),
        cmocka_unit_test(test_quantiles_and_lines_have_shares_that_add_up),
        cmocka_unit_test(test_kernel_over_all_coalitions_is_exact),
        cmocka_unit_test(test_kernel_over_few_coalitions_is_exact_for_sums),
        cmocka_unit_test(test_frames_have_a_column_for_each_feature),
        cmocka_unit_test(test_pairs_have_a_row_for_each_feature),
        cmocka_unit_test(test_shuffling_ranks_what_matters_first),
        cmocka_unit_test(test_shuffling_measures_as_an_evaluation_does),
        cmocka_unit_test(test_an_effect_is_the_mean_over_rows),
        cmocka_unit_test(test_grids_are_values_or_equal_steps),
        cmocka_unit_test(test_wrong_questions_are_told),
        cmocka_unit_test(test_stopping_is_heard),
        cmocka_unit_test(test_threads_give_the_same_numbers),
        cmocka_unit_test(test_a_failed_allocation_is_told),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
