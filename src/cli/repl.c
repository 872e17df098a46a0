/* cli/repl.c -- `lathe repl`: one chunk at a time, read by readline.
 *
 * readline is fed by the loop, so that tasks and timers go on while it waits.
 * While a chunk runs the terminal is as the shell left it: Ctrl-C is a signal
 * then, and interrupts.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/run.h"
#include "cli/shell.h"
#include "script/kernel.h"

enum { DRAW_MS = 250, HISTORY_MAX = 2000 };

static const struct arg repl_args[] = {
    {"notebook", ARG_FILE, false, true, NULL, NULL,
     "run this Lua file first, in one chunk"},
    {NULL, ARG_TEXT, false, false, NULL, NULL, NULL}};

const struct command repl_command = {
    "repl",
    "Type Lua, see values",
    "Tab completes globals, fields, methods, and within a text the columns of\n"
    "tables. An unfinished line goes on in the next. Ctrl-C interrupts what\n"
    "runs, Ctrl-D leaves. On a pipe it reads whole chunks until the end.",
    "lathe repl",
    CMD_SHELL,
    repl_args,
    NULL};

struct repl {
    struct session *session;
    struct kernel *kernel;
    struct buf code; /* lines of an unfinished chunk */
    bool done, running;
    bool failed; /* the last chunk, for a pipe's exit status */
    bool fresh_line;
    struct message told; /* the last warning */
};

/* readline's callbacks have no context. */
static struct repl *the_repl;

/* ---- output ---- */

static void
on_output(void *ctx, const struct output *o)
{
    struct repl *r = ctx;
    FILE *to = o->kind == OUT_ERROR ? stderr : stdout;
    size_t n = strlen(o->text);

    if (n == 0)
        return;
    if (r->fresh_line)
        shell_progress_clear();
    if (o->kind == OUT_ERROR)
        shell_put_styled(to, "\033[31m", o->text, n);
    else
        shell_put(to, o->text, n);
    fflush(to);
    r->fresh_line = o->text[n - 1] == '\n';
}

static void
on_draw(void *ctx, int events)
{
    struct repl *r = ctx;
    struct task_view v[8];
    size_t n = r->running && r->fresh_line ? task_list(r->session, v, 8) : 0;

    (void)events;
    for (size_t i = 0; i < n && i < 8; i++)
        if (v[i].state == TASK_RUNNING) {
            shell_progress(&v[i]);
            return;
        }
}

static void
run_chunk(struct repl *r, struct str code, const char *name)
{
    const struct kernel_events events = {on_output, r};
    struct loop_watch *draw = NULL;
    struct error err;

    if (isatty(STDERR_FILENO))
        draw = loop_timer(session_loop(r->session), DRAW_MS, true, on_draw, r);
    r->running = true;
    r->fresh_line = true;
    r->failed = !kernel_run(r->kernel, code, name, 1, &events, &err);
    r->running = false;
    loop_remove(draw);
    if (!r->fresh_line)
        putchar('\n');
    fflush(stdout);
    shell_warnings(r->session, &r->told);
}

static void
on_signal(void *ctx, int signo)
{
    struct repl *r = ctx;

    if (signo == SIGTERM)
        r->done = true;
    kernel_interrupt(r->kernel);
}

/* ---- the terminal ---- */

static const char *
prompt(const struct repl *r)
{
    return r->code.len ? ">> " : "> ";
}

/* lathe.csv -> the rest is quoted by readline's own rules: none. */
static char *
next_match(const char *text, int state)
{
    static char **words;
    static size_t n, at;

    (void)text;
    if (state == 0) {
        struct str line = {rl_line_buffer, (size_t)rl_point};
        size_t begin;

        n = kernel_complete(the_repl->kernel, line, line.n, &begin, &words);
        at = 0;
    }
    if (at < n)
        return words[at++];
    free(words);
    words = NULL;
    n = 0;
    return NULL;
}

static char **
complete(const char *text, int start, int end)
{
    char **matches;
    size_t len;

    (void)start;
    (void)end;
    rl_attempted_completion_over = 1;
    matches = rl_completion_matches(text, next_match);
    /* A function wants its arguments next, not a blank. */
    len = matches && matches[0] ? strlen(matches[0]) : 0;
    rl_completion_append_character =
        len && matches[0][len - 1] == '(' ? '\0' : ' ';
    rl_completion_suppress_append = 1;
    rl_completion_suppress_quote = 1;
    return matches;
}

static char *
history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *base, *dir, *path;

    if (!(state && *state) && !home)
        return NULL;
    base = state && *state ? mem_text(state) : file_join(home, ".local/state");
    dir = file_join(base, "lathe");
    path = file_join(dir, "history");
    free(base);
    free(dir);
    return path;
}

static void
save_history(void)
{
    char *path = history_path(), *slash;
    struct error err;

    if (!path)
        return;
    slash = strrchr(path, '/');
    *slash = '\0';
    if (file_make_dirs(path, 0700, &err)) {
        *slash = '/';
        stifle_history(HISTORY_MAX);
        if (write_history(path) != 0)
            fprintf(stderr, "lathe: the history could not be written: %s\n",
                    strerror(errno));
    }
    free(path);
}

