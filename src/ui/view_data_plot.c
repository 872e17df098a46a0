/* ui/view_data_plot.c -- charts of the table at hand in place of its rows: how
 * the column under the cursor is distributed, or how two lie to each other.
 *
 * What is drawn follows the cursor: the layout asks for another chart when the
 * column, the rows or the room have changed.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "session/figure.h"
#include "ui/draw_plot.h"
#include "ui/tether.h"
#include "ui/ui.h"

enum plot_axis { AXIS_LINEAR, AXIS_LOG_Y, AXIS_LOG_X, AXIS_LOG_LOG, AXIS_N };

/* What a chart is of: another one is wanted when it changes. */
struct subject {
    char table[256], x[128], y[128], by[128];
    uint64_t version;
    size_t bins;
    enum plot_axis axis;
    double x_min, x_max;
};

struct data_plot {
    struct view_data *d;
    struct plotter *plotter;
    struct plot_image image;
    struct figure figure;
    bool on, by_class, there; /* there: the figure is of `shown` */
    bool leave;               /* q goes back to the relations, too */
    struct subject wanted, shown;
    char y[128];        /* "": the distribution */
    char trouble[1024]; /* in place of the chart */
    struct task *task;  /* under way, or NULL */
    size_t bins;        /* 0: as many as suit */
    enum plot_axis axis;
    double low, high;   /* of all of x, when it was last whole */
    double from, to;    /* the part that shows, 0 and 1: all */
    int want_w, want_h; /* cells of the chart */
};

static void
say_note(void *ctx, const char *text)
{
    struct view_data *d = ctx;

    ui_message(d->view.ui, MESSAGE_INFO, "%s", text);
}

struct data_plot *
data_plot_new(struct view_data *d)
{
    struct data_plot *p = mem_new(sizeof *p);

    p->d = d;
    p->plotter = plotter_new(ui_loop(d->view.ui), say_note, d);
    p->to = 1;
    return p;
}

void
data_plot_free(struct data_plot *p)
{
    plotter_free(p->plotter);
    plot_image_fini(&p->image);
    figure_fini(&p->figure);
    free(p);
}

bool
data_plot_on(const struct view_data *d)
{
    return d->plot->on;
}

/* ---- asking ---- */

static void
image_done(void *ctx, const struct plot_image *im)
{
    struct data_plot *p = ctx;

    plot_image_copy(&p->image, im);
    ui_answer(p->d->view.ui);
}

/* Draw the figure anew, in the room there is. */
static void
ask_image(struct data_plot *p)
{
    struct figure_chart c;

    if (!p->there || p->trouble[0])
        return;
    if (figure_chart(&p->figure, p->want_w, p->want_h, PLOT_BRAILLE, &c))
        plotter_request(p->plotter, &c.spec, image_done, p);
    else
        plot_image_fini(&p->image);
    figure_chart_fini(&c);
}

struct drawing {
    struct tether *view;
    struct shown of;
    struct subject subject;
    struct figure made;
};

static bool
run_figure(struct task *t, void *ctx, struct error *err)
{
    struct drawing *w = ctx;
    const struct subject *s = &w->subject;
    struct pool *pool = session_pool(task_session(t));
    const struct figure_options o = {
        .x = s->x,
        .y = s->y[0] ? s->y : NULL,
        .by = s->by[0] ? s->by : NULL,
        .bins = s->bins,
        .log_x = s->axis == AXIS_LOG_X || s->axis == AXIS_LOG_LOG,
        .log_y = s->axis == AXIS_LOG_Y || s->axis == AXIS_LOG_LOG,
        .x_min = s->x_min,
        .x_max = s->x_max};
    const char *names[4] = {s->x, NULL, NULL, NULL};
    struct frame *some, *f = NULL;
    size_t n = 1, col[3];
    bool ok = true;

    /* The columns alone need be gathered. */
    for (int i = 0; i < 2; i++) {
        const char *name = i ? s->by : s->y;
        bool again = false;

        for (size_t k = 0; k < n; k++)
            again = again || strcmp(names[k], name) == 0;
        if (name[0] && !again)
            names[n++] = name;
    }
    for (size_t i = 0; ok && i < n; i++)
        ok = frame_need(w->of.frame, names[i], &col[i], err);
    some = ok ? frame_select(w->of.frame, col, n, err) : NULL;
    if (some) {
        struct shown one = {.frame = some, .rows = w->of.rows};

        f = shown_gather(&one, pool, err);
    }
    ok = f && progress_check(task_progress(t), err) &&
         figure_make(f, &o, pool, &w->made, err);
    frame_unref(f);
    frame_unref(some);
    return ok;
}

