/* frame/keyset.h -- rows known by 128-bit hashes of their values, whatever
 * frame they are in.
 *
 * Rows are equal as in frame/rowgroup.h, texts by their bytes.  Two different
 * rows of 2^40 have the same hash with a chance of 1 to 2^49, which is taken
 * for never.  Columns that are compared have one type in all frames.
 * Threads: hashing uses the pool; a set is one thread's.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_KEYSET_H
#define LATHE_FRAME_KEYSET_H

#include "base/pool.h"
#include "frame/frame.h"

#define KEYSET_NONE UINT32_MAX

struct key128 {
    uint64_t high, low;
};

/* The hashes of n rows (rows NULL: the first n) in columns `by`; the caller
 * frees them. */
struct key128 *key128_rows(const struct frame *f, const size_t *by, size_t n_by,
                           const uint32_t *rows, size_t n, struct pool *pool,
                           struct error *err) MUST_USE;
/* Of one value each, missing ones too. */
bool key128_column(const struct column *c, struct key128 *out,
                   struct pool *pool, struct error *err) MUST_USE;

struct keyset;
struct keyset *keyset_new(struct error *err) MUST_USE;
void keyset_free(struct keyset *k);
size_t keyset_count(const struct keyset *k);
size_t keyset_bytes(const struct keyset *k);
/* Numbers of n keys, 0, 1, ... in order of first appearance, at most
 * KEYSET_NONE; what is new is added, or where `closed` is KEYSET_NONE. */
bool keyset_number(struct keyset *k, const struct key128 *key, size_t n,
                   bool closed, uint32_t *id, struct error *err) MUST_USE;
#endif
