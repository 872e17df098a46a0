/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/editor.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/close.h"

static void
press(struct editor *e, uint32_t key)
{
    struct input_event ev = {.kind = INPUT_KEY, .key = key};

    assert_true(editor_key(e, &ev));
}

static void
type_text(struct editor *e, const char *text)
{
    for (; *text; text++)
        press(e, *text == '\n' ? INPUT_ENTER : (uint32_t)*text);
}

static void
holds(struct editor *e, const char *want)
{
    struct str s = editor_text(e);

    if (s.n != strlen(want) || memcmp(s.p, want, s.n) != 0)
        fail_msg("text is:\n%.*s\nwant:\n%s", (int)s.n, s.p, want);
}

static void
test_blocks_indent_as_they_are_typed(void **state)
{
    struct editor *e = editor_new("", 0, true);

    (void)state;
    type_text(e, "for i = 1, 3 do\nif x then\nf(i)\nelse\ng()\nend\nend\nh()");
    holds(e, "for i = 1, 3 do\n    if x then\n        f(i)\n    else\n"
             "        g()\n    end\nend\nh()");
    editor_free(e);
}

static void
test_undo_takes_back_a_word_at_a_time_and_redo_brings_it_again(void **state)
{
    struct editor *e = editor_new("", 0, true);

    (void)state;
    type_text(e, "local abc");
    assert_true(editor_undo(e));
    holds(e, "local ");
    assert_true(editor_redo(e));
    holds(e, "local abc");
    while (editor_undo(e))
        ;
    holds(e, "");
    assert_false(editor_undo(e));
    editor_free(e);
}

static void
test_the_cursor_moves_by_characters_not_bytes(void **state)
{
    struct editor *e = editor_new("a東京é\nx", 11, false);
    int line, column;

    (void)state;
    press(e, INPUT_END);
    editor_cursor(e, &line, &column);
    assert_int_equal(column, 6);
    press(e, INPUT_LEFT);
    press(e, INPUT_BACKSPACE);
    holds(e, "a東é\nx");
    press(e, INPUT_DOWN);
    press(e, INPUT_UP);
    editor_cursor(e, &line, &column);
    assert_int_equal(line, 0);
    assert_int_equal(column, 3);
    editor_free(e);
}

static void
test_backspace_in_the_indentation_goes_back_one_step(void **state)
{
    struct editor *e = editor_new("        x", 9, true);

    (void)state;
    editor_set_at(e, 8);
    press(e, INPUT_BACKSPACE);
    holds(e, "    x");
    press(e, INPUT_BACKSPACE);
    holds(e, "x");
    editor_free(e);
}

static void
roles_of(const char *text, const char *want)
{
    size_t n = strlen(text);
    uint8_t *role = malloc(n + 1);
    static const char signs[ROLE_COUNT + 1] = {
        [ROLE_TEXT] = '.',     [ROLE_CODE_KEY] = 'k', [ROLE_CODE_STR] = 's',
        [ROLE_CODE_NUM] = 'n', [ROLE_CODE_COM] = 'c', [ROLE_CODE_NAME] = 'f'};

    assert_non_null(role);
    lua_colours((struct str){text, n}, role);
    for (size_t i = 0; i < n; i++)
        if (signs[role[i]] != want[i])
            fail_msg("byte %zu of '%s' is %c, want %c", i, text, signs[role[i]],
                     want[i]);
    free(role);
}

static void
test_lua_is_coloured_by_its_lexical_rules(void **state)
{
    (void)state;
    roles_of("local x = 1.5e-3 -- n", "kkkkk.....nnnnnn.cccc");
    roles_of("f('a\\'b')", "f.ssssss.");
    roles_of("[==[ ]] ]==]end", "sssssssssssskkk");
    roles_of("--[[ a\nb ]]x", "ccccccccccc.");
    roles_of("\"open", "sssss");
    roles_of("lathe.read(d)", "fffff.ffff...");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_indent_as_they_are_typed),
        cmocka_unit_test(
            test_undo_takes_back_a_word_at_a_time_and_redo_brings_it_again),
        cmocka_unit_test(test_the_cursor_moves_by_characters_not_bytes),
        cmocka_unit_test(test_backspace_in_the_indentation_goes_back_one_step),
        cmocka_unit_test(test_lua_is_coloured_by_its_lexical_rules),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
