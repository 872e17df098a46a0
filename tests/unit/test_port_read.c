/* tests/unit/test_port_read.c -- what newer programs put into their models, and
 * what readers must not pass over.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/port/lightgbm.h"
#include "engine/port/onnx.h"
#include "engine/port/onnx_put.h"
#include "engine/port/pmml.h"
#include "engine/port/port.h"
#include "engine/port/portable.h"
#include "engine/port/tensors.h"
#include "engine/port/xgboost.h"
#include "tests/lib/close.h"

/* The answers of a portable to one row, at most 8. */
static void
answers(const struct portable *p, const double *x, double out[8])
{
    struct design_column column[8] = {{0}};
    struct error err;
    struct design *d = design_dense(x, 1, p->graph->n_cols, column, &err);

    assert_non_null(d);
    assert_ok(graph_score(p->graph, d, NULL, out, &err), err);
    design_free(d);
}

/* The first of them. */
static double
ask(const struct portable *p, const double *x)
{
    double out[8];

    answers(p, x, out);
    return out[0];
}

typedef struct portable *
reader(struct str bytes, const struct progress *stop, struct error *err);

static struct portable *
taken(reader *read, const char *text)
{
    struct error err;
    struct portable *p = read(str_of(text), NULL, &err);

    assert_ok(p != NULL, err);
    return p;
}

static void
expect_refused(reader *read, const char *text, const char *message)
{
    struct error err = {0};
    struct portable *p = read(str_of(text), NULL, &err);

    if (p || !strstr(err.message, message))
        fail_msg("got '%s', want '%s'", err.message, message);
}

/* ---- XGBoost ---- */

/* The saved model that XGBoost 3.1's documentation (tutorials/saving_model)
 * describes: one tree over column 0 of two, whose category 1 goes right. */
#define XGB_CATS(enc) XGB_SET(enc, "1", "1")
#define XGB_SET(enc, members, n)                                             \
    "{\"learner\":{\"attributes\":{},\"feature_names\":[],"                  \
    "\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{\"cats\":{"        \
    "\"feature_segments\":[0,2,2],\"sorted_idx\":[0,1],\"enc\":[" enc        \
    "]},\"tree_info\":[0],\"trees\":[{\"left_children\":[1,-1,-1],"          \
    "\"right_children\":[2,-1,-1],\"split_indices\":[0,0,0],"                \
    "\"split_conditions\":[NaN,-1E0,1E0],\"split_type\":[1,0,0],"            \
    "\"default_left\":[1,0,0],\"categories\":[" members                      \
    "],\"categories_nodes\":[0],"                                            \
    "\"categories_segments\":[0],\"categories_sizes\":[" n "],"              \
    "\"tree_param\":{}}]}},\"learner_model_param\":{\"base_score\":\"0\","   \
    "\"num_feature\":\"2\"},\"objective\":{\"name\":\"reg:squarederror\"}}," \
    "\"version\":[3,1,0]}"
#define NO_CATS "{\"offsets\":[],\"values\":[]}"

/* Bytes of names are signed ones: -61, -92 is "ä" in UTF-8. */
static void
test_categories_have_the_names_that_the_data_frame_had(void **state)
{
    struct portable *p = taken(
        xgboost_read,
        XGB_CATS("{\"offsets\":[0,1,3],\"values\":[98,-61,-92]}," NO_CATS));
    static const double x[] = {0, 9, 1, 9, NAN, 9};

    (void)state;
    assert_int_equal(p->input[0].n_levels, 2);
    assert_string_equal(p->input[0].levels[0], "b");
    assert_string_equal(p->input[0].levels[1], "\xc3\xa4");
    assert_int_equal(p->input[1].n_levels, 0);
    assert_close(ask(p, x), -1, 0);
    assert_close(ask(p, x + 2), 1, 0);
    assert_close(ask(p, x + 4), -1, 0);
    portable_free(p);
}

/* Categories that are numbers stay numbers, told by their values and not by
 * their places; 65535 of 16 bits is -1 in UBJSON. */
