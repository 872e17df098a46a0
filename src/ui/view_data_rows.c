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
    unsigned asked;
};

static bool
run_arrange(struct task *t, void *ctx, struct error *err)
{
    struct arranging *w = ctx;

    return arrange(&w->a, session_pool(task_session(t)), err);
}

/* The look that waits for this; NULL: it has asked for something else since,
 * or is gone. */
static struct data_look *
look_of(struct view_data *d, unsigned asked)
{
    if (d->look->asked == asked)
        return d->look;
    return d->before && d->before->asked == asked ? d->before : NULL;
}

static void
say_matches(struct view_data *d, const struct data_look *look)
{
    char n[STR_F64_MAX], of[STR_F64_MAX];

    str_from_count(look->sheet.n_rows, n);
    str_from_count(frame_rows(look->sheet.frame), of);
    ui_message(d->view.ui, MESSAGE_INFO,
               "%s of %s rows match; u takes the filter back", n, of);
}

static void
take_arrangement(struct view_data *d, struct data_look *look,
                 struct arrangement *a)
{
    struct sheet *s = &look->sheet;

    sheet_set(s, a->frame, a->rows, a->n_rows);
    a->rows = NULL;
    look->now = a->state;
    s->sorted = look->now.sort[0] ? frame_find(a->frame, look->now.sort) : -1;
    s->descending = look->now.descending;
    if (look->now.filter[0])
        say_matches(d, look);
}

static void
arrange_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct arranging *w = ctx;
    struct view_data *d = tether_end(w->view);
    struct data_look *look = d ? look_of(d, w->asked) : NULL;

    (void)t;
    if (look) {
        look->asked = 0;
        look->arranging[0] = '\0';
    }
    if (look && !ok) {
        look->next = look->now;
        ui_error(d->view.ui, err);
    } else if (look && look->sheet.frame == w->a.frame) {
        take_arrangement(d, look, &w->a);
    }
    free(w->a.rows);
    frame_unref(w->a.frame);
    free(w);
    if (look)
        ui_answer(d->view.ui);
}

void
data_arrange(struct view_data *d, const struct data_state *s, const char *word)
{
    struct data_look *look = d->look;
    struct arranging *w;

    look->next = *s;
    if (d->before)
        ui_message(d->view.ui, MESSAGE_INFO, "%s when all rows are there",
                   word);
    if (d->before || !data_table(d))
        return;
    w = mem_new(sizeof *w);
    w->a.frame = frame_ref(look->sheet.frame);
    w->a.state = *s;
    w->view = tether_hold(d->tether);
    w->asked = look->asked = ++d->n_asked;
    snprintf(look->arranging, sizeof look->arranging, "%s", word);
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
    struct data_look *look = d->look;

    push_undo(look->undo, &look->n_undo, &look->next);
    look->n_redo = 0;
    data_arrange(d, s, word);
}

static void
sort_by(struct view_data *d, bool descending)
{
    struct data_state s = d->look->next;

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
    struct data_look *look = data_mine(v)->look;

    (void)call;
    if (look->n_undo == 0) {
        ui_message(v->ui, MESSAGE_INFO, "nothing to undo");
        return;
    }
    push_undo(look->redo, &look->n_redo, &look->next);
    data_arrange(data_mine(v), &look->undo[--look->n_undo], "undoing");
}

void
data_rows_redo(struct view *v, const struct view_call *call)
{
    struct data_look *look = data_mine(v)->look;

    (void)call;
    if (look->n_redo == 0) {
        ui_message(v->ui, MESSAGE_INFO, "nothing to redo");
        return;
    }
    push_undo(look->undo, &look->n_undo, &look->next);
    data_arrange(data_mine(v), &look->redo[--look->n_redo], "redoing");
}

/* ---- the rows ---- */

void
data_rows_draw(struct view *v, const struct canvas *c)
{
    struct data_look *look = data_mine(v)->look;

    if (look->sheet.frame && look->sheet.n_rows == 0)
        draw_text(c, 1, 1, ROLE_DIM,
                  look->now.filter[0] ? "no row matches the filter"
                                      : "no rows");
    sheet_draw(&look->sheet, c);
}

/* What first rows will be when all of them are there. */
static void
waiting_words(const struct data_state *s, struct buf *out)
{
    if (s->filter[0])
        buf_printf(out, " · then filter %s", s->filter);
    if (s->sort[0])
        buf_printf(out, " · then %s %s", s->descending ? "▼" : "▲", s->sort);
}

void
data_rows_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_data *d = data_mine(v);
    const struct data_look *look = d->look;
    char at[STR_F64_MAX], n[STR_F64_MAX];

    str_from_count(look->sheet.n_rows, n);
    str_from_count(sheet_at(&look->sheet) + 1, at);
    if (d->opening && !data_open_bar(d))
        data_open_words(d, left);
    buf_printf(left, "%srows · %s%s", left->len ? " · " : "",
               d->before ? "first " : "", n);
    if (d->before)
        waiting_words(&look->next, left);
    else if (look->now.filter[0])
        buf_printf(left, " · filter %s", look->now.filter);
    if (look->arranging[0])
        buf_printf(right, "%s…", look->arranging);
    else if (look->sheet.n_rows > 0)
        buf_printf(right, "row %s", at);
    if (data_open_bar(d)) /* which says the rest */
        buf_puts(right, " · loading");
}
