/* base/buf.h -- growable bytes.
 *
 * Appending never returns an error: the first failed growth is remembered and
 * later appends do nothing, so a writer checks once, at the end, with
 * buf_check().  data is always terminated by a zero byte that len leaves out
 * (and is "" before the first append).
 * Threads: one owner at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_BUF_H
#define LATHE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct buf {
    char *data;  /* borrowed view; valid until the next append */
    size_t len;  /* bytes */
    size_t cap;  /* bytes owned; 0 before the first append */
    bool failed; /* an append found no memory */
};

void buf_init(struct buf *b);
void buf_fini(struct buf *b);
void buf_clear(struct buf *b); /* len = 0, keeps the memory, clears failed */
void buf_add(struct buf *b, const void *p, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_fill(struct buf *b, char c, size_t n); /* n times c */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);
/* s as one line of at most `cells` cells (0: any), with blanks for what
 * str_cp_is_control() and ".." where it is cut: names and values come from
 * anywhere. */
void buf_plain(struct buf *b, const char *s, size_t len, size_t cells);
/* s in a sentence, as str_spell() writes it. */
void buf_spelt(struct buf *b, const char *s, bool lines);
/* Shortest decimal text that reads back as the same double; "nan", "inf". */
void buf_double(struct buf *b, double x);
/* As str_from_number() writes it. */
void buf_number(struct buf *b, double x, int digits);
/* s as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void buf_json(struct buf *b, const char *s, size_t len);
/* s as text of HTML, or of an attribute in double quotes. */
void buf_html(struct buf *b, const char *s, size_t len);
/* x as a JSON number; null when it is not finite. */
void buf_json_double(struct buf *b, double x);
/* True when every append worked, else ERR_NOMEM. */
bool buf_check(const struct buf *b, struct error *err) MUST_USE;
/* Hand the bytes to the caller, who frees them; b is empty again. */
char *buf_take(struct buf *b);
#endif
