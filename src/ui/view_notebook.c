/* ui/view_notebook.c -- a notebook: cells edited in place, run, interrupted,
 * their outputs below them.
 *
 * The notebook is laid out as lines (struct line), made anew when the notebook,
 * the width or a curve changes; drawing then only looks at the lines that
 * show.  A line's text is borrowed from the notebook and the editor, which is
 * why the lines die with the version they were made of.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "script/notebook.h"
#include "session/plot.h"
#include "session/task.h"
#include "ui/editor.h"
#include "ui/runs_data.h"
#include "ui/ui.h"
#include "ui/view.h"

enum { REGION_OUTLINE, REGION_VARIABLES, REGION_CELLS };
enum {
    MAX_BOOKS = 16,
    FOLD_AT = 24,
    CHART_ROWS = 9,
    TICK_MS = 1000,
    SAVE_AFTER_MS = 1500
};

enum line_kind {
    LINE_GAP,
    LINE_HEAD,
    LINE_CODE,
    LINE_PROSE,
    LINE_OUT,
    LINE_FOLD,
    LINE_CHART,
    LINE_ERROR
};

struct line {
    enum line_kind kind;
    size_t cell;
    const char *p; /* LINE_CODE, LINE_PROSE, LINE_OUT, LINE_ERROR */
    size_t n;
    size_t from;   /* LINE_CODE: byte of the cell's text */
    size_t chart;  /* LINE_CHART */
    int row;       /* LINE_CHART: row of it; LINE_CODE: line of the cell */
    size_t hidden; /* LINE_FOLD: lines not shown */
};

/* The curve of a run in an output. */
struct chart {
    size_t cell, output;
    size_t points; /* of the series it was drawn from */
    int width;
    struct plot_image image;
};

struct view_notebook {
    struct view view;
    struct notebook *book[MAX_BOOKS];
    size_t n_books, at_book;
    struct list cells; /* its cursor is the cell at hand */
    struct list variables;
    struct line *line;
    size_t n_lines, cap_lines, top;
    uint64_t made_of; /* version of the notebook the lines were made of */
    int made_width;
    bool stale; /* the lines are to be made again */
    struct chart *chart;
    size_t n_charts;
    struct runs_data *runs;
    struct editor *editor; /* while a cell is edited */
    uint8_t *colours;      /* of the cell that is drawn */
    size_t cap_colours;
    char *clip; /* the last deleted or copied cell */
    size_t clip_len;
    enum cell_kind clip_kind;
    struct variable *variable;
    size_t n_variables;
    struct loop_watch *ticker, *saver;
    bool shown, reveal; /* reveal: scroll to the cell at hand */
};

static struct view_notebook *
mine(struct view *v)
{
    return (struct view_notebook *)v;
}

static struct notebook *
book_of(const struct view_notebook *b)
{
    return b->n_books ? b->book[b->at_book] : NULL;
}

static const struct cell *
cell_at_hand(const struct view_notebook *b)
{
    struct notebook *n = book_of(b);

    return n && b->cells.at < notebook_cells(n) ? notebook_cell(n, b->cells.at)
                                                : NULL;
}

static void
touch(struct view_notebook *b)
{
    b->stale = true;
    ui_touch(b->view.ui);
}

/* ---- lines ---- */

static struct line *
add_line(struct view_notebook *b, enum line_kind kind, size_t cell)
{
    if (b->n_lines == b->cap_lines) {
        size_t cap = b->cap_lines ? b->cap_lines * 2 : 256;
        struct line *p = mem_new(cap * sizeof *p);

        if (b->n_lines > 0)
            memcpy(p, b->line, b->n_lines * sizeof *p);
        free(b->line);
        b->line = p;
        b->cap_lines = cap;
    }
    b->line[b->n_lines] = (struct line){.kind = kind, .cell = cell};
    return &b->line[b->n_lines++];
}

static struct str
next_text_line(struct str *rest)
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
        struct str s = next_text_line(&rest);
        struct line *l = add_line(b, LINE_CODE, cell);

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

