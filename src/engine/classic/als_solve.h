/* engine/classic/als_solve.h -- ratings, and one side of them solved for.
 * Private to als*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_ALS_SOLVE_H
#define LATHE_ENGINE_CLASSIC_ALS_SOLVE_H

#include <stdint.h>

#include "base/pool.h"
#include "base/progress.h"

/* The ratings of each user, or of each item: those of i are first[i] to
 * first[i + 1] - 1. */
struct ratings {
    size_t n;        /* users, or items */
    uint64_t *first; /* n + 1 */
    uint32_t *other;
    double *value;
};
bool ratings_init(struct ratings *r, size_t n, size_t n_ratings,
                  struct error *err) MUST_USE;
void ratings_fini(struct ratings *r);
/* A list of them. */
struct rated {
    const uint32_t *own, *other;
    const double *value;
    size_t n;
};
/* By users from a list, in the order of the list; then by items from those by
 * users.  Once the work is stopped, what is there is of no meaning. */
void ratings_sort(struct ratings *r, const struct rated *list,
                  const struct progress *stop);
void ratings_turn(struct ratings *to, const struct ratings *from,
                  const struct progress *stop);
/* Ratings of the same pair become one, their sum; last: room for a place of
 * each of the others, zeros. */
void
ratings_merge(struct ratings *r, uint64_t *last, const struct progress *stop);

/* Rows of factors are (f + 1): the part of the user or item itself is the
 * last. */
struct als_side {
    const struct ratings *by;
    size_t f;
    double *own;         /* (by->n, f + 1): solved for */
    const double *other; /* the other side, as it is */
    size_t n_other;
    double mean, lambda;
    bool implicit;
    double alpha;
    struct pool *pool;
    struct progress *progress;
    double *room; /* als_room() doubles */
};
size_t als_room(size_t n, size_t f);
/* Once the work is stopped, what these say is of no meaning. */
void als_solve(const struct als_side *s);
/* The loss with users u and items v; room as above, and term: als_terms()
 * doubles. */
size_t als_terms(const struct ratings *by_user, size_t f);
double als_loss(const struct als_side *users, double *term);
#endif