static void
test_categories_that_are_numbers_are_looked_up(void **state)
{
    static const struct {
        const char *text;
        double yes, no, other;
    } cases[] = {
        {XGB_CATS("{\"type\":13,\"values\":[7,-1]}," NO_CATS), -1, 7, 1},
        {XGB_CATS("{\"type\":12,\"values\":[7,-1]}," NO_CATS), 65535, 7, -1},
        {XGB_CATS("{\"type\":13,\"values\":[0,1]}," NO_CATS), 1, 0, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct portable *p = taken(xgboost_read, cases[i].text);

        assert_int_equal(p->input[0].n_levels, 0);
        assert_close(ask(p, (double[]){cases[i].yes, 9}), 1, 0);
        assert_close(ask(p, (double[]){cases[i].no, 9}), -1, 0);
        assert_close(ask(p, (double[]){cases[i].other, 9}), -1, 0);
        assert_close(ask(p, (double[]){(double)NAN, 9}), -1, 0);
        portable_free(p);
    }
}

static void
test_categories_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    expect_refused(xgboost_read, XGB_CATS(NO_CATS), "cats: 1 columns");
    expect_refused(xgboost_read,
                   XGB_CATS("{\"offsets\":[0,9],\"values\":[98]}," NO_CATS),
                   "ascend");
    expect_refused(
        xgboost_read,
        XGB_CATS("{\"offsets\":[0,2,1],\"values\":[98,99]}," NO_CATS),
        "ascend");
    expect_refused(xgboost_read,
                   XGB_CATS("{\"offsets\":[0,1],\"values\":[256]}," NO_CATS),
                   "a byte");
    expect_refused(xgboost_read,
                   XGB_CATS("{\"offsets\":[0,1],\"values\":[-61]}," NO_CATS),
                   "UTF-8");
    expect_refused(xgboost_read, XGB_CATS("{\"type\":13}," NO_CATS), "values");
}

/* A member that is no level, as a hostile file has it: the chain of questions
 * for those that are not in the set had a million of them, 70 MB of ONNX.
 * tests/fuzz/corpus/port_read/far-category.json */
static void
test_categories_beyond_all_levels_are_not_asked_for(void **state)
{
    struct portable *p =
        taken(xgboost_read,
              XGB_SET("{\"offsets\":[0,1,2],\"values\":[97,98]}," NO_CATS,
                      "0,1,9999999", "3"));
    struct error err;
    struct buf b;

    (void)state;
    buf_init(&b);
    assert_ok(onnx_write(p, 3, &b, &err), err);
    assert_true(b.len < 4000);
    buf_fini(&b);
    portable_free(p);
}

#define XGB_LEAF                                        \
    "{\"left_children\":[-1],\"right_children\":[-1],"  \
    "\"split_indices\":[0],\"split_conditions\":[2E0]," \
    "\"default_left\":[0],\"tree_param\":{}}"
#define XGB_BEST(round)                                                   \
    "{\"learner\":{\"attributes\":{\"best_iteration\":\"" round           \
    "\"},\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{"           \
    "\"gbtree_model_param\":{\"num_parallel_tree\":\"1\"},\"tree_info\":" \
    "[0,0,0],\"trees\":[" XGB_LEAF "," XGB_LEAF "," XGB_LEAF              \
    "]}},\"learner_model_param\":{\"base_score\":\"0\",\"num_feature\":"  \
    "\"1\"},\"objective\":{\"name\":\"reg:squarederror\"}},"              \
    "\"version\":[2,0,0]}"

/* XGBModel._get_iteration_range() takes rounds 0 .. best_iteration. */
static void
test_rounds_behind_the_best_are_told(void **state)
{
    static const char *const rounds[] = {XGB_BEST("1"), XGB_BEST("2")};
    const double x = 0;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct portable *p = taken(xgboost_read, rounds[i]);

        assert_close(ask(p, &x), 6, 0);
        assert_int_equal(strstr(p->notes.data, "booster[:2]") != NULL, i == 0);
        portable_free(p);
    }
}

#define XGB_DROP(weights)                                                    \
    "{\"learner\":{\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{"    \
    "\"weight_drop\":[" weights "],\"tree_info\":[0,0],\"trees\":[" XGB_LEAF \
    "," XGB_LEAF "]}},\"learner_model_param\":{"                             \
    "\"base_score\":\"0\",\"num_feature\":\"1\"},"                           \
    "\"objective\":{\"name\":\"reg:squarederror\"}},\"version\":[3,5,0]}"

/* From 3.5 on a model of dart is a gbtree whose trees have weights; those
 * behind the last one count fully (GBTree::CommitModel). */
static void
test_weights_of_trees_may_be_in_the_model(void **state)
{
    struct portable *p = taken(xgboost_read, XGB_DROP("5E-1"));
    const double x = 0;

    (void)state;
    assert_close(ask(p, &x), 3, 0);
    portable_free(p);
    p = taken(xgboost_read, XGB_DROP("5E-1,2.5E-1"));
    assert_close(ask(p, &x), 1.5, 0);
    portable_free(p);
    expect_refused(xgboost_read, XGB_DROP("1E0,1E0,1E0"),
                   "3 weights for 2 trees");
}

