/* tests/unit/test_port.c -- models of other programs: where formats differ, and
 * what must not go wrong with files that are hostile.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/port/doc.h"
#include "engine/port/ensemble.h"
#include "engine/port/graph.h"
#include "engine/port/lightgbm.h"
#include "engine/port/onnx.h"
#include "engine/port/port.h"
#include "engine/port/wire.h"
#include "engine/port/xgboost.h"
#include "engine/port/xml.h"
#include "frame/builder.h"
#include "tests/lib/small_model.h"

static struct portable *
xgboost(const char *text)
{
    struct error err;
    struct portable *p = xgboost_read(str_of(text), NULL, &err);

    if (!p)
        fail_msg("%s", err.message);
    return p;
}

/* The answer of a portable of n inputs to one row. */
static double
ask(const struct portable *p, const double *x)
{
    struct design_column column[8] = {{0}};
    double out[8];
    struct error err;
    struct design *d = design_dense(x, 1, p->graph->n_cols, column, &err);

    assert_non_null(d);
    assert_true(graph_score(p->graph, d, NULL, out, &err));
    design_free(d);
    return out[0];
}

/* ---- thresholds ---- */

/* For every float near t, asked as a float and as its double. */
static void
check_cut(enum ensemble_kind kind, double t)
{
    float at = (float)t;
    double lt = ensemble_cut(kind, t, false, CUT_FLOAT_LT);
    double le = ensemble_cut(kind, t, false, CUT_FLOAT_LE);

    assert_true((double)(float)lt == lt && (double)(float)le == le);
    for (int i = 0; i < 5; i++)
        at = nextafterf(at, -INFINITY);
    for (int i = 0; i < 11; i++, at = nextafterf(at, INFINITY)) {
        bool want = kind == ENSEMBLE_LT ? (double)at < t : (double)at <= t;

        assert_int_equal((double)at < lt, want);
        assert_int_equal((double)at <= le, want);
    }
}

static void
test_thresholds_as_floats_answer_every_float_alike(void **state)
{
    static const double t[] = {0.1,    -0.1,   1,     -1,    1e-40, 3.3e38,
                               84.55,  1 / 3., 0,     1e10,  -1e-3, 16777217,
                               1e-300, -84.6,  1e300, -1e300};

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        check_cut(ENSEMBLE_LT, t[i]);
        check_cut(ENSEMBLE_LE, t[i]);
    }
    /* LightGBM's 0.1 is above the float 0.1f's neighbour below, and below
     * 0.1f itself: rounding to the nearest would let 0.1f pass. */
    assert_true(ensemble_cut(ENSEMBLE_LE, 0.1, false, CUT_FLOAT_LE) < 0.1);
    assert_true((double)0.1f > 0.1);
}

/* x rounded to 32 bits, compared there, or x compared with what the threshold
 * is widened to: the same for doubles around both. */
