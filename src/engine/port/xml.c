/* engine/port/xml.c -- XML into a tree in memory.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/xml.h"

#include <string.h>

#include "base/buf.h"

struct reader {
    struct str in;
    size_t at;
    struct arena *arena;
    struct error *err;
};

static bool
bad(const struct reader *r, const char *what)
{
    return error_set(r->err, ERR_PARSE, "byte %zu: %s", r->at + 1, what);
}

bool
xml_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char
peek(const struct reader *r)
{
    return r->at < r->in.n ? r->in.p[r->at] : '\0';
}

static void
skip_blanks(struct reader *r)
{
    while (xml_is_blank(peek(r)))
        r->at++;
}

/* Behind the next `end`. */
static bool
skip_to(struct reader *r, const char *end)
{
    size_t n = strlen(end);

    for (; r->at + n <= r->in.n; r->at++)
        if (memcmp(r->in.p + r->at, end, n) == 0) {
            r->at += n;
            return true;
        }
    return bad(r, "no end of a comment or an instruction");
}

static struct str
read_name(struct reader *r)
{
    struct str name = {r->in.p + r->at, 0};

    while (peek(r) && !xml_is_blank(peek(r)) && !strchr("<>/=\"'&", peek(r)))
        r->at++;
    name.n = (size_t)(r->in.p + r->at - name.p);
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == ':')
            return (struct str){name.p + i + 1, name.n - i - 1};
    return name;
}

/* ---- texts ---- */

