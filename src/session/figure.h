/* session/figure.h -- charts of a table's columns: how one is distributed, or
 * two lie to each other, by class where one wants.
 *
 * Made on a pool job from a frame, then drawn in any size.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_FIGURE_H
#define LATHE_SESSION_FIGURE_H

#include "base/pool.h"
#include "frame/bins.h"
#include "session/plot.h"

struct frame;

enum {
    FIGURE_CLASSES = 7,    /* at most */
    FIGURE_POINTS = 20000, /* of a cloud; more rows are drawn from evenly */
    FIGURE_BINS = 40       /* about, when nobody says */
};

struct figure_options {
    const char *x, *y; /* y NULL: how x is distributed */
    const char *by;    /* column of the classes; NULL: none */
    size_t bins;       /* about; 0: FIGURE_BINS */
    bool log_x, log_y;
    double x_min, x_max; /* only from here to there; NaN: all */
};

struct figure_class {
    char name[64]; /* "" when there are no classes */
    size_t rows;
    double *x, *y; /* of a cloud; owned */
    size_t n;
};

struct figure {
    char x[128], y[128], by[128];
    bool log_x, log_y;
    enum plot_unit x_unit, y_unit;
    double x_min, x_max;       /* as asked for */
    double low, high;          /* of x, all of it; low > high: no value */
    size_t n_rows, n_left_out; /* not there, or not on a logarithmic axis */
    struct figure_class class[FIGURE_CLASSES];
    size_t n_classes;     /* at least 1 */
    struct bins bins;     /* of a distribution of numbers */
    size_t *count;        /* n_classes x (bins.n + 1); owned */
    struct frame *values; /* of one of texts: query_frequency(); else NULL */
};

/* ERR_NOTFOUND; ERR_TYPE: a cloud of texts; ERR_RANGE: more classes than
 * FIGURE_CLASSES.  The caller calls figure_fini, also after a failure. */
bool
figure_make(const struct frame *f, const struct figure_options *o,
            struct pool *pool, struct figure *out, struct error *err) MUST_USE;
void figure_fini(struct figure *s);

/* What a figure is in a chart of so many cells. */
struct figure_chart {
    struct plot_spec spec;
    struct plot_series series[2 * FIGURE_CLASSES];
    double *room; /* owned */
};
/* False when there is nothing to draw with lines and points: no value, or
 * texts, which the caller draws from s->values. */
bool figure_chart(const struct figure *s, int width, int height,
                  enum plot_glyphs glyphs, struct figure_chart *out);
void figure_chart_fini(struct figure_chart *c);
/* Into a file, .svg or .png, by gnuplot, under this title; texts as bars.  On a
 * pool job; ERR_RANGE when there is no value. */
bool figure_export(const struct figure *s, const char *title, const char *path,
                   struct error *err) MUST_USE;
/* "ranges of 5", "20,000 of 1,000,000 rows", what is left out. */
void figure_note(const struct figure *s, struct buf *out);
#endif
