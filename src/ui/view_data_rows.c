/* ui/view_data_rows.c -- the rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <string.h>

#include "frame/expr.h"
#include "ui/ui.h"

/* ---- their order ---- */

static void
sort_by(struct view_data *d, bool descending, bool more)
{
    struct steps *s;

    if (!data_frame(d))
        return;
    s = data_steps(d);
    steps_sort(s, data_column_name(d), descending, more);
    data_change(d, s, "sorting");
}

void
data_rows_sort(struct view *v, const struct view_call *call)
{
    (void)call;
    sort_by(data_mine(v), false, false);
}

void
data_rows_sort_reverse(struct view *v, const struct view_call *call)
{
    (void)call;
    sort_by(data_mine(v), true, false);
}

void
data_rows_sort_then(struct view *v, const struct view_call *call)
{
    (void)call;
    sort_by(data_mine(v), false, true);
}

void
data_rows_sort_then_reverse(struct view *v, const struct view_call *call)
{
    (void)call;
    sort_by(data_mine(v), true, true);
}

void
data_rows_unsort(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct steps *s = data_steps(d);

    (void)call;
    steps_unsort(s);
    data_change(d, s, "putting the rows back");
}

void
data_rows_press_head(struct view_data *d)
{
    bool down = false;
    struct steps *s = data_steps(d);
    size_t key = steps_key(s, data_column_name(d), &down);

    if (key == 1 && s->sort.n == 1 && down)
        steps_unsort(s);
    else
        steps_sort(s, data_column_name(d), key == 1 && !down, false);
    data_change(d, s, "sorting");
}

/* ---- filters from what is under the cursor ---- */

/* `name = value`, or that it is not. */
static void
put_condition(const struct frame *f, size_t col, size_t row, bool keep,
              struct buf *out)
{
    const struct column *c = frame_column(f, col);
    struct buf name;

    buf_init(&name);
    expr_put_name(frame_name(f, col), &name);
    if (!column_is_valid(c, row)) {
        buf_printf(out, "%s is %snull", name.data, keep ? "" : "not ");
    } else if (keep) {
        buf_printf(out, "%s = ", name.data);
        expr_put_value(c, row, out);
    } else {
        /* What is missing is not that value, either. */
        bool some = column_missing(c) > 0;

        buf_printf(out, "%s%s <> ", some ? "(" : "", name.data);
        expr_put_value(c, row, out);
        if (some)
            buf_printf(out, " or %s is null)", name.data);
    }
    buf_fini(&name);
}

static void
filter_here(struct view *v, bool keep)
{
    struct view_data *d = data_mine(v);
    const struct sheet *sheet = &d->look->sheet;
    struct steps *s;
    struct buf b;

    if (!sheet->frame || sheet->n_rows == 0)
        return;
    s = data_steps(d);
    buf_init(&b);
    if (s->filter[0])
        buf_printf(&b, strcasestr(s->filter, " or ") ? "(%s) and " : "%s and ",
                   s->filter);
    put_condition(sheet->frame, sheet->col, sheet_at(sheet), keep, &b);
    steps_filter(s, b.data);
    data_change(d, s, "filtering");
    buf_fini(&b);
}

void
data_rows_keep(struct view *v, const struct view_call *call)
{
    (void)call;
    filter_here(v, true);
}

void
data_rows_leave_out(struct view *v, const struct view_call *call)
{
    (void)call;
    filter_here(v, false);
}

/* ---- going there ---- */

/* The row at a share of what is sorted by the column of the cursor: of its
 * values, the missing ones being last and left out.  Of all rows otherwise. */
static void
go_to_share(struct view_data *d, double percent)
{
    struct sheet *s = &d->look->sheet;
    size_t n = s->n_rows, lo = 0;
    const struct column *c;
    bool down, by_value;
    char at[STR_F64_MAX];
    struct buf value;

    if (!s->frame || n == 0)
        return;
    c = frame_column(s->frame, s->col);
    by_value = steps_key(d->look->now, data_column_name(d), &down) == 1;
    for (size_t hi = by_value ? n : 0; lo < hi;) { /* where values end */
        size_t mid = lo + (hi - lo) / 2;

        if (column_is_valid(c, sheet_row_id(s, mid)))
            lo = mid + 1;
        else
            hi = mid;
    }
    n = lo > 0 ? lo : n;
    s->row.at = (size_t)((double)(n - 1) * percent / 100 + 0.5);
    str_from_count(s->row.at + 1, at);
    if (lo == 0) {
        ui_message(d->view.ui, MESSAGE_INFO, "%g%% of the rows: row %s",
                   percent, at);
        return;
    }
    buf_init(&value);
    column_print(c, sheet_at(s), &value);
    ui_message(d->view.ui, MESSAGE_INFO, "%g%% of the values of %s: %s",
               percent, data_column_name(d), value.data);
    buf_fini(&value);
}

