/* script/lua_lathe.c -- the module "lathe": its table, types and manual.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include <lauxlib.h>

#include "script/lua_project.h"
#include "script/lua_types.h"

/* Does it belong to the object, or have to do with the text, at 1?  All do when
 * there is nothing. */
static bool
is_asked(lua_State *L, const char *prefix, const struct binding *b)
{
    const struct object *o = script_object(L, 1);
    const char *word = o ? NULL : lua_tostring(L, 1);

    if (o)
        return strcmp(prefix, o->type->name) == 0;
    return !word || strcasestr(b->usage, word) || strcasestr(b->help, word);
}

static void
list_manual(lua_State *L, struct buf *out)
{
    const struct binding *b;
    const char *prefix, *last = "";

    for (size_t i = 0; (b = script_manual(i, &prefix)); i++)
        for (; b->name; b++) {
            if (!is_asked(L, prefix, b))
                continue;
            if (strcmp(prefix, last) != 0)
                buf_printf(out, "%s%s\n", *last ? "\n" : "", prefix);
            last = prefix;
            buf_printf(out, "  %s\n", b->usage);
        }
}

static int
lathe_help(lua_State *L)
{
    struct buf *out;

    lua_settop(L, 1);
    out = script_buf(L);
    if (!lua_isnil(L, 1))
        script_help(L, 1, out);
    if (out->len == 0 && (lua_isnil(L, 1) || lua_type(L, 1) == LUA_TSTRING ||
                          script_object(L, 1)))
        list_manual(L, out);
    if (out->len == 0 && lua_type(L, 1) == LUA_TSTRING)
        script_failf(L, ERR_NOTFOUND,
                     "nothing in the library has to do with '%s'",
                     lua_tostring(L, 1));
    if (out->len == 0)
        script_failf(L, ERR_NOTFOUND, "there is no help on this %s",
                     luaL_typename(L, 1));
    lua_pushlstring(L, out->data, out->len);
    return 1;
}

static const struct binding lathe_functions[] = {
    {"help", lathe_help, "lathe.help([what])",
     "The manual of a function or method: lathe.help(lathe.read). Of an object\n"
     "its methods, of a text what has to do with it, without an argument all,\n"
     "a line each."},
    {NULL, NULL, NULL, NULL},
};

/* What lathe.help() lists, in its order. */
static const struct {
    const char *prefix;
    const struct binding *table;
} manual[] = {
    {"lathe", lathe_functions},
    {"lathe", lua_read_functions},
    {"lathe", lua_scan_functions},
    {"lathe", lua_model_functions},
    {"lathe", lua_evaluation_functions},
    {"lathe", lua_store_functions},
    {"lathe", lua_endpoint_functions},
    {"lathe", lua_cmd_functions},
    {"frame", lua_frame_methods},
    {"scan", lua_scan_methods},
    {"profile", lua_profile_methods},
    {"estimator", lua_estimator_methods},
    {"cross-validation", lua_cv_methods},
    {"model", lua_model_methods},
    {"evaluation", lua_evaluation_methods},
    {"run", lua_run_methods},
    {"version", lua_version_methods},
    {"endpoint", lua_endpoint_methods},
};

const struct binding *
script_manual(size_t i, const char **prefix)
{
    if (i >= sizeof manual / sizeof *manual)
        return NULL;
    *prefix = manual[i].prefix;
    return manual[i].table;
}

static void
add_functions(lua_State *L, const struct binding *b)
{
    for (; b->name; b++) {
        if (!b->fn)
            continue;
        lua_pushcfunction(L, b->fn);
        lua_setfield(L, -2, b->name);
    }
}

void
lua_lathe_open(lua_State *L)
{
    static const struct object_type *const types[] = {
        &frame_type, &scan_type,       &profile_type,     &estimator_type,
        &model_type, &evaluation_type, &explanation_type, &cv_type};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        script_type(L, types[i]);
    lua_store_open(L);
    lua_endpoint_open(L);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof manual / sizeof *manual; i++)
        if (strcmp(manual[i].prefix, "lathe") == 0)
            add_functions(L, manual[i].table);
    lua_fit_open(L);
    lua_pushliteral(L, PACKAGE_VERSION);
    lua_setfield(L, -2, "version");
    lua_setglobal(L, "lathe");
}
