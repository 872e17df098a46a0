/* script/lua_store.c -- runs and the registry.
 *
 * A list of runs or versions is a plain Lua table with a metatable that prints
 * it; what is in it are objects of this file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/mem.h"
#include "script/lua_project.h"
#include "script/lua_types.h"
#include "session/enrol.h"
#include "session/gate.h"
#include "session/listing.h"
#include "session/summary.h"

enum { RUNS_DEFAULT = 50 };

static struct store *
need_store(struct task *t, struct error *err)
{
    struct store *s = session_store(task_session(t), false, err);

    if (!s && err->code == ERR_NOTFOUND)
        error_set(err, ERR_NOTFOUND,
                  "there is no run and no model in this project yet");
    return s;
}

static void
push_json_text(lua_State *L, const char *text)
{
    struct error err;
    struct json *v = json_parse(str_of(*text ? text : "{}"), &err);

    if (!v)
        script_fail(L, &err);
    script_push_json(L, v);
    json_free(v);
}

/* ---- runs ---- */

struct lua_run {
    struct run run;
    struct series_list series;
};

static void
lua_run_free(void *p)
{
    struct lua_run *r = p;

    run_fini(&r->run);
    series_list_fini(&r->series);
    free(r);
}

static void
run_print(struct kernel *k, const void *p, size_t width, struct buf *out)
{
    const struct lua_run *r = p;

    summary_run(&r->run, &r->series, width, script_plain(k), out);
}

static void
run_brief(const void *p, struct buf *out)
{
    const struct lua_run *r = p;

    buf_printf(out, "%s  %s  ", r->run.name, run_state_word(r->run.state));
    summary_metrics(r->run.metrics, 2, out);
}

static void
run_show(struct kernel *k, const void *p, struct output *o)
{
    const struct lua_run *r = p;

    (void)k;
    o->kind = OUT_RUN;
    o->run = mem_text(r->run.id);
}

static bool
run_field(lua_State *L, void *p, const char *name)
{
    const struct run *r = &((const struct lua_run *)p)->run;
    const struct {
        const char *name, *text;
    } texts[] = {{"id", r->id},
                 {"name", r->name},
                 {"state", run_state_word(r->state)},
                 {"family", r->family},
                 {"target", r->target},
                 {"data", r->data},
                 {"fingerprint", r->fingerprint},
                 {"source", r->source},
                 {"commit", r->git_commit},
                 {"build", r->build},
                 {"artifact", r->artifact},
                 {"message", r->message}};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i].name) == 0) {
            lua_pushstring(L, texts[i].text);
            return true;
        }
    if (strcmp(name, "seed") == 0)
        lua_pushinteger(L, (lua_Integer)r->seed);
    else if (strcmp(name, "params") == 0)
        push_json_text(L, r->params);
    else if (strcmp(name, "metrics") == 0)
        push_json_text(L, r->metrics);
    else
        return false;
    return true;
}

struct listing_runs {
    int64_t limit;
    struct run_list list;
};

static void
listing_runs_fini(void *p)
{
    run_list_fini(&((struct listing_runs *)p)->list);
}

static bool
list_runs(struct task *t, void *ctx, struct error *err)
{
    struct listing_runs *l = ctx;
    struct store *s = session_store(task_session(t), false, err);

    if (!s) /* none yet is no error here: the list is empty */
        return err->code == ERR_NOTFOUND;
    return run_list(s, (size_t)l->limit, &l->list, err);
}

static const char list_key;

/* The metatable of lists. */
static void
push_list_meta(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &list_key);
}

