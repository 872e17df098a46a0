/* ui/view_data.h -- the Data view: tables with a summary of each column, one
 * column in detail, and the rows as a sheet.  Private to view_data*.c.
 *
 * What is shown of a table is a state: a filter, a sort key.  Each change
 * makes a new one, computed in the background, and the one before is kept for
 * undo.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_VIEW_DATA_H
#define LATHE_UI_VIEW_DATA_H

#include "session/session.h"
#include "ui/sheet.h"
#include "ui/view.h"

enum { DATA_REGION_COLUMNS, DATA_REGION_DETAIL, DATA_REGION_ROWS };
enum { DATA_MAX_UNDO = 50, DATA_EXPR_MAX = 512 };

/* How the rows of the table at hand are shown. */
struct data_state {
    char filter[DATA_EXPR_MAX];
    char sort[128]; /* name of the column; "": none */
    bool descending;
};

struct view_data {
    struct view view;
    struct tether *tether; /* of the tasks under way */
    char table[256];       /* name of the table at hand; "": none */
    uint64_t version;      /* of the table when it was last looked at */
    struct sheet sheet;
    struct list columns; /* its cursor is the sheet's column */
    struct data_state now, undo[DATA_MAX_UNDO], redo[DATA_MAX_UNDO];
    size_t n_undo, n_redo;
    char arranging[64]; /* "filtering" while that runs */
    bool profiling;
};

static inline struct view_data *
data_mine(struct view *v)
{
    return (struct view_data *)v;
}

/* ---- view_data.c ---- */
struct session *data_session(struct view_data *d);
struct table *data_find_table(struct session *s, const char *name);
struct table *data_table(struct view_data *d); /* at hand; may be NULL */
size_t data_table_index(struct view_data *d);
/* t may be NULL: no table. */
void data_look_at(struct view_data *d, struct table *t);
const char *data_column_name(struct view_data *d); /* at the cursor, or "" */

/* ---- view_data_open.c ---- */
void data_open_file(struct view_data *d, const char *path);

/* ---- view_data_columns.c ---- */
void data_columns_draw(struct view *v, const struct canvas *c);
void data_columns_title(struct view *v, struct buf *left, struct buf *right);
void data_detail_draw(struct view *v, const struct canvas *c);
void data_detail_title(struct view *v, struct buf *left, struct buf *right);

/* ---- view_data_rows.c ---- */
/* Show the rows in state s; `word` is said meanwhile: "filtering". */
void
data_arrange(struct view_data *d, const struct data_state *s, const char *word);
/* The same, and what was before is kept for undo. */
void
data_change(struct view_data *d, const struct data_state *s, const char *word);
void data_rows_sort(struct view *v, const struct view_call *call);
void data_rows_sort_reverse(struct view *v, const struct view_call *call);
void data_rows_undo(struct view *v, const struct view_call *call);
void data_rows_redo(struct view *v, const struct view_call *call);
void data_rows_draw(struct view *v, const struct canvas *c);
void data_rows_title(struct view *v, struct buf *left, struct buf *right);

/* ---- view_data_make.c ---- */
void data_profile(struct view_data *d, struct table *t);
void data_make_frequency(struct view *v, const struct view_call *call);
void data_make_derived(struct view *v, const struct view_call *call);
void data_make_hidden(struct view *v, const struct view_call *call);
void data_export(struct view *v, const struct view_call *call);
#endif
