/* tests/unit/test_theme.c
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

#include "base/buf.h"
#include "ui/theme.h"

/* WCAG 2.1's own examples: black on white is 21:1, #767676 on white 4.54:1,
 * #0000ff on white 8.59:1. */
static void
test_contrast_is_that_of_wcag(void **state)
{
    (void)state;
    assert_true(fabs(theme_contrast(0, 15) - 21.0) < 1e-9);
    assert_true(fabs(theme_contrast(THEME_RGB | 0x767676, 15) - 4.54) < 0.005);
    assert_true(fabs(theme_contrast(THEME_RGB | 0x0000ff, 15) - 8.59) < 0.005);
}

static void
test_palette_is_that_of_xterm(void **state)
{
    (void)state;
    assert_int_equal(theme_rgb(75), 0x5fafff);
    assert_int_equal(theme_rgb(208), 0xff8700);
    assert_int_equal(theme_rgb(232), 0x080808);
    assert_int_equal(theme_rgb(255), 0xeeeeee);
}

static void
test_default_sets_every_role(void **state)
{
    struct theme t;

    (void)state;
    theme_default(&t);
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        assert_string_not_equal(theme_role_name(i), "?");
        assert_int_equal(theme_role_find(theme_role_name(i)), i);
        assert_true(t.role[i].fg >= THEME_DEFAULT);
    }
}

static void
test_rule_sets_colours_and_attributes(void **state)
{
    static const char text[] =
        "accent = #ff8000/23 bold under\nmatch=brightred\n"
        "mono.match = rev bold\n8.accent = 3\n";
    struct theme t;
    struct buf warnings;

    (void)state;
    buf_init(&warnings);
    theme_default(&t);
    theme_parse(&t, text, strlen(text), &warnings);
    assert_int_equal(warnings.len, 0);
    assert_int_equal(t.role[ROLE_ACCENT].fg, THEME_RGB | 0xff8000);
    assert_int_equal(t.role[ROLE_ACCENT].bg, 23);
    assert_int_equal(t.role[ROLE_ACCENT].attrs, THEME_BOLD | THEME_UNDER);
    assert_int_equal(t.role[ROLE_MATCH].fg, 9);
    assert_int_equal(t.mono[ROLE_MATCH], THEME_REV | THEME_BOLD);
    assert_int_equal(theme_look(&t, ROLE_ACCENT, ROLE_TEXT, 8).fg, 3);
    buf_fini(&warnings);
}

static void
test_unknown_words_warn_with_their_line(void **state)
{
    static const char text[] = "# a comment\ntxet = 3\ntext = purpleish\n"
                               "dim = 240 blinking\nnonsense\n";
    struct theme t;
    struct buf w;

    (void)state;
    buf_init(&w);
    theme_default(&t);
    theme_parse(&t, text, strlen(text), &w);
    assert_non_null(strstr(w.data, "line 2: unknown role \"txet\""));
    assert_non_null(strstr(w.data, "line 3: unknown colour \"purpleish\""));
    assert_non_null(strstr(w.data, "line 4: unknown attribute \"blinking\""));
    assert_non_null(strstr(w.data, "line 5:"));
    assert_int_equal(t.role[ROLE_DIM].fg, 240);
    buf_fini(&w);
}

static void
test_looks_stay_within_the_colours_there_are(void **state)
{
    static const int sizes[] = {256, 16, 8};
    char **names;
    size_t n = theme_list(&names);

    (void)state;
    assert_true(n >= 5);
    for (size_t i = 0; i < n; i++) {
        struct theme t;
        struct error err;

        assert_true(theme_load(&t, names[i], NULL, &err));
        for (size_t k = 0; k < 3; k++) {
            for (unsigned r = 0; r < ROLE_COUNT; r++) {
                struct look l = theme_look(&t, r, ROLE_TEXT, sizes[k]);

                assert_in_range(l.fg + 1, 0, sizes[k]);
                assert_in_range(l.bg + 1, 0, sizes[k]);
                if (l.fg >= 0)
                    assert_int_not_equal(l.fg, l.bg);
            }
        }
        free(names[i]);
    }
    free(names);
}

