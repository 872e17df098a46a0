/* ui/view_data.c -- tables: the columns with their summaries, one column in
 * detail, and the rows as a sheet; filter, sort, frequency, derived columns.
 *
 * What is shown of a table is a `state`: a filter, a sort key, the columns
 * hidden.  Each change makes a new one, computed in the background, and the
 * one before is kept for undo.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/expr.h"
#include "frame/query.h"
#include "session/task.h"
#include "ui/sheet.h"
#include "ui/tether.h"
#include "ui/ui.h"
#include "ui/view.h"

enum { REGION_COLUMNS, REGION_DETAIL, REGION_ROWS };
enum { MAX_UNDO = 50, EXPR_MAX = 512 };

/* How the rows of the table at hand are shown. */
struct state {
    char filter[EXPR_MAX];
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
    struct state now, undo[MAX_UNDO], redo[MAX_UNDO];
    size_t n_undo, n_redo;
    char arranging[64]; /* "filtering" while that runs */
    bool profiling;
};

static struct view_data *
mine(struct view *v)
{
    return (struct view_data *)v;
}

static struct session *
session_of(struct view_data *d)
{
    return ui_session(d->view.ui);
}

static struct table *
find_table(struct session *s, const char *name)
{
    for (size_t i = 0; i < session_tables(s); i++)
        if (strcmp(session_table(s, i)->name, name) == 0)
            return session_table(s, i);
    return NULL;
}

static struct table *
table_at_hand(struct view_data *d)
{
    return d->table[0] ? find_table(session_of(d), d->table) : NULL;
}

static size_t
table_index(struct view_data *d)
{
    struct session *s = session_of(d);

    for (size_t i = 0; i < session_tables(s); i++)
        if (session_table(s, i) == table_at_hand(d))
            return i;
    return 0;
}

/* ---- profile, in the background ---- */

struct profiling {
    char table[256];
    struct frame *frame;
    char *target;
    struct profile *profile;
    struct tether *view;
};

static bool
run_profile(struct task *t, void *ctx, struct error *err)
{
    struct profiling *p = ctx;

    p->profile = profile_new(p->frame, p->target, session_pool(task_session(t)),
                             task_progress(t), err);
    return p->profile;
}

static void
profile_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct profiling *p = ctx;
    struct session *s = task_session(t);
    struct table *table = find_table(s, p->table);
    struct view_data *d = tether_end(p->view);

    if (d)
        d->profiling = false;
    if (ok && table && table->frame == p->frame) {
        profile_free(table->profile);
        table->profile = p->profile;
        p->profile = NULL;
        session_touch_table(s, table);
    } else if (!ok && err->code != ERR_CANCELLED) {
        session_message(s, MESSAGE_ERROR, "profile: %s", err->message);
    }
    profile_free(p->profile);
    frame_unref(p->frame);
    free(p->target);
    free(p);
}

static void
start_profile(struct view_data *d, struct table *t)
{
    struct profiling *p;
    char title[300];

    if (d->profiling)
        return;
    d->profiling = true;
    p = mem_new(sizeof *p);
    snprintf(p->table, sizeof p->table, "%s", t->name);
    p->frame = frame_ref(t->frame);
    p->target = mem_text(t->target);
    p->view = tether_hold(d->tether);
    snprintf(title, sizeof title, "profile %s", t->name);
    task_start(session_of(d), &(struct task_spec){.title = title,
                                                  .run = run_profile,
                                                  .done = profile_done,
                                                  .ctx = p});
}

/* ---- filter and sort, in the background ---- */

/* Everything a pool job needs: the view may change meanwhile. */
struct arrangement {
    struct frame *frame;
    struct state state;
    uint32_t *rows; /* NULL: all */
    size_t n_rows;
};

static bool
apply_filter(struct arrangement *a, struct pool *pool, uint32_t **ids,
             size_t *n, struct error *err)
{
    struct expr *e;
    bool ok;

    if (!a->state.filter[0])
        return true;
    e = expr_parse(str_of(a->state.filter), err);
    ok = e && expr_where(e, a->frame, pool, ids, n, err);
    expr_free(e);
    return ok;
}

