/* ui/view_notebook.c -- a notebook: opened, run, saved.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_notebook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "session/task.h"
#include "ui/ui.h"

enum { SAVE_AFTER_MS = 1500 };

struct notebook *
book_of(const struct view_notebook *b)
{
    return b->n_books ? b->book[b->at_book] : NULL;
}

const struct cell *
book_cell_at_hand(const struct view_notebook *b)
{
    struct notebook *n = book_of(b);

    return n && b->cells.at < notebook_cells(n) ? notebook_cell(n, b->cells.at)
                                                : NULL;
}

void
book_touch(struct view_notebook *b)
{
    b->stale = true;
    ui_touch(b->view.ui);
}

static struct list *
cells_list(struct view *v)
{
    book_mine(v)->reveal = true;
    return &book_mine(v)->cells;
}

static struct list *
variables_list(struct view *v)
{
    return &book_mine(v)->variables;
}

static const struct view_region regions[] = {
    [BOOK_REGION_OUTLINE] = {"outline", book_outline_draw, NULL, cells_list,
                             NULL, 0},
    [BOOK_REGION_VARIABLES] = {"variables", book_variables_draw, NULL,
                               variables_list, NULL, 0},
    [BOOK_REGION_CELLS] = {"cells", book_cells_draw, book_cells_title, NULL,
                           NULL, 0},
    {0},
};

static const struct view_sign signs[] = {
    {"●", "the cell is running"},      {"…", "the cell is queued"},
    {"✓", "the cell passed"},          {"✗", "the cell failed; also its line"},
    {"○", "the cell was interrupted"}, {0},
};

static void
notebook_layout(struct view *v, struct layout *l)
{
    struct rect body = l->body, left;

    (void)v;
    if (body.w >= 110) {
        left = rect_left(&body, 32);
        layout_place(l, BOOK_REGION_OUTLINE, rect_top(&left, left.h / 2));
        layout_place(l, BOOK_REGION_VARIABLES, left);
    }
    layout_place(l, BOOK_REGION_CELLS, body);
}

/* ---- saving ---- */

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
void
book_save_soon(struct view_notebook *b)
{
    if (b->saver)
        loop_timer_set(b->saver, SAVE_AFTER_MS);
    else
        b->saver =
            loop_timer(ui_loop(b->view.ui), SAVE_AFTER_MS, false, on_save, b);
    book_touch(b);
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

/* ---- actions ---- */

static void
act_save(struct view *v, const struct view_call *call)
{
    (void)call;
    book_leave_edit(book_mine(v));
    save_now(book_mine(v));
    book_touch(book_mine(v));
}

static void
act_output(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);
    const struct cell *c = book_cell_at_hand(b);
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
    struct view_notebook *b = book_mine(v);

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
            book_touch(b);
            return;
        }
    }
    ui_message(v->ui, MESSAGE_INFO, "no cell defines %s", call->arg);
}

/* ---- notebooks ---- */

void
book_open(struct view_notebook *b, const char *path)
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
            book_touch(b);
            return;
        }
    if (b->n_books == BOOK_MAX_OPEN) {
        ui_message(b->view.ui, MESSAGE_WARN, "%d notebooks are open already",
                   BOOK_MAX_OPEN);
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
    book_drop_charts(b);
    refresh_variables(b);
    book_touch(b);
}

static void
act_open(struct view *v, const struct view_call *call)
{
    if (call->arg && call->arg[0])
        book_open(book_mine(v), call->arg);
}

static void
act_next_book(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);

    (void)call;
    if (b->n_books < 2)
        return;
    book_leave_edit(b);
    save_now(b);
    b->at_book = (b->at_book + 1) % b->n_books;
    b->cells.at = b->top = 0;
    book_drop_charts(b);
    book_touch(b);
}

/* Nothing of ours would be lost by reading the file again. */
static void
look_outside(struct view_notebook *b)
{
    struct notebook *n = book_of(b);
    struct error err;

    if (!n || b->editor || notebook_modified(n) || !notebook_changed_outside(n))
        return;
    if (notebook_reload(n, &err))
        ui_message(b->view.ui, MESSAGE_INFO,
                   "another program changed %s: it was read again",
                   file_base(notebook_path(n)));
    else
        ui_error(b->view.ui, &err);
    book_drop_charts(b);
    book_touch(b);
}