/* Prose is wrapped at blanks; lists and code keep their lines. */
static void
add_prose(struct view_notebook *b, size_t cell, struct str text, int width)
{
    while (text.n > 0) {
        struct str s = next_text_line(&text);

        do {
            size_t fit = str_fit(s, (size_t)width, NULL), cut = fit;
            struct line *l = add_line(b, LINE_PROSE, cell);

            if (fit < s.n) {
                while (cut > 0 && s.p[cut] != ' ')
                    cut--;
                if (cut == 0)
                    cut = fit ? fit : s.n;
            }
            l->p = s.p;
            l->n = cut;
            s.p += cut;
            s.n -= cut;
            while (s.n > 0 && s.p[0] == ' ') {
                s.p++;
                s.n--;
            }
        } while (s.n > 0);
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

/* Series of a curve: valid and train of the first metric there is. */
static void
draw_curve(struct view_notebook *b, struct chart *c,
           const struct series_list *l)
{
    struct plot_series s[2];
    double *x[2], *y[2];
    char label[2][40];
    const char *base = NULL;
    size_t n = 0;
    struct error err;

    for (size_t i = 0; l && i < l->n && n < 2; i++) {
        const struct series *from = &l->series[i];
        const char *dot = strchr(from->name, '.');
        const char *name = dot ? dot + 1 : from->name;

        if (from->n == 0 || (base && strcmp(name, base) != 0))
            continue;
        base = name;
        x[n] = mem_new(from->n * sizeof(double));
        y[n] = mem_new(from->n * sizeof(double));
        for (size_t k = 0; k < from->n; k++) {
            x[n][k] = (double)from->step[k];
            y[n][k] = from->value[k];
        }
        snprintf(label[n], sizeof label[n], "%.*s %.4g",
                 dot ? (int)(dot - from->name) : 12, from->name,
                 from->value[from->n - 1]);
        s[n] = (struct plot_series){x[n],       y[n],     from->n,
                                    (int)n + 1, label[n], false};
        n++;
    }
    plot_image_fini(&c->image);
    if (n > 0 && !plot_draw(&(struct plot_spec){.series = s,
                                                .n_series = n,
                                                .width = c->width,
                                                .height = CHART_ROWS,
                                                .x_min = NAN,
                                                .x_max = NAN,
                                                .y_min = NAN,
                                                .y_max = NAN},
                            &c->image, &err))
        plot_image_fini(&c->image);
    for (size_t i = 0; i < n; i++) {
        free(x[i]);
        free(y[i]);
    }
    (void)b;
}

static struct chart *
chart_of(struct view_notebook *b, size_t cell, size_t output)
{
    struct chart *p;

    for (size_t i = 0; i < b->n_charts; i++)
        if (b->chart[i].cell == cell && b->chart[i].output == output)
            return &b->chart[i];
    p = mem_new((b->n_charts + 1) * sizeof *p);
    if (b->n_charts > 0)
        memcpy(p, b->chart, b->n_charts * sizeof *p);
    free(b->chart);
    b->chart = p;
    p[b->n_charts] = (struct chart){.cell = cell, .output = output};
    return &p[b->n_charts++];
}

static void
drop_charts(struct view_notebook *b)
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
    struct chart *c;

    if (points < 2)
        return;
    c = chart_of(b, cell, output);
    if (width > 76)
        width = 76;
    if (c->points != points || c->width != width) {
        c->points = points;
        c->width = width;
        draw_curve(b, c, l);
    }
    for (int row = 0; row < c->image.height; row++) {
        struct line *line = add_line(b, LINE_CHART, cell);

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
        struct str s = next_text_line(&rest);
        struct line *l;

        if (n++ >= FOLD_AT)
            continue;
        l = add_line(b, o->kind == OUT_ERROR ? LINE_ERROR : LINE_OUT, cell);
        l->p = s.p;
        l->n = s.n;
    }
    if (n > FOLD_AT)
        add_line(b, LINE_FOLD, cell)->hidden = n - FOLD_AT;
}

static void
add_cell(struct view_notebook *b, size_t i, int width)
{
    const struct cell *c = notebook_cell(book_of(b), i);
    bool edited = b->editor && i == b->cells.at;
    struct str text =
        edited ? editor_text(b->editor) : (struct str){c->source, c->len};

    add_line(b, LINE_HEAD, i);
    if (c->kind == CELL_TEXT && !edited)
        add_prose(b, i, text, width);
    else
        add_code(b, i, text);
    for (size_t k = 0; k < c->n_outputs; k++)
        add_output(b, i, k, &c->output[k], width);
    add_line(b, LINE_GAP, i);
}

static void
make_lines(struct view_notebook *b, int width)
{
    struct notebook *n = book_of(b);
    uint64_t version = n ? notebook_version(n) : 0;

    if (!b->stale && version == b->made_of && width == b->made_width)
        return;
    if (version != b->made_of && b->made_width != width)
        drop_charts(b);
    b->stale = false;
    b->made_of = version;
    b->made_width = width;
    b->n_lines = 0;
    list_set(&b->cells, n ? notebook_cells(n) : 0);
    for (size_t i = 0; n && i < notebook_cells(n); i++)
        add_cell(b, i, width - 5 > 10 ? width - 5 : 10);
}

/* ---- scrolling ---- */

static size_t
first_line_of(const struct view_notebook *b, size_t cell)
{
    size_t i = 0;

    while (i < b->n_lines && b->line[i].cell != cell)
        i++;
    return i;
}

/* The line with the cursor of the editor. */
static size_t
editor_line(const struct view_notebook *b)
{
    int row, column;

    editor_cursor(b->editor, &row, &column);
    for (size_t i = first_line_of(b, b->cells.at); i < b->n_lines; i++)
        if (b->line[i].kind == LINE_CODE && b->line[i].row == row)
            return i;
    return first_line_of(b, b->cells.at);
}

static void
scroll(struct view_notebook *b, size_t rows)
{
    size_t first, last;

    if (rows == 0 || b->n_lines == 0)
        return;
    if (b->editor) {
        first = last = editor_line(b);
    } else if (b->reveal) {
        first = last = first_line_of(b, b->cells.at);
        while (last + 1 < b->n_lines && b->line[last + 1].cell == b->cells.at)
            last++;
        if (last - first >= rows)
            last = first + rows - 1;
    } else {
        first = last = b->top;
    }
    b->reveal = false;
    if (first < b->top)
        b->top = first;
    if (last >= b->top + rows)
        b->top = last - rows + 1;
    if (b->top + rows > b->n_lines)
        b->top = b->n_lines > rows ? b->n_lines - rows : 0;
}

/* ---- drawing ---- */

static void
elapsed(int64_t ms, char *out, size_t size)
{
    if (ms < 100000)
        snprintf(out, size, "%.2f s", (double)ms / 1000);
    else
        snprintf(out, size, "%02d:%02d", (int)(ms / 60000),
                 (int)(ms / 1000 % 60));
}

/* "fitting 120/300, 00:22 left" of the task a running cell waits for. */
static void
task_words(struct view_notebook *b, char *out, size_t size)
{
    struct task_view t;

    out[0] = '\0';
    if (task_list(ui_session(b->view.ui), &t, 1) == 0 ||
        t.state != TASK_RUNNING)
        return;
    if (t.total == 0)
        snprintf(out, size, " · %s", t.stage ? t.stage : t.title);
    else if (isfinite(t.eta_s))
        snprintf(out, size, " · %s %llu/%llu, %.0f s left", t.stage,
                 (unsigned long long)t.done, (unsigned long long)t.total,
                 t.eta_s);
    else
        snprintf(out, size, " · %s %llu/%llu", t.stage,
                 (unsigned long long)t.done, (unsigned long long)t.total);
}

static int
draw_state(struct view_notebook *b, const struct canvas *c, int x, int y,
           const struct cell *cell)
{
    char text[64], task[192];

    switch (cell->state) {
    case CELL_RUNNING:
        elapsed(loop_wall_ms() - cell->start_ms, text, sizeof text);
        task_words(b, task, sizeof task);
        return draw_printf(c, x, y, ROLE_INFO, "● running %s%s", text, task);
    case CELL_QUEUED:
        return draw_text(c, x, y, ROLE_DIM, "… queued");
    case CELL_PASSED:
        elapsed(cell->end_ms - cell->start_ms, text, sizeof text);
        return draw_printf(c, x, y, ROLE_OK, "✓ %s%s", text,
                           cell->stale ? " · edited since" : "");
    case CELL_FAILED:
        elapsed(cell->end_ms - cell->start_ms, text, sizeof text);
        return draw_printf(c, x, y, ROLE_ERROR, "✗ failed after %s", text);
    case CELL_STOPPED:
        return draw_text(c, x, y, ROLE_WARN, "○ interrupted");
    default:
        return x;
    }
}

static void
draw_head(struct view_notebook *b, const struct canvas *c, int y,
          const struct line *l)
{
    const struct cell *cell = notebook_cell(book_of(b), l->cell);
    bool here = l->cell == b->cells.at;
    unsigned style = here ? ROLE_ACCENT : ROLE_DIM;
    int x;

    if (cell->kind == CELL_TEXT) {
        if (here && b->editor)
            draw_text(c, 2, y, style, "text");
        return;
    }
    if (cell->order > 0)
        x = draw_printf(c, 2, y, style, "[%u]", cell->order);
    else
        x = draw_text(c, 2, y, style, "[ ]");
    if (cell->parameters)
        x = draw_text(c, x + 1, y, ROLE_DIM, "parameters");
    if (cell->title[0])
        x = draw_printf(c, x + 1, y, ROLE_TITLE, "%s", cell->title);
    x = draw_state(b, c, x + 1, y, cell);
    if (cell->state == CELL_RUNNING && x + 22 < c->w)
        draw_markup(c, x + 3, y, ROLE_DIM, "<Ctrl-C> interrupts");
}

static void
draw_code(struct view_notebook *b, const struct canvas *c, int y,
          const struct line *l)
{
    const struct cell *cell = notebook_cell(book_of(b), l->cell);
    bool edited = b->editor && l->cell == b->cells.at;
    struct str text =
        edited ? editor_text(b->editor) : (struct str){cell->source, cell->len};
    int x = 4;

    if (text.n > b->cap_colours) {
        free(b->colours);
        b->cap_colours = text.n + 1024;
        b->colours = mem_new(b->cap_colours);
    }
    if (cell->kind == CELL_CODE)
        lua_colours(text, b->colours);
    else
        memset(b->colours, ROLE_TEXT, text.n);
    for (size_t i = 0; i < l->n;) {
        size_t k = i;
        uint8_t role = b->colours[l->from + i];

        while (k < l->n && b->colours[l->from + k] == role)
            k++;
        x = draw_str(c, x, y, role, (struct str){l->p + i, k - i});
        i = k;
    }
    if (cell->state == CELL_FAILED && cell->error_line == l->row + 1 && !edited)
        draw_text(c, 2, y, ROLE_ERROR, "✗");
}

static void
draw_prose(const struct canvas *c, int y, const struct line *l)
{
    struct str s = {l->p, l->n};
    unsigned style = ROLE_TEXT;

    if (s.n > 0 && s.p[0] == '#') {
        while (s.n > 0 && (s.p[0] == '#' || s.p[0] == ' ')) {
            s.p++;
            s.n--;
        }
        style = ROLE_TITLE | DRAW_BOLD;
    }
    draw_str(c, 2, y, style, s);
}

static void
draw_chart_row(struct view_notebook *b, const struct canvas *c, int y,
               const struct line *l)
{
    const struct plot_image *im = &b->chart[l->chart].image;

    for (int x = 0; l->row < im->height && x < im->width; x++) {
        const struct plot_cell *cell = plot_image_at(im, x, l->row);

        if (cell->cp)
            draw_cp(c, 4 + x, y,
                    cell->ink > 0 ? ROLE_SERIES_0 +
                                        (unsigned)(cell->ink - 1) % THEME_SERIES
                    : cell->ink == INK_GRID ? ROLE_GRID
                                            : ROLE_CHART,
                    cell->cp);
    }
}

static void
draw_line_of(struct view_notebook *b, const struct canvas *c, int y,
             const struct line *l)
{
    if (l->cell == b->cells.at && l->kind != LINE_GAP)
        draw_text(c, 0, y, c->focus ? ROLE_CELL : ROLE_BORDER, "▌");
    switch (l->kind) {
    case LINE_HEAD:
        draw_head(b, c, y, l);
        break;
    case LINE_CODE:
        draw_code(b, c, y, l);
        break;
    case LINE_PROSE:
        draw_prose(c, y, l);
        break;
    case LINE_OUT:
        draw_str(c, 4, y, ROLE_TEXT, (struct str){l->p, l->n});
        break;
    case LINE_ERROR:
        draw_str(c, 4, y, ROLE_ERROR, (struct str){l->p, l->n});
        break;
    case LINE_FOLD:
        draw_printf(c, 4, y, ROLE_DIM, "⋮ %zu more lines: v shows all",
                    l->hidden);
        break;
    case LINE_CHART:
        draw_chart_row(b, c, y, l);
        break;
    default:
        break;
    }
}

static void
draw_empty(struct view_notebook *b, const struct canvas *c)
{
    if (!ui_kernel(b->view.ui)) {
        draw_text(c, 1, 1, ROLE_ERROR, "Lua could not be started: see :log");
        return;
    }
    draw_text(c, 1, 1, ROLE_TEXT, "No notebook is open.");
    draw_markup(c, 1, 3, ROLE_DIM, "<:> open notebook, or begin a new one:");
    draw_markup(c, 1, 4, ROLE_DIM, "<o> makes notebook.lua in this folder");
}

static void
cells_draw(struct view *v, const struct canvas *c)
{
    struct view_notebook *b = mine(v);
    size_t rows = (size_t)c->h;

    if (!book_of(b)) {
        draw_empty(b, c);
        return;
    }
    make_lines(b, c->w);
    b->cells.rows = rows;
    scroll(b, rows);
    for (int y = 0; y < c->h && b->top + (size_t)y < b->n_lines; y++)
        draw_line_of(b, c, y, &b->line[b->top + (size_t)y]);
    draw_scrollbar(c, c->w - 1, 0, c->h, b->top, rows, b->n_lines);
    if (b->editor) {
        int row, column;
        size_t at = editor_line(b);

        editor_cursor(b->editor, &row, &column);
        canvas_cursor(c, 4 + column, (int)(at - b->top), true);
    } else {
        size_t at = first_line_of(b, b->cells.at);

        if (at >= b->top)
            canvas_cursor(c, 0, (int)(at - b->top), false);
    }
}

static void
cells_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_notebook *b = mine(v);
    struct notebook *n = book_of(b);

    if (!n) {
        buf_puts(left, "notebook");
        return;
    }
    buf_printf(left, "%s · %zu cells · Lua 5.4", file_base(notebook_path(n)),
               notebook_cells(n));
    if (b->editor)
        buf_puts(right, "editing");
    else if (notebook_modified(n))
        buf_puts(right, "not saved yet");
    else
        buf_puts(right, "saved");
    if (b->n_books > 1)
        buf_printf(right, " · notebook %zu of %zu", b->at_book + 1, b->n_books);
}

