/* script/lua_endpoint.c -- deploy a model, ask it, watch it.
 *
 * An endpoint in Lua is its name and where it was when it was asked for last;
 * the process belongs to nobody here and outlives the notebook.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "script/lua_project.h"
#include "script/lua_types.h"
#include "serve/endpoint.h"

enum { BATCH_ROWS = 1000, ANSWER_MAX = 400 };

struct lua_endpoint {
    struct deployment d;
};

static void
lua_endpoint_free(void *p)
{
    struct lua_endpoint *e = p;

    deployment_fini(&e->d);
    free(e);
}

static void
endpoint_print(struct kernel *k, const void *p, size_t width, struct buf *out)
{
    const struct deployment *d = &((const struct lua_endpoint *)p)->d;

    (void)k;
    (void)width;
    buf_printf(out, "endpoint %s: %s at http://%s:%lld%s\n", d->name, d->label,
               d->host, (long long)d->port, d->wanted ? "" : "  stopped");
}

static bool
endpoint_field(lua_State *L, void *p, const char *name)
{
    const struct deployment *d = &((const struct lua_endpoint *)p)->d;

    if (strcmp(name, "name") == 0)
        lua_pushstring(L, d->name);
    else if (strcmp(name, "model") == 0)
        lua_pushstring(L, d->label);
    else if (strcmp(name, "host") == 0)
        lua_pushstring(L, d->host);
    else if (strcmp(name, "port") == 0)
        lua_pushinteger(L, d->port);
    else if (strcmp(name, "url") == 0)
        lua_pushfstring(L, "http://%s:%I", d->host, (LUAI_UACINT)d->port);
    else
        return false;
    return true;
}

static struct lua_endpoint *
new_endpoint(lua_State *L)
{
    struct object *o = script_new(L, &endpoint_type);
    struct lua_endpoint *e = mem_new(sizeof *e);

    o->p = e;
    return e;
}

/* ---- deploy ---- */

struct deploying {
    const char *name, *reference;
    struct endpoint_options options;
    struct lua_endpoint *out;
};

static bool
deploy(struct task *t, void *ctx, struct error *err)
{
    struct deploying *d = ctx;
    struct store *s = session_store(task_session(t), true, err);

    progress_begin(task_progress(t), "starting", 0);
    if (!s || !endpoint_create(s, d->name, d->reference, &d->options,
                               &d->out->d, err))
        return false;
    session_notify(task_session(t), TOPIC_ENDPOINTS);
    return true;
}

/* The model's name in a reference: "churn" of churn@production, churn/3. A
 * file gives its name without the ending. */
static const char *
default_name(lua_State *L, const char *reference)
{
    const char *p =
        strncmp(reference, "models:/", 8) == 0 ? reference + 8 : reference;
    size_t n = strcspn(p, "@/");

    if (strncmp(reference, "runs:/", 6) == 0)
        p = "run", n = 3;
    else if (strchr(p, '.') && file_exists(reference)) {
        p = file_base(reference);
        n = strcspn(p, ".");
    }
    return lua_pushlstring(L, p, n);
}

static int
lathe_deploy(lua_State *L)
{
    static const char *const allowed[] = {"name", "host", "port", "sla_ms",
                                          NULL};
    struct deploying d = {.name = NULL};
    const struct version *v = script_test(L, 1, &version_type);
    int64_t port;
    struct buf *title;

    if (!v)
        luaL_checkstring(L, 1);
    lua_settop(L, 2);
    script_options(L, 2, allowed);
    if (v)
        d.reference =
            lua_pushfstring(L, "%s/%I", v->model, (LUAI_UACINT)v->number);
    else
        d.reference = lua_tostring(L, 1);
    d.name = script_opt_text(L, 2, "name", NULL);
    if (!d.name)
        d.name = default_name(L, d.reference);
    port = script_opt_int(L, 2, "port", 0);
    if (port < 0 || port > 65535)
        script_failf(L, ERR_RANGE, "port is %lld, expected 0 to 65535",
                     (long long)port);
    d.options.host = script_opt_text(L, 2, "host", NULL);
    d.options.port = (unsigned)port;
    d.options.sla_ms = script_opt_number(L, 2, "sla_ms", 0);
    title = script_buf(L);
    buf_printf(title, "deploy %s", d.reference);
    d.out = new_endpoint(L);
    script_call(L, title->data, deploy, &d);
    return 1;
}

/* ---- find ---- */

static bool
find(struct task *t, void *ctx, struct error *err)
{
    struct deploying *d = ctx;
    struct store *s = session_store(task_session(t), false, err);

    return s && deployment_find(s, d->name, &d->out->d, err);
}

