/* script/object.c -- the userdata of the library, options, scratch, errors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/mem.h"
#include "frame/synonym.h"
#include "script/script.h"

enum { GC_STEP_KB = 1024 };

/* ---- errors ---- */

int
script_fail(lua_State *L, const struct error *err)
{
    struct activation *a = guard_activation(script_guard(L));

    if (a && a->interrupted)
        guard_raise(L);
    script_remember(L, err);
    luaL_where(L, 1);
    lua_pushstring(L, err->message);
    lua_concat(L, 2);
    lua_error(L);
    abort(); /* lua_error() does not return */
}

int
script_failf(lua_State *L, enum error_code code, const char *fmt, ...)
{
    struct error err;
    va_list ap;

    va_start(ap, fmt);
    error_vset(&err, code, fmt, ap);
    va_end(ap);
    script_fail(L, &err);
}

/* ---- objects ---- */

/* Registry: address of the type -> its metatable. */
static void
push_metatable(lua_State *L, const struct object_type *t)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, t);
}

struct object *
script_object(lua_State *L, int idx)
{
    struct object *o;
    bool ours = false;

    idx = lua_absindex(L, idx);
    o = lua_touserdata(L, idx);
    if (!o || lua_islightuserdata(L, idx) || !lua_getmetatable(L, idx))
        return NULL;
    if (lua_rawlen(L, idx) == sizeof *o) {
        push_metatable(L, o->type);
        ours = lua_rawequal(L, -1, -2);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return ours ? o : NULL;
}

struct object *
script_new(lua_State *L, const struct object_type *t)
{
    struct object *o = lua_newuserdatauv(L, sizeof *o, 1);

    o->type = t;
    o->p = NULL;
    push_metatable(L, t);
    lua_setmetatable(L, -2);
    return o;
}

void *
script_test(lua_State *L, int idx, const struct object_type *t)
{
    struct object *o = script_object(L, idx);

    return o && o->type == t ? o->p : NULL;
}

static const char *
kind_of(lua_State *L, int idx)
{
    struct object *o = script_object(L, idx);

    return o                    ? o->type->name
           : lua_isnone(L, idx) ? "nothing"
                                : luaL_typename(L, idx);
}

void *
script_check(lua_State *L, int idx, const struct object_type *t)
{
    struct object *o = script_object(L, idx);
    const char *msg;

    if (o && o->type == t && o->p)
        return o->p;
    if (o && o->type == t)
        msg = lua_pushfstring(L, "the %s is closed", t->name);
    else
        msg = lua_pushfstring(L, "expected a %s, got %s", t->name,
                              kind_of(L, idx));
    luaL_argerror(L, idx, msg);
    return NULL;
}

static int
object_close(lua_State *L)
{
    struct object *o = lua_touserdata(L, 1);
    void *p = o->p;

    o->p = NULL;
    if (p)
        o->type->free(p);
    return 0;
}

static int
object_tostring(lua_State *L)
{
    struct object *o = lua_touserdata(L, 1);
    struct kernel *k = script_kernel(L);
    struct buf *out = script_buf(L);

    if (!o->p) {
        lua_pushfstring(L, "closed %s", o->type->name);
        return 1;
    }
    o->type->print(k, o->p, script_width(k), out);
    while (out->len && out->data[out->len - 1] == '\n')
        out->data[--out->len] = '\0';
    lua_pushlstring(L, out->data, out->len);
    return 1;
}

static bool
push_method(lua_State *L, const struct object_type *t, const char *name)
{
    for (const struct binding *b = t->methods; b && b->name; b++)
        if (strcmp(b->name, name) == 0) {
            push_metatable(L, t);
            lua_getfield(L, -1, "methods");
            lua_getfield(L, -1, name);
            return true;
        }
    return false;
}

static bool
no_such_field(lua_State *L, const struct object_type *t, const char *name)
{
    const char *names[64], *nearest;
    const char *a = strchr("aeiou", t->name[0]) ? "an" : "a";
    size_t n = 0;

    for (const struct binding *b = t->methods; b && b->name && n < 64; b++)
        names[n++] = b->name;
    for (const char *const *f = t->fields; f && *f && n < 64; f++)
        names[n++] = *f;
    nearest = synonym_nearest(str_of(name), names, n);
    if (nearest)
        luaL_error(L, "%s %s has no '%s' (did you mean '%s'?)", a, t->name,
                   name, nearest);
    luaL_error(L, "%s %s has no '%s'", a, t->name, name);
    return false;
}

static int
object_index(lua_State *L)
{
    struct object *o = lua_touserdata(L, 1);
    const char *name = luaL_checkstring(L, 2);

    if (push_method(L, o->type, name))
        return 1;
    if (!o->p)
        luaL_error(L, "the %s is closed", o->type->name);
    if (o->type->field && o->type->field(L, o->p, name))
        return 1;
    no_such_field(L, o->type, name);
    return 0;
}

void
script_type(lua_State *L, const struct object_type *t)
{
    static const luaL_Reg meta[] = {{"__gc", object_close},
                                    {"__close", object_close},
                                    {"__tostring", object_tostring},
                                    {"__index", object_index},
                                    {NULL, NULL}};

    lua_createtable(L, 0, 8);
    luaL_setfuncs(L, meta, 0);
    lua_pushstring(L, t->name);
    lua_setfield(L, -2, "__name");
    lua_pushstring(L, t->name);
    lua_setfield(L, -2, "__metatable");
    if (t->len) {
        lua_pushcfunction(L, t->len);
        lua_setfield(L, -2, "__len");
    }
    lua_newtable(L);
    for (const struct binding *b = t->methods; b && b->name; b++) {
        lua_pushcfunction(L, b->fn);
        lua_setfield(L, -2, b->name);
    }
    lua_setfield(L, -2, "methods");
    lua_rawsetp(L, LUA_REGISTRYINDEX, t);
}

/* ---- scratch ---- */

struct scratch {
    void (*fini)(void *p);
    _Alignas(16) unsigned char data[];
};

static const char scratch_key;

static int
scratch_gc(lua_State *L)
{
    struct scratch *s = lua_touserdata(L, 1);

    if (s->fini)
        s->fini(s->data);
    s->fini = NULL;
    return 0;
}

void *
script_scratch(lua_State *L, size_t size, void (*fini)(void *p))
{
    struct scratch *s = lua_newuserdatauv(L, sizeof *s + size, 0);

    memset(s, 0, sizeof *s + size);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &scratch_key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 2);
        lua_pushcfunction(L, scratch_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &scratch_key);
    }
    s->fini = fini;
    lua_setmetatable(L, -2);
    return s->data;
}

