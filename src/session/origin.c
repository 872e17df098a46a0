/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/origin.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/keyword.h"
#include "base/mem.h"
#include "session/steps.h"

void
origin_fini(struct origin *o)
{
    free(o->before);
    free(o->expression);
    *o = (struct origin){0};
}

void
origin_move(struct origin *to, struct origin *from)
{
    *to = *from;
    *from = (struct origin){0};
}

static void
put_option(struct buf *out, const char *name)
{
    buf_printf(out, "%s%s = ", out->len ? ", " : "", name);
}

static void
put_texts(struct buf *out, const char *name, const char *const *text)
{
    size_t n = 0;

    while (text && text[n])
        n++;
    if (n == 0)
        return;
    put_option(out, name);
    steps_put_names(text, n, out);
}

/* `delimiter = ";", types = { "id=text" }` */
static void
put_options(struct buf *out, const struct source_options *how)
{
    const char delimiter[] = {how->csv.delimiter, '\0'};
    const char *encoding = encoding_word(how->encoding);

    if (*delimiter) {
        put_option(out, "delimiter");
        steps_put_text(delimiter, out);
    }
    if (encoding) {
        put_option(out, "encoding");
        steps_put_text(encoding, out);
    }
    if (how->csv.header >= 0) {
        put_option(out, "header");
        buf_puts(out, how->csv.header ? "true" : "false");
    }
    put_texts(out, "types", how->csv.types);
    put_texts(out, "nulls", how->csv.nulls);
}

static void
read_by(struct origin *o, const char *function, const char *path,
        const struct source_options *how)
{
    struct buf b, options;

    buf_init(&b);
    buf_init(&options);
    buf_printf(&b, "lathe.%s(", function);
    steps_put_text(path, &b);
    if (how)
        put_options(&options, how);
    if (options.len)
        buf_printf(&b, ", { %s }", options.data);
    buf_putc(&b, ')');
    buf_fini(&options);
    *o = (struct origin){mem_text(""), buf_take(&b)};
}

void
origin_read(struct origin *o, const char *path,
            const struct source_options *how)
{
    read_by(o, "read", path, how);
}

void
origin_scan(struct origin *o, const char *path,
            const struct source_options *how)
{
    read_by(o, "scan", path, how);
}

static void
call_on(struct origin *o, const struct table *t, struct buf *before,
        const char *call, const char *other)
{
    const char *hole = other ? strstr(call, "%s") : NULL;
    struct buf b;

    buf_init(&b);
    buf_printf(&b, "%s:", t->variable);
    if (hole) {
        buf_add(&b, call, (size_t)(hole - call));
        buf_puts(&b, other);
        call = hole + 2;
    }
    buf_puts(&b, call);
    *o = (struct origin){buf_take(before), buf_take(&b)};
}

void
origin_call(struct origin *o, const struct table *t, const char *call)
{
    struct buf before;

    buf_init(&before);
    table_lua(t, &before);
    call_on(o, t, &before, call, NULL);
}

void
origin_rejects(struct origin *o, const struct table *t)
{
    struct buf b;

    *o = (struct origin){mem_text(t->origin.before), NULL};
    if (!t->origin.expression)
        return;
    buf_init(&b);
    buf_printf(&b, "%s:rejects()", t->origin.expression);
    o->expression = buf_take(&b);
}

/* Do the lines before t set this variable, to make t from it? */
static bool
comes_from(const struct table *t, const struct table *other)
{
    size_t n = strlen(other->variable);

    for (const char *p = t->origin.before; p && *p; p++) {
        if (strncmp(p, other->variable, n) == 0 &&
            strncmp(p + n, " = ", 3) == 0)
            return true;
        if (!(p = strchr(p, '\n')))
            break;
    }
    return false;
}

void
origin_call_with(struct origin *o, const struct table *t,
                 const struct table *other, const char *call)
{
    struct buf before;

    buf_init(&before);
    /* What one comes from may show otherwise now, so it is made last. */
    if (t == other) {
        table_lua(t, &before);
    } else {
        table_lua(comes_from(t, other) ? t : other, &before);
        table_lua(comes_from(t, other) ? other : t, &before);
    }
    call_on(o, t, &before, call, other->variable);
}

struct saying {
    const struct table *t;
    struct buf *out;
};

static void
say_step(void *ctx, const char *call)
{
    const struct saying *s = ctx;

    buf_printf(s->out, "%s = %s%s\n", s->t->variable, s->t->variable, call);
}

void
table_lua(const struct table *t, struct buf *out)
{
    struct saying s = {t, out};

    if (t->origin.before)
        buf_puts(out, t->origin.before);
    if (t->origin.expression)
        buf_printf(out, "%s = %s\n", t->variable, t->origin.expression);
    else
        buf_printf(out, "-- %s: a table that was made elsewhere\n",
                   t->variable);
    steps_each(t->steps, say_step, &s);
}

/* ---- names ---- */

/* Names that a notebook would miss. */
static const char *const taken[] = {
    "arg",          "assert", "coroutine", "debug",    "dofile",   "error",
    "getmetatable", "io",     "ipairs",    "lathe",    "load",     "math",
    "next",         "os",     "package",   "pairs",    "pcall",    "print",
    "rawequal",     "rawget", "rawlen",    "rawset",   "require",  "select",
    "setmetatable", "string", "table",     "tonumber", "tostring", "type",
    "utf8",         "xpcall"};

static bool
is_taken(const struct session *s, const char *name)
{
    if (keyword_is(str_of(name)))
        return true;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(taken[i], name) == 0)
            return true;
    for (size_t i = 0; i < session_tables(s); i++)
        if (session_table_at(s, i)->variable &&
            strcmp(session_table_at(s, i)->variable, name) == 0)
            return true;
    return false;
}

/* The ending of a file is left out; what no name may hold becomes "_", once
 * for each run of it. */
static void
put_word(const char *name, struct buf *out)
{
    const char *colon = strchr(name, ':');
    size_t n = colon ? (size_t)(colon - name) : strlen(name);
    const char *dot = memchr(name + (n > 0), '.', n > 0 ? n - 1 : 0);

    if (!isalpha((unsigned char)*name) && *name != '_')
        buf_putc(out, 't');
    for (const char *p = name; *p; p++) {
        if (dot && p == dot)
            p = colon ? colon : name + strlen(name);
        if (!*p)
            break;
        if (isalnum((unsigned char)*p))
            buf_putc(out, *p);
        else if (out->len == 0 || out->data[out->len - 1] != '_')
            buf_putc(out, '_');
    }
    while (out->len > 1 && out->data[out->len - 1] == '_')
        out->data[--out->len] = '\0';
}

char *
origin_variable(const struct session *s, const char *name)
{
    struct buf b;
    size_t n;

    buf_init(&b);
    put_word(name, &b);
    n = b.len;
    for (unsigned i = 2; is_taken(s, b.data); i++) {
        b.len = n;
        buf_printf(&b, "_%u", i);
    }
    return buf_take(&b);
}