static void
figure_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct drawing *w = ctx;
    struct view_data *d = tether_end(w->view);
    struct data_plot *p = d ? d->plot : NULL;

    (void)t;
    if (p)
        p->task = NULL;
    if (p && (ok || err->code != ERR_CANCELLED)) {
        figure_fini(&p->figure);
        p->figure = w->made;
        w->made = (struct figure){0};
        p->shown = w->subject;
        p->there = true;
        snprintf(p->trouble, sizeof p->trouble, "%s", ok ? "" : err->message);
        if (ok && isnan(w->subject.x_min)) {
            p->low = p->figure.low;
            p->high = p->figure.high;
        }
        ask_image(p);
        ui_answer(d->view.ui);
    }
    figure_fini(&w->made);
    shown_fini(&w->of);
    free(w);
}

static double
part_of(const struct data_plot *p, double f)
{
    return p->axis == AXIS_LOG_X || p->axis == AXIS_LOG_LOG
               ? p->low * pow(p->high / p->low, f)
               : p->low + f * (p->high - p->low);
}

static struct subject
subject_of(const struct data_plot *p, const struct table *t)
{
    struct subject s = {0};

    snprintf(s.table, sizeof s.table, "%s", t->name);
    snprintf(s.x, sizeof s.x, "%s", data_column_name(p->d));
    snprintf(s.y, sizeof s.y, "%s", p->y);
    if (p->by_class && t->target)
        snprintf(s.by, sizeof s.by, "%s", t->target);
    s.version = t->version;
    s.bins = p->bins;
    s.axis = p->axis;
    s.x_min = s.x_max = NAN;
    if (p->from > 0 || p->to < 1) {
        s.x_min = part_of(p, p->from);
        s.x_max = part_of(p, p->to);
    }
    return s;
}

static bool
same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool
same_subject(const struct subject *a, const struct subject *b)
{
    return a->version == b->version && a->bins == b->bins &&
           a->axis == b->axis && same_number(a->x_min, b->x_min) &&
           same_number(a->x_max, b->x_max) && strcmp(a->x, b->x) == 0 &&
           strcmp(a->y, b->y) == 0 && strcmp(a->by, b->by) == 0 &&
           strcmp(a->table, b->table) == 0;
}

/* Ask for a figure when another one is wanted; one that is under way is then of
 * no use. */
static void
ask_figure(struct data_plot *p)
{
    struct table *t = data_whole_table(p->d);
    struct drawing *w;
    struct subject s;

    if (!t)
        return;
    s = subject_of(p, t);
    if (same_subject(&s, &p->wanted))
        return;
    if (strcmp(s.x, p->wanted.x) != 0 ||
        strcmp(s.table, p->wanted.table) != 0) {
        p->from = 0;
        p->to = 1;
        s = subject_of(p, t);
    }
    if (p->task) {
        task_cancel(p->task);
        p->task = NULL;
    }
    p->wanted = s;
    w = mem_new(sizeof *w);
    w->view = tether_hold(p->d->tether);
    w->of = (struct shown){frame_ref(t->all), frame_ref(t->frame),
                           rowset_ref(t->rows)};
    w->subject = s;
    p->task =
        task_start(data_session(p->d), &(struct task_spec){.title = "chart",
                                                           .run = run_figure,
                                                           .done = figure_done,
                                                           .ctx = w,
                                                           .of = {w->of.all},
                                                           .quiet = true});
}

void
data_plot_placed(struct view_data *d, struct rect r)
{
    struct data_plot *p = d->plot;
    int w = r.w - 2, h = r.h - 1 - (p->by_class ? 1 : 0);

    if (!p->on || r.w <= 0)
        return;
    ask_figure(p);
    if (w != p->want_w || h != p->want_h) {
        p->want_w = w;
        p->want_h = h;
        ask_image(p);
    }
}

/* ---- drawing ---- */

