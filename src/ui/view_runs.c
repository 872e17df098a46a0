/* ui/view_runs.c -- runs: the list, one run in detail, its live curves, and
 * runs side by side.
 *
 * Letters name the runs on the chart: "a" is the run under the cursor, "b",
 * "c", ... those overlaid with Space, in the order they were chosen.  A line
 * ends in its letter and value, so no legend is looked up.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/plot.h"
#include "session/task.h"
#include "ui/runs_data.h"
#include "ui/ui.h"
#include "ui/view.h"

enum { REGION_LIST, REGION_DETAIL, REGION_CHART, REGION_COMPARE };
enum { MAX_OVERLAY = 6, MAX_BASES = 64, RAW_INK = 8, NAME_MAX_BYTES = 64 };
enum axis { AXIS_LINEAR, AXIS_LOG_Y, AXIS_LOG_X, AXIS_LOG_LOG, AXIS_COUNT };
enum x_kind { X_STEP, X_RELATIVE, X_CLOCK, X_COUNT };

struct view_runs {
    struct view view;
    struct runs_data *data;
    struct plotter *plotter;
    struct list list, compare;
    run_id current; /* follows its run when the list changes */
    run_id overlay[MAX_OVERLAY];
    size_t n_overlay;
    bool pinned; /* "a" stays at `pin` when the cursor moves */
    run_id pin;
    char base[NAME_MAX_BYTES]; /* "logloss"; "": chosen by the run */
    char filter[128];
    size_t *shown; /* indices of the runs that pass the filter */
    size_t n_shown;
    enum axis axis;
    enum x_kind x;
    double smooth;             /* 0..0.99 */
    double zoom_from, zoom_to; /* shares of the x range; 0..1: all */
    bool inspect;
    double inspect_at; /* share of the shown x range */
    struct plot_image image;
    int want_w, want_h;           /* cells of the chart now */
    bool asked;                   /* a frame is on its way */
    char deleted[RUN_ID_LEN + 1]; /* for undo */
};

static struct view_runs *
mine(struct view *v)
{
    return (struct view_runs *)v;
}

static void ask_chart(struct view_runs *r);

/* ---- which runs ---- */

static bool
passes(const struct view_runs *r, const struct run *run)
{
    return !r->filter[0] || strcasestr(run->name, r->filter) ||
           strcasestr(run->family, r->filter) ||
           strcasestr(run->data, r->filter) ||
           strcasestr(run_state_word(run->state), r->filter) ||
           strncmp(run->id, r->filter, strlen(r->filter)) == 0;
}

static void
rebuild(struct view_runs *r)
{
    size_t n = runs_data_count(r->data);

    free(r->shown);
    r->shown = mem_new((n + 1) * sizeof *r->shown);
    r->n_shown = 0;
    for (size_t i = 0; i < n; i++)
        if (passes(r, runs_data_run(r->data, i)))
            r->shown[r->n_shown++] = i;
    list_set(&r->list, r->n_shown);
    for (size_t k = 0; r->current[0] && k < r->n_shown; k++)
        if (strcmp(runs_data_run(r->data, r->shown[k])->id, r->current) == 0)
            r->list.at = k;
}

static const struct run *
run_at_cursor(const struct view_runs *r)
{
    return r->list.at < r->n_shown
               ? runs_data_run(r->data, r->shown[r->list.at])
               : NULL;
}

/* Index of the run with letter a, b, ...; SIZE_MAX when there is none. */
static size_t
lettered(const struct view_runs *r, size_t letter)
{
    const struct run *at = run_at_cursor(r);

    if (letter == 0)
        return r->pinned ? runs_data_find(r->data, r->pin)
               : at      ? r->shown[r->list.at]
                         : SIZE_MAX;
    return letter - 1 < r->n_overlay
               ? runs_data_find(r->data, r->overlay[letter - 1])
               : SIZE_MAX;
}

static int
letter_of(const struct view_runs *r, const char *id)
{
    for (size_t k = 0; k <= r->n_overlay; k++) {
        size_t i = lettered(r, k);

        if (i != SIZE_MAX && strcmp(runs_data_run(r->data, i)->id, id) == 0)
            return (int)k;
    }
    return -1;
}

static void
data_changed(void *ctx)
{
    struct view_runs *r = ctx;

    rebuild(r);
    ask_chart(r);
    ui_touch(r->view.ui);
}

static void
moved(struct view_runs *r)
{
    const struct run *at = run_at_cursor(r);

    if (at && strcmp(at->id, r->current) != 0) {
        memcpy(r->current, at->id, sizeof r->current);
        ask_chart(r);
    }
}

/* ---- which metric ---- */

