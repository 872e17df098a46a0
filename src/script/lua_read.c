/* script/lua_read.c -- lathe.read and lathe.frame: tables out of files and lists.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <lauxlib.h>

#include "base/budget.h"
#include "base/file.h"
#include "frame/builder.h"
#include "frame/stream.h"
#include "script/lua_types.h"
#include "session/shelf.h"

/* ---- files ---- */

struct reading {
    const char *path;
    struct source_options options;
    struct csv_table table;
    struct lua_frame *out;
};

void
script_tell_foreign(struct session *s, const char *path,
                    const struct csv_table *t)
{
    if (t->n_foreign == 0)
        return;
    session_message(s, MESSAGE_WARN,
                    "%s: line %zu: not UTF-8, %zu fields are kept as they "
                    "are; encoding = \"latin1\" or \"windows-1252\" reads "
                    "them",
                    path, t->foreign_line, t->n_foreign);
}

static bool
run_read(struct task *t, void *ctx, struct error *err)
{
    struct reading *r = ctx;

    if (stream_wanted(r->path, &r->options))
        return error_set(err, ERR_LIMIT,
                         "%s would take more memory than the %llu MB there are "
                         "for it (LATHE_MEMORY): lathe.scan(path) reads it "
                         "batch by batch",
                         r->path, (unsigned long long)(budget_bytes() >> 20));
    if (!shelf_read(task_session(t), r->path, &r->options, task_progress(t),
                    &r->table, err))
        return false;
    r->out->frame = frame_ref(r->table.frame);
    r->out->rejects = frame_ref(r->table.rejects);
    if (r->table.n_rejected > 0)
        session_message(task_session(t), MESSAGE_WARN,
                        "%s: %zu rows were set aside; frame:rejects() shows "
                        "them",
                        r->path, r->table.n_rejected);
    script_tell_foreign(task_session(t), r->path, &r->table);
    csv_table_fini(&r->table);
    return true;
}

void
script_reading(lua_State *L, int idx, struct source_options *out)
{
    static const char *const allowed[] = {"delimiter", "encoding", "header",
                                          "types",     "nulls",    NULL};
    const char *delimiter, *encoding;
    struct error err;

    script_options(L, idx, allowed);
    delimiter = script_opt_text(L, idx, "delimiter", NULL);
    encoding = script_opt_text(L, idx, "encoding", NULL);
    *out = (struct source_options){.csv.header = -1};
    if ((delimiter &&
         !csv_delimiter_parse(delimiter, &out->csv.delimiter, &err)) ||
        (encoding && !encoding_parse(encoding, &out->encoding, &err)))
        script_fail(L, &err);
    if (lua_istable(L, idx) && lua_getfield(L, idx, "header") == LUA_TBOOLEAN)
        out->csv.header = lua_toboolean(L, -1);
    out->csv.types = script_opt_texts(L, idx, "types");
    out->csv.nulls = script_opt_texts(L, idx, "nulls");
}

static int
lathe_read(lua_State *L)
{
    struct reading r = {.path = luaL_checkstring(L, 1)};
    struct buf *title;

    lua_settop(L, 2);
    title = script_buf(L);
    script_reading(L, 2, &r.options);
    r.out = script_new_frame(L, r.path);
    buf_printf(title, "read %s", file_base(r.path));
    script_call(L, title->data, run_read, &r);
    return 1;
}
/* ---- lists ---- */

/* { name = {1, 2, nil, 4}, ... }: columns of numbers, booleans or texts. */
struct column_kind {
    enum col_type type;
    bool any;
};

static void
widen(lua_State *L, struct column_kind *k)
{
    enum col_type t = lua_isinteger(L, -1)             ? COL_INT64
                      : lua_isboolean(L, -1)           ? COL_BOOL
                      : lua_type(L, -1) == LUA_TNUMBER ? COL_FLOAT64
                                                       : COL_TEXT;

    if (lua_isnil(L, -1))
        return;
    if (!k->any)
        k->type = t;
    else if (k->type != t)
        k->type = (k->type == COL_INT64 || k->type == COL_FLOAT64) &&
                          (t == COL_INT64 || t == COL_FLOAT64)
                      ? COL_FLOAT64
                      : COL_TEXT;
    k->any = true;
}

