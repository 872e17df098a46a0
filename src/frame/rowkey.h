/* frame/rowkey.h -- rows as 64-bit keys that are equal where the rows are
 * equal in some columns: of one frame, for groups, or of two, for joins.
 *
 * -0 equals 0 and NaN equals NaN.  In one frame missing equals missing; across
 * two it equals nothing, and such rows have no key.  Numbers of two types are
 * compared as the wider one, a date with a timestamp as its midnight, texts
 * through their dictionaries.
 *
 * A key is the number of the values in a space as large as the ranges of all
 * columns multiplied: `span`, which is small for categories, days and ids, so
 * that a table may be addressed by it.  Columns whose ranges do not fit into
 * 64 bits together are numbered first by a table over their distinct values.
 *
 * Threads: immutable once made.  Cost: one pass for ranges, O(1) a row.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ROWKEY_H
#define LATHE_FRAME_ROWKEY_H

#include "base/pool.h"
#include "frame/frame.h"

enum { ROWKEY_BATCH = 1024 };
struct rowkey;

/* Columns `by` of a frame; borrows f until it is freed.  *packs, unless packs
 * is NULL, says whether their ranges fit into 64 bits; if not, NULL is returned
 * and err not set. */
struct rowkey *
rowkey_new(const struct frame *f, const size_t *by, size_t n_by,
           struct pool *pool, bool *packs, struct error *err) MUST_USE;
/* Column by[0][i] of f[0] beside by[1][i] of f[1]; keys of f[0] that f[1]
 * cannot have may be left out.  ERR_TYPE when two cannot be compared. */
struct rowkey *
rowkey_pair(const struct frame *const f[2], const size_t *const by[2],
            size_t n_by, struct pool *pool, struct error *err) MUST_USE;
/* Another frame in the place of f[0] of a pair that was made with one of no
 * rows, its columns by[0..] of the same types; the keys of f[1] stay.  It is
 * borrowed until the next one or the end.  After a failure k can only be freed
 * or turned once more. */
bool rowkey_turn(struct rowkey *k, const struct frame *f, const size_t *by,
                 struct pool *pool, struct error *err) MUST_USE;
void rowkey_free(struct rowkey *k);
/* Keys are below it; 0: they may be anything. */
uint64_t rowkey_span(const struct rowkey *k);
/* Keys of rows begin..begin + n of frame `side`, n at most ROWKEY_BATCH, begin
 * a multiple of 64, and in bit i of valid whether there is one. */
void rowkey_fill(const struct rowkey *k, int side, size_t begin, size_t n,
                 uint64_t *key, uint64_t *valid);
/* The keys of all rows of a side; the caller frees both.  *valid is NULL when
 * all have one. */
bool rowkey_all(const struct rowkey *k, int side, struct pool *pool,
                uint64_t **key, uint64_t **valid, struct error *err) MUST_USE;
#endif
