/* ui/find_map.h -- which cells of a frame match a pattern.
 *
 * A bit for each cell, column by column.  Few values need to be looked at:
 * each text of a dictionary once, each number and day of a narrow range once,
 * and none of a column whose values have no such character as the pattern, if
 * that is plain text.  With the bits, from match to match is a walk over words,
 * and the place of a match among all is a count of bits.
 *
 * What is searched is a value as it is copied, not as it is cut or rounded to
 * fit.
 *
 * Immutable once it is made, on all threads.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_FIND_MAP_H
#define LATHE_UI_FIND_MAP_H

#include "base/regex.h"
#include "session/steps.h"

struct find_map;

/* All borrowed. */
struct find_what {
    struct regex *regex;
    const char *text; /* the pattern that it is of */
    const struct frame *frame;
    const struct rowset *rows; /* those that show, in order; NULL: all */
    size_t n_rows;             /* that show */
    long only;                 /* column; -1: all */
};

/* ERR_LIMIT of a pattern, ERR_CANCELLED, ERR_NOMEM. */
struct find_map *
find_map_new(const struct find_what *what, struct pool *pool,
             struct progress *progress, struct error *err) MUST_USE;
void find_map_free(struct find_map *m);

size_t find_map_rows(const struct find_map *m);
size_t find_map_count(const struct find_map *m);   /* matches */
size_t find_map_columns(const struct find_map *m); /* with a match */
bool find_map_at(const struct find_map *m, size_t row, size_t col);
/* The next match in the row behind *col, which is -1 or the number of columns
 * to begin outside; dir is 1 or -1. */
bool
find_map_next_in_row(const struct find_map *m, size_t row, long *col, int dir);
/* The next row with a match, *row being the last to be looked at. */
bool find_map_next_row(const struct find_map *m, size_t *row, int dir);
/* Which of all matches, from 1, the cell is; 0: none. */
uint64_t find_map_place(const struct find_map *m, size_t row, size_t col);
#endif