/* First words of a cell, for the outline. */
static void
outline_text(const struct cell *c, char *out, size_t size)
{
    struct str s = {c->source, c->len};
    struct str line;

    if (c->title[0]) {
        snprintf(out, size, "%s", c->title);
        return;
    }
    do
        line = str_trim(next_text_line(&s));
    while (s.n > 0 && (line.n == 0 || str_starts(line, "--")));
    while (line.n > 0 && (line.p[0] == '#' || line.p[0] == ' ')) {
        line.p++;
        line.n--;
    }
    snprintf(out, size, "%.*s", (int)(line.n < 60 ? line.n : 60), line.p);
}

static void
outline_draw(struct view *v, const struct canvas *c)
{
    static const char *const signs[] = {" ", "…", "●", "✓", "✗", "○"};
    static const unsigned styles[] = {ROLE_DIM, ROLE_DIM,   ROLE_INFO,
                                      ROLE_OK,  ROLE_ERROR, ROLE_WARN};
    struct view_notebook *b = mine(v);
    struct notebook *n = book_of(b);
    struct list shown = b->cells;

    if (!n)
        return;
    list_set(&b->cells, notebook_cells(n));
    shown.n = b->cells.n;
    shown.top = shown.at >= (size_t)c->h ? shown.at - (size_t)c->h + 1 : 0;
    for (int y = 0; y < c->h && shown.top + (size_t)y < shown.n; y++) {
        size_t i = shown.top + (size_t)y;
        const struct cell *cell = notebook_cell(n, i);
        char text[128];

        outline_text(cell, text, sizeof text);
        draw_text(c, 1, y, styles[cell->state], signs[cell->state]);
        draw_fit(c, 3, y, c->w - 4,
                 cell->kind == CELL_TEXT ? ROLE_TITLE : ROLE_TEXT, DRAW_LEFT,
                 str_of(text));
        if (i == b->cells.at) {
            draw_restyle(c, (struct rect){0, y, c->w, 1},
                         c->focus ? ROLE_SELECT : ROLE_SELECT_OFF);
            canvas_cursor(c, 1, y, false);
        }
    }
}

