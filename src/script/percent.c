/* script/percent.c -- the percent format: a Lua file as cells and back.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "script/percent.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

static char *
copy(const char *p, size_t n)
{
    char *s = mem_new(n + 1);

    if (n)
        memcpy(s, p, n);
    return s;
}

/* The length of the line at p, with its newline. */
static size_t
line_len(const char *p, size_t n)
{
    const char *end = memchr(p, '\n', n);

    return end ? (size_t)(end - p) + 1 : n;
}

/* "-- %%" with anything after it: where that begins, else 0. */
static size_t
marker(const char *p, size_t n)
{
    size_t i = 2;

    if (n < 4 || p[0] != '-' || p[1] != '-')
        return 0;
    while (i < n && (p[i] == ' ' || p[i] == '\t'))
        i++;
    if (i + 2 > n || p[i] != '%' || p[i + 1] != '%')
        return 0;
    i += 2;
    return i == n || strchr(" \t\r\n", p[i]) ? i : 0;
}

/* ---- what is in a long bracket ---- */

/* A marker within a long string or comment is text: the file is Lua, and Lua
 * would not see a comment there.  A bracket that is never closed opens
 * nothing, or one slip of the pen would swallow all cells after it. */
enum { LEVELS = 32 }; /* [==[ is level 2; higher ones are not looked for */

struct lexer {
    const char *p;
    size_t n, at;
    char quote;            /* of a short string that goes on, or 0 */
    bool unclosed[LEVELS]; /* no ]==] behind `at` */
};

/* The level of the bracket at `at`, or -1. */
static int
long_open(const struct lexer *l, size_t at)
{
    size_t end = at + 1;

    if (at >= l->n || l->p[at] != '[')
        return -1;
    while (end < l->n && l->p[end] == '=')
        end++;
    return end < l->n && l->p[end] == '[' && end - at - 1 < LEVELS
               ? (int)(end - at - 1)
               : -1;
}

/* Behind the bracket that closes the one of this level at `at`; 0: none. */
static size_t
long_end(struct lexer *l, size_t at, int level)
{
    size_t width = (size_t)level + 2;

    if (l->unclosed[level])
        return 0;
    for (at += width; at + width <= l->n; at++) {
        const char *p = memchr(l->p + at, ']', l->n - at);
        size_t equals = 1;

        if (!p)
            break;
        at = (size_t)(p - l->p);
        while (at + equals < l->n && p[equals] == '=')
            equals++;
        if (equals == width - 1 && at + equals < l->n && p[equals] == ']')
            return at + width;
        at += equals - 1;
    }
    l->unclosed[level] = true;
    return 0;
}

/* From a long bracket at `at` to behind it, else by one byte. */
static size_t
skip_bracket(struct lexer *l, size_t at)
{
    int level = long_open(l, at);
    size_t end = level < 0 ? 0 : long_end(l, at, level);

    return end ? end : at + 1;
}

/* Go on to the end of the line, or of what it opens; l->at is where. */
static void
read_line(struct lexer *l, size_t end)
{
    while (l->at < end) {
        char c = l->p[l->at];

        if (l->quote) {
            if (c == '\\')
                l->at++;
            else if (c == l->quote || c == '\n')
                l->quote = 0;
            l->at++;
        } else if (c == '"' || c == '\'') {
            l->quote = c;
            l->at++;
        } else if (c == '[') {
            l->at = skip_bracket(l, l->at);
        } else if (c == '-' && l->at + 1 < end && l->p[l->at + 1] == '-') {
            size_t behind = skip_bracket(l, l->at + 2);

            l->at = behind > l->at + 3 ? behind : end;
        } else {
            l->at++;
        }
    }
}

static bool
is_blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strchr(" \t\r\n", p[i]))
            return false;
    return true;
}

/* ---- one cell ---- */

/* title [markdown] tags=["parameters"]: the title is what stands before the
 * first bracket or key=value. */
static void
read_header(struct cell_text *t, const char *p, size_t n)
{
    size_t end = 0;

    while (n && strchr(" \t\r\n", p[n - 1]))
        n--;
    while (n && strchr(" \t", *p)) {
        p++;
        n--;
    }
    while (end < n && p[end] != '[' && p[end] != '=')
        end++;
    if (end < n && p[end] == '[') {
        const char *close = memchr(p + end, ']', n - end);
        size_t len = close ? (size_t)(close - (p + end)) + 1 : 0;

        if ((len == 10 && memcmp(p + end, "[markdown]", len) == 0) ||
            (len == 4 && memcmp(p + end, "[md]", len) == 0) ||
            (len == 5 && memcmp(p + end, "[raw]", len) == 0))
            t->kind = CELL_TEXT;
        else if (!(end && p[end - 1] == '='))
            end = n; /* brackets of the title itself */
    } else if (end < n) {
        while (end && p[end - 1] != ' ')
            end--;
    }
    for (size_t i = 0; i + 12 <= n; i++)
        t->parameters =
            t->parameters || memcmp(p + i, "\"parameters\"", 12) == 0;
    while (end && p[end - 1] == ' ')
        end--;
    t->title = copy(p, end);
}

/* The text of a text cell: comments without their dashes. */
static void
uncomment(const char *p, size_t n, struct buf *out)
{
    while (n) {
        size_t len = line_len(p, n), skip = 0;

        if (len >= 2 && p[0] == '-' && p[1] == '-')
            skip = len > 2 && p[2] == ' ' ? 3 : 2;
        buf_add(out, p + skip, len - skip);
        p += len;
        n -= len;
    }
}

