/* ui/editor.h -- the text of a cell under edit: cursor, selection-free editing,
 * undo, auto-indent, and the colours of Lua.
 *
 * Positions are byte offsets on character boundaries.  Undo groups typing into
 * words; it holds whole texts, which is right for cells of some kilobytes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_EDITOR_H
#define LATHE_UI_EDITOR_H

#include "base/buf.h"
#include "ui/draw.h"
#include "ui/input.h"

enum { EDITOR_INDENT = 4, EDITOR_UNDO = 200 };

struct editor;

struct editor *editor_new(const char *text, size_t len, bool lua);
void editor_free(struct editor *e);
struct str editor_text(const struct editor *e);
bool editor_changed(const struct editor *e); /* since editor_new() */
size_t editor_at(const struct editor *e);
void editor_set_at(struct editor *e, size_t at);
/* Line and cell column of the cursor, from 0. */
void editor_cursor(const struct editor *e, int *line, int *column);
void editor_place(struct editor *e, int line, int column);
int editor_lines(const struct editor *e);
/* Typing, movement, deletion, paste.  False: not an editing key. */
bool editor_key(struct editor *e, const struct input_event *ev);
void editor_insert(struct editor *e, const char *p, size_t len);
/* Put text in place of the bytes from `from` to the cursor (completion). */
void editor_replace(struct editor *e, size_t from, const char *p, size_t len);
bool editor_undo(struct editor *e);
bool editor_redo(struct editor *e);

/* Roles of Lua text, one a byte, into out (len bytes). */
void lua_colours(struct str text, uint8_t *out);
#endif
