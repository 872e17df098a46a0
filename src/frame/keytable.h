/* frame/keytable.h -- which rows have the same 64-bit key, and where a key was
 * seen first.
 *
 * Built over the keys of n rows: by address where the span of keys is small,
 * else by hashing in parts that fit the cache, each made by one thread from
 * rows in ascending order.  Immutable then, the same for any number of
 * threads.  Scratch: 4 bytes a row, and up to 55 for hashing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_KEYTABLE_H
#define LATHE_FRAME_KEYTABLE_H

#include "base/pool.h"
#include "base/progress.h"

#define KEYTABLE_NONE UINT32_MAX /* no such key */

struct keytable;

struct keytable_in {
    const uint64_t *key;
    const uint64_t *valid; /* bit i: row i has a key; NULL: all have one */
    size_t n;              /* below 2^32 - 1 */
    uint64_t span;         /* keys are below it; 0: anything */
};

struct keytable *
keytable_new(const struct keytable_in *in, struct pool *pool,
             const struct progress *progress, struct error *err) MUST_USE;
void keytable_free(struct keytable *t);
/* Of each row the first that has its key; KEYTABLE_NONE for one without. */
const uint32_t *keytable_first(const struct keytable *t);
size_t keytable_count(const struct keytable *t); /* different keys */
/* The first row of each of n keys, or KEYTABLE_NONE; bit i of valid, which may
 * be NULL: look for key i at all. */
void keytable_find(const struct keytable *t, const uint64_t *key,
                   const uint64_t *valid, size_t n, uint32_t *first);
#endif
