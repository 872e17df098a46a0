/* base/error.h -- the error value.
 *
 * Whatever can fail takes `struct error *err` last and returns bool, or a
 * pointer that is NULL on failure.  err is never NULL, is untouched on success
 * and lives on the caller's stack: nothing to free.  The code is for programs
 * to branch on, the message for people: lower case, no full stop, the bad
 * value and what was expected.  Each level that knows more adds it with
 * error_prefix(): "sales.csv: line 812: 4 fields, expected 5".
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_ERROR_H
#define LATHE_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/attr.h"

enum error_code {
    ERR_NONE = 0,
    ERR_NOMEM,     /* memory sized by the user's data could not be had */
    ERR_IO,        /* the system refused a read, a write, an open */
    ERR_PARSE,     /* foreign bytes do not follow their format */
    ERR_CORRUPT,   /* a file of our own is damaged */
    ERR_RANGE,     /* a value outside its range */
    ERR_TYPE,      /* a value of the wrong type */
    ERR_NOTFOUND,  /* a name, row, file, version that is not there */
    ERR_EXISTS,    /* a name that is taken */
    ERR_STATE,     /* not possible now */
    ERR_USAGE,     /* a command was called wrongly: exit status 2 */
    ERR_GATE,      /* a gate was not met: exit status 3 */
    ERR_CANCELLED, /* the user stopped it */
    ERR_TIMEOUT,   /* it took longer than allowed */
    ERR_LIMIT      /* larger than a stated limit */
};

enum { ERROR_MESSAGE_MAX = 1024 };

struct error {
    enum error_code code;
    char message[ERROR_MESSAGE_MAX]; /* always terminated, valid UTF-8 */
};

/* Fill err; returns false always, so that `return error_set(...)` reads well.
 * Names and values come from anywhere: control characters are written out
 * (\n, \x1b), a word of more than 256 bytes loses its middle, and so does a
 * message that is too long. */
bool error_set(struct error *err, enum error_code code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
bool error_vset(struct error *err, enum error_code code, const char *fmt,
                va_list ap);
/* As error_set for a text that may have several lines: a chunk of Lua's own
 * words. */
bool error_lines(struct error *err, enum error_code code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* As error_set with ERR_IO, then ": " and the text of errno value errnum.
 * ENOENT becomes ERR_NOTFOUND, ENOMEM ERR_NOMEM. */
bool error_errno(struct error *err, int errnum, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Put text before the message that is there; returns false. */
bool error_prefix(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A short fixed word for a code: "io", "parse", ... */
const char *error_word(enum error_code code);
#endif
