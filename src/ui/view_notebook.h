/* ui/view_notebook.h -- the Notebook view: its state, and what its parts
 * share.  Private to view_notebook*.c, but for notebook_take_cell().
 *
 * The notebook is laid out as lines (struct book_line), made anew when the
 * notebook, the width or a curve changes; drawing then only looks at the lines
 * that show.  A line's text is borrowed from the notebook and the editor, which
 * is why the lines die with the version they were made of.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_VIEW_NOTEBOOK_H
#define LATHE_UI_VIEW_NOTEBOOK_H

#include "base/loop.h"
#include "script/notebook.h"
#include "session/plot.h"
#include "ui/editor.h"
#include "ui/runs_data.h"
#include "ui/view.h"

enum { BOOK_REGION_OUTLINE, BOOK_REGION_VARIABLES, BOOK_REGION_CELLS };
enum { BOOK_MAX_OPEN = 16 };

enum book_line_kind {
    LINE_GAP,
    LINE_HEAD,
    LINE_CODE,
    LINE_PROSE,
    LINE_OUT,
    LINE_FOLD,
    LINE_FITS,
    LINE_CHART,
    LINE_ERROR,
    LINE_HINT /* what to do about the error */
};

struct book_line {
    enum book_line_kind kind;
    size_t cell;
    const char *p; /* LINE_CODE, LINE_PROSE, LINE_OUT, LINE_ERROR */
    size_t n;
    size_t from;   /* LINE_CODE: byte of the cell's text */
    size_t chart;  /* LINE_CHART */
    int row;       /* LINE_CHART: row of it; LINE_CODE: line of the cell;
                      LINE_PROSE, LINE_ERROR: cells it is indented by */
    size_t hidden; /* LINE_FOLD: lines not shown; LINE_FITS: curves */
};

/* The curve of a run in an output. */
struct book_chart {
    size_t cell, output;
    size_t points; /* of the series it was drawn from */
    int width;
    struct plot_image image;
};

/* Cells that run one after another: all, or those above. */
struct book_batch {
    const struct notebook *book; /* NULL: none is under way */
    size_t end;                  /* the cells before this one run */
    size_t home;                 /* where the cursor is when all have passed */
    size_t at;                   /* the cell that the cursor was taken to */
    bool follow;                 /* until the user moves it */
    int64_t start_ms;
};

struct view_notebook {
    struct view view;
    struct notebook *book[BOOK_MAX_OPEN];
    size_t n_books, at_book;
    struct list cells; /* its cursor is the cell at hand */
    struct list variables;
    struct book_line *line;
    size_t n_lines, cap_lines, top;
    uint64_t made_of; /* version of the notebook the lines were made of */
    int made_width;
    bool stale; /* the lines are to be made again */
    struct book_chart *chart;
    size_t n_charts;
    struct runs_data *runs;
    struct editor *editor; /* while a cell is edited */
    uint8_t *colours;      /* of the cell that is drawn */
    size_t cap_colours;
    char *clip; /* the last deleted or copied cell */
    size_t clip_len;
    enum cell_kind clip_kind;
    struct variable *variable;
    size_t n_variables;
    struct loop_watch *ticker, *saver;
    bool shown;
    bool reveal, follow; /* scroll to the cell at hand; to its end */
    struct book_batch batch;
};

static inline struct view_notebook *
book_mine(struct view *v)
{
    return (struct view_notebook *)v;
}

/* ---- for other views ---- */
/* A new code cell at the end of the notebook at hand or, when none is open, of
 * a new one at `path`.  Returns the notebook's path, borrowed; NULL: none can
 * be opened. */
const char *notebook_take_cell(struct view *v, const char *path,
                               const char *source, size_t len);

/* ---- view_notebook.c ---- */
struct notebook *book_of(const struct view_notebook *b); /* NULL: none open */
const struct cell *book_cell_at_hand(const struct view_notebook *b);
/* What is shown changed. */
void book_touch(struct view_notebook *b);
/* An edit is on disk a moment after it was made. */
void book_save_soon(struct view_notebook *b);
void book_open(struct view_notebook *b, const char *path);

/* ---- view_notebook_run.c ---- */
void book_act_run(struct view *v, const struct view_call *call);
void book_act_run_next(struct view *v, const struct view_call *call);
void book_act_run_all(struct view *v, const struct view_call *call);
void book_act_run_above(struct view *v, const struct view_call *call);
void book_act_interrupt(struct view *v, const struct view_call *call);
bool book_busy(const struct view_notebook *b);
/* The cell that runs; SIZE_MAX: none. */
size_t book_running(const struct view_notebook *b);
/* Repaint each second while a cell runs and shows. */
void book_wind(struct view_notebook *b);
/* The notebook changed: go with the running cell, or say how it ended. */
void book_batch_turn(struct view_notebook *b);

/* ---- view_notebook_lines.c ---- */
void book_make_lines(struct view_notebook *b, int width);
void book_drop_charts(struct view_notebook *b);
size_t book_first_line(const struct view_notebook *b, size_t cell);
/* The line with the cursor of the editor. */
size_t book_editor_line(const struct view_notebook *b);
void book_scroll(struct view_notebook *b, size_t rows);
/* Cut the first line off *rest. */
struct str book_next_line(struct str *rest);

/* ---- view_notebook_draw.c ---- */
void book_cells_draw(struct view *v, const struct canvas *c);
void book_cells_title(struct view *v, struct buf *left, struct buf *right);

/* ---- view_notebook_side.c ---- */
void book_outline_draw(struct view *v, const struct canvas *c);
void book_variables_draw(struct view *v, const struct canvas *c);
/* The first words of a cell. */
void book_outline_text(const struct cell *c, char *out, size_t size);

/* ---- view_notebook_edit.c ---- */
void book_enter_edit(struct view_notebook *b);
void book_leave_edit(struct view_notebook *b);
void book_act_insert(struct view *v, const struct view_call *call);
void book_act_enter(struct view *v, const struct view_call *call);
void book_act_cancel(struct view *v, const struct view_call *call);
void book_act_complete(struct view *v, const struct view_call *call);

/* ---- view_notebook_cells.c ---- */
/* For the next paste. */
void book_remember_cell(struct view_notebook *b);
void book_act_below(struct view *v, const struct view_call *call);
void book_act_above(struct view *v, const struct view_call *call);
void book_act_delete(struct view *v, const struct view_call *call);
void book_act_paste(struct view *v, const struct view_call *call);
void book_act_down(struct view *v, const struct view_call *call);
void book_act_up(struct view *v, const struct view_call *call);
void book_act_kind(struct view *v, const struct view_call *call);
void book_act_clear(struct view *v, const struct view_call *call);
void book_act_undo(struct view *v, const struct view_call *call);
void book_act_redo(struct view *v, const struct view_call *call);
#endif
