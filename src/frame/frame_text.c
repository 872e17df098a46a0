/* frame/frame_text.c -- a frame for people and as JSON.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame/frame.h"

enum { CELL_MAX = 32, GAP = 2 };

static bool
is_right(const struct column *c)
{
    enum col_type t = column_type(c);

    return t == COL_INT64 || t == COL_FLOAT64;
}

enum { DIGITS = 6 }; /* for people; files and JSON have all of them */

static void
number_text(double x, int decimals, struct buf *out)
{
    if (decimals >= 0)
        buf_printf(out, "%.*f", decimals, x);
    else
        buf_number(out, x, DIGITS);
}

/* So that points stand below each other, unless that would cost one of the
 * numbers its digits. */
int
frame_decimals(const struct column *c, size_t n_rows)
{
    double largest = 0, smallest = INFINITY;
    int wanted = 0, most;

    for (size_t i = 0; column_type(c) == COL_FLOAT64 && i < n_rows; i++) {
        double x = fabs(column_float64s(c)[i]);
        char text[32];
        const char *point;

        if (!column_is_valid(c, i) || x == 0)
            continue;
        snprintf(text, sizeof text, "%.6g", x);
        if (!(x < 1e6) || strchr(text, 'e'))
            return -1;
        point = strchr(text, '.');
        if (point && (int)strlen(point + 1) > wanted)
            wanted = (int)strlen(point + 1);
        largest = fmax(largest, x);
        smallest = fmin(smallest, x);
    }
    most = largest >= 1 ? 5 - (int)floor(log10(largest)) : 6;
    if (wanted <= most)
        return wanted;
    return smallest * pow(10, most) >= 100 ? most : -1;
}

/* What stands in the cell of a name. */
static void
name_text(const struct frame *f, size_t col, struct buf *out)
{
    buf_clear(out);
    buf_plain(out, frame_name(f, col), strlen(frame_name(f, col)), 0);
}

/* What stands in a cell: "-" where the value is missing. */
static void
cell_text(const struct column *c, size_t row, int decimals, struct buf *raw,
          struct buf *out)
{
    buf_clear(raw);
    buf_clear(out);
    if (!column_is_valid(c, row)) {
        buf_putc(out, '-');
        return;
    }
    if (column_type(c) == COL_FLOAT64)
        number_text(column_float64s(c)[row], decimals, raw);
    else
        column_print(c, row, raw);
    buf_plain(out, raw->data, raw->len, 0);
}

