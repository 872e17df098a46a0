/* ui/sheet.c -- a frame as a sheet.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    WIDEST = 28, /* SHEET_FIT */
    TIGHT = 8,   /* SHEET_NARROW */
    NARROWEST = 4,
    GAP = 2,     /* cells between columns */
    SAMPLE = 40, /* rows looked at, beside those that show, for a width */
    MATCH_TEXT = 4096
};

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
    free(s->width);
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

static struct sheet_width *
widths_in(const struct sheet *s, const struct frame *f)
{
    size_t n = frame_cols(f);
    struct sheet_width *w = mem_new((n + 1) * sizeof *w);

    for (size_t i = 0; s->frame && i < n; i++) {
        long was = frame_find(s->frame, frame_name(f, i));

        if (was < 0)
            continue;
        w[i] = s->width[was];
        /* Another type prints otherwise. */
        if (column_type(frame_column(f, i)) !=
            column_type(frame_column(s->frame, (size_t)was)))
            w[i].seen = 0;
    }
    return w;
}

void
sheet_set(struct sheet *s, const struct frame *f, struct rowset *rows)
{
    struct frame *fresh = f ? frame_ref(f) : NULL;
    struct rowset *fresh_rows = rowset_ref(rows);
    struct sheet_width *width = f ? widths_in(s, f) : NULL;

    s->col = f ? column_in(s, f) : 0;
    if (s->left > s->col)
        s->left = s->col;
    frame_unref(s->frame);
    rowset_unref(s->rows);
    free(s->width);
    s->frame = fresh;
    s->rows = fresh_rows;
    s->width = width;
    s->n_rows = rows ? rowset_n(rows) : f ? frame_rows(f) : 0;
    if (f && s->frozen >= frame_cols(f))
        s->frozen = 0;
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
cell_text(const struct sheet *s, size_t col, size_t row, struct buf *out)
{
    const struct column *c = frame_column(s->frame, col);

    buf_clear(out);
    if (!column_is_valid(c, row))
        buf_puts(out, "∅");
    else if (column_type(c) == COL_FLOAT64 && s->decimals > 0 &&
             col >= s->decimals_from)
        buf_printf(out, "%.*f", s->decimals, column_number(c, row));
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

/* ---- widths ---- */

static void
see(const struct sheet *s, size_t col, size_t i, struct buf *scratch, int *w)
{
    int cells;

    cell_text(s, col, sheet_row_id(s, i), scratch);
    cells = (int)str_width((struct str){scratch->data, scratch->len});
    if (cells > *w)
        *w = cells;
}

/* The widest of the name, of the rows that show and, the first time, of some
 * from everywhere: what comes into view later is rarely wider. */
static void
look_at_column(struct sheet *s, size_t col, size_t rows, struct buf *scratch)
{
    struct sheet_width *width = &s->width[col];
    int w = (int)str_width(str_of(frame_name(s->frame, col)));

    if (width->seen == 0)
        for (size_t i = 0; i < SAMPLE && i < s->n_rows; i++)
            see(s, col, s->n_rows / SAMPLE * i + i * (s->n_rows < SAMPLE),
                scratch, &w);
    for (size_t i = s->row.top; i < s->row.top + rows && i < s->n_rows; i++)
        see(s, col, i, scratch, &w);
    if (w > width->seen)
        width->seen = w;
}

/* Cells a column takes of `room`. */
static int
column_cells(const struct sheet *s, size_t col, int room)
{
    const struct sheet_width *width = &s->width[col];
    int most = s->mode == SHEET_NARROW ? TIGHT
               : s->mode == SHEET_FULL ? room
                                       : WIDEST;
    int w = width->set > 0 ? width->set : width->seen;
    int head = (int)(str_width(str_of(frame_name(s->frame, col))) +
                     mark_cells(s, col));

    if (width->set == 0 && w < head) /* a mark comes and goes */
        w = head;
    if (width->set == 0 && w > most)
        w = most;
    if (w > room)
        w = room;
    return w < NARROWEST ? NARROWEST : w;
}

void
sheet_widen(struct sheet *s, int by)
{
    struct sheet_width *width;
    int now = 0;

    if (!s->frame || s->col >= frame_cols(s->frame))
        return;
    width = &s->width[s->col];
    for (size_t i = 0; i < s->n_places; i++)
        if (s->place[i].col == s->col)
            now = s->place[i].w;
    if (width->set > 0)
        now = width->set;
    width->set = now + by < NARROWEST ? NARROWEST : now + by;
}

void
sheet_fit(struct sheet *s)
{
    struct buf scratch;

    if (!s->frame || s->col >= frame_cols(s->frame))
        return;
    buf_init(&scratch);
    s->width[s->col].seen = 1;
    s->width[s->col].set = 0;
    look_at_column(s, s->col, s->row.rows, &scratch);
    s->width[s->col].set = s->width[s->col].seen;
    buf_fini(&scratch);
}

void
sheet_unset_width(struct sheet *s)
{
    if (s->frame && s->col < frame_cols(s->frame))
        s->width[s->col].seen = s->width[s->col].set = 0;
}

/* ---- drawing ---- */

static void
draw_head(const struct sheet *s, const struct canvas *c, int x, int w,
          size_t col)
{
    const struct column *column = frame_column(s->frame, col);
    bool right = is_number(column_type(column));
    unsigned style = sheet_role(column_type(column)) | DRAW_BOLD;
    struct str name = str_of(frame_name(s->frame, col));
    int mark_w = (int)mark_cells(s, col);
    char mark[8];

    if (!key_mark(s, col, mark, sizeof mark) || w <= mark_w) {
        draw_fit(c, x, 0, w, style, right ? DRAW_RIGHT : DRAW_LEFT, name);
    } else if (right) {
        draw_text(c, x, 0, ROLE_ACCENT, mark);
        draw_fit(c, x + mark_w, 0, w - mark_w, style, DRAW_RIGHT, name);
    } else {
        draw_fit(c, x, 0, w - mark_w, style, DRAW_LEFT, name);
        draw_text(c, x + w - mark_w + 1, 0, ROLE_ACCENT, mark);
    }
    if (col == s->col)
        draw_attrs(c, (struct rect){x, 0, w, 1}, THEME_UNDER);
}

/* The part of a cell that matches; all of it when that is in what is not
 * shown. */
static void
draw_match(const struct sheet *s, const struct canvas *c, struct rect cell,
           enum draw_align align, struct str text)
{
    int width = (int)str_width(text), from = 0, n = width;
    struct str hit = {0};
    struct error err;
    bool found;

    if (text.n < MATCH_TEXT &&
        regex_find(s->find, text, &found, 0, &hit, &err) && found && hit.n) {
        from = (int)str_width((struct str){text.p, (size_t)(hit.p - text.p)});
        n = (int)str_width(hit);
    }
    if (align == DRAW_RIGHT && width < cell.w)
        from += cell.w - width;
    if (from >= cell.w)
        from = cell.w - 1;
    if (from + n > cell.w)
        n = cell.w - from;
    draw_restyle(c, (struct rect){cell.x + from, cell.y, n > 0 ? n : 1, 1},
                 ROLE_MATCH);
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
        struct str text;
        size_t id;

        if (i >= s->n_rows)
            break;
        id = sheet_row_id(s, i);
        cell_text(s, col, id, scratch);
        text = (struct str){scratch->data, scratch->len};
        draw_fit(c, x, y, w,
                 column_is_valid(column, id) ? sheet_role(column_type(column))
                                             : ROLE_NULL,
                 align, text);
        if (s->find && s->found(s->find_ctx, i, col))
            draw_match(s, c, (struct rect){x, y, w, 1}, align, text);
        if (s->paint)
            s->paint(s, c, (struct rect){x, y, w, 1}, col, id);
    }
}

/* Cells the frozen columns take; they leave a third for the others. */
static int
frozen_cells(struct sheet *s, int width, size_t rows, struct buf *scratch)
{
    int x = 1;

    for (s->held = 0; s->held < s->frozen; s->held++) {
        int w;

        look_at_column(s, s->held, rows, scratch);
        w = column_cells(s, s->held, width) + GAP;
        if (x + w > width * 2 / 3)
            break;
        x += w;
    }
    return s->held > 0 ? x + 1 : x; /* the line */
}

/* Scroll sideways until the column of the cursor shows whole. */
static void
find_left(struct sheet *s, int from, int width, size_t rows,
          struct buf *scratch)
{
    int x = from;

    if (s->left < s->held)
        s->left = s->held;
    if (s->col < s->left && s->col >= s->held)
        s->left = s->col;
    for (size_t col = s->col + 1; col-- > s->left;) {
        look_at_column(s, col, rows, scratch);
        x += column_cells(s, col, width - from) + GAP;
        if (x - GAP > width && col < s->col) {
            s->left = col + 1;
            return;
        }
    }
}

static int
draw_one(struct sheet *s, const struct canvas *c, int x, size_t col,
         size_t rows, struct buf *scratch)
{
    int w, room = c->w - 1 - x;

    look_at_column(s, col, rows, scratch);
    w = column_cells(s, col, c->w - 2);
    if (w > room)
        w = room;
    if (w < NARROWEST && s->n_places > 0)
        return 0;
    draw_column(s, c, x, w, col, scratch);
    if (s->n_places < SHEET_MAX_PLACES)
        s->place[s->n_places++] = (struct sheet_place){col, x, w};
    return w;
}

static void
draw_cursor(const struct sheet *s, const struct canvas *c)
{
    int y = (int)(s->row.at - s->row.top) + 1;

    if (s->n_rows == 0)
        return;
    draw_cp(c, 0, y, ROLE_ACCENT, 0x25b8);
    for (size_t i = 0; i < s->n_places; i++)
        if (s->place[i].col == s->col)
            draw_select(c, (struct rect){s->place[i].x, y, s->place[i].w, 1});
    draw_scrollbar(c, c->w - 1, 1, c->h - 1, s->row.top, (size_t)c->h - 1,
                   s->n_rows);
}

void
sheet_draw(struct sheet *s, const struct canvas *c)
{
    size_t rows = c->h > 1 ? (size_t)c->h - 1 : 0, col;
    struct buf scratch;
    int x = 1, w;

    s->n_places = 0;
    if (!s->frame || frame_cols(s->frame) == 0)
        return;
    list_set(&s->row, s->n_rows);
    list_show(&s->row, rows);
    buf_init(&scratch);
    find_left(s, frozen_cells(s, c->w - 1, rows, &scratch), c->w - 1, rows,
              &scratch);
    for (col = 0; col < s->held; col++)
        x += draw_one(s, c, x, col, rows, &scratch) + GAP;
    if (s->held > 0)
        draw_vline(c, x++ - 1, 0, c->h, ROLE_BORDER);
    for (col = s->left; col < frame_cols(s->frame); col++) {
        if ((w = draw_one(s, c, x, col, rows, &scratch)) == 0)
            break;
        x += w + GAP;
    }
    buf_fini(&scratch);
    s->end_x = x;
    if (s->left > s->held)
        draw_cp(c, 0, 0, ROLE_DIM, 0x2039); /* there is more to the left */
    if (col < frame_cols(s->frame))
        draw_cp(c, c->w - 1, 0, ROLE_DIM, 0x203a);
    draw_cursor(s, c);
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
sheet_press(struct sheet *s, int x, int y, bool *head)
{
    *head = y == 0;
    if (!s->frame || x < 0 || y < 0)
        return false;
    for (size_t i = 0; i < s->n_places; i++)
        if (x >= s->place[i].x && x < s->place[i].x + s->place[i].w + GAP)
            s->col = s->place[i].col;
    if (y > 0 && s->row.top + (size_t)y - 1 < s->n_rows)
        s->row.at = s->row.top + (size_t)y - 1;
    return true;
}
