/* script/lua_model.c -- models: what they answer, and where they are kept.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/family.h"
#include "script/lua_types.h"
#include "store/registry.h"

/* ---- models ---- */

static void
lua_model_free(void *p)
{
    struct lua_model *m = p;

    model_unref(m->model);
    file_map_close(&m->bytes);
    free(m->metrics);
    free(m);
}

struct lua_model *
script_new_model(lua_State *L)
{
    struct object *o = script_new(L, &model_type);
    struct lua_model *m = mem_new(sizeof *m);

    o->p = m;
    return m;
}

struct lua_model *
script_model(lua_State *L, int idx)
{
    return script_check(L, idx, &model_type);
}

static void
model_print_p(struct kernel *k, const void *p, size_t width, struct buf *out)
{
    const struct lua_model *m = p;
    (void)k;
    (void)width;
    model_print(m->model, out);
}

static void
model_brief(const void *p, struct buf *out)
{
    const struct lua_model *m = p;
    const char *target = model_target(m->model);

    buf_printf(out, "%s%s%s", model_family(m->model)->name,
               target ? " for " : "", target ? target : "");
}

static void
model_show(struct kernel *k, const void *p, struct output *o)
{
    const struct lua_model *m = p;
    struct json_writer w;
    struct buf b;

    (void)k;
    buf_init(&b);
    json_writer_init(&w, &b);
    model_card_json(m->model, &w);
    o->kind = OUT_MODEL;
    o->json = buf_take(&b);
}

struct asking {
    const struct model *model;
    const struct frame *frame;
    struct frame *answer;
    const char *path;
    struct forecast ask;
};

static void
asking_fini(void *p)
{
    struct asking *a = p;

    frame_unref(a->answer);
}

static bool
run_predict(struct task *t, void *ctx, struct error *err)
{
    struct asking *a = ctx;

    a->answer = model_predict_frame(a->model, a->frame, task_pool(t), err);
    return a->answer;
}

static int
model_predict_lua(lua_State *L)
{
    struct lua_model *m = script_model(L, 1);
    const struct frame *f = script_frame(L, 2);
    struct asking *a;

    luaL_argexpected(L, f, 2, "frame");
    a = script_scratch(L, sizeof *a, asking_fini);
    a->model = m->model;
    a->frame = f;
    script_call(L, "predict", run_predict, a);
    script_push_frame(L, a->answer, script_frame_name(L, 2));
    return 1;
}

static bool
run_prepared(struct task *t, void *ctx, struct error *err)
{
    struct asking *a = ctx;

    a->answer = model_prepared(a->model, a->frame, task_pool(t), err);
    return a->answer;
}

static int
model_prepared_lua(lua_State *L)
{
    struct lua_model *m = script_model(L, 1);
    const struct frame *f = script_frame(L, 2);
    struct asking *a;

    luaL_argexpected(L, f, 2, "frame");
    a = script_scratch(L, sizeof *a, asking_fini);
    a->model = m->model;
    a->frame = f;
    script_call(L, "prepare", run_prepared, a);
    script_push_frame(L, a->answer, "prepared");
    return 1;
}

static int
model_importance_lua(lua_State *L)
{
    struct lua_model *m = script_model(L, 1);
    struct asking *a = script_scratch(L, sizeof *a, asking_fini);
    struct error err;

    a->answer = model_importance(m->model, &err);
    if (!a->answer)
        script_fail(L, &err);
    script_push_frame(L, a->answer, "importance");
    return 1;
}

static int
model_table_lua(lua_State *L)
{
    struct lua_model *m = script_model(L, 1);
    const char *name = luaL_checkstring(L, 2);
    struct asking *a = script_scratch(L, sizeof *a, asking_fini);
    struct error err;

    a->answer = model_table(m->model, name, &err);
    if (!a->answer)
        script_fail(L, &err);
    script_push_frame(L, a->answer, name);
    return 1;
}

/* The answer of a model that was asked for one. */
static int
push_told(lua_State *L, struct asking *a, const char *name,
          const struct error *err)
{
    if (!a->answer)
        script_fail(L, err);
    script_push_frame(L, a->answer, name);
    return 1;
}

static int
model_recommend_lua(lua_State *L)
{
    static const char *const allowed[] = {"user", "n", "seen", NULL};
    struct lua_model *m = script_model(L, 1);
    struct asking *a = script_scratch(L, sizeof *a, asking_fini);
    struct recommend ask;
    struct error err;

    luaL_checktype(L, 2, LUA_TTABLE);
    script_options(L, 2, allowed);
    lua_getfield(L, 2, "user");
    if (lua_isnil(L, -1))
        script_failf(L, ERR_USAGE, "user is missing: recommend{ user = ... }");
    ask.user = luaL_tolstring(L, -1, NULL);
    ask.n = script_opt_int(L, 2, "n", 10);
    ask.seen = script_opt_bool(L, 2, "seen", false);
    a->answer = model_recommend(m->model, &ask, &err);
    return push_told(L, a, "recommended", &err);
}

