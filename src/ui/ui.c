/* ui/ui.c -- the life of the frame: terminals come and go, frames are painted
 * at the terminal's pace, messages, and what views may ask for.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/ui.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "script/kernel.h"
#include "session/task.h"
#include "ui/frame.h"

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

const struct theme *
ui_theme(struct ui *ui)
{
    return &ui->theme;
}

struct keymap *
ui_keymap(struct ui *ui)
{
    return ui->keymap;
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

static void
watch_output(struct ui *ui)
{
    int events = LOOP_REENTER;

    if (ui->term && term_pending(ui->term))
        events |= LOOP_WRITE;
    if (ui->writing)
        loop_fd_events(ui->writing, events);
}

static void
tell_shown(struct ui *ui)
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

void
ui_paint(struct ui *ui, bool asked)
{
    int w, h;

    if (!ui->term || term_suspended(ui->term))
        return;
    if (!asked && !term_ready(ui->term)) {
        ui->dirty = true;
        schedule_paint(ui);
        return;
    }
    /* A terminal that does not read gets the newest frame when it does. */
    if (term_pending(ui->term)) {
        ui->dirty = true;
        return;
    }
    int64_t begin = loop_now_us();

    ui->dirty = false;
    tell_shown(ui);
    term_size(ui->term, &w, &h);
    if (w != ui->grid->w || h != ui->grid->h)
        grid_resize(ui->grid, w, h);
    frame_draw(ui);
    term_present(ui->term, ui->grid, &ui->theme, asked);
    if (!asked)
        ui->painted_ms = loop_now_ms();
    if (loop_now_us() - begin > ui->slow_us)
        ui->slow_us = loop_now_us() - begin;
    watch_output(ui);
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

/* Views with an action on the stack stay until it is back. */
static bool
close_view(struct view *v)
{
    if (v->busy)
        return false;
    if (v->ui->shown == v) {
        v->ui->shown = NULL;
        if (v->class->shown)
            v->class->shown(v, false);
    }
    v->class->close(v);
    return true;
}

void
ui_pop(struct ui *ui)
{
    if (ui->n_pushed == 0)
        return;
    if (ui->n_pushed == 1 && !ui->tabs[ui->tab])
        tab_view(ui, ui->tab);
    if (close_view(ui->pushed[ui->n_pushed - 1]))
        ui->n_pushed--;
    ui->n_pending = ui->count = 0;
    ui_touch(ui);
}

void
ui_push(struct ui *ui, struct view *v)
{
    v->ui = ui;
    if (ui->n_pushed == UI_PUSHED)
        ui_pop(ui);
    if (ui->n_pushed == UI_PUSHED) {
        v->class->close(v);
        return;
    }
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
    while (ui->n_pushed > 0) {
        unsigned before = ui->n_pushed;

        ui_pop(ui);
        if (ui->n_pushed == before)
            break;
    }
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
    v->busy++;
    bool ok = v->class->show(v, what, &err);

    v->busy--;
    if (!ok)
        ui_error(ui, &err);
    return ok;
}

void
ui_page(struct ui *ui, const char *title, const char *text, size_t len)
{
    ui_push(ui, page_new(ui, title, text, len));
}

/* ---- the terminal ---- */

static void on_esc_timer(void *ctx, int events);

static void
read_events(struct ui *ui)
{
    struct input_event e;
    bool keys = false;

    while (ui->term && input_next(ui->input, &e)) {
        switch (e.kind) {
        case INPUT_KEY:
        case INPUT_PASTE:
            keys = true;
            action_key(ui, &e);
            break;
        case INPUT_MOUSE:
            keys = true;
            action_mouse(ui, &e);
            break;
        case INPUT_FOCUS:
            ui->focused = e.on;
            break;
        case INPUT_STATUS:
            term_answered(ui->term);
            if (ui->paint_timer)
                loop_timer_set(ui->paint_timer, 0);
            break;
        case INPUT_COLOUR:
            if (e.which == 11 && !ui->theme_fixed) {
                bool light =
                    theme_contrast((int32_t)(THEME_RGB | e.rgb), 0) > 6;

                if (light != ui->theme.light) {
                    ui_set_theme(ui, light ? "light" : "dark");
                    ui->theme_fixed = false;
                }
            }
            break;
        }
    }
    if (keys)
        ui_paint(ui, true);
    if (ui->term && input_waits(ui->input) && !ui->esc_timer)
        ui->esc_timer =
            loop_timer(ui->loop, INPUT_ESC_MS, false, on_esc_timer, ui);
}

static void
on_esc_timer(void *ctx, int events)
{
    struct ui *ui = ctx;

    (void)events;
    ui->esc_timer = NULL;
    input_flush(ui->input);
    read_events(ui);
}

