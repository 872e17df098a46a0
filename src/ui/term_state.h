/* ui/term_state.h -- a terminal inside; for term.c and term_frame.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_TERM_STATE_H
#define LATHE_UI_TERM_STATE_H

#include <curses.h>
#include <stdio.h>
#include <termios.h>

#include "base/buf.h"
#include "ui/term.h"

struct term {
    int fd_in, fd_out;
    bool own_out; /* fd_out is not fd_in */
    struct termios cooked;
    char name[64];     /* as given */
    const char *entry; /* the terminfo entry used */
    bool utf8, tmux, plain, printer, mouse, forced_mono, suspended;
    enum glyph_set glyphs;
    int colours;

    SCREEN *screen;
    FILE *memory, *nothing; /* what curses writes to and never reads */
    struct grid *shown;     /* the last frame, folded */
    cchar_t *row;           /* one row on its way to curses */
    const struct theme *theme;
    struct theme theme_shown;

    struct buf out; /* bytes not yet written */
    size_t sent;
    uint64_t bytes, frames;

    bool paces;            /* the terminal has answered once */
    bool asked;            /* CSI 5 n is under way */
    bool asked_background; /* and OSC 11 */
    int64_t background_ms; /* since then */
    int64_t asked_ms, probed_ms;
    int rtt_ms;
};

/* What curses has written since the last call goes to `out`; how many bytes. */
size_t term_take_curses(struct term *t, struct buf *out);
#endif
