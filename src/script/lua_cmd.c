/* script/lua_cmd.c -- the command table from Lua, and where a notebook is.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/file.h"
#include "script/lua_project.h"
#include "script/lua_types.h"
#include "session/command.h"

struct calling {
    struct call *call;
};

static void
calling_fini(void *p)
{
    call_free(((struct calling *)p)->call);
}

static bool
run_command(struct task *t, void *ctx, struct error *err)
{
    struct calling *c = ctx;

    return call_command(c->call)->run(task_session(t), t, c->call, err);
}

static void
set_value(lua_State *L, struct calling *c, const char *name, int idx)
{
    const char *text = lua_isboolean(L, idx)
                           ? (lua_toboolean(L, idx) ? "true" : "false")
                           : luaL_tolstring(L, idx, NULL);
    struct error err;

    if (!call_set(c->call, name, text, &err))
        script_fail(L, &err);
}

/* { "positional", ..., option = value, repeated = { a, b } } */
static void
set_arguments(lua_State *L, struct calling *c, int idx)
{
    const struct arg *a = call_command(c->call)->args;
    lua_Integer n = (lua_Integer)lua_rawlen(L, idx);

    for (lua_Integer i = 1; i <= n; i++) {
        while (a && a->name && a->name[0] == '-')
            a++;
        if (!a || !a->name)
            script_failf(L, ERR_USAGE, "%s: item %d is one argument too many",
                         call_command(c->call)->name, (int)i);
        lua_rawgeti(L, idx, i);
        set_value(L, c, a->name, lua_gettop(L));
        a += !a->repeated;
    }
    script_sorted_keys(L, idx);
    for (lua_Integer i = 1, keys = lua_gettop(L);
         lua_rawgeti(L, (int)keys, i) != LUA_TNIL; i++) {
        const char *name;

        if (lua_type(L, -1) != LUA_TSTRING)
            continue;
        name = lua_tostring(L, -1);
        lua_getfield(L, idx, name);
        if (!lua_istable(L, -1)) {
            set_value(L, c, name, lua_gettop(L));
            continue;
        }
        for (lua_Integer j = 1, at = lua_gettop(L);
             lua_rawgeti(L, (int)at, j) != LUA_TNIL; j++)
            set_value(L, c, name, lua_gettop(L));
    }
}

static void
push_answer(lua_State *L, const struct calling *c)
{
    const struct buf *out = call_out(c->call);
    size_t n = out->len;
    struct json *v;
    struct error err;

    if (!call_json(c->call)) {
        while (n && out->data[n - 1] == '\n')
            n--;
        lua_pushlstring(L, out->data, n);
        return;
    }
    v = json_parse((struct str){out->data, out->len}, &err);
    if (!v)
        script_fail(L, &err);
    script_push_json(L, v);
    json_free(v);
}

static int
lathe_cmd(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct command *command = command_find(name);
    struct calling *c;
    struct error err;
    int used;

    if (!command || !(command->flags & CMD_LUA)) {
        if (!command && !command_match(1, &name, &used, &err))
            script_fail(L, &err);
        script_failf(L, ERR_USAGE, "'%s' is no command for Lua", name);
    }
    lua_settop(L, 2);
    c = script_scratch(L, sizeof *c, calling_fini);
    c->call = call_new(command);
    call_set_width(c->call, script_width(script_kernel(L)));
    if (script_plain(script_kernel(L)))
        call_set_plain(c->call);
    luaL_checkstack(L, 64, "too many arguments");
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        set_arguments(L, c, 2);
    }
    if (!call_check(c->call, &err))
        script_fail(L, &err);
    script_call(L, command->name, run_command, c);
    push_answer(L, c);
    return 1;
}

static int
lathe_here(lua_State *L)
{
    const char *name = luaL_optstring(L, 1, NULL);
    const char *folder = script_folder(L);

    if (!name)
        lua_pushstring(L, *folder ? folder : ".");
    else if (!*folder || *name == '/')
        lua_pushstring(L, name);
    else
        lua_pushfstring(L, "%s/%s", folder, name);
    return 1;
}

const struct binding lua_cmd_functions[] = {
    {"cmd", lathe_cmd, "lathe.cmd(name [, arguments])",
     "Runs a command of the shell: lathe.cmd(\"runs ls\", { limit = 5 }). Its\n"
     "text, or with json = true what it printed as tables."},
    {"here", lathe_here, "lathe.here([name])",
     "The path of a file beside the running notebook; without a name its folder."},
    {NULL, NULL, NULL, NULL},
};
