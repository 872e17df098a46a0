/* session/command.h -- the one table of commands.
 *
 * The argument parser, --help, completion, the palette, lathe.cmd() and the
 * man-page test read it.  A command's words are its name: "runs ls". Three
 * doors: the shell (`lathe runs ls --json`), the palette (`:runs ls`) and Lua
 * (`lathe.cmd("runs ls", {json = true})`).
 *
 * A command with CMD_BLOCKS may take long: shells call it on the main thread
 * inside a task with a progress line, screens as a listed task.  It runs on a
 * pool job then and must touch the session only through "any thread" calls.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_COMMAND_H
#define LATHE_SESSION_COMMAND_H

#include "session/task.h"

enum arg_kind {
    ARG_TEXT,
    ARG_INT,
    ARG_FLOAT,
    ARG_FLAG,
    ARG_FILE,
    ARG_MODEL,
    ARG_RUN,
    ARG_COLUMN,
    ARG_CHOICE
};
struct arg {
    const char *name; /* "data" is positional, "--target" an option */
    enum arg_kind kind;
    bool required;
    bool repeated;        /* may be given several times; last positional */
    const char *fallback; /* shown in help */
    const char *choices; /* ARG_CHOICE: "a|b"; ARG_TEXT: what --help calls it */
    const char *help;
};
enum { COMMAND_MAX_ARGS = 48 }; /* those that are shared, too */

struct call; /* the parsed arguments of one invocation, and its output */

enum command_flag {
    CMD_SHELL = 1,   /* a subcommand */
    CMD_SCREEN = 2,  /* in the palette */
    CMD_LUA = 4,     /* through lathe.cmd */
    CMD_BLOCKS = 8,  /* runs as a task */
    CMD_HIDDEN = 16, /* not listed */
    CMD_READS = 32   /* reads tables: has command_reading, too */
};
struct command {
    const char *name;    /* "registry promote" */
    const char *summary; /* one line */
    const char *help;    /* a paragraph; may be NULL */
    const char *example; /* "lathe registry promote churn/3 production" */
    unsigned flags;
    const struct arg *args; /* ends with name NULL; NULL: none */
    bool (*run)(struct session *s, struct task *t, struct call *c,
                struct error *err);
};

/* How a table is read, the same for every command with CMD_READS: what
 * --help lists apart.  Ends with name NULL. */
extern const struct arg command_reading[];
/* Argument i of a command: its own, then those it shares; NULL past them. */
const struct arg *command_arg(const struct command *c, size_t i);

/* All commands below ui/cli, sorted by name. */
const struct command *command_table(size_t *n);
const struct command *command_find(const char *name); /* exact name */
/* The longest command that argv's first words name; *used words.  NULL with
 * ERR_USAGE and the nearest name. */
const struct command *
command_match(int argc, const char *const *argv, int *used, struct error *err);
/* Parse argv after the name; "--x=v", "--x v", "-p", "--" and the options
 * every command has: --json --plain --help.  ERR_USAGE says what is wrong. */
struct call *call_parse(const struct command *c, int argc,
                        const char *const *argv, struct error *err) MUST_USE;
/* Lua and forms: names and values as text. */
struct call *call_new(const struct command *c);
bool call_set(struct call *c, const char *name, const char *value,
              struct error *err) MUST_USE;
bool call_check(struct call *c,
                struct error *err) MUST_USE; /* required ones given */
void call_free(struct call *c);
/* The table that "data" names is open already: it is used as it is here.  Takes
 * a reference. */
void call_lend(struct call *c, const struct frame *f);
const struct frame *call_lent(const struct call *c); /* NULL: none */
const char *call_text(const struct call *c,
                      const char *name); /* NULL: not given and no fallback */
size_t call_count(const struct call *c, const char *name);
const char *call_nth(const struct call *c, const char *name, size_t i);
bool call_flag(const struct call *c, const char *name);
int64_t
call_int(const struct call *c, const char *name); /* given or fallback */
double call_float(const struct call *c, const char *name);
bool call_json(const struct call *c);  /* --json was given */
bool call_plain(const struct call *c); /* --plain */
bool call_help(const struct call *c);  /* --help; nothing was checked */
struct buf *call_out(struct call *c);  /* what it prints */
/* What was printed so far may be shown now; to where call_set_sink() said, else
 * it stays.  The sink is called on the thread of the command. */
void call_flush(struct call *c);
typedef void call_sink(void *ctx, const char *p, size_t len);
void call_set_sink(struct call *c, call_sink *sink, void *ctx);
size_t call_width(const struct call *c); /* cells to print in */
/* Those for lists: 0, never to be cut, where no screen is printed on. */
size_t call_list_width(const struct call *c);
void call_set_whole(struct call *c); /* no screen: cut no list */
void call_set_plain(struct call *c); /* as if --plain were given */
void call_set_width(struct call *c, size_t cells);
const struct command *call_command(const struct call *c);
/* "lathe runs show RUN [--json]" */
void command_synopsis(const struct command *c, struct buf *out);
/* Words from the cell `at` of a line on, none beyond its width but where one is
 * wider; further lines begin at `indent`.  What stands in [brackets] stays
 * together. */
void command_put_words(struct buf *out, const char *s, size_t at, size_t indent,
                       size_t width);
/* Full text for --help. */
void command_usage(const struct command *c, struct buf *out);
#endif
