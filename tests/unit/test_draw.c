/* tests/unit/test_draw.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui/draw.h"

static void
expect(const struct grid *g, const char *want)
{
    struct buf out;

    buf_init(&out);
    grid_text(g, &out);
    assert_string_equal(out.data, want);
    buf_fini(&out);
}

static void
test_text_is_cut_at_the_edge(void **state)
{
    struct grid *g = grid_new(6, 2);
    struct canvas c = canvas_of(g);

    (void)state;
    draw_text(&c, 3, 0, ROLE_TEXT, "abcdef");
    draw_text(&c, -2, 1, ROLE_TEXT, "abcdef");
    draw_text(&c, 0, 2, ROLE_TEXT, "outside");
    expect(g, "   abc\ncdef\n");
    grid_free(g);
}

static void
test_part_of_a_canvas_cannot_leave_it(void **state)
{
    struct grid *g = grid_new(6, 3);
    struct canvas c = canvas_of(g);
    struct canvas sub = canvas_sub(&c, (struct rect){2, 1, 2, 1});

    (void)state;
    draw_fill(&sub, (struct rect){-5, -5, 20, 20}, ROLE_TEXT, '#');
    draw_text(&sub, 0, 0, ROLE_TEXT, "wxyz");
    expect(g, "\n  wx\n\n");
    grid_free(g);
}

static void
test_wide_text_takes_two_cells(void **state)
{
    struct grid *g = grid_new(6, 3);
    struct canvas c = canvas_of(g);

    (void)state;
    assert_int_equal(draw_text(&c, 0, 0, ROLE_TEXT, "東京|"), 5);
    /* Half of a wide character is a blank, at the edge and when overwritten. */
    draw_text(&c, 5, 1, ROLE_TEXT, "東");
    draw_text(&c, 0, 2, ROLE_TEXT, "東京");
    draw_text(&c, 1, 2, ROLE_TEXT, "x");
    expect(g, "東京|\n\n x京\n");
    grid_free(g);
}

static void
test_combining_mark_joins_its_letter(void **state)
{
    struct grid *g = grid_new(4, 1);
    struct canvas c = canvas_of(g);

    (void)state;
    assert_int_equal(draw_text(&c, 0, 0, ROLE_TEXT, "e\u0301x"), 2);
    expect(g, "e\u0301x\n");
    grid_free(g);
}

static void
test_control_characters_are_not_sent_on(void **state)
{
    struct grid *g = grid_new(8, 1);
    struct canvas c = canvas_of(g);

    (void)state;
    draw_text(&c, 0, 0, ROLE_TEXT, "a\033[2Jb\xff");
    expect(g, "a·[2Jb\ufffd\n");
    grid_free(g);
}

static void
test_fit_pads_and_cuts_with_an_ellipsis(void **state)
{
    struct grid *g = grid_new(8, 4);
    struct canvas c = canvas_of(g);

    (void)state;
    draw_fit(&c, 0, 0, 5, ROLE_TEXT, DRAW_LEFT, STR("abcdefg"));
    draw_fit(&c, 0, 1, 5, ROLE_TEXT, DRAW_RIGHT, STR("12"));
    draw_fit(&c, 0, 2, 5, ROLE_TEXT, DRAW_CENTRE, STR("x"));
    draw_fit(&c, 0, 3, 4, ROLE_TEXT, DRAW_LEFT, STR("東京都"));
    expect(g, "abcd…\n   12\n  x\n東…\n");
    grid_free(g);
}

static void
test_wrap_breaks_at_blanks(void **state)
{
    struct grid *g = grid_new(8, 4);
    struct canvas c = canvas_of(g);
    struct str s = STR("one two three\nfour");

    (void)state;
    assert_int_equal(draw_wrap_height(s, 8), 3);
    assert_int_equal(draw_wrap(&c, (struct rect){0, 0, 8, 4}, ROLE_TEXT, s), 3);
    expect(g, "one two\nthree\nfour\n\n");
    grid_free(g);
}

static void
test_rule_and_box_hold_their_titles(void **state)
{
    struct grid *g = grid_new(16, 4);
    struct canvas c = canvas_of(g);

    (void)state;
    draw_rule(&c, 0, ROLE_BORDER, "Runs", "3");
    draw_box(&c, (struct rect){0, 1, 12, 3}, ROLE_BORDER, "title", NULL);
    expect(g, "─ Runs ───── 3 ─\n"
              "┌─ title ──┐\n"
              "│          │\n"
              "└──────────┘\n");
    grid_free(g);
}

