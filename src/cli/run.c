/* cli/run.c -- `lathe run`: a notebook as a script.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/run.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/shell.h"
#include "script/notebook.h"

enum { DRAW_MS = 250 };

static const struct arg run_args[] = {
    {"notebook", ARG_FILE, true, false, NULL, NULL,
     "a Lua file; -- %% begins a cell"},
    {"-p", ARG_TEXT, false, true, NULL, NULL,
     "NAME=VALUE: set a name of the parameters cell"},
    {"-f", ARG_FILE, false, true, NULL, NULL,
     "a JSON object of such names and values"},
    {"--save", ARG_FILE, false, true, NULL, NULL,
     "write cells and outputs: .ipynb, .md or .html"},
    {"--timeout", ARG_TEXT, false, false, NULL, NULL,
     "stop after so long: 90s, 10m, 2h"},
    {NULL, ARG_TEXT, false, false, NULL, NULL, NULL}};

const struct command run_command = {
    "run",
    "Run a notebook and print its results",
    "Exit status 0 only if every cell passed; 3 when a gate was not met.\n"
    "Ctrl-C interrupts the running cell and keeps what is finished.",
    "lathe run churn.lua -p trees=500 --save churn.ipynb",
    CMD_SHELL,
    run_args,
    NULL};

struct runner {
    struct session *session;
    struct kernel *kernel;
    struct notebook *notebook;
    size_t next;     /* cell to be announced */
    size_t n_code;   /* code cells announced */
    bool titled;     /* it has cells worth a heading */
    bool fresh_line; /* the last thing printed ended its line */
    bool timed_out;
    unsigned interrupts;
    int signo; /* the first, or 0 */
    int status;
};

/* ---- printing ---- */

static void
put(struct runner *r, const char *text)
{
    size_t n = strlen(text);

    if (n == 0)
        return;
    if (r->fresh_line)
        shell_progress_clear();
    shell_put(stdout, text, n);
    fflush(stdout);
    r->fresh_line = text[n - 1] == '\n';
}

static void
end_line(struct runner *r)
{
    if (!r->fresh_line)
        put(r, "\n");
}

static void
put_styled(struct runner *r, const char *style, const char *text)
{
    size_t n = strlen(text);

    if (n == 0)
        return;
    shell_progress_clear();
    shell_put_styled(stdout, style, text, n);
    fflush(stdout);
    r->fresh_line = text[n - 1] == '\n';
}

/* Headings stand out: bold on a terminal, underlined elsewhere. */
static void
put_heading(struct runner *r, const char *line, size_t n)
{
    size_t level = strspn(line, "#"), from = level;
    struct buf b;

    while (from < n && line[from] == ' ')
        from++;
    buf_init(&b);
    buf_add(&b, line + from, n - from);
    put_styled(r, "\033[1m", b.data);
    put(r, "\n");
    if (!shell_color(STDOUT_FILENO)) {
        size_t width = str_width(str_of(b.data));

        buf_clear(&b);
        buf_fill(&b, level == 1 ? '=' : '-', width);
        buf_putc(&b, '\n');
        put(r, b.data);
    }
    buf_fini(&b);
}

static void
put_text_cell(struct runner *r, const struct cell *c)
{
    const char *p = c->source, *end = p + c->len;

    put(r, "\n");
    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t n = stop ? (size_t)(stop - p) : (size_t)(end - p);
        struct buf line;

        if (*p == '#' && strspn(p, "#") < n && p[strspn(p, "#")] == ' ') {
            put_heading(r, p, n);
        } else {
            buf_init(&line);
            /* Emphasis reads as well without its stars. */
            for (size_t i = 0; i < n; i++)
                if (p[i] == '*' && i + 1 < n && p[i + 1] == '*')
                    i++;
                else
                    buf_putc(&line, p[i]);
            buf_putc(&line, '\n');
            put(r, line.data);
            buf_fini(&line);
        }
        p += n + (stop != NULL);
    }
}

/* Text up to the next code cell, and that cell's heading. */
static void
announce(struct runner *r)
{
    size_t n = notebook_cells(r->notebook);

    for (; r->next < n; r->next++) {
        const struct cell *c = notebook_cell(r->notebook, r->next);
        struct buf b;

        if (c->kind == CELL_TEXT) {
            put_text_cell(r, c);
            continue;
        }
        r->next++;
        r->n_code++;
        if (!r->titled)
            return;
        buf_init(&b);
        buf_printf(&b, "\n[%zu]%s%s", r->n_code, *c->title ? " " : "",
                   c->parameters && !*c->title ? " parameters" : c->title);
        put_styled(r, "\033[2m", b.data);
        put(r, "\n");
        buf_fini(&b);
        return;
    }
}

