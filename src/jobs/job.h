/* jobs/job.h -- processes of their own that outlive the workbench.
 *
 * A job is a folder .lathe/jobs/ID: spec.json (what was asked), log (its
 * standard output and error), exit.json (written by the small waiting parent
 * that lathe leaves above the command: status, end time, peak memory) and
 * metrics.jsonl when it reports.  The workbench finds jobs again by reading
 * the folder: there is no other record.  A job is in its own session, so that
 * neither a hang-up nor a kill of the workbench reaches it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_JOBS_JOB_H
#define LATHE_JOBS_JOB_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum job_state { JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_STOPPED, JOB_LOST };
const char *job_state_word(enum job_state s);

struct job {
    char id[24]; /* "j-20261123-184512-a1" */
    char *title;
    enum job_state state;
    int status; /* exit status, or 128 + signal */
    int64_t pid, start_ms, end_ms;
    uint64_t cpu_us, rss; /* of a running one */
    /* progress a job may report by lines {"done":n,"total":m,"stage":s} in
     * metrics.jsonl; total 0: unknown */
    double done, total;
    char *stage;
};
struct job_list { struct job *job; size_t n; };

/* argv runs in cwd; argv[0] "lathe" means this very program. */
bool job_start(const char *lathe_dir, const char *title, const char *const *argv,
               const char *cwd, char id[24], struct error *err) MUST_USE;
bool job_list(const char *lathe_dir, struct job_list *out, struct error *err) MUST_USE; /* newest first */
void job_list_fini(struct job_list *l);
bool job_find(const char *lathe_dir, const char *id, struct job *out, struct error *err) MUST_USE;
void job_fini(struct job *j);
/* The last `lines` lines of the log (0: all, at most 1 MiB). */
bool job_log(const char *lathe_dir, const char *id, size_t lines, struct buf *out, struct error *err) MUST_USE;
/* SIGTERM to its process group, SIGKILL after grace_ms; waits for the end. */
bool job_stop(const char *lathe_dir, const char *id, int64_t grace_ms, struct error *err) MUST_USE;
bool job_wait(const char *lathe_dir, const char *id, int64_t timeout_ms, int *status, struct error *err) MUST_USE;
/* The body of the hidden command "lathe job exec ID": runs the spec, writes
 * exit.json; returns the status. */
int job_exec(const char *lathe_dir, const char *id);
#endif