static void
buf_release(void *p)
{
    buf_fini(p);
}

struct buf *
script_buf(lua_State *L)
{
    struct buf *b = script_scratch(L, sizeof *b, buf_release);

    buf_init(b);
    return b;
}

static void
output_release(void *p)
{
    output_fini(p);
}

struct output *
script_output(lua_State *L)
{
    return script_scratch(L, sizeof(struct output), output_release);
}

/* ---- calls into the engine ---- */

static bool
was_interrupted(void *ctx)
{
    const struct activation *a = ctx;

    return a->interrupted;
}

bool
script_try(lua_State *L, const char *title,
           bool (*run)(struct task *t, void *ctx, struct error *err), void *ctx,
           struct error *err)
{
    struct guard *g = script_guard(L);
    struct activation *a = guard_activation(g);
    struct task_spec spec = {
        .title = title ? title : "", .run = run, .ctx = ctx, .quiet = !title};
    bool ok;

    if (a->deadline_ms)
        return error_set(err, ERR_STATE,
                         "this takes too long to be done "
                         "here: run it in a cell");
    guard_pause(g);
    ok = task_call(script_session(L), &spec, was_interrupted, a, err);
    guard_resume(g);
    /* To Lua a frame is a few bytes: without a push, a loop that makes frames
     * would outrun the collector. */
    lua_gc(L, LUA_GCSTEP, GC_STEP_KB);
    if (ok && a->interrupted)
        ok = error_set(err, ERR_CANCELLED, "interrupted");
    return ok;
}

void
script_call(lua_State *L, const char *title,
            bool (*run)(struct task *t, void *ctx, struct error *err),
            void *ctx)
{
    struct error err;

    if (!script_try(L, title, run, ctx, &err))
        script_fail(L, &err);
}

/* ---- options ---- */

void
script_options(lua_State *L, int idx, const char *const *allowed)
{
    const char *nearest;
    size_t n = 0;

    if (lua_isnoneornil(L, idx))
        return;
    luaL_checktype(L, idx, LUA_TTABLE);
    while (allowed[n])
        n++;
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        const char *key;
        bool known = false;

        if (lua_type(L, -2) != LUA_TSTRING)
            script_failf(L, ERR_USAGE, "options have names: { %s = ... }",
                         allowed[0]);
        key = lua_tostring(L, -2);
        for (size_t i = 0; i < n; i++)
            known = known || strcmp(allowed[i], key) == 0;
        nearest = known ? NULL : str_nearest(str_of(key), allowed, n);
        if (nearest)
            script_failf(L, ERR_USAGE, "no option '%s' (did you mean '%s'?)",
                         key, nearest);
        if (!known)
            script_failf(L, ERR_USAGE, "no option '%s'", key);
        lua_pop(L, 1);
    }
}

