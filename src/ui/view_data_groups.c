/* ui/view_data_groups.c -- groups and pivots of the table at hand.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <string.h>

#include "base/mem.h"
#include "frame/expr.h"
#include "frame/recipe.h"
#include "frame/stream_overview.h"
#include "frame/stream_verbs.h"
#include "ui/ui.h"

/* The values that a pivot's columns are of: the file is gone through for them
 * first. */
static bool
values_beyond(struct data_making *m, const struct recipe *r, struct task *t,
              struct error *err)
{
    struct stream *s = data_beyond_stream(m, t, err);
    struct frame *f = s ? stream_values(s, r->across, err) : NULL;

    if (f)
        m->values = recipe_values(r, f, data_pool_of(t), NULL, err);
    frame_unref(f);
    return m->values;
}

static bool
groups_beyond(struct data_making *m, struct task *t, struct error *err)
{
    struct recipe r = {0};
    struct stream *s = NULL;

    if (recipe_parse(m->text, &r, err) &&
        (!r.across || values_beyond(m, &r, t, err)) &&
        (s = data_beyond_stream(m, t, err))) {
        const char *const *by = (const char *const *)r.by;
        const char *const *aggregates = (const char *const *)r.aggregate;

        s = r.across ? stream_pivot(s, by, r.across, aggregates, err)
                     : stream_group(s, by, aggregates, err);
        m->made = s ? stream_collect(s, err) : NULL;
    }
    stream_close(s);
    recipe_fini(&r);
    return m->made;
}

static bool
make_groups(struct data_making *m, struct task *t, struct error *err)
{
    struct recipe r = {0};
    struct frame *f;

    if (m->beyond)
        return groups_beyond(m, t, err);
    f = data_gather_shown(m, t, err);
    if (f && recipe_parse(m->text, &r, err) &&
        (!r.across || (m->values = recipe_values(&r, f, data_pool_of(t),
                                                 task_progress(t), err))))
        m->made = recipe_make(&r, f, data_pool_of(t), task_progress(t), err);
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

void
data_open_groups(struct view *v, const char *text, bool pivot)
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
                                         .collect = true,
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
        data_open_groups(v, call->arg, false);
}

void
data_sheet_pivot(struct view *v, const struct view_call *call)
{
    if (call->arg && call->arg[0] && data_whole_table(data_mine(v)))
        data_open_groups(v, call->arg, true);
}

/* ---- what is proposed ---- */

/* Is it a key that is proposed: marked, or where none is, at the cursor? */
static bool
is_key(const struct data_look *look, size_t col)
{
    return data_marked_columns(look) > 0 ? data_is_marked_column(look, col)
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
