/* script/lua_lathe.c -- the module "lathe": its table, types and manual.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include <lauxlib.h>

#include "script/script.h"

static int
lathe_help(lua_State *L)
{
    struct buf *out = script_buf(L);
    const struct binding *b;
    const char *prefix, *last = "";

    if (!lua_isnoneornil(L, 1)) {
        script_help(L, 1, out);
        if (out->len == 0)
            script_failf(L, ERR_NOTFOUND, "there is no help on this %s",
                         luaL_typename(L, 1));
    }
    for (size_t i = 0; lua_isnoneornil(L, 1) && (b = script_manual(i, &prefix));
         i++)
        for (; b->name; b++) {
            if (strcmp(prefix, last) != 0)
                buf_printf(out, "%s%s\n", *last ? "\n" : "", prefix);
            last = prefix;
            buf_printf(out, "  %s\n", b->usage);
        }
    lua_pushlstring(L, out->data, out->len);
    return 1;
}

static const struct binding lathe_functions[] = {
    {"help", lathe_help, "lathe.help([f])",
     "The manual of a function or method: lathe.help(lathe.read). Without an\n"
     "argument, one line on each."},
    {NULL, NULL, NULL, NULL},
};

const struct binding *
script_manual(size_t i, const char **prefix)
{
    if (i > 0)
        return NULL;
    *prefix = "lathe";
    return lathe_functions;
}

void
lua_lathe_open(lua_State *L)
{
    lua_newtable(L);
    for (const struct binding *b = lathe_functions; b->name; b++) {
        lua_pushcfunction(L, b->fn);
        lua_setfield(L, -2, b->name);
    }
    lua_pushliteral(L, PACKAGE_VERSION);
    lua_setfield(L, -2, "version");
    lua_setglobal(L, "lathe");
}

const struct frame *
script_frame(lua_State *L, int idx)
{
    (void)L;
    (void)idx;
    return NULL;
}