/* "valid.logloss" -> "logloss". */
static const char *
base_of(const char *name)
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
        size_t i = lettered(r, k);
        const struct series_list *l =
            i == SIZE_MAX
                ? NULL
                : runs_data_series(r->data, runs_data_run(r->data, i)->id);

        for (size_t s = 0; l && s < l->n && n < MAX_BASES; s++) {
            const char *b = base_of(l->series[s].name);
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
chosen_base(struct view_runs *r, char out[NAME_MAX_BYTES])
{
    const char *b[MAX_BASES], *base = "";
    size_t n = bases(r, b);

    if (n > 0)
        base = b[0];
    for (size_t i = 0; i < n; i++)
        if (strcmp(b[i], r->base) == 0)
            base = b[i];
    snprintf(out, NAME_MAX_BYTES, "%s", base);
}

/* ---- the chart ---- */

/* Series of one spec: scratch that dies when the request is copied. */
struct lines {
    struct plot_series series[15];
    char label[15][32];
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
x_of(const struct series *s, size_t i, enum x_kind kind)
{
    if (kind == X_STEP)
        return (double)s->step[i];
    if (kind == X_RELATIVE)
        return (double)(s->time_ms[i] - s->time_ms[0]) / 1000.0;
    return (double)(s->time_ms[i] % 86400000) / 3600000.0;
}

static void
add_line(struct view_runs *r, struct lines *l, const struct series *s, int ink,
         const char *name, bool raw)
{
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
    if (name)
        snprintf(l->label[l->n], sizeof l->label[0], "%s %.4g", name,
                 s->value[s->n - 1]);
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
    size_t i = lettered(r, letter);
    const struct series_list *all;
    char name[NAME_MAX_BYTES + 8], word[16];
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
        add_line(r, l, valid ? valid : train, RAW_INK + 1 + (int)letter, NULL,
                 true);
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

/* A little room below and above the lines, or the axis would cover what lies
 * on it. */
static void
pad_y(const struct lines *l, struct plot_spec *spec)
{
    double lo = INFINITY, hi = -INFINITY;

    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k < l->series[i].n; k++)
            if (isfinite(l->series[i].y[k])) {
                lo = fmin(lo, l->series[i].y[k]);
                hi = fmax(hi, l->series[i].y[k]);
            }
    if (hi > lo) {
        spec->y_min = lo - 0.05 * (hi - lo);
        spec->y_max = hi + 0.05 * (hi - lo);
    }
}

static void
make_spec(struct view_runs *r, struct lines *l, struct plot_spec *spec)
{
    char base[NAME_MAX_BYTES];
    double range[2];

    chosen_base(r, base);
    l->n = 0;
    for (size_t k = r->n_overlay + 1; k-- > 0;)
        add_run(r, l, k, base);
    *spec = (struct plot_spec){
        .series = l->series,
        .n_series = l->n,
        .width = r->want_w,
        .height = r->want_h,
        .log_x = r->axis == AXIS_LOG_X || r->axis == AXIS_LOG_LOG,
        .log_y = r->axis == AXIS_LOG_Y || r->axis == AXIS_LOG_LOG,
        .x_min = NAN,
        .x_max = NAN,
        .y_min = NAN,
        .y_max = NAN};
    if ((r->zoom_from > 0 || r->zoom_to < 1) && x_range(l, range)) {
        double w = range[1] - range[0];

        spec->x_min = range[0] + r->zoom_from * w;
        spec->x_max = range[0] + r->zoom_to * w;
    } else if (!spec->log_y) {
        pad_y(l, spec);
    }
}

static void
chart_done(void *ctx, const struct plot_image *im)
{
    struct view_runs *r = ctx;
    size_t bytes = (size_t)im->width * (size_t)im->height * sizeof *im->cell;

    plot_image_fini(&r->image);
    r->image = *im;
    r->image.cell = mem_new(bytes);
    memcpy(r->image.cell, im->cell, bytes);
    r->asked = false;
    ui_touch(r->view.ui);
}

static void
ask_chart(struct view_runs *r)
{
    struct lines l;
    struct plot_spec spec;

    if (r->want_w < 10 || r->want_h < 4 || !ui_visible(r->view.ui, &r->view))
        return;
    make_spec(r, &l, &spec);
    r->asked = true;
    plotter_request(r->plotter, &spec, chart_done, r);
    lines_fini(&l);
}

static unsigned
ink_role(int ink)
{
    if (ink == INK_GRID || ink > RAW_INK)
        return ROLE_GRID;
    if (ink == INK_AXIS || ink == INK_TEXT)
        return ROLE_CHART;
    return ROLE_SERIES_0 + (unsigned)(ink - 1) % THEME_SERIES;
}

static void
draw_inspect(struct view_runs *r, const struct canvas *c)
{
    struct lines l;
    struct plot_spec spec;
    double range[2], x;
    int at = 0;

    make_spec(r, &l, &spec);
    if (x_range(&l, range)) {
        if (!isnan(spec.x_min)) {
            range[0] = spec.x_min;
            range[1] = spec.x_max;
        }
        x = range[0] + r->inspect_at * (range[1] - range[0]);
        at = draw_printf(c, 0, c->h - 1, ROLE_ACCENT, "x %.6g ", x);
        for (size_t i = 0; i < l.n; i++) {
            const struct plot_series *s = &l.series[i];
            size_t k = 0;

            if (!s->label)
                continue;
            while (k + 1 < s->n && s->x[k + 1] <= x)
                k++;
            at = draw_printf(c, at, c->h - 1, ink_role(s->ink), " %.*s %.5g",
                             (int)strcspn(s->label, " "), s->label, s->y[k]);
        }
    }
    lines_fini(&l);
}

static void
chart_draw(struct view *v, const struct canvas *c)
{
    struct view_runs *r = mine(v);
    const struct plot_image *im = &r->image;
    int h = c->h - (r->inspect ? 1 : 0);

    if (r->n_shown == 0) {
        draw_text(c, 1, c->h / 2, ROLE_DIM, "curves of the runs come here");
        return;
    }
    for (int y = 0; y < im->height && y < h; y++)
        for (int x = 0; x < im->width && x < c->w; x++) {
            const struct plot_cell *cell = plot_image_at(im, x, y);

            if (cell->cp)
                draw_cp(c, x, y, ink_role(cell->ink), cell->cp);
        }
    if (r->inspect)
        draw_inspect(r, c);
}

static void
chart_title(struct view *v, struct buf *left, struct buf *right)
{
    static const char *const axes[] = {"linear", "log y", "log x", "log-log"};
    static const char *const xs[] = {"step", "seconds", "hour"};
    struct view_runs *r = mine(v);
    char base[NAME_MAX_BYTES];

    chosen_base(r, base);
    buf_puts(left, base[0] ? base : "curves");
    buf_printf(right, "%s · x=%s", axes[r->axis], xs[r->x]);
    if (r->smooth > 0)
        buf_printf(right, " · smooth %.2g", r->smooth);
    if (r->zoom_from > 0 || r->zoom_to < 1)
        buf_puts(right, " · zoomed");
}

/* ---- the list ---- */

static unsigned
state_style(enum run_state s)
{
    switch (s) {
    case RUN_RUNNING:
        return ROLE_INFO;
    case RUN_DONE:
        return ROLE_OK;
    case RUN_FAILED:
    case RUN_LOST:
        return ROLE_ERROR;
    default:
        return ROLE_DIM;
    }
}

static const char *
state_sign(enum run_state s)
{
    static const char *const signs[] = {"●", "✓", "✗", "○", "✗"};

    return signs[s];
}

static void
age(int64_t ms, char out[16])
{
    int64_t s = (loop_wall_ms() - ms) / 1000;

    if (s < 60)
        snprintf(out, 16, "now");
    else if (s < 3600)
        snprintf(out, 16, "%lld min", (long long)(s / 60));
    else if (s < 86400)
        snprintf(out, 16, "%lld h", (long long)(s / 3600));
    else
        snprintf(out, 16, "%lld d", (long long)(s / 86400));
}

static void
draw_row(struct view_runs *r, const struct canvas *c, int y, size_t k)
{
    size_t i = r->shown[k];
    const struct run *run = runs_data_run(r->data, i);
    int letter = letter_of(r, run->id);
    int right = c->w - 1, name_w;
    const char *metric;
    char when[16];
    double value;

    draw_text(c, 0, y, state_style(run->state), state_sign(run->state));
    if (letter >= 0)
        draw_cp(c, 1, y,
                (ROLE_SERIES_0 + (unsigned)letter % THEME_SERIES) | DRAW_BOLD,
                (uint32_t)('a' + letter));
    if (right > 50) {
        age(run->start_ms, when);
        right -= 9;
        draw_fit(c, right + 1, y, 8, ROLE_DIM, DRAW_RIGHT, str_of(when));
    }
    if (runs_data_headline(r->data, i, &metric, &value)) {
        char text[48];

        snprintf(text, sizeof text, "%s %.4f", base_of(metric), value);
        right -= 16;
        draw_fit(c, right, y, 16, ROLE_TEXT, DRAW_RIGHT, str_of(text));
    } else {
        right -= 10;
        draw_fit(c, right, y, 10, state_style(run->state), DRAW_RIGHT,
                 str_of(run_state_word(run->state)));
    }
    name_w = right - 4;
    if (name_w > 24) {
        draw_fit(c, 3 + name_w - 9, y, 9, ROLE_DIM, DRAW_LEFT,
                 str_of(run->family));
        name_w -= 10;
    }
    draw_fit(c, 3, y, name_w > 0 ? name_w : 0, ROLE_TEXT, DRAW_LEFT,
             str_of(run->name));
}

static void
draw_empty(struct view_runs *r, const struct canvas *c)
{
    if (!runs_data_loaded(r->data)) {
        draw_text(c, 1, 1, ROLE_DIM, "loading…");
    } else if (runs_data_error(r->data)[0]) {
        draw_wrap(c, (struct rect){1, 1, c->w - 2, c->h - 1}, ROLE_ERROR,
                  str_of(runs_data_error(r->data)));
    } else if (r->filter[0]) {
        draw_text(c, 1, 1, ROLE_TEXT, "No run matches the filter.");
        draw_markup(c, 1, 2, ROLE_DIM, "<f> changes it, <u> takes it back");
    } else {
        draw_text(c, 1, 1, ROLE_TEXT, "No runs yet.");
        draw_markup(c, 1, 3, ROLE_DIM, "<2> then <r> runs a cell that fits");
        draw_markup(c, 1, 4, ROLE_DIM, "or  lathe train DATA --target y");
    }
}

static void
list_draw(struct view *v, const struct canvas *c)
{
    struct view_runs *r = mine(v);

    if (r->n_shown == 0) {
        draw_empty(r, c);
        return;
    }
    moved(r);
    list_show(&r->list, (size_t)c->h);
    for (int y = 0; y < c->h && r->list.top + (size_t)y < r->n_shown; y++) {
        size_t k = r->list.top + (size_t)y;

        draw_row(r, c, y, k);
        if (k == r->list.at) {
            draw_select(c, (struct rect){0, y, c->w - 17, 1});
        }
    }
    draw_scrollbar(c, c->w - 1, 0, c->h, r->list.top, (size_t)c->h, r->n_shown);
}

static void
list_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_runs *r = mine(v);
    size_t live = 0;

    for (size_t i = 0; i < runs_data_count(r->data); i++)
        live += runs_data_run(r->data, i)->state == RUN_RUNNING;
    buf_printf(left, "Runs %zu", runs_data_count(r->data));
    if (live > 0)
        buf_printf(left, " (%zu live)", live);
    if (r->filter[0])
        buf_printf(right, "filter: %s · %zu", r->filter, r->n_shown);
}

/* ---- one run ---- */

static int
draw_pair(const struct canvas *c, int y, const char *name, const char *value)
{
    if (y >= c->h || !value[0])
        return y;
    draw_fit(c, 1, y, 9, ROLE_DIM, DRAW_LEFT, str_of(name));
    draw_fit(c, 10, y, c->w - 11, ROLE_TEXT, DRAW_LEFT, str_of(value));
    return y + 1;
}

static void
duration(const struct run *run, char *out, size_t size)
{
    int64_t end = run->end_ms ? run->end_ms : loop_wall_ms();
    double s = (double)(end - run->start_ms) / 1000;

    if (s < 100)
        snprintf(out, size, "%.1f s", s);
    else
        snprintf(out, size, "%02d:%02d", (int)s / 60, (int)s % 60);
}

static void
scalar_text(const struct json *v, struct buf *b)
{
    if (json_type(v) == JSON_STRING)
        buf_puts(b, json_string(v));
    else if (json_type(v) == JSON_NUMBER)
        buf_printf(b, "%.6g", json_number(v));
    else
        json_print(b, v);
}

static int
draw_params(const struct canvas *c, int y, const struct json *params)
{
    struct buf b;

    if (!params)
        return y;
    buf_init(&b);
    for (const struct json *p = json_first(params); p; p = json_next(p)) {
        if (json_type(p) == JSON_NULL)
            continue;
        buf_printf(&b, "%s%s ", b.len ? "  " : "", json_key(p));
        scalar_text(p, &b);
    }
    if (b.len > 0 && y < c->h) {
        draw_text(c, 1, y, ROLE_DIM, "params");
        y += draw_wrap(c, (struct rect){10, y, c->w - 11, c->h - y}, ROLE_TEXT,
                       (struct str){b.data, b.len});
    }
    buf_fini(&b);
    return y;
}

static int
draw_best(struct view_runs *r, const struct canvas *c, int y,
          const struct run *run)
{
    const struct series_list *l = runs_data_series(r->data, run->id);
    char text[96];

    for (size_t i = 0; l && i < l->n && y < c->h; i++) {
        const struct series *s = &l->series[i];
        bool larger = strstr(s->name, "auc") || strstr(s->name, "acc") ||
                      strstr(s->name, "r2") || strstr(s->name, "f1");
        size_t best = 0;

        if (s->n == 0 || strncmp(s->name, "valid.", 6) != 0)
            continue;
        for (size_t k = 1; k < s->n; k++)
            if (larger ? s->value[k] > s->value[best]
                       : s->value[k] < s->value[best])
                best = k;
        snprintf(text, sizeof text, "%.5g @%lld   last %.5g @%lld",
                 s->value[best], (long long)s->step[best], s->value[s->n - 1],
                 (long long)s->step[s->n - 1]);
        y = draw_pair(c, y, s->name + 6, text);
    }
    return y;
}

static void
detail_draw(struct view *v, const struct canvas *c)
{
    struct view_runs *r = mine(v);
    const struct run *run = run_at_cursor(r);
    char text[160], took[32], when[16];
    int y = 0;

    if (!run)
        return;
    duration(run, took, sizeof took);
    age(run->start_ms, when);
    draw_text(c, 1, y, state_style(run->state), state_sign(run->state));
    draw_printf(c, 3, y++, ROLE_TEXT, "%s · %s · started %s%s",
                run_state_word(run->state), took, when,
                strcmp(when, "now") == 0 ? "" : " ago");
    if (run->message[0] && run->state != RUN_DONE)
        y += draw_wrap(c, (struct rect){1, y, c->w - 2, c->h - y}, ROLE_ERROR,
                       str_of(run->message));
    y = draw_best(r, c, y, run);
    y = draw_params(c, y, runs_data_params(r->data, r->shown[r->list.at]));
    snprintf(text, sizeof text, "%s#%.8s", run->data, run->fingerprint);
    y = draw_pair(c, y, "data", text);
    y = draw_pair(c, y, "target", run->target);
    snprintf(text, sizeof text, "%llu", (unsigned long long)run->seed);
    y = draw_pair(c, y, "seed", text);
    y = draw_pair(c, y, "source", run->source);
    snprintf(text, sizeof text, "%.10s", run->git_commit);
    y = draw_pair(c, y, "commit", text);
    y = draw_pair(c, y, "build", run->build);
    snprintf(text, sizeof text, "%.16s", run->artifact);
    y = draw_pair(c, y, "artifact", text);
    draw_pair(c, y, "id", run->id);
}

static void
detail_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct run *run = run_at_cursor(mine(v));

    (void)right;
    buf_puts(left, run ? run->name : "run");
}

