/* frame/split.h -- which rows train and which rows test, by seed.
 *
 * All are pure functions of seed, n and labels: the same on every machine and
 * thread count.  Row ids come out ascending within each part.
 *
 * Three things may be asked of a split.  Strata: a column (text, bool, int)
 * whose shares are kept in all parts.  Groups: a column (any) whose equal values
 * never come to lie in two parts; rows where it is missing are one group.  Time:
 * a column (number, date, timestamp) that orders the rows, so that what is
 * tested comes after what trains.  Cuts lie between times: rows of one time stay
 * on one side, and without a gap or a window no row is left out.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SPLIT_H
#define LATHE_FRAME_SPLIT_H

#include "frame/frame.h"

struct split {
    uint32_t *train, *test; /* owned; free with split_fini */
    size_t n_train, n_test;
};

/* test_share in (0, 1).  stratify: may be NULL; every level with two rows or
 * more has one on each side. */
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

/* ---- by strata, groups or time ---- */

struct split_by {
    const char *stratify, *group; /* NULL: not asked for */
    const char *time;             /* not with the other two */
    bool in_order; /* time: the rows are in its order; without a column */
    size_t gap;    /* time: so many rows before the tested ones are left out */
    size_t window; /* time: train on so many rows at most; 0: all before */
    size_t each;   /* time: a fold tests so many rows; 0: n / (k + 1) */
    uint64_t seed;
};

/* Groups come whole, in an order by the seed, as long as that brings the test
 * rows nearer to the share; with time the latest rows are tested, from the time
 * on that begins nearest to it. */
bool split_holdout_by(const struct frame *f, double test_share,
                      const struct split_by *by, struct split *out,
                      struct error *err) MUST_USE;

/* Which fold tests which rows. */
enum { SPLIT_UNTESTED = UINT8_MAX }; /* time: those before the first fold */
struct split_plan {
    unsigned k;
    size_t n;
    uint8_t *fold; /* of each row; owned */
    /* time: */
    uint32_t *order;      /* rows by time; NULL: not by time */
    size_t *begin, *test; /* k + 1 and k: fold i trains on order[begin[i]..
                             end[i]) and tests from order[test[i]] on */
    size_t *end;
};

/* k folds.  Groups go, large ones first, where they keep rows and classes of the
 * folds even.  Time: the last k parts of n / (k + 1) rows each, or of `each`, or
 * as near to that as times let, the earliest first, each tested after all before
 * it.  ERR_RANGE where there are fewer groups than folds or no more times than
 * folds, no row to train on, or a time is missing. */
bool
split_plan_make(const struct frame *f, unsigned k, const struct split_by *by,
                struct split_plan *out, struct error *err) MUST_USE;
bool split_plan_part(const struct split_plan *p, unsigned which,
                     struct split *out, struct error *err) MUST_USE;
void split_plan_fini(struct split_plan *p);
#endif
