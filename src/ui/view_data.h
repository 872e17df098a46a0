/* ui/view_data.h -- the Data view: tables with a summary of each column, one
 * column in detail, and the rows as a sheet.  Private to view_data*.c.
 *
 * What is shown of a table is its steps (session/steps.h): columns, a filter, an
 * order.  Each change makes new ones, applied in the background, and those
 * before are kept for undo.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_VIEW_DATA_H
#define LATHE_UI_VIEW_DATA_H

#include "session/beyond.h"
#include "session/origin.h"
#include "session/steps.h"
#include "session/task.h"
#include "ui/sheet.h"
#include "ui/view.h"

enum {
    DATA_REGION_COLUMNS,
    DATA_REGION_DETAIL,
    DATA_REGION_ROWS,
    DATA_REGION_PLOT
};
enum { DATA_MAX_UNDO = 50, DATA_EXPR_MAX = 512 };

/* A table as it is looked at. */
struct data_look {
    struct data_look *other; /* the next of those put aside */
    char table[256];         /* its name; "": none, or it is not whole yet */
    uint64_t version;        /* of the table when it was last looked at */
    struct sheet sheet;
    struct list columns; /* its cursor is the sheet's column */
    struct steps *now;   /* of what shows */
    struct steps *next;  /* asked for last; equal, when nothing is under way */
    unsigned asked;      /* number of what is under way; 0: nothing */
    char arranging[64];  /* what that is: "filtering" */
    struct steps *undo[DATA_MAX_UNDO], *redo[DATA_MAX_UNDO];
    size_t n_undo, n_redo;
    char from[320];            /* the table q goes back to; "": none */
    unsigned focus;            /* where the keys were when it was left */
    uint8_t *marked;           /* of each row of the frame; NULL: none */
    struct data_part *part;    /* the profile of a filter's rows; NULL: none */
    const struct frame *marks; /* that frame, to know it by */
};

struct data_opening; /* view_data_open.c */
struct data_part;    /* view_data_part.c */
struct data_find;    /* view_data_find.c */

struct view_data {
    struct view view;
    struct tether *tether; /* of the tasks under way */
    struct data_look *look;
    struct data_look *aside; /* of other tables, to come back to */
    unsigned n_asked;        /* of all looks */
    bool profiling;
    struct data_find *find;       /* NULL: nothing is searched for */
    bool find_here;               /* the next search is of one column */
    struct data_opening *opening; /* the file waited for; NULL: none */
    struct data_look *before; /* put aside while first rows show; else NULL */
    struct loop_watch *timer; /* repaints while a file is waited for */
    char join_with[256];      /* the table a join is asked about */
    struct table *closed;     /* by q, for u to bring back; NULL: none */
    struct task *making;      /* of data_make(), the last; NULL: none */
    struct task *parting;     /* of data_part_ask(); NULL: none */
    struct loop_watch *making_timer; /* repaints meanwhile */
    struct data_plot *plot;          /* view_data_plot.c; never NULL */
};

static inline struct view_data *
data_mine(struct view *v)
{
    return (struct view_data *)v;
}

/* The frame that shows: of a table, or its first rows; may be NULL. */
static inline const struct frame *
data_frame(const struct view_data *d)
{
    return d->look->sheet.frame;
}

/* ---- view_data.c ---- */
struct session *data_session(struct view_data *d);
struct table *data_find_table(struct session *s, const char *name);
/* The one at hand; NULL: none, or its first rows alone. */
struct table *data_table(struct view_data *d);
/* The same; a table that is still being opened is said so. */
struct table *data_whole_table(struct view_data *d);
size_t data_table_index(struct view_data *d);
struct data_look *data_look_new(void);
void data_look_free(struct data_look *look);
/* Put it aside, if there is a table that it is of. */
void data_look_keep(struct view_data *d, struct data_look *look);
/* t may be NULL: no table.  A file waited for is no longer. */
void data_look_at(struct view_data *d, struct table *t);
/* The session's tables have changed. */
void data_look_again(struct view_data *d);
const char *data_column_name(struct view_data *d); /* at the cursor, or "" */
/* Close the table at hand, or stop opening it. */
void data_close_table(struct view_data *d);

/* ---- view_data_actions.c ---- */
extern const struct view_action data_actions[];
void data_suggest(struct view *v, const char *action, struct buf *out);

/* ---- view_data_open.c ---- */
/* The first rows show as soon as they are read, and while they do, what needs
 * all rows waits or is refused.  The table takes their place without a move
 * of the cursor; when it fails or is stopped, what was before does.
 * `what` is a file, or one with reading options: "a.csv --delimiter ;". */
