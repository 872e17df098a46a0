/* ui/sheet.c -- a frame as a sheet.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/sheet.h"

#include <stdio.h>
#include <string.h>

enum { WIDEST = 28, NARROWEST = 4 };

void
sheet_init(struct sheet *s)
{
    *s = (struct sheet){0};
}

void
sheet_fini(struct sheet *s)
{
    frame_unref(s->frame);
    rowset_unref(s->rows);
    sheet_init(s);
}

/* Where the column of the cursor is in f; the same place when it is gone. */
static size_t
column_in(const struct sheet *s, const struct frame *f)
{
    size_t n = frame_cols(f);
    long at = s->frame && s->col < frame_cols(s->frame)
                  ? frame_find(f, frame_name(s->frame, s->col))
                  : -1;

    return at >= 0 ? (size_t)at : s->col < n ? s->col : n > 0 ? n - 1 : 0;
}

void
sheet_set(struct sheet *s, const struct frame *f, struct rowset *rows)
{
    struct frame *fresh = f ? frame_ref(f) : NULL;
    struct rowset *fresh_rows = rowset_ref(rows);

    s->col = f ? column_in(s, f) : 0;
    if (s->left > s->col)
        s->left = s->col;
    frame_unref(s->frame);
    rowset_unref(s->rows);
    s->frame = fresh;
    s->rows = fresh_rows;
    s->n_rows = rows ? rowset_n(rows) : f ? frame_rows(f) : 0;
    list_set(&s->row, s->n_rows);
}

size_t
sheet_row_id(const struct sheet *s, size_t i)
{
    return s->rows ? rowset_ids(s->rows)[i] : i;
}

size_t
sheet_at(const struct sheet *s)
{
    return s->row.at < s->n_rows ? sheet_row_id(s, s->row.at) : 0;
}

unsigned
sheet_role(enum col_type t)
{
    switch (t) {
    case COL_INT64:
        return ROLE_TYPE_INT;
    case COL_FLOAT64:
        return ROLE_TYPE_FLOAT;
    case COL_BOOL:
        return ROLE_TYPE_BOOL;
    case COL_DATE:
    case COL_TIMESTAMP:
        return ROLE_TYPE_TIME;
    default:
        return ROLE_TYPE_TEXT;
    }
}

const char *
sheet_type(enum col_type t)
{
    static const char *const words[] = {"bool", "i64",  "f64",
                                        "text", "date", "time"};

    return words[t];
}

static bool
is_number(enum col_type t)
{
    return t == COL_INT64 || t == COL_FLOAT64;
}

/* What a cell shows; "∅" when it is missing. */
static void
cell_text(const struct column *c, size_t row, struct buf *out)
{
    buf_clear(out);
    if (!column_is_valid(c, row))
        buf_puts(out, "∅");
    else if (column_type(c) == COL_FLOAT64)
        buf_printf(out, "%.7g", column_number(c, row));
    else
        column_print(c, row, out);
}

/* "▲", or "▼2" when it is the second of several keys; false: it is none. */
static bool
key_mark(const struct sheet *s, size_t col, char *mark, size_t size)
{
    bool down = false;
    size_t at = s->steps && s->steps->sort.n > 0
                    ? steps_key(s->steps, frame_name(s->frame, col), &down)
                    : 0;

    if (at == 0)
        return false;
    snprintf(mark, size, "%s", down ? "▼" : "▲");
    if (s->steps->sort.n > 1)
        snprintf(mark + strlen(mark), size - strlen(mark), "%zu", at);
    return true;
}

/* Cells of the mark and the blank before it. */
static size_t
mark_cells(const struct sheet *s, size_t col)
{
    char mark[8];

    return key_mark(s, col, mark, sizeof mark) ? str_width(str_of(mark)) + 1
                                               : 0;
}

/* Cells a column takes: its name, and the widest of the rows that show. */
static int
column_width_cells(const struct sheet *s, size_t col, size_t first, size_t n,
                   struct buf *scratch)
{
    const struct column *c = frame_column(s->frame, col);
    size_t widest = str_width(str_of(frame_name(s->frame, col)));

    widest += mark_cells(s, col);
    for (size_t i = first; i < first + n && i < s->n_rows; i++) {
        size_t w;

        cell_text(c, sheet_row_id(s, i), scratch);
        w = str_width((struct str){scratch->data, scratch->len});
        if (w > widest)
            widest = w;
    }
    return widest > WIDEST      ? WIDEST
           : widest < NARROWEST ? NARROWEST
                                : (int)widest;
}

