/* ui/view_data_steps.c -- the steps of the table at hand: applied in the
 * background, undone, told as Lua.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "session/task.h"
#include "ui/tether.h"
#include "ui/ui.h"
#include "ui/view_notebook.h"

/* ---- applied, in the background ---- */

/* Everything a pool job needs: the view may change meanwhile. */
struct arranging {
    char table[256];
    struct frame *base;
    struct steps *steps, *so_far;
    struct shown had, shown;
    struct tether *view;
    unsigned asked;
};

static bool
run_arrange(struct task *t, void *ctx, struct error *err)
{
    struct arranging *w = ctx;

    return steps_apply(w->steps, w->base, w->so_far, &w->had,
                       session_pool(task_session(t)), task_progress(t),
                       &w->shown, err);
}

/* The look that waits for this; NULL: it has asked for something else since,
 * or is gone. */
static struct data_look *
look_of(struct view_data *d, unsigned asked)
{
    if (d->look->asked == asked)
        return d->look;
    if (d->before && d->before->asked == asked)
        return d->before;
    for (struct data_look *look = d->aside; look; look = look->other)
        if (look->asked == asked)
            return look;
    return NULL;
}

static void
say_matches(struct view_data *d, const struct shown *shown)
{
    char n[STR_F64_MAX], of[STR_F64_MAX];

    str_from_count(shown_rows(shown), n);
    str_from_count(frame_rows(shown->all), of);
    ui_message(d->view.ui, MESSAGE_INFO,
               "%s of %s rows match; u takes the filter back", n, of);
}

/* Nothing has come of the last step. */
static void
forget_undo(struct data_look *look)
{
    while (look->n_undo > 0 &&
           steps_equal(look->undo[look->n_undo - 1], look->now))
        steps_free(look->undo[--look->n_undo]);
}

/* It could not be done: what shows is what is asked for. */
static void
refuse(struct view_data *d, struct data_look *look, const struct error *err)
{
    steps_free(look->next);
    look->next = steps_copy(look->now);
    forget_undo(look);
    if (err->code != ERR_CANCELLED)
        ui_error(d->view.ui, err);
}

static void
arrange_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct arranging *w = ctx;
    struct session *s = task_session(t);
    struct view_data *d = tether_end(w->view);
    struct data_look *look = d ? look_of(d, w->asked) : NULL;
    struct table *table = data_find_table(s, w->table);

    if (look) {
        look->asked = 0;
        look->arranging[0] = '\0';
    }
    if (look && !ok) {
        refuse(d, look, err);
    } else if (look && table && table->base == w->base) {
        if (w->steps->filter[0] &&
            strcmp(w->steps->filter, look->now->filter) != 0)
            say_matches(d, &w->shown);
        session_set_shown(s, table, w->steps, &w->shown);
        w->steps = NULL;
        data_look_again(d);
    }
    steps_free(w->steps);
    steps_free(w->so_far);
    shown_fini(&w->had);
    shown_fini(&w->shown);
    frame_unref(w->base);
    free(w);
    if (look)
        ui_answer(d->view.ui);
}

/* Columns are hidden and moved at once, however many rows there are: the next
 * key finds what this one has done. */
static void
arrange_now(struct view_data *d, struct table *t)
{
    const struct shown had = {t->all, t->frame, t->rows};
    struct shown shown;
    struct error err;

    if (steps_apply(d->look->next, t->base, t->steps, &had, NULL, NULL, &shown,
                    &err)) {
        session_set_shown(data_session(d), t, steps_copy(d->look->next),
                          &shown);
        data_look_again(d);
    } else {
        refuse(d, d->look, &err);
    }
}

void
data_arrange(struct view_data *d, const char *word)
{
    struct data_look *look = d->look;
    struct table *t = data_table(d);
    struct arranging *w;

    if (d->before)
        ui_message(d->view.ui, MESSAGE_INFO, "%s when all rows are there",
                   word);
    if (d->before || !t)
        return;
    if (t->beyond && (look->next->filter[0] || look->next->sort.n > 0)) {
        struct steps *asked = look->next;

        look->next = steps_copy(look->now);
        forget_undo(look);
        data_beyond_rows(d, t, asked);
        steps_free(asked);
        return;
    }
    if (look->asked == 0 && steps_near(look->next, t->steps)) {
        arrange_now(d, t);
        return;
    }
    w = mem_new(sizeof *w);
    snprintf(w->table, sizeof w->table, "%s", t->name);
    w->base = frame_ref(t->base);
    w->steps = steps_copy(look->next);
    w->so_far = steps_copy(t->steps);
    w->had = (struct shown){frame_ref(t->all), frame_ref(t->frame),
                            rowset_ref(t->rows)};
    w->view = tether_hold(d->tether);
    w->asked = look->asked = ++d->n_asked;
    snprintf(look->arranging, sizeof look->arranging, "%s", word);
    task_start(data_session(d), &(struct task_spec){.title = word,
                                                    .run = run_arrange,
                                                    .done = arrange_done,
                                                    .ctx = w,
                                                    .of = {w->base, w->had.all},
                                                    .quiet = true});
}