/* ---- ONNX ---- */

/* A graph from x, two floats, to y under construction. */
struct onnx {
    struct buf graph, node;
};

static struct onnx *
onnx_begin(struct onnx *o)
{
    buf_init(&o->graph);
    buf_init(&o->node);
    onnx_put_in(&o->node, "x");
    return o;
}

/* The operator that was begun is the last one: read it all. */
static struct portable *
onnx_end(struct onnx *o, const char *op, const char *domain, struct error *err)
{
    struct portable *p;
    struct buf model;

    onnx_put_out(&o->node, "y");
    wire_put_text(&o->node, 4, op);
    wire_put_text(&o->node, 7, domain);
    wire_put_message(&o->graph, 1, &o->node);
    onnx_put_value(&o->graph, 11, "x", ONNX_FLOAT, 2);
    onnx_put_value(&o->graph, 12, "y", ONNX_FLOAT, 1);
    buf_init(&model);
    wire_put_int(&model, 1, 8);
    wire_put_message(&model, 7, &o->graph);
    assert_true(buf_check(&model, err));
    p = onnx_read((struct str){model.data, model.len}, NULL, err);
    buf_fini(&model);
    buf_fini(&o->graph);
    buf_fini(&o->node);
    return p;
}

static void
expect_onnx(struct onnx *o, const char *op, const char *domain,
            const char *message)
{
    struct error err = {0};

    if (onnx_end(o, op, domain, &err) || !strstr(err.message, message))
        fail_msg("got '%s', want '%s'", err.message, message);
}

/* Y = alpha A B + beta C, as the operator's document has it: 2 (3 + 2 * 4) +
 * 3 * 5. */
static void
test_products_have_their_factors(void **state)
{
    static const double w[] = {3, 4}, b = 5, x[] = {1, 2};
    struct onnx o;
    struct error err;
    struct portable *p;

    (void)state;
    onnx_begin(&o);
    onnx_put_initializer(&o.graph, "w", ONNX_FLOAT, w, 2, 1);
    onnx_put_initializer(&o.graph, "b", ONNX_FLOAT, &b, 1, 0);
    onnx_put_in(&o.node, "w");
    onnx_put_in(&o.node, "b");
    onnx_put_float(&o.node, "alpha", 2);
    onnx_put_float(&o.node, "beta", 3);
    p = onnx_end(&o, "Gemm", "", &err);
    assert_ok(p != NULL, err);
    assert_close(ask(p, x), 37, 0);
    portable_free(p);
}

/* As torch's exporter writes them: numbers that are in no tensor. */
static void
test_constants_may_be_plain_numbers(void **state)
{
    static const double w[] = {3, 4}, x[] = {1, 2};
    static const int64_t shape[] = {-1, 1};
    struct onnx o;
    struct error err;
    struct portable *p;

    (void)state;
    onnx_begin(&o);
    onnx_put_initializer(&o.graph, "w", ONNX_FLOAT, w, 2, 1);
    onnx_put_in(&o.node, "w");
    onnx_put_out(&o.node, "sum");
    onnx_end_node(&o.node, "MatMul", false, &o.graph);
    onnx_put_out(&o.node, "five");
    onnx_put_float(&o.node, "value_float", 5);
    onnx_end_node(&o.node, "Constant", false, &o.graph);
    onnx_put_out(&o.node, "shape");
    onnx_put_ints(&o.node, "value_ints", shape, 2);
    onnx_end_node(&o.node, "Constant", false, &o.graph);
    onnx_put_in(&o.node, "sum");
    onnx_put_in(&o.node, "shape");
    onnx_put_out(&o.node, "table");
    onnx_end_node(&o.node, "Reshape", false, &o.graph);
    onnx_put_in(&o.node, "table");
    onnx_put_in(&o.node, "five");
    p = onnx_end(&o, "Add", "", &err);
    assert_ok(p != NULL, err);
    assert_close(ask(p, x), 16, 0);
    portable_free(p);
}

