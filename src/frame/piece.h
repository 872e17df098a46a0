/* frame/piece.h -- joining what several threads read of one column.
 *
 * A reader whose stretches of rows are parsed on any thread writes values
 * straight to their place in the finished column.  What stretches cannot share
 * without locks each keeps for itself in a piece: which rows are missing, and
 * the texts with codes of their own.  Joining goes through the pieces in the
 * order of their rows, so that the result does not depend on the threads.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PIECE_H
#define LATHE_FRAME_PIECE_H

#include "frame/column.h"

/* The rows first..first + n of one column. */
struct piece {
    size_t first, n;
    uint64_t *missing; /* bit i: row first + i; NULL: none.  Owned */
    struct dict *dict; /* COL_TEXT: what the codes mean.  Owned */
};

void piece_fini(struct piece *p);
/* Make row `row` of the piece a missing one. */
bool piece_set_missing(struct piece *p, size_t row, struct error *err) MUST_USE;
/* The validity of n_rows from n pieces that cover them in order; NULL when
 * nothing is missing.  Caller frees. */
bool piece_join_missing(const struct piece *piece, size_t n, size_t n_rows,
                        uint64_t **out, struct error *err) MUST_USE;
/* A column of n_rows from n pieces that cover them in order.  Takes data, also
 * when it fails; empties the pieces. */
struct column *
piece_join(struct piece *piece, size_t n, enum col_type type, size_t n_rows,
           void *data, struct error *err) MUST_USE;
#endif
