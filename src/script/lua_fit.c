/* script/lua_fit.c -- model families and fits.
 *
 * lathe.gbdt{...} makes an estimator: a family and its parameters.  Its fit()
 * is a recorded run; while it learns the cell shows the live curve, because
 * the run's output is emitted when the run begins and again when it has ended.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/family.h"
#include "script/lua_types.h"
#include "session/fit.h"
#include "session/summary.h"

/* ---- estimators ---- */

static void
estimator_free(void *p)
{
    struct estimator *e = p;

    params_free(e->params);
    free(e);
}

static void
estimator_print(struct kernel *k, const void *p, size_t width, struct buf *out)
{
    const struct estimator *e = p;
    struct json_writer w;

    (void)k;
    (void)width;
    buf_printf(out, "%s, not fitted  ", e->family->title);
    json_writer_init(&w, out);
    params_json(e->params, &w);
}

/* A Lua value as params_set() reads it; a list with commas. */
const char *
lua_param_text(lua_State *L, int idx)
{
    luaL_Buffer b;

    if (lua_isboolean(L, idx))
        return lua_toboolean(L, idx) ? "true" : "false";
    if (!lua_istable(L, idx))
        return luaL_tolstring(L, idx, NULL);
    idx = lua_absindex(L, idx);
    luaL_buffinit(L, &b);
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, idx); i++) {
        if (i > 1)
            luaL_addchar(&b, ',');
        lua_rawgeti(L, idx, i);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    return lua_tostring(L, -1);
}

static int
new_estimator(lua_State *L)
{
    const struct family *family = lua_touserdata(L, lua_upvalueindex(1));
    struct object *o;
    struct estimator *e;
    struct error err;

    lua_settop(L, 1);
    o = script_new(L, &estimator_type);
    e = mem_new(sizeof *e);
    e->family = family;
    e->params = params_new(family->params);
    o->p = e;
    if (lua_isnil(L, 1))
        return 1;
    luaL_checktype(L, 1, LUA_TTABLE);
    script_sorted_keys(L, 1);
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, 3); i++) {
        const char *name;

        lua_rawgeti(L, 3, i);
        if (lua_type(L, -1) != LUA_TSTRING)
            script_failf(L, ERR_USAGE,
                         "parameters have names: "
                         "lathe.%s{ seed = 1 }",
                         family->name);
        name = lua_tostring(L, -1);
        lua_getfield(L, 1, name);
        if (!fit_set(family, e->params, name, lua_param_text(L, -1), &err))
            script_fail(L, &err);
        lua_settop(L, 3);
    }
    lua_settop(L, 2);
    return 1;
}

/* ---- fit ---- */

struct fitting {
    struct fit_request request;
    struct lua_model *out;
    struct kernel *kernel;
    struct series_list series;
    bool announced;
};

static bool
run_fit(struct task *t, void *ctx, struct error *err)
{
    struct fitting *f = ctx;
    struct session *s = task_session(t);
    struct store *store;
    struct error ignored;

    f->out->model = session_fit(s, t, &f->request, f->out->run, err);
    store = session_store(s, false, &ignored);
    if (f->out->run[0] && store &&
        !run_series(store, f->out->run, &f->series, &ignored))
        f->series = (struct series_list){0};
    return f->out->model;
}

static void
emit_run(struct fitting *f, const char *text)
{
    struct output o = {
        .kind = OUT_RUN, .text = mem_text(text), .run = mem_text(f->out->run)};

    script_emit(f->kernel, &o);
    output_fini(&o);
}

/* The run has begun: what is heard of runs comes after its id was written. */
static void
on_runs(void *ctx, unsigned topics)
{
    struct fitting *f = ctx;

    if ((topics & TOPIC_RUNS) && !f->announced && f->out->run[0]) {
        f->announced = true;
        emit_run(f, "");
    }
}

/* Owned by Lua, so that an interrupt releases it too. */
static void
fitting_fini(void *p)
{
    struct fitting *f = p;

    if (f->kernel)
        session_unlisten(kernel_session(f->kernel), on_runs, f);
    series_list_fini(&f->series);
}

