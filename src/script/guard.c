/* script/guard.c -- keeps the loop turning while Lua runs, and stops it.
 *
 * The timer is an interval, not re-armed by each hook, because a hook can be
 * lost: the handler may arm a coroutine that is just about to yield.  While
 * the hook turns the loop the timer stands still, so that what the loop calls
 * meets no interrupted system calls.  lua_sethook() visits every frame of the
 * stack, which takes longer than a tick when a recursion has run away: then
 * the ticks come later, or nothing but ticks would run.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "script/guard.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "script/script.h"

enum {
    TICK_NS = 3000000,
    TICK_MOST_NS = 500000000,
    TICK_SHARE = 8, /* at most one part in so many goes to the handler */
    STUCK_MS = 1000,
    LOOK_MS = 200,
    LATE_MS = 2000, /* a C call has so long to end by itself */
    ENDS_AT = 3
};

struct guard {
    struct session *session;
    timer_t timer;
    lua_State *volatile running; /* what the handler arms; NULL: nothing */
    struct activation *act;
    struct activation *cell;
    bool ticking;
    volatile long tick_ns;
    int signo;

    /* The watchdog. */
    struct pool_job *dog;
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool active, quit; /* under lock */
    char name[128];    /* under lock */
    void (*say)(void *, const char *);
    void *say_ctx;
    int fd;
    int64_t end_ms;                /* 0: never; under lock */
    atomic_int_least64_t since_ms; /* Lua has run without a hook; 0: it does
                                      not run */
    atomic_bool asked;             /* an interrupt that the watchdog took */
};

static const char interrupt_mark; /* its address is the error value */

bool
guard_is_interrupt(lua_State *L, int idx)
{
    return lua_islightuserdata(L, idx) &&
           lua_touserdata(L, idx) == (const void *)&interrupt_mark;
}

static void
push_mark(lua_State *L)
{
    /* Never written through: only compared. */
    union {
        const void *c;
        void *v;
    } mark = {&interrupt_mark};

    lua_pushlightuserdata(L, mark.v);
}

static void
set_timer(struct guard *g, bool on)
{
    long ns = on ? g->tick_ns : 0;
    struct itimerspec t = {{0, ns}, {0, ns}};

    g->ticking = on;
    timer_settime(g->timer, 0, &t, NULL);
}

static void
hook(lua_State *L, lua_Debug *ar)
{
    struct guard *g = script_guard(L);
    struct activation *a = g->act;

    (void)ar;
    lua_sethook(L, NULL, 0, 0);
    if (!a)
        return;
    if (a->deadline_ms) {
        a->interrupted = a->interrupted || loop_now_ms() >= a->deadline_ms;
        atomic_store(&g->since_ms, loop_now_ms());
    } else if (!a->interrupted) {
        guard_pause(g);
        loop_turn(session_loop(g->session), 0);
        if (atomic_exchange(&g->asked, false))
            a->interrupted = true;
        guard_resume(g);
    }
    if (a->interrupted)
        guard_raise(L);
}

static int64_t
clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A signal handler: lua_sethook() is made to be called from one. */
static void
tick(int signo, siginfo_t *info, void *ucontext)
{
    struct guard *g = info->si_value.sival_ptr;
    lua_State *L = g->running;
    int64_t start, next;

    (void)signo;
    (void)ucontext;
    if (!L)
        return;
    start = clock_ns();
    lua_sethook(L, hook, LUA_MASKCOUNT, 1);
    next = (clock_ns() - start) * TICK_SHARE;
    next = next < TICK_NS ? TICK_NS : next > TICK_MOST_NS ? TICK_MOST_NS : next;
    if (next == g->tick_ns)
        return;
    g->tick_ns = (long)next;
    if (g->ticking)
        set_timer(g, true);
}

int
guard_raise(lua_State *L)
{
    struct guard *g = script_guard(L);

    /* Again at the next instruction after whatever catches this one. */
    atomic_store(&g->since_ms, loop_now_ms());
    lua_sethook(L, hook, LUA_MASKCOUNT, 1);
    push_mark(L);
    lua_error(L);
    abort(); /* lua_error() does not return */
}

/* ---- the watchdog ---- */

static void
say_to_stderr(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "lathe: %s\n", line);
}

/* Ctrl-Cs within the next LOOK_MS; *term: and a SIGTERM. */
static int
count_interrupts(int fd, bool *term)
{
    struct timespec wait = {0, LOOK_MS * 1000000L};
    char bytes[64];
    sigset_t set;
    int n = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    switch (sigtimedwait(&set, NULL, &wait)) {
    case SIGINT:
        n++;
        break;
    case SIGTERM:
        *term = true;
    }
    if (fd >= 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got;

        if (poll(&p, 1, 0) == 1 && (got = read(fd, bytes, sizeof bytes)) > 0)
            for (ssize_t i = 0; i < got; i++)
                n += bytes[i] == 3;
    }
    return n;
}

static void
end_process(struct guard *g, int status)
{
    struct error err;
    struct store *store = session_store(g->session, false, &err);

    if (store && !store_flush(store, &err))
        g->say(g->say_ctx, err.message);
    _exit(status);
}

