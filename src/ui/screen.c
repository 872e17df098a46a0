/* ui/screen.c -- the terminal the frame is on: it comes, is read, lent to other
 * programs, and goes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/frame.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"
#include "script/kernel.h"
#include "session/task.h"

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
            term_background_known(ui->term);
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
    ui_watch_output(ui);
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
    ui_watch_output(ui);
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

/* A program has the terminal: one at a time. */
struct lent {
    void (*done)(void *ctx, int status);
    void *ctx;
};
static struct lent lent;

/* Its end will be told (status < 0: not) to nobody else. */
static void
end_lent(int status)
{
    struct lent l = lent;

    lent = (struct lent){NULL, NULL};
    if (l.done)
        l.done(l.ctx, status);
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
    ui_tell_shown(ui);
    /* Its client is gone, though the program may not have ended. */
    end_lent(-1);
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
    ui_watch_output(ui);
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

    /* Also to the size it had: what the terminal cut meanwhile is gone. */
    if (ui->term)
        term_redraw(ui->term);
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
    ui_end(ui);
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

static bool
on_quit(void *ctx, bool force, struct buf *out)
{
    struct ui *ui = ctx;
    char what[64];

    if (!force && ui_runs(ui, what, sizeof what)) {
        buf_printf(out,
                   "%s: `lathe quit --force` stops it, `lathe attach` "
                   "looks at it",
                   what);
        return false;
    }
    buf_puts(out, "ended");
    if (ui->term) {
        ui_leave_terminal(ui, true);
        attach_give_back(ui->server, 0, "lathe: ended by `lathe quit`");
    }
    ui_end(ui);
    return true;
}

/* ---- programs on the terminal ---- */

static void
on_ran(void *ctx, int status)
{
    take_terminal_back(ctx);
    end_lent(status);
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
    ui_watch_output(ui);
    buf_fini(&b);
    ui_message(ui, MESSAGE_INFO, "%s: sent to the terminal (OSC 52)", what);
}

/* ---- life ---- */

void
screen_serve(struct ui *ui)
{
    const struct attach_events events = {.attached = on_attached,
                                         .released = on_released,
                                         .resized = on_resized,
                                         .suspend = on_suspend,
                                         .continued = on_continued,
                                         .ran = on_ran,
                                         .detach = on_detach,
                                         .describe = on_describe,
                                         .quit = on_quit,
                                         .ctx = ui};

    attach_serve(ui->server, ui->loop, &events);
}