static void
edited(void *ctx, int status)
{
    struct view_notebook *b = ctx;
    struct error err;

    if (status > 0)
        ui_message(b->view.ui, MESSAGE_WARN, "the editor ended with status %d",
                   status);
    if (book_of(b) && !notebook_reload(book_of(b), &err))
        ui_error(b->view.ui, &err);
    book_drop_charts(b);
    book_touch(b);
}

static void
act_edit(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);
    const struct cell *c = book_cell_at_hand(b);

    (void)call;
    if (!book_of(b))
        return;
    book_leave_edit(b);
    save_now(b);
    ui_edit(v->ui, notebook_path(book_of(b)), c ? c->first_line : 1, edited, b);
}

static void
act_export(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);
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
    return book_of(book_mine(v)) != NULL;
}

static const struct view_action actions[] = {
    {"run", "Cell: run",
     "Runs the cell at hand. Cells run one at a time; "
     "others wait in a queue.",
     NULL, book_act_run, has_book, ACTION_SUBJECT},
    {"run-next", "Cell: run and go to the next", NULL, NULL, book_act_run_next,
     has_book, ACTION_SUBJECT},
    {"run-all", "Notebook: run all cells", NULL, NULL, book_act_run_all,
     has_book, 0},
    {"run-above", "Notebook: run the cells above", NULL, NULL,
     book_act_run_above, has_book, 0},
    {"interrupt", "Cell: interrupt",
     "Stops the running cell, whatever it "
     "does, and empties the queue.",
     NULL, book_act_interrupt, has_book, 0},
    {"insert", "Cell: edit", NULL, NULL, book_act_insert, has_book,
     ACTION_SUBJECT},
    {"enter", "Cell: edit, or go to its run", NULL, NULL, book_act_enter, NULL,
     0},
    {"cancel", "Cell: leave edit mode", NULL, NULL, book_act_cancel, NULL, 0},
    {"complete", "Cell: complete the word", NULL, NULL, book_act_complete, NULL,
     0},
    {"cell-below", "Cell: new below", NULL, NULL, book_act_below, NULL, 0},
    {"cell-above", "Cell: new above", NULL, NULL, book_act_above, NULL, 0},
    {"cell-delete", "Cell: delete", "u brings it back.", NULL, book_act_delete,
     has_book, ACTION_SUBJECT},
    {"cell-paste", "Cell: paste below", NULL, NULL, book_act_paste, has_book,
     0},
    {"cell-down", "Cell: move down", NULL, NULL, book_act_down, has_book,
     ACTION_SUBJECT},
    {"cell-up", "Cell: move up", NULL, NULL, book_act_up, has_book,
     ACTION_SUBJECT},
    {"cell-kind", "Cell: code or text", NULL, NULL, book_act_kind, has_book,
     ACTION_SUBJECT},
    {"select-output", "Cell: its whole output",
     "A table opens in the Data "
     "view, everything else as a page.",
     NULL, act_output, has_book, ACTION_SUBJECT},
    {"definition", "Notebook: where a name is defined", NULL,
     "name: ", act_definition, has_book, 0},
    {"clear-outputs", "Notebook: clear all outputs", NULL, NULL, book_act_clear,
     has_book, 0},
    {"save", "Notebook: save",
     "Edits are saved by themselves after a moment; "
     "this saves at once.",
     NULL, act_save, has_book, 0},
    {"undo", "Notebook: undo", NULL, NULL, book_act_undo, has_book, 0},
    {"redo", "Notebook: redo", NULL, NULL, book_act_redo, has_book, 0},
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
    book_touch(ctx);
}

static struct view *
notebook_view_open(struct ui *ui)
{
    struct view_notebook *b = mem_new(sizeof *b);

    b->view.ui = ui;
    b->view.focus = BOOK_REGION_CELLS;
    b->runs = runs_data_new(ui_session(ui), curve_changed, b);
    b->stale = true;
    return &b->view;
}

