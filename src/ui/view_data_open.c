/* ui/view_data_open.c -- files that become tables.
 *
 * One task reads the head of the file and then all of it.  The head comes
 * by mail and is looked at in place of what was before, which is put aside:
 *
 *   opening   before   on the screen
 *   NULL      NULL     a table, or none
 *   set       NULL     the same; the head is not there yet, or there is none
 *   set       set      first rows; `before` comes back unless all goes well
 *
 * A task whose file is waited for no longer goes on and adds its table; one
 * that was stopped adds nothing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/file.h"
#include "base/mem.h"
#include "frame/stream_verbs.h"
#include "session/beyond.h"
#include "session/shelf.h"
#include "session/task.h"
#include "ui/tether.h"
#include "ui/ui.h"

enum { REFRESH_MS = 250, SOON_MS = 200, SHARE_CELLS = 22 };
enum { FIRST_ROWS = 100000 }; /* of a table beyond memory, at most */
#define MIB 1048576.0
#define JUDGED 0.02 /* done, before the time left is said */

struct data_opening {
    struct task *task;
    char *path;
    struct call *call; /* how it is read; NULL: as it says itself */
    struct reading_options reading; /* out of the call */
    struct csv_table head;          /* the main thread's once it is posted */
    size_t n_bytes; /* of the whole text, 0: not known; likewise */
    struct csv_table table;
    bool beyond;     /* memory: the table is its first rows, ... */
    uint64_t n_rows; /* ... of so many, ... */
    bool rows_known; /* ... or about so many */
    struct tether *view;
    bool stopped;
};

static void
opening_free(struct data_opening *o)
{
    csv_table_fini(&o->head);
    csv_table_fini(&o->table);
    if (o->call)
        reading_options_fini(&o->reading);
    call_free(o->call);
    free(o->path);
    free(o);
}

/* ---- which file is waited for ---- */

static void
on_timer(void *ctx, int events)
{
    struct view_data *d = ctx;

    (void)events;
    if (ui_visible(d->view.ui, &d->view))
        ui_touch(d->view.ui);
}

static void
wait_for(struct view_data *d, struct data_opening *o)
{
    d->opening = o;
    if (o && !d->timer)
        d->timer =
            loop_timer(ui_loop(d->view.ui), REFRESH_MS, true, on_timer, d);
    if (!o) {
        loop_remove(d->timer);
        d->timer = NULL;
    }
}

/* What was before the first rows. */
static void
put_back(struct view_data *d)
{
    if (!d->before)
        return;
    data_look_free(d->look);
    d->look = d->before;
    d->before = NULL;
}

static void
give_up(struct view_data *d)
{
    wait_for(d, NULL);
    put_back(d);
    d->look->version = 0; /* whatever has happened to it meanwhile */
    data_look_again(d);
    ui_answer(d->view.ui);
}

void
data_open_leave(struct view_data *d)
{
    if (d->opening)
        wait_for(d, NULL);
    put_back(d);
}

void
data_open_stop(struct view_data *d)
{
    struct data_opening *o = d->opening;

    if (!o)
        return;
    o->stopped = true;
    task_cancel(o->task);
    ui_message(d->view.ui, MESSAGE_INFO, "%s is not opened",
               file_base(o->path));
    give_up(d);
}

bool
data_open_is(const struct view_data *d, const char *path)
{
    return d->opening && strcmp(d->opening->path, path) == 0;
}

const char *
data_open_path(const struct view_data *d)
{
    return d->opening ? d->opening->path : "";
}

/* ---- the task ---- */

static void
show_head(void *ctx)
{
    struct data_opening *o = ctx;
    struct view_data *d = tether_end(tether_hold(o->view));

    if (!d || d->opening != o)
        return;
    d->before = d->look;
    d->look = data_look_new();
    sheet_set(&d->look->sheet, o->head.frame, NULL);
    list_set(&d->look->columns, frame_cols(o->head.frame));
    ui_answer(d->view.ui);
}

static const struct source_options *
how(const struct data_opening *o)
{
    return o->call ? &o->reading.source : NULL;
}

/* The head, when there is one; false when there is no table. */
static bool
read_head(struct task *t, struct data_opening *o, struct error *err)
{
    struct csv_table head;
    size_t n;

    if (!source_read_head(o->path, how(o), &head, &n, err))
        return err->code == ERR_LIMIT || err->code == ERR_NOMEM;
    if (head.n_bytes == n) {
        o->table = head;
        return true;
    }
    o->head = head;
    o->n_bytes = n;
    mailbox_post(loop_mailbox(session_loop(task_session(t))), show_head, o);
    return true;
}

