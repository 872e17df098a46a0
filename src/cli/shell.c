/* cli/shell.c -- a command of the table on the shell.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/shell.h"

#include <errno.h>
#include <langinfo.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/str.h"
#include "base/torn.h"
#include "jobs/job.h"

enum {
    DRAW_MS = 200,
    REPORT_MS = 1000,
    BAR_CELLS = 24,
    PIPE_WIDTH = 250,
    WIDEST = 500
};

static int
status_of(enum error_code code)
{
    return code == ERR_USAGE  ? STATUS_USAGE
           : code == ERR_GATE ? STATUS_GATE
                              : STATUS_FAILED;
}

static void
put_plain(FILE *to, struct str s)
{
    int32_t cp;

    for (size_t at = 0; (cp = str_next(s, &at)) >= 0;) {
        char utf8[4];

        if (cp != '\n' && cp != '\t' && str_cp_is_control((uint32_t)cp))
            cp = ' ';
        fwrite(utf8, 1, str_put_utf8((uint32_t)cp, utf8), to);
    }
}

void
shell_put(FILE *to, const char *p, size_t n)
{
    if (isatty(fileno(to)))
        put_plain(to, (struct str){p, n});
    else
        fwrite(p, 1, n, to);
}

void
shell_put_styled(FILE *to, const char *style, const char *p, size_t n)
{
    bool color = shell_color(fileno(to));

    fputs(color ? style : "", to);
    shell_put(to, p, n);
    fputs(color ? "\033[0m" : "", to);
}

static void
put_message(const char *text)
{
    fputs("lathe: ", stderr);
    shell_put(stderr, text, strlen(text));
    fputc('\n', stderr);
}

int
shell_error(const struct error *err)
{
    shell_progress_clear();
    put_message(err->message);
    return status_of(err->code);
}

static size_t
terminal_width(int fd)
{
    struct winsize w;

    return ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

/* By the terminal or COLUMNS; false where nobody says. */
static bool
width_told(size_t *width)
{
    const char *columns = getenv("COLUMNS");
    int64_t n;

    if (isatty(STDOUT_FILENO)) {
        *width = terminal_width(STDOUT_FILENO);
        return true;
    }
    if (!columns || !str_to_i64(str_of(columns), &n) || n < 20 || n > WIDEST)
        return false;
    *width = (size_t)n;
    return true;
}

size_t
shell_width(void)
{
    size_t width;

    return width_told(&width) ? width : PIPE_WIDTH;
}

bool
shell_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool
shell_color(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fd) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

bool
shell_flush(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO};
    const char *why = "not everything could be written";

    if (fflush(stdout) != 0)
        why = strerror(errno);
    else if (!ferror(stdout)) /* else an earlier write failed */
        return true;
    /* `lathe ... | head` is no accident. */
    if (poll(&p, 1, 0) != 1 || !(p.revents & POLLERR))
        fprintf(stderr, "lathe: standard output: %s\n", why);
    return false;
}

/* ---- progress ---- */

void
shell_progress_clear(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static void
put_eta(char *line, size_t size, double eta_s)
{
    long s = (long)(eta_s + 0.5);

    if (!isfinite(eta_s) || eta_s > 360000)
        return;
    if (s < 3600)
        snprintf(line, size, "  ETA %02ld:%02ld", s / 60, s % 60);
    else
        snprintf(line, size, "  ETA %ld:%02ld:%02ld", s / 3600, s / 60 % 60,
                 s % 60);
}

/* Within a job: for whoever looks at it. */
static void
report_to_job(const struct task_view *v)
{
    static int64_t next_ms;

    if (loop_now_ms() < next_ms)
        return;
    next_ms = loop_now_ms() + REPORT_MS;
    job_report((double)v->done, (double)v->total, v->stage);
}

void
shell_progress(const struct task_view *v)
{
    char eta[32] = "", took[32] = "";
    const char *full = shell_utf8() ? "▓" : "#";
    const char *rest = shell_utf8() ? "░" : ".";
    double share = v->total ? (double)v->done / (double)v->total : 0;
    int cells = (int)(share * BAR_CELLS);
    size_t width;
    struct buf line;

    if (v->stage)
        report_to_job(v);
    if (!isatty(STDERR_FILENO) || !v->stage)
        return;
    put_eta(eta, sizeof eta, v->eta_s);
    snprintf(took, sizeof took, "  %.0f s",
             (double)(loop_wall_ms() - v->start_ms) / 1000);
    buf_init(&line);
    buf_puts(&line, v->stage);
    buf_puts(&line, v->total ? "  " : "");
    for (int i = 0; i < BAR_CELLS && v->total; i++)
        buf_puts(&line, i < cells ? full : rest);
    if (v->total)
        buf_printf(&line, " %3.0f%%", share > 1 ? 100 : share * 100);
    buf_printf(&line, "%s", v->total && *eta ? eta : took);
    width = terminal_width(STDERR_FILENO) - 1;
    line.len = str_fit((struct str){line.data, line.len}, width, NULL);
    fprintf(stderr, "\r\033[K%.*s", (int)line.len, line.data);
    fflush(stderr);
    buf_fini(&line);
}

/* ---- running ---- */

struct running {
    struct session *session;
    const struct command *command;
    struct call *call;
    struct task *task;
    unsigned interrupts;
    int signo; /* the first, or 0 */
    bool ended, ok, printed;
    struct error err;
};

static bool
run(struct task *t, void *ctx, struct error *err)
{
    struct running *r = ctx;

    return r->command->run(r->session, t, r->call, err);
}

static void
done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct running *r = ctx;

    (void)t;
    r->ok = ok;
    if (!ok)
        r->err = *err;
    r->ended = true;
}

