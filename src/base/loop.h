/* base/loop.h -- the one event loop: files, timers, signals, children, mail.
 *
 * The main thread turns it.  loop_turn() may be called from inside a callback
 * (a running notebook cell turns the loop within itself): watches may be added
 * and removed at any time, also by their own callback; a removed watch is not
 * called again.  A callback that is on the stack is not entered again by an
 * inner turn unless it was added with LOOP_REENTER.
 *
 * Idle costs nothing: without a due timer poll() sleeps for ever.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_LOOP_H
#define LATHE_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mailbox.h"

struct loop;
struct loop_watch;

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HUP = 4, LOOP_REENTER = 16 };

/* events: what poll() reported, LOOP_READ | LOOP_WRITE | LOOP_HUP; for a
 * timer 0; for a signal its number; for a child its wait status. */
typedef void loop_fn(void *ctx, int events);

struct loop *loop_new(void); /* aborts without memory or descriptors */
void loop_free(struct loop *l);
struct mailbox *loop_mailbox(struct loop *l); /* drained by every turn */

struct loop_watch *
loop_fd(struct loop *l, int fd, int events, loop_fn *fn, void *ctx);
void loop_fd_events(struct loop_watch *w, int events);
/* Due after ms, then every ms when repeat. Timers are CLOCK_MONOTONIC. */
struct loop_watch *
loop_timer(struct loop *l, int64_t ms, bool repeat, loop_fn *fn, void *ctx);
void loop_timer_set(struct loop_watch *w, int64_t ms); /* re-arm from now */
/* Signals are blocked in all threads and read through a signalfd. */
struct loop_watch *
loop_signal(struct loop *l, int signo, loop_fn *fn, void *ctx);
/* Called once when the child has ended and was reaped. */
struct loop_watch *
loop_child(struct loop *l, pid_t pid, loop_fn *fn, void *ctx);
void loop_remove(struct loop_watch *w); /* NULL is fine; timers that fired
                                           once are removed by themselves */

/* Wait at most timeout_ms (-1: until something happens, 0: just look) and call
 * what is due.  Returns how many callbacks were called. */
int loop_turn(struct loop *l, int timeout_ms);
int64_t loop_now_ms(void);  /* monotonic */
int64_t loop_now_us(void);  /* monotonic */
int64_t loop_wall_ms(void); /* since 1970, UTC */
#endif
