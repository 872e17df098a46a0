/* ui/view_notebook_lines.c -- the notebook as lines, and which of them show.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_notebook.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/curve.h"

enum { FOLD_AT = 24, FITS_SHOWN = 3, CHART_ROWS = 9 };

/* ---- lines ---- */

static struct book_line *
add_line(struct view_notebook *b, enum book_line_kind kind, size_t cell)
{
    b->line = mem_grow(b->line, b->n_lines, &b->cap_lines, sizeof *b->line);
    b->line[b->n_lines] = (struct book_line){.kind = kind, .cell = cell};
    return &b->line[b->n_lines++];
}

struct str
book_next_line(struct str *rest)
{
    const char *nl = memchr(rest->p, '\n', rest->n);
    struct str line = {rest->p, nl ? (size_t)(nl - rest->p) : rest->n};

    rest->p += line.n + (nl ? 1 : 0);
    rest->n -= line.n + (nl ? 1 : 0);
    return line;
}

static void
add_code(struct view_notebook *b, size_t cell, struct str text)
{
    struct str rest = text;
    int row = 0;

    do {
        struct str s = book_next_line(&rest);
        struct book_line *l = add_line(b, LINE_CODE, cell);

        l->p = s.p;
        l->n = s.n;
        l->from = (size_t)(s.p - text.p);
        l->row = row++;
        if (rest.n == 0 && s.p + s.n < text.p + text.n && b->editor) {
            l = add_line(b, LINE_CODE, cell); /* the text ends in a newline */
            l->p = text.p + text.n;
            l->from = text.n;
            l->row = row;
        }
    } while (rest.n > 0);
}

struct wrap {
    int width, indent; /* indent: of all lines but the first */
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\n';
}

/* Bytes of the first words that fit; a word that does not is cut. */
static size_t
words_that_fit(struct str s, size_t width)
{
    size_t at = 0, end = 0, used = 0;

    while (at < s.n) {
        size_t from = at, word;

        while (at < s.n && is_blank(s.p[at]))
            at++;
        word = at;
        while (at < s.n && !is_blank(s.p[at]))
            at++;
        used += word - from + str_width((struct str){s.p + word, at - word});
        if (used > width)
            break;
        end = at;
    }
    if (end == 0)
        end = str_fit(s, width, NULL);
    return end > 0 ? end : s.n;
}

/* A text as lines wrapped at blanks. */
static void
add_wrapped(struct view_notebook *b, enum book_line_kind kind, size_t cell,
            struct str s, struct wrap w)
{
    int indent = 0;

    do {
        struct book_line *l = add_line(b, kind, cell);

        l->p = s.p;
        l->n = words_that_fit(s, (size_t)(w.width - indent));
        l->row = indent;
        s.p += l->n;
        s.n -= l->n;
        while (s.n > 0 && is_blank(s.p[0])) {
            s.p++;
            s.n--;
        }
        indent = w.indent;
    } while (s.n > 0);
}

/* Cells of "- ", "12. " at the start of a list item; 0: it is none. */
static int
list_marker(struct str s)
{
    size_t n = 0;

    if (s.n > 1 && strchr("-*+", s.p[0]))
        return s.p[1] == ' ' ? 2 : 0;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    return n > 0 && n < 4 && n + 1 < s.n && s.p[n] == '.' && s.p[n + 1] == ' '
               ? (int)n + 2
               : 0;
}

/* A line that does not go on the one before it. */
static bool
begins_block(struct str s)
{
    return str_trim(s).n == 0 || strchr("#>|`\t", s.p[0]) ||
           str_starts(s, "    ") || list_marker(s) > 0;
}

static struct str
first_line(struct str s)
{
    return book_next_line(&s);
}

/* The lines of a paragraph are one text, wrapped anew; tables and code keep
 * theirs. */