/* onnxruntime stops at such a row: "Input data is NaN". */
static void
test_what_is_missing_is_on_no_side_of_a_binarizer(void **state)
{
    static const double w[] = {1, 1}, x[] = {1, 2, 1, 1, 1, NAN};
    struct onnx o;
    struct error err;
    struct portable *p;

    (void)state;
    onnx_begin(&o);
    onnx_put_initializer(&o.graph, "w", ONNX_FLOAT, w, 2, 1);
    onnx_put_in(&o.node, "w");
    onnx_put_out(&o.node, "sum");
    onnx_end_node(&o.node, "MatMul", false, &o.graph);
    onnx_put_in(&o.node, "sum");
    onnx_put_float(&o.node, "threshold", 2.5);
    p = onnx_end(&o, "Binarizer", "ai.onnx.ml", &err);
    assert_ok(p != NULL, err);
    assert_close(ask(p, x), 1, 0);
    assert_close(ask(p, x + 2), 0, 0);
    assert_true(isnan(ask(p, x + 4)));
    portable_free(p);
}

/* What an operator says and lathe does not know might change its answers. */
static void
test_operators_are_not_read_in_half(void **state)
{
    static const double flat = -1, four[] = {1, 1, 0, 0};
    struct onnx o;

    (void)state;
    onnx_put_float(&onnx_begin(&o)->node, "slope", 2);
    expect_onnx(&o, "Relu", "", "Relu: attribute 'slope' is not read");
    expect_onnx(onnx_begin(&o), "Relu", "org.example",
                "operator 'Relu' is not read");
    onnx_put_text(&onnx_begin(&o)->node, "norm", "L1");
    expect_onnx(&o, "Normalizer", "ai.onnx.ml", "may be negative");
    onnx_put_int(&onnx_begin(&o)->node, "detect_negative", 0);
    expect_onnx(&o, "IsInf", "", "one sign");
    onnx_begin(&o);
    onnx_put_initializer(&o.graph, "to", ONNX_INT64, &flat, 1, 0);
    onnx_put_in(&o.node, "to");
    expect_onnx(&o, "Reshape", "", "neither a table of rows");
    onnx_begin(&o);
    for (size_t k = 0; k < 4; k++) {
        char name[] = {(char)('a' + k), '\0'};

        onnx_put_initializer(&o.graph, name, ONNX_FLOAT, four, 2, 0);
        onnx_put_in(&o.node, name);
    }
    onnx_put_int(&o.node, "training_mode", 1);
    expect_onnx(&o, "BatchNormalization", "", "training_mode");
}

/* ---- PMML ---- */

#define PMML_HEAD(more, field)                                           \
    "<PMML version=\"4.4\"><Header/><DataDictionary>"                    \
    "<DataField name=\"x\" optype=\"continuous\" dataType=\"double\"/>"  \
    "<DataField name=\"y\" optype=\"continuous\" dataType=\"double\"/>"  \
    "</DataDictionary>" more "<MiningModel functionName=\"regression\">" \
    "<MiningSchema><MiningField name=\"x\"" field "/>"                   \
    "<MiningField name=\"y\" usageType=\"target\"/></MiningSchema>"
#define PMML_TREE(how, missing, node, second, factor)                        \
    "<Segmentation multipleModelMethod=\"modelChain\">"                      \
    "<Segment><True/><MiningModel functionName=\"regression\">"              \
    "<Segmentation multipleModelMethod=\"" how "\"><Segment><True/>"         \
    "<TreeModel functionName=\"regression\"" missing "><Node" node           \
    " defaultChild=\"1\"><True/><Node id=\"1\" score=\"-1\">"                \
    "<SimplePredicate field=\"x\" operator=\"lessThan\" value=\"2\"/>"       \
    "</Node><Node id=\"2\" score=\"3\">" second "</Node></Node></TreeModel>" \
    "</Segment></Segmentation></MiningModel></Segment><Segment><True/>"      \
    "<RegressionModel functionName=\"regression\"><RegressionTable "         \
    "intercept=\"0.5\"><NumericPredictor name=\"s\" coefficient=\"" factor   \
    "\"/></RegressionTable></RegressionModel></Segment></Segmentation>"      \
    "</MiningModel></PMML>"
#define PMML_DEFAULT " missingValueStrategy=\"defaultChild\""
#define PMML_REST \
    "<SimplePredicate field=\"x\" operator=\"greaterOrEqual\" value=\"2\"/>"
#define PMML_PLAIN PMML_TREE("sum", PMML_DEFAULT, "", PMML_REST, "1")

