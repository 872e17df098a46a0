/* session/plot.h -- charts in text cells, through gnuplot or without it.
 *
 * Two producers make one display list: a persistent gnuplot child with a
 * terminal driver of ours (lua/plot/driver.lua), and a built-in layout of
 * ticks and lines for when gnuplot is missing, hung or too old.  One
 * rasteriser turns the list into cells: braille dots (2 x 4 a cell), block or
 * ASCII characters.  Series are decimated to the dots there are before
 * anything is sent: first, last, least and largest of each dot column.
 *
 * Colour is not here: a cell has an ink, and the screen's theme gives it one.
 *
 * Threads: main thread.  A request never blocks: pipes are non-blocking and
 * watched by the loop, one frame is in flight, the newest request waits, older
 * ones are dropped.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_PLOT_H
#define LATHE_SESSION_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/loop.h"

enum plot_ink { INK_TEXT = 0, INK_AXIS = -1, INK_GRID = -2 }; /* > 0: series */
enum plot_glyphs { PLOT_BRAILLE, PLOT_BLOCK, PLOT_ASCII };
/* What an axis measures: days and seconds are since 1970-01-01. */
enum plot_unit { PLOT_NUMBER, PLOT_DAYS, PLOT_SECONDS };

struct plot_series {
    const double *x, *y; /* NaN in y is a gap */
    size_t n;
    int ink;           /* 1, 2, ... */
    const char *label; /* drawn where the line ends: "a 0.571"; may be NULL */
    bool dots;         /* points instead of a line */
    char mark;         /* of points: this letter in each cell where the series
                          has more of them than any other; 0: braille dots */
};

struct plot_spec {
    const struct plot_series *series;
    size_t n_series;
    int width, height;                 /* cells, at least 10 x 4 */
    bool log_x, log_y;                 /* values <= 0 are left out */
    double x_min, x_max, y_min, y_max; /* NaN: from the data */
    enum plot_glyphs glyphs;
    enum plot_unit x_unit, y_unit; /* not of a logarithmic axis */
};

/* Linear axes, ranges from the data. */
struct plot_spec
plot_spec_of(const struct plot_series *series, size_t n, int width, int height);

struct plot_cell {
    uint32_t cp; /* what to draw; 0: nothing */
    int ink;
};
struct plot_image {
    int width, height;
    struct plot_cell *cell; /* row by row; owned */
};
void plot_image_fini(struct plot_image *im);
/* *to becomes a copy of im; what it held is released. */
void plot_image_copy(struct plot_image *to, const struct plot_image *im);
const struct plot_cell *
plot_image_at(const struct plot_image *im, int x, int y);
/* As lines of text without colour. */
void plot_image_text(const struct plot_image *im, struct buf *out);

/* The built-in producer, at once. */
bool plot_draw(const struct plot_spec *spec, struct plot_image *out,
               struct error *err) MUST_USE;

/* The same as inline SVG for a page whose style sheet colours the classes s1,
 * s2, ... (lines), t1, t2, ... (labels), grid and axis. */
bool plot_svg(const struct plot_spec *spec, struct buf *out,
              struct error *err) MUST_USE;
enum { PLOT_SVG_CELLS = 80, PLOT_SVG_ROWS = 18 }; /* a size that fits a page */
/* Such an element as a file of its own, with its colours. */
void plot_svg_alone(const char *svg, struct buf *out);
/* The lines and labels from 3 on in a style sheet; 8 stands behind the others:
 * what guessing gives, rows beside their mean. */
#define PLOT_SVG_MORE                              \
    ".s3 { stroke: #009e73; stroke-width: 2 }\n"   \
    ".s4 { stroke: #cc79a7; stroke-width: 2 }\n"   \
    ".s5 { stroke: #b8860b; stroke-width: 2 }\n"   \
    ".s6 { stroke: #56b4e9; stroke-width: 2 }\n"   \
    ".s7 { stroke: #777777; stroke-width: 2 }\n"   \
    ".s8 { stroke: #999999; stroke-width: 0.5 }\n" \
    ".t3 { fill: #009e73 }\n"                      \
    ".t4 { fill: #cc79a7 }\n"                      \
    ".t5 { fill: #b8860b }\n"                      \
    ".t6 { fill: #56b4e9 }\n"                      \
    ".t7 { fill: #777777 }\n"

struct plotter;

/* gnuplot is started by the first request.  note() is called once, on the main
 * thread, with a sentence when the built-in layout has to stand in. */
struct plotter *
plotter_new(struct loop *loop, void (*note)(void *ctx, const char *text),
            void *ctx);
void plotter_free(struct plotter *p);
/* Ask for a frame; done() comes later from the loop (or at once when the
 * built-in layout draws) unless a newer request replaced this one.  The spec
 * is copied.  The image is lent for the call. */
typedef void plot_done(void *ctx, const struct plot_image *im);
void plotter_request(struct plotter *p, const struct plot_spec *spec,
                     plot_done *done, void *ctx);
bool plotter_uses_gnuplot(const struct plotter *p);
/* What a file says beside its axes; each may be NULL. */
struct plot_words {
    const char *title, *x, *y;
    const char *const *names; /* of the series */
    bool filled;              /* lines, down to the axis */
    /* Series 0 is bars to the right, from the top down: x says how long, and
     * these what of. */
    const char *const *bars;
};
/* Full-resolution file by gnuplot: .svg or .png, with the axes that the screen
 * has.  Blocks; pool job only.  ERR_RANGE: nothing to draw. */
bool plot_export(const struct plot_spec *spec, const struct plot_words *words,
                 const char *path, struct error *err) MUST_USE;
#endif