static int
lathe_endpoint(lua_State *L)
{
    struct deploying d = {.name = luaL_checkstring(L, 1)};

    d.out = new_endpoint(L);
    script_call(L, NULL, find, &d);
    return 1;
}

struct listing_endpoints {
    struct deployment_list list;
};

static void
listing_fini(void *p)
{
    deployment_list_fini(&((struct listing_endpoints *)p)->list);
}

static bool
list_all(struct task *t, void *ctx, struct error *err)
{
    struct listing_endpoints *l = ctx;
    struct store *s = session_store(task_session(t), false, err);

    if (!s)
        return err->code == ERR_NOTFOUND;
    return deployment_list(s, &l->list, err);
}

static int
lathe_endpoints(lua_State *L)
{
    struct listing_endpoints *l = script_scratch(L, sizeof *l, listing_fini);

    script_call(L, NULL, list_all, l);
    lua_createtable(L, (int)l->list.n, 0);
    for (size_t i = 0; i < l->list.n; i++) {
        struct lua_endpoint *e = new_endpoint(L);

        e->d = l->list.deployment[i];
        l->list.deployment[i] = (struct deployment){.name = NULL};
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* ---- invoke ---- */

struct invoking {
    const struct deployment *d;
    const struct frame *frame; /* or */
    struct buf *body;
    struct buf *answers; /* a JSON array */
};

static bool
put_answers(struct invoking *v, const struct buf *answer, struct error *err)
{
    struct json *root =
        json_parse((struct str){answer->data, answer->len}, err);
    const struct json *all = NULL;
    bool ok = root && json_get_array(root, "predictions", &all, err);

    for (const struct json *p = ok ? json_first(all) : NULL; p;
         p = json_next(p)) {
        if (v->answers->len > 1)
            buf_putc(v->answers, ',');
        json_print(v->answers, p);
    }
    json_free(root);
    return ok;
}

/* What the server said went wrong, or its answer cut short. */
static bool
refused(const struct deployment *d, const struct buf *answer, long status,
        struct error *err)
{
    struct error ignored;
    struct json *root =
        json_parse((struct str){answer->data, answer->len}, &ignored);
    const struct json *m = root && json_type(root) == JSON_OBJECT
                               ? json_find(root, "message")
                               : NULL;

    if (!m && root && json_type(root) == JSON_OBJECT)
        m = json_find(root, "error");
    if (m && json_type(m) == JSON_STRING)
        error_set(err, ERR_RANGE, "%s answered %ld: %s", d->name, status,
                  json_string(m));
    else
        error_set(err, ERR_RANGE, "%s answered %ld: %.*s", d->name, status,
                  ANSWER_MAX, answer->data);
    json_free(root);
    return false;
}

static bool
ask_once(struct invoking *v, const struct buf *body, struct error *err)
{
    struct buf answer;
    long status;
    bool ok;

    buf_init(&answer);
    ok = endpoint_invoke(v->d, body->data, body->len, &answer, &status, err);
    if (ok && status != 200)
        ok = refused(v->d, &answer, status, err);
    ok = ok && put_answers(v, &answer, err);
    buf_fini(&answer);
    return ok;
}

static bool
ask_frame(struct invoking *v, struct progress *progress, struct error *err)
{
    size_t n = frame_rows(v->frame);
    struct buf body;
    bool ok = true;

    progress_begin(progress, "asking", n);
    buf_init(&body);
    for (size_t i = 0; i < n && ok; i += BATCH_ROWS) {
        size_t end = n - i < BATCH_ROWS ? n : i + BATCH_ROWS;

        buf_clear(&body);
        buf_puts(&body, "{\"dataframe_records\":");
        frame_json(v->frame, i, end, &body);
        buf_putc(&body, '}');
        ok = buf_check(&body, err) && ask_once(v, &body, err) &&
             progress_check(progress, err);
        progress_set(progress, end);
    }
    buf_fini(&body);
    return ok;
}

static bool
invoke(struct task *t, void *ctx, struct error *err)
{
    struct invoking *v = ctx;
    bool ok;

    buf_putc(v->answers, '[');
    ok = v->frame ? ask_frame(v, task_progress(t), err)
                  : ask_once(v, v->body, err);
    buf_putc(v->answers, ']');
    return ok;
}

static void
free_json(void *p)
{
    json_free(*(struct json **)p);
}

/* One record gives one answer, many give a list. */
static int
endpoint_invoke_lua(lua_State *L)
{
    struct lua_endpoint *e = script_check(L, 1, &endpoint_type);
    struct invoking v = {.d = &e->d, .frame = script_frame(L, 2)};
    bool one = false;
    struct json_writer w;
    struct json **root;
    struct error err;

    if (!v.frame)
        luaL_checktype(L, 2, LUA_TTABLE);
    v.body = script_buf(L);
    v.answers = script_buf(L);
    if (!v.frame) {
        one = lua_rawlen(L, 2) == 0;
        buf_printf(v.body, "{\"dataframe_records\":%s", one ? "[" : "");
        json_writer_init(&w, v.body);
        script_to_json(L, 2, &w);
        buf_printf(v.body, "%s}", one ? "]" : "");
    }
    script_call(L, v.frame ? "ask an endpoint" : NULL, invoke, &v);
    root = script_scratch(L, sizeof(struct json *), free_json);
    *root = json_parse((struct str){v.answers->data, v.answers->len}, &err);
    if (!*root)
        script_fail(L, &err);
    script_push_json(L, one ? json_first(*root) : *root);
    return 1;
}

/* ---- watch ---- */

struct watching {
    const struct deployment *d;
    struct endpoint_status status;
    struct frame *drift;
};

static void
watching_fini(void *p)
{
    struct watching *w = p;

    endpoint_status_fini(&w->status);
    frame_unref(w->drift);
}

static bool
ask_status(struct task *t, void *ctx, struct error *err)
{
    struct watching *w = ctx;

    (void)t;
    return endpoint_ask(w->d, &w->status, err) ||
           error_prefix(err, "%s: ", w->d->name);
}

static const char *
drift_word(enum drift_level level)
{
    static const char *const words[] = {"too few rows", "ok", "moderate",
                                        "major"};

    return words[level];
}

static bool
add_feature(struct builder *b, const struct endpoint_feature *f,
            struct error *err)
{
    return builder_text(b, 0, str_of(f->name), err) &&
           (!isfinite(f->psi) || builder_f64(b, 1, f->psi, err)) &&
           builder_i64(b, 2, (int64_t)f->n, err) &&
           builder_text(b, 3, str_of(drift_word(f->level)), err) &&
           builder_end_row(b, err);
}

static bool
ask_drift(struct task *t, void *ctx, struct error *err)
{
    static const char *const names[] = {"feature", "psi", "rows", "verdict"};
    static const enum col_type types[] = {COL_TEXT, COL_FLOAT64, COL_INT64,
                                          COL_TEXT};
    struct watching *w = ctx;
    struct builder *b;

    if (!ask_status(t, w, err) || !(b = builder_new(4, names, types, err)))
        return false;
    for (size_t i = 0; i < w->status.n_features; i++)
        if (!add_feature(b, &w->status.feature[i], err)) {
            builder_free(b);
            return false;
        }
    w->drift = builder_finish(b, err);
    return w->drift != NULL;
}

static int
endpoint_drift_lua(lua_State *L)
{
    struct lua_endpoint *e = script_check(L, 1, &endpoint_type);
    struct watching *w = script_scratch(L, sizeof *w, watching_fini);

    w->d = &e->d;
    script_call(L, NULL, ask_drift, w);
    script_push_frame(L, w->drift, "drift");
    return 1;
}

static void
set_number(lua_State *L, const char *name, double x)
{
    if (!isfinite(x))
        return;
    lua_pushnumber(L, x);
    lua_setfield(L, -2, name);
}

static void
set_count(lua_State *L, const char *name, uint64_t n)
{
    lua_pushinteger(L, (lua_Integer)n);
    lua_setfield(L, -2, name);
}

static int
endpoint_status_lua(lua_State *L)
{
    struct lua_endpoint *e = script_check(L, 1, &endpoint_type);
    struct watching *w = script_scratch(L, sizeof *w, watching_fini);
    const struct stat_view *v = &w->status.stat;

    w->d = &e->d;
    script_call(L, NULL, ask_status, w);
    lua_createtable(L, 0, 12);
    lua_pushstring(L, endpoint_state_word(w->status.state));
    lua_setfield(L, -2, "state");
    if (w->status.state != ENDPOINT_UP)
        return 1;
    set_count(L, "requests", v->requests);
    set_count(L, "rows", v->rows);
    set_count(L, "errors_4xx", v->errors_4xx);
    set_count(L, "errors_5xx", v->errors_5xx);
    set_count(L, "rss", w->status.rss);
    set_count(L, "uptime_ms", (uint64_t)w->status.uptime_ms);
    set_number(L, "p50_ms", v->p50_ms);
    set_number(L, "p95_ms", v->p95_ms);
    set_number(L, "p99_ms", v->p99_ms);
    set_number(L, "requests_per_second", v->recent_rps);
    return 1;
}

/* ---- stop, start, remove, log ---- */

struct commanding {
    const char *name;
    bool (*verb)(struct store *s, const char *name, struct error *err);
    struct lua_endpoint *e;
};

static bool
command(struct task *t, void *ctx, struct error *err)
{
    struct commanding *c = ctx;
    struct store *s = session_store(task_session(t), false, err);
    struct deployment now;

    if (!s || !c->verb(s, c->name, err))
        return false;
    session_notify(task_session(t), TOPIC_ENDPOINTS);
    if (c->verb == endpoint_remove)
        return true;
    if (!deployment_find(s, c->name, &now, err))
        return false;
    deployment_fini(&c->e->d);
    c->e->d = now;
    return true;
}

/* The name is copied for the job, which replaces what it is read from. */
static int
do_verb(lua_State *L, const char *title,
        bool (*verb)(struct store *s, const char *name, struct error *err))
{
    struct commanding c = {.e = script_check(L, 1, &endpoint_type),
                           .verb = verb};

    c.name = lua_pushstring(L, c.e->d.name);
    script_call(L, title, command, &c);
    lua_settop(L, 1);
    return 1;
}

static int
endpoint_stop_lua(lua_State *L)
{
    return do_verb(L, "stop an endpoint", endpoint_stop);
}

static int
endpoint_start_lua(lua_State *L)
{
    return do_verb(L, "start an endpoint", endpoint_start);
}

static int
endpoint_remove_lua(lua_State *L)
{
    do_verb(L, "remove an endpoint", endpoint_remove);
    return 0;
}

struct logging {
    const char *name;
    size_t lines;
    struct buf *out;
};

static bool
read_log(struct task *t, void *ctx, struct error *err)
{
    struct logging *l = ctx;
    struct store *s = session_store(task_session(t), false, err);

    return s && endpoint_log(s, l->name, l->lines, l->out, err);
}

static int
endpoint_log_lua(lua_State *L)
{
    struct lua_endpoint *e = script_check(L, 1, &endpoint_type);
    lua_Integer lines = luaL_optinteger(L, 2, 50);
    struct logging l = {.name = e->d.name,
                        .lines = lines < 1 ? 1 : (size_t)lines};

    l.out = script_buf(L);
    script_call(L, NULL, read_log, &l);
    lua_pushlstring(L, l.out->data, l.out->len);
    return 1;
}

/* ---- tables ---- */

const struct binding lua_endpoint_methods[] = {
    {"invoke", endpoint_invoke_lua, "endpoint:invoke(rows)",
     "Asks over HTTP. A record { tenure = 2, ... } gives one answer, a list of\n"
     "records or a frame a list: P(positive class) for two classes, a table of\n"
     "probabilities for more, a number for regression."},
    {"status", endpoint_status_lua, "endpoint:status()",
     "A table: state, requests, rows, errors_4xx, errors_5xx, p50_ms, p95_ms,\n"
     "p99_ms, requests_per_second, rss, uptime_ms."},
    {"drift", endpoint_drift_lua, "endpoint:drift()",
     "A frame: the PSI of each input of what was asked against the training\n"
     "rows; above 0.1 moderate, above 0.25 major. A verdict needs 100 rows."},
    {"stop", endpoint_stop_lua, "endpoint:stop()",
     "Ends the process; what it accepted is answered first."},
    {"start", endpoint_start_lua, "endpoint:start()", "Starts it again."},
    {"remove", endpoint_remove_lua, "endpoint:remove()",
     "Stops it and forgets it."},
    {"log", endpoint_log_lua, "endpoint:log([lines])",
     "The last lines of its log, 50."},
    {NULL, NULL, NULL, NULL},
};

const struct binding lua_endpoint_functions[] = {
    {"deploy", lathe_deploy, "lathe.deploy(reference [, options])",
     "Starts an endpoint: a process of its own that outlives the notebook. The\n"
     "reference is a version, \"churn@production\", \"churn/3\", \"runs:/ID\" or a\n"
     "file; an endpoint of that name moves to it.\n"
     "  name    of the endpoint; else that of the model\n"
     "  host    \"127.0.0.1\"\n"
     "  port    0: any free one\n"
     "  sla_ms  promised latency of the 99th percentile"},
    {"endpoint", lathe_endpoint, "lathe.endpoint(name)",
     "An endpoint that was deployed before."},
    {"endpoints", lathe_endpoints, "lathe.endpoints()",
     "A list of all endpoints."},
    {NULL, NULL, NULL, NULL},
};

static const char *const endpoint_fields[] = {"name", "model", "host",
                                              "port", "url",   NULL};

const struct object_type endpoint_type = {
    .name = "endpoint",
    .methods = lua_endpoint_methods,
    .free = lua_endpoint_free,
    .print = endpoint_print,
    .field = endpoint_field,
    .fields = endpoint_fields,
};

void
lua_endpoint_open(lua_State *L)
{
    script_type(L, &endpoint_type);
}
