/* ui/view_data_shape.c -- the columns of the table at hand: computed, cast,
 * renamed, hidden, moved.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/expr.h"
#include "session/task.h"
#include "ui/tether.h"
#include "ui/ui.h"

/* "name = expression" */
static bool
split_derived(const char *text, char **name, struct str *expression,
              struct error *err)
{
    const char *eq = strchr(text, '=');
    struct str s;

    if (!eq || eq[1] == '=')
        return error_set(err, ERR_USAGE, "write it as: name = expression");
    s = str_trim((struct str){text, (size_t)(eq - text)});
    if (s.n == 0)
        return error_set(err, ERR_USAGE, "the new column needs a name");
    *expression = str_trim(str_of(eq + 1));
    *name = mem_try_text(s.p, s.n, err);
    return *name != NULL;
}

void
data_shape_derive(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct str expression;
    struct steps *s;
    struct error err;
    char *name = NULL;

    if (!call->arg || !call->arg[0] || !data_whole_table(d))
        return;
    if (!split_derived(call->arg, &name, &expression, &err)) {
        ui_error(v->ui, &err);
        return;
    }
    s = data_steps(d);
    steps_with(s, name, expression.p);
    data_change(d, s, "computing");
    free(name);
}

void
data_shape_hide(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct steps *s;

    (void)call;
    if (!t)
        return;
    if (frame_cols(t->frame) < 2) {
        ui_message(v->ui, MESSAGE_INFO, "the last column stays");
        return;
    }
    s = data_steps(d);
    steps_hide(s, data_column_name(d));
    data_change(d, s, "hiding");
}

/* The names a menu shows; the choice comes when the table may be another. */
static void
unhide_chosen(void *ctx, size_t chosen)
{
    struct view_data *d = ctx;
    struct table *t = data_table(d);
    struct steps *s;

    if (!t || chosen > t->steps->hidden.n)
        return;
    s = data_steps(d);
    steps_unhide(s, t->all,
                 chosen > 0 ? t->steps->hidden.name[chosen - 1] : NULL);
    data_change(d, s, "showing");
}

void
data_shape_unhide(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct ui_menu_item *items;
    size_t n;

    (void)call;
    if (!t)
        return;
    n = t->steps->hidden.n;
    if (n == 0) {
        ui_message(v->ui, MESSAGE_INFO, "no column is hidden");
        return;
    }
    if (n == 1) {
        unhide_chosen(d, 0);
        return;
    }
    items = mem_new((n + 1) * sizeof *items);
    items[0] = (struct ui_menu_item){"all of them", NULL, NULL};
    for (size_t i = 0; i < n; i++) {
        const char *name = t->steps->hidden.name[i];
        long at = frame_find(t->all, name);

        items[i + 1] = (struct ui_menu_item){
            name,
            at >= 0 ? sheet_type(column_type(frame_column(t->all, (size_t)at)))
                    : NULL,
            NULL};
    }
    ui_menu(v->ui, "hidden columns", items, n + 1, unhide_chosen, d);
    free(items);
}

static void
move(struct view *v, const struct view_call *call, int by)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    int to = (int)d->look->sheet.col + by * (call->count > 0 ? call->count : 1);
    struct steps *s;

    if (!t)
        return;
    if (to < 0)
        to = 0;
    if (to >= (int)frame_cols(t->frame))
        to = (int)frame_cols(t->frame) - 1;
    s = data_steps(d);
    steps_move(s, t->frame, data_column_name(d), (size_t)to);
    data_change(d, s, "moving");
}

void
data_shape_left(struct view *v, const struct view_call *call)
{
    move(v, call, -1);
}

void
data_shape_right(struct view *v, const struct view_call *call)
{
    move(v, call, 1);
}

void
data_shape_rename(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct steps *s;
    struct str name = str_trim(str_of(call->arg));
    char *copy;

    if (name.n == 0 || !data_whole_table(d) ||
        str_is(name, data_column_name(d)))
        return;
    copy = mem_new(name.n + 1);
    memcpy(copy, name.p, name.n);
    s = data_steps(d);
    steps_rename(s, data_column_name(d), copy);
    data_change(d, s, "renaming");
    free(copy);
}

/* ---- another type ---- */

static const char *const casts[COL_N_TYPES] = {
    [COL_BOOL] = "bool", [COL_INT64] = "int", [COL_FLOAT64] = "float",
    [COL_TEXT] = "text", [COL_DATE] = "date", [COL_TIMESTAMP] = "timestamp"};

/* What each type would lose, found out before one is chosen. */
struct casting {
    struct frame *all;
    char *name;
    enum col_type is;
    long lost[COL_N_TYPES];    /* -1: there is no way to that type */
    size_t other[COL_N_TYPES]; /* values that do not come back the same */
    struct tether *view;
    struct view_data *d; /* while its menu is open */
};

static void
casting_free(struct casting *c)
{
    frame_unref(c->all);
    free(c->name);
    free(c);
}

static void
put_cast(const struct casting *c, enum col_type to, struct buf *out)
{
    buf_printf(out, "%s(", casts[to]);
    expr_put_name(c->name, out);
    buf_putc(out, ')');
}

