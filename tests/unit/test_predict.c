/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/predict.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trees/gbdt.h"
#include "tests/lib/small_model.h"

/* Two rows; the second has no charges. */
static const char *const same[] = {
    "{\"dataframe_split\": {\"columns\": [\"joined\", \"id\", \"contract\", "
    "\"senior\", \"charges\", \"tenure\"], \"index\": [0, 1], \"data\": "
    "[[\"2020-01-31\", 7, \"One year\", true, 79.5, 12], "
    "[\"2021-12-01\", 8, \"Two year\", false, null, 3]]}}",
    "{\"dataframe_records\": [{\"tenure\": 12, \"charges\": 79.5, \"senior\": "
    "true, \"contract\": \"One year\", \"joined\": \"2020-01-31\", \"id\": 7},"
    "{\"joined\": \"2021-12-01\", \"contract\": \"Two year\", \"senior\": "
    "0, \"charges\": null, \"tenure\": 3.0}]}",
    "{\"instances\": [{\"tenure\": \"12\", \"charges\": \"79.5\", \"senior\": "
    "\"True\", \"contract\": \"One year\", \"joined\": \"2020-01-31\"},"
    "[3, null, false, \"Two year\", \"2021-12-01\"]], "
    "\"signature_name\": \"x\"}",
    "{\"inputs\": {\"tenure\": [12, 3], \"charges\": [[79.5], [null]], "
    "\"senior\": [1, 0], \"contract\": [\"One year\", \"Two year\"], "
    "\"joined\": [\"2020-01-31\", \"2021-12-01\"]}, \"params\": {}}",
    "{\"inputs\": [[12, 79.5, true, \"One year\", \"2020-01-31\"], "
    "[3, \"nan\", false, \"Two year\", \"2021-12-01\"]]}",
};
static const char same_csv[] = "joined,id,contract,senior,charges,tenure\r\n"
                               "2020-01-31,7,\"One year\",true,79.5,12\r\n"
                               "2021-12-01,8,Two year,false,,3\r\n";

static struct frame *
parse_json(const struct model *m, struct str body, struct error *err)
{
    struct error none;
    struct rows_form *form = rows_form_new(m, &none);
    struct frame *f = form ? predict_parse_json(form, body, err) : NULL;

    if (!form)
        *err = none;
    rows_form_free(form);
    return f;
}

static struct frame *
parse_csv(const struct model *m, struct str body, struct error *err)
{
    struct rows_form *form = rows_form_new(m, err);
    struct frame *f = form ? predict_parse_csv(form, body, err) : NULL;

    rows_form_free(form);
    return f;
}

static void
predict_frame(const struct model *m, struct frame *f, double *out, size_t n)
{
    struct prediction p;
    struct error err;

    assert_ok(model_predict(m, f, NULL, &p, &err), err);
    assert_int_equal(p.n, n);
    memcpy(out, p.value, n * sizeof *out);
    prediction_fini(&p);
    frame_unref(f);
}

/* The frame as a table would have been read. */
static struct frame *
typed_rows(void)
{
    const char *names[] = {"tenure", "charges", "senior", "contract", "joined"};
    const enum col_type types[] = {COL_INT64, COL_FLOAT64, COL_BOOL, COL_TEXT,
                                   COL_DATE};
    struct error err;
    struct builder *b = builder_new(5, names, types, &err);

    assert_ok(builder_i64(b, 0, 12, &err) && builder_f64(b, 1, 79.5, &err) &&
                  builder_i64(b, 2, 1, &err) &&
                  builder_text(b, 3, STR("One year"), &err) &&
                  builder_i64(b, 4, str_days(2020, 1, 31), &err) &&
                  builder_end_row(b, &err) && builder_i64(b, 0, 3, &err) &&
                  builder_i64(b, 2, 0, &err) &&
                  builder_text(b, 3, STR("Two year"), &err) &&
                  builder_i64(b, 4, str_days(2021, 12, 1), &err) &&
                  builder_end_row(b, &err),
              err);
    return builder_finish(b, &err);
}

