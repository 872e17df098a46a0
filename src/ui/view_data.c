/* ui/view_data.c -- the Data view: which table is at hand, its regions and
 * keys.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/expr.h"
#include "ui/tether.h"
#include "ui/ui.h"

struct session *
data_session(struct view_data *d)
{
    return ui_session(d->view.ui);
}

struct table *
data_find_table(struct session *s, const char *name)
{
    for (size_t i = 0; i < session_tables(s); i++)
        if (strcmp(session_table(s, i)->name, name) == 0)
            return session_table(s, i);
    return NULL;
}

struct table *
data_table(struct view_data *d)
{
    return d->look->table[0] ? data_find_table(data_session(d), d->look->table)
                             : NULL;
}

struct table *
data_whole_table(struct view_data *d)
{
    struct buf words;

    if (!d->before)
        return data_table(d);
    buf_init(&words);
    data_open_words(d, &words);
    ui_message(d->view.ui, MESSAGE_INFO, "this needs all rows of %s: %s",
               file_base(data_open_path(d)), words.data);
    buf_fini(&words);
    return NULL;
}

size_t
data_table_index(struct view_data *d)
{
    struct session *s = data_session(d);

    for (size_t i = 0; i < session_tables(s); i++)
        if (session_table(s, i) == data_table(d))
            return i;
    return 0;
}

/* ---- the table at hand ---- */

struct data_look *
data_look_new(void)
{
    struct data_look *look = mem_new(sizeof *look);

    sheet_init(&look->sheet);
    look->now = steps_new();
    look->next = steps_new();
    return look;
}

void
data_look_free(struct data_look *look)
{
    if (!look)
        return;
    sheet_fini(&look->sheet);
    free(look->marked);
    data_part_free(look->part);
    steps_free(look->now);
    steps_free(look->next);
    while (look->n_undo > 0)
        steps_free(look->undo[--look->n_undo]);
    while (look->n_redo > 0)
        steps_free(look->redo[--look->n_redo]);
    free(look);
}

/* Of tables that are no longer there. */
static void
sweep_looks(struct view_data *d)
{
    struct data_look **at = &d->aside;

    while (*at) {
        struct data_look *look = *at;

        if (data_find_table(data_session(d), look->table)) {
            at = &look->other;
            continue;
        }
        *at = look->other;
        data_look_free(look);
    }
}

static struct data_look *
take_look(struct view_data *d, const char *name)
{
    for (struct data_look **at = &d->aside; *at; at = &(*at)->other) {
        struct data_look *look = *at;

        if (strcmp(look->table, name) == 0) {
            *at = look->other;
            look->other = NULL;
            return look;
        }
    }
    return NULL;
}

void
data_look_keep(struct view_data *d, struct data_look *look)
{
    data_look_free(take_look(d, look->table)); /* of a file opened again */
    look->other = d->aside;
    d->aside = look;
    sweep_looks(d);
}

/* Put the look at hand aside, and take up the one of this table. */
static void
change_looks(struct view_data *d, const char *name)
{
    data_look_keep(d, d->look);
    d->look = take_look(d, name);
    if (!d->look)
        d->look = data_look_new();
    snprintf(d->look->table, sizeof d->look->table, "%s", name);
}

static void
look_at(struct view_data *d, struct table *t)
{
    struct data_look *look;
    bool waits;

    if (!t || strcmp(t->name, d->look->table) != 0)
        change_looks(d, t ? t->name : "");
    look = d->look;
    look->version = t ? t->version : 0;
    /* First rows may have been asked for what all rows now can give. */
    waits = t && look->asked == 0 && !steps_equal(look->next, look->now);
    if (t && (look->sheet.frame != t->frame || look->sheet.rows != t->rows)) {
        steps_free(look->now);
        look->now = steps_copy(t->steps);
        look->sheet.steps = look->now;
        sheet_set(&look->sheet, t->frame, t->rows);
        data_find_again(d);
        if (look->asked == 0 && !waits) {
            steps_free(look->next);
            look->next = steps_copy(look->now);
        }
    }
    data_sheet_style(d, t);
    if (waits)
        data_arrange(d, "filtering");
    if (t && !t->profile)
        data_profile(d, t);
    if (t)
        data_part_ask(d, t);
    list_set(&look->columns, t ? frame_cols(t->frame) : 0);
    look->columns.at = look->sheet.col;
    ui_touch(d->view.ui);
}

void
data_look_at(struct view_data *d, struct table *t)
{
    data_open_leave(d);
    look_at(d, t);
}

