/* ui/view_data_find.c -- searching the rows that show for a pattern.
 *
 * One task finds all cells that match (ui/find_map.h), over which n and N then
 * walk.  Until it is done, n looks for a match by itself for as long as a key
 * may take, and otherwise goes where the task will say.
 *
 * Headings come behind the last match and before the first; with the keys in
 * the list of columns they alone are searched, unless none matches.
 *
 * Capitals count when the pattern has one.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/task.h"
#include "ui/find_map.h"
#include "ui/tether.h"
#include "ui/ui.h"

enum {
    SPOT_US = 3000, /* a search on the spot may take so long */
    REFRESH_MS = 250
};

struct data_find {
    char *text;
    char *column; /* that is searched; NULL: all that show */
    struct regex *regex;
    struct frame *frame; /* what is searched */
    struct rowset *rows;
    struct find_map *map; /* NULL: not counted yet */
    struct task *task;    /* that counts; NULL: none */
    unsigned asked;
    int pending; /* go on that way when it is counted; 0: no */
    long head;   /* the column whose heading it is at; -1: at none */
    struct loop_watch *timer;
};

/* ---- the task ---- */

struct finding {
    struct regex *regex;
    char *text;
    struct frame *frame;
    struct rowset *rows;
    size_t n_rows;
    long only; /* column; -1: all */
    struct find_map *map;
    struct tether *view;
    unsigned asked;
};

static bool
run_search(struct task *t, void *ctx, struct error *err)
{
    struct finding *w = ctx;
    const struct find_what what = {w->regex, w->text,   w->frame,
                                   w->rows,  w->n_rows, w->only};

    w->map = find_map_new(&what, session_pool(task_session(t)),
                          task_progress(t), err);
    return w->map;
}

/* ---- walking from match to match ---- */

static void
go_to(struct view_data *d, size_t row, size_t col)
{
    d->look->sheet.row.at = row;
    d->look->sheet.col = d->look->columns.at = col;
}

/* The next column, `at` not being looked at, whose heading matches; -1: none. */
static long
next_heading(const struct data_find *f, const struct frame *frame, long at,
             int dir)
{
    long n = (long)frame_cols(frame);
    struct error err;
    bool found = false;

    for (at += dir; !f->column && at >= 0 && at < n; at += dir)
        if (regex_find(f->regex, str_of(frame_name(frame, (size_t)at)), &found,
                       0, NULL, &err) &&
            found)
            return at;
    return -1;
}

/* Before the first, behind the last column. */
static long
outside(const struct frame *frame, int dir)
{
    return dir > 0 ? -1 : (long)frame_cols(frame);
}

static void
go_to_heading(struct view_data *d, long col)
{
    d->find->head = col;
    d->look->sheet.col = d->look->columns.at = (size_t)col;
    ui_message(d->view.ui, MESSAGE_INFO, "in the heading %s",
               frame_name(data_frame(d), (size_t)col));
}

/* In the list of columns. */
static bool
walk_headings(struct view_data *d, int dir)
{
    const struct frame *frame = data_frame(d);
    long at = next_heading(d->find, frame, (long)d->look->columns.at, dir);

    if (at < 0)
        at = next_heading(d->find, frame, outside(frame, dir), dir);
    if (at >= 0)
        go_to_heading(d, at);
    return at >= 0;
}

static bool
is_at_heading(const struct view_data *d)
{
    return d->find->head >= 0 && d->find->head == (long)d->look->sheet.col;
}

static void
walk(struct view_data *d, int dir)
{
    const struct find_map *m = d->find->map;
    const struct frame *frame = data_frame(d);
    size_t from = d->look->sheet.row.at, row = from;
    long col = (long)d->look->sheet.col, head = -1;
    bool at_head = is_at_heading(d), over;

    if (at_head) { /* the cells go on where they begin, or end */
        head = next_heading(d->find, frame, col, dir);
        from = row = dir > 0 ? find_map_rows(m) - 1 : 0;
        col = (long)frame_cols(frame) - 1 - outside(frame, dir);
    }
    over = at_head || find_map_count(m) == 0;
    if (find_map_count(m) > 0 && !find_map_next_in_row(m, row, &col, dir)) {
        find_map_next_row(m, &row, dir);
        col = outside(frame, dir);
        find_map_next_in_row(m, row, &col, dir);
        over = over || (dir > 0 ? row <= from : row >= from);
    }
    if (over && !at_head)
        head = next_heading(d->find, frame, outside(frame, dir), dir);
    if (head < 0 && find_map_count(m) == 0)
        head = next_heading(d->find, frame, outside(frame, dir), dir);
    d->find->head = -1;
    if (head >= 0) {
        go_to_heading(d, head);
    } else if (find_map_count(m) == 0) {
        ui_message(d->view.ui, MESSAGE_WARN, "\"%s\" is not here",
                   d->find->text);
    } else {
        if (over)
            ui_message(d->view.ui, MESSAGE_INFO,
                       dir > 0 ? "on from the top" : "on from the end");
        go_to(d, row, (size_t)col);
    }
}