/* What changes answers and has no reader is an error by name. */
static void
test_pmml_is_not_read_in_half(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {PMML_HEAD("<TransformationDictionary/>", "") PMML_PLAIN,
         "TransformationDictionary: an element"},
        {PMML_HEAD("", " missingValueReplacement=\"7\"") PMML_PLAIN,
         "MiningField: attribute 'missingValueReplacement'"},
        {PMML_HEAD("", "") "<Targets/>" PMML_PLAIN, "Targets: an element"},
        {PMML_HEAD("", "")
             PMML_TREE("average", PMML_DEFAULT, "", PMML_REST, "1"),
         "another method than sum"},
        {PMML_HEAD("", "") PMML_TREE("sum", "", "", PMML_REST, "1"),
         "missingValueStrategy"},
        {PMML_HEAD("", "")
             PMML_TREE("sum", PMML_DEFAULT, " why=\"\"", PMML_REST, "1"),
         "Node: attribute 'why'"},
        {PMML_HEAD("", "")
             PMML_TREE("sum", PMML_DEFAULT, "",
                       "<SimplePredicate field=\"x\" operator=\"greaterThan\" "
                       "value=\"2\"/>",
                       "1"),
         "each the other's rest"},
        {PMML_HEAD("", "")
             PMML_TREE("sum", PMML_DEFAULT, "",
                       PMML_REST "</Node><Node id=\"3\"><True/>", "1"),
         "more than two children"},
        {PMML_HEAD("", "") PMML_TREE("sum", PMML_DEFAULT, "", PMML_REST, "2"),
         "another number than 1"},
    };
    static const char *const whole[] = {
        PMML_HEAD("", "") PMML_PLAIN,
        PMML_HEAD("", "") PMML_TREE("sum", PMML_DEFAULT, "", "<True/>", "1")};
    static const double x[] = {1, 2, NAN}, want[] = {-0.5, 3.5, -0.5};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(pmml_read, cases[i].text, cases[i].message);
    for (size_t k = 0; k < 2; k++) {
        struct portable *p = taken(pmml_read, whole[k]);

        for (size_t i = 0; i < 3; i++)
            assert_close(ask(p, &x[i]), want[i], 0);
        portable_free(p);
    }
}

#define PMML_NUMBER " optype=\"continuous\" dataType=\"double\">"
#define PMML_LEVEL(t) \
    "<NormDiscrete field=\"t\" value=\"" t "\" mapMissingTo=\"0\"/>"

/* Distances of (a, where it is missing 3; is t one of p and q, 4 times) to
 * (0, 1) and (6, 0). */
static const char clusters[] =
    "<PMML version=\"4.4\"><Header/><DataDictionary>"
    "<DataField name=\"a\"" PMML_NUMBER "</DataField>"
    "<DataField name=\"t\" optype=\"categorical\" dataType=\"string\">"
    "<Value value=\"p\"/><Value value=\"q\"/></DataField></DataDictionary>"
    "<ClusteringModel functionName=\"clustering\" modelClass=\"centerBased\" "
    "numberOfClusters=\"2\"><MiningSchema><MiningField name=\"a\"/>"
    "<MiningField name=\"t\"/></MiningSchema>"
    "<Output><OutputField name=\"near\" feature=\"predictedValue\"/>"
    "<OutputField name=\"far\" feature=\"affinity\"/></Output>"
    "<LocalTransformations><DerivedField name=\"filled a\"" PMML_NUMBER
    "<Apply function=\"if\"><Apply function=\"isMissing\">"
    "<FieldRef field=\"a\"/></Apply><Constant>3</Constant>"
    "<FieldRef field=\"a\"/></Apply></DerivedField>"
    "<DerivedField name=\"level\"" PMML_NUMBER
    "<Apply function=\"sum\">" PMML_LEVEL("p") PMML_LEVEL(
        "q") "</Apply></DerivedField></LocalTransformations>"
             "<ComparisonMeasure kind=\"distance\"><euclidean/></ComparisonMeasure>"
             "<ClusteringField field=\"filled a\"/>"
             "<ClusteringField field=\"level\" fieldWeight=\"4\"/>"
             "<Cluster><Array n=\"2\" type=\"real\">0 1</Array></Cluster>"
             "<Cluster><Array n=\"2\" type=\"real\">6 0</Array></Cluster>"
             "</ClusteringModel></PMML>";

/* The text with something in place of the first `from`. */
static void
change(const char *text, const char *from, const char *to, struct buf *out)
{
    const char *at = strstr(text, from);

    assert_non_null(at);
    buf_clear(out);
    buf_add(out, text, (size_t)(at - text));
    buf_puts(out, to);
    buf_puts(out, at + strlen(from));
    buf_putc(out, '\0');
}