/* "a No 5,174   b Yes 1,869" */
static void
draw_legend(const struct figure *s, const struct canvas *c)
{
    int x = 1;

    for (size_t i = 0; i < s->n_classes && x < c->w - 4; i++) {
        char n[STR_F64_MAX];

        str_from_count(s->class[i].rows, n);
        x = draw_printf(c, x, 0, draw_plot_role((int)i + 1) | DRAW_BOLD, "%c ",
                        (char)('a' + i));
        x = draw_text(c, x, 0, ROLE_TEXT, s->class[i].name);
        x = draw_printf(c, x, 0, ROLE_DIM, " %s", n) + 3;
    }
}

/* Texts: a bar for each of the most frequent. */
static void
draw_values(const struct frame *f, const struct canvas *c)
{
    const struct column *value = frame_column(f, 0);
    const int64_t *count = column_int64s(frame_column(f, 1));
    size_t n = frame_rows(f), rows = 0;
    int w = c->w > 60 ? 24 : c->w / 3, bar = c->w - w - 22;
    double most = n ? (double)count[0] : 1;
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < n; i++)
        most = fmax(most, (double)count[i]);
    for (int y = 0; y < c->h && (size_t)y < n; y++, rows++) {
        char text[STR_F64_MAX];
        bool here = column_is_valid(value, (size_t)y);

        if (y == c->h - 1 && (size_t)y + 1 < n) {
            str_from_count(n - (size_t)y, text);
            draw_printf(c, 1, y, ROLE_DIM, "and %s more values; F lists them",
                        text);
            break;
        }
        buf_clear(&b);
        column_print(value, (size_t)y, &b);
        draw_fit(c, 1, y, w, here ? ROLE_TEXT : ROLE_NULL, DRAW_LEFT,
                 here ? (struct str){b.data, b.len} : STR("∅ missing"));
        str_from_count((uint64_t)count[y], text);
        draw_fit(c, w + 1, y, 10, ROLE_TEXT, DRAW_RIGHT, str_of(text));
        snprintf(text, sizeof text, "%.1f%%",
                 100 * column_number(frame_column(f, 2), (size_t)y));
        draw_fit(c, w + 11, y, 8, ROLE_DIM, DRAW_RIGHT, str_of(text));
        if (bar > 0)
            draw_hbar(c, w + 20, y, bar, ROLE_SERIES_0,
                      (double)count[y] / most);
    }
    buf_fini(&b);
}

/* Why there is nothing: a sentence, and the next key. */
static void
draw_words(const struct data_plot *p, const struct canvas *c)
{
    struct rect r = {1, 1, c->w - 2, c->h - 2};

    if (!p->there) {
        draw_text(c, 1, 1, ROLE_DIM, "drawing…");
        return;
    }
    if (p->trouble[0]) {
        r.y += draw_wrap(c, r, ROLE_WARN, str_of(p->trouble)) + 1;
        draw_markup(c, 1, r.y, ROLE_DIM,
                    p->by_class ? "<c> leaves the classes out, <q> goes back"
                                : "<h> <l> take another column, <q> goes back");
        return;
    }
    draw_printf(
        c, 1, 1, ROLE_TEXT, "%s has no value that can be drawn%s.", p->figure.x,
        p->figure.log_x || p->figure.log_y ? " on a logarithmic axis" : "");
    draw_markup(c, 1, 3, ROLE_DIM,
                "<a> changes the axes, <h> <l> take another column, <q> goes "
                "back");
}

void
data_plot_draw(struct view *v, const struct canvas *c)
{
    struct data_plot *p = data_mine(v)->plot;
    int top = 0;

    if (p->there && !p->trouble[0] && p->figure.values) {
        draw_values(p->figure.values, c);
        return;
    }
    if (p->there && !p->trouble[0] && p->figure.by[0]) {
        draw_legend(&p->figure, c);
        top = 1;
    }
    if (!p->there || p->trouble[0] || p->figure.low > p->figure.high)
        draw_words(p, c);
    else
        draw_plot(c, 0, top, &p->image, 0, c->h - top);
}

