/* frame/csv_reading.h -- delimited text while it is read, what csv.c and
 * csv_stream.c share.  Internal to csv.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_READING_H
#define LATHE_FRAME_CSV_READING_H

#include "frame/csv.h"
#include "frame/csv_columns.h"

enum { CSV_GRAIN = 256 * 1024 };

/* Everything that is known about a text while it is read. */
struct csv_reading {
    const struct csv_options *o;
    struct pool *pool;
    struct progress *progress;
    const struct file_map *map; /* where the text is; or NULL */
    struct csv_scan scan;
    struct csv_survey survey;
    struct csv_foreign foreign;
    struct csv_nulls nulls;
    size_t begin; /* of the first row */
    size_t n;     /* columns */
    bool header;
    bool again;                  /* the columns were made once in vain */
    bool first_good;             /* the first row's quotes are in order */
    struct csv_cell *first;      /* its fields */
    enum csv_class *first_class; /* what they would be as values */
    enum csv_class *guess;       /* classes of a sample of the rest */
    bool *repeats; /* the first row's text occurs again in the sample */
    char **names;
    struct csv_column_plan *plan;
    struct csv_columns columns;
};

void csv_reading_fini(struct csv_reading *r);
/* Bytes of a region, with rows as long as this one. */
size_t csv_reading_grain(const struct csv_options *o, size_t row);
/* Room for r->n columns. */
bool csv_reading_room(struct csv_reading *r, struct error *err) MUST_USE;
/* Can the stretch be read as text, in spite of zero bytes?  Not when the file
 * begins as one of another kind, or one of them is in the first 4 KiB or before
 * first_end, where the first row ends: ERR_PARSE names the line of the first
 * and what a file with this head might be. */
bool csv_reading_text(const struct csv_place *from, struct str head,
                      uint64_t first_end, struct error *err) MUST_USE;
/* The fields of the row at r->begin, which stay where they are. */
bool csv_reading_first(struct csv_reading *r, struct error *err) MUST_USE;
/* Is the first row a header, when the values below it have these classes?
 *   repeats  the text of the first row stands below it, too; NULL: say so only
 *            when the classes tell */
bool csv_reading_is_header(const struct csv_reading *r,
                           const enum csv_class *below, const bool *repeats);
/* The same of a sample, in guess and repeats. */
bool csv_reading_guess_header(const struct csv_reading *r);
bool csv_reading_names(struct csv_reading *r, struct error *err) MUST_USE;
bool csv_reading_plan(struct csv_reading *r, struct error *err) MUST_USE;
struct csv_columns_job csv_reading_job(const struct csv_reading *r);
/* A row of csv_rejects_new(). */
bool
csv_reading_reject(const struct csv_reading *r, const struct csv_reject *why,
                   struct builder *b, struct error *err) MUST_USE;
#endif