static void
test_clusters_are_as_far_as_their_measure_says(void **state)
{
    static const double x[][2] = {{3, NAN}, {NAN, NAN}, {2, 1}};
    static const double want[][2] = {{2, 3}, {2, 3}, {1, 2}};
    struct buf squared;
    struct portable *p[2];

    (void)state;
    buf_init(&squared);
    change(clusters, "<euclidean/>", "<squaredEuclidean/>", &squared);
    p[0] = taken(pmml_read, clusters);
    p[1] = taken(pmml_read, squared.data);
    for (size_t k = 0; k < 2; k++) {
        assert_string_equal(p[k]->answer[1].name, "far");
        for (size_t i = 0; i < 3; i++) {
            double out[8];

            answers(p[k], x[i], out);
            assert_close(out[0], want[i][0], 0);
            assert_close(out[1], k ? want[i][1] * want[i][1] : want[i][1], 0);
        }
        portable_free(p[k]);
    }
    buf_fini(&squared);
}

static void
test_clusters_are_not_read_in_half(void **state)
{
    static const struct {
        const char *from, *to, *message;
    } cases[] = {
        {"<euclidean/>", "<euclidean/><squaredEuclidean/>", "a measure"},
        {"\"if\"", "\"max\"", "a field of clusters that is not known"},
        {"isMissing", "isNotMissing", "a field of clusters that is not known"},
        {"<FieldRef field=\"a\"/></Apply></D",
         "<FieldRef field=\"t\"/></Apply></D",
         "a field of clusters that is not known"},
        {"<Constant>3</Constant>", "", "a field of clusters that is not known"},
        {PMML_LEVEL("q"), PMML_LEVEL("p"), "a level twice"},
        {PMML_LEVEL("q"), "<Constant>1</Constant>", "something else"},
        {"\"far\"", "\"near\"", "two outputs of one name"},
        {"numberOfClusters=\"2\"", "numberOfClusters=\"9\"",
         "numberOfClusters"},
        {"Array n=\"2\"", "Array n=\"7\"", "an Array of n=\"7\" holds 2"},
        {"0 1</Array>", "0 1 2</Array>", "a centre of other than"},
    };
    struct buf text;

    (void)state;
    buf_init(&text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        change(clusters, cases[i].from, cases[i].to, &text);
        expect_refused(pmml_read, text.data, cases[i].message);
    }
    buf_fini(&text);
}

#define PMML_LINE(function)                                                            \
    "<PMML version=\"4.4\"><Header/><DataDictionary><DataField name=\"a\"" PMML_NUMBER \
    "</DataField><DataField name=\"y\"" PMML_NUMBER                                    \
    "</DataField></DataDictionary><RegressionModel functionName="                      \
    "\"regression\"><MiningSchema><MiningField name=\"a\"/><MiningField "              \
    "name=\"y\" usageType=\"target\"/></MiningSchema>"                                 \
    "<LocalTransformations><DerivedField name=\"filled a\"" PMML_NUMBER                \
    "<Apply function=\"" function "\"><Apply function=\"isMissing\">"                  \
    "<FieldRef field=\"a\"/></Apply><Constant>3</Constant>"                            \
    "<FieldRef field=\"a\"/></Apply></DerivedField></LocalTransformations>"            \
    "<RegressionTable intercept=\"1\"><NumericPredictor name=\"filled a\" "            \
    "coefficient=\"2\"/></RegressionTable></RegressionModel></PMML>"

static void
test_derived_fields_of_lines_are_what_they_say(void **state)
{
    static const double none = NAN;
    struct portable *p = taken(pmml_read, PMML_LINE("if"));

    (void)state;
    assert_close(ask(p, &none), 7, 0);
    portable_free(p);
    expect_refused(pmml_read, PMML_LINE("max"),
                   "a derived field that is not known");
}

/* What a document says of one field must be one thing. */
static void
test_derived_fields_of_lines_are_there_once(void **state)
{
    static const char field[] =
        "<DerivedField name=\"filled a\"" PMML_NUMBER
        "<Apply function=\"if\"><Apply function=\"isMissing\">"
        "<FieldRef field=\"a\"/></Apply><Constant>9</Constant>"
        "<FieldRef field=\"a\"/></Apply></DerivedField></Local";
    struct buf text;

    (void)state;
    buf_init(&text);
    change(PMML_LINE("if"), "</Local", field, &text);
    expect_refused(pmml_read, text.data, "a derived field is there twice");
    change(PMML_LINE("if"), "or name=\"filled a\"", "or name=\"missing a\"",
           &text);
    expect_refused(pmml_read, text.data, "a derived field that is not there");
    buf_fini(&text);
}

