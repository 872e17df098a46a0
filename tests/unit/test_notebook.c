/* Cells, undo, the queue, outputs on disk.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "script/notebook.h"
#include "script/percent.h"
#include "tests/lib/close.h"
#include "tests/lib/scratch.h"

struct fixture {
    struct pool *pool;
    struct loop *loop;
    struct session *session;
    struct kernel *kernel;
    struct notebook *notebook;
    char dir[SCRATCH_PATH];
    struct buf said;
};

static int
open_all(void **state)
{
    struct fixture *f = mem_new(sizeof *f);
    struct error err;

    if (!scratch_make(f->dir) || chdir(f->dir) != 0)
        return -1;
    f->pool = pool_new(2);
    f->loop = loop_new();
    f->session = session_new(f->pool, f->loop);
    f->kernel = kernel_new(f->session, &err);
    buf_init(&f->said);
    *state = f;
    return f->kernel ? 0 : -1;
}

static int
close_all(void **state)
{
    struct fixture *f = *state;
    notebook_free(f->notebook);
    kernel_free(f->kernel);
    session_free(f->session);
    loop_free(f->loop);
    pool_free(f->pool);
    buf_fini(&f->said);
    assert_int_equal(chdir("/"), 0);
    scratch_remove(f->dir);
    free(f);
    return 0;
}

static const char story[] = "#!/usr/bin/env lathe\n"
                            "-- a story\n"
                            "\n"
                            "-- %% [markdown]\n"
                            "-- # Title\n"
                            "--\n"
                            "-- Words.\n"
                            "\n"
                            "-- %% tags=[\"parameters\"]\n"
                            "rate, rows = 0.5, 10\n"
                            "name = \"x\"\n"
                            "\n"
                            "\n"
                            "-- %% Compute it\n"
                            "y = rate * rows\n"
                            "y\n"
                            "-- %%\n"
                            "print(name)\n"
                            "print(y)   \n";

static void
open_text(struct fixture *f, const char *text)
{
    struct error err;

    notebook_free(f->notebook);
    if (!file_replace("nb.lua", text, strlen(text), 0644, &err) ||
        !(f->notebook = notebook_open(f->kernel, "nb.lua", &err)))
        fail_msg("%s", err.message);
}

static void
wait_for(struct fixture *f)
{
    while (notebook_busy(f->notebook))
        loop_turn(f->loop, -1);
}

static void
assert_saved_as(struct fixture *f, const char *want)
{
    struct error err;
    struct buf b;

    buf_init(&b);
    assert_true(notebook_save(f->notebook, &err));
    assert_true(file_read("nb.lua", 1 << 20, &b, &err));
    assert_string_equal(b.data, want);
    buf_fini(&b);
}

/* ---- the format ---- */

static void
cells_are_told_apart(void **state)
{
    struct fixture *f = *state;
    const struct cell *c;

    open_text(f, story);
    assert_int_equal(notebook_cells(f->notebook), 4);
    c = notebook_cell(f->notebook, 0);
    assert_int_equal(c->kind, CELL_TEXT);
    assert_string_equal(c->source, "# Title\n\nWords.");
    c = notebook_cell(f->notebook, 1);
    assert_true(c->parameters);
    assert_string_equal(c->title, "");
    assert_int_equal(c->first_line, 10);
    c = notebook_cell(f->notebook, 2);
    assert_string_equal(c->title, "Compute it");
    assert_string_equal(c->source, "y = rate * rows\ny");
    assert_int_equal(c->first_line, 15);
    assert_string_equal(notebook_cell(f->notebook, 3)->source,
                        "print(name)\nprint(y)   ");
}

/* How many cells Lua's own reading of the text leaves: a marker that Lua takes
 * for a part of a string or comment is none. */
