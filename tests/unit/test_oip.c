/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/oip.h"

#include <stdlib.h>
#include <string.h>

#include "serve/predict.h"
#include "tests/lib/small_model.h"

#define T(name, type, data)                                          \
    "{\"name\": \"" name "\", \"shape\": [2], \"datatype\": \"" type \
    "\", \"data\": " data "}"
#define REST                                                                     \
    ", " T("charges", "FP32", "[79.5, null]") ", " T(                            \
        "senior", "BOOL",                                                        \
        "[true, false]") ", " T("contract", "BYTES",                             \
                                "[\"One year\", \"Two year\"]") ", " T("joined", \
                                                                       "BYTES",  \
                                                                       "[\"2020-01-31\", \"2021-12-01\"]")
#define FLAT \
    "{\"id\": \"a-1\", \"inputs\": [" T("tenure", "INT64", "[12, 3]") REST "]}"

static const char records[] =
    "{\"dataframe_records\": [{\"tenure\": 12, \"charges\": 79.5, \"senior\": "
    "true, \"contract\": \"One year\", \"joined\": \"2020-01-31\"},"
    "{\"joined\": \"2021-12-01\", \"contract\": \"Two year\", \"senior\": "
    "false, \"charges\": null, \"tenure\": 3}]}";

static bool
oip(const struct model *m, struct str body, const char *header,
    struct oip_request *q, struct error *err)
{
    struct rows_form *form = rows_form_new(m, err);
    bool ok = form && oip_parse(form, body, header, q, err);

    rows_form_free(form);
    return ok;
}

static struct frame *
parse_records(const struct model *m, struct error *err)
{
    struct rows_form *form = rows_form_new(m, err);
    struct frame *f = form ? predict_parse_json(form, STR(records), err) : NULL;

    rows_form_free(form);
    return f;
}

static struct prediction
predict_rows_of(const struct model *m, const struct frame *f)
{
    struct prediction p;
    struct error err;

    assert_ok(model_predict(m, f, NULL, &p, &err), err);
    return p;
}

static struct prediction
want_of(const struct model *m)
{
    struct error err;
    struct frame *f = parse_records(m, &err);
    struct prediction p;

    assert_ok(f != NULL, err);
    p = predict_rows_of(m, f);
    frame_unref(f);
    return p;
}

/* Body in, prediction equal to that of the same rows in MLflow's form. */
static void
same_bits(const struct model *m, struct str body, const char *header)
{
    struct prediction want = want_of(m), got;
    struct oip_request q;
    struct error err;

    assert_ok(oip(m, body, header, &q, &err), err);
    got = predict_rows_of(m, q.rows);
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.value, want.value, want.n * sizeof *want.value);
    prediction_fini(&got);
    prediction_fini(&want);
    oip_request_fini(&q);
}

static void
test_flat_and_nested_data_give_the_same_bits(void **state)
{
    struct model *m = small_model(SMALL_BINARY);

    (void)state;
    same_bits(m, STR(FLAT), NULL);
    same_bits(m,
              STR("{\"inputs\": [{\"name\": \"tenure\", \"shape\": [2, 1], "
                  "\"datatype\": \"FP64\", \"data\": [[12], [3.0]]}" REST "]}"),
              NULL);
    model_unref(m);
}

static void
put_le(struct buf *b, uint64_t u, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(b, (char)(u >> (8 * i) & 255));
}

static void
put_text(struct buf *b, const char *s)
{
    put_le(b, strlen(s), 4);
    buf_puts(b, s);
}

/* IEEE 754: 79.5 = 0x42 9f 00 00 in 32 bits, NaN = 0x7fc00000; in 16 bits
 * 12 = 0x4a00 and 3 = 0x4200. */
