/* jobs/job.h -- processes of their own that outlive the workbench.
 *
 * A job is a folder .lathe/jobs/ID: spec.json (what was asked), log (its
 * standard output and error), pid.json and exit.json (written by the small
 * waiting parent that lathe leaves above the command: status, end time, peak
 * memory) and metrics.jsonl when it reports.  The workbench finds jobs again
 * by reading the folder: there is no other record.  A job is in its own
 * session, so that neither a hang-up nor a kill of the workbench reaches it.
 *
 * Threads: any; all block for the disk, job_start() also for the program's
 * start, job_stop() and job_wait() for its end.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_JOBS_JOB_H
#define LATHE_JOBS_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* LOST: neither the command nor its parent lives, and no exit was recorded. */
enum job_state { JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_STOPPED, JOB_LOST };
const char *job_state_word(enum job_state s);

struct job {
    char id[24]; /* "j-20261123-184512-a1" */
    char *title;
    enum job_state state;
    int status; /* exit status, or 128 + signal */
    int64_t pid, start_ms, end_ms;
    uint64_t cpu_us, rss; /* of a running one; after the end all its CPU time
                             and its peak memory */
    /* progress a job may report by lines {"done":n,"total":m,"stage":s} in
     * metrics.jsonl; total 0: unknown */
    double done, total;
    char *stage;
};
struct job_list {
    struct job *job;
    size_t n;
};

/* argv runs in cwd (NULL: the current folder); argv[0] "lathe" means this very
 * program.  The command finds LATHE_PROJECT and LATHE_JOB (its folder) in its
 * environment.  A command that cannot be executed is an error here, and leaves
 * no job. */
bool
job_start(const char *lathe_dir, const char *title, const char *const *argv,
          const char *cwd, char id[24], struct error *err) MUST_USE;
bool job_list(const char *lathe_dir, struct job_list *out,
              struct error *err) MUST_USE; /* newest first */
void job_list_fini(struct job_list *l);
/* id: whole, or a prefix that one job has; here and below. */
bool job_find(const char *lathe_dir, const char *id, struct job *out,
              struct error *err) MUST_USE;
void job_fini(struct job *j);
/* The last `lines` lines of the log (0: all, at most 1 MiB). */
bool job_log(const char *lathe_dir, const char *id, size_t lines,
             struct buf *out, struct error *err) MUST_USE;
/* SIGTERM to its process group, SIGKILL after grace_ms; waits for the end.
 * ERR_STATE when it has ended already. */
bool job_stop(const char *lathe_dir, const char *id, int64_t grace_ms,
              struct error *err) MUST_USE;
/* timeout_ms < 0: for ever; ERR_TIMEOUT.  ERR_STATE for a lost job. */
bool job_wait(const char *lathe_dir, const char *id, int64_t timeout_ms,
              int *status, struct error *err) MUST_USE;
/* The body of the hidden command "lathe job exec ID": starts the command of
 * the spec under a waiting child of its own, which writes exit.json.  Returns
 * what to exit with once the command runs: 0, or not and a line on standard
 * error. */
int job_exec(const char *lathe_dir, const char *id);
/* In a job's command: append a line of progress.  Does nothing outside one. */
void job_report(double done, double total, const char *stage);
#endif
