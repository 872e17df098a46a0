/* engine/trees/tree_state.h -- what the files of a forest share: tree.c grows and
 * saves it, tree_set.c knows its sets.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_TREE_STATE_H
#define LATHE_ENGINE_TREES_TREE_STATE_H

#include "engine/trees/tree.h"

/* Blocks of the sets of every column, from the codes of its levels. */
bool tree_count_blocks(struct forest *f, struct error *err) MUST_USE;
/* Of the set of a node; 0: it is a number's. */
size_t tree_blocks_of(const struct forest *f, size_t node);
/* set to set_code, where there are long ones. */
bool tree_code_sets(struct forest *f, struct error *err) MUST_USE;
/* set_code to set and n_sets, which are nothing so far.  Codes, flags and
 * thresholds may be anything.  ERR_CORRUPT, ERR_NOMEM. */
bool tree_decode_sets(struct forest *f, struct error *err) MUST_USE;
#endif
