/* frame/column.h -- one typed column: a buffer of values and a validity
 * bitmap.  Immutable once made; shared by reference count across threads.
 * The values are the column's own, 64-byte aligned, or lie in a mapped file
 * that it holds, aligned to their width alone.
 *
 * Storage by type, n values each:
 *   COL_BOOL       uint8_t 0 or 1
 *   COL_INT64      int64_t
 *   COL_FLOAT64    double; NaN never stands for "missing", but may occur
 *   COL_TEXT       uint32_t codes into a dict (text and categories alike)
 *   COL_DATE       int32_t days since 1970-01-01
 *   COL_TIMESTAMP  int64_t microseconds since 1970-01-01 UTC
 * The value under a cleared validity bit is 0.  Bit i of the bitmap is bit
 * i % 64 of word i / 64; NULL means that all values are present.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_COLUMN_H
#define LATHE_FRAME_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/str.h"
#include "frame/dict.h"

enum col_type {
    COL_BOOL,
    COL_INT64,
    COL_FLOAT64,
    COL_TEXT,
    COL_DATE,
    COL_TIMESTAMP
};
enum { COL_N_TYPES = COL_TIMESTAMP + 1 };

struct column;

/* Takes ownership of data (mem_try_aligned, n values), valid (may be NULL,
 * (n + 63) / 64 words) and one reference of dict (COL_TEXT only, else NULL),
 * also when it fails.  Counts the missing values and drops an all-set bitmap. */
struct column *
column_new(enum col_type type, size_t n, void *data, uint64_t *valid,
           struct dict *dict, struct error *err) MUST_USE;
/* As column_new over values in a mapping, of which it takes one reference.
 * `data` is aligned to the width of a value.  Values under a cleared bit are
 * looked at and, where one is not 0, all are copied; `zeroed` promises that
 * there is none, so that no page of the file is touched. */
struct column_loan {
    const void *data;
    struct file_hold *hold;
    bool zeroed;
};
struct column *
column_borrow(enum col_type type, size_t n, const struct column_loan *loan,
              uint64_t *valid, struct dict *dict, struct error *err) MUST_USE;
/* A text column whose texts nobody has told apart yet: text i is what is at
 * place[i] of the block, as in dict_over_block().  Takes place (n of them),
 * valid and the block, also when it fails.  The first who asks for codes,
 * data or the dict makes them, while others who ask wait; the codes count up
 * by rows.  column_text() asks for none of these.  All memory that this takes
 * is had here, and not touched before. */
struct column *
column_new_loose(size_t n, uint32_t *place, uint64_t *valid, char *block,
                 size_t len, struct error *err) MUST_USE;
bool column_is_loose(const struct column *c); /* not told apart so far */
/* Are n rows so few of it that column_take() tells only their texts apart? */
bool column_stays_loose(const struct column *c, size_t n);
/* Tell them apart now; ERR_CANCELLED. */
bool column_settle(const struct column *c, const struct progress *p,
                   struct error *err) MUST_USE;
/* Is the mapping that values or texts lie in, if any, whole?  ERR_IO. */
bool column_whole(const struct column *c, struct error *err) MUST_USE;
struct column *column_ref(const struct column *c);
void column_unref(struct column *c);

enum col_type column_type(const struct column *c);
size_t column_rows(const struct column *c);
size_t column_missing(const struct column *c); /* how many are missing */
const uint64_t *column_validity(const struct column *c); /* NULL: all valid */
const void *column_data(const struct column *c);
const uint8_t *column_bools(const struct column *c);
const int64_t *column_int64s(const struct column *c); /* and timestamps */
const double *column_float64s(const struct column *c);
const uint32_t *column_codes(const struct column *c);
const int32_t *column_dates(const struct column *c);
const struct dict *column_dict(const struct column *c); /* COL_TEXT */
size_t column_width(enum col_type t);                   /* bytes a value */
size_t column_bytes(
    const struct column *c); /* memory it holds, mapped bytes included */

static inline bool
column_bit(const uint64_t *valid, size_t i)
{
    return !valid || (valid[i / 64] >> (i % 64) & 1);
}
bool column_is_valid(const struct column *c, size_t i);
/* The value as a number: bool 0/1, date in days, timestamp in seconds; NaN
 * when missing or text. */
double column_number(const struct column *c, size_t i);
/* A whole range as numbers, as column_number. */
void
column_numbers(const struct column *c, size_t begin, size_t end, double *out);
/* Text of a COL_TEXT value; empty when missing. */
struct str column_text(const struct column *c, size_t i);
/* Any value for people and for CSV: "" when missing; doubles round-trip. */
void column_print(const struct column *c, size_t i, struct buf *out);
#define COLUMN_NO_ROW UINT32_MAX /* in a list of rows: a missing value */
/* Values begin..end of a column that has the rows of `rows`, in that order,
 * into data and, unless it is NULL, the bitmap valid; begin is a multiple of
 * 64.  holes: there may be COLUMN_NO_ROW among them, which wants a bitmap.
 * The caller has seen to it that all others are rows of c. */
void
column_take_range(const struct column *c, const uint32_t *rows, size_t begin,
                  size_t end, bool holes, void *data, uint64_t *valid);
/* Are they all below n, but for COLUMN_NO_ROW where there may be holes? */
bool column_rows_within(const uint32_t *rows, size_t begin, size_t end,
                        size_t n, bool holes);
/* The rows of `rows`, in that order. */
struct column *column_take(const struct column *c, const uint32_t *rows,
                           size_t n, struct error *err) MUST_USE;
const char *column_type_word(enum col_type t); /* "bool", "int", "float",
                                                  "text", "date", "timestamp" */
bool column_type_parse(const char *word, enum col_type *out) MUST_USE;
/* Read one value: bool (as str_to_bool), int, date and timestamp into *i, float
 * into *x; text is refused.  False when s is not wholly such a value. */
bool
column_parse(enum col_type t, struct str s, int64_t *i, double *x) MUST_USE;
/* Convert (what cannot be converted becomes missing, counted in *lost).
 * Floats lose their fraction on the way to int; bool takes 0 and 1; dates and
 * timestamps are days and whole seconds as int, midnight UTC as timestamp. */
struct column *column_cast(const struct column *c, enum col_type to,
                           size_t *lost, struct error *err) MUST_USE;
#endif
