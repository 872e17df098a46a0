/* engine/trees/tree_state.h -- what the files of a forest share: tree.c grows
 * and saves it, tree_set.c knows its sets, tree_line.c its lines, tree_append.c
 * copies trees, tree_once.c saves those that are there for every output.
 * Private to them.
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

/* ---- tree.c ---- */

/* No trees yet, but columns, levels, outputs, gains and base of another. */
struct forest *
tree_forest_like(const struct forest *from, struct error *err) MUST_USE;
/* Covers and sets as they are saved. */
bool tree_code(struct forest *f, struct error *err) MUST_USE;

/* ---- tree_append.c ---- */

/* Tree t of another, of the same columns and levels, with other values. */
bool tree_append_one(struct forest *f, const struct forest *from, size_t t,
                     const float *value, struct error *err) MUST_USE;

/* ---- tree_once.c ---- */

struct tree_once {
    struct forest *trees; /* never walked; what its leaves say is below */
    float *value;         /* n_values */
    uint8_t *code;
    size_t n_values;
};

/* Does tree t ask what the tree before it asks?  A forest's trees of several
 * classes do, but for those of the first. */
bool tree_asks_the_same(const struct forest *f, size_t t);
/* Set f->once where every tree is there once for each output. */
bool tree_keep_once(struct forest *f, struct error *err) MUST_USE;
void tree_once_free(struct tree_once *o);
void tree_save_once(const struct tree_once *o, size_t n_outputs,
                    struct st_writer *w);
/* All trees of all outputs, from those that a file holds once, whose nodes are
 * sound. */
struct forest *tree_expand(struct forest *one, const struct st_file *file,
                           struct error *err) MUST_USE;

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
