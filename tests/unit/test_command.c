/* The command table: matching, parsing, help; gates.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/command.h"
#include "session/gate.h"
#include "session/listing.h"

static const struct arg args[] = {
    {"data", ARG_FILE, true, false, NULL, NULL, "a table"},
    {"more", ARG_TEXT, false, true, NULL, NULL, "the rest"},
    {"--target", ARG_COLUMN, true, false, NULL, NULL, "what to predict"},
    {"--rows", ARG_INT, false, false, "10", NULL, "how many"},
    {"--rate", ARG_FLOAT, false, false, "0.5", NULL, "how fast"},
    {"--kind", ARG_CHOICE, false, false, "a", "a|bc|d", "which"},
    {"--quiet", ARG_FLAG, false, false, NULL, NULL, "say nothing"},
    {"-p", ARG_TEXT, false, true, NULL, NULL, "NAME=VALUE"},
    {NULL, ARG_TEXT, false, false, NULL, NULL, NULL}};
static const struct command command = {
    "try it", "Try", "A paragraph.", "lathe try it x", CMD_SHELL, args, NULL};

static struct call *
parse(struct error *err, const char *const *argv)
{
    int n = 0;

    while (argv[n])
        n++;
    return call_parse(&command, n, argv, err);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
words_become_arguments(void **state)
{
    struct error err;
    struct call *c =
        parse(&err, WORDS("t.csv", "--target=y", "one", "--rows", "3", "-p",
                          "a=1", "-p", "b=--x", "--quiet", "--json", "--",
                          "--not-an-option"));

    (void)state;
    assert_non_null(c);
    assert_string_equal(call_text(c, "data"), "t.csv");
    assert_string_equal(call_text(c, "target"), "y");
    assert_int_equal(call_int(c, "--rows"), 3);
    assert_true(call_float(c, "rate") == 0.5);
    assert_string_equal(call_text(c, "kind"), "a");
    assert_true(call_flag(c, "quiet"));
    assert_true(call_json(c));
    assert_false(call_plain(c));
    assert_int_equal(call_count(c, "p"), 2);
    assert_string_equal(call_nth(c, "p", 1), "b=--x");
    assert_int_equal(call_count(c, "more"), 2);
    assert_string_equal(call_nth(c, "more", 1), "--not-an-option");
    assert_null(call_nth(c, "more", 2));
    call_free(c);
}

static void
wrong_words_are_named(void **state)
{
    static const struct {
        const char *words[8];
        const char *want;
    } cases[] = {
        {{"t.csv"}, "try it: --target is missing"},
        {{"t.csv", "-n", "3"}, "try it: no option '-n', did you mean '--rows'"},
        {{"--target", "y"}, "try it: DATA is missing"},
        {{"t.csv", "--target"}, "try it: --target needs a value"},
        {{"t.csv", "--targt", "y"},
         "try it: no option '--targt', did you mean '--target'?"},
        {{"t.csv", "--rows", "x"},
         "try it: --rows is 'x', expected a whole number"},
        {{"t.csv", "--rate", "fast"},
         "try it: --rate is 'fast', expected a number"},
        {{"t.csv", "--kind", "b"}, "try it: --kind is 'b', expected a|bc|d"},
        {{"t.csv", "--quiet=maybe"},
         "try it: --quiet is 'maybe', expected true or false"},
        {{"t.csv", "--rows", "1", "--rows", "2"},
         "try it: --rows was given twice"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {ERR_NONE, ""};

        assert_null(parse(&err, cases[i].words));
        assert_int_equal(err.code, ERR_USAGE);
        if (!strstr(err.message, cases[i].want))
            fail_msg("got '%s', want '%s'", err.message, cases[i].want);
    }
}

static void
help_needs_nothing_else(void **state)
{
    struct error err;
    struct call *c = parse(&err, WORDS("--help"));
    struct buf out;

    (void)state;
    assert_non_null(c);
    assert_true(call_help(c));
    buf_init(&out);
    command_usage(call_command(c), &out);
    assert_string_equal(
        out.data,
        "usage: lathe try it DATA [MORE]... --target COLUMN [--rows N] "
        "[--rate X]\n"
        "             [--kind a|bc|d] [--quiet] [-p TEXT]...\n\n"
        "Try\n\nA paragraph.\n\n"
        "  DATA             a table\n"
        "  MORE             the rest\n"
        "  --target COLUMN  what to predict\n"
        "  --rows N         how many (default 10)\n"
        "  --rate X         how fast (default 0.5)\n"
        "  --kind a|bc|d    which (default a)\n"
        "  --quiet          say nothing\n"
        "  -p TEXT          NAME=VALUE\n"
        "  --json           print JSON\n"
        "  --plain          plain words: no colour, no drawing\n"
        "  --help           this text\n\n"
        "example:\n  lathe try it x\n");
    buf_fini(&out);
    call_free(c);
}

static void
the_longest_name_is_matched(void **state)
{
    struct error err;
    int used;

    (void)state;
    assert_string_equal(
        command_match(3, WORDS("runs", "ls", "x"), &used, &err)->name,
        "runs ls");
    assert_int_equal(used, 2);
    assert_null(command_match(1, WORDS("runs"), &used, &err));
    assert_string_equal(err.message,
                        "runs needs one of: diff, export, ls, rm, show");
    assert_null(command_match(2, WORDS("registry", "promot"), &used, &err));
    assert_string_equal(err.message, "no command 'registry promot', did you "
                                     "mean 'registry promote'?");
    assert_null(command_match(1, WORDS("tarin"), &used, &err));
    assert_string_equal(err.message,
                        "no command 'tarin', did you mean 'train'?");
    assert_null(command_match(1, WORDS("describe"), &used, &err));
    assert_string_equal(err.message,
                        "no command 'describe', did you mean 'profile'?");
}

static void
the_table_is_sorted_and_whole(void **state)
{
    const struct command *table;
    size_t n;

    (void)state;
    table = command_table(&n);
    for (size_t i = 0; i < n; i++) {
        const struct command *c = &table[i];
        const struct arg *a;
        size_t n_args = 0;

        if (i > 0)
            assert_true(strcmp(table[i - 1].name, c->name) < 0);
        assert_non_null(c->summary);
        assert_non_null(c->run);
        assert_non_null(c->example);
        for (; (a = command_arg(c, n_args)); n_args++) {
            assert_non_null(a->help);
            assert_true(a->kind != ARG_CHOICE || a->choices);
        }
        assert_true(n_args <= COMMAND_MAX_ARGS);
        assert_ptr_equal(command_find(c->name), c);
    }
}

/* ---- gates ---- */

