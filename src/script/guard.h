/* script/guard.h -- keeps the loop turning while Lua runs, and stops it.
 *
 * While Lua runs, a 3 ms timer signals the main thread; its handler arms a
 * count hook on the running lua_State, which is what lua_sethook() allows a
 * handler to do.  The hook disarms itself and turns the loop once.  So Lua
 * pays nothing between two ticks, and any chunk, also inside a sort's
 * comparator, a metamethod or a coroutine, leaves the screen alive.
 *
 * An interrupt is a state of the activation, not one error: the hook goes on
 * raising until the stack is back at guard_leave(), and our pcall, xpcall,
 * resume, wrap and close (lua_base.c) pass it on.
 *
 * A watchdog thread speaks when no hook has run for a second while Lua runs:
 * then the chunk is inside one long C call.
 *
 * Main thread only, but for the watchdog.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_GUARD_H
#define LATHE_SCRIPT_GUARD_H

#include <lua.h>

#include "session/session.h"

struct guard;

/* One call from the loop into Lua; on the caller's stack. */
struct activation {
    struct activation *outer;
    lua_State *outer_running;
    bool outer_ticking;
    bool interrupted;
    int64_t deadline_ms; /* monotonic; 0: none, and the loop is turned */
};

struct guard *guard_new(struct session *s);
void guard_free(struct guard *g); /* nothing may be running */

/* name: what runs, for the watchdog.  budget_ms 0: a cell; else Lua that the
 * loop itself calls: it does not turn the loop, and is stopped after so long. */
void guard_enter(struct guard *g, struct activation *a, lua_State *L,
                 const char *name, int64_t budget_ms);
void guard_leave(struct guard *g);
/* Lua waits for something that turns the loop by itself. */
void guard_pause(struct guard *g);
void guard_resume(struct guard *g);

/* The state that runs from now on; returns the one that ran before. */
lua_State *guard_switch(struct guard *g, lua_State *L);
struct activation *guard_activation(struct guard *g); /* NULL: none */
bool guard_cell(const struct guard *g);               /* a cell runs */
bool guard_interrupted(const struct guard *g);        /* and is to stop */
void guard_interrupt(struct guard *g);                /* that cell */
/* Raise the interrupt. */
int guard_raise(lua_State *L) NORETURN;
/* Is the value at idx what guard_raise() raised? */
bool guard_is_interrupt(lua_State *L, int idx);

/* What to do when Lua sits in a C call: say(ctx, line) is called on the
 * watchdog's thread; three SIGINTs, or three Ctrl-C bytes read from fd (-1:
 * none), or a SIGTERM, end the process, what is finished being saved. */
void guard_watchdog(struct guard *g, void (*say)(void *ctx, const char *line),
                    int fd, void *ctx);
/* A C call that is still there 2 s after loop_now_ms() is ms ends the process
 * with status 1; 0: never. */
void guard_end_at(struct guard *g, int64_t ms);
#endif
