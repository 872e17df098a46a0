/* tests/unit/test_port_line.c -- leaves that are lines: LightGBM's and lathe's.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/port/ensemble.h"
#include "engine/port/lightgbm.h"
#include "engine/port/port.h"
#include "engine/port/portable.h"
#include "tests/lib/small_model.h"

/* The answers of a portable to one row. */
static void
ask(const struct portable *p, const double *x, double *out)
{
    struct design_column column[8] = {{0}};
    struct error err;
    struct design *d = design_dense(x, 1, p->graph->n_cols, column, &err);

    assert_non_null(d);
    assert_ok(graph_score(p->graph, d, NULL, out, &err), err);
    design_free(d);
}

static struct portable *
lightgbm(const char *text)
{
    struct error err;
    struct portable *p = lightgbm_read(str_of(text), NULL, &err);

    assert_ok(p != NULL, err);
    return p;
}

/* ---- beside LightGBM ---- */

/* Learnt by LightGBM 4.6 with linear_tree=true, num_leaves=4, 2 rounds, from 80
 * rows of two numbers, a tenth of one missing, and a category; without the
 * lists of weights and counts. */
static const char learnt[] =
    "tree\n"
    "version=v4\n"
    "num_class=1\n"
    "num_tree_per_iteration=1\n"
    "label_index=0\n"
    "max_feature_idx=2\n"
    "objective=regression\n"
    "feature_names=a b c\n"
    "feature_infos=[0:10] [-3.7000000000000002:3.8999999999999999] "
    "-1:1:0:2:3\n"
    "tree_sizes=651 797\n"
    "\n"
    "Tree=0\n"
    "num_leaves=4\n"
    "num_cat=1\n"
    "split_feature=2 0 0\n"
    "split_gain=1569.86 1419.12 505.19\n"
    "threshold=0 6.4500000000000011 6.7500000000000009\n"
    "decision_type=1 10 10\n"
    "left_child=1 -1 -2\n"
    "right_child=2 -3 -4\n"
    "leaf_value=8.2555272568017237 5.3304645923444554 "
    "16.852779089286923 8.3145297171669483\n"
    "cat_boundaries=0 1\n"
    "cat_threshold=4\n"
    "is_linear=1\n"
    "leaf_const=8.2555272568017237 5.3304645923444554 "
    "16.852779089286923 8.3145297171669483\n"
    "num_features=0 0 0 0\n"
    "leaf_features=    \n"
    "leaf_coeff=    \n"
    "shrinkage=1\n"
    "\n"
    "\n"
    "Tree=1\n"
    "num_leaves=4\n"
    "num_cat=1\n"
    "split_feature=0 2 1\n"
    "split_gain=581.073 436.327 154.071\n"
    "threshold=4.0500000000000007 0 -1.0000000180025095e-35\n"
    "decision_type=8 1 2\n"
    "left_child=2 -2 -1\n"
    "right_child=1 -3 -4\n"
    "leaf_value=-0.55260145477950562 3.2452842632929482 "
    "0.057401821948587894 -2.9562745491663613\n"
    "cat_boundaries=0 1\n"
    "cat_threshold=4\n"
    "is_linear=1\n"
    "leaf_const=-3.7005341557620945 -3.1297992378109427 "
    "-0.92419127607361684 -3.0383368408690963\n"
    "num_features=2 1 1 2\n"
    "leaf_features=0 1  0  0  0 1  \n"
    "leaf_coeff=0.8248715348789728 -1.4937236971606829  "
    "0.95249036754153593  0.14063333024445951  0.58124369581317881 "
    "-0.86706214584085917  \n"
    "shrinkage=0.5\n"
    "\n"
    "\n"
    "end of trees\n";

