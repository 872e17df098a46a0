/* ui/view_notebook_run.c -- running cells: one, all, those above.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_notebook.h"

#include <stdint.h>

#include "ui/ui.h"

enum { TICK_MS = 1000 };

bool
book_busy(const struct view_notebook *b)
{
    return book_of(b) && notebook_busy(book_of(b));
}

static void
on_tick(void *ctx, int events)
{
    struct view_notebook *b = ctx;

    (void)events;
    ui_touch(b->view.ui);
    if (!book_busy(b)) {
        loop_remove(b->ticker);
        b->ticker = NULL;
    }
}

void
book_wind(struct view_notebook *b)
{
    if (b->shown && !b->ticker && book_busy(b))
        b->ticker = loop_timer(ui_loop(b->view.ui), TICK_MS, true, on_tick, b);
    if (!b->shown && b->ticker) {
        loop_remove(b->ticker);
        b->ticker = NULL;
    }
}

/* ---- one cell ---- */

static void
run_at_hand(struct view_notebook *b)
{
    const struct cell *c;

    book_leave_edit(b);
    c = book_cell_at_hand(b);
    if (!c)
        return;
    if (c->kind == CELL_CODE)
        notebook_run(book_of(b), b->cells.at);
    book_wind(b);
    book_touch(b);
}

void
book_act_run(struct view *v, const struct view_call *call)
{
    (void)call;
    run_at_hand(book_mine(v));
}

void
book_act_run_next(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);

    (void)call;
    run_at_hand(b);
    if (book_of(b) && b->cells.at + 1 == notebook_cells(book_of(b)))
        notebook_insert(book_of(b), b->cells.at + 1, CELL_CODE);
    if (book_of(b))
        list_set(&b->cells, notebook_cells(book_of(b)));
    list_action(&b->cells, "down", 1);
    b->reveal = true;
}

void
book_act_interrupt(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);

    (void)call;
    if (book_busy(b))
        notebook_interrupt(book_of(b));
    else
        ui_message(v->ui, MESSAGE_INFO, "no cell runs");
}

/* ---- many cells ---- */

size_t
book_running(const struct view_notebook *b)
{
    const struct notebook *n = book_of(b);

    for (size_t i = 0; n && i < notebook_cells(n); i++)
        if (notebook_cell(n, i)->state == CELL_RUNNING)
            return i;
    return SIZE_MAX;
}

static void
take_cursor(struct view_notebook *b, size_t cell)
{
    b->batch.at = b->cells.at = cell;
    b->reveal = true;
    book_touch(b);
}

/* All of them passed, or this one did not. */
static size_t
first_unpassed(const struct notebook *n, int64_t since_ms)
{
    for (size_t i = 0; i < notebook_cells(n); i++) {
        const struct cell *c = notebook_cell(n, i);

        if ((c->state == CELL_FAILED || c->state == CELL_STOPPED) &&
            c->end_ms >= since_ms)
            return i;
    }
    return SIZE_MAX;
}

static size_t
code_cells(const struct notebook *n, size_t from, size_t to)
{
    size_t found = 0;

    for (size_t i = from; i < to && i < notebook_cells(n); i++)
        found += notebook_cell(n, i)->kind == CELL_CODE;
    return found;
}

static void
say_ended(struct view_notebook *b, const struct book_batch *batch, size_t bad)
{
    const struct notebook *n = batch->book;
    size_t done = code_cells(n, 0, batch->end), left;

    if (bad == SIZE_MAX) {
        ui_message(b->view.ui, MESSAGE_INFO, "%zu cell%s ran in %.1f s", done,
                   done == 1 ? "" : "s",
                   (double)(loop_wall_ms() - batch->start_ms) / 1000);
        return;
    }
    left = code_cells(n, bad + 1, batch->end);
    ui_message(b->view.ui, MESSAGE_WARN, "cell %zu of %zu %s%s", bad + 1,
               notebook_cells(n),
               notebook_cell(n, bad)->state == CELL_FAILED ? "failed"
                                                           : "was interrupted",
               left ? ": the rest did not run" : "");
}

static void
batch_ended(struct view_notebook *b)
{
    struct book_batch batch = b->batch;
    size_t bad = first_unpassed(batch.book, batch.start_ms);

    b->batch.book = NULL;
    say_ended(b, &batch, bad);
    if (batch.follow && batch.book == book_of(b) && !b->editor &&
        b->cells.at == batch.at)
        take_cursor(b, bad == SIZE_MAX ? batch.home : bad);
}

void
book_batch_turn(struct view_notebook *b)
{
    struct book_batch *batch = &b->batch;
    size_t at;

    if (!batch->book)
        return;
    if (!notebook_busy(batch->book)) {
        batch_ended(b);
        return;
    }
    if (batch->book != book_of(b) || b->editor || b->cells.at != batch->at)
        batch->follow = false;
    at = book_running(b);
    if (batch->follow && at != SIZE_MAX && at != batch->at)
        take_cursor(b, at);
}

/* `home`: where the cursor is when all have passed. */
static void
begin_batch(struct view_notebook *b, size_t end, size_t home)
{
    const struct notebook *n = book_of(b);

    if (code_cells(n, 0, end) == 0) {
        ui_message(b->view.ui, MESSAGE_INFO, "there is no cell to run");
        return;
    }
    b->batch = (struct book_batch){.book = n,
                                   .end = end,
                                   .home = home,
                                   .at = b->cells.at,
                                   .follow = true,
                                   .start_ms = loop_wall_ms()};
    book_wind(b);
    book_touch(b);
}

void
book_act_run_all(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);
    struct notebook *n = book_of(b);
    size_t last;

    (void)call;
    book_leave_edit(b);
    notebook_run_all(n);
    for (last = notebook_cells(n); last-- > 1;)
        if (notebook_cell(n, last)->kind == CELL_CODE)
            break;
    begin_batch(b, notebook_cells(n), last);
}

void
book_act_run_above(struct view *v, const struct view_call *call)
{
    struct view_notebook *b = book_mine(v);

    (void)call;
    book_leave_edit(b);
    notebook_run_above(book_of(b), b->cells.at);
    begin_batch(b, b->cells.at, b->cells.at);
}
