/* ui/view_data.c -- the Data view: which table is at hand, its regions, keys
 * and actions.
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

/* ---- actions ---- */

static bool
has_table(struct view *v)
{
    return data_frame(data_mine(v)) != NULL;
}

static bool
is_opening(struct view *v)
{
    return data_mine(v)->opening != NULL;
}

const char *
data_column_name(struct view_data *d)
{
    const struct frame *f = data_frame(d);

    return f && d->look->sheet.col < frame_cols(f)
               ? frame_name(f, d->look->sheet.col)
               : "";
}

static void
act_open(struct view *v, const struct view_call *call)
{
    if (call->arg && call->arg[0])
        data_open_file(data_mine(v), call->arg);
}

static void
act_stop(struct view *v, const struct view_call *call)
{
    (void)call;
    data_open_stop(data_mine(v));
}

static void
act_target(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);

    (void)call;
    if (!t)
        return;
    free(t->target);
    t->target = mem_text(data_column_name(d));
    profile_free(t->profile);
    t->profile = NULL;
    ui_message(v->ui, MESSAGE_INFO,
               "%s is the target: columns are judged against it", t->target);
    data_profile(d, t);
    session_touch_table(data_session(d), t);
}

static void
act_profile(struct view *v, const struct view_call *call)
{
    struct table *t = data_whole_table(data_mine(v));
    struct buf b;

    (void)call;
    if (!t)
        return;
    if (!t->profile) {
        ui_message(v->ui, MESSAGE_INFO, "the profile is not ready yet");
        return;
    }
    buf_init(&b);
    profile_print(t->profile, 100, true, &b);
    ui_page(v->ui, t->name, b.data, b.len);
    buf_fini(&b);
}

static void
act_close(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct session *s = data_session(d);
    size_t i = data_table_index(d);

    (void)call;
    if (d->before) {
        data_open_stop(d);
        return;
    }
    session_close_table(s, i);
    look_at(d, session_tables(s) ? session_table(s, i ? i - 1 : 0) : NULL);
}

static void
table_chosen(void *ctx, size_t chosen)
{
    struct view_data *d = ctx;

    if (chosen < session_tables(data_session(d)))
        data_look_at(d, session_table(data_session(d), chosen));
}

static void
act_tables(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct session *s = data_session(d);
    size_t n = session_tables(s);
    struct ui_menu_item *items = mem_new((n + 1) * sizeof *items);
    char(*notes)[64] = mem_new((n + 1) * sizeof *notes);

    (void)call;
    for (size_t i = 0; i < n; i++) {
        struct table *t = session_table(s, i);

        snprintf(notes[i], sizeof notes[i], "%zu × %zu", frame_rows(t->frame),
                 frame_cols(t->frame));
        items[i] = (struct ui_menu_item){t->name, notes[i], t->path};
    }
    ui_menu(v->ui, "tables", items, n, table_chosen, d);
    free(items);
    free(notes);
}

static void
act_enter(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    const struct frame *f = data_frame(d);
    struct buf b;

    if (v->focus == DATA_REGION_COLUMNS) {
        data_sheet_frequency(v, call);
        return;
    }
    if (data_plot_on(d)) {
        data_sheet_frequency(v, call);
        data_plot_close(d);
        return;
    }
    if (data_sheet_enter(d))
        return;
    if (!f || d->look->sheet.n_rows == 0)
        return;
    buf_init(&b);
    for (size_t col = 0; col < frame_cols(f); col++) {
        buf_printf(&b, "%-24s ", frame_name(f, col));
        column_print(frame_column(f, col), sheet_at(&d->look->sheet), &b);
        buf_putc(&b, '\n');
    }
    ui_page(v->ui, "row", b.data, b.len);
    buf_fini(&b);
}

