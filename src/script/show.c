/* script/show.c -- Lua values as outputs and as text for people.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "script/script.h"

enum { DEPTH_MAX = 4, ITEMS_MAX = 50 };

/* Numbers by value, then texts bytewise, then the rest by type and address. */
static int
key_less(lua_State *L)
{
    int a = lua_type(L, 1), b = lua_type(L, 2);

    if (a == LUA_TNUMBER && b == LUA_TNUMBER)
        lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
    else if (a == LUA_TSTRING && b == LUA_TSTRING)
        lua_pushboolean(L, strcmp(lua_tostring(L, 1), lua_tostring(L, 2)) < 0);
    else if (a != b)
        lua_pushboolean(L, a < b);
    else
        lua_pushboolean(L, lua_topointer(L, 1) < lua_topointer(L, 2));
    return 1;
}

void
script_sorted_keys(lua_State *L, int idx)
{
    lua_Integer n = 0;

    idx = lua_absindex(L, idx);
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, ++n);
    }
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_TABLIBNAME);
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, -4);
    lua_pushcfunction(L, key_less);
    lua_call(L, 2, 0);
    lua_pop(L, 2);
}

static bool
is_word(const char *s)
{
    if (!isalpha((unsigned char)*s) && *s != '_')
        return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_')
            return false;
    return true;
}

static void
put_quoted(struct buf *out, const char *s, size_t len)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c == '\n')
            buf_puts(out, "\\n");
        else if (c < 32 || c == 127)
            buf_printf(out, "\\%03d", c);
        else
            buf_putc(out, (char)c);
    }
    buf_putc(out, '"');
}

static void
describe(lua_State *L, int idx, struct buf *out, size_t width, int depth);

static void
put_key(lua_State *L, int idx, struct buf *out)
{
    if (lua_type(L, idx) == LUA_TSTRING && is_word(lua_tostring(L, idx))) {
        buf_puts(out, lua_tostring(L, idx));
        return;
    }
    buf_putc(out, '[');
    describe(L, idx, out, 40, DEPTH_MAX);
    buf_putc(out, ']');
}

/* "a = 1, b = 2" on one line, to be laid out by put_table(). */
static void
put_items(lua_State *L, int idx, struct buf *out, const char *between,
          size_t indent, size_t width, int depth)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, idx), items;
    int keys;

    script_sorted_keys(L, idx);
    keys = lua_gettop(L);
    items = (lua_Integer)lua_rawlen(L, keys);
    for (lua_Integer i = 1; i <= items; i++) {
        if (i > 1)
            buf_printf(out, "%s", between);
        if (*between == ',' && between[1] == '\n')
            buf_fill(out, ' ', indent);
        if (i > ITEMS_MAX) {
            buf_printf(out, "... %lld more", (long long)(items - ITEMS_MAX));
            break;
        }
        lua_rawgeti(L, keys, i);
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1 ||
            lua_tointeger(L, -1) > n) {
            put_key(L, lua_gettop(L), out);
            buf_puts(out, " = ");
        }
        lua_rawget(L, idx);
        describe(L, lua_gettop(L), out, width > indent ? width - indent : 20,
                 depth + 1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void
put_table(lua_State *L, int idx, struct buf *out, size_t width, int depth)
{
    size_t begin = out->len, indent = 2 * ((size_t)depth + 1);

    lua_pushnil(L);
    if (!lua_next(L, idx)) {
        buf_puts(out, "{}");
        return;
    }
    lua_pop(L, 2);
    if (depth >= DEPTH_MAX) {
        buf_puts(out, "{...}");
        return;
    }
    buf_puts(out, "{ ");
    put_items(L, idx, out, ", ", 0, width, depth);
    buf_puts(out, " }");
    if (out->len - begin <= width &&
        !memchr(out->data + begin, '\n', out->len - begin))
        return;
    out->len = begin;
    buf_puts(out, "{\n");
    put_items(L, idx, out, ",\n", indent, width, depth);
    buf_putc(out, '\n');
    buf_fill(out, ' ', indent - 2);
    buf_putc(out, '}');
}

/* A closure made for one entry of the module: lathe.gbdt. */
static bool
is_member(lua_State *L, int idx, const char *prefix, const char *name)
{
    bool equal = false;

    lua_pushglobaltable(L);
    lua_pushstring(L, prefix);
    if (lua_rawget(L, -2) == LUA_TTABLE) {
        lua_pushstring(L, name);
        lua_rawget(L, -2);
        equal = lua_rawequal(L, idx, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return equal;
}

static const struct binding *
find_binding(lua_State *L, int idx, const char **prefix)
{
    lua_CFunction fn = lua_tocfunction(L, idx);
    const struct binding *b;

    idx = lua_absindex(L, idx);
    for (size_t i = 0; fn && (b = script_manual(i, prefix)); i++)
        for (; b->name; b++)
            if (b->fn ? b->fn == fn : is_member(L, idx, *prefix, b->name))
                return b;
    return NULL;
}

static void
describe(lua_State *L, int idx, struct buf *out, size_t width, int depth)
{
    const struct binding *b;
    const char *s, *prefix;
    size_t len;

    luaL_checkstack(L, 8, "a value is too deep");
    if (lua_type(L, idx) == LUA_TTABLE &&
        luaL_getmetafield(L, idx, "__tostring") == LUA_TNIL) {
        put_table(L, idx, out, width, depth);
        return;
    }
    if (lua_type(L, idx) == LUA_TTABLE)
        lua_pop(L, 1);
    if (lua_type(L, idx) == LUA_TSTRING) {
        s = lua_tolstring(L, idx, &len);
        put_quoted(out, s, len);
        return;
    }
    b = find_binding(L, idx, &prefix);
    if (b) {
        buf_puts(out, b->usage);
        return;
    }
    s = luaL_tolstring(L, idx, &len);
    /* Inside a table a tall object takes one line. */
    if (depth > 0 && memchr(s, '\n', len))
        len = (size_t)((const char *)memchr(s, '\n', len) - s);
    buf_add(out, s, len);
    lua_pop(L, 1);
}

void
script_describe(lua_State *L, int idx, struct buf *out, size_t width)
{
    describe(L, lua_absindex(L, idx), out, width, 0);
}

static void
end_line(struct buf *out)
{
    if (out->len == 0 || out->data[out->len - 1] != '\n')
        buf_putc(out, '\n');
}

void
script_show(lua_State *L, int idx)
{
    struct kernel *k = script_kernel(L);
    struct object *o = script_object(L, idx);
    struct buf *text = script_buf(L);
    struct output *out;
    const char *s;
    size_t len;

    if (o && o->p) {
        out = script_output(L);
        o->type->print(k, o->p, script_width(k), text);
        end_line(text);
        out->text = buf_take(text);
        if (o->type->show)
            o->type->show(k, o->p, out);
        script_emit(k, out);
        return;
    }
    if (lua_type(L, idx) == LUA_TSTRING) {
        s = lua_tolstring(L, idx, &len);
        buf_add(text, s, len);
    } else {
        script_describe(L, idx, text, script_width(k));
    }
    end_line(text);
    script_emit_text(k, text->data, text->len);
}

/* ---- help ---- */

void
script_help(lua_State *L, int idx, struct buf *out)
{
    const char *prefix;
    const struct binding *b = find_binding(L, idx, &prefix);

    if (b)
        buf_printf(out, "%s\n\n%s\n", b->usage, b->help);
}
