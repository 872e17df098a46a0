/* base/error.c -- the error value.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum {
    ROOM = 2048,     /* most messages fit; longer ones are on the heap */
    WORD_MAX = 256,  /* longer than a path should be */
    WORD_HEAD = 160, /* what is left of a longer word */
    WORD_TAIL = 64,
    MESSAGE_TAIL = 300
};

/* ---- foreign text ---- */

/* Names and values come from anywhere: what would drive the terminal, or pass
 * for a line of our own, is written out.  Returns the bytes in out. */
static size_t
spell(struct str s, size_t *at, bool lines, char out[16])
{
    size_t from = *at;
    int32_t cp = str_next(s, at);
    bool bad = cp == 0xfffd && *at - from == 1;
    unsigned char byte = (unsigned char)s.p[from];

    if (lines && (cp == '\n' || cp == '\t'))
        out[0] = (char)cp;
    else if (cp == '\n' || cp == '\t' || cp == '\r')
        return (size_t)snprintf(out, 16, "\\%c",
                                cp == '\n'   ? 'n'
                                : cp == '\t' ? 't'
                                             : 'r');
    else if (bad || (cp < 0x80 && str_cp_is_control((uint32_t)cp)))
        return (size_t)snprintf(out, 16, "\\x%02x", byte);
    else if (str_cp_is_control((uint32_t)cp))
        return (size_t)snprintf(out, 16, "\\u%04x", (unsigned)cp);
    else {
        memcpy(out, s.p + from, *at - from);
        return *at - from;
    }
    return 1;
}

/* The largest boundary between characters that is not behind `at`, which is 3
 * or more; `at` itself where the bytes are no characters. */
static size_t
boundary(const char *s, size_t at)
{
    for (size_t back = 0; back < 4; back++)
        if (((unsigned char)s[at - back] & 0xc0) != 0x80)
            return at - back;
    return at;
}

/* Words beyond any sense, which would push out what stands behind them, lose
 * their middle. */
static size_t
shrink_words(char *s, size_t n)
{
    size_t put = 0;

    for (size_t i = 0; i < n;) {
        size_t end = i, head, tail;

        while (end < n && s[end] != ' ')
            end++;
        end += end < n;
        if (end - i <= WORD_MAX) {
            memmove(s + put, s + i, end - i);
            put += end - i;
        } else {
            head = boundary(s + i, WORD_HEAD);
            tail = boundary(s + i, end - i - WORD_TAIL);
            memmove(s + put, s + i, head);
            memcpy(s + put + head, "...", 3);
            memmove(s + put + head + 3, s + i + tail, end - i - tail);
            put += head + 3 + (end - i - tail);
        }
        i = end;
    }
    return put;
}

static size_t
spelt_len(struct str s, bool lines)
{
    size_t n = 0;
    char out[16];

    for (size_t at = 0; at < s.n;)
        n += spell(s, &at, lines, out);
    return n;
}

/* Append what fits of s to the n bytes of a message. */
static size_t
put_spelt(char *message, size_t n, size_t room, struct str s, bool lines)
{
    for (size_t at = 0; at < s.n;) {
        char out[16];
        size_t len = spell(s, &at, lines, out);

        if (n + len >= room)
            break;
        memcpy(message + n, out, len);
        n += len;
    }
    message[n] = '\0';
    return n;
}

/* Too long: the middle goes, since what was expected stands at the end. */
static void
put_message(char *message, struct str s, bool lines)
{
    enum { MAX = ERROR_MESSAGE_MAX };
    size_t n, tail;

    if (spelt_len(s, lines) < MAX) {
        put_spelt(message, 0, MAX, s, lines);
        return;
    }
    n = put_spelt(message, 0, MAX - MESSAGE_TAIL - 32, s, lines);
    tail = s.n > MESSAGE_TAIL ? s.n - MESSAGE_TAIL : 3;
    while (spelt_len((struct str){s.p + tail, s.n - tail}, lines) >
           MESSAGE_TAIL)
        tail += (s.n - tail) / 2;
    tail = boundary(s.p, tail);
    memcpy(message + n, "...", 3);
    put_spelt(message, n + 3, MAX, (struct str){s.p + tail, s.n - tail}, lines);
}

static void
format(struct error *err, enum error_code code, bool lines, const char *fmt,
       va_list ap)
{
    char room[ROOM], *text = room;
    va_list again;
    size_t n;
    int len;

    va_copy(again, ap);
    len = vsnprintf(room, sizeof room, fmt, ap);
    n = len < 0 ? 0 : (size_t)len;
    /* Without memory for it the beginning must do. */
    if (n >= sizeof room && (text = malloc(n + 1)))
        vsnprintf(text, n + 1, fmt, again);
    va_end(again);
    if (!text) {
        text = room;
        n = boundary(room, sizeof room - 1);
    }
    err->code = code;
    if (!lines)
        n = shrink_words(text, n);
    put_message(err->message, (struct str){text, n}, lines);
    if (text != room)
        free(text);
}

bool
error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    format(err, code, false, fmt, ap);
    va_end(ap);
    return false;
}

bool
error_vset(struct error *err, enum error_code code, const char *fmt, va_list ap)
{
    format(err, code, false, fmt, ap);
    return false;
}

bool
error_lines(struct error *err, enum error_code code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    format(err, code, true, fmt, ap);
    va_end(ap);
    return false;
}

static enum error_code
code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOENT:
        return ERR_NOTFOUND;
    case ENOMEM:
        return ERR_NOMEM;
    case EEXIST:
        return ERR_EXISTS;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    default:
        return ERR_IO;
    }
}

bool
error_errno(struct error *err, int errnum, const char *fmt, ...)
{
    char old[ERROR_MESSAGE_MAX];
    va_list ap;

    va_start(ap, fmt);
    format(err, code_of_errno(errnum), false, fmt, ap);
    va_end(ap);
    memcpy(old, err->message, sizeof old);
    return error_set(err, err->code, "%s: %s", old, strerror(errnum));
}

bool
error_prefix(struct error *err, const char *fmt, ...)
{
    struct error prefix;
    char old[ERROR_MESSAGE_MAX];
    va_list ap;

    memcpy(old, err->message, sizeof old);
    va_start(ap, fmt);
    format(&prefix, err->code, false, fmt, ap);
    va_end(ap);
    /* What is there may have lines of its own. */
    return error_lines(err, err->code, "%s%s", prefix.message, old);
}

const char *
error_word(enum error_code code)
{
    static const char *const words[] = {
        "none",  "no memory", "io",        "parse",   "corrupt",
        "range", "type",      "not found", "exists",  "state",
        "usage", "gate",      "cancelled", "timeout", "limit"};

    return words[code];
}