static void
free_builder(void *p)
{
    builder_free(*(struct builder **)p);
}

static void
put_value(lua_State *L, struct builder *b, size_t col, enum col_type type)
{
    struct error err;
    size_t len;
    const char *s;
    bool ok = true;

    if (lua_isnil(L, -1))
        return;
    if (type == COL_INT64) {
        ok = builder_i64(b, col, lua_tointeger(L, -1), &err);
    } else if (type == COL_BOOL) {
        ok = builder_i64(b, col, lua_toboolean(L, -1), &err);
    } else if (type == COL_FLOAT64) {
        ok = builder_f64(b, col, lua_tonumber(L, -1), &err);
    } else {
        s = luaL_tolstring(L, -1, &len);
        ok = builder_text(b, col, (struct str){s, len}, &err);
        lua_pop(L, 1);
    }
    if (!ok)
        script_fail(L, &err);
}

static int
lathe_frame(lua_State *L)
{
    const char **names;
    struct column_kind *kinds;
    enum col_type *types;
    struct builder **b;
    struct lua_frame *out;
    lua_Integer n_cols, n_rows = 0;
    struct error err;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    script_sorted_keys(L, 1);
    n_cols = (lua_Integer)lua_rawlen(L, 2);
    names = script_scratch(L, (size_t)(n_cols + 1) * sizeof *names, NULL);
    kinds = script_scratch(L, (size_t)(n_cols + 1) * sizeof *kinds, NULL);
    types = script_scratch(L, (size_t)(n_cols + 1) * sizeof *types, NULL);
    b = script_scratch(L, sizeof(struct builder *), free_builder);
    for (lua_Integer c = 0; c < n_cols; c++) {
        lua_rawgeti(L, 2, c + 1);
        names[c] = luaL_checkstring(L, -1);
        if (lua_gettable(L, 1) != LUA_TTABLE)
            script_failf(L, ERR_TYPE, "column '%s' is a %s, expected a list",
                         names[c], luaL_typename(L, -1));
        if ((lua_Integer)lua_rawlen(L, -1) > n_rows)
            n_rows = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, -1); i++) {
            lua_rawgeti(L, -1, i);
            widen(L, &kinds[c]);
            lua_pop(L, 1);
        }
        types[c] = kinds[c].any ? kinds[c].type : COL_FLOAT64;
        lua_pop(L, 1);
    }
    *b = builder_new((size_t)n_cols, names, types, &err);
    if (!*b)
        script_fail(L, &err);
    for (lua_Integer i = 1; i <= n_rows; i++) {
        for (lua_Integer c = 0; c < n_cols; c++) {
            lua_getfield(L, 1, names[c]);
            lua_rawgeti(L, -1, i);
            put_value(L, *b, (size_t)c, types[c]);
            lua_pop(L, 2);
        }
        if (!builder_end_row(*b, &err))
            script_fail(L, &err);
    }
    out = script_new_frame(L, "table");
    out->frame = builder_finish(*b, &err);
    *b = NULL;
    if (!out->frame)
        script_fail(L, &err);
    return 1;
}
/* ---- tables ---- */

const struct binding lua_read_functions[] = {
    {"read", lathe_read, "lathe.read(path [, options])",
     "Reads a table as a frame: delimited text, or JSON lines (.jsonl, .ndjson,\n"
     ".json) whose objects within objects become columns \"a.b\"; Parquet; Arrow.\n"
     "Packed by gzip, zstd or lz4 or not. Delimiter, header and types are found from the\n"
     "whole file; \"-\" is standard input.\n"
     "  delimiter  a character\n"
     "  header     true or false\n"
     "  types      { \"col=type\", ... }: bool int float text date timestamp\n"
     "  nulls      texts that mean a missing value"},
    {"frame", lathe_frame, "lathe.frame{ name = { values }, ... }",
     "A frame from lists of Lua, a column each, in order of the names."},
    {NULL, NULL, NULL, NULL},
};
