/* script/lua_evaluation.c -- evaluations: scores, slices and curves.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/mem.h"
#include "engine/judged.h"
#include "engine/metric_curve.h"
#include "engine/metric_silhouette.h"
#include "engine/metric_slice.h"
#include "frame/rowgroup.h"
#include "script/lua_types.h"
#include "session/curve_text.h"
#include "session/summary.h"

struct lua_evaluation {
    struct evaluation of;
    struct judged judged;
    struct slices slices;
};

static void
evaluation_free(void *p)
{
    struct lua_evaluation *e = p;

    evaluation_fini(&e->of);
    judged_fini(&e->judged);
    slices_fini(&e->slices);
    free(e);
}

/* ---- model:evaluate ---- */

struct judging {
    const struct model *model;
    const struct frame *frame;
    struct judged_options judged;
    struct evaluation_options options;
    const char *const *slices;
    struct lua_evaluation *out;
};

static bool
run_evaluate(struct task *t, void *ctx, struct error *err)
{
    struct judging *g = ctx;
    struct pool *pool = task_pool(t);
    struct judged *j = &g->out->judged;
    struct metric_rows rows;

    if (!judged_take(g->model, g->frame, &g->judged, pool, j, err))
        return false;
    rows = judged_rows(j);
    if (!evaluation_of(&rows, j->truth.classes, &g->options, pool, &g->out->of,
                       err))
        return false;
    g->out->of.outcomes = j->outcomes;
    return slices_make(g->frame, g->slices, &rows, j->truth.classes,
                       &g->options, pool, &g->out->slices, err);
}

int
lua_model_evaluate(lua_State *L)
{
    static const char *const allowed[] = {"seed",   "metric", "slice",
                                          "weight", "group",  NULL};
    struct lua_model *m = script_model(L, 1);
    struct judging g = {.model = m->model, .frame = script_frame(L, 2)};
    struct object *o;
    struct buf *flat;

    luaL_argexpected(L, g.frame, 2, "frame");
    lua_settop(L, 3);
    script_options(L, 3, allowed);
    g.options.seed = 1;
    if (lua_istable(L, 3)) {
        g.options.seed = (uint64_t)script_opt_int(L, 3, "seed", 1);
        g.judged.weight = script_opt_text(L, 3, "weight", NULL);
        g.judged.group = script_opt_text(L, 3, "group", NULL);
        g.options.metrics = script_opt_texts(L, 3, "metric");
        g.slices = script_opt_texts(L, 3, "slice");
    }
    o = script_new(L, &evaluation_type);
    g.out = o->p = mem_new(sizeof *g.out);
    script_call(L, "evaluate", run_evaluate, &g);
    lua_pushvalue(L, -1);
    flat = script_buf(L);
    summary_flat(&g.out->of, flat);
    free(m->metrics);
    m->metrics = mem_text(flat->data);
    lua_pop(L, 1);
    return 1;
}

/* ---- curves ---- */

struct drawing {
    const struct judged *judged;
    enum curve_kind kind;
    struct frame *curve;
};

static void
drawing_fini(void *p)
{
    frame_unref(((struct drawing *)p)->curve);
}

static bool
run_curve(struct task *t, void *ctx, struct error *err)
{
    struct drawing *d = ctx;
    struct metric_rows rows = judged_rows(d->judged);

    rows.pool = task_pool(t);
    d->curve = metric_curve(d->kind, &rows, d->judged->truth.classes, err);
    return d->curve;
}

/* The curve of the evaluation at 1 that is named at 2. */
static struct drawing *
draw(lua_State *L)
{
    const struct lua_evaluation *e = script_check(L, 1, &evaluation_type);
    struct drawing *d;
    struct error err;

    luaL_checkstring(L, 2);
    d = script_scratch(L, sizeof *d, drawing_fini);
    d->judged = &e->judged;
    if (!curve_kind_of(lua_tostring(L, 2), &d->kind, &err))
        script_fail(L, &err);
    script_call(L, NULL, run_curve, d);
    return d;
}

static int
evaluation_curve(lua_State *L)
{
    struct drawing *d = draw(L);

    script_push_frame(L, d->curve, curve_look(d->kind)->name);
    return 1;
}