/* ---- side by side ---- */

enum { COMPARE_MAX = 200 };

/* Names of metrics, then of parameters, over all lettered runs. */
struct names {
    const char *name[COMPARE_MAX];
    bool metric[COMPARE_MAX];
    size_t n;
};

static void
collect_names(const struct json *object, bool metric, struct names *out)
{
    for (const struct json *v = object ? json_first(object) : NULL; v;
         v = json_next(v)) {
        size_t j = 0;

        if (metric && json_type(v) != JSON_NUMBER)
            continue;
        while (j < out->n && (out->metric[j] != metric ||
                              strcmp(out->name[j], json_key(v)) != 0))
            j++;
        if (j == out->n && out->n < COMPARE_MAX) {
            out->name[out->n] = json_key(v);
            out->metric[out->n++] = metric;
        }
    }
}

static void
compare_names(struct view_runs *r, struct names *out)
{
    out->n = 0;
    for (int metric = 1; metric >= 0; metric--)
        for (size_t k = 0; k <= r->n_overlay; k++) {
            size_t i = lettered(r, k);

            if (i != SIZE_MAX)
                collect_names(metric ? runs_data_metrics(r->data, i)
                                     : runs_data_params(r->data, i),
                              metric, out);
        }
}

static void
compare_value(struct view_runs *r, size_t i, const char *name, bool metric,
              struct buf *b)
{
    const struct json *o =
        metric ? runs_data_metrics(r->data, i) : runs_data_params(r->data, i);
    const struct json *v = o ? json_find(o, name) : NULL;

