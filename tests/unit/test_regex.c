/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static bool
finds(const char *pattern, const char *text)
{
    struct error err = {0};
    bool found = false;
    struct regex *r = regex_new(str_of(pattern), false, &err);

    if (!r)
        fail_msg("%s: %s", pattern, err.message);
    if (!regex_find(r, str_of(text), &found, 0, NULL, &err))
        fail_msg("%s: %s", pattern, err.message);
    regex_free(r);
    return found;
}

static enum error_code
compile_code(const char *pattern, char message[ERROR_MESSAGE_MAX])
{
    struct error err = {0};
    struct regex *r = regex_new(str_of(pattern), false, &err);

    strcpy(message, err.message);
    regex_free(r);
    return r ? ERR_NONE : err.code;
}

static void
test_pattern_matches_anywhere_unless_anchored(void **state)
{
    (void)state;
    assert_true(finds("month", "Every-month plan"));
    assert_false(finds("^month", "Every-month plan"));
    assert_true(finds("(?i)MONTH", "Every-month plan"));
    assert_false(finds("x", ""));
    assert_true(finds("^$", ""));
}

static void
test_classes_know_unicode(void **state)
{
    (void)state;
    assert_true(finds("^\\w+$", "Z\xc3\xbcrich"));
    assert_true(finds("(?i)Z\xc3\x9cRICH", "z\xc3\xbcrich"));
    assert_true(finds("^.$", "\xe6\x9d\xb1"));
}

static void
test_bad_bytes_do_not_hide_the_text_around_them(void **state)
{
    (void)state;
    assert_true(finds("abc", "\xff\xfe"
                             "abc"));
    assert_false(finds("^.abc", "\xff"
                                "abc"));
}

static void
test_group_returns_its_text(void **state)
{
    struct error err = {0};
    struct str got;
    bool found;
    struct regex *r = regex_new(STR("(\\d+)-(\\d+)(x)?"), false, &err);

    (void)state;
    assert_non_null(r);
    assert_int_equal(regex_groups(r), 3);
    assert_true(regex_find(r, STR("a 12-345 b"), &found, 2, &got, &err));
    assert_true(found);
    assert_true(str_is(got, "345"));
    assert_true(regex_find(r, STR("a 12-345 b"), &found, 0, &got, &err));
    assert_true(str_is(got, "12-345"));
    assert_true(regex_find(r, STR("a 12-345 b"), &found, 3, &got, &err));
    assert_int_equal(got.n, 0);
    regex_free(r);
}

static void
test_bad_pattern_names_the_character(void **state)
{
    char message[ERROR_MESSAGE_MAX];

    (void)state;
    assert_int_equal(compile_code("a(b", message), ERR_PARSE);
    assert_string_equal(message,
                        "pattern: missing closing parenthesis at character 4");
    assert_int_equal(compile_code("\xff", message), ERR_PARSE);
}

static void
test_deep_or_long_pattern_is_refused(void **state)
{
    char text[REGEX_MAX_PATTERN + 2], message[ERROR_MESSAGE_MAX];

    (void)state;
    memset(text, '(', 1000);
    strcpy(text + 1000, "a");
    memset(text + 1001, ')', 1000);
    text[2001] = 0;
    assert_int_not_equal(compile_code(text, message), ERR_NONE);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    assert_int_equal(compile_code(text, message), ERR_LIMIT);
    assert_int_not_equal(compile_code("((a{1,1000}){1,1000}){1,1000}", message),
                         ERR_NONE);
}

