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

#include "ui/view_runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/family.h"
#include "frame/gather.h"
#include "session/explanation.h"
#include "session/shelf.h"
#include "session/task.h"
#include "store/registry.h"
#include "ui/draw_plot.h"
#include "ui/tether.h"
#include "ui/ui.h"

enum {
    ROWS = 500, /* explained, evenly spaced */
    ROWS_SHUFFLED = 5000,
    EFFECT_ROWS = 500, /* that an effect is the mean of */
    BAR_CELLS = 48,
    NUMBER_CELLS = 8,
    SHARE_CELLS = 6, /* "0.1234" */
    CLASS_CELLS = 16,
    NAME_MAX = 160
};

struct runs_why {
    struct view_runs *r;
    struct tether *tether;
    bool on;
    enum explanation_kind by; /* EXPLANATION_SHARES, _GAIN or _SHUFFLE */
    bool chosen; /* for this run; else shares that are dear are left out */
    /* of a run */
    run_id run;
    enum explanation_kind asked; /* as `by` was then */
    struct task *task;
    struct explanation about;
    bool there;
    struct frame *rows; /* NULL: there are none */
    char trouble[ERROR_MESSAGE_MAX];
    struct list list;
    /* of the feature under the cursor */
    struct task *effect_task;
    char wanted[NAME_MAX]; /* "": none yet */
    struct explanation effect;
    bool effect_there;
    char effect_trouble[ERROR_MESSAGE_MAX];
    struct plot_image image;
    int want_w, want_h;
};

