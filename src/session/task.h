/* session/task.h -- background work of the workbench: progress, log, cancel.
 *
 * A task runs on a pool job; its done() is called on the main thread through
 * the mailbox, always exactly once.  Tasks stay listed after their end (the
 * last 100) for the Jobs view.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_TASK_H
#define LATHE_SESSION_TASK_H

#include "session/session.h"

struct task;
enum { TASK_BRIEF_MS = 200 };
enum task_state { TASK_RUNNING, TASK_DONE, TASK_FAILED, TASK_CANCELLED };

struct task_spec {
    const char *title; /* copied: "fit gbdt on churn" */
    bool (*run)(struct task *t, void *ctx, struct error *err); /* pool job */
    /* Main thread.  err is set when !ok.  May be NULL. */
    void (*done)(struct task *t, void *ctx, bool ok, const struct error *err);
    void *ctx;
    bool quiet; /* not listed (screen refreshes, short reads) */
    bool brief; /* listed once it has taken TASK_BRIEF_MS */
    /* What it reads, the caller's until it is done: refused where a file that
     * it is mapped from has become shorter. */
    const struct frame *of[2];
};

/* Starts at once. */
struct task *task_start(struct session *s, const struct task_spec *spec);
/* Start and turn the loop until it is done (within a running cell: the screen
 * lives on).  Returns run()'s result with its error. `interrupt` is asked each
 * turn, NULL: never; when true the task is cancelled and awaited. */
bool task_call(struct session *s, const struct task_spec *spec,
               bool (*interrupt)(void *ctx), void *interrupt_ctx,
               struct error *err) MUST_USE;

struct progress *task_progress(struct task *t); /* any thread, from run() */
/* All threads, for work that ends when the task is stopped. */
struct pool *task_pool(struct task *t);
struct session *task_session(struct task *t); /* any thread */
/* Lines, as str_spell() writes what is foreign. */
void task_log(struct task *t, const char *fmt, ...)
    PRINTF_LIKE(2, 3);            /* any thread */
void task_cancel(struct task *t); /* any thread */
/* From run(): wait ms (-1: for ever); false at once when it is cancelled. */
bool task_sleep(struct task *t, int64_t ms);

struct task_view {
    unsigned id;
    char title[128];
    enum task_state state;
    const char *stage; /* static text; NULL until it names one */
    uint64_t done, total;
    int64_t start_ms, end_ms; /* wall clock; end 0 while it runs */
    double eta_s;             /* NaN while unknown */
    char message[256];        /* of a failure */
};
/* While it runs, or from done(). */
void task_look(struct task *t, struct task_view *v);
/* Newest first; returns how many there are, fills at most max. */
size_t task_list(struct session *s, struct task_view *out, size_t max);
bool task_cancel_id(struct session *s, unsigned id);
void task_log_text(struct session *s, unsigned id, struct buf *out);
size_t task_running(struct session *s);

/* For session.c alone. */
struct task_set *task_set_new(struct session *s);
void task_set_free(struct task_set *set); /* stops and awaits all */
#endif
