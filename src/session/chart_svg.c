/* session/chart_svg.c -- a chart as inline SVG, with the axes it has in cells.
 *
 * Colours are classes for the page's style sheet: s1, s2, ... for series, grid,
 * axis.  A cell is 8 x 16 units.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "session/chart.h"

enum { DOT = 4, TOP = 8 }; /* above: half of a label */

static double
place_of(const struct chart_axis *a, double v)
{
    double low = chart_on_axis(a->low, a->logarithmic);
    double high = chart_on_axis(a->high, a->logarithmic);
    double f = (chart_on_axis(v, a->logarithmic) - low) / (high - low);

    f = f < 0 ? 0 : f > 1 ? 1 : f;
    return DOT * (a->from + f * (a->to - a->from) + 0.5);
}

static void
put_axes(const struct plot_spec *spec, const struct chart_frame *f,
         struct buf *out)
{
    int left = DOT * (2 * f->left + 1), right = DOT * f->x.to;
    int bottom = DOT * 4 * (spec->height - 1) - DOT * 2;

    for (int i = 0; i < f->y.tick.n; i++) {
        double y = DOT * 4 * spec->height - place_of(&f->y, f->y.tick.at[i]);

        buf_printf(out,
                   "<path class=\"grid\" d=\"M%d %.1fH%d\"/>"
                   "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                   left, y, right, left - 2 * DOT, y + DOT, f->y.tick.text[i]);
    }
    for (int i = 0; i < f->x.tick.n; i++) {
        double x = place_of(&f->x, f->x.tick.at[i]);

        buf_printf(out,
                   "<path class=\"axis\" d=\"M%.1f %dv%d\"/>"
                   "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s"
                   "</text>\n",
                   x, bottom, DOT, x, bottom + 5 * DOT, f->x.tick.text[i]);
    }
    buf_printf(out, "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>\n", left, DOT,
               bottom, right);
}

/* Of a line of one value. */
static void
put_point(const struct plot_spec *spec, const struct chart_frame *f,
          const struct plot_series *s, const struct chart_data *d,
          struct buf *out)
{
    for (size_t i = 0; i < d->n; i++)
        if (!isnan(d->y[i]))
            buf_printf(
                out,
                "<circle class=\"t%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n",
                s->ink, place_of(&f->x, d->x[i]),
                DOT * 4 * spec->height - place_of(&f->y, d->y[i]));
}

static void
put_series(const struct plot_spec *spec, const struct chart_frame *f,
           const struct plot_series *s, const struct chart_data *d,
           struct buf *out)
{
    bool fresh = true;

    if (chart_is_point(spec, s)) {
        put_point(spec, f, s, d, out);
        return;
    }
    buf_printf(out, "<path class=\"s%d\" d=\"", s->ink);
    for (size_t i = 0; i < d->n; i++) {
        if (!isnan(d->y[i]))
            buf_printf(out, "%c%.1f %.1f%s", fresh || s->dots ? 'M' : 'L',
                       place_of(&f->x, d->x[i]),
                       DOT * 4 * spec->height - place_of(&f->y, d->y[i]),
                       s->dots ? "h1" : "");
        fresh = isnan(d->y[i]);
    }
    buf_puts(out, "\"/>\n");
}

/* Beside the ends of their lines, none on another. */
static void
put_labels(const struct plot_spec *spec, const struct chart_frame *f,
           struct buf *out)
{
    const struct plot_series *order[CHART_MAX_SERIES];
    size_t n = chart_order_of_ends(spec, order);
    double above = -INFINITY;

    for (size_t i = 0; i < n; i++) {
        double y = DOT * 4 * spec->height -
                   place_of(&f->y, chart_last_value(order[i])) + DOT;

        y = fmax(y, above + 4 * DOT);
        above = y;
        buf_printf(out, "<text class=\"t%d\" x=\"%d\" y=\"%.1f\">",
                   order[i]->ink, DOT * (f->x.to + 3), y);
        buf_html(out, order[i]->label, strlen(order[i]->label));
        buf_puts(out, "</text>\n");
    }
}

bool
plot_svg(const struct plot_spec *spec, struct buf *out, struct error *err)
{
    struct chart_frame f;
    int w = spec->width * 2 * DOT, h = spec->height * 4 * DOT;

    if (!chart_frame_of(spec, &f))
        return error_set(err, ERR_RANGE, "nothing to draw");
    buf_printf(out, "<svg viewBox=\"0 %d %d %d\" width=\"%d\" role=\"img\">\n",
               -TOP, w, h + TOP, w);
    put_axes(spec, &f, out);
    for (size_t i = 0; i < spec->n_series; i++) {
        struct chart_data d;

        if (!chart_decimate(spec, i, &f, DOT, &d, err))
            return false;
        put_series(spec, &f, &spec->series[i], &d, out);
        free(d.x);
        free(d.y);
    }
    put_labels(spec, &f, out);
    buf_puts(out, "</svg>\n");
    return true;
}

void
plot_svg_alone(const char *svg, struct buf *out)
{
    const char *head = "<svg ", *body = strstr(svg, ">\n");

    if (strncmp(svg, head, strlen(head)) != 0 || !body)
        return;
    buf_puts(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" ");
    buf_add(out, svg + strlen(head), (size_t)(body - svg) - strlen(head));
    buf_puts(out, ">\n<style>\n"
                  "text { font: 12px sans-serif; fill: #666666 }\n"
                  "path { fill: none; stroke: #666666 }\n"
                  ".grid { stroke: #cccccc }\n"
                  ".s1 { stroke: #0072b2; stroke-width: 2 }\n"
                  ".s2 { stroke: #d55e00; stroke-width: 2; "
                  "stroke-dasharray: 6 3 }\n"
                  ".t1 { fill: #0072b2 }\n"
                  ".t2 { fill: #d55e00 }\n" PLOT_SVG_MORE "</style>\n");
    buf_puts(out, body + 2);
}
