/* frame/csv_load.h -- what the second pass over delimited text works on.
 *
 * Values go straight to their place in the finished column, since the survey
 * has counted the good rows before each region.  csv_columns.c makes a load,
 * has its parts parsed on all threads and joins the pieces of each column.
 * Internal to csv.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_LOAD_H
#define LATHE_FRAME_CSV_LOAD_H

#include <pthread.h>
#include <stdatomic.h>

#include "frame/csv_columns.h"
#include "frame/piece.h"

enum { CSV_SPARE = 64 };

/* One region of the survey. */
struct csv_part {
    const struct csv_region *region;
    size_t first_row, n_rows; /* good ones */
    size_t room;              /* rejects to keep */
    struct csv_reject *reject, *misfit;
    size_t n_rejects, n_misfits;
    uint64_t *bad; /* rows with a value that a forced type refuses; or NULL */
    enum error_code failed;
};

/* Texts that nobody has told apart, as column_new_loose() wants them.  Room for
 * all there can be, of which what is not used is not touched. */
struct csv_block {
    char *bytes; /* NULL: none */
    size_t len;
    atomic_size_t used;
};
enum { CSV_NO_TEXT = sizeof(uint32_t) }; /* the place of an empty text */

/* One column to be. */
struct csv_target {
    enum csv_class class;
    enum col_type type;
    void *data;        /* n_rows values */
    struct dict *dict; /* CSV_TEXT: the texts of the parts folded so far */
    bool many;         /* texts are nearly all different: parts list them, */
    struct csv_block block; /* or place them here, when it is there */
    struct column *column;
    enum error_code failed;
};

/* Where the fields of a part are takes half a megabyte, which the next part
 * finds in the cache. */
struct csv_spare {
    pthread_mutex_t lock;
    struct csv_index index[CSV_SPARE];
    size_t n;
};

struct csv_load {
    const struct csv_columns_job *job;
    size_t n_cols, n_rows;
    struct csv_part *part;
    size_t n_parts;
    struct piece *piece;   /* n_parts * n_cols, by column */
    enum csv_class *found; /* likewise */
    struct csv_target *target;
    size_t *todo; /* columns of the pass at hand */
    size_t n_todo;
    bool first_pass;
    struct csv_spare *spare; /* memory of parts that are done */
    /* Values are looked at, for their types and for texts that repeat these;
     * NULL: for their types alone. */
    bool look;
    const struct csv_cell *first;
    bool *repeats; /* by column and part, as `found` */
};

/* Copy a text into the block, from *at on, which moves on; its place. */
uint32_t csv_block_put(struct csv_block *b, size_t *at, struct str s);
/* Parse the columns in todo of one part; failures are left in part->failed. */
void csv_part_parse(struct csv_load *l, size_t part);
#endif