/* "tenure → · fee ↑ · by churn · filter fee > 3 · log y" */
static void
say_subject(struct view_data *d, struct buf *out)
{
    static const char *const axes[] = {"", " · log y", " · log x",
                                       " · log-log"};
    const struct data_plot *p = d->plot;
    const struct table *t = data_table(d);

    buf_puts(out, data_column_name(d));
    if (p->y[0])
        buf_printf(out, " → · %s ↑", p->y);
    if (p->there && p->figure.by[0])
        buf_printf(out, " · by %s", p->figure.by);
    if (t && t->steps->filter[0])
        buf_printf(out, " · filter %s", t->steps->filter);
    if (t && t->beyond) {
        buf_puts(out, " · ");
        data_beyond_words(t, out);
    }
    buf_puts(out, axes[p->axis]);
    if (p->from > 0 || p->to < 1)
        buf_puts(out, " · part");
}

void
data_plot_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_data *d = data_mine(v);
    const struct data_plot *p = d->plot;

    say_subject(d, left);
    if (p->task)
        buf_puts(right, "drawing…");
    else if (p->there && !p->trouble[0])
        figure_note(&p->figure, right);
    data_make_words(d, right);
}

/* ---- keys ---- */

static void
turn_on(struct view_data *d, const char *y)
{
    struct data_plot *p = d->plot;

    snprintf(p->y, sizeof p->y, "%s", y);
    if (!p->on)
        d->look->focus = d->view.focus;
    if (!p->on || !p->there) {
        p->wanted = (struct subject){0};
        p->there = false;
        p->from = 0;
        p->to = 1;
    }
    p->on = true;
    d->view.focus = DATA_REGION_PLOT;
    ui_touch(d->view.ui);
}

bool
data_plot_close(struct view_data *d)
{
    struct data_plot *p = d->plot;

    if (!p->on)
        return false;
    p->on = false;
    d->view.focus = d->look->focus;
    if (p->task)
        task_cancel(p->task);
    p->task = NULL;
    if (p->leave)
        data_leave_table(d);
    p->leave = false;
    ui_touch(d->view.ui);
    return true;
}

void
data_plot_histogram(struct view *v, const struct view_call *call)
{
    (void)call;
    if (data_whole_table(data_mine(v)))
        turn_on(data_mine(v), "");
}

void
data_plot_scatter(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct error err;
    size_t col;

    if (!t || !call->arg || !call->arg[0])
        return;
    if (!frame_need(t->frame, call->arg, &col, &err))
        ui_error(v->ui, &err);
    else
        turn_on(d, call->arg);
}

void
data_plot_suggest(struct view_data *d, struct buf *out)
{
    const struct frame *f = data_frame(d);
    size_t at = d->look->sheet.col;

    for (size_t i = 1; f && i < frame_cols(f); i++) {
        size_t k = (at + i) % frame_cols(f);
        enum col_type t = column_type(frame_column(f, k));

        if (t == COL_FLOAT64 || t == COL_INT64) {
            buf_puts(out, frame_name(f, k));
            return;
        }
    }
}

void
data_plot_relation(struct view_data *d, const struct table *relations,
                   struct table *parent)
{
    size_t row = sheet_at(&d->look->sheet), col = d->look->sheet.col;
    struct str name = column_text(frame_column(relations->base, 0), row);
    long x = frame_find(parent->frame, frame_name(relations->frame, col));
    char y[128];

    snprintf(y, sizeof y, "%.*s", (int)name.n, name.p);
    if (x < 0 || frame_find(parent->frame, y) < 0) {
        ui_message(d->view.ui, MESSAGE_INFO, "they do not show in %s now",
                   parent->name);
        return;
    }
    data_enter_table(d, parent);
    d->look->sheet.col = d->look->columns.at = (size_t)x;
    turn_on(d, strcmp(y, frame_name(parent->frame, (size_t)x)) == 0 ? "" : y);
    d->plot->leave = true;
}

void
data_plot_axis(struct view *v, const struct view_call *call)
{
    struct data_plot *p = data_mine(v)->plot;

    (void)call;
    p->axis = (enum plot_axis)((p->axis + 1) % AXIS_N);
    p->from = 0;
    p->to = 1;
    ui_touch(v->ui);
}

void
data_plot_classes(struct view *v, const struct view_call *call)
{
    struct data_plot *p = data_mine(v)->plot;
    const struct table *t = data_whole_table(data_mine(v));

    (void)call;
    if (t && !p->by_class && !t->target)
        ui_message(v->ui, MESSAGE_INFO,
                   "no column is the target: @ on one makes it the target, "
                   "and its classes are told apart");
    else if (t)
        p->by_class = !p->by_class;
    ui_touch(v->ui);
}

