/* script/lua_base.c -- the standard library, made safe for a screen.
 *
 * pcall, xpcall and the coroutine functions are ours, because they are where
 * an interrupt could be caught or lost: they pass a pending one on, and they
 * tell the guard which lua_State runs.  setmetatable refuses a __gc written
 * in Lua, which would run with hooks off.  What would block or end the
 * process is refused with a word on what to do instead; print and io.write go
 * to the cell's output.
 *
 * A coroutine that an interrupt ended keeps its hooks off for good (the error
 * left through the hook), so its pending __close values are never run: they
 * could not be stopped.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/file.h"
#include "script/script.h"

static bool
interrupted(lua_State *L)
{
    struct activation *a = guard_activation(script_guard(L));

    return a && a->interrupted;
}

/* ---- protected calls ---- */

static int
finish_pcall(lua_State *L, int status, lua_KContext extra)
{
    if (interrupted(L))
        guard_raise(L);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_pushboolean(L, 0);
        lua_pushvalue(L, -2);
        return 2;
    }
    return lua_gettop(L) - (int)extra;
}

static int
base_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    return finish_pcall(
        L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall),
        0);
}

/* Upvalue 1: the user's handler.  An interrupt skips it: it would run inside
 * the hook, where no hook can stop it. */
static int
handler(lua_State *L)
{
    if (interrupted(L))
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int
base_xpcall(lua_State *L)
{
    int n = lua_gettop(L);

    luaL_checkany(L, 2);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, handler, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    return finish_pcall(
        L, lua_pcallk(L, n - 2, LUA_MULTRET, 2, 2, finish_pcall), 2);
}

/* ---- coroutines ---- */

static lua_State *
check_thread(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);

    luaL_argexpected(L, co, 1, "coroutine");
    return co;
}

/* Results on top of L and their count, or the error and -1. */
static int
resume(lua_State *L, lua_State *co, int n_args)
{
    struct guard *g = script_guard(L);
    lua_State *was;
    int status, n;

    if (!lua_checkstack(co, n_args)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, n_args);
    was = guard_switch(g, co);
    status = lua_resume(co, L, n_args, &n);
    guard_switch(g, was);
    if (interrupted(L))
        guard_raise(L);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, n + 1)) {
        lua_pop(co, n);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, n);
    return n;
}

static int
co_resume(lua_State *L)
{
    lua_State *co = check_thread(L);
    int n = resume(L, co, lua_gettop(L) - 1);

    lua_pushboolean(L, n >= 0);
    lua_insert(L, n < 0 ? -2 : -(n + 1));
    return n < 0 ? 2 : n + 1;
}

/* Closes what is pending in a coroutine; its status. */
static int
reset(lua_State *L, lua_State *co)
{
    struct guard *g = script_guard(L);
    lua_State *was = guard_switch(g, co);
    int status = lua_resetthread(co);

    guard_switch(g, was);
    if (interrupted(L))
        guard_raise(L);
    return status;
}

