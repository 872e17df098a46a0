/* frame/cache.h -- parsed tables kept on disk and mapped when they are opened
 * again.
 *
 * A table is kept as an Arrow file (and one more for its rejects) under a name
 * made of the source's path and the options it was read with.  It counts only
 * while the source has the same size, times to the nanosecond and contents at
 * a few dozen places.  A file in the folder that is damaged, cut short or of
 * another version is as good as absent, and replaced by the next put.
 *
 * The folder may be shared by processes and emptied at any time, also while
 * its files are mapped.  It holds at most LATHE_CACHE bytes (0: nothing is
 * kept), else a tenth of the disk's free space and at most 20 GB; what was not
 * used for longest goes first.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CACHE_H
#define LATHE_FRAME_CACHE_H

#include "frame/source.h"

struct stream;

enum { CACHE_SOURCE_MIN = 8 << 20 }; /* smaller files are read anew */

struct cache_key;

/* The source as it is now: made before it is read.  NULL when it is not worth
 * keeping or cannot be: small, no regular file, of a format that opens at once
 * by itself, or LATHE_CACHE=0. */
struct cache_key *cache_key_new(const char *dir, const char *path,
                                const struct source_options *o);
void cache_key_free(struct cache_key *k);
/* The kept table; false when there is none. */
bool
cache_get(const struct cache_key *k, struct pool *pool, struct csv_table *out);
/* The same as a stream, for a table beyond memory; NULL when there is none. */
struct stream *cache_stream(const struct cache_key *k, struct pool *pool,
                            struct progress *progress);
/* The file that it is kept in, if it is; borrowed. */
const char *cache_path(const struct cache_key *k);
/* Keep a table that was read from the source, unless that has changed since.
 * Makes the folder.  Takes as long as the disk: not for the main thread. */
bool cache_put(const struct cache_key *k, const struct csv_table *t,
               struct error *err) MUST_USE;
#endif
