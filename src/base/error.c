/* base/error.c -- the error value.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A message cut in the middle of a UTF-8 sequence loses the whole sequence. */
static void
cut_to_boundary(char *s, size_t cap)
{
    size_t n = strnlen(s, cap);
    size_t lead = n;
    size_t want;

    if (n + 1 < cap)
        return;
    while (lead > 0 && n - lead < 3 &&
           ((unsigned char)s[lead - 1] & 0xc0) == 0x80)
        lead--;
    if (lead == 0 || !((unsigned char)s[lead - 1] & 0x80))
        return;
    lead--;
    want = (unsigned char)s[lead] >= 0xf0   ? 4
           : (unsigned char)s[lead] >= 0xe0 ? 3
                                            : 2;
    if (n - lead < want)
        s[lead] = '\0';
}

static void
format(struct error *err, enum error_code code, const char *fmt, va_list ap)
{
    err->code = code;
    if (vsnprintf(err->message, sizeof err->message, fmt, ap) < 0)
        err->message[0] = '\0';
    cut_to_boundary(err->message, sizeof err->message);
}

bool
error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    format(err, code, fmt, ap);
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
    char what[256];
    size_t n;
    va_list ap;

    va_start(ap, fmt);
    format(err, code_of_errno(errnum), fmt, ap);
    va_end(ap);
    /* The XSI and the GNU strerror_r differ in type; strerrordesc_np is in
     * glibc only, so strerror's own static text is copied at once. */
    snprintf(what, sizeof what, ": %s", strerror(errnum));
    n = strlen(err->message);
    snprintf(err->message + n, sizeof err->message - n, "%s", what);
    return false;
}

bool
error_prefix(struct error *err, const char *fmt, ...)
{
    char old[ERROR_MESSAGE_MAX];
    size_t n;
    va_list ap;

    memcpy(old, err->message, sizeof old);
    va_start(ap, fmt);
    format(err, err->code, fmt, ap);
    va_end(ap);
    n = strlen(err->message);
    snprintf(err->message + n, sizeof err->message - n, "%s", old);
    cut_to_boundary(err->message, sizeof err->message);
    return false;
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