static void
a_marker_in_a_long_string_or_comment_starts_no_cell(void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {
        {"-- %%\na = [[\n-- %%\n]]\n-- %%\nb = 1\n", 2},
        {"-- %%\n--[[\n-- %%\nb = 1\n]]\n", 1},
        {"-- %%\na = [==[\n]]\n-- %%\n]=]\n]==] b = 2\n-- %%\n", 2},
        {"-- %%\n--[=[ x ]=] a = [[\n-- %% [markdown]\n]]\n", 1},
        {"-- %%\na = 'x\\\n-- %%\ny'\n-- %%\n", 2},
        /* What looks like a bracket and opens nothing. */
        {"-- %%\na = '[['\n-- %%\nb = \"]]\"\n", 2},
        {"-- %%\n-- [[\n-- %%\n-- ]]\n", 2},
        {"-- %%\n-- x --[[\n-- %%\n-- ]]\n", 2},
        {"-- %%\na[b[1]] = [=\n-- %%\n]]\n", 2},
        {"-- %%\na = '\\'[['\n-- %%\n]]\n", 2},
        /* Never closed: each cell is still one. */
        {"-- %%\na = [[\n-- %%\n]\n-- %%\n]=]\n", 3},
        {"-- %%\n--[==[\n-- %%\n]=]\n", 2},
        {"-- %%\na = 'it\n-- %%\nb = 1\n", 2},
        {"-- %%\na = 'x\\", 1},
        {"-- %%\na = ]]\n-- %% [", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cell_texts t;
        struct buf out;

        percent_parse(str_of(cases[i].text), &t);
        if (t.n != cases[i].n)
            fail_msg("%zu cells, expected %zu, in:\n%s", t.n, cases[i].n,
                     cases[i].text);
        buf_init(&out);
        percent_write(&t, &out);
        assert_string_equal(out.data, cases[i].text);
        buf_fini(&out);
        cell_texts_fini(&t);
    }
}

static void
what_is_not_edited_is_written_byte_for_byte(void **state)
{
    static const char *const files[] = {
        story,
        "",
        "x = 1",
        "x = 1\n",
        "\n\n",
        "-- %%\n",
        "-- %%",
        "-- %%\n\n\n-- %%\nx",
        "-- only a comment\n",
        "--%%\nx = 1\n",
        "-- %% [markdown] Title\n--no blank\n  not a comment\n",
        "x = 1\r\n-- %%\r\ny = 2\r\n\r\n",
        "-- %% a [b] c\nx\n  \n\t\n",
        "-- %%%% not a cell\nx = '-- %%'\n",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        open_text(f, files[i]);
        assert_false(notebook_modified(f->notebook));
        assert_saved_as(f, files[i]);
    }
}

static void
edits_change_their_cell_alone(void **state)
{
    struct fixture *f = *state;

    open_text(f, "-- %%\na\n\n\n-- %% [markdown]\n-- old\n\n-- %%\nb");
    assert_true(notebook_set_source(f->notebook, 0, "c", 1));
    assert_true(notebook_set_source(f->notebook, 1, "new\n\nlines", 10));
    assert_true(notebook_modified(f->notebook));
    assert_saved_as(f, "-- %%\nc\n\n\n-- %% [markdown]\n-- new\n--\n-- lines"
                       "\n\n-- %%\nb");
    assert_int_equal(notebook_insert(f->notebook, 3, CELL_CODE), 3);
    notebook_set_source(f->notebook, 3, "d", 1);
    assert_saved_as(f, "-- %%\nc\n\n\n-- %% [markdown]\n-- new\n--\n-- lines"
                       "\n\n-- %%\nb\n\n-- %%\nd\n\n");
}

static void
undo_goes_back_step_by_step_and_redo_forward(void **state)
{
    struct fixture *f = *state;

    open_text(f, "-- %%\na\n-- %%\nb\n-- %%\nc\n");
    notebook_set_source(f->notebook, 1, "B", 1);
    notebook_delete(f->notebook, 0);
    notebook_move(f->notebook, 0, 1);
    assert_string_equal(notebook_cell(f->notebook, 0)->source, "c");
    assert_true(notebook_undo(f->notebook));
    assert_string_equal(notebook_cell(f->notebook, 0)->source, "B");
    assert_true(notebook_undo(f->notebook));
    assert_true(notebook_undo(f->notebook));
    assert_false(notebook_undo(f->notebook));
    assert_false(notebook_modified(f->notebook));
    assert_true(notebook_redo(f->notebook));
    assert_string_equal(notebook_cell(f->notebook, 1)->source, "B");
    notebook_set_source(f->notebook, 2, "z", 1);
    assert_false(notebook_redo(f->notebook));
}

/* ---- running ---- */

static void
cells_run_in_order_and_keep_their_outputs(void **state)
{
    struct fixture *f = *state;
    const struct cell *c;

    open_text(f, story);
    notebook_run_all(f->notebook);
    assert_true(notebook_busy(f->notebook));
    wait_for(f);
    c = notebook_cell(f->notebook, 2);
    assert_int_equal(c->state, CELL_PASSED);
    assert_int_equal(c->order, 2);
    assert_int_equal(c->n_outputs, 1);
    assert_string_equal(c->output[0].text, "5.0\n");
    c = notebook_cell(f->notebook, 3);
    assert_int_equal(c->n_outputs, 1);
    assert_string_equal(c->output[0].text, "x\n5.0\n");

    /* They are there again at the next opening; an edited cell's are not. */
    f->notebook = (notebook_free(f->notebook), NULL);
    open_text(f, story);
    c = notebook_cell(f->notebook, 2);
    assert_int_equal(c->state, CELL_PASSED);
    assert_string_equal(c->output[0].text, "5.0\n");
    notebook_set_source(f->notebook, 2, "y", 1);
    assert_true(notebook_cell(f->notebook, 2)->stale);
    notebook_undo(f->notebook);
    assert_false(notebook_cell(f->notebook, 2)->stale);
}

static void
a_failure_names_its_line_and_empties_the_queue(void **state)
{
    struct fixture *f = *state;
    const struct cell *c;

    open_text(f, "-- %%\na = 1\n\n-- %%\nb = 2\nerror('no')\n\n-- %%\nc = 3\n");
    notebook_run_all(f->notebook);
    wait_for(f);
    c = notebook_cell(f->notebook, 1);
    assert_int_equal(c->state, CELL_FAILED);
    assert_string_equal(c->error.message, "nb.lua:6: no");
    assert_int_equal(c->error_line, 2);
    assert_int_equal(c->output[c->n_outputs - 1].kind, OUT_ERROR);
    assert_int_equal(notebook_cell(f->notebook, 2)->state, CELL_IDLE);
    assert_int_equal(notebook_cell(f->notebook, 2)->order, 0);
}

static void
a_cell_knows_which_one_it_lacks(void **state)
{
    struct fixture *f = *state;
    static const char *const without[] = {"-- %%\nlacked.x()",
                                          "-- %%\nlacked()",
                                          "-- %%\nreturn 1 + lacked",
                                          "-- %%\nmath.floor(lacked)",
                                          "-- %%\nfor i = 1, lacked do end",
                                          NULL};
    const char *name;
    size_t setter;
    char text[300];

    for (size_t i = 0; without[i]; i++) {
        snprintf(text, sizeof text,
                 "-- %%%%\nlacked = 1\n-- %%%%\nlocal t = {lacked = 2}\n%s",
                 without[i]);
        open_text(f, text);
        notebook_run(f->notebook, 2);
        wait_for(f);
        assert_true(notebook_wants(f->notebook, 2, &name, &setter));
        assert_string_equal(name, "lacked");
        assert_int_equal(setter, 0);
    }
    open_text(f, "-- %%\nfunction lacked() end\n-- %%\nlacked()");
    notebook_run(f->notebook, 1);
    wait_for(f);
    assert_true(notebook_wants(f->notebook, 1, &name, &setter));
    notebook_run(f->notebook, 0);
    wait_for(f);
    assert_false(notebook_wants(f->notebook, 1, &name, &setter));
    notebook_run(f->notebook, 1);
    wait_for(f);
    assert_int_equal(notebook_cell(f->notebook, 1)->state, CELL_PASSED);
}

static void
a_cell_that_fails_by_itself_lacks_none(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        /* a field or key of that name; one that is set below; another error;
         * a local one; what the cell above left nil when it ran */
        "-- %%\nunset = 1\n-- %%\nlocal t = {unset = 1}\nmath.floor(t.unset, "
        "math.floor(nil))",
        "-- %%\n-- %%\nunset()\n-- %%\nunset = 1",
        "-- %%\nunset = 1\n-- %%\nerror('unset')",
        "-- %%\nlocal function unset() end\n-- %%\nunset()", NULL};
    const char *name;
    size_t setter;

    for (size_t i = 0; texts[i]; i++) {
        open_text(f, texts[i]);
        notebook_run(f->notebook, 1);
        wait_for(f);
        assert_int_equal(notebook_cell(f->notebook, 1)->state, CELL_FAILED);
        assert_false(notebook_wants(f->notebook, 1, &name, &setter));
    }
    open_text(f, "-- %%\nunset = nil\n-- %%\nunset()");
    notebook_run_all(f->notebook);
    wait_for(f);
    assert_int_equal(notebook_cell(f->notebook, 1)->state, CELL_FAILED);
    assert_false(notebook_wants(f->notebook, 1, &name, &setter));
}