static void
test_all_forms_of_the_same_rows_give_the_same_bits(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct error err;
    struct frame *f;
    double want[2], got[2];

    (void)state;
    predict_frame(m, typed_rows(), want, 2);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        f = parse_json(m, str_of(same[i]), &err);
        if (!f)
            fail_msg("form %zu: %s", i, err.message);
        predict_frame(m, f, got, 2);
        assert_memory_equal(got, want, sizeof want);
    }
    f = parse_csv(m, str_of(same_csv), &err);
    assert_ok(f != NULL, err);
    predict_frame(m, f, got, 2);
    assert_memory_equal(got, want, sizeof want);
    model_unref(m);
}

#define GOOD                                                         \
    "\"charges\": 1, \"senior\": true, \"contract\": \"One year\", " \
    "\"joined\": \"2020-01-31\""
#define RECORDS(r) "{\"dataframe_records\": [" r "]}"

static const struct {
    const char *body, *part;
} wrong[] = {
    {"", "the body: "},
    {"[1]", "the body is an array, expected an object with one of"},
    {"{}", "the body has none of dataframe_split"},
    {"{\"inputs\": [], \"instances\": []}", "more than one of"},
    {"{\"dataframe_records\": {}}", "dataframe_records is an object"},
    {RECORDS("7"), "row 1 is a number, expected an object"},
    {RECORDS("{" GOOD "}"), "row 1: no field 'tenure'"},
    {RECORDS("{" GOOD ", \"tenur\": 1}"), "row 1: no field 'tenure'"},
    {RECORDS("{" GOOD ", \"tenure\": 1}, {" GOOD ", \"tenure\": \"abc\"}"),
     "row 2: field 'tenure' is 'abc', expected a number"},
    {RECORDS("{" GOOD ", \"tenure\": \"\"}"),
     "row 1: field 'tenure' is '', expected a number (null where it is "
     "missing)"},
    {RECORDS("{" GOOD ", \"tenure\": [1]}"),
     "row 1: field 'tenure' is an array, expected a number"},
    {RECORDS("{" GOOD ", \"tenure\": 1e999}"),
     "row 1: field 'tenure': the number is too large"},
    {RECORDS("{\"charges\": 1, \"senior\": 2}"),
     "row 1: field 'senior' is 2, expected true or false"},
    {RECORDS("{\"charges\": 1, \"senior\": \"maybe\"}"),
     "row 1: field 'senior' is 'maybe', expected true or false"},
    {RECORDS("{\"contract\": 3}"), "row 1: field 'contract' is 3, expected a "
                                   "text"},
    {RECORDS("{\"contract\": true}"), "field 'contract' is true"},
    {RECORDS("{\"joined\": \"2021-02-29\"}"),
     "row 1: field 'joined' is '2021-02-29', expected a date"},
    {RECORDS("{\"joined\": 18000}"), "field 'joined' is 18000"},
    {"{\"dataframe_split\": []}", "dataframe_split is an array"},
    {"{\"dataframe_split\": {\"data\": []}}",
     "dataframe_split: 'columns' is missing"},
    {"{\"dataframe_split\": {\"columns\": [\"tenure\"], \"data\": []}}",
     "dataframe_split: no column 'charges'"},
    {"{\"dataframe_split\": {\"columns\": [\"tenure\", \"tenure\"], \"data\": "
     "[]}}",
     "dataframe_split: column 'tenure' is there twice"},
    {"{\"dataframe_split\": {\"columns\": [3], \"data\": []}}",
     "columns: item 1 is a number"},
    {"{\"dataframe_split\": {\"columns\": [\"tenure\", \"charges\", "
     "\"senior\", \"contract\", \"joined\"], \"data\": [[1, 2]]}}",
     "row 1: 2 values, expected 5"},
    {"{\"instances\": [3]}", "row 1 is a number, expected an array"},
    {"{\"inputs\": 3}", "inputs is a number"},
    {"{\"inputs\": {\"tenure\": 3}}",
     "inputs: field 'tenure' is a number, expected an array"},
    {"{\"inputs\": {\"tenure\": [3], \"charges\": [1, 2]}}",
     "inputs: field 'charges' has 2 values, others have 1"},
    {"{\"inputs\": {\"tenure\": [3]}}", "inputs: no field 'charges'"},
};

static void
test_what_is_wrong_is_told_by_field_and_row(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (parse_json(m, str_of(wrong[i].body), &err))
            fail_msg("accepted: %s", wrong[i].body);
        if (!strstr(err.message, wrong[i].part))
            fail_msg("%s: '%s' does not say '%s'", wrong[i].body, err.message,
                     wrong[i].part);
    }
    model_unref(m);
}