static int
evaluation_plot(lua_State *L)
{
    struct drawing *d = draw(L);
    struct kernel *k = script_kernel(L);
    struct buf *out = script_buf(L), *svg = script_buf(L);
    struct error err;

    if (!curve_text(d->curve, d->kind, script_width(k), script_plain(k), out,
                    &err) ||
        !curve_svg(d->curve, d->kind, svg, &err))
        script_fail(L, &err);
    script_emit(k, &(struct output){
                       .kind = OUT_CHART, .text = out->data, .svg = svg->data});
    return 0;
}

static int
evaluation_slices(lua_State *L)
{
    const struct lua_evaluation *e = script_check(L, 1, &evaluation_type);
    struct drawing *d = script_scratch(L, sizeof *d, drawing_fini);
    struct error err;

    if (!(d->curve = slices_frame(&e->slices, &err)))
        script_fail(L, &err);
    script_push_frame(L, d->curve, "slices");
    return 1;
}

/* ---- as a value ---- */

static void
evaluation_print_p(struct kernel *k, const void *p, size_t width,
                   struct buf *out)
{
    const struct lua_evaluation *e = p;

    (void)k;
    evaluation_print(&e->of, out);
    slices_print(&e->slices, &e->of, width, out);
}

static void
evaluation_brief(const void *p, struct buf *out)
{
    const struct evaluation *e = &((const struct lua_evaluation *)p)->of;

    for (size_t i = 0; i < e->n_scores && i < 3; i++)
        buf_printf(out, "%s%s %.4f", i ? "  " : "", e->score[i].metric->name,
                   e->score[i].value);
}

static void
evaluation_show(struct kernel *k, const void *p, struct output *o)
{
    struct json_writer w;
    struct buf b;

    (void)k;
    buf_init(&b);
    json_writer_init(&w, &b);
    evaluation_json(&((const struct lua_evaluation *)p)->of, &w);
    o->kind = OUT_EVALUATION;
    o->json = buf_take(&b);
}

const struct evaluation *
script_evaluation(lua_State *L, int idx)
{
    const struct lua_evaluation *e = script_test(L, idx, &evaluation_type);

    return e ? &e->of : NULL;
}

/* evaluation.auc is the value, evaluation.auc_low and _high its interval. */
static bool
evaluation_field(lua_State *L, void *p, const char *name)
{
    const struct evaluation *e = &((const struct lua_evaluation *)p)->of;

    if (strcmp(name, "n") == 0) {
        lua_pushinteger(L, (lua_Integer)e->n);
        return true;
    }
    for (size_t i = 0; i < e->outcomes.n; i++)
        if (strcmp(name, e->outcomes.at[i].name) == 0) {
            lua_pushnumber(L, e->outcomes.at[i].value);
            return true;
        }
    for (size_t i = 0; i < e->n_scores; i++) {
        const struct scored *s = &e->score[i];
        size_t n = strlen(s->metric->name);

        if (strncmp(name, s->metric->name, n) != 0)
            continue;
        if (name[n] == '\0')
            lua_pushnumber(L, s->value);
        else if (strcmp(name + n, "_low") == 0)
            lua_pushnumber(L, s->low);
        else if (strcmp(name + n, "_high") == 0)
            lua_pushnumber(L, s->high);
        else
            continue;
        return true;
    }
    return false;
}

/* ---- lathe.silhouette ---- */

struct clusters {
    const struct frame *frame;
    const char *label;
    const char *const *columns; /* NULL: all numbers */
    uint64_t seed;
    struct silhouette out;
};

/* Which columns are measured: the named ones, or all numbers but the label. */
static bool
columns_choose(const struct clusters *c, size_t label, size_t *col, size_t *n,
               struct error *err)
{
    const struct frame *f = c->frame;

    *n = 0;
    for (const char *const *name = c->columns; name && *name; name++)
        if (*n == frame_cols(f) || !frame_need(f, *name, &col[(*n)++], err))
            return *n == frame_cols(f) &&
                   error_set(err, ERR_RANGE, "a column is there twice");
    for (size_t i = 0; !c->columns && i < frame_cols(f); i++)
        if (i != label && column_type(frame_column(f, i)) != COL_TEXT)
            col[(*n)++] = i;
    return *n > 0 || error_set(err, ERR_RANGE, "no column of numbers");
}