static void
on_signal(void *ctx, int signo)
{
    struct running *r = ctx;

    if (r->interrupts++)
        _exit(128 + signo);
    r->signo = signo;
    if (r->task && !r->ended)
        task_cancel(r->task);
}

static void
on_timer(void *ctx, int events)
{
    struct running *r = ctx;
    struct task_view v;

    (void)events;
    if (r->printed)
        return;
    task_look(r->task, &v);
    shell_progress(&v);
}

static void
to_stdout(void *ctx, const char *p, size_t len)
{
    struct running *r = ctx;

    shell_progress_clear();
    r->printed = true;
    shell_put(stdout, p, len);
    fflush(stdout);
}

static void
run_task(struct running *r)
{
    struct loop *l = session_loop(r->session);
    struct task_spec spec = {
        .title = r->command->name, .run = run, .done = done, .ctx = r};
    struct loop_watch *i = loop_signal(l, SIGINT, on_signal, r);
    struct loop_watch *t = loop_signal(l, SIGTERM, on_signal, r);
    struct loop_watch *draw = NULL;

    r->task = task_start(r->session, &spec);
    if (isatty(STDERR_FILENO) || getenv("LATHE_JOB"))
        draw = loop_timer(l, DRAW_MS, true, on_timer, r);
    while (!r->ended)
        loop_turn(l, -1);
    loop_remove(draw);
    loop_remove(i);
    loop_remove(t);
    shell_progress_clear();
}

void
shell_warnings(struct session *s, struct message *last)
{
    static struct message m;
    size_t n = 0;

    while (session_message_at(s, n, &m) &&
           (m.time_ms != last->time_ms || strcmp(m.text, last->text) != 0))
        n++;
    while (n-- > 0)
        if (session_message_at(s, n, &m)) {
            if (m.level != MESSAGE_INFO)
                put_message(m.text);
            *last = m;
        }
}

/* What a signal has cut short ends as that signal would have ended it. */
static int
status_failed(const struct running *r)
{
    int status = shell_error(&r->err);

    return r->signo && r->err.code == ERR_CANCELLED ? 128 + r->signo : status;
}

static int
print_all(struct running *r)
{
    const struct buf *out = call_out(r->call);

    shell_put(stdout, out->data, out->len);
    if (!shell_flush())
        return STATUS_FAILED;
    shell_warnings(r->session, &(struct message){.time_ms = 0});
    return r->ok ? STATUS_DONE : status_failed(r);
}

int
shell_run(struct session *s, const struct command *c, int argc,
          const char *const *argv)
{
    struct running r = {.session = s, .command = c};
    struct error err;
    size_t width;
    int status;

    r.call = call_parse(c, argc, argv, &err);
    if (!r.call)
        return shell_error(&err);
    if (call_help(r.call)) {
        command_usage(c, call_out(r.call));
        r.ok = true;
        status = print_all(&r);
        call_free(r.call);
        return status;
    }
    call_set_width(r.call, shell_width());
    if (!width_told(&width))
        call_set_whole(r.call);
    if (!shell_utf8())
        call_set_plain(r.call);
    call_set_sink(r.call, to_stdout, &r);
    if (c->flags & CMD_BLOCKS)
        run_task(&r);
    else
        r.ok = c->run(s, NULL, r.call, &r.err) && torn_check(0, true, &r.err);
    status = print_all(&r);
    call_free(r.call);
    return status;
}