static int
co_wrapped(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int n = resume(L, co, lua_gettop(L));
    int status;

    if (n >= 0)
        return n;
    status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {
        status = reset(L, co);
        if (status != LUA_OK)
            lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int
co_create(lua_State *L)
{
    lua_State *co;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    co = lua_newthread(L);
    lua_sethook(co, NULL, 0, 0); /* it inherits an armed one */
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static int
co_wrap(lua_State *L)
{
    co_create(L);
    lua_pushcclosure(L, co_wrapped, 1);
    return 1;
}

static bool
closable(lua_State *L, lua_State *co)
{
    lua_Debug ar;
    int status = lua_status(co);

    if (co == L)
        return false;
    return status != LUA_OK || !lua_getstack(co, 0, &ar);
}

static int
co_close(lua_State *L)
{
    lua_State *co = check_thread(L);

    if (!closable(L, co))
        return luaL_error(L, "cannot close a running coroutine");
    if (lua_status(co) > LUA_YIELD && guard_is_interrupt(co, -1)) {
        lua_pushboolean(L, 1);
        return 1;
    }
    if (reset(L, co) == LUA_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
}

/* ---- the rest ---- */

static int
base_setmetatable(lua_State *L)
{
    int t = lua_type(L, 2);

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, t == LUA_TNIL || t == LUA_TTABLE, 2, "nil or table");
    if (t == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "a __gc written in Lua is refused: it could "
                                 "not be interrupted; use __close");
    }
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int
base_print(lua_State *L)
{
    int n = lua_gettop(L);
    struct buf *out = script_buf(L);

    for (int i = 1; i <= n; i++) {
        size_t len;
        const char *s = luaL_tolstring(L, i, &len);

        if (i > 1)
            buf_putc(out, '\t');
        buf_add(out, s, len);
        lua_pop(L, 1);
    }
    buf_putc(out, '\n');
    script_emit_text(script_kernel(L), out->data, out->len);
    return 0;
}

/* Shared by io.write(...) and io.stdout:write(...). */
static int
write_from(lua_State *L, int first)
{
    int n = lua_gettop(L);
    struct buf *out = script_buf(L);

    for (int i = first; i <= n; i++) {
        size_t len;
        const char *s = luaL_checklstring(L, i, &len);

        buf_add(out, s, len);
    }
    script_emit_text(script_kernel(L), out->data, out->len);
    return 0;
}

static int
io_write(lua_State *L)
{
    write_from(L, 1);
    lua_getglobal(L, "io");
    lua_getfield(L, -1, "stdout");
    return 1;
}

static int
stdout_write(lua_State *L)
{
    write_from(L, 2);
    lua_settop(L, 1);
    return 1;
}

static int
returns_itself(lua_State *L)
{
    lua_settop(L, 1);
    return 1;
}

/* Upvalue 1: the sentence. */
static int
refuse(lua_State *L)
{
    return luaL_error(L, "%s", lua_tostring(L, lua_upvalueindex(1)));
}

/* Upvalue 1: a function that would read standard input without a name. */
static int
needs_name(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static void
set_needs_name(lua_State *L, const char *module, const char *name)
{
    lua_getglobal(L, module);
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, needs_name, 1);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

static void
set_refused(lua_State *L, const char *module, const char *name, const char *why)
{
    lua_getglobal(L, module);
    lua_pushstring(L, why);
    lua_pushcclosure(L, refuse, 1);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

static void
open_io(lua_State *L)
{
    static const luaL_Reg out[] = {{"write", stdout_write},
                                   {"flush", returns_itself},
                                   {"setvbuf", returns_itself},
                                   {NULL, NULL}};
    static const char no_read[] =
        "standard input belongs to the workbench: read a file instead";
    static const char no_run[] =
        "this would freeze the screen: use `lathe job run -- COMMAND`";

    lua_getglobal(L, "io");
    luaL_newlib(L, out);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "stdout");
    lua_setfield(L, -2, "stderr");
    lua_pushnil(L);
    lua_setfield(L, -2, "stdin");
    lua_pushcfunction(L, io_write);
    lua_setfield(L, -2, "write");
    lua_pop(L, 1);
    luaL_getmetatable(L, LUA_FILEHANDLE);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable"); /* nobody gives it another __gc */
    lua_pop(L, 1);
    set_needs_name(L, "_G", "dofile");
    set_needs_name(L, "_G", "loadfile");
    set_needs_name(L, "io", "lines");
    set_refused(L, "io", "read", no_read);
    set_refused(L, "io", "input", no_read);
    set_refused(L, "io", "output",
                "io.write goes to the cell's output: use "
                "io.open to write a file");
    set_refused(L, "io", "popen", no_run);
    set_refused(L, "os", "execute", no_run);
    set_refused(L, "os", "exit",
                "this would end the workbench: use error() "
                "to stop a cell");
    set_refused(L, "os", "setlocale",
                "numbers are read and written in the C "
                "locale always");
}

/* debug keeps what looks, and loses what changes. */
static void
open_debug(lua_State *L)
{
    static const char *const keep[] = {"traceback", "getinfo", NULL};

    lua_getglobal(L, "debug");
    lua_createtable(L, 0, 2);
    for (const char *const *name = keep; *name; name++) {
        lua_getfield(L, -2, *name);
        lua_setfield(L, -2, *name);
    }
    lua_setglobal(L, "debug");
    lua_pop(L, 1);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getglobal(L, "debug");
    lua_setfield(L, -2, "debug");
    lua_pop(L, 1);
}

/* require finds Lua files beside the notebook and in lathe's own folder; no
 * native code. */
static void
open_package(lua_State *L)
{
    struct error err;
    char *ours = file_data_path("lua/lathe/init.lua", &err);

    lua_getglobal(L, "package");
    lua_pushliteral(L, "./?.lua;./?/init.lua");
    if (ours) {
        char *slash = strstr(ours, "lathe/init.lua");

        lua_pushliteral(L, ";");
        lua_pushlstring(L, ours, (size_t)(slash - ours));
        lua_pushliteral(L, "?.lua;");
        lua_pushlstring(L, ours, (size_t)(slash - ours));
        lua_pushliteral(L, "?/init.lua");
        lua_concat(L, 6);
        free(ours);
    }
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_pushnil(L);
    lua_setfield(L, -2, "loadlib");
    lua_getfield(L, -1, "searchers");
    lua_pushnil(L);
    lua_rawseti(L, -2, 4);
    lua_pushnil(L);
    lua_rawseti(L, -2, 3);
    lua_pop(L, 2);
}

void
lua_base_open(lua_State *L)
{
    static const luaL_Reg base[] = {{"pcall", base_pcall},
                                    {"xpcall", base_xpcall},
                                    {"setmetatable", base_setmetatable},
                                    {"print", base_print},
                                    {NULL, NULL}};
    static const luaL_Reg co[] = {{"create", co_create},
                                  {"resume", co_resume},
                                  {"wrap", co_wrap},
                                  {"close", co_close},
                                  {NULL, NULL}};

    luaL_openlibs(L);
    lua_pushglobaltable(L);
    luaL_setfuncs(L, base, 0);
    lua_getfield(L, -1, "coroutine");
    luaL_setfuncs(L, co, 0);
    lua_pop(L, 2);
    open_io(L);
    open_debug(L);
    open_package(L);
}