static int
lathe_runs(lua_State *L)
{
    static const char *const allowed[] = {"limit", NULL};
    struct listing_runs *l;

    lua_settop(L, 1);
    script_options(L, 1, allowed);
    l = script_scratch(L, sizeof *l, listing_runs_fini);
    l->limit = script_opt_int(L, 1, "limit", RUNS_DEFAULT);
    script_call(L, NULL, list_runs, l);
    lua_createtable(L, (int)l->list.n, 0);
    for (size_t i = 0; i < l->list.n; i++) {
        struct object *o = script_new(L, &run_type);
        struct lua_run *r = mem_new(sizeof *r);

        r->run = l->list.run[i];
        l->list.run[i] = (struct run){.name = NULL};
        o->p = r;
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    push_list_meta(L);
    lua_setmetatable(L, -2);
    return 1;
}

struct finding {
    const char *name;
    struct lua_run *run;
};

static bool
find_run(struct task *t, void *ctx, struct error *err)
{
    struct finding *f = ctx;
    struct store *s = need_store(t, err);

    return s && run_find(s, f->name, &f->run->run, err) &&
           run_series(s, f->run->run.id, &f->run->series, err);
}

static int
lathe_run(lua_State *L)
{
    struct finding f = {.name = luaL_checkstring(L, 1)};
    struct object *o = script_new(L, &run_type);

    if (strncmp(f.name, "runs:/", 6) == 0)
        f.name += 6;
    o->p = f.run = mem_new(sizeof *f.run);
    script_call(L, NULL, find_run, &f);
    return 1;
}

struct tagging {
    const char *id, *key, *value;
};

static bool
tag_run(struct task *t, void *ctx, struct error *err)
{
    struct tagging *g = ctx;
    struct store *s = need_store(t, err);

    return s && run_tag(s, g->id, g->key, g->value, err);
}

static int
run_tag_lua(lua_State *L)
{
    struct lua_run *r = script_check(L, 1, &run_type);
    struct tagging g = {r->run.id, luaL_checkstring(L, 2),
                        luaL_checkstring(L, 3)};

    script_call(L, NULL, tag_run, &g);
    lua_settop(L, 1);
    return 1;
}

static bool
delete_run(struct task *t, void *ctx, struct error *err)
{
    struct store *s = need_store(t, err);

    return s && run_delete(s, ctx, false, err);
}

static int
run_delete_lua(lua_State *L)
{
    struct lua_run *r = script_check(L, 1, &run_type);

    script_call(L, NULL, delete_run, r->run.id);
    session_notify(script_session(L), TOPIC_RUNS);
    return 0;
}

/* One series as { step = {...}, value = {...} }. */
static int
run_series_lua(lua_State *L)
{
    struct lua_run *r = script_check(L, 1, &run_type);
    const char *name = luaL_checkstring(L, 2), *nearest;
    const char *names[64];
    size_t n = 0;

    for (size_t i = 0; i < r->series.n; i++) {
        const struct series *s = &r->series.series[i];

        if (n < 64)
            names[n++] = s->name;
        if (strcmp(s->name, name) != 0)
            continue;
        lua_createtable(L, 0, 2);
        lua_createtable(L, (int)s->n, 0);
        lua_createtable(L, (int)s->n, 0);
        for (size_t j = 0; j < s->n; j++) {
            lua_pushinteger(L, s->step[j]);
            lua_rawseti(L, -3, (lua_Integer)j + 1);
            lua_pushnumber(L, s->value[j]);
            lua_rawseti(L, -2, (lua_Integer)j + 1);
        }
        lua_setfield(L, -3, "value");
        lua_setfield(L, -2, "step");
        return 1;
    }
    nearest = str_nearest(str_of(name), names, n);
    if (nearest)
        script_failf(L, ERR_NOTFOUND, "no series '%s' (did you mean '%s'?)",
                     name, nearest);
    script_failf(L, ERR_NOTFOUND, "no series '%s'", name);
}

/* ---- versions ---- */

static void
lua_version_free(void *p)
{
    version_fini(p);
    free(p);
}

static void
version_print(struct kernel *k, const void *p, size_t width, struct buf *out)
{
    (void)k;
    (void)width;
    summary_version(p, out);
}

static void
version_brief(const void *p, struct buf *out)
{
    const struct version *v = p;

    buf_printf(out, "%s/%lld  %s  ", v->model, (long long)v->number,
               stage_word(v->stage));
    summary_metrics(v->metrics, 1, out);
}

static bool
version_field(lua_State *L, void *p, const char *name)
{
    const struct version *v = p;
    const struct {
        const char *name, *text;
    } texts[] = {{"model", v->model},
                 {"stage", stage_word(v->stage)},
                 {"aliases", v->aliases},
                 {"family", v->family},
                 {"run", v->run},
                 {"artifact", v->artifact},
                 {"description", v->description}};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i].name) == 0) {
            lua_pushstring(L, texts[i].text);
            return true;
        }
    if (strcmp(name, "number") == 0)
        lua_pushinteger(L, v->number);
    else if (strcmp(name, "label") == 0)
        lua_pushfstring(L, "%s/%I", v->model, (LUAI_UACINT)v->number);
    else if (strcmp(name, "metrics") == 0)
        push_json_text(L, v->metrics);
    else
        return false;
    return true;
}

