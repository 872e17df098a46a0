/* engine/trees/gbdt.h -- gradient boosted decision trees by histograms.
 *
 * Leaf-wise growth, missing values by learned direction, native categories
 * (sets found by sorted gradient statistics), L1/L2, row and column sampling,
 * early stopping.  Gradients are quantised to integers per round, histograms
 * are integer sums: any number of threads gives the same bytes.
 * Defaults that are not set follow from rows and columns; gbdt.c states the
 * rule, and so does lathe-lua(7).
 * Source: Ke et al., "LightGBM", NIPS 2017; Chen & Guestrin, "XGBoost", KDD
 *         2016; Shi et al., "Quantized training of GBDT", NeurIPS 2022.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_GBDT_H
#define LATHE_ENGINE_TREES_GBDT_H

#include "engine/model.h"

extern const struct family gbdt_family;
/* The trees of a fitted learner, borrowed. */
struct forest;
const struct forest *gbdt_forest(const void *learner);
struct loss_rule;
const struct loss_rule *gbdt_loss(const void *learner);
/* How many trees a fitted learner has (for all classes together). */
size_t gbdt_trees(const void *learner);
#endif