static void
read_valid(lua_State *L, int idx, struct model_options *o)
{
    int type = lua_getfield(L, idx, "valid");

    if (type == LUA_TNUMBER)
        o->valid_share = lua_tonumber(L, -1);
    else if (type != LUA_TNIL && !(o->valid = script_frame(L, -1)))
        script_failf(L, ERR_TYPE,
                     "option 'valid' is a %s, expected a share or a frame",
                     luaL_typename(L, -1));
    lua_pop(L, 1); /* the options hold it */
}

/* "balanced", { yes = 2 } or { "yes=2" }: a list that stays on the stack. */
static const char *const *
read_pairs(lua_State *L, int idx, const char *name)
{
    int type = lua_getfield(L, idx, name);
    int table = lua_gettop(L), keys = table + 1, list = table + 2;

    if (type == LUA_TNIL)
        return NULL;
    if (type != LUA_TTABLE || lua_rawlen(L, table) > 0)
        return script_texts(L, table, name);
    script_sorted_keys(L, table);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, keys); i++) {
        lua_rawgeti(L, keys, i);
        luaL_tolstring(L, -1, NULL);
        lua_pushliteral(L, "=");
        lua_pushvalue(L, list + 1);
        lua_gettable(L, table);
        luaL_tolstring(L, -1, NULL);
        lua_remove(L, -2);
        lua_concat(L, 3);
        lua_rawseti(L, list, i);
        lua_settop(L, list);
    }
    return script_texts(L, list, name);
}

/* A number or the name of a metric; stays on the stack. */
static const char *
read_threshold(lua_State *L, int idx)
{
    if (lua_getfield(L, idx, "threshold") == LUA_TNIL)
        return NULL;
    if (!lua_isstring(L, -1))
        script_failf(L, ERR_TYPE,
                     "option 'threshold' is a %s, expected a number or the "
                     "name of a metric",
                     luaL_typename(L, -1));
    return lua_tostring(L, -1);
}

/* A class as its text: true, 1 and "yes" are all names of one. */
static const char *
read_positive(lua_State *L, int idx)
{
    int type = lua_getfield(L, idx, "positive");

    if (type == LUA_TNIL)
        return NULL;
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
        luaL_error(L,
                   "option 'positive' is a %s, expected a class: a string, a "
                   "number or a boolean",
                   luaL_typename(L, -1));
    return luaL_tolstring(L, -1, NULL); /* stays on the stack */
}

/* A model to go on from, and the file of checkpoints. */
static void
read_going_on(lua_State *L, int idx, struct model_options *o)
{
    int64_t every = script_opt_int(L, idx, "checkpoint_every", 0);

    if (lua_getfield(L, idx, "init") != LUA_TNIL)
        o->init = script_model(L, -1)->model;
    lua_pop(L, 1); /* the options hold it */
    o->checkpoint = script_opt_text(L, idx, "checkpoint", NULL);
    o->resume = script_opt_bool(L, idx, "resume", false);
    if (every < 0 || (!o->checkpoint && (o->resume || every)))
        script_failf(L, ERR_USAGE,
                     "resume and checkpoint_every (0 or more rounds) want "
                     "checkpoint = FILE");
    o->checkpoint_every = (size_t)every;
}

static int
read_problem(lua_State *L, int idx)
{
    const char *word = script_opt_text(L, idx, "problem", NULL);
    int asked = target_asked(word);

    if (word && asked == TARGET_AUTO)
        luaL_error(L,
                   "option 'problem' is '%s', expected 'regression' or "
                   "'classes'",
                   word);
    return asked;
}

