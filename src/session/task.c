/* session/task.c -- background work of the workbench.
 *
 * A task is held by the set from its start until it is the 101st oldest ended
 * one.  Its thread writes the progress, the log, and at its end ok and err; it
 * then posts one mail, and from there on the main thread alone touches it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/task.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/torn.h"

enum { KEPT = 100, LOG_MAX = 256 * 1024 };

struct task {
    struct task *next; /* older */
    struct session *session;
    struct task_spec spec;
    char *title;
    unsigned id;
    bool quiet;
    struct progress progress;
    struct pool *pool; /* lent */
    struct pool_job *job;

    bool ok;
    struct error err;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t stopped;
    enum task_state state;
    int64_t start_ms, end_ms;
    struct buf log;
    const char *stage; /* as last looked at, for the estimate */
    int64_t stage_ms;
    uint64_t stage_done;
};

struct task_set {
    struct session *session;
    struct task *first; /* newest */
    unsigned last_id;
    size_t running;
};

struct task_set *
task_set_new(struct session *s)
{
    struct task_set *set = mem_new(sizeof *set);

    set->session = s;
    return set;
}

static void
task_free(struct task *t)
{
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->stopped);
    buf_fini(&t->log);
    pool_free(t->pool);
    free(t->title);
    free(t);
}

static bool
is_listed(const struct task *t)
{
    int64_t end = t->end_ms ? t->end_ms : loop_wall_ms();

    return !t->quiet && (!t->spec.brief || end - t->start_ms >= TASK_BRIEF_MS);
}

/* Ended tasks beyond KEPT, and those that are not listed, are forgotten. */
static void
forget(struct task_set *set)
{
    struct task **at = &set->first;
    size_t ended = 0;

    while (*at) {
        struct task *t = *at;

        if (t->state != TASK_RUNNING && (!is_listed(t) || ++ended > KEPT)) {
            *at = t->next;
            task_free(t);
        } else {
            at = &t->next;
        }
    }
}

void
task_set_free(struct task_set *set)
{
    struct pollfd p;

    if (!set)
        return;
    for (struct task *t = set->first; t; t = t->next)
        if (t->state == TASK_RUNNING)
            task_cancel(t);
    p = (struct pollfd){
        .fd = mailbox_fd(loop_mailbox(session_loop(set->session))),
        .events = POLLIN};
    while (set->running) {
        poll(&p, 1, -1);
        mailbox_drain(loop_mailbox(session_loop(set->session)));
    }
    while (set->first) {
        struct task *next = set->first->next;

        task_free(set->first);
        set->first = next;
    }
    free(set);
}

/* Main thread: the task's thread has nothing left to do. */
static void
finish(void *ctx)
{
    struct task *t = ctx;
    struct task_set *set = session_tasks(t->session);
    bool quiet = t->quiet;

    if (t->job)
        pool_join(t->job);
    pthread_mutex_lock(&t->lock);
    t->end_ms = loop_wall_ms();
    /* A fit that is cancelled keeps its rounds, and is cancelled all the
     * same. */
    if (t->ok ? progress_stopped(&t->progress) : t->err.code == ERR_CANCELLED)
        t->state = TASK_CANCELLED;
    else
        t->state = t->ok ? TASK_DONE : TASK_FAILED;
    pthread_mutex_unlock(&t->lock);
    set->running--;
    if (t->spec.done)
        t->spec.done(t, t->spec.ctx, t->ok, &t->err);
    forget(set);
    if (!quiet)
        session_notify(set->session, TOPIC_TASKS);
}

static bool
are_whole(const struct frame *const of[2], struct error *err)
{
    for (size_t i = 0; i < 2; i++)
        if (of[i] && !frame_whole(of[i], err))
            return false;
    return true;
}

static void
work(void *ctx)
{
    struct task *t = ctx;
    unsigned mark = torn_mark();

    t->ok = are_whole(t->spec.of, &t->err) &&
            t->spec.run(t, t->spec.ctx, &t->err) &&
            torn_check(mark, false, &t->err);
    mailbox_post(loop_mailbox(session_loop(t->session)), finish, t);
}

struct task *
task_start(struct session *s, const struct task_spec *spec)
{
    struct task_set *set = session_tasks(s);
    struct task *t = mem_new(sizeof *t);
    pthread_condattr_t attr;

    t->session = s;
    t->spec = *spec;
    t->title = mem_text(spec->title);
    t->quiet = spec->quiet;
    t->id = ++set->last_id;
    t->start_ms = loop_wall_ms();
    progress_init(&t->progress);
    t->pool = pool_lend(session_pool(s), &t->progress);
    buf_init(&t->log);
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&t->stopped, &attr);
    pthread_condattr_destroy(&attr);
    t->next = set->first;
    set->first = t;
    set->running++;
    t->job = pool_start(session_pool(s), work, t, &t->err);
    if (!t->job) /* no thread left: it has failed, and says so as others do */
        mailbox_post(loop_mailbox(session_loop(s)), finish, t);
    if (!t->quiet)
        session_notify(s, TOPIC_TASKS);
    return t;
}

struct waited {
    const struct task_spec *spec;
    bool ended, ok;
    struct error err;
};

static bool
run_waited(struct task *t, void *ctx, struct error *err)
{
    struct waited *w = ctx;

    return w->spec->run(t, w->spec->ctx, err);
}

