/* ui/draw_plot.c -- the image of a chart on a canvas.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/draw_plot.h"

unsigned
draw_plot_role(int ink)
{
    if (ink == INK_GRID || ink > DRAW_PLOT_FAINT)
        return ROLE_GRID;
    if (ink == INK_AXIS || ink == INK_TEXT)
        return ROLE_CHART;
    return ROLE_SERIES_0 + (unsigned)(ink - 1) % THEME_SERIES;
}

void
draw_plot(const struct canvas *c, int x, int y, const struct plot_image *im,
          int row, int rows)
{
    for (int i = row; i < row + rows && i < im->height; i++)
        for (int k = 0; k < im->width; k++) {
            const struct plot_cell *cell = plot_image_at(im, k, i);

            if (cell->cp)
                draw_cp(c, x + k, y + i - row, draw_plot_role(cell->ink),
                        cell->cp);
        }
}
