/* ui/view_data_actions.c -- what can be done in the Data view, by name.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui/ui.h"

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
    t->profile_beyond = false;
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
    if (t->beyond) {
        data_beyond_page(data_mine(v), t);
        return;
    }
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
    (void)call;
    data_close_table(data_mine(v));
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

        data_beyond_size(t, notes[i], sizeof notes[i]);
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
    if (!t->beyond)
        call_lend(c, t->frame);
    if (!call_set(c, "data", t->path[0] ? t->path : t->name, &err) ||
        !call_set(c, "target", call->arg, &err) ||
        (t->beyond && t->beyond->call &&
         !reading_options_pass(t->beyond->call, c, &err))) {
        ui_error(v->ui, &err);
        call_free(c);
        return;
    }
    ui_goto(v->ui, "runs", NULL);
    ui_call(v->ui, c);
}

/* The target of the profile, else what tables end in. */
void
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

const struct view_action data_actions[] = {
    {"open", "Table: open a file",
     "Reads text, JSON lines, Arrow or Parquet, packed or not: format, header "
     "and types are found from the file, or told: FILE --encoding latin1.",
     "file: ", act_open, NULL, 0},
    {"stop", "Table: stop opening it", "What was shown before comes back.",
     NULL, act_stop, is_opening, 0},
    {"tables", "Tables: choose", NULL, NULL, act_tables, has_table, 0},
    {"close", "Table: close",
     "It is no longer open; its file stays. Of what was made here nothing is "
     "saved: E writes it, P keeps the Lua that makes it.",
     NULL, act_close, has_table, 0},
    {"enter", "Rows: what is behind the cursor",
     "Of a column its frequencies, as Right does in the list of columns; of a row all its values, and in a sheet "
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
     "group by: \ncolumns: values, as  city: n = count(), mean(price)   Tab "
     "completes",
     data_sheet_group, has_table, 0},
    {"pivot", "Table: pivot",
     "One row for each group, a column for each value of the column behind the "
     "slash: country / status: sum(price).",
     "pivot: \nrows / column: values, as  city / year: sum(price)   Tab completes",
     data_sheet_pivot, has_table, 0},
    {"sample", "Table: a sample of the rows",
     "So many of the rows that show, or a share of them, drawn at random: "
     "10000, 5%. Of a table larger than memory, of all its rows.",
     "rows, or a share such as 1%: ", data_beyond_sample, has_table, 0},
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
     "chart against: \nthe column that goes up; this one goes right   Tab completes",
     data_plot_scatter, has_table, ACTION_SUBJECT},
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
     "name = expression: \nas  total = price * amount   Tab "
     "completes",
     data_shape_derive, has_table, 0},
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
     "Save or export the rows that pass the filter, in the order they are "
     "shown in: as .csv, .tsv, .jsonl (all three also .gz, .zst, .lz4), "
     ".parquet or .arrow; a chart as .svg or .png.",
     "file to write: \n.csv .tsv .jsonl .parquet .arrow, text also .gz; a chart "
     ".svg .png",
     act_export, has_table, 0},
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
    {"undo", "Steps: undo",
     "Takes back the last filter, sort or change of columns; right after q it "
     "brings the closed table back.",
     NULL, data_steps_undo, NULL, 0},
    {"redo", "Steps: redo", NULL, NULL, data_steps_redo, NULL, 0},
    {0},
};
