/* ui/view_data_behind.c -- marks, and the way from a row of a sheet that
 * tells of a table to the rows of that table, or the column, it stands for.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/expr.h"
#include "frame/gather.h"
#include "frame/overview.h"
#include "ui/ui.h"

/* ---- marks ---- */

bool
data_is_marked(const struct data_look *look, size_t row)
{
    return look->marked && look->marks == look->sheet.frame &&
           look->marked[row];
}

/* The marks of the frame that shows, made when they are not there. */
static uint8_t *
marks_of(struct data_look *look)
{
    if (look->marked && look->marks == look->sheet.frame)
        return look->marked;
    free(look->marked);
    look->marked = NULL;
    look->marks = look->sheet.frame;
    if (look->marks)
        look->marked = mem_new(frame_rows(look->marks) + 1);
    return look->marked;
}

bool
data_is_marked_column(const struct data_look *look, size_t col)
{
    return look->sheet.width && look->sheet.width[col].marked;
}

size_t
data_marked_columns(const struct data_look *look)
{
    size_t n = 0;

    for (size_t i = 0; look->sheet.frame && i < look->columns.n; i++)
        n += data_is_marked_column(look, i);
    return n;
}

/* Of columns: every one, or so many from the cursor on. */
static void
mark_columns(struct view_data *d, bool all, int count)
{
    struct data_look *look = d->look;
    size_t at = all ? 0 : look->columns.at, n = all ? look->columns.n : 1;

    if (!all && count > 1)
        n = (size_t)count;
    for (; n > 0 && at < look->columns.n; n--, at++)
        look->sheet.width[at].marked ^= true;
    if (!all) {
        look->columns.at = at < look->columns.n ? at : look->columns.n - 1;
        look->sheet.col = look->columns.at;
    }
    n = data_marked_columns(look);
    ui_message(d->view.ui, MESSAGE_INFO,
               n == 1 ? "%zu column is marked; gb groups by it"
                      : "%zu columns are marked; gb groups by them",
               n);
}

void
data_sheet_mark(struct view *v, const struct view_call *call)
{
    struct data_look *look = data_mine(v)->look;
    int n = call->count > 0 ? call->count : 1;
    uint8_t *marked;

    if (v->focus == DATA_REGION_COLUMNS) {
        if (look->columns.n > 0 && look->sheet.width)
            mark_columns(data_mine(v), false, n);
        return;
    }
    marked = marks_of(look);
    for (; n > 0 && look->sheet.n_rows > 0; n--) {
        marked[sheet_at(&look->sheet)] ^= 1;
        if (!list_action(&look->sheet.row, "down", 1))
            break;
    }
}

void
data_sheet_mark_invert(struct view *v, const struct view_call *call)
{
    struct data_look *look = data_mine(v)->look;
    uint8_t *marked;

    (void)call;
    if (v->focus == DATA_REGION_COLUMNS) {
        if (look->columns.n > 0 && look->sheet.width)
            mark_columns(data_mine(v), true, 0);
        return;
    }
    marked = marks_of(look);
    for (size_t i = 0; i < look->sheet.n_rows; i++)
        marked[sheet_row_id(&look->sheet, i)] ^= 1;
}

/* ---- the rows behind a row ---- */

/* All of columns first..first + n of the row. */
static void
put_keys(struct buf *out, const struct frame *f, size_t first, size_t n,
         size_t row)
{
    for (size_t i = first; i < first + n; i++) {
        buf_puts(out, i > first ? " and " : "");
        overview_put_equals(out, frame_name(f, i), frame_column(f, i), row);
    }
    if (n == 0)
        buf_puts(out, "true");
}

/* Does the list "a, b" have the name? */
static bool
lists(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = list; (p = strstr(p, name)); p++)
        if ((p == list || strncmp(p - 2, ", ", 2) == 0) &&
            (p[n] == '\0' || strncmp(p + n, ", ", 2) == 0))
            return true;
    return false;
}

/* any: rows that are not here may miss any of the columns. */
static void
put_pattern(struct buf *out, const struct frame *f, size_t row,
            const struct frame *parent, bool any)
{
    struct buf list;
    size_t n = 0;

    buf_init(&list);
    column_print(frame_column(f, 0), row, &list);
    for (size_t i = 0; i < frame_cols(parent); i++) {
        if (!any && column_missing(frame_column(parent, i)) == 0)
            continue;
        buf_puts(out, n++ ? " and " : "");
        expr_put_name(frame_name(parent, i), out);
        buf_puts(out, lists(list.data, frame_name(parent, i)) ? " is null"
                                                              : " is not null");
    }
    buf_puts(out, n ? "" : "true");
    buf_fini(&list);
}

