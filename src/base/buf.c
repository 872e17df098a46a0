/* base/buf.c -- growable bytes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/buf.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* What data points to while nothing is owned: never written. */
static char nothing[1];

void
buf_init(struct buf *b)
{
    *b = (struct buf){.data = nothing};
}

void
buf_fini(struct buf *b)
{
    if (b->cap)
        free(b->data);
    buf_init(b);
}

void
buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->cap)
        b->data[0] = '\0';
}

/* Room for `more` bytes and the terminator. */
static bool
reserve(struct buf *b, size_t more)
{
    struct error err;
    size_t cap = b->cap ? b->cap : 64;
    char *p;

    if (b->failed)
        return false;
    if (b->cap && more < b->cap - b->len)
        return true;
    if (more > PTRDIFF_MAX / 2 - b->len) {
        b->failed = true;
        return false;
    }
    while (cap <= b->len + more)
        cap *= 2;
    p = mem_try_resize(b->cap ? b->data : NULL, cap, 1, &err);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->data = p;
    b->cap = cap;
    return true;
}

void
buf_add(struct buf *b, const void *p, size_t len)
{
    if (!reserve(b, len))
        return;
    if (len > 0)
        memcpy(b->data + b->len, p, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void
buf_puts(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void
buf_fill(struct buf *b, char c, size_t n)
{
    if (!reserve(b, n))
        return;
    memset(b->data + b->len, c, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n > 0 && reserve(b, (size_t)n)) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void
buf_number(struct buf *b, double x, int digits)
{
    char text[STR_F64_MAX];

    buf_add(b, text, str_from_number(x, digits, text));
}

void
buf_double(struct buf *b, double x)
{
    char text[STR_F64_MAX];

    buf_add(b, text, str_from_f64(x, text));
}

/* Escape of a control byte, quote or backslash; others never come here. */
static void
json_escape(struct buf *b, unsigned char c)
{
    static const char names[] = "btnvfr";

    if (c == '"' || c == '\\') {
        buf_putc(b, '\\');
        buf_putc(b, (char)c);
    } else if (c >= 8 && c <= 13 && c != 11) {
        buf_putc(b, '\\');
        buf_putc(b, names[c - 8]);
    } else {
        buf_printf(b, "\\u%04x", c);
    }
}

void
buf_plain(struct buf *b, const char *s, size_t len, size_t cells)
{
    struct str in = {s, len};
    bool cut = cells && str_fit(in, cells, NULL) < len;
    int32_t cp;

    if (cut)
        in.n = str_fit(in, cells > 2 ? cells - 2 : 0, NULL);
    for (size_t at = 0; (cp = str_next(in, &at)) >= 0;) {
        char utf8[4];

        if (str_cp_is_control((uint32_t)cp))
            cp = ' ';
        buf_add(b, utf8, str_put_utf8((uint32_t)cp, utf8));
    }
    buf_puts(b, cut ? ".." : "");
}

void
buf_spelt(struct buf *b, const char *s, bool lines)
{
    struct str in = str_of(s);

    for (size_t at = 0; at < in.n;) {
        char out[STR_SPELT_MAX];

        buf_add(b, out, str_spell(in, &at, lines, out));
    }
}

void
buf_json(struct buf *b, const char *s, size_t len)
{
    struct str view = {s, len};
    size_t at = 0;

    buf_putc(b, '"');
    while (at < len) {
        size_t from = at;
        unsigned char c = (unsigned char)s[at];

        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
            json_escape(b, c);
            at++;
        } else if (c < 0x80) {
            while (at < len && (unsigned char)s[at] >= 0x20 &&
                   (unsigned char)s[at] < 0x7f && s[at] != '"' && s[at] != '\\')
                at++;
            buf_add(b, s + from, at - from);
        } else {
            char utf8[4];
            size_t n = str_put_utf8((uint32_t)str_next(view, &at), utf8);

            buf_add(b, utf8, n);
        }
    }
    buf_putc(b, '"');
}

void
buf_html(struct buf *b, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        switch (s[i]) {
        case '<':
            buf_puts(b, "&lt;");
            break;
        case '>':
            buf_puts(b, "&gt;");
            break;
        case '&':
            buf_puts(b, "&amp;");
            break;
        case '"':
            buf_puts(b, "&quot;");
            break;
        default:
            buf_putc(b, s[i]);
        }
}

void
buf_json_double(struct buf *b, double x)
{
    if (isfinite(x))
        buf_double(b, x);
    else
        buf_puts(b, "null");
}

bool
buf_check(const struct buf *b, struct error *err)
{
    if (b->failed)
        return error_set(err, ERR_NOMEM, "no memory for more than %zu bytes",
                         b->len);
    return true;
}

char *
buf_take(struct buf *b)
{
    char *p = b->cap ? b->data : mem_text("");

    buf_init(b);
    return p;
}
