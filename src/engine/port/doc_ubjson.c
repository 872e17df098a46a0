/* engine/port/doc_ubjson.c -- universal binary JSON, as XGBoost writes it.
 *
 * A value is a marker and what follows: numbers big-endian; texts and keys a
 * length, which is itself a marked number, then bytes; lists and objects with
 * an end marker, or with a count ("#"), or with a type and a count ("$", "#").
 * Source: the draft 12 specification of UBJSON.
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

/* The next marker; 'N' is a pause. */
static char
peek(struct reader *r)
{
    while (r->at < r->in.n && r->in.p[r->at] == 'N')
        r->at++;
    return r->at < r->in.n ? r->in.p[r->at] : '\0';
}

static size_t
number_width(char marker)
{
    switch (marker) {
    case 'i':
    case 'U':
        return 1;
    case 'I':
        return 2;
    case 'l':
    case 'd':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

static double
decode(char marker, uint64_t u)
{
    uint32_t low = (uint32_t)u;
    double d;
    float f;

    switch (marker) {
    case 'i':
        return (int8_t)u;
    case 'U':
        return (double)u;
    case 'I':
        return (int16_t)u;
    case 'l':
        return (int32_t)low;
    case 'L':
        return (double)(int64_t)u;
    case 'd':
        memcpy(&f, &low, sizeof f);
        return (double)f;
    default:
        memcpy(&d, &u, sizeof d);
        return d;
    }
}

/* A number whose marker is known. */
static bool
read_number(struct reader *r, char marker, double *out)
{
    size_t width = number_width(marker);
    uint64_t u = 0;

    if (width == 0)
        return bad(r, "not a number");
    if (width > r->in.n - r->at)
        return bad(r, "cut off in a number");
    for (size_t i = 0; i < width; i++)
        u = u << 8 | (unsigned char)r->in.p[r->at++];
    *out = decode(marker, u);
    return true;
}

/* A length: a whole number, marked. */
static bool
read_length(struct reader *r, size_t *out)
{
    char marker = peek(r);
    double x;

    r->at += marker != '\0';
    if (!read_number(r, marker, &x))
        return false;
    if (!(x >= 0 && x <= 9007199254740992.0) || x != floor(x))
        return bad(r, "a bad length");
    *out = (size_t)x;
    return true;
}

static bool
read_text(struct reader *r, struct str *out)
{
    size_t n;
    char *text;

    if (!read_length(r, &n))
        return false;
    if (n > r->in.n - r->at)
        return bad(r, "cut off in a text");
    if (memchr(r->in.p + r->at, '\0', n))
        return bad(r, "a zero byte");
    if (!(text = arena_text(r->s.arena, r->in.p + r->at, n, r->s.err)))
        return false;
    *out = (struct str){text, n};
    r->at += n;
    return true;
}

/* ---- values ---- */

static bool read_value(struct reader *r, struct doc *out);

/* The type and the count of a list or an object; 0 and SIZE_MAX when it goes
 * on to its end marker. */
static bool
read_head(struct reader *r, char *type, size_t *count)
{
    *type = '\0';
    *count = SIZE_MAX;
    if (peek(r) == '$') {
        r->at++;
        *type = peek(r);
        r->at += *type != '\0';
        if (peek(r) != '#')
            return bad(r, "a type without a count");
    }
    if (peek(r) != '#')
        return true;
    r->at++;
    return read_length(r, count);
}

static bool
read_typed(struct reader *r, char type, size_t count, struct doc *out)
{
    size_t since = r->s.n_numbers, width = number_width(type);
    double x;

    if (width == 0)
        return bad(r, "a list of an unknown type");
    if (count > (r->in.n - r->at) / width)
        return bad(r, "cut off in a list");
    for (size_t i = 0; i < count; i++)
        if (!read_number(r, type, &x) || !doc_push_number(&r->s, x))
            return false;
    return doc_take_numbers(&r->s, since, out);
}

static bool
at_end(struct reader *r, char close, size_t count, size_t i)
{
    if (count != SIZE_MAX)
        return i == count;
    if (peek(r) != close)
        return false;
    r->at++;
    return true;
}

static bool
read_list(struct reader *r, struct doc *out)
{
    size_t items = r->s.n_items, numbers = r->s.n_numbers, count, n = 0;
    bool values = false;
    struct doc item;
    char type;

    if (!read_head(r, &type, &count))
        return false;
    if (type)
        return read_typed(r, type, count, out);
    while (!at_end(r, ']', count, n)) {
        if (!read_value(r, &item))
            return false;
        if (n++ == 0)
            values = item.type != DOC_NUMBER;
        if (values == (item.type == DOC_NUMBER))
            return bad(r, "a list of numbers and others");
        if (values ? !doc_push_item(&r->s, &item)
                   : !doc_push_number(&r->s, item.number))
            return false;
    }
    return values ? doc_take_items(&r->s, items, out)
                  : doc_take_numbers(&r->s, numbers, out);
}

static bool
read_object(struct reader *r, struct doc *out)
{
    size_t items = r->s.n_items, keys = r->s.n_keys, count;
    struct doc item;
    struct str key;
    char type;

    if (!read_head(r, &type, &count))
        return false;
    if (type)
        return bad(r, "an object of one type");
    for (size_t n = 0; !at_end(r, '}', count, n); n++)
        if (!read_text(r, &key) || !read_value(r, &item) ||
            !doc_push_key(&r->s, key) || !doc_push_item(&r->s, &item))
            return false;
    return doc_take_object(&r->s, items, keys, out);
}

/* Recursion as deep as doc_enter() allows. */
static bool
read_value(struct reader *r, struct doc *out)
{
    char c = peek(r);
    bool ok;

    r->at += c != '\0';
    *out = (struct doc){.type = DOC_NUMBER};
    switch (c) {
    case 'Z':
        out->type = DOC_NULL;
        return true;
    case 'T':
    case 'F':
        out->number = c == 'T';
        return true;
    case 'S':
        out->type = DOC_TEXT;
        return read_text(r, &out->text);
    case '[':
    case '{':
        if (!doc_enter(&r->s))
            return false;
        ok = c == '[' ? read_list(r, out) : read_object(r, out);
        r->s.depth--;
        return ok;
    default:
        return read_number(r, c, &out->number);
    }
}

bool
doc_parse_ubjson(struct str bytes, struct arena *arena, struct doc *out,
                 struct error *err)
{
    struct reader r = {.in = bytes, .s = {.arena = arena, .err = err}};
    bool ok = read_value(&r, out);

    if (ok && peek(&r))
        ok = bad(&r, "more bytes after the value");
    doc_scratch_fini(&r.s);
    return ok;
}
