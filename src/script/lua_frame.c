/* script/lua_frame.c -- the frame type.
 *
 * A frame in Lua is a frame and the name of the file it came from, which runs
 * keep as their lineage.  Everything that reads rows runs on the pool.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/join.h"
#include "frame/source.h"
#include "frame/split.h"
#include "frame/verbs.h"
#include "script/lua_types.h"

static void
lua_frame_free(void *p)
{
    struct lua_frame *f = p;

    frame_unref(f->frame);
    frame_unref(f->rejects);
    free(f->name);
    free(f);
}

static void
frame_show_text(struct kernel *k, const void *p, size_t width, struct buf *out)
{
    const struct lua_frame *f = p;

    (void)k;
    frame_print(f->frame, 10, width, out);
}

static void
frame_brief(const void *p, struct buf *out)
{
    const struct lua_frame *f = p;
    char rows[STR_F64_MAX];

    str_from_count(frame_rows(f->frame), rows);
    buf_printf(out, "frame %s × %zu", rows, frame_cols(f->frame));
}

static void
frame_show(struct kernel *k, const void *p, struct output *o)
{
    const struct lua_frame *f = p;

    (void)k;
    o->kind = OUT_TABLE;
    o->frame = frame_ref(f->frame);
}

const struct frame *
script_frame(lua_State *L, int idx)
{
    struct lua_frame *f = script_test(L, idx, &frame_type);

    return f ? f->frame : NULL;
}

const char *
script_frame_name(lua_State *L, int idx)
{
    struct lua_frame *f = script_test(L, idx, &frame_type);

    return f && f->name ? f->name : "";
}

struct lua_frame *
script_new_frame(lua_State *L, const char *name)
{
    struct object *o = script_new(L, &frame_type);
    struct lua_frame *f = mem_new(sizeof *f);

    f->name = mem_text(name);
    o->p = f;
    return f;
}

struct lua_frame *
script_check_frame(lua_State *L, int idx)
{
    return script_check(L, idx, &frame_type);
}

void
script_push_frame(lua_State *L, const struct frame *f, const char *name)
{
    script_new_frame(L, name)->frame = frame_ref(f);
}
/* ---- writing ---- */

struct writing {
    const struct frame *frame;
    const char *path;
};

static bool
run_write(struct task *t, void *ctx, struct error *err)
{
    struct writing *w = ctx;

    (void)t;
    return source_write(w->frame, w->path, err);
}

static int
frame_write(lua_State *L)
{
    struct writing w = {script_check_frame(L, 1)->frame,
                        luaL_checkstring(L, 2)};

    script_call(L, "write a table", run_write, &w);
    lua_settop(L, 1);
    return 1;
}
/* ---- rows and columns ---- */

struct shaping {
    const struct frame *in, *other;
    struct lua_frame *out;
    const char *text;
    const char *const *names, *const *exprs;
    size_t n;
    struct join_options join;
    double amount;
    uint64_t seed;
};

static bool
run_where(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;

    s->out->frame = verb_where(s->in, s->text, task_pool(t), err);
    return s->out->frame;
}

static int
frame_where(lua_State *L)
{
    struct lua_frame *f = script_check_frame(L, 1);
    struct shaping s = {.in = f->frame, .text = luaL_checkstring(L, 2)};

    s.out = script_new_frame(L, f->name);
    script_call(L, "where", run_where, &s);
    return 1;
}

static bool
run_with(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;
    struct frame *now = frame_ref(s->in);

    for (size_t i = 0; now && i < s->n; i++) {
        struct frame *next =
            verb_with(now, s->names[i], s->exprs[i], task_pool(t), err);

        frame_unref(now);
        now = next;
    }
    s->out->frame = now;
    return now;
}

size_t
script_pairs(lua_State *L, int idx, const char *what, const char ***names,
             const char ***texts)
{
    lua_Integer n;

    luaL_checktype(L, idx, LUA_TTABLE);
    lua_settop(L, idx);
    script_sorted_keys(L, idx);
    n = (lua_Integer)lua_rawlen(L, idx + 1);
    *names = script_scratch(L, (size_t)(n + 1) * sizeof **names, NULL);
    *texts = script_scratch(L, (size_t)(n + 1) * sizeof **texts, NULL);
    for (lua_Integer i = 0; i < n; i++) {
        lua_rawgeti(L, idx + 1, i + 1);
        (*names)[i] = luaL_checkstring(L, -1);
        if (lua_getfield(L, idx, (*names)[i]) != LUA_TSTRING)
            script_failf(L, ERR_TYPE, "%s: %s is a text, this is a %s",
                         (*names)[i], what, luaL_typename(L, -1));
        (*texts)[i] = lua_tostring(L, -1);
        lua_pop(L, 2); /* the table and the list of its keys hold them */
    }
    return (size_t)n;
}