static void
test_thresholds_of_rounded_inputs_widen_to_doubles(void **state)
{
    static const float t[] = {0.1f, -0.1f, 1, 3e38f, 84.55f, -2e-3f, FLT_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (int k = 0; k < 2; k++) {
            enum ensemble_kind kind = k ? ENSEMBLE_LT : ENSEMBLE_LE;
            double cut = ensemble_cut(kind, (double)t[i], true, CUT_DOUBLE_LE);
            double lt = ensemble_cut(kind, (double)t[i], true, CUT_DOUBLE_LT);
            double x = cut;

            for (int s = 0; s < 4; s++)
                x = nextafter(x, -INFINITY);
            for (int s = 0; s < 9; s++, x = nextafter(x, INFINITY)) {
                float f = (float)x;
                bool want = k ? f < t[i] : f <= t[i];

                assert_int_equal(x <= cut, want);
                assert_int_equal(x < lt, want);
            }
        }
}

/* ---- XGBoost ---- */

#define XGB(param, objective, type, left, right, index, cut, def, cats)       \
    "{\"learner\":{\"attributes\":{},\"feature_names\":[],"                   \
    "\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{\"tree_info\":[0]," \
    "\"trees\":[{\"left_children\":" left ",\"right_children\":" right        \
    ",\"split_indices\":" index ",\"split_conditions\":" cut                  \
    ",\"split_type\":" type ",\"default_left\":" def "," cats                 \
    "\"tree_param\":{}}]}},\"learner_model_param\":{" param                   \
    "},\"objective\":{\"name\":\"" objective "\"}},\"version\":[1,7,4]}"
#define NUMERIC(param, objective, cut, def)                                    \
    XGB(param, objective, "[0,0,0]", "[1,-1,-1]", "[2,-1,-1]", "[0,0,0]", cut, \
        def, "")

/* 0.2 is a probability: the margin begins at log(0.2 / 0.8). */
static void
test_base_score_is_a_probability(void **state)
{
    struct portable *p =
        xgboost(NUMERIC("\"base_score\":\"2E-1\",\"num_feature\":\"1\"",
                        "binary:logistic", "[5E-1,0E0,1E0]", "[0,0,0]"));
    const double below = 0, above = 1;

    (void)state;
    assert_close(ask(p, &below), 0.2, 1e-7);
    assert_close(ask(p, &above), 1 / (1 + exp(-(log(0.25) + 1))), 1e-7);
    portable_free(p);
    p = xgboost(NUMERIC("\"base_score\":\"[2E-1]\",\"num_feature\":\"1\"",
                        "binary:logistic", "[5E-1,0E0,1E0]", "[0,0,0]"));
    assert_close(ask(p, &below), 0.2, 1e-7);
    portable_free(p);
    p = xgboost(NUMERIC("\"base_score\":\"3\",\"num_feature\":\"1\"",
                        "count:poisson", "[5E-1,0E0,1E0]", "[0,0,0]"));
    assert_close(ask(p, &below), 3, 1e-6);
    portable_free(p);
    p = xgboost(NUMERIC("\"base_score\":0.5,\"num_feature\":1",
                        "reg:squarederror", "[5E-1,0E0,1E0]", "[0,0,0]"));
    assert_close(ask(p, &below), 0.5, 1e-12);
    portable_free(p);
}

/* The double 0.1 is less than 0.1f, but becomes it: not below, so right. */
static void
test_inputs_are_rounded_before_they_are_compared(void **state)
{
    struct portable *p =
        xgboost(NUMERIC("\"base_score\":\"0\",\"num_feature\":\"1\"",
                        "reg:squarederror", "[1E-1,-1E0,1E0]", "[0,0,0]"));
    const double same = 0.1, less = (double)nextafterf(0.1f, 0), nan = NAN;

    (void)state;
    assert_true(same < (double)0.1f);
    assert_close(ask(p, &same), 1, 0);
    assert_close(ask(p, &less), -1, 0);
    assert_close(ask(p, &nan), 1, 0); /* default_left 0 */
    portable_free(p);
}

/* Members go right; other levels, negative ones and those beyond the set left;
 * the missing as default_left says. */
static void
test_members_of_a_category_go_right(void **state)
{
    struct portable *p =
        xgboost(XGB("\"base_score\":\"0\",\"num_feature\":\"1\"",
                    "reg:squarederror", "[1,0,0]", "[1,-1,-1]", "[2,-1,-1]",
                    "[0,0,0]", "[NaN,-1E0,1E0]", "[1,0,0]",
                    "\"categories\":[1,70],\"categories_nodes\":[0],"
                    "\"categories_segments\":[0],\"categories_sizes\":[2],"));
    static const double x[] = {0, 1, 2, 70, 71, 1000, -1, NAN};
    static const double want[] = {-1, 1, -1, 1, -1, -1, -1, -1};

    (void)state;
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        assert_close(ask(p, &x[i]), want[i], 0);
    portable_free(p);
}

static void
expect_xgboost(const char *text, enum error_code code, const char *message)
{
    struct error err = {0};
    struct portable *p = xgboost_read(str_of(text), NULL, &err);

    if (p || err.code != code || !strstr(err.message, message))
        print_message("# got '%s', want '%s'\n", err.message, message);
    assert_null(p);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.message, message));
}