/* Called with the lock; Lua sits in a C call since `since`. */
static void
watch_stuck(struct guard *g, int64_t since)
{
    char line[256], name[100];
    int n = 0;

    str_put_spelt(name, sizeof name, str_of(g->name), false);
    snprintf(line, sizeof line,
             "%s is inside a C call: it cannot be interrupted; Ctrl-C "
             "three times ends lathe, finished work is saved",
             name);
    g->say(g->say_ctx, line);
    while (!g->quit && atomic_load(&g->since_ms) == since) {
        int fd = g->fd, more;
        bool late = g->end_ms && loop_now_ms() >= g->end_ms + LATE_MS;
        bool term = false;

        pthread_mutex_unlock(&g->lock);
        if (late) {
            g->say(g->say_ctx, "it took longer than --timeout allows");
            end_process(g, 1);
        }
        more = count_interrupts(fd, &term);
        n += more;
        if (more)
            atomic_store(&g->asked, true);
        if (n >= ENDS_AT || term)
            end_process(g, 128 + (term ? SIGTERM : SIGINT));
        pthread_mutex_lock(&g->lock);
    }
}

static void
wait_for(struct guard *g, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&g->change, &g->lock, &until);
}

static void
watch(void *ctx)
{
    struct guard *g = ctx;

    pthread_mutex_lock(&g->lock);
    while (!g->quit) {
        int64_t since = atomic_load(&g->since_ms);

        if (!g->active)
            pthread_cond_wait(&g->change, &g->lock);
        else if (since && loop_now_ms() - since >= STUCK_MS)
            watch_stuck(g, since);
        else
            wait_for(g, LOOK_MS);
    }
    pthread_mutex_unlock(&g->lock);
}

static void
set_active(struct guard *g, bool active, const char *name)
{
    pthread_mutex_lock(&g->lock);
    g->active = active;
    snprintf(g->name, sizeof g->name, "%s", name);
    pthread_cond_signal(&g->change);
    pthread_mutex_unlock(&g->lock);
}

void
guard_watchdog(struct guard *g, void (*say)(void *ctx, const char *line),
               int fd, void *ctx)
{
    pthread_mutex_lock(&g->lock);
    g->say = say ? say : say_to_stderr;
    g->say_ctx = ctx;
    g->fd = fd;
    pthread_mutex_unlock(&g->lock);
}

void
guard_end_at(struct guard *g, int64_t ms)
{
    pthread_mutex_lock(&g->lock);
    g->end_ms = ms;
    pthread_mutex_unlock(&g->lock);
}

/* ---- life ---- */

struct guard *
guard_new(struct session *s)
{
    struct guard *g = mem_new(sizeof *g);
    struct sigaction sa = {.sa_sigaction = tick,
                           .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID};
    pthread_condattr_t attr;
    struct error err;

    g->session = s;
    g->tick_ns = TICK_NS;
    g->signo = SIGRTMIN + 3;
    g->say = say_to_stderr;
    g->fd = -1;
    sigfillset(&sa.sa_mask);
    ev.sigev_signo = g->signo;
    ev.sigev_value.sival_ptr = g;
    ev._sigev_un._tid = gettid();
    if (sigaction(g->signo, &sa, NULL) != 0 ||
        timer_create(CLOCK_MONOTONIC, &ev, &g->timer) != 0) {
        perror("lathe: timer_create");
        abort();
    }
    pthread_mutex_init(&g->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&g->change, &attr);
    pthread_condattr_destroy(&attr);
    g->dog = pool_start(session_pool(s), watch, g, &err);
    return g;
}

void
guard_free(struct guard *g)
{
    struct timespec none = {0, 0};
    sigset_t set, old;

    if (!g)
        return;
    assert(!g->act);
    pthread_mutex_lock(&g->lock);
    g->quit = true;
    pthread_cond_signal(&g->change);
    pthread_mutex_unlock(&g->lock);
    if (g->dog)
        pool_join(g->dog);
    /* No tick that is on its way may find g gone. */
    sigemptyset(&set);
    sigaddset(&set, g->signo);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    timer_delete(g->timer);
    while (sigtimedwait(&set, NULL, &none) > 0)
        ;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->change);
    free(g);
}

void
guard_enter(struct guard *g, struct activation *a, lua_State *L,
            const char *name, int64_t budget_ms)
{
    *a = (struct activation){.outer = g->act,
                             .outer_running = g->running,
                             .outer_ticking = g->ticking};
    if (budget_ms)
        a->deadline_ms = loop_now_ms() + budget_ms;
    else
        g->cell = a;
    g->act = a;
    g->running = L;
    atomic_store(&g->asked, false);
    if (!a->outer)
        set_active(g, true, name);
    guard_resume(g);
}

void
guard_leave(struct guard *g)
{
    struct activation *a = g->act;
    lua_State *L = g->running;

    guard_pause(g);
    if (g->cell == a)
        g->cell = NULL;
    g->running = a->outer_running;
    g->act = a->outer;
    lua_sethook(L, NULL, 0, 0);
    if (a->outer_ticking)
        guard_resume(g);
    if (!g->act)
        set_active(g, false, "");
}

void
guard_pause(struct guard *g)
{
    set_timer(g, false);
    atomic_store(&g->since_ms, 0);
}

void
guard_resume(struct guard *g)
{
    atomic_store(&g->since_ms, loop_now_ms());
    set_timer(g, true);
}

lua_State *
guard_switch(struct guard *g, lua_State *L)
{
    lua_State *was = g->running;

    g->running = L;
    return was;
}

struct activation *
guard_activation(struct guard *g)
{
    return g->act;
}

bool
guard_cell(const struct guard *g)
{
    return g->cell != NULL;
}

bool
guard_interrupted(const struct guard *g)
{
    return g->cell && g->cell->interrupted;
}

void
guard_interrupt(struct guard *g)
{
    if (g->cell)
        g->cell->interrupted = true;
}
