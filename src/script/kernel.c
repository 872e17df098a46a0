/* script/kernel.c -- the one lua_State: chunks in, outputs out.
 *
 * guard.c keeps the loop turning and stops chunks, object.c knows the
 * library's userdata, show.c turns values into outputs.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "script/kernel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/mem.h"
#include "base/torn.h"
#include "script/expression.h"
#include "script/kernel_state.h"

enum { WIDTH_DEFAULT = 80, TRACE_LEVELS = 12, LEVELS_SEEN = 500 };
static const size_t memory_default = (size_t)1 << 30;

/* ---- state ---- */

/* Outside of protected calls an error would be the end of the process, so
 * the limit holds within them only. */
static void *
allocate(void *ctx, void *p, size_t old, size_t size)
{
    struct kernel *k = ctx;
    void *grown;

    if (!p)
        old = 0;
    if (size == 0) {
        free(p);
        k->used -= old;
        return NULL;
    }
    if (k->bounded && size > old &&
        (k->used > k->limit || size - old > k->limit - k->used))
        return NULL;
    grown = realloc(p, size);
    if (grown)
        k->used += size - old;
    return grown;
}

struct kernel *
script_kernel(lua_State *L)
{
    return *(struct kernel **)lua_getextraspace(L);
}

struct guard *
script_guard(lua_State *L)
{
    return script_kernel(L)->guard;
}

struct session *
script_session(lua_State *L)
{
    return script_kernel(L)->session;
}

const char *
script_chunk(lua_State *L)
{
    const char *name = script_kernel(L)->name;

    return name ? name : "lua";
}

lua_State *
script_side(struct kernel *k)
{
    return k->side;
}

size_t
script_width(const struct kernel *k)
{
    return k->width;
}

struct session *
kernel_session(struct kernel *k)
{
    return k->session;
}

void
kernel_set_width(struct kernel *k, size_t cells)
{
    k->width = cells < 20 ? 20 : cells;
}

bool
script_plain(const struct kernel *k)
{
    return k->plain;
}

void
kernel_set_plain(struct kernel *k, bool plain)
{
    k->plain = plain;
}

const char *
script_folder(lua_State *L)
{
    const char *folder = script_kernel(L)->folder;

    return folder ? folder : "";
}

void
kernel_set_folder(struct kernel *k, const char *folder)
{
    free(k->folder);
    k->folder = mem_text(folder);
}

void
kernel_set_interactive(struct kernel *k, bool interactive)
{
    lua_State *L = k->side;
    bool bounded = k->bounded;

    k->bounded = false;
    lua_pushglobaltable(L);
    lua_pushliteral(L, "lathe");
    if (lua_rawget(L, -2) == LUA_TTABLE) {
        lua_pushliteral(L, "interactive");
        lua_pushboolean(L, interactive);
        lua_rawset(L, -3);
    }
    lua_settop(L, 0);
    k->bounded = bounded;
}

void
script_remember(lua_State *L, const struct error *err)
{
    script_kernel(L)->last = *err;
}

static int
open_all(lua_State *L)
{
    lua_base_open(L);
    lua_lathe_open(L);
    lua_newtable(L);
    lua_pushglobaltable(L);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushboolean(L, 1);
        lua_rawset(L, -5);
    }
    lua_pop(L, 1);
    /* The names of the globals that are not the user's. */
    lua_rawsetp(L, LUA_REGISTRYINDEX, &script_kernel(L)->L);
    return 0;
}

static size_t
memory_limit(void)
{
    const char *text = getenv("LATHE_LUA_MEMORY");
    int64_t n;

    return text && str_to_i64(str_of(text), &n) && n >= 1 << 20
               ? (size_t)n
               : memory_default;
}

