/* engine/classic/path_choose.c -- which step of a path predicts best.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/path_choose.h"

#include <math.h>
#include <stdlib.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/classic/linear_fit.h"

enum { STREAM_FOLDS = 0x70617468 };

uint8_t *
path_folds(size_t n, size_t n_folds, uint64_t seed, struct error *err)
{
    uint32_t *row = mem_try_array(n, sizeof *row, err);
    uint8_t *fold = row ? mem_try_array(n, 1, err) : NULL;

    for (size_t i = 0; i < n && fold; i++)
        row[i] = (uint32_t)i;
    if (fold)
        rng_shuffle(seed, STREAM_FOLDS, row, n);
    for (size_t i = 0; i < n && fold; i++)
        fold[row[i]] = (uint8_t)(i % n_folds);
    free(row);
    return fold;
}

void
path_lambdas(double most, double reach, size_t n, double *out)
{
    double to = fm_log(reach);

    for (size_t i = 0; i < n; i++) {
        double t = n > 1 ? (double)i / (double)(n - 1) : 0;

        out[i] = most * fm_exp(t * to);
    }
}

void
path_sum(const double *loss, size_t n_folds, size_t n_steps, double *path)
{
    double k = (double)n_folds;

    for (size_t i = 0; i < n_steps; i++) {
        double mean = 0, squares = 0;

        for (size_t j = 0; j < n_folds; j++)
            mean += loss[j * n_steps + i] / k;
        for (size_t j = 0; j < n_folds; j++) {
            double d = loss[j * n_steps + i] - mean;

            squares += d * d;
        }
        path[i * LINEAR_PATH_COLS + PATH_LOSS] = mean;
        path[i * LINEAR_PATH_COLS + PATH_ERROR] = sqrt(squares / (k - 1) / k);
    }
}

size_t
path_choose(const double *path, size_t n_steps, bool simple)
{
    size_t best = 0, at = 0;

    for (size_t i = 1; i < n_steps; i++)
        if (path[i * LINEAR_PATH_COLS + PATH_LOSS] <
            path[best * LINEAR_PATH_COLS + PATH_LOSS])
            best = i;
    if (!simple)
        return best;
    while (path[at * LINEAR_PATH_COLS + PATH_LOSS] >
           path[best * LINEAR_PATH_COLS + PATH_LOSS] +
               path[best * LINEAR_PATH_COLS + PATH_ERROR])
        at++;
    return at;
}
