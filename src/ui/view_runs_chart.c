/* ui/view_runs_chart.c -- the curves of the lettered runs: which metric, its
 * axes, smoothing, zoom, inspection, export.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/task.h"
#include "ui/draw_plot.h"
#include "ui/ui.h"

enum { MAX_BASES = 64 };

/* ---- which metric ---- */

/* "valid.logloss" -> "logloss". */
const char *
runs_metric_base(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot ? dot + 1 : name;
}

/* The bases of the lettered runs' series, without repeats; borrowed until the
 * next runs_data_series(). */
static size_t
bases(struct view_runs *r, const char *out[MAX_BASES])
{
    size_t n = 0;

    for (size_t k = 0; k <= r->n_overlay; k++) {
        size_t i = runs_lettered(r, k);
        const struct series_list *l =
            i == SIZE_MAX
                ? NULL
                : runs_data_series(r->data, runs_data_run(r->data, i)->id);

        for (size_t s = 0; l && s < l->n && n < MAX_BASES; s++) {
            const char *b = runs_metric_base(l->series[s].name);
            size_t j = 0;

            while (j < n && strcmp(out[j], b) != 0)
                j++;
            if (j == n)
                out[n++] = b;
        }
    }
    return n;
}

/* A copy: the curves of a live run are replaced when they are next asked for,
 * and their names with them. */
static void
chosen_base(struct view_runs *r, char out[RUNS_NAME_MAX])
{
    const char *b[MAX_BASES], *base = "";
    size_t n = bases(r, b);

    if (n > 0)
        base = b[0];
    for (size_t i = 0; i < n; i++)
        if (strcmp(b[i], r->base) == 0)
            base = b[i];
    snprintf(out, RUNS_NAME_MAX, "%s", base);
}

/* ---- the chart ---- */

/* Series of one spec: scratch that dies when the request is copied. */
struct lines {
    struct plot_series series[15];
    char label[15][48];
    size_t n;
};

/* Exponential moving average, bias-corrected, over the full data. */
static void
smooth_series(double *y, size_t n, double weight)
{
    double mean = 0, power = 1;

    if (weight <= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(y[i]))
            continue;
        mean = weight * mean + (1 - weight) * y[i];
        power *= weight;
        y[i] = mean / (1 - power);
    }
}

static double
x_of(const struct series *s, size_t i, enum runs_x kind)
{
    if (kind == RUNS_X_STEP)
        return (double)s->step[i];
    if (kind == RUNS_X_RELATIVE)
        return (double)(s->time_ms[i] - s->time_ms[0]) / 1000.0;
    return (double)(s->time_ms[i] % 86400000) / 3600000.0;
}

static void
add_line(struct view_runs *r, struct lines *l, const struct series *s, int ink,
         const char *name, bool raw)
{
    char last[STR_F64_MAX];
    double *x, *y;

    if (!s || s->n == 0 || l->n == 15)
        return;
    x = mem_new(s->n * sizeof *x);
    y = mem_new(s->n * sizeof *y);
    for (size_t i = 0; i < s->n; i++) {
        x[i] = x_of(s, i, r->x);
        y[i] = s->value[i];
    }
    if (!raw)
        smooth_series(y, s->n, r->smooth);
    if (name) {
        str_from_number(s->value[s->n - 1], 4, last);
        snprintf(l->label[l->n], sizeof l->label[0], "%s %s", name, last);
    }
    l->series[l->n] =
        (struct plot_series){.x = x,
                             .y = y,
                             .n = s->n,
                             .ink = ink,
                             .label = name ? l->label[l->n] : NULL};
    l->n++;
}

static void
add_run(struct view_runs *r, struct lines *l, size_t letter, const char *base)
{
    size_t i = runs_lettered(r, letter);
    const struct series_list *all;
    char name[RUNS_NAME_MAX + 8], word[16];
    bool alone = r->n_overlay == 0;
    const struct series *valid, *train;

    if (i == SIZE_MAX)
        return;
    all = runs_data_series(r->data, runs_data_run(r->data, i)->id);
    if (!all)
        return;
    snprintf(name, sizeof name, "valid.%s", base);
    valid = series_by_name(all, name);
    snprintf(name, sizeof name, "train.%s", base);
    train = series_by_name(all, name);
    if (!valid && !train)
        valid = series_by_name(all, base);
    snprintf(word, sizeof word, "%c", (char)('a' + letter));
    if (r->smooth > 0)
        add_line(r, l, valid ? valid : train, DRAW_PLOT_FAINT + 1 + (int)letter,
                 NULL, true);
    if (alone && train && valid)
        add_line(r, l, train, 2, "train", false);
    add_line(r, l, valid ? valid : train, alone ? 1 : 1 + (int)letter,
             alone && train && valid ? "valid" : word, false);
}

