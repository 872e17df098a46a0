/* Chunks, their values, and how they are stopped.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "script/kernel.h"
#include "session/task.h"
#include "tests/lib/close.h"
#include "tests/lib/scratch.h"

struct fixture {
    struct pool *pool;
    struct loop *loop;
    struct session *session;
    struct kernel *kernel;
    struct buf out;   /* the text of all outputs */
    struct buf kinds; /* a digit for each */
    char dir[SCRATCH_PATH];
    unsigned turns;   /* of the ticking timer */
    int64_t asked_us; /* when the interrupt was asked for */
    unsigned after;   /* ticks before it is */
};

static void
keep_output(void *ctx, const struct output *o)
{
    struct fixture *f = ctx;

    buf_puts(&f->out, o->text);
    buf_printf(&f->kinds, "%d", (int)o->kind);
}

static int
open_kernel(void **state)
{
    struct fixture *f = mem_new(sizeof *f);
    struct error err;

    if (!scratch_make(f->dir))
        return -1;
    f->pool = pool_new(2);
    f->loop = loop_new();
    f->session = session_new(f->pool, f->loop);
    f->kernel = kernel_new(f->session, &err);
    buf_init(&f->out);
    buf_init(&f->kinds);
    *state = f;
    return f->kernel ? 0 : -1;
}

static int
close_kernel(void **state)
{
    struct fixture *f = *state;

    kernel_free(f->kernel);
    session_free(f->session);
    loop_free(f->loop);
    pool_free(f->pool);
    buf_fini(&f->out);
    buf_fini(&f->kinds);
    scratch_remove(f->dir);
    free(f);
    return 0;
}

static bool
run(struct fixture *f, const char *code, struct error *err)
{
    const struct kernel_events events = {keep_output, f};

    buf_clear(&f->out);
    buf_clear(&f->kinds);
    return kernel_run(f->kernel, str_of(code), "t.lua [1]", 1, &events, err);
}

static void
assert_shows(struct fixture *f, const char *code, const char *want)
{
    struct error err;

    if (!run(f, code, &err))
        fail_msg("%s: %s", code, err.message);
    assert_string_equal(f->out.data, want);
}

static void
assert_fails(struct fixture *f, const char *code, const char *want)
{
    struct error err;

    if (run(f, code, &err))
        fail_msg("%s: passed", code);
    if (!strstr(err.message, want))
        fail_msg("%s: got '%s', want '%s'", code, err.message, want);
}

/* ---- values ---- */

static void
the_last_expression_is_the_value(void **state)
{
    struct fixture *f = *state;

    assert_shows(f, "1 + 1", "2\n");
    assert_shows(f, "x = 3\nx * 2", "6\n");
    assert_shows(f, "x = 3\n-- a note\nx", "3\n");
    assert_shows(f, "local t = {\n  1,\n  2\n}\n#t", "2\n");
    assert_shows(f, "a = 1; a + 1", "2\n");
    assert_shows(f, "('x'):rep(\n  3\n)", "xxx\n");
    assert_shows(f, "1, 'two', nil", "1\ttwo\tnil\n");
    assert_shows(f, "nil", "nil\n");
}

static void
statements_have_no_value(void **state)
{
    struct fixture *f = *state;

    assert_shows(f, "x = 3", "");
    assert_shows(f, "x = 5\n- 2", "");
    assert_shows(f, "x", "3\n");
    assert_shows(f, "for i = 1, 3 do\n  tostring(i)\nend", "");
    assert_shows(f, "if x then\n  tostring(x)\nend", "");
    assert_shows(f, "local function f()\n  return 3\nend", "");
    assert_shows(f, "tostring(x);", "");
    assert_shows(f, "print('a')", "a\n");
    assert_shows(f, "", "");
    assert_shows(f, "-- only words", "");
}

static void
a_call_that_goes_on_in_the_next_line_is_one_call(void **state)
{
    struct fixture *f = *state;

    assert_shows(f,
                 "id = function(x) return x end\n"
                 "y = id\n"
                 "('z')",
                 "");
    assert_shows(f, "y", "z\n");
}

