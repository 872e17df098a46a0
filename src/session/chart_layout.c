/* session/chart_layout.c -- the built-in layout: ranges, ticks, lines; and the
 * decimation that both producers use.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/chart.h"

/* A value on its axis; NaN when it cannot be shown. */
static double
on_axis(double v, bool logarithmic)
{
    if (!isfinite(v) || (logarithmic && v <= 0))
        return NAN;
    return logarithmic ? log10(v) : v;
}

static void
widen(double range[2], double v)
{
    if (!(v >= range[0]))
        range[0] = v;
    if (!(v <= range[1]))
        range[1] = v;
}

static void
settle(double range[2], double low, double high)
{
    if (isfinite(low))
        range[0] = low;
    if (isfinite(high))
        range[1] = high;
    if (range[0] == range[1]) {
        double pad = range[0] != 0 ? fabs(range[0]) * 0.05 : 1;

        range[0] -= pad;
        range[1] += pad;
    }
}

bool
chart_ranges(const struct plot_spec *spec, double x[2], double y[2])
{
    x[0] = y[0] = NAN;
    x[1] = y[1] = NAN;
    for (size_t s = 0; s < spec->n_series; s++) {
        const struct plot_series *p = &spec->series[s];

        for (size_t i = 0; i < p->n; i++) {
            if (isnan(on_axis(p->x[i], spec->log_x)) ||
                isnan(on_axis(p->y[i], spec->log_y)))
                continue;
            widen(x, p->x[i]);
            widen(y, p->y[i]);
        }
    }
    if (isnan(x[0]))
        return false;
    settle(x, spec->x_min, spec->x_max);
    settle(y, spec->y_min, spec->y_max);
    if (spec->log_x && x[0] <= 0)
        x[0] = x[1] / 10;
    if (spec->log_y && y[0] <= 0)
        y[0] = y[1] / 10;
    return x[1] > x[0] && y[1] > y[0];
}

int
chart_label_width(const struct plot_spec *spec)
{
    size_t widest = 0;

    for (size_t i = 0; i < spec->n_series; i++) {
        size_t w = str_width(str_of(spec->series[i].label));

        if (w > widest)
            widest = w;
    }
    if (widest > (size_t)spec->width / 3)
        widest = (size_t)spec->width / 3;
    return widest ? (int)widest + 2 : 1;
}

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

