/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/json.h"

#include <string.h>

#include "tests/lib/close.h"

static void
refuse(const char *text, enum error_code code, const char *part)
{
    struct error err;
    struct json *v = json_parse(str_of(text), &err);

    if (v)
        fail_msg("accepted: %s", text);
    assert_int_equal(err.code, code);
    if (!strstr(err.message, part))
        fail_msg("'%s' does not say '%s'", err.message, part);
}

static void
test_what_is_not_json_is_refused_with_its_place(void **state)
{
    char deep[200];

    (void)state;
    refuse("", ERR_PARSE, "not JSON");
    refuse("{\"a\":1,}", ERR_PARSE, "not JSON");
    refuse("1 2", ERR_PARSE, "byte 2: more text");
    refuse("{\"a\":1,\"b\":{\"k\":1,\"k\":2}}", ERR_PARSE,
           "'k' is there twice");
    refuse("\"\xff\"", ERR_PARSE, "UTF-8");
    memset(deep, '[', 100);
    memset(deep + 100, ']', 99);
    deep[199] = '\0';
    refuse(deep, ERR_LIMIT, "nested deeper than 64");
}

static void
test_brackets_in_strings_do_not_nest(void **state)
{
    char text[300];
    struct error err;
    struct json *v;

    (void)state;
    memset(text, '[', sizeof text);
    text[0] = '"';
    memcpy(text + 200, "\\\"[[\"", 6);
    v = json_parse(str_of(text), &err);
    assert_ok(v, err);
    assert_int_equal(json_type(v), JSON_STRING);
    json_free(v);
}

static void
test_getters_name_the_key_and_what_was_there(void **state)
{
    struct error err;
    const char *s;
    double x;
    int64_t i;
    struct json *v = json_parse(STR("{\"n\": 1.5, \"s\": \"t\"}"), &err);

    (void)state;
    assert_ok(v, err);
    assert_ok(json_get_double(v, "n", &x, &err), err);
    assert_close(x, 1.5, 0);
    assert_false(json_get_i64(v, "n", &i, &err));
    assert_false(json_get_string(v, "n", &s, &err));
    assert_string_equal(err.message, "'n' is a number, expected a text");
    assert_false(json_get_string(v, "zz", &s, &err));
    assert_string_equal(err.message, "'zz' is missing");
    json_free(v);
}

static void
test_what_is_written_reads_back(void **state)
{
    struct buf b, again;
    struct json_writer w;
    struct error err;
    struct json *v;

    (void)state;
    buf_init(&b);
    buf_init(&again);
    json_writer_init(&w, &b);
    json_open(&w, '{');
    json_name(&w, "a");
    json_open(&w, '[');
    json_put_double(&w, 0.1);
    json_put_double(&w, NAN);
    json_put_i64(&w, -3);
    json_put_bool(&w, true);
    json_put_string(&w, "q\"\n");
    json_close(&w, ']');
    json_name(&w, "b");
    json_open(&w, '{');
    json_close(&w, '}');
    json_close(&w, '}');
    assert_string_equal(b.data,
                        "{\"a\":[0.1,null,-3,true,\"q\\\"\\n\"],\"b\":{}}");
    v = json_parse((struct str){b.data, b.len}, &err);
    assert_ok(v, err);
    json_print(&again, v);
    assert_string_equal(again.data, b.data);
    json_free(v);
    buf_fini(&b);
    buf_fini(&again);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_json_is_refused_with_its_place),
        cmocka_unit_test(test_brackets_in_strings_do_not_nest),
        cmocka_unit_test(test_getters_name_the_key_and_what_was_there),
        cmocka_unit_test(test_what_is_written_reads_back),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
