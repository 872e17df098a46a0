/* ui/view_data_sheets.c -- sheets made from the table at hand that tell of it:
 * frequencies, a description, groups, what is missing or repeated, relations,
 * joins; and the way from a row of theirs back to the rows it stands for.
 *
 * Each is a table like any other (struct table's kind says what its rows stand
 * for), made in the background by data_make(), which keeps the Lua that does
 * the same.  Enter opens the rows behind the marked rows, or behind the one
 * under the cursor, as a table again; q closes it and is back where it was.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/bins.h"
#include "frame/expr.h"
#include "frame/gather.h"
#include "frame/overview.h"
#include "frame/recipe.h"
#include "ui/ui.h"

/* A column with more values than that is cut into ranges. */
enum { MANY_VALUES = 200 };

static struct pool *
pool_of(struct task *t)
{
    return session_pool(task_session(t));
}

/* What shows, as a frame of its own. */
static struct frame *
gather_shown(struct data_making *m, struct task *t, struct error *err)
{
    struct frame *f;

    progress_begin(task_progress(t), "gathering rows", 0);
    f = shown_gather(&m->of, pool_of(t), err);
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
            session_close_table(s, i);
            break;
        }
    return true;
}

/* ---- marks ---- */

static bool
is_marked(const struct data_look *look, size_t row)
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

static bool
is_marked_column(const struct data_look *look, size_t col)
{
    return look->sheet.width && look->sheet.width[col].marked;
}