static void
test_without_colour_only_attributes_are_left(void **state)
{
    struct theme t;

    (void)state;
    theme_default(&t);
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        struct look l = theme_look(&t, r, ROLE_TEXT, 0);

        assert_int_equal(l.fg, THEME_DEFAULT);
        assert_int_equal(l.bg, THEME_DEFAULT);
    }
    assert_int_equal(theme_look(&t, ROLE_SELECT, ROLE_TEXT, 0).attrs,
                     THEME_REV);
}

/* Text reaches 4.5:1, lines and borders of charts 3:1, the contrast theme 7:1
 * in all that is read, at 256 colours. */
static void
check_contrast(const char *name, double text, double line)
{
    struct theme t;
    struct error err;
    struct buf w;

    buf_init(&w);
    if (!theme_load(&t, name, &w, &err))
        fail_msg("%s: %s", name, err.message);
    assert_string_equal(w.data, "");
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        struct look l = theme_look(&t, r, ROLE_TEXT, 256);
        int32_t bg = l.bg >= 0 ? l.bg : t.background;
        bool heat = r >= ROLE_HEAT_0 && r < ROLE_HEAT_0 + THEME_HEAT;
        bool faint = r == ROLE_GRID || r == ROLE_BORDER;
        double want = faint ? 1.8 : r >= ROLE_SERIES_0 ? line : text;

        if (heat || l.fg < 0)
            continue;
        if (theme_contrast(l.fg, bg) < want)
            fail_msg("%s: %s has %.2f, want %.2f", name, theme_role_name(r),
                     theme_contrast(l.fg, bg), want);
    }
    buf_fini(&w);
}

static void
test_dark_can_be_read(void **state)
{
    (void)state;
    check_contrast("dark", 4.5, 4.5);
}

static void
test_light_can_be_read(void **state)
{
    (void)state;
    check_contrast("light", 4.5, 4.5);
}

static void
test_contrast_has_seven_to_one(void **state)
{
    (void)state;
    check_contrast("contrast", 7, 7);
}

static void
test_sol_can_be_read(void **state)
{
    (void)state;
    check_contrast("sol", 4, 4);
}

/* The built-in look is used before any file is read: it must be the file's. */
static void
test_builtin_is_the_dark_theme(void **state)
{
    struct theme builtin, file;
    struct error err;

    (void)state;
    theme_default(&builtin);
    assert_true(theme_load(&file, "dark", NULL, &err));
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        assert_int_equal(builtin.role[i].fg, file.role[i].fg);
        assert_int_equal(builtin.role[i].bg, file.role[i].bg);
        assert_int_equal(builtin.role[i].attrs, file.role[i].attrs);
    }
    assert_memory_equal(builtin.mono, file.mono, sizeof file.mono);
    assert_memory_equal(builtin.dash, file.dash, sizeof file.dash);
}

static void
test_missing_theme_names_those_there_are(void **state)
{
    struct theme t;
    struct error err;

    (void)state;
    assert_false(theme_load(&t, "../../etc/passwd", NULL, &err));
    assert_false(theme_load(&t, "nosuch", NULL, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_non_null(strstr(err.message, "dark"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contrast_is_that_of_wcag),
        cmocka_unit_test(test_palette_is_that_of_xterm),
        cmocka_unit_test(test_default_sets_every_role),
        cmocka_unit_test(test_rule_sets_colours_and_attributes),
        cmocka_unit_test(test_unknown_words_warn_with_their_line),
        cmocka_unit_test(test_looks_stay_within_the_colours_there_are),
        cmocka_unit_test(test_without_colour_only_attributes_are_left),
        cmocka_unit_test(test_dark_can_be_read),
        cmocka_unit_test(test_light_can_be_read),
        cmocka_unit_test(test_contrast_has_seven_to_one),
        cmocka_unit_test(test_sol_can_be_read),
        cmocka_unit_test(test_builtin_is_the_dark_theme),
        cmocka_unit_test(test_missing_theme_names_those_there_are),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