static void
test_xgboost_files_that_are_hostile_are_refused(void **state)
{
    (void)state;
    expect_xgboost("{\"learner\":{}}", ERR_PARSE, "learner_model_param");
    expect_xgboost(
        NUMERIC("\"num_feature\":\"1\"", "reg:own", "[0E0,0E0,0E0]", "[0,0,0]"),
        ERR_TYPE, "objective 'reg:own'");
    expect_xgboost(NUMERIC("\"num_feature\":\"1e300\"", "reg:squarederror",
                           "[0E0,0E0,0E0]", "[0,0,0]"),
                   ERR_PARSE, "num_feature");
    expect_xgboost(NUMERIC("\"num_feature\":\"1\",\"num_target\":\"2\"",
                           "reg:squarederror", "[0E0,0E0,0E0]", "[0,0,0]"),
                   ERR_TYPE, "targets");
    expect_xgboost(NUMERIC("\"num_feature\":\"1\",\"base_score\":\"7\"",
                           "binary:logistic", "[0E0,0E0,0E0]", "[0,0,0]"),
                   ERR_PARSE, "probability");
    expect_xgboost(NUMERIC("\"num_feature\":\"1\"", "reg:squarederror",
                           "[0E0,0E0]", "[0,0,0]"),
                   ERR_PARSE, "split_conditions");
    /* a circle, a child that is not there, a column that is not there */
    expect_xgboost(XGB("\"num_feature\":\"1\"", "reg:squarederror", "[0,0,0]",
                       "[1,0,-1]", "[2,2,-1]", "[0,0,0]", "[0E0,0E0,0E0]",
                       "[0,0,0]", ""),
                   ERR_PARSE, "below itself");
    expect_xgboost(XGB("\"num_feature\":\"1\"", "reg:squarederror", "[0,0,0]",
                       "[9,-1,-1]", "[2,-1,-1]", "[0,0,0]", "[0E0,0E0,0E0]",
                       "[0,0,0]", ""),
                   ERR_PARSE, "tree 0");
    expect_xgboost(XGB("\"num_feature\":\"1\"", "reg:squarederror", "[0,0,0]",
                       "[1,-1,-1]", "[2,-1,-1]", "[7,0,0]", "[0E0,0E0,0E0]",
                       "[0,0,0]", ""),
                   ERR_PARSE, "tree 0");
    expect_xgboost(XGB("\"num_feature\":\"1\"", "reg:squarederror", "[1,0,0]",
                       "[1,-1,-1]", "[2,-1,-1]", "[0,0,0]", "[NaN,0E0,0E0]",
                       "[0,0,0]",
                       "\"categories\":[1],\"categories_nodes\":[0],"
                       "\"categories_segments\":[0],\"categories_sizes\":"
                       "[5],"),
                   ERR_PARSE, "categories");
}

/* ---- documents ---- */

static bool
parse(const char *text, struct arena *a, struct doc *d, struct error *err)
{
    arena_init(a);
    return doc_parse_json(str_of(text), a, d, err);
}

static void
test_json_may_hold_what_json_has_not(void **state)
{
    struct arena a;
    struct error err;
    struct doc d;
    const double *x;
    size_t n;

    (void)state;
    assert_true(parse("{\"x\":[NaN, -Infinity,1e3,true],\"t\":\"\\u00e9\\n\","
                      "\"o\":{\"n\":\"[5E-1]\"}}",
                      &a, &d, &err));
    assert_true(doc_numbers(&d, "x", SIZE_MAX, &x, &n, &err));
    assert_int_equal(n, 4);
    assert_true(isnan(x[0]) && isinf(x[1]) && x[2] == 1000 && x[3] == 1);
    assert_true(str_is(doc_find(&d, "t")->text, "\xc3\xa9\n"));
    arena_fini(&a);
}