void
frame_cell(const struct column *c, size_t row, int decimals, struct buf *out)
{
    struct buf raw;

    buf_init(&raw);
    cell_text(c, row, decimals, &raw, out);
    out->failed |= raw.failed;
    buf_fini(&raw);
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How a column is shown. */
struct shown {
    size_t cells;
    int decimals;
};

static struct shown
column_shown(const struct frame *f, size_t col, size_t n_rows, struct buf *raw,
             struct buf *cell)
{
    int decimals = frame_decimals(frame_column(f, col), n_rows);
    size_t widest;

    name_text(f, col, cell);
    widest = str_width((struct str){cell->data, cell->len});
    for (size_t i = 0; i < n_rows; i++) {
        size_t w;

        cell_text(frame_column(f, col), i, decimals, raw, cell);
        w = str_width((struct str){cell->data, cell->len});
        widest = w > widest ? w : widest;
    }
    return (struct shown){least(widest, CELL_MAX), decimals};
}

/* s in exactly `cells` cells, cut with ".." when it is longer. */
static void
put_cell(struct buf *out, struct str s, size_t cells, bool right)
{
    size_t w = str_width(s);

    if (w > cells && cells > 2) {
        s.n = str_fit(s, cells - 2, &w);
        buf_add(out, s.p, s.n);
        buf_puts(out, "..");
        buf_fill(out, ' ', cells - 2 - w);
        return;
    }
    if (w > cells)
        s.n = str_fit(s, cells, &w);
    if (right)
        buf_fill(out, ' ', cells - w);
    buf_add(out, s.p, s.n);
    if (!right)
        buf_fill(out, ' ', cells - w);
}

static void
end_line(struct buf *out)
{
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
    buf_putc(out, '\n');
}

static void
put_count(struct buf *out, uint64_t n, const char *one)
{
    char text[STR_F64_MAX];

    buf_add(out, text, str_from_count(n, text));
    buf_printf(out, " %s%s", one, n == 1 ? "" : "s");
}

static void
put_summary(const struct frame *f, uint64_t of, size_t n_rows, size_t n_cols,
            struct buf *out)
{
    put_count(out, of, "row");
    buf_puts(out, " x ");
    put_count(out, frame_cols(f), "column");
    if (n_rows < of)
        buf_printf(out, ", first %zu", n_rows);
    if (n_cols < frame_cols(f))
        buf_printf(out, ", %zu columns shown", n_cols);
    buf_putc(out, '\n');
}

void
frame_print(const struct frame *f, size_t max_rows, size_t width,
            struct buf *out)
{
    frame_print_first(f, frame_rows(f), max_rows, width, out);
}

void
frame_print_first(const struct frame *f, uint64_t of, size_t max_rows,
                  size_t width, struct buf *out)
{
    size_t n_rows = least(max_rows, frame_rows(f));
    size_t n_cols = 0, used = 0;
    struct buf raw, cell, cells; /* cells: struct shown by column */

    buf_init(&raw);
    buf_init(&cell);
    buf_init(&cells);
    for (; n_cols < frame_cols(f); n_cols++) {
        struct shown w = column_shown(f, n_cols, n_rows, &raw, &cell);

        if (n_cols > 0 && used + w.cells > width)
            break;
        w.cells = least(w.cells, width);
        used += w.cells + GAP;
        buf_add(&cells, &w, sizeof w);
    }
    for (size_t i = 0; !cells.failed && n_cols > 0 && i <= n_rows; i++) {
        for (size_t j = 0; j < n_cols; j++) {
            struct shown w =
                ((const struct shown *)(const void *)cells.data)[j];
            const struct column *c = frame_column(f, j);

            if (i > 0)
                cell_text(c, i - 1, w.decimals, &raw, &cell);
            else
                name_text(f, j, &cell);
            put_cell(out, (struct str){cell.data, cell.len}, w.cells,
                     is_right(c));
            buf_fill(out, ' ', GAP);
        }
        end_line(out);
    }
    put_summary(f, of, n_rows, n_cols, out);
    out->failed |= raw.failed || cell.failed || cells.failed;
    buf_fini(&raw);
    buf_fini(&cell);
    buf_fini(&cells);
}

/* "3" in a line would be read back as an int. */
static void
json_float(double x, bool line, struct buf *out)
{
    size_t from = out->len;

    buf_json_double(out, x);
    if (line && !out->failed &&
        strspn(out->data + from, "-0123456789") == out->len - from)
        buf_puts(out, ".0");
}

static void
json_value(const struct column *c, size_t row, bool line, struct buf *scratch,
           struct buf *out)
{
    struct str s;

    if (!column_is_valid(c, row)) {
        buf_puts(out, "null");
        return;
    }
    switch (column_type(c)) {
    case COL_FLOAT64:
        json_float(column_float64s(c)[row], line, out);
        break;
    case COL_TEXT:
        s = column_text(c, row);
        buf_json(out, s.p, s.n);
        break;
    case COL_DATE:
    case COL_TIMESTAMP:
        buf_clear(scratch);
        column_print(c, row, scratch);
        buf_json(out, scratch->data, scratch->len);
        out->failed |= scratch->failed;
        break;
    default:
        column_print(c, row, out);
    }
}

static void
json_rows(const struct frame *f, size_t begin, size_t end, bool lines,
          struct buf *out)
{
    struct buf scratch;

    assert(begin <= end && end <= frame_rows(f));
    buf_init(&scratch);
    for (size_t i = begin; i < end && !out->failed; i++) {
        buf_puts(out, i > begin && !lines ? ",{" : "{");
        for (size_t j = 0; j < frame_cols(f); j++) {
            struct str name = str_of(frame_name(f, j));

            if (j > 0)
                buf_putc(out, ',');
            buf_json(out, name.p, name.n);
            buf_putc(out, ':');
            json_value(frame_column(f, j), i, lines, &scratch, out);
        }
        buf_puts(out, lines ? "}\n" : "}");
    }
    buf_fini(&scratch);
}

void
frame_json(const struct frame *f, size_t begin, size_t end, struct buf *out)
{
    buf_putc(out, '[');
    json_rows(f, begin, end, false, out);
    buf_putc(out, ']');
}

void
frame_json_lines(const struct frame *f, size_t begin, size_t end,
                 struct buf *out)
{
    json_rows(f, begin, end, true, out);
}