static void
gates_are_conditions_over_metrics(void **state)
{
    static const char flat[] = "{\"auc\":0.84,\"logloss\":0.41,\"note\":\"x\"}";
    static const char nested[] =
        "{\"problem\":\"binary\",\"metrics\":{\"auc\":{\"value\":0.84}}}";
    struct error err;

    (void)state;
    assert_true(gate_check(flat, "auc >= 0.83 and logloss < 0.5", &err));
    assert_true(gate_check(nested, "auc >= 0.83", &err));
    assert_false(gate_check(flat, "auc >= 0.85", &err));
    assert_int_equal(err.code, ERR_GATE);
    assert_string_equal(err.message,
                        "gate 'auc >= 0.85' is not met: auc is 0.84");
    assert_false(gate_check(flat, "auk >= 0.85", &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_false(gate_check(flat, "test.auc >= 0.8", &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_string_equal(err.message,
                        "gate 'test.auc >= 0.8': no metric 'test.auc': in a "
                        "run it is called so, here 'auc'");
    assert_false(gate_check(flat, "auc + 1", &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_false(gate_check(flat, "auc >=", &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_false(gate_check("", "auc > 0", &err));
    assert_int_equal(err.code, ERR_GATE);
    assert_false(gate_check("[1]", "auc > 0", &err));
    assert_int_equal(err.code, ERR_TYPE);
}

/* ---- listings ---- */

static void
listings_line_up_and_are_cut_from_the_right(void **state)
{
    static const char *const titles[] = {"name", ">n", "text", NULL};
    struct listing *l = listing_new(titles);
    struct buf out;

    (void)state;
    listing_add(l, "東京");
    listing_add(l, "7");
    listing_add(l, "a long text");
    listing_add(l, "b");
    listing_addf(l, "%d", 1234);
    listing_add(l, "x\033[31my\n");
    buf_init(&out);
    listing_print(l, 0, &out);
    assert_string_equal(out.data, "name     n  text\n"
                                  "東京     7  a long text\n"
                                  "b     1234  x [31my \n");
    buf_clear(&out);
    listing_print(l, 19, &out);
    assert_string_equal(out.data, "name     n  text\n"
                                  "東京     7  a long…\n"
                                  "b     1234  x [31m…\n");
    buf_fini(&out);
    listing_free(l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_arguments),
        cmocka_unit_test(wrong_words_are_named),
        cmocka_unit_test(help_needs_nothing_else),
        cmocka_unit_test(the_longest_name_is_matched),
        cmocka_unit_test(the_table_is_sorted_and_whole),
        cmocka_unit_test(gates_are_conditions_over_metrics),
        cmocka_unit_test(listings_line_up_and_are_cut_from_the_right),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