void data_open_file(struct view_data *d, const char *what);
/* Stop opening. */
void data_open_stop(struct view_data *d);
/* Something else is looked at: let it go on unseen. */
void data_open_leave(struct view_data *d);
bool data_open_is(const struct view_data *d, const char *path);
/* What the functions below are about. */
const char *data_open_path(const struct view_data *d);
/* "loading 43% · 2.1 s left"; nothing for a moment, while nothing shows. */
void data_open_words(struct view_data *d, struct buf *out);
/* "a.csv · first 1,070 rows of about 1,000,000 × 9 columns" */
void data_open_title(struct view_data *d, struct buf *out);
/* Is there room for the bar beside the first rows? */
bool data_open_bar(const struct view_data *d);
/* The bar and what is to be known. */
void data_open_draw(struct view_data *d, const struct canvas *c, int y);

/* ---- view_data_columns.c ---- */
void data_columns_draw(struct view *v, const struct canvas *c);
/* Is there room for the headings in so many rows? */
bool data_columns_head(const struct view_data *d, int rows);
void data_columns_title(struct view *v, struct buf *left, struct buf *right);
/* So that both parts fit into the rule of the region. */
void data_cut_title(struct view_data *d, unsigned region, struct buf *left,
                    const struct buf *right);
void data_detail_draw(struct view *v, const struct canvas *c);
void data_detail_title(struct view *v, struct buf *left, struct buf *right);

/* ---- view_data_part.c ---- */
/* The rows that a filter leaves have a profile of their own, made in the
 * background; until it is there, and where it would take too much memory, the
 * numbers are those of all rows, and say so. */
void data_part_ask(struct view_data *d, const struct table *t);
/* t with that profile where it is there, in *as; else t itself. */
const struct table *data_part_seen(struct view_data *d, struct table *as);
void data_part_free(struct data_part *p);

/* ---- view_data_steps.c ---- */
/* Show the table by these steps, which are taken; `word` is said meanwhile:
 * "filtering".  What was before is kept for undo. */
void data_change(struct view_data *d, struct steps *steps, const char *word);
/* A copy of the steps asked for last, for the caller to change and give to
 * data_change(). */
struct steps *data_steps(struct view_data *d);
/* Apply look->next, after its table or first rows came. */
void data_arrange(struct view_data *d, const char *word);
void data_steps_undo(struct view *v, const struct view_call *call);
void data_steps_redo(struct view *v, const struct view_call *call);
void data_steps_page(struct view *v, const struct view_call *call);
void data_steps_copy(struct view *v, const struct view_call *call);
void data_steps_send(struct view *v, const struct view_call *call);

/* ---- view_data_rows.c ---- */
void data_rows_sort(struct view *v, const struct view_call *call);
void data_rows_sort_reverse(struct view *v, const struct view_call *call);
void data_rows_sort_then(struct view *v, const struct view_call *call);
void data_rows_sort_then_reverse(struct view *v, const struct view_call *call);
void data_rows_unsort(struct view *v, const struct view_call *call);
/* Its heading was pressed: upwards, downwards, as they came. */
void data_rows_press_head(struct view_data *d);
void data_rows_keep(struct view *v, const struct view_call *call);
void data_rows_leave_out(struct view *v, const struct view_call *call);
void data_rows_share(struct view *v, const struct view_call *call);
void data_rows_percent(struct view_data *d, int count);
void data_rows_column(struct view *v, const struct view_call *call);
void data_rows_wider(struct view *v, const struct view_call *call);
void data_rows_narrower(struct view *v, const struct view_call *call);
void data_rows_fit(struct view *v, const struct view_call *call);
void data_rows_widths(struct view *v, const struct view_call *call);
void data_rows_freeze(struct view *v, const struct view_call *call);
void data_rows_draw(struct view *v, const struct canvas *c);
void data_rows_title(struct view *v, struct buf *left, struct buf *right);

