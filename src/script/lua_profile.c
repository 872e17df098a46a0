/* script/lua_profile.c -- frame:profile and the profile type.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include <lauxlib.h>

#include "base/file.h"
#include "frame/profile.h"
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

struct profiling {
    const struct frame *in;
    struct profile_options options;
    struct object *out;
};

static bool
run_profile(struct task *t, void *ctx, struct error *err)
{
    struct profiling *p = ctx;

    p->out->p = profile_new(p->in, &p->options, session_pool(task_session(t)),
                            task_progress(t), err);
    return p->out->p;
}

int
lua_frame_profile(lua_State *L)
{
    static const char *const allowed[] = {"target", "time",  "against", "all",
                                          "redact", "dirty", NULL};
    struct profiling p = {.in = script_check_frame(L, 1)->frame};

    script_options(L, 2, allowed);
    p.options.target = script_opt_text(L, 2, "target", NULL);
    /* It stays on the stack, and so alive. */
    if (lua_istable(L, 2) && lua_getfield(L, 2, "against") != LUA_TNIL) {
        const struct lua_frame *other = script_check_frame(L, lua_gettop(L));

        p.options.against = other->frame;
        p.options.against_name = other->name ? other->name : "the other";
    }
    p.options.time = script_opt_text(L, 2, "time", NULL);
    p.options.slow = script_opt_bool(L, 2, "all", false);
    p.options.redact = script_opt_bool(L, 2, "redact", false);
    p.options.dirty = script_opt_bool(L, 2, "dirty", false);
    p.out = script_new(L, &profile_type);
    script_call(L, "profile", run_profile, &p);
    return 1;
}

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

        lua_pushfstring(L, "%s %s", profile_alert_word(a->kind), a->text);
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
     "The alerts as a list of texts, worst first."},
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