bool
chart_decimate(const struct plot_spec *spec, size_t series, int dots,
               double x_min, double x_max, struct chart_data *out,
               struct error *err)
{
    const struct plot_series *s = &spec->series[series];
    size_t cap = 5 * s->n + 1, most = 6 * (size_t)dots + 16;
    double low = on_axis(x_min, spec->log_x);
    double scale = (dots - 1) / (on_axis(x_max, spec->log_x) - low);
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
        double x = on_axis(s->x[i], spec->log_x);
        double y = on_axis(s->y[i], spec->log_y);
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

/* ---- ticks ---- */

enum { MAX_TICKS = 12, TICK_TEXT = 16 };

struct ticks {
    double at[MAX_TICKS];
    char text[MAX_TICKS][TICK_TEXT];
    int n, widest;
};

/* 1, 2 or 5 times a power of ten, so that at most n steps cover the span. */
static double
nice_step(double span, int n)
{
    double raw = span / (n > 0 ? n : 1);
    double power = pow(10, floor(log10(raw)));
    double f = raw / power;

    return power * (f <= 1 ? 1 : f <= 2 ? 2 : f <= 5 ? 5 : 10);
}

static void
add_tick(struct ticks *t, double v)
{
    int w;

    if (t->n == MAX_TICKS)
        return;
    t->at[t->n] = v;
    snprintf(t->text[t->n], TICK_TEXT, "%.6g", v);
    w = (int)strlen(t->text[t->n++]);
    if (w > t->widest)
        t->widest = w;
}

static void
make_ticks(const double range[2], bool logarithmic, int most, struct ticks *t)
{
    *t = (struct ticks){0};
    if (most > MAX_TICKS)
        most = MAX_TICKS;
    if (logarithmic) {
        int low = (int)ceil(log10(range[0]) - 1e-9);
        int high = (int)floor(log10(range[1]) + 1e-9);
        int step = (high - low) / (most > 0 ? most : 1) + 1;

        for (int e = low; e <= high; e += step)
            add_tick(t, pow(10, e));
        if (t->n >= 2)
            return;
        *t = (struct ticks){0};
    }
    {
        double step = nice_step(range[1] - range[0], most);
        double first = ceil(range[0] / step - 1e-9);

        for (int i = 0; (first + i) * step <= range[1] + step * 1e-9; i++) {
            double v = (first + i) * step;

            add_tick(t, fabs(v) < step * 1e-9 ? 0 : v);
        }
    }
}

/* ---- layout ---- */

struct area {
    int left, right, bottom, top; /* dots, inclusive */
    double x[2], y[2];
    bool log_x, log_y;
};

static int32_t
to_dot(double v, const double range[2], bool logarithmic, int low, int high)
{
    double a = on_axis(range[0], logarithmic);
    double b = on_axis(range[1], logarithmic);
    double f = (on_axis(v, logarithmic) - a) / (b - a);

    f = f < 0 ? 0 : f > 1 ? 1 : f;
    return low + (int32_t)lround(f * (high - low));
}

static void
draw_axes(struct chart_list *l, const struct area *a, const struct ticks *tx,
          const struct ticks *ty)
{
    for (int i = 0; i < ty->n; i++) {
        int32_t y = to_dot(ty->at[i], a->y, a->log_y, a->bottom, a->top);

        chart_begin(l, CHART_LINE, INK_GRID);
        chart_point(l, a->left, y);
        chart_point(l, a->right, y);
        chart_text(l, a->left, y, CHART_RIGHT, str_of(ty->text[i]));
    }
    chart_begin(l, CHART_LINE, INK_AXIS);
    chart_point(l, a->left, a->top);
    chart_point(l, a->left, a->bottom - 1);
    chart_begin(l, CHART_LINE, INK_AXIS);
    chart_point(l, a->left, a->bottom - 1);
    chart_point(l, a->right, a->bottom - 1);
    for (int i = 0; i < tx->n; i++)
        chart_text(l, to_dot(tx->at[i], a->x, a->log_x, a->left, a->right), 0,
                   CHART_CENTRE, str_of(tx->text[i]));
}

static void
draw_series(struct chart_list *l, const struct area *a,
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
        chart_point(l, to_dot(d->x[i], a->x, a->log_x, a->left + 2, a->right),
                    to_dot(d->y[i], a->y, a->log_y, a->bottom, a->top));
    }
}

bool
chart_layout(const struct plot_spec *spec, struct chart_list *l,
             struct error *err)
{
    struct area a = {.log_x = spec->log_x, .log_y = spec->log_y};
    struct ticks tx, ty;

    if (spec->width < 10 || spec->height < 4)
        return error_set(err, ERR_RANGE,
                         "%d x %d cells are too few for a chart", spec->width,
                         spec->height);
    if (!chart_ranges(spec, a.x, a.y)) {
        chart_text(l, spec->width, spec->height * 2, CHART_CENTRE,
                   STR("no values yet"));
        return true;
    }
    make_ticks(a.y, a.log_y, (spec->height - 1) / 3, &ty);
    a.left = (ty.widest + 0) * 2;
    a.right = (spec->width - chart_label_width(spec)) * 2 - 1;
    a.bottom = 8; /* two rows: the axis and its numbers */
    a.top = spec->height * 4 - 1;
    if (a.right < a.left + 8)
        a.right = spec->width * 2 - 1;
    make_ticks(a.x, a.log_x, (a.right - a.left) / 2 / 10, &tx);
    draw_axes(l, &a, &tx, &ty);
    for (size_t i = 0; i < spec->n_series; i++) {
        struct chart_data d;

        if (!chart_decimate(spec, i, a.right - a.left, a.x[0], a.x[1], &d, err))
            return false;
        draw_series(l, &a, &spec->series[i], &d);
        free(d.x);
        free(d.y);
    }
    return true;
}
