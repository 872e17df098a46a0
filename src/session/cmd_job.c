/* session/cmd_job.c -- processes that outlive the workbench.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "jobs/job.h"
#include "session/cmd.h"

enum { GRACE_MS = 5000, FOLLOW_MS = 250 };

static void
put_job(const void *of, size_t i, struct json_writer *w)
{
    const struct job *j = &((const struct job_list *)of)->job[i];

    json_name(w, "id");
    json_put_string(w, j->id);
    json_name(w, "title");
    json_put_string(w, j->title);
    json_name(w, "state");
    json_put_string(w, job_state_word(j->state));
    json_name(w, "status");
    json_put_i64(w, j->status);
    json_name(w, "pid");
    json_put_i64(w, j->pid);
    json_name(w, "start_ms");
    json_put_i64(w, j->start_ms);
    json_name(w, "end_ms");
    json_put_i64(w, j->end_ms);
    json_name(w, "done");
    json_put_double(w, j->done);
    json_name(w, "total");
    json_put_double(w, j->total);
}

static void
put_start(const void *of, size_t i, struct json_writer *w)
{
    cmd_put_time(w, "started", ((const struct job_list *)of)->job[i].start_ms);
}

bool
cmd_job_run(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    const char **argv = cmd_all(c, "command");
    const char *title = call_text(c, "title");
    char id[24], *cwd = getcwd(NULL, 0);
    struct buf text;
    bool ok;

    (void)t;
    buf_init(&text);
    for (size_t i = 0; argv[i]; i++)
        buf_printf(&text, "%s%s", i ? " " : "", i ? argv[i] : file_base(*argv));
    /* The store makes the folder, with what belongs into it. */
    ok = session_store(s, true, err) &&
         job_start(session_dir(s), title ? title : text.data, argv, cwd, id,
                   err);
    if (ok && call_json(c))
        buf_printf(call_out(c), "{\"id\":\"%s\"}\n", id);
    else if (ok)
        buf_printf(call_out(c), "%s\n", id);
    buf_fini(&text);
    free(cwd);
    free(argv);
    return ok;
}

static void
add_row(const void *of, size_t i, struct listing *l)
{
    const struct job *j = &((const struct job_list *)of)->job[i];
    char time[LISTING_WORD], took[LISTING_WORD] = "";
    int64_t end = j->end_ms ? j->end_ms : loop_wall_ms();

    listing_add(l, j->id);
    listing_add(l, job_state_word(j->state));
    if (j->state == JOB_RUNNING && j->total > 0)
        listing_addf(l, "%.0f %%", j->done / j->total * 100);
    else if (j->state == JOB_FAILED)
        listing_addf(l, "exit %d", j->status);
    else
        listing_add(l, NULL);
    listing_time(j->start_ms, time);
    listing_add(l, time);
    if (j->start_ms)
        listing_duration(end - j->start_ms, took);
    listing_add(l, took);
    listing_add(l, j->title);
}

bool
cmd_job_ls(struct session *s, struct task *t, struct call *c, struct error *err)
{
    static const char *const titles[] = {
        "job", "state", "progress", "@started", ">time", "command", NULL};
    struct job_list list;
    bool ok;

    if (!job_list(session_dir(s), &list, err))
        return false;
    ok = cmd_list(t, c,
                  &(struct cmd_list){.of = &list,
                                     .n = list.n,
                                     .titles = titles,
                                     .none = "no jobs yet",
                                     .none_so = "no jobs are so",
                                     .row = add_row,
                                     .put = put_job,
                                     .put_more = put_start},
                  err);
    job_list_fini(&list);
    return ok;
}

/* What was written since `shown`, until the job has ended. */
static bool
follow(struct session *s, struct task *t, struct call *c, const char *id,
       struct error *err)
{
    size_t shown = 0;
    bool running = true;

    while (running) {
        struct job j;
        struct buf log;
        bool ok;

        if (!job_find(session_dir(s), id, &j, err))
            return false;
        running = j.state == JOB_RUNNING;
        job_fini(&j);
        buf_init(&log);
        ok = job_log(session_dir(s), id, 0, &log, err);
        if (ok && log.len > shown) {
            buf_add(call_out(c), log.data + shown, log.len - shown);
            shown = log.len;
            call_flush(c);
        }
        buf_fini(&log);
        if (!ok)
            return false;
        if (running && !task_sleep(t, FOLLOW_MS))
            return error_set(err, ERR_CANCELLED, "stopped looking");
    }
    return true;
}

bool
cmd_job_log(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    const char *id = call_text(c, "job");
    int64_t lines = call_int(c, "lines");

    if (call_flag(c, "follow"))
        return follow(s, t, c, id, err);
    return job_log(session_dir(s), id, lines < 0 ? 0 : (size_t)lines,
                   call_out(c), err);
}

bool
cmd_job_stop(struct session *s, struct task *t, struct call *c,
             struct error *err)
{
    progress_begin(task_progress(t), "stopping", 0);
    for (size_t i = 0; i < call_count(c, "job"); i++) {
        const char *id = call_nth(c, "job", i);

        if (!job_stop(session_dir(s), id, GRACE_MS, err))
            return false;
        buf_printf(call_out(c), "stopped %s\n", id);
    }
    return true;
}

bool
cmd_job_wait(struct session *s, struct task *t, struct call *c,
             struct error *err)
{
    const char *id = call_text(c, "job");
    int64_t left = call_int(c, "timeout") * 1000;
    bool limited = left > 0;
    int status = 0;
    struct error why;

    progress_begin(task_progress(t), "waiting", 0);
    while (!job_wait(session_dir(s), id, FOLLOW_MS, &status, &why)) {
        if (why.code != ERR_TIMEOUT) {
            *err = why;
            return false;
        }
        if (!progress_check(task_progress(t), err))
            return false;
        if (limited && (left -= FOLLOW_MS) <= 0)
            return error_set(err, ERR_TIMEOUT, "%s still runs", id);
    }
    if (call_json(c))
        buf_printf(call_out(c), "{\"id\":\"%s\",\"status\":%d}\n", id, status);
    else
        buf_printf(call_out(c), "%s ended with status %d\n", id, status);
    return status == 0 ||
           error_set(err, ERR_STATE, "%s ended with status %d", id, status);
}
