/* script/lua_profile.c -- profiles of frames and scans.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include <lauxlib.h>

#include "base/file.h"
#include "frame/profile_stream.h"
#include "script/lua_types.h"

/* ---- the type ---- */

static void
profile_free_p(void *p)
{
    profile_free(p);
}

static void
profile_show_text(struct kernel *k, const void *p, size_t width,
                  struct buf *out)
{
    (void)k;
    profile_print(p, width, true, out);
}

static void
profile_brief(const void *p, struct buf *out)
{
    const struct profile *f = p;

    buf_printf(out, "profile of %zu columns, %zu alerts", f->n_cols,
               f->n_alerts);
}

static void
profile_show(struct kernel *k, const void *p, struct output *o)
{
    struct json_writer w;
    struct buf b;

    (void)k;
    buf_init(&b);
    json_writer_init(&w, &b);
    profile_json(p, &w);
    o->kind = OUT_PROFILE;
    o->json = buf_take(&b);
}

/* ---- making one ---- */

struct profiling {
    const struct frame *in;
    const struct scan *scan, *against; /* instead of frames */
    struct profile_options options;
    struct object *out;
};

/* Of a frame, or of all rows of a scan. */
static struct profile *
make(const struct profiling *p, struct task *t, const struct profile_options *o,
     struct error *err)
{
    struct pool *pool = task_pool(t);
    struct stream *s;
    struct profile *out;

    if (!p->scan)
        return profile_new(p->in, o, pool, task_progress(t), err);
    if (!(s = script_scan_open(p->scan, t, err)))
        return NULL;
    out = profile_stream(s, o, task_progress(t), err);
    if (out)
        script_scan_tell(p->scan, t, s);
    stream_close(s);
    return out;
}

static bool
run_profile(struct task *t, void *ctx, struct error *err)
{
    struct profiling *p = ctx;
    struct profile_options o = p->options;

    if (p->against && !(o.against_rows = script_scan_open(p->against, t, err)))
        return false;
    p->out->p = make(p, t, &o, err);
    if (p->out->p && p->against)
        script_scan_tell(p->against, t, o.against_rows);
    stream_close(o.against_rows);
    return p->out->p;
}

/* Another frame or scan, which stays on the stack and so alive. */
static void
take_against(lua_State *L, struct profiling *p)
{
    const struct lua_frame *other;
    int at;

    if (!lua_istable(L, 2) || lua_getfield(L, 2, "against") == LUA_TNIL)
        return;
    at = lua_gettop(L);
    if ((p->against = script_scan(L, at))) {
        p->options.against_name = script_scan_path(p->against);
        return;
    }
    if (!script_frame(L, at))
        script_failf(L, ERR_TYPE,
                     "profile: against: expected a frame or a scan, got %s",
                     luaL_typename(L, at));
    other = script_check_frame(L, at);
    p->options.against = other->frame;
    p->options.against_name = other->name ? other->name : "the other";
}

int
lua_profile(lua_State *L)
{
    static const char *const allowed[] = {"target", "time",  "against", "all",
                                          "redact", "dirty", NULL};
    struct profiling p = {.scan = script_scan(L, 1)};

    if (!p.scan)
        p.in = script_check_frame(L, 1)->frame;
    script_options(L, 2, allowed);
    take_against(L, &p);
    p.options.target = script_opt_text(L, 2, "target", NULL);
    p.options.time = script_opt_text(L, 2, "time", NULL);
    p.options.slow = script_opt_bool(L, 2, "all", false);
    p.options.redact = script_opt_bool(L, 2, "redact", false);
    p.options.dirty = script_opt_bool(L, 2, "dirty", false);
    p.out = script_new(L, &profile_type);
    script_call(L, "profile", run_profile, &p);
    return 1;
}

/* ---- methods ---- */

static int
profile_save(lua_State *L)
{
    const struct profile *p = script_check(L, 1, &profile_type);
    const char *path = luaL_checkstring(L, 2), *slash = strrchr(path, '/');
    struct error err;
    struct buf page;
    bool ok;

    buf_init(&page);
    profile_html(p, slash ? slash + 1 : path, &page);
    ok = buf_check(&page, &err) &&
         file_replace(path, page.data, page.len, 0644, &err);
    buf_fini(&page);
    if (!ok)
        script_fail(L, &err);
    return 0;
}

/* The alerts as a list of texts. */
static int
profile_alerts(lua_State *L)
{
    const struct profile *p = script_check(L, 1, &profile_type);

    lua_createtable(L, (int)p->n_alerts, 0);
    for (size_t i = 0; i < p->n_alerts; i++) {
        const struct alert *a = &p->alert[i];

        lua_pushfstring(L, "%s %s%s%s", profile_alert_word(a->kind),
                        a->col < 0 ? "" : p->column[a->col].name,
                        a->col < 0 ? "" : ": ", a->text);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}
/* ---- tables ---- */

const struct binding lua_profile_methods[] = {
    {"save", profile_save, "profile:save(path)",
     "Writes the profile as an HTML page of its own."},
    {"describe", lua_profile_describe, "profile:describe()",
     "As frame:describe, from what was measured."},
    {"relations", lua_profile_relations, "profile:relations([kind])",
     "As frame:relations, from what was measured."},
    {"alerts", profile_alerts, "profile:alerts()",
     "The alerts as a list of texts, \"KIND column: what is odd\", worst\n"
     "first."},
    {NULL, NULL, NULL, NULL},
};
const struct object_type profile_type = {
    .name = "profile",
    .methods = lua_profile_methods,
    .free = profile_free_p,
    .print = profile_show_text,
    .brief = profile_brief,
    .show = profile_show,
};