/* { name = "text", ... } in order of the names. */
static int
shape_by_pairs(lua_State *L, const char *task, const char *what,
               bool (*run)(struct task *, void *, struct error *))
{
    struct lua_frame *f = script_check_frame(L, 1);
    struct shaping s = {.in = f->frame};
    const char **names, **exprs;

    s.n = script_pairs(L, 2, what, &names, &exprs);
    s.names = names;
    s.exprs = exprs;
    s.out = script_new_frame(L, f->name);
    script_call(L, task, run, &s);
    return 1;
}

static int
frame_with_lua(lua_State *L)
{
    return shape_by_pairs(L, "with", "an expression", run_with);
}

static bool
run_select(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;

    (void)t;
    s->out->frame = verb_select(s->in, s->names, err);
    return s->out->frame;
}

static bool
run_renames(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;
    struct frame *now = frame_ref(s->in);

    (void)t;
    for (size_t i = 0; now && i < s->n; i++) {
        struct frame *next = verb_rename(now, s->names[i], s->exprs[i], err);

        frame_unref(now);
        now = next;
    }
    s->out->frame = now;
    return now;
}

static bool
run_drop(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;

    (void)t;
    s->out->frame = frame_drop(s->in, s->names, s->n, err);
    return s->out->frame;
}

static int
shape_by_names(lua_State *L, const char *what,
               bool (*run)(struct task *, void *, struct error *))
{
    struct lua_frame *f = script_check_frame(L, 1);
    struct shaping s = {.in = f->frame, .names = script_texts(L, 2, what)};

    while (s.names[s.n])
        s.n++;
    s.out = script_new_frame(L, f->name);
    script_call(L, NULL, run, &s);
    return 1;
}

static int
frame_select_lua(lua_State *L)
{
    return shape_by_names(L, "select", run_select);
}

static int
frame_rename_lua(lua_State *L)
{
    return shape_by_pairs(L, NULL, "a name", run_renames);
}

static int
frame_drop_lua(lua_State *L)
{
    return shape_by_names(L, "drop", run_drop);
}

static bool
run_sort(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;

    s->out->frame = verb_sort(s->in, s->names, task_pool(t), err);
    return s->out->frame;
}

static int
frame_sort(lua_State *L)
{
    return shape_by_names(L, "sort", run_sort);
}

static bool
run_top(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;

    s->out->frame = verb_top(s->in, s->names, s->n, task_pool(t), err);
    return s->out->frame;
}

static int
frame_top(lua_State *L)
{
    struct lua_frame *f = script_check_frame(L, 1);
    lua_Integer n = luaL_checkinteger(L, 2);
    struct shaping s = {.in = f->frame, .names = script_texts(L, 3, "top")};

    luaL_argcheck(L, n >= 0, 2, "expected how many rows");
    s.n = (size_t)n;
    s.out = script_new_frame(L, f->name);
    script_call(L, "top", run_top, &s);
    return 1;
}

static bool
run_distinct(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;

    s->out->frame = verb_distinct(s->in, s->names, task_pool(t), err);
    return s->out->frame;
}

static int
frame_distinct(lua_State *L)
{
    struct lua_frame *f = script_check_frame(L, 1);
    struct shaping s = {.in = f->frame};

    lua_settop(L, 2);
    if (!lua_isnil(L, 2))
        s.names = script_texts(L, 2, "distinct");
    s.out = script_new_frame(L, f->name);
    script_call(L, "distinct", run_distinct, &s);
    return 1;
}

static bool
run_sample(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;

    s->out->frame = verb_sample(s->in, s->amount, s->seed, task_pool(t), err);
    return s->out->frame;
}

/* frame:sample(1000), frame:sample(0.1, { seed = 7 }) */
static int
frame_sample(lua_State *L)
{
    static const char *const allowed[] = {"seed", NULL};
    struct lua_frame *f = script_check_frame(L, 1);
    struct shaping s = {.in = f->frame, .amount = luaL_checknumber(L, 2)};

    script_options(L, 3, allowed);
    s.seed = (uint64_t)script_opt_int(L, 3, "seed", 1);
    s.out = script_new_frame(L, f->name);
    script_call(L, "sample", run_sample, &s);
    return 1;
}