static void
put_text_column(struct buf *out, const struct frame *f, size_t row)
{
    struct str name = column_text(frame_column(f, 0), row);

    buf_add(out, name.p, name.n);
}

/* The expression of the rows of the parent that a row stands for. */
static void
put_rows(struct buf *out, const struct table *t, const struct frame *f,
         size_t row, const struct table *parent)
{
    struct buf name;

    switch (t->kind) {
    case TABLE_FREQUENCY:
        overview_put_equals(out, t->about, frame_column(f, 0), row);
        break;
    case TABLE_BINS:
        overview_put_range(out, t->about, f, row);
        break;
    case TABLE_GROUPS:
    case TABLE_PIVOT:
        put_keys(out, f, 0, t->n_keys, row);
        break;
    case TABLE_DUPLICATES:
        put_keys(out, f, 1, frame_cols(f) - 1, row);
        break;
    case TABLE_PATTERNS:
        put_pattern(out, f, row, parent->frame, parent->beyond != NULL);
        break;
    default: /* TABLE_MISSING */
        buf_init(&name);
        put_text_column(&name, f, row);
        expr_put_name(name.data, out);
        buf_puts(out, " is null");
        buf_fini(&name);
    }
}

/* Of the marked rows that show, or of the one under the cursor. */
static size_t
put_selection(struct view_data *d, const struct table *t,
              const struct table *parent, struct buf *out)
{
    const struct data_look *look = d->look;
    size_t n = 0, last = sheet_at(&look->sheet);
    struct buf one;

    for (size_t i = 0; i < look->sheet.n_rows; i++)
        n += data_is_marked(look, sheet_row_id(&look->sheet, i));
    if (n <= 1) {
        for (size_t i = 0; n && i < look->sheet.n_rows; i++)
            if (data_is_marked(look, sheet_row_id(&look->sheet, i)))
                last = sheet_row_id(&look->sheet, i);
        put_rows(out, t, t->base, last, parent);
        return 1;
    }
    n = 0;
    buf_init(&one);
    for (size_t i = 0; i < look->sheet.n_rows; i++) {
        size_t row = sheet_row_id(&look->sheet, i);

        if (!data_is_marked(look, row))
            continue;
        buf_clear(&one);
        put_rows(&one, t, t->base, row, parent);
        buf_printf(out, "%s(%s)", n++ ? " or " : "", one.data);
    }
    buf_fini(&one);
    return n;
}

/* Of a cell of a pivot: only those with the value that its column is of. */
static void
put_across(const struct data_look *look, const struct table *t, struct buf *out)
{
    long col = frame_find(t->base, frame_name(t->frame, look->sheet.col));
    size_t n = t->values ? frame_rows(t->values) : 0, each;
    struct buf rows;

    if (t->kind != TABLE_PIVOT || n == 0 || col < (long)t->n_keys)
        return;
    each = (frame_cols(t->base) - t->n_keys) / n; /* aggregates */
    buf_init(&rows);
    buf_add(&rows, out->data, out->len);
    buf_clear(out);
    if (t->n_keys > 0)
        buf_printf(out, strstr(rows.data, " or ") ? "(%s) and " : "%s and ",
                   rows.data);
    overview_put_equals(out, t->about, frame_column(t->values, 0),
                        ((size_t)col - t->n_keys) / each);
    buf_fini(&rows);
}

/* Of the rows that show those for which m->text is true, in their order. */
static bool
make_rows(struct data_making *m, struct task *t, struct error *err)
{
    struct expr *e;
    uint32_t *ids = NULL;
    size_t n = 0, k = 0, rows = frame_rows(m->of.frame);
    uint8_t *in = NULL;
    bool ok;

    if (m->beyond)
        return data_beyond_where(m, t, err);
    e = expr_parse(str_of(m->text), err);
    ok = e && expr_where(e, m->of.frame, data_pool_of(t), &ids, &n, err);

    expr_free(e);
    if (ok && m->of.rows) {
        const uint32_t *order = rowset_ids(m->of.rows);

        ok = (in = mem_try_array(rows, 1, err));
        for (size_t i = 0; ok && i < n; i++)
            in[ids[i]] = 1;
        for (size_t i = 0; ok && i < rowset_n(m->of.rows); i++)
            if (in[order[i]]) {
                in[order[i]] = 0;
                ids[k++] = order[i];
            }
        n = k;
    }
    if (ok)
        m->made = gather_frame(m->of.frame, ids, n, data_pool_of(t), err);
    free(ids);
    free(in);
    return m->made;
}