static bool
get_option(lua_State *L, int idx, const char *name)
{
    if (lua_isnoneornil(L, idx))
        return false;
    luaL_checktype(L, idx, LUA_TTABLE);
    if (lua_getfield(L, idx, name) != LUA_TNIL)
        return true;
    lua_pop(L, 1);
    return false;
}

static void
wrong_option(lua_State *L, const char *name, const char *want)
{
    script_failf(L, ERR_TYPE, "option '%s' is a %s, expected %s", name,
                 kind_of(L, -1), want);
}

const char *
script_opt_text(lua_State *L, int idx, const char *name, const char *fallback)
{
    const char *text;

    if (!get_option(L, idx, name))
        return fallback;
    if (lua_type(L, -1) != LUA_TSTRING)
        wrong_option(L, name, "a text");
    text = lua_tostring(L, -1);
    lua_pop(L, 1); /* the options hold it */
    return text;
}

double
script_opt_number(lua_State *L, int idx, const char *name, double fallback)
{
    double x;

    if (!get_option(L, idx, name))
        return fallback;
    if (lua_type(L, -1) != LUA_TNUMBER)
        wrong_option(L, name, "a number");
    x = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return x;
}

int64_t
script_opt_int(lua_State *L, int idx, const char *name, int64_t fallback)
{
    int64_t x;

    if (!get_option(L, idx, name))
        return fallback;
    if (!lua_isinteger(L, -1))
        wrong_option(L, name, "a whole number");
    x = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return x;
}

bool
script_opt_bool(lua_State *L, int idx, const char *name, bool fallback)
{
    bool x;

    if (!get_option(L, idx, name))
        return fallback;
    if (!lua_isboolean(L, -1))
        wrong_option(L, name, "true or false");
    x = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return x;
}

/* A list has no names: one would be passed over without a word. */
static void
check_list(lua_State *L, int idx, const char *what)
{
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING)
            script_failf(L, ERR_TYPE,
                         "%s: '%s' is a name, expected a list of texts", what,
                         lua_tostring(L, -2));
}

const char *const *
script_texts(lua_State *L, int idx, const char *what)
{
    const char **out;
    size_t n;

    idx = lua_absindex(L, idx);
    if (lua_type(L, idx) == LUA_TSTRING) {
        out = lua_newuserdatauv(L, 2 * sizeof *out, 1);
        out[0] = lua_tostring(L, idx);
        out[1] = NULL;
        lua_pushvalue(L, idx);
        lua_setiuservalue(L, -2, 1);
        return out;
    }
    if (lua_type(L, idx) != LUA_TTABLE)
        script_failf(L, ERR_TYPE,
                     "%s is a %s, expected a text or a list of "
                     "texts",
                     what, luaL_typename(L, idx));
    check_list(L, idx, what);
    n = lua_rawlen(L, idx);
    out = lua_newuserdatauv(L, (n + 1) * sizeof *out, 1);
    lua_pushvalue(L, idx);
    lua_setiuservalue(L, -2, 1);
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, idx, (lua_Integer)i + 1) != LUA_TSTRING)
            script_failf(L, ERR_TYPE, "%s: item %zu is a %s, expected a text",
                         what, i + 1, luaL_typename(L, -1));
        out[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    out[n] = NULL;
    return out;
}

const char *const *
script_aggregates(lua_State *L, int idx)
{
    static const char what[] = "aggregates";
    int keys, list;

    idx = lua_absindex(L, idx);
    if (lua_isnil(L, idx)) {
        lua_pushliteral(L, "count()");
        return script_texts(L, -1, what);
    }
    if (lua_type(L, idx) != LUA_TTABLE || lua_rawlen(L, idx) > 0)
        return script_texts(L, idx, what);
    script_sorted_keys(L, idx);
    keys = lua_gettop(L);
    lua_newtable(L);
    list = lua_gettop(L);
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, keys); i++) {
        if (lua_rawgeti(L, keys, i) != LUA_TSTRING)
            script_failf(L, ERR_TYPE, "%s: a name is a %s, expected a text",
                         what, luaL_typename(L, -1));
        lua_pushliteral(L, " = ");
        lua_pushvalue(L, -2);
        if (lua_rawget(L, idx) != LUA_TSTRING)
            script_failf(L, ERR_TYPE, "%s: %s is a %s, expected a text", what,
                         lua_tostring(L, -3), luaL_typename(L, -1));
        lua_concat(L, 3);
        lua_rawseti(L, list, i);
    }
    return script_texts(L, list, what);
}