/* What its Booster.predict() says. */
static void
test_lines_that_lightgbm_learnt_answer_as_there(void **state)
{
    static const double x[][3] = {{1, 0.5, 0},   {9, -1, 2},  {NAN, 0.5, 2},
                                  {4.9, NAN, 1}, {5.5, 3, 3}, {NAN, NAN, NAN},
                                  {20, -8, 7},   {0, 0, -1}};
    static const double want[] = {2.4398403743681083, 22.295393159349803,
                                  11.500811520094672, 5.09537663446869,
                                  5.179756632615366,  5.387866414293043,
                                  10.203005045982522, 2.292127751475359};
    struct portable *p = lightgbm(learnt);
    double got;

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        ask(p, x[i], &got);
        assert_close(got, want[i], 1e-14);
    }
    portable_free(p);
}

/* ---- its rule ---- */

#define LINE_TREE(objective, head, lines)                            \
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\n"      \
    "label_index=0\nmax_feature_idx=1\nobjective=" objective         \
    "\nfeature_names=x y\nfeature_infos=none none\ntree_sizes=1\n\n" \
    "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\n"             \
    "split_gain=1\nthreshold=0.5\ndecision_type=8\nleft_child=-1\n"  \
    "right_child=-2\nleaf_value=" head "\nis_linear=1\n" lines       \
    "shrinkage=1\n\n\nend of trees\n"
#define TWO_LINES                                                \
    "leaf_const=10 20\nnum_features=2 0\nleaf_features=0 1   \n" \
    "leaf_coeff=2 -3   \n"

/* A leaf of no columns is its constant, whatever its value says; where a
 * column of the line is missing the value counts.  All of it is in the
 * margin. */
static void
test_lines_and_what_they_miss(void **state)
{
    static const double x[] = {0.25, 2, 0.25, NAN, 7, 1, NAN, 2};
    static const double want[] = {4.5, -1, 20, 20};
    struct portable *p = lightgbm(LINE_TREE("regression", "-1 1", TWO_LINES));
    double got;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        ask(p, x + 2 * i, &got);
        assert_close(got, want[i], 0);
    }
    portable_free(p);
    p = lightgbm(LINE_TREE("binary sigmoid:0.5", "-1 1", TWO_LINES));
    for (size_t i = 0; i < 4; i++) {
        ask(p, x + 2 * i, &got);
        assert_close(got, 1 / (1 + exp(-0.5 * want[i])), 1e-12);
    }
    portable_free(p);
}

static void
test_lines_that_do_not_fit_are_refused(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {LINE_TREE("regression", "-1 1", ""), "leaf_const"},
        {LINE_TREE("regression", "-1 1 3", TWO_LINES), "leaf_value"},
        {LINE_TREE("regression", "-1 1",
                   "leaf_const=1 2\nnum_features=1 0\nleaf_features=2\n"
                   "leaf_coeff=1\n"),
         "column 2 of 2"},
        {LINE_TREE("regression", "-1 1",
                   "leaf_const=1 2\nnum_features=1 0\nleaf_features=0\n"
                   "leaf_coeff=inf\n"),
         "term"},
        {LINE_TREE("regression", "-1 1",
                   "leaf_const=1 2\nnum_features=3 0\nleaf_features=0 1 0\n"
                   "leaf_coeff=1 1 1\n"),
         "3 columns"},
        {LINE_TREE("regression", "-1 1",
                   "leaf_const=1 2\nnum_features=1 1\nleaf_features=0 1\n"
                   "leaf_coeff=1\n"),
         "leaf_coeff has not 2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};

        if (lightgbm_read(str_of(cases[i].text), NULL, &err) ||
            !strstr(err.message, cases[i].message))
            fail_msg("case %zu: '%s'", i, err.message);
    }
}

/* ---- lathe's own ---- */

static struct model *
lines_of_lathe(enum small_kind kind)
{
    static const char *const targets[] = {"churn", "plan", "spend"};
    const struct family *family = family_find("gbdt");
    struct frame *f = small_frame(kind, 300, 5);
    struct model_options o = {.problem = -1, .patience = -1};
    struct train ctx = {.seed = 1};
    struct params *p = params_new(family->params);
    struct error err;
    struct model *m;

    assert_ok(params_set(p, "trees", "6", &err), err);
    assert_ok(params_set(p, "linear_leaves", "true", &err), err);
    m = model_fit(family, p, f, targets[kind], &o, &ctx, &err);
    assert_ok(m != NULL, err);
    params_free(p);
    frame_unref(f);
    return m;
}