/* The textbook exponential pattern must end in an error, not in a hang. */
static void
test_catastrophic_pattern_ends_in_an_error(void **state)
{
    struct error err = {0};
    bool found;
    struct regex *r = regex_new(STR("^(a+)+$"), false, &err);

    (void)state;
    assert_non_null(r);
    assert_false(regex_find(r, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
                            &found, 0, NULL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    regex_free(r);
}

static void
test_long_text_that_needs_much_stack_still_matches(void **state)
{
    struct error err = {0};
    bool found = false;
    size_t n = 100000;
    char *text = malloc(n);
    struct regex *r = regex_new(STR("^(?:a|b|ab)*$"), false, &err);

    (void)state;
    assert_non_null(text);
    assert_non_null(r);
    for (size_t i = 0; i < n; i++)
        text[i] = "ab"[i % 2];
    if (!regex_find(r, (struct str){text, n}, &found, 0, NULL, &err))
        fail_msg("%s", err.message);
    assert_true(found);
    free(text);
    regex_free(r);
}

static void
test_no_memory_is_an_error(void **state)
{
    struct error err = {0};
    bool found;
    struct regex *r = regex_new(STR("a"), false, &err);

    (void)state;
    mem_fault_arm(1, false);
    assert_false(regex_find(r, STR("a"), &found, 0, NULL, &err));
    mem_fault_arm(0, false);
    assert_int_equal(err.code, ERR_NOMEM);
    mem_fault_arm(1, false);
    assert_null(regex_new(STR("a"), false, &err));
    mem_fault_arm(0, false);
    regex_free(r);
}

/* As often as one likes with one piece of work, and as regex_find() says. */
static void
test_work_is_used_again_and_again(void **state)
{
    static const char *const texts[] = {"north-12", "", "12", "x", "9north"};
    static const bool want[] = {true, false, true, false, true};
    struct error err;
    struct regex *r = regex_new(STR("[0-9]+"), true, &err);
    struct regex_work *w = regex_work_new(r);

    (void)state;
    for (size_t i = 0; i < 20; i++) {
        bool found = !want[i % 5];

        assert_true(regex_test(r, w, str_of(texts[i % 5]), &found, &err));
        assert_int_equal(found, want[i % 5]);
    }
    regex_work_free(w);
    regex_free(r);
}

static void
expect_replaced(const char *pattern, const char *text, const char *to,
                const char *want)
{
    struct error err = {0};
    struct regex *r = regex_new(str_of(pattern), false, &err);
    struct buf out;

    assert_non_null(r);
    buf_init(&out);
    if (!regex_replace(r, str_of(text), str_of(to), 1000, &out, &err))
        fail_msg("%s: %s", pattern, err.message);
    assert_string_equal(out.data, want);
    buf_fini(&out);
    regex_free(r);
}

/* What re.sub() of Python 3.11 gives. */
static void
test_matches_are_replaced_as_python_does(void **state)
{
    (void)state;
    expect_replaced("x*", "abxd", "-", "-a-b--d-");
    expect_replaced("",
                    "\xc3\xbc"
                    "b",
                    "|", "|\xc3\xbc|b|");
    expect_replaced("^", "ab", "> ", "> ab");
    expect_replaced("$", "ab", "!", "ab!");
    expect_replaced("a|b", "abcab", "", "c");
    expect_replaced("(\\w+) (\\w+)", "one two three", "\\2 \\1",
                    "two one three");
    expect_replaced("(a)|(b)", "ab", "[\\1\\2]", "[a][b]");
    expect_replaced("(?<=a)b", "abb", "c", "acb");
    expect_replaced("\\d+", "no digits", "#", "no digits");
    expect_replaced("b", "", "c", "");
    expect_replaced("a",
                    "a\xff"
                    "a",
                    "b",
                    "b\xff"
                    "b");
    expect_replaced("a", "a", "x\\\\y\\", "x\\y\\");
}

static void
test_replacing_has_limits(void **state)
{
    struct error err = {0};
    struct regex *r = regex_new(STR("(a)"), false, &err);
    struct buf out;

    (void)state;
    buf_init(&out);
    assert_false(regex_replace(r, STR("a"), STR("\\2"), 9, &out, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(
        regex_replace(r, STR("aaaa"), STR("\\1\\1\\1"), 9, &out, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    mem_fault_arm(1, false);
    assert_false(regex_replace(r, STR("a"), STR("b"), 9, &out, &err));
    mem_fault_arm(0, false);
    assert_int_equal(err.code, ERR_NOMEM);
    buf_fini(&out);
    regex_free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pattern_matches_anywhere_unless_anchored),
        cmocka_unit_test(test_classes_know_unicode),
        cmocka_unit_test(test_bad_bytes_do_not_hide_the_text_around_them),
        cmocka_unit_test(test_group_returns_its_text),
        cmocka_unit_test(test_bad_pattern_names_the_character),
        cmocka_unit_test(test_deep_or_long_pattern_is_refused),
        cmocka_unit_test(test_catastrophic_pattern_ends_in_an_error),
        cmocka_unit_test(test_long_text_that_needs_much_stack_still_matches),
        cmocka_unit_test(test_no_memory_is_an_error),
        cmocka_unit_test(test_work_is_used_again_and_again),
        cmocka_unit_test(test_matches_are_replaced_as_python_does),
        cmocka_unit_test(test_replacing_has_limits),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
