/* script/complete.c -- completions at a place in a line of Lua.
 *
 * Within a text: names of columns of the frames among the globals.  After a
 * chain of names ("lathe.re", "df:pro", "df.ro"): fields and methods, looked
 * up without calling anything written in Lua.  Else: keywords and globals.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/keyword.h"
#include "base/mem.h"
#include "script/script.h"

struct found {
    char **text;
    size_t n;
    const char *word; /* what is there so far */
    size_t len;
};

static void
add(struct found *f, const char *name, const char *tail)
{
    char **grown, *text;
    size_t n = strlen(name);

    if (n < f->len || memcmp(name, f->word, f->len) != 0)
        return;
    for (size_t i = 0; i < f->n; i++)
        if (strncmp(f->text[i], name, n) == 0 &&
            strcmp(f->text[i] + n, tail) == 0)
            return;
    text = mem_new(n + strlen(tail) + 1);
    memcpy(text, name, n);
    strcpy(text + n, tail);
    grown = mem_new((f->n + 1) * sizeof(char *));
    if (f->n)
        memcpy(grown, f->text, f->n * sizeof(char *));
    grown[f->n++] = text;
    free(f->text);
    f->text = grown;
}

static bool
is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Is `at` inside a quoted text?  *begin: after its quote. */
static bool
in_text(struct str line, size_t at, size_t *begin)
{
    char quote = 0;

    for (size_t i = 0; i < at; i++) {
        char c = line.p[i];

        if (quote && c == '\\') {
            i++;
        } else if (quote && c == quote) {
            quote = 0;
        } else if (!quote && (c == '"' || c == '\'')) {
            quote = c;
            *begin = i + 1;
        }
    }
    return quote != 0;
}

static void
add_columns_of(lua_State *L, int idx, struct found *f)
{
    const struct frame *frame = script_frame(L, idx);

    for (size_t i = 0; frame && i < frame_cols(frame); i++)
        add(f, frame_name(frame, i), "");
}

/* Columns of every frame among the globals. */
static void
add_columns(lua_State *L, struct found *f)
{
    lua_pushglobaltable(L);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        add_columns_of(L, lua_gettop(L), f);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static const char *
tail_of(lua_State *L, int idx)
{
    return lua_type(L, idx) == LUA_TFUNCTION ? "(" : "";
}

static void
add_table(lua_State *L, struct found *f)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) == LUA_TSTRING)
            add(f, lua_tostring(L, -2), tail_of(L, -1));
        lua_pop(L, 1);
    }
}

/* Pushes the value of a field without metamethods; only tables and texts are
 * walked through. */
static bool
step(lua_State *L, const char *p, size_t len)
{
    if (lua_type(L, -1) == LUA_TTABLE) {
        lua_pushlstring(L, p, len);
        return lua_rawget(L, -2) != LUA_TNIL;
    }
    return false;
}

static void
add_members(lua_State *L, struct found *f, char separator)
{
    struct object *o = script_object(L, -1);

    if (o) {
        for (const struct binding *b = o->type->methods;
             separator == ':' && b && b->name; b++)
            add(f, b->name, "(");
        for (const char *const *name = o->type->fields;
             separator == '.' && name && *name; name++)
            add(f, *name, "");
    } else if (lua_type(L, -1) == LUA_TTABLE) {
        add_table(L, f);
    } else if (lua_type(L, -1) == LUA_TSTRING) {
        lua_pushglobaltable(L);
        lua_pushliteral(L, "string");
        if (lua_rawget(L, -2) == LUA_TTABLE)
            add_table(L, f);
    }
}

static void
add_keywords(struct found *f)
{
    for (const char *const *w = keyword_list; f->len > 0 && *w; w++)
        add(f, *w, "");
}

/* The chain of names that ends before `end`: where it begins. */
static size_t
chain_begin(struct str line, size_t end)
{
    size_t i = end;

    while (i > 0 && (is_name_byte(line.p[i - 1]) || line.p[i - 1] == '.' ||
                     line.p[i - 1] == ':'))
        i--;
    return i;
}

/* Argument: light userdata of struct request. */
struct request {
    struct str line;
    size_t at, *begin;
    struct found found;
};

static int
complete(lua_State *L)
{
    struct request *r = lua_touserdata(L, 1);
    struct found *f = &r->found;
    struct str line = r->line;
    size_t at = r->at, begin, i;

    if (in_text(line, at, &begin)) {
        *r->begin = begin;
        f->word = line.p + begin;
        f->len = at - begin;
        add_columns(L, f);
        return 0;
    }
    for (begin = at; begin > 0 && is_name_byte(line.p[begin - 1]); begin--)
        ;
    *r->begin = begin;
    f->word = line.p + begin;
    f->len = at - begin;
    lua_pushglobaltable(L);
    if (begin == 0 || (line.p[begin - 1] != '.' && line.p[begin - 1] != ':')) {
        add_table(L, f);
        add_keywords(f);
        return 0;
    }
    for (i = chain_begin(line, begin); i < begin - 1;) {
        size_t n = 0;

        while (i + n < begin - 1 && is_name_byte(line.p[i + n]))
            n++;
        if (n == 0 || !step(L, line.p + i, n))
            return 0;
        i += n + 1;
    }
    add_members(L, f, line.p[begin - 1]);
    return 0;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t
kernel_complete(struct kernel *k, struct str line, size_t at, size_t *begin,
                char ***out)
{
    struct request r = {.line = line, .at = at, .begin = begin};
    lua_State *L = script_side(k);
    int top = lua_gettop(L);

    *begin = at;
    lua_pushcfunction(L, complete);
    lua_pushlightuserdata(L, &r);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        lua_settop(L, top);
    if (r.found.n)
        qsort(r.found.text, r.found.n, sizeof(char *), by_text);
    *out = r.found.text;
    return r.found.n;
}
