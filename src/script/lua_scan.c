/* script/lua_scan.c -- lathe.scan: tables beyond memory.
 *
 * A scan in Lua is a path and what is to be done to its rows, as a list of
 * steps that later scans share.  Nothing is read before the rows are asked for
 * or written; then steps become a chain of streams (frame/stream_verbs.h).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/bins.h"
#include "frame/sink.h"
#include "frame/stream_overview.h"
#include "frame/stream_verbs.h"
#include "script/lua_types.h"
#include "session/shelf.h"

enum step_kind {
    STEP_OPEN,
    STEP_WHERE,
    STEP_WITH,
    STEP_SELECT,
    STEP_DROP,
    STEP_RENAME,
    STEP_SORT,
    STEP_TOP,
    STEP_LIMIT,
    STEP_DISTINCT,
    STEP_SAMPLE,
    STEP_GROUP,
    STEP_PIVOT,
    STEP_JOIN
};

static const char *const words[] = {
    "scan", "where", "with",     "select", "drop",  "rename", "sort",
    "top",  "limit", "distinct", "sample", "group", "pivot",  "join"};

struct scan {
    size_t refs;        /* counted on the main thread */
    struct scan *of;    /* what comes before; NULL: opened */
    struct scan *other; /* the right side of a join, or */
    struct frame *frame;
    enum step_kind kind;
    char *text;            /* path, expression, name */
    char **names, **exprs; /* NULL-ended; NULL: none */
    double amount;         /* of a sample */
    uint64_t n;            /* rows, seed */
    struct join_options join;
    struct source_options source;
};

static void
free_texts(char **text)
{
    for (size_t i = 0; text && text[i]; i++)
        free(text[i]);
    free(text);
}

static void
step_unref(struct scan *s)
{
    while (s && --s->refs == 0) {
        struct scan *of = s->of;

        step_unref(s->other);
        frame_unref(s->frame);
        free_texts(s->names);
        free_texts(s->exprs);
        free((void *)(uintptr_t)s->join.suffix);
        free(s->text);
        free(s);
        s = of;
    }
}

static void
scan_free(void *p)
{
    step_unref(p);
}

static void
scan_print(struct kernel *k, const void *p, size_t width, struct buf *out)
{
    const struct scan *chain[64], *s = p;
    size_t n = 0;

    (void)k;
    (void)width;
    for (; s && n < sizeof chain / sizeof *chain; s = s->of)
        chain[n++] = s;
    while (n-- > 0) {
        buf_puts(out, words[chain[n]->kind]);
        if (chain[n]->text)
            buf_printf(out, " %s", chain[n]->text);
        for (size_t i = 0; chain[n]->names && chain[n]->names[i]; i++)
            buf_printf(out, " %s", chain[n]->names[i]);
        if (n > 0)
            buf_puts(out, " > ");
    }
    buf_putc(out, '\n');
}

struct scan *
script_scan(lua_State *L, int idx)
{
    return script_test(L, idx, &scan_type);
}

static struct scan *
check_scan(lua_State *L, int idx)
{
    return script_check(L, idx, &scan_type);
}

