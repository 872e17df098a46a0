/* session/sketch.h -- charts of a table's columns: how one is distributed, or
 * two lie to each other, by class where one wants.
 *
 * Made on a pool job from a frame, then drawn in any size.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_SKETCH_H
#define LATHE_SESSION_SKETCH_H

#include "base/pool.h"
#include "frame/bins.h"
#include "session/plot.h"

struct frame;

enum {
    SKETCH_CLASSES = 7,    /* at most */
    SKETCH_POINTS = 20000, /* of a cloud; more rows are drawn from evenly */
    SKETCH_BINS = 40       /* about, when nobody says */
};

struct sketch_options {
    const char *x, *y; /* y NULL: how x is distributed */
    const char *by;    /* column of the classes; NULL: none */
    size_t bins;       /* about; 0: SKETCH_BINS */
    bool log_x, log_y;
    double x_min, x_max; /* only from here to there; NaN: all */
};

struct sketch_class {
    char name[64]; /* "" when there are no classes */
    size_t rows;
    double *x, *y; /* of a cloud; owned */
    size_t n;
};

struct sketch {
    char x[128], y[128], by[128];
    bool log_x, log_y;
    enum plot_unit x_unit, y_unit;
    double x_min, x_max;       /* as asked for */
    double low, high;          /* of x, all of it; low > high: no value */
    size_t n_rows, n_left_out; /* not there, or not on a logarithmic axis */
    struct sketch_class class[SKETCH_CLASSES];
    size_t n_classes;     /* at least 1 */
    struct bins bins;     /* of a distribution of numbers */
    size_t *count;        /* n_classes x (bins.n + 1); owned */
    struct frame *values; /* of one of texts: query_frequency(); else NULL */
};

/* ERR_NOTFOUND; ERR_TYPE: a cloud of texts; ERR_RANGE: more classes than
 * SKETCH_CLASSES.  The caller calls sketch_fini, also after a failure. */
bool
sketch_make(const struct frame *f, const struct sketch_options *o,
            struct pool *pool, struct sketch *out, struct error *err) MUST_USE;
void sketch_fini(struct sketch *s);

/* What a sketch is in a chart of so many cells. */
struct sketch_chart {
    struct plot_spec spec;
    struct plot_series series[2 * SKETCH_CLASSES];
    double *room; /* owned */
};
/* False when there is nothing to draw with lines and points: no value, or
 * texts, which the caller draws from s->values. */
bool sketch_chart(const struct sketch *s, int width, int height,
                  enum plot_glyphs glyphs, struct sketch_chart *out);
void sketch_chart_fini(struct sketch_chart *c);
/* "ranges of 5", "20,000 of 1,000,000 rows", what is left out. */
void sketch_note(const struct sketch *s, struct buf *out);
#endif
