/* frame/csv_scan.h -- where fields and rows of delimited text end.
 *
 * The text is looked at 64 bytes at a time as bit masks, one bit a byte.  A
 * quote opens a quoted field only as the first byte of the field; a quote
 * elsewhere in an unquoted field is an ordinary byte.  A row ends at LF, CR or
 * CRLF outside quotes; the row end is the LF, or the CR of CR and CRLF.
 *
 * Whatever begins in the middle of a table begins after a line's end, either
 * at the start of a row or within a quoted field: two states, exactly.
 * Internal to csv.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_SCAN_H
#define LATHE_FRAME_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum { CSV_BLOCK = 64, CSV_DELIMITERS = 4 };
#define CSV_NOWHERE SIZE_MAX

/* Which bytes of a block are what; high ones are not ASCII. */
struct csv_marks {
    uint64_t quote, lf, cr, zero, high;
    uint64_t delimiter[CSV_DELIMITERS];
};

struct csv_scan;
struct csv_count;
struct csv_index;
/* Marks of n blocks of text for n_delimiters (1..CSV_DELIMITERS). */
typedef void csv_mark_fn(const char *p, size_t n, const char *delimiters,
                         size_t n_delimiters, struct csv_marks *out);
/* csv_count_rows(), and what csv_index_init() fills: false when there are more
 * or fewer rows and fields than said. */
typedef void csv_count_fn(const struct csv_scan *s, size_t begin, size_t end,
                          const size_t *expected, struct csv_count *out);
typedef bool
csv_index_fn(struct csv_index *x, const struct csv_scan *s, size_t begin,
             size_t end, size_t n_rows, size_t n_fields);
struct csv_kernels {
    csv_mark_fn *mark;
    csv_count_fn *count;
    csv_index_fn *index;
};
/* Twins: the same numbers from each. */
extern const struct csv_kernels csv_kernels_plain, csv_kernels_avx2,
    csv_kernels_avx512;
const struct csv_kernels *csv_kernels_best(void); /* for this machine */

struct csv_scan {
    const struct csv_kernels *kernels;
    const char *p; /* the text */
    size_t len;
    char delimiters[CSV_DELIMITERS]; /* one, or the candidates */
    size_t n_delimiters;
};
/* Of a text with this delimiter; 0: , ; tab and | are the candidates. */
struct csv_scan csv_scan_of(struct str text, char delimiter);

/* Rows that begin in a stretch of text, blank ones left out.  A row is good
 * when it has the expected number of delimiters and its quotes are in order. */
struct csv_count {
    size_t n_rows;
    size_t n_good[CSV_DELIMITERS];   /* by candidate */
    size_t n_fields[CSV_DELIMITERS]; /* delimiters plus rows */
    /* A row of more than CSV_CELLS_MAX fields: how many, and where it is. */
    size_t n_wide[CSV_DELIMITERS], wide_at[CSV_DELIMITERS];
    size_t n_lines; /* line ends of any kind, also quoted */
    bool has_quote, has_zero;
    bool foreign;     /* has bytes that are not UTF-8 */
    bool ends_inside; /* the stretch ends within a quoted field */
};

/* Count from `begin`, the start of a row, to `end`, the start of a row, of a
 * line within a quoted field, or the end of the text.
 *   expected  delimiters of a good row, for each candidate */
void csv_count_rows(const struct csv_scan *s, size_t begin, size_t end,
                    const size_t *expected, struct csv_count *out);

/* As if `begin` lay within a quoted field: the start of the first row after
 * it (CSV_NOWHERE when none begins before the end, or it begins at the end),
 * and whether the stretch ends within a quoted field. */
void csv_skip_quoted(const struct csv_scan *s, size_t begin, size_t end,
                     size_t *first_row, bool *ends_inside);

/* Rows and fields of begin..end, a stretch of whole rows shorter than 4 GiB.
 * Row r begins at byte row[r] and has the fields first[r] to first[r + 1] - 1;
 * field k ends before byte field[k].  All counted from `begin`. */
struct csv_index {
    uint32_t *row, *first, *field;
    size_t n_rows;
    size_t row_room, field_room;
};
/* The first delimiter alone.  n_rows, n_fields as csv_count_rows() found;
 * ERR_STATE: that is no longer so, since another program has written to the
 * file that is mapped. */
#define CSV_CHANGED "the file changed while it was read"
bool csv_index_init(struct csv_index *x, const struct csv_scan *s, size_t begin,
                    size_t end, size_t n_rows, size_t n_fields,
                    struct error *err) MUST_USE;
/* The same in the memory of an index that was made before, or {0}. */
bool csv_index_fill(struct csv_index *x, const struct csv_scan *s, size_t begin,
                    size_t end, size_t n_rows, size_t n_fields,
                    struct error *err) MUST_USE;
void csv_index_fini(struct csv_index *x);

/* Where field k of a row of the index begins. */
static inline uint32_t
csv_field_begin(const struct csv_index *x, size_t row, size_t k)
{
    return k == 0 ? x->row[row] : x->field[x->first[row] + k - 1] + 1;
}

/* Where the first row begins, after a byte order mark and blank rows; the end
 * of the text when there is none. */
size_t csv_first_row(const struct csv_scan *s);
/* End of the row that begins at `begin`: the byte after its line end. */
size_t csv_row_end(const struct csv_scan *s, size_t begin);
/* Start of the first line at or after `from` and not after `limit`, else
 * CSV_NOWHERE. */
size_t csv_next_line(const struct csv_scan *s, size_t from, size_t limit);
/* Line ends in begin..end. */
size_t csv_count_lines(const struct csv_scan *s, size_t begin, size_t end);
#endif
