/* base/str.h -- views of bytes, numbers in the C locale, display width.
 *
 * Numbers are parsed and printed here and nowhere else: the C locale,
 * correctly rounded, whole input or failure.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_STR_H
#define LATHE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* Borrowed bytes; not terminated. */
struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){literal, sizeof(literal) - 1})
struct str str_of(const char *s); /* NULL gives an empty view */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *s);
bool str_eq_nocase(struct str a, struct str b); /* ASCII case only */
int str_cmp(struct str a, struct str b);        /* bytewise, total */
struct str str_trim(struct str s);              /* blanks at both ends */
bool str_starts(struct str s, const char *prefix);
/* Is it one of the words, which a blank parts? */
bool str_is_among(struct str s, const char *words);

/* The whole of s is a decimal number; surrounding blanks are refused. */
bool str_to_i64(struct str s, int64_t *out) MUST_USE;
/* Decimal or exponent form, "nan", "inf", "infinity" with sign, any case.
 * Correctly rounded; over-large values are refused, not turned to inf. */
bool str_to_f64(struct str s, double *out) MUST_USE;
enum { STR_F64_MAX = 32 };
/* Shortest text that reads back as x ("0.1", "1e-07", "3"); returns length. */
size_t str_from_f64(double x, char out[STR_F64_MAX]);
/* For people: `digits` significant ones, 1 to 15, but every digit before the
 * point, and no zeros at the end: "26067", "0.09718", "0.85".  With an exponent
 * from 1e15 on and below 1e-4. */
size_t str_from_number(double x, int digits, char out[STR_F64_MAX]);
/* Points below each other: the decimals by which the largest of some numbers
 * has `digits` significant ones; -1: it is too small or large for any. */
int str_decimals(double largest, int digits);
/* With so many decimals; as a number by itself where they are -1. */
size_t str_from_decimals(double x, int decimals, char out[STR_F64_MAX]);
/* "1,234,567"; returns length. */
size_t str_from_count(uint64_t n, char out[STR_F64_MAX]);
/* How long something takes: "2.1 s", "04:12", "1:30 h"; "-" when it is not
 * known: NaN, negative, more than 999 hours. */
size_t str_from_seconds(double seconds, char out[STR_F64_MAX]);

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int32_t str_days(int year, int month, int day);
void str_civil(int32_t days, int *year, int *month, int *day);
/* true t yes y on 1, false f no n off 0, in any case. */
bool str_to_bool(struct str s, bool *out) MUST_USE;
/* "YYYY-MM-DD", "YYYY/MM/DD" */
bool str_to_date(struct str s, int32_t *days) MUST_USE;
/* "YYYY-MM-DD[T ]HH:MM[:SS[.ffffff]][Z| UTC|+hh:mm|+hhmm|+hh]" to microseconds
 * UTC; a comma before the fraction and a blank before the zone are fine. */
bool str_to_timestamp(struct str s, int64_t *us) MUST_USE;
size_t str_from_date(int32_t days, char out[STR_F64_MAX]);
size_t str_from_timestamp(int64_t us, char out[STR_F64_MAX + 8]);

/* Next code point of s at *at, which advances; U+FFFD for each bad byte;
 * -1 at the end. */
int32_t str_next(struct str s, size_t *at);
size_t str_put_utf8(uint32_t cp, char out[4]); /* bytes written */
bool str_utf8_valid(struct str s);
/* Cells a code point takes on a terminal: 0 combining or control, 1, 2. */
int str_cp_width(uint32_t cp);
/* Does it drive the terminal, or turn the text around it?  C0 and C1 controls,
 * DEL, the ends of lines and paragraphs, and the marks that override the
 * direction of writing. */
bool str_cp_is_control(uint32_t cp);
/* Foreign text in a sentence: str_cp_is_control() and bytes that are no UTF-8
 * written out (\n, \x1b, \u202e), all else as it is.  With `lines` line ends
 * and tabs stay.  The character at *at, which advances; bytes in out. */
enum { STR_SPELT_MAX = 16 };
size_t str_spell(struct str s, size_t *at, bool lines, char out[STR_SPELT_MAX]);
/* What fits of all of it, ended by a NUL that `room` includes; bytes before. */
size_t str_put_spelt(char *out, size_t room, struct str s, bool lines);
/* The one code point of the other case (not German sharp s to SS). */
uint32_t str_cp_lower(uint32_t cp);
uint32_t str_cp_upper(uint32_t cp);
size_t str_width(struct str s);
/* Longest prefix that fits in `cells`; its width in *used when not NULL. */
size_t str_fit(struct str s, size_t cells, size_t *used);

/* Optimal string alignment distance, for "did you mean"; at most 64 bytes
 * of each are compared. */
unsigned str_distance(struct str a, struct str b);
/* The nearest of n names to s if it is near enough to be meant, else NULL. */
const char *str_nearest(struct str s, const char *const *names, size_t n);
#endif
