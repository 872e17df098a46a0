/* ui/ui.c -- the life of the frame: terminals come and go, frames are painted
 * at the terminal's pace, messages, and what views may ask for.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/ui.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "script/kernel.h"
#include "session/task.h"
#include "ui/frame.h"
#include "ui/prompt.h"
#include "ui/tether.h"

/* ---- small things views ask for ---- */

struct session *
ui_session(struct ui *ui)
{
    return ui->session;
}

struct kernel *
ui_kernel(struct ui *ui)
{
    return ui->kernel;
}

struct loop *
ui_loop(struct ui *ui)
{
    return ui->loop;
}

struct view *
ui_at(struct ui *ui)
{
    return ui->n_pushed ? ui->pushed[ui->n_pushed - 1] : ui->tabs[ui->tab];
}

const char *
ui_context(struct ui *ui)
{
    struct view *v = ui_at(ui);
    const char *c = v->class->context ? v->class->context(v) : NULL;

    return c ? c : v->class->name;
}

bool
ui_visible(struct ui *ui, const struct view *v)
{
    return ui->term && !term_suspended(ui->term) && ui_at(ui) == v;
}

bool
ui_has_tab(unsigned tab)
{
    for (unsigned i = 0; i < UI_TABS && view_classes[i]; i++)
        if (i == tab)
            return true;
    return false;
}

/* ---- painting ---- */

static void
on_paint_timer(void *ctx, int events)
{
    struct ui *ui = ctx;

    (void)events;
    ui->paint_timer = NULL;
    if (ui->dirty)
        ui_paint(ui, false);
}

static void
schedule_paint(struct ui *ui)
{
    int64_t wait, patience;

    if (!ui->term || ui->paint_timer || term_suspended(ui->term))
        return;
    wait = ui->painted_ms + UI_PACE_MS - loop_now_ms();
    if (ui->moved && wait < UI_FOLLOW_MS)
        wait = UI_FOLLOW_MS;
    patience = term_patience_ms(ui->term);
    if (patience > wait)
        wait = patience;
    /* What cannot be written now is tried when the terminal takes it. */
    if (term_pending(ui->term))
        return;
    ui->paint_timer =
        loop_timer(ui->loop, wait > 0 ? wait : 0, false, on_paint_timer, ui);
}

void
ui_touch(struct ui *ui)
{
    ui->dirty = true;
    schedule_paint(ui);
}

void
ui_answer(struct ui *ui)
{
    loop_remove(ui->paint_timer);
    ui->paint_timer = NULL;
    ui->painted_ms = 0;
    ui_touch(ui);
}

void
ui_watch_output(struct ui *ui)
{
    int events = LOOP_REENTER;

    if (ui->term && term_pending(ui->term))
        events |= LOOP_WRITE;
    if (ui->writing)
        loop_fd_events(ui->writing, events);
}

void
ui_tell_shown(struct ui *ui)
{
    struct view *now = ui->term ? ui_at(ui) : NULL;
    struct view *was = ui->shown;

    if (now == was)
        return;
    ui->shown = now;
    if (was && was->class->shown)
        was->class->shown(was, false);
    if (now && now->class->shown)
        now->class->shown(now, true);
}

static bool
same_layout(const struct ui *ui, const struct view *v)
{
    return ui->echo_view == v && ui->echo->w == ui->grid->w &&
           ui->echo->h == ui->grid->h && !ui->chooser && !ui->ask.on &&
           memcmp(&ui->echo_layout, &v->layout, sizeof v->layout) == 0;
}

/* A key that only moved the cursor shows at once in its own region; what the
 * other regions tell of the thing under the cursor follows at the pace of the
 * terminal, so a held key draws no details that nobody can read. */
static bool
hold_followers(struct ui *ui)
{
    const struct view *v = ui_at(ui);
    bool held = false;

    if (!ui->moved || !same_layout(ui, v))
        return false;
    for (unsigned i = 0; i < view_regions(v->class); i++) {
        struct rect r = v->layout.placed[i];

        for (int y = r.y; i != v->focus && y < r.y + r.h; y++) {
            size_t at =
                (size_t)(ui->body.y + y) * (size_t)ui->grid->w + (size_t)r.x;
            size_t n = (size_t)r.w * sizeof *ui->grid->cells;

            held |= memcmp(ui->grid->cells + at, ui->echo->cells + at, n) != 0;
            memcpy(ui->grid->cells + at, ui->echo->cells + at, n);
        }
    }
    return held;
}

