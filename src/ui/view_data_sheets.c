/* ui/view_data_sheets.c -- sheets made from the table at hand that tell of it:
 * frequencies, a description, what is missing or repeated, relations.  Groups
 * and joins are beside (view_data_groups.c, view_data_join.c).
 *
 * Each is a table like any other (struct table's kind says what its rows stand
 * for), made in the background by data_make(), which keeps the Lua that does
 * the same.  Enter opens the rows behind the marked rows, or behind the one
 * under the cursor (view_data_behind.c), as a table again; q closes it and is
 * back where it was.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/bins.h"
#include "frame/expr.h"
#include "frame/overview.h"
#include "frame/stream_overview.h"
#include "ui/ui.h"

/* A column with more values than that is cut into ranges. */
enum { MANY_VALUES = 200 };

struct pool *
data_pool_of(struct task *t)
{
    return session_pool(task_session(t));
}

/* What shows, as a frame of its own. */
struct frame *
data_gather_shown(struct data_making *m, struct task *t, struct error *err)
{
    struct frame *f;

    assert(!m->beyond); /* its rows are more than these */
    progress_begin(task_progress(t), "gathering rows", 0);
    f = shown_gather(&m->of, data_pool_of(t), err);
    if (f && !progress_check(task_progress(t), err)) {
        frame_unref(f);
        return NULL;
    }
    progress_begin(task_progress(t), "counting", 0);
    return f;
}

/* ---- from sheet to sheet, and back ---- */

void
data_enter_table(struct view_data *d, struct table *t)
{
    char from[sizeof d->look->from];

    snprintf(from, sizeof from, "%s", d->look->table);
    if (strcmp(from, t->name) == 0) { /* made anew */
        data_look_at(d, t);
        return;
    }
    d->look->focus = d->view.focus;
    data_look_at(d, t);
    memcpy(d->look->from, from, sizeof from);
    d->view.focus = DATA_REGION_ROWS;
}

/* A table that took work is not lost by a key too many; what one key makes from
 * the table before is no loss. */
static void
close_kept(struct view_data *d, size_t i)
{
    struct table *t = session_take_table(data_session(d), i);
    bool work = t->kind == TABLE_PLAIN || t->kind == TABLE_GROUPS ||
                t->kind == TABLE_PIVOT;

    if (!work) {
        session_free_table(t);
        return;
    }
    data_forget_closed(d);
    d->closed = t;
    ui_message(d->view.ui, MESSAGE_INFO, "closed %s; u brings it back",
               t->name);
}

bool
data_leave_table(struct view_data *d)
{
    struct session *s = data_session(d);
    struct table *now = data_table(d);
    struct table *t =
        d->look->from[0] ? data_find_table(s, d->look->from) : NULL;
    char gone[sizeof d->look->from];

    d->look->from[0] = '\0';
    if (!t)
        return false;
    snprintf(gone, sizeof gone, "%s", now && now->parent ? now->name : "");
    data_look_at(d, t);
    d->view.focus = d->look->focus;
    for (size_t i = 0; gone[0] && i < session_tables(s); i++)
        if (strcmp(session_table(s, i)->name, gone) == 0) {
            close_kept(d, i);
            break;
        }
    return true;
}

bool
data_reopen_table(struct view_data *d)
{
    struct session *s = data_session(d);
    struct table *t = d->closed;
    char name[sizeof d->look->table];

    d->closed = NULL;
    if (!t || data_find_table(s, t->name)) { /* made anew */
        session_free_table(t);
        return false;
    }
    snprintf(name, sizeof name, "%s", t->name);
    session_put_table(s, t);
    data_enter_table(d, data_find_table(s, name));
    ui_message(d->view.ui, MESSAGE_INFO, "%s is back", name);
    return true;
}

void
data_forget_closed(struct view_data *d)
{
    session_free_table(d->closed);
    d->closed = NULL;
}

/* ---- frequencies ---- */

/* Of the one column alone: the others need not be gathered.  Text: bins. */
static bool
make_frequency(struct data_making *m, struct task *t, struct error *err)
{
    struct shown one = {.rows = m->of.rows};
    struct frame *values;
    size_t col;

    if (m->beyond) {
        struct stream *s = data_beyond_stream(m, t, err);

        m->made = s ? stream_frequency(s, m->about,
                                       (size_t)strtoul(m->text, NULL, 10), err)
                    : NULL;
        return m->made;
    }
    if (!frame_need(m->of.frame, m->about, &col, err))
        return false;
    one.frame = frame_select(m->of.frame, &col, 1, err);
    values = one.frame ? shown_gather(&one, data_pool_of(t), err) : NULL;
    m->made = values
                  ? overview_frequency(values, m->about,
                                       (size_t)strtoul(m->text, NULL, 10),
                                       data_pool_of(t), task_progress(t), err)
                  : NULL;
    frame_unref(values);
    frame_unref(one.frame);
    return m->made;
}