/* The line is gone: the client, if there still is one, is told to go. */
static void
terminal_lost(struct ui *ui)
{
    ui_leave_terminal(ui, false);
    attach_give_back(ui->server, 1, "");
    if (attach_foreground(ui->server))
        ui->quit = true;
}

static void
on_input(void *ctx, int events)
{
    struct ui *ui = ctx;

    (void)events;
    if (!ui->term || term_suspended(ui->term))
        return;
    if (!term_read(ui->term, ui->input)) {
        terminal_lost(ui);
        return;
    }
    read_events(ui);
}

static void
on_output(void *ctx, int events)
{
    struct ui *ui = ctx;

    (void)events;
    if (!ui->term)
        return;
    if (!term_flush(ui->term)) {
        terminal_lost(ui);
        return;
    }
    watch_output(ui);
    if (!term_pending(ui->term) && ui->dirty)
        ui_paint(ui, true);
}

static void
watch_terminal(struct ui *ui)
{
    ui->reading = loop_fd(ui->loop, term_fd_in(ui->term),
                          LOOP_READ | LOOP_REENTER, on_input, ui);
    ui->writing =
        loop_fd(ui->loop, term_fd_out(ui->term), LOOP_REENTER, on_output, ui);
    watch_output(ui);
}

static void
unwatch_terminal(struct ui *ui)
{
    loop_remove(ui->reading);
    loop_remove(ui->writing);
    loop_remove(ui->esc_timer);
    loop_remove(ui->paint_timer);
    ui->reading = ui->writing = ui->esc_timer = ui->paint_timer = NULL;
}

/* What the watchdog's thread writes to while the main thread sits in C. */
static _Atomic int watchdog_fd = -1;

static void
watchdog_says(void *ctx, const char *line)
{
    char text[400];
    int fd = atomic_load(&watchdog_fd);

    (void)ctx;
    log_write(LOG_WARN, "%s", line);
    snprintf(text, sizeof text, "\0337\r\n\033[7m %.300s \033[0m\0338", line);
    if (fd >= 0) {
        ssize_t n = write(fd, text, strlen(text));

        (void)n;
    }
}

static void
tell_watchdog(struct ui *ui)
{
    atomic_store(&watchdog_fd, ui->term ? term_fd_out(ui->term) : -1);
    if (ui->kernel)
        kernel_watchdog(ui->kernel, watchdog_says,
                        ui->term ? term_fd_in(ui->term) : -1, ui);
}

void
ui_leave_terminal(struct ui *ui, bool restore)
{
    if (!ui->term)
        return;
    unwatch_terminal(ui);
    term_close(ui->term, restore);
    ui->term = NULL;
    input_free(ui->input);
    ui->input = NULL;
    ui->which_key = false;
    ui->n_pending = ui->count = 0;
    tell_watchdog(ui);
    tell_shown(ui);
}

void
ui_set_theme(struct ui *ui, const char *name)
{
    struct theme t;
    struct buf warnings;
    struct error err;

    buf_init(&warnings);
    if (!theme_load(&t, name, &warnings, &err)) {
        ui_error(ui, &err);
    } else {
        ui->theme = t;
        ui->theme_fixed = true;
        if (warnings.len > 0)
            ui_message(ui, MESSAGE_WARN, "theme %s: %.*s", name,
                       (int)strcspn(warnings.data, "\n"), warnings.data);
        ui_touch(ui);
    }
    buf_fini(&warnings);
}

static bool
is_notebook(const char *path)
{
    size_t n = strlen(path);

    return n > 4 && strcmp(path + n - 4, ".lua") == 0;
}

static void
open_files(struct ui *ui, const char *const *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ui_goto(ui, is_notebook(files[i]) ? "notebook" : "data", files[i]);
}

static void
set_title(struct ui *ui)
{
    char title[160];

    snprintf(title, sizeof title, "lathe %s",
             file_base(session_project(ui->session)));
    term_set_title(ui->term, title);
}

static void
on_attached(void *ctx, const struct attach_terminal *a)
{
    struct ui *ui = ctx;
    struct term_options o = {.fd_in = a->fd_in,
                             .fd_out = a->fd_out,
                             .name = a->term,
                             .color = a->color,
                             .glyphs = *a->glyphs ? a->glyphs : NULL,
                             .no_color = a->no_color,
                             .force_color = a->force_color,
                             .utf8 = a->utf8,
                             .tmux = a->tmux};
    struct error err;
    int w, h;

    ui_leave_terminal(ui, true);
    ui->input = input_new();
    ui->term = term_open(&o, ui->input, &err);
    if (!ui->term) {
        input_free(ui->input);
        ui->input = NULL;
        attach_give_back(ui->server, 1, err.message);
        return;
    }
    snprintf(ui->where, sizeof ui->where, "%s", a->where);
    ui->focused = true;
    if (*a->theme)
        ui_set_theme(ui, a->theme);
    term_size(ui->term, &w, &h);
    if (ui->kernel)
        kernel_set_width(ui->kernel, w > 24 ? (size_t)w - 4 : 20);
    watch_terminal(ui);
    tell_watchdog(ui);
    open_files(ui, a->files, a->n_files);
    ui_paint(ui, true);
    if (!ui->term)
        return;
    set_title(ui);
    if (!ui->theme_fixed)
        term_ask_background(ui->term);
    watch_output(ui);
}