static void
add_prose(struct view_notebook *b, size_t cell, struct str text, int width)
{
    bool code = false;

    while (text.n > 0) {
        struct str s = book_next_line(&text);
        struct wrap w = {width, list_marker(s)};
        bool fence = str_starts(s, "```");

        code = code != fence;
        if (code || fence || s.n == 0 || s.p[0] == '|') {
            struct book_line *l = add_line(b, LINE_PROSE, cell);

            l->p = s.p;
            l->n = s.n;
            continue;
        }
        while (s.p[0] != '#' && text.n > 0 && !begins_block(first_line(text))) {
            struct str next = book_next_line(&text);

            s.n = (size_t)(next.p + next.n - s.p);
        }
        add_wrapped(b, LINE_PROSE, cell, s, w);
    }
}

static size_t
count_points(const struct series_list *l)
{
    size_t n = 0;

    for (size_t i = 0; l && i < l->n; i++)
        n += l->series[i].n;
    return n;
}

static void
draw_curve(struct book_chart *c, const struct series_list *l)
{
    struct curve curve;
    struct plot_spec spec;
    struct error err;

    curve_init(&curve, l);
    spec = curve_spec(&curve, c->width, CHART_ROWS);
    plot_image_fini(&c->image);
    if (curve.n > 0 && !plot_draw(&spec, &c->image, &err))
        plot_image_fini(&c->image);
    curve_fini(&curve);
}

static struct book_chart *
chart_of(struct view_notebook *b, size_t cell, size_t output)
{
    struct book_chart *p;

    for (size_t i = 0; i < b->n_charts; i++)
        if (b->chart[i].cell == cell && b->chart[i].output == output)
            return &b->chart[i];
    p = mem_new((b->n_charts + 1) * sizeof *p);
    if (b->n_charts > 0)
        memcpy(p, b->chart, b->n_charts * sizeof *p);
    free(b->chart);
    b->chart = p;
    p[b->n_charts] = (struct book_chart){.cell = cell, .output = output};
    return &p[b->n_charts++];
}

void
book_drop_charts(struct view_notebook *b)
{
    for (size_t i = 0; i < b->n_charts; i++)
        plot_image_fini(&b->chart[i].image);
    free(b->chart);
    b->chart = NULL;
    b->n_charts = 0;
}

static void
add_chart(struct view_notebook *b, size_t cell, size_t output, const char *run,
          int width)
{
    const struct series_list *l = runs_data_series(b->runs, run);
    size_t points = count_points(l);
    struct book_chart *c;

    if (points < 2)
        return;
    c = chart_of(b, cell, output);
    if (width > 76)
        width = 76;
    if (c->points != points || c->width != width) {
        c->points = points;
        c->width = width;
        draw_curve(c, l);
    }
    for (int row = 0; row < c->image.height; row++) {
        struct book_line *line = add_line(b, LINE_CHART, cell);

        line->chart = (size_t)(c - b->chart);
        line->row = row;
    }
}

static void
add_output(struct view_notebook *b, size_t cell, size_t i,
           const struct output *o, int width)
{
    struct str rest = str_of(o->text);
    size_t n = 0;

    if (o->kind == OUT_RUN && o->run)
        add_chart(b, cell, i, o->run, width);
    while (rest.n > 0) {
        struct str s = book_next_line(&rest);
        struct book_line *l;

        if (n++ >= FOLD_AT)
            continue;
        if (o->kind == OUT_ERROR) {
            add_wrapped(b, LINE_ERROR, cell, s, (struct wrap){width, 2});
            continue;
        }
        l = add_line(b, LINE_OUT, cell);
        l->p = s.p;
        l->n = s.n;
    }
    if (n > FOLD_AT)
        add_line(b, LINE_FOLD, cell)->hidden = n - FOLD_AT;
}

/* A search fits hundreds of models in one cell: their curves are in Runs, and
 * the last few here. */
static size_t
fits_folded(const struct cell *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_outputs; i++)
        n += c->output[i].kind == OUT_RUN;
    return n > FITS_SHOWN ? n - FITS_SHOWN : 0;
}

static void
add_outputs(struct view_notebook *b, size_t cell, const struct cell *c,
            int width)
{
    size_t folded = fits_folded(c), fits = 0;

    for (size_t i = 0; i < c->n_outputs; i++) {
        bool fit = c->output[i].kind == OUT_RUN;

        if (fit && fits++ < folded) {
            if (fits == 1)
                add_line(b, LINE_FITS, cell)->hidden = folded;
            continue;
        }
        add_output(b, cell, i, &c->output[i], width);
    }
}