void
data_look_again(struct view_data *d)
{
    struct session *s = data_session(d);
    struct table *t = data_table(d);

    if (d->before) /* first rows: those of a table come when it is whole */
        return;
    if (!t && session_tables(s) > 0)
        t = session_table(s, session_tables(s) - 1);
    if (!t || t->version != d->look->version)
        look_at(d, t);
}

void
data_close_table(struct view_data *d)
{
    struct session *s = data_session(d);
    size_t i = data_table_index(d);

    if (d->before) {
        data_open_stop(d);
        return;
    }
    session_close_table(s, i);
    look_at(d, session_tables(s) ? session_table(s, i ? i - 1 : 0) : NULL);
}

const char *
data_column_name(struct view_data *d)
{
    const struct frame *f = data_frame(d);

    return f && d->look->sheet.col < frame_cols(f)
               ? frame_name(f, d->look->sheet.col)
               : "";
}

/* ---- regions ---- */

static struct list *
columns_list(struct view *v)
{
    return &data_mine(v)->look->columns;
}

static const struct view_region regions[] = {
    [DATA_REGION_COLUMNS] = {"columns", data_columns_draw, data_columns_title,
                             columns_list, NULL, 0},
    [DATA_REGION_DETAIL] = {"column", data_detail_draw, data_detail_title, NULL,
                            NULL, REGION_PASSIVE},
    [DATA_REGION_ROWS] = {"rows", data_rows_draw, data_rows_title, NULL, NULL,
                          0},
    [DATA_REGION_PLOT] = {"chart", data_plot_draw, data_plot_title, NULL, NULL,
                          0},
    {0},
};

static const struct view_sign signs[] = {
    {"◎", "the column is the target"},
    {"●", "marked: for Enter; a column: for gb"},
    {"▲", "an alert; in a heading: sorted upwards"},
    {"▼", "sorted downwards"},
    {"·", "a note about the column"},
    {"∅", "there is no value"},
    {"›", "there are more columns that way"},
    {0},
};

static void
data_layout(struct view *v, struct layout *l)
{
    struct rect body = l->body;
    const struct frame *f = data_frame(data_mine(v));
    const struct table *t = data_table(data_mine(v));
    int want = f ? (int)frame_cols(f) + 2 : 8;

    if (data_plot_on(data_mine(v))) {
        if (body.w >= 130)
            layout_place(l, DATA_REGION_COLUMNS, rect_left(&body, 60));
        layout_place(l, DATA_REGION_PLOT, body);
        return;
    }
    /* What a sheet about another holds needs no summary of its columns. */
    if (t && t->kind != TABLE_PLAIN) {
        layout_place(l, DATA_REGION_ROWS, body);
        return;
    }
    if (body.w >= 130) {
        struct rect top =
            rect_top(&body, want < body.h / 2 ? want : body.h / 2);

        layout_place(l, DATA_REGION_DETAIL, rect_right(&top, top.w / 3));
        layout_place(l, DATA_REGION_COLUMNS, top);
    } else {
        layout_place(
            l, DATA_REGION_COLUMNS,
            rect_top(&body, want < body.h / 2 - 2 ? want : body.h / 2 - 2));
        layout_place(l, DATA_REGION_DETAIL, rect_top(&body, 4));
    }
    layout_place(l, DATA_REGION_ROWS, body);
}

static void
data_placed(struct view *v)
{
    data_plot_placed(data_mine(v), v->layout.placed[DATA_REGION_PLOT]);
}

/* A chart takes the place of the rows. */
static bool
data_has(const struct view *v, unsigned region)
{
    bool chart = data_plot_on((const struct view_data *)v);

    return region == DATA_REGION_ROWS   ? !chart
           : region == DATA_REGION_PLOT ? chart
                                        : true;
}

/* ---- the class ---- */

static struct view *
data_open(struct ui *ui)
{
    struct view_data *d = mem_new(sizeof *d);

    d->view.ui = ui;
    d->tether = tether_new(d);
    d->look = data_look_new();
    d->plot = data_plot_new(d);
    if (session_tables(ui_session(ui)) > 0)
        data_look_at(d, session_table(ui_session(ui), 0));
    return &d->view;
}

static void
data_close(struct view *v)
{
    struct view_data *d = data_mine(v);

    tether_cut(d->tether);
    data_find_free(d->find);
    data_plot_free(d->plot);
    loop_remove(d->timer);
    loop_remove(d->making_timer);
    data_forget_closed(d);
    data_look_free(d->look);
    data_look_free(d->before);
    while (d->aside) {
        struct data_look *next = d->aside->other;

        data_look_free(d->aside);
        d->aside = next;
    }
    free(d);
}