/* Keep of `order` what the filter let through. */
static bool
intersect(struct arrangement *a, const uint32_t *order, const uint32_t *ids,
          size_t n, struct error *err)
{
    size_t rows = frame_rows(a->frame), k = 0;
    uint8_t *in = mem_try_array(rows, 1, err);

    a->rows = mem_try_array(n, sizeof *a->rows, err);
    if (!in || !a->rows) {
        free(in);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        in[ids[i]] = 1;
    for (size_t i = 0; i < rows; i++)
        if (in[order[i]])
            a->rows[k++] = order[i];
    a->n_rows = n;
    free(in);
    return true;
}

static bool
arrange(struct arrangement *a, struct pool *pool, struct error *err)
{
    uint32_t *ids = NULL, *order = NULL;
    size_t n = 0, col;
    bool ok = apply_filter(a, pool, &ids, &n, err);

    if (ok && a->state.sort[0]) {
        struct query_key key = {.descending = a->state.descending};

        ok = frame_need(a->frame, a->state.sort, &col, err);
        key.col = ok ? col : 0;
        ok = ok && (order = query_sort(a->frame, &key, 1, pool, err));
    }
    if (ok && ids && order) {
        ok = intersect(a, order, ids, n, err);
    } else if (ok && (ids || order)) {
        a->rows = ids ? ids : order;
        a->n_rows = ids ? n : frame_rows(a->frame);
        ids = order = NULL;
    }
    free(ids);
    free(order);
    return ok;
}

struct arranging {
    struct arrangement a;
    struct tether *view;
    char table[256];
};

static bool
run_arrange(struct task *t, void *ctx, struct error *err)
{
    struct arranging *w = ctx;

    return arrange(&w->a, session_pool(task_session(t)), err);
}

static void touch_columns(struct view_data *d);

static void
arrange_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct arranging *w = ctx;
    struct view_data *d = tether_end(w->view);
    struct table *table = d ? table_at_hand(d) : NULL;

    (void)t;
    if (d)
        d->arranging[0] = '\0';
    if (d && !ok) {
        ui_error(d->view.ui, err);
    } else if (table && table->frame == w->a.frame &&
               strcmp(table->name, w->table) == 0) {
        sheet_set(&d->sheet, table->frame, w->a.rows, w->a.n_rows);
        w->a.rows = NULL;
        d->now = w->a.state;
        d->sheet.sorted =
            d->now.sort[0] ? frame_find(table->frame, d->now.sort) : -1;
        d->sheet.descending = d->now.descending;
        if (d->now.filter[0]) {
            char n[STR_F64_MAX], of[STR_F64_MAX];

            str_from_count(d->sheet.n_rows, n);
            str_from_count(frame_rows(table->frame), of);
            ui_message(d->view.ui, MESSAGE_INFO,
                       "%s of %s rows match; u takes the filter back", n, of);
        }
    }
    free(w->a.rows);
    frame_unref(w->a.frame);
    free(w);
    if (d)
        ui_touch(d->view.ui);
}

static void
start_arrange(struct view_data *d, const struct state *s, const char *word)
{
    struct table *t = table_at_hand(d);
    struct arranging *w;

    if (!t)
        return;
    w = mem_new(sizeof *w);
    w->a.frame = frame_ref(t->frame);
    w->a.state = *s;
    w->view = tether_hold(d->tether);
    snprintf(w->table, sizeof w->table, "%s", t->name);
    snprintf(d->arranging, sizeof d->arranging, "%s", word);
    task_start(session_of(d), &(struct task_spec){.title = word,
                                                  .run = run_arrange,
                                                  .done = arrange_done,
                                                  .ctx = w,
                                                  .quiet = true});
}

static void
push_undo(struct state *stack, size_t *n, const struct state *s)
{
    if (*n == MAX_UNDO) {
        memmove(stack, stack + 1, (MAX_UNDO - 1) * sizeof *stack);
        --*n;
    }
    stack[(*n)++] = *s;
}

static void
change_state(struct view_data *d, const struct state *s, const char *word)
{
    push_undo(d->undo, &d->n_undo, &d->now);
    d->n_redo = 0;
    start_arrange(d, s, word);
}

/* ---- the table at hand ---- */

static void
look_at(struct view_data *d, struct table *t)
{
    bool other = !t || strcmp(t->name, d->table) != 0;

    snprintf(d->table, sizeof d->table, "%s", t ? t->name : "");
    d->version = t ? t->version : 0;
    if (other) {
        d->now = (struct state){0};
        d->n_undo = d->n_redo = 0;
        d->sheet.col = d->sheet.left = 0;
        d->sheet.row.at = 0;
        d->sheet.sorted = -1;
    }
    if (!t || d->sheet.frame != t->frame) {
        sheet_set(&d->sheet, t ? t->frame : NULL, NULL, 0);
        if (t && (d->now.filter[0] || d->now.sort[0]))
            start_arrange(d, &d->now, "filtering");
    }
    if (t && !t->profile)
        start_profile(d, t);
    touch_columns(d);
    ui_touch(d->view.ui);
}

static void
touch_columns(struct view_data *d)
{
    struct table *t = table_at_hand(d);

    list_set(&d->columns, t ? frame_cols(t->frame) : 0);
    d->columns.at = d->sheet.col;
}

/* ---- opening ---- */

struct opening {
    char *path;
    struct csv_table table;
    struct tether *view;
};

static bool
run_open(struct task *t, void *ctx, struct error *err)
{
    struct opening *o = ctx;
    struct csv_options options = {.header = -1};

    return csv_read(o->path, &options, session_pool(task_session(t)),
                    task_progress(t), &o->table, err);
}

static void
open_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct opening *o = ctx;
    struct session *s = task_session(t);
    struct view_data *d = tether_end(o->view);
    struct table *table;

    if (!ok) {
        session_message(s, MESSAGE_ERROR, "%s", err->message);
    } else {
        table =
            session_add_table(s, file_base(o->path), o->path, o->table.frame);
        table->rejects = frame_ref(o->table.rejects);
        table->n_rejected = o->table.n_rejected;
        session_touch_table(s, table);
        if (d)
            look_at(d, table);
        if (table->n_rejected > 0)
            session_message(s, MESSAGE_WARN,
                            "%zu rows of %s were set aside: :rejects shows "
                            "them with the reason",
                            table->n_rejected, table->name);
        csv_table_fini(&o->table);
    }
    free(o->path);
    free(o);
}

static void
open_file(struct view_data *d, const char *path)
{
    struct opening *o = mem_new(sizeof *o);
    char title[300];

    o->path = path[0] == '/' ? mem_text(path)
                             : file_join(session_project(session_of(d)), path);
    o->view = tether_hold(d->tether);
    snprintf(title, sizeof title, "open %s", file_base(path));
    task_start(session_of(d), &(struct task_spec){.title = title,
                                                  .run = run_open,
                                                  .done = open_done,
                                                  .ctx = o});
}

/* ---- the columns ---- */