    if (!v)
        buf_puts(b, "-");
    else
        scalar_text(v, b);
}

static void
draw_compare_row(struct view_runs *r, const struct canvas *c, int y,
                 const char *name, bool metric, int name_w, int col_w)
{
    struct buf first, b;
    bool differs = false;
    int x = name_w + 1;

    buf_init(&first);
    buf_init(&b);
    draw_fit(c, 1, y, name_w - 1, ROLE_DIM, DRAW_LEFT, str_of(name));
    for (size_t k = 0; k <= r->n_overlay && x + col_w <= c->w; k++) {
        size_t i = lettered(r, k);

        buf_clear(&b);
        if (i != SIZE_MAX)
            compare_value(r, i, name, metric, &b);
        if (k == 0)
            buf_puts(&first, b.data);
        else
            differs = differs || strcmp(first.data, b.data) != 0;
        draw_fit(c, x, y, col_w - 1, ROLE_TEXT, DRAW_RIGHT,
                 (struct str){b.data, b.len});
        x += col_w;
    }
    if (differs && x < c->w)
        draw_text(c, x, y, ROLE_WARN, "≠");
    buf_fini(&first);
    buf_fini(&b);
}

static void
compare_draw(struct view *v, const struct canvas *c)
{
    struct view_runs *r = mine(v);
    struct names names;
    int name_w = c->w / 3 > 18 ? 18 : c->w / 3, col_w, x = name_w + 1;

    if (lettered(r, 0) == SIZE_MAX)
        return;
    compare_names(r, &names);
    col_w = (c->w - name_w - 3) / (int)(r->n_overlay + 1);
    col_w = col_w > 14 ? 14 : col_w < 8 ? 8 : col_w;
    for (size_t k = 0; k <= r->n_overlay && x + col_w <= c->w; k++) {
        size_t i = lettered(r, k);
        char head[80];

        if (i == SIZE_MAX)
            continue;
        snprintf(head, sizeof head, "%c %s", (char)('a' + k),
                 runs_data_run(r->data, i)->name);
        draw_fit(c, x, 0, col_w - 1,
                 (ROLE_SERIES_0 + (unsigned)k % THEME_SERIES) | DRAW_BOLD,
                 DRAW_RIGHT, str_of(head));
        x += col_w;
    }
    list_set(&r->compare, names.n);
    list_show(&r->compare, (size_t)(c->h > 1 ? c->h - 1 : 0));
    for (int y = 1; y < c->h; y++) {
        size_t at = r->compare.top + (size_t)y - 1;

        if (at >= names.n)
            break;
        draw_compare_row(r, c, y, names.name[at], names.metric[at], name_w,
                         col_w);
        if (c->focus && at == r->compare.at)
            draw_attrs(c, (struct rect){0, y, c->w, 1}, THEME_UNDER);
    }
}