static void
data_changed(struct view *v, unsigned topics)
{
    if (topics & TOPIC_TABLES)
        data_look_again(data_mine(v));
}

static bool
data_show(struct view *v, const char *what, struct error *err)
{
    struct view_data *d = data_mine(v);
    struct session *s = data_session(d);

    (void)err;
    for (size_t i = 0; i < session_tables(s); i++) {
        struct table *t = session_table(s, i);

        if (strcmp(t->name, what) == 0 || strcmp(t->path, what) == 0) {
            data_look_at(d, t);
            return true;
        }
    }
    if (!data_open_is(d, what))
        data_open_file(d, what);
    return true;
}

static bool
came_from_columns(const struct view_data *d)
{
    for (const struct data_look *look = d->aside; look; look = look->other)
        if (strcmp(look->table, d->look->from) == 0)
            return look->focus == DATA_REGION_COLUMNS;
    return false;
}

/* Right leads from the list of columns into the one under the cursor ... */
static bool
into_column(struct view *v, const char *name, const struct view_call *call)
{
    if (v->focus != DATA_REGION_COLUMNS || strcmp(name, "right") != 0 ||
        !data_frame(data_mine(v)))
        return false;
    data_sheet_frequency(v, call);
    return true;
}

/* ... and Left back, where there is nothing more to the left. */
static bool
out_of_column(struct view_data *d, const char *name)
{
    const struct table *t = data_table(d);

    return t && (t->kind == TABLE_FREQUENCY || t->kind == TABLE_BINS) &&
           d->view.focus == DATA_REGION_ROWS && d->look->sheet.col == 0 &&
           strcmp(name, "left") == 0 && came_from_columns(d) &&
           data_leave_table(d);
}

static bool
data_action(struct view *v, const char *name, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    bool used = false;

    if (strcmp(name, "share") == 0 && call->count > 0 && data_frame(d)) {
        data_rows_percent(d, call->count); /* nothing is to be asked */
        return true;
    }
    /* Keys may come faster than the frames that tell the sheet. */
    if (v->focus == DATA_REGION_COLUMNS && d->look->columns.n > 0)
        d->look->sheet.col = d->look->columns.at;
    if ((strcmp(name, "cancel") == 0 || strcmp(name, "interrupt") == 0) &&
        data_make_stop(d))
        return true;
    if (strcmp(name, "cancel") == 0 && !d->opening)
        data_find_cancel(d); /* and let the frame forget its text */
    if (d->opening &&
        (strcmp(name, "cancel") == 0 || strcmp(name, "interrupt") == 0)) {
        data_open_stop(d);
        return true;
    }
    if (into_column(v, name, call) || out_of_column(d, name))
        return true;
    if (v->focus == DATA_REGION_PLOT)
        return data_plot_action(d, name, call->count);
    if (v->focus == DATA_REGION_ROWS)
        used = sheet_action(&d->look->sheet, name, call->count);
    if (used)
        d->look->columns.at = d->look->sheet.col;
    return used;
}

static bool
data_mouse(struct view *v, unsigned region, const struct input_event *e)
{
    struct view_data *d = data_mine(v);
    int head = data_columns_head(d, v->layout.placed[region].h - 1);
    size_t at = d->look->columns.top + (size_t)(e->y > head ? e->y - head : 0);
    size_t was = d->look->sheet.col;
    bool on_head;

    if (region == DATA_REGION_COLUMNS && e->mouse == MOUSE_PRESS) {
        if (e->y >= head && at < d->look->columns.n)
            d->look->columns.at = d->look->sheet.col = at;
        return true;
    }
    if (region != DATA_REGION_ROWS)
        return false;
    if (e->mouse == MOUSE_PRESS &&
        sheet_press(&d->look->sheet, e->x, e->y, &on_head)) {
        d->look->columns.at = d->look->sheet.col;
        /* The first press finds the column, the next one sorts by it. */
        if (on_head && d->look->sheet.col == was)
            data_rows_press_head(d);
        return true;
    }
    if (e->mouse == MOUSE_WHEEL_DOWN)
        return sheet_action(&d->look->sheet, "down", 3);
    if (e->mouse == MOUSE_WHEEL_UP)
        return sheet_action(&d->look->sheet, "up", 3);
    return false;
}