/* "churn/3" of a version object or a text; the text stays on the stack. */
static const char *
check_reference(lua_State *L, int idx)
{
    const struct version *v = script_test(L, idx, &version_type);

    if (!v)
        return luaL_checkstring(L, idx);
    return lua_pushfstring(L, "%s/%I", v->model, (LUAI_UACINT)v->number);
}

static struct version *
new_version(lua_State *L)
{
    struct object *o = script_new(L, &version_type);
    struct version *v = mem_new(sizeof *v);

    o->p = v;
    return v;
}

struct enrolling {
    const char *name, *metrics, *description;
    const struct lua_model *model;
    struct version *out;
};

static bool
enrol(struct task *t, void *ctx, struct error *err)
{
    struct enrolling *e = ctx;

    return enrol_model(task_session(t), e->name, e->model->model,
                       e->model->run[0] ? e->model->run : NULL, e->metrics,
                       e->description, e->out, err);
}

/* An evaluation, or a table of numbers. */
static const char *
read_metrics(lua_State *L, int idx)
{
    struct buf *b = script_buf(L);
    const struct evaluation *e;
    struct json_writer w;

    if (lua_getfield(L, idx, "metrics") == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    e = script_evaluation(L, -1);
    if (e) {
        summary_flat(e, b);
    } else if (lua_istable(L, -1)) {
        json_writer_init(&w, b);
        script_to_json(L, -1, &w);
    } else {
        script_failf(L, ERR_TYPE,
                     "option 'metrics' is a %s, expected an "
                     "evaluation or a table of numbers",
                     luaL_typename(L, -1));
    }
    lua_pop(L, 1);
    return b->data;
}

static int
lathe_register(lua_State *L)
{
    static const char *const allowed[] = {"metrics", "description", NULL};
    struct enrolling e = {.name = luaL_checkstring(L, 1),
                          .model = script_model(L, 2)};

    lua_settop(L, 3);
    script_options(L, 3, allowed);
    e.metrics = e.model->metrics;
    if (lua_istable(L, 3)) {
        const char *given = read_metrics(L, 3);

        e.metrics = given ? given : e.metrics;
        e.description = script_opt_text(L, 3, "description", NULL);
    }
    e.out = new_version(L);
    script_call(L, "register a model", enrol, &e);
    return 1;
}

struct promoting {
    const char *reference, *stage, *gate, *why;
    struct version *out;
};

static bool
promote(struct task *t, void *ctx, struct error *err)
{
    struct promoting *p = ctx;
    struct store *s = need_store(t, err);
    struct version v;
    enum stage stage;
    struct buf name;
    bool ok;

    if (!s || !stage_parse(p->stage, &stage, err) ||
        !registry_find(s, p->reference, &v, err))
        return false;
    buf_init(&name);
    buf_printf(&name, "%s/%lld", v.model, (long long)v.number);
    ok = (!p->gate || gate_check(v.metrics, p->gate, err)) &&
         registry_promote(s, v.model, v.number, stage, p->why, err) &&
         registry_find(s, name.data, p->out, err);
    buf_fini(&name);
    version_fini(&v);
    session_notify(task_session(t), TOPIC_REGISTRY);
    return ok;
}

static int
lathe_promote(lua_State *L)
{
    static const char *const allowed[] = {"gate", "why", NULL};
    struct promoting p = {.stage = luaL_checkstring(L, 2)};

    lua_settop(L, 3);
    script_options(L, 3, allowed);
    p.gate = script_opt_text(L, 3, "gate", NULL);
    p.why = script_opt_text(L, 3, "why", NULL);
    p.reference = check_reference(L, 1);
    p.out = new_version(L);
    script_call(L, "promote a version", promote, &p);
    return 1;
}

static bool
roll_back(struct task *t, void *ctx, struct error *err)
{
    struct promoting *p = ctx;
    struct store *s = need_store(t, err);
    struct buf name;
    int64_t now;
    bool ok;

    if (!s || !registry_rollback(s, p->reference, p->why, &now, err))
        return false;
    buf_init(&name);
    buf_printf(&name, "%s/%lld", p->reference, (long long)now);
    ok = registry_find(s, name.data, p->out, err);
    buf_fini(&name);
    session_notify(task_session(t), TOPIC_REGISTRY);
    return ok;
}

static int
lathe_rollback(lua_State *L)
{
    static const char *const allowed[] = {"why", NULL};
    struct promoting p = {.reference = luaL_checkstring(L, 1)};

    lua_settop(L, 2);
    script_options(L, 2, allowed);
    p.why = script_opt_text(L, 2, "why", NULL);
    p.out = new_version(L);
    script_call(L, "roll back", roll_back, &p);
    return 1;
}

static bool
find_version(struct task *t, void *ctx, struct error *err)
{
    struct promoting *p = ctx;
    struct store *s = need_store(t, err);

    return s && registry_find(s, p->reference, p->out, err);
}

static int
lathe_version_of(lua_State *L)
{
    struct promoting p = {.reference = luaL_checkstring(L, 1)};

    p.out = new_version(L);
    script_call(L, NULL, find_version, &p);
    return 1;
}

struct aliasing {
    const char *reference, *alias;
    bool remove;
};

static bool
set_alias(struct task *t, void *ctx, struct error *err)
{
    struct aliasing *a = ctx;
    struct store *s = need_store(t, err);
    struct version v;
    bool ok;

    if (!s || !registry_find(s, a->reference, &v, err))
        return false;
    ok = registry_alias(s, v.model, a->alias, v.number, err);
    version_fini(&v);
    session_notify(task_session(t), TOPIC_REGISTRY);
    return ok;
}

static int
lathe_alias(lua_State *L)
{
    struct aliasing a = {.alias = luaL_checkstring(L, 2)};
    struct promoting p;

    lua_settop(L, 2);
    a.reference = p.reference = check_reference(L, 1);
    script_call(L, "set an alias", set_alias, &a);
    p.out = new_version(L);
    script_call(L, NULL, find_version, &p);
    return 1;
}

struct listing_versions {
    const char *name;
    struct version_list list;
};

static void
listing_versions_fini(void *p)
{
    version_list_fini(&((struct listing_versions *)p)->list);
}

static bool
list_versions(struct task *t, void *ctx, struct error *err)
{
    struct listing_versions *l = ctx;
    struct store *s = session_store(task_session(t), false, err);

    if (!s)
        return err->code == ERR_NOTFOUND;
    return registry_list(s, l->name, &l->list, err);
}

static int
lathe_versions(lua_State *L)
{
    const char *name = luaL_optstring(L, 1, NULL);
    struct listing_versions *l =
        script_scratch(L, sizeof *l, listing_versions_fini);

    l->name = name;
    script_call(L, NULL, list_versions, l);
    lua_createtable(L, (int)l->list.n, 0);
    for (size_t i = 0; i < l->list.n; i++) {
        struct version *v = new_version(L);

        *v = l->list.version[i];
        l->list.version[i] = (struct version){.model = NULL};
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    push_list_meta(L);
    lua_setmetatable(L, -2);
    return 1;
}

/* ---- lists ---- */

static void
free_listing(void *p)
{
    listing_free(*(struct listing **)p);
}

static int
list_tostring(lua_State *L)
{
    struct listing **l =
        script_scratch(L, sizeof(struct listing *), free_listing);
    struct buf *out = script_buf(L);

    for (lua_Integer i = 1; lua_rawgeti(L, 1, i) != LUA_TNIL; i++) {
        const struct lua_run *r = script_test(L, -1, &run_type);
        const struct version *v = script_test(L, -1, &version_type);

        if (!*l && (r || v))
            *l = listing_new(r ? summary_run_titles : summary_version_titles);
        if (r)
            summary_run_row(&r->run, *l);
        else if (v)
            summary_version_row(v, *l);
        lua_pop(L, 1);
    }
    if (*l)
        listing_print(*l, script_width(script_kernel(L)), out);
    else
        buf_puts(out, "none yet");
    while (out->len && out->data[out->len - 1] == '\n')
        out->len--;
    lua_pushlstring(L, out->data, out->len);
    return 1;
}

/* ---- tables ---- */

const struct binding lua_run_methods[] = {
    {"series", run_series_lua, "run:series(name)",
     "One curve as { step = {...}, value = {...} }: run:series(\"valid.auc\").\n"
     "Of a run from lathe.run(id)."},
    {"tag", run_tag_lua, "run:tag(key, value)", "Attaches a word to the run."},
    {"delete", run_delete_lua, "run:delete()",
     "Deletes the run; `lathe runs rm --undo ID` brings it back."},
    {NULL, NULL, NULL, NULL},
};

const struct binding lua_version_methods[] = {
    {"promote", lathe_promote, "version:promote(stage [, options])",
     "As lathe.promote()."},
    {"alias", lathe_alias, "version:alias(word)", "As lathe.alias()."},
    {NULL, NULL, NULL, NULL},
};

const struct binding lua_store_functions[] = {
    {"register", lathe_register, "lathe.register(name, model [, options])",
     "Adds the model to the registry as the next version of `name`.\n"
     "  metrics      an evaluation or a table of numbers, for gates; else those\n"
     "               of the last evaluate(), else of the validation rows\n"
     "  description  a sentence"},
    {"promote", lathe_promote, "lathe.promote(version, stage [, options])",
     "Moves a version (or \"churn/3\") to staging, production, archived or none.\n"
     "The version that held the stage is archived in the same transaction.\n"
     "  gate  a condition over its metrics: \"auc >= 0.83\"; not met, it is an\n"
     "        error, and `lathe run` ends with status 3\n"
     "  why   for the history"},
    {"rollback", lathe_rollback, "lathe.rollback(name [, { why = ... }])",
     "Gives production back to the version that held it before."},
    {"alias", lathe_alias, "lathe.alias(version, word)",
     "Gives a version a name of your own: churn@champion."},
    {"version_of", lathe_version_of, "lathe.version_of(reference)",
     "One version: \"churn/3\", \"churn@production\", \"churn\" (the newest)."},
    {"versions", lathe_versions, "lathe.versions([name])",
     "All versions of one model, newest first; without a name the newest of\n"
     "each model."},
    {"runs", lathe_runs, "lathe.runs([{ limit = 50 }])",
     "The runs, newest first."},
    {"run", lathe_run, "lathe.run(id)",
     "One run with its curves: by id, its first digits, or its name."},
    {NULL, NULL, NULL, NULL},
};

static const char *const run_fields[] = {
    "id",          "name",   "state",   "family", "target",   "data",
    "fingerprint", "source", "commit",  "build",  "artifact", "message",
    "seed",        "params", "metrics", NULL};

const struct object_type run_type = {
    .name = "run",
    .methods = lua_run_methods,
    .free = lua_run_free,
    .print = run_print,
    .brief = run_brief,
    .show = run_show,
    .field = run_field,
    .fields = run_fields,
};

static const char *const version_fields[] = {
    "model", "number",   "label",       "stage",   "aliases", "family",
    "run",   "artifact", "description", "metrics", NULL};

const struct object_type version_type = {
    .name = "version",
    .methods = lua_version_methods,
    .free = lua_version_free,
    .print = version_print,
    .brief = version_brief,
    .field = version_field,
    .fields = version_fields,
};

void
lua_store_open(lua_State *L)
{
    script_type(L, &run_type);
    script_type(L, &version_type);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, list_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "list");
    lua_setfield(L, -2, "__name");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &list_key);
}
