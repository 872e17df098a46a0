/* ui/view_runs.c -- runs: the view itself, and what is done to runs.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "session/task.h"
#include "ui/ui.h"

static void
data_changed(void *ctx)
{
    struct view_runs *r = ctx;

    runs_rebuild(r);
    runs_ask_chart(r);
    ui_touch(r->view.ui);
}

static const struct view_region regions[] = {
    [RUNS_REGION_LIST] = {"runs", runs_list_draw, runs_list_title, runs_list_of,
                          NULL, 0},
    [RUNS_REGION_DETAIL] = {"run", runs_card_draw, runs_card_title, NULL, NULL,
                            REGION_PASSIVE},
    [RUNS_REGION_CHART] = {"chart", runs_chart_draw, runs_chart_title, NULL,
                           NULL, 0},
    [RUNS_REGION_COMPARE] = {"compare", runs_compare_draw, NULL,
                             runs_compare_of, NULL, 0},
    [RUNS_REGION_WHY] = {"why", runs_why_draw, runs_why_title, runs_why_list,
                         NULL, 0},
    [RUNS_REGION_EFFECT] = {"effect", runs_effect_draw, runs_effect_title, NULL,
                            NULL, 0},
    {0},
};

static const struct view_sign signs[] = {
    {"●", "the run is at work"},
    {"✓", "the run is done; side by side: the best value"},
    {"✗", "the run failed, or its process was lost"},
    {"○", "the run was stopped"},
    {"a", "its curve and column: a is at the cursor, b and c are overlaid"},
    {"≠", "the runs differ here"},
    {"▁▅█", "how many rows have such a share: what the feature adds to the "
            "answer"},
    {"↗", "larger values of the feature add more; ↘: less"},
    {0},
};

static void
runs_layout(struct view *v, struct layout *l)
{
    struct rect body = l->body, left, column;
    int w = body.w >= 130 ? 48 : body.w * 2 / 5;

    left = rect_left(&body, w);
    column = rect_bottom(&left, left.h * 2 / 5);
    layout_place(l, RUNS_REGION_LIST, left);
    layout_place(l, RUNS_REGION_DETAIL, column);
    if (runs_why_on(runs_mine(v))) {
        layout_place(l, RUNS_REGION_EFFECT, rect_bottom(&body, body.h / 2));
        layout_place(l, RUNS_REGION_WHY, body);
        return;
    }
    if (body.w >= 100) {
        layout_place(l, RUNS_REGION_COMPARE, rect_right(&body, body.w * 2 / 5));
    } else {
        layout_place(l, RUNS_REGION_COMPARE, rect_bottom(&body, body.h / 3));
    }
    layout_place(l, RUNS_REGION_CHART, body);
}

static void
runs_placed(struct view *v)
{
    struct view_runs *r = runs_mine(v);
    const struct rect *chart = &v->layout.placed[RUNS_REGION_CHART];

    /* One row is the rule; one column the line to the left. */
    if (chart->w > 0 &&
        (r->want_w != chart->w - 1 || r->want_h != chart->h - 1)) {
        r->want_w = chart->w - 1;
        r->want_h = chart->h - 1;
        runs_ask_chart(r);
    }
    runs_why_placed(r);
}

static bool
runs_has(const struct view *v, unsigned region)
{
    bool why = runs_why_on((const struct view_runs *)v);

    if (region == RUNS_REGION_WHY || region == RUNS_REGION_EFFECT)
        return why;
    return !why || region == RUNS_REGION_LIST || region == RUNS_REGION_DETAIL;
}

static const char *
runs_context(struct view *v)
{
    bool there = v->focus == RUNS_REGION_WHY || v->focus == RUNS_REGION_EFFECT;

    return there && runs_why_on(runs_mine(v)) ? "runs.why" : "runs";
}

/* ---- actions ---- */

