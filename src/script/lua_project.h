/* script/lua_project.h -- runs, versions, endpoints and commands in Lua; for
 * script/lua_*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_LUA_PROJECT_H
#define LATHE_SCRIPT_LUA_PROJECT_H

#include "script/script.h"

extern const struct object_type run_type, version_type, endpoint_type;
extern const struct binding lua_store_functions[], lua_endpoint_functions[],
    lua_cmd_functions[], lua_run_methods[], lua_version_methods[],
    lua_endpoint_methods[];
/* Register their types. */
void lua_store_open(lua_State *L);
void lua_endpoint_open(lua_State *L);
#endif
