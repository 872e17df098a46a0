/* frame/csv_check.h -- what is no text within delimited text.
 *
 * Fields that are not UTF-8 are kept and counted.  Rows with a zero byte are
 * no good rows: they go to the rejects.  A field of more than CSV_FIELD_MAX
 * bytes is an error, and a row of more than CSV_CELLS_MAX fields.  Only regions
 * that the survey has marked are looked at. Internal to csv.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_CHECK_H
#define LATHE_FRAME_CSV_CHECK_H

#include "frame/csv_survey.h"

/* Why a row was set aside. */
enum csv_fault {
    CSV_FAULT_FIELDS,
    CSV_FAULT_QUOTE,
    CSV_FAULT_OPEN,
    CSV_FAULT_ZERO,
    CSV_FAULT_VALUE
};
struct csv_reject {
    size_t line;
    size_t begin, end; /* bytes of the row */
    enum csv_fault fault;
    size_t n_fields; /* CSV_FAULT_FIELDS */
    size_t col;      /* CSV_FAULT_QUOTE, _OPEN, _ZERO, _VALUE */
};

/* Is row `row` of the index of the text at `base` one of n_cols fields, with
 * quotes in order and no zero byte?  zeros: there may be some. */
bool csv_row_good(const char *base, const struct csv_index *x, size_t row,
                  size_t n_cols, bool zeros, struct csv_reject *why);

/* A stretch of a text, and what stands before it. */
struct csv_place {
    const struct csv_scan *scan; /* of the stretch */
    uint64_t at, lines;          /* bytes, line ends */
};
struct csv_foreign {
    size_t n_fields; /* that are not UTF-8 */
    size_t line;     /* of the first */
};
/* Adds to what is known of the stretches before, and sets n_good of regions
 * with zero bytes.  ERR_LIMIT names line and column. */
bool
csv_check(struct csv_survey *v, const struct csv_place *from, struct pool *pool,
          struct csv_foreign *out, struct error *err) MUST_USE;
#endif
