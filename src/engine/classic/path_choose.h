/* engine/classic/path_choose.h -- which step of a path predicts best.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_PATH_CHOOSE_H
#define LATHE_ENGINE_CLASSIC_PATH_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { PATH_MAX_STEPS = 1000, PATH_MAX_FOLDS = 100 };
/* A row of a path, of LINEAR_PATH_COLS: lambda, the loss in cross-validation,
 * its error, weights that are not 0. */
enum { PATH_LAMBDA, PATH_LOSS, PATH_ERROR, PATH_COUNT };

/* Folds of n rows, as even as can be, by the seed; caller frees. */
uint8_t *
path_folds(size_t n, size_t n_folds, uint64_t seed, struct error *err) MUST_USE;
/* From `most` down to the share `reach` of it, evenly in their logarithms. */
void path_lambdas(double most, double reach, size_t n, double *out);
/* Losses (n_folds, n_steps) into the rows of a path: mean and error of it. */
void path_sum(const double *loss, size_t n_folds, size_t n_steps, double *path);
/* The step of the least loss; simple: the first within its error. */
size_t path_choose(const double *path, size_t n_steps, bool simple);
#endif
