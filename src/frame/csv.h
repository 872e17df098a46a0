/* frame/csv.h -- delimited text to a frame and back.
 *
 * RFC 4180 with what occurs in the wild: quotes, doubled quotes, embedded
 * newlines and delimiters, LF, CRLF and CR, a byte order mark, blank last line.
 * Delimiter (, ; tab |), header and types are found from the whole file.  A
 * column is bool (true/false, yes/no is text), int, float, date, timestamp or
 * text: the narrowest that every present value fits, quoted or not; a column
 * with no present value is text.
 *
 * Dates are 2024-12-31 and 2024/12/31, never 20241231, which is an int.  With
 * the year last they are 31.12.2024, and 31/12/2024 or 12/31/2024 (also with
 * "-"), in which day and month may stand in either order: the whole column
 * decides.  Where all of its values are dates in one order and not all are in
 * the other, it is that order.  Where both orders are left it is text, since
 * neither is a better guess; so it is where none is left, and where forms with
 * the year first and last are mixed.  "dmy" and "mdy" as a forced type tell the
 * order.  A time of day follows a blank or T, and makes the column timestamps:
 * see str_to_timestamp() for zones; "1:05 PM" is for dates with the year last.
 *
 * Null tokens: empty, NA, N/A, NaN, nan, null, NULL, None, "?" unless options
 * say otherwise (empty always); blanks around unquoted numbers and tokens do
 * not count.  In a text column a quoted field is never missing: "" is an empty
 * text, "NA" those two letters.
 *
 * A quote opens a quoted field only as its first byte.  Rows with another
 * number of fields than the first one, with bytes after a closing quote, with
 * a zero byte, or with a value that a forced type refuses go to the
 * rejects, never silently dropped.  Blank lines are skipped.  Fields that are
 * not UTF-8 are kept, and counted for the caller to say so.
 *
 * The first row is a header when it has text above a column of another type,
 * or when it has text alone that does not occur again in its column.  A column
 * without a name is "column_N"; a name that is taken gets "_2", "_3", ...
 *
 * Cost: one structural pass and one parsing pass over the mapped bytes, each
 * on all threads in chunks that agree on the quote state.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_H
#define LATHE_FRAME_CSV_H

#include "base/file.h"
#include "base/pool.h"
#include "base/progress.h"
#include "frame/frame.h"

struct builder;

struct csv_options {
    char delimiter;           /* 0: find it */
    int header;               /* -1: find it, 0: none, 1: first row */
    const char *const *nulls; /* NULL-ended; NULL: the usual ones */
    const char *const *types; /* "col=type", NULL-ended; NULL: none forced */
    size_t types_loose;       /* so many of them, the last: one of no column is
                                 no error; SIZE_MAX: of all */
    size_t max_rejects;       /* rejects kept with their text; 0: 1,000 */
    size_t grain;             /* bytes that a thread takes at a time, on which
                                 the result does not depend; 0: 256 KiB */
};

/* Is types[i], of which there is one, among the last? */
bool csv_type_loose(const struct csv_options *o, size_t i);

struct csv_table {
    struct frame *frame;
    struct frame *rejects; /* line int, column text, reason text, text text;
                              0 rows when all was well */
    size_t n_rejected;     /* may be more than rejects holds */
    size_t n_bytes;
    char delimiter;
    bool header;
    size_t n_foreign;    /* fields that are not UTF-8; of JSON lines: lines */
    size_t foreign_line; /* of the first */
};

enum {
    CSV_FIELD_MAX = 64 << 20, /* bytes of a field */
    CSV_COLS_MAX = 100000,    /* columns of a table of text */
    CSV_CELLS_MAX = 1 << 24   /* fields of a row that is set aside */
};

/* A byte other than a quote or a line's end, "tab" or "\\t".  ERR_USAGE. */
bool
csv_delimiter_parse(const char *text, char *out, struct error *err) MUST_USE;
/* Is each of them "col=type"?  ERR_USAGE names the nearest type. */
bool csv_types_check(const char *const *types, struct error *err) MUST_USE;

/* "-" is standard input; o may be NULL (all found: header -1).  Errors name file and line: ERR_NOTFOUND, ERR_IO,
 * ERR_PARSE for an empty file, no rows at all, a binary file: a zero byte in
 * the first 4 KiB or the first row.  ERR_LIMIT, with the line, for a
 * field of more than CSV_FIELD_MAX bytes, more than CSV_COLS_MAX columns, and a
 * row of more than CSV_CELLS_MAX fields. */
bool csv_read(const char *path, const struct csv_options *o, struct pool *pool,
              struct progress *progress, struct csv_table *out,
              struct error *err) MUST_USE;
bool csv_parse(struct str text, const char *name, const struct csv_options *o,
               struct pool *pool, struct progress *progress,
               struct csv_table *out, struct error *err) MUST_USE;
/* The whole of a mapped file, which leaves memory as it is read. */
bool csv_parse_map(const struct file_map *m, const char *name,
                   const struct csv_options *o, struct pool *pool,
                   struct progress *progress, struct csv_table *out,
                   struct error *err) MUST_USE;
void csv_table_fini(struct csv_table *t);
/* A field of text, quoted where it must be. */
void csv_put_text(struct str s, char delimiter, struct buf *out);
/* For other readers of text: an empty table of rejects. */
struct builder *csv_rejects_new(struct error *err) MUST_USE;

enum { CSV_HEAD = 256 * 1024, CSV_HEAD_MOST = 4 * 1024 * 1024 };

/* The whole rows at the beginning of a text as a table of their own, before
 * the rest is looked at: what a screen shows while csv_parse() reads it all.
 *   want  bytes to read, 0: CSV_HEAD; four times as many, up to CSV_HEAD_MOST
 *         or want, as long as they do not hold two whole rows
 * out->n_bytes says where the head ends; a text that is not longer is read as
 * csv_parse() would.  Delimiter, header and types are found from the head: the
 * whole text decides, and may call an int a float, a float a text, or see no
 * header.  Rows that stay rows keep their order and number, rejects too, as
 * long as the delimiter is the same.
 * ERR_LIMIT: no row ends there.  ERR_PARSE: the whole text would fail too. */
bool
csv_parse_head(struct str text, const char *name, const struct csv_options *o,
               size_t want, struct csv_table *out, struct error *err) MUST_USE;

/* Doubles round-trip and keep a point ("3.0"), so that a float column is read
 * back as one.  Fields are quoted when they must be: empty texts and texts
 * that look like null tokens too.  Missing is empty, "NA" in a table of one
 * column. */
void csv_write_rows(const struct frame *f, size_t begin, size_t end,
                    bool header, char delimiter, struct buf *out);
bool csv_write(const struct frame *f, const char *path, char delimiter,
               struct error *err) MUST_USE;
#endif
