/* script/lua_cv.c -- cross-validation.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/mem.h"
#include "engine/cv.h"
#include "script/lua_types.h"
#include "session/fit.h"

enum { CANDIDATES = 1000 };

struct folding {
    struct estimator *e;
    const struct frame *frame;
    const char *target;
    struct model_options options;
    struct cv_options cv;
    const struct train_loss *loss;
    uint64_t seed;
    struct object *out;
};

static bool
run_cv(struct task *t, void *ctx, struct error *err)
{
    struct folding *f = ctx;
    struct cv_result *r = mem_new(sizeof *r);
    const struct family *family = f->e->family;
    struct params *p = params_copy(f->e->params);
    bool ok;

    f->cv.model = &f->options;
    if (f->options.problem == TARGET_AUTO)
        f->options.problem = fit_problem(family, p);
    fit_put_time(t, family, p, f->frame, f->options.drop);
    for (size_t i = 0; i < f->cv.n_candidates; i++)
        fit_put_time(t, family, f->cv.candidates[i], f->frame, f->options.drop);
    ok = cv_run(family, p, f->frame, f->target, &f->cv,
                &(struct train){.pool = task_pool(t),
                                .progress = task_progress(t),
                                .seed = f->seed,
                                .loss = f->loss},
                r, err);
    params_free(p);
    if (ok)
        f->out->p = r;
    else
        free(r);
    return ok;
}

/* Parameters that are tried against each other; owned by Lua. */
struct grid {
    struct params **params;
    size_t n;
};

static void
grid_fini(void *p)
{
    struct grid *g = p;

    for (size_t i = 0; i < g->n; i++)
        params_free(g->params[i]);
    free(g->params);
}

/* Each set so far, with each value of the list at the top of the stack. */
static void
grid_widen(lua_State *L, struct grid *g, const struct family *family,
           const char *name)
{
    size_t values = lua_rawlen(L, -1), n = g->n;
    struct params **wide;
    struct error err;

    if (values == 0 || n * values > CANDIDATES)
        script_failf(L, ERR_RANGE,
                     "option 'grid': %zu x %zu candidates, expected 1..%d", n,
                     values, CANDIDATES);
    wide = mem_new(n * values * sizeof *wide);
    for (size_t i = 0; i < n; i++)
        for (size_t v = 0; v < values; v++)
            wide[i * values + v] = params_copy(g->params[i]);
    grid_fini(g);
    g->params = wide;
    g->n = n * values;
    for (size_t i = 0, top = (size_t)lua_gettop(L); i < g->n; i++) {
        lua_rawgeti(L, (int)top, (lua_Integer)(i % values) + 1);
        if (!fit_set(family, g->params[i], name, lua_param_text(L, -1), &err))
            script_fail(L, &err);
        lua_settop(L, (int)top);
    }
}

/* { leaves = { 7, 31 }, learning_rate = { 0.05, 0.1 } }: all combinations, in
 * the order of the names.  Pushes what holds them. */
static void
read_grid(lua_State *L, int idx, struct folding *f)
{
    struct grid *g;
    int keys;

    if (lua_getfield(L, idx, "grid") == LUA_TNIL)
        return;
    if (!lua_istable(L, -1))
        script_failf(L, ERR_TYPE, "option 'grid' is a %s, expected a table",
                     luaL_typename(L, -1));
    g = script_scratch(L, sizeof *g, grid_fini);
    g->params = mem_new(sizeof *g->params);
    g->params[g->n++] = params_copy(f->e->params);
    script_sorted_keys(L, lua_gettop(L) - 1);
    keys = lua_gettop(L);
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, keys); i++) {
        lua_rawgeti(L, keys, i);
        lua_pushvalue(L, -1);
        if (lua_type(L, -1) != LUA_TSTRING ||
            lua_gettable(L, keys - 2) != LUA_TTABLE)
            script_failf(L, ERR_TYPE,
                         "option 'grid': expected name = { value, ... }");
        grid_widen(L, g, f->e->family, lua_tostring(L, -2));
        lua_settop(L, keys);
    }
    lua_settop(L, keys - 1); /* the table and the grid stay */
    f->cv.candidates = g->params;
    f->cv.n_candidates = g->n;
}

/* How the rows are split: options of fit and cv. */
static unsigned
read_folds(lua_State *L, int idx, const char *name, int64_t fallback)
{
    int64_t k = script_opt_int(L, idx, name, fallback);

    if (k < 0 || k > CV_MAX_FOLDS)
        script_failf(L, ERR_RANGE, "%s is %lld, expected up to %d", name,
                     (long long)k, CV_MAX_FOLDS);
    return (unsigned)k;
}