static const struct profile_column *
profile_of(const struct table *t, size_t col)
{
    return t->profile && col < t->profile->n_cols ? &t->profile->column[col]
                                                  : NULL;
}

static const struct alert *
worst_alert(const struct table *t, size_t col)
{
    const struct alert *worst = NULL;

    for (size_t i = 0; t->profile && i < t->profile->n_alerts; i++) {
        const struct alert *a = &t->profile->alert[i];

        if (a->col == (long)col && (!worst || a->level > worst->level))
            worst = a;
    }
    return worst;
}

static unsigned
alert_style(const struct alert *a)
{
    return a->level == ALERT_BAD    ? ROLE_ERROR
           : a->level == ALERT_WARN ? ROLE_WARN
                                    : ROLE_DIM;
}

static void
short_number(double v, enum col_type t, char *out, size_t size)
{
    char date[STR_F64_MAX];

    if (t == COL_DATE) {
        str_from_date((int32_t)v, date);
        snprintf(out, size, "%s", date);
    } else if (t == COL_TIMESTAMP) {
        str_from_date((int32_t)floor(v / 86400), date);
        snprintf(out, size, "%s", date);
    } else if (fabs(v) >= 1e4 && fabs(v) < 1e9) {
        snprintf(out, size, "%.0f", v);
    } else {
        snprintf(out, size, "%.5g", v);
    }
}

/* min, median and max; or the most frequent values with their shares. */
static void
draw_spread(const struct canvas *c, int x, int y, int w,
            const struct profile_column *p)
{
    char text[3][32], line[128];

    if (p->numeric && p->n > p->n_missing) {
        short_number(p->min, p->type, text[0], sizeof text[0]);
        short_number(p->quantile[4], p->type, text[1], sizeof text[1]);
        short_number(p->max, p->type, text[2], sizeof text[2]);
        draw_fit(c, x, y, w / 3, ROLE_TEXT, DRAW_RIGHT, str_of(text[0]));
        draw_fit(c, x + w / 3, y, w / 3, ROLE_TEXT, DRAW_RIGHT,
                 str_of(text[1]));
        draw_fit(c, x + w / 3 * 2, y, w / 3, ROLE_TEXT, DRAW_RIGHT,
                 str_of(text[2]));
        return;
    }
    line[0] = '\0';
    for (size_t i = 0; i < p->n_top && i < 3; i++) {
        size_t n = strlen(line);

        snprintf(line + n, sizeof line - n, "%s%.14s %.0f%%", i ? "  " : "",
                 p->top[i].text,
                 100.0 * (double)p->top[i].count / (double)(p->n ? p->n : 1));
    }
    draw_fit(c, x + 2, y, w - 2, ROLE_TEXT, DRAW_LEFT, str_of(line));
}

static void
draw_shape(const struct canvas *c, int x, int y, int w,
           const struct profile_column *p)
{
    double bins[PROFILE_BINS], most = 0;
    size_t n = p->n_bins;

    for (size_t i = 0; i < n; i++)
        bins[i] = (double)p->histogram[i];
    if (n == 0)
        for (n = 0; n < p->n_top; n++)
            bins[n] = (double)p->top[n].count;
    /* As many bars as cells: neighbours are summed. */
    if (n > (size_t)w) {
        for (int k = 0; k < w; k++) {
            double sum = 0;

            for (size_t i = (size_t)k * n / (size_t)w;
                 i < (size_t)(k + 1) * n / (size_t)w; i++)
                sum += bins[i];
            bins[k] = sum;
        }
        n = (size_t)w;
    }
    for (size_t i = 0; i < n; i++)
        most = fmax(most, bins[i]);
    if (n > 0)
        draw_spark(c, x, y, (int)n < w ? (int)n : w, ROLE_INFO, bins, n, 0,
                   most);
}

static int
name_cells(int w)
{
    return w >= 100 ? 24 : w >= 60 ? 18 : w - 22;
}

static void
draw_column_row(const struct canvas *c, int y, const struct table *t,
                size_t col)
{
    const struct profile_column *p = profile_of(t, col);
    const struct column *column = frame_column(t->frame, col);
    const struct alert *a = worst_alert(t, col);
    int name_w = name_cells(c->w), x;
    char text[32];

    x = draw_fit(c, 1, y, name_w, ROLE_TITLE, DRAW_LEFT,
                 str_of(frame_name(t->frame, col)));
    x = draw_fit(c, x + 1, y, 5, sheet_role(column_type(column)), DRAW_LEFT,
                 str_of(sheet_type(column_type(column))));
    snprintf(text, sizeof text, "%.1f",
             100.0 * (double)column_missing(column) /
                 (double)(column_rows(column) ? column_rows(column) : 1));
    x = draw_fit(c, x, y, 6, column_missing(column) ? ROLE_WARN : ROLE_DIM,
                 DRAW_RIGHT, str_of(text));
    if (!p)
        return;
    if (c->w - x > 44) {
        str_from_count(p->n_distinct, text);
        x = draw_fit(c, x, y, 10, ROLE_TEXT, DRAW_RIGHT, str_of(text));
        draw_spread(c, x, y, c->w - x - 16, p);
    }
    draw_shape(c, c->w - 14, y, 10, p);
    if (a)
        draw_text(c, c->w - 3, y, alert_style(a),
                  a->level == ALERT_NOTE ? "·" : "▲");
    if (t->target && strcmp(t->target, frame_name(t->frame, col)) == 0)
        draw_text(c, 0, y, ROLE_ACCENT, "◎");
}

