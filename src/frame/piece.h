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

#include "base/arena.h"
#include "frame/column.h"

/* Texts that are nearly all different are not counted by the piece first. */
struct piece_list {
    struct str *text;   /* of each row; those of missing ones mean nothing */
    uint32_t *hash;     /* dict_hash() of each */
    struct arena arena; /* for texts that are not where they were read from */
};

/* The rows first..first + n of one column. */
struct piece {
    size_t first, n;
    uint64_t *missing;       /* bit i: row first + i; NULL: none.  Owned */
    struct dict *dict;       /* COL_TEXT: what the codes mean.  Owned */
    struct piece_list *list; /* or the texts as they came.  Owned */
};

void piece_fini(struct piece *p);
/* Make row `row` of the piece a missing one. */
bool piece_set_missing(struct piece *p, size_t row, struct error *err) MUST_USE;
/* An empty list for the rows of the piece. */
bool piece_list_new(struct piece *p, struct error *err) MUST_USE;
/* Replace the codes of n pieces, or their lists, by codes of `dict`, to which
 * their texts are added in the order of their rows; release both.
 *   codes  of the whole column; those of missing rows become 0 */
bool piece_fold_texts(struct piece *piece, size_t n, struct dict *dict,
                      uint32_t *codes, struct error *err) MUST_USE;
/* The validity of n_rows from n pieces that cover them in order; NULL when
 * nothing is missing.  Caller frees. */
bool piece_join_missing(const struct piece *piece, size_t n, size_t n_rows,
                        uint64_t **out, struct error *err) MUST_USE;
/* A column of n_rows from n pieces that cover them in order, whose texts were
 * folded into dict (NULL: no texts).  Takes data and dict, also when it fails;
 * empties the pieces. */
struct column *
piece_column(struct piece *piece, size_t n, enum col_type type, size_t n_rows,
             void *data, struct dict *dict, struct error *err) MUST_USE;
/* The same for pieces whose texts are not folded yet. */
struct column *
piece_join(struct piece *piece, size_t n, enum col_type type, size_t n_rows,
           void *data, struct error *err) MUST_USE;
#endif
