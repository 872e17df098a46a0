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
    char out[STR_SPELT_MAX];
    size_t n = 0;

    for (size_t at = 0; at < s.n;)
        n += str_spell(s, &at, lines, out);
    return n;
}

/* Too long: the middle goes, since what was expected stands at the end. */
static void
put_message(char *message, struct str s, bool lines)
{
    enum { MAX = ERROR_MESSAGE_MAX };
    size_t n, tail;

    if (spelt_len(s, lines) < MAX) {
        str_put_spelt(message, MAX, s, lines);
        return;
    }
    n = str_put_spelt(message, MAX - MESSAGE_TAIL - 32, s, lines);
    tail = s.n > MESSAGE_TAIL ? s.n - MESSAGE_TAIL : 3;
    while (spelt_len((struct str){s.p + tail, s.n - tail}, lines) >
           MESSAGE_TAIL)
        tail += (s.n - tail) / 2;
    tail = boundary(s.p, tail);
    memcpy(message + n, "...", 3);
    str_put_spelt(message + n + 3, MAX - n - 3,
                  (struct str){s.p + tail, s.n - tail}, lines);
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