/* Options that fit and cv share; what they need stays on the stack. */
void
lua_fit_options(lua_State *L, int idx, struct model_options *o)
{
    o->problem = -1;
    o->patience = -1;
    if (lua_isnoneornil(L, idx))
        return;
    read_valid(L, idx, o);
    o->patience = (int)script_opt_int(L, idx, "patience", -1);
    o->problem = read_problem(L, idx);
    o->positive = read_positive(L, idx);
    o->refit = script_opt_bool(L, idx, "refit", false);
    o->metrics = script_opt_texts(L, idx, "metric");
    o->drop = script_opt_texts(L, idx, "drop");
    o->derive = script_opt_texts(L, idx, "derive");
    o->prepare = script_opt_texts(L, idx, "prepare");
    o->stop = script_opt_text(L, idx, "stop", NULL);
    o->weight = script_opt_text(L, idx, "weight", NULL);
    o->group = script_opt_text(L, idx, "group", NULL);
    o->offset = script_opt_text(L, idx, "offset", NULL);
    o->class_weight = read_pairs(L, idx, "class_weight");
    read_going_on(L, idx, o);
    o->split_group = script_opt_text(L, idx, "cv_group", NULL);
    o->split_time = script_opt_text(L, idx, "cv_time", NULL);
    o->finish.calibrate = script_opt_text(L, idx, "calibrate", NULL);
    o->finish.threshold = read_threshold(L, idx);
    o->finish.profit = read_pairs(L, idx, "profit");
    o->finish.interval = script_opt_number(L, idx, "interval", 0);
    o->finish.local = script_opt_bool(L, idx, "local_interval", false);
}

/* fit(frame, target, options), or fit(frame, options) without a target: the
 * arguments as if there were always one.  True for a family without. */
static bool
settle_target(lua_State *L, const struct family *family)
{
    bool none = family->problems == 1u << PROBLEM_NONE;

    if (none && lua_type(L, 3) == LUA_TSTRING)
        script_failf(L, ERR_USAGE,
                     "%s learns without a target: fit(frame [, options])",
                     family->name);
    if (none && lua_istable(L, 3)) {
        lua_pushnil(L);
        lua_insert(L, 3);
    }
    lua_settop(L, 4);
    return none;
}

static const char *const fit_options[] = {
    "valid",     "metric",       "problem",    "positive",
    "stop",      "patience",     "seed",       "name",
    "drop",      "derive",       "refit",      "weight",
    "group",     "class_weight", "offset",     "loss",
    "prepare",   "init",         "checkpoint", "checkpoint_every",
    "resume",    "cv_group",     "cv_time",    "calibrate",
    "threshold", "profit",       "interval",   "local_interval",
    NULL};

static int
estimator_fit(lua_State *L)
{
    struct estimator *e = script_check(L, 1, &estimator_type);
    const struct frame *train = script_frame(L, 2);
    struct fitting *f;
    struct buf *title, *curves;
    struct error err;
    bool fitted;

    luaL_argexpected(L, train, 2, "frame");
    if (!settle_target(L, e->family))
        luaL_checkstring(L, 3);
    script_options(L, 4, fit_options);
    f = script_scratch(L, sizeof *f, fitting_fini);
    f->request = (struct fit_request){.family = e->family,
                                      .params = e->params,
                                      .frame = train,
                                      .data = script_frame_name(L, 2),
                                      .target = lua_tostring(L, 3),
                                      .seed = 1,
                                      .source = script_chunk(L)};
    lua_fit_options(L, 4, &f->request.options);
    if (lua_istable(L, 4)) {
        f->request.seed = (uint64_t)script_opt_int(L, 4, "seed", 1);
        f->request.name = script_opt_text(L, 4, "name", NULL);
        f->request.loss = script_loss(L, 4, "loss");
    }
    title = script_buf(L);
    curves = script_buf(L);
    buf_printf(title, "fit %s on %s", e->family->name,
               file_base(f->request.data));
    f->out = script_new_model(L);
    f->kernel = script_kernel(L);
    session_listen(script_session(L), on_runs, f);
    fitted = script_try(L, title->data, run_fit, f, &err);
    session_unlisten(script_session(L), on_runs, f);
    summary_curves(&f->series, script_width(f->kernel), script_plain(f->kernel),
                   curves);
    if (!fitted && f->out->model)
        buf_printf(curves, "  stopped; run %.8s keeps what was finished\n",
                   f->out->run);
    if (f->out->run[0])
        emit_run(f, curves->data);
    f->kernel = NULL; /* nothing left to release but the series */
    if (!fitted)
        script_fail(L, &err);
    return 1;
}

/* ---- tables ---- */

