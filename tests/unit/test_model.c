/* tests/unit/test_model.c -- fit, predict, evaluate, save and open.
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
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/cv.h"
#include "engine/family.h"
#include "frame/builder.h"

static const char *const contracts[] = {"Month-to-month", "One year",
                                        "Two year"};

/* A small customer table whose churn depends on all three columns; every
 * ninth charge is missing. */
static struct frame *
customers(size_t n, uint64_t seed)
{
    static const char *const names[] = {"tenure", "charge", "contract",
                                        "churn"};
    static const enum col_type types[] = {COL_INT64, COL_FLOAT64, COL_TEXT,
                                          COL_TEXT};
    struct error err;
    struct builder *b = builder_new(4, names, types, &err);
    struct frame *f;

    assert_non_null(b);
    for (size_t i = 0; i < n; i++) {
        int64_t tenure = (int64_t)rng_below(seed, 0, i, 72);
        double charge = 20 + 100 * rng_unit(seed, 1, i);
        size_t contract = rng_below(seed, 2, i, 3);
        double score = charge / 40 - (double)tenure / 20 - (double)contract +
                       rng_normal(seed, 3, i);

        assert_true(builder_i64(b, 0, tenure, &err));
        if (i % 9 != 0)
            assert_true(builder_f64(b, 1, charge, &err));
        assert_true(builder_text(b, 2, str_of(contracts[contract]), &err));
        assert_true(builder_text(b, 3, str_of(score > 0 ? "Yes" : "No"), &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static struct model *
fit(const struct frame *f, const char *family, const char *target,
    const struct model_options *o, struct pool *pool, struct error *err)
{
    const struct family *fam = family_need(family, err);
    struct params *p = params_new(fam->params);
    struct train ctx = {.pool = pool, .seed = 7};
    struct model *m = model_fit(fam, p, f, target, o, &ctx, err);

    params_free(p);
    return m;
}

static const char *const kinds[] = {"logistic", "gbdt", "mlp"};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static struct model *
churn_model_of(const struct frame *f, const char *kind, struct pool *pool)
{
    struct model_options o = {
        .problem = -1, .patience = 5, .valid_share = 0.25};
    struct error err;
    struct model *m = fit(f, kind, "churn", &o, pool, &err);

    if (!m)
        print_message("# %s\n", err.message);
    assert_non_null(m);
    return m;
}

static struct model *
churn_model(const struct frame *f)
{
    return churn_model_of(f, "logistic", NULL);
}

static void
save(const struct model *m, struct buf *out)
{
    struct error err;

    buf_init(out);
    assert_true(model_save(m, out, &err));
}

static void
expect_same_predictions(const struct model *a, const struct model *b,
                        const struct frame *f)
{
    struct prediction x, y;
    struct error err;

    assert_true(model_predict(a, f, NULL, &x, &err));
    assert_true(model_predict(b, f, NULL, &y, &err));
    assert_int_equal(x.n * x.k, y.n * y.k);
    assert_memory_equal(x.value, y.value, x.n * x.k * sizeof *x.value);
    prediction_fini(&x);
    prediction_fini(&y);
}

static void
test_a_model_knows_where_it_comes_from(void **state)
{
    struct frame *f = customers(400, 1);
    struct model *m = churn_model(f);
    const char *const *classes;
    char fingerprint[33];
    struct error err;
    size_t n;

    (void)state;
    assert_string_equal(model_family(m)->name, "logistic");
    assert_int_equal(model_problem(m), PROBLEM_BINARY);
    assert_string_equal(model_target(m), "churn");
    assert_int_equal(model_classes(m, &classes), 2);
    assert_string_equal(classes[1], "Yes");
    assert_int_equal(model_train_rows(m), 300);
    assert_int_equal(model_seed(m), 7);
    assert_true(frame_fingerprint(f, fingerprint, &err));
    assert_string_equal(model_fingerprint(m), fingerprint);
    assert_non_null(strstr(model_params(m), "\"lambda\":0.003333333333333"));
    assert_non_null(strstr(model_valid_metrics(m), "\"auc\""));
    (void)model_inputs(m, &n);
    assert_int_equal(n, 3);
    model_unref(m);
    frame_unref(f);
}

/* Whoever has hashed the rows has not to do so again. */
static void
test_a_fingerprint_that_is_known_is_taken(void **state)
{
    static const char known[] = "00112233445566778899aabbccddeeff";
    const struct model_options o = {
        .problem = -1, .patience = -1, .fingerprint = known};
    struct frame *f = customers(60, 1);
    struct error err;
    struct model *m = fit(f, "logistic", "churn", &o, NULL, &err);

    (void)state;
    assert_non_null(m);
    assert_string_equal(model_fingerprint(m), known);
    model_unref(m);
    frame_unref(f);
}

static void
test_a_saved_model_predicts_the_same_bits(void **state)
{
    struct frame *f = customers(400, 1), *asked = customers(150, 2);

    (void)state;
    for (size_t k = 0; k < N_KINDS; k++) {
        struct model *m = churn_model_of(f, kinds[k], NULL), *back;
        char path[] = "/tmp/lathe-model-XXXXXX";
        int fd = mkstemp(path);
        struct error err;
        struct buf file, again;

        assert_true(fd >= 0);
        save(m, &file);
        assert_int_equal(write(fd, file.data, file.len), (ssize_t)file.len);
        close(fd);
        back = model_open(path, family_find, &err);
        assert_non_null(back);
        expect_same_predictions(m, back, asked);
        save(back, &again);
        assert_int_equal(file.len, again.len);
        assert_memory_equal(file.data, again.data, file.len);
        unlink(path);
        model_unref(m);
        model_unref(back);
        buf_fini(&file);
        buf_fini(&again);
    }
    frame_unref(f);
    frame_unref(asked);
}

static void
expect_same_bytes(const struct frame *f, const char *kind)
{
    struct buf one, many;

    for (unsigned threads = 0; threads <= 7; threads += 1 + threads * 5) {
        struct pool *pool = threads ? pool_new(threads) : NULL;
        struct model *m = churn_model_of(f, kind, pool);

        save(m, threads ? &many : &one);
        if (threads) {
            assert_int_equal(one.len, many.len);
            assert_memory_equal(one.data, many.data, one.len);
            buf_fini(&many);
        }
        model_unref(m);
        pool_free(pool);
    }
    buf_fini(&one);
}

static void
test_same_input_gives_same_bytes_with_any_threads(void **state)
{
    struct frame *f = customers(1000, 1);

    (void)state;
    for (size_t k = 0; k < N_KINDS; k++)
        expect_same_bytes(f, kinds[k]);
    frame_unref(f);
}

/* A row scored alone and among others. */
static void
test_a_row_alone_scores_as_in_company(void **state)
{
    struct frame *f = customers(600, 1);
    struct model *m = churn_model(f);
    struct prediction all, one;
    struct error err;

    (void)state;
    assert_true(model_predict(m, f, NULL, &all, &err));
    for (uint32_t i = 0; i < 600; i += 37) {
        struct frame *row = frame_take(f, &i, 1, &err);

        assert_non_null(row);
        assert_true(model_predict(m, row, NULL, &one, &err));
        assert_memory_equal(&one.value[0], &all.value[i], sizeof(double));
        prediction_fini(&one);
        frame_unref(row);
    }
    prediction_fini(&all);
    model_unref(m);
    frame_unref(f);
}

static void
test_predictions_come_as_a_frame(void **state)
{
    struct frame *f = customers(300, 1);
    struct model *m = churn_model(f);
    struct error err;
    struct frame *p = model_predict_frame(m, f, NULL, &err);

    (void)state;
    assert_non_null(p);
    assert_int_equal(frame_cols(p), 2);
    assert_string_equal(frame_name(p, 0), "probability");
    assert_string_equal(frame_name(p, 1), "prediction");
    for (size_t i = 0; i < 300; i++) {
        bool yes = column_number(frame_column(p, 0), i) > 0.5;

        assert_true(
            str_is(column_text(frame_column(p, 1), i), yes ? "Yes" : "No"));
    }
    frame_unref(p);
    model_unref(m);
    frame_unref(f);
}

static void
test_several_classes_have_a_column_each(void **state)
{
    struct frame *f = customers(300, 1);
    struct error err;
    struct model *m = fit(f, "logistic", "contract", NULL, NULL, &err);
    struct frame *p = model_predict_frame(m, f, NULL, &err);
    struct evaluation e;

    (void)state;
    assert_non_null(p);
    assert_int_equal(frame_cols(p), 4);
    assert_string_equal(frame_name(p, 1), "p_One year");
    for (size_t i = 0; i < 300; i++) {
        double sum = 0;

        for (size_t c = 0; c < 3; c++)
            sum += column_number(frame_column(p, c), i);
        assert_true(fabs(sum - 1) < 1e-12);
    }
    assert_true(model_evaluate(m, f, 1, NULL, &e, &err));
    assert_int_equal(e.n_classes, 3);
    evaluation_fini(&e);
    frame_unref(p);
    model_unref(m);
    frame_unref(f);
}

/* Two that differ behind 300 characters. */
static void
test_long_names_of_classes_stay_apart(void **state)
{
    const char *names[] = {"x", "y"};
    const enum col_type types[] = {COL_FLOAT64, COL_TEXT};
    struct error err;
    struct builder *b = builder_new(2, names, types, &err);
    char class[302];
    struct frame *f, *p;
    struct model *m;

    (void)state;
    memset(class, 'c', sizeof class);
    for (size_t i = 0; i < 90; i++) {
        class[300] = (char)('a' + i % 3);
        class[301] = '\0';
        assert_true(builder_f64(b, 0, (double)(i % 7), &err) &&
                    builder_text(b, 1, str_of(class), &err) &&
                    builder_end_row(b, &err));
    }
    assert_non_null(f = builder_finish(b, &err));
    assert_non_null(m = fit(f, "naive_bayes", "y", NULL, NULL, &err));
    assert_non_null(p = model_predict_frame(m, f, NULL, &err));
    assert_int_equal(frame_cols(p), 4);
    for (size_t c = 0; c < 3; c++)
        assert_int_equal(strlen(frame_name(p, c)), 303);
    frame_unref(p);
    model_unref(m);
    frame_unref(f);
}

static void
test_a_family_refuses_a_target_it_does_not_learn(void **state)
{
    struct frame *f = customers(100, 1);
    struct error err;

    (void)state;
    assert_null(fit(f, "logistic", "charge", NULL, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE); /* missing values come first */
    assert_null(fit(f, "logistic", "tenure", NULL, NULL, &err));
    assert_string_equal(err.message, "logistic does not learn a regression "
                                     "target, and 'tenure' is one");
    assert_null(fit(f, "linear", "churn", NULL, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_null(fit(f, "logistic", "chrun", NULL, NULL, &err));
    assert_string_equal(err.message, "target: no column 'chrun' (did you mean "
                                     "'churn'?)");
    frame_unref(f);
}

static void
test_rows_with_another_class_are_refused(void **state)
{
    static const char *const names[] = {"tenure", "charge", "contract",
                                        "churn"};
    static const enum col_type types[] = {COL_INT64, COL_FLOAT64, COL_TEXT,
                                          COL_TEXT};
    struct frame *f = customers(300, 1), *other;
    struct model *m = churn_model(f);
    struct evaluation e;
    struct error err;
    struct builder *b = builder_new(4, names, types, &err);

    (void)state;
    assert_true(builder_text(b, 3, STR("Maybe"), &err) &&
                builder_end_row(b, &err));
    other = builder_finish(b, &err);
    assert_false(model_evaluate(m, other, 1, NULL, &e, &err));
    assert_string_equal(err.message, "target 'churn' is 'Maybe' in row 1: not "
                                     "a class the model knows");
    frame_unref(other);
    frame_unref(f);
    model_unref(m);
}

static void
test_importance_sums_to_one_by_input(void **state)
{
    struct frame *f = customers(600, 1);
    struct model *m = churn_model(f);
    struct error err;
    struct frame *i = model_importance(m, &err);
    double sum = 0, last = 1;

    (void)state;
    assert_non_null(i);
    assert_int_equal(frame_rows(i), 3);
    for (size_t r = 0; r < 3; r++) {
        double v = column_number(frame_column(i, 1), r);

        assert_true(v <= last);
        last = v;
        sum += v;
    }
    assert_true(fabs(sum - 1) < 1e-12);
    frame_unref(i);
    model_unref(m);
    frame_unref(f);
}

/* Values 0..99 in training: the deciles are 10, 20, ... and each bin holds a
 * tenth. Levels: counted. */
static void
test_baselines_are_deciles_and_shares(void **state)
{
    static const char *const names[] = {"x", "c", "y"};
    static const enum col_type types[] = {COL_INT64, COL_TEXT, COL_FLOAT64};
    struct error err;
    struct builder *b = builder_new(3, names, types, &err);
    const struct baseline *base;
    struct frame *f;
    struct model *m;
    size_t n;

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_true(builder_i64(b, 0, (i * 37) % 100, &err));
        if (i % 10 != 0)
            assert_true(builder_text(b, 1, i % 3 ? STR("a") : STR("b"), &err));
        assert_true(builder_f64(b, 2, i * i % 51, &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    m = fit(f, "linear", "y", NULL, NULL, &err);
    assert_non_null(m);
    base = model_baselines(m, &n);
    assert_int_equal(n, 2);
    assert_int_equal(base[0].n_bins, 10);
    for (size_t i = 0; i < 10; i++) {
        assert_true(fabs(base[0].share[i] - 0.1) < 1e-12);
        if (i < 9)
            assert_true(base[0].cuts[i] == (double)(10 * (i + 1)));
    }
    assert_true(base[1].category);
    assert_int_equal(base[1].n_bins, 3);
    assert_true(fabs(base[1].missing - 0.1) < 1e-12);
    assert_true(fabs(base[1].share[0] - 60.0 / 90) < 1e-12);
    assert_true(fabs(base[1].share[1] - 30.0 / 90) < 1e-12);
    assert_true(base[1].share[2] == 0);
    model_unref(m);
    frame_unref(f);
}

static void
test_a_derived_column_travels_with_the_model(void **state)
{
    static const char *const derive[] = {"rate = charge / (tenure + 1)",
                                         "steep = rate > 3", NULL};
    struct model_options o = {.problem = -1, .patience = -1, .derive = derive};
    struct frame *f = customers(400, 1), *i;
    struct error err;
    struct model *m = fit(f, "logistic", "churn", &o, NULL, &err), *back;
    struct buf file;

    (void)state;
    if (!m)
        print_message("# %s\n", err.message);
    assert_non_null(m);
    save(m, &file);
    back = model_parse((struct str){file.data, file.len}, family_find, &err);
    if (!back)
        print_message("# %s\n", err.message);
    assert_non_null(back);
    expect_same_predictions(m, back, f);
    i = model_importance(back, &err);
    assert_int_equal(frame_rows(i), 5);
    frame_unref(i);
    model_unref(back);
    model_unref(m);
    buf_fini(&file);
    frame_unref(f);
}

static void
expect_truncated_refused(const struct buf *file)
{
    struct error err;

    for (size_t n = 0; n < file->len; n++) {
        /* A copy of its own lets the sanitizer see a read past the end. */
        char *p = malloc(n + !n);
        struct model *back;

        assert_non_null(p);
        memcpy(p, file->data, n);
        back = model_parse((struct str){p, n}, family_find, &err);
        assert_null(back);
        assert_int_equal(err.code, ERR_CORRUPT);
        free(p);
    }
}

static void
test_a_truncated_file_is_refused_at_every_byte(void **state)
{
    struct frame *f = customers(60, 1);

    (void)state;
    for (size_t k = 0; k < N_KINDS; k++) {
        struct model *m = churn_model_of(f, kinds[k], NULL);
        struct buf file;

        save(m, &file);
        expect_truncated_refused(&file);
        model_unref(m);
        buf_fini(&file);
    }
    frame_unref(f);
}

static void
ask_changed(struct buf *file, const struct frame *f)
{
    for (size_t at = 0; at < file->len; at++)
        for (unsigned k = 0; k < 3; k++) {
            char was = file->data[at];
            struct model *back;
            struct prediction p;
            struct error err;

            file->data[at] = k == 0 ? '9' : k == 1 ? '\0' : (char)(was ^ 0x40);
            back = model_parse((struct str){file->data, file->len}, family_find,
                               &err);
            if (back && model_predict(back, f, NULL, &p, &err))
                prediction_fini(&p);
            model_unref(back);
            file->data[at] = was;
        }
}

/* One byte changed anywhere: refused, or a model that can be asked. */
static void
test_a_changed_byte_never_breaks_the_reader(void **state)
{
    struct frame *f = customers(60, 1);

    (void)state;
    for (size_t k = 0; k < N_KINDS; k++) {
        struct model *m = churn_model_of(f, kinds[k], NULL);
        struct buf file;

        save(m, &file);
        ask_changed(&file, f);
        model_unref(m);
        buf_fini(&file);
    }
    frame_unref(f);
}

/* Importances are shares of these: one below zero would have no bar. */
static void
test_a_negative_gain_or_spread_is_refused(void **state)
{
    static const char *const tensors[] = {"linear.spread", "tree.gain",
                                          "mlp.importance"};
    struct frame *f = customers(60, 1);

    (void)state;
    for (size_t k = 0; k < N_KINDS; k++) {
        struct model *m = churn_model_of(f, kinds[k], NULL);
        struct st_tensor t;
        struct st_file *st;
        struct error err;
        struct buf file;
        const double below = -1;

        save(m, &file);
        st = st_parse((struct str){file.data, file.len}, &err);
        assert_non_null(st);
        assert_true(st_need(st, tensors[k], ST_F64, -1, &t, &err));
        memcpy(file.data + ((const char *)t.data - file.data), &below,
               sizeof below);
        st_free(st);
        assert_null(
            model_parse((struct str){file.data, file.len}, family_find, &err));
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_non_null(strstr(err.message, "negative"));
        model_unref(m);
        buf_fini(&file);
    }
    frame_unref(f);
}

/* Early stopping finds the rounds on three quarters of the rows; the model
 * that is kept has that many and has seen all rows. */
/* customers() with columns "w", 0 in every other row, and "q", five rows of a
 * query. */
static struct frame *
weighed(size_t n)
{
    struct frame *f = customers(n, 3), *next;
    double *w = mem_try_aligned(n, sizeof *w, &(struct error){0});
    int64_t *q = mem_try_aligned(n, sizeof *q, &(struct error){0});
    const char *names[] = {"w", "q"};
    struct column *c[2];
    struct error err;

    for (size_t i = 0; i < n; i++) {
        w[i] = i % 2 ? 1 + (double)(i % 5) : 0;
        q[i] = (int64_t)(1000 - i / 5);
    }
    c[0] = column_new(COL_FLOAT64, n, w, NULL, NULL, &err);
    c[1] = column_new(COL_INT64, n, q, NULL, NULL, &err);
    for (size_t i = 0; i < 2; i++, f = next) {
        assert_non_null(c[i]);
        next = frame_with(f, names[i], c[i], &err);
        assert_non_null(next);
        frame_unref(f);
    }
    return f;
}

static void
test_weights_and_queries_are_no_inputs(void **state)
{
    static const char *const drop[] = {"tenure", NULL};
    struct model_options o = {.problem = -1,
                              .patience = 5,
                              .drop = drop,
                              .weight = "w",
                              .group = "q"};
    struct frame *f = weighed(400), *few;
    struct evaluation e;
    struct buf b;
    struct error err;
    size_t n;

    (void)state;
    for (size_t i = 0; i < N_KINDS; i++) {
        struct model *m = fit(f, kinds[i], "churn", &o, NULL, &err), *back;

        if (!family_find(kinds[i])->weighs) {
            assert_null(m);
            assert_non_null(strstr(err.message, "does not learn from weights"));
            continue;
        }
        assert_non_null(m);
        (void)model_inputs(m, &n);
        assert_int_equal(n, 2);
        save(m, &b);
        back = model_parse((struct str){b.data, b.len}, family_find, &err);
        assert_non_null(back);
        assert_string_equal(model_weight(back), "w");
        assert_string_equal(model_group(back), "q");
        /* Rows to be judged need neither. */
        few = customers(50, 9);
        assert_true(model_evaluate(back, few, 1, NULL, &e, &err));
        evaluation_fini(&e);
        frame_unref(few);
        model_unref(back);
        model_unref(m);
        buf_fini(&b);
    }
    frame_unref(f);
}

/* A quarter of 80 queries of five rows each. */
static void
test_queries_are_held_out_whole(void **state)
{
    struct model_options o = {
        .problem = -1, .patience = 5, .group = "q", .valid_share = 0.25};
    struct frame *f = weighed(400);
    struct error err;
    struct model *m = fit(f, "gbdt", "churn", &o, NULL, &err);
    struct json *card;
    struct json_writer w;
    struct buf b;
    int64_t rows = 0;

    (void)state;
    assert_non_null(m);
    assert_int_equal(model_train_rows(m), 300);
    buf_init(&b);
    json_writer_init(&w, &b);
    model_card_json(m, &w);
    card = json_parse((struct str){b.data, b.len}, &err);
    assert_non_null(card);
    assert_true(json_get_i64(card, "valid_rows", &rows, &err));
    assert_int_equal(rows, 100);
    json_free(card);
    buf_fini(&b);
    model_unref(m);
    frame_unref(f);
}

static void
test_class_weights_lift_the_rare_class(void **state)
{
    static const char *const lift[] = {"Yes=50", NULL};
    static const char *const bad[] = {"Perhaps=2", NULL};
    struct model_options o = {.problem = -1, .patience = 5};
    struct frame *f = customers(600, 1);
    struct prediction p;
    struct error err;
    double mean[2] = {0, 0};

    (void)state;
    for (size_t i = 0; i < N_KINDS; i++) {
        if (!family_find(kinds[i])->weighs)
            continue;
        for (size_t k = 0; k < 2; k++) {
            struct model *m;

            o.class_weight = k ? lift : NULL;
            m = fit(f, kinds[i], "churn", &o, NULL, &err);
            assert_non_null(m);
            assert_true(model_predict(m, f, NULL, &p, &err));
            mean[k] = 0;
            for (size_t r = 0; r < p.n; r++)
                mean[k] += p.value[r] / (double)p.n;
            prediction_fini(&p);
            model_unref(m);
        }
        assert_true(mean[1] > mean[0] + 0.2);
        o.class_weight = bad;
        assert_null(fit(f, kinds[i], "churn", &o, NULL, &err));
        assert_string_equal(
            err.message,
            "class weight 'Perhaps=2': the target has no such class");
    }
    frame_unref(f);
}

static void
test_a_refit_learns_from_all_rows(void **state)
{
    struct model_options o = {
        .problem = -1, .patience = 5, .valid_share = 0.25, .refit = true};
    struct frame *f = customers(400, 1);
    struct model *first = churn_model_of(f, "gbdt", NULL), *m, *back;
    struct buf card, file;
    const char *rounds;
    struct error err;

    (void)state;
    m = fit(f, "gbdt", "churn", &o, NULL, &err);
    assert_non_null(m);
    assert_int_equal(model_train_rows(first), 300);
    assert_int_equal(model_train_rows(m), 400);
    rounds = strstr(model_params(first), "\"rounds\":");
    assert_non_null(rounds);
    assert_non_null(strstr(model_params(m), rounds));
    assert_string_equal(model_valid_metrics(m), model_valid_metrics(first));
    /* Its card, read back, says of which model the scores are. */
    save(m, &file);
    back = model_parse((struct str){file.data, file.len}, family_find, &err);
    assert_non_null(back);
    buf_init(&card);
    model_print(back, &card);
    assert_non_null(strstr(card.data, "learnt from 400 rows"));
    assert_non_null(
        strstr(card.data, "on 100 rows before the refit, learnt from 300"));
    buf_clear(&card);
    model_print(first, &card);
    assert_null(strstr(card.data, "refit"));
    buf_fini(&card);
    buf_fini(&file);
    model_unref(back);
    model_unref(first);
    model_unref(m);
    frame_unref(f);
}

static void
test_no_memory_ends_in_an_error_not_a_leak(void **state)
{
    struct frame *f = customers(60, 1);
    struct model_options o = {
        .problem = -1, .patience = -1, .valid_share = 0.25};
    struct error err;
    struct model *m = NULL, *back = NULL;
    struct buf file;
    unsigned long n;

    (void)state;
    for (n = 1; n < 5000 && !m; n++) {
        mem_fault_arm(n, false);
        m = fit(f, "logistic", "churn", &o, NULL, &err);
        mem_fault_arm(0, false);
        if (!m)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 50, 4999);
    save(m, &file);
    for (n = 1; n < 5000 && !back; n++) {
        mem_fault_arm(n, false);
        back =
            model_parse((struct str){file.data, file.len}, family_find, &err);
        mem_fault_arm(0, false);
        if (!back)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 20, 4999);
    expect_same_predictions(m, back, f);
    model_unref(m);
    model_unref(back);
    buf_fini(&file);
    frame_unref(f);
}

static void
test_cross_validation_scores_every_row_once(void **state)
{
    struct frame *f = customers(500, 1);
    struct params *p = params_new(family_find("logistic")->params);
    struct train ctx = {.seed = 3};
    struct cv_result r;
    struct error err;
    double sum = 0;

    (void)state;
    assert_true(cv_run(family_find("logistic"), p, f, "churn",
                       &(struct cv_options){.k = 5}, &ctx, &r, &err));
    assert_int_equal(r.k, 5);
    assert_int_equal(r.metrics.n, 12);
    assert_string_equal(r.metrics.metric[1]->name, "auc");
    for (unsigned i = 0; i < 5; i++)
        sum += r.fold[i * r.metrics.n + 1] / 5;
    assert_true(fabs(sum - r.mean[1]) < 1e-12);
    assert_true(r.mean[1] > 0.8);
    for (size_t i = 0; i < 500; i++)
        assert_true(r.out.value[i] > 0 && r.out.value[i] < 1);
    cv_result_fini(&r);
    params_free(p);
    frame_unref(f);
}

/* One row of a class and five folds. */
static void
test_cross_validation_bears_a_rare_class(void **state)
{
    static const char *const names[] = {"x", "y"};
    static const enum col_type types[] = {COL_FLOAT64, COL_TEXT};
    struct params *p = params_new(family_find("logistic")->params);
    struct train ctx = {.seed = 3};
    struct cv_result r;
    struct error err;
    struct builder *b = builder_new(2, names, types, &err);
    struct frame *f;

    (void)state;
    for (size_t i = 0; i < 200; i++) {
        const char *y = i == 0 ? "rare" : i % 2 ? "odd" : "even";

        assert_true(
            builder_f64(b, 0, rng_unit(1, 0, i) + (double)(i % 2), &err) &&
            builder_text(b, 1, str_of(y), &err) && builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_true(cv_run(family_find("logistic"), p, f, "y",
                       &(struct cv_options){.k = 5}, &ctx, &r, &err));
    assert_int_equal(r.out.k, 3);
    /* The fold that tests the one row has not seen its class. */
    assert_true(r.out.value[2] == 0);
    for (size_t i = 0; i < 200; i++) {
        double sum = r.out.value[3 * i] + r.out.value[3 * i + 1] +
                     r.out.value[3 * i + 2];

        assert_true(fabs(sum - 1) < 1e-9);
    }
    cv_result_fini(&r);
    params_free(p);
    frame_unref(f);
}

static void
test_validation_rows_may_be_given(void **state)
{
    struct frame *f = customers(400, 1), *valid = customers(200, 2);
    struct model_options o = {.problem = -1, .patience = 5, .valid = valid};
    struct error err;
    struct model *m = fit(f, "gbdt", "churn", &o, NULL, &err);
    struct evaluation e;
    struct json *v;
    double kept;

    (void)state;
    assert_non_null(m);
    assert_int_equal(model_train_rows(m), 400);
    assert_true(model_evaluate(m, valid, 1, NULL, &e, &err));
    v = json_parse(str_of(model_valid_metrics(m)), &err);
    assert_true(json_get_double(json_find(json_find(v, "metrics"), "logloss"),
                                "value", &kept, &err));
    assert_true(kept == evaluation_find(&e, "logloss")->value);
    json_free(v);
    evaluation_fini(&e);
    model_unref(m);
    frame_unref(f);
    frame_unref(valid);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_model_knows_where_it_comes_from),
        cmocka_unit_test(test_a_fingerprint_that_is_known_is_taken),
        cmocka_unit_test(test_a_saved_model_predicts_the_same_bits),
        cmocka_unit_test(test_same_input_gives_same_bytes_with_any_threads),
        cmocka_unit_test(test_a_row_alone_scores_as_in_company),
        cmocka_unit_test(test_predictions_come_as_a_frame),
        cmocka_unit_test(test_several_classes_have_a_column_each),
        cmocka_unit_test(test_long_names_of_classes_stay_apart),
        cmocka_unit_test(test_a_family_refuses_a_target_it_does_not_learn),
        cmocka_unit_test(test_rows_with_another_class_are_refused),
        cmocka_unit_test(test_importance_sums_to_one_by_input),
        cmocka_unit_test(test_baselines_are_deciles_and_shares),
        cmocka_unit_test(test_a_derived_column_travels_with_the_model),
        cmocka_unit_test(test_a_truncated_file_is_refused_at_every_byte),
        cmocka_unit_test(test_a_changed_byte_never_breaks_the_reader),
        cmocka_unit_test(test_a_negative_gain_or_spread_is_refused),
        cmocka_unit_test(test_weights_and_queries_are_no_inputs),
        cmocka_unit_test(test_queries_are_held_out_whole),
        cmocka_unit_test(test_class_weights_lift_the_rare_class),
        cmocka_unit_test(test_a_refit_learns_from_all_rows),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
        cmocka_unit_test(test_cross_validation_scores_every_row_once),
        cmocka_unit_test(test_cross_validation_bears_a_rare_class),
        cmocka_unit_test(test_validation_rows_may_be_given),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