static bool
written(const struct model *m, enum port_format format, struct buf *out,
        struct error *err)
{
    struct port_export o = {.format = format, .onnx_ml = 3};
    struct port_report r;
    bool ok = port_write(m, &o, NULL, out, &r, err);

    port_report_fini(&r);
    return ok;
}

/* To LightGBM's text and back, into a file of lathe's and back: the same
 * answers, where columns are missing too. */
static void
test_lines_go_to_text_and_to_files(void **state)
{
    (void)state;
    for (int kind = SMALL_BINARY; kind <= SMALL_REGRESSION; kind++) {
        struct model *m = lines_of_lathe((enum small_kind)kind), *back, *again;
        struct frame *f = small_frame((enum small_kind)kind, 300, 11);
        struct prediction a, b, c;
        struct buf text, file;
        struct error err;

        buf_init(&text);
        buf_init(&file);
        assert_ok(written(m, PORT_LIGHTGBM, &text, &err), err);
        assert_non_null(strstr(text.data, "\nis_linear=1\n"));
        back = port_read((struct str){text.data, text.len}, NULL, &err);
        assert_ok(back != NULL, err);
        assert_ok(model_save(back, &file, &err), err);
        again =
            model_parse((struct str){file.data, file.len}, family_find, &err);
        assert_ok(again != NULL, err);
        assert_ok(model_predict(m, f, NULL, &a, &err), err);
        assert_ok(model_predict(back, f, NULL, &b, &err), err);
        assert_ok(model_predict(again, f, NULL, &c, &err), err);
        for (size_t i = 0; i < a.n * a.k; i++)
            assert_close(b.value[i], a.value[i], 1e-12);
        assert_memory_equal(b.value, c.value, b.n * b.k * sizeof *b.value);
        prediction_fini(&a);
        prediction_fini(&b);
        prediction_fini(&c);
        model_unref(again);
        model_unref(back);
        model_unref(m);
        frame_unref(f);
        buf_fini(&text);
        buf_fini(&file);
    }
}

static void
test_formats_without_lines_name_those_that_have_them(void **state)
{
    static const enum port_format formats[] = {PORT_ONNX, PORT_PMML,
                                               PORT_XGBOOST};
    struct model *m = lines_of_lathe(SMALL_BINARY);

    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct error err = {0};
        struct buf b;

        buf_init(&b);
        assert_false(written(m, formats[i], &b, &err));
        assert_non_null(strstr(err.message, "--lightgbm or --c"));
        buf_fini(&b);
    }
    model_unref(m);
}

/* Each call that can fail does, in turn: an error, and nothing leaks. */
static void
test_no_memory_is_an_error_where_leaves_are_lines(void **state)
{
    struct model *m = lines_of_lathe(SMALL_REGRESSION);
    unsigned long n = 1;

    (void)state;
    for (bool reached = true; reached; n += n < 200 ? 1 : n / 12) {
        struct model *back = NULL;
        struct error err;
        struct buf out;
        bool ok;

        buf_init(&out);
        mem_fault_arm(n, false);
        ok = written(m, PORT_LIGHTGBM, &out, &err) &&
             (back = port_read((struct str){out.data, out.len}, NULL, &err));
        reached = !mem_fault_armed();
        mem_fault_arm(0, false);
        if (!ok && (!reached || err.code != ERR_NOMEM))
            fail_msg("call %lu: %s", n, err.message);
        model_unref(back);
        buf_fini(&out);
    }
    model_unref(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_that_lightgbm_learnt_answer_as_there),
        cmocka_unit_test(test_lines_and_what_they_miss),
        cmocka_unit_test(test_lines_that_do_not_fit_are_refused),
        cmocka_unit_test(test_lines_go_to_text_and_to_files),
        cmocka_unit_test(test_formats_without_lines_name_those_that_have_them),
        cmocka_unit_test(test_no_memory_is_an_error_where_leaves_are_lines),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