static void
tables_show_what_they_hold(void **state)
{
    struct fixture *f = *state;

    assert_shows(f, "{ 1, 2, b = 'x', a = true }",
                 "{ 1, 2, a = true, b = \"x\" }\n");
    assert_shows(f, "{}", "{}\n");
    assert_shows(f, "{ ['a b'] = { 1 } }", "{ [\"a b\"] = { 1 } }\n");
    assert_shows(f, "t = {} t.t = t return t",
                 "{ t = { t = { t = { t = {...} } } } }\n");
}

static void
errors_name_file_and_line(void **state)
{
    struct fixture *f = *state;

    assert_fails(f, "x = {}\nx.y.z = 2", "t.lua:2: attempt to index a nil");
    assert_int_equal(kernel_error_line(f->kernel), 2);
    assert_fails(f, "x = = 1", "t.lua:1: unexpected symbol near '='");
    assert_fails(f, "error({ code = 2 })", "{ code = 2 }");
    assert_fails(f,
                 "local function g() error('deep') end\n"
                 "local function h() g() end\nh()",
                 "t.lua:1: deep");
    assert_non_null(strstr(f->out.data, "\n  t.lua:1: in upvalue 'g'\n"));
}

static void
a_first_line_is_counted_from_the_file(void **state)
{
    struct fixture *f = *state;
    struct error err;

    assert_false(
        kernel_run(f->kernel, STR("error('x')"), "nb.lua [3]", 41, NULL, &err));
    assert_string_equal(err.message, "nb.lua:41: x");
    assert_int_equal(kernel_error_line(f->kernel), 41);
}

static void
coroutines_work_as_lua_s_own(void **state)
{
    struct fixture *f = *state;

    assert_shows(f,
                 "co = coroutine.wrap(function(a) local b = "
                 "coroutine.yield(a + 1) return b * 2 end)\n"
                 "co(1), co(21)",
                 "2\t42\n");
    assert_shows(f,
                 "coroutine.resume(coroutine.create(function() "
                 "error('e', 0) end))",
                 "false\te\n");
    assert_shows(f,
                 "c = coroutine.create(function() pcall(function() "
                 "coroutine.yield(7) end) return 8 end)\n"
                 "select(2, coroutine.resume(c)), "
                 "select(2, coroutine.resume(c))",
                 "7\t8\n");
    assert_shows(f, "pcall(coroutine.wrap(function() error({}) end))",
                 "false\n{}\n");
    assert_fails(f, "coroutine.wrap(function() error('inside', 0) end)()",
                 "inside");
    assert_shows(f,
                 "closed = nil\n"
                 "c = coroutine.create(function() local x <close> = "
                 "setmetatable({}, {__close = function() closed = true "
                 "end}) coroutine.yield() end)\n"
                 "coroutine.resume(c) coroutine.close(c)\n"
                 "closed, coroutine.status(c)",
                 "true\tdead\n");
    assert_shows(f, "coroutine.resume(coroutine.running())",
                 "false\tcannot resume non-suspended coroutine\n");
    assert_shows(f, "pcall(error, 'm')", "false\tm\n");
    assert_shows(f, "xpcall(function(a, b) return a, b end, print, 1, 2)",
                 "true\t1\t2\n");
    assert_shows(f, "xpcall(error, function(m) return m .. '!' end, 'x')",
                 "false\tx!\n");
}

/* ---- interrupts ---- */

static void
count_turn(void *ctx, int events)
{
    struct fixture *f = ctx;

    (void)events;
    f->turns++;
    if (f->turns == f->after) {
        f->asked_us = loop_now_us();
        kernel_interrupt(f->kernel);
    }
}

/* Each must leave the loop turning while it runs, and stop within 100 ms of
 * the interrupt. */
