/* ui/prompt.h -- one line of text being typed, edited by readline.
 *
 * readline never sees the terminal: keys are handed to it, its buffer is
 * drawn by us.  It has one line at a time, so there is one prompt.
 * Former answers are kept by name ("filter", "command") in
 * $XDG_STATE_HOME/lathe/history.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_PROMPT_H
#define LATHE_UI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/draw.h"
#include "ui/input.h"

/* Begin with `text`; history may be NULL. */
void prompt_begin(const char *text, const char *history);
/* Release what it holds; prompt_begin() starts anew. */
void prompt_close(void);
enum prompt_state { PROMPT_TYPING, PROMPT_ACCEPTED, PROMPT_CANCELLED };
/* A key or a paste. Esc, Ctrl-C, Ctrl-G cancel, and Backspace on nothing. */
enum prompt_state prompt_key(const struct input_event *e);
const char *prompt_text(void); /* borrowed until the next call */
size_t prompt_point(void);     /* bytes before the cursor */
void prompt_set(const char *text);
/* Replace the bytes from `begin` to the cursor. */
void prompt_replace(size_t begin, const char *text);
/* Keep the text among the former answers of `history`. */
void prompt_remember(void);
/* From x to the canvas's right edge; scrolls; puts the text cursor. */
void prompt_draw(const struct canvas *c, int x, int y, unsigned style);
#endif
