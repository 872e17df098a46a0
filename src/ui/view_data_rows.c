/* ui/view_data_rows.c -- the rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include "ui/ui.h"

/* ---- their order ---- */

static void
sort_by(struct view_data *d, bool descending)
{
    struct steps *s;

    if (!data_frame(d))
        return;
    s = data_steps(d);
    steps_sort(s, data_column_name(d), descending, false);
    data_change(d, s, "sorting");
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

/* ---- the rows ---- */

void
data_rows_draw(struct view *v, const struct canvas *c)
{
    struct data_look *look = data_mine(v)->look;

    if (look->sheet.frame && look->sheet.n_rows == 0)
        draw_text(c, 1, 1, ROLE_DIM,
                  look->now->filter[0] ? "no row matches the filter"
                                       : "no rows");
    sheet_draw(&look->sheet, c);
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
    buf_printf(left, "%srows · %s%s", left->len ? " · " : "",
               d->before ? "first " : "", n);
    if (d->before)
        waiting_words(look->next, left);
    else if (look->now->filter[0])
        buf_printf(left, " · filter %s", look->now->filter);
    if (look->arranging[0])
        buf_printf(right, "%s…", look->arranging);
    else if (look->sheet.n_rows > 0)
        buf_printf(right, "row %s", at);
    if (data_open_bar(d)) /* which says the rest */
        buf_puts(right, " · loading");
}