static void
draw_head(const struct sheet *s, const struct canvas *c, int x, int w,
          size_t col)
{
    const struct column *column = frame_column(s->frame, col);
    bool right = is_number(column_type(column));
    unsigned style = sheet_role(column_type(column)) | DRAW_BOLD;
    char mark[8];

    draw_fit(c, x, 0, w, style, right ? DRAW_RIGHT : DRAW_LEFT,
             str_of(frame_name(s->frame, col)));
    if (key_mark(s, col, mark, sizeof mark))
        draw_text(c, right ? x : x + w - (int)str_width(str_of(mark)), 0,
                  ROLE_ACCENT, mark);
    if (col == s->col)
        draw_attrs(c, (struct rect){x, 0, w, 1}, THEME_UNDER);
}

static void
draw_column(const struct sheet *s, const struct canvas *c, int x, int w,
            size_t col, struct buf *scratch)
{
    const struct column *column = frame_column(s->frame, col);
    enum draw_align align =
        is_number(column_type(column)) ? DRAW_RIGHT : DRAW_LEFT;

    draw_head(s, c, x, w, col);
    for (int y = 1; y < c->h; y++) {
        size_t i = s->row.top + (size_t)y - 1;
        size_t id;

        if (i >= s->n_rows)
            break;
        id = sheet_row_id(s, i);
        cell_text(column, id, scratch);
        draw_fit(c, x, y, w,
                 column_is_valid(column, id) ? sheet_role(column_type(column))
                                             : ROLE_NULL,
                 align, (struct str){scratch->data, scratch->len});
    }
}

/* Scroll sideways until the column of the cursor shows whole. */
static void
find_left(struct sheet *s, int width, size_t rows, struct buf *scratch)
{
    int x = 1;

    if (s->col < s->left)
        s->left = s->col;
    for (size_t col = s->col + 1; col-- > s->left;) {
        x += column_width_cells(s, col, s->row.top, rows, scratch) + 2;
        if (x - 2 > width && col < s->col) {
            s->left = col + 1;
            return;
        }
    }
}

static void
draw_cursor(const struct sheet *s, const struct canvas *c, int x, int w)
{
    int y = (int)(s->row.at - s->row.top) + 1;

    if (s->n_rows == 0)
        return;
    draw_cp(c, 0, y, ROLE_ACCENT, 0x25b8);
    draw_select(c, (struct rect){x, y, w, 1});
    draw_scrollbar(c, c->w - 1, 1, c->h - 1, s->row.top, (size_t)c->h - 1,
                   s->n_rows);
}

void
sheet_draw(struct sheet *s, const struct canvas *c)
{
    size_t rows = c->h > 1 ? (size_t)c->h - 1 : 0;
    struct buf scratch;
    int x = 1, cursor_x = 1, cursor_w = 0;

    if (!s->frame || frame_cols(s->frame) == 0)
        return;
    list_set(&s->row, s->n_rows);
    list_show(&s->row, rows);
    buf_init(&scratch);
    find_left(s, c->w - 1, rows, &scratch);
    s->shown_cols = 0;
    for (size_t col = s->left; col < frame_cols(s->frame); col++) {
        int w = column_width_cells(s, col, s->row.top, rows, &scratch);

        if (x + w > c->w - 1)
            w = c->w - 1 - x;
        if (w < NARROWEST && col > s->left)
            break;
        draw_column(s, c, x, w, col, &scratch);
        if (col == s->col) {
            cursor_x = x;
            cursor_w = w;
        }
        s->shown_cols++;
        x += w + 2;
    }
    buf_fini(&scratch);
    draw_cursor(s, c, cursor_x, cursor_w);
}

bool
sheet_action(struct sheet *s, const char *action, int count)
{
    size_t n = count > 0 ? (size_t)count : 1;
    size_t cols = s->frame ? frame_cols(s->frame) : 0;

    if (cols == 0)
        return false;
    if (strcmp(action, "left") == 0)
        s->col = s->col > n ? s->col - n : 0;
    else if (strcmp(action, "right") == 0)
        s->col = s->col + n < cols ? s->col + n : cols - 1;
    else if (strcmp(action, "line-start") == 0)
        s->col = 0;
    else if (strcmp(action, "line-end") == 0)
        s->col = cols - 1;
    else
        return list_action(&s->row, action, count);
    return true;
}

bool
sheet_press(struct sheet *s, int x, int y)
{
    struct buf scratch;
    size_t rows = s->row.rows;
    int at = 1;

    if (!s->frame || x < 0 || y < 0)
        return false;
    buf_init(&scratch);
    for (size_t col = s->left; col < s->left + s->shown_cols; col++) {
        int w = column_width_cells(s, col, s->row.top, rows, &scratch);

        if (x >= at && x < at + w + 2)
            s->col = col;
        at += w + 2;
    }
    buf_fini(&scratch);
    if (y > 0 && s->row.top + (size_t)y - 1 < s->n_rows)
        s->row.at = s->row.top + (size_t)y - 1;
    return true;
}