static void
columns_draw(struct view *v, const struct canvas *c)
{
    struct view_data *d = mine(v);
    struct table *t = table_at_hand(d);
    int head = c->h > 3;

    if (!t) {
        draw_text(c, 1, 1, ROLE_TEXT, "No table is open.");
        draw_markup(c, 1, 3, ROLE_DIM, "<o> opens a csv or tsv file");
        draw_markup(c, 1, 4, ROLE_DIM, "<2> goes to the notebook");
        return;
    }
    if (head) {
        int name_w = c->w >= 100 ? 24 : c->w >= 60 ? 18 : c->w - 22;
        int x = draw_fit(c, 1, 0, name_w, ROLE_DIM, DRAW_LEFT, STR("column"));

        x = draw_fit(c, x + 1, 0, 5, ROLE_DIM, DRAW_LEFT, STR("type"));
        x = draw_fit(c, x, 0, 6, ROLE_DIM, DRAW_RIGHT, STR("null%"));
        if (c->w - x > 44) {
            int w;

            x = draw_fit(c, x, 0, 10, ROLE_DIM, DRAW_RIGHT, STR("distinct"));
            w = c->w - x - 16;
            draw_fit(c, x, 0, w / 3, ROLE_DIM, DRAW_RIGHT, STR("min"));
            draw_fit(c, x + w / 3, 0, w / 3, ROLE_DIM, DRAW_RIGHT,
                     STR("median"));
            draw_fit(c, x + w / 3 * 2, 0, w / 3, ROLE_DIM, DRAW_RIGHT,
                     STR("max"));
        }
        draw_text(c, c->w - 14, 0, ROLE_DIM, "shape");
    }
    /* The cursor of the columns is that of the sheet. */
    if (c->focus)
        d->sheet.col = d->columns.at;
    else
        d->columns.at = d->sheet.col;
    list_show(&d->columns, (size_t)(c->h - head > 0 ? c->h - head : 0));
    for (int y = head; y < c->h; y++) {
        size_t col = d->columns.top + (size_t)(y - head);

        if (col >= d->columns.n)
            break;
        draw_column_row(c, y, t, col);
        if (col == d->columns.at) {
            draw_select(c, (struct rect){0, y, name_cells(c->w) + 2, 1});
        }
    }
    draw_scrollbar(c, c->w - 1, head, c->h - head, d->columns.top,
                   d->columns.rows, d->columns.n);
}

static void
columns_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_data *d = mine(v);
    struct table *t = table_at_hand(d);
    char rows[STR_F64_MAX];
    size_t bad = 0;

    if (!t) {
        buf_puts(left, "data");
        return;
    }
    str_from_count(frame_rows(t->frame), rows);
    buf_printf(left, "%s · %s rows × %zu columns", t->name, rows,
               frame_cols(t->frame));
    for (size_t i = 0; t->profile && i < t->profile->n_alerts; i++)
        bad += t->profile->alert[i].level != ALERT_NOTE;
    if (!t->profile)
        buf_puts(right, "profiling…");
    else if (bad > 0)
        buf_printf(right, "▲ %zu alerts", bad);
    if (session_tables(session_of(d)) > 1)
        buf_printf(right, "%stable %zu of %zu", right->len ? " · " : "",
                   table_index(d) + 1, session_tables(session_of(d)));
}

/* ---- one column ---- */

static int
draw_alerts(const struct canvas *c, int y, const struct table *t, long col)
{
    for (size_t i = 0; t->profile && i < t->profile->n_alerts && y < c->h;
         i++) {
        const struct alert *a = &t->profile->alert[i];

        if (a->col != col)
            continue;
        draw_text(c, 1, y, alert_style(a), a->level == ALERT_NOTE ? "·" : "▲");
        y += draw_wrap(c, (struct rect){3, y, c->w - 4, c->h - y},
                       alert_style(a), str_of(a->text));
    }
    return y;
}

static int
draw_numbers(const struct canvas *c, int y, const struct profile_column *p)
{
    draw_printf(c, 1, y++, ROLE_TEXT, "mean %.6g  sd %.6g  skew %.3g", p->mean,
                p->sd, p->skew);
    if (y < c->h)
        draw_printf(c, 1, y++, ROLE_TEXT,
                    "5%% %.5g  25%% %.5g  50%% %.5g  75%% %.5g  95%% %.5g",
                    p->quantile[1], p->quantile[3], p->quantile[4],
                    p->quantile[5], p->quantile[7]);
    if (y < c->h && (p->n_zero || p->n_negative))
        draw_printf(c, 1, y++, ROLE_DIM, "zeros %zu  negative %zu", p->n_zero,
                    p->n_negative);
    return y;
}

static int
draw_top(const struct canvas *c, int y, const struct profile_column *p)
{
    int w = c->w > 46 ? 22 : c->w / 2 - 1;

    for (size_t i = 0; i < p->n_top && y < c->h; i++, y++) {
        double share = (double)p->top[i].count / (double)(p->n ? p->n : 1);
        char count[STR_F64_MAX];

        str_from_count(p->top[i].count, count);
        draw_fit(c, 1, y, w, ROLE_TEXT, DRAW_LEFT, str_of(p->top[i].text));
        draw_fit(c, 1 + w, y, 9, ROLE_DIM, DRAW_RIGHT, str_of(count));
        draw_hbar(c, 2 + w + 9, y, c->w - w - 13, ROLE_INFO, share);
    }
    return y;
}