static void
test_binary_tensors_give_the_same_bits(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct buf b, header;

    (void)state;
    buf_init(&b);
    buf_init(&header);
    buf_puts(&b, "{\"inputs\": [");
    buf_puts(&b,
             "{\"name\": \"tenure\", \"shape\": [2], \"datatype\": "
             "\"FP16\", \"parameters\": {\"binary_data_size\": 4}}, "
             "{\"name\": \"charges\", \"shape\": [2, 1], \"datatype\": "
             "\"FP32\", \"parameters\": {\"binary_data_size\": 8}}, "
             "{\"name\": \"senior\", \"shape\": [2], \"datatype\": "
             "\"BOOL\", \"parameters\": {\"binary_data_size\": 2}}, "
             "{\"name\": \"contract\", \"shape\": [2], \"datatype\": "
             "\"BYTES\", \"parameters\": {\"binary_data_size\": 24}}, " T(
                 "joined", "BYTES", "[\"2020-01-31\", \"2021-12-01\"]") "]}");
    buf_printf(&header, "%zu", b.len);
    put_le(&b, 0x4a00, 2);
    put_le(&b, 0x4200, 2);
    put_le(&b, 0x429f0000, 4);
    put_le(&b, 0x7fc00000, 4);
    put_le(&b, 1, 1);
    put_le(&b, 0, 1);
    put_text(&b, "One year");
    put_text(&b, "Two year");
    same_bits(m, (struct str){b.data, b.len}, header.data);
    buf_fini(&header);
    buf_fini(&b);
    model_unref(m);
}

static void
test_answers_echo_the_id_and_hold_both_outputs(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    double value[] = {0.25, 0.5};
    struct prediction p = {.n = 2, .k = 1, .value = value};
    struct oip_request q;
    struct error err;
    struct buf b;
    size_t json_len = 9;

    (void)state;
    buf_init(&b);
    assert_ok(oip(m, STR(FLAT), NULL, &q, &err), err);
    oip_answer(m, "churn", "3", &q, &p, &b, &json_len);
    assert_int_equal(json_len, 0);
    assert_string_equal(
        b.data,
        "{\"model_name\":\"churn\",\"model_version\":\"3\",\"id\":\"a-1\","
        "\"outputs\":[{\"name\":\"probability\",\"shape\":[2],\"datatype\":"
        "\"FP64\",\"data\":[0.25,0.5]},{\"name\":\"prediction\",\"shape\":[2],"
        "\"datatype\":\"BYTES\",\"data\":[\"false\",\"false\"]}]}");
    oip_request_fini(&q);
    buf_fini(&b);
    model_unref(m);
}

static void
test_only_the_outputs_asked_for_are_sent(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    double value[] = {0.25, 0.5};
    struct prediction p = {.n = 2, .k = 1, .value = value};
    struct oip_request q;
    struct error err;
    struct buf b;
    size_t json_len = 0;
    double got[2];

    (void)state;
    buf_init(&b);
    assert_ok(
        oip(m,
            STR("{\"outputs\": [{\"name\": \"probability\", "
                "\"parameters\": {\"binary_data\": true}}], "
                "\"inputs\": [" T("tenure", "INT64", "[12, 3]") REST "]}"),
            NULL, &q, &err),
        err);
    oip_answer(m, "churn", "3", &q, &p, &b, &json_len);
    assert_int_equal(b.len, json_len + 16);
    memcpy(got, b.data + json_len, sizeof got); /* both little-endian here */
    assert_memory_equal(got, value, sizeof got);
    b.data[json_len] = '\0';
    assert_string_equal(
        b.data, "{\"model_name\":\"churn\",\"model_version\":\"3\",\"outputs\":"
                "[{\"name\":\"probability\",\"shape\":[2],\"datatype\":"
                "\"FP64\",\"parameters\":{\"binary_data_size\":16}}]}");
    oip_request_fini(&q);
    buf_fini(&b);
    model_unref(m);
}

static void
test_ranges_and_sets_are_outputs_of_their_own(void **state)
{
    struct model *m = small_ranged_model(SMALL_BINARY, 0.9);
    struct model *n = small_ranged_model(SMALL_REGRESSION, 0.9);
    double value[] = {0.5, 0.999}, number[] = {3, 4}, more[] = {1, 5, 2, 6};
    struct prediction p = {.n = 2, .k = 1, .value = value};
    struct prediction r = {
        .n = 2, .k = 1, .value = number, .n_more = 2, .more = more};
    struct oip_request q;
    struct error err;
    struct buf b;
    size_t json_len;

    (void)state;
    buf_init(&b);
    assert_ok(oip(m,
                  STR("{\"outputs\": [{\"name\": \"set\"}], \"inputs\": [" T(
                      "tenure", "INT64", "[12, 3]") REST "]}"),
                  NULL, &q, &err),
              err);
    oip_answer(m, "churn", "3", &q, &p, &b, &json_len);
    assert_string_equal(
        b.data,
        "{\"model_name\":\"churn\",\"model_version\":\"3\","
        "\"outputs\":[{\"name\":\"set\",\"shape\":[2],"
        "\"datatype\":\"BYTES\",\"data\":[\"false, true\",\"true\"]}]}");
    oip_request_fini(&q);
    buf_clear(&b);
    assert_ok(
        oip(n, STR("{\"inputs\": [" T("tenure", "INT64", "[12, 3]") REST "]}"),
            NULL, &q, &err),
        err);
    oip_answer(n, "spend", "1", &q, &r, &b, &json_len);
    assert_string_equal(
        b.data,
        "{\"model_name\":\"spend\",\"model_version\":\"1\",\"outputs\":["
        "{\"name\":\"prediction\",\"shape\":[2],\"datatype\":\"FP64\","
        "\"data\":[3,4]},{\"name\":\"low\",\"shape\":[2],\"datatype\":"
        "\"FP64\",\"data\":[1,2]},{\"name\":\"high\",\"shape\":[2],"
        "\"datatype\":\"FP64\",\"data\":[5,6]}]}");
    oip_request_fini(&q);
    buf_fini(&b);
    model_unref(m);
    model_unref(n);
}