static void
test_json_that_is_broken_or_deep_is_refused(void **state)
{
    static const char *const texts[] = {
        "",      "{",         "[1,]",        "[1 2]",     "{\"a\" 1}",
        "[\"a]", "[\"\\q\"]", "{\"a\":1}x",  "[1,\"a\"]", "[--1]",
        "nul",   "{1:2}",     "[\"\\u12\"]", "[1e999]",   "[\"a\",]"};
    char deep[400];
    struct arena a;
    struct error err;
    struct doc d;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (parse(texts[i], &a, &d, &err))
            fail_msg("'%s' was taken", texts[i]);
        arena_fini(&a);
    }
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_false(parse(deep, &a, &d, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    arena_fini(&a);
}

/* ---- LightGBM ---- */

#define LGB_HEAD(objective)                                     \
    "tree\nversion=v3\nnum_class=1\nnum_tree_per_iteration=1\n" \
    "label_index=0\nmax_feature_idx=0\nobjective=" objective    \
    "\nfeature_names=x\nfeature_infos=none\ntree_sizes=1\n\n"
#define LGB_TREE(kind, threshold, more)                                   \
    "Tree=0\nnum_leaves=2\nnum_cat=" more "\nsplit_feature=0\n"           \
    "split_gain=1\nthreshold=" threshold "\ndecision_type=" kind          \
    "\nleft_child=-1\nright_child=-2\nleaf_value=-1 1\nshrinkage=1\n\n\n" \
    "end of trees\n"

static struct portable *
lightgbm(const char *text)
{
    struct error err;
    struct portable *p = lightgbm_read(str_of(text), NULL, &err);

    if (!p)
        fail_msg("%s", err.message);
    return p;
}

static void
check_row(const struct portable *p, const double *x, const double *want,
          size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ask(p, &x[i]) != want[i])
            print_message("# of %g got %g, want %g\n", x[i], ask(p, &x[i]),
                          want[i]);
        assert_true(ask(p, &x[i]) == want[i]);
    }
}

/* The four kinds of missing values, as its documentation has them. */
static void
test_lightgbm_has_its_own_idea_of_missing(void **state)
{
    static const double x[] = {NAN, 0, -1, 0.5, 2, 1e-36};
    static const double none[] = {-1, -1, -1, -1, 1, -1};
    static const double zero_left[] = {-1, -1, -1, -1, 1, -1};
    static const double zero_right[] = {1, 1, -1, -1, 1, 1};
    static const double nan_right[] = {1, -1, -1, -1, 1, -1};
    static const struct {
        const char *text;
        const double *want;
    } cases[] = {
        {LGB_HEAD("regression") LGB_TREE("0", "0.5", "0"), none},
        {LGB_HEAD("regression") LGB_TREE("2", "0.5", "0"), none},
        {LGB_HEAD("regression") LGB_TREE("6", "0.5", "0"), zero_left},
        {LGB_HEAD("regression") LGB_TREE("4", "0.5", "0"), zero_right},
        {LGB_HEAD("regression") LGB_TREE("8", "0.5", "0"), nan_right},
        {LGB_HEAD("regression") LGB_TREE("10", "0.5", "0"), none},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct portable *p = lightgbm(cases[i].text);

        check_row(p, x, cases[i].want, sizeof x / sizeof *x);
        portable_free(p);
    }
}