static void
done_waited(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct waited *w = ctx;

    w->ok = ok;
    if (!ok)
        w->err = *err;
    if (w->spec->done)
        w->spec->done(t, w->spec->ctx, ok, err);
    w->ended = true;
}

bool
task_call(struct session *s, const struct task_spec *spec,
          bool (*interrupt)(void *ctx), void *interrupt_ctx, struct error *err)
{
    struct waited w = {.spec = spec};
    struct task_spec own = *spec;
    struct task *t;
    bool stopping = false;

    own.run = run_waited;
    own.done = done_waited;
    own.ctx = &w;
    t = task_start(s, &own);
    while (!w.ended) {
        if (!stopping && interrupt && interrupt(interrupt_ctx)) {
            task_cancel(t);
            stopping = true;
        }
        loop_turn(session_loop(s), -1);
    }
    if (!w.ok)
        *err = w.err;
    return w.ok;
}

struct progress *
task_progress(struct task *t)
{
    return &t->progress;
}

struct pool *
task_pool(struct task *t)
{
    return t->pool;
}

struct session *
task_session(struct task *t)
{
    return t->session;
}

void
task_log(struct task *t, const char *fmt, ...)
{
    struct buf text;
    va_list ap;

    buf_init(&text);
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&t->lock);
    if (t->log.len > LOG_MAX) {
        const char *cut = memchr(t->log.data + t->log.len / 2, '\n',
                                 t->log.len - t->log.len / 2);
        struct buf rest;

        buf_init(&rest);
        if (cut)
            buf_puts(&rest, cut + 1);
        buf_fini(&t->log);
        t->log = rest;
    }
    buf_spelt(&t->log, text.data, true);
    buf_putc(&t->log, '\n');
    pthread_mutex_unlock(&t->lock);
    buf_fini(&text);
    if (!t->quiet)
        session_notify(t->session, TOPIC_TASKS);
}

void
task_cancel(struct task *t)
{
    progress_stop(&t->progress);
    pthread_mutex_lock(&t->lock);
    pthread_cond_broadcast(&t->stopped);
    pthread_mutex_unlock(&t->lock);
}

bool
task_sleep(struct task *t, int64_t ms)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&t->lock);
    while (!progress_stopped(&t->progress) && rc != ETIMEDOUT)
        rc = ms < 0 ? pthread_cond_wait(&t->stopped, &t->lock)
                    : pthread_cond_timedwait(&t->stopped, &t->lock, &until);
    pthread_mutex_unlock(&t->lock);
    return !progress_stopped(&t->progress);
}

/* From the speed since this stage was first looked at. */
static double
estimate(struct task *t, const char *stage, uint64_t done, uint64_t total)
{
    int64_t now = loop_now_ms();
    double speed;

    if (stage != t->stage || done < t->stage_done) {
        t->stage = stage;
        t->stage_ms = now;
        t->stage_done = done;
    }
    if (total == 0 || done <= t->stage_done || done > total ||
        now <= t->stage_ms)
        return NAN;
    speed = (double)(done - t->stage_done) / (double)(now - t->stage_ms);
    return (double)(total - done) / speed / 1000;
}

void
task_look(struct task *t, struct task_view *v)
{
    struct progress *p = &t->progress;
    const char *stage = atomic_load(&p->stage);

    pthread_mutex_lock(&t->lock);
    *v = (struct task_view){.id = t->id,
                            .state = t->state,
                            .stage = *stage ? stage : NULL,
                            .start_ms = t->start_ms,
                            .end_ms = t->end_ms,
                            .eta_s = NAN};
    snprintf(v->title, sizeof v->title, "%s", t->title);
    progress_whole(p, &v->done, &v->total);
    if (t->state == TASK_RUNNING)
        v->eta_s = estimate(t, v->stage, v->done, v->total);
    else if (t->state == TASK_FAILED)
        snprintf(v->message, sizeof v->message, "%.*s",
                 (int)sizeof v->message - 1, t->err.message);
    pthread_mutex_unlock(&t->lock);
}

size_t
task_list(struct session *s, struct task_view *out, size_t max)
{
    size_t n = 0;

    for (struct task *t = session_tasks(s)->first; t; t = t->next) {
        if (!is_listed(t))
            continue;
        if (n < max)
            task_look(t, &out[n]);
        n++;
    }
    return n;
}

static struct task *
by_id(struct session *s, unsigned id)
{
    for (struct task *t = session_tasks(s)->first; t; t = t->next)
        if (t->id == id)
            return t;
    return NULL;
}

bool
task_cancel_id(struct session *s, unsigned id)
{
    struct task *t = by_id(s, id);

    if (!t || t->state != TASK_RUNNING)
        return false;
    task_cancel(t);
    return true;
}

void
task_log_text(struct session *s, unsigned id, struct buf *out)
{
    struct task *t = by_id(s, id);

    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    buf_add(out, t->log.data, t->log.len);
    pthread_mutex_unlock(&t->lock);
}

size_t
task_running(struct session *s)
{
    size_t n = 0;

    for (struct task *t = session_tasks(s)->first; t; t = t->next)
        n += t->state == TASK_RUNNING && is_listed(t);
    return n;
}