static size_t
n_marked_columns(const struct data_look *look)
{
    size_t n = 0;

    for (size_t i = 0; look->sheet.frame && i < look->columns.n; i++)
        n += is_marked_column(look, i);
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
    n = n_marked_columns(look);
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

static void
put_pattern(struct buf *out, const struct frame *f, size_t row,
            const struct frame *parent)
{
    struct buf list;
    size_t n = 0;

    buf_init(&list);
    column_print(frame_column(f, 0), row, &list);
    for (size_t i = 0; i < frame_cols(parent); i++) {
        if (column_missing(frame_column(parent, i)) == 0)
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
         size_t row, const struct frame *parent)
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
        put_pattern(out, f, row, parent);
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
              const struct frame *parent, struct buf *out)
{
    const struct data_look *look = d->look;
    size_t n = 0, last = sheet_at(&look->sheet);
    struct buf one;

    for (size_t i = 0; i < look->sheet.n_rows; i++)
        n += is_marked(look, sheet_row_id(&look->sheet, i));
    if (n <= 1) {
        for (size_t i = 0; n && i < look->sheet.n_rows; i++)
            if (is_marked(look, sheet_row_id(&look->sheet, i)))
                last = sheet_row_id(&look->sheet, i);
        put_rows(out, t, t->base, last, parent);
        return 1;
    }
    n = 0;
    buf_init(&one);
    for (size_t i = 0; i < look->sheet.n_rows; i++) {
        size_t row = sheet_row_id(&look->sheet, i);

        if (!is_marked(look, row))
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
    struct expr *e = expr_parse(str_of(m->text), err);
    uint32_t *ids = NULL;
    size_t n = 0, k = 0, rows = frame_rows(m->of.frame);
    uint8_t *in = NULL;
    bool ok = e && expr_where(e, m->of.frame, pool_of(t), &ids, &n, err);

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
        m->made = gather_frame(m->of.frame, ids, n, pool_of(t), err);
    free(ids);
    free(in);
    return m->made;
}

static void
open_rows(struct view_data *d, struct table *parent, const char *expression,
          const char *suffix)
{
    struct buf call;

    buf_init(&call);
    buf_puts(&call, "where(");
    steps_put_text(expression, &call);
    buf_putc(&call, ')');
    data_make(d, &(struct data_make){.of = parent,
                                     .suffix = suffix,
                                     .call = call.data,
                                     .text = expression,
                                     .make = make_rows});
    buf_fini(&call);
}

static struct table *
parent_of(struct view_data *d, const struct table *t)
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

/* ---- frequencies ---- */

/* Of the one column alone: the others need not be gathered.  Text: bins. */
static bool
make_frequency(struct data_making *m, struct task *t, struct error *err)
{
    struct shown one = {.rows = m->of.rows};
    struct frame *values;
    size_t col;

    if (!frame_need(m->of.frame, m->about, &col, err))
        return false;
    one.frame = frame_select(m->of.frame, &col, 1, err);
    values = one.frame ? shown_gather(&one, pool_of(t), err) : NULL;
    m->made = values ? overview_frequency(values, m->about,
                                          (size_t)strtoul(m->text, NULL, 10),
                                          pool_of(t), task_progress(t), err)
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
    struct table *of = here ? parent_of(d, t) : t;
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
    struct frame *f = gather_shown(m, t, err);
    struct profile_options o = {0};
    struct profile *p;

    if (f && m->text[0] && frame_find(f, m->text) >= 0)
        o.target = m->text;
    p = f ? profile_new(f, &o, pool_of(t), task_progress(t), err) : NULL;
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
    struct buf b;

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
    data_make(d, &(struct data_make){.suffix = "columns",
                                     .call = b.data,
                                     .text = t->target,
                                     .kind = TABLE_DESCRIPTION,
                                     .tally = true,
                                     .make = make_profiled});
    buf_fini(&b);
}

void
data_sheet_relations(struct view *v, const struct view_call *call)
{
    (void)call;
    data_make(data_mine(v), &(struct data_make){.suffix = "relations",
                                                .call = "relations()",
                                                .kind = TABLE_RELATIONS,
                                                .tally = true,
                                                .make = make_profiled});
}

static bool
make_missing(struct data_making *m, struct task *t, struct error *err)
{
    struct frame *f = gather_shown(m, t, err);

    if (f)
        m->made = m->kind == TABLE_PATTERNS
                      ? overview_patterns(f, pool_of(t), task_progress(t), err)
                      : overview_missing(f, pool_of(t), task_progress(t), err);
    frame_unref(f);
    return m->made;
}

static bool
misses_anything(struct view *v, const struct table *t)
{
    for (size_t i = 0; i < frame_cols(t->frame); i++)
        if (column_missing(frame_column(t->frame, i)) > 0)
            return true;
    ui_message(v->ui, MESSAGE_INFO, "nothing is missing in %s", t->name);
    return false;
}

void
data_sheet_missing(struct view *v, const struct view_call *call)
{
    (void)call;
    data_make(data_mine(v), &(struct data_make){.suffix = "missing",
                                                .call = "missing()",
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
        data_make(data_mine(v), &(struct data_make){.suffix = "patterns",
                                                    .call = "patterns()",
                                                    .kind = TABLE_PATTERNS,
                                                    .tally = true,
                                                    .make = make_missing});
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
    overview_put_any_missing(&b, t->frame);
    open_rows(d, t, b.data, "with missing values");
    buf_fini(&b);
}

static bool
make_duplicates(struct data_making *m, struct task *t, struct error *err)
{
    struct frame *f = gather_shown(m, t, err);
    char rows[STR_F64_MAX];
    uint64_t n = 0;

    if (f)
        m->made =
            overview_duplicates(f, NULL, pool_of(t), task_progress(t), err);
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
    frame_unref(f);
    return m->made;
}

void
data_sheet_duplicates(struct view *v, const struct view_call *call)
{
    (void)call;
    data_make(data_mine(v), &(struct data_make){.suffix = "duplicates",
                                                .call = "duplicates()",
                                                .kind = TABLE_DUPLICATES,
                                                .tally = true,
                                                .make = make_duplicates});
}

/* ---- groups and pivots ---- */

static bool
make_groups(struct data_making *m, struct task *t, struct error *err)
{
    struct frame *f = gather_shown(m, t, err);
    struct recipe r = {0};

    if (f && recipe_parse(m->text, &r, err) &&
        (!r.across ||
         (m->values = recipe_values(&r, f, pool_of(t), task_progress(t), err))))
        m->made = recipe_make(&r, f, pool_of(t), task_progress(t), err);
    recipe_fini(&r);
    frame_unref(f);
    return m->made;
}

/* The Lua of a recipe. */
static void
put_call(const struct recipe *r, struct buf *out)
{
    buf_puts(out, r->across ? "pivot(" : "group(");
    steps_put_names((const char *const *)r->by, r->n_by, out);
    buf_puts(out, ", ");
    if (r->across) {
        steps_put_text(r->across, out);
        buf_puts(out, ", ");
    }
    steps_put_names((const char *const *)r->aggregate, r->n_aggregates, out);
    buf_putc(out, ')');
}

static void
open_groups(struct view *v, const char *text, bool pivot)
{
    struct view_data *d = data_mine(v);
    struct recipe r = {0};
    struct error err;
    struct buf call, suffix;

    buf_init(&call);
    buf_init(&suffix);
    if (!recipe_parse(text, &r, &err)) {
        ui_error(v->ui, &err);
    } else if (pivot && !r.across) {
        ui_message(v->ui, MESSAGE_ERROR,
                   "a pivot is written rows / column: aggregates");
    } else {
        put_call(&r, &call);
        buf_puts(&suffix, r.across ? "pivot " : "by ");
        for (size_t i = 0; i < r.n_by; i++)
            buf_printf(&suffix, "%s%s", i ? ", " : "", r.by[i]);
        if (r.across)
            buf_printf(&suffix, " / %s", r.across);
        data_make(d, &(struct data_make){.suffix = suffix.data,
                                         .call = call.data,
                                         .text = text,
                                         .kind = r.across ? TABLE_PIVOT
                                                          : TABLE_GROUPS,
                                         .about = r.across,
                                         .n_keys = r.n_by,
                                         .tally = true,
                                         .make = make_groups});
    }
    recipe_fini(&r);
    buf_fini(&call);
    buf_fini(&suffix);
}

void
data_sheet_group(struct view *v, const struct view_call *call)
{
    if (call->arg && call->arg[0] && data_whole_table(data_mine(v)))
        open_groups(v, call->arg, false);
}

void
data_sheet_pivot(struct view *v, const struct view_call *call)
{
    if (call->arg && call->arg[0] && data_whole_table(data_mine(v)))
        open_groups(v, call->arg, true);
}

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
        open_groups(&d->view, text.data, false);
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
    if (!(parent = parent_of(d, t)))
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
    put_selection(d, t, parent->frame, &rows);
    put_across(d->look, t, &rows);
    snprintf(clipped, sizeof clipped, "%.150s%s", rows.data,
             rows.len > 150 ? "…" : "");
    open_rows(d, parent, rows.data, clipped);
    buf_fini(&rows);
    return true;
}

/* Is it a key that is proposed: marked, or where none is, at the cursor? */
static bool
is_key(const struct data_look *look, size_t col)
{
    return n_marked_columns(look) > 0 ? is_marked_column(look, col)
                                      : col == look->sheet.col;
}

static void
put_proposed_keys(const struct data_look *look, const struct frame *f,
                  struct buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < frame_cols(f); i++) {
        if (!is_key(look, i))
            continue;
        buf_puts(out, n++ ? ", " : "");
        expr_put_name(frame_name(f, i), out);
    }
}

/* A number to be summed up beside the keys: not a key itself. */
static const char *
some_number(const struct data_look *look, const struct frame *f)
{
    for (size_t i = frame_cols(f); i-- > 0;) {
        enum col_type t = column_type(frame_column(f, i));

        if (!is_key(look, i) && (t == COL_FLOAT64 || t == COL_INT64))
            return frame_name(f, i);
    }
    return NULL;
}

/* Another column of few values, to spread. */
static const char *
some_class(const struct data_look *look, const struct frame *f)
{
    for (size_t i = 0; i < frame_cols(f); i++) {
        const struct column *c = frame_column(f, i);

        if (!is_key(look, i) &&
            (column_type(c) == COL_BOOL ||
             (column_type(c) == COL_TEXT && !column_is_loose(c) &&
              dict_count(column_dict(c)) <= 12)))
            return frame_name(f, i);
    }
    return NULL;
}

bool
data_sheet_suggest(struct view_data *d, const char *action, struct buf *out)
{
    const struct frame *f = data_frame(d);
    const struct table *t = data_table(d);
    bool pivot = strcmp(action, "pivot") == 0;
    const char *number, *across;

    if (f && t && strcmp(action, "frequency-bins") == 0) {
        buf_puts(out, t->kind == TABLE_BINS ? "0" : "20");
        return true;
    }
    if (!f || frame_cols(f) == 0 || (!pivot && strcmp(action, "group") != 0))
        return false;
    put_proposed_keys(d->look, f, out);
    across = pivot ? some_class(d->look, f) : NULL;
    number = some_number(d->look, f);
    if (pivot) {
        buf_puts(out, " / ");
        if (across)
            expr_put_name(across, out);
    }
    buf_puts(out, pivot ? ": " : ": n = count()");
    if (pivot && !number)
        buf_puts(out, "count()");
    else if (number) {
        buf_puts(out, pivot ? "mean(" : ", mean(");
        expr_put_name(number, out);
        buf_putc(out, ')');
    }
    return true;
}

/* ---- joins ---- */

/* "a=b" as "b=a". */
static char **
turned_keys(const struct recipe *r)
{
    char **by = mem_new((r->n_by + 1) * sizeof *by);

    for (size_t i = 0; i < r->n_by; i++) {
        const char *eq = strchr(r->by[i], '=');
        struct buf b;

        buf_init(&b);
        if (eq)
            buf_printf(&b, "%s=%.*s", eq + 1, (int)(eq - r->by[i]), r->by[i]);
        else
            buf_puts(&b, r->by[i]);
        by[i] = buf_take(&b);
    }
    return by;
}

/* Rows of a that have a partner in b. */
static bool
count_matched(const struct frame *a, const struct frame *b, char **by,
              struct task *t, size_t *n, struct error *err)
{
    struct join_options o = {.how = JOIN_SEMI, .by = (const char *const *)by};
    struct frame *f = join_frames(a, b, &o, pool_of(t), task_progress(t), err);

    *n = f ? frame_rows(f) : 0;
    frame_unref(f);
    return f;
}

static bool
say_matched(struct data_making *m, const struct recipe *r,
            const struct frame *left, const struct frame *right, struct task *t,
            struct error *err)
{
    char **turned, a[4][STR_F64_MAX];
    size_t n_left, n_right;
    bool ok;

    if (r->how == JOIN_ASOF) /* near, not equal */
        return true;
    turned = turned_keys(r);
    ok = count_matched(left, right, r->by, t, &n_left, err) &&
         count_matched(right, left, turned, t, &n_right, err);
    for (size_t i = 0; i < r->n_by; i++)
        free(turned[i]);
    free(turned);
    if (!ok)
        return false;
    str_from_count(n_left, a[0]);
    str_from_count(frame_rows(left), a[1]);
    str_from_count(n_right, a[2]);
    str_from_count(frame_rows(right), a[3]);
    snprintf(m->note, sizeof m->note,
             "%s of %s rows here have a partner, %s of %s there", a[0], a[1],
             a[2], a[3]);
    return true;
}

static bool
make_join(struct data_making *m, struct task *t, struct error *err)
{
    struct frame *left = shown_gather(&m->of, pool_of(t), err);
    struct frame *right = left ? shown_gather(&m->with, pool_of(t), err) : NULL;
    struct recipe r = {0};
    struct join_options o = {0};

    if (right && recipe_parse_join(m->text, &r, err)) {
        o.how = r.how;
        o.by = (const char *const *)r.by;
        if (say_matched(m, &r, left, right, t, err))
            m->made =
                join_frames(left, right, &o, pool_of(t), task_progress(t), err);
    }
    recipe_fini(&r);
    frame_unref(left);
    frame_unref(right);
    return m->made;
}

static void
open_join(struct view_data *d, struct table *other, const char *text)
{
    static const char *const words[] = {"inner", "left", "semi", "anti",
                                        "asof"};
    struct recipe r = {0};
    struct error err;
    struct buf call, suffix;

    buf_init(&call);
    buf_init(&suffix);
    if (!recipe_parse_join(text, &r, &err)) {
        ui_error(d->view.ui, &err);
    } else {
        buf_puts(&call, "join(%s, { by = ");
        steps_put_names((const char *const *)r.by, r.n_by, &call);
        buf_printf(&call, ", how = \"%s\" })", words[r.how]);
        buf_printf(&suffix, "%s %s", words[r.how], other->name);
        data_make(d, &(struct data_make){.suffix = suffix.data,
                                         .call = call.data,
                                         .other = other,
                                         .text = text,
                                         .make = make_join});
    }
    recipe_fini(&r);
    buf_fini(&call);
    buf_fini(&suffix);
}

static void
join_told(void *ctx, const char *text)
{
    struct view_data *d = ctx;
    struct table *other = data_find_table(data_session(d), d->join_with);

    if (text && text[0] && other && data_whole_table(d))
        open_join(d, other, text);
}

static size_t
complete_name(void *ctx, struct str line, size_t at, size_t *begin, char ***out)
{
    static const char *const words[] = {"inner by ", "left by ", "semi by ",
                                        "anti by ", "asof by "};
    const struct frame *f = data_frame(ctx);
    size_t n = 0, cols = f ? frame_cols(f) : 0;

    while (at > 0 && !strchr(" ,=", line.p[at - 1]))
        at--;
    *begin = at;
    *out = mem_new((cols + 5) * sizeof **out);
    for (size_t i = 0; at == 0 && i < 5; i++)
        (*out)[n++] = mem_text(words[i]);
    for (size_t i = 0; at > 0 && i < cols; i++)
        (*out)[n++] = mem_text(frame_name(f, i));
    return n;
}

static void
ask_join(struct view_data *d, const struct table *other)
{
    struct table *t = data_whole_table(d);
    struct buf text;
    char label[160];

    if (!t)
        return;
    snprintf(d->join_with, sizeof d->join_with, "%s", other->name);
    snprintf(label, sizeof label, "join with %.100s: ", other->name);
    buf_init(&text);
    recipe_propose_join(t->frame, other->frame, &text);
    ui_ask(d->view.ui,
           &(struct ui_question){
               .label = label,
               .text = text.data,
               .history = "join",
               .hint = "inner, left, semi, anti or asof, by columns: left by "
                       "id, day = date",
               .complete = complete_name,
               .done = join_told,
               .ctx = d});
    buf_fini(&text);
}

/* The tables but the one at hand. */
static struct table *
other_table(struct view_data *d, size_t i)
{
    return session_table(data_session(d), i < data_table_index(d) ? i : i + 1);
}

static void
join_chosen(void *ctx, size_t chosen)
{
    struct view_data *d = ctx;

    if (chosen + 1 < session_tables(data_session(d)))
        ask_join(d, other_table(d, chosen));
}

void
data_sheet_join(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    size_t n = session_tables(data_session(d));
    struct ui_menu_item *items;
    char(*notes)[64];

    (void)call;
    if (!data_whole_table(d))
        return;
    if (n < 2) {
        ui_message(v->ui, MESSAGE_INFO,
                   "no other table is open to join with: o opens one");
        return;
    }
    items = mem_new(n * sizeof *items);
    notes = mem_new(n * sizeof *notes);
    for (size_t i = 0; i + 1 < n; i++) {
        const struct table *t = other_table(d, i);

        snprintf(notes[i], sizeof notes[i], "%zu × %zu", frame_rows(t->frame),
                 frame_cols(t->frame));
        items[i] = (struct ui_menu_item){t->name, notes[i], t->path};
    }
    ui_menu(v->ui, "join with", items, n - 1, join_chosen, d);
    free(items);
    free(notes);
}

/* ---- how they look ---- */

/* The share of a row, and the greatest there is. */
static bool
share_of_row(const struct frame *f, size_t row, double *share)
{
    long col = frame_find(f, "share");

    if (col < 0 || column_type(frame_column(f, (size_t)col)) != COL_FLOAT64)
        return false;
    *share = column_number(frame_column(f, (size_t)col), row);
    return !isnan(*share);
}

static double
greatest_share(const struct data_look *look)
{
    const struct sheet *s = &look->sheet;
    double most = 0, share;

    for (size_t y = 0; y < s->row.rows && s->row.top + y < s->n_rows; y++)
        if (share_of_row(s->frame, sheet_row_id(s, s->row.top + y), &share))
            most = fmax(most, share);
    return most;
}

enum { MIN_BAR = 8, MAX_BAR = 60 };

/* To the right of the columns, where there is room. */
static void
draw_bars(const struct data_look *look, const struct canvas *c)
{
    const struct sheet *s = &look->sheet;
    double most = greatest_share(look), share;
    int w = c->w - 2 - s->end_x;

    w = w > MAX_BAR ? MAX_BAR : w;
    if (w < MIN_BAR || !(most > 0))
        return;
    for (int y = 1; y < c->h; y++) {
        size_t i = s->row.top + (size_t)y - 1;

        if (i < s->n_rows && share_of_row(s->frame, sheet_row_id(s, i), &share))
            draw_hbar(c, s->end_x, y, w, ROLE_INFO, share / most);
    }
}

static void
draw_marks(const struct data_look *look, const struct canvas *c)
{
    const struct sheet *s = &look->sheet;

    for (int y = 1; y < c->h; y++) {
        size_t i = s->row.top + (size_t)y - 1;

        if (i < s->n_rows && is_marked(look, sheet_row_id(s, i)))
            draw_text(c, 0, y, ROLE_MARK | DRAW_BOLD, "●");
    }
}

void
data_sheet_paint(struct view_data *d, const struct canvas *c)
{
    const struct table *t = data_table(d);

    if (!t || !d->look->sheet.frame)
        return;
    if (t->kind == TABLE_FREQUENCY || t->kind == TABLE_BINS ||
        t->kind == TABLE_MISSING || t->kind == TABLE_PATTERNS)
        draw_bars(d->look, c);
    draw_marks(d->look, c);
}

/* From nothing to a tight relation; strong ones are bold, for there may be no
 * colour. */
static void
paint_relation(const struct sheet *s, const struct canvas *c, struct rect cell,
               size_t col, size_t row)
{
    double v = fabs(column_number(frame_column(s->frame, col), row));
    int step = 2 + (int)((v - 0.2) / 0.8 * (THEME_HEAT - 2));

    if (col == 0 || isnan(v))
        return;
    step = step >= THEME_HEAT ? THEME_HEAT - 1 : step;
    draw_restyle(c, cell,
                 (v < 0.2 ? (unsigned)ROLE_DIM : ROLE_HEAT_0 + (unsigned)step) |
                     (v >= 0.5 ? DRAW_BOLD : 0));
}

enum { LOOKED_AT = 1000 }; /* rows, to judge numbers by */

/* The greatest size of what a column holds; 0 when all of it is whole. */
static double
greatest(const struct column *c)
{
    double most = 0;
    bool whole = true;

    for (size_t i = 0; i < column_rows(c) && i < LOOKED_AT; i++) {
        double v = column_is_valid(c, i) ? fabs(column_number(c, i)) : 0;

        if (!isfinite(v))
            continue;
        whole = whole && v == floor(v);
        most = fmax(most, v);
    }
    return whole ? 0 : most;
}

/* Four digits of the column of the smallest numbers: aggregates stand below
 * each other, point below point. */
static int
decimals_of(const struct frame *f, size_t from)
{
    int most = 0;

    for (size_t i = from; i < frame_cols(f); i++) {
        const struct column *c = frame_column(f, i);
        double v = column_type(c) == COL_FLOAT64 ? greatest(c) : 0;
        int n = v > 0 ? 3 - (int)floor(log10(v)) : 0;

        if (v > 0)
            most = n > most ? n : most < 2 ? 2 : most;
    }
    return most > 6 ? 6 : most;
}

void
data_sheet_style(struct view_data *d, const struct table *t)
{
    struct sheet *s = &d->look->sheet;

    s->paint = NULL;
    s->decimals = 0;
    if (!t || !s->frame)
        return;
    if (t->kind == TABLE_RELATIONS) {
        s->paint = paint_relation;
        s->decimals = 2;
        s->decimals_from = 1;
    } else if (t->kind == TABLE_GROUPS || t->kind == TABLE_PIVOT) {
        s->decimals = decimals_of(t->base, t->n_keys);
        s->decimals_from = t->n_keys;
    } else if (frame_find(t->base, "share") >= 0 && t->kind != TABLE_PLAIN &&

               t->kind != TABLE_DUPLICATES) {
        s->decimals = 4;
        s->decimals_from = (size_t)frame_find(t->base, "share");
    }
}

bool
data_sheet_title(struct view_data *d, struct buf *out)
{
    static const char *const words[] = {
        [TABLE_FREQUENCY] = "values of ",
        [TABLE_BINS] = "ranges of ",
        [TABLE_GROUPS] = "groups of ",
        [TABLE_PIVOT] = "groups by ",
        [TABLE_DUPLICATES] = "repeated rows in ",
        [TABLE_DESCRIPTION] = "columns of ",
        [TABLE_MISSING] = "missing in ",
        [TABLE_PATTERNS] = "missing together in ",
        [TABLE_RELATIONS] = "relations in "};
    const struct table *t = data_table(d);

    if (!t || t->kind == TABLE_PLAIN || !t->parent)
        return false;
    buf_puts(out, words[t->kind]);
    if (t->about)
        buf_printf(out, "%s · ", t->about);
    buf_puts(out, t->parent);
    return true;
}