static void
keep_echo(struct ui *ui)
{
    struct grid *g = ui->echo;

    if (g->w != ui->grid->w || g->h != ui->grid->h)
        grid_resize(g, ui->grid->w, ui->grid->h);
    memcpy(g->cells, ui->grid->cells,
           (size_t)g->w * (size_t)g->h * sizeof *g->cells);
    ui->echo_view = ui_at(ui);
    ui->echo_layout = ui->echo_view->layout;
}

void
ui_paint(struct ui *ui, bool asked)
{
    bool held;
    int w, h;

    if (!ui->term || term_suspended(ui->term))
        return;
    if (!asked && !term_ready(ui->term)) {
        ui->dirty = true;
        schedule_paint(ui);
        return;
    }
    /* A terminal that does not read gets the newest frame when it does. */
    if (term_pending(ui->term) &&
        (!term_flush(ui->term) || term_pending(ui->term))) {
        ui->dirty = true;
        return;
    }
    int64_t begin = loop_now_us();

    ui->dirty = false;
    ui_tell_shown(ui);
    term_size(ui->term, &w, &h);
    if (w != ui->grid->w || h != ui->grid->h)
        grid_resize(ui->grid, w, h);
    frame_draw(ui);
    held = asked && hold_followers(ui);
    term_present(ui->term, ui->grid, &ui->theme, asked);
    keep_echo(ui);
    if (held)
        ui_touch(ui);
    else
        ui->moved = false;
    if (!asked)
        ui->painted_ms = loop_now_ms();
    if (loop_now_us() - begin > ui->slow_us)
        ui->slow_us = loop_now_us() - begin;
    ui_watch_output(ui);
}

/* ---- messages ---- */

static void
on_message_timer(void *ctx, int events)
{
    struct ui *ui = ctx;

    (void)events;
    ui->message_timer = NULL;
    if (ui->line.shown && ui->line.level == MESSAGE_INFO) {
        ui->line.shown = false;
        ui_touch(ui);
    }
}

static void
show_line(struct ui *ui, enum message_level level, const char *text)
{
    if (ui->line.shown && ui->line.level == level &&
        strcmp(ui->line.text, text) == 0)
        return;
    ui->line.level = level;
    ui->line.shown = true;
    snprintf(ui->line.text, sizeof ui->line.text, "%s", text);
    if (ui->message_timer)
        loop_timer_set(ui->message_timer, UI_INFO_MS);
    else
        ui->message_timer =
            loop_timer(ui->loop, UI_INFO_MS, false, on_message_timer, ui);
    ui_touch(ui);
}

void
ui_message(struct ui *ui, enum message_level level, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    show_line(ui, level, text);
    session_message(ui->session, level, "%s", text);
}

void
ui_error(struct ui *ui, const struct error *err)
{
    ui_message(ui, MESSAGE_ERROR, "%s", err->message);
}

/* A long task has ended while nobody looked: ring. */
static void
ring(struct ui *ui)
{
    struct task_view t[8];
    size_t n = task_list(ui->session, t, 8);
    struct term_facts facts;

    for (size_t i = 0; i < n && i < 8; i++) {
        if (t[i].state == TASK_RUNNING || t[i].id <= ui->seen_tasks)
            continue;
        ui->seen_tasks = t[i].id;
        if (ui->focused || !ui->term || t[i].end_ms - t[i].start_ms < UI_FAR_MS)
            continue;
        term_facts(ui->term, &facts);
        struct buf b;

        buf_init(&b);
        if (!facts.plain)
            buf_printf(&b, "\033]9;%s: %s\a", t[i].title,
                       t[i].state == TASK_DONE ? "done" : "not done");
        buf_putc(&b, '\a');
        term_send(ui->term, b.data, b.len);
        buf_fini(&b);
    }
}

static void
on_topics(void *ctx, unsigned topics)
{
    struct ui *ui = ctx;
    struct message m;

    if (topics & TOPIC_MESSAGES && session_message_at(ui->session, 0, &m) &&
        loop_wall_ms() - m.time_ms < UI_INFO_MS)
        show_line(ui, m.level, m.text);
    if (topics & TOPIC_TASKS)
        ring(ui);
    for (unsigned i = 0; i < UI_TABS; i++)
        if (ui->tabs[i] && ui->tabs[i]->class->changed)
            ui->tabs[i]->class->changed(ui->tabs[i], topics);
    for (unsigned i = 0; i < ui->n_pushed; i++)
        if (ui->pushed[i]->class->changed)
            ui->pushed[i]->class->changed(ui->pushed[i], topics);
    ui_touch(ui);
}

/* ---- views ---- */

static unsigned
tab_of(const char *name)
{
    unsigned i = 0;

    while (i < UI_TABS && view_classes[i] &&
           strcmp(view_classes[i]->name, name) != 0)
        i++;
    return i;
}

