/* script/lua_overview.c -- tables about a table.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include <lauxlib.h>

#include "frame/bins.h"
#include "frame/overview.h"
#include "script/lua_types.h"

/* What a job makes of a frame or a profile. */
struct making {
    const struct frame *in;
    const struct profile *profile; /* NULL: to be made */
    const char *name;
    const char *const *names;
    size_t bins;
    struct profile_options options;
    enum relation relation;
    struct frame **out; /* scratch of Lua's */
};

static void
free_frame(void *p)
{
    frame_unref(*(struct frame **)p);
}

static int
make(lua_State *L, struct making *m, const char *title,
     bool (*run)(struct task *, void *, struct error *))
{
    m->out = script_scratch(L, sizeof *m->out, free_frame);
    script_call(L, title, run, m);
    script_push_frame(L, *m->out,
                      m->profile ? "profile" : script_frame_name(L, 1));
    return 1;
}

/* Raises unless the first argument is a frame. */
static struct making
of_frame(lua_State *L)
{
    script_check(L, 1, &frame_type);
    return (struct making){.in = script_frame(L, 1)};
}

static bool
run_frequency(struct task *t, void *ctx, struct error *err)
{
    struct making *m = ctx;

    *m->out =
        overview_frequency(m->in, m->name, m->bins, task_pool(t), NULL, err);
    return *m->out;
}

/* frame:frequency("city"), frame:frequency("price", { bins = 20 }) */
int
lua_frame_frequency(lua_State *L)
{
    static const char *const allowed[] = {"bins", NULL};
    struct making m = of_frame(L);
    int64_t bins;

    m.name = luaL_checkstring(L, 2);
    script_options(L, 3, allowed);
    bins = script_opt_int(L, 3, "bins", 0);
    luaL_argcheck(L, bins >= 0 && bins <= BINS_MAX, 3,
                  "at most 1000 bins; 0: each value");
    m.bins = (size_t)bins;
    return make(L, &m, "count", run_frequency);
}

static bool
run_missing(struct task *t, void *ctx, struct error *err)
{
    struct making *m = ctx;

    *m->out = overview_missing(m->in, task_pool(t), NULL, err);
    return *m->out;
}

int
lua_frame_missing(lua_State *L)
{
    struct making m = of_frame(L);

    return make(L, &m, "missing", run_missing);
}

static bool
run_patterns(struct task *t, void *ctx, struct error *err)
{
    struct making *m = ctx;

    *m->out = overview_patterns(m->in, task_pool(t), NULL, err);
    return *m->out;
}

int
lua_frame_patterns(lua_State *L)
{
    struct making m = of_frame(L);

    return make(L, &m, "patterns", run_patterns);
}

static bool
run_duplicates(struct task *t, void *ctx, struct error *err)
{
    struct making *m = ctx;

    *m->out = overview_duplicates(m->in, m->names, task_pool(t), NULL, err);
    return *m->out;
}

/* frame:duplicates(), frame:duplicates{ "name", "city" } */
int
lua_frame_duplicates(lua_State *L)
{
    struct making m = of_frame(L);

    lua_settop(L, 2);
    if (!lua_isnil(L, 2))
        m.names = script_texts(L, 2, "duplicates");
    return make(L, &m, "duplicates", run_duplicates);
}

/* ---- from a profile ---- */

/* The profile to tell of; *own is what the caller frees. */
static const struct profile *
profile_for(struct making *m, struct task *t, struct profile **own,
            struct error *err)
{
    *own = NULL;
    if (m->profile)
        return m->profile;
    *own = profile_new(m->in, &m->options, task_pool(t), task_progress(t), err);
    return *own;
}

static bool
run_describe(struct task *t, void *ctx, struct error *err)
{
    struct making *m = ctx;
    struct profile *own;
    const struct profile *p = profile_for(m, t, &own, err);

    *m->out = p ? overview_describe(p, err) : NULL;
    profile_free(own);
    return *m->out;
}

static bool
run_relations(struct task *t, void *ctx, struct error *err)
{
    struct making *m = ctx;
    struct profile *own;
    const struct profile *p = profile_for(m, t, &own, err);

    *m->out = p ? overview_relations(p, m->relation, err) : NULL;
    profile_free(own);
    return *m->out;
}

/* frame:describe{ target = "churn" } */
int
lua_frame_describe(lua_State *L)
{
    static const char *const allowed[] = {"target", NULL};
    struct making m = of_frame(L);

    script_options(L, 2, allowed);
    m.options.target = script_opt_text(L, 2, "target", NULL);
    return make(L, &m, "describe", run_describe);
}

static enum relation
relation_arg(lua_State *L, int idx)
{
    const char *word = luaL_optstring(L, idx, "auto");
    unsigned r = 0;

    while (r < RELATION_N &&
           strcmp(word, profile_relation_word((enum relation)r)) != 0)
        r++;
    if (r == RELATION_N)
        script_failf(L, ERR_RANGE,
                     "no relation '%s': auto, pearson, spearman, kendall, "
                     "cramers_v, phi_k",
                     word);
    return (enum relation)r;
}

/* frame:relations("pearson") */
int
lua_frame_relations(lua_State *L)
{
    struct making m = of_frame(L);

    m.relation = relation_arg(L, 2);
    m.options.slow =
        m.relation == RELATION_KENDALL || m.relation == RELATION_PHIK;
    return make(L, &m, "relations", run_relations);
}

static struct making
of_profile(lua_State *L)
{
    return (struct making){.profile = script_check(L, 1, &profile_type)};
}

int
lua_profile_describe(lua_State *L)
{
    struct making m = of_profile(L);

    return make(L, &m, NULL, run_describe);
}

int
lua_profile_relations(lua_State *L)
{
    struct making m = of_profile(L);

    m.relation = relation_arg(L, 2);
    return make(L, &m, NULL, run_relations);
}
