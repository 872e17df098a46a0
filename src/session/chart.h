/* session/chart.h -- the display list between the two producers of a chart and
 * its rasteriser.  Used by plot.c, figure.c and chart_*.c only; plot.h is the door.
 *
 * Coordinates are braille dots (2 x 4 a cell) times `sub`, origin bottom left.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_CHART_H
#define LATHE_SESSION_CHART_H

#include "base/str.h"
#include "session/plot.h"

enum chart_kind { CHART_LINE, CHART_POINT, CHART_TEXT };
enum chart_just { CHART_LEFT, CHART_CENTRE, CHART_RIGHT };

struct chart_item {
    enum chart_kind kind;
    int ink;
    size_t first, n;       /* points of the list; n = 1 for a point or a text */
    size_t text, text_len; /* bytes of the list's text */
    enum chart_just just;
};

struct chart_list {
    int columns, rows, sub;
    struct chart_item *item;
    size_t n_items, cap_items;
    int32_t *xy; /* x, y, x, y, ... */
    size_t n_points, cap_points;
    struct buf text;
    bool failed; /* no memory: the list is not to be drawn */
};

void chart_init(struct chart_list *l, int columns, int rows, int sub);
void chart_fini(struct chart_list *l);
/* A new item; points are added to the last one. */
void chart_begin(struct chart_list *l, enum chart_kind kind, int ink);
void chart_point(struct chart_list *l, int32_t x, int32_t y);
void chart_text(struct chart_list *l, int32_t x, int32_t y,
                enum chart_just just, struct str text);

/* Series without what cannot be drawn: of a line at most four points a dot
 * column, of points one a dot, or one a cell that its mark has won.  Dots are
 * those of f, times `scale`. */
struct chart_data {
    double *x, *y; /* owned; NaN in y breaks the line */
    size_t n;
};
struct chart_frame;
bool chart_decimate(const struct plot_spec *spec, size_t series,
                    const struct chart_frame *f, int scale,
                    struct chart_data *out, struct error *err) MUST_USE;
/* What an axis says, and where. */
enum { CHART_MAX_TICKS = 40, CHART_TICK_TEXT = 24 };
struct chart_ticks {
    double at[CHART_MAX_TICKS]; /* rising */
    char text[CHART_MAX_TICKS][CHART_TICK_TEXT];
    int n, widest;
};
struct chart_axis {
    double low, high; /* the values at the dots `from` and `to` */
    int from, to;
    bool logarithmic;
    struct chart_ticks tick;
};
struct chart_frame {
    struct chart_axis x, y;
    int left, right; /* columns left of the y axis, right of the curves */
};
/* False when there is nothing finite to draw.  Labels of an axis never touch:
 * a blank between those below, a row between those to the left (but in charts
 * of four rows). */
bool chart_frame_of(const struct plot_spec *spec, struct chart_frame *out);
int32_t chart_axis_dot(const struct chart_axis *a, double v);
/* A value as the axis measures it; NaN when it cannot be shown. */
double chart_on_axis(double v, bool logarithmic);
/* Cells [*from, *to) of a label w wide under a dot, inside the chart. */
void chart_label_cells(int columns, int dot, int w, int *from, int *to);
/* The labelled series by the height of their ends, the highest first. */
enum { CHART_MAX_SERIES = 16 };
size_t chart_order_of_ends(const struct plot_spec *spec,
                           const struct plot_series **out);
double chart_last_value(const struct plot_series *s);
/* A line of one value, which needs a mark to be seen. */
bool chart_is_point(const struct plot_spec *spec, const struct plot_series *s);
/* Cells to keep free on the right for the labels of the lines. */
int chart_label_width(const struct plot_spec *spec);

/* The built-in layout. */
bool chart_layout(const struct plot_spec *spec, struct chart_list *l,
                  struct error *err) MUST_USE;
/* What the gnuplot driver wrote between BEGIN and END. */
bool
chart_parse(struct str text, struct chart_list *l, struct error *err) MUST_USE;
bool chart_raster(const struct chart_list *l, const struct plot_spec *spec,
                  struct plot_image *out, struct error *err) MUST_USE;
#endif