static void
detail_draw(struct view *v, const struct canvas *c)
{
    struct view_data *d = mine(v);
    struct table *t = table_at_hand(d);
    const struct profile_column *p;
    int y = 0;

    if (!t || d->sheet.col >= frame_cols(t->frame))
        return;
    p = profile_of(t, d->sheet.col);
    if (!p) {
        draw_text(c, 1, 0, ROLE_DIM, "profiling…");
        return;
    }
    y = draw_alerts(c, y, t, (long)d->sheet.col);
    if (p->numeric && y < c->h) {
        y = draw_numbers(c, y, p);
        if (c->h - y >= 2 && p->n_bins > 0) {
            int w = c->w - 2 < (int)p->n_bins ? c->w - 2 : (int)p->n_bins;

            draw_shape(c, 1, y++, w, p);
        }
    }
    if (!isnan(p->target_score) && y < c->h)
        draw_printf(c, 1, y++, ROLE_DIM, "alone against %s: %.3f",
                    t->profile->target, p->target_score);
    y = draw_top(c, y, p);
    if (y < c->h)
        draw_alerts(c, y, t, -1);
}

static void
detail_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_data *d = mine(v);
    struct table *t = table_at_hand(d);

    (void)right;
    buf_puts(left, t && d->sheet.col < frame_cols(t->frame)
                       ? frame_name(t->frame, d->sheet.col)
                       : "column");
}

/* ---- the rows ---- */

static void
rows_draw(struct view *v, const struct canvas *c)
{
    struct view_data *d = mine(v);

    if (table_at_hand(d) && d->sheet.n_rows == 0)
        draw_text(c, 1, 1, ROLE_DIM,
                  d->now.filter[0] ? "no row matches the filter" : "no rows");
    sheet_draw(&d->sheet, c);
}

static void
rows_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_data *d = mine(v);
    char at[STR_F64_MAX], n[STR_F64_MAX];

    str_from_count(d->sheet.n_rows, n);
    str_from_count(sheet_at(&d->sheet) + 1, at);
    buf_printf(left, "rows · %s", n);
    if (d->now.filter[0])
        buf_printf(left, " · filter %s", d->now.filter);
    if (d->arranging[0])
        buf_printf(right, "%s…", d->arranging);
    else if (d->sheet.n_rows > 0)
        buf_printf(right, "row %s", at);
}

static struct list *
columns_list(struct view *v)
{
    return &mine(v)->columns;
}

static const struct view_region regions[] = {
    [REGION_COLUMNS] = {"columns", columns_draw, columns_title, columns_list,
                        NULL, 0},
    [REGION_DETAIL] = {"column", detail_draw, detail_title, NULL, NULL,
                       REGION_PASSIVE},
    [REGION_ROWS] = {"rows", rows_draw, rows_title, NULL, NULL, 0},
    {0},
};

static void
data_layout(struct view *v, struct layout *l)
{
    struct rect body = l->body;
    struct table *t = table_at_hand(mine(v));
    int want = t ? (int)frame_cols(t->frame) + 2 : 8;

    if (body.w >= 130) {
        struct rect top =
            rect_top(&body, want < body.h / 2 ? want : body.h / 2);

        layout_place(l, REGION_DETAIL, rect_right(&top, top.w / 3));
        layout_place(l, REGION_COLUMNS, top);
    } else {
        layout_place(
            l, REGION_COLUMNS,
            rect_top(&body, want < body.h / 2 - 2 ? want : body.h / 2 - 2));
        layout_place(l, REGION_DETAIL, rect_top(&body, 4));
    }
    layout_place(l, REGION_ROWS, body);
}

/* ---- actions ---- */

static bool
has_table(struct view *v)
{
    return table_at_hand(mine(v)) != NULL;
}

static const char *
column_name(struct view_data *d)
{
    struct table *t = table_at_hand(d);

    return t && d->sheet.col < frame_cols(t->frame)
               ? frame_name(t->frame, d->sheet.col)
               : "";
}

static void
act_open(struct view *v, const struct view_call *call)
{
    if (call->arg && call->arg[0])
        open_file(mine(v), call->arg);
}

static void
sort_by(struct view_data *d, bool descending)
{
    struct state s = d->now;

    snprintf(s.sort, sizeof s.sort, "%s", column_name(d));
    s.descending = descending;
    change_state(d, &s, "sorting");
}

static void
act_sort(struct view *v, const struct view_call *call)
{
    (void)call;
    sort_by(mine(v), false);
}

static void
act_sort_reverse(struct view *v, const struct view_call *call)
{
    (void)call;
    sort_by(mine(v), true);
}

static void
act_undo(struct view *v, const struct view_call *call)
{
    struct view_data *d = mine(v);

    (void)call;
    if (d->n_undo == 0) {
        ui_message(v->ui, MESSAGE_INFO, "nothing to undo");
        return;
    }
    push_undo(d->redo, &d->n_redo, &d->now);
    start_arrange(d, &d->undo[--d->n_undo], "undoing");
}

static void
act_redo(struct view *v, const struct view_call *call)
{
    struct view_data *d = mine(v);

    (void)call;
    if (d->n_redo == 0) {
        ui_message(v->ui, MESSAGE_INFO, "nothing to redo");
        return;
    }
    push_undo(d->undo, &d->n_undo, &d->now);
    start_arrange(d, &d->redo[--d->n_redo], "redoing");
}

/* A table made from the one at hand: frequencies, a description, a derived
 * column. */
struct making {
    struct tether *view;
    struct frame *frame, *made;
    char table[256], name[320], path[256], text[EXPR_MAX];
    size_t col;
    bool (*make)(struct making *m, struct pool *pool, struct error *err);
    bool replace;
};

static bool
run_making(struct task *t, void *ctx, struct error *err)
{
    struct making *m = ctx;

    return m->make(m, session_pool(task_session(t)), err);
}

