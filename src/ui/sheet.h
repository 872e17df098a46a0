/* ui/sheet.h -- a frame as a sheet: rows in some order, a cursor of row and
 * column, and only what shows is looked at.
 *
 * Used by the data view and for tables in the outputs of cells.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_SHEET_H
#define LATHE_UI_SHEET_H

#include "session/steps.h"
#include "ui/view.h"

enum { SHEET_MAX_COLS = 4096 };

struct sheet {
    struct frame *frame; /* a reference, or NULL */
    struct rowset *rows; /* a reference; NULL: all, as they are */
    size_t n_rows;
    const struct steps *steps; /* whose keys are marked; borrowed, or NULL */
    struct list row;           /* cursor over the rows */
    size_t col, left;          /* cursor over the columns; first one shown */
    size_t shown_cols;         /* that fitted when it was drawn last */
};

void sheet_init(struct sheet *s);
void sheet_fini(struct sheet *s);
/* Takes references of f and rows (either may be NULL); the cursor stays on its
 * column, by name, and on its place among the rows, where it can. */
void sheet_set(struct sheet *s, const struct frame *f, struct rowset *rows);
/* The row of the frame under the cursor; 0 when there is none. */
size_t sheet_at(const struct sheet *s);
size_t sheet_row_id(const struct sheet *s, size_t i);
void sheet_draw(struct sheet *s, const struct canvas *c);
/* Movement in two dimensions: "left", "right", "line-start", "line-end",
 * "first-column", ... and what list_action() knows. */
bool sheet_action(struct sheet *s, const char *action, int count);
/* Put the cursor where a press was. */
bool sheet_press(struct sheet *s, int x, int y);
/* The colour of a type, and its word in the sheet: "i64", "text". */
unsigned sheet_role(enum col_type t);
const char *sheet_type(enum col_type t);
#endif