#define PMML_SET(op, list)                                             \
    "<SimpleSetPredicate field=\"x\" booleanOperator=\"" op "\">" list \
    "</SimpleSetPredicate>"
#define PMML_SETS(list)                                                                                                                   \
    PMML_HEAD("", "")                                                                                                                     \
    "<Segmentation multipleModelMethod=\"modelChain\">"                                                                                   \
    "<Segment><True/><MiningModel functionName=\"regression\">"                                                                           \
    "<Segmentation multipleModelMethod=\"sum\"><Segment><True/>"                                                                          \
    "<TreeModel functionName=\"regression\"" PMML_DEFAULT                                                                                 \
    "><Node defaultChild=\"1\"><True/><Node id=\"1\" score=\"-1\">" PMML_SET("isIn", list) "</Node><Node id=\"2\" score=\"3\">" PMML_SET( \
        "isNotIn",                                                                                                                        \
        list) "</Node></Node></TreeModel>"                                                                                                \
              "</Segment></Segmentation></MiningModel></Segment><Segment><True/>"                                                         \
              "<RegressionModel functionName=\"regression\"><RegressionTable "                                                            \
              "intercept=\"0\"><NumericPredictor name=\"s\" coefficient=\"1\"/>"                                                          \
              "</RegressionTable></RegressionModel></Segment></Segmentation>"                                                             \
              "</MiningModel></PMML>"

/* An array may tell how many values it has, and divide them by any blanks. */
static void
test_arrays_hold_what_they_say(void **state)
{
    static const double x[] = {1, 2, 4, 7}, want[] = {-1, 3, -1, -1};
    const char *const whole[] = {
        PMML_SETS("<Array type=\"int\">1 4 7</Array>"),
        PMML_SETS("<Array n=\"3\" type=\"int\">\n1\t4  7\n</Array>")};

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct portable *p = taken(pmml_read, whole[k]);

        for (size_t i = 0; i < 4; i++)
            assert_close(ask(p, &x[i]), want[i], 0);
        portable_free(p);
    }
    expect_refused(pmml_read,
                   PMML_SETS("<Array n=\"4\" type=\"int\">1 4 7</Array>"),
                   "an Array of n=\"4\" holds 3");
}

/* Of two classes, in the order good, bad. */
static const char classes[] =
    "<PMML version=\"4.4\"><Header/><DataDictionary><DataField name=\"a\"" PMML_NUMBER
    "</DataField><DataField name=\"y\" optype=\"categorical\" "
    "dataType=\"string\"><Value value=\"good\"/><Value value=\"bad\"/>"
    "</DataField></DataDictionary><RegressionModel functionName="
    "\"classification\" normalizationMethod=\"logit\"><MiningSchema>"
    "<MiningField name=\"a\"/><MiningField name=\"y\" usageType=\"target\"/>"
    "</MiningSchema><RegressionTable intercept=\"1\" targetCategory=\"bad\">"
    "<NumericPredictor name=\"a\" coefficient=\"2\"/></RegressionTable>"
    "<RegressionTable intercept=\"0\" targetCategory=\"good\"/>"
    "</RegressionModel></PMML>";