static void
act_learn(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct call *c;
    struct error err;
    size_t col;

    if (!t || !call->arg || !call->arg[0])
        return;
    if (!frame_need(t->frame, call->arg, &col, &err)) {
        ui_error(v->ui, &err);
        return;
    }
    c = call_new(command_find("train"));
    call_lend(c, t->frame);
    if (!call_set(c, "data", t->path[0] ? t->path : t->name, &err) ||
        !call_set(c, "target", call->arg, &err)) {
        ui_error(v->ui, &err);
        call_free(c);
        return;
    }
    ui_goto(v->ui, "runs", NULL);
    ui_call(v->ui, c);
}

/* The target of the profile, else what tables end in. */
static void
data_suggest(struct view *v, const char *action, struct buf *out)
{
    const struct table *t = data_table(data_mine(v));

    if (data_sheet_suggest(data_mine(v), action, out))
        return;
    if (strcmp(action, "rename") == 0)
        buf_puts(out, data_column_name(data_mine(v)));
    if (strcmp(action, "scatter") == 0)
        data_plot_suggest(data_mine(v), out);
    if (strcmp(action, "export") == 0 && data_plot_on(data_mine(v)))
        buf_printf(out, "%s.svg", data_column_name(data_mine(v)));
    if (!t || strcmp(action, "learn") != 0)
        return;
    buf_puts(out, t->target ? t->target
                            : frame_name(t->frame, frame_cols(t->frame) - 1));
}

static bool
has_chart(struct view *v)
{
    return data_plot_on(data_mine(v));
}

static void
act_export(struct view *v, const struct view_call *call)
{
    if (has_chart(v))
        data_plot_export(v, call);
    else
        data_export(v, call);
}

