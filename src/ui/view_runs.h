/* ui/view_runs.h -- the Runs view: its state, and what its parts share.
 * Private to view_runs*.c.
 *
 * Letters name the runs on the chart: "a" is the run under the cursor, "b",
 * "c", ... those overlaid with Space, in the order they were chosen.  A line
 * ends in its letter and value, so no legend is looked up.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_VIEW_RUNS_H
#define LATHE_UI_VIEW_RUNS_H

#include "session/plot.h"
#include "ui/runs_data.h"
#include "ui/view.h"

enum { RUNS_MAX_OVERLAY = 6, RUNS_NAME_MAX = 64 };
enum runs_axis {
    RUNS_AXIS_LINEAR,
    RUNS_AXIS_LOG_Y,
    RUNS_AXIS_LOG_X,
    RUNS_AXIS_LOG_LOG,
    RUNS_AXIS_COUNT
};
enum runs_x { RUNS_X_STEP, RUNS_X_RELATIVE, RUNS_X_CLOCK, RUNS_X_COUNT };

struct view_runs {
    struct view view;
    struct runs_data *data;
    struct plotter *plotter;
    struct list list, compare;
    run_id current; /* follows its run when the list changes */
    run_id overlay[RUNS_MAX_OVERLAY];
    size_t n_overlay;
    bool pinned; /* "a" stays at `pin` when the cursor moves */
    run_id pin;
    char base[RUNS_NAME_MAX]; /* "logloss"; "": chosen by the run */
    char filter[128];
    size_t *shown; /* indices of the runs that pass the filter */
    size_t n_shown;
    enum runs_axis axis;
    enum runs_x x;
    double smooth;             /* 0..0.99 */
    double zoom_from, zoom_to; /* shares of the x range; 0..1: all */
    bool inspect;
    double inspect_at; /* share of the shown x range */
    struct plot_image image;
    int want_w, want_h;           /* cells of the chart now */
    char deleted[RUN_ID_LEN + 1]; /* for undo */
    struct runs_why *why;         /* NULL until it is asked for */
};

static inline struct view_runs *
runs_mine(struct view *v)
{
    return (struct view_runs *)v;
}

/* ---- view_runs.c ---- */
enum {
    RUNS_REGION_LIST,
    RUNS_REGION_DETAIL,
    RUNS_REGION_CHART,
    RUNS_REGION_COMPARE,
    RUNS_REGION_WHY,
    RUNS_REGION_EFFECT
};

/* ---- view_runs_list.c ---- */
/* Filter anew; the cursor stays with its run. */
void runs_rebuild(struct view_runs *r);
/* The cursor moved: the chart follows. */
void runs_moved(struct view_runs *r);
const struct run *runs_at_cursor(const struct view_runs *r); /* may be NULL */
/* Index of the run with letter a, b, ...; SIZE_MAX when there is none. */
size_t runs_lettered(const struct view_runs *r, size_t letter);
/* 0 for a, 1 for b, ...; -1: the run is not on the chart. */
int runs_letter_of(const struct view_runs *r, const char *id);
unsigned runs_state_style(enum run_state s);
const char *runs_state_sign(enum run_state s);
/* How long ago: "now", "5 min", "3 h". */
void runs_age(int64_t ms, char out[16]);
void runs_list_draw(struct view *v, const struct canvas *c);
void runs_list_title(struct view *v, struct buf *left, struct buf *right);
struct list *runs_list_of(struct view *v);

/* ---- view_runs_chart.c ---- */
void runs_ask_chart(struct view_runs *r);
/* "valid.logloss" -> "logloss". */
const char *runs_metric_base(const char *name);
void runs_chart_draw(struct view *v, const struct canvas *c);
void runs_chart_title(struct view *v, struct buf *left, struct buf *right);
void runs_chart_metric(struct view *v, const struct view_call *call);
void runs_chart_axis(struct view *v, const struct view_call *call);
void runs_chart_x(struct view *v, const struct view_call *call);
void runs_chart_smoother(struct view *v, const struct view_call *call);
void runs_chart_rougher(struct view *v, const struct view_call *call);
void runs_chart_smooth(struct view *v, const struct view_call *call);
void runs_chart_zoom_in(struct view *v, const struct view_call *call);
void runs_chart_zoom_out(struct view *v, const struct view_call *call);
void runs_chart_zoom_reset(struct view *v, const struct view_call *call);
void runs_chart_inspect(struct view *v, const struct view_call *call);
void runs_chart_export(struct view *v, const struct view_call *call);

/* ---- view_runs_card.c ---- */
void runs_card_draw(struct view *v, const struct canvas *c);
void runs_card_title(struct view *v, struct buf *left, struct buf *right);
/* A parameter or metric as it is shown. */
void runs_scalar_text(const struct json *v, struct buf *b);
/* Is this parameter of the run what its family has when nobody says? */
bool runs_is_default(const struct run *run, const struct json *value);

/* ---- view_runs_compare.c ---- */
void runs_compare_draw(struct view *v, const struct canvas *c);
struct list *runs_compare_of(struct view *v);

/* ---- view_runs_why*.c: in place of the chart and the comparison ---- */
void runs_why_open(struct view *v, const struct view_call *call);
void runs_why_by(struct view *v, const struct view_call *call);
bool runs_why_on(const struct view_runs *r);
bool runs_why_leave(struct view_runs *r); /* false: it is not on */
void runs_why_placed(struct view_runs *r);
void runs_why_free(struct view_runs *r);
void runs_why_draw(struct view *v, const struct canvas *c);
void runs_why_title(struct view *v, struct buf *left, struct buf *right);
struct list *runs_why_list(struct view *v);
void runs_effect_draw(struct view *v, const struct canvas *c);
void runs_effect_title(struct view *v, struct buf *left, struct buf *right);
#endif
