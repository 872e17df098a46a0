/* frame/csv_survey.h -- the first pass over delimited text: the delimiter,
 * and stretches of whole rows that can be parsed independently.
 *
 * The text is cut at the first line after every `grain` bytes.  All pieces
 * are scanned at once, each both as if it began with a row and as if it began
 * within a quoted field; then the true state runs through them in order, and
 * each piece becomes a region that begins at its first row.
 * Internal to csv.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_SURVEY_H
#define LATHE_FRAME_CSV_SURVEY_H

#include "base/pool.h"
#include "base/progress.h"
#include "frame/csv_scan.h"

/* Progress counts bytes of the text, one stage for both passes: a fifth of
 * each byte when it is scanned, the rest when it is parsed, as measured on
 * floats and on texts. */
enum { CSV_SCAN_PART = 5 };

struct csv_region {
    size_t begin, end; /* bytes; whole rows */
    size_t n_rows, n_good, n_fields;
    size_t n_wide, wide_at; /* fields of a row beyond CSV_CELLS_MAX; or 0 */
    size_t line_from, line; /* a byte at or before begin, and its line, 1.. */
    bool foreign;           /* it may have bytes that are not UTF-8 */
    bool zero;              /* zero bytes */
    bool long_one;          /* a field of more than CSV_FIELD_MAX */
};

struct csv_survey {
    struct csv_region *region;
    size_t n_regions;
    size_t n_fields; /* of a good row: as many as the first one has */
    bool has_zero;   /* bytes somewhere */
};

/* Something that csv_check() must look at. */
static inline bool
csv_region_odd(const struct csv_region *g)
{
    return g->foreign || g->zero || g->long_one;
}

/* Survey s->p + begin (the start of the first row) to the end.  When the
 * scan has several candidates as delimiters, it is left with the one that
 * gives most rows the number of fields that the first row has, or with the
 * first candidate when none occurs in the first row. */
bool csv_survey_init(struct csv_survey *v, struct csv_scan *s, size_t begin,
                     size_t grain, struct pool *pool, struct progress *progress,
                     struct error *err) MUST_USE;
void csv_survey_fini(struct csv_survey *v);

/* Delimiters of the row at `begin`, for each candidate. */
void
csv_survey_expected(const struct csv_scan *s, size_t begin, size_t *expected);
/* Is it a number of columns that a table may have? */
bool csv_survey_width(size_t n_fields, struct error *err) MUST_USE;
/* The candidate that is chosen when this many rows are good. */
size_t csv_survey_best(const size_t *good, const size_t *expected, size_t n);

/* A part of a text that begins with a row. */
struct csv_window {
    size_t begin, grain;
    bool last; /* the text ends here; else the last row is left out */
    size_t expected[CSV_DELIMITERS]; /* delimiters of a good row */
    size_t pick;                     /* whose counts the regions tell */
    size_t good[CSV_DELIMITERS];     /* rows, by candidate, are added to */
    /* Out: */
    size_t end;     /* of the rows that are whole */
    size_t n_lines; /* line ends before it; not of the last window */
    bool has_quote;
};
/* The survey of the window that is the text of the scan; no regions when no
 * row is whole. */
bool csv_survey_window(struct csv_survey *v, const struct csv_scan *s,
                       struct csv_window *w, struct pool *pool,
                       struct progress *progress, struct error *err) MUST_USE;
#endif