static bool
entity(struct reader *r, struct str name, char *out, size_t *n)
{
    static const char *const names[] = {"amp", "lt", "gt", "quot", "apos"};
    uint32_t cp = 0, base = 10;

    for (size_t i = 0; i < 5; i++)
        if (str_is(name, names[i])) {
            out[(*n)++] = "&<>\"'"[i];
            return true;
        }
    if (name.n < 2 || name.p[0] != '#')
        return bad(r, "an entity that is not known");
    if (name.p[1] == 'x')
        base = 16;
    for (size_t i = base == 16 ? 2 : 1; i < name.n; i++) {
        char c = name.p[i];
        uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
                         : (c | 32) >= 'a' && (c | 32) <= 'f'
                             ? (uint32_t)((c | 32) - 'a' + 10)
                             : 99;

        if (digit >= base || cp > 0x10ffff)
            return bad(r, "a bad number of a character");
        cp = cp * base + digit;
    }
    if (cp == 0 || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        return bad(r, "a bad number of a character");
    *n += str_put_utf8(cp, out + *n);
    return true;
}

/* raw with entities written out; never longer. */
static bool
decode(struct reader *r, struct str raw, struct str *out)
{
    char *to = arena_try(r->arena, raw.n + 1, 1, r->err);
    size_t n = 0;

    for (size_t i = 0; i < raw.n && to; i++) {
        const char *end;

        if (raw.p[i] == '\0')
            return bad(r, "a zero byte");
        if (raw.p[i] != '&') {
            to[n++] = raw.p[i];
            continue;
        }
        end = memchr(raw.p + i, ';', raw.n - i);
        if (!end)
            return bad(r, "an entity without an end");
        if (!entity(r,
                    (struct str){raw.p + i + 1, (size_t)(end - raw.p) - i - 1},
                    to, &n))
            return false;
        i = (size_t)(end - raw.p);
    }
    *out = (struct str){to, n};
    return to != NULL;
}

/* ---- elements ---- */

static bool
read_attribute(struct reader *r, struct xml *x, struct xml_attribute **last)
{
    struct xml_attribute *a = arena_try(r->arena, 1, sizeof *a, r->err);
    struct str raw, value;
    char quote;

    if (!a)
        return false;
    a->name = read_name(r);
    skip_blanks(r);
    if (a->name.n == 0 || peek(r) != '=')
        return bad(r, "expected an attribute");
    r->at++;
    skip_blanks(r);
    quote = peek(r);
    if (quote != '"' && quote != '\'')
        return bad(r, "expected a quote");
    raw.p = r->in.p + ++r->at;
    while (peek(r) && peek(r) != quote)
        r->at++;
    raw.n = (size_t)(r->in.p + r->at - raw.p);
    if (peek(r) != quote)
        return bad(r, "an attribute without an end");
    r->at++;
    if (!decode(r, raw, &value))
        return false;
    a->value = value.p;
    if (*last)
        (*last)->next = a;
    else
        x->attribute = a;
    *last = a;
    return true;
}

/* Behind "<": *open says whether it has content. */
static bool
read_start(struct reader *r, struct xml *x, bool *open)
{
    struct xml_attribute *last = NULL;

    x->name = read_name(r);
    if (x->name.n == 0)
        return bad(r, "expected the name of an element");
    for (;;) {
        skip_blanks(r);
        *open = peek(r) == '>';
        if (*open || peek(r) == '/')
            break;
        if (!read_attribute(r, x, &last))
            return false;
    }
    if (!*open && (r->at + 1 >= r->in.n || r->in.p[r->at + 1] != '>'))
        return bad(r, "expected '>'");
    r->at += *open ? 1 : 2;
    return true;
}

static bool
read_end(struct reader *r, const struct xml *x)
{
    struct str name = read_name(r);

    skip_blanks(r);
    if (!x || !str_eq(name, x->name) || peek(r) != '>')
        return bad(r, "the end of another element");
    r->at++;
    return true;
}

static bool
read_text(struct reader *r, struct xml *x)
{
    struct str raw = {r->in.p + r->at, 0};

    while (peek(r) && peek(r) != '<')
        r->at++;
    raw.n = (size_t)(r->in.p + r->at - raw.p);
    if (r->at < r->in.n && peek(r) == '\0')
        return bad(r, "a zero byte");
    if (str_trim(raw).n == 0)
        return true;
    if (!x)
        return bad(r, "text outside of elements");
    return decode(r, str_trim(raw), &x->text);
}

static struct xml *
new_element(struct reader *r, struct xml *parent, struct xml **root)
{
    struct xml *x = arena_try(r->arena, 1, sizeof *x, r->err);

    if (!x)
        return NULL;
    x->parent = parent;
    if (!parent && *root) {
        bad(r, "a second root");
        return NULL;
    }
    if (!parent)
        *root = x;
    else if (parent->last)
        parent->last->next = x;
    else
        parent->first = x;
    if (parent)
        parent->last = x;
    return x;
}

/* One tag or stretch of text. */
static bool
read_piece(struct reader *r, struct xml **at, struct xml **root)
{
    struct xml *x;
    bool open;

    if (peek(r) != '<')
        return read_text(r, *at);
    r->at++;
    if (peek(r) == '?')
        return skip_to(r, "?>");
    if (peek(r) == '!')
        return r->at + 3 <= r->in.n && memcmp(r->in.p + r->at, "!--", 3) == 0
                   ? skip_to(r, "-->")
                   : bad(r, "a document type or CDATA is not read");
    if (peek(r) == '/') {
        r->at++;
        if (!read_end(r, *at))
            return false;
        *at = (*at)->parent;
        return true;
    }
    if (!(x = new_element(r, *at, root)) || !read_start(r, x, &open))
        return false;
    if (open)
        *at = x;
    return true;
}

const struct xml *
xml_parse(struct str text, struct arena *arena, struct error *err)
{
    struct reader r = {text, 0, arena, err};
    struct xml *at = NULL, *root = NULL;

    while (r.at < text.n)
        if (!read_piece(&r, &at, &root))
            return NULL;
    if (at || !root) {
        bad(&r, "cut off");
        return NULL;
    }
    return root;
}

/* ---- looking ---- */

bool
xml_is(const struct xml *x, const char *name)
{
    return x && str_is(x->name, name);
}

const struct xml *
xml_next(const struct xml *x, const char *name)
{
    for (x = x->next; x; x = x->next)
        if (xml_is(x, name))
            return x;
    return NULL;
}

const struct xml *
xml_child(const struct xml *x, const char *name)
{
    if (!x || !x->first)
        return NULL;
    return xml_is(x->first, name) ? x->first : xml_next(x->first, name);
}

const char *
xml_get(const struct xml *x, const char *name)
{
    for (const struct xml_attribute *a = x ? x->attribute : NULL; a;
         a = a->next)
        if (str_is(a->name, name))
            return a->value;
    return NULL;
}

void
xml_put(struct buf *out, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>':
            buf_puts(out, "&gt;");
            break;
        case '"':
            buf_puts(out, "&quot;");
            break;
        default:
            /* Others below a blank are not allowed, however written. */
            if ((unsigned char)*s < 32)
                buf_printf(out, "&#%d;",
                           *s == '\t' || *s == '\n' || *s == '\r' ? *s : 32);
            else
                buf_putc(out, *s);
        }
}