static void
variables_draw(struct view *v, const struct canvas *c)
{
    struct view_notebook *b = mine(v);

    if (b->n_variables == 0)
        draw_text(c, 1, 0, ROLE_DIM, "none yet");
    list_set(&b->variables, b->n_variables);
    list_show(&b->variables, (size_t)c->h);
    for (int y = 0; y < c->h; y++) {
        size_t i = b->variables.top + (size_t)y;
        int x;

        if (i >= b->n_variables)
            break;
        x = draw_fit(c, 1, y, c->w / 3, ROLE_CODE_NAME, DRAW_LEFT,
                     str_of(b->variable[i].name));
        draw_fit(c, x + 1, y, c->w - x - 2, ROLE_DIM, DRAW_LEFT,
                 str_of(b->variable[i].text));
        if (c->focus && i == b->variables.at)
            draw_restyle(c, (struct rect){0, y, c->w, 1}, ROLE_SELECT);
    }
}

static struct list *
cells_list(struct view *v)
{
    mine(v)->reveal = true;
    return &mine(v)->cells;
}

static struct list *
variables_list(struct view *v)
{
    return &mine(v)->variables;
}

static const struct view_region regions[] = {
    [REGION_OUTLINE] = {"outline", outline_draw, NULL, cells_list, NULL, 0},
    [REGION_VARIABLES] = {"variables", variables_draw, NULL, variables_list,
                          NULL, 0},
    [REGION_CELLS] = {"cells", cells_draw, cells_title, NULL, NULL, 0},
    {0},
};

static void
notebook_layout(struct view *v, struct layout *l)
{
    struct rect body = l->body, left;

    (void)v;
    if (body.w >= 110) {
        left = rect_left(&body, 32);
        layout_place(l, REGION_OUTLINE, rect_top(&left, left.h / 2));
        layout_place(l, REGION_VARIABLES, left);
    }
    layout_place(l, REGION_CELLS, body);
}

/* ---- saving, ticking ---- */

static void
save_now(struct view_notebook *b)
{
    struct error err;

    loop_remove(b->saver);
    b->saver = NULL;
    if (book_of(b) && notebook_modified(book_of(b)) &&
        !notebook_save(book_of(b), &err))
        ui_error(b->view.ui, &err);
}

static void
on_save(void *ctx, int events)
{
    struct view_notebook *b = ctx;

    (void)events;
    b->saver = NULL;
    save_now(b);
    ui_touch(b->view.ui);
}

/* An edit is on disk a moment after it was made. */
static void
save_soon(struct view_notebook *b)
{
    if (b->saver)
        loop_timer_set(b->saver, SAVE_AFTER_MS);
    else
        b->saver =
            loop_timer(ui_loop(b->view.ui), SAVE_AFTER_MS, false, on_save, b);
    touch(b);
}

