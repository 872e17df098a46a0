/* store/writer.h -- the store thread and its writing connection; for db.c.
 *
 * Closures queue up; the thread takes all that wait, runs them in one
 * transaction and tells each caller how its own went once that is on disk: the
 * fsync is shared by all who came while the last one ran.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_WRITER_H
#define LATHE_STORE_WRITER_H

#include "store/db.h"

struct writer;

/* Opens nothing and starts no thread before the first write.  Aborts only.
 *   journal  "wal" or "delete" */
struct writer *
writer_new(const char *path, const char *journal, struct pool *pool);
/* Finishes what was queued. */
void writer_free(struct writer *w);
/* fn NULL: wait until what was appended before is on disk. */
bool writer_do(struct writer *w, store_fn *fn, void *ctx,
               struct error *err) MUST_USE;
void writer_append(struct writer *w, store_batch_fn *fn, const void *record,
                   size_t len);
#endif
