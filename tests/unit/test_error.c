/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "tests/lib/close.h"

static void
test_prefix_comes_before_what_was_there(void **state)
{
    struct error err;

    (void)state;
    assert_false(error_set(&err, ERR_PARSE, "4 fields, expected %d", 5));
    assert_false(error_prefix(&err, "%s: line %d: ", "sales.csv", 812));
    assert_string_equal(err.message,
                        "sales.csv: line 812: 4 fields, expected 5");
    assert_int_equal(err.code, ERR_PARSE);
}

static void
test_errno_chooses_the_code_and_says_why(void **state)
{
    struct error err;

    (void)state;
    error_errno(&err, ENOENT, "%s", "a.csv");
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_string_equal(err.message, "a.csv: No such file or directory");
    error_errno(&err, EACCES, "b");
    assert_int_equal(err.code, ERR_IO);
}

static void
test_a_message_too_long_is_cut_between_characters(void **state)
{
    char text[3 * ERROR_MESSAGE_MAX];
    struct error err;

    (void)state;
    /* 東 is three bytes: for any offset the cut must not split one. */
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe6\x9d\xb1", 4);
        error_lines(&err, ERR_IO, "%s", text);
        assert_true(str_utf8_valid(str_of(err.message)));
        assert_true(strlen(err.message) > ERROR_MESSAGE_MAX / 2);
        error_set(&err, ERR_IO, "%s", text);
        assert_true(str_utf8_valid(str_of(err.message)));
        assert_true(strlen(err.message) < 256);
    }
}

static void
test_what_stands_behind_a_long_name_is_still_said(void **state)
{
    char name[5000];
    struct error err;

    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    error_set(&err, ERR_NOTFOUND, "no column %s: see lathe columns", name);
    assert_non_null(strstr(err.message, "...nnn"));
    assert_non_null(strstr(err.message, "n: see lathe columns"));
    assert_true(strlen(err.message) < 300);
}

static void
test_control_bytes_of_foreign_text_are_written_out(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERR_PARSE, "no %s", "a\x1b[2Jb\nc\xc2\x9b\xff");
    assert_string_equal(err.message, "no a\\x1b[2Jb\\nc\\u009b\\xff");
    error_lines(&err, ERR_PARSE, "%s", "one\n\ttwo\r");
    assert_string_equal(err.message, "one\n\ttwo\\r");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefix_comes_before_what_was_there),
        cmocka_unit_test(test_errno_chooses_the_code_and_says_why),
        cmocka_unit_test(test_a_message_too_long_is_cut_between_characters),
        cmocka_unit_test(test_what_stands_behind_a_long_name_is_still_said),
        cmocka_unit_test(test_control_bytes_of_foreign_text_are_written_out),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
