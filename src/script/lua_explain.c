/* script/lua_explain.c -- model:explain{}: why a model answers as it does.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/mem.h"
#include "script/lua_types.h"
#include "session/explanation.h"

struct asking {
    const struct model *model;
    struct explanation_request request;
    uint64_t seed;
    struct object *out;
};

static bool
run_explain(struct task *t, void *ctx, struct error *err)
{
    struct asking *a = ctx;
    struct explanation *e = mem_new(sizeof *e);
    const struct train with = {
        .pool = task_pool(t), .progress = task_progress(t), .seed = a->seed};

    if (!explanation_make(a->model, &a->request, &with, e, err)) {
        free(e);
        return false;
    }
    a->out->p = e;
    return true;
}

static size_t
read_count(lua_State *L, const char *name)
{
    int64_t n = script_opt_int(L, 2, name, 0);

    if (n < 0)
        script_failf(L, ERR_RANGE, "option '%s' is %lld, expected 1 or more",
                     name, (long long)n);
    return (size_t)n;
}

static const struct frame *
read_frame(lua_State *L, const char *name)
{
    const struct frame *f;

    lua_getfield(L, 2, name);
    f = script_frame(L, -1);
    if (!f && !lua_isnil(L, -1))
        script_failf(L, ERR_TYPE, "option '%s' is a %s, expected a frame", name,
                     luaL_typename(L, -1));
    lua_pop(L, 1); /* the options hold it */
    return f;
}

static enum explanation_kind
kind_of_importance(lua_State *L, const char *by)
{
    if (strcmp(by, "gain") == 0)
        return EXPLANATION_GAIN;
    if (strcmp(by, "permutation") == 0)
        return EXPLANATION_SHUFFLE;
    if (strcmp(by, "shap") != 0)
        script_failf(L, ERR_RANGE,
                     "option 'importance' is '%s', expected gain, permutation "
                     "or shap",
                     by);
    return EXPLANATION_RANKING;
}

/* The one question that is asked. */
static void
read_kind(lua_State *L, struct explanation_request *r)
{
    const char *by = script_opt_text(L, 2, "importance", NULL);
    const char *pdp = script_opt_text(L, 2, "pdp", NULL);
    const char *ice = script_opt_text(L, 2, "ice", NULL);
    bool pairs = script_opt_bool(L, 2, "interactions", false);

    r->row = read_count(L, "row");
    if ((by != NULL) + (pdp != NULL) + (ice != NULL) + (pairs || r->row) > 1)
        script_failf(L, ERR_USAGE,
                     "one of row, importance, interactions, pdp and ice");
    r->column = pdp ? pdp : ice;
    r->kind = pairs    ? EXPLANATION_PAIRS
              : r->row ? EXPLANATION_ROW
              : pdp    ? EXPLANATION_EFFECT
              : ice    ? EXPLANATION_CURVES
              : by     ? kind_of_importance(L, by)
                       : EXPLANATION_SHARES;
}

int
lua_model_explain(lua_State *L)
{
    static const char *const allowed[] = {
        "data",         "row",        "importance",
        "pdp",          "ice",        "class",
        "way",          "background", "background_rows",
        "metric",       "repeats",    "points",
        "rows",         "samples",    "seed",
        "interactions", NULL};
    struct asking a = {.model = script_model(L, 1)->model, .seed = 1};
    struct explanation_request *r = &a.request;
    struct error err;

    lua_settop(L, 2);
    if (!lua_istable(L, 2))
        script_failf(L, ERR_USAGE,
                     "rows are wanted by name: model:explain{ data = frame }");
    script_options(L, 2, allowed);
    read_kind(L, r);
    r->data = read_frame(L, "data");
    r->shares.background = read_frame(L, "background");
    if (!r->data && r->kind != EXPLANATION_GAIN)
        script_failf(L, ERR_USAGE,
                     "rows are wanted: model:explain{ data = frame }");
    r->class = script_opt_text(L, 2, "class", NULL);
    r->metric = script_opt_text(L, 2, "metric", NULL);
    r->repeats = read_count(L, "repeats");
    r->points = read_count(L, "points");
    r->rows = read_count(L, "rows");
    r->shares.samples = read_count(L, "samples");
    r->shares.background_rows = read_count(L, "background_rows");
    a.seed = (uint64_t)script_opt_int(L, 2, "seed", 1);
    if (!explanation_way(script_opt_text(L, 2, "way", "auto"), &r->shares.way,
                         &err))
        script_fail(L, &err);
    a.out = script_new(L, &explanation_type);
    script_call(L, "explain", run_explain, &a);
    return 1;
}

static void
explanation_free(void *p)
{
    if (p)
        explanation_fini(p);
    free(p);
}

static void
explanation_print(struct kernel *k, const void *p, size_t width,
                  struct buf *out)
{
    explanation_text(p, width, script_plain(k), out);
}

static void
explanation_brief(const void *p, struct buf *out)
{
    const struct explanation *e = p;

    buf_printf(out, "%s: %s", explanation_word(e->kind), e->note);
}

static bool
explanation_field(lua_State *L, void *p, const char *name)
{
    const struct explanation *e = p;

    if (strcmp(name, "kind") == 0)
        lua_pushstring(L, explanation_word(e->kind));
    else if (strcmp(name, "note") == 0)
        lua_pushstring(L, e->note);
    else if (strcmp(name, "frame") == 0)
        script_push_frame(L, e->frame, "explanation");
    else if (strcmp(name, "importance") == 0 && e->ranking)
        script_push_frame(L, e->ranking, "importance");
    else
        return false;
    return true;
}

static void
explanation_show(struct kernel *k, const void *p, struct output *o)
{
    const struct explanation *e = p;
    struct error ignored;
    struct buf svg;

    (void)k;
    if (e->kind < EXPLANATION_EFFECT || !explanation_has_line(e))
        return;
    buf_init(&svg);
    o->kind = OUT_CHART;
    if (explanation_svg(e, &svg, &ignored))
        o->svg = buf_take(&svg);
    buf_fini(&svg);
}

static const char *const explanation_fields[] = {"kind", "note", "frame",
                                                 "importance", NULL};

const struct object_type explanation_type = {
    .name = "explanation",
    .free = explanation_free,
    .print = explanation_print,
    .brief = explanation_brief,
    .show = explanation_show,
    .field = explanation_field,
    .fields = explanation_fields,
};
