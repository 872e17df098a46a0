/* session/command.c -- the arguments of a command.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/command_part.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/synonym.h"

enum { WIDTH_DEFAULT = 80, MAX_CHOICES = 64 };

struct given {
    const struct arg *arg;
    char *text;
};

struct call {
    const struct command *command;
    struct given *given;
    size_t n_given;
    bool json, plain, help, whole;
    struct buf out;
    size_t width;
    struct frame *lent;
    call_sink *sink;
    void *sink_ctx;
};

/* ---- arguments ---- */

/* "--target", "-p" and "data" are also asked for as "target", "p", "data". */
static const char *
bare(const char *name)
{
    return name + strspn(name, "-");
}

const struct arg *
command_arg(const struct command *c, size_t i)
{
    const struct arg *a = c->args;

    for (; a && a->name; a++, i--)
        if (i == 0)
            return a;
    if (!(c->flags & CMD_READS))
        return NULL;
    for (a = command_reading; a->name; a++, i--)
        if (i == 0)
            return a;
    return NULL;
}

static const struct arg *
find_arg(const struct command *c, const char *name)
{
    const struct arg *a;

    for (size_t i = 0; (a = command_arg(c, i)); i++)
        if (strcmp(bare(a->name), bare(name)) == 0)
            return a;
    return NULL;
}

static bool
no_such_option(const struct command *c, const char *name, struct error *err)
{
    const char *names[COMMAND_MAX_ARGS + 3] = {"--json", "--plain", "--help"};
    const char *nearest;
    const struct arg *a;
    size_t n = 3;

    if ((a = find_arg(c, name)) && !command_is_option(a))
        return error_set(err, ERR_USAGE,
                         "%s: '%s' is no option but told by its place, as in: "
                         "%s",
                         c->name, name, c->example);
    for (size_t i = 0; (a = command_arg(c, i)); i++)
        if (command_is_option(a) && n < COMMAND_MAX_ARGS + 3)
            names[n++] = a->name;
    nearest = synonym_nearest(str_of(name), names, n);
    return nearest ? error_set(err, ERR_USAGE,
                               "%s: no option '%s', did you "
                               "mean '%s'?",
                               c->name, name, nearest)
                   : error_set(err, ERR_USAGE,
                               "%s: no option '%s' (lathe %s "
                               "--help lists them)",
                               c->name, name, c->name);
}

/* The choice that was meant, to be freed, or NULL. */
static char *
nearest_choice(const char *choices, const char *text)
{
    const char *words[MAX_CHOICES], *near;
    char *all = mem_text(choices), *save = NULL, *found;
    size_t n = 0;

    for (char *w = strtok_r(all, "|", &save); w && n < MAX_CHOICES;
         w = strtok_r(NULL, "|", &save))
        words[n++] = w;
    near = synonym_nearest(str_of(text), words, n);
    found = near ? mem_text(near) : NULL;
    free(all);
    return found;
}

static bool
choice_error(const struct call *c, const struct arg *a, const char *text,
             struct error *err)
{
    char *near = nearest_choice(a->choices, text);

    error_set(err, ERR_USAGE, "%s: %s is '%s', expected %s%s%s%s",
              c->command->name, a->name, text, a->choices,
              near ? " (did you mean '" : "", near ? near : "",
              near ? "'?)" : "");
    free(near);
    return false;
}

static bool
is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);

    for (const char *p = choices; p;) {
        size_t n = strcspn(p, "|");

        if (n == len && memcmp(p, text, n) == 0)
            return true;
        p = p[n] ? p + n + 1 : NULL;
    }
    return false;
}

static bool
check_value(const struct call *c, const struct arg *a, const char *text,
            struct error *err)
{
    const char *cmd = c->command->name;
    int64_t i;
    double x;