static struct list *
list_of(struct view *v)
{
    return &mine(v)->list;
}

static struct list *
compare_of(struct view *v)
{
    return &mine(v)->compare;
}

static const struct view_region regions[] = {
    [REGION_LIST] = {"runs", list_draw, list_title, list_of, NULL, 0},
    [REGION_DETAIL] = {"run", detail_draw, detail_title, NULL, NULL,
                       REGION_PASSIVE},
    [REGION_CHART] = {"chart", chart_draw, chart_title, NULL, NULL, 0},
    [REGION_COMPARE] = {"compare", compare_draw, NULL, compare_of, NULL, 0},
    {0},
};

static void
runs_layout(struct view *v, struct layout *l)
{
    struct view_runs *r = mine(v);
    struct rect body = l->body, left, column;
    const struct rect *chart = &l->placed[REGION_CHART];
    int w = body.w >= 130 ? 48 : body.w * 2 / 5;

    left = rect_left(&body, w);
    column = rect_bottom(&left, left.h * 2 / 5);
    layout_place(l, REGION_LIST, left);
    layout_place(l, REGION_DETAIL, column);
    if (body.w >= 100) {
        layout_place(l, REGION_COMPARE, rect_right(&body, body.w * 2 / 5));
    } else {
        layout_place(l, REGION_COMPARE, rect_bottom(&body, body.h / 3));
    }
    layout_place(l, REGION_CHART, body);
    /* One row is the rule; one column the line to the left. */
    if (r->want_w != chart->w - 1 || r->want_h != chart->h - 1) {
        r->want_w = chart->w - 1;
        r->want_h = chart->h - 1;
        ask_chart(r);
    }
}

