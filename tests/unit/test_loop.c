/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/loop.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pool.h"
#include "base/proc.h"
#include "tests/lib/close.h"

struct seen {
    struct loop *loop;
    struct loop_watch *watch;
    int calls, events, depth, deepest;
    char order[16];
};

static void
note(void *ctx, int events)
{
    struct seen *s = ctx;

    s->calls++;
    s->events = events;
}

static void
test_a_readable_descriptor_calls_back_and_a_removed_one_does_not(void **state)
{
    struct loop *l = loop_new();
    struct seen s = {.loop = l};
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    s.watch = loop_fd(l, fds[0], LOOP_READ, note, &s);
    assert_int_equal(loop_turn(l, 0), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(loop_turn(l, 1000), 1);
    assert_true(s.events & LOOP_READ);
    loop_remove(s.watch);
    assert_int_equal(loop_turn(l, 0), 0);
    assert_int_equal(s.calls, 1);
    close(fds[0]);
    close(fds[1]);
    loop_free(l);
}

static void
turn_within(void *ctx, int events)
{
    struct seen *s = ctx;

    (void)events;
    s->calls++;
    if (++s->depth > s->deepest)
        s->deepest = s->depth;
    if (s->depth < 3)
        loop_turn(s->loop, 0);
    s->depth--;
}

static void
test_a_callback_on_the_stack_is_not_entered_again(void **state)
{
    struct loop *l = loop_new();
    struct seen s = {.loop = l};
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    s.watch = loop_fd(l, fds[0], LOOP_READ, turn_within, &s);
    loop_turn(l, 1000);
    assert_int_equal(s.deepest, 1);
    loop_remove(s.watch);
    s.watch = loop_fd(l, fds[0], LOOP_READ | LOOP_REENTER, turn_within, &s);
    loop_turn(l, 1000);
    assert_int_equal(s.deepest, 3);
    close(fds[0]);
    close(fds[1]);
    loop_free(l);
}

static void
remove_itself(void *ctx, int events)
{
    struct seen *s = ctx;

    (void)events;
    s->calls++;
    loop_remove(s->watch);
    loop_turn(s->loop, 0);
}

static void
test_a_repeating_timer_may_remove_itself_and_turn_the_loop(void **state)
{
    struct loop *l = loop_new();
    struct seen s = {.loop = l};

    (void)state;
    s.watch = loop_timer(l, 0, true, remove_itself, &s);
    assert_int_equal(loop_turn(l, 1000), 1);
    assert_int_equal(loop_turn(l, 5), 0);
    assert_int_equal(s.calls, 1);
    loop_free(l);
}

static void
mail(void *ctx)
{
    struct seen *s = ctx;

    s->calls++;
}

static void
post_many(void *ctx)
{
    struct seen *s = ctx;

    for (int i = 0; i < 1000; i++)
        mailbox_post(loop_mailbox(s->loop), mail, s);
}

static void
test_mail_from_another_thread_arrives_whole(void **state)
{
    struct loop *l = loop_new();
    struct seen s = {.loop = l};
    struct error err;
    struct pool_job *job = pool_start(NULL, post_many, &s, &err);
    int64_t limit = loop_now_ms() + 10000;

    (void)state;
    assert_non_null(job);
    while (s.calls < 1000 && loop_now_ms() < limit)
        loop_turn(l, 100);
    pool_join(job);
    assert_int_equal(s.calls, 1000);
    loop_free(l);
}

static void
turning_mail(void *ctx)
{
    struct seen *s = ctx;

    strcat(s->order, "(");
    loop_turn(s->loop, 0);
    strcat(s->order, ")");
}

static void
plain_mail(void *ctx)
{
    struct seen *s = ctx;

    strcat(s->order, "x");
}

static void
test_mail_behind_one_that_turns_the_loop_is_delivered_inside(void **state)
{
    struct loop *l = loop_new();
    struct seen s = {.loop = l};

    (void)state;
    mailbox_post(loop_mailbox(l), turning_mail, &s);
    mailbox_post(loop_mailbox(l), plain_mail, &s);
    loop_turn(l, 1000);
    /* The wake-up was consumed by the outer turn, so the inner one may or may
     * not see it; either way nothing is lost. */
    assert_true(strcmp(s.order, "(x)") == 0 || strcmp(s.order, "()x") == 0);
    loop_free(l);
}

static void
test_a_child_that_ended_before_it_was_watched_is_reported(void **state)
{
    static const char *const argv[] = {"sh", "-c", "exit 7", NULL};
    struct proc_options o = {.fd_in = -1, .fd_out = -1, .fd_err = -1};
    struct loop *l = loop_new();
    struct seen s = {.loop = l};
    struct error err;
    siginfo_t info;
    pid_t pid;

    (void)state;
    assert_ok(proc_start(argv, &o, &pid, &err), err);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    loop_child(l, pid, note, &s);
    while (s.calls == 0)
        loop_turn(l, 1000);
    assert_int_equal(WEXITSTATUS(s.events), 7);
    loop_free(l);
}

static void
test_a_signal_is_read_by_the_loop(void **state)
{
    struct loop *l = loop_new();
    struct seen s = {.loop = l};

    (void)state;
    loop_signal(l, SIGUSR2, note, &s);
    raise(SIGUSR2);
    loop_turn(l, 1000);
    assert_int_equal(s.calls, 1);
    assert_int_equal(s.events, SIGUSR2);
    loop_free(l);
}

static void
test_a_program_that_is_not_there_is_an_error_here_not_in_the_child(void **state)
{
    static const char *const missing[] = {"lathe-no-such-program", NULL};
    static const char *const folder[] = {"/etc", NULL};
    struct proc_options o = {.fd_in = -1, .fd_out = -1, .fd_err = -1};
    struct error err;
    pid_t pid;

    (void)state;
    assert_false(proc_start(missing, &o, &pid, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_false(proc_start(folder, &o, &pid, &err));
    assert_int_equal(err.code, ERR_IO);
}

static void
test_capture_gives_output_and_status_and_ends_what_hangs(void **state)
{
    static const char *const echo[] = {"sh", "-c", "echo hi; exit 3", NULL};
    static const char *const hang[] = {"cat", "/dev/ptmx", NULL};
    struct buf b;
    struct error err;
    int status;

    (void)state;
    buf_init(&b);
    assert_ok(proc_capture(echo, 10000, NULL, &b, &status, &err), err);
    assert_string_equal(b.data, "hi\n");
    assert_int_equal(status, 3);
    assert_false(proc_capture(hang, 50, NULL, &b, &status, &err));
    assert_int_equal(err.code, ERR_TIMEOUT);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_a_readable_descriptor_calls_back_and_a_removed_one_does_not),
        cmocka_unit_test(test_a_callback_on_the_stack_is_not_entered_again),
        cmocka_unit_test(
            test_a_repeating_timer_may_remove_itself_and_turn_the_loop),
        cmocka_unit_test(test_mail_from_another_thread_arrives_whole),
        cmocka_unit_test(
            test_mail_behind_one_that_turns_the_loop_is_delivered_inside),
        cmocka_unit_test(
            test_a_child_that_ended_before_it_was_watched_is_reported),
        cmocka_unit_test(test_a_signal_is_read_by_the_loop),
        cmocka_unit_test(
            test_a_program_that_is_not_there_is_an_error_here_not_in_the_child),
        cmocka_unit_test(
            test_capture_gives_output_and_status_and_ends_what_hangs),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