    switch (a->kind) {
    case ARG_INT:
        if (!str_to_i64(str_of(text), &i))
            return error_set(err, ERR_USAGE,
                             "%s: %s is '%s', expected a whole "
                             "number",
                             cmd, a->name, text);
        return true;
    case ARG_FLOAT:
        if (!str_to_f64(str_of(text), &x))
            return error_set(err, ERR_USAGE,
                             "%s: %s is '%s', expected a "
                             "number",
                             cmd, a->name, text);
        return true;
    case ARG_FLAG:
        if (!is_choice("true|false", text))
            return error_set(err, ERR_USAGE,
                             "%s: %s is '%s', expected true or "
                             "false",
                             cmd, a->name, text);
        return true;
    case ARG_CHOICE:
        return is_choice(a->choices, text) || choice_error(c, a, text, err);
    case ARG_TEXT:
    case ARG_FILE:
    case ARG_MODEL:
    case ARG_RUN:
    case ARG_COLUMN:
        break;
    }
    return true;
}

static bool
give(struct call *c, const struct arg *a, const char *text, struct error *err)
{
    struct given *grown;

    if (!check_value(c, a, text, err))
        return false;
    if (!a->repeated && call_count(c, a->name) > 0)
        return error_set(err, ERR_USAGE, "%s: %s was given twice",
                         c->command->name, a->name);
    grown = mem_try_resize(c->given, c->n_given + 1, sizeof *grown, err);
    if (!grown)
        return false;
    c->given = grown;
    c->given[c->n_given++] = (struct given){a, mem_text(text)};
    return true;
}

/* The positional argument that the next plain word fills. */
static const struct arg *
next_positional(const struct call *c)
{
    for (const struct arg *a = c->command->args; a && a->name; a++)
        if (!command_is_option(a) &&
            (a->repeated || call_count(c, a->name) == 0))
            return a;
    return NULL;
}

static bool
give_positional(struct call *c, const char *word, struct error *err)
{
    const struct arg *a = next_positional(c);

    if (!a)
        return error_set(err, ERR_USAGE,
                         "%s: '%s' is one argument too many, as in: %s",
                         c->command->name, word, c->command->example);
    return give(c, a, word, err);
}

static bool
give_common(struct call *c, const char *word)
{
    bool *flag = strcmp(word, "--json") == 0    ? &c->json
                 : strcmp(word, "--plain") == 0 ? &c->plain
                 : strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0
                     ? &c->help
                     : NULL;

    if (flag)
        *flag = true;
    return flag != NULL;
}

/* argv[*i] is an option; its value may be the next word. */
static bool
give_option(struct call *c, int argc, const char *const *argv, int *i,
            struct error *err)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    char *name = mem_text(word);
    const struct arg *a;
    bool ok;

    if (equals)
        name[equals - word] = '\0';
    a = find_arg(c->command, name);
    if (!a || strcmp(a->name, name) != 0)
        ok = no_such_option(c->command, name, err);
    else if (equals)
        ok = give(c, a, equals + 1, err);
    else if (a->kind == ARG_FLAG)
        ok = give(c, a, "true", err);
    else if (*i + 1 < argc)
        ok = give(c, a, argv[++*i], err);
    else
        ok = error_set(err, ERR_USAGE, "%s: %s needs a value", c->command->name,
                       name);
    free(name);
    return ok;
}

struct call *
call_new(const struct command *command)
{
    struct call *c = mem_new(sizeof *c);

    c->command = command;
    c->width = WIDTH_DEFAULT;
    buf_init(&c->out);
    return c;
}

void
call_free(struct call *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_given; i++)
        free(c->given[i].text);
    free(c->given);
    frame_unref(c->lent);
    buf_fini(&c->out);
    free(c);
}

void
call_lend(struct call *c, const struct frame *f)
{
    frame_unref(c->lent);
    c->lent = frame_ref(f);
}

const struct frame *
call_lent(const struct call *c)
{
    return c->lent;
}

struct call *
call_parse(const struct command *command, int argc, const char *const *argv,
           struct error *err)
{
    struct call *c = call_new(command);
    bool options = true, ok = true;