static void
lines_fini(struct lines *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free((void *)(uintptr_t)l->series[i].x);
        free((void *)(uintptr_t)l->series[i].y);
    }
}

/* The x range of what is drawn. */
static bool
x_range(const struct lines *l, double out[2])
{
    out[0] = INFINITY;
    out[1] = -INFINITY;
    for (size_t i = 0; i < l->n; i++) {
        out[0] = fmin(out[0], l->series[i].x[0]);
        out[1] = fmax(out[1], l->series[i].x[l->series[i].n - 1]);
    }
    return out[1] >= out[0];
}

static void
make_spec(struct view_runs *r, struct lines *l, struct plot_spec *spec)
{
    char base[RUNS_NAME_MAX];
    double range[2];

    chosen_base(r, base);
    l->n = 0;
    for (size_t k = r->n_overlay + 1; k-- > 0;)
        add_run(r, l, k, base);
    *spec = plot_spec_of(l->series, l->n, r->want_w, r->want_h);
    spec->log_x = r->axis == RUNS_AXIS_LOG_X || r->axis == RUNS_AXIS_LOG_LOG;
    spec->log_y = r->axis == RUNS_AXIS_LOG_Y || r->axis == RUNS_AXIS_LOG_LOG;
    if ((r->zoom_from > 0 || r->zoom_to < 1) && x_range(l, range)) {
        double w = range[1] - range[0];

        spec->x_min = range[0] + r->zoom_from * w;
        spec->x_max = range[0] + r->zoom_to * w;
    }
}

static void
chart_done(void *ctx, const struct plot_image *im)
{
    struct view_runs *r = ctx;

    plot_image_copy(&r->image, im);
    ui_touch(r->view.ui);
}

void
runs_ask_chart(struct view_runs *r)
{
    struct lines l;
    struct plot_spec spec;

    if (r->want_w < 10 || r->want_h < 4 || !ui_visible(r->view.ui, &r->view))
        return;
    make_spec(r, &l, &spec);
    plotter_request(r->plotter, &spec, chart_done, r);
    lines_fini(&l);
}

static void
draw_inspect(struct view_runs *r, const struct canvas *c)
{
    struct lines l;
    struct plot_spec spec;
    double range[2], x;
    char text[STR_F64_MAX];
    int at = 0;

    make_spec(r, &l, &spec);
    if (x_range(&l, range)) {
        if (!isnan(spec.x_min)) {
            range[0] = spec.x_min;
            range[1] = spec.x_max;
        }
        x = range[0] + r->inspect_at * (range[1] - range[0]);
        str_from_number(x, 6, text);
        at = draw_printf(c, 0, c->h - 1, ROLE_ACCENT, "x %s ", text);
        for (size_t i = 0; i < l.n; i++) {
            const struct plot_series *s = &l.series[i];
            size_t k = 0;

            if (!s->label)
                continue;
            while (k + 1 < s->n && s->x[k + 1] <= x)
                k++;
            str_from_number(s->y[k], 5, text);
            at =
                draw_printf(c, at, c->h - 1, draw_plot_role(s->ink), " %.*s %s",
                            (int)strcspn(s->label, " "), s->label, text);
        }
    }
    lines_fini(&l);
}

void
runs_chart_draw(struct view *v, const struct canvas *c)
{
    struct view_runs *r = runs_mine(v);

    if (r->n_shown == 0) {
        draw_text(c, 1, c->h / 2, ROLE_DIM, "curves of the runs come here");
        return;
    }
    draw_plot(c, 0, 0, &r->image, 0, c->h - (r->inspect ? 1 : 0));
    if (r->inspect)
        draw_inspect(r, c);
}

static const char *const x_words[] = {"step", "seconds", "hour"};

void
runs_chart_title(struct view *v, struct buf *left, struct buf *right)
{
    static const char *const axes[] = {"linear", "log y", "log x", "log-log"};
    struct view_runs *r = runs_mine(v);
    char base[RUNS_NAME_MAX];

    chosen_base(r, base);
    buf_puts(left, base[0] ? base : "curves");
    buf_printf(right, "%s · x=%s", axes[r->axis], x_words[r->x]);
    if (r->smooth > 0)
        buf_printf(right, " · smooth %.2g", r->smooth);
    if (r->zoom_from > 0 || r->zoom_to < 1)
        buf_puts(right, " · zoomed");
}

void
runs_chart_axis(struct view *v, const struct view_call *call)
{
    struct view_runs *r = runs_mine(v);

    (void)call;
    r->axis = (enum runs_axis)((r->axis + 1) % RUNS_AXIS_COUNT);
    runs_ask_chart(r);
}

void
runs_chart_x(struct view *v, const struct view_call *call)
{
    struct view_runs *r = runs_mine(v);

    (void)call;
    r->x = (enum runs_x)((r->x + 1) % RUNS_X_COUNT);
    runs_ask_chart(r);
}

