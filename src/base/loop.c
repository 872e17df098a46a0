/* base/loop.c -- the one event loop.
 *
 * A turn takes a snapshot of the watches it may call and holds each one, so
 * that callbacks may remove any watch: a removed one is marked dead and freed
 * by the last turn that holds it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

enum kind { WATCH_FD, WATCH_TIMER, WATCH_SIGNAL, WATCH_CHILD };

struct loop_watch {
    struct loop *loop;
    struct loop_watch *next;
    enum kind kind;
    int fd;     /* WATCH_FD; the signal's number for WATCH_SIGNAL */
    int events; /* LOOP_* */
    pid_t pid;
    int64_t due, period; /* ms */
    loop_fn *fn;
    void *ctx;
    unsigned running; /* calls of fn on the stack */
    unsigned held;    /* turns that have it in their snapshot */
    bool dead;
};

struct loop {
    struct loop_watch *watches;
    struct mailbox *mailbox;
    sigset_t signals;
    int signal_fd;
    bool look_at_children;
};

static int64_t
now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t
loop_now_ms(void)
{
    return now_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t
loop_now_us(void)
{
    return now_ns(CLOCK_MONOTONIC) / 1000;
}

int64_t
loop_wall_ms(void)
{
    return now_ns(CLOCK_REALTIME) / 1000000;
}

static void
listen_to(struct loop *l, int signo)
{
    sigset_t one;
    int fd;

    sigaddset(&l->signals, signo);
    sigemptyset(&one);
    sigaddset(&one, signo);
    pthread_sigmask(SIG_BLOCK, &one, NULL);
    fd = signalfd(l->signal_fd, &l->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        perror("lathe: signalfd");
        abort();
    }
    l->signal_fd = fd;
}

struct loop *
loop_new(void)
{
    struct loop *l = mem_new(sizeof *l);

    l->mailbox = mailbox_new();
    sigemptyset(&l->signals);
    l->signal_fd = -1;
    listen_to(l, SIGCHLD);
    return l;
}

void
loop_free(struct loop *l)
{
    if (!l)
        return;
    while (l->watches) {
        struct loop_watch *next = l->watches->next;

        free(l->watches);
        l->watches = next;
    }
    close(l->signal_fd);
    mailbox_free(l->mailbox);
    free(l);
}

struct mailbox *
loop_mailbox(struct loop *l)
{
    return l->mailbox;
}

static struct loop_watch *
add(struct loop *l, enum kind kind, loop_fn *fn, void *ctx)
{
    struct loop_watch *w = mem_new(sizeof *w);
    struct loop_watch **at = &l->watches;

    while (*at)
        at = &(*at)->next;
    *at = w;
    w->loop = l;
    w->kind = kind;
    w->fn = fn;
    w->ctx = ctx;
    return w;
}

struct loop_watch *
loop_fd(struct loop *l, int fd, int events, loop_fn *fn, void *ctx)
{
    struct loop_watch *w = add(l, WATCH_FD, fn, ctx);

    w->fd = fd;
    w->events = events;
    return w;
}

void
loop_fd_events(struct loop_watch *w, int events)
{
    w->events = events;
}

struct loop_watch *
loop_timer(struct loop *l, int64_t ms, bool repeat, loop_fn *fn, void *ctx)
{
    struct loop_watch *w = add(l, WATCH_TIMER, fn, ctx);

    w->due = loop_now_ms() + ms;
    w->period = repeat ? (ms > 0 ? ms : 1) : 0;
    return w;
}

void
loop_timer_set(struct loop_watch *w, int64_t ms)
{
    w->due = loop_now_ms() + ms;
}

struct loop_watch *
loop_signal(struct loop *l, int signo, loop_fn *fn, void *ctx)
{
    struct loop_watch *w = add(l, WATCH_SIGNAL, fn, ctx);

    w->fd = signo;
    listen_to(l, signo);
    return w;
}

struct loop_watch *
loop_child(struct loop *l, pid_t pid, loop_fn *fn, void *ctx)
{
    struct loop_watch *w = add(l, WATCH_CHILD, fn, ctx);

    w->pid = pid;
    l->look_at_children = true; /* it may have ended already */
    return w;
}

/* Unlink and free what is dead and in no turn's snapshot. */
static void
bury(struct loop *l)
{
    struct loop_watch **at = &l->watches;

    while (*at) {
        struct loop_watch *w = *at;

        if (w->dead && w->held == 0 && w->running == 0) {
            *at = w->next;
            free(w);
        } else {
            at = &w->next;
        }
    }
}

void
loop_remove(struct loop_watch *w)
{
    if (!w)
        return;
    w->dead = true;
    if (w->held == 0 && w->running == 0)
        bury(w->loop);
}

static bool
callable(const struct loop_watch *w)
{
    return !w->dead && (w->running == 0 || (w->events & LOOP_REENTER));
}

static void
call(struct loop_watch *w, int events)
{
    w->running++;
    w->fn(w->ctx, events);
    w->running--;
}

static int
poll_timeout(const struct loop *l, int timeout_ms)
{
    int64_t now = loop_now_ms();
    int64_t wait = timeout_ms < 0 ? -1 : timeout_ms;

    for (const struct loop_watch *w = l->watches; w; w = w->next) {
        int64_t left = w->due - now;

        if (w->kind != WATCH_TIMER || !callable(w))
            continue;
        if (left < 0)
            left = 0;
        if (wait < 0 || left < wait)
            wait = left;
    }
    if (l->look_at_children)
        wait = 0;
    return wait > 1000000000 ? 1000000000 : (int)wait;
}

static int
call_signals(struct loop *l)
{
    struct signalfd_siginfo info;
    int n = 0;

    while (read(l->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        struct loop_watch *next;

        if (info.ssi_signo == SIGCHLD)
            l->look_at_children = true;
        for (struct loop_watch *w = l->watches; w; w = next) {
            w->held++;
            if (w->kind == WATCH_SIGNAL && w->fd == (int)info.ssi_signo &&
                callable(w)) {
                call(w, w->fd);
                n++;
            }
            w->held--;
            next = w->next;
        }
    }
    return n;
}

static int
call_children(struct loop *l)
{
    struct loop_watch *next;
    int n = 0;

    if (!l->look_at_children)
        return 0;
    l->look_at_children = false;
    for (struct loop_watch *w = l->watches; w; w = next) {
        int status;

        w->held++;
        if (w->kind == WATCH_CHILD && callable(w) &&
            waitpid(w->pid, &status, WNOHANG) == w->pid) {
            w->dead = true;
            call(w, status);
            n++;
        }
        w->held--;
        next = w->next;
    }
    return n;
}

static int
call_timers(struct loop *l)
{
    int64_t now = loop_now_ms();
    struct loop_watch *next;
    int n = 0;

    for (struct loop_watch *w = l->watches; w; w = next) {
        w->held++;
        if (w->kind == WATCH_TIMER && callable(w) && w->due <= now) {
            if (w->period > 0)
                w->due = w->due + w->period > now ? w->due + w->period
                                                  : now + w->period;
            else
                w->dead = true;
            call(w, 0);
            n++;
        }
        w->held--;
        next = w->next;
    }
    return n;
}

static int
events_of(short revents)
{
    return (revents & POLLIN ? LOOP_READ : 0) |
           (revents & POLLOUT ? LOOP_WRITE : 0) |
           (revents & (POLLHUP | POLLERR | POLLNVAL) ? LOOP_HUP : 0);
}

enum { FIRST_FD = 2 }; /* pollfd 0: mail, 1: signals */

static size_t
count_fds(const struct loop *l)
{
    size_t n = 0;

    for (const struct loop_watch *w = l->watches; w; w = w->next)
        n += w->kind == WATCH_FD && callable(w);
    return n;
}

static int
call_fds(struct loop_watch **held, const struct pollfd *p, size_t n)
{
    int called = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i].revents && callable(held[i])) {
            call(held[i], events_of(p[i].revents));
            called++;
        }
        held[i]->held--;
    }
    return called;
}