/* Members go left, all else right, the missing too.  Words are of 32 bits. */
static void
test_lightgbm_members_go_left(void **state)
{
    static const double x[] = {0, 1, 33, 34, 64, 1000, -2, NAN};
    static const double want[] = {1, -1, -1, 1, 1, 1, 1, 1};
    struct portable *p =
        lightgbm(LGB_HEAD("regression") LGB_TREE("1", "0",
                                                 "1\ncat_boundaries=0 2\n"
                                                 "cat_threshold=2 2"));

    (void)state;
    check_row(p, x, want, sizeof x / sizeof *x);
    portable_free(p);
}

static void
test_lightgbm_objectives_have_their_sigma(void **state)
{
    struct portable *p =
        lightgbm(LGB_HEAD("binary sigmoid:0.5") LGB_TREE("8", "0.5", "0"));
    const double x = 7;

    (void)state;
    assert_int_equal(p->problem, PROBLEM_BINARY);
    assert_close(ask(p, &x), 1 / (1 + exp(-0.5)), 1e-12);
    portable_free(p);
}

static void
test_lightgbm_files_that_are_hostile_are_refused(void **state)
{
    static const char *const texts[] = {
        "tree\nversion=v9\nmax_feature_idx=0\n\nend of trees\n",
        "tree\nversion=v3\nmax_feature_idx=-1\n\nend of trees\n",
        "tree\nversion=v3\nmax_feature_idx=99999999999\n\nend of trees\n",
        "tree\nversion=v3\nmax_feature_idx=0\nobjective=magic\n\n"
        "end of trees\n",
        LGB_HEAD("regression") "Tree=0\nnum_leaves=4000000000\n",
        LGB_HEAD("regression") "Tree=0\nnum_leaves=2\nleaf_value=1 x\n"
                               "end of trees\n",
        LGB_HEAD("regression") LGB_TREE("99", "0.5", "0"),
        LGB_HEAD("regression") LGB_TREE("1", "3", "0"),
        LGB_HEAD("regression") LGB_TREE("1", "0",
                                        "1\ncat_boundaries=0 9\n"
                                        "cat_threshold=2 2"),
        LGB_HEAD("regression") LGB_TREE("8", "nan", "0"),
        LGB_HEAD("regression") LGB_TREE("8", "0.5", "0\nis_linear=1"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error err;
        struct portable *p = lightgbm_read(str_of(texts[i]), NULL, &err);

        if (p)
            fail_msg("case %zu was taken", i);
    }
}

/* ---- XML ---- */

static void
test_xml_is_read_and_what_is_broken_refused(void **state)
{
    static const char *const broken[] = {"",
                                         "<a>",
                                         "<a></b>",
                                         "<a b=c/>",
                                         "<a b=\"c/>",
                                         "<a/><b/>",
                                         "x",
                                         "<a>&none;</a>",
                                         "<a>&#0;</a>",
                                         "<!DOCTYPE a><a/>",
                                         "<a b='1' c/>",
                                         "<!-- x",
                                         "</a>",
                                         "<a/",
                                         "<a>&#x110000;</a>"};
    struct arena a;
    struct error err;
    const struct xml *x;

    (void)state;
    arena_init(&a);
    x = xml_parse(STR("<?xml version='1.0'?><!-- c --><p:a k='&lt;&#233;'>"
                      "<b/>t &amp; u<b n=\"2\"/></p:a>"),
                  &a, &err);
    assert_non_null(x);
    assert_true(xml_is(x, "a"));
    assert_string_equal(xml_get(x, "k"), "<\xc3\xa9");
    assert_string_equal(xml_get(xml_next(xml_child(x, "b"), "b"), "n"), "2");
    assert_true(str_is(x->text, "t & u"));
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        if (xml_parse(str_of(broken[i]), &a, &err))
            fail_msg("'%s' was taken", broken[i]);
    arena_fini(&a);
}

/* As deep as memory allows: no recursion. */
static void
test_xml_may_be_deep(void **state)
{
    enum { DEPTH = 100000 };
    struct buf b;
    struct arena a;
    struct error err;

    (void)state;
    buf_init(&b);
    arena_init(&a);
    for (size_t i = 0; i < DEPTH; i++)
        buf_puts(&b, "<a>");
    for (size_t i = 0; i < DEPTH; i++)
        buf_puts(&b, "</a>");
    assert_non_null(xml_parse((struct str){b.data, b.len}, &a, &err));
    arena_fini(&a);
    buf_fini(&b);
}

/* ---- ensembles and graphs ---- */

static void
test_shared_nodes_are_kept_once(void **state)
{
    /* 0 asks, 1 asks again, both lead to leaf 2 on yes; nobody to 4 */
    struct ensemble_node node[] = {
        {.kind = ENSEMBLE_EQ, .yes = 2, .no = 1, .threshold = 3},
        {.kind = ENSEMBLE_EQ, .yes = 2, .no = 3, .threshold = 5},
        {.kind = ENSEMBLE_LEAF, .feature = 0, .yes = 1},
        {.kind = ENSEMBLE_LEAF, .feature = 1, .yes = 2},
        {.kind = ENSEMBLE_LEAF, .feature = 0, .yes = 1}};
    struct error err;
    struct ensemble *e = ensemble_new(1, 1, &err);
    const double x[] = {3, 5, 4};
    double out[3];

    (void)state;
    assert_non_null(e);
    assert_true(ensemble_add_value(e, 0, 10, &err));
    assert_true(ensemble_add_value(e, 0, 20, &err));
    assert_true(ensemble_add_tree(e, node, 5, 0, &err));
    assert_int_equal(e->n_nodes, 4);
    ensemble_score(e, x, 3, out);
    assert_true(out[0] == 10 && out[1] == 10 && out[2] == 20);
    node[1].no = 0;
    assert_false(ensemble_add_tree(e, node, 5, 0, &err));
    assert_non_null(strstr(err.message, "below itself"));
    ensemble_free(e);
}

static void
test_graphs_that_do_not_fit_are_refused(void **state)
{
    struct error err;
    struct graph *g = graph_new(2, &err);
    double one = 1;
    uint32_t in, bad = 7;
    struct graph_node dense = {.op = GRAPH_DENSE,
                               .width = 1,
                               .n_in = 1,
                               .in = &in,
                               .n_a = 1,
                               .a = &one};
    struct graph_node pick = {.op = GRAPH_PICK,
                              .width = 1,
                              .n_in = 1,
                              .in = &in,
                              .n_index = 1,
                              .index = &bad};

    (void)state;
    assert_true(graph_add_input(g, 0, 2, &in, &err));
    assert_true(graph_check(g, 2, &err));
    assert_false(graph_check(g, 3, &err));
    assert_true(graph_add(g, &dense, NULL, &err)); /* 1 weight for 2 inputs */
    assert_false(graph_check(g, 1, &err));
    graph_unref(g);
    g = graph_new(2, &err);
    assert_true(graph_add_input(g, 0, 2, &in, &err));
    assert_true(graph_add(g, &pick, NULL, &err));
    assert_false(graph_check(g, 1, &err));
    graph_unref(g);
    g = graph_new(2, &err);
    assert_true(graph_add_input(g, 1, 2, &in, &err)); /* columns 1 and 2 */
    assert_false(graph_check(g, 2, &err));
    graph_unref(g);
}

static void
test_protocol_buffers_that_are_cut_off_are_refused(void **state)
{
    static const char *const bytes[] = {"\x08",
                                        "\x0a\x7f",
                                        "\x0d\x01",
                                        "\x08\xff\xff\xff\xff\xff\xff\xff\xff"
                                        "\xff\xff\xff",
                                        "\x0b",
                                        "\x02"};
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        struct str rest = str_of(bytes[i]);
        struct wire_field f;
        bool more, ok = true;

        while ((ok = wire_next(&rest, &f, &more, &err)) && more)
            continue;
        assert_false(ok);
    }
}

