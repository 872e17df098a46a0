/* engine/trees/forest.h -- random forests and extremely randomised trees.
 *
 * Each tree learns from a bootstrap of the rows (a forest) or from all of them
 * with cuts at random (extra trees), each node from some of the columns; the
 * prediction is the mean over trees.  Trees are grown side by side, each by one
 * thread from random numbers of its own, so that any number of threads gives
 * the same bytes.
 *
 * Rows that a bootstrap left out are predicted by the trees that have not seen
 * them: the out-of-bag scores, told with the parameters as "oob_NAME", and as a
 * curve "oob.NAME" over trees while it learns.
 *
 * Several classes are an output each: the trees of a bootstrap differ in their
 * leaves alone and stand side by side.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_FOREST_H
#define LATHE_ENGINE_TREES_FOREST_H

#include "engine/model.h"

extern const struct family extra_trees_family, forest_family;
/* How many trees a fitted learner has, those of all classes together being
 * one. */
size_t forest_trees(const void *learner);
/* The trees of a fitted learner, borrowed. */
struct forest;
const struct forest *forest_forest(const void *learner);
#endif