static void
on_released(void *ctx, bool gone)
{
    struct ui *ui = ctx;

    ui_leave_terminal(ui, true);
    if (gone && attach_foreground(ui->server))
        ui->quit = true;
}

static void
on_resized(void *ctx)
{
    struct ui *ui = ctx;

    ui_paint(ui, true);
}

void
ui_suspend_here(struct ui *ui)
{
    if (!ui->term || term_suspended(ui->term))
        return;
    unwatch_terminal(ui);
    term_suspend(ui->term);
}

static void
on_suspend(void *ctx)
{
    struct ui *ui = ctx;

    ui_suspend_here(ui);
    attach_stop(ui->server);
}

static void
take_terminal_back(struct ui *ui)
{
    struct error err;

    if (!ui->term)
        return;
    if (!term_resume(ui->term, &err)) {
        terminal_lost(ui);
        return;
    }
    watch_terminal(ui);
    ui_paint(ui, true);
    if (ui->term)
        set_title(ui);
}

static void
on_continued(void *ctx)
{
    take_terminal_back(ctx);
}

void
ui_detach(struct ui *ui)
{
    char text[200];

    if (attach_foreground(ui->server)) {
        ui_message(ui, MESSAGE_WARN,
                   "this workbench runs in the foreground and ends with its "
                   "terminal; start `lathe` without --no-server to detach");
        return;
    }
    snprintf(text, sizeof text,
             "lathe: detached; `lathe` comes back, `lathe ps` lists");
    ui_leave_terminal(ui, true);
    attach_give_back(ui->server, 0, text);
}

static void
on_detach(void *ctx)
{
    struct ui *ui = ctx;

    if (!attach_foreground(ui->server)) {
        ui_detach(ui);
        return;
    }
    ui_leave_terminal(ui, true);
    attach_give_back(ui->server, 143, "");
    ui->quit = true;
    if (ui->kernel)
        kernel_interrupt(ui->kernel);
}

static void
on_describe(void *ctx, struct buf *out)
{
    struct ui *ui = ctx;

    buf_printf(
        out, "%s  pid %ld  %zu tasks running  %s%s",
        session_project(ui->session), (long)getpid(), task_running(ui->session),
        ui->term ? "attached at " : "detached", ui->term ? ui->where : "");
}

/* ---- programs on the terminal ---- */

struct lent { /* one at a time: the terminal is away meanwhile */
    void (*done)(void *ctx, int status);
    void *ctx;
};
static struct lent lent;

static void
on_ran(void *ctx, int status)
{
    struct lent l = lent;

    take_terminal_back(ctx);
    lent = (struct lent){NULL, NULL};
    if (l.done)
        l.done(l.ctx, status);
    ui_paint(ctx, true);
}

void
ui_edit(struct ui *ui, const char *path, int line,
        void (*done)(void *ctx, int status), void *ctx)
{
    /* The editor is that of whoever sits at the terminal, and may be a name
     * with arguments: the shell over there knows. */
    const char *argv[8] = {"sh", "-c", "exec ${VISUAL:-${EDITOR:-vi}} \"$@\"",
                           "sh"};
    size_t n = 4;
    char at[24];

    if (!ui->term || lent.done)
        return;
    if (line > 0) {
        snprintf(at, sizeof at, "+%d", line);
        argv[n++] = at;
    }
    argv[n] = path;
    lent = (struct lent){done, ctx};
    ui_suspend_here(ui);
    attach_run(ui->server, session_project(ui->session), argv);
}

/* ---- the clipboard ---- */

enum { OSC52_MAX = 74000 }; /* about 100 kB as base64 */

static void
base64(const char *p, size_t n, struct buf *out)
{
    static const char digit[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)(unsigned char)p[i] << 16 |
                     (i + 1 < n ? (uint32_t)(unsigned char)p[i + 1] << 8 : 0) |
                     (i + 2 < n ? (uint32_t)(unsigned char)p[i + 2] : 0);

        buf_putc(out, digit[v >> 18]);
        buf_putc(out, digit[v >> 12 & 63]);
        buf_putc(out, i + 1 < n ? digit[v >> 6 & 63] : '=');
        buf_putc(out, i + 2 < n ? digit[v & 63] : '=');
    }
}