static char **
copy_texts(const char *const *text)
{
    size_t n = 0;
    char **out;

    if (!text)
        return NULL;
    while (text[n])
        n++;
    out = mem_new((n + 1) * sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = mem_text(text[i]);
    return out;
}

/* Pushes a scan with one more step, to be filled in. */
static struct scan *
push_step(lua_State *L, struct scan *of, enum step_kind kind)
{
    struct object *o = script_new(L, &scan_type);
    struct scan *s = mem_new(sizeof *s);

    s->refs = 1;
    s->of = of;
    if (of)
        of->refs++;
    s->kind = kind;
    o->p = s;
    return s;
}

/* ---- steps ---- */

static int
lathe_scan(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct source_options source;
    struct scan *s;

    lua_settop(L, 2);
    script_reading(L, 2, &source);
    s = push_step(L, NULL, STEP_OPEN);
    s->text = mem_text(path);
    s->names = copy_texts(source.csv.types);
    s->exprs = copy_texts(source.csv.nulls);
    s->source = source;
    s->source.csv.types = (const char *const *)s->names;
    s->source.csv.nulls = (const char *const *)s->exprs;
    return 1;
}

static int
scan_where(lua_State *L)
{
    struct scan *of = check_scan(L, 1), *s;
    const char *text = luaL_checkstring(L, 2);

    s = push_step(L, of, STEP_WHERE);
    s->text = mem_text(text);
    return 1;
}

/* { name = "text", ... } in order of the names. */
static int
by_pairs(lua_State *L, const char *what, enum step_kind kind)
{
    struct scan *of = check_scan(L, 1), *s;
    const char **names, **exprs;

    script_pairs(L, 2, what, &names, &exprs);
    s = push_step(L, of, kind);
    s->names = copy_texts(names);
    s->exprs = copy_texts(exprs);
    return 1;
}

static int
scan_with(lua_State *L)
{
    return by_pairs(L, "an expression", STEP_WITH);
}

static int
scan_rename(lua_State *L)
{
    return by_pairs(L, "a name", STEP_RENAME);
}

static int
by_names(lua_State *L, int idx, enum step_kind kind)
{
    struct scan *of = check_scan(L, 1), *s;
    const char *const *names =
        lua_isnoneornil(L, idx) ? NULL : script_texts(L, idx, words[kind]);

    s = push_step(L, of, kind);
    s->names = copy_texts(names);
    return 1;
}

static int
scan_select(lua_State *L)
{
    luaL_checkany(L, 2);
    return by_names(L, 2, STEP_SELECT);
}

static int
scan_drop(lua_State *L)
{
    luaL_checkany(L, 2);
    return by_names(L, 2, STEP_DROP);
}

static int
scan_sort(lua_State *L)
{
    luaL_checkany(L, 2);
    return by_names(L, 2, STEP_SORT);
}

static int
scan_distinct(lua_State *L)
{
    return by_names(L, 2, STEP_DISTINCT);
}

static lua_Integer
check_count(lua_State *L, int idx)
{
    lua_Integer n = luaL_checkinteger(L, idx);

    luaL_argcheck(L, n >= 0, idx, "expected how many rows");
    return n;
}

static int
scan_top(lua_State *L)
{
    struct scan *of = check_scan(L, 1), *s;
    lua_Integer n = check_count(L, 2);
    const char *const *names = script_texts(L, 3, "top");

    s = push_step(L, of, STEP_TOP);
    s->n = (uint64_t)n;
    s->names = copy_texts(names);
    return 1;
}

static int
scan_limit(lua_State *L)
{
    struct scan *of = check_scan(L, 1);
    lua_Integer n = check_count(L, 2);

    push_step(L, of, STEP_LIMIT)->n = (uint64_t)n;
    return 1;
}

static int
scan_sample(lua_State *L)
{
    static const char *const allowed[] = {"seed", NULL};
    struct scan *of = check_scan(L, 1), *s;
    double amount = luaL_checknumber(L, 2);
    int64_t seed;

    script_options(L, 3, allowed);
    seed = script_opt_int(L, 3, "seed", 1);
    s = push_step(L, of, STEP_SAMPLE);
    s->amount = amount;
    s->n = (uint64_t)seed;
    return 1;
}

static int
scan_group(lua_State *L)
{
    struct scan *of = check_scan(L, 1), *s;
    const char *const *by, *const *aggregates;

    lua_settop(L, 3);
    by = script_texts(L, 2, "group");
    aggregates = script_aggregates(L, 3);
    s = push_step(L, of, STEP_GROUP);
    s->names = copy_texts(by);
    s->exprs = copy_texts(aggregates);
    return 1;
}

/* scan:pivot({ "country" }, "status", { "count()" }) */
static int
scan_pivot(lua_State *L)
{
    struct scan *of = check_scan(L, 1), *s;
    const char *across = luaL_checkstring(L, 3);
    const char *const *by, *const *aggregates;

    lua_settop(L, 4);
    by = script_texts(L, 2, "pivot");
    aggregates = script_aggregates(L, 4);
    s = push_step(L, of, STEP_PIVOT);
    s->names = copy_texts(by);
    s->text = mem_text(across);
    s->exprs = copy_texts(aggregates);
    return 1;
}

/* scan:join(frame or scan, { by = "id", how = "left" }) */
static int
scan_join(lua_State *L)
{
    static const char *const allowed[] = {"by", "how", "suffix", "tolerance",
                                          NULL};
    struct scan *of = check_scan(L, 1), *s, *other;
    const struct frame *frame = script_frame(L, 2);
    struct join_options o = {0};
    const char *const *by;
    struct error err;

    other = frame ? NULL : check_scan(L, 2);
    lua_settop(L, 3);
    script_options(L, 3, allowed);
    by = script_opt_texts(L, 3, "by");
    o.suffix = script_opt_text(L, 3, "suffix", NULL);
    o.tolerance = script_opt_number(L, 3, "tolerance", -1);
    o.bounded =
        lua_istable(L, 3) && lua_getfield(L, 3, "tolerance") != LUA_TNIL;
    if (!join_how_parse(script_opt_text(L, 3, "how", "inner"), &o.how, &err))
        script_fail(L, &err);
    s = push_step(L, of, STEP_JOIN);
    s->names = copy_texts(by);
    s->join = o;
    s->join.by = (const char *const *)s->names;
    s->join.suffix = mem_text(o.suffix);
    s->frame = frame ? frame_ref(frame) : NULL;
    if ((s->other = other))
        other->refs++;
    return 1;
}

/* ---- streams ---- */

static struct stream *
with_all(struct stream *in, const struct scan *s, struct error *err)
{
    for (size_t i = 0; in && s->names[i]; i++)
        in = stream_with(in, s->names[i], s->exprs[i], err);
    return in;
}

static struct stream *
rename_all(struct stream *in, const struct scan *s, struct error *err)
{
    for (size_t i = 0; in && s->names[i]; i++)
        in = stream_rename(in, s->names[i], s->exprs[i], err);
    return in;
}

static struct stream *
join(struct stream *in, const struct scan *s, struct task *t, struct error *err)
{
    struct stream *right;

    if (s->frame)
        return stream_join(in, s->frame, &s->join, err);
    if ((right = script_scan_open(s->other, t, err)))
        return stream_join_stream(in, right, &s->join, err);
    stream_close(in);
    return NULL;
}

/* Takes in over. */
static struct stream *
apply(struct stream *in, const struct scan *s, struct task *t,
      struct error *err)
{
    const char *const *names = (const char *const *)s->names;

    switch (s->kind) {
    case STEP_WHERE:
        return stream_where(in, s->text, err);
    case STEP_WITH:
        return with_all(in, s, err);
    case STEP_SELECT:
        return stream_select(in, names, err);
    case STEP_DROP:
        return stream_drop(in, names, err);
    case STEP_RENAME:
        return rename_all(in, s, err);
    case STEP_SORT:
        return stream_sort(in, names, err);
    case STEP_TOP:
        return stream_top(in, names, s->n, err);
    case STEP_LIMIT:
        return stream_limit(in, s->n, err);
    case STEP_DISTINCT:
        return stream_distinct(in, names, err);
    case STEP_SAMPLE:
        return stream_sample(in, s->amount, s->n, err);
    case STEP_GROUP:
        return stream_group(in, names, (const char *const *)s->exprs, err);
    case STEP_PIVOT:
        return stream_pivot(in, names, s->text, (const char *const *)s->exprs,
                            err);
    case STEP_JOIN:
        return join(in, s, t, err);
    case STEP_OPEN:
        break;
    }
    return in;
}

struct stream *
script_scan_open(const struct scan *s, struct task *t, struct error *err)
{
    struct stream *in;

    if (s->kind == STEP_OPEN)
        return shelf_stream(task_session(t), s->text, &s->source,
                            task_progress(t), err);
    in = script_scan_open(s->of, t, err);
    return in ? apply(in, s, t, err) : NULL;
}

/* ---- the end ---- */

const char *
script_scan_path(const struct scan *s)
{
    while (s->of)
        s = s->of;
    return s->text;
}

void
script_scan_tell(const struct scan *s, struct task *t, const struct stream *in)
{
    struct csv_table told;

    stream_told(in, &told);
    if (told.n_rejected > 0)
        session_message(task_session(t), MESSAGE_WARN,
                        "%s: %zu rows were set aside", script_scan_path(s),
                        told.n_rejected);
    script_tell_foreign(task_session(t), script_scan_path(s), &told);
}

/* What comes of the rows: all of them, or what tells of them. */
struct telling {
    const struct scan *step;
    const char *name; /* frequency */
    size_t bins;
    struct frame *(*of)(struct stream *s, struct error *err); /* else */
    struct frame **out;
};

static void
release_frame(void *p)
{
    frame_unref(*(struct frame **)p);
}

static int
tell(lua_State *L, const char *title,
     bool (*run)(struct task *t, void *ctx, struct error *err),
     struct telling *w)
{
    w->out = script_scratch(L, sizeof *w->out, release_frame);
    script_call(L, title, run, w);
    script_push_frame(L, *w->out, script_scan_path(w->step));
    return 1;
}

static bool
run_collect(struct task *t, void *ctx, struct error *err)
{
    struct telling *w = ctx;
    struct stream *s = script_scan_open(w->step, t, err);

    if (!s)
        return false;
    *w->out = stream_collect(s, err);
    if (*w->out)
        script_scan_tell(w->step, t, s);
    else if (err->code == ERR_LIMIT)
        error_prefix(err, "scan:write(path) puts it into a file, "
                          "scan:limit(n) takes less of it: ");
    stream_close(s);
    return *w->out;
}

static int
scan_collect(lua_State *L)
{
    return tell(L, "collect", run_collect,
                &(struct telling){.step = check_scan(L, 1)});
}

static bool
run_tell(struct task *t, void *ctx, struct error *err)
{
    struct telling *w = ctx;
    struct stream *s = script_scan_open(w->step, t, err);

    if (s && w->of)
        *w->out = w->of(s, err);
    else if (s)
        *w->out = stream_frequency(s, w->name, w->bins, err);
    return *w->out;
}

struct writing {
    const struct scan *step;
    const char *path;
};

static bool
run_write(struct task *t, void *ctx, struct error *err)
{
    struct writing *w = ctx;
    struct stream *s = script_scan_open(w->step, t, err);
    bool ok = s && sink_write_stream(s, w->path, NULL, err);

    if (ok)
        script_scan_tell(w->step, t, s);
    stream_close(s);
    return ok;
}

static int
scan_write(lua_State *L)
{
    struct writing w = {check_scan(L, 1), luaL_checkstring(L, 2)};
    struct buf *title = script_buf(L);

    buf_printf(title, "write %s", file_base(w.path));
    script_call(L, title->data, run_write, &w);
    return 0;
}

/* scan:frequency("city"), scan:frequency("price", { bins = 20 }) */
static int
scan_frequency(lua_State *L)
{
    static const char *const allowed[] = {"bins", NULL};
    struct telling w = {.step = check_scan(L, 1),
                        .name = luaL_checkstring(L, 2)};
    int64_t bins;

    script_options(L, 3, allowed);
    bins = script_opt_int(L, 3, "bins", 0);
    luaL_argcheck(L, bins >= 0 && bins <= BINS_MAX, 3,
                  "at most 1000 bins; 0: each value");
    w.bins = (size_t)bins;
    return tell(L, "count", run_tell, &w);
}

static int
scan_missing(lua_State *L)
{
    return tell(
        L, "count", run_tell,
        &(struct telling){.step = check_scan(L, 1), .of = stream_missing});
}

static int
scan_patterns(lua_State *L)
{
    return tell(
        L, "count", run_tell,
        &(struct telling){.step = check_scan(L, 1), .of = stream_patterns});
}

static int
scan_duplicates(lua_State *L)
{
    return tell(
        L, "count", run_tell,
        &(struct telling){.step = check_scan(L, 1), .of = stream_duplicates});
}

/* ---- tables ---- */

const struct binding lua_scan_functions[] = {
    {"scan", lathe_scan, "lathe.scan(path [, options])",
     "A table that need not fit into memory, with the options of lathe.read. Its\n"
     "methods say what is to be done to its rows, which are read when collect() or\n"
     "write() or profile() asks for them, and for each of these once more. At no time more than\n"
     "LATHE_MEMORY is taken; what does not fit waits in LATHE_SPILL."},
    {NULL, NULL, NULL, NULL},
};

const struct binding lua_scan_methods[] = {
    {"where", scan_where, "scan:where(expression)",
     "Rows for which it is true. It may look at other rows."},
    {"with", scan_with, "scan:with{ name = expression, ... }",
     "Columns added or replaced, in order of the names."},
    {"select", scan_select, "scan:select{ names }", "These columns alone."},
    {"drop", scan_drop, "scan:drop{ names }", "All other columns."},
    {"rename", scan_rename, "scan:rename{ old = new, ... }",
     "Other names for columns."},
    {"sort", scan_sort, "scan:sort{ names }",
     "By these columns, \"-name\" downwards; stable, missing values last."},
    {"top", scan_top, "scan:top(n, names)", "The first n rows of that order."},
    {"limit", scan_limit, "scan:limit(n)", "The first n rows; reads no more."},
    {"distinct", scan_distinct, "scan:distinct([names])",
     "The first row of each that differ in these columns, or in any."},
    {"sample", scan_sample, "scan:sample(n [, { seed = 1 }])",
     "So many rows at random, or below 1 a share of them."},
    {"group", scan_group, "scan:group(by, { name = \"aggregate\", ... })",
     "As frame:group()."},
    {"pivot", scan_pivot,
     "scan:pivot(by, across, { name = \"aggregate\", ... })",
     "As frame:pivot."},
    {"join", scan_join, "scan:join(other, { by = names, ... })",
     "As frame:join(), with a frame or a scan."},
    {"collect", scan_collect, "scan:collect()",
     "The rows as a frame; an error when they do not fit into memory."},
    {"profile", lua_profile, "scan:profile{ target = name, against = scan }",
     "As frame:profile(), of any number of rows; what is an estimate is told as\n"
     "one."},
    {"write", scan_write, "scan:write(path)",
     "Writes the rows as the ending says, however many they are."},
    {"frequency", scan_frequency, "scan:frequency(name [, { bins = n }])",
     "As frame:frequency; the column must fit into memory."},
    {"missing", scan_missing, "scan:missing()", "As frame:missing."},
    {"patterns", scan_patterns, "scan:patterns()", "As frame:patterns."},
    {"duplicates", scan_duplicates, "scan:duplicates()",
     "As frame:duplicates, of all columns."},
    {NULL, NULL, NULL, NULL},
};

const struct object_type scan_type = {
    .name = "scan",
    .methods = lua_scan_methods,
    .free = scan_free,
    .print = scan_print,
};