static bool
points_fill(const struct frame *f, const size_t *col, size_t d, double *x,
            double *column, struct error *err)
{
    size_t n = frame_rows(f);

    for (size_t j = 0; j < d; j++) {
        column_numbers(frame_column(f, col[j]), 0, n, column);
        for (size_t i = 0; i < n; i++) {
            if (column[i] != column[i])
                return error_set(err, ERR_RANGE,
                                 "column '%s' is missing in row %zu",
                                 frame_name(f, col[j]), i + 1);
            x[i * d + j] = column[i];
        }
    }
    return true;
}

static bool
run_silhouette(struct task *t, void *ctx, struct error *err)
{
    struct clusters *c = ctx;
    struct pool *pool = task_pool(t);
    size_t n = frame_rows(c->frame), d = 0, label, values;
    size_t *col = mem_try_array(frame_cols(c->frame), sizeof *col, err);
    double *x = NULL, *one = NULL;
    struct rowgroup g = {0};
    bool ok =
        col && frame_need(c->frame, c->label, &label, err) &&
        columns_choose(c, label, col, &d, err) &&
        rowgroup_find(c->frame, &label, 1, pool, task_progress(t), &g, err);

    if (ok && !mem_mul(n, d, &values))
        ok = error_set(err, ERR_NOMEM, "%zu rows of %zu columns", n, d);
    ok = ok && (x = mem_try_array(values, sizeof *x, err)) &&
         (one = mem_try_array(n, sizeof *one, err)) &&
         points_fill(c->frame, col, d, x, one, err);
    if (ok) {
        const struct labelled rows = {x, n, d, g.group, g.n_groups};

        ok = metric_silhouette(&rows, c->seed, pool, task_progress(t), &c->out,
                               err);
    }
    rowgroup_fini(&g);
    free(col);
    free(x);
    free(one);
    return ok;
}

static int
lathe_silhouette(lua_State *L)
{
    static const char *const allowed[] = {"columns", "seed", NULL};
    struct clusters c = {.frame = script_frame(L, 1), .seed = 1};

    luaL_argexpected(L, c.frame, 1, "frame");
    c.label = luaL_checkstring(L, 2);
    lua_settop(L, 3);
    script_options(L, 3, allowed);
    if (lua_istable(L, 3)) {
        c.seed = (uint64_t)script_opt_int(L, 3, "seed", 1);
        c.columns = script_opt_texts(L, 3, "columns");
    }
    script_call(L, "silhouette", run_silhouette, &c);
    lua_pushnumber(L, c.out.value);
    lua_pushnumber(L, c.out.low);
    lua_pushnumber(L, c.out.high);
    return 3;
}

/* ---- tables ---- */

const struct binding lua_evaluation_methods[] = {
    {"curve", evaluation_curve, "evaluation:curve(name)",
     "A curve as a frame: \"roc\", \"pr\", \"reliability\", \"lift\" or\n"
     "\"threshold\"; of several classes one for each."},
    {"plot", evaluation_plot, "evaluation:plot(name)",
     "Draws it, beside the line of guessing."},
    {"slices", evaluation_slices, "evaluation:slices()",
     "The scores of the slices as a frame: slice, part, rows and, of each\n"
     "metric, its value, low and high."},
    {NULL, NULL, NULL, NULL},
};

const struct binding lua_evaluation_functions[] = {
    {"silhouette", lathe_silhouette,
     "lathe.silhouette(frame, label [, options])",
     "How well rows lie in the clusters that column `label` names: -1 to 1, and\n"
     "its 95 % interval. Over 10,000 rows a sample is measured.\n"
     "  columns  to measure distances by; all numbers\n"
     "  seed     of the sample and the interval, 1"},
    {NULL, NULL, NULL, NULL},
};

const struct object_type evaluation_type = {
    .name = "evaluation",
    .methods = lua_evaluation_methods,
    .free = evaluation_free,
    .print = evaluation_print_p,
    .brief = evaluation_brief,
    .show = evaluation_show,
    .field = evaluation_field,
};