static void
interrupt(void *ctx, int events)
{
    struct fixture *f = ctx;

    (void)events;
    /* Edits while it runs must not pull anything from under it. */
    notebook_set_source(f->notebook, 0, "other", 5);
    notebook_delete(f->notebook, 0);
    notebook_interrupt(f->notebook);
}

static void
a_running_cell_may_be_edited_deleted_and_stopped(void **state)
{
    struct fixture *f = *state;

    SKIP_UNDER_TSAN();
    open_text(f, "-- %%\nwhile true do end\n-- %%\nb = 2\n");
    notebook_run_all(f->notebook);
    loop_timer(f->loop, 20, false, interrupt, f);
    wait_for(f);
    assert_int_equal(notebook_cells(f->notebook), 1);
    notebook_undo(f->notebook);
    assert_int_equal(notebook_cell(f->notebook, 0)->state, CELL_STOPPED);
    assert_true(notebook_cell(f->notebook, 0)->stale);
}

static void
close_it(void *ctx, int events)
{
    struct fixture *f = ctx;

    (void)events;
    notebook_free(f->notebook);
    f->notebook = NULL;
}

static void
closing_interrupts_what_runs(void **state)
{
    struct fixture *f = *state;

    SKIP_UNDER_TSAN();
    open_text(f, "while true do end\n");
    notebook_run(f->notebook, 0);
    loop_timer(f->loop, 20, false, close_it, f);
    while (f->notebook)
        loop_turn(f->loop, -1);
    assert_false(kernel_running(f->kernel));
}

