/* frame/jsonl.h -- JSON lines to a frame (frame_json_lines() is the way back).
 *
 * One object on each line, or one list of objects ("[{...}, {...}]", over any
 * lines).  A name is a column, in the order of first appearance over the whole
 * file; an object within the row becomes columns "a.b"; a list becomes its
 * JSON text.  null, NaN and an absent name are missing; of a name that occurs
 * twice in an object the last value counts.  Two paths of one spelling ("a.b"
 * and b within a) are two columns, the second one "a.b_2".
 *
 * The type of a column is decided by all of its values: bool, int, float (ints
 * beyond 64 bits too), date and timestamp when all are texts of that form,
 * text when they are mixed (true, 1 and "x" as those letters).
 *
 * Lines that are no object, or not well formed, go to the rejects with line and
 * reason; in a list the first of them ends the reading.  Bytes that are not
 * UTF-8 are kept.
 *
 * Cost: two passes over the mapped bytes, each on all threads in stretches of
 * whole rows, on which the result does not depend.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_JSONL_H
#define LATHE_FRAME_JSONL_H

#include "frame/csv.h"

struct jsonl_options {
    size_t max_rejects; /* kept with their text; 0: 1,000 */
    size_t grain;       /* bytes that a thread takes at a time; 0: 1 MiB */
};

/* o may be NULL.  Of out, delimiter is 0 and header true.  Errors name file
 * and line: ERR_PARSE when there is no row at all, ERR_LIMIT for more than
 * CSV_COLS_MAX different names, and for rows that have so few of them in common
 * that the table would take many times the text, and more than the budget. */
bool
jsonl_parse(struct str text, const char *name, const struct jsonl_options *o,
            struct pool *pool, struct progress *progress, struct csv_table *out,
            struct error *err) MUST_USE;
#endif