/* ---- whole models ---- */

static struct model *
boosted(enum small_kind kind)
{
    static const char *const targets[] = {"churn", "plan", "spend"};
    const struct family *family = family_find("gbdt");
    struct frame *f = small_frame(kind, 400, 3);
    struct params *p = params_new(family->params);
    struct model_options o = {.problem = -1, .patience = -1};
    struct train ctx = {.seed = 7};
    struct error err;
    struct model *m;

    assert_true(params_set(p, "trees", "12", &err));
    m = model_fit(family, p, f, targets[kind], &o, &ctx, &err);
    if (!m)
        fail_msg("%s", err.message);
    params_free(p);
    frame_unref(f);
    return m;
}

static bool
written(const struct model *m, enum port_format format, int ml, struct buf *out,
        struct error *err)
{
    struct port_export o = {.format = format, .onnx_ml = ml};
    struct port_report r;
    bool ok = port_write(m, &o, NULL, out, &r, err);

    port_report_fini(&r);
    return ok;
}

/* An imported model is a file of lathe's like any other. */
static void
test_imported_models_are_saved_and_opened(void **state)
{
    struct model *m = boosted(SMALL_MULTICLASS), *back, *again;
    struct frame *f = small_frame(SMALL_MULTICLASS, 300, 11);
    struct prediction a, b;
    struct buf onnx, file, twice;
    struct error err;
    size_t n;

    (void)state;
    buf_init(&onnx);
    buf_init(&file);
    buf_init(&twice);
    assert_ok(written(m, PORT_ONNX, 3, &onnx, &err), err);
    back = port_read((struct str){onnx.data, onnx.len}, NULL, &err);
    assert_ok(back != NULL, err);
    assert_string_equal(model_family(back)->name, "imported");
    assert_string_equal(model_target(back), "plan");
    (void)model_baselines(back, &n);
    assert_int_equal(n, 0);
    assert_ok(model_save(back, &file, &err), err);
    again = model_parse((struct str){file.data, file.len}, family_find, &err);
    assert_ok(again != NULL, err);
    assert_ok(model_save(again, &twice, &err), err);
    assert_int_equal(file.len, twice.len);
    assert_memory_equal(file.data, twice.data, file.len);
    assert_ok(model_predict(back, f, NULL, &a, &err), err);
    assert_ok(model_predict(again, f, NULL, &b, &err), err);
    assert_memory_equal(a.value, b.value, a.n * a.k * sizeof *a.value);
    prediction_fini(&a);
    prediction_fini(&b);
    model_unref(again);
    model_unref(back);
    model_unref(m);
    frame_unref(f);
    buf_fini(&onnx);
    buf_fini(&file);
    buf_fini(&twice);
}