static void
on_output(void *ctx, size_t cell, const struct output *o)
{
    struct runner *r = ctx;

    (void)cell;
    if (o->kind != OUT_ERROR) {
        put(r, o->text);
        return;
    }
    end_line(r);
    fflush(stdout);
    shell_progress_clear();
    shell_put_styled(stderr, "\033[31m", o->text, strlen(o->text));
}

static void
on_ended(void *ctx, size_t cell)
{
    struct runner *r = ctx;
    const struct cell *c = notebook_cell(r->notebook, cell);

    end_line(r);
    if (c->state == CELL_PASSED) {
        announce(r);
        return;
    }
    r->status = c->state == CELL_FAILED && c->error.code == ERR_GATE
                    ? STATUS_GATE
                    : STATUS_FAILED;
}

/* ---- loop ---- */

static void
on_signal(void *ctx, int signo)
{
    struct runner *r = ctx;

    if (r->interrupts++ >= 2)
        _exit(128 + signo);
    r->signo = signo;
    notebook_interrupt(r->notebook);
}

static void
on_timeout(void *ctx, int events)
{
    struct runner *r = ctx;

    (void)events;
    r->timed_out = true;
    notebook_interrupt(r->notebook);
}

static void
on_draw(void *ctx, int events)
{
    struct runner *r = ctx;
    struct task_view v[8];
    size_t n = r->fresh_line ? task_list(r->session, v, 8) : 0;

    (void)events;
    for (size_t i = 0; i < n && i < 8; i++)
        if (v[i].state == TASK_RUNNING) {
            shell_progress(&v[i]);
            return;
        }
}

static bool
parse_timeout(const char *text, int64_t *ms, struct error *err)
{
    size_t n = strlen(text);
    int64_t unit = 1000;
    double x;

    if (n && isalpha((unsigned char)text[n - 1])) {
        char c = text[--n];

        unit = c == 's' ? 1000 : c == 'm' ? 60000 : c == 'h' ? 3600000 : 0;
    }
    if (!unit || !str_to_f64((struct str){text, n}, &x) || !(x > 0) ||
        x * (double)unit > 1e15)
        return error_set(err, ERR_USAGE,
                         "--timeout is '%s', expected a time such as 90s, 10m "
                         "or 2h",
                         text);
    *ms = (int64_t)(x * (double)unit);
    return true;
}

/* ---- parameters ---- */

static bool
set_pair(struct runner *r, const char *pair, struct error *err)
{
    const char *equals = strchr(pair, '=');
    char *name;
    bool ok;

    if (!equals || equals == pair)
        return error_set(err, ERR_USAGE, "-p is '%s', expected NAME=VALUE",
                         pair);
    name = mem_text(pair);
    name[equals - pair] = '\0';
    ok = notebook_parameter(r->notebook, name, equals + 1, err);
    free(name);
    return ok;
}

static bool
set_member(struct runner *r, const struct json *v, const char *path,
           struct error *err)
{
    struct buf text;
    bool ok;

    buf_init(&text);
    if (json_type(v) == JSON_STRING)
        buf_puts(&text, json_string(v));
    else
        json_print(&text, v);
    if (json_type(v) == JSON_ARRAY || json_type(v) == JSON_OBJECT ||
        json_type(v) == JSON_NULL)
        ok = error_set(err, ERR_USAGE,
                       "%s: %s is %s, expected a text, a "
                       "number, true or false",
                       path, json_key(v), json_type_word(v));
    else
        ok = notebook_parameter(r->notebook, json_key(v), text.data, err);
    buf_fini(&text);
    return ok;
}

static bool
set_file(struct runner *r, const char *path, struct error *err)
{
    struct json *root = NULL;
    struct buf b;
    bool ok;

    buf_init(&b);
    ok = file_read(path, 1 << 20, &b, err);
    if (ok && !(root = json_parse((struct str){b.data, b.len}, err)))
        ok = error_prefix(err, "%s: ", path);
    if (ok && json_type(root) != JSON_OBJECT)
        ok = error_set(err, ERR_USAGE, "%s: %s, expected an object", path,
                       json_type_word(root));
    for (const struct json *v = ok ? json_first(root) : NULL; v && ok;
         v = json_next(v))
        ok = set_member(r, v, path, err);
    json_free(root);
    buf_fini(&b);
    return ok;
}

