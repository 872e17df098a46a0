/* cli/workbench.c -- from words to the workbench on this terminal.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/workbench.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/shell.h"
#include "script/kernel.h"
#include "ui/attach.h"
#include "ui/ui.h"

enum { FILES_MAX = 32 };

#define LOOK_ARGS                                                          \
    {"--theme",                                                            \
     ARG_TEXT,                                                             \
     false,                                                                \
     false,                                                                \
     NULL,                                                                 \
     NULL,                                                                 \
     "dark, light, contrast, mono, sol, or one of your own"},              \
        {"--color",                                                        \
         ARG_CHOICE,                                                       \
         false,                                                            \
         false,                                                            \
         "auto",                                                           \
         "auto|always|never",                                              \
         "auto honours NO_COLOR and CLICOLOR"},                            \
    {                                                                      \
        "--glyphs", ARG_CHOICE, false, false, NULL, "braille|block|ascii", \
            "what charts are drawn with"                                   \
    }

static const struct arg open_args[] = {
    {"file", ARG_FILE, false, true, NULL, NULL, "tables and notebooks to open"},
    {"--no-server", ARG_FLAG, false, false, NULL, NULL,
     "in the foreground: it ends with its terminal"},
    {"--demo", ARG_FLAG, false, false, NULL, NULL, "open the sample project"},
    LOOK_ARGS,
    {NULL, ARG_TEXT, false, false, NULL, NULL, NULL}};

static const struct arg attach_args[] = {
    LOOK_ARGS, {NULL, ARG_TEXT, false, false, NULL, NULL, NULL}};

static const struct arg quit_args[] = {
    {"--force", ARG_FLAG, false, false, NULL, NULL,
     "stop what runs there; what is finished is kept"},
    {NULL, ARG_TEXT, false, false, NULL, NULL, NULL}};

const struct command workbench_commands[] = {
    {"attach", "Lend this terminal to the project's running workbench",
     "Whoever attaches last has the screen; the terminal before is given "
     "back.",
     "lathe attach", CMD_SHELL, attach_args, NULL},
    {"detach", "Take the terminal away from the project's workbench",
     "The workbench goes on without one.", "lathe detach", CMD_SHELL, NULL,
     NULL},
    {"open", "Open the workbench; so does lathe alone, or with files",
     "It is found when it runs already, else started, and goes on when the\n"
     "terminal goes away.",
     "lathe open churn.csv", CMD_SHELL, open_args, NULL},
    {"ps", "List the running workbenches of this user", NULL, "lathe ps",
     CMD_SHELL, NULL, NULL},
    {"quit", "End the project's workbench",
     "It refuses while a cell or a training runs there. Endpoints and jobs go "
     "on.",
     "lathe quit", CMD_SHELL, quit_args, NULL}};
const size_t n_workbench_commands =
    sizeof workbench_commands / sizeof *workbench_commands;

static const struct command *
named(const char *name)
{
    for (size_t i = 0; i < n_workbench_commands; i++)
        if (strcmp(workbench_commands[i].name, name) == 0)
            return &workbench_commands[i];
    return NULL;
}

static bool
is_option(const char *word)
{
    size_t n = strcspn(word, "=");

    for (const struct arg *a = open_args; a->name; a++)
        if (a->name[0] == '-' && strlen(a->name) == n &&
            strncmp(a->name, word, n) == 0)
            return true;
    return false;
}

bool
workbench_wants(int argc, const char *const *argv)
{
    const char *word = argc > 0 ? argv[0] : NULL;
    struct error err;
    int used;

    if (!word)
        return isatty(0) && isatty(1);
    if (named(word) || is_option(word))
        return true;
    return word[0] != '-' && strcmp(word, "run") != 0 &&
           strcmp(word, "repl") != 0 &&
           !command_match(argc, argv, &used, &err) && file_exists(word);
}

/* ---- the workbench's process ---- */

static void
open_log(struct session *s)
{
    char *path = file_join(session_dir(s), "log");
    struct error err;

    /* Only where the project has a folder already: looking makes none. */
    if (file_exists(session_dir(s)) && !log_open(path, &err))
        log_write(LOG_WARN, "%s", err.message);
    free(path);
}

