/* engine/port/doc_json.c -- JSON, with NaN and Infinity as XGBoost has them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/doc_scratch.h"

struct reader {
    struct str in;
    size_t at;
    struct doc_scratch s;
};

static bool
bad(const struct reader *r, const char *what)
{
    return error_set(r->s.err, ERR_PARSE, "byte %zu: %s", r->at + 1, what);
}

static void
skip_blanks(struct reader *r)
{
    while (r->at < r->in.n && strchr(" \t\r\n", r->in.p[r->at]) &&
           r->in.p[r->at])
        r->at++;
}

/* The next byte that is not blank, or 0. */
static char
peek(struct reader *r)
{
    skip_blanks(r);
    return r->at < r->in.n ? r->in.p[r->at] : '\0';
}

static bool
is_number_part(char c)
{
    return (c >= '0' && c <= '9') || (c && strchr("+-.eE", c)) ||
           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A number, or a word for one: NaN, Infinity, true, false, null. */
static bool
read_number(struct reader *r, double *out, bool *null)
{
    struct str t = {r->in.p + r->at, 0};

    *null = false;
    while (r->at + t.n < r->in.n && is_number_part(t.p[t.n]))
        t.n++;
    if (t.n == 0)
        return bad(r, "not a value");
    if (str_is(t, "true") || str_is(t, "false"))
        *out = t.p[0] == 't';
    else if ((*null = str_is(t, "null")))
        *out = NAN;
    else if (!str_to_f64(t, out))
        return bad(r, "not a number");
    r->at += t.n;
    return true;
}

/* ---- texts ---- */

static bool
read_hex(struct reader *r, uint32_t *out)
{
    *out = 0;
    for (size_t k = 0; k < 4; k++) {
        char c = r->at < r->in.n ? r->in.p[r->at++] : '\0';

        if (c >= '0' && c <= '9')
            *out = *out * 16 + (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            *out = *out * 16 + (uint32_t)((c | 32) - 'a' + 10);
        else
            return bad(r, "a bad \\u");
    }
    return true;
}

static bool
read_escape(struct reader *r, char *out, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = r->at < r->in.n ? r->in.p[r->at++] : '\0';
    const char *known = c ? strchr(from, c) : NULL;
    uint32_t cp, low;

    if (known) {
        out[(*n)++] = to[known - from];
        return true;
    }
    if (c != 'u')
        return bad(r, "a bad escape");
    if (!read_hex(r, &cp))
        return false;
    if (cp >= 0xd800 && cp < 0xdc00 && r->at + 1 < r->in.n &&
        r->in.p[r->at] == '\\' && r->in.p[r->at + 1] == 'u') {
        r->at += 2;
        if (!read_hex(r, &low))
            return false;
        cp = 0x10000 + ((cp - 0xd800) << 10) + ((low - 0xdc00) & 0x3ff);
    }
    if (cp == 0)
        return bad(r, "a zero byte");
    *n += str_put_utf8(cp >= 0xd800 && cp < 0xe000 ? 0xfffd : cp, out + *n);
    return true;
}

/* Behind the opening quote.  What escapes stand for is never longer. */
static bool
read_text(struct reader *r, struct str *out)
{
    size_t end = ++r->at, n = 0;
    char *to;

    while (end < r->in.n && r->in.p[end] != '"')
        end += r->in.p[end] == '\\' ? 2 : 1;
    if (end >= r->in.n)
        return bad(r, "a text without an end");
    if (!(to = arena_try(r->s.arena, end - r->at + 1, 1, r->s.err)))
        return false;
    while (r->at < end) {
        char c = r->in.p[r->at++];

        if (c == '\0')
            return bad(r, "a zero byte");
        if (c != '\\')
            to[n++] = c;
        else if (!read_escape(r, to, &n))
            return false;
    }
    r->at = end + 1;
    *out = (struct str){to, n};
    return true;
}

/* ---- values ---- */

static bool read_value(struct reader *r, struct doc *out);

/* After an item: true when another one follows. */
static bool
goes_on(struct reader *r, char close, bool *more)
{
    char c = peek(r);

    *more = c == ',';
    if (c != ',' && c != close)
        return bad(r, "expected ',' or the end of the list");
    r->at++;
    return true;
}

static bool
read_list(struct reader *r, struct doc *out)
{
    size_t numbers = r->s.n_numbers, items = r->s.n_items;
    char first;
    bool more = true, null, texts;
    struct doc item;
    double x;

    r->at++;
    first = peek(r);
    if (first == ']') {
        r->at++;
        return doc_take_numbers(&r->s, numbers, out);
    }
    texts = first == '"' || first == '[' || first == '{';
    while (more) {
        peek(r);
        if (texts ? !read_value(r, &item) || !doc_push_item(&r->s, &item)
                  : !read_number(r, &x, &null) || !doc_push_number(&r->s, x))
            return false;
        if (!goes_on(r, ']', &more))
            return false;
    }
    return texts ? doc_take_items(&r->s, items, out)
                 : doc_take_numbers(&r->s, numbers, out);
}

static bool
read_object(struct reader *r, struct doc *out)
{
    size_t items = r->s.n_items, keys = r->s.n_keys;
    bool more = true;
    struct doc item;
    struct str key;

    r->at++;
    if (peek(r) == '}') {
        r->at++;
        more = false;
    }
    while (more) {
        if (peek(r) != '"')
            return bad(r, "expected a name");
        if (!read_text(r, &key))
            return false;
        if (peek(r) != ':')
            return bad(r, "expected ':'");
        r->at++;
        if (!read_value(r, &item) || !doc_push_key(&r->s, key) ||
            !doc_push_item(&r->s, &item) || !goes_on(r, '}', &more))
            return false;
    }
    return doc_take_object(&r->s, items, keys, out);
}

/* Recursion as deep as doc_enter() allows. */
static bool
read_value(struct reader *r, struct doc *out)
{
    char c = peek(r);
    bool ok, null;

    *out = (struct doc){.type = DOC_TEXT};
    if (c == '"')
        return read_text(r, &out->text);
    if (c != '[' && c != '{') {
        ok = read_number(r, &out->number, &null);
        out->type = null ? DOC_NULL : DOC_NUMBER;
        return ok;
    }
    if (!doc_enter(&r->s))
        return false;
    ok = c == '[' ? read_list(r, out) : read_object(r, out);
    r->s.depth--;
    return ok;
}

bool
doc_parse_json(struct str text, struct arena *arena, struct doc *out,
               struct error *err)
{
    struct reader r = {.in = text, .s = {.arena = arena, .err = err}};
    bool ok = read_value(&r, out);

    if (ok && peek(&r))
        ok = bad(&r, "more text after the value");
    doc_scratch_fini(&r.s);
    return ok;
}
