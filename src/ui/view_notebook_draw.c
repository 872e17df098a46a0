/* ui/view_notebook_draw.c -- the lines on the screen: cells and their outputs.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_notebook.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "session/task.h"
#include "ui/draw_plot.h"
#include "ui/ui.h"

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
        return draw_text(c, x, y, ROLE_WARN,
                         cell->error.code == ERR_CANCELLED
                             ? "○ interrupted"
                             : "○ not run: an earlier cell ended the queue");
    default:
        return x;
    }
}

static void
draw_head(struct view_notebook *b, const struct canvas *c, int y,
          const struct book_line *l)
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

/* Cut lines say so: v shows them whole. */
static void
draw_cut_mark(const struct canvas *c, int x, int y, struct str s)
{
    if (x + (int)str_width(s) > c->w - 1)
        draw_text(c, c->w - 2, y, ROLE_DIM, "… ");
}

static void
draw_code(struct view_notebook *b, const struct canvas *c, int y,
          const struct book_line *l)
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
    if (!edited)
        draw_cut_mark(c, 4, y, (struct str){l->p, l->n});
    if (cell->state == CELL_FAILED && cell->error_line == l->row + 1 && !edited)
        draw_text(c, 2, y, ROLE_ERROR, "✗");
}

/* A line that was wrapped: where the text had a newline it has a blank. */
static void
draw_wrapped(const struct canvas *c, int x, int y, unsigned style, struct str s)
{
    while (s.n > 0)
        x = draw_str(c, x, y, style, book_next_line(&s)) + 1;
}

static void
draw_prose(const struct canvas *c, int y, const struct book_line *l)
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
    draw_wrapped(c, 2 + l->row, y, style, s);
}

/* What to do first comes first: a narrow screen cuts the end. */
static void
draw_hint(struct view_notebook *b, const struct canvas *c, int y, size_t cell)
{
    struct notebook *n = book_of(b);
    const struct cell *from;
    const char *name;
    size_t setter;
    int x;

    if (!notebook_wants(n, cell, &name, &setter))
        return;
    from = notebook_cell(n, setter);
    x = draw_markup(c, 4, y, ROLE_DIM, "<B> runs the cells above: ");
    x = draw_printf(c, x, y, ROLE_TEXT, "cell %zu", setter + 1);
    if (from->parameters || from->title[0])
        x = draw_printf(c, x, y, ROLE_TEXT, " (%s)",
                        from->title[0] ? from->title : "parameters");
    draw_printf(c, x, y, ROLE_TEXT, " sets %s and has not run", name);
}

static void
draw_line_of(struct view_notebook *b, const struct canvas *c, int y,
             const struct book_line *l)
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
        draw_cut_mark(c, 4, y, (struct str){l->p, l->n});
        break;
    case LINE_ERROR:
        draw_wrapped(c, 4 + l->row, y, ROLE_ERROR, (struct str){l->p, l->n});
        break;
    case LINE_HINT:
        draw_hint(b, c, y, l->cell);
        break;
    case LINE_FOLD:
        draw_printf(c, 4, y, ROLE_DIM, "… %zu more lines: v shows all",
                    l->hidden);
        break;
    case LINE_FITS:
        draw_printf(c, 4, y, ROLE_DIM, "… %zu earlier %s: v shows all, 3 Runs",
                    l->hidden, l->hidden == 1 ? "fit" : "fits");
        break;
    case LINE_CHART:
        draw_plot(c, 4, y, &b->chart[l->chart].image, l->row, 1);
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

/* The line of row y.  Of a cell that began above, the first row keeps the
 * head: it says what runs and how far it is. */
static const struct book_line *
line_at_row(const struct view_notebook *b, size_t y)
{
    const struct book_line *l = &b->line[b->top + y];
    const struct book_line *head = &b->line[book_first_line(b, l->cell)];

    return y == 0 && l->kind != LINE_GAP && head->kind == LINE_HEAD &&
                   !b->editor
               ? head
               : l;
}

void
book_cells_draw(struct view *v, const struct canvas *c)
{
    struct view_notebook *b = book_mine(v);
    size_t rows = (size_t)c->h;

    if (!book_of(b)) {
        draw_empty(b, c);
        return;
    }
    book_make_lines(b, c->w);
    b->cells.rows = rows;
    book_scroll(b, rows);
    for (int y = 0; y < c->h && b->top + (size_t)y < b->n_lines; y++)
        draw_line_of(b, c, y, line_at_row(b, (size_t)y));
    draw_scrollbar(c, c->w - 1, 0, c->h, b->top, rows, b->n_lines);
    if (b->editor) {
        int row, column;
        size_t at = book_editor_line(b);

        editor_cursor(b->editor, &row, &column);
        canvas_cursor(c, 4 + column, (int)(at - b->top), true);
    } else {
        size_t at = book_first_line(b, b->cells.at);

        canvas_cursor(c, 0, at > b->top ? (int)(at - b->top) : 0, false);
    }
}

void
book_cells_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_notebook *b = book_mine(v);
    struct notebook *n = book_of(b);
    size_t running = book_running(b);

    if (!n) {
        buf_puts(left, "notebook");
        return;
    }
    buf_printf(left, "%s · cell %zu of %zu · Lua 5.4",
               file_base(notebook_path(n)), b->cells.at + 1, notebook_cells(n));
    if (running != SIZE_MAX)
        buf_printf(right, "● cell %zu of %zu runs", running + 1,
                   notebook_cells(n));
    else if (b->editor)
        buf_puts(right, "editing");
    else if (notebook_modified(n))
        buf_puts(right, "not saved yet");
    else
        buf_puts(right, "saved");
    if (b->n_books > 1)
        buf_printf(right, " · notebook %zu of %zu", b->at_book + 1, b->n_books);
}
