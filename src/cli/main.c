/* cli/main.c -- arguments and dispatch.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/run.h"
#include "cli/shell.h"
#include "cli/workbench.h"
#include "jobs/job.h"

/* ---- help ---- */

static void
put_family(const struct command *table, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        if ((table[i].flags & CMD_SHELL) && !(table[i].flags & CMD_HIDDEN))
            buf_printf(out, "  %-18s %s\n", table[i].name, table[i].summary);
}

static void
put_help(struct buf *out)
{
    const struct command *table;
    size_t n;

    table = command_table(&n);
    buf_puts(out, "usage: lathe [FILE]...              the workbench\n"
                  "       lathe COMMAND [ARGUMENT]...\n\n");
    put_family(workbench_commands, n_workbench_commands, out);
    put_family(&run_command, 1, out);
    put_family(&repl_command, 1, out);
    buf_putc(out, '\n');
    put_family(table, n, out);
    buf_puts(out, "\nlathe COMMAND --help tells more. Exit status: 0 done, "
                  "1 failed, 2 used wrongly,\n3 a gate was not met.\n");
}

static bool
begins(const char *name, const char *word)
{
    size_t n = strlen(word);

    return strncmp(name, word, n) == 0 && name[n] == ' ';
}

/* "runs" is no command, but begins some. */
static bool
is_group(const char *word)
{
    size_t n;
    const struct command *table = command_table(&n);

    while (n > 0 && !begins(table[n - 1].name, word))
        n--;
    return n > 0;
}

static void
put_group(const char *word, struct buf *out)
{
    const struct command *table;
    size_t n;

    table = command_table(&n);
    buf_printf(out, "usage: lathe %s COMMAND [ARGUMENT]...\n\n", word);
    for (size_t i = 0; i < n; i++)
        if (begins(table[i].name, word))
            put_family(&table[i], 1, out);
    buf_printf(out, "\nlathe %s COMMAND --help tells more.\n", word);
}

/* group: of these commands alone; NULL: of all. */
static int
print_help(const char *group)
{
    struct buf out;
    int status;

    buf_init(&out);
    if (group)
        put_group(group, &out);
    else
        put_help(&out);
    fwrite(out.data, 1, out.len, stdout);
    status = fflush(stdout) == 0 ? STATUS_DONE : STATUS_FAILED;
    buf_fini(&out);
    return status;
}

/* ---- dispatch ---- */

static struct session *
open_session(struct pool **pool, struct loop **loop)
{
    *pool = pool_new(0);
    *loop = loop_new();
    return session_new(*pool, *loop);
}

static void
close_session(struct session *s, struct pool *pool, struct loop *loop)
{
    session_free(s);
    loop_free(loop);
    pool_free(pool);
}

/* Commands that need Lua are the shell's own. */
static int
run_script(const struct command *c,
           int (*body)(struct session *, struct call *), struct session *s,
           int argc, const char *const *argv)
{
    struct error err;
    struct call *call = call_parse(c, argc, argv, &err);
    int status = STATUS_DONE;

    if (!call)
        return shell_error(&err);
    if (call_help(call)) {
        command_usage(c, call_out(call));
        fputs(call_out(call)->data, stdout);
        status = fflush(stdout) == 0 ? STATUS_DONE : STATUS_FAILED;
    } else {
        status = body(s, call);
    }
    call_free(call);
    return status;
}

static int
dispatch(struct session *s, int argc, const char *const *argv)
{
    const struct command *c;
    struct error err;
    int used;

    if (strcmp(argv[0], "run") == 0)
        return run_script(&run_command, run_main, s, argc - 1, argv + 1);
    if (strcmp(argv[0], "repl") == 0)
        return run_script(&repl_command, repl_main, s, argc - 1, argv + 1);
    c = command_match(argc, argv, &used, &err);
    if (!c || !(c->flags & CMD_SHELL)) {
        shell_error(&err);
        fputs("lathe: `lathe help` lists the commands\n", stderr);
        return STATUS_USAGE;
    }
    return shell_run(s, c, argc - used, argv + used);
}

/* The small waiting parent of a job: before any thread is started. */
static int
run_job(const char *id)
{
    char *dir = store_find(NULL);
    int status = job_exec(dir, id);

    free(dir);
    return status;
}

/* `help COMMAND` is `COMMAND --help`: the words move up, one stands behind. */
static void
help_last(int argc, char **argv)
{
    static char help[] = "--help";

    memmove(argv + 1, argv + 2, (size_t)(argc - 2) * sizeof *argv);
    argv[argc - 1] = help;
}

static bool
is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int
main(int argc, char **argv)
{
    const char *const *words = (const char *const *)argv + 1;
    struct session *s;
    struct pool *pool;
    struct loop *loop;
    int status;

    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    signal(SIGPIPE, SIG_IGN);
    if (argc == 4 && strcmp(argv[1], "job") == 0 &&
        strcmp(argv[2], "exec") == 0)
        return run_job(argv[3]);
    if (argc > 2 && strcmp(argv[1], "help") == 0)
        help_last(argc, argv);
    if (workbench_wants(argc - 1, words))
        return workbench_main(argc - 1, words);
    if (argc < 2 || strcmp(argv[1], "help") == 0 || is_help(argv[1]))
        return print_help(NULL);
    if (argc == 3 && is_help(argv[2]) && is_group(argv[1]))
        return print_help(argv[1]);
    s = open_session(&pool, &loop);
    if (strcmp(argv[1], "--version") == 0)
        status = shell_run(s, command_find("version"), 0, NULL);
    else
        status = dispatch(s, argc - 1, words);
    close_session(s, pool, loop);
    return status;
}