/* ---- view_data_make.c ---- */
/* A table made in the background from what shows of the one at hand. */
struct data_making {
    struct shown of;   /* what shows of it, when it was asked for */
    struct shown with; /* of the other table, when there is one */
    struct beyond *beyond, *beyond_with; /* all of them, when they are beyond
                                            memory; NULL: they are not */
    struct steps *steps;                 /* of the first */
    char *text;
    size_t col;              /* of `of`, under the cursor */
    struct frame *made;      /* what make() leaves here, ... */
    struct frame *values;    /* ... and of a pivot, see struct table */
    struct profile *profile; /* ... and of what is beyond memory, for it */
    enum table_kind kind;
    size_t n_keys;
    char about[256], note[256]; /* note: said when it is there */
    /* The rest is data_make()'s own. */
    bool (*make)(struct data_making *m, struct task *t, struct error *err);
    struct tether *view;
    struct origin origin;
    bool tally, page;
    char name[320], parent[320];
};
struct data_make {
    const char *suffix; /* the table is called NAME:SUFFIX */
    struct table *of;   /* NULL: the one at hand */
    enum table_kind kind;
    size_t n_keys;     /* see struct table */
    const char *about; /* the same; may be NULL */
    /* Its Lua, a method of what shows: "frequency(\"plan\")"; of two tables
     * with %s for the other. */
    const char *call;
    struct table *other; /* may be NULL */
    /* The same Lua where the table is beyond memory, a method of a scan; NULL:
     * it is not to be had then, unless ... */
    const char *scan;
    bool collect;              /* ... it is that of call, collected */
    const struct steps *steps; /* then, in place of the table's; or NULL */
    bool page;        /* then: the profile as text alone, and no table */
    const char *text; /* for make(); may be NULL */
    const char *note; /* said when it is there; may be NULL */
    bool tally;       /* see struct table */
    /* On a pool job. */
    bool (*make)(struct data_making *m, struct task *t, struct error *err);
};
/* The table comes to hand when it is made; a message says what went wrong. */
void data_make(struct view_data *d, const struct data_make *what);
/* Esc: true when something was being made. */
bool data_make_stop(struct view_data *d);
/* " · counting 43%… Esc stops", when it takes longer than a moment. */
void data_make_words(struct view_data *d, struct buf *out);

/* Of the rows there are: where they are the first of many, the rest of them is
 * asked for by data_beyond_profile(). */
void data_profile(struct view_data *d, struct table *t);
void data_show_rejects(struct view *v, const struct view_call *call);
void data_export(struct view *v, const struct view_call *call);

/* ---- view_data_beyond.c ---- */
/* Tables beyond memory: what is asked about them goes through all rows of the
 * file; where it is of the first rows alone, these say so. */
/* "first 4,096 of 700,000"; false: all rows of t are there. */
bool data_beyond_words(const struct table *t, struct buf *out);
/* How many rows and columns it has, for a list of tables. */
void data_beyond_size(const struct table *t, char *out, size_t size);
/* Steps that filter or sort it make another table. */
void data_beyond_rows(struct view_data *d, struct table *t,
                      const struct steps *steps);
/* Those of all rows for which m->text is true, in m->made. */
bool
data_beyond_where(struct data_making *m, struct task *t, struct error *err);
/* The rows of m as a stream: by the steps, the columns that show. */
struct stream *data_beyond_stream(struct data_making *m, struct task *t,
                                  struct error *err) MUST_USE;
/* The profile of all rows, for m->made and the page. */
bool
data_beyond_profiled(struct data_making *m, struct task *t, struct error *err);
/* What was made of it besides; true: that is all, there is no table. */
bool
data_beyond_keep(struct view_data *d, struct session *s, struct data_making *m);
/* The profile as text, made first where it is not there yet. */
void data_beyond_page(struct view_data *d, struct table *t);
void data_beyond_sample(struct view *v, const struct view_call *call);

/* ---- view_data_sheets.c ---- */
/* Look at a table, from which q comes back to the one at hand. */
void data_enter_table(struct view_data *d, struct table *t);
/* q: true when there was something to go back to. */
bool data_leave_table(struct view_data *d);
/* Bring back the table that q closed last; false: there is none, or more has
 * been done since. */
bool data_reopen_table(struct view_data *d);
void data_forget_closed(struct view_data *d);
struct pool *data_pool_of(struct task *t);
/* What shows, as a frame of its own. */
struct frame *data_gather_shown(struct data_making *m, struct task *t,
                                struct error *err) MUST_USE;
void data_sheet_frequency(struct view *v, const struct view_call *call);
void data_sheet_bins(struct view *v, const struct view_call *call);
void data_sheet_describe(struct view *v, const struct view_call *call);
void data_sheet_relations(struct view *v, const struct view_call *call);
void data_sheet_missing(struct view *v, const struct view_call *call);
void data_sheet_patterns(struct view *v, const struct view_call *call);
void data_sheet_missing_rows(struct view *v, const struct view_call *call);
void data_sheet_duplicates(struct view *v, const struct view_call *call);

