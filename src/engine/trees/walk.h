/* engine/trees/walk.h -- rows down the trees of a sealed forest.
 *
 * tree_seal() and tree_score() of tree.h are what others call.
 *
 * Threads: a walk is immutable.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_WALK_H
#define LATHE_ENGINE_TREES_WALK_H

#include "engine/trees/tree.h"

struct walk;
/* Pack the trees into f->walk, and list f->used. */
bool walk_pack(struct forest *f, struct error *err) MUST_USE;
void walk_free(struct walk *w);
#endif
