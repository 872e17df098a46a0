/* tests/unit/test_palette.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui/frame.h"

static void
test_letters_must_come_in_order(void **state)
{
    (void)state;
    assert_true(chooser_score("Smoothing: more", "smo") > 0);
    assert_true(chooser_score("Smoothing: more", "SMR") > 0);
    assert_int_equal(chooser_score("Smoothing: more", "oms"), 0);
    assert_int_equal(chooser_score("", "a"), 0);
    assert_true(chooser_score("anything", "") > 0);
}

static void
better(const char *what, const char *first, const char *second)
{
    int a = chooser_score(first, what), b = chooser_score(second, what);

    if (a <= b)
        fail_msg("\"%s\": %s has %d, %s has %d", what, first, a, second, b);
}

static void
test_starts_of_words_count_more(void **state)
{
    (void)state;
    better("rp", "registry promote", "repair");
    better("theme", "Theme: next", "go to the media menu");
    better("q", "Quit", "Sequence");
    better("run", "runs ls", "return");
}

static void
test_short_texts_come_first(void **state)
{
    (void)state;
    better("log", "Log", "Log of everything that was said and done today");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters_must_come_in_order),
        cmocka_unit_test(test_starts_of_words_count_more),
        cmocka_unit_test(test_short_texts_come_first),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
