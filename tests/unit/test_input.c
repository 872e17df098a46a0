/* tests/unit/test_input.c -- sequences as xterm's ctlseqs and the kitty
 * keyboard protocol name them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui/input.h"

/* Everything that bytes mean, keys in the notation, blanks between. */
static char *
read_all(const char *bytes, size_t chunk, bool flush)
{
    struct input_stream *in = input_new();
    struct input_event e;
    struct buf out;
    size_t n = strlen(bytes);

    buf_init(&out);
    for (size_t at = 0; at < n; at += chunk) {
        input_feed(in, bytes + at, n - at < chunk ? n - at : chunk);
        if (flush && at + chunk >= n)
            input_flush(in);
        while (input_next(in, &e)) {
            buf_puts(&out, out.len ? " " : "");
            if (e.kind == INPUT_KEY)
                input_key_name(e.key, &out);
            else if (e.kind == INPUT_PASTE)
                buf_printf(&out, "paste(%.*s)", (int)e.text.n, e.text.p);
            else if (e.kind == INPUT_MOUSE)
                buf_printf(&out, "mouse(%d,%d,%d)", (int)e.mouse, e.x, e.y);
            else if (e.kind == INPUT_FOCUS)
                buf_puts(&out, e.on ? "focus" : "blur");
            else if (e.kind == INPUT_STATUS)
                buf_puts(&out, "status");
            else
                buf_printf(&out, "colour(%d,%06x)", e.which, e.rgb);
        }
    }
    input_free(in);
    return buf_take(&out);
}

/* The meaning does not depend on how the bytes were cut. */
static void
means(const char *bytes, const char *want)
{
    for (size_t chunk = 1; chunk < 5; chunk++) {
        char *got = read_all(bytes, chunk, false);

        assert_string_equal(got, want);
        free(got);
    }
    char *got = read_all(bytes, 4096, false);

    assert_string_equal(got, want);
    free(got);
}

static void
test_characters_and_control_keys(void **state)
{
    (void)state;
    means("aZ\tü東\r\n\x7f\x17\x03",
          "a Z <Tab> ü 東 <Enter> <C-j> <BS> <C-w> <C-c>");
}

static void
test_arrows_in_both_modes(void **state)
{
    (void)state;
    means("\033[A\033OB\033[1;5C\033[1;2D", "<Up> <Down> <C-Right> <S-Left>");
}

static void
test_function_and_editing_keys(void **state)
{
    (void)state;
    means("\033OP\033[15~\033[24~\033[3~\033[5;3~\033[Z\033[[A",
          "<F1> <F5> <F12> <Del> <A-PgUp> <S-Tab> <F1>");
}

static void
test_csi_u_and_modify_other_keys(void **state)
{
    (void)state;
    means("\033[13;5u\033[13;2u\033[27;5;13~\033[97;5u\033[97;2u",
          "<C-Enter> <S-Enter> <C-Enter> <C-a> A");
}

static void
test_alt_is_an_escape_before(void **state)
{
    (void)state;
    means("\033x\033\r", "<A-x> <A-Enter>");
}

static void
test_paste_is_one_event_with_newlines(void **state)
{
    (void)state;
    means("a\033[200~x\033[Ay\rz\033[201~b", "a paste(x\033[Ay\nz) b");
}

static void
test_mouse_focus_and_status(void **state)
{
    (void)state;
    means("\033[<0;300;5M\033[<0;300;5m\033[<65;1;1M\033[I\033[O\033[0n",
          "mouse(0,299,4) mouse(1,299,4) mouse(4,0,0) focus blur status");
}

static void
test_background_colour_is_read(void **state)
{
    (void)state;
    means("\033]11;rgb:ffff/8080/0000\033\\\033]11;rgb:ff/00/80\a",
          "colour(11,ff8000) colour(11,ff0080)");
}

static void
test_unknown_sequences_are_swallowed_whole(void **state)
{
    (void)state;
    means("a\033[?62;22c\033[>1;2;3c\033P1+r544e\033\\\033_Gi=1;OK\033\\"
          "\033[999zb\033OzX",
          "a b X");
}

static void
test_lone_escape_is_a_key_after_a_while(void **state)
{
    struct input_stream *in = input_new();
    struct input_event e;
    char *got;

    (void)state;
    input_feed(in, "\033", 1);
    assert_false(input_next(in, &e));
    assert_true(input_waits(in));
    input_flush(in);
    assert_true(input_next(in, &e));
    assert_int_equal(e.key, INPUT_ESC);
    assert_false(input_waits(in));
    input_free(in);
    got = read_all("\033[", 9, true);
    assert_string_equal(got, "<A-[>");
    free(got);
    got = read_all("\033\033[A", 9, true);
    assert_string_equal(got, "<Esc> <Up>");
    free(got);
}

static void
test_terminfo_sequences_are_learnt(void **state)
{
    struct input_stream *in = input_new();
    struct input_event e;

    (void)state;
    input_learn(in, "\033[11^", INPUT_F1 | INPUT_CTRL);
    input_feed(in, "\033[11^x", 6);
    assert_true(input_next(in, &e));
    assert_int_equal(e.key, INPUT_F1 | INPUT_CTRL);
    assert_true(input_next(in, &e));
    assert_int_equal(e.key, 'x');
    input_free(in);
}

static void
test_notation_reads_back(void **state)
{
    static const char *const all[] = {"gg",        "<C-w>h",  "<Enter>",
                                      "<S-Tab>",   "<lt>",    "<A-Enter>",
                                      "<C-S-Up>x", "<Space>", "?"};
    uint32_t keys[4];

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct buf out;
        int n = input_parse_keys(all[i], keys, 4);

        assert_true(n > 0);
        buf_init(&out);
        for (int k = 0; k < n; k++)
            input_key_name(keys[k], &out);
        assert_string_equal(out.data, all[i]);
        buf_fini(&out);
    }
    assert_int_equal(input_parse_keys("<Nope>", keys, 4), -1);
    assert_int_equal(input_parse_keys("abcde", keys, 4), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters_and_control_keys),
        cmocka_unit_test(test_arrows_in_both_modes),
        cmocka_unit_test(test_function_and_editing_keys),
        cmocka_unit_test(test_csi_u_and_modify_other_keys),
        cmocka_unit_test(test_alt_is_an_escape_before),
        cmocka_unit_test(test_paste_is_one_event_with_newlines),
        cmocka_unit_test(test_mouse_focus_and_status),
        cmocka_unit_test(test_background_colour_is_read),
        cmocka_unit_test(test_unknown_sequences_are_swallowed_whole),
        cmocka_unit_test(test_lone_escape_is_a_key_after_a_while),
        cmocka_unit_test(test_terminfo_sequences_are_learnt),
        cmocka_unit_test(test_notation_reads_back),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