static bool
run_forecast(struct task *t, void *ctx, struct error *err)
{
    struct asking *a = ctx;

    a->ask.pool = task_pool(t);
    a->ask.progress = task_progress(t);
    a->answer = model_forecast(a->model, &a->ask, err);
    return a->answer;
}

static int
model_forecast_lua(lua_State *L)
{
    static const char *const allowed[] = {"horizon", "level", NULL};
    struct lua_model *m = script_model(L, 1);
    struct asking *a;

    lua_settop(L, 2); /* not past the scratch */
    a = script_scratch(L, sizeof *a, asking_fini);
    a->model = m->model;
    a->ask = (struct forecast){.horizon = 12, .level = 0.95};
    if (lua_istable(L, 2)) {
        int64_t n = script_opt_int(L, 2, "horizon", 12);

        script_options(L, 2, allowed);
        a->ask.horizon = n > 0 ? (size_t)n : 0;
        lua_getfield(L, 2, "level");
        a->ask.level = luaL_optnumber(L, -1, 0.95);
    }
    script_call(L, "forecast", run_forecast, a);
    script_push_frame(L, a->answer, "forecast");
    return 1;
}

static int
model_oob_lua(lua_State *L)
{
    struct lua_model *m = script_model(L, 1);
    struct asking *a = script_scratch(L, sizeof *a, asking_fini);
    struct error err;

    a->answer = model_out_of_bag(m->model, &err);
    if (!a->answer)
        script_fail(L, &err);
    script_push_frame(L, a->answer, "out of bag");
    return 1;
}

static bool
run_save(struct task *t, void *ctx, struct error *err)
{
    struct asking *a = ctx;
    struct buf b;
    bool ok;

    (void)t;
    buf_init(&b);
    ok = model_save(a->model, &b, err) &&
         file_replace(a->path, b.data, b.len, 0644, err);
    buf_fini(&b);
    return ok;
}

static int
model_save_lua(lua_State *L)
{
    struct asking a = {.model = script_model(L, 1)->model,
                       .path = luaL_checkstring(L, 2)};

    script_call(L, "save the model", run_save, &a);
    lua_settop(L, 1);
    return 1;
}