static void
test_a_long_bad_value_is_cut_between_characters(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct error err;
    char body[300] = "{\"dataframe_records\": [{\"tenure\": \"a";

    (void)state;
    for (int i = 0; i < 60; i++)
        strcat(body, "\xc3\xa9");
    strcat(body, "\"}]}");
    assert_null(parse_json(m, str_of(body), &err));
    assert_non_null(strstr(err.message, "\xc3\xa9...', expected a number"));
    assert_true(str_utf8_valid(str_of(err.message)));
    model_unref(m);
}

/* The first unknown text leaves the dictionary that requests share. */
static void
test_texts_unknown_to_the_model_stay_what_they_are(void **state)
{
    static const char *const want[] = {"Two year", "One year", NULL, "new",
                                       "One year", "newer",    "new"};
    enum { N = sizeof want / sizeof want[0] };
    struct model *m = small_model(SMALL_BINARY);
    struct error err;
    struct frame *f;
    const struct column *c;
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "{\"params\": {\"allow_missing\": true}, \"inputs\": "
                 "{\"contract\": [");
    for (size_t i = 0; i < N; i++)
        buf_printf(&b, want[i] ? "%s\"%s\"" : "%snull", i ? "," : "", want[i]);
    buf_puts(&b, "]}}");
    f = parse_json(m, (struct str){b.data, b.len}, &err);
    assert_ok(f != NULL, err);
    c = frame_column(f, (size_t)frame_find(f, "contract"));
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(column_is_valid(c, i), want[i] != NULL);
        assert_true(str_eq(column_text(c, i), str_of(want[i])));
    }
    frame_unref(f);
    buf_fini(&b);
    model_unref(m);
}

static void
test_missing_fields_pass_when_the_client_says_so(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct error err;
    struct frame *f =
        parse_json(m,
                   STR("{\"dataframe_records\": [{\"tenure\": 2}], "
                       "\"params\": {\"allow_missing\": true}}"),
                   &err);

    (void)state;
    assert_ok(f != NULL, err);
    assert_int_equal(frame_cols(f), 5);
    assert_false(column_is_valid(frame_column(f, 1), 0));
    assert_true(column_number(frame_column(f, 0), 0) == 2);
    frame_unref(f);
    model_unref(m);
}

/* One input may be spelt nearly as another that was left out. */
static void
test_an_input_is_no_slip_whatever_is_missing_beside_it(void **state)
{
    const char *names[] = {"Home", "Time", "x", "z", "y"};
    const enum col_type types[] = {COL_FLOAT64, COL_FLOAT64, COL_FLOAT64,
                                   COL_FLOAT64, COL_FLOAT64};
    struct error err;
    struct builder *b = builder_new(5, names, types, &err);
    struct model_options o = {.problem = -1, .patience = -1};
    struct train ctx = {.seed = 7};
    struct params *params;
    struct model *m;
    struct frame *f;

    (void)state;
    assert_non_null(b);
    for (size_t i = 0; i < 40; i++) {
        for (size_t c = 0; c < 5; c++)
            assert_ok(builder_f64(b, c, rng_unit(3, c, i), &err), err);
        assert_ok(builder_end_row(b, &err), err);
    }
    f = builder_finish(b, &err);
    assert_ok(f != NULL, err);
    params = params_new(linear_family.params);
    m = model_fit(&linear_family, params, f, "y", &o, &ctx, &err);
    assert_ok(m != NULL, err);
    params_free(params);
    frame_unref(f);
    f = parse_json(m,
                   STR("{\"params\": {\"allow_missing\": true}, "
                       "\"dataframe_records\": [{\"Home\": 1, \"x\": 2}, "
                       "{\"Time\": 1}, {\"z\": 2}]}"),
                   &err);
    assert_ok(f != NULL, err);
    assert_int_equal(frame_rows(f), 3);
    frame_unref(f);
    model_unref(m);
}