/* Any number of threads gives the same answers. */
static void
test_answers_do_not_depend_on_threads(void **state)
{
    struct model *m = boosted(SMALL_BINARY), *back;
    struct frame *f = small_frame(SMALL_BINARY, 5000, 11);
    struct prediction a, b;
    struct buf text;
    struct error err;

    (void)state;
    buf_init(&text);
    assert_ok(written(m, PORT_LIGHTGBM, 0, &text, &err), err);
    back = port_read((struct str){text.data, text.len}, NULL, &err);
    assert_ok(back != NULL, err);
    assert_ok(model_predict(m, f, NULL, &a, &err), err);
    for (unsigned threads = 1; threads < 8; threads += 3) {
        struct pool *pool = pool_new(threads);

        assert_ok(model_predict(back, f, pool, &b, &err), err);
        assert_memory_equal(a.value, b.value, a.n * sizeof *a.value);
        prediction_fini(&b);
        pool_free(pool);
    }
    prediction_fini(&a);
    model_unref(back);
    model_unref(m);
    frame_unref(f);
    buf_fini(&text);
}

/* Each call that can fail does, in turn: an error, and nothing leaks. */
static void
check_faults(const struct model *m, enum port_format format, int ml)
{
    unsigned long n = 1;

    for (bool reached = true; reached; n += n < 200 ? 1 : n / 12) {
        struct model *back = NULL;
        struct error err;
        struct buf out;
        bool ok;

        buf_init(&out);
        mem_fault_arm(n, false);
        ok = written(m, format, ml, &out, &err) &&
             (back = port_read((struct str){out.data, out.len}, NULL, &err));
        reached = !mem_fault_armed();
        mem_fault_arm(0, false);
        if (!ok && (!reached || err.code != ERR_NOMEM))
            fail_msg("call %lu: %s", n, err.message);
        model_unref(back);
        buf_fini(&out);
    }
    assert_true(n > 50);
}