static long
count_lost(const struct casting *c, enum col_type to, struct pool *pool)
{
    const struct column *was =
        frame_column(c->all, (size_t)frame_find(c->all, c->name));
    struct column *is = NULL;
    struct expr *e;
    struct error err;
    struct buf text;
    long lost = -1;

    buf_init(&text);
    put_cast(c, to, &text);
    if ((e = expr_parse(str_of(text.data), &err)))
        is = expr_eval(e, c->all, pool, &err);
    if (is)
        lost = (long)column_missing(is) - (long)column_missing(was);
    column_unref(is);
    expr_free(e);
    buf_fini(&text);
    return lost;
}

/* Rows whose value the way there and back changes: a fraction that is cut off,
 * a zero in front of a number. */
static size_t
count_other(const struct casting *c, enum col_type to, struct pool *pool)
{
    struct buf cast, text;
    struct expr *e;
    struct error err;
    uint32_t *rows = NULL;
    size_t n = 0;

    buf_init(&cast);
    buf_init(&text);
    put_cast(c, to, &cast);
    buf_printf(&text, "%s(%s) <> ", casts[c->is], cast.data);
    expr_put_name(c->name, &text);
    if (!(e = expr_parse(str_of(text.data), &err)) ||
        !expr_where(e, c->all, pool, &rows, &n, &err))
        n = 0;
    free(rows);
    expr_free(e);
    buf_fini(&cast);
    buf_fini(&text);
    return n;
}

static bool
run_casting(struct task *t, void *ctx, struct error *err)
{
    struct casting *c = ctx;

    for (int to = 0; to < COL_N_TYPES; to++) {
        if (!progress_check(task_progress(t), err))
            return false;
        if ((enum col_type)to == c->is)
            continue;
        c->lost[to] =
            count_lost(c, (enum col_type)to, session_pool(task_session(t)));
        if (c->lost[to] >= 0)
            c->other[to] = count_other(c, (enum col_type)to,
                                       session_pool(task_session(t)));
    }
    return true;
}

/* The types of the menu in order: those there is a way to. */
static size_t
cast_choices(const struct casting *c, enum col_type *to)
{
    size_t n = 0;

    for (int i = 0; i < COL_N_TYPES; i++)
        if (c->lost[i] >= 0 && (enum col_type)i != c->is)
            to[n++] = (enum col_type)i;
    return n;
}

static void
cast_chosen(void *ctx, size_t chosen)
{
    struct casting *c = ctx;
    struct view_data *d = c->d;
    struct table *t = data_table(d);
    enum col_type to[COL_N_TYPES];
    size_t n = cast_choices(c, to);
    struct buf text;
    struct steps *s;

    if (chosen < n && t && t->all == c->all) {
        buf_init(&text);
        put_cast(c, to[chosen], &text);
        s = data_steps(d);
        steps_with(s, c->name, text.data);
        data_change(d, s, "converting");
        buf_fini(&text);
    }
    casting_free(c);
}

static void
say_loss(const struct casting *c, enum col_type to, char *out, size_t size)
{
    char lost[STR_F64_MAX], other[STR_F64_MAX];

    str_from_count((uint64_t)c->lost[to], lost);
    str_from_count(c->other[to], other);
    if (c->lost[to] > 0 && c->other[to] > 0)
        snprintf(out, size, "%s lost, %s change", lost, other);
    else if (c->lost[to] > 0)
        snprintf(out, size, "%s lost", lost);
    else if (c->other[to] > 0)
        snprintf(out, size, "%s change", other);
    else
        snprintf(out, size, "nothing is lost");
}

static void
open_casts(struct view_data *d, struct casting *c)
{
    struct ui_menu_item items[COL_N_TYPES];
    char notes[COL_N_TYPES][80], title[160];
    enum col_type to[COL_N_TYPES];
    size_t n = cast_choices(c, to);

    for (size_t i = 0; i < n; i++) {
        say_loss(c, to[i], notes[i], sizeof notes[i]);
        items[i] = (struct ui_menu_item){
            column_type_word(to[i]), notes[i],
            "Values that cannot be converted become missing and are lost; some "
            "change, as when a fraction is cut off. u takes it back."};
    }
    snprintf(title, sizeof title, "%s, now %s, as%s", c->name,
             column_type_word(c->is),
             data_table(d)->beyond ? " (of the first rows)" : "");
    c->d = d;
    ui_menu(d->view.ui, title, items, n, cast_chosen, c);
}

static void
casting_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct casting *c = ctx;
    struct view_data *d = tether_end(c->view);
    struct table *table = d ? data_table(d) : NULL;

    if (!ok && err->code != ERR_CANCELLED)
        session_message(task_session(t), MESSAGE_ERROR, "%s", err->message);
    if (ok && table && table->all == c->all &&
        ui_visible(d->view.ui, &d->view)) {
        open_casts(d, c);
        ui_answer(d->view.ui);
    } else {
        casting_free(c);
    }
}

void
data_shape_cast(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct casting *c;
    long at;

    (void)call;
    at = t ? frame_find(t->all, data_column_name(d)) : -1;
    if (at < 0)
        return;
    c = mem_new(sizeof *c);
    c->all = frame_ref(t->all);
    c->name = mem_text(data_column_name(d));
    c->is = column_type(frame_column(t->all, (size_t)at));
    c->view = tether_hold(d->tether);
    task_start(data_session(d),
               &(struct task_spec){.title = "look what a type would lose",
                                   .run = run_casting,
                                   .done = casting_done,
                                   .ctx = c,
                                   .of = {c->all},
                                   .quiet = true});
}
