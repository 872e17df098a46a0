/* session/explanation_chart.c -- effects as curves: the mean of all rows, the
 * rows by themselves, or the means of the classes.
 *
 * The axis reaches at least over a part of the range that the answers have, so
 * that an input without effect looks like one.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/explanation.h"

enum { CURVES_SHOWN = 50, CURVES_IN_CELLS = 12, ROW_INK = 8 };
#define FLAT 0.25 /* that part */

struct curves {
    struct plot_series series[CURVES_SHOWN + 1];
    size_t n, points;
    double *x, *y;    /* owned */
    double low, high; /* of the answers that they are means of */
};

bool
explanation_has_line(const struct explanation *e)
{
    return e->effect.type != COL_TEXT && e->effect.n_points > 1;
}

/* The place of a point of the grid on the axis. */
static double
place_of(const struct effect *e, size_t point)
{
    return e->type == COL_TEXT ? (double)point : column_number(e->grid, point);
}

static double
answer(const struct effect *e, size_t point, size_t row, size_t output)
{
    return e->value[(point * e->n_rows + row) * e->k + output];
}

static void
widen(struct curves *c, const struct effect *e, size_t output)
{
    for (size_t p = 0; p < e->n_points; p++)
        for (size_t r = 0; r < e->n_rows; r++) {
            c->low = fmin(c->low, answer(e, p, r, output));
            c->high = fmax(c->high, answer(e, p, r, output));
        }
}

static double *
add_curve(struct curves *c, int ink, const char *label)
{
    double *y = c->y + c->n * c->points;

    c->series[c->n++] = (struct plot_series){
        .x = c->x, .y = y, .n = c->points, .ink = ink, .label = label};
    return y;
}

static void
add_mean(struct curves *c, const struct effect *e, size_t output, int ink,
         const char *label)
{
    double *y = add_curve(c, ink, label);

    for (size_t p = 0; p < c->points; p++)
        y[p] = effect_mean(e, p, output);
    widen(c, e, output);
}

static void
add_rows(struct curves *c, const struct effect *e, size_t output, size_t most)
{
    size_t n = e->n_rows < most ? e->n_rows : most;

    for (size_t i = 0; i < n; i++) {
        double *y = add_curve(c, ROW_INK, NULL);

        for (size_t p = 0; p < c->points; p++)
            y[p] = answer(e, p, i * e->n_rows / n, output);
    }
}

static void
add_curves(struct curves *c, const struct explanation *x, long output,
           size_t most)
{
    const struct effect *e = &x->effect;

    if (x->kind == EXPLANATION_CURVES)
        add_rows(c, e, output < 0 ? 0 : (size_t)output, most);
    if (output >= 0 || e->k == 1) {
        add_mean(c, e, output < 0 ? 0 : (size_t)output, 1, NULL);
        return;
    }
    for (size_t k = 0; k < e->k && k < EXPLANATION_LINES; k++)
        add_mean(c, e, k, (int)k + 1, k < e->names.n ? e->names.name[k] : NULL);
}

static struct plot_spec
curves_spec(const struct curves *c, const struct explanation *x, int width,
            int height)
{
    struct plot_spec spec = plot_spec_of(c->series, c->n, width, height);
    double least = FLAT * (c->high - c->low), low = INFINITY, high = -INFINITY;

    for (size_t i = 0; i < c->n * c->points; i++) {
        low = fmin(low, c->y[i]);
        high = fmax(high, c->y[i]);
    }
    if (high - low < least && isfinite(least)) {
        double middle = (low + high) / 2;

        low = fmax(c->low, middle - least / 2);
        spec.y_min = low;
        spec.y_max = low + least;
    }
    if (x->effect.type == COL_DATE)
        spec.x_unit = PLOT_DAYS;
    else if (x->effect.type == COL_TIMESTAMP)
        spec.x_unit = PLOT_SECONDS;
    return spec;
}

static bool
curves_init(struct curves *c, const struct explanation *e, long output,
            size_t most, struct error *err)
{
    *c = (struct curves){
        .points = e->effect.n_points, .low = INFINITY, .high = -INFINITY};
    c->x = mem_try_array(c->points, sizeof *c->x, err);
    c->y = mem_try_array((CURVES_SHOWN + 1) * c->points, sizeof *c->y, err);
    if (!c->x || !c->y)
        return false;
    for (size_t p = 0; p < c->points; p++)
        c->x[p] = place_of(&e->effect, p);
    add_curves(c, e, output, most);
    return true;
}

static void
curves_fini(struct curves *c)
{
    free(c->x);
    free(c->y);
}

bool
explanation_chart(const struct explanation *e, long output, int width,
                  int height, enum plot_glyphs glyphs, struct plot_image *out,
                  struct error *err)
{
    struct curves c;
    bool ok = curves_init(&c, e, output, CURVES_IN_CELLS, err);

    if (ok) {
        struct plot_spec spec = curves_spec(&c, e, width, height);

        spec.glyphs = glyphs;
        ok = plot_draw(&spec, out, err);
    }
    curves_fini(&c);
    return ok;
}

bool
explanation_svg(const struct explanation *e, struct buf *out, struct error *err)
{
    struct curves c;
    bool ok = curves_init(&c, e, e->output, CURVES_SHOWN, err);

    if (ok) {
        struct plot_spec spec =
            curves_spec(&c, e, PLOT_SVG_CELLS, PLOT_SVG_ROWS);

        ok = plot_svg(&spec, out, err);
    }
    curves_fini(&c);
    return ok;
}