static bool
set_parameters(struct runner *r, const struct call *c, struct error *err)
{
    for (size_t i = 0; i < call_count(c, "f"); i++)
        if (!set_file(r, call_nth(c, "f", i), err))
            return false;
    for (size_t i = 0; i < call_count(c, "p"); i++)
        if (!set_pair(r, call_nth(c, "p", i), err))
            return false;
    return true;
}

/* A plain script is one cell without a heading, and keeps no outputs. */
static bool
has_cells(const struct notebook *n)
{
    for (size_t i = 0; i < notebook_cells(n); i++)
        if (notebook_cell(n, i)->kind == CELL_TEXT ||
            *notebook_cell(n, i)->title)
            return true;
    return notebook_cells(n) > 1;
}

static int
status_of(const struct runner *r)
{
    if (r->timed_out)
        fputs("lathe: it took longer than --timeout allows\n", stderr);
    else if (r->signo && r->status != STATUS_DONE)
        fprintf(stderr,
                "lathe: stopped by %s; what was finished before is kept\n",
                r->signo == SIGINT ? "Ctrl-C" : "SIGTERM");
    else
        return r->status;
    return r->timed_out ? STATUS_FAILED : 128 + r->signo;
}

static int
run_cells(struct runner *r, int64_t timeout_ms)
{
    struct loop *l = session_loop(r->session);
    const struct notebook_events events = {on_output, on_ended, r};
    struct loop_watch *i = loop_signal(l, SIGINT, on_signal, r);
    struct loop_watch *t = loop_signal(l, SIGTERM, on_signal, r);
    struct loop_watch *end = NULL, *draw = NULL;

    if (timeout_ms) {
        end = loop_timer(l, timeout_ms, false, on_timeout, r);
        kernel_end_at(r->kernel, loop_now_ms() + timeout_ms);
    }
    if (isatty(STDERR_FILENO))
        draw = loop_timer(l, DRAW_MS, true, on_draw, r);
    notebook_listen(r->notebook, &events);
    notebook_run_all(r->notebook);
    announce(r);
    while (notebook_busy(r->notebook))
        loop_turn(l, -1);
    if (!r->timed_out)
        loop_remove(end);
    loop_remove(draw);
    loop_remove(i);
    loop_remove(t);
    shell_progress_clear();
    return status_of(r);
}

/* Hours of training must not end at a wrong ending. */
static bool
can_save_all(const struct call *c, struct error *err)
{
    for (size_t i = 0; i < call_count(c, "save"); i++)
        if (!notebook_can_export(call_nth(c, "save", i), err))
            return false;
    return true;
}

static bool
save_all(struct runner *r, const struct call *c, struct error *err)
{
    for (size_t i = 0; i < call_count(c, "save"); i++)
        if (!notebook_export(r->notebook, call_nth(c, "save", i), err))
            return false;
    return true;
}

int
run_main(struct session *s, struct call *c)
{
    struct runner r = {.session = s, .fresh_line = true};
    const char *timeout = call_text(c, "timeout");
    int64_t timeout_ms = 0;
    struct error err;
    int status;

    if ((timeout && !parse_timeout(timeout, &timeout_ms, &err)) ||
        !can_save_all(c, &err) || !(r.kernel = kernel_new(s, &err)))
        return shell_error(&err);
    kernel_set_width(r.kernel, isatty(STDOUT_FILENO) ? shell_width() : 100);
    kernel_set_plain(r.kernel, call_plain(c) || !shell_utf8());
    r.notebook = notebook_open(r.kernel, call_text(c, "notebook"), &err);
    if (!r.notebook || !set_parameters(&r, c, &err)) {
        status = shell_error(&err);
    } else {
        r.titled = has_cells(r.notebook);
        notebook_clear_outputs(r.notebook); /* of an earlier run */
        notebook_keep(r.notebook, r.titled);
        status = run_cells(&r, timeout_ms);
        if (!save_all(&r, c, &err))
            status = shell_error(&err);
        if (!shell_flush())
            status = STATUS_FAILED;
        shell_warnings(s, &(struct message){.time_ms = 0});
    }
    notebook_free(r.notebook);
    kernel_free(r.kernel);
    return status;
}
