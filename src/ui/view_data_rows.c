/* ui/view_data_rows.c -- the rows: filtered and sorted in the background, each
 * change kept for undo.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/expr.h"
#include "frame/query.h"
#include "session/task.h"
#include "ui/tether.h"
#include "ui/ui.h"

/* ---- filter and sort, in the background ---- */

/* Everything a pool job needs: the view may change meanwhile. */
struct arrangement {
    struct frame *frame;
    struct data_state state;
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

static void
arrange_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct arranging *w = ctx;
    struct view_data *d = tether_end(w->view);
    struct table *table = d ? data_table(d) : NULL;

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

void
data_arrange(struct view_data *d, const struct data_state *s, const char *word)
{
    struct table *t = data_table(d);
    struct arranging *w;

    if (!t)
        return;
    w = mem_new(sizeof *w);
    w->a.frame = frame_ref(t->frame);
    w->a.state = *s;
    w->view = tether_hold(d->tether);
    snprintf(w->table, sizeof w->table, "%s", t->name);
    snprintf(d->arranging, sizeof d->arranging, "%s", word);
    task_start(data_session(d), &(struct task_spec){.title = word,
                                                    .run = run_arrange,
                                                    .done = arrange_done,
                                                    .ctx = w,
                                                    .quiet = true});
}

static void
push_undo(struct data_state *stack, size_t *n, const struct data_state *s)
{
    if (*n == DATA_MAX_UNDO) {
        memmove(stack, stack + 1, (DATA_MAX_UNDO - 1) * sizeof *stack);
        --*n;
    }
    stack[(*n)++] = *s;
}

void
data_change(struct view_data *d, const struct data_state *s, const char *word)
{
    push_undo(d->undo, &d->n_undo, &d->now);
    d->n_redo = 0;
    data_arrange(d, s, word);
}

static void
sort_by(struct view_data *d, bool descending)
{
    struct data_state s = d->now;

    snprintf(s.sort, sizeof s.sort, "%s", data_column_name(d));
    s.descending = descending;
    data_change(d, &s, "sorting");
}

void
data_rows_sort(struct view *v, const struct view_call *call)
{
    (void)call;
    sort_by(data_mine(v), false);
}

void
data_rows_sort_reverse(struct view *v, const struct view_call *call)
{
    (void)call;
    sort_by(data_mine(v), true);
}

void
data_rows_undo(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);

    (void)call;
    if (d->n_undo == 0) {
        ui_message(v->ui, MESSAGE_INFO, "nothing to undo");
        return;
    }
    push_undo(d->redo, &d->n_redo, &d->now);
    data_arrange(d, &d->undo[--d->n_undo], "undoing");
}

void
data_rows_redo(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);

    (void)call;
    if (d->n_redo == 0) {
        ui_message(v->ui, MESSAGE_INFO, "nothing to redo");
        return;
    }
    push_undo(d->undo, &d->n_undo, &d->now);
    data_arrange(d, &d->redo[--d->n_redo], "redoing");
}

/* ---- the rows ---- */

void
data_rows_draw(struct view *v, const struct canvas *c)
{
    struct view_data *d = data_mine(v);

    if (data_table(d) && d->sheet.n_rows == 0)
        draw_text(c, 1, 1, ROLE_DIM,
                  d->now.filter[0] ? "no row matches the filter" : "no rows");
    sheet_draw(&d->sheet, c);
}

void
data_rows_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_data *d = data_mine(v);
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