static void
test_metadata_describes_every_tensor(void **state)
{
    struct model *m = small_model(SMALL_MULTICLASS);
    struct buf b;

    (void)state;
    buf_init(&b);
    oip_metadata(m, "plan", "1", &b);
    assert_string_equal(
        b.data,
        "{\"name\":\"plan\",\"versions\":[\"1\"],\"platform\":\"lathe\","
        "\"inputs\":[{\"name\":\"tenure\",\"datatype\":\"FP64\",\"shape\":"
        "[-1]},{\"name\":\"charges\",\"datatype\":\"FP64\",\"shape\":[-1]},"
        "{\"name\":\"senior\",\"datatype\":\"BOOL\",\"shape\":[-1]},"
        "{\"name\":\"contract\",\"datatype\":\"BYTES\",\"shape\":[-1]},"
        "{\"name\":\"joined\",\"datatype\":\"BYTES\",\"shape\":[-1]}],"
        "\"outputs\":[{\"name\":\"probability\",\"datatype\":\"FP64\","
        "\"shape\":[-1,3]},{\"name\":\"prediction\",\"datatype\":\"BYTES\","
        "\"shape\":[-1]}]}");
    buf_fini(&b);
    model_unref(m);
}

#define ONE(tensor) "{\"inputs\": [" tensor "]}"
#define ALL(tensor) "{\"inputs\": [" tensor REST "]}"

static const struct {
    const char *body, *part;
} wrong[] = {
    {"[]", "an array where an object with 'inputs' was expected"},
    {"{}", "'inputs' is missing"},
    {"{\"inputs\": []}", "'inputs' is empty"},
    {"{\"inputs\": [3]}", "inputs: item 1 is a number"},
    {"{\"id\": 3, \"inputs\": []}", "'id' is a number, expected a text"},
    {ONE("{\"shape\": [1]}"), "inputs: 'name' is missing"},
    {ONE("{\"name\": \"tenure\"}"), "input 'tenure': 'datatype' is missing"},
    {ONE("{\"name\": \"tenure\", \"datatype\": \"FP64\"}"),
     "input 'tenure': 'shape' is missing"},
    {ONE("{\"name\": \"tenure\", \"datatype\": \"FP65\", \"shape\": [1]}"),
     "input 'tenure': no datatype 'FP65'"},
    {ONE("{\"name\": \"tenure\", \"datatype\": \"FP64\", \"shape\": [-1]}"),
     "shape must be whole numbers"},
    {ONE("{\"name\": \"tenure\", \"datatype\": \"FP64\", \"shape\": []}"),
     "shape is []"},
    {ONE("{\"name\": \"tenure\", \"datatype\": \"FP64\", \"shape\": "
         "[9007199254740992, 9007199254740992]}"),
     "input 'tenure':"},
    {ONE("{\"name\": \"tenure\", \"datatype\": \"FP64\", \"shape\": [1]}"),
     "input 'tenure': no array 'data'"},
    {ONE("{\"name\": \"tenure\", \"datatype\": \"FP64\", \"shape\": [1], "
         "\"parameters\": {\"binary_data_size\": 8}}"),
     "input 'tenure': binary_data_size is 8, 0 bytes follow"},
    {ONE(T("tenure", "FP64", "[1]")),
     "input 'tenure': data has 1 values, its shape says 2 x 1"},
    {ONE("{\"name\": \"tenure\", \"datatype\": \"FP64\", \"shape\": [1, 2], "
         "\"data\": [1, 2]}"),
     "input 'tenure': 2 values a row, expected 1"},
    {ONE(T("tenur", "FP64", "[1, 2]")), "the model has no input 'tenur'"},
    {ONE(T("contract", "INT8", "[1, 2]")),
     "input 'contract': datatype is INT8, expected BYTES"},
    {ONE(T("tenure", "FP64", "[1, 2]") ", " T("tenure", "FP64", "[1, 2]")),
     "input 'tenure' is there twice"},
    {ONE(T("tenure", "FP64", "[1, 2]")), "no input 'charges'"},
    {ALL(T("tenure", "UINT8", "[1, 300]")),
     "input 'tenure': row 2: not of datatype UINT8"},
    {ALL(T("tenure", "INT8", "[1.5, 3]")),
     "input 'tenure': row 1: not of datatype INT8"},
    {ALL(T("tenure", "INT64", "[\"x\", 3]")),
     "input 'tenure': row 1: not of datatype INT64"},
    {ALL(T("tenure", "BYTES", "[\"x\", \"3\"]")),
     "row 1: field 'tenure' is 'x', expected a number"},
    {ALL("{\"name\": \"tenure\", \"datatype\": \"FP64\", \"shape\": [1], "
         "\"data\": [1]}"),
     "input 'charges' has 2 rows, 'tenure' has 1"},
    {"{\"outputs\": [{\"name\": \"odds\"}], \"inputs\": []}",
     "the model has no output 'odds'"},
    {"{\"outputs\": [{\"name\": \"prediction\"}, {\"name\": \"prediction\"}], "
     "\"inputs\": []}",
     "output 'prediction' is there twice"},
    {"{\"outputs\": 3, \"inputs\": []}", "'outputs' is a number"},
};