static void
reloading_keeps_the_outputs_of_what_stayed(void **state)
{
    struct fixture *f = *state;
    static const char after[] = "-- %%\n'new'\n-- %%\n'b'\n-- %%\n'C'\n";
    struct error err;

    open_text(f, "-- %%\n'a'\n-- %%\n'b'\n-- %%\n'c'\n");
    notebook_run_all(f->notebook);
    wait_for(f);
    assert_true(file_replace("nb.lua", after, sizeof after - 1, 0644, &err));
    assert_true(notebook_reload(f->notebook, &err));
    assert_string_equal(notebook_cell(f->notebook, 1)->output[0].text, "b\n");
    assert_false(notebook_cell(f->notebook, 1)->stale);
    assert_true(notebook_cell(f->notebook, 2)->stale);
    assert_false(notebook_modified(f->notebook));
}

static void
saving_keeps_what_another_program_wrote(void **state)
{
    struct fixture *f = *state;
    static const char theirs[] = "-- %%\n'theirs'\n";
    struct error err;
    struct buf b;

    open_text(f, "-- %%\n'a'\n");
    assert_false(notebook_changed_outside(f->notebook));
    assert_true(notebook_save(f->notebook, &err));
    assert_false(notebook_changed_outside(f->notebook));
    assert_true(file_replace("nb.lua", theirs, sizeof theirs - 1, 0644, &err));
    assert_true(notebook_changed_outside(f->notebook));
    assert_true(notebook_set_source(f->notebook, 0, "'ours'", 6));
    assert_true(notebook_save(f->notebook, &err));
    assert_false(notebook_changed_outside(f->notebook));
    buf_init(&b);
    assert_true(file_read("nb.lua~", 1000, &b, &err));
    assert_string_equal(b.data, theirs);
    buf_clear(&b);
    assert_true(file_read("nb.lua", 1000, &b, &err));
    assert_non_null(strstr(b.data, "'ours'"));
    buf_fini(&b);
}

/* Twice over the same memory: for the leak checker. */
static void
a_cell_that_said_nothing_is_restored_twice(void **state)
{
    struct fixture *f = *state;
    struct error err;

    open_text(f, "-- %%\nx = 1\n");
    notebook_run_all(f->notebook);
    wait_for(f);
    notebook_free(f->notebook);
    f->notebook = notebook_open(f->kernel, "nb.lua", &err);
    assert_non_null(f->notebook);
    assert_int_equal(notebook_cell(f->notebook, 0)->state, CELL_PASSED);
    assert_true(notebook_reload(f->notebook, &err));
    assert_int_equal(notebook_cell(f->notebook, 0)->state, CELL_PASSED);
}

static void
parameters_replace_what_their_cell_sets(void **state)
{
    struct fixture *f = *state;
    struct error err;

    open_text(f, story);
    assert_true(notebook_parameter(f->notebook, "rows", "100", &err));
    assert_true(notebook_parameter(f->notebook, "name", "7", &err));
    assert_false(notebook_parameter(f->notebook, "row", "1", &err));
    assert_string_equal(err.message,
                        "no parameter 'row' (did you mean 'rows'?)");
    assert_int_equal(err.code, ERR_USAGE);
    assert_false(notebook_parameter(f->notebook, "unknown_thing", "1", &err));
    assert_string_equal(err.message, "no parameter 'unknown_thing', there "
                                     "are: rate, rows, name");
    notebook_run_all(f->notebook);
    wait_for(f);
    assert_string_equal(notebook_cell(f->notebook, 3)->output[0].text,
                        "7\n50.0\n");
    open_text(f, "x = 1\n");
    assert_false(notebook_parameter(f->notebook, "x", "2", &err));
    assert_non_null(strstr(err.message, "has no parameters"));
}