static void
add_cell(struct view_notebook *b, size_t i, int width)
{
    const struct cell *c = notebook_cell(book_of(b), i);
    bool edited = b->editor && i == b->cells.at;
    struct str text =
        edited ? editor_text(b->editor) : (struct str){c->source, c->len};
    const char *name;
    size_t setter;

    if (c->kind == CELL_CODE || edited)
        add_line(b, LINE_HEAD, i);
    if (c->kind == CELL_TEXT && !edited)
        add_prose(b, i, text, width);
    else
        add_code(b, i, text);
    add_outputs(b, i, c, width);
    if (notebook_wants(book_of(b), i, &name, &setter))
        add_line(b, LINE_HINT, i);
    add_line(b, LINE_GAP, i);
}

size_t
book_first_line(const struct view_notebook *b, size_t cell)
{
    size_t i = 0;

    while (i < b->n_lines && b->line[i].cell != cell)
        i++;
    return i;
}

static size_t
lines_of(const struct view_notebook *b, size_t cell)
{
    size_t first = book_first_line(b, cell), i = first;

    while (i < b->n_lines && b->line[i].cell == cell)
        i++;
    return i - first;
}

void
book_make_lines(struct view_notebook *b, int width)
{
    struct notebook *n = book_of(b);
    uint64_t version = n ? notebook_version(n) : 0;
    size_t first, from_top, lines;
    bool seen, whole;

    if (!b->stale && version == b->made_of && width == b->made_width)
        return;
    if (version != b->made_of && b->made_width != width)
        book_drop_charts(b);
    first = book_first_line(b, b->cells.at);
    seen = first >= b->top && first < b->top + b->cells.rows;
    from_top = first - b->top;
    lines = lines_of(b, b->cells.at);
    whole = lines > 0 && first + lines <= b->top + b->cells.rows + 1;
    b->stale = false;
    b->made_of = version;
    b->made_width = width;
    b->n_lines = 0;
    list_set(&b->cells, n ? notebook_cells(n) : 0);
    for (size_t i = 0; n && i < notebook_cells(n); i++)
        add_cell(b, i, width - 5 > 10 ? width - 5 : 10);
    /* Outputs that grow above the cell at hand do not push it away, and its
     * own come into view: the last of them, while its end was in view. */
    first = book_first_line(b, b->cells.at);
    if (seen)
        b->top = first > from_top ? first - from_top : 0;
    if (lines_of(b, b->cells.at) > lines) {
        b->follow = b->follow || whole;
        b->reveal = b->reveal || seen;
    }
}

/* ---- scrolling ---- */

/* The line with the cursor of the editor. */
size_t
book_editor_line(const struct view_notebook *b)
{
    int row, column;

    editor_cursor(b->editor, &row, &column);
    for (size_t i = book_first_line(b, b->cells.at); i < b->n_lines; i++)
        if (b->line[i].kind == LINE_CODE && b->line[i].row == row)
            return i;
    return book_first_line(b, b->cells.at);
}

void
book_scroll(struct view_notebook *b, size_t rows)
{
    size_t first, last;

    if (rows == 0 || b->n_lines == 0)
        return;
    if (b->editor) {
        first = last = book_editor_line(b);
    } else if (b->reveal || b->follow) {
        first = last = book_first_line(b, b->cells.at);
        while (last + 1 < b->n_lines && b->line[last + 1].cell == b->cells.at)
            last++;
        if (last - first >= rows && b->follow)
            first = --last - rows + 1; /* without the gap */
        else if (last - first >= rows)
            last = first + rows - 1;
    } else {
        first = last = b->top;
    }
    b->reveal = b->follow = false;
    if (first < b->top)
        b->top = first;
    if (last >= b->top + rows)
        b->top = last - rows + 1;
    if (b->top + rows > b->n_lines)
        b->top = b->n_lines > rows ? b->n_lines - rows : 0;
}