static void
making_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct making *m = ctx;
    struct session *s = task_session(t);
    struct view_data *d = tether_end(m->view);
    struct table *table;

    if (ok) {
        table =
            session_add_table(s, m->name, m->replace ? m->path : "", m->made);
        if (d)
            look_at(d, table);
    } else {
        session_message(s, MESSAGE_ERROR, "%s", err->message);
    }
    frame_unref(m->made);
    frame_unref(m->frame);
    free(m);
}

static void
start_making(struct view_data *d, const char *suffix, const char *text,
             bool (*make)(struct making *, struct pool *, struct error *))
{
    struct table *t = table_at_hand(d);
    struct making *m;

    if (!t)
        return;
    m = mem_new(sizeof *m);
    m->view = tether_hold(d->tether);
    m->frame = frame_ref(t->frame);
    m->col = d->sheet.col;
    m->make = make;
    m->replace = !suffix;
    snprintf(m->text, sizeof m->text, "%s", text ? text : "");
    snprintf(m->path, sizeof m->path, "%s", t->path);
    if (suffix)
        snprintf(m->name, sizeof m->name, "%s:%s", t->name, suffix);
    else
        snprintf(m->name, sizeof m->name, "%s", t->name);
    task_start(session_of(d), &(struct task_spec){.title = "make a table",
                                                  .run = run_making,
                                                  .done = making_done,
                                                  .ctx = m,
                                                  .quiet = true});
}

static bool
make_frequency(struct making *m, struct pool *pool, struct error *err)
{
    m->made = query_frequency(m->frame, m->col, pool, err);
    return m->made;
}

static void
act_frequency(struct view *v, const struct view_call *call)
{
    (void)call;
    start_making(mine(v), column_name(mine(v)), NULL, make_frequency);
}

/* "name = expression" */
static bool
make_derived(struct making *m, struct pool *pool, struct error *err)
{
    struct str text = str_of(m->text), name;
    const char *eq = memchr(text.p, '=', text.n);
    struct column *c;
    struct expr *e;
    char copy[128];

    if (!eq || eq[1] == '=')
        return error_set(err, ERR_USAGE, "write it as: name = expression");
    name = str_trim((struct str){text.p, (size_t)(eq - text.p)});
    if (name.n == 0 || name.n >= sizeof copy)
        return error_set(err, ERR_USAGE, "the new column needs a name");
    memcpy(copy, name.p, name.n);
    copy[name.n] = '\0';
    e = expr_parse(str_trim(str_of(eq + 1)), err);
    c = e ? expr_eval(e, m->frame, pool, err) : NULL;
    expr_free(e);
    m->made = c ? frame_with(m->frame, copy, c, err) : NULL;
    return m->made;
}

static void
act_derive(struct view *v, const struct view_call *call)
{
    if (call->arg && call->arg[0])
        start_making(mine(v), NULL, call->arg, make_derived);
}

static bool
make_hidden(struct making *m, struct pool *pool, struct error *err)
{
    const char *name = frame_name(m->frame, m->col);

    (void)pool;
    m->made = frame_drop(m->frame, &name, 1, err);
    return m->made;
}

static void
act_hide(struct view *v, const struct view_call *call)
{
    (void)call;
    start_making(mine(v), NULL, NULL, make_hidden);
}

static void
act_target(struct view *v, const struct view_call *call)
{
    struct view_data *d = mine(v);
    struct table *t = table_at_hand(d);

    (void)call;
    if (!t)
        return;
    free(t->target);
    t->target = mem_text(column_name(d));
    profile_free(t->profile);
    t->profile = NULL;
    ui_message(v->ui, MESSAGE_INFO,
               "%s is the target: columns are judged against it", t->target);
    start_profile(d, t);
    session_touch_table(session_of(d), t);
}