static void
a_wrong_parameter_fails_its_cell(void **state)
{
    struct fixture *f = *state;
    struct error err;

    open_text(f, story);
    assert_true(notebook_parameter(f->notebook, "rows", "many", &err));
    notebook_run_all(f->notebook);
    wait_for(f);
    assert_int_equal(notebook_cell(f->notebook, 1)->state, CELL_FAILED);
    assert_string_equal(notebook_cell(f->notebook, 1)->error.message,
                        "rows is 'many', expected a number");
}

static void
many_cells_and_many_lines_of_output_are_no_trouble(void **state)
{
    enum { CELLS = 5000 };
    struct fixture *f = *state;
    struct buf text, want;

    buf_init(&text);
    buf_init(&want);
    buf_puts(&text, "-- %%\nn = 0\n");
    for (int i = 1; i < CELLS; i++) /* every second one has twins */
        buf_printf(&text, "-- %%%%\nn = n + 1%s\n", i % 2 ? "" : " -- and on");
    buf_puts(&text, "-- %%\nfor i = 1, 100000 do print(i) end\nn\n");
    open_text(f, text.data);
    assert_int_equal(notebook_cells(f->notebook), CELLS + 1);
    notebook_keep(f->notebook, false);
    notebook_run_all(f->notebook);
    notebook_run_all(f->notebook); /* each waits once */
    wait_for(f);
    for (int i = 1; i <= 100000; i++)
        buf_printf(&want, "%d\n", i);
    buf_printf(&want, "%d\n", CELLS - 1);
    for (int i = 0; i < CELLS; i++)
        assert_int_equal(notebook_cell(f->notebook, i)->order, i + 1);
    const struct cell *last = notebook_cell(f->notebook, CELLS);
    struct buf got;

    buf_init(&got);
    for (size_t i = 0; i < last->n_outputs; i++)
        buf_puts(&got, last->output[i].text);
    assert_true(got.len == want.len && strcmp(got.data, want.data) == 0);
    buf_fini(&got);
    buf_fini(&want);
    buf_fini(&text);
}

static void
too_much_output_is_cut(void **state)
{
    struct fixture *f = *state;
    const struct cell *c;

    open_text(f, "for i = 1, 40 do print(('x'):rep(100000)) end\n");
    notebook_run_all(f->notebook);
    wait_for(f);
    c = notebook_cell(f->notebook, 0);
    assert_int_equal(c->n_outputs, 1);
    assert_true(strlen(c->output[0].text) < 1200000);
    assert_non_null(strstr(c->output[0].text, "the rest is left out"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_told_apart),
        cmocka_unit_test(a_marker_in_a_long_string_or_comment_starts_no_cell),
        cmocka_unit_test(what_is_not_edited_is_written_byte_for_byte),
        cmocka_unit_test(edits_change_their_cell_alone),
        cmocka_unit_test(undo_goes_back_step_by_step_and_redo_forward),
        cmocka_unit_test(cells_run_in_order_and_keep_their_outputs),
        cmocka_unit_test(a_failure_names_its_line_and_empties_the_queue),
        cmocka_unit_test(a_cell_knows_which_one_it_lacks),
        cmocka_unit_test(a_cell_that_fails_by_itself_lacks_none),
        cmocka_unit_test(a_running_cell_may_be_edited_deleted_and_stopped),
        cmocka_unit_test(closing_interrupts_what_runs),
        cmocka_unit_test(reloading_keeps_the_outputs_of_what_stayed),
        cmocka_unit_test(saving_keeps_what_another_program_wrote),
        cmocka_unit_test(a_cell_that_said_nothing_is_restored_twice),
        cmocka_unit_test(parameters_replace_what_their_cell_sets),
        cmocka_unit_test(a_wrong_parameter_fails_its_cell),
        cmocka_unit_test(many_cells_and_many_lines_of_output_are_no_trouble),
        cmocka_unit_test(too_much_output_is_cut),
    };

    (void)cmocka_run_group_tests(tests, open_all, close_all);
    return 0;
}