/* ---- actions ---- */

static void
act_overlay(struct view *v, const struct view_call *call)
{
    struct view_runs *r = mine(v);
    const struct run *run = run_at_cursor(r);

    (void)call;
    if (!run)
        return;
    for (size_t k = 0; k < r->n_overlay; k++)
        if (strcmp(r->overlay[k], run->id) == 0) {
            memmove(r->overlay + k, r->overlay + k + 1,
                    (r->n_overlay - k - 1) * sizeof *r->overlay);
            r->n_overlay--;
            ask_chart(r);
            return;
        }
    if (r->n_overlay == MAX_OVERLAY) {
        ui_message(v->ui, MESSAGE_WARN,
                   "%d runs are overlaid already: Space "
                   "on one of them takes it off",
                   MAX_OVERLAY);
        return;
    }
    memcpy(r->overlay[r->n_overlay++], run->id, sizeof r->overlay[0]);
    list_action(&r->list, "down", 1);
    moved(r);
    ask_chart(r);
}

static void
act_pin(struct view *v, const struct view_call *call)
{
    struct view_runs *r = mine(v);
    const struct run *run = run_at_cursor(r);

    (void)call;
    r->pinned = run && !r->pinned;
    if (run)
        memcpy(r->pin, run->id, sizeof r->pin);
    ui_message(v->ui, MESSAGE_INFO,
               r->pinned ? "%s stays on the chart as a"
                         : "the chart follows "
                           "the cursor again",
               run ? run->name : "");
    ask_chart(r);
}

static void
act_compare(struct view *v, const struct view_call *call)
{
    (void)call;
    v->focus = REGION_COMPARE;
    v->zoom = !v->zoom;
    ui_touch(v->ui);
}

static void
act_axis(struct view *v, const struct view_call *call)
{
    struct view_runs *r = mine(v);

    (void)call;
    r->axis = (enum axis)((r->axis + 1) % AXIS_COUNT);
    ask_chart(r);
}

static void
act_x(struct view *v, const struct view_call *call)
{
    struct view_runs *r = mine(v);

    (void)call;
    r->x = (enum x_kind)((r->x + 1) % X_COUNT);
    ask_chart(r);
}

