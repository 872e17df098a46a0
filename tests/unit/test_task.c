/* Tasks: done exactly once, cancelled, listed; the session's messages.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/builder.h"
#include "frame/source.h"
#include "session/task.h"
#include "tests/lib/scratch.h"

struct fixture {
    struct pool *pool;
    struct loop *loop;
    struct session *session;
    char dir[SCRATCH_PATH];
    unsigned done, topics;
    bool ok;
    struct error err;
    const char *fail; /* what run() fails with; NULL: it passes */
};

static int
open_session(void **state)
{
    struct fixture *f = mem_new(sizeof *f);

    if (!scratch_make(f->dir))
        return -1;
    f->pool = pool_new(2);
    f->loop = loop_new();
    f->session = session_new(f->pool, f->loop);
    *state = f;
    return 0;
}

static int
close_session(void **state)
{
    struct fixture *f = *state;

    session_free(f->session);
    loop_free(f->loop);
    pool_free(f->pool);
    scratch_remove(f->dir);
    free(f);
    return 0;
}

static bool
run(struct task *t, void *ctx, struct error *err)
{
    struct fixture *f = ctx;

    progress_begin(task_progress(t), "working", 4);
    progress_set(task_progress(t), 3);
    task_log(t, "line %d", 1);
    return !f->fail || error_set(err, ERR_RANGE, "%s", f->fail);
}

static bool
run_for_ever(struct task *t, void *ctx, struct error *err)
{
    (void)ctx;
    while (task_sleep(t, -1))
        ;
    return progress_check(task_progress(t), err);
}

static void
done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct fixture *f = ctx;

    (void)t;
    f->done++;
    f->ok = ok;
    if (!ok)
        f->err = *err;
}

static void
a_task_ends_once_and_stays_listed(void **state)
{
    struct fixture *f = *state;
    struct task_spec spec = {
        .title = "count things", .run = run, .done = done, .ctx = f};
    struct task_view v[2];
    struct buf log;

    task_start(f->session, &spec);
    assert_int_equal(task_running(f->session), 1);
    while (!f->done)
        loop_turn(f->loop, -1);
    assert_int_equal(f->done, 1);
    assert_true(f->ok);
    assert_int_equal(task_running(f->session), 0);
    assert_int_equal(task_list(f->session, v, 2), 1);
    assert_string_equal(v[0].title, "count things");
    assert_int_equal(v[0].state, TASK_DONE);
    assert_string_equal(v[0].stage, "working");
    assert_int_equal(v[0].done, 3);
    assert_int_equal(v[0].total, 4);
    assert_true(v[0].end_ms >= v[0].start_ms);
    buf_init(&log);
    task_log_text(f->session, v[0].id, &log);
    assert_string_equal(log.data, "line 1\n");
    buf_fini(&log);
}

static void
a_task_that_names_no_stage_has_none(void **state)
{
    struct fixture *f = *state;
    struct task_spec spec = {
        .title = "wait", .run = run_for_ever, .done = done, .ctx = f};
    struct task *t = task_start(f->session, &spec);
    struct task_view v;

    task_look(t, &v);
    assert_null(v.stage);
    task_cancel(t);
    while (!f->done)
        loop_turn(f->loop, -1);
}

static void
a_failure_carries_its_message(void **state)
{
    struct fixture *f = *state;
    struct task_spec spec = {
        .title = "fail", .run = run, .done = done, .ctx = f};
    struct error err;
    struct task_view v;

    f->fail = "no luck";
    assert_false(task_call(f->session, &spec, NULL, NULL, &err));
    f->fail = NULL;
    assert_int_equal(err.code, ERR_RANGE);
    assert_string_equal(err.message, "no luck");
    assert_int_equal(f->done, 1);
    task_list(f->session, &v, 1);
    assert_int_equal(v.state, TASK_FAILED);
    assert_string_equal(v.message, "no luck");
}

static bool
at_once(void *ctx)
{
    (void)ctx;
    return true;
}

/* A table whose file was cut shows zeros for what is gone: nothing is made of
 * it, however often one asks, and other tables have nothing to do with it. */