void
data_open_rows(struct view_data *d, struct table *parent,
               const char *expression, const char *suffix)
{
    struct buf call;

    buf_init(&call);
    buf_puts(&call, "where(");
    steps_put_text(expression, &call);
    buf_putc(&call, ')');
    data_make(d, &(struct data_make){.of = parent,
                                     .suffix = suffix,
                                     .call = call.data,
                                     .collect = true,
                                     .text = expression,
                                     .make = make_rows});
    buf_fini(&call);
}

struct table *
data_parent_of(struct view_data *d, const struct table *t)
{
    struct table *parent = data_find_table(data_session(d), t->parent);

    if (!parent)
        ui_message(d->view.ui, MESSAGE_INFO,
                   "%s, which this tells of, is closed: o opens it again",
                   t->parent);
    return parent;
}

/* The column of the parent that the row tells of. */
static void
enter_column(struct view_data *d, const struct table *t, struct table *parent)
{
    struct buf name;
    long col;

    buf_init(&name);
    put_text_column(&name, t->base, sheet_at(&d->look->sheet));
    col = frame_find(parent->frame, name.data);
    if (col < 0) {
        ui_message(d->view.ui, MESSAGE_INFO, "%s does not show in %s now",
                   name.data, parent->name);
    } else {
        data_enter_table(d, parent);
        d->look->sheet.col = d->look->columns.at = (size_t)col;
    }
    buf_fini(&name);
}

/* ---- in ---- */

/* Two numbers are drawn; a text's values are groups, of which the number is
 * told, or that the other text is spread over. */
static void
enter_relation(struct view_data *d, const struct table *t, struct table *parent)
{
    struct buf row, text;
    const char *across = frame_name(t->frame, d->look->sheet.col);
    long x, y;
    bool texts[2];

    buf_init(&row);
    buf_init(&text);
    put_text_column(&row, t->base, sheet_at(&d->look->sheet));
    y = frame_find(parent->frame, row.data);
    x = frame_find(parent->frame, across);
    texts[0] = y >= 0 &&
               column_type(frame_column(parent->frame, (size_t)y)) == COL_TEXT;
    texts[1] = x >= 0 &&
               column_type(frame_column(parent->frame, (size_t)x)) == COL_TEXT;
    if (x == y || (!texts[0] && !texts[1])) {
        data_plot_relation(d, t, parent);
    } else {
        expr_put_name(texts[0] ? row.data : across, &text);
        if (texts[0] && texts[1]) {
            buf_puts(&text, " / ");
            expr_put_name(across, &text);
        } else {
            const char *number = texts[0] ? across : row.data;

            buf_puts(&text, ": n = count(), mean(");
            expr_put_name(number, &text);
            buf_puts(&text, "), median(");
            expr_put_name(number, &text);
            buf_puts(&text, ")");
        }
        data_enter_table(d, parent);
        data_open_groups(&d->view, text.data, false);
    }
    buf_fini(&row);
    buf_fini(&text);
}

bool
data_sheet_enter(struct view_data *d)
{
    struct table *t = data_table(d), *parent;
    struct buf rows;
    char clipped[200];

    if (!t || t->kind == TABLE_PLAIN || !t->parent ||
        d->look->sheet.n_rows == 0)
        return false;
    if (!(parent = data_parent_of(d, t)))
        return true;
    if (t->kind == TABLE_RELATIONS && d->look->sheet.col > 0) {
        enter_relation(d, t, parent);
        return true;
    }
    if (t->kind == TABLE_DESCRIPTION || t->kind == TABLE_RELATIONS) {
        enter_column(d, t, parent);
        return true;
    }
    buf_init(&rows);
    put_selection(d, t, parent, &rows);
    put_across(d->look, t, &rows);
    snprintf(clipped, sizeof clipped, "%.150s%s", rows.data,
             rows.len > 150 ? "…" : "");
    data_open_rows(d, parent, rows.data, clipped);
    buf_fini(&rows);
    return true;
}