int
loop_turn(struct loop *l, int timeout_ms)
{
    size_t n = count_fds(l), i = 0;
    struct pollfd *p = mem_new((n + FIRST_FD) * sizeof *p);
    struct loop_watch **held = mem_new((n + 1) * sizeof(struct loop_watch *));
    int called = 0;

    p[0] = (struct pollfd){.fd = mailbox_fd(l->mailbox), .events = POLLIN};
    p[1] = (struct pollfd){.fd = l->signal_fd, .events = POLLIN};
    for (struct loop_watch *w = l->watches; w; w = w->next) {
        if (w->kind != WATCH_FD || !callable(w))
            continue;
        held[i] = w;
        w->held++;
        p[FIRST_FD + i++] = (struct pollfd){
            .fd = w->fd,
            .events = (short)((w->events & LOOP_READ ? POLLIN : 0) |
                              (w->events & LOOP_WRITE ? POLLOUT : 0))};
    }
    if (poll(p, n + FIRST_FD, poll_timeout(l, timeout_ms)) < 0)
        for (i = 0; i < n + FIRST_FD; i++)
            p[i].revents = 0;
    if (p[1].revents)
        called += call_signals(l);
    called += call_children(l);
    called += call_fds(held, p + FIRST_FD, n);
    if (p[0].revents)
        called += (int)mailbox_drain(l->mailbox);
    called += call_timers(l);
    bury(l);
    free(held);
    free(p);
    return called;
}