static void
test_progress_and_sparkline(void **state)
{
    static const double v[] = {0, 1, NAN, 2, 7};
    struct grid *g = grid_new(8, 3);
    struct canvas c = canvas_of(g);

    (void)state;
    draw_progress(&c, 0, 0, 8, ROLE_OK, 0.5);
    draw_spark(&c, 0, 1, 8, ROLE_OK, v, 5, 0, 0);
    draw_hbar(&c, 0, 2, 8, ROLE_OK, 0.5 + 1.0 / 64);
    expect(g, "▓▓▓▓░░░░\n▁▂ ▃█\n████▏\n");
    grid_free(g);
}

/* U+2801 is the upper left dot, U+2880 the lower right one. */
static void
test_dots_join_in_braille_and_leave_text_alone(void **state)
{
    struct grid *g = grid_new(3, 1);
    struct canvas c = canvas_of(g);

    (void)state;
    draw_dot(&c, 0, 0, ROLE_SERIES_0);
    draw_dot(&c, 1, 3, ROLE_SERIES_0);
    draw_text(&c, 1, 0, ROLE_TEXT, "x");
    draw_dot(&c, 2, 0, ROLE_SERIES_0);
    draw_dots_line(&c, 4, 0, 4, 3, ROLE_SERIES_0, DASH_SOLID, NULL);
    expect(g, "⢁x⡇\n");
    grid_free(g);
}

static void
test_without_utf8_everything_becomes_ascii(void **state)
{
    (void)state;
    for (uint32_t cp = 0x80; cp < 0x3000; cp++)
        assert_in_range(draw_fold(cp, DRAW_BRAILLE, false), ' ', '~');
    assert_int_equal(draw_fold(0x2500, DRAW_ASCII, true), '-');
    assert_int_equal(draw_fold(0x25b8, DRAW_ASCII, true), '>');
    assert_int_equal(draw_fold(0x6771, DRAW_ASCII, true), 0x6771);
    assert_int_equal(draw_fold(0x28ff, DRAW_BLOCK, true), 0x2588);
}

static void
test_rectangles_are_cut_whole(void **state)
{
    struct rect r = {0, 0, 10, 5};
    struct rect left = rect_left(&r, 4), low = rect_bottom(&r, 9);

    (void)state;
    assert_int_equal(left.w, 4);
    assert_int_equal(low.h, 5);
    assert_int_equal(low.x, 4);
    assert_int_equal(r.h, 0);
}

static unsigned
count_dots(uint32_t cp)
{
    return cp == ' ' ? 0 : (unsigned)__builtin_popcount(cp & 0xff);
}

/* Whichever way it goes, a line keeps some of its dots and loses others; one
 * that is solid, and a letter on it, stay. */
static void
test_lines_of_every_slope_are_dashed(void **state)
{
    static const int way[][2] = {{1, 0}, {0, 1}, {1, 1}, {1, -1}};

    (void)state;
    assert_int_equal(draw_dashed('a', DASH_DOT, 3, 4), 'a');
    assert_int_equal(draw_dashed(0x28ff, DASH_SOLID, 3, 4), 0x28ff);
    for (unsigned dash = DASH_DASH; dash <= DASH_DASHDOT; dash++)
        for (size_t k = 0; k < 4; k++) {
            struct grid *g = grid_new(20, 20);
            struct canvas c = canvas_of(g);
            unsigned left = 0;

            for (int i = 0; i < 40; i++)
                draw_dot(&c, way[k][0] ? i : 10,
                         way[k][1] < 0   ? 60 - i
                         : way[k][1] > 0 ? i
                                         : 10,
                         ROLE_SERIES_0);
            for (int y = 0; y < 20; y++)
                for (int x = 0; x < 20; x++)
                    left += count_dots(
                        draw_dashed(g->cells[y * 20 + x].ch[0], dash, x, y));
            assert_true(left >= 8 && left <= 32);
            grid_free(g);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_every_slope_are_dashed),
        cmocka_unit_test(test_text_is_cut_at_the_edge),
        cmocka_unit_test(test_part_of_a_canvas_cannot_leave_it),
        cmocka_unit_test(test_wide_text_takes_two_cells),
        cmocka_unit_test(test_combining_mark_joins_its_letter),
        cmocka_unit_test(test_control_characters_are_not_sent_on),
        cmocka_unit_test(test_fit_pads_and_cuts_with_an_ellipsis),
        cmocka_unit_test(test_wrap_breaks_at_blanks),
        cmocka_unit_test(test_rule_and_box_hold_their_titles),
        cmocka_unit_test(test_progress_and_sparkline),
        cmocka_unit_test(test_dots_join_in_braille_and_leave_text_alone),
        cmocka_unit_test(test_without_utf8_everything_becomes_ascii),
        cmocka_unit_test(test_rectangles_are_cut_whole),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
