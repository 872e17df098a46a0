/* frame/jsonl_scan.c -- one JSON value where it stands in the text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/jsonl_scan.h"

#include <string.h>

static const char *
fail_at(struct jsonl_fault *f, const char *at, const char *why)
{
    *f = (struct jsonl_fault){at, why};
    return NULL;
}

const char *
jsonl_skip_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

/* ---- texts ---- */

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

/* The byte after the escape whose backslash is at p. */
static const char *
scan_escape(const char *p, const char *end, struct jsonl_fault *f)
{
    if (end - p < 2 || !strchr("\"\\/bfnrtu", p[1]) || !p[1])
        return fail_at(f, p, "an unknown escape");
    if (p[1] != 'u')
        return p + 2;
    for (int i = 2; i < 6; i++)
        if (end - p <= i || !is_hex(p[i]))
            return fail_at(f, p, "an unknown escape");
    return p + 6;
}

/* Has one of the eight bytes a quote, a backslash, or a value under 32?  May
 * say yes for a byte above such a one, never no. */
static bool
has_special(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t v, quote, slash, low;

    memcpy(&v, p, sizeof v);
    quote = v ^ ones * '"';
    slash = v ^ ones * '\\';
    low = v - ones * 32;
    return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
            (low & ~v)) &
           ones * 0x80;
}

const char *
jsonl_scan_text(const char *p, const char *end, struct jsonl_value *v,
                struct jsonl_fault *f)
{
    const char *begin = ++p;

    v->kind = JSONL_TEXT;
    v->escaped = false;
    for (;;) {
        while (end - p >= 8 && !has_special(p))
            p += 8;
        if (p == end)
            return fail_at(f, begin - 1, "a text that is never closed");
        if (*p == '"')
            break;
        if (*p == '\\') {
            v->escaped = true;
            if (!(p = scan_escape(p, end, f)))
                return NULL;
        } else if ((unsigned char)*p < 32) {
            return fail_at(f, p, "a control byte in a text");
        } else {
            p++;
        }
    }
    v->s = (struct str){begin, (size_t)(p - begin)};
    return p + 1;
}

static uint32_t
hex4(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];

        v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return v;
}

/* The code point of \uXXXX at *p, with the other half of a pair if it has
 * one; *p moves behind it. */
static uint32_t
take_unicode(const char **p, const char *end)
{
    uint32_t low, cp = hex4(*p + 2);

    *p += 6;
    if (cp < 0xd800 || cp > 0xdfff)
        return cp;
    if (cp > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return 0xfffd;
    low = hex4(*p + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return 0xfffd;
    *p += 6;
    return 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
}

struct str
jsonl_text(const struct jsonl_value *v, struct buf *scratch)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *p = v->s.p, *end = p + v->s.n, *q;

    if (!v->escaped)
        return v->s;
    buf_clear(scratch);
    while (p < end && (q = memchr(p, '\\', (size_t)(end - p)))) {
        char utf8[4];

        buf_add(scratch, p, (size_t)(q - p));
        p = q;
        if (p[1] == 'u') {
            size_t n = str_put_utf8(take_unicode(&p, end), utf8);

            buf_add(scratch, utf8, n);
        } else {
            buf_putc(scratch, to[strchr(from, p[1]) - from]);
            p += 2;
        }
    }
    buf_add(scratch, p, (size_t)(end - p));
    return (struct str){scratch->data, scratch->len};
}

/* ---- other values ---- */

static const char *
skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static const char *
scan_number(const char *p, const char *end, struct jsonl_value *v,
            struct jsonl_fault *f)
{
    const char *begin = p, *digits;

    v->kind = JSONL_INT;
    p += *p == '-';
    digits = p;
    p = skip_digits(p, end);
    if (p == digits || (*digits == '0' && p - digits > 1))
        return fail_at(f, begin, "not a JSON number");
    if (p < end && *p == '.') {
        v->kind = JSONL_FLOAT;
        digits = ++p;
        p = skip_digits(p, end);
        if (p == digits)
            return fail_at(f, begin, "not a JSON number");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        v->kind = JSONL_FLOAT;
        p++;
        p += p < end && (*p == '+' || *p == '-');
        digits = p;
        p = skip_digits(p, end);
        if (p == digits)
            return fail_at(f, begin, "not a JSON number");
    }
    v->s = (struct str){begin, (size_t)(p - begin)};
    return p;
}

static const char *
scan_word(const char *p, const char *end, struct jsonl_value *v,
          struct jsonl_fault *f)
{
    static const struct {
        struct str word;
        enum jsonl_kind kind;
    } words[] = {
        {{"true", 4}, JSONL_BOOL},      {{"false", 5}, JSONL_BOOL},
        {{"null", 4}, JSONL_NULL},      {{"NaN", 3}, JSONL_NULL},
        {{"Infinity", 8}, JSONL_FLOAT}, {{"-Infinity", 9}, JSONL_FLOAT},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct str w = words[i].word;

        if ((size_t)(end - p) < w.n || memcmp(p, w.p, w.n) != 0)
            continue;
        v->kind = words[i].kind;
        v->s = (struct str){p, w.n};
        return p + w.n;
    }
    return fail_at(f, p, p < end ? "no JSON value begins so" : "no value");
}

static bool
list_begins(const char *p, const char *end)
{
    return p < end && (*p == '[' || *p == '{');
}

/* The list or object at p, whatever is in it: open[] remembers what each level
 * is closed by. */
static const char *
skip_nested(const char *p, const char *end, struct jsonl_fault *f)
{
    char close[JSONL_DEPTH];
    size_t depth = 0;
    bool more = false; /* a comma promised another item */

    do {
        struct jsonl_value v;

        p = jsonl_skip_blank(p, end);
        if (depth > 0 && p < end && *p == close[depth - 1] && !more) {
            depth--;
            p++;
        } else {
            if (depth > 0 && close[depth - 1] == '}') {
                if (p == end || *p != '"')
                    return fail_at(f, p, "expected a name in quotes");
                if (!(p = jsonl_scan_text(p, end, &v, f)))
                    return NULL;
                p = jsonl_skip_blank(p, end);
                if (p == end || *p != ':')
                    return fail_at(f, p, "expected ':' after a name");
                p = jsonl_skip_blank(p + 1, end);
            }
            if (list_begins(p, end)) {
                if (depth == JSONL_DEPTH)
                    return fail_at(f, p, "lists within lists too deep");
                close[depth++] = *p++ == '[' ? ']' : '}';
                more = false;
                continue;
            }
            if (!(p = jsonl_scan_value(p, end, &v, f)))
                return NULL;
        }
        if (depth == 0)
            break;
        p = jsonl_skip_blank(p, end);
        more = p < end && *p == ',';
        if (!more && (p == end || *p != close[depth - 1]))
            return fail_at(f, p, "expected ',' or the end of a list");
        p += more;
    } while (true);
    return p;
}

const char *
jsonl_scan_value(const char *p, const char *end, struct jsonl_value *v,
                 struct jsonl_fault *f)
{
    const char *begin = p;

    v->escaped = false;
    if (p == end)
        return fail_at(f, p, "no value");
    if (*p == '"')
        return jsonl_scan_text(p, end, v, f);
    if ((*p >= '0' && *p <= '9') || (*p == '-' && end - p > 1 && p[1] != 'I'))
        return scan_number(p, end, v, f);
    if (!list_begins(p, end))
        return scan_word(p, end, v, f);
    if (!(p = skip_nested(p, end, f)))
        return NULL;
    v->kind = JSONL_LIST;
    v->s = (struct str){begin, (size_t)(p - begin)};
    return p;
}
