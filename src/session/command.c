/* session/command.c -- matching, parsing and describing commands.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/command.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/synonym.h"

enum {
    WIDTH_DEFAULT = 80,
    HELP_CELLS = 80,
    NAMES_MAX = 256,
    MAX_CHOICES = 64,
    MAX_CHOICE_CELLS = 60
};

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

/* ---- finding ---- */

const struct command *
command_find(const char *name)
{
    size_t n;
    const struct command *table = command_table(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

/* How many of argv's first words are the words of name: all of them, or 0. */
static int
words_matched(const char *name, int argc, const char *const *argv)
{
    int used = 0;

    while (*name) {
        size_t n = strcspn(name, " ");

        if (used == argc || strlen(argv[used]) != n ||
            memcmp(argv[used], name, n) != 0)
            return 0;
        used++;
        name += n;
        name += *name == ' ';
    }
    return used;
}

static bool
starts_word(const char *name, const char *word)
{
    size_t n = strlen(word);

    return strncmp(name, word, n) == 0 && name[n] == ' ';
}

/* "runs" names no command but begins some. */
static bool
family_error(const struct command *table, size_t n, int argc,
             const char *const *argv, struct error *err)
{
    struct buf names;
    const char *near[NAMES_MAX];
    const char *nearest;
    size_t n_near = 0;

    buf_init(&names);
    for (size_t i = 0; i < n; i++)
        if (starts_word(table[i].name, argv[0]) &&
            !(table[i].flags & CMD_HIDDEN) && n_near < NAMES_MAX) {
            near[n_near] = table[i].name + strlen(argv[0]) + 1;
            buf_printf(&names, "%s%s", n_near ? ", " : "", near[n_near]);
            n_near++;
        }
    if (argc < 2 || argv[1][0] == '-') {
        error_set(err, ERR_USAGE, "%s needs one of: %s", argv[0], names.data);
    } else {
        nearest = str_nearest(str_of(argv[1]), near, n_near);
        if (nearest)
            error_set(err, ERR_USAGE,
                      "no command '%s %s', did you mean "
                      "'%s %s'?",
                      argv[0], argv[1], argv[0], nearest);
        else
            error_set(err, ERR_USAGE,
                      "no command '%s %s', expected one of: "
                      "%s",
                      argv[0], argv[1], names.data);
    }
    buf_fini(&names);
    return false;
}

static bool
match_error(const struct command *table, size_t n, int argc,
            const char *const *argv, struct error *err)
{
    const char *names[NAMES_MAX];
    char first[NAMES_MAX][32];
    const char *nearest;
    size_t n_names = 0;

    for (size_t i = 0; i < n; i++)
        if (starts_word(table[i].name, argv[0]))
            return family_error(table, n, argc, argv, err);
    for (size_t i = 0; i < n && n_names < NAMES_MAX; i++) {
        size_t len = strcspn(table[i].name, " ");

        if ((table[i].flags & CMD_HIDDEN) || len >= sizeof first[0])
            continue;
        memcpy(first[n_names], table[i].name, len);
        first[n_names][len] = '\0';
        names[n_names] = first[n_names];
        n_names++;
    }
    nearest = synonym_nearest(str_of(argv[0]), names, n_names);
    return nearest ? error_set(err, ERR_USAGE,
                               "no command '%s', did you mean "
                               "'%s'?",
                               argv[0], nearest)
                   : error_set(err, ERR_USAGE, "no command '%s'", argv[0]);
}

const struct command *
command_match(int argc, const char *const *argv, int *used, struct error *err)
{
    size_t n;
    const struct command *table = command_table(&n), *best = NULL;

    *used = 0;
    for (size_t i = 0; i < n; i++) {
        int m = words_matched(table[i].name, argc, argv);

        if (m > *used) {
            *used = m;
            best = &table[i];
        }
    }
    if (!best && argc > 0)
        match_error(table, n, argc, argv, err);
    else if (!best)
        error_set(err, ERR_USAGE, "no command was given");
    return best;
}

/* ---- arguments ---- */

static bool
is_option(const struct arg *a)
{
    return a->name[0] == '-';
}

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

    for (size_t i = 0; (a = command_arg(c, i)); i++)
        if (is_option(a) && n < COMMAND_MAX_ARGS + 3)
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
        if (!is_option(a) && (a->repeated || call_count(c, a->name) == 0))
            return a;
    return NULL;
}

static bool
give_positional(struct call *c, const char *word, struct error *err)
{
    const struct arg *a = next_positional(c);

    if (!a)
        return error_set(err, ERR_USAGE, "%s: '%s' is one argument too many",
                         c->command->name, word);
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

/* More choices than a line of help holds: they are told behind its text. */
static bool
has_many_choices(const struct arg *a)
{
    return a->kind == ARG_CHOICE && strlen(a->choices) > MAX_CHOICE_CELLS;
}

/* What stands for an argument's value: "DATA", "COLUMN", "a|b". */
static void
put_value_name(struct buf *out, const struct arg *a)
{
    static const char *const word[] = {"TEXT", "N",     "X",   "",
                                       "FILE", "MODEL", "RUN", "COLUMN"};

    if (a->choices && !has_many_choices(a)) {
        buf_puts(out, a->choices);
    } else if (!is_option(a) || has_many_choices(a)) {
        for (const char *p = a->name + strspn(a->name, "-"); *p; p++)
            buf_putc(out, (char)toupper((unsigned char)*p));
    } else {
        buf_puts(out, word[a->kind]);
    }
}

static void
put_arg(struct buf *out, const struct arg *a)
{
    if (is_option(a))
        buf_puts(out, a->name);
    if (is_option(a) && a->kind != ARG_FLAG)
        buf_putc(out, ' ');
    if (!is_option(a) || a->kind != ARG_FLAG)
        put_value_name(out, a);
}

/* As --help writes it, or "data is missing" tells of what is in the table. */
static bool
missing(const struct call *c, const struct arg *a, struct error *err)
{
    struct buf name;
    bool ok;

    buf_init(&name);
    if (is_option(a))
        buf_puts(&name, a->name);
    else
        put_value_name(&name, a);
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

/* ---- help ---- */

void
command_synopsis(const struct command *c, struct buf *out)
{
    buf_printf(out, "lathe %s", c->name);
    for (const struct arg *a = c->args; a && a->name; a++) {
        buf_puts(out, a->required ? " " : " [");
        put_arg(out, a);
        buf_puts(out, a->required ? "" : "]");
        buf_puts(out, a->repeated ? "..." : "");
    }
    if (c->flags & CMD_READS)
        buf_puts(out, " [READING]...");
}

/* Up to the next blank; what stands in brackets stays together. */
static size_t
word_length(const char *s)
{
    unsigned depth = 0;
    size_t n = 0;

    for (; s[n] && (s[n] != ' ' || depth > 0); n++) {
        depth += s[n] == '[';
        depth -= s[n] == ']' && depth > 0;
    }
    return n;
}

void
command_put_words(struct buf *out, const char *s, size_t at, size_t indent,
                  size_t width)
{
    for (bool first = true;; first = false) {
        size_t n, cells;

        s += strspn(s, " ");
        if (!*s)
            return;
        n = word_length(s);
        cells = str_width((struct str){s, n});
        if (!first && at + 1 + cells > width) {
            buf_putc(out, '\n');
            buf_fill(out, ' ', indent);
            at = indent;
        } else if (!first) {
            buf_putc(out, ' ');
            at++;
        }
        buf_add(out, s, n);
        at += cells;
        s += n;
    }
}

static void
put_row(struct buf *out, const char *left, size_t width, const char *text)
{
    size_t n = strlen(left), indent = width + 4;

    buf_printf(out, "  %s", left);
    if (n > width) {
        buf_putc(out, '\n');
        n = 0;
        buf_puts(out, "  ");
    }
    buf_fill(out, ' ', width - n + 2);
    command_put_words(out, text, indent, indent, HELP_CELLS);
}

/* The widest of the names that are not too wide for a column of them. */
static size_t
names_width(const struct command *c)
{
    size_t width = strlen("--plain");
    const struct arg *a;
    struct buf left;

    buf_init(&left);
    for (size_t i = 0; (a = command_arg(c, i)); i++) {
        buf_clear(&left);
        put_arg(&left, a);
        if (left.len > width && left.len <= 28)
            width = left.len;
    }
    buf_fini(&left);
    return width;
}

/* ": a, b, c" */
static void
put_choices(struct buf *out, const char *choices)
{
    buf_puts(out, ": ");
    for (const char *p = choices; *p; p++)
        if (*p == '|')
            buf_puts(out, ", ");
        else
            buf_putc(out, *p);
}

static void
put_args(struct buf *out, const struct arg *a, size_t width)
{
    struct buf left, text;

    buf_init(&left);
    buf_init(&text);
    for (; a && a->name; a++) {
        buf_clear(&left);
        buf_clear(&text);
        put_arg(&left, a);
        buf_puts(&text, a->help ? a->help : "");
        if (has_many_choices(a))
            put_choices(&text, a->choices);
        if (a->fallback)
            buf_printf(&text, " (default %s)", a->fallback);
        put_row(out, left.data, width, text.data);
        buf_putc(out, '\n');
    }
    buf_fini(&text);
    buf_fini(&left);
}

void
command_usage(const struct command *c, struct buf *out)
{
    static const char usage[] = "usage: ";
    size_t width = names_width(c);
    struct buf synopsis;

    buf_init(&synopsis);
    command_synopsis(c, &synopsis);
    buf_puts(out, usage);
    command_put_words(out, synopsis.data, strlen(usage), strlen(usage) + 6,
                      HELP_CELLS);
    buf_fini(&synopsis);
    buf_printf(out, "\n\n%s\n", c->summary);
    if (c->help)
        buf_printf(out, "\n%s\n", c->help);
    buf_putc(out, '\n');
    put_args(out, c->args, width);
    put_row(out, "--json", width, "print JSON");
    buf_putc(out, '\n');
    put_row(out, "--plain", width, "plain words: no colour, no drawing");
    buf_putc(out, '\n');
    put_row(out, "--help", width, "this text");
    buf_putc(out, '\n');
    if (c->flags & CMD_READS) {
        buf_puts(out, "\nreading, where the file does not tell:\n");
        put_args(out, command_reading, width);
    }
    if (c->example)
        buf_printf(out, "\nexample:\n  %s\n", c->example);
}