static bool
run_join(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;

    s->out->frame = join_frames(s->in, s->other, &s->join, task_pool(t),
                                task_progress(t), err);
    return s->out->frame;
}

/* frame:join(other, { by = "id", how = "left" }) */
static int
frame_join(lua_State *L)
{
    static const char *const allowed[] = {"by", "how", "suffix", "tolerance",
                                          NULL};
    struct lua_frame *f = script_check_frame(L, 1);
    struct shaping s = {.in = f->frame,
                        .other = script_check_frame(L, 2)->frame};
    struct error err;

    script_options(L, 3, allowed);
    s.join.by = script_opt_texts(L, 3, "by");
    s.join.suffix = script_opt_text(L, 3, "suffix", NULL);
    s.join.tolerance = script_opt_number(L, 3, "tolerance", -1);
    s.join.bounded =
        lua_istable(L, 3) && lua_getfield(L, 3, "tolerance") != LUA_TNIL;
    if (!join_how_parse(script_opt_text(L, 3, "how", "inner"), &s.join.how,
                        &err))
        script_fail(L, &err);
    s.out = script_new_frame(L, f->name);
    script_call(L, "join", run_join, &s);
    return 1;
}

static int
frame_head(lua_State *L)
{
    struct lua_frame *f = script_check_frame(L, 1), *out;
    lua_Integer n = luaL_optinteger(L, 2, 10);
    size_t rows = frame_rows(f->frame);
    struct error err;

    luaL_argcheck(L, n >= 0, 2, "rows are counted from 0");
    out = script_new_frame(L, f->name);
    out->frame =
        frame_slice(f->frame, 0, (size_t)n < rows ? (size_t)n : rows, &err);
    if (!out->frame)
        script_fail(L, &err);
    return 1;
}

static bool
run_group(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;

    s->out->frame =
        verb_group(s->in, s->names, s->exprs, task_pool(t), NULL, err);
    return s->out->frame;
}

/* frame:group("contract", { "n = count()", "churned = share(churn)" }) */
static int
frame_group(lua_State *L)
{
    struct lua_frame *f = script_check_frame(L, 1);
    struct shaping s = {.in = f->frame};

    lua_settop(L, 3);
    s.names = script_texts(L, 2, "group");
    s.exprs = script_aggregates(L, 3);
    s.out = script_new_frame(L, f->name);
    script_call(L, "group", run_group, &s);
    return 1;
}

static bool
run_pivot(struct task *t, void *ctx, struct error *err)
{
    struct shaping *s = ctx;

    s->out->frame =
        verb_pivot(s->in, s->names, s->text, s->exprs, task_pool(t), NULL, err);
    return s->out->frame;
}

/* frame:pivot("region", "month", "sum(price)") */
static int
frame_pivot(lua_State *L)
{
    struct lua_frame *f = script_check_frame(L, 1);
    struct shaping s = {.in = f->frame};

    lua_settop(L, 4);
    s.names = script_texts(L, 2, "pivot");
    s.text = luaL_checkstring(L, 3);
    s.exprs = script_aggregates(L, 4);
    s.out = script_new_frame(L, f->name);
    script_call(L, "pivot", run_pivot, &s);
    return 1;
}

struct splitting {
    const struct frame *in;
    struct lua_frame *train, *test;
    double share;
    struct split_by by;
};

static bool
run_split(struct task *t, void *ctx, struct error *err)
{
    struct splitting *s = ctx;
    struct split parts;

    (void)t;
    if (!split_holdout_by(s->in, s->share, &s->by, &parts, err))
        return false;
    s->train->frame = frame_take(s->in, parts.train, parts.n_train, err);
    if (s->train->frame)
        s->test->frame = frame_take(s->in, parts.test, parts.n_test, err);
    split_fini(&parts);
    return s->test->frame;
}

static int
frame_split(lua_State *L)
{
    static const char *const allowed[] = {"test", "stratify", "group", "time",
                                          "gap",  "seed",     NULL};
    struct lua_frame *f = script_check_frame(L, 1);
    struct splitting s = {.in = f->frame};
    int64_t gap;

    script_options(L, 2, allowed);
    s.share = script_opt_number(L, 2, "test", 0.2);
    s.by.stratify = script_opt_text(L, 2, "stratify", NULL);
    s.by.group = script_opt_text(L, 2, "group", NULL);
    s.by.time = script_opt_text(L, 2, "time", NULL);
    gap = script_opt_int(L, 2, "gap", 0);
    if (gap < 0)
        script_failf(L, ERR_RANGE, "gap is %lld, expected 0 or more",
                     (long long)gap);
    s.by.gap = (size_t)gap;
    s.by.seed = (uint64_t)script_opt_int(L, 2, "seed", 1);
    s.train = script_new_frame(L, f->name);
    s.test = script_new_frame(L, f->name);
    script_call(L, NULL, run_split, &s);
    return 2;
}

