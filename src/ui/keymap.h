/* ui/keymap.h -- the one table of keys.
 *
 * Each row: in which context, which keys, which action or command, what help
 * says of it, and the word for it in the bar ("" leaves it out).  Contexts:
 *   ""              everywhere; no view may give these keys another meaning
 *   "data" ...      a view, by its name
 *   "notebook.edit" a mode of a view (its context() says which)
 * A text context (its name ends in ".edit", and "prompt") takes printable
 * characters itself: only its own rows and non-printing global keys hold.
 *
 * `command` is an action of the view at hand, an action of the frame (ui.c),
 * or a command line of the command table ("runs ls").  The help screen, the
 * bar, which-key and the palette all read this table, and init.lua rebinds it:
 * lathe.bind("runs", "a", "axis-next").
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_KEYMAP_H
#define LATHE_UI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { KEYMAP_MAX_KEYS = 4 };

struct key_row {
    const char *view, *keys, *command, *help, *bar;
};

/* The table as it is built in; ends with keys NULL. */
extern const struct key_row keymap_rows[];

struct keymap; /* the table with the user's changes */
struct keymap *keymap_new(void);
void keymap_free(struct keymap *m);
/* Bind keys in a view ("" everywhere); command NULL unbinds. ERR_PARSE: keys
 * not understood; ERR_EXISTS: a view may not change a global key. */
bool
keymap_bind(struct keymap *m, const char *view, const char *keys,
            const char *command, const char *help, struct error *err) MUST_USE;

struct binding {
    const char *view, *command, *help, *bar;
    const char *notation; /* "<C-w>h" */
    uint32_t keys[KEYMAP_MAX_KEYS];
    int n_keys;
};
size_t keymap_count(const struct keymap *m);
const struct binding *keymap_at(const struct keymap *m, size_t i);

enum keymap_match { KEYMAP_NONE, KEYMAP_PREFIX, KEYMAP_FOUND };
/* Look a sequence up in `context`, then in its view, then everywhere. */
enum keymap_match
keymap_find(const struct keymap *m, const char *context, const uint32_t *keys,
            int n, const struct binding **found);
bool keymap_is_text(const char *context);
/* The keys of a command in a context, or NULL. */
const struct binding *
keymap_for(const struct keymap *m, const char *context, const char *command);
/* Is this binding in force in `context`? */
bool keymap_in_force(const struct binding *b, const char *context);
#endif