static size_t
read_rows(lua_State *L, int idx, const char *name)
{
    int64_t n = script_opt_int(L, idx, name, 0);

    if (n < 0)
        script_failf(L, ERR_RANGE, "%s is %lld, expected 0 or more", name,
                     (long long)n);
    return (size_t)n;
}

static void
read_cv(lua_State *L, int idx, struct folding *f)
{
    f->cv.k = read_folds(L, idx, "folds", 5);
    f->cv.inner = read_folds(L, idx, "inner", CV_INNER);
    f->cv.gap = read_rows(L, idx, "cv_gap");
    f->cv.window = read_rows(L, idx, "cv_window");
    f->cv.each = read_rows(L, idx, "cv_rows");
    f->cv.group = script_opt_text(L, idx, "cv_group", NULL);
    f->cv.time = script_opt_text(L, idx, "cv_time", NULL);
    f->cv.by = script_opt_text(L, idx, "by", NULL);
    f->seed = (uint64_t)script_opt_int(L, idx, "seed", 1);
    read_grid(L, idx, f);
    f->loss = script_loss(L, idx, "loss");
}

int
lua_estimator_cv(lua_State *L)
{
    static const char *const allowed[] = {
        "folds",        "seed",           "valid",     "metric",
        "stop",         "patience",       "drop",      "derive",
        "refit",        "weight",         "problem",   "group",
        "class_weight", "cv_group",       "cv_time",   "cv_gap",
        "cv_window",    "cv_rows",        "grid",      "inner",
        "by",           "calibrate",      "threshold", "profit",
        "interval",     "local_interval", "loss",      "prepare",
        "offset",       "positive",       NULL};
    struct folding f = {.e = script_check(L, 1, &estimator_type),
                        .frame = script_frame(L, 2),
                        .cv = {.k = 5},
                        .seed = 1};

    luaL_argexpected(L, f.frame, 2, "frame");
    f.target = luaL_checkstring(L, 3);
    lua_settop(L, 4);
    script_options(L, 4, allowed);
    lua_fit_options(L, 4, &f.options);
    if (lua_istable(L, 4))
        read_cv(L, 4, &f);
    f.out = script_new(L, &cv_type);
    script_call(L, "cross-validation", run_cv, &f);
    return 1;
}

static void
cv_free(void *p)
{
    cv_result_fini(p);
    free(p);
}

static void
cv_print_p(struct kernel *k, const void *p, size_t width, struct buf *out)
{
    (void)k;
    (void)width;
    cv_print(p, out);
}

/* Out-of-fold predictions beside the truth: row, fold, truth, prediction or the
 * probability of each class. */
struct answers {
    const struct cv_result *of;
    struct frame *frame;
};

static void
answers_fini(void *p)
{
    frame_unref(((struct answers *)p)->frame);
}

static bool
run_answers(struct task *t, void *ctx, struct error *err)
{
    struct answers *a = ctx;

    (void)t;
    return (a->frame = cv_frame(a->of, err));
}

static int
cv_predictions(lua_State *L)
{
    const struct cv_result *r = script_check(L, 1, &cv_type);
    struct answers *a = script_scratch(L, sizeof *a, answers_fini);

    a->of = r;
    script_call(L, NULL, run_answers, a);
    script_push_frame(L, a->frame, "out of fold");
    return 1;
}

static bool
cv_field(lua_State *L, void *p, const char *name)
{
    const struct cv_result *r = p;
    size_t len = strlen(name);
    bool sd = len > 3 && strcmp(name + len - 3, "_sd") == 0;

    for (size_t m = 0; m < r->metrics.n; m++) {
        const char *own = r->metrics.metric[m]->name;

        if (strncmp(name, own, strlen(own)) != 0 ||
            strcmp(name + strlen(own), sd ? "_sd" : "") != 0)
            continue;
        lua_pushnumber(L, sd ? r->sd[m] : r->mean[m]);
        return true;
    }
    if (!r->chosen)
        return false;
    if (strcmp(name, "chosen") == 0) {
        lua_createtable(L, (int)r->k, 0);
        for (unsigned i = 0; i < r->k; i++) {
            lua_pushinteger(L, (lua_Integer)r->chosen[i] + 1);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        return true;
    }
    if (strcmp(name, "candidates") != 0)
        return false;
    lua_createtable(L, (int)r->n_candidates, 0);
    for (size_t i = 0; i < r->n_candidates; i++) {
        lua_pushstring(L, r->candidate[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return true;
}

const struct binding lua_cv_methods[] = {
    {"predictions", cv_predictions, "cv:predictions()",
     "Each row as its fold's model saw it: row, fold, truth, and the prediction\n"
     "or the probabilities; rows that no fold tests are left out."},
    {NULL, NULL, NULL, NULL},
};

const struct object_type cv_type = {
    .name = "cross-validation",
    .free = cv_free,
    .methods = lua_cv_methods,
    .print = cv_print_p,
    .field = cv_field,
};
