/* script/lua_port.c -- models from other programs, and to them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include <lauxlib.h>

#include "base/file.h"
#include "engine/port/port.h"
#include "script/lua_types.h"

/* ---- model:export{ onnx = "churn.onnx", c = "churn.c" } ---- */

struct exported {
    const char *path; /* NULL: not asked for */
    size_t len;
    struct port_report report;
};

struct exporting {
    const struct model *model;
    struct port_export o; /* but for the format */
    struct exported file[PORT_N_FORMATS];
    unsigned asked, failed;
    struct buf why; /* of those that failed */
};

static void
exporting_fini(void *p)
{
    struct exporting *x = p;

    for (int f = 0; f < PORT_N_FORMATS; f++)
        port_report_fini(&x->file[f].report);
    buf_fini(&x->why);
}

/* A format that cannot hold the model does not keep others from being
 * written. */
static bool
run_export(struct task *t, void *ctx, struct error *err)
{
    struct exporting *x = ctx;

    for (int f = 0; f < PORT_N_FORMATS; f++) {
        struct exported *file = &x->file[f];
        struct port_export o = x->o;

        o.format = (enum port_format)f;
        if (!file->path || port_save(x->model, &o, file->path, task_pool(t),
                                     &file->len, &file->report, err))
            continue;
        error_prefix(err, "%s: ", file->path);
        if (x->asked == 1 || err->code == ERR_CANCELLED)
            return false;
        buf_printf(&x->why, "%s%s", x->failed++ ? "; " : "", err->message);
    }
    return !x->failed ||
           error_set(err, ERR_TYPE, "%u of %u files not written: %s", x->failed,
                     x->asked, x->why.data);
}

/* What was written as a table: format, path, bytes, rows, worst, notes. */
static void
push_report(lua_State *L, const struct exporting *x, int f)
{
    const struct exported *file = &x->file[f];

    lua_createtable(L, 0, 6);
    lua_pushstring(L, port_format_name((enum port_format)f));
    lua_setfield(L, -2, "format");
    lua_pushstring(L, file->path);
    lua_setfield(L, -2, "path");
    lua_pushinteger(L, (lua_Integer)file->len);
    lua_setfield(L, -2, "bytes");
    lua_pushinteger(L, (lua_Integer)file->report.n_rows);
    lua_setfield(L, -2, "rows");
    lua_pushnumber(L, file->report.worst);
    lua_setfield(L, -2, "worst");
    lua_pushstring(L, file->report.notes.data);
    lua_setfield(L, -2, "notes");
}

int
lua_model_export(lua_State *L)
{
    static const char *const allowed[] = {
        "c", "lightgbm", "onnx", "pmml", "xgboost", "onnx_ml", "prefix", NULL};
    struct exporting *x;
    lua_Integer n = 0;
    int64_t ml;

    lua_settop(L, 2);
    luaL_checktype(L, 2, LUA_TTABLE);
    script_options(L, 2, allowed);
    x = script_scratch(L, sizeof *x, exporting_fini);
    buf_init(&x->why);
    x->model = script_model(L, 1)->model;
    for (int f = 0; f < PORT_N_FORMATS; f++) {
        buf_init(&x->file[f].report.notes);
        x->file[f].path =
            script_opt_text(L, 2, port_format_name((enum port_format)f), NULL);
        x->asked += x->file[f].path != NULL;
    }
    ml = script_opt_int(L, 2, "onnx_ml", 3);
    if (x->asked == 0 || (ml != 3 && ml != 5))
        script_failf(L, ERR_USAGE,
                     "expected formats and their files, as in "
                     "model:export{ onnx = \"churn.onnx\", c = \"churn.c\" }; "
                     "onnx_ml is 3 or 5");
    x->o.onnx_ml = (int)ml;
    x->o.name = script_opt_text(L, 2, "prefix", NULL);
    script_call(L, "export the model", run_export, x);
    if (x->asked > 1)
        lua_createtable(L, (int)x->asked, 0);
    for (int f = 0; f < PORT_N_FORMATS; f++)
        if (x->file[f].path) {
            push_report(L, x, f);
            if (x->asked > 1)
                lua_rawseti(L, -2, ++n);
        }
    return 1;
}

/* ---- lathe.import(path [, options]) ---- */

struct importing {
    const char *path;
    struct port_import o;
    struct lua_model *out;
};

static bool
run_import(struct task *t, void *ctx, struct error *err)
{
    struct importing *x = ctx;
    struct file_map map;

    if (!file_map_open(&map, x->path, task_progress(t), err))
        return false;
    x->o.stop = task_progress(t);
    x->out->model = port_read((struct str){map.data, map.len}, &x->o, err);
    if (x->out->model && !file_map_whole(&map, err)) {
        model_unref(x->out->model);
        x->out->model = NULL;
    }
    file_map_close(&map);
    return x->out->model || error_prefix(err, "%s: ", x->path);
}

int
lua_lathe_import(lua_State *L)
{
    static const char *const allowed[] = {"target", "classes", "columns",
                                          "activation", NULL};
    struct importing x = {.path = luaL_checkstring(L, 1)};

    lua_settop(L, 2);
    script_options(L, 2, allowed);
    if (lua_istable(L, 2)) {
        x.o.target = script_opt_text(L, 2, "target", NULL);
        x.o.activation = script_opt_text(L, 2, "activation", NULL);
        x.o.classes = script_opt_texts(L, 2, "classes");
        x.o.columns = script_opt_texts(L, 2, "columns");
    }
    x.out = script_new_model(L);
    script_call(L, "import a model", run_import, &x);
    return 1;
}