static void
comment(const char *p, size_t n, struct buf *out)
{
    while (n) {
        size_t len = line_len(p, n);

        buf_puts(out, is_blank(p, len) ? "--" : "-- ");
        buf_add(out, p, len);
        p += len;
        n -= len;
    }
}

static void
set_digest(struct cell_text *t)
{
    struct buf b;

    buf_init(&b);
    buf_putc(&b, t->kind == CELL_TEXT ? 't' : 'c');
    buf_add(&b, t->source, t->len);
    file_hash(b.data, b.len, t->digest);
    buf_fini(&b);
}

/* body and the blank lines after it, as they stand in the file. */
static void
set_body(struct cell_text *t, const char *p, size_t n)
{
    size_t len = n;
    struct buf b;

    while (len && strchr(" \t\r\n", p[len - 1]))
        len--;
    /* Blanks at the end of the last line belong to it. */
    while (len < n && p[len] != '\n' && p[len] != '\r')
        len++;
    t->body = copy(p, len);
    t->body_len = len;
    t->tail = copy(p + len, n - len);
    buf_init(&b);
    if (t->kind == CELL_TEXT)
        uncomment(p, len, &b);
    else
        buf_add(&b, p, len);
    t->len = b.len;
    t->source = copy(b.data, b.len);
    buf_fini(&b);
    set_digest(t);
}

static struct cell_text *
read_cell(const char *header, size_t header_len, const char *p, size_t n)
{
    struct cell_text *t = mem_new(sizeof *t);
    size_t from = marker(header, header_len);

    t->refs = 1;
    t->header = copy(header, header_len);
    read_header(t, header + from, header_len - from);
    set_body(t, p, n);
    return t;
}

struct cell_text *
cell_text_new(enum cell_kind kind, const char *source, size_t len,
              const struct cell_text *like)
{
    struct cell_text *t = mem_new(sizeof *t);
    struct buf b;

    while (len && source[len - 1] == '\n')
        len--;
    t->refs = 1;
    t->kind = kind;
    t->source = copy(source, len);
    t->len = len;
    if (like && like->kind == kind) {
        t->parameters = like->parameters;
        t->title = mem_text(like->title);
        t->header = mem_text(like->header);
        t->tail = mem_text(like->tail);
    } else {
        t->title = mem_text("");
        t->header =
            mem_text(kind == CELL_TEXT ? "-- %% [markdown]\n" : "-- %%\n");
        t->tail = mem_text("\n\n");
    }
    buf_init(&b);
    if (kind == CELL_TEXT)
        comment(source, len, &b);
    else
        buf_add(&b, source, len);
    t->body_len = b.len;
    t->body = copy(b.data, b.len);
    buf_fini(&b);
    set_digest(t);
    return t;
}

struct cell_text *
cell_text_ref(struct cell_text *t)
{
    t->refs++;
    return t;
}

void
cell_text_unref(struct cell_text *t)
{
    if (!t || --t->refs)
        return;
    free(t->title);
    free(t->source);
    free(t->header);
    free(t->body);
    free(t->tail);
    free(t);
}

/* ---- the file ---- */

static void
add(struct cell_texts *out, struct cell_text *t)
{
    out->text = mem_grow(out->text, out->n, &out->cap, sizeof *out->text);
    out->text[out->n++] = t;
}

/* Only comments and blank lines: not worth a cell. */
static bool
only_comments(const char *p, size_t n)
{
    while (n) {
        size_t len = line_len(p, n);

        if (!is_blank(p, len) && !(len >= 2 && p[0] == '-' && p[1] == '-') &&
            !(len >= 2 && p[0] == '#' && p[1] == '!'))
            return false;
        p += len;
        n -= len;
    }
    return true;
}

void
percent_parse(struct str file, struct cell_texts *out)
{
    const char *p = file.p, *header = NULL;
    size_t n = file.n, at = 0, begin = 0, header_len = 0;
    struct lexer lua = {.p = p, .n = n};

    *out = (struct cell_texts){NULL, 0, 0, NULL};
    while (at <= n) {
        size_t len = at < n ? line_len(p + at, n - at) : 0;

        bool code = lua.at == at && !lua.quote;

        read_line(&lua, at + len);
        if (at == n || (code && marker(p + at, len))) {
            bool any = at < n || header;

            if (header)
                add(out, read_cell(header, header_len, p + begin, at - begin));
            else if (only_comments(p, at) && any)
                out->preamble = copy(p, at);
            else
                add(out, read_cell("", 0, p, at));
            if (at == n)
                break;
            header = p + at;
            header_len = len;
            begin = at + len;
        }
        at += len;
    }
    if (!out->preamble)
        out->preamble = copy("", 0);
}

void
percent_write(const struct cell_texts *t, struct buf *out)
{
    buf_puts(out, t->preamble);
    for (size_t i = 0; i < t->n; i++) {
        const struct cell_text *c = t->text[i];

        /* A cell put after one that ended the file without a newline. */
        if (out->len && out->data[out->len - 1] != '\n' && *c->header)
            buf_puts(out, "\n\n");
        buf_puts(out, c->header);
        buf_add(out, c->body, c->body_len);
        buf_puts(out, c->tail);
    }
}

void
cell_texts_fini(struct cell_texts *t)
{
    for (size_t i = 0; i < t->n; i++)
        cell_text_unref(t->text[i]);
    free(t->text);
    free(t->preamble);
    *t = (struct cell_texts){NULL, 0, 0, NULL};
}