/* ---- on the spot ---- */

/* Nothing is counted yet: look at rows from the cursor on for a moment. */
static bool
look_on_the_spot(struct view_data *d, int dir)
{
    const struct data_find *f = d->find;
    struct sheet *s = &d->look->sheet;
    int64_t limit = loop_now_us() + SPOT_US;
    size_t n_cols = frame_cols(s->frame), n = s->n_rows;
    long only = f->column ? frame_find(s->frame, f->column) : -1;
    struct error err;
    bool found = false;
    struct buf b;

    buf_init(&b);
    /* What is left of the row of the cursor comes first. */
    for (size_t step = 0; !found && step < n; step++) {
        size_t i = (s->row.at + (dir > 0 ? step : n - step)) % n;

        for (size_t k = 0; !found && k < n_cols; k++) {
            size_t col = dir > 0 ? k : n_cols - 1 - k;
            const struct column *c = frame_column(s->frame, col);

            if ((only >= 0 && only != (long)col) ||
                (step == 0 && (dir > 0 ? col <= s->col : col >= s->col)) ||
                !column_is_valid(c, sheet_row_id(s, i)))
                continue;
            buf_clear(&b);
            column_print(c, sheet_row_id(s, i), &b);
            if (!regex_find(f->regex, (struct str){b.data, b.len}, &found, 0,
                            NULL, &err))
                goto out; /* the task says so */
            if (found)
                go_to(d, i, col);
        }
        if (loop_now_us() > limit)
            break;
    }
out:
    buf_fini(&b);
    return found;
}

/* ---- what is searched for ---- */

void
data_find_free(struct data_find *f)
{
    if (!f)
        return;
    if (f->task)
        task_cancel(f->task);
    loop_remove(f->timer);
    regex_free(f->regex);
    frame_unref(f->frame);
    rowset_unref(f->rows);
    find_map_free(f->map);
    free(f->text);
    free(f->column);
    free(f);
}

static void
stop_counting(struct data_find *f)
{
    if (f->task)
        task_cancel(f->task);
    f->task = NULL;
    f->asked = 0;
    loop_remove(f->timer);
    f->timer = NULL;
}

static void
forget(struct view_data *d)
{
    data_find_free(d->find);
    d->find = NULL;
}

static void
find_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct finding *w = ctx;
    struct view_data *d = tether_end(w->view);
    struct data_find *f = d ? d->find : NULL;

    (void)t;
    if (f && f->asked == w->asked) {
        f->task = NULL;
        stop_counting(f);
        if (ok) {
            f->map = w->map;
            w->map = NULL;
            if (f->pending)
                walk(d, f->pending);
            f->pending = 0;
        } else {
            if (err->code != ERR_CANCELLED)
                ui_error(d->view.ui, err);
            forget(d);
        }
        ui_answer(d->view.ui);
    }
    find_map_free(w->map);
    free(w->text);
    regex_free(w->regex);
    frame_unref(w->frame);
    rowset_unref(w->rows);
    free(w);
}

static void
on_timer(void *ctx, int events)
{
    struct view_data *d = ctx;

    (void)events;
    if (ui_visible(d->view.ui, &d->view))
        ui_touch(d->view.ui);
}

static bool
has_capital(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\\' && p[1])
            p++; /* \S, \W */
        else if (isupper((unsigned char)*p))
            return true;
    }
    return false;
}

static struct regex *
compile(const char *text, struct error *err)
{
    return regex_new(str_of(text), !has_capital(text), err);
}

