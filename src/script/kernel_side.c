/* script/kernel_side.c -- what the loop itself asks of Lua, also while a cell
 * runs: keys and plugins, variables, parameters, is this line whole.
 *
 * It runs on a lua_State of its own, since hooks are off on the one whose hook
 * turns the loop, and within 100 ms.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/mem.h"
#include "script/kernel_state.h"

enum { EVAL_MS = 100 };

/* ---- for the loop itself ---- */

/* Call the function with n arguments on top of k->side, with the budget. */
static bool
side_call(struct kernel *k, int n_args, int n_results, struct error *err)
{
    struct activation a;
    lua_State *L = k->side;
    bool ok, bounded = k->bounded;

    guard_enter(k->guard, &a, L, "a callback", EVAL_MS);
    k->bounded = true;
    ok = lua_pcall(L, n_args, n_results, 0) == LUA_OK;
    k->bounded = bounded;
    if (!ok && a.interrupted)
        error_set(err, ERR_TIMEOUT, "it took longer than %d ms", EVAL_MS);
    else if (!ok)
        error_set(err, ERR_STATE, "%s",
                  lua_tostring(L, -1) ? lua_tostring(L, -1) : "?");
    guard_leave(k->guard);
    if (!ok)
        lua_pop(L, 1);
    return ok;
}

/* Arguments: the chunk, a light userdata with a struct buf. */
static int
eval_body(lua_State *L)
{
    struct buf *out = lua_touserdata(L, 2);
    size_t len;
    const char *s;

    lua_settop(L, 1);
    lua_call(L, 0, 1);
    if (out && !lua_isnil(L, 1)) {
        s = luaL_tolstring(L, 1, &len);
        buf_add(out, s, len);
    }
    return 0;
}

bool
kernel_eval(struct kernel *k, struct str code, const char *name,
            struct buf *out, struct error *err)
{
    lua_State *L = k->side;
    char chunk_name[CHUNK_NAME], source[sizeof k->source];
    bool is_call;

    if (guard_activation(k->guard) && !guard_cell(k->guard))
        return error_set(err, ERR_STATE, "a callback is running");
    memcpy(source, k->source, sizeof source);
    kernel_name_chunk(k, name, chunk_name);
    lua_pushcfunction(L, eval_body);
    if (!kernel_load(k, L, code, name, 1, &is_call, err)) {
        lua_pop(L, 1);
        memcpy(k->source, source, sizeof source);
        return false;
    }
    memcpy(k->source, source, sizeof source);
    lua_pushlightuserdata(L, out);
    return side_call(k, 2, 0, err);
}

/* "for i = 1, 2 do" ends too early; so does "1 +", as an expression. */
static bool
ends_early(lua_State *L, struct str code, const char *before)
{
    static const char eof[] = "near <eof>";
    struct buf whole;
    const char *text;
    size_t len;
    bool early = false;

    buf_init(&whole);
    buf_puts(&whole, before);
    buf_add(&whole, code.p, code.n);
    if (luaL_loadbufferx(L, whole.data, whole.len, "=input", "t") != LUA_OK) {
        text = lua_tolstring(L, -1, &len);
        early = text && len >= sizeof eof - 1 &&
                strcmp(text + len - (sizeof eof - 1), eof) == 0;
    }
    lua_pop(L, 1);
    buf_fini(&whole);
    return early;
}

enum chunk_state
kernel_check(struct kernel *k, struct str code, struct error *err)
{
    lua_State *L = k->side;
    bool is_call;
    int line = k->error_line;
    enum chunk_state state = CHUNK_WHOLE;
    char source[sizeof k->source];

    memcpy(source, k->source, sizeof source);
    if (kernel_load(k, L, code, "input", 1, &is_call, err))
        lua_pop(L, 1);
    else
        state = ends_early(L, code, "") || ends_early(L, code, "return ")
                    ? CHUNK_MORE
                    : CHUNK_WRONG;
    memcpy(k->source, source, sizeof source);
    k->error_line = line;
    return state;
}

bool
kernel_has_global(struct kernel *k, const char *name)
{
    lua_State *L = k->side;
    bool bounded = k->bounded, has;

    k->bounded = false;
    lua_pushglobaltable(L);
    lua_pushstring(L, name);
    has = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    k->bounded = bounded;
    return has;
}

bool
kernel_set_global(struct kernel *k, const char *name, struct str literal,
                  struct error *err)
{
    lua_State *L = k->side;
    bool ok = true, bounded = k->bounded;
    int64_t i;
    double x;
    int type;