static void
test_no_memory_is_an_error_on_every_way(void **state)
{
    struct model *trees = boosted(SMALL_BINARY);
    struct model *linear = small_model(SMALL_MULTICLASS);

    (void)state;
    check_faults(trees, PORT_ONNX, 3);
    check_faults(trees, PORT_ONNX, 5);
    check_faults(trees, PORT_XGBOOST, 0);
    check_faults(trees, PORT_LIGHTGBM, 0);
    check_faults(trees, PORT_PMML, 0);
    check_faults(linear, PORT_ONNX, 3);
    check_faults(linear, PORT_PMML, 0);
    model_unref(trees);
    model_unref(linear);
}

/* Cut off anywhere, a file is refused, or what is left of it is a model. */
static void
test_files_that_are_cut_off_do_no_harm(void **state)
{
    static const enum port_format formats[] = {PORT_LIGHTGBM, PORT_ONNX,
                                               PORT_PMML, PORT_XGBOOST};
    struct model *m = boosted(SMALL_REGRESSION);

    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct error err;
        struct buf b;

        buf_init(&b);
        assert_ok(written(m, formats[i], 3, &b, &err), err);
        for (size_t n = 0; n < b.len; n += 1 + b.len / 60) {
            char *part = malloc(n + !n);

            assert_non_null(part);
            memcpy(part, b.data, n);
            model_unref(port_read((struct str){part, n}, NULL, &err));
            free(part);
        }
        buf_fini(&b);
    }
    model_unref(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thresholds_as_floats_answer_every_float_alike),
        cmocka_unit_test(test_thresholds_of_rounded_inputs_widen_to_doubles),
        cmocka_unit_test(test_base_score_is_a_probability),
        cmocka_unit_test(test_inputs_are_rounded_before_they_are_compared),
        cmocka_unit_test(test_members_of_a_category_go_right),
        cmocka_unit_test(test_xgboost_files_that_are_hostile_are_refused),
        cmocka_unit_test(test_json_may_hold_what_json_has_not),
        cmocka_unit_test(test_json_that_is_broken_or_deep_is_refused),
        cmocka_unit_test(test_lightgbm_has_its_own_idea_of_missing),
        cmocka_unit_test(test_lightgbm_members_go_left),
        cmocka_unit_test(test_lightgbm_objectives_have_their_sigma),
        cmocka_unit_test(test_lightgbm_files_that_are_hostile_are_refused),
        cmocka_unit_test(test_xml_is_read_and_what_is_broken_refused),
        cmocka_unit_test(test_xml_may_be_deep),
        cmocka_unit_test(test_shared_nodes_are_kept_once),
        cmocka_unit_test(test_graphs_that_do_not_fit_are_refused),
        cmocka_unit_test(test_protocol_buffers_that_are_cut_off_are_refused),
        cmocka_unit_test(test_imported_models_are_saved_and_opened),
        cmocka_unit_test(test_answers_do_not_depend_on_threads),
        cmocka_unit_test(test_no_memory_is_an_error_on_every_way),
        cmocka_unit_test(test_files_that_are_cut_off_do_no_harm),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
