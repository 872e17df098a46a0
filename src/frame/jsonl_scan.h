/* frame/jsonl_scan.h -- one JSON value where it stands in the text.
 *
 * RFC 8259, and NaN, Infinity and -Infinity as Python writes them.  Texts are
 * not checked for being UTF-8.  Internal to jsonl.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_JSONL_SCAN_H
#define LATHE_FRAME_JSONL_SCAN_H

#include "base/buf.h"
#include "base/str.h"

enum { JSONL_DEPTH = 128 }; /* of objects and lists within each other */

enum jsonl_kind {
    JSONL_NULL, /* and NaN */
    JSONL_BOOL,
    JSONL_INT,   /* digits alone; may be too large for an int64_t */
    JSONL_FLOAT, /* with a point or an exponent, or an infinity */
    JSONL_TEXT,
    JSONL_LIST
};

struct jsonl_value {
    enum jsonl_kind kind;
    struct str s; /* JSONL_TEXT: within the quotes; others: as it stands */
    bool escaped; /* JSONL_TEXT: there is a backslash in s */
};

/* Where reading stopped, and a static sentence that says why. */
struct jsonl_fault {
    const char *at, *why;
};

/* The first byte that is no blank (the newline is one), or end. */
const char *jsonl_skip_blank(const char *p, const char *end);
/* The text whose quote is at p; returns the byte after its closing quote, or
 * NULL. */
const char *jsonl_scan_text(const char *p, const char *end,
                            struct jsonl_value *v, struct jsonl_fault *f);
/* Any value but an object, which within a list is passed over. */
const char *jsonl_scan_value(const char *p, const char *end,
                             struct jsonl_value *v, struct jsonl_fault *f);
/* A text with its escapes undone: v->s itself, or bytes in scratch.  Half a
 * surrogate pair becomes U+FFFD. */
struct str jsonl_text(const struct jsonl_value *v, struct buf *scratch);
#endif
