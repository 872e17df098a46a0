/* jobs/job_exec.c -- the small parent above a job's command.
 *
 *   workbench -- lathe job exec ID -- fork -- waiting parent -- command
 *                (session leader)             (init's child)    (group leader)
 *
 * The session leader ends as soon as the command runs, so that the workbench
 * has no zombie to reap and a job no tie to it.  The waiting parent blocks all
 * signals but SIGKILL; the command is in a group of its own, so that killing
 * the group leaves the parent to record it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/proc.h"
#include "jobs/job.h"

enum { SPEC_MAX = 1 << 20, RUNS = 0, FAILED = 127 };

/* The arguments of the spec, "lathe" being this program; the texts are the
 * spec's. */
static const char **
read_argv(const struct json *spec, struct error *err)
{
    const struct json *list;
    const char **argv;
    size_t n = 0;

    if (!json_get_array(spec, "argv", &list, err))
        return NULL;
    argv = mem_new((json_len(list) + 1) * sizeof *argv);
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        if (json_type(v) != JSON_STRING) {
            error_set(err, ERR_TYPE, "argv: %s, expected texts",
                      json_type_word(v));
            free(argv);
            return NULL;
        }
        argv[n++] = json_string(v);
    }
    if (n == 0) {
        error_set(err, ERR_RANGE, "argv: nothing to run");
        free(argv);
        return NULL;
    }
    if (strcmp(argv[0], "lathe") == 0)
        argv[0] = proc_self();
    return argv;
}

static bool
start_command(const char *folder, const struct json *spec, pid_t *pid,
              struct error *err)
{
    const char **argv = read_argv(spec, err);
    char job[PATH_MAX + 16];
    const char *const env[] = {job, NULL};
    struct proc_options o = {
        .env = env, .fd_in = -1, .fd_out = 1, .fd_err = 2, .new_group = true};
    bool ok = argv && json_get_string(spec, "cwd", &o.cwd, err);

    snprintf(job, sizeof job, "LATHE_JOB=%s", folder);
    ok = ok && proc_start(argv, &o, pid, err);
    free(argv);
    return ok;
}

static bool
write_record(const char *folder, const char *name, const struct buf *b,
             struct error *err)
{
    char *path = file_join(folder, name);
    bool ok =
        buf_check(b, err) && file_replace(path, b->data, b->len, 0666, err);

    free(path);
    return ok;
}

static void
put_number(struct json_writer *w, const char *name, int64_t x)
{
    json_name(w, name);
    json_put_i64(w, x);
}

static bool
write_pids(const char *folder, pid_t pid, struct error *err)
{
    struct json_writer w;
    struct buf b;
    bool ok;

    buf_init(&b);
    json_writer_init(&w, &b);
    json_open(&w, '{');
    put_number(&w, "pid", pid);
    put_number(&w, "ticks", (int64_t)proc_start_ticks(pid));
    put_number(&w, "waiter", getpid());
    put_number(&w, "waiter_ticks", (int64_t)proc_start_ticks(getpid()));
    json_close(&w, '}');
    ok = write_record(folder, "pid.json", &b, err);
    buf_fini(&b);
    return ok;
}

static void
write_exit(const char *folder, int raw, const struct rusage *use)
{
    int status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    char *stop = file_join(folder, "stop");
    struct json_writer w;
    struct error err;
    struct buf b;

    buf_init(&b);
    json_writer_init(&w, &b);
    json_open(&w, '{');
    put_number(&w, "status", status);
    put_number(&w, "end_ms", loop_wall_ms());
    put_number(&w, "rss", (int64_t)use->ru_maxrss * 1024);
    put_number(&w, "cpu_us",
               ((int64_t)use->ru_utime.tv_sec + use->ru_stime.tv_sec) *
                       1000000 +
                   use->ru_utime.tv_usec + use->ru_stime.tv_usec);
    json_name(&w, "stopped");
    json_put_bool(&w, file_exists(stop));
    json_close(&w, '}');
    /* On a full disk the job reads as lost: the log says how it ended. */
    if (!write_record(folder, "exit.json", &b, &err))
        dprintf(2, "lathe: the end (status %d) could not be recorded: %s\n",
                status, err.message);
    buf_fini(&b);
    free(stop);
}

/* In the waiting parent: never returns. */
static void
wait_above(const char *folder, const struct json *spec, int ready)
{
    struct rusage use;
    struct error err;
    sigset_t all;
    pid_t pid;
    int raw;
    bool ok;
    char answer = RUNS;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    ok = start_command(folder, spec, &pid, &err);
    if (ok && !write_pids(folder, pid, &err)) {
        /* A command that nobody could find again must not stay. */
        kill(-pid, SIGKILL);
        ok = false;
    }
    if (!ok) {
        dprintf(2, "%s\n", err.message);
        answer = FAILED;
        if (write(ready, &answer, 1) < 0)
            _exit(1);
        _exit(FAILED);
    }
    if (write(ready, &answer, 1) < 0) {
        /* Whoever asked is gone; the job is not. */
    }
    close(ready);
    if (chdir("/") < 0) {
        /* Then the folder stays busy, which is no harm. */
    }
    while (wait4(pid, &raw, 0, &use) < 0)
        if (errno != EINTR)
            _exit(1);
    write_exit(folder, raw, &use);
    _exit(0);
}

static int
fork_parent(const char *folder, const struct json *spec)
{
    struct error err;
    int ready[2];
    char answer = FAILED;
    pid_t pid;

    if (pipe(ready) < 0 || (pid = fork()) < 0) {
        error_errno(&err, errno, "%s", folder);
        dprintf(2, "%s\n", err.message);
        return FAILED;
    }
    if (pid == 0) {
        close(ready[0]);
        wait_above(folder, spec, ready[1]);
    }
    close(ready[1]);
    while (read(ready[0], &answer, 1) < 0 && errno == EINTR)
        ;
    close(ready[0]);
    return answer;
}

int
job_exec(const char *lathe_dir, const char *id)
{
    char *full = realpath(lathe_dir, NULL);
    char *jobs = file_join(full ? full : lathe_dir, "jobs");
    char *folder = file_join(jobs, id);
    char *path = file_join(folder, "spec.json");
    struct json *spec = NULL;
    struct error err;
    struct buf text;
    int rc = FAILED;

    buf_init(&text);
    if (file_read(path, SPEC_MAX, &text, &err) &&
        (spec = json_parse((struct str){text.data, text.len}, &err)))
        rc = fork_parent(folder, spec);
    else
        dprintf(2, "%s\n", err.message);
    json_free(spec);
    buf_fini(&text);
    free(path);
    free(folder);
    free(jobs);
    free(full);
    return rc;
}

void
job_report(double done, double total, const char *stage)
{
    const char *folder = getenv("LATHE_JOB");
    struct json_writer w;
    struct error ignored;
    struct buf b;
    char *path;

    if (!folder || !*folder)
        return;
    path = file_join(folder, "metrics.jsonl");
    buf_init(&b);
    json_writer_init(&w, &b);
    json_open(&w, '{');
    json_name(&w, "done");
    json_put_double(&w, done);
    json_name(&w, "total");
    json_put_double(&w, total);
    json_name(&w, "stage");
    json_put_string(&w, stage);
    json_close(&w, '}');
    buf_putc(&b, '\n');
    if (!b.failed)
        (void)!file_append(path, b.data, b.len, &ignored);
    buf_fini(&b);
    free(path);
}
