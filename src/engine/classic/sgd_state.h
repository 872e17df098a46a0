/* engine/classic/sgd_state.h -- what the files of sgd share: sgd.c knows
 * parameters and turns, sgd_rows.c brings blocks of rows, sgd_step.c moves the
 * weights, sgd_checkpoint.c writes them down.  Private to them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_SGD_STATE_H
#define LATHE_ENGINE_CLASSIC_SGD_STATE_H

#include "engine/classic/linear_fit.h"
#include "engine/classic/sgd.h"

enum { SGD_LANE = 8, SGD_CHUNK = 64 };
enum sgd_loss { SGD_SQUARED, SGD_HUBER, SGD_LOGISTIC, SGD_SOFTMAX, SGD_HINGE };
enum sgd_schedule { SGD_CONSTANT, SGD_INVERSE, SGD_OPTIMAL };

struct sgd_rule {
    enum sgd_loss loss;
    enum sgd_schedule schedule;
    double l1, l2;
    double rate, power;
    double delta; /* huber, in deviations of the target */
    bool averages;
};

/* Where the weights are. */
struct sgd_place {
    double *w, *b;           /* (k, width) and k, in motion */
    double *mean_w, *mean_b; /* their mean so far */
    double *paid; /* (k, width): what the L1 part has moved each weight by */
    double owed;  /* what it would have moved one that is never 0 */
    uint64_t t;   /* steps */
};

/* Rows of the table, mixed once; a turn takes them chunk by chunk, in an order
 * of its own, since rows at random would wait for memory. */
struct sgd_block {
    size_t first, n; /* of all rows */
    double *x;       /* (n, width) */
    double *norm;    /* n: 1 + the squares of a row */
    double *y;       /* n: the target, as it is in the table */
    double *weight;  /* n: that of a row; NULL: all 1 */
    uint32_t *place; /* n: where a row of the table lies */
    uint32_t *chunk; /* by turn */
};

struct sgd {
    const struct fit_data *d;
    const struct train *ctx;
    struct sgd_rule rule;
    enum problem problem;
    size_t n, p, k;
    size_t width; /* of a row in the block: p, and zeros to a whole lane */
    struct sgd_place at;
    double y_mean, y_sd; /* a regression learns (y - y_mean) / y_sd */
    double unit;         /* the mean weight of rows, which counts as 1 */
    double *margin;      /* k */
    double *tried;       /* room for a place to try a rate from */

    struct sgd_block block;
    size_t block_rows;   /* of a full block */
    struct design *part; /* fed, and not all used up */
    size_t part_row;
    size_t next_row; /* the first of the next block */

    size_t epochs, epoch; /* at most; finished */
    double loss, weight;  /* sums over the turn so far */
    double best;          /* the lowest loss of a turn so far */
    size_t stale;         /* turns since */
    double tolerance;
    double *spread; /* p: of the first block */

    struct checkpoint_mark saved;
};

/* ---- sgd_rows.c ---- */

bool sgd_rows_init(struct sgd *s, struct error *err) MUST_USE;
void sgd_rows_fini(struct sgd *s);
/* Begin a turn anew. */
bool sgd_rewind(struct sgd *s, struct error *err) MUST_USE;
/* The next block of the turn; *more: is there one? */
bool sgd_next(struct sgd *s, bool *more, struct error *err) MUST_USE;

/* Pass over the rows before next_row, which were learnt from earlier. */
bool sgd_skip(struct sgd *s, struct error *err) MUST_USE;

/* ---- sgd_step.c ---- */

/* Learn from rows begin..end - 1 of the block; the sum of their losses, each
 * before its step, by their weights. */
double sgd_learn(struct sgd *s, struct sgd_place *at, size_t begin, size_t end);
/* The loss of margins (k) for a target; they become its slopes in them. */
double sgd_loss(const struct sgd *s, double *margin, double y);

/* ---- sgd_checkpoint.c ---- */

/* Go on from d->checkpoint, if that is asked for and there is one. */
bool sgd_resume(struct sgd *s, struct error *err) MUST_USE;
/* Between blocks: write it, when it is time. */
bool sgd_checkpoint(struct sgd *s, struct error *err) MUST_USE;
#endif