static void
test_beside_missing_fields_no_others_pass_unasked(void **state)
{
#define ALLOW "\"params\": {\"allow_missing\": true"
    static const struct {
        const char *body, *why; /* NULL: it passes */
    } c[] = {
        {"{\"dataframe_records\": [{\"tenure\": 1}, {\"tenur\": 2}], " ALLOW
         "}}",
         "row 2: no input 'tenur' (did you mean 'tenure'?)"},
        {"{\"instances\": [{\"tenure\": 1, \"tenures\": 2}], " ALLOW "}}",
         "row 1: no input 'tenures' (did you mean 'tenure'?)"},
        {"{\"instances\": [{\"zzz\": 1}], " ALLOW "}}",
         "row 1: no input 'zzz', there are tenure, charges, senior, contract, "
         "joined"},
        {"{\"inputs\": {\"tenure\": [1], \"zzz\": [1]}, " ALLOW "}}",
         "inputs: no input 'zzz', there are tenure, charges, senior, contract, "
         "joined"},
        {"{\"dataframe_split\": {\"columns\": [\"contrac\"], \"data\": "
         "[[\"x\"]]}, " ALLOW "}}",
         "dataframe_split: no input 'contrac' (did you mean 'contract'?)"},
        {"{\"instances\": [{\"id\": 7, \"tenure\": 2}], " ALLOW
         ", \"allow_extra\": true}}",
         NULL},
        {"{\"instances\": [{\"id\": 7, \"tenure\": 2, \"charges\": null, "
         "\"senior\": true, \"contract\": \"One year\", \"joined\": null}], " ALLOW
         "}}",
         NULL},
    };
    struct model *m = small_model(SMALL_BINARY);

    (void)state;
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        struct error err;
        struct frame *f = parse_json(m, str_of(c[i].body), &err);

        if (c[i].why) {
            assert_null(f);
            assert_string_equal(err.message, c[i].why);
        } else {
            assert_ok(f != NULL, err);
        }
        frame_unref(f);
    }
    model_unref(m);
}

static void
test_csv_says_which_line_and_which_field(void **state)
{
    static const struct {
        const char *body, *part;
    } bad[] = {
        {"tenure,charges,senior,contract,joined\n1,2,true,One year\n",
         "line 2"},
        {"tenure,charges,senior,contract\n1,2,true,One year\n",
         "no column 'joined'"},
        {"tenure,charges,senior,contract,joined\n"
         "1,2,true,One year,2020-01-31\nx,2,true,One year,2020-01-31\n",
         "row 2: field 'tenure' is 'x', expected a number"},
    };
    struct model *m = small_model(SMALL_BINARY);
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(parse_csv(m, str_of(bad[i].body), &err));
        if (!strstr(err.message, bad[i].part))
            fail_msg("'%s' does not say '%s'", err.message, bad[i].part);
    }
    model_unref(m);
}

static void
test_no_rows_are_a_table_without_rows(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct error err;
    struct frame *f = parse_json(m, STR("{\"dataframe_records\": []}"), &err);

    (void)state;
    assert_ok(f != NULL, err);
    assert_int_equal(frame_rows(f), 0);
    frame_unref(f);
    model_unref(m);
}

static void
test_answers_name_the_classes_and_keep_every_bit(void **state)
{
    double value[] = {0.1, 0.2, 0.7, 1.0 / 3, 1e-300, 2.0 / 3};
    struct model *m = small_model(SMALL_MULTICLASS);
    struct prediction p = {.n = 2, .k = 3, .value = value};
    struct buf b;
    struct json *v;
    struct error err;

    (void)state;
    buf_init(&b);
    predict_answer_json(m, &p, &b);
    assert_string_equal(
        b.data,
        "{\"predictions\": [{\"basic\": 0.1, \"plus\": 0.2, \"pro\": 0.7}, "
        "{\"basic\": 0.3333333333333333, \"plus\": 1e-300, "
        "\"pro\": 0.6666666666666666}]}");
    v = json_parse((struct str){b.data, b.len}, &err);
    assert_non_null(v);
    json_free(v);
    buf_clear(&b);
    predict_answer_csv(m, &p, &b);
    assert_string_equal(
        b.data, "0.1,0.2,0.7\n0.3333333333333333,1e-300,0.6666666666666666\n");
    assert_string_equal(predict_class(m, &p, 0), "pro");
    buf_fini(&b);
    model_unref(m);
}

