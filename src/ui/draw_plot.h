/* ui/draw_plot.h -- the image of a chart on a canvas.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_DRAW_PLOT_H
#define LATHE_UI_DRAW_PLOT_H

#include "session/plot.h"
#include "ui/draw.h"

/* Inks above it are drawn faint: the raw values behind a smoothed line. */
enum { DRAW_PLOT_FAINT = 8 };

/* The role of an ink (enum plot_ink, or a series from 1). */
unsigned draw_plot_role(int ink);
/* Rows [row, row + rows) of the image, from (x, y) of the canvas. */
void draw_plot(const struct canvas *c, int x, int y,
               const struct plot_image *im, int row, int rows);
#endif