static void
act_metric(struct view *v, const struct view_call *call)
{
    struct view_runs *r = mine(v);
    const char *b[MAX_BASES];
    char now[NAME_MAX_BYTES];
    size_t n;

    (void)call;
    chosen_base(r, now);
    n = bases(r, b);
    for (size_t i = 0; i < n; i++)
        if (strcmp(b[i], now) == 0) {
            snprintf(r->base, sizeof r->base, "%s", b[(i + 1) % n]);
            break;
        }
    ask_chart(r);
}

static void
set_smooth(struct view_runs *r, double value)
{
    r->smooth = value < 0.05 ? 0 : value > 0.99 ? 0.99 : value;
    ask_chart(r);
    ui_touch(r->view.ui);
}

static void
act_smoother(struct view *v, const struct view_call *call)
{
    (void)call;
    set_smooth(mine(v), mine(v)->smooth < 0.9 ? mine(v)->smooth + 0.1 : 0.97);
}

static void
act_rougher(struct view *v, const struct view_call *call)
{
    (void)call;
    set_smooth(mine(v), mine(v)->smooth > 0.9 ? 0.9 : mine(v)->smooth - 0.1);
}

static void
act_smooth(struct view *v, const struct view_call *call)
{
    double x;

    if (!call->arg || !str_to_f64(str_trim(str_of(call->arg)), &x) || x < 0 ||
        x > 0.99)
        ui_message(v->ui, MESSAGE_ERROR, "smoothing is 0 to 0.99");
    else
        set_smooth(mine(v), x);
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
    ask_chart(r);
}

static void
act_zoom_in(struct view *v, const struct view_call *call)
{
    (void)call;
    zoom_by(mine(v), 0.5);
}

static void
act_zoom_out(struct view *v, const struct view_call *call)
{
    (void)call;
    zoom_by(mine(v), 2);
}

static void
act_zoom_reset(struct view *v, const struct view_call *call)
{
    (void)call;
    mine(v)->zoom_from = 0;
    mine(v)->zoom_to = 1;
    ask_chart(mine(v));
}

static void
act_inspect(struct view *v, const struct view_call *call)
{
    struct view_runs *r = mine(v);

    (void)call;
    r->inspect = !r->inspect;
    r->inspect_at = 1;
    if (r->inspect)
        v->focus = REGION_CHART;
    ui_touch(v->ui);
}

