/* session/chart_layout.c -- the built-in layout; and the decimation that both
 * producers use.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/chart.h"

/* What one dot column keeps: first, least, largest and last, by index. */
struct bucket {
    long column;
    size_t at[4];
    bool used;
};

static void
emit(const struct plot_series *s, const struct bucket *b, struct chart_data *d)
{
    size_t order[4];

    if (!b->used)
        return;
    memcpy(order, b->at, sizeof order);
    for (int i = 1; i < 4; i++)
        for (int j = i; j > 0 && order[j - 1] > order[j]; j--) {
            size_t t = order[j];

            order[j] = order[j - 1];
            order[j - 1] = t;
        }
    for (int i = 0; i < 4; i++) {
        if (i > 0 && order[i] == order[i - 1])
            continue;
        d->x[d->n] = s->x[order[i]];
        d->y[d->n++] = s->y[order[i]];
    }
}

static void
collect(struct bucket *b, const double *y, size_t i, long column)
{
    if (!b->used) {
        *b = (struct bucket){column, {i, i, i, i}, true};
        return;
    }
    if (y[i] < y[b->at[1]])
        b->at[1] = i;
    if (y[i] > y[b->at[2]])
        b->at[2] = i;
    b->at[3] = i;
}

static bool
decimate_line(const struct plot_spec *spec, size_t series, int dots,
              double x_min, double x_max, struct chart_data *out,
              struct error *err)
{
    const struct plot_series *s = &spec->series[series];
    size_t cap = 5 * s->n + 1, most = 6 * (size_t)dots + 16;
    double low = chart_on_axis(x_min, spec->log_x);
    double scale = (dots - 1) / (chart_on_axis(x_max, spec->log_x) - low);
    struct bucket b = {0};
    bool gap = false;

    if (cap > most && s->n > most)
        cap = most + s->n / 1000; /* room for gaps; checked below */
    out->n = 0;
    out->x = mem_try_array(cap + 8, sizeof(double), err);
    out->y = mem_try_array(cap + 8, sizeof(double), err);
    if (!out->x || !out->y) {
        free(out->x);
        free(out->y);
        return false;
    }
    for (size_t i = 0; i < s->n && out->n + 5 < cap + 8; i++) {
        double x = chart_on_axis(s->x[i], spec->log_x);
        double y = chart_on_axis(s->y[i], spec->log_y);
        long column;

        if (isnan(x) || isnan(y) || s->x[i] < x_min || s->x[i] > x_max) {
            gap = true;
            continue;
        }
        column = lround((x - low) * scale);
        if (b.used && (gap || column != b.column)) {
            emit(s, &b, out);
            b.used = false;
            if (gap) {
                out->x[out->n] = s->x[i];
                out->y[out->n++] = NAN;
            }
        }
        gap = false;
        collect(&b, s->y, i, column);
    }
    if (out->n + 4 < cap + 8)
        emit(s, &b, out);
    return true;
}

bool
chart_is_point(const struct plot_spec *spec, const struct plot_series *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n && n < 2; i++)
        n += isfinite(chart_on_axis(s->x[i], spec->log_x)) &&
             isfinite(chart_on_axis(s->y[i], spec->log_y));
    return n == 1 && !s->dots;
}

/* The chart in columns * rows places of so many dots. */
struct places {
    int columns, rows;
    int per_x, per_y; /* dots */
};

/* The place of a point; SIZE_MAX: outside. */
static size_t
place_in(const struct plot_spec *spec, const struct chart_frame *f,
         const struct places *g, int scale, double x, double y)
{
    int32_t dx, dy;

    if (isnan(chart_on_axis(x, spec->log_x)) ||
        isnan(chart_on_axis(y, spec->log_y)) || x < f->x.low || x > f->x.high ||
        y < f->y.low || y > f->y.high)
        return SIZE_MAX;
    dx = chart_axis_dot(&f->x, x) * scale / g->per_x;
    dy = chart_axis_dot(&f->y, y) * scale / g->per_y;
    return (size_t)dy * (size_t)g->columns + (size_t)dx;
}

/* Points of a series in each place. */
static void
count_places(const struct plot_spec *spec, size_t series,
             const struct chart_frame *f, const struct places *g, int scale,
             uint32_t *count)
{
    const struct plot_series *s = &spec->series[series];

    for (size_t i = 0; i < s->n; i++) {
        size_t at = place_in(spec, f, g, scale, s->x[i], s->y[i]);

        if (at != SIZE_MAX)
            count[at]++;
    }
}

/* Leave of `mine` what no other marked series has more of; of equals the first
 * one wins. */
static void
leave_won(const struct plot_spec *spec, size_t series,
          const struct chart_frame *f, const struct places *g, int scale,
          uint32_t *mine, uint32_t *theirs)
{
    size_t n = (size_t)g->columns * (size_t)g->rows;

    for (size_t k = 0; k < spec->n_series; k++) {
        if (k == series || !spec->series[k].mark || !spec->series[k].dots)
            continue;
        memset(theirs, 0, n * sizeof *theirs);
        count_places(spec, k, f, g, scale, theirs);
        for (size_t i = 0; i < n; i++)
            if (theirs[i] > mine[i] || (theirs[i] == mine[i] && k < series))
                mine[i] = 0;
    }
}