static void
every_running_chunk_turns_the_loop_and_stops(void **state)
{
    static const char *const cases[] = {
        "while true do end",
        "for i = 1, math.huge do end",
        "::a:: goto a",
        "table.sort({3, 1, 2}, function(a, b) while true do end end)",
        "local t = {} for i = 1, 5e6 do t[i] = -i end "
        "table.sort(t, function(a, b) return a < b end)",
        "return (('x'):gsub('x', function() while true do end end))",
        "return setmetatable({}, {__index = function() while true do end "
        "end}).x",
        "while true do pcall(function() while true do end end) end",
        "xpcall(error, function() while true do end end)",
        "local x <close> = setmetatable({}, {__close = function() while true "
        "do end end}) error 'q'",
        "local function f() while true do pcall(f) end end f()",
        "coroutine.wrap(function() while true do end end)()",
        "coroutine.wrap(function() coroutine.wrap(function() while true do "
        "end end)() end)()",
        "while true do coroutine.resume(coroutine.create(function() while "
        "true do end end)) end",
        "local g = coroutine.wrap(function() local i = 0 while true do i = i "
        "+ 1 coroutine.yield(i) end end) while true do g() end",
        "coroutine.wrap(function() while true do pcall(function() while true "
        "do end end) end end)()",
        "for i = 1, 1e9 do local c = coroutine.wrap(function() return 1 end) "
        "c() end",
        /* And some of our own. */
        "coroutine.wrap(function() local x <close> = setmetatable({}, "
        "{__close = function() while true do end end}) while true do end "
        "end)()",
        "local c = coroutine.create(function() while true do end end) "
        "while true do coroutine.resume(c) coroutine.close(c) end",
        "while true do load(function() while true do end end) end",
        "while true do pcall(coroutine.wrap(function() while true do end "
        "end)) end",
        "local t = setmetatable({}, {__close = function() while true do end "
        "end}) while true do local a <close> = t local b <close> = t end",
        "while true do xpcall(function() while true do end end, function() "
        "while true do end end) end",
        "return tostring(setmetatable({}, {__tostring = function() while true "
        "do end end}))",
        "return setmetatable({}, {__tostring = function() while true do end "
        "end})",
        "while true do select('#', pcall(string.gsub, 'x', 'x', function() "
        "while true do end end)) end",
    };
    struct fixture *f = *state;

    SKIP_UNDER_TSAN();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct loop_watch *w = loop_timer(f->loop, 5, true, count_turn, f);
        struct error err = {ERR_NONE, ""};
        bool ok;
        int64_t took_ms;

        f->turns = 0;
        f->after = 8;
        ok = run(f, cases[i], &err);
        took_ms = (loop_now_us() - f->asked_us) / 1000;
        loop_remove(w);
        if (ok || err.code != ERR_CANCELLED)
            fail_msg("%s: %s", cases[i], ok ? "passed" : err.message);
        if (f->turns < f->after)
            fail_msg("%s: the loop did not turn", cases[i]);
        if (took_ms > 100)
            fail_msg("%s: stopped after %d ms", cases[i], (int)took_ms);
        /* The next chunk knows nothing of it. */
        assert_shows(f, "pcall(function() return 1 end)", "true\t1\n");
    }
}

static void
what_could_not_be_stopped_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_fails(f,
                 "setmetatable({}, {__gc = function() while true do end "
                 "end})",
                 "a __gc written in Lua is refused");
    assert_fails(f, "debug.sethook(function() end)", "attempt to call a nil");
    assert_fails(f, "string.rep('x', 1e12)", "resulting string too large");
    assert_fails(f, "string.rep('x', 2^31 - 1)", "not enough memory");
    assert_fails(f, "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e7) end",
                 "not enough memory");
    assert_fails(f, "getmetatable(io.open('/dev/null')).__gc = print",
                 "attempt to index a boolean");
    assert_fails(f, "os.exit()", "would end the workbench");
    assert_fails(f, "os.execute('true')", "would freeze the screen");
    assert_fails(f, "io.read()", "standard input belongs");
    assert_fails(f, "require('socket.core')", "module 'socket.core' not found");
    assert_shows(f, "1", "1\n");
}

/* Arming the hook visits every frame: 200,000 of them once took longer than
 * a tick, so that nothing but ticks ran. */
static void
a_runaway_recursion_is_told_as_one(void **state)
{
    assert_fails(*state, "local function f() return 1 + f() end return f()",
                 "stack overflow");
}

static const char *said;

static void
hear(void *ctx, const char *line)
{
    struct buf *b = ctx;

    buf_puts(b, line);
    said = b->data;
}

/* A pattern without a match takes the square of the text's length, in one C
 * call that no hook can stop: longer and longer texts, until it took long
 * enough to be noticed. */
