/* Jobs: their folder, their end, and that they outlive who started them.
 * This program stands for lathe: it answers "job exec ID" as lathe does.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "jobs/job.h"

enum { LONG_MS = 20000 }; /* a deadline that only a hang reaches */

static char project[64], lathe_dir[80];
static struct error err;

#define OK(call)                         \
    do {                                 \
        if (!(call))                     \
            fail_msg("%s", err.message); \
    } while (0)

static int
make_project(void **state)
{
    char *real;

    (void)state;
    strcpy(project, "/tmp/lathe-job.XXXXXX");
    if (!mkdtemp(project))
        return -1;
    real = realpath(project, NULL);
    snprintf(project, sizeof project, "%s", real);
    free(real);
    snprintf(lathe_dir, sizeof lathe_dir, "%s/.lathe", project);
    return 0;
}

static int
remove_project(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", project);
    return system(command);
}

static void
start_shell(const char *script, char id[24])
{
    const char *const argv[] = {"sh", "-c", script, NULL};

    OK(job_start(lathe_dir, "a title", argv, project, id, &err));
}

static int
wait_for(const char *id)
{
    int status = -1;

    OK(job_wait(lathe_dir, id, LONG_MS, &status, &err));
    return status;
}

/* Wait until the log holds a line: the job is where it shall be. */
static void
await_log(const char *id, const char *line)
{
    struct buf log;
    bool there = false;

    for (int i = 0; i < LONG_MS / 5 && !there; i++) {
        buf_init(&log);
        OK(job_log(lathe_dir, id, 0, &log, &err));
        there = strstr(log.data, line) != NULL;
        buf_fini(&log);
        if (!there)
            poll(NULL, 0, 5);
    }
    assert_true(there);
}

static void
read_back(const char *id, struct job *j)
{
    OK(job_find(lathe_dir, id, j, &err));
}

static void
a_job_runs_in_its_folder_and_records_its_end(void **state)
{
    char id[24], want[200];
    struct buf log;
    struct job j;

    (void)state;
    start_shell("pwd; echo oops >&2; basename \"$LATHE_JOB\"; "
                "echo \"$LATHE_PROJECT\"; exit 3",
                id);
    assert_int_equal(strlen(id), 20);
    assert_int_equal(wait_for(id), 3);
    read_back(id, &j);
    assert_string_equal(j.title, "a title");
    assert_int_equal(j.state, JOB_FAILED);
    assert_string_equal(job_state_word(j.state), "failed");
    assert_int_equal(j.status, 3);
    assert_true(j.end_ms >= j.start_ms && j.start_ms > 0);
    assert_true(j.rss > 100000);
    job_fini(&j);
    buf_init(&log);
    OK(job_log(lathe_dir, id, 0, &log, &err));
    snprintf(want, sizeof want, "%s\noops\n%s\n%s\n", project, id, lathe_dir);
    assert_string_equal(log.data, want);
    buf_clear(&log);
    OK(job_log(lathe_dir, id, 2, &log, &err));
    snprintf(want, sizeof want, "%s\n%s\n", id, lathe_dir);
    assert_string_equal(log.data, want);
    buf_fini(&log);
}

static void
a_job_without_failure_is_done(void **state)
{
    char id[24];
    struct job j;

    (void)state;
    start_shell("true", id);
    assert_int_equal(wait_for(id), 0);
    read_back(id, &j);
    assert_int_equal(j.state, JOB_DONE);
    job_fini(&j);
}

