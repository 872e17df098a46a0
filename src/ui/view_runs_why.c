/* ui/view_runs_why.c -- why the model of a run answers as it does: what each
 * feature adds to the answers for the rows it was trained on, and below what
 * the one under the cursor does.
 *
 * Rows come from the table of that name if it is open, else from its file;
 * without either the importance is what the model itself knows.
 *
 * One task explains the run and brings its model and rows along, one more the
 * effect of the feature under the cursor.  A task that is not the newest of
 * its kind is stopped, and its result dropped.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_runs_why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/family.h"
#include "frame/gather.h"
#include "session/shelf.h"
#include "session/task.h"
#include "store/registry.h"
#include "ui/ui.h"

enum {
    ROWS = 500, /* explained, evenly spaced */
    ROWS_SHUFFLED = 5000,
    EFFECT_ROWS = 500 /* that an effect is the mean of */
};

struct asking {
    struct tether *view;
    enum explanation_kind by;
    bool chosen;
    run_id run;
    char *path;          /* of the rows */
    struct frame *rows;  /* or they themselves */
    struct model *model; /* of an effect */
    char column[RUNS_FEATURE_MAX];
    struct explanation made;
};

static struct session *
session_of(const struct runs_why *w)
{
    return ui_session(w->r->view.ui);
}

static void
asking_free(struct asking *a)
{
    explanation_fini(&a->made);
    model_unref(a->model);
    frame_unref(a->rows);
    free(a->path);
    free(a);
}

/* ---- on the pool ---- */

static struct model *
open_model(struct session *s, const char *run, struct error *err)
{
    struct store *store = session_store(s, false, err);
    char name[RUN_ID_LEN + 8], *path, *label;
    struct model *m;

    snprintf(name, sizeof name, "runs:/%s", run);
    if (!store || !model_resolve(store, name, &path, &label, err))
        return NULL;
    m = model_open(path, family_find, err);
    free(path);
    free(label);
    return m;
}

/* Rows are needed for all but the gain; none are no failure. */
static void
find_rows(struct asking *a, struct task *t)
{
    struct csv_table table;
    struct error ignored;

    if (a->rows || !a->path[0] || !file_exists(a->path) ||
        !shelf_read(task_session(t), a->path, NULL, task_progress(t), &table,
                    &ignored))
        return;
    a->rows = frame_ref(table.frame);
    csv_table_fini(&table);
}

static bool
thin_rows(struct asking *a, size_t most, struct pool *pool, struct error *err)
{
    size_t n = frame_rows(a->rows);
    uint32_t *row;
    struct frame *few;

    if (n <= most)
        return true;
    if (!(row = mem_try_array(most, sizeof *row, err)))
        return false;
    for (size_t i = 0; i < most; i++)
        row[i] = (uint32_t)(i * n / most);
    few = gather_frame(a->rows, row, most, pool, err);
    free(row);
    if (few) {
        frame_unref(a->rows);
        a->rows = few;
    }
    return few != NULL;
}

static bool
explain(struct asking *a, const struct explanation_request *r, struct task *t,
        struct error *err)
{
    const struct train with = {.pool = session_pool(task_session(t)),
                               .progress = task_progress(t),
                               .seed = 1};

    return explanation_make(a->model, r, &with, &a->made, err);
}

static bool
explain_gain(struct asking *a, struct task *t, struct error *err)
{
    return explain(a, &(struct explanation_request){.kind = EXPLANATION_GAIN},
                   t, err);
}

static bool
run_about(struct task *t, void *ctx, struct error *err)
{
    struct asking *a = ctx;
    struct explanation_request r = {.kind = a->by};
    struct pool *pool = session_pool(task_session(t));
    size_t most = ROWS;

    if (!(a->model = open_model(task_session(t), a->run, err)))
        return false;
    find_rows(a, t);
    if (!a->rows || frame_rows(a->rows) == 0 || a->by == EXPLANATION_GAIN)
        return explain_gain(a, t, err);
    if (r.kind == EXPLANATION_SHARES && explain_asks(a->model)) {
        if (a->chosen)
            most = EXPLAIN_ASKED;
        else
            r.kind = EXPLANATION_SHUFFLE;
    }
    if (r.kind == EXPLANATION_SHUFFLE)
        most = ROWS_SHUFFLED;
    if (!thin_rows(a, most, pool, err))
        return false;
    r.data = a->rows;
    if (explain(a, &r, t, err) || err->code == ERR_CANCELLED)
        return err->code != ERR_CANCELLED || a->made.frame;
    /* Rows that are not those it learnt from. */
    task_log(t, "%s", err->message);
    frame_unref(a->rows);
    a->rows = NULL;
    return explain_gain(a, t, err);
}