static bool
any_busy(const struct view_notebook *b)
{
    return book_of(b) && notebook_busy(book_of(b));
}

static void
on_tick(void *ctx, int events)
{
    struct view_notebook *b = ctx;

    (void)events;
    ui_touch(b->view.ui);
    if (!any_busy(b)) {
        loop_remove(b->ticker);
        b->ticker = NULL;
    }
}

static void
wind(struct view_notebook *b)
{
    if (b->shown && !b->ticker && any_busy(b))
        b->ticker = loop_timer(ui_loop(b->view.ui), TICK_MS, true, on_tick, b);
    if (!b->shown && b->ticker) {
        loop_remove(b->ticker);
        b->ticker = NULL;
    }
}

static void
refresh_variables(struct view_notebook *b)
{
    struct kernel *k = ui_kernel(b->view.ui);

    if (!k || kernel_running(k))
        return;
    variables_free(b->variable, b->n_variables);
    b->variable = NULL;
    b->n_variables = kernel_variables(k, &b->variable);
}

/* ---- editing ---- */

static void
leave_edit(struct view_notebook *b)
{
    struct str text;

    if (!b->editor)
        return;
    text = editor_text(b->editor);
    if (editor_changed(b->editor)) {
        notebook_set_source(book_of(b), b->cells.at, text.p, text.n);
        save_soon(b);
    }
    editor_free(b->editor);
    b->editor = NULL;
    touch(b);
}

static void
enter_edit(struct view_notebook *b)
{
    const struct cell *c = cell_at_hand(b);

    if (!c || b->editor)
        return;
    if (c->state == CELL_RUNNING) {
        ui_message(b->view.ui, MESSAGE_INFO,
                   "this cell runs: Ctrl-C interrupts it");
        return;
    }
    b->view.focus = REGION_CELLS;
    b->editor = editor_new(c->source, c->len, c->kind == CELL_CODE);
    if (c->state == CELL_FAILED && c->error_line > 0)
        editor_place(b->editor, c->error_line - 1, 0);
    touch(b);
}

static void
act_insert(struct view *v, const struct view_call *call)
{
    (void)call;
    enter_edit(mine(v));
}

static void
act_enter(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);
    const struct cell *c = cell_at_hand(b);

    (void)call;
    if (v->focus == REGION_OUTLINE) {
        v->focus = REGION_CELLS;
        touch(b);
        return;
    }
    /* A cell that has a run leads to it; every other is edited. */
    for (size_t i = 0; c && i < c->n_outputs; i++)
        if (c->output[i].kind == OUT_RUN && c->output[i].run &&
            c->state != CELL_FAILED) {
            ui_goto(v->ui, "runs", c->output[i].run);
            return;
        }
    enter_edit(b);
}

static void
act_cancel(struct view *v, const struct view_call *call)
{
    (void)call;
    leave_edit(mine(v));
}

static size_t
complete_here(struct view_notebook *b, size_t *begin, char ***out)
{
    struct str text = editor_text(b->editor);
    size_t at = editor_at(b->editor), start = at;

    while (start > 0 && text.p[start - 1] != '\n')
        start--;
    return kernel_complete(ui_kernel(b->view.ui),
                           (struct str){text.p + start, at - start}, at - start,
                           begin, out);
}

static void
show_candidates(struct view_notebook *b, char **words, size_t n)
{
    struct buf line;

    buf_init(&line);
    for (size_t i = 0; i < n && line.len < 200; i++)
        buf_printf(&line, "%s%s", i ? "  " : "", words[i]);
    ui_message(b->view.ui, MESSAGE_INFO, "%s", line.data);
    buf_fini(&line);
}

static void
act_complete(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);
    char **words = NULL;
    size_t begin = 0, n, common, line_start;
    struct str text;

    (void)call;
    if (!b->editor)
        return;
    text = editor_text(b->editor);
    line_start = editor_at(b->editor);
    while (line_start > 0 && text.p[line_start - 1] != '\n')
        line_start--;
    if (str_trim((struct str){text.p + line_start,
                              editor_at(b->editor) - line_start})
            .n == 0) {
        editor_insert(b->editor, "    ", EDITOR_INDENT);
        touch(b);
        return;
    }
    n = complete_here(b, &begin, &words);
    common = n > 0 ? strlen(words[0]) : 0;
    for (size_t i = 1; i < n; i++) {
        size_t k = 0;

        while (k < common && words[i][k] == words[0][k])
            k++;
        common = k;
    }
    if (common > editor_at(b->editor) - line_start - begin)
        editor_replace(b->editor, line_start + begin, words[0], common);
    if (n > 1)
        show_candidates(b, words, n);
    for (size_t i = 0; i < n; i++)
        free(words[i]);
    free(words);
    touch(b);
}

/* ---- running ---- */

static void
run_at_hand(struct view_notebook *b)
{
    const struct cell *c;

    leave_edit(b);
    c = cell_at_hand(b);
    if (!c)
        return;
    if (c->kind == CELL_CODE)
        notebook_run(book_of(b), b->cells.at);
    wind(b);
    touch(b);
}

static void
act_run(struct view *v, const struct view_call *call)
{
    (void)call;
    run_at_hand(mine(v));
}

static void
act_run_next(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);

    (void)call;
    run_at_hand(b);
    if (book_of(b) && b->cells.at + 1 == notebook_cells(book_of(b)))
        notebook_insert(book_of(b), b->cells.at + 1, CELL_CODE);
    if (book_of(b))
        list_set(&b->cells, notebook_cells(book_of(b)));
    list_action(&b->cells, "down", 1);
    b->reveal = true;
}

static void
act_run_all(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);

    (void)call;
    leave_edit(b);
    if (book_of(b))
        notebook_run_all(book_of(b));
    wind(b);
    touch(b);
}

static void
act_run_above(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);

    (void)call;
    leave_edit(b);
    if (book_of(b))
        notebook_run_above(book_of(b), b->cells.at);
    wind(b);
    touch(b);
}

