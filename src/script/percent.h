/* script/percent.h -- the percent format: a Lua file as cells and back.
 *
 * A text is one cell as it stands in the file: its header line, its body as
 * written, and the blank lines after it.  Texts are immutable and shared by
 * reference count, so that an undo step costs a pointer a cell.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_PERCENT_H
#define LATHE_SCRIPT_PERCENT_H

#include "base/buf.h"
#include "script/notebook.h"

struct cell_text {
    unsigned refs;
    enum cell_kind kind;
    bool parameters;
    char *title;
    char *source; /* code; text cells without their "-- " */
    size_t len;
    char *header; /* with its newline; "" for a first cell without one */
    char *body;   /* as written, without the blank lines after it */
    size_t body_len;
    char *tail;      /* newline of the last line and the blank lines */
    char digest[33]; /* of kind and source */
};

struct cell_texts {
    struct cell_text **text;
    size_t n, cap;
    char *preamble; /* comments before the first cell, as written */
};

void percent_parse(struct str file, struct cell_texts *out);
void percent_write(const struct cell_texts *t, struct buf *out);
void cell_texts_fini(struct cell_texts *t);

/* A cell with this source; header and tail like those of `like` when it is of
 * the same kind (it may be NULL). */
struct cell_text *cell_text_new(enum cell_kind kind, const char *source,
                                size_t len, const struct cell_text *like);
struct cell_text *cell_text_ref(struct cell_text *t);
void cell_text_unref(struct cell_text *t);
#endif
