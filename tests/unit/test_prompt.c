/* tests/unit/test_prompt.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/rng.h"
#include "ui/prompt.h"

static enum prompt_state
type(const char *notation)
{
    enum prompt_state state = PROMPT_TYPING;
    uint32_t keys[64];
    int n = input_parse_keys(notation, keys, 64);

    assert_true(n >= 0);
    for (int i = 0; i < n && state == PROMPT_TYPING; i++)
        state = prompt_key(
            &(struct input_event){.kind = INPUT_KEY, .key = keys[i]});
    return state;
}

static void
test_text_is_edited_as_readline_does(void **state)
{
    (void)state;
    prompt_begin("price", NULL);
    assert_int_equal(type(" > 50<C-a>not <C-e>0"), PROMPT_TYPING);
    assert_string_equal(prompt_text(), "not price > 500");
    type("<C-w><C-w>");
    assert_string_equal(prompt_text(), "not price ");
    type("<C-u>東京ü<BS><Left><Del>");
    assert_string_equal(prompt_text(), "東");
}

static void
test_accepted_text_can_still_be_read(void **state)
{
    (void)state;
    prompt_begin("", NULL);
    assert_int_equal(type("abc<Left>x<Enter>"), PROMPT_ACCEPTED);
    assert_string_equal(prompt_text(), "abxc");
    assert_int_equal(prompt_point(), 4);
}

static void
test_escape_and_its_kin_cancel(void **state)
{
    static const char *const keys[] = {"abc<Esc>", "abc<C-g>", "abc<C-c>",
                                       "a<BS><BS>"};

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        prompt_begin("", NULL);
        assert_int_equal(type(keys[i]), PROMPT_CANCELLED);
    }
}

static void
test_end_of_file_key_ends_nothing(void **state)
{
    (void)state;
    prompt_begin("", NULL);
    assert_int_equal(type("<C-d>"), PROMPT_TYPING);
    type("ab<Left><C-d>");
    assert_string_equal(prompt_text(), "a");
}

static void
test_paste_is_one_line(void **state)
{
    (void)state;
    prompt_begin("", NULL);
    prompt_key(&(struct input_event){.kind = INPUT_PASTE,
                                     .text = STR("one\ntwo\tx\033[31m")});
    assert_string_equal(prompt_text(), "one two x [31m");
}

static void
test_word_is_replaced_by_its_completion(void **state)
{
    (void)state;
    prompt_begin("where ten", NULL);
    prompt_replace(6, "tenure");
    assert_string_equal(prompt_text(), "where tenure");
    assert_int_equal(prompt_point(), 12);
}

static void
test_former_answers_come_back_by_name(void **state)
{
    (void)state;
    prompt_begin("", "filter");
    type("a > 1<Enter>");
    prompt_remember();
    prompt_begin("", "search");
    type("other<Enter>");
    prompt_remember();
    prompt_begin("", "filter");
    type("<Up>");
    assert_string_equal(prompt_text(), "a > 1");
    prompt_begin("", "search");
    type("<Up>");
    assert_string_equal(prompt_text(), "other");
}

static void
test_long_text_scrolls_with_the_cursor(void **state)
{
    struct grid *g = grid_new(12, 1);
    struct canvas c = canvas_of(g);
    struct buf out;

    (void)state;
    buf_init(&out);
    prompt_begin("0123456789abcdef", NULL);
    prompt_draw(&c, 2, 0, ROLE_TEXT);
    grid_text(g, &out);
    assert_string_equal(out.data, "  789abcdef\n");
    assert_int_equal(g->cursor_x, 11);
    assert_true(g->cursor_shown);
    buf_fini(&out);
    grid_free(g);
}

/* A HOME of its own: the history file is real. */
static int
set_home(void **state)
{
    static char dir[] = "/tmp/lathe-prompt.XXXXXX";

    *state = mkdtemp(dir);
    return *state && setenv("XDG_STATE_HOME", dir, 1) == 0 ? 0 : -1;
}

/* A search or half a key sequence used to stay in readline, and the next
 * prompt's keys went there: to history that was freed. */
static void
test_a_search_ends_with_its_prompt(void **state)
{
    static const char *const pending[] = {"<C-r>a", "<C-s>", "<C-x>", "<A-5>",
                                          "<C-]>",  "<C-q>", "<A-p>a"};

    (void)state;
    for (size_t i = 0; i < sizeof pending / sizeof *pending; i++) {
        prompt_begin("", "searched");
        assert_int_equal(type("ab<Enter>"), PROMPT_ACCEPTED);
        prompt_remember();
        prompt_begin("", "searched");
        type(pending[i]);
        assert_int_equal(type("<Esc>"), PROMPT_CANCELLED);
        prompt_begin("", "other");
        assert_int_equal(type("x<C-a>y"), PROMPT_TYPING);
        assert_string_equal(prompt_text(), "yx");
    }
}

/* LeakSanitizer looks at the end of this program. */
static void
test_edited_history_is_released(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        prompt_begin("", "filter");
        type("one<Enter>");
        prompt_remember();
        prompt_begin("", "filter");
        type("two<Up>xyz<C-w>ab<Up>c<Down>d<Esc>");
        prompt_begin("", "command");
        prompt_begin("", "filter");
        type("two<Up>edited");
        prompt_close();
        prompt_close();
        assert_string_equal(prompt_text(), "");
    }
}

static void
test_keys_in_any_order_do_no_harm(void **state)
{
    uint64_t n = 0;

    (void)state;
    prompt_begin("", NULL);
    for (unsigned i = 0; i < 30000; i++) {
        uint64_t r = rng_at(7, 1, n++);
        uint32_t key = (uint32_t)(32 + r % 95);
        enum prompt_state was;

        key |= r >> 8 & 1 ? (r >> 9 & 1 ? INPUT_ALT : INPUT_CTRL) : 0;
        key = (r >> 10) % 40 ? key : INPUT_ESC;
        was = prompt_key(&(struct input_event){.kind = INPUT_KEY, .key = key});
        assert_true(prompt_point() <= strlen(prompt_text()));
        if (was != PROMPT_TYPING)
            prompt_begin("a b", NULL);
        else if ((r >> 17) % 50 == 0)
            prompt_key(
                &(struct input_event){.kind = INPUT_PASTE, .text = STR("pq")});
    }
}

static int
remove_home(void **state)
{
    char *dir = file_join(*state, "lathe");
    char *file = file_join(dir, "history");

    prompt_close();
    unlink(file);
    rmdir(dir);
    rmdir(*state);
    free(file);
    free(dir);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_edited_as_readline_does),
        cmocka_unit_test(test_accepted_text_can_still_be_read),
        cmocka_unit_test(test_escape_and_its_kin_cancel),
        cmocka_unit_test(test_end_of_file_key_ends_nothing),
        cmocka_unit_test(test_paste_is_one_line),
        cmocka_unit_test(test_word_is_replaced_by_its_completion),
        cmocka_unit_test(test_former_answers_come_back_by_name),
        cmocka_unit_test(test_a_search_ends_with_its_prompt),
        cmocka_unit_test(test_edited_history_is_released),
        cmocka_unit_test(test_keys_in_any_order_do_no_harm),
        cmocka_unit_test(test_long_text_scrolls_with_the_cursor),
    };

    /* As term.c does, whatever the environment says. */
    setlocale(LC_CTYPE, "C.UTF-8");
    (void)cmocka_run_group_tests(tests, set_home, remove_home);
    return 0;
}
