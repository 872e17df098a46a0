/* script/lua_loss.c -- a loss as a function of Lua.
 *
 * The fit runs on a thread of the pool, Lua on the main one, which meanwhile
 * turns the loop in script_try().  So the fit posts what it asks for to the
 * mailbox and waits; the mail finds the lua_State at rest in that C call, and
 * calls the function on top of its stack, guarded like the cell itself.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include <lauxlib.h>

#include "base/mem.h"
#include "script/lua_types.h"

/* Values that the function may call for, besides its own. */
enum { STACK_ROOM = 16 };

struct lua_loss {
    struct train_loss loss;
    lua_State *L;
    int function; /* index in the stack */
};

/* What the fit wants to know, and whether it knows. */
struct asking {
    const struct lua_loss *of;
    struct frame *rows; /* score and target */
    size_t n;
    bool valid;
    double *g, *h, *loss; /* n each */
    struct error *err;
    bool ok, answered;
    pthread_mutex_t lock;
    pthread_cond_t change;
};

/* ---- on the main thread, within a protected call ---- */

static void
take_column(lua_State *L, const struct frame *f, const char *name, size_t n,
            double *out)
{
    struct error err;
    size_t col;

    if (!frame_need(f, name, &col, &err))
        script_fail(L, &err);
    if (column_type(frame_column(f, col)) == COL_TEXT)
        script_failf(L, ERR_TYPE, "'%s' is a text, expected numbers", name);
    column_numbers(frame_column(f, col), 0, n, out);
}

static void
take_frame(lua_State *L, const struct frame *f, struct asking *a)
{
    if (frame_rows(f) != a->n)
        script_failf(L, ERR_RANGE, "it gave %zu rows, expected %zu",
                     frame_rows(f), a->n);
    take_column(L, f, "gradient", a->n, a->g);
    take_column(L, f, "hessian", a->n, a->h);
    if (a->valid || frame_find(f, "loss") >= 0)
        take_column(L, f, "loss", a->n, a->loss);
}

static void
take_list(lua_State *L, int idx, const char *name, size_t n, double *out)
{
    if (!lua_istable(L, idx))
        script_failf(L, ERR_TYPE,
                     "its %s is a %s, expected a list of numbers; or a frame "
                     "with the columns gradient, hessian and loss",
                     name, luaL_typename(L, idx));
    if (lua_rawlen(L, idx) != n)
        script_failf(L, ERR_RANGE, "its %s has %zu numbers, expected %zu", name,
                     (size_t)lua_rawlen(L, idx), n);
    for (size_t i = 0; i < n; i++) {
        int number;

        lua_rawgeti(L, idx, (lua_Integer)i + 1);
        out[i] = lua_tonumberx(L, -1, &number);
        if (!number)
            script_failf(L, ERR_TYPE, "item %zu of its %s is a %s", i + 1, name,
                         luaL_typename(L, -1));
        lua_pop(L, 1);
    }
}

static int
ask(lua_State *L)
{
    struct asking *a = lua_touserdata(L, 1);
    const struct frame *f;

    luaL_checkstack(L, STACK_ROOM, "the loss has no room to be called");
    script_push_frame(L, a->rows, "loss");
    lua_call(L, 1, 3); /* the function lies at 2 */
    if ((f = script_frame(L, 2))) {
        take_frame(L, f, a);
        return 0;
    }
    take_list(L, 2, "gradient", a->n, a->g);
    take_list(L, 3, "hessian", a->n, a->h);
    if (a->valid || !lua_isnil(L, 4))
        take_list(L, 4, "loss", a->n, a->loss);
    return 0;
}

/* ---- between the threads ---- */

static bool
call(struct asking *a)
{
    lua_State *L = a->of->L;
    struct guard *g = script_guard(L);
    const char *text;
    bool ok;

    if (!lua_checkstack(L, STACK_ROOM))
        return error_set(a->err, ERR_NOMEM, "the loss has no room");
    guard_resume(g);
    lua_pushcfunction(L, ask);
    lua_pushlightuserdata(L, a);
    lua_pushvalue(L, a->of->function);
    ok = lua_pcall(L, 2, 0, 0) == LUA_OK;
    guard_pause(g);
    if (!ok) {
        text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "error";
        if (guard_interrupted(g))
            error_set(a->err, ERR_CANCELLED, "interrupted");
        else
            error_set(a->err, ERR_RANGE, "the loss: %s", text);
        lua_pop(L, 1);
    }
    /* What it was given is large, and to Lua a few bytes. */
    lua_gc(L, LUA_GCSTEP, (int)(a->n / 64 + 1));
    return ok;
}

static void
answer(void *ctx)
{
    struct asking *a = ctx;
    bool ok = call(a);

    pthread_mutex_lock(&a->lock);
    a->ok = ok;
    a->answered = true;
    pthread_cond_signal(&a->change);
    pthread_mutex_unlock(&a->lock);
}

static struct column *
copy_column(const double *x, size_t n, struct error *err)
{
    double *copy = mem_try_aligned(n, sizeof *copy, err);

    if (!copy)
        return NULL;
    memcpy(copy, x, n * sizeof *copy);
    return column_new(COL_FLOAT64, n, copy, NULL, NULL, err);
}

static struct frame *
make_rows(const double *score, const double *y, size_t n, struct error *err)
{
    static const char *const names[] = {"score", "target"};
    struct column *c[2] = {copy_column(score, n, err), NULL};

    if (c[0] && (c[1] = copy_column(y, n, err)))
        return frame_new(n, 2, names, c, err);
    column_unref(c[0]);
    return NULL;
}

static bool
find(void *ctx, const double *score, const double *y, size_t n, bool valid,
     double *g, double *h, double *loss, struct error *err)
{
    const struct lua_loss *l = ctx;
    struct asking a = {.of = l,
                       .rows = make_rows(score, y, n, err),
                       .n = n,
                       .valid = valid,
                       .g = g,
                       .h = h,
                       .loss = loss,
                       .err = err};

    if (!a.rows)
        return false;
    memset(loss, 0, n * sizeof *loss);
    pthread_mutex_init(&a.lock, NULL);
    pthread_cond_init(&a.change, NULL);
    mailbox_post(loop_mailbox(session_loop(script_session(l->L))), answer, &a);
    pthread_mutex_lock(&a.lock);
    while (!a.answered)
        pthread_cond_wait(&a.change, &a.lock);
    pthread_mutex_unlock(&a.lock);
    pthread_cond_destroy(&a.change);
    pthread_mutex_destroy(&a.lock);
    frame_unref(a.rows);
    return a.ok;
}

const struct train_loss *
script_loss(lua_State *L, int idx, const char *name)
{
    struct lua_loss *l;

    if (lua_getfield(L, idx, name) == LUA_TNIL)
        return NULL;
    luaL_checktype(L, -1, LUA_TFUNCTION);
    l = lua_newuserdatauv(L, sizeof *l, 0);
    *l = (struct lua_loss){.L = L, .function = lua_gettop(L) - 1};
    l->loss = (struct train_loss){find, l};
    return &l->loss;
}