static int
serve(void *ctx, struct attach_server *server, const struct ui_options *options)
{
    struct pool *pool = pool_new(0);
    struct loop *loop = loop_new();
    struct session *s = session_new(pool, loop);
    struct error err;
    struct kernel *k = kernel_new(s, &err);
    struct ui *ui;
    int status;

    (void)ctx;
    open_log(s);
    ui = ui_new(s, k, server, options);
    if (k)
        kernel_set_interactive(k, true);
    else
        ui_error(ui, &err);
    status = ui_run(ui);
    ui_free(ui);
    kernel_free(k);
    session_free(s);
    loop_free(loop);
    pool_free(pool);
    log_close();
    return status;
}

/* ---- the client's ---- */

static char *
project_folder(void)
{
    char *dir = store_find(NULL);
    char *slash = strrchr(dir, '/');

    if (!slash)
        strcpy(dir, ".");
    else
        slash[slash == dir] = '\0';
    return dir;
}

static char *
absolute(const char *path)
{
    char real[PATH_MAX], cwd[PATH_MAX];

    if (realpath(path, real))
        return mem_text(real);
    return path[0] != '/' && getcwd(cwd, sizeof cwd) ? file_join(cwd, path)
                                                     : mem_text(path);
}

static size_t
collect_files(const struct call *call, char **files, struct error *err)
{
    size_t n = 0;

    for (; n < call_count(call, "file") && n < FILES_MAX - 1; n++)
        files[n] = absolute(call_nth(call, "file", n));
    if (call_flag(call, "--demo") &&
        (files[n] = file_data_path("samples/churn/churn.lua", err)))
        n++;
    return n;
}

static int
open_screen(const struct call *call, bool attach)
{
    char *files[FILES_MAX] = {NULL};
    char *project = project_folder();
    struct ui_options o = {.project = project,
                           .files = (const char *const *)files,
                           .color = call_text(call, "--color"),
                           .theme = call_text(call, "--theme"),
                           .glyphs = call_text(call, "--glyphs"),
                           .attach_only = attach,
                           .serve = serve};
    struct error err;
    int status;

    if (!attach) {
        o.no_server = call_flag(call, "--no-server");
        o.n_files = collect_files(call, files, &err);
        if (call_flag(call, "--demo") && o.n_files == 0)
            return shell_error(&err);
    }
    status = ui_main(&o);
    for (size_t i = 0; i < o.n_files; i++)
        free(files[i]);
    free(project);
    return status;
}

/* Ask the project's workbench, and print its answer. */
static int
ask(const char *what)
{
    char *project = project_folder();
    struct error err;
    struct buf out;
    int status = STATUS_DONE;

    buf_init(&out);
    if (attach_ask(project, what, &out, &err)) {
        buf_putc(&out, '\n');
        shell_put(stdout, out.data, out.len);
    } else {
        status = shell_error(&err);
    }
    buf_fini(&out);
    free(project);
    return status;
}

static int
list(void)
{
    struct buf out;

    buf_init(&out);
    attach_list(&out);
    if (out.len == 0)
        buf_puts(&out, "no workbench is running\n");
    shell_put(stdout, out.data, out.len);
    buf_fini(&out);
    return shell_flush() ? STATUS_DONE : STATUS_FAILED;
}

int
workbench_main(int argc, const char *const *argv)
{
    const struct command *c = argc > 0 ? named(argv[0]) : NULL;
    bool bare = !c; /* `lathe FILE...` is `lathe open FILE...` */
    struct error err;
    struct call *call;
    int status;

    if (bare)
        c = named("open");
    call = call_parse(c, argc - !bare, argv + !bare, &err);
    if (!call)
        return shell_error(&err);
    if (call_help(call)) {
        command_usage(c, call_out(call));
        fputs(call_out(call)->data, stdout);
        status = shell_flush() ? STATUS_DONE : STATUS_FAILED;
    } else if (strcmp(c->name, "ps") == 0) {
        status = list();
    } else if (strcmp(c->name, "detach") == 0) {
        status = ask("detach");
    } else if (strcmp(c->name, "quit") == 0) {
        status = ask(call_flag(call, "--force") ? "quit!" : "quit");
    } else {
        status = open_screen(call, strcmp(c->name, "attach") == 0);
    }
    call_free(call);
    return status;
}