static void
data_badge(struct view *v, struct buf *out)
{
    size_t n = session_tables(ui_session(v->ui));

    if (n > 1)
        buf_printf(out, "%zu", n);
}

static void
data_subject(struct view *v, struct buf *out)
{
    buf_puts(out, data_column_name(data_mine(v)));
}

static bool
data_copy(struct view *v, enum copy_what what, struct buf *out)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_table(d);
    const struct frame *f = data_frame(d);
    size_t row = sheet_at(&d->look->sheet);

    if (!f)
        return false;
    if (what == COPY_REFERENCE) {
        buf_puts(out, !t ? data_open_path(d) : t->path[0] ? t->path : t->name);
    } else if (what == COPY_COLUMN) {
        buf_puts(out, data_column_name(d));
    } else if (d->look->sheet.n_rows == 0) {
        return false;
    } else if (what == COPY_ROW) {
        for (size_t col = 0; col < frame_cols(f); col++) {
            if (col > 0)
                buf_putc(out, '\t');
            column_print(frame_column(f, col), row, out);
        }
    } else {
        column_print(frame_column(f, d->look->sheet.col), row, out);
    }
    return true;
}

/* First rows do not decide the types: what they refuse may do for the whole,
 * which is asked when it is there. */
static bool
check_filter(struct view_data *d, const char *text, struct error *err)
{
    struct expr *e = expr_parse(str_of(text), err);
    enum col_type type = COL_BOOL;
    struct table *t = d->before ? NULL : data_table(d);
    bool ok = e && expr_check(e, t ? t->all : data_frame(d), &type, err);

    if (e && !ok && d->before && err->code == ERR_TYPE)
        ok = true;
    else if (ok && type != COL_BOOL)
        ok = error_set(err, ERR_TYPE,
                       "a filter is true or false for each row; this is %s",
                       column_type_word(type));
    expr_free(e);
    return ok;
}

static bool
data_filter(struct view *v, const char *text, struct error *err)
{
    struct view_data *d = data_mine(v);
    struct steps *s;

    if (!data_frame(d))
        return error_set(err, ERR_STATE, "no table is open");
    if (text[0] && !check_filter(d, text, err))
        return false;
    s = data_steps(d);
    steps_filter(s, text);
    data_change(d, s, "filtering");
    return true;
}

static const char *
data_filter_text(struct view *v)
{
    return data_mine(v)->look->next->filter;
}

static size_t
data_words(struct view *v, char ***out)
{
    struct view_data *d = data_mine(v);
    struct table *t = d->before ? NULL : data_table(d);
    const struct frame *f = t ? t->all : data_frame(d); /* hidden ones, too */
    size_t n = f ? frame_cols(f) : 0;

    *out = mem_new((n + 1) * sizeof **out);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = mem_text(frame_name(f, i));
    return n;
}

/* q leaves a derived table for the one it was made from. */
static bool
data_back(struct view *v)
{
    struct view_data *d = data_mine(v);
    struct session *s = data_session(d);
    const char *colon = strrchr(d->look->table, ':');
    char base[256];

    if (data_plot_close(d) || data_leave_table(d))
        return true;
    if (!colon)
        return false;
    snprintf(base, sizeof base, "%.*s", (int)(colon - d->look->table),
             d->look->table);
    if (!data_find_table(s, base))
        return false;
    data_close_table(d);
    data_look_at(d, data_find_table(s, base));
    return true;
}

static const char *
data_context(struct view *v)
{
    struct view_data *d = data_mine(v);
    const struct table *t = data_table(d);

    if (data_plot_on(d))
        return v->focus == DATA_REGION_PLOT ? "data.plot" : "data";
    return t && t->kind != TABLE_PLAIN && v->focus == DATA_REGION_ROWS
               ? "data.sheet"
               : "data";
}

const struct view_class view_data_class = {
    .name = "data",
    .title = "Data",
    .regions = regions,
    .actions = data_actions,
    .signs = signs,
    .open = data_open,
    .close = data_close,
    .layout = data_layout,
    .placed = data_placed,
    .has = data_has,
    .changed = data_changed,
    .show = data_show,
    .action = data_action,
    .mouse = data_mouse,
    .badge = data_badge,
    .subject = data_subject,
    .copy = data_copy,
    .search = data_find,
    .suggest = data_suggest,
    .filter = data_filter,
    .filter_text = data_filter_text,
    .words = data_words,
    .back = data_back,
    .context = data_context,
};
