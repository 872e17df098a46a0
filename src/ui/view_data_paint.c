/* ui/view_data_paint.c -- how sheets look that tell of a table: marks, bars,
 * shades, decimals, titles.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <math.h>

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

        if (i < s->n_rows && data_is_marked(look, sheet_row_id(s, i)))
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