static struct view *
open_view(struct ui *ui, const struct view_class *class)
{
    struct view *v = class->open(ui);

    v->class = class;
    v->ui = ui;
    return v;
}

static struct view *
tab_view(struct ui *ui, unsigned tab)
{
    if (!ui->tabs[tab])
        ui->tabs[tab] = open_view(ui, view_classes[tab]);
    return ui->tabs[tab];
}

struct view *
ui_view(struct ui *ui, const char *name)
{
    unsigned tab = tab_of(name);

    return ui_has_tab(tab) ? tab_view(ui, tab) : NULL;
}

static void
close_view(struct view *v)
{
    if (v->ui->shown == v) {
        v->ui->shown = NULL;
        if (v->class->shown)
            v->class->shown(v, false);
    }
    /* One with an action on the stack is closed when that is back. */
    if (v->busy)
        v->doomed = true;
    else
        v->class->close(v);
}

void
ui_enter_view(struct view *v)
{
    v->busy++;
}

void
ui_leave_view(struct view *v)
{
    if (--v->busy == 0 && v->doomed)
        v->class->close(v);
}

void
ui_pop(struct ui *ui)
{
    if (ui->n_pushed == 0)
        return;
    if (ui->n_pushed == 1 && !ui->tabs[ui->tab])
        tab_view(ui, ui->tab);
    close_view(ui->pushed[--ui->n_pushed]);
    ui->n_pending = ui->count = 0;
    ui_touch(ui);
}

void
ui_push(struct ui *ui, struct view *v)
{
    v->ui = ui;
    if (ui->n_pushed == UI_PUSHED)
        ui_pop(ui);
    ui->pushed[ui->n_pushed++] = v;
    ui_touch(ui);
}

void
ui_show_tab(struct ui *ui, unsigned tab)
{
    if (!ui_has_tab(tab))
        return;
    tab_view(ui, tab);
    ui->tab = tab;
    while (ui->n_pushed > 0)
        ui_pop(ui);
    ui_touch(ui);
}

bool
ui_goto(struct ui *ui, const char *view, const char *what)
{
    unsigned tab = tab_of(view);
    struct error err;

    if (!ui_has_tab(tab)) {
        ui_message(ui, MESSAGE_WARN, "there is no view \"%s\"", view);
        return false;
    }
    ui_show_tab(ui, tab);
    struct view *v = ui->tabs[tab];

    if (!what || !v->class->show)
        return true;
    ui_enter_view(v);
    bool ok = v->class->show(v, what, &err);

    ui_leave_view(v);
    if (!ok)
        ui_error(ui, &err);
    return ok;
}

void
ui_page(struct ui *ui, const char *title, const char *text, size_t len)
{
    ui_push(ui, page_new(ui, title, text, len));
}

/* ---- questions of one key ---- */

void
ui_choose(struct ui *ui, const char *text, const char *keys,
          void (*done)(void *ctx, char key), void *ctx)
{
    struct ui_choice old = ui->choice;

    ui->choice.on = false;
    if (old.on)
        old.done(old.ctx, 0);
    ask_cancel(ui);
    snprintf(ui->choice.text, sizeof ui->choice.text, "%s", text);
    snprintf(ui->choice.keys, sizeof ui->choice.keys, "%s", keys);
    ui->choice.again = false;
    ui->choice.done = done;
    ui->choice.ctx = ctx;
    ui->choice.on = true;
    ui_touch(ui);
}

struct confirm {
    void (*done)(void *ctx, bool yes);
    void *ctx;
};

static void
confirmed(void *ctx, char key)
{
    struct confirm c = *(struct confirm *)ctx;

    free(ctx);
    c.done(c.ctx, key == 'y' || key == '\r');
}

void
ui_confirm(struct ui *ui, const char *question,
           void (*done)(void *ctx, bool yes), void *ctx)
{
    struct confirm *c = mem_new(sizeof *c);
    char text[256];

    c->done = done;
    c->ctx = ctx;
    snprintf(text, sizeof text, "%.200s  <y> yes  <n> no", question);
    ui_choose(ui, text, "yn\r", confirmed, c);
}

void
ui_end(struct ui *ui)
{
    ui->quit = true;
    if (ui->kernel)
        kernel_interrupt(ui->kernel);
}

static void
leave_chosen(void *ctx, char key)
{
    struct ui *ui = ctx;

    if (key == 'd')
        ui_detach(ui);
    else if (key == 'y' || key == 'q')
        ui_end(ui);
}

/* Tasks that run for a while already: losing a second of work is not worth a
 * question. */