/* ---- changed, undone ---- */

static void
push(struct steps **stack, size_t *n, struct steps *s)
{
    if (*n == DATA_MAX_UNDO) {
        steps_free(stack[0]);
        --*n;
        memmove(stack, stack + 1, *n * sizeof *stack);
    }
    stack[(*n)++] = s;
}

struct steps *
data_steps(struct view_data *d)
{
    return steps_copy(d->look->next);
}

void
data_change(struct view_data *d, struct steps *steps, const char *word)
{
    struct data_look *look = d->look;

    if (steps_equal(steps, look->next)) {
        steps_free(steps);
        return;
    }
    data_forget_closed(d);
    push(look->undo, &look->n_undo, look->next);
    while (look->n_redo > 0)
        steps_free(look->redo[--look->n_redo]);
    look->next = steps;
    data_arrange(d, word);
}

void
data_steps_undo(struct view *v, const struct view_call *call)
{
    struct data_look *look = data_mine(v)->look;

    (void)call;
    if (data_reopen_table(data_mine(v)))
        return;
    if (look->n_undo == 0) {
        ui_message(v->ui, MESSAGE_INFO, "nothing to undo");
        return;
    }
    push(look->redo, &look->n_redo, look->next);
    look->next = look->undo[--look->n_undo];
    data_arrange(data_mine(v), "undoing");
}

void
data_steps_redo(struct view *v, const struct view_call *call)
{
    struct data_look *look = data_mine(v)->look;

    (void)call;
    if (look->n_redo == 0) {
        ui_message(v->ui, MESSAGE_INFO, "nothing to redo");
        return;
    }
    push(look->undo, &look->n_undo, look->next);
    look->next = look->redo[--look->n_redo];
    data_arrange(data_mine(v), "redoing");
}

/* ---- as Lua ---- */

/* "  ✓ :where(...)": what was done, in the order it was done in. */
static void
put_history(const struct data_look *look, struct buf *out)
{
    for (size_t i = 0; i < look->n_undo; i++) {
        const struct steps *is =
            i + 1 < look->n_undo ? look->undo[i + 1] : look->next;

        buf_printf(out, "%s ", i + 1 == look->n_undo ? "▸" : "✓");
        steps_difference(look->undo[i], is, out);
        buf_putc(out, '\n');
    }
    for (size_t i = look->n_redo; i-- > 0;) {
        const struct steps *was =
            i + 1 < look->n_redo ? look->redo[i + 1] : look->next;

        buf_puts(out, "○ ");
        steps_difference(was, look->redo[i], out);
        buf_putc(out, '\n');
    }
}

void
data_steps_page(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct buf b;

    (void)call;
    if (!t)
        return;
    buf_init(&b);
    table_lua(t, &b);
    if (d->look->n_undo + d->look->n_redo > 0) {
        buf_puts(&b, "\n-- what was done: ✓ and last ▸ (u undoes it), "
                     "○ undone (Ctrl-R redoes it)\n");
        put_history(d->look, &b);
    }
    ui_page(v->ui, "steps", b.data, b.len);
    buf_fini(&b);
}

void
data_steps_copy(struct view *v, const struct view_call *call)
{
    struct table *t = data_whole_table(data_mine(v));
    struct buf b;

    (void)call;
    if (!t)
        return;
    buf_init(&b);
    table_lua(t, &b);
    ui_copy(v->ui, b.data, b.len, "Lua of the table");
    buf_fini(&b);
}

/* A notebook beside the data that is not there yet. */
static char *
new_notebook(const struct view_data *d, const struct table *t)
{
    const char *project = session_project(ui_session(d->view.ui));
    char name[300], *path;

    snprintf(name, sizeof name, "%.250s.lua", t->variable);
    path = file_join(project, name);
    for (unsigned i = 2; file_exists(path); i++) {
        free(path);
        snprintf(name, sizeof name, "%.250s_%u.lua", t->variable, i);
        path = file_join(project, name);
    }
    return path;
}

void
data_steps_send(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    char *path;
    const char *book;
    struct buf b;

    (void)call;
    if (!t)
        return;
    buf_init(&b);
    table_lua(t, &b);
    buf_puts(&b, t->variable); /* what the cell shows */
    path = new_notebook(d, t);
    book = notebook_take_cell(ui_view(v->ui, "notebook"), path, b.data, b.len);
    if (book)
        ui_message(v->ui, MESSAGE_INFO,
                   "a new cell of %s makes %s; 2 goes there", file_base(book),
                   t->variable);
    else
        ui_message(v->ui, MESSAGE_WARN, "no notebook can be opened here");
    free(path);
    buf_fini(&b);
}