void
data_rows_share(struct view *v, const struct view_call *call)
{
    double percent;
    struct str text = str_trim(str_of(call->arg));

    if (text.n > 0 && text.p[text.n - 1] == '%')
        text = str_trim((struct str){text.p, text.n - 1});
    if (text.n == 0)
        return;
    if (!str_to_f64(text, &percent) || !(percent >= 0 && percent <= 100))
        ui_message(v->ui, MESSAGE_ERROR, "a share is 0 to 100, not \"%s\"",
                   call->arg);
    else
        go_to_share(data_mine(v), percent);
}

void
data_rows_percent(struct view_data *d, int count)
{
    go_to_share(d, count > 100 ? 100 : count);
}

void
data_rows_column(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    const struct frame *f = data_frame(d);
    struct error err;
    size_t col;

    if (!f || !call->arg || !call->arg[0])
        return;
    if (!frame_need(f, call->arg, &col, &err))
        ui_error(v->ui, &err);
    else
        d->look->sheet.col = d->look->columns.at = col;
}

/* ---- how wide ---- */

void
data_rows_wider(struct view *v, const struct view_call *call)
{
    sheet_widen(&data_mine(v)->look->sheet, call->count > 0 ? call->count : 2);
}

void
data_rows_narrower(struct view *v, const struct view_call *call)
{
    sheet_widen(&data_mine(v)->look->sheet,
                call->count > 0 ? -call->count : -2);
}

/* To its content, and back. */
void
data_rows_fit(struct view *v, const struct view_call *call)
{
    struct sheet *s = &data_mine(v)->look->sheet;

    (void)call;
    if (!s->frame)
        return;
    if (s->width[s->col].set > 0)
        sheet_unset_width(s);
    else
        sheet_fit(s);
}

void
data_rows_widths(struct view *v, const struct view_call *call)
{
    static const char *const say[] = {
        [SHEET_FIT] = "columns as wide as their values, within reason",
        [SHEET_FULL] = "columns as wide as their values",
        [SHEET_NARROW] = "narrow columns"};
    struct sheet *s = &data_mine(v)->look->sheet;

    (void)call;
    s->mode = s->mode == SHEET_FIT    ? SHEET_FULL
              : s->mode == SHEET_FULL ? SHEET_NARROW
                                      : SHEET_FIT;
    ui_message(v->ui, MESSAGE_INFO, "%s", say[s->mode]);
}

void
data_rows_freeze(struct view *v, const struct view_call *call)
{
    struct sheet *s = &data_mine(v)->look->sheet;
    size_t want = call->count > 0 ? (size_t)call->count : s->col + 1;

    if (!s->frame)
        return;
    if (s->frozen == want || want >= frame_cols(s->frame))
        want = 0;
    s->frozen = want;
    s->left = want;
    if (want > 0)
        ui_message(v->ui, MESSAGE_INFO, "%zu column%s stay%s; ^ lets go", want,
                   want == 1 ? "" : "s", want == 1 ? "s" : "");
    else
        ui_message(v->ui, MESSAGE_INFO, "all columns scroll");
}

/* ---- the rows ---- */

void
data_rows_draw(struct view *v, const struct canvas *c)
{
    struct data_look *look = data_mine(v)->look;

    data_find_mark(data_mine(v));
    if (look->sheet.frame && look->sheet.n_rows == 0)
        draw_text(c, 1, 1, ROLE_DIM,
                  look->now->filter[0] ? "no row matches the filter"
                                       : "no rows");
    sheet_draw(&look->sheet, c);
    data_sheet_paint(data_mine(v), c);
}

/* What first rows will be when all of them are there. */
static void
waiting_words(const struct steps *s, struct buf *out)
{
    if (s->filter[0])
        buf_printf(out, " · then filter %s", s->filter);
    for (size_t i = 0; i < s->sort.n; i++) {
        bool down = s->sort.name[i][0] == '-';

        buf_printf(out, " · then %s %s", down ? "▼" : "▲",
                   s->sort.name[i] + down);
    }
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
    if (left->len)
        buf_puts(left, " · ");
    if (data_sheet_title(d, left)) {
        buf_printf(left, " · %s row%s", n, look->sheet.n_rows == 1 ? "" : "s");
    } else if (data_table(d) && data_table(d)->beyond) {
        buf_puts(left, "rows · ");
        data_beyond_words(data_table(d), left);
    } else
        buf_printf(left, "rows · %s%s", d->before ? "first " : "", n);
    if (d->before)
        waiting_words(look->next, left);
    else if (look->now->filter[0])
        buf_printf(left, " · filter %s", look->now->filter);
    data_find_title(d, right);
    if (look->sheet.n_rows > 0 && !look->arranging[0])
        buf_printf(right, "%srow %s", right->len ? " · " : "", at);
    else if (look->arranging[0])
        buf_printf(right, "%s%s…", right->len ? " · " : "", look->arranging);
    data_make_words(d, right);
    if (data_open_bar(d)) /* which says the rest */
        buf_puts(right, " · loading");
    data_cut_title(d, DATA_REGION_ROWS, left, right);
}