static void
act_interrupt(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);

    (void)call;
    if (any_busy(b))
        notebook_interrupt(book_of(b));
    else
        ui_message(v->ui, MESSAGE_INFO, "no cell runs");
}

/* ---- cells ---- */

static void open_book(struct view_notebook *b, const char *path);

static void
add_cell_at(struct view_notebook *b, size_t at)
{
    if (!book_of(b)) {
        open_book(b, "notebook.lua");
        if (!book_of(b))
            return;
        at = notebook_cells(book_of(b));
    }
    b->cells.at = notebook_insert(book_of(b), at, CELL_CODE);
    list_set(&b->cells, notebook_cells(book_of(b)));
    b->reveal = true;
    save_soon(b);
    enter_edit(b);
}

static void
act_below(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);
    size_t n = book_of(b) ? notebook_cells(book_of(b)) : 0;

    (void)call;
    add_cell_at(b, n ? b->cells.at + 1 : 0);
}

static void
act_above(struct view *v, const struct view_call *call)
{
    (void)call;
    add_cell_at(mine(v), mine(v)->cells.at);
}

static void
remember_cell(struct view_notebook *b)
{
    const struct cell *c = cell_at_hand(b);

    if (!c)
        return;
    free(b->clip);
    b->clip = mem_new(c->len + 1);
    memcpy(b->clip, c->source, c->len);
    b->clip_len = c->len;
    b->clip_kind = c->kind;
}

static void
act_delete(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);

    (void)call;
    if (!cell_at_hand(b))
        return;
    remember_cell(b);
    if (!notebook_delete(book_of(b), b->cells.at))
        ui_message(v->ui, MESSAGE_WARN, "the cell runs: interrupt it first");
    drop_charts(b);
    list_set(&b->cells, notebook_cells(book_of(b)));
    b->reveal = true;
    save_soon(b);
}

static void
act_paste(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);
    size_t at;

    (void)call;
    if (!b->clip || !book_of(b)) {
        ui_message(v->ui, MESSAGE_INFO, "dd or yy takes a cell to paste");
        return;
    }
    at = notebook_insert(book_of(b),
                         notebook_cells(book_of(b)) ? b->cells.at + 1 : 0,
                         b->clip_kind);
    notebook_set_source(book_of(b), at, b->clip, b->clip_len);
    list_set(&b->cells, notebook_cells(book_of(b)));
    b->cells.at = at;
    b->reveal = true;
    drop_charts(b);
    save_soon(b);
}

static void
move_cell(struct view_notebook *b, int by)
{
    size_t to = b->cells.at + (size_t)by;

    if (!cell_at_hand(b) || to >= notebook_cells(book_of(b)))
        return;
    if (notebook_move(book_of(b), b->cells.at, to))
        b->cells.at = to;
    b->reveal = true;
    drop_charts(b);
    save_soon(b);
}

static void
act_down(struct view *v, const struct view_call *call)
{
    (void)call;
    move_cell(mine(v), 1);
}

static void
act_up(struct view *v, const struct view_call *call)
{
    (void)call;
    if (mine(v)->cells.at > 0)
        move_cell(mine(v), -1);
}

static void
act_kind(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);
    const struct cell *c = cell_at_hand(b);

    (void)call;
    if (c)
        notebook_set_kind(book_of(b), b->cells.at,
                          c->kind == CELL_CODE ? CELL_TEXT : CELL_CODE);
    save_soon(b);
}

static void
act_clear(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);

    (void)call;
    if (book_of(b))
        notebook_clear_outputs(book_of(b));
    drop_charts(b);
    touch(b);
}

static void
act_undo(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);

    (void)call;
    if (!book_of(b) || !notebook_undo(book_of(b)))
        ui_message(v->ui, MESSAGE_INFO, "nothing to undo");
    drop_charts(b);
    save_soon(b);
}

static void
act_redo(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);

    (void)call;
    if (!book_of(b) || !notebook_redo(book_of(b)))
        ui_message(v->ui, MESSAGE_INFO, "nothing to redo");
    drop_charts(b);
    save_soon(b);
}

static void
act_save(struct view *v, const struct view_call *call)
{
    (void)call;
    leave_edit(mine(v));
    save_now(mine(v));
    touch(mine(v));
}

static void
act_output(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);
    const struct cell *c = cell_at_hand(b);
    struct buf text;

    (void)call;
    if (!c || c->n_outputs == 0) {
        ui_message(v->ui, MESSAGE_INFO, "the cell has no output: r runs it");
        return;
    }
    if (c->output[c->n_outputs - 1].frame) {
        session_add_table(ui_session(v->ui), "output", "",
                          c->output[c->n_outputs - 1].frame);
        ui_goto(v->ui, "data", "output");
        return;
    }
    buf_init(&text);
    for (size_t i = 0; i < c->n_outputs; i++)
        buf_printf(&text, "%s\n", c->output[i].text);
    ui_page(v->ui, "output", text.data, text.len);
    buf_fini(&text);
}

/* gd: to the cell that assigns the word at the start of this one's last
 * identifier under edit, or of its first unknown: the nearest "NAME =" above. */
static void
act_definition(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);

    if (!call->arg || !call->arg[0] || !book_of(b))
        return;
    for (size_t i = notebook_cells(book_of(b)); i-- > 0;) {
        const struct cell *c = notebook_cell(book_of(b), i);
        char pattern[2][160];

        snprintf(pattern[0], sizeof pattern[0], "%s =", call->arg);
        snprintf(pattern[1], sizeof pattern[1], "function %s", call->arg);
        if (c->kind == CELL_CODE &&
            (memmem(c->source, c->len, pattern[0], strlen(pattern[0])) ||
             memmem(c->source, c->len, pattern[1], strlen(pattern[1])))) {
            b->cells.at = i;
            b->reveal = true;
            touch(b);
            return;
        }
    }
    ui_message(v->ui, MESSAGE_INFO, "no cell defines %s", call->arg);
}

/* ---- notebooks ---- */