static void
a_command_that_cannot_be_executed_leaves_no_job(void **state)
{
    const char *const argv[] = {"no-such-program-anywhere", NULL};
    const char *const sh[] = {"true", NULL};
    struct job_list before, after;
    char id[24];

    (void)state;
    OK(job_list(lathe_dir, &before, &err));
    assert_false(job_start(lathe_dir, "x", argv, project, id, &err));
    assert_non_null(strstr(err.message, "no-such-program-anywhere"));
    assert_false(job_start(lathe_dir, "x", sh, "/no/such/folder", id, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    OK(job_list(lathe_dir, &after, &err));
    assert_int_equal(after.n, before.n);
    job_list_fini(&before);
    job_list_fini(&after);
}

static void
a_running_job_is_seen_and_stops_on_sigterm(void **state)
{
    char id[24];
    struct job j;
    int status;

    (void)state;
    start_shell("trap 'echo bye; exit 0' TERM; echo ready; "
                "while :; do tail -f /dev/null & wait $!; done",
                id);
    await_log(id, "ready");
    read_back(id, &j);
    assert_int_equal(j.state, JOB_RUNNING);
    assert_true(j.pid > 0);
    assert_true(j.rss > 0);
    assert_int_equal(getsid((pid_t)j.pid) != getsid(0), 1);
    job_fini(&j);
    assert_false(job_wait(lathe_dir, id, 0, &status, &err));
    assert_int_equal(err.code, ERR_TIMEOUT);
    OK(job_stop(lathe_dir, id, LONG_MS, &err));
    await_log(id, "bye");
    read_back(id, &j);
    assert_int_equal(j.state, JOB_STOPPED);
    assert_int_equal(j.status, 0);
    job_fini(&j);
    assert_false(job_stop(lathe_dir, id, LONG_MS, &err));
    assert_int_equal(err.code, ERR_STATE);
}

static void
a_job_deaf_to_sigterm_is_killed_with_its_children(void **state)
{
    char id[24], word[16];
    struct buf log;
    struct job j;
    pid_t grandchild;

    (void)state;
    start_shell("trap '' TERM; (exec tail -f /dev/null) & echo pid $!; "
                "echo ready; wait",
                id);
    await_log(id, "ready");
    buf_init(&log);
    OK(job_log(lathe_dir, id, 0, &log, &err));
    assert_int_equal(sscanf(log.data, "%15s %d", word, &grandchild), 2);
    buf_fini(&log);
    OK(job_stop(lathe_dir, id, 50, &err));
    read_back(id, &j);
    assert_int_equal(j.state, JOB_STOPPED);
    assert_int_equal(j.status, 128 + SIGKILL);
    job_fini(&j);
    for (int i = 0; i < LONG_MS / 5 && proc_alive(grandchild, 0); i++)
        poll(NULL, 0, 5);
    assert_false(proc_alive(grandchild, 0));
}

static int64_t
waiter_of(const char *id)
{
    char *path;
    struct buf text;
    const char *at;
    int64_t pid;

    buf_init(&text);
    path = mem_new(200);
    snprintf(path, 200, "%s/jobs/%s/pid.json", lathe_dir, id);
    OK(file_read(path, 1000, &text, &err));
    at = strstr(text.data, "\"waiter\":");
    assert_non_null(at);
    pid = strtoll(at + 9, NULL, 10);
    buf_fini(&text);
    free(path);
    return pid;
}

/* Who started it is killed with its whole session; the job goes on, is found
 * by a program that knows the folder alone, and its end is recorded. */
static void
a_job_outlives_a_kill_9_of_everything_else(void **state)
{
    char id[24] = "", fifo[120], script[200];
    struct job j;
    pid_t bench;
    int pipes[2];
    FILE *f;

    (void)state;
    snprintf(fifo, sizeof fifo, "%s/go", project);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    snprintf(script, sizeof script, "echo ready; read x < %s; exit 5", fifo);
    assert_int_equal(pipe(pipes), 0);
    bench = fork();
    if (bench == 0) {
        const char *const argv[] = {"sh", "-c", script, NULL};

        setsid();
        if (!job_start(lathe_dir, "survivor", argv, project, id, &err))
            _exit(1);
        if (write(pipes[1], id, sizeof id) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], id, sizeof id), sizeof id);
    close(pipes[0]);
    await_log(id, "ready");
    kill(-bench, SIGKILL);
    waitpid(bench, NULL, 0);
    read_back(id, &j);
    assert_int_equal(j.state, JOB_RUNNING);
    job_fini(&j);
    f = fopen(fifo, "w");
    fputs("x\n", f);
    fclose(f);
    assert_int_equal(wait_for(id), 5);
    read_back(id, &j);
    assert_int_equal(j.state, JOB_FAILED);
    job_fini(&j);
}

static void
a_job_whose_parent_was_killed_runs_until_its_end_and_is_lost_then(void **state)
{
    char id[24], fifo[120], script[200];
    struct job j;
    pid_t waiter;
    int status;
    FILE *f;

    (void)state;
    snprintf(fifo, sizeof fifo, "%s/go-lost", project);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    snprintf(script, sizeof script, "echo ready; read x < %s", fifo);
    start_shell(script, id);
    await_log(id, "ready");
    waiter = (pid_t)waiter_of(id);
    kill(waiter, SIGTERM); /* blocked: nothing happens */
    kill(waiter, SIGKILL);
    for (int i = 0; i < LONG_MS / 5 && proc_alive(waiter, 0); i++)
        poll(NULL, 0, 5);
    read_back(id, &j);
    assert_int_equal(j.state, JOB_RUNNING);
    job_fini(&j);
    f = fopen(fifo, "w");
    fputs("x\n", f);
    fclose(f);
    assert_false(job_wait(lathe_dir, id, LONG_MS, &status, &err));
    assert_int_equal(err.code, ERR_STATE);
    read_back(id, &j);
    assert_int_equal(j.state, JOB_LOST);
    assert_true(j.end_ms > 0);
    job_fini(&j);
}

static void
progress_is_the_last_whole_line_that_says_so(void **state)
{
    char id[24];
    struct job j;

    (void)state;
    start_shell("cd \"$LATHE_JOB\"; "
                "echo '{\"done\":1,\"total\":9,\"stage\":\"read\"}' "
                ">> metrics.jsonl; "
                "i=0; while [ $i -lt 200 ]; do i=$((i+1)); "
                "echo '{\"name\":\"loss\",\"value\":0.5,\"step\":1}'; done "
                ">> metrics.jsonl; "
                "echo '{\"done\":4,\"total\":9,\"stage\":\"fit\"}' "
                ">> metrics.jsonl; "
                "echo '{\"name\":\"loss\"}' >> metrics.jsonl; "
                "printf '{\"done\":5' >> metrics.jsonl",
                id);
    assert_int_equal(wait_for(id), 0);
    read_back(id, &j);
    assert_true(j.done == 4.0);
    assert_true(j.total == 9.0);
    assert_string_equal(j.stage, "fit");
    job_fini(&j);
}

static void
a_command_reports_through_its_environment(void **state)
{
    const char *const argv[] = {"lathe", "report", NULL};
    char id[24];
    struct job j;

    (void)state;
    OK(job_start(lathe_dir, "self", argv, NULL, id, &err));
    assert_int_equal(wait_for(id), 0);
    read_back(id, &j);
    assert_true(j.done == 2.0);
    assert_true(j.total == 3.0);
    assert_string_equal(j.stage, "grow \"trees\"");
    job_fini(&j);
}

static void
the_list_is_newest_first_and_skips_strangers(void **state)
{
    char *path = file_join(lathe_dir, "jobs/not-a-job");
    char *half = file_join(lathe_dir, "jobs/j-20200101-000000-aa");
    struct job_list l;
    struct job j;
    char a[24], b[24];

    (void)state;
    start_shell("true", a);
    wait_for(a);
    start_shell("true", b);
    wait_for(b);
    OK(file_make_dirs(path, 0755, &err));
    OK(file_make_dirs(half, 0755, &err));
    OK(job_list(lathe_dir, &l, &err));
    assert_true(l.n >= 2);
    for (size_t i = 1; i < l.n; i++)
        assert_true(l.job[i - 1].start_ms >= l.job[i].start_ms);
    job_list_fini(&l);
    assert_false(job_find(lathe_dir, "j-", &j, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_false(job_find(lathe_dir, "../jobs", &j, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_false(job_find(lathe_dir, "", &j, &err));
    free(path);
    free(half);
    OK(job_list("/no/such/.lathe", &l, &err));
    assert_int_equal(l.n, 0);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_runs_in_its_folder_and_records_its_end),
        cmocka_unit_test(a_job_without_failure_is_done),
        cmocka_unit_test(a_command_that_cannot_be_executed_leaves_no_job),
        cmocka_unit_test(a_running_job_is_seen_and_stops_on_sigterm),
        cmocka_unit_test(a_job_deaf_to_sigterm_is_killed_with_its_children),
        cmocka_unit_test(a_job_outlives_a_kill_9_of_everything_else),
        cmocka_unit_test(
            a_job_whose_parent_was_killed_runs_until_its_end_and_is_lost_then),
        cmocka_unit_test(progress_is_the_last_whole_line_that_says_so),
        cmocka_unit_test(a_command_reports_through_its_environment),
        cmocka_unit_test(the_list_is_newest_first_and_skips_strangers),
    };

    if (argc == 4 && strcmp(argv[1], "job") == 0)
        return job_exec(getenv("LATHE_PROJECT"), argv[3]);
    if (argc == 2 && strcmp(argv[1], "report") == 0) {
        job_report(2, 3, "grow \"trees\"");
        return 0;
    }
    (void)cmocka_run_group_tests(tests, make_project, remove_project);
    return 0;
}
