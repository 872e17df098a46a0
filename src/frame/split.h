/* frame/split.h -- which rows train and which rows test, by seed.
 *
 * All are pure functions of seed, n and labels: the same on every machine and
 * thread count.  Row ids come out ascending within each part.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SPLIT_H
#define LATHE_FRAME_SPLIT_H

#include "frame/frame.h"

struct split {
    uint32_t *train, *test; /* owned; free with split_fini */
    size_t n_train, n_test;
};

/* test_share in (0, 1).  stratify: a column (text, bool, int) whose shares are
 * kept in both parts, or NULL; every level with two rows or more has one on
 * each side. */
bool
split_holdout(const struct frame *f, double test_share, const char *stratify,
              uint64_t seed, struct split *out, struct error *err) MUST_USE;
/* fold[i] in 0..k-1 for each row; stratified when the column is not NULL. */
bool split_folds(const struct frame *f, unsigned k, const char *stratify,
                 uint64_t seed, uint8_t *fold, struct error *err) MUST_USE;
/* Rows of one fold as test, all others as train. */
bool split_fold(const uint8_t *fold, size_t n, unsigned which,
                struct split *out, struct error *err) MUST_USE;
void split_fini(struct split *s);
#endif
