/* ui/input.h -- bytes from a terminal to keys, pastes, mouse and reports.
 *
 * A parser of its own instead of curses': a sequence nobody knows is swallowed
 * whole, pastes and answers of the terminal of any length arrive as one event,
 * and it can be fuzzed.  It knows the forms of xterm and its kin (CSI, SS3,
 * CSI-u, modifyOtherKeys, SGR mouse, bracketed paste, focus, DSR, OSC); what
 * terminfo says of a terminal is added with input_learn().
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_INPUT_H
#define LATHE_UI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* A key is a code point or one of these, with modifiers or'ed in.  Ctrl-A is
 * 'a' | INPUT_CTRL; Shift only with keys that have no shifted character. */
enum input_key {
    INPUT_ENTER = 0x200000,
    INPUT_TAB,
    INPUT_ESC,
    INPUT_BACKSPACE,
    INPUT_UP,
    INPUT_DOWN,
    INPUT_LEFT,
    INPUT_RIGHT,
    INPUT_HOME,
    INPUT_END,
    INPUT_PAGEUP,
    INPUT_PAGEDOWN,
    INPUT_INSERT,
    INPUT_DELETE,
    INPUT_F1, /* .. F12 */
    INPUT_F12 = INPUT_F1 + 11,
    INPUT_CODE = 0x3fffff, /* mask */
    INPUT_SHIFT = 0x1000000,
    INPUT_ALT = 0x2000000,
    INPUT_CTRL = 0x4000000
};

enum input_kind {
    INPUT_KEY,
    INPUT_PASTE,  /* text */
    INPUT_MOUSE,  /* mouse, x, y, key = modifiers */
    INPUT_FOCUS,  /* on */
    INPUT_STATUS, /* the answer to CSI 5 n */
    INPUT_COLOUR  /* the answer to OSC 10 or 11: which, rgb */
};
enum input_mouse {
    MOUSE_PRESS,
    MOUSE_RELEASE,
    MOUSE_DRAG,
    MOUSE_WHEEL_UP,
    MOUSE_WHEEL_DOWN,
    MOUSE_OTHER
};

struct input_event {
    enum input_kind kind;
    uint32_t key;
    struct str text; /* valid until the next call of the parser */
    enum input_mouse mouse;
    int x, y;  /* cells from the top left of the screen */
    int which; /* 10, 11 */
    uint32_t rgb;
    bool on;
};

enum { INPUT_PASTE_MAX = 16 << 20 }; /* bytes of one paste; the rest is lost */

struct input_stream;
struct input_stream *input_new(void);
void input_free(struct input_stream *in);
/* A sequence of this terminal that means `key`; at most 16 bytes. */
void input_learn(struct input_stream *in, const char *sequence, uint32_t key);
void input_feed(struct input_stream *in, const void *bytes, size_t n);
/* The next event; false when more bytes are needed. */
bool input_next(struct input_stream *in, struct input_event *e);
/* An ESC has come that may be a key or begin a sequence: wait
 * INPUT_ESC_MS, then call input_flush(), and what there is becomes keys. */
enum { INPUT_ESC_MS = 25 };
bool input_waits(const struct input_stream *in);
void input_flush(struct input_stream *in);

/* "gg", "<C-w>h", "<Enter>", "<S-Tab>", "<A-Enter>", "<lt>": the notation of
 * keys everywhere.  input_parse_keys() returns how many (at most max), or -1
 * for a name it does not know. */
int input_parse_keys(const char *notation, uint32_t *keys, int max);
void input_key_name(uint32_t key, struct buf *out); /* in that notation */
/* As people read it: "Ctrl-W", "Enter", "g". */
void input_key_label(uint32_t key, struct buf *out);
#endif