/* One batch at most, with the types that all rows have. */
static struct frame *
read_batch(struct data_opening *o, struct stream *s, struct error *err)
{
    struct frame *f = NULL, *first;

    o->rows_known = stream_rows(s, &o->n_rows);
    stream_told(s, &o->table);
    o->table.frame = o->table.rejects = NULL;
    if (!stream_next(s, &f, err))
        return NULL;
    if (!f)
        return frame_ref(stream_head(s));
    if (frame_rows(f) <= FIRST_ROWS)
        return f;
    first = frame_slice(f, 0, FIRST_ROWS, err);
    frame_unref(f);
    return first;
}

static bool
read_first(struct task *t, struct data_opening *o, struct error *err)
{
    const struct frame *rejects;
    struct stream *s;

    s = shelf_stream(task_session(t), o->path, how(o), task_progress(t), err);
    if (!s)
        return false;
    o->table.frame = read_batch(o, s, err);
    rejects = stream_rejects(s, &o->table.n_rejected);
    o->table.rejects = frame_ref(rejects);
    stream_close(s);
    return o->table.frame && progress_check(task_progress(t), err);
}

static bool
run_open(struct task *t, void *ctx, struct error *err)
{
    struct data_opening *o = ctx;

    o->beyond = stream_wanted(o->path, how(o));
    if (!read_head(t, o, err))
        return false;
    if (!o->table.frame && o->beyond)
        return read_first(t, o, err);
    return o->table.frame || shelf_read(task_session(t), o->path, how(o),
                                        task_progress(t), &o->table, err);
}

/* The first rows are those of the table, unless one of them was a header and
 * is none, or the other way round: the cursor stays on its row. */
static void
become(struct view_data *d, const struct data_opening *o,
       const struct table *table)
{
    struct data_look *look = d->look;
    size_t *at = &look->sheet.row.at, *top = &look->sheet.row.top;

    data_look_keep(d, d->before);
    d->before = NULL;
    snprintf(look->table, sizeof look->table, "%s", table->name);
    if (o->head.header && !o->table.header) {
        ++*at;
        ++*top;
    } else if (!o->head.header && o->table.header) {
        *at -= *at > 0;
        *top -= *top > 0;
    }
}

static void
say_foreign(struct session *s, const struct data_opening *o)
{
    struct buf text;

    buf_init(&text);
    reading_say_foreign(&o->table, &text);
    session_message(s, MESSAGE_WARN, "%s: %s", file_base(o->path), text.data);
    buf_fini(&text);
}

static void
set_beyond(struct data_opening *o, struct session *s, struct table *table)
{
    struct beyond *b =
        beyond_new(o->path, o->call, &o->reading, o->n_rows, o->rows_known);
    char first[STR_F64_MAX];

    o->call = NULL;
    session_set_beyond(s, table, b);
    beyond_unref(b);
    str_from_count(frame_rows(table->base), first);
    session_message(s, MESSAGE_WARN,
                    "larger than memory: these are the first %s rows; f, F, I "
                    "and gx go through all",
                    first);
}

static void
add_table(struct data_opening *o, struct session *s, struct view_data *d)
{
    bool waited_for = d && d->opening == o;
    struct table *table =
        session_add_table(s, file_base(o->path), o->path, o->table.frame);

    if (o->beyond)
        set_beyond(o, s, table);
    else if (o->call)
        session_set_reading(s, table, &o->reading.source);
    table->rejects = frame_ref(o->table.rejects);
    table->n_rejected = o->table.n_rejected;
    table->n_foreign = o->table.n_foreign;
    session_touch_table(s, table);
    if (waited_for) {
        wait_for(d, NULL);
        if (d->before)
            become(d, o, table);
        data_look_at(d, table);
        ui_answer(d->view.ui);
    } else if (d) {
        session_message(s, MESSAGE_INFO, "%s is open", table->name);
    }
    if (table->n_foreign > 0)
        say_foreign(s, o);
    if (table->n_rejected > 0)
        session_message(s, MESSAGE_WARN,
                        "%zu rows of %s were set aside: :rejects shows "
                        "them with the reason",
                        table->n_rejected, table->name);
}

static void
open_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct data_opening *o = ctx;
    struct session *s = task_session(t);
    struct view_data *d = tether_end(o->view);

    if (ok && !o->stopped)
        add_table(o, s, d);
    else if (d && d->opening == o)
        give_up(d);
    if (!ok && err->code != ERR_CANCELLED)
        session_message(s, MESSAGE_ERROR, "%s", err->message);
    opening_free(o);
}