/* The column that scores begin with is one more input. */
static void
test_an_offset_is_asked_for_and_added(void **state)
{
    struct frame *f = small_frame(SMALL_REGRESSION, 200, 3);
    struct params *params = params_new(gbdt_family.params);
    struct model_options o = {
        .problem = -1, .valid_share = -1, .patience = -1, .offset = "tenure"};
    struct train ctx = {.seed = 7};
    struct error err;
    struct model *m =
        model_fit(&gbdt_family, params, f, "spend", &o, &ctx, &err);
    struct frame *asked[2];
    struct prediction p[2];

    (void)state;
    assert_ok(m, err);
    asked[0] = parse_json(
        m,
        STR("{\"instances\": [{\"tenure\": 7, \"charges\": 30, \"senior\": "
            "true, \"contract\": \"One year\", \"joined\": "
            "\"2020-01-31\"}]}"),
        &err);
    assert_ok(asked[0], err);
    asked[1] = parse_json(
        m,
        STR("{\"params\": {\"allow_missing\": true}, \"instances\": "
            "[{\"charges\": 30, \"senior\": true, \"contract\": \"One "
            "year\", \"joined\": \"2020-01-31\"}]}"),
        &err);
    assert_ok(asked[1], err);
    for (size_t i = 0; i < 2; i++)
        assert_ok(model_predict(m, asked[i], NULL, &p[i], &err), err);
    assert_close(p[0].value[0] - p[1].value[0], 7, 1e-12);
    assert_null(parse_json(
        m,
        STR("{\"instances\": [{\"charges\": 30, \"senior\": true, "
            "\"contract\": \"One year\", \"joined\": \"2020-01-31\"}]}"),
        &err));
    assert_non_null(strstr(err.message, "no field 'tenure'"));
    for (size_t i = 0; i < 2; i++) {
        prediction_fini(&p[i]);
        frame_unref(asked[i]);
    }
    params_free(params);
    frame_unref(f);
    model_unref(m);
}

/* What `lathe predict` says of the same rows stands in the answer, too. */
static void
test_ranges_stand_beside_the_number(void **state)
{
    struct model *m = small_ranged_model(SMALL_REGRESSION, 0.9);
    struct frame *f = small_frame(SMALL_REGRESSION, 2, 3);
    struct prediction p;
    struct frame *said;
    struct error err;
    struct buf got, want;

    (void)state;
    buf_init(&got);
    buf_init(&want);
    assert_ok(model_predict_all(m, f, NULL, &p, &err), err);
    assert_non_null(said = model_predict_frame(m, f, NULL, &err));
    assert_int_equal(frame_cols(said), 3);
    buf_puts(&want, "{\"predictions\": [");
    for (size_t i = 0; i < 2; i++) {
        buf_puts(&want, i ? ", {" : "{");
        for (size_t c = 0; c < 3; c++) {
            buf_printf(&want, "%s\"%s\": ", c ? ", " : "", frame_name(said, c));
            buf_double(&want, column_float64s(frame_column(said, c))[i]);
        }
        buf_putc(&want, '}');
    }
    buf_puts(&want, "]}");
    predict_answer_json(m, &p, &got);
    assert_string_equal(got.data, want.data);
    assert_string_equal(frame_name(said, 1), "low");
    assert_true(p.more[0] < p.value[0] && p.value[0] < p.more[1]);
    prediction_fini(&p);
    frame_unref(said);
    frame_unref(f);
    buf_fini(&got);
    buf_fini(&want);
    model_unref(m);
}

static void
test_sets_of_classes_stand_beside_the_class(void **state)
{
    /* As wide as 0.9 asks for: both classes where neither is near 1. */
    double value[] = {0.5, 0.999};
    struct model *m = small_ranged_model(SMALL_BINARY, 0.9);
    struct prediction p = {.n = 2, .k = 1, .value = value};
    struct buf b;

    (void)state;
    buf_init(&b);
    predict_answer_json(m, &p, &b);
    assert_string_equal(
        b.data, "{\"predictions\": [{\"probability\": 0.5, \"prediction\": "
                "\"false\", \"set\": [\"false\", \"true\"]}, "
                "{\"probability\": 0.999, \"prediction\": \"true\", "
                "\"set\": [\"true\"]}]}");
    buf_clear(&b);
    predict_answer_csv(m, &p, &b);
    assert_string_equal(b.data, "0.5,\"false, true\"\n0.999,true\n");
    buf_fini(&b);
    model_unref(m);
}