static void
open_frequency(struct view_data *d, struct table *t, const char *name,
               size_t bins)
{
    char text[24];
    struct buf b;

    buf_init(&b);
    buf_puts(&b, "frequency(");
    steps_put_text(name, &b);
    if (bins)
        buf_printf(&b, ", { bins = %zu }", bins);
    buf_putc(&b, ')');
    snprintf(text, sizeof text, "%zu", bins);
    data_make(d,
              &(struct data_make){.of = t,
                                  .suffix = name,
                                  .call = b.data,
                                  .scan = b.data,
                                  .text = text,
                                  .about = name,
                                  .kind = bins ? TABLE_BINS : TABLE_FREQUENCY,
                                  .tally = true,
                                  .make = make_frequency});
    buf_fini(&b);
}

/* Numbers and times of very many values are cut into ranges. */
static size_t
bins_for(const struct table *t, const char *name)
{
    long col = frame_find(t->all, name);

    if (col < 0 || !bins_suit(column_type(frame_column(t->all, (size_t)col))))
        return 0;
    if (!t->profile || (size_t)col >= t->profile->n_cols)
        return column_type(frame_column(t->all, (size_t)col)) == COL_FLOAT64 &&
                       frame_rows(t->all) > 100000
                   ? BINS_MANY
                   : 0;
    return t->profile->column[col].n_distinct > MANY_VALUES ? BINS_MANY : 0;
}

void
data_sheet_frequency(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    const char *name = data_column_name(d);

    (void)call;
    if (t && name[0])
        open_frequency(d, t, name, bins_for(t, name));
}

void
data_sheet_bins(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    bool here = t && (t->kind == TABLE_FREQUENCY || t->kind == TABLE_BINS);
    struct table *of = here ? data_parent_of(d, t) : t;
    int64_t n;

    if (!of || !call->arg)
        return;
    if (!str_to_i64(str_trim(str_of(call->arg)), &n) || n < 0 || n > BINS_MAX)
        ui_message(v->ui, MESSAGE_ERROR,
                   "ranges are 1 to %d; 0 counts each value", BINS_MAX);
    else
        open_frequency(d, of, here ? t->about : data_column_name(d), (size_t)n);
}

/* ---- about all columns ---- */

/* Of what shows.  Text: the target. */
static bool
make_profiled(struct data_making *m, struct task *t, struct error *err)
{
    struct frame *f;
    struct profile_options o = {0};
    struct profile *p;

    if (m->beyond)
        return data_beyond_profiled(m, t, err);
    f = data_gather_shown(m, t, err);
    if (f && m->text[0] && frame_find(f, m->text) >= 0)
        o.target = m->text;
    p = f ? profile_new(f, &o, data_pool_of(t), task_progress(t), err) : NULL;
    if (p)
        m->made = m->kind == TABLE_RELATIONS
                      ? overview_relations(p, RELATION_AUTO, err)
                      : overview_describe(p, err);
    profile_free(p);
    frame_unref(f);
    return m->made;
}

void
data_sheet_describe(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct buf b, scan;

    (void)call;
    if (!t)
        return;
    buf_init(&b);
    buf_puts(&b, "describe");
    if (t->target) {
        buf_puts(&b, "{ target = ");
        steps_put_text(t->target, &b);
        buf_puts(&b, " }");
    } else {
        buf_puts(&b, "()");
    }
    buf_init(&scan);
    buf_printf(&scan, "profile%s:describe()", b.data + strlen("describe"));
    data_make(d, &(struct data_make){.suffix = "columns",
                                     .call = b.data,
                                     .scan = scan.data,
                                     .text = t->target,
                                     .kind = TABLE_DESCRIPTION,
                                     .tally = true,
                                     .make = make_profiled});
    buf_fini(&scan);
    buf_fini(&b);
}

void
data_sheet_relations(struct view *v, const struct view_call *call)
{
    (void)call;
    data_make(data_mine(v), &(struct data_make){.suffix = "relations",
                                                .call = "relations()",
                                                .scan = "profile():relations()",
                                                .kind = TABLE_RELATIONS,
                                                .tally = true,
                                                .make = make_profiled});
}