static void
act_overlay(struct view *v, const struct view_call *call)
{
    struct view_runs *r = runs_mine(v);
    const struct run *run = runs_at_cursor(r);

    (void)call;
    if (!run)
        return;
    for (size_t k = 0; k < r->n_overlay; k++)
        if (strcmp(r->overlay[k], run->id) == 0) {
            memmove(r->overlay + k, r->overlay + k + 1,
                    (r->n_overlay - k - 1) * sizeof *r->overlay);
            r->n_overlay--;
            runs_ask_chart(r);
            return;
        }
    if (r->n_overlay == RUNS_MAX_OVERLAY) {
        ui_message(v->ui, MESSAGE_WARN,
                   "%d runs are overlaid already: Space "
                   "on one of them takes it off",
                   RUNS_MAX_OVERLAY);
        return;
    }
    memcpy(r->overlay[r->n_overlay++], run->id, sizeof r->overlay[0]);
    list_action(&r->list, "down", 1);
    runs_moved(r);
    runs_ask_chart(r);
}

static void
act_pin(struct view *v, const struct view_call *call)
{
    struct view_runs *r = runs_mine(v);
    const struct run *run = runs_at_cursor(r);

    (void)call;
    r->pinned = run && !r->pinned;
    if (run)
        memcpy(r->pin, run->id, sizeof r->pin);
    ui_message(v->ui, MESSAGE_INFO,
               r->pinned ? "%s stays on the chart as a"
                         : "the chart follows "
                           "the cursor again",
               run ? run->name : "");
    runs_ask_chart(r);
}

static void
act_compare(struct view *v, const struct view_call *call)
{
    (void)call;
    v->focus = RUNS_REGION_COMPARE;
    v->zoom = !v->zoom;
    ui_touch(v->ui);
}

static void
act_next_failure(struct view *v, const struct view_call *call)
{
    struct view_runs *r = runs_mine(v);

    (void)call;
    for (size_t step = 1; step <= r->n_shown; step++) {
        size_t k = (r->list.at + step) % r->n_shown;
        const struct run *run = runs_data_run(r->data, r->shown[k]);

        if (run->state == RUN_FAILED || run->state == RUN_LOST) {
            r->list.at = k;
            runs_moved(r);
            ui_message(v->ui, MESSAGE_WARN, "%s: %s", run->name,
                       run->message[0] ? run->message
                                       : run_state_word(run->state));
            return;
        }
    }
    ui_message(v->ui, MESSAGE_INFO, "no run has failed");
}

/* ---- changes to the store, in the background ---- */

enum edit_kind { EDIT_RENAME, EDIT_DELETE, EDIT_UNDELETE };

struct edit {
    struct ui *ui;
    enum edit_kind kind;
    run_id id;
    char name[128];
};

static bool
edit_run(struct task *t, void *ctx, struct error *err)
{
    struct edit *e = ctx;
    struct store *s = session_store(task_session(t), false, err);

    if (!s)
        return false;
    if (e->kind == EDIT_RENAME)
        return run_rename(s, e->id, e->name, err);
    return run_delete(s, e->id, e->kind == EDIT_UNDELETE, err);
}

static void
edit_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct edit *e = ctx;

    if (!ok)
        session_message(task_session(t), MESSAGE_ERROR, "%s", err->message);
    else if (e->kind == EDIT_DELETE)
        session_message(task_session(t), MESSAGE_INFO,
                        "%s is deleted: u takes it back", e->name);
    session_notify(task_session(t), TOPIC_RUNS);
    free(e);
}

static void
start_edit(struct view_runs *r, enum edit_kind kind, const char *id,
           const char *name)
{
    struct edit *e = mem_new(sizeof *e);

    e->ui = r->view.ui;
    e->kind = kind;
    snprintf(e->id, sizeof e->id, "%s", id);
    snprintf(e->name, sizeof e->name, "%s", name);
    task_start(ui_session(r->view.ui),
               &(struct task_spec){.title = "change a run",
                                   .run = edit_run,
                                   .done = edit_done,
                                   .ctx = e,
                                   .quiet = true});
}

