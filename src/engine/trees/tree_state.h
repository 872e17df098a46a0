/* engine/trees/tree_state.h -- what the files of a forest share: tree.c grows and
 * saves it, tree_set.c knows its sets.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_TREE_STATE_H
#define LATHE_ENGINE_TREES_TREE_STATE_H

#include "engine/trees/tree.h"

/* Has a column's number more than 16 bits? */
static inline bool
tree_is_wide(const struct forest *f)
{
    return f->n_cols > UINT16_MAX + 1u;
}

/* Blocks of the sets of every column, from the codes of its levels. */
bool tree_count_blocks(struct forest *f, struct error *err) MUST_USE;
/* Of the set of a node; 0: it is a number's. */
size_t tree_blocks_of(const struct forest *f, size_t node);
/* set to set_code, where there are long ones. */
bool tree_code_sets(struct forest *f, struct error *err) MUST_USE;
/* set_code to set and n_sets, which are nothing so far.  Codes, flags and
 * thresholds may be anything.  ERR_CORRUPT, ERR_NOMEM. */
bool tree_decode_sets(struct forest *f, struct error *err) MUST_USE;

/* ---- tree_line.c ---- */

/* Room for lines of the first n_leaves leaves, n_terms more than there are. */
bool tree_room_for_lines(struct forest *f, size_t n_leaves, size_t n_terms,
                         struct error *err) MUST_USE;
/* The line of the next leaf. */
void tree_add_line(struct forest *f, size_t leaf, double base,
                   const uint32_t *col, const double *term, size_t n);
/* Of the last n leaves of f, which are those of `from` from `first` on. */
bool tree_append_lines(struct forest *f, const struct forest *from,
                       size_t first, size_t n, struct error *err) MUST_USE;
/* The way of one value at a node: a row walked by itself. */
bool tree_goes_left(const struct forest *f, size_t node, double x);
/* What a leaf gives; column c of the row is x[c * stride]. */
double tree_leaf_value(const struct forest *f, size_t leaf, const double *x,
                       size_t stride);
bool
tree_score_lines(const struct forest *f, const struct design *d,
                 struct pool *pool, double *out, struct error *err) MUST_USE;
void tree_save_lines(const struct forest *f, struct st_writer *w);
bool tree_check_lines(const struct forest *f, struct error *err) MUST_USE;
#endif