static void
act_next_failure(struct view *v, const struct view_call *call)
{
    struct view_runs *r = mine(v);

    (void)call;
    for (size_t step = 1; step <= r->n_shown; step++) {
        size_t k = (r->list.at + step) % r->n_shown;
        const struct run *run = runs_data_run(r->data, r->shown[k]);

        if (run->state == RUN_FAILED || run->state == RUN_LOST) {
            r->list.at = k;
            moved(r);
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
    const struct run *run = run_at_cursor(mine(v));

    if (run && call->arg && call->arg[0])
        start_edit(mine(v), EDIT_RENAME, run->id, call->arg);
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
    const struct run *run = run_at_cursor(mine(v));
    char question[160];

    (void)call;
    if (!run)
        return;
    snprintf(question, sizeof question, "delete %s?", run->name);
    ui_confirm(v->ui, question, delete_confirmed, mine(v));
}

static void
act_undo(struct view *v, const struct view_call *call)
{
    struct view_runs *r = mine(v);

    (void)call;
    if (r->filter[0]) {
        r->filter[0] = '\0';
        rebuild(r);
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
    const struct run *run = run_at_cursor(mine(v));
    char line[256];

    if (!run || !call->arg || !call->arg[0])
        return;
    if (!run->artifact[0]) {
        ui_message(v->ui, MESSAGE_WARN, "%s has no model", run->name);
        return;
    }
    snprintf(line, sizeof line, "registry add %s runs:/%s", call->arg, run->id);
    ui_run_command(v->ui, line, 0);
}

/* ---- export ---- */

struct export
{
    struct lines lines;
    struct plot_spec spec;
    const char *names[15];
    char path[512], title[NAME_MAX_BYTES];
};

static bool
run_export(struct task *t, void *ctx, struct error *err)
{
    struct export *e = ctx;

    (void)t;
    return plot_export(&e->spec, e->names, e->title, e->path, err);
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

static void
act_export(struct view *v, const struct view_call *call)
{
    struct view_runs *r = mine(v);
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
    task_start(ui_session(v->ui),
               &(struct task_spec){.title = "export the chart",
                                   .run = run_export,
                                   .done = export_done,
                                   .ctx = e});
}

static bool
has_run(struct view *v)
{
    return run_at_cursor(mine(v)) != NULL;
}

static const struct view_action actions[] = {
    {"mark", "Run: overlay on the chart",
     "Draws this run beside the one under the cursor, with a letter and a "
     "colour of its own. Again takes it off.",
     NULL, act_overlay, has_run, ACTION_SUBJECT},
    {"pin", "Run: pin to the chart",
     "The chart stays with this run while the cursor moves.", NULL, act_pin,
     has_run, ACTION_SUBJECT},
    {"compare", "Runs: compare",
     "Metrics and parameters of the runs on the "
     "chart side by side; ≠ marks what differs.",
     NULL, act_compare, has_run, 0},
    {"metric-next", "Chart: next metric", NULL, NULL, act_metric, has_run, 0},
    {"axis-next", "Chart: next axes",
     "Cycles the axes: linear, log y, log x, log-log. Values that are not "
     "positive are left out on a log axis.",
     NULL, act_axis, NULL, 0},
    {"x-axis-next", "Chart: x is step, seconds or hour", NULL, NULL, act_x,
     NULL, 0},
    {"smooth-more", "Smoothing: more",
     "Exponential moving average of the drawn lines, corrected for its start; "
     "the raw values stay as faint dots.",
     NULL, act_smoother, NULL, 0},
    {"smooth-less", "Smoothing: less", NULL, NULL, act_rougher, NULL, 0},
    {"smooth", "Smoothing: set", NULL, "smoothing, 0 to 0.99: ", act_smooth,
     NULL, 0},
    {"inspect", "Chart: inspect values",
     "h and l move along the x axis, and the values there are shown.", NULL,
     act_inspect, has_run, 0},
    {"zoom-in", "Chart: zoom in along x", NULL, NULL, act_zoom_in, NULL, 0},
    {"zoom-out", "Chart: zoom out along x", NULL, NULL, act_zoom_out, NULL, 0},
    {"zoom-reset", "Chart: whole range", NULL, NULL, act_zoom_reset, NULL, 0},
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
     "file (.svg or .png): ", act_export, has_run, 0},
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
    struct view_runs *r = mine(v);

    plotter_free(r->plotter);
    runs_data_free(r->data);
    plot_image_fini(&r->image);
    free(r->shown);
    free(r);
}

static void
runs_changed(struct view *v, unsigned topics)
{
    struct view_runs *r = mine(v);

    if (topics & TOPIC_RUNS) {
        runs_data_reload(r->data);
        ask_chart(r);
    }
}

static void
runs_shown(struct view *v, bool on)
{
    if (on)
        ask_chart(mine(v));
}

static bool
runs_show(struct view *v, const char *what, struct error *err)
{
    struct view_runs *r = mine(v);

    r->filter[0] = '\0';
    snprintf(r->current, sizeof r->current, "%s", what);
    rebuild(r);
    runs_data_reload(r->data);
    ask_chart(r);
    (void)err;
    return true;
}

static void
runs_badge(struct view *v, struct buf *out)
{
    struct view_runs *r = mine(v);
    size_t live = 0;

    for (size_t i = 0; i < runs_data_count(r->data); i++)
        live += runs_data_run(r->data, i)->state == RUN_RUNNING;
    if (live > 0)
        buf_printf(out, "●%zu", live);
}

static void
runs_subject(struct view *v, struct buf *out)
{
    const struct run *run = run_at_cursor(mine(v));

    if (run)
        buf_puts(out, run->name);
}

static bool
runs_copy(struct view *v, enum copy_what what, struct buf *out)
{
    struct view_runs *r = mine(v);
    const struct run *run = run_at_cursor(r);

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
    struct view_runs *r = mine(v);

    for (size_t step = 1; step <= r->n_shown; step++) {
        size_t k =
            (r->list.at + (dir > 0 ? step : r->n_shown - step)) % r->n_shown;
        const struct run *run = runs_data_run(r->data, r->shown[k]);

        if (strcasestr(run->name, text) || strcasestr(run->family, text) ||
            strcasestr(run->params, text) || strcasestr(run->data, text)) {
            r->list.at = k;
            moved(r);
            return true;
        }
    }
    return false;
}

static bool
runs_filter(struct view *v, const char *text, struct error *err)
{
    struct view_runs *r = mine(v);

    (void)err;
    snprintf(r->filter, sizeof r->filter, "%s", text);
    rebuild(r);
    return true;
}

static const char *
runs_filter_text(struct view *v)
{
    return mine(v)->filter;
}

static bool
runs_action(struct view *v, const char *name, const struct view_call *call)
{
    struct view_runs *r = mine(v);
    int n = call->count > 0 ? call->count : 1;
    double step = 1.0 / (r->want_w > 10 ? r->want_w * 2 : 20);

    if (!r->inspect || v->focus != REGION_CHART)
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
    struct view_runs *r = mine(v);

    if (r->inspect) {
        r->inspect = false;
        v->focus = REGION_LIST;
        return true;
    }
    return false;
}

const struct view_class view_runs_class = {
    .name = "runs",
    .title = "Runs",
    .regions = regions,
    .actions = actions,
    .open = runs_open,
    .close = runs_close,
    .layout = runs_layout,
    .changed = runs_changed,
    .shown = runs_shown,
    .show = runs_show,
    .action = runs_action,
    .badge = runs_badge,
    .subject = runs_subject,
    .copy = runs_copy,
    .search = runs_search,
    .filter = runs_filter,
    .filter_text = runs_filter_text,
    .back = runs_back,
};
