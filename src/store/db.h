/* store/db.h -- the project's store: folder, SQLite connection, migrations.
 *
 * One writing connection, owned by the store thread: the write functions of
 * run.h and registry.h hand it a closure and wait for its acknowledgement, so
 * they may block and belong on pool jobs and command-line programs, not on the
 * main thread of the screen; *_post variants do not wait.  Reads open (and
 * keep, per store) a read-only connection guarded by a mutex; they may be
 * called from any thread and block for the disk only.  Where nothing may be
 * written (a read-only disk, a full one, another's folder) reads still work.
 * Several processes may use one store at once (WAL, busy timeout; a rollback
 * journal where statfs says network file system, or where LATHE_JOURNAL is
 * "rollback" or "wal", which overrules statfs).
 *
 * What is acknowledged has been fsynced: neither kill -9 nor a power cut takes
 * it back.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_DB_H
#define LATHE_STORE_DB_H

#include <stddef.h>

#include "base/error.h"
#include "base/pool.h"

struct store;

/* The folder ".lathe" at or above `from` (NULL: the current folder), as git
 * finds its own; when there is none, the path where it would be made: in that
 * folder.  LATHE_PROJECT overrides: a project's folder, or its ".lathe".  An
 * absolute path.  Caller frees; aborts only. */
char *store_find(const char *from);
/* Open, create and migrate.  `create` false and no store there: ERR_NOTFOUND.
 * A store written by a newer lathe: ERR_STATE.  A damaged database, or none or
 * an empty one beside artifacts or a log: ERR_CORRUPT.  The pool lends the store
 * thread and must outlive the store. */
struct store *store_open(const char *lathe_dir, bool create, struct pool *pool,
                         struct error *err) MUST_USE;
void store_close(struct store *s); /* finishes what was queued */
const char *store_dir(const struct store *s);
/* Path of something inside: store_path(s, "jobs/%s/log", id). Caller frees. */
char *store_path(const struct store *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Wait until everything queued before is on disk. */
bool store_flush(struct store *s, struct error *err) MUST_USE;

/* ---- for the other modules of store/ ---- */

struct sqlite3;

/* Runs inside a transaction; on false all it did is undone, alone.  It may be
 * called again when a transaction it shared with others could not be
 * committed, so it must start over each time. */
typedef bool store_fn(struct sqlite3 *db, void *ctx, struct error *err);
/* Have fn called on the store thread and wait until its work is on disk. */
bool store_write(struct store *s, store_fn *fn, void *ctx,
                 struct error *err) MUST_USE;
/* Call fn here, on the read-only connection, within one snapshot. */
bool store_read(struct store *s, store_fn *fn, void *ctx,
                struct error *err) MUST_USE;
/* Records that may wait 200 ms to be written with others, on the store thread:
 * copied, never waits.  fn gets whole records in the order they came; what
 * cannot be written is kept and tried again, at the latest when the store
 * closes.  One fn per store. */
typedef bool store_batch_fn(struct sqlite3 *db, const char *records, size_t len,
                            struct error *err);
void store_append(struct store *s, store_batch_fn *fn, const void *record,
                  size_t len);
/* fsync of a folder, after which the names in it outlive a power cut. */
bool store_sync_folder(const char *path, struct error *err) MUST_USE;
/* Is this statfs type a network's, where shared memory does not work? */
bool store_type_is_network(unsigned long type);
#endif