    k->bounded = false;
    lua_pushglobaltable(L);
    lua_pushstring(L, name);
    lua_pushvalue(L, -1);
    type = lua_rawget(L, -3);
    lua_pop(L, 1);
    if (type == LUA_TBOOLEAN && !str_is(literal, "true") &&
        !str_is(literal, "false"))
        ok = error_set(err, ERR_USAGE, "%s is '%.*s', expected true or false",
                       name, (int)literal.n, literal.p);
    else if (type == LUA_TSTRING)
        lua_pushlstring(L, literal.p, literal.n);
    else if (str_to_i64(literal, &i))
        lua_pushinteger(L, i);
    else if (str_to_f64(literal, &x))
        lua_pushnumber(L, x);
    else if (type == LUA_TNUMBER)
        ok = error_set(err, ERR_USAGE, "%s is '%.*s', expected a number", name,
                       (int)literal.n, literal.p);
    else if (str_is(literal, "true") || str_is(literal, "false"))
        lua_pushboolean(L, str_is(literal, "true"));
    else
        lua_pushlstring(L, literal.p, literal.n);
    if (ok)
        lua_rawset(L, -3);
    lua_settop(L, 0);
    k->bounded = bounded;
    return ok;
}

/* ---- looking inside ---- */

static bool
is_users(lua_State *L, const char *name)
{
    bool builtin;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &script_kernel(L)->L);
    lua_getfield(L, -1, name);
    builtin = !lua_isnil(L, -1);
    lua_pop(L, 2);
    return !builtin;
}

struct collected {
    struct variable *v;
    size_t n;
};

/* One line on the value on top of L. Raises what __tostring raises. */
static void
put_brief(lua_State *L, struct buf *out)
{
    struct object *o = script_object(L, -1);
    char *end;

    if (o && o->p && o->type->brief)
        o->type->brief(o->p, out);
    else
        script_describe(L, lua_gettop(L), out, 60);
    end = strchr(out->data, '\n');
    if (end)
        out->len = (size_t)(end - out->data);
    if (str_width((struct str){out->data, out->len}) > 60) {
        out->len = str_fit((struct str){out->data, out->len}, 59, NULL);
        out->data[out->len] = '\0';
        buf_puts(out, "…");
    }
    if (out->data && out->cap)
        out->data[out->len] = '\0';
}

/* Arguments: name, value, light userdata of a struct collected. */
static int
collect_one(lua_State *L)
{
    struct collected *c = lua_touserdata(L, 3);
    struct buf *text = script_buf(L);
    struct object *o;
    struct variable *v;

    lua_pushvalue(L, 2);
    put_brief(L, text);
    o = script_object(L, 2);
    v = &c->v[c->n];
    v->name = mem_text(lua_tostring(L, 1));
    v->type = mem_text(o ? o->type->name : luaL_typename(L, 2));
    v->text = mem_text(text->data);
    c->n++;
    return 0;
}

/* Pushes a sorted list of the names of the user's globals. */
static int
user_names(lua_State *L)
{
    int n = 0;

    lua_newtable(L);
    lua_pushglobaltable(L);
    script_sorted_keys(L, lua_gettop(L));
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
        if (lua_type(L, -1) == LUA_TSTRING && is_users(L, lua_tostring(L, -1)))
            lua_rawseti(L, -4, ++n);
        else
            lua_pop(L, 1);
    }
    lua_pop(L, 3);
    return 1;
}

size_t
kernel_variables(struct kernel *k, struct variable **out)
{
    lua_State *L = k->side;
    struct collected c = {NULL, 0};
    struct error err;
    size_t n;

    *out = NULL;
    if (guard_activation(k->guard) && !guard_cell(k->guard))
        return 0;
    lua_pushcfunction(L, user_names);
    if (!side_call(k, 0, 1, &err))
        return 0;
    n = lua_rawlen(L, -1);
    c.v = mem_new((n + 1) * sizeof *c.v);
    for (size_t i = 1; i <= n; i++) {
        lua_pushcfunction(L, collect_one);
        lua_rawgeti(L, -2, (lua_Integer)i);
        lua_pushglobaltable(L);
        lua_pushvalue(L, -2);
        lua_rawget(L, -2);
        lua_remove(L, -2);
        lua_pushlightuserdata(L, &c);
        if (!side_call(k, 3, 0, &err)) {
            lua_rawgeti(L, -1, (lua_Integer)i);
            c.v[c.n].name = mem_text(lua_tostring(L, -1));
            c.v[c.n].type = mem_text("?");
            c.v[c.n++].text = mem_text(err.message);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    *out = c.v;
    return c.n;
}

void
variables_free(struct variable *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(v[i].name);
        free(v[i].type);
        free(v[i].text);
    }
    free(v);
}