static void
act_rename(struct view *v, const struct view_call *call)
{
    const struct run *run = runs_at_cursor(runs_mine(v));

    if (run && call->arg && call->arg[0])
        start_edit(runs_mine(v), EDIT_RENAME, run->id, call->arg);
}

static void
delete_confirmed(void *ctx, bool yes)
{
    struct view_runs *r = ctx;
    size_t i = runs_data_find(r->data, r->current);

    if (!yes || i == SIZE_MAX)
        return;
    snprintf(r->deleted, sizeof r->deleted, "%s", r->current);
    start_edit(r, EDIT_DELETE, r->current, runs_data_run(r->data, i)->name);
}

static void
act_delete(struct view *v, const struct view_call *call)
{
    const struct run *run = runs_at_cursor(runs_mine(v));
    char question[160];

    (void)call;
    if (!run)
        return;
    snprintf(question, sizeof question, "delete %s?", run->name);
    ui_confirm(v->ui, question, delete_confirmed, runs_mine(v));
}

static void
act_undo(struct view *v, const struct view_call *call)
{
    struct view_runs *r = runs_mine(v);

    (void)call;
    if (r->filter[0]) {
        r->filter[0] = '\0';
        runs_rebuild(r);
    } else if (r->deleted[0]) {
        start_edit(r, EDIT_UNDELETE, r->deleted, "");
        r->deleted[0] = '\0';
    } else {
        ui_message(v->ui, MESSAGE_INFO, "nothing to undo");
    }
}

static void
act_register(struct view *v, const struct view_call *call)
{
    const struct run *run = runs_at_cursor(runs_mine(v));
    char line[256];

    if (!run || !call->arg || !call->arg[0])
        return;
    /* A run that has just ended may have a model that is not listed yet. */
    snprintf(line, sizeof line, "registry add %s runs:/%s", call->arg, run->id);
    ui_run_command(v->ui, line, 0);
}

/* The model is called as the table it learnt from, "churn" of data/churn.csv;
 * a table without a file has no name worth it: then as the run. */
static void
runs_suggest(struct view *v, const char *action, struct buf *out)
{
    const struct run *run = runs_at_cursor(runs_mine(v));
    const char *base;

    if (!run || strcmp(action, "register") != 0)
        return;
    base = file_base(run->data);
    if (strcspn(base, ".") == 0 || !strchr(base, '.'))
        base = run->name;
    buf_add(out, base, strcspn(base, "."));
}

static bool
has_run(struct view *v)
{
    return runs_at_cursor(runs_mine(v)) != NULL;
}

static bool
is_explained(struct view *v)
{
    return runs_why_on(runs_mine(v));
}

/* Curves and the comparison are shown. */
static bool
has_curves(struct view *v)
{
    return !is_explained(v);
}

static bool
has_curve(struct view *v)
{
    return has_run(v) && has_curves(v);
}

/* Not where it is explained already. */
static bool
may_explain(struct view *v)
{
    return has_run(v) && strcmp(runs_context(v), "runs") == 0;
}

