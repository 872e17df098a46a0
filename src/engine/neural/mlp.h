/* engine/neural/mlp.h -- nets of dense layers, for tables.
 *
 * Numbers are imputed and scaled (PREPARE_CODES); each category has a table of
 * small vectors, one for each level, which are learnt with the rest.  A level
 * that was not seen in training has the vector of what is missing; so that it
 * is learnt, too, one code in a hundred is taken away in training.
 * Defaults that are not set follow from the rows: mlp.c states the rule.
 * Source: Guo & Berkhahn, "Entity embeddings of categorical variables", 2016;
 *         Ioffe & Szegedy, "Batch normalization", ICML 2015; Srivastava et
 *         al., "Dropout", JMLR 15, 2014.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_MLP_H
#define LATHE_ENGINE_NEURAL_MLP_H

#include "engine/model.h"

extern const struct family mlp_family;
#endif