struct asking {
    struct tether *view;
    enum explanation_kind by;
    bool chosen;
    run_id run;
    char *path;          /* of the rows */
    struct frame *rows;  /* or they themselves */
    struct model *model; /* of an effect */
    char column[NAME_MAX];
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

/* A row for each, the largest first. */
static const struct frame *
features_of(const struct explanation *e)
{
    return e->ranking ? e->ranking : e->frame;
}

static struct str
feature_at(const struct runs_why *w)
{
    const struct frame *f = features_of(&w->about);

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
        list_set(&w->list, ok ? frame_rows(features_of(&w->about)) : 0);
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

/* ---- drawing ---- */

static int
min_int(int a, int b)
{
    return a < b ? a : b;
}

static int
max_int(int a, int b)
{
    return a > b ? a : b;
}

/* One output, of which the shares may be drawn on one axis. */
static bool
has_strips(const struct explanation *e)
{
    return e->kind == EXPLANATION_SHARES &&
           (e->shares.k == 1 || e->output >= 0);
}

static int
name_width(const struct frame *f, const struct list *l, int w)
{
    size_t widest = 6;

    for (size_t i = l->top; i < frame_rows(f) && i < l->top + l->rows; i++) {
        size_t n = str_width(column_text(frame_column(f, 0), i));

        widest = n > widest ? n : widest;
    }
    return (int)widest < w / 3 ? (int)widest : w / 3;
}

static void
draw_strip(const struct explanation *e, struct str name,
           const struct explanation_axis *axis, const struct canvas *c, int x,
           int y)
{
    static const uint32_t glyph[] = {0x2581, 0x2582, 0x2583, 0x2584,
                                     0x2585, 0x2586, 0x2587, 0x2588};
    uint8_t level[EXPLANATION_CELLS];
    size_t zero = explanation_cell(axis, 0);
    size_t output = e->output < 0 ? 0 : (size_t)e->output;
    size_t j = explanation_feature(e, name);
    int trend = j == SIZE_MAX ? 0 : explanation_trend(e, j, output);

    if (j == SIZE_MAX)
        return;
    if (trend != 0)
        draw_cp(c, x, y, ROLE_DIM, trend > 0 ? 0x2197 : 0x2198);
    explanation_strip(e, output, j, axis, level);
    for (size_t i = 0; i < axis->cells; i++)
        if (level[i] > 0)
            draw_cp(c, x + 2 + (int)i, y,
                    i < zero ? ROLE_SERIES_0 + 1 : ROLE_SERIES_0,
                    glyph[level[i] - 1]);
        else if (i == zero)
            draw_cp(c, x + 2 + (int)i, y, ROLE_GRID, 0x2502);
}

static void
draw_axis(const struct explanation_axis *axis, const struct canvas *c, int x,
          int y)
{
    size_t zero = explanation_cell(axis, 0);
    char text[32];
    int w = (int)axis->cells;

    str_from_number(axis->low, 3, text);
    draw_fit(c, x, y, w, ROLE_DIM, DRAW_LEFT, str_of(text));
    if (zero > strlen(text) + 1 && zero + 8 < axis->cells)
        draw_text(c, x + (int)zero, y, ROLE_DIM, "0");
    str_from_number(axis->high, 3, text);
    draw_text(c, x + w - (int)strlen(text), y, ROLE_DIM, text);
}

/* In a column of numbers up to `top`; in NUMBER_CELLS, with fewer digits where
 * all would be too many. */
static void
number_text(double x, double top, char out[STR_F64_MAX])
{
    size_t n = str_from_decimals(x, str_decimals(top, 4), out);

    for (int digits = 4; n > NUMBER_CELLS && digits > 0; digits--)
        n = (size_t)snprintf(out, STR_F64_MAX, "%.*g", digits, x);
}

/* Of feature i, with the deviation of what was shuffled. */
static void
draw_value(const struct explanation *e, size_t i, const struct canvas *c,
           int at, int y)
{
    const struct frame *f = features_of(e);
    double top = column_number(frame_column(f, 1), 0);
    double x = column_number(frame_column(f, 1), i);
    char text[STR_F64_MAX], off[STR_F64_MAX + 4];

    if (e->kind == EXPLANATION_GAIN) {
        snprintf(text, sizeof text, "%.1f%%", 100 * x);
    } else {
        number_text(x, top, text);
    }
    draw_fit(c, at, y, NUMBER_CELLS, ROLE_TEXT, DRAW_RIGHT, str_of(text));
    if (e->kind == EXPLANATION_SHUFFLE) {
        number_text(column_number(frame_column(f, 2), i), top, text);
        snprintf(off, sizeof off, "±%s", text);
        draw_fit(c, at + 9, y, 9, ROLE_DIM, DRAW_LEFT, str_of(off));
    }
}

static void
draw_features(struct runs_why *w, const struct canvas *c, int rows)
{
    const struct explanation *e = &w->about;
    const struct frame *f = features_of(e);
    bool strips = has_strips(e), sd = e->kind == EXPLANATION_SHUFFLE;
    int y0 = strips ? 1 : 0, name_w, x;
    struct explanation_axis axis = {0};
    double top = frame_rows(f) ? column_number(frame_column(f, 1), 0) : 0;

    list_show(&w->list, (size_t)(rows > y0 ? rows - y0 : 0));
    name_w = name_width(f, &w->list, c->w);
    x = name_w + 11 + (sd ? 9 : 0);
    if (strips && c->w - x - 4 >= 10) {
        int cells = c->w - x - 4;

        axis = explanation_axis(e, e->output < 0 ? 0 : (size_t)e->output,
                                cells < 80 ? (size_t)cells : 80);
        draw_axis(&axis, c, x + 2, 0);
    }
    for (int y = y0; y < rows; y++) {
        size_t i = w->list.top + (size_t)(y - y0);
        struct str name;
        double v;

        if (i >= frame_rows(f))
            break;
        name = column_text(frame_column(f, 0), i);
        v = column_number(frame_column(f, 1), i);
        draw_fit(c, 1, y, name_w, ROLE_TEXT, DRAW_LEFT, name);
        if (i == w->list.at)
            draw_select(c, (struct rect){1, y, name_w, 1});
        draw_value(e, i, c, name_w + 2, y);
        if (axis.cells > 0)
            draw_strip(e, name, &axis, c, x, y);
        else if (top > 0 && v > 0 && c->w - x > 5)
            draw_hbar(c, x, y, min_int(c->w - x - 2, BAR_CELLS), ROLE_SERIES_0,
                      v / top);
    }
}

void
runs_why_draw(struct view *v, const struct canvas *c)
{
    struct runs_why *w = runs_mine(v)->why;
    struct rect all = {1, 0, c->w - 2, c->h};

    if (!w)
        return;
    if (w->trouble[0]) {
        draw_wrap(c, all, ROLE_WARN, str_of(w->trouble));
        return;
    }
    if (!w->there) {
        draw_markup(c, 1, 0, ROLE_DIM,
                    w->by == EXPLANATION_SHARES && w->chosen
                        ? "explaining… <i> takes another way"
                        : "explaining…");
        return;
    }
    draw_features(w, c, c->h - 1);
    draw_fit(c, 1, c->h - 1, c->w - 2, ROLE_DIM, DRAW_LEFT,
             str_of(w->rows || w->about.kind != EXPLANATION_GAIN ||
                            w->by == EXPLANATION_GAIN
                        ? w->about.note
                        : "its table is not here: open it to see shares of "
                          "the answers, and effects"));
}

void
runs_why_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct runs_why *w = runs_mine(v)->why;
    const struct run *run = runs_at_cursor(runs_mine(v));

    buf_printf(left, "why · %s", run ? run->name : "");
    if (w && w->there)
        buf_puts(right, w->about.kind == EXPLANATION_GAIN      ? "by gain"
                        : w->about.kind == EXPLANATION_SHUFFLE ? "by shuffling"
                                                               : "by shares");
}

static void
draw_level(const struct effect *e, size_t p, const struct canvas *c, int y,
           int w)
{
    struct buf b;

    buf_init(&b);
    column_print(e->grid, p, &b);
    draw_fit(c, 1, y, w, ROLE_TEXT, DRAW_LEFT, (struct str){b.data, b.len});
    buf_fini(&b);
}

static int
level_width(const struct effect *e, int most)
{
    int widest = NUMBER_CELLS;

    for (size_t p = 0; e->type == COL_TEXT && p < e->n_points; p++)
        widest = max_int(widest, (int)str_width(column_text(e->grid, p)));
    return min_int(widest, most);
}

/* An input of texts: a bar for each. */
static void
draw_levels(const struct effect *e, const struct canvas *c)
{
    int w = c->w / 3, bar = c->w - w - 13;
    double top = 0;

    for (size_t p = 0; p < e->n_points; p++)
        top = fmax(top, fabs(effect_mean(e, p, 0)));
    for (size_t p = 0; p < e->n_points && (int)p < c->h; p++) {
        double mean = effect_mean(e, p, 0);
        char text[STR_F64_MAX];

        draw_level(e, p, c, (int)p, w);
        number_text(mean, top, text);
        draw_fit(c, w + 2, (int)p, NUMBER_CELLS, ROLE_TEXT, DRAW_RIGHT,
                 str_of(text));
        if (top > 0 && bar > 0)
            draw_hbar(c, w + 11, (int)p, min_int(bar, BAR_CELLS), ROLE_SERIES_0,
                      fabs(mean) / top);
    }
}

/* Of several classes or quantiles a column for each, in their order, as many as
 * there is room for. */
static void
draw_levels_by_name(const struct effect *e, const struct canvas *c)
{
    const struct explain_names *names = &e->names;
    int w = level_width(e, c->w / 4), at = w + 2;
    double top = 0;

    for (size_t p = 0; p < e->n_points && (int)p + 1 < c->h; p++)
        draw_level(e, p, c, (int)p + 1, w);
    for (size_t i = 0; i < e->n_points * names->n; i++)
        top = fmax(top, fabs(effect_mean(e, i / names->n, i % names->n)));
    for (size_t k = 0; k < names->n; k++) {
        struct str name = str_of(names->name[k]);
        int cells = max_int(min_int((int)str_width(name), CLASS_CELLS),
                            names->made ? NUMBER_CELLS : SHARE_CELLS);

        if (at + cells > c->w - (k + 1 < names->n ? 5 : 0)) {
            draw_printf(c, at, 0, ROLE_DIM, "+%zu", names->n - k);
            return;
        }
        draw_fit(c, at, 0, cells, ROLE_DIM, DRAW_RIGHT, name);
        for (size_t p = 0; p < e->n_points && (int)p + 1 < c->h; p++) {
            char text[STR_F64_MAX];

            number_text(effect_mean(e, p, k), top, text);
            draw_fit(c, at, (int)p + 1, cells, ROLE_TEXT, DRAW_RIGHT,
                     str_of(text));
        }
        at += cells + 2;
    }
}

void
runs_effect_draw(struct view *v, const struct canvas *c)
{
    const struct runs_why *w = runs_mine(v)->why;

    if (!w || !w->there)
        return;
    if (w->effect_trouble[0])
        draw_wrap(c, (struct rect){1, 0, c->w - 2, c->h}, ROLE_WARN,
                  str_of(w->effect_trouble));
    else if (!w->effect_there)
        draw_text(c, 1, 0, ROLE_DIM, w->rows ? "asking…" : "");
    else if (w->image.height > 0)
        draw_plot(c, 0, 0, &w->image, 0, c->h);
    else if (w->effect.effect.k > 1)
        draw_levels_by_name(&w->effect.effect, c);
    else
        draw_levels(&w->effect.effect, c);
}

void
runs_effect_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct runs_why *w = runs_mine(v)->why;
    const char *what;
    size_t n;

    if (!w || !w->effect_there) {
        buf_puts(left, "effect");
        return;
    }
    /* "probability of churn = Yes by tenure · 500 of 7,043 rows" */
    what = strstr(w->effect.note, " · ");
    n = what ? (size_t)(what - w->effect.note) : strlen(w->effect.note);
    buf_add(left, w->effect.note, n);
    if (what)
        buf_puts(right, what + strlen(" · "));
    if (w->image.height > 0 && w->effect.effect.k > EXPLANATION_LINES)
        buf_printf(right, " · %d of %zu %s", EXPLANATION_LINES,
                   w->effect.effect.k, w->effect.effect.names.words);
}
