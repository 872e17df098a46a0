/* frame/parquet_prune.h -- which row groups need not be read.  Internal to
 * parquet.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PARQUET_PRUNE_H
#define LATHE_FRAME_PARQUET_PRUNE_H

#include "frame/parquet.h"
#include "frame/parquet_schema.h"

/* A test with its value read. */
struct pq_test {
    const struct pq_leaf *leaf;
    enum parquet_op op;
    struct str text; /* borrowed */
    int64_t i;
    double x;
    bool by_float; /* an int is compared with a fraction */
};

/* ERR_TYPE when the value is not of the leaf's type. */
bool pq_test_read(const struct parquet_test *t, const struct pq_leaf *l,
                  struct pq_test *out, struct error *err) MUST_USE;
/* May a row of the chunk meet the test?  True when nothing is told. */
bool pq_test_may_hold(const struct pq_test *t, const struct pq_chunk *c);
#endif
