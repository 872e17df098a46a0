/* ui/term.h -- one terminal: its modes, its frames, its pace.
 *
 * curses only works out what to write: it draws into a file in memory, and
 * term.c sends those bytes without ever blocking, wrapped in synchronized
 * output.  So a terminal that does not read (a dead line, Ctrl-S) stops
 * nothing, and the cost of every frame is known.
 *
 * PACING.  A pty gives no back-pressure: a slow line would queue megabytes. So
 * a frame that no key asked for is followed by `CSI 5 n`, and the next such
 * frame waits for the answer.  Frames that answer a key never wait.
 *
 * Whatever mode is set is undone by one sequence, term_leave_bytes(), which
 * the client also writes when the workbench dies.
 *
 * Main thread only.  One terminal at a time (curses has one screen).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_TERM_H
#define LATHE_UI_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ui/draw.h"
#include "ui/input.h"

struct term;

struct term_options {
    int fd_in, fd_out;  /* taken: closed by term_close() */
    const char *name;   /* $TERM */
    const char *color;  /* "auto", "always", "never" */
    const char *glyphs; /* "braille", "block", "ascii"; NULL: by utf8 */
    bool no_color;      /* NO_COLOR is set and not empty, or CLICOLOR=0 */
    bool force_color;   /* CLICOLOR_FORCE */
    bool utf8;          /* the terminal's locale */
    bool tmux;          /* inside tmux */
};

/* Enter: raw mode, alternate screen, mouse, paste, focus.  Keys the terminal
 * has by terminfo are taught to `in`.  An unknown $TERM is taken for an
 * xterm.  ERR_IO when it is no terminal. */
struct term *term_open(const struct term_options *o, struct input_stream *in,
                       struct error *err) MUST_USE;
/* Leave and release.  restore = false: it is gone, write nothing. */
void term_close(struct term *t, bool restore);
/* Lend it to someone else and take it back. */
void term_suspend(struct term *t);
bool term_resume(struct term *t, struct error *err) MUST_USE;
bool term_suspended(const struct term *t);

int term_fd_in(const struct term *t);
int term_fd_out(const struct term *t);
/* Read what there is into `in`; false when the terminal is gone. */
bool term_read(struct term *t, struct input_stream *in);
/* Bytes wait to be written: call term_flush() when fd_out takes some. */
bool term_pending(const struct term *t);
bool term_flush(struct term *t); /* false: gone */

void term_size(struct term *t, int *w, int *h); /* as the system says now */
/* Show a frame; returns the bytes it took.  asked: a key asked for it. */
size_t term_present(struct term *t, const struct grid *g,
                    const struct theme *theme, bool asked);
/* May a frame be shown that nobody asked for? */
bool term_ready(const struct term *t);
/* How long until it may be tried without an answer; -1: not waiting. */
int64_t term_patience_ms(const struct term *t);
void term_answered(struct term *t); /* INPUT_STATUS came */
void term_redraw(struct term *t);   /* everything again with the next frame */
/* Bytes that are no frame: title, clipboard, bell. */
void term_send(struct term *t, const void *bytes, size_t n);
void term_ask_background(struct term *t);
void term_background_known(struct term *t); /* INPUT_COLOUR came */
void term_set_title(struct term *t, const char *title);
void term_set_mouse(struct term *t, bool on);
void term_set_glyphs(struct term *t, enum glyph_set set);

struct term_facts {
    char name[64];
    int colours; /* 0, 8, 16, 256 */
    bool utf8, mouse, tmux;
    bool plain;   /* no escape sequence but those of its terminfo entry */
    bool printer; /* cannot place text: frames are printed as lines */
    enum glyph_set glyphs;
    int rtt_ms;     /* of the last answer; -1 unknown */
    uint64_t bytes; /* sent so far */
    uint64_t frames;
};
void term_facts(const struct term *t, struct term_facts *out);

/* What brings any terminal back, termios aside. */
const char *term_leave_bytes(void);
#endif