const struct binding lua_estimator_methods[] = {
    {"fit", estimator_fit, "estimator:fit(frame, target [, options])",
     "Learns to predict the column `target`; recorded as a run. What learns\n"
     "without a target, such as kmeans, takes none: fit(frame [, options]).\n"
     "  valid     share of the rows held out to stop early, or a frame\n"
     "  metric    a name or a list; the first one stops early\n"
     "  problem   \"regression\" or \"classes\"; else by the target: up to 20\n"
     "            different whole numbers, texts and two values are classes\n"
     "  positive  of two classes the one that probabilities are of; else the\n"
     "            second by its name\n"
     "  stop      another metric that stops early, or \"loss\": what is learnt "
     "by\n"
     "  patience  rounds without gain before it stops, 50\n"
     "  seed      1\n"
     "  name      of the run\n"
     "  drop      columns to leave out\n"
     "  derive    { \"name = expression\", ... }: computed first, kept in the\n"
     "            model\n"
     "  prepare   { \"impute mean\", \"target on city\", ... }: steps, kept in the\n"
     "            model; lathe-lua(7) lists them\n"
     "  refit     true: then fit all rows with the rounds that were best\n"
     "  weight    a column that says how much each row counts\n"
     "  group     a column that says which rows belong to one query\n"
     "  offset    a column of numbers that scores begin with\n"
     "  class_weight  \"balanced\", or { yes = 2 }\n"
     "  loss      a function of a frame with the columns score and target, "
     "that\n"
     "            gives one with gradient, hessian and loss; or three lists\n"
     "  init      a model to go on from\n"
     "  checkpoint  a file to write what there is so far to, every half minute\n"
     "  checkpoint_every  or after so many rounds\n"
     "  resume    true: go on from the checkpoint, if there is one\n"
     "  cv_group  rows held out are whole groups by this column\n"
     "  cv_time   rows held out are the latest by this column\n"
     "  calibrate  \"platt\", \"isotonic\" or \"temperature\"\n"
     "  threshold  a number or \"f1\", \"mcc\", ...: say the positive class above\n"
     "  profit    { tp = 10, fp = -3 } or { [\"yes:no\"] = -20 }: say what wins\n"
     "  interval  0.9: ranges, or sets of classes, that hold the truth so often\n"
     "  local_interval  true: wider ranges where answers of that size are off by\n"
     "            more"},
    {"cv", lua_estimator_cv, "estimator:cv(frame, target [, options])",
     "Cross-validation, stratified, by seed: the mean of each metric over the\n"
     "folds and its deviation, as fields of the result: r.auc, r.auc_sd.\n"
     "  folds     5\n"
     "  cv_group  a column whose equal values lie in one fold\n"
     "  cv_time   a column to order the rows by: each fold is tested after all\n"
     "            before it\n"
     "  cv_gap    by time: rows left out before the tested ones, 0\n"
     "  cv_window by time: train on so many rows at most\n"
     "  cv_rows   by time: so many rows a fold, the last ones\n"
     "  grid      { leaves = { 7, 31 } }: nested, in each fold the candidate\n"
     "            that does best on its training rows; r.chosen tells which of\n"
     "            r.candidates, \"leaves=7\" and so on\n"
     "  inner     folds that choose it, 3\n"
     "  by        the metric that does; rmse or logloss\n"
     "  seed      1\n"
     "and valid, metric, stop, patience, drop, derive, refit, weight, group,\n"
     "class_weight, problem, positive, loss as for fit"},
    {NULL, NULL, NULL, NULL},
};

/* The families are functions of the table lathe at the top of the stack. */
void
lua_fit_open(lua_State *L)
{
    size_t n;
    const struct family *const *table = family_table(&n);

    for (size_t i = 0; i < n; i++) {
        lua_pushlightuserdata(L, (void *)(uintptr_t)table[i]);
        lua_pushcclosure(L, new_estimator, 1);
        lua_setfield(L, -2, table[i]->name);
    }
}

const struct object_type estimator_type = {
    .name = "estimator",
    .methods = lua_estimator_methods,
    .free = estimator_free,
    .print = estimator_print,
};
