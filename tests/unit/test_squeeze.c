/* tests/unit/test_squeeze.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui/squeeze.h"

static void
becomes(const char *from, const char *want)
{
    struct buf b;

    buf_init(&b);
    buf_puts(&b, from);
    squeeze_sgr(&b);
    assert_string_equal(b.data, want);
    buf_fini(&b);
}

static void
test_neighbouring_colours_are_one_sequence(void **state)
{
    (void)state;
    becomes("a\033(B\033[0;1m\033[38;5;75mb", "a\033[0;1;38;5;75mb");
    becomes("\033[97m\033[48;5;24mx", "\033[97;48;5;24mx");
}

static void
test_what_a_reset_undoes_is_left_out(void **state)
{
    (void)state;
    becomes("\033[39m\033(B\033[mx", "\033[mx");
    becomes("\033[39;49m\033[0;7mx", "\033[0;7mx");
    becomes("\033[1m\033[m\033[38;5;3mx", "\033[;38;5;3mx");
}

static void
test_other_sequences_stay(void **state)
{
    (void)state;
    becomes("\033[2J\033[1;2H\033[?25l\033]2;t\a\033[K",
            "\033[2J\033[1;2H\033[?25l\033]2;t\a\033[K");
    becomes("\033[1mx\033[m", "\033[1mx\033[m");
    becomes("\033", "\033");
    becomes("x\033[38;5", "x\033[38;5");
    becomes("", "");
}

static struct glyph
glyph(char ch, unsigned style)
{
    return (struct glyph){{(uint32_t)ch, 0, 0},
                          (uint8_t)style,
                          ROLE_TEXT,
                          (uint8_t)(style >> 8),
                          1};
}

static void
test_blank_between_words_takes_their_style(void **state)
{
    struct glyph row[3] = {glyph('a', ROLE_ACCENT), glyph(' ', ROLE_DIM),
                           glyph('b', ROLE_ACCENT)};
    struct theme t;

    (void)state;
    theme_default(&t);
    squeeze_blanks(row, 3, &t, 256);
    assert_int_equal(row[1].role, ROLE_ACCENT);
}

static void
test_blank_elsewhere_is_plain(void **state)
{
    struct glyph row[3] = {glyph('a', ROLE_ACCENT), glyph(' ', ROLE_ACCENT),
                           glyph(' ', ROLE_ERROR)};
    struct theme t;

    (void)state;
    theme_default(&t);
    squeeze_blanks(row, 3, &t, 256);
    assert_int_equal(row[1].role, ROLE_TEXT);
    assert_int_equal(row[2].role, ROLE_TEXT);
}

/* A blank that shows a background or a line is no blank. */
static void
test_blank_that_can_be_seen_stays(void **state)
{
    struct glyph row[3] = {glyph('a', ROLE_TEXT), glyph(' ', ROLE_SELECT),
                           glyph(' ', ROLE_TEXT | DRAW_UNDER)};
    struct theme t;

    (void)state;
    theme_default(&t);
    squeeze_blanks(row, 3, &t, 256);
    assert_int_equal(row[1].role, ROLE_SELECT);
    assert_int_equal(row[2].attrs, THEME_UNDER);
    squeeze_blanks(row, 3, &t, 0);
    assert_int_equal(row[1].role, ROLE_SELECT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_neighbouring_colours_are_one_sequence),
        cmocka_unit_test(test_what_a_reset_undoes_is_left_out),
        cmocka_unit_test(test_other_sequences_stay),
        cmocka_unit_test(test_blank_between_words_takes_their_style),
        cmocka_unit_test(test_blank_elsewhere_is_plain),
        cmocka_unit_test(test_blank_that_can_be_seen_stays),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