static void
test_what_is_wrong_is_told_by_input_and_row(void **state)
{
    struct model *m = small_model(SMALL_BINARY);
    struct oip_request q;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (oip(m, str_of(wrong[i].body), NULL, &q, &err))
            fail_msg("accepted: %s", wrong[i].body);
        if (!strstr(err.message, wrong[i].part))
            fail_msg("%s: '%s' does not say '%s'", wrong[i].body, err.message,
                     wrong[i].part);
    }
    model_unref(m);
}

static void
test_bad_binary_bodies_are_refused(void **state)
{
    static const struct {
        const char *header, *more, *part;
    } bad[] = {
        {"x", "", "Inference-Header-Content-Length is 'x'"},
        {"99999", "", "Inference-Header-Content-Length is '99999'"},
        {"-1", "", "Inference-Header-Content-Length is '-1'"},
        {"0", "", "a body without JSON is for models with one input"},
        {NULL, "1234", "binary_data_size is 16, 4 bytes follow"},
        {NULL, "1234567890123456+", "1 bytes after the last binary tensor"},
    };
    static const char json[] =
        "{\"inputs\": [{\"name\": \"tenure\", \"datatype\": \"FP64\", "
        "\"shape\": [2], \"parameters\": {\"binary_data_size\": 16}}" REST "]}";
    struct model *m = small_model(SMALL_BINARY);
    struct oip_request q;
    struct error err;
    char length[32];
    struct buf b;

    (void)state;
    buf_init(&b);
    snprintf(length, sizeof length, "%zu", sizeof json - 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        buf_clear(&b);
        buf_puts(&b, json);
        buf_puts(&b, bad[i].more);
        if (oip(m, (struct str){b.data, b.len},
                bad[i].header ? bad[i].header : length, &q, &err))
            fail_msg("case %zu accepted", i);
        if (!strstr(err.message, bad[i].part))
            fail_msg("'%s' does not say '%s'", err.message, bad[i].part);
    }
    buf_fini(&b);
    model_unref(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flat_and_nested_data_give_the_same_bits),
        cmocka_unit_test(test_binary_tensors_give_the_same_bits),
        cmocka_unit_test(test_answers_echo_the_id_and_hold_both_outputs),
        cmocka_unit_test(test_only_the_outputs_asked_for_are_sent),
        cmocka_unit_test(test_ranges_and_sets_are_outputs_of_their_own),
        cmocka_unit_test(test_metadata_describes_every_tensor),
        cmocka_unit_test(test_what_is_wrong_is_told_by_input_and_row),
        cmocka_unit_test(test_bad_binary_bodies_are_refused),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