    for (int i = 0; i < argc && ok; i++) {
        const char *word = argv[i];

        if (options && strcmp(word, "--") == 0)
            options = false;
        else if (!options || word[0] != '-' || !word[1])
            ok = give_positional(c, word, err);
        else if (!give_common(c, word))
            ok = give_option(c, argc, argv, &i, err);
    }
    if (!ok || (!c->help && !call_check(c, err))) {
        call_free(c);
        return NULL;
    }
    return c;
}

bool
call_set(struct call *c, const char *name, const char *value, struct error *err)
{
    const struct arg *a = find_arg(c->command, name);

    if (strcmp(bare(name), "json") == 0) {
        c->json = strcmp(value, "true") == 0;
        return true;
    }
    if (!a)
        return no_such_option(c->command, name, err);
    return give(c, a, value, err);
}

/* As --help writes it, or "data is missing" tells of what is in the table. */
static bool
missing(const struct call *c, const struct arg *a, struct error *err)
{
    struct buf name;
    bool ok;

    buf_init(&name);
    if (command_is_option(a))
        buf_puts(&name, a->name);
    else
        command_put_value(&name, a);
    ok = error_set(err, ERR_USAGE,
                   "%s: %s is missing (lathe %s --help tells more)",
                   c->command->name, name.data, c->command->name);
    buf_fini(&name);
    return ok;
}

bool
call_check(struct call *c, struct error *err)
{
    for (const struct arg *a = c->command->args; a && a->name; a++)
        if (a->required && call_count(c, a->name) == 0)
            return missing(c, a, err);
    return true;
}

size_t
call_count(const struct call *c, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_given; i++)
        n += strcmp(bare(c->given[i].arg->name), bare(name)) == 0;
    return n;
}

const char *
call_nth(const struct call *c, const char *name, size_t nth)
{
    for (size_t i = 0; i < c->n_given; i++)
        if (strcmp(bare(c->given[i].arg->name), bare(name)) == 0 && nth-- == 0)
            return c->given[i].text;
    return NULL;
}

const char *
call_text(const struct call *c, const char *name)
{
    const struct arg *a = find_arg(c->command, name);
    const char *text = call_nth(c, name, 0);

    assert(a); /* a name of the table */
    return text ? text : a->fallback;
}

bool
call_flag(const struct call *c, const char *name)
{
    const char *text = call_text(c, name);

    return text && strcmp(text, "true") == 0;
}

int64_t
call_int(const struct call *c, const char *name)
{
    const char *text = call_text(c, name);
    int64_t v = 0;

    if (text && !str_to_i64(str_of(text), &v))
        v = 0;
    return v;
}

double
call_float(const struct call *c, const char *name)
{
    const char *text = call_text(c, name);
    double v = 0;

    if (text && !str_to_f64(str_of(text), &v))
        v = 0;
    return v;
}

bool
call_json(const struct call *c)
{
    return c->json;
}

bool
call_plain(const struct call *c)
{
    return c->plain;
}

void
call_set_plain(struct call *c)
{
    c->plain = true;
}

bool
call_help(const struct call *c)
{
    return c->help;
}

struct buf *
call_out(struct call *c)
{
    return &c->out;
}

size_t
call_width(const struct call *c)
{
    return c->width;
}

size_t
call_list_width(const struct call *c)
{
    return c->whole ? 0 : c->width;
}

void
call_set_whole(struct call *c)
{
    c->whole = true;
}

void
call_set_width(struct call *c, size_t cells)
{
    c->width = cells;
}

void
call_set_sink(struct call *c, call_sink *sink, void *ctx)
{
    c->sink = sink;
    c->sink_ctx = ctx;
}

void
call_flush(struct call *c)
{
    if (!c->sink || c->out.len == 0)
        return;
    c->sink(c->sink_ctx, c->out.data, c->out.len);
    buf_clear(&c->out);
}

const struct command *
call_command(const struct call *c)
{
    return c->command;
}
