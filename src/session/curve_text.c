/* session/curve_text.c -- a curve of an evaluation as a chart in text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/curve_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "session/plot.h"

enum { LINES = 8, CHART_ROWS = 16, CHART_CELLS = 72, LEAST_CELLS = 24 };

struct lines {
    struct plot_series series[LINES];
    char label[LINES][32];
    size_t n, n_classes;
    double *x, *y;
};

static size_t
column_of(const struct frame *f, const char *name)
{
    long col = frame_find(f, name);

    return col < 0 ? 0 : (size_t)col;
}

/* Rows of a class stand together. */
static bool
same_class(const struct frame *f, size_t a, size_t b)
{
    long col = frame_find(f, "class");

    return col < 0 || str_eq(column_text(frame_column(f, (size_t)col), a),
                             column_text(frame_column(f, (size_t)col), b));
}

static void
label_of(const struct frame *f, size_t row, char label[32])
{
    long col = frame_find(f, "class");
    struct str t = {"", 0};
    struct buf b;

    buf_init(&b);
    if (col >= 0)
        t = column_text(frame_column(f, (size_t)col), row);
    buf_plain(&b, t.p, t.n, 10);
    snprintf(label, 32, "%s", b.data);
    buf_fini(&b);
}

static bool
lines_init(struct lines *l, const struct frame *f,
           const struct curve_look *look, struct error *err)
{
    size_t n = frame_rows(f);

    if (!(l->x = mem_try_array(n, sizeof *l->x, err)) ||
        !(l->y = mem_try_array(n, sizeof *l->y, err)))
        return false;
    column_numbers(frame_column(f, column_of(f, look->x)), 0, n, l->x);
    column_numbers(frame_column(f, column_of(f, look->y)), 0, n, l->y);
    for (size_t i = 0, end; i < n; i = end) {
        struct plot_series *s = &l->series[l->n];

        for (end = i + 1; end < n && same_class(f, i, end); end++)
            ;
        if (++l->n_classes >= LINES)
            continue;
        label_of(f, i, l->label[l->n]);
        *s = (struct plot_series){.x = l->x + i,
                                  .y = l->y + i,
                                  .n = end - i,
                                  .ink = (int)l->n + 1,
                                  .label = l->label[l->n]};
        l->n++;
    }
    return true;
}

/* What guessing would give: the diagonal. */
static void
add_diagonal(struct lines *l, enum curve_kind kind)
{
    static const double ends[] = {0, 1};

    if (kind == CURVE_PR || kind == CURVE_THRESHOLD)
        return;
    l->series[l->n++] = (struct plot_series){
        .x = ends, .y = ends, .n = 2, .ink = LINES, .label = NULL};
}

static struct plot_spec
lines_spec(const struct lines *l, int width, int height)
{
    struct plot_spec spec = plot_spec_of(l->series, l->n, width, height);

    spec.x_min = spec.y_min = 0;
    spec.x_max = spec.y_max = 1;
    return spec;
}

static void
lines_fini(struct lines *l)
{
    free(l->x);
    free(l->y);
}

bool
curve_text(const struct frame *f, enum curve_kind kind, size_t width,
           bool plain, struct buf *out, struct error *err)
{
    const struct curve_look *look = curve_look(kind);
    int cells = width < LEAST_CELLS   ? LEAST_CELLS
                : width > CHART_CELLS ? CHART_CELLS
                                      : (int)width;
    struct lines l = {0};
    struct plot_image im;
    struct plot_spec spec;
    bool ok = lines_init(&l, f, look, err);

    if (ok) {
        add_diagonal(&l, kind);
        spec = lines_spec(&l, cells, CHART_ROWS);
        spec.glyphs = plain ? PLOT_ASCII : PLOT_BRAILLE;
        ok = plot_draw(&spec, &im, err);
    }
    if (ok) {
        buf_printf(out, "%s: %s over %s\n", look->title, look->y, look->x);
        plot_image_text(&im, out);
        if (l.n_classes >= LINES)
            buf_printf(out, "%d of %zu classes\n", LINES - 1, l.n_classes);
        plot_image_fini(&im);
    }
    lines_fini(&l);
    return ok;
}

bool
curve_svg(const struct frame *f, enum curve_kind kind, struct buf *out,
          struct error *err)
{
    struct lines l = {0};
    bool ok = lines_init(&l, f, curve_look(kind), err);

    if (ok) {
        struct plot_spec spec;

        add_diagonal(&l, kind);
        spec = lines_spec(&l, PLOT_SVG_CELLS, PLOT_SVG_ROWS);
        ok = plot_svg(&spec, out, err);
    }
    lines_fini(&l);
    return ok;
}