static const struct view_action actions[] = {
    {"enter", "Run: why its model answers so",
     "What each feature adds to the answers for the rows it was trained on, "
     "and what happens to the answer when the one under the cursor changes. q "
     "goes back to the curves.",
     NULL, runs_why_open, may_explain, ACTION_SUBJECT},
    {"importance", "Why: by shares, by shuffling, by gain",
     "Shares are what a feature adds to each answer; shuffling says what the "
     "metric loses without it; gain is what it was worth while learning.",
     NULL, runs_why_by, is_explained, 0},
    {"mark", "Run: overlay on the chart",
     "Draws this run beside the one under the cursor, with a letter and a "
     "colour of its own. Again takes it off.",
     NULL, act_overlay, has_curve, ACTION_SUBJECT},
    {"pin", "Run: pin to the chart",
     "The chart stays with this run while the cursor moves.", NULL, act_pin,
     has_curve, ACTION_SUBJECT},
    {"compare", "Runs: compare",
     "Metrics and parameters of the runs on the "
     "chart side by side; ≠ marks what differs.",
     NULL, act_compare, has_curve, 0},
    {"metric-next", "Chart: next metric", NULL, NULL, runs_chart_metric,
     has_curve, 0},
    {"axis-next", "Chart: next axes",
     "Cycles the axes: linear, log y, log x, log-log. Values that are not "
     "positive are left out on a log axis.",
     NULL, runs_chart_axis, has_curves, 0},
    {"x-axis-next", "Chart: x is step, seconds or hour", NULL, NULL,
     runs_chart_x, has_curves, 0},
    {"smooth-more", "Smoothing: more",
     "Exponential moving average of the drawn lines, corrected for its start; "
     "the raw values stay as faint dots.",
     NULL, runs_chart_smoother, has_curves, 0},
    {"smooth-less", "Smoothing: less", NULL, NULL, runs_chart_rougher,
     has_curves, 0},
    {"smooth", "Smoothing: set", NULL,
     "smoothing, 0 to 0.99: ", runs_chart_smooth, has_curves, 0},
    {"inspect", "Chart: inspect values",
     "h and l move along the x axis, and the values there are shown.", NULL,
     runs_chart_inspect, has_curve, 0},
    {"zoom-in", "Chart: zoom in along x", NULL, NULL, runs_chart_zoom_in,
     has_curves, 0},
    {"zoom-out", "Chart: zoom out along x", NULL, NULL, runs_chart_zoom_out,
     has_curves, 0},
    {"zoom-reset", "Chart: whole range", NULL, NULL, runs_chart_zoom_reset,
     has_curves, 0},
    {"next-failure", "Run: next failed", NULL, NULL, act_next_failure, NULL, 0},
    {"rename", "Run: rename", NULL, "new name: ", act_rename, has_run,
     ACTION_SUBJECT},
    {"delete", "Run: delete", "It is listed no more; u takes it back.", NULL,
     act_delete, has_run, ACTION_SUBJECT},
    {"undo", "Runs: undo", NULL, NULL, act_undo, NULL, 0},
    {"register", "Run: register its model",
     "Adds the run's model to the "
     "registry as a new version.",
     "name of the model: ", act_register, has_run, ACTION_SUBJECT},
    {"export", "Chart: export as svg or png", NULL,
     "file (.svg or .png): ", runs_chart_export, has_curve, 0},
    {0},
};

/* ---- the class ---- */

static void
plot_note(void *ctx, const char *text)
{
    struct view_runs *r = ctx;

    ui_message(r->view.ui, MESSAGE_WARN, "%s", text);
}

static struct view *
runs_open(struct ui *ui)
{
    struct view_runs *r = mem_new(sizeof *r);

    r->view.ui = ui;
    r->data = runs_data_new(ui_session(ui), data_changed, r);
    r->plotter = plotter_new(ui_loop(ui), plot_note, r);
    r->zoom_to = 1;
    runs_data_reload(r->data);
    return &r->view;
}

static void
runs_close(struct view *v)
{
    struct view_runs *r = runs_mine(v);

    runs_why_free(r);
    plotter_free(r->plotter);
    runs_data_free(r->data);
    plot_image_fini(&r->image);
    free(r->shown);
    free(r);
}

static void
runs_changed(struct view *v, unsigned topics)
{
    struct view_runs *r = runs_mine(v);

    if (topics & TOPIC_RUNS) {
        runs_data_reload(r->data);
        runs_ask_chart(r);
    }
}

static void
runs_shown(struct view *v, bool on)
{
    if (on)
        runs_ask_chart(runs_mine(v));
}

static bool
runs_show(struct view *v, const char *what, struct error *err)
{
    struct view_runs *r = runs_mine(v);

    r->filter[0] = '\0';
    snprintf(r->current, sizeof r->current, "%s", what);
    runs_rebuild(r);
    runs_data_reload(r->data);
    runs_ask_chart(r);
    (void)err;
    return true;
}