static void
open_book(struct view_notebook *b, const char *path)
{
    struct kernel *k = ui_kernel(b->view.ui);
    struct notebook *n;
    struct error err;
    char *full;

    if (!k)
        return;
    full = path[0] == '/'
               ? mem_text(path)
               : file_join(session_project(ui_session(b->view.ui)), path);
    for (size_t i = 0; i < b->n_books; i++)
        if (strcmp(notebook_path(b->book[i]), full) == 0) {
            b->at_book = i;
            free(full);
            touch(b);
            return;
        }
    if (b->n_books == MAX_BOOKS) {
        ui_message(b->view.ui, MESSAGE_WARN, "%d notebooks are open already",
                   MAX_BOOKS);
        free(full);
        return;
    }
    n = file_exists(full) ? notebook_open(k, full, &err)
                          : notebook_new(k, full);
    free(full);
    if (!n) {
        ui_error(b->view.ui, &err);
        return;
    }
    b->at_book = b->n_books;
    b->book[b->n_books++] = n;
    b->cells.at = 0;
    b->top = 0;
    drop_charts(b);
    refresh_variables(b);
    touch(b);
}

static void
act_open(struct view *v, const struct view_call *call)
{
    if (call->arg && call->arg[0])
        open_book(mine(v), call->arg);
}

static void
act_next_book(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);

    (void)call;
    if (b->n_books < 2)
        return;
    leave_edit(b);
    save_now(b);
    b->at_book = (b->at_book + 1) % b->n_books;
    b->cells.at = b->top = 0;
    drop_charts(b);
    touch(b);
}

static void
edited(void *ctx, int status)
{
    struct view_notebook *b = ctx;
    struct error err;

    if (status != 0)
        ui_message(b->view.ui, MESSAGE_WARN, "the editor ended with status %d",
                   status);
    if (book_of(b) && !notebook_reload(book_of(b), &err))
        ui_error(b->view.ui, &err);
    drop_charts(b);
    touch(b);
}

static void
act_edit(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);
    const struct cell *c = cell_at_hand(b);

    (void)call;
    if (!book_of(b))
        return;
    leave_edit(b);
    save_now(b);
    ui_edit(v->ui, notebook_path(book_of(b)), c ? c->first_line : 1, edited, b);
}

static void
act_export(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = mine(v);
    struct error err;

    if (!book_of(b) || !call->arg || !call->arg[0])
        return;
    if (notebook_export(book_of(b), call->arg, &err))
        ui_message(v->ui, MESSAGE_INFO, "wrote %s", call->arg);
    else
        ui_error(v->ui, &err);
}

static bool
has_book(struct view *v)
{
    return book_of(mine(v)) != NULL;
}

static const struct view_action actions[] = {
    {"run", "Cell: run",
     "Runs the cell at hand. Cells run one at a time; "
     "others wait in a queue.",
     NULL, act_run, has_book, ACTION_SUBJECT},
    {"run-next", "Cell: run and go to the next", NULL, NULL, act_run_next,
     has_book, ACTION_SUBJECT},
    {"run-all", "Notebook: run all cells", NULL, NULL, act_run_all, has_book,
     0},
    {"run-above", "Notebook: run the cells above", NULL, NULL, act_run_above,
     has_book, 0},
    {"interrupt", "Cell: interrupt",
     "Stops the running cell, whatever it "
     "does, and empties the queue.",
     NULL, act_interrupt, has_book, 0},
    {"insert", "Cell: edit", NULL, NULL, act_insert, has_book, ACTION_SUBJECT},
    {"enter", "Cell: edit, or go to its run", NULL, NULL, act_enter, NULL, 0},
    {"cancel", "Cell: leave edit mode", NULL, NULL, act_cancel, NULL, 0},
    {"complete", "Cell: complete the word", NULL, NULL, act_complete, NULL, 0},
    {"cell-below", "Cell: new below", NULL, NULL, act_below, NULL, 0},
    {"cell-above", "Cell: new above", NULL, NULL, act_above, NULL, 0},
    {"cell-delete", "Cell: delete", "u brings it back.", NULL, act_delete,
     has_book, ACTION_SUBJECT},
    {"cell-paste", "Cell: paste below", NULL, NULL, act_paste, has_book, 0},
    {"cell-down", "Cell: move down", NULL, NULL, act_down, has_book,
     ACTION_SUBJECT},
    {"cell-up", "Cell: move up", NULL, NULL, act_up, has_book, ACTION_SUBJECT},
    {"cell-kind", "Cell: code or text", NULL, NULL, act_kind, has_book,
     ACTION_SUBJECT},
    {"select-output", "Cell: its whole output",
     "A table opens in the Data "
     "view, everything else as a page.",
     NULL, act_output, has_book, ACTION_SUBJECT},
    {"definition", "Notebook: where a name is defined", NULL,
     "name: ", act_definition, has_book, 0},
    {"clear-outputs", "Notebook: clear all outputs", NULL, NULL, act_clear,
     has_book, 0},
    {"save", "Notebook: save",
     "Edits are saved by themselves after a moment; "
     "this saves at once.",
     NULL, act_save, has_book, 0},
    {"undo", "Notebook: undo", NULL, NULL, act_undo, has_book, 0},
    {"redo", "Notebook: redo", NULL, NULL, act_redo, has_book, 0},
    {"open", "Notebook: open or create", NULL, "file (.lua): ", act_open, NULL,
     0},
    {"notebook-next", "Notebook: next open one", NULL, NULL, act_next_book,
     has_book, 0},
    {"edit", "Notebook: in $EDITOR", NULL, NULL, act_edit, has_book, 0},
    {"export", "Notebook: write as ipynb, md or html", NULL,
     "file.ipynb, .md or .html", act_export, has_book, 0},
    {0},
};

/* ---- the class ---- */

static void
curve_changed(void *ctx)
{
    touch(ctx);
}

static struct view *
notebook_view_open(struct ui *ui)
{
    struct view_notebook *b = mem_new(sizeof *b);

    b->view.ui = ui;
    b->view.focus = REGION_CELLS;
    b->runs = runs_data_new(ui_session(ui), curve_changed, b);
    b->stale = true;
    return &b->view;
}