static void
notebook_view_close(struct view *v)
{
    struct view_notebook *b = book_mine(v);

    book_leave_edit(b);
    save_now(b);
    loop_remove(b->ticker);
    loop_remove(b->saver);
    for (size_t i = 0; i < b->n_books; i++)
        notebook_free(b->book[i]);
    runs_data_free(b->runs);
    variables_free(b->variable, b->n_variables);
    book_drop_charts(b);
    free(b->line);
    free(b->colours);
    free(b->clip);
    free(b);
}

static void
notebook_changed(struct view *v, unsigned topics)
{
    struct view_notebook *b = book_mine(v);

    if (topics & TOPIC_NOTEBOOK) {
        refresh_variables(b);
        book_batch_turn(b);
        b->stale = true;
    }
    if (topics & TOPIC_RUNS)
        b->stale = true;
    book_wind(b);
}

static void
notebook_shown(struct view *v, bool on)
{
    book_mine(v)->shown = on;
    if (on)
        look_outside(book_mine(v));
    book_wind(book_mine(v));
}

static bool
notebook_show(struct view *v, const char *what, struct error *err)
{
    (void)err;
    book_open(book_mine(v), what);
    return true;
}

static const char *
notebook_context(struct view *v)
{
    return book_mine(v)->editor ? "notebook.edit" : NULL;
}

static bool
notebook_key(struct view *v, const struct input_event *e)
{
    struct view_notebook *b = book_mine(v);

    if (!b->editor || !editor_key(b->editor, e))
        return false;
    book_touch(b);
    return true;
}

static bool
notebook_action(struct view *v, const char *name, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);
    size_t rows = b->cells.rows;

    if (v->focus != BOOK_REGION_CELLS || b->editor || !book_of(b))
        return false;
    list_set(&b->cells, notebook_cells(book_of(b)));
    if (strcmp(name, "down") == 0 || strcmp(name, "up") == 0 ||
        strcmp(name, "top") == 0 || strcmp(name, "bottom") == 0) {
        b->reveal = true;
        return list_action(&b->cells, name, call->count);
    }
    /* Pages move by lines, and the cell that comes into view is at hand. */
    if (strstr(name, "page-") || strstr(name, "half-")) {
        size_t by = strstr(name, "half-") ? rows / 2 : rows > 1 ? rows - 1 : 1;

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
    struct view_notebook *b = book_mine(v);
    size_t at = b->top + (size_t)(e->y > 0 ? e->y : 0);

    if (region != BOOK_REGION_CELLS)
        return false;
    if (e->mouse == MOUSE_WHEEL_DOWN || e->mouse == MOUSE_WHEEL_UP) {
        size_t end =
            b->n_lines > b->cells.rows ? b->n_lines - b->cells.rows : 0;

        if (e->mouse == MOUSE_WHEEL_DOWN)
            b->top = b->top + 3 < end ? b->top + 3 : end;
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
        book_leave_edit(b);
        b->cells.at = b->line[at].cell;
    }
    book_touch(b);
    return true;
}

static void
notebook_badge(struct view *v, struct buf *out)
{
    struct view_notebook *b = book_mine(v);

    if (book_busy(b))
        buf_puts(out, "●");
}

static void
notebook_subject(struct view *v, struct buf *out)
{
    const struct cell *c = book_cell_at_hand(book_mine(v));
    char text[128];

    if (!c)
        return;
    book_outline_text(c, text, sizeof text);
    buf_puts(out, text);
}

static bool
notebook_copy(struct view *v, enum copy_what what, struct buf *out)
{
    struct view_notebook *b = book_mine(v);
    const struct cell *c = book_cell_at_hand(b);

    if (!c)
        return false;
    if (what == COPY_ROW)
        book_remember_cell(b);
    if (what == COPY_REFERENCE)
        buf_printf(out, "%s:%d", notebook_path(book_of(b)), c->first_line);
    else
        buf_add(out, c->source, c->len);
    return true;
}

static bool
notebook_search(struct view *v, const char *text, int dir)
{
    struct view_notebook *b = book_mine(v);
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
            book_touch(b);
            return true;
        }
    }
    return false;
}

static bool
notebook_back(struct view *v)
{
    if (!book_mine(v)->editor)
        return false;
    book_leave_edit(book_mine(v));
    return true;
}

const struct view_class view_notebook_class = {
    .name = "notebook",
    .title = "Notebook",
    .regions = regions,
    .actions = actions,
    .signs = signs,
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