static void
change_bins(struct view *v, bool more)
{
    struct data_plot *p = data_mine(v)->plot;
    size_t now = p->bins ? p->bins : FIGURE_BINS;

    p->bins = more ? now * 2 : now / 2;
    p->bins = p->bins < 5 ? 5 : p->bins > 320 ? 320 : p->bins;
    ui_touch(v->ui);
}

void
data_plot_finer(struct view *v, const struct view_call *call)
{
    (void)call;
    change_bins(v, true);
}

void
data_plot_coarser(struct view *v, const struct view_call *call)
{
    (void)call;
    change_bins(v, false);
}

/* A part of the x axis of this width about the middle of what shows. */
static void
zoom_by(struct data_plot *p, double factor)
{
    double w = (p->to - p->from) * factor, middle = (p->from + p->to) / 2;

    w = fmin(1, fmax(w, 0.001));
    p->from = fmin(fmax(middle - w / 2, 0), 1 - w);
    p->to = w == 1 ? 1 : p->from + w;
    ui_touch(p->d->view.ui);
}

void
data_plot_zoom_in(struct view *v, const struct view_call *call)
{
    (void)call;
    zoom_by(data_mine(v)->plot, 0.5);
}

void
data_plot_zoom_out(struct view *v, const struct view_call *call)
{
    (void)call;
    zoom_by(data_mine(v)->plot, 2);
}

void
data_plot_zoom_reset(struct view *v, const struct view_call *call)
{
    (void)call;
    data_mine(v)->plot->from = 0;
    data_mine(v)->plot->to = 1;
    ui_touch(v->ui);
}

/* To the columns beside; within a part of the axis along it. */
bool
data_plot_action(struct view_data *d, const char *name, int count)
{
    struct data_plot *p = d->plot;
    bool part = p->from > 0 || p->to < 1;
    double w = p->to - p->from;
    int way = strcmp(name, "right") == 0 || strcmp(name, "down") == 0 ? 1
              : strcmp(name, "left") == 0 || strcmp(name, "up") == 0  ? -1
                                                                      : 0;

    if (!p->on || way == 0)
        return false;
    if (part && (name[0] == 'l' || name[0] == 'r')) {
        p->from = fmin(fmax(p->from + way * w / 4, 0), 1 - w);
        p->to = p->from + w;
    } else {
        sheet_action(&d->look->sheet, way > 0 ? "right" : "left", count);
        d->look->columns.at = d->look->sheet.col;
    }
    ui_touch(d->view.ui);
    return true;
}

/* ---- written to a file ---- */

struct exporting {
    struct figure figure;
    struct shown of;
    struct subject subject;
    char *path, *title;
};

static bool
run_export(struct task *t, void *ctx, struct error *err)
{
    struct exporting *e = ctx;
    struct drawing w = {.of = e->of, .subject = e->subject};
    bool ok = run_figure(t, &w, err);

    e->figure = w.made;
    return ok && figure_export(&e->figure, e->title, e->path, err);
}

static void
export_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct exporting *e = ctx;

    session_message(task_session(t), ok ? MESSAGE_INFO : MESSAGE_ERROR,
                    ok ? "wrote %s" : "%s", ok ? e->path : err->message);
    figure_fini(&e->figure);
    shown_fini(&e->of);
    free(e->path);
    free(e->title);
    free(e);
}

void
data_plot_export(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct exporting *e;
    struct buf title;

    if (!t || !call->arg || !call->arg[0])
        return;
    e = mem_new(sizeof *e);
    e->of = (struct shown){frame_ref(t->all), frame_ref(t->frame),
                           rowset_ref(t->rows)};
    e->subject = subject_of(d->plot, t);
    e->path = call->arg[0] == '/'
                  ? mem_text(call->arg)
                  : file_join(session_project(data_session(d)), call->arg);
    buf_init(&title);
    say_subject(d, &title);
    buf_printf(&title, " · %s", t->name);
    e->title = buf_take(&title);
    task_start(data_session(d), &(struct task_spec){.title = "write a chart",
                                                    .run = run_export,
                                                    .done = export_done,
                                                    .ctx = e,
                                                    .of = {e->of.all}});
}
