/* ui/sheet.h -- a frame as a sheet: rows in some order, a cursor of row and
 * column, and only what shows is looked at.
 *
 * Used by the data view and for tables in the outputs of cells.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_SHEET_H
#define LATHE_UI_SHEET_H

#include "base/regex.h"
#include "session/steps.h"
#include "ui/view.h"

enum { SHEET_MAX_PLACES = 128 };

/* How wide columns are that nobody has set. */
enum sheet_mode {
    SHEET_FIT,   /* as their values, within reason */
    SHEET_FULL,  /* as their values */
    SHEET_NARROW /* many on the screen */
};

struct sheet_width {
    int seen;    /* the widest name and value so far; 0: none looked at */
    int set;     /* by the user; 0: not */
    bool marked; /* a key that groups are proposed by */
};
struct sheet_place { /* of a column, when the sheet was drawn last */
    size_t col;
    int x, w;
};

struct sheet {
    struct frame *frame; /* a reference, or NULL */
    struct rowset *rows; /* a reference; NULL: all, as they are */
    size_t n_rows;
    const struct steps *steps; /* whose keys are marked; borrowed, or NULL */
    struct list row;           /* cursor over the rows */
    size_t col, left;          /* cursor over the columns; first that scrolls */
    size_t frozen;             /* so many columns stay when others scroll ... */
    size_t held;               /* ... of which there is room for so many */
    enum sheet_mode mode;
    struct sheet_width *width; /* for each column */
    struct sheet_place place[SHEET_MAX_PLACES];
    size_t n_places;
    /* Does the cell match a search, whose pattern this is?  NULL: there is
     * none.  Asked of cells that show. */
    const struct regex *find;
    bool (*found)(void *ctx, size_t i, size_t col);
    void *find_ctx;
    int end_x; /* where they ended, two blanks behind */
    /* Set by the owner, may be NULL: called for each cell that was drawn. */
    void (*paint)(const struct sheet *s, const struct canvas *c,
                  struct rect cell, size_t col, size_t row);
    int decimals; /* of floats from this column on; 0: as each needs */
    size_t decimals_from;
};

void sheet_init(struct sheet *s);
void sheet_fini(struct sheet *s);
/* Takes references of f and rows (either may be NULL); the cursor stays on its
 * column, by name, and on its place among the rows, where it can.  Widths stay
 * with the names. */
void sheet_set(struct sheet *s, const struct frame *f, struct rowset *rows);
/* The row of the frame under the cursor; 0 when there is none. */
size_t sheet_at(const struct sheet *s);
size_t sheet_row_id(const struct sheet *s, size_t i);
/* Cells and headings are only looked at where they show.  A column grows when
 * a wider value comes into view and never shrinks by itself: nothing jumps
 * back and forth while rows scroll. */
void sheet_draw(struct sheet *s, const struct canvas *c);
/* Movement in two dimensions: "left", "right", "line-start", "line-end",
 * "first-column", ... and what list_action() knows. */
bool sheet_action(struct sheet *s, const char *action, int count);
/* The column of the cursor wider or, by < 0, narrower by so many cells. */
void sheet_widen(struct sheet *s, int by);
/* As its values want, all of them that show, without a limit. */
void sheet_fit(struct sheet *s);
/* As if nobody had set it. */
void sheet_unset_width(struct sheet *s);
/* Put the cursor where a press was.  True in *head: on the heading. */
bool sheet_press(struct sheet *s, int x, int y, bool *head);
/* The colour of a type, and its word in the sheet: "i64", "text". */
unsigned sheet_role(enum col_type t);
const char *sheet_type(enum col_type t);
#endif
