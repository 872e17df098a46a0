/* ui/view_notebook_edit.c -- the text of a cell, edited in place.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_notebook.h"

#include <stdlib.h>
#include <string.h>

#include "ui/ui.h"

void
book_leave_edit(struct view_notebook *b)
{
    struct str text;

    if (!b->editor)
        return;
    text = editor_text(b->editor);
    if (editor_changed(b->editor)) {
        notebook_set_source(book_of(b), b->cells.at, text.p, text.n);
        book_save_soon(b);
    }
    editor_free(b->editor);
    b->editor = NULL;
    book_touch(b);
}

void
book_enter_edit(struct view_notebook *b)
{
    const struct cell *c = book_cell_at_hand(b);

    if (!c || b->editor)
        return;
    if (c->state == CELL_RUNNING) {
        ui_message(b->view.ui, MESSAGE_INFO,
                   "this cell runs: Ctrl-C interrupts it");
        return;
    }
    b->view.focus = BOOK_REGION_CELLS;
    b->editor = editor_new(c->source, c->len, c->kind == CELL_CODE);
    if (c->state == CELL_FAILED && c->error_line > 0)
        editor_place(b->editor, c->error_line - 1, 0);
    book_touch(b);
}

void
book_act_insert(struct view *v, const struct view_call *call)
{
    (void)call;
    book_enter_edit(book_mine(v));
}

void
book_act_enter(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);
    const struct cell *c = book_cell_at_hand(b);

    (void)call;
    if (v->focus == BOOK_REGION_OUTLINE) {
        v->focus = BOOK_REGION_CELLS;
        book_touch(b);
        return;
    }
    /* A cell that has a run leads to it; every other is edited. */
    for (size_t i = 0; c && i < c->n_outputs; i++)
        if (c->output[i].kind == OUT_RUN && c->output[i].run &&
            c->state != CELL_FAILED) {
            ui_goto(v->ui, "runs", c->output[i].run);
            return;
        }
    book_enter_edit(b);
}

void
book_act_cancel(struct view *v, const struct view_call *call)
{
    (void)call;
    book_leave_edit(book_mine(v));
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

void
book_act_complete(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);
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
        book_touch(b);
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
    book_touch(b);
}