void
runs_chart_metric(struct view *v, const struct view_call *call)
{
    struct view_runs *r = runs_mine(v);
    const char *b[MAX_BASES];
    char now[RUNS_NAME_MAX];
    size_t n;

    (void)call;
    chosen_base(r, now);
    n = bases(r, b);
    for (size_t i = 0; i < n; i++)
        if (strcmp(b[i], now) == 0) {
            snprintf(r->base, sizeof r->base, "%s", b[(i + 1) % n]);
            break;
        }
    runs_ask_chart(r);
}

static void
set_smooth(struct view_runs *r, double value)
{
    r->smooth = value < 0.05 ? 0 : value > 0.99 ? 0.99 : value;
    runs_ask_chart(r);
    ui_touch(r->view.ui);
}

void
runs_chart_smoother(struct view *v, const struct view_call *call)
{
    (void)call;
    set_smooth(runs_mine(v),
               runs_mine(v)->smooth < 0.9 ? runs_mine(v)->smooth + 0.1 : 0.97);
}

void
runs_chart_rougher(struct view *v, const struct view_call *call)
{
    (void)call;
    set_smooth(runs_mine(v),
               runs_mine(v)->smooth > 0.9 ? 0.9 : runs_mine(v)->smooth - 0.1);
}

void
runs_chart_smooth(struct view *v, const struct view_call *call)
{
    double x;

    if (!call->arg || !str_to_f64(str_trim(str_of(call->arg)), &x) || x < 0 ||
        x > 0.99)
        ui_message(v->ui, MESSAGE_ERROR, "smoothing is 0 to 0.99");
    else
        set_smooth(runs_mine(v), x);
}

static void
zoom_by(struct view_runs *r, double factor)
{
    double at = r->inspect
                    ? r->zoom_from + r->inspect_at * (r->zoom_to - r->zoom_from)
                    : r->zoom_to;
    double w = (r->zoom_to - r->zoom_from) * factor;

    w = w > 1 ? 1 : w < 0.01 ? 0.01 : w;
    r->zoom_from = at - w * (r->inspect ? 0.5 : 1);
    if (r->zoom_from < 0)
        r->zoom_from = 0;
    if (r->zoom_from + w > 1)
        r->zoom_from = 1 - w;
    r->zoom_to = r->zoom_from + w;
    runs_ask_chart(r);
}

void
runs_chart_zoom_in(struct view *v, const struct view_call *call)
{
    (void)call;
    zoom_by(runs_mine(v), 0.5);
}

void
runs_chart_zoom_out(struct view *v, const struct view_call *call)
{
    (void)call;
    zoom_by(runs_mine(v), 2);
}

void
runs_chart_zoom_reset(struct view *v, const struct view_call *call)
{
    (void)call;
    runs_mine(v)->zoom_from = 0;
    runs_mine(v)->zoom_to = 1;
    runs_ask_chart(runs_mine(v));
}

void
runs_chart_inspect(struct view *v, const struct view_call *call)
{
    struct view_runs *r = runs_mine(v);

    (void)call;
    r->inspect = !r->inspect;
    r->inspect_at = 1;
    if (r->inspect)
        v->focus = RUNS_REGION_CHART;
    ui_touch(v->ui);
}

/* ---- export ---- */

struct export
{
    struct lines lines;
    struct plot_spec spec;
    const char *names[15];
    const char *x; /* what is along the axis */
    char path[512], title[RUNS_NAME_MAX];
};

static bool
run_export(struct task *t, void *ctx, struct error *err)
{
    struct export *e = ctx;
    const struct plot_words words = {
        .title = e->title, .x = e->x, .names = e->names};

    (void)t;
    return plot_export(&e->spec, &words, e->path, err);
}

static void
export_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct export *e = ctx;

    session_message(task_session(t), ok ? MESSAGE_INFO : MESSAGE_ERROR,
                    ok ? "wrote %s" : "%s", ok ? e->path : err->message);
    lines_fini(&e->lines);
    free(e);
}

void
runs_chart_export(struct view *v, const struct view_call *call)
{
    struct view_runs *r = runs_mine(v);
    struct export *e;

    if (!call->arg || !call->arg[0])
        return;
    e = mem_new(sizeof *e);
    make_spec(r, &e->lines, &e->spec);
    e->spec.series = e->lines.series;
    for (size_t i = 0; i < e->lines.n; i++)
        e->names[i] = e->lines.series[i].label ? e->lines.series[i].label : "";
    snprintf(e->path, sizeof e->path, "%s", call->arg);
    chosen_base(r, e->title);
    e->x = x_words[r->x];
    task_start(ui_session(v->ui),
               &(struct task_spec){.title = "export the chart",
                                   .run = run_export,
                                   .done = export_done,
                                   .ctx = e});
}