static void
what_reads_a_file_that_was_cut_is_refused_each_time(void **state)
{
    static const char *const names[] = {"n"};
    static const enum col_type types[] = {COL_INT64};
    struct fixture *f = *state;
    struct error err;
    struct builder *b = builder_new(1, names, types, &err);
    char *path = file_join(f->dir, "t.arrow");
    struct csv_table t;
    struct frame *made;
    struct task_spec spec = {.title = "look", .run = run, .ctx = f};

    for (int64_t i = 0; i < 20000; i++)
        assert_true(builder_i64(b, 0, i, &err) && builder_end_row(b, &err));
    assert_non_null(made = builder_finish(b, &err));
    assert_true(source_write(made, path, &err));
    assert_true(source_read(path, NULL, f->pool, NULL, &t, &err));
    spec.of[1] = t.frame;
    assert_true(task_call(f->session, &spec, NULL, NULL, &err));
    assert_int_equal(truncate(path, 80000), 0);
    for (int again = 0; again < 2; again++) {
        assert_false(task_call(f->session, &spec, NULL, NULL, &err));
        assert_int_equal(err.code, ERR_IO);
        assert_non_null(strstr(err.message, "t.arrow: it became shorter"));
    }
    spec.of[1] = made;
    assert_true(task_call(f->session, &spec, NULL, NULL, &err));
    csv_table_fini(&t);
    frame_unref(made);
    free(path);
}

static void
a_cancelled_task_is_awaited(void **state)
{
    struct fixture *f = *state;
    struct task_spec spec = {
        .title = "wait", .run = run_for_ever, .done = done, .ctx = f};
    struct error err;
    struct task_view v;

    assert_false(task_call(f->session, &spec, at_once, NULL, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    task_list(f->session, &v, 1);
    assert_int_equal(v.state, TASK_CANCELLED);
    assert_false(task_cancel_id(f->session, v.id));
    assert_false(task_cancel_id(f->session, 9999));
}

static void
quiet_tasks_are_not_listed(void **state)
{
    struct fixture *f = *state;
    struct task_spec spec = {
        .title = "look", .run = run, .ctx = f, .quiet = true};
    struct task_view v;
    struct error err;

    assert_true(task_call(f->session, &spec, NULL, NULL, &err));
    assert_int_equal(task_list(f->session, &v, 1), 0);
}

static void
brief_tasks_are_listed_once_they_take_long(void **state)
{
    struct fixture *f = *state;
    struct task_spec spec = {
        .title = "look", .run = run, .ctx = f, .brief = true};
    struct task_view v;
    struct error err;
    struct task *t;

    assert_true(task_call(f->session, &spec, NULL, NULL, &err));
    assert_int_equal(task_list(f->session, &v, 1), 0);
    spec.run = run_for_ever;
    t = task_start(f->session, &spec);
    assert_int_equal(task_running(f->session), 0);
    while (task_running(f->session) == 0)
        ; /* until the clock says so; the driver has a deadline */
    task_look(t, &v);
    assert_true(loop_wall_ms() - v.start_ms >= TASK_BRIEF_MS);
    assert_int_equal(task_list(f->session, &v, 1), 1);
    assert_true(task_cancel_id(f->session, v.id));
}

static void
closing_the_session_ends_what_runs(void **state)
{
    struct fixture *f = *state;
    struct task_spec spec = {
        .title = "wait", .run = run_for_ever, .done = done, .ctx = f};

    task_start(f->session, &spec);
    session_free(f->session);
    assert_int_equal(f->done, 1);
    assert_false(f->ok);
    f->session = session_new(f->pool, f->loop);
}

static void
hear(void *ctx, unsigned topics)
{
    struct fixture *f = ctx;

    f->topics |= topics;
    if (topics & TOPIC_MESSAGES)
        session_unlisten(f->session, hear, f); /* from within */
}

static void
listeners_hear_of_changes_until_they_leave(void **state)
{
    struct fixture *f = *state;
    struct message m;

    session_listen(f->session, hear, f);
    session_notify(f->session, TOPIC_RUNS);
    session_message(f->session, MESSAGE_WARN, "a\nb %d", 7);
    while (!(f->topics & TOPIC_MESSAGES))
        loop_turn(f->loop, -1);
    assert_true(f->topics & TOPIC_RUNS);
    session_notify(f->session, TOPIC_TABLES);
    loop_turn(f->loop, 0);
    assert_false(f->topics & TOPIC_TABLES);
    assert_true(session_message_at(f->session, 0, &m));
    assert_string_equal(m.text, "a b 7");
    assert_int_equal(m.level, MESSAGE_WARN);
    assert_false(session_message_at(f->session, 1, &m));
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, open_session, close_session)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_task_ends_once_and_stays_listed),
        TEST(a_task_that_names_no_stage_has_none),
        TEST(a_failure_carries_its_message),
        TEST(what_reads_a_file_that_was_cut_is_refused_each_time),
        TEST(a_cancelled_task_is_awaited),
        TEST(quiet_tasks_are_not_listed),
        TEST(brief_tasks_are_listed_once_they_take_long),
        TEST(closing_the_session_ends_what_runs),
        TEST(listeners_hear_of_changes_until_they_leave),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