/* Below one half the positive class is not to be seen in the probability. */
static void
test_the_class_that_a_threshold_says_is_answered(void **state)
{
    double value[] = {0.2, 0.4};
    struct model *m = small_finished_model(
        SMALL_BINARY, (struct finish_options){.threshold = "0.3"});
    struct prediction p = {.n = 2, .k = 1, .value = value};
    struct buf b;

    (void)state;
    buf_init(&b);
    predict_answer_json(m, &p, &b);
    assert_string_equal(
        b.data,
        "{\"predictions\": [{\"probability\": 0.2, \"prediction\": "
        "\"false\"}, {\"probability\": 0.4, \"prediction\": \"true\"}]}");
    buf_clear(&b);
    predict_answer_csv(m, &p, &b);
    assert_string_equal(b.data, "0.2,false\n0.4,true\n");
    buf_fini(&b);
    model_unref(m);
}

static void
test_a_profit_of_several_classes_is_answered(void **state)
{
    static const char *const profit[] = {"pro:basic=-5", NULL};
    double value[] = {0.6, 0.1, 0.3};
    struct model *m = small_finished_model(
        SMALL_MULTICLASS, (struct finish_options){.profit = profit});
    struct prediction p = {.n = 1, .k = 3, .value = value};
    struct buf b;

    (void)state;
    buf_init(&b);
    predict_answer_json(m, &p, &b);
    assert_string_equal(
        b.data, "{\"predictions\": [{\"probability\": {\"basic\": 0.6, "
                "\"plus\": 0.1, \"pro\": 0.3}, \"prediction\": \"pro\"}]}");
    buf_fini(&b);
    model_unref(m);
}

static void
test_a_value_that_is_not_finite_is_null(void **state)
{
    double value[] = {NAN, 2.5};
    struct model *m = small_model(SMALL_REGRESSION);
    struct prediction p = {.n = 2, .k = 1, .value = value};
    struct buf b;

    (void)state;
    buf_init(&b);
    predict_answer_json(m, &p, &b);
    assert_string_equal(b.data, "{\"predictions\": [null, 2.5]}");
    buf_clear(&b);
    predict_answer_csv(m, &p, &b);
    assert_string_equal(b.data, "\n2.5\n");
    buf_fini(&b);
    model_unref(m);
}

/* Fail the n-th allocation, n = 1, 2, ... until it works. */
static void
test_no_memory_is_an_error_and_leaks_nothing(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct error err;
    struct frame *f = NULL;

    (void)state;
    for (unsigned long n = 1; !f; n++) {
        mem_fault_arm(n, false);
        f = parse_json(m, str_of(same[1]), &err);
        if (!f)
            assert_int_equal(err.code, ERR_NOMEM);
        assert_true(n < 10000);
    }
    mem_fault_arm(0, false);
    frame_unref(f);
    model_unref(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_forms_of_the_same_rows_give_the_same_bits),
        cmocka_unit_test(test_what_is_wrong_is_told_by_field_and_row),
        cmocka_unit_test(test_a_long_bad_value_is_cut_between_characters),
        cmocka_unit_test(test_texts_unknown_to_the_model_stay_what_they_are),
        cmocka_unit_test(test_missing_fields_pass_when_the_client_says_so),
        cmocka_unit_test(
            test_an_input_is_no_slip_whatever_is_missing_beside_it),
        cmocka_unit_test(test_beside_missing_fields_no_others_pass_unasked),
        cmocka_unit_test(test_csv_says_which_line_and_which_field),
        cmocka_unit_test(test_no_rows_are_a_table_without_rows),
        cmocka_unit_test(test_answers_name_the_classes_and_keep_every_bit),
        cmocka_unit_test(test_an_offset_is_asked_for_and_added),
        cmocka_unit_test(test_ranges_stand_beside_the_number),
        cmocka_unit_test(test_sets_of_classes_stand_beside_the_class),
        cmocka_unit_test(test_the_class_that_a_threshold_says_is_answered),
        cmocka_unit_test(test_a_profit_of_several_classes_is_answered),
        cmocka_unit_test(test_a_value_that_is_not_finite_is_null),
        cmocka_unit_test(test_no_memory_is_an_error_and_leaks_nothing),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