static bool
decimate_points(const struct plot_spec *spec, size_t series,
                const struct chart_frame *f, int scale, struct chart_data *out,
                struct error *err)
{
    const struct plot_series *s = &spec->series[series];
    struct places g = {0, 0, s->mark ? 2 * scale : 1, s->mark ? 4 * scale : 1};
    uint32_t *mine, *theirs;
    size_t n;

    g.columns = (f->x.to + 1) * scale / g.per_x + 1;
    g.rows = (f->y.to + 1) * scale / g.per_y + 1;
    n = (size_t)g.columns * (size_t)g.rows;
    mine = mem_try_array(n, sizeof *mine, err);
    theirs = mem_try_array(n, sizeof *theirs, err);
    out->n = 0;
    out->x = mem_try_array(s->n + 1, sizeof(double), err);
    out->y = mem_try_array(s->n + 1, sizeof(double), err);
    if (!mine || !theirs || !out->x || !out->y) {
        free(mine);
        free(theirs);
        free(out->x);
        free(out->y);
        return false;
    }
    count_places(spec, series, f, &g, scale, mine);
    if (s->mark)
        leave_won(spec, series, f, &g, scale, mine, theirs);
    for (size_t i = 0; i < s->n; i++) {
        size_t at = place_in(spec, f, &g, scale, s->x[i], s->y[i]);

        if (at == SIZE_MAX || mine[at] == 0)
            continue;
        mine[at] = 0; /* drawn */
        out->x[out->n] = s->x[i];
        out->y[out->n++] = s->y[i];
    }
    free(mine);
    free(theirs);
    return true;
}

bool
chart_decimate(const struct plot_spec *spec, size_t series,
               const struct chart_frame *f, int scale, struct chart_data *out,
               struct error *err)
{
    if (spec->series[series].dots)
        return decimate_points(spec, series, f, scale, out, err);
    return decimate_line(spec, series, (f->x.to - f->x.from) * scale, f->x.low,
                         f->x.high, out, err);
}

/* ---- layout ---- */

static void
add_segment(struct chart_list *l, int ink, int x0, int y0, int x1, int y1)
{
    chart_begin(l, CHART_LINE, ink);
    chart_point(l, x0, y0);
    chart_point(l, x1, y1);
}

static void
draw_axes(struct chart_list *l, const struct chart_frame *f)
{
    int left = 2 * f->left;

    for (int i = 0; i < f->y.tick.n; i++) {
        int32_t y = chart_axis_dot(&f->y, f->y.tick.at[i]);

        add_segment(l, INK_GRID, left, y, f->x.to, y);
        add_segment(l, INK_AXIS, left - 1, y, left, y);
        chart_text(l, left, y, CHART_RIGHT, str_of(f->y.tick.text[i]));
    }
    add_segment(l, INK_AXIS, left, f->y.to, left, 4);
    add_segment(l, INK_AXIS, left, 4, f->x.to, 4);
    for (int i = 0; i < f->x.tick.n; i++) {
        int32_t x = chart_axis_dot(&f->x, f->x.tick.at[i]);

        add_segment(l, INK_AXIS, x, 4, x, 3);
        chart_text(l, x, 0, CHART_CENTRE, str_of(f->x.tick.text[i]));
    }
}

static void
draw_series(struct chart_list *l, const struct chart_frame *f,
            const struct plot_series *s, const struct chart_data *d)
{
    bool fresh = true;

    for (size_t i = 0; i < d->n; i++) {
        if (isnan(d->y[i])) {
            fresh = true;
            continue;
        }
        if (fresh || s->dots)
            chart_begin(l, s->dots ? CHART_POINT : CHART_LINE, s->ink);
        fresh = false;
        chart_point(l, chart_axis_dot(&f->x, d->x[i]),
                    chart_axis_dot(&f->y, d->y[i]));
    }
}

bool
chart_layout(const struct plot_spec *spec, struct chart_list *l,
             struct error *err)
{
    struct chart_frame f;

    if (spec->width < 10 || spec->height < 4)
        return error_set(err, ERR_RANGE,
                         "%d x %d cells are too few for a chart", spec->width,
                         spec->height);
    if (!chart_frame_of(spec, &f)) {
        chart_text(l, spec->width, spec->height * 2, CHART_CENTRE,
                   STR("no values yet"));
        return true;
    }
    draw_axes(l, &f);
    for (size_t i = 0; i < spec->n_series; i++) {
        struct chart_data d;

        if (!chart_decimate(spec, i, &f, 1, &d, err))
            return false;
        draw_series(l, &f, &spec->series[i], &d);
        free(d.x);
        free(d.y);
    }
    return true;
}