static void
take_line(char *line)
{
    struct repl *r = the_repl;
    struct error err;

    if (!line) { /* Ctrl-D */
        if (r->code.len == 0) {
            r->done = true;
            putchar('\n');
            rl_callback_handler_remove();
            return;
        }
        buf_clear(&r->code);
        putchar('\n');
        rl_set_prompt(prompt(r));
        return;
    }
    if (r->code.len)
        buf_putc(&r->code, '\n');
    buf_puts(&r->code, line);
    free(line);
    if (str_trim((struct str){r->code.data, r->code.len}).n == 0) {
        buf_clear(&r->code);
        return;
    }
    if (kernel_check(r->kernel, (struct str){r->code.data, r->code.len},
                     &err) == CHUNK_MORE) {
        rl_set_prompt(prompt(r));
        return;
    }
    add_history(r->code.data);
    rl_callback_handler_remove(); /* the terminal is the chunk's */
    run_chunk(r, (struct str){r->code.data, r->code.len}, "repl");
    buf_clear(&r->code);
    if (!r->done)
        rl_callback_handler_install(prompt(r), take_line);
}

static void
on_key(void *ctx, int events)
{
    struct repl *r = ctx;

    if ((events & LOOP_HUP) && !(events & LOOP_READ))
        r->done = true;
    else if (!r->running)
        rl_callback_read_char();
}

/* Ctrl-C at the prompt: a fresh line. */
static void
on_interrupt(void *ctx, int signo)
{
    struct repl *r = ctx;

    if (r->running) {
        on_signal(r, signo);
        return;
    }
    buf_clear(&r->code);
    fputs("^C\n", stdout);
    rl_callback_sigcleanup();
    rl_callback_handler_remove();
    rl_callback_handler_install(prompt(r), take_line);
}

static void
talk(struct repl *r)
{
    struct loop *l = session_loop(r->session);
    struct loop_watch *in, *interrupt, *term;
    char *path = history_path();

    the_repl = r;
    rl_readline_name = "lathe";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 1;
    rl_change_environment = 0;
    rl_attempted_completion_function = complete;
    rl_completer_word_break_characters = " \t\n\"'`()[]{}<>=+-*/%^#,;:.~&|";
    rl_completer_quote_characters = "";
    rl_basic_quote_characters = "";
    using_history();
    if (path && file_exists(path))
        read_history(path);
    free(path);
    printf("lathe %s  lathe.help() lists the library, Ctrl-D leaves\n",
           PACKAGE_VERSION);
    in = loop_fd(l, STDIN_FILENO, LOOP_READ, on_key, r);
    interrupt = loop_signal(l, SIGINT, on_interrupt, r);
    term = loop_signal(l, SIGTERM, on_signal, r);
    rl_callback_handler_install(prompt(r), take_line);
    while (!r->done)
        loop_turn(l, -1);
    rl_callback_handler_remove();
    loop_remove(in);
    loop_remove(interrupt);
    loop_remove(term);
    save_history();
    rl_clear_history(); /* and the undo lists of entries that were edited */
    the_repl = NULL;
}

/* ---- a pipe ---- */

/* Chunks as they become whole, so that each shows its value. */
static void
read_pipe(struct repl *r)
{
    struct loop *l = session_loop(r->session);
    struct loop_watch *interrupt = loop_signal(l, SIGINT, on_signal, r);
    struct loop_watch *term = loop_signal(l, SIGTERM, on_signal, r);
    char *line = NULL;
    size_t cap = 0;
    struct error err;

    while (!r->done && getline(&line, &cap, stdin) >= 0) {
        buf_puts(&r->code, line);
        if (kernel_check(r->kernel, (struct str){r->code.data, r->code.len},
                         &err) == CHUNK_MORE)
            continue;
        run_chunk(r, (struct str){r->code.data, r->code.len}, "repl");
        buf_clear(&r->code);
        if (r->failed)
            break;
    }
    if (r->code.len && !r->failed)
        run_chunk(r, (struct str){r->code.data, r->code.len}, "repl");
    free(line);
    loop_remove(interrupt);
    loop_remove(term);
}

static bool
run_file(struct repl *r, const char *path, struct error *err)
{
    struct buf b;
    bool ok;

    buf_init(&b);
    ok = file_read(path, (size_t)64 << 20, &b, err);
    if (ok)
        run_chunk(r, (struct str){b.data, b.len}, file_base(path));
    buf_fini(&b);
    return ok;
}

int
repl_main(struct session *s, struct call *c)
{
    struct repl r = {.session = s, .fresh_line = true};
    struct error err;
    int status = STATUS_DONE;

    if (!(r.kernel = kernel_new(s, &err)))
        return shell_error(&err);
    buf_init(&r.code);
    kernel_set_width(r.kernel, isatty(STDOUT_FILENO) ? shell_width() : 100);
    kernel_set_plain(r.kernel, call_plain(c) || !shell_utf8());
    for (size_t i = 0; i < call_count(c, "notebook") && status == 0; i++)
        if (!run_file(&r, call_nth(c, "notebook", i), &err))
            status = shell_error(&err);
    if (status == 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
        talk(&r);
    } else if (status == 0) {
        read_pipe(&r);
        status = r.failed ? STATUS_FAILED : STATUS_DONE;
    }
    buf_fini(&r.code);
    kernel_free(r.kernel);
    return status;
}