static void
the_watchdog_speaks_of_a_long_c_call(void **state)
{
    struct fixture *f = *state;
    struct error err;
    struct buf line;

    SKIP_UNDER_TSAN();
    buf_init(&line);
    kernel_watchdog(f->kernel, hear, -1, &line);
    said = NULL;
    assert_true(run(f,
                    "local took, n = 0, 40000\n"
                    "while took < 1.3 do\n"
                    "  local text, began = ('a'):rep(n), os.clock()\n"
                    "  text:find('.-b')\n"
                    "  took, n = os.clock() - began, n * 5 // 4\n"
                    "end",
                    &err));
    kernel_watchdog(f->kernel, NULL, -1, NULL);
    assert_non_null(said);
    assert_string_equal(line.data,
                        "t.lua [1] is inside a C call: it cannot be "
                        "interrupted; Ctrl-C three times ends lathe, "
                        "finished work is saved");
    buf_fini(&line);
}

/* A fit inside a cell is a task; an interrupt ends it, and the run keeps what
 * was finished. */
static void
stop_when_a_task_runs(void *ctx, int events)
{
    struct fixture *f = ctx;
    struct task_view v;

    (void)events;
    if (task_list(f->session, &v, 1) && v.state == TASK_RUNNING && v.done > 2)
        kernel_interrupt(f->kernel);
}

static void
an_interrupt_ends_a_fit_and_keeps_its_trees(void **state)
{
    struct fixture *f = *state;
    struct loop_watch *w;
    struct error err;

    SKIP_UNDER_TSAN();
    assert_shows(f,
                 "local x, y = {}, {}\n"
                 "for i = 1, 3000 do x[i] = i * 7919 % 3001 / 3001\n"
                 "  y[i] = math.sin(9 * x[i]) end\n"
                 "t = lathe.frame { x = x, y = y }",
                 "");
    w = loop_timer(f->loop, 5, true, stop_when_a_task_runs, f);
    assert_false(run(f,
                     "lathe.gbdt { trees = 100000 }:fit(t, 'y', "
                     "{ patience = 0, name = 'long' })",
                     &err));
    loop_remove(w);
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_non_null(strstr(f->out.data, "keeps what was finished"));
    assert_shows(f, "lathe.run('long').state", "cancelled\n");
    assert_shows(f, "#lathe.load('runs:/long'):predict(t)", "3000\n");
    assert_shows(f, "t = nil", "");
}

/* ---- what the loop calls ---- */

static void
look_inside(void *ctx, int events)
{
    struct fixture *f = ctx;
    struct variable *v;
    struct buf text;
    struct error err;
    size_t n = kernel_variables(f->kernel, &v);

    (void)events;
    buf_init(&text);
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].name, "slow") == 0)
            assert_string_equal(v[i].text, "it took longer than 100 ms");
    assert_string_equal(v[n - 1].name, "y");
    variables_free(v, n);
    assert_false(
        kernel_eval(f->kernel, STR("while true do end"), "key", NULL, &err));
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_true(kernel_eval(f->kernel, STR("6 * 7"), "key", &text, &err));
    assert_string_equal(text.data, "42");
    assert_false(kernel_run(f->kernel, STR("1"), "x", 1, NULL, &err));
    assert_int_equal(err.code, ERR_STATE);
    buf_fini(&text);
    kernel_interrupt(f->kernel);
}