static size_t
tasks_worth_asking(struct ui *ui)
{
    struct task_view t[UI_LOOK];
    size_t n = task_list(ui->session, t, UI_LOOK), found = 0;

    for (size_t i = 0; i < n && i < UI_LOOK; i++)
        found += t[i].state == TASK_RUNNING &&
                 loop_wall_ms() - t[i].start_ms > UI_WORTH_MS;
    return found;
}

bool
ui_runs(struct ui *ui, char *what, size_t size)
{
    size_t n = tasks_worth_asking(ui);
    bool cell = ui->kernel && kernel_running(ui->kernel);

    snprintf(what, size, "%zu %s", n ? n : 1,
             n > 1  ? "tasks run"
             : cell ? "cell runs"
                    : "task runs");
    return n > 0 || cell;
}

void
ui_quit(struct ui *ui)
{
    bool stays = !attach_foreground(ui->server);
    char what[64], text[200];

    if (!ui_runs(ui, what, sizeof what)) {
        ui_end(ui);
        return;
    }
    snprintf(text, sizeof text, "%s: <y> stop and quit%s  <n> stay", what,
             stays ? "  <d> detach, it goes on" : "");
    ui_choose(ui, text, stays ? "ydn" : "yn", leave_chosen, ui);
}

/* ---- life ---- */

struct ui *
ui_new(struct session *s, struct kernel *kernel, struct attach_server *server,
       const struct ui_options *options)
{
    struct ui *ui = mem_new(sizeof *ui);

    ui->session = s;
    ui->tether = tether_new(ui);
    ui->kernel = kernel;
    ui->loop = session_loop(s);
    ui->server = server;
    ui->options = *options;
    ui->keymap = keymap_new();
    ui->grid = grid_new(80, 24);
    ui->echo = grid_new(80, 24);
    theme_default(&ui->theme);
    if (options->theme)
        ui_set_theme(ui, options->theme);
    if (options->n_files == 0 || !view_classes[0])
        ui_push(ui, open_view(ui, &view_start_class));
    session_listen(s, on_topics, ui);
    return ui;
}

static void
on_open_rest(void *ctx, int events)
{
    struct ui *ui = ctx;

    (void)events;
    for (unsigned i = 0; i < UI_TABS && view_classes[i]; i++)
        tab_view(ui, i);
    ui_touch(ui);
}

/* kill: as :quit, without the question. */
static void
on_sigterm(void *ctx, int signo)
{
    struct ui *ui = ctx;

    ui->status = 128 + signo;
    ui->quit = true;
    if (ui->kernel)
        kernel_interrupt(ui->kernel);
}

int
ui_run(struct ui *ui)
{
    struct loop_watch *sigterm = loop_signal(ui->loop, SIGTERM, on_sigterm, ui);

    if (ui->n_pushed == 0)
        tab_view(ui, 0);
    screen_serve(ui);
    /* The first frame does not wait for the views that it does not show. */
    loop_timer(ui->loop, 50, false, on_open_rest, ui);
    while (!ui->quit)
        loop_turn(ui->loop, -1);
    loop_remove(sigterm);
    ui_leave_terminal(ui, true);
    attach_give_back(ui->server, ui->status,
                     ui->status > 128 ? "lathe: the workbench was told to end; "
                                        "what was saved is there at the next "
                                        "start"
                                      : "");
    return ui->status;
}

void
ui_free(struct ui *ui)
{
    if (!ui)
        return;
    session_unlisten(ui->session, on_topics, ui);
    tether_cut(ui->tether);
    ui_leave_terminal(ui, true);
    if (ui->chooser)
        chooser_close(ui, SIZE_MAX);
    while (ui->n_pushed > 0)
        close_view(ui->pushed[--ui->n_pushed]);
    for (unsigned i = 0; i < UI_TABS; i++)
        if (ui->tabs[i])
            close_view(ui->tabs[i]);
    loop_remove(ui->message_timer);
    loop_remove(ui->prefix_timer);
    prompt_close();
    keymap_free(ui->keymap);
    grid_free(ui->grid);
    grid_free(ui->echo);
    attach_server_free(ui->server);
    free(ui);
}

struct main_call {
    const struct ui_options *options;
};

static int
serve(void *ctx, struct attach_server *server)
{
    const struct main_call *m = ctx;

    return m->options->serve(m->options->ctx, server, m->options);
}

int
ui_main(const struct ui_options *options)
{
    struct main_call m = {options};
    struct attach_options o = {.project = options->project,
                               .files = options->files,
                               .n_files = options->n_files,
                               .color = options->color,
                               .theme = options->theme,
                               .glyphs = options->glyphs,
                               .no_server = options->no_server,
                               .attach_only = options->attach_only,
                               .serve = serve,
                               .ctx = &m};

    return attach_main(&o);
}
