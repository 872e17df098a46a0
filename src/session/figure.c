/* session/figure.c -- charts of a table's columns.
 *
 * One distribution is filled: a line that goes up and down at each column of
 * dots, which the decimation of lines leaves as it is.  Distributions of
 * several classes are outlines, each in percent of its class, for a rare one
 * would be a flat line beside a frequent one; the letter of a class stands on
 * its highest range.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/figure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "frame/query.h"
#include "frame/rowgroup.h"
#include "session/chart.h"

/* ---- classes ---- */

/* Which class each row is in, most rows first; missing is none. */
struct classes {
    uint32_t *of; /* of each row; NULL: all are one */
    size_t n;
};

static bool
name_classes(struct figure *s, const struct column *c, const struct rowgroup *g,
             const size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct buf b;

        buf_init(&b);
        column_print(c, g->first[order[i]], &b);
        snprintf(s->class[i].name, sizeof s->class[i].name, "%s", b.data);
        buf_fini(&b);
    }
    return true;
}

/* The groups that are a value, most rows first. */
static size_t
order_groups(const struct column *c, const struct rowgroup *g,
             const size_t *rows, size_t *order)
{
    size_t n = 0;

    for (size_t i = 0; i < g->n_groups; i++) {
        size_t k = n;

        if (!column_is_valid(c, g->first[i]))
            continue;
        for (; k > 0 && rows[order[k - 1]] < rows[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
        n++;
    }
    return n;
}

static bool
find_classes(const struct frame *f, const char *by, struct pool *pool,
             struct figure *s, struct classes *out, struct error *err)
{
    struct rowgroup g = {0};
    size_t col, n, *rows = NULL, order[FIGURE_CLASSES + 1];
    uint32_t class[FIGURE_CLASSES + 2];
    const struct column *c;
    bool ok;

    s->n_classes = 1;
    if (!by)
        return true;
    if (!frame_need(f, by, &col, err))
        return false;
    c = frame_column(f, col);
    ok = rowgroup_find(f, &col, 1, pool, NULL, &g, err);
    if (ok && g.n_groups - (column_missing(c) > 0) > FIGURE_CLASSES)
        ok =
            error_set(err, ERR_RANGE,
                      "%s has %zu values; a chart tells at most %d classes "
                      "apart",
                      by, g.n_groups - (column_missing(c) > 0), FIGURE_CLASSES);
    ok = ok && (rows = mem_try_array(g.n_groups + 1, sizeof *rows, err)) &&
         (out->of = mem_try_array(frame_rows(f), sizeof *out->of, err));
    for (size_t i = 0; ok && i < frame_rows(f); i++)
        rows[g.group[i]]++;
    n = ok ? order_groups(c, &g, rows, order) : 0;
    for (size_t i = 0; ok && i < g.n_groups; i++)
        class[i] = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        class[order[i]] = (uint32_t)i;
        s->class[i].rows = rows[order[i]];
    }
    if (ok)
        name_classes(s, c, &g, order, n);
    for (size_t i = 0; ok && i < frame_rows(f); i++)
        out->of[i] = class[g.group[i]];
    s->n_classes = ok && n ? n : 1;
    rowgroup_fini(&g);
    free(rows);
    return ok;
}

/* ---- distributions ---- */

static enum plot_unit
unit_of(enum col_type t)
{
    return t == COL_DATE        ? PLOT_DAYS
           : t == COL_TIMESTAMP ? PLOT_SECONDS
                                : PLOT_NUMBER;
}

static bool
make_bins(struct figure *s, const struct column *c,
          const struct figure_options *o, struct pool *pool, struct error *err)
{
    size_t wanted = o->bins ? o->bins : FIGURE_BINS;

    if (!bins_of(c, wanted, s->log_x, pool, &s->bins, err))
        return false;
    s->low = s->bins.n ? s->bins.edge[0] : INFINITY;
    s->high = s->bins.n ? s->bins.edge[s->bins.n] : -INFINITY;
    if (isnan(o->x_min) || isnan(o->x_max) || s->log_x || s->bins.n == 0)
        return true;
    bins_fini(&s->bins);
    return bins_of_range(fmax(o->x_min, s->low), fmin(o->x_max, s->high),
                         wanted, column_type(c), &s->bins, err);
}

static bool
make_distribution(struct figure *s, const struct frame *f, size_t col,
                  const struct figure_options *o, const struct classes *k,
                  struct pool *pool, struct error *err)
{
    const struct column *c = frame_column(f, col);
    size_t counted = 0;

    if (!bins_suit(column_type(c))) {
        s->n_left_out = column_missing(c);
        s->values = query_frequency(f, col, pool, NULL, err);
        return s->values;
    }
    if (!make_bins(s, c, o, pool, err) ||
        !(s->count = mem_try_array(s->n_classes * (s->bins.n + 1) + 1,
                                   sizeof *s->count, err)) ||
        !bins_count(c, &s->bins, k->of, s->n_classes, pool, s->count, err))
        return false;
    for (size_t i = 0; i < s->n_classes * (s->bins.n + 1); i++)
        if (i % (s->bins.n + 1) < s->bins.n)
            counted += s->count[i];
    s->n_left_out = s->n_rows - counted;
    return true;
}

/* ---- clouds ---- */

static bool
make_points(struct figure *s, const struct frame *f, size_t x, size_t y,
            const struct classes *k, struct error *err)
{
    size_t rows = frame_rows(f), step = rows / FIGURE_POINTS + 1;
    const struct column *cx = frame_column(f, x), *cy = frame_column(f, y);

    s->low = INFINITY;
    s->high = -INFINITY;
    for (size_t i = 0; i < s->n_classes; i++) {
        struct figure_class *class = &s->class[i];

        if (!(class->x = mem_try_array(rows / step + 1, sizeof(double), err)) ||
            !(class->y = mem_try_array(rows / step + 1, sizeof(double), err)))
            return false;
    }
    for (size_t i = 0; i < rows; i += step) {
        double vx = column_number(cx, i), vy = column_number(cy, i);
        size_t at = k->of ? k->of[i] : 0;
        struct figure_class *class = &s->class[at < s->n_classes ? at : 0];

        if (!isfinite(vx) || !isfinite(vy) || (s->log_x && vx <= 0) ||
            (s->log_y && vy <= 0) || at >= s->n_classes) {
            s->n_left_out++;
            continue;
        }
        s->low = fmin(s->low, vx);
        s->high = fmax(s->high, vx);
        class->x[class->n] = vx;
        class->y[class->n++] = vy;
    }
    return true;
}

static bool
is_measure(enum col_type t)
{
    return t != COL_TEXT;
}

static bool
make_cloud(struct figure *s, const struct frame *f, size_t x, const char *y,
           const struct classes *k, struct error *err)
{
    size_t col;

    if (!frame_need(f, y, &col, err))
        return false;
    if (!is_measure(column_type(frame_column(f, x))) ||
        !is_measure(column_type(frame_column(f, col))))
        return error_set(
            err, ERR_TYPE,
            "%s is text: a cloud of points wants numbers or times",
            is_measure(column_type(frame_column(f, x))) ? y : frame_name(f, x));
    s->y_unit = unit_of(column_type(frame_column(f, col)));
    s->log_y = s->log_y && s->y_unit == PLOT_NUMBER;
    return make_points(s, f, x, col, k, err);
}

bool
figure_make(const struct frame *f, const struct figure_options *o,
            struct pool *pool, struct figure *s, struct error *err)
{
    struct classes k = {0};
    size_t col;
    bool ok;

    *s = (struct figure){.log_y = o->log_y,
                         .x_min = o->x_min,
                         .x_max = o->x_max,
                         .n_rows = frame_rows(f)};
    snprintf(s->x, sizeof s->x, "%s", o->x);
    snprintf(s->y, sizeof s->y, "%s", o->y ? o->y : "");
    snprintf(s->by, sizeof s->by, "%s", o->by ? o->by : "");
    if (!frame_need(f, o->x, &col, err))
        return false;
    s->x_unit = unit_of(column_type(frame_column(f, col)));
    s->log_x = o->log_x && s->x_unit == PLOT_NUMBER;
    ok = find_classes(f, o->by, pool, s, &k, err) &&
         (o->y ? make_cloud(s, f, col, o->y, &k, err)
               : make_distribution(s, f, col, o, &k, pool, err));
    free(k.of);
    return ok;
}

void
figure_fini(struct figure *s)
{
    for (size_t i = 0; i < FIGURE_CLASSES; i++) {
        free(s->class[i].x);
        free(s->class[i].y);
    }
    bins_fini(&s->bins);
    free(s->count);
    frame_unref(s->values);
    *s = (struct figure){0};
}

/* ---- drawing ---- */

static double
height_of(const struct figure *s, size_t class, size_t bin)
{
    double n = (double)s->count[class * (s->bins.n + 1) + bin];

    if (!s->by[0])
        return n;
    return s->class[class].rows ? 100 * n / (double)s->class[class].rows : 0;
}

/* Where a logarithmic axis of heights begins. */
static double
base_of(const struct figure *s)
{
    return !s->log_y ? 0 : s->by[0] ? 0.01 : 0.5;
}

/* Up and down at each column of dots, in its middle, so that both producers
 * of charts put it there; the last dot of a wide bar is left blank, so that
 * bars stand apart. */
static size_t
fill_bars(const struct figure *s, const struct chart_axis *a, double *x,
          double *y)
{
    double low = chart_on_axis(a->low, a->logarithmic), base = base_of(s);
    double dot = (chart_on_axis(a->high, a->logarithmic) - low) /
                 (double)(a->to - a->from);
    bool gaps = (double)(a->to - a->from) / (double)s->bins.n >= 4;
    size_t n = 0, bin, next = SIZE_MAX;

    for (int i = 0; i <= a->to - a->from; i++) {
        double at = low + dot * i, after = at + dot, h;

        at = a->logarithmic ? pow(10, at) : at;
        after = a->logarithmic ? pow(10, after) : after;
        bin = i ? next : bins_find(&s->bins, fmax(at, s->bins.edge[0]));
        next = bins_find(&s->bins, after);
        h = bin < s->bins.n && (!gaps || next == bin) ? height_of(s, 0, bin)
                                                      : 0;
        x[n] = at;
        y[n++] = base;
        x[n] = at;
        y[n++] = h > base ? h : base;
    }
    return n;
}

static size_t
outline(const struct figure *s, size_t class, double *x, double *y)
{
    double base = base_of(s);
    size_t n = 0;

    for (size_t i = 0; i < s->bins.n; i++) {
        double h = height_of(s, class, i);

        for (size_t side = 0; side < 2; side++) {
            x[n] = s->bins.edge[i + side];
            y[n++] = h > base ? h : base;
        }
    }
    return n;
}

/* The middle of the highest range of a class. */
static void
peak(const struct figure *s, size_t class, double *x, double *y)
{
    size_t best = 0;
    double low, high;

    for (size_t i = 1; i < s->bins.n; i++)
        if (height_of(s, class, i) > height_of(s, class, best))
            best = i;
    low = s->bins.edge[best];
    high = s->bins.edge[best + 1];
    *x = s->log_x ? sqrt(low * high) : (low + high) / 2;
    *y = fmax(height_of(s, class, best), base_of(s));
}

static void
add_series(struct figure_chart *c, const double *x, const double *y, size_t n,
           size_t class, char mark)
{
    c->series[c->spec.n_series++] = (struct plot_series){.x = x,
                                                         .y = y,
                                                         .n = n,
                                                         .ink = (int)class + 1,
                                                         .dots = mark,
                                                         .mark = mark};
}

/* The outline says how high the axis is, and so where the dots are. */
static void
chart_filled(const struct figure *s, int width, struct figure_chart *c)
{
    size_t each = 2 * s->bins.n + 4 * (size_t)width + 4;
    double *x = mem_new(2 * each * sizeof *x), *y = x + each;
    struct chart_frame f;

    c->room = x;
    add_series(c, x, y, outline(s, 0, x, y), 0, '\0');
    if (chart_frame_of(&c->spec, &f))
        c->series[0].n = fill_bars(s, &f.x, x, y);
}

static void
chart_outlines(const struct figure *s, struct figure_chart *c)
{
    size_t each = 2 * s->bins.n + 1;
    double *room = mem_new((2 * each + 2) * s->n_classes * sizeof *room);

    c->room = room;
    for (size_t i = 0; i < s->n_classes; i++, room += 2 * each + 2) {
        double *mark = room + 2 * each;

        add_series(c, room, room + each, outline(s, i, room, room + each), i,
                   '\0');
        peak(s, i, mark, mark + 1);
        add_series(c, mark, mark + 1, 1, i, (char)('a' + i));
    }
}

bool
figure_chart(const struct figure *s, int width, int height,
             enum plot_glyphs glyphs, struct figure_chart *c)
{
    *c = (struct figure_chart){0};
    if (s->values || s->low > s->high || width < 10 || height < 4)
        return false;
    c->spec = plot_spec_of(c->series, 0, width, height);
    c->spec.glyphs = glyphs;
    c->spec.log_x = s->log_x;
    c->spec.log_y = s->log_y;
    c->spec.series = c->series;
    c->spec.x_unit = s->x_unit;
    c->spec.y_unit = s->y_unit;
    if (s->bins.n > 0 && s->count) {
        c->spec.y_min = base_of(s);
        c->spec.x_min = s->bins.edge[0];
        c->spec.x_max = s->bins.edge[s->bins.n];
        if (s->by[0])
            chart_outlines(s, c);
        else
            chart_filled(s, width, c);
        return true;
    }
    c->spec.x_min = s->x_min;
    c->spec.x_max = s->x_max;
    for (size_t i = 0; i < s->n_classes; i++) {
        add_series(c, s->class[i].x, s->class[i].y, s->class[i].n, i,
                   s->by[0] ? (char)('a' + i) : '\0');
        c->series[i].dots = true;
    }
    return s->y[0];
}

void
figure_chart_fini(struct figure_chart *c)
{
    free(c->room);
    *c = (struct figure_chart){0};
}

void
figure_note(const struct figure *s, struct buf *out)
{
    char n[STR_F64_MAX], of[STR_F64_MAX];
    size_t step = s->n_rows / FIGURE_POINTS + 1;

    if (s->count && s->bins.step[0])
        buf_printf(out, "ranges of %s · %s", s->bins.step,
                   s->by[0] ? "percent of each class" : "rows");
    else if (s->count)
        buf_printf(out, "%zu ranges · %s", s->bins.n,
                   s->by[0] ? "percent of each class" : "rows");
    str_from_count(s->n_rows, of);
    str_from_count((s->n_rows + step - 1) / step, n);
    if (s->y[0] && step > 1)
        buf_printf(out, "%s of %s rows", n, of);
    else if (s->y[0])
        buf_printf(out, "%s rows", of);
    str_from_count(s->n_left_out, n);
    if (s->n_left_out)
        buf_printf(out, " · %s left out", n);
}

/* ---- files ---- */

enum { MOST_BARS = 30 };

/* Ranges are outlines, of one class filled; colours tell classes apart, so
 * there are no letters. */
static void
plain_series(const struct figure *s, struct figure_chart *c)
{
    size_t each = 2 * s->bins.n + 1, n = 0;

    if (!s->count) { /* a cloud */
        for (size_t i = 0; i < c->spec.n_series; i++)
            c->series[i].mark = '\0';
        return;
    }
    if (s->by[0]) {
        for (size_t i = 0; i < c->spec.n_series; i++)
            if (!c->series[i].mark)
                c->series[n++] = c->series[i];
        c->spec.n_series = n;
        return;
    }
    free(c->room);
    c->room = mem_new(2 * each * sizeof *c->room);
    c->series[0].x = c->room;
    c->series[0].y = c->room + each;
    c->series[0].n = outline(s, 0, c->room, c->room + each);
}

static bool
export_numbers(const struct figure *s, const char *title, const char *path,
               struct error *err)
{
    char room[FIGURE_CLASSES][96], n[STR_F64_MAX];
    const char *names[2 * FIGURE_CLASSES] = {NULL};
    struct plot_words words = {.title = title, .x = s->x, .names = names};
    struct figure_chart c;
    bool ok;

    words.filled = s->count && !s->by[0];
    words.y = s->y[0] ? s->y : s->by[0] ? "percent of each class" : "rows";
    if (!figure_chart(s, 100, 40, PLOT_BRAILLE, &c)) {
        figure_chart_fini(&c);
        return error_set(err, ERR_RANGE, "%s has no value that can be drawn",
                         s->x);
    }
    plain_series(s, &c);
    for (size_t i = 0; s->by[0] && i < s->n_classes; i++) {
        str_from_count(s->class[i].rows, n);
        snprintf(room[i], sizeof room[i], "%s (%s)", s->class[i].name, n);
        names[i] = room[i];
    }
    ok = plot_export(&c.spec, &words, path, err);
    figure_chart_fini(&c);
    return ok;
}

static bool
export_values(const struct figure *s, const char *title, const char *path,
              struct error *err)
{
    size_t n = frame_rows(s->values) < MOST_BARS ? frame_rows(s->values)
                                                 : (size_t)MOST_BARS;
    const struct column *value = frame_column(s->values, 0);
    double *x = mem_new(2 * (n + 1) * sizeof *x);
    char **bars = mem_new((n + 1) * sizeof *bars);
    struct plot_series one = {.x = x, .y = x + n, .n = n, .ink = 1};
    struct plot_spec spec = plot_spec_of(&one, 1, 100, 40);
    struct plot_words words = {
        .title = title, .x = "rows", .bars = (const char *const *)bars};
    bool ok;

    for (size_t i = 0; i < n; i++) {
        struct buf b;

        buf_init(&b);
        if (column_is_valid(value, i))
            column_print(value, i, &b);
        else
            buf_puts(&b, "missing");
        bars[i] = buf_take(&b);
        x[i] = column_number(frame_column(s->values, 1), i);
    }
    ok = n > 0 ? plot_export(&spec, &words, path, err)
               : error_set(err, ERR_RANGE, "%s has no value that can be drawn",
                           s->x);
    for (size_t i = 0; i < n; i++)
        free(bars[i]);
    free(bars);
    free(x);
    return ok;
}

bool
figure_export(const struct figure *s, const char *title, const char *path,
              struct error *err)
{
    return s->values ? export_values(s, title, path, err)
                     : export_numbers(s, title, path, err);
}