struct kernel *
kernel_new(struct session *s, struct error *err)
{
    struct kernel *k = mem_new(sizeof *k);

    k->session = s;
    k->width = WIDTH_DEFAULT;
    k->limit = memory_limit();
    k->guard = guard_new(s);
    k->L = lua_newstate(allocate, k);
    if (!k->L) {
        error_set(err, ERR_NOMEM, "no memory for Lua");
        goto fail;
    }
    *(struct kernel **)lua_getextraspace(k->L) = k;
    lua_pushcfunction(k->L, open_all);
    if (lua_pcall(k->L, 0, 0, 0) != LUA_OK) {
        error_set(err, ERR_STATE, "Lua did not start: %s",
                  lua_tostring(k->L, -1));
        goto fail;
    }
    k->side = lua_newthread(k->L);
    lua_rawsetp(k->L, LUA_REGISTRYINDEX, &k->side);
    kernel_set_interactive(k, false);
    return k;
fail:
    kernel_free(k);
    return NULL;
}

void
kernel_free(struct kernel *k)
{
    if (!k)
        return;
    if (k->L)
        lua_close(k->L);
    guard_free(k->guard);
    free(k->folder);
    free(k);
}

/* ---- outputs ---- */

void
output_fini(struct output *o)
{
    free(o->text);
    free(o->json);
    free(o->run);
    free(o->svg);
    frame_unref(o->frame);
    *o = (struct output){0};
}

void
output_copy(struct output *to, const struct output *from)
{
    *to = (struct output){.kind = from->kind,
                          .text = mem_text(from->text),
                          .json = mem_text(from->json),
                          .run = mem_text(from->run),
                          .svg = mem_text(from->svg),
                          .frame = from->frame ? frame_ref(from->frame) : NULL};
}

void
script_emit(struct kernel *k, const struct output *o)
{
    if (k->events && k->events->output)
        k->events->output(k->events->ctx, o);
}

void
script_emit_text(struct kernel *k, const char *text, size_t len)
{
    struct output o = {.kind = OUT_TEXT};
    struct buf safe;

    buf_init(&safe);
    buf_add(&safe, text, len);
    o.text = safe.data;
    script_emit(k, &o);
    buf_fini(&safe);
}

/* ---- errors ---- */

/* Where it happened, innermost first, one line a level; only what is written
 * in Lua or has a name is worth reading.  lua_getstack() counts from the top
 * each time: a recursion that ran away has 200,000 levels. */
static void
put_trace(struct kernel *k, lua_State *L, struct buf *out)
{
    lua_Debug ar;
    int shown = 0;

    for (int level = 1; level < LEVELS_SEEN && lua_getstack(L, level, &ar);
         level++) {
        lua_getinfo(L, "Sln", &ar);
        if (ar.currentline > 0 && k->error_line == 0 &&
            strcmp(ar.short_src, k->source) == 0)
            k->error_line = ar.currentline;
        if (ar.currentline <= 0 || shown > TRACE_LEVELS)
            continue;
        if (shown++ == TRACE_LEVELS)
            buf_puts(out, "\n  ...");
        else if (ar.name)
            buf_printf(out, "\n  %s:%d: in %s '%s'", ar.short_src,
                       ar.currentline, *ar.namewhat ? ar.namewhat : "function",
                       ar.name);
        else if (strcmp(ar.what, "main") != 0)
            buf_printf(out, "\n  %s:%d: in a function", ar.short_src,
                       ar.currentline);
        else
            buf_printf(out, "\n  %s:%d", ar.short_src, ar.currentline);
    }
    /* The message names the line already when it is the only one. */
    if (shown == 1)
        buf_clear(out);
}

/* The error value becomes its text, with the trace after it. */
static int
explain(lua_State *L)
{
    struct kernel *k = script_kernel(L);
    struct buf *trace;
    const char *text;

    if (guard_is_interrupt(L, 1))
        return 1;
    trace = script_buf(L);
    put_trace(k, L, trace);
    if (lua_type(L, 1) == LUA_TTABLE &&
        luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL) {
        struct buf *b = script_buf(L);

        script_describe(L, 1, b, k->width);
        text = b->data;
    } else {
        text = luaL_tolstring(L, 1, NULL);
    }
    lua_createtable(L, 2, 0);
    lua_pushstring(L, text);
    lua_rawseti(L, -2, 1);
    lua_pushlstring(L, trace->data, trace->len);
    lua_rawseti(L, -2, 2);
    return 1;
}