static void
notebook_view_close(struct view *v)
{
    struct view_notebook *b = mine(v);

    leave_edit(b);
    save_now(b);
    loop_remove(b->ticker);
    loop_remove(b->saver);
    for (size_t i = 0; i < b->n_books; i++)
        notebook_free(b->book[i]);
    runs_data_free(b->runs);
    variables_free(b->variable, b->n_variables);
    drop_charts(b);
    free(b->line);
    free(b->colours);
    free(b->clip);
    free(b);
}

static void
notebook_changed(struct view *v, unsigned topics)
{
    struct view_notebook *b = mine(v);

    if (topics & TOPIC_NOTEBOOK) {
        refresh_variables(b);
        b->stale = true;
    }
    if (topics & TOPIC_RUNS)
        b->stale = true;
    wind(b);
}

static void
notebook_shown(struct view *v, bool on)
{
    mine(v)->shown = on;
    wind(mine(v));
}

static bool
notebook_show(struct view *v, const char *what, struct error *err)
{
    (void)err;
    open_book(mine(v), what);
    return true;
}

static const char *
notebook_context(struct view *v)
{
    return mine(v)->editor ? "notebook.edit" : NULL;
}

static bool
notebook_key(struct view *v, const struct input_event *e)
{
    struct view_notebook *b = mine(v);

    if (!b->editor || !editor_key(b->editor, e))
        return false;
    touch(b);
    return true;
}

static bool
notebook_action(struct view *v, const char *name, const struct view_call *call)
{
    struct view_notebook *b = mine(v);
    size_t rows = b->cells.rows;
    int n = call->count > 0 ? call->count : 1;

    if (v->focus != REGION_CELLS || b->editor || !book_of(b))
        return false;
    list_set(&b->cells, notebook_cells(book_of(b)));
    if (strcmp(name, "down") == 0 || strcmp(name, "up") == 0 ||
        strcmp(name, "top") == 0 || strcmp(name, "bottom") == 0) {
        b->reveal = true;
        return list_action(&b->cells, name, n);
    }
    /* Pages move by lines, and the cell that comes into view is at hand. */
    if (strstr(name, "page-") || strstr(name, "half-")) {
        size_t by = strstr(name, "half-") ? rows / 2 : rows;

        if (strstr(name, "-up"))
            b->top = b->top > by ? b->top - by : 0;
        else if (b->n_lines > 0)
            b->top = b->top + by < b->n_lines ? b->top + by : b->n_lines - 1;
        if (b->n_lines > 0)
            b->cells.at = b->line[b->top].cell;
        ui_touch(v->ui);
        return true;
    }
    return false;
}

static bool
notebook_mouse(struct view *v, unsigned region, const struct input_event *e)
{
    struct view_notebook *b = mine(v);
    size_t at = b->top + (size_t)(e->y > 0 ? e->y : 0);

    if (region != REGION_CELLS)
        return false;
    if (e->mouse == MOUSE_WHEEL_DOWN || e->mouse == MOUSE_WHEEL_UP) {
        if (e->mouse == MOUSE_WHEEL_DOWN)
            b->top += 3;
        else
            b->top = b->top > 3 ? b->top - 3 : 0;
        ui_touch(v->ui);
        return true;
    }
    if (e->mouse != MOUSE_PRESS || at >= b->n_lines)
        return false;
    if (b->editor && b->line[at].cell == b->cells.at &&
        b->line[at].kind == LINE_CODE) {
        editor_place(b->editor, b->line[at].row, e->x - 4);
    } else {
        leave_edit(b);
        b->cells.at = b->line[at].cell;
    }
    touch(b);
    return true;
}

static void
notebook_badge(struct view *v, struct buf *out)
{
    struct view_notebook *b = mine(v);

    if (any_busy(b))
        buf_puts(out, "●");
}

static void
notebook_subject(struct view *v, struct buf *out)
{
    const struct cell *c = cell_at_hand(mine(v));
    char text[128];

    if (!c)
        return;
    outline_text(c, text, sizeof text);
    buf_puts(out, text);
}

static bool
notebook_copy(struct view *v, enum copy_what what, struct buf *out)
{
    struct view_notebook *b = mine(v);
    const struct cell *c = cell_at_hand(b);

    if (!c)
        return false;
    if (what == COPY_ROW)
        remember_cell(b);
    if (what == COPY_REFERENCE)
        buf_printf(out, "%s:%d", notebook_path(book_of(b)), c->first_line);
    else
        buf_add(out, c->source, c->len);
    return true;
}

static bool
notebook_search(struct view *v, const char *text, int dir)
{
    struct view_notebook *b = mine(v);
    size_t n = book_of(b) ? notebook_cells(book_of(b)) : 0;

    for (size_t step = 1; step <= n; step++) {
        size_t i = (b->cells.at + (dir > 0 ? step : n - step)) % n;
        const struct cell *c = notebook_cell(book_of(b), i);
        bool hit = c->len > 0 && strcasestr(c->source, text);

        for (size_t k = 0; !hit && k < c->n_outputs; k++)
            hit = strcasestr(c->output[k].text, text);
        if (hit) {
            b->cells.at = i;
            b->reveal = true;
            touch(b);
            return true;
        }
    }
    return false;
}

static bool
notebook_back(struct view *v)
{
    if (!mine(v)->editor)
        return false;
    leave_edit(mine(v));
    return true;
}

const struct view_class view_notebook_class = {
    .name = "notebook",
    .title = "Notebook",
    .regions = regions,
    .actions = actions,
    .open = notebook_view_open,
    .close = notebook_view_close,
    .layout = notebook_layout,
    .changed = notebook_changed,
    .shown = notebook_shown,
    .show = notebook_show,
    .context = notebook_context,
    .key = notebook_key,
    .mouse = notebook_mouse,
    .action = notebook_action,
    .badge = notebook_badge,
    .subject = notebook_subject,
    .copy = notebook_copy,
    .search = notebook_search,
    .back = notebook_back,
};