static void
test_classes_are_not_swapped_by_names(void **state)
{
    static const char *const same[] = {"good", "bad", NULL};
    static const char *const own[] = {"gut", "schlecht", NULL};
    static const char *const swapped[] = {"bad", "good", NULL};
    static const char *const half[] = {"bad", "ugly", NULL};
    static const struct {
        const char *const *names;
        const char *message; /* NULL: taken */
    } cases[] = {{same, NULL},
                 {own, NULL},
                 {swapped, "class 'bad' is the file's number 2, not 1"},
                 {half, "class 'bad' is the file's number 2, not 1"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct port_import o = {.classes = cases[i].names};
        struct error err = {0};
        struct model *m = port_read(STR(classes), &o, &err);
        const char *const *name;

        if (cases[i].message) {
            assert_null(m);
            assert_non_null(strstr(err.message, cases[i].message));
            continue;
        }
        assert_ok(m != NULL, err);
        assert_int_equal(model_classes(m, &name), 2);
        assert_string_equal(name[1], cases[i].names[1]);
        model_unref(m);
    }
}

/* ---- safetensors ---- */

/* A layer whose weights are whole numbers is not a net without that layer. */
static void
test_layers_of_whole_numbers_are_not_left_out(void **state)
{
    static const char header[] =
        "{\"0.weight\":{\"dtype\":\"F32\",\"shape\":[1,1],"
        "\"data_offsets\":[0,4]},"
        "\"2.weight\":{\"dtype\":\"I32\",\"shape\":[1,1],"
        "\"data_offsets\":[4,8]},"
        "\"1.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],"
        "\"data_offsets\":[8,16]}}";
    char bytes[8 + sizeof header - 1 + 16] = {(char)(sizeof header - 1)};
    struct error err = {0};

    (void)state;
    memcpy(bytes + 8, header, sizeof header - 1);
    if (tensors_read((struct str){bytes, sizeof bytes}, NULL, false, NULL,
                     &err) ||
        !strstr(err.message, "tensor '2.weight' is of whole numbers"))
        fail_msg("'%s'", err.message);
}

/* ---- LightGBM ---- */

#define LGB_LEAVES(values)                                                  \
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\n"             \
    "label_index=0\nmax_feature_idx=0\nobjective=regression\n"              \
    "feature_names=x\nfeature_infos=none\ntree_sizes=1\n\nTree=0\n"         \
    "num_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=1\nthreshold=0.5" \
    "\ndecision_type=8\nleft_child=-1\nright_child=-2\nleaf_value=" values  \
    "\nshrinkage=1\n\n\nend of trees\n"

static void
test_lists_have_as_many_numbers_as_there_are_leaves(void **state)
{
    (void)state;
    portable_free(taken(lightgbm_read, LGB_LEAVES("1 2 ")));
    expect_refused(lightgbm_read, LGB_LEAVES("1 2 3"), "leaf_value has not 2");
    expect_refused(lightgbm_read, LGB_LEAVES("1"), "leaf_value has not 2");
}

static void
test_files_of_no_reader_say_how_their_model_gets_here(void **state)
{
    static const char *const cases[][2] = {
        {"\x80\x04\x95..", "a pickle of Python"},
        {"PK\x03\x04..", "ONNX"},
        {"\x89HDF..", "tf2onnx"},
        {"binf..", "m.json"},
        {"CBM1..", "CatBoost"},
        {"words", "not a model"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};

        assert_null(port_read(str_of(cases[i][0]), NULL, &err));
        if (!strstr(err.message, cases[i][1]))
            fail_msg("'%s'", err.message);
    }
}

static void
test_objectives_that_are_not_known_say_what_to_do(void **state)
{
    (void)state;
    expect_refused(lightgbm_read,
                   "tree\nversion=v4\nmax_feature_idx=0\nobjective=own\n\n"
                   "end of trees\n",
                   "write objective=regression in its place");
    expect_refused(xgboost_read,
                   "{\"learner\":{\"learner_model_param\":{},"
                   "\"objective\":{\"name\":\"reg:own\"}}}",
                   "write reg:squarederror in its place");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_categories_have_the_names_that_the_data_frame_had),
        cmocka_unit_test(test_categories_that_are_numbers_are_looked_up),
        cmocka_unit_test(test_categories_that_do_not_fit_are_refused),
        cmocka_unit_test(test_categories_beyond_all_levels_are_not_asked_for),
        cmocka_unit_test(test_weights_of_trees_may_be_in_the_model),
        cmocka_unit_test(test_rounds_behind_the_best_are_told),
        cmocka_unit_test(test_products_have_their_factors),
        cmocka_unit_test(test_constants_may_be_plain_numbers),
        cmocka_unit_test(test_what_is_missing_is_on_no_side_of_a_binarizer),
        cmocka_unit_test(test_operators_are_not_read_in_half),
        cmocka_unit_test(test_pmml_is_not_read_in_half),
        cmocka_unit_test(test_clusters_are_as_far_as_their_measure_says),
        cmocka_unit_test(test_clusters_are_not_read_in_half),
        cmocka_unit_test(test_derived_fields_of_lines_are_what_they_say),
        cmocka_unit_test(test_derived_fields_of_lines_are_there_once),
        cmocka_unit_test(test_arrays_hold_what_they_say),
        cmocka_unit_test(test_classes_are_not_swapped_by_names),
        cmocka_unit_test(test_layers_of_whole_numbers_are_not_left_out),
        cmocka_unit_test(test_files_of_no_reader_say_how_their_model_gets_here),
        cmocka_unit_test(test_objectives_that_are_not_known_say_what_to_do),
        cmocka_unit_test(test_lists_have_as_many_numbers_as_there_are_leaves),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