static bool
make_missing(struct data_making *m, struct task *t, struct error *err)
{
    bool patterns = m->kind == TABLE_PATTERNS;
    struct frame *f;
    struct stream *s;

    if (m->beyond) {
        if ((s = data_beyond_stream(m, t, err)))
            m->made =
                patterns ? stream_patterns(s, err) : stream_missing(s, err);
        return m->made;
    }
    f = data_gather_shown(m, t, err);
    if (f)
        m->made =
            patterns
                ? overview_patterns(f, data_pool_of(t), task_progress(t), err)
                : overview_missing(f, data_pool_of(t), task_progress(t), err);
    frame_unref(f);
    return m->made;
}

static bool
misses_anything(struct view *v, const struct table *t)
{
    for (size_t i = 0; i < frame_cols(t->frame); i++)
        if (t->beyond || column_missing(frame_column(t->frame, i)) > 0)
            return true;
    ui_message(v->ui, MESSAGE_INFO, "nothing is missing in %s", t->name);
    return false;
}

void
data_sheet_missing(struct view *v, const struct view_call *call)
{
    (void)call;
    data_make(data_mine(v),
              &(struct data_make){.suffix = "missing",
                                  .call = "missing()",
                                  .scan = "missing()",
                                  .note = "only: rows that miss just "
                                          "this column; Enter opens "
                                          "those that miss it",
                                  .kind = TABLE_MISSING,
                                  .tally = true,
                                  .make = make_missing});
}

void
data_sheet_patterns(struct view *v, const struct view_call *call)
{
    struct table *t = data_whole_table(data_mine(v));

    (void)call;
    if (t && misses_anything(v, t))
        data_make(data_mine(v),
                  &(struct data_make){.suffix = "patterns",
                                      .call = "patterns()",
                                      .scan = "patterns()",
                                      .note = "∅: rows that miss "
                                              "nothing; Enter opens "
                                              "the rows",
                                      .kind = TABLE_PATTERNS,
                                      .tally = true,
                                      .make = make_missing});
}

/* The first rows of a file need not miss what others do. */
static void
put_any_missing(const struct table *t, struct buf *out)
{
    if (!t->beyond) {
        overview_put_any_missing(out, t->frame);
        return;
    }
    for (size_t i = 0; i < frame_cols(t->frame); i++) {
        buf_puts(out, i ? " or " : "");
        expr_put_name(frame_name(t->frame, i), out);
        buf_puts(out, " is null");
    }
}

void
data_sheet_missing_rows(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct buf b;

    (void)call;
    if (!t || !misses_anything(v, t))
        return;
    buf_init(&b);
    put_any_missing(t, &b);
    data_open_rows(d, t, b.data, "with missing values");
    buf_fini(&b);
}

static struct frame *
repeated(struct data_making *m, struct task *t, struct error *err)
{
    struct frame *f = data_gather_shown(m, t, err), *out = NULL;

    if (f)
        out = overview_duplicates(f, NULL, data_pool_of(t), task_progress(t),
                                  err);
    frame_unref(f);
    return out;
}

static struct frame *
repeated_beyond(struct data_making *m, struct task *t, struct error *err)
{
    struct stream *s = data_beyond_stream(m, t, err);

    return s ? stream_duplicates(s, err) : NULL;
}

static bool
make_duplicates(struct data_making *m, struct task *t, struct error *err)
{
    char rows[STR_F64_MAX];
    uint64_t n = 0;

    m->made = m->beyond ? repeated_beyond(m, t, err) : repeated(m, t, err);
    for (size_t i = 0; m->made && i < frame_rows(m->made); i++)
        n += (uint64_t)column_int64s(frame_column(m->made, 0))[i] - 1;
    str_from_count(n, rows);
    if (m->made && n == 0)
        snprintf(m->note, sizeof m->note,
                 "no row occurs more than once; q goes back");
    else if (m->made)
        snprintf(m->note, sizeof m->note,
                 "%s row%s an earlier one; Enter shows the copies", rows,
                 n == 1 ? " repeats" : "s repeat");
    return m->made;
}

void
data_sheet_duplicates(struct view *v, const struct view_call *call)
{
    (void)call;
    data_make(data_mine(v), &(struct data_make){.suffix = "duplicates",
                                                .call = "duplicates()",
                                                .scan = "duplicates()",
                                                .kind = TABLE_DUPLICATES,
                                                .tally = true,
                                                .make = make_duplicates});
}
