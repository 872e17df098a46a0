/* store/db.h -- the project's store: folder, SQLite connection, migrations.
 *
 * One writing connection, owned by the store thread: the write functions of
 * run.h and registry.h hand it a closure and wait for its acknowledgement, so
 * they may block and belong on pool jobs and command-line programs, not on the
 * main thread of the screen; *_post variants do not wait.  Reads open (and
 * keep, per store) a read-only connection guarded by a mutex; they may be
 * called from any thread and block for the disk only.
 * Several processes may use one store at once (WAL, busy timeout; a rollback
 * journal where statfs says network file system).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_DB_H
#define LATHE_STORE_DB_H

#include "base/error.h"
#include "base/pool.h"

struct store;

/* The folder ".lathe" at or above `from` (NULL: the current folder), as git
 * finds its own; when there is none, the path where it would be made: in the
 * current folder.  LATHE_PROJECT overrides.  Caller frees; aborts only. */
char *store_find(const char *from);
/* Open, create and migrate.  `create` false and no store there: ERR_NOTFOUND. */
struct store *store_open(const char *lathe_dir, bool create, struct pool *pool,
                         struct error *err) MUST_USE;
void store_close(struct store *s); /* finishes what was queued */
const char *store_dir(const struct store *s);
/* Path of something inside: store_path(s, "jobs/%s/log", id). Caller frees. */
char *store_path(const struct store *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Wait until everything queued before is on disk. */
bool store_flush(struct store *s, struct error *err) MUST_USE;
#endif