static const struct view_action actions[] = {
    {"open", "Table: open a file",
     "Reads text, JSON lines, Arrow or Parquet, packed or not: format, header "
     "and types are found from the file, or told: FILE --encoding latin1.",
     "file: ", act_open, NULL, 0},
    {"stop", "Table: stop opening it", "What was shown before comes back.",
     NULL, act_stop, is_opening, 0},
    {"tables", "Tables: choose", NULL, NULL, act_tables, has_table, 0},
    {"close", "Table: close", NULL, NULL, act_close, has_table, 0},
    {"enter", "Rows: what is behind the cursor",
     "Of a column its frequencies, of a row all its values, and in a sheet "
     "about another table the rows that the marked ones, or the one under the "
     "cursor, stand for. q goes back.",
     NULL, act_enter, has_table, ACTION_SUBJECT},
    {"frequency", "Column: frequency of each value",
     "Most frequent first; numbers and times of very many values in ranges. "
     "Enter opens the rows with a value, or with all those that Space marked.",
     NULL, data_sheet_frequency, has_table, ACTION_SUBJECT},
    {"frequency-bins", "Column: frequency of ranges",
     "Numbers and times in about so many ranges with round ends.",
     "ranges, 0 for each value: ", data_sheet_bins, has_table, ACTION_SUBJECT},
    {"describe", "Table: describe every column",
     "A sheet with a row for each column: types, what is missing, quartiles, "
     "the most frequent value, alerts. Enter goes to the column.",
     NULL, data_sheet_describe, has_table, 0},
    {"profile", "Table: the profile as text", "Alerts first, then the columns.",
     NULL, act_profile, has_table, 0},
    {"correlate", "Table: how columns go together",
     "A matrix: Spearman's rank correlation of two numbers, else Cramer's V. "
     "Enter draws the two columns.",
     NULL, data_sheet_relations, has_table, 0},
    {"group", "Table: groups and aggregates",
     "One row for each group: country, year: total = sum(price), count(). "
     "Aggregates: count sum mean min max sd median distinct missing share "
     "first last. Enter opens the rows of a group.",
     "columns: aggregates: ", data_sheet_group, has_table, 0},
    {"pivot", "Table: pivot",
     "One row for each group, a column for each value of the column behind the "
     "slash: country / status: sum(price).",
     "rows / column: aggregates: ", data_sheet_pivot, has_table, 0},
    {"join", "Table: join with another",
     "The rows of two open tables side by side where columns are equal: inner, "
     "left, semi, anti or asof. What has no partner is told.",
     NULL, data_sheet_join, has_table, 0},
    {"duplicates", "Table: rows that occur more than once",
     "Each once, with the number of its copies. Enter shows them.", NULL,
     data_sheet_duplicates, has_table, 0},
    {"missing", "Table: what is missing",
     "A row for each column. Enter opens the rows that miss it.", NULL,
     data_sheet_missing, has_table, 0},
    {"missing-patterns", "Table: what is missing together",
     "Which columns miss values in the same rows. Enter opens them.", NULL,
     data_sheet_patterns, has_table, 0},
    {"missing-rows", "Table: rows that miss anything", NULL, NULL,
     data_sheet_missing_rows, has_table, 0},
    {"mark", "Rows: mark, or no longer",
     "In the list of columns it marks columns: groups and pivots are then "
     "proposed by those.",
     NULL, data_sheet_mark, has_table, ACTION_SUBJECT},
    {"mark-invert", "Rows: mark the others instead",
     "In the list of columns, the other columns.", NULL, data_sheet_mark_invert,
     has_table, 0},
    {"histogram", "Column: chart of its values",
     "How the column is distributed; h and l take the column beside.", NULL,
     data_plot_histogram, has_table, ACTION_SUBJECT},
    {"scatter", "Column: chart against another",
     "A point for each row, this column to the right, the other one upwards; "
     "of many rows 20,000, evenly.",
     "column upwards: ", data_plot_scatter, has_table, ACTION_SUBJECT},
    {"plot-axis", "Chart: linear, log y, log x, log-log", NULL, NULL,
     data_plot_axis, has_chart, 0},
    {"plot-classes", "Chart: by class of the target",
     "Each class has a letter, and its distribution is in percent of its rows.",
     NULL, data_plot_classes, has_chart, 0},
    {"plot-finer", "Chart: more ranges", NULL, NULL, data_plot_finer, has_chart,
     0},
    {"plot-coarser", "Chart: fewer ranges", NULL, NULL, data_plot_coarser,
     has_chart, 0},
    {"plot-zoom-in", "Chart: zoom in", NULL, NULL, data_plot_zoom_in, has_chart,
     0},
    {"plot-zoom-out", "Chart: zoom out", NULL, NULL, data_plot_zoom_out,
     has_chart, 0},
    {"plot-zoom-reset", "Chart: all of it", NULL, NULL, data_plot_zoom_reset,
     has_chart, 0},
    {"sort", "Rows: sort by this column", NULL, NULL, data_rows_sort, has_table,
     ACTION_SUBJECT},
    {"sort-reverse", "Rows: sort downwards", NULL, NULL, data_rows_sort_reverse,
     has_table, ACTION_SUBJECT},
    {"sort-then", "Rows: then sort by this column",
     "Where the keys so far are equal. The heading says which key a column is.",
     NULL, data_rows_sort_then, has_table, ACTION_SUBJECT},
    {"sort-then-reverse", "Rows: then sort by it downwards", NULL, NULL,
     data_rows_sort_then_reverse, has_table, ACTION_SUBJECT},
    {"unsort", "Rows: in the order they came in", NULL, NULL, data_rows_unsort,
     has_table, 0},
    {"keep", "Rows: only those with this value",
     "Adds a condition to the filter.", NULL, data_rows_keep, has_table,
     ACTION_SUBJECT},
    {"leave-out", "Rows: without this value", "Adds a condition to the filter.",
     NULL, data_rows_leave_out, has_table, ACTION_SUBJECT},
    {"share", "Rows: go to a share of them",
     "50% goes to the middle. In a column that the rows are sorted by it is a "
     "quantile of its values.",
     "go to % of the rows: ", data_rows_share, has_table, 0},
    {"search-column", "Column: search it alone",
     "A regular expression; n and N go on.", "/", data_find_in_column,
     has_table, ACTION_SUBJECT},
    {"column", "Column: go to one by name", NULL, "column: ", data_rows_column,
     has_table, 0},
    {"derive", "Table: new column",
     "A column computed by an expression over "
     "the others, such as  per_month = total_charges / max(tenure, 1)",
     "name = expression: ", data_shape_derive, has_table, 0},
    {"hide", "Column: hide", "Filters and sorts may still name it.", NULL,
     data_shape_hide, has_table, ACTION_SUBJECT},
    {"unhide", "Columns: show hidden ones again", NULL, NULL, data_shape_unhide,
     has_table, 0},
    {"column-left", "Column: move to the left", NULL, NULL, data_shape_left,
     has_table, ACTION_SUBJECT},
    {"column-right", "Column: move to the right", NULL, NULL, data_shape_right,
     has_table, ACTION_SUBJECT},
    {"rename", "Column: rename", "The filter and the sort follow the new name.",
     "new name: ", data_shape_rename, has_table, ACTION_SUBJECT},
    {"cast", "Column: another type",
     "A menu of the types, with how many values each would lose.", NULL,
     data_shape_cast, has_table, ACTION_SUBJECT},
    {"freeze", "Columns: freeze up to this one",
     "They stay when the others scroll sideways; again lets go. With a count, "
     "so many columns.",
     NULL, data_rows_freeze, has_table, 0},
    {"wider", "Column: wider", NULL, NULL, data_rows_wider, has_table,
     ACTION_SUBJECT},
    {"narrower", "Column: narrower", NULL, NULL, data_rows_narrower, has_table,
     ACTION_SUBJECT},
    {"fit", "Column: as wide as its values, and back", NULL, NULL,
     data_rows_fit, has_table, ACTION_SUBJECT},
    {"widths", "Columns: widths: normal, full, narrow", NULL, NULL,
     data_rows_widths, has_table, 0},
    {"target", "Column: make it the target",
     "The profile then says how much "
     "each other column tells about it alone, and warns of leakage.",
     NULL, act_target, has_table, ACTION_SUBJECT},
    {"learn", "Table: train a model",
     "Gradient boosting with its defaults, a recorded run: its curve is in "
     "Runs. All rows learn, also those a filter hides. "
     ":train FILE has all the options.",
     "column to predict: ", act_learn, has_table, 0},
    {"rejects", "Table: rows that were set aside", NULL, NULL,
     data_show_rejects, has_table, 0},
    {"export", "Table: write to a file",
     "The rows that pass the filter, in the order they are shown in; a chart "
     "as .svg or .png.",
     "file to write (.csv, of a chart .svg): ", act_export, has_table, 0},
    {"steps", "Steps: show them as Lua",
     "Everything that was done to the table, as the Lua that does it, and what "
     "can be undone and redone.",
     NULL, data_steps_page, has_table, 0},
    {"steps-notebook", "Steps: to the notebook",
     "A new cell at the end of the notebook makes what shows here. When none is "
     "open, one is created.",
     NULL, data_steps_send, has_table, 0},
    {"steps-copy", "Steps: copy the Lua", NULL, NULL, data_steps_copy,
     has_table, 0},
    {"undo", "Steps: undo", NULL, NULL, data_steps_undo, NULL, 0},
    {"redo", "Steps: redo", NULL, NULL, data_steps_redo, NULL, 0},
    {0},
};

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
    size_t at = d->look->columns.top + (size_t)(e->y > 0 ? e->y - 1 : 0);
    size_t was = d->look->sheet.col;
    bool head;

    if (region == DATA_REGION_COLUMNS && e->mouse == MOUSE_PRESS) {
        if (e->y > 0 && at < d->look->columns.n)
            d->look->columns.at = d->look->sheet.col = at;
        return true;
    }
    if (region != DATA_REGION_ROWS)
        return false;
    if (e->mouse == MOUSE_PRESS &&
        sheet_press(&d->look->sheet, e->x, e->y, &head)) {
        d->look->columns.at = d->look->sheet.col;
        /* The first press finds the column, the next one sorts by it. */
        if (head && d->look->sheet.col == was)
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
    act_close(v, NULL);
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
    .actions = actions,
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