static int
frame_rejects(lua_State *L)
{
    struct lua_frame *f = script_check_frame(L, 1);

    if (f->rejects)
        script_push_frame(L, f->rejects, f->name);
    else
        lua_pushnil(L);
    return 1;
}

/* The values of a column as a list; missing ones are false, since a list of
 * Lua cannot hold nil. */
static int
frame_values(lua_State *L)
{
    struct lua_frame *f = script_check_frame(L, 1);
    struct buf *text;
    const struct column *c;
    struct error err;
    size_t col;

    lua_settop(L, 2);
    text = script_buf(L);
    if (!frame_need(f->frame, luaL_checkstring(L, 2), &col, &err))
        script_fail(L, &err);
    c = frame_column(f->frame, col);
    lua_createtable(L, (int)column_rows(c), 0);
    for (size_t i = 0; i < column_rows(c); i++) {
        if (!column_is_valid(c, i)) {
            lua_pushboolean(L, 0);
        } else if (column_type(c) == COL_INT64) {
            lua_pushinteger(L, column_int64s(c)[i]);
        } else if (column_type(c) == COL_FLOAT64) {
            lua_pushnumber(L, column_float64s(c)[i]);
        } else if (column_type(c) == COL_BOOL) {
            lua_pushboolean(L, column_bools(c)[i]);
        } else {
            buf_clear(text);
            column_print(c, i, text);
            lua_pushlstring(L, text->data, text->len);
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}
/* ---- tables ---- */

static bool
frame_field(lua_State *L, void *p, const char *name)
{
    struct lua_frame *f = p;
    char hash[33];
    struct error err;

    if (strcmp(name, "rows") == 0) {
        lua_pushinteger(L, (lua_Integer)frame_rows(f->frame));
    } else if (strcmp(name, "cols") == 0) {
        lua_pushinteger(L, (lua_Integer)frame_cols(f->frame));
    } else if (strcmp(name, "name") == 0) {
        lua_pushstring(L, f->name ? f->name : "");
    } else if (strcmp(name, "fingerprint") == 0) {
        if (!frame_fingerprint(f->frame, hash, &err))
            script_fail(L, &err);
        lua_pushstring(L, hash);
    } else if (strcmp(name, "columns") == 0) {
        lua_createtable(L, (int)frame_cols(f->frame), 0);
        for (size_t i = 0; i < frame_cols(f->frame); i++) {
            lua_pushstring(L, frame_name(f->frame, i));
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
    } else if (strcmp(name, "types") == 0) {
        lua_createtable(L, 0, (int)frame_cols(f->frame));
        for (size_t i = 0; i < frame_cols(f->frame); i++) {
            lua_pushstring(
                L, column_type_word(column_type(frame_column(f->frame, i))));
            lua_setfield(L, -2, frame_name(f->frame, i));
        }
    } else if (frame_find(f->frame, name) >= 0) {
        script_failf(L, ERR_NOTFOUND,
                     "a column is no field of its frame: :values(\"%s\") is a "
                     "list of it",
                     name);
    } else {
        return false;
    }
    return true;
}

static int
frame_len(lua_State *L)
{
    lua_pushinteger(L,
                    (lua_Integer)frame_rows(script_check_frame(L, 1)->frame));
    return 1;
}
const struct binding lua_frame_methods[] = {
    {"profile", lua_profile, "frame:profile{ target = name, against = frame }",
     "What the table holds and what to beware of: alerts first, then columns.\n"
     "  target   judge every column against this one\n"
     "  time     the rows are a series over this column\n"
     "  against  compare with this frame or scan: drift, rows in common\n"
     "  all      measure Kendall's tau and phi-k of every pair, too\n"
     "  dirty    look for categories that are spelt alike\n"
     "  redact   keep no value of the table"},
    {"where", frame_where, "frame:where(expression)",
     "The rows for which the expression is true."},
    {"with", frame_with_lua, "frame:with{ name = expression, ... }",
     "The frame with columns added or replaced."},
    {"select", frame_select_lua, "frame:select{ names }",
     "These columns, in this order."},
    {"drop", frame_drop_lua, "frame:drop{ names }", "All other columns."},
    {"rename", frame_rename_lua, "frame:rename{ old = new, ... }",
     "The frame with other names for columns."},
    {"sort", frame_sort, "frame:sort{ names }",
     "Rows sorted by these columns; \"-name\" sorts downwards. Stable, missing\n"
     "values last."},
    {"top", frame_top, "frame:top(n, names)",
     "The first n rows by these columns, without sorting the others."},
    {"head", frame_head, "frame:head([n])", "The first n rows (10)."},
    {"group", frame_group, "frame:group(by, { name = \"aggregate\", ... })",
     "One row for each group. A list, { \"name = aggregate\", ... }, keeps its\n"
     "order; names alone are sorted. Aggregates: count(), sum(x), mean(x), min(x),\n"
     "max(x), sd(x), median(x), distinct(x), missing(x), share(x),\n"
     "first(x), last(x); without any count()."},
    {"distinct", frame_distinct, "frame:distinct([names])",
     "The first row of each that differ, in these columns or in all."},
    {"join", frame_join, "frame:join(other, { by = names, ... })",
     "The rows of two frames side by side where the columns \"by\" are equal;\n"
     "\"a=b\" is a here and b there. Rows stay in their order; a missing value\n"
     "matches nothing.\n"
     "  by         a name or a list of names\n"
     "  how        \"inner\", \"left\" (all rows from here), \"semi\" (rows with a\n"
     "             partner), \"anti\" (rows without), \"asof\" (the last of by is\n"
     "             ordered: the nearest row at or before it)\n"
     "  suffix     of names that are taken, \"_right\"\n"
     "  tolerance  asof: at most so far back; days of dates, seconds of times"},
    {"pivot", frame_pivot, "frame:pivot(by, name, aggregates)",
     "One row for each group, and for each value of the column a column of\n"
     "the aggregates over it."},
    {"sample", frame_sample, "frame:sample(n [, { seed = 1 }])",
     "So many rows, or below 1 a share of them, at random, in their order."},
    {"frequency", lua_frame_frequency, "frame:frequency(name [, { bins = n }])",
     "The values of a column, most frequent first; with bins, about so many\n"
     "ranges of a number or a time, in their order."},
    {"describe", lua_frame_describe, "frame:describe{ target = name }",
     "A row for each column: type, missing, distinct, mean, sd, quartiles, ends,\n"
     "the most frequent value, alerts."},
    {"relations", lua_frame_relations, "frame:relations([kind])",
     "A matrix of how columns go together: \"auto\" (Spearman's for two numbers,\n"
     "else Cramer's V), \"pearson\", \"spearman\", \"kendall\", \"cramers_v\",\n"
     "\"phi_k\"."},
    {"missing", lua_frame_missing, "frame:missing()",
     "A row for each column: missing values, their share, and the rows that\n"
     "miss nothing else."},
    {"patterns", lua_frame_patterns, "frame:patterns()",
     "Which columns are missing together, and in how many rows."},
    {"duplicates", lua_frame_duplicates, "frame:duplicates([names])",
     "The rows that occur more than once, in these columns or in all, each once\n"
     "with the number of its copies."},
    {"split", frame_split, "train, test = frame:split{ options }",
     "Two frames of disjoint rows, the same for the same seed.\n"
     "  test      share of the rows for the second, 0.2\n"
     "  stratify  a column whose shares are kept in both\n"
     "  group     a column whose equal values lie on one side\n"
     "  time      the latest rows by this column are the second, those of one\n"
     "            time together\n"
     "  gap       by time: rows left out between them, 0\n"
     "  seed      1"},
    {"values", frame_values, "frame:values(name)",
     "A column as a list; a missing value is false."},
    {"rejects", frame_rejects, "frame:rejects()",
     "The rows that lathe.read set aside, with line and reason."},
    {"write", frame_write, "frame:write(path)",
     "Writes it as the ending says: .csv, .tsv or .jsonl, and .gz, .zst or\n"
     ".lz4 behind that; .arrow or .parquet."},
    {NULL, NULL, NULL, NULL},
};
static const char *const frame_fields[] = {
    "rows", "cols", "columns", "types", "fingerprint", "name", NULL};

const struct object_type frame_type = {
    .name = "frame",
    .methods = lua_frame_methods,
    .free = lua_frame_free,
    .print = frame_show_text,
    .brief = frame_brief,
    .show = frame_show,
    .field = frame_field,
    .fields = frame_fields,
    .len = frame_len,
};
