/* session/command_help.c -- what --help says.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/command_part.h"

#include <ctype.h>
#include <string.h>

enum { HELP_CELLS = 80, MAX_CHOICE_CELLS = 60 };

bool
command_is_option(const struct arg *a)
{
    return a->name[0] == '-';
}

/* More choices than a line of help holds: they are told behind its text. */
static bool
has_many_choices(const struct arg *a)
{
    return a->kind == ARG_CHOICE && strlen(a->choices) > MAX_CHOICE_CELLS;
}

void
command_put_value(struct buf *out, const struct arg *a)
{
    static const char *const word[] = {"TEXT", "N",     "X",   "",
                                       "FILE", "MODEL", "RUN", "COLUMN"};

    if (a->choices && !has_many_choices(a)) {
        buf_puts(out, a->choices);
    } else if (!command_is_option(a) || has_many_choices(a)) {
        for (const char *p = a->name + strspn(a->name, "-"); *p; p++)
            buf_putc(out, (char)toupper((unsigned char)*p));
    } else {
        buf_puts(out, word[a->kind]);
    }
}

static void
put_arg(struct buf *out, const struct arg *a)
{
    if (command_is_option(a))
        buf_puts(out, a->name);
    if (command_is_option(a) && a->kind != ARG_FLAG)
        buf_putc(out, ' ');
    if (!command_is_option(a) || a->kind != ARG_FLAG)
        command_put_value(out, a);
}

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