/* Its code, when the message ends in that of the error raised last. */
static enum error_code
code_of(const struct kernel *k, const char *message)
{
    size_t n = strlen(message), m = strlen(k->last.message);

    return k->last.code && m && m <= n &&
                   strcmp(message + n - m, k->last.message) == 0
               ? k->last.code
               : ERR_STATE;
}

static void
emit_error(struct kernel *k, const struct error *err, const char *trace)
{
    struct output o = {.kind = OUT_ERROR};
    struct json_writer w;
    struct buf text, json;

    buf_init(&text);
    buf_init(&json);
    buf_printf(&text, "%s%s\n", err->message, trace);
    json_writer_init(&w, &json);
    json_open(&w, '{');
    json_name(&w, "code");
    json_put_string(&w, error_word(err->code));
    json_name(&w, "message");
    json_put_string(&w, err->message);
    json_name(&w, "line");
    json_put_i64(&w, k->error_line);
    json_close(&w, '}');
    o.text = text.data;
    o.json = json.data;
    script_emit(k, &o);
    buf_fini(&text);
    buf_fini(&json);
}

/* The error on top of L, which it pops, into err. */
static void
take_error(struct kernel *k, lua_State *L, bool interrupted, struct error *err)
{
    const char *text, *trace = "";

    if (interrupted) {
        error_set(err, ERR_CANCELLED, "interrupted");
    } else if (lua_type(L, -1) == LUA_TTABLE) {
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        text = lua_tostring(L, -2);
        trace = lua_tostring(L, -1);
        error_lines(err, code_of(k, text ? text : ""), "%s", text ? text : "?");
        emit_error(k, err, trace ? trace : "");
        lua_pop(L, 3);
        return;
    } else {
        /* Memory errors and errors of explain() itself come as they are. */
        text = lua_tostring(L, -1);
        error_set(err,
                  text && strstr(text, "not enough memory") ? ERR_NOMEM
                                                            : ERR_STATE,
                  "%s", text ? text : "an error without a text");
    }
    emit_error(k, err, trace);
    lua_pop(L, 1);
}

/* ---- chunks ---- */

/* churn.lua:41: messages name the file, not the cell. */
void
kernel_name_chunk(struct kernel *k, const char *name, char out[CHUNK_NAME])
{
    const char *cell = strstr(name, " [");
    int n = cell ? (int)(cell - name) : (int)strlen(name);

    snprintf(k->source, sizeof k->source, "%.*s", n > 59 ? 59 : n, name);
    snprintf(out, CHUNK_NAME, "=%s", k->source);
}

/* Load the chunk with its last expression returned; pushes the function. */
bool
kernel_load(struct kernel *k, lua_State *L, struct str code, const char *name,
            int first_line, bool *is_call, struct error *err)
{
    struct buf whole;
    char chunk_name[CHUNK_NAME];
    size_t at = expression_find(L, code.p, code.n, is_call);
    bool ok;

    buf_init(&whole);
    kernel_name_chunk(k, name, chunk_name);
    if (first_line > 1)
        buf_fill(&whole, '\n', (size_t)first_line - 1);
    buf_add(&whole, code.p, at);
    if (at < code.n) {
        buf_puts(&whole, "return ");
        buf_add(&whole, code.p + at, code.n - at);
    }
    ok = buf_check(&whole, err);
    if (ok &&
        luaL_loadbufferx(L, whole.data, whole.len, chunk_name, "t") != LUA_OK) {
        const char *text = lua_tostring(L, -1), *line;

        ok = error_set(err, ERR_PARSE, "%s", text);
        line = strchr(text, ':');
        k->error_line = line ? atoi(line + 1) : 0;
        lua_pop(L, 1);
    }
    buf_fini(&whole);
    return ok;
}