static void
copy_to_file(struct ui *ui, const char *text, size_t len, const char *what)
{
    char path[64];
    struct error err;

    snprintf(path, sizeof path, "/tmp/lathe-%u-copy.txt", (unsigned)geteuid());
    if (file_replace(path, text, len, 0600, &err))
        ui_message(ui, MESSAGE_INFO,
                   "%s is too long for a clipboard; it is in %s", what, path);
    else
        ui_error(ui, &err);
}

/* Inside tmux its own buffer is surer than an escape it may swallow. */
static bool
copy_to_tmux(const char *text, size_t len)
{
    static const char *const argv[] = {"tmux", "load-buffer", "-w", "-", NULL};
    struct proc_options o = {.fd_in = -1, .fd_out = -1, .fd_err = -1};
    struct error err;
    int pipe_fd[2];
    pid_t pid;
    bool ok;

    if (len > 60000 || pipe(pipe_fd) < 0)
        return false;
    /* It fits the pipe: this does not wait for the reader. */
    ssize_t n = write(pipe_fd[1], text, len);

    close(pipe_fd[1]);
    o.fd_in = pipe_fd[0];
    ok = n == (ssize_t)len && proc_start(argv, &o, &pid, &err);
    close(pipe_fd[0]);
    return ok;
}

void
ui_copy(struct ui *ui, const char *text, size_t len, const char *what)
{
    struct term_facts facts;
    struct buf b;

    if (!ui->term)
        return;
    term_facts(ui->term, &facts);
    if (len > OSC52_MAX || facts.plain) {
        copy_to_file(ui, text, len, what);
        return;
    }
    if (facts.tmux && copy_to_tmux(text, len)) {
        ui_message(ui, MESSAGE_INFO, "%s: sent to tmux's buffer and beyond",
                   what);
        return;
    }
    buf_init(&b);
    buf_puts(&b, "\033]52;c;");
    base64(text, len, &b);
    buf_puts(&b, "\a");
    term_send(ui->term, b.data, b.len);
    watch_output(ui);
    buf_fini(&b);
    ui_message(ui, MESSAGE_INFO, "%s: sent to the terminal (OSC 52)", what);
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
    ui_choose(ui, text, "y\r", confirmed, c);
}

static void
leave_chosen(void *ctx, char key)
{
    struct ui *ui = ctx;

    if (key == 'd') {
        ui_detach(ui);
    } else if (key == 'y' || key == 'q') {
        ui->quit = true;
        if (ui->kernel)
            kernel_interrupt(ui->kernel);
    }
}

void
ui_quit(struct ui *ui)
{
    size_t n = task_running(ui->session);
    bool cell = ui->kernel && kernel_running(ui->kernel);
    char text[200];

    if (n == 0 && !cell) {
        leave_chosen(ui, 'y');
        return;
    }
    snprintf(text, sizeof text, "%zu %s: <y> stop and quit%s  <n> stay",
             n ? n : 1,
             n > 1  ? "tasks run"
             : cell ? "cell runs"
                    : "task runs",
             attach_foreground(ui->server) ? "" : "  <d> detach, it goes on");
    ui_choose(ui, text, attach_foreground(ui->server) ? "y" : "yd",
              leave_chosen, ui);
}

/* ---- life ---- */

struct ui *
ui_new(struct session *s, struct kernel *kernel, struct attach_server *server,
       const struct ui_options *options)
{
    struct ui *ui = mem_new(sizeof *ui);

    ui->session = s;
    ui->kernel = kernel;
    ui->loop = session_loop(s);
    ui->server = server;
    ui->options = *options;
    ui->keymap = keymap_new();
    ui->grid = grid_new(80, 24);
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

int
ui_run(struct ui *ui)
{
    const struct attach_events events = {.attached = on_attached,
                                         .released = on_released,
                                         .resized = on_resized,
                                         .suspend = on_suspend,
                                         .continued = on_continued,
                                         .ran = on_ran,
                                         .detach = on_detach,
                                         .describe = on_describe,
                                         .ctx = ui};

    if (ui->n_pushed == 0)
        tab_view(ui, 0);
    attach_serve(ui->server, ui->loop, &events);
    /* The first frame does not wait for the views that it does not show. */
    loop_timer(ui->loop, 50, false, on_open_rest, ui);
    while (!ui->quit)
        loop_turn(ui->loop, -1);
    ui_leave_terminal(ui, true);
    attach_give_back(ui->server, ui->status, "");
    return ui->status;
}

void
ui_free(struct ui *ui)
{
    if (!ui)
        return;
    session_unlisten(ui->session, on_topics, ui);
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
    keymap_free(ui->keymap);
    grid_free(ui->grid);
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
