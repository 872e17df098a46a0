/* frame/encoding.h -- text of other encodings to UTF-8, and what is not UTF-8.
 *
 * latin1 is ISO 8859-1: each byte is the code point of its number.  In
 * windows-1252 the bytes 80 to 9f are letters and signs where it defines them
 * (WHATWG's table, in which the five it leaves open are code points of their
 * number).  UTF-16 has the byte order that its mark says, without one little
 * endian; surrogates without a partner become U+FFFD.
 *
 * Cost: text that is ASCII stays where it is.  Else one pass counts and one
 * writes, both on all threads, into memory of the size of the result.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ENCODING_H
#define LATHE_FRAME_ENCODING_H

#include "base/error.h"
#include "base/pool.h"
#include "base/str.h"

enum encoding {
    ENCODING_FIND, /* UTF-16 when its mark comes first, else UTF-8 */
    ENCODING_UTF8,
    ENCODING_LATIN1,
    ENCODING_WINDOWS_1252,
    ENCODING_UTF16,
    ENCODING_UTF16_LITTLE, /* without a mark, as the middle of a text */
    ENCODING_UTF16_BIG
};
#define ENCODING_CHOICES "utf-8|latin1|windows-1252|utf-16"

/* ERR_USAGE names the nearest. */
bool encoding_parse(const char *word, enum encoding *out,
                    struct error *err) MUST_USE;
const char *encoding_word(enum encoding e); /* NULL: it has none */
/* What a text that begins like this is when it is said to be e: never
 * ENCODING_FIND or _UTF16.  *mark: bytes before the text itself. */
enum encoding encoding_of(struct str head, enum encoding e, size_t *mark);
/* How many of these bytes can be decoded whatever comes behind them: the rest
 * is half of something. */
size_t encoding_cut(struct str s, enum encoding e);
/* The UTF-8 of text.  *out is NULL when that is text itself, else the caller
 * frees it. */
bool encoding_decode(struct str text, enum encoding e, struct pool *pool,
                     char **out, size_t *len, struct error *err) MUST_USE;
/* Where the first byte is that is not UTF-8; s.n: there is none. */
size_t encoding_foreign(struct str s);
/* Bytes of the sequence of UTF-8 at p, which begins with one of 80 to ff and
 * has n bytes before the end of the text; 0: it is none. */
size_t encoding_sequence(const char *p, size_t n);
/* Lines that are not UTF-8, and the first of them, counted from 1. */
size_t encoding_foreign_lines(struct str s, size_t *first);
#endif
