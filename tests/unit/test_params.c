/* tests/unit/test_params.c -- hyper-parameter tables.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "engine/params.h"

static const struct param table[] = {
    {"trees", PARAM_INT, 1, 100000, "200", NULL, "boosting rounds"},
    {"leaves", PARAM_INT, 2, 4096, NULL, NULL, "leaves of a tree"},
    {"rate", PARAM_FLOAT, 1e-6, INFINITY, "0.1", NULL, "learning rate"},
    {"bagging", PARAM_BOOL, 0, 0, "false", NULL, "sample rows"},
    {"grow", PARAM_CHOICE, 0, 0, "leaf", "leaf|depth|auto", "order"},
    {"note", PARAM_TEXT, 0, 0, NULL, NULL, "free text"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

static void
expect_refused(const char *name, const char *text, const char *message)
{
    struct params *p = params_new(table);
    struct error err = {0};

    assert_false(params_set(p, name, text, &err));
    assert_string_equal(err.message, message);
    params_free(p);
}

static void
test_defaults_come_from_the_table(void **state)
{
    struct params *p = params_new(table);

    (void)state;
    assert_int_equal(params_int(p, "trees"), 200);
    assert_true(params_float(p, "rate") == 0.1);
    assert_false(params_bool(p, "bagging"));
    assert_string_equal(params_text(p, "grow"), "leaf");
    assert_null(params_text(p, "note"));
    assert_false(params_is_set(p, "trees"));
    assert_false(params_is_set(p, "leaves"));
    params_free(p);
}

static void
test_a_value_set_is_kept_by_a_copy(void **state)
{
    struct params *p = params_new(table), *q;
    struct error err;

    (void)state;
    assert_true(params_set_pair(p, " trees = 300 ", &err));
    assert_true(params_set(p, "grow", "depth", &err));
    assert_true(params_set(p, "bagging", "Yes", &err));
    assert_true(params_set(p, "leaves", "31", &err));
    q = params_copy(p);
    params_free(p);
    assert_int_equal(params_int(q, "trees"), 300);
    assert_int_equal(params_int(q, "leaves"), 31);
    assert_true(params_is_set(q, "leaves"));
    assert_true(params_bool(q, "bagging"));
    assert_string_equal(params_text(q, "grow"), "depth");
    params_free(q);
}

static void
test_auto_undoes_a_setting_that_has_no_default(void **state)
{
    struct params *p = params_new(table);
    struct error err;

    (void)state;
    assert_true(params_set(p, "leaves", "31", &err));
    assert_true(params_set(p, "leaves", "auto", &err));
    assert_false(params_is_set(p, "leaves"));
    assert_true(params_set(p, "grow", "auto", &err));
    assert_string_equal(params_text(p, "grow"), "auto");
    params_free(p);
}

static void
test_an_error_names_value_range_and_nearest_name(void **state)
{
    (void)state;
    expect_refused("tres", "1", "no parameter 'tres' (did you mean 'trees'?)");
    expect_refused("n_estimators", "9",
                   "no parameter 'n_estimators' (did you mean 'trees'?)");
    expect_refused("early_stopping_rounds", "9",
                   "no parameter 'early_stopping_rounds' (did you mean the "
                   "option 'patience'?)");
    expect_refused("trees", "0",
                   "trees is '0', expected a whole number from 1 to 100000");
    expect_refused("trees", "1.5",
                   "trees is '1.5', expected a whole number from 1 to 100000");
    expect_refused("trees", "auto",
                   "trees is 'auto', expected a whole number from 1 to 100000");
    expect_refused("rate", "0",
                   "rate is '0', expected a number of at least 1e-06");
    expect_refused("rate", "nan",
                   "rate is 'nan', expected a number of at least 1e-06");
    expect_refused("bagging", "maybe",
                   "bagging is 'maybe', expected true or false");
    expect_refused("grow", "lea", "grow is 'lea', expected leaf|depth|auto");
}

static void
test_a_pair_needs_an_equals_sign(void **state)
{
    struct params *p = params_new(table);
    struct error err;

    (void)state;
    assert_false(params_set_pair(p, "trees", &err));
    assert_int_equal(err.code, ERR_USAGE);
    params_free(p);
}

static void
test_json_holds_all_values_in_table_order(void **state)
{
    struct params *p = params_new(table);
    struct json_writer w;
    struct buf b;
    struct error err;

    (void)state;
    buf_init(&b);
    json_writer_init(&w, &b);
    assert_true(params_set(p, "rate", "0.05", &err));
    params_json(p, &w);
    assert_string_equal(b.data,
                        "{\"trees\":200,\"leaves\":\"auto\",\"rate\":0.05,"
                        "\"bagging\":false,\"grow\":\"leaf\",\"note\":null}");
    buf_fini(&b);
    params_free(p);
}

static void
test_what_was_set_or_decided_is_no_default(void **state)
{
    static const char text[] =
        "{\"trees\":200,\"leaves\":\"auto\",\"rate\":0.2,"
        "\"bagging\":false,\"grow\":\"depth\","
        "\"note\":null,\"rounds\":7}";
    static const bool is_default[] = {true,  true, false, true,
                                      false, true, false};
    struct error err;
    struct json *root = json_parse(str_of(text), &err);
    size_t i = 0;

    (void)state;
    assert_non_null(root);
    for (const struct json *v = json_first(root); v; v = json_next(v), i++) {
        assert_int_equal(params_is_default(table, v), is_default[i]);
        assert_false(params_is_default(NULL, v));
    }
    assert_int_equal(i, 7);
    json_free(root);
}

static void
test_sets_are_told_by_what_differs(void **state)
{
    struct params *list[3];
    struct error err;
    struct buf b;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        list[i] = params_new(table);
        assert_true(params_set(list[i], "trees", "50", &err));
    }
    assert_true(params_set(list[1], "leaves", "31", &err) &&
                params_set(list[1], "rate", "0.25", &err) &&
                params_set(list[2], "note", "a b", &err) &&
                params_set(list[2], "bagging", "true", &err));
    buf_init(&b);
    for (size_t i = 0; i < 3; i++) {
        params_differing(list, 3, i, &b);
        buf_putc(&b, '\n');
    }
    assert_string_equal(b.data,
                        "leaves=auto, rate=0.1, bagging=false, note=auto\n"
                        "leaves=31, rate=0.25, bagging=false, note=auto\n"
                        "leaves=auto, rate=0.1, bagging=true, note=a b\n");
    buf_clear(&b);
    params_differing(list, 1, 0, &b);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
    for (size_t i = 0; i < 3; i++)
        params_free(list[i]);
}

static void
test_values_are_told_in_words(void **state)
{
    static const char *const want[] = {"a whole number from 1 to 100000",
                                       "a whole number from 2 to 4096",
                                       "a number of at least 1e-06",
                                       "true or false",
                                       "leaf, depth or auto",
                                       "a text"};
    struct buf b;

    (void)state;
    buf_init(&b);
    for (size_t i = 0; i < 6; i++) {
        buf_clear(&b);
        param_values(&table[i], &b);
        assert_string_equal(b.data, want[i]);
    }
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_come_from_the_table),
        cmocka_unit_test(test_what_was_set_or_decided_is_no_default),
        cmocka_unit_test(test_a_value_set_is_kept_by_a_copy),
        cmocka_unit_test(test_auto_undoes_a_setting_that_has_no_default),
        cmocka_unit_test(test_an_error_names_value_range_and_nearest_name),
        cmocka_unit_test(test_a_pair_needs_an_equals_sign),
        cmocka_unit_test(test_json_holds_all_values_in_table_order),
        cmocka_unit_test(test_sets_are_told_by_what_differs),
        cmocka_unit_test(test_values_are_told_in_words),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