/* ---- view_data_behind.c ---- */
void data_sheet_mark(struct view *v, const struct view_call *call);
void data_sheet_mark_invert(struct view *v, const struct view_call *call);
bool data_is_marked(const struct data_look *look, size_t row);
bool data_is_marked_column(const struct data_look *look, size_t col);
size_t data_marked_columns(const struct data_look *look);
/* The rows that show of a table and of which an expression is true, as a table
 * called NAME:SUFFIX. */
void data_open_rows(struct view_data *d, struct table *parent,
                    const char *expression, const char *suffix);
/* The table that t tells of; NULL, and said so, when it is closed. */
struct table *data_parent_of(struct view_data *d, const struct table *t);
/* The rows, or the column, that the row under the cursor stands for; false:
 * only for itself. */
bool data_sheet_enter(struct view_data *d);

/* ---- view_data_groups.c ---- */
/* A group, or a pivot, from a line (frame/recipe.h). */
void data_open_groups(struct view *v, const char *text, bool pivot);
void data_sheet_group(struct view *v, const struct view_call *call);
void data_sheet_pivot(struct view *v, const struct view_call *call);
bool
data_sheet_suggest(struct view_data *d, const char *action, struct buf *out);

/* ---- view_data_join.c ---- */
void data_sheet_join(struct view *v, const struct view_call *call);

/* ---- view_data_paint.c ---- */
/* Marks, bars and shades over the sheet that was drawn. */
void data_sheet_paint(struct view_data *d, const struct canvas *c);
/* Tell the sheet how its numbers are written and shaded. */
void data_sheet_style(struct view_data *d, const struct table *t);
/* What it tells of, for the title of the rows; false: of itself. */
bool data_sheet_title(struct view_data *d, struct buf *out);

/* ---- view_data_plot.c ---- */
struct data_plot *data_plot_new(struct view_data *d);
void data_plot_free(struct data_plot *p);
/* Is there a chart instead of the table? */
bool data_plot_on(const struct view_data *d);
bool data_plot_close(struct view_data *d);
/* It has this room: another chart is asked for where that, the column or the
 * table is another one. */
void data_plot_placed(struct view_data *d, struct rect r);
/* A column beside the one under the cursor. */
void data_plot_suggest(struct view_data *d, struct buf *out);
void data_plot_draw(struct view *v, const struct canvas *c);
void data_plot_title(struct view *v, struct buf *left, struct buf *right);
/* "left", "right", ... while it is on; true: used. */
bool data_plot_action(struct view_data *d, const char *name, int count);
/* The two columns of a cell of the relations. */
void data_plot_relation(struct view_data *d, const struct table *relations,
                        struct table *parent);
void data_plot_histogram(struct view *v, const struct view_call *call);
void data_plot_scatter(struct view *v, const struct view_call *call);
void data_plot_axis(struct view *v, const struct view_call *call);
void data_plot_classes(struct view *v, const struct view_call *call);
void data_plot_finer(struct view *v, const struct view_call *call);
void data_plot_coarser(struct view *v, const struct view_call *call);
void data_plot_zoom_in(struct view *v, const struct view_call *call);
void data_plot_zoom_out(struct view *v, const struct view_call *call);
void data_plot_zoom_reset(struct view *v, const struct view_call *call);
void data_plot_export(struct view *v, const struct view_call *call);

/* ---- view_data_shape.c ---- */
void data_shape_derive(struct view *v, const struct view_call *call);
void data_shape_hide(struct view *v, const struct view_call *call);
void data_shape_unhide(struct view *v, const struct view_call *call);
void data_shape_left(struct view *v, const struct view_call *call);
void data_shape_right(struct view *v, const struct view_call *call);
void data_shape_rename(struct view *v, const struct view_call *call);
/* A menu of types, when it is known what each would lose. */
void data_shape_cast(struct view *v, const struct view_call *call);

/* ---- view_data_find.c ---- */
/* / n N: matches are found and counted in the background, and looked for on
 * the spot until they are. */
bool data_find(struct view *v, const char *text, int dir);
void data_find_in_column(struct view *v, const struct view_call *call);
/* Stop counting, or forget the search; false: there is none. */
bool data_find_cancel(struct view_data *d);
/* The rows are others now: count again. */
void data_find_again(struct view_data *d);
/* "3 of 1,204 in 2 columns" */
void data_find_title(struct view_data *d, struct buf *out);
/* Tell the sheet what to mark, before it is drawn. */
void data_find_mark(struct view_data *d);
void data_find_free(struct data_find *f);
#endif