static void
act_describe(struct view *v, const struct view_call *call)
{
    struct table *t = table_at_hand(mine(v));
    struct buf b;

    (void)call;
    if (!t || !t->profile) {
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
    struct view_data *d = mine(v);
    struct session *s = session_of(d);
    size_t i = table_index(d);

    (void)call;
    sheet_set(&d->sheet, NULL, NULL, 0);
    session_close_table(s, i);
    look_at(d, session_tables(s) ? session_table(s, i ? i - 1 : 0) : NULL);
}

static void
table_chosen(void *ctx, size_t chosen)
{
    struct view_data *d = ctx;

    if (chosen < session_tables(session_of(d)))
        look_at(d, session_table(session_of(d), chosen));
}

static void
act_tables(struct view *v, const struct view_call *call)
{
    struct view_data *d = mine(v);
    struct session *s = session_of(d);
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
act_rejects(struct view *v, const struct view_call *call)
{
    struct view_data *d = mine(v);
    struct table *t = table_at_hand(d);
    char name[320];

    (void)call;
    if (!t || !t->rejects || t->n_rejected == 0) {
        ui_message(v->ui, MESSAGE_INFO, "no row was set aside");
        return;
    }
    snprintf(name, sizeof name, "%s:rejects", t->name);
    look_at(d, session_add_table(session_of(d), name, "", t->rejects));
}

static void
act_enter(struct view *v, const struct view_call *call)
{
    struct view_data *d = mine(v);
    struct table *t = table_at_hand(d);
    struct buf b;

    if (v->focus == REGION_COLUMNS) {
        act_frequency(v, call);
        return;
    }
    if (!t || d->sheet.n_rows == 0)
        return;
    buf_init(&b);
    for (size_t col = 0; col < frame_cols(t->frame); col++) {
        buf_printf(&b, "%-24s ", frame_name(t->frame, col));
        column_print(frame_column(t->frame, col), sheet_at(&d->sheet), &b);
        buf_putc(&b, '\n');
    }
    ui_page(v->ui, "row", b.data, b.len);
    buf_fini(&b);
}

/* ---- export, in the background ---- */

struct writing {
    struct frame *frame;
    uint32_t *rows; /* those that pass the filter, in their order; NULL: all */
    size_t n_rows;
    char *path;
};

static bool
run_writing(struct task *t, void *ctx, struct error *err)
{
    struct writing *w = ctx;
    struct frame *shown = w->frame;
    bool ok;

    (void)t;
    if (w->rows)
        shown = frame_take(w->frame, w->rows, w->n_rows, err);
    ok = shown && csv_write(shown, w->path, ',', err);
    if (w->rows)
        frame_unref(shown);
    return ok;
}

static void
writing_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct writing *w = ctx;

    session_message(task_session(t), ok ? MESSAGE_INFO : MESSAGE_ERROR,
                    ok ? "wrote %s" : "%s", ok ? w->path : err->message);
    frame_unref(w->frame);
    free(w->rows);
    free(w->path);
    free(w);
}

static void
act_export(struct view *v, const struct view_call *call)
{
    struct view_data *d = mine(v);
    struct table *t = table_at_hand(d);
    struct writing *w;
    struct error err;

    if (!t || !call->arg || !call->arg[0])
        return;
    w = mem_new(sizeof *w);
    if (d->sheet.rows && d->sheet.frame == t->frame) {
        w->n_rows = d->sheet.n_rows;
        w->rows = mem_try_array(w->n_rows + 1, sizeof *w->rows, &err);
        if (!w->rows) {
            ui_error(v->ui, &err);
            free(w);
            return;
        }
        memcpy(w->rows, d->sheet.rows, w->n_rows * sizeof *w->rows);
    }
    w->frame = frame_ref(t->frame);
    w->path = call->arg[0] == '/'
                  ? mem_text(call->arg)
                  : file_join(session_project(session_of(d)), call->arg);
    task_start(session_of(d), &(struct task_spec){.title = "write a table",
                                                  .run = run_writing,
                                                  .done = writing_done,
                                                  .ctx = w});
}

static const struct view_action actions[] = {
    {"open", "Table: open a file",
     "Reads a delimited text file: delimiter, "
     "header and types are found from the whole file.",
     "file: ", act_open, NULL, 0},
    {"tables", "Tables: choose", NULL, NULL, act_tables, has_table, 0},
    {"close", "Table: close", NULL, NULL, act_close, has_table, 0},
    {"enter", "Column: frequencies, or the whole row", NULL, NULL, act_enter,
     has_table, ACTION_SUBJECT},
    {"frequency", "Column: frequency of each value", NULL, NULL, act_frequency,
     has_table, ACTION_SUBJECT},
    {"describe", "Table: describe every column",
     "The whole profile as text: "
     "alerts first, then the columns.",
     NULL, act_describe, has_table, 0},
    {"sort", "Rows: sort by this column", NULL, NULL, act_sort, has_table,
     ACTION_SUBJECT},
    {"sort-reverse", "Rows: sort downwards", NULL, NULL, act_sort_reverse,
     has_table, ACTION_SUBJECT},
    {"derive", "Table: new column",
     "A column computed by an expression over "
     "the others, such as  per_month = total_charges / max(tenure, 1)",
     "name = expression: ", act_derive, has_table, 0},
    {"hide", "Column: leave out", NULL, NULL, act_hide, has_table,
     ACTION_SUBJECT},
    {"type", "Column: make it the target",
     "The profile then says how much "
     "each other column tells about it alone, and warns of leakage.",
     NULL, act_target, has_table, ACTION_SUBJECT},
    {"rejects", "Table: rows that were set aside", NULL, NULL, act_rejects,
     has_table, 0},
    {"export", "Table: write as csv",
     "The rows that pass the filter, in the "
     "order they are shown in.",
     "file to write (.csv): ", act_export, has_table, 0},
    {"undo", "Rows: undo", NULL, NULL, act_undo, NULL, 0},
    {"redo", "Rows: redo", NULL, NULL, act_redo, NULL, 0},
    {0},
};

/* ---- the class ---- */

static struct view *
data_open(struct ui *ui)
{
    struct view_data *d = mem_new(sizeof *d);

    d->view.ui = ui;
    d->tether = tether_new(d);
    sheet_init(&d->sheet);
    if (session_tables(ui_session(ui)) > 0)
        look_at(d, session_table(ui_session(ui), 0));
    return &d->view;
}

static void
data_close(struct view *v)
{
    tether_cut(mine(v)->tether);
    sheet_fini(&mine(v)->sheet);
    free(v);
}

static void
data_changed(struct view *v, unsigned topics)
{
    struct view_data *d = mine(v);
    struct session *s = session_of(d);
    struct table *t = table_at_hand(d);

    if (!(topics & TOPIC_TABLES))
        return;
    if (!t && session_tables(s) > 0)
        t = session_table(s, session_tables(s) - 1);
    if (!t || t->version != d->version)
        look_at(d, t);
}

static bool
data_show(struct view *v, const char *what, struct error *err)
{
    struct view_data *d = mine(v);
    struct session *s = session_of(d);

    (void)err;
    for (size_t i = 0; i < session_tables(s); i++) {
        struct table *t = session_table(s, i);

        if (strcmp(t->name, what) == 0 || strcmp(t->path, what) == 0) {
            look_at(d, t);
            return true;
        }
    }
    open_file(d, what);
    return true;
}

static bool
data_action(struct view *v, const char *name, const struct view_call *call)
{
    struct view_data *d = mine(v);
    bool used = false;

    if (v->focus == REGION_ROWS)
        used = sheet_action(&d->sheet, name, call->count);
    if (used)
        d->columns.at = d->sheet.col;
    return used;
}

static bool
data_mouse(struct view *v, unsigned region, const struct input_event *e)
{
    struct view_data *d = mine(v);
    size_t at = d->columns.top + (size_t)(e->y > 0 ? e->y - 1 : 0);

    if (region == REGION_COLUMNS && e->mouse == MOUSE_PRESS) {
        if (e->y > 0 && at < d->columns.n)
            d->columns.at = d->sheet.col = at;
        return true;
    }
    if (region != REGION_ROWS)
        return false;
    if (e->mouse == MOUSE_PRESS && sheet_press(&d->sheet, e->x, e->y)) {
        d->columns.at = d->sheet.col;
        return true;
    }
    if (e->mouse == MOUSE_WHEEL_DOWN)
        return sheet_action(&d->sheet, "down", 3);
    if (e->mouse == MOUSE_WHEEL_UP)
        return sheet_action(&d->sheet, "up", 3);
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
    buf_puts(out, column_name(mine(v)));
}

static bool
data_copy(struct view *v, enum copy_what what, struct buf *out)
{
    struct view_data *d = mine(v);
    struct table *t = table_at_hand(d);
    size_t row = sheet_at(&d->sheet);

    if (!t)
        return false;
    if (what == COPY_REFERENCE) {
        buf_puts(out, t->path[0] ? t->path : t->name);
    } else if (what == COPY_COLUMN) {
        buf_puts(out, column_name(d));
    } else if (d->sheet.n_rows == 0) {
        return false;
    } else if (what == COPY_ROW) {
        for (size_t col = 0; col < frame_cols(t->frame); col++) {
            if (col > 0)
                buf_putc(out, '\t');
            column_print(frame_column(t->frame, col), row, out);
        }
    } else {
        column_print(frame_column(t->frame, d->sheet.col), row, out);
    }
    return true;
}

/* Search goes on from the row at hand and stops after what fits in 4 ms; a
 * second n goes on from there. */
static bool
data_search(struct view *v, const char *text, int dir)
{
    struct view_data *d = mine(v);
    struct table *t = table_at_hand(d);
    int64_t limit = loop_now_us() + 4000;
    struct buf b;
    bool found = false;

    if (!t || d->sheet.n_rows == 0)
        return false;
    buf_init(&b);
    for (size_t step = 1; !found && step <= d->sheet.n_rows; step++) {
        size_t n = d->sheet.n_rows;
        size_t i = (d->sheet.row.at + (dir > 0 ? step : n - step)) % n;

        for (size_t col = 0; !found && col < frame_cols(t->frame); col++) {
            buf_clear(&b);
            column_print(frame_column(t->frame, col),
                         sheet_row_id(&d->sheet, i), &b);
            if (strcasestr(b.data, text)) {
                d->sheet.row.at = i;
                d->sheet.col = d->columns.at = col;
                found = true;
            }
        }
        if (!found && step % 64 == 0 && loop_now_us() > limit) {
            d->sheet.row.at = i;
            ui_message(v->ui, MESSAGE_INFO,
                       "nothing up to row %zu; n searches on", i + 1);
            found = true;
        }
    }
    buf_fini(&b);
    return found;
}

static bool
data_filter(struct view *v, const char *text, struct error *err)
{
    struct view_data *d = mine(v);
    struct table *t = table_at_hand(d);
    struct state s = d->now;
    enum col_type type;
    struct expr *e;
    bool ok = true;

    if (!t)
        return error_set(err, ERR_STATE, "no table is open");
    if (text[0]) {
        e = expr_parse(str_of(text), err);
        ok = e && expr_check(e, t->frame, &type, err);
        if (ok && type != COL_BOOL)
            ok = error_set(err, ERR_TYPE,
                           "a filter is true or false for each row; this is %s",
                           column_type_word(type));
        expr_free(e);
    }
    if (!ok)
        return false;
    snprintf(s.filter, sizeof s.filter, "%s", text);
    change_state(d, &s, "filtering");
    return true;
}

static const char *
data_filter_text(struct view *v)
{
    return mine(v)->now.filter;
}

static size_t
data_words(struct view *v, char ***out)
{
    struct table *t = table_at_hand(mine(v));
    size_t n = t ? frame_cols(t->frame) : 0;

    *out = mem_new((n + 1) * sizeof **out);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = mem_text(frame_name(t->frame, i));
    return n;
}

/* q leaves a derived table for the one it was made from. */
static bool
data_back(struct view *v)
{
    struct view_data *d = mine(v);
    struct session *s = session_of(d);
    const char *colon = strrchr(d->table, ':');
    char base[256];

    if (!colon)
        return false;
    snprintf(base, sizeof base, "%.*s", (int)(colon - d->table), d->table);
    if (!find_table(s, base))
        return false;
    act_close(v, NULL);
    look_at(d, find_table(s, base));
    return true;
}

const struct view_class view_data_class = {
    .name = "data",
    .title = "Data",
    .regions = regions,
    .actions = actions,
    .open = data_open,
    .close = data_close,
    .layout = data_layout,
    .changed = data_changed,
    .show = data_show,
    .action = data_action,
    .mouse = data_mouse,
    .badge = data_badge,
    .subject = data_subject,
    .copy = data_copy,
    .search = data_search,
    .filter = data_filter,
    .filter_text = data_filter_text,
    .words = data_words,
    .back = data_back,
};
