/* engine/trees/shap.h -- exact Shapley values of a forest.
 *
 * Of a tree the answer without some features is taken in one of two ways:
 *   path        at a node of such a feature both ways are gone, weighed by how
 *               many training rows went each (the forest's cover)
 *   background  the features are those of another row; the mean over rows
 * Both obey: shares and base add up to the margin.
 *
 * The weights of a Shapley value are an integral, s! (m - 1 - s)! / m! being
 * that of t^s (1 - t)^(m-1-s) from 0 to 1, so that the share of feature j at a
 * leaf of value v, whose path has m features, is
 *
 *     v (o_j - z_j) Int prod_{i != j} (t o_i + (1 - t) z_i) dt
 *
 * with o_i = 1 where the row goes the leaf's way and z_i the share of training
 * rows that do.  That is a polynomial of degree m - 1: Gauss and Legendre's
 * rule of m / 2 points gives it exactly, as products of positive numbers that
 * all leaves below a node have in common.  A row costs nodes x depth / 2 a
 * tree, nothing cancels, and there is no subset to enumerate.
 *
 * Source: Lundberg et al., "From local explanations to global understanding
 *         with explainable AI for trees", 2020 (what is computed); Yu et al.,
 *         "Linear TreeShap", 2022 (sums on the way back up); Laberge & Pequignot,
 *         "Understanding interventional TreeSHAP", 2022.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_SHAP_H
#define LATHE_ENGINE_TREES_SHAP_H

#include "engine/model.h"
#include "engine/trees/tree.h"

/* family.attribute() of a forest, of its margins.  ERR_STATE: no background
 * and no cover; ERR_LIMIT: with a background, a path of more than 64 features;
 * ERR_NOMEM, ERR_CANCELLED. */
bool tree_shap(const struct forest *f, const struct attribution *a,
               struct error *err) MUST_USE;
#endif