const char *const *
script_opt_texts(lua_State *L, int idx, const char *name)
{
    const char *const *out;

    if (!get_option(L, idx, name)) {
        lua_pushnil(L);
        return NULL;
    }
    out = script_texts(L, -1, name);
    lua_remove(L, -2);
    return out;
}

/* ---- JSON ---- */

void
script_push_json(lua_State *L, const struct json *v)
{
    double x;
    int i = 0;

    luaL_checkstack(L, 4, "JSON is too deep");
    switch (json_type(v)) {
    case JSON_NULL:
        lua_pushnil(L);
        break;
    case JSON_BOOL:
        lua_pushboolean(L, json_is_true(v));
        break;
    case JSON_NUMBER:
        x = json_number(v);
        if (x == (double)(lua_Integer)x && x < 9e15 && x > -9e15)
            lua_pushinteger(L, (lua_Integer)x);
        else
            lua_pushnumber(L, x);
        break;
    case JSON_STRING:
        lua_pushstring(L, json_string(v));
        break;
    case JSON_ARRAY:
        lua_createtable(L, (int)json_len(v), 0);
        for (const struct json *e = json_first(v); e; e = json_next(e)) {
            script_push_json(L, e);
            lua_rawseti(L, -2, ++i);
        }
        break;
    case JSON_OBJECT:
        lua_createtable(L, 0, (int)json_len(v));
        for (const struct json *e = json_first(v); e; e = json_next(e)) {
            script_push_json(L, e);
            lua_setfield(L, -2, json_key(e));
        }
        break;
    }
}

static void
table_to_json(lua_State *L, int idx, struct json_writer *w, int depth);

static void
value_to_json(lua_State *L, int idx, struct json_writer *w, int depth)
{
    size_t len;
    const char *p;

    switch (lua_type(L, idx)) {
    case LUA_TNIL:
        json_put_null(w);
        break;
    case LUA_TBOOLEAN:
        json_put_bool(w, lua_toboolean(L, idx));
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, idx))
            json_put_i64(w, lua_tointeger(L, idx));
        else
            json_put_double(w, lua_tonumber(L, idx));
        break;
    case LUA_TSTRING:
        p = lua_tolstring(L, idx, &len);
        json_put_str(w, (struct str){p, len});
        break;
    case LUA_TTABLE:
        if (depth >= JSON_MAX_DEPTH)
            script_failf(L, ERR_LIMIT, "a table is nested deeper than %d",
                         JSON_MAX_DEPTH);
        table_to_json(L, idx, w, depth + 1);
        break;
    default:
        script_failf(L, ERR_TYPE, "a %s cannot be written as JSON",
                     kind_of(L, idx));
    }
}

/* An array when its keys are 1..n, else an object with its keys sorted, so
 * that the same table gives the same bytes. */
static void
table_to_json(lua_State *L, int idx, struct json_writer *w, int depth)
{
    size_t n = lua_rawlen(L, idx);

    luaL_checkstack(L, 6, "a table is too deep");
    if (n > 0) {
        json_open(w, '[');
        for (size_t i = 1; i <= n; i++) {
            lua_rawgeti(L, idx, (lua_Integer)i);
            value_to_json(L, lua_gettop(L), w, depth);
            lua_pop(L, 1);
        }
        json_close(w, ']');
        return;
    }
    script_sorted_keys(L, idx);
    json_open(w, '{');
    for (size_t i = 1; i <= lua_rawlen(L, -1); i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        if (lua_type(L, -1) != LUA_TSTRING)
            script_failf(L, ERR_TYPE, "a key is a %s, JSON needs texts",
                         luaL_typename(L, -1));
        json_name(w, lua_tostring(L, -1));
        lua_pushvalue(L, -1);
        lua_rawget(L, idx);
        value_to_json(L, lua_gettop(L), w, depth);
        lua_pop(L, 2);
    }
    json_close(w, '}');
    lua_pop(L, 1);
}

void
script_to_json(lua_State *L, int idx, struct json_writer *w)
{
    value_to_json(L, lua_absindex(L, idx), w, 0);
}