static bool
run_effect(struct task *t, void *ctx, struct error *err)
{
    struct asking *a = ctx;

    return explain(a,
                   &(struct explanation_request){.kind = EXPLANATION_EFFECT,
                                                 .data = a->rows,
                                                 .column = a->column,
                                                 .rows = EFFECT_ROWS},
                   t, err);
}

/* ---- what comes of it ---- */

/* The why that still waits for it, or NULL; the ask itself goes on living. */
static struct runs_why *
asked_by(struct asking *a)
{
    struct view_runs *r = tether_end(a->view);

    return r ? r->why : NULL;
}

static void
draw_effect(struct runs_why *w)
{
    struct error ignored;

    plot_image_fini(&w->image);
    if (w->effect_there && explanation_has_line(&w->effect) &&
        w->want_w >= 10 && w->want_h >= 4 &&
        !explanation_chart(&w->effect, w->effect.output, w->want_w, w->want_h,
                           PLOT_BRAILLE, &w->image, &ignored))
        plot_image_fini(&w->image);
}

static void
effect_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct asking *a = ctx;
    struct runs_why *w = asked_by(a);

    if (w && w->effect_task == t) {
        w->effect_task = NULL;
        explanation_fini(&w->effect);
        w->effect = a->made;
        a->made = (struct explanation){0};
        w->effect_there = ok;
        snprintf(w->effect_trouble, sizeof w->effect_trouble, "%s",
                 ok ? "" : err->message);
        draw_effect(w);
        ui_answer(w->r->view.ui);
    }
    asking_free(a);
}

const struct frame *
runs_why_features(const struct explanation *e)
{
    return e->ranking ? e->ranking : e->frame;
}

static struct str
feature_at(const struct runs_why *w)
{
    const struct frame *f = runs_why_features(&w->about);

    return w->there && w->list.at < frame_rows(f)
               ? column_text(frame_column(f, 0), w->list.at)
               : STR("");
}

static void
stop(struct task **t)
{
    if (*t)
        task_cancel(*t);
    *t = NULL;
}

static void
forget_effect(struct runs_why *w)
{
    stop(&w->effect_task);
    explanation_fini(&w->effect);
    plot_image_fini(&w->image);
    w->effect_there = false;
    w->effect_trouble[0] = w->wanted[0] = '\0';
}

/* Of the feature under the cursor, unless it is there or on its way. */
static void
ask_effect(struct runs_why *w)
{
    struct str name = feature_at(w);
    struct asking *a;

    if (name.n == 0 || !w->rows || name.n >= sizeof w->wanted ||
        str_eq(name, str_of(w->wanted)))
        return;
    stop(&w->effect_task);
    memcpy(w->wanted, name.p, name.n);
    w->wanted[name.n] = '\0';
    a = mem_new(sizeof *a);
    a->view = tether_hold(w->tether);
    a->model = model_ref(w->about.model);
    a->rows = frame_ref(w->rows);
    memcpy(a->column, w->wanted, sizeof a->column);
    w->effect_task =
        task_start(session_of(w), &(struct task_spec){.title = "effect",
                                                      .run = run_effect,
                                                      .done = effect_done,
                                                      .ctx = a,
                                                      .of = {a->rows},
                                                      .quiet = true});
}

static void
about_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct asking *a = ctx;
    struct runs_why *w = asked_by(a);

    if (w && w->task == t) {
        w->task = NULL;
        explanation_fini(&w->about);
        w->about = a->made;
        a->made = (struct explanation){0};
        frame_unref(w->rows);
        w->rows = a->rows;
        a->rows = NULL;
        w->there = ok;
        snprintf(w->trouble, sizeof w->trouble, "%s", ok ? "" : err->message);
        list_set(&w->list, ok ? frame_rows(runs_why_features(&w->about)) : 0);
        forget_effect(w);
        ask_effect(w);
        ui_answer(w->r->view.ui);
    }
    asking_free(a);
}

/* ---- asking ---- */

