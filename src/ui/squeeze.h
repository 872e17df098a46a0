/* ui/squeeze.h -- fewer bytes for the same frame: what curses cannot know.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_SQUEEZE_H
#define LATHE_UI_SQUEEZE_H

#include "base/buf.h"
#include "ui/draw.h"

/* One sequence for each run of colour sequences: "ESC [ 39 m ESC ( B ESC [ 0;1
 * m ESC [ 38;5;75 m" becomes "ESC [ 0;1;38;5;75 m"; what a later reset undoes
 * is left out.  For terminals that follow ECMA-48, and where no other
 * character set is ever chosen. */
void squeeze_sgr(struct buf *b);

/* A blank looks the same in any ink: inside a style it takes that, elsewhere
 * the plainest, so that nothing is sent for its sake. */
void squeeze_blanks(struct glyph *cells, int w, const struct theme *theme,
                    int colours);
#endif