static bool
model_field(lua_State *L, void *p, const char *name)
{
    struct lua_model *m = p;
    const char *const *classes;
    size_t n;

    if (strcmp(name, "run") == 0) {
        lua_pushstring(L, m->run);
    } else if (strcmp(name, "family") == 0) {
        lua_pushstring(L, model_family(m->model)->name);
    } else if (strcmp(name, "target") == 0) {
        lua_pushstring(L, model_target(m->model));
    } else if (strcmp(name, "problem") == 0) {
        lua_pushstring(L, problem_word(model_problem(m->model)));
    } else if (strcmp(name, "params") == 0) {
        struct error err;
        struct json *v = json_parse(str_of(model_params(m->model)), &err);

        if (!v)
            script_fail(L, &err);
        script_push_json(L, v);
        json_free(v);
    } else if (strcmp(name, "classes") == 0) {
        n = model_classes(m->model, &classes);
        lua_createtable(L, (int)n, 0);
        for (size_t i = 0; i < n; i++) {
            lua_pushstring(L, classes[i]);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
    } else if (strcmp(name, "positive") == 0) {
        bool two = model_problem(m->model) == PROBLEM_BINARY;

        (void)model_classes(m->model, &classes);
        lua_pushstring(L, two ? classes[1] : NULL);
    } else {
        return false;
    }
    return true;
}

struct loading {
    const char *name;
    struct lua_model *out;
};

static bool
run_load(struct task *t, void *ctx, struct error *err)
{
    struct loading *l = ctx;
    char *path = NULL, *label = NULL;
    struct error none;
    struct store *s = session_store(task_session(t), false, &none);

    if (model_resolve(s, l->name, &path, &label, err))
        l->out->model = model_open(path, family_find, err);
    else if (!s && none.code != ERR_NOTFOUND)
        *err = none;
    free(path);
    free(label);
    return l->out->model;
}

static int
lathe_load(lua_State *L)
{
    struct loading l = {.name = luaL_checkstring(L, 1)};

    l.out = script_new_model(L);
    script_call(L, "load a model", run_load, &l);
    return 1;
}

/* ---- tables ---- */

const struct binding lua_model_methods[] = {
    {"predict", model_predict_lua, "model:predict(frame)",
     "The predictions as a frame, a row for each row."},
    {"evaluate", lua_model_evaluate, "model:evaluate(frame [, options])",
     "Scores with 95 % bootstrap intervals. The frame holds the target; fields\n"
     "are named like the metrics: e.auc, e.auc_low, e.auc_high; of models that\n"
     "decide by profit or answer in ranges also e.profit, e.coverage ...\n"
     "  metric  beyond the usual: \"fbeta@0.5\", { \"f1_macro\", \"lift@0.1\" }\n"
     "  slice   score parts of the rows, too: \"region\", \"tenure > 12\"\n"
     "  weight  column of what a row counts\n"
     "  group   column of rows ranked together, for ndcg and map\n"
     "  seed    of the intervals, 1"},
    {"explain", lua_model_explain, "model:explain{ data = frame, ... }",
     "Why it answers so. Prints as a chart; e.frame holds the numbers, e.note\n"
     "how they were found, e.importance the mean share of each feature.\n"
     "Of these one, else the shares of all rows:\n"
     "  row           of this row alone, the first being 1\n"
     "  importance    \"gain\", \"permutation\" or \"shap\"\n"
     "  pdp           a column: the mean answer with it set to values\n"
     "  ice           a column: the same row by row\n"
     "  interactions  true: what two features do together\n"
     "and\n"
     "  class            of several classes or quantiles this one alone\n"
     "  way              \"auto\", \"path\", \"background\", \"kernel\"\n"
     "  background       a frame that features left out have values from\n"
     "  background_rows  of it at most, 100; of linear models all\n"
     "  samples          coalitions of the kernel, 2 x features + 2048\n"
     "  metric           that shuffling costs, the task's usual\n"
     "  repeats          times that a column is shuffled, 5\n"
     "  points           values that a column is set to, 40\n"
     "  rows             drawn: for importance and pdp 10000, for interactions\n"
     "                   1000, ice 50, by kernel 100\n"
     "  seed             of all that is drawn, 1"},
    {"prepared", model_prepared_lua, "model:prepared(frame)",
     "The columns that the model really learns from, after all preparation."},
    {"importance", model_importance_lua, "model:importance()",
     "What each input column contributes, largest first; the sum is 1."},
    {"export", lua_model_export, "model:export{ onnx = path, ... }",
     "Writes it in the formats of other programs, read again and compared\n"
     "before: onnx, lightgbm, xgboost, c, pmml. What was compared comes back\n"
     "as a table: format, path, bytes, rows, worst (the largest difference),\n"
     "notes; of several formats as a list of such. A format that cannot hold\n"
     "the model is an error once the others are written.\n"
     "  onnx_ml  operators of ai.onnx.ml 3, or 5\n"
     "  prefix   c: what names begin with, \"model\""},
    {"table", model_table_lua, "model:table(name)",
     "A table that models of its kind tell of: centres, choice (kmeans);\n"
     "variance, loadings (pca); path (ridge, lasso, elastic_net);\n"
     "parameters (ets)."},
    {"recommend", model_recommend_lua,
     "model:recommend{ user = name, n = 10, seen = false }",
     "The best items for a user, of those that were not rated (als)."},
    {"forecast", model_forecast_lua,
     "model:forecast{ horizon = 12, level = 0.95 }",
     "What comes behind the last row of a series, with an interval\n"
     "(ets, gbdt_lags, seasonal_naive)."},
    {"oob", model_oob_lua, "model:oob()",
     "Of a forest with keep_oob: what trees that have not seen a training row\n"
     "say of it, in the order of the rows."},
    {"save", model_save_lua, "model:save(path)",
     "Writes the model as one safetensors file."},
    {NULL, NULL, NULL, NULL},
};

const struct binding lua_model_functions[] = {
    {"gbdt", NULL, "lathe.gbdt{ parameters }",
     "Gradient boosted trees: leaf-wise, missing values by learnt direction,\n"
     "categories as they are, stopped early on held-out rows. Leaves, minimum\n"
     "rows and rate follow from the table where they are not given.\n"
     "  loss alpha delta power rank_at\n"
     "  trees learning_rate leaves max_depth grow min_rows min_hessian l1 l2\n"
     "  gamma row_share col_share level_col_share node_col_share\n"
     "  monotone interact bins goss top_share other_share\n"
     "  drop_rate skip_drop max_drop refit_keep"},
    {"forest", NULL, "lathe.forest{ parameters }",
     "A random forest: the mean of deep trees, each of a bootstrap of the rows,\n"
     "each node of some columns; with out-of-bag scores among its parameters.\n"
     "  trees features min_rows max_depth leaves bootstrap row_share bins\n"
     "  keep_oob"},
    {"extra_trees", NULL, "lathe.extra_trees{ parameters }",
     "Extremely randomised trees: as a forest, of all rows, with cuts drawn at\n"
     "random. The same parameters."},
    {"logistic", NULL, "lathe.logistic{ parameters }",
     "Logistic regression with elastic net, two or more classes."},
    {"linear", NULL, "lathe.linear{ parameters }",
     "Linear regression with elastic net."},
    {"cnn", NULL, "lathe.cnn{ parameters }",
     "A convolutional net for images: the numeric columns of a frame as\n"
     "pixels, or the pictures that its column `image` names, as the frame of\n"
     "a folder does: lathe.read(\"photos\").\n"
     "  layers height width channels flip shift crop brightness dropout\n"
     "and what mlp has, but embedding"},
    {"mlp", NULL, "lathe.mlp{ parameters }",
     "A neural net for tables: dense layers with batch norm and dropout, a\n"
     "learnt vector for each level of a category, stopped early on held-out\n"
     "rows, whose best weights are kept.\n"
     "  layers dropout embedding activation batch_norm optimizer learning_rate\n"
     "  momentum schedule step_epochs step_factor warm_up weight_decay clip\n"
     "  loss label_smoothing epochs batch"},
    {"import", lua_lathe_import, "lathe.import(path [, options])",
     "A model of another program: LightGBM, ONNX, XGBoost, PMML, safetensors.\n"
     "  target      its name, where the file does not say\n"
     "  classes     names of its classes, in order\n"
     "  columns     names of its inputs, in order\n"
     "  activation  safetensors: between layers, \"relu\", \"tanh\", \"sigmoid\""},
    {"als", NULL, "lathe.als{ user = column, item = column, ... }",
     "Factors of users and items, from ratings or counts; see\n"
     "model:recommend."},
    {"ridge", NULL, "lathe.ridge{ parameters }",
     "Linear regression with an L2 penalty; lambda by cross-validation."},
    {"lasso", NULL, "lathe.lasso{ parameters }",
     "Linear regression with an L1 penalty, which leaves columns out; lambda by\n"
     "cross-validation."},
    {"elastic_net", NULL, "lathe.elastic_net{ parameters }",
     "Both penalties; table(\"path\") of all three has what was tried."},
    {"ets", NULL, "lathe.ets{ time = column, ... }",
     "Exponential smoothing of a series; see model:forecast."},
    {"seasonal_naive", NULL, "lathe.seasonal_naive{ time = column }",
     "Forecasts the value of a season ago."},
    {"gbdt_lags", NULL,
     "lathe.gbdt_lags{ time = column, series = column, ... }",
     "Gradient boosting on what came before: lags, means and calendar of one\n"
     "or several series; see model:forecast."},
    {"sgd", NULL, "lathe.sgd{ parameters }",
     "Linear models by stochastic gradients, of tables of any size: squared,\n"
     "huber, logistic, softmax or hinge loss."},
    {"isolation_forest", NULL, "lathe.isolation_forest{ parameters }",
     "Rows that few random cuts set apart. Learns without a target; answers\n"
     "`score`, near 1 for outliers, and `outlier`, 0 or 1."},
    {"kmeans", NULL, "lathe.kmeans{ parameters }",
     "Clusters around k centres; without k, as many as have the best\n"
     "silhouette. Learns without a target; answers `cluster` and `distance`."},
    {"knn", NULL, "lathe.knn{ parameters }",
     "The k nearest training rows decide: by their share, or their mean."},
    {"naive_bayes", NULL, "lathe.naive_bayes{ parameters }",
     "Naive Bayes for classes: normal numbers, frequencies of levels."},
    {"pca", NULL, "lathe.pca{ parameters }",
     "Principal components. Learns without a target; answers `pc1`, ..."},
    {"load", lathe_load, "lathe.load(name)",
     "A model from a file, runs:/ID, churn/3, churn@production."},
    {NULL, NULL, NULL, NULL},
};

static const char *const model_fields[] = {"run",      "family", "target",
                                           "problem",  "params", "classes",
                                           "positive", NULL};

const struct object_type model_type = {
    .name = "model",
    .methods = lua_model_methods,
    .free = lua_model_free,
    .print = model_print_p,
    .brief = model_brief,
    .show = model_show,
    .field = model_field,
    .fields = model_fields,
};