static void
the_loop_may_run_lua_inside_a_running_cell(void **state)
{
    struct fixture *f = *state;
    struct error err;

    SKIP_UNDER_TSAN();
    loop_timer(f->loop, 10, false, look_inside, f);
    assert_false(run(f,
                     "slow = setmetatable({}, {__tostring = function() "
                     "while true do end end})\nwhile true do end",
                     &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_shows(f, "slow = nil", "");
}

static void
globals_keep_their_type(void **state)
{
    struct fixture *f = *state;
    struct error err;

    assert_shows(f, "n, s, b = 1, 'x', true", "");
    assert_true(kernel_set_global(f->kernel, "n", STR("2.5"), &err));
    assert_true(kernel_set_global(f->kernel, "s", STR("7"), &err));
    assert_true(kernel_set_global(f->kernel, "b", STR("false"), &err));
    assert_false(kernel_set_global(f->kernel, "n", STR("many"), &err));
    assert_string_equal(err.message, "n is 'many', expected a number");
    assert_shows(f, "n, s .. 1, b", "2.5\t71\tfalse\n");
    assert_shows(f, "n, s, b = nil", "");
}

static void
assert_completes(struct fixture *f, const char *line, const char *want)
{
    char **words;
    size_t begin, n;
    struct buf got;

    n = kernel_complete(f->kernel, str_of(line), strlen(line), &begin, &words);
    buf_init(&got);
    for (size_t i = 0; i < n; i++) {
        buf_printf(&got, "%s%s", i ? " " : "", words[i]);
        free(words[i]);
    }
    free(words);
    assert_string_equal(got.data, want);
    buf_fini(&got);
}

static void
names_are_completed(void **state)
{
    struct fixture *f = *state;

    assert_shows(f, "config = { rate = 1, rows = { 1 } }", "");
    assert_completes(f, "x = conf", "config");
    assert_completes(f, "config.r", "rate rows");
    assert_completes(f, "math.flo", "floor(");
    assert_completes(f, "whi", "while");
    assert_completes(f, "nothing.such", "");
    assert_shows(f, "config = nil", "");
}

static void
unfinished_input_wants_more(void **state)
{
    struct fixture *f = *state;
    struct error err;

    assert_int_equal(kernel_check(f->kernel, STR("for i = 1, 2 do"), &err),
                     CHUNK_MORE);
    assert_int_equal(kernel_check(f->kernel, STR("x ="), &err), CHUNK_MORE);
    assert_int_equal(kernel_check(f->kernel, STR("f("), &err), CHUNK_MORE);
    assert_int_equal(kernel_check(f->kernel, STR("1 +"), &err), CHUNK_MORE);
    assert_int_equal(kernel_check(f->kernel, STR("1 + 1"), &err), CHUNK_WHOLE);
    assert_int_equal(kernel_check(f->kernel, STR("x = )"), &err), CHUNK_WRONG);
}

/* A mapped table whose file is cut reads as zeros from then on: no cell that
 * still has it ends well. */
static void
a_table_whose_file_was_cut_fails_the_cells_that_have_it(void **state)
{
    static const size_t left[] = {4096, 0}; /* 0: within the last page */
    struct fixture *f = *state;
    char *path = file_join(f->dir, "cut.arrow"), code[1024];

    for (size_t i = 0; i < 2; i++) {
        struct stat st;
        off_t len;

        snprintf(code, sizeof code,
                 "local t = {} for i = 1, 5000 do t[i] = i + 0.5 end "
                 "lathe.frame({x = t}):write('%s') cut = lathe.read('%s')",
                 path, path);
        assert_shows(f, code, "");
        assert_int_equal(stat(path, &st), 0);
        len = left[i] ? (off_t)left[i] : st.st_size - 8;
        assert_int_equal(truncate(path, len), 0);
        if (i == 0)
            assert_fails(f, "cut:describe()", "cut.arrow: it became shorter");
        assert_fails(f, "1 + 1", "cut.arrow: it became shorter");
        /* What no one has any more harms no one. */
        assert_shows(f, "cut = nil return 1 + 1", "2\n");
        assert_shows(f, "2", "2\n");
    }
    free(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_table_whose_file_was_cut_fails_the_cells_that_have_it),
        cmocka_unit_test(the_last_expression_is_the_value),
        cmocka_unit_test(statements_have_no_value),
        cmocka_unit_test(a_call_that_goes_on_in_the_next_line_is_one_call),
        cmocka_unit_test(tables_show_what_they_hold),
        cmocka_unit_test(errors_name_file_and_line),
        cmocka_unit_test(a_first_line_is_counted_from_the_file),
        cmocka_unit_test(coroutines_work_as_lua_s_own),
        cmocka_unit_test(every_running_chunk_turns_the_loop_and_stops),
        cmocka_unit_test(what_could_not_be_stopped_is_refused),
        cmocka_unit_test(a_runaway_recursion_is_told_as_one),
        cmocka_unit_test(the_watchdog_speaks_of_a_long_c_call),
        cmocka_unit_test(an_interrupt_ends_a_fit_and_keeps_its_trees),
        cmocka_unit_test(the_loop_may_run_lua_inside_a_running_cell),
        cmocka_unit_test(globals_keep_their_type),
        cmocka_unit_test(names_are_completed),
        cmocka_unit_test(unfinished_input_wants_more),
    };

    (void)cmocka_run_group_tests(tests, open_kernel, close_kernel);
    return 0;
}