static void
runs_badge(struct view *v, struct buf *out)
{
    struct view_runs *r = runs_mine(v);
    size_t live = 0;

    for (size_t i = 0; i < runs_data_count(r->data); i++)
        live += runs_data_run(r->data, i)->state == RUN_RUNNING;
    if (live > 0)
        buf_printf(out, "●%zu", live);
}

static void
runs_subject(struct view *v, struct buf *out)
{
    const struct run *run = runs_at_cursor(runs_mine(v));

    if (run)
        buf_puts(out, run->name);
}

static bool
runs_copy(struct view *v, enum copy_what what, struct buf *out)
{
    struct view_runs *r = runs_mine(v);
    const struct run *run = runs_at_cursor(r);

    if (!run)
        return false;
    if (what == COPY_REFERENCE)
        buf_printf(out, "runs:/%s", run->id);
    else if (what == COPY_ROW)
        buf_printf(out, "%s\t%s\t%s\t%s\t%s", run->name, run->family,
                   run_state_word(run->state), run->metrics, run->params);
    else
        buf_puts(out, run->name);
    return true;
}

static bool
runs_search(struct view *v, const char *text, int dir)
{
    struct view_runs *r = runs_mine(v);

    for (size_t step = 1; step <= r->n_shown; step++) {
        size_t k =
            (r->list.at + (dir > 0 ? step : r->n_shown - step)) % r->n_shown;
        const struct run *run = runs_data_run(r->data, r->shown[k]);

        if (strcasestr(run->name, text) || strcasestr(run->family, text) ||
            strcasestr(run->params, text) || strcasestr(run->data, text)) {
            r->list.at = k;
            runs_moved(r);
            return true;
        }
    }
    return false;
}

static bool
runs_filter(struct view *v, const char *text, struct error *err)
{
    struct view_runs *r = runs_mine(v);

    (void)err;
    snprintf(r->filter, sizeof r->filter, "%s", text);
    runs_rebuild(r);
    return true;
}

static const char *
runs_filter_text(struct view *v)
{
    return runs_mine(v)->filter;
}

static bool
runs_action(struct view *v, const char *name, const struct view_call *call)
{
    struct view_runs *r = runs_mine(v);
    int n = call->count > 0 ? call->count : 1;
    double step = 1.0 / (r->want_w > 10 ? r->want_w * 2 : 20);

    if (!r->inspect || v->focus != RUNS_REGION_CHART)
        return false;
    if (strcmp(name, "left") == 0)
        r->inspect_at = fmax(0, r->inspect_at - step * n);
    else if (strcmp(name, "right") == 0)
        r->inspect_at = fmin(1, r->inspect_at + step * n);
    else if (strcmp(name, "line-start") == 0)
        r->inspect_at = 0;
    else if (strcmp(name, "line-end") == 0)
        r->inspect_at = 1;
    else
        return false;
    ui_touch(v->ui);
    return true;
}

static bool
runs_back(struct view *v)
{
    struct view_runs *r = runs_mine(v);

    if (r->inspect) {
        r->inspect = false;
        v->focus = RUNS_REGION_LIST;
        return true;
    }
    return runs_why_leave(r);
}

const struct view_class view_runs_class = {
    .name = "runs",
    .title = "Runs",
    .regions = regions,
    .actions = actions,
    .signs = signs,
    .open = runs_open,
    .close = runs_close,
    .layout = runs_layout,
    .placed = runs_placed,
    .has = runs_has,
    .context = runs_context,
    .changed = runs_changed,
    .shown = runs_shown,
    .show = runs_show,
    .action = runs_action,
    .badge = runs_badge,
    .subject = runs_subject,
    .copy = runs_copy,
    .search = runs_search,
    .suggest = runs_suggest,
    .filter = runs_filter,
    .filter_text = runs_filter_text,
    .back = runs_back,
};
