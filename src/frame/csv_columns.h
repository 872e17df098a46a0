/* frame/csv_columns.h -- the second pass over delimited text: regions of
 * whole rows to typed columns, each region on any thread.
 *
 * Column types are guessed by the caller and checked against every value; a
 * column with a value that does not fit is parsed once more as the type that
 * all of its values fit.  So the result depends on no guess.
 * Internal to csv.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_COLUMNS_H
#define LATHE_FRAME_CSV_COLUMNS_H

#include "base/file.h"
#include "frame/csv_check.h"
#include "frame/csv_value.h"

struct csv_column_plan {
    enum csv_class guess; /* in: what a sample of the values says */
    bool forced;          /* in: the caller's type; misfits go to the rejects */
    enum csv_class found; /* out: joined over all values below the header */
};

struct csv_columns_job {
    const struct csv_scan *scan;
    const struct csv_survey *survey;
    const struct csv_nulls *nulls;
    const struct file_map *map; /* the text is all of it; NULL: it is not */
    bool skip_first;            /* the first row is a header */
    bool first_good;            /* its quotes are in order */
    bool again; /* the columns were made once: the header was none */
    size_t max_rejects;
    struct pool *pool;
    struct progress *progress;
    struct csv_column_plan *plan; /* one for each column */
};

struct csv_columns {
    struct column **column; /* survey->n_fields of them */
    size_t n_cols, n_rows;
    struct csv_reject *reject; /* by line */
    size_t n_rejects;          /* kept; at most max_rejects */
    size_t n_rejected;         /* in all */
};

bool csv_columns_init(struct csv_columns *c, const struct csv_columns_job *job,
                      struct error *err) MUST_USE;
void csv_columns_fini(struct csv_columns *c);
/* The types alone: plan[col].guess becomes what it and all values here fit.
 *   first  NULL, or the texts of the first row, where `repeats` is set when one
 *          of them occurs again in a column of texts */
bool csv_columns_look(const struct csv_columns_job *job,
                      const struct csv_cell *first, bool *repeats,
                      struct error *err) MUST_USE;

/* Types of the values of some good rows after the first one, joined;
 * repeats[col] is set when one of them is the text of first[col]. */
bool csv_columns_sample(const struct csv_columns_job *job,
                        const struct csv_cell *first, enum csv_class *guess,
                        bool *repeats, struct error *err) MUST_USE;

#endif