static bool
is_simple(lua_State *L, int idx)
{
    int t = lua_type(L, idx);

    return t == LUA_TNIL || t == LUA_TBOOLEAN || t == LUA_TNUMBER ||
           t == LUA_TSTRING;
}

/* Several simple values share a line. */
static void
show_results(lua_State *L, int first)
{
    struct buf *line;
    int n = lua_gettop(L);
    bool simple = n > first;

    for (int i = first; i <= n; i++)
        simple = simple && is_simple(L, i);
    if (!simple) {
        for (int i = first; i <= n; i++)
            script_show(L, i);
        return;
    }
    line = script_buf(L);
    for (int i = first; i <= n; i++) {
        size_t len;
        const char *s = luaL_tolstring(L, i, &len);

        buf_puts(line, i > first ? "\t" : "");
        buf_add(line, s, len);
        lua_pop(L, 1);
    }
    buf_putc(line, '\n');
    script_emit_text(script_kernel(L), line->data, line->len);
}

/* Arguments: the chunk; whether its value is that of a call, of which a lone
 * nil says nothing. */
static int
run_and_show(lua_State *L)
{
    bool is_call = lua_toboolean(L, 2);

    lua_settop(L, 1);
    lua_call(L, 0, LUA_MULTRET);
    if (lua_gettop(L) == 0 ||
        (is_call && lua_gettop(L) == 1 && lua_isnil(L, 1)))
        return 0;
    show_results(L, 1);
    return 0;
}

/* A table that was read anew leaves the one before to be collected. */
static bool
check_mappings(lua_State *L, unsigned mark, struct error *err)
{
    if (torn_check(mark, true, err))
        return true;
    lua_gc(L, LUA_GCCOLLECT, 0);
    lua_gc(L, LUA_GCCOLLECT, 0);
    return torn_check(mark, true, err);
}

bool
kernel_run(struct kernel *k, struct str code, const char *name, int first_line,
           const struct kernel_events *events, struct error *err)
{
    struct activation a;
    lua_State *L = k->L;
    bool is_call, ok;
    int top = lua_gettop(L);
    unsigned mark = torn_mark();

    if (guard_activation(k->guard))
        return error_set(err, ERR_STATE, "a cell is running");
    k->events = events;
    k->name = name;
    k->error_line = 0;
    k->last.code = ERR_NONE;
    guard_enter(k->guard, &a, L, name, 0);
    lua_pushcfunction(L, explain);
    lua_pushcfunction(L, run_and_show);
    ok = kernel_load(k, L, code, name, first_line, &is_call, err);
    if (!ok) {
        emit_error(k, err, "");
    } else {
        lua_pushboolean(L, is_call);
        k->bounded = true;
        ok = lua_pcall(L, 2, 0, top + 1) == LUA_OK;
        k->bounded = false;
        if (!ok || a.interrupted) {
            if (ok)
                lua_pushnil(L);
            take_error(k, L, a.interrupted, err);
            ok = false;
        } else if (!check_mappings(L, mark, err)) {
            emit_error(k, err, "");
            ok = false;
        }
    }
    guard_leave(k->guard);
    lua_settop(L, top);
    k->events = NULL;
    k->name = NULL;
    return ok;
}

void
kernel_interrupt(struct kernel *k)
{
    guard_interrupt(k->guard);
}

bool
kernel_running(const struct kernel *k)
{
    return guard_cell(k->guard);
}

int
kernel_error_line(const struct kernel *k)
{
    return k->error_line;
}

void
kernel_watchdog(struct kernel *k, void (*say)(void *ctx, const char *line),
                int fd, void *ctx)
{
    guard_watchdog(k->guard, say, fd, ctx);
}

void
kernel_end_at(struct kernel *k, int64_t ms)
{
    guard_end_at(k->guard, ms);
}
