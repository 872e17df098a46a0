/* ui/view_notebook_cells.c -- cells made, moved, deleted, brought back.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_notebook.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui/ui.h"

static void
add_cell_at(struct view_notebook *b, size_t at)
{
    if (!book_of(b)) {
        book_open(b, "notebook.lua");
        if (!book_of(b))
            return;
        at = notebook_cells(book_of(b));
    }
    b->cells.at = notebook_insert(book_of(b), at, CELL_CODE);
    list_set(&b->cells, notebook_cells(book_of(b)));
    b->reveal = true;
    book_save_soon(b);
    book_enter_edit(b);
}

void
book_act_below(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);
    size_t n = book_of(b) ? notebook_cells(book_of(b)) : 0;

    (void)call;
    add_cell_at(b, n ? b->cells.at + 1 : 0);
}

void
book_act_above(struct view *v, const struct view_call *call)
{
    (void)call;
    add_cell_at(book_mine(v), book_mine(v)->cells.at);
}

void
book_remember_cell(struct view_notebook *b)
{
    const struct cell *c = book_cell_at_hand(b);

    if (!c)
        return;
    free(b->clip);
    b->clip = mem_new(c->len + 1);
    memcpy(b->clip, c->source, c->len);
    b->clip_len = c->len;
    b->clip_kind = c->kind;
}

void
book_act_delete(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);

    (void)call;
    if (!book_cell_at_hand(b))
        return;
    book_remember_cell(b);
    if (!notebook_delete(book_of(b), b->cells.at))
        ui_message(v->ui, MESSAGE_WARN, "the cell runs: interrupt it first");
    book_drop_charts(b);
    list_set(&b->cells, notebook_cells(book_of(b)));
    b->reveal = true;
    book_save_soon(b);
}

void
book_act_paste(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);
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
    book_drop_charts(b);
    book_save_soon(b);
}

static void
move_cell(struct view_notebook *b, int by)
{
    size_t to = b->cells.at + (size_t)by;

    if (!book_cell_at_hand(b) || to >= notebook_cells(book_of(b)))
        return;
    if (notebook_move(book_of(b), b->cells.at, to))
        b->cells.at = to;
    b->reveal = true;
    book_drop_charts(b);
    book_save_soon(b);
}

void
book_act_down(struct view *v, const struct view_call *call)
{
    (void)call;
    move_cell(book_mine(v), 1);
}

void
book_act_up(struct view *v, const struct view_call *call)
{
    (void)call;
    if (book_mine(v)->cells.at > 0)
        move_cell(book_mine(v), -1);
}

void
book_act_kind(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);
    const struct cell *c = book_cell_at_hand(b);

    (void)call;
    if (c)
        notebook_set_kind(book_of(b), b->cells.at,
                          c->kind == CELL_CODE ? CELL_TEXT : CELL_CODE);
    book_save_soon(b);
}

void
book_act_clear(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);

    (void)call;
    if (book_of(b))
        notebook_clear_outputs(book_of(b));
    book_drop_charts(b);
    book_touch(b);
}

void
book_act_undo(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);

    (void)call;
    if (!book_of(b) || !notebook_undo(book_of(b)))
        ui_message(v->ui, MESSAGE_INFO, "nothing to undo");
    book_drop_charts(b);
    book_save_soon(b);
}

void
book_act_redo(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);

    (void)call;
    if (!book_of(b) || !notebook_redo(book_of(b)))
        ui_message(v->ui, MESSAGE_INFO, "nothing to redo");
    book_drop_charts(b);
    book_save_soon(b);
}

const char *
notebook_take_cell(struct view *v, const char *path, const char *source,
                   size_t len)
{
    struct view_notebook *b = book_mine(v);
    struct notebook *n;
    size_t at;

    if (!book_of(b))
        book_open(b, path);
    if (!(n = book_of(b)))
        return NULL;
    book_leave_edit(b);
    at = notebook_insert(n, notebook_cells(n), CELL_CODE);
    notebook_set_source(n, at, source, len);
    list_set(&b->cells, notebook_cells(n));
    b->cells.at = at;
    b->reveal = true;
    book_save_soon(b);
    return notebook_path(n);
}