/* Count in what the sheet has now. */
static void
count(struct view_data *d)
{
    struct data_find *f = d->find;
    const struct sheet *s = &d->look->sheet;
    struct finding *w = mem_new(sizeof *w);
    struct error err;

    stop_counting(f);
    frame_unref(f->frame);
    rowset_unref(f->rows);
    find_map_free(f->map);
    f->map = NULL;
    f->frame = frame_ref(s->frame);
    f->rows = rowset_ref(s->rows);

    w->regex = compile(f->text, &err);
    w->text = mem_text(f->text);
    w->frame = frame_ref(s->frame);
    w->rows = rowset_ref(s->rows);
    w->n_rows = s->n_rows;
    w->only = f->column ? frame_find(s->frame, f->column) : -1;
    w->view = tether_hold(d->tether);
    w->asked = f->asked = ++d->n_asked;
    f->timer = loop_timer(ui_loop(d->view.ui), REFRESH_MS, true, on_timer, d);
    f->task = task_start(data_session(d), &(struct task_spec){.title = "search",
                                                              .run = run_search,
                                                              .done = find_done,
                                                              .ctx = w,
                                                              .of = {w->frame},
                                                              .quiet = true});
}

static bool
begin(struct view_data *d, const char *text, bool here)
{
    struct error err;
    struct regex *regex = compile(text, &err);

    if (!regex) {
        ui_error(d->view.ui, &err);
        return false;
    }
    forget(d);
    d->find = mem_new(sizeof *d->find);
    d->find->text = mem_text(text);
    d->find->column = here ? mem_text(data_column_name(d)) : NULL;
    d->find->regex = regex;
    d->find->head = -1;
    count(d);
    return true;
}

static bool
is_current(const struct view_data *d)
{
    const struct sheet *s = &d->look->sheet;

    return d->find->frame == s->frame && d->find->rows == s->rows;
}

bool
data_find(struct view *v, const char *text, int dir)
{
    struct view_data *d = data_mine(v);
    struct data_find *f = d->find;
    bool here = d->find_here;

    d->find_here = false;
    if (!data_frame(d) || d->look->sheet.n_rows == 0)
        return false;
    if (here || !f || strcmp(f->text, text) != 0) {
        if (!begin(d, text, here))
            return true; /* it has been said why not */
    } else if (!is_current(d)) {
        count(d);
    }
    if (v->focus == DATA_REGION_COLUMNS && !here && walk_headings(d, dir))
        return true;
    if (d->find->map)
        walk(d, dir);
    else if (!look_on_the_spot(d, dir))
        d->find->pending = dir;
    return true;
}

void
data_find_in_column(struct view *v, const struct view_call *call)
{
    struct buf line;

    if (!call->arg || !call->arg[0])
        return;
    buf_init(&line);
    buf_printf(&line, "search %s", call->arg);
    data_mine(v)->find_here = true;
    ui_run_command(v->ui, line.data, 0); /* n and N know it, too */
    buf_fini(&line);
}

void
data_find_again(struct view_data *d)
{
    if (!d->find || is_current(d))
        return;
    if (!data_frame(d) ||
        (d->find->column && frame_find(data_frame(d), d->find->column) < 0))
        forget(d);
    else
        count(d);
}

bool
data_find_cancel(struct view_data *d)
{
    if (!d->find)
        return false;
    forget(d);
    return true;
}

/* ---- how it shows ---- */

static bool
found(void *ctx, size_t i, size_t col)
{
    const struct data_find *f = ctx;

    return find_map_at(f->map, i, col);
}

void
data_find_mark(struct view_data *d)
{
    struct sheet *s = &d->look->sheet;
    bool known = d->find && d->find->map && is_current(d);

    s->find = known ? d->find->regex : NULL;
    s->found = known ? found : NULL;
    s->find_ctx = d->find;
}

void
data_find_title(struct view_data *d, struct buf *out)
{
    const struct data_find *f = d->find;
    char n[STR_F64_MAX], at[STR_F64_MAX];
    uint64_t place;
    size_t all;

    if (!f || !is_current(d))
        return;
    if (f->task) {
        struct task_view v;

        task_look(f->task, &v);
        buf_printf(out, "searching %.0f%%",
                   v.total ? floor(100 * (double)v.done / (double)v.total) : 0);
        return;
    }
    if (!f->map)
        return;
    all = find_map_count(f->map);
    str_from_count(all, n);
    place = find_map_place(f->map, d->look->sheet.row.at, d->look->sheet.col);
    str_from_count(place, at);
    if (is_at_heading(d))
        buf_printf(out, "heading · ");
    if (place > 0 && !is_at_heading(d))
        buf_printf(out, "match %s of %s", at, n);
    else
        buf_printf(out, "%s match%s", n, all == 1 ? "" : "es");
    if (f->column)
        buf_printf(out, " in %s", f->column);
    else if (find_map_columns(f->map) > 1)
        buf_printf(out, " in %zu columns", find_map_columns(f->map));
    if (data_table(d) && data_table(d)->beyond)
        buf_puts(out, " of the first rows");
}