/* The words behind the file's name to o->call. */
static bool
take_options(struct data_opening *o, const char *words, struct error *err)
{
    enum { MAX = 64 };
    char *word[MAX], *store = mem_new(strlen(words) + MAX + 1);
    int n = ui_split_words(words, store, word, MAX);

    o->call = call_parse(&reading_open, n, (const char *const *)word, err);
    free(store);
    if (o->call && reading_options_init(&o->reading, o->call, false, err))
        return true;
    call_free(o->call);
    o->call = NULL;
    return false;
}

void
data_open_file(struct view_data *d, const char *what)
{
    struct data_opening *o = mem_new(sizeof *o);
    const char *options = file_exists(what) ? NULL : strstr(what, " --");
    char *path = mem_text(what);
    struct error err;
    char title[300];

    if (options)
        path[options - what] = '\0';
    if (options && !take_options(o, options, &err)) {
        session_message(data_session(d), MESSAGE_ERROR, "%s", err.message);
        opening_free(o);
        free(path);
        return;
    }
    data_open_leave(d);
    o->path = path[0] == '/'
                  ? mem_text(path)
                  : file_join(session_project(data_session(d)), path);
    free(path);
    o->view = tether_hold(d->tether);
    snprintf(title, sizeof title, "open %s", file_base(o->path));
    o->task = task_start(data_session(d), &(struct task_spec){.title = title,
                                                              .run = run_open,
                                                              .done = open_done,
                                                              .ctx = o});
    wait_for(d, o);
}

/* ---- how far it is ---- */

static double
share_of(const struct task_view *v)
{
    return v->total > 0 ? fmin(1, (double)v->done / (double)v->total) : NAN;
}

/* "43% · 2.1 s left"; a time is said when there is something to judge from. */
static void
say_share(const struct task_view *v, struct buf *out)
{
    char left[STR_F64_MAX];

    if (v->total == 0) {
        buf_puts(out, "…");
        return;
    }
    buf_printf(out, "%.0f%%", floor(100 * share_of(v)));
    if (!isfinite(v->eta_s) || share_of(v) < JUDGED)
        return;
    str_from_seconds(v->eta_s, left);
    buf_printf(out, " · %s left", left);
}

void
data_open_words(struct view_data *d, struct buf *out)
{
    struct task_view v;

    task_look(d->opening->task, &v);
    if (!d->before && loop_wall_ms() - v.start_ms < SOON_MS)
        return;
    buf_puts(out, "loading ");
    if (!d->before)
        buf_printf(out, "%s ", file_base(d->opening->path));
    say_share(&v, out);
}

/* Two digits of a number that is not known better: 1,000,000. */
static uint64_t
about(double n)
{
    double unit = pow(10, fmax(0, floor(log10(fmax(n, 1))) - 1));

    return (uint64_t)(round(n / unit) * unit);
}

void
data_open_title(struct view_data *d, struct buf *out)
{
    const struct data_opening *o = d->opening;
    char rows[STR_F64_MAX], all[STR_F64_MAX];
    size_t n = d->look->sheet.n_rows;

    buf_puts(out, file_base(o->path));
    if (!d->before)
        return;
    str_from_count(n, rows);
    buf_printf(out, " · first %s rows", rows);
    if (o->n_bytes > 0) {
        str_from_count(
            about((double)n * (double)o->n_bytes / (double)o->head.n_bytes),
            all);
        buf_printf(out, " of about %s", all);
    }
    buf_printf(out, " × %zu columns", frame_cols(o->head.frame));
}

bool
data_open_bar(const struct view_data *d)
{
    return d->before && d->view.layout.placed[DATA_REGION_DETAIL].w > 0;
}

void
data_open_draw(struct view_data *d, const struct canvas *c, int y)
{
    int w = c->w - SHARE_CELLS;
    struct task_view v;
    struct buf share;

    task_look(d->opening->task, &v);
    buf_init(&share);
    say_share(&v, &share);
    draw_progress(c, 1, y, w - 2, ROLE_INFO, share_of(&v));
    draw_text(c, w, y++, ROLE_TEXT, share.data);
    buf_fini(&share);
    if (v.total > 0)
        draw_printf(c, 1, y, ROLE_TEXT, "%s: %.0f of %.0f MiB", v.stage,
                    (double)v.done / MIB, (double)v.total / MIB);
    draw_markup(c, w, y++, ROLE_DIM, "<Esc> stops it");
    if (d->before && y < c->h)
        draw_wrap(c, (struct rect){1, y, c->w - 2, c->h - y}, ROLE_DIM,
                  d->opening->beyond
                      ? STR("Larger than memory: all rows are gone through for "
                            "their types, the first ones stay.")
                      : STR("Types are those of the first rows; all rows "
                            "decide."));
}