/* The table of the run, when it is open: all rows, and what was computed. */
static struct frame *
open_rows(const struct runs_why *w, const char *data)
{
    struct session *s = session_of(w);

    for (size_t i = 0; i < session_tables(s); i++) {
        const struct table *t = session_table_at(s, i);

        if (!t->parent &&
            (strcmp(t->path, data) == 0 || strcmp(t->name, data) == 0))
            return frame_ref(t->all);
    }
    return NULL;
}

static char *
path_of(const struct runs_why *w, const char *data)
{
    return data[0] == '/' || file_exists(data)
               ? mem_text(data)
               : file_join(session_project(session_of(w)), data);
}

static void
start_about(struct runs_why *w, const struct run *run)
{
    struct asking *a = mem_new(sizeof *a);

    a->view = tether_hold(w->tether);
    a->by = w->by;
    a->chosen = w->chosen;
    memcpy(a->run, run->id, sizeof a->run);
    a->rows = open_rows(w, run->data);
    a->path = path_of(w, run->data);
    w->task =
        task_start(session_of(w), &(struct task_spec){.title = "explain a run",
                                                      .run = run_about,
                                                      .done = about_done,
                                                      .ctx = a,
                                                      .of = {a->rows},
                                                      .brief = true});
}

/* Of the run under the cursor, unless it is there or on its way. */
static void
ask_about(struct runs_why *w)
{
    const struct run *run = runs_at_cursor(w->r);

    if (!run)
        return;
    if (strcmp(run->id, w->run) == 0 && w->by == w->asked)
        return;
    stop(&w->task);
    forget_effect(w);
    if (strcmp(run->id, w->run) != 0) {
        w->list = (struct list){0};
        w->chosen = false;
    }
    memcpy(w->run, run->id, sizeof w->run);
    w->asked = w->by;
    w->there = false;
    w->trouble[0] = '\0';
    if (run->artifact[0])
        start_about(w, run);
    else
        snprintf(w->trouble, sizeof w->trouble, "%s",
                 run->state == RUN_RUNNING
                     ? "its model is not there yet: it is still learnt"
                     : "this run has no model");
}

void
runs_why_placed(struct view_runs *r)
{
    const struct rect *box = &r->view.layout.placed[RUNS_REGION_EFFECT];
    struct runs_why *w = r->why;

    if (!runs_why_on(r))
        return;
    ask_about(w);  /* the cursor may be on another run, ... */
    ask_effect(w); /* ... or feature */
    if (box->w > 0 && (w->want_w != box->w - 1 || w->want_h != box->h - 1)) {
        w->want_w = box->w - 1;
        w->want_h = box->h - 1;
        draw_effect(w);
    }
}

bool
runs_why_on(const struct view_runs *r)
{
    return r->why && r->why->on;
}

void
runs_why_open(struct view *v, const struct view_call *call)
{
    struct view_runs *r = runs_mine(v);

    (void)call;
    if (!r->why) {
        r->why = mem_new(sizeof *r->why);
        r->why->r = r;
        r->why->by = EXPLANATION_SHARES;
        r->why->tether = tether_new(r);
    }
    r->why->on = true;
    v->focus = RUNS_REGION_WHY;
    v->zoom = false;
    ask_about(r->why);
    ui_touch(v->ui);
}

bool
runs_why_leave(struct view_runs *r)
{
    if (!runs_why_on(r))
        return false;
    r->why->on = false;
    r->view.focus = RUNS_REGION_LIST;
    r->view.zoom = false;
    stop(&r->why->task);
    stop(&r->why->effect_task);
    r->why->run[0] = '\0'; /* asked again when it is opened again */
    return true;
}

void
runs_why_by(struct view *v, const struct view_call *call)
{
    struct runs_why *w = runs_mine(v)->why;

    enum explanation_kind now = w->there ? w->about.kind : w->by;

    (void)call;
    w->by = now == EXPLANATION_SHARES    ? EXPLANATION_SHUFFLE
            : now == EXPLANATION_SHUFFLE ? EXPLANATION_GAIN
                                         : EXPLANATION_SHARES;
    w->chosen = true;
    ask_about(w);
    ui_touch(v->ui);
}

void
runs_why_free(struct view_runs *r)
{
    struct runs_why *w = r->why;

    if (!w)
        return;
    stop(&w->task);
    forget_effect(w);
    explanation_fini(&w->about);
    frame_unref(w->rows);
    tether_cut(w->tether);
    free(w);
    r->why = NULL;
}

struct list *
runs_why_list(struct view *v)
{
    struct runs_why *w = runs_mine(v)->why;

    return w ? &w->list : NULL;
}
